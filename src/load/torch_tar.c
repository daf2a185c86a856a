/* The layout of torch.save before 0.1.10: a tar archive with the members `storages` (a count, then
 * for each storage a pickle with its key, place and class, a count and its elements; then views of
 * storages), `tensors` (a count, then for each a pickle with its key, storage and class, its sizes,
 * strides and offset) and `pickle`, whose persistent ids are the keys of tensors and storages. */
#include <string.h>

#include "rebuild.h"
#include "trace.h"

enum { KEY_MAX = 64, WORD = 8 };

/* What a key stands for: a storage, a view of one, or a tensor. */
typedef struct {
	ck_storage *storage;
	ck_dtype dtype;
	uint64_t start, count; /* elements */
	ck_tensor *tensor;     /* NULL: it is a storage */
} object;

typedef struct {
	ck_torch *torch;
	ck_job *job;
	const ck_source *source; /* of the member that is read */
	uint64_t at;
	ck_map objects; /* key -> object */
} tar;

static bool corrupt(const tar *t, const char *what)
{
	return ck_fail_at(t->job, CK_CORRUPT, t->source->label, t->at, "%s", what);
}

/* ---- keys: numbers, or numbers as text ---- */

static bool spell_key(const tar *t, const ck_value *value, ck_text *key)
{
	const char *text;
	size_t len;
	if (ck_value_text(value, &text, &len))
		return ck_text_add(t->job, key, text, len);
	if (value->kind == CK_INT || value->kind == CK_LONG)
		return ck_print_integer(t->job, key, value);
	return corrupt(t, "the key of a storage or tensor must be a number");
}

static object *find_object(const tar *t, const ck_value *value)
{
	ck_text key = {0};
	ck_mark mark = ck_arena_mark(t->job);
	if (!spell_key(t, value, &key))
		return NULL;
	const uint64_t *place = ck_map_find(t->job, &t->objects, key.data, key.len);
	ck_shown shown = ck_show(key.data ? key.data : "", key.len);
	ck_arena_release(t->job, mark);
	if (!place)
		ck_fail(t->job, CK_CORRUPT, t->torch->pickle->label,
		        "there is no storage or tensor with the key '%s'", shown.s);
	return place ? (object *)(uintptr_t)*place : NULL;
}

static object *add_object(tar *t, const char *key, size_t len)
{
	bool fresh;
	const char *copy = ck_copy(t->job, key, len);
	object *made = ck_alloc(t->job, sizeof *made);
	uint64_t *place =
		copy && made ? ck_map_put(t->job, &t->objects, copy, len, &fresh) : NULL;
	if (!place)
		return NULL;
	*place = (uint64_t)(uintptr_t)made;
	if (!fresh)
		ck_fail_at(t->job, CK_CORRUPT, t->source->label, t->at,
		           "the key '%s' is there twice", ck_show(key, len).s);
	return fresh ? made : NULL;
}

/* ---- the binary records ---- */

/* A pickle between them, of which whoever watches the loader is told, too. */
static ck_value *read_pickle(tar *t)
{
	ck_seen seen = {.watch = t->torch->loaded->watch};
	return ck_pickle_read(t->job, t->source, &t->at, &seen);
}

static bool read_number(tar *t, size_t width, uint64_t *number)
{
	unsigned char bytes[WORD];
	if (!ck_read_at(t->job, t->source, t->at, bytes, width))
		return false;
	*number = 0;
	for (size_t i = width; i-- > 0;)
		*number = *number << 8 | bytes[i];
	t->at += width;
	return true;
}

static bool read_total(tar *t, uint64_t *total)
{
	const ck_value *value = read_pickle(t);
	if (!value)
		return false;
	*total = value->kind == CK_INT && value->i >= 0 ? (uint64_t)value->i : 0;
	return (value->kind == CK_INT && value->i >= 0) ||
	       corrupt(t, "the member must begin with a count");
}

/* The head of a record, a tuple of three; what is kept of it is copied out of the arena. */
typedef struct {
	char key[KEY_MAX], second[KEY_MAX];
	size_t key_len, second_len;
	bool is_storage_class;
	ck_dtype dtype;
} head;

