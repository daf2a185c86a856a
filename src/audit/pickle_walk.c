/* Bare pickles: one, or several one after the other, as far as they go. */
#include <string.h>

#include "look.h"
#include "stream.h"

enum { PROBED_MAX = 100, SHORT_HEAD = 64, BLOCK = 8 << 10 };

/* What was read last: millions of tiny pickles must not be millions of calls of the system. */
typedef struct {
	uint64_t at;
	size_t len;
	unsigned char data[BLOCK];
} block;

static const unsigned char *head_at(ck_look *l, block *b, uint64_t at, size_t len)
{
	uint64_t left = l->source->size - at;
	if (at < b->at || at + len > b->at + b->len) {
		b->at = at;
		b->len = left < BLOCK ? (size_t)left : BLOCK;
		if (!ck_read_at(l->job, l->source, at, b->data, b->len))
			return NULL;
	}
	return b->data + (at - b->at);
}

/* Whether a further pickle begins at `at`. After so many of them nobody is asked any more. */
static bool goes_on(ck_look *l, const ck_stream_reader *reader, block *b, uint64_t at, bool *more)
{
	ck_probed probed;
	uint64_t left = l->source->size - at;
	size_t len = left < SHORT_HEAD ? (size_t)left : SHORT_HEAD;
	*more = false;
	if (!left)
		return true;
	const unsigned char *head = head_at(l, b, at, len);
	if (!head)
		return false;
	*more = ck_stream_may_begin(head, len);
	if (!*more || reader->place.stream > PROBED_MAX || at <= l->sure)
		return true;
	if (!ck_pickle_probe(l, at, &probed))
		return false;
	*more = probed > CK_PROBED_LITERAL ||
	        (probed == CK_PROBED_LITERAL &&
	         (l->kind == CK_LOOK_FILE || ck_look_purpose(l) == CK_FOR_PICKLE));
	return true;
}

/* Each costs little, and a file has room for very many. */
static bool stop_at_many(ck_look *l, const ck_stream_reader *reader, uint64_t at)
{
	l->audit->incomplete = true;
	return ck_audit_say(l->audit, CK_RULE_OVER_LIMIT, &reader->place, at, 0, "more than %llu "
	                    "pickles one after the other; if the file can be trusted to need it, "
	                    "raise the limit with --limit members=N",
	                    (unsigned long long)l->job->limits.members) &&
	       ck_regions_claim(l->job, &l->claimed, at, l->source->size);
}

static bool walk(ck_look *l, ck_stream_reader *reader)
{
	block b = {0};
	uint64_t at = 0;
	bool more = true, whole = true;
	while (more && whole) {
		uint64_t from = at;
		if (reader->place.stream >= l->job->limits.members)
			return stop_at_many(l, reader, at);
		bool idle = l->idle.to > at && l->idle.from == at;
		if (idle ? !ck_stream_pass(reader, &l->idle) : !ck_stream_next(reader, &at, &whole))
			return false;
		at = idle ? l->idle.to : at;
		/* what a broken one did not reach is nothing that can be told apart from it */
		if (!ck_regions_claim(l->job, &l->claimed, from, whole ? at : l->source->size))
			return false;
		l->whole = whole;
		if (whole && !goes_on(l, reader, &b, at, &more))
			return false;
	}
	return true;
}

bool ck_pickle_walk(ck_look *l)
{
	ck_stream_reader reader;
	l->format = "pickle";
	l->lenient = true;
	ck_stream_begin(&reader, l->audit, &l->place);
	bool ok = walk(l, &reader);
	return ck_stream_end(&reader) && ok;
}
