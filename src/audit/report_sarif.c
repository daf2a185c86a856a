/* Reports as one SARIF 2.1.0 document (OASIS, sarif-v2.1.0), which code scanning services read. It
 * has a limited size, because those services refuse larger ones: what is worst goes in first. */
#include "report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { RESULTS_MAX = 5000, BYTES_MAX = 10 << 20, VERDICTS = CK_DANGEROUS + 1,
       /* of each kind of notices, of which one more may go beyond the bytes */
       NOTICES_MAX = 1000, NOTICES_BYTES = 1 << 20,
       END_BYTES = 1024 /* what closes the document */ };

/* The results of one verdict, and where each of them ends. */
typedef struct {
	ck_text text;
	size_t *ends;
	size_t count, cap;
	uint64_t left_out;
} shelf;

/* What is said of a file that has no results. */
typedef struct {
	ck_text text;
	size_t count;
	uint64_t left_out;
} notices;

struct ck_sarif {
	ck_job *job;
	const char *version;
	shelf shelves[VERDICTS];
	notices failures; /* what could not be scanned */
	notices remarks;  /* what was passed over, as it should be */
};

ck_sarif *ck_sarif_begin(ck_job *job, const char *version)
{
	ck_sarif *sarif = ck_alloc(job, sizeof *sarif);
	if (sarif)
		*sarif = (ck_sarif){.job = job, .version = version};
	return sarif;
}

static const char *level_of(ck_verdict verdict)
{
	static const char *const levels[] = {
		[CK_SAFE] = "note", [CK_UNKNOWN] = "warning", [CK_MALFORMED] = "warning",
		[CK_DANGEROUS] = "error",
	};
	return levels[verdict];
}

/* ---- places ---- */

/* A path as a URI reference (RFC 3986): every byte that is not harmless in one is %XX. */
static bool add_uri(ck_job *job, ck_text *to, const char *path)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	                            "0123456789-._~/";
	/* an absolute path could otherwise begin with what names a host: //x */
	bool ok = *path != '/' || ck_text_addf(job, to, "file://");
	for (; ok && *path == '/' && path[1] == '/'; path++)
		;
	for (; ok && *path; path++)
		ok = strchr(plain, *path) ? ck_text_add(job, to, path, 1)
		                          : ck_text_addf(job, to, "%%%02X", (unsigned char)*path);
	return ok;
}

/* The file, and in it the finding, if there is one. */
static bool add_location(ck_job *job, ck_text *to, const char *path, const ck_finding *f)
{
	bool ok = ck_text_addf(job, to, "\"locations\":[{\"physicalLocation\":"
	                       "{\"artifactLocation\":{\"uri\":\"") &&
	          add_uri(job, to, path) && ck_text_addf(job, to, "\"}");
	if (f && f->offset <= INT64_MAX)
		ok = ok &&
		     ck_text_addf(job, to, ",\"region\":{\"byteOffset\":%" PRIu64, f->offset) &&
		     (!f->length || f->length > INT64_MAX ||
		      ck_text_addf(job, to, ",\"byteLength\":%" PRIu64, f->length)) &&
		     ck_text_addf(job, to, "}");
	ok = ok && ck_text_addf(job, to, "}");
	if (f && *f->member)
		ok = ok && ck_text_addf(job, to, ",\"logicalLocations\":[{") &&
		     ck_quote_key(job, to, "fullyQualifiedName", f->member) &&
		     ck_text_addf(job, to, ",\"kind\":\"resource\"}]");
	return ok && ck_text_addf(job, to, "}]");
}

/* ---- results ---- */

static bool add_words(ck_job *job, ck_text *to, const char *text)
{
	return ck_text_add(job, to, text, strlen(text));
}

/* "os.system, called with ('id'): why" */
static bool add_message(ck_job *job, ck_text *to, const ck_finding *f)
{
	ck_text text = {0};
	bool ok = true;
	if (f->module)
		ok = add_words(job, &text, f->module) && add_words(job, &text, ".") &&
		     add_words(job, &text, f->name ? f->name : "") &&
		     (!f->how || (add_words(job, &text, ", ") &&
		                  add_words(job, &text, ck_how_name(f->how)))) &&
		     (!f->arguments || (add_words(job, &text, " with (") &&
		                        add_words(job, &text, f->arguments) &&
		                        add_words(job, &text, ")"))) &&
		     add_words(job, &text, ": ");
	return ok && add_words(job, &text, f->why ? f->why : f->rule) &&
	       ck_text_add(job, &text, "", 1) && ck_text_addf(job, to, "\"message\":{") &&
	       ck_quote_key(job, to, "text", text.data) && ck_text_addf(job, to, "}");
}

