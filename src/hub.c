/* Names of models in folders: which of them a folder holds, and what shards are called. */
#include "hub.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

/* Files that hold all of a model, as transformers, diffusers and peft look for them. */
static const char *const singles[] = {
	"model.safetensors", "pytorch_model.bin",
	"diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin",
	"adapter_model.safetensors", "adapter_model.bin",
};

/* Of formats that are read here: there are lists of shards of TensorFlow and Flax, too. */
static const char *const suffixes[] = {".safetensors", ".bin", ".pt", ".pth", ".ckpt"};

static bool ends(const char *name, size_t len, const char *suffix)
{
	size_t tail = strlen(suffix);
	return len > tail && !memcmp(name + len - tail, suffix, tail);
}

static bool has_suffix(const char *name, size_t len)
{
	for (size_t i = 0; i < CK_COUNT(suffixes); i++)
		if (ends(name, len, suffixes[i]))
			return true;
	return false;
}

bool ck_hub_is_index(const char *path)
{
	const char *name = strrchr(path, '/');
	name = name ? name + 1 : path;
	return ends(name, strlen(name), ".json") && strstr(name, ".index.");
}

/* ---- numbered names ---- */

/* STEM-00001-of-00003.SUFFIX */
typedef struct {
	const char *name;
	size_t stem;         /* its length */
	const char *suffix;
	unsigned long number, count;
} shard;

static bool read_number(const char **text, unsigned long *number)
{
	char *end;
	if (**text < '0' || **text > '9')
		return false;
	*number = strtoul(*text, &end, 10);
	*text = end;
	return true;
}

static bool read_shard(const char *name, shard *s)
{
	static const char of[] = "-of-";
	const char *mark = NULL, *at;
	for (const char *found = name; (found = strstr(found, of)); found++)
		mark = found; /* the last */
	at = mark;
	while (at && at > name && at[-1] >= '0' && at[-1] <= '9')
		at--;
	if (!mark || at == mark || at <= name + 1 || at[-1] != '-')
		return false;
	*s = (shard){.name = name, .stem = (size_t)(at - 1 - name)};
	const char *behind = mark + strlen(of);
	if (!read_number(&at, &s->number) || !read_number(&behind, &s->count))
		return false;
	s->suffix = behind;
	return at == mark && *behind == '.' && has_suffix(name, strlen(name));
}

static bool belong_together(const shard *a, const shard *b)
{
	return a->count == b->count && a->stem == b->stem && !memcmp(a->name, b->name, a->stem) &&
	       !strcmp(a->suffix, b->suffix);
}

/* By stem, suffix, and number. */
static int by_shard(const void *x, const void *y)
{
	const shard *a = x, *b = y;
	size_t len = a->stem < b->stem ? a->stem : b->stem;
	int order = memcmp(a->name, b->name, len);
	order = order ? order : (a->stem > b->stem) - (a->stem < b->stem);
	order = order ? order : strcmp(a->suffix, b->suffix);
	order = order ? order : (a->count > b->count) - (a->count < b->count);
	return order ? order : (a->number > b->number) - (a->number < b->number);
}

/* ---- the names in a folder ---- */

typedef struct {
	ck_job *job;
	const char *folder;      /* with a slash at the end */
	const char *model[2];    /* the first names that stand for a model of their own */
	size_t models;
	shard *shards;
	size_t shard_count, shard_cap;
} names;

static const char *name_of_index(const char *name)
{
	static const char tail[] = ".index.json";
	size_t len = strlen(name);
	return ends(name, len, tail) && has_suffix(name, len - strlen(tail)) ? name : NULL;
}

static bool is_single(const char *name)
{
	for (size_t i = 0; i < CK_COUNT(singles); i++)
		if (!strcmp(name, singles[i]))
			return true;
	return false;
}

static bool note_model(names *n, const char *name)
{
	size_t place = n->models++;
	if (place < CK_COUNT(n->model))
		n->model[place] = ck_copy(n->job, name, strlen(name));
	return place >= CK_COUNT(n->model) || n->model[place];
}

static bool note_name(names *n, const char *name)
{
	shard s;
	if (is_single(name) || name_of_index(name))
		return note_model(n, name);
	if (!read_shard(name, &s))
		return true;
	shard *grown = ck_grow(n->job, n->shards, &n->shard_cap, n->shard_count + 1,
	                       sizeof *grown);
	if (!grown)
		return false;
	n->shards = grown;
	s.name = ck_copy(n->job, name, strlen(name));
	s.suffix = s.name ? s.name + (s.suffix - name) : NULL;
	grown[n->shard_count++] = s;
	return s.name;
}

static bool read_names(names *n, const char *folder)
{
	DIR *dir = opendir(folder);
	if (!dir)
		return ck_fail_sys(n->job, folder, "cannot open the folder");
	bool ok = true;
	for (const struct dirent *entry; ok && (entry = readdir(dir));)
		ok = note_name(n, entry->d_name);
	closedir(dir);
	return ok;
}

/* ---- the choice ---- */

/* Shards that an index of the folder lists are no model of their own. */
static bool is_listed(const names *n, const shard *s)
{
	for (size_t i = 0; i < n->models && i < CK_COUNT(n->model); i++) {
		const char *name = n->model[i], *list = name_of_index(name);
		size_t tail = strlen(s->suffix);
		if (list && strlen(name) > s->stem && !memcmp(name, s->name, s->stem) &&
		    !strncmp(name + s->stem, s->suffix, tail) &&
		    !strcmp(name + s->stem + tail, ".index.json"))
			return true;
	}
	return false;
}

