/* joblib's streams: a pickle in which a wrapper stands for each array, and where the array's bytes,
 * or a whole pickle of its objects, follow behind the BUILD of the wrapper. */
#include <string.h>

#include "joblib.h"
#include "numpy.h"
#include "rebuild.h"
#include "view.h"

static bool is_wrapper_class(const ck_value *class)
{
	return ck_value_is_global(class, "joblib.numpy_pickle", "NumpyArrayWrapper") ||
	       ck_value_is_global(class, "sklearn.externals.joblib.numpy_pickle",
	                          "NumpyArrayWrapper");
}

/* Protocols 0 and 1 make objects by copyreg._reconstructor(class, object, None), and its other
 * functions stand for opcodes. */
static bool is_wrapper(const ck_value *call)
{
	static const char *const makers[] = {"_reconstructor", "__newobj__", "__newobj_ex__"};
	const ck_value *callee = call->call->callee, *first = ck_argument(call, 0);
	if (is_wrapper_class(callee))
		return true;
	for (size_t i = 0; first && is_wrapper_class(first) && i < CK_COUNT(makers); i++)
		if (ck_value_is_global(callee, "copyreg", makers[i]) ||
		    ck_value_is_global(callee, "copy_reg", makers[i]))
			return true;
	return false;
}

/* Looks through all of them: of two values under one name the last one counts. */
static const ck_value *attribute(const ck_value *state, const char *name)
{
	const ck_value *found = NULL;
	for (size_t i = 0; state->kind == CK_DICT && i < state->items->count; i += 2)
		if (ck_is_word(state->items->item[i], name))
			found = state->items->item[i + 1];
	return found;
}

/* Many wrappers may share one state, which may be large. */
static bool charge(ck_torch *torch, const ck_value *state)
{
	return state->kind != CK_DICT || ck_view_charge(torch, state->items->count);
}

static bool read_wrapper(ck_torch *torch, const ck_value *state, ck_numpy_array *array)
{
	const ck_value *dtype = attribute(state, "dtype"), *shape = attribute(state, "shape");
	const ck_value *order = attribute(state, "order");
	if (!dtype || !shape || !order)
		return ck_rebuild_fail(torch, "joblib's array wrapper needs a dtype, a shape and "
		                       "an order");
	array->fortran = ck_is_word(order, "F");
	return ck_numpy_dtype_read(torch, dtype, &array->dtype) &&
	       ck_as_counts(torch, shape, "the shape of a NumPy array must be counts",
	                    &array->shape, &array->ndim);
}

/* Since joblib 1.2 a byte that counts the padding stands before the array. */
static bool skip_padding(ck_torch *torch, const ck_value *state, uint64_t *at)
{
	unsigned char padding;
	const ck_value *alignment = attribute(state, "numpy_array_alignment_bytes");
	if (!alignment || alignment->kind == CK_NONE || torch->unpadded)
		return true;
	if (!ck_source_holds(torch->job, torch->pickle, "array of joblib", *at, 1) ||
	    !ck_read_at(torch->job, torch->pickle, *at, &padding, 1))
		return false;
	*at += 1u + padding;
	return true;
}

static bool take_bytes(ck_torch *torch, const ck_value *state, ck_numpy_array *array, uint64_t *at,
                       ck_made *made)
{
	uint64_t begin;
	if (!skip_padding(torch, state, at) || !ck_numpy_measure(torch, array))
		return false;
	begin = *at;
	if (!ck_source_holds(torch->job, torch->pickle, "array of joblib", begin, array->bytes))
		return false;
	*at += array->bytes;
	if (array->dtype.kind != CK_NUMPY_TENSOR) {
		*made = (ck_made){.kind = CK_MADE_ARRAY, .about = array->dtype.about};
		return true;
	}
	made->kind = CK_MADE_TENSOR;
	made->tensor = ck_numpy_tensor(torch, array,
	                               ck_storage_new(torch, "array of joblib", torch->pickle,
	                                              begin, array->bytes), 0);
	return made->tensor && ck_tensor_check(torch->job, made->tensor, torch->pickle->label,
	                                       "of joblib");
}

/* An array of objects is a pickle of its own, with a memo of its own. */
static bool take_pickle(ck_torch *torch, uint64_t *at, ck_made *made)
{
	ck_torch *inner = ck_torch_new(torch->loaded, torch->pickle);
	if (!inner)
		return false;
	inner->level = torch->level;
	inner->root = ck_torch_read(inner, at);
	made->kind = CK_MADE_INNER;
	made->inner = inner;
	return inner->root;
}

/* What is only judged may lack some of its values: nobody would know where the array ends. */
static bool is_whole(const ck_value *state)
{
	for (size_t i = 0; state->kind == CK_DICT && i < state->items->count; i++)
		if (ck_value_left_out(state->items->item[i]))
			return false;
	return !ck_value_left_out(state);
}

static bool on_built(void *arg, ck_value *call, uint64_t *at)
{
	ck_torch *torch = arg;
	const ck_items *states = &ck_call_later(call->call)->states;
	ck_numpy_array array = {0};
	if (!is_wrapper(call))
		return true;
	torch->at = call->at;
	if (!torch->array_inside)
		torch->array_inside = *at;
	if (states->count != 1)
		return ck_rebuild_fail(torch, "joblib's array wrapper is built more than once");
	if (!is_whole(states->item[0]))
		return ck_rebuild_fail(torch,
		                       "joblib's array wrapper has more attributes than any");
	ck_made *made = ck_alloc(torch->job, sizeof *made);
	if (!made || !charge(torch, states->item[0]) ||
	    !read_wrapper(torch, states->item[0], &array))
		return false;
	call->call->meaning = made;
	return array.dtype.holds_objects ? take_pickle(torch, at, made)
	                                 : take_bytes(torch, states->item[0], &array, at, made);
}

void ck_joblib_watch(ck_torch *torch)
{
	torch->seen.built = on_built;
	torch->seen.arg = torch;
}

/* ---- rules ---- */

bool ck_rebuild_joblib(ck_torch *torch, const ck_value *value, ck_made *made)
{
	(void)torch;
	(void)value;
	made->kind = CK_MADE_UNSUPPORTED;
	made->about = "array of joblib, whose bytes do not follow it";
	return true;
}

bool ck_rebuild_joblib_file(ck_torch *torch, const ck_value *value, ck_made *made)
{
	const char *name = "another file";
	size_t len = strlen(name);
	const ck_items *states = &ck_call_later(value->call)->states;
	if (states->count && !charge(torch, states->item[0]))
		return false;
	const ck_value *file = states->count ? attribute(states->item[0], "filename") : NULL;
	if (file)
		ck_value_text(file, &name, &len);
	ck_text about = {0};
	made->kind = CK_MADE_UNSUPPORTED;
	if (!ck_text_addf(torch->job, &about,
	                  "array of an old joblib, which lies in '%s' beside it",
	                  ck_show(name, len).s) ||
	    !ck_text_add(torch->job, &about, "", 1))
		return false;
	made->about = about.data;
	return true;
}
