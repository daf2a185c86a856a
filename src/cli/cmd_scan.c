/* ckconv scan PATH...: looks through files and says what they could do. */
#include "confined.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { VERDICTS = CK_DANGEROUS + 1 };

/* One run over all paths. */
typedef struct {
	const cli_options *options;
	cli_look look;
	cli_progress progress;
	cli_reader reader;
	unsigned long counts[VERDICTS]; /* files of each verdict */
	unsigned long files, unread;
	unsigned long folder_links, met_links; /* not followed */
	unsigned long suppressed, with_suppressed; /* findings, and files that have some */
	/* Text comes worst first, so that it is kept until all is known. */
	FILE *pages[VERDICTS];
	char *page[VERDICTS];
	size_t page_len[VERDICTS];
	ck_job *policy_job; /* with --policy or --baseline */
	ck_job *sarif_job; /* with --sarif */
	ck_sarif *sarif;
} scanning;

/* ---- one file ---- */

static void print_line(scanning *s, const char *line)
{
	cli_progress_clear(&s->progress);
	errno = 0;
	puts(line ? line : "");
	cli_flush(); /* whoever reads gets it now, and if nobody does, that is known */
}

static void show(scanning *s, ck_job *job, const ck_report *report)
{
	size_t suppressed = cli_report_suppressed(report);
	s->counts[report->verdict]++;
	s->suppressed += suppressed;
	s->with_suppressed += suppressed > 0;
	if (s->options->json)
		print_line(s, ck_report_json(job, report));
	else if (s->sarif)
		ck_sarif_add(s->sarif, report); /* asked at the end whether it could */
	else if (!s->options->quiet || report->verdict != CK_SAFE || suppressed)
		cli_report_print(s->pages[report->verdict], &s->look, report);
}

/* A file that could not be read is never passed over in silence. */
static void on_failed(void *arg, const char *path, const char *why)
{
	scanning *s = arg;
	ck_job *job = s->options->json ? ck_job_new() : NULL;
	s->unread++;
	cli_progress_clear(&s->progress);
	cli_say("%s: %s", *path ? cli_show_name(path).s : "''", why);
	if (job)
		print_line(s, ck_report_json_error(job, path, why));
	if (s->sarif)
		ck_sarif_add_error(s->sarif, path, why);
	ck_job_free(job);
}

/* What could be opened, but not looked through, is malformed: it may have been made so. */
static void on_broken(scanning *s, const char *path, const ck_error *error)
{
	on_failed(s, path, error->text);
	if (cli_exit_status(error->status) != EXIT_INPUT)
		return;
	s->unread--;
	s->counts[CK_MALFORMED]++;
}

static bool on_file(void *arg, const char *path)
{
	scanning *s = arg;
	ck_job *job = ck_job_new();
	if (!job) {
		on_failed(s, path, "the system has no memory left");
		return false;
	}
	cli_signals_watch(job);
	s->files++;
	cli_progress_count(&s->progress, "scanning file", s->files);
	ck_error error;
	const ck_report *report = cli_scan_file(&s->reader, job, path, &error);
	if (report)
		show(s, job, report);
	else if (error.status != CK_STOPPED)
		on_broken(s, path, &error);
	else
		s->files--;
	cli_signals_watch(NULL);
	ck_job_free(job);
	return !cli_signals_came() && !ferror(stdout);
}

static void on_passed(void *arg, const char *path, cli_passed what)
{
	static const char *const texts[] = {
		[CLI_PASSED_PIPE] = "a pipe or a device, passed over",
		[CLI_PASSED_FOLDER] = "a symbolic link to a folder, not followed",
		[CLI_PASSED_MET] = "a symbolic link to a file that was scanned before",
	};
	scanning *s = arg;
	s->folder_links += what == CLI_PASSED_FOLDER;
	s->met_links += what == CLI_PASSED_MET;
	if (s->sarif && what != CLI_PASSED_MET)
		ck_sarif_add_note(s->sarif, path, texts[what]);
	if (s->options->quiet || (what == CLI_PASSED_MET && !s->options->verbose))
		return;
	cli_progress_clear(&s->progress);
	cli_say("%s: %s", cli_show_name(path).s, texts[what]);
}

