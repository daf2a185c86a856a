/* What an inspection says above its tree: the verdict, who wrote the file, how much is in it, and
 * all that is no tensor. */
#include "inspect_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

enum {
	FACT_COLUMN = 14,
	FINDINGS_MOST = 3,
	ROWS_MOST = 8,
	NAMES_MOST = 4
};

/* The most of a list; -v shows all of it. */
static size_t shown_of(const cli_page *p, size_t count, size_t most)
{
	return p->look->verbose || count <= most + 1 ? count : most;
}

static void begin(cli_page *p, const char *what)
{
	cli_page_go(p, INDENT);
	cli_page_text(p, INDENT, what, false);
	if (p->column >= FACT_COLUMN)
		cli_page_end(p);
}

/* One line, cut at the edge of a terminal; whole in a pipe. */
static void __attribute__((format(printf, 2, 3))) put_cut(cli_page *p, const char *fmt, ...)
{
	char *text = NULL;
	va_list args;
	va_start(args, fmt);
	int len = vasprintf(&text, fmt, args);
	va_end(args);
	if (len < 0)
		return;
	cli_page_go(p, FACT_COLUMN);
	int room = p->look->columns - FACT_COLUMN;
	bool whole = !p->look->terminal || p->look->verbose;
	if (whole || cli_columns(text, (size_t)len) <= room)
		fputs(text, p->to);
	else
		fprintf(p->to, "%.*s...", (int)cli_fitting(text, (size_t)len, room - 3), text);
	free(text);
	cli_page_end(p);
}

static void put_more(cli_page *p, size_t count, size_t shown, const char *what)
{
	if (count > shown)
		cli_page_line(p, FACT_COLUMN, "and %zu more %s; -v shows all", count - shown, what);
}

/* ---- what is wrong ---- */

/* The worst findings, which come first; for all else there is scan. Unknown globals are listed
 * further down. */
static void put_findings(cli_page *p, const ck_inspection *in)
{
	const ck_report *report = in->report;
	size_t shown = 0, count = 0;
	for (size_t i = 0; i < report->finding_count; i++) {
		const ck_finding *f = &report->findings[i];
		bool listed = f->verdict == CK_SAFE || (f->verdict == CK_UNKNOWN && f->module);
		if (listed || ++count > FINDINGS_MOST)
			continue;
		cli_page_go(p, INDENT);
		cli_page_coloured(p, f->verdict, false, f->rule);
		if (p->column >= TEXT_COLUMN - 1)
			cli_page_end(p);
		cli_page_line(p, TEXT_COLUMN, "%s%s%s%s%s%s%s", in->several ? f->member : "",
		              in->several ? ": " : "", f->module ? f->module : "",
		              f->module ? "." : "", f->module && f->name ? f->name : "",
		              f->module ? ": " : "", f->why ? f->why : "");
		shown++;
	}
	if (count > shown)
		cli_page_line(p, TEXT_COLUMN, "and %zu more", count - shown);
	if (report->verdict == CK_SAFE)
		return;
	begin(p, "next");
	cli_page_line(p, TEXT_COLUMN, "ckconv scan says more; nothing of the file was run");
}

static void put_error(cli_page *p, const ck_inspection *in)
{
	if (!in->error)
		return;
	begin(p, "not read");
	cli_page_line(p, FACT_COLUMN, "%s", in->error);
	if (in->tensors || in->values_total)
		cli_page_line(p, FACT_COLUMN, "what follows was found before that");
}

/* ---- who wrote it ---- */

