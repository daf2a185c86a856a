/* What scan, dis and inspect read, a confined child reads; or this one if there is no sandbox. */
#include "confined.h"

#include <stdlib.h>
#include <unistd.h>

void cli_confinement_tell(const cli_options *options, const cli_confinement *got)
{
	if (options->verbose)
		cli_say("sandbox: %s", cli_show_walls(got).s);
	else if (!got->seccomp && !options->quiet)
		cli_say("this system has no seccomp filter: what reads the input is not fully "
		        "confined (-v says how far)");
}

bool cli_child_wanted(const cli_options *options, bool told, ck_error *error)
{
	if (options->sandbox != SANDBOX_OFF && cli_confine_built())
		return true;
	if (options->sandbox == SANDBOX_REQUIRE)
		*error = (ck_error){.status = CK_USAGE, .text =
			"--sandbox=require: this ckconv was built without a sandbox"};
	else if (options->verbose && !told)
		cli_say("sandbox: none (%s)", options->sandbox == SANDBOX_OFF ? "--sandbox=off"
		        : "this ckconv was built without");
	return false;
}

static void on_confined(void *arg, const cli_confinement *got)
{
	cli_reader *reader = arg;
	if (!reader->told) /* every file gets the same */
		cli_confinement_tell(reader->options, got);
	reader->told = true;
}

static void on_progress(void *arg, const char *what, uint64_t done, uint64_t total)
{
	cli_progress_show(((cli_reader *)arg)->progress, what, done, total);
}

static void send_progress(void *arg, const char *what, uint64_t done, uint64_t total)
{
	cli_channel_progress(arg, what, done, total);
}

static bool wants_child(cli_reader *reader, ck_error *error)
{
	bool wanted = cli_child_wanted(reader->options, reader->told, error);
	reader->told = reader->told || !wanted;
	return wanted;
}

/* ---- scan ---- */

typedef struct {
	ck_job *job;
	ck_scan *scan;
} scan_work;

static bool scan_in_child(void *arg, cli_channel *channel)
{
	const scan_work *w = arg;
	size_t len;
	ck_job_listen(w->job, NULL, send_progress, channel);
	const ck_report *report = ck_scan_run(w->scan);
	const void *bytes = report ? ck_report_pack(w->job, report, &len) : NULL;
	if (!bytes)
		return false;
	cli_channel_blob(channel, bytes, len);
	return true;
}

static const ck_report *scan_by_child(cli_reader *reader, scan_work *w, const char *path,
                                      ck_error *error)
{
	enum { MOST = 32 };
	static cli_report told;
	int keep[MOST];
	const ck_report *report = NULL;
	told = (cli_report){.progress = on_progress, .confined = on_confined, .listener = reader};
	if (cli_child_run(&(cli_task){
		.run = scan_in_child, .arg = w, .job = w->job, .subject = path, .keep = keep,
		.keep_count = ck_scan_descriptors(w->scan, keep, MOST),
		.bounds = cli_bounds_of(ck_scan_file_max(w->scan)),
		.require = reader->options->sandbox == SANDBOX_REQUIRE,
		.stopped = cli_signals_came,
	}, &told)) {
		report = ck_report_unpack(w->job, path, told.blob, told.blob_len);
		*error = *ck_job_error(w->job);
	} else {
		*error = told.error;
	}
	cli_report_free(&told);
	return report;
}

const ck_report *cli_scan_file(cli_reader *reader, ck_job *job, const char *path, ck_error *error)
{
	scan_work w = {.job = job};
	*error = (ck_error){0};
	if (cli_set_limits(job, reader->options))
		w.scan = ck_scan_open(job, path);
	if (w.scan)
		ck_scan_use_policy(w.scan, reader->policy);
	if (w.scan && reader->options->sha256)
		ck_scan_use_sha256(w.scan);
	if (w.scan && wants_child(reader, error))
		return scan_by_child(reader, &w, path, error);
	if (error->status)
		return NULL;
	ck_job_listen(job, NULL, on_progress, reader);
	const ck_report *report = w.scan ? ck_scan_run(w.scan) : NULL;
	*error = *ck_job_error(job);
	return report;
}

/* ---- what the child prints by itself ---- */

static void send_shown(cli_channel *channel, const cli_shown *shown)
{
	cli_channel_blob(channel, (char[]){shown->whole, shown->written, (char)shown->why}, 3);
}

static void take_shown(const cli_report *told, cli_shown *shown)
{
	if (told->blob_len == 3)
		*shown = (cli_shown){told->blob[0], told->blob[1], (unsigned char)told->blob[2]};
}

/* ---- dis ---- */

typedef struct {
	ck_dis *dis;
	bool (*line)(void *arg, const ck_dis_line *line);
	void *arg;
} dis_work;

static bool show_dis(const dis_work *w, cli_shown *shown)
{
	bool ok = ck_dis_run(w->dis, w->line, w->arg, &shown->whole);
	shown->written = cli_flush();
	shown->why = cli_stdout_error();
	return ok || !shown->written;
}

/* What it says at the end, beside the lines that it wrote itself, fits three bytes. */
static bool dis_in_child(void *arg, cli_channel *channel)
{
	cli_shown shown = {0};
	if (!show_dis(arg, &shown))
		return false;
	send_shown(channel, &shown);
	return true;
}

