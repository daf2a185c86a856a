/* bzip2 files of one or more streams, by libbz2. */
#include "packing.h"

#include <bzlib.h>
#include <stdlib.h>
#include <string.h>

static void *begin(ck_job *job)
{
	(void)job; /* 4 MB at most */
	bz_stream *b = calloc(1, sizeof *b);
	if (b && BZ2_bzDecompressInit(b, 0, 0) != BZ_OK) {
		free(b);
		b = NULL;
	}
	return b;
}

static ck_step step(void *state, ck_flow *flow)
{
	bz_stream *b = state;
	b->next_in = (char *)(uintptr_t)flow->in; /* libbz2 knows no const */
	b->avail_in = (unsigned)flow->in_left;
	b->next_out = (char *)flow->out;
	b->avail_out = (unsigned)flow->out_left;
	int result = BZ2_bzDecompress(b);
	flow->in += flow->in_left - b->avail_in;
	flow->in_left = b->avail_in;
	flow->out += flow->out_left - b->avail_out;
	flow->out_left = b->avail_out;
	switch (result) {
	case BZ_OK:
		return CK_STEP_ON;
	case BZ_STREAM_END:
		return CK_STEP_END;
	case BZ_MEM_ERROR:
		return CK_STEP_NOMEM;
	case BZ_DATA_ERROR:
		flow->why = "a checksum or a code in it is wrong";
		return CK_STEP_DAMAGED;
	default:
		return CK_STEP_DAMAGED;
	}
}

static void end(void *state)
{
	BZ2_bzDecompressEnd(state);
	free(state);
}

static const ck_codec bzip2 = {.name = "bzip2", .begin = begin, .step = step, .end = end,
                               .again = "BZh"};

/* "BZh", the size of blocks, and the magic number of a block, or of the end if there are none. */
static bool probe(const unsigned char *head, size_t len)
{
	return len >= 10 && !memcmp(head, "BZh", 3) && head[3] >= '1' && head[3] <= '9' &&
	       (!memcmp(head + 4, "\x31\x41\x59\x26\x53\x59", 6) ||
	        !memcmp(head + 4, "\x17\x72\x45\x38\x50\x90", 6));
}

const ck_packing ck_packing_bzip2 = {"bzip2", "bzip2 files", probe, &bzip2};
