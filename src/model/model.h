/* The model: an ordered list of named tensors, each a view on a storage, as in torch. Knows neither
 * where tensors come from nor how they are written. */
#ifndef CK_MODEL_H
#define CK_MODEL_H

#include "io.h"

/* ---- dtypes ---- */

/* X(id, torch's name, safetensors' name or NULL, number among ONNX's types or 0, bytes of an
 * element, bytes of each part of it that has a byte order, stem of the storage class or NULL). The
 * order is the one in which safetensors files list their tensors (the dtype enum of the reference
 * library, last one first); what safetensors has no name for comes behind. */
#define CK_DTYPES(X)                                                              \
	X(U64, "uint64", "U64", 13, 8, 8, "UInt64")                               \
	X(I64, "int64", "I64", 7, 8, 8, "Long")                                   \
	X(F64, "float64", "F64", 11, 8, 8, "Double")                              \
	X(C64, "complex64", "C64", 14, 8, 4, "ComplexFloat")                      \
	X(F32, "float32", "F32", 1, 4, 4, "Float")                                \
	X(U32, "uint32", "U32", 12, 4, 4, "UInt32")                               \
	X(I32, "int32", "I32", 6, 4, 4, "Int")                                    \
	X(BF16, "bfloat16", "BF16", 16, 2, 2, "BFloat16")                         \
	X(F16, "float16", "F16", 10, 2, 2, "Half")                                \
	X(U16, "uint16", "U16", 4, 2, 2, "UInt16")                                \
	X(I16, "int16", "I16", 5, 2, 2, "Short")                                  \
	X(F8_E5M2FNUZ, "float8_e5m2fnuz", "F8_E5M2FNUZ", 20, 1, 1, "Float8_e5m2fnuz") \
	X(F8_E4M3FNUZ, "float8_e4m3fnuz", "F8_E4M3FNUZ", 18, 1, 1, "Float8_e4m3fnuz") \
	X(F8_E8M0, "float8_e8m0fnu", "F8_E8M0", 24, 1, 1, "Float8_e8m0fnu")       \
	X(F8_E4M3, "float8_e4m3fn", "F8_E4M3", 17, 1, 1, "Float8_e4m3fn")         \
	X(F8_E5M2, "float8_e5m2", "F8_E5M2", 19, 1, 1, "Float8_e5m2")             \
	X(I8, "int8", "I8", 3, 1, 1, "Char")                                      \
	X(U8, "uint8", "U8", 2, 1, 1, "Byte")                                     \
	X(BOOL, "bool", "BOOL", 9, 1, 1, "Bool")                                  \
	X(C128, "complex128", NULL, 15, 16, 8, "ComplexDouble")                   \
	X(C32, "complex32", NULL, 0, 4, 2, "ComplexHalf")                         \
	X(QINT8, "qint8", NULL, 0, 1, 1, "QInt8")                                 \
	X(QUINT8, "quint8", NULL, 0, 1, 1, "QUInt8")                              \
	X(QINT32, "qint32", NULL, 0, 4, 4, "QInt32")                              \
	X(QUINT4X2, "quint4x2", NULL, 0, 1, 1, "QUInt4x2")                        \
	X(QUINT2X4, "quint2x4", NULL, 0, 1, 1, "QUInt2x4")                        \
	X(F4, "float4_e2m1fn_x2", NULL, 0, 1, 1, NULL)                            \
	X(BITS8, "bits8", NULL, 0, 1, 1, NULL)                                    \
	X(BITS16, "bits16", NULL, 0, 2, 2, NULL)                                  \
	X(BITS1X8, "bits1x8", NULL, 0, 1, 1, NULL)                                \
	X(BITS2X4, "bits2x4", NULL, 0, 1, 1, NULL)                                \
	X(BITS4X2, "bits4x2", NULL, 0, 1, 1, NULL)

typedef enum ck_dtype {
#define X(id, torch, st, onnx, size, part, stem) CK_DT_##id,
	CK_DTYPES(X)
#undef X
	CK_DTYPE_COUNT
} ck_dtype;

typedef struct ck_dtype_row {
	const char *torch;       /* "float32" */
	const char *safetensors; /* "F32", or NULL */
	uint8_t onnx;            /* TensorProto.DataType, or 0 */
	uint8_t size;            /* bytes of an element */
	uint8_t part;            /* what a change of byte order turns round */
	const char *stem;        /* "Float", of torch.FloatStorage and torch.FloatTensor, or NULL */
} ck_dtype_row;

