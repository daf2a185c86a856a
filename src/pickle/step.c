/* Opcode by opcode: reads the byte and its argument, checks lengths and frames, makes no values. */
#include "vm.h"

#include <endian.h>
#include <string.h>

enum {
	WINDOW = 64 << 10,
	KEEP = 4096, /* counted bytes up to this length are kept in memory */
	AHEAD = 16,  /* more than an opcode and its number */
};

static void show(ck_steps *s, const unsigned char *window, uint64_t at, size_t len)
{
	s->window = window;
	s->window_at = at;
	s->window_len = len;
	s->roomy = len > AHEAD ? len - AHEAD : 0;
}

bool ck_steps_begin(ck_job *job, ck_steps *steps, const ck_source *source, uint64_t at)
{
	/* what lies in memory is its own window */
	bool memory = source->fd < 0 && source->data;
	size_t cap = source->size < WINDOW ? (size_t)source->size : WINDOW;
	*steps = (ck_steps){.job = job, .source = source, .at = at, .buffer_cap = steps->buffer_cap,
	                    .buffer = steps->buffer, .ops = job->limits.ops};
	if (memory) {
		show(steps, source->data, 0, (size_t)source->size);
		return true;
	}
	if (!steps->buffer || steps->buffer_cap < cap) {
		steps->buffer = ck_alloc(job, cap);
		steps->buffer_cap = cap;
	}
	steps->window = steps->buffer;
	return steps->buffer != NULL;
}

static bool cut_short(ck_steps *s, uint64_t need)
{
	return ck_fail_at(s->job, CK_CORRUPT, s->source->label, s->at,
	                  "the pickle is cut short: it needs %s here, and has %llu",
	                  ck_many(need, "byte").s, (unsigned long long)(s->source->size - s->at));
}

/* The part of the source that lies in the window from s->at on. */
static inline size_t in_window(const ck_steps *s)
{
	uint64_t from = s->at - s->window_at; /* huge if it lies before the window */
	return from < s->window_len ? s->window_len - (size_t)from : 0;
}

static bool refill(ck_steps *s)
{
	uint64_t left = s->source->size - s->at;
	show(s, s->buffer, s->at, left < WINDOW ? (size_t)left : WINDOW);
	return ck_read_at(s->job, s->source, s->at, s->buffer, s->window_len);
}

/* Makes sure that the window holds the next len bytes (len <= WINDOW); returns them. */
static inline const unsigned char *peek(ck_steps *s, size_t len)
{
	if (len > in_window(s)) {
		if (len > s->source->size - s->at) {
			cut_short(s, len);
			return NULL;
		}
		if (!refill(s))
			return NULL;
	}
	return s->window + (s->at - s->window_at);
}

const unsigned char *ck_steps_peek(ck_steps *s, size_t want, size_t *len)
{
	if (in_window(s) < want && s->window_at + s->window_len < s->source->size && !refill(s))
		return NULL;
	*len = in_window(s);
	return s->window + (s->at - s->window_at);
}

void ck_steps_rewind(ck_steps *s, uint64_t to)
{
	s->at = to;
	if (to < s->window_at)
		show(s, s->buffer, 0, 0);
}

static bool count_text(ck_steps *s, uint64_t len)
{
	s->text += len;
	return ck_within(s->job, s->source->label, text, s->text);
}

/* The next len bytes as text of their own; the length was checked against the source before
 * anything is allocated. */
static inline bool read_text(ck_steps *s, uint64_t len, const char **text)
{
	if (len > s->source->size - s->at)
		return cut_short(s, len);
	if (!count_text(s, len))
		return false;
	char *copy = len < SIZE_MAX ? ck_spare_alloc(s->job, s->spare, (size_t)len + 1) : NULL;
	if (!copy)
		return false;
	copy[len] = 0;
	if (len <= in_window(s) || len <= WINDOW) {
		const unsigned char *p = peek(s, (size_t)len);
		if (!p)
			return false;
		memcpy(copy, p, (size_t)len);
	} else if (!ck_read_at(s->job, s->source, s->at, copy, (size_t)len)) {
		return false;
	}
	s->at += len;
	*text = copy;
	return true;
}

/* A short line that nobody needs any more after the next opcode was read is not kept. */
static bool pass_line(ck_steps *s, size_t len, const char **text)
{
	const unsigned char *p = peek(s, len);
	if (!p || !count_text(s, len))
		return false;
	memcpy(s->line, p, len);
	s->line[len] = 0;
	s->at += len;
	*text = s->line;
	return true;
}

