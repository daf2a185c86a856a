/* The pickle machine: turns the opcodes of Python's pickle protocols 0 to 5 into inert values.
 *
 * Nothing is ever executed. A class or function is a GLOBAL, two strings; a call is a CALL that
 * records who would have been called with what, and what was later appended to, set in or built
 * into the result. The grammar is that of CPython's C unpickler (Modules/_pickle.c), because that
 * is what torch.load runs; where readers differ (frames), the strict reading is an error. */
#ifndef CK_PICKLE_H
#define CK_PICKLE_H

#include "io.h"

typedef enum ck_kind {
	CK_NONE,
	CK_BOOL,
	CK_INT,    /* fits 64 bits */
	CK_LONG,   /* does not */
	CK_FLOAT,
	CK_STR,
	CK_BYTES,  /* bytes, bytearray (CK_MUTABLE) or a Python 2 str (CK_PY2) */
	CK_LIST,
	CK_TUPLE,
	CK_SET,    /* frozenset if not CK_MUTABLE */
	CK_DICT,
	CK_GLOBAL, /* a name that Python would import */
	CK_CALL,   /* what a call would have returned */
	CK_PERSID, /* a persistent id: torch's way to name a storage */
	CK_EXT,    /* a code of the copyreg extension registry */
	CK_BUFFER  /* an out-of-band buffer (protocol 5) */
} ck_kind;

enum ck_value_flag {
	CK_MUTABLE = 1,
	CK_PY2 = 2,
	CK_UNHASHABLE = 4, /* Python would not take it as a dict key */
	CK_COMPUTED = 8,   /* GLOBAL whose name was not a literal string */
	CK_PLAIN = 8,      /* STR, BYTES: looked at once, and neither code nor a command */
	CK_CHANGED = 16, /* GLOBAL, PERSID, EXT: something was set in or built into it; LIST, DICT,
	                  * SET: changed after CK_PASSED, so that a call may have seen less */
	CK_KEPT = 64,    /* it stands elsewhere, too: in the memo, or twice on the stack */
	CK_PASSED = 32, /* LIST, DICT, SET: it was given to a call, or is an item of one that was */
	CK_COUNTED = 128 /* LIST, DICT, SET: see ck_value_left_out */
};

typedef struct ck_value ck_value;
typedef struct ck_step ck_step;

/* Items of a list, tuple or set; keys and values in turn of a dict. */
typedef struct ck_items {
	ck_value **item;
	uint32_t count, cap;
} ck_items;

typedef struct ck_global {
	/* UTF-8 as written, with a NUL behind; they may hold NULs: use the lengths */
	const char *module, *name;
	size_t module_len, name_len;
} ck_global;

typedef enum ck_call_how { CK_REDUCE, CK_NEWOBJ, CK_NEWOBJ_EX, CK_INST, CK_OBJ } ck_call_how;

/* What was done to the result of a call. */
typedef struct ck_later {
	ck_items items;   /* appended or added */
	ck_items pairs;   /* set: keys and values in turn */
	ck_items states;  /* of each BUILD */
} ck_later;

typedef struct ck_call {
	ck_value *callee; /* GLOBAL, CALL, PERSID or EXT */
	ck_value *args;   /* TUPLE */
	ck_value *kwargs; /* DICT or NULL */
	ck_later *later;  /* NULL: nothing; see ck_call_later */
	void *meaning;    /* for whoever gives the call one; NULL at first */
	ck_call_how how;
} ck_call;

/* Never NULL. */
static inline const ck_later *ck_call_later(const ck_call *call)
{
	static const ck_later nothing;
	return call->later ? call->later : &nothing;
}

enum { CK_HEIGHT_MAX = UINT16_MAX };
#define CK_AT_MAX ((UINT64_C(1) << 56) - 1)

/* Values are shared and may contain themselves: whoever walks them needs a budget. */
struct ck_value {
	uint8_t kind;  /* ck_kind */
	uint8_t flags; /* ck_value_flag */
	/* Levels of values below it, CK_HEIGHT_MAX if there are more; what was put into it, or into
	 * a value below, after it was put elsewhere itself, may be missing. */
	uint16_t height;
	uint32_t id;   /* counts the values of one pickle */
	/* Offset in the source: of the first byte for BYTES that were left there, of the opcode for
	 * all else; 0 for what is shared, such as small integers. */
	uint64_t at : 56;
	uint64_t mark : 8; /* for whoever walks; 0 at first */
	union {
		bool b;
		int64_t i; /* INT, EXT (code), BUFFER (count) */
		double f;
		/* STR: UTF-8 that may hold surrogates. BYTES: data is NULL if they were left in the
		 * source, at `at`. LONG: little-endian two's complement. */
		struct {
			const char *data;
			uint64_t len;
		} text;
		ck_items items[1]; /* LIST TUPLE SET DICT */
		const ck_global *global;
		ck_call *call;
		ck_value *pid;
	};
};

