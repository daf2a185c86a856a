/* NumPy's .npy files: a header, then plain elements or, where they are objects, a pickle. */
#include "numpy.h"
#include "look.h"
#include "stream.h"

typedef struct {
	uint64_t text, data;
	ck_numpy_array array;
	uint64_t shape[CK_DIMS_MAX];
} header;

static bool read_header(ck_look *l, ck_job *own, header *h)
{
	ck_loaded loaded = {.job = own};
	ck_torch *torch = ck_torch_new(&loaded, l->source);
	h->array.shape = h->shape;
	if (!torch || !ck_npy_prefix(torch, l->head, l->head_len, &h->text, &h->data) ||
	    !ck_source_holds(own, l->source, "header", h->text, h->data - h->text))
		return false;
	size_t len = (size_t)(h->data - h->text);
	char *text = ck_alloc(own, len + 1);
	return text && ck_read_at(own, l->source, h->text, text, len) &&
	       ck_npy_parse(torch, text, len, &h->array) && ck_numpy_measure(torch, &h->array);
}

static bool walk_objects(ck_look *l, uint64_t at)
{
	ck_stream_reader reader;
	bool whole;
	ck_stream_begin(&reader, l->audit, &l->place);
	bool ok = ck_stream_next(&reader, &at, &whole) &&
	          ck_regions_claim(l->job, &l->claimed, 0, whole ? at : l->source->size);
	return ck_stream_end(&reader) && ok;
}

/* What is no header here may be one to NumPy, and may speak of objects. */
static bool walk_unread(ck_look *l, const header *h)
{
	ck_probed probed = CK_PROBED_NOTHING;
	uint64_t size = l->source->size;
	if (h->data && h->data < size && !ck_pickle_probe(l, h->data, &probed))
		return false;
	return probed > CK_PROBED_LITERAL ? walk_objects(l, h->data)
	                                  : ck_regions_claim(l->job, &l->claimed, 0, size);
}

bool ck_npy_walk(ck_look *l)
{
	header h = {0};
	uint64_t end;
	ck_job *own = ck_look_job(l->audit);
	if (!own)
		return false;
	bool read = read_header(l, own, &h);
	bool ok = read || ck_look_failed(l->audit, own, CK_RULE_BROKEN_CHECKPOINT, &l->place, 0);
	if (!ck_look_done(l->audit, own) || !ok)
		return false;
	l->lenient = true;
	if (!read)
		return walk_unread(l, &h);
	if (h.array.dtype.holds_objects)
		return walk_objects(l, h.data);
	l->loose = !h.array.dtype.size; /* records of a size that nobody counted */
	if (!ck_add(h.data, h.array.bytes, &end))
		end = l->source->size;
	if (end > l->source->size &&
	    !ck_audit_say(l->audit, CK_RULE_BROKEN_CHECKPOINT, &l->place, h.data, 0,
	                  "the array needs %s behind its header, and has %llu",
	                  ck_many(h.array.bytes, "byte").s,
	                  (unsigned long long)(l->source->size - h.data)))
		return false;
	return ck_regions_claim(l->job, &l->claimed, 0, end < l->source->size ? end
	                                                                      : l->source->size);
}
