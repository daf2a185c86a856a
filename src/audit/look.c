/* What all looks share: their memory, what went wrong in them, and how places are called. */
#include "look.h"

#include <stdio.h>
#include <string.h>

enum { PATH_MAX_SHOWN = 400 };

ck_job *ck_look_job(ck_audit *audit)
{
	ck_job *own = ck_base_job_within(audit->job);
	if (!own)
		ck_fail_nomem(audit->job);
	return own;
}

static bool is_fatal(const ck_error *error)
{
	return error->status == CK_NOMEM || error->status == CK_IO || error->status == CK_STOPPED;
}

bool ck_look_done(ck_audit *audit, ck_job *own)
{
	if (audit->job->unpacked < own->unpacked)
		audit->job->unpacked = own->unpacked;
	if (is_fatal(&own->error))
		ck_fail(audit->job, own->error.status, NULL, "%s", own->error.text);
	ck_base_job_free(own);
	return audit->job->error.status == CK_OK;
}

bool ck_look_closed(ck_audit *audit, const ck_place *place, uint64_t at, uint64_t length,
                    const char *fmt, ...)
{
	char text[CK_TEXT_MAX];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	audit->incomplete = true;
	return ck_audit_say(audit, CK_RULE_NOT_SCANNED, place, at, length, "%s", text);
}

bool ck_look_failed(ck_audit *audit, const ck_job *own, ck_rule rule, const ck_place *place,
                    uint64_t at)
{
	const ck_error *error = &own->error;
	if (is_fatal(error))
		return ck_fail(audit->job, error->status, NULL, "%s", error->text);
	if (audit->job->error.status != CK_OK)
		return false;
	if (error->status == CK_LIMIT)
		rule = CK_RULE_OVER_LIMIT;
	if (error->status == CK_UNSUPPORTED)
		rule = CK_RULE_NOT_SCANNED;
	audit->incomplete = audit->incomplete || rule == CK_RULE_NOT_SCANNED ||
	                    rule == CK_RULE_OVER_LIMIT;
	return ck_audit_say(audit, rule, place, at, 0, "%s", error->text);
}

bool ck_look_over(ck_audit *audit, const ck_place *place, uint64_t at, const char *limit)
{
	ck_job *own = ck_look_job(audit);
	if (!own)
		return false;
	ck_fail_limit(own, "", limit);
	bool ok = ck_look_failed(audit, own, CK_RULE_OVER_LIMIT, place, at);
	return ck_look_done(audit, own) && ok;
}

const char *ck_look_path(ck_job *job, ck_text *path, const char *outer, const char *name,
                         size_t len)
{
	char shown[PATH_MAX_SHOWN];
	size_t size = ck_show_to(shown, sizeof shown, name, len);
	size_t before = strlen(outer);
	path->len = 0;
	if ((before && (!ck_text_add(job, path, outer, before) ||
	                !ck_text_add(job, path, "!", 1))) ||
	    !ck_text_add(job, path, shown, size) || !ck_text_add(job, path, "", 1))
		return NULL;
	return path->data;
}
