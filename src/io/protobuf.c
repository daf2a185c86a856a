/* Messages of protocol buffers, field by field, as they lie in a source: what a field means is for
 * the caller to know. */
#include "io.h"

#include <endian.h>
#include <string.h>

enum {
	HEAD = 20,       /* the longest tag and number: ten bytes each */
	VARINT_MAX = 10,
	WIRE_VARINT = 0, /* the number is the value */
	WIRE_64 = 1,
	WIRE_BYTES = 2,
	WIRE_32 = 5,
	FIELD_MAX = 0x1fffffff,
};

static bool fail(ck_pb *pb, uint64_t at, const char *what)
{
	return ck_fail_at(pb->job, CK_CORRUPT, pb->source->label, at,
	                  "no message of protocol buffers: %s", what);
}

/* What the window shows from `at` on: HEAD bytes, or all up to `end`. */
static const unsigned char *look(ck_pb *pb, uint64_t at, uint64_t end, size_t *len)
{
	uint64_t left = end - at, inside = at - pb->window_at; /* huge before the window */
	*len = left < HEAD ? (size_t)left : HEAD;
	if (inside >= pb->window_len || pb->window_len - inside < *len) {
		uint64_t all = pb->source->size - at;
		pb->window_at = at;
		pb->window_len = all < sizeof pb->window ? (size_t)all : sizeof pb->window;
		if (!ck_read_at(pb->job, pb->source, at, pb->window, pb->window_len))
			return NULL;
		inside = 0;
	}
	return pb->window + inside;
}

/* Its length, or 0 if none stands there. The tenth byte has room for one bit. */
static size_t read_varint(const unsigned char *bytes, size_t len, uint64_t *value)
{
	*value = 0;
	for (size_t i = 0; i < len && i < VARINT_MAX; i++) {
		*value |= (uint64_t)(bytes[i] & 0x7f) << (7 * i);
		if (!(bytes[i] & 0x80))
			return i == VARINT_MAX - 1 && bytes[i] > 1 ? 0 : i + 1;
	}
	return 0;
}

static bool read_value(ck_pb *pb, ck_pb_field *field, const unsigned char *bytes, size_t len,
                       size_t *used)
{
	uint64_t raw = 0;
	switch (field->wire) {
	case WIRE_VARINT:
	case WIRE_BYTES:
		*used = read_varint(bytes, len, &field->number);
		return *used || fail(pb, field->at, "a number is cut short or too long");
	case WIRE_64:
	case WIRE_32:
		*used = field->wire == WIRE_64 ? 8 : 4;
		if (*used > len)
			return fail(pb, field->at, "a field is cut short");
		memcpy(&raw, bytes, *used);
		field->number = le64toh(raw);
		return true;
	default:
		return fail(pb, field->at, "there is no such type of a field");
	}
}

bool ck_pb_next(ck_pb *pb, uint64_t *at, uint64_t end, ck_pb_field *field)
{
	uint64_t tag;
	size_t len, used, more = 0;
	const unsigned char *bytes = look(pb, *at, end, &len);
	if (!bytes)
		return false;
	*field = (ck_pb_field){.at = *at};
	used = read_varint(bytes, len, &tag);
	if (!used || !(tag >> 3) || tag >> 3 > FIELD_MAX)
		return fail(pb, *at, "a field has no number");
	field->field = (uint32_t)(tag >> 3);
	field->wire = tag & 7;
	if (!read_value(pb, field, bytes + used, len - used, &more))
		return false;
	field->from = *at + used + more;
	*at = field->from;
	if (field->wire != WIRE_BYTES)
		return true;
	if (field->number > end - field->from)
		return fail(pb, field->at, "a field is longer than what it is part of");
	field->is_bytes = true;
	field->len = field->number;
	*at += field->len;
	return true;
}

bool ck_pb_varint(ck_pb *pb, uint64_t *at, uint64_t end, uint64_t *value)
{
	size_t len;
	const unsigned char *bytes = look(pb, *at, end, &len);
	if (!bytes)
		return false;
	size_t used = read_varint(bytes, len, value);
	*at += used;
	return used || fail(pb, *at, "a number is cut short or too long");
}
