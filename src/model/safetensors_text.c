/* The JSON of a safetensors header, token by token, as strictly as the reference library reads it:
 * objects, strings, and whole numbers, which is all that a header may have. */
#include "safetensors_text.h"

#include <string.h>

bool ck_st_fail(const ck_st_text *t, size_t at, const char *what)
{
	return ck_fail_at(t->job, CK_CORRUPT, t->source->label, CK_ST_LENGTH + at,
	                  "the safetensors header breaks a rule: %s", what);
}

char ck_st_peek(ck_st_text *t)
{
	while (t->at < t->len && t->text[t->at] && strchr(" \t\r\n", t->text[t->at]))
		t->at++;
	return t->at < t->len ? t->text[t->at] : 0;
}

bool ck_st_accept(ck_st_text *t, char wanted)
{
	if (ck_st_peek(t) != wanted)
		return false;
	t->at++;
	return true;
}

bool ck_st_expect(ck_st_text *t, char wanted)
{
	char what[] = "a ' ' is missing here";
	what[3] = wanted;
	return ck_st_accept(t, wanted) || ck_st_fail(t, t->at, what);
}

bool ck_st_more(ck_st_text *t, char closing, bool *more)
{
	*more = ck_st_accept(t, ',');
	return *more || ck_st_expect(t, closing);
}

static bool read_hex(const ck_st_text *t, size_t at, uint32_t *code)
{
	*code = 0;
	for (size_t i = at; i < at + 4; i++) {
		char c = i < t->len ? t->text[i] : 0;
		uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
		                 : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
		                 : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
		                                        : 16;
		if (digit == 16)
			return false;
		*code = *code << 4 | digit;
	}
	return true;
}

/* \uXXXX, or two of them for what lies beyond U+FFFF; a surrogate alone is no character. */
static bool read_code(ck_st_text *t, size_t *at, uint32_t *code)
{
	uint32_t low;
	if (!read_hex(t, *at, code))
		return ck_st_fail(t, *at, "\\u needs four hexadecimal digits");
	*at += 4;
	if (*code < 0xD800 || *code > 0xDFFF)
		return true;
	if (*code > 0xDBFF || *at + 2 > t->len || memcmp(t->text + *at, "\\u", 2) != 0 ||
	    !read_hex(t, *at + 2, &low) || low < 0xDC00 || low > 0xDFFF)
		return ck_st_fail(t, *at, "a surrogate stands alone");
	*at += 6;
	*code = 0x10000 + ((*code - 0xD800) << 10) + (low - 0xDC00);
	return true;
}

/* What stands behind a backslash at *at; returns its bytes in `to`. */
static size_t read_escape(ck_st_text *t, size_t *at, char to[4])
{
	static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	char letter = *at < t->len ? t->text[*at] : 0;
	const char *known = letter ? strchr(letters, letter) : NULL;
	uint32_t code;
	++*at;
	if (known) {
		*to = meant[known - letters];
		return 1;
	}
	if (letter != 'u') {
		ck_st_fail(t, *at - 1, "there is no such escape");
		return 0;
	}
	return read_code(t, at, &code) ? ck_utf8_put(to, code) : 0;
}

/* The string from `begin` to its quote, with its escapes, of which there is at least one. */
static bool read_escaped(ck_st_text *t, size_t begin, size_t end, ck_st_string *to)
{
	char *text = ck_alloc(t->job, end - begin + 1); /* escapes are longer than what they mean */
	size_t len = 0;
	if (!text)
		return false;
	for (size_t at = begin; at < end;) {
		if (t->text[at] != '\\') {
			text[len++] = t->text[at++];
			continue;
		}
		at++;
		size_t took = read_escape(t, &at, text + len);
		if (!took)
			return false;
		len += took;
	}
	*to = (ck_st_string){text, len};
	return true;
}

bool ck_st_read_string(ck_st_text *t, ck_st_string *to)
{
	if (ck_st_peek(t) != '"')
		return ck_st_fail(t, t->at, "a string is missing here");
	size_t begin = ++t->at;
	bool escaped = false;
	while (t->at < t->len && t->text[t->at] != '"') {
		if ((unsigned char)t->text[t->at] < 0x20)
			return ck_st_fail(t, t->at, "a string has a control character");
		if (t->text[t->at] == '\\') {
			escaped = true;
			t->at++;
		}
		t->at++;
	}
	if (t->at >= t->len)
		return ck_st_fail(t, begin - 1, "a string does not end");
	*to = (ck_st_string){t->text + begin, t->at - begin};
	return !escaped ? (t->at++, true) : read_escaped(t, begin, t->at++, to);
}

bool ck_st_read_number(ck_st_text *t, uint64_t *value)
{
	size_t begin = (ck_st_peek(t), t->at);
	*value = 0;
	for (; t->at < t->len && t->text[t->at] >= '0' && t->text[t->at] <= '9'; t->at++)
		if (!ck_mul(*value, 10, value) ||
		    !ck_add(*value, (uint64_t)(t->text[t->at] - '0'), value))
			return ck_st_fail(t, begin, "a number does not fit 64 bits");
	char next = t->at < t->len ? t->text[t->at] : 0;
	if (begin == t->at || (next && strchr(".eE", next)) ||
	    (t->text[begin] == '0' && t->at - begin > 1))
		return ck_st_fail(t, begin, "a whole number without a sign is missing here");
	return true;
}
