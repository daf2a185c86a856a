/* The public API of conversions: from what is read to what is written. */
#include <string.h>

#include "check.h"
#include "edit.h"
#include "outputs.h"

struct ck_conversion {
	ck_job *job;
	ck_options options;
	ck_reading *from;
	ck_outputs to;
};

static bool check_align(ck_job *job, const ck_options *options, const ck_writer *writer)
{
	enum { LEAST = 8, MOST = 1 << 24 };
	uint64_t align = options->align;
	if (align && !writer->takes_align)
		return ck_fail(job, CK_USAGE, "", "--align is for --to safetensors and --to "
		               "onnx+safetensors; %s has no header to be padded", writer->name);
	return !align || (align % LEAST == 0 && align <= MOST) ||
	       ck_fail(job, CK_USAGE, "", "--align takes a multiple of %d up to %d, not %llu",
	               LEAST, MOST, (unsigned long long)align);
}

/* The files are made before the input is read, so that what is wrong with the output is said before
 * that takes its time. */
static bool begin(ck_job *job, const char *in, const char *out, const ck_options *options,
                  ck_conversion *c)
{
	c->job = job;
	if (options)
		c->options = *options;
	else
		ck_options_default(&c->options);
	if (!c->options.threads)
		c->options.threads = ck_processors();
	c->to = (ck_outputs){.job = job, .options = &c->options};
	if (c->options.check && c->options.dry_run)
		return ck_fail(job, CK_USAGE, "",
		               "--check reads what was written, and --dry-run writes nothing");
	c->from = ck_reading_open(job, in, &c->options);
	c->to.from = c->from;
	if (!c->from || !ck_outputs_choose(&c->to, out, ck_files_are_many(in)) ||
	    !check_align(job, &c->options, c->to.writer))
		return false;
	ck_reading_suit(c->from, c->to.writer);
	return !ck_reading_is_open(c->from) || ck_outputs_open(&c->to);
}

ck_conversion *ck_convert_open(ck_job *job, const char *in, const char *out,
                               const ck_options *options)
{
	job->subject = in;
	ck_conversion *c = ck_alloc(job, sizeof *c);
	return c && begin(job, in, out, options, c) && ck_scratch_prepare(job) ? c : NULL;
}

/* ---- what is to be opened becomes known bit by bit ---- */

bool ck_convert_is_open(const ck_conversion *c)
{
	return ck_reading_is_open(c->from) && c->to.open;
}

/* How many files the tensors need. */
static const void *ask_shards(ck_job *job, const ck_conversion *c, size_t *len)
{
	ck_shards shards;
	uint64_t *count = ck_alloc(job, sizeof *count);
	ck_reading *again = ck_reading_again(job, c->from);
	const ck_checkpoint *cp = again && count ? ck_reading_run(again) : NULL;
	if (!cp || !ck_outputs_plan(job, &c->to, cp->model, &shards))
		return NULL;
	*count = shards.count;
	*len = sizeof *count;
	return count;
}

/* A job of its own keeps what is read now, and its notes, apart from what is read later. */
const void *ck_convert_ask(ck_conversion *c, size_t *len)
{
	ck_job *own = ck_base_job_within(c->job);
	if (!own) {
		ck_fail_nomem(c->job);
		return NULL;
	}
	own->subject = c->job->subject;
	const void *answer = ck_reading_is_open(c->from) ? ask_shards(own, c, len)
	                                                 : ck_reading_ask(own, c->from, len);
	const void *copy = answer ? ck_copy(c->job, answer, *len) : NULL;
	if (!answer)
		ck_fail_as(c->job, &own->error);
	ck_base_job_free(own);
	return copy;
}

bool ck_convert_answer(ck_conversion *c, const void *answer, size_t len)
{
	uint64_t count = 0;
	if (!ck_reading_is_open(c->from))
		return ck_reading_answer(c->from, answer, len) && ck_outputs_open(&c->to);
	if (len == sizeof count)
		memcpy(&count, answer, len);
	return ck_outputs_make(&c->to, (size_t)count);
}

