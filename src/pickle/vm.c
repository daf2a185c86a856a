/* The pickle machine itself: its stack, marks and memo, and the loop that hands each opcode to its
 * handler (op_*.c). */
#include "vm.h"

#include <stdio.h>
#include <string.h>

struct ck_pending {
	struct ck_pending *next;
	ck_items *items;
	size_t step;
};

bool ck_vm_fail(ck_vm *vm, const char *fmt, ...)
{
	char text[256];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	return ck_fail_at(vm->job, CK_CORRUPT, vm->steps.source->label, vm->step->at,
	                  "pickle opcode %s: %s", ck_op_table[vm->step->code].name, text);
}

ck_value *ck_vm_new(ck_vm *vm, ck_kind kind)
{
	ck_value *value = ck_alloc(vm->job, sizeof *value);
	if (!value)
		return NULL;
	value->kind = (uint8_t)kind;
	value->id = ++vm->values;
	value->at = vm->step->at;
	return value;
}

bool ck_vm_tell(ck_vm *vm, ck_deed deed, const ck_value *target, const ck_value *given,
                const ck_items *items)
{
	const ck_watch *watch = vm->seen ? vm->seen->watch : NULL;
	return !watch || watch->event(watch->arg, vm->steps.source,
	                              &(ck_event){deed, vm->step, target, given, items});
}

bool ck_vm_tell_bytes(ck_vm *vm, const ck_value *bytes)
{
	const ck_watch *watch = vm->seen ? vm->seen->watch : NULL;
	return !watch || !watch->bytes ||
	       watch->bytes(watch->arg, vm->steps.source, bytes);
}

/* ---- stack ---- */

static size_t fence(const ck_vm *vm)
{
	return vm->mark_count ? vm->marks[vm->mark_count - 1] : 0;
}

static bool has_room(ck_vm *vm)
{
	return ck_within(vm->job, vm->steps.source->label, stack, vm->depth + vm->mark_count + 1);
}

bool ck_vm_push(ck_vm *vm, ck_value *value)
{
	if (!value || !has_room(vm))
		return false;
	ck_value **grown =
		ck_grow(vm->job, vm->stack, &vm->stack_cap, vm->depth + 1, sizeof *grown);
	if (!grown)
		return false;
	vm->stack = grown;
	grown[vm->depth++] = value;
	return true;
}

ck_value *ck_vm_top(ck_vm *vm)
{
	if (vm->depth <= fence(vm)) {
		ck_vm_fail(vm, vm->mark_count
		                       ? "it needs a value, but a MARK is on top of the stack"
		                       : "it needs a value, but the stack is empty");
		return NULL;
	}
	return vm->stack[vm->depth - 1];
}

ck_value *ck_vm_pop(ck_vm *vm)
{
	ck_value *value = ck_vm_top(vm);
	if (value)
		vm->depth--;
	return value;
}

bool ck_op_mark(ck_vm *vm)
{
	if (!has_room(vm))
		return false;
	size_t *grown = ck_grow(vm->job, vm->marks, &vm->mark_cap, vm->mark_count + 1,
	                        sizeof *grown);
	if (!grown)
		return false;
	vm->marks = grown;
	grown[vm->mark_count++] = vm->depth;
	return true;
}

bool ck_vm_unmark(ck_vm *vm, size_t *start)
{
	if (!vm->mark_count)
		return ck_vm_fail(vm, "there is no MARK on the stack");
	*start = vm->marks[--vm->mark_count];
	return true;
}

bool ck_vm_take(ck_vm *vm, size_t start, ck_items *items)
{
	size_t count = vm->depth - start;
	*items = (ck_items){.count = count, .cap = count};
	vm->depth = start;
	if (!count)
		return true;
	items->item = ck_alloc_array(vm->job, count, sizeof(ck_value *));
	if (!items->item)
		return false;
	memcpy(items->item, vm->stack + start, count * sizeof(ck_value *));
	return true;
}

/* ---- memo ---- */

/* Grows the array only as long as a good part of it is in use: a PUT of 4000000000 must not make
 * an array of that size. */
static bool memo_fits(ck_vm *vm, uint64_t index)
{
	if (index < vm->memo_cap)
		return true;
	if (index / 4 > vm->memo_count + 256)
		return false;
	ck_value **grown = ck_grow(vm->job, vm->memo, &vm->memo_cap, (size_t)index + 1,
	                           sizeof *grown);
	if (!grown)
		return false;
	vm->memo = grown;
	return true;
}

static uint64_t *memo_mapped(const ck_vm *vm, uint64_t index)
{
	return ck_map_find(vm->job, &vm->memo_map, &index, sizeof index);
}

