/* Packed files: which packing one has, and its bytes as a source, with the limits of unpacking. */
#include "packing.h"

#include <string.h>

/* No honest file of a model, but honest tests and empty tensors, pack by more than `ratio`: so much
 * may come out of anything. */
static const uint64_t RATIO_FREE = UINT64_C(64) << 20, RATIO_FREE_IN_ALL = UINT64_C(256) << 20;

static const ck_packing *const packings[] = {
	&ck_packing_gzip, &ck_packing_bzip2, &ck_packing_xz, &ck_packing_lzma, &ck_packing_zlib,
};

const ck_packing *ck_packing_find(const unsigned char *head, size_t len)
{
	for (size_t i = 0; i < CK_COUNT(packings); i++)
		if (packings[i]->probe(head, len))
			return packings[i];
	return NULL;
}

/* How much may come out of so many bytes. */
static uint64_t most_of(const ck_job *job, uint64_t packed, uint64_t free)
{
	uint64_t most;
	return ck_mul(packed, job->limits.ratio, &most) && ck_add(most, free, &most) ? most
	                                                                             : UINT64_MAX;
}

uint64_t ck_unpack_most(const ck_job *job, uint64_t packed)
{
	return most_of(job, packed, RATIO_FREE);
}

uint64_t ck_unpack_most_in_all(const ck_job *job)
{
	return most_of(job, job->input, RATIO_FREE_IN_ALL);
}

bool ck_unpack_count(ck_job *job, const char *label, uint64_t len)
{
	return (ck_add(job->unpacked, len, &job->unpacked) &&
	        job->unpacked <= ck_unpack_most_in_all(job)) ||
	       ck_fail_limit(job, label, "ratio");
}

typedef struct {
	const ck_packing *packing;
	const ck_source *packed;
	const ck_sink *sink;
	uint64_t made, ratio_most;
	bool loosely;
} unpacking;

static bool count(ck_job *job, void *arg, const void *data, size_t len)
{
	unpacking *u = arg;
	const char *label = u->packed->label;
	u->made += len;
	if (!ck_within(job, label, inflated, u->made))
		return false;
	if (u->made > u->ratio_most)
		return ck_fail_limit(job, label, "ratio");
	return ck_unpack_count(job, label, len) && u->sink->take(job, u->sink->arg, data, len);
}

static bool run(ck_job *job, const ck_stream *stream, const ck_sink *sink)
{
	unpacking u = *(const unpacking *)stream->arg;
	u.sink = sink;
	return (u.loosely ? ck_codec_run_loosely : ck_codec_run)(job, u.packing->codec, u.packed,
	                                                         &(ck_sink){count, &u});
}

static const char *label_of(ck_job *job, const ck_packing *packing, const ck_source *packed)
{
	ck_text text = {0};
	return ck_text_add(job, &text, packed->label, strlen(packed->label)) &&
	       ck_text_addf(job, &text, " (unpacked by %s)", packing->name) &&
	       ck_text_add(job, &text, "", 1) ? text.data : NULL;
}

static const ck_source *unpack_part(ck_job *job, const ck_packing *packing,
                                    const ck_source *packed, bool loosely, bool *whole)
{
	unpacking u = {.packing = packing, .packed = packed, .loosely = loosely,
	               .ratio_most = ck_unpack_most(job, packed->size)};
	const char *label = label_of(job, packing, packed);
	const ck_stream stream = {run, label, CK_SIZE_UNKNOWN, &u};
	*whole = false;
	return label ? ck_stream_spill_part(job, &stream, whole) : NULL;
}

const ck_source *ck_unpack_part(ck_job *job, const ck_packing *packing, const ck_source *packed,
                                bool *whole)
{
	return unpack_part(job, packing, packed, false, whole);
}

const ck_source *ck_unpack_loosely(ck_job *job, const ck_packing *packing, const ck_source *packed)
{
	bool whole;
	return unpack_part(job, packing, packed, true, &whole);
}

const ck_source *ck_unpack(ck_job *job, const ck_packing *packing, const ck_source *packed)
{
	bool whole;
	const ck_source *source = ck_unpack_part(job, packing, packed, &whole);
	return whole ? source : NULL;
}

const ck_source *ck_member_spill(ck_job *job, const ck_archive *archive, ck_member *member)
{
	const ck_stream *stream = ck_member_stream(job, archive, member);
	return stream && ck_unpack_count(job, stream->label, stream->size)
	               ? ck_stream_spill(job, stream) : NULL;
}
