/* The ground floor: a job with its memory, its error, its limits, and the small tools for text,
 * checked arithmetic and look-up that everything above is built on. Knows no file and no format. */
#ifndef CK_BASE_H
#define CK_BASE_H

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include <ckconv/types.h>

#define CK_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define CK_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- job ---- */

enum { CK_ALIGN = 8 }; /* of all that is allocated */
#define CK_ALIGNED(size) (((size) + CK_ALIGN - 1) & ~(size_t)(CK_ALIGN - 1))

#if defined(__SANITIZE_ADDRESS__)
#define CK_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CK_SANITIZED 1
#endif
#endif
#ifndef CK_SANITIZED
#define CK_SANITIZED 0
#endif

/* Allocations from this size on are blocks. Under a sanitizer that is small, so that a use of what
 * has moved shows. */
enum { CK_BLOCK_MIN = CK_SANITIZED ? 1 << 10 : (256 << 10) - 64 };

typedef struct ck_arena {
	unsigned char *next, *end; /* what is free of the newest chunk, less than a block */
	unsigned char *last;       /* the newest allocation in it, which can grow in place */
	struct ck_chunk *chunk;    /* newest first */
	struct ck_chunk *spare;    /* a huge one, zeroed, to be the next; or NULL */
	struct ck_block *block;    /* big allocations, newest first */
	size_t blocks;             /* that were ever made */
	uint64_t held;             /* bytes taken from the system */
} ck_arena;

/* One input, one lifetime: everything allocated or opened for it is released by ck_job_free in
 * reverse order. Used by one thread, except for `error` (ck_fail locks), `stop` and `seed`. */
typedef struct ck_job {
	ck_limits limits;
	ck_error error;          /* the first failure; later ones are not recorded */
	const char *subject;     /* the input: the place of errors that have no closer one */
	pthread_mutex_t lock;    /* guards `error` */
	ck_arena arena;
	struct ck_closer *closers;
	const char *scratch_dir; /* folder of scratch files; NULL: $TMPDIR, or else /tmp */
	struct ck_scratch *scratch; /* belongs to io */
	struct ck_scratch_pool *prepared; /* belongs to io; or NULL */
	bool heap_given;         /* the limit of memory was set, and does not follow the input */
	uint64_t input;          /* bytes of the file that is read, however deep in it we are */
	uint64_t unpacked;       /* bytes unpacked on the way; belongs to pack */
	atomic_bool stop;
	const struct ck_job *parent; /* a part of its work: stops when that stops; or NULL */
	uint64_t seed[2];        /* random; for ck_map only, never for anything that is written */
	void (*note)(void *arg, const char *text);
	void (*progress)(void *arg, const char *what, uint64_t done, uint64_t total);
	struct timespec told;    /* when progress was last told */
	void *listener;
} ck_job;

ck_job *ck_base_job_new(void);
/* A job for something whose errors and memory shall not remain: it has the limits and the scratch
 * files of another, and stops and tells its progress as that does. It ends before the other. */
ck_job *ck_base_job_within(const ck_job *parent);
void ck_base_job_free(ck_job *job);

/* Where ck_alloc goes when the newest chunk has no room. */
void *ck_alloc_more(ck_job *job, size_t size);

/* Zeroed memory that lives as long as the job. NULL after a failure that is recorded. */
static inline void *ck_alloc(ck_job *job, size_t size)
{
	ck_arena *arena = &job->arena;
	size_t room = (size_t)(arena->end - arena->next);
	if (size > room || CK_ALIGNED(size) > room)
		return ck_alloc_more(job, size);
	arena->last = arena->next;
	arena->next += CK_ALIGNED(size);
	return arena->last;
}

void *ck_alloc_array(ck_job *job, size_t count, size_t size);
/* A copy of len bytes with a NUL behind them. */
char *ck_copy(ck_job *job, const void *data, size_t len);
/* Makes room for `need` items of `size` bytes in an arena array: returns the array, perhaps moved,
 * and updates *cap. The array grows by doubling. No pointer into the old one may be used. */
