/* Reads ahead: which memo numbers a pickle reads at all, so that a lean machine need not keep
 * what is put under the others, or whether it writes down some integer. Makes nothing and fails
 * at nothing: where it stops, the machine will. */
#include "vm.h"

#include <endian.h>
#include <string.h>

enum { LINE_MAX = 4096, /* longer lines are not looked into */
       DIGITS_MAX = 18 };

typedef enum { NO_OPCODE, PLAIN, GET, PUT, MEMOIZE, BUILD, STOP, COUNTED, LINE, LINES } doing;

typedef struct {
	uint64_t mask; /* of the number */
	uint8_t width;
	uint8_t is;    /* doing */
} shape;

#define SHAPE_NONE 0, 0, PLAIN
#define SHAPE_U1 UINT8_MAX, 1, PLAIN
#define SHAPE_U2 UINT16_MAX, 2, PLAIN
#define SHAPE_U4 UINT32_MAX, 4, PLAIN
#define SHAPE_I4 SHAPE_U4
#define SHAPE_U8 UINT64_MAX, 8, PLAIN
#define SHAPE_F8 SHAPE_U8
#define SHAPE_LINE 0, 0, LINE
#define SHAPE_LINES 0, 0, LINES
#define SHAPE_TEXT1 UINT8_MAX, 1, COUNTED
#define SHAPE_TEXT4 UINT32_MAX, 4, COUNTED
#define SHAPE_TEXT8 UINT64_MAX, 8, COUNTED
#define SHAPE_BYTES1 SHAPE_TEXT1
#define SHAPE_BYTES4 SHAPE_TEXT4
#define SHAPE_BYTES8 SHAPE_TEXT8
#define SHAPE_LONG1 SHAPE_TEXT1
#define SHAPE_LONG4 SHAPE_TEXT4
/* Some opcodes do more than to take their argument. */
#define DOING(code, other)                          \
	((code) == 'h' || (code) == 'j' ? GET       \
	 : (code) == 'q' || (code) == 'r' ? PUT     \
	 : (code) == 0x94 ? MEMOIZE                 \
	 : (code) == 'b' ? BUILD                    \
	 : (code) == '.' ? STOP : (other))
#define SHAPE(code, mask, width, is) {mask, width, DOING(code, is)}
#define SHAPE_OF(code, ...) SHAPE(code, __VA_ARGS__)

static const shape shapes[256] = {
#define X(name, code, arg, protocol, handler) [code] = SHAPE_OF(code, SHAPE_##arg),
	CK_OPS(X)
#undef X
};

typedef struct {
	ck_job *job;
	ck_steps *steps;
	ck_vm *vm;              /* NULL: the numbers of the memo do not matter */
	uint64_t at, size;
	const unsigned char *p; /* what the window shows from `at` on */
	size_t left;
	uint64_t puts;          /* opcodes that store */
	uint64_t bound;         /* above every number */
	bool lost;              /* nothing is known of the numbers */
	bool wrapper, build;    /* joblib may put bytes that are no opcodes behind a BUILD */
	const char *integer;    /* two's complement; or NULL */
	size_t integer_len;
	bool found;             /* it may be there */
} ahead;

/* ---- numbers ---- */

/* Numbers with wide gaps between them would make a large table. */
static bool is_near(ahead *a, uint64_t number)
{
	enum { GAP = 4, FREE = 1024 };
	a->lost = number / GAP > a->puts + FREE;
	if (!a->lost && number >= a->bound)
		a->bound = number + 1;
	return !a->lost;
}

static bool note_get(ahead *a, uint64_t number)
{
	ck_vm *vm = a->vm;
	size_t word = (size_t)(number / 64);
	if (!vm || !is_near(a, number))
		return !vm;
	uint64_t *grown = ck_grow(vm->job, vm->reads, &vm->reads_cap, word + 1, sizeof *grown);
	if (!grown)
		return false;
	vm->reads = grown;
	grown[word] |= UINT64_C(1) << number % 64;
	return true;
}

static bool note_put(ahead *a, uint64_t number)
{
	a->puts++;
	return !a->vm || is_near(a, number);
}

static bool note_memoize(ahead *a)
{
	if (++a->puts > a->bound)
		a->bound = a->puts;
	return true;
}

/* What Python takes for a number may look otherwise. */
static bool read_number(const unsigned char *line, size_t len, uint64_t *number)
{
	*number = 0;
	if (!len || len > DIGITS_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned digit = line[i] - (unsigned)'0';
		if (digit > 9)
			return false;
		*number = *number * 10 + digit;
	}
	return true;
}

