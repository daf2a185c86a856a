/* Any bytes as a packed report: what is unpacked is in order, and is packed and unpacked again to
 * the very same. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ck_job *job = ck_base_job_new();
	size_t len;
	if (!job || !ck_limits_set(job, "heap=256M"))
		abort();
	const ck_report *report = ck_report_unpack(job, "fuzz", data, size);
	if (!report && job->error.status == CK_OK)
		abort(); /* a failure without a reason */
	const char *json = report ? ck_report_json(job, report) : NULL;
	const void *bytes = report ? ck_report_pack(job, report, &len) : NULL;
	const ck_report *again = bytes ? ck_report_unpack(job, "fuzz", bytes, len) : NULL;
	const char *same = again ? ck_report_json(job, again) : NULL;
	if (job->error.status == CK_OK && (!same || strcmp(json, same) != 0))
		abort();
	ck_base_job_free(job);
	return 0;
}
