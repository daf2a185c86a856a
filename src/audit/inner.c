/* Files inside the values of a pickle: bytes that may be a pickle or an archive of their own, and
 * text that becomes bytes when the pickle is loaded. */
#include <stdio.h>
#include <string.h>

#include "look.h"
#include "stream.h"

enum { SMALLEST = 4, TAIL = 64 << 10, LONG_TEXT = 16 << 20 };

/* An archive may have anything before it and a comment behind it. */
static bool may_end_as_zip(ck_audit *audit, const ck_source *source, bool *may)
{
	unsigned char tail[TAIL];
	uint64_t from = source->size < TAIL ? 0 : source->size - TAIL;
	size_t len = (size_t)(source->size - from);
	*may = false;
	if (!ck_read_at(audit->job, source, from, tail, len))
		return false;
	*may = memmem(tail, len, "PK\5\6", 4) != NULL;
	return true;
}

/* `at` is the offset of the opcode that makes the bytes: they are called by it, as members are by
 * their names. */
static bool look_at(ck_audit *audit, const ck_place *place, const ck_source *source, uint64_t at,
                    ck_look_kind kind)
{
	char member[CK_WHERE_MAX];
	bool zip = false;
	unsigned char head[CK_HEAD];
	size_t len = source->size < sizeof head ? (size_t)source->size : sizeof head;
	if (len < SMALLEST)
		return true;
	if (!ck_read_at(audit->job, source, 0, head, len) || !may_end_as_zip(audit, source, &zip))
		return false;
	snprintf(member, sizeof member, "%s%sbytes at %llu", place->member,
	         *place->member ? "!" : "", (unsigned long long)at);
	return (kind == CK_LOOK_BYTES && !zip && ck_look_is_data("", head, len)) ||
	       ck_look_inside(audit, source, member, kind, NULL);
}

static bool look_at_bytes(ck_audit *audit, const ck_place *place, const ck_source *source,
                          const ck_value *bytes, ck_look_kind kind)
{
	ck_source part = *source;
	uint64_t from = bytes->at, end;
	if (bytes->text.data) {
		part.fd = -1;
		part.base = 0;
		part.data = (const unsigned char *)bytes->text.data;
	} else {
		if (!ck_add(from, bytes->text.len, &end) || end > source->size)
			return true;
		part.base += from;
		part.data = part.data ? part.data + from : NULL;
	}
	part.size = bytes->text.len;
	return look_at(audit, place, &part, from, kind);
}

bool ck_inner_bytes(ck_audit *audit, const ck_place *place, const ck_source *source,
                    const ck_value *bytes)
{
	return look_at_bytes(audit, place, source, bytes, CK_LOOK_BYTES);
}

/* The first argument of a call of `module`.`name`; NULL: there is none, or it is another call. */
static const ck_value *argument_of(const ck_value *value, const char *module, const char *name)
{
	const ck_call *call = value->kind == CK_CALL ? value->call : NULL;
	bool tuple = call && call->args && call->args->kind == CK_TUPLE;
	if (!tuple || !call->args->items->count || !ck_value_is_global(call->callee, module, name))
		return NULL;
	return call->args->items->item[0];
}

/* Turns text to bytes by latin1 until `most` are made; returns how many that are. *left receives
 * how much of the text is left. */
static size_t encode(const char *text, size_t *left, unsigned char *bytes, size_t most)
{
	size_t len = 0;
	uint32_t code = 0;
	for (size_t took; *left && len < most; text += took, *left -= took) {
		took = ck_utf8_next_wide(text, *left, &code);
		if (!took || code > 0xff)
			break; /* Python would not encode it either */
		bytes[len++] = (unsigned char)code;
	}
	return len;
}

/* Arrays of any length are spelled so: what by both its ends is data need not be made. */
static bool is_long_data(const char *text, size_t len)
{
	unsigned char head[CK_HEAD];
	size_t left = len, most = 2 * TAIL; /* a byte is two of the text at most */
	if (len < LONG_TEXT || memmem(text + len - most, most, "PK\5\6", 4))
		return false;
	return ck_look_is_data("", head, encode(text, &left, head, sizeof head));
}

/* _codecs.encode(text, 'latin1') is how protocols 0 to 2 spell bytes; bytearray(text, 'latin-1')
 * how they spell a bytearray. */
static bool look_at_text(ck_audit *audit, const ck_place *place, const ck_value *value,
                         ck_look_kind kind)
{
	const char *text = value->text.data;
	size_t left = (size_t)value->text.len;
	if (left < SMALLEST || (kind == CK_LOOK_BYTES && is_long_data(text, left)))
		return true;
	ck_job *own = ck_look_job(audit);
	if (!own)
		return false;
	unsigned char *bytes = ck_alloc(own, left);
	ck_source part = {.label = place->source->label, .fd = -1, .data = bytes};
	part.size = bytes ? encode(text, &left, bytes, left) : 0;
	bool ok = bytes ? left || look_at(audit, place, &part, value->at, kind)
	                : ck_look_failed(audit, own, CK_RULE_NOT_SCANNED, place, value->at);
	return ck_look_done(audit, own) && ok;
}

/* The text that such a call turns to bytes, by latin1 alone or the call is odd; or NULL. */
static const ck_value *text_of(const ck_value *value)
{
	static const char *const makers[][2] = {
		{"_codecs", "encode"},      {"builtins", "bytes"},       {"builtins", "bytearray"},
		{"__builtin__", "bytes"}, {"__builtin__", "bytearray"},
	};
	for (size_t i = 0; i < CK_COUNT(makers); i++) {
		const ck_value *text = argument_of(value, makers[i][0], makers[i][1]);
		if (text)
			return text->kind == CK_STR ? text : NULL;
	}
	return NULL;
}

/* What torch.storage._load_from_bytes is given it loads as a file. */
bool ck_inner_call(ck_audit *audit, const ck_place *place, const ck_source *source,
                   const ck_value *call)
{
	ck_look_kind kind = CK_LOOK_BYTES;
	const ck_value *text = text_of(call);
	const ck_value *bytes = argument_of(call, "torch.storage", "_load_from_bytes");
	if (bytes && bytes->kind == CK_CALL) {
		text = text_of(bytes);
		kind = CK_LOOK_FILE;
	}
	if (text)
		return look_at_text(audit, place, text, kind);
	return !bytes || bytes->kind != CK_BYTES ||
	       look_at_bytes(audit, place, source, bytes, CK_LOOK_FILE);
}
