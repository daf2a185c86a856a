/* The ONNX writers: a model without nodes whose graph holds each tensor as an initializer and as an
 * output, the one shape that onnx and onnxruntime both load. The bytes of the tensors lie in the
 * model itself, or in a file beside it: one of their own, or a safetensors file. */
#include "save.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "onnx.h"

enum { PAGE = 4096 }; /* tensors in a file of their own begin at multiples of it */

static const uint64_t PROTOBUF_MAX = INT32_MAX;

/* ---- what the format cannot hold ---- */

static const char *lacks(ck_dtype dtype, const char *name, size_t len)
{
	if (!ck_dtype_table[dtype].onnx)
		return ck_dtype_table[dtype].torch;
	if (!len)
		return "an empty name";
	if (memchr(name, 0, len)) /* readers take it for the end */
		return "a name with a NUL character";
	return ck_utf8_valid(name, len) ? NULL : "a name that is not valid UTF-8";
}

static const char *both_lack(ck_dtype dtype, const char *name, size_t len)
{
	const char *what = lacks(dtype, name, len);
	return what ? what : ck_writer_safetensors.lacks(dtype, name, len);
}

/* ---- layout ---- */

/* All of the model but the bytes of tensors, in pieces: one before each tensor, and one behind the
 * last. */
typedef struct {
	size_t at, len;  /* in the text */
	uint64_t to;     /* in the file */
} piece;

typedef struct {
	ck_job *job;
	ck_model *model;
	ck_onnx_spot *spots; /* of each tensor */
	ck_text text;
	piece *pieces;
	uint64_t size;       /* of the file */
} layout;

static bool add_bytes(const layout *l, uint64_t a, uint64_t b, uint64_t *sum)
{
	return ck_add(a, b, sum) ||
	       ck_fail(l->job, CK_CORRUPT, l->model->source->label,
	               "the tensors claim more bytes than fit 64 bits");
}

/* An initializer without its head, but with its bytes. */
static bool measure_tensor(layout *l, size_t i, uint64_t *size)
{
	const ck_entry *entry = &l->model->entries[i];
	ck_onnx_sink sink = {.job = l->job};
	bool inside = !l->spots[i].location;
	uint64_t bytes = inside ? entry->tensor->bytes : 0;
	return ck_onnx_put_tensor(&sink, entry, &l->spots[i]) &&
	       (!inside || ck_onnx_put_head(&sink, CK_ONNX_TENSOR_RAW_DATA, bytes)) &&
	       add_bytes(l, sink.size, bytes, size);
}

static bool put_outputs(layout *l, ck_onnx_sink *sink)
{
	for (size_t i = 0; i < l->model->count; i++) {
		const ck_entry *entry = &l->model->entries[i];
		ck_onnx_sink one = {.job = l->job};
		if (!ck_onnx_is_output(entry->tensor))
			continue;
		if (!ck_onnx_put_output(&one, entry) ||
		    !ck_onnx_put_head(sink, CK_ONNX_GRAPH_OUTPUT, one.size) ||
		    !ck_onnx_put_output(sink, entry))
			return false;
	}
	return true;
}

static bool measure_graph(layout *l, uint64_t *size)
{
	ck_onnx_sink sink = {.job = l->job};
	uint64_t bytes;
	if (!ck_onnx_put_graph(&sink) || !put_outputs(l, &sink))
		return false;
	*size = sink.size;
	for (size_t i = 0; i < l->model->count; i++) {
		ck_onnx_sink head = {.job = l->job};
		if (!measure_tensor(l, i, &bytes) ||
		    !ck_onnx_put_head(&head, CK_ONNX_GRAPH_INITIALIZER, bytes) ||
		    !add_bytes(l, *size, head.size, size) || !add_bytes(l, *size, bytes, size))
			return false;
	}
	return true;
}

/* The piece that ends here: the next one begins behind `bytes` bytes of a tensor. */
static void end_piece(layout *l, size_t number, uint64_t bytes)
{
	piece *this = &l->pieces[number];
	this->len = l->text.len - this->at;
	this[1] = (piece){.at = l->text.len, .to = this->to + this->len + bytes};
}

