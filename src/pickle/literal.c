/* Integers and strings in the text forms of protocol 0, read exactly as CPython's C code reads
 * them: strtol and PyLong_FromString for integers, the escapes of PyBytes_DecodeEscape and the
 * raw-unicode-escape codec for strings. */
#include "pickle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS_MAX = 4300 }; /* CPython's limit for decimal digits */

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static unsigned digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	c |= 0x20;
	return c >= 'a' && c <= 'z' ? (unsigned)(c - 'a') + 10 : 99;
}

/* ---- integers ---- */

/* Decimal digits as a little-endian magnitude; the work grows with the square of their number,
 * which DIGITS_MAX bounds. */
static size_t pack_decimal(const char *p, const char *end, unsigned char *magnitude)
{
	size_t len = 0;
	for (; p < end; p++) {
		if (*p == '_')
			continue;
		unsigned carry = digit_of(*p);
		for (size_t i = 0; i < len; i++, carry >>= 8) {
			carry += magnitude[i] * 10u;
			magnitude[i] = (unsigned char)carry;
		}
		if (carry)
			magnitude[len++] = (unsigned char)carry;
	}
	return len;
}

/* The same for digits of 1, 3 or 4 bits. Of these there may be any number. */
static size_t pack_bits(const char *p, const char *end, unsigned width, unsigned char *magnitude)
{
	size_t len = 0;
	unsigned bits = 0, held = 0;
	while (end-- > p) {
		if (*end == '_')
			continue;
		bits |= digit_of(*end) << held;
		held += width;
		if (held >= 8) {
			magnitude[len++] = (unsigned char)bits;
			bits >>= 8;
			held -= 8;
		}
	}
	magnitude[len++] = (unsigned char)bits;
	while (len && !magnitude[len - 1])
		len--;
	return len;
}

void ck_literal_negate(unsigned char *bytes, size_t len)
{
	unsigned carry = 1;
	for (size_t i = 0; i < len; i++, carry >>= 8) {
		carry += (unsigned char)~bytes[i];
		bytes[i] = (unsigned char)carry;
	}
}

void ck_literal_binary(const char *data, uint64_t len, ck_value *value)
{
	/* drop bytes that only repeat the sign */
	while (len > 1) {
		unsigned char top = (unsigned char)data[len - 1];
		unsigned char next = (unsigned char)data[len - 2];
		if (!(top == 0 && next < 0x80) && !(top == 0xFF && next >= 0x80))
			break;
		len--;
	}
	if (len > 8) {
		value->kind = CK_LONG;
		value->text.data = data;
		value->text.len = len;
		return;
	}
	uint64_t bits = len && (unsigned char)data[len - 1] >= 0x80 ? UINT64_MAX : 0;
	for (uint64_t i = len; i-- > 0;)
		bits = bits << 8 | (unsigned char)data[i];
	value->kind = CK_INT;
	value->i = (int64_t)bits;
}

/* The rules of PyLong_FromString for where digits start and which base they have. */
static const char *find_digits(const char *p, unsigned *base, bool *only_zero)
{
	bool prefixed = false;
	*only_zero = false;
	if (*base == 0) {
		char mark = p[0] == '0' ? (char)(p[1] | 0x20) : 0;
		*base = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 10;
		prefixed = *base != 10;
		*only_zero = !prefixed && p[0] == '0'; /* "010" is an error, "00" is not */
	}
	if (prefixed) {
		p += 2;
		if (*p == '_')
			p++;
	}
	return *p == '_' ? NULL : p;
}

/* Digits with single underscores between them; `end` is what follows. */
static bool scan_digits(const char *p, unsigned base, size_t *digits, const char **end)
{
	char before = 0;
	*digits = 0;
	for (; digit_of(*p) < base || *p == '_'; before = *p++) {
		if (*p != '_')
			++*digits;
		else if (before == '_')
			return false;
	}
	*end = p;
	return *digits && before != '_';
}

static bool parse_python(ck_job *job, unsigned base, const char *p, ck_value *value)
{
	while (is_space(*p))
		p++;
	bool negative = *p == '-';
	if (*p == '+' || *p == '-')
		p++;
	bool only_zero;
	size_t digits;
	const char *end;
	p = find_digits(p, &base, &only_zero);
	if (!p || !scan_digits(p, base, &digits, &end))
		return false;
	if (digits > DIGITS_MAX && base == 10)
		return false;
	const char *rest = end;
	while (is_space(*rest))
		rest++;
	if (*rest)
		return false;
	/* a digit is at most 4 bits; one byte more for what is left of them, one for the sign */
	unsigned char *magnitude = ck_alloc(job, digits / 2 + 3);
	if (!magnitude)
		return false;
	unsigned width = base == 16 ? 4 : base == 8 ? 3 : 1;
	size_t len = base == 10 ? pack_decimal(p, end, magnitude)
	                        : pack_bits(p, end, width, magnitude);
	if (only_zero && len)
		return false;
	magnitude[len++] = 0;
	if (negative)
		ck_literal_negate(magnitude, len);
	ck_literal_binary((const char *)magnitude, len, value);
	return true;
}

/* INT tries strtol with base 0 first, where "010" is 8, and takes the newline or a NUL as its end;
 * a NUL at the very start makes 0. */
