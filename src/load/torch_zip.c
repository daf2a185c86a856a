/* The layout of torch.save since PyTorch 1.6: a zip archive of one folder with data.pkl, byteorder
 * and a member data/KEY for each storage. */
#include "load.h"

#include <string.h>

typedef struct {
	ck_archive *archive;
	const char *top; /* "archive/": the folder, slash included */
	size_t top_len;
} torch_zip;

static bool ends_with(const ck_member *member, const char *end)
{
	size_t len = strlen(end);
	return member->name_len >= len &&
	       !memcmp(member->name + member->name_len - len, end, len);
}

/* FOLDER/data.pkl */
static bool is_pickle(const ck_member *member)
{
	const char *slash = memchr(member->name, '/', member->name_len);
	return slash && ends_with(member, "/data.pkl") &&
	       slash == member->name + member->name_len - strlen("/data.pkl");
}

/* Files get renamed, so the folder's name comes from the archive and never from the file. */
static ck_member *find_pickle(ck_job *job, torch_zip *zip)
{
	ck_archive *archive = zip->archive;
	ck_member *found = NULL;
	for (size_t i = 0; i < archive->count; i++) {
		ck_member *member = &archive->members[i];
		if (!is_pickle(member))
			continue;
		if (found) {
			ck_fail(job, CK_CORRUPT, archive->source->label,
			        "the archive has two pickles, '%s' and '%s'; a checkpoint has one",
			        ck_show(found->name, found->name_len).s,
			        ck_show(member->name, member->name_len).s);
			return NULL;
		}
		found = member;
		zip->top = member->name;
		zip->top_len = member->name_len - strlen("data.pkl");
	}
	if (!found)
		ck_fail(job, CK_UNSUPPORTED, archive->source->label,
		        "the zip archive has no FOLDER/data.pkl, so it is not a torch checkpoint");
	return found;
}

static ck_member *find_member(ck_job *job, const torch_zip *zip, const char *folder,
                              const char *name, size_t len)
{
	ck_text full = {0};
	ck_mark mark = ck_arena_mark(job);
	bool ok = ck_text_add(job, &full, zip->top, zip->top_len) &&
	          ck_text_add(job, &full, folder, strlen(folder)) &&
	          ck_text_add(job, &full, name, len);
	ck_member *member = ok ? ck_archive_find(job, zip->archive, full.data, full.len) : NULL;
	ck_arena_release(job, mark);
	return member;
}

static bool find_storage(ck_torch *torch, ck_storage *storage)
{
	const torch_zip *zip = torch->arg;
	ck_job *job = torch->job;
	ck_member *member = find_member(job, zip, "data/", storage->key, storage->key_len);
	if (!member)
		return ck_fail(job, CK_CORRUPT, zip->archive->source->label,
		               "storage '%s' is missing: there is no member '%.*sdata/%s'",
		               ck_show(storage->key, storage->key_len).s, (int)CK_SHOWN_MAX,
		               ck_show(zip->top, zip->top_len).s,
		               ck_show(storage->key, storage->key_len).s);
	if (member->size < storage->size)
		return ck_fail(job, CK_CORRUPT, ck_member_label(job, zip->archive, member),
		               "storage '%s' needs %llu bytes, but its member has %llu",
		               ck_show(storage->key, storage->key_len).s,
		               (unsigned long long)storage->size, (unsigned long long)member->size);
	storage->held = member->size;
	storage->label = member->name;
	if (member->method == CK_DEFLATED) {
		storage->stream = ck_member_stream(job, zip->archive, member);
		return storage->stream != NULL;
	}
	if (!ck_member_stored(job, zip->archive, member))
		return false;
	storage->source = zip->archive->source;
	storage->offset = member->offset;
	storage->crc = member->crc;
	storage->has_crc = true;
	return true;
}

/* The member `byteorder` says "little" or "big"; before PyTorch 2.1 there was none. */
static bool read_byteorder(ck_job *job, const torch_zip *zip, bool *big)
{
	char text[8];
	ck_member *member = find_member(job, zip, "", "byteorder", strlen("byteorder"));
	*big = false;
	if (!member)
		return true;
	const ck_source *source = ck_member_source(job, zip->archive, member);
	if (!source)
		return false;
	size_t len = source->size < sizeof text ? (size_t)source->size : sizeof text;
	if (!ck_read_at(job, source, 0, text, len))
		return false;
	*big = len == 3 && !memcmp(text, "big", 3);
	if (*big || (len == 6 && !memcmp(text, "little", 6)))
		return true;
	return ck_fail(job, CK_CORRUPT, source->label,
	               "the byte order must be 'little' or 'big', not '%s'", ck_show(text, len).s);
}

ck_torch *ck_torch_zip_read(ck_loaded *loaded, const ck_input *in)
{
	ck_job *job = loaded->job;
	uint64_t end = 0;
	torch_zip *zip = ck_alloc(job, sizeof *zip);
	if (!zip)
		return NULL;
	zip->archive = in->archive;
	ck_member *member = find_pickle(job, zip);
	const ck_source *pickle = member ? ck_member_source(job, zip->archive, member) : NULL;
	ck_torch *torch = pickle ? ck_torch_new(loaded, pickle) : NULL;
	if (!torch || !read_byteorder(job, zip, &torch->big_endian))
		return NULL;
	torch->find = find_storage;
	torch->arg = zip;
	torch->root = ck_pickle_read(job, pickle, &end, &torch->seen);
	return torch->root ? torch : NULL;
}

/* A zip without FOLDER/data.pkl may hold other things; one with two is ours to refuse. */
static bool probe(ck_job *job, const ck_input *in)
{
	(void)job;
	if (!in->archive || in->archive->by != &ck_archiver_zip)
		return false;
	for (size_t i = 0; i < in->archive->count; i++)
		if (is_pickle(&in->archive->members[i]))
			return true;
	return false;
}

static bool load(ck_loaded *loaded, const ck_input *in, const ck_path *at)
{
	ck_torch *torch = ck_torch_zip_read(loaded, in);
	return torch && ck_walk(torch, at) && ck_archive_check_overlap(loaded->job, in->archive);
}

const ck_layout ck_layout_torch_zip = {
	"torch zip", "torch.save since PyTorch 1.6", false, probe, load,
};