static bool put_tensors(layout *l, ck_onnx_sink *sink)
{
	uint64_t size;
	for (size_t i = 0; i < l->model->count; i++) {
		const ck_entry *entry = &l->model->entries[i];
		bool inside = !l->spots[i].location;
		uint64_t bytes = inside ? entry->tensor->bytes : 0;
		if (!measure_tensor(l, i, &size) ||
		    !ck_onnx_put_head(sink, CK_ONNX_GRAPH_INITIALIZER, size) ||
		    !ck_onnx_put_tensor(sink, entry, &l->spots[i]) ||
		    (inside && !ck_onnx_put_head(sink, CK_ONNX_TENSOR_RAW_DATA, bytes)))
			return false;
		end_piece(l, i, bytes);
	}
	return true;
}

/* Where everything goes. */
static bool lay_out(layout *l)
{
	ck_onnx_sink sink = {.job = l->job, .to = &l->text};
	uint64_t graph;
	l->pieces = ck_alloc_array(l->job, l->model->count + 2, sizeof *l->pieces);
	if (!l->pieces || !measure_graph(l, &graph) || !ck_onnx_put_begin(&sink, l->model) ||
	    !ck_onnx_put_head(&sink, CK_ONNX_MODEL_GRAPH, graph) || !ck_onnx_put_graph(&sink) ||
	    !put_tensors(l, &sink) || !put_outputs(l, &sink) ||
	    !ck_onnx_put_end(&sink, l->model))
		return false;
	end_piece(l, l->model->count, 0);
	l->size = l->pieces[l->model->count + 1].to;
	return true;
}

static bool check_size(const layout *l)
{
	return l->size <= PROTOBUF_MAX ||
	       ck_fail(l->job, CK_UNSUPPORTED, l->model->source->label,
	               "without the tensors the ONNX file would still need %" PRIu64 " bytes, but "
	               "protobuf allows %" PRIu64, l->size, PROTOBUF_MAX);
}

/* ---- the bytes of tensors beside the model ---- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/* Readers take a length of 0 for no length at all: what has no bytes stays in the model. */
static void set_spot(layout *l, size_t i, const char *location, uint64_t offset)
{
	if (l->model->entries[i].tensor->bytes)
		l->spots[i] = (ck_onnx_spot){location, offset};
}

/* Plans the way of all tensors to a file of their own; *size is how long it gets. */
static bool plan_data(layout *l, ck_copy_plan *plan, size_t *inputs, const char *location,
                      uint64_t *size)
{
	*size = 0;
	for (size_t i = 0; i < l->model->count; i++) {
		const ck_tensor *tensor = l->model->entries[i].tensor;
		uint64_t to = *size;
		if (!add_bytes(l, to, -to % PAGE, &to) || !add_bytes(l, to, tensor->bytes, size))
			return false;
		set_spot(l, i, location, to);
		if (!ck_plan_tensor(l->job, plan, inputs, tensor, to))
			return false;
	}
	return true;
}

static bool write_model(layout *l, const ck_target *to)
{
	if (!lay_out(l) || !check_size(l))
		return false;
	if (to->planned) {
		*to->planned += l->text.len;
		return true;
	}
	return ck_file_write(l->job, to->file, 0, l->text.data, l->text.len);
}

static bool write_beside(layout *l, const ck_target *to, size_t *inputs)
{
	ck_copy_plan plan = {0};
	uint64_t size;
	if (!ck_copy_reserve(l->job, &plan, l->model->storages, l->model->count) ||
	    !plan_data(l, &plan, inputs, base_name(to->beside->path), &size) ||
	    !write_model(l, to))
		return false;
	if (to->planned) {
		*to->planned += size;
		return true;
	}
	return ck_file_resize(l->job, to->beside, size) &&
	       ck_plan_run(l->job, &plan, to->beside, to->threads);
}

