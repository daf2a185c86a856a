/* The audit: what a file could do to those who load it with Python. Looks at everything that any
 * reader could read of it, judges what pickles do as they do it, and writes down what it finds. */
#ifndef CK_AUDIT_H
#define CK_AUDIT_H

#include <ckconv/scan.h>

#include "load.h"

/* The rules: X(identifier, name, verdict, severity, what is wrong). */
#define CK_RULES(X)                                                                              \
	X(DANGEROUS_IMPORT, "dangerous-import", CK_DANGEROUS, "8.1",                             \
	  "A pickle imports a module or function that can run code, or reach files, processes or " \
	  "the network.")                                                                        \
	X(DANGEROUS_CALL, "dangerous-call", CK_DANGEROUS, "9.8",                                 \
	  "A pickle calls a function that can run code, or reach files, processes or "           \
	  "the network.")                                                                        \
	X(CALL_OF_VALUE, "call-of-value", CK_DANGEROUS, "9.8",                                   \
	  "A pickle calls what another call returned, so that nobody can tell what it is.")      \
	X(DOTTED_NAME, "dotted-name", CK_DANGEROUS, "8.1",                                       \
	  "A pickle reaches through an object to its attributes by a name with a dot in it.")    \
	X(COMPUTED_NAME, "computed-name", CK_DANGEROUS, "8.1",                                   \
	  "A pickle imports a name that is not written in it but computed.")                     \
	X(CHANGED_GLOBAL, "changed-global", CK_DANGEROUS, "9.8",                                 \
	  "A pickle changes a class, function or module of the program that loads it.")          \
	X(ODD_NAME, "odd-name", CK_DANGEROUS, "8.1",                                             \
	  "A pickle imports a name that no module or function has, made to mislead.")            \
	X(ODD_ARGUMENTS, "odd-arguments", CK_DANGEROUS, "7.5",                                   \
	  "A pickle calls a harmless function with arguments that make it harmful.")             \
	X(HARMFUL_SCRIPT, "harmful-script", CK_DANGEROUS, "8.1",                                 \
	  "TorchScript code, which runs when it is loaded, reaches files or other machines.")    \
	X(UNKNOWN_GLOBAL, "unknown-global", CK_UNKNOWN, "5.0",                                   \
	  "A pickle imports a class or function that is not known to be harmless.")              \
	X(UNKNOWN_CALL, "unknown-call", CK_UNKNOWN, "5.0",                                       \
	  "A pickle makes or calls something that is not known to be harmless.")                 \
	X(EXTENSION_CODE, "extension-code", CK_UNKNOWN, "5.0",                                   \
	  "A pickle names a global by a number of the copyreg registry.")                        \
	X(ODD_PERSISTENT_ID, "odd-persistent-id", CK_UNKNOWN, "5.0",                             \
	  "A pickle names something outside of it in a way that torch does not.")                \
	X(BAD_ARGUMENTS, "bad-arguments", CK_MALFORMED, "5.0",                                   \
	  "A pickle calls a known function with arguments that it does not take.")               \
	X(CHANGED_TENSOR, "changed-tensor", CK_MALFORMED, "7.5",                                 \
	  "A pickle sets items in a tensor or another value that has none.")                     \
	X(EXPANDS, "expands", CK_MALFORMED, "5.0",                                               \
	  "A few bytes stand for values of a size that no memory holds.")                        \
	X(BROKEN_PICKLE, "broken-pickle", CK_MALFORMED, "5.0",                                   \
	  "A pickle cannot be read to its end; what Python does before it finds out, it does.")  \
	X(FRAME_PICKLE, "frame-pickle", CK_MALFORMED, "5.0",                                     \
	  "A pickle that should hold numbers and texts only names a class or function.")         \
	X(BROKEN_CHECKPOINT, "broken-checkpoint", CK_MALFORMED, "5.0",                           \
	  "The tensors that the file promises do not fit its data.")                             \
	X(EXPANDED_TENSOR, "expanded-tensor", CK_MALFORMED, "5.0",                               \
	  "A tensor is far larger than the data behind it.")                                     \
	X(OVERLAPPING_TENSOR, "overlapping-tensor", CK_SAFE, "0.0",                              \
	  "Elements of a tensor share their bytes, as expand() and as_strided() make it.")       \
	X(OVER_LIMIT, "over-limit", CK_MALFORMED, "5.0",                                         \
	  "The file is more than a limit allows, so that not all of it was looked at.")          \
	X(BROKEN_ARCHIVE, "broken-archive", CK_MALFORMED, "5.0",                                 \
	  "The archive is damaged, or readers disagree on what is in it.")                       \
	X(ODDITY, "oddity", CK_SAFE, "0.0",                                                      \
	  "Something is unusual about the file, and does no harm.")                              \
	X(UNACCOUNTED_BYTES, "unaccounted-bytes", CK_MALFORMED, "5.0",                           \
	  "Bytes of the file belong to nothing that is known.")                                  \
	X(NOT_SCANNED, "not-scanned", CK_MALFORMED, "5.0",                                       \
	  "A part of the file could not be opened, so nobody knows what is in it.")              \
	X(UNUSUAL_OPCODE, "unusual-opcode", CK_SAFE, "0.0",                                      \
	  "A pickle has opcodes that torch.save does not write.")

typedef enum ck_rule {
#define X(id, name, verdict, severity, about) CK_RULE_##id,
	CK_RULES(X)
#undef X
	CK_RULE_COUNT
} ck_rule;

/* What a finding is about. */
typedef struct ck_place {
	const char *member;       /* safe to print; "" for the file itself */
	const ck_source *source;  /* what offsets count in */
	unsigned stream;          /* which pickle of the source */
} ck_place;

