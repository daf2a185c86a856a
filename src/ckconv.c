/* The public API: the one place that wires the floors together. */
#include "check.h"
#include "reading.h"

#include <string.h>
#include <unistd.h>

const char *ck_version(void)
{
	return CK_VERSION;
}

ck_job *ck_job_new(void)
{
	return ck_base_job_new();
}

void ck_job_free(ck_job *job)
{
	ck_base_job_free(job);
}

bool ck_job_limit(ck_job *job, const char *text)
{
	return ck_limits_set(job, text);
}

void ck_job_listen(ck_job *job, void (*note)(void *arg, const char *text),
                   void (*progress)(void *arg, const char *what, uint64_t done, uint64_t total),
                   void *arg)
{
	job->note = note;
	job->progress = progress;
	job->listener = arg;
}

void ck_job_stop(ck_job *job)
{
	atomic_store(&job->stop, true);
}

const ck_error *ck_job_error(const ck_job *job)
{
	return &job->error;
}

void ck_printable(const char *text, char *to, size_t size)
{
	ck_show_to(to, size, text, strlen(text));
}

void ck_options_default(ck_options *options)
{
	*options = (ck_options){.root = "auto"};
}

/* ---- reading ---- */

ck_checkpoint *ck_checkpoint_open(ck_job *job, const char *path, const ck_options *options)
{
	const char *format = options ? options->format : NULL;
	ck_options *own = ck_alloc(job, sizeof *own);
	const ck_writer *writer = own && format ? ck_writer_find(job, format, "") : NULL;
	if (!own || (format && !writer))
		return NULL;
	ck_options_default(own);
	ck_reading *reading = ck_reading_open(job, path, options ? options : own, writer);
	return reading ? ck_reading_run(reading) : NULL;
}

const char *ck_checkpoint_layout(const ck_checkpoint *checkpoint)
{
	return checkpoint->model->layout;
}

size_t ck_checkpoint_count(const ck_checkpoint *checkpoint)
{
	return checkpoint->model->count;
}

void ck_checkpoint_tensor(const ck_checkpoint *checkpoint, size_t index, ck_tensor_info *info)
{
	ck_entry_describe(&checkpoint->model->entries[index], info);
}

/* ---- converting ---- */

static bool check_paths(ck_job *job, const ck_reading *from, const char *const *paths,
                        size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (paths[i] && ck_reading_is_path(from, paths[i]))
			return ck_fail(job, CK_USAGE, paths[i],
			               "this is the input itself; give the output another name");
	return true;
}

/* The files of one conversion. */
typedef struct {
	ck_output *output;
	ck_target target;
	ck_file *extras; /* or NULL */
} outputs;

struct ck_conversion {
	ck_job *job;
	ck_options options;
	const ck_writer *writer;
	ck_reading *from;
	outputs to;
};

/* Before the input is read, so that what is wrong with the output is said first. */
static bool make_outputs(ck_job *job, const ck_reading *from, const char *out,
                         const ck_options *options, const ck_writer *writer, outputs *o)
{
	const char *beside = NULL;
	if (writer->paths && !writer->paths(job, out, &out, &beside))
		return false;
	const char *const paths[] = {out, beside, options->extras};
	if (!check_paths(job, from, paths, CK_COUNT(paths)))
		return false;
	unsigned flags = (options->no_clobber ? CK_OUTPUT_NO_CLOBBER : 0) |
	                 (options->no_fsync ? CK_OUTPUT_NO_FSYNC : 0);
	*o = (outputs){.output = ck_output_new(job, flags)};
	o->target.external = options->external_data;
	o->target.align = options->align;
	o->target.file = o->output ? ck_output_add(job, o->output, out) : NULL;
	/* what is unpacked on the way goes where there must be room for the output anyway */
	if (o->target.file)
		job->scratch_dir = o->target.file->folder;
	if (o->target.file && beside)
		o->target.beside = ck_output_add_spare(job, o->output, beside);
	if (o->target.file && options->extras)
		o->extras = ck_output_add(job, o->output, options->extras);
	return o->target.file && (o->target.beside || !beside) && (o->extras || !options->extras);
}

static bool check_align(ck_job *job, const ck_options *options)
{
	enum { LEAST = 8, MOST = 1 << 24 };
	uint64_t align = options->align;
	return !align || (align % LEAST == 0 && align <= MOST) ||
	       ck_fail(job, CK_USAGE, "", "--align takes a multiple of %d up to %d, not %llu",
	               LEAST, MOST, (unsigned long long)align);
}

