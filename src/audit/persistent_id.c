/* Persistent ids, by which a pickle names what lies outside it: the forms that torch gives them. */
#include "judge.h"

#include <string.h>

enum { STORAGE_PARTS = 5 }; /* ('storage', class, key, location, count) */

/* The first part of a tuple, where it is a text; else NULL. */
static const char *label_of(const ck_value *pid, size_t *len)
{
	const char *text;
	if (pid->kind != CK_TUPLE || !pid->items->count)
		return NULL;
	return ck_value_text(pid->items->item[0], &text, len) ? text : NULL;
}

bool ck_is_storage_id(const ck_value *pid)
{
	size_t len;
	const char *label = label_of(pid, &len);
	return label && len == 7 && !memcmp(label, "storage", 7);
}

static bool is_known(const ck_value *pid)
{
	size_t len;
	if (pid->kind == CK_INT || pid->kind == CK_STR || pid->kind == CK_BYTES)
		return true; /* torch's oldest files number their tensors */
	if (pid->kind != CK_TUPLE || !pid->items->count)
		return false;
	const char *label = label_of(pid, &len);
	if (label)
		return len == 6 && !memcmp(label, "module", 6);
	return pid->items->item[0]->kind == CK_GLOBAL && pid->items->count == 3;
}

ck_fault ck_check_persistent_id(const ck_value *pid)
{
	static const ck_fault odd = {CK_RULE_ODD_PERSISTENT_ID,
	                             "has a form that torch does not write"};
	static const ck_fault cut = {CK_RULE_BAD_ARGUMENTS,
	                             "is that of a storage, and lacks parts of it"};
	static const ck_fault fine = {0};
	if (ck_is_storage_id(pid))
		return pid->items->count >= STORAGE_PARTS ? fine : cut;
	return is_known(pid) ? fine : odd;
}
