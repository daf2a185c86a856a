/* Compares the elements of many tensors with several threads through small buffers, and checks the
 * checksums of the storages on the way: most bytes are read once. */
#include "diff.h"

enum {
	PART = 8 << 20,        /* bytes of a unit, about */
	CHUNK = CK_BLOCK_BYTES /* bytes read at once for a checksum alone */
};

/* A storage that is needed. */
typedef struct {
	ck_storage *storage;
	ck_job *job;             /* has the errors of reading it */
	const ck_source *source; /* where its bytes are, spilled ones too */
	uint64_t base;
	size_t users;            /* matches that need it */
	bool check;              /* there is a checksum, and nobody has looked at it */
	bool fused;              /* the comparison takes it on the way */
	uint32_t crc;            /* of what was read */
} place;

/* Some blocks of a match, or a part of a storage whose checksum is taken. */
typedef struct {
	size_t match;            /* SIZE_MAX: none */
	place *checked;          /* of which this is a part */
	uint64_t from, count;    /* blocks, or bytes */
	uint32_t crc[2];
} unit;

typedef struct {
	ck_job *job;
	ck_diff_side *sides;
	place *places[2];        /* by number */
	ck_match *matches;
	size_t match_count;
	const ck_rules *rules;
	unit *units;
	size_t unit_count, unit_cap;
	ck_work work;
	pthread_mutex_t lock;    /* guards what came of the matches */
} engine;

/* ---- storages ---- */

static bool find_place(const ck_diff_side *side, place *p, ck_storage *storage)
{
	p->users++;
	if (p->storage)
		return true;
	p->storage = storage;
	p->job = side->job;
	p->source = storage->source;
	p->base = storage->offset;
	p->check = storage->has_crc && !storage->checked;
	if (!storage->stream)
		return true;
	p->source = ck_stream_spill(side->job, storage->stream);
	p->base = 0;
	p->check = false; /* it was, while it was unpacked */
	return p->source;
}

static bool find_places(engine *e, int side)
{
	size_t count = e->sides[side].model->storages;
	e->places[side] = ck_alloc_array(e->job, count + 1, sizeof(place));
	for (size_t i = 0; e->places[side] && i < e->match_count; i++) {
		const ck_tensor *tensor = e->matches[i].tensor[side];
		if (tensor->count && !find_place(&e->sides[side],
		                                 &e->places[side][tensor->storage->number],
		                                 tensor->storage))
			return false;
	}
	return e->places[side];
}

static place *place_of(const engine *e, const ck_match *match, int side)
{
	return &e->places[side][match->tensor[side]->storage->number];
}

static void make_blocks(const engine *e, const ck_match *match, ck_blocks *blocks)
{
	for (int i = 0; i < 2; i++) {
		const ck_tensor *tensor = match->tensor[i];
		const place *p = tensor->count ? place_of(e, match, i) : NULL;
		blocks->side[i] = (ck_block_side){.tensor = tensor, .job = e->sides[i].job};
		if (!p)
			continue;
		blocks->side[i].source = p->source;
		blocks->side[i].base = p->base;
	}
	ck_blocks_make(blocks);
}

/* ---- units ---- */

static bool add_unit(engine *e, const unit *new, uint64_t bytes)
{
	unit *grown = ck_grow(e->job, e->units, &e->unit_cap, e->unit_count + 1, sizeof *grown);
	if (!grown)
		return false;
	e->units = grown;
	grown[e->unit_count++] = *new;
	e->work.total += bytes;
	return true;
}

/* The comparison sees every byte of the storage once, in order, and as it is. */
static bool can_fuse(const ck_blocks *blocks, int side, const place *p)
{
	const ck_tensor *tensor = blocks->side[side].tensor;
	return p->users == 1 && ck_blocks_are_runs(blocks, side) && !tensor->start &&
	       !tensor->cast && ck_tensor_is_plain(tensor) &&
	       tensor->bytes == p->storage->held;
}