/* How many items of a container are only counted; see ck_seen.lean. */
static inline uint64_t ck_value_left_out(const ck_value *value)
{
	uint64_t count = 0;
	if (value->flags & CK_COUNTED)
		memcpy(&count, value + 1, sizeof count);
	return count;
}

/* What a pickle does when it is read, told as it happens: what becomes of the value later does not
 * matter. */
typedef enum ck_deed {
	CK_DID_IMPORT, /* target: a GLOBAL */
	CK_DID_CALL,   /* target: a CALL whose arguments are those it was called with */
	CK_DID_BUILD,  /* given: the state that is built into the target */
	CK_DID_SET,    /* items: keys and values in turn that are set in the target */
	CK_DID_APPEND, /* items: what is appended or added to the target */
	CK_DID_NAME    /* target: a PERSID, an EXT or a BUFFER */
} ck_deed;

typedef struct ck_event {
	ck_deed deed;
	const ck_step *step;     /* the opcode that does it */
	const ck_value *target;
	const ck_value *given;
	const ck_items *items;
} ck_event;

/* Who is told. */
typedef struct ck_watch {
	bool (*event)(void *arg, const ck_source *source, const ck_event *event);
	/* Each BYTES that an opcode makes, which may hold another file; or NULL. */
	bool (*bytes)(void *arg, const ck_source *source, const ck_value *bytes);
	void *arg;
} ck_watch;

enum { CK_LEAN_ITEMS = 128, CK_LEAN_CONTAINERS = 1024 };

/* What a pickle named on the way, whatever became of it. */
typedef struct ck_seen {
	ck_items globals; /* every GLOBAL */
	ck_items persids; /* every PERSID */
	/* Called after each BUILD into a CALL, with the offset of the next opcode: it may move *at
	 * on, past bytes that are no part of the pickle (joblib puts arrays there). Or NULL. */
	bool (*built)(void *arg, ck_value *call, uint64_t *at);
	void *arg;
	const ck_watch *watch; /* or NULL */
	/* Only what happens is of interest, not the value: of what is put into a list or dict that
	 * has more than CK_LEAN_ITEMS, numbers and text are only counted, except for keys that may
	 * be attributes with a meaning, and equal keys are not settled. */
	bool lean;
	/* With `lean`: once more than so many bytes of memory, less 1, were needed for a pickle,
	 * it is found out which memo numbers it will still read. What is stored under others
	 * only can then be given up with the list or dict that it is put into, if that holds
	 * more than CK_LEAN_CONTAINERS: containers of numbers, text and such containers. 0:
	 * never. */
	uint64_t ahead;
	uint64_t skimmed;  /* bytes that were read ahead, of all pickles */
	bool loose;        /* read on where opcodes reach across the end of their frame, */
	bool straddled;    /* as they did in the last pickle */
	bool opcodes[256]; /* those of the last pickle */
	uint8_t protocol;  /* that it said last */
	uint64_t shared;   /* how often it gave a value with parts a further place */
	uint64_t far_memo; /* the largest memo number */
	/* The machine that read the last pickle, used again for the next one: a file may hold
	 * millions of tiny ones. NULL at first. */
	struct ck_vm *machine;
} ck_seen;

/* Reads one pickle that starts at *at; *at is then behind its STOP. The value and all that hangs on
 * it live as long as the job. `seen` may be NULL. Returns NULL after a failure. */
ck_value *ck_pickle_read(ck_job *job, const ck_source *source, uint64_t *at, ck_seen *seen);

/* False: none of the first `ops` opcodes of the pickle that the source begins with spells this
 * integer out (little-endian, its last byte above 0 and below 128), and nothing else can make
 * it; or the job failed. It takes far less than reading the pickle. */
bool ck_pickle_may_hold(ck_job *job, const ck_source *source, uint64_t ops, const char *integer,
                        size_t len);

/* Text of a str, or of a Python 2 str that is UTF-8 (torch decodes it so). False for all else. */
bool ck_value_text(const ck_value *value, const char **text, size_t *len);
/* A GLOBAL of exactly this name. */
bool ck_value_is_global(const ck_value *value, const char *module, const char *name);
/* "int", "list", "collections.OrderedDict object"...: what a value is, safe to print. */
ck_shown ck_value_about(const ck_value *value);

/* Drops doubled keys as a Python dict does: the first key stays where it is, the last value counts;
 * 1, 1.0 and True are one key. `step` is 2 for keys and values in turn, 1 for a set. Only itself
 * equals a frozenset, bytes that were left in the source, and what is below CK_KEY_DEPTH tuples. */
enum { CK_KEY_DEPTH = 64 };
bool ck_items_settle(ck_job *job, ck_items *items, size_t step);
bool ck_items_push(ck_job *job, ck_items *items, ck_value *value);
/* Makes room for `more` items behind those that are there. */
bool ck_items_reserve(ck_job *job, ck_items *items, size_t more);

