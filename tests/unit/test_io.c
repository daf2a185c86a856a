/* Sources, outputs and the copy engine, against the plainest code that could do the same. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io.h"
#include "unit.h"

static ck_job *job;
static char folder[] = "/tmp/ckconv-test-XXXXXX";

static void begin(void)
{
	job = ck_base_job_new();
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(chdir(folder), 0);
}

static int count_files(void)
{
	DIR *dir = opendir(folder);
	int count = -2; /* . and .. */
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void end(void)
{
	char command[64];
	ck_base_job_free(job);
	ck_assert_int_eq(chdir("/"), 0);
	snprintf(command, sizeof command, "rm -rf %s", folder);
	ck_assert_int_eq(system(command), 0);
}

static void put_file(const char *name, const void *data, size_t size)
{
	FILE *file = fopen(name, "wb");
	ck_assert_uint_eq(fwrite(data, 1, size, file), size);
	fclose(file);
}

static unsigned char *get_file(const char *name, size_t *size)
{
	struct stat st;
	int fd = open(name, O_RDONLY);
	ck_assert_int_ge(fd, 0);
	fstat(fd, &st);
	*size = (size_t)st.st_size;
	unsigned char *data = malloc(*size + 1);
	ck_assert_int_eq(read(fd, data, *size), st.st_size);
	close(fd);
	return data;
}

/* A repeatable stream of numbers; any will do. */
static uint32_t random_state = 1;

static uint32_t roll(uint32_t below)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (uint32_t)((uint64_t)random_state * below >> 32);
}

static unsigned char *random_bytes(size_t size)
{
	unsigned char *data = malloc(size + 1);
	for (size_t i = 0; i < size; i++)
		data[i] = (unsigned char)roll(256);
	return data;
}

/* ---- sources ---- */

START_TEST(a_read_past_the_end_fails_with_its_place)
{
	char to[8];
	put_file("f", "0123456789", 10);
	const ck_source *source = ck_source_open(job, "f");
	ck_assert(ck_read_at(job, source, 2, to, 8));
	ck_assert_int_eq(memcmp(to, "23456789", 8), 0);
	const ck_source *window = ck_source_window(job, source, "w", 4, 3);
	ck_assert(ck_read_at(job, window, 1, to, 2));
	ck_assert_int_eq(memcmp(to, "56", 2), 0);
	ck_assert(!ck_read_at(job, window, 1, to, 3));
	ck_assert_failed(job, CK_CORRUPT, "3 bytes should be here, but all ends at byte 3");
	ck_assert_uint_eq(job->error.offset, 1);
}
END_TEST

START_TEST(offsets_near_the_end_of_64_bits_do_not_wrap)
{
	char to[8];
	const ck_source *source = ck_source_memory(job, "m", "abc", 3);
	ck_assert(!ck_read_at(job, source, UINT64_MAX - 1, to, 4));
	ck_assert_ptr_null(ck_source_window(job, source, "w", UINT64_MAX, 2));
	ck_assert_ptr_null(ck_source_window(job, source, "w", 2, UINT64_MAX));
}
END_TEST

START_TEST(what_is_no_regular_file_is_refused_and_not_waited_for)
{
	ck_assert_int_eq(mkfifo("pipe", 0600), 0);
	ck_assert_ptr_null(ck_source_open(job, "pipe"));
	ck_assert_failed(job, CK_USAGE, "a pipe or a device");
}
END_TEST

/* ---- outputs ---- */

START_TEST(an_output_that_is_not_committed_leaves_nothing)
{
	ck_job *other = ck_base_job_new();
	ck_file *file = ck_output_add(other, ck_output_new(other, 0), "out");
	ck_assert(ck_file_write(other, file, 0, "x", 1));
	ck_base_job_free(other);
	ck_assert_int_eq(count_files(), 0);
}
END_TEST

START_TEST(a_commit_places_all_files_and_no_other)
{
	ck_output *output = ck_output_new(job, 0);
	ck_file *a = ck_output_add(job, output, "a"), *b = ck_output_add(job, output, "b");
	put_file("a", "old", 3);
	ck_assert(ck_file_write(job, a, 0, "A", 1) && ck_file_write(job, b, 0, "B", 1));
	ck_assert(ck_output_commit(job, output));
	size_t size;
	unsigned char *data = get_file("a", &size);
	ck_assert_uint_eq(size, 1);
	ck_assert_int_eq(data[0], 'A');
	free(data);
	ck_assert_int_eq(count_files(), 2);
}
END_TEST

