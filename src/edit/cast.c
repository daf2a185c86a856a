/* --cast TYPE[:GLOB]: floating tensors become another type on their way. */
#include "edit.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

typedef struct {
	const char *text; /* as it was given */
	ck_dtype to;
	const char *glob; /* NULL: all names */
	bool matched;     /* a name */
	size_t cast, left; /* tensors that are written: that it changed; that are not floating */
} rule;

struct ck_casts {
	rule *rules;
	size_t count;
};

static const struct {
	const char *name;
	ck_dtype dtype;
} names[] = {
	{"f64", CK_DT_F64},         {"f32", CK_DT_F32},         {"f16", CK_DT_F16},
	{"bf16", CK_DT_BF16},       {"f8_e4m3", CK_DT_F8_E4M3}, {"f8_e5m2", CK_DT_F8_E5M2},
	/* as torch calls them, and as others do */
	{"float64", CK_DT_F64},     {"float32", CK_DT_F32},     {"float16", CK_DT_F16},
	{"bfloat16", CK_DT_BF16},   {"float8_e4m3fn", CK_DT_F8_E4M3},
	{"float8_e5m2", CK_DT_F8_E5M2},
	{"double", CK_DT_F64},      {"float", CK_DT_F32},       {"half", CK_DT_F16},
	{"fp64", CK_DT_F64},        {"fp32", CK_DT_F32},        {"fp16", CK_DT_F16},
};

static bool parse(ck_job *job, const char *text, rule *to)
{
	size_t len = strcspn(text, ":");
	*to = (rule){.text = text, .glob = text[len] ? text + len + 1 : NULL};
	for (size_t i = 0; i < CK_COUNT(names); i++)
		if (strlen(names[i].name) == len && !strncasecmp(names[i].name, text, len)) {
			to->to = names[i].dtype;
			return !to->glob || *to->glob ||
			       ck_fail(job, CK_USAGE, "", "--cast '%s' has an empty GLOB",
			               ck_show(text, strlen(text)).s);
		}
	return ck_fail(job, CK_USAGE, "", "--cast takes f64, f32, f16, bf16, f8_e4m3 or f8_e5m2, "
	               "with :GLOB behind it or not, not '%s'", ck_show(text, strlen(text)).s);
}

ck_casts *ck_casts_new(ck_job *job, const ck_words *words)
{
	ck_casts *casts = ck_alloc(job, sizeof *casts);
	if (!casts)
		return NULL;
	*casts = (ck_casts){ck_alloc_array(job, words->count + 1, sizeof *casts->rules),
	                    words->count};
	for (size_t i = 0; casts->rules && i < words->count; i++)
		if (!parse(job, words->text[i], &casts->rules[i]))
			return NULL;
	return casts->rules ? casts : NULL;
}

/* The last rule that matches; all are asked, so that each knows whether it was of use. */
static rule *find(ck_casts *casts, const ck_entry *entry)
{
	rule *found = NULL;
	for (size_t i = 0; i < casts->count; i++) {
		rule *r = &casts->rules[i];
		if (r->glob && !ck_glob_matches(r->glob, entry->name, entry->name_len))
			continue;
		r->matched = true;
		found = r;
	}
	return found;
}

static bool is_left(const ck_tensor *tensor)
{
	return tensor->exact || !ck_cast_is_float(tensor->dtype);
}

static bool apply(ck_job *job, rule *r, ck_entry *entry)
{
	ck_tensor *tensor = entry->tensor;
	if (is_left(tensor) || tensor->dtype == r->to)
		return true;
	entry->tensor = ck_tensor_cast_late(job, tensor, r->to);
	return entry->tensor;
}

static void tell(ck_job *job, const rule *r)
{
	char left[128] = "";
	ck_shown text = ck_show(r->text, strlen(r->text));
	if (r->glob && !r->matched) {
		ck_note(job, "--cast '%s' matches no name", text.s);
		return;
	}
	if (r->glob && r->left)
		snprintf(left, sizeof left, "; %s, not floating, %s left as %s",
		         ck_many(r->left, "tensor").s, r->left == 1 ? "was" : "were",
		         r->left == 1 ? "it is" : "they are");
	ck_note(job, "--cast '%s' cast %s to %s%s", text.s,
	        r->cast ? ck_many(r->cast, "tensor").s : "no tensor",
	        ck_dtype_table[r->to].torch, left);
}

bool ck_edit_cast(ck_job *job, ck_model *model, ck_casts *casts)
{
	for (size_t i = 0; i < model->count; i++) {
		rule *r = find(casts, &model->entries[i]);
		if (r && !apply(job, r, &model->entries[i]))
			return false;
	}
	return true;
}

void ck_edit_tell_cast(ck_job *job, const ck_model *model, ck_casts *casts)
{
	for (size_t i = 0; i < model->count; i++) {
		rule *r = find(casts, &model->entries[i]);
		if (!r)
			continue;
		r->cast += model->entries[i].tensor->cast;
		r->left += is_left(model->entries[i].tensor);
	}
	for (size_t i = 0; i < casts->count; i++)
		tell(job, &casts->rules[i]);
}

void ck_edit_tell_lost(ck_job *job, const ck_model *model)
{
	const ck_entry *first = NULL;
	size_t tensors = 0;
	uint64_t values = 0;
	for (size_t i = 0; i < model->count; i++) {
		const ck_tensor *tensor = model->entries[i].tensor;
		if (!tensor->cast || !*tensor->lost)
			continue;
		first = first ? first : &model->entries[i];
		values += *tensor->lost;
		tensors++;
	}
	if (first)
		ck_note(job, "--cast: %s of %s %s out of the range of the new type and became "
		        "infinite or NaN, first in '%s' (%s)",
		        ck_many(values, "finite value").s, ck_many(tensors, "tensor").s,
		        values == 1 ? "was" : "were", ck_show(first->name, first->name_len).s,
		        ck_dtype_table[first->tensor->dtype].torch);
}
