/* Files of formats that are only data, read strictly for what lies where in them; model.h brings it
 * along. No tensor data is read. */
#ifndef CK_FORMATS_H
#define CK_FORMATS_H

/* ---- safetensors headers, read strictly ---- */

typedef struct ck_st_dtype {
	const char *name;        /* "F32" */
	unsigned bits;           /* of an element */
} ck_st_dtype;

/* Names, keys and values are UTF-8 without escapes, may hold NULs, and have no NUL behind them. */
typedef struct ck_st_tensor {
	const char *name;
	size_t name_len;
	const ck_st_dtype *dtype;
	size_t ndim;
	const uint64_t *shape;
	uint64_t begin, end;     /* of its bytes, from the start of the data */
	size_t at;               /* where its name stands in the JSON */
} ck_st_tensor;

typedef struct ck_st_pair {
	const char *key;
	size_t key_len;
	const char *value;
	size_t value_len;
} ck_st_pair;

typedef struct ck_safetensors {
	uint64_t data;           /* where the data begin in the source */
	size_t count;
	ck_st_tensor *tensors;   /* in the order of their data, which they cover exactly */
	size_t metadata_count;
	ck_st_pair *metadata;
} ck_safetensors;

/* Whether a file may be safetensors, by its first bytes. */
bool ck_safetensors_begins(const unsigned char *head, size_t len);
/* Reads the header of a source that is all safetensors. Refuses (CK_CORRUPT, with the place) what
 * the format's text or its reference library refuses: a header that is too long, is not strict JSON
 * in UTF-8 or has a key twice, an unknown dtype or field, a shape that is not the span of its data,
 * holes, overlap, and bytes that belong to no tensor. NULL after a failure. */
const ck_safetensors *ck_safetensors_read(ck_job *job, const ck_source *source);

/* ---- ONNX models, read for their weights ---- */

/* Where the elements of a tensor are. Numbers of a type's own field may be packed, which are read
 * as they are only if they have one size. */
typedef enum ck_onnx_place {
	CK_ONNX_RAW,      /* `bytes` bytes at `at`, little endian, in C order */
	CK_ONNX_NUMBERS,  /* `bytes` bytes at `at`: numbers of seven bits a byte, one an element */
	CK_ONNX_EXTERNAL, /* in the file `location` beside the model */
	CK_ONNX_ODD       /* spelled in a way that is not read, as `why` says */
} ck_onnx_place;

typedef struct ck_onnx_tensor {
	const char *name;
	size_t name_len;
	uint64_t type;        /* TensorProto.DataType */
	size_t ndim;
	const uint64_t *shape;
	ck_onnx_place place;
	uint64_t at, bytes;
	const char *location; /* external: `bytes` bytes from offset `at` on of this file */
	const char *why;
	uint64_t message;     /* offset of the tensor in the model */
} ck_onnx_tensor;

typedef struct ck_onnx_output {
	const char *name;
	size_t name_len;
	uint64_t type;
} ck_onnx_output;

typedef struct ck_onnx {
	uint64_t ir_version;
	uint64_t nodes;
	uint64_t sparse;         /* initializers that are sparse, and are not read */
	ck_st_pair *pairs;       /* of metadata, with NULs behind */
	size_t pair_count;
	ck_onnx_tensor *tensors; /* the initializers of the graph, in its order */
	size_t count;
	ck_onnx_output *outputs;
	size_t output_count;
} ck_onnx;

/* Whether a file may be ONNX, by its first bytes. */
bool ck_onnx_begins(const unsigned char *head, size_t len);
/* Reads a source that is all ONNX. Refuses (CK_CORRUPT, with the place) what is no ModelProto with
 * a graph, initializers without a name or with one that is there twice, and shapes that do not fit
 * their bytes. Fields that are none of a tensor's are passed over. NULL after a failure. */
const ck_onnx *ck_onnx_read(ck_job *job, const ck_source *source);

#endif
