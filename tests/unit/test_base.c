/* The ground floor: memory, errors, limits, maps and text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

static ck_job *job;

static void begin(void)
{
	job = ck_base_job_new();
	ck_assert_ptr_nonnull(job);
}

static void end(void)
{
	ck_base_job_free(job);
}

static void append_digit(void *arg)
{
	/* closers run in reverse: each multiplies what came before it by ten and adds itself */
	static int total;
	total = total * 10 + *(int *)arg;
	if (*(int *)arg == 1)
		ck_assert_int_eq(total, 321);
}

START_TEST(closers_run_in_reverse_order)
{
	static int numbers[] = {1, 2, 3};
	for (int i = 0; i < 3; i++)
		ck_assert(ck_defer(job, append_digit, &numbers[i]));
}
END_TEST

START_TEST(memory_is_zero_even_where_it_was_given_back)
{
	ck_mark mark = ck_arena_mark(job);
	memset(ck_alloc(job, 5000), 0xAA, 5000);
	memset(ck_alloc(job, 3 << 20), 0xAA, 3 << 20);
	ck_arena_release(job, mark);
	mark = ck_arena_mark(job);
	memset(ck_alloc(job, 100), 0xAA, 100);
	ck_arena_release(job, mark);
	const unsigned char *again = ck_alloc(job, 5000);
	for (int i = 0; i < 5000; i++)
		ck_assert_quick(!again[i]);
}
END_TEST

START_TEST(a_growing_array_keeps_its_items)
{
	uint64_t *items = NULL;
	size_t cap = 0;
	for (size_t i = 0; i < 100000; i++) {
		items = ck_grow(job, items, &cap, i + 1, sizeof *items);
		ck_assert_quick(items);
		items[i] = i;
		if (i % 1000 == 0)
			ck_assert_ptr_nonnull(ck_alloc(job, 8)); /* something in the way */
	}
	for (size_t i = 0; i < 100000; i++)
		ck_assert_quick(items[i] == i);
}
END_TEST

START_TEST(a_growing_array_leaves_nothing_behind)
{
	enum { COUNT = 1 << 20 };
	uint64_t *items = NULL;
	size_t cap = 0;
	for (size_t i = 0; i < COUNT; i++) {
		items = ck_grow(job, items, &cap, i + 1, sizeof *items);
		ck_assert_quick(items);
		ck_assert_quick(i + 1 >= cap || !items[i + 1]);
		items[i] = ~i;
	}
	ck_assert_uint_lt(job->arena.held, COUNT * sizeof *items + (1 << 20));
	ck_give_back(job, items, cap * sizeof *items);
	ck_assert_uint_lt(job->arena.held, 1 << 20);
}
END_TEST

START_TEST(an_array_that_moved_outlives_the_mark_after_it)
{
	enum { COUNT = 200000 };
	uint64_t *items = NULL;
	size_t cap = 0;
	items = ck_grow(job, items, &cap, COUNT, sizeof *items);
	items[COUNT - 1] = 42;
	uint64_t held = job->arena.held;
	ck_mark mark = ck_arena_mark(job);
	items = ck_grow(job, items, &cap, 4 * COUNT, sizeof *items);
	ck_assert_ptr_nonnull(ck_alloc(job, 3 << 20));
	uint64_t grown = job->arena.held;
	ck_arena_release(job, mark);
	ck_assert_uint_eq(items[COUNT - 1], 42);
	ck_assert_uint_gt(job->arena.held, held);
	ck_assert_uint_le(job->arena.held, grown - (3 << 20));
}
END_TEST

/* A big allocation is a block wherever the arena stands: it would be freed as one. */
static void assert_blocks_are_blocks(void)
{
	size_t blocks = job->arena.blocks;
	ck_assert_ptr_nonnull(ck_alloc(job, CK_BLOCK_MIN));
	ck_assert_uint_eq(job->arena.blocks, blocks + 1);
}

START_TEST(no_block_lies_in_what_was_given_back)
{
	enum { COUNT = 900 * 1024, SIZE = 32, BACK = 40000 };
	static void *values[COUNT];
	for (size_t i = 0; i < COUNT; i++) {
		values[i] = ck_alloc(job, SIZE);
		ck_assert_quick(values[i]);
		if (i % 100000 == 0)
			assert_blocks_are_blocks();
	}
	ck_mark mark = ck_arena_mark(job);
	for (size_t i = 0; i < BACK; i++)
		memset(ck_alloc(job, SIZE), 0xAA, SIZE);
	ck_arena_release(job, mark);
	assert_blocks_are_blocks();
	for (size_t i = 0; i < BACK; i++)
		ck_take_back(job, values[COUNT - 1 - i], SIZE);
	assert_blocks_are_blocks();
	static const unsigned char zero[SIZE];
	for (size_t i = 0; i < 4 * BACK; i++)
		ck_assert_quick(!memcmp(ck_alloc(job, SIZE), zero, SIZE));
}
END_TEST

