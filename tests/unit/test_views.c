/* The books on bytes, the guess whether a pickle begins, and what a scan sees in files that are
 * made here byte by byte. */
#include <stdlib.h>
#include <string.h>

#include "look.h"
#include "stream.h"
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

/* ---- regions ---- */

static void claim(ck_regions *r, uint64_t from, uint64_t to)
{
	ck_assert(ck_regions_claim(job, r, from, to));
}

START_TEST(gaps_are_what_nobody_claimed)
{
	ck_regions r = {0};
	ck_region gap;
	uint64_t at = 0;
	claim(&r, 30, 40);
	claim(&r, 5, 10);
	claim(&r, 10, 12);
	ck_assert(ck_regions_gap(&r, 50, &at, &gap));
	ck_assert_uint_eq(gap.from, 0);
	ck_assert_uint_eq(gap.to, 5);
	ck_assert(ck_regions_gap(&r, 50, &at, &gap));
	ck_assert_uint_eq(gap.from, 12);
	ck_assert_uint_eq(gap.to, 30);
	ck_assert(ck_regions_gap(&r, 50, &at, &gap));
	ck_assert_uint_eq(gap.from, 40);
	ck_assert_uint_eq(gap.to, 50);
	ck_assert(!ck_regions_gap(&r, 50, &at, &gap));
	ck_assert_uint_eq(r.overlaps, 0);
	ck_assert(ck_regions_hold(&r, 39) && !ck_regions_hold(&r, 40) && !ck_regions_hold(&r, 4));
}
END_TEST

START_TEST(a_source_without_claims_is_one_gap)
{
	ck_regions r = {0};
	ck_region gap;
	uint64_t at = 0;
	ck_assert(ck_regions_gap(&r, 7, &at, &gap));
	ck_assert_uint_eq(gap.to - gap.from, 7);
	ck_assert(!ck_regions_gap(&r, 7, &at, &gap));
	at = 0;
	ck_assert(!ck_regions_gap(&r, 0, &at, &gap));
}
END_TEST

START_TEST(what_lies_in_another_does_not_shorten_it)
{
	ck_regions r = {0};
	ck_region gap;
	uint64_t at = 0;
	claim(&r, 0, 100);
	claim(&r, 120, 130);
	claim(&r, 10, 20);
	ck_assert(ck_regions_gap(&r, 130, &at, &gap));
	ck_assert_uint_eq(gap.from, 100);
	ck_assert_uint_eq(gap.to, 120);
	ck_assert(!ck_regions_gap(&r, 130, &at, &gap));
	ck_assert_uint_eq(r.overlaps, 1);
}
END_TEST

START_TEST(overlaps_are_counted_once)
{
	ck_regions r = {0};
	claim(&r, 0, 10);
	claim(&r, 20, 30);
	claim(&r, 9, 21);
	ck_regions_settle(&r);
	ck_assert_uint_eq(r.overlaps, 2);
	ck_assert_uint_eq(r.overlap_at, 9);
	ck_assert_uint_eq(r.count, 1);
	ck_regions_settle(&r);
	ck_assert_uint_eq(r.overlaps, 2);
}
END_TEST

/* ---- guessing ---- */

static const struct {
	const char *bytes;
	size_t len;
	bool may;
} guesses[] = {
#define GUESS(text, may) {text, sizeof(text) - 1, may}
	GUESS("N.", true),
	GUESS("\x80\2}q\0.", true),
	GUESS("cos\nsystem\n", true),
	GUESS("X\4\0\0\0abcd", true),
	GUESS("(lp0\n", true),
	GUESS(".", false),
	GUESS("R", false),
	GUESS("\0\0\0\0", false),
	GUESS("import os\n", true), /* INST: the machine has to say that no MARK is there */
	GUESS("\xff\xff", false),
	GUESS("", false),
#undef GUESS
};

START_TEST(the_first_bytes_tell_what_is_no_pickle)
{
	ck_assert_int_eq(ck_stream_may_begin((const unsigned char *)guesses[_i].bytes,
	                                     guesses[_i].len), guesses[_i].may);
}
END_TEST

static ck_probed probe_for(ck_purpose purpose, const char *bytes, size_t len)
{
	ck_probed probed;
	ck_idle idle;
	const ck_source *source = ck_source_memory(job, "test", bytes, len);
	ck_audit *audit = ck_audit_new(job, source);
	ck_assert(ck_stream_probe(audit, source, &(uint64_t){0}, purpose, &probed, &idle));
	ck_assert_uint_eq(audit->finding_count, 0); /* nothing is judged */
	return probed;
}

static ck_probed probe(const char *bytes, size_t len)
{
	return probe_for(CK_FOR_TEXT, bytes, len);
}

