/* Bytearrays that a pickle changes number by number: no pickler writes that, but Python goes
 * on. */
#include "vm.h"

#include <string.h>

/* The smallest room that holds so many bytes and a NUL. */
static uint64_t room_for(uint64_t len)
{
	uint64_t room = 16;
	while (room <= len && room <= INT64_MAX)
		room *= 2;
	return room;
}

/* Makes room for `more` bytes. What is changed already has the room of its length, and what lies in
 * the source is read. NULL after a failure. */
static char *open_bytes(ck_vm *vm, ck_value *value, uint64_t more)
{
	uint64_t len = value->text.len, need;
	bool own = value->flags & CK_CHANGED, left = !value->text.data;
	vm->steps.text += more + (left ? len : 0);
	if (!ck_add(len, more, &need) ||
	    !ck_within(vm->job, vm->steps.source->label, text, vm->steps.text))
		return NULL;
	if (own && room_for(need) == room_for(len))
		return (char *)(uintptr_t)value->text.data;
	char *bytes = ck_alloc(vm->job, (size_t)room_for(need));
	if (!bytes)
		return NULL;
	if (left && !ck_read_at(vm->job, vm->steps.source, value->at, bytes, (size_t)len))
		return NULL;
	if (!left && len)
		memcpy(bytes, value->text.data, (size_t)len);
	value->text.data = bytes;
	return bytes;
}

/* It is told once of each. */
static bool tell_change(ck_vm *vm, ck_deed deed, ck_value *target, const ck_items *items)
{
	bool again = target->flags & CK_CHANGED;
	return again || ck_vm_tell(vm, deed, target, NULL, items);
}

static bool byte_of(ck_vm *vm, const ck_value *value, char *to)
{
	bool number = value->kind == CK_INT && value->i >= 0 && value->i <= UINT8_MAX;
	*to = (char)(value->kind == CK_BOOL ? value->b : number ? value->i : 0);
	return number || value->kind == CK_BOOL || ck_vm_is_object(value) ||
	       ck_vm_fail(vm, "a bytearray takes numbers from 0 to 255");
}

bool ck_vm_append_bytes(ck_vm *vm, ck_value *target, const ck_items *items)
{
	if (!tell_change(vm, CK_DID_APPEND, target, items))
		return false;
	char *bytes = open_bytes(vm, target, items->count);
	if (!bytes)
		return false;
	target->flags = (uint8_t)((target->flags | CK_CHANGED) & ~CK_PLAIN);
	for (size_t i = 0; i < items->count; i++)
		if (!byte_of(vm, items->item[i], bytes + target->text.len + i))
			return false;
	target->text.len += items->count;
	bytes[target->text.len] = 0;
	return true;
}

static bool set_byte(ck_vm *vm, ck_value *target, char *bytes, const ck_value *key,
                     const ck_value *value)
{
	char byte;
	int64_t count = (int64_t)target->text.len;
	int64_t index = key->kind == CK_BOOL ? key->b : key->i;
	if (ck_vm_is_object(key)) /* it may be a slice */
		return true;
	if ((key->kind != CK_INT && key->kind != CK_BOOL) || index >= count || index < -count)
		return ck_vm_fail(vm, "the bytearray has no byte of that index");
	if (!byte_of(vm, value, &byte))
		return false;
	bytes[index < 0 ? index + count : index] = byte;
	return true;
}

bool ck_vm_set_bytes(ck_vm *vm, ck_value *target, const ck_items *pairs)
{
	if (!tell_change(vm, CK_DID_SET, target, pairs))
		return false;
	char *bytes = open_bytes(vm, target, 0);
	if (!bytes)
		return false;
	target->flags = (uint8_t)((target->flags | CK_CHANGED) & ~CK_PLAIN);
	for (size_t i = 0; i < pairs->count; i += 2)
		if (!set_byte(vm, target, bytes, pairs->item[i], pairs->item[i + 1]))
			return false;
	return true;
}
