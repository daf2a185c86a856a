/* What each opcode does to the machine. A handler makes values and links them; none of them, and
 * nothing they call, can import, call or open anything. */
#include "vm.h"

#include <string.h>

static const char TUPLE_NEEDED[] = "the arguments of a call must be a tuple, not %s";

/* ---- values without parts ---- */

bool ck_op_none(ck_vm *vm)
{
	return ck_vm_push(vm, &vm->none);
}

bool ck_op_newtrue(ck_vm *vm)
{
	return ck_vm_push(vm, &vm->yes);
}

bool ck_op_newfalse(ck_vm *vm)
{
	return ck_vm_push(vm, &vm->no);
}

static bool push_int(ck_vm *vm, int64_t number)
{
	if (number >= 0 && number < CK_SMALL_INTS)
		return ck_vm_push(vm, &vm->small[number]);
	ck_value *value = ck_vm_new(vm, CK_INT);
	if (value)
		value->i = number;
	return ck_vm_push(vm, value);
}

bool ck_op_int_signed(ck_vm *vm)
{
	return push_int(vm, (int64_t)vm->step->number);
}

bool ck_op_int_plain(ck_vm *vm)
{
	return push_int(vm, (int64_t)vm->step->number);
}

static bool push_literal(ck_vm *vm, ck_literal rule)
{
	ck_value *value = ck_vm_new(vm, CK_INT);
	if (!value)
		return false;
	if (!ck_literal_integer(vm->job, rule, vm->step->text, (size_t)vm->step->len, value))
		return ck_vm_fail(vm, "'%s' is not an integer as Python reads one",
		                  ck_show(vm->step->text, (size_t)vm->step->len).s);
	return ck_vm_push(vm, value);
}

bool ck_op_int_text(ck_vm *vm)
{
	return push_literal(vm, CK_LITERAL_INT);
}

bool ck_op_long_text(ck_vm *vm)
{
	return push_literal(vm, CK_LITERAL_LONG);
}

bool ck_op_long_binary(ck_vm *vm)
{
	ck_value *value = ck_vm_new(vm, CK_INT);
	if (value)
		ck_literal_binary(vm->step->text, vm->step->len, value);
	return ck_vm_push(vm, value);
}

static bool push_float(ck_vm *vm, double number)
{
	ck_value *value = ck_vm_new(vm, CK_FLOAT);
	if (value)
		value->f = number;
	return ck_vm_push(vm, value);
}

bool ck_op_float_text(ck_vm *vm)
{
	double number;
	if (!ck_literal_float(vm->step->text, (size_t)vm->step->len, &number))
		return ck_vm_fail(vm, "'%s' is not a float as Python reads one",
		                  ck_show(vm->step->text, (size_t)vm->step->len).s);
	return push_float(vm, number);
}

bool ck_op_float_binary(ck_vm *vm)
{
	double number;
	memcpy(&number, &vm->step->number, sizeof number);
	return push_float(vm, number);
}

/* ---- text and bytes ---- */

static ck_value *new_text(ck_vm *vm, ck_kind kind, const char *data, uint64_t len)
{
	ck_value *value = ck_vm_new(vm, kind);
	if (!value)
		return NULL;
	value->text.data = data;
	value->text.len = len;
	return value;
}

static bool push_counted(ck_vm *vm, unsigned flags)
{
	ck_value *value = new_text(vm, CK_BYTES, vm->step->text, vm->step->len);
	if (!value)
		return false;
	value->flags = (uint8_t)flags;
	if (!value->text.data)
		value->at = vm->step->from;
	return ck_vm_push(vm, value);
}

bool ck_op_bytes(ck_vm *vm)
{
	return push_counted(vm, 0);
}

bool ck_op_bytearray(ck_vm *vm)
{
	return push_counted(vm, CK_MUTABLE | CK_UNHASHABLE);
}

bool ck_op_py2_string(ck_vm *vm)
{
	return push_counted(vm, CK_PY2);
}

bool ck_op_string_text(ck_vm *vm)
{
	const char *why;
	size_t len;
	char *text = ck_literal_string(vm->job, vm->step->text, (size_t)vm->step->len, &len, &why);
	if (!text)
		return why && ck_vm_fail(vm, "%s", why);
	ck_value *value = new_text(vm, CK_BYTES, text, len);
	if (value)
		value->flags = CK_PY2;
	return ck_vm_push(vm, value);
}

