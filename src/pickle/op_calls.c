/* Opcodes that name classes and functions and call them. All of that is written down as values:
 * nothing here, and nothing it calls, can import, call or open anything. */
#include "vm.h"

static const char TUPLE_NEEDED[] = "the arguments of a call must be a tuple, not %s";

/* ---- names and calls ---- */

static ck_value *value_of_global(ck_vm *vm, const ck_global *global, unsigned flags)
{
	ck_value *value = ck_vm_new(vm, CK_GLOBAL);
	if (!value)
		return NULL;
	value->global = global;
	value->flags = (uint8_t)flags;
	if ((vm->seen && !ck_items_push(vm->job, &vm->seen->globals, value)) ||
	    !ck_vm_tell(vm, CK_DID_IMPORT, value, NULL, NULL))
		return NULL;
	return value;
}

static ck_value *new_global(ck_vm *vm, const char *module, size_t module_len, const char *name,
                            size_t name_len, unsigned flags)
{
	if (!ck_within(vm->job, vm->steps.source->label, globals, ++vm->named))
		return NULL;
	ck_global *global = ck_alloc(vm->job, sizeof *global);
	if (!global)
		return NULL;
	*global = (ck_global){module, name, module_len, name_len};
	return value_of_global(vm, global, flags);
}

/* A GLOBAL of two texts, in which there is no newline. One that was named before is found again:
 * *again then says that the texts are needed no longer. */
static ck_value *global_of_texts(ck_vm *vm, const ck_global *named, bool *again)
{
	enum { SHORT = 120 };
	const size_t module_len = named->module_len, name_len = named->name_len;
	char key[2 * SHORT + 1];
	bool fresh;
	*again = false;
	if (module_len > SHORT || name_len > SHORT)
		return new_global(vm, named->module, module_len, named->name, name_len, 0);
	size_t len = module_len + 1 + name_len;
	memcpy(key, named->module, module_len);
	key[module_len] = '\n';
	memcpy(key + module_len + 1, named->name, name_len);
	const uint64_t *known = ck_map_find(vm->job, &vm->names, key, len);
	*again = known != NULL;
	if (known)
		return value_of_global(vm, (const ck_global *)(uintptr_t)*known, 0);
	const char *kept = ck_copy(vm->job, key, len);
	ck_value *value =
		kept ? new_global(vm, named->module, module_len, named->name, name_len, 0) : NULL;
	uint64_t *place = value ? ck_map_put(vm->job, &vm->names, kept, len, &fresh) : NULL;
	if (!place)
		return NULL;
	*place = (uint64_t)(uintptr_t)value->global;
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
	const ck_global named = {s->text, s->more, (size_t)s->len, (size_t)s->more_len};
	bool again;
	ck_value *value = global_of_texts(vm, &named, &again);
	if (again) { /* millions of one name need little memory */
		ck_vm_give(vm, s->more, named.name_len + 1);
		ck_vm_give(vm, s->text, named.module_len + 1);
	}
	return value;
}

/* Of texts that are values: whatever else they may hold, and whoever else has them. */
static ck_value *global_of_values(ck_vm *vm, const ck_global *named)
{
	bool again, line = memchr(named->module, '\n', named->module_len) ||
	                   memchr(named->name, '\n', named->name_len);
	return line ? new_global(vm, named->module, named->module_len, named->name,
	                         named->name_len, 0)
	            : global_of_texts(vm, named, &again);
}

bool ck_op_global(ck_vm *vm)
{
	return ck_vm_push(vm, global_of_lines(vm, false));
}

/* Text that only running the pickle would tell, or that was left in the source: a call may return
 * it, a global may be a str, and a loader may have a str for an id. */
static bool may_be_text(const ck_value *value)
{
	bool left = value->kind == CK_BYTES && value->flags & CK_PY2 && !value->text.data;
	return value->kind == CK_CALL || ck_vm_is_name(value) || left;
}

bool ck_op_stack_global(ck_vm *vm)
{
	static const char unknown[] = "?";
	ck_global named;
	ck_value *name = ck_vm_pop(vm);
	ck_value *home = name ? ck_vm_pop(vm) : NULL;
	if (!home)
		return false;
	if (ck_value_text(home, &named.module, &named.module_len) &&
	    ck_value_text(name, &named.name, &named.name_len))
		return ck_vm_push(vm, global_of_values(vm, &named));
	if (!may_be_text(home) && !may_be_text(name))
		return ck_vm_fail(vm, "module and name must be strings, not %s and %s",
		                  ck_value_about(home).s, ck_value_about(name).s);
	/* kept as such, it is never known */
	return ck_vm_push(vm, new_global(vm, unknown, 1, unknown, 1, CK_COMPUTED));
}

/* kwargs may be NULL. */
static ck_value *new_call(ck_vm *vm, ck_call_how how, ck_value *callee, ck_value *args,
                          ck_value *kwargs)
{
	if (callee->kind != CK_CALL && !ck_vm_is_name(callee)) {
		ck_vm_fail(vm, "a %s cannot be called", ck_value_about(callee).s);
		return NULL;
	}
	ck_value *value = ck_vm_new(vm, CK_CALL);
	ck_call *call = value ? ck_alloc(vm->job, sizeof *call) : NULL;
	if (!call)
		return NULL;
	*call = (ck_call){.callee = callee, .args = args, .kwargs = kwargs, .how = how};
	for (size_t i = 0; i < args->items->count; i++)
		ck_vm_pass(args->items->item[i]);
	if (kwargs)
		ck_vm_pass(kwargs);
	value->call = call;
	if (!ck_vm_raise(vm, value, callee) || !ck_vm_raise(vm, value, args) ||
	    (kwargs && !ck_vm_raise(vm, value, kwargs)))
		return NULL;
	return ck_vm_tell(vm, CK_DID_CALL, value, NULL, NULL) ? value : NULL;
}

