/* NumPy's files: .npy holds one array, .npz is a zip archive of such. Arrays of objects are pickles
 * behind the header. */
#include <string.h>

#include "numpy.h"
#include "rebuild.h"

#define LLU(x) ((unsigned long long)(x))

/* One array on its way into the model. */
typedef struct {
	ck_torch *torch; /* its pickle is the whole file or member, as far as it can be read */
	const ck_path *path;
	uint64_t size;   /* of the file or member */
	uint64_t data;   /* where its elements begin */
	ck_numpy_array array;
	uint64_t shape[CK_DIMS_MAX];
} npy;

/* ---- headers ---- */

static bool parse(npy *n, const char *text, size_t len)
{
	n->array.shape = n->shape;
	return ck_npy_parse(n->torch, text, len, &n->array);
}

/* The header's text was given back, so that a million members need no megabyte each. */
static bool keep_shape(npy *n)
{
	size_t size = n->array.ndim * sizeof *n->shape;
	n->array.shape = ck_alloc(n->torch->job, size + 1);
	if (!n->array.shape)
		return false;
	memcpy(n->array.shape, n->shape, size);
	return ck_numpy_measure(n->torch, &n->array);
}

static bool read_header(npy *n)
{
	unsigned char head[CK_NPY_PREFIX];
	uint64_t text;
	ck_job *job = n->torch->job;
	const ck_source *source = n->torch->pickle;
	size_t len = source->size < sizeof head ? (size_t)source->size : sizeof head;
	if (!ck_read_at(job, source, 0, head, len) ||
	    !ck_npy_prefix(n->torch, head, len, &text, &n->data) ||
	    !ck_source_holds(job, source, "header", text, n->data - text))
		return false;
	size_t size = (size_t)(n->data - text);
	ck_mark mark = ck_arena_mark(job);
	char *copy = ck_alloc(job, size + 1);
	if (!copy || !ck_read_at(job, source, text, copy, size) || !parse(n, copy, size))
		return false;
	ck_arena_release(job, mark);
	return keep_shape(n);
}

/* What is needed of the beginning of a deflated member: it is inflated no further. */
typedef struct {
	npy *n;
	ck_text bytes;
	uint64_t text, need;
	bool done;
} peeked;

static bool peek_take(ck_job *job, void *arg, const void *data, size_t len)
{
	peeked *p = arg;
	const char *from = data;
	while (!p->done && len) {
		size_t more = (size_t)p->need - p->bytes.len;
		if (more > len)
			more = len;
		if (!ck_text_add(job, &p->bytes, from, more))
			return false;
		from += more;
		len -= more;
		if (p->bytes.len < p->need)
			continue;
		if (!p->n->data && !ck_npy_prefix(p->n->torch, (const unsigned char *)p->bytes.data,
		                                  p->bytes.len, &p->text, &p->n->data))
			return false;
		p->done = p->bytes.len >= p->n->data;
		p->need = p->n->data;
	}
	return !p->done;
}

static bool peek_header(npy *n, const ck_stream *stream)
{
	peeked p = {.n = n, .need = CK_NPY_PREFIX};
	ck_mark mark = ck_arena_mark(n->torch->job);
	bool ended = stream->run(n->torch->job, stream, &(ck_sink){peek_take, &p});
	if (!p.done)
		return ended && ck_rebuild_fail(n->torch, "the .npy array ends inside its header");
	if (!parse(n, p.bytes.data + p.text, (size_t)(n->data - p.text)))
		return false;
	ck_arena_release(n->torch->job, mark);
	return keep_shape(n);
}

/* ---- elements ---- */

static bool check_size(const npy *n)
{
	uint64_t end;
	if (!ck_add(n->data, n->array.bytes, &end) || end > n->size)
		return ck_fail(n->torch->job, CK_CORRUPT, n->torch->pickle->label,
		               "the .npy array needs %s behind its header, and has %llu",
		               ck_many(n->array.bytes, "byte").s, LLU(n->size - n->data));
	if (end < n->size)
		ck_note(n->torch->job, "what lies behind the array of '%s', %s, was not looked at",
		        ck_show(n->torch->pickle->label, strlen(n->torch->pickle->label)).s,
		        ck_many(n->size - end, "byte").s);
	return true;
}

