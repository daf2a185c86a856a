/* The messages of an ONNX model, packed one by one; without the bytes of tensors. */
#ifndef CK_SAVE_ONNX_H
#define CK_SAVE_ONNX_H

#include "model.h"

/* Numbers of fields whose content is not packed with them. */
enum {
	CK_ONNX_MODEL_GRAPH = 7,
	CK_ONNX_GRAPH_INITIALIZER = 5,
	CK_ONNX_GRAPH_OUTPUT = 12,
	CK_ONNX_TENSOR_RAW_DATA = 9,
};

/* Where the bytes of a tensor are: in the file `location` beside the model, or right behind the
 * message if that is NULL. */
typedef struct ck_onnx_spot {
	const char *location;
	uint64_t offset;
} ck_onnx_spot;

/* Each appends a message to `to`, or if `to` is NULL only adds its bytes to *size. */
typedef struct ck_onnx_sink {
	ck_job *job;
	ck_text *to;
	uint64_t size;
} ck_onnx_sink;

bool ck_onnx_put_tensor(ck_onnx_sink *sink, const ck_entry *entry, const ck_onnx_spot *spot);
/* The ValueInfoProto of a tensor that is an output. */
bool ck_onnx_put_output(ck_onnx_sink *sink, const ck_entry *entry);
/* The fields of a ModelProto before its graph, those of a GraphProto before its initializers, and
 * those of a ModelProto behind its graph. */
bool ck_onnx_put_begin(ck_onnx_sink *sink, const ck_model *model);
bool ck_onnx_put_graph(ck_onnx_sink *sink);
bool ck_onnx_put_end(ck_onnx_sink *sink, const ck_model *model);
/* The tag of a field and the length of what follows. */
bool ck_onnx_put_head(ck_onnx_sink *sink, unsigned field, uint64_t len);

/* onnxruntime has no outputs of complex numbers. */
bool ck_onnx_is_output(const ck_tensor *tensor);
/* Of the least version of the format that has all of the dtypes. */
uint64_t ck_onnx_ir_version(const ck_model *model);

#endif
