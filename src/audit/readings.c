/* The other ways in which a pickle is read: what joblib takes for the bytes of an array,
 * pickle.load takes for opcodes, and C Python that reads from memory does not care where frames
 * end. */
#include "judge.h"
#include "stream.h"

typedef struct {
	ck_stream_reader *reader;
	ck_audit *trial;
	uint64_t from;     /* what is done before it, all readers do */
	ck_doings did;
	bool judged;       /* else it is only counted */
} reading;

static bool on_event(void *arg, const ck_source *source, const ck_event *event)
{
	reading *r = arg;
	ck_stream_reader *reader = r->reader;
	if (event->step->at < r->from)
		return true;
	if (!r->judged) {
		ck_doings_count(&r->did, r->trial, event);
		return true;
	}
	ck_place place = reader->place;
	place.source = source;
	place.stream--; /* the reader stands behind the pickle */
	if (event->deed == CK_DID_CALL &&
	    !ck_inner_call(reader->audit, &place, source, event->target))
		return false;
	return ck_judge_event(reader->audit, &place, event);
}

/* Where the reading stumbles does not matter: what it did before is what counts. */
static bool read_so(reading *r, uint64_t at, bool arrays, bool unpadded)
{
	ck_stream_reader *reader = r->reader;
	if (!ck_stream_end(reader) || !ck_stream_renew(reader))
		return false;
	const ck_watch watch = {on_event, NULL, r};
	ck_torch *torch = reader->torch;
	reader->loaded.watch = &watch;
	torch->seen.loose = true;
	torch->unpadded = unpadded;
	if (!arrays)
		torch->seen.built = NULL;
	ck_torch_read(torch, &at);
	return ck_stream_end(reader);
}

/* What bytes of data do by chance is not told. */
static bool judge_so(reading *r, uint64_t at, bool arrays, bool unpadded)
{
	const ck_place *place = &r->reader->place;
	r->did = (ck_doings){0};
	r->judged = false;
	if (!read_so(r, at, arrays, unpadded))
		return false;
	if (!ck_doings_matter(&r->did))
		return true;
	r->judged = true;
	ck_audit *audit = r->reader->audit;
	const ck_place before = {place->member, place->source, place->stream - 1};
	const size_t *harm = audit->kept[CK_DANGEROUS];
	const size_t known = harm[0] + harm[1];
	if (!read_so(r, at, arrays, unpadded))
		return false;
	/* arrays of objects are pickles in the pickle, which all readers take as such */
	if (!r->from || harm[0] + harm[1] == known)
		return true;
	return ck_audit_say(audit, CK_RULE_BROKEN_PICKLE, &before, r->from, 0,
	                    "some readers take for opcodes what joblib takes for the bytes of an "
	                    "array, and do other things than joblib does");
}

bool ck_stream_others(ck_stream_reader *reader, uint64_t at)
{
	const uint64_t events = reader->events, array = reader->torch->array_inside;
	const bool straddled = reader->torch->seen.straddled;
	ck_job *own = ck_look_job(reader->audit);
	if (!own)
		return false;
	reading r = {.reader = reader, .trial = ck_audit_new(own, reader->place.source)};
	bool ok = r.trial != NULL;
	if (ok && straddled)
		ok = judge_so(&r, at, true, false);
	r.from = array;
	if (ok && array)
		ok = judge_so(&r, at, false, false) && judge_so(&r, at, true, true);
	reader->events = events;
	return ck_look_done(reader->audit, own) && ok;
}
