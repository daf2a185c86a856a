/* The pickle machine itself: its stack, marks and memo, and the loop that hands each opcode to its
 * handler (op_*.c). */
#include "vm.h"

#include <stdio.h>
#include <string.h>

bool ck_vm_fail(ck_vm *vm, const char *fmt, ...)
{
	char text[256];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	ck_utf8_trim(text);
	return ck_fail_at(vm->job, CK_CORRUPT, vm->steps.source->label, vm->step->at,
	                  "pickle opcode %s: %s", ck_op_table[vm->step->code].name, text);
}

bool ck_vm_tell(ck_vm *vm, ck_deed deed, const ck_value *target, const ck_value *given,
                const ck_items *items)
{
	const ck_watch *watch = vm->seen ? vm->seen->watch : NULL;
	vm->told = true;
	return !watch || watch->event(watch->arg, vm->steps.source,
	                              &(ck_event){deed, vm->step, target, given, items});
}

bool ck_vm_tell_bytes(ck_vm *vm, const ck_value *bytes)
{
	const ck_watch *watch = vm->seen ? vm->seen->watch : NULL;
	vm->told = true;
	return !watch || !watch->bytes ||
	       watch->bytes(watch->arg, vm->steps.source, bytes);
}

/* ---- stack ---- */

/* Values and marks count together; the stack has room for all of them, so that one comparison tells
 * of both. */
bool ck_vm_widen(ck_vm *vm)
{
	size_t need = vm->depth + vm->mark_count + 1;
	if (!ck_within(vm->job, vm->steps.source->label, stack, need))
		return false;
	ck_value **grown = ck_grow(vm->job, vm->stack, &vm->stack_cap, need, sizeof *grown);
	if (!grown)
		return false;
	vm->stack = grown;
	uint64_t limit = vm->job->limits.stack;
	vm->room = vm->stack_cap < limit ? vm->stack_cap : (size_t)limit;
	return true;
}

ck_value *ck_vm_no_value(ck_vm *vm)
{
	ck_vm_fail(vm, vm->mark_count ? "it needs a value, but a MARK is on top of the stack"
	                              : "it needs a value, but the stack is empty");
	return NULL;
}

/* A mark begins what will be inside another one: honest ones are not deep either. */
bool ck_op_mark(ck_vm *vm)
{
	if (vm->depth + vm->mark_count >= vm->room && !ck_vm_widen(vm))
		return false;
	if (!ck_within(vm->job, vm->steps.source->label, depth, vm->mark_count + 1))
		return false;
	if (vm->mark_count == vm->mark_cap) {
		size_t *grown = ck_grow(vm->job, vm->marks, &vm->mark_cap, vm->mark_count + 1,
		                        sizeof *grown);
		if (!grown)
			return false;
		vm->marks = grown;
	}
	vm->marks[vm->mark_count++] = vm->depth;
	return true;
}

bool ck_vm_unmark(ck_vm *vm, size_t *start)
{
	if (!vm->mark_count)
		return ck_vm_fail(vm, "there is no MARK on the stack");
	*start = vm->marks[--vm->mark_count];
	return true;
}

/* ---- what values are made of ---- */

static bool raise_to(ck_vm *vm, ck_value *value, unsigned height)
{
	if (!ck_within(vm->job, vm->steps.source->label, depth, height))
		return false;
	value->height = height < CK_HEIGHT_MAX ? (uint16_t)height : CK_HEIGHT_MAX;
	return true;
}

bool ck_vm_raise(ck_vm *vm, ck_value *value, const ck_value *below)
{
	return below->height < value->height || raise_to(vm, value, below->height + 1u);
}

/* A lean machine uses small arrays again. */
static bool make_room(ck_vm *vm, ck_items *items, size_t count)
{
	ck_value **before = items->item;
	size_t cap = items->cap;
	if (vm->lean && !cap && count <= CK_SPARE_WORDS) {
		items->item = ck_spare_alloc(vm->job, &vm->spare, count * sizeof *before);
		items->cap = (uint32_t)count;
		return items->item;
	}
	if (!ck_items_reserve(vm->job, items, count))
		return false;
	if (vm->lean && cap && cap <= CK_SPARE_WORDS && items->item != before)
		ck_spare_give(&vm->spare, before, cap * sizeof *before);
	return true;
}