/* Python decodes with "surrogatepass": lone surrogates are allowed, overlong forms are not. */
static bool is_python_text(const char *text, uint64_t len)
{
	uint32_t code;
	for (size_t took; len; text += took, len -= took) {
		took = ck_utf8_next_wide(text, (size_t)len, &code);
		if (!took)
			return false;
	}
	return true;
}

bool ck_op_unicode(ck_vm *vm)
{
	if (!is_python_text(vm->step->text, vm->step->len))
		return ck_vm_fail(vm, "its text is not UTF-8");
	return ck_vm_push(vm, new_text(vm, CK_STR, vm->step->text, vm->step->len));
}

bool ck_op_unicode_text(ck_vm *vm)
{
	const char *why;
	size_t len;
	char *text = ck_literal_unicode(vm->job, vm->step->text, (size_t)vm->step->len, &len, &why);
	if (!text)
		return why && ck_vm_fail(vm, "%s", why);
	return ck_vm_push(vm, new_text(vm, CK_STR, text, len));
}

/* ---- containers ---- */

static ck_value *new_items(ck_vm *vm, ck_kind kind)
{
	ck_value *value = ck_vm_new(vm, kind);
	if (!value)
		return NULL;
	value->items = ck_alloc(vm->job, sizeof *value->items);
	if (!value->items)
		return NULL;
	if (kind == CK_LIST || kind == CK_DICT || kind == CK_SET)
		value->flags = CK_MUTABLE | CK_UNHASHABLE;
	size_t step = kind == CK_DICT ? 2 : 1;
	if ((kind == CK_DICT || kind == CK_SET) && !ck_vm_settle_later(vm, value->items, step))
		return NULL;
	return value;
}

bool ck_op_empty_list(ck_vm *vm)
{
	return ck_vm_push(vm, new_items(vm, CK_LIST));
}

bool ck_op_empty_dict(ck_vm *vm)
{
	return ck_vm_push(vm, new_items(vm, CK_DICT));
}

bool ck_op_empty_set(ck_vm *vm)
{
	return ck_vm_push(vm, new_items(vm, CK_SET));
}

bool ck_op_empty_tuple(ck_vm *vm)
{
	return ck_vm_push(vm, &vm->empty_tuple);
}

/* Everything from `start` up becomes one value. A tuple is as hashable as its items. */
static ck_value *collect(ck_vm *vm, ck_kind kind, size_t start)
{
	if (kind == CK_TUPLE && vm->depth == start)
		return &vm->empty_tuple;
	ck_value *value = new_items(vm, kind);
	if (!value || !ck_vm_take(vm, start, value->items))
		return NULL;
	for (size_t i = 0; kind == CK_TUPLE && i < value->items->count; i++)
		value->flags |= value->items->item[i]->flags & CK_UNHASHABLE;
	return value;
}

static bool push_marked(ck_vm *vm, ck_kind kind)
{
	size_t start;
	return ck_vm_unmark(vm, &start) && ck_vm_push(vm, collect(vm, kind, start));
}

bool ck_op_list(ck_vm *vm)
{
	return push_marked(vm, CK_LIST);
}

bool ck_op_tuple(ck_vm *vm)
{
	return push_marked(vm, CK_TUPLE);
}

static bool push_last(ck_vm *vm, size_t count)
{
	size_t fence = vm->mark_count ? vm->marks[vm->mark_count - 1] : 0;
	if (vm->depth - fence < count)
		return ck_vm_fail(vm, "it needs %zu values above the last MARK", count);
	return ck_vm_push(vm, collect(vm, CK_TUPLE, vm->depth - count));
}

bool ck_op_tuple1(ck_vm *vm)
{
	return push_last(vm, 1);
}

bool ck_op_tuple2(ck_vm *vm)
{
	return push_last(vm, 2);
}

bool ck_op_tuple3(ck_vm *vm)
{
	return push_last(vm, 3);
}

/* Python compares a key that it has hashed before in no time, we look at all of it each time: a long
 * string or a tuple of tuples of tuples, named again and again, must not cost more than the limit. */
