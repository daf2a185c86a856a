/* The bytes of a member: stored or inflated, told apart from plain data by their beginning, and
 * held against their checksum where that costs little. */
#include <stdio.h>
#include <string.h>

#include "zip_parts.h"

#define LLU(x) ((unsigned long long)(x))

enum { PIECE = 64 << 10, TAIL_MAX = CK_ZIP_END + 65535 };

/* Files up to this size have all their checksums looked at; tensors of larger ones are not read. */
static const uint64_t CHECKED_MAX = UINT64_C(256) << 20;
/* So much may come out of any member, whatever the limit `ratio` says. */
static const uint64_t FREE = UINT64_C(64) << 20;

typedef struct {
	ck_zip *zip;
	const ck_zip_entry *entry;
	const char *path;
	const ck_source *packed;  /* its bytes as they lie in the archive */
	unsigned char head[CK_HEAD], *tail;
	size_t head_len, tail_len;
	size_t tail_max;          /* last bytes that are looked at for an end record */
} member;

static ck_place place_of(const member *m)
{
	return (ck_place){m->path, m->packed, 0};
}

static bool CK_PRINTF(3, 4) say(const member *m, uint64_t at, const char *fmt, ...)
{
	char text[CK_TEXT_MAX];
	ck_place place = place_of(m);
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	return ck_audit_say_some(m->zip->look->audit, &m->zip->told, CK_RULE_BROKEN_ARCHIVE,
	                         &place, at, 0, text);
}

/* torch writes 0 for "not computed", and never looks at it. */
static bool check_crc(const member *m, uint32_t crc)
{
	return crc == m->entry->crc || !m->entry->crc ||
	       say(m, CK_NO_OFFSET, "the bytes of '%s' have the CRC-32 %08x, but the archive "
	           "recorded %08x: the file is damaged; get it again", m->path, crc,
	           m->entry->crc);
}

static bool is_data(const member *m)
{
	return !ck_script_is(m->path) && !ck_promise_made(m->path) &&
	       ck_look_is_data(m->path, m->head, m->head_len) &&
	       !memmem(m->tail, m->tail_len, "PK\5\6", 4);
}

static bool look_inside(const member *m, const ck_source *source)
{
	if (ck_script_is(m->path) && !ck_script_look(m->zip->look->audit, source, m->path))
		return false;
	return ck_look_inside(m->zip->look->audit, source, m->path, CK_LOOK_MEMBER, NULL);
}

/* ---- stored ---- */

static bool check_stored(const member *m)
{
	unsigned char piece[PIECE];
	uint32_t crc = 0;
	ck_job *job = m->zip->look->job;
	if (!m->entry->crc)
		return true;
	for (uint64_t at = 0; at < m->packed->size; at += sizeof piece) {
		uint64_t left = m->packed->size - at;
		size_t len = left < sizeof piece ? (size_t)left : sizeof piece;
		if (ck_stopped(job) || !ck_read_at(job, m->packed, at, piece, len))
			return false;
		crc = ck_crc32(crc, piece, len);
	}
	return check_crc(m, crc);
}

static bool take_stored(member *m)
{
	const ck_source *s = m->packed;
	ck_job *job = m->zip->look->job;
	m->head_len = s->size < CK_HEAD ? (size_t)s->size : CK_HEAD;
	m->tail_len = s->size < m->tail_max ? (size_t)s->size : m->tail_max;
	if (!ck_read_at(job, s, 0, m->head, m->head_len) ||
	    !ck_read_at(job, s, s->size - m->tail_len, m->tail, m->tail_len))
		return false;
	bool data = is_data(m), small = job->input <= CHECKED_MAX;
	if (m->entry->size != m->entry->packed && m->entry->method == 0 &&
	    !say(m, CK_NO_OFFSET, "the member is stored, so that its size must be that of its "
	         "packed bytes, %llu, and not %llu", LLU(m->entry->packed), LLU(m->entry->size)))
		return false;
	if ((small || (!data && s->size <= CHECKED_MAX)) && m->entry->method == 0 &&
	    !(m->entry->flags & 1) && !check_stored(m))
		return false;
	return data || look_inside(m, s);
}

/* ---- deflated ---- */

/* What comes out: its first and last bytes are kept, and all of it counted. */
typedef struct {
	member *m;
	const ck_sink *next;   /* or NULL */
	uint64_t made, most;
	bool head_only, full;
} counter;

static void keep_tail(member *m, const unsigned char *data, size_t len)
{
	size_t room = m->tail_max;
	if (len >= room) {
		memcpy(m->tail, data + len - room, room);
		m->tail_len = room;
		return;
	}
	size_t keep = m->tail_len < room - len ? m->tail_len : room - len;
	memmove(m->tail, m->tail + m->tail_len - keep, keep);
	memcpy(m->tail + keep, data, len);
	m->tail_len = keep + len;
}

static bool take(ck_job *job, void *arg, const void *data, size_t len)
{
	counter *c = arg;
	member *m = c->m;
	if (m->head_len < sizeof m->head) {
		size_t room = sizeof m->head - m->head_len, more = room < len ? room : len;
		memcpy(m->head + m->head_len, data, more);
		m->head_len += more;
	}
	if (c->head_only) {
		c->full = m->head_len == sizeof m->head;
		return !c->full;
	}
	keep_tail(m, data, len);
	c->made += len;
	if (c->made > c->most)
		return ck_fail_limit(job, m->path, "ratio");
	if (!ck_within(job, m->path, inflated, c->made) || !ck_unpack_count(job, m->path, len))
		return false;
	return !c->next || c->next->take(job, c->next->arg, data, len);
}

