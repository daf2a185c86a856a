/* What is done to a model between reading and writing: which part of it is taken, under which
 * names, and what becomes of names that share their elements. */
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

/* Chooses the subtree to be converted and names its tensors by their paths below it. `wanted` is
 * "auto", "." for everything, or keys joined by dots. What stays outside is told in notes; with
 * `strict` it is an error. Fails if two tensors get one name, or if nothing is left. `values_kept`
 * says that values which are no tensors go elsewhere (--extras) and are not lost. */
bool ck_edit_root(ck_job *job, ck_model *model, const char *wanted, bool strict, bool values_kept);

/* What the root leaves out: outside of it, before its tensors are named, and then the rest. Fails
 * with `strict` if there is anything, and always if no tensor is left. */
bool ck_edit_tell_outside(ck_job *job, const ck_model *model, bool strict);
bool ck_edit_tell_rest(ck_job *job, const ck_model *model, bool strict, bool values_kept);
/* "model (31), optimizer (24)": the keys at the top that hold tensors. */
void ck_edit_list_keys(const ck_model *model, char *to, size_t size);
/* The key at the top that a path begins with; and whether two are the same. */
const ck_path *ck_edit_top_key(const ck_path *path);
bool ck_edit_same_key(const ck_path *a, const ck_path *b);

/* Under CK_TIES_DROP, of tensors that are the same view keeps the name that sorts first; the others
 * become metadata, {dropped: kept}. */
bool ck_edit_ties(ck_job *job, ck_model *model, ck_ties ties);

#endif
