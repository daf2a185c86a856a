/* Zip archives one after the other: those of torch, with the end records of zip64, and those of
 * Python, without; and files that are not just that, which stay whole. */
#include <stdio.h>

#include "pack_unit.h"

static ck_job *job;
static const char *testdata;

static void begin(void)
{
	job = job_with_ears();
}

static void end(void)
{
	ck_base_job_free(job);
}

static void again(void)
{
	end();
	begin();
}

/* Archives, one behind the other, with room for a few bytes more. */
static unsigned char joined[256 << 10];
static size_t joined_size, starts[16], archives;

static void start(void)
{
	joined_size = archives = 0;
}

static void add(const void *data, size_t size)
{
	starts[archives++] = joined_size;
	memcpy(joined + joined_size, data, size);
	joined_size += size;
	starts[archives] = joined_size;
}

static void add_fixture(const char *name)
{
	size_t size;
	unsigned char *data = fixture_bytes(job, name, &size);
	add(data, size);
}

static void add_checkpoint(const char *name)
{
	static char data[64 << 10], path[4096];
	snprintf(path, sizeof path, "%s/good/%s", testdata, name);
	FILE *file = fopen(path, "rb");
	ck_assert_msg(file != NULL, "cannot open %s", path);
	size_t size = fread(data, 1, sizeof data, file);
	fclose(file);
	ck_assert_uint_lt(size, sizeof data);
	add(data, size);
}

static const ck_source *whole;

static size_t split(size_t size, const ck_source ***parts)
{
	size_t count = 0;
	whole = source_of(job, joined, size);
	ck_assert_msg(ck_zip_split(job, whole, parts, &count), "%s", job->error.text);
	return count;
}

static void assert_parts(void)
{
	const ck_source **parts;
	ck_assert_uint_eq(split(joined_size, &parts), archives);
	for (size_t i = 0; i < archives; i++) {
		char end_of_label[64];
		assert_holds(job, parts[i], joined + starts[i], starts[i + 1] - starts[i]);
		snprintf(end_of_label, sizeof end_of_label, "file: archive %zu of %zu, at byte %zu",
		         i + 1, archives, starts[i]);
		ck_assert_str_eq(parts[i]->label, end_of_label);
		ck_assert_msg(ck_zip_open(job, parts[i]) != NULL, "%s", job->error.text);
	}
}

static void assert_whole(size_t size)
{
	const ck_source **parts;
	ck_assert_uint_eq(split(size, &parts), 1);
	ck_assert_ptr_eq(parts[0], whole);
}

START_TEST(archives_of_torch_are_told_apart)
{
	start();
	add_checkpoint("state_dict.pt");
	add_checkpoint("views.pt");
	add_checkpoint("zip64.pt");
	add_checkpoint("state_dict.pt");
	assert_parts();
}
END_TEST

START_TEST(archives_without_zip64_are_told_apart)
{
	start();
	add_fixture("zip_a");
	add_fixture("zip_b");
	add_checkpoint("views.pt");
	add_fixture("zip_b");
	assert_parts();
}
END_TEST

START_TEST(archives_of_no_members_are_archives_too)
{
	start();
	add_fixture("zip_empty");
	add_fixture("zip_a");
	add_fixture("zip_empty");
	const ck_source **parts;
	ck_assert_uint_eq(split(joined_size, &parts), 3);
}
END_TEST

START_TEST(one_archive_is_the_source_itself)
{
	static const char *const names[] = {"zip_a", "zip_empty", "zip_comment", "zip_in_zip"};
	for (size_t i = 0; i < CK_COUNT(names); i++) {
		start();
		add_fixture(names[i]);
		assert_whole(joined_size);
	}
	start();
	add_checkpoint("state_dict.pt");
	assert_whole(joined_size);
}
END_TEST

/* The member holds two whole archives, whose signatures must not be taken for those of the file. */
START_TEST(archives_inside_a_member_are_not_seen)
{
	start();
	add_fixture("zip_in_zip");
	add_fixture("zip_in_zip");
	assert_parts();
}
END_TEST

