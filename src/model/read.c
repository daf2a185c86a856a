/* The values of a tensor, front to back in C order: what tensors that are computed from others are
 * made of. Memory does not follow the size of the tensor, but for storages that must be
 * unpacked. */
#include "model.h"

#include <string.h>

enum {
	WINDOW = 256 << 10, /* bytes of the storage in memory */
	PIECE = 16 << 10,   /* elements that take() is given at once, at most */
	GAP = 4096,         /* bytes between wanted ones that are rather read than skipped */
	CHUNK = 512 << 10,  /* bytes read at once for a checksum */
	EXPANDED_FREE = 16 << 20, /* bytes of an expanded tensor that no limit counts */
};

/* ---- the storage ---- */

static bool crc_of(ck_job *job, const ck_storage *storage, uint32_t *crc)
{
	size_t most = storage->held < CHUNK ? (size_t)storage->held : CHUNK;
	unsigned char *chunk = ck_alloc(job, most);
	*crc = 0;
	for (uint64_t at = 0; chunk && at < storage->held; at += CHUNK) {
		uint64_t left = storage->held - at;
		size_t size = left < CHUNK ? (size_t)left : CHUNK;
		if (ck_stopped(job) ||
		    !ck_read_at(job, storage->source, storage->offset + at, chunk, size))
			return false;
		*crc = ck_crc32(*crc, chunk, size);
	}
	return chunk;
}

bool ck_storage_judge(ck_job *job, const ck_storage *storage, uint32_t crc, bool *recorded)
{
	*recorded = crc == storage->crc || storage->crc;
	return crc == storage->crc || !storage->crc ||
	       ck_fail_at(job, CK_CORRUPT, storage->source->label, storage->offset,
	                  "the bytes of '%s' have the CRC-32 %08x, but the archive recorded %08x: "
	                  "the file is damaged; get it again",
	                  ck_show(storage->label, strlen(storage->label)).s, crc, storage->crc);
}

/* The copy engine checks what it copies; what is only computed with is checked here, once. */
static bool check_crc(ck_job *job, ck_storage *storage)
{
	uint32_t crc;
	if (!storage->has_crc || storage->checked)
		return true;
	if (!crc_of(job, storage, &crc))
		return false;
	bool recorded;
	storage->checked = true;
	if (!ck_storage_judge(job, storage, crc, &recorded))
		return false;
	if (!recorded)
		ck_note(job, "'%s' carries no checksum and could not be verified",
		        ck_show(storage->label, strlen(storage->label)).s);
	return true;
}

static bool drop(ck_job *job, void *arg, const void *data, size_t len)
{
	(void)arg;
	(void)data;
	(void)len;
	return !ck_stopped(job);
}

bool ck_storage_check(ck_job *job, ck_storage *storage)
{
	if (storage->stream)
		return storage->stream->run(job, storage->stream, &(ck_sink){drop, NULL});
	ck_mark mark = ck_arena_mark(job);
	bool right = !storage->source || check_crc(job, storage);
	ck_arena_release(job, mark);
	return right;
}

typedef struct {
	unsigned char *data;
	uint64_t fill, size;
} unpacked;

static bool unpack_take(ck_job *job, void *arg, const void *data, size_t len)
{
	unpacked *u = arg;
	if (len > u->size - u->fill)
		return ck_fail(job, CK_CORRUPT, "", "more bytes come out than were announced");
	if (len)
		memcpy(u->data + u->fill, data, len);
	u->fill += len;
	return true;
}

/* Where the bytes of the storage can be read at any offset. */
static const ck_source *readable(ck_job *job, ck_storage *storage, uint64_t *offset)
{
	*offset = storage->offset;
	if (!storage->stream)
		return check_crc(job, storage) ? storage->source : NULL;
	unpacked u = {.size = storage->held};
	u.data = ck_alloc_array(job, u.size + 1, 1);
	*offset = 0;
	if (!u.data || !storage->stream->run(job, storage->stream, &(ck_sink){unpack_take, &u}))
		return NULL;
	return ck_source_memory(job, storage->label, u.data, u.fill);
}

/* ---- its elements ---- */

typedef struct {
	ck_job *job;
	const ck_tensor *tensor;
	const ck_source *source;
	uint64_t base, end;   /* of the storage in source */
	uint64_t at;          /* what the window holds */
	size_t len, ahead;    /* `ahead`: bytes that are worth reading at once */
	unsigned char *window, *items;
	unsigned char *made;  /* what they are cast to, if they are */
	size_t item, fill;    /* bytes of an element; elements in `items` */
	size_t ndim;
	uint64_t shape[CK_DIMS_MAX], step[CK_DIMS_MAX];
	ck_take *take;
	void *arg;
} reader;

/* Reading on is worth it while the next wanted byte is near. */
static size_t worth_reading(const reader *r)
{
	uint64_t span = r->item;
	for (size_t d = r->ndim; d-- > 0 && r->step[d] <= span + GAP && span < WINDOW;)
		span += r->step[d] * (r->shape[d] - 1);
	return span < WINDOW ? (size_t)span : WINDOW;
}

