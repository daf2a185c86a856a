/* Reads ONNX models for their weights: the initializers of the graph, where their elements lie, and
 * what is needed to tell that a file is what the writer wrote. No tensor data is read. */
#include "onnx_read.h"

#include <string.h>

/* Numbers of fields (onnx.proto; proto/README.md lists all that are used). */
enum {
	MODEL_IR_VERSION = 1,
	MODEL_GRAPH = 7,
	MODEL_METADATA_PROPS = 14,
	GRAPH_NODE = 1,
	GRAPH_INITIALIZER = 5,
	GRAPH_OUTPUT = 12,
	GRAPH_SPARSE_INITIALIZER = 15,
	ENTRY_KEY = 1,
	ENTRY_VALUE = 2,
	VALUE_NAME = 1,
	VALUE_TYPE = 2,
	TYPE_TENSOR = 1,
	TYPE_ELEM = 1,
};

/* ir_version, a small number, and then a name or a graph. */
bool ck_onnx_begins(const unsigned char *head, size_t len)
{
	return len > 3 && head[0] == 0x08 && head[1] >= 1 && head[1] <= 32 &&
	       (head[2] == 0x12 || head[2] == 0x1a || head[2] == 0x22 || head[2] == 0x3a ||
	        head[2] == 0x42);
}

bool ck_onnx_fail(const ck_onnx_reader *r, uint64_t at, const char *what)
{
	return ck_fail_at(r->job, CK_CORRUPT, r->source->label, at, "%s", what);
}

bool ck_onnx_read_text(ck_onnx_reader *r, const ck_pb_field *field, const char **text, size_t *len)
{
	if (!field->is_bytes)
		return ck_onnx_fail(r, field->at, "a text is spelled as a number");
	r->text += field->len;
	if (!ck_within(r->job, r->source->label, name, field->len) ||
	    !ck_within(r->job, r->source->label, text, r->text))
		return false;
	char *copy = ck_alloc(r->job, (size_t)field->len + 1);
	if (!copy || !ck_read_at(r->job, r->source, field->from, copy, (size_t)field->len))
		return false;
	*text = copy;
	*len = (size_t)field->len;
	return true;
}

/* ---- outputs, graph, model ---- */

/* ValueInfoProto.type.tensor_type.elem_type: the last field of a chain of messages. */
static bool read_elem_type(ck_onnx_reader *r, ck_pb_field *message, uint64_t *type)
{
	static const unsigned chain[] = {TYPE_TENSOR, TYPE_ELEM};
	for (size_t i = 0; i < CK_COUNT(chain); i++) {
		ck_pb_field field, found = {0};
		const uint64_t end = message->from + message->len;
		for (uint64_t at = message->from; message->is_bytes && at < end;) {
			if (!ck_pb_next(&r->pb, &at, end, &field))
				return false;
			if (field.field == chain[i])
				found = field;
		}
		*message = found;
	}
	*type = message->is_bytes ? 0 : message->number;
	return true;
}

static bool read_output(ck_onnx_reader *r, const ck_pb_field *message)
{
	ck_onnx *to = r->to;
	ck_onnx_output output = {.name = ""};
	ck_pb_field field;
	for (uint64_t at = message->from; at < message->from + message->len;) {
		if (!ck_pb_next(&r->pb, &at, message->from + message->len, &field))
			return false;
		if (field.field == VALUE_NAME &&
		    !ck_onnx_read_text(r, &field, &output.name, &output.name_len))
			return false;
		if (field.field == VALUE_TYPE && !read_elem_type(r, &field, &output.type))
			return false;
	}
	if (!ck_within(r->job, r->source->label, tensors, to->output_count + 1))
		return false;
	ck_onnx_output *grown = ck_grow(r->job, to->outputs, &r->output_cap, to->output_count + 1,
	                                sizeof *grown);
	if (!grown)
		return false;
	to->outputs = grown;
	grown[to->output_count++] = output;
	return true;
}

static bool read_pair(ck_onnx_reader *r, const ck_pb_field *message)
{
	ck_onnx *to = r->to;
	ck_st_pair pair = {.key = "", .value = ""};
	ck_pb_field field;
	for (uint64_t at = message->from; at < message->from + message->len;)
		if (!ck_pb_next(&r->pb, &at, message->from + message->len, &field) ||
		    (field.field == ENTRY_KEY &&
		     !ck_onnx_read_text(r, &field, &pair.key, &pair.key_len)) ||
		    (field.field == ENTRY_VALUE &&
		     !ck_onnx_read_text(r, &field, &pair.value, &pair.value_len)))
			return false;
	ck_st_pair *grown =
		ck_grow(r->job, to->pairs, &r->pair_cap, to->pair_count + 1, sizeof *grown);
	if (!grown)
		return false;
	to->pairs = grown;
	grown[to->pair_count++] = pair;
	return true;
}

static bool read_graph(ck_onnx_reader *r, const ck_pb_field *graph)
{
	ck_pb_field field;
	if (!graph->is_bytes)
		return ck_onnx_fail(r, graph->at, "the graph is a number");
	for (uint64_t at = graph->from; at < graph->from + graph->len;) {
		if (ck_stopped(r->job) ||
		    !ck_pb_next(&r->pb, &at, graph->from + graph->len, &field))
			return false;
		r->to->nodes += field.field == GRAPH_NODE;
		r->to->sparse += field.field == GRAPH_SPARSE_INITIALIZER;
		if (field.field == GRAPH_INITIALIZER && !ck_onnx_read_tensor(r, &field))
			return false;
		if (field.field == GRAPH_OUTPUT && !read_output(r, &field))
			return false;
	}
	return true;
}

const ck_onnx *ck_onnx_read(ck_job *job, const ck_source *source)
{
	ck_onnx_reader r = {.pb = {.job = job, .source = source}, .job = job, .source = source,
	            .to = ck_alloc(job, sizeof *r.to)};
	bool graph = false;
	ck_pb_field field;
	if (!r.to)
		return NULL;
	for (uint64_t at = 0; at < source->size;) {
		if (ck_stopped(job) || !ck_pb_next(&r.pb, &at, source->size, &field))
			return NULL;
		if (field.field == MODEL_IR_VERSION && !field.is_bytes)
			r.to->ir_version = field.number;
		if (field.field == MODEL_METADATA_PROPS && field.is_bytes &&
		    !read_pair(&r, &field))
			return NULL;
		if (field.field != MODEL_GRAPH)
			continue;
		if (graph) {
			ck_onnx_fail(&r, field.at, "there is a second graph");
			return NULL;
		}
		graph = true;
		if (!read_graph(&r, &field))
			return NULL;
	}
	if (!graph)
		ck_fail(job, CK_CORRUPT, source->label, "there is no graph in it");
	return graph ? r.to : NULL;
}