/* ---- all of them ---- */

/* Said to the quiet, too: a denial that has expired lets more pass than before. */
static void on_policy_note(void *arg, const char *text)
{
	(void)arg;
	if (text)
		cli_say("%s", text);
}

/* Reads --policy and --baseline; says what is wrong with them. */
static bool begin_policy(scanning *s)
{
	const cli_options *options = s->options;
	if (!options->policy && !options->baseline)
		return true;
	s->policy_job = ck_job_new();
	if (!s->policy_job) {
		cli_say("the system has no memory left");
		return false;
	}
	ck_job_listen(s->policy_job, on_policy_note, NULL, NULL);
	ck_policy *policy = ck_policy_new(s->policy_job);
	if (policy && (!options->policy || ck_policy_read(policy, options->policy)) &&
	    (!options->baseline || ck_policy_baseline(policy, options->baseline))) {
		s->reader.policy = policy;
		return true;
	}
	cli_print_error(ck_job_error(s->policy_job));
	ck_job_free(s->policy_job);
	return false;
}

static bool begin_sarif(scanning *s)
{
	s->sarif_job = ck_job_new();
	s->sarif = s->sarif_job ? ck_sarif_new(s->sarif_job) : NULL;
	return s->sarif;
}

/* A document that is not whole is none: it comes only after all files were scanned. */
static bool print_sarif(scanning *s)
{
	const char *document = cli_signals_came() ? "" : ck_sarif_finish(s->sarif);
	if (document && *document)
		print_line(s, document);
	else if (!document)
		cli_print_error(ck_job_error(s->sarif_job));
	ck_job_free(s->sarif_job);
	return document;
}

static bool print_results(scanning *s)
{
	for (int verdict = CK_DANGEROUS; verdict >= CK_SAFE; verdict--) {
		if (!s->pages[verdict])
			continue;
		fclose(s->pages[verdict]);
		errno = 0;
		fwrite(s->page[verdict], 1, s->page_len[verdict], stdout);
		cli_flush();
		free(s->page[verdict]);
	}
	return !s->sarif || print_sarif(s);
}

static bool open_pages(scanning *s)
{
	for (int verdict = CK_SAFE; verdict <= CK_DANGEROUS; verdict++) {
		s->pages[verdict] = open_memstream(&s->page[verdict], &s->page_len[verdict]);
		if (s->pages[verdict])
			continue;
		while (verdict-- > CK_SAFE) {
			fclose(s->pages[verdict]);
			free(s->page[verdict]);
		}
		return false;
	}
	return true;
}

/* "212 files: 2 dangerous, 1 malformed, 30 unknown, 179 safe" */
static void say_summary(const scanning *s)
{
	char text[512]; /* more than all of it with the longest numbers */
	const char *comma = ": ";
	unsigned long all = s->unread;
	for (int verdict = CK_SAFE; verdict <= CK_DANGEROUS; verdict++)
		all += s->counts[verdict];
	size_t len = (size_t)snprintf(text, sizeof text, "%lu file%s", all, all == 1 ? "" : "s");
	for (int verdict = CK_DANGEROUS; verdict >= CK_SAFE; verdict--) {
		if (!s->counts[verdict])
			continue;
		len += (size_t)snprintf(text + len, sizeof text - len, "%s%lu %s", comma,
		                        s->counts[verdict],
		                        ck_verdict_name((ck_verdict)verdict));
		comma = ", ";
	}
	if (s->unread)
		len += (size_t)snprintf(text + len, sizeof text - len, "%s%lu could not be read",
		                        comma, s->unread);
	if (s->suppressed)
		len += (size_t)snprintf(text + len, sizeof text - len,
		                        "; %lu finding%s suppressed in %lu file%s", s->suppressed,
		                        s->suppressed == 1 ? "" : "s", s->with_suppressed,
		                        s->with_suppressed == 1 ? "" : "s");
	if (s->met_links)
		len += (size_t)snprintf(text + len, sizeof text - len,
		                        "; %lu link%s to files scanned before", s->met_links,
		                        s->met_links == 1 ? "" : "s");
	if (s->folder_links)
		snprintf(text + len, sizeof text - len, "; %lu link%s to folders not followed",
		         s->folder_links, s->folder_links == 1 ? "" : "s");
	cli_say("%s", text);
}