START_TEST(the_heap_limit_stops_an_allocation)
{
	ck_assert(ck_limits_set(job, "heap=1M"));
	ck_assert_ptr_null(ck_alloc(job, 2 << 20));
	ck_assert_failed(job, CK_LIMIT, "--limit heap=N");
}
END_TEST

START_TEST(sizes_that_overflow_are_no_memory)
{
	ck_assert_ptr_null(ck_alloc_array(job, SIZE_MAX / 2, 4));
	ck_assert_failed(job, CK_NOMEM, "memory");
}
END_TEST

START_TEST(the_first_error_wins)
{
	ck_fail_at(job, CK_CORRUPT, "a\nb", 7, "first");
	ck_fail(job, CK_IO, "c", "second");
	ck_assert_str_eq(job->error.text, "first");
	ck_assert_str_eq(job->error.where, "a\\x0ab");
	ck_assert(job->error.has_offset);
	ck_assert_uint_eq(job->error.offset, 7);
}
END_TEST

START_TEST(a_job_within_another_stops_with_it_and_fails_alone)
{
	job->limits.tensors = 7;
	ck_job *inner = ck_base_job_within(job);
	ck_assert_uint_eq(inner->limits.tensors, 7);
	ck_assert(!ck_stopped(inner));
	ck_fail(inner, CK_CORRUPT, "", "nobody's business");
	ck_assert_int_eq(job->error.status, CK_OK);
	ck_base_job_free(inner);
	inner = ck_base_job_within(job);
	atomic_store(&job->stop, true);
	ck_assert(ck_stopped(inner));
	ck_assert_int_eq(inner->error.status, CK_STOPPED);
	ck_base_job_free(inner);
}
END_TEST

START_TEST(limits_are_read_strictly)
{
	static const char *const bad[] = {"depth", "depth=", "depth=x", "depth=1x", "depth=1KK",
		"depth=-1", "depth= 1", "nothing=1", "=1", "", "depth=99999999999999999999",
		"depth=99999999999999T", "dept=1", "depth1=1"};
	for (size_t i = 0; i < CK_COUNT(bad); i++) {
		ck_job *other = ck_base_job_new();
		ck_assert_msg(!ck_limits_set(other, bad[i]), "takes %s", bad[i]);
		ck_assert_int_eq(other->error.status, CK_USAGE);
		ck_base_job_free(other);
	}
	ck_assert(ck_limits_set(job, "depth=3K"));
	ck_assert_uint_eq(job->limits.depth, 3072);
	ck_assert(ck_limits_set(job, "ratio=0"));
	ck_assert_uint_eq(job->limits.ratio, 0);
}
END_TEST

START_TEST(a_set_knows_what_was_added_and_nothing_else)
{
	bool fresh;
	ck_hash_set set = {0};
	for (int round = 0; round < 2; round++)
		for (uint32_t i = 0; i < 20000; i++) {
			ck_assert_quick(ck_hash_set_add(job, &set, &i, sizeof i, &fresh));
			ck_assert_quick(fresh == !round);
		}
	ck_assert_uint_eq(set.count, 20000);
	ck_assert(ck_hash_set_add(job, &set, "", 0, &fresh) && fresh);
	ck_assert(ck_hash_set_add(job, &set, NULL, 0, &fresh) && !fresh);
}
END_TEST

START_TEST(a_map_finds_what_was_put_and_nothing_else)
{
	static char keys[20000][8];
	ck_map map = {0};
	bool fresh;
	for (int i = 0; i < 20000; i++) {
		snprintf(keys[i], sizeof keys[i], "k%d", i);
		*ck_map_put(job, &map, keys[i], strlen(keys[i]), &fresh) = (uint64_t)i;
		ck_assert_quick(fresh);
	}
	ck_assert_uint_eq(*ck_map_put(job, &map, "k77", 3, &fresh), 77);
	ck_assert(!fresh);
	for (int i = 0; i < 20000; i++)
		ck_assert_quick(*ck_map_find(job, &map, keys[i], strlen(keys[i])) ==
		                (uint64_t)i);
	ck_assert_ptr_null(ck_map_find(job, &map, "k20000", 6));
	ck_assert_ptr_null(ck_map_find(job, &map, "k1\0", 3)); /* a NUL counts */
	ck_assert_ptr_null(ck_map_find(job, &map, "", 0));
	*ck_map_put(job, &map, "", 0, &fresh) = 5;
	ck_assert_uint_eq(*ck_map_find(job, &map, NULL, 0), 5);
}
END_TEST

