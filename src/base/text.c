/* Text: UTF-8 as strict readers and as Python read it, escaping for terminals, a string builder. */
#include "base.h"

#include <stdio.h>
#include <string.h>

size_t ck_utf8_next_wide(const char *text, size_t len, uint32_t *code)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *p = (const unsigned char *)text;
	if (!len)
		return 0;
	if (p[0] < 0x80) {
		*code = p[0];
		return 1;
	}
	size_t need = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
	if (p[0] < 0xC0 || p[0] > 0xF4 || len < need)
		return 0;
	uint32_t value = p[0] & (0x7Fu >> need);
	for (size_t i = 1; i < need; i++) {
		if ((p[i] & 0xC0) != 0x80)
			return 0;
		value = value << 6 | (p[i] & 0x3Fu);
	}
	if (value < least[need] || value > 0x10FFFF)
		return 0;
	*code = value;
	return need;
}

size_t ck_utf8_next(const char *text, size_t len, uint32_t *code)
{
	size_t took = ck_utf8_next_wide(text, len, code);
	return took && *code >= 0xD800 && *code <= 0xDFFF ? 0 : took;
}

/* How many bytes at the start are ASCII, in steps of eight. */
static size_t ascii_run(const char *text, size_t len)
{
	const uint64_t high = UINT64_C(0x8080808080808080);
	size_t run = 0;
	for (uint64_t eight; len - run >= sizeof eight; run += sizeof eight) {
		memcpy(&eight, text + run, sizeof eight);
		if (eight & high)
			break;
	}
	return run;
}

static inline bool is_valid(const char *text, size_t len,
                            size_t (*next)(const char *text, size_t len, uint32_t *code))
{
	uint32_t code;
	for (size_t at = 0; at < len;) {
		at += ascii_run(text + at, len - at);
		/* then what stopped the run, and all that follows up to ASCII */
		for (bool more = at < len; more; more = at < len && (text[at] & 0x80)) {
			size_t took = next(text + at, len - at, &code);
			if (!took)
				return false;
			at += took;
		}
	}
	return true;
}

bool ck_utf8_valid(const char *text, size_t len)
{
	return is_valid(text, len, ck_utf8_next);
}

bool ck_utf8_valid_wide(const char *text, size_t len)
{
	return is_valid(text, len, ck_utf8_next_wide);
}

size_t ck_utf8_put(char to[4], uint32_t code)
{
	if (code < 0x80) {
		to[0] = (char)code;
		return 1;
	}
	size_t len = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
	for (size_t i = len - 1; i; i--, code >>= 6)
		to[i] = (char)(0x80 | (code & 0x3F));
	to[0] = (char)(lead[len] | code);
	return len;
}

void ck_utf8_trim(char *text)
{
	uint32_t code;
	size_t len = strlen(text), tail = 0; /* bytes of the last character behind its first one */
	while (tail < 3 && tail < len && ((unsigned char)text[len - 1 - tail] & 0xC0) == 0x80)
		tail++;
	if (tail == len)
		return;
	char *last = text + len - 1 - tail;
	if ((unsigned char)*last >= 0xC0 && !ck_utf8_next(last, tail + 1, &code))
		*last = 0;
}

/* Code points that move the cursor, hide themselves or turn the direction of what follows. */
static bool is_unprintable(uint32_t code)
{
	static const uint32_t ranges[][2] = {
		{0x00, 0x1F},     {0x7F, 0x9F},     {0xAD, 0xAD},     {0x61C, 0x61C},
		{0x200B, 0x200F}, {0x2028, 0x202E}, {0x2060, 0x206F}, {0xFEFF, 0xFEFF},
		{0xFFF9, 0xFFFB}, {0xE0000, 0xE0FFF},
	};
	for (size_t i = 0; i < CK_COUNT(ranges); i++)
		if (code >= ranges[i][0] && code <= ranges[i][1])
			return true;
	return false;
}

size_t ck_show_to(char *to, size_t size, const char *text, size_t len)
{
	size_t used = 0, safe = 0; /* up to `safe` there is room for "..." behind */
	while (len) {
		char piece[16];
		uint32_t code;
		size_t took = ck_utf8_next(text, len, &code);
		size_t need;
		if (!took) {
			took = 1;
			need = (size_t)snprintf(piece, sizeof piece, "\\x%02x",
			                        (unsigned char)*text);
		} else if (is_unprintable(code)) {
			need = (size_t)snprintf(piece, sizeof piece,
			                        code < 0x100 ? "\\x%02x" : "\\u%04x", code);
		} else {
			memcpy(piece, text, took);
			need = took;
		}
		if (used + need >= size) {
			size_t dots = size - 1 - safe < 3 ? size - 1 - safe : 3;
			memcpy(to + safe, "...", dots);
			used = safe + dots;
			break;
		}
		memcpy(to + used, piece, need);
		used += need;
		if (used + 3 < size)
			safe = used;
		text += took;
		len -= took;
	}
	to[used] = 0;
	return used;
}

ck_number ck_many(uint64_t count, const char *noun)
{
	ck_number number;
	snprintf(number.s, sizeof number.s, "%llu %s%s", (unsigned long long)count, noun,
	         count == 1 ? "" : "s");
	return number;
}

ck_shown ck_show(const char *text, size_t len)
{
	ck_shown shown;
	ck_show_to(shown.s, sizeof shown.s, text, len);
	return shown;
}

bool ck_text_reserve(ck_job *job, ck_text *text, size_t more)
{
	if (more <= text->cap - text->len)
		return true;
	char *grown = ck_grow(job, text->data, &text->cap, text->len + more, 1);
	if (!grown)
		return false;
	text->data = grown;
	return true;
}

bool ck_text_add(ck_job *job, ck_text *text, const void *data, size_t len)
{
	if (!ck_text_reserve(job, text, len))
		return false;
	if (len)
		memcpy(text->data + text->len, data, len);
	text->len += len;
	return true;
}

bool ck_text_addf(ck_job *job, ck_text *text, const char *fmt, ...)
{
	char line[512];
	va_list args;
	va_start(args, fmt);
	int len = vsnprintf(line, sizeof line, fmt, args);
	va_end(args);
	return ck_text_add(job, text, line,
	                   (size_t)len < sizeof line ? (size_t)len : sizeof line - 1);
}
