/* Tar archives: ustar, GNU, pax and what came before them. There is no directory: the headers, each
 * in front of its file, are read once from front to back, and the files are left where they are.
 * The rules are those of POSIX pax, "ustar Interchange Format", and of GNU tar's manual, "Basic Tar
 * Format". Where tar programs read the same bytes as different files, we refuse. */
#include "pack.h"
#include "tar.h"

#include <string.h>

enum { NAME_LONGEST = 65535 };

/* What becomes of an entry of each type. */
typedef enum { FILE_DATA, FOLDER, PASS_OVER, LONG_NAME, LONG_LINK, PAX, PAX_ALL, REFUSE } fate;

static const struct {
	char type;
	fate fate;
	const char *about;
} types[] = {
	{'0', FILE_DATA, "a file"},
	{'\0', FILE_DATA, "a file, before POSIX"},
	{'7', FILE_DATA, "a file in one piece"},
	{'1', PASS_OVER, "a hard link"},
	{'2', PASS_OVER, "a symbolic link"},
	{'3', PASS_OVER, "a character device"},
	{'4', PASS_OVER, "a block device"},
	{'5', FOLDER, "a folder"},
	{'6', PASS_OVER, "a FIFO"},
	{'L', LONG_NAME, "the name of the next entry, GNU"},
	{'K', LONG_LINK, "where the next link leads, GNU"},
	{'x', PAX, "records for the next entry, pax"},
	{'X', PAX, "records for the next entry, Solaris"},
	{'g', PAX_ALL, "records for all entries, pax"},
	{'V', FOLDER, "the name of the tape, GNU"},
	{'S', REFUSE, "a sparse file"},
	{'M', REFUSE, "the rest of a file that began on another tape"},
};

typedef struct {
	ck_job *job;
	const ck_source *source;
	ck_archive *archive;
	size_t cap;            /* of the members */
	uint64_t at;           /* the header that is read */
	uint64_t entries;
	ck_tar_ahead ahead;
	unsigned char header[CK_TAR_BLOCK];
	uint64_t size;         /* of the entry, from its header */
	ck_tar_text long_name; /* of the entry that follows; text == NULL: none */
	ck_tar_pax next, all;  /* pax records, for the entry that follows and for all */
	bool expecting;        /* something was said about an entry that must follow */
} reader;

static const char *label_of(const reader *r)
{
	return r->source->label;
}

static bool read_block(reader *r, uint64_t at, unsigned char *to)
{
	if (at > r->source->size || r->source->size - at < CK_TAR_BLOCK)
		return ck_fail_at(r->job, CK_CORRUPT, label_of(r), at,
		                  "the tar archive has no end (two blocks of zeros) and no further "
		                  "header here: it is cut short at byte %llu; get it again",
		                  (unsigned long long)r->source->size);
	return ck_tar_read_block(r->job, r->source, at, &r->ahead, to);
}

/* Reads the header at r->at; *done: it is the end of the archive. */
static bool read_header(reader *r, bool *done)
{
	static const unsigned char zeros[CK_TAR_BLOCK];
	unsigned char second[CK_TAR_BLOCK];
	if (!read_block(r, r->at, r->header))
		return false;
	*done = !memcmp(r->header, zeros, CK_TAR_BLOCK);
	if (!*done)
		return ck_tar_sum_right(r->header) ||
		       ck_fail_at(r->job, CK_CORRUPT, label_of(r), r->at,
		                  "the checksum of this tar header is wrong: the file is damaged; "
		                  "get it again");
	if (!read_block(r, r->at + CK_TAR_BLOCK, second))
		return false;
	if (memcmp(second, zeros, CK_TAR_BLOCK) != 0)
		return ck_fail_at(r->job, CK_CORRUPT, label_of(r), r->at,
		                  "there is one block of zeros, but a tar archive ends in two");
	return !r->expecting || ck_fail_at(r->job, CK_CORRUPT, label_of(r), r->at,
	                                   "the tar archive ends, but its last header speaks of "
	                                   "an entry that follows");
}

