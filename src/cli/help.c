/* --help of each verb: a few words, and the rows of the tables that are meant for it. */
#include "cli.h"

#include <string.h>

enum { LEFT_COLUMNS = 22 };

const cli_verb cli_verbs[VERB_COUNT] = {
#define X(id, word, arguments, help) [VERB_##id] = {word, arguments, help},
	CLI_VERBS(X)
#undef X
};

const cli_option cli_option_table[] = {
#define X(id, letter, word, argument, verbs, help) {letter, word, argument, verbs, help},
	CLI_OPTIONS(X)
#undef X
	{0, NULL, NULL, 0, NULL},
};

/* What stands before the options, and behind them. */
static const struct {
	const char *before, *after;
} prose[VERB_COUNT] = {
	[VERB_CONVERT] = {
		"Converts a torch checkpoint (.pt, .pth, .bin, .ckpt) to safetensors or ONNX.\n"
		"Nothing in it is ever run. OUT appears complete and checked, or not at all.\n"
		"\n"
		"  ckconv pytorch_model.bin model.safetensors\n",
		"exit status: 0 done; 1 refused; 2 usage, input/output or memory; 3 the input\n"
		"is corrupt, unsupported or over a limit\n",
	},
	[VERB_SCAN] = {
		"Looks through files, and folders with all that is below them, for what they\n"
		"could do to those who load them with Python. Nothing in them is ever run;\n"
		"what they are is told by their content, never by their names.\n"
		"\n"
		"  ckconv scan model.pt\n"
		"  ckconv scan --sarif downloads > scan.sarif\n",
		"exit status: 0 safe; 1 dangerous; 2 usage, or a file could not be read; 3\n"
		"malformed, or not all of it could be scanned; 4 unknown classes or functions;\n"
		"of several files, the first of 1, 2, 3, 4, 0 that one of them has\n",
	},
	[VERB_INSPECT] = {
		"Shows what is in a checkpoint of any kind that ckconv converts: its verdict,\n"
		"who wrote it, its tensors as a tree that is folded where it repeats, and all\n"
		"else that it holds. Nothing is ever run.\n"
		"\n"
		"  ckconv inspect model.pt\n"
		"  ckconv inspect --tensors model.pt | grep bias\n",
		"exit status: 0 shown; 2 usage, input/output or memory; 3 not, or not all of\n"
		"it, could be read\n",
	},
	[VERB_DIS] = {
		"Shows each opcode of the pickles in a file, where it is, and what it does:\n"
		"what is imported, what would be called, and how the scan judges it. Nothing\n"
		"is ever run.\n"
		"\n"
		"  ckconv dis model.pt\n"
		"  ckconv dis 'model.pt!archive/constants.pkl'\n",
		"exit status: 0 shown; 2 usage, input/output or memory; 3 a pickle is broken\n",
	},
	[VERB_DIFF] = {
		"Compares two checkpoints of any formats: names, dtypes, shapes, and values, by\n"
		"their bits or within tolerances. Nothing in them is ever run.\n"
		"\n"
		"  ckconv diff model.pt model.safetensors\n"
		"  ckconv diff --ignore-dtype --rtol 0.01 model.safetensors half.safetensors\n",
		"exit status: 0 the same; 1 different; 2 usage, input/output or memory; 3 a file\n"
		"is corrupt, unsupported, refused or over a limit\n",
	},
};

static void print_option(FILE *to, const cli_option *row)
{
	char left[64];
	char letter[] = {'-', row->letter, ',', ' ', 0};
	snprintf(left, sizeof left, "%s--%s%s%s", row->letter ? letter : "    ", row->word,
	         row->argument ? " " : "", row->argument ? row->argument : "");
	if (strlen(left) > LEFT_COLUMNS)
		fprintf(to, "  %s\n  %-*s %s\n", left, LEFT_COLUMNS, "", row->help);
	else
		fprintf(to, "  %-*s %s\n", LEFT_COLUMNS, left, row->help);
}

static void print_usage(FILE *to)
{
	for (int i = 0; i < VERB_COUNT; i++)
		fprintf(to, "%s ckconv %s%s[OPTIONS] %s\n", i ? "      " : "usage:",
		        cli_verbs[i].word, cli_verbs[i].word[0] ? " " : "",
		        cli_verbs[i].arguments);
	fputs("\n", to);
}

void cli_print_help(FILE *to, enum cli_verb_number verb)
{
	if (verb == VERB_CONVERT)
		print_usage(to);
	else
		fprintf(to, "usage: ckconv %s [OPTIONS] %s\n\n", cli_verbs[verb].word,
		        cli_verbs[verb].arguments);
	fputs(prose[verb].before, to);
	if (verb == VERB_CONVERT)
		fputs("\nother commands, each with a --help of its own:\n", to);
	for (int i = VERB_CONVERT + 1; verb == VERB_CONVERT && i < VERB_COUNT; i++)
		fprintf(to, "  ckconv %-13s  %s\n", cli_verbs[i].word, cli_verbs[i].help);
	fputs("\noptions:\n", to);
	for (const cli_option *row = cli_option_table; row->word; row++)
		if (row->verbs & (1u << verb))
			print_option(to, row);
	fputs("\nlimits (N may end in K, M, G or T, powers of 1024):\n", to);
#define X(name, value, about) \
	fprintf(to, "  %-9s%13llu  %s\n", #name, (unsigned long long)(value), about);
	CK_LIMITS(X)
#undef X
	fprintf(to, "\n%s", prose[verb].after);
}
