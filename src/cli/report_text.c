/* A report for people: a line or two for a safe file; for others what was found, the worst first,
 * and what to do next. */
#include "page.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <ckconv/scan.h>

enum {
	NAME_COLUMNS = 40, /* for the paths of safe files */
	SHOWN_MOST = 20    /* findings of one file */
};

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
static void put_global(cli_page *p, const ck_finding *f)
{
	phrase times = f->count > 1 ? say(", %llu times", (unsigned long long)f->count)
	                            : say("%s", "");
	static const char *const deeds[] = {
		[CK_HOW_NONE] = "", [CK_IMPORTED] = ", imported", [CK_CHANGED_BY] = ", changed",
		[CK_CONSTRUCTED] = ", constructed", [CK_CALLED] = ", called",
	};
	cli_page_line(p, TEXT_COLUMN, "%s.%s%s%s%s%s%s%s%s%s", f->module, f->name ? f->name : "",
	         f->mapped ? " (now " : "", f->mapped ? f->mapped : "", f->mapped ? ")" : "",
	         deeds[f->how], f->arguments ? " with (" : "", f->arguments ? f->arguments : "",
	         f->arguments ? ")" : "", times.s);
}

/* "archive/data.pkl, byte 35 (99 in the file), REDUCE" */
static void put_place(cli_page *p, const ck_finding *f)
{
	uint64_t at = f->stream_offset != CK_NO_OFFSET ? f->stream_offset : f->offset;
	bool both = f->stream_offset != CK_NO_OFFSET && f->offset != CK_NO_OFFSET &&
	            f->offset != f->stream_offset;
	phrase byte = at == CK_NO_OFFSET ? say("%s", "")
	                                 : say("byte %llu", (unsigned long long)at);
	phrase in_file = both ? say(" (%llu in the file)", (unsigned long long)f->offset)
	                      : say("%s", "");
	phrase stream = f->stream ? say(", pickle %u", f->stream) : say("%s", "");
	char *member = cli_page_path(p, f->member, true, p->look->columns - TEXT_COLUMN - 1);
	if (member && (*member || *byte.s || f->opcode))
		cli_page_line(p, TEXT_COLUMN, "%s%s%s%s%s%s%s", member,
		              *member && *byte.s ? ", " : "", byte.s, in_file.s, stream.s,
		              f->opcode && (*member || *byte.s) ? ", " : "",
		              f->opcode ? f->opcode : "");
	free(member);
}

static void put_finding(cli_page *p, const ck_finding *f, size_t alike)
{
	cli_page_go(p, INDENT);
	cli_page_coloured(p, f->verdict, false, f->rule);
	if (p->column >= TEXT_COLUMN - 1)
		cli_page_end(p);
	if (f->module)
		put_global(p, f);
	put_place(p, f);
	if (f->why)
		cli_page_line(p, TEXT_COLUMN, "%s", f->why);
	if (alike)
		cli_page_line(p, TEXT_COLUMN, "and %zu more like it; -v shows %s", alike,
		              alike == 1 ? "it" : "all of them");
	if (f->suppressed)
		cli_page_line(p, TEXT_COLUMN, "suppressed by %s", p->look->suppressor);
}

/* Notes and what is suppressed are shown only to those who ask. */
static bool is_shown(const cli_look *look, const ck_finding *f)
{
	return look->verbose || (!f->suppressed && f->verdict != CK_SAFE);
}

/* Behind a number or a quoted name, or the next byte. */
static const char *skip_detail(const char *text, bool at_word)
{
	static const char digits[] = "0123456789";
	size_t quoted = at_word && *text == '\'' ? strcspn(text + 1, "'") : 0;
	if (quoted && text[1 + quoted])
		return text + quoted + 2;
	size_t number = strspn(text, digits);
	return text + (number ? number : 1);
}

/* One sentence about two names or numbers. */
static bool is_same_sentence(const char *a, const char *b)
{
	for (bool at_word = true; *a && *b;) {
		bool digits = *a >= '0' && *a <= '9' && *b >= '0' && *b <= '9';
		if (*a != *b && !digits)
			return false;
		bool next = *a == ' ' || *a == '(';
		a = skip_detail(a, at_word);
		b = skip_detail(b, at_word);
		at_word = next;
	}
	return !*a && !*b;
}

/* Many members may be wrong in one way. What is about a global is always shown for itself. */
static bool is_alike(const ck_finding *a, const ck_finding *b)
{
	return a->rule == b->rule && !a->module && !b->module && a->suppressed == b->suppressed &&
	       a->why && b->why && is_same_sentence(a->why, b->why);
}

static size_t count_alike(const cli_page *p, const ck_report *report, size_t first)
{
	size_t i = first + 1;
	if (p->look->verbose)
		return 0;
	while (i < report->finding_count &&
	       is_alike(&report->findings[first], &report->findings[i]))
		i++;
	return i - first - 1;
}

