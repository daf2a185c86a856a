/* Elements against elements: which of them differ, and by how much. */
#include "diff.h"

#include <endian.h>
#include <math.h>

enum { CHUNK = 1024 }; /* elements looked at at once: they stay in the cache */

typedef struct {
	const ck_rules *rules;
	ck_dtype dtype[2];
	ck_numbers numbers;
	const unsigned char *items[2];
	ck_unlike *to;
	size_t at;               /* elements before those of the chunk */
	size_t first;
	ck_tell_index *each;
	void *arg;
	bool unlike[CHUNK];      /* the bits differ; of one dtype */
} comparing;

static void differs(comparing *c, size_t i)
{
	size_t index = c->at + i;
	c->to->differing++;
	if (index < c->first)
		c->first = index;
	if (c->each)
		c->each(c->arg, index);
}

static void note_nan(comparing *c, size_t i, bool a, bool b)
{
	c->to->nan_both += a && b;
	c->to->nan_a += a && !b;
	c->to->nan_b += b && !a;
	differs(c, i);
}

static void note_size(comparing *c, double abs, double of_b)
{
	double rel = abs > 0 ? abs / of_b : 0;
	if (isnan(rel)) /* of two infinities */
		rel = (double)INFINITY;
	if (abs > c->to->max_abs)
		c->to->max_abs = abs;
	if (rel > c->to->max_rel)
		c->to->max_rel = rel;
}

static bool same_dtype(const comparing *c)
{
	return c->dtype[0] == c->dtype[1];
}

/* Of elements that are no numbers, of which one is. */
static bool nan_differs(const comparing *c, size_t i, bool a, bool b)
{
	if (!a || !b)
		return true;
	if (c->rules->equal_nan)
		return false;
	return c->rules->close || (same_dtype(c) && c->unlike[i]);
}

/* The values are not close, or, where nothing is said of tolerances, the bits differ. `error` is
 * |a - b| as torch works it out, which is NaN where infinities are subtracted. */
static bool value_differs(const comparing *c, size_t i, bool equal, double error, double of_b)
{
	if (!c->rules->close)
		return same_dtype(c) ? c->unlike[i] : !equal;
	double allowed = c->rules->atol + c->rules->rtol * of_b;
	return !equal && !(isfinite(error) && error <= allowed);
}

/* Bits that are the same need no look, unless there may be a NaN that is not itself. */
static bool may_skip(const comparing *c, size_t i)
{
	return same_dtype(c) && !c->unlike[i] && !c->rules->close;
}

/* ---- whole numbers, exactly ---- */

typedef struct {
	bool negative;
	uint64_t size;
} whole;

static whole load_whole(ck_dtype dtype, const unsigned char *from)
{
	uint64_t bits;
	double value;
	if (ck_dtype_table[dtype].size < sizeof bits) { /* a double holds it */
		ck_numbers_load(dtype, from, 1, &value);
		return (whole){value < 0, (uint64_t)(value < 0 ? -value : value)};
	}
	memcpy(&bits, from, sizeof bits);
	bits = le64toh(bits);
	bool negative = dtype == CK_DT_I64 && bits >> 63;
	return (whole){negative, negative ? -bits : bits};
}

static uint64_t distance(whole a, whole b, bool *beyond)
{
	uint64_t sum;
	if (a.negative == b.negative)
		return a.size > b.size ? a.size - b.size : b.size - a.size;
	if (ck_add(a.size, b.size, &sum))
		return sum;
	*beyond = true;
	return UINT64_MAX;
}

static bool whole_differs(const comparing *c, size_t i, uint64_t far, uint64_t of_b)
{
	if (!c->rules->close)
		return same_dtype(c) ? c->unlike[i] : far != 0;
	double allowed = c->rules->atol + c->rules->rtol * (double)of_b;
	return far && allowed < 0x1p64 && far > (uint64_t)allowed;
}

static void compare_whole(comparing *c, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (same_dtype(c) && !c->unlike[i])
			continue;
		whole a = load_whole(c->dtype[0],
		                     c->items[0] + i * ck_dtype_table[c->dtype[0]].size);
		whole b = load_whole(c->dtype[1],
		                     c->items[1] + i * ck_dtype_table[c->dtype[1]].size);
		uint64_t far = distance(a, b, &c->to->beyond);
		if (far > c->to->max_whole)
			c->to->max_whole = far;
		note_size(c, (double)far, (double)b.size);
		if (whole_differs(c, i, far, b.size))
			differs(c, i);
	}
}

/* ---- real and complex numbers ---- */

