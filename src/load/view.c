/* How a value is seen: as a tensor, as something with parts, or as a leaf. */
#include "load.h"

#include <string.h>

/* ---- tensors ---- */

/* _rebuild_from_type_v2(function, type, arguments, state) as the call function(*arguments), made up
 * once for each; NULL: it is none. What the type adds to the tensor is in the state; a type that is
 * not torch's own has been noted as unknown. */
static ck_value *unfold_typed(ck_torch *torch, const ck_value *value)
{
	const ck_items *args = value->call->args->items;
	if (value->call->meaning)
		return value->call->meaning;
	if (args->count < 3 || args->item[0]->kind != CK_GLOBAL || args->item[1]->kind != CK_GLOBAL ||
	    args->item[2]->kind != CK_TUPLE)
		return NULL;
	ck_value *inner = ck_alloc(torch->job, sizeof *inner);
	ck_call *call = ck_alloc(torch->job, sizeof *call);
	if (!inner || !call)
		return NULL;
	*call = (ck_call){.callee = args->item[0], .args = args->item[2], .how = CK_REDUCE};
	*inner = (ck_value){.kind = CK_CALL, .id = value->id, .at = value->at, .call = call};
	value->call->meaning = inner;
	return inner;
}

/* One layer of dress off: the value inside, or NULL. What the layer adds goes into the view. */
static ck_value *undress_once(ck_torch *torch, const ck_value *value, const ck_global_row *row,
                              ck_view *view)
{
	const ck_items *args = value->call->args->items;
	if (args->count == 4 && args->item[3]->kind == CK_DICT && args->item[3]->items->count)
		view->state = args->item[3];
	if (row->role == CK_ROLE_TYPED)
		return unfold_typed(torch, value);
	if (args->count)
		return args->item[0];
	ck_fail_at(torch->job, CK_CORRUPT, torch->pickle->label, value->at,
	           "%s.%s needs the tensor that it wraps", row->module, row->name);
	return NULL;
}

/* _rebuild_parameter(_rebuild_tensor_v2(...)): the innermost call counts. *row is the meaning of
 * what is returned, if it is a call with one. */
static const ck_value *undress(ck_torch *torch, const ck_value *value, const ck_global_row **row,
                               ck_view *view)
{
	uint64_t layers = 0;
	*row = NULL;
	while (value->kind == CK_CALL && value->call->callee->kind == CK_GLOBAL) {
		*row = ck_global_find(value->call->callee);
		if (!*row || ((*row)->role != CK_ROLE_SAME && (*row)->role != CK_ROLE_TYPED))
			return value;
		const ck_value *inner = undress_once(torch, value, *row, view);
		if (!inner)
			return (*row)->role == CK_ROLE_TYPED ? value : NULL;
		if (!ck_within(torch->job, torch->pickle->label, depth, ++layers))
			return NULL;
		value = inner;
		*row = NULL;
	}
	return value;
}

/* Rebuilds the tensor of a call, once, however often it is shared. */
static bool rebuild(ck_torch *torch, const ck_value *value, const ck_global_row *row,
                    const ck_path *path, ck_tensor **out)
{
	const ck_later *later = ck_call_later(value->call);
	*out = value->call->meaning;
	if (*out)
		return true;
	torch->at = value->at;
	if (later->items.count || later->pairs.count)
		return ck_fail_at(torch->job, CK_CORRUPT, torch->pickle->label, value->at,
		                  "the pickle sets items of the tensor %s; torch never writes that",
		                  ck_path_show(path).s);
	ck_tensor *tensor = ck_alloc(torch->job, sizeof *tensor);
	value->call->meaning = tensor;
	*out = tensor;
	return tensor && row->rebuild(torch, value->call, tensor) &&
	       ck_tensor_check(torch->job, tensor, torch->pickle->label, ck_path_show(path).s);
}

/* ---- parts ---- */

static void add_part(ck_view *view, ck_part part)
{
	if (part.items->count && view->parts < CK_PARTS_MAX)
		view->part[view->parts++] = part;
}

/* A list of pairs, as dict() takes it, as keys and values in turn; NULL if it is none. */
static const ck_items *flatten_pairs(ck_job *job, const ck_items *list)
{
	ck_items *flat = ck_alloc(job, sizeof *flat);
	for (size_t i = 0; flat && i < list->count; i++) {
		const ck_value *pair = list->item[i];
		if ((pair->kind != CK_TUPLE && pair->kind != CK_LIST) || pair->items->count != 2)
			return NULL;
		if (!ck_items_push(job, flat, pair->items->item[0]) ||
		    !ck_items_push(job, flat, pair->items->item[1]))
			return NULL;
	}
	return flat && ck_items_settle(job, flat, 2) ? flat : NULL;
}

