/* Models in several files: which tensor goes to which, and the index of what the finished files
 * hold, as Hugging Face's libraries read it. */
#include "save.h"

#include <stdlib.h>
#include <string.h>

/* ---- which tensor goes to which file ---- */

/* Files in the making: `number` of each tensor is that of its file, in the order in which files are
 * begun; `place` of each file its place among all, in the order in which they are full. */
typedef struct {
	size_t *number, *place;
	size_t begun, full;
} spread;

/* Those of one input file to one. */
static void spread_by_file(const ck_model *model, spread *s)
{
	for (size_t i = 0; i < model->count; i++) {
		if (!i || model->entries[i].file != model->entries[i - 1].file)
			s->place[s->begun++] = s->full++;
		s->number[i] = s->begun - 1;
	}
}

/* As split_torch_state_dict_into_shards of huggingface_hub: what is larger than `most` has a file
 * of its own, and others are filled one after the other. */
static void spread_by_size(const ck_model *model, uint64_t most, spread *s)
{
	size_t open = SIZE_MAX; /* the file that is being filled */
	uint64_t held = 0;
	for (size_t i = 0; i < model->count; i++) {
		const uint64_t bytes = model->entries[i].tensor->bytes;
		const bool alone = bytes > most;
		if (!alone && open != SIZE_MAX && bytes > most - held) {
			s->place[open] = s->full++;
			open = SIZE_MAX;
		}
		s->number[i] = alone || open == SIZE_MAX ? s->begun++ : open;
		if (alone) {
			s->place[s->number[i]] = s->full++;
			continue;
		}
		held = open == SIZE_MAX ? bytes : held + bytes;
		open = s->number[i];
	}
	if (open != SIZE_MAX)
		s->place[open] = s->full++;
}

/* Brings the tensors of each file together, in the order that they have. */
static bool sort_by_file(ck_job *job, ck_model *model, const spread *s, ck_shards *shards)
{
	ck_entry *sorted = ck_alloc_array(job, model->count + 1, sizeof *sorted);
	size_t *next = ck_alloc_array(job, s->full + 2, sizeof *next);
	shards->count = s->full;
	shards->first = ck_alloc_array(job, s->full + 1, sizeof *shards->first);
	if (!sorted || !next || !shards->first)
		return false;
	for (size_t i = 0; i < model->count; i++)
		next[s->place[s->number[i]] + 1]++;
	for (size_t f = 0; f < s->full; f++) {
		shards->first[f] = next[f];
		next[f + 1] += next[f];
	}
	shards->first[s->full] = model->count;
	for (size_t i = 0; i < model->count; i++)
		sorted[next[s->place[s->number[i]]]++] = model->entries[i];
	model->entries = sorted;
	return true;
}

bool ck_shards_plan(ck_job *job, ck_model *model, uint64_t most, ck_shards *shards)
{
	spread s = {.number = ck_alloc_array(job, model->count + 1, sizeof *s.number),
	            .place = ck_alloc_array(job, model->count + 1, sizeof *s.place)};
	if (!s.number || !s.place)
		return false;
	if (most)
		spread_by_size(model, most, &s);
	else
		spread_by_file(model, &s);
	return sort_by_file(job, model, &s, shards);
}

static bool save_part(ck_job *job, const ck_writer *writer, const ck_model *model,
                      const ck_target *target)
{
	ck_model part = *model;
	/* the writer puts something of its own into the list */
	part.metadata = NULL;
	part.metadata_count = part.metadata_cap = 0;
	for (size_t i = 0; i < model->metadata_count; i++)
		if (!ck_model_add_metadata(job, &part, model->metadata[i].key,
		                           model->metadata[i].value))
			return false;
	return ck_save(job, writer, &part, target);
}

/* A job for each, so that the memory of one is there for the next. */
bool ck_shards_save(ck_job *job, const ck_writer *writer, const ck_model *model,
                    const ck_shards *shards, const ck_target *targets)
{
	bool ok = true;
	for (size_t i = 0; ok && i < shards->count; i++) {
		ck_job *own = ck_base_job_within(job);
		ck_model part = *model;
		if (!own)
			return ck_fail_nomem(job);
		own->note = job->note;
		part.entries += shards->first[i];
		part.count = shards->first[i + 1] - shards->first[i];
		ok = save_part(own, writer, &part, &targets[i]) || ck_fail_as(job, &own->error);
		ck_base_job_free(own);
	}
	return ok;
}

/* ---- the index ---- */

typedef struct {
	const char *name;
	size_t len;
	const char *file;
} row;

typedef struct {
	row *rows;
	size_t count, cap;
	uint64_t bytes;
} table;

static bool add_file(ck_job *job, const ck_file *file, table *t)
{
	const ck_source *source = ck_file_source(job, file);
	const ck_safetensors *read = source ? ck_safetensors_read(job, source) : NULL;
	row *grown = read ? ck_grow(job, t->rows, &t->cap, t->count + read->count + 1,
	                            sizeof *grown) : NULL;
	if (!grown)
		return false;
	t->rows = grown;
	const char *slash = strrchr(file->path, '/'); /* a link may lead to another name */
	const char *name = slash ? slash + 1 : file->path;
	for (size_t i = 0; i < read->count; i++) {
		const ck_st_tensor *tensor = &read->tensors[i];
		grown[t->count++] = (row){tensor->name, tensor->name_len, name};
		t->bytes += tensor->end - tensor->begin;
	}
	return true;
}

static int by_name(const void *a, const void *b)
{
	const row *x = a, *y = b;
	int order = memcmp(x->name, y->name, x->len < y->len ? x->len : y->len);
	return order ? order : (x->len > y->len) - (x->len < y->len);
}

static bool print(ck_job *job, const table *t, ck_text *to)
{
	if (!ck_text_addf(job, to, "{\n  \"metadata\": {\n    \"total_size\": %llu\n  },\n"
	                  "  \"weight_map\": {", (unsigned long long)t->bytes))
		return false;
	for (size_t i = 0; i < t->count; i++) {
		const row *r = &t->rows[i];
		if (!ck_text_addf(job, to, "%s\n    ", i ? "," : "") ||
		    !ck_json_string(job, to, r->name, r->len) || !ck_text_add(job, to, ": ", 2) ||
		    !ck_json_string(job, to, r->file, strlen(r->file)))
			return false;
	}
	return ck_text_addf(job, to, "\n  }\n}\n");
}

static bool write_index(ck_job *job, const ck_target *targets, size_t count, ck_file *index)
{
	table t = {0};
	ck_text text = {0};
	for (size_t i = 0; i < count; i++)
		if (!add_file(job, targets[i].file, &t))
			return false;
	qsort(t.rows, t.count, sizeof *t.rows, by_name);
	for (size_t i = 1; i < t.count; i++)
		if (!by_name(&t.rows[i - 1], &t.rows[i]))
			return ck_fail(job, CK_CORRUPT, index->path,
			               "'%s' was written to two files, which are not kept; please "
			               "report this, with the input",
			               ck_show(t.rows[i].name, t.rows[i].len).s);
	return print(job, &t, &text) && ck_file_resize(job, index, text.len) &&
	       ck_file_write(job, index, 0, text.data, text.len);
}

bool ck_shards_index(ck_job *job, const ck_target *targets, size_t count, ck_file *index)
{
	ck_job *own = ck_base_job_within(job);
	if (!own)
		return ck_fail_nomem(job);
	bool ok = write_index(own, targets, count, index);
	if (!ok)
		ck_fail_as(job, &own->error);
	ck_base_job_free(own);
	return ok;
}
