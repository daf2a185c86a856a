/* The layout of torch.package: pickled resources PACKAGE/RESOURCE.pkl beside the source code of their
 * classes, which is not looked at, with all storages in .data/. */
#include "folder.h"

#include <stdio.h>
#include <string.h>

#include "rebuild.h"

#define DATA ".data/"

static const char suffix[] = ".pkl";

/* ---- persistent ids ---- */

/* Storages are numbered here, not named: from now on they are named by their numbers. */
static bool name_storages(ck_torch *torch)
{
	ck_job *job = torch->job;
	for (size_t i = 0; i < torch->seen.persids.count; i++) {
		const ck_value *id = torch->seen.persids.item[i]->pid;
		ck_text digits = {0};
		if (id->kind != CK_TUPLE || id->items->count < 3 ||
		    id->items->item[2]->kind != CK_INT || !ck_is_word(id->items->item[0], "storage"))
			continue;
		ck_value *name = ck_alloc(job, sizeof *name);
		if (!name || !ck_print_integer(job, &digits, id->items->item[2]))
			return false;
		*name = (ck_value){.kind = CK_STR, .at = id->items->item[2]->at};
		name->text.data = digits.data;
		name->text.len = digits.len;
		id->items->item[2] = name;
	}
	return true;
}

/* ---- resources ---- */

/* PACKAGE/RESOURCE.pkl, without the archive's folder; not what torch keeps in .data/. */
static bool is_resource(const ck_folder *folder, const ck_member *member)
{
	size_t n = sizeof suffix - 1, data = sizeof DATA - 1, top = folder->top_len;
	return member->name_len > top + n && !memcmp(member->name, folder->top, top) &&
	       !memcmp(member->name + member->name_len - n, suffix, n) &&
	       !(member->name_len > top + data && !memcmp(member->name + top, DATA, data));
}

/* PACKAGE.RESOURCE below `at`. */
static const ck_path *resource_path(ck_job *job, const ck_folder *folder, const ck_member *member,
                                    const ck_path *at)
{
	size_t len = member->name_len - folder->top_len - (sizeof suffix - 1);
	char *name = ck_copy(job, member->name + folder->top_len, len);
	for (size_t i = 0; name && i < len; i++)
		if (name[i] == '/')
			name[i] = '.';
	return name ? ck_path_new(job, at, name, len, true) : NULL;
}

static bool load_resource(ck_loaded *loaded, const ck_folder *folder, ck_member *member,
                          const ck_path *at)
{
	ck_torch *torch = ck_folder_read(loaded, folder, member);
	return torch && name_storages(torch) && ck_walk(torch, at);
}

static size_t count_resources(const ck_folder *folder)
{
	size_t count = 0;
	for (size_t i = 0; i < folder->archive->count; i++)
		count += is_resource(folder, &folder->archive->members[i]);
	return count;
}

/* Scripted modules are kept apart, in the manner of torch.jit.save. */
static bool has_scripts(const ck_folder *folder)
{
	static const char scripts[] = DATA "ts_code/";
	size_t top = folder->top_len, len = sizeof scripts - 1;
	for (size_t i = 0; i < folder->archive->count; i++) {
		const ck_member *member = &folder->archive->members[i];
		if (member->name_len > top + len && !memcmp(member->name, folder->top, top) &&
		    !memcmp(member->name + top, scripts, len))
			return true;
	}
	return false;
}

/* ---- the layout ---- */

static bool probe(ck_job *job, const ck_input *in)
{
	ck_folder folder;
	(void)job;
	return in->archive && ck_folder_of(in->archive, DATA "extern_modules", &folder);
}

static bool load(ck_loaded *loaded, const ck_input *in, const ck_path *at)
{
	ck_job *job = loaded->job;
	ck_archive *archive = in->archive;
	ck_folder folder = {.archive = archive, .storages = DATA, .suffix = ".storage"};
	ck_folder_of(archive, DATA "extern_modules", &folder);
	size_t count = count_resources(&folder);
	if (!count)
		return ck_fail(job, CK_UNSUPPORTED, archive->source->label,
		               "this is a package of torch.package without a pickle in it, so "
		               "there are no tensors");
	if (count > 1)
		ck_note(job, "the package holds %zu pickles, so each name begins with the one that "
		        "its tensor is from: PACKAGE.RESOURCE", count);
	if (has_scripts(&folder))
		ck_note(job, "the TorchScript modules of the package were left out; save them with "
		        "torch.jit.save");
	for (size_t i = 0; i < archive->count; i++) {
		ck_member *member = &archive->members[i];
		if (!is_resource(&folder, member))
			continue;
		const ck_path *path = count > 1 ? resource_path(job, &folder, member, at) : at;
		if (!path || !load_resource(loaded, &folder, member, path))
			return false;
	}
	return ck_archive_check_overlap(job, archive);
}

const ck_layout ck_layout_package = {
	"torch.package", "torch.package", false, probe, load,
};
