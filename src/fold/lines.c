/* Lines for a tree of names: what is equal among the children of a node is one line, or one heading
 * with the lines below it; what was shown before and is long is only referred to. */
#include "tree.h"

#include <stdlib.h>

enum {
	FEW_LINES = 2,   /* that get no heading of their own */
	MANY_LINES = 4,  /* that are not shown a second time */
	LABEL_MOST = 48  /* bytes that a label may get where a heading would do, too */
};

typedef struct {
	ck_job *job;
	ck_fold_tree *tree;
	ck_folded *to;
	uint32_t *shown;  /* by part: the node that was shown for it, or 0 */
	size_t *lines;    /* by part: how many lines it took */
} teller;

/* Children that are equal: `count` of the sorted ones from `from` on. */
typedef struct {
	uint32_t from, count;
	uint32_t order;   /* of the first of them */
} group;

typedef struct {
	const ck_fold_tree *tree;
	uint32_t node;
	uint32_t order;   /* among its siblings, as they are told */
	uint32_t pattern; /* the same for words that differ in their numbers only */
} child;

static const ck_fold_node *node_of(const teller *t, uint32_t index)
{
	return &t->tree->nodes[index];
}

static uint64_t times(uint64_t a, uint64_t b)
{
	uint64_t product;
	return ck_mul(a, b, &product) && a != UINT64_MAX ? product : UINT64_MAX;
}

/* ---- the order of children, and which are equal ---- */

static const ck_fold_word *word_of(const child *c)
{
	return &c->tree->words[c->tree->nodes[c->node].word];
}

static int by_pattern(const void *a, const void *b)
{
	const child *s = a, *t = b;
	int order = (s->pattern > t->pattern) - (s->pattern < t->pattern);
	return order ? order : (s->order > t->order) - (s->order < t->order);
}

static int by_number(const void *a, const void *b)
{
	const child *s = a, *t = b;
	int order = (s->pattern > t->pattern) - (s->pattern < t->pattern);
	order = order ? order : ck_fold_compare(word_of(s), word_of(t));
	return order ? order : (s->order > t->order) - (s->order < t->order);
}

static int by_part(const void *a, const void *b)
{
	const child *s = a, *t = b;
	uint32_t p = s->tree->nodes[s->node].part, q = t->tree->nodes[t->node].part;
	return p != q ? (p > q) - (p < q) : (s->order > t->order) - (s->order < t->order);
}

static int by_first(const void *a, const void *b)
{
	const group *s = a, *t = b;
	return (s->order > t->order) - (s->order < t->order);
}

/* The word with each number replaced by one digit. */
static bool pattern_of(teller *t, ck_map *patterns, const ck_fold_word *word, uint32_t *pattern)
{
	bool fresh;
	size_t len = 0;
	char *text = ck_alloc(t->job, word->len + 1);
	if (!text)
		return false;
	for (size_t i = 0; i < word->len; i++) {
		bool digit = word->text[i] >= '0' && word->text[i] <= '9';
		if (digit && len && text[len - 1] == '0')
			continue;
		text[len++] = digit ? '0' : word->text[i];
	}
	uint64_t *found = ck_map_put(t->job, patterns, text, len, &fresh);
	if (!found)
		return false;
	if (fresh)
		*found = patterns->count;
	*pattern = (uint32_t)*found;
	return true;
}

/* Words of one pattern change places among themselves, so that their numbers ascend. */
static bool order_children(teller *t, child *c, size_t count)
{
	uint32_t *order = ck_alloc_array(t->job, count + 1, sizeof *order);
	if (!order)
		return false;
	qsort(c, count, sizeof *c, by_pattern);
	for (size_t i = 0; i < count; i++)
		order[i] = c[i].order;
	qsort(c, count, sizeof *c, by_number);
	for (size_t i = 0; i < count; i++)
		c[i].order = order[i];
	return true;
}

