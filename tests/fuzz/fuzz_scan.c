/* Any bytes as a file that is scanned; and the same behind a pickle that runs a command, which no
 * damage that follows may hide. */
#include "audit.h"
#include "fuzz.h"

static const char attack[] = "cos\nsystem\n(S'true'\ntR.";

static void check_texts(const char *const *texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (texts[i])
			demand_printable(texts[i]);
}

static void check_finding(const ck_report *report, const ck_finding *f)
{
	const char *texts[] = {f->rule, f->member, f->opcode, f->module, f->name, f->mapped,
	                       f->arguments, f->why};
	check_texts(texts, CK_COUNT(texts));
	demand(f->rule && f->member && f->why && *f->why);
	demand(f->offset == CK_NO_OFFSET || f->offset <= report->size);
	demand(f->suppressed || f->verdict <= report->verdict);
}

/* Its verdict is the worst of its findings, and what is not complete is never better than
 * malformed. */
static void check_report(const ck_report *report)
{
	ck_verdict worst = CK_SAFE;
	for (size_t i = 0; i < report->finding_count; i++) {
		const ck_finding *f = &report->findings[i];
		check_finding(report, f);
		demand(!i || f[-1].verdict >= f->verdict);
		if (!f->suppressed && f->verdict > worst)
			worst = f->verdict;
	}
	for (size_t i = 0; i < report->global_count; i++) {
		const ck_global_use *use = &report->globals[i];
		const char *texts[] = {use->module, use->name, use->mapped};
		check_texts(texts, CK_COUNT(texts));
		demand(report->verdict != CK_SAFE || use->verdict == CK_SAFE);
	}
	demand(report->complete || report->verdict >= CK_MALFORMED);
	demand(report->verdict == worst || !report->complete);
}

static const ck_report *scan(ck_job *job, const ck_source *source)
{
	job->input = source->size;
	ck_audit *audit = ck_audit_new(job, source);
	demand(audit);
	audit->with_tensors = source->size % 2;
	const ck_report *report =
		ck_audit_source(audit, source, "") ? ck_audit_report(audit) : NULL;
	if (!report)
		return NULL;
	check_report(report);
	const char *line = ck_report_json(job, report);
	demand(!line || (ck_utf8_valid(line, strlen(line)) && !strchr(line, '\n')));
	return line ? report : NULL;
}

static ck_verdict verdict_behind_attack(const uint8_t *data, size_t size)
{
	ck_job *job = fuzz_begin();
	ck_text text = {0};
	demand(ck_text_add(job, &text, attack, sizeof attack - 1) &&
	       ck_text_add(job, &text, data, size));
	const ck_report *report = scan(job, ck_source_memory(job, "fuzz", text.data, text.len));
	ck_verdict verdict = report ? report->verdict : CK_DANGEROUS;
	fuzz_end(job, report != NULL);
	return verdict;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static ck_verdict alone;
	ck_job *job = fuzz_begin();
	fuzz_end(job, scan(job, ck_source_memory(job, "fuzz", data, size)) != NULL);
	if (!alone)
		alone = verdict_behind_attack(data, 0);
	demand(alone != CK_SAFE);
	demand(size % 4 || verdict_behind_attack(data, size) >= alone);
	return 0;
}
