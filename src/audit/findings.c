/* What was found: the list of findings and of globals, and the report that is made of them. */
#include "policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FINDINGS_MAX = 5000, GLOBALS_MAX = 5000, DIGEST_MAX = 16 << 20 };

static const ck_rule_info rules[] = {
#define X(id, name, verdict, severity, about) {name, verdict, severity, about},
	CK_RULES(X)
#undef X
	{NULL, CK_SAFE, NULL, NULL},
};

const ck_rule_info *ck_rule_table(void)
{
	return rules;
}

const char *ck_verdict_name(ck_verdict verdict)
{
	static const char *const names[] = {
		[CK_SAFE] = "safe", [CK_UNKNOWN] = "unknown", [CK_MALFORMED] = "malformed",
		[CK_DANGEROUS] = "dangerous",
	};
	return names[verdict];
}

const char *ck_how_name(ck_how how)
{
	static const char *const names[] = {
		[CK_HOW_NONE] = "none", [CK_IMPORTED] = "imported", [CK_CHANGED_BY] = "changed",
		[CK_CONSTRUCTED] = "constructed", [CK_CALLED] = "called",
	};
	return names[how];
}

ck_audit *ck_audit_new(ck_job *job, const ck_source *file)
{
	ck_audit *audit = ck_alloc(job, sizeof *audit);
	if (audit)
		*audit = (ck_audit){.job = job, .file = file, .only_weights = true,
		                    .digest_budget = DIGEST_MAX};
	return audit;
}

/* ---- findings ---- */

/* Bytes that lie in the file as they are have an offset there. */
uint64_t ck_audit_offset(const ck_audit *audit, const ck_place *place, uint64_t at)
{
	const ck_source *s = place->source, *file = audit->file;
	if (at == CK_NO_OFFSET || s->fd != file->fd || (s->fd < 0 && s->data < file->data))
		return CK_NO_OFFSET;
	uint64_t base = s->fd >= 0 ? s->base - file->base : (uint64_t)(s->data - file->data);
	return base + at <= file->size ? base + at : CK_NO_OFFSET;
}

/* Paths of members live only as long as they are looked at; many findings share one. */
static const char *keep_member(ck_audit *audit, const char *member)
{
	const ck_finding *last =
		audit->finding_count ? &audit->findings[audit->finding_count - 1] : NULL;
	if (last && !strcmp(last->member, member))
		return last->member;
	return *member ? ck_copy(audit->job, member, strlen(member)) : "";
}

/* So many of each verdict are kept, told and suppressed ones apart: what is left out never has a
 * say in the verdict of the file. */
static bool has_room(ck_audit *audit, const ck_finding *f)
{
	if (audit->kept[f->verdict][f->suppressed] >= FINDINGS_MAX) {
		audit->left_out++;
		return false;
	}
	audit->kept[f->verdict][f->suppressed]++;
	return true;
}

bool ck_audit_find(ck_audit *audit, ck_rule rule, const ck_place *place, uint64_t at,
                   const ck_finding *draft)
{
	ck_finding f = *draft;
	audit->only_weights &= rule != CK_RULE_BROKEN_PICKLE; /* nobody loads it */
	audit->hopeless |= rule == CK_RULE_OVER_LIMIT;
	f.rule = rules[rule].name;
	f.verdict = rules[rule].verdict;
	f.member = place->member;
	f.stream = place->stream;
	f.stream_offset = at;
	f.offset = ck_audit_offset(audit, place, at);
	f.count = 1;
	ck_fingerprint(&f);
	f.suppressed = f.suppressed ||
	               (!f.cut && ck_policy_knows(audit->policy, f.fingerprint));
	if (!has_room(audit, &f))
		return true;
	f.member = keep_member(audit, place->member);
	if (!f.member)
		return false;
	ck_finding *grown = ck_grow(audit->job, audit->findings, &audit->finding_cap,
	                            audit->finding_count + 1, sizeof *grown);
	if (!grown)
		return false;
	audit->findings = grown;
	grown[audit->finding_count++] = f;
	return true;
}

static bool once_key(ck_job *job, ck_text *key, ck_rule rule, const ck_place *place,
                     const ck_finding *draft)
{
	uint64_t head[2] = {(uint64_t)rule, place->stream};
	return ck_text_add(job, key, head, sizeof head) &&
	       ck_text_add(job, key, draft->digest, sizeof draft->digest) &&
	       ck_text_add(job, key, place->member, strlen(place->member) + 1) &&
	       ck_text_addf(job, key, "%s%c%s", draft->module ? draft->module : "", 0,
	                    draft->name ? draft->name : "");
}