void *ck_grow(ck_job *job, void *items, size_t *cap, size_t need, size_t size);
/* Gives back what was allocated last, with this very size; does nothing if it was not the last. */
static inline void ck_take_back(ck_job *job, const void *data, size_t size)
{
	unsigned char *start = job->arena.next - CK_ALIGNED(size);
	if ((const unsigned char *)data != start)
		return;
	memset(start, 0, size);
	job->arena.next = start;
	if (job->arena.end - start >= CK_BLOCK_MIN)
		job->arena.end = start + CK_BLOCK_MIN - CK_ALIGN;
	job->arena.last = NULL;
}

/* Gives an array that ck_grow or ck_alloc_array made back before the job ends, if it is big. */
void ck_give_back(ck_job *job, void *items, size_t bytes);
/* What is allocated between a mark and its release is given back; nothing is deferred between. */
typedef struct ck_mark {
	struct ck_chunk *chunk;
	size_t blocks;
	unsigned char *next;
} ck_mark;
ck_mark ck_arena_mark(const ck_job *job);
void ck_arena_release(ck_job *job, ck_mark mark);
/* Calls close(arg) when the job ends; if that cannot be noted, calls it now and fails. */
bool ck_defer(ck_job *job, void (*close)(void *), void *arg);

/* ---- failure ---- */

/* All record the first error of the job and return false. `where` is a label such as a path; it is
 * escaped here. Everything a format string receives with %s must already be safe to print: pass
 * text from files through ck_show. */
bool ck_fail(ck_job *job, ck_status status, const char *where, const char *fmt, ...)
	CK_PRINTF(4, 5);
bool ck_fail_at(ck_job *job, ck_status status, const char *where, uint64_t offset, const char *fmt,
                ...) CK_PRINTF(5, 6);
/* As ck_fail with CK_IO; keeps errno and appends its text. */
bool ck_fail_sys(ck_job *job, const char *where, const char *fmt, ...) CK_PRINTF(3, 4);
bool ck_fail_nomem(ck_job *job);
/* The failure of another job, whose text is safe to print already. */
bool ck_fail_as(ck_job *job, const ck_error *error);
/* True once somebody asked the job to stop; the failure is then recorded. */
bool ck_stopped(ck_job *job);
/* Tells the listener one sentence. */
void ck_note(ck_job *job, const char *fmt, ...) CK_PRINTF(2, 3);
/* Tells how far things are, if the last time was a tenth of a second ago; cheap otherwise. */
void ck_progress(ck_job *job, const char *what, uint64_t done, uint64_t total);

/* Text from a file, made safe for terminals and logs: control characters, invalid UTF-8 and
 * direction overrides are escaped, what is too long ends in "...". Use as ck_show(p, n).s inside
 * one expression. */
enum { CK_SHOWN_MAX = 120 };
typedef struct ck_shown {
	char s[CK_SHOWN_MAX];
} ck_shown;
ck_shown ck_show(const char *text, size_t len);
/* "1 byte", "2 bytes": so many of what takes an s. */
typedef struct ck_number {
	char s[48];
} ck_number;
ck_number ck_many(uint64_t count, const char *noun);
/* The same into a buffer of `size` bytes. Returns the length written. */
size_t ck_show_to(char *to, size_t size, const char *text, size_t len);

/* ---- limits ---- */

typedef struct ck_limit_row {
	const char *name;
	uint64_t value;     /* default */
	const char *about;  /* what it counts */
	size_t at;          /* offset in ck_limits */
} ck_limit_row;

/* The table of all limits; ends with a row whose name is NULL. */
extern const ck_limit_row ck_limit_table[];
void ck_limits_default(ck_limits *limits);
/* Sets one limit from "name=value"; value is decimal, with K, M, G or T for powers of 1024. */
bool ck_limits_set(ck_job *job, const char *text);
/* Notes how many bytes the input has, and lets the limit of memory follow it, unless that was set:
 * nobody who writes a small file can make it need much. */
