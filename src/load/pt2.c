/* The layouts of torch.export.save: programs whose weights and constants lie beside a description
 * that is not needed here. Until PyTorch 2.6 they are checkpoints of torch.save; since 2.7 each
 * tensor is a member of plain bytes (or a checkpoint), and a table in JSON says what it is. Rules:
 * torch/csrc/export/pt2_archive_constants.h and torch/_export/serde/schema.py. */
#include "folder.h"
#include "trace.h"

#include <string.h>

#include "view.h"

typedef struct {
	ck_loaded *loaded;
	ck_job *job;
	ck_folder folder;
	ck_map records;    /* member -> storage */
	ck_map pickled;    /* members that were read as checkpoints */
	bool big_endian;
	size_t constants;  /* tensors that are no part of the state dict */
} archive;

/* What a program has of each: the weights of its state dict, and its constants. */
typedef struct {
	const char *within, *tables[2];
} part;

static const part weights = {"data/weights/", {"_weights_config.json", "_model_param_config.json"}};
static const part constants = {"data/constants/",
                               {"_constants_config.json", "_model_constants_config.json"}};

/* ---- rows of the table ---- */

/* torch's scalar types by number, as its schema has them. */
static const ck_dtype dtypes[] = {
	[1] = CK_DT_U8, [2] = CK_DT_I8, [3] = CK_DT_I16, [4] = CK_DT_I32, [5] = CK_DT_I64,
	[6] = CK_DT_F16, [7] = CK_DT_F32, [8] = CK_DT_F64, [9] = CK_DT_C32, [10] = CK_DT_C64,
	[11] = CK_DT_C128, [12] = CK_DT_BOOL, [13] = CK_DT_BF16, [28] = CK_DT_U16,
	[29] = CK_DT_F8_E4M3, [30] = CK_DT_F8_E5M2, [31] = CK_DT_F8_E4M3FNUZ,
	[32] = CK_DT_F8_E5M2FNUZ,
};

enum { STRIDED = 7 }; /* torch's layout of ordinary tensors */

static bool read_dtype(const ck_json_node *node, ck_dtype *dtype)
{
	int64_t number;
	if (!ck_json_integer(node, &number) || number < 1 || number >= (int64_t)CK_COUNT(dtypes) ||
	    !dtypes[number]) /* a number that is not used; no row is the first dtype, U64 */
		return false;
	*dtype = dtypes[number];
	return true;
}

static bool fail_row(archive *a, const ck_json_node *row, const char *what)
{
	const char *name = ck_json_key(row);
	return ck_fail(a->job, CK_CORRUPT, a->folder.archive->source->label, "tensor '%s': %s",
	               ck_show(name, strlen(name)).s, what);
}

/* {"as_int": 5}; a size that is a symbol ({"as_expr": ...}) is none of a weight's. */
static bool read_count(const ck_json_node *node, uint64_t *count)
{
	int64_t value;
	if (!ck_json_integer(ck_json_get(node, "as_int"), &value) || value < 0)
		return false;
	*count = (uint64_t)value;
	return true;
}

static bool read_counts(archive *a, const ck_json_node *list, uint64_t **counts, size_t *n)
{
	*n = 0;
	*counts = ck_alloc_array(a->job, CK_DIMS_MAX, sizeof **counts);
	if (!*counts || !ck_json_is_array(list))
		return false;
	for (const ck_json_node *i = ck_json_first(list); i; i = ck_json_next(i))
		if (*n == CK_DIMS_MAX || !read_count(i, &(*counts)[(*n)++]))
			return false;
	return true;
}

static bool read_meta(archive *a, const ck_json_node *meta, ck_tensor *tensor)
{
	size_t strides;
	return read_counts(a, ck_json_get(meta, "sizes"), &tensor->shape, &tensor->ndim) &&
	       read_counts(a, ck_json_get(meta, "strides"), &tensor->stride, &strides) &&
	       strides == tensor->ndim &&
	       read_count(ck_json_get(meta, "storage_offset"), &tensor->start);
}

/* torch writes no bytes for a tensor that never had any (a fake one), and reads zeros: here it is a
 * tensor without data. */
static bool is_empty(const ck_tensor *tensor)
{
	for (size_t d = 0; d < tensor->ndim; d++)
		if (!tensor->shape[d])
			return false;
	return !tensor->storage->size;
}

