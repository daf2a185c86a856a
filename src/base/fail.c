/* How a failure is recorded: the first one of a job wins, as one sentence with its place. */
#include "base.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static void append(char *text, size_t size, const char *more)
{
	size_t len = strlen(text);
	snprintf(text + len, size - len, "%s", more);
}

/* offset may be NULL. Threads of the copy engine may fail at the same time: hence the lock. */
static void CK_PRINTF(6, 0) record(ck_job *job, ck_status status, int sys, const char *where,
                                   const uint64_t *offset, const char *fmt, va_list args)
{
	pthread_mutex_lock(&job->lock);
	ck_error *error = &job->error;
	if (error->status == CK_OK) {
		error->status = status;
		error->sys = sys;
		error->has_offset = offset != NULL;
		error->offset = offset ? *offset : 0;
		if ((!where || !*where) && status != CK_USAGE)
			where = job->subject;
		if (where)
			ck_show_to(error->where, sizeof error->where, where, strlen(where));
		vsnprintf(error->text, sizeof error->text, fmt, args);
		ck_utf8_trim(error->text);
		if (sys) {
			char why[128];
			append(error->text, sizeof error->text, ": ");
			append(error->text, sizeof error->text, strerror_r(sys, why, sizeof why));
		}
	}
	pthread_mutex_unlock(&job->lock);
}

bool ck_fail(ck_job *job, ck_status status, const char *where, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	record(job, status, 0, where, NULL, fmt, args);
	va_end(args);
	return false;
}

bool ck_fail_at(ck_job *job, ck_status status, const char *where, uint64_t offset, const char *fmt,
                ...)
{
	va_list args;
	va_start(args, fmt);
	record(job, status, 0, where, &offset, fmt, args);
	va_end(args);
	return false;
}

bool ck_fail_sys(ck_job *job, const char *where, const char *fmt, ...)
{
	int sys = errno;
	va_list args;
	va_start(args, fmt);
	record(job, CK_IO, sys, where, NULL, fmt, args);
	va_end(args);
	return false;
}

bool ck_fail_nomem(ck_job *job)
{
	return ck_fail(job, CK_NOMEM, "", "the system has no memory left");
}

bool ck_fail_as(ck_job *job, const ck_error *error)
{
	pthread_mutex_lock(&job->lock);
	if (job->error.status == CK_OK)
		job->error = *error;
	pthread_mutex_unlock(&job->lock);
	return false;
}

bool ck_stopped(ck_job *job)
{
	const ck_job *asked = job;
	while (asked && !atomic_load_explicit(&asked->stop, memory_order_relaxed))
		asked = asked->parent;
	if (!asked)
		return false;
	ck_fail(job, CK_STOPPED, "", "stopped on request");
	return true;
}

void ck_note(ck_job *job, const char *fmt, ...)
{
	if (!job->note)
		return;
	char text[CK_TEXT_MAX];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	ck_utf8_trim(text);
	job->note(job->listener, text);
}

void ck_progress(ck_job *job, const char *what, uint64_t done, uint64_t total)
{
	static const int64_t tick = 100000000; /* nanoseconds */
	struct timespec now;
	if (!job->progress)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	int64_t since = (int64_t)(now.tv_sec - job->told.tv_sec) * 1000000000 +
	                (now.tv_nsec - job->told.tv_nsec);
	if (since < tick)
		return;
	job->told = now;
	job->progress(job->listener, what, done, total);
}
