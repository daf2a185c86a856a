/* Brings the elements of a strided view into C order, through two small buffers. Two ways: where
 * the elements that follow each other in the output lie close together in the input, whole spans
 * are read and picked apart; where they lie far apart (a transposed matrix), square tiles are. */
#include "io.h"

#include <string.h>

enum {
	TILE_RUN = 512,   /* elements along each side of a tile */
	TILE_SPAN = 8192, /* bytes read at once for a tile, at most */
	DENSE_STEP = 4096, /* rows of the input up to this long are read whole, many at once */
	SPARSE = 16,      /* spans with less than one wanted byte in so many are read as tiles */
};

typedef struct {
	ck_job *job;
	const ck_copy_gather *gather;
	const ck_source *source;
	uint64_t base;
	ck_file *file;
	unsigned char *in, *out, *cast;
	size_t made;   /* bytes of an element as it is written */
	size_t ndim;
	uint64_t shape[CK_DIMS_MAX], step[CK_DIMS_MAX];
	uint64_t to;   /* where `out` goes */
	size_t fill;   /* bytes in `out` */
} gathering;

size_t ck_gather_simplify(size_t ndim, uint64_t *shape, uint64_t *step)
{
	size_t kept = 0;
	for (size_t d = 0; d < ndim; d++) {
		if (shape[d] == 1)
			continue;
		if (kept && step[kept - 1] == step[d] * shape[d]) {
			shape[kept - 1] *= shape[d];
			step[kept - 1] = step[d];
			continue;
		}
		shape[kept] = shape[d];
		step[kept++] = step[d];
	}
	return kept;
}

/* Copies count elements that lie `step` bytes apart; `item` is a constant wherever it matters. */
static inline void pick_items(unsigned char *to, const unsigned char *from, uint64_t count,
                              uint64_t step, size_t item)
{
	for (uint64_t i = 0; i < count; i++)
		memcpy(to + i * item, from + i * step, item);
}

static void pick(unsigned char *to, const unsigned char *from, uint64_t count, uint64_t step,
                 size_t item)
{
	if (step == item)
		memcpy(to, from, (size_t)(count * item));
	else if (item == 1)
		pick_items(to, from, count, step, 1);
	else if (item == 2)
		pick_items(to, from, count, step, 2);
	else if (item == 4)
		pick_items(to, from, count, step, 4);
	else if (item == 8)
		pick_items(to, from, count, step, 8);
	else
		pick_items(to, from, count, step, item);
}

static bool flush(gathering *g)
{
	const ck_copy_gather *gather = g->gather;
	if (gather->change)
		gather->change(g->out, g->fill / gather->item, gather->change_arg);
	size_t count = g->fill / gather->item;
	if (ck_stopped(g->job) ||
	    !(gather->cast ? ck_copy_write_cast(g->job, g->file, g->to, g->out, count, gather->cast,
	                                        g->cast)
	                   : ck_file_write(g->job, g->file, g->to, g->out, g->fill)))
		return false;
	g->to += count * g->made;
	g->fill = 0;
	return true;
}

/* Steps a position through dimensions [first, end) of the shape; false when all were seen. `at`
 * follows as the byte offset of the position. */
static bool advance(const gathering *g, size_t first, size_t end, uint64_t *position, uint64_t *at)
{
	for (size_t d = end; d-- > first;) {
		*at += g->step[d];
		if (++position[d] < g->shape[d])
			return true;
		*at -= g->step[d] * g->shape[d];
		position[d] = 0;
	}
	return false;
}

/* ---- spans ---- */

/* Picks the block of `count` items of dimension d, with all dimensions behind it, out of `in`. */
static void pick_block(gathering *g, size_t d, uint64_t count)
{
	uint64_t position[CK_DIMS_MAX] = {0}, at = 0, outer = g->shape[d];
	size_t last = g->ndim - 1, item = g->gather->item;
	g->shape[d] = count;
	do {
		pick(g->out + g->fill, g->in + at, g->shape[last], g->step[last], item);
		g->fill += (size_t)(g->shape[last] * item);
	} while (advance(g, d, last, position, &at));
	g->shape[d] = outer;
}