bool ck_vm_add(ck_vm *vm, ck_value *of, ck_items *items, ck_value *const *values, size_t count)
{
	if (!count)
		return true;
	if (items->cap - items->count < count && !make_room(vm, items, count))
		return false;
	ck_value **to = items->item + items->count;
	unsigned height = 0;
	for (size_t i = 0; i < count; i++) {
		to[i] = values[i];
		height = values[i]->height > height ? values[i]->height : height;
	}
	items->count += (uint32_t)count;
	return height < of->height || raise_to(vm, of, height + 1);
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

/* Nobody will read it: it only counts. */
static bool put_unread(ck_vm *vm, uint64_t index)
{
	uint64_t bit = UINT64_C(1) << index % 64, *word = &vm->puts[index / 64];
	bool before = (index < vm->memo_cap && vm->memo[index]) ||
	              (vm->memo_map.count && memo_mapped(vm, index));
	vm->memo_count += !(*word & bit) && !before;
	*word |= bit;
	return ck_within(vm->job, vm->steps.source->label, memo, vm->memo_count);
}

bool ck_vm_memo_put(ck_vm *vm, uint64_t index, ck_value *value)
{
	bool fresh;
	if (index > vm->far_memo)
		vm->far_memo = index;
	if (vm->knows && index < vm->bound && !(vm->reads[index / 64] >> index % 64 & 1))
		return put_unread(vm, index);
	value->flags |= CK_KEPT;
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

void ck_vm_share(ck_vm *vm, const ck_value *value)
{
	vm->shared += value->kind == CK_LIST || value->kind == CK_TUPLE || value->kind == CK_SET ||
	              value->kind == CK_DICT || value->kind == CK_CALL;
}

static ck_value *share(ck_vm *vm, ck_value *value)
{
	ck_vm_share(vm, value);
	return value;
}

ck_value *ck_vm_memo_get(ck_vm *vm, uint64_t index)
{
	if (index < vm->memo_cap && vm->memo[index])
		return share(vm, vm->memo[index]);
	const uint64_t *place = memo_mapped(vm, index);
	if (place)
		return share(vm, (ck_value *)(uintptr_t)*place);
	ck_vm_fail(vm, "nothing was stored under memo number %llu", (unsigned long long)index);
	return NULL;
}

/* ---- run ---- */

bool ck_vm_settle_later(ck_vm *vm, ck_value *value)
{
	return vm->lean || ck_items_push(vm->job, &vm->pending, value);
}

static bool settle(ck_job *job, ck_value *value)
{
	if (value->kind == CK_CALL)
		return ck_items_settle(job, &value->call->later->pairs, 2);
	return ck_items_settle(job, value->items, value->kind == CK_DICT ? 2 : 1);
}

static bool settle_all(ck_vm *vm)
{
	for (size_t i = 0; i < vm->pending.count; i++)
		if (ck_stopped(vm->job) || !settle(vm->job, vm->pending.item[i]))
			return false;
	return true;
}

bool ck_op_stop(ck_vm *vm)
{
	vm->result = ck_vm_pop(vm);
	return vm->result != NULL;
}

/* Once a pickle needs much memory, it may be that nothing of it is needed; or else what it stores
 * under memo numbers may be the reason. */
static bool look_ahead(ck_vm *vm, uint64_t from, uint64_t held)
{
	if (!vm->lean || vm->looked || !vm->seen->ahead || held < vm->seen->ahead - 1)
		return true;
	vm->looked = true;
	return (!vm->told && ck_vm_pass_plain(vm, from)) || ck_vm_look_ahead(vm);
}

static bool run(ck_vm *vm)
{
	static ck_handler *const handlers[256] = {
#define X(name, code, arg, protocol, handler) [code] = ck_op_##handler,
		CK_OPS(X)
#undef X
	};
	ck_step step;
	const uint64_t from = vm->steps.at, held = vm->job->arena.held;
	vm->step = &step;
	while (!vm->result) {
		if (vm->steps.count % 4096 == 0 &&
		    (ck_stopped(vm->job) ||
		     !ck_vm_is_honest(vm, vm->steps.at - from, vm->job->arena.held - held) ||
		     !look_ahead(vm, from, vm->job->arena.held - held)))
			return false;
		if (vm->result)
			return true;
		if ((!ck_steps_quick(&vm->steps, &step) && !ck_steps_next(&vm->steps, &step)) ||
		    !handlers[step.code](vm))
			return false;
		vm->used[step.code] = true;
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
	vm->pending.count = 0;
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
	vm->lean = seen && seen->lean;
	vm->steps.loose = seen && seen->loose;
	vm->steps.straddled = false;
	vm->looked = vm->knows = vm->told = false;
	vm->weighed = 0;
	vm->steps.spare = vm->lean ? &vm->spare : NULL;
	if (seen) {
		seen->machine = vm;
		seen->protocol = 0;
	}
	memset(vm->used, 0, sizeof vm->used);
	vm->shared = vm->far_memo = 0;
	bool whole = run(vm);
	if (seen) {
		memcpy(seen->opcodes, vm->used, sizeof seen->opcodes);
		seen->straddled = vm->steps.straddled;
		seen->shared = vm->shared;
		seen->far_memo = vm->far_memo;
	}
	if (!whole)
		return NULL;
	*at = vm->steps.at;
	return vm->result;
}