START_TEST(no_clobber_keeps_a_file_that_appeared_meanwhile)
{
	ck_output *output = ck_output_new(job, CK_OUTPUT_NO_CLOBBER);
	ck_file *file = ck_output_add(job, output, "out");
	ck_assert(ck_file_write(job, file, 0, "new", 3));
	put_file("out", "theirs", 6);
	ck_assert(!ck_output_commit(job, output));
	ck_assert_failed(job, CK_USAGE, "somebody else made a file of this name meanwhile");
	size_t size;
	free(get_file("out", &size));
	ck_assert_uint_eq(size, 6);
}
END_TEST

START_TEST(outputs_follow_the_umask)
{
	umask(027);
	ck_output *output = ck_output_new(job, 0);
	ck_assert_ptr_nonnull(ck_output_add(job, output, "out"));
	ck_assert(ck_output_commit(job, output));
	struct stat st;
	stat("out", &st);
	ck_assert_uint_eq(st.st_mode & 0777, 0640);
}
END_TEST

START_TEST(devices_and_folders_are_never_replaced)
{
	static const char *const names[] = {"/dev/null", "/tmp", ".", "no/such/folder/out", "out/",
	                                    ""};
	for (size_t i = 0; i < CK_COUNT(names); i++) {
		ck_job *other = ck_base_job_new();
		ck_assert_msg(!ck_output_add(other, ck_output_new(other, 0), names[i]), "%s",
		              names[i]);
		ck_base_job_free(other);
	}
}
END_TEST

/* ---- the copy engine ---- */

/* A cast that shows which byte of which element went where: byte by byte, so that it is the same
 * however many elements are given at once. */
static void spread(void *to, const void *from, size_t count, const void *arg)
{
	const ck_copy_cast *cast = arg;
	const unsigned char *in = from;
	unsigned char *out = to;
	for (; count--; in += cast->from, out += cast->to)
		for (size_t i = 0; i < cast->to; i++)
			out[i] = (unsigned char)(in[i % cast->from] + i + cast->from);
}

/* NULL, or one from elements of `from` bytes. */
static const ck_copy_cast *random_cast(size_t from)
{
	static ck_copy_cast casts[4][4];
	size_t i = 0, k = roll(4);
	while ((size_t)1 << i < from)
		i++;
	ck_copy_cast *cast = &casts[i][k];
	*cast = (ck_copy_cast){from, (size_t)1 << k, spread, cast};
	return roll(3) ? cast : NULL;
}

static void copy_plainly(const ck_copy_cast *cast, unsigned char *to, const unsigned char *from,
                         size_t size)
{
	if (cast)
		spread(to, from, size / cast->from, cast);
	else
		memcpy(to, from, size);
}

enum { INPUTS = 40 };

/* Many inputs of all sizes, from nothing to several parts, with moves that overlap each other,
 * share inputs, skip bytes and are cast; the output must be what copying each by hand gives. */
static void copy_and_compare(unsigned threads, uint32_t scale)
{
	static ck_copy_plan plan;
	uint64_t offsets[INPUTS + 1] = {0}, out = 16;
	for (int i = 0; i < INPUTS; i++)
		offsets[i + 1] = offsets[i] + (roll(4) ? roll(scale) : roll(300));
	unsigned char *data = random_bytes(offsets[INPUTS]);
	put_file("in", data, offsets[INPUTS]);
	const ck_source *source = ck_source_open(job, "in");
	plan = (ck_copy_plan){0};
	for (int i = 0; i < INPUTS; i++) {
		uint64_t size = offsets[i + 1] - offsets[i];
		size_t input = ck_copy_add_input(job, &plan, &(ck_copy_input){
			.source = source, .label = "in", .offset = offsets[i], .size = size,
			.crc = ck_crc32(0, data + offsets[i], size), .has_crc = i % 5 != 0});
		for (uint32_t moves = roll(4); moves && size; moves--) {
			uint64_t item = size < 8 ? 1 : (uint64_t)1 << roll(4);
			uint64_t from = roll((uint32_t)(size / item)) * item;
			uint64_t len = (1 + roll((uint32_t)((size - from) / item))) * item;
			const ck_copy_cast *cast = random_cast(item);
			ck_assert(ck_copy_add_move(job, &plan,
			                           &(ck_copy_move){input, from, len, out, cast}));
			out += ck_copy_made(cast, len);
		}
	}
	unsigned char *expected = calloc(1, out);
	for (size_t i = 0; i < plan.move_count; i++)
		copy_plainly(plan.moves[i].cast, expected + plan.moves[i].to,
		             data + plan.inputs[plan.moves[i].input].offset + plan.moves[i].from,
		             plan.moves[i].size);
	ck_output *output = ck_output_new(job, CK_OUTPUT_NO_FSYNC);
	ck_file *file = ck_output_add(job, output, "out");
	size_t unchecked, size;
	ck_assert(ck_file_resize(job, file, out));
	ck_assert_msg(ck_copy_run(job, &plan, file, threads, &unchecked), "%s", job->error.text);
	ck_assert_uint_eq(unchecked, 0);
	ck_assert(ck_output_commit(job, output));
	unsigned char *got = get_file("out", &size);
	ck_assert_uint_eq(size, out);
	ck_assert_int_eq(memcmp(got, expected, out), 0);
	free(got);
	free(expected);
	free(data);
}

