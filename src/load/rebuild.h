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

#endif
