/* Packed files: what comes out of gzip, zlib, bzip2, xz and lzma is looked at as a file. */
#include <string.h>

#include "look.h"

/* *known: it was known what came out. */
static bool look_at(ck_look *l, const ck_packing *packing, const ck_source *unpacked,
                    ck_look_kind kind, bool *known)
{
	ck_looked looked;
	ck_text about = {0}, text = {0};
	const char *path = ck_look_path(l->job, &text, l->place.member, packing->name,
	                                strlen(packing->name));
	if (!path || !ck_look_inside(l->audit, unpacked, path, kind, &looked))
		return false;
	*known = *known || (looked.format && strcmp(looked.format, "text") != 0);
	if (kind != CK_LOOK_FILE || !looked.format)
		return true;
	if (!ck_text_addf(l->audit->job, &about, "%s of %s", packing->name, looked.format) ||
	    !ck_text_add(l->audit->job, &about, "", 1))
		return false;
	l->format = about.data;
	return true;
}

/* Two or three bytes begin them, and those have many values. */
static bool is_weak(const ck_packing *packing)
{
	return packing == &ck_packing_zlib || packing == &ck_packing_lzma;
}

/* A damaged file beside a model is no business of the model's; as the whole file it is. */
static bool tell_damage(ck_look *l, const ck_job *own)
{
	if (own->error.status == CK_CORRUPT && l->kind != CK_LOOK_FILE)
		return ck_audit_say(l->audit, CK_RULE_ODDITY, &l->place, CK_NO_OFFSET, 0,
		                    "%s; what comes out of it up to there was looked at",
		                    own->error.text);
	return ck_look_failed(l->audit, own, CK_RULE_BROKEN_ARCHIVE, &l->place, CK_NO_OFFSET);
}

void ck_packed_unpack(ck_job *own, ck_job *others, const ck_packing *packing,
                      const ck_source *packed, ck_unpacked *to)
{
	*to = (ck_unpacked){0};
	to->strict = ck_unpack_part(own, packing, packed, &to->whole, &to->follows);
	others->unpacked = own->unpacked;
	ck_status status = own->error.status;
	bool broken = status == CK_CORRUPT || status == CK_UNSUPPORTED;
	if (!broken && !to->follows)
		return;
	const ck_source *loose = ck_unpack_loosely(others, packing, packed);
	if (loose && (!to->strict || loose->size > to->strict->size))
		to->loose = loose;
}

/* What others than ours fail of is beyond a limit, or it was looked at. */
static bool tell_others(ck_look *l, const ck_job *others)
{
	ck_status status = others->error.status;
	return status == CK_OK || status == CK_CORRUPT ||
	       ck_look_failed(l->audit, others, CK_RULE_BROKEN_ARCHIVE, &l->place, CK_NO_OFFSET);
}

static bool walk(ck_look *l, ck_job *own, ck_job *others, const ck_packing *packing)
{
	ck_unpacked all;
	bool known = false;
	ck_packed_unpack(own, others, packing, l->source, &all);
	if (l->audit->job->unpacked < others->unpacked)
		l->audit->job->unpacked = others->unpacked;
	bool doubtful = own->error.status == CK_CORRUPT && is_weak(packing) &&
	                (l->kind != CK_LOOK_FILE || l->raw);
	ck_look_kind kind = doubtful && l->raw ? CK_LOOK_MEMBER : l->kind;
	if (!all.whole && !doubtful && !tell_damage(l, own))
		return false;
	if ((all.strict && all.strict->size && !look_at(l, packing, all.strict, kind, &known)) ||
	    (all.loose && !look_at(l, packing, all.loose, kind, &known)) || !tell_others(l, others))
		return false;
	if (doubtful && !known) {
		l->format = NULL; /* numbers that only began like it */
		return true;
	}
	if (doubtful && !tell_damage(l, own))
		return false;
	return !all.follows || ck_audit_say(l->audit, CK_RULE_UNACCOUNTED_BYTES, &l->place,
	                                    CK_NO_OFFSET, 0,
	                                    "something else follows the packed data");
}

bool ck_packed_walk(ck_look *l)
{
	const ck_packing *packing = ck_packing_find(l->head, l->head_len);
	ck_job *own = ck_look_job(l->audit);
	ck_job *others = own ? ck_look_job(l->audit) : NULL;
	l->format = packing->name;
	bool ok = others && walk(l, own, others, packing);
	ok = (!others || ck_look_done(l->audit, others)) && ok;
	ok = (!own || ck_look_done(l->audit, own)) && ok;
	return ok &&
	       (!l->format || ck_regions_claim(l->job, &l->claimed, 0, l->source->size));
}

/* joblib before 0.10: "ZF", the size in hexadecimal digits, and what zlib made of the pickle. */
bool ck_old_joblib_walk(ck_look *l)
{
	enum { HEADER = 21 };
	unsigned char next = 0;
	uint64_t size = l->source->size;
	l->format = "old joblib";
	if (size <= HEADER)
		return ck_look_closed(l->audit, &l->place, 0, size, "it is a packed file of an old "
		                      "joblib, cut short");
	if (!ck_read_at(l->job, l->source, HEADER, &next, 1))
		return false;
	/* the header that 32 bits wrote is padded with a blank more */
	uint64_t from = HEADER + (next == ' ');
	const ck_source *rest = ck_source_window(l->job, l->source, l->source->label, from,
	                                         size - from);
	return rest && ck_look_inside(l->audit, rest, l->place.member, l->kind, NULL) &&
	       ck_regions_claim(l->job, &l->claimed, 0, size);
}