extern const ck_dtype_row ck_dtype_table[CK_DTYPE_COUNT];
bool ck_dtype_is_complex(ck_dtype dtype);
/* True for numbers that can be negated in their own type: integers, and floats with a sign bit. */
bool ck_dtype_has_sign(ck_dtype dtype);
/* By torch's name, or by the stem of a storage class with its length. */
bool ck_dtype_of_torch(const char *name, size_t len, ck_dtype *dtype);
bool ck_dtype_of_stem(const char *stem, size_t len, ck_dtype *dtype);
/* By the name that safetensors has for it, by its number among ONNX's types. */
bool ck_dtype_of_safetensors(const char *name, ck_dtype *dtype);
bool ck_dtype_of_onnx(uint64_t number, ck_dtype *dtype);

/* ---- storages and tensors ---- */

/* A run of bytes that tensors view. */
typedef struct ck_storage {
	const char *key;         /* its name in the file, for messages */
	size_t key_len;
	const char *label;       /* what messages call its bytes: the member of the archive */
	uint64_t size;           /* bytes that tensors may view */
	const ck_source *source; /* NULL: no data (torch's meta device), or `stream` */
	const ck_stream *stream; /* must be unpacked first */
	uint64_t offset;         /* of the first byte in source */
	uint64_t held;           /* bytes that the file holds: all are covered by the CRC */
	uint32_t crc;
	bool has_crc;
	bool checked;            /* the CRC was right, found when something was computed from it */
	bool big_endian;
	bool meta;               /* on torch's meta device: shape without data */
	size_t number;           /* counts the storages of a model */
} ck_storage;

typedef struct ck_tensor {
	ck_storage *storage;
	ck_dtype dtype;
	size_t ndim;
	uint64_t *shape;
	uint64_t *stride;        /* in elements */
	uint64_t start;          /* in elements */
	bool conj, neg;          /* values are the conjugate, the negative, of the bytes */
	bool cast;               /* they lie in the storage as `held`, and become `dtype` when they
	                          * are given or written; none of what reads files makes such */
	ck_dtype held;
	uint64_t *lost;          /* finite values that became infinite or NaN while they are
	                          * written; threads share it */
	bool exact;              /* says what other numbers stand for: is never cast */
	const struct ck_tensor *same; /* what is written in its place, if it was dropped as a tie
	                               * or cast; that may have one, too */
	/* set by ck_tensor_check */
	uint64_t count;          /* elements */
	uint64_t bytes;
} ck_tensor;

/* Applies every rule of bounds once; whoever comes later may rely on them. */
bool ck_tensor_check(ck_job *job, ck_tensor *tensor, const char *where, const char *name);
/* The dtype of the elements in the storage. */
ck_dtype ck_tensor_held(const ck_tensor *tensor);
/* A tensor over a storage from its beginning on, in C order without gaps; to be checked like any
 * other. NULL after a failure. */
ck_tensor *ck_tensor_contiguous(ck_job *job, ck_storage *storage, ck_dtype dtype,
                                const uint64_t *shape, size_t ndim);
/* C order without gaps, native byte order, plain values: its bytes can be copied as they are, or
 * cast. */
bool ck_tensor_is_plain(const ck_tensor *tensor);
/* The same elements of the same storage in the same order. */
bool ck_tensor_same_view(const ck_tensor *a, const ck_tensor *b);
/* The change that conj, neg and byte order ask for, for ck_copy_gather; NULL: none. */
typedef void ck_change(void *items, size_t count, const void *tensor);
ck_change *ck_tensor_change(const ck_tensor *tensor);

/* Reads all of a storage, and fails if it is damaged. */
bool ck_storage_check(ck_job *job, ck_storage *storage);
/* The same by the CRC of all of its bytes; *recorded is false if the archive has none for it. */
bool ck_storage_judge(ck_job *job, const ck_storage *storage, uint32_t crc, bool *recorded);

/* ---- values: tensors that are computed from others ---- */

/* Gives the values of a checked tensor to take(), some at a time, in C order, little endian, signs
 * carried out, after the checksum of the storage was found right. What it needs of the arena is for
 * the caller to give back. */
