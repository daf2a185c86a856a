/* The copy engine: carries out a plan with several threads through small buffers, so that memory
 * follows the number of tensors and never their bytes. */
#include "copy.h"

#include <string.h>

typedef struct {
	ck_job *job;
	ck_copy_plan *plan;
	ck_copy_units cut;
	ck_file *file;
	ck_work work;
} engine;

/* Inputs that must be unpacked become readable at any offset. */
static bool unpack_inputs(engine *e)
{
	for (size_t i = 0; i < e->plan->input_count; i++) {
		ck_copy_input *input = &e->plan->inputs[i];
		if (!input->stream)
			continue;
		input->source = ck_stream_spill(e->job, input->stream);
		if (!input->source)
			return false;
		input->offset = 0;
		input->has_crc = false; /* checked while it was unpacked */
	}
	return true;
}

/* ---- carrying out ---- */

uint64_t ck_copy_made(const ck_copy_cast *cast, uint64_t size)
{
	return cast ? size / cast->from * cast->to : size;
}

bool ck_copy_write_cast(ck_job *job, ck_file *file, uint64_t to, const void *items, uint64_t count,
                        const ck_copy_cast *cast, unsigned char *buffer)
{
	const unsigned char *at = items;
	while (count) {
		size_t some = CK_COPY_CAST / cast->to;
		some = count < some ? (size_t)count : some;
		cast->run(buffer, at, some, cast->arg);
		if (!ck_file_write(job, file, to, buffer, some * cast->to))
			return false;
		at += some * cast->from;
		to += some * cast->to;
		count -= some;
	}
	return true;
}

/* `size` bytes of a move, those at `at` of it. Pieces of inputs begin at multiples of every element
 * that there is, so that none is cut in two. */
static bool write_move(engine *e, const ck_copy_move *move, uint64_t at, const unsigned char *data,
                       uint64_t size, unsigned char *buffer)
{
	const ck_copy_cast *cast = move->cast;
	uint64_t to = move->to + ck_copy_made(cast, at);
	return cast ? ck_copy_write_cast(e->job, e->file, to, data, size / cast->from, cast, buffer)
	            : ck_file_write(e->job, e->file, to, data, (size_t)size);
}

/* Writes what the moves want of `size` bytes at `from` of an input. */
static bool write_moves(engine *e, const ck_copy_input *input, uint64_t from,
                        const unsigned char *data, uint64_t size, unsigned char *buffer)
{
	const ck_copy_move *moves = e->plan->moves;
	size_t low = input->first_move, high = input->first_move + input->moves;
	while (low < high) { /* the first move that starts at or behind the end */
		size_t middle = low + (high - low) / 2;
		if (moves[middle].from < from + size)
			low = middle + 1;
		else
			high = middle;
	}
	while (low > input->first_move && e->cut.reach[low - 1] > from) {
		const ck_copy_move *move = &moves[--low];
		uint64_t begin = move->from > from ? move->from : from;
		uint64_t end = move->from + move->size;
		if (end > from + size)
			end = from + size;
		if (begin < end && !write_move(e, move, begin - move->from, data + (begin - from),
		                               end - begin, buffer))
			return false;
	}
	return true;
}

static bool run_part(engine *e, ck_copy_part *p, unsigned char *buffer)
{
	const ck_copy_input *input = &e->plan->inputs[p->input];
	for (uint64_t at = 0; at < p->size; at += CK_COPY_CHUNK) {
		uint64_t size = p->size - at < CK_COPY_CHUNK ? p->size - at : CK_COPY_CHUNK;
		uint64_t from = p->from + at;
		if (ck_work_is_over(&e->work) ||
		    !ck_read_at(e->job, input->source, input->offset + from, buffer, (size_t)size))
			return false;
		if (input->has_crc)
			p->crc = ck_crc32(p->crc, buffer, (size_t)size);
		if (input->moves && !write_moves(e, input, from, buffer, size,
		                                 buffer + 2 * CK_GATHER_HALF))
			return false;
		ck_work_did(&e->work, size);
	}
	return true;
}

static bool crc_right(engine *e, const ck_copy_input *input, uint32_t crc)
{
	if (!input->has_crc || crc == input->crc || !input->crc)
		return true;
	return ck_fail_at(e->job, CK_CORRUPT, input->source->label, input->offset,
	                  "the bytes of '%s' have the CRC-32 %08x, but the archive recorded %08x: "
	                  "the file is damaged; get it again",
	                  ck_show(input->label, strlen(input->label)).s, crc, input->crc);
}

