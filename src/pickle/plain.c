/* Passes over a pickle that holds nothing but plain data: numbers, text, and containers of them. No
 * value is made; of each it is only known what may be done to it. Whatever else comes, or is
 * wrong, is left to the machine, which reads the pickle as if nobody had been here. */
#include "vm.h"

#include <string.h>

enum {
	TEXT_MAX = 4096, /* longer text is read slowly */
	PAUSE = 4096     /* opcodes between two looks at whether to stop */
};

/* What lies on the stack. Heights are those of ck_value. */
typedef enum { LEAF, LIST, DICT, SET, TUPLE, FROZEN } sort;

typedef struct {
	uint32_t key; /* what it costs to compare it as a key; see count_key in op_containers.c */
	uint16_t height;
	uint8_t sort;
	bool unhashable;
} slot;

/* What the memo knows of a number: for leaves, how many bits their cost as a key has. A container
 * that gets a second place may hold itself, and may unfold to more than there is: that is not for
 * here. */
enum { UNKNOWN, A_CONTAINER, A_LEAF };

typedef struct {
	ck_job *job;
	ck_steps steps;
	ck_step step;
	slot *stack;
	size_t depth, cap;
	size_t *marks;
	size_t mark_count, mark_cap;
	uint8_t *memo;
	size_t memo_cap;
	uint64_t memo_count, far_memo;
	uint64_t keys; /* what all keys together cost, or more */
	uint8_t protocol;
	bool used[256];
	bool done;
} plain;

/* ---- stack ---- */

static bool widen(plain *p)
{
	slot *grown = ck_grow(p->job, p->stack, &p->cap, p->depth + 1, sizeof *grown);
	if (grown)
		p->stack = grown;
	return grown;
}

static inline bool push(plain *p, slot value)
{
	if (p->depth + p->mark_count >= p->job->limits.stack ||
	    (p->depth == p->cap && !widen(p)))
		return false;
	p->stack[p->depth++] = value;
	return true;
}

enum { KEY = 32, KEY_MAX = 1 << 30 };

static inline uint32_t key_cost(uint64_t bytes)
{
	return bytes < KEY_MAX - KEY ? (uint32_t)bytes + KEY : KEY_MAX;
}

static inline bool push_leaf(plain *p)
{
	return push(p, (slot){.sort = LEAF, .key = KEY});
}

static inline bool push_text(plain *p)
{
	return push(p, (slot){.sort = LEAF, .key = key_cost(p->step.len)});
}

static inline bool push_new(plain *p, sort what)
{
	return push(p, (slot){.sort = (uint8_t)what, .unhashable = what != TUPLE, .key = KEY});
}

static bool mark(plain *p)
{
	if (p->depth + p->mark_count >= p->job->limits.stack ||
	    p->mark_count >= p->job->limits.depth)
		return false;
	size_t *grown = ck_grow(p->job, p->marks, &p->mark_cap, p->mark_count + 1, sizeof *grown);
	if (!grown)
		return false;
	p->marks = grown;
	grown[p->mark_count++] = p->depth;
	return true;
}

static inline size_t fence(const plain *p)
{
	return p->mark_count ? p->marks[p->mark_count - 1] : 0;
}

/* NULL: nothing that may be taken lies on top. */
static inline slot *top(plain *p)
{
	return p->depth > fence(p) ? &p->stack[p->depth - 1] : NULL;
}

static bool unmark(plain *p, size_t *start)
{
	if (!p->mark_count)
		return false;
	*start = p->marks[--p->mark_count];
	return true;
}

static bool pop(plain *p)
{
	if (p->depth > fence(p))
		p->depth--;
	else if (p->mark_count)
		p->mark_count--;
	else
		return false;
	return true;
}

static bool pop_mark(plain *p)
{
	return unmark(p, &p->depth);
}

/* ---- containers ---- */

/* What lies from `start` on goes into a container; each `step`th must be hashable, 0: none. */
static inline bool put_into(plain *p, slot *of, size_t start, size_t step)
{
	unsigned height = 0;
	for (size_t i = start; i < p->depth; i++)
		height = p->stack[i].height > height ? p->stack[i].height : height;
	for (size_t i = start; step && i < p->depth; i += step) {
		if (p->stack[i].unhashable)
			return false;
		p->keys += p->stack[i].key;
	}
	if (p->keys > p->job->limits.text)
		return false;
	if (start == p->depth || height < of->height)
		return true;
	if (height + 1 > p->job->limits.depth || height + 1 >= CK_HEIGHT_MAX)
		return false;
	of->height = (uint16_t)(height + 1);
	return true;
}