static bool load_plain(archive *a, const ck_json_node *row, ck_member *member, const ck_path *at)
{
	int64_t layout = STRIDED;
	const ck_json_node *meta = ck_json_get(row, "tensor_meta");
	const ck_json_node *kind = ck_json_get(meta, "layout");
	ck_model *model = a->loaded->model;
	ck_tensor *tensor = ck_alloc(a->job, sizeof *tensor);
	if (!tensor)
		return false;
	if ((kind && !ck_json_integer(kind, &layout)) || !read_meta(a, meta, tensor))
		return fail_row(a, row, "its sizes, strides and offset must be counts, and as many "
		                "strides as sizes");
	if (layout != STRIDED)
		return ck_model_add_other(a->job, model, at, "sparse tensor", CK_OTHER_UNSUPPORTED);
	if (!read_dtype(ck_json_get(meta, "dtype"), &tensor->dtype))
		return ck_model_add_other(a->job, model, at, "tensor of an unknown type",
		                          CK_OTHER_UNSUPPORTED);
	tensor->storage = ck_folder_record(a->loaded, &a->folder, &a->records, member);
	if (!tensor->storage)
		return false;
	tensor->storage->big_endian = a->big_endian;
	if (is_empty(tensor))
		return ck_model_add_other(a->job, model, at, "tensor without bytes", CK_OTHER_META);
	return ck_tensor_check(a->job, tensor, ck_member_label(a->job, a->folder.archive, member),
	                       ck_path_show(at).s) &&
	       ck_load_tensor(a->loaded, at, tensor);
}

static bool load_inner(archive *a, ck_member *member, const ck_path *at)
{
	const ck_source *source = ck_member_source(a->job, a->folder.archive, member);
	return source && ck_load_at(a->loaded, source, at);
}

static bool load_row(archive *a, const part *of, const ck_json_node *row, const ck_path *at)
{
	bool fresh;
	const char *name = ck_json_key(row);
	const char *file = ck_json_string_of(ck_json_get(row, "path_name"));
	const ck_path *path = ck_path_new(a->job, at, name, strlen(name), true);
	if (!file || !path)
		return path && fail_row(a, row, "nothing says which member holds it");
	ck_member *member = ck_folder_find(a->job, &a->folder, of->within, file, strlen(file));
	if (!member)
		return fail_row(a, row, "its member is missing");
	if (!ck_json_is_object(ck_json_get(row, "tensor_meta")))
		return ck_model_add_other(a->job, a->loaded->model, path, "object", CK_OTHER_VALUE);
	if (!ck_json_is_true(ck_json_get(row, "use_pickle")))
		return load_plain(a, row, member, path);
	/* torch writes one for each; to read one over and over would take time without end */
	if (!ck_map_put(a->job, &a->pickled, member->name, member->name_len, &fresh))
		return false;
	return fresh ? load_inner(a, member, path)
	             : fail_row(a, row, "its member is that of another, too");
}

static bool load_table(archive *a, const part *of, ck_member *member, const ck_path *at)
{
	const ck_source *source = ck_member_source(a->job, a->folder.archive, member);
	const ck_json_node *root = source ? ck_json_read(a->job, source) : NULL;
	const ck_json_node *table = ck_json_get(root, "config");
	if (!root)
		return false;
	if (!ck_json_is_object(table))
		return ck_fail(a->job, CK_CORRUPT, source->label,
		               "there is no table of tensors ('config') in it");
	for (const ck_json_node *row = ck_json_first(table); row; row = ck_json_next(row))
		if (ck_stopped(a->job) || !load_row(a, of, row, at))
			return false;
	return true;
}

/* ---- programs ---- */

/* NAME + `ending` in the folder of a part. */
static ck_member *find_part(archive *a, const part *of, const char *name, size_t len,
                            const char *ending)
{
	ck_text file = {0};
	if (!ck_text_add(a->job, &file, name, len) ||
	    !ck_text_add(a->job, &file, ending, strlen(ending)))
		return NULL;
	return ck_folder_find(a->job, &a->folder, of->within, file.data, file.len);
}

static bool load_part(archive *a, const part *of, const char *name, size_t len, const ck_path *at)
{
	ck_member *whole = find_part(a, of, name, len, ".pt");
	ck_member *table = NULL;
	for (size_t i = 0; i < CK_COUNT(of->tables) && !table; i++)
		table = find_part(a, of, name, len, of->tables[i]);
	if (a->job->error.status != CK_OK)
		return false;
	if (whole)
		return load_inner(a, whole, at);
	if (table)
		return load_table(a, of, table, at);
	return ck_fail(a->job, CK_CORRUPT, a->folder.archive->source->label,
	               "program '%s' has neither '%s%s.pt' nor a table of tensors there",
	               ck_show(name, len).s, of->within, ck_show(name, len).s);
}

