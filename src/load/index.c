/* The index of a model that is spread over several files, as Hugging Face's libraries write it:
 * {"metadata": {...}, "weight_map": {"name of a tensor": "name of the file that holds it"}}. */
#include "load.h"

#include <stdlib.h>
#include <string.h>

/* What ck_index.where says of a tensor: the number of its file, and what was found so far. */
static const uint64_t FOUND = UINT64_C(1) << 63;       /* in that file */
static const uint64_t ELSEWHERE = UINT64_C(1) << 62;   /* in another one */
static const uint64_t FILE_NUMBER = (UINT64_C(1) << 62) - 1;

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The value of each key; Python takes the last of several. */
static bool find_last(ck_job *job, const ck_json_node *map, ck_map *last)
{
	bool fresh;
	for (const ck_json_node *item = ck_json_first(map); item; item = ck_json_next(item)) {
		const char *name = ck_json_key(item);
		uint64_t *place = ck_map_put(job, last, name, strlen(name), &fresh);
		if (!place)
			return false;
		*place = (uint64_t)(uintptr_t)item;
	}
	return true;
}

/* The names of the files, sorted, each once. */
static bool list_files(ck_job *job, const ck_json_node *map, ck_index *index)
{
	size_t cap = 0, count = 0, kept = 0;
	ck_map last = {0};
	if (!find_last(job, map, &last))
		return false;
	for (const ck_json_node *item = ck_json_first(map); item; item = ck_json_next(item)) {
		const char *key = ck_json_key(item);
		const uint64_t *place = ck_map_find(job, &last, key, strlen(key));
		if (!place || *place != (uint64_t)(uintptr_t)item)
			continue;
		const char **grown =
			ck_grow(job, index->files, &cap, count + 1, sizeof *grown);
		if (!grown)
			return false;
		index->files = grown;
		grown[count++] = ck_json_string_of(item);
	}
	qsort(index->files, count, sizeof *index->files, by_bytes);
	for (size_t i = 0; i < count; i++)
		if (!kept || strcmp(index->files[kept - 1], index->files[i]) != 0)
			index->files[kept++] = index->files[i];
	index->count = kept;
	return true;
}

/* Files that are named by a value which does not count are none of the list. */
static bool map_tensors(ck_job *job, const ck_json_node *map, ck_index *index)
{
	bool fresh;
	for (const ck_json_node *item = ck_json_first(map); item; item = ck_json_next(item)) {
		const char *name = ck_json_key(item), *file = ck_json_string_of(item);
		const char **found = bsearch(&file, index->files, index->count,
		                             sizeof *index->files, by_bytes);
		uint64_t *place = ck_map_put(job, &index->where, name, strlen(name), &fresh);
		if (!place)
			return false;
		if (found)
			*place = (uint64_t)(found - index->files);
	}
	return true;
}

static bool check_map(ck_job *job, const ck_source *source, const ck_json_node *map)
{
	if (!ck_json_is_object(map) || !ck_json_first(map))
		return ck_fail(job, CK_CORRUPT, source->label,
		               "this is no index of a model in several files: it has no "
		               "\"weight_map\" with names of tensors and files");
	for (const ck_json_node *item = ck_json_first(map); item; item = ck_json_next(item))
		if (!ck_json_string_of(item))
			return ck_fail(job, CK_CORRUPT, source->label,
			               "the \"weight_map\" gives no name of a file for '%s'",
			               ck_show(ck_json_key(item), strlen(ck_json_key(item))).s);
	return true;
}

ck_index *ck_index_read(ck_job *job, const ck_source *source)
{
	const ck_json_node *root = ck_json_read(job, source);
	const ck_json_node *map = root ? ck_json_get(root, "weight_map") : NULL;
	ck_index *index = ck_alloc(job, sizeof *index);
	if (!root || !index || !check_map(job, source, map))
		return NULL;
	index->source = source;
	index->map = map;
	return list_files(job, map, index) && map_tensors(job, map, index) ? index : NULL;
}

/* ---- what the files hold, and what the index says of it ---- */

static uint64_t *find(ck_job *job, ck_index *index, const ck_model *model, const ck_path *path)
{
	size_t len;
	const ck_mark mark = ck_arena_mark(job);
	const char *name = ck_path_name(job, path, model->top, &len);
	uint64_t *where = name ? ck_map_find(job, &index->where, name, len) : NULL;
	ck_arena_release(job, mark);
	return where;
}

