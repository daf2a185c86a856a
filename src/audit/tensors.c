/* Holds what a checkpoint says of its tensors against the data that it has, which is read in small
 * files only: the loader that converts files is asked, so that scanning and converting cannot
 * disagree. */
#include <string.h>

#include "look.h"

enum {
	EXPANDED_FREE = 256 << 20, /* bytes of all tensors that no limit counts */
	SMALL = 64 << 20, /* files up to this size are read as a whole, their checksums checked */
};

#define LLU(x) ((unsigned long long)(x))

/* What the pickles themselves have wrong was found when they were judged. */
static bool is_known(const ck_audit *audit, const ck_error *error)
{
	for (size_t i = 0; i < audit->finding_count; i++)
		if (!strcmp(audit->findings[i].why, error->text))
			return true;
	return false;
}

/* Labels begin with the path of the file, which a finding has already. */
static const char *place_in(const ck_audit *audit, const char *where)
{
	ck_shown path = ck_show(audit->file->label, strlen(audit->file->label));
	size_t len = strlen(path.s);
	if (strncmp(where, path.s, len))
		return where;
	where += len;
	return strncmp(where, ": ", 2) ? where : where + 2;
}

static bool tell_failure(ck_audit *audit, const ck_place *place, const ck_error *error)
{
	ck_rule rule = error->status == CK_LIMIT ? CK_RULE_OVER_LIMIT : CK_RULE_BROKEN_CHECKPOINT;
	const char *inside = place_in(audit, error->where);
	if ((error->status != CK_CORRUPT && error->status != CK_LIMIT) || is_known(audit, error))
		return true;
	if (error->status == CK_LIMIT)
		audit->incomplete = true;
	return ck_audit_say(audit, rule, place, CK_NO_OFFSET, 0, "%s%s%s", inside,
	                    *inside && *error->text ? ": " : "", error->text);
}

/* ---- tensors that are all right for torch, and still odd ---- */

/* Stepping through the elements in the order of their addresses, each dimension must step over all
 * that the smaller ones reach. */
static bool overlaps_itself(const ck_tensor *tensor)
{
	bool done[CK_DIMS_MAX] = {false};
	uint64_t reach = 1; /* elements from the first to the last, so far */
	if (!tensor->count)
		return false;
	for (size_t n = 0; n < tensor->ndim; n++) {
		size_t next = tensor->ndim;
		for (size_t i = 0; i < tensor->ndim; i++)
			if (!done[i] && (next == tensor->ndim ||
			                 tensor->stride[i] < tensor->stride[next]))
				next = i;
		done[next] = true;
		if (tensor->shape[next] < 2)
			continue;
		if (tensor->stride[next] < reach)
			return true;
		reach += (tensor->shape[next] - 1) * tensor->stride[next];
	}
	return false;
}

static bool check_tensor(ck_audit *audit, const ck_place *place, const ck_entry *entry)
{
	return !overlaps_itself(entry->tensor) ||
	       ck_audit_say(audit, CK_RULE_OVERLAPPING_TENSOR, place, CK_NO_OFFSET, 0,
	                    "elements of tensor %s share their bytes", ck_path_show(entry->path).s);
}

/* As conversions count it. */
static bool check_sum(ck_audit *audit, const ck_place *place, const ck_model *model)
{
	uint64_t total = 0, most;
	for (size_t i = 0; i < model->count; i++)
		if (model->entries[i].tensor &&
		    !ck_add(total, model->entries[i].tensor->bytes, &total))
			total = UINT64_MAX;
	if (total <= EXPANDED_FREE ||
	    !ck_mul(place->source->size, audit->job->limits.expand, &most) || total <= most)
		return true;
	return ck_audit_say(audit, CK_RULE_EXPANDED_TENSOR, place, CK_NO_OFFSET, 0,
	                    "the tensors make %s of a file of %llu", ck_many(total, "byte").s,
	                    LLU(place->source->size));
}

/* There is nothing to follow them for. */
static bool check_circles(ck_audit *audit, const ck_place *place, const ck_model *model)
{
	return model->count || !audit->circles ||
	       ck_audit_say(audit, CK_RULE_EXPANDS, place, CK_NO_OFFSET, 0,
	                    "a value holds itself, so that following it never ends, and there is "
	                    "no tensor in the file");
}

static bool check_all(ck_audit *audit, const ck_place *place, const ck_model *model)
{
	if (!check_sum(audit, place, model) || !check_circles(audit, place, model))
		return false;
	for (size_t i = 0; i < model->count; i++)
		if (model->entries[i].tensor &&
		    !check_tensor(audit, place, &model->entries[i]))
			return false;
	return true;
}

/* Each storage once. False: one is damaged, as the job's error says. */
static bool check_data(ck_job *own, const ck_model *model)
{
	bool *seen = ck_alloc_array(own, model->storages + 1, sizeof *seen);
	for (size_t i = 0; seen && i < model->count; i++) {
		ck_storage *storage = model->entries[i].tensor ? model->entries[i].tensor->storage
		                                               : NULL;
		if (!storage || seen[storage->number])
			continue;
		seen[storage->number] = true;
		if (!ck_storage_check(own, storage))
			return false;
	}
	return seen;
}

/* Pickles without any name that is known make no tensors, and have been judged as a whole, except
 * for values that hold themselves. */
static bool has_none(const ck_audit *audit, const ck_layout *layout, bool pure)
{
	return pure && layout == &ck_layout_pickle && !audit->meaningful && !audit->circles;
}

/* Which loader takes the file; *opened is false if none can look into it: that is for those to tell
 * who looked at its structure. The job is one of its own, so that no directory is held twice. */
static bool find_layout(ck_audit *audit, const ck_source *source, const ck_layout **layout,
                        bool *opened)
{
	unsigned char head[CK_HEAD];
	ck_input in;
	ck_job *own = ck_look_job(audit);
	if (!own)
		return false;
	*layout = ck_input_open(own, source, head, &in) ? ck_layout_find(own, &in) : NULL;
	*opened = own->error.status == CK_OK;
	return ck_look_done(audit, own);
}

bool ck_audit_tensors(ck_audit *audit, const ck_source *source, const char *member, bool pure)
{
	bool opened;
	const ck_layout *layout;
	ck_place place = {member, source, 0};
	if (!find_layout(audit, source, &layout, &opened) || !opened)
		return audit->job->error.status == CK_OK;
	if (has_none(audit, layout, pure))
		return true;
	ck_job *own = ck_look_job(audit);
	if (!own)
		return false;
	/* without a layout it tells by which sentence the file is refused */
	ck_limits_follow(own, source->size);
	const ck_loaded *loaded = ck_load(own, source, &(ck_wishes){.everything = true});
	bool whole = loaded && (source->size > SMALL || check_data(own, loaded->model));
	bool ok = !ck_look_is_fatal(&own->error);
	if (ok && !whole && layout)
		ok = tell_failure(audit, &place, &own->error);
	if (ok && !loaded && !(layout && layout->name))
		ok = ck_promise_check(audit, &place, &own->error);
	if (ok && loaded)
		ok = check_all(audit, &place, loaded->model);
	return ck_look_done(audit, own) && ok;
}
