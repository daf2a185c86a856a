/* How torch rebuilds tensors from the arguments of its _rebuild functions. */
#include "rebuild.h"

#include <stdio.h>
#include <string.h>

#define LLU(x) ((unsigned long long)(x))

typedef struct {
	ck_storage storage;
	ck_dtype dtype;
} known_storage;

/* Fails at the call that is being rebuilt. */
static bool CK_PRINTF(2, 3) refuse(ck_torch *torch, const char *fmt, ...)
{
	char text[CK_TEXT_MAX];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	return ck_fail_at(torch->job, CK_CORRUPT, torch->pickle->label, torch->at, "%s", text);
}

static bool bad_argument(ck_torch *torch, const ck_value *argument, const char *what)
{
	return refuse(torch, "%s, not %s", what, ck_value_about(argument).s);
}

/* ---- arguments ---- */

static const ck_value *argument(const ck_call *call, size_t index)
{
	return index < call->args->items->count ? call->args->items->item[index] : NULL;
}

static bool as_count(ck_torch *torch, const ck_value *value, const char *what, uint64_t *count)
{
	if (value->kind == CK_INT && value->i >= 0) {
		*count = (uint64_t)value->i;
		return true;
	}
	if (value->kind == CK_LONG)
		return refuse(torch, "%s, not a number beyond 64 bits", what);
	if (value->kind != CK_INT)
		return bad_argument(torch, value, what);
	return refuse(torch, "%s, not %lld", what, (long long)value->i);
}

/* A tuple or list of counts, or torch.Size of one. */
static bool as_counts(ck_torch *torch, const ck_value *value, const char *what, uint64_t **counts,
                      size_t *n)
{
	if (value->kind == CK_CALL && ck_value_is_global(value->call->callee, "torch", "Size") &&
	    value->call->args->items->count == 1)
		value = value->call->args->items->item[0];
	if (value->kind != CK_TUPLE && value->kind != CK_LIST)
		return bad_argument(torch, value, what);
	*n = value->items->count;
	if (*n > CK_DIMS_MAX)
		return refuse(torch, "a tensor has at most %d dimensions, not %zu", CK_DIMS_MAX,
		              *n);
	*counts = ck_alloc_array(torch->job, *n + 1, sizeof **counts);
	if (!*counts)
		return false;
	for (size_t i = 0; i < *n; i++)
		if (!as_count(torch, value->items->item[i], what, &(*counts)[i]))
			return false;
	return true;
}

static bool is_true(const ck_items *pairs, const char *key)
{
	const char *text;
	size_t len;
	for (size_t i = 0; i < pairs->count; i += 2)
		if (ck_value_text(pairs->item[i], &text, &len) && len == strlen(key) &&
		    !memcmp(text, key, len))
			return pairs->item[i + 1]->kind == CK_BOOL && pairs->item[i + 1]->b;
	return false;
}

/* {'conj': True, 'neg': True}: the bytes are not yet the values. */
static bool read_metadata(ck_torch *torch, const ck_value *value, ck_tensor *tensor)
{
	if (!value || value->kind == CK_NONE)
		return true;
	if (value->kind != CK_DICT)
		return bad_argument(torch, value, "a tensor's metadata must be a dict");
	tensor->conj = is_true(value->items, "conj");
	tensor->neg = is_true(value->items, "neg");
	if (tensor->conj && !ck_dtype_is_complex(tensor->dtype))
		return refuse(torch, "only a complex tensor can be a conjugate");
	if (tensor->neg && !ck_dtype_has_sign(tensor->dtype))
		return refuse(torch, "a tensor of %s cannot be a negative",
		              ck_dtype_table[tensor->dtype].torch);
	return true;
}

/* ---- storages ---- */

