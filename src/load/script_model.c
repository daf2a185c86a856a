/* The layout of torch.jit.save from PyTorch 1.0 to 1.3: model.json with the tree of modules and a
 * table of tensors, whose bytes are members; and attributes.pkl (since 1.1) with what else modules
 * hold. The tree becomes dicts in dicts, whose leaves name rows of the table, and is then walked as
 * any other. */
#include "script.h"

#include <string.h>

#include "rebuild.h"
#include "trace.h"
#include "view.h"

enum { LEVELS = 500 }; /* modules in modules; cJSON reads no more */

/* A row of the table. */
typedef struct {
	const ck_json_node *node;
	ck_made *made; /* once it was asked for */
} row;

typedef struct {
	ck_torch *torch;
	ck_folder folder;
	ck_map records;        /* member -> storage */
	const char *label;     /* of model.json */
	row *rows;
	size_t count, cap;
	const ck_items *values; /* what attributes.pkl holds, or NULL */
} legacy;

/* ---- tensors ---- */

/* The dtypes of Caffe2, by the names that protobuf prints. */
static const struct {
	const char *name;
	ck_dtype dtype;
} dtypes[] = {
	{"FLOAT", CK_DT_F32}, {"DOUBLE", CK_DT_F64}, {"FLOAT16", CK_DT_F16},
	{"INT64", CK_DT_I64}, {"INT32", CK_DT_I32}, {"INT16", CK_DT_I16}, {"INT8", CK_DT_I8},
	{"UINT8", CK_DT_U8}, {"BYTE", CK_DT_U8}, {"BOOL", CK_DT_BOOL},
};

static bool read_dtype(const char *name, ck_dtype *dtype)
{
	for (size_t i = 0; name && i < CK_COUNT(dtypes); i++)
		if (strcmp(name, dtypes[i].name) == 0) {
			*dtype = dtypes[i].dtype;
			return true;
		}
	return false;
}

/* A count that may be left out, and is then 0. */
static bool read_count(legacy *l, const ck_json_node *of, const char *key, uint64_t *count)
{
	int64_t value = 0;
	const ck_json_node *node = ck_json_get(of, key);
	if ((node && !ck_json_integer(node, &value)) || value < 0)
		return ck_fail(l->torch->job, CK_CORRUPT, l->label,
		               "the '%s' of a tensor or parameter must be a count", key);
	*count = (uint64_t)value;
	return true;
}

static bool read_counts(legacy *l, const ck_json_node *list, uint64_t **counts, size_t *n)
{
	*n = 0;
	*counts = ck_alloc_array(l->torch->job, CK_DIMS_MAX, sizeof **counts);
	if (!*counts)
		return false;
	for (const ck_json_node *i = ck_json_first(list); i; i = ck_json_next(i)) {
		int64_t value;
		if (*n == CK_DIMS_MAX || !ck_json_integer(i, &value) || value < 0)
			return ck_fail(l->torch->job, CK_CORRUPT, l->label,
			               "the sizes and strides of a tensor must be at most %d "
			               "counts", CK_DIMS_MAX);
		(*counts)[(*n)++] = (uint64_t)value;
	}
	return true;
}

static bool read_storage(legacy *l, const ck_json_node *node, ck_tensor *tensor)
{
	const char *key = ck_json_string_of(ck_json_get(ck_json_get(node, "data"), "key"));
	ck_job *job = l->torch->job;
	ck_member *member = key ? ck_folder_member(job, &l->folder, key) : NULL;
	if (!member)
		return ck_fail(job, CK_CORRUPT, l->label, "the member '%s' of a tensor is missing",
		               key ? ck_show(key, strlen(key)).s : "");
	tensor->storage = ck_folder_record(l->torch->loaded, &l->folder, &l->records, member);
	return tensor->storage;
}

static bool read_tensor(legacy *l, const ck_json_node *node, ck_made *made)
{
	size_t strides;
	const char *type = ck_json_string_of(ck_json_get(node, "dataType"));
	ck_tensor *tensor = ck_made_tensor(l->torch, made);
	if (!tensor || !read_counts(l, ck_json_get(node, "dims"), &tensor->shape, &tensor->ndim) ||
	    !read_counts(l, ck_json_get(node, "strides"), &tensor->stride, &strides) ||
	    !read_count(l, node, "offset", &tensor->start))
		return false;
	if (strides != tensor->ndim)
		return ck_fail(l->torch->job, CK_CORRUPT, l->label,
		               "a tensor of %s has %s", ck_many(tensor->ndim, "dimension").s,
		               ck_many(strides, "stride").s);
	if (ck_json_is_true(ck_json_get(node, "isQuantized"))) {
		made->kind = CK_MADE_UNSUPPORTED;
		made->about = "quantized tensor";
		return true;
	}
	if (!read_dtype(type, &tensor->dtype)) {
		made->kind = CK_MADE_UNSUPPORTED;
		made->about = "tensor of an unknown type";
		return true;
	}
	return read_storage(l, node, tensor);
}