size_t ck_convert_descriptors(const ck_conversion *c, int *to, size_t max)
{
	size_t count = ck_reading_descriptors(c->from, to, max);
	count += ck_outputs_descriptors(&c->to, count < max ? to + count : NULL,
	                                count < max ? max - count : 0);
	return count + ck_scratch_descriptors(c->job, count < max ? to + count : NULL,
	                                      count < max ? max - count : 0);
}

uint64_t ck_convert_file_max(const ck_conversion *c)
{
	const ck_job *job = c->job;
	uint64_t unpacked = ck_unpack_most_in_all(job);
	return ck_save_most(job, job->input > unpacked ? job->input : unpacked);
}

/* ---- the conversion itself ---- */

static bool write_extras(ck_job *job, const ck_checkpoint *cp, ck_file *file)
{
	ck_text text = {0};
	return !file || (ck_extras_print(cp->loaded, &text) &&
	                 ck_file_write(job, file, 0, text.data, text.len));
}

/* --check: each file against its part of the model. */
static bool check_tensors(ck_conversion *c, const ck_model *model, const ck_shards *shards)
{
	for (size_t i = 0; c->options.check && i < shards->count; i++) {
		ck_model part = *model;
		part.entries += shards->first[i];
		part.count = shards->first[i + 1] - shards->first[i];
		if (!ck_check_written(c->job, c->to.writer, &part, &c->to.targets[i]))
			return false;
	}
	return true;
}

static bool write_tensors(ck_conversion *c, ck_model *model)
{
	ck_shards shards;
	ck_outputs *to = &c->to;
	if (!to->index)
		return ck_save(c->job, to->writer, model, to->targets) &&
		       check_tensors(c, model, &(ck_shards){(size_t[]){0, model->count}, 1});
	if (!ck_outputs_plan(c->job, to, model, &shards))
		return false;
	if (shards.count != to->count)
		return ck_fail(c->job, CK_IO, c->job->subject,
		               "the input was changed while it was read");
	return ck_save_affordable(c->job, model, "written") &&
	       ck_shards_save(c->job, to->writer, model, &shards, to->targets) &&
	       check_tensors(c, model, &shards);
}

bool ck_convert_run(ck_conversion *c, ck_summary *summary)
{
	uint64_t planned = 0;
	for (size_t i = 0; c->options.dry_run && i < c->to.count; i++)
		c->to.targets[i].planned = &planned;
	const ck_checkpoint *cp = ck_reading_run(c->from);
	if (!cp || (!c->options.dry_run && !write_extras(c->job, cp, c->to.extras)) ||
	    !write_tensors(c, cp->model))
		return false;
	ck_edit_tell_lost(c->job, cp->model);
	if (summary) {
		*summary = (ck_summary){.layout = cp->model->layout, .tensors = cp->model->count,
		                        .files = c->to.count, .file_bytes = planned};
		for (size_t i = 0; i < cp->model->count; i++)
			summary->bytes += cp->model->entries[i].tensor->bytes;
	}
	return true;
}

bool ck_convert_commit(ck_conversion *c)
{
	return c->options.dry_run || ck_outputs_commit(&c->to);
}

static bool complete(ck_conversion *c)
{
	while (!ck_convert_is_open(c)) {
		size_t len;
		const void *answer = ck_convert_ask(c, &len);
		if (!answer || !ck_convert_answer(c, answer, len))
			return false;
	}
	return true;
}

bool ck_convert(ck_job *job, const char *in, const char *out, const ck_options *options,
                ck_summary *summary)
{
	ck_conversion c = {0};
	job->subject = in;
	return begin(job, in, out, options, &c) && complete(&c) && ck_convert_run(&c, summary) &&
	       ck_convert_commit(&c);
}