static bool begin_conversion(ck_job *job, const char *in, const char *out,
                             const ck_options *options, ck_conversion *c)
{
	c->job = job;
	if (options)
		c->options = *options;
	else
		ck_options_default(&c->options);
	c->writer = ck_writer_find(job, c->options.format, out);
	if (!c->writer)
		return false;
	if (c->options.external_data && !c->writer->takes_external)
		return ck_fail(job, CK_USAGE, "",
		               "--external-data is for --to onnx; %s has no data in a file of its "
		               "own", c->writer->name);
	if (c->options.check && c->options.dry_run)
		return ck_fail(job, CK_USAGE, "",
		               "--check reads what was written, and --dry-run writes nothing");
	if (!check_align(job, &c->options))
		return false;
	c->from = ck_reading_open(job, in, &c->options, c->writer);
	return c->from && make_outputs(job, c->from, out, &c->options, c->writer, &c->to);
}

ck_conversion *ck_convert_open(ck_job *job, const char *in, const char *out,
                               const ck_options *options)
{
	job->subject = in;
	ck_conversion *c = ck_alloc(job, sizeof *c);
	if (!c || !begin_conversion(job, in, out, options, c) || !ck_scratch_prepare(job))
		return NULL;
	/* the C library reads the number of processors from a file */
	long cores = c->options.threads ? 0 : sysconf(_SC_NPROCESSORS_ONLN);
	if (!c->options.threads)
		c->options.threads = cores > 0 ? (unsigned)cores : 1;
	return c;
}

size_t ck_convert_descriptors(const ck_conversion *conversion, int *to, size_t max)
{
	const outputs *o = &conversion->to;
	const ck_file *own[] = {o->target.file, o->target.beside, o->extras};
	size_t count = ck_reading_descriptors(conversion->from, to, max);
	for (size_t i = 0; i < CK_COUNT(own); i++) {
		if (own[i] && count < max)
			to[count] = own[i]->fd;
		count += own[i] != NULL;
	}
	return count + ck_scratch_descriptors(conversion->job, count < max ? to + count : NULL,
	                                      count < max ? max - count : 0);
}

uint64_t ck_convert_file_max(const ck_conversion *conversion)
{
	const ck_job *job = conversion->job;
	uint64_t unpacked = ck_unpack_most_in_all(job);
	return ck_save_most(job, job->input > unpacked ? job->input : unpacked);
}

static bool write_extras(ck_job *job, const ck_checkpoint *cp, ck_file *file)
{
	ck_text text = {0};
	return !file || (ck_extras_print(cp->loaded, &text) &&
	                 ck_file_write(job, file, 0, text.data, text.len));
}

bool ck_convert_run(ck_conversion *c, ck_summary *summary)
{
	uint64_t planned = 0;
	c->to.target.threads = c->options.threads;
	c->to.target.planned = c->options.dry_run ? &planned : NULL;
	const ck_checkpoint *cp = ck_reading_run(c->from);
	if (!cp || (!c->options.dry_run && !write_extras(c->job, cp, c->to.extras)) ||
	    !ck_save(c->job, c->writer, cp->model, &c->to.target) ||
	    (c->options.check &&
	     !ck_check_written(c->job, c->writer, cp->model, &c->to.target)))
		return false;
	if (summary) {
		*summary = (ck_summary){.layout = cp->model->layout, .tensors = cp->model->count,
		                        .file_bytes = planned};
		for (size_t i = 0; i < cp->model->count; i++)
			summary->bytes += cp->model->entries[i].tensor->bytes;
	}
	return true;
}

static bool check_extras(const ck_conversion *c)
{
	const ck_source *source = c->to.extras ? ck_file_source(c->job, c->to.extras) : NULL;
	return source ? ck_json_check(c->job, source) : !c->to.extras;
}

bool ck_convert_commit(ck_conversion *c)
{
	if (c->options.dry_run)
		return true;
	return ck_save_check(c->job, c->writer, &c->to.target) && check_extras(c) &&
	       ck_output_commit(c->job, c->to.output);
}

bool ck_convert(ck_job *job, const char *in, const char *out, const ck_options *options,
                ck_summary *summary)
{
	ck_conversion c = {0};
	return begin_conversion(job, in, out, options, &c) && ck_convert_run(&c, summary) &&
	       ck_convert_commit(&c);
}
