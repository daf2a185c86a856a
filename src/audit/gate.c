/* Decides by the audit's report whether a file is converted, and tells what stays behind. */
#include "gate.h"

#include <string.h>

enum { LISTED = 4, TOLD = 10 };

/* ---- what a finding says, in one line ---- */

static bool describe(ck_job *job, const ck_finding *f, ck_text *to)
{
	if (f->module && !ck_text_addf(job, to, "%s.%s%s%s%s is %s: ", f->module, f->name,
	                               f->arguments ? "(" : "", f->arguments ? f->arguments : "",
	                               f->arguments ? ")" : "", ck_how_name(f->how)))
		return false;
	return ck_text_add(job, to, f->why, strlen(f->why)) && ck_text_add(job, to, "", 1);
}

static const char *where(ck_job *job, const ck_report *report, const ck_finding *f)
{
	ck_text label = {0};
	if (!*f->member)
		return report->path;
	bool ok = ck_text_add(job, &label, report->path, strlen(report->path)) &&
	          ck_text_add(job, &label, ": ", 2) &&
	          ck_text_add(job, &label, f->member, strlen(f->member) + 1);
	return ok ? label.data : report->path;
}

static bool refuse(ck_job *job, const ck_gate *gate, ck_status status, const ck_finding *f,
                   const char *advice)
{
	ck_text what = {0};
	const char *label = where(job, gate->report, f);
	if (!describe(job, f, &what))
		return false;
	if (f->stream_offset == CK_NO_OFFSET)
		return ck_fail(job, status, label, "%s; %s", what.data, advice);
	return ck_fail_at(job, status, label, f->stream_offset, "%s; %s", what.data, advice);
}

static const char WHAT_NEXT[] =
	"ckconv scan says more, and --disarm takes the tensors out where that can be done";

/* ---- before the file is read ---- */

/* Whether a finding is about another member than the one that is taken. */
static bool is_elsewhere(const ck_gate *gate, const ck_finding *f)
{
	return !gate->whole && ck_member_lies(gate->member, f->member) == CK_LIES_APART;
}

/* Findings are told apart by the names of their members only if the name that is taken is shown as
 * it is, a member of that name was looked at, and no finding was left out. */
static bool counts_whole(const ck_audit *audit, const ck_report *report)
{
	const char *taken = audit->taken;
	return !taken || !audit->met || report->findings_left_out ||
	       strcmp(ck_show(taken, strlen(taken)).s, taken) != 0;
}

/* The first that counts: they are sorted, the worst first. */
static const ck_finding *worst(const ck_gate *gate)
{
	const ck_report *report = gate->report;
	for (size_t i = 0; i < report->finding_count; i++)
		if (!report->findings[i].suppressed && !is_elsewhere(gate, &report->findings[i]))
			return &report->findings[i];
	return NULL;
}

/* What is too much to be looked at, or is full of faults, would need too much to be read. */
static bool refuse_at_once(ck_job *job, const ck_gate *gate, const ck_finding *first)
{
	const ck_report *report = gate->report;
	const char *over = ck_rule_table()[CK_RULE_OVER_LIMIT].name;
	for (size_t i = 0; i < report->finding_count; i++) {
		const ck_finding *f = &report->findings[i];
		if (!strcmp(f->rule, over) && !f->suppressed && !is_elsewhere(gate, f))
			return ck_fail(job, CK_LIMIT, where(job, report, f), "%s", f->why);
	}
	return refuse(job, gate, CK_CORRUPT, first, WHAT_NEXT);
}

static bool judge(ck_job *job, const ck_audit *audit, ck_gate *gate)
{
	gate->globals_left_out = audit->globals_left_out;
	gate->whole = counts_whole(audit, gate->report);
	const ck_finding *first = worst(gate);
	if (!first || gate->disarm)
		return true;
	if (first->verdict != CK_DANGEROUS)
		return !audit->hopeless || refuse_at_once(job, gate, first);
	return refuse(job, gate, CK_REFUSED, first,
	              "nothing of it was run; --disarm takes the tensors out all the same, and "
	              "ckconv scan lists all that is in it");
}

static bool has_news(const ck_gate *gate)
{
	const ck_report *report = gate->report;
	if (report->verdict != CK_SAFE || report->finding_count || gate->globals_left_out)
		return true;
	for (size_t i = 0; i < report->global_count; i++)
		if (report->globals[i].verdict != CK_SAFE)
			return true;
	return false;
}

static void end_audit(void *job)
{
	ck_base_job_free(job);
}

/* What the audit needed is given back at once, if its report has nothing to tell later. */
bool ck_gate_open(ck_job *job, const ck_source *source, ck_gate *gate)
{
	ck_job *own = ck_base_job_within(job);
	if (!own)
		return ck_fail_nomem(job);
	ck_audit *audit = ck_audit_new(own, source);
	if (audit) {
		audit->policy = gate->policy;
		audit->taken = gate->member;
		gate->report = ck_audit_run(audit);
	}
	bool ok = gate->report ? judge(job, audit, gate) : ck_fail_as(job, &own->error);
	if (ok && has_news(gate))
		return ck_defer(job, end_audit, own);
	gate->report = NULL;
	end_audit(own);
	return ok;
}

/* ---- after it ---- */

