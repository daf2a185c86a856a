/* Inside the audit room: one file, or one thing inside it, that is looked at. What it is decides
 * who walks through it; each walker claims the bytes that it knows, hands everything inside to
 * ck_look_inside, and what is left unclaimed at the end is a finding. */
#ifndef CK_AUDIT_LOOK_H
#define CK_AUDIT_LOOK_H

#include "audit.h"
#include "regions.h"

typedef enum ck_look_kind {
	CK_LOOK_FILE,   /* the file itself, or what a packed file holds: must be known */
	CK_LOOK_MEMBER, /* of an archive: may be data */
	CK_LOOK_BYTES,  /* of a pickle: may be anything */
	CK_LOOK_GAP     /* bytes that belong to nothing: may be anything */
} ck_look_kind;

/* What it is for, as its name tells. */
typedef enum ck_purpose {
	CK_FOR_PICKLE,  /* what readers of pickles are pointed at */
	CK_FOR_OTHER,
	CK_FOR_TEXT,    /* for people to read, or lists of words */
	CK_FOR_STORAGE, /* the elements of a tensor */
	CK_FOR_TENSORS, /* safetensors from the first byte to the last */
	CK_FOR_NOTHING  /* bytes that belong to nothing */
} ck_purpose;

/* A pickle that was read as a probe, did nothing and made nothing that needs a look. */
typedef struct ck_idle {
	uint64_t from, to; /* equal: there is none */
	ck_seen seen;      /* only the facts about its opcodes */
} ck_idle;

typedef struct ck_look {
	ck_audit *audit;
	ck_job *job;             /* memory and errors of this look; gone after it */
	const ck_source *source;
	ck_place place;          /* of findings */
	ck_look_kind kind;
	unsigned char head[CK_HEAD];
	size_t head_len;
	ck_regions claimed;
	ck_regions inside;       /* what was handed on: archives in there are no business here */
	const char *format;      /* what it is; NULL: nobody knows */
	bool tensors;            /* safetensors from the first byte to the last, by all rules */
	bool raw;                /* a file by whose name nobody takes it for a checkpoint */
	bool lenient;            /* readers pass over what is left at its end */
	bool whole;              /* a pickle that is in order */
	bool strict_end;         /* zeros that follow hide it, if they are many */
	bool loose;              /* where its own bytes end is not known */
	uint64_t sure;           /* up to here pickles follow one another for certain */
	ck_idle idle;            /* need not be read again */
} ck_look;

ck_purpose ck_look_purpose(const ck_look *look);

/* What begins so. */
typedef struct ck_sniffed {
	const char *format;
	/* Walks through it; NULL: nothing in it could be run, and all of it is claimed. */
	bool (*walk)(ck_look *look);
	/* Why it was not scanned, for what cannot be opened; or NULL. */
	const char *closed;
	const char *note;   /* what is odd about it inside an archive, or NULL */
	/* Why a whole file of it counts as not scanned, though it holds no pickle; or NULL. */
	const char *alone;
} ck_sniffed;

/* Which of the formats that are no pickles begins so; NULL: none. */
const ck_sniffed *ck_sniff(ck_look *look);
/* It may be safetensors. */
bool ck_sniff_safetensors(const unsigned char *head, size_t len);
/* Only letters, blanks and the like, as far as `len` bytes tell. */
bool ck_sniff_text(const unsigned char *head, size_t len);
/* What such a text is. */
const char *ck_sniff_text_format(const unsigned char *head, size_t len);

/* What became of a look. */
typedef struct ck_looked {
	const char *format; /* NULL: nobody knows */
	uint64_t end;       /* of what it is, as far as that is one piece */
} ck_looked;

/* Looks at a thing inside another: `member` is its whole path, safe to print. Memory, errors and
 * the count of what was unpacked are looked after. `looked` may be NULL. */
bool ck_look_inside(ck_audit *audit, const ck_source *source, const char *member,
                    ck_look_kind kind, ck_looked *looked);
/* Looks at all bytes that nobody claimed: for files in them, and tells of them. */
bool ck_look_at_rest(ck_look *look);
/* True if data of this name, or "", that begins so cannot be anything that must be looked at. */
bool ck_look_is_data(const char *name, const unsigned char *head, size_t len);

