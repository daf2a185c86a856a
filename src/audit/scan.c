/* Finds out what a file is, or a thing inside a file, and has every part of it looked through. */
#include <string.h>

#include "look.h"
#include "stream.h"

enum { DEPTH_MAX = 8,
       MAGIC_MOST = 12 /* bytes by which a format is told */ };

/* ---- what it is ---- */

static bool claim_all(ck_look *l)
{
	return ck_regions_claim(l->job, &l->claimed, 0, l->source->size);
}

/* A member that is called a checkpoint must be one, as a file must. */
static bool breaks_promise(const ck_look *l)
{
	return l->kind == CK_LOOK_MEMBER && ck_promise_made(l->place.member);
}

static bool tell_promise(ck_look *l, const char *format)
{
	return !breaks_promise(l) ||
	       ck_audit_say(l->audit, CK_RULE_BROKEN_CHECKPOINT, &l->place, CK_NO_OFFSET, 0,
	                    "it is called a checkpoint and is none: its format is \"%s\"", format);
}

static bool take_sniffed(ck_look *l, const ck_sniffed *known)
{
	l->format = known->format;
	if (known->walk)
		return known->walk(l);
	if (known->closed && !ck_look_closed(l->audit, &l->place, 0, l->source->size, "%s",
	                                     known->closed))
		return false;
	if (known->note && !ck_audit_say(l->audit, CK_RULE_ODDITY, &l->place, 0, l->source->size,
	                                 "%s", known->note))
		return false;
	if (known->alone && l->kind == CK_LOOK_FILE &&
	    !ck_look_closed(l->audit, &l->place, 0, l->source->size, "%s", known->alone))
		return false;
	if (!known->closed && !tell_promise(l, known->format))
		return false;
	l->loose = !known->closed && !ck_sniff_text(l->head, l->head_len);
	return l->loose ? ck_regions_claim(l->job, &l->claimed, 0, MAGIC_MOST) : claim_all(l);
}

/* Nobody knows it. That is as it should be for data, and a gap is told by whoever found it. */
static bool take_unknown(ck_look *l)
{
	if (l->kind != CK_LOOK_FILE && !breaks_promise(l))
		return claim_all(l);
	l->format = "unknown";
	if (l->raw) /* such as the data of an ONNX model, which lies in files of any name */
		return ck_audit_say(l->audit, CK_RULE_ODDITY, &l->place, 0, l->source->size,
		                    "it is no pickle and of no kind that ckconv knows, as raw data "
		                    "is none") &&
		       claim_all(l);
	return ck_look_closed(l->audit, &l->place, 0, l->source->size,
	                      "it is of no kind that ckconv knows: it begins with \"%s\"",
	                      ck_show((const char *)l->head, l->head_len < 16 ? l->head_len : 16).s)
	       && claim_all(l);
}

/* A reader of pickles opens it, whatever is in it. */
static bool is_pointed_at(const ck_look *l)
{
	return !l->tensors &&
	       (l->kind == CK_LOOK_FILE || ck_look_purpose(l) == CK_FOR_PICKLE);
}

/* Pickles of literals may be data; what follows them tells. Very many of them are no data. */
bool ck_pickle_probe(ck_look *l, uint64_t at, ck_probed *probed)
{
	enum { LITERALS_MAX = 100 };
	ck_purpose purpose = ck_look_purpose(l);
	uint64_t from = at;
	*probed = CK_PROBED_LITERAL;
	for (unsigned i = 0; *probed == CK_PROBED_LITERAL; i++) {
		if (i == LITERALS_MAX) {
			*probed = CK_PROBED_WHOLE;
			break;
		}
		from = at;
		if (!ck_stream_probe(l->audit, l->source, &at, purpose, probed, &l->idle))
			return false;
		if (is_pointed_at(l))
			break;
	}
	if (*probed > CK_PROBED_LITERAL)
		l->sure = from; /* all before it are pickles, too */
	return true;
}

/* A pickle may begin as another format does: its first bytes are then the text of a string. */
static bool take_pickle(ck_look *l, const ck_sniffed *known, bool *taken)
{
	ck_probed probed = CK_PROBED_WHOLE;
	bool certain = !known && l->head_len > 2 && l->head[0] == 0x80 && l->head[1] <= 5 &&
	               is_pointed_at(l);
	*taken = false;
	if (!ck_stream_may_begin(l->head, l->head_len) && !certain)
		return true;
	if (!certain && !ck_pickle_probe(l, 0, &probed))
		return false;
	*taken = probed > CK_PROBED_LITERAL ||
	         (probed == CK_PROBED_LITERAL && is_pointed_at(l));
	l->tensors = l->tensors && !*taken; /* it is two things at once */
	if (!*taken || !ck_pickle_walk(l))
		return !*taken;
	return !known || ck_audit_say(l->audit, CK_RULE_BROKEN_ARCHIVE, &l->place, 0, 0,
	                              "the file is a pickle, and begins as one of the format "
	                              "\"%s\" does", known->format);
}

