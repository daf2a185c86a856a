/* What all archives share: finding a member, and handing out its bytes as a source or a stream. */
#include "pack.h"

#include <stdlib.h>
#include <string.h>

enum { CHECK_CHUNK = 64 << 10 };

static const ck_archiver *const archivers[] = {
	&ck_archiver_zip,
	&ck_archiver_tar,
};

const ck_archiver *ck_archiver_find(const unsigned char *head, size_t len)
{
	for (size_t i = 0; i < CK_COUNT(archivers); i++)
		if (archivers[i]->probe(head, len))
			return archivers[i];
	return NULL;
}

bool ck_archive_enter(ck_job *job, ck_archive *archive, size_t index)
{
	const ck_member *member = &archive->members[index];
	bool fresh;
	uint64_t *place =
		ck_map_put(job, &archive->by_name, member->name, member->name_len, &fresh);
	if (!place)
		return false;
	if (!fresh)
		return ck_fail(job, CK_CORRUPT, archive->source->label,
		               "the archive has two members '%s'; programs disagree on which one "
		               "counts", ck_show(member->name, member->name_len).s);
	*place = index;
	return true;
}

ck_member *ck_archive_find(const ck_job *job, const ck_archive *archive, const char *name,
                           size_t len)
{
	const uint64_t *index = ck_map_find(job, &archive->by_name, name, len);
	return index ? &archive->members[*index] : NULL;
}

bool ck_member_ends(const ck_member *member, const char *end)
{
	size_t len = strlen(end);
	return member->name_len >= len &&
	       !memcmp(member->name + member->name_len - len, end, len);
}

const char *ck_member_label(ck_job *job, const ck_archive *archive, const ck_member *member)
{
	ck_text text = {0};
	const char *label = archive->source->label;
	if (!ck_text_add(job, &text, label, strlen(label)) || !ck_text_add(job, &text, ": ", 2) ||
	    !ck_text_add(job, &text, member->name, member->name_len + 1))
		return label;
	return text.data;
}

/* The bytes as they lie in the file, packed or not. */
static const ck_source *raw_window(ck_job *job, const ck_archive *archive, ck_member *member)
{
	if (!archive->by->locate(job, archive, member))
		return NULL;
	return ck_source_window(job, archive->source, ck_member_label(job, archive, member),
	                        member->offset, member->packed);
}

bool ck_member_stored(ck_job *job, const ck_archive *archive, ck_member *member)
{
	if (member->size == member->packed)
		return archive->by->locate(job, archive, member);
	return ck_fail(job, CK_CORRUPT, ck_member_label(job, archive, member),
	               "the member is stored, so that its size must be that of its packed bytes, "
	               "%llu, and not %llu",
	               (unsigned long long)member->packed, (unsigned long long)member->size);
}

static bool check_crc(ck_job *job, const ck_source *source, uint32_t want)
{
	unsigned char chunk[CHECK_CHUNK];
	uint32_t crc = 0;
	for (uint64_t at = 0; at < source->size; at += sizeof chunk) {
		uint64_t left = source->size - at;
		size_t size = left < sizeof chunk ? (size_t)left : sizeof chunk;
		if (!ck_read_at(job, source, at, chunk, size))
			return false;
		crc = ck_crc32(crc, chunk, size);
	}
	if (crc == want)
		return true;
	if (!want) {
		ck_note(job, "'%s' carries no checksum and could not be verified",
		        ck_show(source->label, strlen(source->label)).s);
		return true;
	}
	return ck_fail(job, CK_CORRUPT, source->label,
	               "its bytes have the CRC-32 %08x, but the archive recorded %08x: the file is "
	               "damaged; get it again", crc, want);
}

typedef struct {
	unsigned char *data;
	uint64_t fill;
} memory;

static bool memory_take(ck_job *job, void *arg, const void *data, size_t len)
{
	(void)job; /* the stream never gives more than its size */
	memory *to = arg;
	memcpy(to->data + to->fill, data, len);
	to->fill += len;
	return true;
}

static const ck_source *inflate_member(ck_job *job, const ck_archive *archive, ck_member *member)
{
	const ck_stream *stream = ck_member_stream(job, archive, member);
	if (!stream)
		return NULL;
	memory to = {.data = ck_alloc_array(job, member->size, 1)};
	if (!to.data || !stream->run(job, stream, &(ck_sink){memory_take, &to}))
		return NULL;
	return ck_source_memory(job, stream->label, to.data, member->size);
}

const ck_source *ck_member_source(ck_job *job, const ck_archive *archive, ck_member *member)
{
	if (member->method == CK_DEFLATED)
		return inflate_member(job, archive, member);
	if (!ck_member_stored(job, archive, member))
		return NULL;
	const ck_source *source = raw_window(job, archive, member);
	if (!source || (member->has_crc && !check_crc(job, source, member->crc)))
		return NULL;
	return source;
}

typedef struct {
	const ck_archive *archive;
	ck_member *member;
} deflated;

static bool run_deflated(ck_job *job, const ck_stream *stream, const ck_sink *sink)
{
	const deflated *of = stream->arg;
	const ck_source *packed = raw_window(job, of->archive, of->member);
	return packed && ck_inflate(job, packed, stream->label, of->member->size, of->member->crc,
	                            sink);
}

const ck_stream *ck_member_stream(ck_job *job, const ck_archive *archive, ck_member *member)
{
	const char *label = ck_member_label(job, archive, member);
	if (!ck_within(job, label, inflated, member->size))
		return NULL;
	if (member->size > ck_unpack_most(job, member->packed)) {
		ck_fail_limit(job, label, "ratio");
		return NULL;
	}
	if (!archive->by->locate(job, archive, member))
		return NULL;
	deflated *of = ck_alloc(job, sizeof *of);
	ck_stream *stream = ck_alloc(job, sizeof *stream);
	if (!of || !stream)
		return NULL;
	*of = (deflated){archive, member};
	*stream = (ck_stream){run_deflated, label, member->size, of};
	return stream;
}

static int by_offset(const void *a, const void *b)
{
	const ck_member *x = *(const ck_member *const *)a, *y = *(const ck_member *const *)b;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

bool ck_archive_check_overlap(ck_job *job, const ck_archive *archive)
{
	size_t count = 0;
	ck_mark mark = ck_arena_mark(job);
	const ck_member **located = ck_alloc_array(job, archive->count + 1, sizeof *located);
	if (!located)
		return false;
	for (size_t i = 0; i < archive->count; i++)
		if (archive->members[i].located)
			located[count++] = &archive->members[i];
	if (count)
		qsort(located, count, sizeof *located, by_offset);
	for (size_t i = 1; i < count; i++)
		if (located[i]->offset < located[i - 1]->offset + located[i - 1]->packed)
			return ck_fail_at(job, CK_CORRUPT, archive->source->label,
			                  located[i]->offset,
			                  "the bytes of members '%s' and '%s' overlap",
			                  ck_show(located[i - 1]->name, located[i - 1]->name_len).s,
			                  ck_show(located[i]->name, located[i]->name_len).s);
	ck_arena_release(job, mark);
	return true;
}
