/* What a call is given, where nothing is known of what is called: functions that it would call in
 * its turn, and texts that are commands or code. */
#include "arguments.h"

#include <stdio.h>
#include <string.h>

/* Calls are many: what is looked at of each is little. */
enum { TEXT_MAX = 4096, ITEMS_MAX = 16, DEPTH_MAX = 2 };

typedef struct {
	ck_audit *audit;
	bool own;   /* what is called belongs to Python, torch or NumPy: it takes no functions */
	bool makes; /* an instance is made, which runs less than a call */
} receiver;

/* ---- functions ---- */

/* getattr(object, 'method'), or a function with its arguments already in it. */
static bool is_made_function(const ck_value *value)
{
	const char *name;
	size_t len;
	if (ck_is_call_of(value, "functools", "partial"))
		return true;
	if (!ck_is_call_of(value, "builtins", "getattr") &&
	    !ck_is_call_of(value, "__builtin__", "getattr"))
		return false;
	const ck_items *args = value->call->args->items;
	if (args->count < 2 || !ck_value_text(args->item[1], &name, &len) || !len)
		return true;
	return *name < 'A' || *name > 'Z'; /* else a member of an enumeration */
}

static bool is_function(const receiver *to, const ck_value *value)
{
	ck_standing scratch;
	value = ck_callee_of(value);
	if (value->kind == CK_CALL)
		return to->own && is_made_function(value);
	if (value->kind != CK_GLOBAL)
		return false;
	const ck_standing *s = ck_standing_find(to->audit, value, &scratch);
	return s && s->call.why && s->call.rule == CK_RULE_DANGEROUS_CALL &&
	       !(s->row && s->row->listing == CK_RUNS_CODE);
}

/* ---- texts ---- */

static bool begins(const char *text, size_t len, const char *with)
{
	return len >= strlen(with) && !memcmp(text, with, strlen(with));
}

static bool holds(const char *text, size_t len, const char *part)
{
	return memmem(text, len, part, strlen(part));
}

static bool is_code(const char *text, size_t len)
{
	static const char *const starts[] = {
		"import os", "import sys", "import subprocess", "import socket", "import pathlib",
		"import shutil", "import builtins", "from os import", "from subprocess import",
		"exec(", "eval(", "open(", "os.system",
	};
	static const char *const anywhere[] = {"__import__(", "os.system(", "os.popen(",
	                                       "subprocess.", "importlib.import_module(",
	                                       "__class__", "__subclasses__", "__globals__",
	                                       "__builtins__"};
	for (size_t i = 0; i < CK_COUNT(starts); i++)
		if (begins(text, len, starts[i]))
			return true;
	for (size_t i = 0; i < CK_COUNT(anywhere); i++)
		if (holds(text, len, anywhere[i]))
			return true;
	return false;
}

/* "touch x", "/bin/sh -c ...": one of these programs, and something that is no prose. */
static bool is_command(const char *text, size_t len)
{
	static const char programs[] =
		" touch echo curl wget sh bash dash zsh nc ncat netcat chmod chown rm cp mv python "
		"python2 python3 perl ruby powershell cmd cmd.exe powershell.exe cat ping nslookup "
		"sudo nohup ";
	char padded[40];
	const char *space = memchr(text, ' ', len);
	size_t first = space ? (size_t)(space - text) : 0;
	size_t start = first;
	while (start && text[start - 1] != '/')
		start--;
	size_t word = first - start;
	if (!word || word + 3 > sizeof padded)
		return false;
	padded[0] = ' ';
	memcpy(padded + 1, text + start, word);
	memcpy(padded + 1 + word, " ", 2);
	if (!strstr(programs, padded))
		return false;
	const char *rest = space + 1;
	size_t rest_len = len - first - 1;
	if (rest_len && !memchr(rest, ' ', rest_len))
		return true;
	for (size_t i = 0; i < rest_len; i++)
		if (strchr("/-_$|;&<>'\"\\=", rest[i]))
			return true;
	return false;
}

static bool is_library(const char *text, size_t len)
{
	static const char *const ends[] = {".so", ".dll", ".dylib"};
	for (size_t i = 0; i < CK_COUNT(ends); i++)
		if (len > strlen(ends[i]) &&
		    !memcmp(text + len - strlen(ends[i]), ends[i], strlen(ends[i])))
			return true;
	return false;
}

static const char *why_of_text(const receiver *to, ck_value *value)
{
	if ((value->kind != CK_STR && value->kind != CK_BYTES) || !value->text.data ||
	    value->text.len > TEXT_MAX)
		return NULL;
	const char *text = value->text.data;
	size_t len = (size_t)value->text.len;
	if (!to->makes && is_library(text, len))
		return "is given the path of a library";
	if (value->flags & CK_PLAIN) /* one text may be given a million times */
		return NULL;
	while (len && (*text == ' ' || *text == '\n' || *text == '\t' || *text == '\r')) {
		text++;
		len--;
	}
	if (is_command(text, len))
		return "is given a command of the shell";
	if (is_code(text, len))
		return "is given a text that is Python code";
	value->flags |= CK_PLAIN;
	return NULL;
}

/* ---- both ---- */

static const char *why_of(const receiver *to, ck_value *value, int depth)
{
	static const char function[] = "is given a function that it would call";
	if (!(to->makes && !to->own) && is_function(to, value))
		return function;
	const char *why = why_of_text(to, value);
	bool holder = value->kind == CK_LIST || value->kind == CK_TUPLE || value->kind == CK_DICT;
	if (why || !holder || depth >= DEPTH_MAX)
		return why;
	for (size_t i = 0; !why && i < value->items->count && i < ITEMS_MAX; i++)
		why = why_of(to, value->items->item[i], depth + 1);
	return why;
}

ck_fault ck_check_given(ck_audit *audit, const ck_standing *s, const ck_call *call)
{
	const ck_items *args = call->args->items;
	static const char exceptions[] = "builtins"; /* of it, all else is listed or denied */
	if (s->meant.module_len == strlen(exceptions) &&
	    !memcmp(s->meant.module, exceptions, s->meant.module_len))
		return fine;
	bool makes = call->how == CK_NEWOBJ || call->how == CK_NEWOBJ_EX;
	const receiver to = {audit, s->stdlib || (!makes && s->own), makes};
	const char *why = NULL;
	for (size_t i = 0; !why && i < args->count; i++)
		why = why_of(&to, args->item[i], 0);
	if (!why && call->kwargs)
		why = why_of(&to, call->kwargs, 0);
	return why ? odd(why) : fine;
}

/* "is given os.system, which reaches ..." */
ck_fault ck_name_given(ck_audit *audit, const ck_standing *s, const ck_call *call, ck_fault fault,
                       char text[CK_TEXT_MAX])
{
	const ck_items *args = call->args->items;
	if (fault.why == s->call.why || fault.why == s->make.why)
		return fault;
	for (size_t i = 0; i < args->count && i < 2; i++) {
		ck_standing scratch;
		const ck_value *value = ck_callee_of(args->item[i]);
		const ck_standing *given = value->kind != CK_GLOBAL ? NULL
		                         : ck_standing_find(audit, value, &scratch);
		if (!given || (fault.why != given->make.why && fault.why != given->call.why))
			continue;
		const ck_global *g = &given->written;
		snprintf(text, CK_TEXT_MAX, "is given %s.%s, which %s",
		         ck_show(g->module, g->module_len).s, ck_show(g->name, g->name_len).s,
		         fault.why);
		fault.why = text;
		break;
	}
	return fault;
}
