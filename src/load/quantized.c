/* Quantized tensors: integers with the scale and zero point that they stand for, or, if that is
 * wished, the reals that torch's dequantize() makes of them. */
#include "rebuild.h"

#include <endian.h>
#include <string.h>

/* What a quantized tensor says besides its integers. */
typedef struct {
	ck_made *made;
	ck_dtype dtype;            /* as stored */
	bool channels;             /* one scale for each, along `axis` */
	double scale;
	int64_t zero_point;
	size_t axis;
	ck_tensor *scales, *zero_points;
} parameters;

/* ---- dequantizing ---- */

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
	double *all = ck_alloc_array(job, tensor->count + 1, sizeof *all);
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

static bool is_real(const ck_tensor *tensor)
{
	return tensor->dtype == CK_DT_F32 || tensor->dtype == CK_DT_F64;
}

static reals *reals_of(ck_torch *torch, const parameters *p)
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
		r->real_zeros = is_real(p->zero_points);
	}
	return r;
}

static bool dequantize(ck_torch *torch, const parameters *p)
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

/* ---- several elements to a byte ---- */

static bool dequantize_packed(ck_torch *torch, const parameters *p, const ck_tensor *bytes,
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

/* The bytes as they are, with what they stand for in the metadata. torch packs across rows. */
static bool make_packed(ck_torch *torch, const parameters *p, bool wanted_real)
{
	ck_made *made = p->made;
	ck_tensor *tensor = made->tensor, *bytes = ck_alloc(torch->job, sizeof *bytes);
	uint64_t *shape = ck_alloc_array(torch->job, 1, sizeof *shape), count = 1;
	unsigned per_byte = p->dtype == CK_DT_QUINT4X2 ? 2 : 4;
	if (!bytes || !shape)
		return false;
	for (size_t d = 0; d < tensor->ndim; d++)
		if (!ck_mul(count, tensor->shape[d], &count))
			return ck_rebuild_fail(torch, "the product of a tensor's sizes does not "
			                       "fit 64 bits");
	*shape = count / per_byte + (count % per_byte != 0);
	*bytes = (ck_tensor){.storage = tensor->storage, .dtype = CK_DT_U8};
	if (tensor->start || !ck_tensor_is_plain(tensor))
		return ck_made_unsupported(made, "view of a quantized tensor with several "
		                           "elements to a byte");
	if (!ck_tensor_shape(torch, bytes, shape, 1) ||
	    !ck_tensor_check(torch->job, bytes, torch->pickle->label, "that is quantized"))
		return false;
	if (wanted_real)
		return dequantize_packed(torch, p, bytes, per_byte);
	made->tensor = bytes;
	return ck_made_fact(made, "dtype", ck_dtype_table[p->dtype].torch) &&
	       ck_made_fact(made, "shape",
	                    ck_shape_text(torch->job, tensor->shape, tensor->ndim));
}

/* ---- what the pickle says ---- */

static ck_tensor *new_numbers(ck_torch *torch, ck_dtype dtype, const void *data, size_t count,
                              size_t ndim)
{
	ck_tensor *tensor = ck_alloc(torch->job, sizeof *tensor);
	uint64_t *shape = ck_alloc_array(torch->job, 1, sizeof *shape);
	uint64_t bytes = count * 8;
	const ck_source *source =
		ck_source_memory(torch->job, torch->pickle->label, data, bytes);
	if (!tensor || !shape || !source)
		return NULL;
	*shape = count;
	tensor->dtype = dtype;
	tensor->storage = ck_storage_new(torch, "quantization parameters", source, 0, bytes);
	bool ok = tensor->storage && ck_tensor_shape(torch, tensor, shape, ndim) &&
	          ck_tensor_check(torch->job, tensor, torch->pickle->label, "of scales");
	return ok ? tensor : NULL;
}

/* A number of the pickle as the 8 little-endian bytes of a float64 or int64. */
static bool read_number(ck_torch *torch, const ck_value *value, ck_dtype dtype, uint64_t *bits)
{
	double real = value->kind == CK_INT ? (double)value->i : value->f;
	if (value->kind != CK_INT && (value->kind != CK_FLOAT || dtype == CK_DT_I64))
		return ck_rebuild_bad(torch, value, dtype == CK_DT_I64
		                                            ? "a zero point must be an integer"
		                                            : "a scale must be a number");
	if (dtype == CK_DT_I64)
		*bits = (uint64_t)value->i;
	else
		memcpy(bits, &real, sizeof *bits);
	*bits = htole64(*bits);
	return true;
}

static ck_tensor *read_list(ck_torch *torch, const ck_items *list, ck_dtype dtype)
{
	uint64_t *bits = ck_alloc_array(torch->job, list->count + 1, sizeof *bits);
	for (size_t i = 0; bits && i < list->count; i++)
		if (list->item[i]->kind == CK_FLOAT)
			dtype = CK_DT_F64;
	for (size_t i = 0; bits && i < list->count; i++)
		if (!read_number(torch, list->item[i], dtype, &bits[i]))
			return NULL;
	return bits ? new_numbers(torch, dtype, bits, list->count, 1) : NULL;
}

/* The scales or zero points of all channels: a tensor, or a list of numbers. */
static ck_tensor *read_channels(ck_torch *torch, const ck_value *value, const char *what,
                                ck_dtype dtype, uint64_t channels)
{
	ck_tensor *tensor = value->kind == CK_LIST ? read_list(torch, value->items, dtype)
	                                           : ck_rebuild_part(torch, value, what);
	if (!tensor)
		return NULL;
	ck_dtype is = tensor->dtype;
	if (!is_real(tensor) && (dtype == CK_DT_F64 || (is != CK_DT_I64 && is != CK_DT_I32)))
		ck_rebuild_fail(torch, "%s cannot be %s", what, ck_dtype_table[is].torch);
	else if (tensor->ndim != 1 || tensor->shape[0] != channels)
		ck_rebuild_fail(torch, "%s must be one for each of the %llu channels", what,
		                (unsigned long long)channels);
	else
		return tensor;
	return NULL;
}

static bool read_per_channel(ck_torch *torch, const ck_items *given, parameters *p)
{
	uint64_t axis;
	const ck_tensor *tensor = p->made->tensor;
	p->channels = true;
	if (given->count != 4)
		return ck_rebuild_fail(torch, "a tensor quantized by channel needs scales, zero "
		                       "points and an axis");
	if (!ck_as_count(torch, given->item[3], "the axis of the channels must be a count", &axis))
		return false;
	if (axis >= tensor->ndim)
		return ck_rebuild_fail(torch, "the axis of the channels is %llu, but the tensor "
		                       "has %zu dimensions", (unsigned long long)axis,
		                       tensor->ndim);
	p->axis = (size_t)axis;
	p->scales = read_channels(torch, given->item[1], "the scales of a quantized tensor",
	                          CK_DT_F64, tensor->shape[axis]);
	p->zero_points = p->scales ? read_channels(torch, given->item[2],
	                                           "the zero points of a quantized tensor",
	                                           CK_DT_I64, tensor->shape[axis])
	                           : NULL;
	return p->zero_points;
}

static bool read_per_tensor(ck_torch *torch, const ck_items *given, parameters *p)
{
	uint64_t *bits = ck_alloc_array(torch->job, 2, sizeof *bits);
	if (given->count != 3)
		return ck_rebuild_fail(torch, "a quantized tensor needs a scale and a zero point");
	if (!bits || !read_number(torch, given->item[1], CK_DT_F64, &bits[0]) ||
	    !read_number(torch, given->item[2], CK_DT_I64, &bits[1]))
		return false;
	uint64_t scale = le64toh(bits[0]);
	memcpy(&p->scale, &scale, sizeof scale);
	p->zero_point = given->item[2]->i;
	p->scales = new_numbers(torch, CK_DT_F64, &bits[0], 1, 0);
	p->zero_points = new_numbers(torch, CK_DT_I64, &bits[1], 1, 0);
	return p->scales && p->zero_points;
}

/* (scheme, scale, zero point) or (scheme, scales, zero points, axis) */
static bool read_parameters(ck_torch *torch, const ck_value *value, parameters *p)
{
	if (!value || value->kind != CK_TUPLE || !value->items->count)
		return ck_rebuild_fail(torch, "a quantized tensor needs a tuple of its scheme and "
		                       "parameters");
	const ck_value *scheme = value->items->item[0];
	if (ck_value_is_global(scheme, "torch", "per_tensor_affine"))
		return read_per_tensor(torch, value->items, p);
	if (ck_value_is_global(scheme, "torch", "per_channel_affine") ||
	    ck_value_is_global(scheme, "torch", "per_channel_affine_float_qparams"))
		return read_per_channel(torch, value->items, p);
	return ck_rebuild_fail(torch, "a quantization scheme must be one that torch saves, not %s",
	                       ck_value_about(scheme).s);
}

/* What stands beside the integers, and which integers they are. */
static bool make_integers(ck_torch *torch, const parameters *p)
{
	static const ck_dtype plain[CK_DTYPE_COUNT] = {
		[CK_DT_QINT8] = CK_DT_I8, [CK_DT_QUINT8] = CK_DT_U8, [CK_DT_QINT32] = CK_DT_I32,
		[CK_DT_QUINT4X2] = CK_DT_U8, [CK_DT_QUINT2X4] = CK_DT_U8,
	};
	ck_made *made = p->made;
	ck_text axis = {0};
	made->tensor->dtype = plain[p->dtype];
	ck_made_beside(made, p->channels ? "scales" : "scale", p->scales);
	ck_made_beside(made, p->channels ? "zero_points" : "zero_point", p->zero_points);
	if (!p->channels)
		return ck_made_fact(made, "qscheme", "per_tensor_affine");
	return ck_made_fact(made, "qscheme", is_real(p->zero_points)
	                                                    ? "per_channel_affine_float_qparams"
	                                                    : "per_channel_affine") &&
	       ck_text_addf(torch->job, &axis, "%zu%c", p->axis, 0) &&
	       ck_made_fact(made, "axis", axis.data);
}

/* (storage, offset, size, stride, parameters, requires_grad, hooks) */
bool ck_rebuild_quantized_view(ck_torch *torch, const ck_items *args, ck_made *made)
{
	bool done, wanted = torch->loaded->wishes.dequantize;
	parameters p = {.made = made};
	if (!ck_rebuild_view(torch, args, made, &done) || done)
		return done;
	if (made->tensor->storage->meta)
		return true;
	p.dtype = made->tensor->dtype;
	if (p.dtype < CK_DT_QINT8 || p.dtype > CK_DT_QUINT2X4)
		return ck_rebuild_fail(torch, "a quantized tensor needs a storage of a quantized "
		                       "type, not %s", ck_dtype_table[p.dtype].torch);
	if (!read_parameters(torch, args->count > 4 ? args->item[4] : NULL, &p))
		return false;
	bool packed = p.dtype >= CK_DT_QUINT4X2;
	if (packed && (!make_packed(torch, &p, wanted) || made->kind != CK_MADE_TENSOR))
		return made->kind != CK_MADE_TENSOR;
	if (!wanted)
		return make_integers(torch, &p);
	return packed || (ck_tensor_check(torch->job, made->tensor, torch->pickle->label,
	                                  "that is quantized") && dequantize(torch, &p));
}

bool ck_rebuild_quantized(ck_torch *torch, const ck_value *value, ck_made *made)
{
	return ck_rebuild_quantized_view(torch, value->call->args->items, made);
}
