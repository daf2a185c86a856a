/* The command line, on top of the public header alone. */
#ifndef CK_CLI_H
#define CK_CLI_H

#include <stdio.h>

#include <ckconv/diff.h>

/* The exit statuses, as ckconv.1 lists them. */
enum exit_status {
	EXIT_DONE = 0,
	EXIT_NO = 1,    /* the answer is no: dangerous, different */
	EXIT_USAGE = 2, /* usage, input/output, memory */
	EXIT_INPUT = 3, /* the input is corrupt, unsupported or over a limit */
	EXIT_UNSURE = 4 /* scan: nothing dangerous, but things that are not known */
};

/* What the program can be asked to do; a first argument that is one of these words is the verb.
 * X(identifier, word or "" for what is done without one, arguments, help). */
#define CLI_VERBS(X)                                                                             \
	X(CONVERT, "", "IN OUT", "convert a checkpoint to safetensors or ONNX")                  \
	X(SCAN, "scan", "PATH...", "say what files could do to those who load them")             \
	X(INSPECT, "inspect", "FILE[!MEMBER]", "show what is in a checkpoint")                   \
	X(DIS, "dis", "FILE[!MEMBER]", "show the opcodes of a file's pickles")                   \
	X(DIFF, "diff", "A B", "compare two checkpoints, tensor by tensor")

enum cli_verb_number {
#define X(id, word, arguments, help) VERB_##id,
	CLI_VERBS(X)
#undef X
	VERB_COUNT
};

/* The verbs that take an option. */
enum {
#define X(id, word, arguments, help) FOR_##id = 1 << VERB_##id,
	CLI_VERBS(X)
#undef X
	FOR_ALL = (1 << VERB_COUNT) - 1
};

/* X(identifier, letter or 0, word, argument or NULL, verbs that take it, help): parsing, --help,
 * completion in shells and, held against it by a test, the manual pages. */
