/* Zip archives as every reader sees them: each directory is walked, then what no directory names;
 * what they disagree on is a finding. */
#include <stdio.h>
#include <string.h>

#include "zip_parts.h"

enum { VERSION_UNIX = 3, LINK = 0xa000, TYPE = 0xf000 };

bool ck_zip_say(ck_zip *zip, uint64_t at, const char *fmt, ...)
{
	char text[CK_TEXT_MAX];
	va_list args;
	zip->look->audit->hopeless |= zip->told >= CK_TOLD_MAX;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	return ck_audit_say_some(zip->look->audit, &zip->told, CK_RULE_BROKEN_ARCHIVE,
	                         &zip->look->place, at, 0, text);
}

/* ---- names ---- */

static bool has_dots(const char *name, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t end = i;
		while (end < len && name[end] != '/' && name[end] != '\\')
			end++;
		if (end - i == 2 && name[i] == '.' && name[i + 1] == '.')
			return true;
		i = end + 1;
	}
	return false;
}

static const char *bad_name(const ck_zip_entry *e)
{
	if (!e->name_len)
		return "is empty";
	if (memchr(e->name, 0, e->name_len))
		return "has a NUL in it, where some programs end it";
	if (memchr(e->name, '\\', e->name_len))
		return "has a backslash in it, which some programs take for a slash";
	if (e->name[0] == '/' || (e->name_len > 1 && e->name[1] == ':'))
		return "is an absolute path";
	return has_dots(e->name, e->name_len) ? "leads out of the folder by \"..\"" : NULL;
}

static bool check_name(ck_zip *zip, const ck_zip_entry *e, uint64_t at)
{
	const char *bad = bad_name(e);
	ck_shown name = ck_show(e->name, e->name_len);
	if (bad && !ck_zip_say(zip, at, "the name of member '%s' %s", name.s, bad))
		return false;
	if (e->made_by == VERSION_UNIX && (e->attributes >> 16 & TYPE) == LINK)
		return ck_zip_say(zip, at, "member '%s' is a symbolic link", name.s);
	return true;
}

static bool ends_so(const ck_zip_entry *e, const char *end)
{
	size_t len = strlen(end);
	return e->name_len >= len && !memcmp(e->name + e->name_len - len, end, len);
}

static bool is_named(const ck_zip_entry *e, const char *name)
{
	return e->name_len == strlen(name) && ends_so(e, name);
}

static void note_kind(ck_zip *zip, const ck_zip_entry *e)
{
	zip->torch = zip->torch || ends_so(e, "/data.pkl") || ends_so(e, "/DATA.PKL");
	zip->script = zip->script || ends_so(e, "/constants.pkl");
	zip->package = zip->package || ends_so(e, "/.data/extern_modules");
	zip->arrays = zip->arrays || ends_so(e, ".npy");
	zip->config = zip->config || is_named(e, "config.json");
	zip->metadata = zip->metadata || is_named(e, "metadata.json");
}

/* What a directory is read with. */
typedef struct {
	ck_hash_set names;
	ck_text folded; /* room for one name */
} reading;

/* Two members of one name; torch finds members whatever their case. */
static bool check_double(ck_zip *zip, reading *r, const ck_zip_entry *e, uint64_t at)
{
	bool fresh;
	ck_job *job = zip->look->job;
	r->folded.len = 0;
	if (!ck_text_add(job, &r->folded, e->name, e->name_len))
		return false;
	for (size_t i = 0; i < e->name_len; i++) {
		char *c = &r->folded.data[i];
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c | 0x20);
	}
	if (!ck_hash_set_add(job, &r->names, r->folded.data, e->name_len, &fresh))
		return false;
	return fresh || ck_zip_say(zip, at, "there are two members '%s', if case does not count; "
	                           "programs disagree on which one is meant",
	                           ck_show(e->name, e->name_len).s);
}

/* ---- the directory ---- */

