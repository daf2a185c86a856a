/* libckconv: what is in a checkpoint, for people and for programs. Nothing is run, and tensor data
 * is not read.
 *
 * Every text is UTF-8, ends with NUL, and is safe to print on a terminal: what comes from a file is
 * escaped. An inspection lives as long as its job. */
#ifndef CKCONV_INSPECT_H
#define CKCONV_INSPECT_H

#include <ckconv/scan.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { CK_INSPECT_SCHEMA = 1 };

/* Something that tells of the program that wrote the file. */
typedef struct ck_origin {
	const char *what, *value; /* "byteorder", "little" */
	const char *means;        /* "as PyTorch 2.1 and later write it", or NULL */
} ck_origin;

/* All tensors of one dtype. Sums that do not fit are UINT64_MAX, here and below. */
typedef struct ck_dtype_total {
	const char *dtype;   /* "F16"; as torch spells it if safetensors has no such type */
	uint64_t tensors, elements, bytes;
} ck_dtype_total;

/* A line of the tree of names, which stands for `tensors` tensors that differ in nothing but their
 * names: "layers.0-31", "{q,k,v}.weight". */
typedef struct ck_tree_line {
	unsigned depth;
	const char *label;
	const char *dtype;   /* NULL: a heading of the deeper lines that follow, or see `like` */
	size_t ndim;
	const uint64_t *shape;
	const char *like;    /* all below looks as it does below this name; or NULL */
	const char *near;    /* the end of that, from the last part on that is above both */
	uint64_t tensors, bytes; /* those of a heading are in its lines, too */
} ck_tree_line;

/* Names of the very same elements, or tensors that view one storage in different ways. */
typedef struct ck_together {
	const char *const *names;
	size_t count;
	uint64_t bytes;      /* of the one view, or of the storage */
} ck_together;

/* What is no tensor, by the first key of its path. */
typedef struct ck_value_row {
	const char *name;    /* "": the root itself */
	uint64_t count;      /* of values */
	const char *text;    /* how they begin, shortened; or NULL */
} ck_value_row;

/* What was found and cannot be converted, or is not. */
typedef struct ck_rest_row {
	const char *name, *what; /* "a.b", "quantized tensor" */
	const char *why;         /* "without data", ... */
} ck_rest_row;

typedef struct ck_meta_row {
	const char *key, *value;
} ck_meta_row;

/* One tensor, in the order of the file. */
typedef struct ck_inspect_tensor {
	const char *name;    /* lives until the next tensor is asked for */
	const char *dtype, *torch_dtype;
	size_t ndim;
	const uint64_t *shape;
	uint64_t elements, bytes;
	uint64_t storage;    /* tensors of one number share their storage */
} ck_inspect_tensor;

typedef struct ck_inspection {
	const char *path;
	const char *format;       /* "torch zip", or what the scan calls it */
	uint64_t size;            /* of the file */
	const ck_report *report;  /* what ckconv scan says of it */
	bool several;             /* files: the members of findings begin with one's name */
	/* Why not all of it could be read, or NULL; then all that follows is what was found up to
	 * there. `status` is the kind of failure. */
	const char *error;
	ck_status status;
	const ck_origin *origins;
	size_t origin_count;
	const char *since;        /* "2.1": no PyTorch before it writes all of these; or NULL */
	size_t tensors;
	uint64_t elements, bytes;
	size_t storages;          /* that tensors view */
	uint64_t storage_bytes;   /* of these */
	const ck_dtype_total *dtypes;
	size_t dtype_count;       /* the most bytes first */
	const ck_tree_line *lines;
	size_t line_count;
	const ck_together *ties, *shared;
	size_t tie_count, shared_count;
	const ck_value_row *values;
	size_t value_rows;
	uint64_t values_total;
	const ck_rest_row *rest;
	size_t rest_count;
	const ck_meta_row *metadata; /* of safetensors and the like */
	size_t metadata_count;
	const char *root;         /* what --root auto takes, if that is not everything; or NULL */
	size_t root_tensors;
} ck_inspection;

typedef struct ck_inspect ck_inspect;

/* Opens a file by its name, FILE!MEMBER, an index of shards, or a folder with a model in it. NULL
 * after a failure. */
CK_API ck_inspect *ck_inspect_open(ck_job *job, const char *path);
/* No names are folded to a tree: the inspection has no lines. */
CK_API void ck_inspect_without_tree(ck_inspect *inspect);
/* As those of ck_convert_open: files that the input names are opened before it is looked through,
 * and nothing is opened later. ck_inspect_run does both if nobody did. */
CK_API bool ck_inspect_is_open(const ck_inspect *inspect);
CK_API const void *ck_inspect_ask(ck_inspect *inspect, size_t *len);
CK_API bool ck_inspect_answer(ck_inspect *inspect, const void *answer, size_t len);
/* As ck_scan_descriptors and ck_scan_file_max. */
CK_API size_t ck_inspect_descriptors(const ck_inspect *inspect, int *to, size_t max);
CK_API uint64_t ck_inspect_file_max(const ck_inspect *inspect);
/* Looks through it. What is wrong with the file is in the inspection; NULL only if the file could
 * not be read from the disk, memory ended, or the job was stopped. */
CK_API const ck_inspection *ck_inspect_run(ck_inspect *inspect);

/* index is less than inspection->tensors. False after a failure. */
CK_API bool ck_inspection_tensor(const ck_inspection *inspection, size_t index,
                                 ck_inspect_tensor *to);
/* One JSON object, as ckconv-inspect(1) explains it, given to `put` piece by piece and without a
 * newline behind; ends if that is false. False then, and after a failure. */
CK_API bool ck_inspection_json(const ck_inspection *inspection,
                               bool (*put)(void *arg, const char *text, size_t len), void *arg);

#ifdef __cplusplus
}
#endif

#endif
