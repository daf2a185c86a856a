/* All values of a checkpoint as JSON, for --extras: what is no JSON is marked with a key that
 * begins with '$', and tensors are references to the names under which they were written. */
#include "load.h"
#include "numpy.h"

#include <string.h>

/* LEVELS of recursion fit the smallest stack that a thread is likely to have. */
enum { LEVELS = 400, CHUNK = 3 * 1024 };
enum { TEXT_FREE = 64 << 20 }; /* bytes of text that the limit `expand` does not count */

enum { STEPS = 3 }; /* a tensor may have been split, cast, and dropped as a tie */

enum { CLOSED = 0x40, OPENED }; /* marks of our own in ck_value.mark */

typedef struct {
	ck_loaded *loaded;
	ck_torch *torch; /* of the value that is printed */
	ck_job *job;
	ck_text *to;
	uint64_t visits, most; /* bytes of text, which is made in memory */
	ck_map names; /* address of a ck_tensor -> entry of the model */
} extras;

static bool print_value(extras *x, ck_value *value, int depth);

static bool raw(extras *x, const char *text)
{
	return ck_text_add(x->job, x->to, text, strlen(text));
}

static bool quoted(extras *x, const char *text, size_t len)
{
	return ck_json_string(x->job, x->to, text, len);
}

/* {"$KIND": "text"} */
static bool marked(extras *x, const char *kind, const char *text, size_t len)
{
	return raw(x, "{\"$") && raw(x, kind) && raw(x, "\":") && quoted(x, text, len) &&
	       raw(x, "}");
}

static bool print_float(extras *x, const ck_value *value)
{
	ck_text text = {0};
	if (!ck_print_float(x->job, &text, value->f))
		return false;
	if (value->f - value->f == 0)
		return ck_text_add(x->job, x->to, text.data, text.len);
	return marked(x, "float", text.data, text.len);
}

static bool print_long(extras *x, const ck_value *value)
{
	ck_text text = {0};
	if (!ck_print_integer(x->job, &text, value))
		return false;
	if (value->text.len <= CK_DECIMAL_BYTES)
		return ck_text_add(x->job, x->to, text.data, text.len);
	return marked(x, "int", text.data, text.len);
}

/* ---- bytes ---- */

static void base64(const unsigned char *p, size_t len, char out[4])
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t bits = (uint32_t)p[0] << 16 | (len > 1 ? (uint32_t)p[1] << 8 : 0) |
	                (len > 2 ? p[2] : 0u);
	out[0] = digits[bits >> 18];
	out[1] = digits[bits >> 12 & 63];
	out[2] = len > 1 ? digits[bits >> 6 & 63] : '=';
	out[3] = len > 2 ? digits[bits & 63] : '=';
}

static bool print_bytes(extras *x, const ck_value *value)
{
	if (!raw(x, "{\"$bytes\":\""))
		return false;
	for (uint64_t at = 0; at < value->text.len; at += CHUNK) {
		unsigned char chunk[CHUNK];
		char out[4];
		uint64_t left = value->text.len - at;
		size_t size = left < CHUNK ? (size_t)left : CHUNK;
		if (value->text.data)
			memcpy(chunk, value->text.data + at, size);
		else if (!ck_read_at(x->job, x->torch->pickle, value->at + at, chunk, size))
			return false;
		for (size_t i = 0; i < size; i += 3) {
			base64(chunk + i, size - i, out);
			if (!ck_text_add(x->job, x->to, out, 4))
				return false;
		}
	}
	return raw(x, "\"}");
}

/* ---- containers ---- */

static bool print_items(extras *x, const ck_items *items, bool *first, int depth)
{
	for (size_t i = 0; i < items->count; i++) {
		if ((!*first && !raw(x, ",")) || !print_value(x, items->item[i], depth))
			return false;
		*first = false;
	}
	return true;
}

static bool print_array(extras *x, const ck_items *items, int depth)
{
	bool first = true;
	return raw(x, "[") && print_items(x, items, &first, depth) && raw(x, "]");
}

/* Keys that can be those of a JSON object, and are not taken for one of our marks. */
static bool all_text(const ck_items *pairs)
{
	const char *text;
	size_t len;
	for (size_t i = 0; i < pairs->count; i += 2)
		if (!ck_value_text(pairs->item[i], &text, &len) || (len && *text == '$'))
			return false;
	return true;
}

/* Keys and values as members of an object. */
static bool print_members(extras *x, const ck_items *pairs, bool *first, int depth)
{
	for (size_t i = 0; i < pairs->count; i += 2) {
		size_t len;
		const char *key = ck_key_name(x->torch, pairs->item[i], &len);
		if (!key || (!*first && !raw(x, ",")) || !quoted(x, key, len) || !raw(x, ":") ||
		    !print_value(x, pairs->item[i + 1], depth))
			return false;
		*first = false;
	}
	return true;
}