static void put_findings(cli_page *p, const ck_report *report)
{
	size_t shown = 0, more = 0, alike;
	for (size_t i = 0; i < report->finding_count; i += 1 + alike) {
		const ck_finding *f = &report->findings[i];
		alike = count_alike(p, report, i);
		if (!is_shown(p->look, f))
			continue;
		if (!p->look->verbose && shown == SHOWN_MOST) {
			more += 1 + alike;
			continue;
		}
		put_finding(p, f, alike);
		shown++;
	}
	if (more)
		cli_page_line(p, INDENT, "and %zu more finding%s; -v shows %s", more,
		              more == 1 ? "" : "s", more == 1 ? "it" : "all of them");
	if (report->findings_left_out)
		cli_page_line(p, INDENT, "and %llu finding%s more than are kept",
		              (unsigned long long)report->findings_left_out,
		              report->findings_left_out == 1 ? "" : "s");
}

/* ---- the whole ---- */

/* The policy allows what would otherwise be a finding. */
static bool is_allowed(const ck_report *report, const ck_global_use *g)
{
	for (size_t i = 0; g->verdict == CK_SAFE && i < report->finding_count; i++) {
		const ck_finding *f = &report->findings[i];
		if (f->suppressed && f->module && f->name && !strcmp(f->name, g->name) &&
		    !strcmp(f->module, g->module))
			return true;
	}
	return false;
}

static void put_globals(cli_page *p, const ck_report *report)
{
	for (size_t i = 0; i < report->global_count; i++) {
		const ck_global_use *g = &report->globals[i];
		cli_page_go(p, INDENT);
		cli_page_text(p, INDENT, "global", false);
		cli_page_go(p, TEXT_COLUMN - VERDICT_COLUMN);
		if (is_allowed(report, g))
			cli_page_text(p, p->column, "allowed", false);
		else
			cli_page_coloured(p, g->verdict, false, ck_verdict_name(g->verdict));
		cli_page_line(p, TEXT_COLUMN, "%s.%s%s%s%s, %s, %llu time%s", g->module, g->name,
		         g->mapped ? " (now " : "", g->mapped ? g->mapped : "",
		         g->mapped ? ")" : "", ck_how_name(g->how), (unsigned long long)g->count,
		         g->count == 1 ? "" : "s");
	}
}

size_t cli_report_suppressed(const ck_report *report)
{
	size_t count = 0;
	for (size_t i = 0; i < report->finding_count; i++)
		count += report->findings[i].suppressed && report->findings[i].verdict != CK_SAFE;
	return count;
}

/* What was suppressed, and what stays wrong without a finding that says so. */
static void put_suppressed(cli_page *p, const ck_report *report)
{
	bool told = report->verdict != CK_MALFORMED;
	size_t suppressed = cli_report_suppressed(report);
	for (size_t i = 0; i < report->finding_count; i++)
		told |= !report->findings[i].suppressed &&
		        report->findings[i].verdict == CK_MALFORMED;
	if (!told) {
		cli_page_go(p, INDENT);
		cli_page_coloured(p, CK_MALFORMED, false, "not-scanned");
		cli_page_line(p, TEXT_COLUMN, "not all of it could be scanned%s",
		              suppressed ? ", which no baseline accepts" : "");
	}
	if (!suppressed)
		return;
	cli_page_text(p, INDENT, "suppressed", false);
	cli_page_line(p, TEXT_COLUMN, "%zu finding%s, by %s%s%s", suppressed,
	              suppressed == 1 ? "" : "s", p->look->suppressor,
	              p->look->verbose ? "" : "; -v shows ",
	              p->look->verbose ? "" : suppressed == 1 ? "it" : "them");
}

bool cli_report_accepted(const ck_report *report)
{
	return report->verdict == CK_SAFE && cli_report_suppressed(report);
}

/* "dangerous  model.pt      torch zip, 678 B" */
static void put_head(cli_page *p, const ck_report *report)
{
	phrase about = say("%s, %s", report->format, cli_show_size(report->size).s);
	if (cli_report_accepted(report)) /* by the user, not by us: no colour says that it is */
		cli_page_text(p, 0, "accepted", false);
	else
		cli_page_coloured(p, report->verdict, true, ck_verdict_name(report->verdict));
	char *path = cli_page_path(p, report->path, false, p->look->columns - VERDICT_COLUMN);
	cli_page_text(p, VERDICT_COLUMN, path ? path : cli_show_name(report->path).s, true);
	free(path);
	int last = p->look->columns - cli_columns(about.s, strlen(about.s));
	int column = VERDICT_COLUMN + NAME_COLUMNS;
	if (column < p->column + 2 || column > last)
		column = p->column + 2;
	if (column > last && p->look->terminal) {
		cli_page_end(p);
		column = VERDICT_COLUMN;
	}
	cli_page_go(p, column);
	fputs(about.s, p->to);
	cli_page_end(p);
}

void cli_report_print_head(FILE *to, const cli_look *look, const ck_report *report)
{
	cli_page p = {to, look, 0};
	put_head(&p, report);
}

void cli_report_print(FILE *to, const cli_look *look, const ck_report *report)
{
	cli_page p = {to, look, 0};
	put_head(&p, report);
	put_findings(&p, report);
	put_suppressed(&p, report);
	cli_report_advise(&p, report);
	if (look->verbose)
		put_globals(&p, report);
}
