/* Any bytes as a file: found out what it is, read, edited and written, all but the final rename. */
#include <stdlib.h>

#include "edit.h"
#include "fuzz.h"
#include "load.h"
#include "save.h"

enum { BYTES_WRITTEN_MAX = 1 << 20 };

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
	ck_text extras = {0};
	ck_loaded *loaded = ck_load(job, source);
	if (!loaded || !ck_edit_root(job, loaded->model, "auto", false, false) ||
	    !ck_edit_ties(job, loaded->model, CK_TIES_DROP) ||
	    !ck_extras_print(loaded->torch, &extras))
		return false;
	if (!is_small(loaded->model))
		return true;
	ck_output *output = ck_output_new(job, CK_OUTPUT_NO_FSYNC);
	ck_file *file = output ? ck_output_add(job, output, "/tmp/ckconv-fuzz.safetensors") : NULL;
	return file && ck_save(job, ck_writer_find(job, "safetensors", ""), loaded->model, file, 1);
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