static bool add_properties(ck_job *job, ck_text *to, const char *sha256, const ck_finding *f)
{
	bool ok = ck_text_addf(job, to, "\"properties\":{") &&
	          ck_quote_key(job, to, "verdict", ck_verdict_name(f->verdict)) &&
	          ck_text_addf(job, to, ",\"stream\":%u", f->stream);
	if (f->stream_offset != CK_NO_OFFSET)
		ok = ok && ck_text_addf(job, to, ",\"streamOffset\":%" PRIu64, f->stream_offset);
	if (f->opcode)
		ok = ok && ck_quote_key(job, to, "opcode", f->opcode);
	if (f->mapped)
		ok = ok && ck_quote_key(job, to, "mapped", f->mapped);
	if (sha256)
		ok = ok && ck_quote_key(job, to, "sha256", sha256);
	return ok && ck_text_addf(job, to, "}");
}

static size_t rule_index(const char *name)
{
	size_t index = 0;
	while (ck_rule_table()[index].name && strcmp(ck_rule_table()[index].name, name) != 0)
		index++;
	return index;
}

static bool add_result(ck_job *job, ck_text *to, const ck_report *report, const ck_finding *f)
{
	return ck_text_addf(job, to, "{") && ck_quote_key(job, to, "ruleId", f->rule) &&
	       ck_text_addf(job, to, ",\"ruleIndex\":%zu,\"level\":\"%s\",", rule_index(f->rule),
	                    level_of(f->verdict)) &&
	       add_message(job, to, f) && ck_text_addf(job, to, ",") &&
	       add_location(job, to, report->path, f) &&
	       ck_text_addf(job, to, ",\"partialFingerprints\":{\"ckconv/v1\":\"%s\"},"
	                    "\"suppressions\":[%s],", f->fingerprint,
	                    f->suppressed ? "{\"kind\":\"external\"}" : "") &&
	       add_properties(job, to, report->sha256, f) && ck_text_addf(job, to, "}");
}

static bool keep_result(ck_sarif *sarif, const ck_report *report, const ck_finding *f)
{
	shelf *s = &sarif->shelves[f->verdict];
	if (s->count == RESULTS_MAX || s->text.len > BYTES_MAX) {
		s->left_out++;
		return true;
	}
	ck_job *job = sarif->job;
	size_t *ends = ck_grow(job, s->ends, &s->cap, s->count + 1, sizeof *ends);
	if (!ends)
		return false;
	s->ends = ends;
	if (!add_result(job, &s->text, report, f))
		return false;
	ends[s->count++] = s->text.len;
	return true;
}

static bool add_notice(ck_job *job, ck_text *to, const char *level, const char *path,
                       const char *why)
{
	return ck_text_addf(job, to, "%s{\"level\":\"%s\",\"message\":{", to->len ? "," : "",
	                    level) &&
	       ck_quote_key(job, to, "text", why) &&
	       ck_text_addf(job, to, path ? "}," : "}") &&
	       (!path || add_location(job, to, path, NULL)) && ck_text_addf(job, to, "}");
}

static bool keep_notice(ck_job *job, notices *to, const char *level, const char *path,
                        const char *why)
{
	if (to->count == NOTICES_MAX || to->text.len > NOTICES_BYTES) {
		to->left_out++;
		return true;
	}
	to->count++;
	return add_notice(job, &to->text, level, path, why);
}

bool ck_sarif_add(ck_sarif *sarif, const ck_report *report)
{
	for (size_t i = 0; i < report->finding_count; i++)
		if (!keep_result(sarif, report, &report->findings[i]))
			return false;
	sarif->shelves[CK_SAFE].left_out += report->findings_left_out;
	return report->complete ||
	       ck_sarif_add_error(sarif, report->path, "not all of this file could be scanned");
}

bool ck_sarif_add_error(ck_sarif *sarif, const char *path, const char *why)
{
	return keep_notice(sarif->job, &sarif->failures, "error", path, why);
}

