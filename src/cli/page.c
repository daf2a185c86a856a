/* Lines of a report: where they end, what is never broken, and colours. */
#include "page.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
	COLUMNS_LEAST = 60,
	COLUMNS_PLAIN = 80, /* at most: longer lines are hard to read */
	COLUMNS_WIDE = 160,
	COLUMNS_WHOLE = 1 << 28 /* lines that end nowhere, for programs that look for words */
};

static cli_look look_at(int fd, bool verbose, int most, int in_pipes)
{
	cli_look look = {.columns = in_pipes, .verbose = verbose};
	const char *no_color = getenv("NO_COLOR"), *terminal = getenv("TERM");
	struct winsize size;
	if (!isatty(fd))
		return look;
	look.terminal = true;
	look.columns = COLUMNS_PLAIN;
	look.colours = !(no_color && *no_color) && terminal && strcmp(terminal, "dumb") != 0;
	if (ioctl(fd, TIOCGWINSZ, &size) || !size.ws_col)
		return look;
	look.columns = size.ws_col < COLUMNS_LEAST ? COLUMNS_LEAST
	             : size.ws_col > most ? most : size.ws_col;
	return look;
}

cli_look cli_look_of(int fd, bool verbose)
{
	return look_at(fd, verbose, COLUMNS_PLAIN, COLUMNS_PLAIN);
}

cli_look cli_look_whole(int fd)
{
	return look_at(fd, false, COLUMNS_PLAIN, COLUMNS_WHOLE);
}

cli_look cli_look_wide(int fd, bool verbose)
{
	return look_at(fd, verbose, COLUMNS_WIDE, COLUMNS_WHOLE);
}

/* The columns of a character: those of East Asia take two, accents that are put upon others are
 * counted as one, which only makes a line end early. What is left of one that ends too early is
 * one column. */
static int width_of(const char *bytes, size_t len, size_t *took)
{
	const unsigned char *text = (const unsigned char *)bytes;
	*took = *text < 0x80 ? 1 : *text >= 0xF0 ? 4 : *text >= 0xE0 ? 3 : 2;
	if (*took > len) {
		*took = len;
		return 1;
	}
	if (*took == 4)
		return 2;
	if (*took < 3)
		return 1;
	unsigned code = (text[0] & 0xFu) << 12 | (text[1] & 0x3Fu) << 6 | (text[2] & 0x3Fu);
	return (code >= 0x1100 && code < 0x1160) || (code >= 0x2E80 && code < 0xD7A4) ||
	       (code >= 0xF900 && code < 0xFB00) || (code >= 0xFE30 && code < 0xFE70) ||
	       (code >= 0xFF00 && code < 0xFF61) ? 2 : 1;
}

int cli_columns(const char *text, size_t len)
{
	int columns = 0;
	for (size_t took, at = 0; at < len; at += took)
		columns += width_of(text + at, len - at, &took);
	return columns;
}

size_t cli_fitting(const char *text, size_t len, int columns)
{
	size_t at = 0;
	for (size_t took; at < len; at += took) {
		columns -= width_of(text + at, len - at, &took);
		if (columns < 0)
			break;
	}
	return at;
}

void cli_page_go(cli_page *page, int column)
{
	for (; page->column < column; page->column++)
		putc(' ', page->to);
}

void cli_page_end(cli_page *page)
{
	putc('\n', page->to);
	page->column = 0;
}

/* As much of a long word as fits on the line, a character at least. */
static size_t fitting(const cli_page *page, const char *text, size_t len)
{
	size_t first, fits = cli_fitting(text, len, page->look->columns - page->column);
	if (fits)
		return fits;
	width_of(text, len, &first);
	return first;
}

static void put_bytes(cli_page *page, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		putc(text[i] == CLI_STICKY ? ' ' : text[i], page->to);
	page->column += cli_columns(text, len);
}

static void put_word(cli_page *page, const char *text, size_t len, int indent, bool whole)
{
	for (size_t fits; len; text += fits, len -= fits) {
		fits = whole ? len : fitting(page, text, len);
		put_bytes(page, text, fits);
		if (fits == len)
			return;
		cli_page_end(page);
		cli_page_go(page, indent);
	}
}

void cli_page_text(cli_page *page, int indent, const char *text, bool whole)
{
	cli_page_go(page, indent);
	for (bool first = true; *text; first = false) {
		size_t blanks = strspn(text, " ");
		size_t len = strcspn(text + blanks, " ");
		bool fits = page->column + (int)blanks + cli_columns(text + blanks, len) <=
		            page->look->columns;
		if (!first && !fits)
			cli_page_end(page);
		cli_page_go(page, first ? page->column : fits ? page->column + (int)blanks
		                                              : indent);
		put_word(page, text + blanks, len, indent, whole || !page->look->terminal);
		text += blanks + len;
	}
}

void cli_page_line(cli_page *page, int indent, const char *fmt, ...)
{
	char *text = NULL;
	va_list args;
	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) >= 0) {
		cli_page_text(page, indent, text, false);
		free(text);
	}
	va_end(args);
	cli_page_end(page);
}

void cli_page_coloured(cli_page *page, ck_verdict verdict, bool bold, const char *text)
{
	static const int colours[] = {
		[CK_SAFE] = 32, [CK_UNKNOWN] = 33, [CK_MALFORMED] = 35, [CK_DANGEROUS] = 31,
	};
	if (page->look->colours)
		fprintf(page->to, "\033[%s%dm", bold ? "1;" : "", colours[verdict]);
	fputs(text, page->to);
	if (page->look->colours)
		fputs("\033[0m", page->to);
	page->column += cli_columns(text, strlen(text));
}

const char *cli_plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

/* ---- paths ---- */

/* "models/.../model.pt": what is behind the last slash stays if it has room, and of the rest as
 * much from the beginning as fits. */
static void cut_middle(char *text, int most)
{
	static const char gap[] = "...";
	size_t len = strlen(text), tail = 0;
	const char *slash = strrchr(text, '/');
	int room = most - (int)(sizeof gap - 1), behind = cli_columns(text, len);
	int last = slash && slash[1] ? cli_columns(slash, strlen(slash)) : room;
	if (behind <= most)
		return;
	for (size_t took; tail < len && (behind > room || behind > last); tail += took)
		behind -= width_of(text + tail, len - tail, &took);
	size_t head = cli_fitting(text, tail, room - behind);
	/* three bytes at least were left out */
	memcpy(text + head, gap, sizeof gap - 1);
	memmove(text + head + sizeof gap - 1, text + tail, len - tail + 1);
}

char *cli_page_path(const cli_page *page, const char *path, bool escaped, int most)
{
	size_t size = 8 * strlen(path) + 16; /* whatever is escaped */
	char *shown = malloc(size);
	if (!shown)
		return NULL;
	if (escaped)
		strcpy(shown, path);
	else
		ck_printable(path, shown, size);
	for (char *at = shown; *at; at++)
		if (*at == ' ')
			*at = CLI_STICKY;
	if (page->look->terminal)
		cut_middle(shown, most);
	return shown;
}
