/* Torch's old tar files, whose members hold pickles between numbers: the loader knows where. */
#include <string.h>

#include "look.h"

/* The member `pickle` was looked at like any other; what else the loader reads is judged here. */
static bool on_event(void *arg, const ck_source *source, const ck_event *event)
{
	ck_look *l = arg;
	const char *name = strrchr(source->label, ' ');
	name = name ? name + 1 : source->label;
	ck_place place = {name, source, 0};
	return !strcmp(name, "pickle") || ck_judge_event(l->audit, &place, event);
}

bool ck_torch_tar_walk(ck_look *l)
{
	unsigned char head[CK_HEAD];
	ck_input in;
	ck_watch watch = {on_event, NULL, l};
	ck_job *own = ck_look_job(l->audit);
	if (!own)
		return false;
	ck_loaded loaded = {.job = own, .model = ck_alloc(own, sizeof(ck_model)), .watch = &watch};
	if (loaded.model)
		loaded.model->top = ck_path_new(own, NULL, "", 0, false);
	bool ok = loaded.model && loaded.model->top && ck_input_open(own, l->source, head, &in) &&
	          ck_layout_torch_tar.load(&loaded, &in, loaded.model->top);
	if (!ok && l->audit->job->error.status == CK_OK)
		ok = ck_look_failed(l->audit, own, CK_RULE_BROKEN_CHECKPOINT, &l->place,
		                    CK_NO_OFFSET);
	return ck_look_done(l->audit, own) && ok;
}
