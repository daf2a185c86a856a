/* nn.Module without its class: which of its attributes state_dict() would name, and the ways in
 * which modules are dressed up: traced, compiled, wrapped. */
#include <string.h>

#include "rebuild.h"
#include "view.h"

/* The names that Module.state_dict() leaves out, as a set or as set([...]). */
static const ck_items *set_items(const ck_value *value)
{
	if (value && value->kind == CK_SET)
		return value->items;
	if (value && value->kind == CK_CALL && value->call->args->items->count == 1 &&
	    value->call->args->items->item[0]->kind == CK_LIST)
		return value->call->args->items->item[0]->items;
	return NULL;
}

/* Quantized modules keep their weights in a C++ object, which their state_dict() unpacks under the
 * same name. */
static bool add_scripts(ck_torch *torch, const ck_items *state, ck_view *view)
{
	for (size_t i = 0; i < state->count; i += 2) {
		const ck_value *value = state->item[i + 1];
		const ck_global_row *row =
			value->kind == CK_CALL && value->call->callee->kind == CK_GLOBAL
				? ck_global_find(value->call->callee) : NULL;
		if (!row || row->role != CK_ROLE_SCRIPT)
			continue;
		ck_items *pair = ck_alloc(torch->job, sizeof *pair);
		if (!pair)
			return false;
		*pair = (ck_items){.item = &state->item[i], .count = 2};
		if (!ck_parts_add(torch, view, (ck_part){.items = pair, .pairs = true}))
			return false;
	}
	return true;
}

/* An nn.Module names its tensors as its state_dict() would: parameters, buffers, then modules. Sets
 * *done if the state is that of one. */
bool ck_module_view(ck_torch *torch, const ck_items *state, ck_view *view, bool *done)
{
	const ck_value *hidden = ck_item_named(torch, state, "_non_persistent_buffers_set");
	const ck_value *some = ck_item_named(torch, state, "_buffers");
	const ck_items *parameters, *buffers, *modules;
	if (!ck_parts_pairs(torch, ck_item_named(torch, state, "_parameters"), &parameters) ||
	    !ck_parts_pairs(torch, some, &buffers) ||
	    !ck_parts_pairs(torch, ck_item_named(torch, state, "_modules"), &modules))
		return false;
	*done = parameters && modules && (buffers || !some);
	if (!*done)
		return true;
	view->aside = state;
	bool packed = view->has_scale || ck_item_named(torch, modules, "_packed_params");
	return add_scripts(torch, state, view) &&
	       (!packed || ck_quantized_numbers(torch, state, view)) &&
	       ck_parts_add(torch, view, (ck_part){.items = parameters, .pairs = true,
	                                       .skip_none = true}) &&
	       (!buffers || ck_parts_add(torch, view, (ck_part){.items = buffers, .pairs = true,
	                                                    .skip_none = true,
	                                                    .except = set_items(hidden)})) &&
	       ck_parts_add(torch, view, (ck_part){.items = modules, .pairs = true,
	                                       .skip_none = true});
}

/* ---- modules in disguise ---- */

bool ck_module_attributes(ck_torch *torch, const ck_value *value, const ck_global_row *row,
                          ck_view *view)
{
	const ck_items *pairs = NULL;
	const ck_items *args = value->call->args->items;
	ck_value *state = args->count ? args->item[0] : NULL;
	view->is_object = true;
	for (size_t i = 1; !row->about && i < args->count && state->kind != CK_DICT; i++)
		state = args->item[i];
	if (state && row->about) {
		/* a dict, or an object with a dict's items or attributes */
		const ck_later *later = state->kind == CK_CALL ? ck_call_later(state->call) : NULL;
		if (!ck_parts_pairs(torch, state, &pairs))
			return false;
		if (!pairs && later)
			pairs = later->pairs.count ? &later->pairs
			        : later->states.count && later->states.item[0]->kind == CK_DICT
			                ? later->states.item[0]->items : NULL;
		state = pairs ? ck_item_named(torch, pairs, row->about) : NULL;
	}
	return !state || ck_parts_state(torch, state, view);
}

bool ck_module_wrapped(ck_torch *torch, const ck_value *value, const ck_global_row *row,
                       ck_view *view)
{
	const ck_value *inner = ck_argument(value, 0);
	view->is_object = true;
	if (!inner)
		return ck_rebuild_fail(torch, "%s.%s needs what it wraps", row->module, row->name);
	if (!value->call->meaning) {
		ck_items *pair = ck_alloc(torch->job, sizeof *pair);
		ck_value *name = ck_alloc(torch->job, sizeof *name);
		if (!pair || !name)
			return false;
		*name = (ck_value){.kind = CK_STR, .at = value->at};
		name->text.data = row->about;
		name->text.len = strlen(row->about);
		if (!ck_items_push(torch->job, pair, name) ||
		    !ck_items_push(torch->job, pair, value->call->args->items->item[0]))
			return false;
		value->call->meaning = pair;
	}
	return ck_parts_add(torch, view, (ck_part){.items = value->call->meaning, .pairs = true});
}

/* What a C++ object packs is spelled as its state_dict() entry would be: a tuple of tensors. */
bool ck_module_script(ck_torch *torch, const ck_value *value, ck_view *view)
{
	const ck_items *states = &ck_call_later(value->call)->states;
	view->is_object = true;
	for (size_t i = 0; i < states->count; i++) {
		const ck_value *state = states->item[i];
		if (state->kind == CK_TUPLE && state->items->count == 2)
			state = state->items->item[0];
		if ((state->kind == CK_TUPLE || state->kind == CK_LIST) &&
		    !ck_parts_add(torch, view, (ck_part){.items = state->items}))
			return false;
	}
	return true;
}
