/* Tensors that other tensors stand for: subclasses that wrap some, shards, and copies for devices
 * that torch cannot look into. */
#include "rebuild.h"
#include "view.h"

enum { COPIED = 8 }; /* visits for an item that is copied: it takes as many bytes */

/* ---- shards ---- */

static const char shard_note[] =
	"sharded tensors were found: only the local shards, those of the process that saved the "
	"file, are in it";

/* What a state holds under a name: a dict, or (dict, slots) with None for either. */
static const ck_value *attribute(ck_torch *torch, const ck_value *state, const char *name)
{
	const ck_value *found = NULL;
	if (state->kind == CK_DICT)
		return ck_item_named(torch, state->items, name);
	if (state->kind == CK_TUPLE && !ck_view_charge(torch, state->items->count))
		return NULL;
	for (size_t i = 0; state->kind == CK_TUPLE && i < state->items->count && !found; i++)
		if (state->items->item[i]->kind == CK_DICT)
			found = ck_item_named(torch, state->items->item[i]->items, name);
	return found;
}

static const ck_value *attribute_of_call(ck_torch *torch, const ck_value *value, const char *name)
{
	const ck_value *found = NULL;
	if (value->kind != CK_CALL)
		return NULL;
	const ck_items *states = &ck_call_later(value->call)->states;
	if (!ck_view_charge(torch, states->count + 1))
		return NULL;
	for (size_t i = 0; i < states->count && !found; i++)
		found = attribute(torch, states->item[i], name);
	return found;
}

/* The same as what another value makes. */
static bool make_same(ck_torch *torch, const ck_value *value, ck_made *made)
{
	const ck_made *inner = ck_rebuild_value(torch, value);
	if (!inner)
		return false;
	*made = *inner;
	return true;
}

/* (shards, metadata, ...): one shard takes the name, several are counted. */
static bool make_shards(ck_torch *torch, const ck_value *state, ck_made *made)
{
	if (state->kind != CK_TUPLE || !state->items->count ||
	    state->items->item[0]->kind != CK_LIST)
		return ck_rebuild_fail(torch, "a sharded tensor needs a tuple that begins with the "
		                       "list of its shards");
	const ck_items *shards = state->items->item[0]->items;
	ck_items *tensors = ck_alloc(torch->job, sizeof *tensors);
	if (!tensors || !ck_view_charge(torch, COPIED * (uint64_t)shards->count))
		return false;
	for (size_t i = 0; i < shards->count; i++) {
		const ck_value *tensor = attribute_of_call(torch, shards->item[i], "tensor");
		if (!tensor)
			return ck_rebuild_bad(torch, shards->item[i],
			                      "a shard must be an object with a tensor");
		if (!ck_items_push(torch->job, tensors, (ck_value *)(uintptr_t)tensor))
			return false;
	}
	if (tensors->count == 1 && !make_same(torch, tensors->item[0], made))
		return false;
	if (tensors->count != 1)
		*made = (ck_made){.kind = CK_MADE_ITEMS, .items = tensors};
	made->note = shard_note;
	return true;
}

bool ck_rebuild_sharded(ck_torch *torch, const ck_value *value, ck_made *made)
{
	const ck_items *states = &ck_call_later(value->call)->states;
	if (!states->count)
		return ck_made_unsupported(made, "sharded tensor without shards");
	return make_shards(torch, states->item[states->count - 1], made);
}

/* ---- wrappers ---- */

/* Many wrappers may share one state, and a state may name one dict many times. */
static bool push_state(ck_torch *torch, const ck_value *state, ck_items *all)
{
	bool has_items = state->kind == CK_TUPLE || state->kind == CK_DICT;
	if (has_items && !ck_view_charge(torch, COPIED * (uint64_t)state->items->count))
		return false;
	if (state->kind == CK_TUPLE) {
		for (size_t i = 0; i < state->items->count; i++)
			if (state->items->item[i]->kind == CK_DICT &&
			    !push_state(torch, state->items->item[i], all))
				return false;
		return true;
	}
	for (size_t i = 0; state->kind == CK_DICT && i < state->items->count; i++)
		if (!ck_items_push(torch->job, all, state->items->item[i]))
			return false;
	return true;
}

