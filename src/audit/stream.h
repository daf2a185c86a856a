/* Inside the audit room: pickles one after the other. */
#ifndef CK_AUDIT_STREAM_H
#define CK_AUDIT_STREAM_H

#include "look.h"

/* What reads the pickles of one source: it keeps a machine from one pickle to the next. */
typedef struct ck_stream_reader {
	ck_audit *audit;
	ck_place place;
	struct ck_job *own;     /* of the machine */
	ck_loaded loaded;
	ck_torch *torch;
	ck_watch watch;
	uint64_t events;        /* imports and calls of the last pickle */
} ck_stream_reader;

void ck_stream_begin(ck_stream_reader *reader, ck_audit *audit, const ck_place *place);
/* Reads the pickle at *at and judges what it does; *at is then behind it, if it is *whole. A broken
 * one is a finding. False as with ck_audit_source. */
bool ck_stream_next(ck_stream_reader *reader, uint64_t *at, bool *whole);
/* The same for one that was read already. */
bool ck_stream_pass(ck_stream_reader *reader, const ck_idle *idle);
bool ck_stream_end(ck_stream_reader *reader);
/* Reads the pickle at `at`, which ck_stream_next has just read, as others do: with the bytes of
 * joblib's arrays as opcodes, and on behind the end of frames. */
bool ck_stream_others(ck_stream_reader *reader, uint64_t at);
/* Whether what was done is more than the bytes of data do by chance, when they are taken for
 * opcodes. */
typedef struct ck_doings {
	uint64_t imports, named; /* all, and those that have names as people give them */
	uint64_t calls, builds, extensions;
	uint64_t denied; /* imports of modules that are on the list of harmful ones */
} ck_doings;
void ck_doings_count(ck_doings *doings, ck_audit *audit, const ck_event *event);
bool ck_doings_matter(const ck_doings *doings);
/* Makes reader->torch, with memory of its own, unless there is one. */
bool ck_stream_renew(ck_stream_reader *reader);

typedef enum ck_probed {
	CK_PROBED_NOTHING,
	CK_PROBED_LITERAL, /* ends in a STOP, names nothing, and something follows: may be data */
	CK_PROBED_BROKEN,
	CK_PROBED_WHOLE
} ck_probed;

/* Whether a pickle starts at *at, which is not certain: data and text may be opcodes, too. It is
 * one if it ends in a STOP, or imports or calls something before it breaks. Nothing is judged. *at
 * is then behind its STOP, if it has one. *idle is filled if it is such a pickle. */
bool ck_stream_probe(ck_audit *audit, const ck_source *source, uint64_t *at, ck_purpose purpose,
                     ck_probed *probed, ck_idle *idle);
/* The same for all pickles of a look from `at` on: literals are passed over to what follows. */
bool ck_pickle_probe(ck_look *look, uint64_t at, ck_probed *probed);
/* Whether an opcode from `at` on names, calls or builds something, or is a STOP if `stop` is true,
 * or there are too many to tell. The machine may not come so far. */
bool ck_opcodes_act(struct ck_job *job, const ck_source *source, uint64_t at, bool stop, bool *act);
/* A first guess from a few bytes, without the machine: false is certain. */
bool ck_stream_may_begin(const unsigned char *head, size_t len);

#endif
