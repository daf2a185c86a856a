/* The command line, on top of the public header alone. */
#ifndef CK_CLI_H
#define CK_CLI_H

#include <stdio.h>

#include <ckconv/ckconv.h>

/* The exit statuses, as ckconv.1 lists them. */
enum exit_status {
	EXIT_DONE = 0,
	EXIT_NO = 1,    /* the answer is no: dangerous, different */
	EXIT_USAGE = 2, /* usage, input/output, memory */
	EXIT_INPUT = 3, /* the input is corrupt, unsupported or over a limit */
	EXIT_UNSURE = 4 /* scan: nothing dangerous, but things that are not known */
};

/* X(identifier, letter or 0, word, argument or NULL, help): parsing, --help and, held against it by
 * a test, ckconv.1. */
#define CLI_OPTIONS(X)                                                                           \
	X(TO, 0, "to", "FORMAT", "format of OUT: safetensors (default: by its suffix)")          \
	X(ROOT, 0, "root", "PATH", "convert what lies below PATH, as in a.b; . is all")        \
	X(TIES, 0, "ties", "keep|drop", "names of one tensor: write all, or only the first")      \
	X(DEQUANTIZE, 0, "dequantize", NULL, "write quantized tensors as float32")                \
	X(DENSIFY, 0, "densify", NULL, "write sparse tensors as dense ones")                      \
	X(COMPLEX, 0, "complex", "keep|split", "complex numbers: as they are, or in two tensors") \
	X(SKIP, 0, "skip-unsupported", NULL, "leave out tensors that cannot be written")          \
	X(EXTRAS, 0, "extras", "FILE", "keep the values that are no tensors in a JSON file")     \
	X(STRICT, 0, "strict", NULL, "fail rather than leave anything out")                      \
	X(DISARM, 0, "disarm", NULL, "take the tensors even out of a file that carries code")    \
	X(NO_CLOBBER, 'n', "no-clobber", NULL, "never replace a file")                           \
	X(NO_FSYNC, 0, "no-fsync", NULL, "do not wait until OUT is on the disk")                 \
	X(THREADS, 'j', "threads", "N", "threads to copy with (default: one per processor)")     \
	X(LIMIT, 0, "limit", "NAME=N", "change a limit (repeatable; see below)")                 \
	X(QUIET, 'q', "quiet", NULL, "say nothing but errors")                                   \
	X(VERBOSE, 'v', "verbose", NULL, "say more")                                             \
	X(HELP, 'h', "help", NULL, "show this help")                                             \
	X(VERSION, 'V', "version", NULL, "show the version")

enum { LIMITS_MAX = 64 };

typedef struct cli_options {
	ck_options convert;
	const char *limits[LIMITS_MAX];
	int limit_count;
	bool quiet, verbose, help, version;
	const char *in, *out;
} cli_options;

/* opts.c: fills options from the arguments; says on stderr what is wrong with them. */
bool cli_parse(int argc, char **argv, cli_options *options);
void cli_print_help(FILE *to);

/* ui.c: messages on stderr, each with the name of the program before it. */
void cli_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void cli_print_error(const ck_error *error);
int cli_exit_status(ck_status status);
/* A name that the user gave, safe to print. */
typedef struct cli_name {
	char s[512];
} cli_name;
cli_name cli_show_name(const char *name);
/* 1234567 as "1.2 MB" (powers of 1000, as disks and downloads count). */
typedef struct cli_size {
	char s[24];
} cli_size;
cli_size cli_show_size(uint64_t bytes);

/* progress.c: a line on the terminal that says how far things are. */
typedef struct cli_progress {
	bool wanted, shown;
	double begun;             /* when the program was */
	const char *what;         /* what is done */
	double started;           /* when that was, and how far it was then */
	uint64_t first, last;
} cli_progress;
double cli_now(void);
void cli_progress_begin(cli_progress *progress, bool wanted);
void cli_progress_show(cli_progress *progress, const char *what, uint64_t done, uint64_t total);
/* Takes the line away again. */
void cli_progress_clear(cli_progress *progress);

/* cmd_convert.c */
int cli_convert(const cli_options *options);

/* cmd_scan.c */
int cli_scan(int argc, char **argv);

#endif
