/* Tensors as views: the rules of bounds, and what must change in their bytes on the way out. */
#include "model.h"

#include <string.h>

#define LLU(x) ((unsigned long long)(x))

static bool count_elements(ck_job *job, ck_tensor *t, const char *where, const char *name)
{
	/* a zero anywhere makes the product zero, but the other sizes must still be sane: the
	 * reference reader multiplies them in order and refuses an overflow */
	uint64_t count = 1, extent = 1;
	for (size_t d = 0; d < t->ndim; d++) {
		count *= t->shape[d];
		if (t->shape[d] && !ck_mul(extent, t->shape[d], &extent))
			return ck_fail(job, CK_CORRUPT, where,
			               "tensor %s: the product of its sizes does not fit 64 bits",
			               name);
	}
	t->count = count;
	if (!ck_mul(extent, ck_dtype_table[t->dtype].size, &extent) || extent > INT64_MAX)
		return ck_fail(job, CK_CORRUPT, where,
		               "tensor %s: its size in bytes does not fit 63 bits", name);
	t->bytes = count * ck_dtype_table[t->dtype].size;
	return true;
}

/* The number of elements of the storage that the view reaches over: behind its last one. */
static bool reach(const ck_tensor *t, uint64_t *end)
{
	*end = t->start;
	for (size_t d = 0; d < t->ndim; d++) {
		uint64_t far;
		if (!ck_mul(t->shape[d] - 1, t->stride[d], &far) || !ck_add(*end, far, end))
			return false;
	}
	return ck_add(*end, 1, end);
}

bool ck_tensor_check(ck_job *job, ck_tensor *t, const char *where, const char *name)
{
	if (!count_elements(job, t, where, name))
		return false;
	if (!t->count || t->storage->meta)
		return true;
	uint64_t end, bytes;
	const ck_storage *s = t->storage;
	if (!reach(t, &end) || !ck_mul(end, ck_dtype_table[t->dtype].size, &bytes))
		return ck_fail(job, CK_CORRUPT, where,
		               "tensor %s: its offset and strides reach beyond 64 bits", name);
	if (bytes > s->size)
		return ck_fail(job, CK_CORRUPT, where,
		               "tensor %s reaches to byte %llu of storage '%s', which has %llu",
		               name, LLU(bytes), ck_show(s->key, s->key_len).s, LLU(s->size));
	return true;
}

static bool is_contiguous(const ck_tensor *t)
{
	uint64_t step = 1;
	for (size_t d = t->ndim; d-- > 0;) {
		if (t->shape[d] != 1 && t->stride[d] != step)
			return false;
		step *= t->shape[d];
	}
	return true;
}

ck_dtype ck_tensor_held(const ck_tensor *t)
{
	return t->cast ? t->held : t->dtype;
}

static bool must_swap(const ck_tensor *t)
{
	return t->storage->big_endian && ck_dtype_table[ck_tensor_held(t)].part > 1;
}

bool ck_tensor_is_plain(const ck_tensor *t)
{
	return is_contiguous(t) && !ck_tensor_change(t);
}

bool ck_tensor_same_view(const ck_tensor *a, const ck_tensor *b)
{
	if (a->storage != b->storage || a->dtype != b->dtype || a->start != b->start ||
	    ck_tensor_held(a) != ck_tensor_held(b) || a->ndim != b->ndim || a->conj != b->conj ||
	    a->neg != b->neg || !a->count)
		return false;
	for (size_t d = 0; d < a->ndim; d++)
		if (a->shape[d] != b->shape[d] ||
		    (a->shape[d] != 1 && a->stride[d] != b->stride[d]))
			return false;
	return true;
}

/* ---- changes ---- */

static void swap_parts(unsigned char *p, size_t parts, size_t size)
{
	for (size_t i = 0; i < parts; i++, p += size)
		for (size_t a = 0, b = size - 1; a < b; a++, b--) {
			unsigned char keep = p[a];
			p[a] = p[b];
			p[b] = keep;
		}
}

/* In little endian the sign of a float is the highest bit of its last byte. */
static void flip_signs(unsigned char *p, size_t count, size_t step, size_t at)
{
	for (size_t i = 0; i < count; i++)
		p[i * step + at] ^= 0x80;
}

static void negate_integers(unsigned char *p, size_t count, size_t size)
{
	for (size_t i = 0; i < count; i++, p += size) {
		unsigned carry = 1;
		for (size_t k = 0; k < size; k++) {
			carry += (unsigned char)~p[k];
			p[k] = (unsigned char)carry;
			carry >>= 8;
		}
	}
}

static bool is_integer(ck_dtype dtype)
{
	switch (dtype) {
	case CK_DT_U64: case CK_DT_I64: case CK_DT_U32: case CK_DT_I32:
	case CK_DT_U16: case CK_DT_I16: case CK_DT_U8: case CK_DT_I8:
		return true;
	default:
		return false;
	}
}

static void change(void *items, size_t count, const void *arg)
{
	const ck_tensor *t = arg;
	const ck_dtype_row *row = &ck_dtype_table[ck_tensor_held(t)];
	size_t parts = (size_t)(row->size / row->part);
	if (must_swap(t))
		swap_parts(items, count * parts, row->part);
	if (t->conj) /* the imaginary half */
		flip_signs(items, count, row->size, (size_t)(row->size - 1));
	if (t->neg && is_integer(ck_tensor_held(t)))
		negate_integers(items, count, row->size);
	else if (t->neg)
		flip_signs(items, count * parts, row->part, (size_t)(row->part - 1));
}

ck_change *ck_tensor_change(const ck_tensor *t)
{
	return must_swap(t) || t->conj || t->neg ? change : NULL;
}

ck_tensor *ck_tensor_contiguous(ck_job *job, ck_storage *storage, ck_dtype dtype,
                                const uint64_t *shape, size_t ndim)
{
	ck_tensor *tensor = ck_alloc(job, sizeof *tensor);
	uint64_t *sizes = ck_alloc_array(job, 2 * ndim + 1, sizeof *sizes), step = 1;
	if (!tensor || !sizes)
		return NULL;
	*tensor = (ck_tensor){.storage = storage, .dtype = dtype, .ndim = ndim, .shape = sizes,
	                      .stride = sizes + ndim};
	for (size_t d = ndim; d-- > 0; step *= shape[d] ? shape[d] : 1) {
		tensor->shape[d] = shape[d];
		tensor->stride[d] = step;
	}
	return tensor;
}
