/* Comparing: elements of every dtype, views of every kind, checksums, names. What is expected was
 * worked out by hand, from the definitions of the dtypes. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "diff.h"
#include "unit.h"

/* ---- elements ---- */

static const ck_rules bits = {0}, any_nan = {.equal_nan = true};

static ck_unlike compare(const ck_rules *rules, ck_dtype of_a, const void *a, ck_dtype of_b,
                         const void *b, size_t count, size_t *first)
{
	ck_unlike unlike = {0};
	ck_values_compare(rules, of_a, a, of_b, b, count, &unlike, first, NULL, NULL);
	return unlike;
}

static ck_unlike same_type(const ck_rules *rules, ck_dtype dtype, const void *a, const void *b,
                           size_t count)
{
	size_t first;
	return compare(rules, dtype, a, dtype, b, count, &first);
}

/* One element of each dtype against another: |a - b| and |a - b| / |b|. */
static const struct {
	ck_dtype dtype;
	unsigned char a[16], b[16];
	double abs, rel;
} elements[] = {
	{CK_DT_F64, {0, 0, 0, 0, 0, 0, 0xF0, 0x3F}, {0, 0, 0, 0, 0, 0, 0, 0xC0}, 3, 1.5},
	{CK_DT_F32, {0, 0, 0x80, 0x3F}, {0, 0, 0, 0x40}, 1, 0.5},
	{CK_DT_F16, {0x00, 0x3C}, {0x00, 0x40}, 1, 0.5},
	{CK_DT_F16, {0x01, 0x00}, {0x00, 0x3C}, 1 - 0x1p-24, 1 - 0x1p-24}, /* the least */
	{CK_DT_F16, {0xFF, 0x7B}, {0xFF, 0xFB}, 131008, 2},        /* +-65504 */
	{CK_DT_BF16, {0x80, 0x3F}, {0x80, 0xBF}, 2, 2},
	{CK_DT_F8_E4M3, {0x38}, {0x40}, 1, 0.5},
	{CK_DT_F8_E4M3, {0x7E}, {0xFE}, 896, 2},                   /* +-448 */
	{CK_DT_F8_E4M3, {0x01}, {0x38}, 1 - 0x1p-9, 1 - 0x1p-9},
	{CK_DT_F8_E5M2, {0x3C}, {0x40}, 1, 0.5},
	{CK_DT_F8_E5M2, {0x7B}, {0xFB}, 114688, 2},                /* +-57344 */
	{CK_DT_F8_E4M3FNUZ, {0x40}, {0x48}, 1, 0.5},
	{CK_DT_F8_E4M3FNUZ, {0x7F}, {0xFF}, 480, 2},               /* +-240 */
	{CK_DT_F8_E5M2FNUZ, {0x40}, {0x44}, 1, 0.5},
	{CK_DT_F8_E5M2FNUZ, {0x7F}, {0xFF}, 114688, 2},
	{CK_DT_F8_E8M0, {127}, {128}, 1, 0.5},
	{CK_DT_F8_E8M0, {0}, {127}, 1 - 0x1p-127, 1 - 0x1p-127},
	{CK_DT_I8, {0x80}, {0x7F}, 255, 255.0 / 127},
	{CK_DT_U8, {0xFF}, {0x01}, 254, 254},
	{CK_DT_I16, {0x00, 0x80}, {0xFF, 0x7F}, 65535, 65535.0 / 32767},
	{CK_DT_U16, {0xFF, 0xFF}, {0x01, 0x00}, 65534, 65534},
	{CK_DT_I32, {0, 0, 0, 0x80}, {0xFF, 0xFF, 0xFF, 0x7F}, 4294967295.0,
	 4294967295.0 / 2147483647},
	{CK_DT_U32, {0xFF, 0xFF, 0xFF, 0xFF}, {1}, 4294967294.0, 4294967294.0},
	{CK_DT_QINT8, {0xFF}, {1}, 2, 2},
	{CK_DT_QUINT8, {0xFF}, {1}, 254, 254},
	{CK_DT_QINT32, {0xFF, 0xFF, 0xFF, 0xFF}, {1}, 2, 2},
	{CK_DT_BOOL, {1}, {0}, 1, (double)INFINITY},
	{CK_DT_BOOL, {0}, {1}, 1, 1},
	{CK_DT_C64, {0, 0, 0x80, 0x3F, 0, 0, 0x80, 0x3F},          /* 1+1i, 4+5i */
	 {0, 0, 0x80, 0x40, 0, 0, 0xA0, 0x40}, 5, 0.78086880944303039},
	{CK_DT_C32, {0x00, 0x3C, 0x00, 0x3C}, {0x00, 0x44, 0x00, 0x45}, 5, 0.78086880944303039},
	{CK_DT_C128, {0, 0, 0, 0, 0, 0, 0xF0, 0x3F, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F},
	 {0, 0, 0, 0, 0, 0, 0x10, 0x40, 0, 0, 0, 0, 0, 0, 0x14, 0x40}, 5, 0.78086880944303039},
};

