/* How torch rebuilds tensors from the arguments of its _rebuild functions. */
#include "rebuild.h"
#include "view.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define LLU(x) ((unsigned long long)(x))

/* Fails at the call that is being rebuilt. */
bool ck_rebuild_fail(ck_torch *torch, const char *fmt, ...)
{
	char text[CK_TEXT_MAX];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	ck_utf8_trim(text);
	return ck_fail_at(torch->job, CK_CORRUPT, torch->pickle->label, torch->at, "%s", text);
}

bool ck_rebuild_bad(ck_torch *torch, const ck_value *argument, const char *what)
{
	return ck_rebuild_fail(torch, "%s, not %s", what, ck_value_about(argument).s);
}

/* ---- arguments ---- */

const ck_value *ck_argument(const ck_value *value, size_t index)
{
	const ck_items *args = value->call->args->items;
	return index < args->count ? args->item[index] : NULL;
}

bool ck_as_count(ck_torch *torch, const ck_value *value, const char *what, uint64_t *count)
{
	if (value->kind == CK_INT && value->i >= 0) {
		*count = (uint64_t)value->i;
		return true;
	}
	if (value->kind == CK_LONG)
		return ck_rebuild_fail(torch, "%s, not a number beyond 64 bits", what);
	if (value->kind != CK_INT)
		return ck_rebuild_bad(torch, value, what);
	return ck_rebuild_fail(torch, "%s, not %lld", what, (long long)value->i);
}

/* A tuple or list of counts, or torch.Size of one. */
bool ck_as_counts(ck_torch *torch, const ck_value *value, const char *what, uint64_t **counts,
                      size_t *n)
{
	if (value->kind == CK_CALL && ck_value_is_global(value->call->callee, "torch", "Size") &&
	    value->call->args->items->count == 1)
		value = value->call->args->items->item[0];
	if (value->kind != CK_TUPLE && value->kind != CK_LIST)
		return ck_rebuild_bad(torch, value, what);
	*n = value->items->count;
	if (*n > CK_DIMS_MAX)
		return ck_rebuild_fail(torch, "a tensor has at most %d dimensions, not %zu",
		                       CK_DIMS_MAX, *n);
	*counts = ck_alloc_array(torch->job, *n + 1, sizeof **counts);
	if (!*counts)
		return false;
	for (size_t i = 0; i < *n; i++)
		if (!ck_as_count(torch, value->items->item[i], what, &(*counts)[i]))
			return false;
	return true;
}

ck_value *ck_item_named(ck_torch *torch, const ck_items *pairs, const char *key)
{
	if (!ck_view_scan(torch, pairs->count))
		return NULL;
	for (size_t i = 0; i < pairs->count; i += 2)
		if (ck_is_word(pairs->item[i], key))
			return pairs->item[i + 1];
	return NULL;
}

static bool is_true(ck_torch *torch, const ck_items *pairs, const char *key)
{
	const ck_value *value = ck_item_named(torch, pairs, key);
	return value && value->kind == CK_BOOL && value->b;
}

/* {'conj': True, 'neg': True}: the bytes are not yet the values. */
static bool read_metadata(ck_torch *torch, const ck_value *value, ck_tensor *tensor)
{
	if (!value || value->kind == CK_NONE)
		return true;
	if (value->kind != CK_DICT)
		return ck_rebuild_bad(torch, value, "a tensor's metadata must be a dict");
	tensor->conj = is_true(torch, value->items, "conj");
	tensor->neg = is_true(torch, value->items, "neg");
	if (tensor->conj && !ck_dtype_is_complex(tensor->dtype))
		return ck_rebuild_fail(torch, "only a complex tensor can be a conjugate");
	if (tensor->neg && !ck_dtype_has_sign(tensor->dtype))
		return ck_rebuild_fail(torch, "a tensor of %s cannot be a negative",
		              ck_dtype_table[tensor->dtype].torch);
	return torch->job->error.status == CK_OK;
}

/* ---- tensors ---- */

ck_tensor *ck_made_tensor(ck_torch *torch, ck_made *made)
{
	made->kind = CK_MADE_TENSOR;
	made->tensor = ck_alloc(torch->job, sizeof *made->tensor);
	return made->tensor;
}

