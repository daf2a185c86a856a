/* Any bytes as a file: found out what it is, read, edited and written to memory. */
#include "convert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ck_job *job = fuzz_begin();
	const ck_source *source = ck_source_memory(job, "fuzz", data, size);
	const ck_wishes wishes = fuzz_wishes(size);
	if (source)
		ck_limits_follow(job, size);
	ck_loaded *loaded = source ? ck_load(job, source, &wishes) : NULL;
	return fuzz_end(job, loaded && fuzz_write(job, loaded));
}
