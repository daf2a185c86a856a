/* Packed files: every packing gives the bytes back or says what is wrong, and nothing else is taken
 * for one. The fixtures are by Python's libraries. */
#include "pack_unit.h"

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

static const ck_packing *packing_of(const ck_source *source)
{
	return ck_packing_find(source->data, source->size < 1024 ? (size_t)source->size : 1024);
}

static const ck_source *unpack(const char *name)
{
	const ck_source *packed = fixture_source(job, name);
	const ck_packing *packing = packing_of(packed);
	ck_assert_msg(packing != NULL, "%s is not recognised", name);
	return ck_unpack(job, packing, packed);
}

static const struct {
	const char *name;
	const ck_packing *packing;
	const char *text;
} good[] = {
	{"gzip", &ck_packing_gzip, FIRST},
	{"gzip_of_nothing", &ck_packing_gzip, ""},
	{"gzip_two", &ck_packing_gzip, FIRST SECOND},
	{"gzip_all_fields", &ck_packing_gzip, FIRST},
	{"zlib", &ck_packing_zlib, FIRST},
	{"zlib_fast", &ck_packing_zlib, FIRST},
	{"bzip2", &ck_packing_bzip2, FIRST},
	{"bzip2_of_nothing", &ck_packing_bzip2, ""},
	{"bzip2_two", &ck_packing_bzip2, FIRST SECOND},
	{"xz", &ck_packing_xz, FIRST},
	{"xz_of_nothing", &ck_packing_xz, ""},
	{"xz_two", &ck_packing_xz, FIRST SECOND},
	{"xz_padded", &ck_packing_xz, FIRST SECOND},
	{"xz_crc32", &ck_packing_xz, FIRST},
	{"xz_sha256", &ck_packing_xz, FIRST},
	{"lzma", &ck_packing_lzma, FIRST},
	{"lzma_sized", &ck_packing_lzma, FIRST},
};

START_TEST(every_packing_is_recognised_and_gives_the_bytes_back)
{
	const ck_source *packed = fixture_source(job, good[_i].name);
	ck_assert_ptr_eq(packing_of(packed), good[_i].packing);
	const ck_source *source = ck_unpack(job, good[_i].packing, packed);
	assert_holds(job, source, good[_i].text, strlen(good[_i].text));
	ck_assert_ptr_nonnull(strstr(source->label, "file (unpacked"));
	ck_assert_str_eq(notes, "");
}
END_TEST

/* Longer than what the loop reads or makes at once. */
START_TEST(long_files_are_unpacked_piece_by_piece)
{
	static const char *const names[] = {"gzip_long", "zlib_long", "bzip2_long", "xz_long",
	                                    "lzma_long"};
	static unsigned char expected[300000];
	for (size_t i = 0; i < sizeof expected; i++)
		expected[i] = (unsigned char)(i / 1000 * 7 + i % 13);
	assert_holds(job, unpack(names[_i]), expected, sizeof expected);
}
END_TEST

/* More packed bytes than are read at once, and streams that end near where a piece ends. */
START_TEST(many_streams_are_unpacked_one_behind_the_other)
{
	static const char *const names[] = {"gzip", "bzip2", "xz"};
	enum { STREAMS = 9000 };
	size_t size, len = strlen(FIRST);
	unsigned char *one = fixture_bytes(job, names[_i], &size);
	unsigned char *all = ck_alloc(job, size * STREAMS);
	char *expected = ck_alloc(job, len * STREAMS);
	for (size_t i = 0; i < STREAMS; i++) {
		memcpy(all + i * size, one, size);
		memcpy(expected + i * len, FIRST, len);
	}
	const ck_source *packed = source_of(job, all, size * STREAMS);
	assert_holds(job, ck_unpack(job, packing_of(packed), packed), expected, len * STREAMS);
}
END_TEST

/* The magic number of what follows is then not in memory yet. */
START_TEST(a_stream_may_end_where_a_piece_ends)
{
	enum { PIECE = 128 << 10, HEADER = 10 };
	size_t size;
	const unsigned char *one = fixture_bytes(job, "gzip", &size);
	unsigned char *all = ck_alloc(job, PIECE + 2 * size);
	memset(all, 'n', PIECE);
	memcpy(all, one, HEADER);
	all[3] |= 8; /* a name, as long as it takes */
	memcpy(all + PIECE - (size - HEADER), one + HEADER, size - HEADER);
	all[PIECE - (size - HEADER) - 1] = '\0';
	memcpy(all + PIECE, one, size);
	const ck_source *packed = source_of(job, all, PIECE + size);
	assert_holds(job, ck_unpack(job, &ck_packing_gzip, packed), FIRST FIRST,
	             strlen(FIRST FIRST));
	memset(all + PIECE, 0, size);
	packed = source_of(job, all, PIECE + size);
	assert_holds(job, ck_unpack(job, &ck_packing_gzip, packed), FIRST, strlen(FIRST));
}
END_TEST