/* How far a pickle reaches that need not be read again after it was probed; 0: it must be. */
static uint64_t idle_for(const char *bytes, size_t len)
{
	ck_probed probed;
	ck_idle idle;
	uint64_t at = 0;
	const ck_source *source = ck_source_memory(job, "test", bytes, len);
	ck_audit *audit = ck_audit_new(job, source);
	ck_assert(ck_stream_probe(audit, source, &at, CK_FOR_PICKLE, &probed, &idle));
	ck_assert_uint_eq(idle.from, 0);
	return idle.to;
}

#define IDLE_FOR(text) idle_for(text, sizeof text - 1)

START_TEST(only_pickles_that_do_nothing_are_read_once)
{
	ck_assert_uint_eq(IDLE_FOR("(lp0\nI1\naVtext\np1\na.more"), 20);
	ck_assert_uint_eq(IDLE_FOR("(lp0\nI1\naVtext\np1\na"), 0); /* cut short */
	ck_assert_uint_eq(IDLE_FOR("(lp0\ng0\na."), 0);            /* a circle */
	ck_assert_uint_eq(IDLE_FOR("(lS'abcd'\na."), 0);           /* bytes: what is in them? */
	ck_assert_uint_eq(IDLE_FOR("(lcos\nsystem\na."), 0);
	ck_assert_uint_eq(IDLE_FOR("(lP1\na."), 0);
}
END_TEST

START_TEST(words_are_imports_where_a_pickle_is_expected)
{
	ck_assert_int_eq(probe_for(CK_FOR_PICKLE, "cat\ndog\nhorse\n", 14), CK_PROBED_BROKEN);
	ck_assert_int_eq(probe_for(CK_FOR_OTHER, "cat\ndog\nhorse\n", 14), CK_PROBED_BROKEN);
	ck_assert_int_eq(probe_for(CK_FOR_NOTHING, "cat\ndog\nhorse\n", 14), CK_PROBED_NOTHING);
	ck_assert_int_eq(probe_for(CK_FOR_STORAGE, "cmy-evil\nrun\n!", 14), CK_PROBED_NOTHING);
	ck_assert_int_eq(probe_for(CK_FOR_OTHER, "cmy-evil\nrun\n!", 14), CK_PROBED_BROKEN);
}
END_TEST

START_TEST(words_are_no_imports_but_calls_are_calls)
{
	ck_assert_int_eq(probe("cat\ndog\nhorse\n", 14), CK_PROBED_NOTHING);
	ck_assert_int_eq(probe("cos\nsystem\nhorse\n", 17), CK_PROBED_BROKEN);
	ck_assert_int_eq(probe("cat\ndog\n)R!", 11), CK_PROBED_BROKEN);
	ck_assert_int_eq(probe("cat\ndog\n.", 9), CK_PROBED_WHOLE);
	ck_assert_int_eq(probe("N.", 2), CK_PROBED_WHOLE);
	ck_assert_int_eq(probe("N.\1\2\3", 5), CK_PROBED_LITERAL);
	ck_assert_int_eq(probe("N!", 2), CK_PROBED_NOTHING);
}
END_TEST

/* ---- whole scans ---- */

static const ck_report *scan_as(const char *name, const void *bytes, size_t len)
{
	const ck_source *source = ck_source_memory(job, name, bytes, len);
	job->input = len;
	ck_audit *audit = ck_audit_new(job, source);
	ck_assert(audit && ck_audit_source(audit, source, ""));
	return ck_audit_report(audit);
}

static const ck_report *scan(const void *bytes, size_t len)
{
	return scan_as("test", bytes, len);
}

static const ck_finding *finding(const ck_report *report, const char *rule)
{
	for (size_t i = 0; i < report->finding_count; i++)
		if (!strcmp(report->findings[i].rule, rule))
			return &report->findings[i];
	return NULL;
}

START_TEST(a_pickle_behind_text_is_found_at_its_offset)
{
	static const char file[] = "N.some words\x80\2cos\nsystem\nU\2idR.";
	const ck_report *report = scan(file, sizeof file - 1);
	const ck_finding *f = finding(report, "dangerous-call");
	ck_assert_int_eq(report->verdict, CK_DANGEROUS);
	ck_assert(!f || f->offset > 12);
	ck_assert_ptr_nonnull(finding(report, "dangerous-import"));
	ck_assert_uint_eq(finding(report, "dangerous-import")->offset, 14);
	ck_assert_ptr_nonnull(finding(report, "unaccounted-bytes"));
	ck_assert_uint_eq(finding(report, "unaccounted-bytes")->offset, 2);
}
END_TEST

START_TEST(zeros_and_a_newline_behind_a_pickle_are_nothing)
{
	ck_assert_uint_eq(scan("N.\0\0\0\0\n", 7)->finding_count, 0);
	ck_assert_uint_eq(scan("N.", 2)->finding_count, 0);
}
END_TEST