START_TEST(elements_of_every_dtype)
{
	const unsigned char *a = elements[_i].a, *b = elements[_i].b;
	ck_dtype dtype = elements[_i].dtype;
	ck_unlike u = same_type(&bits, dtype, a, b, 1);
	ck_assert_uint_eq(u.differing, 1);
	ck_assert_msg(u.max_abs == elements[_i].abs, "%s: %.17g", ck_dtype_table[dtype].torch,
	              u.max_abs);
	if (isinf(elements[_i].rel))
		ck_assert(isinf(u.max_rel));
	else
		ck_assert_double_eq_tol(u.max_rel, elements[_i].rel, 1e-15);
	ck_assert_uint_eq(u.nan_a + u.nan_b + u.nan_both, 0);
	u = same_type(&bits, dtype, a, a, 1);
	ck_assert(!u.differing && !(u.max_abs > 0));
	u = same_type(&(ck_rules){.close = true}, dtype, a, a, 1);
	ck_assert(!u.differing);
	/* just within the tolerance, and just not */
	u = same_type(&(ck_rules){.close = true, .atol = elements[_i].abs}, dtype, a, b, 1);
	ck_assert(!u.differing);
	u = same_type(&(ck_rules){.close = true, .atol = nextafter(elements[_i].abs, 0)}, dtype, a,
	              b, 1);
	ck_assert_uint_eq(u.differing, 1);
}
END_TEST

/* Bits of NaN, and of another NaN; of float8_e8m0 and fnuz there is one only. */
static const struct {
	ck_dtype dtype;
	unsigned char nan[16], other[16];
} nans[] = {
	{CK_DT_F64, {0, 0, 0, 0, 0, 0, 0xF8, 0x7F}, {1, 0, 0, 0, 0, 0, 0xF0, 0xFF}},
	{CK_DT_F32, {0, 0, 0xC0, 0x7F}, {1, 0, 0x80, 0xFF}},
	{CK_DT_F16, {0x00, 0x7E}, {0x01, 0xFC}},
	{CK_DT_BF16, {0xC0, 0x7F}, {0x81, 0xFF}},
	{CK_DT_F8_E4M3, {0x7F}, {0xFF}},
	{CK_DT_F8_E5M2, {0x7E}, {0xFD}},
	{CK_DT_F8_E4M3FNUZ, {0x80}, {0x80}},
	{CK_DT_F8_E5M2FNUZ, {0x80}, {0x80}},
	{CK_DT_F8_E8M0, {0xFF}, {0xFF}},
	{CK_DT_C64, {0, 0, 0xC0, 0x7F}, {0, 0, 0, 0, 0, 0, 0xC0, 0xFF}},
};

