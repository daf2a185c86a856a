/* The tensors of an inspection in columns: the folded tree, or a line for each. */
#include "inspect_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	GAP = 2,
	LABEL_LEAST = 24,
	LABEL_PLAIN = 60, /* where nothing else bounds the column; longer names stand out */
	ROWS_MOST = 3,    /* of one label on a terminal */
	SHAPE_MOST = 32   /* columns; longer shapes stand out */
};

typedef struct {
	char s[1400];     /* of 64 sizes */
} shape_text;

static shape_text show_shape(size_t ndim, const uint64_t *shape)
{
	shape_text text;
	size_t at = (size_t)snprintf(text.s, sizeof text.s, "[");
	for (size_t d = 0; d < ndim && at < sizeof text.s; d++)
		at += (size_t)snprintf(text.s + at, sizeof text.s - at, "%s%" PRIu64,
		                       d ? ", " : "", shape[d]);
	if (at < sizeof text.s)
		snprintf(text.s + at, sizeof text.s - at, "]");
	return text;
}

cli_count cli_show_count(uint64_t count)
{
	cli_count made;
	char digits[24];
	size_t len = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, count), at = 0;
	for (size_t i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			made.s[at++] = ',';
		made.s[at++] = digits[i];
	}
	made.s[at] = 0;
	return made;
}

/* Where each column begins. */
typedef struct {
	int dtype, shape, last;
} columns;

static int most(int a, int b)
{
	return a > b ? a : b;
}

static int least(int a, int b)
{
	return a < b ? a : b;
}

static int width_of(const char *text)
{
	return cli_columns(text, strlen(text));
}

/* From the widest of each; labels give way. */
static columns arrange(const cli_look *look, int label, int dtype, int shape, int last)
{
	int behind = GAP + dtype + GAP + least(shape, SHAPE_MOST) + GAP + last;
	int room = look->terminal ? most(look->columns - behind, LABEL_LEAST) : LABEL_PLAIN;
	columns c = {.dtype = least(label, room) + GAP};
	c.shape = c.dtype + dtype + GAP;
	c.last = c.shape + least(shape, SHAPE_MOST) + GAP;
	return c;
}

/* ---- labels ---- */

/* As much of a label as fits, up to a comma or dot if there is one. */
static size_t fitting(const char *text, int room)
{
	size_t len = strlen(text), at = 0, good = 0;
	while (at < len) {
		size_t next = at + 1;
		while (next < len && ((unsigned char)text[next] & 0xC0) == 0x80)
			next++;
		if (cli_columns(text, next) > room)
			break;
		at = next;
		if (text[at - 1] == ',' || text[at - 1] == '.')
			good = at;
	}
	return at == len || !good ? at : good;
}

/* On terminals in several rows if it must be; the last one is cut. */
static void put_label(cli_page *p, int indent, const char *text)
{
	cli_page_go(p, indent);
	for (int row = 1; p->look->terminal && *text; row++) {
		int room = p->look->columns - indent;
		size_t len = fitting(text, room);
		bool cut = row == ROWS_MOST && text[len] && !p->look->verbose;
		if (cut)
			len = fitting(text, room - 3);
		len = len ? len : strlen(text);
		fprintf(p->to, "%.*s%s", (int)len, text, cut ? "..." : "");
		p->column += cli_columns(text, len) + 3 * cut;
		text += len;
		if (!*text || cut)
			return;
		cli_page_end(p);
		cli_page_go(p, indent);
	}
	fputs(text, p->to);
	p->column += width_of(text);
}

/* To a column, or two blanks further on; on terminals on the next line if that is too far. */
static void go_behind(cli_page *p, int column)
{
	bool far = p->column + GAP > column;
	if (far && p->look->terminal)
		cli_page_end(p);
	cli_page_go(p, far && !p->look->terminal ? p->column + GAP : column);
}

static void put(cli_page *p, const char *text)
{
	fputs(text, p->to);
	p->column += width_of(text);
}

/* ---- the tree ---- */

static int indent_of(const ck_tree_line *line)
{
	return INDENT + INDENT * (int)least((int)line->depth, 20);
}

/* "x192", with the sign for it, which has one column. */
static void put_times(cli_page *p, uint64_t tensors)
{
	if (tensors == 1)
		return;
	fprintf(p->to, "\u00d7%" PRIu64, tensors);
}

/* The end of a name, from a part on that has room. */
static const char *fitting_end(const char *name, int room)
{
	const char *dot;
	int width = width_of(name);
	for (; width > room && (dot = strchr(name, '.')); name = dot + 1)
		width -= cli_columns(name, (size_t)(dot + 1 - name));
	return name;
}

