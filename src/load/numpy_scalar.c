/* NumPy's scalars, which are no tensors: the numbers and texts that they stand for. */
#include <math.h>
#include <string.h>

#include "numpy.h"
#include "rebuild.h"

enum { SIZE_MOST = 16, TEXT_MOST = 4096 };

typedef struct {
	ck_numpy_dtype dtype;
	const ck_source *source;        /* of what is no number; NULL for numbers */
	unsigned char bytes[SIZE_MOST]; /* of numbers, little endian */
} scalar;

static void turn(unsigned char *p, size_t size)
{
	for (size_t a = 0, b = size - 1; a < b; a++, b--) {
		unsigned char keep = p[a];
		p[a] = p[b];
		p[b] = keep;
	}
}

static bool read_bytes(ck_torch *torch, const ck_value *data, scalar *s)
{
	bool failed;
	const ck_dtype_row *row = &ck_dtype_table[s->dtype.dtype];
	const ck_source *source = ck_bytes_source(torch, data, &failed);
	if (!source)
		return !failed && ck_rebuild_bad(torch, data, "a NumPy scalar needs bytes");
	if (source->size != s->dtype.size)
		return ck_rebuild_fail(torch, "a NumPy scalar of %s needs %s, but has %llu",
		                       row->torch, ck_many(row->size, "byte").s,
		                       (unsigned long long)source->size);
	if (!ck_read_at(torch->job, source, 0, s->bytes, row->size))
		return false;
	for (size_t at = 0; s->dtype.big_endian && at < row->size; at += row->part)
		turn(s->bytes + at, row->part);
	return true;
}

/* *none: it is neither a number nor a short text. */
static bool read_scalar(ck_torch *torch, const ck_value *value, scalar *s, bool *none)
{
	bool failed = false;
	const ck_value *dtype = ck_argument(value, 0), *data = ck_argument(value, 1);
	*none = true;
	if (!dtype)
		return ck_rebuild_fail(torch, "a NumPy scalar needs a dtype");
	if (!ck_numpy_dtype_read(torch, dtype, &s->dtype))
		return false;
	if (s->dtype.kind == CK_NUMPY_TENSOR && data) {
		*none = false;
		return read_bytes(torch, data, s);
	}
	if (data && (s->dtype.code == 'U' || s->dtype.code == 'S'))
		s->source = ck_bytes_source(torch, data, &failed);
	*none = !s->source || s->source->size > TEXT_MOST;
	return !failed;
}

bool ck_rebuild_scalar(ck_torch *torch, const ck_value *value, ck_made *made)
{
	bool none;
	scalar s = {0};
	made->kind = CK_MADE_VALUE;
	made->about = "NumPy scalar";
	return read_scalar(torch, value, &s, &none);
}

/* ---- numbers ---- */

static uint64_t unsigned_of(const unsigned char *p, size_t size)
{
	uint64_t bits = 0;
	for (size_t i = size; i-- > 0;)
		bits = bits << 8 | p[i];
	return bits;
}

static double half(uint64_t bits)
{
	int exponent = (int)(bits >> 10 & 31);
	double fraction = (double)(bits & 1023), sign = bits >> 15 ? -1 : 1;
	if (exponent == 31)
		return fraction > 0 ? (double)NAN : sign * (double)INFINITY;
	return sign * (exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24));
}

static double real(const unsigned char *p, size_t size, bool brain)
{
	uint64_t bits = unsigned_of(p, size);
	uint32_t low = (uint32_t)bits << (brain ? 16 : 0);
	float single;
	double number;
	if (size == 2 && !brain)
		return half(bits);
	if (size == 8) {
		memcpy(&number, &bits, sizeof number);
		return number;
	}
	memcpy(&single, &low, sizeof single);
	return (double)single;
}

/* A number beyond 63 bits is a LONG, which is signed: a zero byte on top keeps it positive. */
static bool set_unsigned(ck_job *job, uint64_t bits, ck_value *number)
{
	enum { LONG_SIZE = 9 };
	number->kind = CK_INT;
	number->i = (int64_t)bits;
	if (bits <= INT64_MAX)
		return true;
	char *data = ck_alloc(job, LONG_SIZE);
	for (size_t i = 0; data && i < 8; i++)
		data[i] = (char)(bits >> 8 * i);
	number->kind = CK_LONG;
	number->text.data = data;
	number->text.len = LONG_SIZE;
	return data;
}

static bool set_number(ck_job *job, const scalar *s, ck_value number[2], size_t *count)
{
	size_t size = ck_dtype_table[s->dtype.dtype].size;
	uint64_t bits = unsigned_of(s->bytes, size < 8 ? size : 8);
	*count = 1;
	number[0].kind = number[1].kind = CK_FLOAT;
	switch (s->dtype.dtype) {
	case CK_DT_BOOL:
		number->kind = CK_BOOL;
		number->b = bits;
		return true;
	case CK_DT_I8: case CK_DT_I16: case CK_DT_I32: case CK_DT_I64:
		number->kind = CK_INT;
		number->i = (int64_t)(bits << (64 - 8 * size)) >> (64 - 8 * size);
		return true;
	case CK_DT_U8: case CK_DT_U16: case CK_DT_U32: case CK_DT_U64:
		return set_unsigned(job, bits, number);
	case CK_DT_F16: case CK_DT_BF16: case CK_DT_F32: case CK_DT_F64:
		number->f = real(s->bytes, size, s->dtype.dtype == CK_DT_BF16);
		return true;
	case CK_DT_C64: case CK_DT_C128:
		*count = 2;
		number[0].f = real(s->bytes, size / 2, false);
		number[1].f = real(s->bytes + size / 2, size / 2, false);
		return true;
	default: /* floats of one byte stay as they were pickled */
		*count = 0;
		return true;
	}
}

/* Bytes, or code points of four bytes each; zeros at the end are no part of them. */
static bool set_text(ck_torch *torch, const scalar *s, ck_value *text, size_t *count)
{
	unsigned char bytes[TEXT_MOST] = {0};
	size_t len = (size_t)s->source->size, unit = s->dtype.code == 'U' ? 4 : 1;
	ck_text to = {0};
	if (!ck_read_at(torch->job, s->source, 0, bytes, len))
		return false;
	while (len && !bytes[len - 1])
		len--;
	for (size_t at = 0; at < len; at += unit) {
		char utf8[4] = {(char)bytes[at]};
		if (s->dtype.big_endian)
			turn(bytes + at, unit);
		uint64_t code = unsigned_of(bytes + at, unit);
		if (code > 0x10FFFF)
			return true;
		size_t size = unit > 1 ? ck_utf8_put(utf8, (uint32_t)code) : 1;
		if (!ck_text_add(torch->job, &to, utf8, size))
			return false;
	}
	*count = 1;
	text->kind = unit > 1 ? CK_STR : CK_BYTES;
	text->text.data = to.data ? to.data : "";
	text->text.len = to.len;
	return true;
}

bool ck_numpy_scalar(ck_torch *torch, const ck_value *value, ck_value plain[2], size_t *count)
{
	bool none;
	scalar s = {0};
	*count = 0;
	if (value->kind != CK_CALL || value->call->callee->kind != CK_GLOBAL)
		return true;
	const ck_global_row *row = ck_global_find(value->call->callee);
	if (!row || row->rebuild != ck_rebuild_scalar)
		return true;
	torch->at = value->at;
	if (!read_scalar(torch, value, &s, &none))
		return false;
	if (none)
		return true;
	return s.source ? set_text(torch, &s, plain, count)
	                : set_number(torch->job, &s, plain, count);
}
