/* Reads the pickles of a stream, one after the other, so that what they do is judged. */
#include "audit.h"
#include "joblib.h"
#include "stream.h"

#include <string.h>

typedef struct {
	ck_audit *audit;
	ck_place place;
} listener;

static bool on_event(void *arg, const ck_source *source, const ck_event *event)
{
	listener *l = arg;
	l->place.source = source;
	return ck_judge_event(l->audit, &l->place, event);
}

/* A job of its own: what is wrong with one pickle ends the reading of that pickle, not the scan. */
bool ck_stream_pickle(ck_audit *audit, const ck_place *place, uint64_t *at, bool *whole)
{
	*whole = false;
	ck_job *own = ck_base_job_within(audit->job);
	if (!own)
		return ck_fail_nomem(audit->job);
	listener l = {audit, *place};
	ck_watch watch = {on_event, &l};
	ck_loaded loaded = {.job = own, .model = ck_alloc(own, sizeof(ck_model)), .watch = &watch};
	ck_torch *torch = loaded.model ? ck_torch_new(&loaded, place->source) : NULL;
	uint64_t start = *at;
	if (torch)
		ck_joblib_watch(torch);
	const ck_value *root = torch ? ck_torch_read(torch, at) : NULL;
	*whole = root && ck_judge_whole(audit, place, own, root, &torch->seen);
	audit->pickles++;
	const ck_error *error = &own->error;
	bool ok = audit->job->error.status == CK_OK && error->status != CK_NOMEM &&
	          error->status != CK_IO && error->status != CK_STOPPED;
	if (!ok)
		ck_fail(audit->job, error->status, NULL, "%s", error->text);
	else if (!*whole)
		ok = ck_audit_say(audit, CK_RULE_BROKEN_PICKLE, place,
		                  error->has_offset ? error->offset : start, 0, "%s", error->text);
	ck_base_job_free(own);
	return ok;
}
