/* Inside the pickle room: the list of opcodes, and the machine that its handlers work on. */
#ifndef CK_PICKLE_VM_H
#define CK_PICKLE_VM_H

#include "pickle.h"

#include <endian.h>

/* The opcodes of pickle protocols 0 to 5, one row each: X(name, code, argument, protocol, handler).
 * ops.c makes the table of names and arguments from it, vm.c the table of handlers. */
#define CK_OPS(X)                                      \
	X(MARK, '(', NONE, 0, mark)                    \
	X(STOP, '.', NONE, 0, stop)                    \
	X(POP, '0', NONE, 0, pop)                      \
	X(POP_MARK, '1', NONE, 1, pop_mark)            \
	X(DUP, '2', NONE, 0, dup)                      \
	X(FLOAT, 'F', LINE, 0, float_text)             \
	X(INT, 'I', LINE, 0, int_text)                 \
	X(BININT, 'J', I4, 1, int_signed)              \
	X(BININT1, 'K', U1, 1, int_plain)              \
	X(LONG, 'L', LINE, 0, long_text)               \
	X(BININT2, 'M', U2, 1, int_plain)              \
	X(NONE, 'N', NONE, 0, none)                    \
	X(PERSID, 'P', LINE, 0, persid_text)           \
	X(BINPERSID, 'Q', NONE, 1, persid)             \
	X(REDUCE, 'R', NONE, 0, reduce)                \
	X(STRING, 'S', LINE, 0, string_text)           \
	X(BINSTRING, 'T', BYTES4, 1, py2_string)       \
	X(SHORT_BINSTRING, 'U', BYTES1, 1, py2_string) \
	X(UNICODE, 'V', LINE, 0, unicode_text)         \
	X(BINUNICODE, 'X', TEXT4, 1, unicode)          \
	X(APPEND, 'a', NONE, 0, append)                \
	X(BUILD, 'b', NONE, 0, build)                  \
	X(GLOBAL, 'c', LINES, 0, global)               \
	X(DICT, 'd', NONE, 0, dict)                    \
	X(EMPTY_DICT, '}', NONE, 1, empty_dict)        \
	X(APPENDS, 'e', NONE, 1, appends)              \
	X(GET, 'g', LINE, 0, get_text)                 \
	X(BINGET, 'h', U1, 1, get)                     \
	X(INST, 'i', LINES, 0, inst)                   \
	X(LONG_BINGET, 'j', U4, 1, get)                \
	X(LIST, 'l', NONE, 0, list)                    \
	X(EMPTY_LIST, ']', NONE, 1, empty_list)        \
	X(OBJ, 'o', NONE, 1, obj)                      \
	X(PUT, 'p', LINE, 0, put_text)                 \
	X(BINPUT, 'q', U1, 1, put)                     \
	X(LONG_BINPUT, 'r', U4, 1, put)                \
	X(SETITEM, 's', NONE, 0, setitem)              \
	X(TUPLE, 't', NONE, 0, tuple)                  \
	X(EMPTY_TUPLE, ')', NONE, 1, empty_tuple)      \
	X(SETITEMS, 'u', NONE, 1, setitems)            \
	X(BINFLOAT, 'G', F8, 1, float_binary)          \
	X(PROTO, 0x80, U1, 2, proto)                   \
	X(NEWOBJ, 0x81, NONE, 2, newobj)               \
	X(EXT1, 0x82, U1, 2, ext)                      \
	X(EXT2, 0x83, U2, 2, ext)                      \
	X(EXT4, 0x84, I4, 2, ext)                      \
	X(TUPLE1, 0x85, NONE, 2, tuple1)               \
	X(TUPLE2, 0x86, NONE, 2, tuple2)               \
	X(TUPLE3, 0x87, NONE, 2, tuple3)               \
	X(NEWTRUE, 0x88, NONE, 2, newtrue)             \
	X(NEWFALSE, 0x89, NONE, 2, newfalse)           \
	X(LONG1, 0x8a, LONG1, 2, long_binary)          \
	X(LONG4, 0x8b, LONG4, 2, long_binary)          \
	X(BINBYTES, 'B', BYTES4, 3, bytes)             \
	X(SHORT_BINBYTES, 'C', BYTES1, 3, bytes)       \
	X(SHORT_BINUNICODE, 0x8c, TEXT1, 4, unicode)   \
	X(BINUNICODE8, 0x8d, TEXT8, 4, unicode)        \
	X(BINBYTES8, 0x8e, BYTES8, 4, bytes)           \
	X(EMPTY_SET, 0x8f, NONE, 4, empty_set)         \
	X(ADDITEMS, 0x90, NONE, 4, additems)           \
	X(FROZENSET, 0x91, NONE, 4, frozenset)         \
	X(NEWOBJ_EX, 0x92, NONE, 4, newobj_ex)         \
	X(STACK_GLOBAL, 0x93, NONE, 4, stack_global)   \
	X(MEMOIZE, 0x94, NONE, 4, memoize)             \
	X(FRAME, 0x95, U8, 4, frame)                   \
	X(BYTEARRAY8, 0x96, BYTES8, 5, bytearray)      \
	X(NEXT_BUFFER, 0x97, NONE, 5, next_buffer)     \
	X(READONLY_BUFFER, 0x98, NONE, 5, readonly)

