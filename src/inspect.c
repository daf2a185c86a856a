/* The public API of inspecting: what there is in a model, put together. */
#include "inspect.h"

#include <stdio.h>
#include <stdlib.h>

#include "audit.h"

struct ck_inspect {
	ck_job *job;
	const char *path;
	ck_options options;
	ck_reading *reading;
	bool no_tree;
};

ck_inspect *ck_inspect_open(ck_job *job, const char *path)
{
	job->subject = path;
	ck_inspect *inspect = ck_alloc(job, sizeof *inspect);
	if (!inspect)
		return NULL;
	*inspect = (ck_inspect){.job = job, .path = path};
	ck_options_default(&inspect->options);
	inspect->options.root = ".";
	inspect->reading = ck_reading_open(job, path, &inspect->options);
	return inspect->reading && ck_scratch_prepare(job) ? inspect : NULL;
}

bool ck_inspect_is_open(const ck_inspect *inspect)
{
	return ck_reading_is_open(inspect->reading);
}

void ck_inspect_without_tree(ck_inspect *inspect)
{
	inspect->no_tree = true;
}

const void *ck_inspect_ask(ck_inspect *inspect, size_t *len)
{
	ck_job *own = ck_base_job_within(inspect->job);
	if (!own) {
		ck_fail_nomem(inspect->job);
		return NULL;
	}
	own->subject = inspect->path;
	const void *names = ck_reading_ask(own, inspect->reading, len);
	const void *copy = names ? ck_copy(inspect->job, names, *len) : NULL;
	if (!names)
		ck_fail_as(inspect->job, &own->error);
	ck_base_job_free(own);
	return copy;
}

bool ck_inspect_answer(ck_inspect *inspect, const void *answer, size_t len)
{
	return ck_reading_answer(inspect->reading, answer, len);
}

size_t ck_inspect_descriptors(const ck_inspect *inspect, int *to, size_t max)
{
	size_t count = ck_reading_descriptors(inspect->reading, to, max);
	return count + ck_scratch_descriptors(inspect->job, count < max ? to + count : NULL,
	                                      count < max ? max - count : 0);
}

uint64_t ck_inspect_file_max(const ck_inspect *inspect)
{
	return ck_unpack_most_in_all(inspect->job);
}

/* ---- texts ---- */

const char *ck_looking_text(ck_job *job, const char *text, size_t len)
{
	size_t room = 8 * len + 1; /* whatever is escaped */
	char *shown = ck_alloc(job, room);
	if (!shown)
		return NULL;
	size_t got = ck_show_to(shown, room, text, len);
	ck_take_back(job, shown, room);
	char *kept = ck_alloc(job, got + 1);
	if (kept != shown) /* it was a block of its own, and stays one */
		return kept ? memcpy(kept, shown, got + 1) : NULL;
	ck_show_to(kept, got + 1, text, len);
	return kept;
}

const char *ck_looking_dtype(const ck_tensor *tensor)
{
	const ck_dtype_row *row = &ck_dtype_table[tensor->dtype];
	return row->safetensors ? row->safetensors : row->torch;
}

static uint64_t sum(uint64_t a, uint64_t b)
{
	uint64_t total;
	return ck_add(a, b, &total) ? total : UINT64_MAX;
}

/* ---- tensors ---- */

/* By their paths from the top. A dict that keeps its items as attributes, too, has each of them
 * once. */
static bool name_entries(ck_looking *l)
{
	ck_map seen = {0};
	ck_model *model = l->model;
	size_t kept = 0;
	bool fresh;
	model->root = model->top;
	for (size_t i = 0; i < model->count; i++) {
		ck_entry entry = model->entries[i];
		if (i % 4096 == 0 && ck_stopped(l->job))
			return false;
		entry.name = ck_edit_name(l->job, model, entry.path, &entry.name_len);
		uint64_t *place = entry.name ? ck_map_put(l->job, &seen, entry.name,
		                                          entry.name_len, &fresh) : NULL;
		if (!place)
			return false;
		if (!fresh && model->entries[*place].tensor == entry.tensor)
			continue;
		*place = kept;
		model->entries[kept++] = entry;
	}
	model->count = kept;
	return true;
}

static int by_bytes(const void *a, const void *b)
{
	const ck_dtype_total *s = a, *t = b;
	if (s->bytes != t->bytes)
		return s->bytes < t->bytes ? 1 : -1;
	return strcmp(s->dtype, t->dtype);
}

