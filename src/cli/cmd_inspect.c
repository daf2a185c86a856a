/* ckconv inspect FILE[!MEMBER]: shows what is in a checkpoint. */
#include "inspect_text.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "confined.h"

/* What was found out before the child was locked in. */
typedef struct {
	const cli_options *options;
	cli_look look;
} showing;

static bool put_json(void *arg, const char *text, size_t len)
{
	(void)arg;
	return fwrite(text, 1, len, stdout) == len && !cli_signals_came();
}

/* What could not be written is for the caller to find. */
static bool show(void *arg, const ck_inspection *inspection)
{
	const showing *s = arg;
	if (s->options->tensors)
		return cli_inspect_tensors(stdout, &s->look, inspection) || ferror(stdout);
	if (!s->options->json) {
		cli_inspect_print(stdout, &s->look, inspection);
		return true;
	}
	if (!ck_inspection_json(inspection, put_json, NULL))
		return ferror(stdout);
	putchar('\n');
	return true;
}

static int status_of(bool ok, const cli_shown *shown, const ck_error *error)
{
	if (ok && shown->written)
		return shown->whole ? EXIT_DONE : EXIT_INPUT;
	if (!ok)
		cli_print_error(error);
	else if (!ferror(stdout) && shown->why != EPIPE) /* else main says so; or head has enough */
		cli_say_unwritten(shown->why);
	if (ok)
		return EXIT_USAGE;
	/* status 1 is for verdicts, of which an inspection has none */
	return error->status == CK_REFUSED ? EXIT_INPUT : cli_exit_status(error->status);
}

int cli_inspect(const cli_options *options)
{
	cli_progress progress;
	cli_reader reader = {.options = options, .progress = &progress};
	showing s = {options, cli_look_wide(STDOUT_FILENO, options->verbose)};
	cli_shown shown = {0};
	ck_error error;
	ck_job *job = cli_job_begin();
	if (!job)
		return EXIT_USAGE;
	cli_progress_begin(&progress, !options->quiet && isatty(STDERR_FILENO));
	bool ok = cli_inspect_file(&reader, job, options->arguments[0], show, &s, &shown, &error);
	cli_progress_clear(&progress);
	cli_signals_watch(NULL);
	ck_job_free(job);
	cli_signals_die();
	return status_of(ok, &shown, &error);
}
