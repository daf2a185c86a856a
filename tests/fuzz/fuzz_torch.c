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
	storage->label = "storage";
	return storage->source != NULL;
}

static bool convert(ck_job *job, const ck_source *source)
{
	uint64_t at = 0;
	ck_model *model = ck_alloc(job, sizeof *model);
	ck_loaded *loaded = ck_alloc(job, sizeof *loaded);
	if (!source || !model || !loaded)
		return false;
	*loaded = (ck_loaded){.job = job, .model = model,
	                      .wishes = fuzz_wishes((size_t)source->size)};
	model->source = source;
	model->top = ck_path_new(job, NULL, "", 0, false);
	ck_torch *torch = model->top ? ck_torch_new(loaded, source) : NULL;
	if (!torch)
		return false;
	torch->find = find;
	torch->big_endian = source->size % 2;
	torch->root = ck_pickle_read(job, source, &at, &torch->seen);
	return torch->root && ck_walk(torch, model->top) && fuzz_write(job, loaded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ck_job *job = fuzz_begin();
	return fuzz_end(job, convert(job, ck_source_memory(job, "fuzz", data, size)));
}