/* How an opcode is read: it begins with a number of so many bytes, which may count what follows. */
typedef enum ck_reading {
	CK_READ_NO_OPCODE,
	CK_READ_PLAIN,
	CK_READ_SIGNED,
	CK_READ_FLOAT,
	CK_READ_FRAME,
	CK_READ_KEPT,
	CK_READ_LEFT,
	CK_READ_LINE,
	CK_READ_LINES
} ck_reading;

typedef struct ck_op_shape {
	uint64_t mask; /* of the number's bytes */
	uint8_t width;
	uint8_t is;    /* ck_reading */
} ck_op_shape;

extern const ck_op_shape ck_op_shapes[256];

/* Keeps the compiler from making one sum of several that stand behind branches: the processor
 * guesses a branch, while a sum with what a table says has to wait for it. */
static inline uint64_t ck_behind(uint64_t at, unsigned len)
{
	at += len;
	__asm__ volatile("" : "+r"(at));
	return at;
}

/* Reads an opcode with nothing but a number behind it, all of it in the window, as most are.
 * False: it is another one, or something is wrong with it. */
static inline bool ck_steps_quick(ck_steps *s, ck_step *step)
{
	const uint64_t at = s->at, inside = at - s->window_at;
	if (inside >= s->roomy || s->count >= s->ops)
		return false;
	const unsigned char *p = s->window + inside;
	const ck_op_shape *shape = &ck_op_shapes[*p];
	if (shape->is != CK_READ_PLAIN)
		return false;
	uint64_t end, raw;
	if (!shape->width)
		end = ck_behind(at, 1);
	else if (shape->width == 1)
		end = ck_behind(at, 2);
	else
		end = ck_behind(at, 1u + shape->width);
	if (at < s->frame_end && end > s->frame_end)
		return false;
	memcpy(&raw, p + 1, sizeof raw);
	step->code = *p;
	step->at = at;
	step->number = le64toh(raw) & shape->mask;
	s->at = end;
	s->count++;
	return true;
}

/* Pieces of memory that can be used again, by their words; the first word of each is the next
 * one. */
enum { CK_SPARE_WORDS = 32 };
typedef struct ck_spare {
	void *list[CK_SPARE_WORDS + 1];
} ck_spare;

/* Memory that holds anything; `spare` may be NULL. */
static inline void *ck_spare_alloc(ck_job *job, ck_spare *spare, size_t size)
{
	size_t words = (size + sizeof(void *) - 1) / sizeof(void *);
	if (!spare || words > CK_SPARE_WORDS || !spare->list[words])
		return ck_alloc(job, size);
	void **piece = spare->list[words];
	spare->list[words] = *piece;
	return piece;
}

/* What was allocated with this size, or rounded up to it. */
static inline void ck_spare_give(ck_spare *spare, void *piece, size_t size)
{
	size_t words = (size + sizeof(void *) - 1) / sizeof(void *);
	if (words > CK_SPARE_WORDS || !words)
		return;
	*(void **)piece = spare->list[words];
	spare->list[words] = piece;
}

enum { CK_SMALL_INTS = 256, CK_RECENT_INTS = 256, CK_FREE = UINT8_MAX };

