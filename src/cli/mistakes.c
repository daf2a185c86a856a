/* Arguments that make no sense as they are, and what was probably meant by them. */
#include "cli.h"

#include <string.h>
#include <strings.h>
#include <sys/stat.h>

size_t cli_word_distance(const char *a, const char *b)
{
	size_t row[CLI_WORD_MAX + 1], len = strlen(b);
	if (len > CLI_WORD_MAX)
		return CLI_WORD_MAX;
	for (size_t k = 0; k <= len; k++)
		row[k] = k;
	for (size_t i = 1; *a; a++, i++) {
		size_t corner = row[0];
		row[0] = i;
		for (size_t k = 1; k <= len; k++) {
			size_t change = corner + (*a != b[k - 1]);
			size_t shorter = (row[k] < row[k - 1] ? row[k] : row[k - 1]) + 1;
			corner = row[k];
			row[k] = change < shorter ? change : shorter;
		}
	}
	return row[len];
}

/* ---- options ---- */

bool cli_misses_end(enum cli_verb_number verb, const char *word)
{
	char list[256] = "";
	size_t len = strlen(word), at = 0, count = 0;
	for (const cli_option *row = cli_option_table; row->word && len; row++) {
		if (!(row->verbs & (1u << verb)) || strncmp(row->word, word, len) != 0)
			continue;
		if (at < sizeof list)
			at += (size_t)snprintf(list + at, sizeof list - at, "%s'--%s'",
			                       count ? " or " : "", row->word);
		count++;
	}
	if (count > 1)
		cli_say("'--%s' could be %s", cli_show_name(word).s, list);
	return count > 1;
}

/* ---- verbs ---- */

enum cli_verb_number cli_verb_find(const char *word)
{
	int verb = VERB_COUNT - 1;
	while (verb > VERB_CONVERT && strcmp(cli_verbs[verb].word, word) != 0)
		verb--;
	return (enum cli_verb_number)verb;
}

static bool exists(const char *path)
{
	struct stat st;
	return !lstat(path, &st);
}

/* "ckconv help", "ckconv help scan"; options->help is then whether there is such a help. */
bool cli_asks_help(int argc, char **argv, cli_options *options)
{
	if (argc < 2 || argc > 3 || strcmp(argv[1], "help") != 0 || exists("help"))
		return false;
	options->verb = argc > 2 ? cli_verb_find(argv[2]) : VERB_CONVERT;
	options->help = argc == 2 || options->verb != VERB_CONVERT;
	if (!options->help)
		cli_say("there is no command '%s'; see ckconv --help", cli_show_name(argv[2]).s);
	return true;
}

/* A word of at most half other letters, and in small or capital ones. */
static bool is_near(const char *word, const char *verb)
{
	char small[CLI_WORD_MAX];
	size_t len = strlen(word);
	if (len >= sizeof small)
		return false;
	for (size_t i = 0; i <= len; i++)
		small[i] = (char)(word[i] >= 'A' && word[i] <= 'Z' ? word[i] + 32 : word[i]);
	return cli_word_distance(small, verb) <= strlen(verb) / 2;
}

/* "ckconv -q scan x", "ckconv Scan x", "ckconv sacn x": a word that is nearly a verb, no file. */
static bool misses_verb(const char *word)
{
	for (int verb = VERB_CONVERT + 1; verb < VERB_COUNT && !exists(word); verb++) {
		const cli_verb *row = &cli_verbs[verb];
		if (!strcasecmp(word, row->word))
			cli_say("the verb comes first, in small letters: ckconv %s [OPTIONS] %s; "
			        "see ckconv %s --help", row->word, row->arguments, row->word);
		else if (is_near(word, row->word))
			cli_say("there is no file '%s'; did you mean ckconv %s [OPTIONS] %s?",
			        cli_show_name(word).s, row->word, row->arguments);
		else
			continue;
		return true;
	}
	return false;
}

/* ---- names of files ---- */

/* Says what is wrong with the name of an input that cannot be meant as one. */
static bool check_input(const char *path)
{
	if (!*path)
		cli_say("an empty name names no file");
	else if (!strcmp(path, "-") && !exists(path))
		cli_say("-: pipes and the standard input are not read; name a file");
	else
		return true;
	return false;
}

/* The same for an output, which could be called as the example is. */
static bool check_output(const char *path, const char *example)
{
	if (!*path)
		cli_say("OUT is an empty name, which names no file");
	else if (!strcmp(path, "-"))
		cli_say("-: the output is a file of its own, which is written in any order, and "
		        "no pipe takes that; name it %s", example);
	else
		return true;
	return false;
}

/* ---- all of them ---- */

static bool check_scan(const cli_options *options)
{
	if (options->json && options->sarif)
		cli_say("--json and --sarif cannot be given together");
	else if (!options->argument_count)
		cli_say("a file or folder is needed: ckconv scan PATH...; see ckconv scan --help");
	else
		return true;
	return false;
}

static bool check_diff(const cli_options *options)
{
	if (options->argument_count != 2)
		cli_say("two files are needed: ckconv diff A B; see ckconv diff --help");
	else if (options->json && options->all)
		cli_say("--json has all differences: --all is for people");
	else
		return check_input(options->arguments[0]) && check_input(options->arguments[1]);
	return false;
}

static bool check_inspect(const cli_options *options)
{
	if (options->json && options->tensors)
		cli_say("--json and --tensors cannot be given together; --json has all tensors");
	else if (options->argument_count != 1)
		cli_say("one file is needed: ckconv inspect FILE; see ckconv inspect --help");
	else
		return check_input(options->arguments[0]);
	return false;
}

bool cli_check_arguments(cli_options *options)
{
	int count = options->argument_count;
	char **arguments = options->arguments;
	if (options->verb == VERB_SCAN)
		return check_scan(options);
	if (options->verb == VERB_DIFF)
		return check_diff(options);
	if (options->verb == VERB_INSPECT)
		return check_inspect(options);
	if (options->verb == VERB_DIS && count != 1)
		cli_say("one file is needed: ckconv dis FILE[!MEMBER]; see ckconv dis --help");
	if (options->verb == VERB_DIS)
		return count == 1 && check_input(arguments[0]);
	if (count && misses_verb(arguments[0]))
		return false;
	if (count != 2) {
		cli_say("an input and an output are needed: ckconv IN OUT; see ckconv --help");
		return false;
	}
	options->in = arguments[0];
	options->out = arguments[1];
	return check_input(options->in) && check_output(options->out, "OUT.safetensors") &&
	       (!options->convert.extras ||
	        check_output(options->convert.extras, "FILE.json"));
}
