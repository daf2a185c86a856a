/* ckconv dis FILE[!MEMBER]: shows the opcodes of a file's pickles. */
#include "cli.h"

int cli_dis(const cli_options *options)
{
	(void)options;
	cli_say("dis is not there yet");
	return EXIT_USAGE;
}