START_TEST(nan_is_nan_by_its_bits_or_by_a_wish)
{
	static const unsigned char zero[16];
	ck_dtype dtype = nans[_i].dtype;
	bool one = !memcmp(nans[_i].nan, nans[_i].other, 16);
	const ck_rules close = {.close = true, .atol = 1e30, .rtol = 1e30},
	               close_nan = {.close = true, .equal_nan = true};
	const void *nan = nans[_i].nan, *other = nans[_i].other;
	ck_assert_uint_eq(same_type(&bits, dtype, nan, nan, 1).differing, 0);
	ck_assert_uint_eq(same_type(&bits, dtype, nan, other, 1).nan_both, !one);
	ck_assert_uint_eq(same_type(&any_nan, dtype, nan, other, 1).differing, 0);
	ck_assert_uint_eq(same_type(&close, dtype, nan, nan, 1).nan_both, 1);
	ck_assert_uint_eq(same_type(&close_nan, dtype, nan, other, 1).differing, 0);
	ck_unlike u = same_type(&close, dtype, nan, zero, 1);
	ck_assert(u.nan_a == 1 && u.differing == 1 && !(u.max_abs > 0));
	u = same_type(&close_nan, dtype, zero, nan, 1);
	ck_assert(u.nan_b == 1 && u.differing == 1 && !(u.max_rel > 0));
}
END_TEST

START_TEST(zeros_differ_by_their_sign_and_not_by_their_value)
{
	const double plus = 0, minus = -plus;
	ck_unlike u = same_type(&bits, CK_DT_F64, &plus, &minus, 1);
	ck_assert(u.differing == 1 && !(u.max_abs > 0) && !(u.max_rel > 0));
	ck_assert_uint_eq(same_type(&any_nan, CK_DT_F64, &plus, &minus, 1).differing, 1);
	u = same_type(&(ck_rules){.close = true}, CK_DT_F64, &plus, &minus, 1);
	ck_assert_uint_eq(u.differing, 0);
}
END_TEST

START_TEST(infinities_are_close_to_themselves_alone)
{
	const ck_rules close = {.close = true, .atol = 1e300, .rtol = 1e300};
	const double a[] = {INFINITY, INFINITY, INFINITY, 1, -INFINITY},
	             b[] = {INFINITY, -INFINITY, 1, INFINITY, -INFINITY};
	size_t first;
	ck_unlike u = compare(&close, CK_DT_F64, a, CK_DT_F64, b, 5, &first);
	ck_assert(u.differing == 3 && first == 1 && isinf(u.max_abs) && isinf(u.max_rel));
	ck_assert(!u.nan_a && !u.nan_b && !u.nan_both);
	u = compare(&close, CK_DT_F64, a + 4, CK_DT_F64, b + 4, 1, &first);
	ck_assert(!u.differing && first == 1 && !(u.max_abs > 0));
}
END_TEST

START_TEST(integers_of_64_bits_are_exact)
{
	const int64_t low = INT64_MIN, high = INT64_MAX, big = (INT64_C(1) << 53) + 1,
	              near = INT64_C(1) << 53;
	const uint64_t most = UINT64_MAX, none = 0;
	ck_unlike u = same_type(&bits, CK_DT_I64, &low, &high, 1);
	ck_assert(u.max_whole == UINT64_MAX && !u.beyond);
	u = same_type(&bits, CK_DT_I64, &big, &near, 1); /* one double for both */
	ck_assert(u.differing == 1 && u.max_whole == 1);
	u = same_type(&bits, CK_DT_U64, &most, &none, 1);
	ck_assert(u.max_whole == UINT64_MAX && !u.beyond && isinf(u.max_rel));
	u = same_type(&(ck_rules){.close = true, .atol = 0.5}, CK_DT_I64, &big, &near, 1);
	ck_assert_uint_eq(u.differing, 1);
	u = same_type(&(ck_rules){.close = true, .atol = 1}, CK_DT_I64, &big, &near, 1);
	ck_assert_uint_eq(u.differing, 0);
	u = same_type(&(ck_rules){.close = true, .rtol = 1.99}, CK_DT_I64, &low, &high, 1);
	ck_assert_uint_eq(u.differing, 1);
	u = same_type(&(ck_rules){.close = true, .atol = 1e20}, CK_DT_I64, &low, &high, 1);
	ck_assert_uint_eq(u.differing, 0);
	size_t first;
	u = compare(&bits, CK_DT_I64, &low, CK_DT_U64, &most, 1, &first);
	ck_assert(u.beyond && u.differing == 1);
	u = compare(&bits, CK_DT_I64, &high, CK_DT_U64, &(uint64_t){INT64_MAX}, 1, &first);
	ck_assert(!u.beyond && !u.differing);
}
END_TEST

