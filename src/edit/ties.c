/* Tied weights: names that stand for the very same elements. */
#include "edit.h"

#include <stdlib.h>
#include <string.h>

static int by_name(const ck_entry *a, const ck_entry *b)
{
	size_t len = a->name_len < b->name_len ? a->name_len : b->name_len;
	int order = memcmp(a->name, b->name, len);
	return order ? order : (a->name_len > b->name_len) - (a->name_len < b->name_len);
}

static int by_number(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* Brings tensors that are the same view together, by name among themselves. The stride of a
 * dimension of one element says nothing. */
static int by_view(const void *a, const void *b)
{
	const ck_entry *x = *(const ck_entry *const *)a, *y = *(const ck_entry *const *)b;
	const ck_tensor *s = x->tensor, *t = y->tensor;
	uint64_t left[] = {s->storage->number, s->start, s->dtype, ck_tensor_held(s),
	                   s->conj, s->neg, s->ndim};
	uint64_t right[] = {t->storage->number, t->start, t->dtype, ck_tensor_held(t),
	                    t->conj, t->neg, t->ndim};
	int order = 0;
	for (size_t i = 0; i < CK_COUNT(left) && !order; i++)
		order = by_number(left[i], right[i]);
	for (size_t d = 0; !order && d < s->ndim; d++) {
		order = by_number(s->shape[d], t->shape[d]);
		if (!order && s->shape[d] != 1)
			order = by_number(s->stride[d], t->stride[d]);
	}
	return order ? order : by_name(x, y);
}

/* A name that cannot stand in the metadata is kept, and so comes before the writer's own checks.
 * "format" is taken: readers look there for whose tensors these are. */
static bool can_be_recorded(const ck_entry *entry)
{
	return strcmp(entry->name, "format") != 0 && !memchr(entry->name, 0, entry->name_len) &&
	       ck_utf8_valid(entry->name, entry->name_len);
}

/* Of entries in the order of by_view, each that is the same view as the last kept one before it is
 * dropped: it loses its tensor. */
static bool drop_same(ck_job *job, ck_model *model, ck_entry **sorted)
{
	ck_entry *kept = sorted[0];
	for (size_t i = 1; i < model->count; i++) {
		ck_entry *entry = sorted[i];
		if (!ck_tensor_same_view(kept->tensor, entry->tensor)) {
			kept = entry;
			continue;
		}
		if (!can_be_recorded(entry))
			continue;
		if (!ck_model_add_metadata(job, model, entry->name, kept->name))
			return false;
		model->metadata[model->metadata_count - 1].tie = true;
		entry->tensor->same = kept->tensor;
		entry->tensor = NULL;
	}
	return true;
}

ck_entry **ck_edit_by_view(ck_job *job, ck_model *model)
{
	ck_entry **sorted = ck_alloc_array(job, model->count + 1, sizeof *sorted);
	if (!sorted)
		return NULL;
	for (size_t i = 0; i < model->count; i++)
		sorted[i] = &model->entries[i];
	qsort(sorted, model->count, sizeof *sorted, by_view);
	return sorted;
}

bool ck_edit_ties(ck_job *job, ck_model *model, ck_ties ties)
{
	if (ties == CK_TIES_KEEP)
		return true;
	ck_entry **sorted = ck_edit_by_view(job, model); /* a model has tensors */
	if (!sorted || !drop_same(job, model, sorted))
		return false;
	size_t kept = 0;
	for (size_t i = 0; i < model->count; i++)
		if (model->entries[i].tensor)
			model->entries[kept++] = model->entries[i];
	model->count = kept;
	return true;
}
