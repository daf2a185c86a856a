/* A line on the terminal that says how far a long conversion is; nothing in pipes and logs. */
#include "cli.h"

#include <string.h>
#include <time.h>

double cli_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void cli_progress_begin(cli_progress *progress, bool wanted)
{
	*progress = (cli_progress){.wanted = wanted, .begun = cli_now()};
}

/* Something else is done now, or the same of another file: its speed has to be learned anew. */
static void start(cli_progress *progress, const char *what, uint64_t done, double now)
{
	progress->what = what;
	progress->started = now;
	progress->first = done;
}

void cli_progress_show(cli_progress *progress, const char *what, uint64_t done, uint64_t total)
{
	double now = cli_now();
	if (!progress->wanted)
		return;
	if (!progress->what || strcmp(progress->what, what) != 0 || done < progress->last)
		start(progress, what, done, now);
	progress->last = done;
	if (now - progress->begun < 1 || !total || !done)
		return;
	fprintf(stderr, "\r\033[K%s %3.0f%%  %s of %s", what, 100 * (double)done / (double)total,
	        cli_show_size(done).s, cli_show_size(total).s);
	progress->shown = true;
	double seconds = now - progress->started;
	if (seconds < 0.5 || done == progress->first)
		return;
	double rate = (double)(done - progress->first) / seconds;
	fprintf(stderr, "  %s/s  %.0f s left", cli_show_size((uint64_t)rate).s,
	        (double)(total > done ? total - done : 0) / rate);
}

void cli_progress_count(cli_progress *progress, const char *what, unsigned long count)
{
	double now = cli_now();
	if (!progress->wanted || now - progress->begun < 1 || now - progress->counted < 0.1)
		return;
	progress->counted = now;
	fprintf(stderr, "\r\033[K%s %lu", what, count);
	progress->shown = true;
}

void cli_progress_clear(cli_progress *progress)
{
	if (progress->shown)
		fputs("\r\033[K", stderr);
	progress->shown = false;
}