static bool read_line(ck_steps *s, bool passing, const char **text, uint64_t *len)
{
	uint64_t start = s->at;
	for (;;) {
		uint64_t left = s->source->size - s->at;
		size_t size = left < KEEP ? (size_t)left : KEEP;
		const unsigned char *p = size ? peek(s, size) : NULL;
		if (!p) {
			return ck_fail_at(s->job, CK_CORRUPT, s->source->label, start,
			                  "the pickle is cut short: a line that starts here has no "
			                  "end");
		}
		const unsigned char *end = memchr(p, '\n', size);
		s->at += end ? (size_t)(end - p) : size;
		if (end)
			break;
		if (!ck_within(s->job, s->source->label, text, s->text + (s->at - start)))
			return false;
	}
	*len = s->at - start;
	s->at = start;
	if (passing && *len < sizeof s->line ? !pass_line(s, (size_t)*len, text)
	                                     : !read_text(s, *len, text))
		return false;
	s->at++; /* the newline */
	return true;
}

#define SHAPE_NONE {0, 0, CK_READ_PLAIN}
#define SHAPE_U1 {UINT8_MAX, 1, CK_READ_PLAIN}
#define SHAPE_U2 {UINT16_MAX, 2, CK_READ_PLAIN}
#define SHAPE_U4 {UINT32_MAX, 4, CK_READ_PLAIN}
#define SHAPE_I4 {UINT32_MAX, 4, CK_READ_SIGNED}
#define SHAPE_U8 {UINT64_MAX, 8, CK_READ_FRAME}
#define SHAPE_F8 {UINT64_MAX, 8, CK_READ_FLOAT}
#define SHAPE_LINE {0, 0, CK_READ_LINE}
#define SHAPE_LINES {0, 0, CK_READ_LINES}
/* what is counted: always brought to memory, or left in the source if it is long */
#define SHAPE_TEXT1 {UINT8_MAX, 1, CK_READ_KEPT}
#define SHAPE_TEXT4 {UINT32_MAX, 4, CK_READ_KEPT}
#define SHAPE_TEXT8 {UINT64_MAX, 8, CK_READ_KEPT}
#define SHAPE_LONG1 SHAPE_TEXT1
#define SHAPE_LONG4 SHAPE_TEXT4
#define SHAPE_BYTES1 {UINT8_MAX, 1, CK_READ_LEFT}
#define SHAPE_BYTES4 {UINT32_MAX, 4, CK_READ_LEFT}
#define SHAPE_BYTES8 {UINT64_MAX, 8, CK_READ_LEFT}

const ck_op_shape ck_op_shapes[256] = {
#define X(name, code, arg, protocol, handler) [code] = SHAPE_##arg,
	CK_OPS(X)
#undef X
};

/* The number at s->at, near the end of the window. */
static bool read_number(ck_steps *s, const ck_op_shape *shape, uint64_t *number)
{
	uint64_t raw = 0;
	const unsigned char *p = peek(s, shape->width);
	if (!p)
		return false;
	memcpy(&raw, p, shape->width);
	*number = le64toh(raw) & shape->mask;
	s->at += shape->width;
	return true;
}

static bool read_counted(ck_steps *s, ck_step *step, bool keep)
{
	step->len = step->number;
	step->from = s->at;
	if (keep || step->len <= KEEP)
		return read_text(s, step->len, &step->text);
	if (step->len > s->source->size - s->at)
		return cut_short(s, step->len);
	s->at += step->len;
	step->text = NULL;
	return true;
}

/* A frame announces how many bytes follow it. C Python before 3.13.15 only checks that they exist;
 * pure Python and later versions refuse what lies across its end. Files that two readers read in
 * two ways are refused here. */
static bool enter_frame(ck_steps *s, const ck_step *step)
{
	if (step->at < s->frame_end || step->number > s->source->size - s->at) {
		s->straddled = true;
		if (s->loose)
			return true;
	}
	if (step->at < s->frame_end)
		return ck_fail_at(s->job, CK_CORRUPT, s->source->label, step->at,
		                  "a frame starts inside another one, which ends at byte %llu",
		                  (unsigned long long)s->frame_end);
	if (step->number > s->source->size - s->at)
		return ck_fail_at(
			s->job, CK_CORRUPT, s->source->label, step->at,
			"the pickle is cut short: its frame needs %s, and has %llu",
			ck_many(step->number, "byte").s,
			(unsigned long long)(s->source->size - s->at));
	s->frame_end = s->at + step->number;
	return true;
}

