/* The parts of a tar header: its checksum, its numbers, its name, and the records of pax. */
#include "tar.h"

#include <string.h>

enum { NAME_LEN = 100, SUM_AT = 148, SUM_LEN = 8, PREFIX_AT = 345, PREFIX_LEN = 155 };

/* 0x80 in the first byte, and the number behind it, big-endian. Negative numbers, whose first byte
 * has 0x40 as well, do not fit. */
static bool number_base_256(const unsigned char *field, size_t len, uint64_t *value)
{
	uint64_t sum = field[0] & 0x7F;
	for (size_t i = 1; i < len; i++)
		if (!ck_mul(sum, 256, &sum) || !ck_add(sum, field[i], &sum))
			return false;
	*value = sum;
	return true;
}

bool ck_tar_number(const unsigned char *field, size_t len, uint64_t *value)
{
	size_t i = 0, digits = 0;
	uint64_t sum = 0;
	if (field[0] & 0x80)
		return number_base_256(field, len, value);
	while (i < len && field[i] == ' ')
		i++;
	for (; i < len && field[i] >= '0' && field[i] <= '7'; i++, digits++)
		sum = sum << 3 | (uint64_t)(field[i] - '0'); /* 12 digits of 3 bits */
	for (; i < len; i++)
		if (field[i] && field[i] != ' ')
			return false;
	*value = sum;
	return digits > 0;
}

static bool is_blank(unsigned char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= 0x1f);
}

bool ck_tar_number_loosely(const unsigned char *field, size_t len, uint64_t *value)
{
	size_t i = 0, digits = 0;
	uint64_t sum = 0;
	const unsigned char *zero = memchr(field, 0, len);
	if (ck_tar_number(field, len, value))
		return true;
	len = zero ? (size_t)(zero - field) : len;
	while (len && is_blank(field[len - 1]))
		len--;
	while (i < len && is_blank(field[i]))
		i++;
	*value = 0;
	if (i == len) /* nothing is 0 */
		return true;
	i += field[i] == '+';
	if (len - i > 2 && field[i] == '0' && (field[i + 1] | 0x20) == 'o')
		i += 2;
	for (; i < len; i++) {
		if (field[i] == '_')
			continue;
		if (field[i] < '0' || field[i] > '7')
			return false;
		sum = sum << 3 | (uint64_t)(field[i] - '0');
		digits++;
	}
	*value = sum;
	return digits > 0;
}

/* The sum is that of all bytes, with blanks in its own place. Programs of old took bytes as signed,
 * so that sum is right as well. */
static bool is_sum(const unsigned char *header, uint64_t recorded)
{
	uint32_t plain = 0, negative = 0;
	for (size_t i = 0; i < CK_TAR_BLOCK; i++) {
		plain += header[i];
		negative += header[i] >> 7;
	}
	for (size_t i = SUM_AT; i < SUM_AT + SUM_LEN; i++) {
		plain += ' ' - (uint32_t)header[i];
		negative -= header[i] >> 7;
	}
	return recorded == plain || recorded + 256 * (uint64_t)negative == plain;
}

bool ck_tar_sum_right(const unsigned char *header)
{
	uint64_t sum;
	return ck_tar_number(header + SUM_AT, SUM_LEN, &sum) && is_sum(header, sum);
}

bool ck_tar_sum_right_loosely(const unsigned char *header)
{
	uint64_t sum;
	return ck_tar_number_loosely(header + SUM_AT, SUM_LEN, &sum) && is_sum(header, sum);
}

bool ck_tar_read_block(ck_job *job, const ck_source *source, uint64_t at, ck_tar_ahead *ahead,
                       unsigned char *to)
{
	if (at < ahead->from || at - ahead->from + CK_TAR_BLOCK > ahead->len) {
		uint64_t left = at < source->size ? source->size - at : 0;
		size_t len = left < sizeof ahead->bytes ? (size_t)left : sizeof ahead->bytes;
		ahead->len = 0;
		if (len < CK_TAR_BLOCK)
			len = CK_TAR_BLOCK;
		if (!ck_read_at(job, source, at, ahead->bytes, len))
			return false;
		ahead->from = at;
		ahead->len = len;
	}
	memcpy(to, ahead->bytes + (at - ahead->from), CK_TAR_BLOCK);
	return true;
}

