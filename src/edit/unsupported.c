/* Tensors that cannot be written: all of them are named at once, and refused or left out. */
#include "edit.h"

#include <stdio.h>
#include <string.h>

enum { NAMES = 720 }; /* bytes of names that a message has room for */

/* Tensors outside the root keep their place: they are counted there, and not written anyway. */
static bool look(ck_job *job, const ck_model *model, const ck_entry *entry, ck_lacks *lacks,
                 const char **what)
{
	size_t len;
	*what = NULL;
	if (!ck_path_is_below(entry->path, model->root))
		return true;
	ck_mark mark = ck_arena_mark(job);
	const char *name = ck_edit_name(job, model, entry->path, &len);
	if (name)
		*what = lacks(entry->tensor->dtype, name, len);
	ck_arena_release(job, mark);
	return name;
}

bool ck_edit_set_aside(ck_job *job, ck_model *model, const char *wanted, ck_lacks *lacks)
{
	size_t kept = 0;
	const char *what;
	if (!ck_edit_choose(job, model, wanted))
		return false;
	for (size_t i = 0; i < model->count; i++) {
		const ck_entry entry = model->entries[i];
		if (!look(job, model, &entry, lacks, &what))
			return false;
		if (!what)
			model->entries[kept++] = entry;
		else if (!ck_model_add_other(job, model, entry.path, what, CK_OTHER_UNSUPPORTED))
			return false;
	}
	model->count = kept;
	return true;
}

/* "'a.weight' (complex128)" */
static size_t describe(ck_job *job, const ck_model *model, const ck_other *other, char *to,
                       size_t size)
{
	size_t len;
	char shown[80];
	ck_mark mark = ck_arena_mark(job);
	const char *name = ck_edit_name(job, model, other->path, &len);
	ck_show_to(shown, sizeof shown, name ? name : "", name ? len : 0);
	ck_arena_release(job, mark);
	return (size_t)snprintf(to, size, "'%s' (%s)", shown, other->what);
}

static bool is_complex(const char *what)
{
	return !strncmp(what, "complex", 7);
}

/* As many names as fit, and how many more there are. */
static size_t list(ck_job *job, const ck_model *model, char *to, bool *complex)
{
	size_t total = 0, more = 0, used = 0;
	char one[200];
	*to = 0;
	for (size_t i = 0; i < model->other_count; i++) {
		const ck_other *other = &model->others[i];
		if (other->kind != CK_OTHER_UNSUPPORTED ||
		    !ck_path_is_below(other->path, model->root))
			continue;
		total++;
		*complex = *complex || is_complex(other->what);
		size_t need = more ? NAMES : describe(job, model, other, one, sizeof one) + 2;
		if (used + need >= NAMES) {
			more++;
			continue;
		}
		used += (size_t)snprintf(to + used, NAMES - used, "%s%s", used ? ", " : "", one);
	}
	if (more)
		snprintf(to + used, 40, " and %zu more", more);
	return total;
}

bool ck_edit_unsupported(ck_job *job, ck_model *model, const char *wanted, bool skip, bool strict)
{
	char names[NAMES + 40];
	bool complex = false;
	if (!ck_edit_choose(job, model, wanted))
		return false;
	size_t total = list(job, model, names, &complex);
	const char *s = total == 1 ? "" : "s";
	if (!total)
		return true;
	if (!skip || strict)
		return ck_fail(job, CK_UNSUPPORTED, model->source->label,
		               "%zu tensor%s cannot be written: %s; %s--skip-unsupported leaves "
		               "%s out%s", total, s, names,
		               complex ? "--complex split writes complex numbers as two tensors, "
		                       : "",
		               total == 1 ? "it" : "them",
		               skip ? ", which --strict forbids" : "");
	ck_note(job, "%zu tensor%s that cannot be written %s left out: %s", total, s,
	        total == 1 ? "was" : "were", names);
	return true;
}