typedef struct ck_vm {
	ck_job *job;
	ck_steps steps;
	const ck_step *step;
	/* CPython keeps marks beside the stack: nothing below the newest mark can be popped. */
	ck_value **stack;
	size_t depth, stack_cap;
	size_t room; /* so many values and marks need no look at the limit */
	size_t *marks;
	size_t mark_count, mark_cap;
	/* The memo: an array for the numbers that honest picklers use, a map for the others. */
	ck_value **memo;
	size_t memo_cap;
	size_t memo_used; /* none of the array's entries from here on was ever set */
	ck_map memo_map;
	uint64_t memo_count;
	ck_map names;               /* "module\nname" -> ck_global, for names that come again */
	uint64_t named;             /* names that were not written before */
	ck_items pending;           /* values whose items are settled at the end */
	uint64_t keys;              /* bytes that settling will compare, about */
	uint32_t values, buffers;
	bool lean;        /* see ck_seen */
	bool told;        /* something was told of this pickle */
	/* With `knows`: a bit for each memo number below `bound`. */
	bool looked, knows;       /* ahead */
	uint64_t bound;
	uint64_t *reads, *puts;   /* it will be read; it was stored under since */
	size_t reads_cap, puts_cap, ahead_words;
	ck_spare spare;
	ck_value *free;   /* values that can be used again; each holds the next in `pid` */
	ck_value *recent[CK_RECENT_INTS]; /* integers by their lowest bits, while lean */
	bool used[256];   /* the opcodes that were carried out */
	uint64_t weighed; /* bytes that were held when the stack was last weighed */
	uint64_t shared;  /* see ck_seen */
	uint64_t far_memo;
	/* shared, because nothing can be changed in them */
	ck_value none, yes, no, empty_tuple, small[CK_SMALL_INTS];
	ck_seen *seen;              /* for the caller; or NULL */
	ck_value *result;
} ck_vm;

/* Of a container that counts what it leaves out. */
enum { CK_COUNTED_SIZE = sizeof(ck_value) + sizeof(uint64_t) };

typedef bool ck_handler(ck_vm *vm);

#define X(name, code, arg, protocol, handler) ck_handler ck_op_##handler;
CK_OPS(X)
#undef X

/* Fails at the opcode that is being carried out. */
bool ck_vm_fail(ck_vm *vm, const char *fmt, ...) CK_PRINTF(2, 3);
/* Makes room on the stack for one more value; fails over the limit. */
bool ck_vm_widen(ck_vm *vm);
/* Says that there is no value on top of the stack; returns NULL. */
ck_value *ck_vm_no_value(ck_vm *vm);

static inline ck_value *ck_vm_new(ck_vm *vm, ck_kind kind)
{
	ck_value *value = vm->free;
	if (value) {
		vm->free = value->pid;
		*value = (ck_value){0};
	} else if (!(value = ck_alloc(vm->job, sizeof *value))) {
		return NULL;
	}
	value->kind = (uint8_t)kind;
	value->id = ++vm->values;
	value->at = vm->step->at & CK_AT_MAX;
	return value;
}

/* Text of which nobody has a part. */
static inline void ck_vm_give(ck_vm *vm, const char *text, size_t size)
{
	void *piece;
	memcpy(&piece, &text, sizeof piece);
	if (vm->lean)
		ck_spare_give(&vm->spare, piece, size);
	else
		ck_take_back(vm->job, text, size);
}

static inline void ck_vm_give_items(ck_vm *vm, ck_value **items, size_t cap)
{
	ck_spare_give(&vm->spare, items, cap * sizeof *items);
	ck_give_back(vm->job, items, cap * sizeof *items);
}

/* A value that leaves its only place, unless it stands elsewhere or is shared. Such memory only
 * ever holds values, so that vm->recent may point to it. */
static inline void ck_vm_use_again(ck_vm *vm, ck_value *value)
{
	if (value->flags & CK_KEPT || !value->id)
		return;
	bool text = value->kind == CK_STR || value->kind == CK_BYTES || value->kind == CK_LONG;
	if (vm->lean && text && value->text.data && value->text.len <= UINT8_MAX)
		ck_vm_give(vm, value->text.data, (size_t)value->text.len + 1);
	value->kind = CK_FREE;
	value->pid = vm->free;
	vm->free = value;
}

static inline bool ck_vm_push(ck_vm *vm, ck_value *value)
{
	if (!value || (vm->depth + vm->mark_count >= vm->room && !ck_vm_widen(vm)))
		return false;
	vm->stack[vm->depth++] = value;
	return true;
}

/* Nothing below the newest mark can be popped. */
static inline size_t ck_vm_fence(const ck_vm *vm)
{
	return vm->mark_count ? vm->marks[vm->mark_count - 1] : 0;
}

/* NULL after a failure: the stack is empty, or a mark lies on top. */
static inline ck_value *ck_vm_top(ck_vm *vm)
{
	return vm->depth > ck_vm_fence(vm) ? vm->stack[vm->depth - 1] : ck_vm_no_value(vm);
}

