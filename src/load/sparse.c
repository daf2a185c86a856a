/* Sparse tensors: the tensors that they consist of, or, if that is wished, the dense tensor. What
 * the sizes say is checked at once; the indices are looked at when the tensor is made dense. */
#include "rebuild.h"

#include <string.h>

#define LLU(x) ((unsigned long long)(x))

/* The layouts of compressed indices. */
typedef struct {
	const char *name;                /* of the layout, as torch.NAME */
	const char *compressed, *plain;  /* names of the two index tensors */
	bool columns;                    /* columns are compressed, not rows */
	bool blocks;                     /* values are blocks of two dimensions */
} layout;

static const layout layouts[] = {
	{"sparse_csr", "crow_indices", "col_indices", false, false},
	{"sparse_csc", "ccol_indices", "row_indices", true, false},
	{"sparse_bsr", "crow_indices", "col_indices", false, true},
	{"sparse_bsc", "ccol_indices", "row_indices", true, true},
};

/* What a sparse tensor consists of. */
typedef struct {
	const layout *layout;            /* NULL: coordinates */
	const char *label;               /* of the pickle, for messages */
	ck_tensor *indices;              /* COO; of the others: the compressed ones */
	ck_tensor *plain;
	ck_tensor *values;
	uint64_t *shape;
	size_t ndim;
	size_t batches;                  /* leading dimensions that are not sparse */
	uint64_t block[2];               /* sizes of a block; 1 by 1 without blocks */
} parts;

static bool is_index(const ck_tensor *tensor)
{
	return tensor->dtype == CK_DT_I64 || tensor->dtype == CK_DT_I32;
}

/* All values of an index tensor, in C order. */
static int64_t *read_indices(ck_job *job, const ck_tensor *tensor)
{
	int64_t *all = ck_tensor_affordable(job, tensor)
	                       ? ck_alloc_array(job, tensor->count + 1, sizeof *all) : NULL;
	const unsigned char *bytes = all ? ck_tensor_values(job, tensor) : NULL;
	size_t size = ck_dtype_table[tensor->dtype].size;
	for (uint64_t i = 0; bytes && i < tensor->count; i++) {
		uint64_t bits = 0;
		for (size_t k = size; k-- > 0;)
			bits = bits << 8 | bytes[i * size + k];
		all[i] = size == 4 ? (int64_t)(int32_t)(uint32_t)bits : (int64_t)bits;
	}
	return bytes ? all : NULL;
}

static bool fail_index(ck_job *job, const parts *p, int64_t index, uint64_t size)
{
	return ck_fail(job, CK_CORRUPT, p->label,
	               "a sparse tensor of shape %s has the index %lld in a dimension of %llu",
	               ck_shape_text(job, p->shape, p->ndim), (long long)index, LLU(size));
}

/* ---- coordinates ---- */

static bool place_coordinates(ck_job *job, const ck_sparse *sparse, uint64_t *places)
{
	const parts *p = sparse->arg;
	const int64_t *index = read_indices(job, p->indices);
	size_t dims = (size_t)p->indices->shape[0];
	if (!index)
		return false;
	for (size_t d = 0; d < dims; d++)
		for (uint64_t i = 0; i < sparse->count; i++, index++) {
			if ((uint64_t)*index >= p->shape[d]) /* negative ones, too */
				return fail_index(job, p, *index, p->shape[d]);
			places[i] = places[i] * p->shape[d] + (uint64_t)*index;
		}
	return true;
}

static bool check_coordinates(ck_torch *torch, const parts *p)
{
	const ck_tensor *indices = p->indices, *values = p->values;
	if (!is_index(indices) || indices->ndim != 2 || !values->ndim)
		return ck_rebuild_fail(torch, "a sparse tensor needs indices of two dimensions of "
		                       "integers, and values of one at least");
	if (indices->shape[0] + values->ndim - 1 != p->ndim)
		return ck_rebuild_fail(torch, "a sparse tensor of %s has %llu sparse and %zu "
		                       "dense ones", ck_many(p->ndim, "dimension").s, LLU(indices->shape[0]),
		                       values->ndim - 1);
	bool fits = indices->shape[1] == values->shape[0];
	for (size_t d = 1; d < values->ndim; d++)
		fits = fits && values->shape[d] == p->shape[indices->shape[0] + d - 1];
	return fits || ck_rebuild_fail(torch, "the indices and values of a sparse tensor do not "
	                               "have the sizes that its shape %s asks for",
	                               ck_shape_text(torch->job, p->shape, p->ndim));
}

