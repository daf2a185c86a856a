/* Files that are read by a confined child, for scan and dis. */
#ifndef CK_CLI_CONFINED_H
#define CK_CLI_CONFINED_H

#include <ckconv/scan.h>

#include "child.h"

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

/* What became of the opcodes of a file. */
typedef struct cli_shown {
	bool whole;   /* no pickle is broken */
	bool written; /* stdout took it all */
} cli_shown;

/* Has `line` called for each opcode, perhaps in a child, which has a stdout of its own. */
bool cli_dis_file(cli_reader *reader, ck_job *job, const char *path,
                  bool (*line)(void *arg, const ck_dis_line *line), void *arg, cli_shown *shown,
                  ck_error *error);

#endif
