/* What the targets that read archives share: every member is read, and is what its header says. */
#ifndef CK_FUZZ_READ_MEMBERS_H
#define CK_FUZZ_READ_MEMBERS_H

#include "fuzz.h"
#include "pack.h"

enum { MEMBERS_READ_MAX = 100 };

static inline bool fuzz_is_inside(const ck_source *source, const ck_member *member)
{
	return member->offset <= source->size && member->packed <= source->size - member->offset;
}

static inline bool fuzz_read_members(ck_job *job, const ck_archive *archive)
{
	for (size_t i = 0; i < archive->count && i < MEMBERS_READ_MAX; i++) {
		ck_member *member = &archive->members[i];
		const ck_source *source = ck_member_source(job, archive, member);
		if (!source)
			return false;
		demand(source->size == member->size);
		demand(!member->located || fuzz_is_inside(archive->source, member));
		demand(ck_archive_find(job, archive, member->name, member->name_len) == member);
	}
	return ck_archive_check_overlap(job, archive);
}

#endif