void ck_zip_extra64(const unsigned char *extra, size_t len, uint64_t *size, uint64_t *packed,
                    uint64_t *local)
{
	uint64_t *const fields[] = {size, packed, local};
	for (size_t at = 0; at + 4 <= len;) {
		size_t id = (size_t)ck_little(extra + at, 2);
		size_t n = (size_t)ck_little(extra + at + 2, 2);
		size_t from = at + 4, end = from + n < len ? from + n : len;
		at = from + n;
		if (id != 1)
			continue;
		for (size_t i = 0; i < CK_COUNT(fields); i++) {
			if (!fields[i] || *fields[i] != UINT32_MAX || from + 8 > end)
				continue;
			*fields[i] = ck_little(extra + from, 8);
			from += 8;
		}
	}
}

static bool read_entry(const unsigned char *p, size_t name_len, size_t extra_len, uint64_t base,
                       ck_zip_entry *e)
{
	*e = (ck_zip_entry){
		.made_by = p[5], .flags = (unsigned)ck_little(p + 8, 2),
		.method = (unsigned)ck_little(p + 10, 2), .crc = (uint32_t)ck_little(p + 16, 4),
		.packed = ck_little(p + 20, 4), .size = ck_little(p + 24, 4),
		.attributes = (uint32_t)ck_little(p + 38, 4), .local = ck_little(p + 42, 4),
		.name = (const char *)p + CK_ZIP_CENTRAL, .name_len = name_len,
	};
	ck_zip_extra64(p + CK_ZIP_CENTRAL + name_len, extra_len, &e->size, &e->packed, &e->local);
	return ck_add(e->local, base, &e->local);
}

/* Some readers take of a header what is left of the directory, and its member for good. */
static uint64_t cut_to(uint64_t size, uint64_t *left)
{
	uint64_t cut = size < *left ? size : *left;
	*left -= cut;
	return cut;
}

/* The header at *at; *more is false if there is none. */
static bool step(ck_zip *zip, const ck_zip_view *v, reading *r, uint64_t *at, bool *more)
{
	bool ok = true;
	ck_zip_entry e;
	*more = false;
	const unsigned char *p = ck_zip_peek_at(zip, &zip->directory, *at, CK_ZIP_CENTRAL, &ok);
	if (!p || *at >= v->record || memcmp(p, "PK\1\2", 4) != 0)
		return ok;
	size_t name_len = (size_t)ck_little(p + 28, 2), extra_len = (size_t)ck_little(p + 30, 2);
	size_t comment = (size_t)ck_little(p + 32, 2);
	size_t whole = CK_ZIP_CENTRAL + name_len + extra_len + comment;
	uint64_t room = v->record - *at;
	if (whole > room && !ck_zip_say(zip, *at, "a header in the directory reaches beyond it"))
		return false;
	room -= room < CK_ZIP_CENTRAL ? room : CK_ZIP_CENTRAL;
	name_len = (size_t)cut_to(name_len, &room);
	extra_len = (size_t)cut_to(extra_len, &room);
	comment = (size_t)cut_to(comment, &room);
	size_t all = CK_ZIP_CENTRAL + name_len + extra_len;
	p = ck_zip_peek_at(zip, &zip->directory, *at, all, &ok);
	if (!p)
		return ok;
	*more = true;
	bool sound = read_entry(p, name_len, extra_len, v->base, &e);
	note_kind(zip, &e);
	if (!sound && !ck_zip_say(zip, *at, "the offset of member '%s' does not fit 64 bits",
	                          ck_show(e.name, e.name_len).s))
		return false;
	if (!check_name(zip, &e, *at) || !check_double(zip, r, &e, *at))
		return false;
	*at += all + comment;
	return !sound || ck_zip_member(zip, &e);
}

static bool check_sums(ck_zip *zip, const ck_zip_view *v, uint64_t at, uint64_t found)
{
	if (v->many_disks && !ck_zip_say(zip, v->end, "the archive claims to be one of several"))
		return false;
	if (found != v->members && !(v->members == 0xffff && found > v->members) &&
	    !ck_zip_say(zip, v->end, "the end record announces %s, but the directory has %llu",
	                ck_many(v->members, "member").s, (unsigned long long)found))
		return false;
	return at == v->start + v->size || v->size == UINT32_MAX ||
	       ck_zip_say(zip, v->end,
	                  "the end record announces a directory of %s, but it has %llu",
	                  ck_many(v->size, "byte").s, (unsigned long long)(at - v->start));
}

