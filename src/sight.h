/* What is in an input, whatever is wrong with it. */
#ifndef CK_SIGHT_H
#define CK_SIGHT_H

#include <ckconv/scan.h>

#include "reading.h"

typedef struct ck_sight {
	const ck_report *report; /* of all its files, as ckconv scan has them */
	bool several;            /* the members of its findings begin with the name of a file */
	ck_loaded *loaded;       /* what was found, up to a failure; has a job of its own */
	const ck_error *error;   /* why not all of it could be read, or NULL */
} ck_sight;

/* Reads everything but the data of tensors, and refuses nothing. The reading must be complete.
 * False only if a file could not be read from the disk, memory ended, or the job was stopped. */
bool ck_sight_look(ck_job *job, const char *path, const ck_reading *reading, ck_sight *sight);

#endif
