/* What all users of values need: text, names, growing item lists, and Python's equal keys. */
#include "pickle.h"

#include <stdio.h>
#include <string.h>

bool ck_value_text(const ck_value *value, const char **text, size_t *len)
{
	bool py2 = value->kind == CK_BYTES && value->flags & CK_PY2 && value->text.data &&
	           ck_utf8_valid(value->text.data, (size_t)value->text.len);
	if (value->kind != CK_STR && !py2)
		return false;
	*text = value->text.data;
	*len = (size_t)value->text.len;
	return true;
}

bool ck_value_is_global(const ck_value *value, const char *module, const char *name)
{
	if (value->kind != CK_GLOBAL)
		return false;
	const ck_global *g = value->global;
	return g->module_len == strlen(module) && g->name_len == strlen(name) &&
	       !memcmp(g->module, module, g->module_len) && !memcmp(g->name, name, g->name_len);
}

bool ck_value_makes_container(const ck_value *callee)
{
	static const char *const modules[] = {"builtins", "__builtin__", "collections", "copyreg",
	                                      "copy_reg"};
	const ck_global *g = callee->kind == CK_GLOBAL ? callee->global : NULL;
	for (size_t i = 0; g && i < CK_COUNT(modules); i++)
		if (ck_equals(g->module, g->module_len, modules[i]))
			return true;
	return callee->kind == CK_PERSID || ck_value_is_global(callee, "torch", "Size");
}

enum { CALLS_MAX = 8 }; /* calls of results of calls that are followed to find a name */

ck_shown ck_value_about(const ck_value *value)
{
	static const char *const names[] = {
		[CK_NONE] = "None",   [CK_BOOL] = "bool",     [CK_INT] = "int",
		[CK_LONG] = "int",    [CK_FLOAT] = "float",   [CK_STR] = "str",
		[CK_BYTES] = "bytes", [CK_LIST] = "list",     [CK_TUPLE] = "tuple",
		[CK_SET] = "set",     [CK_DICT] = "dict",     [CK_GLOBAL] = "global",
		[CK_CALL] = "object", [CK_PERSID] = "persistent id",
		[CK_EXT] = "extension object", [CK_BUFFER] = "out-of-band buffer",
	};
	enum { PART = 51 };
	ck_shown shown;
	char module[PART], name[PART];
	const ck_value *global = value;
	for (int calls = 0; global->kind == CK_CALL && calls < CALLS_MAX; calls++)
		global = global->call->callee;
	if (global->kind != CK_GLOBAL)
		return ck_show(names[value->kind], strlen(names[value->kind]));
	ck_show_to(module, sizeof module, global->global->module, global->global->module_len);
	ck_show_to(name, sizeof name, global->global->name, global->global->name_len);
	snprintf(shown.s, sizeof shown.s, "%s.%s%s", module, name,
	         value->kind == CK_CALL ? " object" : "");
	return shown;
}

/* The first room is of the exact size, for most lists and tuples never grow; then it doubles. */
bool ck_items_reserve(ck_job *job, ck_items *items, size_t more)
{
	size_t cap = items->cap, need = items->count + more;
	if (need <= cap)
		return true;
	if (need > UINT32_MAX / 2)
		return ck_fail_nomem(job);
	ck_value **item;
	if (cap) {
		item = ck_grow(job, items->item, &cap, need, sizeof *item);
	} else {
		item = ck_alloc_array(job, need, sizeof *item);
		cap = need;
	}
	if (!item)
		return false;
	items->item = item;
	items->cap = (uint32_t)cap;
	return true;
}

bool ck_items_push(ck_job *job, ck_items *items, ck_value *value)
{
	if (!ck_items_reserve(job, items, 1))
		return false;
	items->item[items->count++] = value;
	return true;
}

/* ---- equal keys ---- */

enum { SMALL_DICT = 12 };

/* Tags of keys that are no text; no text starts with one, since 0xFF is not UTF-8. */
typedef enum { KEY_NUMBER, KEY_LONG, KEY_FLOAT, KEY_NONE, KEY_BYTES, KEY_GLOBAL, KEY_EXT, KEY_TUPLE,
               KEY_SELF } key_tag;