static void compare_real(comparing *c, size_t count)
{
	double a[CHUNK], b[CHUNK];
	ck_numbers_load(c->dtype[0], c->items[0], count, a);
	ck_numbers_load(c->dtype[1], c->items[1], count, b);
	for (size_t i = 0; i < count; i++) {
		if (may_skip(c, i))
			continue;
		bool nan_a = isnan(a[i]), nan_b = isnan(b[i]), equal = a[i] == b[i];
		if (nan_a || nan_b) {
			if (nan_differs(c, i, nan_a, nan_b))
				note_nan(c, i, nan_a, nan_b);
			continue;
		}
		double error = equal ? 0 : fabs(a[i] - b[i]), of_b = fabs(b[i]);
		note_size(c, error, of_b);
		if (value_differs(c, i, equal, error, of_b))
			differs(c, i);
	}
}

/* Two doubles for each. */
static void load_complex(ck_dtype dtype, const unsigned char *items, size_t count, double *to)
{
	ck_numbers_load(dtype, items, count, to);
	if (ck_dtype_is_complex(dtype))
		return;
	for (size_t i = count; i-- > 0;) {
		to[2 * i] = to[i];
		to[2 * i + 1] = 0;
	}
}

static double part(double a, double b)
{
	return a == b ? 0 : a - b;
}

static void compare_complex(comparing *c, size_t count)
{
	double a[2 * CHUNK], b[2 * CHUNK];
	load_complex(c->dtype[0], c->items[0], count, a);
	load_complex(c->dtype[1], c->items[1], count, b);
	for (size_t i = 0; i < count; i++) {
		const double *x = a + 2 * i, *y = b + 2 * i;
		if (may_skip(c, i))
			continue;
		bool nan_a = isnan(x[0]) || isnan(x[1]), nan_b = isnan(y[0]) || isnan(y[1]);
		if (nan_a || nan_b) {
			if (nan_differs(c, i, nan_a, nan_b))
				note_nan(c, i, nan_a, nan_b);
			continue;
		}
		bool equal = x[0] == y[0] && x[1] == y[1];
		double of_b = hypot(y[0], y[1]);
		note_size(c, hypot(part(x[0], y[0]), part(x[1], y[1])), of_b);
		if (value_differs(c, i, equal, hypot(x[0] - y[0], x[1] - y[1]), of_b))
			differs(c, i);
	}
}

/* ---- all of them ---- */

static void compare_bits(comparing *c, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (c->unlike[i])
			differs(c, i);
}

/* `item` is a constant wherever it matters. */
static inline void mark_items(comparing *c, size_t count, size_t item)
{
	const unsigned char *a = c->items[0], *b = c->items[1];
	for (size_t i = 0; i < count; i++)
		c->unlike[i] = memcmp(a + i * item, b + i * item, item) != 0;
}

static void mark(comparing *c, size_t count)
{
	switch (ck_dtype_table[c->dtype[0]].size) {
	case 1:
		mark_items(c, count, 1);
		return;
	case 2:
		mark_items(c, count, 2);
		return;
	case 4:
		mark_items(c, count, 4);
		return;
	case 8:
		mark_items(c, count, 8);
		return;
	default:
		mark_items(c, count, ck_dtype_table[c->dtype[0]].size);
		return;
	}
}

/* Whether bits that are the same can mean values that are not. */
static bool has_nan(const comparing *c)
{
	return c->rules->close && !c->rules->equal_nan && c->numbers >= CK_NUMBERS_REAL;
}

static void compare_chunk(comparing *c, size_t count)
{
	if (same_dtype(c)) {
		size_t bytes = count * ck_dtype_table[c->dtype[0]].size;
		if (!has_nan(c) && !memcmp(c->items[0], c->items[1], bytes))
			return;
		mark(c, count);
	}
	switch (c->numbers) {
	case CK_NUMBERS_NONE:
		compare_bits(c, count);
		return;
	case CK_NUMBERS_WHOLE:
		compare_whole(c, count);
		return;
	case CK_NUMBERS_REAL:
		compare_real(c, count);
		return;
	case CK_NUMBERS_COMPLEX:
		compare_complex(c, count);
		return;
	}
}

void ck_values_compare(const ck_rules *rules, ck_dtype a, const void *of_a, ck_dtype b,
                       const void *of_b, size_t count, ck_unlike *to, size_t *first,
                       ck_tell_index *each, void *arg)
{
	comparing c = {.rules = rules, .dtype = {a, b}, .numbers = ck_numbers_of(a, b),
	               .items = {of_a, of_b}, .to = to, .first = count, .each = each, .arg = arg};
	while (c.at < count) {
		size_t some = count - c.at < CHUNK ? count - c.at : CHUNK;
		compare_chunk(&c, some);
		c.at += some;
		c.items[0] += some * ck_dtype_table[a].size;
		c.items[1] += some * ck_dtype_table[b].size;
	}
	*first = c.first;
}
