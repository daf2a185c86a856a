/* Opcodes that fill lists, dicts and sets, and what takes their place: objects that calls made,
 * names, and buffers of the loader's. */
#include "vm.h"

/* The items of a container of ours get more. */
static bool add_items(ck_vm *vm, ck_value *target, const ck_items *more, size_t step)
{
	if (target->flags & CK_COUNTED && target->items->count + more->count > CK_LEAN_ITEMS)
		return ck_vm_add_lean(vm, target, more, step);
	return ck_vm_add(vm, target, target->items, more->item, more->count);
}

static bool is_container(const ck_value *value)
{
	return value->kind == CK_LIST || value->kind == CK_DICT || value->kind == CK_SET;
}

/* One level deep, because OrderedDict([[key, value], ...]) copies its pairs as well; each value is
 * looked into once only. */
void ck_vm_pass(ck_value *value)
{
	bool has_items = value->kind == CK_LIST || (value->kind == CK_TUPLE && value->items->count);
	if ((!is_container(value) && !has_items) || value->flags & CK_PASSED)
		return;
	value->flags |= CK_PASSED;
	for (size_t i = 0; has_items && i < value->items->count; i++)
		if (is_container(value->items->item[i]))
			value->items->item[i]->flags |= CK_PASSED;
}

/* Python's calls copy what they are given; ours are recorded. A container that changes afterwards
 * no longer tells what the call saw. */
static void note_change(ck_value *target)
{
	if (is_container(target) && target->flags & CK_PASSED)
		target->flags |= CK_CHANGED;
}

bool ck_vm_mark_changed(ck_value *target)
{
	target->flags |= CK_CHANGED;
	return true;
}

bool ck_vm_is_name(const ck_value *value)
{
	return value->kind == CK_GLOBAL || value->kind == CK_PERSID || value->kind == CK_EXT;
}

bool ck_vm_is_object(const ck_value *value)
{
	return value->kind == CK_CALL || ck_vm_is_name(value);
}

ck_later *ck_vm_later(ck_vm *vm, ck_value *target)
{
	if (!target->call->later)
		target->call->later = ck_alloc(vm->job, sizeof(ck_later));
	return target->call->later;
}

static bool add_later(ck_vm *vm, ck_value *target, const ck_items *items)
{
	ck_later *later = ck_vm_later(vm, target);
	return later && ck_vm_add(vm, target, &later->items, items->item, items->count);
}

static bool is_bytearray(const ck_value *value)
{
	return value->kind == CK_BYTES && value->flags & CK_MUTABLE;
}

/* A loader may have given a bytearray, or a list: what it becomes nobody can tell, but Python goes
 * on. It is told once of each. */
static bool change_buffer(ck_vm *vm, ck_deed deed, ck_value *target, const ck_items *items)
{
	const bool again = target->flags & CK_CHANGED;
	target->flags |= CK_CHANGED;
	return again || ck_vm_tell(vm, deed, target, NULL, items);
}

static bool extend(ck_vm *vm, ck_value *target, const ck_items *items)
{
	if (target->kind == CK_LIST) {
		note_change(target);
		return add_items(vm, target, items, 1);
	}
	if (is_bytearray(target))
		return ck_vm_append_bytes(vm, target, items);
	if (target->kind == CK_BUFFER)
		return change_buffer(vm, CK_DID_APPEND, target, items);
	if (!ck_vm_tell(vm, CK_DID_APPEND, target, NULL, items))
		return false;
	if (target->kind == CK_CALL)
		return add_later(vm, target, items);
	if (ck_vm_is_name(target))
		return ck_vm_mark_changed(target);
	return ck_vm_fail(vm, "a %s cannot be appended to", ck_value_about(target).s);
}

bool ck_op_append(ck_vm *vm)
{
	ck_value *item = ck_vm_pop(vm);
	ck_value *target = item ? ck_vm_top(vm) : NULL;
	return target && extend(vm, target, &(ck_items){.item = &item, .count = 1});
}

/* The values above the newest mark, popped, and the value below it that receives them. They still
 * lie where the stack was: nothing may be pushed as long as they are needed. *target is NULL if
 * there is none to be given: then nothing is looked at, as in CPython. */
