/* Reports as bytes, as JSON: what is packed comes out again, and bytes that lie do not. */
#include <stdio.h>
#include <string.h>

#include "report.h"
#include "unit.h"

static ck_job *job;

static void begin(void)
{
	job = ck_base_job_new();
}

static void end(void)
{
	ck_base_job_free(job);
}

static ck_finding finding(void)
{
	return (ck_finding){
		.rule = "dangerous-call", .verdict = CK_DANGEROUS, .member = "a/data.pkl",
		.offset = 77, .length = 3, .stream_offset = 11, .stream = 2, .opcode = "REDUCE",
		.module = "os", .name = "system", .mapped = "posix.system", .how = CK_CALLED,
		.arguments = "('id',)", .why = "it starts programs", .count = 4,
		.fingerprint = "0123456789abcdef0123456789abcdef",
	};
}

static ck_global_use global(void)
{
	return (ck_global_use){.module = "os", .name = "system", .verdict = CK_DANGEROUS,
	                       .how = CK_CALLED, .count = 9};
}

#define SUM "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static ck_report report_of(const ck_finding *findings, size_t count, const ck_global_use *globals,
                           size_t global_count)
{
	return (ck_report){
		.path = "model.pt", .format = "torch zip", .size = 1234, .sha256 = SUM,
		.pickles = 5,
		.verdict = count ? findings[0].verdict : CK_SAFE, .complete = true,
		.weights_only = true, .findings = findings, .finding_count = count,
		.globals = globals, .global_count = global_count,
	};
}

/* Packs a report, changes what the caller likes, and unpacks it. */
static unsigned char *pack(const ck_report *report, size_t *len)
{
	const void *bytes = ck_report_pack(job, report, len);
	ck_assert(bytes);
	return (unsigned char *)ck_copy(job, bytes, *len);
}

START_TEST(what_is_packed_comes_out_again)
{
	size_t len;
	ck_finding f[2] = {finding(), finding()};
	ck_global_use g = global();
	f[1] = (ck_finding){.rule = "unaccounted-bytes", .verdict = CK_MALFORMED, .member = "",
	                    .offset = CK_NO_OFFSET, .stream_offset = CK_NO_OFFSET,
	                    .suppressed = true, .fingerprint = "ffffffffffffffffffffffffffffffff"};
	ck_report report = report_of(f, 2, &g, 1);
	const void *bytes = ck_report_pack(job, &report, &len);
	const ck_report *back = ck_report_unpack(job, "model.pt", bytes, len);
	ck_assert(back);
	ck_assert_str_eq(ck_report_json(job, back), ck_report_json(job, &report));
	ck_assert_uint_eq(back->findings[0].count, 4);
	ck_assert_str_eq(back->globals[0].name, "system");
	ck_assert(back->findings[1].suppressed && !back->findings[1].module);
}
END_TEST

START_TEST(sums_that_are_none_are_refused)
{
	size_t len;
	ck_report report = report_of(NULL, 0, NULL, 0);
	static const char no_digit[] = "G123456789abcdef0123456789abcdef"
				       "0123456789abcdef0123456789abcdef";
	const char *const bad[] = {SUM "0", "0123", "", no_digit};
	for (size_t i = 0; i < CK_COUNT(bad); i++) {
		report.sha256 = bad[i];
		unsigned char *bytes = pack(&report, &len);
		ck_job *own = ck_base_job_new();
		ck_assert(!ck_report_unpack(own, "x", bytes, len));
		ck_assert_failed(own, CK_CORRUPT, "is damaged");
		ck_base_job_free(own);
	}
}
END_TEST

START_TEST(bytes_that_end_early_or_late_are_refused)
{
	size_t len;
	ck_finding f = finding();
	ck_report report = report_of(&f, 1, NULL, 0);
	unsigned char *bytes = pack(&report, &len);
	for (size_t cut = 0; cut < len; cut++) {
		ck_job *own = ck_base_job_new();
		ck_assert(!ck_report_unpack(own, "x", bytes, cut));
		ck_assert_failed(own, CK_CORRUPT, "is damaged");
		ck_base_job_free(own);
	}
	unsigned char *longer = ck_alloc(job, len + 1);
	memcpy(longer, bytes, len);
	ck_assert(!ck_report_unpack(job, "x", longer, len + 1));
}
END_TEST

/* Every byte is set to every of a few values: what comes out is whole and printable. */
START_TEST(bytes_that_are_changed_give_a_report_in_order_or_none)
{
	static const unsigned char values[] = {0, 1, 4, 0x1B, 0x7F, 0x80, 0xFF};
	size_t len;
	ck_finding f = finding();
	ck_global_use g = global();
	ck_report report = report_of(&f, 1, &g, 1);
	unsigned char *bytes = pack(&report, &len);
	for (size_t i = 0; i < len * sizeof values; i++) {
		unsigned char *byte = &bytes[i / sizeof values], before = *byte;
		ck_job *own = ck_base_job_new();
		*byte = values[i % sizeof values];
		const ck_report *back = ck_report_unpack(own, "x", bytes, len);
		const char *json = back ? ck_report_json(own, back) : "";
		for (const char *p = json; *p; p++)
			if ((unsigned char)*p < 0x20 || *p == 0x7F)
				ck_abort_msg("%s", json);
		for (size_t k = 0; back && k < back->finding_count; k++)
			ck_assert(back->findings[k].suppressed ||
			          back->findings[k].verdict <= back->verdict);
		*byte = before;
		ck_base_job_free(own);
	}
}
END_TEST

