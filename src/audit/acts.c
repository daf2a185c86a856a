/* Whether opcodes could do anything at all, found without a machine and without memory for what
 * they hold, so that no limit is in the way: for bytes that are probably none. */
#include <string.h>

#include "stream.h"

enum { WINDOW = 64 << 10, ARGUMENT = 8 };

typedef struct {
	ck_job *job;
	const ck_source *source;
	uint64_t at, window_at;
	size_t window_len;
	unsigned char window[WINDOW];
} bytes;

/* What is left of the window from b->at on, at least `want` bytes unless the source ends. */
static const unsigned char *peek(bytes *b, size_t want, size_t *len)
{
	uint64_t left = b->source->size - b->at, inside = b->at - b->window_at;
	if (inside > b->window_len || (b->window_len - inside < want && left > want)) {
		b->window_at = b->at;
		b->window_len = left < WINDOW ? (size_t)left : WINDOW;
		inside = 0;
		if (!ck_read_at(b->job, b->source, b->at, b->window, b->window_len))
			return NULL;
	}
	*len = b->window_len - (size_t)inside;
	return b->window + inside;
}

/* False at the end of the source, or after a failure. */
static bool pass_line(bytes *b)
{
	while (b->at < b->source->size && !ck_stopped(b->job)) {
		size_t len;
		const unsigned char *piece = peek(b, 1, &len);
		const unsigned char *end = piece ? memchr(piece, '\n', len) : NULL;
		if (!piece)
			return false;
		b->at += end ? (size_t)(end - piece) + 1 : len;
		if (end)
			return true;
	}
	return false;
}

static bool pass_argument(bytes *b, ck_arg arg)
{
	static const uint8_t widths[] = {
		[CK_ARG_U1] = 1, [CK_ARG_U2] = 2, [CK_ARG_U4] = 4, [CK_ARG_I4] = 4, [CK_ARG_U8] = 8,
		[CK_ARG_F8] = 8, [CK_ARG_TEXT1] = 1, [CK_ARG_TEXT4] = 4, [CK_ARG_TEXT8] = 8,
		[CK_ARG_BYTES1] = 1, [CK_ARG_BYTES4] = 4, [CK_ARG_BYTES8] = 8, [CK_ARG_LONG1] = 1,
		[CK_ARG_LONG4] = 4,
	};
	size_t len, width;
	if (arg == CK_ARG_NONE)
		return true;
	if (arg == CK_ARG_LINE || arg == CK_ARG_LINES)
		return pass_line(b) && (arg == CK_ARG_LINE || pass_line(b));
	width = widths[arg];
	const unsigned char *number = peek(b, ARGUMENT, &len);
	if (!number || len < width)
		return false;
	uint64_t count = arg < CK_ARG_TEXT1 ? 0 : ck_little(number, width);
	b->at += width;
	if (count > b->source->size - b->at)
		return false;
	b->at += count;
	return true;
}

/* One that names, calls or builds something. A STOP ends a pickle, and another may follow. */
static bool is_act(unsigned char code, bool stop)
{
	return code && (strchr("ciRob\x81\x82\x83\x84\x92\x93", code) || (stop && code == '.'));
}

bool ck_opcodes_act(ck_job *job, const ck_source *source, uint64_t at, bool stop, bool *act)
{
	bytes *b = ck_alloc(job, sizeof *b);
	if (!b)
		return false;
	*b = (bytes){.job = job, .source = source, .at = at};
	*act = false;
	for (uint64_t ops = 0; b->at < source->size; ops++) {
		size_t len;
		const unsigned char *code = peek(b, 1, &len);
		*act = code && (is_act(*code, stop) || ops > job->limits.ops);
		if (!code || *act || !ck_op_table[*code].name)
			break;
		b->at++;
		if (!pass_argument(b, ck_op_table[*code].arg))
			break;
	}
	return !ck_stopped(job) && !ck_look_is_fatal(&job->error);
}
