/* The parts of mappings, sequences and objects that calls would have made, whatever way their
 * contents were given: as arguments, set or appended later, or as state. */
#include "rebuild.h"
#include "view.h"

enum { NESTED_MAX = 8 }; /* OrderedDict(OrderedDict(...)) */

bool ck_parts_add(ck_torch *torch, ck_view *view, ck_part part)
{
	if (!part.items->count)
		return true;
	if (view->parts == CK_PARTS_MAX)
		return ck_fail(torch->job, CK_UNSUPPORTED, torch->pickle->label,
		               "an object was built in more than %d steps", CK_PARTS_MAX);
	/* positions go on from one sequence to the next, so that no two things get one name */
	for (size_t i = 0; !part.pairs && i < view->parts; i++)
		part.base += view->part[i].pairs ? 0 : view->part[i].items->count;
	view->part[view->parts++] = part;
	return true;
}

static bool add_pairs(ck_torch *torch, ck_view *view, const ck_items *pairs)
{
	return ck_parts_add(torch, view, (ck_part){.items = pairs, .pairs = true});
}

static bool add_items(ck_torch *torch, ck_view *view, const ck_items *items)
{
	return ck_parts_add(torch, view, (ck_part){.items = items});
}

/* ---- mappings ---- */

static bool push_all(ck_torch *torch, ck_items *to, const ck_items *from)
{
	if (!ck_view_charge(torch, from->count))
		return false;
	for (size_t i = 0; i < from->count; i++)
		if (!ck_items_push(torch->job, to, from->item[i]))
			return false;
	return true;
}

/* A list of pairs, as dict() takes it. Anything else in the list is no pair and goes nowhere. */
static bool push_pairs(ck_torch *torch, ck_items *to, const ck_items *list)
{
	if (!ck_view_charge(torch, list->count))
		return false;
	for (size_t i = 0; i < list->count; i++) {
		const ck_value *pair = list->item[i];
		if ((pair->kind != CK_TUPLE && pair->kind != CK_LIST) || pair->items->count != 2)
			return ck_fail_at(torch->job, CK_CORRUPT, torch->pickle->label, torch->at,
			                  "a dict cannot be made from %s %s that is no pair",
			                  ck_article(ck_value_about(pair).s),
			                  ck_value_about(pair).s);
		if (!push_all(torch, to, pair->items))
			return false;
	}
	return true;
}

static bool is_mapping_call(const ck_value *value)
{
	if (value->kind != CK_CALL || value->call->callee->kind != CK_GLOBAL)
		return false;
	const ck_global_row *row = ck_global_find(value->call->callee);
	return row && row->role == CK_ROLE_DICT;
}

static bool is_defaultdict(const ck_call *call)
{
	return ck_value_is_global(call->callee, "collections", "defaultdict");
}

static bool fill_mapping(ck_torch *torch, ck_items *to, const ck_value *value, int nested)
{
	const ck_call *call = value->call;
	/* mappings of mappings would double at each level */
	if (!ck_view_charge(torch, call->args->items->count + 1))
		return false;
	for (size_t i = 0; i < call->args->items->count; i++) {
		const ck_value *from = call->args->items->item[i];
		bool ok = true;
		if (!i && is_defaultdict(call)) /* what makes missing items, such as a partial */
			continue;
		if (from->kind == CK_DICT)
			ok = push_all(torch, to, from->items);
		else if (from->kind == CK_LIST || from->kind == CK_TUPLE)
			ok = push_pairs(torch, to, from->items);
		else if (nested < NESTED_MAX && is_mapping_call(from))
			ok = fill_mapping(torch, to, from, nested + 1);
		else if (from->kind == CK_CALL)
			ok = ck_fail_at(torch->job, CK_UNSUPPORTED, torch->pickle->label, value->at,
			                "a dict is made from %s %s, which only running the pickle "
			                "would turn into one",
			                ck_article(ck_value_about(from).s), ck_value_about(from).s);
		if (!ok)
			return false;
	}
	return push_all(torch, to, &ck_call_later(call)->pairs);
}

/* Keys and values in turn of a dict, or of a call that makes a mapping: *items is NULL for all
 * else. What a call gives is put together once. */
bool ck_parts_pairs(ck_torch *torch, const ck_value *value, const ck_items **items)
{
	*items = NULL;
	if (value && value->kind == CK_DICT)
		*items = value->items;
	if (!value || !is_mapping_call(value))
		return true;
	if (!value->call->args->items->count) {
		*items = &ck_call_later(value->call)->pairs;
		return true;
	}
	if (!value->call->meaning) {
		ck_items *all = ck_alloc(torch->job, sizeof *all);
		torch->at = value->at;
		if (!all || !fill_mapping(torch, all, value, 0) ||
		    !ck_items_settle(torch->job, all, 2))
			return false;
		value->call->meaning = all;
	}
	*items = value->call->meaning;
	return true;
}

/* ---- state ---- */

