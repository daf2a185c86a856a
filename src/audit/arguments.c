/* Calls that are harmless with some arguments and not with others: a check for each such global. */
#include "arguments.h"

#include <string.h>

/* ---- what arguments are ---- */

static bool is_text(const ck_value *value, const char **text, size_t *len)
{
	return value->kind == CK_STR && ck_value_text(value, text, len);
}

static bool text_is(const ck_value *value, const char *want)
{
	const char *text;
	size_t len;
	return ck_value_text(value, &text, &len) && len == strlen(want) && !memcmp(text, want, len);
}

/* Something of a kind that holds items, or the result of a call. */
static bool is_filled(const ck_value *value)
{
	switch ((ck_kind)value->kind) {
	case CK_NONE:
	case CK_STR:
	case CK_BYTES:
	case CK_LIST:
	case CK_TUPLE:
	case CK_SET:
	case CK_DICT:
	case CK_CALL:
		return true;
	default:
		return false;
	}
}

/* range(start, stop, step) as an argument: nobody pickles a sequence that way. */
static bool is_long_range(const ck_value *value)
{
	if (value->kind != CK_CALL || value->call->callee->kind != CK_GLOBAL)
		return false;
	const ck_value *callee = value->call->callee;
	if (!ck_value_is_global(callee, "builtins", "range") &&
	    !ck_value_is_global(callee, "__builtin__", "range") &&
	    !ck_value_is_global(callee, "__builtin__", "xrange"))
		return false;
	const ck_items *args = value->call->args->items;
	for (size_t i = 0; i < args->count; i++)
		if (args->item[i]->kind != CK_INT || args->item[i]->i > CHEAP_COUNT ||
		    args->item[i]->i < -CHEAP_COUNT)
			return true;
	return false;
}

/* A container goes through the items of what it is given: of an object that is not known, by code
 * of that object. */
static bool has_own_items(ck_audit *audit, const ck_value *value)
{
	ck_standing scratch;
	if (value->kind != CK_CALL)
		return false;
	const ck_value *callee = ck_callee_of(value->call->callee);
	const ck_standing *s = callee->kind == CK_GLOBAL ? ck_standing_find(audit, callee, &scratch)
	                                                 : NULL;
	return !s || !s->row || s->row->listing == CK_FOREIGN;
}

static ck_fault check_container(ck_audit *audit, const ck_call *call, ck_value *const *args,
                                size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (has_own_items(audit, args[i]))
			return odd("goes through the items of an object that is not known");
		if (is_long_range(args[i]))
			return (ck_fault){CK_RULE_EXPANDS,
			                  "would make more items than memory holds"};
		if (!is_filled(args[i]) && !(count == 2 && i == 1)) /* deque(items, length) */
			return bad("takes a container, and is given something else");
		const ck_fault copy = ck_check_copy(audit, args[i]);
		if (copy.why)
			return copy;
	}
	(void)call;
	return fine;
}

static ck_fault check_set(ck_audit *audit, const ck_call *call, ck_value *const *args, size_t count)
{
	const ck_fault fault = check_container(audit, call, args, count);
	return fault.why || !count ? fault : ck_check_hashed(audit, args[0], false);
}

static ck_fault check_mapping(ck_audit *audit, const ck_call *call, ck_value *const *args,
                              size_t count)
{
	const ck_fault fault = check_container(audit, call, args, count);
	return fault.why || !count ? fault : ck_check_hashed(audit, args[0], true);
}

ck_fault ck_check_bytes(ck_audit *audit, const ck_call *call, ck_value *const *args,
                            size_t count)
{
	if (count && (args[0]->kind == CK_INT || args[0]->kind == CK_LONG))
		return args[0]->kind == CK_INT && args[0]->i >= 0 && args[0]->i <= CHEAP_COUNT
		               ? ck_check_count(audit, (uint64_t)args[0]->i, 1)
		               : (ck_fault){CK_RULE_EXPANDS,
		                            "would make more bytes than memory holds"};
	if (count >= 2 && args[0]->kind != CK_STR)
		return odd("is given bytes of a kind that no pickle writes");
	return count < 2 ? check_container(audit, call, args, count) : fine;
}

/* Only the spelling of bytes in old protocols; other codecs make names out of scrambled ones. */
static ck_fault check_encode(ck_audit *audit, const ck_call *call, ck_value *const *args,
                             size_t count)
{
	(void)audit;
	(void)call;
	if (count == 2 && args[0]->kind == CK_STR &&
	    (text_is(args[1], "latin1") || text_is(args[1], "latin-1") ||
	     text_is(args[1], "iso-8859-1")))
		return fine;
	return odd("may only turn a str to bytes by latin1 here; other codecs hide what is meant");
}

/* bytes and bytearray: of numbers no pickle makes them, and what is hidden in those is not read. */
static ck_fault check_byte_maker(ck_audit *audit, const ck_call *call, ck_value *const *args,
                                 size_t count)
{
	ck_fault fault = ck_check_bytes(audit, call, args, count);
	if (fault.why || !count)
		return fault;
	if (count >= 2)
		return check_encode(audit, call, args, count);
	bool known = args[0]->kind == CK_INT || args[0]->kind == CK_BYTES ||
	             (args[0]->kind == CK_CALL &&
	              ck_value_is_global(args[0]->call->callee, "_codecs", "encode"));
	return known ? fault : odd("is given numbers, of which no pickle makes bytes");
}