static const unsigned char *fetch(reader *r, uint64_t at, size_t need)
{
	if (at >= r->at && at - r->at + need <= r->len)
		return r->window + (at - r->at);
	uint64_t left = r->end - at;
	size_t size = r->ahead > need ? r->ahead : need;
	size = left < size ? (size_t)left : size;
	r->len = 0;
	if (!ck_read_at(r->job, r->source, r->base + at, r->window, size))
		return NULL;
	r->at = at;
	r->len = size;
	return r->window;
}

static bool flush(reader *r)
{
	ck_change *change = ck_tensor_change(r->tensor);
	if (ck_stopped(r->job))
		return false;
	if (change)
		change(r->items, r->fill, r->tensor);
	const ck_tensor *t = r->tensor;
	if (t->cast)
		ck_cast_run(t->held, t->dtype, r->items, r->fill, r->made);
	bool ok = !r->fill || r->take(r->job, r->arg, t->cast ? r->made : r->items, r->fill);
	r->fill = 0;
	return ok;
}

/* `count` elements of the last dimension, from byte `at` on. */
static bool read_run(reader *r, uint64_t at, uint64_t count)
{
	uint64_t step = r->step[r->ndim - 1];
	while (count) {
		uint64_t some = step == r->item ? r->ahead / r->item : 1;
		some = some < count ? some : count;
		some = some < PIECE - r->fill ? some : PIECE - r->fill;
		size_t bytes = (size_t)some * r->item;
		const unsigned char *from = fetch(r, at, bytes);
		if (!from)
			return false;
		memcpy(r->items + r->fill * r->item, from, bytes);
		r->fill += (size_t)some;
		at += some * step;
		count -= some;
		if (r->fill == PIECE && !flush(r))
			return false;
	}
	return true;
}

static bool read_all(reader *r)
{
	uint64_t position[CK_DIMS_MAX] = {0}, at = r->tensor->start * r->item;
	size_t last = r->ndim - 1;
	for (;;) {
		if (!read_run(r, at, r->shape[last]))
			return false;
		size_t d = last;
		for (;; position[d] = 0) {
			if (!d--)
				return flush(r);
			at += r->step[d];
			if (++position[d] < r->shape[d])
				break;
			at -= r->step[d] * r->shape[d];
		}
	}
}

static void simplify(reader *r, const ck_tensor *tensor)
{
	r->item = ck_dtype_table[ck_tensor_held(tensor)].size;
	for (size_t d = 0; d < tensor->ndim; d++) {
		r->shape[d] = tensor->shape[d];
		r->step[d] = tensor->shape[d] > 1 ? tensor->stride[d] * r->item : 0;
	}
	r->ndim = ck_gather_simplify(tensor->ndim, r->shape, r->step);
	if (!r->ndim) {
		r->ndim = 1;
		r->shape[0] = 1;
		r->step[0] = r->item;
	}
	r->ahead = worth_reading(r);
}

bool ck_tensor_each(ck_job *job, const ck_tensor *tensor, ck_take *take, void *arg)
{
	reader r = {.job = job, .tensor = tensor, .take = take, .arg = arg};
	if (!tensor->count)
		return true;
	simplify(&r, tensor);
	r.end = tensor->storage->size;
	r.source = readable(job, tensor->storage, &r.base);
	r.window = r.source ? ck_alloc(job, WINDOW) : NULL;
	r.items = r.window ? ck_alloc_array(job, PIECE, r.item) : NULL;
	if (r.items && tensor->cast)
		r.made = ck_alloc_array(job, PIECE, ck_dtype_table[tensor->dtype].size);
	return r.items && (r.made || !tensor->cast) && read_all(&r);
}

typedef struct {
	unsigned char *to;
	size_t item;
} collected;

static bool collect(ck_job *job, void *arg, const void *items, size_t count)
{
	collected *c = arg;
	(void)job;
	memcpy(c->to, items, count * c->item);
	c->to += count * c->item;
	return true;
}

bool ck_tensor_affordable(ck_job *job, const ck_tensor *tensor)
{
	uint64_t most;
	if (tensor->bytes <= EXPANDED_FREE ||
	    !ck_mul(tensor->storage->size, job->limits.expand, &most) || tensor->bytes <= most)
		return true;
	ck_shown label = ck_show(tensor->storage->label, strlen(tensor->storage->label));
	return ck_fail(job, CK_LIMIT, "",
	               "storage '%s' of %s is expanded to %llu, all of which are needed in memory; "
	               "if the file can be trusted to need it, raise the limit with "
	               "--limit expand=N", label.s, ck_many(tensor->storage->size, "byte").s,
	               (unsigned long long)tensor->bytes);
}

void *ck_tensor_values(ck_job *job, const ck_tensor *tensor)
{
	void *values = ck_tensor_affordable(job, tensor) ? ck_alloc_array(job, tensor->bytes + 1, 1)
	                                                 : NULL;
	collected c = {values, ck_dtype_table[tensor->dtype].size};
	return values && ck_tensor_each(job, tensor, collect, &c) ? values : NULL;
}
