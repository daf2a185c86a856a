/* Tensors that Module.state_dict() leaves out: attributes of modules and parameters. They are
 * looked for so that it can be said how many there are; those that are reached by a name, too (the
 * flat weights of an RNN), are not missed. */
#include "rebuild.h"
#include "view.h"

enum { ASIDE_DEPTH = 4 }; /* levels of lists and dicts that are searched */

ck_identity ck_identify(const ck_tensor *tensor)
{
	return (ck_identity){tensor->storage, tensor->start, tensor->count, tensor->dtype};
}

static bool add(ck_torch *torch, const ck_path *path, const ck_tensor *tensor)
{
	ck_loaded *loaded = torch->loaded;
	ck_aside *grown = ck_grow(torch->job, loaded->asides, &loaded->aside_cap,
	                          loaded->aside_count + 1, sizeof *grown);
	if (!grown)
		return false;
	loaded->asides = grown;
	grown[loaded->aside_count++] = (ck_aside){path, tensor};
	return true;
}

/* An attribute that is looked at; its path is made for the first tensor in it. */
typedef struct {
	const ck_value *key;
	const ck_path *up, *path;
} attribute;

static bool name(ck_torch *torch, attribute *of)
{
	size_t len;
	const char *key = of->path ? NULL : ck_key_name(torch, of->key, &len);
	if (key)
		of->path = ck_path_new(torch->job, of->up, key, len, true);
	return of->path;
}

static bool look(ck_torch *torch, const ck_value *value, attribute *of, int depth)
{
	ck_view view;
	bool container =
		value->kind == CK_LIST || value->kind == CK_TUPLE || value->kind == CK_DICT;
	if (!ck_view_charge(torch, 1))
		return false;
	for (size_t i = 0; container && depth < ASIDE_DEPTH && i < value->items->count; i++)
		if (!look(torch, value->items->item[i], of, depth + 1))
			return false;
	if (value->kind != CK_CALL)
		return true;
	if (!ck_view_value(torch, value, of->up, &view))
		return false;
	return view.kind != CK_IS_TENSOR || !view.made->tensor ||
	       (name(torch, of) && add(torch, of->path, view.made->tensor));
}

static bool is_registry(const ck_value *key)
{
	static const char *const names[] = {"_parameters", "_buffers", "_modules"};
	for (size_t i = 0; i < CK_COUNT(names); i++)
		if (ck_is_word(key, names[i]))
			return true;
	return false;
}

bool ck_aside_note(ck_torch *torch, const ck_items *attributes, const ck_path *path)
{
	for (size_t i = 0; i < attributes->count; i += 2) {
		attribute of = {.key = attributes->item[i], .up = path};
		if (!is_registry(of.key) && !look(torch, attributes->item[i + 1], &of, 0))
			return false;
	}
	return true;
}

bool ck_aside_settle(ck_loaded *loaded)
{
	ck_map named = {0};
	ck_job *job = loaded->job;
	const ck_model *model = loaded->model;
	bool fresh;
	size_t keys = loaded->aside_count ? model->count : 0;
	ck_identity *key = ck_alloc_array(job, keys + 1, sizeof *key);
	if (!key)
		return false;
	for (size_t i = 0; i < keys; i++) {
		key[i] = ck_identify(model->entries[i].tensor);
		if (!ck_map_put(job, &named, &key[i], sizeof key[i], &fresh))
			return false;
	}
	for (size_t i = 0; i < loaded->aside_count; i++) {
		const ck_aside *aside = &loaded->asides[i];
		ck_identity id = ck_identify(aside->tensor);
		if (!ck_map_find(job, &named, &id, sizeof id) &&
		    !ck_model_add_other(job, loaded->model, aside->path, "attribute",
		                        CK_OTHER_ASIDE))
			return false;
	}
	return true;
}
