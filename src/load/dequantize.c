/* What torch's dequantize() computes of quantized integers, with its very roundings. */
#include "quantized.h"

#include <endian.h>
#include <string.h>

typedef struct {
	const ck_tensor *scales, *zero_points;
	double *scale;             /* of each channel */
	double *zero_point;
	int64_t zero;              /* of all, where there is one */
	uint64_t channels, inner;  /* elements that follow each other in one channel */
	uint64_t seen;
	ck_dtype dtype;
	bool real_zeros;           /* zero points are floats, and so is all arithmetic */
	unsigned per_byte;         /* elements in a byte */
} reals;

static void store(unsigned char *to, float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof bits);
	bits = htole32(bits);
	memcpy(to, &bits, sizeof bits);
}

static int32_t load(const unsigned char *from, ck_dtype dtype)
{
	uint32_t bits;
	if (dtype == CK_DT_QINT8)
		return (int8_t)*from;
	if (dtype != CK_DT_QINT32)
		return *from;
	memcpy(&bits, from, sizeof bits);
	return (int32_t)le32toh(bits);
}

/* One scale for all: the difference is an int32 that may wrap, as in torch. */
static void apply_one(void *arg, const void *items, size_t count, void *to)
{
	const reals *r = arg;
	const unsigned char *from = items;
	unsigned char *out = to;
	float scale = (float)r->scale[0];
	uint32_t zero = (uint32_t)r->zero;
	size_t size = ck_dtype_table[r->dtype].size;
	for (size_t i = 0; i < count; i++, from += size, out += 4) {
		int32_t difference = (int32_t)((uint32_t)load(from, r->dtype) - zero);
		store(out, scale * (float)difference);
	}
}

/* With integer zero points torch multiplies as double, with real ones as float. */
static float real_of(const reals *r, uint64_t channel, int32_t value)
{
	float difference = (float)value - (float)r->zero_point[channel];
	if (r->real_zeros)
		return difference * (float)r->scale[channel];
	return (float)((double)difference * r->scale[channel]);
}

static void apply_channels(void *arg, const void *items, size_t count, void *to)
{
	reals *r = arg;
	const unsigned char *from = items;
	unsigned char *out = to;
	size_t size = ck_dtype_table[r->dtype].size;
	for (size_t i = 0; i < count; i++, from += size, out += 4) {
		uint64_t channel = r->seen++ / r->inner % r->channels;
		store(out, real_of(r, channel, load(from, r->dtype)));
	}
}

/* Several elements to a byte, the first one in the lowest bits. */
static void apply_packed(void *arg, const void *items, size_t count, void *to)
{
	reals *r = arg;
	const unsigned char *from = items;
	unsigned char *out = to;
	unsigned bits = 8 / r->per_byte;
	for (size_t i = 0; i < count; i++)
		for (unsigned k = 0; k < r->per_byte; k++, out += 4) {
			unsigned value = from[i] >> (k * bits) & ((1u << bits) - 1);
			uint64_t channel = r->seen++ / r->inner % r->channels;
			store(out, real_of(r, channel, (int32_t)value));
		}
}

typedef struct {
	double *to;
	ck_dtype dtype;
} numbers;

static bool take_numbers(ck_job *job, void *arg, const void *items, size_t count)
{
	numbers *n = arg;
	const unsigned char *from = items;
	size_t size = ck_dtype_table[n->dtype].size;
	(void)job;
	for (size_t i = 0; i < count; i++, from += size) {
		uint64_t wide = 0;
		float single;
		memcpy((char *)&wide, from, size); /* little endian, as on disk */
		wide = le64toh(wide);
		uint32_t narrow = (uint32_t)wide;
		memcpy(&single, &narrow, sizeof single);
		if (n->dtype == CK_DT_F64)
			memcpy(n->to++, &wide, sizeof wide);
		else if (n->dtype == CK_DT_F32)
			*n->to++ = (double)single;
		else if (n->dtype == CK_DT_I32)
			*n->to++ = (int32_t)narrow;
		else
			*n->to++ = (double)(int64_t)wide;
	}
	return true;
}

static double *read_numbers(ck_job *job, const ck_tensor *tensor)
{
	double *all = ck_tensor_affordable(job, tensor)
	                      ? ck_alloc_array(job, tensor->count + 1, sizeof *all) : NULL;
	numbers n = {all, tensor->dtype};
	return all && ck_tensor_each(job, tensor, take_numbers, &n) ? all : NULL;
}

static bool begin(ck_job *job, void *arg)
{
	reals *r = arg;
	r->seen = 0;
	if (!r->scales)
		return true;
	r->scale = read_numbers(job, r->scales);
	r->zero_point = r->scale ? read_numbers(job, r->zero_points) : NULL;
	return r->zero_point;
}

bool ck_quantized_is_real(const ck_tensor *zero_points)
{
	return zero_points->dtype == CK_DT_F32 || zero_points->dtype == CK_DT_F64;
}

static reals *reals_of(ck_torch *torch, const ck_quantized *p)
{
	reals *r = ck_alloc(torch->job, sizeof *r);
	double *one = ck_alloc_array(torch->job, 2, sizeof *one);
	if (!r || !one)
		return NULL;
	one[0] = p->scale;
	one[1] = (double)p->zero_point;
	*r = (reals){.dtype = p->dtype, .scale = &one[0], .zero_point = &one[1],
	             .zero = p->zero_point, .channels = 1, .inner = 1};
	if (p->channels) {
		r->scales = p->scales;
		r->zero_points = p->zero_points;
		r->real_zeros = ck_quantized_is_real(p->zero_points);
	}
	return r;
}

bool ck_dequantize(ck_torch *torch, const ck_quantized *p)
{
	const ck_tensor *from = p->made->tensor;
	reals *r = reals_of(torch, p);
	if (!r)
		return false;
	ck_tensor *to = ck_tensor_computed(
		torch->job, torch->model, from, CK_DT_F32,
		&(ck_formula){.bytes = 4, .begin = begin, .arg = r,
		              .apply = p->channels ? apply_channels : apply_one});
	if (to && p->channels && from->count) {
		r->channels = from->shape[p->axis];
		r->inner = r->channels > 1 ? to->stride[p->axis] : 1;
	}
	p->made->tensor = to;
	return to;
}

bool ck_dequantize_packed(ck_torch *torch, const ck_quantized *p, const ck_tensor *bytes,
                          unsigned per_byte)
{
	reals *r = reals_of(torch, p);
	ck_tensor *tensor = p->made->tensor;
	if (!r)
		return false;
	r->per_byte = per_byte;
	/* one scale for all of such a tensor is a float in torch, and its zero point, too */
	r->real_zeros = r->real_zeros || !p->channels;
	if (p->channels && bytes->count) {
		r->channels = tensor->shape[p->axis];
		for (size_t d = p->axis + 1; d < tensor->ndim; d++)
			r->inner *= tensor->shape[d];
	}
	tensor->dtype = CK_DT_F32;
	tensor->storage = ck_storage_computed(
		torch->job, torch->model, bytes,
		&(ck_formula){.bytes = 4 * per_byte, .begin = begin, .apply = apply_packed,
		              .arg = r});
	return tensor->storage;
}
