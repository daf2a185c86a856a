/* Formats that hold no pickle: safetensors and GGUF are checked from the first byte to the last, so
 * that nothing else hides in them. */
#include <string.h>

#include "look.h"

#define LLU(x) ((unsigned long long)(x))

/* ---- safetensors ---- */

bool ck_safetensors_ask(ck_look *l)
{
	ck_job *own = ck_look_job(l->audit);
	if (!own)
		return false;
	l->tensors = ck_safetensors_read(own, l->source);
	return ck_look_done(l->audit, own);
}

bool ck_safetensors_walk(ck_look *l)
{
	if (l->tensors)
		return ck_regions_claim(l->job, &l->claimed, 0, l->source->size);
	ck_job *own = ck_look_job(l->audit);
	if (!own)
		return false;
	bool read = ck_safetensors_read(own, l->source);
	bool file = l->kind == CK_LOOK_FILE;
	bool ok = true;
	if (!read && file)
		ok = ck_look_failed(l->audit, own, CK_RULE_BROKEN_CHECKPOINT, &l->place,
		                    own->error.has_offset ? own->error.offset : CK_NO_OFFSET);
	else if (!read)
		l->format = NULL; /* numbers that only began like it */
	return ck_look_done(l->audit, own) && ok &&
	       (!l->format || ck_regions_claim(l->job, &l->claimed, 0, l->source->size));
}

/* ---- GGUF (github.com/ggml-org/ggml, docs/gguf.md) ---- */

enum { WINDOW = 64 << 10, DIMS_MAX = 8, ARRAYS_MAX = 4, TYPE_TEXT = 8, TYPE_ARRAY = 9 };

/* Reads numbers from front to back; after the first that is not there all are 0. */
typedef struct {
	ck_look *look;
	uint64_t at, window_at;
	size_t window_len;
	unsigned char *window;
	const char *wrong;
	bool failed;
} reader;

static uint64_t number(reader *r, size_t width)
{
	const ck_source *s = r->look->source;
	if (r->wrong || r->failed)
		return 0;
	if (r->at > s->size || s->size - r->at < width) {
		r->wrong = "it ends inside its header";
		return 0;
	}
	if (r->at < r->window_at || r->at + width > r->window_at + r->window_len) {
		uint64_t left = s->size - r->at;
		r->window_at = r->at;
		r->window_len = left < WINDOW ? (size_t)left : WINDOW;
		r->failed = !ck_read_at(r->look->job, s, r->at, r->window, r->window_len);
		if (r->failed)
			return 0;
	}
	uint64_t value = ck_little(r->window + (r->at - r->window_at), width);
	r->at += width;
	return value;
}

static void skip(reader *r, uint64_t len)
{
	uint64_t size = r->look->source->size;
	if (r->at > size || len > size - r->at)
		r->wrong = "it ends inside its header";
	else
		r->at += len;
}

