/* The files that a conversion writes: one, one with another beside it, or shards with an index. */
#ifndef CK_OUTPUTS_H
#define CK_OUTPUTS_H

#include "files.h"
#include "reading.h"

typedef struct ck_outputs {
	ck_job *job;
	const ck_options *options;
	const ck_writer *writer;
	const ck_reading *from; /* whose files are never replaced */
	ck_output *output;
	const char *path;       /* of the file, or of what the names of shards are made of */
	const char *folder;     /* that was named, if `in_folder` */
	bool in_folder;
	bool open;              /* nothing is left to be made */
	ck_target *targets;     /* of each file */
	size_t count;
	ck_file *index;         /* of several files, or NULL */
	ck_file *extras;        /* or NULL */
} ck_outputs;

/* Chooses the writer, by the format or the suffix of `out`. Where the input or the output is of
 * several files, a name that ends with a slash is a folder, and so is that of one which exists; for
 * an input of several files one without the suffix of a format, too. */
bool ck_outputs_choose(ck_outputs *outputs, const char *out, bool from_folder);
/* Makes the files, as far as it is known how many they are; `from` must be open. */
bool ck_outputs_open(ck_outputs *outputs);
/* How many files the tensors of a model need. */
bool ck_outputs_plan(ck_job *job, const ck_outputs *outputs, ck_model *model, ck_shards *shards);
/* Makes so many. */
bool ck_outputs_make(ck_outputs *outputs, size_t count);
/* Those of all files, at most `max` of them in `to`; returns how many there are. */
size_t ck_outputs_descriptors(const ck_outputs *outputs, int *to, size_t max);
/* Reads strictly what was written, makes the index of it, and brings all files to their names. */
bool ck_outputs_commit(ck_outputs *outputs);

#endif
