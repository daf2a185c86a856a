/* Values as text: integers, floats and strings as Python prints them, and whole trees on a line. */
#include "pickle.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PRINT_DEPTH = 200 };

/* ---- numbers ---- */

static bool print_hex(ck_job *job, ck_text *to, bool negative, const unsigned char *bytes,
                      size_t len)
{
	if (!ck_text_addf(job, to, negative ? "-0x%x" : "0x%x", bytes[len - 1]))
		return false;
	for (size_t i = len - 1; i-- > 0;)
		if (!ck_text_addf(job, to, "%02x", bytes[i]))
			return false;
	return true;
}

/* Divides the magnitude by 10^9 until nothing is left; the remainders are the digits. */
static bool print_decimal(ck_job *job, ck_text *to, bool negative, unsigned char *bytes, size_t len)
{
	uint32_t groups[CK_DECIMAL_BYTES / 3];
	size_t count = 0;
	while (len) {
		uint64_t rest = 0;
		for (size_t i = len; i-- > 0;) {
			rest = rest << 8 | bytes[i];
			bytes[i] = (unsigned char)(rest / 1000000000);
			rest %= 1000000000;
		}
		groups[count++] = (uint32_t)rest;
		while (len && !bytes[len - 1])
			len--;
	}
	if (!ck_text_addf(job, to, negative ? "-%u" : "%u", groups[count - 1]))
		return false;
	while (--count)
		if (!ck_text_addf(job, to, "%09u", groups[count - 1]))
			return false;
	return true;
}

bool ck_print_integer(ck_job *job, ck_text *to, const ck_value *value)
{
	if (value->kind == CK_INT)
		return ck_text_addf(job, to, "%lld", (long long)value->i);
	size_t len = (size_t)value->text.len;
	bool negative = (unsigned char)value->text.data[len - 1] >= 0x80;
	unsigned char *bytes = (unsigned char *)ck_copy(job, value->text.data, len);
	if (!bytes)
		return false;
	if (negative)
		ck_literal_negate(bytes, len);
	while (len > 1 && !bytes[len - 1])
		len--;
	return len > CK_DECIMAL_BYTES ? print_hex(job, to, negative, bytes, len)
	                           : print_decimal(job, to, negative, bytes, len);
}

/* The last digit before the exponent becomes the next one. False if they are all nines. */
static bool round_up(char *digits)
{
	for (size_t i = strcspn(digits, "e"); i-- > 0;) {
		if (digits[i] >= '0' && digits[i] < '9') {
			digits[i]++;
			return true;
		}
		if (digits[i] == '9')
			digits[i] = '0';
	}
	return false;
}

/* Below a power of two doubles lie twice as close as above it, so that the nearest decimal, if it
 * is smaller, may read back as another double when the next one does not: 2**-44. */
static bool reads_back(char *digits, double value)
{
	return strtod(digits, NULL) == value || (round_up(digits) && strtod(digits, NULL) == value);
}

static bool print_finite(ck_job *job, ck_text *to, double value)
{
	char digits[40];
	int precision = 1;
	do {
		snprintf(digits, sizeof digits, "%.*e", precision - 1, value);
	} while (precision++ < 17 && !reads_back(digits, value));
	char *mark = strchr(digits, 'e');
	int exponent = atoi(mark + 1);
	if (exponent < -4 || exponent >= 16) {
		*mark = 0;
		return ck_text_addf(job, to, "%se%c%02d", digits, exponent < 0 ? '-' : '+',
		                    abs(exponent));
	}
	int places = precision - 2 - exponent;
	return ck_text_addf(job, to, "%.*f", places > 0 ? places : 1, value);
}

/* The shortest digits that read back as the same double, with an exponent where repr() has one. */
bool ck_print_float(ck_job *job, ck_text *to, double value)
{
	if (value != value)
		return ck_text_addf(job, to, "nan");
	if (value - value != 0)
		return ck_text_addf(job, to, value > 0 ? "inf" : "-inf");
	locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (!c)
		return ck_fail_nomem(job);
	locale_t before = uselocale(c); /* a decimal point, whatever the program around us set */
	bool ok = print_finite(job, to, value);
	uselocale(before);
	freelocale(c);
	return ok;
}

/* ---- text ---- */

