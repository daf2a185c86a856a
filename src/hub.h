/* How Hugging Face's libraries name the files of a model. */
#ifndef CK_HUB_H
#define CK_HUB_H

#include "io.h"

/* The model that a folder holds. */
typedef struct ck_hub_model {
	const char *path;     /* of the file, of the index, or of the first shard */
	const char **shards;  /* names in the folder, by their numbers, if there is no index */
	size_t shard_count;
} ck_hub_model;

/* Looks at the names of the files in a folder, and at nothing else. Fails if it holds no model,
 * several, or not all numbers of one. */
bool ck_hub_find(ck_job *job, const char *folder, ck_hub_model *model);
/* True for the name of an index: "model.safetensors.index.json". */
bool ck_hub_is_index(const char *path);

/* True for STEM-00001-of-00003.SUFFIX, with more than one; *number and *count are of its name. */
bool ck_hub_is_shard(const char *path, unsigned long *number, unsigned long *count);
/* What a model that is written anew is called: "model" for pytorch_model.bin and its like, or else
 * the stem of its own name. NULL after a failure. */
const char *ck_hub_stem(ck_job *job, const char *path);
/* Counts the files of a folder that are called as shards with the stem and suffix of `like`, but
 * are none of `known`; *first is the name of one of them. What cannot be read holds none. */
size_t ck_hub_strays(ck_job *job, const char *folder, const char *like, const char *const *known,
                     size_t count, const char **first);

/* "model-00001-of-00003.safetensors" for "model.safetensors": numbers begin with 1. */
const char *ck_hub_shard_name(ck_job *job, const char *path, size_t number, size_t count);
/* "model.safetensors.index.json" */
const char *ck_hub_index_name(ck_job *job, const char *path);

#endif