bool ck_sarif_add_note(ck_sarif *sarif, const char *path, const char *what)
{
	return keep_notice(sarif->job, &sarif->remarks, "note", path, what);
}

/* ---- document ---- */

static bool add_rules(ck_job *job, ck_text *to)
{
	bool ok = true;
	for (const ck_rule_info *rule = ck_rule_table(); ok && rule->name; rule++)
		ok = ck_text_addf(job, to, "%s{", rule == ck_rule_table() ? "" : ",") &&
		     ck_quote_key(job, to, "id", rule->name) &&
		     ck_text_addf(job, to, ",\"shortDescription\":{") &&
		     ck_quote_key(job, to, "text", rule->about) &&
		     ck_text_addf(job, to, "},\"defaultConfiguration\":{\"level\":\"%s\"},"
		                  "\"properties\":{\"tags\":[\"security\"],"
		                  "\"security-severity\":\"%s\"}}",
		                  level_of(rule->verdict), rule->severity);
	return ok;
}

/* The worst results that fit; *left_out counts the others. */
static bool add_results(const ck_sarif *sarif, ck_text *to, uint64_t *left_out)
{
	size_t room = RESULTS_MAX;
	size_t limit = BYTES_MAX - END_BYTES - sarif->failures.text.len - sarif->remarks.text.len;
	bool ok = true, first = true;
	for (int verdict = CK_DANGEROUS; ok && verdict >= CK_SAFE; verdict--) {
		const shelf *s = &sarif->shelves[verdict];
		size_t at = 0, i = 0;
		for (; ok && room && i < s->count && to->len + s->ends[i] - at < limit; i++) {
			ok = (first || ck_text_add(sarif->job, to, ",\n", 2)) &&
			     ck_text_add(sarif->job, to, s->text.data + at, s->ends[i] - at);
			at = s->ends[i];
			first = false;
			room--;
		}
		*left_out += s->left_out + (s->count - i);
		if (i < s->count)
			room = 0; /* nothing lesser goes in where something worse did not */
	}
	return ok;
}

/* What goes wrong, then what did not fit, then what is only said. */
static bool add_notices(const ck_sarif *sarif, ck_text *to, uint64_t left_out)
{
	ck_job *job = sarif->job;
	ck_text all = {0};
	char truncated[160];
	const notices *failures = &sarif->failures, *remarks = &sarif->remarks;
	uint64_t unsaid = failures->left_out + remarks->left_out;
	bool ok = ck_text_add(job, &all, failures->text.data, failures->text.len);
	if (left_out || unsaid) {
		snprintf(truncated, sizeof truncated,
		         "truncated: %s found beyond those that fit, and %s like these",
		         ck_many(left_out, "result").s, ck_many(unsaid, "notification").s);
		ok = ok && add_notice(job, &all, "error", NULL, truncated);
	}
	bool successful = !all.len;
	if (remarks->text.len)
		ok = ok && ck_text_add(job, &all, ",", all.len > 0) &&
		     ck_text_add(job, &all, remarks->text.data, remarks->text.len);
	return ok &&
	       ck_text_addf(job, to, "\"invocations\":[{\"executionSuccessful\":%s,"
	                    "\"toolExecutionNotifications\":[", successful ? "true" : "false") &&
	       ck_text_add(job, to, all.data, all.len) && ck_text_addf(job, to, "]}]");
}

const char *ck_sarif_finish(ck_sarif *sarif)
{
	ck_job *job = sarif->job;
	ck_text to = {0};
	uint64_t left_out = 0;
	bool ok = ck_text_addf(job, &to, "{\"$schema\":"
	                       "\"https://json.schemastore.org/sarif-2.1.0.json\","
	                       "\"version\":\"2.1.0\",\"runs\":[{\"tool\":{\"driver\":{"
	                       "\"name\":\"ckconv\",\"version\":\"%s\",\"rules\":[",
	                       sarif->version) &&
	          add_rules(job, &to) && ck_text_addf(job, &to, "]}},\"results\":[") &&
	          add_results(sarif, &to, &left_out) && ck_text_addf(job, &to, "],") &&
	          add_notices(sarif, &to, left_out) &&
	          ck_text_add(job, &to, "}]}", 4); /* the NUL, too */
	return ok ? to.data : NULL;
}
