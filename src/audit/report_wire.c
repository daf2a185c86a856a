/* A report as bytes, and back: it crosses a pipe from a process that has read a hostile file, so
 * that whoever unpacks it believes none of it. Numbers are 8 bytes, little-endian; a text is its
 * length and its bytes, a text that is not there the length NO_TEXT. */
#include "look.h"
#include "report.h"

#include <string.h>

enum { PACKED_MAX = 48 << 20, NUMBER = 8, TEXT_LEN_MAX = 1 << 20 };

static const uint64_t MAGIC = UINT64_C(0x32706572766b63); /* "ckvrep2" */
static const uint64_t NO_TEXT = UINT64_MAX;

/* What is in a finding and in a global, in the order of the bytes. */
#define FINDING_TEXTS(X) \
	X(rule) X(member) X(opcode) X(module) X(name) X(mapped) X(arguments) X(why)
#define FINDING_NUMBERS(X) X(offset) X(length) X(stream_offset) X(count)
#define GLOBAL_TEXTS(X) X(module) X(name) X(mapped)

/* ---- packing ---- */

static bool put_number(ck_job *job, ck_text *to, uint64_t number)
{
	unsigned char bytes[NUMBER];
	for (int i = 0; i < NUMBER; i++)
		bytes[i] = (unsigned char)(number >> 8 * i);
	return ck_text_add(job, to, bytes, sizeof bytes);
}

static bool put_text(ck_job *job, ck_text *to, const char *text)
{
	if (!text)
		return put_number(job, to, NO_TEXT);
	size_t len = strlen(text);
	return put_number(job, to, len) && ck_text_add(job, to, text, len);
}

static bool put_finding(ck_job *job, ck_text *to, const ck_finding *f)
{
#define TEXT(field) put_text(job, to, f->field) &&
#define VALUE(field) put_number(job, to, f->field) &&
	return FINDING_TEXTS(TEXT) FINDING_NUMBERS(VALUE)
	       put_number(job, to, f->verdict) && put_number(job, to, f->suppressed) &&
	       put_number(job, to, f->stream) && put_number(job, to, f->how) &&
	       put_text(job, to, f->fingerprint);
#undef TEXT
#undef VALUE
}

static bool put_global(ck_job *job, ck_text *to, const ck_global_use *g)
{
#define TEXT(field) put_text(job, to, g->field) &&
	return GLOBAL_TEXTS(TEXT) put_number(job, to, g->verdict) &&
	       put_number(job, to, g->how) && put_number(job, to, g->count) &&
	       put_number(job, to, g->weights_only);
#undef TEXT
}

/* As many findings as fit, the worst first, each with a 1 before it and a 0 behind the last. */
static bool put_findings(ck_job *job, ck_text *to, const ck_report *report, uint64_t *left_out)
{
	size_t i = 0;
	for (; i < report->finding_count && to->len < PACKED_MAX; i++)
		if (!put_number(job, to, 1) || !put_finding(job, to, &report->findings[i]))
			return false;
	*left_out += report->finding_count - i;
	return put_number(job, to, 0);
}

static bool put_globals(ck_job *job, ck_text *to, const ck_report *report)
{
	for (size_t i = 0; i < report->global_count && to->len < PACKED_MAX; i++)
		if (!put_number(job, to, 1) || !put_global(job, to, &report->globals[i]))
			return false;
	return put_number(job, to, 0);
}

const void *ck_report_pack(ck_job *job, const ck_report *report, size_t *len)
{
	ck_text to = {0};
	uint64_t left_out = report->findings_left_out;
	bool ok = put_number(job, &to, MAGIC) && put_text(job, &to, report->format) &&
	          put_number(job, &to, report->size) && put_text(job, &to, report->sha256) &&
	          put_number(job, &to, report->pickles) &&
	          put_number(job, &to, report->verdict) &&
	          put_number(job, &to, report->complete) &&
	          put_number(job, &to, report->weights_only) &&
	          put_findings(job, &to, report, &left_out) && put_globals(job, &to, report) &&
	          put_number(job, &to, left_out);
	*len = to.len;
	return ok ? to.data : NULL;
}

/* ---- unpacking ---- */

typedef struct {
	ck_job *job;
	const unsigned char *at, *end;
	bool bad; /* out of order somewhere: all that was read since is nothing */
} reader;

static bool refuse(reader *r)
{
	r->bad = true;
	return false;
}

static uint64_t get_number(reader *r)
{
	uint64_t number = 0;
	if (r->bad || r->end - r->at < NUMBER)
		return (void)refuse(r), 0;
	for (int i = 0; i < NUMBER; i++)
		number |= (uint64_t)r->at[i] << 8 * i;
	r->at += NUMBER;
	return number;
}

/* A number from 0 to `most`. */
static unsigned get_choice(reader *r, unsigned most)
{
	uint64_t number = get_number(r);
	if (number > most)
		return (void)refuse(r), 0;
	return (unsigned)number;
}

static bool is_printable(const char *text, size_t len)
{
	char shown[16];
	uint32_t code;
	for (size_t took; len; text += took, len -= took) {
		took = ck_utf8_next(text, len, &code);
		if (!took || ck_show_to(shown, sizeof shown, text, took) != took ||
		    memcmp(shown, text, took) != 0)
			return false;
	}
	return true;
}

