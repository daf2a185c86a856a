/* Work in units that several threads take one after the other, while the calling thread tells the
 * listener how far things are. */
#include "io.h"

#include <time.h>
#include <unistd.h>

enum {
	INLINE = 4 << 20,    /* work up to so many bytes needs no threads */
	THREADS_MAX = 256,
	TICK_NS = 100000000, /* time between two reports of progress */
};

typedef struct {
	ck_work *work;
	unsigned char *buffer;
	pthread_t thread;
} worker;

bool ck_work_is_over(ck_work *work)
{
	return ck_stopped(work->job) || atomic_load(&work->failed);
}

void ck_work_did(ck_work *work, uint64_t bytes)
{
	atomic_fetch_add(&work->done, bytes);
}

static void take_units(worker *w)
{
	ck_work *work = w->work;
	while (!atomic_load(&work->failed)) {
		size_t i = atomic_fetch_add(&work->next, 1);
		if (i >= work->units)
			break;
		if (ck_stopped(work->job) || !work->run(work->arg, i, w->buffer))
			atomic_store(&work->failed, true);
	}
}

static void *work_thread(void *arg)
{
	worker *w = arg;
	take_units(w);
	pthread_mutex_lock(&w->work->lock);
	w->work->running--;
	pthread_cond_signal(&w->work->wake);
	pthread_mutex_unlock(&w->work->lock);
	return NULL;
}

/* The calling thread does no work of its own. */
static void watch(ck_work *work)
{
	const ck_job *job = work->job;
	pthread_mutex_lock(&work->lock);
	while (work->running) {
		struct timespec until;
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += TICK_NS;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		pthread_cond_timedwait(&work->wake, &work->lock, &until);
		pthread_mutex_unlock(&work->lock);
		if (job->progress)
			job->progress(job->listener, work->what, atomic_load(&work->done),
			              work->total);
		pthread_mutex_lock(&work->lock);
	}
	pthread_mutex_unlock(&work->lock);
}

static bool run_threads(ck_work *work, size_t count)
{
	worker *workers = ck_alloc_array(work->job, count, sizeof *workers);
	if (!workers)
		return false;
	for (size_t i = 0; i < count; i++) {
		workers[i].work = work;
		workers[i].buffer = ck_alloc(work->job, work->buffer);
		if (!workers[i].buffer)
			return false;
	}
	if (work->total <= INLINE) {
		take_units(&workers[0]);
		return !atomic_load(&work->failed);
	}
	size_t started = 0;
	work->running = count; /* counted down by each thread, so it must be right beforehand */
	while (started < count &&
	       !pthread_create(&workers[started].thread, NULL, work_thread, &workers[started]))
		started++;
	pthread_mutex_lock(&work->lock);
	work->running -= count - started;
	pthread_mutex_unlock(&work->lock);
	if (started)
		watch(work);
	else
		take_units(&workers[0]); /* no thread to be had: slower, not wrong */
	for (size_t i = 0; i < started; i++)
		pthread_join(workers[i].thread, NULL);
	return !atomic_load(&work->failed);
}

unsigned ck_processors(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	return cores > 0 ? (unsigned)cores : 1;
}

static size_t thread_count(const ck_work *work, unsigned asked)
{
	size_t count = asked ? asked : ck_processors();
	if (count > work->units)
		count = work->units;
	if (work->total <= INLINE || !count)
		count = 1;
	return count < THREADS_MAX ? count : THREADS_MAX;
}

static void close_lock(void *arg)
{
	ck_work *work = arg;
	pthread_cond_destroy(&work->wake);
	pthread_mutex_destroy(&work->lock);
}

bool ck_work_run(ck_job *job, ck_work *work, unsigned threads)
{
	pthread_condattr_t attr;
	work->job = job;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&work->lock, NULL);
	pthread_cond_init(&work->wake, &attr);
	pthread_condattr_destroy(&attr);
	return ck_defer(job, close_lock, work) &&
	       (!work->units || run_threads(work, thread_count(work, threads)));
}
