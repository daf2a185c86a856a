/* The public API of scanning. */
#include <ckconv/scan.h>

#include <string.h>

#include "dis.h"
#include "report.h"

struct ck_scan {
	ck_job *job;
	const ck_source *source;
	const ck_policy *policy;
	bool sha256;
};

void ck_scan_use_sha256(ck_scan *scan)
{
	scan->sha256 = true;
}

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
	return scan->source && ck_scratch_prepare(job) ? scan : NULL;
}

static size_t descriptors(const ck_job *job, const ck_source *source, int *to, size_t max)
{
	if (max)
		to[0] = source->fd;
	return 1 + ck_scratch_descriptors(job, max ? to + 1 : NULL, max ? max - 1 : 0);
}

size_t ck_scan_descriptors(const ck_scan *scan, int *to, size_t max)
{
	return descriptors(scan->job, scan->source, to, max);
}

uint64_t ck_scan_file_max(const ck_scan *scan)
{
	return ck_unpack_most_in_all(scan->job);
}

const ck_report *ck_scan_run(ck_scan *scan)
{
	ck_audit *audit = ck_audit_new(scan->job, scan->source);
	if (audit) {
		audit->with_tensors = true;
		audit->policy = scan->policy;
		audit->with_sha256 = scan->sha256;
	}
	return audit ? ck_audit_run(audit) : NULL;
}

ck_sarif *ck_sarif_new(ck_job *job)
{
	return ck_sarif_begin(job, ck_version());
}

enum { DIS_HEAP = 1 << 30 };

struct ck_dis {
	ck_job *job;
	const ck_source *source;
	const char *member; /* or NULL */
};

ck_dis *ck_dis_open(ck_job *job, const char *path)
{
	ck_dis *dis = ck_alloc(job, sizeof *dis);
	if (!dis)
		return NULL;
	*dis = (ck_dis){.job = job};
	dis->source = ck_source_open_member(job, path, &dis->member);
	if (dis->source)
		ck_limits_follow(job, dis->source->size);
	/* the opcodes of a pickle that needs more are shown all the same */
	if (!job->heap_given && job->limits.heap > DIS_HEAP)
		job->limits.heap = DIS_HEAP;
	return dis->source && ck_scratch_prepare(job) ? dis : NULL;
}

size_t ck_dis_descriptors(const ck_dis *dis, int *to, size_t max)
{
	return descriptors(dis->job, dis->source, to, max);
}

bool ck_dis_run(ck_dis *dis, bool (*line)(void *arg, const ck_dis_line *line), void *arg,
                bool *whole)
{
	*whole = false;
	return ck_dis_file(dis->job, dis->source, dis->member, &(ck_dis_listener){line, arg},
	                   whole);
}
