/* How the keys of a dict become parts of a name: str(key), as Python prints it. */
#include "load.h"
#include "numpy.h"

#include <string.h>

enum { REPR_DEPTH = 50 };

static bool print_repr(ck_job *job, ck_text *to, const ck_value *key, int depth);

/* Protocols before 3 spell bytes as calls: b'' as bytes(), and all else as _codecs.encode('...',
 * 'latin1'), where each character is one byte. */
static bool print_encoded(ck_job *job, ck_text *to, const ck_call *call, bool *done)
{
	const char *text;
	size_t len, took;
	ck_text bytes = {0};
	*done = !call->args->items->count &&
	        (ck_value_is_global(call->callee, "builtins", "bytes") ||
	         ck_value_is_global(call->callee, "__builtin__", "bytes"));
	if (*done)
		return ck_print_quoted(job, to, "b", "", 0);
	if (!ck_value_is_global(call->callee, "_codecs", "encode") ||
	    call->args->items->count != 2 ||
	    !ck_value_text(call->args->items->item[0], &text, &len))
		return true;
	for (; len; text += took, len -= took) {
		uint32_t code;
		took = ck_utf8_next(text, len, &code);
		unsigned char byte = (unsigned char)code;
		if (!took || code > 0xFF)
			return true;
		if (!ck_text_add(job, &bytes, &byte, 1))
			return false;
	}
	*done = true;
	return ck_print_quoted(job, to, "b", bytes.data ? bytes.data : "", bytes.len);
}

static bool print_tuple(ck_job *job, ck_text *to, const ck_items *items, int depth)
{
	if (!ck_text_add(job, to, "(", 1))
		return false;
	for (size_t i = 0; i < items->count; i++)
		if ((i && !ck_text_add(job, to, ", ", 2)) ||
		    !print_repr(job, to, items->item[i], depth + 1))
			return false;
	return ck_text_addf(job, to, items->count == 1 ? ",)" : ")");
}

static bool print_repr(ck_job *job, ck_text *to, const ck_value *key, int depth)
{
	const char *text;
	size_t len;
	bool done;
	if (ck_value_text(key, &text, &len))
		return ck_print_quoted(job, to, "", text, len);
	switch ((ck_kind)key->kind) {
	case CK_NONE:
		return ck_text_addf(job, to, "None");
	case CK_BOOL:
		return ck_text_addf(job, to, key->b ? "True" : "False");
	case CK_INT:
	case CK_LONG:
		return ck_print_integer(job, to, key);
	case CK_FLOAT:
		return ck_print_float(job, to, key->f);
	case CK_BYTES:
		if (key->text.data)
			return ck_print_quoted(job, to, "b", key->text.data,
			                       (size_t)key->text.len);
		break;
	case CK_TUPLE:
		if (depth < REPR_DEPTH)
			return print_tuple(job, to, key->items, depth);
		break;
	case CK_GLOBAL:
		return ck_text_add(job, to, key->global->module, key->global->module_len) &&
		       ck_text_add(job, to, ".", 1) &&
		       ck_text_add(job, to, key->global->name, key->global->name_len);
	case CK_CALL:
		if (!print_encoded(job, to, key->call, &done) || done)
			return done;
		break;
	default:
		break;
	}
	ck_shown about = ck_value_about(key);
	return ck_text_addf(job, to, "<%s>", about.s);
}

const char *ck_key_name(ck_torch *torch, const ck_value *key, size_t *len)
{
	size_t count = 0;
	ck_value plain[2] = {{0}};
	if (key->kind == CK_CALL && !ck_numpy_scalar(torch, key, plain, &count))
		return NULL;
	return ck_key_text(torch->job, count == 1 ? plain : key, len);
}

const char *ck_key_text(ck_job *job, const ck_value *key, size_t *len)
{
	const char *text;
	ck_text printed = {0};
	if (ck_value_text(key, &text, len))
		return text;
	if (!print_repr(job, &printed, key, 0))
		return NULL;
	*len = printed.len;
	return printed.data;
}
