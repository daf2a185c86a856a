/* Floats in the text form of protocol 0, read exactly as CPython's PyOS_string_to_double reads
 * them. */
#include "pickle.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

static size_t count_digits(const char *p)
{
	size_t count = 0;
	while (p[count] >= '0' && p[count] <= '9')
		count++;
	return count;
}

/* [sign] (digits [. digits] | . digits) [e [sign] digits], or [sign] inf, infinity, nan */
static bool is_float(const char *p)
{
	static const char *const words[] = {"inf", "infinity", "nan"};
	p += *p == '+' || *p == '-';
	for (size_t i = 0; i < CK_COUNT(words); i++) {
		size_t n = strlen(words[i]), same = 0;
		while (same < n && (p[same] | 0x20) == words[i][same])
			same++;
		if (same == n && !p[n])
			return true;
	}
	size_t whole = count_digits(p);
	p += whole;
	if (*p == '.') {
		size_t part = count_digits(++p);
		p += part;
		whole += part;
	}
	if (whole && (*p == 'e' || *p == 'E')) {
		p++;
		p += *p == '+' || *p == '-';
		size_t exponent = count_digits(p);
		if (!exponent)
			return false;
		p += exponent;
	}
	return whole && !*p;
}

/* The quotient of number and divisor, which are not 0, rounded as IEEE 754 rounds. It must be
 * neither very large nor very small. */
static double divide(uint64_t number, uint64_t divisor)
{
	__extension__ typedef unsigned __int128 wide;
	int up = __builtin_clzll(number), down = __builtin_clzll(divisor);
	wide dividend = (wide)(number << up) << 63;
	divisor <<= down;
	/* at least 63 bits of it, of which the last says whether there are more */
	uint64_t quotient = (uint64_t)(dividend / divisor);
	quotient |= (wide)quotient * divisor != dividend;
	uint64_t bits = (uint64_t)(1023 - 63 + down - up) << 52;
	double scale;
	memcpy(&scale, &bits, sizeof scale);
	return (double)quotient * scale;
}

/* Up to 19 digits, with a point or without: most floats. False: it is written in another way. */
bool ck_literal_short_float(const char *text, size_t len, double *value)
{
	enum { DIGITS = 19 }; /* they fit 64 bits */
	uint64_t number = 0, divisor = 1;
	size_t digits = 0;
	bool point = false;
	for (size_t at = len && *text == '-'; at < len; at++) {
		unsigned digit = (unsigned char)text[at] - (unsigned)'0';
		if (digit > 9 && (point || text[at] != '.'))
			return false;
		if (digit > 9) {
			point = true;
			continue;
		}
		if (++digits > DIGITS)
			return false;
		number = number * 10 + digit;
		divisor *= point ? 10 : 1;
	}
	if (!digits)
		return false;
	*value = number ? divide(number, divisor) : 0;
	*value = *text == '-' ? -*value : *value;
	return true;
}

bool ck_literal_float(const char *text, size_t len, double *value)
{
	if (!len)
		return false;
	if (ck_literal_short_float(text, len, value))
		return true;
	if (!is_float(text))
		return false;
	/* a program around the library may have set a locale with another decimal point */
	locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (!c)
		return false;
	*value = strtod_l(text, NULL, c);
	freelocale(c);
	bool written_infinite = text[0] == 'i' || text[0] == 'I' || (text[1] | 0x20) == 'i';
	return written_infinite || *value - *value == 0 || *value != *value;
}
