/* How the member that FILE!MEMBER takes and one that a report names lie to each other. A report
 * writes packings and archives in a row as members, which nobody gives, and the same member may be
 * written in many ways: only what is another one however it is written counts as another. */
#include <string.h>

#include "audit.h"

/* What a path has for what is no member: taken for that even where a member is called so. */
static bool is_no_member(const char *step, size_t len)
{
	static const char *const packings[] = {"gzip", "zlib", "bzip2", "xz", "lzma", "", "."};
	static const char part[] = "(archive ";
	for (size_t i = 0; i < CK_COUNT(packings); i++)
		if (ck_equals(step, len, packings[i]))
			return true;
	return len >= sizeof part && !memcmp(step, part, sizeof part - 1);
}

/* The next part of a name between '!' and '/', NULL at its end. */
static const char *next_step(const char **path, size_t *len)
{
	while (**path) {
		const char *step = *path;
		*len = strcspn(step, "!/");
		*path = step + *len + (step[*len] != 0);
		if (!is_no_member(step, *len))
			return step;
	}
	return NULL;
}

ck_lie ck_member_lies(const char *taken, const char *member)
{
	for (;;) {
		size_t want_len = 0, len = 0;
		const char *want = next_step(&taken, &want_len);
		const char *step = want ? next_step(&member, &len) : NULL;
		if (!want)
			return CK_LIES_WITHIN;
		if (!step)
			return CK_LIES_AROUND;
		if (len != want_len || memcmp(step, want, len) != 0)
			return CK_LIES_APART;
	}
}

void ck_audit_meet(ck_audit *audit, const char *member)
{
	if (audit->taken && !audit->met)
		audit->met = ck_member_lies(audit->taken, member) == CK_LIES_WITHIN;
}
