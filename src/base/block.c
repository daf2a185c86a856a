/* Big blocks of a job's memory: each is mapped by itself, so that it can grow, perhaps elsewhere,
 * without leaving its old self behind in the arena. */
#include "block.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct ck_block {
	struct ck_block *older, *newer;
	size_t size; /* with this head */
	size_t number; /* blocks are numbered as they are made; one that moves keeps its number */
};

/* Sanitizers see a use of memory that is gone only if it came from malloc. */
#if CK_SANITIZED
void *ck_pages_new(size_t size, bool soon)
{
	(void)soon;
	return calloc(1, size);
}

void *ck_pages_huge(void)
{
	return calloc(1, CK_HUGE);
}

void ck_pages_free(void *pages, size_t size)
{
	(void)size;
	free(pages);
}

static struct ck_block *remap(struct ck_block *block, size_t size)
{
	struct ck_block *moved = calloc(1, size);
	if (!moved)
		return NULL;
	memcpy(moved, block, block->size);
	free(block);
	return moved;
}

#else
void *ck_pages_new(size_t size, bool soon)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | (soon ? MAP_POPULATE : 0);
	void *got = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);
	return got == MAP_FAILED ? NULL : got;
}

/* Only what lies at a multiple of its size can be one page. */
void *ck_pages_huge(void)
{
	unsigned char *got = ck_pages_new(2 * (size_t)CK_HUGE, false);
	if (!got)
		return NULL;
	size_t before = -(uintptr_t)got % CK_HUGE;
	if (before)
		munmap(got, before);
	if (before < CK_HUGE)
		munmap(got + before + CK_HUGE, CK_HUGE - before);
	madvise(got + before, CK_HUGE, MADV_HUGEPAGE);
#ifdef MADV_POPULATE_WRITE
	madvise(got + before, CK_HUGE, MADV_POPULATE_WRITE);
#endif
	return got + before;
}

void ck_pages_free(void *pages, size_t size)
{
	munmap(pages, size);
}

static struct ck_block *remap(struct ck_block *block, size_t size)
{
	void *got = mremap(block, block->size, size, MREMAP_MAYMOVE);
	return got == MAP_FAILED ? NULL : got;
}
#endif

/* Accounts for `more` bytes; false if that is over the limit. */
static bool hold(ck_job *job, size_t more)
{
	uint64_t held;
	if (!ck_add(job->arena.held, more, &held) || held > job->limits.heap)
		return ck_fail_limit(job, "", "heap");
	job->arena.held = held;
	return true;
}

/* Its neighbours and the arena point to where it is now. */
static void link_up(ck_job *job, struct ck_block *block)
{
	if (block->older)
		block->older->newer = block;
	if (block->newer)
		block->newer->older = block;
	else
		job->arena.block = block;
}

void *ck_block_new(ck_job *job, size_t size)
{
	size += sizeof(struct ck_block);
	if (!hold(job, size))
		return NULL;
	struct ck_block *block = ck_pages_new(size, false);
	if (!block) {
		job->arena.held -= size;
		ck_fail_nomem(job);
		return NULL;
	}
	*block = (struct ck_block){.older = job->arena.block, .size = size,
	                           .number = ++job->arena.blocks};
	link_up(job, block);
	return block + 1;
}

void *ck_block_grow(ck_job *job, void *data, size_t size)
{
	struct ck_block *block = (struct ck_block *)data - 1;
	size += sizeof *block;
	size_t more = size - block->size;
	if (!hold(job, more))
		return NULL;
	struct ck_block *grown = remap(block, size);
	if (!grown) {
		job->arena.held -= more;
		ck_fail_nomem(job);
		return NULL;
	}
	grown->size = size;
	link_up(job, grown);
	return grown + 1;
}

void ck_block_free(ck_job *job, void *data)
{
	struct ck_block *block = (struct ck_block *)data - 1;
	job->arena.held -= block->size;
	if (block->older)
		block->older->newer = block->newer;
	if (block->newer)
		block->newer->older = block->older;
	else
		job->arena.block = block->older;
	ck_pages_free(block, block->size);
}

void ck_block_free_from(ck_job *job, size_t number)
{
	while (job->arena.block && job->arena.block->number > number)
		ck_block_free(job, job->arena.block + 1);
}
