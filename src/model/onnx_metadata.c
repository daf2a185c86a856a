/* Reads what an ONNX model says of itself: metadata_props. */
#include "model.h"

/* Numbers of fields (onnx.proto; proto/README.md lists all that are used). */
enum { MODEL_METADATA_PROPS = 14, ENTRY_KEY = 1, ENTRY_VALUE = 2 };

static bool read_text(ck_pb *pb, const ck_pb_field *field, const char **text, size_t *len)
{
	char *to = field->is_bytes ? ck_alloc_array(pb->job, field->len + 1, 1) : NULL;
	if (!field->is_bytes)
		return ck_fail_at(pb->job, CK_CORRUPT, pb->source->label, field->at,
		                  "an entry of the metadata is no text");
	*text = to;
	*len = (size_t)field->len;
	return to && ck_read_at(pb->job, pb->source, field->from, to, *len);
}

static bool read_entry(ck_pb *pb, const ck_pb_field *entry, ck_st_pair *pair)
{
	ck_pb_field field;
	uint64_t at = entry->from, end = entry->from + entry->len;
	*pair = (ck_st_pair){"", 0, "", 0};
	while (at < end) {
		if (!ck_pb_next(pb, &at, end, &field) ||
		    (field.field == ENTRY_KEY &&
		     !read_text(pb, &field, &pair->key, &pair->key_len)) ||
		    (field.field == ENTRY_VALUE &&
		     !read_text(pb, &field, &pair->value, &pair->value_len)))
			return false;
	}
	return true;
}

bool ck_onnx_metadata(ck_job *job, const ck_source *source, const ck_st_pair **pairs, size_t *count)
{
	ck_pb *pb = ck_alloc(job, sizeof *pb);
	ck_st_pair *list = NULL;
	ck_pb_field field;
	size_t cap = 0;
	*count = 0;
	if (!pb)
		return false;
	*pb = (ck_pb){.job = job, .source = source};
	for (uint64_t at = 0; at < source->size;) {
		if (!ck_pb_next(pb, &at, source->size, &field))
			return false;
		if (field.field != MODEL_METADATA_PROPS || !field.is_bytes)
			continue;
		ck_st_pair *grown = ck_grow(job, list, &cap, *count + 1, sizeof *grown);
		if (!grown || !read_entry(pb, &field, &grown[*count]))
			return false;
		list = grown;
		++*count;
	}
	*pairs = list;
	return true;
}
