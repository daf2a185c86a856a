/* The table of writers, and what all of them share: the way from tensors to a copy plan. */
#include "save.h"

#include <string.h>
#include <strings.h>

#ifdef CK_ONNX
#define CK_FORMATS "safetensors, onnx or onnx+safetensors"
#define CK_SUFFIXES "OUT.safetensors or OUT.onnx"
#else
#define CK_FORMATS "safetensors (this ckconv was built without ONNX)"
#define CK_SUFFIXES "OUT.safetensors (this ckconv was built without ONNX)"
#endif

static const ck_writer *const writers[] = {
	&ck_writer_safetensors,
#ifdef CK_ONNX
	&ck_writer_onnx,
	&ck_writer_onnx_safetensors,
#endif
};

enum { FREE_OUTPUT = 256 << 20 }; /* the limit `expand` does not ask below this size */

const ck_writer *ck_writer_of_suffix(const char *path)
{
	size_t len = strlen(path);
	for (size_t i = 0; i < CK_COUNT(writers); i++) {
		const char *suffix = writers[i]->suffix;
		size_t tail = suffix ? strlen(suffix) : 0;
		if (suffix && len >= tail && !strcasecmp(path + len - tail, suffix))
			return writers[i];
	}
	return NULL;
}

const ck_writer *ck_writer_find(ck_job *job, const char *name, const char *path)
{
	const ck_writer *found = name ? NULL : ck_writer_of_suffix(path);
	for (size_t i = 0; name && !found && i < CK_COUNT(writers); i++)
		found = strcmp(name, writers[i]->name) ? NULL : writers[i];
	if (found)
		return found;
	if (name)
		ck_fail(job, CK_USAGE, "", "there is no format '%s'; --to takes " CK_FORMATS,
		        ck_show(name, strlen(name)).s);
	else
		ck_fail(job, CK_USAGE, path,
		        "the suffix tells no format; name the output " CK_SUFFIXES
		        ", or give --to");
	return NULL;
}

bool ck_save_affordable(ck_job *job, const ck_model *model, const char *done)
{
	uint64_t total = 0, most;
	bool *counted = ck_alloc_array(job, model->storages + 1, sizeof *counted);
	if (!counted)
		return false;
	for (size_t i = 0; i < model->count; i++) {
		const ck_storage *storage = model->entries[i].tensor->storage;
		/* what must be unpacked is written to the disk on its way */
		uint64_t unpacked =
			storage->stream && !counted[storage->number] ? storage->held : 0;
		counted[storage->number] = true;
		if (!ck_add(total, model->entries[i].tensor->bytes, &total) ||
		    !ck_add(total, unpacked, &total))
			return ck_fail(job, CK_CORRUPT, model->source->label,
			               "the tensors claim more bytes than fit 64 bits");
	}
	if (total <= FREE_OUTPUT || !ck_mul(model->bytes, job->limits.expand, &most) ||
	    total <= most)
		return true;
	uint64_t times = model->bytes ? total / model->bytes + 1 : total;
	return ck_fail(
		job, CK_LIMIT, model->source->label,
		"%s would be %s for %llu read, which is over the limit; if the file can be "
		"trusted to need it, raise it with --limit expand=%llu",
		ck_many(total, "byte").s, done, (unsigned long long)model->bytes,
		(unsigned long long)times);
}

uint64_t ck_save_most(const ck_job *job, uint64_t read)
{
	enum { HEADERS = 128 << 20 }; /* and what extras are free to take */
	uint64_t most;
	if (!ck_mul(read, job->limits.expand, &most) ||
	    !ck_add(most < FREE_OUTPUT ? FREE_OUTPUT : most, HEADERS, &most))
		return UINT64_MAX;
	return most;
}

/* Whoever edits the model sets these tensors aside; what was forgotten must not be written. */
static bool check_tensors(ck_job *job, const ck_writer *writer, const ck_model *model)
{
	for (size_t i = 0; i < model->count; i++) {
		const ck_entry *entry = &model->entries[i];
		const char *what = writer->lacks(entry->tensor->dtype, entry->name,
		                                 entry->name_len);
		if (what)
			return ck_fail(job, CK_UNSUPPORTED, model->source->label,
			               "%s cannot hold the tensor '%s' (%s)", writer->name,
			               ck_show(entry->name, entry->name_len).s, what);
	}
	return true;
}

bool ck_save(ck_job *job, const ck_writer *writer, ck_model *model, const ck_target *to)
{
	return check_tensors(job, writer, model) && ck_save_affordable(job, model, "written") &&
	       writer->write(job, model, to);
}

/* A job of its own, so that its memory does not add to that of the conversion. */
bool ck_save_check(ck_job *job, const ck_writer *writer, const ck_target *to)
{
	ck_job *own = ck_base_job_within(job);
	if (!own)
		return ck_fail_nomem(job);
	bool ok = writer->check(own, to);
	const ck_error *error = &own->error;
	if (!ok && error->status == CK_CORRUPT)
		ck_fail(job, CK_CORRUPT, to->file->path,
		        "what was written is no sound %s file and is not kept; please report this, "
		        "with the input (%.600s)", writer->name, error->text);
	else if (!ok)
		ck_fail_as(job, error);
	ck_base_job_free(own);
	return ok;
}

static size_t plan_input(ck_job *job, ck_copy_plan *plan, size_t *inputs, const ck_storage *storage)
{
	size_t *known = &inputs[storage->number];
	if (*known)
		return *known - 1;
	size_t input = ck_copy_add_input(job, plan, &(ck_copy_input){
		.source = storage->source, .stream = storage->stream,
		.label = storage->label,
		.offset = storage->offset, .size = storage->held,
		.crc = storage->crc, .has_crc = storage->has_crc});
	if (input != SIZE_MAX)
		*known = input + 1;
	return input;
}

bool ck_plan_tensor(ck_job *job, ck_copy_plan *plan, size_t *inputs, const ck_tensor *tensor,
                    uint64_t to)
{
	size_t input = plan_input(job, plan, inputs, tensor->storage);
	ck_dtype held = ck_tensor_held(tensor);
	uint64_t item = ck_dtype_table[held].size, from = tensor->start * item;
	const ck_copy_cast *cast = NULL;
	if (input == SIZE_MAX)
		return false;
	if (!tensor->bytes)
		return true;
	if (tensor->cast && !(cast = ck_cast_plan(job, tensor)))
		return false;
	if (ck_tensor_is_plain(tensor))
		return ck_copy_add_move(job, plan, &(ck_copy_move){
			input, from, tensor->count * item, to, cast});
	uint64_t *steps = ck_alloc_array(job, tensor->ndim + 1, sizeof *steps);
	if (!steps)
		return false;
	/* a dimension of one element may have any stride: it is never taken */
	for (size_t d = 0; d < tensor->ndim; d++)
		steps[d] = tensor->shape[d] > 1 ? tensor->stride[d] * item : 0;
	return ck_copy_add_gather(job, plan, &(ck_copy_gather){
		.input = input, .from = from, .to = to, .item = (size_t)item,
		.ndim = tensor->ndim, .shape = tensor->shape, .step = steps,
		.change = ck_tensor_change(tensor), .change_arg = tensor, .cast = cast});
}

bool ck_plan_run(ck_job *job, ck_copy_plan *plan, ck_file *file, unsigned threads)
{
	size_t unchecked;
	if (!ck_copy_run(job, plan, file, threads, &unchecked))
		return false;
	if (unchecked)
		ck_note(job, "%zu storage%s no checksum (the file was saved without) and could not "
		        "be verified", unchecked, unchecked == 1 ? " carries" : "s carry");
	return true;
}