void ck_made_beside(ck_made *made, const char *key, ck_tensor *tensor)
{
	assert(made->besides < CK_MADE_MAX);
	made->beside[made->besides].key = key;
	made->beside[made->besides++].tensor = tensor;
}

bool ck_made_fact(ck_made *made, const char *key, const char *value)
{
	assert(made->facts < CK_MADE_MAX);
	made->fact[made->facts].key = key;
	made->fact[made->facts++].value = value;
	return value;
}

bool ck_made_unsupported(ck_made *made, const char *about)
{
	*made = (ck_made){.kind = CK_MADE_UNSUPPORTED, .about = about};
	return true;
}

const char *ck_shape_text(ck_job *job, const uint64_t *shape, size_t ndim)
{
	ck_text text = {0};
	bool ok = ck_text_add(job, &text, "[", 1);
	for (size_t d = 0; d < ndim && ok; d++)
		ok = ck_text_addf(job, &text, "%s%llu", d ? ", " : "", LLU(shape[d]));
	return ok && ck_text_add(job, &text, "]", 2) ? text.data : NULL;
}

bool ck_tensor_shape(ck_torch *torch, ck_tensor *tensor, uint64_t *shape, size_t ndim)
{
	uint64_t step = 1;
	tensor->shape = shape;
	tensor->ndim = ndim;
	tensor->stride = ck_alloc_array(torch->job, ndim + 1, sizeof *tensor->stride);
	if (!tensor->stride)
		return false;
	for (size_t d = ndim; d-- > 0;) {
		tensor->stride[d] = step;
		step *= shape[d]; /* ck_tensor_check finds what does not fit */
	}
	return true;
}

bool ck_as_dtype(const ck_value *value, ck_dtype *dtype)
{
	return value && value->kind == CK_GLOBAL &&
	       ck_value_is_global(value, "torch", value->global->name) &&
	       ck_dtype_of_torch(value->global->name, value->global->name_len, dtype);
}

/* ---- rules ---- */

/* A type of storage from a torch that is newer than we are spoils its own tensors only. */
static bool is_unknown_type(const ck_value *storage)
{
	static const char suffix[] = "Storage";
	ck_dtype dtype;
	if (!storage || storage->kind != CK_PERSID || storage->pid->kind != CK_TUPLE ||
	    storage->pid->items->count < 5)
		return false;
	const ck_value *type = storage->pid->items->item[1];
	size_t len = type->kind == CK_GLOBAL ? type->global->name_len : 0;
	return len >= sizeof suffix && !ck_storage_class(type, &dtype) &&
	       !memcmp(type->global->name + len - (sizeof suffix - 1), suffix, sizeof suffix - 1);
}

static bool read_view(ck_torch *torch, const ck_items *args, ck_tensor *tensor)
{
	size_t strides;
	uint64_t offset = 0;
	if (args->count < 4)
		return ck_rebuild_fail(torch,
		                       "a tensor needs a storage, an offset, sizes and strides, "
		                       "and not only %s", ck_many(args->count, "argument").s);
	if (!ck_storage_of(torch, args->item[0], tensor) ||
	    !ck_as_count(torch, args->item[1], "a tensor's offset must be a count of elements",
	                 &offset) ||
	    !ck_as_counts(torch, args->item[2], "a tensor's sizes must be counts",
	                  &tensor->shape, &tensor->ndim) ||
	    !ck_as_counts(torch, args->item[3], "a tensor's strides must be counts",
	                  &tensor->stride, &strides))
		return false;
	if (!ck_add(tensor->start, offset, &tensor->start))
		return ck_rebuild_fail(torch, "a tensor's offset does not fit 64 bits");
	if (strides != tensor->ndim)
		return ck_rebuild_fail(torch, "a tensor of %s has %s",
		                       ck_many(tensor->ndim, "dimension").s,
		                       ck_many(strides, "stride").s);
	return true;
}

