/* How the keys of a dict become parts of a name: str(key), as Python prints it. */
#include "load.h"

#include <string.h>

enum { REPR_DEPTH = 50 };

static bool print_repr(ck_job *job, ck_text *to, const ck_value *key, int depth);

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
	default:
		break;
	}
	ck_shown about = ck_value_about(key);
	return ck_text_addf(job, to, "<%s>", about.s);
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
