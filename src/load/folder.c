/* The folder at the top of an archive of torch: finding members in it, and giving their bytes to
 * storages. */
#include "folder.h"

#include <string.h>

#define LLU(x) ((unsigned long long)(x))

bool ck_folder_of(const ck_archive *archive, const char *name, ck_folder *folder)
{
	size_t len = strlen(name);
	for (size_t i = 0; i < archive->count; i++) {
		const ck_member *member = &archive->members[i];
		const char *slash = memchr(member->name, '/', member->name_len);
		size_t top = slash ? (size_t)(slash - member->name) + 1 : 0;
		if (!slash || member->name_len - top != len || memcmp(slash + 1, name, len) != 0)
			continue;
		folder->top = member->name;
		folder->top_len = top;
		return true;
	}
	return false;
}

ck_member *ck_folder_find(ck_job *job, const ck_folder *folder, const char *within,
                          const char *name, size_t len)
{
	ck_text full = {0};
	ck_mark mark = ck_arena_mark(job);
	bool ok = ck_text_add(job, &full, folder->top, folder->top_len) &&
	          ck_text_add(job, &full, within, strlen(within)) &&
	          ck_text_add(job, &full, name, len);
	ck_member *member = ok ? ck_archive_find(job, folder->archive, full.data, full.len) : NULL;
	ck_arena_release(job, mark);
	return member;
}

ck_member *ck_folder_member(ck_job *job, const ck_folder *folder, const char *name)
{
	return ck_folder_find(job, folder, "", name, strlen(name));
}

ck_member *ck_folder_pickle(ck_job *job, ck_folder *folder)
{
	ck_archive *archive = folder->archive;
	ck_member *found = NULL;
	for (size_t i = 0; i < archive->count; i++) {
		ck_member *member = &archive->members[i];
		const char *slash = memchr(member->name, '/', member->name_len);
		if (!slash || !ck_member_ends(member, "/data.pkl") ||
		    slash != member->name + member->name_len - strlen("/data.pkl"))
			continue;
		if (found) {
			ck_fail(job, CK_CORRUPT, archive->source->label,
			        "the archive has two pickles, '%s' and '%s'; a checkpoint has one",
			        ck_show(found->name, found->name_len).s,
			        ck_show(member->name, member->name_len).s);
			return NULL;
		}
		found = member;
		folder->top = member->name;
		folder->top_len = (size_t)(slash - member->name) + 1;
	}
	if (!found)
		ck_fail(job, CK_UNSUPPORTED, archive->source->label,
		        "the zip archive has no FOLDER/data.pkl, so it is not a torch checkpoint");
	return found;
}

/* As torch reads it: a number, and whatever follows it. */
static bool version_is_known(const char *text, size_t len)
{
	enum { MOST = 10 }; /* kMaxSupportedFileFormatVersion of PyTorch 1.8 to 2.9 */
	unsigned version = 0;
	size_t at = 0;
	while (at < len && strchr(" \t\n\v\f\r", text[at]))
		at++;
	at += at < len && text[at] == '+';
	for (; at < len && text[at] >= '0' && text[at] <= '9' && version <= MOST; at++)
		version = version * 10 + (unsigned)(text[at] - '0');
	return version >= 1 && version <= MOST;
}

bool ck_folder_version(ck_job *job, const ck_folder *folder, bool required)
{
	char text[64];
	ck_member *member = ck_folder_member(job, folder, ".data/version"); /* from version 6 on */
	if (!member)
		member = ck_folder_member(job, folder, "version");
	if (!member)
		return !required || ck_fail(job, CK_CORRUPT, folder->archive->source->label,
		               "the archive has no member '%sversion', without which PyTorch "
		               "reads none", ck_show(folder->top, folder->top_len).s);
	const ck_source *source = ck_member_source(job, folder->archive, member);
	if (!source)
		return false;
	size_t len = source->size < sizeof text ? (size_t)source->size : sizeof text;
	return ck_read_at(job, source, 0, text, len) &&
	       (version_is_known(text, len) ||
	        ck_fail(job, CK_CORRUPT, source->label, "the version of the format must be a "
	                "number from 1 to 10, not '%s'", ck_show(text, len).s));
}

