/* Tensors that are cast: on their way through the copy engine, or by a storage of their own. */
#include "model.h"

typedef struct {
	ck_copy_cast plan;
	ck_dtype from, to;
	uint64_t *lost; /* or NULL */
} cast;

static void cast_items(void *to, const void *from, size_t count, const void *arg)
{
	const cast *c = arg;
	uint64_t lost = ck_cast_count(c->from, c->to, from, count, to);
	if (lost)
		__atomic_fetch_add(c->lost, lost, __ATOMIC_RELAXED);
}

const ck_copy_cast *ck_cast_plan(ck_job *job, const ck_tensor *tensor)
{
	const ck_dtype from = tensor->held, to = tensor->dtype;
	cast *c = ck_alloc(job, sizeof *c);
	if (!c)
		return NULL;
	*c = (cast){.from = from, .to = to, .lost = tensor->lost};
	c->plan = (ck_copy_cast){ck_dtype_table[from].size, ck_dtype_table[to].size, cast_items, c};
	return &c->plan;
}

ck_tensor *ck_tensor_cast_late(ck_job *job, ck_tensor *from, ck_dtype to)
{
	ck_tensor *tensor = ck_alloc(job, sizeof *tensor);
	uint64_t *lost = ck_alloc(job, sizeof *lost);
	if (!tensor || !lost)
		return NULL;
	*tensor = *from;
	*lost = 0;
	tensor->lost = lost;
	tensor->same = NULL;
	tensor->cast = true;
	tensor->held = from->dtype;
	tensor->dtype = to;
	if (!ck_mul(from->count, ck_dtype_table[to].size, &tensor->bytes) ||
	    tensor->bytes > INT64_MAX) {
		ck_fail(job, CK_CORRUPT, from->storage->label,
		        "what a tensor is cast to does not fit 63 bits");
		return NULL;
	}
	if (!from->same)
		from->same = tensor;
	return tensor;
}

static void apply(void *arg, const void *items, size_t count, void *to)
{
	const cast *c = arg;
	ck_cast_run(c->from, c->to, items, count, to);
}

ck_tensor *ck_tensor_cast(ck_job *job, ck_model *model, const ck_tensor *from, ck_dtype to)
{
	cast *c = ck_alloc(job, sizeof *c);
	if (!c)
		return NULL;
	*c = (cast){.from = from->dtype, .to = to};
	return ck_tensor_computed(job, model, from, to,
	                          &(ck_formula){.bytes = ck_dtype_table[to].size, .apply = apply,
	                                        .arg = c});
}