typedef struct {
	size_t dim;      /* dimensions behind this one are read whole */
	uint64_t count;  /* so many items of `dim` at once */
	uint64_t span;   /* bytes from the first to the last element of one item, both included */
	uint64_t bytes;  /* bytes of one item in the output */
} block;

/* The largest stretch of the output whose elements lie within one buffer of the input. */
static block choose_block(const gathering *g)
{
	block b = {.dim = g->ndim - 1, .span = g->gather->item, .bytes = g->gather->item};
	for (;; b.dim--) {
		uint64_t room_in = CK_GATHER_HALF - b.span, room_out = CK_GATHER_HALF / b.bytes;
		uint64_t step = g->step[b.dim], size = g->shape[b.dim];
		b.count = step && room_in / step + 1 < size ? room_in / step + 1 : size;
		if (b.count > room_out)
			b.count = room_out;
		if (b.count < size || !b.dim)
			return b;
		b.span += (size - 1) * step;
		b.bytes *= size;
	}
}

static bool run_spans(gathering *g, const block *b)
{
	uint64_t position[CK_DIMS_MAX] = {0}, at = g->gather->from;
	do {
		for (uint64_t i = 0; i < g->shape[b->dim]; i += b->count) {
			uint64_t left = g->shape[b->dim] - i;
			uint64_t count = left < b->count ? left : b->count;
			uint64_t span = b->span + (count - 1) * g->step[b->dim];
			if (g->fill + count * b->bytes > CK_GATHER_HALF && !flush(g))
				return false;
			if (!ck_read_at(g->job, g->source, g->base + at + i * g->step[b->dim],
			                g->in, (size_t)span))
				return false;
			pick_block(g, b->dim, count);
		}
	} while (advance(g, 0, b->dim, position, &at));
	return flush(g);
}

/* ---- tiles ---- */

typedef struct {
	size_t fast;                 /* the dimension whose elements lie closest in the input */
	uint64_t fast_at, last_at;   /* where the tile starts in `fast` and in the last dimension */
	uint64_t fast_run, last_run; /* its sides */
	uint64_t span;               /* bytes needed for one item of the last dimension */
	uint64_t pitch;              /* bytes from one to the next in `in` */
} tile;

static bool read_tile(gathering *g, const tile *t, uint64_t at)
{
	uint64_t step = g->step[g->ndim - 1];
	if (t->pitch == step)
		return ck_read_at(g->job, g->source, g->base + at, g->in,
		                  (size_t)((t->last_run - 1) * step + t->span));
	for (uint64_t i = 0; i < t->last_run; i++)
		if (!ck_read_at(g->job, g->source, g->base + at + i * step, g->in + i * t->pitch,
		                (size_t)t->span))
			return false;
	return true;
}

static bool run_tile(gathering *g, const tile *t, uint64_t at, uint64_t to)
{
	size_t last = g->ndim - 1, item = g->gather->item;
	uint64_t fast_step = g->step[t->fast], fast_row = g->made;
	for (size_t d = t->fast + 1; d < g->ndim; d++)
		fast_row *= g->shape[d];
	at += t->fast_at * fast_step + t->last_at * g->step[last];
	if (!read_tile(g, t, at))
		return false;
	for (uint64_t i = 0; i < t->fast_run; i++) {
		pick(g->out, g->in + i * fast_step, t->last_run, t->pitch, item);
		g->fill = (size_t)(t->last_run * item);
		g->to = to + (t->fast_at + i) * fast_row + t->last_at * g->made;
		if (!flush(g))
			return false;
	}
	return true;
}

