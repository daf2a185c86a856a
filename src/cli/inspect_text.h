/* How an inspection is shown to people. */
#ifndef CK_CLI_INSPECT_TEXT_H
#define CK_CLI_INSPECT_TEXT_H

#include <ckconv/inspect.h>

#include "page.h"

/* inspect_text.c: all of it. */
void cli_inspect_print(FILE *to, const cli_look *look, const ck_inspection *inspection);

/* inspect_tree.c: the folded tree; and a line for each tensor, false after a failure. */
void cli_inspect_tree(cli_page *page, const ck_inspection *inspection);
bool cli_inspect_tensors(FILE *to, const cli_look *look, const ck_inspection *inspection);

/* "1,234,567" */
typedef struct cli_count {
	char s[32];
} cli_count;
cli_count cli_show_count(uint64_t count);

#endif
