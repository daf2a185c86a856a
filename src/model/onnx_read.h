/* Inside the model room: what the two halves of the reader of ONNX models share. */
#ifndef CK_ONNX_READ_H
#define CK_ONNX_READ_H

#include "model.h"

typedef struct ck_onnx_reader {
	ck_pb pb;
	ck_job *job;
	const ck_source *source;
	ck_onnx *to;
	size_t tensor_cap, output_cap, pair_cap;
	uint64_t text;    /* bytes of names */
	ck_map names;
} ck_onnx_reader;

/* Fails at a place in the model. */
bool ck_onnx_fail(const ck_onnx_reader *r, uint64_t at, const char *what);
/* The text of a field, with a NUL behind it. */
bool ck_onnx_read_text(ck_onnx_reader *r, const ck_pb_field *field, const char **text,
                       size_t *len);
/* onnx_tensor.c: adds an initializer. */
bool ck_onnx_read_tensor(ck_onnx_reader *r, const ck_pb_field *message);

#endif
