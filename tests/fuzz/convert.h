/* What the targets that convert share: everything behind the walk, all but the final rename. */
#ifndef CK_FUZZ_CONVERT_H
#define CK_FUZZ_CONVERT_H

#include <stdlib.h>

#include "edit.h"
#include "load.h"
#include "save.h"

enum { BYTES_WRITTEN_MAX = 1 << 20 };

/* The size of the input says what is wished for, so that all ways are taken. */
static inline ck_wishes fuzz_wishes(size_t size)
{
	return (ck_wishes){.dequantize = size & 1, .densify = size & 2, .split_complex = size & 4};
}

static inline bool fuzz_is_small(const ck_model *model)
{
	uint64_t total = 0;
	for (size_t i = 0; i < model->count; i++)
		if (!ck_add(total, model->entries[i].tensor->bytes, &total))
			return false;
	return total < BYTES_WRITTEN_MAX;
}

static inline bool fuzz_write(ck_job *job, ck_loaded *loaded)
{
	ck_text extras = {0};
	ck_model *model = loaded->model;
	const ck_writer *writer = ck_writer_find(job, "safetensors", "");
	if (!ck_edit_set_aside(job, model, "auto", writer->lacks) ||
	    !ck_edit_unsupported(job, model, "auto", true, false) ||
	    !ck_edit_root(job, model, "auto", false, false) ||
	    !ck_edit_ties(job, model, CK_TIES_DROP) || !ck_extras_print(loaded, &extras))
		return false;
	if (!fuzz_is_small(model))
		return true;
	ck_output *output = ck_output_new(job, CK_OUTPUT_NO_FSYNC);
	ck_file *file = output ? ck_output_add(job, output, "/tmp/ckconv-fuzz.safetensors") : NULL;
	return file && ck_save(job, writer, model, file, 1);
}

/* A job with tight limits; the target ends it with fuzz_end. */
static inline ck_job *fuzz_begin(void)
{
	ck_job *job = ck_base_job_new();
	if (!job || !ck_limits_set(job, "heap=64M") || !ck_limits_set(job, "visits=100000"))
		abort();
	return job;
}

static inline int fuzz_end(ck_job *job, bool ok)
{
	if (!ok && job->error.status == CK_OK)
		abort(); /* a failure without a reason */
	ck_base_job_free(job);
	return 0;
}

#endif