/* "a.b, c.d, ..." of the globals with a verdict; *count receives how many there are. */
static bool list_globals(ck_job *job, const ck_report *report, ck_verdict verdict, ck_text *to,
                         size_t *count)
{
	*count = 0;
	for (size_t i = 0; i < report->global_count; i++) {
		const ck_global_use *g = &report->globals[i];
		if (g->verdict != verdict || ++*count > LISTED)
			continue;
		if (!ck_text_addf(job, to, "%s%s.%s", *count > 1 ? ", " : "", g->module, g->name))
			return false;
	}
	return (*count <= LISTED || ck_text_add(job, to, ", ...", 5)) &&
	       ck_text_add(job, to, "", 1);
}

static bool tell_unknown(ck_job *job, const ck_gate *gate)
{
	size_t count;
	ck_text names = {0};
	if (!list_globals(job, gate->report, CK_UNKNOWN, &names, &count))
		return false;
	if (!count)
		return true;
	const char *s = count == 1 ? "" : "s";
	if (gate->strict)
		return ck_fail(job, CK_UNSUPPORTED, gate->report->path,
		               "it needs %zu class%s or function%s that nobody knows to be "
		               "harmless: %s (--strict)", count, count == 1 ? "" : "es", s,
		               names.data);
	ck_note(job,
	        "%zu class%s or function%s not known to be harmless %s kept as inert data and "
	        "not run: %s",
	        count, count == 1 ? "" : "es", s, count == 1 ? "is" : "are", names.data);
	return true;
}

/* Whether tell_unknown says it. */
static bool is_listed(const ck_report *report, const ck_finding *f)
{
	for (size_t i = 0; f->module && i < report->global_count; i++) {
		const ck_global_use *g = &report->globals[i];
		if (g->verdict == CK_UNKNOWN && !strcmp(g->name, f->name) &&
		    !strcmp(g->module, f->module))
			return true;
	}
	return false;
}

/* What is unknown, but is no global, or none that the report has room for. */
static bool tell_more_unknown(ck_job *job, const ck_gate *gate)
{
	ck_text what = {0};
	const ck_finding *first = NULL;
	const ck_report *report = gate->report;
	uint64_t count = 0, globals = gate->globals_left_out;
	for (size_t i = 0; i < report->finding_count; i++) {
		const ck_finding *f = &report->findings[i];
		if (f->verdict != CK_UNKNOWN || f->suppressed || is_elsewhere(gate, f) ||
		    is_listed(report, f))
			continue;
		first = first ? first : f;
		count++;
	}
	if (first && gate->strict)
		return refuse(job, gate, CK_UNSUPPORTED, first, "nobody knows whether that is "
		              "harmless (--strict)");
	if (globals && gate->strict)
		return ck_fail(job, CK_UNSUPPORTED, report->path, "it names %s more than a report "
		               "holds, and not all are known to be harmless (--strict)",
		               ck_many(globals, "global").s);
	if (!first)
		return true;
	if (!describe(job, first, &what))
		return false;
	ck_note(job, "%s not known to be harmless %s kept as inert data, first of all: %s",
	        ck_many(count, "thing").s, count == 1 ? "is" : "are", what.data);
	return true;
}

static bool tell_left_behind(ck_job *job, const ck_gate *gate)
{
	const ck_report *report = gate->report;
	size_t count = 0;
	for (size_t i = 0; i < report->finding_count; i++) {
		const ck_finding *f = &report->findings[i];
		ck_text what = {0};
		if (f->verdict < CK_MALFORMED || f->suppressed || is_elsewhere(gate, f) ||
		    ++count > TOLD)
			continue;
		if (!describe(job, f, &what))
			return false;
		ck_note(job, "left behind (--disarm): %s%s%s", f->member, *f->member ? ": " : "",
		        what.data);
	}
	if (count > TOLD)
		ck_note(job, "left behind (--disarm): %zu more; ckconv scan lists them",
		        count - TOLD);
	return true;
}

static void tell_elsewhere(ck_job *job, const ck_gate *gate)
{
	size_t count = 0;
	for (size_t i = 0; i < gate->report->finding_count; i++) {
		const ck_finding *f = &gate->report->findings[i];
		count += !f->suppressed && f->verdict >= CK_MALFORMED && is_elsewhere(gate, f);
	}
	if (count)
		ck_note(job, "%zu thing%s in other members of the archive %s not harmless; ckconv "
		        "scan lists %s", count, count == 1 ? "" : "s", count == 1 ? "is" : "are",
		        count == 1 ? "it" : "them");
}

bool ck_gate_close(ck_job *job, const ck_gate *gate)
{
	const ck_report *report = gate->report;
	if (!report)
		return true;
	const ck_finding *first = worst(gate);
	if (first && first->verdict == CK_MALFORMED && !gate->disarm)
		return refuse(job, gate, CK_CORRUPT, first, WHAT_NEXT);
	if (!first && report->verdict == CK_MALFORMED && !gate->member && !gate->disarm)
		return ck_fail(job, CK_CORRUPT, report->path, "it could not be scanned as a whole; "
		               "%s", WHAT_NEXT);
	tell_elsewhere(job, gate);
	return tell_left_behind(job, gate) && tell_unknown(job, gate) &&
	       tell_more_unknown(job, gate);
}
