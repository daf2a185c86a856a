/* Opens the files of an input. The names that it gives come from strangers, and are checked. */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hub.h"

/* ---- the file that was named ---- */

static const char *folder_of(ck_job *job, const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? ck_copy(job, path, (size_t)(slash + 1 - path)) : "";
}

static bool begins_as_onnx(ck_job *job, const ck_source *source, bool *onnx)
{
	unsigned char head[16];
	size_t len = source->size < sizeof head ? (size_t)source->size : sizeof head;
	if (!ck_read_at(job, source, 0, head, len))
		return false;
	*onnx = ck_onnx_begins(head, len);
	return true;
}

static bool open_file(ck_files *files, const char *path)
{
	bool onnx = false;
	files->head = ck_source_open_member(files->job, path, &files->member);
	if (!files->head)
		return false;
	files->folder = folder_of(files->job, files->head->label);
	files->bytes = files->head->size;
	if (!files->folder || !begins_as_onnx(files->job, files->head, &onnx))
		return false;
	files->kind = onnx && !files->member ? CK_INPUT_ONNX
	              : !files->member && ck_hub_is_index(path) ? CK_INPUT_INDEX : CK_INPUT_FILE;
	files->open = files->kind == CK_INPUT_FILE;
	return true;
}

/* ---- files that belong to it ---- */

/* Room for one more, without a source yet. */
static bool add(ck_files *files, const char *name, size_t len, size_t *cap)
{
	ck_job *job = files->job;
	size_t sources = *cap;
	const char **names = ck_grow(job, files->names, cap, files->count + 1, sizeof *names);
	const ck_source **room =
		ck_grow(job, files->sources, &sources, files->count + 1, sizeof *room);
	if (!names || !room)
		return false;
	files->names = names;
	files->sources = room;
	names[files->count] = ck_copy(job, name, len);
	room[files->count] = NULL;
	return names[files->count++];
}

static bool add_bytes(ck_files *files, uint64_t size)
{
	return ck_add(files->bytes, size, &files->bytes) ||
	       ck_fail(files->job, CK_CORRUPT, files->head->label, "its files are too large");
}

/* A shard may be a symbolic link: that is how Hugging Face's cache keeps them. */
static bool open_shard(ck_files *files, size_t number)
{
	ck_job *job = files->job;
	const char *name = files->names[number];
	ck_text path = {0};
	struct stat st;
	if (!ck_text_add(job, &path, files->folder, strlen(files->folder)) ||
	    !ck_text_add(job, &path, name, strlen(name) + 1))
		return false;
	if (stat(path.data, &st) && errno == ENOENT)
		return ck_fail(job, CK_CORRUPT, files->head ? files->head->label : path.data,
		               "the model is not complete: its file '%s' is missing; get it and "
		               "put it beside the others", ck_show(name, strlen(name)).s);
	files->sources[number] = ck_source_open(job, path.data);
	return files->sources[number] && add_bytes(files, files->sources[number]->size);
}

