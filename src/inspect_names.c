/* What an inspection tells by names: the folded tree, names of one view, and shared storages. */
#include "inspect.h"

#include <stdlib.h>

#include "fold.h"

/* ---- the tree ---- */

static bool fold(ck_looking *l, ck_job *job)
{
	const ck_model *model = l->model;
	ck_folded folded;
	ck_fold_leaf *leaves = ck_alloc_array(job, model->count + 1, sizeof *leaves);
	if (!leaves)
		return false;
	for (size_t i = 0; i < model->count; i++) {
		const ck_entry *entry = &model->entries[i];
		leaves[i] = (ck_fold_leaf){
			.name = entry->name, .len = entry->name_len,
			.dtype = ck_looking_dtype(entry->tensor), .ndim = entry->tensor->ndim,
			.shape = entry->tensor->shape, .bytes = entry->tensor->bytes,
		};
	}
	if (!ck_fold(job, leaves, model->count, &folded))
		return false;
	ck_tree_line *lines = ck_alloc_array(job, folded.count + 1, sizeof *lines);
	if (!lines)
		return false;
	for (size_t i = 0; i < folded.count; i++) {
		const ck_fold_line *from = &folded.lines[i];
		lines[i] = (ck_tree_line){.depth = from->depth, .label = from->label,
		                          .like = from->like, .near = from->near,
		                          .tensors = from->tensors,
		                          .bytes = from->bytes};
		if (!from->leaf)
			continue;
		lines[i].dtype = from->leaf->dtype;
		lines[i].ndim = from->leaf->ndim;
		lines[i].shape = from->leaf->shape;
	}
	l->shown.lines = lines;
	l->shown.line_count = folded.count;
	return true;
}

static void close_job(void *job)
{
	ck_base_job_free(job);
}

/* In a job of its own: what is too much for a tree is not too much for all else. */
bool ck_looking_fold(ck_looking *l)
{
	ck_job *own = ck_base_job_within(l->job);
	if (!own)
		return ck_fail_nomem(l->job);
	if (fold(l, own))
		return ck_defer(l->job, close_job, own);
	bool limit = own->error.status == CK_LIMIT;
	if (limit)
		ck_note(l->job, "its names are too many or too long to be folded: %s; --tensors "
		        "lists them all", own->error.text);
	else
		ck_fail_as(l->job, &own->error);
	ck_base_job_free(own);
	return limit;
}

/* ---- ties ---- */

static bool add(ck_looking *l, ck_looking_rows *to, ck_entry *const *entries, size_t count,
                uint64_t bytes)
{
	ck_looking_row *grown = ck_grow(l->job, to->row, &to->cap, to->count + 1, sizeof *grown);
	if (!grown)
		return false;
	to->row = grown;
	grown[to->count++] = (ck_looking_row){entries, count, bytes};
	return true;
}

/* The same with printable names. */
static const ck_together *show(ck_looking *l, const ck_looking_rows *from)
{
	ck_together *rows = ck_alloc_array(l->job, from->count + 1, sizeof *rows);
	for (size_t i = 0; rows && i < from->count; i++) {
		const ck_looking_row *row = &from->row[i];
		const char **names = ck_alloc_array(l->job, row->count, sizeof *names);
		for (size_t k = 0; names && k < row->count; k++) {
			const ck_entry *entry = row->entries[k];
			names[k] = ck_looking_text(l->job, entry->name, entry->name_len);
			if (!names[k])
				return NULL;
		}
		if (!names)
			return NULL;
		rows[i] = (ck_together){names, row->count, row->bytes};
	}
	return rows;
}

static bool same_view(const ck_entry *a, const ck_entry *b)
{
	return ck_tensor_same_view(a->tensor, b->tensor);
}

/* Views of one storage: those that are the same are a tie; if there are others, all of them share
 * the storage. */
static bool tell_storage(ck_looking *l, ck_entry *const *entries, size_t count)
{
	size_t views = 0;
	for (size_t i = 0, end; i < count; i = end, views++) {
		for (end = i + 1; end < count && same_view(entries[i], entries[end]);)
			end++;
		if (end - i > 1 &&
		    !add(l, &l->ties, entries + i, end - i, entries[i]->tensor->bytes))
			return false;
	}
	return views < 2 ||
	       add(l, &l->shared, entries, count, entries[0]->tensor->storage->size);
}

static uint64_t sum(uint64_t a, uint64_t b)
{
	uint64_t total;
	return ck_add(a, b, &total) ? total : UINT64_MAX;
}

bool ck_looking_ties(ck_looking *l)
{
	size_t count = l->model->count;
	ck_entry **sorted = ck_edit_by_view(l->job, l->model);
	if (!sorted)
		return false;
	for (size_t i = 0, end; i < count; i = end) {
		const ck_storage *storage = sorted[i]->tensor->storage;
		for (end = i + 1; end < count && sorted[end]->tensor->storage == storage;)
			end++;
		l->shown.storages++;
		l->shown.storage_bytes = sum(l->shown.storage_bytes, storage->size);
		if (!tell_storage(l, sorted + i, end - i))
			return false;
	}
	l->shown.ties = show(l, &l->ties);
	l->shown.tie_count = l->ties.count;
	l->shown.shared = show(l, &l->shared);
	l->shown.shared_count = l->shared.count;
	return l->shown.ties && l->shown.shared;
}