static bool run_batch(engine *e, const ck_copy_move *moves, size_t count, unsigned char *buffer)
{
	unsigned char *whole = buffer + CK_GATHER_HALF;
	uint64_t fill = 0;
	for (size_t i = 0; i < count; i++) {
		ck_copy_input *input = &e->plan->inputs[moves[i].input];
		if (!ck_read_at(e->job, input->source, input->offset, whole, (size_t)input->size))
			return false;
		uint32_t crc = input->has_crc ? ck_crc32(0, whole, (size_t)input->size) : 0;
		if (!crc_right(e, input, crc))
			return false;
		/* each small input is in one batch, once: nobody else looks at these two */
		if (input->has_crc && crc == input->crc)
			input->has_crc = false;
		const ck_copy_cast *cast = moves[i].cast;
		const unsigned char *from = whole + moves[i].from;
		if (cast)
			cast->run(buffer + fill, from, (size_t)moves[i].size / cast->from,
			          cast->arg);
		else
			memcpy(buffer + fill, from, (size_t)moves[i].size);
		fill += ck_copy_made(cast, moves[i].size);
		ck_work_did(&e->work, input->size);
	}
	return ck_file_write(e->job, e->file, moves[0].to, buffer, (size_t)fill);
}

static bool run_gather(engine *e, const ck_unit *u, unsigned char *buffer)
{
	ck_copy_gather rows = e->plan->gathers[u->index];
	const ck_copy_input *input = &e->plan->inputs[rows.input];
	uint64_t shape[CK_DIMS_MAX], size = ck_copy_made(rows.cast, rows.item) * u->size;
	for (size_t d = 0; d < rows.ndim; d++)
		shape[d] = rows.shape[d];
	if (rows.ndim) {
		uint64_t row = ck_copy_made(rows.cast, rows.item);
		for (size_t d = 1; d < rows.ndim; d++)
			row *= shape[d];
		size = row * u->size;
		shape[0] = u->size;
		rows.from += u->from * rows.step[0];
		rows.to += u->from * row;
	}
	rows.shape = shape;
	if (!ck_gather_run(e->job, &rows, input->source, input->offset, e->file, buffer))
		return false;
	ck_work_did(&e->work, size);
	return true;
}

/* buffer: two halves of CK_GATHER_HALF */
static bool run_unit(void *arg, size_t index, unsigned char *buffer)
{
	engine *e = arg;
	const ck_unit *u = &e->cut.units[index];
	switch (u->kind) {
	case CK_UNIT_PART:
		return run_part(e, &e->cut.parts[u->index], buffer);
	case CK_UNIT_BATCH:
		return run_batch(e, &e->cut.batch[u->index], (size_t)u->size, buffer);
	case CK_UNIT_GATHER:
		return run_gather(e, u, buffer);
	}
	return false;
}

/* All CRCs that were taken in parts, and the count of those that the archive did not record. */
static bool check_inputs(engine *e, size_t *unchecked)
{
	*unchecked = 0;
	for (size_t i = 0; i < e->plan->input_count; i++) {
		const ck_copy_input *input = &e->plan->inputs[i];
		if (!input->has_crc)
			continue;
		uint32_t crc = 0;
		for (size_t p = input->first_part; p < input->first_part + input->parts; p++)
			crc = ck_crc32_join(crc, e->cut.parts[p].crc, e->cut.parts[p].size);
		if (!crc_right(e, input, crc))
			return false;
		*unchecked += crc != input->crc || ck_copy_is_small(input);
	}
	return true;
}

bool ck_copy_run(ck_job *job, ck_copy_plan *plan, ck_file *file, unsigned threads,
                 size_t *unchecked)
{
	engine *e = ck_alloc(job, sizeof *e);
	if (!e)
		return false;
	*e = (engine){.job = job, .plan = plan, .file = file};
	if (!unpack_inputs(e) || !ck_copy_cut(job, plan, &e->cut))
		return false;
	e->work = (ck_work){.what = "writing", .units = e->cut.unit_count, .total = e->cut.total,
	                    .run = run_unit, .arg = e, .buffer = CK_COPY_BUFFER};
	return ck_work_run(job, &e->work, threads) && check_inputs(e, unchecked);
}
