/* The header of .npy files: a Python dict of three keys, spelled out, read here as strictly as
 * NumPy writes it (numpy/lib/format.py tells the rules). */
#include <string.h>

#include "numpy.h"
#include "rebuild.h"

enum { MAGIC_SIZE = 6, HEADER_MAX = 1 << 20 };

bool ck_npy_prefix(ck_torch *torch, const unsigned char *head, size_t len, uint64_t *text,
                   uint64_t *data)
{
	static const char magic[] = "\x93NUMPY";
	if (len < CK_NPY_PREFIX || memcmp(head, magic, MAGIC_SIZE) != 0)
		return ck_rebuild_fail(torch, "this should be an .npy array, but it does not "
		                       "begin as one, or is cut short");
	if (head[6] < 1 || head[6] > 3)
		return ck_fail(torch->job, CK_UNSUPPORTED, torch->pickle->label,
		               "this is version %u.%u of the .npy format; ckconv knows 1 to 3",
		               head[6], head[7]);
	uint64_t size = head[8] | (uint64_t)head[9] << 8;
	*text = 10;
	if (head[6] > 1) {
		size |= (uint64_t)head[10] << 16 | (uint64_t)head[11] << 24;
		*text = 12;
	}
	*data = *text + size;
	return size <= HEADER_MAX ||
	       ck_rebuild_fail(torch, "the header of an .npy array has at most %d bytes, not %llu",
	                       HEADER_MAX, (unsigned long long)size);
}

/* ---- the dict ---- */

typedef struct {
	ck_torch *torch;
	const char *at, *end;
} cursor;

static void skip_blanks(cursor *c)
{
	while (c->at < c->end && (*c->at == ' ' || *c->at == '\n' || *c->at == '\t'))
		c->at++;
}

static bool bad(const cursor *c, const char *what)
{
	size_t left = (size_t)(c->end - c->at);
	return ck_rebuild_fail(c->torch, "%s in the header of an .npy array, not '%s'", what,
	                       ck_show(c->at, left < 40 ? left : 40).s);
}

/* Steps over a sign, if it is the next one. */
static bool take(cursor *c, char sign)
{
	skip_blanks(c);
	bool there = c->at < c->end && *c->at == sign;
	c->at += there;
	return there;
}

static bool take_word(cursor *c, const char *word)
{
	size_t len = strlen(word);
	skip_blanks(c);
	if ((size_t)(c->end - c->at) < len || memcmp(c->at, word, len) != 0)
		return false;
	c->at += len;
	return true;
}

static bool read_string(cursor *c, const char **text, size_t *len)
{
	skip_blanks(c);
	char quote = c->at < c->end ? *c->at : 0;
	if (quote != '\'' && quote != '"')
		return bad(c, "a string is needed");
	const char *end = memchr(c->at + 1, quote, (size_t)(c->end - c->at - 1));
	if (!end || memchr(c->at, '\\', (size_t)(end - c->at)))
		return bad(c, "a plain string is needed");
	*text = c->at + 1;
	*len = (size_t)(end - *text);
	c->at = end + 1;
	return true;
}

/* The fields of records: not looked at, but stepped over. */
static bool skip_list(cursor *c)
{
	size_t depth = 0;
	const char *text;
	size_t len;
	do {
		if (c->at == c->end)
			return bad(c, "the list of fields must end");
		if (*c->at == '\'' || *c->at == '"') {
			if (!read_string(c, &text, &len))
				return false;
			continue;
		}
		depth += *c->at == '[' || *c->at == '(';
		depth -= *c->at == ']' || *c->at == ')';
		c->at++;
	} while (depth);
	return true;
}

static bool read_descr(cursor *c, ck_numpy_dtype *dtype)
{
	const char *text;
	size_t len;
	skip_blanks(c);
	if (c->at < c->end && *c->at == '[') {
		*dtype = (ck_numpy_dtype){.kind = CK_NUMPY_OTHER, .about = "array of records"};
		return skip_list(c);
	}
	if (!read_string(c, &text, &len))
		return false;
	return ck_numpy_dtype_of_text(text, len, dtype) ||
	       ck_rebuild_fail(c->torch, "'%s' is no dtype of NumPy", ck_show(text, len).s);
}

static bool read_order(cursor *c, bool *fortran)
{
	*fortran = take_word(c, "True");
	return *fortran || take_word(c, "False") || bad(c, "True or False is needed");
}

/* Python 2 writes 3L for some numbers. */
static bool read_count(cursor *c, uint64_t *count)
{
	skip_blanks(c);
	const char *start = c->at;
	for (*count = 0; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++)
		if (!ck_mul(*count, 10, count) || !ck_add(*count, (uint64_t)(*c->at - '0'), count))
			return bad(c, "a count of 64 bits is needed");
	if (c->at == start)
		return bad(c, "a count is needed");
	if (c->at < c->end && *c->at == 'L')
		c->at++;
	return true;
}

static bool read_shape(cursor *c, ck_numpy_array *array)
{
	array->ndim = 0;
	if (!take(c, '('))
		return bad(c, "a tuple is needed");
	bool comma = true;
	while (!take(c, ')')) {
		if (!comma)
			return bad(c, "a comma is needed");
		if (array->ndim == CK_DIMS_MAX)
			return ck_rebuild_fail(c->torch, "a tensor has at most %d dimensions",
			                       CK_DIMS_MAX);
		if (!read_count(c, &array->shape[array->ndim++]))
			return false;
		comma = take(c, ',');
	}
	return array->ndim != 1 || comma || bad(c, "a tuple is needed");
}

static const char *const keys[] = {"descr", "fortran_order", "shape"};

static bool read_pair(cursor *c, ck_numpy_array *array, unsigned *seen)
{
	const char *text;
	size_t len, key = 0;
	if (!read_string(c, &text, &len))
		return false;
	while (key < CK_COUNT(keys) &&
	       (strlen(keys[key]) != len || memcmp(text, keys[key], len) != 0))
		key++;
	if (key == CK_COUNT(keys) || *seen & 1u << key)
		return ck_rebuild_fail(c->torch, "the header of an .npy array has the keys descr, "
		                       "fortran_order and shape, once each, not '%s'",
		                       ck_show(text, len).s);
	*seen |= 1u << key;
	if (!take(c, ':'))
		return bad(c, "a colon is needed");
	if (key == 0)
		return read_descr(c, &array->dtype);
	return key == 1 ? read_order(c, &array->fortran) : read_shape(c, array);
}

bool ck_npy_parse(ck_torch *torch, const char *text, size_t len, ck_numpy_array *array)
{
	cursor c = {torch, text, text + len};
	unsigned seen = 0;
	bool comma = true;
	if (!take(&c, '{'))
		return bad(&c, "a dict is needed");
	while (!take(&c, '}')) {
		if (!comma)
			return bad(&c, "a comma is needed");
		if (!read_pair(&c, array, &seen))
			return false;
		comma = take(&c, ',');
	}
	skip_blanks(&c);
	if (c.at != c.end)
		return bad(&c, "nothing but blanks may follow the dict");
	return seen == (1u << CK_COUNT(keys)) - 1 ||
	       ck_rebuild_fail(torch, "the header of an .npy array needs the keys descr, "
	                       "fortran_order and shape");
}
