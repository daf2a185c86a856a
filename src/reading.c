/* Opens inputs and reads them with all that the options want of their tensors. */
#include "reading.h"

#include <string.h>

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
	if (reading->source) /* bounds for the process that reads it are asked for before it is */
		ck_limits_follow(job, reading->source->size);
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

void ck_entry_describe(const ck_entry *entry, ck_tensor_info *info)
{
	const ck_dtype_row *dtype = &ck_dtype_table[entry->tensor->dtype];
	*info = (ck_tensor_info){
		.name = entry->name, .dtype = dtype->safetensors, .torch_dtype = dtype->torch,
		.ndim = entry->tensor->ndim, .shape = entry->tensor->shape,
		.bytes = entry->tensor->bytes,
	};
}