/* ---- functions as arguments ---- */

const ck_value *ck_callee_of(const ck_value *value)
{
	if (value->kind != CK_PERSID || value->pid->kind != CK_TUPLE)
		return value;
	const ck_items *pid = value->pid->items;
	if (pid->count == 4 && text_is(pid->item[0], "module") && pid->item[1]->kind == CK_GLOBAL)
		return pid->item[1];
	if (pid->count == 3 && pid->item[0]->kind == CK_GLOBAL)
		return pid->item[0];
	return value;
}

bool ck_is_call_of(const ck_value *value, const char *module, const char *name)
{
	return value->kind == CK_CALL && ck_value_is_global(value->call->callee, module, name);
}

ck_fault ck_check_deferred(ck_audit *audit, const ck_value *function)
{
	ck_standing scratch;
	function = ck_callee_of(function);
	if (ck_is_call_of(function, "functools", "partial"))
		return unknown("wraps another such function");
	if (function->kind == CK_CALL)
		return unknown("wraps what another call returned");
	if (function->kind != CK_GLOBAL)
		return odd("is given something that is no function");
	const ck_standing *s = ck_standing_find(audit, function, &scratch);
	if (!s)
		return fine;
	if (ck_fault_verdict(&s->import) == CK_DANGEROUS)
		return (ck_fault){CK_RULE_DANGEROUS_CALL, "wraps a harmful function"};
	if (s->check && s->check->guarded)
		return odd("wraps a function whose arguments nobody can check then");
	return unknown("wraps a function for later");
}

static ck_fault check_partial(ck_audit *audit, const ck_call *call, ck_value *const *args,
                              size_t count)
{
	(void)call;
	return count ? ck_check_deferred(audit, args[0]) : unknown("wraps nothing");
}

static ck_fault check_defaultdict(ck_audit *audit, const ck_call *call, ck_value *const *args,
                                  size_t count)
{
	ck_standing scratch;
	if (!count || args[0]->kind == CK_NONE)
		return check_mapping(audit, call, args + (count > 0), count - (count > 0));
	const ck_value *factory = ck_callee_of(args[0]);
	const ck_standing *s = factory->kind == CK_GLOBAL
	                               ? ck_standing_find(audit, factory, &scratch)
	                               : NULL;
	if (s && s->row && s->row->listing != CK_FOREIGN && s->row->listing != CK_RUNS_CODE &&
	    !(s->check && s->check->guarded))
		return check_mapping(audit, call, args + 1, count - 1);
	return ck_check_deferred(audit, factory);
}

/* type(None), as pickle writes the types of the constants. */
static ck_fault check_type(ck_audit *audit, const ck_call *call, ck_value *const *args,
                           size_t count)
{
	(void)audit;
	(void)call;
	if (count != 1 || (args[0]->kind != CK_NONE && args[0]->kind != CK_GLOBAL))
		return odd("makes a class, or takes that of a value");
	return unknown("takes the type of a constant");
}

/* List[int] and such are pickled as operator.getitem(List, int). */
static ck_fault check_getitem(ck_audit *audit, const ck_call *call, ck_value *const *args,
                              size_t count)
{
	(void)audit;
	(void)call;
	bool ok = count == 2;
	if (ok && args[0]->kind == CK_GLOBAL)
		ok = args[0]->global->module_len >= 6 &&
		     !memcmp(args[0]->global->module, "typing", 6);
	else
		ok = false;
	return ok ? unknown("makes a type hint")
	          : odd("takes an item of what is no type hint");
}

/* A | B of the members of an enumeration. */
static ck_fault check_or(ck_audit *audit, const ck_call *call, ck_value *const *args, size_t count)
{
	(void)audit;
	(void)call;
	bool members = count == 2 && args[0]->kind == CK_CALL && args[1]->kind == CK_CALL;
	return members ? unknown("joins flags") : odd("joins what are no flags");
}

/* (module, name) of a ufunc, which is then imported. */
static ck_fault check_ufunc(ck_audit *audit, const ck_call *call, ck_value *const *args,
                            size_t count)
{
	const char *module, *name;
	size_t module_len, len;
	ck_standing scratch;
	(void)call;
	if (count != 2 || !is_text(args[0], &module, &module_len) || !is_text(args[1], &name, &len))
		return odd("imports a name that is not written in the pickle as it is");
	const ck_global g = {module, name, module_len, len};
	const ck_value value = {.kind = CK_GLOBAL, .global = &g};
	const ck_standing *s = ck_standing_find(audit, &value, &scratch);
	bool known = (module_len >= 5 && !memcmp(module, "numpy", 5)) ||
	             (module_len == 13 && !memcmp(module, "scipy.special", 13));
	if (!known || (s && ck_fault_verdict(&s->import) == CK_DANGEROUS))
		return odd("imports a function that is no ufunc of NumPy");
	return unknown("imports a function of NumPy");
}