bool ck_rebuild_view(ck_torch *torch, const ck_items *args, ck_made *made, bool *done)
{
	*done = args->count && is_unknown_type(args->item[0]);
	if (*done)
		return ck_made_unsupported(made, "storage of an unknown type");
	return ck_made_tensor(torch, made) && read_view(torch, args, made->tensor);
}

bool ck_rebuild_plain_view(ck_torch *torch, const ck_items *args, ck_made *made)
{
	bool done;
	return ck_rebuild_view(torch, args, made, &done) &&
	       (done || read_metadata(torch, args->count > 6 ? args->item[6] : NULL,
	                              made->tensor));
}

bool ck_rebuild_tensor_v2(ck_torch *torch, const ck_value *value, ck_made *made)
{
	return ck_rebuild_plain_view(torch, value->call->args->items, made);
}

bool ck_rebuild_tensor_v3(ck_torch *torch, const ck_value *value, ck_made *made)
{
	bool done;
	const ck_value *dtype = ck_argument(value, 6);
	if (!ck_rebuild_view(torch, value->call->args->items, made, &done) || done)
		return done;
	if (!ck_as_dtype(dtype, &made->tensor->dtype))
		return ck_rebuild_bad(torch, dtype ? dtype : value->call->args,
		                      "a tensor's dtype must be one that ckconv knows");
	if (made->tensor->start != (uint64_t)ck_argument(value, 1)->i)
		return ck_rebuild_fail(torch, "a view of an untyped storage is not known");
	return read_metadata(torch, ck_argument(value, 7), made->tensor);
}

/* ---- tensors of before 0.4: what counts is built into an empty one ---- */

/* An empty tensor of one dimension, as torch.FloatTensor() makes it. */
static bool make_empty(ck_torch *torch, const ck_global *type, ck_made *made)
{
	static const char suffix[] = "Tensor";
	ck_dtype dtype = CK_DT_F32;
	ck_tensor *tensor = ck_made_tensor(torch, made);
	uint64_t *shape = ck_alloc_array(torch->job, 1, sizeof *shape);
	if (!tensor || !shape)
		return false;
	if (type->name_len >= sizeof suffix)
		ck_dtype_of_stem(type->name, type->name_len - (sizeof suffix - 1), &dtype);
	tensor->dtype = dtype;
	tensor->storage = ck_storage_new(torch, "empty tensor", torch->pickle, 0, 0);
	return tensor->storage && ck_tensor_shape(torch, tensor, shape, 1);
}

bool ck_rebuild_typed_tensor(ck_torch *torch, const ck_value *value, ck_made *made)
{
	bool done;
	const ck_items *states = &ck_call_later(value->call)->states;
	if (!states->count && !value->call->args->items->count &&
	    value->call->callee->kind == CK_GLOBAL)
		return make_empty(torch, value->call->callee->global, made);
	if (states->count != 1 || states->item[0]->kind != CK_TUPLE)
		return ck_rebuild_fail(torch, "a tensor of this type needs a tuple of storage, "
		                       "offset, sizes and strides");
	return ck_rebuild_view(torch, states->item[0]->items, made, &done);
}

/* The tensor that a Variable wraps, and gradients and hooks that nobody misses: (data, grad, ...)
 * of five when it was built in, else the first argument. */
static const ck_value *wrapped(const ck_value *value)
{
	const ck_items *states = &ck_call_later(value->call)->states;
	const ck_value *data = ck_argument(value, 0);
	for (size_t i = 0; i < states->count; i++)
		if (states->item[i]->kind == CK_TUPLE && states->item[i]->items->count >= 4)
			data = states->item[i]->items->item[0];
	return data;
}

bool ck_rebuild_variable(ck_torch *torch, const ck_value *value, ck_made *made)
{
	const ck_value *data = wrapped(value);
	if (!data || data->kind == CK_NONE) {
		made->kind = CK_MADE_META;
		made->about = "parameter without data";
		return true;
	}
	if (data->kind == CK_PERSID && !torch->persistent) /* a Tensor, with its view built in */
		return ck_rebuild_typed_tensor(torch, value, made);
	const ck_made *inner = ck_rebuild_value(torch, data);
	if (inner)
		*made = *inner;
	return inner;
}
