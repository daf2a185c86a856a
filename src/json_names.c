/* Writes names and paths for the JSON of reports. */
#include "json_names.h"

#include <string.h>

/* Bytes that stand for themselves. */
static size_t plain_length(const char *text, size_t len)
{
	size_t at = 0;
	while (at < len && text[at] >= ' ' && text[at] <= '~' && text[at] != '"' &&
	       text[at] != '\\')
		at++;
	return at;
}

/* The one list of characters that must not reach a terminal is that of ck_show. */
static bool may_be_seen(const char *text, size_t len)
{
	char shown[16];
	return len && ck_show_to(shown, sizeof shown, text, len) == len &&
	       !memcmp(shown, text, len);
}

static bool add_character(ck_job *job, ck_text *to, const char *text, size_t len, uint32_t code)
{
	if (code == '"' || code == '\\')
		return ck_text_addf(job, to, "\\%c", (int)code);
	if (may_be_seen(text, len))
		return ck_text_add(job, to, text, len);
	if (code < 0x10000)
		return ck_text_addf(job, to, "\\u%04x", code);
	return ck_text_addf(job, to, "\\u%04x\\u%04x", 0xD800 + ((code - 0x10000) >> 10),
	                    0xDC00 + ((code - 0x10000) & 0x3FF));
}

bool ck_json_name(ck_job *job, ck_text *to, const char *text, size_t len)
{
	bool ok = ck_text_add(job, to, "\"", 1);
	while (ok && len) {
		uint32_t code = 0xFFFD;
		size_t took = plain_length(text, len);
		if (took) {
			ok = ck_text_add(job, to, text, took);
		} else {
			took = ck_utf8_next_wide(text, len, &code);
			ok = add_character(job, to, text, took, took ? code : 0xFFFD);
			took += !took;
		}
		text += took;
		len -= took;
	}
	return ok && ck_text_add(job, to, "\"", 1);
}

static bool add_hex(ck_job *job, ck_text *to, const char *bytes)
{
	bool ok = ck_text_add(job, to, "\"", 1);
	for (; ok && *bytes; bytes++)
		ok = ck_text_addf(job, to, "%02x", (unsigned char)*bytes);
	return ok && ck_text_add(job, to, "\"", 1);
}

bool ck_json_path(ck_job *job, ck_text *to, const char *path)
{
	size_t len = strlen(path);
	return ck_text_addf(job, to, "\"path\":") && ck_json_name(job, to, path, len) &&
	       ck_text_addf(job, to, ",\"path_hex\":") &&
	       (ck_utf8_valid(path, len) ? ck_text_addf(job, to, "null")
	                                 : add_hex(job, to, path));
}
