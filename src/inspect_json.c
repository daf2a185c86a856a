/* An inspection as one JSON object. Every key is always there, null where there is nothing to say;
 * ckconv-inspect.1 explains each. Names are what they are in the file, not as they are shown. */
#include "inspect.h"

#include <inttypes.h>

#include "json_names.h"
#include "report.h"

/* One piece after the other leaves the arena as it was. */
typedef struct {
	ck_looking *l;
	ck_job *job;
	ck_text to;
	bool (*put)(void *arg, const char *text, size_t len);
	void *arg;
} writer;

enum { PIECE = 1 << 16 };

static bool flush(writer *w)
{
	bool ok = !w->to.len || w->put(w->arg, w->to.data, w->to.len);
	w->to.len = 0;
	return ok && !ck_stopped(w->job);
}

static bool raw(writer *w, const char *text)
{
	return ck_text_add(w->job, &w->to, text, strlen(text));
}

static bool name(writer *w, const char *text, size_t len)
{
	return ck_json_name(w->job, &w->to, text, len);
}

static bool text(writer *w, const char *key, const char *value)
{
	return ck_quote_key(w->job, &w->to, key, value);
}

static bool number(writer *w, const char *key, uint64_t value)
{
	bool first = w->to.len && w->to.data[w->to.len - 1] == '{';
	return ck_text_addf(w->job, &w->to, "%s\"%s\":%" PRIu64, first ? "" : ",", key, value);
}

/* Rows of a table as a JSON array of objects. */
static bool rows(writer *w, const char *key, size_t count, bool (*row)(writer *w, size_t index))
{
	if (!raw(w, ",\"") || !raw(w, key) || !raw(w, "\":["))
		return false;
	for (size_t i = 0; i < count; i++)
		if ((i && !raw(w, ",")) || !raw(w, "{") || !row(w, i) || !raw(w, "}") ||
		    (w->to.len > PIECE && !flush(w)))
			return false;
	return raw(w, "]");
}

static bool origin(writer *w, size_t i)
{
	const ck_origin *o = &w->l->shown.origins[i];
	return text(w, "what", o->what) && text(w, "value", o->value) && text(w, "means", o->means);
}

static bool dtype(writer *w, size_t i)
{
	const ck_dtype_total *d = &w->l->shown.dtypes[i];
	return text(w, "dtype", d->dtype) && number(w, "tensors", d->tensors) &&
	       number(w, "elements", d->elements) && number(w, "bytes", d->bytes);
}

static bool tensor(writer *w, size_t i)
{
	const ck_entry *entry = &w->l->model->entries[i];
	const ck_tensor *t = entry->tensor;
	const ck_dtype_row *row = &ck_dtype_table[t->dtype];
	if (!raw(w, "\"name\":") || !name(w, entry->name, entry->name_len) ||
	    !text(w, "dtype", row->safetensors) || !text(w, "torch_dtype", row->torch) ||
	    !raw(w, ",\"shape\":["))
		return false;
	for (size_t d = 0; d < t->ndim; d++)
		if (!ck_text_addf(w->job, &w->to, "%s%" PRIu64, d ? "," : "", t->shape[d]))
			return false;
	return raw(w, "]") && number(w, "elements", t->count) && number(w, "bytes", t->bytes) &&
	       number(w, "storage", t->storage->number);
}

static bool together(writer *w, const ck_looking_row *row)
{
	if (!number(w, "bytes", row->bytes) || !raw(w, ",\"names\":["))
		return false;
	for (size_t i = 0; i < row->count; i++)
		if ((i && !raw(w, ",")) ||
		    !name(w, row->entries[i]->name, row->entries[i]->name_len))
			return false;
	return raw(w, "]");
}

static bool tie(writer *w, size_t i)
{
	return together(w, &w->l->ties.row[i]);
}

static bool shared(writer *w, size_t i)
{
	return together(w, &w->l->shared.row[i]);
}

