/* What elements mean: every dtype as doubles, and what two dtypes have in common. */
#include "diff.h"

#include <endian.h>
#include <math.h>

/* ---- kinds ---- */

static ck_numbers numbers_of(ck_dtype dtype)
{
	switch (dtype) {
	case CK_DT_U64: case CK_DT_I64: case CK_DT_U32: case CK_DT_I32: case CK_DT_U16:
	case CK_DT_I16: case CK_DT_U8: case CK_DT_I8: case CK_DT_BOOL:
	case CK_DT_QINT8: case CK_DT_QUINT8: case CK_DT_QINT32:
		return CK_NUMBERS_WHOLE;
	case CK_DT_F64: case CK_DT_F32: case CK_DT_BF16: case CK_DT_F16:
	case CK_DT_F8_E5M2FNUZ: case CK_DT_F8_E4M3FNUZ: case CK_DT_F8_E8M0:
	case CK_DT_F8_E4M3: case CK_DT_F8_E5M2:
		return CK_NUMBERS_REAL;
	case CK_DT_C128: case CK_DT_C64: case CK_DT_C32:
		return CK_NUMBERS_COMPLEX;
	default:
		return CK_NUMBERS_NONE;
	}
}

ck_numbers ck_numbers_of(ck_dtype a, ck_dtype b)
{
	ck_numbers x = numbers_of(a), y = numbers_of(b);
	if (x == CK_NUMBERS_NONE || y == CK_NUMBERS_NONE)
		return CK_NUMBERS_NONE;
	return x > y ? x : y;
}

/* ---- loading ---- */

static double of_f64(const unsigned char *from)
{
	uint64_t bits;
	double value;
	memcpy(&bits, from, sizeof bits);
	bits = le64toh(bits);
	memcpy(&value, &bits, sizeof value);
	return value;
}

static double of_f32(const unsigned char *from)
{
	uint32_t bits;
	float value;
	memcpy(&bits, from, sizeof bits);
	bits = le32toh(bits);
	memcpy(&value, &bits, sizeof value);
	return (double)value;
}

static uint16_t u16_of(const unsigned char *from)
{
	return (uint16_t)(from[0] | from[1] << 8);
}

/* Eight bits: a sign, an exponent, `fraction` bits of fraction. See
 * https://arxiv.org/abs/2209.05433 and, for those without a negative zero (fnuz),
 * https://arxiv.org/abs/2206.02915. */
static double of_f8(unsigned bits, unsigned fraction, int bias)
{
	int exponent = (int)((bits & 0x7F) >> fraction);
	unsigned low = bits & ((1u << fraction) - 1);
	unsigned whole = exponent ? 1u << fraction | low : low;
	double value = ldexp((double)whole, (exponent ? exponent : 1) - bias - (int)fraction);
	return bits & 0x80 ? -value : value;
}

static double of_byte(ck_dtype dtype, unsigned bits)
{
	switch (dtype) {
	case CK_DT_F8_E4M3:
		return (bits & 0x7F) == 0x7F ? (double)NAN : of_f8(bits, 3, 7);
	case CK_DT_F8_E5M2:
		return (double)ck_half_to_float((uint16_t)(bits << 8));
	case CK_DT_F8_E4M3FNUZ:
		return bits == 0x80 ? (double)NAN : of_f8(bits, 3, 8);
	case CK_DT_F8_E5M2FNUZ:
		return bits == 0x80 ? (double)NAN : of_f8(bits, 2, 16);
	case CK_DT_F8_E8M0:
		return bits == 0xFF ? (double)NAN : ldexp(1, (int)bits - 127);
	case CK_DT_BOOL:
		return bits != 0;
	case CK_DT_I8: case CK_DT_QINT8:
		return (double)(int8_t)bits;
	default:
		return (double)bits;
	}
}

static void load_bytes(ck_dtype dtype, const unsigned char *from, size_t count, double *to)
{
	enum { FEW = 64 }; /* for more a table is faster */
	double table[256];
	for (unsigned bits = 0; count > FEW && bits < 256; bits++)
		table[bits] = of_byte(dtype, bits);
	for (size_t i = 0; i < count; i++)
		to[i] = count > FEW ? table[from[i]] : of_byte(dtype, from[i]);
}

static double of_integer(ck_dtype dtype, const unsigned char *from)
{
	uint64_t wide;
	uint32_t bits = 0;
	memcpy(&bits, from, ck_dtype_table[dtype].size < 4 ? 2 : 4);
	bits = le32toh(bits);
	switch (dtype) {
	case CK_DT_U16:
		return u16_of(from);
	case CK_DT_I16:
		return (int16_t)u16_of(from);
	case CK_DT_U32:
		return bits;
	case CK_DT_I32: case CK_DT_QINT32:
		return (int32_t)bits;
	default:
		memcpy(&wide, from, sizeof wide);
		wide = le64toh(wide);
		return dtype == CK_DT_I64 ? (double)(int64_t)wide : (double)wide;
	}
}

void ck_numbers_load(ck_dtype dtype, const void *items, size_t count, double *to)
{
	const unsigned char *from = items;
	if (ck_dtype_is_complex(dtype))
		count *= 2;
	switch (dtype) {
	case CK_DT_C128: case CK_DT_F64:
		for (size_t i = 0; i < count; i++)
			to[i] = of_f64(from + 8 * i);
		return;
	case CK_DT_C64: case CK_DT_F32:
		for (size_t i = 0; i < count; i++)
			to[i] = of_f32(from + 4 * i);
		return;
	case CK_DT_C32: case CK_DT_F16:
		for (size_t i = 0; i < count; i++)
			to[i] = (double)ck_half_to_float(u16_of(from + 2 * i));
		return;
	case CK_DT_BF16:
		for (size_t i = 0; i < count; i++)
			to[i] = (double)ck_bfloat16_to_float(u16_of(from + 2 * i));
		return;
	default:
		break;
	}
	size_t item = ck_dtype_table[dtype].size;
	if (item == 1)
		load_bytes(dtype, from, count, to);
	for (size_t i = 0; item > 1 && i < count; i++)
		to[i] = of_integer(dtype, from + i * item);
}
