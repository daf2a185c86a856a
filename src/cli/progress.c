/* A line on the terminal that says how far a long conversion is; nothing in pipes and logs. */
#include "cli.h"

#include <time.h>

double cli_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void cli_progress_begin(cli_progress *progress, bool wanted)
{
	*progress = (cli_progress){.wanted = wanted, .started = cli_now()};
}

void cli_progress_show(cli_progress *progress, uint64_t done, uint64_t total)
{
	double seconds = cli_now() - progress->started;
	if (!progress->wanted || seconds < 1 || !total || !done)
		return;
	double rate = (double)done / seconds;
	double left = (double)(total - (done < total ? done : total)) / rate;
	fprintf(stderr, "\r\033[K%3.0f%%  %s of %s  %s/s  %.0f s left",
	        100 * (double)done / (double)total, cli_show_size(done).s, cli_show_size(total).s,
	        cli_show_size((uint64_t)rate).s, left);
	progress->shown = true;
}

void cli_progress_clear(cli_progress *progress)
{
	if (progress->shown)
		fputs("\r\033[K", stderr);
	progress->shown = false;
}