static bool add_tagged(ck_job *job, ck_text *to, key_tag tag, const void *data, size_t len)
{
	unsigned char head[10] = {0xFF, (unsigned char)tag};
	for (size_t i = 0; i < 8; i++)
		head[2 + i] = (unsigned char)((uint64_t)len >> (8 * i));
	return ck_text_add(job, to, head, sizeof head) && ck_text_add(job, to, data, len);
}

/* The whole number that a double from 2^53 up is, as LONG would hold it. */
static void whole_of(double f, unsigned char bytes[136], ck_value *whole)
{
	uint64_t bits;
	memcpy(&bits, &f, sizeof bits);
	unsigned shift = (unsigned)(bits >> 52 & 0x7FF) - 1075;
	uint64_t digits = ((bits & 0xFFFFFFFFFFFFF) | UINT64_C(1) << 52) << shift % 8;
	memset(bytes, 0, 136);
	for (unsigned i = 0; i < 8; i++)
		bytes[shift / 8 + i] = (unsigned char)(digits >> 8 * i);
	if (f < 0)
		ck_literal_negate(bytes, 136);
	ck_literal_binary((const char *)bytes, 136, whole);
}

static bool add_float_key(ck_job *job, ck_text *to, const ck_value *value)
{
	double f = value->f;
	if (f != f) /* no NaN equals another */
		return add_tagged(job, to, KEY_SELF, &value->id, sizeof value->id);
	bool small = f >= -9223372036854775808.0 && f < 9223372036854775808.0;
	if (small && (double)(int64_t)f == f) {
		int64_t number = (int64_t)f;
		return add_tagged(job, to, KEY_NUMBER, &number, sizeof number);
	}
	if (small || f - f != 0) /* it has a fraction or is infinite */
		return add_tagged(job, to, KEY_FLOAT, &f, sizeof f);
	unsigned char bytes[136];
	ck_value whole;
	whole_of(f, bytes, &whole);
	return add_tagged(job, to, KEY_LONG, whole.text.data, (size_t)whole.text.len);
}

/* Writes bytes that are the same for two keys exactly if Python finds the keys equal. */
static bool add_key(ck_job *job, ck_text *to, const ck_value *value, int depth)
{
	const char *text;
	size_t len;
	int64_t number = value->kind == CK_BOOL ? value->b : value->i;
	if (ck_value_text(value, &text, &len))
		return ck_text_add(job, to, text, len);
	switch ((ck_kind)value->kind) {
	case CK_BOOL:
	case CK_INT:
		return add_tagged(job, to, KEY_NUMBER, &number, sizeof number);
	case CK_LONG:
		return add_tagged(job, to, KEY_LONG, value->text.data, (size_t)value->text.len);
	case CK_FLOAT:
		return add_float_key(job, to, value);
	case CK_NONE:
		return add_tagged(job, to, KEY_NONE, NULL, 0);
	case CK_BYTES:
		if (!value->text.data)
			break;
		return add_tagged(job, to, KEY_BYTES, value->text.data, (size_t)value->text.len);
	case CK_EXT:
		return add_tagged(job, to, KEY_EXT, &value->i, sizeof value->i);
	case CK_GLOBAL:
		if (value->flags & CK_COMPUTED)
			break;
		return add_tagged(job, to, KEY_GLOBAL, value->global->module,
		                  value->global->module_len) &&
		       add_tagged(job, to, KEY_GLOBAL, value->global->name,
		                  value->global->name_len);
	case CK_TUPLE:
		if (depth == CK_KEY_DEPTH)
			break;
		if (!add_tagged(job, to, KEY_TUPLE, &value->items->count, sizeof(size_t)))
			return false;
		for (size_t i = 0; i < value->items->count; i++)
			if (!add_key(job, to, value->items->item[i], depth + 1) ||
			    !add_tagged(job, to, KEY_TUPLE, NULL, 0))
				return false;
		return true;
	default:
		break;
	}
	return add_tagged(job, to, KEY_SELF, &value->id, sizeof value->id);
}

/* The first of kept keys that equals this one; *place receives its index in items. */
typedef bool find_key(ck_job *job, ck_map *seen, ck_items *items, size_t step, size_t kept,
                      ck_value *key, size_t *place);