bool ck_folder_byteorder(ck_job *job, const ck_folder *folder, bool *big)
{
	char text[16];
	ck_member *member = ck_folder_member(job, folder, "byteorder");
	*big = false;
	if (!member)
		return true;
	const ck_source *source = ck_member_source(job, folder->archive, member);
	if (!source)
		return false;
	size_t len = source->size < sizeof text ? (size_t)source->size : sizeof text;
	if (!ck_read_at(job, source, 0, text, len))
		return false;
	while (len && strchr("\n\r\t ", text[len - 1])) /* somebody's editor was here */
		len--;
	bool whole = source->size <= sizeof text;
	*big = whole && len == 3 && !memcmp(text, "big", 3);
	if (*big || (whole && len == 6 && !memcmp(text, "little", 6)))
		return true;
	return ck_fail(job, CK_CORRUPT, source->label,
	               "the byte order must be 'little' or 'big', not '%s'", ck_show(text, len).s);
}

/* ---- storages ---- */

bool ck_folder_fill(ck_job *job, const ck_folder *folder, ck_member *member, ck_storage *storage)
{
	if (member->size < storage->size)
		return ck_fail(job, CK_CORRUPT, ck_member_label(job, folder->archive, member),
		               "storage '%s' needs %s, but its member has %llu",
		               ck_show(storage->key, storage->key_len).s,
		               ck_many(storage->size, "byte").s, LLU(member->size));
	storage->held = member->size;
	storage->label = member->name;
	if (member->method == CK_DEFLATED) {
		storage->stream = ck_member_stream(job, folder->archive, member);
		return storage->stream != NULL;
	}
	if (!ck_member_stored(job, folder->archive, member))
		return false;
	storage->source = folder->archive->source;
	storage->offset = member->offset;
	storage->crc = member->crc;
	storage->has_crc = member->has_crc;
	return true;
}

bool ck_folder_storage(ck_torch *torch, ck_storage *storage)
{
	const ck_folder *folder = torch->arg;
	ck_job *job = torch->job;
	const char *suffix = folder->suffix ? folder->suffix : "";
	ck_text name = {0};
	if (!ck_text_add(job, &name, storage->key, storage->key_len) ||
	    !ck_text_add(job, &name, suffix, strlen(suffix)))
		return false;
	ck_member *member = ck_folder_find(job, folder, folder->storages, name.data, name.len);
	if (member)
		return ck_folder_fill(job, folder, member, storage);
	return ck_fail(job, CK_CORRUPT, folder->archive->source->label,
	               "storage '%s' is missing: there is no member '%s%s%s'",
	               ck_show(storage->key, storage->key_len).s,
	               ck_show(folder->top, folder->top_len).s, folder->storages,
	               ck_show(name.data, name.len).s);
}

ck_storage *ck_folder_record(ck_loaded *loaded, const ck_folder *folder, ck_map *records,
                             ck_member *member)
{
	bool fresh;
	uint64_t *place =
		ck_map_put(loaded->job, records, member->name, member->name_len, &fresh);
	if (!place)
		return NULL;
	if (!fresh)
		return (ck_storage *)(uintptr_t)*place;
	ck_storage *storage = ck_alloc(loaded->job, sizeof *storage);
	*place = (uint64_t)(uintptr_t)storage;
	if (!storage)
		return NULL;
	*storage = (ck_storage){.key = member->name, .key_len = member->name_len,
	                        .size = member->size, .number = loaded->model->storages++};
	return ck_folder_fill(loaded->job, folder, member, storage) ? storage : NULL;
}

ck_torch *ck_folder_read(ck_loaded *loaded, const ck_folder *folder, ck_member *pickle)
{
	uint64_t end = 0;
	ck_job *job = loaded->job;
	ck_folder *kept = ck_alloc(job, sizeof *kept);
	const ck_source *source = ck_member_source(job, folder->archive, pickle);
	ck_torch *torch = source ? ck_torch_new(loaded, source) : NULL;
	if (!kept || !torch || !ck_folder_byteorder(job, folder, &torch->big_endian))
		return NULL;
	*kept = *folder;
	torch->find = ck_folder_storage;
	torch->arg = kept;
	torch->root = ck_torch_read(torch, &end);
	return torch->root ? torch : NULL;
}
