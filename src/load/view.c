/* How a value is seen: as a tensor, as something with parts, or as a leaf. */
#include "rebuild.h"
#include "view.h"

bool ck_view_charge(ck_torch *torch, uint64_t n)
{
	torch->loaded->visits += n;
	return !ck_stopped(torch->job) &&
	       ck_within(torch->job, torch->pickle->label, visits, torch->loaded->visits);
}

bool ck_view_scan(ck_torch *torch, uint64_t n)
{
	enum { FREE = 64 };
	return n <= FREE || ck_view_charge(torch, n);
}

/* ---- tensors ---- */

static bool is_filled(const ck_value *function)
{
	const ck_global_row *row = function->kind == CK_GLOBAL ? ck_global_find(function) : NULL;
	return row && row->role == CK_ROLE_BUILT;
}

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
	/* some functions make nothing but the dress, and the state is what it is filled with */
	if (args->count > 3 && is_filled(args->item[0])) {
		call->later = ck_alloc(torch->job, sizeof *call->later);
		if (!call->later ||
		    !ck_items_push(torch->job, &call->later->states, args->item[3]))
			return NULL;
	}
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

/* Values that changed after the call took them are not what it took. Charged, because a call may be
 * named as often as it has arguments. */
static bool check_given(ck_torch *torch, const ck_value *value, const ck_items *given)
{
	bool changed;
	if (!ck_view_scan(torch, given->count))
		return false;
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
	else if (row && (row->role == CK_ROLE_BUILT || row->role == CK_ROLE_SCRIPT ||
	                 row->role == CK_ROLE_ATTRIBUTES || row->role == CK_ROLE_WRAP))
		odd = later->items.count || later->pairs.count;
	else if (row && row->role != CK_ROLE_VALUE && row->role != CK_ROLE_OBJECT &&
	         row->role != CK_ROLE_CLASS)
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

static bool is_dress(const ck_value *value, const ck_global_row *row)
{
	return row->role == CK_ROLE_SAME || row->role == CK_ROLE_TYPED ||
	       (row->role == CK_ROLE_SCRIPT && ck_quantized_embedding(value));
}

/* One layer of dress off: the value inside, or NULL. What the layer adds goes into the view. */
static ck_value *undress_once(ck_torch *torch, const ck_value *value, const ck_global_row *row,
                              ck_view *view)
{
	const ck_items *args = value->call->args->items;
	if (args->count == 4 && args->item[3]->kind == CK_DICT && args->item[3]->items->count &&
	    !is_filled(args->item[0]))
		view->state = args->item[3];
	if (row->role == CK_ROLE_SCRIPT)
		return ck_quantized_embedding(value);
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
		if (!*row || !is_dress(value, *row))
			return value;
		const ck_value *inner = undress_once(torch, value, *row, view);
		if (!inner)
			return (*row)->role == CK_ROLE_TYPED ? value : NULL;
		value = inner;
		*row = NULL;
	}
	return value;
}

enum { REBUILD_DEPTH = 32 };

static bool check_made(ck_torch *torch, const ck_made *made, const char *name)
{
	if (made->kind != CK_MADE_TENSOR)
		return true;
	const char *label = torch->pickle->label;
	if (made->tensor && !ck_tensor_check(torch->job, made->tensor, label, name))
		return false;
	for (size_t i = 0; i < made->besides; i++)
		if (!ck_tensor_check(torch->job, made->beside[i].tensor, label, name))
			return false;
	return true;
}

/* What a call makes, once, however often it is shared. NULL after a failure. */
static ck_made *rebuild(ck_torch *torch, const ck_value *value, const ck_global_row *row,
                        const char *name)
{
	if (value->call->meaning)
		return value->call->meaning;
	uint64_t outer = torch->at;
	ck_made *made = ck_alloc(torch->job, sizeof *made);
	if (!made)
		return NULL;
	made->about = row->about;
	torch->at = value->at;
	if (torch->depth >= REBUILD_DEPTH) {
		ck_rebuild_fail(torch, "tensors made of tensors, more than %d deep", REBUILD_DEPTH);
		return NULL;
	}
	torch->depth++;
	if (!row->rebuild(torch, value, made) || !check_made(torch, made, name))
		return NULL;
	torch->depth--;
	if (made->kind == CK_MADE_TENSOR && made->tensor && made->tensor->storage->meta) {
		made->kind = CK_MADE_META;
		made->about = "meta tensor";
	}
	torch->at = outer;
	value->call->meaning = made;
	return made;
}

static bool is_made(const ck_global_row *row)
{
	return row && (row->role == CK_ROLE_TENSOR || row->role == CK_ROLE_BUILT);
}

