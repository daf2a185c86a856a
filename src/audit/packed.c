/* Packed files: what comes out of gzip, zlib, bzip2, xz and lzma is looked at as a file. */
#include <string.h>

#include "look.h"

/* The unpackers tell in a note what they pass over behind the last stream. */
static void on_note(void *arg, const char *text)
{
	const char **kept = arg;
	*kept = text ? "something else follows the packed data" : *kept;
}

static bool look_at(ck_look *l, const ck_packing *packing, const ck_source *unpacked)
{
	const char *format;
	ck_text about = {0}, text = {0};
	const char *path = ck_look_path(l->job, &text, l->place.member, packing->name,
	                                strlen(packing->name));
	if (!path || !ck_look_inside(l->audit, unpacked, path, l->kind, &format))
		return false;
	if (l->kind != CK_LOOK_FILE || !format)
		return true;
	if (!ck_text_addf(l->audit->job, &about, "%s of %s", packing->name, format) ||
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

bool ck_packed_walk(ck_look *l)
{
	const char *follows = NULL;
	const ck_packing *packing = ck_packing_find(l->head, l->head_len);
	ck_job *own = ck_look_job(l->audit);
	if (!own)
		return false;
	own->note = on_note;
	own->listener = (void *)&follows;
	l->format = packing->name;
	const ck_source *unpacked = ck_unpack(own, packing, l->source);
	own->note = NULL;
	own->listener = NULL;
	if (l->audit->job->unpacked < own->unpacked)
		l->audit->job->unpacked = own->unpacked;
	bool ok = true;
	if (unpacked)
		ok = look_at(l, packing, unpacked);
	else if (own->error.status == CK_CORRUPT && is_weak(packing) && l->kind != CK_LOOK_FILE)
		l->format = NULL; /* numbers that only began like it */
	else
		ok = ck_look_failed(l->audit, own, CK_RULE_BROKEN_ARCHIVE, &l->place, CK_NO_OFFSET);
	if (ok && follows)
		ok = ck_audit_say(l->audit, CK_RULE_UNACCOUNTED_BYTES, &l->place, CK_NO_OFFSET, 0,
		                  "%s", follows);
	return ck_look_done(l->audit, own) && ok &&
	       (!l->format || ck_regions_claim(l->job, &l->claimed, 0, l->source->size));
}