static bool count_dtypes(ck_looking *l)
{
	ck_dtype_total *all = ck_alloc_array(l->job, CK_DTYPE_COUNT, sizeof *all);
	ck_inspection *shown = &l->shown;
	if (!all)
		return false;
	for (size_t i = 0; i < l->model->count; i++) {
		const ck_tensor *tensor = l->model->entries[i].tensor;
		ck_dtype_total *total = &all[tensor->dtype];
		total->dtype = ck_looking_dtype(tensor);
		total->tensors++;
		total->elements = sum(total->elements, tensor->count);
		total->bytes = sum(total->bytes, tensor->bytes);
		shown->elements = sum(shown->elements, tensor->count);
		shown->bytes = sum(shown->bytes, tensor->bytes);
	}
	size_t count = 0;
	for (size_t i = 0; i < CK_DTYPE_COUNT; i++)
		if (all[i].tensors)
			all[count++] = all[i];
	qsort(all, count, sizeof *all, by_bytes);
	shown->tensors = l->model->count;
	shown->dtypes = all;
	shown->dtype_count = count;
	return true;
}

/* What a conversion would leave out. */
static bool find_root(ck_looking *l)
{
	const ck_model *model = l->model;
	size_t len;
	if (!model->count)
		return true;
	if (!ck_edit_choose(l->job, l->model, "auto"))
		return false;
	const ck_path *root = model->root;
	l->model->root = model->top;
	if (root == model->top)
		return true;
	for (size_t i = 0; i < model->count; i++)
		l->shown.root_tensors += ck_path_is_below(model->entries[i].path, root);
	const char *name = ck_path_name(l->job, root, model->top, &len);
	l->shown.root = name ? ck_looking_text(l->job, name, len) : NULL;
	return l->shown.root;
}

/* ---- all else ---- */

static bool tell_rest(ck_looking *l)
{
	static const char *const why[] = {
		[CK_OTHER_ARRAY] = "with elements that no tensor can have",
		[CK_OTHER_ASIDE] = "which state_dict() does not hold",
		[CK_OTHER_META] = "without data",
		[CK_OTHER_UNSUPPORTED] = "which cannot be written",
	};
	const ck_model *model = l->model;
	size_t count = 0, len;
	ck_rest_row *rows = ck_alloc_array(l->job, model->other_count + 1, sizeof *rows);
	if (!rows)
		return false;
	for (size_t i = 0; i < model->other_count; i++) {
		const ck_other *other = &model->others[i];
		if (other->kind == CK_OTHER_VALUE)
			continue;
		const char *name = ck_edit_name(l->job, model, other->path, &len);
		name = name ? ck_looking_text(l->job, name, len) : NULL;
		if (!name)
			return false;
		rows[count++] = (ck_rest_row){name, other->what, why[other->kind]};
	}
	l->shown.rest = rows;
	l->shown.rest_count = count;
	return true;
}

static bool tell_values(ck_looking *l, ck_loaded *loaded)
{
	ck_peek *peeks;
	size_t count;
	if (!ck_peek_values(loaded, !l->shown.error, &peeks, &count)) {
		l->job->error = loaded->job->error;
		return false;
	}
	ck_value_row *rows = ck_alloc_array(l->job, count + 1, sizeof *rows);
	for (size_t i = 0; rows && i < count; i++) {
		const ck_path *key = peeks[i].key;
		rows[i] = (ck_value_row){.name = "", .count = peeks[i].count,
		                         .text = peeks[i].text};
		if (key->depth)
			rows[i].name = ck_looking_text(l->job, key->key, key->key_len);
		if (!rows[i].name)
			return false;
		l->shown.values_total += peeks[i].count;
	}
	l->shown.values = rows;
	l->shown.value_rows = rows ? count : 0;
	return rows;
}

static bool tell_metadata(ck_looking *l)
{
	const ck_model *model = l->model;
	ck_meta_row *rows = ck_alloc_array(l->job, model->metadata_count + 1, sizeof *rows);
	for (size_t i = 0; rows && i < model->metadata_count; i++) {
		const ck_pair *pair = &model->metadata[i];
		rows[i].key = ck_looking_text(l->job, pair->key, strlen(pair->key));
		rows[i].value = ck_looking_text(l->job, pair->value, strlen(pair->value));
		if (!rows[i].key || !rows[i].value)
			return false;
	}
	l->shown.metadata = rows;
	l->shown.metadata_count = model->metadata_count;
	return rows;
}