bool ck_audit_find_once(ck_audit *audit, ck_rule rule, const ck_place *place, uint64_t at,
                        const ck_finding *draft, size_t *index)
{
	bool fresh;
	ck_text key = {0};
	ck_mark mark = ck_arena_mark(audit->job);
	*index = SIZE_MAX;
	if (!once_key(audit->job, &key, rule, place, draft))
		return false;
	const uint64_t *known = ck_map_find(audit->job, &audit->found, key.data, key.len);
	if (known && *known) {
		*index = (size_t)*known - 1;
		audit->findings[*index].count++;
	}
	bool full = audit->kept[rules[rule].verdict][draft->suppressed] >= FINDINGS_MAX;
	if (known || full) {
		audit->left_out += !known;
		ck_arena_release(audit->job, mark);
		return true;
	}
	uint64_t *kept = ck_map_put(audit->job, &audit->found, key.data, key.len, &fresh);
	if (!kept)
		return false;
	size_t before = audit->finding_count;
	if (!ck_audit_find(audit, rule, place, at, draft))
		return false;
	if (audit->finding_count > before)
		*index = before;
	*kept = *index + 1;
	return true;
}

bool ck_audit_say(ck_audit *audit, ck_rule rule, const ck_place *place, uint64_t at,
                  uint64_t length, const char *fmt, ...)
{
	char text[CK_TEXT_MAX];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	ck_utf8_trim(text);
	size_t before = audit->finding_count;
	ck_mark mark = ck_arena_mark(audit->job);
	const char *why = ck_copy(audit->job, text, strlen(text));
	if (!why || !ck_audit_find(audit, rule, place, at,
	                           &(ck_finding){.why = why, .length = length}))
		return false;
	if (audit->finding_count == before) /* nothing of it was kept */
		ck_arena_release(audit->job, mark);
	return true;
}

bool ck_audit_say_some(ck_audit *audit, unsigned *told, ck_rule rule, const ck_place *place,
                       uint64_t at, uint64_t length, const char *text)
{
	size_t before = audit->finding_count;
	if (*told >= CK_TOLD_MAX) {
		audit->left_out++;
		return true;
	}
	if (!ck_audit_say(audit, rule, place, at, length, "%s", text))
		return false;
	if (audit->finding_count > before)
		*told += rules[rule].verdict != CK_SAFE && !audit->findings[before].suppressed;
	return true;
}

/* ---- globals ---- */

bool ck_audit_use(ck_audit *audit, const ck_global_use *use, size_t *index)
{
	*index = SIZE_MAX;
	if (audit->global_count >= GLOBALS_MAX) {
		audit->globals_left_out++;
		return true;
	}
	ck_global_use *grown = ck_grow(audit->job, audit->globals, &audit->global_cap,
	                               audit->global_count + 1, sizeof *grown);
	if (!grown)
		return false;
	audit->globals = grown;
	*index = audit->global_count++;
	grown[*index] = *use;
	return true;
}

/* ---- report ---- */

static int order(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_findings(const void *left, const void *right)
{
	const ck_finding *a = left, *b = right;
	int by = order(b->verdict, a->verdict);
	by = by ? by : strcmp(a->member, b->member);
	by = by ? by : order(a->stream_offset, b->stream_offset);
	by = by ? by : strcmp(a->rule, b->rule);
	return by ? by : strcmp(a->why, b->why);
}

static int compare_globals(const void *left, const void *right)
{
	const ck_global_use *a = left, *b = right;
	int by = order(b->verdict, a->verdict);
	by = by ? by : strcmp(a->module, b->module);
	return by ? by : strcmp(a->name, b->name);
}

void ck_report_room(ck_job *job)
{
	enum { ROOM = 192 << 20 };
	if (!ck_add(job->limits.heap, ROOM, &job->limits.heap))
		job->limits.heap = UINT64_MAX;
}

const ck_report *ck_audit_report(ck_audit *audit)
{
	ck_report *report = ck_alloc(audit->job, sizeof *report);
	if (!report)
		return NULL;
	if (audit->finding_count)
		qsort(audit->findings, audit->finding_count, sizeof *audit->findings,
		      compare_findings);
	if (audit->global_count)
		qsort(audit->globals, audit->global_count, sizeof *audit->globals,
		      compare_globals);
	*report = (ck_report){
		.path = audit->file->label, .format = audit->format ? audit->format : "unknown",
		.size = audit->file->size, .pickles = audit->pickles,
		.complete = !audit->incomplete,
		.weights_only = audit->only_weights, .sha256 = audit->sha256,
		.findings = audit->findings, .finding_count = audit->finding_count,
		.findings_left_out = audit->left_out,
		.globals = audit->globals, .global_count = audit->global_count,
		.verdict = audit->incomplete ? CK_MALFORMED : CK_SAFE,
	};
	for (size_t i = 0; i < audit->finding_count; i++)
		if (!audit->findings[i].suppressed &&
		    audit->findings[i].verdict > report->verdict)
			report->verdict = audit->findings[i].verdict;
	return report;
}
