/* The only place that knows protobuf-c and the code that it made from the ONNX project's own
 * definitions. */
#include "onnx.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <onnx.pb-c.h>

enum {
	IR_VERSION = 8,
	IR_VERSION_FLOAT8 = 9,
	IR_VERSION_E8M0 = 12,
	OPSET = 13,
	WIRE_BYTES = 2,
	VARINT_MAX = 10, /* bytes */
};

static const char PRODUCER[] = "ckconv", GRAPH_NAME[] = "weights";

bool ck_onnx_is_output(const ck_tensor *tensor)
{
	return !ck_dtype_is_complex(tensor->dtype);
}

uint64_t ck_onnx_ir_version(const ck_model *model)
{
	uint64_t version = IR_VERSION;
	for (size_t i = 0; i < model->count; i++) {
		ck_dtype dtype = model->entries[i].tensor->dtype;
		if (dtype == CK_DT_F8_E8M0)
			return IR_VERSION_E8M0;
		if (dtype == CK_DT_F8_E4M3 || dtype == CK_DT_F8_E5M2 ||
		    dtype == CK_DT_F8_E4M3FNUZ || dtype == CK_DT_F8_E5M2FNUZ)
			version = IR_VERSION_FLOAT8;
	}
	return version;
}

/* ---- packing ---- */

static bool put(ck_onnx_sink *sink, const ProtobufCMessage *message)
{
	size_t len = protobuf_c_message_get_packed_size(message);
	sink->size += len;
	if (!sink->to)
		return true;
	if (!ck_text_reserve(sink->job, sink->to, len))
		return false;
	protobuf_c_message_pack(message, (uint8_t *)sink->to->data + sink->to->len);
	sink->to->len += len;
	return true;
}

bool ck_onnx_put_head(ck_onnx_sink *sink, unsigned field, uint64_t len)
{
	unsigned char bytes[2 * VARINT_MAX];
	size_t count = 0;
	const uint64_t numbers[] = {field << 3 | WIRE_BYTES, len};
	for (size_t i = 0; i < CK_COUNT(numbers); i++) {
		uint64_t value = numbers[i];
		for (; value >= 0x80; value >>= 7)
			bytes[count++] = (unsigned char)(value | 0x80);
		bytes[count++] = (unsigned char)value;
	}
	sink->size += count;
	return !sink->to || ck_text_add(sink->job, sink->to, bytes, count);
}

/* protobuf-c only reads what it packs, but takes no pointers to const. */
static char *unconst(const char *text)
{
	char *plain;
	memcpy(&plain, &text, sizeof plain);
	return plain;
}

/* ---- tensors ---- */

typedef struct {
	Onnx__StringStringEntryProto pair[3], *pairs[3];
	char offset[24], length[24];
} external;

static void make_external(external *e, Onnx__TensorProto *message, const ck_onnx_spot *spot,
                          uint64_t bytes)
{
	snprintf(e->offset, sizeof e->offset, "%" PRIu64, spot->offset);
	snprintf(e->length, sizeof e->length, "%" PRIu64, bytes);
	const char *const texts[][2] = {
		{"location", spot->location}, {"offset", e->offset}, {"length", e->length},
	};
	for (size_t i = 0; i < CK_COUNT(texts); i++) {
		onnx__string_string_entry_proto__init(&e->pair[i]);
		e->pair[i].key = unconst(texts[i][0]);
		e->pair[i].value = unconst(texts[i][1]);
		e->pairs[i] = &e->pair[i];
	}
	message->n_external_data = CK_COUNT(texts);
	message->external_data = e->pairs;
	message->has_data_location = true;
	message->data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
}

bool ck_onnx_put_tensor(ck_onnx_sink *sink, const ck_entry *entry, const ck_onnx_spot *spot)
{
	const ck_tensor *tensor = entry->tensor;
	Onnx__TensorProto message = ONNX__TENSOR_PROTO__INIT;
	external e;
	message.n_dims = tensor->ndim;
	memcpy(&message.dims, &tensor->shape, sizeof message.dims);
	message.has_data_type = true;
	message.data_type = ck_dtype_table[tensor->dtype].onnx;
	message.name = unconst(entry->name);
	if (spot->location)
		make_external(&e, &message, spot, tensor->bytes);
	return put(sink, &message.base);
}

/* Its name, type and shape. */
bool ck_onnx_put_output(ck_onnx_sink *sink, const ck_entry *entry)
{
	Onnx__ValueInfoProto info = ONNX__VALUE_INFO_PROTO__INIT;
	Onnx__TypeProto type = ONNX__TYPE_PROTO__INIT;
	Onnx__TypeProto__Tensor tensor = ONNX__TYPE_PROTO__TENSOR__INIT;
	Onnx__TensorShapeProto shape = ONNX__TENSOR_SHAPE_PROTO__INIT;
	Onnx__TensorShapeProto__Dimension dims[CK_DIMS_MAX], *dim[CK_DIMS_MAX];
	info.name = unconst(entry->name);
	info.type = &type;
	type.value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
	type.tensor_type = &tensor;
	tensor.has_elem_type = true;
	tensor.elem_type = ck_dtype_table[entry->tensor->dtype].onnx;
	tensor.shape = &shape;
	shape.n_dim = entry->tensor->ndim;
	shape.dim = dim;
	for (size_t i = 0; i < shape.n_dim; i++) {
		onnx__tensor_shape_proto__dimension__init(&dims[i]);
		dims[i].value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
		dims[i].dim_value = (int64_t)entry->tensor->shape[i];
		dim[i] = &dims[i];
	}
	return put(sink, &info.base);
}

/* ---- the model around them ---- */

bool ck_onnx_put_begin(ck_onnx_sink *sink, const ck_model *model)
{
	Onnx__ModelProto message = ONNX__MODEL_PROTO__INIT;
	message.has_ir_version = true;
	message.ir_version = (int64_t)ck_onnx_ir_version(model);
	message.producer_name = unconst(PRODUCER);
	return put(sink, &message.base);
}

bool ck_onnx_put_graph(ck_onnx_sink *sink)
{
	Onnx__GraphProto message = ONNX__GRAPH_PROTO__INIT;
	message.name = unconst(GRAPH_NAME);
	return put(sink, &message.base);
}

static bool put_opset(ck_onnx_sink *sink)
{
	Onnx__ModelProto message = ONNX__MODEL_PROTO__INIT;
	Onnx__OperatorSetIdProto opset = ONNX__OPERATOR_SET_ID_PROTO__INIT, *opsets = &opset;
	opset.domain = unconst("");
	opset.has_version = true;
	opset.version = OPSET;
	message.n_opset_import = 1;
	message.opset_import = &opsets;
	return put(sink, &message.base);
}

bool ck_onnx_put_end(ck_onnx_sink *sink, const ck_model *model)
{
	if (!put_opset(sink))
		return false;
	for (size_t i = 0; i < model->metadata_count; i++) {
		Onnx__ModelProto message = ONNX__MODEL_PROTO__INIT;
		Onnx__StringStringEntryProto pair = ONNX__STRING_STRING_ENTRY_PROTO__INIT,
		                             *pairs = &pair;
		pair.key = unconst(model->metadata[i].key);
		pair.value = unconst(model->metadata[i].value);
		message.n_metadata_props = 1;
		message.metadata_props = &pairs;
		if (!put(sink, &message.base))
			return false;
	}
	return true;
}
