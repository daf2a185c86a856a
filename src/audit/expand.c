/* How large a value is when every reference to its parts is followed: a few hundred bytes can stand
 * for more items than any memory holds. */
#include "judge.h"

#include <string.h>

enum { PAGE = 64 };

/* What is still to be looked at of one value. */
typedef struct {
	const ck_value *value;
	uint64_t sum;     /* of the parts that were looked at */
	size_t list, item;
	bool apart;       /* it is the state of what is below, which does not count it */
} frame;

typedef struct {
	ck_job *job;
	ck_map pages;     /* id / PAGE -> sizes of PAGE values; 0: not known yet */
	uint64_t held;    /* references there are */
	uint64_t largest;
	frame *frames;
	size_t depth, cap;
	bool circle;      /* a container holds itself */
} walk;

static uint64_t add(uint64_t a, uint64_t b)
{
	uint64_t sum;
	return ck_add(a, b, &sum) ? sum : UINT64_MAX;
}

/* The parts of a value; those from `own` on are no part of what it unfolds to, but are looked at:
 * the state of objects, which is printed or copied by nobody who does not know them. */
typedef struct {
	const ck_items *list[5];
	ck_items single;
	size_t count, own;
} parts;

static void add_list(parts *p, const ck_items *list)
{
	if (list->count)
		p->list[p->count++] = list;
}

static void find_parts(const ck_value *value, parts *p)
{
	*p = (parts){.own = 5};
	if (value->kind == CK_LIST || value->kind == CK_TUPLE || value->kind == CK_SET ||
	    value->kind == CK_DICT) {
		add_list(p, value->items);
		return;
	}
	if (value->kind != CK_CALL)
		return;
	const ck_later *later = ck_call_later(value->call);
	add_list(p, value->call->args->items);
	add_list(p, &later->items);
	add_list(p, &later->pairs);
	p->own = p->count;
	add_list(p, &later->states);
	if (value->call->kwargs)
		add_list(p, value->call->kwargs->items);
}

/* Where the size of a value is kept; NULL after a failure. */
static uint64_t *size_of(walk *w, const ck_value *value)
{
	bool fresh;
	uint32_t number = value->id / PAGE;
	const uint64_t *known = ck_map_find(w->job, &w->pages, &number, sizeof number);
	if (known)
		return (uint64_t *)(uintptr_t)*known + value->id % PAGE;
	struct {
		uint64_t sizes[PAGE];
		uint32_t number;
	} *page = ck_alloc(w->job, sizeof *page);
	if (!page)
		return NULL;
	page->number = number;
	uint64_t *place = ck_map_put(w->job, &w->pages, &page->number, sizeof number, &fresh);
	if (!place)
		return NULL;
	*place = (uint64_t)(uintptr_t)page->sizes;
	return page->sizes + value->id % PAGE;
}

static bool is_leaf(const ck_value *value)
{
	switch ((ck_kind)value->kind) {
	case CK_LIST:
	case CK_TUPLE:
	case CK_SET:
	case CK_DICT:
		return !value->items->count;
	case CK_CALL:
		return false;
	default:
		return true;
	}
}

/* What is open holds itself: by containers alone, so that following it never ends? Objects may know
 * each other. */
static bool is_circle(const walk *w, const ck_value *value)
{
	enum { NEAR = 64 };
	size_t least = w->depth > NEAR ? w->depth - NEAR : 0;
	for (size_t i = w->depth; i-- > least && w->frames[i].value->kind != CK_CALL;)
		if (w->frames[i].value == value)
			return true;
	return false;
}

/* Counts a value that has no parts, is known, or contains itself; all else is put on the stack. */
static bool visit(walk *w, const ck_value *value, bool apart, uint64_t *sum)
{
	w->held++;
	if (is_leaf(value)) {
		*sum = add(*sum, 1);
		return true;
	}
	uint64_t *size = size_of(w, value);
	if (!size)
		return false;
	if (*size) {
		w->circle = w->circle || (*size == 1 && is_circle(w, value));
		*sum = add(*sum, *size);
		return true;
	}
	frame *grown = ck_grow(w->job, w->frames, &w->cap, w->depth + 1, sizeof *grown);
	if (!grown)
		return false;
	w->frames = grown;
	uint64_t leaves = ck_value_left_out(value);
	w->held += leaves;
	grown[w->depth++] = (frame){.value = value, .sum = 1 + leaves, .apart = apart};
	*size = 1; /* what it counts for inside itself */
	return true;
}

/* The size of what is on top is known: the one below it counts it. */
static bool leave(walk *w)
{
	const frame done = w->frames[--w->depth];
	uint64_t *size = size_of(w, done.value);
	if (!size)
		return false;
	*size = done.sum;
	if (done.sum > w->largest)
		w->largest = done.sum;
	if (w->depth && !done.apart) {
		frame *below = &w->frames[w->depth - 1];
		below->sum = add(below->sum, done.sum);
	}
	return true;
}

/* Goes on with the value on top, until one above it comes first. */
static bool step(walk *w)
{
	parts p;
	size_t depth = w->depth;
	frame top = w->frames[depth - 1];
	find_parts(top.value, &p);
	for (; top.list < p.count; top.list++, top.item = 0) {
		const ck_items *items = p.list[top.list];
		bool apart = top.list >= p.own;
		while (top.item < items->count && w->depth == depth) {
			uint64_t sum = top.sum;
			if (!visit(w, items->item[top.item++], apart, &sum))
				return false;
			top.sum = apart ? top.sum : sum;
		}
		if (w->depth > depth)
			break;
	}
	w->frames[depth - 1] = top;
	return w->depth > depth || leave(w);
}

/* Far more than any list of lists, and more than fits a memory. */
static bool is_bomb(const walk *w)
{
	enum { MANY = 10000000 };
	uint64_t square;
	if (!ck_mul(w->held, w->held, &square))
		square = UINT64_MAX;
	return w->largest > MANY && (w->largest > square || w->largest > UINT64_C(100000000000));
}

bool ck_check_size(ck_audit *audit, const ck_place *place, ck_job *job, const ck_value *root)
{
	walk w = {.job = job};
	uint64_t sum = 0;
	if (!visit(&w, root, false, &sum))
		return false;
	while (w.depth && w.depth <= job->limits.depth)
		if (!step(&w))
			return false;
	audit->circles = audit->circles || w.circle;
	if (w.depth) {
		audit->incomplete = true;
		return ck_audit_say(audit, CK_RULE_OVER_LIMIT, place, root->at, 0, "values lie in "
		                    "each other, deeper than the limit 'depth' allows");
	}
	if (!is_bomb(&w))
		return true;
	bool many = w.largest == UINT64_MAX;
	return ck_audit_say(audit, CK_RULE_EXPANDS, place, root->at, 0,
	                    "%s would unfold to %s%llu values if followed, as printing or copying "
	                    "does", ck_many(w.held, "reference").s,
	                    many ? "more than " : "", (unsigned long long)w.largest);
}
