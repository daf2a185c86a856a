/* Texts of reports as JSON strings. */
#include "report.h"

#include <stdio.h>
#include <string.h>

/* What is written in place of a character; NULL if it may stand as it is. */
static const char *escape_of(const char *text, size_t took, uint32_t code, char to[16])
{
	char shown[16];
	if (code == '"' || code == '\\') {
		to[0] = '\\';
		to[1] = (char)code;
		to[2] = 0;
		return to;
	}
	/* the one list of characters that must not reach a terminal is that of ck_show */
	if (ck_show_to(shown, sizeof shown, text, took) == took && !memcmp(shown, text, took))
		return NULL;
	if (code < 0x10000)
		snprintf(to, 16, "\\u%04x", code);
	else
		snprintf(to, 16, "\\u%04x\\u%04x", 0xD800 + ((code - 0x10000) >> 10),
		         0xDC00 + ((code - 0x10000) & 0x3FF));
	return to;
}

bool ck_quote(ck_job *job, ck_text *to, const char *text)
{
	if (!text)
		return ck_text_add(job, to, "null", 4);
	size_t len = strlen(text);
	bool ok = ck_text_add(job, to, "\"", 1);
	while (ok && len) {
		char space[16];
		uint32_t code;
		size_t took = ck_utf8_next(text, len, &code);
		const char *escape = took ? escape_of(text, took, code, space) : "\\ufffd";
		took += !took;
		ok = escape ? ck_text_add(job, to, escape, strlen(escape))
		            : ck_text_add(job, to, text, took);
		text += took;
		len -= took;
	}
	return ok && ck_text_add(job, to, "\"", 1);
}

bool ck_quote_key(ck_job *job, ck_text *to, const char *key, const char *text)
{
	bool first = !to->len || to->data[to->len - 1] == '{';
	return ck_text_addf(job, to, "%s\"%s\":", first ? "" : ",", key) && ck_quote(job, to, text);
}

const char *ck_full_name(ck_job *job, const char *module, const char *name)
{
	size_t before = strlen(module), behind = strlen(name);
	char *full = ck_alloc(job, before + behind + 2);
	if (!full)
		return NULL;
	memcpy(full, module, before);
	full[before] = '.';
	memcpy(full + before + 1, name, behind);
	return full;
}

bool ck_report_has_danger(const ck_report *report)
{
	for (size_t i = 0; i < report->finding_count; i++)
		if (report->findings[i].verdict == CK_DANGEROUS)
			return true;
	return report->verdict == CK_DANGEROUS;
}

ck_loads ck_report_loads(const ck_report *report)
{
	if (!report->weights_only)
		return CK_LOADS_NOT;
	for (size_t i = 0; i < report->global_count; i++)
		/* nobody shall be told to add what is harmful */
		if (!report->globals[i].weights_only)
			return ck_report_has_danger(report) ? CK_LOADS_NOT : CK_LOADS_AFTER;
	return CK_LOADS;
}
