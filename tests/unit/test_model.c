/* Tensors as views: every rule of bounds, what counts as plain, and the changes of values. */
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "unit.h"

static ck_job *job;
static ck_storage storage;

static void begin(void)
{
	job = ck_base_job_new();
	storage = (ck_storage){.key = "0", .key_len = 1, .size = 96};
}

static void end(void)
{
	ck_base_job_free(job);
}

/* A float32 view of two dimensions. */
static ck_tensor view(uint64_t rows, uint64_t columns, uint64_t down, uint64_t right,
                      uint64_t start)
{
	uint64_t *shape = ck_alloc_array(job, 2, sizeof *shape);
	uint64_t *stride = ck_alloc_array(job, 2, sizeof *stride);
	shape[0] = rows;
	shape[1] = columns;
	stride[0] = down;
	stride[1] = right;
	return (ck_tensor){.storage = &storage, .dtype = CK_DT_F32, .ndim = 2, .shape = shape,
	                   .stride = stride, .start = start};
}

static void must_fail(ck_tensor tensor, const char *part)
{
	ck_job *before = job;
	job = ck_base_job_new();
	ck_assert_msg(!ck_tensor_check(job, &tensor, "f", "w"), "passes: %s", part);
	ck_assert_failed(job, CK_CORRUPT, part);
	ck_base_job_free(job);
	job = before;
}

START_TEST(a_view_may_reach_the_last_byte_and_no_further)
{
	ck_tensor exact = view(4, 6, 6, 1, 0);
	ck_assert(ck_tensor_check(job, &exact, "f", "w"));
	ck_assert_uint_eq(exact.bytes, 96);
	must_fail(view(4, 6, 6, 1, 1), "reaches to byte 100 of storage '0', which has 96");
	must_fail(view(4, 7, 6, 1, 0), "reaches to byte 100");
	must_fail(view(1, 1, 0, 0, 24), "reaches to byte 100");
	must_fail(view(5, 6, 6, 1, 0), "reaches to byte 120");
}
END_TEST

START_TEST(numbers_near_the_end_of_64_bits_do_not_wrap)
{
	must_fail(view(2, 2, UINT64_MAX, 1, 0), "beyond 64 bits");
	must_fail(view(2, 2, 1, 1, UINT64_MAX - 1), "beyond 64 bits");
	must_fail(view(1, 1, 1, 1, UINT64_MAX), "beyond 64 bits");
	must_fail(view(1, 1, 1, 1, UINT64_MAX / 4), "beyond 64 bits");
	must_fail(view(UINT64_C(1) << 33, UINT64_C(1) << 33, 0, 0, 0), "does not fit 64 bits");
	must_fail(view(UINT64_C(1) << 31, UINT64_C(1) << 31, 0, 0, 0), "63 bits");
	must_fail(view(0, UINT64_C(1) << 62, 0, 0, 0), "63 bits");
}
END_TEST

START_TEST(a_tensor_without_elements_needs_no_bytes)
{
	ck_tensor none = view(0, 1000, 1000, 1, 500);
	ck_assert(ck_tensor_check(job, &none, "f", "w"));
	ck_assert_uint_eq(none.bytes, 0);
	ck_assert(ck_tensor_is_plain(&none));
}
END_TEST

START_TEST(plain_means_c_order_whatever_the_stride_of_single_elements)
{
	ck_tensor rows = view(4, 6, 6, 1, 0), columns = view(6, 4, 1, 6, 0);
	ck_tensor one = view(1, 6, 77, 1, 0);
	ck_tensor gaps = view(4, 3, 6, 1, 0);
	ck_assert(ck_tensor_is_plain(&rows));
	ck_assert(ck_tensor_is_plain(&one));
	ck_assert(!ck_tensor_is_plain(&columns));
	ck_assert(!ck_tensor_is_plain(&gaps));
	storage.big_endian = true;
	ck_assert(!ck_tensor_is_plain(&rows));
	rows.dtype = CK_DT_U8;
	ck_assert(ck_tensor_is_plain(&rows));
}
END_TEST

START_TEST(the_same_view_is_told_from_one_that_only_overlaps)
{
	ck_tensor a = view(4, 6, 6, 1, 0), b = view(4, 6, 6, 1, 0), flat = view(1, 24, 24, 1, 0);
	ck_tensor none = view(0, 6, 6, 1, 0);
	ck_tensor *all[] = {&a, &b, &flat, &none};
	for (size_t i = 0; i < CK_COUNT(all); i++)
		ck_assert(ck_tensor_check(job, all[i], "f", "w"));
	ck_assert(ck_tensor_same_view(&a, &b));
	ck_assert(!ck_tensor_same_view(&a, &flat));
	ck_assert(!ck_tensor_same_view(&none, &none)); /* nothing is shared */
	b.neg = true;
	ck_assert(!ck_tensor_same_view(&a, &b));
}
END_TEST

