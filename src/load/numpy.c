/* NumPy arrays in pickles: what _reconstruct, _frombuffer and their kin would have made. */
#include <string.h>

#include "numpy.h"
#include "rebuild.h"

#define LLU(x) ((unsigned long long)(x))

static const char SHAPE_RULE[] = "the shape of a NumPy array must be counts";

/* ---- arrays ---- */

bool ck_numpy_measure(ck_torch *torch, ck_numpy_array *array)
{
	uint64_t extent = array->dtype.size ? array->dtype.size : 1, bytes = array->dtype.size;
	for (size_t d = 0; d < array->ndim; d++) {
		bytes *= array->shape[d];
		if (array->shape[d] && !ck_mul(extent, array->shape[d], &extent))
			return ck_rebuild_fail(torch,
			                       "the bytes of a NumPy array do not fit 64 bits");
	}
	if (extent > INT64_MAX)
		return ck_rebuild_fail(torch, "the bytes of a NumPy array do not fit 63 bits");
	array->bytes = bytes;
	return true;
}

ck_tensor *ck_numpy_tensor(ck_torch *torch, const ck_numpy_array *array, ck_storage *storage,
                           uint64_t start)
{
	ck_tensor *tensor = ck_alloc(torch->job, sizeof *tensor);
	if (!tensor || !storage || !ck_tensor_shape(torch, tensor, array->shape, array->ndim))
		return NULL;
	storage->big_endian = array->dtype.big_endian;
	tensor->storage = storage;
	tensor->dtype = array->dtype.dtype;
	tensor->start = start;
	uint64_t step = 1;
	for (size_t d = 0; array->fortran && d < array->ndim; d++) {
		tensor->stride[d] = step;
		step *= array->shape[d];
	}
	return tensor;
}

/* The tensor of an array whose bytes are a value of the pickle. */
static ck_tensor *tensor_of(ck_torch *torch, const ck_numpy_array *array, const ck_value *data)
{
	bool failed;
	const ck_source *source = ck_bytes_source(torch, data, &failed);
	if (!source && !failed)
		ck_rebuild_bad(torch, data, "the data of a NumPy array must be bytes");
	if (!source)
		return NULL;
	if (source->size != array->bytes) {
		ck_rebuild_fail(torch, "a NumPy array needs %s, but its data has %llu",
		                ck_many(array->bytes, "byte").s, LLU(source->size));
		return NULL;
	}
	return ck_numpy_tensor(torch, array,
	                       ck_storage_new(torch, "NumPy array", source, 0, source->size), 0);
}

/* Fills made by the kind of the array's elements. */
static bool make(ck_torch *torch, ck_numpy_array *array, const ck_value *data, ck_made *made)
{
	if (data->kind == CK_LIST) { /* of objects, or of what is kept like them */
		made->kind = CK_MADE_ITEMS;
		made->items = data->items;
		return true;
	}
	if (array->dtype.kind == CK_NUMPY_OBJECTS)
		return ck_rebuild_bad(torch, data,
		                      "the data of a NumPy array of objects must be a list");
	if (array->dtype.kind == CK_NUMPY_OTHER) {
		made->kind = CK_MADE_ARRAY;
		made->about = array->dtype.about;
		return true;
	}
	made->kind = CK_MADE_TENSOR;
	made->tensor = ck_numpy_measure(torch, array) ? tensor_of(torch, array, data) : NULL;
	return made->tensor;
}

/* ---- _reconstruct ---- */

/* The fields of an array's state, wherever they begin: before version 1 there was no number. */
typedef struct {
	const ck_value *shape, *dtype, *fortran, *data;
	const ck_value *mask; /* of a masked array, or NULL */
} fields;

static bool is_array_state(const ck_value *state)
{
	return state->kind == CK_TUPLE && state->items->count >= 4;
}

static bool find_fields(const ck_value *state, fields *f)
{
	if (!is_array_state(state))
		return false;
	ck_value *const *item = state->items->item;
	size_t first = item[0]->kind == CK_INT && state->items->count > 4 ? 1 : 0;
	*f = (fields){item[first], item[first + 1], item[first + 2], item[first + 3],
	              state->items->count > first + 4 ? item[first + 4] : NULL};
	return f->fortran->kind == CK_BOOL || f->fortran->kind == CK_INT;
}

static bool read_fields(ck_torch *torch, const fields *f, ck_numpy_array *array)
{
	array->fortran = f->fortran->kind == CK_BOOL ? f->fortran->b : f->fortran->i != 0;
	return ck_numpy_dtype_read(torch, f->dtype, &array->dtype) &&
	       ck_as_counts(torch, f->shape, SHAPE_RULE, &array->shape, &array->ndim);
}

static bool is_numpys_own(const ck_value *class)
{
	return class && class->kind == CK_GLOBAL && class->global->module_len >= 5 &&
	       !memcmp(class->global->module, "numpy", 5);
}