/* The last values become one. */
static inline bool collect(plain *p, sort what, size_t start)
{
	static const uint8_t steps[] = {[DICT] = 2, [TUPLE] = 0, [FROZEN] = 1};
	slot made = {.sort = (uint8_t)what, .unhashable = what != TUPLE && what != FROZEN,
	             .key = KEY};
	if (what == DICT && (p->depth - start) % 2)
		return false;
	if (!put_into(p, &made, start, steps[what]))
		return false;
	for (size_t i = start; what == TUPLE && i < p->depth; i++) {
		made.unhashable = made.unhashable || p->stack[i].unhashable;
		made.key = key_cost((uint64_t)made.key + p->stack[i].key - KEY);
	}
	p->depth = start;
	return push(p, made);
}

static bool collect_marked(plain *p, sort what)
{
	size_t start;
	return unmark(p, &start) && collect(p, what, start);
}

static bool collect_last(plain *p, size_t count)
{
	return p->depth - fence(p) >= count && collect(p, TUPLE, p->depth - count);
}

/* The last values go into the container below them. */
static inline bool fill(plain *p, sort what, size_t start, size_t step)
{
	if (start <= fence(p))
		return false;
	slot *target = &p->stack[start - 1];
	/* what is given nothing is not looked at */
	bool fits = start == p->depth || (target->sort == what && put_into(p, target, start, step));
	p->depth = start;
	return fits;
}

static bool fill_marked(plain *p, sort what, size_t step)
{
	size_t start;
	return unmark(p, &start) && (what != DICT || (p->depth - start) % 2 == 0) &&
	       fill(p, what, start, step);
}

static inline bool fill_last(plain *p, sort what, size_t count)
{
	return p->depth - fence(p) > count && fill(p, what, p->depth - count, count == 2 ? 2 : 0);
}

/* ---- memo ---- */

static bool widen_memo(plain *p, uint64_t index)
{
	enum { FAR = 4, FREE = 256 };
	if (index / FAR > p->memo_count + FREE)
		return false;
	uint8_t *grown = ck_grow(p->job, p->memo, &p->memo_cap, (size_t)index + 1, sizeof *grown);
	if (grown)
		p->memo = grown;
	return grown;
}

static inline bool put(plain *p, uint64_t index)
{
	const slot *value = top(p);
	if (!value || (index >= p->memo_cap && !widen_memo(p, index)))
		return false;
	p->far_memo = index > p->far_memo ? index : p->far_memo;
	p->memo_count += p->memo[index] == UNKNOWN;
	p->memo[index] = A_CONTAINER;
	if (value->sort == LEAF)
		p->memo[index] = (uint8_t)(A_LEAF + 32 - __builtin_clz(value->key));
	return p->memo_count <= p->job->limits.memo;
}

static inline bool get(plain *p, uint64_t index)
{
	if (index >= p->memo_cap || p->memo[index] < A_LEAF)
		return false;
	uint32_t key = (UINT32_C(1) << (p->memo[index] - A_LEAF)) - 1;
	return push(p, (slot){.sort = LEAF, .key = key < KEY_MAX ? key : KEY_MAX});
}

static bool dup(plain *p)
{
	const slot *value = top(p);
	return value && value->sort == LEAF && push(p, *value);
}

/* ---- opcodes ---- */

