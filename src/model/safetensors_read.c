/* The strict reader of safetensors headers: refuses whatever the format's text or its reference
 * library refuses (https://huggingface.co/docs/safetensors, and what release 0.5.2 does), so that a
 * file which passes means the same to every reader. No tensor data is read. */
#include "model.h"

#include <stdlib.h>
#include <string.h>

enum { LENGTH = 8, HEADER_MAX = 100000000 };

static const char METADATA[] = "__metadata__";

static const ck_st_dtype dtypes[] = {
	{"BOOL", 8}, {"U8", 8}, {"I8", 8}, {"U16", 16}, {"I16", 16}, {"U32", 32}, {"I32", 32},
	{"U64", 64}, {"I64", 64}, {"F16", 16}, {"BF16", 16}, {"F32", 32}, {"F64", 64}, {"C64", 64},
	{"F8_E4M3", 8}, {"F8_E5M2", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8},
	{"F6_E2M3", 6}, {"F6_E3M2", 6}, {"F4", 4},
};

typedef struct {
	ck_job *job;
	const ck_source *source;
	const char *text; /* the JSON */
	size_t len, at;
	ck_safetensors *to;
	size_t tensor_cap, metadata_cap, dim_cap;
	uint64_t *dims;   /* of all tensors, one after the other */
	size_t dim_count;
	ck_map names, keys;
} reader;

typedef struct {
	const char *data;
	size_t len;
} string;

static bool fail(const reader *r, size_t at, const char *what)
{
	return ck_fail_at(r->job, CK_CORRUPT, r->source->label, LENGTH + at,
	                  "the safetensors header breaks a rule: %s", what);
}

static bool fail_tensor(const reader *r, const ck_st_tensor *tensor, const char *what)
{
	return ck_fail_at(r->job, CK_CORRUPT, r->source->label, LENGTH + tensor->at,
	                  "tensor '%s': %s", ck_show(tensor->name, tensor->name_len).s, what);
}

/* ---- JSON, as far as the header needs it ---- */

/* The next character that is no blank; 0 at the end. */
static char peek(reader *r)
{
	while (r->at < r->len && r->text[r->at] && strchr(" \t\r\n", r->text[r->at]))
		r->at++;
	return r->at < r->len ? r->text[r->at] : 0;
}

static bool accept(reader *r, char wanted)
{
	if (peek(r) != wanted)
		return false;
	r->at++;
	return true;
}

static bool expect(reader *r, char wanted)
{
	char what[] = "a ' ' is missing here";
	what[3] = wanted;
	return accept(r, wanted) || fail(r, r->at, what);
}

/* After an item: another one follows, or the container ends. */
static bool more_items(reader *r, char closing, bool *more)
{
	*more = accept(r, ',');
	return *more || expect(r, closing);
}

