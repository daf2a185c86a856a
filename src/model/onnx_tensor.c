/* Initializers of ONNX models: their type, shape and name, and where their elements lie. */
#include "onnx_read.h"

#include <inttypes.h>
#include <string.h>

/* Numbers of fields (onnx.proto; proto/README.md lists all that are used). */
enum {
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
	EXTERNAL = 1,
};

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

static bool fail_tensor(const ck_onnx_reader *r, const tensor *t, const char *what)
{
	return ck_fail_at(r->job, CK_CORRUPT, r->source->label, t->t.message,
	                  "initializer '%s': %s",
	                  ck_show(t->t.name ? t->t.name : "", t->t.name_len).s, what);
}

/* ---- the fields of a tensor ---- */

static bool add_dim(ck_onnx_reader *r, tensor *t, uint64_t size)
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
static bool read_dims(ck_onnx_reader *r, tensor *t, const ck_pb_field *field)
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

static bool read_external(ck_onnx_reader *r, tensor *t, const ck_pb_field *field)
{
	const char *key = "", *value = "";
	size_t key_len = 0, value_len = 0;
	ck_pb_field part;
	if (!field->is_bytes)
		return fail_tensor(r, t, "the place of its data is spelled as a number");
	for (uint64_t at = field->from; at < field->from + field->len;) {
		if (!ck_pb_next(&r->pb, &at, field->from + field->len, &part))
			return false;
		if (part.field == ENTRY_KEY && !ck_onnx_read_text(r, &part, &key, &key_len))
			return false;
		if (part.field == ENTRY_VALUE && !ck_onnx_read_text(r, &part, &value, &value_len))
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

static bool read_field(ck_onnx_reader *r, tensor *t, const ck_pb_field *field)
{
	switch (field->field) {
	case TENSOR_DIMS:
		return read_dims(r, t, field);
	case TENSOR_DATA_TYPE:
		t->t.type = field->number;
		return !field->is_bytes || fail_tensor(r, t, "its type is no number");
	case TENSOR_NAME:
		return ck_onnx_read_text(r, field, &t->t.name, &t->t.name_len);
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

/* Which field besides raw_data may hold the elements of a type. */
static unsigned field_of(uint64_t type)
{
	enum { FLOAT = 1, INT64 = 7, DOUBLE = 11, UINT32, UINT64, COMPLEX64, COMPLEX128 };
	switch (type) {
	case FLOAT:
	case COMPLEX64:
		return TENSOR_FLOAT_DATA;
	case DOUBLE:
	case COMPLEX128:
		return TENSOR_DOUBLE_DATA;
	case INT64:
		return TENSOR_INT64_DATA;
	case UINT32:
	case UINT64:
		return TENSOR_UINT64_DATA;
	default: /* small integers, and the bits of small floats */
		return TENSOR_INT32_DATA;
	}
}

/* What a type is called that no tensor here has. */
static const char *name_type(uint64_t type)
{
	static const struct {
		uint64_t type;
		const char *name;
	} rows[] = {{8, "strings"}, {21, "uint4"}, {22, "int4"}, {23, "float4_e2m1"}};
	for (size_t i = 0; i < CK_COUNT(rows); i++)
		if (rows[i].type == type)
			return rows[i].name;
	return "a type that is not known";
}

static bool is_odd(tensor *t, const char *why)
{
	t->t.place = CK_ONNX_ODD;
	t->t.why = why;
	return true;
}

/* Where the elements are; those of a field of their own have the size of its numbers. */
static bool find_place(ck_onnx_reader *r, tensor *t, uint64_t count, unsigned size)
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
	if (t->data && t->data != TENSOR_RAW_DATA && t->data != field_of(t->t.type))
		return is_odd(t, "elements in a field that is not for their type");
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

static bool finish_tensor(ck_onnx_reader *r, tensor *t)
{
	bool fresh;
	uint64_t count = 1;
	if (!t->t.name_len)
		return ck_onnx_fail(r, t->t.message, "an initializer has no name");
	if (!ck_map_put(r->job, &r->names, t->t.name, t->t.name_len, &fresh))
		return false;
	if (!fresh)
		return fail_tensor(r, t, "there are two of this name");
	for (size_t d = 0; d < t->t.ndim; d++)
		if (!ck_mul(count, t->dims[d], &count))
			return fail_tensor(r, t, "its shape is too large for 64 bits");
	t->t.shape = t->dims;
	ck_dtype dtype;
	if (!ck_dtype_of_onnx(t->t.type, &dtype))
		return is_odd(t, name_type(t->t.type));
	return find_place(r, t, count, ck_dtype_table[dtype].size);
}

bool ck_onnx_read_tensor(ck_onnx_reader *r, const ck_pb_field *message)
{
	ck_onnx *to = r->to;
	tensor t = {.t = {.message = message->at}};
	ck_pb_field field;
	if (!message->is_bytes)
		return ck_onnx_fail(r, message->at, "an initializer is a number");
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