static bool dis_by_child(cli_reader *reader, dis_work *w, ck_job *job, const char *path,
                         cli_shown *shown, ck_error *error)
{
	enum { MOST = 32 };
	static cli_report told;
	int keep[MOST + 1] = {STDOUT_FILENO};
	told = (cli_report){.confined = on_confined, .listener = reader};
	/* no bounds: what it prints is as long as it is, and whoever reads it may take his time */
	bool ok = cli_child_run(&(cli_task){
		.run = dis_in_child, .arg = w, .job = job, .subject = path, .keep = keep,
		.keep_count = 1 + ck_dis_descriptors(w->dis, keep + 1, MOST),
		.require = reader->options->sandbox == SANDBOX_REQUIRE,
		.stopped = cli_signals_came,
	}, &told);
	*error = told.error;
	if (ok)
		take_shown(&told, shown);
	cli_report_free(&told);
	return ok;
}

bool cli_dis_file(cli_reader *reader, ck_job *job, const char *path,
                  bool (*line)(void *arg, const ck_dis_line *line), void *arg, cli_shown *shown,
                  ck_error *error)
{
	dis_work w = {NULL, line, arg};
	*error = (ck_error){0};
	*shown = (cli_shown){0};
	if (cli_set_limits(job, reader->options))
		w.dis = ck_dis_open(job, path);
	if (w.dis && wants_child(reader, error))
		return dis_by_child(reader, &w, job, path, shown, error);
	if (error->status)
		return false;
	bool ok = w.dis && show_dis(&w, shown);
	*error = *ck_job_error(job);
	return ok;
}

/* ---- inspect ---- */

typedef struct {
	ck_inspect *inspect;
	ck_job *job;
	bool (*show)(void *arg, const ck_inspection *inspection);
	void *arg;
} inspect_work;

static bool show_inspection(const inspect_work *w, cli_shown *shown)
{
	const ck_inspection *inspection = ck_inspect_run(w->inspect);
	if (!inspection || !w->show(w->arg, inspection))
		return false;
	shown->whole = !inspection->error;
	shown->written = cli_flush();
	shown->why = cli_stdout_error();
	return true;
}

static void send_note(void *arg, const char *text)
{
	cli_channel_note(arg, text);
}

static bool inspect_in_child(void *arg, cli_channel *channel)
{
	const inspect_work *w = arg;
	cli_shown shown = {0};
	ck_job_listen(w->job, send_note, send_progress, channel);
	if (!show_inspection(w, &shown))
		return false;
	send_shown(channel, &shown);
	return true;
}

static void on_note(void *arg, const char *text)
{
	const cli_reader *reader = arg;
	if (!reader->options->quiet)
		cli_say("%s: %s", cli_show_name(reader->options->arguments[0]).s, text);
}

/* Which files are to be opened, too. */
static bool ask_in_child(void *arg, cli_channel *channel)
{
	const inspect_work *w = arg;
	size_t len;
	ck_job_listen(w->job, NULL, send_progress, channel);
	const void *answer = ck_inspect_ask(w->inspect, &len);
	if (answer)
		cli_channel_blob(channel, answer, len);
	return answer;
}

static bool inspect_by_child(cli_reader *reader, inspect_work *w, const char *path,
                             bool (*run)(void *, cli_channel *), const cli_bounds *bounds,
                             cli_report *told)
{
	const size_t count = ck_inspect_descriptors(w->inspect, NULL, 0);
	int *keep = malloc((count + 1) * sizeof *keep);
	*told = (cli_report){.note = on_note, .confined = on_confined, .progress = on_progress,
	                     .listener = reader};
	if (!keep) {
		told->error = (ck_error){.status = CK_NOMEM,
		                         .text = "the system has no memory left"};
		return false;
	}
	keep[0] = STDOUT_FILENO;
	bool ok = cli_child_run(&(cli_task){
		.run = run, .arg = w, .job = w->job, .subject = path, .keep = keep,
		.keep_count = 1 + ck_inspect_descriptors(w->inspect, keep + 1, count),
		.bounds = *bounds, .require = reader->options->sandbox == SANDBOX_REQUIRE,
		.stopped = cli_signals_came,
	}, told);
	free(keep);
	return ok;
}

static bool inspect_by_children(cli_reader *reader, inspect_work *w, const char *path,
                                cli_shown *shown, ck_error *error)
{
	static cli_report told;
	bool ok = true;
	cli_bounds bounds = cli_bounds_of(ck_inspect_file_max(w->inspect));
	while (ok && !ck_inspect_is_open(w->inspect)) {
		ok = inspect_by_child(reader, w, path, ask_in_child, &bounds, &told);
		bool answered = ok && ck_inspect_answer(w->inspect, told.blob, told.blob_len);
		*error = ok ? *ck_job_error(w->job) : told.error;
		ok = answered;
		cli_report_free(&told);
	}
	if (!ok)
		return false;
	/* what it prints may be appended to anything, and whoever reads it may take his time */
	bounds.file_bytes = bounds.idle_ms = 0;
	ok = inspect_by_child(reader, w, path, inspect_in_child, &bounds, &told);
	*error = told.error;
	if (ok)
		take_shown(&told, shown);
	cli_report_free(&told);
	return ok;
}

bool cli_inspect_file(cli_reader *reader, ck_job *job, const char *path,
                      bool (*show)(void *arg, const ck_inspection *inspection), void *arg,
                      cli_shown *shown, ck_error *error)
{
	inspect_work w = {NULL, job, show, arg};
	*error = (ck_error){0};
	*shown = (cli_shown){0};
	if (cli_set_limits(job, reader->options))
		w.inspect = ck_inspect_open(job, path);
	if (w.inspect && reader->options->tensors)
		ck_inspect_without_tree(w.inspect);
	if (w.inspect && wants_child(reader, error))
		return inspect_by_children(reader, &w, path, shown, error);
	if (error->status)
		return false;
	ck_job_listen(job, on_note, on_progress, reader);
	bool ok = w.inspect && show_inspection(&w, shown);
	*error = *ck_job_error(job);
	return ok;
}
