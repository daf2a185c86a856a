/* The layout of torch.save from 0.1.10 to 1.5: five pickles one after the other (a magic number, a
 * version, facts of the machine, the object, the keys of the storages), then each storage as a
 * count and its elements. What the magic number is spelled with does not matter, only its value. */
#include <string.h>

#include "load.h"
#include "rebuild.h"
#include "trace.h"

/* 0x1950a86a20f9469cfc6c */
static const char MAGIC[] = {0x6c, (char)0xfc, (char)0x9c, 0x46, (char)0xf9, 0x20, 0x6a, (char)0xa8,
                             0x50, 0x19};

enum { VERSION = 1001, COUNT_SIZE = 8 };
/* Of the pickle with the magic number. */
enum { OPS_MAX = 1000000, BYTES_MAX = 16 << 20 };

typedef struct {
	const ck_source *source;
	ck_map places; /* key -> place */
} legacy;

/* What the pickle says of a storage, and where its bytes are. */
typedef struct {
	ck_dtype dtype;
	uint64_t count, offset;
	bool found;
} place;

static bool is_magic(const ck_value *value)
{
	return value->kind == CK_LONG && value->text.len == sizeof MAGIC &&
	       !memcmp(value->text.data, MAGIC, sizeof MAGIC);
}

/* Imports are none of a magic number's business; what is put into lists may be taken off again. */
static bool on_event(void *arg, const ck_source *source, const ck_event *event)
{
	ck_job *job = arg;
	return event->deed == CK_DID_SET || event->deed == CK_DID_APPEND ||
	       ck_fail(job, CK_UNSUPPORTED, source->label, "deed %d", (int)event->deed);
}

/* Whether the first pickle of a source is the magic number. *cut is true if it goes on behind the
 * end. */
static bool begins_with_magic(ck_job *job, const ck_source *whole, uint64_t size, bool *cut)
{
	uint64_t at = 0;
	ck_job *own = ck_base_job_new(); /* errors of this reading are nobody's business */
	const ck_source *source = own ? ck_source_window(own, whole, "", 0, size) : NULL;
	if (own)
		own->limits.ops = OPS_MAX;
	ck_watch watch = {on_event, NULL, own};
	ck_seen seen = {.watch = &watch};
	bool may = source && (size <= CK_HEAD ||
	                      ck_pickle_may_hold(own, source, OPS_MAX, MAGIC, sizeof MAGIC));
	const ck_value *value = may ? ck_pickle_read(own, source, &at, &seen) : NULL;
	bool magic = value && is_magic(value);
	*cut = source && !value && own->error.status == CK_CORRUPT;
	if (!own || own->error.status == CK_NOMEM) /* it was not read: nobody knows what it is */
		ck_fail_nomem(job);
	ck_base_job_free(own);
	return magic;
}

/* Whatever is put on the stack and taken off again before it does not matter to torch: only what
 * reaches beyond the first bytes is read from the source. */
bool ck_torch_legacy_probe(ck_job *job, const ck_input *in)
{
	bool cut;
	ck_job *own = ck_base_job_new();
	const ck_source *head = own ? ck_source_memory(own, "", in->head, in->head_len) : NULL;
	bool magic = head ? begins_with_magic(job, head, head->size, &cut) : !ck_fail_nomem(job);
	ck_base_job_free(own);
	if (magic || !head || !cut || !in->source || in->source->size <= in->head_len)
		return magic;
	uint64_t size = in->source->size < BYTES_MAX ? in->source->size : BYTES_MAX;
	return begins_with_magic(job, in->source, size, &cut);
}

/* The next pickle, which must be made of literals alone: nothing honest names a class there. */
static ck_value *read_literal(ck_torch *torch, uint64_t *at)
{
	uint64_t start = *at;
	ck_torch frame = {.job = torch->job, .loaded = torch->loaded, .pickle = torch->pickle};
	ck_value *value = ck_torch_read(&frame, at);
	if (value && (frame.seen.globals.count || frame.seen.persids.count)) {
		ck_fail_at(torch->job, CK_CORRUPT, torch->pickle->label, start,
		           "a pickle of the file's frame names a class or a storage; torch never "
		           "writes that");
		return NULL;
	}
	return value;
}

static bool read_head(ck_torch *torch, uint64_t *at)
{
	const ck_value *magic = read_literal(torch, at);
	const ck_value *version = magic ? read_literal(torch, at) : NULL;
	if (!version)
		return false;
	if (version->kind != CK_INT || version->i != VERSION)
		return ck_fail(torch->job, CK_UNSUPPORTED, torch->pickle->label,
		               "its format must be version %d", VERSION);
	return read_literal(torch, at) &&
	       ck_trace_say(torch->loaded, "magic number", "0x1950a86a20f9469cfc6c",
	                    "as PyTorch 0.1.10 to 1.5 wrote it, and later ones if asked to");
}

