/* ckconv IN OUT: the conversion, its messages, and what happens on Ctrl-C. */
#include "cli.h"

#include <unistd.h>

typedef struct {
	const cli_options *options;
	cli_progress progress;
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
	cli_name out = cli_show_name(options->out);
	if (options->quiet)
		return;
	if (options->verbose)
		cli_say("%s: wrote %zu tensor%s, %s, from a %s file in %.2f s", out.s,
		        summary->tensors, s, cli_show_size(summary->bytes).s, summary->layout,
		        seconds);
	else
		cli_say("%s: wrote %zu tensor%s, %s", out.s, summary->tensors, s,
		        cli_show_size(summary->bytes).s);
}

static bool convert(ck_job *job, const cli_options *options, listener *l)
{
	ck_summary summary;
	if (!cli_set_limits(job, options))
		return false;
	double started = cli_now();
	bool ok = ck_convert(job, options->in, options->out, &options->convert, &summary);
	cli_progress_clear(&l->progress);
	if (ok)
		say_done(options, &summary, cli_now() - started);
	return ok;
}

int cli_convert(const cli_options *options)
{
	listener l = {.options = options};
	ck_job *job = ck_job_new();
	if (!job) {
		cli_say("the system has no memory left");
		return EXIT_USAGE;
	}
	cli_signals_catch();
	cli_signals_watch(job);
	cli_progress_begin(&l.progress, !options->quiet && isatty(STDERR_FILENO));
	ck_job_listen(job, on_note, on_progress, &l);
	bool ok = convert(job, options, &l);
	ck_error error = *ck_job_error(job);
	cli_signals_watch(NULL);
	ck_job_free(job); /* removes what is unfinished, before anything else can go wrong */
	if (ok)
		return EXIT_DONE;
	if (error.status == CK_STOPPED)
		cli_signals_die();
	cli_print_error(&error);
	return cli_exit_status(error.status);
}