static void add_state(const ck_value *state, ck_view *view);

/* An OrderedDict carries {'_metadata': ...}, the versions of its modules: nothing to be kept. */
static bool is_only_metadata(const ck_value *state)
{
	const char *text;
	size_t len;
	return state->kind == CK_DICT && state->items->count == 2 &&
	       ck_value_text(state->items->item[0], &text, &len) && len == 9 &&
	       !memcmp(text, "_metadata", 9);
}

static void add_mapping(ck_torch *torch, const ck_value *value, ck_view *view)
{
	const ck_call *call = value->call;
	view->is_dict = true;
	const ck_items *states = &ck_call_later(call)->states;
	for (size_t i = 0; i < states->count; i++)
		if (!is_only_metadata(states->item[i]))
			add_state(states->item[i], view);
	/* the argument that fills it: the only one, or the one behind a defaultdict's factory */
	for (size_t i = 0; i < call->args->items->count; i++) {
		const ck_value *from = call->args->items->item[i];
		const ck_items *pairs = NULL;
		if (from->kind == CK_DICT)
			pairs = from->items;
		else if (from->kind == CK_LIST || from->kind == CK_TUPLE)
			pairs = flatten_pairs(torch->job, from->items);
		if (pairs)
			add_part(view, (ck_part){.items = pairs, .pairs = true});
	}
	add_part(view, (ck_part){.items = &ck_call_later(call)->pairs, .pairs = true});
}

static void add_sequence(const ck_value *value, ck_view *view)
{
	const ck_call *call = value->call;
	const ck_value *from = call->args->items->count ? call->args->items->item[0] : NULL;
	if (from && (from->kind == CK_LIST || from->kind == CK_TUPLE || from->kind == CK_SET))
		add_part(view, (ck_part){.items = from->items});
	add_part(view, (ck_part){.items = &ck_call_later(call)->items});
}

/* ---- objects ---- */

static const ck_value *attribute(const ck_items *pairs, const char *name)
{
	const char *text;
	size_t len;
	for (size_t i = 0; i < pairs->count; i += 2)
		if (ck_value_text(pairs->item[i], &text, &len) && len == strlen(name) &&
		    !memcmp(text, name, len))
			return pairs->item[i + 1];
	return NULL;
}

/* Items of a dict, or of an OrderedDict that was filled later; NULL for all else. */
static const ck_items *mapping_items(const ck_value *value)
{
	if (value && value->kind == CK_DICT)
		return value->items;
	if (value && value->kind == CK_CALL && value->call->callee->kind == CK_GLOBAL) {
		const ck_global_row *row = ck_global_find(value->call->callee);
		if (row && row->role == CK_ROLE_DICT)
			return &ck_call_later(value->call)->pairs;
	}
	return NULL;
}

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

/* An nn.Module names its tensors as its state_dict() would: parameters, buffers, then modules. */
static bool add_module(const ck_items *state, ck_view *view)
{
	const ck_items *parameters = mapping_items(attribute(state, "_parameters"));
	const ck_items *buffers = mapping_items(attribute(state, "_buffers"));
	const ck_items *modules = mapping_items(attribute(state, "_modules"));
	if (!parameters || !modules)
		return false;
	view->is_module = true;
	view->aside = state;
	add_part(view, (ck_part){.items = parameters, .pairs = true, .skip_none = true});
	if (buffers)
		add_part(view, (ck_part){
			.items = buffers, .pairs = true, .skip_none = true,
			.except = set_items(attribute(state, "_non_persistent_buffers_set"))});
	add_part(view, (ck_part){.items = modules, .pairs = true, .skip_none = true});
	return true;
}

static void add_state(const ck_value *state, ck_view *view)
{
	const ck_items *pairs = mapping_items(state);
	if (pairs) {
		if (!add_module(pairs, view))
			add_part(view,
			         (ck_part){.items = pairs, .pairs = true, .attributes = true});
	} else if (state->kind == CK_TUPLE || state->kind == CK_LIST) {
		/* (dict, slots): both hold attributes; anything else is the class's own affair */
		const ck_items *both = state->items;
		bool slots = both->count == 2 && (both->item[1]->kind == CK_DICT) &&
		             (both->item[0]->kind == CK_DICT || both->item[0]->kind == CK_NONE);
		if (!slots)
			add_part(view, (ck_part){.items = both});
		for (size_t i = 0; slots && i < 2; i++)
			if (both->item[i]->kind == CK_DICT)
				add_part(view, (ck_part){.items = both->item[i]->items,
				                         .pairs = true, .attributes = true});
	}
}

