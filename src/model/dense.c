/* Sparse tensors as dense ones: what is stored is put in order, and comes out front to back with
 * zeros between, so that memory follows what is stored and never the dense size. */
#include "model.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

/* ---- addition, as torch adds what is stored to zeros ---- */

static void add_floats(unsigned char *sum, const unsigned char *more, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		uint32_t a, b;
		float x, y;
		memcpy(&a, sum + 4 * i, 4);
		memcpy(&b, more + 4 * i, 4);
		a = le32toh(a);
		b = le32toh(b);
		memcpy(&x, &a, 4);
		memcpy(&y, &b, 4);
		x += y;
		memcpy(&a, &x, 4);
		a = htole32(a);
		memcpy(sum + 4 * i, &a, 4);
	}
}

static void add_doubles(unsigned char *sum, const unsigned char *more, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		uint64_t a, b;
		double x, y;
		memcpy(&a, sum + 8 * i, 8);
		memcpy(&b, more + 8 * i, 8);
		a = le64toh(a);
		b = le64toh(b);
		memcpy(&x, &a, 8);
		memcpy(&y, &b, 8);
		x += y;
		memcpy(&a, &x, 8);
		a = htole64(a);
		memcpy(sum + 8 * i, &a, 8);
	}
}

static uint16_t load_u16(const unsigned char *from)
{
	return (uint16_t)(from[0] | from[1] << 8);
}

static void store_u16(unsigned char *to, uint16_t value)
{
	to[0] = (unsigned char)value;
	to[1] = (unsigned char)(value >> 8);
}

/* Each sum is rounded to a half at once: torch does not gather them in a wider type. */
static void add_halves(unsigned char *sum, const unsigned char *more, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		float x = ck_half_to_float(load_u16(sum + 2 * i));
		float y = ck_half_to_float(load_u16(more + 2 * i));
		store_u16(sum + 2 * i, ck_float_to_half(x + y));
	}
}

static void add_bfloat16s(unsigned char *sum, const unsigned char *more, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		float x = ck_bfloat16_to_float(load_u16(sum + 2 * i));
		float y = ck_bfloat16_to_float(load_u16(more + 2 * i));
		store_u16(sum + 2 * i, ck_float_to_bfloat16(x + y));
	}
}

static void add_integers(unsigned char *sum, const unsigned char *more, uint64_t count, size_t size)
{
	for (uint64_t i = 0; i < count; i++) {
		unsigned carry = 0;
		for (size_t k = 0; k < size; k++) {
			carry += (unsigned)sum[i * size + k] + more[i * size + k];
			sum[i * size + k] = (unsigned char)carry;
			carry >>= 8;
		}
	}
}

static void add_bools(unsigned char *sum, const unsigned char *more, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		sum[i] = sum[i] || more[i];
}

bool ck_dense_is_known(ck_dtype dtype)
{
	switch (dtype) {
	case CK_DT_F64: case CK_DT_F32: case CK_DT_F16: case CK_DT_BF16: case CK_DT_BOOL:
	case CK_DT_C128: case CK_DT_C64: case CK_DT_C32:
	case CK_DT_I64: case CK_DT_I32: case CK_DT_I16: case CK_DT_I8: case CK_DT_U8:
		return true;
	default:
		return false;
	}
}

static void add(ck_dtype dtype, unsigned char *sum, const unsigned char *more, uint64_t count)
{
	switch (dtype) {
	case CK_DT_F64:
		add_doubles(sum, more, count);
		return;
	case CK_DT_C128:
		add_doubles(sum, more, 2 * count);
		return;
	case CK_DT_F32:
		add_floats(sum, more, count);
		return;
	case CK_DT_C64:
		add_floats(sum, more, 2 * count);
		return;
	case CK_DT_F16:
		add_halves(sum, more, count);
		return;
	case CK_DT_C32:
		add_halves(sum, more, 2 * count);
		return;
	case CK_DT_BF16:
		add_bfloat16s(sum, more, count);
		return;
	case CK_DT_BOOL:
		add_bools(sum, more, count);
		return;
	default:
		add_integers(sum, more, count, ck_dtype_table[dtype].size);
		return;
	}
}