static bool tell_origins(ck_looking *l)
{
	const ck_model *model = l->model;
	unsigned since = 0;
	char version[24];
	ck_origin *rows = ck_alloc_array(l->job, model->trace_count + 1, sizeof *rows);
	for (size_t i = 0; rows && i < model->trace_count; i++) {
		const ck_trace *trace = &model->traces[i];
		rows[i] = (ck_origin){trace->what, trace->value, trace->means};
		since = trace->since > since ? trace->since : since;
	}
	l->shown.origins = rows;
	l->shown.origin_count = model->trace_count;
	int len = snprintf(version, sizeof version, "%u.%u", since / 100, since % 100);
	if (since)
		l->shown.since = ck_copy(l->job, version, (size_t)len);
	return rows && (!since || l->shown.since);
}

static bool tell_error(ck_looking *l, const ck_error *error)
{
	ck_text text = {0};
	if (!error)
		return true;
	l->shown.status = error->status;
	bool ok = ck_text_add(l->job, &text, error->where, strlen(error->where)) &&
	          ck_text_add(l->job, &text, ": ", *error->where ? 2 : 0) &&
	          (!error->has_offset ||
	           ck_text_addf(l->job, &text, "byte %llu: ",
	                        (unsigned long long)error->offset)) &&
	          ck_text_add(l->job, &text, error->text, strlen(error->text) + 1);
	l->shown.error = text.data;
	return ok;
}

static void begin(ck_looking *l, const ck_inspect *inspect, const ck_sight *sight)
{
	const char *layout = sight->loaded->model->layout;
	*l = (ck_looking){.job = inspect->job, .model = sight->loaded->model};
	l->shown.path = inspect->path;
	l->shown.report = sight->report;
	l->shown.several = sight->several;
	l->shown.size = sight->report->size;
	l->shown.format = layout ? layout : sight->report->format;
}

/* What was read is too much to be told: then that is. */
static bool tell_limit(ck_looking *l, const ck_inspect *inspect, const ck_sight *sight)
{
	ck_job *job = inspect->job;
	const ck_error error = job->error;
	if (error.status != CK_LIMIT)
		return false;
	job->error = (ck_error){.status = CK_OK};
	ck_report_room(job);
	sight->loaded->model->count = sight->loaded->model->metadata_count = 0;
	begin(l, inspect, sight);
	return tell_error(l, &error);
}

const ck_inspection *ck_inspect_run(ck_inspect *inspect)
{
	ck_sight sight;
	ck_looking *l = ck_alloc(inspect->job, sizeof *l);
	if (!l || !ck_reading_complete(inspect->reading) ||
	    !ck_sight_look(inspect->job, inspect->path, inspect->reading, &sight))
		return NULL;
	begin(l, inspect, &sight);
	bool ok = tell_error(l, sight.error) && name_entries(l) && count_dtypes(l) &&
	          find_root(l) && ck_looking_ties(l) && tell_rest(l) &&
	          tell_values(l, sight.loaded) && tell_metadata(l) && tell_origins(l) &&
	          (inspect->no_tree || ck_looking_fold(l));
	return ok || tell_limit(l, inspect, &sight) ? &l->shown : NULL;
}

bool ck_inspection_tensor(const ck_inspection *inspection, size_t index, ck_inspect_tensor *to)
{
	/* made here, and shown as constant */
	ck_looking *l = (ck_looking *)(uintptr_t)inspection;
	const ck_entry *entry = &l->model->entries[index];
	const ck_tensor *tensor = entry->tensor;
	size_t need = 8 * entry->name_len + 1;
	char *grown = ck_grow(l->job, l->name, &l->name_room, need, 1);
	if (!grown)
		return false;
	l->name = grown;
	ck_show_to(grown, need, entry->name, entry->name_len);
	*to = (ck_inspect_tensor){
		.name = grown, .dtype = ck_looking_dtype(tensor),
		.torch_dtype = ck_dtype_table[tensor->dtype].torch, .ndim = tensor->ndim,
		.shape = tensor->shape, .elements = tensor->count, .bytes = tensor->bytes,
		.storage = tensor->storage->number,
	};
	return true;
}
