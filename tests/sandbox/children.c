/* Children that misbehave: whatever they do, the parent ends soon, calls nothing done that is not,
 * shows no control characters and says what was wrong. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"

static ck_job *job;
static volatile sig_atomic_t stopped;
static unsigned notes;
static char last_note[8192];
static size_t failed, passed;

static void on_note(void *arg, const char *text)
{
	(void)arg;
	notes++;
	snprintf(last_note, sizeof last_note, "%s", text);
}

static void send_raw(cli_channel *channel, const void *data, size_t len)
{
	if (write(channel->fd, data, len) != (ssize_t)len)
		_exit(0);
}

static void send_head(cli_channel *channel, uint32_t type, uint32_t len)
{
	uint32_t head[2] = {type, len};
	send_raw(channel, head, sizeof head);
}

/* The numbers of the messages, as channel.c counts them. */
enum { CONFINED, NOTE, PROGRESS, SUMMARY, BLOB, ERROR, DONE };

/* ---- what children do ---- */

static bool behave(void *arg, cli_channel *channel)
{
	(void)arg;
	cli_channel_note(channel, "a note");
	cli_channel_progress(channel, "writing", 1, 2);
	cli_channel_blob(channel, "report", 6);
	cli_channel_summary(channel, &(ck_summary){"torch zip", 3, 4, 1, 5});
	return true;
}

static bool send_long_blob(void *arg, cli_channel *channel)
{
	static char piece[1 << 20];
	(void)arg;
	for (int i = 0; i < 64; i++)
		cli_channel_blob(channel, piece, sizeof piece);
	return true;
}

static bool send_too_long_blob(void *arg, cli_channel *channel)
{
	send_long_blob(arg, channel);
	cli_channel_blob(channel, "x", 1);
	return true;
}

static bool send_many_notes(void *arg, cli_channel *channel)
{
	(void)arg;
	for (int i = 0; i < 5000; i++)
		cli_channel_note(channel, "again");
	return true;
}

static bool flood_notes(void *arg, cli_channel *channel)
{
	(void)arg;
	while (!stopped) {
		send_head(channel, NOTE, 1);
		send_raw(channel, "x", 1);
	}
	return true;
}

static bool flood_progress(void *arg, cli_channel *channel)
{
	(void)arg;
	while (!stopped)
		cli_channel_progress(channel, "writing", 1, 2);
	return true;
}

static bool many_words(void *arg, cli_channel *channel)
{
	(void)arg;
	for (int i = 0; i < 100; i++) {
		char what[16];
		snprintf(what, sizeof what, "w%d", i);
		cli_channel_progress(channel, what, 1, 2);
	}
	return true;
}

static bool escape(void *arg, cli_channel *channel)
{
	static const char text[] = "\x1b[2J\r\n\xe2\x80\xae\xff";
	(void)arg;
	send_head(channel, NOTE, sizeof text - 1);
	send_raw(channel, text, sizeof text - 1);
	return true;
}

static bool escape_error(void *arg, cli_channel *channel)
{
	ck_error error = {.status = CK_CORRUPT, .where = "\x1b]0;x\a", .text = "\x1b[2J\xff"};
	(void)arg;
	cli_channel_error(channel, &error);
	_exit(0);
}

static bool unknown_type(void *arg, cli_channel *channel)
{
	(void)arg;
	send_head(channel, 77, 0);
	return true;
}

static bool huge_length(void *arg, cli_channel *channel)
{
	(void)arg;
	send_head(channel, NOTE, 0xFFFFFFFF);
	return true;
}

static bool short_length(void *arg, cli_channel *channel)
{
	(void)arg;
	send_head(channel, ERROR, 3);
	send_raw(channel, "abc", 3);
	return true;
}

/* status, offset and lengths that there are not */
static bool odd_error(void *arg, cli_channel *channel)
{
	struct {
		uint64_t offset;
		int32_t status, sys;
		uint32_t has_offset, where_len;
	} part = {0, (int32_t)(intptr_t)arg, 0, 0, arg == (void *)CK_IO ? 9 : 0};
	send_head(channel, ERROR, sizeof part + 1);
	send_raw(channel, &part, sizeof part);
	send_raw(channel, "x", 1);
	_exit(0);
}

static bool go_on_after_the_end(void *arg, cli_channel *channel)
{
	(void)arg;
	cli_channel_done(channel);
	cli_channel_note(channel, "more");
	return true;
}

static bool two_summaries(void *arg, cli_channel *channel)
{
	return behave(arg, channel) && behave(arg, channel);
}

/* Its parent has heard of its sandbox before. */
static bool tell_of_the_sandbox(void *arg, cli_channel *channel)
{
	(void)arg;
	cli_channel_confined(channel, &(cli_confinement){true, 1, true});
	return true;
}

static bool leave_a_message_half(void *arg, cli_channel *channel)
{
	(void)arg;
	send_head(channel, NOTE, 100);
	_exit(0);
}

static bool end_in_silence(void *arg, cli_channel *channel)
{
	(void)channel;
	_exit((int)(intptr_t)arg);
}

