/* Reads the pickles of a stream, one after the other, so that what they do is judged. */
#include "stream.h"

#include <string.h>

#include "joblib.h"
#include "judge.h"
#include "look.h"

enum {
	RENEW = 8 << 20, /* bytes of memory after which a machine is made anew */
	AHEAD = 4 << 20, /* bytes of memory from which on it pays to read ahead */
};

static bool on_event(void *arg, const ck_source *source, const ck_event *event)
{
	ck_stream_reader *r = arg;
	r->events += event->deed == CK_DID_IMPORT || event->deed == CK_DID_CALL;
	if (event->deed == CK_DID_CALL &&
	    !ck_inner_call(r->audit, &r->place, source, event->target))
		return false;
	r->place.source = source;
	if (!ck_judge_event(r->audit, &r->place, event))
		return false;
	/* the machine counts the names of a pickle, here those of all are counted */
	return r->audit->unremembered <= r->audit->job->limits.globals ||
	       ck_fail_limit(r->own, source->label, "globals");
}

static bool on_bytes(void *arg, const ck_source *source, const ck_value *bytes)
{
	ck_stream_reader *r = arg;
	return ck_inner_bytes(r->audit, &r->place, source, bytes);
}

void ck_stream_begin(ck_stream_reader *reader, ck_audit *audit, const ck_place *place)
{
	*reader = (ck_stream_reader){.audit = audit, .place = *place,
	                             .watch = {on_event, on_bytes, reader}};
}

/* A job of its own: what is wrong with one pickle ends the reading of that pickle, not the scan. A
 * file may hold millions of tiny ones, so it lasts for many. */
bool ck_stream_renew(ck_stream_reader *r)
{
	if (r->own && r->own->arena.held < RENEW)
		return true;
	if (r->own && !ck_stream_end(r))
		return false;
	r->own = ck_look_job(r->audit);
	if (!r->own)
		return false;
	r->loaded = (ck_loaded){.job = r->own, .model = ck_alloc(r->own, sizeof(ck_model)),
	                        .watch = &r->watch};
	r->torch = r->loaded.model ? ck_torch_new(&r->loaded, r->place.source) : NULL;
	if (r->torch) {
		ck_joblib_watch(r->torch);
		r->torch->seen.lean = true;
	}
	return r->torch || ck_fail_nomem(r->audit->job);
}

bool ck_stream_end(ck_stream_reader *reader)
{
	ck_job *own = reader->own;
	reader->own = NULL;
	return !own || ck_look_done(reader->audit, own);
}

/* What is found out about a pickle that breaks early was found out for nothing: a file of many such
 * ones must not be read again and again. */
static void look_ahead(const ck_audit *audit, ck_seen *seen)
{
	enum { TIMES = 2 };
	uint64_t most;
	seen->skimmed = 0;
	seen->ahead = ck_mul(audit->job->input, TIMES, &most) && audit->skimmed > most ? 0 : AHEAD;
}

bool ck_stream_next(ck_stream_reader *r, uint64_t *at, bool *whole)
{
	uint64_t start = *at;
	*whole = false;
	if (ck_stopped(r->audit->job) || !ck_stream_renew(r))
		return false;
	r->events = 0;
	r->torch->seen.globals.count = r->torch->seen.persids.count = 0;
	r->torch->array_inside = 0;
	look_ahead(r->audit, &r->torch->seen);
	const ck_value *root = ck_torch_read(r->torch, at);
	*whole = root && ck_judge_whole(r->audit, &r->place, r->own, root, &r->torch->seen);
	r->audit->pickles++;
	r->place.stream++;
	if (*whole)
		return !r->torch->array_inside || ck_stream_others(r, start);
	r->audit->skimmed += r->torch->seen.skimmed;
	const ck_error *error = &r->own->error;
	ck_place place = r->place;
	place.stream--;
	bool others = r->torch->array_inside || r->torch->seen.straddled;
	return r->audit->job->error.status == CK_OK &&
	       ck_look_failed(r->audit, r->own, CK_RULE_BROKEN_PICKLE, &place,
	                      error->has_offset ? error->offset : start) &&
	       (!others || ck_stream_others(r, start)) && ck_stream_end(r);
}

