/* Storages that hold what is computed from a tensor, element by element, when they are copied. */
#include "model.h"

#include <string.h>

typedef struct {
	ck_stream stream;
	ck_tensor from;
	ck_formula formula;
} computed;

typedef struct {
	const computed *c;
	const ck_sink *sink;
	unsigned char *out;
} computing;

enum { PIECE = 4096 }; /* elements computed at once */

static bool compute(ck_job *job, void *arg, const void *items, size_t count)
{
	const computing *run = arg;
	const ck_formula *formula = &run->c->formula;
	const unsigned char *from = items;
	size_t item = ck_dtype_table[run->c->from.dtype].size;
	for (size_t done = 0; done < count; done += PIECE) {
		size_t some = count - done < PIECE ? count - done : PIECE;
		formula->apply(formula->arg, from + done * item, some, run->out);
		if (!run->sink->take(job, run->sink->arg, run->out, some * formula->bytes))
			return false;
	}
	return true;
}

static bool run(ck_job *job, const ck_stream *stream, const ck_sink *sink)
{
	const computed *c = stream->arg;
	const ck_mark mark = ck_arena_mark(job);
	computing state = {c, sink, ck_alloc_array(job, PIECE, c->formula.bytes)};
	bool ok = state.out && (!c->formula.begin || c->formula.begin(job, c->formula.arg)) &&
	          ck_tensor_each(job, &c->from, compute, &state);
	ck_arena_release(job, mark);
	return ok;
}

ck_storage *ck_storage_streamed(ck_job *job, ck_model *model, const ck_storage *like,
                                ck_stream *stream)
{
	ck_storage *storage = ck_alloc(job, sizeof *storage);
	if (!storage)
		return NULL;
	stream->label = like->label;
	*storage = (ck_storage){
		.key = like->key, .key_len = like->key_len, .label = like->label,
		.size = stream->size, .held = stream->size, .number = model->storages++,
	};
	if (stream->size)
		storage->stream = stream;
	else
		storage->source = ck_source_memory(job, like->label, "", 0);
	return storage->stream || storage->source ? storage : NULL;
}

ck_storage *ck_storage_computed(ck_job *job, ck_model *model, const ck_tensor *from,
                                const ck_formula *formula)
{
	computed *c = ck_alloc(job, sizeof *c);
	if (!c)
		return NULL;
	*c = (computed){.from = *from, .formula = *formula, .stream = {.run = run, .arg = c}};
	if (!ck_mul(from->count, formula->bytes, &c->stream.size)) {
		ck_fail(job, CK_CORRUPT, from->storage->label,
		        "what is computed from it does not fit 64 bits");
		return NULL;
	}
	return ck_storage_streamed(job, model, from->storage, &c->stream);
}

/* Dimensions with long strides first, so that C order is about the order of the storage. */
static void sort_dimensions(const ck_tensor *tensor, size_t *order)
{
	for (size_t d = 0; d < tensor->ndim; d++) {
		size_t place = d;
		for (; place && tensor->stride[order[place - 1]] < tensor->stride[d]; place--)
			order[place] = order[place - 1];
		order[place] = d;
	}
}

ck_tensor *ck_tensor_computed(ck_job *job, ck_model *model, const ck_tensor *from, ck_dtype dtype,
                              const ck_formula *formula)
{
	size_t order[CK_DIMS_MAX], n = from->ndim;
	ck_tensor sorted = *from;
	ck_tensor *tensor = ck_alloc(job, sizeof *tensor);
	sorted.shape = ck_alloc_array(job, n + 1, sizeof *sorted.shape);
	sorted.stride = ck_alloc_array(job, n + 1, sizeof *sorted.stride);
	uint64_t *stride = ck_alloc_array(job, n + 1, sizeof *stride), step = 1;
	if (!tensor || !sorted.shape || !sorted.stride || !stride)
		return NULL;
	sort_dimensions(from, order);
	for (size_t d = n; d-- > 0;) {
		sorted.shape[d] = from->shape[order[d]];
		sorted.stride[d] = from->stride[order[d]];
		stride[order[d]] = step;
		step *= sorted.shape[d];
	}
	*tensor = (ck_tensor){.dtype = dtype, .ndim = n, .shape = from->shape, .stride = stride};
	tensor->storage = ck_storage_computed(job, model, &sorted, formula);
	return tensor->storage ? tensor : NULL;
}