/* Errors that say nothing of the file: no scan can go on after them. */
bool ck_look_is_fatal(const ck_error *error);
/* A job for one part of a look, and its end, which takes over what concerns the whole: false if the
 * scan cannot go on. */
ck_job *ck_look_job(ck_audit *audit);
bool ck_look_done(ck_audit *audit, ck_job *own);
/* Writes down that something failed with the error of `own`: over a limit or unsupported is "not
 * scanned", all else breaks `rule`. */
bool ck_look_failed(ck_audit *audit, const ck_job *own, ck_rule rule, const ck_place *place,
                    uint64_t at);
/* What is beyond `at` was not looked at, because of the limit of that name. */
bool ck_look_over(ck_audit *audit, const ck_place *place, uint64_t at, const char *limit);
/* Writes down that a file is not what its name promises, where it is no checkpoint: so says
 * `error`. */
bool ck_promise_check(ck_audit *audit, const ck_place *place, const ck_error *error);
/* The name of a file promises nothing at all. */
bool ck_promise_nothing(const char *path);
/* The name of a member of an archive promises a checkpoint. */
bool ck_promise_made(const char *member);
/* Writes down that something was not scanned. */
bool ck_look_closed(ck_audit *audit, const ck_place *place, uint64_t at, uint64_t length,
                    const char *fmt, ...) CK_PRINTF(5, 6);

/* "outer!inner" in `path`, which is used again for the next one; `name` is made safe to print. */
const char *ck_look_path(ck_job *job, ck_text *path, const char *outer, const char *name,
                         size_t len);

static inline uint64_t ck_little(const unsigned char *bytes, size_t len)
{
	uint64_t value = 0;
	while (len--)
		value = value << 8 | bytes[len];
	return value;
}

/* What differs when a byte of it does. */
bool ck_source_digest(ck_job *job, const ck_source *source, unsigned char to[CK_DIGEST_SIZE]);
/* All of its SHA-256 in hexadecimal; NULL after a failure. */
enum { CK_SHA256_HEX = 64 };
const char *ck_source_sha256(ck_job *job, const ck_source *source);

/* ---- elsewhere.c: where only some readers of an archive look ---- */

/* No further such place may be looked at. */
bool ck_elsewhere_enough(const ck_audit *audit);
/* Looks at what is at `from` of the look's source, unless that was done. */
bool ck_elsewhere_look(ck_look *look, uint64_t from, const ck_source *there, const char *member,
                       ck_look_kind kind);

/* ---- packed.c: what comes out of a packed file ---- */

typedef struct ck_unpacked {
	const ck_source *strict; /* by the rules, as far as they hold; or NULL */
	const ck_source *loose;  /* what programs get that mind them less, if more; or NULL */
	bool whole;              /* nothing is wrong with it */
	bool follows;            /* but it is not all of the file */
} ck_unpacked;
/* The two jobs hold the sources, and what went wrong with each. */
void ck_packed_unpack(ck_job *own, ck_job *others, const ck_packing *packing,
                      const ck_source *packed, ck_unpacked *to);

/* ---- inside pickles ---- */

/* A bytes value that a pickle makes. */
bool ck_inner_bytes(ck_audit *audit, const ck_place *place, const ck_source *source,
                    const ck_value *bytes);
/* A call that may make bytes of text, or load them. */
bool ck_inner_call(ck_audit *audit, const ck_place *place, const ck_source *source,
                   const ck_value *call);

/* ---- the walkers ---- */

bool ck_zip_walk(ck_look *look);
/* Whether the source ends as a zip archive does, whatever it begins with; and such a one. */
bool ck_zip_ends(ck_look *look, bool *ends);
bool ck_tar_walk(ck_look *look);
/* What only the loader of torch's old files finds in one. */
bool ck_torch_tar_walk(ck_look *look);
bool ck_packed_walk(ck_look *look);
bool ck_npy_walk(ck_look *look);
bool ck_old_joblib_walk(ck_look *look);
bool ck_legacy_walk(ck_look *look);
bool ck_pickle_walk(ck_look *look);
bool ck_safetensors_walk(ck_look *look);
/* Whether it is one by all rules, as look->tensors then says. */
bool ck_safetensors_ask(ck_look *look);
bool ck_gguf_walk(ck_look *look);
bool ck_onnx_walk(ck_look *look);

#endif
