/* A report for people: one line for a safe file; for others what was found, the worst first, and what
 * to do next. */
#include "cli.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <ckconv/scan.h>

enum {
	VERDICT_COLUMN = 11, /* behind the longest verdict */
	INDENT = 2,
	TEXT_COLUMN = 22,    /* behind the longest rule */
	NAME_COLUMNS = 40,   /* for the paths of safe files */
	COLUMNS_LEAST = 60,
	COLUMNS_PLAIN = 80,  /* in pipes, and at most: longer lines are hard to read */
	SHOWN_MOST = 20,     /* findings of one file */
	NAMES_MOST = 10      /* globals in the advice */
};

cli_look cli_look_of_stdout(bool verbose)
{
	cli_look look = {.columns = COLUMNS_PLAIN, .verbose = verbose};
	const char *no_color = getenv("NO_COLOR"), *terminal = getenv("TERM");
	struct winsize size;
	if (!isatty(STDOUT_FILENO))
		return look;
	look.colours = !(no_color && *no_color) && terminal && strcmp(terminal, "dumb") != 0;
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col && size.ws_col < look.columns)
		look.columns = size.ws_col < COLUMNS_LEAST ? COLUMNS_LEAST : size.ws_col;
	return look;
}

/* ---- lines ---- */

typedef struct {
	FILE *to;
	const cli_look *look;
	int column;
} page;

/* The columns of a character: those of East Asia take two, accents that are put upon others are
 * counted as one, which only makes a line end early. */
static int width_of(const unsigned char *text, size_t *took)
{
	*took = *text < 0x80 ? 1 : *text >= 0xF0 ? 4 : *text >= 0xE0 ? 3 : 2;
	if (*took == 4)
		return 2;
	if (*took < 3)
		return 1;
	unsigned code = (text[0] & 0xFu) << 12 | (text[1] & 0x3Fu) << 6 | (text[2] & 0x3Fu);
	return (code >= 0x1100 && code < 0x1160) || (code >= 0x2E80 && code < 0xD7A4) ||
	       (code >= 0xF900 && code < 0xFB00) || (code >= 0xFE30 && code < 0xFE70) ||
	       (code >= 0xFF00 && code < 0xFF61) ? 2 : 1;
}

/* The columns of `len` bytes of printable text. */
static int columns_of(const char *text, size_t len)
{
	int columns = 0;
	for (size_t took, at = 0; at < len; at += took)
		columns += width_of((const unsigned char *)text + at, &took);
	return columns;
}

static void go_to(page *p, int column)
{
	for (; p->column < column; p->column++)
		putc(' ', p->to);
}

static void end_line(page *p)
{
	putc('\n', p->to);
	p->column = 0;
}

/* As much of a long word as fits on the line. */
static size_t fitting(const page *p, const char *text, size_t len)
{
	size_t took, at = 0;
	int column = p->column + width_of((const unsigned char *)text, &at);
	while (at < len) {
		column += width_of((const unsigned char *)text + at, &took);
		if (column > p->look->columns)
			break;
		at += took;
	}
	return at;
}

static void put_word(page *p, const char *text, size_t len, int indent)
{
	for (size_t fits; len; text += fits, len -= fits) {
		fits = fitting(p, text, len);
		fwrite(text, 1, fits, p->to);
		p->column += columns_of(text, fits);
		if (fits == len)
			return;
		end_line(p);
		go_to(p, indent);
	}
}

/* Text in lines that begin at column `indent`. */
static void put_text(page *p, int indent, const char *text)
{
	go_to(p, indent);
	for (bool first = true; *text; first = false) {
		size_t blanks = strspn(text, " ");
		size_t len = strcspn(text + blanks, " ");
		bool fits = p->column + (int)blanks + columns_of(text + blanks, len) <=
		            p->look->columns;
		if (!first && !fits)
			end_line(p);
		go_to(p, first ? p->column : fits ? p->column + (int)blanks : indent);
		put_word(p, text + blanks, len, indent);
		text += blanks + len;
	}
}

