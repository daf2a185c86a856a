/* Inside the fold room: the tree of names. */
#ifndef CK_FOLD_TREE_H
#define CK_FOLD_TREE_H

#include "fold.h"

enum { CK_FOLD_DEPTH = 64 }; /* parts of a name; what is behind is one part */

/* Children and leaves are chains, in the order in which they were met. */
typedef struct ck_fold_node {
	uint32_t word;            /* what the part is called */
	uint32_t up;
	uint32_t children, first, last, next;
	uint32_t leaves, leaf, last_leaf; /* tensors of just this name; mostly one or none */
	uint32_t part;            /* the same for equal parts; from 1 on */
	uint64_t tensors, bytes;  /* here and below */
} ck_fold_node;

typedef struct ck_fold_tree {
	const ck_fold_leaf *leaves;
	uint32_t *next_leaf;
	ck_fold_node *nodes;      /* the root first, and each behind the one it is below */
	size_t node_count, node_cap;
	ck_fold_word *words;
	size_t word_count, word_cap;
	size_t parts;             /* how many different ones there are */
	size_t lessened;          /* and how many of those that were made less */
} ck_fold_tree;

/* UINT64_MAX if it does not fit. */
static inline uint64_t ck_fold_sum(uint64_t a, uint64_t b)
{
	uint64_t total;
	return ck_add(a, b, &total) ? total : UINT64_MAX;
}

/* Makes lines of it, and takes it apart for that. */
bool ck_fold_tell(ck_job *job, ck_fold_tree *tree, ck_folded *folded);

/* Where many numbered children of a node are different, and yet have children in common that are
 * equal in all of them: takes these away from them. *common is then a new node with those of the
 * first, and `numbers` the children, of which there are *count; *common is 0 if there is nothing to
 * be done. Parts that are made less have numbers above tree->parts, the same for equal ones. */
bool ck_fold_part_common(ck_job *job, ck_fold_tree *tree, uint32_t index, uint32_t *common,
                         uint32_t **numbers, uint32_t *count);

#endif