static inline ck_value *ck_vm_pop(ck_vm *vm)
{
	ck_value *value = ck_vm_top(vm);
	if (value)
		vm->depth--;
	return value;
}

/* False after a failure: `held` bytes of memory are too much for the first `bytes` of a pickle;
 * honest.c. */
bool ck_vm_is_honest(ck_vm *vm, uint64_t bytes, uint64_t held);
/* Finds out which memo numbers will be read from now on; ahead.c. */
bool ck_vm_look_ahead(ck_vm *vm);
/* Passes over the whole pickle, which begins at `from`, if it is plain data of which there is
 * nothing to tell: then it has been read, and None stands for its value. False, and nothing has
 * changed: it is not, or breaks somewhere; plain.c. */
bool ck_vm_pass_plain(ck_vm *vm, uint64_t from);
/* Whether the text of an opcode, with a NUL behind, is what it must be; a memo number goes to
 * step->number. */
bool ck_vm_plain_text(ck_job *job, ck_step *step);
/* The same for text without a NUL; false if it takes more than a glance. */
bool ck_vm_plain_at_once(ck_step *step);
/* What the window shows from s->at on: `want` bytes at least, or all that is left. */
const unsigned char *ck_steps_peek(ck_steps *s, size_t want, size_t *len);
/* Goes back to where the steps were before. */
void ck_steps_rewind(ck_steps *s, uint64_t to);
/* Puts items (of a dict: keys and values in turn, `step` is 2) into a container that counts what it
 * leaves out; lean.c. */
bool ck_vm_add_lean(ck_vm *vm, ck_value *target, const ck_items *more, size_t step);

/* Numbers are appended to, or set in, a bytearray; op_bytearray.c. */
bool ck_vm_append_bytes(ck_vm *vm, ck_value *target, const ck_items *items);
bool ck_vm_set_bytes(ck_vm *vm, ck_value *target, const ck_items *pairs);

/* Counts a value with parts that gets a second place. */
void ck_vm_share(ck_vm *vm, const ck_value *value);
/* Takes the newest mark away; *start receives the stack position it guarded. */
bool ck_vm_unmark(ck_vm *vm, size_t *start);
bool ck_vm_memo_put(ck_vm *vm, uint64_t index, ck_value *value);
ck_value *ck_vm_memo_get(ck_vm *vm, uint64_t index);
/* Puts `count` values behind the items of `of` (the items of a container, or of what is done
 * later to a call), which becomes at least one level higher than they are. */
bool ck_vm_add(ck_vm *vm, ck_value *of, ck_items *items, ck_value *const *values, size_t count);
/* Makes `value` at least one level higher than `below`; fails over the limit of depth. */
bool ck_vm_raise(ck_vm *vm, ck_value *value, const ck_value *below);
/* Notes that the keys of this DICT, SET or CALL need ck_items_settle once the pickle has been
 * read. */
bool ck_vm_settle_later(ck_vm *vm, ck_value *value);

/* ---- what the handlers share ---- */

ck_value *ck_vm_text(ck_vm *vm, ck_kind kind, const char *data, uint64_t len);
/* Everything from stack position `start` up becomes one value. A tuple is as hashable as its
 * parts. */
ck_value *ck_vm_collect(ck_vm *vm, ck_kind kind, size_t start);
/* Each `step`th of the items must be one that can be a key; what they cost as keys is counted. */
bool ck_vm_check_keys(ck_vm *vm, const ck_items *items, size_t step);
/* True for what only has a name here: GLOBAL, PERSID, EXT. */
bool ck_vm_is_name(const ck_value *value);
/* What is no literal: it may be a number or a slice all the same. */
bool ck_vm_is_object(const ck_value *value);
/* Something is appended to, set in or built into a thing that only has a name. */
bool ck_vm_mark_changed(ck_value *target);
/* Remembers that a call, or a BUILD, has now seen a value; see CK_PASSED. */
void ck_vm_pass(ck_value *value);
/* Tells whoever watches; see ck_event for which of the last two are given. */
bool ck_vm_tell(ck_vm *vm, ck_deed deed, const ck_value *target, const ck_value *given,
                const ck_items *items);
bool ck_vm_tell_bytes(ck_vm *vm, const ck_value *bytes);
/* Where a CALL keeps what is done to its result; NULL after a failure. */
ck_later *ck_vm_later(ck_vm *vm, ck_value *call);

#endif
