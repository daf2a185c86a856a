/* Opcodes that make values without parts: numbers, text and bytes. */
#include "vm.h"

#include <string.h>

/* ---- numbers ---- */

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

static __attribute__((noinline)) bool push_large(ck_vm *vm, int64_t number)
{
	ck_value **recent = &vm->recent[(uint64_t)number % CK_RECENT_INTS], *value = *recent;
	if (value && value->kind == CK_INT && value->i == number && vm->lean) {
		value->flags |= CK_KEPT; /* it has two places now */
		return ck_vm_push(vm, value);
	}
	value = ck_vm_new(vm, CK_INT);
	if (!value)
		return false;
	value->i = number;
	*recent = vm->lean ? value : NULL;
	return ck_vm_push(vm, value);
}

static inline bool push_int(ck_vm *vm, int64_t number)
{
	bool small = (uint64_t)number < CK_SMALL_INTS;
	return small ? ck_vm_push(vm, &vm->small[number]) : push_large(vm, number);
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
	if (value && value->kind == CK_INT)
		ck_vm_give(vm, vm->step->text, (size_t)vm->step->len + 1);
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

ck_value *ck_vm_text(ck_vm *vm, ck_kind kind, const char *data, uint64_t len)
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
	ck_value *value = ck_vm_text(vm, CK_BYTES, vm->step->text, vm->step->len);
	if (!value)
		return false;
	value->flags = (uint8_t)flags;
	if (!value->text.data)
		value->at = vm->step->from & CK_AT_MAX;
	return ck_vm_tell_bytes(vm, value) && ck_vm_push(vm, value);
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
	ck_value *value = ck_vm_text(vm, CK_BYTES, text, len);
	if (!value)
		return false;
	value->flags = CK_PY2;
	return ck_vm_tell_bytes(vm, value) && ck_vm_push(vm, value);
}

/* Python decodes with "surrogatepass": lone surrogates are allowed, overlong forms are not. */
bool ck_op_unicode(ck_vm *vm)
{
	if (!ck_utf8_valid_wide(vm->step->text, (size_t)vm->step->len))
		return ck_vm_fail(vm, "its text is not UTF-8");
	return ck_vm_push(vm, ck_vm_text(vm, CK_STR, vm->step->text, vm->step->len));
}

bool ck_op_unicode_text(ck_vm *vm)
{
	const char *why;
	size_t len;
	char *text = ck_literal_unicode(vm->job, vm->step->text, (size_t)vm->step->len, &len, &why);
	if (!text)
		return why && ck_vm_fail(vm, "%s", why);
	return ck_vm_push(vm, ck_vm_text(vm, CK_STR, text, len));
}
