/* Judges what pickles do, by the table of known globals: what is on it may be done, what is not is
 * unknown, and some of that is known to be dangerous. */
#include "audit.h"

#include <string.h>

static bool text_of(ck_audit *audit, const char *text, size_t len, const char **to)
{
	ck_shown shown = ck_show(text, len);
	*to = ck_copy(audit->job, shown.s, strlen(shown.s));
	return *to;
}

static bool judge_import(ck_audit *audit, const ck_place *place, const ck_event *event)
{
	const ck_global *g = event->target->global;
	const ck_global_row *row = ck_global_find(event->target);
	ck_global_use use = {.how = CK_IMPORTED, .verdict = row ? CK_SAFE : CK_UNKNOWN};
	if (!text_of(audit, g->module, g->module_len, &use.module) ||
	    !text_of(audit, g->name, g->name_len, &use.name) || !ck_audit_use(audit, g, &use))
		return false;
	if (row)
		return true;
	return ck_audit_find(audit, CK_RULE_UNKNOWN_GLOBAL, place, event->step->at, &(ck_finding){
		.opcode = ck_op_table[event->step->code].name, .module = use.module,
		.name = use.name, .how = CK_IMPORTED,
		.why = "nobody knows what loading this class or function does",
	});
}

bool ck_judge_event(ck_audit *audit, const ck_place *place, const ck_event *event)
{
	switch (event->deed) {
	case CK_DID_IMPORT:
		return judge_import(audit, place, event);
	case CK_DID_CALL:
	case CK_DID_BUILD:
	case CK_DID_SET:
	case CK_DID_APPEND:
	case CK_DID_NAME:
		break;
	}
	return true;
}