static bool parse_int(ck_job *job, const char *text, size_t len, ck_value *value)
{
	char *end;
	errno = 0;
	long number = strtol(text, &end, 0);
	if (errno || *end)
		return parse_python(job, 0, text, value);
	if (len == 2 && (number == 0 || number == 1)) {
		value->kind = CK_BOOL;
		value->b = number == 1;
		return true;
	}
	value->kind = CK_INT;
	value->i = number;
	return true;
}

/* An optional minus, and few digits without a zero in front. */
bool ck_literal_short(bool suffix, const char *text, size_t len, ck_value *value)
{
	enum { SHORT = 18 };
	len -= suffix && len && text[len - 1] == 'L';
	size_t at = len && *text == '-';
	int64_t number = 0;
	if (len == at || len - at > SHORT || (text[at] == '0' && len > 1))
		return false;
	for (; at < len; at++) {
		unsigned digit = (unsigned char)text[at] - (unsigned)'0';
		if (digit > 9)
			return false;
		number = number * 10 + (int64_t)digit;
	}
	value->kind = CK_INT;
	value->i = *text == '-' ? -number : number;
	return true;
}

bool ck_literal_integer(ck_job *job, ck_literal rule, const char *text, size_t len, ck_value *value)
{
	if (!len)
		return false;
	if (ck_literal_short(rule == CK_LITERAL_LONG, text, len, value))
		return true;
	if (rule == CK_LITERAL_INT)
		return parse_int(job, text, len, value);
	if (rule == CK_LITERAL_INDEX)
		return parse_python(job, 10, text, value);
	if (text[len - 1] == 'L') { /* LONG may end in one */
		text = ck_copy(job, text, len - 1);
		if (!text)
			return false;
	}
	return parse_python(job, 0, text, value);
}

/* ---- strings ---- */

static const char *hex_digits(const char *p, const char *end, size_t count, uint32_t *code)
{
	*code = 0;
	if ((size_t)(end - p) < count)
		return NULL;
	for (size_t i = 0; i < count; i++, p++) {
		if (digit_of(*p) > 15)
			return NULL;
		*code = *code << 4 | digit_of(*p);
	}
	return p;
}

/* One escape of a byte string; p is behind the backslash. Returns what follows, NULL if wrong. */
static const char *byte_escape(const char *p, const char *end, char **to)
{
	static const char plain[] = "\\'\"bftnrva", means[] = "\\'\"\b\f\t\n\r\v\a";
	uint32_t code;
	const char *found = strchr(plain, *p);
	if (*p && found) {
		*(*to)++ = means[found - plain];
		return p + 1;
	}
	if (*p == 'x') {
		p = hex_digits(p + 1, end, 2, &code);
		*(*to)++ = (char)code;
		return p;
	}
	if (*p >= '0' && *p <= '7') {
		code = 0;
		for (int i = 0; i < 3 && p < end && *p >= '0' && *p <= '7'; i++)
			code = code << 3 | (uint32_t)(*p++ - '0');
		*(*to)++ = (char)code;
		return p;
	}
	*(*to)++ = '\\'; /* no escape at all: both characters stay */
	*(*to)++ = *p;
	return p + 1;
}

char *ck_literal_string(ck_job *job, const char *text, size_t len, size_t *out, const char **why)
{
	if (len < 2 || text[0] != text[len - 1] || (text[0] != '\'' && text[0] != '"')) {
		*why = "its text must stand between two quotes of one kind";
		return NULL;
	}
	const char *p = text + 1, *end = text + len - 1;
	char *made = ck_alloc(job, len + 1), *to = made;
	while (made && p < end) {
		if (*p != '\\') {
			*to++ = *p++;
			continue;
		}
		if (++p == end) {
			*why = "its text ends in a single backslash";
			return NULL;
		}
		p = byte_escape(p, end, &to);
		if (!p) {
			*why = "\\x needs two hexadecimal digits";
			return NULL;
		}
	}
	*why = NULL;
	*out = made ? (size_t)(to - made) : 0;
	return made;
}

static bool is_plain(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] >= 0x80 || text[i] == '\\')
			return false;
	return true;
}

char *ck_literal_unicode(ck_job *job, const char *text, size_t len, size_t *out, const char **why)
{
	*why = NULL;
	if (is_plain(text, len)) {
		*out = len;
		return ck_copy(job, text, len);
	}
	/* a Latin-1 byte becomes two bytes of UTF-8; an escape of six or ten at most four */
	const char *p = text, *end = text + len;
	char *made = ck_alloc(job, 2 * len + 1), *to = made;
	while (made && p < end) {
		bool escape = *p == '\\' && p + 1 < end && (p[1] == 'u' || p[1] == 'U');
		uint32_t code = (unsigned char)*p;
		if (!escape) {
			to += ck_utf8_put(to, code);
			/* a backslash that is itself escaped escapes nothing */
			if (*p++ == '\\' && p < end && *p == '\\')
				*to++ = *p++;
			continue;
		}
		p = hex_digits(p + 2, end, p[1] == 'u' ? 4 : 8, &code);
		if (!p || code > 0x10FFFF) {
			*why = "\\u needs four and \\U eight hexadecimal digits of a code point";
			return NULL;
		}
		to += ck_utf8_put(to, code);
	}
	*out = made ? (size_t)(to - made) : 0;
	return made;
}
