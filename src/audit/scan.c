/* Finds out what a file is, or a thing inside a file, and has every part of it looked through. */
#include <string.h>

#include "look.h"
#include "stream.h"

enum { DEPTH_MAX = 8, FINDS_MAX = 64, SEARCHED_MAX = 16 << 20, PIECE = 64 << 10 };

/* ---- what is left over ---- */

/* Zeros, and the blanks that editors and shells leave at the end. */
static bool is_padding(ck_look *l, const ck_region *gap, bool *padding)
{
	unsigned char piece[PIECE];
	*padding = true;
	for (uint64_t at = gap->from; *padding && at < gap->to; at += sizeof piece) {
		uint64_t left = gap->to - at;
		size_t len = left < sizeof piece ? (size_t)left : sizeof piece;
		if (!ck_read_at(l->job, l->source, at, piece, len))
			return false;
		for (size_t i = 0; *padding && i < len; i++)
			*padding = !piece[i] || strchr("\n\r\t ", piece[i]);
	}
	return true;
}

static bool look_at_gap(ck_look *l, uint64_t from, uint64_t to, const char **format)
{
	const ck_source *part =
		ck_source_window(l->job, l->source, l->source->label, from, to - from);
	return part && ck_look_inside(l->audit, part, l->place.member, CK_LOOK_GAP, format);
}

/* Where something begins that may be a file: an archive's member, or a pickle of protocol 2 to 5. */
static size_t find_start(const unsigned char *data, size_t len, size_t at)
{
	for (; at + 4 <= len; at++) {
		if (data[at] == 0x80 && data[at + 1] >= 2 && data[at + 1] <= 5)
			return at;
		if (data[at] == 'P' && !memcmp(data + at, "PK\3\4", 4))
			return at;
	}
	return len;
}

/* A pickle behind some junk is found by whoever knows where it is. */
static bool search_gap(ck_look *l, const ck_region *gap, const char **format)
{
	uint64_t end = gap->to - gap->from > SEARCHED_MAX ? gap->from + SEARCHED_MAX : gap->to;
	unsigned found = 0;
	unsigned char *piece = ck_alloc(l->job, PIECE);
	if (!piece)
		return false;
	for (uint64_t at = gap->from + 1; !*format && at < end; at += PIECE - 3) {
		size_t len = end - at < PIECE ? (size_t)(end - at) : PIECE;
		if (!ck_read_at(l->job, l->source, at, piece, len))
			return false;
		for (size_t i = find_start(piece, len, 0); !*format && i < len && found < FINDS_MAX;
		     i = find_start(piece, len, i + 1), found++)
			if (!look_at_gap(l, at + i, gap->to, format))
				return false;
	}
	return true;
}

static bool tell_gap(ck_look *l, const ck_region *gap, const char *format)
{
	uint64_t length = gap->to - gap->from;
	const char *what = format ? format : "nothing that is known";
	bool harmless = l->lenient && !format;
	return ck_audit_say(l->audit, harmless ? CK_RULE_ODDITY : CK_RULE_UNACCOUNTED_BYTES,
	                    &l->place, gap->from, length,
	                    "%llu byte%s here belong%s to no part of the %s; they look like %s",
	                    (unsigned long long)length, length == 1 ? "" : "s",
	                    length == 1 ? "s" : "", l->format, what);
}

static bool look_at_rest(ck_look *l)
{
	ck_region gap;
	unsigned told = 0;
	for (uint64_t at = 0; ck_regions_gap(&l->claimed, l->source->size, &at, &gap);) {
		bool padding;
		const char *format = NULL;
		if (ck_stopped(l->job) || !is_padding(l, &gap, &padding))
			return false;
		if (padding)
			continue;
		if (!look_at_gap(l, gap.from, gap.to, &format) ||
		    (!format && !search_gap(l, &gap, &format)))
			return false;
		if (told++ < FINDS_MAX && !tell_gap(l, &gap, format))
			return false;
	}
	return true;
}

/* ---- what it is ---- */

