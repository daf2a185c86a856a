/* A process for one file: started, locked down, listened to, and waited for, however it ends. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What is wrong with the child outweighs whatever it said. */
static void __attribute__((format(printf, 4, 5)))
fail(cli_report *report, ck_status status, const char *where, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	report->done = false;
	report->error = (ck_error){.status = status};
	ck_printable(where, report->error.where, sizeof report->error.where);
	vsnprintf(report->error.text, sizeof report->error.text, fmt, args);
	va_end(args);
}

/* ---- in the child ---- */

/* What ends the parent ends the child: the terminal's signals are for the parent to answer. */
static void prepare(pid_t parent)
{
	static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGXFSZ};
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent) /* it was gone before that call */
		_exit(EXIT_USAGE);
	for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
		signal(ignored[i], SIG_IGN);
	/* what the C library would look up in files, at a time when it no longer can: the number of
	 * processors when many threads allocate, and the time zone */
	mallopt(M_ARENA_MAX, 8);
	if (setenv("TZ", "UTC0", 1))
		_exit(EXIT_USAGE);
	tzset();
	tzset(); /* where memory was short, the zone is not remembered and read again later */
}

/* Says what is missing; false if it must not be. */
static bool suffices(const cli_task *task, const cli_confinement *got, cli_channel *channel)
{
	ck_error error = {.status = CK_USAGE};
	if (!task->require || (got->seccomp && got->landlock && got->rlimits))
		return true;
	snprintf(error.text, sizeof error.text,
	         "--sandbox=require: this system has no %s (Linux 5.13 or newer has it, unless it "
	         "was turned off)",
	         !got->seccomp ? "seccomp filter" : !got->landlock ? "Landlock" : "limits");
	cli_channel_error(channel, &error);
	return false;
}

static _Noreturn void be_child(const cli_task *task, pid_t parent, int fd)
{
	int *keep = malloc((task->keep_count + 1) * sizeof *keep);
	cli_channel channel = {.fd = fd};
	prepare(parent);
	if (!keep)
		_exit(EXIT_USAGE);
	memcpy(keep, task->keep, task->keep_count * sizeof *keep);
	keep[task->keep_count] = fd;
	cli_confinement got = cli_confine(keep, task->keep_count + 1, &task->bounds);
	cli_channel_confined(&channel, &got);
	if (suffices(task, &got, &channel)) {
		if (task->run(task->arg, &channel))
			cli_channel_done(&channel);
		else
			cli_channel_error(&channel, ck_job_error(task->job));
	}
	_exit(EXIT_DONE); /* nothing is cleaned up: all of it belongs to the parent */
}

/* ---- in the parent ---- */

/* Signals that ask to stop wait until ppoll lets them through: none can come between the look at
 * `stopped` and the wait. */
static void block_stops(sigset_t *before)
{
	sigset_t stops;
	sigemptyset(&stops);
	sigaddset(&stops, SIGINT);
	sigaddset(&stops, SIGTERM);
	sigaddset(&stops, SIGHUP);
	sigprocmask(SIG_BLOCK, &stops, before);
}

enum { LOOKS = 10 }; /* at a silent child, before it counts as idle */

typedef struct {
	pid_t pid;
	uint64_t worked; /* nanoseconds of the processor, when it was last looked at */
	unsigned looks;  /* since it last said or did something */
	bool idle;       /* it was given up */
} child;

/* Counts the looks and not the time: whoever stops both processes and lets them go on later has not
 * waited. A hundredth of the time is no work, so that nobody is kept waiting by a twitch. */
static void look_at(child *c, const cli_task *task)
{
	clockid_t clock;
	struct timespec used;
	if (clock_getcpuclockid(c->pid, &clock) || clock_gettime(clock, &used))
		return;
	uint64_t worked = (uint64_t)used.tv_sec * 1000000000 + (uint64_t)used.tv_nsec;
	bool did = worked - c->worked > task->bounds.idle_ms * 1000000 / LOOKS / 100;
	c->looks = did ? 0 : c->looks + 1;
	c->worked = worked;
	c->idle = c->looks >= LOOKS;
}

