/* Tar archives, from header to header, and wherever else a header is: readers stop at the first
 * block of zeros, or go on behind it. */
#include <stdio.h>
#include <string.h>

#include "look.h"
#include "stream.h"
#include "tar.h"

enum { TEXT_MAX = 1 << 20,
       TEXTS_MAX = 4 << 20, /* of those that may lie in one another */
       SEARCHED_MAX = 16 << 20 /* bytes that are no headers */ };

typedef struct {
	ck_look *look;
	uint64_t at;
	ck_tar_ahead ahead;
	unsigned char header[CK_TAR_BLOCK];
	ck_tar_text long_name;
	ck_tar_pax next, all;
	ck_map names;
	ck_text path;
	uint64_t entries, texts;
	unsigned told, passed_by;
	const char *named; /* the last name, which all that follow may have, too */
	const char *named_all; /* the one of all entries, once it was looked at */
	bool read_enough;
	bool pickle, storages; /* members of an old torch file */
} tar;

static bool say(tar *t, const char *what)
{
	ck_look *l = t->look;
	return ck_audit_say_some(l->audit, &t->told, CK_RULE_BROKEN_ARCHIVE, &l->place, t->at, 0,
	                         what);
}

/* What is wrong with one entry. */
static bool say_of(tar *t, const ck_tar_text *name, const char *what)
{
	char text[CK_SHOWN_MAX + 128];
	snprintf(text, sizeof text, "entry '%s' %s", ck_show(name->text, name->len).s, what);
	return say(t, text);
}

/* The same by the name in the header. */
static bool say_here(tar *t, const char *what)
{
	ck_tar_text name;
	return ck_tar_name(t->look->job, t->header, &name) && say_of(t, &name, what);
}

static uint64_t rounded(uint64_t size)
{
	return size > UINT64_MAX - CK_TAR_BLOCK
	               ? UINT64_MAX : (size + CK_TAR_BLOCK - 1) / CK_TAR_BLOCK * CK_TAR_BLOCK;
}

/* Bytes of the source behind the header, at most. */
static uint64_t left_behind(const tar *t)
{
	return t->look->source->size - t->at - CK_TAR_BLOCK;
}

static bool is_zeros(const unsigned char *block)
{
	static const unsigned char zeros[CK_TAR_BLOCK];
	return !memcmp(block, zeros, sizeof zeros);
}

/* ---- names ---- */

static bool read_text(tar *t, uint64_t size, ck_tar_text *to)
{
	ck_look *l = t->look;
	if (size > TEXT_MAX || size > left_behind(t))
		return say(t, "a header speaks of a name that is too long or cut short");
	char *text = ck_alloc(l->job, (size_t)size + 1);
	*to = (ck_tar_text){text, (size_t)size};
	return text && ck_read_at(l->job, l->source, t->at + CK_TAR_BLOCK, text, (size_t)size);
}

static void strip(ck_tar_text *name)
{
	while (name->len > 2 && name->text[0] == '.' && name->text[1] == '/') {
		name->text += 2;
		name->len -= 2;
	}
}

/* What is wrong with pax records is a finding; what they say counts all the same. */
static bool read_pax(tar *t, uint64_t size, ck_tar_pax *pax)
{
	ck_tar_text text = {0};
	ck_look *l = t->look;
	if (!read_text(t, size, &text))
		return false;
	ck_job *own = ck_look_job(l->audit);
	if (!own)
		return false;
	ck_tar_pax said = {0};
	bool ok = true;
	if (text.text &&
	    !ck_tar_pax_read(own, l->source->label, t->at + CK_TAR_BLOCK, &text, &said))
		ok = ck_look_failed(l->audit, own, CK_RULE_BROKEN_ARCHIVE, &l->place, t->at);
	if (said.path.text) {
		const char *kept = ck_copy(l->job, said.path.text, said.path.len);
		said.path.text = kept;
		ok = ok && kept;
		if (kept)
			strip(&said.path); /* once: it may be that of all entries */
		pax->path = said.path;
	}
	pax->present = true;
	pax->sparse = pax->sparse || said.sparse;
	if (said.has_size) {
		pax->odd_size = said.odd_size;
		pax->has_size = true;
		pax->size = said.size;
	}
	return ck_look_done(l->audit, own) && ok;
}

