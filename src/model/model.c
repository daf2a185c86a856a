/* The list of tensors and other values, and the paths by which they were reached. */
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const ck_path *ck_path_new(ck_job *job, const ck_path *up, const char *key, size_t len,
                           bool is_text)
{
	ck_path *path = ck_alloc(job, sizeof *path);
	if (!path)
		return NULL;
	*path = (ck_path){.up = up, .key = key, .key_len = len, .is_text = is_text};
	if (up) {
		path->depth = up->depth + 1;
		path->name_len = up->name_len + len + (up->depth > 0);
	}
	return path;
}

const ck_path *ck_path_beside(ck_job *job, const ck_path *up, const char *key)
{
	ck_path *path = ck_alloc(job, sizeof *path);
	const ck_path *like = path ? ck_path_new(job, up, key, strlen(key), true) : NULL;
	if (!like)
		return NULL;
	*path = *like;
	path->is_beside = true;
	return path;
}

char *ck_path_name(ck_job *job, const ck_path *path, const ck_path *root, size_t *len)
{
	*len = path->name_len - root->name_len;
	if (path != root && root->depth)
		--*len; /* the dot behind the root's own name */
	if (!ck_within(job, "", name, *len))
		return NULL;
	char *name = ck_alloc(job, *len + 1), *end = name + *len;
	for (; name && path != root; path = path->up) {
		end -= path->key_len;
		if (path->key_len)
			memcpy(end, path->key, path->key_len);
		if (end > name)
			*--end = '.';
	}
	return name;
}

bool ck_path_is_below(const ck_path *path, const ck_path *root)
{
	while (path && path->depth > root->depth)
		path = path->up;
	return path == root;
}

static void show_keys(const ck_path *path, char *to, size_t size)
{
	/* from the root down; deep paths lose their middle, not their ends */
	enum { SHOWN_MAX = 6 };
	const ck_path *chain[SHOWN_MAX];
	size_t count = 0;
	for (; path && path->depth && count < SHOWN_MAX; path = path->up)
		chain[count++] = path;
	size_t used = path && path->depth ? (size_t)snprintf(to, size, "[...]") : 0;
	while (count--) {
		char key[40];
		ck_show_to(key, sizeof key, chain[count]->key, chain[count]->key_len);
		int wrote = snprintf(to + used, size - used,
		                     chain[count]->is_text ? "['%s']" : "[%s]", key);
		used += (size_t)wrote < size - used ? (size_t)wrote : size - used - 1;
	}
	to[used] = 0;
}

ck_shown ck_path_show(const ck_path *path)
{
	ck_shown shown;
	show_keys(path, shown.s, sizeof shown.s);
	return shown;
}

/* Whoever looks at an entry later may follow its path to the root. */
static bool charge_path(ck_job *job, ck_model *model, const ck_path *path)
{
	model->name_bytes += path->name_len;
	return ck_within(job, model->source->label, text, model->name_bytes);
}

bool ck_model_name_file(ck_job *job, ck_model *model, const char *label)
{
	const char **grown = ck_grow(job, model->labels, &model->label_cap, model->files + 1,
	                             sizeof *grown);
	if (!grown)
		return false;
	model->labels = grown;
	grown[model->files] = label;
	return true;
}

bool ck_model_add(ck_job *job, ck_model *model, const ck_path *path, ck_tensor *tensor)
{
	if (!ck_within(job, model->source->label, tensors, model->count + 1) ||
	    !charge_path(job, model, path))
		return false;
	ck_entry *grown =
		ck_grow(job, model->entries, &model->cap, model->count + 1, sizeof *grown);
	if (!grown)
		return false;
	model->entries = grown;
	grown[model->count++] =
		(ck_entry){.path = path, .tensor = tensor, .file = model->files};
	return true;
}

bool ck_model_add_other(ck_job *job, ck_model *model, const ck_path *path, const char *what,
                        ck_other_kind kind)
{
	ck_other *last = model->other_count ? &model->others[model->other_count - 1] : NULL;
	if (last && last->path == path && last->kind == kind && kind <= CK_OTHER_ASIDE) {
		last->count++;
		return true;
	}
	if (!charge_path(job, model, path))
		return false;
	ck_other *grown = ck_grow(job, model->others, &model->other_cap, model->other_count + 1,
	                          sizeof *grown);
	if (!grown)
		return false;
	model->others = grown;
	grown[model->other_count++] = (ck_other){path, what, kind, 1};
	model->other_tensors += kind > CK_OTHER_ASIDE;
	return true;
}

bool ck_model_add_fact(ck_job *job, ck_model *model, const ck_path *path, const char *key,
                       const char *value)
{
	ck_fact *grown = ck_grow(job, model->facts, &model->fact_cap, model->fact_count + 1,
	                         sizeof *grown);
	if (!grown)
		return false;
	model->facts = grown;
	grown[model->fact_count++] = (ck_fact){path, key, value};
	return true;
}

bool ck_model_add_metadata(ck_job *job, ck_model *model, const char *key, const char *value)
{
	ck_pair *grown = ck_grow(job, model->metadata, &model->metadata_cap,
	                         model->metadata_count + 1, sizeof *grown);
	if (!grown)
		return false;
	model->metadata = grown;
	grown[model->metadata_count++] = (ck_pair){.key = key, .value = value};
	return true;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const ck_pair *)a)->key, ((const ck_pair *)b)->key);
}

bool ck_model_settle_metadata(ck_job *job, ck_model *model)
{
	size_t kept = 0;
	if (model->metadata_count)
		qsort(model->metadata, model->metadata_count, sizeof *model->metadata, by_key);
	for (size_t i = 0; i < model->metadata_count; i++) {
		const ck_pair *pair = &model->metadata[i];
		const ck_pair *last = kept ? &model->metadata[kept - 1] : NULL;
		if (!last || strcmp(last->key, pair->key) != 0)
			model->metadata[kept++] = *pair;
		else if (strcmp(last->value, pair->value) != 0)
			return ck_fail(job, CK_UNSUPPORTED, model->source->label,
			               "two values of the metadata would both be called '%s'",
			               ck_show(pair->key, strlen(pair->key)).s);
	}
	model->metadata_count = kept;
	return true;
}

bool ck_model_add_trace(ck_job *job, ck_model *model, const ck_trace *trace)
{
	for (size_t i = 0; i < model->trace_count; i++)
		if (!strcmp(model->traces[i].what, trace->what) &&
		    !strcmp(model->traces[i].value, trace->value))
			return true;
	if (model->trace_count == CK_TRACES_MAX)
		return true;
	ck_trace *grown = ck_grow(job, model->traces, &model->trace_cap, model->trace_count + 1,
	                          sizeof *grown);
	if (!grown)
		return false;
	model->traces = grown;
	grown[model->trace_count++] = *trace;
	return true;
}
