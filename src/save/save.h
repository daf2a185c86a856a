/* Writers: each lays out a file and leaves the moving of tensor bytes to the copy engine. */
#ifndef CK_SAVE_H
#define CK_SAVE_H

#include "model.h"

/* What is written to. */
typedef struct ck_target {
	ck_file *file;
	ck_file *beside;  /* NULL: the format has no second file */
	bool external;    /* the data goes to the second file, even if there is room in the first */
	uint64_t *planned; /* not NULL: nothing is written, and receives the bytes that would be */
	uint64_t align;   /* safetensors: of the data; 0: 8 */
	unsigned threads; /* 0: as many as there are processors */
} ck_target;

enum { CK_VIEWS_MAX = 2 };
typedef bool ck_read_back(ck_job *job, const ck_target *to, ck_model *views, size_t *count);

typedef struct ck_writer {
	const char *name;   /* for --to */
	const char *suffix; /* ".safetensors"; NULL: it is never guessed from a name */
	const char *about;
	/* The files that OUT stands for; beside: the second one, which stays empty if it is not
	 * needed. NULL: OUT alone. */
	bool (*paths)(ck_job *job, const char *out, const char **file, const char **beside);
	bool takes_external; /* see ck_target */
	bool takes_align;
	bool takes_shards;   /* a model may be in several files of it, with an index */
	/* What keeps a tensor from being written, such as "complex128"; NULL: nothing. */
	const char *(*lacks)(ck_dtype dtype, const char *name, size_t len);
	bool (*write)(ck_job *job, ck_model *model, const ck_target *to);
	/* Reads what was written as strictly as any reader would. */
	bool (*check)(ck_job *job, const ck_target *to);
	/* The same as models, one for each way to see it; there is room for CK_VIEWS_MAX. */
	ck_read_back *read;
} ck_writer;

extern const ck_writer ck_writer_safetensors, ck_writer_onnx, ck_writer_onnx_safetensors;

/* By the suffix of a path, or NULL. */
const ck_writer *ck_writer_of_suffix(const char *path);
/* By name, or by the suffix of `path` if name is NULL. NULL after a failure. */
const ck_writer *ck_writer_find(ck_job *job, const char *name, const char *path);
bool ck_save(ck_job *job, const ck_writer *writer, ck_model *model, const ck_target *to);

/* Writes a safetensors file whose tensors' bytes begin at *data; brings the tensors of the model
 * into the order in which they lie there. */
bool ck_safetensors_write(ck_job *job, ck_model *model, const ck_target *target, uint64_t *data);

/* Fails if all tensors together would need much more room than the input, by the limit `expand`.
 * `done`: what would be done with them, "written". */
bool ck_save_affordable(ck_job *job, const ck_model *model, const char *done);
/* No output gets longer, nor do the values beside it, if it is made of `read` bytes. */
uint64_t ck_save_most(const ck_job *job, uint64_t read);

/* Reads the finished files again; trusts nobody, not even ck_save. */
bool ck_save_check(ck_job *job, const ck_writer *writer, const ck_target *to);

/* What lies in the files that were written: a safetensors file, an ONNX model and perhaps its data,
 * or a model and the safetensors file beside it. */
ck_read_back ck_read_back_safetensors, ck_read_back_onnx, ck_read_back_both;

/* ---- shards.c: models in several files ---- */

typedef struct ck_shards {
	size_t *first; /* number of the first tensor of each file, and of one behind the last */
	size_t count;
} ck_shards;

/* At most `most` bytes of tensors to a file, or one that is larger; 0: those of one input file to
 * one. Brings the tensors of the model into the order of the files. */
bool ck_shards_plan(ck_job *job, ck_model *model, uint64_t most, ck_shards *shards);
/* Writes each file by its target. */
bool ck_shards_save(ck_job *job, const ck_writer *writer, const ck_model *model,
                    const ck_shards *shards, const ck_target *targets);
/* Writes {"metadata": {"total_size": ...}, "weight_map": {...}}, of what the finished files hold:
 * they are read again, and nobody is trusted. */
bool ck_shards_index(ck_job *job, const ck_target *targets, size_t count, ck_file *index);

/* ---- for writers ---- */

/* Plans the way of one tensor's bytes to offset `to` of the output. `inputs` maps the numbers of
 * storages to inputs of the plan plus one; 0: not yet planned. */
bool ck_plan_tensor(ck_job *job, ck_copy_plan *plan, size_t *inputs, const ck_tensor *tensor,
                    uint64_t to);
/* Runs the plan and tells in a note how many storages carried no checksum. */
bool ck_plan_run(ck_job *job, ck_copy_plan *plan, ck_file *file, unsigned threads);

#endif