static bool find_hashed(ck_job *job, ck_map *seen, ck_items *items, size_t step, size_t kept,
                        ck_value *key, size_t *place)
{
	(void)items;
	(void)step;
	ck_text text = {0};
	const char *data;
	size_t len;
	bool fresh;
	if (!ck_value_text(key, &data, &len)) {
		if (!add_key(job, &text, key, 0))
			return false;
		data = text.data;
		len = text.len;
	}
	uint64_t *slot = ck_map_put(job, seen, data, len, &fresh);
	if (!slot)
		return false;
	if (fresh)
		*slot = kept;
	*place = (size_t)*slot;
	return true;
}

/* For the many small dicts whose keys are all text, comparing is faster than hashing. */
static bool find_compared(ck_job *job, ck_map *seen, ck_items *items, size_t step, size_t kept,
                          ck_value *key, size_t *place)
{
	(void)job;
	(void)seen;
	const ck_value *old;
	for (*place = 0; *place < kept; *place += step) {
		old = items->item[*place];
		if (old->text.len == key->text.len &&
		    !memcmp(old->text.data, key->text.data, (size_t)key->text.len))
			break;
	}
	return true;
}

static bool is_small_text_dict(const ck_items *items, size_t step)
{
	if (items->count > SMALL_DICT * step)
		return false;
	for (size_t i = 0; i < items->count; i += step)
		if (items->item[i]->kind != CK_STR)
			return false;
	return true;
}

/* Never 0. */
static bool hash_key(ck_job *job, ck_text *scratch, const ck_value *key, uint64_t *hash)
{
	const char *data;
	size_t len;
	scratch->len = 0;
	if (!ck_value_text(key, &data, &len)) {
		if (!add_key(job, scratch, key, 0))
			return false;
		data = scratch->data;
		len = scratch->len;
	}
	*hash = ck_hash(job, data, len) | 1;
	return true;
}

/* Most dicts have no key twice, and their hashes alone show it: no key needs to be compared, and
 * the table is small. The places of several keys are fetched before they are looked at. */
static bool all_differ(ck_job *job, const ck_items *items, size_t step, bool *differ)
{
	enum { BATCH = 16 };
	unsigned bits = 6;
	while ((UINT64_C(1) << bits) < 2 * (uint64_t)items->count / step)
		bits++;
	size_t mask = ((size_t)1 << bits) - 1;
	uint64_t hash[BATCH], *table = ck_alloc_array(job, mask + 1, sizeof *table);
	ck_text text = {0};
	*differ = table != NULL;
	for (size_t i = 0; *differ && i < items->count;) {
		size_t n = 0;
		for (; n < BATCH && i < items->count; n++, i += step) {
			if (!hash_key(job, &text, items->item[i], &hash[n]))
				return false;
			__builtin_prefetch(&table[hash[n] >> (64 - bits)], 1);
		}
		for (size_t k = 0; k < n && *differ; k++) {
			size_t place = hash[k] >> (64 - bits);
			while (table[place] && table[place] != hash[k])
				place = (place + 1) & mask;
			*differ = !table[place];
			table[place] = hash[k];
		}
	}
	return table;
}

static bool settle(ck_job *job, ck_items *items, size_t step)
{
	find_key *find = is_small_text_dict(items, step) ? find_compared : find_hashed;
	bool differ = false;
	if (find == find_hashed && !all_differ(job, items, step, &differ))
		return false;
	if (differ)
		return true;
	ck_map seen = {0};
	size_t kept = 0;
	for (size_t i = 0; i < items->count; i += step) {
		size_t place;
		ck_value **key = &items->item[i];
		if (!find(job, &seen, items, step, kept, *key, &place))
			return false;
		if (place == kept) {
			for (size_t k = 0; k < step; k++)
				items->item[kept++] = key[k];
		} else if (step == 2) {
			items->item[place + 1] = key[1];
		}
	}
	items->count = (uint32_t)kept;
	return true;
}

bool ck_items_settle(ck_job *job, ck_items *items, size_t step)
{
	if (items->count <= step)
		return true;
	ck_mark mark = ck_arena_mark(job);
	bool ok = settle(job, items, step);
	ck_arena_release(job, mark);
	return ok;
}
