/* The strict reader of safetensors headers: refuses whatever the format's text or its reference
 * library refuses (https://huggingface.co/docs/safetensors, and what release 0.5.2 does), so that a
 * file which passes means the same to every reader. No tensor data is read. */
#include "safetensors_text.h"

#include <stdlib.h>
#include <string.h>

enum { HEADER_MAX = 100000000 };

static const char METADATA[] = "__metadata__";

static const ck_st_dtype dtypes[] = {
	{"BOOL", 8}, {"U8", 8}, {"I8", 8}, {"U16", 16}, {"I16", 16}, {"U32", 32}, {"I32", 32},
	{"U64", 64}, {"I64", 64}, {"F16", 16}, {"BF16", 16}, {"F32", 32}, {"F64", 64}, {"C64", 64},
	{"F8_E4M3", 8}, {"F8_E5M2", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8},
	{"F6_E2M3", 6}, {"F6_E3M2", 6}, {"F4", 4},
};

/* u64 length of the header, then the header, which is a JSON object. */
bool ck_safetensors_begins(const unsigned char *head, size_t len)
{
	uint64_t size = 0;
	if (len < 10 || head[8] != '{')
		return false;
	for (size_t i = 8; i-- > 0;)
		size = size << 8 | head[i];
	return size >= 2 && size <= HEADER_MAX && head[9] && strchr("\"} \t\r\n", head[9]);
}

typedef struct {
	ck_job *job;
	const ck_source *source;
	ck_st_text text;
	ck_safetensors *to;
	size_t tensor_cap, metadata_cap, dim_cap;
	uint64_t *dims;   /* of all tensors, one after the other */
	size_t dim_count;
	ck_map names, keys;
} reader;

static bool fail_tensor(const reader *r, const ck_st_tensor *tensor, const char *what)
{
	return ck_fail_at(r->job, CK_CORRUPT, r->source->label, CK_ST_LENGTH + tensor->at,
	                  "tensor '%s': %s", ck_show(tensor->name, tensor->name_len).s, what);
}

/* ---- the fields of a tensor ---- */

static bool read_dtype(reader *r, ck_st_tensor *tensor)
{
	ck_st_string name;
	if (!ck_st_read_string(&r->text, &name))
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
	if (!ck_st_expect(&r->text, '['))
		return false;
	if (ck_st_accept(&r->text, ']'))
		more = false;
	while (more) {
		uint64_t *grown =
			ck_grow(r->job, r->dims, &r->dim_cap, r->dim_count + 1, sizeof *grown);
		if (!grown)
			return false;
		r->dims = grown;
		if (!ck_st_read_number(&r->text, &grown[r->dim_count]))
			return false;
		r->dim_count++;
		if (!ck_st_more(&r->text, ']', &more))
			return false;
	}
	tensor->ndim = r->dim_count - first;
	return true;
}

static bool read_offsets(reader *r, ck_st_tensor *tensor)
{
	return ck_st_expect(&r->text, '[') && ck_st_read_number(&r->text, &tensor->begin) &&
	       ck_st_expect(&r->text, ',') && ck_st_read_number(&r->text, &tensor->end) &&
	       ck_st_expect(&r->text, ']');
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
	ck_st_string name;
	if (!ck_st_read_string(&r->text, &name) || !ck_st_expect(&r->text, ':'))
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

static bool read_tensor(reader *r, const ck_st_string *name, size_t at)
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
	if (!ck_st_expect(&r->text, '{'))
		return false;
	while (more)
		if (!read_field(r, tensor, &seen) || !ck_st_more(&r->text, '}', &more))
			return false;
	if (seen != (1u << CK_COUNT(fields)) - 1)
		return fail_tensor(r, tensor, "it lacks its dtype, shape or data_offsets");
	return check_size(r, tensor);
}

/* ---- the header ---- */