bool ck_stream_pass(ck_stream_reader *r, const ck_idle *idle)
{
	r->events = 0;
	if (!ck_judge_whole(r->audit, &r->place, r->audit->job, NULL, &idle->seen))
		return false;
	r->audit->pickles++;
	r->place.stream++;
	return true;
}

/* ---- probing ---- */

typedef struct {
	ck_audit *trial;
	const ck_source *source;
	ck_place place;
	ck_doings did;
	bool busy; /* did anything, or made bytes */
} prober;

static bool is_name(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
		if (!letter && (c < '0' || c > '9') && c != '_' && c != '.' && c < 0x80)
			return false;
	}
	return len;
}

void ck_doings_count(ck_doings *d, ck_audit *audit, const ck_event *event)
{
	const ck_global *g = event->target->global; /* of imports */
	if (event->deed == CK_DID_IMPORT) {
		const ck_global any = {g->module, "x", g->module_len, 1};
		d->imports++;
		d->named += is_name(g->module, g->module_len) && is_name(g->name, g->name_len);
		d->denied += ck_deny_find(audit, &any) != NULL;
	}
	d->calls += event->deed == CK_DID_CALL;
	d->builds += event->deed == CK_DID_BUILD;
	d->extensions += event->deed == CK_DID_NAME && event->target->kind == CK_EXT;
}

bool ck_doings_matter(const ck_doings *d)
{
	return d->denied || (d->calls && (d->imports || d->extensions));
}

static bool on_probed(void *arg, const ck_source *source, const ck_event *event)
{
	prober *p = arg;
	p->place.source = source;
	p->busy = true;
	ck_doings_count(&p->did, p->trial, event);
	return ck_judge_event(p->trial, &p->place, event);
}

static bool on_probed_bytes(void *arg, const ck_source *source, const ck_value *bytes)
{
	prober *p = arg;
	(void)source;
	(void)bytes;
	p->busy = true;
	return true;
}

/* Where a reader of pickles is pointed at, all that it does before it stumbles counts. Lists of
 * words may read as imports ("cat", "dog": the name dog of a module at): in them only what is
 * called counts, and modules that are denied; in numbers, names that people give. In what is
 * certainly another format, all but texts and numbers counts. */
static bool does_something(const ck_doings *d, ck_purpose purpose, bool text)
{
	if (purpose == CK_FOR_PICKLE)
		return d->imports || d->extensions || d->calls;
	if (purpose == CK_FOR_TENSORS)
		return d->imports || d->extensions || d->calls || d->builds;
	if (purpose == CK_FOR_OTHER)
		return d->imports || ck_doings_matter(d);
	if (text || purpose == CK_FOR_NOTHING)
		return ck_doings_matter(d);
	return d->named || (d->calls && d->imports);
}

/* Of one that is not whole. What is too much for the machine may still be nothing. */
static bool decide(ck_audit *audit, const prober *p, const ck_error *error, uint64_t from,
                   ck_purpose purpose, bool text, ck_probed *probed)
{
	bool act = does_something(&p->did, purpose, text);
	if (!act && error->status == CK_LIMIT) {
		ck_job *own = ck_look_job(audit);
		if (!own)
			return false;
		act = !ck_opcodes_act(own, p->source, from, purpose != CK_FOR_TENSORS, &act) || act;
		if (!ck_look_done(audit, own))
			return false;
	}
	*probed = act ? CK_PROBED_BROKEN : CK_PROBED_NOTHING;
	return true;
}

static ck_probed decide_whole(const prober *p, const ck_source *source, uint64_t end, bool marked,
                              ck_purpose purpose)
{
	bool certain = marked || end == source->size;
	bool whole = purpose == CK_FOR_TENSORS
	             ? does_something(&p->did, purpose, false)
	             : p->did.imports || p->did.calls || p->did.extensions || certain;
	return whole ? CK_PROBED_WHOLE : CK_PROBED_LITERAL;
}

static void note_idle(const prober *p, const ck_source *source, uint64_t from, uint64_t to,
                      const ck_seen *seen, ck_idle *idle)
{
	if (p->busy || seen->straddled || ck_judge_needs_root(source, seen))
		return;
	*idle = (ck_idle){from, to, {.protocol = seen->protocol, .shared = seen->shared,
	                             .far_memo = seen->far_memo}};
	memcpy(idle->seen.opcodes, seen->opcodes, sizeof seen->opcodes);
}