/* One of several tensors that one of the file consists of has a name of its own. */
static uint64_t *find_any(ck_job *job, ck_index *index, const ck_model *model, const ck_path *path)
{
	uint64_t *where = find(job, index, model, path);
	return where || !path->is_beside ? where : find(job, index, model, path->up);
}

/* What the index and the files do not agree on, by the name of the first. */
typedef struct {
	size_t count;
	ck_shown first;
} odd;

static void count_odd(ck_job *job, const ck_model *model, const ck_path *path, odd *what)
{
	size_t len;
	const ck_mark mark = ck_arena_mark(job);
	const char *name = what->count++ ? NULL : ck_path_name(job, path, model->top, &len);
	if (name)
		what->first = ck_show(name, len);
	ck_arena_release(job, mark);
}

static bool mark_found(ck_job *job, ck_index *index, const ck_model *model, odd *unlisted)
{
	for (size_t i = 0; i < model->count; i++) {
		const ck_entry *entry = &model->entries[i];
		uint64_t *where = find_any(job, index, model, entry->path);
		if (where)
			*where |= (*where & FILE_NUMBER) == entry->file ? FOUND : ELSEWHERE;
		else
			count_odd(job, model, entry->path, unlisted);
	}
	/* what cannot be written is there all the same, and told elsewhere */
	for (size_t i = 0; i < model->other_count; i++) {
		const ck_other *other = &model->others[i];
		uint64_t *where = other->kind > CK_OTHER_ASIDE
			? find_any(job, index, model, other->path) : NULL;
		if (where)
			*where |= ELSEWHERE; /* not dropped for it */
	}
	return job->error.status == CK_OK;
}

static bool check_promises(ck_job *job, ck_index *index)
{
	size_t missing = 0, len = 0;
	const char *first = NULL;
	uint64_t number = 0;
	for (const ck_json_node *item = ck_json_first(index->map); item;
	     item = ck_json_next(item)) {
		const char *name = ck_json_key(item);
		const uint64_t *where = ck_map_find(job, &index->where, name, strlen(name));
		if (!where || *where & (FOUND | ELSEWHERE) || missing++)
			continue;
		first = name;
		len = strlen(name);
		number = *where & FILE_NUMBER;
	}
	return !missing || ck_fail(job, CK_CORRUPT, index->source->label,
	               "the index promises %s that no file holds: '%s' should be in '%s'%s",
	               missing == 1 ? "a tensor" : ck_many(missing, "tensor").s,
	               ck_show(first, len).s,
	               ck_show(index->files[number], strlen(index->files[number])).s,
	               missing == 1 ? "" : ", and so on");
}

static bool tell_odd(ck_job *job, const ck_index *index, const odd *what, bool strict,
                     const char *fault, const char *fate)
{
	if (!what->count)
		return true;
	const char *are = what->count == 1 ? "is" : "are";
	if (strict)
		return ck_fail(job, CK_UNSUPPORTED, index->source->label, "%s %s %s: '%s'%s "
		               "(--strict)", ck_many(what->count, "tensor").s, are, fault,
		               what->first.s, what->count == 1 ? "" : " and so on");
	ck_note(job, "%s %s %s, and %s %s: '%s'%s", ck_many(what->count, "tensor").s, are, fault,
	        are, fate, what->first.s, what->count == 1 ? "" : " and so on");
	return true;
}

/* Of a tensor that several files hold, the one in the file that the index names is taken. */
static odd drop_doubles(ck_job *job, ck_index *index, ck_model *model)
{
	size_t kept = 0;
	odd dropped = {0};
	for (size_t i = 0; i < model->count; i++) {
		const ck_entry *entry = &model->entries[i];
		const uint64_t *where = find_any(job, index, model, entry->path);
		if (where && *where & FOUND && (*where & FILE_NUMBER) != entry->file)
			count_odd(job, model, entry->path, &dropped);
		else
			model->entries[kept++] = *entry;
	}
	model->count = kept;
	return dropped;
}

bool ck_index_settle(ck_job *job, ck_index *index, ck_model *model, bool strict)
{
	odd unlisted = {0}, dropped;
	if (!mark_found(job, index, model, &unlisted) || !check_promises(job, index))
		return false;
	dropped = drop_doubles(job, index, model);
	return job->error.status == CK_OK &&
	       tell_odd(job, index, &unlisted, strict, "not listed in the index",
	                "taken all the same") &&
	       tell_odd(job, index, &dropped, strict, "in another file than the index says, too",
	                "left out there");
}
