/* Bytes that belong to nothing: files in them are looked at all the same, and they are told of. */
#include <stdio.h>
#include <string.h>

#include "look.h"
#include "starts.h"

enum { SEARCHED_MAX = 16 << 20, VAIN_FREE = 16 << 20, PIECE = 64 << 10,
       SHORT_HEAD = 64, TAR_HEAD = 512, PADDING_MAX = 65535 };

/* Zeros, and the blanks that editors and shells leave at the end. */
static bool is_padding(ck_look *l, const ck_region *gap, bool *padding)
{
	unsigned char piece[PIECE];
	*padding = true;
	for (uint64_t at = gap->from; *padding && at < gap->to; at += sizeof piece) {
		uint64_t left = gap->to - at;
		size_t len = left < sizeof piece ? (size_t)left : sizeof piece;
		if (ck_stopped(l->job) || !ck_read_at(l->job, l->source, at, piece, len))
			return false;
		for (size_t i = 0; *padding && i < len; i++)
			*padding = !piece[i] || strchr("\n\r\t ", piece[i]);
	}
	return true;
}

/* What is known and no text begins here. */
static bool look_at(ck_look *l, uint64_t from, uint64_t to, ck_looked *looked)
{
	const ck_source *part =
		ck_source_window(l->job, l->source, l->source->label, from, to - from);
	return part && ck_look_inside(l->audit, part, l->place.member, CK_LOOK_GAP, looked);
}

/* The next place from *at on where something may begin; `to` if there is none. */
static bool search(ck_look *l, unsigned char *piece, bool packed, uint64_t *at, uint64_t to)
{
	while (*at < to) {
		uint64_t left = to - *at;
		size_t len = left < PIECE ? (size_t)left : PIECE;
		if (ck_stopped(l->job) || !ck_read_at(l->job, l->source, *at, piece, len))
			return false;
		size_t start = ck_starts_find(piece, len, packed);
		if (start < len) {
			*at += start;
			return true;
		}
		*at = len < PIECE ? to : *at + len - CK_STARTS_OVERLAP;
	}
	return true;
}

/* True if what begins at `at` is certainly nothing. */
static bool is_nothing(ck_look *l, uint64_t at, uint64_t to, bool *nothing)
{
	unsigned char head[TAR_HEAD]; /* enough for a tar archive */
	size_t len = to - at < sizeof head ? (size_t)(to - at) : sizeof head;
	if (!ck_read_at(l->job, l->source, at, head, len))
		return false;
	*nothing = ck_look_is_data("", head, len);
	return true;
}

/* What is found in gaps, and what looking for it may cost. */
typedef struct {
	unsigned char *piece;
	uint64_t left;       /* bytes that may still be looked at in vain */
	const char *format;  /* of the first thing in the gap that is known, or NULL */
	bool cut;            /* not all of the gap was searched */
	bool packed;         /* the bytes are packed, as those of images are */
} finds;

/* All files in a gap, one after the other, whatever lies between. */
static bool look_through(ck_look *l, const ck_region *gap, finds *f)
{
	uint64_t at = gap->from;
	f->format = NULL;
	f->cut = gap->to - at > SEARCHED_MAX;
	uint64_t end = f->cut ? at + SEARCHED_MAX : gap->to;
	while (at < end && !f->cut) {
		ck_looked looked = {0};
		bool nothing = false;
		uint64_t before = l->audit->vain;
		if (at > gap->from && !is_nothing(l, at, gap->to, &nothing))
			return false;
		if (!nothing && !look_at(l, at, gap->to, &looked))
			return false;
		bool text = looked.format && !strcmp(looked.format, "text");
		if (looked.format && (!f->format || !text))
			f->format = looked.format;
		if (!nothing && (!looked.format || text)) {
			uint64_t vain = l->audit->vain - before + SHORT_HEAD;
			f->cut = vain > f->left;
			f->left -= f->cut ? 0 : vain;
		}
		at += looked.format && !text ? looked.end : 1;
		if (at < end && !search(l, f->piece, f->packed, &at, end))
			return false;
	}
	return true;
}

/* All of it is UTF-8 for people to read, or padding. */
static bool is_text(ck_look *l, const ck_region *gap, unsigned char *piece, bool *text)
{
	*text = true;
	for (uint64_t at = gap->from; *text && at < gap->to;) {
		uint64_t left = gap->to - at;
		size_t len = left < PIECE ? (size_t)left : PIECE, done = 0;
		if (ck_stopped(l->job) || !ck_read_at(l->job, l->source, at, piece, len))
			return false;
		uint32_t code;
		for (size_t took = 1; done < len && took; done += took) {
			took = ck_utf8_next((const char *)piece + done, len - done, &code);
			if (took && code && (code < ' ' || code == 0x7f) &&
			    !strchr("\t\n\r\f", (int)code))
				took = 0;
		}
		*text = done == len || (len == PIECE && len - done < 4);
		at += done;
	}
	return true;
}

static bool tell(ck_look *l, const ck_region *gap, const finds *f, unsigned *told)
{
	bool text = false;
	char words[CK_TEXT_MAX];
	const char *format = f->format;
	uint64_t length = gap->to - gap->from;
	if (l->lenient && !f->cut && !is_text(l, gap, f->piece, &text))
		return false;
	bool harmless = text && (!format || !strcmp(format, "text"));
	snprintf(words, sizeof words,
	         "%s from here on belong%s to no part of the %s; in them there is %s",
	         ck_many(length, "byte").s, length == 1 ? "s" : "", l->format,
	         format ? format : "nothing that is known");
	return ck_audit_say_some(l->audit, told,
	                         harmless ? CK_RULE_ODDITY : CK_RULE_UNACCOUNTED_BYTES, &l->place,
	                         gap->from, length, words);
}

bool ck_look_at_rest(ck_look *l)
{
	ck_region gap;
	unsigned told = 0;
	finds f = {.packed = l->loose,
	           .left = l->source->size > UINT64_MAX / 4 ? UINT64_MAX
	                                                    : VAIN_FREE + 2 * l->source->size};
	for (uint64_t at = 0; ck_regions_gap(&l->claimed, l->source->size, &at, &gap);) {
		bool padding;
		if (!is_padding(l, &gap, &padding))
			return false;
		bool far = l->strict_end && gap.to == l->source->size &&
		           gap.to - gap.from > PADDING_MAX;
		if (padding && !far)
			continue;
		if (!f.piece)
			f.piece = ck_alloc(l->job, PIECE);
		if (!f.piece || !look_through(l, &gap, &f))
			return false;
		if (l->loose)
			continue; /* they may well be its own */
		l->audit->incomplete = l->audit->incomplete || f.cut;
		if (f.cut && l->kind == CK_LOOK_BYTES &&
		    !ck_look_closed(l->audit, &l->place, gap.from, gap.to - gap.from,
		                    "not all of the %llu bytes behind the %s was searched for "
		                    "other files", (unsigned long long)(gap.to - gap.from),
		                    l->format))
			return false;
		/* in the bytes of a pickle there may be anything */
		if (l->kind != CK_LOOK_BYTES && !tell(l, &gap, &f, &told))
			return false;
	}
	return true;
}