/* The id of a tensor: an INT, a tuple of one, or a PERSID of one, as the tree names it. */
static bool find_tensor(ck_torch *torch, const ck_value *id, ck_made *made)
{
	legacy *l = torch->arg;
	if (id->kind == CK_PERSID)
		id = id->pid;
	if (id->kind == CK_TUPLE && id->items->count == 1)
		id = id->items->item[0];
	if (id->kind != CK_INT || id->i < 0 || (uint64_t)id->i >= l->count)
		return ck_fail(torch->job, CK_CORRUPT, l->label,
		               "there is no tensor of the number that a parameter, a buffer or "
		               "an attribute names; there are %zu", l->count);
	row *found = &l->rows[id->i];
	if (!found->made) {
		found->made = ck_alloc(torch->job, sizeof *found->made);
		if (!found->made || !read_tensor(l, found->node, found->made))
			return false;
	}
	*made = *found->made;
	return true;
}

bool ck_rebuild_numbered(ck_torch *torch, const ck_value *value, ck_made *made)
{
	const ck_items *states = &ck_call_later(value->call)->states;
	const ck_value *id = states->count ? states->item[0] : ck_argument(value, 0);
	if (id && torch->persistent)
		return torch->persistent(torch, id, made);
	made->kind = CK_MADE_UNSUPPORTED;
	made->about = "tensor of a table that is not there";
	return true;
}

/* ---- the tree ---- */

static ck_value *new_value(legacy *l, ck_kind kind)
{
	ck_value *value = ck_alloc(l->torch->job, sizeof *value);
	if (value)
		value->kind = (uint8_t)kind;
	return value;
}

static bool add(legacy *l, ck_value *to, const ck_json_node *name, ck_value *value)
{
	const char *text = ck_json_string_of(name);
	ck_value *key = new_value(l, CK_STR);
	if (!key || !value)
		return false;
	if (!text)
		return ck_fail(l->torch->job, CK_CORRUPT, l->label,
		               "every module, parameter and attribute must have a name");
	key->text.data = text;
	key->text.len = strlen(text);
	return ck_items_push(l->torch->job, to->items, key) &&
	       ck_items_push(l->torch->job, to->items, value);
}

static bool add_parameters(legacy *l, const ck_json_node *list, ck_value *to)
{
	for (const ck_json_node *i = ck_json_first(list); i; i = ck_json_next(i)) {
		uint64_t id = 0;
		ck_value *tensor = new_value(l, CK_PERSID), *number = new_value(l, CK_INT);
		if (!tensor || !number || !read_count(l, i, "tensorId", &id))
			return false;
		number->i = (int64_t)id;
		tensor->pid = number;
		if (!add(l, to, ck_json_get(i, "name"), tensor))
			return false;
	}
	return true;
}

/* The value of attributes.pkl of that number; *value is NULL if it is -1: there is none. */
static bool find_value(legacy *l, const ck_json_node *number, ck_value **value)
{
	int64_t id;
	*value = NULL;
	if (!ck_json_integer(number, &id))
		return ck_fail(l->torch->job, CK_CORRUPT, l->label,
		               "the number of an attribute must be a whole number");
	if (id < 0)
		return true;
	if (!l->values || (uint64_t)id >= l->values->count)
		return ck_fail(l->torch->job, CK_CORRUPT, l->label,
		               "attribute %lld is not in attributes.pkl, which holds %u",
		               (long long)id, l->values ? l->values->count : 0);
	*value = l->values->item[id];
	return true;
}

/* Buffers are listed as attributes, too. */
static bool add_attributes(legacy *l, const ck_json_node *list, ck_value *to)
{
	for (const ck_json_node *i = ck_json_first(list); i; i = ck_json_next(i)) {
		ck_value *value;
		const ck_json_node *name = ck_json_get(i, "name");
		const char *text = ck_json_string_of(name);
		if (text && ck_item_named(l->torch, to->items, text))
			continue;
		if (!find_value(l, ck_json_get(i, "id"), &value) ||
		    (value && !add(l, to, name, value)))
			return false;
	}
	return true;
}

static ck_value *make_module(legacy *l, const ck_json_node *module, int level);

static bool add_modules(legacy *l, const ck_json_node *list, ck_value *to, int level)
{
	for (const ck_json_node *i = ck_json_first(list); i; i = ck_json_next(i))
		if (!add(l, to, ck_json_get(i, "name"), make_module(l, i, level + 1)))
			return false;
	return true;
}

/* What a module gave to be saved, where it has a way of its own. */
static bool add_state(legacy *l, const ck_json_node *module, ck_value *to)
{
	ck_value *value = NULL, *key = new_value(l, CK_STR);
	const ck_json_node *id = ck_json_get(module, "getStateAttributeId");
	if (!key || (id && !find_value(l, id, &value)))
		return false;
	key->text.data = "__getstate__";
	key->text.len = strlen(key->text.data);
	return !value || (ck_items_push(l->torch->job, to->items, key) &&
	                  ck_items_push(l->torch->job, to->items, value));
}