/* A state that only its class understands, such as another object: looked at by position. */
static bool add_alone(ck_torch *torch, ck_value *state, ck_view *view)
{
	ck_items *one = ck_alloc(torch->job, sizeof *one);
	ck_value **item = ck_alloc(torch->job, sizeof *item);
	if (!one || !item)
		return false;
	*item = state;
	*one = (ck_items){.item = item, .count = 1};
	return add_items(torch, view, one);
}

/* A dict of attributes, (dict, slots) with two of them, or the class's own affair. */
bool ck_parts_state(ck_torch *torch, ck_value *state, ck_view *view)
{
	const ck_items *pairs;
	bool done = false;
	if (!ck_parts_pairs(torch, state, &pairs))
		return false;
	if (pairs)
		return ck_view_charge(torch, pairs->count) &&
		       ck_module_view(torch, pairs, view, &done) &&
		       (done || add_pairs(torch, view, pairs));
	if (state->kind != CK_TUPLE && state->kind != CK_LIST)
		return state->kind == CK_NONE || add_alone(torch, state, view);
	const ck_items *both = state->items;
	bool slots = both->count == 2 && both->item[1]->kind == CK_DICT &&
	             (both->item[0]->kind == CK_DICT || both->item[0]->kind == CK_NONE);
	if (!slots)
		return add_items(torch, view, both);
	return (both->item[0]->kind == CK_NONE || ck_parts_state(torch, both->item[0], view)) &&
	       add_pairs(torch, view, both->item[1]->items);
}

/* An OrderedDict carries {'_metadata': ...}, the versions of its modules: nothing to be kept. */
static bool is_only_metadata(const ck_value *state)
{
	return state->kind == CK_DICT && state->items->count == 2 &&
	       ck_is_word(state->items->item[0], "_metadata");
}

static bool add_states(ck_torch *torch, const ck_call *call, ck_view *view)
{
	const ck_items *states = &ck_call_later(call)->states;
	view->has_scale = ck_quantized_is_functional(call->callee);
	for (size_t i = 0; i < states->count; i++) {
		ck_value *state = states->item[i];
		if (is_only_metadata(state))
			continue;
		if (!(ck_quantized_is_convolution(call->callee, state)
		              ? ck_quantized_convolution(torch, state, view)
		              : ck_parts_state(torch, state, view)))
			return false;
	}
	return true;
}

/* ---- what calls make ---- */

bool ck_parts_mapping(ck_torch *torch, const ck_value *value, ck_view *view)
{
	const ck_items *items;
	view->is_dict = true;
	return add_states(torch, value->call, view) && ck_parts_pairs(torch, value, &items) &&
	       add_pairs(torch, view, items);
}

static bool is_bare_sequence_call(const ck_value *value)
{
	if (value->kind != CK_CALL || value->call->callee->kind != CK_GLOBAL ||
	    value->call->later || !value->call->args->items->count)
		return false;
	const ck_global_row *row = ck_global_find(value->call->callee);
	return row && row->role == CK_ROLE_LIST;
}

/* list(...), deque(...), torch.Size(...): the items of the first argument, however often it was
 * wrapped. */
bool ck_parts_sequence(ck_torch *torch, const ck_value *value, ck_view *view)
{
	const ck_items *args = value->call->args->items;
	const ck_value *from = args->count ? args->item[0] : NULL;
	for (int nested = 0; from && nested < NESTED_MAX && is_bare_sequence_call(from); nested++)
		from = from->call->args->items->item[0];
	if (!add_states(torch, value->call, view))
		return false;
	if (from && (from->kind == CK_LIST || from->kind == CK_TUPLE || from->kind == CK_SET)) {
		if (!add_items(torch, view, from->items))
			return false;
	} else if (from && !add_items(torch, view, args)) {
		return false;
	}
	return add_items(torch, view, &ck_call_later(value->call)->items);
}

/* copyreg._reconstructor(class, base, state of the base): the items of a dict or list subclass. */
static bool add_base(ck_torch *torch, const ck_items *args, ck_view *view)
{
	const ck_items *pairs;
	if (args->count < 3)
		return true;
	const ck_value *base = args->item[2];
	if (base->kind == CK_LIST || base->kind == CK_TUPLE || base->kind == CK_SET)
		return add_items(torch, view, base->items);
	return ck_parts_pairs(torch, base, &pairs) && (!pairs || add_pairs(torch, view, pairs));
}

static bool is_reconstructor(const ck_value *callee)
{
	const ck_global_row *row = callee->kind == CK_GLOBAL ? ck_global_find(callee) : NULL;
	return row && row->role == CK_ROLE_OBJECT;
}

bool ck_parts_object(ck_torch *torch, const ck_value *value, ck_view *view)
{
	const ck_call *call = value->call;
	const ck_later *later = ck_call_later(call);
	view->is_object = true;
	bool base = is_reconstructor(call->callee);
	return add_states(torch, call, view) && add_pairs(torch, view, &later->pairs) &&
	       add_items(torch, view, &later->items) &&
	       (base ? add_base(torch, call->args->items, view)
	             : add_items(torch, view, call->args->items)) &&
	       (!call->kwargs || add_pairs(torch, view, call->kwargs->items));
}
