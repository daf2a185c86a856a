/* Casts between the floating-point dtypes, rounded as torch rounds them. */
#include "model.h"

#include <endian.h>
#include <string.h>

/* ---- bits ---- */

static uint32_t bits_of(float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof bits);
	return bits;
}

static float float_of(uint32_t bits)
{
	float value;
	memcpy(&value, &bits, sizeof value);
	return value;
}

float ck_half_to_float(uint16_t half)
{
	uint32_t sign = (uint32_t)(half & 0x8000) << 16;
	uint32_t exponent = half >> 10 & 31, fraction = half & 1023;
	if (exponent == 31)
		return float_of(sign | 0x7F800000 | fraction << 13);
	if (exponent)
		return float_of(sign | (exponent + 112) << 23 | fraction << 13);
	/* denormals: a whole number of 2^-24ths, which a float holds */
	float value = (float)fraction * 0x1p-24f;
	return float_of(sign | bits_of(value));
}

/* Drops the `drop` lowest bits, to the nearest, ties to even. */
static uint32_t round_off(uint32_t bits, unsigned drop)
{
	uint32_t odd = bits >> drop & 1;
	return (bits + (1u << (drop - 1)) - 1 + odd) >> drop;
}

uint16_t ck_float_to_half(float value)
{
	uint32_t bits = bits_of(value), sign = bits >> 16 & 0x8000;
	bits &= 0x7FFFFFFF;
	if (bits > 0x7F800000)
		return (uint16_t)(sign | 0x7E00); /* torch keeps no payload of a NaN */
	if (bits >= 0x47800000)
		return (uint16_t)(sign | 0x7C00);
	if (bits >= 0x38800000) /* rounding up the largest gives the bits of infinity */
		return (uint16_t)(sign | round_off(bits - (112u << 23), 13));
	if (bits < 0x33000000)
		return (uint16_t)sign;
	unsigned shift = 126 - (bits >> 23);
	return (uint16_t)(sign | round_off((bits & 0x7FFFFF) | 0x800000, shift));
}

float ck_bfloat16_to_float(uint16_t value)
{
	return float_of((uint32_t)value << 16);
}

uint16_t ck_float_to_bfloat16(float value)
{
	uint32_t bits = bits_of(value);
	if ((bits & 0x7FFFFFFF) > 0x7F800000)
		return 0x7FC0; /* torch's one NaN */
	return (uint16_t)round_off(bits, 16);
}

/* ---- elements ---- */

typedef struct {
	ck_dtype from, to;
} cast;

/* Every dtype but float64 goes through float32, as in torch: float64 to a half rounds twice. */
static float load_float(const unsigned char *from, ck_dtype dtype)
{
	uint16_t half;
	uint32_t single;
	memcpy(&half, from, sizeof half);
	half = le16toh(half);
	if (dtype == CK_DT_F16)
		return ck_half_to_float(half);
	if (dtype == CK_DT_BF16)
		return ck_bfloat16_to_float(half);
	memcpy(&single, from, sizeof single);
	return float_of(le32toh(single));
}

static void store_float(float value, ck_dtype dtype, unsigned char *to)
{
	uint32_t single = htole32(bits_of(value));
	uint16_t half = dtype == CK_DT_F16 ? ck_float_to_half(value) : ck_float_to_bfloat16(value);
	half = htole16(half);
	if (dtype == CK_DT_F32)
		memcpy(to, &single, sizeof single);
	else
		memcpy(to, &half, sizeof half);
}

static double load_double(const unsigned char *from)
{
	uint64_t bits;
	double value;
	memcpy(&bits, from, sizeof bits);
	bits = le64toh(bits);
	memcpy(&value, &bits, sizeof value);
	return value;
}

static void store_double(double value, unsigned char *to)
{
	uint64_t bits;
	memcpy(&bits, &value, sizeof bits);
	bits = htole64(bits);
	memcpy(to, &bits, sizeof bits);
}

static void apply(void *arg, const void *items, size_t count, void *to)
{
	const cast *c = arg;
	const unsigned char *from = items;
	unsigned char *out = to;
	size_t in_size = ck_dtype_table[c->from].size, out_size = ck_dtype_table[c->to].size;
	for (size_t i = 0; i < count; i++, from += in_size, out += out_size) {
		if (c->to == CK_DT_F64)
			store_double((double)load_float(from, c->from), out);
		else if (c->from == CK_DT_F64)
			store_float((float)load_double(from), c->to, out);
		else
			store_float(load_float(from, c->from), c->to, out);
	}
}

static bool is_simple(ck_dtype dtype)
{
	return dtype == CK_DT_F64 || dtype == CK_DT_F32 || dtype == CK_DT_F16 ||
	       dtype == CK_DT_BF16;
}

bool ck_cast_is_known(ck_dtype from, ck_dtype to)
{
	return is_simple(from) && is_simple(to) && from != to;
}

ck_tensor *ck_tensor_cast(ck_job *job, ck_model *model, const ck_tensor *from, ck_dtype to)
{
	cast *c = ck_alloc(job, sizeof *c);
	if (!c)
		return NULL;
	*c = (cast){from->dtype, to};
	return ck_tensor_computed(job, model, from, to,
	                          &(ck_formula){.bytes = ck_dtype_table[to].size, .apply = apply,
	                                        .arg = c});
}