static void __attribute__((format(printf, 3, 4))) put_line(page *p, int indent, const char *fmt,
                                                           ...)
{
	char *text = NULL;
	va_list args;
	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) >= 0) {
		put_text(p, indent, text);
		free(text);
	}
	va_end(args);
	end_line(p);
}

static void put_coloured(page *p, ck_verdict verdict, bool bold, const char *text)
{
	static const int colours[] = {
		[CK_SAFE] = 32, [CK_UNKNOWN] = 33, [CK_MALFORMED] = 35, [CK_DANGEROUS] = 31,
	};
	if (p->look->colours)
		fprintf(p->to, "\033[%s%dm", bold ? "1;" : "", colours[verdict]);
	fputs(text, p->to);
	if (p->look->colours)
		fputs("\033[0m", p->to);
	p->column += columns_of(text, strlen(text));
}

/* ---- findings ---- */

typedef struct {
	char s[1024];
} phrase;

static phrase __attribute__((format(printf, 1, 2))) say(const char *fmt, ...)
{
	phrase made;
	va_list args;
	va_start(args, fmt);
	vsnprintf(made.s, sizeof made.s, fmt, args);
	va_end(args);
	return made;
}

/* "os.system, called with ('id')" */
static void put_global(page *p, const ck_finding *f)
{
	phrase times = f->count > 1 ? say(", %llu times", (unsigned long long)f->count)
	                            : say("%s", "");
	static const char *const deeds[] = {
		[CK_HOW_NONE] = "", [CK_IMPORTED] = ", imported", [CK_CHANGED_BY] = ", changed",
		[CK_CONSTRUCTED] = ", constructed", [CK_CALLED] = ", called",
	};
	put_line(p, TEXT_COLUMN, "%s.%s%s%s%s%s%s%s%s%s", f->module, f->name ? f->name : "",
	         f->mapped ? " (now " : "", f->mapped ? f->mapped : "", f->mapped ? ")" : "",
	         deeds[f->how], f->arguments ? " with (" : "", f->arguments ? f->arguments : "",
	         f->arguments ? ")" : "", times.s);
}

/* "archive/data.pkl, byte 35 (99 in the file), REDUCE" */
static void put_place(page *p, const ck_finding *f)
{
	uint64_t at = f->stream_offset != CK_NO_OFFSET ? f->stream_offset : f->offset;
	bool both = f->stream_offset != CK_NO_OFFSET && f->offset != CK_NO_OFFSET &&
	            f->offset != f->stream_offset;
	phrase byte = at == CK_NO_OFFSET ? say("%s", "")
	                                 : say("byte %llu", (unsigned long long)at);
	phrase in_file = both ? say(" (%llu in the file)", (unsigned long long)f->offset)
	                      : say("%s", "");
	phrase stream = f->stream ? say(", pickle %u", f->stream) : say("%s", "");
	if (*f->member || *byte.s || f->opcode)
		put_line(p, TEXT_COLUMN, "%s%s%s%s%s%s%s", f->member,
		         *f->member && *byte.s ? ", " : "", byte.s, in_file.s, stream.s,
		         f->opcode && (*f->member || *byte.s) ? ", " : "",
		         f->opcode ? f->opcode : "");
}

static void put_finding(page *p, const ck_finding *f)
{
	go_to(p, INDENT);
	put_coloured(p, f->verdict, false, f->rule);
	if (p->column >= TEXT_COLUMN - 1)
		end_line(p);
	if (f->module)
		put_global(p, f);
	put_place(p, f);
	if (f->why)
		put_line(p, TEXT_COLUMN, "%s", f->why);
	if (f->suppressed)
		put_line(p, TEXT_COLUMN, "suppressed by the policy or the baseline");
}

/* Notes and what is suppressed are shown only to those who ask. */
static bool is_shown(const cli_look *look, const ck_finding *f)
{
	return look->verbose || (!f->suppressed && f->verdict != CK_SAFE);
}

