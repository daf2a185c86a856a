/* A job's memory: one arena that only grows, and a list of things to close when the job ends. */
#include "base.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { CHUNK_MIN = 64 << 10, CHUNK_MAX = 1 << 20, ALIGN = 8 };

struct ck_chunk {
	struct ck_chunk *older;
	size_t size, used; /* of data */
	size_t last;       /* where the newest allocation starts, so that it can grow in place */
	_Alignas(ALIGN) unsigned char data[];
};

struct ck_closer {
	struct ck_closer *older;
	void (*close)(void *);
	void *arg;
};

ck_job *ck_base_job_new(void)
{
	ck_job *job = calloc(1, sizeof *job);
	if (!job)
		return NULL;
	if (pthread_mutex_init(&job->lock, NULL)) {
		free(job);
		return NULL;
	}
	ck_limits_default(&job->limits);
	atomic_init(&job->stop, false);
	/* Without random numbers the maps still work; they only lose their guard against files
	 * that are made to be slow. */
	if (getrandom(job->seed, sizeof job->seed, GRND_NONBLOCK) != (ssize_t)sizeof job->seed)
		job->seed[0] = (uint64_t)(uintptr_t)job;
	return job;
}

ck_job *ck_base_job_within(const ck_job *parent)
{
	ck_job *job = ck_base_job_new();
	if (!job)
		return NULL;
	job->limits = parent->limits;
	job->scratch_dir = parent->scratch_dir;
	job->prepared = parent->prepared;
	job->parent = parent;
	job->input = parent->input;
	job->unpacked = parent->unpacked;
	job->progress = parent->progress;
	job->listener = parent->listener;
	return job;
}

void ck_base_job_free(ck_job *job)
{
	if (!job)
		return;
	for (struct ck_closer *closer = job->closers; closer; closer = closer->older)
		closer->close(closer->arg);
	while (job->arena.chunk) {
		struct ck_chunk *chunk = job->arena.chunk;
		job->arena.chunk = chunk->older;
		free(chunk);
	}
	pthread_mutex_destroy(&job->lock);
	free(job);
}

static struct ck_chunk *chunk_new(ck_job *job, size_t size)
{
	struct ck_chunk *now = job->arena.chunk;
	size_t want = now ? now->size * 2 : CHUNK_MIN;
	if (want > CHUNK_MAX)
		want = CHUNK_MAX;
	if (want < size)
		want = size;
	uint64_t held;
	if (!ck_add(job->arena.held, want, &held) || held > job->limits.heap) {
		ck_fail_limit(job, "", "heap");
		return NULL;
	}
	/* calloc: big chunks come from the kernel, which hands out zeroed pages anyway */
	struct ck_chunk *chunk = calloc(1, sizeof *chunk + want);
	if (!chunk) {
		ck_fail_nomem(job);
		return NULL;
	}
	chunk->size = want;
	chunk->older = now;
	job->arena.chunk = chunk;
	job->arena.held = held;
	return chunk;
}

void *ck_alloc(ck_job *job, size_t size)
{
	if (size > SIZE_MAX / 4) {
		ck_fail_nomem(job);
		return NULL;
	}
	size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	struct ck_chunk *chunk = job->arena.chunk;
	if (!chunk || chunk->size - chunk->used < size) {
		chunk = chunk_new(job, size);
		if (!chunk)
			return NULL;
	}
	chunk->last = chunk->used;
	chunk->used += size;
	return chunk->data + chunk->last;
}

void *ck_alloc_array(ck_job *job, size_t count, size_t size)
{
	uint64_t bytes;
	if (!ck_mul(count, size, &bytes) || bytes > SIZE_MAX) {
		ck_fail_nomem(job);
		return NULL;
	}
	return ck_alloc(job, (size_t)bytes);
}

char *ck_copy(ck_job *job, const void *data, size_t len)
{
	char *copy = ck_alloc(job, len + 1);
	if (copy && len)
		memcpy(copy, data, len);
	return copy;
}

/* Grows the newest allocation where it stands, if it is `items` and there is room. */
static bool grow_in_place(ck_job *job, const void *items, size_t size)
{
	struct ck_chunk *chunk = job->arena.chunk;
	size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (!chunk || items != chunk->data + chunk->last || chunk->size - chunk->last < size)
		return false;
	chunk->used = chunk->last + size;
	return true;
}

void *ck_grow(ck_job *job, void *items, size_t *cap, size_t need, size_t size)
{
	if (need <= *cap)
		return items;
	size_t want = *cap ? *cap : 4;
	while (want < need) {
		if (want > SIZE_MAX / 2) {
			ck_fail_nomem(job);
			return NULL;
		}
		want *= 2;
	}
	uint64_t bytes;
	if (!ck_mul(want, size, &bytes) || bytes > SIZE_MAX / 4) {
		ck_fail_nomem(job);
		return NULL;
	}
	if (*cap && grow_in_place(job, items, (size_t)bytes)) {
		*cap = want;
		return items;
	}
	void *grown = ck_alloc(job, (size_t)bytes);
	if (!grown)
		return NULL;
	if (*cap)
		memcpy(grown, items, *cap * size);
	*cap = want;
	return grown;
}

ck_mark ck_arena_mark(const ck_job *job)
{
	struct ck_chunk *chunk = job->arena.chunk;
	return (ck_mark){chunk, chunk ? chunk->used : 0};
}

void ck_arena_release(ck_job *job, ck_mark mark)
{
	while (job->arena.chunk != mark.chunk) {
		struct ck_chunk *chunk = job->arena.chunk;
		job->arena.chunk = chunk->older;
		job->arena.held -= chunk->size;
		free(chunk);
	}
	if (!mark.chunk)
		return;
	memset(mark.chunk->data + mark.used, 0, mark.chunk->used - mark.used);
	mark.chunk->used = mark.used;
	mark.chunk->last = mark.used; /* nothing before the mark may grow in place any more */
}

bool ck_defer(ck_job *job, void (*close)(void *), void *arg)
{
	struct ck_closer *closer = ck_alloc(job, sizeof *closer);
	if (!closer) {
		close(arg);
		return false;
	}
	*closer = (struct ck_closer){job->closers, close, arg};
	job->closers = closer;
	return true;
}
