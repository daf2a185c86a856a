/* Any bytes as zip archives one after the other, with their checksums and without. */
#include "members.h"
#include "read_members.h"

/* The parts lie one behind the other and fill the file. */
static bool read_parts(ck_job *job, const ck_source *source)
{
	const ck_source **parts;
	size_t count;
	uint64_t total = 0;
	if (!ck_zip_split(job, source, &parts, &count))
		return false;
	for (size_t i = 0; i < count; i++) {
		demand(parts[i]->data == source->data + total);
		total += parts[i]->size;
	}
	demand(count && total == source->size);
	for (size_t i = 0; i < count; i++) {
		const ck_archive *archive = ck_zip_open(job, parts[i]);
		if (!archive || !fuzz_read_members(job, archive))
			return false;
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int unsealed = 0; unsealed < 2; unsealed++) {
		ck_job *job = fuzz_begin();
		const ck_source *source = ck_source_memory(job, "fuzz", data, size);
		demand(source);
		if (unsealed)
			source = fuzz_unsealed(job, source);
		fuzz_end(job, read_parts(job, source));
	}
	return 0;
}
