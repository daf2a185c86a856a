/* The public API of scanning. */
#include <ckconv/scan.h>

#include "report.h"

struct ck_scan {
	ck_job *job;
	const ck_source *source;
	const ck_policy *policy;
};

void ck_scan_use_policy(ck_scan *scan, const ck_policy *policy)
{
	scan->policy = policy;
}

ck_scan *ck_scan_open(ck_job *job, const char *path)
{
	ck_scan *scan = ck_alloc(job, sizeof *scan);
	if (!scan)
		return NULL;
	*scan = (ck_scan){.job = job, .source = ck_source_open(job, path)};
	if (scan->source)
		ck_limits_follow(job, scan->source->size);
	return scan->source ? scan : NULL;
}

const ck_report *ck_scan_run(ck_scan *scan)
{
	ck_audit *audit = ck_audit_new(scan->job, scan->source);
	if (audit) {
		audit->with_tensors = true;
		audit->policy = scan->policy;
	}
	if (!audit || !ck_audit_source(audit, scan->source, ""))
		return NULL;
	return ck_audit_report(audit);
}

ck_sarif *ck_sarif_new(ck_job *job)
{
	return ck_sarif_begin(job, ck_version());
}