/* The bytes behind the header, as they are, with a NUL behind them. */
static bool read_text(reader *r, ck_tar_text *to)
{
	char *text = ck_alloc(r->job, (size_t)r->size + 1);
	*to = (ck_tar_text){text, (size_t)r->size};
	return text && ck_read_at(r->job, r->source, r->at + CK_TAR_BLOCK, text, (size_t)r->size);
}

static bool read_long_name(reader *r)
{
	if (r->long_name.text)
		return ck_fail_at(r->job, CK_CORRUPT, label_of(r), r->at,
		                  "the next entry already has a long name; programs disagree on "
		                  "which one counts");
	if (!read_text(r, &r->long_name))
		return false;
	r->long_name.len = strlen(r->long_name.text); /* it ends in a NUL, or where it is cut */
	r->expecting = true;
	return true;
}

static bool read_pax(reader *r, bool all)
{
	ck_tar_text text;
	if (!all && r->next.present)
		return ck_fail_at(r->job, CK_CORRUPT, label_of(r), r->at,
		                  "the next entry already has pax records; programs disagree on "
		                  "which ones count");
	r->expecting = r->expecting || !all;
	return read_text(r, &text) &&
	       ck_tar_pax_read(r->job, label_of(r), r->at + CK_TAR_BLOCK, &text,
	                       all ? &r->all : &r->next);
}

/* The name of the entry: pax before GNU before the header. */
static bool find_name(reader *r, ck_tar_text *name)
{
	if (r->next.path.text && r->long_name.text)
		return ck_fail_at(r->job, CK_CORRUPT, label_of(r), r->at,
		                  "the entry has a name from GNU tar and one from pax; programs "
		                  "disagree on which one counts");
	if (r->next.path.text)
		*name = r->next.path;
	else if (r->long_name.text)
		*name = r->long_name;
	else if (r->all.path.text)
		*name = r->all.path;
	else if (!ck_tar_name(r->job, r->header, name))
		return false;
	/* "./pickle" is what tar calls the file when it was told to pack "." */
	while (name->len > 2 && name->text[0] == '.' && name->text[1] == '/') {
		name->text += 2;
		name->len -= 2;
	}
	if (!name->len)
		return ck_fail_at(r->job, CK_CORRUPT, label_of(r), r->at,
		                  "the tar entry has no name");
	return name->len <= NAME_LONGEST ||
	       ck_fail_at(r->job, CK_UNSUPPORTED, label_of(r), r->at,
	                  "the name of the tar entry has %zu bytes; at most %d can be read",
	                  name->len, NAME_LONGEST);
}

static bool add_member(reader *r, const ck_tar_text *name)
{
	ck_archive *archive = r->archive;
	uint64_t offset = r->at + CK_TAR_BLOCK;
	if (!ck_source_holds(r->job, r->source, name->text, offset, r->size))
		return false;
	ck_member *members = ck_grow(r->job, archive->members, &r->cap, archive->count + 1,
	                             sizeof *members);
	if (!members)
		return false;
	archive->members = members;
	members[archive->count] = (ck_member){
		.name = name->text, .name_len = name->len, .size = r->size, .packed = r->size,
		.method = CK_STORED, .located = true, .offset = offset, .index = archive->count,
	};
	return ck_archive_enter(r->job, archive, archive->count++);
}

/* An entry in its own right, of which all that was to be said has been said. */
static bool take_entry(reader *r, fate kind, const char *about)
{
	ck_tar_text name;
	if (!find_name(r, &name))
		return false;
	ck_shown shown = ck_show(name.text, name.len);
	if (kind == REFUSE || r->next.sparse || r->all.sparse)
		return ck_fail_at(r->job, CK_UNSUPPORTED, label_of(r), r->at,
		                  "'%s' is %s, which cannot be read; pack it again, without the "
		                  "option --sparse and onto one tape", shown.s,
		                  kind == REFUSE ? about : "a sparse file");
	/* before POSIX there was no type for folders: their names ended in a slash */
	if (kind == FILE_DATA && name.text[name.len - 1] == '/')
		kind = FOLDER;
	if (kind != FILE_DATA && r->size)
		return ck_fail_at(r->job, CK_UNSUPPORTED, label_of(r), r->at,
		                  "'%s' is %s of %s; programs disagree on whether anything follows",
		                  shown.s, kind == FOLDER ? "a folder" : about,
		                  ck_many(r->size, "byte").s);
	r->archive->passed_over += kind == PASS_OVER;
	if (kind == FILE_DATA && !add_member(r, &name))
		return false;
	r->next = (ck_tar_pax){0};
	r->long_name = (ck_tar_text){0};
	r->expecting = false;
	return true;
}

