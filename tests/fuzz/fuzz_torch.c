/* Any bytes as the data.pkl of a checkpoint whose storages all exist: what a zip's checksums would
 * keep a fuzzer from reaching. */
#include "convert.h"
#include "fuzz.h"

static const unsigned char zeros[4096];

static bool find(ck_torch *torch, ck_storage *storage)
{
	if (storage->size > sizeof zeros)
		return ck_fail(torch->job, CK_CORRUPT, "fuzz", "the storage is too large");
	storage->source = ck_source_memory(torch->job, "storage", zeros, sizeof zeros);
	storage->held = sizeof zeros;
	storage->label = "storage";
	return storage->source != NULL;
}

static bool convert(ck_job *job, const ck_source *source)
{
	uint64_t at = 0;
	ck_model *model = ck_alloc(job, sizeof *model);
	ck_torch *torch = ck_alloc(job, sizeof *torch);
	if (!source || !model || !torch)
		return false;
	model->source = source;
	*torch = (ck_torch){.job = job, .model = model, .pickle = source, .find = find,
	                    .big_endian = source->size % 2};
	ck_value *root = ck_pickle_read(job, source, &at, &torch->seen);
	return root && ck_walk(torch, root) && fuzz_write(job, torch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ck_job *job = fuzz_begin();
	return fuzz_end(job, convert(job, ck_source_memory(job, "fuzz", data, size)));
}
