/* What the options of ckconv diff take. */
#include <math.h>
#include <stdlib.h>

#include "cli.h"

bool cli_diff_tolerance(const char *word, const char *text, cli_options *options, double *to)
{
	char *end;
	*to = strtod(text, &end);
	options->diff.close = true;
	if (end != text && !*end && isfinite(*to) && *to >= 0)
		return true;
	cli_say("--%s takes a number that is not negative, such as 1e-5, not '%s'", word,
	        cli_show_name(text).s);
	return false;
}

bool cli_diff_root(cli_options *options, const char *path)
{
	if (options->root_count == 2) {
		cli_say("--root can be given twice, for A and for B");
		return false;
	}
	options->roots[options->root_count++] = path;
	return true;
}