static bool may_hold_tensors(const ck_items *pairs)
{
	for (size_t i = 1; i < pairs->count; i += 2)
		switch ((ck_kind)pairs->item[i]->kind) {
		case CK_CALL: case CK_LIST: case CK_TUPLE: case CK_DICT: case CK_PERSID:
			return true;
		default:
			break;
		}
	return false;
}

/* A wrapper of a class that is not known: what it holds, under the names of its attributes. */
static bool make_attributes(ck_torch *torch, const ck_value *state, ck_made *made)
{
	ck_items *all = ck_alloc(torch->job, sizeof *all);
	if (!all || !push_state(torch, state, all))
		return false;
	if (!may_hold_tensors(all))
		return ck_made_unsupported(made, "tensor subclass without tensors in it");
	*made = (ck_made){
		.kind = CK_MADE_ITEMS, .items = all, .pairs = true,
		.note = "tensors that wrap others were found: those inside were taken, under the "
		        "names of the attributes that hold them"};
	return true;
}

bool ck_rebuild_wrapper(ck_torch *torch, const ck_value *value, ck_made *made)
{
	static const char *const modules[] = {"torch.distributed.tensor",
	                                      "torch.distributed.tensor._api",
	                                      "torch.distributed._tensor",
	                                      "torch.distributed._tensor.api"};
	const ck_value *type = ck_argument(value, 0);
	const ck_items *states = &ck_call_later(value->call)->states;
	if (!type || type->kind != CK_GLOBAL || !states->count)
		return ck_made_unsupported(made, "tensor subclass without data");
	const ck_value *state = states->item[states->count - 1];
	if (ck_value_is_global(type, "torch._subclasses.fake_tensor", "FakeTensor"))
		return ck_made_unsupported(made, "fake tensor");
	if (ck_value_is_global(type, "torch.distributed._shard.sharded_tensor.api",
	                       "ShardedTensor"))
		return make_shards(torch, state, made);
	for (size_t i = 0; i < CK_COUNT(modules); i++) {
		const ck_value *local = ck_value_is_global(type, modules[i], "DTensor")
		                                ? attribute(torch, state, "_local_tensor")
		                                : NULL;
		if (!local)
			continue;
		if (!make_same(torch, local, made))
			return false;
		made->note = shard_note;
		return true;
	}
	return make_attributes(torch, state, made);
}

/* ---- devices ---- */

bool ck_rebuild_device_tensor(ck_torch *torch, const ck_value *value, ck_made *made)
{
	const ck_value *data = ck_argument(value, 0), *type = ck_argument(value, 1);
	ck_dtype dtype;
	if (!data || !type)
		return ck_rebuild_fail(torch, "a tensor of another device needs data and a dtype");
	if (!ck_as_dtype(type, &dtype))
		return ck_rebuild_bad(torch, type, "a tensor's dtype must be one that ckconv "
		                      "knows");
	if (!make_same(torch, data, made))
		return false;
	if (made->kind == CK_MADE_VALUE)
		return ck_made_unsupported(made, "tensor of another device, kept as something that "
		                           "is no tensor");
	if (made->kind != CK_MADE_TENSOR || !made->tensor || made->tensor->dtype == dtype)
		return true;
	if (!ck_cast_is_known(made->tensor->dtype, dtype))
		return ck_made_unsupported(made, "tensor of another device, kept in another dtype");
	made->tensor = ck_tensor_cast(torch->job, torch->model, made->tensor, dtype);
	return made->tensor;
}

/* ---- fastai: its functions take the class first, then what torch's own take ---- */

static ck_items behind_class(const ck_value *value)
{
	ck_items args = *value->call->args->items;
	if (args.count) {
		args.item++;
		args.count--;
	}
	return args;
}

bool ck_rebuild_fastai(ck_torch *torch, const ck_value *value, ck_made *made)
{
	const ck_items args = behind_class(value);
	return ck_rebuild_plain_view(torch, &args, made);
}

bool ck_rebuild_fastai_quantized(ck_torch *torch, const ck_value *value, ck_made *made)
{
	const ck_items args = behind_class(value);
	return ck_rebuild_quantized_view(torch, &args, made);
}
