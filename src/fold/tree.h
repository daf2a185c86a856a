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
} ck_fold_tree;

/* Makes lines of it. */
bool ck_fold_tell(ck_job *job, const ck_fold_tree *tree, ck_folded *folded);

#endif