static bool fail_several(const names *n, const char *a, const char *b)
{
	return ck_fail(n->job, CK_USAGE, n->folder,
	               "the folder holds more than one model ('%s' and '%s'); name the one that "
	               "is meant", ck_show(a, strlen(a)).s, ck_show(b, strlen(b)).s);
}

static bool fail_missing(const names *n, const shard *s, unsigned long number)
{
	return ck_fail(n->job, CK_CORRUPT, n->folder,
	               "the model is not complete: of '%s' and its like, number %lu of %lu is "
	               "missing; get it and put it beside the others",
	               ck_show(s->name, strlen(s->name)).s, number, s->count);
}

static bool take_shards(const names *n, const shard *first, size_t count, ck_hub_model *model)
{
	model->shards = ck_alloc_array(n->job, count, sizeof *model->shards);
	for (size_t i = 0; model->shards && i < count; i++) {
		if (first[i].number != i + 1)
			return fail_missing(n, first, i + 1);
		model->shards[model->shard_count++] = first[i].name;
	}
	if (model->shards && first->count != count)
		return fail_missing(n, first, count + 1);
	return model->shards;
}

/* Of the shards that no index lists, those that are one model. */
static bool find_shards(names *n, ck_hub_model *model)
{
	size_t kept = 0, count = 1;
	for (size_t i = 0; i < n->shard_count; i++)
		if (!is_listed(n, &n->shards[i]))
			n->shards[kept++] = n->shards[i];
	if (!kept)
		return true;
	qsort(n->shards, kept, sizeof *n->shards, by_shard);
	while (count < kept && belong_together(&n->shards[0], &n->shards[count]))
		count++;
	if (count < kept)
		return fail_several(n, n->shards[0].name, n->shards[count].name);
	if (n->models)
		return fail_several(n, n->model[0], n->shards[0].name);
	return take_shards(n, n->shards, count, model);
}

bool ck_hub_find(ck_job *job, const char *folder, ck_hub_model *model)
{
	ck_text path = {0};
	size_t len = strlen(folder);
	names n = {.job = job};
	if (!ck_text_add(job, &path, folder, len) ||
	    (len && folder[len - 1] != '/' && !ck_text_add(job, &path, "/", 1)) ||
	    !ck_text_add(job, &path, "", 1))
		return false;
	n.folder = ck_copy(job, path.data, path.len);
	*model = (ck_hub_model){0};
	if (!n.folder || !read_names(&n, folder) || !find_shards(&n, model))
		return false;
	if (n.models > 1)
		return fail_several(&n, n.model[0], n.model[1]);
	const char *name = n.models ? n.model[0] : model->shard_count ? model->shards[0] : NULL;
	if (!name)
		return ck_fail(job, CK_USAGE, folder,
		               "the folder holds no model under a usual name (model.safetensors, "
		               "pytorch_model.bin, an index or numbered shards); name one of the "
		               "files in it, or scan the folder");
	path.len--;
	if (!ck_text_add(job, &path, name, strlen(name) + 1))
		return false;
	model->path = path.data;
	return true;
}

/* ---- names of shards ---- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

bool ck_hub_is_shard(const char *path, unsigned long *number, unsigned long *count)
{
	shard s;
	if (!read_shard(base_name(path), &s) || s.count < 2)
		return false;
	*number = s.number;
	*count = s.count;
	return true;
}

const char *ck_hub_stem(ck_job *job, const char *path)
{
	static const char plain[] = "pytorch_model";
	const char *name = base_name(path), *list = strstr(name, ".index.");
	size_t len = list ? (size_t)(list - name) : strlen(name);
	shard s;
	if (read_shard(name, &s))
		len = s.stem;
	for (size_t i = 0; i < CK_COUNT(suffixes); i++)
		len -= ends(name, len, suffixes[i]) ? strlen(suffixes[i]) : 0;
	return !len || ck_equals(name, len, plain) ? "model" : ck_copy(job, name, len);
}

static bool is_among(const char *name, const char *const *known, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(name, known[i]))
			return true;
	return false;
}

size_t ck_hub_strays(ck_job *job, const char *folder, const char *like, const char *const *known,
                     size_t count, const char **first)
{
	shard want, s;
	size_t found = 0;
	DIR *dir = read_shard(like, &want) ? opendir(*folder ? folder : ".") : NULL;
	if (!dir)
		return 0;
	for (const struct dirent *entry; (entry = readdir(dir));) {
		if (!read_shard(entry->d_name, &s) || s.stem != want.stem ||
		    memcmp(s.name, want.name, s.stem) != 0 || strcmp(s.suffix, want.suffix) != 0 ||
		    is_among(entry->d_name, known, count))
			continue;
		if (!found++)
			*first = ck_copy(job, entry->d_name, strlen(entry->d_name));
	}
	closedir(dir);
	return *first ? found : 0;
}

/* ---- names of outputs ---- */

const char *ck_hub_shard_name(ck_job *job, const char *path, size_t number, size_t count)
{
	ck_text text = {0};
	const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
	size_t stem = dot ? (size_t)(dot - path) : strlen(path);
	bool ok = ck_text_add(job, &text, path, stem) &&
	          ck_text_addf(job, &text, "-%05zu-of-%05zu", number, count) &&
	          ck_text_add(job, &text, path + stem, strlen(path + stem) + 1);
	return ok ? text.data : NULL;
}

const char *ck_hub_index_name(ck_job *job, const char *path)
{
	static const char tail[] = ".index.json";
	ck_text text = {0};
	bool ok = ck_text_add(job, &text, path, strlen(path)) &&
	          ck_text_add(job, &text, tail, sizeof tail);
	return ok ? text.data : NULL;
}