bool ck_storage_class(const ck_value *value, ck_dtype *dtype)
{
	static const char *const modules[] = {"torch", "torch.cuda", "torch.storage"};
	static const char *const untyped[] = {"UntypedStorage", "_UntypedStorage"};
	static const char suffix[] = "Storage";
	if (value->kind != CK_GLOBAL)
		return false;
	const ck_global *g = value->global;
	bool torch = false;
	for (size_t i = 0; i < CK_COUNT(modules); i++)
		torch = torch || (g->module_len == strlen(modules[i]) &&
		                  !memcmp(g->module, modules[i], g->module_len));
	if (!torch || g->name_len < sizeof suffix)
		return false;
	for (size_t i = 0; i < CK_COUNT(untyped); i++)
		if (g->name_len == strlen(untyped[i]) &&
		    !memcmp(g->name, untyped[i], g->name_len)) {
			*dtype = CK_DT_U8;
			return true;
		}
	size_t stem = g->name_len - (sizeof suffix - 1);
	return !memcmp(g->name + stem, suffix, sizeof suffix - 1) &&
	       ck_dtype_of_stem(g->name, stem, dtype);
}

static bool is_word(const ck_value *value, const char *word)
{
	const char *text;
	size_t len;
	return ck_value_text(value, &text, &len) && len == strlen(word) && !memcmp(text, word, len);
}

bool ck_storage_is_module(const ck_value *value)
{
	return value->kind == CK_PERSID && value->pid->kind == CK_TUPLE &&
	       value->pid->items->count >= 2 && is_word(value->pid->items->item[0], "module");
}

static bool read_view(ck_torch *torch, const ck_value *view, ck_storage_id *id)
{
	uint64_t size, end;
	if (view->kind == CK_NONE)
		return true;
	if (view->kind != CK_TUPLE || view->items->count != 3)
		return refuse(torch, "a view of a storage must be a tuple of 3 fields");
	if (!as_count(torch, view->items->item[1], "a view's first element must be a count",
	              &id->start) ||
	    !as_count(torch, view->items->item[2], "a view's size must be a count", &size))
		return false;
	if (!ck_add(id->start, size, &end) || end > id->count)
		return refuse(torch, "a view of storage '%s' reaches beyond its %llu elements",
		              ck_show(id->key, id->key_len).s, LLU(id->count));
	return true;
}

bool ck_storage_read_id(ck_torch *torch, const ck_value *value, ck_storage_id *id)
{
	const char *word;
	size_t len;
	if (value->kind != CK_PERSID)
		return bad_argument(torch, value, "a tensor needs a storage");
	if (value->pid->kind != CK_TUPLE || value->pid->items->count < 5)
		return refuse(torch, "a storage's persistent id must be a tuple of 5 fields");
	ck_value **field = value->pid->items->item;
	if (!ck_value_text(field[0], &word, &len))
		return bad_argument(torch, field[0], "a persistent id must begin with 'storage'");
	if (len != 7 || memcmp(word, "storage", 7) != 0)
		return refuse(torch, "a persistent id must begin with 'storage', not '%s'",
		              ck_show(word, len).s);
	if (!ck_storage_class(field[1], &id->dtype))
		return bad_argument(torch, field[1], "a storage's type must be one of torch's");
	if (!ck_value_text(field[2], &id->key, &id->key_len))
		return bad_argument(torch, field[2], "a storage's key must be a string");
	if (!ck_value_text(field[3], &id->location, &id->location_len))
		return bad_argument(torch, field[3], "a storage's location must be a string");
	id->start = 0;
	return as_count(torch, field[4], "a storage's size must be a count of elements",
	                &id->count) &&
	       (value->pid->items->count < 6 || read_view(torch, field[5], id));
}

static bool check_known(ck_torch *torch, const ck_storage_id *id, const known_storage *known,
                        uint64_t size)
{
	if (known->dtype != id->dtype)
		return refuse(torch,
		              "storage '%s' is %s here and %s elsewhere; torch never writes that",
		              ck_show(id->key, id->key_len).s, ck_dtype_table[id->dtype].torch,
		              ck_dtype_table[known->dtype].torch);
	if (known->storage.size != size)
		return refuse(torch, "storage '%s' has %llu bytes here and %llu elsewhere",
		              ck_show(id->key, id->key_len).s, LLU(size),
		              LLU(known->storage.size));
	return true;
}

