/* Two views of one shape, cut into blocks: boxes of elements that lie close together in both of
 * them, so that both can be read with few long reads whatever their strides are. */
#include "diff.h"

/* ---- dimensions ---- */

/* A dimension of one element may have any stride: it is never taken. */
static void take_dimensions(ck_blocks *b)
{
	const ck_tensor *like = b->side[0].tensor;
	uint64_t step = 1;
	b->all = 0;
	for (size_t d = 0; d < like->ndim; d++) {
		if (like->shape[d] == 1)
			continue;
		b->all_shape[b->all] = like->shape[d];
		for (int i = 0; i < 2; i++)
			b->side[i].step[b->all] = b->side[i].tensor->stride[d] * b->side[i].item;
		b->all++;
	}
	for (size_t d = b->all; d-- > 0; step *= b->all_shape[d])
		b->all_step[d] = step;
}

static void swap_numbers(uint64_t *a, uint64_t *b)
{
	uint64_t keep = *a;
	*a = *b;
	*b = keep;
}

/* Whether dimension `d` belongs before the one before it: its steps are longer. */
static bool belongs_before(const ck_blocks *b, size_t d)
{
	const uint64_t *x = b->side[0].step + d, *y = b->side[1].step + d;
	return (x[0] > x[-1] && y[0] >= y[-1]) || (x[0] >= x[-1] && y[0] > y[-1]);
}

/* Views that are turned alike are read as they lie. */
static void sort_dimensions(ck_blocks *b)
{
	b->sorted = false;
	for (size_t end = 1; end < b->all; end++)
		for (size_t d = end; d && belongs_before(b, d); d--) {
			swap_numbers(&b->all_shape[d], &b->all_shape[d - 1]);
			swap_numbers(&b->all_step[d], &b->all_step[d - 1]);
			for (int i = 0; i < 2; i++)
				swap_numbers(&b->side[i].step[d], &b->side[i].step[d - 1]);
			b->sorted = true;
		}
}

static bool is_run(const ck_block_side *side, size_t kept, size_t d, uint64_t size)
{
	return side->step[kept] == side->step[d] * size;
}

/* Joins dimensions that lie behind each other in both. */
static void join_dimensions(ck_blocks *b)
{
	size_t kept = 0;
	for (size_t d = 0; d < b->all; d++) {
		uint64_t size = b->all_shape[d];
		bool joins = kept && is_run(&b->side[0], kept - 1, d, size) &&
		             is_run(&b->side[1], kept - 1, d, size);
		size_t at = joins ? kept - 1 : kept++;
		b->shape[at] = joins ? b->shape[at] * size : size;
		for (int i = 0; i < 2; i++)
			b->side[i].step[at] = b->side[i].step[d];
	}
	b->ndim = kept;
	if (kept)
		return;
	b->ndim = b->shape[0] = 1;
	for (int i = 0; i < 2; i++)
		b->side[i].step[0] = b->side[i].item;
}

static void order_dimensions(const ck_blocks *b, ck_block_side *side)
{
	for (size_t d = 0; d < b->ndim; d++) {
		size_t place = d;
		for (; place && side->step[side->order[place - 1]] >= side->step[d]; place--)
			side->order[place] = side->order[place - 1];
		side->order[place] = d;
	}
}

/* ---- sizes ---- */

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Where the two differ in which dimension lies closest together, a block is about as long in the
 * one as in the other; else it is a stretch of both. */
static void choose_sizes(ck_blocks *b)
{
	uint64_t room = CK_BLOCK_BYTES, edge = 1;
	for (int i = 0; i < 2; i++) {
		room = least(room, CK_BLOCK_BYTES / b->side[i].item);
		room = least(room, CK_BLOCK_BYTES / b->side[i].made);
	}
	size_t x = b->side[0].order[0], y = b->side[1].order[0];
	for (size_t d = 0; d < b->ndim; d++)
		b->size[d] = 1;
	while (4 * edge * edge <= room)
		edge *= 2;
	if (x != y) {
		b->size[x] = least(b->shape[x], edge);
		b->size[y] = least(b->shape[y], room / b->size[x]);
		b->size[x] = least(b->shape[x], room / b->size[y]);
		room /= b->size[x] * b->size[y];
	}
	for (size_t i = 0; i < b->ndim && room > 1; i++) {
		size_t d = b->side[0].order[i];
		if (b->size[d] > 1)
			continue;
		b->size[d] = least(b->shape[d], room);
		room /= b->size[d];
	}
	b->most = 1;
	for (size_t d = 0; d < b->ndim; d++)
		b->most *= (size_t)b->size[d];
}

void ck_blocks_make(ck_blocks *b)
{
	b->count = b->most = 0;
	if (!b->side[0].tensor->count)
		return;
	for (int i = 0; i < 2; i++) {
		const ck_tensor *tensor = b->side[i].tensor;
		b->side[i].item = ck_dtype_table[ck_tensor_held(tensor)].size;
		b->side[i].made = ck_dtype_table[tensor->dtype].size;
		b->side[i].from = tensor->start * b->side[i].item;
	}
	take_dimensions(b);
	sort_dimensions(b);
	join_dimensions(b);
	for (int i = 0; i < 2; i++)
		order_dimensions(b, &b->side[i]);
	choose_sizes(b);
	b->count = 1;
	for (size_t d = 0; d < b->ndim; d++)
		b->count *= (b->shape[d] + b->size[d] - 1) / b->size[d];
}

/* ---- one of them ---- */

void ck_blocks_find(const ck_blocks *b, uint64_t number, ck_block *block)
{
	block->count = 1;
	for (size_t d = b->ndim; d-- > 0;) {
		uint64_t many = (b->shape[d] + b->size[d] - 1) / b->size[d];
		block->at[d] = number % many * b->size[d];
		block->size[d] = least(b->size[d], b->shape[d] - block->at[d]);
		block->count *= (size_t)block->size[d];
		number /= many;
	}
}

