/* What is done to a model between reading and writing: which part of it is taken, under which
 * names and as which types, and what becomes of names that share their elements. */
#ifndef CK_EDIT_H
#define CK_EDIT_H

#include "model.h"

/* What keeps a tensor from being written, such as "complex128"; NULL: nothing. */
typedef const char *ck_lacks(ck_dtype dtype, const char *name, size_t len);
/* Moves what is chosen and an output cannot hold to the tensors that cannot be written. */
bool ck_edit_set_aside(ck_job *job, ck_model *model, const char *wanted, ck_lacks *lacks);

/* Chooses the subtree to be converted: sets model->root. */
bool ck_edit_choose(ck_job *job, ck_model *model, const char *wanted);
/* What a path below the root is called. NULL after a failure. */
const char *ck_edit_name(ck_job *job, const ck_model *model, const ck_path *path, size_t *len);
/* Fails if what is chosen holds tensors that cannot be written, and names all of them; with `skip`
 * and without `strict` they are left out, and told in a note. */
bool ck_edit_unsupported(ck_job *job, ck_model *model, const char *wanted, bool skip, bool strict);

/* * ? [a-z] [!abc] \x; the name may hold anything. */
bool ck_glob_matches(const char *glob, const char *name, size_t len);

/* Whether the expression of `rule` has backslashes before letters that are no escapes, and its
 * replacement such or groups that are none; says so. */
bool ck_rename_check_expression(ck_job *job, const char *rule, const char *expression);
bool ck_rename_check_text(ck_job *job, const char *rule, const char *text, size_t groups);

/* Options that choose by name and give new names, ready for use; `shaping` must live as long. NULL
 * after a failure: an expression is none. */
typedef struct ck_names ck_names;
ck_names *ck_names_new(ck_job *job, const ck_shaping *shaping);
/* Whether a tensor of this name is taken; if so, the name becomes what it will be called. */
bool ck_names_take(ck_job *job, ck_names *names, const char **name, size_t *len, bool *taken);
/* The new name alone. */
bool ck_names_change(ck_job *job, ck_names *names, const char **name, size_t *len);
/* Notes on how many names each option touched; fails if no tensor is left. */
bool ck_names_tell(ck_job *job, const ck_names *names, const ck_model *model);

/* "KEY=VALUE" pairs for the metadata; they replace what is there. */
bool ck_edit_metadata(ck_job *job, ck_model *model, const ck_words *pairs);

/* Chooses the subtree to be converted and names its tensors by their paths below it, and by `names`
 * if that is not NULL. `wanted` is "auto", "." for everything, or keys joined by dots. What stays
 * outside is told in notes; with `strict` it is an error. Fails if two tensors get one name, or if
 * nothing is left. `values_kept` says that values which are no tensors go elsewhere (--extras) and
 * are not lost. */
bool ck_edit_root(ck_job *job, ck_model *model, const char *wanted, ck_names *names, bool strict,
                  bool values_kept);

/* What the root leaves out: outside of it, before its tensors are named, and then the rest. Fails
 * with `strict` if there is anything, and always if no tensor is left. */
bool ck_edit_tell_outside(ck_job *job, const ck_model *model, bool strict);
bool ck_edit_tell_rest(ck_job *job, const ck_model *model, bool strict, bool values_kept);
/* "model (31), optimizer (24)": the keys at the top that hold tensors. */
void ck_edit_list_keys(const ck_model *model, char *to, size_t size);
/* The key at the top that a path begins with; and whether two are the same. */
const ck_path *ck_edit_top_key(const ck_path *path);
bool ck_edit_same_key(const ck_path *a, const ck_path *b);

/* "TYPE" and "TYPE:GLOB" words, ready for use; they must live as long. NULL after a failure: there
 * is no such type. */
typedef struct ck_casts ck_casts;
ck_casts *ck_casts_new(ck_job *job, const ck_words *words);
/* Casts floating tensors as the last word says that matches their name in the output; comes before
 * the ties, which are between what is written. */
bool ck_edit_cast(ck_job *job, ck_model *model, ck_casts *casts);
/* Tells in notes how many of those that are left it was. */
void ck_edit_tell_cast(ck_job *job, const ck_model *model, ck_casts *casts);
/* After the model was written: tells in a note what did not fit into what it was cast to. */
void ck_edit_tell_lost(ck_job *job, const ck_model *model);

/* All entries, those that are the same view one after the other, by name among themselves. NULL
 * after a failure. */
ck_entry **ck_edit_by_view(ck_job *job, ck_model *model);
/* Under CK_TIES_DROP, of tensors that are the same view keeps the name that sorts first; the others
 * become metadata, {dropped: kept}. */
bool ck_edit_ties(ck_job *job, ck_model *model, ck_ties ties);

#endif
