/* Folding: many named tensors as few lines that a person can read, without saying anything that is
 * not true of every tensor a line stands for. Names are trees, their parts joined by dots. Parts of
 * one tree below which everything is equal, in names, dtypes and shapes, become one line:
 * "layers.0-31", "{q,k,v}_proj". */
#ifndef CK_FOLD_H
#define CK_FOLD_H

#include "base.h"

/* A tensor, as far as it is shown. */
typedef struct ck_fold_leaf {
	const char *name; /* any bytes */
	size_t len;
	const char *dtype;
	size_t ndim;
	const uint64_t *shape;
	uint64_t bytes;   /* the same for leaves of one dtype and shape */
} ck_fold_leaf;

/* Labels are printable, and end with NUL. */
typedef struct ck_fold_line {
	unsigned depth;   /* of the tree, from 0 on */
	const char *label;
	/* What each tensor of the line is like; NULL: a heading over the deeper lines that follow,
	 * or a part that looks just as the one called `like`, which was shown before. */
	const ck_fold_leaf *leaf;
	const char *like;
	const char *near; /* the same from the last part on that is above both */
	uint64_t tensors; /* that it stands for; those of a heading are in its lines, too */
	uint64_t bytes;   /* of these; UINT64_MAX: more than fits */
} ck_fold_line;

typedef struct ck_folded {
	ck_fold_line *lines;
	size_t count, cap;
} ck_folded;

/* Numbers come in ascending order, all else in the order of its first leaf. Needs time and memory
 * in proportion to the bytes of all names, but for sorting. False after a failure. */
bool ck_fold(ck_job *job, const ck_fold_leaf *leaves, size_t count, ck_folded *folded);

/* ---- inside this room ---- */

/* One part of a name. */
typedef struct ck_fold_word {
	const char *text; /* printable, and in quotes if it could be taken for several */
	size_t len;
	bool whole;       /* never taken apart */
} ck_fold_word;

/* NULL text after a failure. */
ck_fold_word ck_fold_word_of(ck_job *job, const char *text, size_t len);
/* Whether it is a number as Python prints it; those of more than 18 digits are none. */
bool ck_fold_is_number(const ck_fold_word *word);
/* The order in which words stand that differ in their numbers only; 0 if they differ otherwise. */
int ck_fold_compare(const ck_fold_word *a, const ck_fold_word *b);
/* Appends one expression for several different words: "0-2,5", "{gate,up}_proj", "bn{1-3}". */
bool ck_fold_words(ck_job *job, const ck_fold_word *words, size_t count, ck_text *to);

#endif