/* The children of a node in groups of equal ones, by the first of each. */
static bool group_children(teller *t, uint32_t index, child **children, group **groups,
                           uint32_t *count)
{
	const ck_fold_node *node = node_of(t, index);
	ck_map patterns = {0};
	child *c = ck_alloc_array(t->job, (size_t)node->children + 1, sizeof *c);
	group *g = ck_alloc_array(t->job, (size_t)node->children + 1, sizeof *g);
	if (!c || !g)
		return false;
	uint32_t some = 0;
	for (uint32_t i = 0, at = node->first; i < node->children; i++, at = node_of(t, at)->next) {
		if (!node_of(t, at)->tensors) /* all of it was told */
			continue;
		c[some] = (child){t->tree, at, some, 0};
		if (!pattern_of(t, &patterns, word_of(&c[some]), &c[some].pattern))
			return false;
		some++;
	}
	if (!order_children(t, c, some))
		return false;
	qsort(c, some, sizeof *c, by_part);
	*count = 0;
	for (uint32_t i = 0; i < some; i++) {
		bool same = i && node_of(t, c[i].node)->part == node_of(t, c[i - 1].node)->part;
		if (!same)
			g[(*count)++] = (group){.from = i, .order = c[i].order};
		g[*count - 1].count++;
	}
	qsort(g, *count, sizeof *g, by_first);
	*children = c;
	*groups = g;
	return true;
}

/* ---- labels ---- */

static bool add_group(teller *t, const child *children, const group *of, ck_text *label)
{
	ck_fold_word *words = ck_alloc_array(t->job, of->count, sizeof *words);
	if (!words)
		return false;
	for (uint32_t i = 0; i < of->count; i++)
		words[i] = *word_of(&children[of->from + i]);
	return ck_fold_words(t->job, words, of->count, label);
}

/* The full name of one node. */
static const char *name_of(teller *t, uint32_t index)
{
	uint32_t path[CK_FOLD_DEPTH];
	unsigned depth = 0;
	ck_text name = {0};
	for (; index && depth < CK_FOLD_DEPTH; index = node_of(t, index)->up)
		path[depth++] = index;
	while (depth--) {
		const ck_fold_word *word = &t->tree->words[node_of(t, path[depth])->word];
		if (!ck_text_add(t->job, &name, word->text, word->len) ||
		    !ck_text_add(t->job, &name, depth ? "." : "", 1))
			return NULL;
	}
	return name.data;
}

/* Of the name of a node, what begins with the last part that `other` is below, too. */
static const char *near_part(teller *t, const char *name, uint32_t index, uint32_t other)
{
	size_t len = strlen(name);
	uint32_t above = index;
	/* nodes stand behind those that they are below */
	for (uint32_t b = other; above != b;)
		if (above > b)
			above = node_of(t, above)->up;
		else
			b = node_of(t, b)->up;
	for (uint32_t at = index; at != above; at = node_of(t, at)->up)
		len -= t->tree->words[node_of(t, at)->word].len + (node_of(t, at)->up != 0);
	if (above)
		len -= t->tree->words[node_of(t, above)->word].len;
	return name + len;
}

static const char *joined(teller *t, const char *label, const char *below)
{
	ck_text made = {0};
	bool ok = ck_text_add(t->job, &made, label, strlen(label)) &&
	          ck_text_add(t->job, &made, ".", 1) &&
	          ck_text_add(t->job, &made, below, strlen(below) + 1);
	return ok ? made.data : NULL;
}

/* ---- lines ---- */

static bool add_line(teller *t, const ck_fold_line *line)
{
	ck_folded *to = t->to;
	ck_fold_line *grown = ck_grow(t->job, to->lines, &to->cap, to->count + 1, sizeof *grown);
	if (!grown)
		return false;
	to->lines = grown;
	grown[to->count++] = *line;
	return true;
}

/* Few lines below a heading say what it says themselves: they become its equals. */
static bool without_heading(teller *t, size_t heading)
{
	ck_folded *to = t->to;
	const ck_fold_line head = to->lines[heading];
	size_t below = to->count - heading - 1;
	if (below > FEW_LINES)
		return true;
	for (size_t i = heading + 1; i < to->count; i++)
		if (to->lines[i].depth > head.depth + 1 ||
		    (below > 1 && strlen(head.label) + strlen(to->lines[i].label) >= LABEL_MOST))
			return true;
	for (size_t i = heading; i + 1 < to->count; i++) {
		to->lines[i] = to->lines[i + 1];
		to->lines[i].depth = head.depth;
		to->lines[i].label = joined(t, head.label, to->lines[i].label);
		if (!to->lines[i].label)
			return false;
	}
	to->count--;
	return true;
}

