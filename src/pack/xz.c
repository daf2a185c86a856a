/* xz files of one or more streams, and .lzma files, by liblzma. */
#include "packing.h"

#include <lzma.h>
#include <stdlib.h>
#include <string.h>

enum {
	ALONE_HEADER = 13,       /* properties, u32 size of the dictionary, u64 size unpacked */
	ALONE_TRIAL = 4 << 10,   /* a dictionary that any memory holds */
	ALONE_SIZE_BITS = 38,    /* what xz, too, takes for the largest size that is meant */
};

typedef struct {
	lzma_stream z;
	bool told;
} unxz;

/* The dictionary is as large as the file says, up to the limit (liblzma's limits begin at 1). */
static uint64_t memory_left(const ck_job *job)
{
	uint64_t heap = job->limits.heap, held = job->arena.held;
	return heap > held ? heap - held : 1;
}

static void *begun(unxz *x, lzma_ret result)
{
	if (result == LZMA_OK)
		return x;
	lzma_end(&x->z);
	free(x);
	return NULL;
}

static void *begin_xz(ck_job *job)
{
	unxz *x = calloc(1, sizeof *x);
	return x ? begun(x, lzma_stream_decoder(&x->z, memory_left(job),
	                                        LZMA_CONCATENATED | LZMA_TELL_NO_CHECK |
	                                                LZMA_TELL_UNSUPPORTED_CHECK))
	         : NULL;
}

/* Without a job: to try out a head, whose dictionary is small. */
static void *begin_alone(ck_job *job)
{
	unxz *x = calloc(1, sizeof *x);
	return x ? begun(x, lzma_alone_decoder(&x->z, job ? memory_left(job) : 1 << 20)) : NULL;
}

static ck_step no_check(unxz *x, const ck_flow *flow)
{
	if (!x->told)
		ck_note(flow->job, "'%s' carries no checksum and could not be verified",
		        ck_show(flow->label, strlen(flow->label)).s);
	x->told = true;
	return CK_STEP_ON;
}

static ck_step step(void *state, ck_flow *flow)
{
	unxz *x = state;
	x->z.next_in = flow->in;
	x->z.avail_in = flow->in_left;
	x->z.next_out = flow->out;
	x->z.avail_out = flow->out_left;
	lzma_ret result = lzma_code(&x->z, flow->last ? LZMA_FINISH : LZMA_RUN);
	flow->in = x->z.next_in;
	flow->in_left = x->z.avail_in;
	flow->out = x->z.next_out;
	flow->out_left = x->z.avail_out;
	switch (result) {
	case LZMA_OK:
	case LZMA_BUF_ERROR:
		return CK_STEP_ON;
	case LZMA_STREAM_END:
		return CK_STEP_END;
	case LZMA_NO_CHECK:
		return no_check(x, flow);
	case LZMA_UNSUPPORTED_CHECK:
		flow->why = "its kind of checksum";
		return CK_STEP_UNKNOWN;
	case LZMA_OPTIONS_ERROR:
		flow->why = "its filters or options";
		return CK_STEP_UNKNOWN;
	case LZMA_MEMLIMIT_ERROR:
		return CK_STEP_HEAP;
	case LZMA_MEM_ERROR:
		return CK_STEP_NOMEM;
	case LZMA_DATA_ERROR:
		flow->why = "a checksum or a code in it is wrong, or other bytes follow it";
		return CK_STEP_DAMAGED;
	default:
		return CK_STEP_DAMAGED;
	}
}

static void end(void *state)
{
	unxz *x = state;
	lzma_end(&x->z);
	free(x);
}

static void *begin_unchecked(ck_job *job)
{
	unxz *x = calloc(1, sizeof *x);
	return x ? begun(x, lzma_stream_decoder(&x->z, memory_left(job), LZMA_IGNORE_CHECK)) : NULL;
}

static const ck_codec unchecked = {.name = "xz", .begin = begin_unchecked, .step = step,
                                   .end = end};
/* liblzma itself goes from stream to stream of an xz file, and checks the padding between them. */
static const ck_codec xz = {.name = "xz", .begin = begin_xz, .step = step, .end = end,
                            .loose = &unchecked};
static const ck_codec alone = {.name = "lzma", .begin = begin_alone, .step = step, .end = end};

static bool probe_xz(const unsigned char *head, size_t len)
{
	return len >= 6 && !memcmp(head, "\xfd" "7zXZ\0", 6);
}

static uint64_t little_endian(const unsigned char *bytes, size_t len)
{
	uint64_t value = 0;
	while (len--)
		value = value << 8 | bytes[len];
	return value;
}

/* Every writer makes dictionaries of 2^n or 2^n + 2^(n-1) bytes, or of all there can be. */
static bool is_dictionary(uint64_t size)
{
	if (size == UINT32_MAX)
		return true;
	uint64_t rest = size & (size - 1); /* without the lowest bit that is set */
	return size && (!rest || (size - rest == rest / 2 && !(rest & (rest - 1))));
}

/* .lzma has no magic number: its header must be one that is in use, and what follows must unpack.
 * The dictionary of the trial is small, because so many bytes will not be made. */
static bool probe_alone(const unsigned char *head, size_t len)
{
	unsigned char trial[1024];
	if (len <= ALONE_HEADER)
		return false;
	unsigned lc = head[0] % 9, lp = head[0] / 9 % 5, pb = head[0] / 45;
	uint64_t size = little_endian(head + 5, 8);
	if (pb > 4 || lc + lp > 4 || !is_dictionary(little_endian(head + 1, 4)) ||
	    (size != UINT64_MAX && size >> ALONE_SIZE_BITS))
		return false;
	size_t take = len < sizeof trial ? len : sizeof trial;
	memcpy(trial, head, take);
	for (size_t i = 0; i < 4; i++)
		trial[1 + i] = (unsigned char)((uint32_t)ALONE_TRIAL >> 8 * i);
	return ck_codec_tries(&alone, trial, take);
}

const ck_packing ck_packing_xz = {"xz", "xz files", probe_xz, &xz};
const ck_packing ck_packing_lzma = {"lzma", ".lzma files", probe_alone, &alone};
