/* Tar archives: the same files by GNU tar and by Python in every format, and what is wrong or means
 * different things to different programs. */
#include <stdio.h>

#include "pack_unit.h"

enum { BLOCK = 512, SIZE_AT = 124, SUM_AT = 148, TYPE_AT = 156 };

static ck_job *job;

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

#define D10 "dddddddddd"
#define F10 "ffffffffff"
static const char deep[] = "model/" D10 D10 D10 D10 D10 D10 "/" F10 F10 F10 F10 F10 F10;

static void assert_member(const ck_archive *archive, const char *name, const void *data,
                          size_t size)
{
	ck_member *member = ck_archive_find(job, archive, name, strlen(name));
	ck_assert_msg(member != NULL, "%s is missing", name);
	ck_assert(!member->has_crc);
	assert_holds(job, ck_member_source(job, archive, member), data, size);
	ck_assert_str_eq(notes, ""); /* nor is anything said about a checksum */
}

static void assert_tree(const ck_archive *archive, const char *top, bool with_deep)
{
	char name[200], storages[40 * sizeof SECOND] = "";
	for (int i = 0; i < 40; i++)
		strcat(storages, SECOND);
	const struct {
		const char *name, *data;
	} files[] = {{"pickle", FIRST}, {"storages", storages}, {"empty", ""}};
	for (size_t i = 0; i < CK_COUNT(files); i++) {
		snprintf(name, sizeof name, "%s%s", top, files[i].name);
		assert_member(archive, name, files[i].data, strlen(files[i].data));
	}
	if (with_deep)
		assert_member(archive, deep, SECOND, strlen(SECOND));
	ck_assert_uint_eq(archive->count, with_deep ? 4 : 3);
	ck_assert(ck_archive_check_overlap(job, archive));
}

static const struct {
	const char *name;
	bool with_deep;
	size_t passed_over;
} formats[] = {
	{"tar_v7", false, 2},         {"tar_ustar", true, 3},       {"tar_oldgnu", true, 4},
	{"tar_gnu", true, 4},         {"tar_pax", true, 4},         {"tar_global", true, 4},
	{"tar_dot", true, 4},         {"tar_python_ustar", true, 3}, {"tar_python_gnu", true, 4},
	{"tar_python_pax", true, 4},
};

START_TEST(every_format_gives_the_same_members)
{
	const ck_source *source = fixture_source(job, formats[_i].name);
	unsigned char head[BLOCK];
	ck_assert(ck_read_at(job, source, 0, head, BLOCK));
	ck_assert_ptr_eq(ck_archiver_find(head, BLOCK), &ck_archiver_tar);
	ck_assert_ptr_null(ck_archiver_find(head, BLOCK - 1));
	const ck_archive *archive = ck_archiver_tar.open(job, source);
	ck_assert_msg(archive != NULL, "%s", job->error.text);
	ck_assert_ptr_eq(archive->by, &ck_archiver_tar);
	assert_tree(archive, "model/", formats[_i].with_deep);
	ck_assert_uint_eq(archive->passed_over, formats[_i].passed_over);
}
END_TEST

START_TEST(a_tar_of_nothing_has_no_members)
{
	const ck_archive *archive = ck_archiver_tar.open(job, fixture_source(job, "tar_empty"));
	ck_assert_ptr_nonnull(archive);
	ck_assert_uint_eq(archive->count, 0);
	ck_assert_ptr_null(ck_archive_find(job, archive, "a", 1));
}
END_TEST

/* ---- damage ---- */

/* Two blocks of zeros end the archive; up to there, every byte is needed, and blocks are whole. */
START_TEST(a_tar_that_is_cut_anywhere_is_an_error_with_its_place)
{
	size_t full, end_at = 0;
	unsigned char *data = fixture_bytes(job, formats[_i].name, &full);
	static const unsigned char zeros[2 * BLOCK];
	while (memcmp(data + end_at, zeros, sizeof zeros) != 0)
		end_at += BLOCK;
	for (size_t size = 0; size < full; size++) {
		/* all around the edges of blocks, and some places between, which are alike */
		if (size % BLOCK > 1 && size % BLOCK < BLOCK - 1 && size % 7)
			continue;
		again();
		data = fixture_bytes(job, formats[_i].name, &full);
		const ck_archive *archive = ck_archiver_tar.open(job, source_of(job, data, size));
		if (size >= end_at + 2 * BLOCK && size % BLOCK == 0) {
			ck_assert_ptr_nonnull(archive);
			continue;
		}
		ck_assert_msg(!archive, "%s cut at %zu", formats[_i].name, size);
		ck_assert_failed(job, CK_CORRUPT, "cut short");
		ck_assert(job->error.has_offset);
	}
}
END_TEST