START_TEST(numbers_of_two_dtypes_are_compared_as_numbers)
{
	const float f[] = {1, -2, NAN, -0.0f};
	const unsigned char half[] = {0x00, 0x3C, 0x00, 0xC0, 0x01, 0x7C, 0x00, 0x00};
	const int16_t i16[] = {1, -2, 0, 0};
	const uint8_t one = 1, two = 2;
	size_t first;
	ck_unlike u = compare(&bits, CK_DT_F32, f, CK_DT_F16, half, 4, &first);
	ck_assert(!u.differing && first == 4);
	u = compare(&(ck_rules){.close = true}, CK_DT_F32, f, CK_DT_F16, half, 4, &first);
	ck_assert(u.nan_both == 1 && u.differing == 1 && first == 2);
	u = compare(&bits, CK_DT_F32, f, CK_DT_I16, i16, 4, &first);
	ck_assert(u.nan_a == 1 && u.differing == 1 && first == 2);
	u = compare(&bits, CK_DT_BOOL, &two, CK_DT_U8, &one, 1, &first);
	ck_assert_uint_eq(u.differing, 0);
	u = compare(&bits, CK_DT_C64, (float[]){1, 2}, CK_DT_F32, f, 1, &first);
	ck_assert(u.differing == 1 && u.max_abs == 2);
	ck_assert_int_eq(ck_numbers_of(CK_DT_F4, CK_DT_F32), CK_NUMBERS_NONE);
	ck_assert_int_eq(ck_numbers_of(CK_DT_BOOL, CK_DT_I64), CK_NUMBERS_WHOLE);
}
END_TEST

START_TEST(bits_without_a_meaning_are_counted)
{
	size_t first;
	ck_unlike u = compare(&(ck_rules){.close = true, .atol = 9}, CK_DT_BITS16, "abcdef",
	                      CK_DT_BITS16, "abXdeY", 3, &first);
	ck_assert(u.differing == 2 && first == 1 && !(u.max_abs > 0));
}
END_TEST

/* Numbers are loaded right, too, where there are so many that a table is used. */
START_TEST(bytes_mean_the_same_one_by_one_and_many_at_once)
{
	static const ck_dtype dtypes[] = {
		CK_DT_F8_E5M2, CK_DT_F8_E4M3, CK_DT_F8_E5M2FNUZ, CK_DT_F8_E4M3FNUZ, CK_DT_F8_E8M0,
		CK_DT_I8, CK_DT_U8, CK_DT_BOOL,
	};
	unsigned char all[256];
	double many[256], one;
	for (int i = 0; i < 256; i++)
		all[i] = (unsigned char)i;
	ck_numbers_load(dtypes[_i], all, 256, many);
	for (int i = 0; i < 256; i++) {
		ck_numbers_load(dtypes[_i], all + i, 1, &one);
		ck_assert_msg(!memcmp(&one, &many[i], sizeof one), "%d", i);
	}
}
END_TEST

/* ---- views ---- */

enum { NUMBERS = 3 << 20 };

static ck_job *job;
static uint32_t *numbers[2];

static void begin(void)
{
	job = ck_base_job_new();
	for (int i = 0; i < 2; i++)
		numbers[i] = ck_alloc_array(job, NUMBERS, sizeof **numbers);
}

