/* ONNX models, which hold no pickle: their outermost message is walked field by field, from the
 * first byte to the last (onnx.proto, ModelProto). */
#include <string.h>

#include "look.h"

enum { GRAPH = 7, FIELD_MAX = 64, FIELDS_MAX = 100000, NODES_MAX = 10000000 };

/* Those of a GraphProto, as bits, which all are messages or texts. */
static const uint64_t GRAPH_FIELDS = 0x1fd26;

typedef struct {
	ck_look *look;
	ck_pb pb;       /* with a job of its own: a file that is wrong is no scan that failed */
	ck_pb_field field;
	bool right;     /* nothing was wrong so far */
} walk;

/* The next field of a message that ends at `end`. Only fields of `known` may be there, and if that
 * is not all of them, only such of bytes; *at stays at one that is wrong. False if the scan itself
 * failed. */
static bool step(walk *w, uint64_t *at, uint64_t end, uint64_t known)
{
	const ck_pb_field *field = &w->field;
	if (ck_stopped(w->look->job))
		return false;
	w->right = ck_pb_next(&w->pb, at, end, &w->field) && field->field < FIELD_MAX &&
	           (known >> field->field & 1) && (field->is_bytes || known == UINT64_MAX);
	if (!w->right)
		*at = field->at;
	return !ck_look_is_fatal(&w->pb.job->error);
}

/* All fields of a graph, so that nothing else passes for one; *at is where it goes wrong. */
static bool walk_graph(walk *w, uint64_t *at)
{
	const uint64_t end = w->field.from + w->field.len;
	uint64_t fields = 0;
	w->right = w->field.is_bytes;
	*at = w->field.from;
	while (w->right && *at < end && fields++ < NODES_MAX)
		if (!step(w, at, end, GRAPH_FIELDS))
			return false;
	w->right = w->right && *at == end;
	return true;
}

static bool tell(walk *w, uint64_t at, bool graph)
{
	ck_look *l = w->look;
	if (w->right && at == l->source->size && graph)
		return ck_regions_claim(l->job, &l->claimed, 0, at);
	if (!graph && l->kind != CK_LOOK_FILE) {
		l->format = NULL; /* numbers that only began like it */
		return true;
	}
	if (!graph && w->right && l->source->size > 2 && !memcmp(l->head, "\x08\x01\x12", 3)) {
		l->format = "TensorFlow SavedModel"; /* of fields that are none of ours */
		return (l->kind != CK_LOOK_FILE ||
		        ck_look_closed(l->audit, &l->place, 0, l->source->size,
		                       "this is a TensorFlow SavedModel, whose graph may read and "
		                       "write files; it was not looked at")) &&
		       ck_regions_claim(l->job, &l->claimed, 0, l->source->size);
	}
	return ck_audit_say(l->audit, CK_RULE_BROKEN_CHECKPOINT, &l->place, at, 0,
	                    "this begins as an ONNX model, but %s", graph || !w->right
	                    ? "here is a field that is none, or that is cut short"
	                    : "it has no graph") &&
	       ck_regions_claim(l->job, &l->claimed, 0, l->source->size);
}

bool ck_onnx_walk(ck_look *l)
{
	walk w = {.look = l, .right = true};
	uint64_t at = 0, fields = 0;
	bool graph = false, ok = true;
	ck_job *own = ck_look_job(l->audit);
	if (!own)
		return false;
	w.pb.job = own;
	w.pb.source = l->source;
	while (ok && w.right && at < l->source->size && fields++ < FIELDS_MAX) {
		ok = step(&w, &at, l->source->size, UINT64_MAX);
		if (!ok || !w.right || w.field.field != GRAPH)
			continue;
		graph = true;
		ok = walk_graph(&w, &at);
	}
	ok = ok && tell(&w, at, graph);
	return ck_look_done(l->audit, own) && ok;
}
