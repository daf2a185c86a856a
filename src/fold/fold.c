/* The tree of names, and which of its parts are equal: each part gets a number, and parts have the
 * same number if the names, dtypes and shapes below them are the same. */
#include "tree.h"

#include <stdlib.h>

/* What stands in a map has to stay where it is. */
typedef struct {
	uint32_t up, word;
} place;

typedef struct {
	ck_job *job;
	ck_fold_tree *tree;
	ck_map words;   /* text -> index in tree->words */
	ck_map places;  /* place -> index in tree->nodes */
	ck_map kinds;   /* of leaves: dtype and shape -> number */
	ck_map parts;   /* of nodes: all that is below them -> number */
	ck_text text;   /* a key in the making */
	ck_text leaves; /* the kinds of a node's leaves */
} builder;

/* ---- the tree ---- */

static bool find_word(builder *b, const char *text, size_t len, uint32_t *index)
{
	bool fresh;
	ck_fold_tree *tree = b->tree;
	uint64_t *found = ck_map_put(b->job, &b->words, text, len, &fresh);
	if (!found)
		return false;
	if (fresh) {
		ck_fold_word *grown = ck_grow(b->job, tree->words, &tree->word_cap,
		                              tree->word_count + 1, sizeof *grown);
		if (!grown)
			return false;
		tree->words = grown;
		*found = tree->word_count;
		grown[tree->word_count] = ck_fold_word_of(b->job, text, len);
		if (!grown[tree->word_count++].text)
			return false;
	}
	*index = (uint32_t)*found;
	return true;
}

static bool add_node(builder *b, uint32_t up, uint32_t word, uint32_t *index)
{
	ck_fold_tree *tree = b->tree;
	ck_fold_node *grown = ck_grow(b->job, tree->nodes, &tree->node_cap, tree->node_count + 1,
	                              sizeof *grown);
	if (!grown)
		return false;
	tree->nodes = grown;
	*index = (uint32_t)tree->node_count++;
	grown[*index] = (ck_fold_node){.word = word, .up = up};
	if (!*index)
		return true;
	if (grown[up].children++)
		grown[grown[up].last].next = *index;
	else
		grown[up].first = *index;
	grown[up].last = *index;
	return true;
}

static bool find_node(builder *b, uint32_t up, const char *text, size_t len, uint32_t *index)
{
	bool fresh;
	place *key = ck_alloc(b->job, sizeof *key);
	if (!key || !find_word(b, text, len, &key->word))
		return false;
	key->up = up;
	uint64_t *found = ck_map_put(b->job, &b->places, key, sizeof *key, &fresh);
	if (!found)
		return false;
	if (!fresh)
		*index = (uint32_t)*found;
	else if (!add_node(b, up, key->word, index))
		return false;
	*found = *index;
	return true;
}

static bool add_leaf(builder *b, const ck_fold_leaf *leaf, uint32_t number)
{
	ck_fold_tree *tree = b->tree;
	const char *at = leaf->name, *end = leaf->name + leaf->len;
	uint32_t node = 0;
	for (unsigned depth = 1;; depth++) {
		bool deeper = depth < CK_FOLD_DEPTH;
		const char *dot = deeper ? memchr(at, '.', (size_t)(end - at)) : NULL;
		const char *stop = dot ? dot : end;
		if (!find_node(b, node, at, (size_t)(stop - at), &node))
			return false;
		if (!dot)
			break;
		at = dot + 1;
	}
	tree->next_leaf[number] = UINT32_MAX;
	ck_fold_node *of = &tree->nodes[node];
	if (of->leaves++)
		tree->next_leaf[of->last_leaf] = number;
	else
		of->leaf = number;
	of->last_leaf = number;
	return true;
}

/* ---- which parts are equal ---- */

static bool add_key(builder *b, const void *data, size_t len)
{
	return ck_text_add(b->job, &b->text, data, len);
}