static bool tell_children(teller *t, uint32_t index, uint64_t mult, unsigned depth);

/* All leaves and children of a node that stands for `mult` equal ones. */
static bool tell_node(teller *t, uint32_t index, const char *label, uint64_t mult, unsigned depth)
{
	const ck_fold_node node = *node_of(t, index);
	size_t heading = t->to->count;
	ck_fold_line line = {.depth = depth, .label = label, .tensors = mult * node.tensors,
	                     .bytes = times(node.bytes, mult)};
	bool whole = node.part <= t->tree->parts;
	uint32_t seen = whole ? t->shown[node.part] : 0;
	if (seen && t->lines[node.part] >= MANY_LINES) {
		line.like = name_of(t, seen);
		line.near = line.like ? near_part(t, line.like, seen, index) : NULL;
		return line.like && add_line(t, &line);
	}
	for (uint32_t i = 0, at = node.leaf; i < node.leaves; i++, at = t->tree->next_leaf[at]) {
		const ck_fold_leaf *leaf = &t->tree->leaves[at];
		if (!add_line(t, &(ck_fold_line){depth, label, leaf, NULL, NULL, mult,
		                                 times(leaf->bytes, mult)}))
			return false;
	}
	if (!node.children)
		return true;
	bool headed = !node.leaves;
	if ((headed && !add_line(t, &line)) || !tell_children(t, index, mult, depth + 1))
		return false;
	if (whole) {
		t->shown[node.part] = index;
		t->lines[node.part] = t->to->count - heading;
	}
	return !headed || without_heading(t, heading);
}

/* A group, and what is below it as long as that is one group as well: "a.b.0-3.{c,d}". */
static bool tell_group(teller *t, const child *children, const group *of, uint64_t mult,
                       unsigned depth)
{
	ck_text label = {0};
	uint32_t index = children[of->from].node;
	mult *= of->count;
	if (!add_group(t, children, of, &label))
		return false;
	for (;;) {
		const ck_fold_node node = *node_of(t, index);
		child *inner;
		group *groups;
		uint32_t count;
		if (node.leaves || !node.children)
			break;
		if (!group_children(t, index, &inner, &groups, &count))
			return false;
		if (count > 1)
			break;
		if (!ck_text_add(t->job, &label, ".", 1) ||
		    !add_group(t, inner, groups, &label))
			return false;
		mult *= groups->count;
		index = inner[groups->from].node;
	}
	return ck_text_add(t->job, &label, "", 1) &&
	       tell_node(t, index, label.data, mult, depth);
}

/* What all numbered children have in common, if that was parted from them. */
static bool tell_common(teller *t, uint32_t index, uint64_t mult, unsigned depth)
{
	uint32_t common, *numbers, count;
	ck_text label = {0};
	if (!ck_fold_part_common(t->job, t->tree, index, &common, &numbers, &count))
		return false;
	if (!common)
		return true;
	ck_fold_word *words = ck_alloc_array(t->job, count, sizeof *words);
	if (!words)
		return false;
	for (uint32_t i = 0; i < count; i++)
		words[i] = t->tree->words[node_of(t, numbers[i])->word];
	return ck_fold_words(t->job, words, count, &label) &&
	       ck_text_add(t->job, &label, "", 1) &&
	       tell_node(t, common, label.data, mult * count, depth);
}

static bool tell_children(teller *t, uint32_t index, uint64_t mult, unsigned depth)
{
	child *children;
	group *groups;
	uint32_t count;
	if (ck_stopped(t->job) || !tell_common(t, index, mult, depth) ||
	    !group_children(t, index, &children, &groups, &count))
		return false;
	for (uint32_t i = 0; i < count; i++)
		if (!tell_group(t, children, &groups[i], mult, depth))
			return false;
	return true;
}

bool ck_fold_tell(ck_job *job, ck_fold_tree *tree, ck_folded *folded)
{
	teller t = {.job = job, .tree = tree, .to = folded,
	            .shown = ck_alloc_array(job, tree->parts + 1, sizeof *t.shown),
	            .lines = ck_alloc_array(job, tree->parts + 1, sizeof *t.lines)};
	return t.shown && t.lines && tell_children(&t, 0, 1, 0);
}
