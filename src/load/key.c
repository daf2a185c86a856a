/* How the keys of a dict become parts of a name: str(key), as Python prints it. */
#include "load.h"
#include "numpy.h"
#include "view.h"

#include <math.h>
#include <string.h>

enum { REPR_DEPTH = 50, BYTES_PER_VISIT = 2 };

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
	if (!ck_text_reserve(job, &bytes, len))
		return false;
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

/* A part of a complex number: as a float, but without ".0". */
static bool print_part(ck_job *job, ck_text *to, double value, bool sign)
{
	ck_text text = {0};
	if (!ck_print_float(job, &text, value))
		return false;
	if (text.len > 2 && !memcmp(text.data + text.len - 2, ".0", 2))
		text.len -= 2;
	return (!sign || *text.data == '-' || ck_text_add(job, to, "+", 1)) &&
	       ck_text_add(job, to, text.data, text.len);
}

/* complex(1.0, 2.0) as (1+2j) */
static bool print_complex(ck_job *job, ck_text *to, const ck_call *call, bool *done)
{
	const ck_items *args = call->args->items;
	*done = args->count == 2 && args->item[0]->kind == CK_FLOAT &&
	        args->item[1]->kind == CK_FLOAT &&
	        (ck_value_is_global(call->callee, "builtins", "complex") ||
	         ck_value_is_global(call->callee, "__builtin__", "complex"));
	if (!*done)
		return true;
	double real = args->item[0]->f, imaginary = args->item[1]->f;
	if (real == 0 && !signbit(real))
		return print_part(job, to, imaginary, false) && ck_text_add(job, to, "j", 1);
	return ck_text_add(job, to, "(", 1) && print_part(job, to, real, false) &&
	       print_part(job, to, imaginary, true) && ck_text_add(job, to, "j)", 2);
}

/* A tuple of two tuples of two tuples ... takes few bytes in a pickle and no end of them as a name:
 * that limit bounds it. */

/* Items between two words: torch.Size([1, 2]), frozenset({1, 2}). */
static bool print_between(ck_job *job, ck_text *to, const char *open, const ck_items *items,
                          const char *close, int depth)
{
	if (!ck_text_add(job, to, open, strlen(open)))
		return false;
	for (size_t i = 0; i < items->count; i++)
		if ((i && !ck_text_add(job, to, ", ", 2)) || !ck_within(job, "", name, to->len) ||
		    !print_repr(job, to, items->item[i], depth + 1))
			return false;
	return ck_text_add(job, to, close, strlen(close));
}

/* Calls that make a sequence which can be a key. */
static bool print_sequence(ck_job *job, ck_text *to, const ck_call *call, int depth, bool *done)
{
	static const struct {
		const char *module, *name, *open, *close, *empty;
	} kinds[] = {
		{"torch", "Size", "torch.Size([", "])", "torch.Size([])"},
		{"builtins", "frozenset", "frozenset({", "})", "frozenset()"},
		{"__builtin__", "frozenset", "frozenset({", "})", "frozenset()"},
	};
	const ck_items *args = call->args->items;
	*done = false;
	for (size_t i = 0; i < CK_COUNT(kinds); i++) {
		if (!ck_value_is_global(call->callee, kinds[i].module, kinds[i].name))
			continue;
		const ck_value *from = args->count == 1 ? args->item[0] : NULL;
		if (args->count && (!from || (from->kind != CK_TUPLE && from->kind != CK_LIST)))
			continue;
		*done = true;
		if (!from || !from->items->count)
			return ck_text_add(job, to, kinds[i].empty, strlen(kinds[i].empty));
		return print_between(job, to, kinds[i].open, from->items, kinds[i].close, depth);
	}
	return true;
}

static bool print_call(ck_job *job, ck_text *to, const ck_call *call, int depth, bool *done)
{
	if (!print_encoded(job, to, call, done) || *done)
		return *done;
	if (!print_complex(job, to, call, done) || *done)
		return *done;
	*done = false;
	return depth >= REPR_DEPTH || print_sequence(job, to, call, depth, done);
}

static bool print_tuple(ck_job *job, ck_text *to, const ck_items *items, int depth)
{
	if (!ck_text_add(job, to, "(", 1))
		return false;
	for (size_t i = 0; i < items->count; i++)
		if ((i && !ck_text_add(job, to, ", ", 2)) || !ck_within(job, "", name, to->len) ||
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
		if (!print_call(job, to, key->call, depth, &done) || done)
			return done;
		break;
	case CK_SET:
		if (depth < REPR_DEPTH && !(key->flags & CK_MUTABLE))
			return key->items->count ? print_between(job, to, "frozenset({", key->items,
			                                         "})", depth)
			                         : ck_text_addf(job, to, "frozenset()");
		break;
	default:
		break;
	}
	ck_shown about = ck_value_about(key);
	return ck_text_addf(job, to, "<%s>", about.s);
}

/* torch.device('cuda', 0), whose str() is cuda:0 while its repr() is longer. */
static bool print_device(ck_job *job, ck_text *to, const ck_value *key, bool *done)
{
	const char *type;
	size_t len;
	*done = false;
	if (key->kind != CK_CALL || !ck_value_is_global(key->call->callee, "torch", "device"))
		return true;
	const ck_items *args = key->call->args->items;
	bool index = args->count == 2 && args->item[1]->kind == CK_INT;
	*done = (args->count == 1 || index) && ck_value_text(args->item[0], &type, &len);
	return !*done || (ck_text_add(job, to, type, len) &&
	                  (!index || (ck_text_add(job, to, ":", 1) &&
	                              ck_print_integer(job, to, args->item[1]))));
}

const char *ck_key_name(ck_torch *torch, const ck_value *key, size_t *len)
{
	size_t count = 0;
	ck_value plain[2] = {{0}};
	if (key->kind == CK_CALL && !ck_numpy_scalar(torch, key, plain, &count))
		return NULL;
	const char *text = ck_key_text(torch->job, count == 1 ? plain : key, len);
	bool printed = key->kind != CK_STR; /* else it is there already */
	return text && ck_view_charge(torch, printed ? *len / BYTES_PER_VISIT : 0) ? text : NULL;
}

const char *ck_key_text(ck_job *job, const ck_value *key, size_t *len)
{
	const char *text;
	ck_text printed = {0};
	if (ck_value_text(key, &text, len))
		return text;
	bool done;
	if (!print_device(job, &printed, key, &done) ||
	    (!done && !print_repr(job, &printed, key, 0)))
		return NULL;
	*len = printed.len;
	return printed.data;
}