static bool make_storage(ck_torch *torch, const ck_storage_id *id, uint64_t size,
                         known_storage *known)
{
	known->dtype = id->dtype;
	known->storage = (ck_storage){
		.key = id->key, .key_len = id->key_len, .size = size,
		.big_endian = torch->big_endian,
		.meta = id->location_len == 4 && !memcmp(id->location, "meta", 4),
		.number = torch->model->storages++,
	};
	return known->storage.meta || torch->find(torch, &known->storage);
}

/* The storage that a tensor views; its dtype and the first element go into the tensor. */
static bool as_storage(ck_torch *torch, const ck_value *value, ck_tensor *tensor)
{
	ck_storage_id id;
	uint64_t size;
	bool fresh;
	if (!ck_storage_read_id(torch, value, &id))
		return false;
	if (!ck_mul(id.count, ck_dtype_table[id.dtype].size, &size))
		return refuse(torch,
		              "storage '%s' claims %llu elements of %s, more bytes than fit 64 "
		              "bits",
		              ck_show(id.key, id.key_len).s, LLU(id.count),
		              ck_dtype_table[id.dtype].torch);
	uint64_t *place = ck_map_put(torch->job, &torch->storages, id.key, id.key_len, &fresh);
	if (!place)
		return false;
	known_storage *known = (known_storage *)(uintptr_t)*place;
	if (fresh) {
		known = ck_alloc(torch->job, sizeof *known);
		*place = (uint64_t)(uintptr_t)known;
		if (!known || !make_storage(torch, &id, size, known))
			return false;
	} else if (!check_known(torch, &id, known, size)) {
		return false;
	}
	tensor->storage = &known->storage;
	tensor->dtype = known->dtype;
	tensor->start = id.start;
	return true;
}

/* ---- rules ---- */

static bool read_arguments(ck_torch *torch, const ck_call *call, ck_tensor *tensor)
{
	size_t strides;
	uint64_t offset = 0;
	if (call->args->items->count < 4)
		return refuse(torch,
		              "a tensor needs a storage, an offset, sizes and strides, but only "
		              "%zu arguments are here",
		              call->args->items->count);
	if (!as_storage(torch, argument(call, 0), tensor) ||
	    !as_count(torch, argument(call, 1), "a tensor's offset must be a count of elements",
	              &offset) ||
	    !as_counts(torch, argument(call, 2), "a tensor's sizes must be counts", &tensor->shape,
	               &tensor->ndim) ||
	    !as_counts(torch, argument(call, 3), "a tensor's strides must be counts",
	               &tensor->stride, &strides))
		return false;
	if (!ck_add(tensor->start, offset, &tensor->start))
		return refuse(torch, "a tensor's offset does not fit 64 bits");
	if (strides != tensor->ndim)
		return refuse(torch, "a tensor of %zu dimensions has %zu strides", tensor->ndim,
		              strides);
	return true;
}

bool ck_rebuild_tensor_v2(ck_torch *torch, const ck_call *call, ck_tensor *tensor)
{
	return read_arguments(torch, call, tensor) &&
	       read_metadata(torch, argument(call, 6), tensor);
}

bool ck_rebuild_tensor_v3(ck_torch *torch, const ck_call *call, ck_tensor *tensor)
{
	const ck_value *dtype = argument(call, 6);
	if (!read_arguments(torch, call, tensor))
		return false;
	if (!dtype || dtype->kind != CK_GLOBAL ||
	    !ck_value_is_global(dtype, "torch", dtype->global->name) ||
	    !ck_dtype_of_torch(dtype->global->name, dtype->global->name_len, &tensor->dtype))
		return bad_argument(torch, dtype ? dtype : call->args,
		                    "a tensor's dtype must be one that ckconv knows");
	if (tensor->start != (uint64_t)argument(call, 1)->i)
		return refuse(torch, "a view of an untyped storage is not known");
	return read_metadata(torch, argument(call, 7), tensor);
}
