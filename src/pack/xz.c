/* xz files of one or more streams, and .lzma files, by liblzma. */
#include "packing.h"

#include <lzma.h>
#include <stdlib.h>
#include <string.h>

enum {
	ALONE_HEADER = 13,       /* properties, u32 size of the dictionary, u64 size unpacked */
	ALONE_SIZE_BITS = 38,    /* what xz, too, takes for the largest size that is meant */
	DICTIONARY_AT = 1,
	DICTIONARY_LEAST = 4 << 10,
	UNPACKED_MOST = 8192,    /* of one byte of LZMA come 7090, if all probabilities are best */
};

/* A larger dictionary is not asked for, but where the limit of memory is larger. */
static const uint64_t DICTIONARY_MOST = (UINT64_C(1) << 30) + (4 << 20);

typedef struct {
	lzma_stream z;
	bool told;
	bool chosen; /* of those who read on: which decoder it is */
	bool headed; /* .lzma: its header was passed on */
} unxz;

static uint64_t memory_left(const ck_job *job)
{
	uint64_t heap = job->limits.heap, held = job->arena.held;
	return heap > held ? heap - held : 0;
}

/* The dictionary is as large as the file says: "xz -9" says 64 MiB for the smallest of files. It
 * takes memory only as far as it is filled, which is looked at when it is. */
static uint64_t memory_most(const ck_job *job)
{
	const uint64_t left = memory_left(job);
	return left > DICTIONARY_MOST ? left : DICTIONARY_MOST;
}

static bool is_too_large(const unxz *x, const ck_job *job)
{
	const uint64_t left = job ? memory_left(job) : UINT64_MAX;
	return x->z.total_out > left && lzma_memusage(&x->z) > left;
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
	return x ? begun(x, lzma_stream_decoder(&x->z, memory_most(job),
	                                        LZMA_CONCATENATED | LZMA_TELL_NO_CHECK |
	                                                LZMA_TELL_UNSUPPORTED_CHECK))
	         : NULL;
}

/* Without a job: to try out a head, whose dictionary is small. */
static void *begin_alone(ck_job *job)
{
	unxz *x = calloc(1, sizeof *x);
	return x ? begun(x, lzma_alone_decoder(&x->z, job ? memory_most(job) : 1 << 20)) : NULL;
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
	if (is_too_large(x, flow->job))
		return CK_STEP_HEAP;
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

static uint64_t little_endian(const unsigned char *bytes, size_t len)
{
	uint64_t value = 0;
	while (len--)
		value = value << 8 | bytes[len];
	return value;
}

static void put_dictionary(unsigned char *head, uint32_t size)
{
	for (size_t i = 0; i < 4; i++)
		head[DICTIONARY_AT + i] = (unsigned char)(size >> 8 * i);
}

/* The header of .lzma, by hand: it may be numbers in which there is the size of a dictionary that
 * no memory holds. More than what can come out at all is never looked back to. */
static ck_step pass_header(unxz *x, ck_flow *flow)
{
	unsigned char head[ALONE_HEADER];
	uint64_t most;
	ck_flow first = *flow;
	memcpy(head, flow->in, sizeof head);
	if (!ck_mul(flow->packed, UNPACKED_MOST, &most) || most > UINT32_MAX)
		most = UINT32_MAX;
	if (most < DICTIONARY_LEAST)
		most = DICTIONARY_LEAST;
	if (little_endian(head + DICTIONARY_AT, 4) > most)
		put_dictionary(head, (uint32_t)most);
	first.in = head;
	first.in_left = sizeof head;
	first.last = false;
	ck_step result = step(x, &first);
	flow->in += sizeof head - first.in_left;
	flow->in_left -= sizeof head - first.in_left;
	flow->why = first.why;
	return result;
}

static ck_step step_alone(void *state, ck_flow *flow)
{
	unxz *x = state;
	ck_step result = CK_STEP_ON;
	if (!x->headed && flow->packed && flow->in_left >= ALONE_HEADER)
		result = pass_header(x, flow);
	x->headed = true;
	return result == CK_STEP_ON ? step(x, flow) : result;
}

static void end(void *state)
{
	unxz *x = state;
	lzma_end(&x->z);
	free(x);
}

static void *begin_either(ck_job *job)
{
	(void)job;
	return calloc(1, sizeof(unxz));
}

/* As Python does, which takes either behind the other. Where it is to find out the format, it takes
 * .lzma with dictionaries as writers make them only, where it was told, of all sizes: so does this.
 * None but xz and lzip begin with a byte that no .lzma begins with. */
static ck_step step_either(void *state, ck_flow *flow)
{
	enum { XZ = 0xfd, LZIP = 'L' };
	unxz *x = state;
	if (!x->chosen && flow->in_left) {
		const uint64_t most = memory_most(flow->job);
		const bool named = *flow->in == XZ || *flow->in == LZIP;
		lzma_ret result = named ? lzma_auto_decoder(&x->z, most, LZMA_IGNORE_CHECK)
		                        : lzma_alone_decoder(&x->z, most);
		if (result != LZMA_OK)
			return CK_STEP_NOMEM;
		x->chosen = true;
		x->headed = named;
	}
	return x->chosen ? step_alone(x, flow) : CK_STEP_ON;
}

static const ck_codec either = {.name = "xz or lzma", .begin = begin_either, .step = step_either,
                                .end = end};
/* liblzma itself goes from stream to stream of an xz file, and checks the padding between them. */
static const ck_codec xz = {.name = "xz", .begin = begin_xz, .step = step, .end = end,
                            .loose = &either};
static const ck_codec alone = {.name = "lzma", .begin = begin_alone, .step = step_alone,
                               .end = end, .loose = &either};

static bool probe_xz(const unsigned char *head, size_t len)
{
	return len >= 6 && !memcmp(head, "\xfd" "7zXZ\0", 6);
}

/* Every writer makes dictionaries of 2^n or 2^n + 2^(n-1) bytes, or of all there can be. */
static bool is_dictionary(uint64_t size)
{
	if (size == UINT32_MAX)
		return true;
	uint64_t rest = size & (size - 1); /* without the lowest bit that is set */
	return size && (!rest || (size - rest == rest / 2 && !(rest & (rest - 1))));
}

/* These two bytes are all by which joblib knows .lzma: then any dictionary will do. */
static bool is_joblibs(const unsigned char *head)
{
	return head[0] == 0x5d && !head[1];
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
	if (pb > 4 || lc + lp > 4 ||
	    (!is_dictionary(little_endian(head + DICTIONARY_AT, 4)) && !is_joblibs(head)) ||
	    (size != UINT64_MAX && size >> ALONE_SIZE_BITS))
		return false;
	size_t take = len < sizeof trial ? len : sizeof trial;
	memcpy(trial, head, take);
	put_dictionary(trial, DICTIONARY_LEAST);
	return ck_codec_tries(&alone, trial, take);
}

const ck_packing ck_packing_xz = {"xz", "xz files", probe_xz, &xz};
const ck_packing ck_packing_lzma = {"lzma", ".lzma files", probe_alone, &alone};
