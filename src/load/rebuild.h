/* The rebuild rules that the table of globals names. Each fills a tensor from the arguments of the
 * recorded call; the checks of bounds come later, in one place. */
#ifndef CK_REBUILD_H
#define CK_REBUILD_H

#include "load.h"

/* (storage, offset, size, stride[, requires_grad, hooks[, metadata]]) */
bool ck_rebuild_tensor_v2(ck_torch *torch, const ck_call *call, ck_tensor *tensor);
/* (untyped storage, offset, size, stride, requires_grad, hooks, dtype[, metadata]) */
bool ck_rebuild_tensor_v3(ck_torch *torch, const ck_call *call, ck_tensor *tensor);

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
/* True for ('module', class, file, source), by which the legacy layout names classes. */
bool ck_storage_is_module(const ck_value *value);

#endif