static struct timespec time_between_looks(const cli_task *task)
{
	uint64_t ms = task->bounds.idle_ms / LOOKS;
	return (struct timespec){(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
}

/* Reads what the child tells until it ends, breaks a rule, does nothing any more, or somebody wants
 * to stop. Returns which rule it broke, or NULL. */
static const char *listen_to(const cli_task *task, child *c, int fd, const sigset_t *before,
                             cli_report *report)
{
	static char buffer[16 << 10];
	const char *wrong = NULL;
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	const struct timespec between = time_between_looks(task);
	while (!wrong && !c->idle && !task->stopped()) {
		int ready = ppoll(&wait, 1, task->bounds.idle_ms ? &between : NULL, before);
		if (ready < 0 && errno == EINTR)
			continue;
		if (ready < 0)
			return "it cannot be listened to";
		if (!ready) {
			look_at(c, task);
			continue;
		}
		c->looks = 0;
		ssize_t got = read(fd, buffer, sizeof buffer);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		wrong = cli_report_feed(report, buffer, (size_t)got);
	}
	return wrong;
}

/* Why a child ended that should not have. */
static void judge_signal(const cli_task *task, int number, cli_report *report)
{
	if (number == SIGSYS)
		fail(report, CK_CORRUPT, task->subject,
		     "reading it, ckconv attempted something that its sandbox forbids and was "
		     "stopped; the file may be made to attack: do not trust it, and please report "
		     "it");
	else if (number == SIGXCPU)
		fail(report, CK_LIMIT, task->subject,
		     "reading it took more than %llu seconds of the processor and was stopped: no "
		     "honest file of its size needs that; the file may be made to attack: do not "
		     "trust it, and please report it",
		     (unsigned long long)task->bounds.cpu_seconds);
	else if (number == SIGKILL || number == SIGTERM)
		fail(report, CK_NOMEM, task->subject,
		     "the process that read it was killed (signal %d); that happens when the "
		     "system runs out of memory", number);
	else
		fail(report, CK_CORRUPT, task->subject,
		     "reading it, ckconv crashed (signal %d, %s); the file may be made to attack: "
		     "do not trust it, and please report it", number, strsignal(number));
}

static void judge(const cli_task *task, const child *c, const char *wrong, int status,
                  cli_report *report)
{
	if (task->stopped())
		fail(report, CK_STOPPED, "", "stopped on request");
	else if (report->no_memory)
		fail(report, CK_NOMEM, task->subject, "the system has no memory left");
	else if (c->idle)
		fail(report, CK_LIMIT, task->subject,
		     "the process that read it did nothing for %llu seconds and was stopped; if no "
		     "disk or network hangs, the file may be made to attack: do not trust it, and "
		     "please report it", (unsigned long long)task->bounds.idle_ms / 1000);
	else if (wrong)
		fail(report, CK_CORRUPT, task->subject,
		     "the process that read it reports nonsense (%s) and was stopped; the file may "
		     "be made to attack: do not trust it, and please report it", wrong);
	else if (WIFSIGNALED(status))
		judge_signal(task, WTERMSIG(status), report);
	else if (WEXITSTATUS(status) == EXIT_USAGE && !report->ended)
		fail(report, CK_NOMEM, task->subject, "the system has no memory left");
	else if (!report->ended || report->have || WEXITSTATUS(status) != EXIT_DONE)
		fail(report, CK_CORRUPT, task->subject,
		     "the process that read it ended without a result");
}

static void follow(const cli_task *task, pid_t pid, int fd, const sigset_t *before,
                   cli_report *report)
{
	int status = 0;
	child c = {.pid = pid};
	const char *wrong = listen_to(task, &c, fd, before, report);
	/* At the end of the pipe an honest child is on its way out, which no signal changes; any
	 * other is not waited for. */
	kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	judge(task, &c, wrong, status, report);
}

bool cli_child_run(const cli_task *task, cli_report *report)
{
	int ends[2];
	sigset_t before;
	report->begun = cli_now();
	if (pipe2(ends, O_CLOEXEC)) {
		fail(report, CK_IO, "", "cannot make a pipe: %s", strerror(errno));
		return false;
	}
	block_stops(&before);
	pid_t parent = getpid(), pid = fork();
	if (!pid)
		be_child(task, parent, ends[1]);
	close(ends[1]);
	if (pid > 0)
		follow(task, pid, ends[0], &before, report);
	else
		fail(report, CK_IO, task->subject,
		     "cannot start a process to read it in: %s (--sandbox=off does without)",
		     strerror(errno));
	close(ends[0]);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return report->done;
}
