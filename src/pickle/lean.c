/* What a lean machine leaves out: items of large containers that nobody will look at are only
 * counted, and their memory is used again. */
#include "vm.h"

#include <string.h>

enum { DEPTH_MAX = 4 }; /* of containers in each other that are left out together */

static bool is_leaf(const ck_value *value)
{
	return value->kind <= CK_BYTES;
}

static bool is_container(const ck_value *value)
{
	return value->kind >= CK_LIST && value->kind <= CK_DICT;
}

/* Text that can be the name of an attribute which the judge looks for: it begins with an
 * underscore, or is "append", "add", "extend" or "update". */
static bool has_meaning(const ck_value *key)
{
	bool text = key->kind == CK_STR || key->kind == CK_BYTES;
	const char *name = text ? key->text.data : NULL;
	uint64_t len = name ? key->text.len : 0;
	if (!len)
		return false;
	switch (*name) {
	case '_':
		return true;
	case 'a':
		return (len == 3 && !memcmp(name, "add", 3)) ||
		       (len == 6 && !memcmp(name, "append", 6));
	case 'e':
		return len == 6 && !memcmp(name, "extend", 6);
	case 'u':
		return len == 6 && !memcmp(name, "update", 6);
	default:
		return false;
	}
}

/* Where a container can have such a name: at any key of a dict and any item of a set, and at the
 * first of two items, by which a mapping is made of a list of pairs. */
static bool may_name(const ck_value *container, size_t i)
{
	switch ((ck_kind)container->kind) {
	case CK_DICT:
		return i % 2 == 0;
	case CK_SET:
		return true;
	default:
		return !i;
	}
}

/* The references that lead to all that a value unfolds to; 0 if something in it stands elsewhere,
 * too, is of another kind, or has a meaning. */
static uint64_t count_plain(const ck_value *value, int depth)
{
	if (is_leaf(value))
		return 1;
	if (!is_container(value) || value->flags & CK_KEPT || depth == DEPTH_MAX)
		return 0;
	uint64_t count = 1 + ck_value_left_out(value);
	for (size_t i = 0; i < value->items->count; i++) {
		const ck_value *item = value->items->item[i];
		uint64_t part = may_name(value, i) && has_meaning(item)
		                        ? 0 : count_plain(item, depth + 1);
		if (!part)
			return 0;
		count += part;
	}
	return count;
}

static void give_up(ck_vm *vm, ck_value *value)
{
	if (is_leaf(value) || !value->id) {
		ck_vm_use_again(vm, value);
		return;
	}
	ck_items *items = value->items;
	for (size_t i = 0; i < items->count; i++)
		give_up(vm, items->item[i]);
	ck_vm_give_items(vm, items->item, items->cap);
	if (value->flags & CK_COUNTED)
		ck_spare_give(&vm->spare, value, CK_COUNTED_SIZE);
	else
		ck_vm_use_again(vm, value);
}

/* What is left behind of the first ones shows how deep the others are, and all that a judge
 * looks at: see DIGEST_VALUES. */
static uint64_t count_value(const ck_vm *vm, const ck_value *target, const ck_value *value)
{
	if (is_leaf(value))
		return 1;
	bool may = vm->knows && target->items->count >= CK_LEAN_CONTAINERS &&
	           value->height < target->height;
	return may ? count_plain(value, 0) : 0;
}

/* The first items are added as they are. */
bool ck_vm_add_lean(ck_vm *vm, ck_value *target, const ck_items *more, size_t step)
{
	size_t first = target->items->count < CK_LEAN_ITEMS
	                       ? CK_LEAN_ITEMS - target->items->count : 0;
	first = first < more->count ? first : more->count;
	uint64_t left_out = ck_value_left_out(target);
	if (!ck_vm_add(vm, target, target->items, more->item, first))
		return false;
	for (size_t i = first; i < more->count; i += step) {
		ck_value *key = more->item[i], *value = more->item[i + step - 1];
		bool named = (step == 2 && !is_leaf(key)) ||
		             (target->kind != CK_LIST && has_meaning(key));
		uint64_t count = named ? 0 : count_value(vm, target, value);
		if (!count) {
			if (!ck_vm_add(vm, target, target->items, more->item + i, step))
				return false;
			continue;
		}
		left_out += count + (step == 2);
		if (value->id) /* else it is everybody's */
			give_up(vm, value);
		if (step == 2 && key->id)
			give_up(vm, key);
	}
	memcpy(target + 1, &left_out, sizeof left_out);
	return true;
}
