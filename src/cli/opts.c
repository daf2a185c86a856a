/* The arguments of the program: the verb, its options, and what they are applied to. */
#include "cli.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include <ckconv/scan.h>

typedef enum {
#define X(id, letter, word, argument, verbs, help) OPT_##id,
	CLI_OPTIONS(X)
#undef X
	OPT_COUNT
} option_id;

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

static bool parse_fail_on(const char *text, ck_verdict *verdict)
{
	for (*verdict = CK_UNKNOWN; *verdict <= CK_DANGEROUS; (*verdict)++)
		if (!strcmp(text, ck_verdict_name(*verdict)))
			return true;
	cli_say("--fail-on takes dangerous, malformed or unknown, not '%s'", cli_show_name(text).s);
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

/* Where each list is in cli_options. */
static const size_t lists[LIST_COUNT] = {
	[LIST_INCLUDE] = offsetof(cli_options, convert.shaping.include),
	[LIST_EXCLUDE] = offsetof(cli_options, convert.shaping.exclude),
	[LIST_RENAME] = offsetof(cli_options, convert.shaping.rename),
	[LIST_CAST] = offsetof(cli_options, convert.cast),
	[LIST_METADATA] = offsetof(cli_options, convert.metadata),
};

static bool add_word(cli_options *options, enum cli_list list, const char *word)
{
	ck_words *to = (ck_words *)(void *)((char *)options + lists[list]);
	if (to->count == WORDS_MAX) {
		cli_say("an option can be given %d times", WORDS_MAX);
		return false;
	}
	options->words[list][to->count++] = word;
	to->text = options->words[list];
	return true;
}

static bool parse_align(const char *text, uint64_t *align)
{
	char *end;
	*align = strtoull(text, &end, 10);
	if (*text >= '1' && *text <= '9' && !*end)
		return true;
	cli_say("--align takes a number of bytes, not '%s'", cli_show_name(text).s);
	return false;
}

/* A second one would replace the first in silence. */
static bool set_once(const char **to, const char *word, const char *arg, const char *instead)
{
	if (*to) {
		cli_say("--%s was given twice, and takes one %s", word, instead);
		return false;
	}
	*to = arg;
	return true;
}

/* Options that switch something on, and nothing else. */
static const struct {
	option_id id;
	size_t at; /* of a bool in cli_options */
} flags[] = {
	{OPT_DEQUANTIZE, offsetof(cli_options, convert.dequantize)},
	{OPT_EXTERNAL, offsetof(cli_options, convert.external_data)},
	{OPT_DENSIFY, offsetof(cli_options, convert.densify)},
	{OPT_SKIP, offsetof(cli_options, convert.skip_unsupported)},
	{OPT_STRICT, offsetof(cli_options, convert.strict)},
	{OPT_DISARM, offsetof(cli_options, convert.disarm)},
	{OPT_DRY_RUN, offsetof(cli_options, convert.dry_run)},
	{OPT_CHECK, offsetof(cli_options, convert.check)},
	{OPT_NO_CLOBBER, offsetof(cli_options, convert.no_clobber)},
	{OPT_NO_FSYNC, offsetof(cli_options, convert.no_fsync)},
	{OPT_JSON, offsetof(cli_options, json)},
	{OPT_JSON_DIFF, offsetof(cli_options, json)},
	{OPT_ALL, offsetof(cli_options, all)},
	{OPT_EQUAL_NAN, offsetof(cli_options, diff.equal_nan)},
	{OPT_IGNORE_DTYPE, offsetof(cli_options, diff.ignore_dtype)},
	{OPT_QUIET_DIFF, offsetof(cli_options, quiet)},
	{OPT_VERBOSE_DIFF, offsetof(cli_options, verbose)},
	{OPT_JSON_INSPECT, offsetof(cli_options, json)},
	{OPT_TENSORS, offsetof(cli_options, tensors)},
	{OPT_SARIF, offsetof(cli_options, sarif)},
	{OPT_SHA256, offsetof(cli_options, sha256)},
	{OPT_QUIET, offsetof(cli_options, quiet)},
	{OPT_QUIET_SCAN, offsetof(cli_options, quiet)},
	{OPT_QUIET_INSPECT, offsetof(cli_options, quiet)},
	{OPT_VERBOSE_INSPECT, offsetof(cli_options, verbose)},
	{OPT_QUIET_DIS, offsetof(cli_options, quiet)},
	{OPT_VERBOSE, offsetof(cli_options, verbose)},
	{OPT_VERBOSE_SCAN, offsetof(cli_options, verbose)},
	{OPT_VERBOSE_DIS, offsetof(cli_options, verbose)},
	{OPT_HELP, offsetof(cli_options, help)},
	{OPT_VERSION, offsetof(cli_options, version)},
};

static bool set_flag(option_id id, cli_options *options)
{
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
		if (flags[i].id == id)
			return *(bool *)((char *)options + flags[i].at) = true;
	return false;
}

static bool apply(option_id id, const char *arg, cli_options *options)
{
	static const char lines[] = "file: put all lines into one";
	if (arg && !*arg && cli_option_table[id].argument) {
		cli_say("--%s is given an empty %s", cli_option_table[id].word,
		        !strcmp(cli_option_table[id].argument, "FILE") ? "name" : "argument");
		return false;
	}
	switch (id) {
	case OPT_TO:
		options->convert.format = arg;
		return true;
	case OPT_ROOT:
		options->convert.root = arg;
		return true;
	case OPT_ROOT_DIFF:
		return cli_diff_root(options, arg);
	case OPT_ATOL:
		return cli_diff_tolerance("atol", arg, options, &options->diff.atol);
	case OPT_RTOL:
		return cli_diff_tolerance("rtol", arg, options, &options->diff.rtol);
	case OPT_INCLUDE:
		return add_word(options, LIST_INCLUDE, arg);
	case OPT_EXCLUDE:
		return add_word(options, LIST_EXCLUDE, arg);
	case OPT_RENAME:
		return add_word(options, LIST_RENAME, arg);
	case OPT_CAST:
		return add_word(options, LIST_CAST, arg);
	case OPT_METADATA:
		return add_word(options, LIST_METADATA, arg);
	case OPT_STRIP:
		return set_once(&options->convert.shaping.strip_prefix, "strip-prefix", arg,
		                "prefix; for more: --rename '^(a[.]|b[.])='");
	case OPT_ADD:
		return set_once(&options->convert.shaping.add_prefix, "add-prefix", arg,
		                "prefix: write them as one");
	case OPT_ALIGN:
		return parse_align(arg, &options->convert.align);
	case OPT_SHARDS:
		return cli_parse_size("--max-shard-size", arg, &options->convert.max_shard_size);
	case OPT_TIES:
		return parse_ties(arg, &options->convert.ties);
	case OPT_COMPLEX:
		return parse_complex(arg, &options->convert.complex);
	case OPT_EXTRAS:
		options->convert.extras = arg;
		return true;
	case OPT_SANDBOX:
		return parse_sandbox(arg, &options->sandbox);
	case OPT_THREADS:
		return parse_threads(arg, &options->convert.threads);
	case OPT_FAIL_ON:
		return parse_fail_on(arg, &options->fail_on);
	case OPT_POLICY:
		options->convert.policy = arg;
		return set_once(&options->policy, "policy", arg, lines);
	case OPT_BASELINE:
		return set_once(&options->baseline, "baseline", arg, lines);
	case OPT_LIMIT:
		return add_limit(options, arg);
	default:
		return set_flag(id, options);
	}
}

/* getopt's own tables, made from ours: the options that the verb takes. */
static void make_tables(enum cli_verb_number verb, char *letters, struct option *words)
{
	*letters++ = ':'; /* a missing argument is told apart */
	for (int i = 0; i < OPT_COUNT; i++) {
		const cli_option *row = &cli_option_table[i];
		if (!(row->verbs & (1u << verb)))
			continue;
		*words++ = (struct option){row->word,
		                           row->argument ? required_argument : no_argument, NULL,
		                           FIRST_LONG + i};
		if (!row->letter)
			continue;
		*letters++ = row->letter;
		if (row->argument)
			*letters++ = ':';
	}
	*letters = 0;
	*words = (struct option){0};
}

static option_id find_option(enum cli_verb_number verb, int code)
{
	if (code >= FIRST_LONG)
		return (option_id)(code - FIRST_LONG);
	int i = 0;
	while (i < OPT_COUNT && (cli_option_table[i].letter != code ||
	                         !(cli_option_table[i].verbs & (1u << verb))))
		i++;
	return (option_id)i;
}

/* ---- what is wrong with an option ---- */

enum { NEAR = 2, WORD_MAX = CLI_WORD_MAX };

static const cli_option *nearest_option(enum cli_verb_number verb, const char *word)
{
	const cli_option *nearest = NULL;
	size_t least = NEAR + 1;
	for (const cli_option *row = cli_option_table; row->word; row++) {
		size_t far = cli_word_distance(word, row->word);
		if (!(row->verbs & (1u << verb)) || far >= least)
			continue;
		nearest = row;
		least = far;
	}
	return nearest;
}

/* The option of that word, whatever verb takes it; or NULL. */
static const cli_option *same_option(const char *word)
{
	const cli_option *row = cli_option_table;
	while (row->word && strcmp(row->word, word) != 0)
		row++;
	return row->word ? row : NULL;
}

static const char *name_of(enum cli_verb_number verb)
{
	return cli_verbs[verb].word;
}

static bool bad_word(enum cli_verb_number verb, const char *argument)
{
	char word[WORD_MAX];
	const char *space = name_of(verb)[0] ? " " : "";
	cli_name shown = cli_show_name(argument);
	snprintf(word, sizeof word, "%.*s", (int)strcspn(argument + 2, "="), argument + 2);
	const cli_option *same = same_option(word);
	const cli_option *near = nearest_option(verb, word);
	int other = VERB_CONVERT;
	if (!same && cli_misses_end(verb, word))
		return false;
	while (same && !(same->verbs & (1u << other)))
		other++;
	const char *owner = same ? name_of((enum cli_verb_number)other) : "";
	if (same && same->verbs & (1u << verb))
		cli_say("option '--%s' takes no argument; see ckconv%s%s --help", same->word, space,
		        name_of(verb));
	else if (same)
		cli_say("'--%s' is an option of ckconv%s%s; see ckconv%s%s --help", same->word,
		        owner[0] ? " " : " IN OUT", owner, owner[0] ? " " : "", owner);
	else if (near)
		cli_say("there is no option '%s'; did you mean '--%s'?", shown.s, near->word);
	else
		cli_say("there is no option '%s'; see ckconv%s%s --help", shown.s, space,
		        name_of(verb));
	return false;
}

static bool bad_option(enum cli_verb_number verb, int code, char **argv)
{
	const char *argument = argv[optind - 1];
	const char *space = name_of(verb)[0] ? " " : "";
	if (code == ':')
		cli_say("option '%s' needs an argument", cli_show_name(argument).s);
	else if (optopt && optopt < FIRST_LONG)
		cli_say("there is no option '-%s'; see ckconv%s%s --help",
		        cli_show_name((char[]){(char)optopt, 0}).s, space, name_of(verb));
	else
		bad_word(verb, argument);
	return false;
}

/* ---- all of them ---- */

bool cli_parse(int argc, char **argv, cli_options *options)
{
	char letters[2 * OPT_COUNT + 2];
	struct option words[OPT_COUNT + 1];
	int code;
	*options = (cli_options){.fail_on = CK_UNKNOWN};
	if (cli_asks_help(argc, argv, options))
		return options->help;
	options->verb = argc > 1 ? cli_verb_find(argv[1]) : VERB_CONVERT;
	if (options->verb != VERB_CONVERT) {
		argc--;
		argv++;
	}
	make_tables(options->verb, letters, words);
	opterr = 0;
	ck_options_default(&options->convert);
	while ((code = getopt_long(argc, argv, letters, words, NULL)) != -1) {
		if (code == ':' || code == '?')
			return bad_option(options->verb, code, argv);
		if (!apply(find_option(options->verb, code), optarg, options))
			return false;
	}
	options->arguments = argv + optind;
	options->argument_count = argc - optind;
	if (options->help && options->verb == VERB_CONVERT && options->argument_count)
		options->verb = cli_verb_find(options->arguments[0]); /* ckconv --help scan */
	return options->help || options->version || cli_check_arguments(options);
}

bool cli_check_limits(const cli_options *options)
{
	ck_job *job = ck_job_new();
	bool ok = job && cli_set_limits(job, options);
	if (job && !ok)
		cli_print_error(ck_job_error(job));
	else if (!job)
		cli_say("the system has no memory left");
	ck_job_free(job);
	return ok;
}

bool cli_set_limits(ck_job *job, const cli_options *options)
{
	for (int i = 0; i < options->limit_count; i++)
		if (!ck_job_limit(job, options->limits[i]))
			return false;
	return true;
}