/* The number of what b->text says, the same for the same text. */
static bool number_of(builder *b, ck_map *map, uint32_t *number)
{
	bool fresh;
	uint64_t *found = ck_map_find(b->job, map, b->text.data, b->text.len);
	if (!found) {
		const char *kept = ck_copy(b->job, b->text.data, b->text.len);
		found = kept ? ck_map_put(b->job, map, kept, b->text.len, &fresh) : NULL;
		if (!found)
			return false;
		*found = map->count;
	}
	*number = (uint32_t)*found;
	return true;
}

static bool kind_of(builder *b, const ck_fold_leaf *leaf, uint32_t *kind)
{
	b->text.len = 0;
	return add_key(b, leaf->dtype, strlen(leaf->dtype) + 1) &&
	       add_key(b, leaf->shape, leaf->ndim * sizeof *leaf->shape) &&
	       number_of(b, &b->kinds, kind);
}

static int by_word(const void *a, const void *b)
{
	uint32_t s = ((const place *)a)->word, t = ((const place *)b)->word;
	return (s > t) - (s < t);
}

/* The kinds of its leaves, and the words and numbers of its children: these were numbered before,
 * since nodes stand behind what they are below. */
static bool number_node(builder *b, ck_fold_node *node, place *children)
{
	const ck_fold_tree *tree = b->tree;
	size_t count = 0;
	uint32_t kind;
	for (uint32_t i = 0, at = node->first; i < node->children; i++, at = tree->nodes[at].next) {
		const ck_fold_node *child = &tree->nodes[at];
		children[count++] = (place){child->part, child->word};
		node->tensors += child->tensors;
		node->bytes = ck_fold_sum(node->bytes, child->bytes);
	}
	qsort(children, count, sizeof *children, by_word);
	b->leaves.len = 0;
	for (uint32_t i = 0, at = node->leaf; i < node->leaves; i++, at = tree->next_leaf[at]) {
		node->tensors++;
		node->bytes = ck_fold_sum(node->bytes, tree->leaves[at].bytes);
		if (!kind_of(b, &tree->leaves[at], &kind) ||
		    !ck_text_add(b->job, &b->leaves, &kind, sizeof kind))
			return false;
	}
	b->text.len = 0;
	return add_key(b, &node->leaves, sizeof node->leaves) &&
	       add_key(b, b->leaves.data, b->leaves.len) &&
	       add_key(b, children, count * sizeof *children) &&
	       number_of(b, &b->parts, &node->part);
}

static bool number_all(builder *b)
{
	ck_fold_tree *tree = b->tree;
	uint32_t most = 0;
	for (size_t i = 0; i < tree->node_count; i++)
		most = tree->nodes[i].children > most ? tree->nodes[i].children : most;
	place *children = ck_alloc_array(b->job, (size_t)most + 1, sizeof *children);
	if (!children)
		return false;
	for (size_t i = tree->node_count; i-- > 0;)
		if ((i % 4096 == 0 && ck_stopped(b->job)) ||
		    !number_node(b, &tree->nodes[i], children))
			return false;
	tree->parts = b->parts.count;
	return true;
}

bool ck_fold(ck_job *job, const ck_fold_leaf *leaves, size_t count, ck_folded *folded)
{
	ck_fold_tree tree = {.leaves = leaves};
	builder b = {.job = job, .tree = &tree};
	uint32_t root;
	*folded = (ck_folded){0};
	if (count >= UINT32_MAX)
		return ck_fail(job, CK_LIMIT, "", "%zu tensors are too many for a tree", count);
	tree.next_leaf = ck_alloc_array(job, count + 1, sizeof *tree.next_leaf);
	if (!tree.next_leaf || !add_node(&b, 0, 0, &root))
		return false;
	for (size_t i = 0; i < count; i++)
		if ((i % 4096 == 0 && ck_stopped(job)) || !add_leaf(&b, &leaves[i], (uint32_t)i))
			return false;
	return number_all(&b) && ck_fold_tell(job, &tree, folded);
}
