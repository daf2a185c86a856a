/* ckconv IN OUT: the conversion, its messages, and what happens on Ctrl-C. */
#include "confined.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
	const cli_options *options;
	cli_progress progress;
	bool told; /* what the sandbox has */
} listener;

static void on_note(void *arg, const char *text)
{
	listener *l = arg;
	cli_progress_clear(&l->progress);
	if (!l->options->quiet)
		cli_say("%s: %s", cli_show_name(l->options->in).s, text);
}

static void on_progress(void *arg, const char *what, uint64_t done, uint64_t total)
{
	cli_progress_show(&((listener *)arg)->progress, what, done, total);
}

static void say_done(const cli_options *options, const ck_summary *summary, double seconds)
{
	const char *s = summary->tensors == 1 ? "" : "s";
	const char *checked = options->convert.check ? ", and checked them" : "";
	char files[32] = "";
	cli_name out = cli_show_name(options->out);
	if (summary->files > 1)
		snprintf(files, sizeof files, " in %zu files", summary->files);
	if (options->quiet)
		return;
	if (options->convert.dry_run) {
		cli_say("%s: would write %zu tensor%s, %s%s; %llu bytes in all (--dry-run)", out.s,
		        summary->tensors, s, cli_show_size(summary->bytes).s, files,
		        (unsigned long long)summary->file_bytes);
		return;
	}
	if (options->verbose)
		cli_say("%s: wrote %zu tensor%s, %s%s%s, from %s %s file in %.2f s", out.s,
		        summary->tensors, s, cli_show_size(summary->bytes).s, files,
		        checked,
		        !strncmp(summary->layout, "np", 2) || *summary->layout == 'o' ? "an" : "a",
		        summary->layout, seconds);
	else
		cli_say("%s: wrote %zu tensor%s, %s%s%s", out.s, summary->tensors, s,
		        cli_show_size(summary->bytes).s, files, checked);
}

/* ---- where the file is read ---- */

static void on_confined(void *arg, const cli_confinement *got)
{
	listener *l = arg;
	if (!l->told) /* every child gets the same */
		cli_confinement_tell(l->options, got);
	l->told = true;
}

/* The child talks through its channel. */
static void send_note(void *arg, const char *text)
{
	cli_channel_note(arg, text);
}

static void send_progress(void *arg, const char *what, uint64_t done, uint64_t total)
{
	cli_channel_progress(arg, what, done, total);
}

typedef struct {
	ck_job *job;
	ck_conversion *conversion;
} work;

static bool run_confined(void *arg, cli_channel *channel)
{
	const work *w = arg;
	ck_summary summary;
	ck_job_listen(w->job, send_note, send_progress, channel);
	if (!ck_convert_run(w->conversion, &summary))
		return false;
	cli_channel_summary(channel, &summary);
	return true;
}

/* What is to be opened, too. */
static bool ask_confined(void *arg, cli_channel *channel)
{
	const work *w = arg;
	size_t len;
	ck_job_listen(w->job, NULL, send_progress, channel);
	const void *answer = ck_convert_ask(w->conversion, &len);
	if (!answer)
		return false;
	cli_channel_blob(channel, answer, len);
	return true;
}

static bool in_child(work *w, listener *l, bool (*task)(void *, cli_channel *),
                     cli_report *report)
{
	const size_t count = ck_convert_descriptors(w->conversion, NULL, 0);
	int *keep = malloc((count + 1) * sizeof *keep);
	*report = (cli_report){.note = on_note, .progress = on_progress,
	                       .confined = on_confined, .listener = l};
	if (!keep) {
		report->error = (ck_error){.status = CK_NOMEM,
		                           .text = "the system has no memory left"};
		return false;
	}
	bool ok = cli_child_run(&(cli_task){
		.run = task, .arg = w, .job = w->job, .subject = l->options->in,
		.keep = keep, .keep_count = ck_convert_descriptors(w->conversion, keep, count),
		.bounds = cli_bounds_of(ck_convert_file_max(w->conversion)),
		.require = l->options->sandbox == SANDBOX_REQUIRE, .stopped = cli_signals_came,
	}, report);
	free(keep);
	return ok;
}

/* Opens what the input names, after a child has read it for that. */
static bool complete(work *w, listener *l, cli_report *report)
{
	while (!ck_convert_is_open(w->conversion)) {
		if (!in_child(w, l, ask_confined, report))
			return false;
		bool ok = ck_convert_answer(w->conversion, report->blob, report->blob_len);
		cli_report_free(report);
		report->error = *ck_job_error(w->job);
		if (!ok)
			return false;
	}
	return true;
}

static bool run_here(work *w, cli_report *report)
{
	bool ok = true;
	while (ok && !ck_convert_is_open(w->conversion)) {
		size_t len;
		const void *answer = ck_convert_ask(w->conversion, &len);
		ok = answer && ck_convert_answer(w->conversion, answer, len);
	}
	ok = ok && ck_convert_run(w->conversion, &report->summary);
	report->error = *ck_job_error(w->job);
	return ok;
}

/* Here or in a child; only what was opened before is within reach. */
static bool run(work *w, listener *l, cli_report *report)
{
	if (cli_child_wanted(l->options, false, &report->error))
		return complete(w, l, report) && in_child(w, l, run_confined, report);
	return report->error.status == CK_OK && run_here(w, report);
}

static bool convert(ck_job *job, listener *l, cli_report *report)
{
	const cli_options *options = l->options;
	double started = cli_now();
	work w = {.job = job};
	if (cli_set_limits(job, options))
		w.conversion = ck_convert_open(job, options->in, options->out, &options->convert);
	if (w.conversion) {
		if (!run(&w, l, report))
			return false;
		if (ck_convert_commit(w.conversion)) {
			cli_progress_clear(&l->progress);
			say_done(options, &report->summary, cli_now() - started);
			return true;
		}
	}
	report->error = *ck_job_error(job);
	return false;
}

int cli_convert(const cli_options *options)
{
	static cli_report report;
	listener l = {.options = options};
	ck_job *job = cli_job_begin();
	if (!job)
		return EXIT_USAGE;
	cli_progress_begin(&l.progress, !options->quiet && isatty(STDERR_FILENO));
	ck_job_listen(job, on_note, on_progress, &l);
	bool ok = convert(job, &l, &report);
	cli_progress_clear(&l.progress);
	cli_signals_watch(NULL);
	ck_job_free(job); /* removes what is unfinished, before anything else can go wrong */
	if (ok)
		return EXIT_DONE;
	if (report.error.status == CK_STOPPED)
		cli_signals_die();
	if (report.error.status == CK_OK) /* whatever forgot to say why: it failed all the same */
		report.error = (ck_error){.status = CK_CORRUPT,
		                          .text = "the file could not be read"};
	cli_print_error(&report.error);
	return cli_exit_status(report.error.status);
}
