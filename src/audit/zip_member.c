/* A member of a zip archive: what its local header says, and where its bytes are. Readers believe
 * either header; where the two disagree, both are believed here. */
#include <string.h>

#include "zip_parts.h"

enum { ENCRYPTED = 0x2041, DESCRIPTOR = 8, DESCRIPTOR_MAX = 24, TWICE = 2 };

typedef struct {
	ck_zip_entry said;  /* by the local header */
	uint64_t data;      /* where the bytes begin */
} local;

static bool read_local(ck_zip *zip, const ck_zip_entry *e, local *h, bool *found)
{
	bool ok = true;
	*found = false;
	const unsigned char *p = ck_zip_peek_at(zip, &zip->local, e->local, CK_ZIP_LOCAL, &ok);
	if (!p || memcmp(p, "PK\3\4", 4) != 0)
		return ok && ck_zip_say(zip, e->local, "member '%s' should begin here, but there "
		                        "is no local header", ck_show(e->name, e->name_len).s);
	size_t name_len = (size_t)ck_little(p + 26, 2), extra_len = (size_t)ck_little(p + 28, 2);
	size_t all = CK_ZIP_LOCAL + name_len + extra_len;
	p = ck_zip_peek_at(zip, &zip->local, e->local, all, &ok);
	if (!p)
		return ok && ck_zip_say(zip, e->local, "the local header of member '%s' reaches "
		                        "beyond the file", ck_show(e->name, e->name_len).s);
	*found = true;
	*h = (local){
		.said = {
			.flags = (unsigned)ck_little(p + 6, 2),
			.method = (unsigned)ck_little(p + 8, 2),
			.crc = (uint32_t)ck_little(p + 14, 4), .packed = ck_little(p + 18, 4),
			.size = ck_little(p + 22, 4), .local = e->local,
			.name = (const char *)p + CK_ZIP_LOCAL, .name_len = name_len,
		},
		.data = e->local + all,
	};
	ck_zip_extra64(p + CK_ZIP_LOCAL + name_len, extra_len, &h->said.size, &h->said.packed,
	               NULL);
	return true;
}

/* A size in front of bytes that it also stands behind: zero, all ones, or known all the same. */
static bool is_open(uint64_t said, uint64_t known)
{
	return said == 0 || said == UINT32_MAX || said == known;
}

/* What stands behind the bytes need not stand in front of them. */
static bool is_later(const ck_zip_entry *said, const ck_zip_entry *e)
{
	return said->flags & DESCRIPTOR && !said->crc && is_open(said->packed, e->packed) &&
	       is_open(said->size, e->size);
}

static bool compare(ck_zip *zip, const ck_zip_entry *e, const ck_zip_entry *said)
{
	ck_shown name = ck_show(e->name, e->name_len);
	if ((e->name_len != said->name_len || memcmp(e->name, said->name, e->name_len) != 0) &&
	    !ck_zip_say(zip, e->local, "member '%s' is called '%s' by its local header", name.s,
	                ck_show(said->name, said->name_len).s))
		return false;
	if (e->method != said->method &&
	    !ck_zip_say(zip, e->local, "member '%s' is packed by method %u in the directory, by %u "
	                "in its local header", name.s, e->method, said->method))
		return false;
	if ((e->flags ^ said->flags) & ENCRYPTED &&
	    !ck_zip_say(zip, e->local, "the headers of member '%s' disagree on whether it is "
	                "encrypted", name.s))
		return false;
	bool same = e->crc == said->crc && e->packed == said->packed && e->size == said->size;
	return same || is_later(said, e) ||
	       ck_zip_say(zip, e->local, "the headers of member '%s' disagree on its sizes or its "
	                  "checksum", name.s);
}

/* What stands behind the bytes, with or without a signature, in 32 or 64 bits. */
static bool claim_descriptor(ck_zip *zip, const ck_zip_entry *e, uint64_t at)
{
	bool ok = true;
	ck_look *l = zip->look;
	uint64_t left = l->source->size > at ? l->source->size - at : 0;
	size_t len = left < DESCRIPTOR_MAX ? (size_t)left : DESCRIPTOR_MAX;
	const unsigned char *p = len >= 12 ? ck_zip_peek_at(zip, &zip->local, at, len, &ok) : NULL;
	if (!p)
		return ok;
	size_t from = !memcmp(p, "PK\7\10", 4) ? 4 : 0;
	for (size_t width = 8; width >= 4; width -= 4) {
		size_t end = from + 4 + 2 * width;
		uint64_t mask = width == 8 ? UINT64_MAX : UINT32_MAX;
		if (len < end || (e->crc && ck_little(p + from, 4) != e->crc) ||
		    ck_little(p + from + 4, width) != (e->packed & mask) ||
		    ck_little(p + from + 4 + width, width) != (e->size & mask))
			continue;
		return ck_regions_claim(l->job, &l->inside, at, at + end) &&
		       ck_regions_claim(l->job, &l->claimed, at, at + end);
	}
	return !from || (ck_zip_say(zip, at, "what is recorded behind the bytes of member '%s' "
	                            "differs from its other headers",
	                            ck_show(e->name, e->name_len).s) &&
	                 ck_regions_claim(l->job, &l->claimed, at, at + 16));
}

