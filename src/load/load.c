/* Which layout a file has, and what all layouts share. */
#include <string.h>

#include "load.h"
#include "trace.h"
#include "view.h"

static const ck_layout *const layouts[] = {
	&ck_layout_safetensors,
	&ck_layout_onnx,
	&ck_layout_pt2,
	&ck_layout_package,
	&ck_layout_torchscript,
	&ck_layout_torchscript_json,
	&ck_layout_torch_zip,
	&ck_layout_torch_legacy,
	&ck_layout_torch_tar,
	&ck_layout_npz,
	&ck_layout_npy,
	&ck_layout_packed,
	&ck_layout_zips,
	&ck_layout_bundle, /* archives that no other layout knows */
	&ck_layout_pickle, /* the last one: it takes whatever reads like a pickle */
};

enum { NESTED_MAX = 6 };

ck_torch *ck_torch_new(ck_loaded *loaded, const ck_source *pickle)
{
	ck_torch *torch = ck_alloc(loaded->job, sizeof *torch);
	if (torch)
		*torch = (ck_torch){.job = loaded->job, .loaded = loaded,
		                    .model = loaded->model, .pickle = pickle,
		                    .file = loaded->file};
	return torch;
}

ck_value *ck_torch_read(ck_torch *torch, uint64_t *at)
{
	ck_loaded *loaded = torch->loaded;
	if (!ck_trace_pickle(loaded, torch->pickle, *at))
		return NULL;
	torch->seen.machine = loaded->machine;
	torch->seen.watch = loaded->watch;
	loaded->machine = NULL;
	ck_value *value = ck_pickle_read(torch->job, torch->pickle, at, &torch->seen);
	loaded->machine = torch->seen.machine;
	torch->seen.machine = NULL;
	return value;
}

bool ck_input_open(ck_job *job, const ck_source *source, unsigned char *head, ck_input *in)
{
	*in = (ck_input){.source = source, .head = head,
	                 .head_len = source->size < CK_HEAD ? (size_t)source->size : CK_HEAD};
	if (!ck_read_at(job, source, 0, head, in->head_len))
		return false;
	const ck_archiver *archiver = ck_archiver_find(head, in->head_len);
	/* the length of a header may begin as a zip does, but no member is packed by method '{' */
	if (archiver == &ck_archiver_zip && ck_safetensors_begins(head, in->head_len))
		archiver = NULL;
	if (archiver == &ck_archiver_zip &&
	    !ck_zip_split(job, source, &in->zips, &in->zip_count))
		return false;
	if (in->zip_count < 2)
		in->zips = NULL;
	if (!archiver || in->zips)
		return true;
	in->archive = archiver->open(job, source);
	return in->archive;
}

/* Nobody knew the file: what it looks like, at least. */
static bool refuse(ck_job *job, const ck_input *in)
{
	size_t shown = in->head_len < 16 ? in->head_len : 16;
	return ck_foreign_refuse(job, in->source, in->head, in->head_len) &&
	       ck_fail(job, CK_UNSUPPORTED, in->source->label,
	               "this is not a checkpoint that ckconv knows: it begins with \"%s\"",
	               ck_show((const char *)in->head, shown).s);
}

const ck_layout *ck_layout_find(ck_job *job, const ck_input *in)
{
	for (size_t i = 0; i < CK_COUNT(layouts); i++) {
		bool is = layouts[i]->probe(job, in);
		if (job->error.status != CK_OK)
			return NULL;
		if (is)
			return layouts[i];
	}
	return NULL;
}

bool ck_load_at(ck_loaded *loaded, const ck_source *source, const ck_path *at)
{
	unsigned char head[CK_HEAD];
	ck_job *job = loaded->job;
	ck_input in;
	if (loaded->nested >= NESTED_MAX)
		return ck_fail(job, CK_LIMIT, source->label,
		               "files inside files, more than %d deep", NESTED_MAX);
	if (!ck_input_open(job, source, head, &in))
		return false;
	const ck_layout *layout = ck_layout_find(job, &in);
	if (job->error.status != CK_OK)
		return false;
	if (loaded->member && (!layout || layout->name))
		layout = in.archive ? &ck_layout_bundle : NULL;
	if (!layout && loaded->member)
		return ck_fail(job, CK_USAGE, source->label,
		               "this is no archive, so it has no member '%s'",
		               ck_show(loaded->member, strlen(loaded->member)).s);
	if (!layout)
		return refuse(job, &in);
	if (layout->name && !loaded->model->layout)
		loaded->model->layout = layout->name;
	loaded->nested++;
	bool ok = layout->load(loaded, &in, at);
	loaded->nested--;
	return ok;
}

ck_loaded *ck_load_begin(ck_job *job, const ck_source *source, uint64_t bytes,
                         const ck_wishes *wishes)
{
	ck_loaded *loaded = ck_alloc(job, sizeof *loaded);
	ck_model *model = ck_alloc(job, sizeof *model);
	if (!loaded || !model)
		return NULL;
	*loaded = (ck_loaded){.job = job, .model = model};
	if (wishes)
		loaded->wishes = *wishes;
	model->source = source;
	model->bytes = bytes;
	model->top = ck_path_new(job, NULL, "", 0, false);
	return model->top ? loaded : NULL;
}

bool ck_load_file(ck_loaded *loaded, const ck_source *source, const char *file)
{
	loaded->member = loaded->wishes.member;
	loaded->file = file;
	bool ok = ck_model_name_file(loaded->job, loaded->model, source->label) &&
	          ck_load_at(loaded, source, loaded->model->top);
	loaded->model->files++;
	return ok;
}

bool ck_load_end(ck_loaded *loaded)
{
	ck_load_metadata_end(loaded);
	/* a look for something that need not be there cannot say that it failed */
	return ck_aside_settle(loaded) && loaded->job->error.status == CK_OK;
}

ck_loaded *ck_load(ck_job *job, const ck_source *source, const ck_wishes *wishes)
{
	ck_loaded *loaded = ck_load_begin(job, source, source->size, wishes);
	return loaded && ck_load_file(loaded, source, NULL) && ck_load_end(loaded) ? loaded : NULL;
}
