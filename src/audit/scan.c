/* Finds out what a file is, and has every part of it looked through. */
#include "audit.h"
#include "stream.h"

#include <string.h>

/* A first thin line through the house: pickles in zips and bare ones. */
static bool scan_members(ck_audit *audit, ck_job *own, ck_archive *archive, const char *member)
{
	(void)member;
	for (size_t i = 0; i < archive->count; i++) {
		ck_member *m = &archive->members[i];
		if (!ck_member_ends(m, ".pkl"))
			continue;
		const ck_source *source = ck_member_source(own, archive, m);
		if (!source)
			return ck_audit_say(audit, CK_RULE_BROKEN_ARCHIVE,
			                    &(ck_place){"", archive->source, 0}, CK_NO_OFFSET, 0,
			                    "%s", own->error.text);
		bool whole;
		uint64_t at = 0;
		const char *name = ck_copy(audit->job, m->name, m->name_len);
		if (!name || !ck_stream_pickle(audit, &(ck_place){name, source, 0}, &at, &whole))
			return false;
	}
	return true;
}

bool ck_audit_source(ck_audit *audit, const ck_source *source, const char *member)
{
	unsigned char head[CK_HEAD];
	ck_input in;
	ck_job *own = ck_base_job_within(audit->job);
	bool ok = true, whole = true;
	if (!own)
		return ck_fail_nomem(audit->job);
	if (!ck_input_open(own, source, head, &in))
		ok = ck_audit_say(audit, CK_RULE_BROKEN_ARCHIVE, &(ck_place){member, source, 0},
		                  CK_NO_OFFSET, 0, "%s", own->error.text);
	else if (in.archive)
		ok = scan_members(audit, own, in.archive, member);
	else
		for (uint64_t at = 0; ok && whole && at < source->size;)
			ok = ck_stream_pickle(audit, &(ck_place){member, source, 0}, &at, &whole);
	ck_base_job_free(own);
	return ok && (!audit->with_tensors || ck_audit_tensors(audit, source, member));
}
