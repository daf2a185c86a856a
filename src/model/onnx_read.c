/* Reads ONNX models for their weights: the initializers of the graph, where their elements lie, and
 * what is needed to tell that a file is what the writer wrote. No tensor data is read. */
#include <inttypes.h>

#include "model.h"

#include <string.h>

/* Numbers of fields (onnx.proto; proto/README.md lists all that are used). */
enum {
	MODEL_IR_VERSION = 1,
	MODEL_GRAPH = 7,
	GRAPH_NODE = 1,
	GRAPH_INITIALIZER = 5,
	GRAPH_OUTPUT = 12,
	TENSOR_DIMS = 1,
	TENSOR_DATA_TYPE = 2,
	TENSOR_SEGMENT = 3,
	TENSOR_FLOAT_DATA = 4,
	TENSOR_INT32_DATA = 5,
	TENSOR_STRING_DATA = 6,
	TENSOR_INT64_DATA = 7,
	TENSOR_NAME = 8,
	TENSOR_RAW_DATA = 9,
	TENSOR_DOUBLE_DATA = 10,
	TENSOR_UINT64_DATA = 11,
	TENSOR_EXTERNAL_DATA = 13,
	TENSOR_DATA_LOCATION = 14,
	ENTRY_KEY = 1,
	ENTRY_VALUE = 2,
	VALUE_NAME = 1,
	VALUE_TYPE = 2,
	TYPE_TENSOR = 1,
	TYPE_ELEM = 1,
	EXTERNAL = 1,
};

/* ir_version, a small number, and then a name or a graph. */
bool ck_onnx_begins(const unsigned char *head, size_t len)
{
	return len > 3 && head[0] == 0x08 && head[1] >= 1 && head[1] <= 32 &&
	       (head[2] == 0x12 || head[2] == 0x1a || head[2] == 0x22 || head[2] == 0x3a ||
	        head[2] == 0x42);
}

typedef struct {
	ck_pb pb;
	ck_job *job;
	const ck_source *source;
	ck_onnx *to;
	size_t tensor_cap, output_cap;
	uint64_t text;    /* bytes of names */
	ck_map names;
} reader;

/* The tensor that is being read. */
typedef struct {
	ck_onnx_tensor t;
	uint64_t *dims;
	size_t dim_cap;
	unsigned data;     /* the field that holds its elements; 0: none yet */
	bool twice, loose; /* they lie in several pieces; one by one */
	bool external;
	uint64_t offset, length;
	bool has_length;
} tensor;

static bool fail(const reader *r, uint64_t at, const char *what)
{
	return ck_fail_at(r->job, CK_CORRUPT, r->source->label, at, "%s", what);
}

static bool fail_tensor(const reader *r, const tensor *t, const char *what)
{
	return ck_fail_at(r->job, CK_CORRUPT, r->source->label, t->t.message,
	                  "initializer '%s': %s",
	                  ck_show(t->t.name ? t->t.name : "", t->t.name_len).s, what);
}