static bool claim_all(ck_look *l)
{
	return ck_regions_claim(l->job, &l->claimed, 0, l->source->size);
}

static bool take_sniffed(ck_look *l, const ck_sniffed *known)
{
	l->format = known->format;
	if (known->walk)
		return known->walk(l);
	if (known->closed && !ck_look_closed(l->audit, &l->place, 0, l->source->size, "%s",
	                                     known->closed))
		return false;
	if (known->note && l->kind != CK_LOOK_FILE &&
	    !ck_audit_say(l->audit, CK_RULE_ODDITY, &l->place, 0, l->source->size, "%s",
	                  known->note))
		return false;
	return claim_all(l);
}

/* Nobody knows it. That is as it should be for data, and a gap is told by whoever found it. */
static bool take_unknown(ck_look *l)
{
	if (l->kind != CK_LOOK_FILE)
		return claim_all(l);
	l->format = "unknown";
	return ck_look_closed(l->audit, &l->place, 0, l->source->size,
	                      "it is of no kind that ckconv knows: it begins with \"%s\"",
	                      ck_show((const char *)l->head, l->head_len < 16 ? l->head_len : 16).s)
	       && claim_all(l);
}

/* A pickle may begin as another format does: its first bytes are then the text of a string. */
static bool take_pickle(ck_look *l, const ck_sniffed *known, bool *taken)
{
	ck_probed probed = CK_PROBED_WHOLE;
	bool certain = l->head_len > 2 && l->head[0] == 0x80 && l->head[1] <= 5 &&
	               l->kind == CK_LOOK_FILE;
	*taken = false;
	if (!ck_stream_may_begin(l->head, l->head_len) && !certain)
		return true;
	if (!certain && !ck_stream_probe(l->audit, l->source, 0, &probed))
		return false;
	*taken = probed != CK_PROBED_NOTHING;
	if (!*taken || !ck_pickle_walk(l))
		return !*taken;
	return !known || ck_audit_say(l->audit, CK_RULE_BROKEN_ARCHIVE, &l->place, 0, 0,
	                              "the file is a pickle, and begins as one of the format "
	                              "\"%s\" does", known->format);
}

/* Whatever a file begins with, it may end as a zip archive. */
static bool take_zip_behind(ck_look *l)
{
	bool ends;
	const char *first = l->format;
	if (!ck_zip_ends(l, &ends) || !ends)
		return !ends;
	if (!ck_zip_walk(l))
		return false;
	if (!first)
		return true;
	l->format = first;
	return ck_audit_say(l->audit, CK_RULE_BROKEN_ARCHIVE, &l->place, 0, 0,
	                    "the file begins as one of the format \"%s\" and ends as a zip "
	                    "archive; programs disagree on what it is", first);
}

static bool look(ck_look *l)
{
	bool taken = false;
	l->head_len = l->source->size < CK_HEAD ? (size_t)l->source->size : CK_HEAD;
	if (!ck_read_at(l->job, l->source, 0, l->head, l->head_len))
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
		return take_sniffed(l, &(ck_sniffed){"text", NULL, NULL, NULL});
	return (l->format || take_unknown(l)) && look_at_rest(l);
}

/* ---- from outside ---- */

bool ck_look_inside(ck_audit *audit, const ck_source *source, const char *member,
                    ck_look_kind kind, const char **format)
{
	ck_place place = {member, source, 0};
	*format = NULL;
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
	*format = l.format;
	if (!ok && own->error.status != CK_OK && audit->job->error.status == CK_OK)
		ok = ck_look_failed(audit, own, CK_RULE_NOT_SCANNED, &place, CK_NO_OFFSET);
	return ck_look_done(audit, own) && ok;
}

bool ck_audit_source(ck_audit *audit, const ck_source *source, const char *member)
{
	const char *format;
	if (!ck_look_inside(audit, source, member, CK_LOOK_FILE, &format))
		return false;
	if (!audit->format && format)
		audit->format = format;
	return !audit->with_tensors || ck_audit_tensors(audit, source, member);
}
