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

/* Brings tensors of one storage and one start together; the rest of the view is compared later. */
static int by_view(const void *a, const void *b)
{
	const ck_entry *x = *(const ck_entry *const *)a, *y = *(const ck_entry *const *)b;
	const ck_tensor *s = x->tensor, *t = y->tensor;
	if (s->storage->number != t->storage->number)
		return s->storage->number < t->storage->number ? -1 : 1;
	if (s->start != t->start)
		return s->start < t->start ? -1 : 1;
	if (s->bytes != t->bytes)
		return s->bytes < t->bytes ? -1 : 1;
	return by_name(x, y);
}

static bool same_group(const ck_entry *a, const ck_entry *b)
{
	return a->tensor->storage == b->tensor->storage && a->tensor->start == b->tensor->start &&
	       a->tensor->bytes == b->tensor->bytes;
}

/* A name that cannot stand in the metadata is kept, and so comes before the writer's own checks.
 * "format" is taken: readers look there for "pt". */
static bool can_be_recorded(const ck_entry *entry)
{
	return strcmp(entry->name, "format") != 0 && !memchr(entry->name, 0, entry->name_len) &&
	       ck_utf8_valid(entry->name, entry->name_len);
}

/* Drops what is the same view as an entry before it in its group; dropped entries lose their
 * tensor. A group holds few different views, so comparing with the kept ones is enough. */
static bool drop_group(ck_job *job, ck_model *model, ck_entry **group, size_t count)
{
	size_t kept = 1;
	for (size_t i = 1; i < count; i++) {
		size_t k = 0;
		while (k < kept && !ck_tensor_same_view(group[k]->tensor, group[i]->tensor))
			k++;
		if (k == kept || !can_be_recorded(group[i])) {
			group[kept++] = group[i];
			continue;
		}
		if (!ck_model_add_metadata(job, model, group[i]->name, group[k]->name))
			return false;
		group[i]->tensor->same = group[k]->tensor;
		group[i]->tensor = NULL;
	}
	return true;
}

bool ck_edit_ties(ck_job *job, ck_model *model, ck_ties ties)
{
	if (ties == CK_TIES_KEEP)
		return true;
	ck_entry **sorted = ck_alloc_array(job, model->count + 1, sizeof *sorted);
	if (!sorted)
		return false;
	for (size_t i = 0; i < model->count; i++)
		sorted[i] = &model->entries[i];
	if (model->count)
		qsort(sorted, model->count, sizeof *sorted, by_view);
	for (size_t first = 0, end; first < model->count; first = end) {
		for (end = first + 1; end < model->count && same_group(sorted[first], sorted[end]);)
			end++;
		if (!drop_group(job, model, sorted + first, end - first))
			return false;
	}
	size_t kept = 0;
	for (size_t i = 0; i < model->count; i++)
		if (model->entries[i].tensor)
			model->entries[kept++] = model->entries[i];
	model->count = kept;
	return true;
}
