/* Any bytes as an ONNX model: what is told of its tensors lies in the file, and fits. */
#include "fuzz.h"
#include "model.h"

static void check(const ck_onnx *onnx, uint64_t size)
{
	for (size_t i = 0; i < onnx->count; i++) {
		const ck_onnx_tensor *tensor = &onnx->tensors[i];
		demand(tensor->name && tensor->name_len && tensor->message < size);
		demand(tensor->ndim <= CK_DIMS_MAX);
		if (tensor->place == CK_ONNX_RAW || tensor->place == CK_ONNX_NUMBERS)
			demand(tensor->at <= size && tensor->bytes <= size - tensor->at);
		if (tensor->place == CK_ONNX_EXTERNAL)
			demand(tensor->location);
		if (tensor->place == CK_ONNX_ODD)
			demand(tensor->why);
	}
	for (size_t i = 0; i < onnx->output_count; i++)
		demand(onnx->outputs[i].name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ck_job *job = fuzz_begin();
	const ck_source *source = ck_source_memory(job, "fuzz", data, size);
	demand(source);
	const ck_onnx *onnx = ck_onnx_read(job, source);
	if (onnx)
		check(onnx, size);
	return fuzz_end(job, onnx);
}
