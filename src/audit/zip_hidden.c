/* Members of a zip archive that no directory names: programs that read archives from front to back
 * find them. Signatures are looked for only where nothing known is. */
#include <string.h>

#include "zip_parts.h"

enum { PIECE = 64 << 10, HIDDEN_MAX = 1000, SEARCHED_MAX = 64 << 20 };

/* A header that is one, and no four bytes by chance. */
static bool read_header(ck_zip *zip, uint64_t at, const ck_region *gap, ck_zip_entry *e, bool *ok)
{
	const unsigned char *p = ck_zip_peek_at(zip, &zip->local, at, CK_ZIP_LOCAL, ok);
	if (!p || ck_little(p + 4, 2) > 0xff || ck_little(p + 8, 2) > 99)
		return false;
	size_t name_len = (size_t)ck_little(p + 26, 2), extra_len = (size_t)ck_little(p + 28, 2);
	uint64_t all = CK_ZIP_LOCAL + name_len + extra_len;
	if (all > gap->to - at)
		return false;
	p = ck_zip_peek_at(zip, &zip->local, at, (size_t)all, ok);
	if (!p)
		return false;
	*e = (ck_zip_entry){
		.flags = (unsigned)ck_little(p + 6, 2), .method = (unsigned)ck_little(p + 8, 2),
		.crc = (uint32_t)ck_little(p + 14, 4), .packed = ck_little(p + 18, 4),
		.size = ck_little(p + 22, 4), .local = at,
		.name = ck_copy(zip->look->job, p + CK_ZIP_LOCAL, name_len), .name_len = name_len,
	};
	ck_zip_extra64(p + CK_ZIP_LOCAL + name_len, extra_len, &e->size, &e->packed, NULL);
	*ok = *ok && e->name;
	return e->name;
}

/* Without sizes its bytes go on to wherever the gap ends. */
static bool take(ck_zip *zip, ck_zip_entry *e, uint64_t data, const ck_region *gap, uint64_t *end)
{
	ck_look *l = zip->look;
	uint64_t left = gap->to - data;
	bool later = e->flags & 8 && !e->packed;
	if (later || e->packed > left)
		e->packed = left;
	if (later) {
		e->size = e->packed;
		e->crc = 0;
	}
	*end = data + e->packed;
	const char *path = ck_look_path(l->job, &zip->path, l->place.member, e->name, e->name_len);
	return path &&
	       ck_zip_say(zip, e->local, "member '%s' is in no directory; programs that read from "
	                  "front to back find it", ck_show(e->name, e->name_len).s) &&
	       ck_regions_claim(l->job, &l->claimed, e->local, *end) &&
	       (!e->packed || ck_zip_content(zip, e, path, data));
}

static bool search(ck_zip *zip, const ck_region *gap, unsigned *found, unsigned char *piece)
{
	ck_look *l = zip->look;
	uint64_t at = gap->from;
	while (*found < HIDDEN_MAX && gap->to - at >= CK_ZIP_LOCAL &&
	       at - gap->from < SEARCHED_MAX) {
		uint64_t left = gap->to - at;
		size_t len = left < PIECE ? (size_t)left : PIECE;
		if (ck_stopped(l->job) || !ck_read_at(l->job, l->source, at, piece, len))
			return false;
		const unsigned char *hit = memmem(piece, len, "PK\3\4", 4);
		if (!hit) {
			at += len - 3;
			continue;
		}
		at += (uint64_t)(hit - piece);
		ck_zip_entry e;
		bool ok = true;
		uint64_t end = at + 4;
		if (read_header(zip, at, gap, &e, &ok)) {
			const unsigned char *p =
				ck_zip_peek_at(zip, &zip->local, at, CK_ZIP_LOCAL, &ok);
			uint64_t data = at + CK_ZIP_LOCAL + (p ? ck_little(p + 26, 2) +
			                                         ck_little(p + 28, 2) : 0);
			++*found;
			ok = ok && take(zip, &e, data, gap, &end);
		}
		if (!ok)
			return false;
		at = end;
	}
	return true;
}

bool ck_zip_hidden(ck_zip *zip)
{
	ck_region gap, *gaps = NULL;
	size_t count = 0, cap = 0;
	unsigned found = 0;
	ck_look *l = zip->look;
	/* what is found claims bytes: the gaps are listed first */
	for (uint64_t at = 0; ck_regions_gap(&l->claimed, l->source->size, &at, &gap);) {
		if (gap.to - gap.from < CK_ZIP_LOCAL)
			continue;
		ck_region *grown = ck_grow(l->job, gaps, &cap, count + 1, sizeof *grown);
		if (!grown)
			return false;
		gaps = grown;
		gaps[count++] = gap;
	}
	unsigned char *piece = count ? ck_alloc(l->job, PIECE) : NULL;
	for (size_t i = 0; i < count; i++)
		if (!piece || !search(zip, &gaps[i], &found, piece))
			return false;
	return true;
}
