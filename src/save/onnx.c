/* The ONNX writer: a model without nodes whose graph holds each tensor as an initializer and as an
 * output, the one shape that onnx and onnxruntime both load. The messages are packed by protobuf-c,
 * without the tensors' bytes: where those go is laid out beforehand, and the copy engine brings
 * them there. */
#include "save.h"

#include <string.h>

#include <onnx.pb-c.h>

enum {
	IR_VERSION = 8,
	IR_VERSION_FLOAT8 = 9,
	IR_VERSION_E8M0 = 12,
	OPSET = 13,
	WIRE_BYTES = 2,
	VARINT_MAX = 10, /* bytes */
	/* numbers of fields whose content is not packed with them */
	MODEL_GRAPH = 7,
	GRAPH_INITIALIZER = 5,
	GRAPH_OUTPUT = 12,
	TENSOR_RAW_DATA = 9,
};

static const uint64_t PROTOBUF_MAX = INT32_MAX;

/* ---- what the format cannot hold ---- */

static const char *lacks(ck_dtype dtype, const char *name, size_t len)
{
	if (!ck_dtype_table[dtype].onnx)
		return ck_dtype_table[dtype].torch;
	if (!len)
		return "an empty name";
	if (memchr(name, 0, len)) /* readers take it for the end */
		return "a name with a NUL character";
	return ck_utf8_valid(name, len) ? NULL : "a name that is not valid UTF-8";
}

/* onnxruntime has no outputs of complex numbers. */
static bool is_output(const ck_tensor *tensor)
{
	return !ck_dtype_is_complex(tensor->dtype);
}

static int64_t ir_version(const ck_model *model)
{
	int64_t version = IR_VERSION;
	for (size_t i = 0; i < model->count; i++) {
		ck_dtype dtype = model->entries[i].tensor->dtype;
		bool float8 = dtype == CK_DT_F8_E4M3 || dtype == CK_DT_F8_E5M2 ||
		              dtype == CK_DT_F8_E4M3FNUZ || dtype == CK_DT_F8_E5M2FNUZ;
		if (dtype == CK_DT_F8_E8M0)
			return IR_VERSION_E8M0;
		version = float8 ? IR_VERSION_FLOAT8 : version;
	}
	return version;
}

/* ---- framing ---- */

/* All that is in the file besides the tensors' bytes, in pieces: each goes to a place. */
typedef struct {
	size_t at, len;  /* in the text */
	uint64_t to;     /* in the file */
} piece;

typedef struct {
	ck_job *job;
	ck_model *model;
	ck_text text;
	piece *pieces;   /* one before each tensor, and one behind the last */
	uint64_t size;   /* of the file */
} framing;

static size_t varint_size(uint64_t value)
{
	size_t size = 1;
	while (value >>= 7)
		size++;
	return size;
}

static bool add_varint(framing *f, uint64_t value)
{
	unsigned char bytes[VARINT_MAX];
	size_t len = 0;
	for (; value >= 0x80; value >>= 7)
		bytes[len++] = (unsigned char)(value | 0x80);
	bytes[len++] = (unsigned char)value;
	return ck_text_add(f->job, &f->text, bytes, len);
}

/* Bytes that the tag of a field and the length of its content take. */
static size_t head_size(unsigned field, uint64_t len)
{
	return varint_size(field << 3) + varint_size(len);
}

static bool add_head(framing *f, unsigned field, uint64_t len)
{
	return add_varint(f, field << 3 | WIRE_BYTES) && add_varint(f, len);
}

static bool add_message(framing *f, const ProtobufCMessage *message)
{
	size_t len = protobuf_c_message_get_packed_size(message);
	if (!ck_text_reserve(f->job, &f->text, len))
		return false;
	protobuf_c_message_pack(message, (uint8_t *)f->text.data + f->text.len);
	f->text.len += len;
	return true;
}

/* ---- messages ---- */

/* protobuf-c only reads what it packs, but takes no pointers to const. */
static char *unconst(const char *text)
{
	char *plain;
	memcpy(&plain, &text, sizeof plain);
	return plain;
}

static int64_t *unconst_sizes(const uint64_t *sizes)
{
	int64_t *plain;
	memcpy(&plain, &sizes, sizeof plain);
	return plain;
}