#define CLI_OPTIONS(X)                                                                           \
	X(TO, 0, "to", "FORMAT", FOR_CONVERT,                                                    \
	  "safetensors, onnx, onnx+safetensors (default: by OUT)")                               \
	X(EXTERNAL, 0, "external-data", NULL, FOR_CONVERT,                                       \
	  "ONNX: put the tensors into a second file, OUT.data")                                  \
	X(SHARDS, 0, "max-shard-size", "SIZE", FOR_CONVERT,                                      \
	  "safetensors: several files and an index; 5GB, 500MiB")                                \
	X(ROOT, 0, "root", "PATH", FOR_CONVERT,                                                  \
	  "convert what lies below PATH, as in a.b; . is all")                                   \
	X(ROOT_DIFF, 0, "root", "PATH", FOR_DIFF,                                                \
	  "compare what lies below PATH; twice: of A, of B")                                     \
	X(INCLUDE, 0, "include", "GLOB", FOR_CONVERT | FOR_DIFF,                                 \
	  "take only tensors whose name it matches (repeatable)")                                \
	X(EXCLUDE, 0, "exclude", "GLOB", FOR_CONVERT | FOR_DIFF,                                 \
	  "leave out tensors whose name it matches (repeatable)")                                \
	X(STRIP, 0, "strip-prefix", "P", FOR_CONVERT | FOR_DIFF,                                 \
	  "take P away from names that begin with it")                                           \
	X(RENAME, 0, "rename", "REGEX=TEXT", FOR_CONVERT | FOR_DIFF,                             \
	  "change names (POSIX extended; repeatable)")                                           \
	X(ADD, 0, "add-prefix", "P", FOR_CONVERT,                                                \
	  "put P before all names")                                                              \
	X(CAST, 0, "cast", "TYPE[:GLOB]", FOR_CONVERT,                                           \
	  "f16, bf16, f32... for floating tensors (repeatable)")                                \
	X(METADATA, 0, "metadata", "KEY=VALUE", FOR_CONVERT,                                     \
	  "say so in the metadata (repeatable)")                                                 \
	X(ALIGN, 0, "align", "N", FOR_CONVERT,                                                   \
	  "safetensors: begin the data at a multiple of N bytes")                                \
	X(TIES, 0, "ties", "keep|drop", FOR_CONVERT,                                             \
	  "names of one tensor: write all, or only the first")                                   \
	X(DEQUANTIZE, 0, "dequantize", NULL, FOR_CONVERT | FOR_DIFF,                             \
	  "turn quantized tensors into float32")                                                 \
	X(DENSIFY, 0, "densify", NULL, FOR_CONVERT | FOR_DIFF,                                   \
	  "turn sparse tensors into dense ones")                                                 \
	X(COMPLEX, 0, "complex", "keep|split", FOR_CONVERT | FOR_DIFF,                           \
	  "complex numbers: as they are, or in two tensors")                                     \
	X(SKIP, 0, "skip-unsupported", NULL, FOR_CONVERT | FOR_DIFF,                             \
	  "leave out tensors that are not supported")                                            \
	X(EXTRAS, 0, "extras", "FILE", FOR_CONVERT,                                              \
	  "keep the values that are no tensors in a JSON file")                                  \
	X(STRICT, 0, "strict", NULL, FOR_CONVERT, "fail rather than leave anything out")         \
	X(SANDBOX, 0, "sandbox", "require|auto|off", FOR_ALL,                                    \
	  "confine what reads the input (default: auto)")                                        \
	X(DISARM, 0, "disarm", NULL, FOR_CONVERT | FOR_DIFF,                                     \
	  "take the tensors even out of a file that carries code")                               \
	X(DRY_RUN, 0, "dry-run", NULL, FOR_CONVERT,                                              \
	  "say what would be written, and write nothing")                                        \
	X(CHECK, 0, "check", NULL, FOR_CONVERT,                                                  \
	  "read OUT again, and compare all of it with IN")                                       \
	X(NO_CLOBBER, 'n', "no-clobber", NULL, FOR_CONVERT, "never replace a file")              \
	X(NO_FSYNC, 0, "no-fsync", NULL, FOR_CONVERT, "do not wait until OUT is on the disk")    \
	X(THREADS, 'j', "threads", "N", FOR_CONVERT | FOR_DIFF,                                  \
	  "threads to work with (default: one per processor)")                                   \
	X(ATOL, 0, "atol", "X", FOR_DIFF,                                                        \
	  "take a for b if |a - b| <= X + rtol * |b|")                                           \
	X(RTOL, 0, "rtol", "Y", FOR_DIFF,                                                        \
	  "take a for b if |a - b| <= atol + Y * |b|")                                           \
	X(EQUAL_NAN, 0, "equal-nan", NULL, FOR_DIFF, "take any NaN for any other")               \
	X(IGNORE_DTYPE, 0, "ignore-dtype", NULL, FOR_DIFF, "compare numbers of any dtypes")      \
	X(ALL, 0, "all", NULL, FOR_DIFF, "show all differences, not 20 of each kind")            \
	X(TENSORS, 0, "tensors", NULL, FOR_INSPECT, "list all tensors, a line each")             \
	X(JSON, 0, "json", NULL, FOR_SCAN, "one JSON object for each file, a line each")         \
	X(JSON_DIFF, 0, "json", NULL, FOR_DIFF, "one JSON object with all differences")          \
	X(JSON_INSPECT, 0, "json", NULL, FOR_INSPECT, "one JSON object with all there is")       \
	X(SARIF, 0, "sarif", NULL, FOR_SCAN, "one SARIF 2.1.0 document for all files")           \
	X(FAIL_ON, 0, "fail-on", "dangerous|malformed|unknown", FOR_SCAN,                        \
	  "status 0 if all are better than it (default: unknown)")                               \
	X(POLICY, 0, "policy", "FILE", FOR_CONVERT | FOR_SCAN | FOR_DIFF,                        \
	  "names to allow and to deny, a line each")                                             \
	X(BASELINE, 0, "baseline", "FILE", FOR_SCAN, "findings that are known and do not count") \
	X(SHA256, 0, "sha256", NULL, FOR_SCAN, "tell the SHA-256 of each file; all of it is read") \
	X(LIMIT, 0, "limit", "NAME=N", FOR_ALL, "change a limit (repeatable; see below)")        \
	X(QUIET, 'q', "quiet", NULL, FOR_CONVERT, "say nothing but errors")                      \
	X(QUIET_SCAN, 'q', "quiet", NULL, FOR_SCAN, "no line for safe files, no summary")        \
	X(VERBOSE, 'v', "verbose", NULL, FOR_CONVERT, "say more")                                \
	X(VERBOSE_SCAN, 'v', "verbose", NULL, FOR_SCAN, "notes, suppressed findings, all globals") \
	X(QUIET_INSPECT, 'q', "quiet", NULL, FOR_INSPECT, "no notes and warnings")               \
	X(VERBOSE_INSPECT, 'v', "verbose", NULL, FOR_INSPECT, "cut no lists and no long lines")  \
	X(QUIET_DIS, 'q', "quiet", NULL, FOR_DIS, "only opcodes and errors")                     \
	X(QUIET_DIFF, 'q', "quiet", NULL, FOR_DIFF, "only the exit status, and errors")          \
	X(VERBOSE_DIFF, 'v', "verbose", NULL, FOR_DIFF, "say how the reading is confined, too")  \
	X(VERBOSE_DIS, 'v', "verbose", NULL, FOR_DIS, "say how the reading is confined, too")    \
	X(HELP, 'h', "help", NULL, FOR_ALL, "show this help")                                    \
	X(VERSION, 'V', "version", NULL, FOR_ALL, "show the version")

