/* Storages as persistent ids name them: each is found once, and must be the same wherever it is
 * named. */
#include "rebuild.h"
#include "view.h"

#include <string.h>

#define LLU(x) ((unsigned long long)(x))

typedef struct {
	ck_storage storage;
	ck_dtype dtype;
} known_storage;

bool ck_storage_class(const ck_value *value, ck_dtype *dtype)
{
	static const char *const modules[] = {"torch", "torch.cuda", "torch.storage"};
	static const char *const untyped[] = {"UntypedStorage", "_UntypedStorage"};
	static const char suffix[] = "Storage";
	if (value->kind != CK_GLOBAL)
		return false;
	const ck_global *g = value->global;
	bool torch = false;
	for (size_t i = 0; i < CK_COUNT(modules); i++)
		torch = torch || (g->module_len == strlen(modules[i]) &&
		                  !memcmp(g->module, modules[i], g->module_len));
	if (!torch || g->name_len < sizeof suffix)
		return false;
	for (size_t i = 0; i < CK_COUNT(untyped); i++)
		if (g->name_len == strlen(untyped[i]) &&
		    !memcmp(g->name, untyped[i], g->name_len)) {
			*dtype = CK_DT_U8;
			return true;
		}
	size_t stem = g->name_len - (sizeof suffix - 1);
	return !memcmp(g->name + stem, suffix, sizeof suffix - 1) &&
	       ck_dtype_of_stem(g->name, stem, dtype);
}

bool ck_is_word(const ck_value *value, const char *word)
{
	const char *text;
	size_t len;
	return ck_value_text(value, &text, &len) && len == strlen(word) && !memcmp(text, word, len);
}

bool ck_storage_is_module(const ck_value *value)
{
	return value->kind == CK_PERSID && value->pid->kind == CK_TUPLE &&
	       value->pid->items->count >= 2 && ck_is_word(value->pid->items->item[0], "module");
}

static bool read_view(ck_torch *torch, const ck_value *view, ck_storage_id *id)
{
	uint64_t size, end;
	if (view->kind == CK_NONE)
		return true;
	if (view->kind != CK_TUPLE || view->items->count != 3)
		return ck_rebuild_fail(torch, "a view of a storage must be a tuple of 3 fields");
	if (!ck_as_count(torch, view->items->item[1], "a view's first element must be a count",
	              &id->start) ||
	    !ck_as_count(torch, view->items->item[2], "a view's size must be a count", &size))
		return false;
	if (!ck_add(id->start, size, &end) || end > id->count)
		return ck_rebuild_fail(torch,
		                       "a view of storage '%s' reaches beyond its %s",
		                       ck_show(id->key, id->key_len).s,
		                       ck_many(id->count, "element").s);
	return true;
}

bool ck_storage_read_id(ck_torch *torch, const ck_value *value, ck_storage_id *id)
{
	const char *word;
	size_t len;
	const ck_value *pid = value->kind == CK_PERSID ? value->pid : value;
	if (value->kind != CK_PERSID && !(torch->bare_ids && value->kind == CK_TUPLE))
		return ck_rebuild_bad(torch, value, "a tensor needs a storage");
	if (pid->kind != CK_TUPLE || pid->items->count < 5)
		return ck_rebuild_fail(torch,
		                       "a storage's persistent id must be a tuple of 5 fields");
	ck_value **field = pid->items->item;
	if (!ck_value_text(field[0], &word, &len))
		return ck_rebuild_bad(torch, field[0], "a persistent id must begin with 'storage'");
	if (len != 7 || memcmp(word, "storage", 7) != 0)
		return ck_rebuild_fail(torch, "a persistent id must begin with 'storage', not '%s'",
		              ck_show(word, len).s);
	if (!ck_storage_class(field[1], &id->dtype))
		return ck_rebuild_bad(torch, field[1], "a storage's type must be one of torch's");
	if (!ck_value_text(field[2], &id->key, &id->key_len))
		return ck_rebuild_bad(torch, field[2], "a storage's key must be a string");
	if (!ck_value_text(field[3], &id->location, &id->location_len))
		return ck_rebuild_bad(torch, field[3], "a storage's location must be a string");
	id->start = 0;
	return ck_as_count(torch, field[4], "a storage's size must be a count of elements",
	                &id->count) &&
	       (pid->items->count < 6 || read_view(torch, field[5], id));
}