/* ---- compressed indices ---- */

typedef struct {
	ck_job *job;
	const parts *p;
	uint64_t *places;    /* the next ones */
	const int64_t *from, *plain; /* of this batch */
	uint64_t stored;     /* blocks of each batch */
	uint64_t lines, others; /* blocks along the compressed and the other dimension */
	uint64_t high, wide; /* blocks along both dimensions of the dense tensor */
} placing;

/* The places of the rows of one block: a unit is one row of it. */
static void place_block(placing *at, uint64_t batch, uint64_t line, uint64_t other)
{
	bool columns = at->p->layout->columns;
	uint64_t row = columns ? other : line, column = columns ? line : other;
	for (uint64_t y = 0; y < at->p->block[0]; y++)
		*at->places++ = ((batch * at->high + row) * at->p->block[0] + y) * at->wide +
		                column;
}

static bool place_batch(placing *at, uint64_t batch)
{
	if (at->from[0] || (uint64_t)at->from[at->lines] != at->stored)
		return ck_fail(at->job, CK_CORRUPT, at->p->label,
		               "the %s of a sparse tensor lead from %lld to %lld, not from 0 to "
		               "%llu", at->p->layout->compressed, (long long)at->from[0],
		               (long long)at->from[at->lines], LLU(at->stored));
	for (uint64_t line = 0; line < at->lines; line++) {
		if (at->from[line] > at->from[line + 1] ||
		    (uint64_t)at->from[line + 1] > at->stored)
			return ck_fail(at->job, CK_CORRUPT, at->p->label,
			               "the %s of a sparse tensor do not ascend",
			               at->p->layout->compressed);
		for (int64_t i = at->from[line]; i < at->from[line + 1]; i++) {
			if ((uint64_t)at->plain[i] >= at->others)
				return fail_index(at->job, at->p, at->plain[i], at->others);
			place_block(at, batch, line, (uint64_t)at->plain[i]);
		}
	}
	return true;
}

static bool place_compressed(ck_job *job, const ck_sparse *sparse, uint64_t *places)
{
	const parts *p = sparse->arg;
	const uint64_t *last = p->shape + p->batches;
	placing at = {.job = job, .p = p, .places = places,
	              .stored = p->plain->shape[p->batches],
	              .high = last[0] / p->block[0], .wide = last[1] / p->block[1]};
	at.lines = p->layout->columns ? at.wide : at.high;
	at.others = p->layout->columns ? at.high : at.wide;
	uint64_t batches = p->indices->count / (at.lines + 1);
	at.from = read_indices(job, p->indices);
	at.plain = at.from ? read_indices(job, p->plain) : NULL;
	if (!at.plain)
		return false;
	for (uint64_t batch = 0; batch < batches; batch++) {
		if (!place_batch(&at, batch))
			return false;
		at.from += at.lines + 1;
		at.plain += at.stored;
	}
	return true;
}

/* The dimensions in front, and those of the blocks. */
static bool check_dimensions(ck_torch *torch, parts *p)
{
	size_t before = p->batches, blocks = p->layout->blocks ? 2 : 0;
	if (!is_index(p->indices) || !is_index(p->plain) || !p->indices->ndim ||
	    p->plain->ndim != p->indices->ndim || p->values->ndim < p->plain->ndim + blocks ||
	    p->ndim != p->values->ndim + 1 - blocks)
		return ck_rebuild_fail(torch, "the %s, %s and values of a sparse tensor do not "
		                       "have the dimensions that its shape %s asks for",
		                       p->layout->compressed, p->layout->plain,
		                       ck_shape_text(torch->job, p->shape, p->ndim));
	for (size_t d = 0; d < 2; d++) {
		p->block[d] = blocks ? p->values->shape[before + 1 + d] : 1;
		if (!p->block[d] || p->shape[before + d] % p->block[d])
			return ck_rebuild_fail(torch, "a sparse tensor of shape %s cannot have "
			                       "blocks of %llu",
			                       ck_shape_text(torch->job, p->shape, p->ndim),
			                       LLU(p->block[d]));
	}
	return true;
}

