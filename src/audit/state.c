/* What is done to the result of a call: state that is built into it, items that are set in it or
 * appended to it. */
#include "judge.h"

#include <string.h>

static const ck_fault fine = {0};

static ck_fault changed(const char *why)
{
	return (ck_fault){CK_RULE_CHANGED_GLOBAL, why};
}

/* Attributes by which an object gets other methods than those of its class, or another class. */
static bool is_behaviour(const char *name, size_t len)
{
	static const char names[] =
		" __class__ __bases__ __base__ __mro__ __subclasses__ __reduce__ __reduce_ex__ "
		"__getstate__ __setstate__ __call__ __getattr__ __getattribute__ __setattr__ "
		"__delattr__ __get__ __set__ __delete__ __init__ __new__ __del__ __iter__ __next__ "
		"__len__ __getitem__ __setitem__ __delitem__ __contains__ __hash__ __eq__ __bool__ "
		"__str__ __repr__ __format__ __bytes__ __enter__ __exit__ __array__ "
		"__array_interface__ __array_struct__ __array_finalize__ __array_wrap__ "
		"__array_prepare__ __array_ufunc__ __array_function__ __torch_function__ "
		"__torch_dispatch__ __code__ __globals__ __builtins__ __closure__ __defaults__ "
		"__kwdefaults__ __import__ __loader__ __spec__ __path__ __init_subclass__ "
		"__class_getitem__ __instancecheck__ __subclasscheck__ __missing__ __index__ "
		"__int__ __float__ __complex__ __buffer__ __mro_entries__ __prepare__ __dir__ "
		"__copy__ __deepcopy__ __func__ __self__ __getnewargs__ __getnewargs_ex__ "
		"__await__ __aiter__ __anext__ __reversed__ __length_hint__ "
		"__cuda_array_interface__ __dlpack__ __fspath__ __set_name__ __abstractmethods__ "
		"__slots__ __add__ __iadd__ ";
	char padded[40];
	if (len < 5 || len + 3 > sizeof padded || memcmp(name, "__", 2) != 0)
		return false;
	padded[0] = ' ';
	memcpy(padded + 1, name, len);
	memcpy(padded + 1 + len, " ", 2);
	return strstr(names, padded);
}

static bool is_named(const ck_value *value, const char *name)
{
	const char *text;
	size_t len;
	return ck_value_text(value, &text, &len) && len == strlen(name) && !memcmp(text, name, len);
}

/* str('...') as a key is an attribute's name that is not written as it is. */
static bool is_computed_name(const ck_value *key)
{
	if (key->kind != CK_CALL || key->call->callee->kind != CK_GLOBAL)
		return false;
	const ck_global *g = key->call->callee->global;
	bool builtin = ck_equals(g->module, g->module_len, "builtins") ||
	               ck_equals(g->module, g->module_len, "__builtin__") ||
	               ck_equals(g->module, g->module_len, "numpy");
	return builtin && g->name_len >= 3 &&
	       (!memcmp(g->name, "str", 3) ||
	        (g->name_len >= 7 && !memcmp(g->name, "unicode", 7)) ||
	        (g->name_len >= 7 && !memcmp(g->name, "getattr", 7)));
}

/* A line of what scipy's distributions keep as text, and run when they are loaded: the head of one
 * of three functions, or what that returns, with no calls but their own. */
static bool is_own_line(const char *line, size_t len)
{
	static const char head[] = "def _parse_args", back[] = "    return ";
	static const char call[] = "_argcheck_rvs";
	bool is_head = len > sizeof head && !memcmp(line, head, sizeof head - 1);
	size_t name = sizeof head - 1;
	while (is_head && name < len && line[name] && strchr("_rvstas", line[name]))
		name++;
	if (!is_head && (len < sizeof back || memcmp(line, back, sizeof back - 1) != 0))
		return false;
	/* to Python a \r is a blank or an end, and other letters may be spellings of these */
	for (size_t i = 0; i < len; i++)
		if (line[i] < ' ' || line[i] > '~')
			return false;
	for (size_t i = is_head ? name + 1 : sizeof back; i < len; i++) {
		size_t last = i - 1;
		while (last && (line[last] == ' ' || line[last] == '\t' || line[last] == '\f'))
			last--;
		char before = line[last];
		bool word = before == '_' || (before >= '0' && before <= '9') ||
		            ((before | 0x20) >= 'a' && (before | 0x20) <= 'z');
		size_t n = sizeof call - 1;
		bool own = i > n && !memcmp(line + i - n, call, n);
		if ((line[i] == '(' && (word || before == ')' || before == '\'') && !own) ||
		    (line[i] == ':' && i + 1 < len) || strchr("[]{};@\\\"#!", line[i]))
			return false;
	}
	return !is_head || (name < len && line[name] == '(' && line[len - 1] == ':');
}

