/* getattr as pickles use it: bound methods, members of enumerations, classes inside classes. */
#include "arguments.h"

#include <string.h>

static bool is_of_pathlib(const ck_value *value)
{
	const ck_value *class = value->kind == CK_CALL ? ck_callee_of(value->call->callee) : value;
	return class->kind == CK_GLOBAL && class->global->module_len >= 7 &&
	       !memcmp(class->global->module, "pathlib", 7);
}

/* getattr(torch, 'channels_last'), where the module of torch's that Python found first has it. */
static bool is_memory_format(const ck_global *of, const char *name, size_t len)
{
	static const char *const names[] = {"contiguous_format", "channels_last",
	                                    "channels_last_3d", "preserve_format"};
	bool torch = of->name_len == 5 && !memcmp(of->name, "torch", 5) &&
	             of->module_len >= 5 && !memcmp(of->module, "torch", 5);
	for (size_t i = 0; torch && i < CK_COUNT(names); i++)
		if (len == strlen(names[i]) && !memcmp(name, names[i], len))
			return true;
	return false;
}

static bool is_capital(const char *text, size_t len)
{
	return len && *text >= 'A' && *text <= 'Z';
}

bool ck_inner_class(ck_audit *audit, const ck_value *value, bool foreign)
{
	const char *name;
	size_t len;
	ck_standing scratch;
	if (!ck_is_call_of(value, "builtins", "getattr") &&
	    !ck_is_call_of(value, "__builtin__", "getattr"))
		return false;
	const ck_items *args = value->call->args->items;
	if (args->count != 2 || args->item[0]->kind != CK_GLOBAL ||
	    !ck_value_text(args->item[1], &name, &len) || !is_capital(name, len))
		return false;
	const ck_global *outer = args->item[0]->global;
	const ck_global inner = {outer->module, name, outer->module_len, len};
	if (foreign && (!is_capital(outer->name, outer->name_len) || ck_is_own(audit, outer) ||
	                ck_deny_find(audit, &inner)))
		return false;
	const ck_standing *s = ck_standing_find(audit, args->item[0], &scratch);
	return s && ck_fault_verdict(&s->import) < CK_DANGEROUS;
}

/* Bound methods and members of enumerations are pickled so. */
ck_fault ck_check_getattr(ck_audit *audit, const ck_call *call, ck_value *const *args, size_t count)
{
	static const char *const harmful[] = {
		"system", "popen", "eval", "exec", "execfile", "compile", "open", "load_module",
		"exec_module", "get_data", "find_module", "load_library", "spawn", "load", "loads",
		"tofile", "dump", "from_file", "fromfile", "touch", "write_text", "write_bytes",
		"write", "unlink", "rmdir", "mkdir", "rename", "chmod", "symlink_to", "hardlink_to",
		"run_code", "runcode", "runsource", "run_path", "execute", "extractall",
		"import_module", "urlopen", "check_output", "check_call", "Popen", "apply_async",
		"starmap", "communicate",
	};
	const char *text;
	size_t len;
	ck_standing scratch;
	(void)call;
	if (count != 2 || args[1]->kind != CK_STR || !ck_value_text(args[1], &text, &len) || !len ||
	    memchr(text, '.', len))
		return odd("takes an attribute whose name is not written in the pickle as it is");
	if (len >= 2 && text[0] == '_' && text[1] == '_')
		return odd("takes a special attribute, by which anything can be reached");
	for (size_t i = 0; i < CK_COUNT(harmful); i++)
		if (len == strlen(harmful[i]) && !memcmp(text, harmful[i], len))
			return odd("takes an attribute that by its name is a harmful function");
	const ck_value *of = ck_callee_of(args[0]);
	if (is_of_pathlib(of))
		return odd("takes a method of a path, which reaches files");
	if (of->kind == CK_GLOBAL && is_memory_format(of->global, text, len))
		return unknown("takes a memory format of torch");
	if (of->kind == CK_GLOBAL) {
		const ck_standing *s = ck_standing_find(audit, of, &scratch);
		if (s && !s->row && s->call.rule == CK_RULE_DANGEROUS_CALL)
			return odd("takes an attribute of a function or module");
	} else if (of->kind == CK_CALL && of->call->callee->kind == CK_GLOBAL) {
		const ck_value *from = of->call->callee;
		if (from->global->name_len == 7 && !memcmp(from->global->name, "getattr", 7) &&
		    !(ck_inner_class(audit, of, true) && is_capital(text, len)))
			return odd("takes an attribute of an attribute: so one walks to anything");
	} else if (of->kind != CK_CALL) {
		return odd("takes an attribute of something that is no object");
	}
	return unknown("takes an attribute of an object");
}
