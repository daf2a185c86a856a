/* Plain data that every floor of ckconv and every user of libckconv may include. */
#ifndef CKCONV_TYPES_H
#define CKCONV_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What became of a call. The command line maps these to its exit status (see ckconv.1). */
typedef enum ck_status {
	CK_OK,
	CK_NOMEM,       /* the system has no memory left */
	CK_IO,          /* a file could not be opened, read, written...; ck_error.sys is errno */
	CK_CORRUPT,     /* the input breaks a rule of its own format */
	CK_UNSUPPORTED, /* well formed, but holds what ckconv or the output format lacks */
	CK_LIMIT,       /* a limit was reached; see CK_LIMITS */
	CK_REFUSED,     /* the input is understood and must not be converted */
	CK_MISMATCH,    /* two things that should be equal differ */
	CK_USAGE,       /* the caller asked for something that makes no sense */
	CK_STOPPED      /* ck_job_stop was called */
} ck_status;

enum { CK_WHERE_MAX = 512, CK_TEXT_MAX = 1024 };

/* What a file may do to those who load it with Python, from harmless to harmful. */
typedef enum ck_verdict {
	CK_SAFE,      /* only names data, all of it was looked at, and all of it is in order */
	CK_UNKNOWN,   /* needs classes or functions of other projects: nobody knows what they do */
	CK_MALFORMED, /* breaks a rule of its format, or could not be looked at as a whole */
	CK_DANGEROUS  /* can run code, or reach files, processes or the network */
} ck_verdict;

/* Why a call failed: one sentence that names the thing, the value and the rule. Text that comes
 * from a file is escaped and shortened, so it is safe to print on a terminal. */
typedef struct ck_error {
	ck_status status;
	int sys;             /* errno, or 0 */
	bool has_offset;
	uint64_t offset;     /* byte offset inside `where`, if has_offset */
	char where[CK_WHERE_MAX]; /* "model.pt: archive/data.pkl", or empty */
	char text[CK_TEXT_MAX];
} ck_error;

/* The limits: X(name, default, what it counts). This list makes the struct, the defaults,
 * --limit and, held against it by a test, the table in ckconv.1. */
#define CK_LIMITS(X)                                                             \
	X(heap, UINT64_C(4) << 30, "bytes of memory (unless set: 48M + 16 x the input)")     \
	X(members, 1000000, "members of one archive")                            \
	X(ops, 50000000, "opcodes of one pickle")                                \
	X(stack, 1000000, "values and marks on the stack of the pickle machine") \
	X(memo, 20000000, "entries in the memo of the pickle machine")           \
	X(globals, 200000, "names of classes and functions in one pickle") \
	X(text, UINT64_C(1) << 30, "bytes of strings and numbers of one pickle") \
	X(depth, 10000, "levels of nesting")                                     \
	X(visits, 20000000, "values looked at in search of tensors")             \
	X(tensors, 1000000, "tensors of one model")                              \
	X(name, 131072, "bytes of a tensor's name")                              \
	X(expand, 16, "bytes written per byte read (256 MiB always allowed)") \
	X(inflated, UINT64_C(1) << 40, "bytes unpacked from one file or member") \
	X(ratio, 100,  "bytes unpacked per packed byte (64 MiB are free)")

typedef struct ck_limits {
#define X(name, value, about) uint64_t name;
	CK_LIMITS(X)
#undef X
} ck_limits;

/* What happens to names that are views of the very same elements. */
typedef enum ck_ties {
	CK_TIES_KEEP, /* write each name with its own copy */
	CK_TIES_DROP  /* write the name that sorts first; the others go to the metadata */
} ck_ties;

/* What becomes of complex tensors. */
typedef enum ck_complex {
	CK_COMPLEX_KEEP, /* written as they are, where the format has such numbers */
	CK_COMPLEX_SPLIT /* NAME becomes NAME.real and NAME.imag */
} ck_complex;

/* Words that an option was given, one after the other. */
typedef struct ck_words {
	const char *const *text;
	size_t count;
} ck_words;

/* Which tensors are taken by their names, and what they are called. In this order: globs, of which
 * one of `include` must match, if there are any, and none of `exclude`; a prefix that is taken away
 * where it is; "REGEX=REPLACEMENT" rules (POSIX extended, \1 and & in the replacement), for all
 * that they match in a name; a prefix for all names. */
typedef struct ck_shaping {
	ck_words include, exclude, rename;
	const char *strip_prefix, *add_prefix; /* or NULL */
} ck_shaping;

/* One tensor of a model, as it will be written. Borrowed: lives as long as the job. */
typedef struct ck_tensor_info {
	const char *name;      /* UTF-8, ends with NUL, and may hold others: */
	size_t name_len;
	const char *dtype;     /* as safetensors spells it: "F32"; NULL if it has no spelling */
	const char *torch_dtype; /* as torch spells it: "float32" */
	size_t ndim;
	const uint64_t *shape; /* ndim sizes */
	uint64_t bytes;        /* size of the elements in bytes, C order, no gaps */
} ck_tensor_info;

#endif
