/* Places to which only some readers of an archive come: they lead to the same bytes again, so that
 * looks at them are few, and no place is looked at twice. */
#include "look.h"

enum { LOOKS_MAX = 16, DEPTH_MAX = 2 }; /* of the whole file, and one in another */

bool ck_elsewhere_enough(const ck_audit *audit)
{
	return audit->looked_elsewhere >= LOOKS_MAX || audit->elsewhere_depth >= DEPTH_MAX;
}

/* Archives in an archive come back to the same places; what ends earlier is another one. */
static bool was_there(ck_look *l, uint64_t from, uint64_t size, bool *known)
{
	bool fresh;
	ck_audit *audit = l->audit;
	uint64_t place[] = {ck_audit_offset(audit, &l->place, from), size};
	*known = false;
	if (place[0] == CK_NO_OFFSET)
		return true;
	if (!ck_hash_set_add(audit->job, &audit->elsewhere, place, sizeof place, &fresh))
		return false;
	*known = !fresh;
	return true;
}

bool ck_elsewhere_look(ck_look *l, uint64_t from, const ck_source *there, const char *member,
                       ck_look_kind kind)
{
	bool known;
	ck_audit *audit = l->audit;
	if (!was_there(l, from, there->size, &known) || known)
		return known;
	audit->looked_elsewhere++;
	audit->elsewhere_depth++;
	bool ok = ck_look_inside(audit, there, member, kind, NULL);
	audit->elsewhere_depth--;
	return ok;
}