/* Values after the change of one element given as bytes. */
static void must_change(ck_tensor tensor, const char *from, const char *to, size_t size)
{
	char item[16];
	memcpy(item, from, size);
	ck_change *change = ck_tensor_change(&tensor);
	ck_assert_ptr_nonnull(change);
	change(item, 1, &tensor);
	ck_assert_int_eq(memcmp(item, to, size), 0);
}

START_TEST(conjugates_negatives_and_byte_order_change_values)
{
	ck_tensor t = {.storage = &storage, .dtype = CK_DT_C64, .conj = true};
	must_change(t, "\1\2\3\4\5\6\7\x08", "\1\2\3\4\5\6\7\x88", 8);
	t.neg = true;
	must_change(t, "\1\2\3\4\5\6\7\x08", "\1\2\3\x84\5\6\7\x08", 8);
	t = (ck_tensor){.storage = &storage, .dtype = CK_DT_I32, .neg = true};
	must_change(t, "\1\0\0\0", "\xff\xff\xff\xff", 4);
	must_change(t, "\0\0\0\0", "\0\0\0\0", 4);
	must_change(t, "\0\1\0\0", "\0\xff\xff\xff", 4);
	t.dtype = CK_DT_BF16;
	must_change(t, "\x80\x3f", "\x80\xbf", 2);
	storage.big_endian = true;
	t = (ck_tensor){.storage = &storage, .dtype = CK_DT_C64};
	must_change(t, "\1\2\3\4\5\6\7\x08", "\4\3\2\1\x08\7\6\5", 8);
	t.dtype = CK_DT_I64;
	must_change(t, "\1\2\3\4\5\6\7\x08", "\x08\7\6\5\4\3\2\1", 8);
	t = (ck_tensor){.storage = &storage, .dtype = CK_DT_F32, .neg = true};
	must_change(t, "\x3f\x80\0\0", "\0\0\x80\xbf", 4); /* swapped first, then negated */
}
END_TEST

START_TEST(dtypes_are_found_by_both_of_their_names)
{
	ck_dtype dtype;
	ck_assert(ck_dtype_of_torch("float8_e4m3fn", 13, &dtype) && dtype == CK_DT_F8_E4M3);
	ck_assert(ck_dtype_of_torch("half", 4, &dtype) && dtype == CK_DT_F16);
	ck_assert(ck_dtype_of_stem("ComplexFloat", 12, &dtype) && dtype == CK_DT_C64);
	ck_assert(!ck_dtype_of_torch("float3", 6, &dtype));
	ck_assert(!ck_dtype_of_torch("float32", 6, &dtype));
	ck_assert(!ck_dtype_of_stem("Complex", 7, &dtype));
}
END_TEST

START_TEST(names_are_keys_joined_by_dots_below_the_root)
{
	const ck_path *top = ck_path_new(job, NULL, "", 0, true);
	const ck_path *a = ck_path_new(job, top, "a", 1, true);
	const ck_path *empty = ck_path_new(job, a, "", 0, true);
	const ck_path *leaf = ck_path_new(job, empty, "x.y", 3, true);
	size_t len;
	ck_assert_str_eq(ck_path_name(job, leaf, top, &len), "a..x.y");
	ck_assert_uint_eq(len, 6);
	ck_assert_str_eq(ck_path_name(job, leaf, a, &len), ".x.y");
	ck_assert_str_eq(ck_path_name(job, leaf, empty, &len), "x.y");
	ck_assert_str_eq(ck_path_name(job, a, a, &len), "");
	ck_assert_str_eq(ck_path_show(leaf).s, "['a']['']['x.y']");
	ck_assert(ck_path_is_below(leaf, a) && ck_path_is_below(a, a) &&
	          !ck_path_is_below(a, leaf));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("model");
	TCase *tcase = tcase_create("model");
	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_test(tcase, a_view_may_reach_the_last_byte_and_no_further);
	tcase_add_test(tcase, numbers_near_the_end_of_64_bits_do_not_wrap);
	tcase_add_test(tcase, a_tensor_without_elements_needs_no_bytes);
	tcase_add_test(tcase, plain_means_c_order_whatever_the_stride_of_single_elements);
	tcase_add_test(tcase, the_same_view_is_told_from_one_that_only_overlaps);
	tcase_add_test(tcase, conjugates_negatives_and_byte_order_change_values);
	tcase_add_test(tcase, dtypes_are_found_by_both_of_their_names);
	tcase_add_test(tcase, names_are_keys_joined_by_dots_below_the_root);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
