/* What is read: everything is opened by name first, and nothing is opened later. */
#ifndef CK_READING_H
#define CK_READING_H

#include <ckconv/ckconv.h>

#include <ckconv/scan.h>

#include "load.h"
#include "save.h"

struct ck_checkpoint {
	ck_loaded *loaded;
	ck_model *model;
};

/* An input that is open, and what the options want of it. */
typedef struct ck_reading ck_reading;

/* Opens a file, or FILE!MEMBER where there is no file of the whole name, and what else `options`
 * name; they must live as long as the job. With a writer, tensors that it cannot write are set
 * aside; NULL: every tensor is taken. NULL after a failure. */
ck_reading *ck_reading_open(ck_job *job, const char *path, const ck_options *options,
                            const ck_writer *writer);
/* The descriptors that ck_reading_run needs, at most `max` of them in `to`; returns how many there
 * are. */
size_t ck_reading_descriptors(const ck_reading *reading, int *to, size_t max);
/* Whether `path` is one of the files that are read. */
bool ck_reading_is_path(const ck_reading *reading, const char *path);
/* Reads everything but the data of tensors. NULL after a failure. */
ck_checkpoint *ck_reading_run(ck_reading *reading);

/* What is there, whatever is wrong with it. */
typedef struct ck_sight {
	const ck_report *report; /* of the whole file, as ckconv scan has it */
	ck_loaded *loaded;       /* what was found, up to a failure; has a job of its own */
	const ck_error *error;   /* why not all of it could be read, or NULL */
} ck_sight;

/* Reads everything but the data of tensors, and refuses nothing. False only if the file could not
 * be read from the disk, memory ended, or the job was stopped. */
bool ck_reading_look(ck_reading *reading, ck_sight *sight);

#endif
