/* Any bytes as a tar archive, as a packed file, and as zip archives one after the other. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "pack.h"

enum { UNPACKED_MAX = 1 << 20, MEMBERS_READ_MAX = 100, BLOCK = 512, SUM_AT = 148 };

static void demand(bool right)
{
	if (!right)
		abort();
}

static bool inside(const ck_source *source, const ck_member *member)
{
	return member->offset <= source->size && member->packed <= source->size - member->offset;
}

static bool read_members(ck_job *job, const ck_archive *archive)
{
	for (size_t i = 0; i < archive->count && i < MEMBERS_READ_MAX; i++) {
		ck_member *member = &archive->members[i];
		const ck_source *source = ck_member_source(job, archive, member);
		if (!source)
			return false;
		demand(source->size == member->size);
		demand(!member->located || inside(archive->source, member));
		demand(ck_archive_find(job, archive, member->name, member->name_len) == member);
	}
	return ck_archive_check_overlap(job, archive);
}

static bool open_tar(ck_job *job, const ck_source *source)
{
	const ck_archive *archive = ck_archiver_tar.open(job, source);
	return archive && read_members(job, archive);
}

static void seal(unsigned char *header)
{
	unsigned sum = 0;
	char text[8];
	memset(header + SUM_AT, ' ', sizeof text);
	for (size_t i = 0; i < BLOCK; i++)
		sum += header[i];
	snprintf(text, sizeof text, "%06o", sum);
	memcpy(header + SUM_AT, text, sizeof text);
}

/* The same, with right checksums in whatever looks like a header: a fuzzer does not find them. */
static bool open_sealed_tar(ck_job *job, const ck_source *source)
{
	unsigned char *copy = (unsigned char *)ck_copy(job, source->data, (size_t)source->size);
	for (uint64_t at = 0; copy && at + BLOCK <= source->size; at += BLOCK)
		if (!memcmp(copy + at + 257, "ustar", 5))
			seal(copy + at);
	return copy && open_tar(job, ck_source_memory(job, "fuzz", copy, source->size));
}

/* The parts lie one behind the other and fill the file. */
static bool split(ck_job *job, const ck_source *source)
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
		if (!archive || !read_members(job, archive))
			return false;
	}
	return true;
}

static bool count_bytes(ck_job *job, void *arg, const void *data, size_t len)
{
	uint64_t *made = arg;
	(void)data;
	*made += len;
	return *made <= UNPACKED_MAX || ck_fail(job, CK_LIMIT, "fuzz", "enough");
}

static bool unpack(ck_job *job, const ck_source *source)
{
	static const ck_packing *const packings[] = {
		&ck_packing_gzip, &ck_packing_zlib, &ck_packing_bzip2, &ck_packing_xz,
		&ck_packing_lzma,
	};
	uint64_t made = 0;
	size_t which = (size_t)(source->size % CK_COUNT(packings)); /* for what no probe lets in */
	const ck_packing *found = ck_packing_find(source->data, (size_t)source->size);
	if (!found)
		return packings[which]->run(job, source, &(ck_sink){count_bytes, &made});
	const ck_source *unpacked = ck_unpack(job, found, source);
	demand(!unpacked || unpacked->size <= UNPACKED_MAX);
	return unpacked != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool (*const ways[])(ck_job *, const ck_source *) = {open_tar, open_sealed_tar,
	                                                           split, unpack};
	for (size_t i = 0; i < CK_COUNT(ways); i++) {
		ck_job *job = ck_base_job_new();
		demand(job && ck_limits_set(job, "heap=64M") && ck_limits_set(job, "inflated=1M"));
		const ck_source *source = ck_source_memory(job, "fuzz", data, size);
		bool ok = source && ways[i](job, source);
		demand(ok == (job->error.status == CK_OK)); /* no failure without a reason */
		ck_base_job_free(job);
	}
	return 0;
}