/* A mapping with a key that is no text: {"$dict": [[key, value], ...]}. */
static bool print_keyed(extras *x, const ck_view *view, int depth)
{
	bool first = true;
	if (!raw(x, "{\"$dict\":["))
		return false;
	for (size_t p = 0; p < view->parts; p++) {
		const ck_items *pairs = view->part[p].items;
		for (size_t i = 0; view->part[p].pairs && i < pairs->count; i += 2) {
			ck_items pair = {.item = &pairs->item[i], .count = 2};
			if ((!first && !raw(x, ",")) || !print_array(x, &pair, depth))
				return false;
			first = false;
		}
	}
	return raw(x, "]}");
}

static bool print_mapping(extras *x, const ck_view *view, int depth)
{
	bool first = true;
	for (size_t i = 0; i < view->parts; i++)
		if (!view->part[i].pairs || !all_text(view->part[i].items))
			return print_keyed(x, view, depth);
	if (!raw(x, "{"))
		return false;
	for (size_t i = 0; i < view->parts; i++)
		if (!print_members(x, view->part[i].items, &first, depth))
			return false;
	return raw(x, "}");
}

static bool print_sequence(extras *x, const ck_view *view, int depth)
{
	bool first = true;
	if (!raw(x, "["))
		return false;
	for (size_t p = 0; p < view->parts; p++)
		if (!print_items(x, view->part[p].items, &first, depth))
			return false;
	return raw(x, "]");
}

/* Everything that was recorded of a call, since nobody knows what it would have made. */
static bool print_call(extras *x, const ck_call *call, int depth)
{
	ck_shown about = ck_value_about(call->callee);
	const ck_later *later = ck_call_later(call);
	if (!raw(x, "{\"$object\":") || !quoted(x, about.s, strlen(about.s)) ||
	    !raw(x, ",\"args\":") || !print_array(x, call->args->items, depth))
		return false;
	if (call->kwargs && (!raw(x, ",\"kwargs\":") || !print_value(x, call->kwargs, depth)))
		return false;
	if (later->items.count && (!raw(x, ",\"items\":") || !print_array(x, &later->items, depth)))
		return false;
	if (later->pairs.count && (!raw(x, ",\"pairs\":") || !print_array(x, &later->pairs, depth)))
		return false;
	if (later->states.count &&
	    (!raw(x, ",\"state\":") || !print_array(x, &later->states, depth)))
		return false;
	return raw(x, "}");
}

/* ---- tensors ---- */

static bool index_names(extras *x)
{
	const ck_model *model = x->loaded->model;
	bool fresh;
	for (size_t i = 0; i < model->count; i++) {
		const ck_entry *entry = &model->entries[i];
		uint64_t *place = ck_map_put(x->job, &x->names, &entry->tensor,
		                             sizeof entry->tensor, &fresh);
		if (!place)
			return false;
		if (fresh)
			*place = i;
	}
	return true;
}

/* {"$tensor": "name"}, with the attributes of a parameter that has some. */
static bool print_tensor(extras *x, const ck_view *view, int depth)
{
	const ck_made *made = view->made;
	const ck_tensor *tensor = made->tensor ? made->tensor : made->beside[0].tensor;
	const ck_tensor *written = tensor;
	for (int i = 0; i < STEPS && written->same; i++)
		written = written->same;
	const uint64_t *place = ck_map_find(x->job, &x->names, &written, sizeof written);
	const ck_entry *entry = place ? &x->loaded->model->entries[*place] : NULL;
	if (!raw(x, "{\"$tensor\":") ||
	    !(entry ? quoted(x, entry->name, entry->name_len) : raw(x, "null")))
		return false;
	if (view->state && (!raw(x, ",\"state\":") || !print_value(x, view->state, depth)))
		return false;
	return raw(x, "}");
}

/* ---- values ---- */

static bool print_parts(extras *x, const ck_value *value, const ck_view *view, int depth)
{
	if (view->is_object)
		return print_call(x, value->call, depth);
	return view->is_dict ? print_mapping(x, view, depth) : print_sequence(x, view, depth);
}

/* A NumPy scalar is printed as the number that it is. */
static bool print_called(extras *x, const ck_value *value, int depth)
{
	ck_value number[2] = {{0}};
	size_t count;
	if (!ck_numpy_scalar(x->torch, value, number, &count))
		return false;
	if (count == 1)
		return print_value(x, number, depth);
	if (!count)
		return print_call(x, value->call, depth);
	return raw(x, "{\"$complex\":[") && print_float(x, &number[0]) && raw(x, ",") &&
	       print_float(x, &number[1]) && raw(x, "]}");
}

