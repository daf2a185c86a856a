/* Any bytes as a tar archive, and as the checkpoint of 2016 that may be in it. */
#include <stdio.h>

#include "convert.h"
#include "read_members.h"

enum { BLOCK = 512, SUM_AT = 148, SUM = 8, MAGIC_AT = 257 };

/* Right checksums in whatever looks like a header: a fuzzer does not find them. */
static void seal(unsigned char *header)
{
	unsigned sum = 0;
	char text[SUM];
	memset(header + SUM_AT, ' ', SUM);
	for (size_t i = 0; i < BLOCK; i++)
		sum += header[i];
	snprintf(text, sizeof text, "%06o", sum);
	memcpy(header + SUM_AT, text, SUM);
}

static const ck_source *sealed(ck_job *job, const uint8_t *data, size_t size)
{
	unsigned char *copy = (unsigned char *)ck_copy(job, data, size);
	demand(copy);
	for (size_t at = 0; at + BLOCK <= size; at += BLOCK)
		if (!memcmp(copy + at + MAGIC_AT, "ustar", 5))
			seal(copy + at);
	return ck_source_memory(job, "fuzz", copy, size);
}

static bool read_tar(ck_job *job, const ck_source *source)
{
	const ck_archive *archive = ck_archiver_tar.open(job, source);
	return archive && fuzz_read_members(job, archive);
}

static bool convert(ck_job *job, const ck_source *source)
{
	ck_input in = {.source = source, .head = source->data, .head_len = (size_t)source->size};
	in.archive = ck_archiver_tar.open(job, source);
	return in.archive && (!ck_layout_torch_tar.probe(job, &in) ||
	                      fuzz_layout(job, &ck_layout_torch_tar, &in));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool (*const ways[])(ck_job *, const ck_source *) = {read_tar, convert};
	for (size_t i = 0; i < CK_COUNT(ways); i++) {
		ck_job *job = fuzz_begin();
		const ck_source *source = size % 2 ? ck_source_memory(job, "fuzz", data, size)
		                                   : sealed(job, data, size);
		fuzz_end(job, ways[i](job, source));
	}
	return 0;
}
