/* The layout of torch.package: pickled resources PACKAGE/RESOURCE.pkl beside the source code of
 * their classes, which is not looked at, with all storages in .data/. TorchScript modules are kept
 * apart, in .data/ts_code/ID/, and take their place when they are named. */
#include "script.h"

#include <stdio.h>
#include <string.h>

#include "rebuild.h"
#include "trace.h"

#define DATA ".data/"
#define SCRIPTS DATA "ts_code/"

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
		    id->items->item[2]->kind != CK_INT ||
		    !ck_is_word(id->items->item[0], "storage"))
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

/* ('reduce_package', number, torch.jit._script.unpackage_script_module, (ID,)): the ID, or NULL. */
static const ck_value *script_id(const ck_value *id)
{
	if (id->kind != CK_TUPLE || id->items->count < 3 ||
	    !ck_is_word(id->items->item[0], "reduce_package"))
		return NULL;
	const ck_value *function = id->items->item[id->items->count - 2];
	const ck_value *args = id->items->item[id->items->count - 1];
	if (function->kind != CK_GLOBAL || args->kind != CK_TUPLE || args->items->count != 1 ||
	    !ck_value_is_global(function, "torch.jit._script", "unpackage_script_module"))
		return NULL;
	return args->items->item[0];
}

/* Reads SCRIPTS + ID/data.pkl, once. */
static ck_torch *read_script(ck_torch *torch, const char *id, size_t len)
{
	bool fresh;
	static const char pickle[] = "/data.pkl";
	ck_text name = {0};
	ck_folder folder = *(const ck_folder *)torch->arg;
	uint64_t *place = ck_map_put(torch->job, &torch->inner, id, len, &fresh);
	if (!place || !ck_text_add(torch->job, &name, id, len) ||
	    !ck_text_add(torch->job, &name, pickle, sizeof pickle - 1))
		return NULL;
	if (!fresh)
		return (ck_torch *)(uintptr_t)*place;
	folder.suffix = "";
	ck_member *member = ck_folder_find(torch->job, &folder, SCRIPTS, name.data, name.len);
	if (!member) {
		ck_fail(torch->job, CK_CORRUPT, folder.archive->source->label,
		        "the TorchScript module '%s' is missing: there is no member "
		        "'" SCRIPTS "%s'", ck_show(id, len).s, ck_show(name.data, name.len).s);
		return NULL;
	}
	ck_torch *script = ck_folder_read(torch->loaded, &folder, member);
	if (script) {
		ck_script_forget(script);
		script->level = torch->level + 1;
	}
	*place = (uint64_t)(uintptr_t)script;
	return script;
}

static bool find_persistent(ck_torch *torch, const ck_value *value, ck_made *made)
{
	const char *text;
	size_t len;
	const ck_value *id = value->kind == CK_PERSID ? script_id(value->pid) : NULL;
	made->kind = CK_MADE_VALUE;
	made->about = "storage or object of the package";
	if (!id || !ck_value_text(id, &text, &len))
		return true;
	made->kind = CK_MADE_INNER;
	made->inner = read_script(torch, text, len);
	return made->inner;
}

/* ---- resources ---- */

/* PACKAGE/RESOURCE.pkl, without the archive's folder; not what torch keeps in .data/. */
static bool is_resource(const ck_folder *folder, const ck_member *member)
{
	size_t n = sizeof suffix - 1, data = sizeof DATA - 1, top = folder->top_len;
	return member->name_len > top + n && !memcmp(member->name, folder->top, top) &&
	       ck_member_ends(member, suffix) &&
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
	if (!torch || !name_storages(torch))
		return false;
	torch->persistent = find_persistent;
	return ck_walk(torch, at);
}

static size_t count_resources(const ck_folder *folder)
{
	size_t count = 0;
	for (size_t i = 0; i < folder->archive->count; i++)
		count += is_resource(folder, &folder->archive->members[i]);
	return count;
}

/* The constants of the code of TorchScript modules: constants.ID.N */
static bool load_constants(ck_loaded *loaded, ck_folder folder, ck_member *member,
                           const ck_path *at)
{
	static const char scripts[] = SCRIPTS, ending[] = "/constants.pkl", key[] = "constants";
	size_t head = folder.top_len + sizeof scripts - 1, tail = sizeof ending - 1;
	if (member->name_len <= head + tail ||
	    memcmp(member->name + folder.top_len, scripts, sizeof scripts - 1) != 0 ||
	    !ck_member_ends(member, ending))
		return true;
	folder.suffix = "";
	ck_torch *torch = ck_folder_read(loaded, &folder, member);
	const ck_path *up = ck_path_new(loaded->job, at, key, sizeof key - 1, true);
	const ck_path *path = up ? ck_path_new(loaded->job, up, member->name + head,
	                                       member->name_len - head - tail, true) : NULL;
	if (!torch || !path)
		return false;
	ck_script_forget(torch);
	return ck_walk(torch, path);
}

static bool load_all_constants(ck_loaded *loaded, const ck_folder *folder, const ck_path *at)
{
	size_t before = loaded->model->count;
	for (size_t i = 0; i < folder->archive->count; i++)
		if (!load_constants(loaded, *folder, &folder->archive->members[i], at))
			return false;
	size_t count = loaded->model->count - before;
	if (count)
		ck_note(loaded->job, "%zu constant tensor%s of the code of TorchScript modules %s "
		        "kept as constants.MODULE.N", count, count == 1 ? "" : "s",
		        count == 1 ? "is" : "are");
	return true;
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
	for (size_t i = 0; i < archive->count; i++) {
		ck_member *member = &archive->members[i];
		if (!is_resource(&folder, member))
			continue;
		const ck_path *path = count > 1 ? resource_path(job, &folder, member, at) : at;
		if (!path || !load_resource(loaded, &folder, member, path))
			return false;
	}
	return ck_trace_folder(loaded, &folder) && load_all_constants(loaded, &folder, at) &&
	       ck_archive_check_overlap(job, archive);
}

const ck_layout ck_layout_package = {
	"torch.package", "torch.package", false, probe, load,
};