static bool find_name(tar *t, ck_tar_text *name)
{
	if (t->next.path.text && t->long_name.text &&
	    !say_of(t, &t->next.path, "has this name from pax and another from GNU tar; programs "
	            "disagree on which one counts"))
		return false;
	if (t->next.path.text)
		*name = t->next.path;
	else if (t->long_name.text)
		*name = t->long_name;
	else if (t->all.path.text)
		*name = t->all.path;
	else if (!ck_tar_name(t->look->job, t->header, name))
		return false;
	strip(name);
	return true;
}

static const char TWICE[] = "is there twice; programs disagree on which one counts";

static bool check_name(tar *t, const ck_tar_text *name)
{
	bool fresh = false;
	/* may be long, and be that of all entries */
	if (name->text == t->named || name->text == t->named_all)
		return say_of(t, name, TWICE);
	t->named = name->text;
	if (name->text == t->all.path.text)
		t->named_all = name->text;
	bool up = name->len >= 2 && (!memcmp(name->text, "..", 2) ||
	                             memmem(name->text, name->len, "/..", 3));
	if ((up || (name->len && name->text[0] == '/')) &&
	    !say_of(t, name, "has a name that leads out of the folder"))
		return false;
	uint64_t *place = ck_map_put(t->look->job, &t->names, name->text, name->len, &fresh);
	if (!place)
		return false;
	*place = t->at;
	return fresh || say_of(t, name, TWICE);
}

/* ---- entries ---- */

/* Before POSIX folders were files whose names ended in a slash. */
static bool is_folder(const tar *t, char type)
{
	enum { NAME = 100 };
	size_t len = strnlen((const char *)t->header, NAME);
	return type == '5' || ((!type || type == '0') && len && t->header[len - 1] == '/');
}

static bool is_called(const ck_tar_text *name, const char *word)
{
	return name->len == strlen(word) && !memcmp(name->text, word, name->len);
}

/* The bytes of an entry of which most readers say that it has none: to the walk they are what
 * follows it, and each such entry may hold all that come after it. */
static bool look_at_bare(tar *t, const ck_source *source, const char *path, ck_look_kind kind)
{
	ck_look *l = t->look;
	if (!ck_elsewhere_enough(l->audit))
		return ck_elsewhere_look(l, t->at + CK_TAR_BLOCK, source, path, kind);
	l->audit->incomplete = true;
	return t->passed_by++ ||
	       ck_look_closed(l->audit, &l->place, t->at, source->size, "the bytes of an entry "
	                      "that should have none were not looked at as a file: there are too "
	                      "many such entries");
}

static bool look_at(tar *t, const ck_tar_text *name, uint64_t size, bool bare)
{
	ck_look *l = t->look;
	const char *path = ck_look_path(l->job, &t->path, l->place.member, name->text, name->len);
	const ck_source *source =
		path ? ck_source_window(l->job, l->source, path, t->at + CK_TAR_BLOCK, size) : NULL;
	if (!source)
		return false;
	ck_audit_meet(l->audit, path);
	/* in torch's old files these hold pickles between numbers */
	bool mixed = is_called(name, "storages") || is_called(name, "tensors");
	t->pickle = t->pickle || is_called(name, "pickle");
	t->storages = t->storages || is_called(name, "storages");
	ck_look_kind kind = mixed ? CK_LOOK_BYTES : CK_LOOK_MEMBER;
	if (!size)
		return true;
	return bare ? look_at_bare(t, source, path, kind)
	            : ck_look_inside(l->audit, source, path, kind, NULL);
}

