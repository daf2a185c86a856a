/* What is read: everything is opened by name first, and nothing is opened later. */
#ifndef CK_READING_H
#define CK_READING_H

#include <ckconv/ckconv.h>

#include "load.h"
#include "save.h"

struct ck_checkpoint {
	ck_loaded *loaded;
	ck_model *model;
};

/* An input that is open, and what the options want of it. */
typedef struct ck_reading ck_reading;

/* Opens a file, FILE!MEMBER where there is no file of the whole name, an index of shards or a
 * folder with a model in it, and what else `options` name; they must live as long as the job. NULL
 * after a failure. */
ck_reading *ck_reading_open(ck_job *job, const char *path, const ck_options *options);
/* Tensors that this writer cannot write are set aside; without one, every tensor is taken. */
void ck_reading_suit(ck_reading *reading, const ck_writer *writer);
/* What a model is called where it is written anew: "model", or as its files are. */
const char *ck_reading_stem(const ck_reading *reading);
/* False while files that the input names are not open: which they are, ask() finds out. It reads
 * and opens nothing, perhaps for another job and in a process of its own; answer() trusts nobody
 * and opens them. */
bool ck_reading_is_open(const ck_reading *reading);
const void *ck_reading_ask(ck_job *job, const ck_reading *reading, size_t *len);
bool ck_reading_answer(ck_reading *reading, const void *names, size_t len);
/* Both, in one go. */
bool ck_reading_complete(ck_reading *reading);
/* The same reading for another job, as if nothing had been read. */
ck_reading *ck_reading_again(ck_job *job, const ck_reading *reading);
/* How many files the tensors come in, as far as that can be told; 1 for a single one. */
size_t ck_reading_shards(const ck_reading *reading);
/* The descriptors that ck_reading_run needs, at most `max` of them in `to`; returns how many there
 * are. */
size_t ck_reading_descriptors(const ck_reading *reading, int *to, size_t max);
/* Whether `path` is one of the files that are read. */
bool ck_reading_is_path(const ck_reading *reading, const char *path);
/* Reads everything but the data of tensors. NULL after a failure. */
ck_checkpoint *ck_reading_run(ck_reading *reading);
/* What the public headers say of a tensor. */
void ck_entry_describe(const ck_entry *entry, ck_tensor_info *info);

/* The files that it reads; and what lies beside a model, for ck_wishes. */
const struct ck_files *ck_reading_files(const ck_reading *reading);
const ck_beside *ck_reading_beside(ck_job *job, const struct ck_files *files);

#endif
