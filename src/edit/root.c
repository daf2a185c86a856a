/* Which part of a checkpoint is the model, and what its tensors are called. */
#include "edit.h"

#include <string.h>

/* Where training scripts keep the weights. */
static const char *const homes[] = {
	"state_dict", "model_state_dict", "model", "module", "net", "params", "weights",
};

/* What a path below the root is called; a lone tensor has no key of its own. */
const char *ck_edit_name(ck_job *job, const ck_model *model, const ck_path *path, size_t *len)
{
	static const char alone[] = "tensor";
	ck_text name = {0};
	*len = strlen(alone);
	if (path == model->root)
		return alone;
	if (!path->is_beside || path->up != model->root)
		return ck_path_name(job, path, model->root, len);
	*len = strlen(alone) + 1 + path->key_len;
	bool ok = ck_text_add(job, &name, alone, strlen(alone)) &&
	          ck_text_add(job, &name, ".", 1) &&
	          ck_text_add(job, &name, path->key, path->key_len) &&
	          ck_text_add(job, &name, "", 1);
	return ok ? name.data : NULL;
}

static bool is_home(const ck_path *path)
{
	for (size_t i = 0; i < CK_COUNT(homes); i++)
		if (path->key_len == strlen(homes[i]) &&
		    !memcmp(path->key, homes[i], path->key_len))
			return true;
	return false;
}

/* Looks at one tensor of the choice "auto". False: everything is the root, no need to look on. */
static bool consider(const ck_path *path, const ck_path **home)
{
	if (path->depth - path->is_beside <= 1)
		return false;
	const ck_path *top = ck_edit_top_key(path);
	if (!is_home(top))
		return true;
	if (*home && !ck_edit_same_key(*home, top))
		return false;
	*home = top;
	return true;
}

static const ck_path *choose(const ck_model *model)
{
	const ck_path *home = NULL;
	if (!model->is_mapping) /* a module may call a part of itself "net" */
		return model->top;
	for (size_t i = 0; i < model->count; i++)
		if (!consider(model->entries[i].path, &home))
			return model->top;
	for (size_t i = 0; i < model->other_count; i++)
		if (model->others[i].kind > CK_OTHER_ASIDE &&
		    !consider(model->others[i].path, &home))
			return model->top;
	return home ? home : model->top;
}

/* The ancestor of `path` whose full name is `name`, or NULL. */
static const ck_path *ancestor_named(ck_job *job, const ck_path *path, const ck_path *top,
                                     const char *name, size_t len)
{
	while (path->name_len > len)
		path = path->up;
	if (path->name_len != len || !path->depth)
		return NULL;
	size_t full_len;
	ck_mark mark = ck_arena_mark(job);
	const char *full = ck_path_name(job, path, top, &full_len);
	bool same = full && !memcmp(full, name, len);
	ck_arena_release(job, mark);
	return same ? path : NULL;
}

static const ck_path *find_named(ck_job *job, const ck_model *model, const char *name)
{
	size_t len = strlen(name);
	const ck_path *found = NULL;
	for (size_t i = 0; i < model->count && !found; i++)
		found = ancestor_named(job, model->entries[i].path, model->top, name, len);
	for (size_t i = 0; i < model->other_count && !found; i++)
		if (model->others[i].kind > CK_OTHER_ASIDE)
			found = ancestor_named(job, model->others[i].path, model->top, name, len);
	return found;
}

/* What made everything the root: a lone tensor (a loss, the state of a random generator), or a
 * second home. Whoever wanted the model alone should hear of it. */
typedef struct {
	const ck_path *home, *other, *lone;
} reason;

static void find_reason(const ck_path *path, reason *why)
{
	const ck_path *top = ck_edit_top_key(path);
	if (path->depth - path->is_beside <= 1)
		why->lone = why->lone ? why->lone : top;
	else if (is_home(top) && !why->home)
		why->home = top;
	else if (is_home(top) && !ck_edit_same_key(why->home, top))
		why->other = top;
}

static void tell_everything(ck_job *job, const ck_model *model)
{
	reason why = {0};
	for (size_t i = 0; i < model->count; i++)
		find_reason(model->entries[i].path, &why);
	for (size_t i = 0; i < model->other_count; i++)
		if (model->others[i].kind > CK_OTHER_ASIDE)
			find_reason(model->others[i].path, &why);
	const ck_path *beside = why.lone ? why.lone : why.other;
	if (!model->is_mapping || !why.home || !beside)
		return;
	ck_shown home = ck_show(why.home->key, why.home->key_len);
	ck_note(job,
	        "took everything, because '%s' beside '%s' %s; --root %s takes that part alone",
	        ck_show(beside->key, beside->key_len).s, home.s,
	        why.lone ? "is a tensor" : "holds tensors, too", home.s);
}

static bool fail_no_such_root(ck_job *job, const ck_model *model, const char *wanted)
{
	char keys[320];
	const char *none = model->count ? "one alone, which has no name" : "none at all";
	ck_edit_list_keys(model, keys, sizeof keys);
	return ck_fail(job, CK_USAGE, model->source->label,
	               "there are no tensors below '%s' (--root); there are: %s",
	               ck_show(wanted, strlen(wanted)).s,
	               *keys ? keys : none);
}

/* ---- names ---- */

