/* Looks at all files of an input, as a scan does, and reads them as a conversion does, but refuses
 * nothing. */
#include "sight.h"

#include <stdlib.h>

#include "audit.h"
#include "files.h"

/* Files are scanned one after the other, and become one report. */
typedef struct {
	ck_job *job;
	ck_report report;
	ck_finding *findings;
	size_t finding_cap;
	ck_global_use *globals;
	size_t global_cap;
	ck_map names; /* "module\0name" -> index in globals */
} scanning;

static void close_job(void *job)
{
	ck_base_job_free(job);
}

/* A job whose failure is no failure of the whole, and whose memory stays. */
static ck_job *own_job(ck_job *job)
{
	ck_job *own = ck_base_job_within(job);
	if (!own)
		ck_fail_nomem(job);
	if (!own || !ck_defer(job, close_job, own))
		return NULL;
	own->subject = job->subject;
	own->note = job->note;
	return own;
}

/* ---- the scan ---- */

static bool add_global(scanning *s, const ck_global_use *use)
{
	bool fresh;
	size_t module = strlen(use->module) + 1, name = strlen(use->name) + 1;
	char *key = ck_alloc(s->job, module + name);
	if (!key)
		return false;
	memcpy(key, use->module, module);
	memcpy(key + module, use->name, name);
	uint64_t *place = ck_map_put(s->job, &s->names, key, module + name, &fresh);
	ck_global_use *grown = place && fresh ? ck_grow(s->job, s->globals, &s->global_cap,
	                                                s->report.global_count + 1, sizeof *grown)
	                                      : s->globals;
	if (!place || !grown)
		return false;
	s->globals = grown;
	if (fresh) {
		*place = s->report.global_count++;
		grown[*place] = *use;
		return true;
	}
	ck_global_use *same = &grown[*place];
	same->verdict = use->verdict > same->verdict ? use->verdict : same->verdict;
	same->how = use->how > same->how ? use->how : same->how;
	same->count += use->count;
	return true;
}

/* "shard!member", safe to print. */
static const char *place_in(ck_job *job, const ck_source *source, const char *member)
{
	ck_text place = {0};
	const char *slash = strrchr(source->label, '/');
	const char *name = slash ? slash + 1 : source->label;
	bool ok = ck_text_addf(job, &place, "%s%s%s", ck_show(name, strlen(name)).s,
	                       *member ? "!" : "", member) && ck_text_add(job, &place, "", 1);
	return ok ? place.data : NULL;
}

/* Of one of several files, which each finding then names. */
static bool add_report(scanning *s, const ck_source *source, const ck_report *report)
{
	ck_report *all = &s->report;
	ck_finding *grown = ck_grow(s->job, s->findings, &s->finding_cap,
	                            all->finding_count + report->finding_count + 1, sizeof *grown);
	if (!grown)
		return false;
	s->findings = grown;
	for (size_t i = 0; i < report->finding_count; i++) {
		ck_finding *finding = &grown[all->finding_count++];
		*finding = report->findings[i];
		finding->member = place_in(s->job, source, finding->member);
		if (!finding->member)
			return false;
	}
	all->findings_left_out += report->findings_left_out;
	all->pickles += report->pickles;
	all->complete = all->complete && report->complete;
	all->weights_only = all->weights_only && report->weights_only;
	all->verdict = report->verdict > all->verdict ? report->verdict : all->verdict;
	if (!all->format)
		all->format = report->format;
	for (size_t i = 0; i < report->global_count; i++)
		if (!add_global(s, &report->globals[i]))
			return false;
	return true;
}

/* The report of the only file is that of all. */
static bool scan_file(scanning *s, const ck_source *source, const ck_report **report)
{
	ck_job *own = own_job(s->job);
	ck_audit *audit = own ? ck_audit_new(own, source) : NULL;
	if (audit) {
		audit->with_tensors = true;
		*report = ck_audit_run(audit);
	}
	if (audit && *report)
		return true;
	if (own)
		ck_fail_as(s->job, &own->error);
	return false;
}

