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

/* A number of NumPy's, by the letters of its type: any other scalar may be text. */
static bool is_number(const ck_value *scalar)
{
	const char *text;
	size_t len;
	const ck_items *args = scalar->call->args->items;
	const ck_value *type = args->count ? args->item[0] : scalar;
	if (type->kind != CK_CALL || !type->call->args->items->count ||
	    !ck_value_text(type->call->args->items->item[0], &text, &len))
		return false;
	for (; len && strchr("<>=|", *text); len--)
		text++;
	return len && strchr("biufc", *text);
}

/* str('...') as a key is an attribute's name that is not written as it is. */
static bool is_computed_name(const ck_value *key)
{
	if (key->kind != CK_CALL || key->call->callee->kind != CK_GLOBAL)
		return false;
	const ck_global *g = key->call->callee->global;
	if (ck_equals(g->name, g->name_len, "scalar") && g->module_len > 5 &&
	    !memcmp(g->module, "numpy", 5))
		return !is_number(key);
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

/* ---- the attributes of a state, however it is made ---- */

enum { STATE_DEPTH = 6, STATE_PARTS = 4 };

/* `depth` is for whoever goes on with each_attribute(). */
typedef ck_fault on_attribute(ck_audit *audit, const ck_value *key, const ck_value *value,
                              int depth);

static ck_fault each_attribute(ck_audit *audit, const ck_value *state, int depth,
                               on_attribute *on);

/* Honest files give each object a state of its own, so that all of them have fewer attributes than
 * the file has bytes. One that many objects share is not looked at again and again. */
static bool is_too_much(ck_audit *audit, size_t count)
{
	enum { FREE = 1 << 24, TIMES = 4 };
	uint64_t most;
	if (!ck_mul(audit->job->input, TIMES, &most) || !ck_add(most, FREE, &most))
		most = UINT64_MAX;
	audit->attributes += count;
	audit->incomplete = audit->incomplete || audit->attributes > most;
	return audit->attributes > most;
}

static const ck_fault too_much = {CK_RULE_OVER_LIMIT,
                                  "has a state that very many objects have, and which was not "
                                  "looked at each time"};

static ck_fault each_pair(ck_audit *audit, const ck_items *pairs, int depth, on_attribute *on)
{
	ck_fault fault = fine;
	if (is_too_much(audit, pairs->count))
		return too_much;
	for (size_t i = 0; !fault.why && i + 1 < pairs->count; i += 2)
		fault = on(audit, pairs->item[i], pairs->item[i + 1], depth);
	return fault;
}

static const char computed[] = "is given attributes that the pickle computes";

static bool is_mapping(const ck_value *value)
{
	static const char *const names[] = {"dict", "OrderedDict", "defaultdict", "Counter",
	                                    "ChainMap", "UserDict"};
	static const char *const modules[] = {"builtins", "__builtin__", "collections",
	                                      "UserDict"};
	for (size_t i = 0; value->kind == CK_CALL && i < CK_COUNT(names); i++)
		for (size_t k = 0; k < CK_COUNT(modules); k++)
			if (ck_value_is_global(value->call->callee, modules[k], names[i]))
				return true;
	return false;
}

/* Items that a mapping is made from are pairs. Those of a sequence may be states: a tuple is made
 * of them. */
static ck_fault each_item(ck_audit *audit, const ck_items *items, bool mapping, int depth,
                          on_attribute *on)
{
	ck_fault fault = fine;
	if (is_too_much(audit, items->count))
		return too_much;
	for (size_t i = 0; !fault.why && i < items->count; i++) {
		const ck_value *item = items->item[i];
		bool call = item->kind == CK_CALL;
		if (mapping && call)
			return changed(computed);
		if ((item->kind == CK_LIST || item->kind == CK_TUPLE) && item->items->count == 2)
			fault = on(audit, item->items->item[0], item->items->item[1], depth);
		else if (!mapping && (call || item->kind == CK_DICT))
			fault = each_attribute(audit, item, depth + 1, on);
	}
	return fault;
}

/* What a mapping is made from: another one, or a list of pairs. */
static ck_fault each_in_argument(ck_audit *audit, const ck_value *argument, bool mapping,
                                 int depth, on_attribute *on)
{
	if (argument->kind == CK_DICT || argument->kind == CK_CALL) {
		if (mapping && argument->kind == CK_CALL && !is_mapping(argument))
			return changed(computed);
		return each_attribute(audit, argument, depth + 1, on);
	}
	bool list = argument->kind == CK_LIST || argument->kind == CK_TUPLE ||
	            argument->kind == CK_SET;
	return list ? each_item(audit, argument->items, mapping, depth, on) : fine;
}

/* Goes through all that a state can bring as attributes: the items of a dict, of what a call of a
 * mapping returns, and of the parts of a tuple. */
static ck_fault each_attribute(ck_audit *audit, const ck_value *state, int depth, on_attribute *on)
{
	ck_fault fault = fine;
	if (depth > STATE_DEPTH)
		return changed("is given attributes that lie too deep to be looked at");
	if (is_too_much(audit, 1))
		return too_much;
	if (state->kind == CK_DICT)
		return each_pair(audit, state->items, depth, on);
	if (state->kind == CK_TUPLE && !depth) {
		const ck_items *parts = state->items;
		for (size_t i = 0; !fault.why && i < parts->count && i < STATE_PARTS; i++)
			fault = each_attribute(audit, parts->item[i], 1, on);
		return fault;
	}
	if (state->kind != CK_CALL)
		return fine;
	const ck_call *call = state->call;
	const ck_later *later = ck_call_later(call);
	const ck_items *args = call->args->items;
	fault = each_pair(audit, &later->pairs, depth, on);
	if (!fault.why)
		fault = each_item(audit, &later->items, false, depth, on);
	for (size_t i = 0; !fault.why && i < args->count; i++)
		fault = each_in_argument(audit, args->item[i], is_mapping(state), depth, on);
	if (!fault.why && call->kwargs)
		fault = each_pair(audit, call->kwargs->items, depth, on);
	return fault;
}

/* A function that is harmless only when it is called with arguments that are seen. */
static bool is_guarded(ck_audit *audit, const ck_value *value)
{
	ck_standing scratch;
	const ck_standing *s =
		value->kind == CK_GLOBAL ? ck_standing_find(audit, value, &scratch) : NULL;
	return s && s->check && s->check->guarded;
}

static ck_fault check_attribute(ck_audit *audit, const ck_value *key, const ck_value *value,
                                int depth)
{
	const char *text;
	size_t len;
	if (is_computed_name(key))
		return changed("is given an attribute whose name is computed");
	if (!ck_value_text(key, &text, &len))
		return fine;
	if (is_behaviour(text, len))
		return changed("is given a special attribute, which changes what it does");
	if (is_named(key, "_parse_arg_template") && !is_own_template(value))
		return changed("is given code as text, which scipy runs when it is loaded");
	if (is_guarded(audit, value))
		return changed("is given a method that is harmless only with the right arguments");
	return is_named(key, "__dict__") ? each_attribute(audit, value, depth + 1, check_attribute)
	                                 : fine;
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
	const ck_fault fault = each_attribute(audit, state, 0, check_attribute);
	if (!fault.why && is_dtype(s))
		return ck_check_dtype(target, state);
	if (fault.why || !is_partial(s))
		return fault;
	if (state->kind != CK_TUPLE || state->items->count != STATE_PARTS)
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
static ck_fault check_planted(ck_audit *audit, const ck_value *key, const ck_value *value,
                              int depth)
{
	static const char *const names[] = {"append", "extend", "add", "update"};
	(void)audit;
	for (size_t i = 0; i < CK_COUNT(names); i++)
		if (is_named(key, names[i]))
			return changed("is appended to by a method that the pickle gave it");
	return is_named(key, "__dict__") ? each_attribute(audit, value, depth + 1, check_planted)
	                                 : fine;
}

ck_fault ck_check_append(ck_audit *audit, const ck_standing *s, const ck_value *target)
{
	const ck_items *states = &ck_call_later(target->call)->states;
	for (size_t i = 0; i < states->count; i++) {
		const ck_fault fault = each_attribute(audit, states->item[i], 0, check_planted);
		if (fault.why)
			return fault;
	}
	if (!s || !s->row || s->row->role == CK_ROLE_LIST || s->row->listing == CK_FOREIGN)
		return fine;
	return (ck_fault){CK_RULE_CHANGED_TENSOR, "has no items that can be appended"};
}
