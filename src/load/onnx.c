/* ONNX models as input: the initializers of the graph, each by its name. What the graph computes is
 * no tensor, and is told. */
#include "load.h"

#include <string.h>

/* A TensorFlow SavedModel begins like a model of the first version, which nobody has. */
static bool probe(ck_job *job, const ck_input *in)
{
	(void)job;
	return ck_onnx_begins(in->head, in->head_len) && memcmp(in->head, "\x08\x01\x12", 3) != 0;
}

static bool find_dtype(uint64_t type, ck_dtype *dtype)
{
	for (size_t i = 0; type && i < CK_DTYPE_COUNT; i++)
		if (ck_dtype_table[i].onnx == type) {
			*dtype = (ck_dtype)i;
			return true;
		}
	return false;
}

static bool fail(const ck_loaded *loaded, const ck_source *model, const ck_onnx_tensor *from,
                 const char *what)
{
	return ck_fail_at(loaded->job, CK_CORRUPT, model->label, from->message,
	                  "initializer '%s': %s", ck_show(from->name, from->name_len).s, what);
}

/* ---- where the elements are ---- */

static bool fill_external(ck_loaded *loaded, const ck_source *model, const ck_onnx_tensor *from,
                          ck_storage *storage)
{
	const ck_wishes *wishes = &loaded->wishes;
	for (size_t i = 0; i < wishes->beside_count && !storage->source; i++)
		if (!strcmp(wishes->beside[i].name, from->location))
			storage->source = wishes->beside[i].source;
	if (!storage->source)
		return fail(loaded, model, from, "its data is in a file beside the model, which is "
		            "not open: only a model that is named itself has such files");
	storage->label = storage->source->label;
	return ck_source_holds(loaded->job, storage->source, from->name, from->at, from->bytes);
}

/* Numbers of seven bits a byte become elements of `size` bytes, as protobuf cuts them. */
static bool fill_numbers(ck_loaded *loaded, const ck_source *model, const ck_onnx_tensor *from,
                         uint64_t count, ck_dtype dtype, ck_storage *storage)
{
	const unsigned size = ck_dtype_table[dtype].size;
	ck_job *job = loaded->job;
	ck_pb *pb = ck_alloc(job, sizeof *pb);
	if (count > from->bytes)
		return fail(loaded, model, from, "it has fewer elements than its shape says");
	unsigned char *data = pb ? ck_alloc_array(job, (size_t)count + 1, size) : NULL;
	uint64_t at = from->at, end = from->at + from->bytes, value;
	if (!data)
		return false;
	*pb = (ck_pb){.job = job, .source = model};
	for (uint64_t i = 0; i < count; i++) {
		if (at == end)
			return fail(loaded, model, from,
			            "it has fewer elements than its shape says");
		if (!ck_pb_varint(pb, &at, end, &value))
			return false;
		if (dtype == CK_DT_BOOL)
			value = value != 0;
		for (unsigned b = 0; b < size; b++)
			data[i * size + b] = (unsigned char)(value >> (8 * b));
	}
	if (at != end)
		return fail(loaded, model, from, "it has more elements than its shape says");
	storage->source = ck_source_memory(job, model->label, data, count * size);
	storage->offset = 0;
	storage->size = storage->held = count * size;
	return storage->source;
}

static bool fill(ck_loaded *loaded, const ck_source *model, const ck_onnx_tensor *from,
                 ck_dtype dtype, ck_storage *storage)
{
	uint64_t count = 1;
	for (size_t d = 0; d < from->ndim; d++)
		count *= from->shape[d]; /* the reader has seen that it fits */
	*storage = (ck_storage){.key = from->name, .key_len = from->name_len,
	                        .label = model->label, .offset = from->at, .size = from->bytes,
	                        .held = from->bytes, .number = loaded->model->storages++};
	if (from->place == CK_ONNX_EXTERNAL)
		return fill_external(loaded, model, from, storage);
	if (from->place == CK_ONNX_NUMBERS)
		return fill_numbers(loaded, model, from, count, dtype, storage);
	storage->source = model;
	return true;
}

/* ---- tensors ---- */

static bool add_tensor(ck_loaded *loaded, const ck_source *model, const ck_onnx_tensor *from,
                       const ck_path *path)
{
	ck_job *job = loaded->job;
	ck_dtype dtype;
	if (from->place == CK_ONNX_ODD || !find_dtype(from->type, &dtype))
		return ck_model_add_other(job, loaded->model, path,
		                          from->why ? from->why : "a type that is not known",
		                          CK_OTHER_UNSUPPORTED);
	ck_storage *storage = ck_alloc(job, sizeof *storage);
	ck_tensor *tensor = ck_alloc(job, sizeof *tensor);
	uint64_t *sizes = ck_alloc_array(job, 2 * from->ndim + 1, sizeof *sizes), step = 1;
	if (!storage || !tensor || !sizes || !fill(loaded, model, from, dtype, storage))
		return false;
	*tensor = (ck_tensor){.storage = storage, .dtype = dtype, .ndim = from->ndim,
	                      .shape = sizes, .stride = sizes + from->ndim};
	for (size_t d = from->ndim; d-- > 0; step *= from->shape[d] ? from->shape[d] : 1) {
		tensor->shape[d] = from->shape[d];
		tensor->stride[d] = step;
	}
	return ck_tensor_check(job, tensor, model->label, ck_path_show(path).s) &&
	       ck_load_tensor(loaded, path, tensor);
}

static bool add_metadata(ck_loaded *loaded, const ck_onnx *model)
{
	for (size_t i = 0; i < model->pair_count; i++) {
		const ck_st_pair *pair = &model->pairs[i];
		if (strlen(pair->key) != pair->key_len || strlen(pair->value) != pair->value_len ||
		    !ck_utf8_valid(pair->key, pair->key_len) ||
		    !ck_utf8_valid(pair->value, pair->value_len))
			ck_note(loaded->job, "the metadata '%s' is no text and is left out",
			        ck_show(pair->key, pair->key_len).s);
		else if (!ck_load_metadata(loaded, pair->key, pair->value))
			return false;
	}
	return true;
}

static bool tell_rest(ck_loaded *loaded, const ck_onnx *model)
{
	const ck_path *sparse = NULL;
	static const char name[] = "sparse_initializer";
	if (model->nodes)
		ck_note(loaded->job, "only the weights of the ONNX model are taken; %s of its "
		        "graph %s left out", ck_many(model->nodes, "node").s,
		        model->nodes == 1 ? "is" : "are");
	if (!model->sparse)
		return true;
	sparse = ck_path_new(loaded->job, loaded->model->top, name, strlen(name), true);
	return sparse && ck_model_add_other(loaded->job, loaded->model, sparse,
	                                    "a sparse initializer", CK_OTHER_UNSUPPORTED);
}

static bool load(ck_loaded *loaded, const ck_input *in, const ck_path *at)
{
	const ck_onnx *model = ck_onnx_read(loaded->job, in->source);
	if (!model)
		return false;
	for (size_t i = 0; i < model->count; i++) {
		const ck_onnx_tensor *tensor = &model->tensors[i];
		const ck_path *path = ck_path_new(loaded->job, at, tensor->name, tensor->name_len,
		                                  true);
		if (!path || !add_tensor(loaded, in->source, tensor, path))
			return false;
	}
	return add_metadata(loaded, model) && tell_rest(loaded, model);
}

const ck_layout ck_layout_onnx = {"onnx", "an ONNX model", true, probe, load};
