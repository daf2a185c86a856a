/* Opcodes that move values on the stack and through the memo, and those about the stream. */
#include "vm.h"

/* ---- stack and memo ---- */

/* What nobody else holds leaves no trace, a container if it is empty and was made last: millions of
 * lists that are made and dropped need no memory. */
static inline void drop(ck_vm *vm, ck_value *value)
{
	if (value->flags & CK_KEPT)
		return;
	switch (value->kind) {
	case CK_LONG:
	case CK_STR:
	case CK_BYTES:
		if (!vm->lean)
			break;
		__attribute__((fallthrough));
	case CK_INT:
	case CK_FLOAT:
		ck_vm_use_again(vm, value);
		break;
	case CK_LIST:
	case CK_DICT:
	case CK_SET:
		if (value->items->cap)
			break;
		if (value->flags & CK_COUNTED) /* sizes that are known are cleared at once */
			ck_take_back(vm->job, value, CK_COUNTED_SIZE);
		else
			ck_take_back(vm->job, value, sizeof *value);
		break;
	default:
		break;
	}
}

bool ck_op_pop(ck_vm *vm)
{
	/* on an empty frame POP takes the mark itself away */
	if (vm->depth <= ck_vm_fence(vm)) {
		if (!vm->mark_count)
			return ck_vm_no_value(vm);
		vm->mark_count--;
		return true;
	}
	drop(vm, vm->stack[--vm->depth]);
	return true;
}

bool ck_op_pop_mark(ck_vm *vm)
{
	size_t start;
	if (!ck_vm_unmark(vm, &start))
		return false;
	while (vm->depth > start)
		drop(vm, vm->stack[--vm->depth]);
	return true;
}

bool ck_op_dup(ck_vm *vm)
{
	ck_value *top = ck_vm_top(vm);
	if (top) {
		top->flags |= CK_KEPT;
		ck_vm_share(vm, top);
	}
	return ck_vm_push(vm, top);
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

/* ---- the stream itself ---- */

bool ck_op_proto(ck_vm *vm)
{
	if (vm->step->number > 5)
		return ck_vm_fail(vm, "protocol %llu is unknown; there are 0 to 5",
		                  (unsigned long long)vm->step->number);
	if (vm->seen)
		vm->seen->protocol = (uint8_t)vm->step->number;
	return true;
}

bool ck_op_frame(ck_vm *vm)
{
	(void)vm; /* checked where it was read */
	return true;
}
