/* Makes the files that a conversion writes, and brings them to their names at the end. */
#include "outputs.h"

#include <errno.h>
#include <sys/stat.h>

#include "hub.h"

/* ---- what OUT means ---- */

static bool is_folder(const char *path)
{
	struct stat st;
	size_t len = strlen(path);
	return (len && path[len - 1] == '/') || (!stat(path, &st) && S_ISDIR(st.st_mode));
}

/* "OUT/", "llama-3.1-8B", but not "model.safetensor": behind the last dot there is no letter. */
static bool looks_like_folder(const char *path)
{
	const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
	return !dot || !((dot[1] | 0x20) >= 'a' && (dot[1] | 0x20) <= 'z');
}

/* FOLDER/model.safetensors */
static bool name_in_folder(ck_outputs *o)
{
	const char *stem = ck_reading_stem(o->from), *folder = o->folder;
	const char *suffix = o->writer->suffix ? o->writer->suffix : "";
	ck_text path = {0};
	size_t len = strlen(folder);
	bool ok = ck_text_add(o->job, &path, folder, len) &&
	          (folder[len - 1] == '/' || ck_text_add(o->job, &path, "/", 1)) &&
	          ck_text_add(o->job, &path, stem, strlen(stem)) &&
	          ck_text_add(o->job, &path, suffix, strlen(suffix) + 1);
	o->path = path.data;
	return ok;
}

/* The names of several files have the suffix of the format in any case. */
static bool name_with_suffix(ck_outputs *o)
{
	ck_text path = {0};
	if (ck_writer_of_suffix(o->path) == o->writer)
		return true;
	bool ok = ck_text_add(o->job, &path, o->path, strlen(o->path)) &&
	          ck_text_add(o->job, &path, o->writer->suffix, strlen(o->writer->suffix) + 1);
	o->path = path.data;
	return ok;
}

static bool fail_folder(const ck_outputs *o, const char *out)
{
	size_t len = strlen(out);
	const char *slash = out[len - 1] == '/' ? "" : "/";
	return ck_fail(o->job, CK_USAGE, out,
	               "the output of a single file needs the name of a file, no folder; name it "
	               "as in %s%smodel.safetensors", ck_show(out, len).s, slash);
}

bool ck_outputs_choose(ck_outputs *o, const char *out, bool from_folder)
{
	const ck_options *options = o->options;
	/* of a single file nobody knows what it should be called there */
	bool may_be = from_folder || options->max_shard_size;
	bool named_so = from_folder && looks_like_folder(out);
	o->in_folder = *out && may_be && (is_folder(out) || named_so);
	if (!o->in_folder && is_folder(out))
		return fail_folder(o, out);
	const char *format = options->format ? options->format
	                     : o->in_folder ? "safetensors" : NULL;
	o->writer = ck_writer_find(o->job, format, out);
	if (!o->writer)
		return false;
	if (options->external_data && !o->writer->takes_external)
		return ck_fail(o->job, CK_USAGE, "",
		               "--external-data is for --to onnx; %s has no data in a file of its "
		               "own", o->writer->name);
	if (options->max_shard_size && !o->writer->takes_shards)
		return ck_fail(o->job, CK_USAGE, "",
		               "--max-shard-size is for --to safetensors; %s has no index of "
		               "several files", o->writer->name);
	const ck_writer *by_name = ck_writer_of_suffix(out);
	if (by_name && !strstr(o->writer->name, by_name->name))
		ck_note(o->job, "the output is called as %s is, but gets %s (--to)", by_name->name,
		        o->writer->name);
	unsigned flags = (options->no_clobber ? CK_OUTPUT_NO_CLOBBER : 0) |
	                 (options->no_fsync ? CK_OUTPUT_NO_FSYNC : 0);
	o->output = ck_output_new(o->job, flags);
	o->path = out;
	o->folder = out;
	return o->output;
}

/* ---- making them ---- */

static ck_file *add(ck_outputs *o, const char *path, bool spare)
{
	if (ck_reading_is_path(o->from, path)) {
		ck_fail(o->job, CK_USAGE, path,
		        "this is the input itself; give the output another name");
		return NULL;
	}
	return spare ? ck_output_add_spare(o->job, o->output, path)
	             : ck_output_add(o->job, o->output, path);
}

/* Names that stand in an index or a model are UTF-8 there. */
static bool check_name(const ck_outputs *o)
{
	const char *slash = strrchr(o->path, '/'), *name = slash ? slash + 1 : o->path;
	return ck_utf8_valid(name, strlen(name)) ||
	       ck_fail(o->job, CK_USAGE, o->path, "the name is not UTF-8, and cannot be written "
	               "into the file that leads to the others; choose another");
}

static bool make_target(ck_outputs *o, ck_target *target, const char *path)
{
	const char *beside = NULL;
	if (o->writer->paths && !o->writer->paths(o->job, path, &path, &beside))
		return false;
	*target = (ck_target){.external = o->options->external_data, .align = o->options->align,
	                      .threads = o->options->threads};
	if (beside && !check_name(o))
		return false;
	target->file = add(o, path, false);
	/* what is unpacked on the way goes where there must be room for the output anyway */
	if (target->file)
		o->job->scratch_dir = target->file->folder;
	target->beside = target->file && beside ? add(o, beside, true) : NULL;
	return target->file && (target->beside || !beside);
}

