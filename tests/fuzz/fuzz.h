/* Fuzz targets have one function, LLVMFuzzerTestOneInput. Built by clang with -fsanitize=fuzzer, or
 * by AFL++'s compiler with the same, they fuzz (tests/fuzz/run.sh); built plainly, with replay.c,
 * they run once over given files, which is how they take part in the test suite.
 *
 * Each target opens its parser directly, without the doors before it, demands what the parser's
 * header promises, and ends with fuzz_end, which demands what all of ckconv promises: a failure has
 * a reason, and what is said of a file is safe to print. */
#ifndef CK_FUZZ_H
#define CK_FUZZ_H

#include <stdlib.h>
#include <string.h>

#include "io.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void demand(bool right)
{
	if (!right)
		abort();
}

/* Nothing in it can move the cursor, change colours, hide or turn the line around. */
static inline void demand_printable(const char *text)
{
	size_t left = strlen(text), len;
	uint32_t code;
	for (; left; text += len, left -= len) {
		len = ck_utf8_next(text, left, &code);
		demand(len && code >= 0x20 && (code < 0x7F || code > 0x9F));
		demand((code < 0x200B || code > 0x200F) && (code < 0x2028 || code > 0x202E));
		demand((code < 0x2060 || code > 0x206F) && (code < 0xE0000 || code > 0xE0FFF));
		demand(code != 0xFEFF);
	}
}

static inline void fuzz_note(void *arg, const char *text)
{
	(void)arg;
	demand_printable(text);
}

/* A job with tight limits, and with hashes that are the same each time, so that a fuzzer sees the
 * same way for the same input; the target ends it with fuzz_end. */
static inline ck_job *fuzz_begin(void)
{
	static const char *const limits[] = {"heap=64M", "visits=100000", "inflated=1M"};
	ck_job *job = ck_base_job_new();
	demand(job);
	for (size_t i = 0; i < CK_COUNT(limits); i++)
		demand(ck_limits_set(job, limits[i]));
	/* as if nearly all that is free had been unpacked: zips of zips of zips take a while */
	job->unpacked = UINT64_C(255) << 20;
	job->seed[0] = 1;
	job->seed[1] = 2;
	job->note = fuzz_note;
	job->scratch_dir = "/dev/shm";
	return job;
}

static inline int fuzz_end(ck_job *job, bool ok)
{
	demand(ok == (job->error.status == CK_OK));
	demand_printable(job->error.text);
	demand_printable(job->error.where);
	ck_base_job_free(job);
	return 0;
}

#endif