/* A text that is safe to print, whatever was sent; NULL if there is none. */
static const char *get_text(reader *r)
{
	uint64_t len = get_number(r);
	if (r->bad || len == NO_TEXT)
		return NULL;
	if (len > TEXT_LEN_MAX || len > (uint64_t)(r->end - r->at))
		return (void)refuse(r), NULL;
	const char *sent = (const char *)r->at;
	bool plain = is_printable(sent, (size_t)len);
	size_t size = plain ? (size_t)len + 1 : 4 * (size_t)len + 16; /* a byte may become \xNN */
	char *text = ck_alloc(r->job, size);
	if (!text)
		return (void)refuse(r), NULL;
	if (plain)
		memcpy(text, sent, (size_t)len);
	else
		ck_show_to(text, size, sent, (size_t)len);
	r->at += len;
	return text;
}

/* A text that must be there. */
static const char *get_words(reader *r)
{
	const char *text = get_text(r);
	if (!text)
		refuse(r);
	return text ? text : "";
}

static void get_fingerprint(reader *r, ck_finding *f)
{
	const char *text = get_words(r);
	if (strlen(text) != sizeof f->fingerprint - 1 ||
	    strspn(text, "0123456789abcdef") != sizeof f->fingerprint - 1)
		refuse(r);
	else
		memcpy(f->fingerprint, text, sizeof f->fingerprint);
}

static bool get_finding(reader *r, ck_finding *f)
{
#define TEXT(field) f->field = get_text(r);
#define VALUE(field) f->field = get_number(r);
	FINDING_TEXTS(TEXT)
	FINDING_NUMBERS(VALUE)
#undef TEXT
#undef VALUE
	f->verdict = get_choice(r, CK_DANGEROUS);
	f->suppressed = get_choice(r, true);
	f->stream = get_choice(r, UINT32_MAX);
	f->how = get_choice(r, CK_CALLED);
	get_fingerprint(r, f);
	const ck_rule_info *rule = ck_rule_table();
	while (rule->name && (!f->rule || strcmp(rule->name, f->rule) != 0))
		rule++;
	f->rule = rule->name;
	/* how bad a finding is its rule says, not the child */
	bool fits = f->rule && f->verdict == rule->verdict;
	return !r->bad && fits && f->member && (f->module || !f->name) ? true : refuse(r);
}

static bool get_global(reader *r, ck_global_use *g)
{
#define TEXT(field) g->field = get_text(r);
	GLOBAL_TEXTS(TEXT)
#undef TEXT
	g->verdict = get_choice(r, CK_DANGEROUS);
	g->how = get_choice(r, CK_CALLED);
	g->count = get_number(r);
	g->weights_only = get_choice(r, true);
	return !r->bad && g->module && g->name ? true : refuse(r);
}

static bool get_findings(reader *r, ck_report *report)
{
	size_t cap = 0;
	ck_finding *list = NULL;
	while (get_choice(r, 1)) {
		list = ck_grow(r->job, list, &cap, report->finding_count + 1, sizeof *list);
		if (!list)
			return refuse(r);
		ck_finding *f = &list[report->finding_count++];
		*f = (ck_finding){0};
		if (!get_finding(r, f))
			return false;
	}
	report->findings = list;
	return !r->bad;
}

static bool get_globals(reader *r, ck_report *report)
{
	size_t cap = 0;
	ck_global_use *list = NULL;
	while (get_choice(r, 1)) {
		list = ck_grow(r->job, list, &cap, report->global_count + 1, sizeof *list);
		if (!list)
			return refuse(r);
		ck_global_use *g = &list[report->global_count++];
		*g = (ck_global_use){0};
		if (!get_global(r, g))
			return false;
	}
	report->globals = list;
	return !r->bad;
}

/* A process that was taken over could send anything; what it sends does not contradict itself. */
static void settle_verdict(ck_report *report)
{
	if (!report->complete && report->verdict < CK_MALFORMED)
		report->verdict = CK_MALFORMED;
	for (size_t i = 0; i < report->finding_count; i++)
		if (!report->findings[i].suppressed &&
		    report->findings[i].verdict > report->verdict)
			report->verdict = report->findings[i].verdict;
}

const ck_report *ck_report_unpack(ck_job *job, const char *path, const void *bytes, size_t len)
{
	reader r = {job, bytes, (const unsigned char *)bytes + len, false};
	ck_report_room(job);
	ck_report *report = ck_alloc(job, sizeof *report);
	if (!report)
		return NULL;
	report->path = path;
	if (get_number(&r) != MAGIC)
		refuse(&r);
	report->format = get_words(&r);
	report->size = get_number(&r);
	report->sha256 = get_text(&r);
	if (report->sha256 && (strlen(report->sha256) != CK_SHA256_HEX ||
	                       strspn(report->sha256, "0123456789abcdef") != CK_SHA256_HEX))
		refuse(&r);
	report->pickles = get_number(&r);
	report->verdict = get_choice(&r, CK_DANGEROUS);
	report->complete = get_choice(&r, true);
	report->weights_only = get_choice(&r, true);
	if (get_findings(&r, report) && get_globals(&r, report))
		report->findings_left_out = get_number(&r);
	if (!r.bad && r.at != r.end)
		refuse(&r);
	if (r.bad) {
		ck_fail(job, CK_CORRUPT, path, "the report of the process that looked through this "
		        "file is damaged, as if the file had taken the process over");
		return NULL;
	}
	settle_verdict(report);
	return report;
}
