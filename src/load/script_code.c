/* Reads from the code of a TorchScript archive which attributes of a class are parameters and
 * buffers. The code is Python that torch printed, one list a line:
 *
 *	class Linear(Module):
 *	  __parameters__ = ["weight", "bias", ]
 *	  __buffers__ = []
 *
 * It is read as lines of text and never as a program. */
#include "script.h"

#include <string.h>

enum {
	CODE_MAX = 64 << 20, /* bytes of one file of code; torch's have some thousand */
	KEYS_MAX = 256 << 20,
};

static const char OWN[] = "__torch__";

bool ck_script_is_own(const ck_global *global)
{
	size_t len = sizeof OWN - 1;
	return global->module_len >= len && !memcmp(global->module, OWN, len) &&
	       (global->module_len == len || global->module[len] == '.');
}

void ck_script_forget(ck_torch *torch)
{
	uint32_t kept = 0;
	ck_items *globals = &torch->seen.globals;
	for (size_t i = 0; i < globals->count; i++) {
		ck_value *global = globals->item[i];
		bool own = ck_script_is_own(global->global) &&
		           !(global->flags & (CK_COMPUTED | CK_CHANGED));
		if (!own)
			globals->item[kept++] = global;
	}
	globals->count = kept;
}

/* "module.NAME", and ".attribute" behind it. */
static bool print_key(ck_job *job, ck_text *to, const ck_global *global, const char *attribute,
                      size_t len)
{
	return ck_text_add(job, to, global->module, global->module_len) &&
	       ck_text_add(job, to, ".", 1) &&
	       ck_text_add(job, to, global->name, global->name_len) &&
	       (!attribute ||
	        (ck_text_add(job, to, ".", 1) && ck_text_add(job, to, attribute, len)));
}

/* The same, to be kept. */
static bool make_key(ck_script *script, ck_text *to, const ck_global *global,
                     const char *attribute, size_t len)
{
	script->key_bytes += global->module_len + global->name_len + len + 2;
	if (script->key_bytes > KEYS_MAX)
		return ck_fail(script->job, CK_LIMIT, script->folder->archive->source->label,
		               "the names of classes and attributes in the code take more than %d "
		               "bytes", KEYS_MAX);
	return print_key(script->job, to, global, attribute, len);
}

/* ---- lines ---- */

/* The file that is read, line by line. */
typedef struct {
	ck_script *script;
	ck_global global; /* module of the file, and the class whose lines these are */
	uint64_t *bits;   /* of the class, or NULL outside of one */
} reader;

static bool starts(const char *line, size_t len, const char *with)
{
	size_t n = strlen(with);
	return len >= n && !memcmp(line, with, n);
}

/* class NAME(Module): and others, which have neither parameters nor buffers */
static bool read_class(reader *r, const char *line, size_t len)
{
	bool fresh;
	ck_text key = {0};
	size_t at = sizeof "class " - 1, end = at;
	while (end < len && line[end] != '(' && line[end] != ':')
		end++;
	r->global.name = line + at;
	r->global.name_len = end - at;
	if (!make_key(r->script, &key, &r->global, NULL, 0))
		return false;
	r->bits = ck_map_put(r->script->job, &r->script->classes, key.data, key.len, &fresh);
	if (!r->bits)
		return false;
	*r->bits |= CK_SCRIPT_KNOWN;
	if (!starts(line + end, len - end, "(Module)"))
		*r->bits |= CK_SCRIPT_BUFFERS;
	return true;
}

/* ["weight", "bias", ] */
static bool read_names(reader *r, const char *text, size_t len)
{
	bool fresh;
	const char *end = text + len;
	for (;;) {
		const char *open = memchr(text, '"', (size_t)(end - text));
		const char *close = open ? memchr(open + 1, '"', (size_t)(end - open - 1)) : NULL;
		ck_text key = {0};
		if (!close)
			return true;
		if (!make_key(r->script, &key, &r->global, open + 1,
		              (size_t)(close - open - 1)) ||
		    !ck_map_put(r->script->job, &r->script->attributes, key.data, key.len, &fresh))
			return false;
		text = close + 1;
	}
}

static bool read_line(reader *r, const char *line, size_t len)
{
	static const char parameters[] = "  __parameters__ = [", buffers[] = "  __buffers__ = [";
	if (starts(line, len, "class "))
		return read_class(r, line, len);
	if (len && *line != ' ')
		r->bits = NULL;
	if (!r->bits)
		return true;
	if (starts(line, len, parameters))
		return read_names(r, line, len);
	if (!starts(line, len, buffers))
		return true;
	*r->bits |= CK_SCRIPT_BUFFERS;
	return read_names(r, line, len);
}

static bool read_lines(ck_script *script, const ck_global *global, const char *text, size_t len)
{
	reader r = {.script = script, .global = *global};
	const char *end = text + len;
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *stop = newline ? newline : end;
		if (!read_line(&r, text, (size_t)(stop - text)))
			return false;
		text = stop + 1;
	}
	return !ck_stopped(script->job);
}

/* ---- files ---- */

/* The classes of the module __torch__.a.b stand in code/__torch__/a/b.py. */
static ck_member *find_code(ck_script *script, const ck_global *global)
{
	ck_text path = {0};
	if (!ck_text_add(script->job, &path, global->module, global->module_len) ||
	    !ck_text_add(script->job, &path, ".py", 3))
		return NULL;
	for (size_t i = 0; i < global->module_len; i++)
		if (path.data[i] == '.')
			path.data[i] = '/';
	return ck_folder_find(script->job, script->folder, "code/", path.data, path.len);
}

static bool read_code(ck_script *script, const ck_global *global)
{
	ck_job *job = script->job;
	ck_member *member = find_code(script, global);
	if (!member || member->size > CODE_MAX)
		return job->error.status == CK_OK;
	size_t len = (size_t)member->size;
	const ck_source *source = ck_member_source(job, script->folder->archive, member);
	char *text = source ? ck_alloc(job, len + 1) : NULL;
	return text && ck_read_at(job, source, 0, text, len) &&
	       read_lines(script, global, text, len);
}

bool ck_script_class(ck_script *script, const ck_global *global, unsigned *bits)
{
	bool fresh;
	ck_text key = {0};
	if (!ck_map_put(script->job, &script->files, global->module, global->module_len, &fresh) ||
	    (fresh && !read_code(script, global)))
		return false;
	ck_mark mark = ck_arena_mark(script->job);
	if (!print_key(script->job, &key, global, NULL, 0))
		return false;
	const uint64_t *found = ck_map_find(script->job, &script->classes, key.data, key.len);
	*bits = found ? (unsigned)*found : 0;
	ck_arena_release(script->job, mark);
	return true;
}

bool ck_script_lists(ck_script *script, const ck_global *global, const char *name, size_t len)
{
	ck_text key = {0};
	ck_mark mark = ck_arena_mark(script->job);
	bool found = print_key(script->job, &key, global, name, len) &&
	             ck_map_find(script->job, &script->attributes, key.data, key.len);
	ck_arena_release(script->job, mark);
	return found;
}