static void end(void)
{
	ck_base_job_free(job);
}

/* A view on numbers[side] as uint32. */
static ck_tensor view(int side, size_t ndim, const uint64_t *shape, const uint64_t *stride)
{
	ck_storage *storage = ck_alloc(job, sizeof *storage);
	ck_tensor t = {.storage = storage, .dtype = CK_DT_U32, .ndim = ndim};
	*storage = (ck_storage){
		.key = "s", .key_len = 1, .label = "s", .size = NUMBERS * 4, .held = NUMBERS * 4,
		.source = ck_source_memory(job, "s", numbers[side], NUMBERS * 4),
	};
	t.shape = ck_alloc_array(job, ndim + 1, sizeof *shape);
	t.stride = ck_alloc_array(job, ndim + 1, sizeof *stride);
	for (size_t d = 0; d < ndim; d++) {
		t.shape[d] = shape[d];
		t.stride[d] = stride[d];
	}
	ck_assert(ck_tensor_check(job, &t, "f", "w"));
	return t;
}

/* Where element `index` of a view in C order is. */
static uint64_t place(const ck_tensor *t, uint64_t index)
{
	uint64_t at = t->start;
	for (size_t d = t->ndim; d-- > 0; index /= t->shape[d])
		at += index % t->shape[d] * t->stride[d];
	return at;
}

static const ck_model one_storage = {.storages = 1};

static ck_unlike compare_views(const ck_tensor *a, const ck_tensor *b, unsigned threads)
{
	ck_match match = {.tensor = {a, b}};
	ck_diff_side sides[2] = {{.job = job, .model = &one_storage},
	                         {.job = job, .model = &one_storage}};
	ck_assert(ck_diff_values(job, sides, &match, 1, &bits, threads));
	return match.unlike;
}

/* Shapes, and the strides of both views: in C order, turned in the one, in both, in both in
 * another way; expanded; with gaps; some of one element, some so large that they take many blocks
 * and threads. */
static const struct {
	size_t ndim;
	uint64_t shape[4], a[4], b[4];
} views[] = {
	{0, {0}, {0}, {0}},
	{1, {1}, {77}, {5}},
	{1, {1000000}, {1}, {1}},
	{1, {1000000}, {1}, {3}},
	{2, {1000, 1500}, {1500, 1}, {1500, 1}},
	{2, {1000, 1500}, {1500, 1}, {1, 1000}},
	{2, {1000, 1500}, {1, 1000}, {1, 1000}},
	{2, {1000, 1500}, {1, 1001}, {1, 2000}},
	{2, {1500000, 2}, {2, 1}, {1, 1500000}},
	{2, {3, 700000}, {1, 3}, {1000000, 1}},
	{2, {500, 3000}, {0, 1}, {3000, 1}},
	{2, {500, 3000}, {1, 0}, {1, 500}},
	{3, {100, 1, 200}, {200, 9999, 1}, {1, 1, 100}},
	{3, {64, 128, 256}, {128 * 256, 256, 1}, {128 * 256, 1, 128}},
	{3, {64, 128, 256}, {1, 64, 128 * 64}, {256, 64 * 256, 1}},
	{4, {10, 32, 30, 30}, {28800, 1, 960, 32}, {28800, 900, 30, 1}},
	{4, {10, 32, 30, 30}, {28800, 1, 960, 32}, {28800, 1, 960, 32}},
	{4, {7, 11, 13, 17}, {2431, 221, 17, 1}, {1, 7, 77, 1001}},
	{4, {2, 3, 4, 5}, {100000, 20000, 5000, 1000}, {60, 20, 5, 1}},
};