/* Every storage that the pickle names, by key: the elements' size is known from here only. */
static bool collect(ck_torch *torch, legacy *l, const ck_items *persids)
{
	bool fresh;
	for (size_t i = 0; i < persids->count; i++) {
		ck_storage_id id;
		const ck_value *value = persids->item[i];
		torch->at = value->at;
		if (ck_storage_is_module(value))
			continue;
		if (!ck_storage_read_id(torch, value, &id))
			return false;
		uint64_t *slot = ck_map_put(torch->job, &l->places, id.key, id.key_len, &fresh);
		if (!slot)
			return false;
		if (!fresh) /* whether it says the same again is checked where tensors are made */
			continue;
		place *p = ck_alloc(torch->job, sizeof *p);
		*slot = (uint64_t)(uintptr_t)p;
		if (!p)
			return false;
		*p = (place){.dtype = id.dtype, .count = id.count};
	}
	return true;
}

static bool read_count(ck_job *job, const ck_source *source, uint64_t at, uint64_t *count)
{
	unsigned char bytes[COUNT_SIZE];
	if (!ck_source_holds(job, source, "storage", at, COUNT_SIZE) ||
	    !ck_read_at(job, source, at, bytes, sizeof bytes))
		return false;
	*count = 0;
	for (size_t i = sizeof bytes; i-- > 0;)
		*count = *count << 8 | bytes[i];
	return true;
}

/* One storage of the list: its place is here, and the next one's behind its elements. */
static bool locate(ck_torch *torch, legacy *l, const ck_value *key, uint64_t *at)
{
	const char *text;
	size_t len;
	ck_job *job = torch->job;
	if (!ck_value_text(key, &text, &len))
		return ck_fail(job, CK_CORRUPT, l->source->label,
		               "the key of a storage must be a string, not %s",
		               ck_value_about(key).s);
	ck_shown shown = ck_show(text, len);
	const uint64_t *slot = ck_map_find(job, &l->places, text, len);
	place *p = slot ? (place *)(uintptr_t)*slot : NULL;
	if (!p || p->found)
		return ck_fail(job, CK_CORRUPT, l->source->label, p ? "storage '%s' is there twice"
		               : "storage '%s' is there, but nothing says of which type it is",
		               shown.s);
	uint64_t count, size;
	if (!read_count(job, l->source, *at, &count))
		return false;
	if (count != p->count)
		return ck_fail_at(job, CK_CORRUPT, l->source->label, *at,
		                  "storage '%s' should have %s, but says %llu", shown.s,
		                  ck_many(p->count, "element").s, (unsigned long long)count);
	p->offset = *at + COUNT_SIZE;
	p->found = true;
	if (!ck_mul(count, ck_dtype_table[p->dtype].size, &size) ||
	    !ck_source_holds(job, l->source, shown.s, p->offset, size))
		return ck_fail(job, CK_CORRUPT, l->source->label,
		               "the elements of storage '%s' do not fit into the file", shown.s);
	*at = p->offset + size;
	return true;
}

static bool locate_all(ck_torch *torch, legacy *l, const ck_value *keys, uint64_t at)
{
	if (keys->kind != CK_LIST && keys->kind != CK_TUPLE)
		return ck_fail(torch->job, CK_CORRUPT, l->source->label,
		               "the keys of the storages must be a list, not %s",
		               ck_value_about(keys).s);
	for (size_t i = 0; i < keys->items->count; i++)
		if (!locate(torch, l, keys->items->item[i], &at))
			return false;
	torch->end = at;
	if (at < l->source->size)
		ck_note(torch->job, "what lies behind the last storage, %s, is not part of the "
		        "checkpoint", ck_many(l->source->size - at, "byte").s);
	return true;
}

static bool find_storage(ck_torch *torch, ck_storage *storage)
{
	const legacy *l = torch->arg;
	const uint64_t *slot = ck_map_find(torch->job, &l->places, storage->key, storage->key_len);
	const place *p = slot ? (const place *)(uintptr_t)*slot : NULL;
	if (!p || !p->found)
		return ck_fail(torch->job, CK_CORRUPT, l->source->label,
		               "storage '%s' is missing: the file does not list it",
		               ck_show(storage->key, storage->key_len).s);
	storage->source = l->source;
	storage->offset = p->offset;
	storage->held = storage->size;
	storage->label = ck_copy(torch->job, storage->key, storage->key_len);
	return storage->label != NULL;
}

ck_torch *ck_torch_legacy_read(ck_loaded *loaded, const ck_input *in)
{
	uint64_t at = 0;
	ck_job *job = loaded->job;
	legacy *l = ck_alloc(job, sizeof *l);
	ck_torch *torch = ck_torch_new(loaded, in->source);
	if (!l || !torch)
		return NULL;
	l->source = in->source;
	torch->find = find_storage;
	torch->arg = l;
	if (!read_head(torch, &at))
		return NULL;
	torch->root = ck_torch_read(torch, &at);
	const ck_value *keys = torch->root ? read_literal(torch, &at) : NULL;
	return keys && collect(torch, l, &torch->seen.persids) && locate_all(torch, l, keys, at)
	               ? torch : NULL;
}

static bool load(ck_loaded *loaded, const ck_input *in, const ck_path *at)
{
	ck_torch *torch = ck_torch_legacy_read(loaded, in);
	return torch && ck_walk(torch, at);
}

const ck_layout ck_layout_torch_legacy = {
	"legacy torch", "torch.save from 0.1.10 to 1.5", false, ck_torch_legacy_probe, load,
};