/* True if these bytes were looked at in the same way before. */
static bool is_known(ck_zip *zip, const ck_zip_entry *e, bool *ok)
{
	bool fresh = true;
	uint64_t *key = ck_alloc_array(zip->look->job, 3, sizeof *key);
	*ok = false;
	if (!key)
		return false;
	key[0] = e->local;
	key[1] = e->packed;
	key[2] = e->method;
	*ok = ck_map_put(zip->look->job, &zip->looked, key, 3 * sizeof *key, &fresh);
	return !fresh;
}

/* Members that overlap are looked at until all that is there would have been seen twice. */
static bool is_too_much(ck_zip *zip, const ck_zip_entry *e)
{
	uint64_t most;
	if (!ck_mul(zip->look->source->size, TWICE, &most))
		most = UINT64_MAX;
	if (ck_add(zip->taken, e->packed, &zip->taken) && zip->taken <= most)
		return false;
	zip->look->audit->incomplete = true;
	return true;
}

static bool check_reach(ck_zip *zip, ck_zip_entry *e, uint64_t data)
{
	uint64_t left = zip->look->source->size - data;
	if (e->packed <= left)
		return true;
	uint64_t packed = e->packed;
	e->packed = left;
	return ck_zip_say(zip, data,
	                  "member '%s' should have %s here, but the file ends after %llu",
	                  ck_show(e->name, e->name_len).s, ck_many(packed, "byte").s,
	                  (unsigned long long)left);
}

static bool look_at(ck_zip *zip, const ck_zip_entry *e, const char *path, uint64_t data)
{
	ck_look *l = zip->look;
	ck_place place = {path, l->source, 0};
	if (e->flags & ENCRYPTED &&
	    !ck_look_closed(l->audit, &place, data, e->packed, "the member says that it is "
	                    "encrypted; its bytes were looked at as they are"))
		return false;
	if (e->method != 0 && e->method != 8 &&
	    !ck_look_closed(l->audit, &place, data, e->packed, "the member is packed by method %u, "
	                    "which is not known; its bytes were looked at as they are", e->method))
		return false;
	return ck_zip_content(zip, e, path, data);
}

/* The same bytes as the local header would have them read. */
static bool look_locally(ck_zip *zip, const ck_zip_entry *e, ck_zip_entry *said, const char *path,
                         uint64_t data)
{
	bool ok = true;
	bool same = said->method == e->method && (is_later(said, e) || said->packed == e->packed);
	if (is_later(said, e)) {
		said->packed = e->packed;
		said->size = e->size;
		said->crc = e->crc;
	}
	if (same || is_too_much(zip, said))
		return true;
	return check_reach(zip, said, data) && (is_known(zip, said, &ok) || !ok
	                                        ? ok : look_at(zip, said, path, data));
}

/* What two lines of a directory name cannot be told apart, nor can what holds the directory. */
static bool check_place(ck_zip *zip, const ck_zip_entry *e, uint64_t end)
{
	const ck_zip_view *v = zip->view;
	if (!v || end <= v->start || e->local >= v->end + CK_ZIP_END)
		return true;
	return ck_zip_say(zip, e->local, "member '%s' reaches into the directory",
	                  ck_show(e->name, e->name_len).s);
}

static bool tell_shared(ck_zip *zip, const ck_zip_entry *e)
{
	return ck_zip_say(zip, e->local, "member '%s' has the local header and the bytes of "
	                  "another one", ck_show(e->name, e->name_len).s);
}

bool ck_zip_member(ck_zip *zip, const ck_zip_entry *entry)
{
	local h;
	bool ok, found;
	ck_zip_entry e = *entry;
	ck_look *l = zip->look;
	if (is_known(zip, &e, &ok) || !ok)
		return ok && tell_shared(zip, &e);
	if (!read_local(zip, &e, &h, &found) || !found)
		return found ? false : l->audit->job->error.status == CK_OK &&
		                       l->job->error.status == CK_OK;
	if (!compare(zip, &e, &h.said) || !check_reach(zip, &e, h.data))
		return false;
	if (is_too_much(zip, &e))
		return zip->too_much++ ||
		       ck_look_closed(l->audit, &l->place, e.local, e.packed, "member '%s' and "
		                      "those behind it were not looked at: the members overlap",
		                      ck_show(e.name, e.name_len).s);
	const char *path = ck_look_path(l->job, &zip->path, l->place.member, e.name, e.name_len);
	uint64_t end = h.data + e.packed;
	if (!path || !check_place(zip, &e, end) ||
	    !ck_regions_claim(l->job, &l->inside, e.local, end) ||
	    !ck_regions_claim(l->job, &l->claimed, e.local, end) ||
	    ((e.flags | h.said.flags) & DESCRIPTOR && !claim_descriptor(zip, &e, end)))
		return false;
	ck_audit_meet(l->audit, path);
	/* what both names point to is read over in between */
	h.said.name = path;
	h.said.name_len = strlen(path);
	return look_at(zip, &e, path, h.data) && look_locally(zip, &e, &h.said, path, h.data);
}
