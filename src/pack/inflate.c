/* Inflating, by zlib, in pieces, so that memory does not follow the size of a member. */
#include "pack.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { PIECE = 64 << 10 };

typedef struct {
	z_stream z;
	uint64_t read; /* packed bytes taken from the source */
	uint64_t made; /* bytes inflated */
	uint32_t crc;
	unsigned char in[PIECE], out[PIECE];
} inflater;

static bool refill(ck_job *job, const ck_source *packed, inflater *i)
{
	uint64_t left = packed->size - i->read;
	size_t size = left < PIECE ? (size_t)left : PIECE;
	if (i->z.avail_in || !size)
		return true;
	if (!ck_read_at(job, packed, i->read, i->in, size))
		return false;
	i->read += size;
	i->z.next_in = i->in;
	i->z.avail_in = (uInt)size;
	return true;
}

static bool run(ck_job *job, const ck_source *packed, const char *label, uint64_t size,
                inflater *i, const ck_sink *sink)
{
	for (;;) {
		if (ck_stopped(job) || !refill(job, packed, i))
			return false;
		i->z.next_out = i->out;
		i->z.avail_out = PIECE;
		int result = inflate(&i->z, Z_NO_FLUSH);
		size_t made = PIECE - i->z.avail_out;
		if (result == Z_MEM_ERROR)
			return ck_fail_nomem(job);
		if (result != Z_OK && result != Z_STREAM_END)
			return ck_fail_at(job, CK_CORRUPT, label, i->read - i->z.avail_in,
			                  "the deflated bytes are damaged: %s",
			                  i->z.msg ? i->z.msg : "they end too early");
		if (made > size - i->made)
			return ck_fail(job, CK_CORRUPT, label,
			               "more bytes come out than the %llu recorded",
			               (unsigned long long)size);
		i->crc = ck_crc32(i->crc, i->out, made);
		i->made += made;
		if (!sink->take(job, sink->arg, i->out, made))
			return false;
		if (result == Z_STREAM_END)
			return true;
	}
}

static bool check_end(ck_job *job, const ck_source *packed, const char *label, uint64_t size,
                      uint32_t crc, const inflater *i)
{
	if (i->made != size)
		return ck_fail(job, CK_CORRUPT, label,
		               "only %s of the %llu that the archive recorded came out",
		               ck_many(i->made, "byte").s, (unsigned long long)size);
	if (i->read != packed->size || i->z.avail_in)
		return ck_fail(job, CK_CORRUPT, label, "there are bytes behind the deflated ones");
	if (i->crc == crc)
		return true;
	if (crc)
		return ck_fail(job, CK_CORRUPT, label,
		               "its bytes have the CRC-32 %08x, but the archive recorded %08x: "
		               "the file is damaged; get it again", i->crc, crc);
	ck_note(job, "'%s' carries no checksum and could not be verified",
	        ck_show(label, strlen(label)).s);
	return true;
}

bool ck_inflate(ck_job *job, const ck_source *packed, const char *label, uint64_t size,
                uint32_t crc, const ck_sink *sink)
{
	/* not from the arena: there may be a hundred thousand members, one after the other */
	inflater *i = calloc(1, sizeof *i);
	if (!i)
		return ck_fail_nomem(job);
	bool ok = inflateInit2(&i->z, -MAX_WBITS) == Z_OK || ck_fail_nomem(job);
	ok = ok && run(job, packed, label, size, i, sink) &&
	     check_end(job, packed, label, size, crc, i);
	inflateEnd(&i->z);
	free(i);
	return ok;
}

static bool run_loosely(ck_job *job, const ck_source *packed, inflater *i, const ck_sink *sink,
                        ck_inflated *result)
{
	for (;;) {
		if (ck_stopped(job) || !refill(job, packed, i))
			return false;
		i->z.next_out = i->out;
		i->z.avail_out = PIECE;
		int status = inflate(&i->z, Z_NO_FLUSH);
		size_t made = PIECE - i->z.avail_out;
		if (status == Z_MEM_ERROR)
			return ck_fail_nomem(job);
		result->crc = ck_crc32(result->crc, i->out, made);
		result->made += made;
		result->used = i->read - i->z.avail_in;
		result->ended = status == Z_STREAM_END;
		result->cut = status == Z_BUF_ERROR;
		if (made && !sink->take(job, sink->arg, i->out, made))
			return false;
		if (status != Z_OK)
			return true;
	}
}

bool ck_inflate_loosely(ck_job *job, const ck_source *packed, const ck_sink *sink,
                        ck_inflated *result)
{
	inflater *i = calloc(1, sizeof *i);
	*result = (ck_inflated){0};
	if (!i)
		return ck_fail_nomem(job);
	bool ok = inflateInit2(&i->z, -MAX_WBITS) == Z_OK || ck_fail_nomem(job);
	ok = ok && run_loosely(job, packed, i, sink, result);
	inflateEnd(&i->z);
	free(i);
	return ok;
}