uint64_t ck_blocks_index(const ck_blocks *b, const ck_block *block, size_t index)
{
	uint64_t place = 0, step = 1, rest = index, in_order = 0;
	for (size_t d = b->ndim; d-- > 0; step *= b->shape[d]) {
		place += (block->at[d] + rest % block->size[d]) * step;
		rest /= block->size[d];
	}
	if (!b->sorted)
		return place;
	for (size_t d = b->all; d-- > 0;) {
		in_order += place % b->all_shape[d] * b->all_step[d];
		place /= b->all_shape[d];
	}
	return in_order;
}

bool ck_blocks_are_runs(const ck_blocks *b, int side)
{
	return b->ndim == 1 && b->side[side].step[0] == b->side[side].item;
}

/* ---- reading ---- */

enum { GAP = 4096 }; /* bytes between wanted ones that are rather read than skipped */

/* A box that is being read: dimensions order[0] to order[inner - 1] are read at once, `span` bytes;
 * for each position in the others there is one more read. */
typedef struct {
	const ck_block *block;
	const ck_block_side *side;
	size_t ndim, inner;
	uint64_t span;
	uint64_t to_step[CK_DIMS_MAX];
} box;

static void choose_inner(box *x)
{
	x->span = x->side->item;
	for (x->inner = 0; x->inner < x->ndim; x->inner++) {
		size_t d = x->side->order[x->inner];
		uint64_t more = 0, step = x->side->step[d], size = x->block->size[d];
		if (size > 1 && (step > x->span + GAP || !ck_mul(step, size - 1, &more) ||
		                 more > CK_BLOCK_WINDOW - x->span))
			return;
		x->span += more;
	}
}

static inline void pick_items(unsigned char *to, uint64_t to_step, const unsigned char *from,
                              uint64_t step, uint64_t count, size_t item)
{
	for (uint64_t i = 0; i < count; i++)
		memcpy(to + i * to_step, from + i * step, item);
}

/* `item` is a constant wherever it matters. */
static void pick(unsigned char *to, uint64_t to_step, const unsigned char *from, uint64_t step,
                 uint64_t count, size_t item)
{
	if (step == item && to_step == item)
		memcpy(to, from, count * item);
	else if (item == 1)
		pick_items(to, to_step, from, step, count, 1);
	else if (item == 2)
		pick_items(to, to_step, from, step, count, 2);
	else if (item == 4)
		pick_items(to, to_step, from, step, count, 4);
	else if (item == 8)
		pick_items(to, to_step, from, step, count, 8);
	else
		pick_items(to, to_step, from, step, count, item);
}

/* The next position in the dimensions order[first] to order[end - 1]; false behind the last. */
static bool advance(const box *x, size_t first, size_t end, uint64_t *position, uint64_t *from,
                    uint64_t *to)
{
	for (size_t i = first; i < end; i++) {
		size_t d = x->side->order[i];
		*from += x->side->step[d];
		*to += x->to_step[d];
		if (++position[d] < x->block->size[d])
			return true;
		*from -= x->side->step[d] * position[d];
		*to -= x->to_step[d] * position[d];
		position[d] = 0;
	}
	return false;
}

/* Puts what one read gave where it belongs: several elements, or it would be straight. */
static void spread(const box *x, const unsigned char *from, unsigned char *to)
{
	uint64_t position[CK_DIMS_MAX] = {0}, at = 0, place = 0;
	size_t fast = x->side->order[0];
	do {
		pick(to + place, x->to_step[fast], from + at, x->side->step[fast],
		     x->block->size[fast], x->side->item);
	} while (advance(x, 1, x->inner, position, &at, &place));
}

/* Whether a read can go where its elements belong at once. */
static bool is_straight(const box *x)
{
	uint64_t bytes = x->side->item;
	for (size_t i = 0; i < x->inner; i++) {
		size_t d = x->side->order[i];
		if (x->block->size[d] > 1 && (x->side->step[d] != bytes || x->to_step[d] != bytes))
			return false;
		bytes *= x->block->size[d];
	}
	return true;
}

static bool read_box(const box *x, unsigned char *to, unsigned char *window)
{
	const ck_block_side *side = x->side;
	uint64_t position[CK_DIMS_MAX] = {0}, at = side->from, place = 0;
	bool straight = is_straight(x);
	for (size_t d = 0; d < x->ndim; d++)
		at += x->block->at[d] * side->step[d];
	do {
		if (!ck_read_at(side->job, side->source, side->base + at,
		                straight ? to + place : window, (size_t)x->span))
			return false;
		if (!straight)
			spread(x, window, to + place);
	} while (advance(x, x->inner, x->ndim, position, &at, &place));
	return true;
}

bool ck_blocks_read(const ck_blocks *b, int side, const ck_block *block, unsigned char *to,
                    unsigned char *room)
{
	box x = {.block = block, .side = &b->side[side], .ndim = b->ndim};
	const ck_tensor *tensor = x.side->tensor;
	uint64_t step = x.side->item;
	for (size_t d = b->ndim; d-- > 0; step *= block->size[d])
		x.to_step[d] = step;
	choose_inner(&x);
	/* the one place where bytes of a storage become what an output holds */
	unsigned char *held = tensor->cast ? room + CK_BLOCK_WINDOW : to;
	if (!read_box(&x, held, room))
		return false;
	ck_change *change = ck_tensor_change(tensor);
	if (change)
		change(held, block->count, tensor);
	if (tensor->cast)
		ck_cast_run(ck_tensor_held(tensor), tensor->dtype, held, block->count, to);
	return true;
}