static bool push_call(ck_vm *vm, ck_call_how how, ck_value *kwargs)
{
	ck_value *args = ck_vm_pop(vm);
	ck_value *callee = args ? ck_vm_pop(vm) : NULL;
	if (!callee)
		return false;
	if (args->kind != CK_TUPLE)
		return ck_vm_fail(vm, TUPLE_NEEDED, ck_value_about(args).s);
	return ck_vm_push(vm, new_call(vm, how, callee, args, kwargs));
}

bool ck_op_reduce(ck_vm *vm)
{
	return push_call(vm, CK_REDUCE, NULL);
}

bool ck_op_newobj(ck_vm *vm)
{
	return push_call(vm, CK_NEWOBJ, NULL);
}

bool ck_op_newobj_ex(ck_vm *vm)
{
	ck_value *kwargs = ck_vm_pop(vm);
	if (!kwargs)
		return false;
	if (kwargs->kind != CK_DICT)
		return ck_vm_fail(vm, "the keyword arguments must be a dict, not %s",
		                  ck_value_about(kwargs).s);
	return push_call(vm, CK_NEWOBJ_EX, kwargs);
}

bool ck_op_inst(ck_vm *vm)
{
	size_t start;
	if (!ck_vm_unmark(vm, &start))
		return false;
	ck_value *class = global_of_lines(vm, true);
	ck_value *args = class ? ck_vm_collect(vm, CK_TUPLE, start) : NULL;
	return args && ck_vm_push(vm, new_call(vm, CK_INST, class, args, NULL));
}

bool ck_op_obj(ck_vm *vm)
{
	size_t start;
	if (!ck_vm_unmark(vm, &start))
		return false;
	if (vm->depth == start)
		return ck_vm_fail(vm, "there is no class above the MARK");
	ck_value *args = ck_vm_collect(vm, CK_TUPLE, start + 1);
	ck_value *class = args ? ck_vm_pop(vm) : NULL;
	return class && ck_vm_push(vm, new_call(vm, CK_OBJ, class, args, NULL));
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

/* The reader of the pickle may know that bytes of another kind follow. */
static bool tell_built(ck_vm *vm, ck_value *call)
{
	uint64_t next = vm->steps.at;
	if (!vm->seen || !vm->seen->built)
		return true;
	return vm->seen->built(vm->seen->arg, call, &next) && ck_steps_skip(&vm->steps, next);
}

bool ck_op_build(ck_vm *vm)
{
	ck_value *state = ck_vm_pop(vm);
	ck_value *target = state ? ck_vm_top(vm) : NULL;
	if (!target)
		return false;
	if (!ck_vm_tell(vm, CK_DID_BUILD, target, state, NULL))
		return false;
	ck_vm_pass(state);
	for (size_t i = 0; state->kind == CK_TUPLE && i < state->items->count; i++)
		ck_vm_pass(state->items->item[i]);
	if (target->kind == CK_CALL)
		return ck_vm_later(vm, target) &&
		       ck_vm_add(vm, target, &target->call->later->states, &state, 1) &&
		       tell_built(vm, target);
	if (ck_vm_is_name(target))
		return ck_vm_mark_changed(target);
	return is_no_state(state) ||
	       ck_vm_fail(vm, "a %s has no attributes to be set", ck_value_about(target).s);
}

/* ---- persistent ids, extensions, buffers ---- */

static bool push_name(ck_vm *vm, ck_value *value)
{
	return ck_vm_push(vm, value) && ck_vm_tell(vm, CK_DID_NAME, value, NULL, NULL);
}

static bool push_persid(ck_vm *vm, ck_value *pid)
{
	ck_value *value = pid ? ck_vm_new(vm, CK_PERSID) : NULL;
	if (!value)
		return false;
	value->pid = pid;
	if (!ck_vm_raise(vm, value, pid))
		return false;
	if (vm->seen && !ck_items_push(vm->job, &vm->seen->persids, value))
		return false;
	return push_name(vm, value);
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
	return push_persid(vm, ck_vm_text(vm, CK_STR, vm->step->text, vm->step->len));
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
	return push_name(vm, value);
}

bool ck_op_next_buffer(ck_vm *vm)
{
	ck_value *value = ck_vm_new(vm, CK_BUFFER);
	if (value)
		value->i = vm->buffers++;
	return push_name(vm, value);
}

bool ck_op_readonly(ck_vm *vm)
{
	const ck_value *top = ck_vm_top(vm);
	if (!top)
		return false;
	bool bytes = top->kind == CK_BYTES && !(top->flags & CK_PY2);
	return bytes || top->kind == CK_BUFFER || top->kind == CK_CALL || ck_vm_is_name(top) ||
	       ck_vm_fail(vm, "a %s is no buffer", ck_value_about(top).s);
}