static uint64_t most_of(const ck_job *job, uint64_t packed)
{
	uint64_t most;
	return ck_mul(packed, job->limits.ratio, &most) && ck_add(most, FREE, &most) ? most
	                                                                             : UINT64_MAX;
}

typedef struct {
	member *m;
	ck_inflated result;
} inflating;

static bool run_inflating(ck_job *job, const ck_stream *stream, const ck_sink *sink)
{
	inflating *i = stream->arg;
	counter c = {.m = i->m, .next = sink, .most = most_of(job, i->m->packed->size)};
	i->m->head_len = i->m->tail_len = 0;
	return ck_inflate_loosely(job, i->m->packed, &(ck_sink){take, &c}, &i->result);
}

static bool discard(ck_job *job, void *arg, const void *data, size_t len)
{
	(void)job, (void)arg, (void)data, (void)len;
	return true;
}

/* Bytes behind the end of the deflated ones may be anything. */
static bool look_behind(member *m, uint64_t from)
{
	ck_look *l = m->zip->look;
	const ck_source *rest =
		ck_source_window(l->job, m->packed, m->path, from, m->packed->size - from);
	return say(m, from, "there are bytes behind the deflated ones") && rest &&
	       ck_look_inside(l->audit, rest, m->path, CK_LOOK_GAP, NULL);
}

static bool check_inflated(member *m, const ck_inflated *i)
{
	const ck_zip_entry *e = m->entry;
	if (!i->ended)
		return say(m, i->used, "the deflated bytes are damaged%s",
		           i->cut ? ": they end too early" : "");
	if (i->made > e->size && !say(m, CK_NO_OFFSET, "more comes out than the %s recorded: %llu",
	                              ck_many(e->size, "byte").s, LLU(i->made)))
		return false;
	if (i->made < e->size &&
	    !say(m, CK_NO_OFFSET, "only %s of the %llu that the archive recorded came out",
	         ck_many(i->made, "byte").s, LLU(e->size)))
		return false;
	return (i->used == m->packed->size || look_behind(m, i->used)) && check_crc(m, i->crc);
}

/* All of it: into a scratch file, or nowhere if it is only to be checked. */
static bool inflate_all(member *m, ck_job *own, bool keep)
{
	inflating i = {.m = m};
	const ck_stream stream = {run_inflating, m->path, CK_SIZE_UNKNOWN, &i};
	const ck_source *source = keep ? ck_stream_spill(own, &stream) : NULL;
	bool ok = keep ? source != NULL
	               : run_inflating(own, &stream, &(ck_sink){discard, NULL});
	ck_place place = place_of(m);
	if (!ok)
		return ck_look_failed(m->zip->look->audit, own, CK_RULE_BROKEN_ARCHIVE, &place,
		                      CK_NO_OFFSET);
	if (!check_inflated(m, &i.result))
		return false;
	if (m->zip->look->audit->job->unpacked < own->unpacked)
		m->zip->look->audit->job->unpacked = own->unpacked;
	if (keep)
		return look_inside(m, source);
	return is_data(m) || inflate_all(m, own, true);
}

static bool take_deflated(member *m)
{
	ck_inflated result;
	ck_audit *audit = m->zip->look->audit;
	ck_job *own = ck_look_job(audit);
	if (!own)
		return false;
	counter c = {.m = m, .head_only = true};
	bool ok = ck_inflate_loosely(own, m->packed, &(ck_sink){take, &c}, &result) || c.full;
	bool data = is_data(m);
	if (ok && (!data || m->tail_max > CK_ZIP_END || own->input <= CHECKED_MAX))
		ok = inflate_all(m, own, !data);
	else if (ok && !c.full)
		ok = check_inflated(m, &result);
	return ck_look_done(audit, own) && ok;
}

/* Of what holds a tensor no more is read than its first and last bytes. */
static bool is_storage(const char *path, const ck_source *source)
{
	const ck_look l = {.source = source, .place = {path, source, 0}, .kind = CK_LOOK_MEMBER};
	return ck_look_purpose(&l) == CK_FOR_STORAGE;
}

bool ck_zip_content(ck_zip *zip, const ck_zip_entry *entry, const char *path, uint64_t data)
{
	ck_look *l = zip->look;
	member *m = NULL;
	uint64_t end = entry->packed;
	if (!entry->packed)
		return !entry->size || entry->method == 8 ||
		       ck_zip_say(zip, data, "member '%s' should hold %s, but has none",
		                  path, ck_many(entry->size, "byte").s);
	ck_mark mark = ck_arena_mark(l->job);
	m = ck_alloc(l->job, sizeof *m);
	const ck_source *packed = m ? ck_source_window(l->job, l->source, path, data, end) : NULL;
	if (!packed)
		return false;
	size_t most = is_storage(path, packed) ? CK_ZIP_END : TAIL_MAX;
	*m = (member){.zip = zip, .entry = entry, .path = path, .packed = packed,
	              .tail_max = most, .tail = ck_alloc(l->job, most)};
	if (!m->tail)
		return false;
	bool ok = entry->method == 8 ? take_deflated(m) : take_stored(m);
	ck_arena_release(l->job, mark);
	return ok;
}