static bool is_own_template(const ck_value *value)
{
	const char *text;
	size_t len, line;
	if (!ck_value_text(value, &text, &len))
		return false;
	for (; len; text += line, len -= line) {
		const char *end = memchr(text, '\n', len);
		line = end ? (size_t)(end - text) : len;
		if (line && !is_own_line(text, line))
			return false;
		line += end != NULL;
	}
	return true;
}

static ck_fault check_keys(const ck_value *dict, int depth)
{
	const char *text;
	size_t len;
	for (size_t i = 0; dict->kind == CK_DICT && i + 1 < dict->items->count; i += 2) {
		const ck_value *key = dict->items->item[i];
		if (is_computed_name(key))
			return changed("is given an attribute whose name is computed");
		if (!ck_value_text(key, &text, &len))
			continue;
		if (is_behaviour(text, len))
			return changed("is given a special attribute, which changes what it does");
		if (is_named(key, "_parse_arg_template") &&
		    !is_own_template(dict->items->item[i + 1]))
			return changed("is given code as text, which scipy runs when it is loaded");
		if (is_named(key, "__dict__") && depth < 4) {
			ck_fault inner = check_keys(dict->items->item[i + 1], depth + 1);
			if (inner.why)
				return inner;
		}
	}
	return fine;
}

static bool is_partial(const ck_standing *s)
{
	return s && s->meant.module_len == 9 && !memcmp(s->meant.module, "functools", 9) &&
	       s->meant.name_len == 7 && !memcmp(s->meant.name, "partial", 7);
}

static bool is_dtype(const ck_standing *s)
{
	return s && s->row && !strcmp(s->row->module, "numpy") && !strcmp(s->row->name, "dtype");
}

ck_fault ck_check_build(ck_audit *audit, const ck_standing *s, const ck_value *target,
                        const ck_value *state)
{
	ck_fault fault = check_keys(state, 0);
	bool tuple = state->kind == CK_TUPLE;
	for (size_t i = 0; tuple && !fault.why && i < state->items->count && i < 4; i++)
		fault = check_keys(state->items->item[i], 0);
	if (!fault.why && is_dtype(s))
		return ck_check_dtype(target, state);
	if (fault.why || !is_partial(s))
		return fault;
	if (!tuple || state->items->count != 4)
		return (ck_fault){CK_RULE_ODD_ARGUMENTS, "gets a state that it never has"};
	return ck_check_deferred(audit, state->items->item[0]);
}

static bool takes_pairs(const ck_standing *s)
{
	return !s || !s->row || s->row->role == CK_ROLE_DICT || s->row->listing == CK_FOREIGN;
}

/* A foreign object may be a mapping, and has code of its own for it. */
ck_fault ck_check_set(const ck_standing *s)
{
	if (takes_pairs(s))
		return fine;
	return (ck_fault){CK_RULE_CHANGED_TENSOR, "has no items that can be set"};
}

/* Python appends by calling the attribute `extend`, `append` or `add`, if need be that of the
 * object itself. */
static bool has_planted(const ck_value *dict)
{
	static const char *const names[] = {"append", "extend", "add", "update"};
	for (size_t i = 0; dict->kind == CK_DICT && i + 1 < dict->items->count; i += 2)
		for (size_t k = 0; k < CK_COUNT(names); k++)
			if (is_named(dict->items->item[i], names[k]))
				return true;
	return false;
}

ck_fault ck_check_append(const ck_standing *s, const ck_value *target)
{
	const ck_items *states = &ck_call_later(target->call)->states;
	for (size_t i = 0; i < states->count; i++) {
		const ck_value *state = states->item[i];
		bool planted = has_planted(state);
		for (size_t k = 0; state->kind == CK_TUPLE && k < state->items->count && k < 4; k++)
			planted = planted || has_planted(state->items->item[k]);
		if (planted)
			return changed("is appended to by a method that the pickle gave it");
	}
	if (!s || !s->row || s->row->role == CK_ROLE_LIST || s->row->listing == CK_FOREIGN)
		return fine;
	return (ck_fault){CK_RULE_CHANGED_TENSOR, "has no items that can be appended"};
}
