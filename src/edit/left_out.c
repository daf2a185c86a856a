/* What the output will not hold, told in notes: by name, or counted by the keys at the top. */
#include "edit.h"

#include <stdio.h>
#include <string.h>

enum { LISTED = 6 }; /* names that a note or an error gives as examples */

const ck_path *ck_edit_top_key(const ck_path *path)
{
	while (path->depth > 1)
		path = path->up;
	return path;
}

bool ck_edit_same_key(const ck_path *a, const ck_path *b)
{
	return a->depth == b->depth && a->key_len == b->key_len &&
	       !memcmp(a->key, b->key, a->key_len);
}

/* "optimizer (24), ema (12), ...": the top keys of what `outside` says yes to. */
typedef struct {
	const ck_path *key[LISTED];
	size_t count[LISTED];
	size_t kinds, total;
	bool more;
} tally;

static void tally_add(tally *t, const ck_path *path, size_t count)
{
	const ck_path *key = ck_edit_top_key(path);
	t->total += count;
	for (size_t i = 0; i < t->kinds; i++)
		if (ck_edit_same_key(t->key[i], key)) {
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
	         "%zu value%s that %s no tensor%s left out: %s; --extras FILE.json keeps %s",
	         t.total, plural(t.total), t.total == 1 ? "is" : "are",
	         t.total == 1 ? " was" : "s were", keys, t.total == 1 ? "it" : "them");
	return tell(job, model, strict, text);
}

/* Names what of a kind there is: "'a.weight' (quantized tensor), ..."; what state_dict() leaves out
 * counts everywhere, all else below the root. */
static size_t list_others(ck_job *job, const ck_model *model, ck_other_kind kind, char *to,
                          size_t size)
{
	size_t total = 0, used = 0, rows = 0;
	*to = 0;
	for (size_t i = 0; i < model->other_count; i++) {
		const ck_other *other = &model->others[i];
		bool below = ck_path_is_below(other->path, model->root);
		if (other->kind != kind || (!below && kind != CK_OTHER_ASIDE))
			continue;
		total += other->count;
		if (++rows > LISTED || used >= size)
			continue;
		size_t len;
		const char *name = below ? ck_edit_name(job, model, other->path, &len)
		                         : ck_path_name(job, other->path, model->top, &len);
		char shown[80];
		ck_show_to(shown, sizeof shown, name ? name : "", name ? len : 0);
		used += (size_t)snprintf(to + used, size - used, "%s'%s' (%s)",
		                         rows > 1 ? ", " : "", shown, other->what);
	}
	if (rows > LISTED && used < size)
		snprintf(to + used, size - used, ", ...");
	return total;
}

/* "3 tensors without data were left out: ..." */
static bool tell_kind(ck_job *job, const ck_model *model, bool strict, ck_other_kind kind)
{
	static const struct {
		const char *what, *which;
	} kinds[] = {
		[CK_OTHER_ASIDE] = {"tensor", "that state_dict() does not hold"},
		[CK_OTHER_META] = {"tensor", "without data"},
		[CK_OTHER_ARRAY] = {"array", "whose elements no tensor can have"},
	};
	char names[700], text[CK_TEXT_MAX];
	size_t total = list_others(job, model, kind, names, sizeof names);
	if (!total)
		return true;
	snprintf(text, sizeof text, "%zu %s%s %s %s left out: %s", total, kinds[kind].what,
	         plural(total), kinds[kind].which, total == 1 ? "was" : "were", names);
	return tell(job, model, strict, text);
}

static bool fail_empty(ck_job *job, const ck_model *model)
{
	size_t values = 0;
	for (size_t i = 0; i < model->other_count; i++)
		values += model->others[i].count;
	char others[64] = "";
	if (values)
		snprintf(others, sizeof others, " (%zu other value%s)", values, plural(values));
	return ck_fail(job, CK_UNSUPPORTED, model->source->label,
	               "there are no tensors with data in it, so there is nothing to convert%s",
	               others);
}

void ck_edit_list_keys(const ck_model *model, char *to, size_t size)
{
	tally t = {0};
	for (size_t i = 0; i < model->count; i++)
		tally_add(&t, model->entries[i].path, 1);
	tally_print(&t, to, size);
}

bool ck_edit_tell_outside(ck_job *job, const ck_model *model, bool strict)
{
	return tell_outside(job, model, strict) && tell_kind(job, model, strict, CK_OTHER_META);
}

bool ck_edit_tell_rest(ck_job *job, const ck_model *model, bool strict, bool values_kept)
{
	if (!model->count)
		return fail_empty(job, model);
	return tell_kind(job, model, strict, CK_OTHER_ARRAY) &&
	       tell_kind(job, model, strict, CK_OTHER_ASIDE) &&
	       tell_values(job, model, strict, values_kept);
}
