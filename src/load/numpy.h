/* Inside the load room: NumPy's dtypes and arrays, for pickles, for .npy files and for joblib. */
#ifndef CK_LOAD_NUMPY_H
#define CK_LOAD_NUMPY_H

#include "load.h"

typedef enum ck_numpy_kind {
	CK_NUMPY_TENSOR,  /* elements that a tensor can have */
	CK_NUMPY_OBJECTS, /* Python objects, which are pickled */
	CK_NUMPY_OTHER    /* strings, dates, records: `about` says what an array of them is */
} ck_numpy_kind;

typedef struct ck_numpy_dtype {
	ck_numpy_kind kind;
	ck_dtype dtype;
	bool big_endian;
	bool holds_objects; /* objects, or records with objects among their fields */
	uint64_t size;      /* bytes of an element */
	char code;          /* as in dtype.kind: 'f', 'U'...; 0 for types of other packages */
	const char *about;
} ck_numpy_dtype;

/* "<f4", "|b1", "float32", "U7"...: as dtype.str spells it. False: it is none; nothing failed. */
bool ck_numpy_dtype_of_text(const char *text, size_t len, ck_numpy_dtype *dtype);
/* numpy.dtype('f4', ...) with its state, or a class of elements. A dtype of another origin is
 * CK_NUMPY_OTHER. */
bool ck_numpy_dtype_read(ck_torch *torch, const ck_value *value, ck_numpy_dtype *dtype);
/* numpy.float32, numpy.dtypes.Float32DType, ml_dtypes.bfloat16: a class of elements. */
bool ck_numpy_is_type(const ck_value *global);

/* An array, before it is known where its bytes are. */
typedef struct ck_numpy_array {
	ck_numpy_dtype dtype;
	uint64_t *shape;
	size_t ndim;
	bool fortran;   /* the first dimension is the one without gaps */
	uint64_t bytes; /* set by ck_numpy_measure */
} ck_numpy_array;

/* Counts the bytes of all elements; fails if 63 bits cannot. */
bool ck_numpy_measure(ck_torch *torch, ck_numpy_array *array);
/* The tensor of an array of kind CK_NUMPY_TENSOR, whose elements begin at `start` elements of the
 * storage, which is told their byte order. NULL after a failure. */
ck_tensor *ck_numpy_tensor(ck_torch *torch, const ck_numpy_array *array, ck_storage *storage,
                           uint64_t start);

/* _reconstruct(class, shape, type) with the state of an array built into it */
ck_rebuild ck_rebuild_ndarray;
/* _mareconstruct: a masked array, whose mask becomes NAME.mask */
ck_rebuild ck_rebuild_masked;
/* _frombuffer(bytes, dtype, shape, order[, axes]): what pickles of protocol 5 call */
ck_rebuild ck_rebuild_frombuffer;

/* numpy.core.multiarray.scalar(dtype, bytes): a number */
ck_rebuild ck_rebuild_scalar;
/* The number, text or bytes that such a call stands for, as plain values: *count is 1, 2 for the
 * parts of a complex number, and 0, without failure, for all else. */
bool ck_numpy_scalar(ck_torch *torch, const ck_value *value, ck_value plain[2], size_t *count);

/* ---- .npy files ---- */

enum { CK_NPY_PREFIX = 12 }; /* bytes that tell where the header is */

/* Where the header's text begins and the elements begin, from the first bytes of a file. */
bool ck_npy_prefix(ck_torch *torch, const unsigned char *head, size_t len, uint64_t *text,
                   uint64_t *data);
/* Reads the header's text: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
 * array->shape has room for CK_DIMS_MAX. */
bool ck_npy_parse(ck_torch *torch, const char *text, size_t len, ck_numpy_array *array);

#endif