START_TEST(copies_are_exact_with_any_number_of_threads)
{
	random_state = (uint32_t)_i + 1;
	copy_and_compare(1 + (unsigned)_i % 5, _i % 2 ? 3000 : 2000000);
}
END_TEST

START_TEST(a_wrong_crc_fails_whether_the_input_is_small_or_large)
{
	size_t size = _i ? 20 << 20 : 1000, unchecked;
	unsigned char *data = random_bytes(size);
	put_file("in", data, size);
	ck_copy_plan plan = {0};
	ck_copy_add_input(job, &plan, &(ck_copy_input){
		.source = ck_source_open(job, "in"), .label = "the input", .size = size,
		.crc = ck_crc32(0, data, size) ^ 1, .has_crc = true});
	ck_copy_add_move(job, &plan, &(ck_copy_move){0, 0, size, 0, NULL});
	ck_file *file = ck_output_add(job, ck_output_new(job, 0), "out");
	ck_assert(!ck_copy_run(job, &plan, file, 2, &unchecked));
	ck_assert_failed(job, CK_CORRUPT, "'the input' have the CRC-32");
	free(data);
}
END_TEST

START_TEST(a_crc_of_zero_means_none_was_recorded)
{
	size_t size = _i ? 20 << 20 : 1000, unchecked;
	unsigned char *data = random_bytes(size);
	put_file("in", data, size);
	ck_copy_plan plan = {0};
	ck_copy_add_input(job, &plan, &(ck_copy_input){
		.source = ck_source_open(job, "in"), .label = "in", .size = size, .has_crc = true});
	ck_copy_add_move(job, &plan, &(ck_copy_move){0, 0, size, 0, NULL});
	ck_file *file = ck_output_add(job, ck_output_new(job, 0), "out");
	ck_assert(ck_copy_run(job, &plan, file, 2, &unchecked));
	ck_assert_uint_eq(unchecked, 1);
	free(data);
}
END_TEST

START_TEST(a_stop_is_heard)
{
	size_t size = 20 << 20, unchecked;
	unsigned char *data = random_bytes(size);
	put_file("in", data, size);
	ck_copy_plan plan = {0};
	ck_copy_add_input(job, &plan, &(ck_copy_input){
		.source = ck_source_open(job, "in"), .label = "in", .size = size});
	ck_copy_add_move(job, &plan, &(ck_copy_move){0, 0, size, 0, NULL});
	ck_file *file = ck_output_add(job, ck_output_new(job, 0), "out");
	atomic_store(&job->stop, true);
	ck_assert(!ck_copy_run(job, &plan, file, 2, &unchecked));
	ck_assert_int_eq(job->error.status, CK_STOPPED);
	free(data);
}
END_TEST

/* ---- gathers ---- */

/* Any view, element by element. */
static void gather_plainly(const ck_copy_gather *g, const unsigned char *data, unsigned char *to)
{
	uint64_t position[CK_DIMS_MAX] = {0};
	for (;;) {
		uint64_t at = g->from;
		for (size_t d = 0; d < g->ndim; d++)
			at += position[d] * g->step[d];
		copy_plainly(g->cast, to, data + at, g->item);
		to += ck_copy_made(g->cast, g->item);
		size_t d = g->ndim;
		while (d && ++position[d - 1] == g->shape[d - 1])
			position[--d] = 0;
		if (!d)
			return;
	}
}

