/* Any bytes as the data.pkl of a checkpoint whose storages all exist: what a zip's checksums would
 * keep a fuzzer from reaching. */
#include <stdlib.h>

#include "edit.h"
#include "fuzz.h"
#include "load.h"
#include "save.h"

enum { BYTES_WRITTEN_MAX = 1 << 20 };

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

static bool is_small(const ck_model *model)
{
	uint64_t total = 0;
	for (size_t i = 0; i < model->count; i++)
		if (!ck_add(total, model->entries[i].tensor->bytes, &total))
			return false;
	return total < BYTES_WRITTEN_MAX;
}

static bool convert(ck_job *job, const ck_source *source)
{
	uint64_t at = 0;
	ck_text extras = {0};
	ck_model *model = ck_alloc(job, sizeof *model);
	ck_torch *torch = ck_alloc(job, sizeof *torch);
	if (!model || !torch)
		return false;
	model->source = source;
	*torch = (ck_torch){.job = job, .model = model, .pickle = source, .find = find,
	                    .big_endian = source->size % 2};
	ck_value *root = ck_pickle_read(job, source, &at, &torch->seen);
	if (!root || !ck_walk(torch, root) || !ck_edit_root(job, model, "auto", false, false) ||
	    !ck_edit_ties(job, model, CK_TIES_DROP) || !ck_extras_print(torch, &extras))
		return false;
	if (!is_small(model))
		return true;
	ck_output *output = ck_output_new(job, CK_OUTPUT_NO_FSYNC);
	ck_file *file = output ? ck_output_add(job, output, "/tmp/ckconv-fuzz.safetensors") : NULL;
	return file && ck_save(job, ck_writer_find(job, "safetensors", ""), model, file, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ck_job *job = ck_base_job_new();
	if (!job || !ck_limits_set(job, "heap=64M") || !ck_limits_set(job, "visits=100000"))
		abort();
	const ck_source *source = ck_source_memory(job, "fuzz", data, size);
	if (source && !convert(job, source) && job->error.status == CK_OK)
		abort(); /* a failure without a reason */
	ck_base_job_free(job);
	return 0;
}