static bool cut_match(engine *e, size_t number)
{
	ck_blocks blocks;
	const ck_match *match = &e->matches[number];
	make_blocks(e, match, &blocks);
	if (!blocks.count)
		return true;
	for (int i = 0; i < 2; i++) {
		place *p = place_of(e, match, i);
		p->fused = p->check && can_fuse(&blocks, i, p);
	}
	uint64_t block = blocks.most * (blocks.side[0].item + blocks.side[1].item);
	uint64_t step = block < 2 * PART ? 2 * PART / block : 1;
	for (uint64_t at = 0; at < blocks.count; at += step) {
		uint64_t count = blocks.count - at < step ? blocks.count - at : step;
		if (!add_unit(e, &(unit){.match = number, .from = at, .count = count},
		              count * block))
			return false;
	}
	return true;
}

static bool cut_check(engine *e, place *p)
{
	uint64_t size = p->storage->held;
	for (uint64_t at = 0; at < size; at += PART) {
		uint64_t count = size - at < PART ? size - at : PART;
		if (!add_unit(e, &(unit){.match = SIZE_MAX, .checked = p, .from = at,
		                         .count = count}, count))
			return false;
	}
	return true;
}

static bool cut(engine *e)
{
	for (size_t i = 0; i < e->match_count; i++)
		if (!cut_match(e, i))
			return false;
	for (int side = 0; side < 2; side++)
		for (size_t i = 0; i < e->sides[side].model->storages; i++) {
			place *p = &e->places[side][i];
			if (p->check && !p->fused && !cut_check(e, p))
				return false;
		}
	return true;
}

/* ---- carrying out ---- */

static bool run_check(engine *e, unit *u, unsigned char *buffer)
{
	const place *p = u->checked;
	for (uint64_t at = 0; at < u->count; at += CHUNK) {
		size_t size = u->count - at < CHUNK ? (size_t)(u->count - at) : CHUNK;
		if (ck_work_is_over(&e->work) ||
		    !ck_read_at(p->job, p->source, p->base + u->from + at, buffer, size))
			return false;
		u->crc[0] = ck_crc32(u->crc[0], buffer, size);
		ck_work_did(&e->work, size);
	}
	return true;
}

/* What a thread compares. */
typedef struct {
	const ck_blocks *blocks;
	ck_block block;
	unsigned char *items[2], *room;
	ck_unlike unlike;        /* `first` is UINT64_MAX at first */
} comparing;

static void note_index(void *arg, size_t index)
{
	comparing *c = arg;
	uint64_t in_order = ck_blocks_index(c->blocks, &c->block, index);
	if (in_order < c->unlike.first)
		c->unlike.first = in_order;
}

static void compare_values(const engine *e, comparing *c)
{
	size_t first;
	bool sorted = c->blocks->sorted;
	ck_values_compare(e->rules, c->blocks->side[0].tensor->dtype, c->items[0],
	                  c->blocks->side[1].tensor->dtype, c->items[1], c->block.count,
	                  &c->unlike, &first, sorted ? note_index : NULL, c);
	if (!sorted && first < c->block.count)
		note_index(c, first);
}

static bool compare_block(const engine *e, comparing *c, const place *const *places, uint32_t *crc)
{
	size_t bytes[2];
	const ck_tensor *a = c->blocks->side[0].tensor, *b = c->blocks->side[1].tensor;
	for (int i = 0; i < 2; i++) {
		bytes[i] = c->block.count * c->blocks->side[i].made;
		if (!ck_blocks_read(c->blocks, i, &c->block, c->items[i], c->room))
			return false;
	}
	bool same = a->dtype == b->dtype && !memcmp(c->items[0], c->items[1], bytes[0]);
	bool shared = same && places[0]->fused && crc[0] == crc[1];
	for (int i = 0; i < 2; i++)
		if (places[i]->fused)
			crc[i] = i && shared ? crc[0] : ck_crc32(crc[i], c->items[i], bytes[i]);
	if (!same || e->rules->close)
		compare_values(e, c);
	return true;
}

