/* A report as one line of JSON. Every key is always there, null where there is nothing to say;
 * ckconv-scan.1 explains each. */
#include "report.h"

#include <inttypes.h>
#include <string.h>

static const char *truth(bool value)
{
	return value ? "true" : "false";
}

static bool add_number(ck_job *job, ck_text *to, const char *key, uint64_t number)
{
	return ck_text_addf(job, to, ",\"%s\":%" PRIu64, key, number);
}

/* An offset may not be known. */
static bool add_offset(ck_job *job, ck_text *to, const char *key, uint64_t offset)
{
	return offset == CK_NO_OFFSET ? ck_text_addf(job, to, ",\"%s\":null", key)
	                              : add_number(job, to, key, offset);
}

/* Paths are bytes. What is no UTF-8 cannot be told by "path", so that the bytes follow. */
static bool add_path(ck_job *job, ck_text *to, const char *path)
{
	size_t len = strlen(path);
	bool ok = ck_text_addf(job, to, "{\"schema\":%d", CK_REPORT_SCHEMA) &&
	          ck_quote_key(job, to, "path", path) && ck_text_addf(job, to, ",\"path_hex\":");
	if (ck_utf8_valid(path, len))
		return ok && ck_quote(job, to, NULL);
	ok = ok && ck_text_add(job, to, "\"", 1);
	for (; ok && *path; path++)
		ok = ck_text_addf(job, to, "%02x", (unsigned char)*path);
	return ok && ck_text_add(job, to, "\"", 1);
}

static bool add_finding(ck_job *job, ck_text *to, const ck_finding *f)
{
	return ck_text_addf(job, to, "{") && ck_quote_key(job, to, "rule", f->rule) &&
	       ck_quote_key(job, to, "verdict", ck_verdict_name(f->verdict)) &&
	       ck_text_addf(job, to, ",\"suppressed\":%s", truth(f->suppressed)) &&
	       ck_quote_key(job, to, "member", *f->member ? f->member : NULL) &&
	       add_offset(job, to, "offset", f->offset) &&
	       add_number(job, to, "length", f->length) &&
	       add_number(job, to, "stream", f->stream) &&
	       add_offset(job, to, "stream_offset", f->stream_offset) &&
	       ck_quote_key(job, to, "opcode", f->opcode) &&
	       ck_quote_key(job, to, "module", f->module) &&
	       ck_quote_key(job, to, "name", f->name) &&
	       ck_quote_key(job, to, "mapped", f->mapped) &&
	       ck_quote_key(job, to, "how", f->how ? ck_how_name(f->how) : NULL) &&
	       ck_quote_key(job, to, "arguments", f->arguments) &&
	       ck_quote_key(job, to, "why", f->why) &&
	       add_number(job, to, "count", f->count ? f->count : 1) &&
	       ck_quote_key(job, to, "fingerprint", f->fingerprint) && ck_text_addf(job, to, "}");
}

static bool add_global(ck_job *job, ck_text *to, const ck_global_use *g)
{
	return ck_text_addf(job, to, "{") && ck_quote_key(job, to, "module", g->module) &&
	       ck_quote_key(job, to, "name", g->name) &&
	       ck_quote_key(job, to, "mapped", g->mapped) &&
	       ck_quote_key(job, to, "verdict", ck_verdict_name(g->verdict)) &&
	       ck_quote_key(job, to, "how", g->how ? ck_how_name(g->how) : NULL) &&
	       add_number(job, to, "count", g->count) &&
	       ck_text_addf(job, to, ",\"weights_only\":%s}", truth(g->weights_only));
}

/* Whether torch.load takes it as it is, and if not, the names that it would have to be given. */
static bool add_loads(ck_job *job, ck_text *to, const ck_report *report)
{
	ck_loads loads = ck_report_loads(report);
	/* torch.load hands TorchScript on to torch.jit.load, which takes no weights_only */
	if (!report->pickles || strstr(report->format, "TorchScript"))
		return ck_text_addf(job, to, ",\"weights_only\":null,\"add_safe_globals\":null");
	if (!ck_text_addf(job, to, ",\"weights_only\":%s,\"add_safe_globals\":%s",
	                  truth(loads == CK_LOADS), loads == CK_LOADS_NOT ? "null" : "["))
		return false;
	bool first = true;
	for (size_t i = 0; loads != CK_LOADS_NOT && i < report->global_count; i++) {
		const ck_global_use *g = &report->globals[i];
		if (g->weights_only)
			continue;
		const char *name = ck_full_name(job, g->module, g->name);
		if (!name || (!first && !ck_text_add(job, to, ",", 1)) || !ck_quote(job, to, name))
			return false;
		first = false;
	}
	return loads == CK_LOADS_NOT || ck_text_add(job, to, "]", 1);
}

const char *ck_report_json(ck_job *job, const ck_report *report)
{
	ck_text to = {0};
	bool ok = add_path(job, &to, report->path) &&
	          ck_quote_key(job, &to, "format", report->format) &&
	          add_number(job, &to, "size", report->size) &&
	          ck_quote_key(job, &to, "sha256", report->sha256) &&
	          ck_quote_key(job, &to, "verdict", ck_verdict_name(report->verdict)) &&
	          ck_text_addf(job, &to, ",\"complete\":%s", truth(report->complete)) &&
	          add_loads(job, &to, report) &&
	          add_number(job, &to, "pickles", report->pickles) &&
	          ck_text_addf(job, &to, ",\"findings\":[");
	for (size_t i = 0; ok && i < report->finding_count; i++)
		ok = (!i || ck_text_add(job, &to, ",", 1)) &&
		     add_finding(job, &to, &report->findings[i]);
	ok = ok && ck_text_addf(job, &to, "]") &&
	     add_number(job, &to, "findings_left_out", report->findings_left_out) &&
	     ck_text_addf(job, &to, ",\"globals\":[");
	for (size_t i = 0; ok && i < report->global_count; i++)
		ok = (!i || ck_text_add(job, &to, ",", 1)) &&
		     add_global(job, &to, &report->globals[i]);
	ok = ok && ck_text_add(job, &to, "]}", 3); /* the NUL, too */
	return ok ? to.data : NULL;
}

const char *ck_report_json_error(ck_job *job, const char *path, const char *why)
{
	ck_text to = {0};
	bool ok = add_path(job, &to, path) && ck_quote_key(job, &to, "verdict", "malformed") &&
	          ck_text_addf(job, &to, ",\"complete\":false") &&
	          ck_quote_key(job, &to, "error", why) && ck_text_add(job, &to, "}", 2);
	return ok ? to.data : NULL;
}