/* ---- and in it ---- */

/* The pieces are one more input of the copy engine, which lies in memory. */
static bool plan_pieces(layout *l, ck_copy_plan *plan)
{
	const ck_source *source = ck_source_memory(l->job, "the ONNX messages", l->text.data,
	                                           l->text.len);
	size_t input = !source ? SIZE_MAX : ck_copy_add_input(l->job, plan, &(ck_copy_input){
		.source = source, .label = source->label, .size = l->text.len, .has_crc = true,
		.crc = ck_crc32(0, l->text.data, l->text.len)});
	if (input == SIZE_MAX)
		return false;
	for (size_t i = 0; i <= l->model->count; i++) {
		const piece *p = &l->pieces[i];
		if (!ck_copy_add_move(l->job, plan, &(ck_copy_move){
		                                        input, p->at, p->len, p->to, NULL}))
			return false;
	}
	return true;
}

static bool write_inside(layout *l, const ck_target *to, size_t *inputs)
{
	ck_copy_plan plan = {0};
	if (!ck_copy_reserve(l->job, &plan, l->model->storages + 1, 2 * l->model->count + 1) ||
	    !plan_pieces(l, &plan))
		return false;
	for (size_t i = 0; i < l->model->count; i++)
		if (!ck_plan_tensor(l->job, &plan, inputs, l->model->entries[i].tensor,
		                    l->pieces[i].to + l->pieces[i].len))
			return false;
	if (to->planned) {
		*to->planned += l->size;
		return true;
	}
	return ck_file_resize(l->job, to->file, l->size) &&
	       ck_plan_run(l->job, &plan, to->file, to->threads);
}

static bool begin(ck_job *job, ck_model *model, layout *l)
{
	*l = (layout){.job = job, .model = model,
	              .spots = ck_alloc_array(job, model->count, sizeof *l->spots)};
	return l->spots && ck_model_settle_metadata(job, model);
}

static bool write_onnx(ck_job *job, ck_model *model, const ck_target *to)
{
	layout l;
	size_t *inputs = ck_alloc_array(job, model->storages + 1, sizeof *inputs);
	if (!inputs || !begin(job, model, &l))
		return false;
	if (to->external)
		return write_beside(&l, to, inputs);
	if (!lay_out(&l))
		return false;
	if (l.size <= PROTOBUF_MAX)
		return write_inside(&l, to, inputs);
	ck_note(job, "it takes %" PRIu64 " bytes, and protobuf allows %" PRIu64 ": the tensors "
	        "go to %s", l.size, PROTOBUF_MAX,
	        ck_show(to->beside->path, strlen(to->beside->path)).s);
	l.text = (ck_text){0};
	return write_beside(&l, to, inputs);
}

static bool write_both(ck_job *job, ck_model *model, const ck_target *to)
{
	layout l;
	uint64_t at;
	const ck_target safetensors = {.file = to->beside, .planned = to->planned,
	                               .align = to->align, .threads = to->threads};
	if (!ck_safetensors_write(job, model, &safetensors, &at) || !begin(job, model, &l))
		return false;
	for (size_t i = 0; i < model->count; i++) {
		set_spot(&l, i, base_name(to->beside->path), at);
		at += model->entries[i].tensor->bytes;
	}
	return write_model(&l, to);
}

/* ---- reading it again ---- */

static bool fail_check(ck_job *job, const ck_source *model, const ck_onnx_tensor *tensor,
                       const char *what)
{
	return ck_fail_at(job, CK_CORRUPT, model->label, tensor->message, "initializer '%s': %s",
	                  ck_show(tensor->name, tensor->name_len).s, what);
}

static bool check_tensor(ck_job *job, const ck_source *model, const ck_onnx_tensor *tensor,
                         const ck_target *to, uint64_t beside)
{
	if (tensor->place == CK_ONNX_RAW)
		return true;
	if (tensor->place != CK_ONNX_EXTERNAL || !to->beside)
		return fail_check(job, model, tensor, "its data is not where we put any");
	if (strcmp(tensor->location, base_name(to->beside->path)) != 0)
		return fail_check(job, model, tensor, "its data is in a file of another name");
	return (tensor->at <= beside && tensor->bytes <= beside - tensor->at) ||
	       fail_check(job, model, tensor, "its data reaches beyond its file");
}