typedef bool ck_take(ck_job *job, void *arg, const void *items, size_t count);
bool ck_tensor_each(ck_job *job, const ck_tensor *tensor, ck_take *take, void *arg);
/* Fails if the tensor is much larger than its storage, by the limit `expand`: to be asked before
 * memory follows its size. */
bool ck_tensor_affordable(ck_job *job, const ck_tensor *tensor);
/* All of them in the arena, if that is affordable. NULL after a failure. */
void *ck_tensor_values(ck_job *job, const ck_tensor *tensor);

/* How elements are computed. begin() may read what else is needed, and starts anew each time; NULL:
 * nothing. apply() makes `bytes` bytes of each element; it sees all of them in order. */
typedef struct ck_formula {
	size_t bytes;
	bool (*begin)(ck_job *job, void *arg);
	void (*apply)(void *arg, const void *items, size_t count, void *to);
	void *arg;
} ck_formula;

/* A storage of stream->size bytes, of the same name as `like`. */
struct ck_model;
ck_storage *ck_storage_streamed(ck_job *job, struct ck_model *model, const ck_storage *like,
                                ck_stream *stream);
/* What the formula makes of the elements of a checked tensor in C order. */
ck_storage *ck_storage_computed(ck_job *job, struct ck_model *model, const ck_tensor *from,
                                const ck_formula *formula);
/* A tensor of the same shape, to be checked like any other; its strides are those of the order in
 * which the formula sees the elements, which is about the order of the storage. */
ck_tensor *ck_tensor_computed(ck_job *job, struct ck_model *model, const ck_tensor *from,
                              ck_dtype dtype, const ck_formula *formula);

/* Casts from any float to F64, F32, F16, BF16, F8_E4M3 and F8_E5M2, as .to() of torch rounds. */
bool ck_cast_is_float(ck_dtype dtype);
bool ck_cast_is_known(ck_dtype from, ck_dtype to);
/* Values are little endian; `items` and `out` do not overlap. */
void ck_cast_run(ck_dtype from, ck_dtype to, const void *items, size_t count, void *out);
/* The same; `plain`: with the code for every processor of the kind. */
void ck_cast_with(ck_dtype from, ck_dtype to, bool plain, const void *items, size_t count,
                  void *out);
/* The same; how many finite values became infinite or NaN. */
uint64_t ck_cast_count(ck_dtype from, ck_dtype to, const void *items, size_t count, void *out);
/* How the copy engine does it for a tensor that is cast late. NULL after a failure. */
const ck_copy_cast *ck_cast_plan(ck_job *job, const ck_tensor *tensor);
/* A checked tensor of the same storage that is cast on its way; it stands in the place of `from`.
 * The cast must be known. NULL after a failure. */
ck_tensor *ck_tensor_cast_late(ck_job *job, ck_tensor *from, ck_dtype to);
/* A tensor with a storage of its own, of what is cast when that is unpacked. */
ck_tensor *ck_tensor_cast(ck_job *job, struct ck_model *model, const ck_tensor *from, ck_dtype to);
float ck_half_to_float(uint16_t half);
uint16_t ck_float_to_half(float value);
float ck_bfloat16_to_float(uint16_t value);
uint16_t ck_float_to_bfloat16(float value);

/* A sparse tensor: `values` are, in C order, `count` units of `unit` elements, each with its place
 * among the `units` units of the dense tensor; units of one place add up. place() finds all places
 * and is the one to refuse those that are out of range. */
typedef struct ck_sparse {
	const ck_tensor *values;
	uint64_t count, unit, units;
	bool (*place)(ck_job *job, const struct ck_sparse *sparse, uint64_t *places);
	const void *arg;
} ck_sparse;

/* False for dtypes that torch cannot add. */
bool ck_dense_is_known(ck_dtype dtype);
/* The product of the sizes and the size of the dtype must fit 63 bits. `shape` is kept, not copied.
 * The result is to be checked like any other tensor. */
ck_tensor *ck_tensor_dense(ck_job *job, struct ck_model *model, const ck_sparse *sparse,
                           uint64_t *shape, size_t ndim);

/* ---- the model ---- */

/* Where something was found: a chain of keys up to the root, shared by all that lies below. */
typedef struct ck_path {
	const struct ck_path *up; /* NULL: the root */
	const char *key;          /* UTF-8 as str(key) in Python; may hold surrogates */
	size_t key_len;
	bool is_text;             /* the key was a string, and is shown in quotes */
	bool is_beside;           /* no key of the file: one of those that the tensor `up` is */
	size_t depth;             /* keys up to here */
	size_t name_len;          /* of the keys joined by dots */
} ck_path;

