/* The copy plan: what a writer adds to it, and how it is cut into units of work. */
#include "copy.h"

#include <stdlib.h>

bool ck_copy_reserve(ck_job *job, ck_copy_plan *plan, size_t inputs, size_t moves)
{
	ck_copy_input *input = ck_grow(job, plan->inputs, &plan->input_cap,
	                               plan->input_count + inputs, sizeof *input);
	ck_copy_move *move = ck_grow(job, plan->moves, &plan->move_cap, plan->move_count + moves,
	                             sizeof *move);
	if (input)
		plan->inputs = input;
	if (move)
		plan->moves = move;
	return (input || !inputs) && (move || !moves);
}

size_t ck_copy_add_input(ck_job *job, ck_copy_plan *plan, const ck_copy_input *input)
{
	if (!ck_copy_reserve(job, plan, 1, 0))
		return SIZE_MAX;
	plan->inputs[plan->input_count] = *input;
	return plan->input_count++;
}

bool ck_copy_add_move(ck_job *job, ck_copy_plan *plan, const ck_copy_move *move)
{
	if (!ck_copy_reserve(job, plan, 0, 1))
		return false;
	plan->moves[plan->move_count++] = *move;
	return true;
}

bool ck_copy_add_gather(ck_job *job, ck_copy_plan *plan, const ck_copy_gather *gather)
{
	ck_copy_gather *grown = ck_grow(job, plan->gathers, &plan->gather_cap,
	                                plan->gather_count + 1, sizeof *grown);
	if (!grown)
		return false;
	plan->gathers = grown;
	grown[plan->gather_count++] = *gather;
	return true;
}

/* ---- from plan to units ---- */

enum { ROWS_MIN = 1024 };

typedef struct {
	ck_job *job;
	ck_copy_plan *plan;
	ck_copy_units *to;
} cutter;

static int by_input(const void *a, const void *b)
{
	const ck_copy_move *x = a, *y = b;
	if (x->input != y->input)
		return x->input < y->input ? -1 : 1;
	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return x->to < y->to ? -1 : x->to > y->to;
}

static int by_output(const void *a, const void *b)
{
	const ck_copy_move *x = a, *y = b;
	return x->to < y->to ? -1 : x->to > y->to;
}

static bool index_moves(cutter *c)
{
	ck_copy_plan *plan = c->plan;
	c->to->reach = ck_alloc_array(c->job, plan->move_count + 1, sizeof *c->to->reach);
	if (!c->to->reach)
		return false;
	if (plan->move_count)
		qsort(plan->moves, plan->move_count, sizeof *plan->moves, by_input);
	for (size_t i = 0; i < plan->move_count; i++) {
		const ck_copy_move *move = &plan->moves[i];
		ck_copy_input *input = &plan->inputs[move->input];
		if (!input->moves++)
			input->first_move = i;
		uint64_t end = move->from + move->size;
		uint64_t before = i > input->first_move ? c->to->reach[i - 1] : 0;
		c->to->reach[i] = end > before ? end : before;
	}
	return true;
}

static bool add_unit(cutter *c, ck_unit_kind kind, size_t index, uint64_t from, uint64_t size)
{
	ck_unit *grown = ck_grow(c->job, c->to->units, &c->to->unit_cap, c->to->unit_count + 1,
	                         sizeof *grown);
	if (!grown)
		return false;
	c->to->units = grown;
	grown[c->to->unit_count++] = (ck_unit){kind, index, from, size};
	return true;
}

static bool add_parts(cutter *c, size_t number)
{
	ck_copy_input *input = &c->plan->inputs[number];
	input->first_part = c->to->part_count;
	for (uint64_t at = 0; at < input->size; at += CK_COPY_PART) {
		uint64_t size = input->size - at < CK_COPY_PART ? input->size - at : CK_COPY_PART;
		ck_copy_part *grown = ck_grow(c->job, c->to->parts, &c->to->part_cap,
		                              c->to->part_count + 1, sizeof *grown);
		if (!grown || !add_unit(c, CK_UNIT_PART, c->to->part_count, at, size))
			return false;
		c->to->parts = grown;
		grown[c->to->part_count++] =
			(ck_copy_part){.input = number, .from = at, .size = size};
		input->parts++;
	}
	c->to->total += input->size;
	return true;
}

bool ck_copy_is_small(const ck_copy_input *input)
{
	return input->size <= CK_COPY_SMALL && input->moves == 1;
}

static bool add_inputs(cutter *c)
{
	ck_copy_plan *plan = c->plan;
	c->to->batch = ck_alloc_array(c->job, plan->move_count + 1, sizeof *c->to->batch);
	if (!c->to->batch)
		return false;
	for (size_t i = 0; i < plan->input_count; i++) {
		ck_copy_input *input = &plan->inputs[i];
		if (ck_copy_is_small(input)) {
			c->to->batch[c->to->batch_count++] = plan->moves[input->first_move];
			c->to->total += input->size;
		} else if ((input->moves || input->has_crc) && !add_parts(c, i)) {
			return false;
		}
	}
	return true;
}

static uint64_t made_by(const ck_copy_move *move)
{
	return ck_copy_made(move->cast, move->size);
}

/* Moves that follow each other in the output become one unit, up to a buffer full. */
static bool add_batches(cutter *c)
{
	if (c->to->batch_count)
		qsort(c->to->batch, c->to->batch_count, sizeof *c->to->batch, by_output);
	for (size_t first = 0, end; first < c->to->batch_count; first = end) {
		uint64_t size = made_by(&c->to->batch[first]);
		for (end = first + 1; end < c->to->batch_count; end++) {
			const ck_copy_move *last = &c->to->batch[end - 1];
			uint64_t more = made_by(&c->to->batch[end]);
			if (c->to->batch[end].to != last->to + made_by(last) ||
			    size + more > CK_COPY_CHUNK)
				break;
			size += more;
		}
		if (!add_unit(c, CK_UNIT_BATCH, first, 0, end - first))
			return false;
	}
	return true;
}

/* A gather is cut along its first dimension, so that several threads can share it. */
static bool add_gathers(cutter *c)
{
	for (size_t i = 0; i < c->plan->gather_count; i++) {
		const ck_copy_gather *gather = &c->plan->gathers[i];
		uint64_t row = ck_copy_made(gather->cast, gather->item);
		for (size_t d = 1; d < gather->ndim; d++)
			row *= gather->shape[d];
		uint64_t rows = gather->ndim ? gather->shape[0] : 1;
		if (!row || !rows)
			continue;
		uint64_t step = row >= CK_COPY_PART ? 1 : CK_COPY_PART / row;
		/* where the first dimension is the one that lies close together in the input, few
		 * rows at a time would mean few bytes at a time */
		if (gather->ndim > 1 && gather->step[0] < gather->step[gather->ndim - 1] &&
		    step < ROWS_MIN)
			step = ROWS_MIN;
		for (uint64_t at = 0; at < rows; at += step)
			if (!add_unit(c, CK_UNIT_GATHER, i, at,
			              rows - at < step ? rows - at : step))
				return false;
		c->to->total += row * rows;
	}
	return true;
}

bool ck_copy_cut(ck_job *job, ck_copy_plan *plan, ck_copy_units *units)
{
	cutter c = {job, plan, units};
	return index_moves(&c) && add_inputs(&c) && add_batches(&c) && add_gathers(&c);
}
