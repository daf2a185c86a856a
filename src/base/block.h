/* Inside the ground floor: the arena's big blocks. All are zeroed, also what they grow by, and
 * aligned to 16 bytes. */
#ifndef CK_BLOCK_H
#define CK_BLOCK_H

#include "base.h"

static inline bool ck_is_block(size_t bytes)
{
	return CK_ALIGNED(bytes) >= CK_BLOCK_MIN;
}

/* The size of the pages that a job with much memory asks for: one instead of 512 small ones. */
enum { CK_HUGE = 2 << 20 };

/* Zeroed pages that belong to nobody yet; `soon`: all of them will be used, so that fetching them
 * at once is faster. NULL if there are none. */
void *ck_pages_new(size_t size, bool soon);
/* CK_HUGE bytes, as one page if the system can, which will be used at once. */
void *ck_pages_huge(void);
void ck_pages_free(void *pages, size_t size);

/* NULL after a failure. */
void *ck_block_new(ck_job *job, size_t size);
/* A block of more bytes with what this one holds, which is gone afterwards. */
void *ck_block_grow(ck_job *job, void *data, size_t size);
void ck_block_free(ck_job *job, void *data);
/* Frees all blocks but the first `number` that were made. */
void ck_block_free_from(ck_job *job, size_t number);

#endif
