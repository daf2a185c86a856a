/* A job's memory: one arena that only grows, and a list of things to close when the job ends. */
#include "block.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* What is open of a chunk is smaller than a block, so that no block can lie in one. */
enum {
	CHUNK_MAX = CK_BLOCK_MIN - CK_ALIGN,
	CHUNK_MIN = CHUNK_MAX / 32 / CK_ALIGN * CK_ALIGN,
	CHUNK_PAGES = CHUNK_MAX / 4, /* smaller ones are no pages of their own: a scan has a job for
	                              * each member of an archive */
	SMALL = 1 << 20, /* a job that holds more will soon need another chunk */
	LARGE = 16 << 20 /* and here many */
};

struct ck_chunk {
	struct ck_chunk *older;
	unsigned char *end;
	bool is_pages;
	_Alignas(CK_ALIGN) unsigned char data[];
};

struct ck_closer {
	struct ck_closer *older;
	void (*close)(void *);
	void *arg;
};

static void chunk_free(struct ck_chunk *chunk)
{
	if (chunk->is_pages)
		ck_pages_free(chunk, (size_t)(chunk->end - (unsigned char *)chunk));
	else
		free(chunk);
}

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
	job->heap_given = parent->heap_given;
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
	ck_block_free_from(job, 0);
	if (job->arena.spare)
		chunk_free(job->arena.spare);
	while (job->arena.chunk) {
		struct ck_chunk *chunk = job->arena.chunk;
		job->arena.chunk = chunk->older;
		chunk_free(chunk);
	}
	pthread_mutex_destroy(&job->lock);
	free(job);
}

/* Opens more of the newest chunk; false if that is not enough. */
static bool chunk_open(ck_job *job, size_t size)
{
	ck_arena *arena = &job->arena;
	if (!arena->chunk)
		return false;
	size_t left = (size_t)(arena->chunk->end - arena->next);
	if (left < size)
		return false;
	arena->end = arena->next + (left < CHUNK_MAX ? left : CHUNK_MAX);
	return true;
}

/* Where a job is large, so are its chunks. False: it is small, or near its limit. */
static bool chunk_huge(ck_job *job)
{
	ck_arena *arena = &job->arena;
	size_t want = CK_HUGE - sizeof(struct ck_chunk);
	if (CK_SANITIZED || arena->held < LARGE || want > job->limits.heap - arena->held)
		return false;
	struct ck_chunk *chunk = arena->spare ? arena->spare : ck_pages_huge();
	arena->spare = NULL;
	if (!chunk)
		return false;
	chunk->is_pages = true;
	chunk->end = chunk->data + want;
	chunk->older = arena->chunk;
	arena->chunk = chunk;
	arena->next = arena->end = chunk->data;
	arena->held += want;
	return true;
}

/* Makes the newest chunk one that has room for `size` bytes. */
static bool chunk_new(ck_job *job, size_t size)
{
	struct ck_chunk *now = job->arena.chunk;
	size_t want = now ? (size_t)(now->end - now->data) * 2 : CHUNK_MIN;
	if (want > CHUNK_MAX)
		want = CHUNK_MAX;
	if (want < size)
		want = size;
	uint64_t held;
	if (!ck_add(job->arena.held, want, &held) || held > job->limits.heap)
		return ck_fail_limit(job, "", "heap");
	bool pages = want > CHUNK_PAGES;
	struct ck_chunk *chunk = pages ? ck_pages_new(sizeof *chunk + want,
	                                              job->arena.held > SMALL)
	                               : calloc(1, sizeof *chunk + want);
	if (!chunk)
		return ck_fail_nomem(job);
	chunk->is_pages = pages;
	chunk->end = chunk->data + want;
	chunk->older = now;
	job->arena.chunk = chunk;
	job->arena.next = chunk->data;
	job->arena.end = chunk->end;
	job->arena.held = held;
	return true;
}

void *ck_alloc_more(ck_job *job, size_t size)
{
	if (size > SIZE_MAX / 4) {
		ck_fail_nomem(job);
		return NULL;
	}
	if (ck_is_block(size))
		return ck_block_new(job, size);
	size = CK_ALIGNED(size);
	bool room = chunk_open(job, size) || (chunk_huge(job) && chunk_open(job, size)) ||
	            chunk_new(job, size);
	return room ? ck_alloc(job, size) : NULL;
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
	ck_arena *arena = &job->arena;
	if (items != arena->last || (size_t)(arena->end - arena->last) < CK_ALIGNED(size))
		return false;
	arena->next = arena->last + CK_ALIGNED(size);
	return true;
}

void ck_give_back(ck_job *job, void *items, size_t bytes)
{
	if (items && ck_is_block(bytes))
		ck_block_free(job, items);
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
	void *grown;
	bool was_block = *cap && ck_is_block(*cap * size);
	if (was_block)
		grown = ck_block_grow(job, items, (size_t)bytes);
	else if (*cap && !ck_is_block((size_t)bytes) && grow_in_place(job, items, (size_t)bytes))
		grown = items;
	else
		grown = ck_alloc(job, (size_t)bytes);
	if (!grown)
		return NULL;
	if (grown != items && *cap && !was_block)
		memcpy(grown, items, *cap * size);
	*cap = want;
	return grown;
}

ck_mark ck_arena_mark(const ck_job *job)
{
	return (ck_mark){job->arena.chunk, job->arena.blocks, job->arena.next};
}

/* Frees the newest chunk. A huge one is kept: where it begins, marks may come and go. */
static void chunk_close(ck_job *job)
{
	ck_arena *arena = &job->arena;
	struct ck_chunk *chunk = arena->chunk;
	size_t size = (size_t)(chunk->end - chunk->data);
	arena->chunk = chunk->older;
	arena->held -= size;
	if (size > CHUNK_MAX && !arena->spare) {
		memset(chunk->data, 0, (size_t)(arena->next - chunk->data));
		arena->spare = chunk;
	} else {
		chunk_free(chunk);
	}
	/* what lies behind an older mark was used while this chunk was the newest */
	arena->next = arena->end = arena->chunk ? arena->chunk->end : NULL;
}

void ck_arena_release(ck_job *job, ck_mark mark)
{
	ck_arena *arena = &job->arena;
	ck_block_free_from(job, mark.blocks);
	while (arena->chunk != mark.chunk)
		chunk_close(job);
	if (mark.next)
		memset(mark.next, 0, (size_t)(arena->next - mark.next));
	arena->next = arena->end = mark.next;
	chunk_open(job, 0);
	arena->last = NULL; /* nothing before the mark may grow in place any more */
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