static bool say_sparse(tar *t, const ck_tar_text *name, uint64_t size)
{
	ck_look *l = t->look;
	char text[CK_SHOWN_MAX + 128];
	l->audit->incomplete = true;
	snprintf(text, sizeof text, "entry '%s' is a sparse file: where its bytes belong was not "
	         "looked at", ck_show(name->text, name->len).s);
	return ck_audit_say_some(l->audit, &t->told, CK_RULE_NOT_SCANNED, &l->place, t->at, size,
	                         text);
}

static bool take_file(tar *t, char type, uint64_t size, bool bare)
{
	ck_tar_text name = {0};
	uint64_t left = left_behind(t);
	if (!find_name(t, &name) || !check_name(t, &name))
		return false;
	bool sparse = type == 'S' || t->next.sparse || t->all.sparse;
	if (sparse && !say_sparse(t, &name, size))
		return false;
	if ((type == '1' || type == '2') && !say_of(t, &name, "is a link to another file"))
		return false;
	if (type && strchr("346", type) && !say_of(t, &name, "is a device or a pipe"))
		return false;
	if (is_folder(t, type) && size &&
	    !say_of(t, &name, "is a folder with a size; programs disagree on what follows"))
		return false;
	if (type == 'M' && !say_of(t, &name, "began on another tape"))
		return false;
	if (size > left && !say_of(t, &name, "reaches beyond the file: it is cut short"))
		return false;
	bool ok = look_at(t, &name, size < left ? size : left, bare);
	t->next = (ck_tar_pax){0};
	t->long_name = (ck_tar_text){0};
	return ok;
}

/* Looks there would be too many: another reader may find an archive. */
static bool pass_by(tar *t, uint64_t from)
{
	ck_look *l = t->look;
	unsigned char block[CK_TAR_BLOCK];
	if (l->source->size - from < sizeof block)
		return true;
	if (!ck_read_at(l->job, l->source, from, block, sizeof block))
		return false;
	l->audit->incomplete |= ck_tar_sum_right_loosely(block);
	if (!ck_tar_sum_right_loosely(block) || t->passed_by++)
		return true;
	return ck_look_closed(l->audit, &l->place, from, 0, "the header of an entry says that the "
	                      "next one is here, which was not looked at: there are too "
	                      "many such places");
}

/* Whoever believes the size in the header goes on elsewhere. */
static bool look_elsewhere(tar *t, uint64_t own)
{
	ck_look *l = t->look;
	uint64_t step = rounded(own), left = left_behind(t);
	if (step >= left)
		return true;
	uint64_t from = t->at + CK_TAR_BLOCK + step;
	if (ck_elsewhere_enough(l->audit))
		return pass_by(t, from);
	const ck_source *rest = ck_source_window(l->job, l->source, l->source->label, from,
	                                         l->source->size - from);
	return rest && ck_elsewhere_look(l, from, rest, l->place.member, CK_LOOK_GAP);
}

/* Folders, links and devices have no bytes for most readers, whatever their size; where those of
 * sparse files end is as they say elsewhere, and odd numbers may be any. */
static bool is_bare(const tar *t, char type, const ck_tar_pax *said)
{
	return said->odd_size || (type >= '1' && type <= '6') || is_folder(t, type) ||
	       type == 'S' || t->next.sparse || t->all.sparse;
}

static bool take_about(tar *t, char type, uint64_t size, bool bare)
{
	ck_look *l = t->look;
	t->texts += bare && size < left_behind(t) ? size : 0;
	if (t->texts > TEXTS_MAX) {
		bool told = t->read_enough;
		t->read_enough = true;
		return told || ck_look_closed(l->audit, &l->place, t->at, 0, "names and records "
		                              "that lie in one another were not read");
	}
	if (type == 'K')
		return true;
	if (type != 'L')
		return read_pax(t, size, type == 'g' ? &t->all : &t->next);
	if (!read_text(t, size, &t->long_name))
		return false;
	if (t->long_name.text)
		t->long_name.len = strlen(t->long_name.text);
	return true;
}

