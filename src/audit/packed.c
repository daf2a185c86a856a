/* Packed files: what comes out of gzip, zlib, bzip2, xz and lzma is looked at as a file. */
#include <string.h>

#include "look.h"

typedef struct {
	const ck_job *outer;
	bool follows;
} ears;

/* The unpackers tell in a note that they pass over what is behind the last stream. */
static void on_note(void *arg, const char *text)
{
	ears *e = arg;
	e->follows = text != NULL;
}

static void on_progress(void *arg, const char *what, uint64_t done, uint64_t total)
{
	const ears *e = arg;
	if (e->outer->progress)
		e->outer->progress(e->outer->listener, what, done, total);
}

static bool look_at(ck_look *l, const ck_packing *packing, const ck_source *unpacked)
{
	ck_looked looked;
	ck_text about = {0}, text = {0};
	const char *path = ck_look_path(l->job, &text, l->place.member, packing->name,
	                                strlen(packing->name));
	if (!path || !ck_look_inside(l->audit, unpacked, path, l->kind, &looked))
		return false;
	if (l->kind != CK_LOOK_FILE || !looked.format)
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

/* Where the rules of the packing are broken, Python may get more than the rules allow. */
static bool look_loosely(ck_look *l, const ck_packing *packing, const ck_source *strict)
{
	ck_job *own = ck_look_job(l->audit);
	if (!own)
		return false;
	const uint64_t known = strict ? strict->size : 0;
	const ck_source *unpacked = ck_unpack_loosely(own, packing, l->source);
	bool ok = !unpacked || unpacked->size <= known || look_at(l, packing, unpacked);
	return ck_look_done(l->audit, own) && ok;
}

static bool walk(ck_look *l, ck_job *own, const ck_packing *packing)
{
	bool whole;
	ears e = {.outer = l->audit->job};
	own->note = on_note;
	own->progress = on_progress;
	own->listener = &e;
	const ck_source *unpacked = ck_unpack_part(own, packing, l->source, &whole);
	own->note = NULL;
	own->progress = NULL;
	if (l->audit->job->unpacked < own->unpacked)
		l->audit->job->unpacked = own->unpacked;
	if (!whole && own->error.status == CK_CORRUPT && is_weak(packing) &&
	    l->kind != CK_LOOK_FILE) {
		l->format = NULL; /* numbers that only began like it */
		return true;
	}
	if (!whole && !tell_damage(l, own))
		return false;
	if (unpacked && unpacked->size && !look_at(l, packing, unpacked))
		return false;
	if ((!whole || e.follows) && !look_loosely(l, packing, unpacked))
		return false;
	return !e.follows || ck_audit_say(l->audit, CK_RULE_UNACCOUNTED_BYTES, &l->place,
	                                  CK_NO_OFFSET, 0,
	                                  "something else follows the packed data");
}

bool ck_packed_walk(ck_look *l)
{
	const ck_packing *packing = ck_packing_find(l->head, l->head_len);
	ck_job *own = ck_look_job(l->audit);
	if (!own)
		return false;
	l->format = packing->name;
	bool ok = walk(l, own, packing);
	return ck_look_done(l->audit, own) && ok &&
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