static int by_verdict(const void *a, const void *b)
{
	const ck_global_use *s = a, *t = b;
	return (s->verdict < t->verdict) - (s->verdict > t->verdict);
}

static int by_worst(const void *a, const void *b)
{
	const ck_finding *s = a, *t = b;
	return (s->verdict < t->verdict) - (s->verdict > t->verdict);
}

static const ck_report *scan(ck_job *job, const char *path, const ck_files *files)
{
	bool single = files->kind == CK_INPUT_FILE || files->kind == CK_INPUT_ONNX;
	size_t count = single ? 1 : files->count;
	const ck_report *report = NULL;
	scanning *s = ck_alloc(job, sizeof *s);
	if (!s)
		return NULL;
	*s = (scanning){.job = job, .report = {.path = path, .size = files->bytes,
	                                       .complete = true, .weights_only = true}};
	for (size_t i = 0; i < count; i++) {
		const ck_source *source = single ? files->head : files->sources[i];
		if (!scan_file(s, source, &report) ||
		    (count > 1 && !add_report(s, source, report)))
			return NULL;
	}
	if (count == 1) {
		s->report = *report;
		s->report.path = path; /* what the input is called, not its only file */
		return &s->report;
	}
	if (s->report.finding_count)
		qsort(s->findings, s->report.finding_count, sizeof *s->findings, by_worst);
	if (s->report.global_count)
		qsort(s->globals, s->report.global_count, sizeof *s->globals, by_verdict);
	s->report.findings = s->findings;
	s->report.globals = s->globals;
	const char *kind = s->report.format ? s->report.format : "no model";
	ck_text format = {0};
	if (!ck_text_addf(job, &format, "%s in %zu files", kind, count) ||
	    !ck_text_add(job, &format, "", 1))
		return NULL;
	s->report.format = format.data;
	return &s->report;
}

/* ---- what is in it ---- */

static bool load(const ck_files *files, ck_loaded *loaded)
{
	ck_index *index = NULL;
	ck_job *job = loaded->job;
	if (files->kind == CK_INPUT_FILE || files->kind == CK_INPUT_ONNX)
		return ck_load_file(loaded, files->head, NULL) && ck_load_end(loaded);
	if (files->kind == CK_INPUT_INDEX && !(index = ck_index_read(job, files->head)))
		return false;
	for (size_t i = 0; i < files->count; i++) {
		job->subject = files->sources[i]->label;
		if (!ck_load_file(loaded, files->sources[i], files->names[i]))
			return false;
	}
	job->subject = files->head->label;
	return (!index || ck_index_settle(job, index, loaded->model, false)) && ck_load_end(loaded);
}

/* What is not the fault of the file ends all. */
static bool is_of_file(ck_status status)
{
	return status == CK_CORRUPT || status == CK_UNSUPPORTED || status == CK_LIMIT;
}

bool ck_sight_look(ck_job *job, const char *path, const ck_reading *reading, ck_sight *sight)
{
	const ck_files *files = ck_reading_files(reading);
	ck_limits_follow(job, files->bytes);
	bool several = files->kind != CK_INPUT_FILE && files->kind != CK_INPUT_ONNX &&
	               files->count > 1;
	*sight = (ck_sight){.report = scan(job, path, files), .several = several};
	ck_job *own = sight->report ? own_job(job) : NULL;
	if (!own)
		return false;
	const ck_beside *beside = ck_reading_beside(own, files);
	if (beside)
		sight->loaded = ck_load_begin(own, files->head, files->bytes, &(ck_wishes){
			.everything = true, .traces = true, .member = files->member,
			.beside = beside,
			.beside_count = files->kind == CK_INPUT_ONNX ? files->count : 0,
		});
	if (!sight->loaded || !load(files, sight->loaded))
		sight->error = &own->error;
	if (!sight->error || (sight->loaded && is_of_file(own->error.status)))
		return true;
	return ck_fail_as(job, &own->error);
}