START_TEST(a_changed_byte_of_a_header_is_found_by_its_checksum)
{
	size_t size;
	for (size_t at = 0; at < BLOCK; at++, again()) {
		unsigned char *data = fixture_bytes(job, "tar_ustar", &size);
		data[BLOCK + at] ^= 1; /* the second header */
		ck_assert_ptr_null(ck_archiver_tar.open(job, source_of(job, data, size)));
		ck_assert_failed(job, CK_CORRUPT, "checksum of this tar header");
		ck_assert_uint_eq(job->error.offset, BLOCK);
	}
}
END_TEST

/* ---- archives made here, header by header ---- */

enum { ROOM = 64 << 10 };

static unsigned char made[ROOM];
static size_t made_size;

static unsigned char *last_header;

static void seal(unsigned char *header)
{
	unsigned sum = 0;
	memset(header + SUM_AT, ' ', 8);
	for (size_t i = 0; i < BLOCK; i++)
		sum += header[i];
	snprintf((char *)header + SUM_AT, 8, "%06o", sum);
}

static void add(char type, const char *name, const void *data, size_t size)
{
	unsigned char *header = last_header = made + made_size;
	strncpy((char *)header, name, 100);
	snprintf((char *)header + SIZE_AT, 12, "%011o", (unsigned)size % (1u << 30));
	header[TYPE_AT] = (unsigned char)type;
	memcpy(header + 257, "ustar\00000", 8);
	seal(header);
	memcpy(header + BLOCK, data, size);
	made_size += BLOCK + (size + BLOCK - 1) / BLOCK * BLOCK;
}

/* A header that says `text` of the size; nothing follows it. */
static void add_sized(char type, const char *name, const char *text, size_t len)
{
	add(type, name, "", 0);
	memset(last_header + SIZE_AT, 0, 12);
	memcpy(last_header + SIZE_AT, text, len);
	seal(last_header);
}

static void start(void)
{
	memset(made, 0, sizeof made);
	made_size = 0;
}

static const ck_archive *open_made(void)
{
	return ck_archiver_tar.open(job, source_of(job, made, made_size + 2 * BLOCK));
}

static void assert_refused(ck_status status, const char *part)
{
	ck_assert_msg(!open_made(), "not refused: %s", part);
	ck_assert_failed(job, status, part);
	ck_assert(job->error.has_offset || status == CK_LIMIT);
	again();
	start();
}