static bool add_tensor(npy *n, ck_storage *storage, uint64_t start)
{
	ck_torch *torch = n->torch;
	ck_tensor *tensor = ck_numpy_tensor(torch, &n->array, storage, start);
	return tensor &&
	       ck_tensor_check(torch->job, tensor, torch->pickle->label,
	                       ck_path_show(n->path).s) &&
	       ck_load_tensor(torch->loaded, n->path, tensor);
}

/* An array without dimensions is how numpy.save keeps any object, such as a dict: that one then
 * stands where the array stands. */
static bool unwrap(npy *n)
{
	ck_torch *torch = n->torch;
	const ck_made *made = ck_rebuild_value(torch, torch->root);
	if (made && made->kind == CK_MADE_ITEMS && made->items->count == 1)
		torch->root = made->items->item[0];
	return made;
}

static bool load_objects(npy *n)
{
	uint64_t at = n->data;
	ck_torch *torch = n->torch;
	torch->path = n->path;
	torch->root = ck_torch_read(torch, &at);
	return torch->root && (n->array.ndim || unwrap(n)) && ck_walk(torch, n->path);
}

static bool add_other(npy *n)
{
	return ck_model_add_other(n->torch->job, n->torch->model, n->path, n->array.dtype.about,
	                          CK_OTHER_ARRAY);
}

/* ---- .npy ---- */

static bool probe_npy(ck_job *job, const ck_input *in)
{
	(void)job;
	return in->head_len >= 6 && !memcmp(in->head, "\x93NUMPY", 6);
}

static bool load_npy(ck_loaded *loaded, const ck_input *in, const ck_path *at)
{
	npy n = {.torch = ck_torch_new(loaded, in->source), .path = at, .size = in->source->size};
	if (!n.torch || !read_header(&n))
		return false;
	if (n.array.dtype.kind == CK_NUMPY_OBJECTS)
		return load_objects(&n);
	if (n.array.dtype.kind == CK_NUMPY_OTHER)
		return add_other(&n);
	if (!check_size(&n))
		return false;
	return add_tensor(&n, ck_storage_new(n.torch, "array", in->source, n.data, n.array.bytes),
	                  0);
}

const ck_layout ck_layout_npy = {
	"npy", "numpy.save", true, probe_npy, load_npy,
};

/* ---- .npz ---- */

bool ck_npz_is_array(const ck_member *member)
{
	return ck_member_ends(member, ".npy");
}

/* numpy.savez writes nothing but arrays. What stands beside them may be a checkpoint: whether it
 * is, bundle.c finds out. */
static bool probe_npz(ck_job *job, const ck_input *in)
{
	(void)job;
	size_t arrays = 0;
	for (size_t i = 0; in->archive && i < in->archive->count; i++) {
		const ck_member *member = &in->archive->members[i];
		bool is_array = ck_npz_is_array(member);
		if (!is_array && !ck_member_ends(member, "/"))
			return false;
		arrays += is_array;
	}
	return arrays;
}

/* The archive's CRC covers the header, too: the storage is the whole member, and the tensor begins
 * some elements in. Where that is no whole number of elements, the CRC is checked right here. */
static bool add_stored(npy *n, const ck_archive *archive, ck_member *member)
{
	ck_storage *storage;
	uint64_t size = n->array.dtype.size, start = n->data / size;
	if (n->data % size) {
		const ck_source *checked = ck_member_source(n->torch->job, archive, member);
		storage = checked ? ck_storage_new(n->torch, member->name, checked, n->data,
		                                   n->array.bytes) : NULL;
		return storage && add_tensor(n, storage, 0);
	}
	storage = ck_storage_new(n->torch, member->name, archive->source,
	                         member->offset, member->size);
	if (!storage)
		return false;
	storage->crc = member->crc;
	storage->has_crc = member->has_crc;
	return add_tensor(n, storage, start);
}

