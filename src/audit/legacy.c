/* Files of torch.save before 1.6: five pickles, of which only the fourth may name anything, and the
 * storages behind them. */
#include "look.h"
#include "stream.h"

enum { PICKLES = 5, OBJECT = 3 };

static bool read_pickles(ck_look *l, uint64_t *at, bool *whole)
{
	ck_stream_reader reader;
	bool ok = true;
	*whole = true;
	ck_stream_begin(&reader, l->audit, &l->place);
	for (unsigned i = 0; ok && *whole && i < PICKLES; i++) {
		uint64_t from = *at;
		ok = ck_stream_next(&reader, at, whole);
		if (ok && reader.events && i != OBJECT)
			ok = ck_audit_say(l->audit, CK_RULE_FRAME_PICKLE, &l->place, from,
			                  *at - from, "a pickle of the file's frame names a class "
			                  "or function; torch writes only numbers and texts there");
	}
	return ck_stream_end(&reader) && ok;
}

/* Where the storages end is known to the loader alone. */
static bool find_end(ck_look *l, uint64_t from, uint64_t *end)
{
	ck_input in = {.source = l->source, .head = l->head, .head_len = l->head_len};
	ck_job *own = ck_look_job(l->audit);
	if (!own)
		return false;
	ck_loaded loaded = {.job = own, .model = ck_alloc(own, sizeof(ck_model))};
	const ck_torch *torch = loaded.model ? ck_torch_legacy_read(&loaded, &in) : NULL;
	bool ok = torch ||
	          ck_look_failed(l->audit, own, CK_RULE_BROKEN_CHECKPOINT, &l->place, from);
	*end = torch ? torch->end : l->source->size;
	return ck_look_done(l->audit, own) && ok;
}

bool ck_legacy_walk(ck_look *l)
{
	uint64_t at = 0, end = l->source->size;
	bool whole;
	l->lenient = true;
	if (!read_pickles(l, &at, &whole))
		return false;
	if (whole && !find_end(l, at, &end))
		return false;
	return ck_regions_claim(l->job, &l->claimed, 0, end);
}