static bool count_key(ck_vm *vm, const ck_value *key, int depth)
{
	enum { EACH = 32 };
	vm->keys += EACH;
	if ((key->kind == CK_STR || key->kind == CK_BYTES || key->kind == CK_LONG) && key->text.data)
		vm->keys += key->text.len;
	if (!ck_within(vm->job, vm->steps.source->label, text, vm->keys))
		return false;
	size_t parts = key->kind == CK_TUPLE && depth < CK_KEY_DEPTH ? key->items->count : 0;
	for (size_t i = 0; i < parts; i++)
		if (!count_key(vm, key->items->item[i], depth + 1))
			return false;
	return true;
}

static bool check_keys(ck_vm *vm, const ck_items *items, size_t step)
{
	for (size_t i = 0; i < items->count; i += step) {
		if (items->item[i]->flags & CK_UNHASHABLE)
			return ck_vm_fail(vm, "a %s cannot be a key",
			                  ck_value_about(items->item[i]).s);
		if (!count_key(vm, items->item[i], 0))
			return false;
	}
	return true;
}

bool ck_op_dict(ck_vm *vm)
{
	size_t start;
	if (!ck_vm_unmark(vm, &start))
		return false;
	if ((vm->depth - start) % 2)
		return ck_vm_fail(vm, "keys and values must come in pairs");
	ck_value *dict = collect(vm, CK_DICT, start);
	return dict && check_keys(vm, dict->items, 2) && ck_vm_push(vm, dict);
}

bool ck_op_frozenset(ck_vm *vm)
{
	size_t start;
	if (!ck_vm_unmark(vm, &start))
		return false;
	ck_value *set = collect(vm, CK_SET, start);
	if (!set)
		return false;
	set->flags = 0;
	return check_keys(vm, set->items, 1) && ck_vm_push(vm, set);
}

/* ---- filling containers ---- */

static bool push_all(ck_vm *vm, ck_items *to, const ck_items *from)
{
	for (size_t i = 0; i < from->count; i++)
		if (!ck_items_push(vm->job, to, from->item[i]))
			return false;
	return true;
}

/* Something is appended to, set in or built into a thing that only has a name here. */
static bool mark_changed(ck_value *target)
{
	target->flags |= CK_CHANGED;
	return true;
}

static bool is_named_only(const ck_value *value)
{
	return value->kind == CK_GLOBAL || value->kind == CK_PERSID || value->kind == CK_EXT;
}

/* Where a call keeps what is done to its result; NULL after a failure. */
static ck_later *later_of(ck_vm *vm, ck_value *target)
{
	if (!target->call->later)
		target->call->later = ck_alloc(vm->job, sizeof(ck_later));
	return target->call->later;
}

static bool add_later(ck_vm *vm, ck_value *target, const ck_items *items)
{
	ck_later *later = later_of(vm, target);
	return later && push_all(vm, &later->items, items);
}

static bool extend(ck_vm *vm, ck_value *target, const ck_items *items)
{
	if (target->kind == CK_LIST)
		return push_all(vm, target->items, items);
	if (target->kind == CK_CALL)
		return add_later(vm, target, items);
	if (is_named_only(target))
		return mark_changed(target);
	return ck_vm_fail(vm, "a %s cannot be appended to", ck_value_about(target).s);
}

bool ck_op_append(ck_vm *vm)
{
	ck_value *item = ck_vm_pop(vm);
	ck_value *target = item ? ck_vm_top(vm) : NULL;
	return target && extend(vm, target, &(ck_items){.item = &item, .count = 1});
}

/* The values above the newest mark, and the value below it that receives them; *target is NULL if
 * there is none to be given: then nothing is looked at, as in CPython. */
static bool take_for_target(ck_vm *vm, ck_items *items, ck_value **target)
{
	size_t start;
	*target = NULL;
	if (!ck_vm_unmark(vm, &start))
		return false;
	bool empty = vm->depth == start;
	size_t depth = vm->depth;
	vm->depth = start;
	ck_value *top = ck_vm_top(vm);
	vm->depth = depth;
	if (!top || !ck_vm_take(vm, start, items))
		return false;
	*target = empty ? NULL : top;
	return true;
}

bool ck_op_appends(ck_vm *vm)
{
	ck_items items;
	ck_value *target;
	return take_for_target(vm, &items, &target) && (!target || extend(vm, target, &items));
}