/* The tiles of the plane that `fast` and the last dimension span. */
static bool run_plane(gathering *g, size_t fast, uint64_t at, uint64_t to)
{
	size_t last = g->ndim - 1, item = g->gather->item;
	tile t = {.fast = fast};
	uint64_t wide = (TILE_SPAN - item) / g->step[fast] + 1;
	uint64_t whole = (g->shape[fast] - 1) * g->step[fast] + item;
	bool dense = g->step[last] <= DENSE_STEP && whole <= g->step[last] &&
	             whole >= g->step[last] / 2;
	if (dense)
		wide = g->shape[fast];
	else if (wide > TILE_RUN)
		wide = TILE_RUN;
	for (; t.fast_at < g->shape[fast]; t.fast_at += t.fast_run) {
		uint64_t left = g->shape[fast] - t.fast_at;
		t.fast_run = left < wide ? left : wide;
		t.span = (t.fast_run - 1) * g->step[fast] + item;
		t.pitch = dense ? g->step[last] : t.span;
		uint64_t high = CK_GATHER_HALF / t.pitch;
		for (t.last_at = 0; t.last_at < g->shape[last]; t.last_at += t.last_run) {
			left = g->shape[last] - t.last_at;
			t.last_run = left < high ? left : high;
			if (!run_tile(g, &t, at, to))
				return false;
		}
	}
	return true;
}

static bool run_tiles(gathering *g, size_t fast)
{
	/* every dimension but `fast` and the last is stepped through one by one; `row` is what one
	 * step means in the output */
	size_t last = g->ndim - 1;
	uint64_t position[CK_DIMS_MAX] = {0}, row[CK_DIMS_MAX];
	uint64_t at = g->gather->from, to = g->gather->to;
	row[last] = g->made;
	for (size_t d = last; d-- > 0;)
		row[d] = row[d + 1] * g->shape[d + 1];
	for (;;) {
		if (!run_plane(g, fast, at, to))
			return false;
		size_t d = last;
		for (;;) {
			if (!d--)
				return true;
			if (d == fast)
				continue;
			at += g->step[d];
			to += row[d];
			if (++position[d] < g->shape[d])
				break;
			at -= g->step[d] * g->shape[d];
			to -= row[d] * g->shape[d];
			position[d] = 0;
		}
	}
}

/* Tiles pay where the last dimension strides widely and another one does not; SIZE_MAX: nowhere. */
static size_t tile_dimension(const gathering *g, const block *b)
{
	size_t last = g->ndim - 1, best = SIZE_MAX;
	uint64_t span = b->span + (b->count - 1) * g->step[b->dim];
	if (b->dim != last || b->count * b->bytes >= span / SPARSE)
		return SIZE_MAX;
	for (size_t d = 0; d < last; d++)
		if (g->step[d] && g->step[d] < g->step[last] &&
		    (best == SIZE_MAX || g->step[d] < g->step[best]))
			best = d;
	return best;
}

bool ck_gather_run(ck_job *job, const ck_copy_gather *gather, const ck_source *source,
                   uint64_t base, ck_file *file, unsigned char *buffer)
{
	gathering g = {.job = job, .gather = gather, .source = source, .base = base, .file = file,
	               .in = buffer, .out = buffer + CK_GATHER_HALF,
	               .cast = buffer + 2 * CK_GATHER_HALF, .to = gather->to,
	               .made = (size_t)ck_copy_made(gather->cast, gather->item)};
	memcpy(g.shape, gather->shape, gather->ndim * sizeof *g.shape);
	memcpy(g.step, gather->step, gather->ndim * sizeof *g.step);
	g.ndim = ck_gather_simplify(gather->ndim, g.shape, g.step);
	for (size_t d = 0; d < g.ndim; d++)
		if (!g.shape[d])
			return true;
	if (!g.ndim) {
		g.ndim = 1;
		g.shape[0] = 1;
		g.step[0] = gather->item;
	}
	block b = choose_block(&g);
	size_t fast = tile_dimension(&g, &b);
	return fast == SIZE_MAX ? run_spans(&g, &b) : run_tiles(&g, fast);
}
