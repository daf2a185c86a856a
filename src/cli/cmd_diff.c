/* ckconv diff A B: compares two checkpoints, in a confined child, and shows in what they differ. */
#include "confined.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
	const cli_options *options;
	bool told;     /* what the sandbox has */
	cli_look look; /* of stdout: the child cannot ask */
	cli_progress progress;
	ck_job *job;
	ck_diff *diff;
} comparing;

/* What came of it. */
typedef struct {
	bool same;
	cli_shown shown;
} outcome;

static const char TELLING[] = "telling"; /* no progress: what was found is written now */

static void on_note(void *arg, const char *text)
{
	comparing *c = arg;
	cli_progress_clear(&c->progress);
	if (!c->options->quiet)
		cli_say("%s", text);
}

static void on_progress(void *arg, const char *what, uint64_t done, uint64_t total)
{
	comparing *c = arg;
	if (!strcmp(what, TELLING))
		cli_progress_clear(&c->progress);
	else
		cli_progress_show(&c->progress, what, done, total);
}

static void on_confined(void *arg, const cli_confinement *got)
{
	comparing *c = arg;
	if (!c->told) /* every child gets the same */
		cli_confinement_tell(c->options, got);
	c->told = true;
}

static void send_note(void *arg, const char *text)
{
	cli_channel_note(arg, text);
}

static void send_progress(void *arg, const char *what, uint64_t done, uint64_t total)
{
	cli_channel_progress(arg, what, done, total);
}

/* ---- where the files are read ---- */

static bool put(void *arg, const char *text, size_t len)
{
	(void)arg;
	return (!len || fwrite(text, len, 1, stdout) == 1) && !cli_signals_came();
}

static bool show_json(const comparing *c, const ck_diff_result *result)
{
	if (!ck_diff_json(c->job, result, put, NULL) && !ferror(stdout))
		return false;
	putchar('\n');
	return true;
}

/* False after a failure of the job; what stdout does not take is no such failure. */
static bool run(const comparing *c, cli_channel *channel, outcome *o)
{
	const ck_diff_result *result = ck_diff_run(c->diff);
	if (!result)
		return false;
	if (channel)
		cli_channel_progress(channel, TELLING, 0, 0);
	o->same = result->same;
	if (c->options->json && !c->options->quiet) {
		if (!show_json(c, result))
			return false;
	} else if (!c->options->quiet) {
		cli_diff_print(stdout, &c->look, &c->options->diff, c->options->all, result);
	}
	o->shown.written = cli_flush();
	o->shown.why = cli_stdout_error();
	return true;
}

static bool run_confined(void *arg, cli_channel *channel)
{
	const comparing *c = arg;
	outcome o = {0};
	ck_job_listen(c->job, send_note, send_progress, channel);
	if (!run(c, channel, &o))
		return false;
	cli_channel_blob(channel, (char[]){o.same, o.shown.written, (char)o.shown.why}, 3);
	return true;
}

/* What is to be opened, too. */
static bool ask_confined(void *arg, cli_channel *channel)
{
	const comparing *c = arg;
	size_t len;
	ck_job_listen(c->job, NULL, send_progress, channel);
	const void *names = ck_diff_ask(c->diff, &len);
	if (!names)
		return false;
	cli_channel_blob(channel, names, len);
	return true;
}

static bool in_child(comparing *c, bool (*task)(void *, cli_channel *), cli_report *told)
{
	const size_t count = ck_diff_descriptors(c->diff, NULL, 0);
	int *keep = malloc((count + 1) * sizeof *keep);
	cli_bounds bounds = cli_bounds_of(ck_diff_file_max(c->diff));
	/* what it prints may be appended to anything, and whoever reads it may take his time */
	bounds.file_bytes = bounds.idle_ms = 0;
	*told = (cli_report){.note = on_note, .progress = on_progress, .confined = on_confined,
	                     .listener = c};
	if (!keep) {
		told->error = (ck_error){.status = CK_NOMEM,
		                         .text = "the system has no memory left"};
		return false;
	}
	keep[0] = STDOUT_FILENO;
	bool ok = cli_child_run(&(cli_task){
		.run = task, .arg = c, .job = c->job, .subject = c->options->arguments[0],
		.keep = keep, .keep_count = 1 + ck_diff_descriptors(c->diff, keep + 1, count),
		.bounds = bounds, .require = c->options->sandbox == SANDBOX_REQUIRE,
		.stopped = cli_signals_came,
	}, told);
	free(keep);
	return ok;
}

/* Opens what the inputs name, after a child has read them for that. */
static bool complete(comparing *c, cli_report *told, ck_error *error)
{
	while (!ck_diff_is_open(c->diff)) {
		bool ok = in_child(c, ask_confined, told);
		*error = told->error;
		if (ok && !ck_diff_answer(c->diff, told->blob, told->blob_len)) {
			*error = *ck_job_error(c->job);
			ok = false;
		}
		cli_report_free(told);
		if (!ok)
			return false;
	}
	return true;
}

static bool run_in_child(comparing *c, outcome *o, ck_error *error)
{
	static cli_report told;
	if (!complete(c, &told, error))
		return false;
	bool ok = in_child(c, run_confined, &told);
	*error = told.error;
	if (ok && told.blob_len == 3)
		*o = (outcome){told.blob[0], {.written = told.blob[1],
		                              .why = (unsigned char)told.blob[2]}};
	cli_report_free(&told);
	return ok;
}

/* ---- all of it ---- */

static bool compare(comparing *c, outcome *o, ck_error *error)
{
	const cli_options *options = c->options;
	ck_options sides[2] = {options->convert, options->convert};
	ck_diff_options diff = options->diff;
	for (int i = 0; i < 2 && options->root_count; i++)
		sides[i].root = options->roots[i < options->root_count ? i : 0];
	diff.a = &sides[0];
	diff.b = &sides[1];
	diff.threads = options->convert.threads;
	if (cli_set_limits(c->job, options))
		c->diff = ck_diff_open(c->job, options->arguments[0], options->arguments[1], &diff);
	if (c->diff && cli_child_wanted(options, false, error))
		return run_in_child(c, o, error);
	if (error->status != CK_OK)
		return false;
	bool ok = c->diff && run(c, NULL, o);
	*error = *ck_job_error(c->job);
	return ok;
}

int cli_diff(const cli_options *options)
{
	outcome o = {0};
	ck_error error = {0};
	comparing c = {.options = options, .job = cli_job_begin(),
	               .look = cli_look_whole(STDOUT_FILENO)};
	if (!c.job)
		return EXIT_USAGE;
	cli_progress_begin(&c.progress, !options->quiet && isatty(STDERR_FILENO));
	ck_job_listen(c.job, on_note, on_progress, &c);
	bool ok = compare(&c, &o, &error);
	cli_progress_clear(&c.progress);
	cli_signals_watch(NULL);
	ck_job_free(c.job);
	cli_signals_die();
	if (!ok) {
		cli_print_error(&error);
		/* 1 says that there is an answer */
		return error.status == CK_REFUSED ? EXIT_INPUT : cli_exit_status(error.status);
	}
	if (!o.shown.written) {
		if (!ferror(stdout)) /* else main says so */
			cli_say_unwritten(o.shown.why);
		return EXIT_USAGE;
	}
	return o.same ? EXIT_DONE : EXIT_NO;
}
