/* Calls that make an object of a class, or put a state into one: what they are given decides. */
#include "arguments.h"

#include <string.h>

ck_fault ck_check_class(ck_audit *audit, const ck_value *class)
{
	ck_standing scratch;
	class = ck_callee_of(class);
	if (ck_inner_class(audit, class, true))
		return unknown("makes an object of a class inside a class");
	if (class->kind != CK_GLOBAL)
		return odd("makes an object of something that is no class");
	const ck_standing *s = ck_standing_find(audit, class, &scratch);
	return s ? s->make : fine;
}

/* Bases whose own constructors are called, with the third argument. */
static bool is_plain_base(const ck_value *base)
{
	static const char *const names[] = {"object", "dict", "list", "tuple", "set", "frozenset",
	                                    "int", "float", "str", "unicode", "bytes", "long",
	                                    "complex", "bytearray"};
	for (size_t i = 0; i < CK_COUNT(names); i++)
		if (ck_value_is_global(base, "builtins", names[i]) ||
		    ck_value_is_global(base, "__builtin__", names[i]))
			return true;
	return false;
}

/* The class has a check of its own for what it is made with. */
static ck_fault check_made(ck_audit *audit, const ck_call *call, const ck_value *class,
                           ck_value *const *args, size_t count)
{
	ck_standing scratch;
	class = ck_callee_of(class);
	const ck_standing *s =
		class->kind == CK_GLOBAL ? ck_standing_find(audit, class, &scratch) : NULL;
	return s && s->check ? s->check->check(audit, call, args, count) : fine;
}

ck_fault ck_check_reconstructor(ck_audit *audit, const ck_call *call, ck_value *const *args,
                                    size_t count)
{
	ck_standing scratch;
	if (count != 3)
		return bad("needs a class, a base and a state");
	ck_fault fault = ck_check_class(audit, args[0]);
	if (ck_fault_verdict(&fault) == CK_DANGEROUS)
		return fault;
	const ck_value *base = ck_callee_of(args[1]);
	if (base->kind != CK_GLOBAL)
		return odd("is given a base that is no class");
	if (is_plain_base(base)) {
		const ck_fault made = check_made(audit, call, base, args + 2, 1);
		return made.why ? made : fault;
	}
	const ck_standing *s = ck_standing_find(audit, base, &scratch);
	if (s && ck_fault_verdict(&s->call) == CK_DANGEROUS)
		return s->call;
	const ck_fault made = check_made(audit, call, base, args + 2, 1);
	if (made.why)
		return made;
	return unknown("calls the constructor of a base that is not known");
}

ck_fault ck_check_newobj(ck_audit *audit, const ck_call *call, ck_value *const *args,
                             size_t count)
{
	if (!count)
		return odd("needs a class");
	const ck_fault fault = ck_check_class(audit, args[0]);
	if (ck_fault_verdict(&fault) == CK_DANGEROUS)
		return fault;
	bool named = count == 3 && args[1]->kind == CK_TUPLE && args[2]->kind == CK_DICT &&
	             ck_value_is_global(call->callee, "copyreg", "__newobj_ex__");
	const ck_items *inner = named ? args[1]->items : NULL;
	const ck_fault made = named ? check_made(audit, call, args[0], inner->item, inner->count)
	                            : check_made(audit, call, args[0], args + 1, count - 1);
	return made.why ? made : fault;
}

/* The last argument is set in what is made, attribute by attribute. */
ck_fault ck_check_state(ck_audit *audit, const ck_call *call, ck_value *const *args,
                            size_t count)
{
	(void)call;
	return count ? ck_check_build(audit, NULL, NULL, args[count - 1]) : fine;
}

static bool is_dresser(const ck_value *global)
{
	return ck_equals(global->global->module, global->global->module_len, "torch.jit._pickle");
}

ck_fault ck_check_from_type(ck_audit *audit, const ck_call *call, ck_value *const *args,
                                size_t count)
{
	ck_standing scratch;
	(void)call;
	if (count < 3 || args[0]->kind != CK_GLOBAL || args[1]->kind != CK_GLOBAL ||
	    args[2]->kind != CK_TUPLE || is_dresser(args[0]))
		return odd("needs the name of a function, a type and arguments");
	const ck_fault state = ck_check_state(audit, call, args, count);
	if (state.why)
		return state;
	const ck_standing *s = ck_standing_find(audit, args[0], &scratch);
	if (!s)
		return fine;
	bool rebuilds =
		s->row && (s->row->role == CK_ROLE_TENSOR || s->row->role == CK_ROLE_BUILT ||
		           s->row->role == CK_ROLE_SAME || s->row->role == CK_ROLE_META);
	if (s->check && s->check->check != ck_check_from_type) {
		const ck_fault fault = s->check->check(audit, call, args[2]->items->item,
		                                       args[2]->items->count);
		if (fault.why)
			return fault;
	}
	if (s->call.why)
		return s->call;
	return rebuilds ? fine : odd("calls a function that rebuilds no tensor");
}
