/* What the targets that convert share: all that is behind the layouts, into a file in memory. */
#ifndef CK_FUZZ_CONVERT_H
#define CK_FUZZ_CONVERT_H

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edit.h"
#include "fuzz.h"
#include "load.h"
#include "save.h"
#include "view.h"

enum { BYTES_WRITTEN_MAX = 1 << 20 };

/* The size of the input says what is wished for, so that all ways are taken. */
static inline ck_wishes fuzz_wishes(size_t size)
{
	return (ck_wishes){.dequantize = size & 1, .densify = size & 2, .split_complex = size & 4};
}

/* What a layout is given: a checkpoint with nothing in it yet. */
static inline ck_loaded *fuzz_loaded(ck_job *job, const ck_source *source)
{
	ck_model *model = ck_alloc(job, sizeof *model);
	ck_loaded *loaded = ck_alloc(job, sizeof *loaded);
	demand(source && model && loaded);
	*loaded = (ck_loaded){.job = job, .model = model,
	                      .wishes = fuzz_wishes((size_t)source->size)};
	job->input = source->size;
	model->source = source;
	model->bytes = source->size;
	model->top = ck_path_new(job, NULL, "", 0, false);
	demand(model->top);
	return loaded;
}

static inline bool fuzz_is_small(const ck_model *model)
{
	uint64_t total = 0;
	for (size_t i = 0; i < model->count; i++)
		if (!ck_add(total, model->entries[i].tensor->bytes, &total))
			return false;
	return total < BYTES_WRITTEN_MAX;
}

/* One file in memory for all runs: making a new one each time takes longer than all else. */
static inline ck_file *fuzz_file(void)
{
	static ck_file file = {.path = "memory", .real = "memory", .name = "memory", .dir = -1,
	                       .fd = -1};
	if (file.fd < 0)
		file.fd = memfd_create("fuzz", MFD_CLOEXEC);
	demand(file.fd >= 0 && !ftruncate(file.fd, 0));
	return &file;
}

/* What was written is what any strict reader takes, and holds every tensor. */
static inline void fuzz_check(const ck_model *model, const ck_file *file)
{
	struct stat st;
	ck_job *job = ck_base_job_new();
	demand(job && !fstat(file->fd, &st));
	const ck_source source = {.label = "memory", .size = (uint64_t)st.st_size, .fd = file->fd};
	const ck_safetensors *made = ck_safetensors_read(job, &source);
	demand(made && made->count == model->count);
	ck_base_job_free(job);
}

static inline bool fuzz_write(ck_job *job, ck_loaded *loaded)
{
	ck_text extras = {0};
	ck_model *model = loaded->model;
	const ck_writer *writer = ck_writer_find(job, "safetensors", "");
	static const char *const types[] = {"bf16", "f8_e4m3:*[a-m]", "f64:*b*"};
	const ck_words words = {types, model->source->size & 8 ? CK_COUNT(types) : 0};
	ck_casts *casts = ck_casts_new(job, &words);
	if (!ck_edit_set_aside(job, model, "auto", writer->lacks) ||
	    !ck_edit_unsupported(job, model, "auto", true, false) ||
	    !ck_edit_root(job, model, "auto", NULL, false, false) ||
	    !casts || !ck_edit_cast(job, model, casts) ||
	    !ck_edit_ties(job, model, CK_TIES_DROP) || !ck_extras_print(loaded, &extras))
		return false;
	if (!fuzz_is_small(model))
		return true;
	ck_file *file = fuzz_file();
	if (!ck_save(job, writer, model, &(ck_target){.file = file, .threads = 1}))
		return false;
	fuzz_check(model, file);
	return true;
}

/* A layout on its own: its probe is not asked, for it only looks at the first bytes. */
static inline bool fuzz_layout(ck_job *job, const ck_layout *layout, const ck_input *in)
{
	ck_loaded *loaded = fuzz_loaded(job, in->source);
	return layout->load(loaded, in, loaded->model->top) && ck_aside_settle(loaded) &&
	       job->error.status == CK_OK && fuzz_write(job, loaded);
}

#endif
