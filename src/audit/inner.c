/* Files inside the values of a pickle: bytes that may be a pickle or an archive of their own, and
 * text that becomes bytes when the pickle is loaded. */
#include <stdio.h>
#include <string.h>

#include "look.h"
#include "stream.h"

enum { SMALLEST = 4, LARGEST_TEXT = 64 << 20 };

/* `at` is the offset of the opcode that makes the bytes: they are called by it, as members are by
 * their names. */
static bool look_at(ck_audit *audit, const ck_place *place, const ck_source *source, uint64_t at)
{
	unsigned char head[64];
	char member[CK_WHERE_MAX];
	size_t len = source->size < sizeof head ? (size_t)source->size : sizeof head;
	if (len < SMALLEST)
		return true;
	if (!ck_read_at(audit->job, source, 0, head, len))
		return false;
	snprintf(member, sizeof member, "%s%sbytes at %llu", place->member, *place->member ? "!" : "",
	         (unsigned long long)at);
	return ck_look_is_data(head, len) ||
	       ck_look_inside(audit, source, member, CK_LOOK_BYTES, NULL);
}

bool ck_inner_bytes(ck_audit *audit, const ck_place *place, const ck_source *source,
                    const ck_value *bytes)
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
	return look_at(audit, place, &part, from);
}

/* _codecs.encode(text, 'latin1') is how protocols 0 to 2 spell bytes. */
bool ck_inner_call(ck_audit *audit, const ck_place *place, const ck_value *value)
{
	const ck_call *call = value->call;
	bool tuple = call->args && call->args->kind == CK_TUPLE;
	const ck_items *args = tuple ? call->args->items : NULL;
	if (!args || !args->count || args->item[0]->kind != CK_STR ||
	    !ck_value_is_global(call->callee, "_codecs", "encode"))
		return true;
	const char *text = args->item[0]->text.data;
	size_t left = (size_t)args->item[0]->text.len, len = 0;
	if (left < SMALLEST || left > LARGEST_TEXT)
		return true;
	ck_job *own = ck_look_job(audit);
	if (!own)
		return false;
	unsigned char *bytes = ck_alloc(own, left);
	uint32_t code = 0;
	for (size_t took; bytes && left; text += took, left -= took) {
		took = ck_utf8_next_wide(text, left, &code);
		if (!took || code > 0xff)
			break; /* Python would not encode it either */
		bytes[len++] = (unsigned char)code;
	}
	ck_source part = {.label = place->source->label, .size = len, .fd = -1, .data = bytes};
	bool ok = bytes && (left || look_at(audit, place, &part, value->at));
	return ck_look_done(audit, own) && ok;
}