static bool read_text(reader *r, const ck_pb_field *field, const char **text, size_t *len)
{
	if (!field->is_bytes)
		return fail(r, field->at, "a text is spelled as a number");
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

/* ---- the fields of a tensor ---- */

static bool add_dim(reader *r, tensor *t, uint64_t size)
{
	if (t->t.ndim == CK_DIMS_MAX)
		return fail_tensor(r, t, "it has more than 64 dimensions");
	if (size > INT64_MAX)
		return fail_tensor(r, t, "one of its dimensions is negative");
	uint64_t *grown = ck_grow(r->job, t->dims, &t->dim_cap, t->t.ndim + 1, sizeof *grown);
	if (!grown)
		return false;
	t->dims = grown;
	grown[t->t.ndim++] = size;
	return true;
}

/* One, or packed. */
static bool read_dims(reader *r, tensor *t, const ck_pb_field *field)
{
	uint64_t size;
	if (!field->is_bytes)
		return add_dim(r, t, field->number);
	for (uint64_t at = field->from; at < field->from + field->len;)
		if (!ck_pb_varint(&r->pb, &at, field->from + field->len, &size) ||
		    !add_dim(r, t, size))
			return false;
	return true;
}

static void note_data(tensor *t, const ck_pb_field *field)
{
	t->twice = t->twice || t->data;
	t->loose = t->loose || !field->is_bytes;
	t->data = field->field;
	t->t.at = field->from;
	t->t.bytes = field->len;
}

static bool read_decimal(const char *text, size_t len, uint64_t *value)
{
	*value = 0;
	for (size_t i = 0; i < len; i++) {
		unsigned digit = (unsigned)text[i] - '0';
		if (digit > 9 || !ck_mul(*value, 10, value) || !ck_add(*value, digit, value))
			return false;
	}
	return len;
}

static bool read_external(reader *r, tensor *t, const ck_pb_field *field)
{
	const char *key = "", *value = "";
	size_t key_len = 0, value_len = 0;
	ck_pb_field part;
	if (!field->is_bytes)
		return fail_tensor(r, t, "the place of its data is spelled as a number");
	for (uint64_t at = field->from; at < field->from + field->len;) {
		if (!ck_pb_next(&r->pb, &at, field->from + field->len, &part))
			return false;
		if (part.field == ENTRY_KEY && !read_text(r, &part, &key, &key_len))
			return false;
		if (part.field == ENTRY_VALUE && !read_text(r, &part, &value, &value_len))
			return false;
	}
	if (!strcmp(key, "location")) {
		if (strlen(value) != value_len)
			return fail_tensor(r, t, "the name of its file holds a NUL");
		t->t.location = value;
		return true;
	}
	t->has_length = t->has_length || !strcmp(key, "length");
	uint64_t *number = !strcmp(key, "length") ? &t->length : &t->offset;
	if (strcmp(key, "length") != 0 && strcmp(key, "offset") != 0)
		return true;
	return read_decimal(value, value_len, number) ||
	       fail_tensor(r, t, "the place of its data is no number");
}

static bool read_field(reader *r, tensor *t, const ck_pb_field *field)
{
	switch (field->field) {
	case TENSOR_DIMS:
		return read_dims(r, t, field);
	case TENSOR_DATA_TYPE:
		t->t.type = field->number;
		return !field->is_bytes || fail_tensor(r, t, "its type is no number");
	case TENSOR_NAME:
		return read_text(r, field, &t->t.name, &t->t.name_len);
	case TENSOR_RAW_DATA:
		if (!field->is_bytes)
			return fail_tensor(r, t, "its data is a number");
		note_data(t, field);
		return true;
	case TENSOR_FLOAT_DATA:
	case TENSOR_INT32_DATA:
	case TENSOR_STRING_DATA:
	case TENSOR_INT64_DATA:
	case TENSOR_DOUBLE_DATA:
	case TENSOR_UINT64_DATA:
	case TENSOR_SEGMENT:
		note_data(t, field);
		return true;
	case TENSOR_EXTERNAL_DATA:
		return read_external(r, t, field);
	case TENSOR_DATA_LOCATION:
		t->external = field->number == EXTERNAL && !field->is_bytes;
		return true;
	default:
		return true;
	}
}

/* ---- a tensor as a whole ---- */

static const ck_dtype_row *dtype_of(uint64_t type)
{
	for (size_t i = 0; type && i < CK_DTYPE_COUNT; i++)
		if (ck_dtype_table[i].onnx == type)
			return &ck_dtype_table[i];
	return NULL;
}

static bool is_odd(tensor *t, const char *why)
{
	t->t.place = CK_ONNX_ODD;
	t->t.why = why;
	return true;
}

/* Where the elements are; those of a field of their own have the size of its numbers. */
static bool find_place(reader *r, tensor *t, uint64_t count, unsigned size)
{
	uint64_t need;
	if (!ck_mul(count, size, &need))
		return fail_tensor(r, t, "its shape is too large for 64 bits");
	if (t->external) {
		if (!t->t.location)
			return fail_tensor(r, t, "its data is in another file, which is not named");
		t->t.place = CK_ONNX_EXTERNAL;
		t->t.at = t->offset;
		t->t.bytes = need;
		if (t->has_length && t->length != need)
			return fail_tensor(r, t, "the length of its data is not what its shape and "
			                   "type need");
		return true;
	}
	if (t->data == TENSOR_STRING_DATA || t->data == TENSOR_SEGMENT)
		return is_odd(t, t->data == TENSOR_SEGMENT ? "a tensor in segments" : "strings");
	if (t->twice || t->loose)
		return is_odd(t, "elements that do not lie together");
	if (t->data == TENSOR_INT32_DATA || t->data == TENSOR_INT64_DATA ||
	    t->data == TENSOR_UINT64_DATA) {
		t->t.place = CK_ONNX_NUMBERS;
		return true;
	}
	if (t->t.bytes != need)
		return ck_fail_at(r->job, CK_CORRUPT, r->source->label, t->t.message,
		                  "initializer '%s': it has %" PRIu64 " bytes of data, but its "
		                  "shape and type need %" PRIu64,
		                  ck_show(t->t.name, t->t.name_len).s, t->t.bytes, need);
	return true;
}

static bool finish_tensor(reader *r, tensor *t)
{
	bool fresh;
	uint64_t count = 1;
	if (!t->t.name_len)
		return fail(r, t->t.message, "an initializer has no name");
	if (!ck_map_put(r->job, &r->names, t->t.name, t->t.name_len, &fresh))
		return false;
	if (!fresh)
		return fail_tensor(r, t, "there are two of this name");
	for (size_t d = 0; d < t->t.ndim; d++)
		if (!ck_mul(count, t->dims[d], &count))
			return fail_tensor(r, t, "its shape is too large for 64 bits");
	t->t.shape = t->dims;
	const ck_dtype_row *row = dtype_of(t->t.type);
	if (!row)
		return is_odd(t, "a type that is not known");
	return find_place(r, t, count, row->size);
}

static bool read_tensor(reader *r, const ck_pb_field *message)
{
	ck_onnx *to = r->to;
	tensor t = {.t = {.message = message->at}};
	ck_pb_field field;
	if (!message->is_bytes)
		return fail(r, message->at, "an initializer is a number");
	if (!ck_within(r->job, r->source->label, tensors, to->count + 1))
		return false;
	for (uint64_t at = message->from; at < message->from + message->len;)
		if (!ck_pb_next(&r->pb, &at, message->from + message->len, &field) ||
		    !read_field(r, &t, &field))
			return false;
	if (!finish_tensor(r, &t))
		return false;
	ck_onnx_tensor *grown = ck_grow(r->job, to->tensors, &r->tensor_cap, to->count + 1,
	                                sizeof *grown);
	if (!grown)
		return false;
	to->tensors = grown;
	grown[to->count++] = t.t;
	return true;
}

/* ---- outputs, graph, model ---- */

/* ValueInfoProto.type.tensor_type.elem_type: the last field of a chain of messages. */
static bool read_elem_type(reader *r, ck_pb_field *message, uint64_t *type)
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

static bool read_output(reader *r, const ck_pb_field *message)
{
	ck_onnx *to = r->to;
	ck_onnx_output output = {.name = ""};
	ck_pb_field field;
	for (uint64_t at = message->from; at < message->from + message->len;) {
		if (!ck_pb_next(&r->pb, &at, message->from + message->len, &field))
			return false;
		if (field.field == VALUE_NAME &&
		    !read_text(r, &field, &output.name, &output.name_len))
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

static bool read_graph(reader *r, const ck_pb_field *graph)
{
	ck_pb_field field;
	if (!graph->is_bytes)
		return fail(r, graph->at, "the graph is a number");
	for (uint64_t at = graph->from; at < graph->from + graph->len;) {
		if (ck_stopped(r->job) ||
		    !ck_pb_next(&r->pb, &at, graph->from + graph->len, &field))
			return false;
		r->to->nodes += field.field == GRAPH_NODE;
		if (field.field == GRAPH_INITIALIZER && !read_tensor(r, &field))
			return false;
		if (field.field == GRAPH_OUTPUT && !read_output(r, &field))
			return false;
	}
	return true;
}

const ck_onnx *ck_onnx_read(ck_job *job, const ck_source *source)
{
	reader r = {.pb = {.job = job, .source = source}, .job = job, .source = source,
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
		if (field.field != MODEL_GRAPH)
			continue;
		if (graph) {
			fail(&r, field.at, "there is a second graph");
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
