/* Inside the unpackers: what each library has to do (a codec), and the loop that they share. */
#ifndef CK_PACK_PACKING_H
#define CK_PACK_PACKING_H

#include "pack.h"

typedef enum ck_step {
	CK_STEP_ON,      /* bytes were taken or made; call again */
	CK_STEP_END,     /* the stream is complete, and its checksums were right */
	CK_STEP_DAMAGED,
	CK_STEP_UNKNOWN, /* well formed, but the library lacks what it needs */
	CK_STEP_HEAP,    /* needs more memory than `heap` leaves */
	CK_STEP_NOMEM,
} ck_step;

/* What a codec works on: it moves the pointers on and takes from the counts. */
typedef struct ck_flow {
	ck_job *job;
	const char *label;
	uint64_t packed;      /* how long all packed bytes are, or 0: not known */
	const unsigned char *in; /* of a stream that begins, all that fits into CK_MAGIC_MAX */
	size_t in_left;
	bool last;            /* behind `in` there is nothing */
	unsigned char *out;
	size_t out_left;
	const char *why;      /* what is wrong, if the library says more than "damaged" */
} ck_flow;

enum { CK_MAGIC_MAX = 16 };

typedef struct ck_codec {
	const char *name;
	/* A decoder at the start of a stream, or NULL: no memory. */
	void *(*begin)(ck_job *job);
	ck_step (*step)(void *state, ck_flow *flow);
	void (*end)(void *state);
	/* How a further stream begins where streams may follow each other, else NULL: then nothing
	 * may follow. What follows and begins otherwise is passed over, with a note unless it is
	 * zeros, as gzip and bzip2 do. */
	const char *again;
	/* For those who read on where the rules are broken: a codec for the same data that checks
	 * less, or NULL: this one; what passes over a header that the codec does not read (*at is
	 * UINT64_MAX if there is none); and the bytes behind a stream that it does not read. */
	const struct ck_codec *loose;
	bool (*front)(ck_job *job, const ck_source *packed, uint64_t *at);
	unsigned behind;
} ck_codec;

/* Gives all that comes out to the sink, and checks the checksums; knows no limits but `heap`.
 * *follows: it passed over something behind the last stream. */
bool ck_codec_run(ck_job *job, const ck_codec *codec, const ck_source *packed,
                  const ck_sink *sink, bool *follows);
/* The same as programs do that take what they get: all that comes out of any number of streams
 * until one breaks, whatever is wrong with headers and checksums. Fails only for want of memory,
 * and if very many of the streams are empty. */
bool ck_codec_run_loosely(ck_job *job, const ck_codec *codec, const ck_source *packed,
                          const ck_sink *sink);
/* True if a decoder makes at least one byte of these, and finds nothing wrong with them. */
bool ck_codec_tries(const ck_codec *codec, const unsigned char *head, size_t len);

#endif