/* ---- damage ---- */

static bool may_be_cut_at(const fixture *f, size_t size)
{
	for (size_t i = 0; f->cuts[i]; i++)
		if (f->cuts[i] == size)
			return true;
	return false;
}

START_TEST(a_file_that_is_cut_anywhere_is_an_error_with_its_place)
{
	const char *name = good[_i].name;
	size_t full;
	fixture_bytes(job, name, &full);
	for (size_t size = 0; size < full; size++, again()) {
		unsigned char *data = fixture_bytes(job, name, &full);
		const ck_source *packed = source_of(job, data, size);
		const ck_source *source = ck_unpack(job, good[_i].packing, packed);
		if (may_be_cut_at(fixture_of(name), size)) {
			ck_assert_msg(source != NULL, "%s cut at %zu", name, size);
			continue;
		}
		ck_assert_msg(!source, "%s cut at %zu", name, size);
		ck_assert_int_eq(job->error.status, CK_CORRUPT);
		ck_assert(job->error.has_offset && job->error.offset <= size);
	}
}
END_TEST

/* Some fields mean nothing to us, such as the time in gzip; but no other bytes may come out. */
START_TEST(a_bit_that_is_turned_is_found_or_does_no_harm)
{
	static const char *const names[] = {"gzip", "gzip_all_fields", "zlib", "bzip2", "xz",
	                                    "xz_crc32", "xz_sha256"};
	const char *name = names[_i];
	const ck_packing *packing = packing_of(fixture_source(job, name));
	size_t size, refused = 0;
	fixture_bytes(job, name, &size);
	for (size_t bit = 0; bit < size * 8; bit++, again()) {
		unsigned char *data = fixture_bytes(job, name, &size);
		data[bit / 8] ^= (unsigned char)(1 << bit % 8);
		const ck_source *source = ck_unpack(job, packing, source_of(job, data, size));
		if (source)
			assert_holds(job, source, FIRST, strlen(FIRST));
		refused += !source;
	}
	ck_assert_uint_ge(refused, size * 4);
}
END_TEST

START_TEST(a_wrong_checksum_is_named_with_its_place)
{
	static const struct {
		const char *name;
		size_t from_end;
		const char *part;
	} rows[] = {
		{"gzip", 8, "gzip data is damaged (incorrect data check)"},
		{"gzip", 4, "gzip data is damaged (incorrect length check)"},
		{"zlib", 1, "zlib data is damaged (incorrect data check)"},
		{"bzip2", 2, "bzip2 data is damaged (a checksum"},
		{"xz", 30, "xz data is damaged (a checksum"},
	};
	size_t size;
	unsigned char *data = fixture_bytes(job, rows[_i].name, &size);
	const ck_packing *packing = packing_of(source_of(job, data, size));
	data[size - rows[_i].from_end] ^= 0x10;
	ck_assert_ptr_null(ck_unpack(job, packing, source_of(job, data, size)));
	ck_assert_failed(job, CK_CORRUPT, rows[_i].part);
	ck_assert(job->error.has_offset && job->error.offset > size / 2);
}
END_TEST

/* ---- what follows ---- */

static const ck_source *unpack_with(const char *name, const char *more, size_t len)
{
	size_t size;
	unsigned char *data = fixture_bytes(job, name, &size);
	memcpy(data + size, more, len);
	const ck_source *packed = source_of(job, data, size + len);
	return ck_unpack(job, packing_of(packed), packed);
}

START_TEST(zeros_behind_gzip_and_bzip2_are_passed_over_and_the_rest_is_told)
{
	const char *name = _i ? "bzip2" : "gzip";
	assert_holds(job, unpack_with(name, "\0\0\0\0\0", 5), FIRST, strlen(FIRST));
	ck_assert_str_eq(notes, "");
	assert_holds(job, unpack_with(name, "\0\0more", 6), FIRST, strlen(FIRST));
	ck_assert_msg(strstr(notes, "something else and was passed over"), "note: %s", notes);
	ck_assert_msg(strstr(notes, _i ? "ends at byte 57" : "ends at byte 38"), "note: %s", notes);
}
END_TEST