/* ---- the table ---- */

static const ck_call_check checks[] = {
	{"_codecs", "encode", true, check_encode},
	{"builtins", "bytearray", false, check_byte_maker},
	{"builtins", "bytes", false, check_byte_maker},
	{"builtins", "int", false, ck_check_int},
	{"builtins", "str", false, ck_check_str},
	{"builtins", "list", false, check_container},
	{"builtins", "tuple", false, check_container},
	{"builtins", "set", false, check_set},
	{"builtins", "frozenset", false, check_set},
	{"builtins", "dict", false, check_mapping},
	{"collections", "OrderedDict", false, check_mapping},
	{"collections", "Counter", false, check_set},
	{"collections", "deque", false, check_container},
	{"collections", "defaultdict", true, check_defaultdict},
	{"torch", "Size", false, check_container},
	{"fractions", "Fraction", false, ck_check_fraction},
	{"functools", "partial", true, check_partial},
	{"builtins", "getattr", true, ck_check_getattr},
	{"builtins", "type", true, check_type},
	{"operator", "getitem", true, check_getitem},
	{"_operator", "getitem", true, check_getitem},
	{"operator", "or_", true, check_or},
	{"_operator", "or_", true, check_or},
	{"copyreg", "_reconstructor", true, ck_check_reconstructor},
	{"copyreg", "__newobj__", true, ck_check_newobj},
	{"copyreg", "__newobj_ex__", true, ck_check_newobj},
	{"torch._tensor", "_rebuild_from_type_v2", true, ck_check_from_type},
	{"torch._tensor", "_rebuild_from_type", true, ck_check_from_type},
	{"torch._utils", "_rebuild_parameter_with_state", true, ck_check_state},
	{"torch.jit._pickle", "build_intlist", true, ck_check_dresser},
	{"torch.jit._pickle", "build_doublelist", true, ck_check_dresser},
	{"torch.jit._pickle", "build_boollist", true, ck_check_dresser},
	{"torch.jit._pickle", "build_tensorlist", true, ck_check_dresser},
	{"torch.jit._pickle", "restore_type_tag", true, ck_check_dresser},
	{"types", "SimpleNamespace", false, ck_check_state},
	{"argparse", "Namespace", false, ck_check_state},
	{"torch.storage", "_load_from_bytes", true, ck_check_load_bytes},
	{"numpy.core.multiarray", "_reconstruct", true, ck_check_reconstruct},
	{"numpy._core.multiarray", "_reconstruct", true, ck_check_reconstruct},
	{"numpy.core._multiarray_umath", "_reconstruct", true, ck_check_reconstruct},
	{"numpy._core._multiarray_umath", "_reconstruct", true, ck_check_reconstruct},
	{"numpy.ma.core", "_mareconstruct", true, ck_check_reconstruct},
	{"numpy.ma", "_mareconstruct", true, ck_check_reconstruct},
	{"numpy.core", "_ufunc_reconstruct", true, check_ufunc},
	{"numpy._core", "_ufunc_reconstruct", true, check_ufunc},
	{"numpy", "dtype", false, ck_check_numpy_type},
	{"numpy.core.multiarray", "scalar", false, ck_check_scalar},
	{"numpy._core.multiarray", "scalar", false, ck_check_scalar},
	{"numpy.core._multiarray_umath", "scalar", false, ck_check_scalar},
	{"numpy._core._multiarray_umath", "scalar", false, ck_check_scalar},
	{"numpy", "ndarray", false, ck_check_array},
	{"numpy", "void", false, ck_check_array},
	{"numpy", "memmap", true, ck_check_no_call},
	{"numpy.core.memmap", "memmap", true, ck_check_no_call},
	{"numpy._core.memmap", "memmap", true, ck_check_no_call},
};

static const ck_call_check tensor_class = {"torch", "*Tensor", false, ck_check_tensor_class};
static const ck_call_check number_class = {"numpy", "*", false, ck_check_numpy_number};
static const ck_call_check path_class = {"pathlib", "*", false, ck_check_path};
static const ck_call_check storage_class = {"torch", "*Storage", true, ck_check_no_call};

const ck_call_check *ck_call_check_find(const ck_global *g, const ck_global_row *row)
{
	for (size_t i = 0; i < CK_COUNT(checks); i++)
		if (ck_equals(g->name, g->name_len, checks[i].name) &&
		    ck_equals(g->module, g->module_len, checks[i].module))
			return &checks[i];
	if (row && row->about && !strcmp(row->about, "tensor type") &&
	    (row->rebuild || !strcmp(row->name, "*Tensor")))
		return &tensor_class;
	if (row && row->about && !strcmp(row->about, "storage type"))
		return &storage_class;
	if (row && row->about && !strcmp(row->about, "path"))
		return &path_class;
	if (row && !strcmp(row->module, "numpy") && !strcmp(row->name, "*"))
		return &number_class;
	return NULL;
}