static bool print_leaf(extras *x, const ck_value *value, const ck_view *view, int depth)
{
	ck_shown about = ck_value_about(value);
	const char *text;
	size_t len;
	if (ck_value_text(value, &text, &len))
		return quoted(x, text, len);
	switch ((ck_kind)value->kind) {
	case CK_NONE:
		return raw(x, "null");
	case CK_BOOL:
		return raw(x, value->b ? "true" : "false");
	case CK_INT:
		return ck_print_integer(x->job, x->to, value);
	case CK_LONG:
		return print_long(x, value);
	case CK_FLOAT:
		return print_float(x, value);
	case CK_BYTES:
		return print_bytes(x, value);
	case CK_GLOBAL:
		return marked(x, "global", about.s, strlen(about.s));
	case CK_CALL:
		return print_called(x, value, depth);
	case CK_PERSID:
		return raw(x, "{\"$persistent_id\":") && print_value(x, value->pid, depth) &&
		       raw(x, "}");
	default:
		return marked(x, "other", view->about, strlen(view->about));
	}
}

static bool print_inner(extras *x, ck_torch *inner, int depth)
{
	ck_torch *outer = x->torch;
	x->torch = inner;
	bool ok = print_value(x, inner->root, depth);
	x->torch = outer;
	return ok;
}

/* A long text that a list names a million times is as long as that in JSON. */
static bool check_length(extras *x)
{
	return x->to->len <= x->most ||
	       ck_fail(x->job, CK_LIMIT, x->torch->pickle->label,
	               "--extras would write over %llu bytes, many times what the file has; if it "
	               "can be trusted to need it, raise the limit with --limit expand=N",
	               (unsigned long long)x->most);
}

static bool print_value(extras *x, ck_value *value, int depth)
{
	ck_view view;
	if (depth > LEVELS)
		return ck_fail(x->job, CK_LIMIT, x->torch->pickle->label,
		               "values nested deeper than %d levels cannot go to --extras", LEVELS);
	if (x->visits % 4096 == 0 && ck_stopped(x->job))
		return false;
	if (!ck_within(x->job, x->torch->pickle->label, visits, ++x->visits) ||
	    !check_length(x) || !ck_view_value(x->torch, value, x->loaded->model->top, &view))
		return false;
	if (view.kind == CK_IS_TENSOR)
		return print_tensor(x, &view, depth + 1);
	if (view.kind == CK_IS_INNER)
		return print_inner(x, view.inner, depth + 1);
	if (view.kind != CK_HAS_PARTS)
		return print_leaf(x, value, &view, depth + 1);
	if (value->mark == OPENED)
		return raw(x, "{\"$cycle\":true}");
	value->mark = OPENED;
	bool ok = print_parts(x, value, &view, depth + 1);
	value->mark = CLOSED;
	return ok;
}

/* Those of several files in the order of the files. */
static ck_torch *turned(ck_torch *unit)
{
	ck_torch *done = NULL;
	for (ck_torch *next; unit; unit = next) {
		next = unit->next;
		unit->next = done;
		done = unit;
	}
	return done;
}

/* Several pickles: an object with each one's values under the name of its place. */
static bool print_units(extras *x, ck_torch *unit)
{
	const ck_model *model = x->loaded->model;
	if (unit && !unit->next && unit->path == model->top && !unit->file)
		return print_inner(x, unit, 0);
	if (!raw(x, "{"))
		return false;
	for (; unit; unit = unit->next) {
		size_t len;
		const char *name = ck_path_name(x->job, unit->path, model->top, &len);
		if (unit->file && unit->path == model->top) {
			name = unit->file;
			len = strlen(name);
		} else if (unit->title) {
			name = unit->title;
			len = strlen(name);
		}
		if (!name || !quoted(x, name, len) || !raw(x, ":") || !print_inner(x, unit, 1) ||
		    (unit->next && !raw(x, ",")))
			return false;
	}
	return raw(x, "}");
}

bool ck_extras_print(ck_loaded *loaded, ck_text *to)
{
	extras x = {.loaded = loaded, .job = loaded->job, .to = to};
	if (!ck_mul(loaded->model->bytes, x.job->limits.expand, &x.most) ||
	    !ck_add(x.most, TEXT_FREE, &x.most))
		x.most = UINT64_MAX;
	if (loaded->file)
		loaded->units = turned(loaded->units);
	return index_names(&x) && print_units(&x, loaded->units) && raw(&x, "\n");
}
