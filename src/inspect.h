/* How the files of an inspection share what they find. */
#ifndef CK_INSPECT_H
#define CK_INSPECT_H

#include <ckconv/inspect.h>

#include "edit.h"
#include "sight.h"

/* Tensors that share something. */
typedef struct ck_looking_row {
	ck_entry *const *entries;
	size_t count;
	uint64_t bytes;
} ck_looking_row;

typedef struct ck_looking_rows {
	ck_looking_row *row;
	size_t count, cap;
} ck_looking_rows;

typedef struct ck_looking {
	ck_inspection shown; /* first: what callers see */
	ck_job *job;
	ck_model *model;     /* all entries have names */
	ck_looking_rows ties, shared;
	char *name;          /* of the tensor that was asked for last */
	size_t name_room;
} ck_looking;

/* Printable, whole. NULL after a failure. */
const char *ck_looking_text(ck_job *job, const char *text, size_t len);
const char *ck_looking_dtype(const ck_tensor *tensor);

/* inspect_names.c: what is told by names: the tree, ties, shared storages. */
bool ck_looking_fold(ck_looking *l);
bool ck_looking_ties(ck_looking *l);

#endif
