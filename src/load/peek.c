/* A short look at the values that are no tensors: how many each key at the top holds, and how they
 * begin. */
#include "rebuild.h"
#include "view.h"

#include <string.h>

enum {
	TEXT_MOST = 160, /* bytes of a text, about */
	STRING_MOST = 48, /* of one string in it */
	LEVELS = 6
};

typedef struct {
	ck_loaded *loaded;
	ck_job *job;
	ck_torch *torch; /* of the value that is looked at */
	ck_text to;
} peeker;

static bool put(peeker *p, const char *text)
{
	return ck_text_add(p->job, &p->to, text, strlen(text));
}

static bool is_full(const peeker *p)
{
	return p->to.len >= TEXT_MOST;
}

static bool put_value(peeker *p, ck_value *value, int level);

/* ---- leaves ---- */

/* As Python's repr() does, shortened, and with all escaped that a terminal must not see. */
static bool put_string(peeker *p, const char *prefix, const char *text, size_t len)
{
	ck_text made = {0};
	size_t some = len < STRING_MOST ? len : STRING_MOST;
	while (some && some < len && ((unsigned char)text[some] & 0xC0) == 0x80)
		some--;
	if (!ck_print_quoted(p->job, &made, prefix, text, some))
		return false;
	ck_shown shown = ck_show(made.data, made.len);
	return put(p, shown.s) && (some == len || put(p, "..."));
}

static bool put_bytes(peeker *p, const ck_value *value)
{
	if (value->text.data && value->text.len <= STRING_MOST)
		return put_string(p, "b", value->text.data, (size_t)value->text.len);
	return ck_text_addf(p->job, &p->to, "<%s>", ck_many(value->text.len, "byte").s);
}

static bool put_shown(peeker *p, const char *before, ck_shown shown, const char *behind)
{
	return put(p, before) && put(p, shown.s) && put(p, behind);
}

static bool put_leaf(peeker *p, const ck_value *value)
{
	const char *text;
	size_t len;
	if (ck_value_text(value, &text, &len))
		return put_string(p, "", text, len);
	switch ((ck_kind)value->kind) {
	case CK_NONE:
		return put(p, "None");
	case CK_BOOL:
		return put(p, value->b ? "True" : "False");
	case CK_INT:
		return ck_print_integer(p->job, &p->to, value);
	case CK_FLOAT:
		return ck_print_float(p->job, &p->to, value->f);
	case CK_BYTES:
		return put_bytes(p, value);
	case CK_GLOBAL:
		return put(p, ck_value_about(value).s);
	default:
		return put_shown(p, "<", ck_value_about(value), ">");
	}
}

/* ---- containers ---- */

static bool put_key(peeker *p, const ck_value *key)
{
	size_t len;
	if (key->kind == CK_STR)
		return put_leaf(p, key);
	const char *text = ck_key_name(p->torch, key, &len);
	return text && put(p, ck_show(text, len).s);
}

static bool put_parts(peeker *p, const ck_view *view, int level)
{
	bool first = true;
	for (size_t i = 0; i < view->parts; i++) {
		const ck_part *part = &view->part[i];
		size_t step = part->pairs ? 2 : 1;
		for (size_t k = 0; k + step <= part->items->count; k += step) {
			ck_value *const *item = &part->items->item[k];
			if (!first && !put(p, ", "))
				return false;
			if (is_full(p))
				return put(p, "...");
			first = false;
			if (part->pairs && (!put_key(p, item[0]) || !put(p, ": ")))
				return false;
			if (!put_value(p, item[step - 1], level + 1))
				return false;
		}
	}
	return true;
}

static bool put_container(peeker *p, const ck_value *value, const ck_view *view, int level)
{
	const char *open = view->is_dict ? "{" : "[", *close = view->is_dict ? "}" : "]";
	if (view->is_object) {
		ck_shown about = ck_value_about(value);
		char *behind = strstr(about.s, " object");
		if (behind)
			*behind = 0;
		open = "(";
		close = ")";
		if (!put(p, about.s))
			return false;
	}
	if (!put(p, open))
		return false;
	bool ok = level < LEVELS ? put_parts(p, view, level) : put(p, "...");
	return ok && put(p, close);
}