/* Controls, blanks other than the space, formats, surrogates, private use. */
static bool is_printable(uint32_t code)
{
	static const uint32_t ranges[][2] = {
		{0x00, 0x1F},     {0x7F, 0xA0},     {0xAD, 0xAD},     {0x61C, 0x61C},
		{0x1680, 0x1680}, {0x180E, 0x180E}, {0x2000, 0x200F}, {0x2028, 0x202F},
		{0x205F, 0x206F}, {0x3000, 0x3000}, {0xD800, 0xF8FF}, {0xFEFF, 0xFEFF},
		{0xFFF9, 0xFFFB}, {0xE0000, 0xE0FFF}, {0xF0000, 0x10FFFF},
	};
	for (size_t i = 0; i < CK_COUNT(ranges); i++)
		if (code >= ranges[i][0] && code <= ranges[i][1])
			return false;
	return true;
}

static bool print_char(ck_job *job, ck_text *to, char quote, uint32_t code, bool byte)
{
	static const char plain[] = "\\\n\r\t", escaped[] = "\\nrt";
	const char *found = code && code < 0x80 ? strchr(plain, (int)code) : NULL;
	char utf8[4];
	if (found)
		return ck_text_addf(job, to, "\\%c", escaped[found - plain]);
	if (code == (unsigned char)quote)
		return ck_text_addf(job, to, "\\%c", quote);
	if (is_printable(code) && !(byte && code >= 0x80))
		return ck_text_add(job, to, utf8, ck_utf8_put(utf8, code));
	return ck_text_addf(job, to, code < 0x100     ? "\\x%02x"
	                             : code < 0x10000 ? "\\u%04x"
	                                              : "\\U%08x", code);
}

bool ck_print_quoted(ck_job *job, ck_text *to, const char *prefix, const char *data, size_t len)
{
	char quote = memchr(data, '\'', len) && !memchr(data, '"', len) ? '"' : '\'';
	if (!ck_text_addf(job, to, "%s%c", prefix, quote))
		return false;
	bool bytes = *prefix != 0;
	for (size_t took; len; data += took, len -= took) {
		uint32_t code;
		took = bytes ? 0 : ck_utf8_next_wide(data, len, &code);
		if (!took) {
			took = 1;
			code = (unsigned char)*data;
		}
		if (!print_char(job, to, quote, code, bytes))
			return false;
	}
	return ck_text_add(job, to, &quote, 1);
}

/* ---- trees ---- */

typedef struct {
	ck_job *job;
	ck_text *to;
	ck_map numbers; /* of shared values */
	bool counting;  /* first pass: find out what is shared */
} printer;

static bool print_value(printer *p, ck_value *value, int depth);

/* Nothing at all is fine too: a name may be empty. */
static bool add(printer *p, const char *text, size_t len)
{
	return p->counting || !len || ck_text_add(p->job, p->to, text, len);
}

static bool say(printer *p, const char *text)
{
	return add(p, text, strlen(text));
}

static bool print_items(printer *p, const char *open, const ck_items *items, const char *close,
                        int depth)
{
	if (!say(p, open))
		return false;
	for (size_t i = 0; i < items->count; i++)
		if ((i && !say(p, ", ")) || !print_value(p, items->item[i], depth))
			return false;
	return say(p, close);
}

static bool print_pairs(printer *p, const ck_items *items, int depth)
{
	if (!say(p, "{"))
		return false;
	for (size_t i = 0; i < items->count; i += 2)
		if ((i && !say(p, ", ")) || !print_value(p, items->item[i], depth) ||
		    !say(p, ": ") || !print_value(p, items->item[i + 1], depth))
			return false;
	return say(p, "}");
}

static bool print_bytes(printer *p, const ck_value *value)
{
	const char *prefix = value->flags & CK_PY2 ? "py2" : value->flags & CK_MUTABLE ? "ba" : "b";
	if (p->counting)
		return true;
	if (value->text.data)
		return ck_print_quoted(p->job, p->to, prefix, value->text.data,
		                       (size_t)value->text.len);
	return ck_text_addf(p->job, p->to, "%s<%llu bytes at %llu>", prefix,
	                    (unsigned long long)value->text.len, (unsigned long long)value->at);
}

static bool print_global(printer *p, const ck_value *value)
{
	const ck_global *g = value->global;
	return add(p, g->module, g->module_len) && say(p, ".") && add(p, g->name, g->name_len) &&
	       (!(value->flags & CK_CHANGED) || say(p, "!changed"));
}