static bool load_program(archive *a, const char *name, size_t len, const ck_path *at)
{
	if (!load_part(a, &weights, name, len, at))
		return false;
	size_t before = a->loaded->model->count;
	if (!load_part(a, &constants, name, len, at))
		return false;
	a->constants += a->loaded->model->count - before;
	return true;
}

static void tell_constants(archive *a)
{
	if (a->constants)
		ck_note(a->job, "%zu constant%s of the program, which %s not in its state dict, %s "
		        "kept, too", a->constants, a->constants == 1 ? "" : "s",
		        a->constants == 1 ? "is" : "are", a->constants == 1 ? "is" : "are");
}

static bool finish(archive *a)
{
	tell_constants(a);
	return ck_archive_check_overlap(a->job, a->folder.archive);
}

/* ---- the layout since PyTorch 2.7 ---- */

/* models/NAME.json */
static bool is_program(const archive *a, const ck_member *member, const char **name, size_t *len)
{
	static const char within[] = "models/", ending[] = ".json";
	size_t head = a->folder.top_len + sizeof within - 1, tail = sizeof ending - 1;
	if (member->name_len <= head + tail ||
	    memcmp(member->name, a->folder.top, a->folder.top_len) != 0 ||
	    memcmp(member->name + a->folder.top_len, within, sizeof within - 1) != 0 ||
	    !ck_member_ends(member, ending))
		return false;
	*name = member->name + head;
	*len = member->name_len - head - tail;
	return true;
}

static bool load_programs(archive *a, const ck_path *at)
{
	const char *name;
	size_t len, count = 0;
	const ck_archive *in = a->folder.archive;
	for (size_t i = 0; i < in->count; i++)
		count += is_program(a, &in->members[i], &name, &len);
	if (!count)
		return ck_fail(a->job, CK_UNSUPPORTED, in->source->label,
		               "there is no program of torch.export in it (models/NAME.json); of "
		               "compiled ones ckconv does not read the weights");
	if (count > 1)
		ck_note(a->job, "there are %zu programs in it, so each name begins with the one "
		        "that its tensor is from", count);
	for (size_t i = 0; i < in->count; i++) {
		if (!is_program(a, &in->members[i], &name, &len))
			continue;
		const ck_path *path = count > 1 ? ck_path_new(a->job, at, name, len, true) : at;
		if (!path || !load_program(a, name, len, path))
			return false;
	}
	return finish(a);
}

/* ---- the layout until PyTorch 2.6 ---- */

static const char program[] = "serialized_exported_program.json";

static bool is_old(ck_job *job, ck_archive *in)
{
	ck_folder none = {.archive = in, .top = ""};
	return ck_folder_member(job, &none, program);
}

/* 2.1 called them .json, though they are none. */
static ck_member *find_old(archive *a, const char *pt, const char *json)
{
	ck_member *member = ck_folder_member(a->job, &a->folder, pt);
	return member ? member : ck_folder_member(a->job, &a->folder, json);
}

static bool load_old(archive *a, const ck_path *at)
{
	a->folder.top = "";
	a->folder.top_len = 0;
	ck_member *state = find_old(a, "serialized_state_dict.pt", "serialized_state_dict.json");
	ck_member *more = find_old(a, "serialized_constants.pt", "serialized_constants.json");
	if (!state)
		return ck_fail(a->job, CK_CORRUPT, a->folder.archive->source->label,
		               "the exported program has no 'serialized_state_dict.pt'");
	if (!load_inner(a, state, at))
		return false;
	size_t before = a->loaded->model->count;
	if (more && more->size && !load_inner(a, more, at))
		return false;
	a->constants = a->loaded->model->count - before;
	return finish(a);
}

/* ---- both ---- */

static bool probe(ck_job *job, const ck_input *in)
{
	ck_folder folder = {.archive = in->archive};
	return in->archive && (ck_folder_of(in->archive, "archive_format", &folder) ||
	                       is_old(job, in->archive));
}

static bool load(ck_loaded *loaded, const ck_input *in, const ck_path *at)
{
	archive a = {.loaded = loaded, .job = loaded->job,
	             .folder = {.archive = in->archive}};
	if (is_old(a.job, in->archive))
		return load_old(&a, at);
	ck_folder_of(in->archive, "archive_format", &a.folder);
	return ck_folder_byteorder(a.job, &a.folder, &a.big_endian) &&
	       ck_trace_folder(loaded, &a.folder) && load_programs(&a, at);
}

const ck_layout ck_layout_pt2 = {
	"PyTorch 2 export", "torch.export.save", false, probe, load,
};