START_TEST(nothing_may_follow_the_other_packings)
{
	static const char *const names[] = {"zlib", "xz", "lzma", "lzma_sized"};
	static const char *const more[] = {"\0", "more"};
	for (size_t i = 0; i < CK_COUNT(more); i++, again()) {
		ck_assert_ptr_null(unpack_with(names[_i], more[i], i ? 4 : 1));
		ck_assert_int_eq(job->error.status, CK_CORRUPT);
		ck_assert(job->error.has_offset);
	}
}
END_TEST

START_TEST(a_second_stream_that_is_damaged_is_not_taken_for_something_else)
{
	static const char *const names[] = {"gzip_two", "bzip2_two", "xz_two"};
	const fixture *f = fixture_of(names[_i]);
	size_t size;
	unsigned char *data = fixture_bytes(job, names[_i], &size);
	data[(f->cuts[0] + size) / 2] ^= 0x40;
	const ck_source *packed = source_of(job, data, size);
	ck_assert_ptr_null(ck_unpack(job, packing_of(packed), packed));
	ck_assert_failed(job, CK_CORRUPT, "get"); /* damaged, or its end is not found */
	ck_assert_uint_gt(job->error.offset, f->cuts[0]);
}
END_TEST

/* ---- what the libraries lack, and checksums that are not there ---- */

START_TEST(xz_without_a_checksum_is_told_and_with_an_unknown_one_refused)
{
	assert_holds(job, unpack("xz_no_check"), FIRST, strlen(FIRST));
	ck_assert_ptr_nonnull(strstr(notes, "could not be verified"));
	ck_assert_ptr_null(unpack("xz_unknown_check"));
	ck_assert_failed(job, CK_UNSUPPORTED, "its kind of checksum");
}
END_TEST

START_TEST(zlib_with_a_dictionary_is_not_recognised_and_refused)
{
	const ck_source *packed = fixture_source(job, "zlib_dictionary");
	ck_assert_ptr_null(packing_of(packed));
	ck_assert_ptr_null(ck_unpack(job, &ck_packing_zlib, packed));
	ck_assert_failed(job, CK_UNSUPPORTED, "a dictionary");
}
END_TEST

/* ---- limits ---- */

START_TEST(more_bytes_than_the_limit_of_unpacking_are_refused)
{
	for (size_t i = 0; i < CK_COUNT(good); i++, again()) {
		size_t len = strlen(good[i].text);
		if (!len)
			continue;
		job->limits.inflated = len;
		ck_assert_ptr_nonnull(unpack(good[i].name));
		job->limits.inflated = len - 1;
		ck_assert_ptr_null(unpack(good[i].name));
		ck_assert_failed(job, CK_LIMIT, "--limit inflated=N");
	}
}
END_TEST

START_TEST(the_ratio_counts_beyond_64_mebibytes)
{
	const ck_source *source = unpack("zeros_60");
	ck_assert_msg(source != NULL, "%s", job->error.text);
	ck_assert_uint_eq(source->size, 60 << 20);
	ck_assert_ptr_null(unpack("zeros_80"));
	ck_assert_failed(job, CK_LIMIT, "--limit ratio=N");
	again();
	job->limits.ratio = (80 << 20) / 80;
	ck_assert_ptr_nonnull(unpack("zeros_80"));
}
END_TEST

/* What the file says is 64 MiB, what is used of it is as much as comes out. */
START_TEST(a_dictionary_counts_as_far_as_it_is_filled)
{
	static const char *const names[] = {"xz_large_dictionary", "lzma"};
	static const char *const filled[] = {"xz_large_filled", "lzma_large_filled"};
	job->limits.heap = 4 << 20;
	ck_assert_ptr_nonnull(unpack(names[_i]));
	ck_assert_ptr_null(unpack(filled[_i]));
	ck_assert_failed(job, CK_LIMIT, "--limit heap=N");
	again();
	job->limits.heap = 100 << 20;
	ck_assert_ptr_nonnull(unpack(filled[_i]));
}
END_TEST

START_TEST(a_stop_is_heard)
{
	atomic_store(&job->stop, true);
	ck_assert_ptr_null(unpack("gzip"));
	ck_assert_int_eq(job->error.status, CK_STOPPED);
}
END_TEST

/* ---- what is no packing ---- */

