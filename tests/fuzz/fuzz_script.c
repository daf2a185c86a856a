/* Any bytes as the members of a TorchScript archive of either age. */
#include "convert.h"
#include "members.h"

static bool convert(ck_job *job, const ck_source *source)
{
	static const ck_layout *const layouts[] = {&ck_layout_torchscript,
	                                           &ck_layout_torchscript_json};
	ck_input in = {.archive = fuzz_archive(job, &source)};
	in.source = source;
	for (size_t i = 0; in.archive && i < CK_COUNT(layouts); i++)
		if (layouts[i]->probe(job, &in))
			return fuzz_layout(job, layouts[i], &in);
	return job->error.status == CK_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ck_job *job = fuzz_begin();
	return fuzz_end(job, convert(job, ck_source_memory(job, "fuzz", data, size)));
}