static void add_object(const ck_value *value, ck_view *view)
{
	const ck_call *call = value->call;
	view->is_object = true;
	const ck_later *later = ck_call_later(call);
	for (size_t i = 0; i < later->states.count; i++)
		add_state(later->states.item[i], view);
	add_part(view, (ck_part){.items = &later->pairs, .pairs = true});
	add_part(view, (ck_part){.items = later->items.count ? &later->items : call->args->items});
}

static bool is_changed(const ck_value *given)
{
	if (given->kind == CK_LIST)
		for (size_t i = 0; i < given->items->count; i++)
			if (given->items->item[i]->flags & CK_CHANGED)
				return true;
	return given->flags & CK_CHANGED;
}

/* Values that changed after the call took them are not what it took. */
static bool check_given(ck_torch *torch, const ck_value *value)
{
	const ck_items *given[] = {value->call->args->items, &ck_call_later(value->call)->states};
	for (size_t k = 0; k < CK_COUNT(given); k++)
		for (size_t i = 0; i < given[k]->count; i++)
			if (is_changed(given[k]->item[i]))
				return ck_fail_at(torch->job, CK_CORRUPT, torch->pickle->label,
				                  value->at, "%s was made with a value that is "
				                  "changed afterwards; torch never writes that",
				                  ck_value_about(value).s);
	return true;
}

static bool view_call(ck_torch *torch, const ck_value *value, const ck_path *path, ck_view *view)
{
	const ck_global_row *row;
	const ck_value *inner = undress(torch, value, &row, view);
	if (!inner)
		return false;
	if (inner->kind != CK_CALL)
		return ck_view_value(torch, inner, path, view);
	value = inner;
	if ((!row || row->role == CK_ROLE_DICT || row->role == CK_ROLE_LIST) &&
	    !check_given(torch, value))
		return false;
	if (!row) {
		add_object(value, view);
		view->kind = CK_HAS_PARTS;
		return true;
	}
	view->about = row->about;
	switch (row->role) {
	case CK_ROLE_TENSOR:
		if (!rebuild(torch, value, row, path, &view->tensor))
			return false;
		view->kind = view->tensor->storage->meta ? CK_IS_META : CK_IS_TENSOR;
		view->about = "meta tensor";
		return true;
	case CK_ROLE_META:
		view->kind = CK_IS_META;
		return true;
	case CK_ROLE_TYPED:
	case CK_ROLE_UNSUPPORTED:
		view->kind = CK_IS_UNSUPPORTED;
		return true;
	case CK_ROLE_DICT:
		view->kind = CK_HAS_PARTS;
		add_mapping(torch, value, view);
		return true;
	case CK_ROLE_LIST:
		view->kind = CK_HAS_PARTS;
		add_sequence(value, view);
		return true;
	case CK_ROLE_SAME:
	case CK_ROLE_VALUE:
		break;
	}
	return true;
}

bool ck_view_value(ck_torch *torch, const ck_value *value, const ck_path *path, ck_view *view)
{
	static const char *const about[] = {
		[CK_NONE] = "None", [CK_BOOL] = "bool", [CK_INT] = "int", [CK_LONG] = "int",
		[CK_FLOAT] = "float", [CK_STR] = "str", [CK_BYTES] = "bytes",
		[CK_GLOBAL] = "global", [CK_PERSID] = "storage", [CK_EXT] = "extension",
		[CK_BUFFER] = "buffer", [CK_CALL] = "object",
	};
	*view = (ck_view){.kind = CK_IS_LEAF};
	switch ((ck_kind)value->kind) {
	case CK_LIST:
	case CK_TUPLE:
	case CK_SET:
		view->kind = CK_HAS_PARTS;
		add_part(view, (ck_part){.items = value->items});
		return true;
	case CK_DICT:
		view->kind = CK_HAS_PARTS;
		view->is_dict = true;
		add_part(view, (ck_part){.items = value->items, .pairs = true});
		return true;
	case CK_CALL:
		return view_call(torch, value, path, view);
	default:
		view->about = about[value->kind];
		return true;
	}
}
