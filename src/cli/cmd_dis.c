/* ckconv dis FILE[!MEMBER]: shows the opcodes of a file's pickles, one a line. */
#include "confined.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { MADE_COLUMN = 46, BELOW_COLUMN = 19 };

typedef struct {
	cli_look look;
	bool begun;
	unsigned stream; /* that was shown last */
} showing;

static void print_head(showing *s, const ck_dis_line *line)
{
	bool first = !s->begun;
	if (!first && s->stream == line->stream)
		return;
	printf("%spickle %u%s%s, byte %llu", first ? "" : "\n", line->stream,
	       *line->member ? " of " : "", line->member, (unsigned long long)line->at);
	if (line->offset != CK_NO_OFFSET && line->offset != line->at)
		printf(" (%llu in the file)", (unsigned long long)line->offset);
	printf("\n%10s  %-5s  %-17s%s\n", "byte", "stack", "opcode", "argument");
	s->begun = true;
	s->stream = line->stream;
}

static int print_opcode(const ck_dis_line *line)
{
	int column = printf("%10llu  %5zu  ", (unsigned long long)line->at, line->depth);
	return column + (line->argument ? printf("%-16s %s", line->opcode, line->argument)
	                                : printf("%s", line->opcode));
}

/* Beside the opcode if there is room, or else below it. */
static void print_made(const showing *s, const ck_dis_line *line, int column)
{
	static const char *const colours[] = {
		[CK_SAFE] = "", [CK_UNKNOWN] = "\033[33m", [CK_MALFORMED] = "\033[35m",
		[CK_DANGEROUS] = "\033[1;31m",
	};
	static const char *const words[] = {
		[CK_SAFE] = "", [CK_UNKNOWN] = "  unknown", [CK_MALFORMED] = "  malformed",
		[CK_DANGEROUS] = "  DANGEROUS",
	};
	bool coloured = s->look.colours && line->verdict != CK_SAFE;
	int len = (int)(strlen(line->made) + strlen(words[line->verdict]));
	int start = column + 2 > MADE_COLUMN ? column + 2 : MADE_COLUMN;
	if (line->opcode && start + 2 + len > s->look.columns) {
		putchar('\n');
		column = 0;
		start = BELOW_COLUMN;
	}
	if (line->opcode)
		printf("%*s", start - column, "");
	printf("%s; %s%s%s", coloured ? colours[line->verdict] : "", line->made,
	       words[line->verdict], coloured ? "\033[0m" : "");
}

static bool on_line(void *arg, const ck_dis_line *line)
{
	showing *s = arg;
	print_head(s, line);
	int column = line->opcode ? print_opcode(line)
	                          : printf("%10llu  ", (unsigned long long)line->at);
	if (line->made)
		print_made(s, line, column);
	putchar('\n');
	return (!ferror(stdout) || cli_flush()) && !cli_signals_came();
}

static int status_of(bool ok, const cli_shown *shown, const ck_error *error)
{
	if (ok && shown->written)
		return shown->whole ? EXIT_DONE : EXIT_INPUT;
	if (!ok)
		cli_print_error(error);
	else if (!ferror(stdout) && shown->why != EPIPE) /* else main says so; or head has enough */
		cli_say_unwritten(shown->why);
	return ok ? EXIT_USAGE : cli_exit_status(error->status);
}

int cli_dis(const cli_options *options)
{
	showing s = {.look = cli_look_of(STDOUT_FILENO, false)};
	cli_reader reader = {.options = options};
	cli_shown shown = {0};
	ck_error error;
	ck_job *job = cli_job_begin();
	if (!job)
		return EXIT_USAGE;
	bool ok = cli_dis_file(&reader, job, options->arguments[0], on_line, &s, &shown, &error);
	cli_signals_watch(NULL);
	ck_job_free(job);
	cli_signals_die();
	if (!ok && !error.where[0] && cli_exit_status(error.status) == EXIT_INPUT)
		ck_printable(options->arguments[0], error.where, sizeof error.where);
	int status = status_of(ok, &shown, &error);
	/* dis shows what one reader sees */
	if (!ok && error.status == CK_CORRUPT && !options->quiet)
		cli_say("ckconv scan looks at what any reader could see in it");
	return status;
}