/* Equal numbers in both, then one that differs, then another. */
START_TEST(views_are_compared_element_by_element)
{
	ck_tensor a = view(0, views[_i].ndim, views[_i].shape, views[_i].a);
	ck_tensor b = view(1, views[_i].ndim, views[_i].shape, views[_i].b);
	bool expanded = false;
	for (size_t d = 0; d < a.ndim; d++)
		expanded |= a.shape[d] > 1 && (!a.stride[d] || !b.stride[d]);
	for (uint64_t i = 0; i < a.count; i++)
		numbers[0][place(&a, i)] = 1 + (uint32_t)place(&a, i) % 1000003;
	for (uint64_t i = 0; i < a.count; i++)
		numbers[1][place(&b, i)] = numbers[0][place(&a, i)];
	ck_assert_uint_eq(compare_views(&a, &b, 1).differing, 0);
	if (expanded) /* an element has several places */
		return;
	uint64_t last = a.count - 1, middle = a.count / 3;
	numbers[1][place(&b, last)] += 2000000;
	ck_unlike u = compare_views(&a, &b, 1);
	ck_assert(u.differing == 1 && u.first == last && u.max_whole == 2000000);
	numbers[1][place(&b, middle)] ^= 1u << 31;
	u = compare_views(&a, &b, 2);
	ck_assert(u.differing == (middle == last ? 1 : 2) && u.first == middle);
}
END_TEST

START_TEST(all_elements_are_counted)
{
	const uint64_t shape[] = {1000, 1500}, turned[] = {1, 1000}, plain[] = {1500, 1};
	ck_tensor a = view(0, 2, shape, turned), b = view(1, 2, shape, plain);
	for (uint64_t i = 0; i < a.count; i++)
		numbers[0][place(&a, i)] = 1 + (uint32_t)i;
	ck_unlike u = compare_views(&a, &b, 2);
	ck_assert_uint_eq(u.differing, 1500000);
	ck_assert_uint_eq(u.max_whole, 1500000);
	ck_assert_uint_eq(u.first, 0);
	ck_assert(isinf(u.max_rel));
	const uint64_t none[] = {0, 1500};
	a = view(0, 2, none, plain);
	ck_assert_uint_eq(compare_views(&a, &a, 1).differing, 0);
}
END_TEST

/* ---- checksums ---- */

static ck_unlike checked(ck_job *own, uint32_t crc_a, uint32_t crc_b, bool *ok, size_t *unchecked)
{
	const uint64_t shape[] = {NUMBERS}, stride[] = {1};
	ck_tensor a = view(0, 1, shape, stride), b = view(1, 1, shape, stride);
	a.storage->has_crc = b.storage->has_crc = true;
	a.storage->crc = crc_a;
	b.storage->crc = crc_b;
	ck_match match = {.tensor = {&a, &b}};
	ck_diff_side sides[2] = {{.job = own, .model = &one_storage},
	                         {.job = own, .model = &one_storage}};
	*ok = ck_diff_values(own, sides, &match, 1, &bits, 2);
	*unchecked = sides[0].unchecked + 10 * sides[1].unchecked;
	return match.unlike;
}

START_TEST(damage_is_an_error_and_no_difference)
{
	bool ok;
	size_t unchecked;
	for (uint32_t i = 0; i < NUMBERS; i++)
		numbers[0][i] = numbers[1][i] = i * 2654435761u;
	uint32_t right = ck_crc32(0, numbers[0], NUMBERS * 4);
	ck_assert_uint_eq(checked(job, right, right, &ok, &unchecked).differing, 0);
	ck_assert(ok && !unchecked);
	numbers[1][NUMBERS - 5]++;
	uint32_t other = ck_crc32(0, numbers[1], NUMBERS * 4);
	ck_assert_uint_eq(checked(job, right, other, &ok, &unchecked).first, NUMBERS - 5);
	ck_assert(ok && !unchecked);
	checked(job, right, 0, &ok, &unchecked);
	ck_assert(ok && unchecked == 10);
	ck_job *own = ck_base_job_new();
	checked(own, right, right, &ok, &unchecked);
	ck_assert(!ok);
	ck_assert_failed(own, CK_CORRUPT, "the file is damaged");
	ck_base_job_free(own);
	own = ck_base_job_new();
	checked(own, other, other, &ok, &unchecked);
	ck_assert(!ok && own->error.status == CK_CORRUPT);
	ck_base_job_free(own);
}
END_TEST