/* The loader is not asked about such a pickle for its names: it has none. */
START_TEST(a_list_that_holds_itself_is_told_without_tensors)
{
	static const char file[] = "\x80\2]q\1(h\1h\1h\1h\1h\1h\1h\1h\1h\1h\1h\1h\1h\1h\1h\1h\1h\1h"
	                           "\1e.";
	const ck_source *source = ck_source_memory(job, "test", file, sizeof file - 1);
	job->input = sizeof file - 1;
	ck_audit *audit = ck_audit_new(job, source);
	audit->with_tensors = true;
	ck_assert(ck_audit_source(audit, source, ""));
	const ck_report *report = ck_audit_report(audit);
	ck_assert_int_eq(report->verdict, CK_MALFORMED);
	ck_assert_ptr_nonnull(finding(report, "expands"));
}
END_TEST

static void scan_long_list(const char *last, size_t len, const char *rule)
{
	static char file[1 << 10];
	size_t at = 0;
	static const char head[] = "\x80\2cnumpy\nndarray\n](";
	memcpy(file, head, sizeof head - 1);
	for (at = sizeof head - 1; at < 320; at += 2)
		memcpy(file + at, "K\1", 2);
	memcpy(file + at, last, len);
	const ck_report *report = scan(file, at + len);
	ck_assert_msg(finding(report, rule), "%s is not found", rule);
}

/* What is only judged leaves numbers out of long lists, and says so where they count. */
START_TEST(long_lists_hide_nothing)
{
	scan_long_list("J\xff\xff\xff\x7f" "e\x85R.", 9, "expands");
	scan_long_list("cos\nsystem\ne\x85R.", 15, "dangerous-import");
}
END_TEST

/* By its name it may be raw data, which nobody would load. */
START_TEST(what_nobody_knows_is_not_scanned_if_it_is_called_a_checkpoint)
{
	const ck_report *report = scan_as("test.pt", "\1\2\3\4\5\6\7", 7);
	ck_assert_int_eq(report->verdict, CK_MALFORMED);
	ck_assert(!report->complete);
	ck_assert_ptr_nonnull(finding(report, "not-scanned"));
	report = scan_as("test.data", "\1\2\3\4\5\6\7", 7);
	ck_assert_int_eq(report->verdict, CK_SAFE);
	ck_assert(report->complete);
	report = scan_as("test.data", "\x80\2\3\4\5\6\7", 7);
	ck_assert_int_eq(report->verdict, CK_MALFORMED);
}
END_TEST

/* Every cut and every flipped byte of a small archive ends in a report. */
START_TEST(no_damage_ends_a_scan)
{
	static const char zip[] =
		"PK\3\4\24\0\0\0\0\0\0\0\0\0\0\0\0\0\2\0\0\0\2\0\0\0\1\0\0\0aN."
		"PK\1\2\24\0\24\0\0\0\0\0\0\0\0\0\0\0\0\0\2\0\0\0\2\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0"
		"\0\0\0\0\0a"
		"PK\5\6\0\0\0\0\1\0\1\0\57\0\0\0\41\0\0\0\0";
	unsigned char copy[sizeof zip];
	const size_t len = sizeof zip; /* the NUL at its end is the comment's length */
	ck_assert_int_eq(scan(zip, len)->verdict, CK_SAFE);
	for (size_t i = 0; i < len; i++) {
		unsigned char *cut = malloc(i ? i : 1); /* so that a read beyond it is seen */
		memcpy(cut, zip, i);
		scan(cut, i);
		free(cut);
		memcpy(copy, zip, len);
		copy[i] ^= 0xff;
		scan(copy, len);
	}
}
END_TEST

static Suite *views_suite(void)
{
	Suite *suite = suite_create("views");
	TCase *tcase = tcase_create("views");
	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_test(tcase, gaps_are_what_nobody_claimed);
	tcase_add_test(tcase, a_source_without_claims_is_one_gap);
	tcase_add_test(tcase, what_lies_in_another_does_not_shorten_it);
	tcase_add_test(tcase, overlaps_are_counted_once);
	tcase_add_loop_test(tcase, the_first_bytes_tell_what_is_no_pickle, 0, CK_COUNT(guesses));
	tcase_add_test(tcase, words_are_no_imports_but_calls_are_calls);
	tcase_add_test(tcase, only_pickles_that_do_nothing_are_read_once);
	tcase_add_test(tcase, words_are_imports_where_a_pickle_is_expected);
	tcase_add_test(tcase, a_pickle_behind_text_is_found_at_its_offset);
	tcase_add_test(tcase, zeros_and_a_newline_behind_a_pickle_are_nothing);
	tcase_add_test(tcase, a_list_that_holds_itself_is_told_without_tensors);
	tcase_add_test(tcase, long_lists_hide_nothing);
	tcase_add_test(tcase, what_nobody_knows_is_not_scanned_if_it_is_called_a_checkpoint);
	tcase_add_test(tcase, no_damage_ends_a_scan);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	return unit_run(views_suite());
}