/* list[key] = value; CPython allows it for SETITEM, with a key that exists. */
static bool set_in_list(ck_vm *vm, const ck_value *target, const ck_items *pairs)
{
	for (size_t i = 0; i < pairs->count; i += 2) {
		const ck_value *key = pairs->item[i];
		int64_t count = (int64_t)target->items->count;
		int64_t index = key->kind == CK_BOOL ? key->b : key->i;
		if ((key->kind != CK_INT && key->kind != CK_BOOL) || index >= count ||
		    index < -count)
			return ck_vm_fail(vm, "the list has no item of that index");
		target->items->item[index < 0 ? index + count : index] = pairs->item[i + 1];
	}
	return true;
}

static bool set_pairs(ck_vm *vm, ck_value *target, const ck_items *pairs)
{
	if (target->kind == CK_LIST)
		return set_in_list(vm, target, pairs);
	if (is_named_only(target))
		return mark_changed(target);
	if (target->kind != CK_DICT && target->kind != CK_CALL)
		return ck_vm_fail(vm, "a %s has no items to be set", ck_value_about(target).s);
	if (target->kind == CK_CALL && !later_of(vm, target))
		return false;
	ck_items *to = target->kind == CK_DICT ? target->items : &target->call->later->pairs;
	if (target->kind == CK_CALL && !to->count && !ck_vm_settle_later(vm, to, 2))
		return false;
	return check_keys(vm, pairs, 2) && push_all(vm, to, pairs);
}

bool ck_op_setitem(ck_vm *vm)
{
	ck_value *pair[2];
	pair[1] = ck_vm_pop(vm);
	pair[0] = pair[1] ? ck_vm_pop(vm) : NULL;
	ck_value *target = pair[0] ? ck_vm_top(vm) : NULL;
	return target && set_pairs(vm, target, &(ck_items){.item = pair, .count = 2});
}

bool ck_op_setitems(ck_vm *vm)
{
	ck_items pairs;
	ck_value *target;
	if (!take_for_target(vm, &pairs, &target))
		return false;
	if (pairs.count % 2)
		return ck_vm_fail(vm, "keys and values must come in pairs");
	return !target || set_pairs(vm, target, &pairs);
}

bool ck_op_additems(ck_vm *vm)
{
	ck_items items;
	ck_value *target;
	if (!take_for_target(vm, &items, &target))
		return false;
	if (!target)
		return true;
	if (target->kind == CK_SET && target->flags & CK_MUTABLE)
		return check_keys(vm, &items, 1) && push_all(vm, target->items, &items);
	if (target->kind == CK_CALL)
		return add_later(vm, target, &items);
	if (is_named_only(target))
		return mark_changed(target);
	return ck_vm_fail(vm, "nothing can be added to a %s", ck_value_about(target).s);
}

/* ---- stack and memo ---- */

bool ck_op_pop(ck_vm *vm)
{
	/* on an empty frame POP takes the mark itself away */
	if (vm->mark_count && vm->marks[vm->mark_count - 1] == vm->depth) {
		vm->mark_count--;
		return true;
	}
	return ck_vm_pop(vm) != NULL;
}

bool ck_op_pop_mark(ck_vm *vm)
{
	return ck_vm_unmark(vm, &vm->depth);
}

bool ck_op_dup(ck_vm *vm)
{
	return ck_vm_push(vm, ck_vm_top(vm));
}

bool ck_op_get(ck_vm *vm)
{
	return ck_vm_push(vm, ck_vm_memo_get(vm, vm->step->number));
}

bool ck_op_put(ck_vm *vm)
{
	ck_value *top = ck_vm_top(vm);
	return top && ck_vm_memo_put(vm, vm->step->number, top);
}

bool ck_op_memoize(ck_vm *vm)
{
	ck_value *top = ck_vm_top(vm);
	return top && ck_vm_memo_put(vm, vm->memo_count, top);
}

static bool parse_index(ck_vm *vm, uint64_t *index)
{
	ck_value number = {0};
	if (!ck_literal_integer(vm->job, CK_LITERAL_INDEX, vm->step->text, (size_t)vm->step->len,
	                        &number) ||
	    number.kind != CK_INT || number.i < 0)
		return ck_vm_fail(vm, "'%s' is not a memo number",
		                  ck_show(vm->step->text, (size_t)vm->step->len).s);
	*index = (uint64_t)number.i;
	return true;
}

bool ck_op_get_text(ck_vm *vm)
{
	uint64_t index = 0;
	return parse_index(vm, &index) && ck_vm_push(vm, ck_vm_memo_get(vm, index));
}

