/* The bytes that a value holds, however its pickle spelled them, and the checkpoints that some of
 * them are. */
#include <string.h>

#include "rebuild.h"

enum { WRAPPED_MAX = 4, NESTED_MAX = 8 };

/* Characters up to U+00FF, each of which is one byte: so Python 3 reads the bytes of Python 2. */
static const ck_source *decode(ck_torch *torch, const char *text, uint64_t len, bool *failed)
{
	unsigned char *bytes = ck_alloc_array(torch->job, len + 1, 1);
	uint64_t count = 0;
	size_t took;
	*failed = !bytes;
	for (; bytes && len; text += took, len -= took) {
		uint32_t code;
		took = ck_utf8_next(text, (size_t)len, &code);
		if (!took || code > 0xFF)
			return NULL;
		bytes[count++] = (unsigned char)code;
	}
	const ck_source *source =
		bytes ? ck_source_memory(torch->job, torch->pickle->label, bytes, count) : NULL;
	*failed = !source;
	return source;
}

/* Once for each value: millions of arrays may share one. */
static const ck_source *latin1(ck_torch *torch, const ck_value *value, bool *failed)
{
	bool fresh;
	const ck_value **key = ck_alloc(torch->job, sizeof *key);
	*failed = true;
	if (!key)
		return NULL;
	*key = value;
	uint64_t *place = ck_map_put(torch->job, &torch->decoded, key, sizeof *key, &fresh);
	if (!place)
		return NULL;
	*failed = false;
	if (!fresh)
		return (const ck_source *)(uintptr_t)*place;
	const ck_source *source = decode(torch, value->text.data, value->text.len, failed);
	*place = (uint64_t)(uintptr_t)source;
	return source;
}

static const ck_source *plain(ck_torch *torch, const ck_value *value, bool *failed)
{
	const char *label = torch->pickle->label;
	const ck_source *source;
	if (value->text.data)
		source = ck_source_memory(torch->job, label, value->text.data, value->text.len);
	else
		source = ck_source_window(torch->job, torch->pickle, label, value->at,
		                          value->text.len);
	*failed = !source;
	return source;
}

/* _codecs.encode(text, 'latin1') is how Python 3 spells bytes in protocols 0 to 2; with any other
 * encoding it would give other bytes. */
static bool is_latin1(const ck_value *call)
{
	static const char *const names[] = {"latin1", "latin-1", "iso-8859-1"};
	const ck_value *encoding = ck_argument(call, 1);
	for (size_t i = 0; i < CK_COUNT(names) && encoding; i++)
		if (ck_is_word(encoding, names[i]))
			return true;
	return false;
}

/* True for calls that give their first argument as bytes. */
static bool is_wrapper(const ck_value *call)
{
	static const char *const names[][2] = {
		{"builtins", "bytearray"}, {"__builtin__", "bytearray"},
		{"builtins", "bytes"}, {"__builtin__", "bytes"},
	};
	const ck_value *callee = call->call->callee;
	for (size_t i = 0; i < CK_COUNT(names); i++)
		if (ck_value_is_global(callee, names[i][0], names[i][1]))
			return true;
	return ck_value_is_global(callee, "_codecs", "encode") && is_latin1(call);
}

/* The value whose bytes a chain of such calls gives: text, bytes, or a call without arguments,
 * which gives none. NULL: it is no such chain. */
static const ck_value *unwrap(const ck_value *value)
{
	for (int i = 0; value->kind == CK_CALL; i++) {
		const ck_value *inner = ck_argument(value, 0);
		if (i == WRAPPED_MAX || !is_wrapper(value) || value->call->later)
			return NULL;
		if (!inner)
			return value;
		value = inner;
	}
	return value->kind == CK_BYTES || value->kind == CK_STR ? value : NULL;
}

const ck_source *ck_bytes_source(ck_torch *torch, const ck_value *value, bool *failed)
{
	*failed = false;
	value = unwrap(value);
	if (!value)
		return NULL;
	if (value->kind == CK_STR)
		return latin1(torch, value, failed);
	if (value->kind == CK_BYTES)
		return plain(torch, value, failed);
	const ck_source *none = ck_source_memory(torch->job, torch->pickle->label, "", 0);
	*failed = !none;
	return none;
}

/* ---- a checkpoint inside a value ---- */

/* Sets *none, without failing, if torch.save did not write them. */
static ck_torch *read_inner(ck_torch *torch, const ck_source *source, bool *none)
{
	unsigned char head[CK_HEAD];
	ck_input in;
	if (!ck_input_open(torch->job, source, head, &in))
		return NULL;
	if (in.archive)
		return ck_torch_zip_read(torch->loaded, &in);
	if (ck_torch_legacy_probe(torch->job, &in))
		return ck_torch_legacy_read(torch->loaded, &in);
	*none = torch->job->error.status == CK_OK;
	return NULL;
}

/* Reads what the bytes hold once, however many calls name them. */
static ck_torch *find_inner(ck_torch *torch, const ck_value *bytes, bool *none)
{
	bool fresh, failed;
	const ck_value *plain_bytes = unwrap(bytes), **key;
	if (!plain_bytes) {
		ck_rebuild_fail(torch, "torch.storage._load_from_bytes needs bytes, not %s",
		                ck_value_about(bytes).s);
		return NULL;
	}
	key = ck_alloc(torch->job, sizeof *key);
	if (!key)
		return NULL;
	*key = plain_bytes;
	uint64_t *place = ck_map_put(torch->job, &torch->inner, key, sizeof *key, &fresh);
	if (!place)
		return NULL;
	if (!fresh) {
		*none = !*place; /* a failure would have ended everything */
		return (ck_torch *)(uintptr_t)*place;
	}
	const ck_source *source = ck_bytes_source(torch, plain_bytes, &failed);
	ck_torch *inner = source ? read_inner(torch, source, none) : NULL;
	if (!source && !failed)
		ck_rebuild_fail(torch, "torch.storage._load_from_bytes needs bytes, not text "
		                "beyond U+00FF");
	*place = (uint64_t)(uintptr_t)inner;
	return inner;
}

bool ck_rebuild_nested(ck_torch *torch, const ck_value *value, ck_made *made)
{
	const ck_value *bytes = ck_argument(value, 0);
	if (!bytes)
		return ck_rebuild_fail(torch, "torch.storage._load_from_bytes needs bytes");
	if (torch->level >= NESTED_MAX)
		return ck_rebuild_fail(torch, "checkpoints inside checkpoints, more than %d deep",
		                       NESTED_MAX);
	bool none = false;
	made->kind = CK_MADE_INNER;
	made->inner = find_inner(torch, bytes, &none);
	if (made->inner)
		made->inner->level = torch->level + 1;
	if (none)
		*made = (ck_made){.kind = CK_MADE_VALUE, .about = "bytes that are no checkpoint"};
	return made->inner || none;
}
