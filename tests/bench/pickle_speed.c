/* Times the pickle machine alone: reads each file of the command line as one pickle, a few times,
 * and prints the best of them with the memory that it took. make_pickles.py writes such files. */
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "pickle.h"

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Seconds that one reading took; negative after a failure, which is printed. */
static double read_once(const char *path, uint64_t *size, uint64_t *held)
{
	ck_job *job = ck_base_job_new();
	const ck_source *source = job ? ck_source_open(job, path) : NULL;
	uint64_t at = 0;
	double start = now();
	ck_seen seen = {0};
	const ck_value *value = source ? ck_pickle_read(job, source, &at, &seen) : NULL;
	double seconds = value ? now() - start : -1 - (now() - start);
	if (!value)
		printf("%s: %s (%.2f s)\n", path, job ? job->error.text : "no memory",
		       -1 - seconds);
	if (job) {
		*size = at;
		*held = job->arena.held;
	}
	ck_base_job_free(job);
	return seconds;
}

int main(int argc, char **argv)
{
	enum { RUNS = 5 };
	for (int i = 1; i < argc; i++) {
		double best = 1e9;
		uint64_t size = 0, held = 0;
		for (int run = 0; run < RUNS && best >= 0; run++) {
			double seconds = read_once(argv[i], &size, &held);
			best = seconds < best ? seconds : best;
		}
		if (best >= 0)
			printf("%-28s %7.1f MB %6.3f s %7.0f MB/s %7.1f MB of memory\n", argv[i],
			       (double)size / 1e6, best, (double)size / 1e6 / best,
			       (double)held / 1e6);
	}
	return 0;
}
