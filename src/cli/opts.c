/* The options as a table: parsing them, and the help that lists them. */
#include "cli.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

typedef enum {
#define X(id, letter, word, arg, help) OPT_##id,
	CLI_OPTIONS(X)
#undef X
	OPT_COUNT
} option_id;

typedef struct {
	char letter;
	const char *word, *arg, *help;
} option_row;

static const option_row rows[OPT_COUNT] = {
#define X(id, letter, word, arg, help) [OPT_##id] = {letter, word, arg, help},
	CLI_OPTIONS(X)
#undef X
};

enum { FIRST_LONG = 1000 };

static bool parse_ties(const char *text, ck_ties *ties)
{
	*ties = !strcmp(text, "drop") ? CK_TIES_DROP : CK_TIES_KEEP;
	if (*ties == CK_TIES_DROP || !strcmp(text, "keep"))
		return true;
	cli_say("--ties takes keep or drop, not '%s'", cli_show_name(text).s);
	return false;
}

static bool parse_complex(const char *text, ck_complex *complex)
{
	*complex = !strcmp(text, "split") ? CK_COMPLEX_SPLIT : CK_COMPLEX_KEEP;
	if (*complex == CK_COMPLEX_SPLIT || !strcmp(text, "keep"))
		return true;
	cli_say("--complex takes keep or split, not '%s'", cli_show_name(text).s);
	return false;
}

static bool parse_threads(const char *text, unsigned *threads)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);
	*threads = (unsigned)number;
	if (*text >= '0' && *text <= '9' && !*end && number >= 1 && number <= 256)
		return true;
	cli_say("--threads takes a number from 1 to 256, not '%s'", cli_show_name(text).s);
	return false;
}

static bool parse_sandbox(const char *text, cli_sandbox *sandbox)
{
	static const char *const words[] = {
		[SANDBOX_AUTO] = "auto", [SANDBOX_REQUIRE] = "require", [SANDBOX_OFF] = "off",
	};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (!strcmp(text, words[i])) {
			*sandbox = (cli_sandbox)i;
			return true;
		}
	cli_say("--sandbox takes require, auto or off, not '%s'", cli_show_name(text).s);
	return false;
}

static bool add_limit(cli_options *options, const char *text)
{
	if (options->limit_count == LIMITS_MAX) {
		cli_say("--limit can be given %d times", LIMITS_MAX);
		return false;
	}
	options->limits[options->limit_count++] = text;
	return true;
}

static bool apply(option_id id, const char *arg, cli_options *options)
{
	switch (id) {
	case OPT_TO:
		options->convert.format = arg;
		return true;
	case OPT_ROOT:
		options->convert.root = arg;
		return true;
	case OPT_TIES:
		return parse_ties(arg, &options->convert.ties);
	case OPT_DEQUANTIZE:
		options->convert.dequantize = true;
		return true;
	case OPT_DENSIFY:
		options->convert.densify = true;
		return true;
	case OPT_COMPLEX:
		return parse_complex(arg, &options->convert.complex);
	case OPT_SKIP:
		options->convert.skip_unsupported = true;
		return true;
	case OPT_EXTRAS:
		options->convert.extras = arg;
		return true;
	case OPT_STRICT:
		options->convert.strict = true;
		return true;
	case OPT_SANDBOX:
		return parse_sandbox(arg, &options->sandbox);
	case OPT_DISARM:
		options->convert.disarm = true;
		return true;
	case OPT_NO_CLOBBER:
		options->convert.no_clobber = true;
		return true;
	case OPT_NO_FSYNC:
		options->convert.no_fsync = true;
		return true;
	case OPT_THREADS:
		return parse_threads(arg, &options->convert.threads);
	case OPT_LIMIT:
		return add_limit(options, arg);
	case OPT_QUIET:
		options->quiet = true;
		return true;
	case OPT_VERBOSE:
		options->verbose = true;
		return true;
	case OPT_HELP:
		options->help = true;
		return true;
	case OPT_VERSION:
		options->version = true;
		return true;
	case OPT_COUNT:
		break;
	}
	return false;
}

/* getopt's own tables, made from ours. */
static void make_tables(char *letters, struct option *words)
{
	*letters++ = ':'; /* a missing argument is told apart */
	for (int i = 0; i < OPT_COUNT; i++) {
		const option_row *row = &rows[i];
		words[i] = (struct option){row->word, row->arg ? required_argument : no_argument,
		                           NULL, FIRST_LONG + i};
		if (!row->letter)
			continue;
		*letters++ = row->letter;
		if (row->arg)
			*letters++ = ':';
	}
	*letters = 0;
	words[OPT_COUNT] = (struct option){0};
}

static option_id find_option(int code)
{
	if (code >= FIRST_LONG)
		return (option_id)(code - FIRST_LONG);
	int i = 0;
	while (i < OPT_COUNT && rows[i].letter != code)
		i++;
	return (option_id)i;
}

static bool bad_option(int code, char **argv)
{
	cli_name word = cli_show_name(argv[optind - 1]);
	if (code == ':')
		cli_say("option '%s' needs an argument", word.s);
	else if (optopt > 0 && optopt < 128)
		cli_say("there is no option '-%c'; see ckconv --help", optopt);
	else
		cli_say("there is no option '%s', or it takes no argument; see ckconv --help",
		        word.s);
	return false;
}

bool cli_parse(int argc, char **argv, cli_options *options)
{
	char letters[2 * OPT_COUNT + 2];
	struct option words[OPT_COUNT + 1];
	int code;
	make_tables(letters, words);
	opterr = 0;
	*options = (cli_options){0};
	ck_options_default(&options->convert);
	while ((code = getopt_long(argc, argv, letters, words, NULL)) != -1) {
		if (code == ':' || code == '?')
			return bad_option(code, argv);
		if (!apply(find_option(code), optarg, options))
			return false;
	}
	if (options->help || options->version)
		return true;
	if (argc - optind != 2) {
		cli_say("an input and an output are needed: ckconv IN OUT; see ckconv --help");
		return false;
	}
	options->in = argv[optind];
	options->out = argv[optind + 1];
	return true;
}

static void print_option(FILE *to, const option_row *row)
{
	char left[64];
	char letter[] = {'-', row->letter, ',', ' ', 0};
	snprintf(left, sizeof left, "%s--%s%s%s", row->letter ? letter : "    ", row->word,
	         row->arg ? " " : "", row->arg ? row->arg : "");
	fprintf(to, "  %-22s %s\n", left, row->help);
}

void cli_print_help(FILE *to)
{
	fputs("usage: ckconv [OPTIONS] IN OUT\n"
	      "\n"
	      "Converts a torch checkpoint (.pt, .pth, .bin, .ckpt) to safetensors. Nothing\n"
	      "in it is ever run. OUT appears complete and checked, or not at all.\n"
	      "\n"
	      "  ckconv pytorch_model.bin model.safetensors\n"
	      "\n"
	      "options:\n", to);
	for (int i = 0; i < OPT_COUNT; i++)
		print_option(to, &rows[i]);
	fputs("\nlimits (N may end in K, M, G or T, powers of 1024):\n", to);
#define X(name, value, about) \
	fprintf(to, "  %-9s%13llu  %s\n", #name, (unsigned long long)(value), about);
	CK_LIMITS(X)
#undef X
	fputs("\nexit status: 0 done; 1 refused; 2 usage, input/output or memory; 3 the input\n"
	      "is corrupt, unsupported or over a limit\n", to);
}