/* *none: the array's class has a state of its own, in which everything is looked at. */
static bool find_state(ck_torch *torch, const ck_value *value, ck_made *made, fields *f, bool *none)
{
	const ck_items *states = &ck_call_later(value->call)->states;
	*none = true;
	if (!states->count) {
		made->kind = CK_MADE_META;
		made->about = "array without data";
		return true;
	}
	/* many subclasses wrap the state in a tuple with their own attributes */
	const ck_value *state = states->item[0];
	if (state->kind == CK_TUPLE && state->items->count && is_array_state(state->items->item[0]))
		state = state->items->item[0];
	*none = states->count > 1 || !find_fields(state, f);
	if (*none && is_numpys_own(ck_argument(value, 0)))
		return ck_rebuild_fail(torch, "the state of a NumPy array must be a tuple of "
		                       "version, shape, dtype, order and data");
	if (*none) {
		made->kind = CK_MADE_ITEMS;
		made->items = states;
	}
	return true;
}

static bool rebuild(ck_torch *torch, const ck_value *value, ck_numpy_array *array, fields *f,
                    ck_made *made)
{
	bool none;
	if (!find_state(torch, value, made, f, &none))
		return false;
	return none || (read_fields(torch, f, array) && make(torch, array, f->data, made));
}

bool ck_rebuild_ndarray(ck_torch *torch, const ck_value *value, ck_made *made)
{
	fields f = {0};
	ck_numpy_array array = {0};
	return rebuild(torch, value, &array, &f, made);
}

/* JAX arrays: (NumPy's _reconstruct, its arguments, the state of the array[, more]). */
bool ck_rebuild_jax(ck_torch *torch, const ck_value *value, ck_made *made)
{
	fields f;
	ck_numpy_array array = {0};
	const ck_value *state = ck_argument(value, 2);
	if (!state || !is_array_state(state) || !find_fields(state, &f))
		return ck_rebuild_fail(torch, "a JAX array needs the state of a NumPy array");
	return read_fields(torch, &f, &array) && make(torch, &array, f.data, made);
}

bool ck_rebuild_masked(ck_torch *torch, const ck_value *value, ck_made *made)
{
	fields f = {0};
	ck_numpy_array array = {0};
	if (!rebuild(torch, value, &array, &f, made))
		return false;
	if (made->kind != CK_MADE_TENSOR)
		return true;
	if (!f.mask)
		return ck_rebuild_fail(torch, "a masked NumPy array needs a mask");
	array.dtype = (ck_numpy_dtype){.dtype = CK_DT_BOOL, .size = 1};
	ck_tensor *mask =
		ck_numpy_measure(torch, &array) ? tensor_of(torch, &array, f.mask) : NULL;
	if (mask)
		ck_made_beside(made, "mask", mask);
	return mask;
}

/* ---- _frombuffer ---- */

/* transpose(axes) of an array in C order: dimension d of the result is axes[d] of the array. */
static bool transpose(ck_torch *torch, const ck_value *axes, ck_tensor *tensor)
{
	uint64_t *order, shape[CK_DIMS_MAX], stride[CK_DIMS_MAX];
	bool taken[CK_DIMS_MAX] = {false};
	size_t n;
	if (!ck_as_counts(torch, axes, "the axes of a NumPy array must be counts", &order, &n))
		return false;
	for (size_t d = 0; d < n; d++) {
		if (n != tensor->ndim || order[d] >= n || taken[order[d]])
			return ck_rebuild_fail(torch, "the axes of a NumPy array must name "
			                       "each of its dimensions once");
		taken[order[d]] = true;
		shape[d] = tensor->shape[order[d]];
		stride[d] = tensor->stride[order[d]];
	}
	if (n != tensor->ndim)
		return ck_rebuild_fail(torch, "a NumPy array of %s has %zu axes",
		                       ck_many(tensor->ndim, "dimension").s, n);
	memcpy(tensor->shape, shape, n * sizeof *shape);
	memcpy(tensor->stride, stride, n * sizeof *stride);
	return true;
}

bool ck_rebuild_frombuffer(ck_torch *torch, const ck_value *value, ck_made *made)
{
	const ck_items *args = value->call->args->items;
	ck_numpy_array array = {0};
	if (args->count != 4 && args->count != 5)
		return ck_rebuild_fail(torch, "NumPy's _frombuffer needs 4 or 5 arguments, not %u",
		                       args->count);
	const ck_value *order = args->item[3];
	bool any = args->count == 5 && ck_is_word(order, "K") && args->item[4]->kind != CK_NONE;
	array.fortran = ck_is_word(order, "F");
	if (!any && !array.fortran && !ck_is_word(order, "C"))
		return ck_rebuild_bad(torch, order, "the order of a NumPy array must be 'C', 'F', "
		                      "or 'K' with axes");
	if (args->item[0]->kind == CK_BUFFER) {
		made->kind = CK_MADE_UNSUPPORTED;
		made->about = "array whose bytes were pickled out of band: they are not here";
		return true;
	}
	if (!ck_numpy_dtype_read(torch, args->item[1], &array.dtype) ||
	    !ck_as_counts(torch, args->item[2], SHAPE_RULE, &array.shape, &array.ndim) ||
	    !make(torch, &array, args->item[0], made))
		return false;
	return !any || !made->tensor || transpose(torch, args->item[4], made->tensor);
}