static ck_value *make_module(legacy *l, const ck_json_node *module, int level)
{
	ck_value *dict = new_value(l, CK_DICT);
	if (!dict || level > LEVELS) {
		if (dict)
			ck_fail(l->torch->job, CK_LIMIT, l->label,
			        "modules in modules, more than %d deep", LEVELS);
		return NULL;
	}
	bool ok = add_parameters(l, ck_json_get(module, "parameters"), dict) &&
	          add_attributes(l, ck_json_get(module, "attributes"), dict) &&
	          add_modules(l, ck_json_get(module, "submodules"), dict, level) &&
	          add_state(l, module, dict) && ck_items_settle(l->torch->job, dict->items, 2);
	return ok ? dict : NULL;
}

/* ---- the layout ---- */

static bool read_rows(legacy *l, const ck_json_node *tensors)
{
	for (const ck_json_node *i = ck_json_first(tensors); i; i = ck_json_next(i)) {
		row *grown = ck_grow(l->torch->job, l->rows, &l->cap, l->count + 1, sizeof *grown);
		if (!grown)
			return false;
		l->rows = grown;
		grown[l->count++] = (row){.node = i};
	}
	return true;
}

/* A list or a tuple, by the release. */
static bool read_values(legacy *l)
{
	ck_torch *torch = l->torch;
	if (!torch->root)
		return true;
	if (torch->root->kind != CK_LIST && torch->root->kind != CK_TUPLE)
		return ck_fail(torch->job, CK_CORRUPT, torch->pickle->label,
		               "attributes.pkl must hold a tuple or a list, not %s",
		               ck_value_about(torch->root).s);
	l->values = torch->root->items;
	return true;
}

static bool load_constant(legacy *l, size_t number, const ck_path *up)
{
	ck_made made = {0};
	ck_text key = {0};
	ck_torch *torch = l->torch;
	ck_value id = {.kind = CK_INT, .i = (int64_t)number};
	if (!find_tensor(torch, &id, &made) || !ck_text_addf(torch->job, &key, "%zu", number))
		return false;
	const ck_path *path = ck_path_new(torch->job, up, key.data, key.len, false);
	if (!path)
		return false;
	if (made.kind != CK_MADE_TENSOR)
		return ck_model_add_other(torch->job, torch->model, path, made.about,
		                          CK_OTHER_UNSUPPORTED);
	return ck_tensor_check(torch->job, made.tensor, l->label, ck_path_show(path).s) &&
	       ck_load_tensor(torch->loaded, path, made.tensor);
}

/* Rows of the table that nothing named are the constants of the code, CONSTANTS.cN. */
static bool load_constants(legacy *l, const ck_path *at)
{
	static const char folder[] = "constants";
	size_t count = 0;
	ck_job *job = l->torch->job;
	const ck_path *up = ck_path_new(job, at, folder, sizeof folder - 1, true);
	for (size_t i = 0; up && i < l->count; i++) {
		if (l->rows[i].made)
			continue;
		if (!load_constant(l, i, up))
			return false;
		count++;
	}
	ck_script_tell_constants(job, count);
	return up;
}

static bool load_model(legacy *l, const ck_json_node *model, const ck_path *at)
{
	ck_torch *torch = l->torch;
	const ck_json_node *top = ck_json_get(model, "mainModule");
	if (!ck_json_is_object(top))
		return ck_fail(torch->job, CK_CORRUPT, l->label,
		               "there is no mainModule in it, so it is not a TorchScript model");
	if (!read_rows(l, ck_json_get(model, "tensors")) || !read_values(l))
		return false;
	torch->root = make_module(l, top, 0);
	if (!torch->root || !ck_walk(torch, at))
		return false;
	if (at == torch->model->top) /* modules are no homes of weights: all of it is one model */
		torch->model->is_mapping = false;
	return load_constants(l, at);
}

static bool probe(ck_job *job, const ck_input *in)
{
	ck_folder folder = {.archive = in->archive};
	return in->archive && ck_folder_of(in->archive, "model.json", &folder) &&
	       !ck_folder_member(job, &folder, "data.pkl");
}

static bool load(ck_loaded *loaded, const ck_input *in, const ck_path *at)
{
	ck_job *job = loaded->job;
	legacy *l = ck_alloc(job, sizeof *l);
	if (!l)
		return false;
	l->folder = (ck_folder){.archive = in->archive};
	ck_folder_of(in->archive, "model.json", &l->folder);
	ck_member *attributes = ck_folder_member(job, &l->folder, "attributes.pkl");
	const ck_source *source = ck_member_source(
		job, in->archive, ck_folder_member(job, &l->folder, "model.json"));
	const ck_json_node *model = source ? ck_json_read(job, source) : NULL;
	if (!model)
		return false;
	l->label = source->label;
	l->torch = attributes ? ck_folder_read(loaded, &l->folder, attributes)
	                      : ck_torch_new(loaded, source);
	if (!l->torch)
		return false;
	l->torch->find = NULL;
	l->torch->persistent = find_tensor;
	l->torch->arg = l;
	return ck_trace_folder(loaded, &l->folder) && load_model(l, model, at) &&
	       ck_archive_check_overlap(job, in->archive);
}

const ck_layout ck_layout_torchscript_json = {
	"TorchScript 1.0", "torch.jit.save from PyTorch 1.0 to 1.3", false, probe, load,
};