static bool put_value(peeker *p, ck_value *value, int level)
{
	ck_view view;
	if (is_full(p))
		return put(p, "...");
	if (!ck_view_charge(p->torch, 1) ||
	    !ck_view_value(p->torch, value, p->loaded->model->top, &view))
		return false;
	switch (view.kind) {
	case CK_IS_TENSOR:
	case CK_IS_META:
	case CK_IS_UNSUPPORTED:
		return put(p, "<tensor>");
	case CK_IS_INNER:
		return put(p, "<a checkpoint>");
	case CK_HAS_PARTS:
		return put_container(p, value, &view, level);
	case CK_IS_LEAF:
		break;
	}
	return put_leaf(p, value);
}

/* ---- rows ---- */

static const ck_path *top_key(const ck_path *path)
{
	while (path->depth > 1)
		path = path->up;
	return path;
}

/* One row for each key, in the order in which they were found. */
static bool count_rows(peeker *p, ck_map *places, ck_peek **rows, size_t *count)
{
	const ck_model *model = p->loaded->model;
	size_t cap = 0;
	bool fresh;
	for (size_t i = 0; i < model->other_count; i++) {
		const ck_other *other = &model->others[i];
		if (other->kind != CK_OTHER_VALUE)
			continue;
		const ck_path *key = top_key(other->path);
		uint64_t *place = ck_map_put(p->job, places, key->depth ? key->key : "",
		                             key->depth ? key->key_len : 0, &fresh);
		ck_peek *grown = place && fresh ? ck_grow(p->job, *rows, &cap, *count + 1,
		                                          sizeof *grown) : *rows;
		if (!place || !grown)
			return false;
		*rows = grown;
		if (fresh)
			grown[*place = (*count)++] = (ck_peek){.key = key};
		grown[*place].count += other->count;
	}
	return true;
}

static bool set_text(peeker *p, ck_value *value, ck_peek *row)
{
	p->to = (ck_text){0};
	if (!put_value(p, value, 0) || !ck_text_add(p->job, &p->to, "", 1))
		return false;
	row->text = p->to.data;
	return true;
}

/* The values of the keys of one root that stands at the top; or the root, if it is one of them. */
static bool look_at_root(peeker *p, ck_map *places, ck_peek *rows)
{
	ck_view view;
	ck_value *root = p->torch->root;
	const ck_path *path = p->torch->path;
	uint64_t *own = path->depth == 1 ? ck_map_find(p->job, places, path->key, path->key_len)
	                                 : NULL;
	if (path->depth)
		return !own || rows[*own].text || set_text(p, root, &rows[*own]);
	if (!ck_view_value(p->torch, root, p->loaded->model->top, &view))
		return false;
	uint64_t *all = ck_map_find(p->job, places, "", 0);
	if (all && !rows[*all].text && !set_text(p, root, &rows[*all]))
		return false;
	for (size_t i = 0; view.kind == CK_HAS_PARTS && i < view.parts; i++) {
		const ck_part *part = &view.part[i];
		for (size_t k = 0; part->pairs && k + 2 <= part->items->count; k += 2) {
			size_t len;
			const char *key = ck_key_name(p->torch, part->items->item[k], &len);
			if (!key)
				return false;
			uint64_t *place = ck_map_find(p->job, places, key, len);
			if (place && len && !rows[*place].text &&
			    !set_text(p, part->items->item[k + 1], &rows[*place]))
				return false;
		}
	}
	return true;
}

bool ck_peek_values(ck_loaded *loaded, bool texts, ck_peek **rows, size_t *count)
{
	peeker p = {.loaded = loaded, .job = loaded->job};
	ck_map places = {0};
	*rows = NULL;
	*count = 0;
	if (!count_rows(&p, &places, rows, count))
		return false;
	for (ck_torch *unit = loaded->units; texts && *count && unit; unit = unit->next) {
		p.torch = unit;
		if (!look_at_root(&p, &places, *rows))
			return false;
	}
	return true;
}