/* ---- names ---- */

static const struct {
	const char *less, *more;
} orders[] = {
	{"", "a"}, {"a", "b"}, {"a", "a.b"}, {"layers.2.w", "layers.10.w"}, {"a2", "a02"},
	{"a02", "a3"}, {"a9b", "a10a"}, {"x1.y2", "x1.y10"}, {"a.b", "a1"}, {"0", "00"},
	{"99999999999999999999998", "99999999999999999999999"},
	{"9", "10000000000000000000000000000"}, {"a", "\xc3\xa4"},
};

START_TEST(names_are_in_the_order_of_people)
{
	const char *a = orders[_i].less, *b = orders[_i].more;
	if (!strcmp(a, "a2")) { /* the same number: then by bytes */
		const char *keep = a;
		a = b;
		b = keep;
	}
	ck_assert_int_lt(ck_name_order(a, strlen(a), b, strlen(b)), 0);
	ck_assert_int_gt(ck_name_order(b, strlen(b), a, strlen(a)), 0);
	ck_assert_int_eq(ck_name_order(a, strlen(a), a, strlen(a)), 0);
}
END_TEST

static ck_model named(ck_entry *entries, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		entries[i] = (ck_entry){.name = names[i], .name_len = strlen(names[i])};
	return (ck_model){.entries = entries, .count = count};
}

START_TEST(names_are_joined)
{
	static const char *const of_a[] = {"z", "l.10", "l.9", "a"}, *const of_b[] = {"l.9", "b", "z"};
	static const char *const want[] = {"a<", "b>", "l.9=", "l.10<", "z="};
	ck_entry entries[2][4];
	const ck_model a = named(entries[0], of_a, 4), b = named(entries[1], of_b, 3);
	size_t count;
	const ck_named *all = ck_diff_join(job, &a, &b, &count);
	ck_assert_uint_eq(count, 5);
	for (size_t i = 0; i < count; i++) {
		char got[16];
		const ck_entry *x = all[i].entry[0], *y = all[i].entry[1];
		snprintf(got, sizeof got, "%s%s", (x ? x : y)->name, x && y ? "=" : x ? "<" : ">");
		ck_assert_str_eq(got, want[i]);
	}
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("diff");
	TCase *values = tcase_create("values"), *all = tcase_create("views");
	tcase_add_loop_test(values, elements_of_every_dtype, 0, CK_COUNT(elements));
	tcase_add_loop_test(values, nan_is_nan_by_its_bits_or_by_a_wish, 0, CK_COUNT(nans));
	tcase_add_test(values, zeros_differ_by_their_sign_and_not_by_their_value);
	tcase_add_test(values, infinities_are_close_to_themselves_alone);
	tcase_add_test(values, integers_of_64_bits_are_exact);
	tcase_add_test(values, numbers_of_two_dtypes_are_compared_as_numbers);
	tcase_add_test(values, bits_without_a_meaning_are_counted);
	tcase_add_loop_test(values, bytes_mean_the_same_one_by_one_and_many_at_once, 0, 8);
	suite_add_tcase(suite, values);
	tcase_add_checked_fixture(all, begin, end);
	tcase_add_loop_test(all, views_are_compared_element_by_element, 0, CK_COUNT(views));
	tcase_add_test(all, all_elements_are_counted);
	tcase_add_test(all, damage_is_an_error_and_no_difference);
	tcase_add_loop_test(all, names_are_in_the_order_of_people, 0, CK_COUNT(orders));
	tcase_add_test(all, names_are_joined);
	suite_add_tcase(suite, all);
	return suite;
}

int main(void)
{
	return unit_run(make_suite());
}