static bool claim_and_fail(void *arg, cli_channel *channel)
{
	(void)arg;
	cli_channel_done(channel);
	_exit(3);
}

static bool close_and_hang(void *arg, cli_channel *channel)
{
	(void)arg;
	close(channel->fd);
	while (!stopped)
		;
	return true;
}

static bool claim_and_hang(void *arg, cli_channel *channel)
{
	cli_channel_done(channel);
	return close_and_hang(arg, channel);
}

static bool segfault(void *arg, cli_channel *channel)
{
	(void)arg;
	volatile char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	cli_channel_done(channel);
	*page = 1;
	return true;
}

static bool abort_now(void *arg, cli_channel *channel)
{
	(void)arg;
	(void)channel;
	abort();
}

static bool break_out(void *arg, cli_channel *channel)
{
	(void)arg;
	cli_channel_done(channel);
	return syscall(SYS_socket, 1, 1, 0) >= 0;
}

/* Waits for ever; the parent is told to stop after a while. */
static bool hang(void *arg, cli_channel *channel)
{
	(void)arg;
	(void)channel;
	while (!stopped)
		;
	return true;
}

/* Waits for something that nobody does. */
static bool sleep_for_ever(void *arg, cli_channel *channel)
{
	static uint32_t word;
	(void)arg;
	cli_channel_note(channel, "good night");
	while (!stopped)
		syscall(SYS_futex, &word, 0 /* FUTEX_WAIT */, 0, NULL);
	return true;
}

static bool stop_itself(void *arg, cli_channel *channel)
{
	(void)arg;
	(void)channel;
	raise(SIGSTOP);
	return true;
}

/* Says something from time to time, for longer than a silent one may live. */
static bool mumble(void *arg, cli_channel *channel)
{
	static uint32_t word;
	(void)arg;
	for (int i = 0; i < 12; i++) {
		cli_channel_progress(channel, "writing", (uint64_t)i, 12);
		syscall(SYS_futex, &word, 0, 0, &(struct timespec){0, 250000000});
	}
	return true;
}

/* Works and says nothing, for longer than an idle one may live. */
static bool work_in_silence(void *arg, cli_channel *channel)
{
	double begun = cli_now();
	(void)arg;
	(void)channel;
	while (cli_now() - begun < 3)
		;
	return true;
}

static bool ignore_time(void *arg, cli_channel *channel)
{
	signal(SIGXCPU, SIG_IGN);
	return hang(arg, channel);
}

static bool fail_honestly(void *arg, cli_channel *channel)
{
	(void)arg;
	(void)channel;
	return ck_job_limit(job, "nonsense");
}

typedef struct {
	const char *name;
	bool (*run)(void *arg, cli_channel *channel);
	long arg;
	ck_status status; /* CK_OK: it ends well */
	const char *says;
	cli_bounds bounds;
} row;

static const row rows[] = {
	{"behave", behave, 0, CK_OK, NULL, {0}},
	{"send_many_notes", send_many_notes, 0, CK_OK, NULL, {0}},
	{"send_long_blob", send_long_blob, 0, CK_OK, NULL, {0}},
	{"escape", escape, 0, CK_OK, NULL, {0}},
	{"fail_honestly", fail_honestly, 0, CK_USAGE, "nonsense", {0}},
	{"escape_error", escape_error, 0, CK_CORRUPT, "\\x1b[2J\\xff", {0}},
	{"send_too_long_blob", send_too_long_blob, 0, CK_CORRUPT, "its report is too long", {0}},
	{"flood_notes", flood_notes, 0, CK_CORRUPT, "too many notes", {0}},
	{"flood_progress", flood_progress, 0, CK_CORRUPT, "too often", {0}},
	{"many_words", many_words, 0, CK_CORRUPT, "too many kinds", {0}},
	{"unknown_type", unknown_type, 0, CK_CORRUPT, "no known kind", {0}},
	{"huge_length", huge_length, 0, CK_CORRUPT, "a wrong length", {0}},
	{"short_length", short_length, 0, CK_CORRUPT, "a wrong length", {0}},
	{"error_ok", odd_error, CK_OK, CK_CORRUPT, "fails in a way", {0}},
	{"error_stopped", odd_error, CK_STOPPED, CK_CORRUPT, "fails in a way", {0}},
	{"error_beyond", odd_error, 1000, CK_CORRUPT, "fails in a way", {0}},
	{"error_negative", odd_error, -1, CK_CORRUPT, "fails in a way", {0}},
	{"error_where", odd_error, CK_IO, CK_CORRUPT, "fails in a way", {0}},
	{"go_on_after_the_end", go_on_after_the_end, 0, CK_CORRUPT, "after its end", {0}},
	{"two_summaries", two_summaries, 0, CK_CORRUPT, "sums up twice", {0}},
	{"sandbox_twice", tell_of_the_sandbox, 0, CK_CORRUPT, "its sandbox twice", {0}},
	{"half_a_message", leave_a_message_half, 0, CK_CORRUPT, "without a result", {0}},
	{"silence", end_in_silence, 0, CK_CORRUPT, "without a result", {0}},
	{"silence_1", end_in_silence, 1, CK_CORRUPT, "without a result", {0}},
	{"claim_and_fail", claim_and_fail, 0, CK_CORRUPT, "without a result", {0}},
	{"close_and_hang", close_and_hang, 0, CK_NOMEM, "was killed", {0}},
	{"claim_and_hang", claim_and_hang, 0, CK_NOMEM, "was killed", {0}},
	{"segfault", segfault, 0, CK_CORRUPT, "crashed (signal 11", {0}},
	{"abort", abort_now, 0, CK_CORRUPT, "crashed (signal 6", {0}},
	{"break_out", break_out, 0, CK_CORRUPT, "its sandbox forbids", {0}},
	{"hang", hang, 0, CK_STOPPED, "stopped", {0}},
	{"spin", hang, 0, CK_LIMIT, "more than 1 seconds of the processor", {.cpu_seconds = 1}},
	{"ignore_time", ignore_time, 0, CK_NOMEM, "was killed", {.cpu_seconds = 1}},
	{"sleep_for_ever", sleep_for_ever, 0, CK_LIMIT, "did nothing", {.idle_ms = 500}},
	{"stop_itself", stop_itself, 0, CK_LIMIT, "did nothing", {.idle_ms = 500}},
	{"mumble", mumble, 0, CK_OK, NULL, {.idle_ms = 2000}},
	{"work_in_silence", work_in_silence, 0, CK_OK, NULL, {.idle_ms = 2000}},
};

