/* The program: reads the arguments and does what they say. */
#include "cli.h"

#include <stdlib.h>

/* Data goes to stdout; a full disk or a closed pipe there is an error too. */
static int close_stdout(void)
{
	if (!ferror(stdout) && !fflush(stdout))
		return EXIT_DONE;
	cli_say("cannot write to the standard output");
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	cli_options options;
	/* libzip turns the time of every member into local time, and without TZ glibc looks at
	 * /etc/localtime for each of them: with 100,000 members that took a tenth of the run */
	setenv("TZ", "UTC0", 0);
	if (!cli_parse(argc, argv, &options))
		return EXIT_USAGE;
	if (options.help) {
		cli_print_help(stdout);
		return close_stdout();
	}
	if (options.version) {
		printf("ckconv %s\n", ck_version());
		return close_stdout();
	}
	return cli_convert(&options);
}