bool ck_op_put_text(ck_vm *vm)
{
	uint64_t index = 0;
	ck_value *top = ck_vm_top(vm);
	return top && parse_index(vm, &index) && ck_vm_memo_put(vm, index, top);
}

/* ---- names and calls ---- */

static ck_value *new_global(ck_vm *vm, const char *module, size_t module_len, const char *name,
                            size_t name_len)
{
	ck_value *value = ck_vm_new(vm, CK_GLOBAL);
	ck_global *global = value ? ck_alloc(vm->job, sizeof *global) : NULL;
	if (!global)
		return NULL;
	*global = (ck_global){module, name, module_len, name_len};
	value->global = global;
	if (vm->globals && !ck_items_push(vm->job, vm->globals, value))
		return NULL;
	return value;
}

static ck_value *global_of_lines(ck_vm *vm, bool ascii)
{
	const ck_step *s = vm->step;
	if (!s->len || !s->more_len) {
		ck_vm_fail(vm, "a module and a name are needed");
		return NULL;
	}
	bool ok = ck_utf8_valid(s->text, (size_t)s->len) &&
	          ck_utf8_valid(s->more, (size_t)s->more_len);
	for (uint64_t i = 0; ok && ascii && i < s->len; i++)
		ok = (unsigned char)s->text[i] < 0x80;
	for (uint64_t i = 0; ok && ascii && i < s->more_len; i++)
		ok = (unsigned char)s->more[i] < 0x80;
	if (!ok) {
		ck_vm_fail(vm, ascii ? "the name is not ASCII" : "the name is not UTF-8");
		return NULL;
	}
	return new_global(vm, s->text, (size_t)s->len, s->more, (size_t)s->more_len);
}

bool ck_op_global(ck_vm *vm)
{
	return ck_vm_push(vm, global_of_lines(vm, false));
}

bool ck_op_stack_global(ck_vm *vm)
{
	static const char unknown[] = "?";
	const char *module, *text;
	size_t module_len, len;
	ck_value *name = ck_vm_pop(vm);
	ck_value *home = name ? ck_vm_pop(vm) : NULL;
	if (!home)
		return false;
	if (ck_value_text(home, &module, &module_len) && ck_value_text(name, &text, &len))
		return ck_vm_push(vm, new_global(vm, module, module_len, text, len));
	if (home->kind != CK_CALL && name->kind != CK_CALL)
		return ck_vm_fail(vm, "module and name must be strings, not %s and %s",
		                  ck_value_about(home).s, ck_value_about(name).s);
	/* a name that only running the pickle would tell: kept as such, it is never known */
	ck_value *global = new_global(vm, unknown, 1, unknown, 1);
	if (global)
		global->flags |= CK_COMPUTED;
	return ck_vm_push(vm, global);
}

static ck_value *new_call(ck_vm *vm, ck_call_how how, ck_value *callee, ck_value *args)
{
	if (callee->kind != CK_CALL && !is_named_only(callee)) {
		ck_vm_fail(vm, "a %s cannot be called", ck_value_about(callee).s);
		return NULL;
	}
	ck_value *value = ck_vm_new(vm, CK_CALL);
	ck_call *call = value ? ck_alloc(vm->job, sizeof *call) : NULL;
	if (!call)
		return NULL;
	*call = (ck_call){.callee = callee, .args = args, .how = how};
	value->call = call;
	return value;
}

static bool push_call(ck_vm *vm, ck_call_how how)
{
	ck_value *args = ck_vm_pop(vm);
	ck_value *callee = args ? ck_vm_pop(vm) : NULL;
	if (!callee)
		return false;
	if (args->kind != CK_TUPLE)
		return ck_vm_fail(vm, TUPLE_NEEDED, ck_value_about(args).s);
	return ck_vm_push(vm, new_call(vm, how, callee, args));
}

bool ck_op_reduce(ck_vm *vm)
{
	return push_call(vm, CK_REDUCE);
}

bool ck_op_newobj(ck_vm *vm)
{
	return push_call(vm, CK_NEWOBJ);
}

