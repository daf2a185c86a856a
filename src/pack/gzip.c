/* gzip files (RFC 1952) of one or more members, and bare zlib streams (RFC 1950), by zlib. */
#include "packing.h"

#include <stdlib.h>
#include <string.h>
#define ZLIB_CONST /* what is unpacked is not changed */
#include <zlib.h>

enum { WRAPPED_GZIP = 16 }; /* zlib's way to ask for gzip's header and trailer */

static void *begin(int window_bits)
{
	z_stream *z = calloc(1, sizeof *z);
	if (z && inflateInit2(z, window_bits) != Z_OK) {
		free(z);
		z = NULL;
	}
	return z;
}

static void *begin_gzip(ck_job *job)
{
	(void)job; /* 40 kB, whatever the file says */
	return begin(MAX_WBITS + WRAPPED_GZIP);
}

static void *begin_zlib(ck_job *job)
{
	(void)job;
	return begin(MAX_WBITS);
}

static ck_step step(void *state, ck_flow *flow)
{
	z_stream *z = state;
	z->next_in = flow->in;
	z->avail_in = (uInt)flow->in_left;
	z->next_out = flow->out;
	z->avail_out = (uInt)flow->out_left;
	int result = inflate(z, Z_NO_FLUSH);
	flow->in += flow->in_left - z->avail_in;
	flow->in_left = z->avail_in;
	flow->out += flow->out_left - z->avail_out;
	flow->out_left = z->avail_out;
	flow->why = z->msg;
	switch (result) {
	case Z_OK:
	case Z_BUF_ERROR:
		return CK_STEP_ON;
	case Z_STREAM_END:
		return CK_STEP_END;
	case Z_MEM_ERROR:
		return CK_STEP_NOMEM;
	case Z_NEED_DICT:
		flow->why = "a dictionary";
		return CK_STEP_UNKNOWN;
	default:
		return CK_STEP_DAMAGED;
	}
}

static void end(void *state)
{
	inflateEnd(state);
	free(state);
}

/* ---- as Python reads it ---- */

static void *begin_raw(ck_job *job)
{
	(void)job;
	return begin(-MAX_WBITS);
}

static bool skip_text(ck_job *job, const ck_source *packed, uint64_t *at)
{
	unsigned char piece[256];
	while (*at < packed->size) {
		uint64_t left = packed->size - *at;
		size_t len = left < sizeof piece ? (size_t)left : sizeof piece;
		if (ck_stopped(job) || !ck_read_at(job, packed, *at, piece, len))
			return false;
		const unsigned char *zero = memchr(piece, 0, len);
		*at += zero ? (size_t)(zero - piece) + 1 : len;
		if (zero)
			return true;
	}
	return true;
}

/* Flags that mean nothing and the header's own checksum are passed over. */
static bool skip_header(ck_job *job, const ck_source *packed, uint64_t *at)
{
	enum { HEADER = 10, HAS_CRC = 2, HAS_EXTRA = 4, HAS_NAME = 8, HAS_COMMENT = 16 };
	unsigned char head[HEADER], extra[2];
	uint64_t size = packed->size, from = *at;
	*at = UINT64_MAX;
	if (from > size || size - from < sizeof head)
		return true;
	if (!ck_read_at(job, packed, from, head, sizeof head))
		return false;
	if (memcmp(head, "\x1f\x8b\x08", 3) != 0)
		return true;
	from += HEADER;
	if (head[3] & HAS_EXTRA) {
		if (size - from < sizeof extra)
			return true;
		if (!ck_read_at(job, packed, from, extra, sizeof extra))
			return false;
		from += sizeof extra + (extra[0] | (unsigned)extra[1] << 8);
	}
	if ((head[3] & HAS_NAME && !skip_text(job, packed, &from)) ||
	    (head[3] & HAS_COMMENT && !skip_text(job, packed, &from)))
		return false;
	*at = from + (head[3] & HAS_CRC ? 2 : 0);
	return true;
}

static const ck_codec raw = {.name = "gzip", .begin = begin_raw, .step = step, .end = end,
                             .front = skip_header, .behind = 8};
static const ck_codec gzip = {.name = "gzip", .begin = begin_gzip, .step = step, .end = end,
                              .again = "\x1f\x8b", .loose = &raw};
static const ck_codec zlib = {.name = "zlib", .begin = begin_zlib, .step = step, .end = end};

static bool probe_gzip(const unsigned char *head, size_t len)
{
	return len >= 3 && !memcmp(head, "\x1f\x8b\x08", 3);
}

/* The rule of the first two bytes spares most files the trial; but two bytes are no magic, so what
 * follows them must inflate. */
static bool probe_zlib(const unsigned char *head, size_t len)
{
	if (len < 2)
		return false;
	unsigned method = head[0] & 0x0F, window = head[0] >> 4, dictionary = head[1] & 0x20;
	return method == 8 && window <= 7 && !dictionary && (head[0] << 8 | head[1]) % 31 == 0 &&
	       ck_codec_tries(&zlib, head, len);
}

const ck_packing ck_packing_gzip = {"gzip", "gzip files", probe_gzip, &gzip};
const ck_packing ck_packing_zlib = {"zlib", "bare zlib streams", probe_zlib, &zlib};