static bool make_shards(ck_outputs *o, size_t count)
{
	if (!check_name(o))
		return false;
	const char *name = name_with_suffix(o) ? ck_hub_index_name(o->job, o->path) : NULL;
	for (size_t i = 0; name && i < count; i++) {
		const char *path = ck_hub_shard_name(o->job, o->path, i + 1, count);
		if (!path || !make_target(o, &o->targets[i], path))
			return false;
	}
	o->index = name ? add(o, name, false) : NULL;
	if (o->index)
		o->index->guide = true;
	return o->index;
}

bool ck_outputs_make(ck_outputs *o, size_t count)
{
	enum { MOST = 99999 }; /* the numbers in the names have five digits */
	if (!count || count > MOST)
		return ck_fail(o->job, CK_LIMIT, o->path, "it would need %zu files, and there can "
		               "be %d; choose a larger --max-shard-size", count, MOST);
	o->targets = ck_alloc_array(o->job, count, sizeof *o->targets);
	o->count = count;
	if (!o->targets ||
	    !(count > 1 ? make_shards(o, count) : make_target(o, o->targets, o->path)))
		return false;
	o->open = true;
	return true;
}

static bool in_shards(const ck_outputs *o)
{
	return o->options->max_shard_size ||
	       (o->in_folder && o->writer->takes_shards && ck_reading_shards(o->from) > 1);
}

bool ck_outputs_open(ck_outputs *o)
{
	const char *extras = o->options->extras;
	if (o->in_folder && (!name_in_folder(o) || !ck_output_folder(o->job, o->output, o->folder)))
		return false;
	if (!in_shards(o) && !ck_outputs_make(o, 1))
		return false;
	o->extras = extras ? add(o, extras, false) : NULL;
	return o->extras || !extras;
}

bool ck_outputs_plan(ck_job *job, const ck_outputs *o, ck_model *model, ck_shards *shards)
{
	return ck_shards_plan(job, model, o->options->max_shard_size, shards);
}

size_t ck_outputs_descriptors(const ck_outputs *o, int *to, size_t max)
{
	size_t count = 0;
	for (size_t i = 0; i < 2 * o->count; i++) {
		const ck_target *target = &o->targets[i / 2];
		const ck_file *file = i % 2 ? target->beside : target->file;
		if (file && count < max)
			to[count] = file->fd;
		count += file != NULL;
	}
	if (o->extras && count < max)
		to[count] = o->extras->fd;
	return count + (o->extras != NULL); /* the index is written at the end, and by no child */
}

/* ---- the end ---- */

static bool check_extras(const ck_outputs *o)
{
	const ck_source *source = o->extras ? ck_file_source(o->job, o->extras) : NULL;
	return source ? ck_json_check(o->job, source) : !o->extras;
}

static void tell_old(const ck_outputs *o, const char *path, const char *why)
{
	struct stat st;
	if (!lstat(path, &st) && !ck_reading_is_path(o->from, path))
		ck_note(o->job, "'%s' was there before and is no part of what was written, %s; "
		        "remove it if it is not needed", ck_show(path, strlen(path)).s, why);
}

/* Files of an older model that programs could take for parts of this one. */
static void tell_stale(const ck_outputs *o)
{
	const char *first = NULL, *index = ck_hub_index_name(o->job, o->path);
	const char **names = ck_alloc_array(o->job, o->count + 1, sizeof *names);
	if (!index || !names)
		return;
	if (o->index)
		tell_old(o, o->path, "and programs may read it in place of the shards");
	else if (o->in_folder || o->options->max_shard_size)
		tell_old(o, index, "and lists files of another model");
	for (size_t i = 0; i < o->count; i++)
		names[i] = o->targets[i].file->name;
	const char *like = ck_hub_shard_name(o->job, o->path, 1, 2);
	const char *slash = like ? strrchr(like, '/') : NULL;
	size_t strays = !like || !(o->index || o->in_folder) ? 0
		: ck_hub_strays(o->job, o->targets[0].file->folder, slash ? slash + 1 : like,
		                names, o->count, &first);
	if (strays)
		ck_note(o->job, "%s of an older model %s still there: '%s'%s",
		        ck_many(strays, "numbered file").s, strays == 1 ? "is" : "are",
		        ck_show(first, strlen(first)).s, strays == 1 ? "" : " and so on");
	for (size_t i = 0; i < o->count; i++)
		if (o->targets[i].beside && !o->targets[i].beside->placed)
			tell_old(o, o->targets[i].beside->path, "which has no data beside it");
}

bool ck_outputs_commit(ck_outputs *o)
{
	for (size_t i = 0; i < o->count; i++)
		if (!ck_save_check(o->job, o->writer, &o->targets[i]))
			return false;
	if ((o->index && !ck_shards_index(o->job, o->targets, o->count, o->index)) ||
	    !check_extras(o) || !ck_output_commit(o->job, o->output))
		return false;
	tell_stale(o);
	return true;
}