static void add_up(engine *e, ck_match *match, const ck_unlike *more)
{
	ck_unlike *to = &match->unlike;
	pthread_mutex_lock(&e->lock);
	to->differing += more->differing;
	to->nan_a += more->nan_a;
	to->nan_b += more->nan_b;
	to->nan_both += more->nan_both;
	to->first = more->first < to->first ? more->first : to->first;
	to->max_abs = more->max_abs > to->max_abs ? more->max_abs : to->max_abs;
	to->max_rel = more->max_rel > to->max_rel ? more->max_rel : to->max_rel;
	to->max_whole = more->max_whole > to->max_whole ? more->max_whole : to->max_whole;
	to->beyond |= more->beyond;
	pthread_mutex_unlock(&e->lock);
}

static bool run_match(engine *e, unit *u, unsigned char *buffer)
{
	ck_blocks blocks;
	ck_match *match = &e->matches[u->match];
	const place *const places[2] = {place_of(e, match, 0), place_of(e, match, 1)};
	comparing c = {.blocks = &blocks, .unlike.first = UINT64_MAX,
	               .items = {buffer, buffer + CK_BLOCK_BYTES},
	               .room = buffer + 2 * CK_BLOCK_BYTES};
	make_blocks(e, match, &blocks);
	for (uint64_t i = 0; i < u->count; i++) {
		if (ck_work_is_over(&e->work))
			return false;
		ck_blocks_find(&blocks, u->from + i, &c.block);
		if (!compare_block(e, &c, places, u->crc))
			return false;
		ck_work_did(&e->work, c.block.count * (blocks.side[0].item + blocks.side[1].item));
	}
	add_up(e, match, &c.unlike);
	return true;
}

static bool run_unit(void *arg, size_t index, unsigned char *buffer)
{
	engine *e = arg;
	unit *u = &e->units[index];
	return u->match == SIZE_MAX ? run_check(e, u, buffer) : run_match(e, u, buffer);
}

/* ---- afterwards ---- */

/* The CRCs of the units, in order, become those of the storages. */
static void join_crcs(engine *e)
{
	ck_blocks blocks;
	for (size_t i = 0; i < e->unit_count; i++) {
		const unit *u = &e->units[i];
		if (u->checked) {
			u->checked->crc = ck_crc32_join(u->checked->crc, u->crc[0], u->count);
			continue;
		}
		const ck_match *match = &e->matches[u->match];
		make_blocks(e, match, &blocks);
		for (int side = 0; side < 2; side++) {
			place *p = place_of(e, match, side);
			const uint64_t block = blocks.size[0] * blocks.side[side].item;
			uint64_t left = p->storage->held - u->from * block;
			uint64_t size = u->count * block < left ? u->count * block : left;
			if (p->fused)
				p->crc = ck_crc32_join(p->crc, u->crc[side], size);
		}
	}
}

static bool judge(engine *e)
{
	bool recorded;
	join_crcs(e);
	for (int side = 0; side < 2; side++) {
		ck_diff_side *s = &e->sides[side];
		for (size_t i = 0; i < s->model->storages; i++) {
			const place *p = &e->places[side][i];
			if (!p->check)
				continue;
			if (!ck_storage_judge(s->job, p->storage, p->crc, &recorded))
				return false;
			p->storage->checked = true;
			s->unchecked += !recorded;
		}
	}
	return true;
}

static void close_lock(void *arg)
{
	pthread_mutex_destroy(arg);
}

bool ck_diff_values(ck_job *job, ck_diff_side sides[2], ck_match *matches, size_t count,
                    const ck_rules *rules, unsigned threads)
{
	engine *e = ck_alloc(job, sizeof *e);
	if (!e)
		return false;
	*e = (engine){.job = job, .sides = sides, .matches = matches, .match_count = count,
	              .rules = rules};
	pthread_mutex_init(&e->lock, NULL);
	for (size_t i = 0; i < count; i++)
		matches[i].unlike = (ck_unlike){.first = UINT64_MAX};
	sides[0].unchecked = sides[1].unchecked = 0;
	if (!ck_defer(job, close_lock, &e->lock) || !find_places(e, 0) || !find_places(e, 1) ||
	    !cut(e))
		return false;
	e->work = (ck_work){.what = "comparing", .units = e->unit_count, .total = e->work.total,
	                    .run = run_unit, .arg = e, .buffer = 2 * CK_BLOCK_BYTES +
	                    CK_BLOCK_ROOM};
	return ck_work_run(job, &e->work, threads) && judge(e);
}
