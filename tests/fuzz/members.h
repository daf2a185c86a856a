/* Any bytes as the members of an archive: what a zip's directory, its checksums and its offsets
 * would keep a fuzzer from reaching. A member begins with a line "@@NAME" and ends before the next
 * one, so that whatever is put in or taken out leaves the other members whole. */
#ifndef CK_FUZZ_MEMBERS_H
#define CK_FUZZ_MEMBERS_H

#include "convert.h"
#include "fuzz.h"
#include "pack.h"

enum { MEMBERS_MAX = 200 };

static const char MEMBER_SIGN[] = "\n@@";

/* The next sign from `at` on; the first may stand at the very beginning, without its newline. */
static inline const unsigned char *fuzz_sign(const unsigned char *at, const unsigned char *end)
{
	return memmem(at, (size_t)(end - at), MEMBER_SIGN, sizeof MEMBER_SIGN - 1);
}

static inline bool fuzz_member(ck_job *job, ck_archive *archive, const unsigned char *at,
                               const unsigned char *end)
{
	const unsigned char *line = memchr(at, '\n', (size_t)(end - at));
	const unsigned char *data = line ? line + 1 : end;
	ck_member *member = &archive->members[archive->count];
	*member = (ck_member){
		.name_len = (size_t)((line ? line : end) - at), .located = true,
		.size = (uint64_t)(end - data), .packed = (uint64_t)(end - data),
		.offset = (uint64_t)(data - archive->source->data), .index = archive->count,
	};
	member->name = ck_copy(job, at, member->name_len);
	return member->name && !memchr(member->name, 0, member->name_len) &&
	       ck_archive_enter(job, archive, archive->count++);
}

/* NULL: there are no members, or two of one name. */
static inline ck_archive *fuzz_members(ck_job *job, const ck_source *source)
{
	const unsigned char *at = source->data, *end = at + source->size;
	ck_archive *archive = ck_alloc(job, sizeof *archive);
	demand(archive);
	*archive = (ck_archive){.by = &ck_archiver_zip, .source = source,
	                        .members = ck_alloc_array(job, MEMBERS_MAX, sizeof(ck_member))};
	demand(archive->members);
	if (source->size >= 2 && !memcmp(at, MEMBER_SIGN + 1, 2))
		at += 2;
	else if ((at = source->size ? fuzz_sign(at, end) : NULL))
		at += 3;
	while (at && archive->count < MEMBERS_MAX) {
		const unsigned char *next = fuzz_sign(at, end);
		if (!fuzz_member(job, archive, at, next ? next : end))
			return NULL;
		at = next ? next + 3 : NULL;
	}
	return archive->count ? archive : NULL;
}

/* Zip files are taken as they are, but for the checksums, which say that there are none. The bytes
 * are compared one by one: a fuzzer follows each call of memcmp, which takes its time. */
static inline const ck_source *fuzz_unsealed(ck_job *job, const ck_source *source)
{
	enum { LOCAL_CRC = 14, CENTRAL_CRC = 16, CRC = 4 };
	unsigned char *copy = (unsigned char *)ck_copy(job, source->data, (size_t)source->size);
	demand(copy);
	unsigned char *end = copy + source->size, *at = copy;
	for (; (at = memchr(at, 'P', (size_t)(end - at))) && end - at >= CENTRAL_CRC + CRC; at++)
		if (at[1] == 'K' && at[2] == 3 && at[3] == 4)
			memset(at + LOCAL_CRC, 0, CRC);
		else if (at[1] == 'K' && at[2] == 1 && at[3] == 2)
			memset(at + CENTRAL_CRC, 0, CRC);
	return ck_source_memory(job, "fuzz", copy, source->size);
}

static inline ck_archive *fuzz_archive(ck_job *job, const ck_source **source)
{
	if ((*source)->size < 4 || memcmp((*source)->data, "PK\3\4", 4) != 0)
		return fuzz_members(job, *source);
	*source = fuzz_unsealed(job, *source);
	return ck_zip_open(job, *source);
}

/* Converts them by the first of the layouts that takes them. */
static inline int fuzz_convert_members(const uint8_t *data, size_t size,
                                       const ck_layout *const *layouts, size_t count)
{
	ck_job *job = fuzz_begin();
	const ck_source *source = ck_source_memory(job, "fuzz", data, size);
	ck_input in = {.archive = fuzz_archive(job, &source)};
	in.source = source;
	for (size_t i = 0; in.archive && i < count; i++)
		if (layouts[i]->probe(job, &in))
			return fuzz_end(job, fuzz_layout(job, layouts[i], &in));
	return fuzz_end(job, job->error.status == CK_OK);
}

#endif