/* Why an argument is none that can be scanned, where that is likely to be a mistake; or NULL. */
static const char *mistake(const char *argument, char *text, size_t size)
{
	struct stat st;
	if (!*argument)
		return "an empty name names no file";
	if (!lstat(argument, &st))
		return NULL;
	if (!strcmp(argument, "-"))
		return "pipes and the standard input are not read; name a file";
	for (const char *mark = strchr(argument, '!'); mark; mark = strchr(mark + 1, '!')) {
		char *file = strndup(argument, (size_t)(mark - argument));
		bool exists = file && *file && !stat(file, &st);
		if (exists)
			snprintf(text, size,
			         "scan takes whole files, with all members: ckconv scan %s",
			         cli_show_name(file).s);
		free(file);
		if (exists)
			return text;
	}
	return NULL;
}

/* One argument; false if no more shall be scanned. */
static bool scan_argument(cli_tree *tree, const char *argument)
{
	char text[640];
	const char *wrong = mistake(argument, text, sizeof text);
	if (!wrong)
		return cli_tree_walk(tree, argument);
	on_failed(tree->arg, argument, wrong);
	return true;
}

static int exit_status(const scanning *s)
{
	static const int statuses[] = {
		[CK_SAFE] = EXIT_DONE, [CK_UNKNOWN] = EXIT_UNSURE, [CK_MALFORMED] = EXIT_INPUT,
		[CK_DANGEROUS] = EXIT_NO,
	};
	if (s->counts[CK_DANGEROUS])
		return EXIT_NO;
	if (s->unread)
		return EXIT_USAGE;
	for (ck_verdict verdict = CK_MALFORMED; verdict >= s->options->fail_on; verdict--)
		if (s->counts[verdict])
			return statuses[verdict];
	return EXIT_DONE;
}

int cli_scan(const cli_options *options)
{
	scanning s = {.options = options, .look = cli_look_of(STDOUT_FILENO, options->verbose)};
	cli_tree tree = {on_file, on_passed, on_failed, &s, NULL};
	bool all = true;
	s.look.suppressor = !options->baseline ? "the policy" : !options->policy ? "the baseline"
	                  : "the policy or the baseline";
	s.reader = (cli_reader){.options = options, .progress = &s.progress};
	if (!cli_check_limits(options) || !begin_policy(&s))
		return EXIT_USAGE;
	if (!open_pages(&s) || (options->sarif && !begin_sarif(&s))) {
		cli_say("the system has no memory left");
		return EXIT_USAGE;
	}
	cli_signals_catch();
	cli_progress_begin(&s.progress, !options->quiet && isatty(STDERR_FILENO));
	for (int i = 0; all && i < options->argument_count; i++)
		all = scan_argument(&tree, options->arguments[i]);
	cli_tree_end(&tree);
	cli_progress_clear(&s.progress);
	bool printed = print_results(&s);
	ck_job_free(s.policy_job);
	cli_flush();
	if (!all && !cli_signals_came() && ferror(stdout))
		cli_say("nobody takes the output: stopped after %lu file%s, and the rest was not "
		        "scanned", s.files, s.files == 1 ? "" : "s");
	if (cli_signals_came() && !all)
		cli_say("interrupted after %lu file%s; the rest was not scanned", s.files,
		        s.files == 1 ? "" : "s");
	cli_signals_die();
	if (!s.files && !s.unread) {
		cli_say("there is no file in %s", options->argument_count == 1
		        ? cli_show_name(options->arguments[0]).s : "these folders");
		return EXIT_USAGE;
	}
	if (!options->quiet && (all || !ferror(stdout)))
		say_summary(&s);
	int status = exit_status(&s);
	return printed || status == EXIT_NO ? status : EXIT_USAGE;
}
