/* A program of the build: writes what completes the options of ckconv in a shell, from the same
 * tables as --help.
 *
 * usage: completions bash|zsh|fish */
#include "cli.h"

#include <string.h>

static const cli_verb verbs[VERB_COUNT] = {
#define X(id, word, arguments, help) [VERB_##id] = {word, arguments, help},
	CLI_VERBS(X)
#undef X
};

static const cli_option options[] = {
#define X(id, letter, word, argument, verbs, help) {letter, word, argument, verbs, help},
	CLI_OPTIONS(X)
#undef X
	{0, NULL, NULL, 0, NULL},
};

/* "keep|drop" as words. */
static void print_values(const char *argument)
{
	for (; *argument; argument++)
		putchar(*argument == '|' ? ' ' : *argument);
}

static bool is_choice(const cli_option *o)
{
	return o->argument && strchr(o->argument, '|');
}

/* Text within single quotes of a shell; zsh reads colons and brackets as its own. */
static void print_quoted(const char *text, const char *special)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\'", stdout);
		else if (strchr(special, *text))
			putchar('\\');
		putchar(*text);
	}
}

/* ---- bash ---- */

static void print_bash_words(unsigned verb)
{
	for (const cli_option *o = options; o->word; o++)
		if (o->verbs & (1u << verb))
			printf(" --%s", o->word);
}

static void print_bash(void)
{
	puts("_ckconv()\n{\n"
	     "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words\n"
	     "\tcase $prev in");
	for (const cli_option *o = options; o->word; o++) {
		if (!is_choice(o))
			continue;
		printf("\t--%s) mapfile -t COMPREPLY < <(compgen -W '", o->word);
		print_values(o->argument);
		puts("' -- \"$cur\"); return ;;");
	}
	puts("\tesac\n\tcase ${COMP_WORDS[1]} in");
	for (unsigned verb = VERB_CONVERT + 1; verb < VERB_COUNT; verb++) {
		printf("\t%s) words='", verbs[verb].word);
		print_bash_words(verb);
		puts("' ;;");
	}
	fputs("\t*) words='", stdout);
	print_bash_words(VERB_CONVERT);
	puts("' ;;\n\tesac\n\tif [[ $cur == -* ]]; then\n"
	     "\t\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n\t\treturn\n\tfi\n"
	     "\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
	     "\tif [[ $COMP_CWORD -eq 1 ]]; then");
	fputs("\t\tmapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -W '", stdout);
	for (unsigned verb = VERB_CONVERT + 1; verb < VERB_COUNT; verb++)
		printf(" %s", verbs[verb].word);
	puts("' -- \"$cur\")\n\tfi\n}\ncomplete -o filenames -F _ckconv ckconv");
}

/* ---- zsh ---- */

static void print_zsh_option(const cli_option *o)
{
	if (o->letter)
		printf("\t\t'(-%c --%s)'{-%c,--%s}'[", o->letter, o->word, o->letter, o->word);
	else
		printf("\t\t'--%s[", o->word);
	print_quoted(o->help, "[]:");
	putchar(']');
	if (is_choice(o)) {
		printf(":value:(");
		print_values(o->argument);
		putchar(')');
	} else if (o->argument) {
		printf(":%s:%s", o->argument,
		       strcmp(o->argument, "FILE") == 0 ? "_files" : " ");
	}
	puts("' \\");
}

static void print_zsh_verb(unsigned verb)
{
	puts("\t\t_arguments -s \\");
	for (const cli_option *o = options; o->word; o++)
		if (o->verbs & (1u << verb))
			print_zsh_option(o);
	puts("\t\t'*:file:_files' ;;");
}

static void print_zsh(void)
{
	puts("#compdef ckconv\ncase $words[2] in");
	for (unsigned verb = VERB_CONVERT + 1; verb < VERB_COUNT; verb++) {
		printf("\t%s) shift words; (( CURRENT-- ))\n", verbs[verb].word);
		print_zsh_verb(verb);
	}
	fputs("\t*) (( CURRENT == 2 )) && compadd --", stdout);
	for (unsigned verb = VERB_CONVERT + 1; verb < VERB_COUNT; verb++)
		printf(" %s", verbs[verb].word);
	puts("");
	print_zsh_verb(VERB_CONVERT);
	puts("esac");
}

/* ---- fish ---- */

static void print_fish_option(const cli_option *o, unsigned verb)
{
	fputs("complete -c ckconv -n '", stdout);
	if (verb != VERB_CONVERT)
		printf("__fish_seen_subcommand_from %s", verbs[verb].word);
	else
		fputs("not __fish_seen_subcommand_from", stdout);
	for (unsigned other = VERB_CONVERT + 1; verb == VERB_CONVERT && other < VERB_COUNT; other++)
		printf(" %s", verbs[other].word);
	printf("' -l %s", o->word);
	if (o->letter)
		printf(" -s %c", o->letter);
	if (is_choice(o)) {
		fputs(" -xa '", stdout);
		print_values(o->argument);
		putchar('\'');
	} else if (o->argument) {
		fputs(strcmp(o->argument, "FILE") == 0 ? " -r" : " -x", stdout);
	}
	fputs(" -d '", stdout);
	print_quoted(o->help, "");
	puts("'");
}

static void print_fish(void)
{
	for (unsigned verb = VERB_CONVERT + 1; verb < VERB_COUNT; verb++) {
		printf("complete -c ckconv -n __fish_use_subcommand -a %s -d '", verbs[verb].word);
		print_quoted(verbs[verb].help, "");
		puts("'");
	}
	for (unsigned verb = VERB_CONVERT; verb < VERB_COUNT; verb++)
		for (const cli_option *o = options; o->word; o++)
			if (o->verbs & (1u << verb))
				print_fish_option(o, verb);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*print)(void);
	} shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};
	for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
		if (argc == 2 && !strcmp(argv[1], shells[i].name)) {
			shells[i].print();
			return fflush(stdout) ? 1 : 0;
		}
	fputs("usage: completions bash|zsh|fish\n", stderr);
	return 2;
}