static bool check_compressed(ck_torch *torch, parts *p)
{
	p->batches = p->indices->ndim - 1; /* wraps at 0, which is refused before it is used */
	if (!check_dimensions(torch, p))
		return false;
	size_t n = p->batches, values = n + 1 + (p->layout->blocks ? 2 : 0);
	size_t line = p->layout->columns ? 1 : 0;
	bool fits = p->indices->shape[n] == p->shape[n + line] / p->block[line] + 1 &&
	            p->plain->shape[n] == p->values->shape[n];
	for (size_t d = 0; d < n; d++)
		fits = fits && p->indices->shape[d] == p->shape[d] &&
		       p->plain->shape[d] == p->shape[d] && p->values->shape[d] == p->shape[d];
	for (size_t d = n + 2; d < p->ndim; d++)
		fits = fits && p->values->shape[values + d - n - 2] == p->shape[d];
	return fits || ck_rebuild_fail(torch, "the %s, %s and values of a sparse tensor do not "
	                               "have the sizes that its shape %s asks for",
	                               p->layout->compressed, p->layout->plain,
	                               ck_shape_text(torch->job, p->shape, p->ndim));
}

/* ---- making it dense ---- */

static bool densify(ck_torch *torch, const parts *p, ck_made *made)
{
	parts *kept = ck_alloc(torch->job, sizeof *kept);
	uint64_t elements = 1, extent;
	if (!kept)
		return false;
	*kept = *p;
	for (size_t d = 0; d < p->ndim; d++)
		if (!ck_mul(elements, p->shape[d], &elements))
			return ck_rebuild_fail(torch, "the product of a tensor's sizes does not "
			                       "fit 64 bits");
	if (!ck_mul(elements, ck_dtype_table[p->values->dtype].size, &extent) ||
	    extent > INT64_MAX)
		return ck_rebuild_fail(torch, "a tensor's size in bytes does not fit 63 bits");
	ck_sparse sparse = {.values = p->values, .unit = p->block[1], .arg = kept,
	                    .place = p->layout ? place_compressed : place_coordinates};
	size_t dense = p->layout ? p->batches + 2 : (size_t)p->indices->shape[0];
	for (size_t d = dense; d < p->ndim; d++)
		sparse.unit *= p->shape[d]; /* no more than `elements`, or 0 */
	if (!elements && p->values->count)
		return ck_rebuild_fail(torch, "a sparse tensor of shape %s has no room for the "
		                       "values that are stored",
		                       ck_shape_text(torch->job, p->shape, p->ndim));
	if (elements) {
		sparse.units = elements / sparse.unit;
		sparse.count = p->values->count / sparse.unit;
	}
	made->kind = CK_MADE_TENSOR;
	made->tensor = ck_tensor_dense(torch->job, torch->model, &sparse, p->shape, p->ndim);
	return made->tensor;
}

/* ---- what the pickle says ---- */

static bool make_parts(ck_torch *torch, const parts *p, const char *coalesced, ck_made *made)
{
	const char *shape = ck_shape_text(torch->job, p->shape, p->ndim);
	made->kind = CK_MADE_TENSOR;
	ck_made_beside(made, p->layout ? p->layout->compressed : "indices", p->indices);
	if (p->layout)
		ck_made_beside(made, p->layout->plain, p->plain);
	ck_made_beside(made, "values", p->values);
	return ck_made_fact(made, "layout", p->layout ? p->layout->name : "sparse_coo") &&
	       ck_made_fact(made, "shape", shape) &&
	       (!coalesced || ck_made_fact(made, "is_coalesced", coalesced));
}

static bool finish(ck_torch *torch, const parts *p, const char *coalesced, ck_made *made)
{
	if (!torch->loaded->wishes.densify)
		return make_parts(torch, p, coalesced, made);
	if (!ck_dense_is_known(p->values->dtype))
		return ck_made_unsupported(made, "sparse tensor of a dtype that torch cannot make "
		                           "dense; take it without --densify");
	return densify(torch, p, made);
}

static bool read_part(ck_torch *torch, const ck_items *data, size_t index, const char *what,
                      ck_tensor **part)
{
	*part = ck_rebuild_part(torch, data->item[index], what);
	return *part;
}