bool ck_zip_directory(ck_zip *zip, const ck_zip_view *v)
{
	reading r = {0};
	ck_look *l = zip->look;
	uint64_t at = v->start, found = 0, size = l->source->size;
	zip->view = v;
	for (bool more = true; more; found += more) {
		if (ck_stopped(l->job))
			return false;
		if (zip->count++ > l->job->limits.members)
			return ck_look_over(l->audit, &l->place, at, "members") &&
			       ck_regions_claim(l->job, &l->claimed, v->start, v->record);
		if (!step(zip, v, &r, &at, &more))
			return false;
	}
	return check_sums(zip, v, at, found) &&
	       ck_regions_claim(l->job, &l->claimed, v->start, at < size ? at : size);
}

/* ---- end records ---- */

/* Claims the records and the comment. */
static bool claim_end(ck_zip *zip, const ck_zip_view *v)
{
	bool ok = true;
	ck_look *l = zip->look;
	uint64_t from = v->record, end = v->end + CK_ZIP_END;
	const unsigned char *p = ck_zip_peek_at(zip, &zip->directory, v->end, CK_ZIP_END, &ok);
	if (!p)
		return ok;
	uint64_t comment = ck_little(p + 20, 2);
	if (v->record == v->end && v->end >= CK_ZIP_LOCATOR) {
		p = ck_zip_peek_at(zip, &zip->directory, v->end - CK_ZIP_LOCATOR, 4, &ok);
		if (p && !memcmp(p, "PK\6\7", 4))
			from = v->end - CK_ZIP_LOCATOR;
	}
	if (comment > l->source->size - end)
		return ck_zip_say(zip, v->end, "the archive's comment is cut short") &&
		       ck_regions_claim(l->job, &l->claimed, from, l->source->size);
	if (!ck_regions_claim(l->job, &l->claimed, from, end) || !comment)
		return true;
	p = ck_zip_peek_at(zip, &zip->directory, end, comment < 1024 ? (size_t)comment : 1024, &ok);
	if (p && ck_sniff_text(p, comment < 1024 ? (size_t)comment : 1024))
		return ck_regions_claim(l->job, &l->claimed, end, end + comment);
	return ok; /* it is left over, and looked at as such */
}

/* An end record inside a member is that of an archive in the archive, unless readers could take it
 * for that of the whole. */
static bool is_inside(ck_zip *zip, const ck_zip_view *v)
{
	return ck_regions_hold(&zip->look->inside, v->end);
}

/* Is it TorchScript's, where names below __torch__ are its own? The answer is needed before the
 * first member is judged. */
static bool find_script(ck_zip *zip, const ck_zip_view *v)
{
	static const char word[] = "/constants.pkl";
	enum { LEN = sizeof word - 1 };
	unsigned char bytes[4096 + LEN];
	ck_look *l = zip->look;
	l->audit->script = false;
	for (uint64_t at = v->start; at < v->record && !l->audit->script; at += 4096) {
		uint64_t left = v->record - at;
		size_t len = left < sizeof bytes ? (size_t)left : sizeof bytes;
		if (ck_stopped(l->job) || !ck_read_at(l->job, l->source, at, bytes, len))
			return false;
		l->audit->script = memmem(bytes, len, word, LEN) != NULL;
	}
	return true;
}

/* The last end record counts for most readers: what it leads to is walked first. */
static bool walk_views(ck_zip *zip, const ck_zip_view *views, size_t count)
{
	uint64_t ends = 0, starts = 0;
	uint64_t last_end = UINT64_MAX, last_start = UINT64_MAX;
	for (size_t i = 0; i < count; i++) {
		const ck_zip_view *v = &views[i];
		if (is_inside(zip, v))
			continue;
		ends += v->end != last_end;
		starts += v->start != last_start;
		last_end = v->end;
		last_start = v->start;
		if (!find_script(zip, v) || !ck_zip_directory(zip, v) || !claim_end(zip, v))
			return false;
	}
	if (ends > 1)
		return ck_zip_say(zip, views[0].end, "there are %llu end records; programs "
		                  "disagree on which one counts", (unsigned long long)ends);
	return starts < 2 || ck_zip_say(zip, views[0].end, "there are %llu directories; programs "
	                                "disagree on which one counts",
	                                (unsigned long long)starts);
}