const ck_path *ck_path_new(ck_job *job, const ck_path *up, const char *key, size_t len,
                           bool is_text);
/* The place of one of the tensors that the tensor at `up` consists of. */
const ck_path *ck_path_beside(ck_job *job, const ck_path *up, const char *key);
/* The keys below `root`, joined by dots, with a NUL behind. */
char *ck_path_name(ck_job *job, const ck_path *path, const ck_path *root, size_t *len);
/* ['state_dict']['a.b']: unmistakable, for messages. */
ck_shown ck_path_show(const ck_path *path);
/* True if `path` is `root` or lies below it. */
bool ck_path_is_below(const ck_path *path, const ck_path *root);

typedef struct ck_entry {
	const ck_path *path;
	const char *name; /* what it is written as; set once the root is known */
	size_t name_len;
	ck_tensor *tensor;
	size_t file;      /* the number of the file that it comes from */
} ck_entry;

/* What was found and an output cannot hold. */
typedef enum ck_other_kind {
	CK_OTHER_VALUE,      /* no tensor */
	CK_OTHER_ARRAY,      /* an array whose elements no tensor can have: strings, dates */
	CK_OTHER_ASIDE,      /* a tensor that Module.state_dict() leaves out, or a bare storage */
	CK_OTHER_META,       /* a tensor without data */
	CK_OTHER_UNSUPPORTED /* a tensor of a kind that cannot be written */
} ck_other_kind;

typedef struct ck_other {
	const ck_path *path;
	const char *what; /* "int", "meta tensor" */
	ck_other_kind kind;
	size_t count;     /* values that were found one after the other under this path */
} ck_other;

/* Something to be said of a tensor that its bytes do not say: metadata called NAME.key. */
typedef struct ck_fact {
	const ck_path *path;
	const char *key, *value;
} ck_fact;

typedef struct ck_pair {
	const char *key, *value;
	bool tie;         /* says under which name the tensor `key` is written */
} ck_pair;

/* What a file says of the program that wrote it; texts are printable. */
typedef struct ck_trace {
	const char *what, *value; /* "byteorder", "little" */
	const char *means;        /* what is certain by it, or NULL */
	unsigned since;           /* 201: PyTorch 2.1 or later writes this; or 0 */
} ck_trace;

typedef struct ck_model {
	const ck_source *source; /* the file, or what stands for all files of one model */
	uint64_t bytes;         /* of all files */
	size_t files;           /* that were read so far */
	const char **labels;    /* of the files, and of the one that is read */
	size_t label_cap;
	const char *layout;     /* "torch zip" */
	ck_entry *entries;
	size_t count, cap;
	uint64_t name_bytes;    /* of all paths, those of others too, for the limit `text` */
	ck_other *others;
	size_t other_count, other_cap;
	size_t other_tensors;   /* how many of them are tensors */
	ck_pair *metadata;
	size_t metadata_count, metadata_cap;
	ck_fact *facts;
	size_t fact_count, fact_cap;
	ck_trace *traces;       /* only if they were wished for */
	size_t trace_count, trace_cap;
	size_t storages;        /* how many were numbered */
	const ck_path *top;     /* the root of everything */
	bool is_mapping;        /* the root is a dict, where one key may be the weights' home */
	const ck_path *root;    /* what was chosen to be converted */
} ck_model;

/* Says which file is read from now on. */
bool ck_model_name_file(ck_job *job, ck_model *model, const char *label);
bool ck_model_add(ck_job *job, ck_model *model, const ck_path *path, ck_tensor *tensor);
bool ck_model_add_other(ck_job *job, ck_model *model, const ck_path *path, const char *what,
                        ck_other_kind kind);
bool ck_model_add_fact(ck_job *job, ck_model *model, const ck_path *path, const char *key,
                       const char *value);
bool ck_model_add_metadata(ck_job *job, ck_model *model, const char *key, const char *value);
/* Each is kept once, and no more than CK_TRACES_MAX. */
enum { CK_TRACES_MAX = 64 };
bool ck_model_add_trace(ck_job *job, ck_model *model, const ck_trace *trace);
/* Sorts the metadata by key, each said once. Fails if there are two values for one key. */
bool ck_model_settle_metadata(ck_job *job, ck_model *model);

#include "formats.h"

#endif
