/* Opens inputs and reads them with all that the options want of their tensors. */
#include "reading.h"

#include <string.h>

#include "audit.h"
#include "edit.h"
#include "gate.h"

struct ck_reading {
	ck_job *job;
	const ck_options *options;
	const ck_writer *writer; /* or NULL */
	const ck_source *source;
	const char *member;      /* of FILE!MEMBER, or NULL */
	const ck_policy *policy; /* or NULL */
	ck_names *names;         /* NULL where nothing is chosen by name */
};

static bool open_policy(ck_reading *reading)
{
	const char *path = reading->options->policy;
	ck_policy *policy = path ? ck_policy_new(reading->job) : NULL;
	reading->policy = policy;
	return !path || (policy && ck_policy_read(policy, path));
}

static bool make_names(ck_reading *reading)
{
	const ck_shaping *s = &reading->options->shaping;
	if (!s->include.count && !s->exclude.count && !s->rename.count && !s->strip_prefix &&
	    !s->add_prefix)
		return true;
	reading->names = ck_names_new(reading->job, s);
	return reading->names;
}

ck_reading *ck_reading_open(ck_job *job, const char *path, const ck_options *options,
                            const ck_writer *writer)
{
	ck_reading *reading = ck_alloc(job, sizeof *reading);
	if (!reading)
		return NULL;
	*reading = (ck_reading){.job = job, .options = options, .writer = writer};
	if (!make_names(reading))
		return NULL;
	reading->source = ck_source_open_member(job, path, &reading->member);
	return reading->source && open_policy(reading) ? reading : NULL;
}

size_t ck_reading_descriptors(const ck_reading *reading, int *to, size_t max)
{
	if (max)
		*to = reading->source->fd;
	return 1;
}

bool ck_reading_is_path(const ck_reading *reading, const char *path)
{
	return ck_source_is_path(reading->source, path);
}

/* What the options ask of the model, in this order. */
static bool edit(const ck_reading *reading, ck_model *model)
{
	const ck_options *o = reading->options;
	ck_job *job = reading->job;
	const ck_writer *writer = reading->writer;
	return (!writer || ck_edit_set_aside(job, model, o->root, writer->lacks)) &&
	       ck_edit_unsupported(job, model, o->root, o->skip_unsupported, o->strict) &&
	       ck_edit_root(job, model, o->root, reading->names, o->strict, o->extras) &&
	       ck_edit_ties(job, model, o->ties) &&
	       ck_edit_metadata(job, model, &o->metadata);
}

ck_checkpoint *ck_reading_run(ck_reading *reading)
{
	const ck_options *o = reading->options;
	ck_job *job = reading->job;
	ck_gate gate = {.policy = reading->policy, .member = reading->member,
	                .disarm = o->disarm, .strict = o->strict};
	ck_checkpoint *cp = ck_alloc(job, sizeof *cp);
	if (!cp || !ck_gate_open(job, reading->source, &gate))
		return NULL;
	cp->loaded = ck_load(job, reading->source, &(ck_wishes){
		.dequantize = o->dequantize, .densify = o->densify,
		.split_complex = o->complex == CK_COMPLEX_SPLIT,
		.everything = strcmp(o->root, ".") == 0, .strict = o->strict,
		.member = reading->member,
	});
	if (!cp->loaded)
		return NULL;
	cp->model = cp->loaded->model;
	return edit(reading, cp->model) && ck_gate_close(job, &gate) ? cp : NULL;
}

/* ---- whatever is wrong with it ---- */

static const ck_report *scan(const ck_reading *reading)
{
	ck_audit *audit = ck_audit_new(reading->job, reading->source);
	if (audit) {
		audit->with_tensors = true;
		audit->policy = reading->policy;
	}
	return audit ? ck_audit_run(audit) : NULL;
}

static void close_job(void *job)
{
	ck_base_job_free(job);
}

/* A job whose failure is no failure of the reading. */
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

/* What is not the fault of the file ends all. */
static bool is_of_file(ck_status status)
{
	return status == CK_CORRUPT || status == CK_UNSUPPORTED || status == CK_LIMIT;
}

bool ck_reading_look(ck_reading *reading, ck_sight *sight)
{
	ck_job *job = reading->job;
	ck_limits_follow(job, reading->source->size);
	*sight = (ck_sight){.report = scan(reading)};
	ck_job *own = sight->report ? own_job(job) : NULL;
	if (!own)
		return false;
	sight->loaded = ck_load_begin(own, reading->source, &(ck_wishes){
		.everything = true, .traces = true, .member = reading->member,
	});
	if (!sight->loaded || !ck_load_rest(sight->loaded))
		sight->error = &own->error;
	if (!sight->error || (sight->loaded && is_of_file(own->error.status)))
		return true;
	job->error = own->error;
	return false;
}