static bool take_for_target(ck_vm *vm, ck_items *items, ck_value **target)
{
	size_t start;
	*target = NULL;
	if (!ck_vm_unmark(vm, &start))
		return false;
	size_t count = vm->depth - start;
	vm->depth = start;
	ck_value *top = ck_vm_top(vm);
	*items = (ck_items){.item = vm->stack + start, .count = (uint32_t)count};
	*target = count ? top : NULL;
	return top;
}

bool ck_op_appends(ck_vm *vm)
{
	ck_items items;
	ck_value *target;
	return take_for_target(vm, &items, &target) && (!target || extend(vm, target, &items));
}

/* Only running the pickle would tell where the value goes: it is kept behind the others. */
static bool set_somewhere(ck_vm *vm, ck_value *target, const ck_items *pair)
{
	target->flags |= CK_CHANGED;
	return ck_vm_tell(vm, CK_DID_SET, target, NULL, pair) &&
	       ck_vm_add(vm, target, target->items, &pair->item[1], 1);
}

/* list[key] = value; CPython allows it for SETITEM, with a key that exists. */
static bool set_in_list(ck_vm *vm, ck_value *target, const ck_items *pairs)
{
	for (size_t i = 0; i < pairs->count; i += 2) {
		const ck_value *key = pairs->item[i];
		const ck_items pair = {.item = pairs->item + i, .count = 2};
		if (ck_vm_is_object(key) && !set_somewhere(vm, target, &pair))
			return false;
		if (ck_vm_is_object(key))
			continue;
		int64_t kept = (int64_t)target->items->count;
		int64_t count = kept + (int64_t)ck_value_left_out(target);
		int64_t index = key->kind == CK_BOOL ? key->b : key->i;
		if ((key->kind != CK_INT && key->kind != CK_BOOL) || index >= count ||
		    index < -count)
			return ck_vm_fail(vm, "the list has no item of that index");
		if (!ck_vm_raise(vm, target, pairs->item[i + 1]))
			return false;
		index += index < 0 ? count : 0;
		/* where items were left out, only the first are where they were */
		if (count == kept || index < CK_LEAN_ITEMS)
			target->items->item[index] = pairs->item[i + 1];
		else if (!ck_vm_add(vm, target, target->items, &pairs->item[i + 1], 1))
			return false;
	}
	return true;
}

static bool set_pairs(ck_vm *vm, ck_value *target, const ck_items *pairs)
{
	note_change(target);
	if (target->kind == CK_LIST)
		return set_in_list(vm, target, pairs);
	if (is_bytearray(target))
		return ck_vm_set_bytes(vm, target, pairs);
	if (target->kind == CK_BUFFER)
		return change_buffer(vm, CK_DID_SET, target, pairs);
	if (target->kind != CK_DICT && !ck_vm_tell(vm, CK_DID_SET, target, NULL, pairs))
		return false;
	if (ck_vm_is_name(target))
		return ck_vm_mark_changed(target);
	if (target->kind != CK_DICT && target->kind != CK_CALL)
		return ck_vm_fail(vm, "a %s has no items to be set", ck_value_about(target).s);
	if (target->kind == CK_CALL && !ck_vm_later(vm, target))
		return false;
	ck_items *to = target->kind == CK_DICT ? target->items : &target->call->later->pairs;
	if (!to->count && pairs->count && !ck_vm_settle_later(vm, target))
		return false;
	if (!ck_vm_check_keys(vm, pairs, 2))
		return false;
	return target->kind == CK_DICT ? add_items(vm, target, pairs, 2)
	                               : ck_vm_add(vm, target, to, pairs->item, pairs->count);
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
	note_change(target);
	if (target->kind == CK_SET && target->flags & CK_MUTABLE)
		return ck_vm_check_keys(vm, &items, 1) &&
		       (target->items->count || ck_vm_settle_later(vm, target)) &&
		       add_items(vm, target, &items, 1);
	if (!ck_vm_tell(vm, CK_DID_APPEND, target, NULL, &items))
		return false;
	if (target->kind == CK_CALL)
		return add_later(vm, target, &items);
	if (ck_vm_is_name(target))
		return ck_vm_mark_changed(target);
	return ck_vm_fail(vm, "nothing can be added to a %s", ck_value_about(target).s);
}
