/* The rebuild rules that the table of globals names, and what they share. Each fills a ck_made from
 * the recorded call; the checks of bounds come later, in one place. */
#ifndef CK_REBUILD_H
#define CK_REBUILD_H

#include "load.h"

/* (storage, offset, size, stride[, requires_grad, hooks[, metadata]]) */
ck_rebuild ck_rebuild_tensor_v2;
/* (untyped storage, offset, size, stride, requires_grad, hooks, dtype[, metadata]) */
ck_rebuild ck_rebuild_tensor_v3;
/* torch.FloatTensor() with (storage, offset, size, stride) built into it */
ck_rebuild ck_rebuild_typed_tensor;
/* Variable or Parameter: (data[, requires_grad, ...]), or the same built into it */
ck_rebuild ck_rebuild_variable;
/* build_tensor_from_id(number), or TensorID with a number built in: a tensor of a table that the
 * layout has */
ck_rebuild ck_rebuild_numbered;
/* torch.storage._load_from_bytes(bytes): a checkpoint inside a value */
ck_rebuild ck_rebuild_nested;

/* (storage, offset, size, stride, parameters, requires_grad, hooks); quantized.c */
ck_rebuild ck_rebuild_quantized;
/* (layout, (tensors and sizes)); sparse.c */
ck_rebuild ck_rebuild_sparse;
/* (buffer, sizes, strides, offsets), and ({'values': ..., 'offsets': ...}); nested.c */
ck_rebuild ck_rebuild_nested_tensor;
ck_rebuild ck_rebuild_jagged;
/* (class, dtype, ...) with a state built in that holds the data; wrapped.c */
ck_rebuild ck_rebuild_wrapper;
/* A sharded tensor of before it was a wrapper, with its shards built in; wrapped.c */
ck_rebuild ck_rebuild_sharded;
/* (tensor or array, dtype, device, requires_grad); wrapped.c */
ck_rebuild ck_rebuild_device_tensor;
/* (class, arguments of another function...); wrapped.c */
ck_rebuild ck_rebuild_fastai;
ck_rebuild ck_rebuild_fastai_quantized;

/* ---- what the rules share ---- */

/* Fails with CK_CORRUPT at the call that is being rebuilt. */
bool ck_rebuild_fail(ck_torch *torch, const char *fmt, ...) CK_PRINTF(2, 3);
/* The same with ", not a list" behind. */
bool ck_rebuild_bad(ck_torch *torch, const ck_value *argument, const char *what);
/* The argument of a recorded call, or NULL. */
const ck_value *ck_argument(const ck_value *call, size_t index);
/* An INT that counts; a tuple or list of such, or torch.Size of one (`counts` has room for one
 * more). `what` is the rule: "a tensor's sizes must be counts". */
bool ck_as_count(ck_torch *torch, const ck_value *value, const char *what, uint64_t *count);
bool ck_as_counts(ck_torch *torch, const ck_value *value, const char *what, uint64_t **counts,
                  size_t *n);
/* A str of exactly this text. */
bool ck_is_word(const ck_value *value, const char *word);
/* The dtype of a global such as torch.float16. False: it is none that is known; nothing failed. */
bool ck_as_dtype(const ck_value *value, ck_dtype *dtype);

/* The tensor of (storage, offset, size, stride, ...), signs left out. *done: it cannot be read, and
 * made says why. */
bool ck_rebuild_view(ck_torch *torch, const ck_items *args, ck_made *made, bool *done);
/* The same with the signs; the same of a quantized tensor. */
bool ck_rebuild_plain_view(ck_torch *torch, const ck_items *args, ck_made *made);
bool ck_rebuild_quantized_view(ck_torch *torch, const ck_items *args, ck_made *made);
/* One more tensor beside, one more fact; there is room for CK_MADE_MAX. A value of NULL failed. */
void ck_made_beside(ck_made *made, const char *key, ck_tensor *tensor);
bool ck_made_fact(ck_made *made, const char *key, const char *value);
/* True: nothing failed, but the tensor cannot be written. */
bool ck_made_unsupported(ck_made *made, const char *about);
/* "[3, 4]" in the arena. NULL after a failure. */
const char *ck_shape_text(ck_job *job, const uint64_t *shape, size_t ndim);
/* The value of a text key in keys and values in turn, or NULL: then the job may have failed,
 * because the look was charged for, and ck_load fails in the end. */
ck_value *ck_item_named(ck_torch *torch, const ck_items *pairs, const char *key);

/* A new tensor of kind CK_MADE_TENSOR. NULL after a failure. */
ck_tensor *ck_made_tensor(ck_torch *torch, ck_made *made);
/* What a value that must be a tensor, such as the indices of a sparse one, is made to: the call is
 * rebuilt once, however often it is shared. NULL after a failure. It may be CK_MADE_META or
 * _VALUE. */
const ck_made *ck_rebuild_value(ck_torch *torch, const ck_value *value);
/* The same, but a plain tensor with data it must be; `what` names it. */
ck_tensor *ck_rebuild_part(ck_torch *torch, const ck_value *value, const char *what);
/* shape and stride of C order; `shape` is kept, not copied. */
bool ck_tensor_shape(ck_torch *torch, ck_tensor *tensor, uint64_t *shape, size_t ndim);

/* A storage that no persistent id names: `size` bytes of `source` from `offset`. `name` is what
 * messages call it. NULL after a failure. */
ck_storage *ck_storage_new(ck_torch *torch, const char *name, const ck_source *source,
                           uint64_t offset, uint64_t size);
/* The bytes of a value as a source: bytes, bytearray, a str of latin-1 characters (NumPy's data in
 * pickles of Python 2), _codecs.encode(str, 'latin1'), bytearray(...) of one of them. NULL, without
 * failure, for all else: see *failed. Bytes that were left in the file stay there. */
const ck_source *ck_bytes_source(ck_torch *torch, const ck_value *value, bool *failed);

/* ---- storages of torch ---- */

/* torch.FloatStorage, torch.cuda.HalfStorage, torch.UntypedStorage...: the dtype of their elements
 * (bytes for the untyped one). False: the global is no storage class that is known. */
bool ck_storage_class(const ck_value *global, ck_dtype *dtype);

/* What a persistent id says of a storage. */
typedef struct ck_storage_id {
	const char *key, *location;
	size_t key_len, location_len;
	uint64_t count; /* elements */
	uint64_t start; /* where a view of the storage begins, in elements; 0: it is none */
	ck_dtype dtype;
} ck_storage_id;

/* Reads ('storage', class, key, location, count[, view]). The view of the legacy layout is None or
 * (key of the view, first element, elements). */
bool ck_storage_read_id(ck_torch *torch, const ck_value *value, ck_storage_id *id);
/* The storage that a tensor views; its dtype and the first element go into the tensor. */
bool ck_storage_of(ck_torch *torch, const ck_value *value, ck_tensor *tensor);
/* True for ('module', class, file, source), by which the legacy layout names classes. */
bool ck_storage_is_module(const ck_value *value);

#endif