static bool take(reader *r, fate kind, const char *about)
{
	if (kind < LONG_NAME || kind == REFUSE)
		return take_entry(r, kind, about);
	if (!ck_source_holds(r->job, r->source, about, r->at + CK_TAR_BLOCK, r->size))
		return false;
	if (kind == LONG_NAME)
		return read_long_name(r);
	return kind == LONG_LINK || read_pax(r, kind == PAX_ALL);
}

static bool read_size(reader *r, fate kind)
{
	bool own = kind == LONG_NAME || kind == LONG_LINK || kind == PAX || kind == PAX_ALL;
	const ck_tar_pax *said = r->next.has_size ? &r->next : &r->all;
	if (said->has_size && !own)
		r->size = said->size;
	else if (!ck_tar_number(r->header + CK_TAR_SIZE_AT, CK_TAR_SIZE_LEN, &r->size))
		return ck_fail_at(r->job, CK_CORRUPT, label_of(r), r->at + CK_TAR_SIZE_AT,
		                  "the size in this tar header is no number of 64 bits");
	return true;
}

/* From one header to the next. */
static bool step(reader *r)
{
	unsigned char type = r->header[CK_TAR_TYPE_AT];
	size_t row = 0;
	while (row < CK_COUNT(types) && types[row].type != (char)type)
		row++;
	if (row == CK_COUNT(types))
		return ck_fail_at(r->job, CK_UNSUPPORTED, label_of(r), r->at,
		                  "the tar entry is of type '%s', which is not known",
		                  ck_show((const char *)&type, 1).s);
	if (ck_stopped(r->job) || !ck_within(r->job, label_of(r), members, ++r->entries) ||
	    !read_size(r, types[row].fate) || !take(r, types[row].fate, types[row].about))
		return false;
	/* the file holds the bytes of the entry, so their end is far below 2^64 */
	r->at += CK_TAR_BLOCK + (r->size + CK_TAR_BLOCK - 1) / CK_TAR_BLOCK * CK_TAR_BLOCK;
	return true;
}

/* What follows the end is padding, and of whole blocks. */
static bool check_length(const reader *r)
{
	return r->source->size % CK_TAR_BLOCK == 0 ||
	       ck_fail_at(r->job, CK_CORRUPT, label_of(r), r->source->size,
	                  "the tar archive ends in the middle of a block of %d bytes: it is cut "
	                  "short; get it again", CK_TAR_BLOCK);
}

static ck_archive *tar_open(ck_job *job, const ck_source *source)
{
	ck_archive *archive = ck_alloc(job, sizeof *archive);
	reader *r = ck_alloc(job, sizeof *r);
	if (!archive || !r)
		return NULL;
	*archive = (ck_archive){.by = &ck_archiver_tar, .source = source};
	*r = (reader){.job = job, .source = source, .archive = archive};
	for (;;) {
		bool done;
		if (!read_header(r, &done))
			return NULL;
		if (done)
			return check_length(r) ? archive : NULL;
		if (!step(r))
			return NULL;
	}
}

/* All members were located when the headers were read. */
static bool locate(ck_job *job, const ck_archive *archive, ck_member *member)
{
	(void)job;
	(void)archive;
	return member->located;
}

/* A header with a right checksum; one with a wrong checksum must at least say that it is one. (A
 * tar of no files begins with zeros, as many other things do: it is not recognised.) */
static bool probe(const unsigned char *head, size_t len)
{
	return len >= CK_TAR_BLOCK &&
	       (!memcmp(head + CK_TAR_MAGIC_AT, "ustar", 5) || ck_tar_sum_right_loosely(head));
}

const ck_archiver ck_archiver_tar = {
	"tar", "tar archives: ustar, GNU, pax, v7", probe, tar_open, locate,
};