/* The scan of one file. */
typedef struct ck_audit {
	ck_job *job;
	const ck_source *file;
	const ck_policy *policy;  /* or NULL */
	const char *format;
	ck_finding *findings;
	size_t finding_count, finding_cap;
	uint64_t left_out;
	size_t kept[CK_DANGEROUS + 1][2]; /* findings of each verdict, suppressed ones apart */
	ck_map found;             /* what was found -> index + 1 in findings, against doubles */
	ck_global_use *globals;
	size_t global_count, global_cap;
	uint64_t globals_left_out;
	ck_map denied;            /* names that are known to be harmful; filled when it is needed */
	ck_map words;             /* of Python's own names; filled when it is needed */
	ck_map standings;         /* "module\0name" -> ck_standing */
	uint64_t pickles;
	uint64_t digest_budget;   /* bytes of arguments that fingerprints still hold apart */
	bool incomplete;
	bool hopeless;            /* over a limit or full of faults: reading the tensors is vain */
	bool only_weights;        /* until something says otherwise */
	bool circles;             /* a list, dict or the like holds itself */
	bool with_sha256;         /* say that of the file */
	const char *sha256;       /* or NULL */
	bool with_tensors;        /* check those of every checkpoint, too */
	bool script;              /* an archive of TorchScript, where names below __torch__ are its
	                           * own types */
	bool meaningful;          /* a pickle named something that means anything to the loader */
	uint64_t unremembered;    /* names beyond those that are remembered, each looked up anew */
	uint64_t made;            /* bytes that calls make of what they are given */
	uint64_t attributes;      /* that were looked at in states */
	uint64_t vain;            /* bytes that were read as opcodes, and were none */
	uint64_t skimmed;         /* bytes of pickles that were read ahead and then broke */
	unsigned depth;           /* files inside files that are open just now */
	ck_hash_set elsewhere;    /* {offset, length}: see elsewhere.c */
	unsigned looked_elsewhere; /* at such places */
	unsigned elsewhere_depth; /* such places inside one another, just now */
	const char *taken;        /* the member that is asked for, as in FILE!MEMBER; or NULL */
	bool met;                 /* a member was looked at that this may be the name of */
} ck_audit;

/* Writes a finding down. `draft` has the rule's name, member, place and fingerprint filled in here;
 * the rest is the caller's, with texts that are safe to print and live as long as the job. `at` is
 * an offset in place->source, or CK_NO_OFFSET. */
bool ck_audit_find(ck_audit *audit, ck_rule rule, const ck_place *place, uint64_t at,
                   const ck_finding *draft);
/* The same for a finding that is one sentence. */
bool ck_audit_say(ck_audit *audit, ck_rule rule, const ck_place *place, uint64_t at,
                  uint64_t length, const char *fmt, ...) CK_PRINTF(6, 7);
/* The same for one of many of a kind: those that count are counted in *told, and beyond CK_TOLD_MAX
 * of them only as left out. */
enum { CK_TOLD_MAX = 100 };
bool ck_audit_say_some(ck_audit *audit, unsigned *told, ck_rule rule, const ck_place *place,
                       uint64_t at, uint64_t length, const char *text);
/* Where in the file that is, or CK_NO_OFFSET if it does not lie there as it is. */
uint64_t ck_audit_offset(const ck_audit *audit, const ck_place *place, uint64_t at);
/* Fills in the fingerprint of a finding that has all else. */
void ck_fingerprint(ck_finding *finding);
/* Sorts what was found, and says what it amounts to. */
const ck_report *ck_audit_report(ck_audit *audit);
/* Lets the job have memory for a report beyond its limit: that a file is too much can be told. */
void ck_report_room(ck_job *job);
/* Looks through the file and reports; where that takes more than a limit allows, what was found up
 * to there. NULL as for ck_audit_source. */
const ck_report *ck_audit_run(ck_audit *audit);
/* The same, once for each rule, global and pickle: doubles are only counted. *index is then its
 * place in audit->findings, or SIZE_MAX if there are too many. */
bool ck_audit_find_once(ck_audit *audit, ck_rule rule, const ck_place *place, uint64_t at,
                        const ck_finding *draft, size_t *index);
/* How a member that a report names lies to the one that FILE!MEMBER takes. Names that may be the
 * same count as the same. */
typedef enum ck_lie { CK_LIES_APART, CK_LIES_AROUND, CK_LIES_WITHIN } ck_lie;
ck_lie ck_member_lies(const char *taken, const char *member);
/* To be told of each member of an archive. */
void ck_audit_meet(ck_audit *audit, const char *member);
/* Notes a global that is used for the first time; *index is then its place in audit->globals, or
 * SIZE_MAX if there are too many. */
bool ck_audit_use(ck_audit *audit, const ck_global_use *use, size_t *index);

/* Judges what a pickle does; `place` says where it is. */
bool ck_judge_event(ck_audit *audit, const ck_place *place, const ck_event *event);
/* Judges what a whole pickle came to: how large it unfolds, and by which opcodes it was written.
 * `job` is the one that it was read in. */
bool ck_judge_whole(ck_audit *audit, const ck_place *place, ck_job *job, const ck_value *root,
                    const ck_seen *seen);
/* Whether that looks at the root. */
bool ck_judge_needs_root(const ck_source *source, const ck_seen *seen);

/* Looks through a file, or a file inside it. False only if it cannot be read at all, memory ended,
 * or the job was stopped. */
bool ck_audit_source(ck_audit *audit, const ck_source *source, const char *member);
/* Checks the tensors of a file that is a checkpoint; nothing to do in others. `pure`: it is nothing
 * but pickles, and all of them were judged. */
bool ck_audit_tensors(ck_audit *audit, const ck_source *source, const char *member, bool pure);
ck_audit *ck_audit_new(ck_job *job, const ck_source *file);

#endif