static bool value(writer *w, size_t i)
{
	const ck_value_row *v = &w->l->shown.values[i];
	return text(w, "key", *v->name ? v->name : NULL) && number(w, "count", v->count) &&
	       text(w, "text", v->text);
}

static bool rest(writer *w, size_t i)
{
	const ck_rest_row *r = &w->l->shown.rest[i];
	return text(w, "name", r->name) && text(w, "what", r->what) && text(w, "why", r->why);
}

static bool metadata(writer *w, size_t i)
{
	const ck_pair *m = &w->l->model->metadata[i];
	return raw(w, "\"key\":") && name(w, m->key, strlen(m->key)) && raw(w, ",\"value\":") &&
	       name(w, m->value, strlen(m->value));
}

static bool global(writer *w, size_t i)
{
	const ck_global_use *g = &w->l->shown.report->globals[i];
	return text(w, "module", g->module) && text(w, "name", g->name) &&
	       text(w, "verdict", ck_verdict_name(g->verdict)) &&
	       text(w, "how", ck_how_name(g->how)) && number(w, "count", g->count);
}

static bool line(writer *w, size_t i)
{
	const ck_tree_line *t = &w->l->shown.lines[i];
	if (!number(w, "depth", t->depth) || !text(w, "label", t->label) ||
	    !text(w, "dtype", t->dtype) || !raw(w, ",\"shape\":") ||
	    !raw(w, t->dtype ? "[" : "null"))
		return false;
	for (size_t d = 0; d < t->ndim; d++)
		if (!ck_text_addf(w->job, &w->to, "%s%" PRIu64, d ? "," : "", t->shape[d]))
			return false;
	return (!t->dtype || raw(w, "]")) && text(w, "like", t->like) &&
	       number(w, "tensors", t->tensors) && number(w, "bytes", t->bytes);
}

static bool add_path(writer *w)
{
	return ck_text_addf(w->job, &w->to, "{\"schema\":%d,", CK_INSPECT_SCHEMA) &&
	       ck_json_path(w->job, &w->to, w->l->shown.path);
}

static bool add_head(writer *w)
{
	const ck_inspection *s = &w->l->shown;
	return add_path(w) && text(w, "format", s->format) && number(w, "size", s->size) &&
	       text(w, "verdict", ck_verdict_name(s->report->verdict)) &&
	       number(w, "findings", s->report->finding_count + s->report->findings_left_out) &&
	       text(w, "error", s->error) && raw(w, ",\"complete\":") &&
	       raw(w, s->error ? "false" : "true") && text(w, "torch_since", s->since) &&
	       number(w, "tensor_count", s->tensors) && number(w, "elements", s->elements) &&
	       number(w, "bytes", s->bytes) && number(w, "storages", s->storages) &&
	       number(w, "storage_bytes", s->storage_bytes) && text(w, "root", s->root) &&
	       number(w, "root_tensors", s->root ? s->root_tensors : s->tensors) &&
	       number(w, "value_count", s->values_total);
}

bool ck_inspection_json(const ck_inspection *inspection,
                        bool (*put)(void *arg, const char *text, size_t len), void *arg)
{
	ck_looking *l = (ck_looking *)(uintptr_t)inspection; /* made here */
	const ck_inspection *s = inspection;
	writer w = {.l = l, .job = l->job, .put = put, .arg = arg};
	return add_head(&w) && rows(&w, "origins", s->origin_count, origin) &&
	       rows(&w, "dtypes", s->dtype_count, dtype) &&
	       rows(&w, "globals", s->report->global_count, global) &&
	       rows(&w, "metadata", s->metadata_count, metadata) &&
	       rows(&w, "values", s->value_rows, value) && rows(&w, "rest", s->rest_count, rest) &&
	       rows(&w, "ties", s->tie_count, tie) &&
	       rows(&w, "shared_storages", s->shared_count, shared) &&
	       rows(&w, "tree", s->line_count, line) && rows(&w, "tensors", s->tensors, tensor) &&
	       raw(&w, "}") && flush(&w);
}