static bool read_hex(const reader *r, size_t at, uint32_t *code)
{
	*code = 0;
	for (size_t i = at; i < at + 4; i++) {
		char c = i < r->len ? r->text[i] : 0;
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
static bool read_code(reader *r, size_t *at, uint32_t *code)
{
	uint32_t low;
	if (!read_hex(r, *at, code))
		return fail(r, *at, "\\u needs four hexadecimal digits");
	*at += 4;
	if (*code < 0xD800 || *code > 0xDFFF)
		return true;
	if (*code > 0xDBFF || *at + 2 > r->len || memcmp(r->text + *at, "\\u", 2) != 0 ||
	    !read_hex(r, *at + 2, &low) || low < 0xDC00 || low > 0xDFFF)
		return fail(r, *at, "a surrogate stands alone");
	*at += 6;
	*code = 0x10000 + ((*code - 0xD800) << 10) + (low - 0xDC00);
	return true;
}

/* What stands behind a backslash at *at; returns its bytes in `to`. */
static size_t read_escape(reader *r, size_t *at, char to[4])
{
	static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	char letter = *at < r->len ? r->text[*at] : 0;
	const char *known = letter ? strchr(letters, letter) : NULL;
	uint32_t code;
	++*at;
	if (known) {
		*to = meant[known - letters];
		return 1;
	}
	if (letter != 'u') {
		fail(r, *at - 1, "there is no such escape");
		return 0;
	}
	return read_code(r, at, &code) ? ck_utf8_put(to, code) : 0;
}

/* The string from `begin` to its quote, with its escapes, of which there is at least one. */
static bool read_escaped(reader *r, size_t begin, size_t end, string *to)
{
	char *text = ck_alloc(r->job, end - begin + 1); /* escapes are longer than what they mean */
	size_t len = 0;
	if (!text)
		return false;
	for (size_t at = begin; at < end;) {
		if (r->text[at] != '\\') {
			text[len++] = r->text[at++];
			continue;
		}
		at++;
		size_t took = read_escape(r, &at, text + len);
		if (!took)
			return false;
		len += took;
	}
	*to = (string){text, len};
	return true;
}

static bool read_string(reader *r, string *to)
{
	if (peek(r) != '"')
		return fail(r, r->at, "a string is missing here");
	size_t begin = ++r->at;
	bool escaped = false;
	while (r->at < r->len && r->text[r->at] != '"') {
		if ((unsigned char)r->text[r->at] < 0x20)
			return fail(r, r->at, "a string has a control character");
		if (r->text[r->at] == '\\') {
			escaped = true;
			r->at++;
		}
		r->at++;
	}
	if (r->at >= r->len)
		return fail(r, begin - 1, "a string does not end");
	*to = (string){r->text + begin, r->at - begin};
	return !escaped ? (r->at++, true) : read_escaped(r, begin, r->at++, to);
}

static bool read_number(reader *r, uint64_t *value)
{
	size_t begin = (peek(r), r->at);
	*value = 0;
	for (; r->at < r->len && r->text[r->at] >= '0' && r->text[r->at] <= '9'; r->at++)
		if (!ck_mul(*value, 10, value) ||
		    !ck_add(*value, (uint64_t)(r->text[r->at] - '0'), value))
			return fail(r, begin, "a number does not fit 64 bits");
	char next = r->at < r->len ? r->text[r->at] : 0;
	if (begin == r->at || (next && strchr(".eE", next)) ||
	    (r->text[begin] == '0' && r->at - begin > 1))
		return fail(r, begin, "a whole number without a sign is missing here");
	return true;
}

/* ---- the fields of a tensor ---- */

static bool read_dtype(reader *r, ck_st_tensor *tensor)
{
	string name;
	if (!read_string(r, &name))
		return false;
	for (size_t i = 0; i < CK_COUNT(dtypes); i++)
		if (strlen(dtypes[i].name) == name.len &&
		    !memcmp(dtypes[i].name, name.data, name.len))
			tensor->dtype = &dtypes[i];
	return tensor->dtype || fail_tensor(r, tensor, "its dtype is none that safetensors has");
}

static bool read_shape(reader *r, ck_st_tensor *tensor)
{
	size_t first = r->dim_count;
	bool more = true;
	if (!expect(r, '['))
		return false;
	if (accept(r, ']'))
		more = false;
	while (more) {
		uint64_t *grown =
			ck_grow(r->job, r->dims, &r->dim_cap, r->dim_count + 1, sizeof *grown);
		if (!grown)
			return false;
		r->dims = grown;
		if (!read_number(r, &grown[r->dim_count]))
			return false;
		r->dim_count++;
		if (!more_items(r, ']', &more))
			return false;
	}
	tensor->ndim = r->dim_count - first;
	return true;
}

static bool read_offsets(reader *r, ck_st_tensor *tensor)
{
	return expect(r, '[') && read_number(r, &tensor->begin) && expect(r, ',') &&
	       read_number(r, &tensor->end) && expect(r, ']');
}

static const struct {
	const char *name;
	bool (*read)(reader *r, ck_st_tensor *tensor);
} fields[] = {
	{"dtype", read_dtype},
	{"shape", read_shape},
	{"data_offsets", read_offsets},
};

static bool read_field(reader *r, ck_st_tensor *tensor, unsigned *seen)
{
	string name;
	if (!read_string(r, &name) || !expect(r, ':'))
		return false;
	for (size_t i = 0; i < CK_COUNT(fields); i++) {
		if (strlen(fields[i].name) != name.len ||
		    memcmp(fields[i].name, name.data, name.len) != 0)
			continue;
		if (*seen & 1u << i)
			return fail_tensor(r, tensor, "one of its fields is there twice");
		*seen |= 1u << i;
		return fields[i].read(r, tensor);
	}
	return fail_tensor(r, tensor, "it has a field that the format does not have");
}

/* Shape times dtype must be the span of bytes. Products are checked in the order of the shape, as
 * the reference library checks them. */
static bool check_size(const reader *r, const ck_st_tensor *tensor)
{
	uint64_t bits = 1;
	for (size_t d = 0; d < tensor->ndim; d++)
		if (!ck_mul(bits, r->dims[r->dim_count - tensor->ndim + d], &bits))
			return fail_tensor(r, tensor, "its shape is too large for 64 bits");
	if (!ck_mul(bits, tensor->dtype->bits, &bits))
		return fail_tensor(r, tensor, "its shape is too large for 64 bits");
	if (bits % 8)
		return fail_tensor(r, tensor, "its elements do not fill whole bytes");
	if (tensor->end < tensor->begin || tensor->end - tensor->begin != bits / 8)
		return fail_tensor(r, tensor, "its data_offsets are not as far apart as its shape "
		                   "and dtype need");
	return true;
}

static bool read_tensor(reader *r, const string *name, size_t at)
{
	ck_safetensors *to = r->to;
	unsigned seen = 0;
	bool more = true;
	if (!ck_within(r->job, r->source->label, tensors, to->count + 1))
		return false;
	ck_st_tensor *grown =
		ck_grow(r->job, to->tensors, &r->tensor_cap, to->count + 1, sizeof *grown);
	if (!grown)
		return false;
	to->tensors = grown;
	ck_st_tensor *tensor = &grown[to->count++];
	*tensor = (ck_st_tensor){.name = name->data, .name_len = name->len, .at = at};
	if (!expect(r, '{'))
		return false;
	while (more)
		if (!read_field(r, tensor, &seen) || !more_items(r, '}', &more))
			return false;
	if (seen != (1u << CK_COUNT(fields)) - 1)
		return fail_tensor(r, tensor, "it lacks its dtype, shape or data_offsets");
	return check_size(r, tensor);
}

/* ---- the header ---- */

static bool put_name(reader *r, ck_map *names, const string *name, size_t at)
{
	bool fresh;
	return ck_map_put(r->job, names, name->data, name->len, &fresh) &&
	       (fresh || ck_fail_at(r->job, CK_CORRUPT, r->source->label, LENGTH + at,
	                            "the safetensors header has the key '%s' twice",
	                            ck_show(name->data, name->len).s));
}

static bool read_metadata(reader *r)
{
	ck_safetensors *to = r->to;
	bool more = true;
	if (!expect(r, '{'))
		return false;
	if (accept(r, '}'))
		return true;
	while (more) {
		string key, value;
		size_t at = r->at;
		if (!read_string(r, &key) || !put_name(r, &r->keys, &key, at) || !expect(r, ':') ||
		    !read_string(r, &value))
			return false;
		ck_st_pair *grown = ck_grow(r->job, to->metadata, &r->metadata_cap,
		                            to->metadata_count + 1, sizeof *grown);
		if (!grown)
			return false;
		to->metadata = grown;
		grown[to->metadata_count++] =
			(ck_st_pair){key.data, key.len, value.data, value.len};
		if (!more_items(r, '}', &more))
			return false;
	}
	return true;
}

static bool read_entry(reader *r)
{
	string name;
	size_t at = (peek(r), r->at);
	if (!read_string(r, &name) || !put_name(r, &r->names, &name, at) || !expect(r, ':'))
		return false;
	if (name.len == strlen(METADATA) && !memcmp(name.data, METADATA, name.len))
		return read_metadata(r);
	return read_tensor(r, &name, at);
}

static bool read_entries(reader *r)
{
	bool more = true;
	if (!r->len || r->text[0] != '{') /* blanks before it are against the format's text */
		return fail(r, 0, "it must begin with '{'");
	r->at = 1;
	if (accept(r, '}'))
		more = false;
	while (more)
		if (!read_entry(r) || !more_items(r, '}', &more))
			return false;
	for (; r->at < r->len; r->at++)
		if (r->text[r->at] != ' ')
			return fail(r, r->at, "nothing but blanks may stand behind the last '}'");
	return true;
}

static int by_offset(const void *a, const void *b)
{
	const ck_st_tensor *x = a, *y = b;
	if (x->begin != y->begin)
		return x->begin < y->begin ? -1 : 1;
	return (x->end > y->end) - (x->end < y->end);
}

/* Sorted by their offsets, the tensors must cover the buffer without hole or overlap. */
static bool check_cover(const reader *r)
{
	const ck_safetensors *to = r->to;
	uint64_t end = 0, size = r->source->size - to->data;
	if (to->count)
		qsort(to->tensors, to->count, sizeof *to->tensors, by_offset);
	for (size_t i = 0; i < to->count; i++) {
		if (to->tensors[i].begin != end)
			return fail_tensor(r, &to->tensors[i], to->tensors[i].begin > end
			                   ? "there is a hole before its data"
			                   : "its data overlap those of another tensor");
		end = to->tensors[i].end;
	}
	return end == size ||
	       ck_fail(r->job, CK_CORRUPT, r->source->label,
	               "the tensors need %s of data, but the file has %llu",
	               ck_many(end, "byte").s, (unsigned long long)size);
}

/* The length and the JSON, in memory. */
static bool read_text(reader *r)
{
	unsigned char length[LENGTH];
	uint64_t size = 0;
	if (r->source->size < LENGTH)
		return ck_fail(r->job, CK_CORRUPT, r->source->label,
		               "the file ends before the length of its safetensors header");
	if (!ck_read_at(r->job, r->source, 0, length, LENGTH))
		return false;
	for (size_t i = LENGTH; i--;)
		size = size << 8 | length[i];
	if (size > HEADER_MAX || size > r->source->size - LENGTH)
		return ck_fail_at(r->job, CK_CORRUPT, r->source->label, 0,
		                  "the safetensors header claims %s: the file has %llu, and the "
		                  "format allows %d", ck_many(size, "byte").s,
		                  (unsigned long long)(r->source->size - LENGTH), HEADER_MAX);
	char *text = ck_alloc(r->job, (size_t)size + 1);
	if (!text || !ck_read_at(r->job, r->source, LENGTH, text, (size_t)size))
		return false;
	r->text = text;
	r->len = (size_t)size;
	r->to->data = LENGTH + size;
	return ck_utf8_valid(text, r->len) || fail(r, 0, "it is not UTF-8");
}

const ck_safetensors *ck_safetensors_read(ck_job *job, const ck_source *source)
{
	reader r = {.job = job, .source = source, .to = ck_alloc(job, sizeof *r.to)};
	if (!r.to || !read_text(&r) || !read_entries(&r))
		return NULL;
	/* in the order of the header, each takes its dimensions from the common array */
	const uint64_t *dims = r.dims;
	for (size_t i = 0; i < r.to->count; i++) {
		r.to->tensors[i].shape = dims;
		dims += r.to->tensors[i].ndim;
	}
	return check_cover(&r) ? r.to : NULL;
}