bool ck_stream_probe(ck_audit *audit, const ck_source *source, uint64_t *at, ck_purpose purpose,
                     ck_probed *probed, ck_idle *idle)
{
	unsigned char head[256];
	uint64_t left = source->size - *at;
	size_t len = left < sizeof head ? (size_t)left : sizeof head;
	*probed = CK_PROBED_NOTHING;
	*idle = (ck_idle){0};
	bool ok = true;
	ck_job *own = ck_look_job(audit);
	if (!own)
		return false;
	if (ck_read_at(own, source, *at, head, len) && ck_stream_may_begin(head, len)) {
		bool marked = len > 1 && head[0] == 0x80 && head[1] >= 2 && head[1] <= 5;
		prober p = {.trial = ck_audit_new(own, source), .source = source,
		            .place = {"", source, 0}};
		ck_watch watch = {on_probed, on_probed_bytes, &p};
		ck_loaded loaded = {.job = own, .model = ck_alloc(own, sizeof(ck_model)),
		                    .watch = &watch};
		ck_torch *torch = p.trial && loaded.model ? ck_torch_new(&loaded, source) : NULL;
		if (torch) {
			ck_joblib_watch(torch);
			torch->seen.lean = torch->seen.loose = true;
		}
		const uint64_t from = *at;
		if (torch)
			look_ahead(audit, &torch->seen);
		bool text = ck_sniff_text(head, len);
		if (torch && ck_torch_read(torch, at)) {
			*probed = decide_whole(&p, source, *at, marked, purpose);
			note_idle(&p, source, from, *at, &torch->seen, idle);
		} else if (torch)
			ok = decide(audit, &p, &own->error, from, purpose, text, probed);
		if (torch && *at == from)
			audit->skimmed += torch->seen.skimmed;
		if (own->error.has_offset && own->error.offset > *at)
			audit->vain += own->error.offset - *at;
	}
	return ck_look_done(audit, own) && ok;
}

/* ---- guessing ---- */

static size_t skip_line(const unsigned char *head, size_t len, size_t at)
{
	const unsigned char *end = at < len ? memchr(head + at, '\n', len - at) : NULL;
	return end ? (size_t)(end - head) + 1 : len;
}

/* Behind the argument of an opcode, or beyond `len` if the argument reaches there. */
static uint64_t skip_argument(const unsigned char *head, size_t len, size_t at, ck_arg arg)
{
	static const uint8_t widths[] = {
		[CK_ARG_U1] = 1, [CK_ARG_U2] = 2, [CK_ARG_U4] = 4, [CK_ARG_I4] = 4, [CK_ARG_U8] = 8,
		[CK_ARG_F8] = 8, [CK_ARG_TEXT1] = 1, [CK_ARG_TEXT4] = 4, [CK_ARG_TEXT8] = 8,
		[CK_ARG_BYTES1] = 1, [CK_ARG_BYTES4] = 4, [CK_ARG_BYTES8] = 8, [CK_ARG_LONG1] = 1,
		[CK_ARG_LONG4] = 4,
	};
	uint64_t end;
	if (arg == CK_ARG_NONE)
		return at;
	if (arg == CK_ARG_LINE)
		return skip_line(head, len, at);
	if (arg == CK_ARG_LINES)
		return skip_line(head, len, skip_line(head, len, at));
	if (arg < CK_ARG_TEXT1)
		return at + widths[arg];
	if (at + widths[arg] > len)
		return len;
	return ck_add(at + widths[arg], ck_little(head + at, widths[arg]), &end) ? end : len;
}

/* Values on the stack at least, so that data is soon seen to be none. */
bool ck_stream_may_begin(const unsigned char *head, size_t len)
{
	size_t values = 0;
	for (uint64_t at = 0; at < len;) {
		unsigned char code = head[at];
		const ck_op *op = &ck_op_table[code];
		if (!op->name)
			return false;
		if (strchr("ciRob\x81\x92\x93Q.", code)) {
			bool names = code == 'c' || code == 'i';
			return names || values;
		}
		if (strchr("0satues\x85\x86\x87\x90\x91\x94pqr2dl1", code) && !values)
			return false;
		values++;
		at = skip_argument(head, len, (size_t)at + 1, op->arg);
	}
	return len;
}
