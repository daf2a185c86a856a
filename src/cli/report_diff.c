/* A comparison for people: what only one file has, what differs in shape, dtype and values, and one
 * line that sums up. */
#include "page.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
	SHOWN = 20,        /* differences of one kind, unless all are wanted */
	NAME_COLUMNS = 46, /* of names that something stands behind */
	BELOW = 6          /* where it stands else */
};

typedef struct {
	cli_page page;
	const ck_diff_options *options;
	const ck_diff_result *result;
	bool all, begun;
} showing;

/* What differs first: each difference is shown once. */
typedef enum {
	ONLY_A, ONLY_B, SHAPE, DTYPE, VALUES, KINDS
} kind;

static kind kind_of(const ck_difference *d)
{
	if (!d->in_b)
		return ONLY_A;
	if (!d->in_a)
		return ONLY_B;
	return d->shape ? SHAPE : d->dtype ? DTYPE : VALUES;
}

/* ---- words ---- */

typedef struct {
	char s[320];
} words;

static const char *dtype_of(const ck_tensor_info *info)
{
	return info->dtype ? info->dtype : info->torch_dtype;
}

static void add(words *to, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add(words *to, const char *fmt, ...)
{
	va_list args;
	size_t len = strlen(to->s);
	va_start(args, fmt);
	vsnprintf(to->s + len, sizeof to->s - len, fmt, args);
	va_end(args);
}

static void add_sizes(words *to, const uint64_t *sizes, size_t count)
{
	enum { MOST = 8 };
	add(to, "[");
	for (size_t i = 0; i < count && i < MOST; i++)
		add(to, "%s%" PRIu64, i ? ", " : "", sizes[i]);
	add(to, count > MOST ? ", ...]" : "]");
}

static words shape_of(const ck_tensor_info *info)
{
	words w = {""};
	add_sizes(&w, info->shape, info->ndim);
	return w;
}

static words place_of(const ck_tensor_info *info, uint64_t place)
{
	enum { DIMS = 64 };
	uint64_t index[DIMS];
	words w = {""};
	size_t ndim = info->ndim < DIMS ? info->ndim : DIMS;
	for (size_t d = ndim; d-- > 0;) {
		uint64_t size = info->shape[d] ? info->shape[d] : 1;
		index[d] = place % size;
		place /= size;
	}
	add_sizes(&w, index, ndim);
	return w;
}

/* "F32 [10, 768]", or what became of it. */
static words what_it_is(const ck_difference *d)
{
	words w = {""};
	const ck_tensor_info *a = d->in_a ? &d->a : &d->b, *b = d->in_b ? &d->b : &d->a;
	add(&w, "%s", dtype_of(a));
	if (strcmp(dtype_of(a), dtype_of(b)) != 0)
		add(&w, " -> %s", dtype_of(b));
	add(&w, " %s", shape_of(a).s);
	if (d->shape)
		add(&w, " -> %s", shape_of(b).s);
	return w;
}

static void add_nans(words *to, const ck_difference *d)
{
	const struct {
		uint64_t count;
		const char *where;
	} nans[] = {{d->nan_a, "in A alone"}, {d->nan_b, "in B alone"}, {d->nan_both, "in both"}};
	const char *before = "; NaN: ";
	for (size_t i = 0; i < sizeof nans / sizeof *nans; i++) {
		if (!nans[i].count)
			continue;
		add(to, "%s%" PRIu64 " %s", before, nans[i].count, nans[i].where);
		before = ", ";
	}
}

/* "12 of 768 differ, first at [0, 17]; max abs 1.2e-07, rel 3.4e-05" */
static words how_much(const ck_difference *d)
{
	words w = {""};
	if (!d->differing) {
		add(&w, "all values are the same");
		return w;
	}
	add(&w, "%" PRIu64 " of %" PRIu64 " differ", d->differing, d->elements);
	if (d->elements > 1)
		add(&w, ", first at %s", place_of(&d->a, d->first).s);
	bool nans = !(d->max_abs > 0) && d->differing == d->nan_a + d->nan_b + d->nan_both;
	if (!d->numbers)
		return w;
	if (!nans && d->whole)
		add(&w, "; max abs %" PRIu64 ", rel %.3g", d->max_whole, d->max_rel);
	else if (!nans)
		add(&w, "; max abs %.3g, rel %.3g", d->max_abs, d->max_rel);
	add_nans(&w, d);
	return w;
}

/* ---- lines ---- */

/* To be freed; NULL without memory. */
static char *name_of(const showing *s, const ck_difference *d)
{
	size_t room = 8 * d->name_len + 16; /* whatever is escaped */
	char *shown = malloc(room), *cut = NULL;
	if (shown) {
		ck_printable_bytes(d->name, d->name_len, shown, room);
		cut = cli_page_path(&s->page, d->name_len ? shown : "\"\"", true,
		                    s->page.look->columns - 2 * INDENT);
	}
	free(shown);
	return cut;
}

/* The name, and behind it what the tensor is, if there is room. */
static void show_tensor(showing *s, const ck_difference *d)
{
	char *shown = name_of(s, d);
	const words what = what_it_is(d);
	cli_page_go(&s->page, INDENT);
	cli_page_text(&s->page, INDENT, shown ? shown : "...", true);
	free(shown);
	int room = s->page.look->columns - cli_columns(what.s, strlen(what.s));
	int column = s->page.column + 2 > NAME_COLUMNS ? s->page.column + 2 : NAME_COLUMNS;
	if (column > room && s->page.column + 2 <= room)
		column = room;
	if (column > room) {
		cli_page_end(&s->page);
		column = BELOW;
	}
	cli_page_go(&s->page, column);
	cli_page_text(&s->page, BELOW, what.s, true);
	cli_page_end(&s->page);
}

static void show_difference(showing *s, const ck_difference *d)
{
	show_tensor(s, d);
	if (d->compared)
		cli_page_line(&s->page, BELOW, "%s", how_much(d).s);
}

static void show_head(showing *s, kind k, size_t count)
{
	static const char *const heads[KINDS] = {
		[ONLY_A] = "only in ", [ONLY_B] = "only in ", [SHAPE] = "other shape",
		[DTYPE] = "other dtype", [VALUES] = "other values",
	};
	const bool colours = s->page.look->colours;
	const char *path = k <= ONLY_B ? s->result->path[k == ONLY_B] : "";
	if (s->begun)
		putc('\n', s->page.to);
	s->begun = true;
	fprintf(s->page.to, "%s%s%s%s (%zu)\n", colours ? "\033[1m" : "", heads[k],
	        cli_show_name(path).s, colours ? "\033[0m" : "", count);
}

static void show_kind(showing *s, kind k)
{
	size_t count = 0, shown = 0;
	for (size_t i = 0; i < s->result->count; i++)
		count += kind_of(&s->result->differences[i]) == k;
	if (!count)
		return;
	show_head(s, k, count);
	size_t most = s->all || count <= SHOWN + 1 ? count : SHOWN;
	for (size_t i = 0; i < s->result->count && shown < most; i++) {
		const ck_difference *d = &s->result->differences[i];
		if (kind_of(d) != k)
			continue;
		show_difference(s, d);
		shown++;
	}
	if (shown < count)
		cli_page_line(&s->page, INDENT, "... and %zu more (--all shows them)",
		              count - shown);
}

/* ---- the sum ---- */

static void add_tolerance(words *to, const ck_diff_options *options)
{
	if (options->close)
		add(to, " within atol %g, rtol %g", options->atol, options->rtol);
}

/* "all 6 tensors"; what is one is "the tensor" */
static words many(size_t count)
{
	words w = {""};
	if (count == 1)
		add(&w, "the tensor");
	else
		add(&w, "all %zu tensors", count);
	return w;
}

static void sum_up_same(showing *s)
{
	const ck_diff_result *r = s->result;
	words w = {""};
	add(&w, "the same");
	add_tolerance(&w, s->options);
	add(&w, ": %zu tensor%s, %s", r->both, cli_plural(r->both), cli_show_size(r->bytes).s);
	if (r->max_abs > 0)
		add(&w, "; max abs %.3g, rel %.3g", r->max_abs, r->max_rel);
	cli_page_line(&s->page, 0, "%s", w.s);
}

static void sum_up(showing *s)
{
	const ck_diff_result *r = s->result;
	const struct {
		size_t count;
		const char *in;
	} parts[] = {{r->shapes, "shape"}, {r->dtypes, "dtype"}, {r->values, "values"}};
	words w = {""};
	size_t differ = r->both - r->equal;
	const char *before = " in ";
	add(&w, "different");
	add_tolerance(&w, s->options);
	if (!r->both)
		add(&w, ": no name is in both");
	else if (!differ)
		add(&w, ": %s in both %s the same", many(r->both).s, r->both == 1 ? "is" : "are");
	else
		add(&w, ": %zu of %zu tensor%s", differ, r->both, cli_plural(r->both));
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (parts[i].count) {
			add(&w, "%s%s (%zu)", before, parts[i].in, parts[i].count);
			before = ", ";
		}
	if (r->max_abs > 0)
		add(&w, "; max abs %.3g, rel %.3g", r->max_abs, r->max_rel);
	for (int i = 0; i < 2; i++)
		if (r->only[i])
			add(&w, "; %zu only in %s", r->only[i], i ? "B" : "A");
	putc('\n', s->page.to);
	cli_page_line(&s->page, 0, "%s", w.s);
	cli_diff_hint(&s->page, r);
}

void cli_diff_print(FILE *to, const cli_look *look, const ck_diff_options *options, bool all,
                    const ck_diff_result *result)
{
	showing s = {.page = {.to = to, .look = look}, .options = options, .result = result,
	             .all = all};
	for (kind k = ONLY_A; k < KINDS; k++)
		show_kind(&s, k);
	if (result->same)
		sum_up_same(&s);
	else
		sum_up(&s);
}
