/* The files of one input: the one that was named, and those that belong to it. */
#ifndef CK_FILES_H
#define CK_FILES_H

#include "load.h"

typedef enum ck_input_kind {
	CK_INPUT_FILE,   /* a file, or a member of one */
	CK_INPUT_ONNX,   /* a model that may keep tensors in files beside it */
	CK_INPUT_INDEX,  /* a list of files, and in which of them each tensor is */
	CK_INPUT_SHARDS  /* files with numbers in their names, and no list */
} ck_input_kind;

typedef struct ck_files {
	ck_job *job;
	ck_input_kind kind;
	const char *folder;        /* where they lie: "models/gpt2/", or "" */
	const char *stem;          /* what the model is called where it is written anew */
	const ck_source *head;     /* the file, the model, the index, or the first shard */
	const char *member;        /* of FILE!MEMBER, or NULL */
	const char **names;        /* of the shards, or of what lies beside a model */
	const ck_source **sources;
	size_t count;
	bool open;                 /* nothing is left to be opened */
	uint64_t bytes;            /* of all of them */
} ck_files;

/* Whether a path is that of a folder or of an index. */
bool ck_files_are_many(const char *path);
/* Opens a file, FILE!MEMBER where there is no file of the whole name, an index, or the one model
 * that a folder holds. Which files an index or an ONNX model names is not looked at: that takes
 * reading. NULL after a failure. */
ck_files *ck_files_open(ck_job *job, const char *path);
/* The names of the files that are left to be opened, one after the other, each with a NUL behind;
 * opens nothing itself. */
bool ck_files_ask(ck_job *job, const ck_files *files, ck_text *names);
/* Opens them. Trusts nobody: they must be names of files in the folder, and below a model no
 * symbolic link is followed. */
bool ck_files_answer(ck_files *files, const char *names, size_t len);
/* Notes on files that look as if they belonged to the model, and are not read; with `strict` they
 * are an error. */
bool ck_files_tell_strays(const ck_files *files, bool strict);
/* Whether `path` is one of the files. */
bool ck_files_hold(const ck_files *files, const char *path);

#endif
