/* Any bytes as the data.pkl of a checkpoint whose storages all exist: what a zip's checksums would
 * keep a fuzzer from reaching. */
#include "convert.h"

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
	ck_loaded *loaded = fuzz_loaded(job, source);
	ck_torch *torch = ck_torch_new(loaded, source);
	demand(torch);
	torch->find = find;
	torch->big_endian = source->size % 2;
	torch->root = ck_pickle_read(job, source, &at, &torch->seen);
	return torch->root && ck_walk(torch, loaded->model->top) && ck_aside_settle(loaded) &&
	       job->error.status == CK_OK && fuzz_write(job, loaded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ck_job *job = fuzz_begin();
	return fuzz_end(job, convert(job, ck_source_memory(job, "fuzz", data, size)));
}