static void put_findings(page *p, const ck_report *report)
{
	size_t shown = 0, more = 0, suppressed = 0;
	for (size_t i = 0; i < report->finding_count; i++) {
		const ck_finding *f = &report->findings[i];
		suppressed += f->suppressed;
		if (!is_shown(p->look, f))
			continue;
		if (!p->look->verbose && shown == SHOWN_MOST) {
			more++;
			continue;
		}
		put_finding(p, f);
		shown++;
	}
	if (more)
		put_line(p, INDENT, "and %zu more findings; -v shows all of them", more);
	if (report->findings_left_out)
		put_line(p, INDENT, "and %llu findings more than are kept",
		         (unsigned long long)report->findings_left_out);
	if (suppressed && !p->look->verbose)
		put_line(p, INDENT, "suppressed findings: %zu; -v shows them", suppressed);
}

/* ---- advice ---- */

static void put_advice(page *p, const char *what, const char *text)
{
	go_to(p, INDENT);
	put_text(p, INDENT, what);
	put_text(p, TEXT_COLUMN, text);
	end_line(p);
}

/* Whether torch.load takes it with weights_only=True, which is its default since 2.6. */
static void put_loads(page *p, const ck_report *report)
{
	size_t needed = 0;
	phrase names = {""};
	for (size_t i = 0; i < report->global_count; i++) {
		const ck_global_use *g = &report->globals[i];
		if (g->weights_only || ++needed > NAMES_MOST)
			continue;
		size_t len = strlen(names.s);
		snprintf(names.s + len, sizeof names.s - len, "%s%s.%s", needed > 1 ? ", " : "",
		         g->module, g->name);
	}
	/* nobody shall be told to add what is dangerous */
	if (!report->weights_only || (needed && report->verdict == CK_DANGEROUS))
		put_advice(p, "weights_only", "no");
	else if (!needed)
		put_advice(p, "weights_only", "yes");
	else
		put_advice(p, "weights_only", say("no, would need add_safe_globals([%s%s])", names.s,
		                                  needed > NAMES_MOST ? ", ..." : "").s);
}

static void put_next(page *p, const ck_report *report)
{
	static const char *const next[] = {
		[CK_SAFE] = NULL,
		[CK_UNKNOWN] = "ckconv FILE OUT.safetensors takes the tensors out, without the "
		               "classes",
		[CK_MALFORMED] = "do not load it; get it again from where it was made",
		[CK_DANGEROUS] = "do not load it; ckconv --disarm FILE OUT.safetensors takes the "
		                 "tensors out and runs nothing",
	};
	if (next[report->verdict])
		put_advice(p, "next", next[report->verdict]);
}

static void put_globals(page *p, const ck_report *report)
{
	for (size_t i = 0; i < report->global_count; i++) {
		const ck_global_use *g = &report->globals[i];
		go_to(p, INDENT);
		put_text(p, INDENT, "global");
		go_to(p, TEXT_COLUMN - VERDICT_COLUMN);
		put_coloured(p, g->verdict, false, ck_verdict_name(g->verdict));
		put_line(p, TEXT_COLUMN, "%s.%s%s%s%s, %s, %llu time%s", g->module, g->name,
		         g->mapped ? " (now " : "", g->mapped ? g->mapped : "",
		         g->mapped ? ")" : "", ck_how_name(g->how), (unsigned long long)g->count,
		         g->count == 1 ? "" : "s");
	}
}

void cli_report_print(FILE *to, const cli_look *look, const ck_report *report)
{
	page p = {to, look, 0};
	phrase about = say("%s, %s", report->format, cli_show_size(report->size).s);
	put_coloured(&p, report->verdict, true, ck_verdict_name(report->verdict));
	put_text(&p, VERDICT_COLUMN, cli_show_name(report->path).s);
	go_to(&p, p.column + 2);
	go_to(&p, VERDICT_COLUMN + NAME_COLUMNS);
	if (p.column + columns_of(about.s, strlen(about.s)) > look->columns)
		end_line(&p);
	put_line(&p, VERDICT_COLUMN, "%s", about.s);
	put_findings(&p, report);
	if (report->verdict != CK_SAFE || look->verbose) {
		if (report->pickles && report->verdict != CK_MALFORMED)
			put_loads(&p, report);
		put_next(&p, report);
	}
	if (look->verbose)
		put_globals(&p, report);
}
