/* Inside the audit room: pickles opcode by opcode. */
#ifndef CK_AUDIT_DIS_H
#define CK_AUDIT_DIS_H

#include "audit.h"

/* Whom each line is told; false ends it. */
typedef struct ck_dis_listener {
	bool (*line)(void *arg, const ck_dis_line *line);
	void *arg;
} ck_dis_listener;

/* Tells the opcodes of all pickles of a file, or of a member of it (what stands behind the first
 * mark of FILE!MEMBER; NULL: the one that an archive of torch has). *whole is false if one of them
 * is broken. False only if there is nothing to tell, or reading or memory failed. */
bool ck_dis_file(ck_job *job, const ck_source *file, const char *member,
                 const ck_dis_listener *listener, bool *whole);
/* The pickles of a source one after the other, `most` of them at most. */
bool ck_dis_source(ck_job *job, const ck_source *file, const ck_source *source, const char *member,
                   unsigned most, const ck_dis_listener *listener, bool *whole);

#endif