/* Every initializer that onnxruntime can take as one is the next output. */
static bool check_outputs(ck_job *job, const ck_source *model, const ck_onnx *onnx)
{
	size_t next = 0;
	for (size_t i = 0; i < onnx->count; i++) {
		const ck_onnx_tensor *tensor = &onnx->tensors[i];
		if (tensor->type == ck_dtype_table[CK_DT_C64].onnx ||
		    tensor->type == ck_dtype_table[CK_DT_C128].onnx)
			continue;
		const ck_onnx_output *output = &onnx->outputs[next++];
		if (next > onnx->output_count || output->type != tensor->type ||
		    output->name_len != tensor->name_len ||
		    memcmp(output->name, tensor->name, tensor->name_len) != 0)
			return fail_check(job, model, tensor, "it is not the next output");
	}
	return next == onnx->output_count ||
	       ck_fail(job, CK_CORRUPT, model->label, "there is an output that is no initializer");
}

static bool check_onnx(ck_job *job, const ck_target *to)
{
	const ck_source *model = ck_file_source(job, to->file);
	const ck_source *data = to->beside ? ck_file_source(job, to->beside) : NULL;
	const ck_onnx *onnx = model ? ck_onnx_read(job, model) : NULL;
	if (!onnx || (to->beside && !data))
		return false;
	if (onnx->nodes || !onnx->ir_version)
		return ck_fail(job, CK_CORRUPT, model->label, "it is not a model of weights alone");
	for (size_t i = 0; i < onnx->count; i++)
		if (!check_tensor(job, model, &onnx->tensors[i], to, data ? data->size : 0))
			return false;
	return check_outputs(job, model, onnx);
}

static bool check_both(ck_job *job, const ck_target *to)
{
	const ck_source *data = ck_file_source(job, to->beside);
	return data && ck_safetensors_read(job, data) && check_onnx(job, to);
}

/* ---- names ---- */

static bool add_suffix(ck_job *job, const char *stem, size_t len, const char *suffix,
                       const char **path)
{
	ck_text text = {0};
	if (!ck_text_add(job, &text, stem, len) ||
	    !ck_text_add(job, &text, suffix, strlen(suffix) + 1))
		return false;
	*path = text.data;
	return true;
}

static bool name_data(ck_job *job, const char *out, const char **file, const char **beside)
{
	*file = out;
	return add_suffix(job, out, strlen(out), ".data", beside);
}

/* OUT, OUT.onnx and OUT.safetensors all stand for the two. */
static bool name_both(ck_job *job, const char *out, const char **file, const char **beside)
{
	static const char *const suffixes[] = {".onnx", ".safetensors"};
	size_t len = strlen(out);
	for (size_t i = 0; i < CK_COUNT(suffixes); i++) {
		size_t tail = strlen(suffixes[i]);
		if (len > tail && !strcasecmp(out + len - tail, suffixes[i])) {
			len -= tail;
			break;
		}
	}
	return add_suffix(job, out, len, suffixes[0], file) &&
	       add_suffix(job, out, len, suffixes[1], beside);
}

const ck_writer ck_writer_onnx = {
	.name = "onnx", .suffix = ".onnx", .about = "initializers of an ONNX model",
	.paths = name_data, .takes_external = true, .lacks = lacks, .write = write_onnx,
	.check = check_onnx, .read = ck_read_back_onnx,
};

const ck_writer ck_writer_onnx_safetensors = {
	.name = "onnx+safetensors", .about = "an ONNX model whose data is a safetensors file",
	.paths = name_both, .takes_align = true, .lacks = both_lack, .write = write_both,
	.check = check_both, .read = ck_read_back_both,
};
