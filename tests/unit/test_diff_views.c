/* Comparing: views of every kind, checksums, names. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "diff.h"
#include "unit.h"

static const ck_rules bits = {0};

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

static bool big_endian; /* of the second */

static ck_unlike checked(ck_job *own, uint32_t crc_a, uint32_t crc_b, bool *ok, size_t *unchecked)
{
	const uint64_t shape[] = {NUMBERS}, stride[] = {1};
	ck_tensor a = view(0, 1, shape, stride), b = view(1, 1, shape, stride);
	a.storage->has_crc = b.storage->has_crc = true;
	b.storage->big_endian = big_endian;
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

/* Checksums are of the bytes as they lie in the file, whatever is made of them. */
START_TEST(what_is_changed_on_its_way_has_the_checksum_of_before)
{
	bool ok;
	size_t unchecked;
	for (uint32_t i = 0; i < NUMBERS; i++) {
		numbers[0][i] = i * 2654435761u;
		numbers[1][i] = __builtin_bswap32(numbers[0][i]);
	}
	big_endian = true;
	ck_unlike u = checked(job, ck_crc32(0, numbers[0], NUMBERS * 4),
	                      ck_crc32(0, numbers[1], NUMBERS * 4), &ok, &unchecked);
	ck_assert(ok && !u.differing);
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
	static const char *const of_a[] = {"z", "l.10", "l.9", "a"};
	static const char *const of_b[] = {"l.9", "b", "z"};
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
	Suite *suite = suite_create("diff_views");
	TCase *all = tcase_create("views");
	tcase_add_checked_fixture(all, begin, end);
	tcase_add_loop_test(all, views_are_compared_element_by_element, 0, CK_COUNT(views));
	tcase_add_test(all, all_elements_are_counted);
	tcase_add_test(all, damage_is_an_error_and_no_difference);
	tcase_add_test(all, what_is_changed_on_its_way_has_the_checksum_of_before);
	tcase_add_loop_test(all, names_are_in_the_order_of_people, 0, CK_COUNT(orders));
	tcase_add_test(all, names_are_joined);
	suite_add_tcase(suite, all);
	return suite;
}

int main(void)
{
	return unit_run(make_suite());
}