/* Opens the folders down to the file one by one, and follows no symbolic link on the way. */
static int open_below(const char *folder, char *name)
{
	int dir = open(*folder ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (char *slash; dir >= 0 && (slash = strchr(name, '/')); name = slash + 1) {
		*slash = 0;
		int next = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		*slash = '/';
		close(dir);
		dir = next;
	}
	int fd = dir < 0 ? -1
	         : openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (dir >= 0)
		close(dir);
	return fd;
}

static bool open_beside(ck_files *files, size_t number)
{
	ck_job *job = files->job;
	const char *name = files->names[number];
	char *copy = ck_copy(job, name, strlen(name));
	int fd = copy ? open_below(files->folder, copy) : -1;
	if (!copy)
		return false;
	if (fd < 0 && errno == ENOENT)
		return ck_fail(job, CK_CORRUPT, files->head->label,
		               "the model is not complete: its file '%s' is missing; get it and "
		               "put it beside the model", ck_show(name, strlen(name)).s);
	if (fd < 0 && (errno == ELOOP || errno == ENOTDIR))
		return ck_fail(job, CK_REFUSED, files->head->label,
		               "the model keeps tensors in '%s', which is a symbolic link and may "
		               "lead anywhere; put the file itself there",
		               ck_show(name, strlen(name)).s);
	if (fd < 0)
		return ck_fail_sys(job, files->head->label, "cannot open its file '%s'",
		                   ck_show(name, strlen(name)).s);
	files->sources[number] = ck_source_of(job, name, fd);
	return files->sources[number] && add_bytes(files, files->sources[number]->size);
}

/* ---- what is left to be opened ---- */

enum { FILES_MAX = 10000 };

static bool fail_many(ck_job *job, const ck_files *files)
{
	return ck_fail(job, CK_LIMIT, files->head->label, "it names more than %d files", FILES_MAX);
}

/* Each place once: models of thousands of tensors mostly have one. */
static bool add_places(ck_job *job, const ck_files *files, const ck_onnx *model, ck_text *names)
{
	ck_map met = {0};
	bool fresh;
	for (size_t i = 0; i < model->count; i++) {
		const ck_onnx_tensor *t = &model->tensors[i];
		if (t->place != CK_ONNX_EXTERNAL)
			continue;
		size_t len = strlen(t->location);
		if (met.count > FILES_MAX)
			return fail_many(job, files);
		if (!ck_map_put(job, &met, t->location, len, &fresh) ||
		    (fresh && !ck_text_add(job, names, t->location, len + 1)))
			return false;
	}
	return true;
}

/* What is no sound model has no files: whoever reads all of it tells more of what it is. */
static bool ask_model(ck_job *job, const ck_files *files, ck_text *names)
{
	ck_job *own = ck_base_job_within(job);
	if (!own)
		return ck_fail_nomem(job);
	const ck_onnx *model = ck_onnx_read(own, files->head);
	bool ok = model ? add_places(job, files, model, names)
	                : own->error.status == CK_CORRUPT || ck_fail_as(job, &own->error);
	ck_base_job_free(own);
	return ok;
}

bool ck_files_ask(ck_job *job, const ck_files *files, ck_text *names)
{
	ck_limits_follow(job, files->bytes);
	if (files->kind == CK_INPUT_ONNX)
		return ask_model(job, files, names);
	const ck_index *index = ck_index_read(job, files->head);
	if (index && index->count > FILES_MAX)
		return fail_many(job, files);
	for (size_t i = 0; index && i < index->count; i++)
		if (!ck_text_add(job, names, index->files[i], strlen(index->files[i]) + 1))
			return false;
	return index;
}

/* Plain names for shards; below a model also names of files in folders. */
static bool check_name(const ck_files *files, const char *name)
{
	const bool deep = files->kind == CK_INPUT_ONNX;
	bool ok = *name && strlen(name) < 4096 && (deep || !strchr(name, '/'));
	for (const char *at = name; ok && at; at = strchr(at, '/')) {
		at += at != name;
		size_t len = strcspn(at, "/");
		/* hidden files hold keys and settings, and no weights */
		ok = len && (*at != '.' || ck_equals(at, len, "."));
	}
	return ok || ck_fail(files->job, CK_REFUSED, files->head->label,
	                     "it says that tensors are in '%s', which is no name of a file %s its "
	                     "folder; nothing else is opened", ck_show(name, strlen(name)).s,
	                     deep ? "below" : "in");
}

bool ck_files_answer(ck_files *files, const char *names, size_t len)
{
	size_t cap = 0;
	if (len && names[len - 1])
		return ck_fail(files->job, CK_CORRUPT, files->head->label,
		               "the names of its files cannot be read");
	for (size_t at = 0; at < len; at += strlen(names + at) + 1)
		if (!check_name(files, names + at) ||
		    !add(files, names + at, strlen(names + at), &cap))
			return false;
	if (files->count > FILES_MAX)
		return fail_many(files->job, files);
	for (size_t i = 0; i < files->count; i++)
		if (!(files->kind == CK_INPUT_ONNX ? open_beside : open_shard)(files, i))
			return false;
	files->open = true;
	ck_limits_follow(files->job, files->bytes);
	return true;
}

/* ---- all of them ---- */

static bool open_folder(ck_files *files, const char *path)
{
	ck_hub_model found;
	if (!ck_hub_find(files->job, path, &found))
		return false;
	if (!found.shard_count)
		return open_file(files, found.path);
	size_t cap = 0;
	files->kind = CK_INPUT_SHARDS;
	files->folder = folder_of(files->job, found.path);
	for (size_t i = 0; files->folder && i < found.shard_count; i++)
		if (!add(files, found.shards[i], strlen(found.shards[i]), &cap) ||
		    !open_shard(files, i))
			return false;
	files->head = files->sources[0];
	files->open = true;
	return files->folder;
}

static bool is_folder(const char *path)
{
	struct stat st;
	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

bool ck_files_are_many(const char *path)
{
	return is_folder(path) || ck_hub_is_index(path);
}

ck_files *ck_files_open(ck_job *job, const char *path)
{
	ck_files *files = ck_alloc(job, sizeof *files);
	if (!files)
		return NULL;
	files->job = job;
	bool folder = is_folder(path);
	bool ok = folder ? open_folder(files, path) : open_file(files, path);
	job->subject = path;
	files->stem = "model";
	if (ok && (folder || files->kind == CK_INPUT_INDEX))
		files->stem = ck_hub_stem(job, files->head->label);
	ok = ok && files->stem;
	if (ok && files->open)
		ck_limits_follow(job, files->bytes);
	return ok ? files : NULL;
}

bool ck_files_tell_strays(const ck_files *files, bool strict)
{
	unsigned long number, count;
	const char *first = NULL;
	const ck_source *head = files->head;
	if (files->kind == CK_INPUT_FILE && ck_hub_is_shard(head->label, &number, &count))
		ck_note(files->job, "by its name this is file %lu of %lu of a model; to read all "
		        "of it, name the folder or the index", number, count);
	if (files->kind == CK_INPUT_SHARDS && files->count > 1)
		ck_note(files->job, "there is no index: the %zu numbered files are taken for one "
		        "model", files->count);
	size_t strays = files->kind == CK_INPUT_INDEX && files->count
		? ck_hub_strays(files->job, files->folder, files->names[0], files->names,
		                files->count, &first) : 0;
	if (!strays)
		return true;
	if (strict)
		return ck_fail(files->job, CK_UNSUPPORTED, head->label, "the index does not name "
		               "%s of the folder: '%s' (--strict)",
		               ck_many(strays, "numbered file").s, ck_show(first, strlen(first)).s);
	ck_note(files->job, "%s of the folder %s not named in the index and not read: '%s'%s",
	        ck_many(strays, "numbered file").s, strays == 1 ? "is" : "are",
	        ck_show(first, strlen(first)).s, strays == 1 ? "" : " and so on");
	return true;
}

bool ck_files_hold(const ck_files *files, const char *path)
{
	struct stat st;
	if (stat(path, &st)) /* of thousands of outputs, mostly none is there */
		return false;
	bool is = ck_source_is_path(files->head, path);
	for (size_t i = 0; i < files->count; i++)
		is = is || ck_source_is_path(files->sources[i], path);
	return is;
}
