/* Quantized tensors: integers with the scale and zero point that they stand for, or, if that is
 * wished, the reals that torch makes of them. */
#include "quantized.h"
#include "view.h"

#include <endian.h>
#include <string.h>

/* ---- several elements to a byte ---- */

/* The bytes as they are, with what they stand for in the metadata. torch packs across rows. */
static bool make_packed(ck_torch *torch, const ck_quantized *p, bool wanted_real)
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
		return ck_dequantize_packed(torch, p, bytes, per_byte);
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
	if (!ck_view_scan(torch, list->count)) /* many tensors may share one list */
		return NULL;
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
	bool whole = is == CK_DT_I64 || is == CK_DT_I32;
	if (!ck_quantized_is_real(tensor) && (dtype == CK_DT_F64 || !whole))
		ck_rebuild_fail(torch, "%s cannot be %s", what, ck_dtype_table[is].torch);
	else if (tensor->ndim != 1 || tensor->shape[0] != channels)
		ck_rebuild_fail(torch, "%s must be one for each of the %llu channels", what,
		                (unsigned long long)channels);
	else
		return tensor;
	return NULL;
}

static bool read_per_channel(ck_torch *torch, const ck_items *given, ck_quantized *p)
{
	uint64_t axis;
	const ck_tensor *tensor = p->made->tensor;
	p->channels = true;
	if (given->count != 4)
		return ck_rebuild_fail(torch, "a tensor quantized by channel needs scales, zero "
		                       "points and an axis");
	/* selecting one item of a dimension makes torch count the axis down, even below 0 */
	if (given->item[3]->kind == CK_INT && (given->item[3]->i < 0 ||
	                                       (uint64_t)given->item[3]->i >= tensor->ndim))
		return ck_made_unsupported(p->made, "tensor quantized by channel along an axis "
		                           "that it lacks");
	if (!ck_as_count(torch, given->item[3], "the axis of the channels must be a count", &axis))
		return false;
	p->axis = (size_t)axis;
	p->scales = read_channels(torch, given->item[1], "the scales of a quantized tensor",
	                          CK_DT_F64, tensor->shape[axis]);
	p->zero_points = p->scales ? read_channels(torch, given->item[2],
	                                           "the zero points of a quantized tensor",
	                                           CK_DT_I64, tensor->shape[axis])
	                           : NULL;
	return p->zero_points;
}

static bool read_per_tensor(ck_torch *torch, const ck_items *given, ck_quantized *p)
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
static bool read_parameters(ck_torch *torch, const ck_value *value, ck_quantized *p)
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

/* What the integers stand for must not be rounded, even where the same tensor has another name and
 * is. */
static bool stands_beside(ck_torch *torch, ck_made *made, const char *key, const ck_tensor *tensor)
{
	ck_tensor *exact = ck_alloc(torch->job, sizeof *exact);
	if (!exact)
		return false;
	*exact = *tensor;
	exact->exact = true;
	ck_made_beside(made, key, exact);
	return true;
}

/* What stands beside the integers, and which integers they are. */
static bool make_integers(ck_torch *torch, const ck_quantized *p)
{
	static const ck_dtype plain[CK_DTYPE_COUNT] = {
		[CK_DT_QINT8] = CK_DT_I8, [CK_DT_QUINT8] = CK_DT_U8, [CK_DT_QINT32] = CK_DT_I32,
		[CK_DT_QUINT4X2] = CK_DT_U8, [CK_DT_QUINT2X4] = CK_DT_U8,
	};
	ck_made *made = p->made;
	ck_text axis = {0};
	made->tensor->dtype = plain[p->dtype];
	if (!stands_beside(torch, made, p->channels ? "scales" : "scale", p->scales) ||
	    !stands_beside(torch, made, p->channels ? "zero_points" : "zero_point",
	                   p->zero_points))
		return false;
	if (!p->channels)
		return ck_made_fact(made, "qscheme", "per_tensor_affine");
	return ck_made_fact(made, "qscheme", ck_quantized_is_real(p->zero_points)
	                                                    ? "per_channel_affine_float_qparams"
	                                                    : "per_channel_affine") &&
	       ck_text_addf(torch->job, &axis, "%zu%c", p->axis, 0) &&
	       ck_made_fact(made, "axis", axis.data);
}

/* (storage, offset, size, stride, parameters, requires_grad, hooks) */
bool ck_rebuild_quantized_view(ck_torch *torch, const ck_items *args, ck_made *made)
{
	bool done, wanted = torch->loaded->wishes.dequantize;
	ck_quantized p = {.made = made};
	if (!ck_rebuild_view(torch, args, made, &done) || done)
		return done;
	if (made->tensor->storage->meta)
		return true;
	p.dtype = made->tensor->dtype;
	if (p.dtype < CK_DT_QINT8 || p.dtype > CK_DT_QUINT2X4)
		return ck_rebuild_fail(torch, "a quantized tensor needs a storage of a quantized "
		                       "type, not %s", ck_dtype_table[p.dtype].torch);
	bool packed = p.dtype >= CK_DT_QUINT4X2;
	if (!read_parameters(torch, args->count > 4 ? args->item[4] : NULL, &p) ||
	    (packed && made->kind == CK_MADE_TENSOR && !make_packed(torch, &p, wanted)))
		return false;
	if (made->kind != CK_MADE_TENSOR)
		return true;
	if (!wanted)
		return make_integers(torch, &p);
	return packed || (ck_tensor_check(torch->job, made->tensor, torch->pickle->label,
	                                  "that is quantized") && ck_dequantize(torch, &p));
}

bool ck_rebuild_quantized(ck_torch *torch, const ck_value *value, ck_made *made)
{
	return ck_rebuild_quantized_view(torch, value->call->args->items, made);
}
