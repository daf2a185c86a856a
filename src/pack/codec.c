/* The loop that all unpackers share: feeds a codec from a source, hands on what comes out, and says
 * what is wrong and where. */
#include "packing.h"

#include <stdlib.h>
#include <string.h>

enum { PIECE = 128 << 10, EMPTY_MOST = 10000 /* streams */ };

typedef struct {
	ck_job *job;
	const ck_codec *codec;
	const ck_source *packed;
	const ck_sink *sink;
	void *state;           /* of the codec, or NULL */
	uint64_t read;         /* packed bytes taken from the source */
	bool made;             /* something came out of this stream */
	bool follows;          /* what is behind the last stream was passed over */
	unsigned empty;        /* streams of nothing */
	ck_flow flow;
	unsigned char in[PIECE], out[PIECE];
} pump;

/* The place in the packed bytes up to which the codec has come. */
static uint64_t place_of(const pump *p)
{
	return p->read - p->flow.in_left;
}

static bool refill(pump *p, size_t need)
{
	if (p->flow.in_left >= need)
		return true;
	p->read -= p->flow.in_left;
	uint64_t left = p->packed->size - p->read;
	size_t size = left < PIECE ? (size_t)left : PIECE;
	p->flow.in_left = 0;
	if (!ck_read_at(p->job, p->packed, p->read, p->in, size))
		return false;
	p->read += size;
	p->flow.in = p->in;
	p->flow.in_left = size;
	p->flow.last = p->read == p->packed->size;
	return true;
}

static bool fail_step(const pump *p, ck_step step)
{
	const char *label = p->packed->label, *name = p->codec->name;
	switch (step) {
	case CK_STEP_HEAP:
		return ck_fail_limit(p->job, label, "heap");
	case CK_STEP_NOMEM:
		return ck_fail_nomem(p->job);
	case CK_STEP_UNKNOWN:
		return ck_fail_at(p->job, CK_UNSUPPORTED, label, place_of(p),
		                  "the %s data needs what the library that unpacks it lacks: %s",
		                  name, p->flow.why ? p->flow.why : "an unknown option");
	case CK_STEP_ON:
		return ck_fail_at(p->job, CK_CORRUPT, label, place_of(p),
		                  "the %s data ends too early: the file is cut short; get it again",
		                  name);
	case CK_STEP_END:
	case CK_STEP_DAMAGED:
		break;
	}
	return ck_fail_at(p->job, CK_CORRUPT, label, place_of(p),
	                  "the %s data is damaged (%s): get the file again", name,
	                  p->flow.why ? p->flow.why : "it breaks the rules of its format");
}

/* One stream, to its end or to where it breaks; what came out before that counts, too. */
static bool pump_stream(pump *p, ck_step *ended)
{
	for (size_t need = CK_MAGIC_MAX;; need = 1) {
		if (ck_stopped(p->job) || !refill(p, need))
			return false;
		size_t before = p->flow.in_left;
		p->flow.out = p->out;
		p->flow.out_left = PIECE;
		ck_step step = p->codec->step(p->state, &p->flow);
		size_t made = PIECE - p->flow.out_left;
		bool stuck = step == CK_STEP_ON && !made && before == p->flow.in_left;
		ck_progress(p->job, "unpacking", place_of(p), p->packed->size);
		p->made = p->made || made;
		if (made && !p->sink->take(p->job, p->sink->arg, p->out, made))
			return false;
		*ended = step;
		if (step != CK_STEP_ON || stuck)
			return true;
	}
}

static bool run_stream(pump *p)
{
	ck_step ended;
	return pump_stream(p, &ended) && (ended == CK_STEP_END || fail_step(p, ended));
}

/* What lies behind the last stream is no stream. */
static bool pass_over(pump *p)
{
	uint64_t from = place_of(p);
	const char *label = p->packed->label;
	if (!p->codec->again)
		return ck_fail_at(p->job, CK_CORRUPT, label, from,
		                  "the %s data ends here, but the file goes on to byte %llu",
		                  p->codec->name, (unsigned long long)p->packed->size);
	bool zeros = true;
	while (zeros && place_of(p) < p->packed->size) {
		if (ck_stopped(p->job) || !refill(p, 1))
			return false;
		for (; zeros && p->flow.in_left; p->flow.in++, p->flow.in_left--)
			zeros = !*p->flow.in;
	}
	p->follows = !zeros;
	if (!zeros)
		ck_note(p->job,
		        "'%s': the %s data ends at byte %llu; what follows up to byte %llu is "
		        "something else and was passed over", ck_show(label, strlen(label)).s,
		        p->codec->name, (unsigned long long)from,
		        (unsigned long long)p->packed->size);
	return true;
}

