/* Whether a text is JSON (RFC 8259), byte by byte: without a tree, which for the values of a large
 * file would take more memory than the file, and without recursion. */
#include "io.h"

#include <string.h>

enum { PIECE = 16 << 10, DEPTH_MAX = 4000 };

typedef struct {
	ck_job *job;
	const ck_source *source;
	uint64_t at;        /* of the next byte */
	size_t have, taken; /* of the piece */
	size_t depth;
	char open[DEPTH_MAX]; /* '{' or '[' */
	unsigned char piece[PIECE];
} text;

static bool refuse(text *t, const char *why)
{
	return ck_fail_at(t->job, CK_CORRUPT, t->source->label, t->at, "this is no JSON: %s", why);
}

/* The next byte; -1 at the end, and after a failure to read, which is the job's error. */
static int peek(text *t)
{
	if (t->taken == t->have) {
		uint64_t left = t->source->size - t->at;
		size_t len = left < PIECE ? (size_t)left : PIECE;
		t->taken = t->have = 0;
		if (!len || !ck_read_at(t->job, t->source, t->at, t->piece, len))
			return -1;
		t->have = len;
	}
	return t->piece[t->taken];
}

static int take(text *t)
{
	int c = peek(t);
	t->taken += c >= 0;
	t->at += c >= 0;
	return c;
}

static int peek_behind_blanks(text *t)
{
	int c = peek(t);
	for (; c == ' ' || c == '\n' || c == '\t' || c == '\r'; c = peek(t))
		take(t);
	return c;
}

static bool take_digits(text *t)
{
	bool any = false;
	for (int c = peek(t); c >= '0' && c <= '9'; c = peek(t)) {
		any = true;
		take(t);
	}
	return any || refuse(t, "a number lacks a digit");
}

static bool take_number(text *t)
{
	if (peek(t) == '-')
		take(t);
	if (peek(t) == '0')
		take(t);
	else if (!take_digits(t))
		return false;
	if (peek(t) == '.' && (take(t), !take_digits(t)))
		return false;
	if (peek(t) != 'e' && peek(t) != 'E')
		return true;
	take(t);
	if (peek(t) == '+' || peek(t) == '-')
		take(t);
	return take_digits(t);
}

static bool take_escape(text *t)
{
	int c = take(t);
	for (int i = 0; c == 'u' && i < 4; i++) {
		int digit = take(t);
		if (digit <= 0 || !strchr("0123456789abcdefABCDEF", digit))
			return refuse(t, "\\u needs four hexadecimal digits");
	}
	return (c > 0 && strchr("\"\\/bfnrtu", c)) || refuse(t, "no such escape is known");
}

/* A character of more than one byte, of which `first` was taken. */
static bool take_wide(text *t, int first)
{
	char bytes[4] = {(char)first};
	uint32_t code;
	size_t len = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
	for (size_t i = 1; i < len; i++)
		bytes[i] = (char)take(t);
	return ck_utf8_next(bytes, len, &code) == len || refuse(t, "a string is not UTF-8");
}

static bool take_string(text *t)
{
	if (take(t) != '"')
		return refuse(t, "a string should begin here");
	for (int c = take(t); c != '"'; c = take(t)) {
		if (c < ' ')
			return refuse(t, c < 0 ? "a string has no end"
			                       : "a string has a control character in it");
		if ((c == '\\' && !take_escape(t)) || (c >= 0x80 && !take_wide(t, c)))
			return false;
	}
	return true;
}

static bool take_word(text *t, const char *word)
{
	for (; *word; word++)
		if (take(t) != *word)
			return refuse(t, "a value should begin here");
	return true;
}

static bool take_key(text *t)
{
	peek_behind_blanks(t);
	if (!take_string(t))
		return false;
	return (peek_behind_blanks(t) == ':' && take(t) == ':') || refuse(t, "a key needs a colon");
}

/* *empty: its end was taken, too. */
static bool take_opening(text *t, bool *empty)
{
	int c = take(t);
	if (t->depth == DEPTH_MAX)
		return refuse(t, "it is nested too deeply");
	*empty = peek_behind_blanks(t) == (c == '{' ? '}' : ']');
	if (*empty)
		return take(t) > 0;
	t->open[t->depth++] = (char)c;
	return c == '[' || take_key(t);
}

/* What stands behind a value, up to the next one. False at the end of all, and after a failure. */
static bool take_to_next(text *t)
{
	for (; t->depth; t->depth--) {
		bool object = t->open[t->depth - 1] == '{';
		int c = peek_behind_blanks(t);
		take(t);
		if (c == ',')
			return !object || take_key(t);
		if (c != (object ? '}' : ']'))
			return refuse(t, "a comma or an end should stand here");
	}
	if (peek_behind_blanks(t) >= 0)
		refuse(t, "something follows it");
	return false;
}

bool ck_json_check(ck_job *job, const ck_source *source)
{
	bool ok = true, opened;
	text *t = ck_alloc(job, sizeof *t);
	if (!t)
		return false;
	t->job = job;
	t->source = source;
	do {
		int c = peek_behind_blanks(t);
		opened = false;
		if (c == '{' || c == '[') {
			bool empty = false;
			ok = take_opening(t, &empty);
			opened = !empty;
		} else if (c == '"') {
			ok = take_string(t);
		} else if (c == '-' || (c >= '0' && c <= '9')) {
			ok = take_number(t);
		} else {
			ok = take_word(t, c == 't' ? "true" : c == 'f' ? "false" : "null");
		}
	} while (ok && (opened || take_to_next(t)));
	return job->error.status == CK_OK;
}