enum { LIMITS_MAX = 64, WORDS_MAX = 256 };

/* Options that may be given several times, each with a word. */
enum cli_list { LIST_INCLUDE, LIST_EXCLUDE, LIST_RENAME, LIST_CAST, LIST_METADATA, LIST_COUNT };

typedef enum cli_sandbox {
	SANDBOX_AUTO,    /* whatever the system has */
	SANDBOX_REQUIRE, /* all of it, or nothing is read */
	SANDBOX_OFF
} cli_sandbox;

typedef struct cli_options {
	enum cli_verb_number verb;
	ck_options convert;
	const char *words[LIST_COUNT][WORDS_MAX]; /* what `convert` points to */
	const char *limits[LIMITS_MAX];
	int limit_count;
	cli_sandbox sandbox;
	bool quiet, verbose, help, version;
	bool json, sarif, sha256, tensors;
	ck_verdict fail_on; /* from here on, the status is not 0 */
	const char *policy, *baseline;
	const char *in, *out; /* of a conversion */
	ck_diff_options diff;
	const char *roots[2]; /* of A and B */
	int root_count;
	bool all;             /* differences */
	char **arguments;     /* all that is no option */
	int argument_count;
} cli_options;

/* opts.c: fills options from the arguments; says on stderr what is wrong with them. */
bool cli_parse(int argc, char **argv, cli_options *options);
/* Sets the limits that were given; false after a failure of the job. */
bool cli_set_limits(ck_job *job, const cli_options *options);
/* Says what is wrong with them, before there is a job for each of many files. */
bool cli_check_limits(const cli_options *options);

/* opts_diff.c: what its options take; each says what is wrong with that. */
bool cli_diff_tolerance(const char *word, const char *text, cli_options *options, double *to);
bool cli_diff_root(cli_options *options, const char *path);

/* sizes.c: "5GB", "500MiB" or a number of bytes; says what is wrong with it. */
bool cli_parse_size(const char *option, const char *text, uint64_t *bytes);

/* mistakes.c: checks the arguments that are no options, and says what is wrong with them. */
bool cli_check_arguments(cli_options *options);
/* True for "ckconv help": options->help says whether there is one, or it was said that not. */
bool cli_asks_help(int argc, char **argv, cli_options *options);
/* VERB_CONVERT if the word is none. */
enum cli_verb_number cli_verb_find(const char *word);
/* Says so if several options of the verb begin with the word. */
bool cli_misses_end(enum cli_verb_number verb, const char *word);
enum { CLI_WORD_MAX = 32 };
/* How many letters must be changed, put in or taken out to make one word of the other. */
size_t cli_word_distance(const char *a, const char *b);

/* help.c: the tables as rows, and --help, which is made of them. */
typedef struct cli_verb {
	const char *word, *arguments, *help;
} cli_verb;

typedef struct cli_option {
	char letter; /* or 0 */
	const char *word, *argument;
	unsigned verbs;
	const char *help;
} cli_option;

