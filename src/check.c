/* --check: what was written is read again, and every tensor compared with what was to be written,
 * on another way than the one that the bytes took: block by block, and not by the copy engine. */
#include "check.h"

#include <string.h>

#include "diff.h"

static const char ADVICE[] =
	"nothing is kept; if neither the disk nor the memory is at fault, please report this, with "
	"the input";

typedef struct {
	ck_job *job;
	const char *path;        /* of the file that was written */
	const ck_model *model, *view;
} checking;

static bool fail_name(const checking *c, const ck_entry *entry, const char *what)
{
	return ck_fail(c->job, CK_MISMATCH, c->path, "what was written is not what was read: "
	               "tensor '%s' %s; %s", ck_show(entry->name, entry->name_len).s, what, ADVICE);
}

/* ---- metadata ---- */

/* What a model says of itself, in order; but for a `format` that says what the writer says where
 * nothing is said. */
static bool settle(ck_job *job, const ck_model *model, ck_model *to)
{
	*to = (ck_model){.source = model->source};
	for (size_t i = 0; i < model->metadata_count; i++) {
		const ck_pair *pair = &model->metadata[i];
		bool own = !strcmp(pair->key, "format") && !strcmp(pair->value, "pt");
		if (!own && !ck_model_add_metadata(job, to, pair->key, pair->value))
			return false;
	}
	return ck_model_settle_metadata(job, to);
}

static bool check_metadata(const checking *c)
{
	ck_model a, b;
	if (!settle(c->job, c->model, &a) || !settle(c->job, c->view, &b))
		return false;
	bool same = a.metadata_count == b.metadata_count;
	for (size_t i = 0; same && i < a.metadata_count; i++)
		same = !strcmp(a.metadata[i].key, b.metadata[i].key) &&
		       !strcmp(a.metadata[i].value, b.metadata[i].value);
	return same || ck_fail(c->job, CK_MISMATCH, c->path, "what was written is not what was "
	                       "read: the metadata differ; %s", ADVICE);
}

/* ---- tensors ---- */

/* What an output says of a tensor that its bytes do not: the one place that knows what a tensor is
 * to be written as. */
static bool check_head(const checking *c, const ck_named *named)
{
	if (!named->entry[1])
		return fail_name(c, named->entry[0], "is missing");
	if (!named->entry[0])
		return fail_name(c, named->entry[1], "is too much");
	const ck_tensor *a = named->entry[0]->tensor, *b = named->entry[1]->tensor;
	if (a->dtype != b->dtype)
		return fail_name(c, named->entry[0], "has another dtype");
	bool same = a->ndim == b->ndim;
	for (size_t d = 0; same && d < a->ndim; d++)
		same = a->shape[d] == b->shape[d];
	return same || fail_name(c, named->entry[0], "has another shape");
}

static bool check_values(const checking *c, const ck_named *named, size_t count, unsigned threads)
{
	const ck_rules bits = {.close = false};
	ck_match *matches = ck_alloc_array(c->job, count + 1, sizeof *matches);
	ck_diff_side sides[2] = {{.job = c->job, .model = c->model},
	                         {.job = c->job, .model = c->view}};
	if (!matches)
		return false;
	for (size_t i = 0; i < count; i++)
		matches[i] = (ck_match){.tensor = {named[i].entry[0]->tensor,
		                                   named[i].entry[1]->tensor}};
	if (!ck_diff_values(c->job, sides, matches, count, &bits, threads))
		return false;
	for (size_t i = 0; i < count; i++)
		if (matches[i].unlike.differing)
			return fail_name(c, named[i].entry[0], "has other values");
	return true;
}

static bool check_view(const checking *c, unsigned threads)
{
	size_t count;
	const ck_named *named = ck_diff_join(c->job, c->model, c->view, &count);
	for (size_t i = 0; named && i < count; i++)
		if (!check_head(c, &named[i]))
			return false;
	return named && check_metadata(c) && check_values(c, named, count, threads);
}

static bool check_views(ck_job *job, const ck_writer *writer, const ck_model *model,
                        const ck_target *to)
{
	ck_model views[CK_VIEWS_MAX];
	size_t count;
	if (!writer->read(job, to, views, &count))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!check_view(&(checking){job, to->file->path, model, &views[i]}, to->threads))
			return false;
	return true;
}

bool ck_check_written(ck_job *job, const ck_writer *writer, const ck_model *model,
                      const ck_target *to)
{
	ck_job *own = ck_base_job_within(job); /* its memory and scratch files are its own */
	if (!own)
		return ck_fail_nomem(job);
	own->subject = job->subject;
	bool ok = check_views(own, writer, model, to);
	if (!ok)
		ck_fail_as(job, &own->error);
	ck_base_job_free(own);
	return ok;
}
