/* Zip archives: the only file that knows libzip. libzip reads and checks the directory; the bytes
 * of the members are read past it, straight from the file. */
#include "pack.h"

#include <errno.h>
#include <string.h>
#include <zip.h>

enum { WINDOW_MIN = 4 << 10, WINDOW_MAX = 64 << 10 };

/* What libzip reads through, and how we learn where a member's bytes are: after the first byte of a
 * member was asked for raw, `last` is its place in the file. libzip reads in small pieces, front to
 * back: a window, which grows as long as it is used up, saves most of the system calls. */
typedef struct {
	ck_job *job;
	const ck_source *source;
	uint64_t at;
	uint64_t last;
	uint64_t window_at;
	size_t window_len, window_next; /* bytes in the window; how many to read next */
	unsigned char *window; /* as large as the file, or WINDOW_MAX */
	bool many;   /* members: more than an end record without zip64 can count */
	zip_t *zip;
	zip_error_t error;
} reader;

static bool fill_window(reader *r)
{
	bool onward = r->at == r->window_at + r->window_len;
	uint64_t left = r->source->size - r->at;
	if (!onward)
		r->window_next = WINDOW_MIN;
	else if (r->window_next < WINDOW_MAX)
		r->window_next *= 2;
	r->window_at = r->at;
	r->window_len = left < r->window_next ? (size_t)left : r->window_next;
	return ck_read_at(r->job, r->source, r->at, r->window, r->window_len);
}

static bool read_window(reader *r, void *to, size_t size)
{
	if (size > WINDOW_MIN)
		return ck_read_at(r->job, r->source, r->at, to, size);
	if (r->at < r->window_at || r->at + size > r->window_at + r->window_len)
		if (!fill_window(r))
			return false;
	memcpy(to, r->window + (r->at - r->window_at), size);
	return true;
}

static zip_int64_t read_some(reader *r, void *to, uint64_t len)
{
	uint64_t left = r->at < r->source->size ? r->source->size - r->at : 0;
	uint64_t size = len < left ? len : left;
	if (size && !read_window(r, to, (size_t)size)) {
		zip_error_set(&r->error, ZIP_ER_READ, 0);
		return -1;
	}
	r->last = r->at;
	r->at += size;
	return (zip_int64_t)size;
}

static zip_int64_t tell_size(const reader *r, zip_stat_t *st)
{
	zip_stat_init(st);
	st->size = r->source->size;
	st->valid = ZIP_STAT_SIZE;
	return sizeof *st;
}

static zip_int64_t seek_to(reader *r, void *data, uint64_t len)
{
	zip_int64_t at = zip_source_seek_compute_offset(r->at, r->source->size, data, len,
	                                                &r->error);
	if (at < 0)
		return -1;
	r->at = (uint64_t)at;
	return 0;
}

static zip_int64_t serve(void *arg, void *data, zip_uint64_t len, zip_source_cmd_t command)
{
	reader *r = arg;
	switch (command) {
	case ZIP_SOURCE_OPEN:
		r->at = 0;
		return 0;
	case ZIP_SOURCE_READ:
		return read_some(r, data, len);
	case ZIP_SOURCE_STAT:
		return tell_size(r, data);
	case ZIP_SOURCE_SEEK:
		return seek_to(r, data, len);
	case ZIP_SOURCE_TELL:
		return (zip_int64_t)r->at;
	case ZIP_SOURCE_CLOSE:
	case ZIP_SOURCE_FREE:
		return 0;
	case ZIP_SOURCE_ERROR:
		return zip_error_to_data(&r->error, data, len);
	case ZIP_SOURCE_SUPPORTS:
		return ZIP_SOURCE_SUPPORTS_SEEKABLE;
	default:
		zip_error_set(&r->error, ZIP_ER_OPNOTSUPP, 0);
		return -1;
	}
}

static void reader_close(void *arg)
{
	reader *r = arg;
	if (r->zip)
		zip_discard(r->zip);
	zip_error_fini(&r->error);
}

/* What libzip says, as our error: `what` failed because of `error`. A failed read was recorded
 * where it happened, and ck_fail keeps the first. */