static void skip_value(reader *r, uint64_t type, unsigned depth)
{
	static const uint8_t widths[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
	if (type >= sizeof widths || depth > ARRAYS_MAX) {
		r->wrong = "one of its values is of an unknown type";
	} else if (type == TYPE_TEXT) {
		skip(r, number(r, 8));
	} else if (type == TYPE_ARRAY) {
		uint64_t item = number(r, 4), count = number(r, 8), bytes;
		bool plain = item < sizeof widths && widths[item];
		if (plain && ck_mul(count, widths[item], &bytes))
			skip(r, bytes);
		for (uint64_t i = 0; !plain && i < count && !r->wrong && !r->failed; i++)
			skip_value(r, item, depth + 1);
	} else {
		skip(r, widths[type]);
	}
}

/* Elements and bytes of a block, by ggml's number of the type; 0: it is not known here. */
static const struct {
	uint16_t elements, bytes;
} blocks[] = {
	[0] = {1, 4}, [1] = {1, 2}, [2] = {32, 18}, [3] = {32, 20}, [6] = {32, 22}, [7] = {32, 24},
	[8] = {32, 34}, [10] = {256, 84}, [11] = {256, 110}, [12] = {256, 144},
	[13] = {256, 176}, [14] = {256, 210}, [15] = {256, 292}, [16] = {256, 66},
	[17] = {256, 74}, [18] = {256, 98}, [19] = {256, 50}, [20] = {32, 18}, [21] = {256, 110},
	[22] = {256, 82}, [23] = {256, 136}, [24] = {1, 1}, [25] = {1, 2}, [26] = {1, 4},
	[27] = {1, 8}, [28] = {1, 8}, [29] = {256, 56}, [30] = {1, 2}, [34] = {256, 54},
	[35] = {256, 66}, [39] = {32, 17},
};

/* What is said of tensors: where the last of them ends. */
typedef struct {
	uint64_t alignment, furthest;
	bool unknown;  /* some are of a type whose size is not known */
} extent;

static void read_tensor(reader *r, extent *e)
{
	skip(r, number(r, 8));
	uint64_t dims = number(r, 4), count = 1, bytes, end;
	if (dims > DIMS_MAX)
		r->wrong = "a tensor has too many dimensions";
	for (uint64_t i = 0; i < dims && !r->wrong; i++)
		if (!ck_mul(count, number(r, 8), &count))
			r->wrong = "a tensor has more elements than 64 bits can count";
	uint64_t type = number(r, 4), offset = number(r, 8);
	if (r->wrong || r->failed)
		return;
	bool known = type < CK_COUNT(blocks) && blocks[type].elements;
	bytes = known ? count / blocks[type].elements : 0;
	e->unknown = e->unknown || !known;
	if (known && count % blocks[type].elements)
		r->wrong = "a tensor is no whole number of blocks";
	else if ((known && !ck_mul(bytes, blocks[type].bytes, &bytes)) ||
	         !ck_add(offset, bytes, &end))
		r->wrong = "a tensor lies beyond its end";
	else if (end > e->furthest)
		e->furthest = end;
}

/* "general.alignment", a number of 32 bits, says where tensors may begin. */
static bool is_alignment(reader *r)
{
	static const char name[] = "general.alignment";
	bool same = true;
	uint64_t len = number(r, 8);
	if (len != sizeof name - 1) {
		skip(r, len);
		return false;
	}
	for (size_t i = 0; i < sizeof name - 1; i++)
		same = number(r, 1) == (unsigned char)name[i] && same;
	return same;
}

static void read_values(reader *r, uint64_t count, extent *e)
{
	enum { TYPE_U32 = 4 };
	for (uint64_t i = 0; i < count && !r->wrong && !r->failed; i++) {
		bool alignment = is_alignment(r);
		uint64_t type = number(r, 4);
		if (alignment && type == TYPE_U32)
			e->alignment = number(r, 4);
		else
			skip_value(r, type, 0);
	}
	if (!e->alignment || e->alignment & (e->alignment - 1) || e->alignment > 1 << 20)
		r->wrong = "its alignment is no power of two";
}

bool ck_gguf_walk(ck_look *l)
{
	uint64_t end, size = l->source->size;
	extent e = {.alignment = 32};
	reader r = {.look = l, .at = 4, .window = ck_alloc(l->job, WINDOW)};
	if (!r.window)
		return false;
	uint64_t version = number(&r, 4), tensors = number(&r, 8), values = number(&r, 8);
	if (!r.wrong && (version < 2 || version > 3))
		r.wrong = "only versions 2 and 3 of it are known";
	read_values(&r, values, &e);
	for (uint64_t i = 0; i < tensors && !r.wrong && !r.failed; i++)
		read_tensor(&r, &e);
	if (r.failed || ck_stopped(l->job))
		return false;
	end = (r.at + e.alignment - 1) & ~(e.alignment - 1);
	if (!r.wrong && tensors && (!ck_add(end, e.furthest, &end) || end > size))
		r.wrong = "a tensor lies beyond its end";
	if (r.wrong && l->kind != CK_LOOK_FILE) {
		l->format = NULL; /* numbers that only began like it */
		return true;
	}
	if (r.wrong && !ck_audit_say(l->audit, CK_RULE_BROKEN_CHECKPOINT, &l->place, r.at, 0,
	                             "this begins as a GGUF model, but %s", r.wrong))
		return false;
	l->loose = r.wrong || e.unknown;
	l->strict_end = false;
	return ck_regions_claim(l->job, &l->claimed, 0, tensors && end < size ? end : r.at);
}