/* A tensor without its bytes. */
static Onnx__TensorProto tensor_message(const ck_entry *entry)
{
	Onnx__TensorProto message = ONNX__TENSOR_PROTO__INIT;
	message.n_dims = entry->tensor->ndim;
	message.dims = unconst_sizes(entry->tensor->shape);
	message.has_data_type = true;
	message.data_type = ck_dtype_table[entry->tensor->dtype].onnx;
	message.name = unconst(entry->name);
	return message;
}

/* Bytes of all of an initializer but its own head: those of the message, the head of the data, the
 * data. */
static uint64_t tensor_size(const Onnx__TensorProto *message, const ck_tensor *tensor)
{
	return onnx__tensor_proto__get_packed_size(message) +
	       head_size(TENSOR_RAW_DATA, tensor->bytes) + tensor->bytes;
}

/* The output of a tensor: its name, type and shape. */
typedef struct {
	Onnx__ValueInfoProto info;
	Onnx__TypeProto type;
	Onnx__TypeProto__Tensor tensor;
	Onnx__TensorShapeProto shape;
	Onnx__TensorShapeProto__Dimension dims[CK_DIMS_MAX], *dim[CK_DIMS_MAX];
} output;

static void make_output(output *o, const ck_entry *entry)
{
	const ck_tensor *tensor = entry->tensor;
	onnx__value_info_proto__init(&o->info);
	onnx__type_proto__init(&o->type);
	onnx__type_proto__tensor__init(&o->tensor);
	onnx__tensor_shape_proto__init(&o->shape);
	o->info.name = unconst(entry->name);
	o->info.type = &o->type;
	o->type.value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
	o->type.tensor_type = &o->tensor;
	o->tensor.has_elem_type = true;
	o->tensor.elem_type = ck_dtype_table[tensor->dtype].onnx;
	o->tensor.shape = &o->shape;
	o->shape.n_dim = tensor->ndim;
	o->shape.dim = o->dim;
	for (size_t i = 0; i < tensor->ndim; i++) {
		onnx__tensor_shape_proto__dimension__init(&o->dims[i]);
		o->dims[i].value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
		o->dims[i].dim_value = (int64_t)tensor->shape[i];
		o->dim[i] = &o->dims[i];
	}
}

static const char GRAPH_NAME[] = "weights";

static bool add_metadata(framing *f, Onnx__ModelProto *model)
{
	size_t count = f->model->metadata_count;
	Onnx__StringStringEntryProto *pairs = ck_alloc_array(f->job, count, sizeof *pairs);
	model->metadata_props = ck_alloc_array(f->job, count, sizeof *model->metadata_props);
	model->n_metadata_props = count;
	for (size_t i = 0; pairs && model->metadata_props && i < count; i++) {
		onnx__string_string_entry_proto__init(&pairs[i]);
		pairs[i].key = unconst(f->model->metadata[i].key);
		pairs[i].value = unconst(f->model->metadata[i].value);
		model->metadata_props[i] = &pairs[i];
	}
	return pairs && model->metadata_props;
}

/* ---- layout ---- */

/* What comes before the graph's fields, and behind them. */
static bool add_model_head(framing *f, uint64_t graph_size)
{
	Onnx__ModelProto model = ONNX__MODEL_PROTO__INIT;
	model.has_ir_version = true;
	model.ir_version = ir_version(f->model);
	model.producer_name = unconst("ckconv");
	return add_message(f, &model.base) && add_head(f, MODEL_GRAPH, graph_size);
}

static bool add_model_tail(framing *f)
{
	Onnx__ModelProto model = ONNX__MODEL_PROTO__INIT;
	Onnx__OperatorSetIdProto opset = ONNX__OPERATOR_SET_ID_PROTO__INIT, *opsets = &opset;
	opset.domain = unconst("");
	opset.has_version = true;
	opset.version = OPSET;
	model.n_opset_import = 1;
	model.opset_import = &opsets;
	return add_metadata(f, &model) && add_message(f, &model.base);
}

static bool graph_size(framing *f, uint64_t *total)
{
	Onnx__GraphProto graph = ONNX__GRAPH_PROTO__INIT;
	output o;
	graph.name = unconst(GRAPH_NAME);
	*total = onnx__graph_proto__get_packed_size(&graph);
	for (size_t i = 0; i < f->model->count; i++) {
		const ck_entry *entry = &f->model->entries[i];
		const Onnx__TensorProto message = tensor_message(entry);
		uint64_t size = tensor_size(&message, entry->tensor);
		make_output(&o, entry);
		uint64_t info = onnx__value_info_proto__get_packed_size(&o.info);
		if (!ck_add(*total, size + head_size(GRAPH_INITIALIZER, size), total) ||
		    (is_output(entry->tensor) &&
		     !ck_add(*total, info + head_size(GRAPH_OUTPUT, info), total)))
			return ck_fail(f->job, CK_CORRUPT, f->model->source->label,
			               "the tensors claim more bytes than fit 64 bits");
	}
	return true;
}