static void gather_and_compare(ck_copy_gather *g, const unsigned char *data, size_t size)
{
	uint64_t bytes = ck_copy_made(g->cast, g->item);
	size_t unchecked, got_size;
	for (size_t d = 0; d < g->ndim; d++)
		bytes *= g->shape[d];
	put_file("in", data, size);
	ck_copy_plan plan = {0};
	ck_copy_add_input(job, &plan, &(ck_copy_input){
		.source = ck_source_open(job, "in"), .label = "in", .size = size,
		.crc = ck_crc32(0, data, size), .has_crc = true});
	ck_copy_add_gather(job, &plan, g);
	ck_output *output = ck_output_new(job, CK_OUTPUT_NO_FSYNC);
	ck_file *file = ck_output_add(job, output, "out");
	ck_assert_msg(ck_copy_run(job, &plan, file, 3, &unchecked), "%s", job->error.text);
	ck_assert(ck_output_commit(job, output));
	unsigned char *got = get_file("out", &got_size), *expected = malloc(bytes);
	gather_plainly(g, data, expected);
	ck_assert_uint_eq(got_size, bytes);
	ck_assert_int_eq(memcmp(got, expected, bytes), 0);
	free(got);
	free(expected);
}

START_TEST(random_views_are_gathered_exactly)
{
	static const size_t items[] = {1, 2, 4, 8, 16};
	uint64_t shape[5], step[5], reach = 0, total = 1;
	random_state = (uint32_t)_i + 1;
	ck_copy_gather g = {
		.item = items[roll(5)], .ndim = 1 + roll(5), .shape = shape, .step = step};
	for (size_t d = 0; d < g.ndim; d++) {
		shape[d] = 1 + roll(total > 100000 ? 2 : 60);
		step[d] = g.item * (roll(3) ? roll(200) : roll(20000));
		reach += (shape[d] - 1) * step[d];
		total *= shape[d];
	}
	g.cast = g.item > 8 ? NULL : random_cast(g.item);
	g.from = g.item * roll(10);
	size_t size = g.from + reach + g.item;
	unsigned char *data = random_bytes(size);
	gather_and_compare(&g, data, size);
	free(data);
}
END_TEST

/* Wide enough that tiles are taken, with sides that are no multiple of a tile. */
START_TEST(transposed_matrices_are_gathered_exactly)
{
	static const size_t items[] = {1, 2, 4, 8, 16};
	size_t item = items[_i % 5];
	uint64_t rows = 1300 + (uint64_t)_i * 37, columns = 700 + (uint64_t)_i * 91;
	uint64_t shape[] = {3, columns, rows}, step[] = {0, item, columns * item};
	if (_i % 2) { /* a dimension between the two */
		shape[0] = columns;
		step[0] = item;
		shape[1] = 2;
		step[1] = rows * columns * item;
	}
	ck_copy_gather g = {.item = item, .ndim = 3, .shape = shape, .step = step,
	                    .cast = item > 8 ? NULL : random_cast(item)};
	size_t size = rows * columns * item * 2;
	unsigned char *data = random_bytes(size);
	gather_and_compare(&g, data, size);
	free(data);
}
END_TEST

START_TEST(dimensions_are_joined_where_they_can_be)
{
	uint64_t shape[] = {2, 1, 3, 4, 5}, step[] = {60, 999, 20, 5, 1};
	ck_assert_uint_eq(ck_gather_simplify(5, shape, step), 1);
	ck_assert_uint_eq(shape[0], 120);
	ck_assert_uint_eq(step[0], 1);
	uint64_t other_shape[] = {4, 6}, other_step[] = {1, 4};
	ck_assert_uint_eq(ck_gather_simplify(2, other_shape, other_step), 2);
}
END_TEST

static bool is_json(const char *data, size_t len)
{
	job->error = (ck_error){0};
	return ck_json_check(job, ck_source_memory(job, "t", data, len));
}

