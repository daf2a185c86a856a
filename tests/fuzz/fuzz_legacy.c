/* Any bytes as a checkpoint of PyTorch 0.1.10 to 1.5, whatever its magic number. */
#include "convert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ck_job *job = fuzz_begin();
	const ck_source *source = ck_source_memory(job, "fuzz", data, size);
	const ck_input in = {.source = source, .head = data, .head_len = size};
	return fuzz_end(job, fuzz_layout(job, &ck_layout_torch_legacy, &in));
}