static bool no_opcode(ck_steps *s, const ck_step *step)
{
	return ck_fail_at(s->job, CK_CORRUPT, s->source->label, step->at,
	                  "byte 0x%02x is no pickle opcode", step->code);
}

/* What is more than a number. */
static __attribute__((noinline)) bool read_more(ck_steps *s, ck_step *step, ck_reading is)
{
	switch (is) {
	case CK_READ_SIGNED:
	case CK_READ_FLOAT:
	case CK_READ_PLAIN:
		break;
	case CK_READ_FRAME:
		return enter_frame(s, step);
	case CK_READ_KEPT:
	case CK_READ_LEFT:
		return read_counted(s, step, is == CK_READ_KEPT);
	case CK_READ_LINES:
	case CK_READ_LINE:
		return read_line(s, is == CK_READ_LINE && step->code != 'P', &step->text,
		                 &step->len) &&
		       (is == CK_READ_LINE || read_line(s, false, &step->more, &step->more_len));
	case CK_READ_NO_OPCODE:
		return no_opcode(s, step);
	}
	return true;
}

static bool across_frame(ck_steps *s, const ck_step *step)
{
	s->straddled = true;
	s->frame_end = s->loose ? 0 : s->frame_end;
	if (s->loose)
		return true;
	return ck_fail_at(s->job, CK_CORRUPT, s->source->label, step->at,
	                  "opcode %s reaches across the end of its frame at byte %llu",
	                  ck_op_table[step->code].name, (unsigned long long)s->frame_end);
}

/* The opcode and its number where the window may have to move, or the source ends. */
static __attribute__((noinline)) bool read_carefully(ck_steps *s, ck_step *step)
{
	/* at the end of the source there may be less than that: each argument looks for itself */
	if (in_window(s) < AHEAD && s->window_at + s->window_len < s->source->size && !refill(s))
		return false;
	if (s->at >= s->source->size)
		return ck_fail_at(s->job, CK_CORRUPT, s->source->label, s->at,
		                  "the pickle ends without a STOP");
	step->code = s->window[s->at - s->window_at];
	s->at++;
	const ck_op_shape *shape = &ck_op_shapes[step->code];
	return !shape->width || read_number(s, shape, &step->number);
}

/* What its shape says of a number. */
static inline bool read_rest(ck_steps *s, ck_step *step, const ck_op_shape *shape)
{
	if (shape->is == CK_READ_PLAIN)
		return true;
	if (shape->is == CK_READ_SIGNED)
		step->number = (uint64_t)(int64_t)(int32_t)(uint32_t)step->number;
	else if (shape->is == CK_READ_FLOAT)
		step->number = __builtin_bswap64(step->number);
	else
		return read_more(s, step, (ck_reading)shape->is);
	return true;
}

bool ck_steps_next(ck_steps *s, ck_step *step)
{
	uint64_t at = s->at, inside = at - s->window_at; /* huge if it lies before the window */
	const ck_op_shape *shape;
	step->at = at;
	step->text = step->more = NULL;
	step->from = 0;
	if (inside < s->roomy) {
		const unsigned char *p = s->window + inside;
		uint64_t raw;
		memcpy(&raw, p + 1, sizeof raw);
		shape = &ck_op_shapes[*p];
		s->at = at + 1 + shape->width;
		step->number = le64toh(raw) & shape->mask;
		step->code = *p;
	} else {
		if (!read_carefully(s, step))
			return false;
		shape = &ck_op_shapes[step->code];
	}
	if (++s->count > s->ops)
		return ck_fail_limit(s->job, s->source->label, "ops");
	if (!read_rest(s, step, shape))
		return false;
	return at >= s->frame_end || s->at <= s->frame_end || across_frame(s, step);
}

bool ck_steps_skip(ck_steps *s, uint64_t to)
{
	if (to == s->at)
		return true;
	if (to < s->at || to > s->source->size)
		return cut_short(s, to - s->at);
	if (s->frame_end > s->at)
		s->straddled = true;
	if (s->frame_end > s->at && !s->loose)
		return ck_fail_at(s->job, CK_CORRUPT, s->source->label, s->at,
		                  "bytes that are no part of the pickle must not lie inside a "
		                  "frame");
	s->frame_end = 0;
	s->at = to;
	return true;
}