/* The entry at t->at, whose size may be said twice. */
static bool take_entry(tar *t)
{
	uint64_t own = 0, size;
	ck_look *l = t->look;
	char type = (char)t->header[CK_TAR_TYPE_AT];
	const unsigned char *field = t->header + CK_TAR_SIZE_AT;
	const bool plain = ck_tar_number(field, CK_TAR_SIZE_LEN, &own);
	if (!plain && !ck_tar_number_loosely(field, CK_TAR_SIZE_LEN, &own))
		own = 0;
	if (!plain && !say_here(t, "has a size that is no number of 64 bits as tar writes it"))
		return false;
	bool about = type && strchr("LKxXg", type);
	const ck_tar_pax *said = t->next.has_size ? &t->next : &t->all;
	bool bare = !plain || (!about && is_bare(t, type, said));
	size = said->has_size && !about ? said->size : own;
	if (size != own && own &&
	    !say_here(t, "has two sizes; programs disagree on which one counts"))
		return false;
	bool ok = about ? take_about(t, type, size, bare) : take_file(t, type, size, bare);
	uint64_t step = bare ? 0 : rounded(size), left = left_behind(t);
	uint64_t end = t->at + CK_TAR_BLOCK + (step < left ? step : left);
	if (ok && size != own)
		ok = look_elsewhere(t, own);
	if (ok && bare && size)
		ok = look_elsewhere(t, size);
	ok = ok && ck_regions_claim(l->job, &l->claimed, t->at, end) &&
	     ck_regions_claim(l->job, &l->inside, t->at, end);
	t->at = end;
	return ok;
}

/* Python's tarfile, torch and bsdtar refuse an archive that does not begin with a header. Behind
 * the first one, and with ignore_zeros before it, tarfile goes on, as GNU tar does everywhere. */
static bool say_found(tar *t)
{
	return say(t, t->entries ? "an entry follows bytes that are no header; GNU tar goes on and "
	                           "finds it, Python's tarfile if it is told to"
	                         : "the archive begins with bytes that are no header: Python and "
	                           "torch refuse it, but GNU tar goes on and finds this entry");
}

static bool walk(tar *t)
{
	ck_look *l = t->look;
	uint64_t size = l->source->size, zeros = 0, searched = 0;
	while (t->at <= size && size - t->at >= CK_TAR_BLOCK) {
		if (ck_stopped(l->job) ||
		    !ck_tar_read_block(l->job, l->source, t->at, &t->ahead, t->header))
			return false;
		const bool none = is_zeros(t->header);
		zeros += none;
		if (none || !ck_tar_sum_right_loosely(t->header)) {
			searched += none ? 0 : CK_TAR_BLOCK;
			if (searched > SEARCHED_MAX)
				break;
			t->at += CK_TAR_BLOCK;
			continue;
		}
		if (searched && !say_found(t))
			return false;
		if (zeros && !say(t, "an entry follows the end of the archive; some programs go on "
		                  "and find it"))
			return false;
		if (t->entries++ >= l->job->limits.members)
			return ck_look_over(l->audit, &l->place, t->at, "members");
		if (!take_entry(t))
			return false;
	}
	t->at = t->entries ? t->at : 0;
	if (!t->entries)
		return say(t, "the checksum of the first tar header is wrong, and none follows");
	if (zeros < 2)
		return say(t, "the tar archive has no end: it is cut short or damaged");
	return size % CK_TAR_BLOCK == 0 ||
	       say(t, "the tar archive ends in the middle of a block: it is cut short");
}

bool ck_tar_walk(ck_look *look)
{
	tar t = {.look = look};
	look->format = "tar";
	if (!walk(&t))
		return false;
	if (!t.pickle || !t.storages)
		return true;
	look->format = "torch tar";
	return ck_torch_tar_walk(look);
}