START_TEST(utf8_is_read_strictly)
{
	static const char *const good[] = {"", "a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
		"\xf4\x8f\xbf\xbf"};
	static const char *const bad[] = {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xc3",
		"\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "a\xe2\x82"};
	for (size_t i = 0; i < CK_COUNT(good); i++)
		ck_assert(ck_utf8_valid(good[i], strlen(good[i])));
	for (size_t i = 0; i < CK_COUNT(bad); i++)
		ck_assert_msg(!ck_utf8_valid(bad[i], strlen(bad[i])), "takes number %zu", i);
	uint32_t code;
	ck_assert_uint_eq(ck_utf8_next_wide("\xed\xa0\x80", 3, &code), 3);
	ck_assert_uint_eq(code, 0xD800);
	for (code = 0; code <= 0x10FFFF; code += 7) {
		char text[4];
		uint32_t back;
		size_t len = ck_utf8_put(text, code);
		ck_assert_uint_eq(ck_utf8_next_wide(text, len, &back), len);
		ck_assert_uint_eq(back, code);
	}
}
END_TEST

START_TEST(a_job_stops_with_the_one_that_it_works_for)
{
	ck_job *outer = ck_base_job_new(), *inner = ck_base_job_new();
	inner->parent = outer;
	ck_assert(!ck_stopped(inner));
	atomic_store(&outer->stop, true);
	ck_assert(ck_stopped(inner));
	ck_assert_failed(inner, CK_STOPPED, "stopped on request");
	ck_base_job_free(inner);
	ck_base_job_free(outer);
}
END_TEST

START_TEST(text_from_files_is_shown_without_its_tricks)
{
	ck_assert_str_eq(ck_show("a\033[2J\n", 6).s, "a\\x1b[2J\\x0a");
	/* right-to-left override */
	ck_assert_str_eq(ck_show("\xe2\x80\xaegpj", 6).s, "\\u202egpj");
	ck_assert_str_eq(ck_show("\xff\xc3", 2).s, "\\xff\\xc3");
	ck_assert_str_eq(ck_show("\xc3\xa9t\xc3\xa9", 5).s, "\xc3\xa9t\xc3\xa9");
	char shown[8];
	ck_assert_uint_eq(ck_show_to(shown, sizeof shown, "0123456", 7), 7);
	ck_assert_str_eq(shown, "0123456");
	ck_show_to(shown, sizeof shown, "01234567", 8);
	ck_assert_str_eq(shown, "0123...");
	char tiny[3];
	ck_show_to(tiny, sizeof tiny, "abcdef", 6);
	ck_assert_str_eq(tiny, "..");
}
END_TEST

START_TEST(a_text_that_is_cut_ends_with_a_whole_character)
{
	static const char *const cut[][2] = {
		{"", ""}, {"a", "a"}, {"a\xc3", "a"}, {"a\xc3\xa9", "a\xc3\xa9"},
		{"\xe2\x80", ""}, {"\xe2\x82\xac", "\xe2\x82\xac"}, {"b\xf0\x9f\x98", "b"},
		{"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"}, {"\xf0", ""},
	};
	char text[8], where[2 * CK_TEXT_MAX];
	for (size_t i = 0; i < CK_COUNT(cut); i++) {
		ck_utf8_trim(strcpy(text, cut[i][0]));
		ck_assert_str_eq(text, cut[i][1]);
	}
	for (size_t i = 0; i < sizeof where; i++)
		where[i] = "\xe2\x82\xac"[i % 3];
	where[sizeof where - 1] = 0;
	for (size_t skip = 0; skip < 9; skip += 3) { /* whatever remains of the text's size */
		ck_job *own = ck_base_job_new();
		ck_fail(own, CK_CORRUPT, "", "%.*s%s", (int)(skip / 3), "abc", where);
		ck_assert_uint_gt(strlen(own->error.text), CK_TEXT_MAX - 5);
		ck_assert(ck_utf8_valid(own->error.text, strlen(own->error.text)));
		ck_base_job_free(own);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("base");
	TCase *tcase = tcase_create("base");
	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_test(tcase, closers_run_in_reverse_order);
	tcase_add_test(tcase, memory_is_zero_even_where_it_was_given_back);
	tcase_add_test(tcase, a_growing_array_keeps_its_items);
	tcase_add_test(tcase, a_growing_array_leaves_nothing_behind);
	tcase_add_test(tcase, an_array_that_moved_outlives_the_mark_after_it);
	tcase_add_test(tcase, no_block_lies_in_what_was_given_back);
	tcase_add_test(tcase, the_heap_limit_stops_an_allocation);
	tcase_add_test(tcase, sizes_that_overflow_are_no_memory);
	tcase_add_test(tcase, the_first_error_wins);
	tcase_add_test(tcase, a_job_within_another_stops_with_it_and_fails_alone);
	tcase_add_test(tcase, limits_are_read_strictly);
	tcase_add_test(tcase, a_set_knows_what_was_added_and_nothing_else);
	tcase_add_test(tcase, a_map_finds_what_was_put_and_nothing_else);
	tcase_add_test(tcase, utf8_is_read_strictly);
	tcase_add_test(tcase, a_job_stops_with_the_one_that_it_works_for);
	tcase_add_test(tcase, text_from_files_is_shown_without_its_tricks);
	tcase_add_test(tcase, a_text_that_is_cut_ends_with_a_whole_character);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