/* ---- the bytes, front to back ---- */

typedef struct {
	uint64_t place, number; /* where a unit belongs, and which it is */
} stored;

typedef struct {
	ck_stream stream;
	ck_sparse sparse;
} densified;

enum { ZEROS = 64 << 10 };

static int by_place(const void *a, const void *b)
{
	const stored *x = a, *y = b;
	if (x->place != y->place)
		return x->place < y->place ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

/* All units in the order of their places; those of one place in the order of the values. */
static stored *sort_units(ck_job *job, const ck_sparse *sparse)
{
	stored *units = ck_alloc_array(job, sparse->count + 1, sizeof *units);
	uint64_t *places = ck_alloc_array(job, sparse->count + 1, sizeof *places);
	bool sorted = true;
	if (!units || !places || !sparse->place(job, sparse, places))
		return NULL;
	for (uint64_t i = 0; i < sparse->count; i++) {
		units[i] = (stored){places[i], i};
		sorted = sorted && (!i || places[i - 1] <= places[i]);
	}
	if (!sorted)
		qsort(units, (size_t)sparse->count, sizeof *units, by_place);
	return units;
}

static bool give_zeros(ck_job *job, const ck_sink *sink, uint64_t bytes)
{
	static const unsigned char zeros[ZEROS];
	while (bytes) {
		size_t some = bytes < ZEROS ? (size_t)bytes : ZEROS;
		if (ck_stopped(job) || !sink->take(job, sink->arg, zeros, some))
			return false;
		bytes -= some;
	}
	return true;
}

static bool give_units(ck_job *job, const ck_sparse *sparse, const stored *units,
                       const unsigned char *values, const ck_sink *sink)
{
	ck_dtype dtype = sparse->values->dtype;
	uint64_t bytes = sparse->unit * ck_dtype_table[dtype].size, next = 0;
	unsigned char *sum = ck_alloc_array(job, bytes + 1, 1);
	for (uint64_t i = 0; sum && i < sparse->count;) {
		uint64_t place = units[i].place;
		assert(place >= next && place < sparse->units); /* place() promised it */
		memset(sum, 0, (size_t)bytes);
		for (; i < sparse->count && units[i].place == place; i++)
			add(dtype, sum, values + units[i].number * bytes, sparse->unit);
		if (!give_zeros(job, sink, (place - next) * bytes) ||
		    !sink->take(job, sink->arg, sum, (size_t)bytes))
			return false;
		next = place + 1;
	}
	return sum && give_zeros(job, sink, (sparse->units - next) * bytes);
}

static bool run(ck_job *job, const ck_stream *stream, const ck_sink *sink)
{
	const densified *d = stream->arg;
	const ck_mark mark = ck_arena_mark(job);
	const stored *units = ck_tensor_affordable(job, d->sparse.values)
	                              ? sort_units(job, &d->sparse) : NULL;
	const unsigned char *values = units ? ck_tensor_values(job, d->sparse.values) : NULL;
	bool ok = values && give_units(job, &d->sparse, units, values, sink);
	ck_arena_release(job, mark);
	return ok;
}

ck_tensor *ck_tensor_dense(ck_job *job, ck_model *model, const ck_sparse *sparse, uint64_t *shape,
                           size_t ndim)
{
	ck_tensor *tensor = ck_alloc(job, sizeof *tensor);
	densified *d = ck_alloc(job, sizeof *d);
	uint64_t *stride = ck_alloc_array(job, ndim + 1, sizeof *stride), step = 1;
	if (!tensor || !d || !stride)
		return NULL;
	for (size_t i = ndim; i-- > 0; step *= shape[i]) /* their product was checked */
		stride[i] = step;
	ck_dtype dtype = sparse->values->dtype;
	*tensor = (ck_tensor){.dtype = dtype, .ndim = ndim, .shape = shape, .stride = stride};
	*d = (densified){.sparse = *sparse, .stream = {.run = run, .arg = d}};
	d->stream.size = sparse->units * sparse->unit * ck_dtype_table[dtype].size;
	tensor->storage =
		ck_storage_streamed(job, model, sparse->values->storage, &d->stream);
	return tensor->storage ? tensor : NULL;
}
