/* A report as one line of JSON. */
#include "audit.h"

#include <string.h>

const char *ck_report_json(ck_job *job, const ck_report *report)
{
	ck_text to = {0};
	bool ok = ck_text_addf(job, &to, "{\"schema\":%d,\"path\":", CK_REPORT_SCHEMA) &&
	          ck_json_string(job, &to, report->path, strlen(report->path)) &&
	          ck_text_addf(job, &to, ",\"verdict\":\"%s\"", ck_verdict_name(report->verdict)) &&
	          ck_text_addf(job, &to, ",\"complete\":%s", report->complete ? "true" : "false") &&
	          ck_text_addf(job, &to, ",\"findings\":[");
	for (size_t i = 0; ok && i < report->finding_count; i++) {
		const ck_finding *f = &report->findings[i];
		ok = ck_text_addf(job, &to, "%s{\"rule\":\"%s\",\"verdict\":\"%s\",\"why\":",
		                  i ? "," : "", f->rule, ck_verdict_name(f->verdict)) &&
		     ck_json_string(job, &to, f->why, strlen(f->why)) &&
		     ck_text_addf(job, &to, ",\"module\":") &&
		     ck_json_string(job, &to, f->module ? f->module : "", f->module ? strlen(f->module) : 0) &&
		     ck_text_addf(job, &to, ",\"name\":") &&
		     ck_json_string(job, &to, f->name ? f->name : "", f->name ? strlen(f->name) : 0) &&
		     ck_text_addf(job, &to, "}");
	}
	ok = ok && ck_text_addf(job, &to, "]}") && ck_text_add(job, &to, "", 1);
	return ok ? to.data : NULL;
}
