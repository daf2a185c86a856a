/* What was written, read again by the readers of its formats, as models that can be compared with
 * the one that it was made from. */
#include "save.h"

#include <string.h>

/* ---- models of what lies in a file without gaps ---- */

typedef struct {
	ck_job *job;
	ck_model *model;
} view;

static bool view_begin(view *v, ck_job *job, ck_model *model, const ck_source *source,
                       size_t tensors, size_t pairs)
{
	*v = (view){job, model};
	*model = (ck_model){.source = source};
	model->entries = ck_alloc_array(job, tensors + 1, sizeof *model->entries);
	model->metadata = ck_alloc_array(job, pairs + 1, sizeof *model->metadata);
	return model->entries && model->metadata;
}

/* `bytes` bytes at `at` of a source. */
static bool view_tensor(view *v, const char *name, size_t name_len, ck_dtype dtype,
                        const uint64_t *shape, size_t ndim, const ck_source *source, uint64_t at,
                        uint64_t bytes)
{
	ck_storage *storage = ck_alloc(v->job, sizeof *storage);
	ck_tensor *tensor = ck_alloc(v->job, sizeof *tensor);
	uint64_t *sizes = ck_alloc_array(v->job, 2 * ndim + 1, sizeof *sizes), step = 1;
	if (!storage || !tensor || !sizes)
		return false;
	*storage = (ck_storage){.key = name, .key_len = name_len, .label = source->label,
	                        .source = source, .offset = at, .size = bytes, .held = bytes,
	                        .number = v->model->storages++};
	*tensor = (ck_tensor){.storage = storage, .dtype = dtype, .ndim = ndim, .shape = sizes,
	                      .stride = sizes + ndim};
	for (size_t d = ndim; d-- > 0; step *= shape[d] ? shape[d] : 1) {
		tensor->shape[d] = shape[d];
		tensor->stride[d] = step;
	}
	v->model->entries[v->model->count++] =
		(ck_entry){.name = name, .name_len = name_len, .tensor = tensor};
	return ck_tensor_check(v->job, tensor, source->label, ck_show(name, name_len).s);
}

static bool view_pair(view *v, const ck_st_pair *pair)
{
	const char *key = ck_copy(v->job, pair->key, pair->key_len);
	const char *value = ck_copy(v->job, pair->value, pair->value_len);
	v->model->metadata[v->model->metadata_count++] = (ck_pair){.key = key, .value = value};
	return key && value;
}

static bool fail_dtype(const view *v, const char *name, size_t len)
{
	return ck_fail(v->job, CK_CORRUPT, v->model->source->label,
	               "tensor '%s': its dtype is none that ckconv writes", ck_show(name, len).s);
}

/* ---- safetensors ---- */

static bool add_safetensors(view *v, const ck_safetensors *file, const ck_st_tensor *from)
{
	size_t dtype = 0;
	while (dtype < CK_DTYPE_COUNT &&
	       (!ck_dtype_table[dtype].safetensors ||
	        strcmp(ck_dtype_table[dtype].safetensors, from->dtype->name) != 0))
		dtype++;
	if (dtype == CK_DTYPE_COUNT)
		return fail_dtype(v, from->name, from->name_len);
	return view_tensor(v, from->name, from->name_len, (ck_dtype)dtype, from->shape, from->ndim,
	                   v->model->source, file->data + from->begin, from->end - from->begin);
}

static bool read_safetensors(ck_job *job, const ck_file *written, ck_model *model)
{
	view v;
	const ck_source *source = ck_file_source(job, written);
	const ck_safetensors *file = source ? ck_safetensors_read(job, source) : NULL;
	if (!file || !view_begin(&v, job, model, source, file->count, file->metadata_count))
		return false;
	for (size_t i = 0; i < file->count; i++)
		if (!add_safetensors(&v, file, &file->tensors[i]))
			return false;
	for (size_t i = 0; i < file->metadata_count; i++)
		if (!view_pair(&v, &file->metadata[i]))
			return false;
	return true;
}

/* ---- ONNX ---- */

static bool add_onnx(view *v, const ck_onnx_tensor *from, const ck_source *beside)
{
	size_t dtype = 0;
	const ck_source *source = from->place == CK_ONNX_EXTERNAL ? beside : v->model->source;
	while (dtype < CK_DTYPE_COUNT && ck_dtype_table[dtype].onnx != from->type)
		dtype++;
	if (dtype == CK_DTYPE_COUNT || !from->type || !source ||
	    (from->place != CK_ONNX_EXTERNAL && from->place != CK_ONNX_RAW))
		return fail_dtype(v, from->name, from->name_len);
	return view_tensor(v, from->name, from->name_len, (ck_dtype)dtype, from->shape, from->ndim,
	                   source, from->at, from->bytes);
}

static bool read_onnx(ck_job *job, const ck_target *to, ck_model *model)
{
	view v;
	const ck_source *source = ck_file_source(job, to->file);
	const ck_source *beside = to->beside ? ck_file_source(job, to->beside) : NULL;
	const ck_onnx *onnx = source ? ck_onnx_read(job, source) : NULL;
	if (!onnx || (to->beside && !beside) ||
	    !view_begin(&v, job, model, source, onnx->count, onnx->pair_count))
		return false;
	for (size_t i = 0; i < onnx->count; i++)
		if (!add_onnx(&v, &onnx->tensors[i], beside))
			return false;
	for (size_t i = 0; i < onnx->pair_count; i++)
		if (!view_pair(&v, &onnx->pairs[i]))
			return false;
	return true;
}

/* ---- of each writer ---- */

bool ck_read_back_safetensors(ck_job *job, const ck_target *to, ck_model *views, size_t *count)
{
	*count = 1;
	return read_safetensors(job, to->file, views);
}

bool ck_read_back_onnx(ck_job *job, const ck_target *to, ck_model *views, size_t *count)
{
	*count = 1;
	return read_onnx(job, to, views);
}

bool ck_read_back_both(ck_job *job, const ck_target *to, ck_model *views, size_t *count)
{
	*count = 2;
	return read_safetensors(job, to->beside, &views[0]) && read_onnx(job, to, &views[1]);
}