static void put_origins(cli_page *p, const ck_inspection *in)
{
	char *all = NULL;
	size_t len = 0;
	FILE *list = in->origin_count ? open_memstream(&all, &len) : NULL;
	if (!list)
		return;
	const char *before = "";
	begin(p, "written");
	if (in->since)
		cli_page_line(p, FACT_COLUMN, "as PyTorch %s and later versions write it",
		              in->since);
	for (size_t i = 0; i < in->origin_count; i++) {
		const ck_origin *o = &in->origins[i];
		bool alone = p->look->verbose || (o->means && !in->since);
		if (alone) {
			cli_page_line(p, FACT_COLUMN, "%s %s%s%s", o->what, o->value,
			              o->means ? ": " : "", o->means ? o->means : "");
			continue;
		}
		fprintf(list, "%s%s %s", before, o->what, o->value);
		before = ", ";
	}
	if (!fclose(list) && len)
		cli_page_line(p, FACT_COLUMN, "%s", all);
	free(all);
}

/* ---- how much ---- */

static void put_total(cli_page *p, const char *label, uint64_t tensors, uint64_t elements,
                      uint64_t bytes)
{
	begin(p, label);
	cli_page_line(p, FACT_COLUMN, "%s tensor%s, %s element%s, %s", cli_show_count(tensors).s,
	              cli_plural(tensors), cli_show_count(elements).s, cli_plural(elements),
	              cli_show_size(bytes).s);
}

static void put_totals(cli_page *p, const ck_inspection *in)
{
	if (!in->tensors) {
		begin(p, "tensors");
		cli_page_line(p, FACT_COLUMN, !in->error ? "there are none" :
		              in->status == CK_LIMIT ? "not counted" : "none was found");
	}
	if (in->dtype_count > 1)
		put_total(p, "in all", in->tensors, in->elements, in->bytes);
	for (size_t i = 0; i < in->dtype_count; i++) {
		const ck_dtype_total *d = &in->dtypes[i];
		put_total(p, d->dtype, d->tensors, d->elements, d->bytes);
	}
	if (in->storage_bytes == in->bytes || !in->tensors)
		return;
	begin(p, "storages");
	cli_page_line(p, FACT_COLUMN, "%s in %s, which these tensors view",
	              cli_show_size(in->storage_bytes).s, in->storages == 1 ? "one" :
	              cli_show_count(in->storages).s);
}

static void put_root(cli_page *p, const ck_inspection *in)
{
	if (!in->root)
		return;
	begin(p, "root");
	if (in->root_tensors == in->tensors)
		cli_page_line(p, FACT_COLUMN, "in a conversion, names begin below '%s', unless "
		              "there is --root .", in->root);
	else
		cli_page_line(p, FACT_COLUMN, "a conversion takes the %s tensor%s below '%s'; "
		              "--root . takes all", cli_show_count(in->root_tensors).s,
		              cli_plural(in->root_tensors), in->root);
}

/* ---- what belongs together ---- */

/* On terminals a long name is cut. */
static void put_name(cli_page *p, FILE *to, const char *name)
{
	bool whole = !p->look->terminal || p->look->verbose;
	char *cut = whole ? NULL : cli_page_path(p, name, true, p->look->columns - FACT_COLUMN);
	fputs(cut ? cut : name, to);
	free(cut);
}

static void put_names(cli_page *p, const ck_together *row, const char *between)
{
	char *all = NULL;
	size_t len, names = shown_of(p, row->count, NAMES_MOST);
	FILE *list = open_memstream(&all, &len);
	if (!list)
		return;
	for (size_t i = 0; i < names; i++) {
		fputs(i ? between : "", list);
		put_name(p, list, row->names[i]);
	}
	if (names < row->count)
		fprintf(list, " and %zu more", row->count - names);
	fprintf(list, "  (%s)", cli_show_size(row->bytes).s);
	if (!fclose(list))
		cli_page_line(p, FACT_COLUMN, "%s", all);
	free(all);
}

static void put_together(cli_page *p, const char *label, const ck_together *rows, size_t count,
                         const char *between)
{
	size_t shown = shown_of(p, count, ROWS_MOST);
	for (size_t i = 0; i < shown; i++) {
		if (!i)
			begin(p, label);
		put_names(p, &rows[i], between);
	}
	put_more(p, count, shown, "like these");
}

/* ---- what is no tensor ---- */

