/* The walk from the root to every tensor, with a stack of its own: no file can make it recurse, and
 * limits on depth and visits bound it. */
#include "view.h"

#include <stdio.h>
#include <string.h>

/* What is known of a container, in ck_value.mark. */
enum { UNSEEN, OPEN, NO_TENSORS, HAS_TENSORS };

typedef struct {
	ck_torch *torch;
	ck_value *value;
	const ck_path *path;
	ck_view view;
	size_t part, item;   /* the next child */
	size_t before;       /* tensors of the model when this was opened */
} frame;

typedef struct {
	ck_torch *torch;     /* of the value that is looked at */
	ck_job *job;
	ck_model *model;
	frame *frames;
	size_t depth, cap;
} walker;

static bool open_container(walker *w, ck_value *value, const ck_path *path, const ck_view *view)
{
	if (!ck_within(w->job, w->torch->pickle->label, depth, w->depth + 1))
		return false;
	frame *grown = ck_grow(w->job, w->frames, &w->cap, w->depth + 1, sizeof *grown);
	if (!grown)
		return false;
	w->frames = grown;
	value->mark = OPEN;
	grown[w->depth++] = (frame){.torch = w->torch, .value = value, .path = path, .view = *view,
	                            .before = w->model->count + w->model->other_tensors};
	return true;
}

static void close_container(walker *w)
{
	frame *f = &w->frames[--w->depth];
	bool found = w->model->count + w->model->other_tensors > f->before;
	f->value->mark = found ? HAS_TENSORS : NO_TENSORS;
}

static bool count_visit(walker *w)
{
	return ck_view_charge(w->torch, 1);
}

/* Numbers, text and the like: there may be millions of them in a list, so those below the top level
 * go under the path of their container, which keeps one row for all. */
static bool is_plain(const ck_value *value)
{
	switch ((ck_kind)value->kind) {
	case CK_NONE:
	case CK_BOOL:
	case CK_INT:
	case CK_LONG:
	case CK_FLOAT:
	case CK_STR:
	case CK_BYTES:
		return true;
	default:
		return false;
	}
}

static bool visit_plain(walker *w, const ck_value *value, const ck_path *up)
{
	return count_visit(w) && ck_embedded_note(w->torch, value, up) &&
	       ck_model_add_other(w->job, w->model, up, "plain values", CK_OTHER_VALUE);
}

/* A tensor, the tensors that belong to it, and what else there is to be said. */
static bool visit_tensor(walker *w, const ck_made *made, const ck_path *path)
{
	if (made->tensor && !ck_load_tensor(w->torch->loaded, path, made->tensor))
		return false;
	for (size_t i = 0; i < made->besides; i++) {
		const ck_path *beside = ck_path_beside(w->job, path, made->beside[i].key);
		if (!beside || !ck_load_tensor(w->torch->loaded, beside, made->beside[i].tensor))
			return false;
	}
	for (size_t i = 0; i < made->facts; i++)
		if (!ck_model_add_fact(w->job, w->model, path, made->fact[i].key,
		                       made->fact[i].value))
			return false;
	return true;
}

static bool visit(walker *w, ck_value *value, const ck_path *path);

/* The root of a checkpoint that lay inside a value stands where the value stood. */
static bool visit_inner(walker *w, ck_torch *inner, const ck_path *path)
{
	ck_torch *outer = w->torch;
	w->torch = inner;
	inner->path = path;
	bool ok = visit(w, inner->root, path);
	w->torch = outer;
	return ok;
}

static ck_other_kind kind_of_leaf(const ck_value *value, const ck_view *view)
{
	if (view->made && view->made->kind == CK_MADE_ARRAY)
		return CK_OTHER_ARRAY;
	return value->kind == CK_PERSID ? CK_OTHER_ASIDE : CK_OTHER_VALUE;
}

static bool visit_view(walker *w, ck_value *value, const ck_path *path, const ck_view *view)
{
	switch (view->kind) {
	case CK_IS_TENSOR:
		return visit_tensor(w, view->made, path);
	case CK_IS_META:
		return ck_model_add_other(w->job, w->model, path, view->about, CK_OTHER_META);
	case CK_IS_UNSUPPORTED:
		return ck_model_add_other(w->job, w->model, path, view->about,
		                          CK_OTHER_UNSUPPORTED);
	case CK_IS_LEAF:
		return ck_embedded_note(w->torch, value, path) &&
		       ck_model_add_other(w->job, w->model, path, view->about,
		                          kind_of_leaf(value, view));
	case CK_IS_INNER:
		return visit_inner(w, view->inner, path);
	case CK_HAS_PARTS:
		break;
	}
	if (view->aside && value->mark == UNSEEN && !ck_aside_note(w->torch, view->aside, path))
		return false;
	return open_container(w, value, path, view);
}