/* A LONG of so many bytes may have more digits than Python prints, and is printed as 0x... */
enum { CK_DECIMAL_BYTES = 1785 }; /* they hold 4299 decimal digits */
/* Decimal digits of an INT or LONG. */
bool ck_print_integer(ck_job *job, ck_text *to, const ck_value *value);
/* A float as Python's repr() spells it. */
bool ck_print_float(ck_job *job, ck_text *to, double value);
/* Text in quotes as Python's repr() spells it, except that it leaves as they are a few characters
 * for which Unicode's tables would be needed (unassigned ones above all); `prefix` is "" or "b". */
bool ck_print_quoted(ck_job *job, ck_text *to, const char *prefix, const char *data, size_t len);
/* The whole tree on one line, each shared value once ("&1=[...]", then "*1"). */
bool ck_print_tree(ck_job *job, ck_text *to, ck_value *root);

/* ---- steps: opcodes with their arguments, before anything is made of them ---- */

typedef enum ck_arg {
	CK_ARG_NONE,
	CK_ARG_U1,
	CK_ARG_U2,
	CK_ARG_U4,
	CK_ARG_I4,
	CK_ARG_U8,    /* little-endian integers */
	CK_ARG_F8,    /* big-endian double */
	CK_ARG_LINE,  /* up to a newline */
	CK_ARG_LINES, /* two lines */
	CK_ARG_TEXT1,
	CK_ARG_TEXT4,
	CK_ARG_TEXT8, /* counted, always in memory */
	CK_ARG_BYTES1,
	CK_ARG_BYTES4,
	CK_ARG_BYTES8, /* counted, long ones stay in the source */
	CK_ARG_LONG1,
	CK_ARG_LONG4 /* counted two's complement */
} ck_arg;

typedef struct ck_op {
	const char *name; /* as in Python's pickletools; NULL: no such opcode */
	ck_arg arg;
	uint8_t protocol; /* the first that has it */
} ck_op;

extern const ck_op ck_op_table[256];

/* number and len mean nothing where the kind of argument has no use for them. */
struct ck_step {
	uint8_t code;
	uint64_t at;       /* offset of the opcode */
	uint64_t number;   /* integer arguments; bits of the double */
	/* First line or counted bytes, NUL behind; NULL if left in the source. A single line,
	 * except for that of a PERSID, is only valid until the next opcode is read. */
	const char *text;
	uint64_t len;
	uint64_t from;     /* offset of counted bytes */
	const char *more;  /* second line */
	uint64_t more_len;
};

/* Reads opcodes through a small window, so that a pickle of any size needs little memory. */
typedef struct ck_steps {
	ck_job *job;
	const ck_source *source;
	uint64_t at;         /* next byte */
	uint64_t frame_end;  /* 0: not in a frame */
	uint64_t count, ops; /* opcodes read, and their limit */
	uint64_t text;       /* bytes of text kept */
	uint64_t window_at;
	size_t window_len, buffer_cap;
	size_t roomy;        /* offset in the window up to which an opcode and its number fit */
	const unsigned char *window;
	unsigned char *buffer; /* what the window shows, unless the source lies in memory */
	char line[128];      /* a short line that is not kept */
	struct ck_spare *spare; /* memory for text, before that of the job; or NULL */
	bool loose;          /* frames are passed over, as C Python does that reads from memory */
	bool straddled;      /* and something reached across the end of one */
} ck_steps;

/* *steps is all zero, or was used before. */
bool ck_steps_begin(ck_job *job, ck_steps *steps, const ck_source *source, uint64_t at);
bool ck_steps_next(ck_steps *steps, ck_step *step);
/* Goes on at offset `to`, which lies ahead: what is between is no part of the pickle. Not inside a
 * frame. */
bool ck_steps_skip(ck_steps *steps, uint64_t to);

/* ---- literals: the text forms of protocol 0 as CPython reads them ---- */

/* Fills kind and value of an INT, LONG or BOOL. False if the text is no number. */
typedef enum ck_literal { CK_LITERAL_INT, CK_LITERAL_LONG, CK_LITERAL_INDEX } ck_literal;
bool ck_literal_integer(ck_job *job, ck_literal rule, const char *text, size_t len,
                        ck_value *value);
bool ck_literal_float(const char *text, size_t len, double *value);
/* What picklers mostly write, which has one meaning under all rules; these alone need no NUL behind
 * the text. False: it is written in another way. `suffix`: an L may stand behind it. */
bool ck_literal_short(bool suffix, const char *text, size_t len, ck_value *value);
bool ck_literal_short_float(const char *text, size_t len, double *value);
/* Both return a new text in the arena, or NULL with *why set to what is wrong. */
char *ck_literal_string(ck_job *job, const char *text, size_t len, size_t *out, const char **why);
char *ck_literal_unicode(ck_job *job, const char *text, size_t len, size_t *out, const char **why);
/* An INT or LONG from little-endian two's complement. */
void ck_literal_binary(const char *data, uint64_t len, ck_value *value);
/* Changes the sign of such a number; a magnitude needs a zero byte on top for it. */
void ck_literal_negate(unsigned char *bytes, size_t len);

#endif
