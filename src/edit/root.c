/* Which part of a checkpoint is the model, what its tensors are called, and what was left out. */
#include "edit.h"

#include <stdio.h>
#include <string.h>

/* Where training scripts keep the weights. */
static const char *const homes[] = {
	"state_dict", "model_state_dict", "model", "module", "net", "params", "weights",
};

enum { LISTED = 6 }; /* names that a note or an error gives as examples */

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

static const ck_path *top_key(const ck_path *path)
{
	while (path->depth > 1)
		path = path->up;
	return path;
}

static bool is_home(const ck_path *path)
{
	for (size_t i = 0; i < CK_COUNT(homes); i++)
		if (path->key_len == strlen(homes[i]) &&
		    !memcmp(path->key, homes[i], path->key_len))
			return true;
	return false;
}

static bool same_key(const ck_path *a, const ck_path *b)
{
	return a->depth == b->depth && a->key_len == b->key_len &&
	       !memcmp(a->key, b->key, a->key_len);
}

/* Looks at one tensor of the choice "auto". False: everything is the root, no need to look on. */
static bool consider(const ck_path *path, const ck_path **home)
{
	if (path->depth - path->is_beside <= 1)
		return false;
	const ck_path *top = top_key(path);
	if (!is_home(top))
		return true;
	if (*home && !same_key(*home, top))
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

/* ---- telling what was left out ---- */

/* "optimizer (24), ema (12), ...": the top keys of what `outside` says yes to. */
typedef struct {
	const ck_path *key[LISTED];
	size_t count[LISTED];
	size_t kinds, total;
	bool more;
} tally;

static void tally_add(tally *t, const ck_path *path, size_t count)
{
	const ck_path *key = top_key(path);
	t->total += count;
	for (size_t i = 0; i < t->kinds; i++)
		if (same_key(t->key[i], key)) {
			t->count[i] += count;
			return;
		}
	if (t->kinds == LISTED) {
		t->more = true;
		return;
	}
	t->key[t->kinds] = key;
	t->count[t->kinds++] = count;
}

static void tally_print(const tally *t, char *to, size_t size)
{
	size_t used = 0;
	*to = 0;
	for (size_t i = 0; i < t->kinds && used < size; i++) {
		char key[40];
		ck_show_to(key, sizeof key, t->key[i]->key, t->key[i]->key_len);
		int wrote = t->count[i] > 1
		                    ? snprintf(to + used, size - used, "%s%s (%zu)",
		                               i ? ", " : "", key, t->count[i])
		                    : snprintf(to + used, size - used, "%s%s", i ? ", " : "", key);
		used += (size_t)wrote;
	}
	if (t->more && used < size)
		snprintf(to + used, size - used, ", ...");
}

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

static bool tell(ck_job *job, const ck_model *model, bool strict, const char *text)
{
	if (strict)
		return ck_fail(job, CK_UNSUPPORTED, model->source->label, "%s (--strict)", text);
	ck_note(job, "%s", text);
	return true;
}

static bool tell_outside(ck_job *job, const ck_model *model, bool strict)
{
	tally t = {0};
	char keys[320], text[CK_TEXT_MAX];
	for (size_t i = 0; i < model->count; i++)
		if (!ck_path_is_below(model->entries[i].path, model->root))
			tally_add(&t, model->entries[i].path, 1);
	for (size_t i = 0; i < model->other_count; i++)
		if (model->others[i].kind > CK_OTHER_ASIDE &&
		    !ck_path_is_below(model->others[i].path, model->root))
			tally_add(&t, model->others[i].path, model->others[i].count);
	if (!t.total)
		return true;
	tally_print(&t, keys, sizeof keys);
	snprintf(text, sizeof text,
	         "took the tensors below %s; %zu tensor%s elsewhere %s left out: %s; "
	         "--root . takes everything", ck_path_show(model->root).s, t.total,
	         plural(t.total), t.total == 1 ? "was" : "were", keys);
	return tell(job, model, strict, text);
}

static bool tell_aside(ck_job *job, const ck_model *model, bool strict)
{
	char text[CK_TEXT_MAX];
	size_t total = 0;
	for (size_t i = 0; i < model->other_count; i++)
		if (model->others[i].kind == CK_OTHER_ASIDE)
			total += model->others[i].count;
	if (!total)
		return true;
	snprintf(text, sizeof text,
	         "%zu tensor%s that state_dict() does not hold %s left out: attributes of "
	         "modules or parameters, buffers that are not persistent, or bare storages",
	         total, plural(total), total == 1 ? "was" : "were");
	return tell(job, model, strict, text);
}

static bool tell_values(ck_job *job, const ck_model *model, bool strict, bool values_kept)
{
	tally t = {0};
	char keys[320], text[CK_TEXT_MAX];
	for (size_t i = 0; i < model->other_count; i++)
		if (model->others[i].kind == CK_OTHER_VALUE)
			tally_add(&t, model->others[i].path, model->others[i].count);
	if (!t.total || values_kept)
		return true;
	tally_print(&t, keys, sizeof keys);
	snprintf(text, sizeof text,
	         "%zu value%s that %s no tensor%s left out: %s; --extras FILE.json keeps them",
	         t.total, plural(t.total), t.total == 1 ? "is" : "are",
	         t.total == 1 ? " was" : "s were", keys);
	return tell(job, model, strict, text);
}

/* A lone tensor beside the model (a loss, the state of a random generator) makes everything the
 * root: whoever wanted the model alone should hear of it. */
static void tell_everything(ck_job *job, const ck_model *model)
{
	const ck_path *home = NULL;
	for (size_t i = 0; i < model->count && !home; i++)
		if (model->entries[i].path->depth > 1 && is_home(top_key(model->entries[i].path)))
			home = top_key(model->entries[i].path);
	if (home && model->is_mapping)
		ck_note(job, "took everything, because there are tensors at the top level or in "
		        "several usual places; --root %s takes that part alone",
		        ck_show(home->key, home->key_len).s);
}

static bool fail_no_such_root(ck_job *job, const ck_model *model, const char *wanted)
{
	tally t = {0};
	char keys[320];
	for (size_t i = 0; i < model->count; i++)
		tally_add(&t, model->entries[i].path, 1);
	tally_print(&t, keys, sizeof keys);
	return ck_fail(job, CK_USAGE, model->source->label,
	               "there are no tensors below '%s' (--root); there are: %s",
	               ck_show(wanted, strlen(wanted)).s, *keys ? keys : "none at all");
}

/* Names what of a kind lies below the root: "a.weight (quantized tensor), ..." */
static size_t list_others(ck_job *job, const ck_model *model, ck_other_kind kind, char *to,
                          size_t size)
{
	size_t total = 0, used = 0;
	*to = 0;
	for (size_t i = 0; i < model->other_count; i++) {
		const ck_other *other = &model->others[i];
		if (other->kind != kind || !ck_path_is_below(other->path, model->root))
			continue;
		if (++total > LISTED || used >= size)
			continue;
		size_t len;
		const char *name = ck_edit_name(job, model, other->path, &len);
		char shown[80];
		ck_show_to(shown, sizeof shown, name ? name : "", name ? len : 0);
		used += (size_t)snprintf(to + used, size - used, "%s'%s' (%s)",
		                         total > 1 ? ", " : "", shown, other->what);
	}
	if (total > LISTED && used < size)
		snprintf(to + used, size - used, ", ...");
	return total;
}

static bool tell_meta(ck_job *job, const ck_model *model, bool strict)
{
	char names[700], text[CK_TEXT_MAX];
	size_t total = list_others(job, model, CK_OTHER_META, names, sizeof names);
	if (!total)
		return true;
	snprintf(text, sizeof text, "%zu tensor%s without data %s left out: %s", total,
	         plural(total), total == 1 ? "was" : "were", names);
	return tell(job, model, strict, text);
}

static bool tell_arrays(ck_job *job, const ck_model *model, bool strict)
{
	char names[700], text[CK_TEXT_MAX];
	size_t total = list_others(job, model, CK_OTHER_ARRAY, names, sizeof names);
	if (!total)
		return true;
	snprintf(text, sizeof text, "%zu array%s whose elements no tensor can have %s left out: %s",
	         total, plural(total), total == 1 ? "was" : "were", names);
	return tell(job, model, strict, text);
}

/* ---- names ---- */

static bool fail_twice(ck_job *job, const ck_model *model, const ck_entry *a, const ck_entry *b)
{
	return ck_fail(job, CK_UNSUPPORTED, model->source->label,
	               "two tensors would both be called '%s': %s and %s; take one part of the "
	               "file with --root", ck_show(a->name, a->name_len).s,
	               ck_path_show(a->path).s, ck_path_show(b->path).s);
}

static bool name_entries(ck_job *job, ck_model *model)
{
	ck_map seen = {0};
	size_t kept = 0;
	bool fresh;
	for (size_t i = 0; i < model->count; i++) {
		ck_entry entry = model->entries[i];
		if (i % 4096 == 0 && ck_stopped(job))
			return false;
		if (!ck_path_is_below(entry.path, model->root))
			continue;
		entry.name = ck_edit_name(job, model, entry.path, &entry.name_len);
		if (!entry.name)
			return false;
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

/* Facts of the tensors below the root become metadata under the names that were given. */
static bool name_facts(ck_job *job, ck_model *model)
{
	for (size_t i = 0; i < model->fact_count; i++) {
		const ck_fact *fact = &model->facts[i];
		size_t len;
		ck_text key = {0};
		if (!ck_path_is_below(fact->path, model->root))
			continue;
		const char *name = ck_edit_name(job, model, fact->path, &len);
		if (!name || !ck_text_add(job, &key, name, len) ||
		    !ck_text_add(job, &key, ".", 1) ||
		    !ck_text_add(job, &key, fact->key, strlen(fact->key) + 1) ||
		    !ck_model_add_metadata(job, model, key.data, fact->value))
			return false;
	}
	return true;
}

static bool fail_empty(ck_job *job, const ck_model *model)
{
	size_t values = 0;
	for (size_t i = 0; i < model->other_count; i++)
		values += model->others[i].count;
	return ck_fail(job, CK_UNSUPPORTED, model->source->label,
	               "there are no tensors with data in it, so there is nothing to convert (%zu "
	               "other value%s)", values, plural(values));
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

bool ck_edit_root(ck_job *job, ck_model *model, const char *wanted, bool strict, bool values_kept)
{
	if (!ck_edit_choose(job, model, wanted))
		return false;
	if (strcmp(wanted, "auto") == 0 && model->root == model->top)
		tell_everything(job, model);
	if (!tell_outside(job, model, strict) || !tell_meta(job, model, strict) ||
	    !name_entries(job, model) || !name_facts(job, model))
		return false;
	if (!model->count)
		return fail_empty(job, model);
	return tell_arrays(job, model, strict) && tell_aside(job, model, strict) &&
	       tell_values(job, model, strict, values_kept);
}