bool ck_op_newobj_ex(ck_vm *vm)
{
	ck_value *kwargs = ck_vm_pop(vm);
	if (!kwargs)
		return false;
	if (kwargs->kind != CK_DICT)
		return ck_vm_fail(vm, "the keyword arguments must be a dict, not %s",
		                  ck_value_about(kwargs).s);
	if (!push_call(vm, CK_NEWOBJ_EX))
		return false;
	ck_vm_top(vm)->call->kwargs = kwargs;
	return true;
}

bool ck_op_inst(ck_vm *vm)
{
	size_t start;
	if (!ck_vm_unmark(vm, &start))
		return false;
	ck_value *class = global_of_lines(vm, true);
	ck_value *args = class ? collect(vm, CK_TUPLE, start) : NULL;
	return args && ck_vm_push(vm, new_call(vm, CK_INST, class, args));
}

bool ck_op_obj(ck_vm *vm)
{
	size_t start;
	if (!ck_vm_unmark(vm, &start))
		return false;
	if (vm->depth == start)
		return ck_vm_fail(vm, "there is no class above the MARK");
	ck_value *args = collect(vm, CK_TUPLE, start + 1);
	ck_value *class = args ? ck_vm_pop(vm) : NULL;
	return class && ck_vm_push(vm, new_call(vm, CK_OBJ, class, args));
}

/* What holds neither attributes nor slots can be built into anything. */
static bool is_no_state(const ck_value *state)
{
	if (state->kind != CK_TUPLE || state->items->count != 2)
		return state->kind == CK_NONE;
	const ck_value *slots = state->items->item[1];
	return state->items->item[0]->kind == CK_NONE && slots->kind == CK_DICT &&
	       !slots->items->count;
}

bool ck_op_build(ck_vm *vm)
{
	ck_value *state = ck_vm_pop(vm);
	ck_value *target = state ? ck_vm_top(vm) : NULL;
	if (!target)
		return false;
	if (target->kind == CK_CALL)
		return later_of(vm, target) &&
		       ck_items_push(vm->job, &target->call->later->states, state);
	if (is_named_only(target))
		return mark_changed(target);
	return is_no_state(state) ||
	       ck_vm_fail(vm, "a %s has no attributes to be set", ck_value_about(target).s);
}

/* ---- persistent ids, extensions, buffers ---- */

static bool push_persid(ck_vm *vm, ck_value *pid)
{
	ck_value *value = pid ? ck_vm_new(vm, CK_PERSID) : NULL;
	if (value)
		value->pid = pid;
	return ck_vm_push(vm, value);
}

bool ck_op_persid(ck_vm *vm)
{
	return push_persid(vm, ck_vm_pop(vm));
}

bool ck_op_persid_text(ck_vm *vm)
{
	for (uint64_t i = 0; i < vm->step->len; i++)
		if ((unsigned char)vm->step->text[i] >= 0x80)
			return ck_vm_fail(vm, "a persistent id of protocol 0 must be ASCII");
	return push_persid(vm, new_text(vm, CK_STR, vm->step->text, vm->step->len));
}

bool ck_op_ext(ck_vm *vm)
{
	int64_t code = (int64_t)vm->step->number;
	if (code <= 0)
		return ck_vm_fail(vm, "the extension code must be above 0, not %lld",
		                  (long long)code);
	ck_value *value = ck_vm_new(vm, CK_EXT);
	if (value)
		value->i = code;
	return ck_vm_push(vm, value);
}

bool ck_op_next_buffer(ck_vm *vm)
{
	ck_value *value = ck_vm_new(vm, CK_BUFFER);
	if (value)
		value->i = vm->buffers++;
	return ck_vm_push(vm, value);
}

bool ck_op_readonly(ck_vm *vm)
{
	const ck_value *top = ck_vm_top(vm);
	if (!top)
		return false;
	bool bytes = top->kind == CK_BYTES && !(top->flags & CK_PY2);
	return bytes || top->kind == CK_BUFFER || top->kind == CK_CALL || is_named_only(top) ||
	       ck_vm_fail(vm, "a %s is no buffer", ck_value_about(top).s);
}

/* ---- the stream itself ---- */

bool ck_op_proto(ck_vm *vm)
{
	if (vm->step->number > 5)
		return ck_vm_fail(vm, "protocol %llu is unknown; there are 0 to 5",
		                  (unsigned long long)vm->step->number);
	return true;
}

bool ck_op_frame(ck_vm *vm)
{
	(void)vm; /* checked where it was read */
	return true;
}