/* ---- text ---- */

static const char wrapper_name[] = "NumpyArrayWrapper";
enum { WRAPPER_LEN = sizeof wrapper_name - 1 };

static bool is_wrapper(const unsigned char *text, size_t len)
{
	return len == WRAPPER_LEN && !memcmp(text, wrapper_name, WRAPPER_LEN);
}

/* The length of the line at `from`; false: it does not end in sight. */
static bool line_end(ahead *a, size_t from, size_t *len)
{
	const unsigned char *end =
		from < a->left ? memchr(a->p + from, '\n', a->left - from) : NULL;
	if (!end) {
		a->lost = a->left < a->size - a->at; /* else the pickle is cut short */
		return false;
	}
	*len = (size_t)(end - a->p) - from;
	return true;
}

static bool read_line(ahead *a, size_t *skip)
{
	const unsigned char *line = a->p + 1;
	unsigned char code = *a->p;
	size_t len;
	uint64_t number;
	if (!line_end(a, 1, &len))
		return false;
	*skip = len + 2;
	if (code == 'I' || code == 'L')
		a->found = a->found || (a->integer && len > 2 * a->integer_len);
	if (a->vm && (code == 'g' || code == 'p')) {
		a->lost = !read_number(line, len, &number);
		return !a->lost && (code == 'g' ? note_get(a, number) : note_put(a, number));
	}
	if (code == 'V' || code == 'S')
		a->wrapper = a->wrapper || memchr(line, '\\', len) || is_wrapper(line, len) ||
		             (len > 2 && is_wrapper(line + 1, len - 2)); /* in quotes */
	return true;
}

static bool read_lines(ahead *a, size_t *skip)
{
	size_t first, second;
	if (!line_end(a, 1, &first) || !line_end(a, first + 2, &second))
		return false;
	a->wrapper = a->wrapper || is_wrapper(a->p + first + 2, second);
	*skip = first + second + 3;
	return true;
}

static bool read_counted(ahead *a, size_t head, uint64_t len)
{
	if (len > a->size - a->at)
		return false;
	if (len == WRAPPER_LEN)
		a->wrapper = a->wrapper || head + len > a->left ||
		             is_wrapper(a->p + head, (size_t)len);
	if (a->integer && len >= a->integer_len)
		a->found = a->found || head + len > a->left ||
		           !memcmp(a->p + head, a->integer, a->integer_len);
	return true;
}

/* ---- opcodes ---- */

/* Makes sure that the window holds a line of LINE_MAX, or all that is left. */
static bool look(ahead *a)
{
	ck_steps *steps = a->steps;
	if (a->at >= a->size || ck_stopped(a->job))
		return false;
	steps->at = a->at;
	a->p = ck_steps_peek(steps, LINE_MAX, &a->left);
	return a->p;
}

static inline uint64_t masked(const unsigned char *p, const shape *op)
{
	uint64_t raw;
	memcpy(&raw, p + 1, sizeof raw);
	return le64toh(raw) & op->mask;
}

/* See ck_behind. */
static inline const unsigned char *step_on(const unsigned char *p, unsigned len)
{
	return (const unsigned char *)(uintptr_t)ck_behind((uint64_t)(uintptr_t)p, len);
}

/* Behind the argument. */
static inline const unsigned char *behind(const unsigned char *p, const shape *op)
{
	if (!op->width)
		return step_on(p, 1);
	if (op->width == 1)
		return step_on(p, 2);
	return op->width == 4 ? step_on(p, 5) : step_on(p, 1u + op->width);
}

/* Passes over opcodes with which there is nothing to do, as long as a line has room behind them:
 * most of them. */
