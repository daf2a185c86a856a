/* Scratch files: where they lie, that none is left, and what is said when there is no room. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "pack_unit.h"

static ck_job *job;
static char folder[] = "/tmp/ckconv-test-XXXXXX";

static void begin(void)
{
	job = job_with_ears();
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void end(void)
{
	ck_base_job_free(job);
	ck_assert_int_eq(rmdir(folder), 0); /* it must be empty */
}

static int count_files(const char *path)
{
	DIR *dir = opendir(path);
	int count = -2; /* . and .. */
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

/* The folder in which the descriptor's file was made. */
static void assert_made_in(int fd, const char *path)
{
	char self[64], target[4096];
	snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
	ssize_t len = readlink(self, target, sizeof target - 1);
	ck_assert_int_gt(len, 0);
	target[len] = '\0';
	ck_assert_msg(!strncmp(target, path, strlen(path)), "%s is not in %s", target, path);
}

START_TEST(a_scratch_file_lies_where_the_job_says_and_has_no_name)
{
	job->scratch_dir = folder;
	int fd = ck_scratch_open(job);
	ck_assert_int_ge(fd, 0);
	assert_made_in(fd, folder);
	ck_assert_int_eq(count_files(folder), 0);
}
END_TEST

START_TEST(without_a_folder_tmpdir_says_it)
{
	setenv("TMPDIR", folder, 1);
	assert_made_in(ck_scratch_open(job), folder);
	setenv("TMPDIR", "", 1);
	assert_made_in(ck_scratch_open(job), "/tmp");
	unsetenv("TMPDIR");
	assert_made_in(ck_scratch_open(job), "/tmp");
}
END_TEST

START_TEST(a_folder_that_is_not_there_is_named_with_what_chooses_it)
{
	setenv("TMPDIR", "/no/such/folder", 1);
	ck_assert_int_eq(ck_scratch_open(job), -1);
	ck_assert_failed(job, CK_IO, "environment variable TMPDIR");
	ck_assert_str_eq(job->error.where, "/no/such/folder");
	ck_assert_int_eq(job->error.sys, ENOENT);
}
END_TEST

/* A limit on the size of files stands for a full disk. */
static void fill_the_disk(void)
{
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){4096, 4096}), 0);
	ck_assert_ptr_null(ck_unpack(job, &ck_packing_xz, fixture_source(job, "xz_long")));
	ck_assert_int_eq(job->error.sys, EFBIG);
}

START_TEST(when_there_is_no_room_the_folder_is_named_with_what_chooses_it)
{
	if (_i)
		job->scratch_dir = folder;
	else
		setenv("TMPDIR", folder, 1);
	fill_the_disk();
	ck_assert_str_eq(job->error.where, folder);
	ck_assert_failed(job, CK_IO, _i ? "the folder of the output: choose one with more room"
	                                : "environment variable TMPDIR");
}
END_TEST

START_TEST(what_was_unpacked_before_stays)
{
	const ck_source *a = ck_unpack(job, &ck_packing_gzip, fixture_source(job, "gzip"));
	const ck_source *b = ck_unpack(job, &ck_packing_xz, fixture_source(job, "xz_two"));
	assert_holds(job, a, FIRST, strlen(FIRST));
	assert_holds(job, b, FIRST SECOND, strlen(FIRST SECOND));
	ck_assert_int_eq(a->fd, b->fd);
}
END_TEST

START_TEST(what_was_unpacked_can_be_unpacked_again)
{
	const ck_source *outer = ck_unpack(job, &ck_packing_xz, fixture_source(job, "gzip_in_xz"));
	ck_assert_ptr_nonnull(outer);
	const ck_source *inner = ck_unpack(job, &ck_packing_gzip, outer);
	assert_holds(job, inner, FIRST, strlen(FIRST));
	ck_assert_str_eq(inner->label, "file (unpacked by xz) (unpacked by gzip)");
}
END_TEST

/* A stream that, half-way, needs another one unpacked. */
static bool run_nested(ck_job *j, const ck_stream *stream, const ck_sink *sink)
{
	const ck_source **inner = stream->arg;
	if (!sink->take(j, sink->arg, "one ", 4))
		return false;
	*inner = ck_unpack(j, &ck_packing_gzip, fixture_source(j, "gzip"));
	return *inner && sink->take(j, sink->arg, "two", 3);
}

START_TEST(streams_that_need_each_other_do_not_mix)
{
	const ck_source *inner = NULL;
	const ck_stream stream = {run_nested, "outer", CK_SIZE_UNKNOWN, &inner};
	assert_holds(job, ck_stream_spill(job, &stream), "one two", 7);
	assert_holds(job, inner, FIRST, strlen(FIRST));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pack_scratch");
	TCase *tcase = tcase_create("scratch");
	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_test(tcase, a_scratch_file_lies_where_the_job_says_and_has_no_name);
	tcase_add_test(tcase, without_a_folder_tmpdir_says_it);
	tcase_add_test(tcase, a_folder_that_is_not_there_is_named_with_what_chooses_it);
	tcase_add_loop_test(tcase, when_there_is_no_room_the_folder_is_named_with_what_chooses_it,
	                    0, 2);
	tcase_add_test(tcase, what_was_unpacked_before_stays);
	tcase_add_test(tcase, what_was_unpacked_can_be_unpacked_again);
	tcase_add_test(tcase, streams_that_need_each_other_do_not_mix);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
