/* Any bytes as a packed file: as what its first bytes say, or as one of the packings in turn. */
#include "fuzz.h"
#include "packing.h"

enum { UNPACKED_MAX = 1 << 20 };

static bool count_bytes(ck_job *job, void *arg, const void *data, size_t len)
{
	uint64_t *made = arg;
	(void)data;
	*made += len;
	return *made <= UNPACKED_MAX || ck_fail(job, CK_LIMIT, "fuzz", "enough");
}

static bool unpack(ck_job *job, const ck_source *source)
{
	static const ck_packing *const packings[] = {
		&ck_packing_gzip, &ck_packing_zlib, &ck_packing_bzip2, &ck_packing_xz,
		&ck_packing_lzma,
	};
	uint64_t made = 0;
	size_t which = (size_t)(source->size % CK_COUNT(packings)); /* for what no probe lets in */
	const ck_packing *found = ck_packing_find(source->data, (size_t)source->size);
	if (!found) {
		bool follows;
		const ck_sink sink = {count_bytes, &made};
		return source->size % 2 ? ck_codec_run(job, packings[which]->codec, source, &sink,
		                                       &follows)
		                        : ck_codec_run_loosely(job, packings[which]->codec, source,
		                                               &sink);
	}
	const ck_source *unpacked = ck_unpack(job, found, source);
	demand(!unpacked || unpacked->size <= UNPACKED_MAX);
	return unpacked != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ck_job *job = fuzz_begin();
	return fuzz_end(job, unpack(job, ck_source_memory(job, "fuzz", data, size)));
}