static const char *format_of(const ck_zip *zip)
{
	if (zip->package)
		return "torch package";
	if (zip->script)
		return "TorchScript zip";
	if (zip->torch)
		return "torch zip";
	if (zip->config && zip->metadata)
		return "Keras zip";
	return zip->arrays ? "npz" : "zip";
}

static bool tell_closed(ck_zip *zip)
{
	ck_look *l = zip->look;
	if (zip->many_views &&
	    !ck_look_closed(l->audit, &l->place, CK_NO_OFFSET, 0, "there are more than %d "
	                    "directories, and the others were not looked at", CK_ZIP_VIEWS))
		return false;
	return strcmp(l->format, "Keras zip") || l->kind != CK_LOOK_FILE ||
	       ck_look_closed(l->audit, &l->place, CK_NO_OFFSET, 0, "this is a model of Keras, "
	                      "which may keep code in Lambda layers; that was not looked for");
}

static bool walk(ck_zip *zip)
{
	ck_zip_view views[CK_ZIP_VIEWS];
	size_t count;
	ck_look *l = zip->look;
	if (!ck_zip_find_views(zip, views, &count) || !walk_views(zip, views, count))
		return false;
	if (!count && l->kind != CK_LOOK_FILE && l->head_len > 2 && l->head[2] == 5) {
		l->format = NULL; /* numbers that begin like an end record */
		return true;
	}
	if (!count && !ck_zip_say(zip, CK_NO_OFFSET, "the zip archive has no directory: it is cut "
	                          "short, or never was whole"))
		return false;
	zip->view = NULL;
	ck_regions_settle(&l->inside);
	if (l->inside.overlaps &&
	    !ck_zip_say(zip, l->inside.overlap_at, "the bytes of %s overlap with those of "
	                "others", ck_many(l->inside.overlaps, "member").s))
		return false;
	if (!ck_zip_hidden(zip))
		return false;
	l->strict_end = true;
	l->format = format_of(zip);
	return tell_closed(zip);
}

/* Distributed checkpoints are archives one after the other. */
static bool walk_parts(ck_look *l, const ck_source **parts, size_t count)
{
	ck_text text = {0};
	l->format = "zip archives one after the other";
	for (size_t i = 0; i < count; i++) {
		char name[32];
		int len = snprintf(name, sizeof name, "(archive %zu)", i);
		const char *path = ck_look_path(l->job, &text, l->place.member, name, (size_t)len);
		if (!path || !ck_look_inside(l->audit, parts[i], path, CK_LOOK_MEMBER, NULL))
			return false;
	}
	return ck_audit_say(l->audit, CK_RULE_ODDITY, &l->place, CK_NO_OFFSET, 0, "the file is %zu "
	                    "zip archives one after the other, as distributed checkpoints are; "
	                    "other programs see only the first or the last", count) &&
	       ck_regions_claim(l->job, &l->claimed, 0, l->source->size);
}

bool ck_zip_walk(ck_look *look)
{
	const ck_source **parts;
	size_t count;
	ck_zip zip = {.look = look, .directory.want = 64 << 10, .local.want = CK_ZIP_PEEK};
	if (look->head_len >= 4 && !memcmp(look->head, "PK\3\4", 4)) {
		ck_job *own = ck_look_job(look->audit);
		bool ok = own && (!ck_zip_split(own, look->source, &parts, &count) || count < 2 ||
		                  walk_parts(look, parts, count));
		bool split = own && own->error.status == CK_OK && count > 1;
		if (own && !ck_look_done(look->audit, own))
			return false;
		if (!ok || split)
			return ok;
	}
	const bool script = look->audit->script;
	bool ok = walk(&zip);
	look->audit->script = script;
	return ok;
}