START_TEST(a_file_that_is_cut_stays_whole)
{
	start();
	add_checkpoint("state_dict.pt");
	add_fixture("zip_a");
	size_t full = joined_size;
	for (size_t size = 0; size < full; size++, again())
		assert_whole(size); /* at the end of the first archive, it is the only one */
}
END_TEST

START_TEST(other_bytes_before_between_or_behind_leave_the_file_whole)
{
	for (int where = 0; where < 3; where++) {
		start();
		for (int i = 0; i < 3; i++) {
			if (i == where)
				add("junk", 4);
			if (i < 2)
				add_fixture(i ? "zip_b" : "zip_a");
		}
		assert_whole(joined_size);
	}
	start();
	add_fixture("zip_comment"); /* a comment is room for anything */
	add_fixture("zip_a");
	assert_whole(joined_size);
}
END_TEST

/* Each field of the three end records, changed: the archive in front is then not found. */
START_TEST(end_records_that_do_not_agree_leave_the_file_whole)
{
	static const struct {
		int from_end;
		const char *field;
	} bytes[] = {
		{98, "signature of the zip64 record"}, {94, "its size"},
		{58, "size of the directory"},         {50, "offset of the directory"},
		{42, "signature of the locator"},      {34, "where the zip64 record is"},
		{22, "signature of the end record"},   {18, "disk"},
		{12, "members"},                       {10, "size of the directory"},
		{6, "offset of the directory"},        {2, "length of the comment"},
	};
	for (size_t i = 0; i < CK_COUNT(bytes); i++, again()) {
		const ck_source **parts;
		start();
		add_fixture("zip_a");
		add_checkpoint("state_dict.pt");
		ck_assert_uint_eq(split(joined_size, &parts), 2);
		joined[joined_size - (size_t)bytes[i].from_end] ^= 1;
		ck_assert_msg(split(joined_size, &parts) == 1, "%s", bytes[i].field);
	}
}
END_TEST

/* An end record whose numbers lead to a place where no archive is. */
START_TEST(nothing_is_an_archive_without_its_directory_and_its_first_member)
{
	for (int i = 0; i < 2; i++) {
		const ck_source **parts;
		start();
		add_fixture("zip_a");
		add_fixture("zip_b");
		ck_assert_uint_eq(split(joined_size, &parts), 2);
		size_t directory = starts[1] + joined[joined_size - 6];
		joined[i ? directory : starts[1]] ^= 1;
		assert_whole(joined_size);
	}
}
END_TEST

START_TEST(there_are_no_more_archives_than_the_limit)
{
	const ck_source **parts;
	size_t count;
	start();
	add_fixture("zip_a");
	add_fixture("zip_b");
	job->limits.members = 2;
	ck_assert_uint_eq(split(joined_size, &parts), 2);
	job->limits.members = 1;
	ck_assert(!ck_zip_split(job, source_of(job, joined, joined_size), &parts, &count));
	ck_assert_failed(job, CK_LIMIT, "--limit members=N");
}
END_TEST

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	testdata = argv[1];
	Suite *suite = suite_create("pack_split");
	TCase *tcase = tcase_create("split");
	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_test(tcase, archives_of_torch_are_told_apart);
	tcase_add_test(tcase, archives_without_zip64_are_told_apart);
	tcase_add_test(tcase, archives_of_no_members_are_archives_too);
	tcase_add_test(tcase, one_archive_is_the_source_itself);
	tcase_add_test(tcase, archives_inside_a_member_are_not_seen);
	tcase_add_test(tcase, a_file_that_is_cut_stays_whole);
	tcase_add_test(tcase, other_bytes_before_between_or_behind_leave_the_file_whole);
	tcase_add_test(tcase, end_records_that_do_not_agree_leave_the_file_whole);
	tcase_add_test(tcase, nothing_is_an_archive_without_its_directory_and_its_first_member);
	tcase_add_test(tcase, there_are_no_more_archives_than_the_limit);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
