/* Zip archives one after the other in one file, as torch's distributed checkpoints have them: each
 * is found from the start of the one behind it, by the sizes in its end records (APPNOTE.TXT 4.3.14
 * to 4.3.16) and never by looking for signatures, which the bytes of a tensor may contain. */
#include "pack.h"

#include <string.h>

enum {
	END_SIZE = 22,       /* end of central directory record, without a comment */
	LOCATOR_SIZE = 20,   /* zip64 end of central directory locator */
	END64_SIZE = 56,     /* zip64 end of central directory record, without extensions */
	TAIL_SIZE = END64_SIZE + LOCATOR_SIZE + END_SIZE,
	END64_COUNTED = END64_SIZE - 12, /* its size field leaves out 12 bytes in front */
};

/* What the end records of one archive say. */
typedef struct {
	uint64_t members;
	uint64_t size, offset; /* of the directory; the offset counts from the archive's start */
	uint64_t end;          /* of the directory in the file: where the first end record is */
	bool has_record64;
	uint64_t record64;     /* where the zip64 record is, from the archive's start */
} end_records;

static uint64_t number(const unsigned char *bytes, size_t len)
{
	uint64_t value = 0;
	while (len--)
		value = value << 8 | bytes[len];
	return value;
}

static bool has(const unsigned char *bytes, const char *signature)
{
	return !memcmp(bytes, signature, 4);
}

/* A field of the old record is that of zip64, or all ones: look there. */
static bool agrees(const unsigned char *field, size_t len, uint64_t value)
{
	uint64_t old = number(field, len), ones = (UINT64_C(1) << 8 * len) - 1;
	return old == value || old == ones;
}

/* `tail` is what lies before `end`, as far back as the three records can reach; the records stand
 * at its end. */
static bool parse_ends(const unsigned char *tail, size_t len, uint64_t end, end_records *e)
{
	const unsigned char *old = tail + len - END_SIZE;
	if (!has(old, "PK\5\6") || number(old + 4, 4) || number(old + 20, 2))
		return false;
	*e = (end_records){.members = number(old + 10, 2), .size = number(old + 12, 4),
	                   .offset = number(old + 16, 4), .end = end - END_SIZE};
	const unsigned char *locator = old - LOCATOR_SIZE, *record = locator - END64_SIZE;
	if (len < TAIL_SIZE || !has(locator, "PK\6\7"))
		return true;
	if (!has(record, "PK\6\6") || number(record + 4, 8) != END64_COUNTED)
		return false;
	e->members = number(record + 32, 8);
	e->size = number(record + 40, 8);
	e->offset = number(record + 48, 8);
	e->end = end - TAIL_SIZE;
	e->has_record64 = true;
	e->record64 = number(locator + 8, 8);
	return agrees(old + 10, 2, e->members) && agrees(old + 12, 4, e->size) &&
	       agrees(old + 16, 4, e->offset);
}

/* The directory is there, and a member at the start: the records were no nonsense. */
static bool check_signatures(ck_job *job, const ck_source *source, uint64_t start,
                             const end_records *e, bool *right)
{
	unsigned char member[4], directory[4];
	*right = !e->members;
	if (*right || e->size < sizeof directory || e->offset < sizeof member)
		return true;
	if (!ck_read_at(job, source, start, member, sizeof member) ||
	    !ck_read_at(job, source, start + e->offset, directory, sizeof directory))
		return false;
	*right = has(member, "PK\3\4") && has(directory, "PK\1\2");
	return true;
}

/* Where the archive starts that ends at `end`. *found is false if nothing there adds up to one. */
static bool find_start(ck_job *job, const ck_source *source, uint64_t end, uint64_t *start,
                       bool *found)
{
	unsigned char tail[TAIL_SIZE];
	size_t len = end < TAIL_SIZE ? (size_t)end : TAIL_SIZE;
	end_records e;
	uint64_t before; /* bytes of the archive in front of its end records */
	*found = false;
	if (len < END_SIZE)
		return true;
	if (!ck_read_at(job, source, end - len, tail, len))
		return false;
	if (!parse_ends(tail, len, end, &e) || !ck_add(e.size, e.offset, &before) ||
	    before > e.end || (e.has_record64 && e.record64 != before))
		return true;
	*start = e.end - before;
	return check_signatures(job, source, *start, &e, found);
}

static const ck_source *part(ck_job *job, const ck_source *source, size_t index, size_t count,
                             uint64_t start, uint64_t end)
{
	ck_text label = {0};
	if (!ck_text_add(job, &label, source->label, strlen(source->label)) ||
	    !ck_text_addf(job, &label, ": archive %zu of %zu, at byte %llu", index + 1, count,
	                  (unsigned long long)start) ||
	    !ck_text_add(job, &label, "", 1))
		return NULL;
	return ck_source_window(job, source, label.data, start, end - start);
}

bool ck_zip_split(ck_job *job, const ck_source *source, const ck_source ***parts, size_t *count)
{
	uint64_t *starts = NULL, at = source->size;
	size_t cap = 0, n = 0;
	bool found = true;
	for (uint64_t start = 0; found && at; at = start) {
		if (ck_stopped(job) || !find_start(job, source, at, &start, &found) ||
		    !ck_within(job, source->label, members, n + 1))
			return false;
		starts = ck_grow(job, starts, &cap, n + 1, sizeof *starts);
		if (!starts)
			return false;
		starts[n++] = start; /* the last archive first */
	}
	*count = found && n ? n : 1;
	*parts = ck_alloc_array(job, *count, sizeof **parts);
	if (!*parts)
		return false;
	(*parts)[0] = source;
	for (size_t i = 0; *count > 1 && i < n; i++) {
		uint64_t end = i + 1 < n ? starts[n - 2 - i] : source->size;
		(*parts)[i] = part(job, source, i, n, starts[n - 1 - i], end);
		if (!(*parts)[i])
			return false;
	}
	return true;
}