extern const cli_verb cli_verbs[VERB_COUNT];
/* Ends with a row whose word is NULL; the rows are in the order of CLI_OPTIONS. */
extern const cli_option cli_option_table[];
void cli_print_help(FILE *to, enum cli_verb_number verb);

/* signals.c: Ctrl-C and its like stop the job that runs. */
void cli_signals_catch(void);
/* The job that a signal stops from now on; NULL: none. Stops it if one came before. */
void cli_signals_watch(ck_job *job);
/* A new job that signals stop from now on. NULL after it was said that there is no memory. */
ck_job *cli_job_begin(void);
bool cli_signals_came(void);
/* Ends as the signal would have, so that a shell loop stops too. Returns if none came. */
void cli_signals_die(void);

/* ui.c: messages on stderr, each with the name of the program before it: one line, which is broken
 * only for terminals. */
void cli_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void cli_print_error(const ck_error *error);
int cli_exit_status(ck_status status);
/* Writes out what stdout holds; false if it ever failed. */
bool cli_flush(void);
/* The errno of that, or 0; whoever prints much at once sets errno to 0 before. */
int cli_stdout_error(void);
void cli_say_unwritten(int error);
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
	double counted;           /* when the last of many was shown */
} cli_progress;
double cli_now(void);
void cli_progress_begin(cli_progress *progress, bool wanted);
void cli_progress_show(cli_progress *progress, const char *what, uint64_t done, uint64_t total);
/* The same for one of many things that are done. */
void cli_progress_count(cli_progress *progress, const char *what, unsigned long count);
/* Takes the line away again. */
void cli_progress_clear(cli_progress *progress);

/* tree.c: calls `file` for a file, or for every file below a folder: sorted by the bytes of their
 * names, folders where their name stands. Links to files are followed, but each file is met only
 * once by links of the same name; links to folders are not. Ends when `file` says false. */
typedef enum cli_passed {
	CLI_PASSED_PIPE,   /* no file and no folder */
	CLI_PASSED_FOLDER, /* a link to a folder */
	CLI_PASSED_MET     /* a link to a file that was met under that name */
} cli_passed;

typedef struct cli_tree {
	bool (*file)(void *arg, const char *path);
	void (*passed)(void *arg, const char *path, cli_passed what);
	/* what cannot be read */
	void (*failed)(void *arg, const char *path, const char *why);
	void *arg;
	void *met; /* the files so far, of all walks */
} cli_tree;
bool cli_tree_walk(cli_tree *tree, const char *path);
void cli_tree_end(cli_tree *tree);

/* report_text.c: a report for people. */
typedef struct cli_look {
	bool terminal, colours;
	int columns;
	bool verbose; /* notes, suppressed findings and all globals, too */
	const char *suppressor; /* "the policy": what was given that can suppress findings */
} cli_look;
/* What suits a descriptor, page.c. */
cli_look cli_look_of(int fd, bool verbose);
/* The same, with whole lines in pipes. */
cli_look cli_look_whole(int fd);
/* The same for tables, which may be wider than text. */
cli_look cli_look_wide(int fd, bool verbose);
struct ck_report;
void cli_report_print(FILE *to, const cli_look *look, const struct ck_report *report);
/* The first line of it alone: the verdict, the file, and what it is. */
void cli_report_print_head(FILE *to, const cli_look *look, const struct ck_report *report);
/* How many findings would count if the policy and the baseline did not say otherwise. */
size_t cli_report_suppressed(const struct ck_report *report);
/* It is safe only because of that. */
bool cli_report_accepted(const struct ck_report *report);

/* cmd_convert.c */
int cli_convert(const cli_options *options);

/* cmd_scan.c */
int cli_scan(const cli_options *options);

/* cmd_inspect.c */
int cli_inspect(const cli_options *options);

/* cmd_dis.c */
int cli_dis(const cli_options *options);

/* cmd_diff.c */
int cli_diff(const cli_options *options);

/* report_diff.c: a comparison for people; `all`: of many differences of a kind, too. */
void cli_diff_print(FILE *to, const cli_look *look, const ck_diff_options *options, bool all,
                    const ck_diff_result *result);

#endif