const ck_made *ck_rebuild_value(ck_torch *torch, const ck_value *value)
{
	const ck_global_row *row;
	ck_view view = {0};
	const ck_value *inner = undress(torch, value, torch->path, &row, &view);
	if (!inner)
		return NULL;
	if (inner->kind == CK_CALL && is_made(row))
		return rebuild(torch, inner, row, ck_path_show(torch->path).s);
	ck_made *made = ck_alloc(torch->job, sizeof *made);
	if (made && inner->kind == CK_PERSID && torch->persistent)
		return torch->persistent(torch, inner, made) ? made : NULL;
	if (made) {
		made->kind = CK_MADE_VALUE;
		made->about = "value";
	}
	return made;
}

ck_tensor *ck_rebuild_part(ck_torch *torch, const ck_value *value, const char *what)
{
	const ck_made *made = value ? ck_rebuild_value(torch, value) : NULL;
	if (made && made->kind == CK_MADE_TENSOR && made->tensor && !made->besides)
		return made->tensor;
	if (made || !value)
		ck_rebuild_fail(torch, "%s must be a plain tensor, not %s", what,
		                value ? ck_value_about(value).s : "nothing");
	return NULL;
}

/* ---- views ---- */

static bool view_made(ck_view *view, const ck_made *made)
{
	static const ck_shape_kind kinds[] = {
		[CK_MADE_TENSOR] = CK_IS_TENSOR, [CK_MADE_META] = CK_IS_META,
		[CK_MADE_UNSUPPORTED] = CK_IS_UNSUPPORTED, [CK_MADE_VALUE] = CK_IS_LEAF,
		[CK_MADE_ARRAY] = CK_IS_LEAF,
		[CK_MADE_ITEMS] = CK_HAS_PARTS, [CK_MADE_INNER] = CK_IS_INNER,
	};
	if (!made)
		return false;
	view->kind = kinds[made->kind];
	view->made = made;
	view->about = made->about;
	view->inner = made->inner;
	view->is_dict = made->pairs;
	if (made->kind == CK_MADE_ITEMS)
		view->part[view->parts++] =
			(ck_part){.items = made->items, .pairs = made->pairs};
	return true;
}

static bool view_persistent(ck_torch *torch, const ck_value *value, const ck_path *path,
                            ck_view *view)
{
	ck_made *made = ck_alloc(torch->job, sizeof *made);
	return made && torch->persistent(torch, value, made) &&
	       check_made(torch, made, ck_path_show(path).s) && view_made(view, made);
}

static bool view_call(ck_torch *torch, const ck_value *value, const ck_path *path, ck_view *view)
{
	const ck_global_row *row;
	const ck_value *inner = undress(torch, value, path, &row, view);
	if (!inner)
		return false;
	if (inner->kind != CK_CALL)
		return ck_view_value(torch, inner, path, view);
	value = inner;
	if (row && row->role == CK_ROLE_OBJECT && value->call->meaning) /* a layout gave it one */
		return view_made(view, value->call->meaning);
	if (!row || row->role == CK_ROLE_OBJECT || row->role == CK_ROLE_CLASS) {
		view->kind = CK_HAS_PARTS;
		return ck_parts_object(torch, value, view);
	}
	view->about = row->about;
	switch (row->role) {
	case CK_ROLE_TENSOR:
	case CK_ROLE_BUILT:
		return view_made(view,
		                 rebuild(torch, value, row, ck_path_show(path).s));
	case CK_ROLE_META:
		view->kind = CK_IS_META;
		return true;
	case CK_ROLE_TYPED:
		view->kind = CK_IS_UNSUPPORTED;
		return true;
	case CK_ROLE_DICT:
		view->kind = CK_HAS_PARTS;
		return ck_parts_mapping(torch, value, view);
	case CK_ROLE_LIST:
		view->kind = CK_HAS_PARTS;
		return ck_parts_sequence(torch, value, view);
	case CK_ROLE_ATTRIBUTES:
		view->kind = CK_HAS_PARTS;
		return ck_module_attributes(torch, value, row, view);
	case CK_ROLE_WRAP:
		view->kind = CK_HAS_PARTS;
		return ck_module_wrapped(torch, value, row, view);
	case CK_ROLE_SCRIPT:
		view->kind = CK_HAS_PARTS;
		return ck_module_script(torch, value, view);
	case CK_ROLE_SAME:
	case CK_ROLE_OBJECT:
	case CK_ROLE_CLASS:
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
	case CK_PERSID:
		view->about = about[CK_PERSID];
		return !torch->persistent || view_persistent(torch, value, path, view);
	default:
		view->about = about[value->kind];
		return true;
	}
}