static bool keep_key(const tar *t, const ck_value *value, char to[KEY_MAX], size_t *len)
{
	ck_text key = {0};
	if (!spell_key(t, value, &key))
		return false;
	if (key.len > KEY_MAX)
		return corrupt(t, "the key of a storage or tensor is too long");
	memcpy(to, key.data, key.len);
	*len = key.len;
	return true;
}

static bool read_head(tar *t, bool second_is_key, head *h)
{
	ck_mark mark = ck_arena_mark(t->job);
	const ck_value *value = read_pickle(t);
	if (!value)
		return false;
	if (value->kind != CK_TUPLE || value->items->count != 3)
		return corrupt(t, "a record must begin with a tuple of key, place and class");
	ck_value **field = value->items->item;
	h->is_storage_class = ck_storage_class(field[2], &h->dtype);
	if (!keep_key(t, field[0], h->key, &h->key_len) ||
	    (second_is_key && !keep_key(t, field[1], h->second, &h->second_len)))
		return false;
	ck_arena_release(t->job, mark);
	return true;
}

static bool read_storage(tar *t)
{
	head h;
	uint64_t count, size;
	if (!read_head(t, false, &h))
		return false;
	if (!h.is_storage_class)
		return corrupt(t, "a storage's type must be one of torch's");
	if (!read_number(t, WORD, &count))
		return false;
	object *made = add_object(t, h.key, h.key_len);
	if (!made)
		return false;
	if (!ck_mul(count, ck_dtype_table[h.dtype].size, &size))
		return corrupt(t, "a storage claims more bytes than fit 64 bits");
	const char *name = ck_copy(t->job, h.key, h.key_len);
	*made = (object){.dtype = h.dtype, .count = count};
	made->storage = name ? ck_storage_new(t->torch, name, t->source, t->at, size) : NULL;
	t->at += size;
	return made->storage;
}

/* (key of the view, key of the storage, first element, elements) */
static bool read_view(tar *t, const ck_value *row)
{
	ck_text key = {0};
	uint64_t start, count, end;
	if (row->kind != CK_TUPLE || row->items->count != 4)
		return corrupt(t, "a view of a storage must be a tuple of 4 fields");
	ck_value **field = row->items->item;
	const object *root = find_object(t, field[1]);
	if (!root || !spell_key(t, field[0], &key) ||
	    !ck_as_count(t->torch, field[2], "a view's first element must be a count", &start) ||
	    !ck_as_count(t->torch, field[3], "a view's size must be a count", &count))
		return false;
	if (root->tensor || !ck_add(start, count, &end) || end > root->count)
		return corrupt(t, "a view reaches beyond its storage");
	object *made = add_object(t, key.data, key.len);
	if (!made)
		return false;
	*made = *root;
	made->start = root->start + start;
	made->count = count;
	return true;
}

/* Some writers leave the list of views out. */
static bool read_storages(tar *t)
{
	uint64_t total;
	if (!read_total(t, &total))
		return false;
	for (uint64_t i = 0; i < total; i++)
		if (ck_stopped(t->job) || !read_storage(t))
			return false;
	if (t->at == t->source->size)
		return true;
	const ck_value *views = read_pickle(t);
	if (!views || views->kind != CK_LIST)
		return views ? corrupt(t, "the views of storages must be a list") : false;
	for (size_t i = 0; i < views->items->count; i++)
		if (!read_view(t, views->items->item[i]))
			return false;
	return true;
}

static bool read_sizes(tar *t, size_t ndim, uint64_t **sizes)
{
	*sizes = ck_alloc_array(t->job, ndim + 1, sizeof **sizes);
	for (size_t d = 0; *sizes && d < ndim; d++)
		if (!read_number(t, WORD, &(*sizes)[d]))
			return false;
	return *sizes;
}

static bool read_tensor(tar *t)
{
	head h;
	uint64_t ndim, offset;
	if (!read_head(t, true, &h) || !read_number(t, 4, &ndim))
		return false;
	t->at += 4; /* the number of dimensions was once written as 8 bytes */
	if (ndim > CK_DIMS_MAX)
		return corrupt(t, "a tensor has too many dimensions");
	const uint64_t *place = ck_map_find(t->job, &t->objects, h.second, h.second_len);
	const object *on = place ? (const object *)(uintptr_t)*place : NULL;
	if (!on || on->tensor)
		return corrupt(t, "a tensor views a storage that is not there");
	ck_tensor *tensor = ck_alloc(t->job, sizeof *tensor);
	if (!tensor || !read_sizes(t, (size_t)ndim, &tensor->shape) ||
	    !read_sizes(t, (size_t)ndim, &tensor->stride) || !read_number(t, WORD, &offset))
		return false;
	tensor->ndim = (size_t)ndim;
	tensor->storage = on->storage;
	tensor->dtype = on->dtype;
	if (!ck_add(on->start, offset, &tensor->start))
		return corrupt(t, "a tensor's offset does not fit 64 bits");
	object *made = add_object(t, h.key, h.key_len);
	if (made)
		made->tensor = tensor;
	return made && ck_tensor_check(t->job, tensor, t->source->label,
	                               ck_show(h.key, h.key_len).s);
}

