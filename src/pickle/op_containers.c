/* Opcodes that make lists, tuples, dicts and sets; op_fill.c has those that fill them. */
#include "vm.h"

#include <string.h>

/* A container with the count of what it leaves out behind it. */
static ck_value *new_counted(ck_vm *vm, ck_kind kind)
{
	ck_value *value = ck_spare_alloc(vm->job, &vm->spare, CK_COUNTED_SIZE);
	if (!value)
		return NULL;
	memset(value, 0, CK_COUNTED_SIZE);
	value->kind = (uint8_t)kind;
	value->id = ++vm->values;
	value->at = vm->step->at & CK_AT_MAX;
	value->flags = CK_MUTABLE | CK_UNHASHABLE | CK_COUNTED;
	return value;
}

static ck_value *new_items(ck_vm *vm, ck_kind kind)
{
	if (vm->lean && kind != CK_TUPLE)
		return new_counted(vm, kind);
	ck_value *value = ck_vm_new(vm, kind);
	if (value && kind != CK_TUPLE)
		value->flags = CK_MUTABLE | CK_UNHASHABLE;
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

ck_value *ck_vm_collect(ck_vm *vm, ck_kind kind, size_t start)
{
	if (kind == CK_TUPLE && vm->depth == start)
		return &vm->empty_tuple;
	ck_value *value = new_items(vm, kind);
	if (!value || !ck_vm_add(vm, value, value->items, vm->stack + start, vm->depth - start))
		return NULL;
	vm->depth = start;
	for (size_t i = 0; kind == CK_TUPLE && i < value->items->count; i++)
		value->flags |= value->items->item[i]->flags & CK_UNHASHABLE;
	return value;
}

static bool push_marked(ck_vm *vm, ck_kind kind)
{
	size_t start;
	return ck_vm_unmark(vm, &start) && ck_vm_push(vm, ck_vm_collect(vm, kind, start));
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
	if (vm->depth - ck_vm_fence(vm) < count)
		return ck_vm_fail(vm, "it needs %s above the last MARK", ck_many(count, "value").s);
	return ck_vm_push(vm, ck_vm_collect(vm, CK_TUPLE, vm->depth - count));
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

static bool count_key(ck_vm *vm, const ck_value *key, int depth, bool made);

static bool count_parts(ck_vm *vm, const ck_items *parts, int depth, bool made)
{
	for (size_t i = 0; i < parts->count; i++)
		if (!count_key(vm, parts->item[i], depth + 1, made))
			return false;
	return true;
}

/* Python compares a key that it has hashed before in no time, we look at all of it each time: a
 * long string or a tuple of tuples of tuples, named again and again, must not cost more than the
 * limit; and what Python hashes anew each time is counted, too. `made`: it may be a tuple by a call
 * that was given a list. */
static bool count_key(ck_vm *vm, const ck_value *key, int depth, bool made)
{
	enum { EACH = 32, LEVELS_MAX = 1024 };
	vm->keys += EACH;
	if ((key->kind == CK_STR || key->kind == CK_BYTES || key->kind == CK_LONG) &&
	    key->text.data)
		vm->keys += key->text.len;
	if (!ck_within(vm->job, vm->steps.source->label, text, vm->keys))
		return false;
	if (depth > LEVELS_MAX)
		return ck_fail_at(vm->job, CK_LIMIT, vm->steps.source->label, vm->step->at,
		                  "a key has more than %d levels", LEVELS_MAX);
	if (key->kind == CK_CALL && ck_value_makes_container(key->call->callee)) {
		const ck_later *later = ck_call_later(key->call);
		return count_parts(vm, key->call->args->items, depth, true) &&
		       count_parts(vm, &later->items, depth, true) &&
		       count_parts(vm, &later->pairs, depth, true);
	}
	bool holds = made && (key->kind == CK_LIST || key->kind == CK_SET || key->kind == CK_DICT);
	if (key->kind != CK_TUPLE && !holds)
		return true;
	vm->keys += EACH * ck_value_left_out(key);
	return count_parts(vm, key->items, depth, made);
}

bool ck_vm_check_keys(ck_vm *vm, const ck_items *items, size_t step)
{
	for (size_t i = 0; i < items->count; i += step) {
		if (items->item[i]->flags & CK_UNHASHABLE)
			return ck_vm_fail(vm, "a %s cannot be a key",
			                  ck_value_about(items->item[i]).s);
		if (!count_key(vm, items->item[i], 0, false))
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
	ck_value *dict = ck_vm_collect(vm, CK_DICT, start);
	return dict && ck_vm_check_keys(vm, dict->items, 2) &&
	       (!dict->items->count || ck_vm_settle_later(vm, dict)) && ck_vm_push(vm, dict);
}

bool ck_op_frozenset(ck_vm *vm)
{
	size_t start;
	if (!ck_vm_unmark(vm, &start))
		return false;
	ck_value *set = ck_vm_collect(vm, CK_SET, start);
	if (!set)
		return false;
	set->flags = 0;
	return ck_vm_check_keys(vm, set->items, 1) && ck_vm_settle_later(vm, set) &&
	       ck_vm_push(vm, set);
}
