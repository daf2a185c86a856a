/* The program: reads the arguments and does what they say. */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* Data goes to stdout; a full disk or a closed pipe there is an error too. Who pipes opcodes or
 * tensors to head has seen enough, and knows it. */
static int close_stdout(enum cli_verb_number verb)
{
	if (cli_flush())
		return EXIT_DONE;
	if ((verb != VERB_DIS && verb != VERB_INSPECT) || cli_stdout_error() != EPIPE)
		cli_say_unwritten(cli_stdout_error());
	return EXIT_USAGE;
}

/* A program may be started with its standard descriptors closed. The next file it opens would get
 * such a number, and what is said on stderr would be written into the model. Opened for reading, so
 * that writing to a closed stdout stays an error. */
static bool open_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != fd)
			return false;
	return true;
}

/* A model can have many files; systems mostly allow a thousand at once, but more on request. */
static void allow_many_files(void)
{
	enum { MANY = 65536 };
	struct rlimit most;
	if (getrlimit(RLIMIT_NOFILE, &most) || most.rlim_cur >= MANY)
		return;
	most.rlim_cur = most.rlim_max < MANY ? most.rlim_max : MANY;
	setrlimit(RLIMIT_NOFILE, &most);
}

int main(int argc, char **argv)
{
	static int (*const run[VERB_COUNT])(const cli_options *) = {
		[VERB_CONVERT] = cli_convert, [VERB_SCAN] = cli_scan, [VERB_DIS] = cli_dis,
		[VERB_INSPECT] = cli_inspect, [VERB_DIFF] = cli_diff,
	};
	cli_options options;
	if (!open_standard_descriptors()) {
		cli_say("cannot open /dev/null in place of a closed descriptor");
		return EXIT_USAGE;
	}
	allow_many_files();
	/* libzip turns the time of every member into local time, and without TZ glibc looks at
	 * /etc/localtime for each of them: with 100,000 members that took a tenth of the run */
	setenv("TZ", "UTC0", 0);
	if (!cli_parse(argc, argv, &options))
		return EXIT_USAGE;
	if (options.help) {
		cli_print_help(stdout, options.verb);
		return close_stdout(options.verb);
	}
	if (options.version) {
		printf("ckconv %s\n", ck_version());
		return close_stdout(options.verb);
	}
	int status = run[options.verb](&options);
	/* a dangerous file stays one, even if nobody hears of it */
	return close_stdout(options.verb) && status != EXIT_NO ? EXIT_USAGE : status;
}
