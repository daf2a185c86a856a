/* The end records of a zip archive: which directories readers find by them. They look for the
 * signature from the end of the file on; some then take the directory's offset as it is, others
 * count it from where the archive would have to begin. */
#include "zip_parts.h"

#include <string.h>

enum { COMMENT_MAX = 65535, TAIL_MAX = CK_ZIP_END + COMMENT_MAX };

const unsigned char *ck_zip_peek_at(ck_zip *zip, ck_zip_peek *p, uint64_t at, size_t len, bool *ok)
{
	const ck_source *source = zip->look->source;
	if (at > source->size || len > source->size - at)
		return NULL;
	if (p->data && at >= p->at && at - p->at <= p->len && len <= p->len - (at - p->at))
		return p->data + (at - p->at);
	if (!p->data) {
		p->data = ck_alloc(zip->look->job, CK_ZIP_HEADER_MAX);
		*ok = p->data;
		if (!p->data)
			return NULL;
	}
	uint64_t left = source->size - at;
	size_t want = len > p->want ? len : p->want;
	p->at = at;
	p->len = left < want ? (size_t)left : want;
	if (want <= CK_ZIP_HEADER_MAX && ck_read_at(zip->look->job, source, at, p->data, p->len))
		return p->data;
	p->len = 0;
	*ok = false;
	return NULL;
}

/* ---- what one end record says ---- */

static bool has_directory(ck_zip *zip, const ck_zip_view *v, bool *ok)
{
	if (!v->members && !v->size)
		return v->start <= v->record;
	const unsigned char *p = ck_zip_peek_at(zip, &zip->directory, v->start, CK_ZIP_CENTRAL, ok);
	return p && v->start < v->record && !memcmp(p, "PK\1\2", 4);
}

static bool add(ck_zip *zip, ck_zip_view *views, size_t *count, const ck_zip_view *v)
{
	bool ok = true;
	for (size_t i = 0; i < *count; i++)
		if (views[i].start == v->start && views[i].base == v->base)
			return true;
	if (!has_directory(zip, v, &ok))
		return ok;
	if (*count < CK_ZIP_VIEWS)
		views[(*count)++] = *v;
	else
		zip->many_views = true;
	return ok;
}

/* The offset as it is, and as if the directory lay right before its end record. */
static bool add_both(ck_zip *zip, ck_zip_view *views, size_t *count, ck_zip_view *v,
                     uint64_t offset)
{
	v->start = offset;
	v->base = 0;
	if (!add(zip, views, count, v))
		return false;
	uint64_t before;
	if (!ck_add(v->size, offset, &before) || before > v->record || before == v->record)
		return true;
	v->base = v->record - before;
	v->start = v->record - v->size;
	return add(zip, views, count, v);
}

/* The zip64 record at `at`, if there is one. Fields of the old record that are all ones say what it
 * says. */
static bool add_zip64(ck_zip *zip, ck_zip_view *views, size_t *count, ck_zip_view *old,
                      uint64_t *offset, uint64_t at)
{
	bool ok = true;
	const unsigned char *p = ck_zip_peek_at(zip, &zip->directory, at, CK_ZIP_END64, &ok);
	if (!p || at >= old->end || memcmp(p, "PK\6\6", 4) != 0)
		return ok;
	ck_zip_view v = *old;
	v.many_disks = ck_little(p + 16, 4) || ck_little(p + 20, 4);
	v.members = ck_little(p + 32, 8);
	v.size = ck_little(p + 40, 8);
	v.record = old->record = at;
	uint64_t start = ck_little(p + 48, 8);
	if (*offset == UINT32_MAX)
		*offset = start;
	if (old->size == UINT32_MAX)
		old->size = v.size;
	if (old->members == UINT16_MAX)
		old->members = v.members;
	return add_both(zip, views, count, &v, start);
}

static bool take_end(ck_zip *zip, const unsigned char *record, uint64_t at, ck_zip_view *views,
                     size_t *count)
{
	bool ok = true;
	ck_zip_view v = {
		.end = at, .record = at, .size = ck_little(record + 12, 4),
		.members = ck_little(record + 10, 2),
		.many_disks = ck_little(record + 4, 4) != 0 ||
		              ck_little(record + 8, 2) != ck_little(record + 10, 2),
	};
	uint64_t offset = ck_little(record + 16, 4);
	const unsigned char *p = NULL;
	if (at >= CK_ZIP_LOCATOR)
		p = ck_zip_peek_at(zip, &zip->directory, at - CK_ZIP_LOCATOR, CK_ZIP_LOCATOR, &ok);
	if (p && !memcmp(p, "PK\6\7", 4)) {
		uint64_t said = ck_little(p + 8, 8);
		v.record = at - CK_ZIP_LOCATOR;
		if (!add_zip64(zip, views, count, &v, &offset, said) ||
		    (at >= CK_ZIP_LOCATOR + CK_ZIP_END64 &&
		     !add_zip64(zip, views, count, &v, &offset,
		                at - CK_ZIP_LOCATOR - CK_ZIP_END64)))
			return false;
	}
	return ok && add_both(zip, views, count, &v, offset);
}

bool ck_zip_find_views(ck_zip *zip, ck_zip_view *views, size_t *count)
{
	const ck_source *source = zip->look->source;
	ck_job *job = zip->look->job;
	size_t len = source->size < TAIL_MAX ? (size_t)source->size : TAIL_MAX;
	*count = 0;
	if (len < CK_ZIP_END)
		return true;
	unsigned char *tail = ck_alloc(job, len);
	uint64_t from = source->size - len;
	if (!tail || !ck_read_at(job, source, from, tail, len))
		return false;
	for (size_t i = len - CK_ZIP_END + 1; i-- > 0;)
		if (tail[i] == 'P' && !memcmp(tail + i, "PK\5\6", 4) &&
		    !take_end(zip, tail + i, from + i, views, count))
			return false;
	return true;
}

bool ck_zip_ends(ck_look *look, bool *ends)
{
	/* the data of a tensor is not read for it, beyond its last bytes */
	unsigned char tail[CK_ZIP_END];
	*ends = false;
	if (look->source->size < CK_ZIP_END)
		return true;
	if (!ck_read_at(look->job, look->source, look->source->size - CK_ZIP_END, tail,
	                sizeof tail))
		return false;
	if (look->kind == CK_LOOK_MEMBER && ck_look_purpose(look) == CK_FOR_STORAGE &&
	    memcmp(tail, "PK\5\6", 4) != 0)
		return true;
	ck_zip zip = {.look = look, .directory.want = CK_ZIP_PEEK};
	ck_zip_view views[CK_ZIP_VIEWS];
	size_t count;
	if (!ck_zip_find_views(&zip, views, &count))
		return false;
	for (size_t i = 0; i < count; i++)
		*ends = *ends || ((views[i].members || views[i].size) &&
		                  !ck_regions_hold(&look->inside, views[i].end));
	return true;
}
