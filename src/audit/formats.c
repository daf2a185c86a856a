/* Formats that hold no pickle: safetensors and GGUF are checked from the first byte to the last, so
 * that nothing else hides in them. */
#include <string.h>

#include "look.h"

#define LLU(x) ((unsigned long long)(x))

/* ---- safetensors ---- */

bool ck_safetensors_walk(ck_look *l)
{
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

static void read_tensors(reader *r, uint64_t count, uint64_t *furthest)
{
	for (uint64_t i = 0; i < count && !r->wrong && !r->failed; i++) {
		skip(r, number(r, 8));
		uint64_t dims = number(r, 4);
		if (dims > DIMS_MAX)
			r->wrong = "a tensor has too many dimensions";
		skip(r, dims * 8 + 4);
		uint64_t offset = number(r, 8);
		if (offset > *furthest)
			*furthest = offset;
	}
}

bool ck_gguf_walk(ck_look *l)
{
	uint64_t furthest = 0, end;
	reader r = {.look = l, .at = 4, .window = ck_alloc(l->job, WINDOW)};
	if (!r.window)
		return false;
	uint64_t version = number(&r, 4), tensors = number(&r, 8), values = number(&r, 8);
	if (!r.wrong && (version < 2 || version > 3))
		r.wrong = "only versions 2 and 3 of it are known";
	for (uint64_t i = 0; i < values && !r.wrong && !r.failed; i++) {
		if (ck_stopped(l->job))
			return false;
		skip(&r, number(&r, 8));
		skip_value(&r, number(&r, 4), 0);
	}
	read_tensors(&r, tensors, &furthest);
	if (r.failed)
		return false;
	if (!r.wrong && tensors && (!ck_add(r.at, furthest, &end) || end > l->source->size))
		r.wrong = "a tensor lies beyond its end";
	if (!r.wrong && !tensors && l->source->size - r.at > 4096)
		r.wrong = "it has no tensors, but more bytes than its header needs";
	if (r.wrong && l->kind != CK_LOOK_FILE) {
		l->format = NULL; /* numbers that only began like it */
		return true;
	}
	if (r.wrong && !ck_audit_say(l->audit, CK_RULE_BROKEN_CHECKPOINT, &l->place, r.at, 0,
	                             "this begins as a GGUF model, but %s", r.wrong))
		return false;
	return ck_regions_claim(l->job, &l->claimed, 0, l->source->size);
}
