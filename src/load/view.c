/* How a value is seen: as a tensor, as something with parts, or as a leaf. */
#include "view.h"

bool ck_view_charge(ck_torch *torch, uint64_t n)
{
	torch->visits += n;
	return !ck_stopped(torch->job) &&
	       ck_within(torch->job, torch->pickle->label, visits, torch->visits);
}

/* ---- tensors ---- */

/* _rebuild_from_type_v2(function, type, arguments, state) as the call function(*arguments), made up
 * once for each; NULL: it is none. What the type adds to the tensor is in the state; a type that is
 * not torch's own has been noted as unknown. */
static ck_value *unfold_typed(ck_torch *torch, const ck_value *value)
{
	const ck_items *args = value->call->args->items;
	if (value->call->meaning)
		return value->call->meaning;
	if (args->count < 3 || args->item[0]->kind != CK_GLOBAL ||
	    args->item[1]->kind != CK_GLOBAL || args->item[2]->kind != CK_TUPLE)
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

/* ---- what was done to the result of a call ---- */

static bool is_changed(ck_torch *torch, const ck_value *given, bool *changed)
{
	bool list = given->kind == CK_LIST || given->kind == CK_TUPLE;
	*changed = given->flags & CK_CHANGED;
	if (!list)
		return true;
	for (size_t i = 0; i < given->items->count && !*changed; i++)
		*changed = given->items->item[i]->flags & CK_CHANGED;
	return ck_view_charge(torch, given->items->count);
}

/* Values that changed after the call took them are not what it took. */
static bool check_given(ck_torch *torch, const ck_value *value, const ck_items *given)
{
	bool changed;
	for (size_t i = 0; i < given->count; i++) {
		if (!is_changed(torch, given->item[i], &changed))
			return false;
		if (changed)
			return ck_fail_at(
				torch->job, CK_CORRUPT, torch->pickle->label, value->at,
				"%s was made with a value that is changed afterwards; torch "
				"never writes that",
				ck_value_about(value).s);
	}
	return true;
}

/* What a known call makes takes no more than its kind does: nothing is set, appended or built into
 * a tensor, no item appended to a mapping. row is NULL for unknown calls, which take everything. */
static bool check_effects(ck_torch *torch, const ck_value *value, const ck_global_row *row,
                          const ck_path *path)
{
	const ck_later *later = ck_call_later(value->call);
	bool odd = false;
	if (row && row->role == CK_ROLE_DICT)
		odd = later->items.count;
	else if (row && row->role == CK_ROLE_LIST)
		odd = later->pairs.count;
	else if (row && row->role != CK_ROLE_VALUE && row->role != CK_ROLE_OBJECT)
		odd = later->items.count || later->pairs.count || later->states.count;
	if (odd)
		return ck_fail_at(torch->job, CK_CORRUPT, torch->pickle->label, value->at,
		                  "the pickle sets, appends or builds something into the result of "
		                  "%s.%s at %s; torch never writes that", row->module, row->name,
		                  ck_path_show(path).s);
	return check_given(torch, value, value->call->args->items) &&
	       check_given(torch, value, &later->states);
}

/* ---- layers ---- */

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
static const ck_value *undress(ck_torch *torch, const ck_value *value, const ck_path *path,
                               const ck_global_row **row, ck_view *view)
{
	*row = NULL;
	while (value->kind == CK_CALL && value->call->callee->kind == CK_GLOBAL) {
		*row = ck_global_find(value->call->callee);
		if (!ck_view_charge(torch, 1) || !check_effects(torch, value, *row, path))
			return NULL;
		if (!*row || ((*row)->role != CK_ROLE_SAME && (*row)->role != CK_ROLE_TYPED))
			return value;
		const ck_value *inner = undress_once(torch, value, *row, view);
		if (!inner)
			return (*row)->role == CK_ROLE_TYPED ? value : NULL;
		value = inner;
		*row = NULL;
	}
	return value;
}

/* Rebuilds the tensor of a call, once, however often it is shared. */
static bool rebuild(ck_torch *torch, const ck_value *value, const ck_global_row *row,
                    const ck_path *path, ck_tensor **out)
{
	*out = value->call->meaning;
	if (*out)
		return true;
	torch->at = value->at;
	ck_tensor *tensor = ck_alloc(torch->job, sizeof *tensor);
	value->call->meaning = tensor;
	*out = tensor;
	return tensor && row->rebuild(torch, value->call, tensor) &&
	       ck_tensor_check(torch->job, tensor, torch->pickle->label, ck_path_show(path).s);
}

/* ---- views ---- */

static bool view_call(ck_torch *torch, const ck_value *value, const ck_path *path, ck_view *view)
{
	const ck_global_row *row;
	const ck_value *inner = undress(torch, value, path, &row, view);
	if (!inner)
		return false;
	if (inner->kind != CK_CALL)
		return ck_view_value(torch, inner, path, view);
	value = inner;
	if (!row || row->role == CK_ROLE_OBJECT) {
		view->kind = CK_HAS_PARTS;
		return ck_parts_object(torch, value, view);
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
		return ck_parts_mapping(torch, value, view);
	case CK_ROLE_LIST:
		view->kind = CK_HAS_PARTS;
		return ck_parts_sequence(torch, value, view);
	case CK_ROLE_SAME:
	case CK_ROLE_OBJECT:
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
		view->part[view->parts++] = (ck_part){.items = value->items};
		return true;
	case CK_DICT:
		view->kind = CK_HAS_PARTS;
		view->is_dict = true;
		view->part[view->parts++] = (ck_part){.items = value->items, .pairs = true};
		return true;
	case CK_CALL:
		return view_call(torch, value, path, view);
	default:
		view->about = about[value->kind];
		return true;
	}
}