bool ck_vm_memo_put(ck_vm *vm, uint64_t index, ck_value *value)
{
	bool fresh;
	if (memo_fits(vm, index)) {
		fresh = !vm->memo[index] && !memo_mapped(vm, index);
		vm->memo[index] = value;
		if (index >= vm->memo_used)
			vm->memo_used = (size_t)index + 1;
	} else {
		uint64_t *key = ck_alloc(vm->job, sizeof *key);
		if (!key)
			return false;
		*key = index;
		uint64_t *place = ck_map_put(vm->job, &vm->memo_map, key, sizeof *key, &fresh);
		if (!place)
			return false;
		*place = (uint64_t)(uintptr_t)value;
	}
	vm->memo_count += fresh;
	return ck_within(vm->job, vm->steps.source->label, memo, vm->memo_count);
}

ck_value *ck_vm_memo_get(ck_vm *vm, uint64_t index)
{
	if (index < vm->memo_cap && vm->memo[index])
		return vm->memo[index];
	const uint64_t *place = memo_mapped(vm, index);
	if (place)
		return (ck_value *)(uintptr_t)*place;
	ck_vm_fail(vm, "nothing was stored under memo number %llu", (unsigned long long)index);
	return NULL;
}

/* ---- run ---- */

bool ck_vm_settle_later(ck_vm *vm, ck_items *items, size_t step)
{
	struct ck_pending *pending = ck_alloc(vm->job, sizeof *pending);
	if (!pending)
		return false;
	*pending = (struct ck_pending){vm->pending, items, step};
	vm->pending = pending;
	return true;
}

static bool settle_all(ck_vm *vm)
{
	for (const struct ck_pending *p = vm->pending; p; p = p->next)
		if (ck_stopped(vm->job) || !ck_items_settle(vm->job, p->items, p->step))
			return false;
	return true;
}

bool ck_op_stop(ck_vm *vm)
{
	vm->result = ck_vm_pop(vm);
	return vm->result != NULL;
}

static bool run(ck_vm *vm)
{
	static ck_handler *const handlers[256] = {
#define X(name, code, arg, protocol, handler) [code] = ck_op_##handler,
		CK_OPS(X)
#undef X
	};
	ck_step step;
	vm->step = &step;
	while (!vm->result) {
		if (vm->steps.count % 4096 == 0 && ck_stopped(vm->job))
			return false;
		if (!ck_steps_next(&vm->steps, &step) || !handlers[step.code](vm))
			return false;
	}
	return settle_all(vm);
}

/* What a machine has read stays valid: only what it works with is made new. */
static bool restart(ck_vm *vm, const ck_source *source, uint64_t at)
{
	if (vm->steps.source != source && !ck_steps_begin(vm->job, &vm->steps, source, at))
		return false;
	vm->steps.at = at;
	vm->steps.frame_end = vm->steps.count = vm->steps.text = 0;
	vm->depth = vm->mark_count = 0;
	if (vm->memo_used)
		memset(vm->memo, 0, vm->memo_used * sizeof *vm->memo);
	vm->memo_used = 0;
	vm->memo_map = (ck_map){0};
	vm->memo_count = vm->keys = 0;
	vm->pending = NULL;
	vm->buffers = 0;
	vm->result = NULL;
	return true;
}

static ck_vm *machine_new(ck_job *job, const ck_source *source, uint64_t at)
{
	ck_vm *vm = ck_alloc(job, sizeof *vm);
	if (!vm || !ck_steps_begin(job, &vm->steps, source, at))
		return NULL;
	vm->job = job;
	vm->none.kind = CK_NONE;
	vm->yes.kind = vm->no.kind = CK_BOOL;
	vm->yes.b = true;
	vm->empty_tuple.kind = CK_TUPLE;
	vm->empty_tuple.items = &vm->no_items;
	for (int i = 0; i < CK_SMALL_INTS; i++)
		vm->small[i] = (ck_value){.kind = CK_INT, .i = i};
	return vm;
}

ck_value *ck_pickle_read(ck_job *job, const ck_source *source, uint64_t *at, ck_seen *seen)
{
	ck_vm *vm = seen ? seen->machine : NULL;
	if (!vm)
		vm = machine_new(job, source, *at);
	else if (!restart(vm, source, *at))
		return NULL;
	if (!vm)
		return NULL;
	vm->seen = seen;
	if (seen)
		seen->machine = vm;
	if (!run(vm))
		return NULL;
	*at = vm->steps.at;
	return vm->result;
}
