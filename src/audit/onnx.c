/* ONNX models, which hold no pickle: their outermost message is walked field by field, from the
 * first byte to the last (onnx.proto, ModelProto). */
#include <string.h>

#include "look.h"

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5, GRAPH = 7, FIELD_MAX = 64,
       FIELDS_MAX = 100000, NODES_MAX = 10000000, VARINT_MAX = 10 };

/* ir_version, a small number, and then a name or a graph. */
bool ck_onnx_begins(const unsigned char *head, size_t len)
{
	return len > 3 && head[0] == 0x08 && head[1] >= 1 && head[1] <= 32 &&
	       (head[2] == 0x12 || head[2] == 0x1a || head[2] == 0x22 || head[2] == 0x3a ||
	        head[2] == 0x42);
}

/* False if no varint stands at the beginning. */
static bool read_varint(const unsigned char *bytes, size_t len, size_t *used, uint64_t *value)
{
	*value = 0;
	for (*used = 0; *used < len && *used < VARINT_MAX;) {
		unsigned char byte = bytes[*used];
		*value |= (uint64_t)(byte & 0x7f) << (7 * *used);
		++*used;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

/* A message that is walked: where it ends, and which of its fields there may be, as bits. */
typedef struct {
	ck_look *look;
	uint64_t end, known, bytes_only;
} message;

/* Those of a GraphProto, which all are messages or texts. */
static const uint64_t GRAPH_FIELDS = 0x1fd26;

/* One field at *at; *right is false if it is none, or reaches beyond the message. */
static bool step(const message *m, uint64_t *at, uint64_t *field, uint64_t *from, bool *right)
{
	ck_look *l = m->look;
	unsigned char bytes[2 * VARINT_MAX];
	uint64_t key, value = 0, left = m->end - *at;
	size_t len = left < sizeof bytes ? (size_t)left : sizeof bytes, used, more = 0;
	*right = false;
	if (!ck_read_at(l->job, l->source, *at, bytes, len))
		return false;
	if (!read_varint(bytes, len, &used, &key))
		return true;
	unsigned wire = key & 7;
	*field = key >> 3;
	if ((wire == WIRE_VARINT || wire == WIRE_BYTES) &&
	    !read_varint(bytes + used, len - used, &more, &value))
		return true;
	if (wire == WIRE_VARINT)
		value = 0;
	else if (wire == WIRE_64 || wire == WIRE_32)
		value = wire == WIRE_64 ? 8 : 4;
	else if (wire != WIRE_BYTES)
		return true;
	if (value > left - used - more)
		return true;
	*right = *field && *field < FIELD_MAX && (m->known >> *field & 1) &&
	         (!m->bytes_only || wire == WIRE_BYTES);
	*from = *at + used + more;
	*at = *from + value;
	return true;
}

/* All fields of a graph, so that nothing else passes for one. */
static bool walk_graph(ck_look *l, uint64_t from, uint64_t *end, bool *right)
{
	const message m = {l, *end, GRAPH_FIELDS, true};
	uint64_t at = from, fields = 0, field, value;
	while (*right && at < m.end && fields++ < NODES_MAX)
		if (ck_stopped(l->job) || !step(&m, &at, &field, &value, right))
			return false;
	*right = *right && at == m.end;
	if (!*right)
		*end = at;
	return true;
}

bool ck_onnx_walk(ck_look *l)
{
	const message m = {l, l->source->size, UINT64_MAX, false};
	uint64_t at = 0, fields = 0, field, from;
	bool right = true, graph = false;
	while (right && at < l->source->size && fields++ < FIELDS_MAX) {
		if (ck_stopped(l->job) || !step(&m, &at, &field, &from, &right))
			return false;
		graph = graph || (right && field == GRAPH);
		if (right && field == GRAPH && !walk_graph(l, from, &at, &right))
			return false;
	}
	if (right && at == l->source->size && graph)
		return ck_regions_claim(l->job, &l->claimed, 0, at);
	if (!graph && l->kind != CK_LOOK_FILE) {
		l->format = NULL; /* numbers that only began like it */
		return true;
	}
	if (!graph && right && l->source->size > 2 && !memcmp(l->head, "\x08\x01\x12", 3)) {
		l->format = "TensorFlow SavedModel"; /* of fields that are none of ours */
		return (l->kind != CK_LOOK_FILE ||
		        ck_look_closed(l->audit, &l->place, 0, l->source->size,
		                       "this is a TensorFlow SavedModel, whose graph may read and "
		                       "write files; it was not looked at")) &&
		       ck_regions_claim(l->job, &l->claimed, 0, l->source->size);
	}
	return ck_audit_say(l->audit, CK_RULE_BROKEN_CHECKPOINT, &l->place, at, 0,
	                    "this begins as an ONNX model, but %s", graph || !right
	                    ? "here is a field that is none, or that is cut short"
	                    : "it has no graph") &&
	       ck_regions_claim(l->job, &l->claimed, 0, l->source->size);
}