START_TEST(the_verdict_is_no_better_than_the_findings)
{
	size_t len;
	ck_finding f = finding();
	ck_report report = report_of(&f, 1, NULL, 0);
	report.verdict = CK_SAFE;
	const void *bytes = ck_report_pack(job, &report, &len);
	ck_assert_int_eq(ck_report_unpack(job, "x", bytes, len)->verdict, CK_DANGEROUS);
	f.suppressed = true;
	bytes = ck_report_pack(job, &report, &len);
	ck_assert_int_eq(ck_report_unpack(job, "x", bytes, len)->verdict, CK_SAFE);
	report.complete = false;
	bytes = ck_report_pack(job, &report, &len);
	ck_assert_int_eq(ck_report_unpack(job, "x", bytes, len)->verdict, CK_MALFORMED);
}
END_TEST

START_TEST(texts_are_escaped_again)
{
	size_t len;
	ck_finding f = finding();
	f.why = "a\033[31m\n\xe2\x80\xae" "b\xff";
	ck_report report = report_of(&f, 1, NULL, 0);
	const void *bytes = ck_report_pack(job, &report, &len);
	ck_assert_str_eq(ck_report_unpack(job, "x", bytes, len)->findings[0].why,
	                 "a\\x1b[31m\\x0a\\u202eb\\xff");
}
END_TEST

/* Whether what was packed of one finding is taken. */
static bool is_taken(const ck_finding *f)
{
	size_t len;
	ck_report report = report_of(f, 1, NULL, 0);
	const void *bytes = ck_report_pack(job, &report, &len);
	ck_job *own = ck_base_job_new();
	bool taken = ck_report_unpack(own, "x", bytes, len);
	if (!taken)
		ck_assert_failed(own, CK_CORRUPT, "is damaged");
	ck_base_job_free(own);
	return taken;
}

START_TEST(findings_that_cannot_be_are_refused)
{
	enum { LONGEST = 1 << 20 };
	char *text = ck_alloc(job, LONGEST + 2);
	memset(text, 'x', LONGEST + 1);
	ck_finding f = finding();
	ck_assert(is_taken(&f));
	/* how bad a thing is its rule says, and nobody else */
	for (int verdict = CK_SAFE; verdict < CK_DANGEROUS; verdict++) {
		f.verdict = (ck_verdict)verdict;
		ck_assert(!is_taken(&f));
	}
	f = finding();
	f.rule = "oddity";
	ck_assert(!is_taken(&f));
	f.verdict = CK_SAFE;
	ck_assert(is_taken(&f));
	f = finding();
	f.rule = NULL;
	ck_assert(!is_taken(&f));
	f = finding();
	f.member = NULL;
	ck_assert(!is_taken(&f));
	f = finding();
	f.module = NULL;
	ck_assert(!is_taken(&f));
	f = finding();
	memcpy(f.fingerprint, "0123456789abcdeF", 16);
	ck_assert(!is_taken(&f));
	f = finding();
	f.why = text;
	ck_assert(!is_taken(&f));
	text[LONGEST] = 0;
	ck_assert(is_taken(&f));
}
END_TEST

START_TEST(bytes_that_are_no_report_are_refused)
{
	size_t len;
	ck_report report = report_of(NULL, 0, NULL, 0);
	for (size_t i = 0; i < 8; i++) {
		unsigned char *bytes = pack(&report, &len);
		bytes[i] ^= 0x20;
		ck_assert(!ck_report_unpack(job, "x", bytes, len));
	}
}
END_TEST

START_TEST(rules_that_do_not_exist_are_refused)
{
	size_t len;
	ck_finding f = finding();
	f.rule = "no-such-rule";
	ck_report report = report_of(&f, 1, NULL, 0);
	const void *bytes = ck_report_pack(job, &report, &len);
	ck_assert(!ck_report_unpack(job, "x", bytes, len));
}
END_TEST

START_TEST(paths_of_any_bytes_are_json)
{
	ck_report report = report_of(NULL, 0, NULL, 0);
	report.path = "a\"\\\n\033\xff\xe2\x80\xae\xf3\xa0\x81\x81.pt";
	const char *json = ck_report_json(job, &report);
	static const char start[] = "{\"schema\":1,\"path\":\"a\\\"\\\\\\u000a\\u001b\\ufffd\\u202e"
	                            "\\udb40\\udc41.pt\",\"path_hex\":\"61225c0a1bffe280aef3a08181"
	                            "2e7074\",";
	ck_assert_msg(!strncmp(json, start, strlen(start)), "%s", json);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("report");
	TCase *tests = tcase_create("report");
	tcase_add_checked_fixture(tests, begin, end);
	tcase_add_test(tests, what_is_packed_comes_out_again);
	tcase_add_test(tests, sums_that_are_none_are_refused);
	tcase_add_test(tests, bytes_that_end_early_or_late_are_refused);
	tcase_add_test(tests, bytes_that_are_changed_give_a_report_in_order_or_none);
	tcase_add_test(tests, the_verdict_is_no_better_than_the_findings);
	tcase_add_test(tests, texts_are_escaped_again);
	tcase_add_test(tests, findings_that_cannot_be_are_refused);
	tcase_add_test(tests, bytes_that_are_no_report_are_refused);
	tcase_add_test(tests, rules_that_do_not_exist_are_refused);
	tcase_add_test(tests, paths_of_any_bytes_are_json);
	suite_add_tcase(suite, tests);
	return unit_run(suite);
}