/* What a heading is like, on a terminal; names that are cut cannot be looked up. */
static void put_near(cli_page *p, const ck_tree_line *line)
{
	const int word = sizeof "like " - 1, dots = sizeof "..." - 1;
	if (p->column + word + width_of(line->near) > p->look->columns) {
		cli_page_end(p);
		cli_page_go(p, indent_of(line) + INDENT);
	}
	put(p, "like ");
	int room = p->look->columns - p->column;
	bool fits = width_of(line->near) <= room;
	const char *end = fits ? line->near : fitting_end(line->near, room - dots);
	char *shown = cli_page_path(p, end, true, room - (fits ? 0 : dots));
	put(p, fits ? "" : "...");
	cli_page_text(p, p->column, shown ? shown : end, true);
	free(shown);
}

/* What a heading is about, or what it is like; on terminals as much of it as fits. */
static void put_heading(cli_page *p, const ck_tree_line *line)
{
	char text[2][96];
	const char *s = cli_plural(line->tensors);
	cli_count count = cli_show_count(line->tensors);
	snprintf(text[0], sizeof text[0], "%s tensor%s", count.s, s);
	snprintf(text[1], sizeof text[1], "%s tensor%s, %s", count.s, s,
	         cli_show_size(line->bytes).s);
	if (!line->like || !p->look->terminal) {
		fprintf(p->to, "%s%s%s%s", line->like ? "like " : "", line->like ? line->like : "",
		        line->like ? ", " : "", text[1]);
		return;
	}
	put_near(p, line);
	int room = p->look->columns - p->column - (int)sizeof ", " + 1;
	const char *last = width_of(text[1]) <= room ? text[1]
	                 : width_of(text[0]) <= room ? text[0] : NULL;
	fprintf(p->to, "%s%s", last ? ", " : "", last ? last : "");
}

static void put_line(cli_page *p, const columns *c, const ck_tree_line *line)
{
	put_label(p, indent_of(line), line->label);
	go_behind(p, c->dtype);
	if (!line->dtype) {
		put_heading(p, line);
		cli_page_end(p);
		return;
	}
	put(p, line->dtype);
	cli_page_go(p, most(c->shape, p->column + GAP));
	put(p, show_shape(line->ndim, line->shape).s);
	if (line->tensors > 1)
		cli_page_go(p, most(c->last, p->column + GAP));
	put_times(p, line->tensors);
	cli_page_end(p);
}

void cli_inspect_tree(cli_page *p, const ck_inspection *inspection)
{
	int label = 0, dtype = 0, shape = 0;
	for (size_t i = 0; i < inspection->line_count; i++) {
		const ck_tree_line *line = &inspection->lines[i];
		int width = indent_of(line) + width_of(line->label);
		if (width <= LABEL_PLAIN) /* the others stand out anyway */
			label = most(label, width);
		if (!line->dtype)
			continue;
		dtype = most(dtype, width_of(line->dtype));
		shape = most(shape, width_of(show_shape(line->ndim, line->shape).s));
	}
	columns c = arrange(p->look, label, dtype, shape, (int)sizeof "x99999" - 1);
	for (size_t i = 0; i < inspection->line_count && !ferror(p->to); i++)
		put_line(p, &c, &inspection->lines[i]);
}

/* ---- all tensors ---- */

bool cli_inspect_tensors(FILE *to, const cli_look *look, const ck_inspection *inspection)
{
	ck_inspect_tensor t;
	int label = 0, dtype = 0, shape = 0, digits = 0;
	char bytes[24];
	cli_page page = {to, look, 0};
	for (size_t i = 0; i < inspection->tensors; i++) {
		if (!ck_inspection_tensor(inspection, i, &t))
			return false;
		if (width_of(t.name) <= LABEL_PLAIN)
			label = most(label, width_of(t.name));
		dtype = most(dtype, width_of(t.dtype));
		shape = most(shape, width_of(show_shape(t.ndim, t.shape).s));
		digits = most(digits, snprintf(bytes, sizeof bytes, "%" PRIu64, t.bytes));
	}
	columns c = arrange(look, label, dtype, shape, digits);
	for (size_t i = 0; i < inspection->tensors && !ferror(to) && !cli_signals_came(); i++) {
		if (!ck_inspection_tensor(inspection, i, &t))
			return false;
		put(&page, t.name);
		cli_page_go(&page, most(c.dtype, page.column + GAP));
		put(&page, t.dtype);
		cli_page_go(&page, most(c.shape, page.column + GAP));
		put(&page, show_shape(t.ndim, t.shape).s);
		cli_page_go(&page, most(c.last, page.column + GAP));
		fprintf(to, "%*" PRIu64, digits, t.bytes);
		cli_page_end(&page);
	}
	return true;
}
