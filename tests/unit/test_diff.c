/* Comparing: elements of every dtype. What is expected was worked out by hand, from the definitions
 * of the dtypes. */
#include <math.h>
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
	const double inf = (double)INFINITY, a[] = {inf, inf, inf, 1, -inf},
	             b[] = {inf, -inf, 1, inf, -inf};
	size_t first;
	ck_unlike u = compare(&close, CK_DT_F64, a, CK_DT_F64, b, 5, &first);
	ck_assert(u.differing == 3 && first == 1 && isinf(u.max_abs) && isinf(u.max_rel));
	ck_assert(!u.nan_a && !u.nan_b && !u.nan_both);
	u = compare(&close, CK_DT_F64, a + 1, CK_DT_F64, b + 1, 1, &first);
	ck_assert(u.differing == 1 && isinf(u.max_rel));
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
	u = same_type(&(ck_rules){.close = true, .atol = 0x1p53}, CK_DT_I64, &big, &(int64_t){0},
	              1);
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

static Suite *make_suite(void)
{
	Suite *suite = suite_create("diff");
	TCase *values = tcase_create("values");
	tcase_add_loop_test(values, elements_of_every_dtype, 0, CK_COUNT(elements));
	tcase_add_loop_test(values, nan_is_nan_by_its_bits_or_by_a_wish, 0, CK_COUNT(nans));
	tcase_add_test(values, zeros_differ_by_their_sign_and_not_by_their_value);
	tcase_add_test(values, infinities_are_close_to_themselves_alone);
	tcase_add_test(values, integers_of_64_bits_are_exact);
	tcase_add_test(values, numbers_of_two_dtypes_are_compared_as_numbers);
	tcase_add_test(values, bits_without_a_meaning_are_counted);
	tcase_add_loop_test(values, bytes_mean_the_same_one_by_one_and_many_at_once, 0, 8);
	suite_add_tcase(suite, values);
	return suite;
}

int main(void)
{
	return unit_run(make_suite());
}
