/* Complex tensors as two real views each, for outputs that hold no complex numbers. */
#include "rebuild.h"
#include "view.h"

#include <string.h>

static bool is_complex(const ck_tensor *tensor)
{
	return tensor && ck_dtype_is_complex(tensor->dtype);
}

/* The real parts, or the imaginary ones: every second element of the storage. The negative of a
 * conjugate has the imaginary parts as they are stored. */
static ck_tensor *half_of(ck_torch *torch, const ck_tensor *whole, bool imaginary)
{
	ck_tensor *half = ck_alloc(torch->job, sizeof *half);
	uint64_t *stride = ck_alloc_array(torch->job, whole->ndim + 1, sizeof *stride);
	if (!half || !stride)
		return NULL;
	*half = *whole;
	half->same = NULL;
	half->conj = false;
	half->neg = whole->neg != (imaginary && whole->conj);
	half->dtype = whole->dtype == CK_DT_C128 ? CK_DT_F64
	              : whole->dtype == CK_DT_C64 ? CK_DT_F32 : CK_DT_F16;
	/* ck_tensor_check found that all which is reached fits; strides of nothing may wrap */
	for (size_t d = 0; d < whole->ndim; d++)
		stride[d] = whole->stride[d] * 2;
	half->stride = stride;
	half->start = whole->start * 2 + imaginary;
	bool ok = ck_tensor_check(torch->job, half, torch->pickle->label, "that is complex");
	return ok ? half : NULL;
}

/* NAME.KEY.real and NAME.KEY.imag; NAME itself has no key. */
static bool add_halves(ck_torch *torch, ck_made *made, const char *key, const ck_tensor *whole)
{
	static const char *const names[] = {"real", "imag"};
	for (size_t i = 0; i < CK_COUNT(names); i++) {
		ck_text text = {0};
		ck_tensor *half = half_of(torch, whole, i);
		if (!half || (key && !ck_text_addf(torch->job, &text, "%s.", key)) ||
		    !ck_text_add(torch->job, &text, names[i], strlen(names[i]) + 1))
			return false;
		ck_made_beside(made, text.data, half);
	}
	return true;
}

const ck_made *ck_made_split(ck_torch *torch, ck_made *made)
{
	bool any = is_complex(made->tensor);
	for (size_t i = 0; i < made->besides; i++)
		any = any || is_complex(made->beside[i].tensor);
	if (!any || made->split)
		return any ? made->split : made;
	ck_made *split = ck_alloc(torch->job, sizeof *split);
	if (!split)
		return NULL;
	*split = *made;
	split->besides = 0;
	if (is_complex(made->tensor)) {
		split->tensor = NULL;
		if (!add_halves(torch, split, NULL, made->tensor))
			return NULL;
	}
	for (size_t i = 0; i < made->besides; i++) {
		ck_tensor *tensor = made->beside[i].tensor;
		if (!is_complex(tensor))
			ck_made_beside(split, made->beside[i].key, tensor);
		else if (!add_halves(torch, split, made->beside[i].key, tensor))
			return NULL;
	}
	made->split = split;
	return split;
}