static bool add_outputs(framing *f)
{
	output o;
	for (size_t i = 0; i < f->model->count; i++) {
		const ck_entry *entry = &f->model->entries[i];
		if (!is_output(entry->tensor))
			continue;
		make_output(&o, entry);
		if (!add_head(f, GRAPH_OUTPUT, onnx__value_info_proto__get_packed_size(&o.info)) ||
		    !add_message(f, &o.info.base))
			return false;
	}
	return true;
}

/* The piece that ends here: the next one begins behind `bytes` bytes of a tensor. */
static void end_piece(framing *f, size_t number, uint64_t bytes)
{
	piece *this = &f->pieces[number];
	this->len = f->text.len - this->at;
	this[1] = (piece){.at = f->text.len, .to = this->to + this->len + bytes};
}

static bool lay_out(framing *f)
{
	Onnx__GraphProto graph = ONNX__GRAPH_PROTO__INIT;
	uint64_t size;
	graph.name = unconst(GRAPH_NAME);
	f->pieces = ck_alloc_array(f->job, f->model->count + 2, sizeof *f->pieces);
	if (!f->pieces || !graph_size(f, &size) || !add_model_head(f, size) ||
	    !add_message(f, &graph.base))
		return false;
	for (size_t i = 0; i < f->model->count; i++) {
		const ck_entry *entry = &f->model->entries[i];
		const Onnx__TensorProto message = tensor_message(entry);
		if (!add_head(f, GRAPH_INITIALIZER, tensor_size(&message, entry->tensor)) ||
		    !add_message(f, &message.base) ||
		    !add_head(f, TENSOR_RAW_DATA, entry->tensor->bytes))
			return false;
		end_piece(f, i, entry->tensor->bytes);
	}
	if (!add_outputs(f) || !add_model_tail(f))
		return false;
	end_piece(f, f->model->count, 0);
	f->size = f->pieces[f->model->count + 1].to;
	return f->size <= PROTOBUF_MAX ||
	       ck_fail(f->job, CK_UNSUPPORTED, f->model->source->label,
	               "the ONNX file would need %llu bytes, but protobuf allows %llu",
	               (unsigned long long)f->size, (unsigned long long)PROTOBUF_MAX);
}

/* ---- writing ---- */

/* The pieces are one more input of the copy engine, which lies in memory. */
static bool plan_pieces(framing *f, ck_copy_plan *plan)
{
	const ck_source *source = ck_source_memory(f->job, "the ONNX messages", f->text.data,
	                                           f->text.len);
	size_t input = !source ? SIZE_MAX : ck_copy_add_input(f->job, plan, &(ck_copy_input){
		.source = source, .label = source->label, .size = f->text.len, .has_crc = true,
		.crc = ck_crc32(0, f->text.data, f->text.len)});
	if (input == SIZE_MAX)
		return false;
	for (size_t i = 0; i <= f->model->count; i++) {
		const piece *p = &f->pieces[i];
		if (!ck_copy_add_move(f->job, plan, &(ck_copy_move){input, p->at, p->len, p->to}))
			return false;
	}
	return true;
}

static bool write_file(ck_job *job, ck_model *model, ck_file *file, unsigned threads)
{
	framing f = {.job = job, .model = model};
	ck_copy_plan plan = {0};
	size_t *inputs = ck_alloc_array(job, model->storages + 1, sizeof *inputs);
	if (!inputs || !ck_model_settle_metadata(job, model) || !lay_out(&f) ||
	    !ck_copy_reserve(job, &plan, model->storages + 1, 2 * model->count + 1) ||
	    !plan_pieces(&f, &plan))
		return false;
	for (size_t i = 0; i < model->count; i++)
		if (!ck_plan_tensor(job, &plan, inputs, model->entries[i].tensor,
		                    f.pieces[i].to + f.pieces[i].len))
			return false;
	return ck_file_resize(job, file, f.size) && ck_plan_run(job, &plan, file, threads);
}

static bool check_file(ck_job *job, const ck_source *source)
{
	return ck_onnx_read(job, source);
}

const ck_writer ck_writer_onnx = {
	"onnx", ".onnx", "initializers of an ONNX model", lacks, write_file, check_file,
};