/* Whatever a file begins with, it may end as a zip archive. */
static bool take_zip_behind(ck_look *l)
{
	bool ends, claimed = l->format && ck_regions_hold(&l->claimed, l->source->size - 1);
	const char *first = l->format;
	if (!l->source->size || !ck_zip_ends(l, &ends) || !ends)
		return !l->source->size || !ends;
	if (!ck_zip_walk(l))
		return false;
	if (!first)
		return true;
	l->format = first;
	/* a value of a pickle may be a whole archive */
	if (claimed && l->whole)
		return true;
	return ck_audit_say(l->audit, CK_RULE_BROKEN_ARCHIVE, &l->place, 0, 0,
	                    "the file begins as one of the format \"%s\" and ends as a zip "
	                    "archive; programs disagree on what it is", first);
}

static bool take_text(ck_look *l)
{
	const char *format = ck_sniff_text_format(l->head, l->head_len);
	l->format = l->kind == CK_LOOK_FILE ? format : "text";
	return tell_promise(l, format) && claim_all(l);
}

static bool look(ck_look *l)
{
	bool taken = false;
	l->head_len = l->source->size < CK_HEAD ? (size_t)l->source->size : CK_HEAD;
	if (!ck_read_at(l->job, l->source, 0, l->head, l->head_len))
		return false;
	l->raw = l->kind == CK_LOOK_FILE && !*l->place.member &&
	         ck_promise_nothing(l->source->label);
	if (ck_sniff_safetensors(l->head, l->head_len) && !ck_safetensors_ask(l))
		return false;
	const ck_sniffed *known = ck_sniff(l);
	bool zip = known && known->walk == ck_zip_walk;
	if (!zip && !(known && known->walk == ck_legacy_walk) && !take_pickle(l, known, &taken))
		return false;
	if (known && (known->walk || !taken) && !take_sniffed(l, known))
		return false;
	if (!zip && !take_zip_behind(l))
		return false;
	if (!l->format && ck_sniff_text(l->head, l->head_len))
		return take_text(l);
	if (!l->format && !take_unknown(l))
		return false;
	return l->kind == CK_LOOK_GAP || ck_look_at_rest(l);
}

/* ---- from outside ---- */

/* As far as it is claimed from the beginning on. */
static ck_looked result_of(ck_look *l)
{
	ck_region gap;
	uint64_t at = 0, size = l->source->size;
	bool more = ck_regions_gap(&l->claimed, size, &at, &gap);
	return (ck_looked){l->format, more && gap.from ? gap.from : size};
}

bool ck_look_inside(ck_audit *audit, const ck_source *source, const char *member,
                    ck_look_kind kind, ck_looked *looked)
{
	ck_place place = {member, source, 0};
	if (looked)
		*looked = (ck_looked){NULL, source->size};
	if (audit->depth >= DEPTH_MAX)
		return ck_look_closed(audit, &place, 0, source->size,
		                      "it lies in more than %d files inside files", DEPTH_MAX);
	ck_job *own = ck_look_job(audit);
	if (!own)
		return false;
	ck_look l = {.audit = audit, .job = own, .source = source, .place = place, .kind = kind};
	audit->depth++;
	bool ok = look(&l);
	audit->depth--;
	if (looked)
		*looked = result_of(&l);
	if (!ok && own->error.status != CK_OK && audit->job->error.status == CK_OK)
		ok = ck_look_failed(audit, own, CK_RULE_NOT_SCANNED, &place, CK_NO_OFFSET);
	return ck_look_done(audit, own) && ok;
}

/* No loader is asked about these, of which some begin as pickles do. */
static bool has_no_layout(const char *format)
{
	static const char *const formats[] = {"safetensors", "GGUF", "ONNX"};
	for (size_t i = 0; format && i < CK_COUNT(formats); i++)
		if (!strcmp(format, formats[i]))
			return true;
	return false;
}

bool ck_audit_source(ck_audit *audit, const ck_source *source, const char *member)
{
	ck_looked looked;
	if (!ck_look_inside(audit, source, member, CK_LOOK_FILE, &looked))
		return false;
	if (!audit->format)
		audit->format = looked.format;
	bool pure = looked.format && !strcmp(looked.format, "pickle") &&
	            looked.end == source->size;
	return !audit->with_tensors || audit->hopeless || has_no_layout(looked.format) ||
	       ck_audit_tensors(audit, source, member, pure);
}

/* The books themselves were too much: what is in them is told all the same. */
static bool go_on(ck_audit *audit)
{
	ck_job *job = audit->job;
	const ck_error error = job->error;
	if (error.status != CK_LIMIT)
		return false;
	job->error = (ck_error){.status = CK_OK};
	ck_report_room(job);
	audit->incomplete = true;
	return ck_audit_say(audit, CK_RULE_OVER_LIMIT, &(ck_place){"", audit->file, 0},
	                    CK_NO_OFFSET, 0, "%s", error.text);
}

const ck_report *ck_audit_run(ck_audit *audit)
{
	if (!ck_audit_source(audit, audit->file, "") && !go_on(audit))
		return NULL;
	if (audit->with_sha256) {
		audit->sha256 = ck_source_sha256(audit->job, audit->file);
		if (!audit->sha256)
			return NULL;
	}
	return ck_audit_report(audit);
}
