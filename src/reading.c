/* Opens inputs and reads them with all that the options want of their tensors. */
#include "reading.h"

#include <string.h>

#include "edit.h"
#include "files.h"
#include "gate.h"

struct ck_reading {
	ck_job *job;
	const ck_options *options;
	const ck_writer *writer; /* or NULL */
	ck_files *files;
	const ck_policy *policy; /* or NULL */
	ck_names *names;         /* NULL where nothing is chosen by name */
	ck_casts *casts;
	ck_gate *gates;          /* of each file that was read */
	size_t gate_count;
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

/* Once all files are open. */
static bool tell_strays(const ck_reading *reading)
{
	return !reading->files->open ||
	       ck_files_tell_strays(reading->files, reading->options->strict);
}

ck_reading *ck_reading_open(ck_job *job, const char *path, const ck_options *options)
{
	ck_reading *reading = ck_alloc(job, sizeof *reading);
	if (!reading)
		return NULL;
	*reading = (ck_reading){.job = job, .options = options};
	reading->casts = ck_casts_new(job, &options->cast);
	if (!reading->casts || !make_names(reading))
		return NULL;
	reading->files = ck_files_open(job, path);
	return reading->files && open_policy(reading) && tell_strays(reading) ? reading : NULL;
}

void ck_reading_suit(ck_reading *reading, const ck_writer *writer)
{
	reading->writer = writer;
}

const char *ck_reading_stem(const ck_reading *reading)
{
	return reading->files->stem;
}

bool ck_reading_is_open(const ck_reading *reading)
{
	return reading->files->open;
}

const void *ck_reading_ask(ck_job *job, const ck_reading *reading, size_t *len)
{
	ck_text names = {0};
	if (!ck_files_ask(job, reading->files, &names))
		return NULL;
	*len = names.len;
	return names.len ? names.data : "";
}

bool ck_reading_answer(ck_reading *reading, const void *names, size_t len)
{
	return ck_files_answer(reading->files, names, len) && tell_strays(reading);
}

bool ck_reading_complete(ck_reading *reading)
{
	size_t len;
	ck_job *job = reading->job;
	if (ck_reading_is_open(reading))
		return true;
	ck_job *own = ck_base_job_within(job);
	if (!own)
		return ck_fail_nomem(job);
	const void *names = ck_reading_ask(own, reading, &len);
	bool ok = names ? ck_reading_answer(reading, names, len) : ck_fail_as(job, &own->error);
	ck_base_job_free(own);
	return ok;
}

ck_reading *ck_reading_again(ck_job *job, const ck_reading *reading)
{
	ck_reading *again = ck_alloc(job, sizeof *again);
	if (!again)
		return NULL;
	*again = *reading;
	again->job = job;
	again->gates = NULL;
	again->gate_count = 0;
	again->casts = ck_casts_new(job, &reading->options->cast); /* they count anew */
	return again->casts && (!reading->names || make_names(again)) ? again : NULL;
}

size_t ck_reading_descriptors(const ck_reading *reading, int *to, size_t max)
{
	const ck_files *files = reading->files;
	bool head = files->kind != CK_INPUT_SHARDS; /* which has the first of them for a head */
	if (head && max)
		*to = files->head->fd;
	for (size_t i = 0; i < files->count; i++)
		if (head + i < max)
			to[head + i] = files->sources[i]->fd;
	return head + files->count;
}

bool ck_reading_is_path(const ck_reading *reading, const char *path)
{
	return ck_files_hold(reading->files, path);
}

size_t ck_reading_shards(const ck_reading *reading)
{
	const ck_files *files = reading->files;
	return files->kind == CK_INPUT_ONNX || !files->count ? 1 : files->count;
}

/* What the options ask of the model, in this order. */
static bool edit(const ck_reading *reading, ck_model *model)
{
	const ck_options *o = reading->options;
	ck_job *job = reading->job;
	const ck_writer *writer = reading->writer;
	bool ok = (!writer || ck_edit_set_aside(job, model, o->root, writer->lacks)) &&
	          ck_edit_unsupported(job, model, o->root, o->skip_unsupported, o->strict) &&
	          ck_edit_root(job, model, o->root, reading->names, o->strict, o->extras) &&
	          ck_edit_cast(job, model, reading->casts) && ck_edit_ties(job, model, o->ties) &&
	          ck_edit_metadata(job, model, &o->metadata);
	if (ok)
		ck_edit_tell_cast(job, model, reading->casts);
	return ok;
}

/* A file is asked about first, and then read. */
static bool load(ck_reading *reading, ck_loaded *loaded, const ck_source *source,
                 const char *file)
{
	const ck_options *o = reading->options;
	ck_gate *gate = &reading->gates[reading->gate_count++];
	*gate = (ck_gate){.policy = reading->policy, .member = reading->files->member,
	                  .disarm = o->disarm, .strict = o->strict};
	reading->job->subject = source->label;
	return ck_gate_open(reading->job, source, gate) && ck_load_file(loaded, source, file);
}

static bool load_files(ck_reading *reading, ck_loaded *loaded)
{
	const ck_files *files = reading->files;
	ck_index *index = NULL;
	if (files->kind == CK_INPUT_FILE || files->kind == CK_INPUT_ONNX)
		return load(reading, loaded, files->head, NULL);
	if (files->kind == CK_INPUT_INDEX && !(index = ck_index_read(reading->job, files->head)))
		return false;
	for (size_t i = 0; i < files->count; i++)
		if (!load(reading, loaded, files->sources[i], files->names[i]))
			return false;
	reading->job->subject = files->head->label;
	return !index || ck_index_settle(reading->job, index, loaded->model,
	                                   reading->options->strict);
}

const ck_files *ck_reading_files(const ck_reading *reading)
{
	return reading->files;
}

const ck_beside *ck_reading_beside(ck_job *job, const ck_files *files)
{
	ck_beside *beside = ck_alloc_array(job, files->count + 1, sizeof *beside);
	for (size_t i = 0; beside && i < files->count; i++)
		beside[i] = (ck_beside){files->names[i], files->sources[i]};
	return beside;
}

static ck_loaded *begin(ck_reading *reading)
{
	const ck_options *o = reading->options;
	const ck_files *files = reading->files;
	ck_job *job = reading->job;
	const bool onnx = files->kind == CK_INPUT_ONNX;
	const ck_beside *beside = ck_reading_beside(job, files);
	reading->gates = ck_alloc_array(job, files->count + 1, sizeof *reading->gates);
	if (!beside || !reading->gates)
		return NULL;
	ck_limits_follow(job, files->bytes);
	return ck_load_begin(job, files->head, files->bytes, &(ck_wishes){
		.dequantize = o->dequantize, .densify = o->densify,
		.split_complex = o->complex == CK_COMPLEX_SPLIT,
		.everything = strcmp(o->root, ".") == 0, .strict = o->strict,
		.member = files->member, .beside = beside,
		.beside_count = onnx ? files->count : 0,
	});
}

ck_checkpoint *ck_reading_run(ck_reading *reading)
{
	ck_checkpoint *cp = ck_alloc(reading->job, sizeof *cp);
	if (!cp)
		return NULL;
	cp->loaded = begin(reading);
	if (!cp->loaded || !load_files(reading, cp->loaded) || !ck_load_end(cp->loaded))
		return NULL;
	cp->model = cp->loaded->model;
	if (!edit(reading, cp->model))
		return NULL;
	for (size_t i = 0; i < reading->gate_count; i++)
		if (!ck_gate_close(reading->job, &reading->gates[i]))
			return NULL;
	return cp;
}

void ck_entry_describe(const ck_entry *entry, ck_tensor_info *info)
{
	const ck_dtype_row *dtype = &ck_dtype_table[entry->tensor->dtype];
	*info = (ck_tensor_info){
		.name = entry->name, .name_len = entry->name_len,
		.dtype = dtype->safetensors, .torch_dtype = dtype->torch,
		.ndim = entry->tensor->ndim, .shape = entry->tensor->shape,
		.bytes = entry->tensor->bytes,
	};
}
