/* Inside the ground floor: the arena's big blocks. All are zeroed, also what they grow by, and
 * aligned to 16 bytes. */
#ifndef CK_BLOCK_H
#define CK_BLOCK_H

#include "base.h"

#if defined(__SANITIZE_ADDRESS__)
#define CK_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CK_SANITIZED 1
#endif
#endif
#ifndef CK_SANITIZED
#define CK_SANITIZED 0
#endif

/* Allocations from this size on are blocks. Under a sanitizer that is small, so that a use of what
 * has moved shows. */
enum { CK_BLOCK_MIN = CK_SANITIZED ? 1 << 10 : (256 << 10) - 64 };

static inline bool ck_is_block(size_t bytes)
{
	return CK_ALIGNED(bytes) >= CK_BLOCK_MIN;
}

/* Zeroed pages that belong to nobody yet; `soon`: all of them will be used, so that fetching them at
 * once is faster. NULL if there are none. */
void *ck_pages_new(size_t size, bool soon);
void ck_pages_free(void *pages, size_t size);

/* NULL after a failure. */
void *ck_block_new(ck_job *job, size_t size);
/* A block of more bytes with what this one holds, which is gone afterwards. */
void *ck_block_grow(ck_job *job, void *data, size_t size);
void ck_block_free(ck_job *job, void *data);
/* Frees all blocks but the first `number` that were made. */
void ck_block_free_from(ck_job *job, size_t number);

#endif