static bool another_follows(pump *p, bool *follows)
{
	*follows = false;
	if (!p->codec->again || place_of(p) == p->packed->size)
		return true;
	if (!refill(p, CK_MAGIC_MAX))
		return false;
	/* a beginning that is cut off is a stream that is cut short */
	size_t len = strlen(p->codec->again);
	if (len > p->flow.in_left)
		len = p->flow.in_left;
	*follows = !memcmp(p->flow.in, p->codec->again, len);
	return true;
}

static bool run_all(pump *p)
{
	bool follows = true;
	while (follows) {
		if (p->state)
			p->codec->end(p->state);
		p->state = p->codec->begin(p->job);
		if (!p->state)
			return ck_fail_nomem(p->job);
		if (!run_stream(p) || !another_follows(p, &follows))
			return false;
	}
	return place_of(p) == p->packed->size || pass_over(p);
}

/* ---- as programs do that take what they get ---- */

static void go_to(pump *p, uint64_t at)
{
	p->read = at < p->packed->size ? at : p->packed->size;
	p->flow.in_left = 0;
}

static bool pass_zeros(pump *p)
{
	while (place_of(p) < p->packed->size) {
		if (ck_stopped(p->job) || !refill(p, 1))
			return false;
		for (; p->flow.in_left && !*p->flow.in; p->flow.in++)
			p->flow.in_left--;
		if (p->flow.in_left)
			return true;
	}
	return true;
}

/* False in *more behind the last stream of which anything can be read. */
static bool run_one_loosely(pump *p, bool *more)
{
	ck_step ended;
	uint64_t at = place_of(p);
	*more = p->made = false;
	if (p->codec->front && !p->codec->front(p->job, p->packed, &at))
		return false;
	if (at >= p->packed->size)
		return true;
	if (p->codec->front)
		go_to(p, at);
	if (p->state)
		p->codec->end(p->state);
	p->state = p->codec->begin(p->job);
	if (!p->state)
		return ck_fail_nomem(p->job);
	if (!pump_stream(p, &ended))
		return false;
	if (ended == CK_STEP_HEAP || ended == CK_STEP_NOMEM)
		return fail_step(p, ended);
	*more = ended == CK_STEP_END && place_of(p) > at;
	if (p->codec->behind)
		go_to(p, place_of(p) + p->codec->behind);
	return p->made || p->empty++ < EMPTY_MOST ||
	       ck_fail(p->job, CK_LIMIT, p->packed->label, "it is more than %d streams of %s data "
	               "that hold nothing, or is padded with as much", EMPTY_MOST, p->codec->name);
}

/* Zeros may begin a stream of .lzma, or be padding. */
static bool run_behind_loosely(pump *p, bool *more)
{
	const uint64_t at = place_of(p);
	if (!run_one_loosely(p, more))
		return false;
	if (*more || p->made)
		return true;
	go_to(p, at);
	if (!pass_zeros(p))
		return false;
	return place_of(p) == at || run_one_loosely(p, more);
}

static bool run_loosely(pump *p)
{
	bool more;
	if (!run_one_loosely(p, &more))
		return false;
	while (more)
		if (!run_behind_loosely(p, &more))
			return false;
	return true;
}

/* ---- from outside ---- */

static bool run_so(ck_job *job, const ck_codec *codec, const ck_source *packed,
                   const ck_sink *sink, bool (*run)(pump *p), bool *follows)
{
	pump *p = calloc(1, sizeof *p); /* not from the arena: gone when all is unpacked */
	if (!p)
		return ck_fail_nomem(job);
	p->job = job;
	p->codec = codec;
	p->packed = packed;
	p->sink = sink;
	p->flow = (ck_flow){.job = job, .label = packed->label, .packed = packed->size};
	bool ok = run(p);
	*follows = p->follows;
	if (p->state)
		codec->end(p->state);
	free(p);
	return ok;
}

bool ck_codec_run(ck_job *job, const ck_codec *codec, const ck_source *packed,
                  const ck_sink *sink, bool *follows)
{
	return run_so(job, codec, packed, sink, run_all, follows);
}

bool ck_codec_run_loosely(ck_job *job, const ck_codec *codec, const ck_source *packed,
                          const ck_sink *sink)
{
	bool follows;
	return run_so(job, codec->loose ? codec->loose : codec, packed, sink, run_loosely,
	              &follows);
}

bool ck_codec_tries(const ck_codec *codec, const unsigned char *head, size_t len)
{
	unsigned char out[1024];
	ck_flow flow = {.in = head, .in_left = len, .out = out, .out_left = sizeof out};
	void *state = codec->begin(NULL);
	if (!state)
		return false;
	ck_step step;
	size_t before;
	do {
		before = flow.in_left + flow.out_left;
		step = codec->step(state, &flow);
	} while (step == CK_STEP_ON && flow.in_left + flow.out_left < before);
	codec->end(state);
	/* nothing may come of a long head, or of a first stream, and more of what follows */
	const bool taken = step == CK_STEP_END || (len >= sizeof out / 2 && !flow.in_left);
	return step <= CK_STEP_END && (flow.out_left < sizeof out || taken);
}