static bool fail_zip(ck_job *job, const char *where, zip_error_t *error, const char *what)
{
	/* libzip 1.7 takes some failed allocations for a damaged directory; errno knows better */
	if (zip_error_code_zip(error) == ZIP_ER_MEMORY || errno == ENOMEM)
		return ck_fail_nomem(job);
	return ck_fail(job, CK_CORRUPT, where, "%s: %s", what, zip_error_strerror(error));
}

static bool fail_open(ck_job *job, const ck_source *source, zip_error_t *error)
{
	if (zip_error_code_zip(error) == ZIP_ER_NOZIP && errno != ENOMEM)
		return ck_fail(job, CK_CORRUPT, source->label,
		               "the file begins as a zip archive, but the directory at its end is "
		               "missing or damaged: the download, of %s so far, may be incomplete",
		               ck_many(source->size, "byte").s);
	return fail_zip(job, source->label, error,
	                "the zip archive is damaged, or its directory and its local headers tell "
	                "different things");
}

static void try_open(reader *r, int flags, zip_error_t *error)
{
	errno = 0;
	zip_source_t *from = zip_source_function_create(serve, r, error);
	if (from)
		r->zip = zip_open_from_source(from, flags, error);
	if (from && !r->zip)
		zip_source_free(from);
}

/* libzip checks that directory and local headers agree. It refuses names that occur twice as well,
 * but does not say which: the directory is then read again unchecked, and read_member tells. It
 * also refuses what writers of streams and of zip64 put into local headers; the audit, which knows
 * better what is odd and what is damaged, has the last word on those, but not on floods. */
static bool open_zip(ck_job *job, const ck_source *source, reader *r)
{
	zip_error_t error;
	zip_error_init(&error);
	try_open(r, ZIP_RDONLY | ZIP_CHECKCONS, &error);
	int why = r->zip ? ZIP_ER_OK : zip_error_code_zip(&error);
	if (why == ZIP_ER_EXISTS || (why == ZIP_ER_INCONS && errno != ENOMEM && !r->many))
		try_open(r, ZIP_RDONLY, &error);
	bool ok = r->zip || fail_open(job, source, &error);
	zip_error_fini(&error);
	return ok;
}

static const unsigned char END[] = {'P', 'K', 5, 6};
enum { END_SIZE = 22, COMMENT_MAX = 65535 };

static bool is_end(const unsigned char *at)
{
	return *at == END[0] && !memcmp(at, END, sizeof END); /* seldom a call */
}

/* How many end records there are whose comment reaches to the end of `tail`. */
static size_t count_ends(const unsigned char *tail, size_t size)
{
	size_t ends = 0;
	for (size_t i = 0; i + END_SIZE <= size; i++) {
		size_t comment = tail[i + 20] | (size_t)tail[i + 21] << 8;
		ends += is_end(tail + i) && i + END_SIZE + comment == size;
	}
	return ends;
}

/* Where the last end record is, whatever its comment; `size` if there is none. */
static size_t last_end(const unsigned char *tail, size_t size)
{
	for (size_t i = size < END_SIZE ? 0 : size - END_SIZE + 1; i-- > 0;)
		if (is_end(tail + i))
			return i;
	return size;
}

/* `size` without the zeros and blanks behind the end record at `at` and its comment, which readers
 * pass over; `size` if something else is there. */
static size_t without_padding(const unsigned char *tail, size_t size, size_t at)
{
	if (at == size)
		return size;
	size_t end = size, last = at + END_SIZE + (tail[at + 20] | (size_t)tail[at + 21] << 8);
	while (end > last && (!tail[end - 1] || strchr("\n\r\t ", tail[end - 1])))
		end--;
	return end == last ? end : size;
}

/* A zip archive is found by the record at its end, whose comment reaches to the last byte of the
 * file, or to the padding behind it. Where two places could be that record, programs disagree on
 * which archive this is. */