/* The names of the file that two entries have, before any option changes them. */
static bool are_one_name(ck_job *job, const ck_model *model, const ck_entry *a, const ck_entry *b)
{
	size_t a_len, b_len;
	const char *one = ck_edit_name(job, model, a->path, &a_len);
	const char *other = ck_edit_name(job, model, b->path, &b_len);
	return one && other && a_len == b_len && !memcmp(one, other, a_len);
}

/* A part of the file can be chosen that holds only one of them. */
static bool lie_apart(const ck_entry *a, const ck_entry *b)
{
	return a->path->up != b->path->up;
}

static bool fail_twice(ck_job *job, const ck_model *model, const ck_entry *a, const ck_entry *b)
{
	const char *const label = model->source->label;
	const ck_shown name = ck_show(a->name, a->name_len);
	const ck_shown one = ck_path_show(a->path), other = ck_path_show(b->path);
	bool same = are_one_name(job, model, a, b);
	if (job->error.status != CK_OK)
		return false;
	if (!same)
		return ck_fail(job, CK_USAGE, label, "--strip-prefix and --rename would call two "
		               "tensors '%s': %s and %s", name.s, one.s, other.s);
	if (a->file != b->file)
		return ck_fail(job, CK_UNSUPPORTED, label, "two tensors would both be called "
		               "'%s', one in %s and one in %s, and no index says which one counts",
		               name.s, model->labels[a->file], model->labels[b->file]);
	return ck_fail(job, CK_UNSUPPORTED, label,
	               "two tensors would both be called '%s': %s and %s%s", name.s, one.s,
	               other.s, lie_apart(a, b) ? "; take one part of the file with --root" : "");
}

static bool take(ck_job *job, ck_names *names, ck_entry *entry, bool *taken)
{
	*taken = true;
	return !names || ck_names_take(job, names, &entry->name, &entry->name_len, taken);
}

static bool name_entries(ck_job *job, ck_model *model, ck_names *names)
{
	ck_map seen = {0};
	size_t kept = 0;
	bool fresh, taken;
	for (size_t i = 0; i < model->count; i++) {
		ck_entry entry = model->entries[i];
		if (i % 4096 == 0 && ck_stopped(job))
			return false;
		if (!ck_path_is_below(entry.path, model->root))
			continue;
		entry.name = ck_edit_name(job, model, entry.path, &entry.name_len);
		if (!entry.name || !take(job, names, &entry, &taken))
			return false;
		if (!taken)
			continue;
		uint64_t *place = ck_map_put(job, &seen, entry.name, entry.name_len, &fresh);
		if (!place)
			return false;
		if (!fresh && model->entries[*place].tensor == entry.tensor)
			continue; /* a dict that keeps its items as attributes, too */
		if (!fresh)
			return fail_twice(job, model, &model->entries[*place], &entry);
		*place = kept;
		model->entries[kept++] = entry;
	}
	model->count = kept;
	return true;
}

/* The places of which a tensor is left: one of several that a tensor consists of has its own. */
static bool find_places(ck_job *job, const ck_model *model, ck_map *places)
{
	bool fresh;
	for (size_t i = 0; i < model->count; i++) {
		const ck_entry *entry = &model->entries[i];
		const ck_path *const *place =
			entry->path->is_beside ? &entry->path->up : &entry->path;
		if (!ck_map_put(job, places, place, sizeof *place, &fresh))
			return false;
	}
	return true;
}

/* Facts of the tensors below the root become metadata under the names that were given. */
static bool name_facts(ck_job *job, ck_model *model, ck_names *names)
{
	ck_map places = {0};
	if (names && !find_places(job, model, &places))
		return false;
	for (size_t i = 0; i < model->fact_count; i++) {
		const ck_fact *fact = &model->facts[i];
		size_t len;
		ck_text key = {0};
		if (!ck_path_is_below(fact->path, model->root) ||
		    (names && !ck_map_find(job, &places, &fact->path, sizeof fact->path)))
			continue;
		const char *name = ck_edit_name(job, model, fact->path, &len);
		if (!name || (names && !ck_names_change(job, names, &name, &len)) ||
		    !ck_text_add(job, &key, name, len) ||
		    !ck_text_add(job, &key, ".", 1) ||
		    !ck_text_add(job, &key, fact->key, strlen(fact->key) + 1) ||
		    !ck_model_add_metadata(job, model, key.data, fact->value))
			return false;
	}
	return true;
}

bool ck_edit_choose(ck_job *job, ck_model *model, const char *wanted)
{
	model->root = model->top;
	if (strcmp(wanted, "auto") == 0)
		model->root = choose(model);
	else if (strcmp(wanted, ".") != 0)
		model->root = find_named(job, model, wanted);
	return model->root || fail_no_such_root(job, model, wanted);
}

bool ck_edit_root(ck_job *job, ck_model *model, const char *wanted, ck_names *names, bool strict,
                  bool values_kept)
{
	if (!ck_edit_choose(job, model, wanted))
		return false;
	if (strcmp(wanted, "auto") == 0 && model->root == model->top)
		tell_everything(job, model);
	return ck_edit_tell_outside(job, model, strict) && name_entries(job, model, names) &&
	       (!names || ck_names_tell(job, names, model)) && name_facts(job, model, names) &&
	       ck_edit_tell_rest(job, model, strict, values_kept);
}
