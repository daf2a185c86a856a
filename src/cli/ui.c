/* How the program speaks: on stderr, one line a message, the file first and then the reason. */
#include "page.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char speaker[] = "ckconv: ";

/* For people, whose terminals would break it within words; names stay whole. */
static void put_broken(FILE *to, const cli_look *look, const char *text)
{
	cli_page page = {.to = to, .look = look, .column = (int)sizeof speaker - 1};
	cli_page_text(&page, (int)sizeof speaker - 1, text, true);
	cli_page_end(&page);
}

/* In one piece, for others may write there, too: stderr has no buffer. */
static bool say_whole(const char *text)
{
	char *lines = NULL;
	size_t size;
	const cli_look look = cli_look_of(STDERR_FILENO, false);
	FILE *to = open_memstream(&lines, &size);
	if (!to)
		return false;
	fputs(speaker, to);
	if (look.terminal)
		put_broken(to, &look, text);
	else
		fprintf(to, "%s\n", text);
	bool ok = !fclose(to) && lines;
	if (ok)
		fwrite(lines, 1, size, stderr);
	free(lines);
	return ok;
}

void cli_say(const char *fmt, ...)
{
	char *text = NULL;
	va_list args;
	va_start(args, fmt);
	int len = vasprintf(&text, fmt, args);
	va_end(args);
	bool said = len >= 0 && say_whole(text);
	if (len >= 0)
		free(text);
	if (said)
		return;
	fputs(speaker, stderr); /* there is no memory for it */
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
}

static int stdout_error; /* the first one, or 0 */

bool cli_flush(void)
{
	if ((fflush(stdout) || ferror(stdout)) && !stdout_error)
		stdout_error = errno;
	return !ferror(stdout);
}

int cli_stdout_error(void)
{
	return stdout_error;
}

void cli_say_unwritten(int error)
{
	cli_say("cannot write to the standard output%s%s", error ? ": " : "",
	        error ? strerror(error) : "");
}

void cli_print_error(const ck_error *error)
{
	if (error->where[0] && error->has_offset)
		cli_say("%s: byte %llu: %s", error->where, (unsigned long long)error->offset,
		        error->text);
	else
		cli_say("%s%s%s", error->where, error->where[0] ? ": " : "", error->text);
}

int cli_exit_status(ck_status status)
{
	switch (status) {
	case CK_OK:
		return EXIT_DONE;
	case CK_REFUSED:
		return EXIT_NO;
	case CK_CORRUPT:
	case CK_UNSUPPORTED:
	case CK_LIMIT:
		return EXIT_INPUT;
	case CK_NOMEM:
	case CK_IO:
	case CK_USAGE:
	case CK_MISMATCH: /* of what was written: as if it could not be */
	case CK_STOPPED:
		break;
	}
	return EXIT_USAGE;
}

cli_name cli_show_name(const char *name)
{
	cli_name shown;
	ck_printable(name, shown.s, sizeof shown.s);
	return shown;
}

cli_size cli_show_size(uint64_t bytes)
{
	static const char units[] = "kMGTPE";
	cli_size size;
	if (bytes < 1000) {
		snprintf(size.s, sizeof size.s, "%llu B", (unsigned long long)bytes);
		return size;
	}
	double amount = (double)bytes / 1000;
	int unit = 0;
	while (amount >= 999.95) { /* would be shown as 1000.0 */
		amount /= 1000;
		unit++;
	}
	snprintf(size.s, sizeof size.s, "%.1f %cB", amount, units[unit]);
	return size;
}