START_TEST(sizes_are_octal_or_base_256_and_nothing_else)
{
	static const struct {
		const char *bytes;
		size_t len;
		bool right;
	} sizes[] = {
		{"00000000005", 11, true},
		{"000000000005", 12, true},
		{"  5 ", 4, true},
		{"5\0 ", 3, true},
		{"\x80\0\0\0\0\0\0\0\0\0\0\5", 12, true},
		{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfb", 12, false}, /* -5 */
		{"\x80\0\0\1\0\0\0\0\0\0\0\5", 12, false},                      /* 2^64 + 5 */
		{"\xc0\0\0\0\0\0\0\0\0\0\0\5", 12, false},
		{"0000000000x", 11, false},
		{"5x", 2, false},
		{"-5", 2, false},
		{"8", 1, false},
		{"", 0, false},
		{"            ", 12, false},
	};
	for (size_t i = 0; i < CK_COUNT(sizes); i++, again()) {
		start();
		add('0', "a", "12345", 5);
		memset(last_header + SIZE_AT, 0, 12);
		memcpy(last_header + SIZE_AT, sizes[i].bytes, sizes[i].len);
		seal(last_header);
		const ck_archive *archive = open_made();
		ck_assert_msg(!archive == !sizes[i].right, "size %zu: %s", i, job->error.text);
		if (archive)
			assert_member(archive, "a", "12345", 5);
		else
			ck_assert_failed(job, CK_CORRUPT, "the size in this tar header");
	}
}
END_TEST

START_TEST(a_size_beyond_the_file_is_refused)
{
	start();
	add_sized('0', "a", "00000010000", 11);
	assert_refused(CK_CORRUPT, "'a' should have 4096 bytes here");
	add_sized('0', "a", "\x80\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff", 12);
	assert_refused(CK_CORRUPT, "'a' should have 18446744073709551615 bytes");
	add_sized('x', "a", "\x80\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff", 12);
	assert_refused(CK_CORRUPT, "should have 18446744073709551615 bytes here");
	add('x', "x", "29 size=18446744073709551615\n", 29);
	add('0', "a", "", 0);
	assert_refused(CK_CORRUPT, "'a' should have 18446744073709551615 bytes");
}
END_TEST

START_TEST(the_checksum_of_programs_that_took_bytes_as_signed_is_right_too)
{
	start();
	add('0', "\xe4", "1", 1);
	unsigned sum = 0;
	memset(last_header + SUM_AT, ' ', 8);
	for (size_t i = 0; i < BLOCK; i++)
		sum += last_header[i];
	snprintf((char *)last_header + SUM_AT, 8, "%06o", sum - 256);
	ck_assert_ptr_nonnull(open_made());
}
END_TEST

START_TEST(pax_records_give_names_and_sizes)
{
	start();
	add('g', "g", "13 comment=x\n", 13);
	add('x', "x", "26 path=folder/a new name\n" "9 size=5\n", 35);
	add('0', "a", "12345", 5);
	memset(last_header + SIZE_AT, '0', 11); /* as Python writes it for a large size */
	seal(last_header);
	add('0', "b", "12", 2);
	const ck_archive *archive = open_made();
	ck_assert_msg(archive != NULL, "%s", job->error.text);
	ck_assert_uint_eq(archive->count, 2);
	assert_member(archive, "folder/a new name", "12345", 5);
	assert_member(archive, "b", "12", 2);
}
END_TEST

START_TEST(a_size_from_pax_is_that_of_the_file_and_not_of_what_stands_between)
{
	start();
	add('x', "x", "9 size=5\n", 9);
	add('L', "l", "a long name\0", 12);
	add('0', "a", "12345", 5);
	const ck_archive *archive = open_made();
	ck_assert_msg(archive != NULL, "%s", job->error.text);
	assert_member(archive, "a long name", "12345", 5);
}
END_TEST

START_TEST(before_posix_a_folder_was_a_file_with_a_slash)
{
	start();
	add('\0', "folder/", "", 0);
	add('\0', "folder/a", "1", 1);
	const ck_archive *archive = open_made();
	ck_assert_ptr_nonnull(archive);
	ck_assert_uint_eq(archive->count, 1);
	assert_member(archive, "folder/a", "1", 1);
}
END_TEST

START_TEST(records_that_break_the_rules_of_pax_are_refused)
{
	static const struct {
		const char *text, *part;
	} records[] = {
		{"9 path=b", "this is no pax record"},
		{"8 path=b\n", "this is no pax record"},
		{"11 path=b\n", "this is no pax record"},
		{"path=b\n", "this is no pax record"},
		{" 9 path=b\n", "this is no pax record"},
		{"-9 path=b\n", "this is no pax record"},
		{"0 path=b\n", "this is no pax record"},
		{"2 \n", "this is no pax record"},
		{"99999999999999999999999 path=b\n", "this is no pax record"},
		{"4000000000 path=b\n", "this is no pax record"},
		{"9 path b\n", "has no '='"},
		{"8 path=\n", "must not be empty"},
		{"8 size=\n", "decimal number below 2^64, not ''"},
		{"10 size=-1\n", "this is no pax record"},
		{"11 size=-1\n", "not '-1'"},
		{"11 size=0x\n", "not '0x'"},
		{"29 size=18446744073709551616\n", "not '18446744073709551616'"},
	};
	for (size_t i = 0; i < CK_COUNT(records); i++) {
		start();
		add('x', "x", records[i].text, strlen(records[i].text));
		add('0', "a", "", 0);
		assert_refused(CK_CORRUPT, records[i].part);
	}
	start();
	add('x', "x", "11 path=a\0b\n", 12);
	add('0', "a", "", 0);
	assert_refused(CK_CORRUPT, "this is no pax record");
	add('x', "x", "12 path=a\0b\n", 12);
	add('0', "a", "", 0);
	assert_refused(CK_CORRUPT, "or have a NUL in it");
}
END_TEST

START_TEST(what_programs_read_as_different_files_is_refused)
{
	start();
	add('0', "a", "1", 1);
	add('0', "./a", "2", 1);
	ck_assert_ptr_null(open_made());
	ck_assert_failed(job, CK_CORRUPT, "two members 'a'");
	again();
	start();
	add('L', "l", "b\0", 2);
	add('L', "l", "c\0", 2);
	add('0', "a", "", 0);
	assert_refused(CK_CORRUPT, "already has a long name");
	add('x', "x", "9 path=b\n", 9);
	add('x', "x", "9 path=c\n", 9);
	add('0', "a", "", 0);
	assert_refused(CK_CORRUPT, "already has pax records");
	add('L', "l", "b\0", 2);
	add('x', "x", "9 path=c\n", 9);
	add('0', "a", "", 0);
	assert_refused(CK_CORRUPT, "a name from GNU tar and one from pax");
	add('L', "l", "b\0", 2);
	assert_refused(CK_CORRUPT, "an entry that follows");
	add('x', "x", "9 path=c\n", 9);
	assert_refused(CK_CORRUPT, "an entry that follows");
	add('5', "folder", "1", 1);
	assert_refused(CK_UNSUPPORTED, "a folder of 1 byte;");
	add('1', "link", "1", 1);
	assert_refused(CK_UNSUPPORTED, "a hard link of 1 byte;");
	add('0', "", "1", 1);
	assert_refused(CK_CORRUPT, "has no name");
	made_size = BLOCK;
	add('0', "a", "1", 1);
	assert_refused(CK_CORRUPT, "one block of zeros");
}
END_TEST

START_TEST(sparse_files_and_unknown_types_are_refused_by_name)
{
	static const char *const sparse[] = {"tar_sparse_gnu", "tar_sparse_0.0", "tar_sparse_0.1",
	                                     "tar_sparse_1.0"};
	for (size_t i = 0; i < CK_COUNT(sparse); i++, again()) {
		ck_assert_ptr_null(ck_archiver_tar.open(job, fixture_source(job, sparse[i])));
		ck_assert_failed(job, CK_UNSUPPORTED, "holes' is a sparse file");
	}
	start();
	add('M', "rest", "1", 1);
	assert_refused(CK_UNSUPPORTED, "'rest' is the rest of a file");
	add('Z', "a", "1", 1);
	assert_refused(CK_UNSUPPORTED, "of type 'Z'");
	add('\033', "a", "1", 1);
	assert_refused(CK_UNSUPPORTED, "of type '\\x1b'");
}
END_TEST

START_TEST(what_lies_behind_the_end_is_nobodys_business)
{
	start();
	add('0', "a", "12345", 5);
	size_t end_at = made_size + 2 * BLOCK;
	memset(made + end_at, 'x', 2 * BLOCK);
	const ck_archive *archive =
		ck_archiver_tar.open(job, source_of(job, made, end_at + 2 * BLOCK));
	ck_assert_ptr_nonnull(archive);
	ck_assert_uint_eq(archive->count, 1);
}
END_TEST

START_TEST(there_are_no_more_members_than_the_limit)
{
	start();
	add('0', "a", "", 0);
	add('5', "b", "", 0);
	job->limits.members = 2;
	ck_assert_ptr_nonnull(open_made());
	add('5', "c", "", 0);
	ck_assert_ptr_null(open_made());
	ck_assert_failed(job, CK_LIMIT, "--limit members=N");
}
END_TEST

START_TEST(a_stop_is_heard)
{
	atomic_store(&job->stop, true);
	ck_assert_ptr_null(ck_archiver_tar.open(job, fixture_source(job, "tar_gnu")));
	ck_assert_int_eq(job->error.status, CK_STOPPED);
}
END_TEST

START_TEST(other_files_are_not_taken_for_tar_archives)
{
	unsigned char head[BLOCK] = {0};
	ck_assert_ptr_null(ck_archiver_find(head, sizeof head));
	memset(head, '0', sizeof head); /* the sum is a number, but not the right one */
	ck_assert_ptr_null(ck_archiver_find(head, sizeof head));
	memcpy(head, "PK\3\4", 4);
	ck_assert_ptr_eq(ck_archiver_find(head, sizeof head), &ck_archiver_zip);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pack_tar");
	TCase *tcase = tcase_create("tar");
	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_loop_test(tcase, every_format_gives_the_same_members, 0, CK_COUNT(formats));
	tcase_add_test(tcase, a_tar_of_nothing_has_no_members);
	tcase_add_loop_test(tcase, a_tar_that_is_cut_anywhere_is_an_error_with_its_place, 0,
	                    CK_COUNT(formats));
	tcase_add_test(tcase, a_changed_byte_of_a_header_is_found_by_its_checksum);
	tcase_add_test(tcase, sizes_are_octal_or_base_256_and_nothing_else);
	tcase_add_test(tcase, a_size_beyond_the_file_is_refused);
	tcase_add_test(tcase, the_checksum_of_programs_that_took_bytes_as_signed_is_right_too);
	tcase_add_test(tcase, pax_records_give_names_and_sizes);
	tcase_add_test(tcase, a_size_from_pax_is_that_of_the_file_and_not_of_what_stands_between);
	tcase_add_test(tcase, before_posix_a_folder_was_a_file_with_a_slash);
	tcase_add_test(tcase, records_that_break_the_rules_of_pax_are_refused);
	tcase_add_test(tcase, what_programs_read_as_different_files_is_refused);
	tcase_add_test(tcase, sparse_files_and_unknown_types_are_refused_by_name);
	tcase_add_test(tcase, what_lies_behind_the_end_is_nobodys_business);
	tcase_add_test(tcase, there_are_no_more_members_than_the_limit);
	tcase_add_test(tcase, a_stop_is_heard);
	tcase_add_test(tcase, other_files_are_not_taken_for_tar_archives);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