void ck_limits_follow(ck_job *job, uint64_t input);
enum { CK_HEAP_BASE = 48 << 20, CK_HEAP_PER_BYTE = 16 };
/* Fails with CK_LIMIT if value is over the limit called `name` (a field of ck_limits). */
#define ck_within(job, where, name, value) \
	((value) <= (job)->limits.name || ck_fail_limit(job, where, #name))
bool ck_fail_limit(ck_job *job, const char *where, const char *name);

/* ---- checked arithmetic: false if the result does not fit ---- */

static inline bool ck_add(uint64_t a, uint64_t b, uint64_t *sum)
{
	return !__builtin_add_overflow(a, b, sum);
}

static inline bool ck_mul(uint64_t a, uint64_t b, uint64_t *product)
{
	return !__builtin_mul_overflow(a, b, product);
}

/* ---- map: byte strings to a number, each key once ---- */

/* A hash table with a keyed universal hash: nobody who writes a file can choose collisions. */
typedef struct ck_map {
	struct ck_map_slot *slots;
	size_t cap;   /* a power of two, or 0 */
	size_t count;
} ck_map;

/* The hash itself: two different keys have the same with a chance of about len in 2^58, whoever
 * chose them. Its upper bits are the better ones. */
uint64_t ck_hash(const ck_job *job, const void *key, size_t len);
/* Finds the value of a key, or NULL. */
uint64_t *ck_map_find(const ck_job *job, const ck_map *map, const void *key, size_t len);
/* Finds or makes the value of a key (the key is not copied: it must outlive the map); *fresh says
 * which. NULL after a failure. */
uint64_t *ck_map_put(ck_job *job, ck_map *map, const void *key, size_t len, bool *fresh);
/* Makes room for `count` keys at once. */
bool ck_map_reserve(ck_job *job, ck_map *map, size_t count);

/* A set that knows keys by their hashes alone: eight bytes each, nothing is copied. That a key
 * which is not in it seems to be has the chance of ck_hash times the number of keys. */
typedef struct ck_hash_set {
	uint64_t *slots;
	size_t cap;   /* a power of two, or 0 */
	size_t count;
} ck_hash_set;

/* *fresh: the key was not in it. False after a failure. */
bool ck_hash_set_add(ck_job *job, ck_hash_set *set, const void *key, size_t len, bool *fresh);

/* ---- text ---- */

/* Bytes that need no NUL behind them are just those of a string. */
static inline bool ck_equals(const char *text, size_t len, const char *want)
{
	return strlen(want) == len && !memcmp(text, want, len);
}

/* A growing byte string in the job's arena. */
typedef struct ck_text {
	char *data; /* not NUL-terminated */
	size_t len, cap;
} ck_text;

/* Makes room for `more` bytes, so that a long text grows once. */
bool ck_text_reserve(ck_job *job, ck_text *text, size_t more);
bool ck_text_add(ck_job *job, ck_text *text, const void *data, size_t len);
bool ck_text_addf(ck_job *job, ck_text *text, const char *fmt, ...) CK_PRINTF(3, 4);

/* The length of the valid UTF-8 sequence at text, 0 if there is none (overlong, surrogate, beyond
 * U+10FFFF or cut); *code receives the code point. */
size_t ck_utf8_next(const char *text, size_t len, uint32_t *code);
bool ck_utf8_valid(const char *text, size_t len);
/* The same, with surrogates U+D800 to U+DFFF let through, as Python's "surrogatepass" does. */
size_t ck_utf8_next_wide(const char *text, size_t len, uint32_t *code);
bool ck_utf8_valid_wide(const char *text, size_t len);
/* Takes away the beginning of a character at the end of a text that was cut there. */
void ck_utf8_trim(char *text);
/* Writes a code point (surrogates too) as UTF-8; returns 1 to 4. */
size_t ck_utf8_put(char to[4], uint32_t code);

#endif