static bool check_known(ck_torch *torch, const ck_storage_id *id, const known_storage *known,
                        uint64_t size)
{
	if (known->dtype != id->dtype)
		return ck_rebuild_fail(torch,
		              "storage '%s' is %s here and %s elsewhere; torch never writes that",
		              ck_show(id->key, id->key_len).s, ck_dtype_table[id->dtype].torch,
		              ck_dtype_table[known->dtype].torch);
	if (known->storage.size != size)
		return ck_rebuild_fail(torch, "storage '%s' has %s here and %llu elsewhere",
		              ck_show(id->key, id->key_len).s, ck_many(size, "byte").s,
		              LLU(known->storage.size));
	return true;
}

static bool make_storage(ck_torch *torch, const ck_storage_id *id, uint64_t size,
                         known_storage *known)
{
	known->dtype = id->dtype;
	known->storage = (ck_storage){
		.key = id->key, .key_len = id->key_len, .size = size,
		.big_endian = torch->big_endian,
		.meta = id->location_len == 4 && !memcmp(id->location, "meta", 4),
		.number = torch->model->storages++,
	};
	if (known->storage.meta)
		return true;
	return torch->find ? torch->find(torch, &known->storage)
	                   : ck_rebuild_fail(torch, "this kind of file has no storages, but the "
	                                     "pickle names '%s'",
	                                     ck_show(id->key, id->key_len).s);
}

static bool view_storage(ck_torch *torch, const ck_value *value, ck_tensor *tensor)
{
	ck_storage_id id;
	uint64_t size;
	bool fresh;
	if (!ck_storage_read_id(torch, value, &id))
		return false;
	if (!ck_mul(id.count, ck_dtype_table[id.dtype].size, &size))
		return ck_rebuild_fail(torch,
		              "storage '%s' claims %llu elements of %s, more bytes than fit 64 "
		              "bits",
		              ck_show(id.key, id.key_len).s, LLU(id.count),
		              ck_dtype_table[id.dtype].torch);
	uint64_t *place = ck_map_put(torch->job, &torch->storages, id.key, id.key_len, &fresh);
	if (!place)
		return false;
	known_storage *known = (known_storage *)(uintptr_t)*place;
	if (fresh) {
		known = ck_alloc(torch->job, sizeof *known);
		*place = (uint64_t)(uintptr_t)known;
		if (!known || !make_storage(torch, &id, size, known))
			return false;
	} else if (!check_known(torch, &id, known, size)) {
		return false;
	}
	tensor->storage = &known->storage;
	tensor->dtype = known->dtype;
	tensor->start = id.start;
	return true;
}

/* torch.storage._load_from_bytes(...) of a file that holds nothing but a storage: so plain pickles
 * spell the storages of their tensors. *persid stays NULL, without failure, for all else. */
static bool find_inner(ck_torch *torch, const ck_value *value, ck_torch **inner,
                       const ck_value **persid)
{
	*persid = NULL;
	if (value->kind != CK_CALL)
		return true;
	const ck_made *made = ck_rebuild_value(torch, value);
	if (!made || made->kind != CK_MADE_INNER || made->inner->root->kind != CK_PERSID)
		return made;
	*inner = made->inner;
	*persid = made->inner->root;
	(*inner)->at = (*persid)->at;
	return true;
}

/* The storage that a tensor views; its dtype and the first element go into the tensor. */
bool ck_storage_of(ck_torch *torch, const ck_value *value, ck_tensor *tensor)
{
	ck_torch *inner;
	const ck_value *persid;
	if (!find_inner(torch, value, &inner, &persid))
		return false;
	return persid ? view_storage(inner, persid, tensor) : view_storage(torch, value, tensor);
}

ck_storage *ck_storage_new(ck_torch *torch, const char *name, const ck_source *source,
                           uint64_t offset, uint64_t size)
{
	ck_storage *storage = ck_alloc(torch->job, sizeof *storage);
	if (!storage || !ck_source_holds(torch->job, source, name, offset, size))
		return NULL;
	*storage = (ck_storage){
		.key = name, .key_len = strlen(name), .label = name, .size = size, .held = size,
		.source = source, .offset = offset, .number = torch->model->storages++,
	};
	return storage;
}
