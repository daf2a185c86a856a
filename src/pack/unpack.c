/* Packed files: which packing one has, and its bytes as a source, with the limits of unpacking. */
#include "pack.h"

#include <string.h>

/* No honest file of a model, but honest tests and empty tensors, pack by more than `ratio`: so much
 * may come out of anything. */
static const uint64_t RATIO_FREE = UINT64_C(64) << 20;

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

typedef struct {
	const ck_packing *packing;
	const ck_source *packed;
	const ck_sink *sink;
	uint64_t made, ratio_most;
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
	return u->sink->take(job, u->sink->arg, data, len);
}

static bool run(ck_job *job, const ck_stream *stream, const ck_sink *sink)
{
	unpacking u = *(const unpacking *)stream->arg;
	u.sink = sink;
	return u.packing->run(job, u.packed, &(ck_sink){count, &u});
}

static const char *label_of(ck_job *job, const ck_packing *packing, const ck_source *packed)
{
	ck_text text = {0};
	return ck_text_add(job, &text, packed->label, strlen(packed->label)) &&
	       ck_text_addf(job, &text, " (unpacked by %s)", packing->name) &&
	       ck_text_add(job, &text, "", 1) ? text.data : NULL;
}

const ck_source *ck_unpack(ck_job *job, const ck_packing *packing, const ck_source *packed)
{
	unpacking u = {.packing = packing, .packed = packed};
	if (!ck_mul(packed->size, job->limits.ratio, &u.ratio_most) ||
	    !ck_add(u.ratio_most, RATIO_FREE, &u.ratio_most))
		u.ratio_most = UINT64_MAX;
	const char *label = label_of(job, packing, packed);
	const ck_stream stream = {run, label, CK_SIZE_UNKNOWN, &u};
	return label ? ck_stream_spill(job, &stream) : NULL;
}