static inline bool carry_out(plain *p)
{
	switch (p->step.code) {
	case '(':
		return mark(p);
	case '.':
		p->done = top(p) != NULL;
		return p->done;
	case '0':
		return pop(p);
	case '1':
		return pop_mark(p);
	case '2':
		return dup(p);
	case 'F': case 'G': case 'I': case 'J': case 'K': case 'M': case 'N': case 0x88: case 0x89:
		return push_leaf(p);
	case 'L': case 'V': case 'X': case 0x8a: case 0x8b: case 0x8c: case 0x8d:
		return push_text(p);
	case ']':
		return push_new(p, LIST);
	case '}':
		return push_new(p, DICT);
	case 0x8f:
		return push_new(p, SET);
	case ')':
		return push_new(p, TUPLE);
	case 'l':
		return collect_marked(p, LIST);
	case 'd':
		return collect_marked(p, DICT);
	case 't':
		return collect_marked(p, TUPLE);
	case 0x91:
		return collect_marked(p, FROZEN);
	case 0x85: case 0x86: case 0x87:
		return collect_last(p, p->step.code - 0x84u);
	case 'a':
		return fill_last(p, LIST, 1);
	case 's':
		return fill_last(p, DICT, 2);
	case 'e':
		return fill_marked(p, LIST, 0);
	case 'u':
		return fill_marked(p, DICT, 2);
	case 0x90:
		return fill_marked(p, SET, 1);
	case 'g': case 'h': case 'j':
		return get(p, p->step.number);
	case 'p': case 'q': case 'r':
		return put(p, p->step.number);
	case 0x94:
		return put(p, p->memo_count);
	case 0x80:
		p->protocol = (uint8_t)p->step.number;
		return p->step.number <= 5;
	case 0x95: /* FRAME: looked at where it is read */
		return true;
	default:
		return false;
	}
}

/* The next opcode with text, or with a number that is not plain, if all of it lies in the window,
 * as it mostly does; the text stays there. False: it does not, or something is wrong with it. */
static inline bool read_quickly(plain *p)
{
	ck_steps *s = &p->steps;
	const uint64_t inside = s->at - s->window_at;
	if (inside >= s->roomy || s->count >= s->ops)
		return false;
	const unsigned char *from = s->window + inside;
	const ck_op_shape *shape = &ck_op_shapes[*from];
	const uint64_t room = s->window_len - inside;
	uint64_t raw, size = 1u + shape->width, len = 0;
	memcpy(&raw, from + 1, sizeof raw);
	const uint64_t number = le64toh(raw) & shape->mask;
	if (shape->is == CK_READ_KEPT) {
		len = number;
		if (len > TEXT_MAX)
			return false;
		size += len;
	} else if (shape->is == CK_READ_LINE) {
		const unsigned char *end = memchr(from + 1, '\n', room - 1);
		if (!end)
			return false;
		len = (size_t)(end - from) - 1;
		size += len + 1;
	} else if (shape->is > CK_READ_FLOAT) {
		return false;
	}
	if (size > room || (s->at < s->frame_end && s->at + size > s->frame_end))
		return false;
	p->step.code = *from;
	p->step.number = number;
	p->step.text = (const char *)from + 1 + shape->width;
	p->step.len = len;
	if (shape->is >= CK_READ_KEPT && !ck_vm_plain_at_once(&p->step))
		return false;
	s->at += size;
	s->text += len;
	s->count++;
	return true;
}

static inline bool next(plain *p)
{
	if (ck_steps_quick(&p->steps, &p->step))
		return true;
	if (read_quickly(p))
		return p->steps.text <= p->job->limits.text;
	/* what is kept of its text is given back at once */
	ck_mark before = ck_arena_mark(p->job);
	bool good = ck_steps_next(&p->steps, &p->step) && ck_vm_plain_text(p->job, &p->step);
	ck_arena_release(p->job, before);
	return good;
}

static bool pass(plain *p)
{
	while (!p->done) {
		if (p->steps.count % PAUSE == 0 && ck_stopped(p->job))
			return false;
		if (!next(p) || !carry_out(p))
			return false;
		p->used[p->step.code] = true;
	}
	return true;
}

bool ck_vm_pass_plain(ck_vm *vm, uint64_t from)
{
	ck_job *own = ck_base_job_within(vm->job);
	plain p = {.job = own};
	bool whole = own && ck_steps_begin(own, &p.steps, vm->steps.source, from) && pass(&p);
	if (whole) {
		vm->steps.at = p.steps.at;
		vm->far_memo = p.far_memo;
		vm->shared = 0;
		vm->seen->protocol = p.protocol;
		memcpy(vm->used, p.used, sizeof vm->used);
		vm->result = &vm->none;
	}
	ck_base_job_free(own);
	return whole;
}
