/* What a conversion asks the audit before and after it reads a file, so that it never takes what a
 * scan would warn of. */
#ifndef CK_AUDIT_GATE_H
#define CK_AUDIT_GATE_H

#include "audit.h"

typedef struct ck_gate {
	const ck_policy *policy; /* or NULL */
	const ck_report *report; /* NULL once there is nothing to tell */
	const char *member; /* of the archive that is taken, as in FILE!MEMBER, or NULL */
	uint64_t globals_left_out; /* of the report */
	bool whole;  /* what is found anywhere counts, as it cannot be told from the member */
	bool disarm; /* take the tensors out all the same */
	bool strict; /* nothing may be unknown */
} ck_gate;

/* Scans the file. Refuses a dangerous one, unless it shall be disarmed. */
bool ck_gate_open(ck_job *job, const ck_source *source, ck_gate *gate);
/* To be asked when the loader, which has more to say about what is broken, took the file: refuses a
 * malformed one, and tells what is unknown in it or was left behind. */
bool ck_gate_close(ck_job *job, const ck_gate *gate);

#endif
