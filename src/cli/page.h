/* Text in lines of a width, for reports. */
#ifndef CK_CLI_PAGE_H
#define CK_CLI_PAGE_H

#include "cli.h"

enum {
	VERDICT_COLUMN = 11, /* behind the longest verdict */
	INDENT = 2,
	TEXT_COLUMN = 22     /* behind the longest rule */
};

/* A blank where no line may end, as in a path. */
#define CLI_STICKY '\x01'

typedef struct cli_page {
	FILE *to;
	const cli_look *look;
	int column;
} cli_page;

/* The columns of `len` bytes of printable text. */
int cli_columns(const char *text, size_t len);
/* The bytes of the characters at its beginning that fit so many columns. */
size_t cli_fitting(const char *text, size_t len, int columns);
void cli_page_go(cli_page *page, int column);
void cli_page_end(cli_page *page);
/* Text in lines that begin at column `indent`. Lines end at blanks; words that are longer than a
 * line are broken on terminals only, and whole words (`whole`) never. */
void cli_page_text(cli_page *page, int indent, const char *text, bool whole);
void cli_page_line(cli_page *page, int indent, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void cli_page_coloured(cli_page *page, ck_verdict verdict, bool bold, const char *text);

/* A path or a member, safe to print (`escaped`: it is that already), whose blanks end no line, to
 * be freed; on terminals cut in the middle if it has more than `most` columns, so that its last
 * component stays. NULL without memory. */
char *cli_page_path(const cli_page *page, const char *path, bool escaped, int most);

/* The "s" behind a noun. */
const char *cli_plural(uint64_t count);

/* diff_hint.c: the option that would bring names together, if there is one. */
void cli_diff_hint(cli_page *page, const ck_diff_result *result);

/* report_advice.c: whether torch.load takes the file, and what to do next. */
struct ck_report;
void cli_report_advise(cli_page *page, const struct ck_report *report);

#endif
