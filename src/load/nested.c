/* Nested tensors, whose rows have sizes of their own: the tensors that they consist of. */
#include "rebuild.h"

static bool add_part(ck_torch *torch, ck_made *made, const ck_value *value, const char *key,
                     const char *what)
{
	ck_tensor *tensor = ck_rebuild_part(torch, value, what);
	if (tensor)
		ck_made_beside(made, key, tensor);
	return tensor;
}

/* PyTorch 1.13 wrote the offsets as a list of integers, later ones as a tensor. */
static ck_tensor *offsets_of(ck_torch *torch, const ck_value *value)
{
	static const char what[] = "the offsets of a nested tensor";
	if (value->kind != CK_LIST && value->kind != CK_TUPLE)
		return ck_rebuild_part(torch, value, what);
	size_t count = value->items->count;
	ck_tensor *tensor = ck_alloc(torch->job, sizeof *tensor);
	unsigned char *bytes = ck_alloc_array(torch->job, count + 1, 8);
	uint64_t *shape = ck_alloc_array(torch->job, 1, sizeof *shape), offset;
	if (!tensor || !bytes || !shape)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		const ck_value *item = value->items->item[i];
		if (!ck_as_count(torch, item, "an offset must be a count", &offset))
			return NULL;
		for (size_t k = 0; k < 8; k++)
			bytes[8 * i + k] = (unsigned char)(offset >> (8 * k));
	}
	const ck_source *source = ck_source_memory(torch->job, what, bytes, 8 * count);
	*shape = count;
	tensor->dtype = CK_DT_I64;
	tensor->storage = source ? ck_storage_new(torch, what, source, 0, 8 * count) : NULL;
	return tensor->storage && ck_tensor_shape(torch, tensor, shape, 1) ? tensor : NULL;
}

bool ck_rebuild_nested_tensor(ck_torch *torch, const ck_value *value, ck_made *made)
{
	if (value->call->args->items->count < 4)
		return ck_rebuild_fail(torch, "a nested tensor needs a buffer, sizes, strides and "
		                       "offsets");
	made->kind = CK_MADE_TENSOR;
	if (!add_part(torch, made, ck_argument(value, 0), "buffer",
	              "the buffer of a nested tensor") ||
	    !add_part(torch, made, ck_argument(value, 1), "sizes",
	              "the sizes of a nested tensor") ||
	    !add_part(torch, made, ck_argument(value, 2), "strides",
	              "the strides of a nested tensor"))
		return false;
	ck_tensor *offsets = offsets_of(torch, ck_argument(value, 3));
	if (!offsets)
		return false;
	ck_made_beside(made, "offsets", offsets);
	return ck_made_fact(made, "layout", "nested");
}

bool ck_rebuild_jagged(ck_torch *torch, const ck_value *value, ck_made *made)
{
	const ck_value *given = ck_argument(value, 0);
	ck_text text = {0};
	if (!given || given->kind != CK_DICT)
		return ck_rebuild_fail(torch, "a jagged tensor needs a dict of its parts");
	const ck_value *lengths = ck_item_named(torch, given->items, "lengths");
	const ck_value *ragged = ck_item_named(torch, given->items, "_ragged_idx");
	made->kind = CK_MADE_TENSOR;
	if (!add_part(torch, made, ck_item_named(torch, given->items, "values"), "values",
	              "the values of a jagged tensor") ||
	    !add_part(torch, made, ck_item_named(torch, given->items, "offsets"), "offsets",
	              "the offsets of a jagged tensor"))
		return false;
	if (lengths && lengths->kind != CK_NONE &&
	    !add_part(torch, made, lengths, "lengths", "the lengths of a jagged tensor"))
		return false;
	if (ragged && ragged->kind == CK_INT &&
	    (!ck_text_addf(torch->job, &text, "%lld%c", (long long)ragged->i, 0) ||
	     !ck_made_fact(made, "ragged_idx", text.data)))
		return false;
	return ck_made_fact(made, "layout", "jagged");
}