static bool print_call(printer *p, const ck_call *call, int depth)
{
	static const char *const how[] = {
		[CK_REDUCE] = "", [CK_NEWOBJ] = "new ", [CK_NEWOBJ_EX] = "new ",
		[CK_INST] = "inst ", [CK_OBJ] = "obj ",
	};
	if (!say(p, how[call->how]) || !print_value(p, call->callee, depth) ||
	    !print_items(p, "(", call->args->items, ")", depth))
		return false;
	if (call->kwargs && (!say(p, " with ") || !print_value(p, call->kwargs, depth)))
		return false;
	const ck_later *later = ck_call_later(call);
	if (later->items.count && !print_items(p, " + [", &later->items, "]", depth))
		return false;
	if (later->pairs.count && (!say(p, " | ") || !print_pairs(p, &later->pairs, depth)))
		return false;
	for (size_t i = 0; i < later->states.count; i++)
		if (!say(p, " <- ") || !print_value(p, later->states.item[i], depth))
			return false;
	return true;
}

static bool print_leaf(printer *p, const ck_value *value)
{
	if (p->counting)
		return true;
	switch ((ck_kind)value->kind) {
	case CK_NONE:
		return say(p, "None");
	case CK_BOOL:
		return say(p, value->b ? "True" : "False");
	case CK_INT:
	case CK_LONG:
		return ck_print_integer(p->job, p->to, value);
	case CK_FLOAT:
		return ck_print_float(p->job, p->to, value->f);
	case CK_STR:
		return ck_print_quoted(p->job, p->to, "", value->text.data,
		                       (size_t)value->text.len);
	case CK_EXT:
		return ck_text_addf(p->job, p->to, "ext(%lld)", (long long)value->i);
	case CK_BUFFER:
		return ck_text_addf(p->job, p->to, "buffer(%lld)", (long long)value->i);
	default:
		return false;
	}
}

static bool print_body(printer *p, const ck_value *value, int depth)
{
	switch ((ck_kind)value->kind) {
	case CK_BYTES:
		return print_bytes(p, value);
	case CK_LIST:
		return print_items(p, "[", value->items, "]", depth);
	case CK_TUPLE:
		return print_items(p, "(", value->items, value->items->count == 1 ? ",)" : ")",
		                   depth);
	case CK_SET:
		return print_items(p, value->flags & CK_MUTABLE ? "set{" : "frozenset{",
		                   value->items, "}", depth);
	case CK_DICT:
		return print_pairs(p, value->items, depth);
	case CK_GLOBAL:
		return print_global(p, value);
	case CK_CALL:
		return print_call(p, value->call, depth);
	case CK_PERSID:
		return say(p, "persid(") && print_value(p, value->pid, depth) && say(p, ")");
	default:
		return print_leaf(p, value);
	}
}

enum { SEEN_ONCE = 1, SHARED = 2 };

/* Only what has an identity that matters is worth a number. */
static bool can_share(const ck_value *value)
{
	return value->kind == CK_CALL || value->kind == CK_PERSID ||
	       ((value->kind == CK_LIST || value->kind == CK_DICT || value->kind == CK_SET ||
	         value->kind == CK_TUPLE) && value->items->count);
}

static bool print_value(printer *p, ck_value *value, int depth)
{
	if (depth > PRINT_DEPTH)
		return say(p, "...");
	if (p->counting && value->mark) {
		value->mark = SHARED;
		return true;
	}
	if (p->counting && can_share(value))
		value->mark = SEEN_ONCE;
	if (!p->counting && value->mark == SHARED) {
		bool fresh;
		uint64_t *number = ck_map_put(p->job, &p->numbers, &value->id, sizeof value->id,
		                              &fresh);
		if (!number)
			return false;
		if (!fresh)
			return ck_text_addf(p->job, p->to, "*%llu", (unsigned long long)*number);
		*number = p->numbers.count;
		if (!ck_text_addf(p->job, p->to, "&%llu=", (unsigned long long)*number))
			return false;
	}
	return print_body(p, value, depth + 1);
}

bool ck_print_tree(ck_job *job, ck_text *to, ck_value *root)
{
	printer p = {.job = job, .to = to, .counting = true};
	if (!print_value(&p, root, 0))
		return false;
	p.counting = false;
	return print_value(&p, root, 0);
}