static bool put_name(reader *r, ck_map *names, const ck_st_string *name, size_t at)
{
	bool fresh;
	return ck_map_put(r->job, names, name->data, name->len, &fresh) &&
	       (fresh || ck_fail_at(r->job, CK_CORRUPT, r->source->label, CK_ST_LENGTH + at,
	                            "the safetensors header has the key '%s' twice",
	                            ck_show(name->data, name->len).s));
}

static bool read_metadata(reader *r)
{
	ck_safetensors *to = r->to;
	bool more = true;
	if (!ck_st_expect(&r->text, '{'))
		return false;
	if (ck_st_accept(&r->text, '}'))
		return true;
	while (more) {
		ck_st_string key, value;
		size_t at = r->text.at;
		if (!ck_st_read_string(&r->text, &key) || !put_name(r, &r->keys, &key, at) ||
		    !ck_st_expect(&r->text, ':') || !ck_st_read_string(&r->text, &value))
			return false;
		ck_st_pair *grown = ck_grow(r->job, to->metadata, &r->metadata_cap,
		                            to->metadata_count + 1, sizeof *grown);
		if (!grown)
			return false;
		to->metadata = grown;
		grown[to->metadata_count++] =
			(ck_st_pair){key.data, key.len, value.data, value.len};
		if (!ck_st_more(&r->text, '}', &more))
			return false;
	}
	return true;
}

static bool read_entry(reader *r)
{
	ck_st_string name;
	size_t at = (ck_st_peek(&r->text), r->text.at);
	if (!ck_st_read_string(&r->text, &name) || !put_name(r, &r->names, &name, at) ||
	    !ck_st_expect(&r->text, ':'))
		return false;
	if (name.len == strlen(METADATA) && !memcmp(name.data, METADATA, name.len))
		return read_metadata(r);
	return read_tensor(r, &name, at);
}

static bool read_entries(reader *r)
{
	ck_st_text *t = &r->text;
	bool more = true;
	if (!t->len || t->text[0] != '{') /* blanks before it are against the format's text */
		return ck_st_fail(t, 0, "it must begin with '{'");
	t->at = 1;
	if (ck_st_accept(t, '}'))
		more = false;
	while (more)
		if (!read_entry(r) || !ck_st_more(t, '}', &more))
			return false;
	for (; t->at < t->len; t->at++)
		if (t->text[t->at] != ' ')
			return ck_st_fail(t, t->at,
			                  "nothing but blanks may stand behind the last '}'");
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
	unsigned char length[CK_ST_LENGTH];
	uint64_t size = 0;
	if (r->source->size < CK_ST_LENGTH)
		return ck_fail(r->job, CK_CORRUPT, r->source->label,
		               "the file ends before the length of its safetensors header");
	if (!ck_read_at(r->job, r->source, 0, length, CK_ST_LENGTH))
		return false;
	for (size_t i = CK_ST_LENGTH; i--;)
		size = size << 8 | length[i];
	if (size > HEADER_MAX || size > r->source->size - CK_ST_LENGTH)
		return ck_fail_at(r->job, CK_CORRUPT, r->source->label, 0,
		                  "the safetensors header claims %s: the file has %llu, and the "
		                  "format allows %d", ck_many(size, "byte").s,
		                  (unsigned long long)(r->source->size - CK_ST_LENGTH), HEADER_MAX);
	char *text = ck_alloc(r->job, (size_t)size + 1);
	if (!text || !ck_read_at(r->job, r->source, CK_ST_LENGTH, text, (size_t)size))
		return false;
	r->text.text = text;
	r->text.len = (size_t)size;
	r->to->data = CK_ST_LENGTH + size;
	return ck_utf8_valid(text, r->text.len) || ck_st_fail(&r->text, 0, "it is not UTF-8");
}

const ck_safetensors *ck_safetensors_read(ck_job *job, const ck_source *source)
{
	reader r = {.job = job, .source = source, .text = {.job = job, .source = source},
	            .to = ck_alloc(job, sizeof *r.to)};
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