static bool is_stopped(void)
{
	return stopped;
}

static void on_alarm(int number)
{
	stopped = number;
}

/* Which expectation is not met, or NULL. */
static const char *judge(const row *r, bool ok, const cli_report *report, double seconds)
{
	if (ok != (r->status == CK_OK) || report->done != ok)
		return "ended well, or did not";
	if (!ok && report->error.status != r->status)
		return "another status";
	if (!ok && !strstr(report->error.text, r->says))
		return "another sentence";
	for (const char *c = report->error.text; *c; c++)
		if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7F)
			return "a control character";
	if (strpbrk(last_note, "\x1b\r\n") || strpbrk(report->error.where, "\x1b\a"))
		return "a control character";
	if (r->run == behave && (report->summary.tensors != 3 || report->summary.file_bytes != 5 ||
	                         report->blob_len != 6 ||
	                         strcmp(report->layout, "torch zip") != 0 || notes != 1))
		return "not what was sent";
	if (r->run == send_long_blob && report->blob_len != CHANNEL_BLOB)
		return "not the whole blob";
	if (r->run == send_many_notes && notes != CHANNEL_NOTES)
		return "not as many notes as may be";
	/* seconds of the processor last as long as others let them */
	return seconds > (r->bounds.cpu_seconds ? 60 : 8) ? "took too long" : NULL;
}

static void run_row(const row *r)
{
	static cli_report report;
	report = (cli_report){.note = on_note};
	job = ck_job_new();
	stopped = 0;
	notes = 0;
	last_note[0] = 0;
	double begun = cli_now();
	if (r->status == CK_STOPPED)
		kill(getpid(), SIGTERM); /* handled only while the parent waits, as Ctrl-C is */
	bool ok = cli_child_run(&(cli_task){
		.run = r->run, .arg = (void *)(intptr_t)r->arg, .job = job, .subject = "in.pt",
		.bounds = r->bounds, .stopped = is_stopped,
	}, &report);
	const char *wrong = judge(r, ok, &report, cli_now() - begun);
	if (wrong)
		printf("%s: %s: status %d, '%s'\n", r->name, wrong, report.error.status,
		       report.error.text);
	failed += wrong != NULL;
	passed += !wrong;
	cli_report_free(&report);
	ck_job_free(job);
	if (waitpid(-1, NULL, WNOHANG) >= 0) {
		printf("%s: a child is left\n", r->name);
		failed++;
	}
}

/* The first message of a child is always its own; but whoever took it over early may lie there. */
static void feed_sandbox(uint32_t landlock, bool is_one)
{
	static cli_report report;
	uint32_t message[5] = {CONFINED, 12, 1, landlock, 1};
	report = (cli_report){0};
	const char *wrong = cli_report_feed(&report, message, sizeof message);
	bool ok = is_one ? !wrong && report.has_confinement
	                 : wrong && strstr(wrong, "a sandbox that there is not");
	if (!ok)
		printf("Landlock %u: %s\n", landlock, wrong ? wrong : "it is believed");
	failed += !ok;
	passed += ok;
}

int main(void)
{
	struct sigaction action = {.sa_handler = on_alarm};
	setvbuf(stdout, NULL, _IONBF, 0);
	sigaction(SIGTERM, &action, NULL);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		run_row(&rows[i]);
	feed_sandbox(0, true);
	feed_sandbox(9, true);
	feed_sandbox(1001, false);
	feed_sandbox(UINT32_MAX, false);
	printf("%zu passed, %zu failed\n", passed, failed);
	return failed ? 1 : 0;
}