START_TEST(json_is_told_from_what_only_looks_like_it)
{
	static const char *const good[] = {
		"{}", "[]", " [ ] \r\n", "0", "-0.5e+10", "12E3", "true", "[false,null]", "\"\"",
		"{\"a\":[1,{\"b\":\"c\"}],\"a\":2}\n",
		"\"\\u00e9\\ud800\\\\\\/\\\"\\b\\f\\n\\r\\t\"",
		"\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\x7f\"", "[[[[[[]]]]],[]]", "{\"\":0}",
	};
	static const char *const bad[] = {
		"", " ", "{", "}", "[1", "[1,]", "[,1]", "[1 2]", "[1]]", "{\"a\"}", "{\"a\":}",
		"{\"a\" 1}", "{a:1}", "{\"a\":1,}", "{\"a\":1]", "[1}", "01", "-", "+1", ".5", "1.",
		"1e", "1e+", "0x1", "NaN", "Infinity", "nul", "nullx", "True", "'a'", "\"",
		"\"\\", "\"\\x\"",
		"\"\\u12g4\"", "\"\\u123\"", "\"\n\"", "\"\x1f\"", "\"\x80\"", "\"\xc3\"",
		"\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "{} {}", "1 2", "[]x",
		"\xef\xbb\xbf{}", "// a\n1", "{\"a\":1,\"b\"}", "[\"a\":1]",
	};
	for (size_t i = 0; i < CK_COUNT(good); i++)
		ck_assert_msg(is_json(good[i], strlen(good[i])), "%s: %s", good[i],
		              job->error.text);
	for (size_t i = 0; i < CK_COUNT(bad); i++)
		ck_assert_msg(!is_json(bad[i], strlen(bad[i])) && job->error.status == CK_CORRUPT,
		              "%s", bad[i]);
	ck_assert(!is_json("1\0", 2) && !is_json("\"a\0b\"", 5) && !is_json("\"\\u\0000\"", 7));
}
END_TEST

/* The reader takes its pieces where they fall; depth costs no stack. */
START_TEST(json_may_be_long_and_is_not_deep)
{
	enum { LONG = 100000, DEEP = 4000 };
	char *text = malloc(LONG + 2);
	memset(text, 'a', LONG + 2);
	text[0] = text[LONG + 1] = '"';
	ck_assert(is_json(text, LONG + 2));
	text[LONG] = '\\';
	ck_assert(!is_json(text, LONG + 2));
	for (size_t i = 1; i <= LONG; i += 2)
		memcpy(text + i, "\xc3\xa9", 2);
	ck_assert(is_json(text, LONG + 2));
	memset(text, '[', DEEP + 1);
	memset(text + DEEP, ']', DEEP);
	ck_assert(is_json(text, 2 * DEEP));
	memset(text, '[', DEEP + 1);
	memset(text + DEEP + 1, ']', DEEP + 1);
	ck_assert(!is_json(text, 2 * DEEP + 2));
	ck_assert_failed(job, CK_CORRUPT, "nested too deeply");
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("io");
	TCase *tcase = tcase_create("io");
	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_test(tcase, a_read_past_the_end_fails_with_its_place);
	tcase_add_test(tcase, offsets_near_the_end_of_64_bits_do_not_wrap);
	tcase_add_test(tcase, what_is_no_regular_file_is_refused_and_not_waited_for);
	tcase_add_test(tcase, an_output_that_is_not_committed_leaves_nothing);
	tcase_add_test(tcase, a_commit_places_all_files_and_no_other);
	tcase_add_test(tcase, no_clobber_keeps_a_file_that_appeared_meanwhile);
	tcase_add_test(tcase, outputs_follow_the_umask);
	tcase_add_test(tcase, devices_and_folders_are_never_replaced);
	tcase_add_loop_test(tcase, copies_are_exact_with_any_number_of_threads, 0,
	                    unit_rounds(10));
	tcase_add_loop_test(tcase, a_wrong_crc_fails_whether_the_input_is_small_or_large, 0, 2);
	tcase_add_loop_test(tcase, a_crc_of_zero_means_none_was_recorded, 0, 2);
	tcase_add_test(tcase, a_stop_is_heard);
	tcase_add_loop_test(tcase, random_views_are_gathered_exactly, 0, unit_rounds(60));
	tcase_add_loop_test(tcase, transposed_matrices_are_gathered_exactly, 0, unit_rounds(6));
	tcase_add_test(tcase, dimensions_are_joined_where_they_can_be);
	tcase_add_test(tcase, json_is_told_from_what_only_looks_like_it);
	tcase_add_test(tcase, json_may_be_long_and_is_not_deep);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
