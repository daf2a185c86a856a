/* The safetensors writer: byte for byte the file of the reference library (0.5.2) for the same
 * tensors: header length, compact JSON with the metadata first, blanks up to a multiple of 8, then
 * the tensors by dtype and name, each in C order, without gaps. */
#include "save.h"

#include <stdlib.h>
#include <string.h>

enum { HEADER_MAX = 100000000 };

static const char RESERVED[] = "__metadata__";

/* ---- what the format cannot hold ---- */

static const char *lacks(ck_dtype dtype, const char *name, size_t len)
{
	if (!ck_dtype_table[dtype].safetensors)
		return ck_dtype_table[dtype].torch;
	if (len == strlen(RESERVED) && !memcmp(name, RESERVED, len))
		return "a name that safetensors keeps for itself";
	if (memchr(name, 0, len)) /* readers take it for the end */
		return "a name with a NUL character";
	return ck_utf8_valid(name, len) ? NULL : "a name that is not valid UTF-8";
}

/* ---- order ---- */

static int by_file_order(const void *a, const void *b)
{
	const ck_entry *x = a, *y = b;
	if (x->tensor->dtype != y->tensor->dtype) /* CK_DTYPES is in the order of the file */
		return x->tensor->dtype < y->tensor->dtype ? -1 : 1;
	size_t len = x->name_len < y->name_len ? x->name_len : y->name_len;
	int order = memcmp(x->name, y->name, len);
	return order ? order : (x->name_len > y->name_len) - (x->name_len < y->name_len);
}

/* ---- header ---- */

static bool add_metadata(ck_job *job, ck_model *model, ck_text *to)
{
	ck_json json;
	if (!ck_model_settle_metadata(job, model))
		return false;
	ck_json_begin(&json);
	for (size_t i = 0; i < model->metadata_count; i++)
		ck_json_text(&json, model->metadata[i].key, model->metadata[i].value);
	ck_text pairs = {0};
	return ck_json_finish(job, &json, &pairs) &&
	       ck_json_string(job, to, RESERVED, strlen(RESERVED)) &&
	       ck_text_add(job, to, ":", 1) && ck_text_add(job, to, pairs.data, pairs.len);
}

static bool add_tensor(ck_job *job, const ck_entry *entry, uint64_t begin, ck_text *to)
{
	const ck_tensor *tensor = entry->tensor;
	uint64_t offsets[2] = {begin, begin + tensor->bytes};
	ck_json json;
	if (!ck_text_add(job, to, ",", 1) ||
	    !ck_json_string(job, to, entry->name, entry->name_len) ||
	    !ck_text_add(job, to, ":", 1))
		return false;
	ck_json_begin(&json); /* from here on it must be finished */
	ck_json_text(&json, "dtype", ck_dtype_table[tensor->dtype].safetensors);
	ck_json_integers(&json, "shape", tensor->shape, tensor->ndim);
	ck_json_integers(&json, "data_offsets", offsets, 2);
	return ck_json_finish(job, &json, to);
}

/* Length and JSON, padded; tensors are in file order already. */
static bool make_header(ck_job *job, ck_model *model, uint64_t align, ck_text *to)
{
	enum { ENTRY = 100 }; /* about what the JSON of a tensor needs besides its name */
	uint64_t begin = 0;
	unsigned char length[8] = {0};
	size_t guess = 0;
	for (size_t i = 0; i < model->count; i++)
		guess += model->entries[i].name_len + ENTRY;
	if (!ck_text_reserve(job, to, guess) || !ck_text_add(job, to, length, sizeof length) ||
	    !ck_text_add(job, to, "{", 1) || !add_metadata(job, model, to))
		return false;
	for (size_t i = 0; i < model->count; i++) {
		if (!add_tensor(job, &model->entries[i], begin, to))
			return false;
		begin += model->entries[i].tensor->bytes;
	}
	if (!ck_text_add(job, to, "}", 1))
		return false;
	while (to->len % (align ? align : 8))
		if (!ck_text_add(job, to, " ", 1))
			return false;
	uint64_t size = to->len - sizeof length;
	if (size > HEADER_MAX)
		return ck_fail(job, CK_UNSUPPORTED, model->source->label,
		               "the header would need %llu bytes, but safetensors allows %d: too "
		               "many tensors or too long names for one file",
		               (unsigned long long)size, HEADER_MAX);
	for (size_t i = 0; i < sizeof length; i++)
		to->data[i] = (char)(size >> (8 * i));
	return true;
}

/* Readers look there for the library whose tensors these are. */
static bool add_format(ck_job *job, ck_model *model)
{
	static const char key[] = "format";
	for (size_t i = 0; i < model->metadata_count; i++)
		if (!strcmp(model->metadata[i].key, key))
			return true;
	return ck_model_add_metadata(job, model, key, "pt");
}

bool ck_safetensors_write(ck_job *job, ck_model *model, const ck_target *target, uint64_t *data)
{
	ck_text header = {0};
	ck_copy_plan plan = {0};
	if (!add_format(job, model))
		return false;
	qsort(model->entries, model->count, sizeof *model->entries, by_file_order);
	size_t *inputs = ck_alloc_array(job, model->storages + 1, sizeof *inputs);
	if (!inputs || !make_header(job, model, target->align, &header) ||
	    !ck_copy_reserve(job, &plan, model->count, model->count))
		return false;
	uint64_t to = *data = header.len;
	for (size_t i = 0; i < model->count; i++) {
		const ck_tensor *tensor = model->entries[i].tensor;
		if (!ck_plan_tensor(job, &plan, inputs, tensor, to) ||
		    !ck_add(to, tensor->bytes, &to))
			return false;
	}
	if (target->planned) {
		*target->planned += to;
		return true;
	}
	return ck_file_resize(job, target->file, to) &&
	       ck_file_write(job, target->file, 0, header.data, header.len) &&
	       ck_plan_run(job, &plan, target->file, target->threads);
}

static bool write_file(ck_job *job, ck_model *model, const ck_target *target)
{
	uint64_t data;
	return ck_safetensors_write(job, model, target, &data);
}

static bool check_file(ck_job *job, const ck_target *to)
{
	const ck_source *source = ck_file_source(job, to->file);
	return source && ck_safetensors_read(job, source);
}

const ck_writer ck_writer_safetensors = {
	.name = "safetensors", .suffix = ".safetensors", .about = "JSON header and flat buffer",
	.takes_shards = true, .takes_align = true, .lacks = lacks, .write = write_file,
	.check = check_file, .read = ck_read_back_safetensors,
};
