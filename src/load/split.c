/* Tensors on their way into the model: complex ones as two real views each, for outputs that hold
 * no complex numbers. */
#include "load.h"

/* The real parts, or the imaginary ones: every second element of the storage. The negative of a
 * conjugate has the imaginary parts as they are stored. */
static ck_tensor *half_of(ck_job *job, const ck_tensor *whole, bool imaginary)
{
	ck_tensor *half = ck_alloc(job, sizeof *half);
	uint64_t *stride = ck_alloc_array(job, whole->ndim + 1, sizeof *stride);
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
	bool ok = ck_tensor_check(job, half, whole->storage->label, "that is complex");
	return ok ? half : NULL;
}

/* Both halves, made once however many names the tensor has. */
typedef struct {
	ck_tensor *half[2];
} halves;

static const halves *split(ck_loaded *loaded, ck_tensor *tensor)
{
	bool fresh;
	ck_job *job = loaded->job;
	ck_tensor **key = ck_alloc(job, sizeof *key);
	if (!key)
		return NULL;
	*key = tensor;
	uint64_t *place = ck_map_put(job, &loaded->halves, key, sizeof *key, &fresh);
	if (!place || !fresh)
		return place ? (const halves *)(uintptr_t)*place : NULL;
	halves *made = ck_alloc(job, sizeof *made);
	*place = (uint64_t)(uintptr_t)made;
	for (size_t i = 0; made && i < CK_COUNT(made->half); i++) {
		made->half[i] = half_of(job, tensor, i);
		if (!made->half[i])
			return NULL;
	}
	if (made && !tensor->same)
		tensor->same = made->half[0]; /* the reference to it in --extras */
	return made;
}

bool ck_load_tensor(ck_loaded *loaded, const ck_path *path, ck_tensor *tensor)
{
	static const char *const names[] = {"real", "imag"};
	ck_job *job = loaded->job;
	if (!loaded->wishes.split_complex || !ck_dtype_is_complex(tensor->dtype))
		return ck_model_add(job, loaded->model, path, tensor);
	const halves *two = split(loaded, tensor);
	for (size_t i = 0; two && i < CK_COUNT(names); i++) {
		const ck_path *beside = ck_path_beside(job, path, names[i]);
		if (!beside || !ck_model_add(job, loaded->model, beside, two->half[i]))
			return false;
	}
	return two;
}