static void put_values(cli_page *p, const ck_inspection *in)
{
	size_t shown = shown_of(p, in->value_rows, ROWS_MOST);
	if (!in->values_total)
		return;
	begin(p, "values");
	cli_page_line(p, FACT_COLUMN, "%s that %s no tensor%s, which --extras keeps",
	              cli_show_count(in->values_total).s, in->values_total == 1 ? "is" : "are",
	              cli_plural(in->values_total));
	for (size_t i = 0; i < shown; i++) {
		const ck_value_row *v = &in->values[i];
		char count[40] = "";
		if (v->count > 1)
			snprintf(count, sizeof count, " (%s)", cli_show_count(v->count).s);
		put_cut(p, "%s%s%s%s", v->name, count, *v->name && v->text ? ": " : "",
		        v->text ? v->text : "");
	}
	put_more(p, in->value_rows, shown, "keys");
}

static void put_rest(cli_page *p, const ck_inspection *in)
{
	size_t shown = shown_of(p, in->rest_count, ROWS_MOST);
	for (size_t i = 0; i < shown; i++) {
		if (!i)
			begin(p, "besides");
		put_cut(p, "%s: %s, %s", in->rest[i].name, in->rest[i].what, in->rest[i].why);
	}
	put_more(p, in->rest_count, shown, "like these");
}

static void put_metadata(cli_page *p, const ck_inspection *in)
{
	size_t shown = shown_of(p, in->metadata_count, ROWS_MOST);
	for (size_t i = 0; i < shown; i++) {
		if (!i)
			begin(p, "metadata");
		put_cut(p, "%s: %s", in->metadata[i].key, in->metadata[i].value);
	}
	put_more(p, in->metadata_count, shown, "keys");
}

/* Those that are not safe by name, the worst first. */
static void put_globals(cli_page *p, const ck_inspection *in)
{
	const ck_report *report = in->report;
	size_t of[CK_DANGEROUS + 1] = {0}, shown = 0, unsafe = 0;
	for (size_t i = 0; i < report->global_count; i++)
		of[report->globals[i].verdict]++;
	if (!report->global_count)
		return;
	begin(p, "globals");
	cli_page_go(p, FACT_COLUMN);
	for (int v = CK_DANGEROUS; v >= CK_SAFE; v--)
		if (of[v]) {
			fprintf(p->to, "%s%zu ", shown++ ? ", " : "", of[v]);
			cli_page_coloured(p, (ck_verdict)v, false, ck_verdict_name((ck_verdict)v));
		}
	cli_page_end(p);
	unsafe = report->global_count - of[CK_SAFE];
	shown = p->look->verbose ? report->global_count : shown_of(p, unsafe, ROWS_MOST);
	for (size_t i = 0; i < shown; i++) {
		const ck_global_use *g = &report->globals[i];
		put_cut(p, "%s.%s, %s%s%s", g->module, g->name, ck_how_name(g->how),
		        g->verdict == CK_SAFE ? "" : ", ",
		        g->verdict == CK_SAFE ? "" : ck_verdict_name(g->verdict));
	}
	put_more(p, unsafe, shown, "of these");
}

void cli_inspect_print(FILE *to, const cli_look *look, const ck_inspection *in)
{
	/* what is said in sentences is no wider than elsewhere */
	cli_look narrow = *look;
	if (look->terminal)
		narrow.columns = look->columns < 80 ? look->columns : 80;
	cli_page p = {to, &narrow, 0}, wide = {to, look, 0};
	cli_report_print_head(to, &narrow, in->report);
	put_findings(&p, in);
	put_error(&p, in);
	put_origins(&p, in);
	put_totals(&p, in);
	put_root(&p, in);
	put_together(&p, "tied", in->ties, in->tie_count, " = ");
	put_together(&p, "shared", in->shared, in->shared_count, ", ");
	put_values(&p, in);
	put_rest(&p, in);
	put_metadata(&p, in);
	put_globals(&p, in);
	if (in->line_count)
		cli_page_end(&p);
	cli_inspect_tree(&wide, in);
}
