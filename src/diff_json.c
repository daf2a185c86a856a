/* What came of a comparison as JSON: one object, written piece by piece, because it may be as long
 * as there are tensors. */
#include <ckconv/diff.h>

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "json_names.h"
#include "model.h"

typedef struct {
	ck_job *job;
	ck_text text; /* of the piece; its memory is used again for the next */
	bool (*put)(void *arg, const char *text, size_t len);
	void *arg;
} printer;

static bool add(printer *p, const char *text)
{
	return ck_text_add(p->job, &p->text, text, strlen(text));
}

static bool add_string(printer *p, const char *key, const char *text)
{
	return ck_text_addf(p->job, &p->text, ",\"%s\":", key) &&
	       (text ? ck_json_name(p->job, &p->text, text, strlen(text)) : add(p, "null"));
}

static bool add_count(printer *p, const char *key, uint64_t count)
{
	return ck_text_addf(p->job, &p->text, ",\"%s\":%" PRIu64, key, count);
}

static bool add_bool(printer *p, const char *key, bool value)
{
	return ck_text_addf(p->job, &p->text, ",\"%s\":%s", key, value ? "true" : "false");
}

/* JSON has no infinity. */
static bool add_real(printer *p, const char *key, double value)
{
	if (isinf(value))
		return add_string(p, key, "inf");
	return ck_text_addf(p->job, &p->text, ",\"%s\":%.17g", key, value);
}

static bool add_list(printer *p, const char *key, const uint64_t *values, size_t count)
{
	if (!ck_text_addf(p->job, &p->text, ",\"%s\":[", key))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!ck_text_addf(p->job, &p->text, "%s%" PRIu64, i ? "," : "", values[i]))
			return false;
	return add(p, "]");
}

/* The position in C order as an index into each dimension. */
static bool add_index(printer *p, const char *key, const ck_tensor_info *info, uint64_t place)
{
	uint64_t index[CK_DIMS_MAX];
	for (size_t d = info->ndim; d-- > 0;) {
		index[d] = info->shape[d] ? place % info->shape[d] : 0;
		place /= info->shape[d] ? info->shape[d] : 1;
	}
	return add_list(p, key, index, info->ndim);
}

static bool add_tensor(printer *p, const char *key, bool is, const ck_tensor_info *info)
{
	return ck_text_addf(p->job, &p->text, ",\"%s\":", key) &&
	       (is ? add(p, "{\"dtype\":") &&
	             ck_json_name(p->job, &p->text, info->torch_dtype,
	                          strlen(info->torch_dtype)) &&
	             add_list(p, "shape", info->shape, info->ndim) &&
	             add_count(p, "bytes", info->bytes) && add(p, "}")
	           : add(p, "null"));
}

static bool add_sizes(printer *p, const ck_difference *d)
{
	if (!d->numbers)
		return true;
	return (d->whole ? add_count(p, "max_abs", d->max_whole)
	                 : add_real(p, "max_abs", d->max_abs)) &&
	       add_real(p, "max_rel", d->max_rel) && add_count(p, "nan_a", d->nan_a) &&
	       add_count(p, "nan_b", d->nan_b) && add_count(p, "nan_both", d->nan_both);
}

static bool add_difference(printer *p, const ck_difference *d)
{
	const bool both = d->in_a && d->in_b;
	if (!add(p, "{\"name\":") ||
	    !ck_json_name(p->job, &p->text, d->name, d->name_len) ||
	    !add_tensor(p, "a", d->in_a, &d->a) || !add_tensor(p, "b", d->in_b, &d->b))
		return false;
	if (both && (!add_bool(p, "dtype_differs", d->dtype) ||
	             !add_bool(p, "shape_differs", d->shape) ||
	             !add_bool(p, "values_differ", d->values)))
		return false;
	if (d->compared && (!add_count(p, "elements", d->elements) ||
	                    !add_count(p, "differing", d->differing) ||
	                    (d->differing && !add_index(p, "first", &d->a, d->first)) ||
	                    !add_sizes(p, d)))
		return false;
	return add(p, "}");
}

static bool add_file(printer *p, const char *key, const ck_diff_result *r, int i)
{
	return ck_text_addf(p->job, &p->text, ",\"%s\":{", key) &&
	       ck_json_path(p->job, &p->text, r->path[i]) &&
	       add_string(p, "format", r->layout[i]) &&
	       add_count(p, "tensors", r->tensors[i]) && add_count(p, "only", r->only[i]) &&
	       add(p, "}");
}

static bool add_head(printer *p, const ck_diff_result *r)
{
	return ck_text_addf(p->job, &p->text, "{\"schema\":%d", CK_DIFF_SCHEMA) &&
	       add_bool(p, "same", r->same) && add_file(p, "a", r, 0) && add_file(p, "b", r, 1) &&
	       add_count(p, "both", r->both) && add_count(p, "equal", r->equal) &&
	       add_count(p, "dtypes", r->dtypes) && add_count(p, "shapes", r->shapes) &&
	       add_count(p, "values", r->values) && add_real(p, "max_abs", r->max_abs) &&
	       add_real(p, "max_rel", r->max_rel) && add(p, ",\"differences\":[");
}

static bool put_piece(printer *p)
{
	bool ok = p->put(p->arg, p->text.data, p->text.len);
	p->text.len = 0;
	return ok;
}

bool ck_diff_json(ck_job *job, const ck_diff_result *r,
                  bool (*put)(void *arg, const char *text, size_t len), void *arg)
{
	printer p = {.job = job, .put = put, .arg = arg};
	if (!add_head(&p, r) || !put_piece(&p))
		return false;
	for (size_t i = 0; i < r->count; i++)
		if ((i && !add(&p, ",")) || !add_difference(&p, &r->differences[i]) ||
		    !put_piece(&p))
			return false;
	return add(&p, "]}") && put_piece(&p);
}
