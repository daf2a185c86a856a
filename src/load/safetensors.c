/* safetensors files as input: each tensor as the header names it. */
#include "load.h"

#include <string.h>

static bool probe(ck_job *job, const ck_input *in)
{
	(void)job;
	return ck_safetensors_begins(in->head, in->head_len);
}

static bool find_dtype(const ck_st_tensor *tensor, ck_dtype *dtype)
{
	for (size_t i = 0; i < CK_DTYPE_COUNT; i++) {
		const char *name = ck_dtype_table[i].safetensors;
		if (name && !strcmp(name, tensor->dtype->name)) {
			*dtype = (ck_dtype)i;
			return true;
		}
	}
	return false;
}

static bool add_tensor(ck_loaded *loaded, const ck_source *source, const ck_st_tensor *from,
                       uint64_t data, const ck_path *path)
{
	ck_job *job = loaded->job;
	ck_storage *storage = ck_alloc(job, sizeof *storage);
	ck_tensor *tensor = ck_alloc(job, sizeof *tensor);
	uint64_t *sizes = ck_alloc_array(job, 2 * from->ndim + 1, sizeof *sizes), step = 1;
	if (!storage || !tensor || !sizes)
		return false;
	const uint64_t bytes = from->end - from->begin;
	*storage = (ck_storage){.key = from->name, .key_len = from->name_len,
	                        .label = source->label, .source = source,
	                        .offset = data + from->begin, .size = bytes, .held = bytes,
	                        .number = loaded->model->storages++};
	*tensor = (ck_tensor){.storage = storage, .ndim = from->ndim, .shape = sizes,
	                      .stride = sizes + from->ndim};
	if (!find_dtype(from, &tensor->dtype))
		return ck_model_add_other(job, loaded->model, path, from->dtype->name,
		                          CK_OTHER_UNSUPPORTED);
	for (size_t d = from->ndim; d-- > 0; step *= from->shape[d] ? from->shape[d] : 1) {
		tensor->shape[d] = from->shape[d];
		tensor->stride[d] = step;
	}
	return ck_tensor_check(job, tensor, source->label, ck_path_show(path).s) &&
	       ck_load_tensor(loaded, path, tensor);
}

static bool add_metadata(ck_loaded *loaded, const ck_safetensors *file)
{
	for (size_t i = 0; i < file->metadata_count; i++) {
		const ck_st_pair *pair = &file->metadata[i];
		char *key = ck_copy(loaded->job, pair->key, pair->key_len);
		char *value = ck_copy(loaded->job, pair->value, pair->value_len);
		if (!key || !value)
			return false;
		if (memchr(key, 0, pair->key_len) || memchr(value, 0, pair->value_len))
			ck_note(loaded->job, "the metadata '%s' holds a NUL and is left out",
			        ck_show(key, pair->key_len).s);
		else if (!ck_load_metadata(loaded, key, value))
			return false;
	}
	return true;
}

static bool load(ck_loaded *loaded, const ck_input *in, const ck_path *at)
{
	const ck_safetensors *file = ck_safetensors_read(loaded->job, in->source);
	if (!file)
		return false;
	loaded->model->is_mapping = loaded->model->is_mapping || at == loaded->model->top;
	for (size_t i = 0; i < file->count; i++) {
		const ck_st_tensor *tensor = &file->tensors[i];
		const ck_path *path = ck_path_new(loaded->job, at, tensor->name, tensor->name_len,
		                                  true);
		if (!path || !add_tensor(loaded, in->source, tensor, file->data, path))
			return false;
	}
	return add_metadata(loaded, file);
}

const ck_layout ck_layout_safetensors = {
	"safetensors", "a safetensors file", true, probe, load,
};