/* The elements of a deflated member, without the header before them. */
typedef struct {
	const ck_stream *whole;
	uint64_t from, to;
} cut;

typedef struct {
	const cut *of;
	uint64_t at;
	const ck_sink *sink;
} cutter;

static bool cut_take(ck_job *job, void *arg, const void *data, size_t len)
{
	cutter *c = arg;
	uint64_t at = c->at, end = at + len;
	c->at = end;
	uint64_t from = at > c->of->from ? at : c->of->from, to = end < c->of->to ? end : c->of->to;
	return from >= to || c->sink->take(job, c->sink->arg, (const char *)data + (from - at),
	                                   (size_t)(to - from));
}

static bool run_cut(ck_job *job, const ck_stream *stream, const ck_sink *sink)
{
	const cut *of = stream->arg;
	cutter c = {of, 0, sink};
	return of->whole->run(job, of->whole, &(ck_sink){cut_take, &c});
}

static bool add_deflated(npy *n, const ck_member *member, const ck_stream *whole)
{
	ck_job *job = n->torch->job;
	cut *of = ck_alloc(job, sizeof *of);
	ck_stream *stream = ck_alloc(job, sizeof *stream);
	ck_storage *storage = ck_alloc(job, sizeof *storage);
	if (!of || !stream || !storage)
		return false;
	*of = (cut){whole, n->data, n->data + n->array.bytes};
	*stream = (ck_stream){run_cut, whole->label, n->array.bytes, of};
	*storage = (ck_storage){
		.key = member->name, .key_len = member->name_len, .label = member->name,
		.size = n->array.bytes, .held = n->array.bytes, .stream = stream,
		.number = n->torch->model->storages++,
	};
	return add_tensor(n, storage, 0);
}

/* Objects are read here and now, and so is the whole member. */
static bool load_member_objects(npy *n, const ck_archive *archive, ck_member *member)
{
	n->torch->pickle = ck_member_source(n->torch->job, archive, member);
	return n->torch->pickle && load_objects(n);
}

static bool load_array(npy *n, const ck_archive *archive, ck_member *member)
{
	ck_job *job = n->torch->job;
	bool deflated = member->method == CK_DEFLATED;
	const ck_stream *stream = deflated ? ck_member_stream(job, archive, member) : NULL;
	if (deflated ? !stream || !peek_header(n, stream) : !read_header(n))
		return false;
	if (n->array.dtype.kind == CK_NUMPY_OBJECTS)
		return load_member_objects(n, archive, member);
	if (n->array.dtype.kind == CK_NUMPY_OTHER)
		return add_other(n);
	if (!check_size(n))
		return false;
	return deflated ? add_deflated(n, member, stream) : add_stored(n, archive, member);
}

static bool load_member(ck_loaded *loaded, const ck_archive *archive, ck_member *member,
                        const ck_path *at)
{
	ck_job *job = loaded->job;
	if (!ck_npz_is_array(member)) /* folders, and files that an archive's note names */
		return true;
	size_t len = member->name_len - strlen(".npy");
	const ck_path *path = ck_path_new(job, at, member->name, len, true);
	if (!path)
		return false;
	if (member->method == CK_STORED && !ck_member_stored(job, archive, member))
		return false;
	const char *label = ck_member_label(job, archive, member);
	uint64_t there = member->method == CK_STORED ? member->size : 0;
	const ck_source *source =
		ck_source_window(job, archive->source, label, member->offset, there);
	npy n = {.path = path, .size = member->size};
	n.torch = source ? ck_torch_new(loaded, source) : NULL;
	return n.torch && load_array(&n, archive, member);
}

static bool load_npz(ck_loaded *loaded, const ck_input *in, const ck_path *at)
{
	for (size_t i = 0; i < in->archive->count; i++)
		if (ck_stopped(loaded->job) ||
		    !load_member(loaded, in->archive, &in->archive->members[i], at))
			return false;
	return ck_archive_check_overlap(loaded->job, in->archive);
}

const ck_layout ck_layout_npz = {
	"npz", "numpy.savez", true, probe_npz, load_npz,
};