START_TEST(other_files_are_not_taken_for_packed_ones)
{
	static const struct {
		const char *bytes;
		size_t len;
	} heads[] = {
#define HEAD(text) {text, sizeof(text) - 1}
		HEAD(""),
		HEAD("x"),
		HEAD("\x5d"),
		HEAD("\x1f\x8b"),
		HEAD("BZh91AY&S"),
		HEAD("BZh9 is how bzip2 files begin"),
		HEAD("\xfd" "7zXZ"),
		HEAD("PK\3\4\x14\0\0\0\0\0"),
		HEAD("\x80\2}q\0(X\6\0\0\0weightq\1K\1u."),
		HEAD("(S'abc'\np0\nI1\nt."),             /* a zlib header, then no deflate */
		HEAD("(Y"),
		HEAD("x^2 + y^2 = z^2 has many solutions"),
		HEAD("x\x9c"),
		HEAD("x\x9c\x07"),                       /* a block of type 3 */
		HEAD("]q\0(K\1K\2e."),
		HEAD("\x5d\0\x10\0\0\0\0\0{\"__metadata__\":{}}"), /* safetensors, like .lzma */
		HEAD("\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff"), /* .lzma, without data */
		HEAD("\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff\1\0\0\0\0\0\0\0"),
		HEAD("\x5e\0\0\x81\0\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0\0\0\0\0"),
		HEAD("\x5d\1\0\x81\0\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0\0\0\0\0"),
		HEAD("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
#undef HEAD
	};
	for (size_t i = 0; i < CK_COUNT(heads); i++) {
		const ck_source *source = source_of(job, heads[i].bytes, heads[i].len);
		ck_assert_msg(!packing_of(source), "head %zu is taken for %s", i,
		              packing_of(source)->name);
	}
}
END_TEST

START_TEST(lzma_of_a_size_that_nobody_means_is_not_recognised)
{
	size_t size;
	unsigned char *data = fixture_bytes(job, "lzma_long", &size);
	static const unsigned char sizes[2][8] = {{255, 255, 255, 255, 0x3f}, {0, 0, 0, 0, 0x40}};
	memcpy(data + 5, sizes[0], 8); /* 2^38 - 1 */
	ck_assert_ptr_eq(packing_of(source_of(job, data, size)), &ck_packing_lzma);
	memcpy(data + 5, sizes[1], 8);
	ck_assert_ptr_null(packing_of(source_of(job, data, size)));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pack");
	TCase *tcase = tcase_create("packings");
	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_loop_test(tcase, every_packing_is_recognised_and_gives_the_bytes_back, 0,
	                    CK_COUNT(good));
	tcase_add_loop_test(tcase, long_files_are_unpacked_piece_by_piece, 0, 5);
	tcase_add_loop_test(tcase, many_streams_are_unpacked_one_behind_the_other, 0, 3);
	tcase_add_test(tcase, a_stream_may_end_where_a_piece_ends);
	tcase_add_loop_test(tcase, a_file_that_is_cut_anywhere_is_an_error_with_its_place, 0,
	                    CK_COUNT(good));
	tcase_add_loop_test(tcase, a_bit_that_is_turned_is_found_or_does_no_harm, 0, 7);
	tcase_add_loop_test(tcase, a_wrong_checksum_is_named_with_its_place, 0, 5);
	tcase_add_loop_test(tcase, zeros_behind_gzip_and_bzip2_are_passed_over_and_the_rest_is_told,
	                    0, 2);
	tcase_add_loop_test(tcase, nothing_may_follow_the_other_packings, 0, 4);
	tcase_add_loop_test(tcase, a_second_stream_that_is_damaged_is_not_taken_for_something_else,
	                    0, 3);
	tcase_add_test(tcase, xz_without_a_checksum_is_told_and_with_an_unknown_one_refused);
	tcase_add_test(tcase, zlib_with_a_dictionary_is_not_recognised_and_refused);
	tcase_add_test(tcase, more_bytes_than_the_limit_of_unpacking_are_refused);
	tcase_add_test(tcase, the_ratio_counts_beyond_64_mebibytes);
	tcase_add_loop_test(tcase, a_dictionary_counts_as_far_as_it_is_filled, 0, 2);
	tcase_add_test(tcase, a_stop_is_heard);
	tcase_add_test(tcase, other_files_are_not_taken_for_packed_ones);
	tcase_add_test(tcase, lzma_of_a_size_that_nobody_means_is_not_recognised);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