bool ck_tar_name(ck_job *job, const unsigned char *header, ck_tar_text *name)
{
	const char *last = (const char *)header, *prefix = last + PREFIX_AT;
	ck_text text = {0};
	/* GNU's magic is "ustar  ": it keeps other things where the prefix would be */
	bool ustar = !memcmp(header + CK_TAR_MAGIC_AT, "ustar", 6);
	if (ustar && *prefix &&
	    (!ck_text_add(job, &text, prefix, strnlen(prefix, PREFIX_LEN)) ||
	     !ck_text_add(job, &text, "/", 1)))
		return false;
	if (!ck_text_add(job, &text, last, strnlen(last, NAME_LEN)) ||
	    !ck_text_add(job, &text, "", 1))
		return false;
	*name = (ck_tar_text){text.data, text.len - 1};
	return true;
}

/* ---- pax: records "LENGTH KEY=VALUE\n", LENGTH counting all of itself ---- */

typedef struct {
	ck_job *job;
	const char *label;
	uint64_t at;           /* of the record in the file, for messages */
	ck_tar_text key, value;
} record;

static bool parse_decimal(const char *text, size_t len, uint64_t *value)
{
	*value = 0;
	for (size_t i = 0; i < len; i++)
		if (text[i] < '0' || text[i] > '9' || !ck_mul(*value, 10, value) ||
		    !ck_add(*value, (uint64_t)(text[i] - '0'), value))
			return false;
	return len > 0;
}

/* Takes the record in front; returns its length, 0 after a failure. */
static size_t read_record(record *r, const char *text, size_t left)
{
	uint64_t len = 0;
	const char *blank = memchr(text, ' ', left);
	if (!blank || !parse_decimal(text, (size_t)(blank - text), &len) || len > left ||
	    len <= (size_t)(blank - text) + 1 || text[len - 1] != '\n') {
		ck_fail_at(r->job, CK_CORRUPT, r->label, r->at,
		           "this is no pax record: one has its length in decimal, a blank, a key, "
		           "'=', a value and a line feed");
		return 0;
	}
	const char *key = blank + 1, *end = text + len - 1;
	const char *equals = memchr(key, '=', (size_t)(end - key));
	if (!equals) {
		ck_fail_at(r->job, CK_CORRUPT, r->label, r->at, "the pax record has no '='");
		return 0;
	}
	r->key = (ck_tar_text){key, (size_t)(equals - key)};
	r->value = (ck_tar_text){equals + 1, (size_t)(end - equals - 1)};
	return (size_t)len;
}

static bool key_is(const record *r, const char *key)
{
	return r->key.len == strlen(key) && !memcmp(r->key.text, key, r->key.len);
}

static bool take_path(const record *r, ck_tar_pax *pax)
{
	if (!r->value.len || memchr(r->value.text, '\0', r->value.len))
		return ck_fail_at(r->job, CK_CORRUPT, r->label, r->at,
		                  "a name from pax must not be empty or have a NUL in it");
	pax->path = r->value;
	return true;
}

static bool take_record(const record *r, ck_tar_pax *pax)
{
	static const char sparse[] = "GNU.sparse.";
	if (key_is(r, "path"))
		return take_path(r, pax);
	if (r->key.len >= strlen(sparse) && !memcmp(r->key.text, sparse, strlen(sparse)))
		pax->sparse = true;
	if (!key_is(r, "size"))
		return true;
	pax->has_size = true;
	pax->odd_size = !parse_decimal(r->value.text, r->value.len, &pax->size);
	return !pax->odd_size ||
	       ck_fail_at(r->job, CK_CORRUPT, r->label, r->at,
	                  "a size from pax must be a decimal number below 2^64, not '%s'",
	                  ck_show(r->value.text, r->value.len).s);
}

bool ck_tar_pax_read(ck_job *job, const char *label, uint64_t at, const ck_tar_text *records,
                     ck_tar_pax *pax)
{
	record r = {.job = job, .label = label};
	const char *before = pax->path.text;
	pax->present = true;
	for (size_t done = 0, len; done < records->len; done += len) {
		r.at = at + done;
		len = read_record(&r, records->text + done, records->len - done);
		if (!len || !take_record(&r, pax))
			return false;
	}
	if (pax->path.text != before) /* the last one counts, and is kept with a NUL behind */
		pax->path.text = ck_copy(job, pax->path.text, pax->path.len);
	return !pax->path.len || pax->path.text;
}