static bool read_tensors(tar *t)
{
	uint64_t total;
	if (!read_total(t, &total))
		return false;
	for (uint64_t i = 0; i < total; i++)
		if (ck_stopped(t->job) || !read_tensor(t))
			return false;
	return true;
}

/* ---- what the pickle asks for ---- */

static bool find_storage(ck_torch *torch, ck_storage *storage)
{
	const tar *t = torch->arg;
	const uint64_t *place = ck_map_find(t->job, &t->objects, storage->key, storage->key_len);
	const object *found = place ? (const object *)(uintptr_t)*place : NULL;
	ck_shown key = ck_show(storage->key, storage->key_len);
	if (!found || found->tensor)
		return ck_fail(t->job, CK_CORRUPT, torch->pickle->label,
		               "storage '%s' is missing: the member 'storages' does not hold it",
		               key.s);
	if (found->storage->size < storage->size)
		return ck_fail(t->job, CK_CORRUPT, torch->pickle->label,
		               "storage '%s' needs %s, but there are %llu", key.s,
		               ck_many(storage->size, "byte").s,
		               (unsigned long long)found->storage->size);
	storage->source = found->storage->source;
	storage->offset = found->storage->offset;
	storage->held = found->storage->held;
	storage->label = found->storage->label;
	return true;
}

/* A tensor by its key. A class with its source file is no tensor, and has its meaning as a
 * callee. */
static bool persistent(ck_torch *torch, const ck_value *id, ck_made *made)
{
	const tar *t = torch->arg;
	*made = (ck_made){.kind = CK_MADE_VALUE, .about = "class"};
	if (id->pid->kind == CK_TUPLE)
		return true;
	const object *found = find_object(t, id->pid);
	if (!found)
		return false;
	made->about = "storage";
	if (found->tensor) {
		made->kind = CK_MADE_TENSOR;
		made->tensor = found->tensor;
	}
	return true;
}

/* ---- the archive ---- */

static ck_member *member(ck_job *job, const ck_input *in, const char *name)
{
	return in->archive ? ck_archive_find(job, in->archive, name, strlen(name)) : NULL;
}

static bool probe(ck_job *job, const ck_input *in)
{
	return member(job, in, "pickle") && member(job, in, "storages");
}

static bool open_member(tar *t, const ck_input *in, const char *name)
{
	ck_member *found = member(t->job, in, name);
	t->source = found ? ck_member_source(t->job, in->archive, found) : NULL;
	t->at = 0;
	return t->source;
}

static bool load(ck_loaded *loaded, const ck_input *in, const ck_path *at)
{
	uint64_t end = 0;
	ck_job *job = loaded->job;
	tar *t = ck_alloc(job, sizeof *t);
	ck_torch *torch = t ? ck_torch_new(loaded, in->source) : NULL;
	if (!torch)
		return false;
	*t = (tar){.torch = torch, .job = job};
	if (!open_member(t, in, "storages") || !read_storages(t))
		return false;
	if (member(job, in, "tensors") && (!open_member(t, in, "tensors") || !read_tensors(t)))
		return false;
	torch->find = find_storage;
	torch->persistent = persistent;
	torch->bare_ids = true;
	torch->arg = t;
	if (!open_member(t, in, "pickle"))
		return false;
	torch->pickle = t->source;
	torch->root = ck_torch_read(torch, &end);
	return torch->root && ck_walk(torch, at) &&
	       ck_trace_say(loaded, "layout", "tar", "as PyTorch before 0.1.10 wrote it");
}

const ck_layout ck_layout_torch_tar = {
	"torch tar", "torch.save before 0.1.10", false, probe, load,
};
