/* Any bytes as a pickle: read, then printed. */
#include <stdlib.h>

#include "fuzz.h"
#include "pickle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ck_job *job = ck_base_job_new();
	uint64_t at = 0;
	ck_text text = {0};
	if (!job || !ck_limits_set(job, "heap=64M"))
		abort();
	const ck_source *source = ck_source_memory(job, "fuzz", data, size);
	ck_value *value = source ? ck_pickle_read(job, source, &at, NULL) : NULL;
	if (!value && job->error.status == CK_OK)
		abort(); /* a failure without a reason */
	if (value)
		ck_print_tree(job, &text, value);
	ck_base_job_free(job);
	return 0;
}
