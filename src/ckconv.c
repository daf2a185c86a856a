/* The public API of jobs and of checkpoints that are looked at. */
#include "reading.h"

#include <string.h>

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

void ck_printable_bytes(const char *text, size_t len, char *to, size_t size)
{
	ck_show_to(to, size, text, len);
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
	ck_reading *reading = ck_reading_open(job, path, options ? options : own);
	if (reading)
		ck_reading_suit(reading, writer);
	return reading && ck_reading_complete(reading) ? ck_reading_run(reading) : NULL;
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
