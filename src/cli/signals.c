/* Ctrl-C, a closed terminal and a polite kill: they stop the job that runs, and the program then
 * ends by the signal. */
#include "cli.h"

#include <signal.h>

/* What a signal handler can reach: there is one job at a time in this program. */
static ck_job *volatile running;
static volatile sig_atomic_t caught;

static void on_signal(int number)
{
	caught = number;
	ck_job *job = running;
	if (job)
		ck_job_stop(job);
}

void cli_signals_catch(void)
{
	static const int stops[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action = {.sa_handler = on_signal};
	sigemptyset(&action.sa_mask);
	action.sa_flags = (int)SA_RESETHAND; /* a second Ctrl-C ends the program at once */
	for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
		struct sigaction before;
		if (!sigaction(stops[i], NULL, &before) && before.sa_handler != SIG_IGN)
			sigaction(stops[i], &action, NULL);
	}
	/* these become errors of the write that caused them */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

void cli_signals_watch(ck_job *job)
{
	running = job;
	if (job && caught)
		ck_job_stop(job);
}

bool cli_signals_came(void)
{
	return caught;
}

void cli_signals_die(void)
{
	if (!caught)
		return;
	signal(caught, SIG_DFL);
	raise(caught);
}
