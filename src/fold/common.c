/* What numbered parts have in common though they differ, such as the step of each parameter in the
 * state of an optimizer: it is taken out of them, and told once for all. */
#include "tree.h"

enum { GROUPS_LEAST = 4 }; /* fewer are easier to read whole */

/* The numbered children that have children, and how many different ones there are. */
static bool find_numbered(ck_job *job, const ck_fold_tree *tree, uint32_t index, uint32_t **numbers,
                          uint32_t *count, size_t *groups)
{
	ck_map parts = {0};
	bool fresh;
	const ck_fold_node *node = &tree->nodes[index];
	uint32_t *found = ck_alloc_array(job, (size_t)node->children + 1, sizeof *found);
	*count = 0;
	if (!found)
		return false;
	for (uint32_t i = 0, at = node->first; i < node->children; i++, at = tree->nodes[at].next) {
		const ck_fold_node *child = &tree->nodes[at];
		if (child->leaves || !child->children ||
		    !ck_fold_is_number(&tree->words[child->word]))
			continue;
		if (!ck_map_put(job, &parts, &child->part, sizeof child->part, &fresh))
			return false;
		found[(*count)++] = at;
	}
	*groups = parts.count;
	*numbers = found;
	return true;
}

typedef struct {
	uint32_t word, part;
} likeness;

/* Counts how many of the nodes have each child; a node has no two of one name. */
static bool count_children(ck_job *job, const ck_fold_tree *tree, const uint32_t *numbers,
                           uint32_t count, ck_map *seen)
{
	bool fresh;
	for (uint32_t i = 0; i < count; i++) {
		const ck_fold_node *node = &tree->nodes[numbers[i]];
		for (uint32_t k = 0, at = node->first; k < node->children; k++) {
			const ck_fold_node *child = &tree->nodes[at];
			likeness *key = ck_alloc(job, sizeof *key);
			uint64_t *times = NULL;
			if (key) {
				*key = (likeness){child->word, child->part};
				times = ck_map_put(job, seen, key, sizeof *key, &fresh);
			}
			if (!times)
				return false;
			++*times;
			at = child->next;
		}
	}
	return true;
}

static bool is_common(ck_job *job, const ck_map *seen, const ck_fold_node *child, uint32_t count)
{
	likeness key = {child->word, child->part};
	const uint64_t *times = ck_map_find(job, seen, &key, sizeof key);
	return times && *times == count;
}

static void append(ck_fold_tree *tree, ck_fold_node *to, uint32_t index)
{
	if (to->children++)
		tree->nodes[to->last].next = index;
	else
		to->first = index;
	to->last = index;
	to->tensors += tree->nodes[index].tensors;
	to->bytes = ck_fold_sum(to->bytes, tree->nodes[index].bytes);
}

/* Its children in two chains: what stays, and what all have in common. */
static void part_children(ck_job *job, ck_fold_tree *tree, uint32_t index, const ck_map *seen,
                          uint32_t count, ck_fold_node *common)
{
	ck_fold_node stays = tree->nodes[index];
	uint32_t at = stays.first, children = stays.children;
	stays.children = 0;
	stays.tensors = stays.bytes = 0;
	for (uint32_t i = 0; i < children; i++) {
		uint32_t next = tree->nodes[at].next;
		append(tree, is_common(job, seen, &tree->nodes[at], count) ? common : &stays, at);
		at = next;
	}
	tree->nodes[index] = stays;
}

/* A new number for what stayed. The order of children counts here, too. */
static bool number_rest(ck_job *job, ck_fold_tree *tree, uint32_t index, ck_map *parts)
{
	bool fresh;
	ck_fold_node *node = &tree->nodes[index];
	likeness *key = ck_alloc_array(job, (size_t)node->children + 1, sizeof *key);
	if (!key)
		return false;
	for (uint32_t i = 0, at = node->first; i < node->children; i++, at = tree->nodes[at].next)
		key[i] = (likeness){tree->nodes[at].word, tree->nodes[at].part};
	uint64_t *number = ck_map_put(job, parts, key, node->children * sizeof *key, &fresh);
	if (!number)
		return false;
	if (fresh)
		*number = tree->parts + ++tree->lessened;
	node->part = (uint32_t)*number;
	return true;
}

bool ck_fold_part_common(ck_job *job, ck_fold_tree *tree, uint32_t index, uint32_t *common,
                         uint32_t **numbers, uint32_t *count)
{
	ck_map seen = {0}, parts = {0};
	size_t groups;
	*common = 0;
	if (!find_numbered(job, tree, index, numbers, count, &groups))
		return false;
	if (groups < GROUPS_LEAST)
		return true;
	if (!count_children(job, tree, *numbers, *count, &seen))
		return false;
	ck_fold_node first = {.up = (*numbers)[0]};
	for (uint32_t i = 0; i < *count; i++) {
		ck_fold_node taken = {0};
		part_children(job, tree, (*numbers)[i], &seen, *count, i ? &taken : &first);
		if (!first.children) /* then nothing was changed */
			return true;
		if (!number_rest(job, tree, (*numbers)[i], &parts))
			return false;
	}
	ck_fold_node *grown = ck_grow(job, tree->nodes, &tree->node_cap, tree->node_count + 1,
	                              sizeof *grown);
	if (!grown)
		return false;
	tree->nodes = grown;
	*common = (uint32_t)tree->node_count++;
	first.part = (uint32_t)(tree->parts + ++tree->lessened);
	grown[*common] = first;
	return true;
}