static bool read_shape(ck_torch *torch, const ck_items *data, size_t index, parts *p)
{
	return ck_as_counts(torch, data->item[index], "a tensor's sizes must be counts", &p->shape,
	                    &p->ndim);
}

/* (indices, values, size[, is_coalesced]) */
static bool read_coordinates(ck_torch *torch, const ck_items *data, parts *p, ck_made *made)
{
	if (data->count < 3 || data->count > 4)
		return ck_rebuild_fail(torch, "a sparse tensor needs indices, values and sizes");
	const ck_value *flag = data->count > 3 ? data->item[3] : NULL;
	const char *coalesced =
		!flag || flag->kind != CK_BOOL ? NULL : flag->b ? "true" : "false";
	return read_part(torch, data, 0, "the indices of a sparse tensor", &p->indices) &&
	       read_part(torch, data, 1, "the values of a sparse tensor", &p->values) &&
	       read_shape(torch, data, 2, p) && check_coordinates(torch, p) &&
	       finish(torch, p, coalesced, made);
}

/* (compressed indices, plain indices, values, size) */
static bool read_compressed(ck_torch *torch, const ck_items *data, parts *p, ck_made *made)
{
	if (data->count != 4)
		return ck_rebuild_fail(torch, "a compressed sparse tensor needs two tensors of "
		                       "indices, values and sizes");
	return read_part(torch, data, 0, "the indices of a sparse tensor", &p->indices) &&
	       read_part(torch, data, 1, "the indices of a sparse tensor", &p->plain) &&
	       read_part(torch, data, 2, "the values of a sparse tensor", &p->values) &&
	       read_shape(torch, data, 3, p) && check_compressed(torch, p) &&
	       finish(torch, p, NULL, made);
}

/* (layout, sizes, requires_grad, tensors), as TorchScript spells it; it has numbers for two
 * layouts. */
static bool read_script(ck_torch *torch, const ck_items *args, parts *p, ck_made *made)
{
	enum { COO = 1, CSR = 2, TENSORS = 3 };
	ck_value *given[TENSORS + 1];
	int64_t number = args->item[0]->i;
	uint32_t count = number == COO ? 2 : 3;
	if ((number != COO && number != CSR) || args->count < TENSORS + count)
		return ck_rebuild_fail(torch, "a sparse tensor of TorchScript needs the layout 1 "
		                       "or 2, sizes and tensors");
	memcpy(given, &args->item[TENSORS], count * sizeof *given);
	given[count] = args->item[1];
	ck_items data = {.item = given, .count = count + 1};
	p->layout = number == CSR ? &layouts[0] : NULL;
	return number == COO ? read_coordinates(torch, &data, p, made)
	                     : read_compressed(torch, &data, p, made);
}

/* 'torch.sparse_coo', or the call that makes a layout of it. */
static const ck_value *layout_name(const ck_value *value)
{
	if (value->kind == CK_CALL &&
	    ck_value_is_global(value->call->callee, "torch.serialization", "_get_layout"))
		return ck_argument(value, 0);
	return value;
}

/* (layout, (tensors and sizes)), or what TorchScript makes of it */
bool ck_rebuild_sparse(ck_torch *torch, const ck_value *value, ck_made *made)
{
	const ck_value *given = ck_argument(value, 0), *data = ck_argument(value, 1);
	const ck_value *name = given ? layout_name(given) : NULL;
	parts p = {.label = torch->pickle->label, .block = {1, 1}};
	if (given && given->kind == CK_INT)
		return read_script(torch, value->call->args->items, &p, made);
	if (!name || !data || (data->kind != CK_TUPLE && data->kind != CK_LIST))
		return ck_rebuild_fail(torch, "a sparse tensor needs a layout and a tuple of "
		                       "tensors");
	if (ck_is_word(name, "torch.sparse_coo"))
		return read_coordinates(torch, data->items, &p, made);
	char full[32] = "torch.";
	for (size_t i = 0; i < CK_COUNT(layouts); i++) {
		strcpy(full + 6, layouts[i].name);
		p.layout = &layouts[i];
		if (ck_is_word(name, full))
			return read_compressed(torch, data->items, &p, made);
	}
	return ck_rebuild_bad(torch, name, "a sparse tensor's layout must be one that torch saves");
}
