/* Files that a confined child reads, for scan, dis and inspect, and what all verbs say of it. */
#ifndef CK_CLI_CONFINED_H
#define CK_CLI_CONFINED_H

#include <ckconv/inspect.h>

#include "child.h"

/* Says under -v what the system granted; without, only if that is too little. */
void cli_confinement_tell(const cli_options *options, const cli_confinement *got);
/* Whether files are to be read by a child. If not, -v says why, unless it was told before; or it is
 * an error, because there must be one. */
bool cli_child_wanted(const cli_options *options, bool told, ck_error *error);

/* Who reads files in one run of the program. */
typedef struct cli_reader {
	const cli_options *options;
	cli_progress *progress;
	const ck_policy *policy; /* of scans, or NULL */
	bool told; /* what the sandbox has: once is enough */
} cli_reader;

/* Scans a file; the report lives as long as the job. NULL after a failure. */
const ck_report *cli_scan_file(cli_reader *reader, ck_job *job, const char *path,
                               ck_error *error);

/* What became of the opcodes of a file, or of what is in it. */
typedef struct cli_shown {
	bool whole;   /* nothing of it is broken */
	bool written; /* stdout took it all */
	int why;      /* or the errno, if there is one */
} cli_shown;

/* Has `line` called for each opcode, perhaps in a child, which has a stdout of its own. */
bool cli_dis_file(cli_reader *reader, ck_job *job, const char *path,
                  bool (*line)(void *arg, const ck_dis_line *line), void *arg, cli_shown *shown,
                  ck_error *error);

/* Has `show` called with what is in a file, perhaps in a child, which has a stdout of its own; it
 * returns false where the job failed, and asks the system for nothing but to write. */
bool cli_inspect_file(cli_reader *reader, ck_job *job, const char *path,
                      bool (*show)(void *arg, const ck_inspection *inspection), void *arg,
                      cli_shown *shown, ck_error *error);

#endif
