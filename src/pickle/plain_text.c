/* Numbers and text of a pickle that need not be made, only be right. */
#include "vm.h"

#include <string.h>

enum {
	DIGITS_MAX = 18, /* any such number fits 64 bits */
	FLOAT_MAX = 40,  /* characters, without an exponent: cannot be too large */
};

static size_t count_digits(const char *text, size_t len)
{
	size_t n = 0;
	while (n < len && (unsigned)text[n] - '0' <= 9)
		n++;
	return n;
}

static bool is_integer(ck_job *job, ck_literal rule, const char *text, size_t len)
{
	ck_value value = {0};
	size_t sign = len && *text == '-', digits = count_digits(text + sign, len - sign);
	size_t rest = len - sign - digits;
	if (digits && digits <= DIGITS_MAX &&
	    (!rest || (rule == CK_LITERAL_LONG && rest == 1 && text[len - 1] == 'L')))
		return true;
	return ck_literal_integer(job, rule, text, len, &value);
}

static bool is_float(const char *text, size_t len)
{
	double number;
	size_t sign = len && *text == '-', whole = count_digits(text + sign, len - sign);
	size_t point = sign + whole;
	if (whole && len <= FLOAT_MAX && point < len && text[point] == '.' &&
	    count_digits(text + point + 1, len - point - 1) == len - point - 1)
		return true;
	return ck_literal_float(text, len, &number);
}

static bool is_text(ck_job *job, const char *text, size_t len)
{
	const char *why;
	size_t out;
	return !memchr(text, '\\', len) || ck_literal_unicode(job, text, len, &out, &why);
}

static bool read_index(const char *text, size_t len, uint64_t *index)
{
	*index = 0;
	if (!len || len > DIGITS_MAX || count_digits(text, len) != len)
		return false;
	for (size_t i = 0; i < len; i++)
		*index = *index * 10 + ((unsigned)text[i] - '0');
	return true;
}

bool ck_vm_plain_text(ck_job *job, ck_step *step)
{
	size_t len = (size_t)step->len;
	switch (step->code) {
	case 'I':
		return is_integer(job, CK_LITERAL_INT, step->text, len);
	case 'L':
		return is_integer(job, CK_LITERAL_LONG, step->text, len);
	case 'F':
		return is_float(step->text, len);
	case 'V':
		return is_text(job, step->text, len);
	case 'g':
	case 'p':
		return read_index(step->text, len, &step->number);
	case 'X':
	case 0x8c:
	case 0x8d:
		return ck_utf8_valid_wide(step->text, len);
	default:
		return true;
	}
}