static void pass_quickly(ahead *a, uint64_t *count)
{
	const unsigned char *p = a->p, *edge = a->left > LINE_MAX ? p + (a->left - LINE_MAX) : p;
	const uint64_t *reads = a->vm ? a->vm->reads : NULL;
	const uint64_t known = reads ? a->vm->reads_cap * 64 : 0;
	const uint64_t integer = a->integer ? a->integer_len : UINT32_MAX;
	uint64_t puts = a->puts, bound = a->bound, passed = 0, number;
	for (; p < edge; passed++) {
		const shape *op = &shapes[*p];
		if (op->is == PLAIN) {
			p = behind(p, op);
			continue;
		}
		if (op->is == COUNTED) {
			number = masked(p, op);
			if (number == WRAPPER_LEN || number >= integer ||
			    number + 1 + op->width > (size_t)(edge - p))
				break;
			p = behind(p, op) + number;
			continue;
		}
		if (op->is == MEMOIZE) {
			puts++;
			bound = puts > bound ? puts : bound;
		} else if (op->is == PUT) {
			number = masked(p, op);
			if (number > bound)
				break;
			puts++;
			bound = number == bound ? bound + 1 : bound;
		} else if (op->is == GET) {
			number = masked(p, op);
			if (a->vm && (number >= known ||
			              !(reads[number / 64] >> number % 64 & 1)))
				break;
		} else {
			break;
		}
		p = behind(p, op);
	}
	a->bound = bound;
	a->puts = puts;
	*count += passed;
	a->at += (uint64_t)(p - a->p);
	a->left -= (size_t)(p - a->p);
	a->p = p;
}

static uint64_t number_of(const ahead *a, const shape *op)
{
	uint64_t raw = 0;
	if (a->left > sizeof raw)
		return masked(a->p, op);
	memcpy(&raw, a->p + 1, a->left - 1);
	return le64toh(raw) & op->mask;
}

/* One opcode; *skip is how long it is. False: the machine will not get any further, or nothing is
 * known. */
static bool pass(ahead *a, uint64_t *skip)
{
	const shape *op = &shapes[*a->p];
	size_t line = 0;
	uint64_t number = number_of(a, op);
	*skip = 1u + op->width;
	switch ((doing)op->is) {
	case PLAIN:
		return true;
	case GET:
		return note_get(a, number);
	case PUT:
		return note_put(a, number);
	case MEMOIZE:
		return note_memoize(a);
	case BUILD:
		a->build = true;
		return true;
	case COUNTED:
		if (!read_counted(a, (size_t)*skip, number))
			return false;
		*skip += number;
		return true;
	case LINE:
	case LINES:
		if (op->is == LINE ? !read_line(a, &line) : !read_lines(a, &line))
			return false;
		*skip = line;
		return true;
	case STOP:
	case NO_OPCODE:
		break;
	}
	return false;
}

static void read_ahead(ahead *a, uint64_t most)
{
	for (uint64_t skip, count = 0; count < most && !a->found; count++, a->at += skip) {
		pass_quickly(a, &count);
		if (a->left < LINE_MAX && !look(a))
			return;
		if (!pass(a, &skip))
			return;
		a->p += skip < a->left ? skip : a->left;
		a->left -= skip < a->left ? (size_t)skip : a->left;
	}
}

bool ck_pickle_may_hold(ck_job *job, const ck_source *source, uint64_t ops, const char *integer,
                        size_t len)
{
	ck_steps steps = {0};
	ahead a = {.job = job, .steps = &steps, .size = source->size, .integer = integer,
	           .integer_len = len};
	if (!ck_steps_begin(job, &steps, source, 0))
		return false;
	read_ahead(&a, ops);
	return a.found || a.lost;
}

bool ck_vm_look_ahead(ck_vm *vm)
{
	ck_steps *steps = &vm->steps;
	const uint64_t from = steps->at;
	if (vm->ahead_words)
		memset(vm->reads, 0, vm->ahead_words * sizeof *vm->reads);
	if (vm->ahead_words)
		memset(vm->puts, 0, vm->ahead_words * sizeof *vm->puts);
	ahead a = {.job = vm->job, .steps = steps, .vm = vm, .at = from,
	           .size = steps->source->size, .puts = vm->memo_count, .bound = vm->memo_count};
	read_ahead(&a, steps->ops);
	ck_steps_rewind(steps, from);
	vm->seen->skimmed += a.at - from;
	vm->knows = !a.lost && !(a.wrapper && a.build);
	vm->bound = a.bound;
	vm->ahead_words = (size_t)(a.bound / 64) + 1;
	if (vm->job->error.status != CK_OK)
		return false;
	size_t words = vm->ahead_words;
	uint64_t *reads = ck_grow(vm->job, vm->reads, &vm->reads_cap, words, sizeof *reads);
	uint64_t *puts = ck_grow(vm->job, vm->puts, &vm->puts_cap, words, sizeof *puts);
	if (!reads || !puts)
		return false;
	vm->reads = reads;
	vm->puts = puts;
	return true;
}