static bool find_end(ck_job *job, reader *r, const ck_source *source)
{
	size_t size = END_SIZE + COMMENT_MAX;
	if (size > source->size)
		size = (size_t)source->size;
	ck_mark mark = ck_arena_mark(job);
	unsigned char *tail = ck_alloc(job, size);
	if (!tail || !ck_read_at(job, source, source->size - size, tail, size))
		return false;
	size_t ends = count_ends(tail, size);
	size_t last = last_end(tail, size);
	size_t padding = ends ? 0 : size - without_padding(tail, size, last);
	r->many = last < size && tail[last + 10] == 0xff && tail[last + 11] == 0xff;
	ck_arena_release(job, mark);
	r->source = ck_source_window(job, source, source->label, 0, source->size - padding);
	if (!r->source)
		return false;
	return ends < 2 || ck_fail(job, CK_CORRUPT, source->label,
	                           "the zip archive has %zu end records; programs disagree on "
	                           "which one counts", ends);
}

static bool read_member(ck_job *job, ck_archive *archive, reader *r, uint64_t index)
{
	zip_stat_t st;
	errno = 0;
	if (zip_stat_index(r->zip, index, ZIP_FL_ENC_RAW, &st))
		return fail_zip(job, archive->source->label, zip_get_error(r->zip),
		                "the zip directory cannot be read");
	ck_member *member = &archive->members[index];
	*member = (ck_member){
		.name = st.name, .name_len = strlen(st.name), .size = st.size,
		.packed = st.comp_size, .has_crc = true, .crc = st.crc, .index = index,
		.method = st.comp_method == ZIP_CM_DEFLATE ? CK_DEFLATED : CK_STORED,
	};
	ck_shown name = ck_show(member->name, member->name_len);
	if (st.encryption_method != ZIP_EM_NONE)
		return ck_fail(job, CK_UNSUPPORTED, archive->source->label,
		               "member '%s' is encrypted; decrypt the archive first", name.s);
	if (st.comp_method != ZIP_CM_STORE && st.comp_method != ZIP_CM_DEFLATE)
		return ck_fail(job, CK_UNSUPPORTED, archive->source->label,
		               "member '%s' is compressed by method %u; only stored (0) and "
		               "deflated (8) members can be read", name.s, st.comp_method);
	return ck_archive_enter(job, archive, index);
}

ck_archive *ck_zip_open(ck_job *job, const ck_source *source)
{
	ck_archive *archive = ck_alloc(job, sizeof *archive);
	reader *r = ck_alloc(job, sizeof *r);
	const uint64_t size = source->size < WINDOW_MAX ? source->size : WINDOW_MAX;
	unsigned char *window = ck_alloc(job, (size_t)size + 1);
	if (!archive || !r || !window)
		return NULL;
	r->job = job;
	r->window = window;
	r->window_next = WINDOW_MIN;
	zip_error_init(&r->error);
	if (!ck_defer(job, reader_close, r) || !find_end(job, r, source) ||
	    !open_zip(job, source, r))
		return NULL;
	archive->by = &ck_archiver_zip;
	archive->source = source;
	archive->handle = r;
	archive->count = (size_t)zip_get_num_entries(r->zip, 0);
	if (!ck_within(job, source->label, members, archive->count))
		return NULL;
	archive->members = ck_alloc_array(job, archive->count + 1, sizeof *archive->members);
	if (!archive->members || !ck_map_reserve(job, &archive->by_name, archive->count))
		return NULL;
	for (size_t i = 0; i < archive->count; i++)
		if (!read_member(job, archive, r, i))
			return NULL;
	return archive;
}

/* Only the local header of a member tells where its bytes start. */
static bool locate(ck_job *job, const ck_archive *archive, ck_member *member)
{
	if (member->located || !member->packed)
		return true;
	reader *r = archive->handle;
	errno = 0;
	zip_file_t *file = zip_fopen_index(r->zip, member->index, ZIP_FL_COMPRESSED);
	char first;
	bool ok = file && zip_fread(file, &first, 1) == 1;
	if (file)
		zip_fclose(file);
	if (!ok)
		return fail_zip(job, ck_member_label(job, archive, member), zip_get_error(r->zip),
		                "the member cannot be read");
	member->offset = r->last;
	member->located = true;
	return ck_source_holds(job, archive->source, member->name, member->offset, member->packed);
}

static bool probe(const unsigned char *head, size_t len)
{
	return len >= 4 && (!memcmp(head, "PK\3\4", 4) || !memcmp(head, "PK\5\6", 4));
}

const ck_archiver ck_archiver_zip = {
	"zip", "zip archives, stored or deflated", probe, ck_zip_open, locate,
};