static bool visit(walker *w, ck_value *value, const ck_path *path)
{
	ck_view view;
	/* A container that contains itself says nothing new. Nor does one without tensors that was
	 * seen before: this stops lists of lists of lists that would double at each level. */
	if (value->mark == OPEN || value->mark == NO_TENSORS)
		return count_visit(w);
	if (!count_visit(w) || !ck_view_value(w->torch, value, path, &view))
		return false;
	if (view.made && view.made->note && !ck_note_once(w->torch->loaded, view.made->note))
		return false;
	if (path == w->model->top)
		w->model->is_mapping = view.is_dict;
	if (view.state && (!ck_aside_note(w->torch, view.state->items, path) ||
	                   !ck_model_add_other(w->job, w->model, path, "state of a parameter",
	                                       CK_OTHER_VALUE)))
		return false;
	return visit_view(w, value, path, &view);
}

/* Costs what the set of exceptions is long, and is charged for it. */
static bool is_excepted(walker *w, const ck_part *part, const char *key, size_t len)
{
	w->torch->loaded->visits += part->except ? part->except->count : 0;
	const char *text;
	size_t text_len;
	for (size_t i = 0; part->except && i < part->except->count; i++)
		if (ck_value_text(part->except->item[i], &text, &text_len) && text_len == len &&
		    !memcmp(text, key, len))
			return true;
	return false;
}

/* The key of a pair as a part of a name. Python prints an object with its address in memory (the
 * state of an optimizer has parameters for keys); here the place in the dict tells them apart. */
static const char *name_key(walker *w, const ck_part *part, size_t item, size_t *len)
{
	const ck_value *key = part->items->item[item];
	const char *name = ck_key_name(w->torch, key, len);
	if (!name || key->kind == CK_STR || !*len || *name != '<')
		return name;
	ck_text text = {0};
	bool ok = ck_text_add(w->job, &text, name, *len - 1) &&
	          ck_text_addf(w->job, &text, " %zu>", item / 2);
	*len = text.len;
	return ok ? text.data : NULL;
}

static bool visit_pair(walker *w, const ck_part *part, const ck_path *up, size_t item)
{
	size_t len;
	ck_value *value = part->items->item[item + 1];
	if (part->skip_none && value->kind == CK_NONE)
		return true;
	if (is_plain(value) && up->depth)
		return visit_plain(w, value, up);
	const char *key = name_key(w, part, item, &len);
	if (!key)
		return false;
	bool is_text = part->items->item[item]->kind == CK_STR ||
	               part->items->item[item]->kind == CK_BYTES;
	const ck_path *path = ck_path_new(w->job, up, key, len, is_text);
	if (path && is_excepted(w, part, key, len))
		return ck_model_add_other(w->job, w->model, path, "buffer that is not persistent",
		                          CK_OTHER_ASIDE);
	return path && visit(w, value, path);
}

static bool visit_position(walker *w, const ck_part *part, const ck_path *up, size_t item)
{
	ck_value *value = part->items->item[item];
	if (is_plain(value) && up->depth)
		return visit_plain(w, value, up);
	char digits[24];
	int len = snprintf(digits, sizeof digits, "%zu", part->base + item);
	const char *key = ck_copy(w->job, digits, (size_t)len);
	const ck_path *path = key ? ck_path_new(w->job, up, key, (size_t)len, false) : NULL;
	return path && visit(w, value, path);
}

/* The next child of the newest container, or its end. */
static bool step(walker *w)
{
	frame *f = &w->frames[w->depth - 1];
	w->torch = f->torch;
	if (f->part == f->view.parts) {
		close_container(w);
		return true;
	}
	const ck_part part = f->view.part[f->part];
	size_t item = f->item;
	if (item >= part.items->count) {
		f->part++;
		f->item = 0;
		return true;
	}
	f->item += part.pairs ? 2 : 1;
	return part.pairs ? visit_pair(w, &part, f->path, item)
	                  : visit_position(w, &part, f->path, item);
}

bool ck_walk(ck_torch *torch, const ck_path *path)
{
	walker w = {.torch = torch, .job = torch->job, .model = torch->model};
	torch->path = path;
	torch->next = torch->loaded->units;
	torch->loaded->units = torch;
	if (!visit(&w, torch->root, path))
		return false;
	while (w.depth)
		if (!step(&w))
			return false;
	return true;
}
