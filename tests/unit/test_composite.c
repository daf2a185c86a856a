/* Tensors that consist of several, that stand for others, or that cannot be written: what they are
 * called, what is computed of them, and what is said of them. The pickles are protocol 0. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edit.h"
#include "load.h"
#include "unit.h"

#define STORAGE(type, key, count) \
	"((S'storage'\nctorch\n" type "Storage\nS'" key "'\nS'cpu'\nI" count "\ntQ"
#define VIEW(type, count, offset, size, stride) \
	"ctorch._utils\n_rebuild_tensor_v2\n" STORAGE(type, "0", count) \
	"I" offset "\n(" size "t(" stride "tI00\n(dtR"
/* Four elements. */
#define VECTOR(type) VIEW(type, "4", "0", "I4\n", "I1\n")
#define TENSOR VECTOR("Float")
#define STOP "."

static ck_job *job;
static ck_loaded *loaded;
static ck_wishes wishes;
static unsigned char data[64];
static char notes[4000];

static void on_note(void *arg, const char *text)
{
	(void)arg;
	strcat(notes, text);
	strcat(notes, "\n");
}

static void begin(void)
{
	job = ck_base_job_new();
	job->note = on_note;
	wishes = (ck_wishes){0};
	memset(data, 0, sizeof data);
	*notes = 0;
}

static void end(void)
{
	ck_base_job_free(job);
}

static bool find(ck_torch *t, ck_storage *storage)
{
	if (storage->size > sizeof data)
		return ck_fail(t->job, CK_CORRUPT, "test", "too large");
	storage->source = ck_source_memory(t->job, "storage", data, sizeof data);
	storage->label = "storage";
	storage->held = sizeof data;
	return true;
}

static ck_model *load(const char *pickle)
{
	uint64_t at = 0;
	const ck_source *source = ck_source_memory(job, "test", pickle, strlen(pickle));
	ck_model *model = ck_alloc(job, sizeof *model);
	*model = (ck_model){.source = source, .top = ck_path_new(job, NULL, "", 0, false)};
	loaded = ck_alloc(job, sizeof *loaded);
	*loaded = (ck_loaded){.job = job, .model = model, .wishes = wishes};
	ck_torch *torch = ck_torch_new(loaded, source);
	torch->find = find;
	torch->root = ck_pickle_read(job, source, &at, &torch->seen);
	return torch->root && ck_walk(torch, model->top) ? model : NULL;
}

static const char *lacks(ck_dtype dtype, const char *name, size_t len)
{
	if (len == 6 && !memcmp(name, "secret", 6))
		return "a secret";
	return dtype == CK_DT_C128 || dtype == CK_DT_QINT8 ? ck_dtype_table[dtype].torch : NULL;
}

/* The names that tensors get below `root`, with blanks between them, then the metadata. */
static const char *names_below(const char *pickle, const char *root)
{
	static char all[4000];
	ck_model *model = load(pickle);
	*all = 0;
	ck_assert_msg(model && ck_edit_set_aside(job, model, root, lacks) &&
	              ck_edit_unsupported(job, model, root, false, false) &&
	              ck_edit_root(job, model, root, NULL, false, false), "%s", job->error.text);
	for (size_t i = 0; i < model->count; i++)
		sprintf(all + strlen(all), "%s%s", i ? " " : "", model->entries[i].name);
	for (size_t i = 0; i < model->metadata_count; i++)
		sprintf(all + strlen(all), " %s=%s", model->metadata[i].key,
		        model->metadata[i].value);
	return all;
}

static const char *names(const char *pickle)
{
	return names_below(pickle, ".");
}

/* All bytes of a storage that is computed. */
typedef struct {
	unsigned char bytes[256];
	size_t fill;
} computed;

static bool keep(ck_job *j, void *arg, const void *bytes, size_t len)
{
	computed *c = arg;
	(void)j;
	ck_assert_uint_le(c->fill + len, sizeof c->bytes);
	memcpy(c->bytes + c->fill, bytes, len);
	c->fill += len;
	return true;
}

static computed run_first(const ck_model *model)
{
	computed c = {.fill = 0};
	const ck_stream *stream = model->entries[0].tensor->storage->stream;
	ck_assert_ptr_nonnull(stream);
	ck_assert(stream->run(job, stream, &(ck_sink){keep, &c}));
	ck_assert_uint_eq(c.fill, stream->size);
	return c;
}

static void must_fail(const char *pickle, ck_status status, const char *part)
{
	ck_job *before = job;
	job = ck_base_job_new();
	ck_assert_msg(!load(pickle), "loads: %s", part);
	ck_assert_failed(job, status, part);
	ck_base_job_free(job);
	job = before;
}

/* ---- quantized ---- */

#define QUANTIZED(parameters) \
	"ctorch._utils\n_rebuild_qtensor\n" STORAGE("QInt8", "0", "4") \
	"I0\n(I4\nt(I1\nt" parameters "I00\n(dtR"
#define ONE_SCALE "(ctorch\nper_tensor_affine\nF0.5\nI1\nt"

START_TEST(a_quantized_tensor_is_written_as_integers_and_their_meaning)
{
	ck_assert_str_eq(names("(dS'q'\n" QUANTIZED(ONE_SCALE) "s" STOP),
	                 "q q.scale q.zero_point q.qscheme=per_tensor_affine");
	ck_assert_str_eq(names(QUANTIZED(ONE_SCALE) STOP),
	                 "tensor tensor.scale tensor.zero_point tensor.qscheme=per_tensor_affine");
	ck_assert_str_eq(names_below("(dS'q'\n" QUANTIZED(ONE_SCALE) "s" STOP, "q"),
	                 "tensor tensor.scale tensor.zero_point tensor.qscheme=per_tensor_affine");
	ck_assert_str_eq(names("(dS'w'\nctorch._utils\n_rebuild_parameter\n(" QUANTIZED(ONE_SCALE)
	                       "I00\n(dtRs" STOP),
	                 "w w.scale w.zero_point w.qscheme=per_tensor_affine");
}
END_TEST

START_TEST(scales_may_be_lists)
{
	float wanted[] = {-1.5f, 0, 3, 0.125f};
	computed c;
	data[0] = 2, data[1] = 0, data[2] = 5, data[3] = 0xFF;
#define LISTS \
	QUANTIZED("(ctorch\nper_channel_affine\n(lF1.5\naF7.0\naF1.0\naF-0.125\na" \
	          "(lI3\naI0\naI2\naI0\naI0\nt")
	ck_assert_str_eq(names("(dS'q'\n" LISTS "s" STOP),
	                 "q q.scales q.zero_points q.qscheme=per_channel_affine q.axis=0");
	wishes.dequantize = true;
	c = run_first(load("(dS'q'\n" LISTS "s" STOP));
	ck_assert_mem_eq(c.bytes, wanted, sizeof wanted);
}
END_TEST

START_TEST(the_difference_to_a_zero_point_wraps_as_in_torch)
{
	/* -128 - 2147483647 is beyond an int32 */
	float wanted[] = {2147483648.0f - 127, -2147483648.0f + 1, -2147483648.0f + 2,
	                  2147483648.0f - 1};
	data[0] = 0x80, data[1] = 0, data[2] = 1, data[3] = 0xFE;
	wishes.dequantize = true;
	computed c = run_first(load("(dS'q'\n" QUANTIZED(
		"(ctorch\nper_tensor_affine\nF1.0\nI2147483647\nt") "s" STOP));
	ck_assert_mem_eq(c.bytes, wanted, sizeof wanted);
}
END_TEST

START_TEST(a_scale_may_be_an_integer)
{
	float wanted[] = {2.0f, -2.0f, 0, 250.0f};
	data[0] = 2, data[1] = 0, data[2] = 1, data[3] = 126;
	wishes.dequantize = true;
	computed c = run_first(
		load("(dS'q'\n" QUANTIZED("(ctorch\nper_tensor_affine\nI2\nI1\nt") "s" STOP));
	ck_assert_mem_eq(c.bytes, wanted, sizeof wanted);
}
END_TEST

static const char *refusal(const char *pickle)
{
	ck_model *model = load(pickle);
	ck_assert_msg(model, "%s", job->error.text);
	ck_assert(ck_edit_set_aside(job, model, ".", lacks));
	ck_assert(!ck_edit_unsupported(job, model, ".", false, false));
	ck_assert_int_eq(job->error.status, CK_UNSUPPORTED);
	return job->error.text;
}

#define HALVES(offset, stride) \
	"ctorch._utils\n_rebuild_qtensor\n" STORAGE("QUInt4x2", "0", "4") \
	"I" offset "\n(I3\nt(I" stride "\nt" ONE_SCALE "I00\n(dtR"

START_TEST(views_of_several_elements_to_a_byte_are_refused_by_name)
{
	ck_assert_str_eq(
		names("(dS'q'\n" HALVES("0", "1") "s" STOP),
		"q q.scale q.zero_point q.dtype=quint4x2 q.shape=[3] q.qscheme=per_tensor_affine");
	ck_assert_ptr_nonnull(
		strstr(refusal("(dS'a'\n" HALVES("1", "1") "sS'b'\n" HALVES("0", "2") "s" STOP),
	               "2 tensors cannot be written: 'a' (view of a quantized tensor with several "
	               "elements to a byte), 'b'"));
}
END_TEST

START_TEST(an_axis_beyond_the_dimensions_is_refused_by_name)
{
	ck_assert_ptr_nonnull(
		strstr(refusal("(dS'q'\n" QUANTIZED(
			       "(ctorch\nper_channel_affine\n(lF1.5\na(lI3\naI1\nt") "s" STOP),
	               "'q' (tensor quantized by channel along an axis that it lacks)"));
}
END_TEST

/* ---- complex ---- */

START_TEST(a_complex_tensor_is_split_into_two_views)
{
	wishes.split_complex = true;
	ck_model *model =
		load("(dS'c'\n" VIEW("ComplexDouble", "4", "1", "I2\nI1\n", "I2\nI9\n") "s" STOP);
	ck_assert_ptr_nonnull(model);
	ck_assert_uint_eq(model->count, 2);
	const ck_tensor *real = model->entries[0].tensor, *imag = model->entries[1].tensor;
	ck_assert_str_eq(model->entries[0].path->key, "real");
	ck_assert_str_eq(model->entries[1].path->key, "imag");
	ck_assert_int_eq(real->dtype, CK_DT_F64);
	ck_assert_uint_eq(real->start, 2);
	ck_assert_uint_eq(imag->start, 3);
	ck_assert_uint_eq(real->stride[0], 4);
	ck_assert_uint_eq(real->shape[0], 2);
	ck_assert(!real->neg && !imag->neg && !imag->conj);
}
END_TEST

#define SIGNED(flags) \
	"ctorch._utils\n_rebuild_tensor_v2\n" STORAGE("ComplexFloat", "0", "4") \
	"I0\n(I4\nt(I1\ntI00\n(d(d" flags "tR"

START_TEST(the_imaginary_half_of_a_conjugate_is_a_negative)
{
	static const struct {
		const char *pickle;
		bool real, imag;
	} cases[] = {
		{SIGNED("S'conj'\nI01\ns") STOP, false, true},
		{SIGNED("S'neg'\nI01\ns") STOP, true, true},
		{SIGNED("S'conj'\nI01\nsS'neg'\nI01\ns") STOP, true, false},
	};
	wishes.split_complex = true;
	for (size_t i = 0; i < CK_COUNT(cases); i++) {
		ck_model *model = load(cases[i].pickle);
		ck_assert_ptr_nonnull(model);
		ck_assert_int_eq(model->entries[0].tensor->neg, cases[i].real);
		ck_assert_int_eq(model->entries[1].tensor->neg, cases[i].imag);
		ck_assert(!model->entries[1].tensor->conj);
	}
}
END_TEST

START_TEST(a_split_tensor_is_the_same_under_each_of_its_names)
{
	wishes.split_complex = true;
	ck_model *model = load("(l" VECTOR("ComplexFloat") "p9\nag9\na" STOP);
	ck_assert_ptr_eq(model->entries[0].tensor, model->entries[2].tensor);
	ck_assert_ptr_eq(model->entries[1].tensor, model->entries[3].tensor);
}
END_TEST

/* ---- sparse and nested ---- */

#define LAYOUT(name) "ctorch.serialization\n_get_layout\n(S'torch." name "'\ntR"
#define INDICES VIEW("Long", "2", "0", "I2\nI1\n", "I1\nI1\n")
#define VALUES(type) \
	"ctorch._utils\n_rebuild_tensor_v2\n" STORAGE(type, "1", "1") "I0\n(I1\nt(I1\ntI00\n(dtR"
#define COO(more) \
	"ctorch._utils\n_rebuild_sparse_tensor\n(" LAYOUT("sparse_coo") \
	"(" INDICES VALUES("Float") "ctorch\nSize\n((I1\nI2\nttR" more "ttR"

START_TEST(a_sparse_tensor_is_its_indices_and_values)
{
	ck_assert_str_eq(names("(dS's'\n" COO("") "s" STOP),
	                 "s.indices s.values s.layout=sparse_coo s.shape=[1, 2]");
	ck_assert_str_eq(
		names("(dS's'\n" COO("I01\n") "s" STOP),
		"s.indices s.values s.layout=sparse_coo s.shape=[1, 2] s.is_coalesced=true");
	ck_assert_str_eq(names("(dS's'\n" COO("N") "s" STOP),
	                 "s.indices s.values s.layout=sparse_coo s.shape=[1, 2]");
	ck_assert_str_eq(names(COO("") STOP),
	                 "tensor.indices tensor.values tensor.layout=sparse_coo "
	                 "tensor.shape=[1, 2]");
}
END_TEST

/* Storages of four elements are enough: all strides are 0. */
#define LONGS(size, stride) VIEW("Long", "4", "0", size, stride)
#define FLOATS(size, stride) \
	"ctorch._utils\n_rebuild_tensor_v2\n" STORAGE("Float", "1", "4") \
	"I0\n(" size "t(" stride "tI00\n(dtR"
#define SPARSE(layout, parts, size) \
	"ctorch._utils\n_rebuild_sparse_tensor\n(" LAYOUT(layout) "(" parts "(" size "tttR" STOP
#define ON1 "I0\n"
#define ON2 "I0\nI0\n"

START_TEST(sizes_that_do_not_fit_each_other_are_refused)
{
	static const char coo[] = "indices and values of a sparse tensor do not have the sizes";
	static const char csr[] =
		"crow_indices, col_indices and values of a sparse tensor do not have the sizes";
	static const char dims[] = "values of a sparse tensor do not have the dimensions";
	ck_assert_ptr_nonnull(load(SPARSE("sparse_csr",
	                                  LONGS("I2\nI2\n", ON2) LONGS("I2\nI1\n", ON2)
	                                          FLOATS("I2\nI1\nI4\n", ON1 ON2),
	                                  "I2\nI1\nI2\nI4\n")));
	must_fail(SPARSE("sparse_coo", LONGS("I2\nI1\n", ON2) FLOATS("I1\nI3\n", ON2),
	                 "I1\nI2\nI4\n"),
	          CK_CORRUPT, coo);
	must_fail(SPARSE("sparse_coo", LONGS("I2\nI2\n", ON2) FLOATS("I1\nI4\n", ON2),
	                 "I1\nI2\nI4\n"),
	          CK_CORRUPT, coo);
	must_fail(SPARSE("sparse_coo", LONGS("I2\n", ON1) FLOATS("I1\n", ON1), "I1\nI2\n"),
	          CK_CORRUPT, "needs indices of two dimensions");
	must_fail(SPARSE("sparse_coo", FLOATS("I2\nI1\n", ON2) FLOATS("I1\n", ON1), "I1\nI2\n"),
	          CK_CORRUPT, "needs indices of two dimensions of integers");
	must_fail(SPARSE("sparse_csr",
	                 LONGS("I2\n", ON1) LONGS("I1\n", ON1) FLOATS("I1\nI3\n", ON2),
	                 "I1\nI2\nI4\n"),
	          CK_CORRUPT, csr);
	must_fail(SPARSE("sparse_csr", LONGS("I2\n", ON1) LONGS("I2\n", ON1) FLOATS("I1\n", ON1),
	                 "I1\nI2\n"),
	          CK_CORRUPT, csr);
	must_fail(SPARSE("sparse_csr",
	                 LONGS("I2\nI2\n", ON2) LONGS("I1\nI1\n", ON2) FLOATS("I2\nI1\n", ON2),
	                 "I2\nI1\nI2\n"),
	          CK_CORRUPT, csr);
	must_fail(SPARSE("sparse_csr",
	                 LONGS("I2\nI2\n", ON2) LONGS("I2\nI1\n", ON2) FLOATS("I1\nI1\n", ON2),
	                 "I2\nI1\nI2\n"),
	          CK_CORRUPT, csr);
	must_fail(SPARSE("sparse_csr",
	                 LONGS("I1\nI2\n", ON2) LONGS("I2\nI1\n", ON2) FLOATS("I2\nI1\n", ON2),
	                 "I2\nI1\nI2\n"),
	          CK_CORRUPT, csr);
	must_fail(SPARSE("sparse_csr", FLOATS("I2\n", ON1) LONGS("I1\n", ON1) FLOATS("I1\n", ON1),
	                 "I1\nI2\n"),
	          CK_CORRUPT, dims);
	must_fail(SPARSE("sparse_csr", LONGS("I2\n", ON1) FLOATS("I1\n", ON1) FLOATS("I1\n", ON1),
	                 "I1\nI2\n"),
	          CK_CORRUPT, dims);
	must_fail(SPARSE("sparse_csr", LONGS("", "") LONGS("", "") FLOATS("", ""), "I1\n"),
	          CK_CORRUPT, dims);
	must_fail(SPARSE("sparse_csr",
	                 LONGS("I2\n", ON1) LONGS("I1\nI1\n", ON2) FLOATS("I1\n", ON1), "I1\nI2\n"),
	          CK_CORRUPT, dims);
	must_fail(SPARSE("sparse_bsr",
	                 LONGS("I2\n", ON1) LONGS("I1\n", ON1) FLOATS("I1\nI1\n", ON2), "I1\nI2\n"),
	          CK_CORRUPT, dims);
	must_fail(SPARSE("sparse_csr", LONGS("I2\n", ON1) LONGS("I1\n", ON1) FLOATS("I1\n", ON1),
	                 "I1\n"),
	          CK_CORRUPT, dims);
	must_fail(SPARSE("sparse_csr", LONGS("I2\n", ON1), "I1\n"), CK_CORRUPT,
	          "two tensors of indices");
	must_fail(SPARSE("sparse_coo", LONGS("I2\n", ON1) "I5\n", "I1\n"), CK_CORRUPT,
	          "must be a plain tensor, not int");
}
END_TEST

START_TEST(a_sparse_tensor_at_the_top_makes_everything_the_root)
{
	ck_assert_str_eq(
		names_below("(dS'model'\n(dS'w'\n" VALUES("Float") "ssS's'\n" COO("") "s" STOP,
	                    "auto"),
		"model.w s.indices s.values s.layout=sparse_coo s.shape=[1, 2]");
}
END_TEST

START_TEST(offsets_of_a_nested_tensor_may_be_a_list)
{
	ck_model *model =
		load("(dS'n'\nctorch._utils\n_rebuild_nested_tensor\n(" TENSOR "p9\ng9\ng9\n(lI0\n"
	             "aI258\natRs" STOP);
	ck_assert_msg(model, "%s", job->error.text);
	ck_assert_uint_eq(model->count, 4);
	const ck_tensor *offsets = model->entries[3].tensor;
	ck_assert_int_eq(offsets->dtype, CK_DT_I64);
	const unsigned char *bytes = ck_tensor_values(job, offsets);
	ck_assert_uint_eq(offsets->count, 2);
	ck_assert_uint_eq(bytes[8], 2);
	ck_assert_uint_eq(bytes[9], 1);
	must_fail("ctorch._utils\n_rebuild_nested_tensor\n(" TENSOR TENSOR TENSOR "(lI-1\natR" STOP,
	          CK_CORRUPT, "an offset must be a count, not -1");
	must_fail("ctorch._utils\n_rebuild_nested_tensor\n(" TENSOR "tR" STOP, CK_CORRUPT,
	          "needs a buffer, sizes");
}
END_TEST

/* ---- tensors that stand for others ---- */

#define WRAPPER(module, name, state) \
	"ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._utils\n_rebuild_wrapper_subclass\n" \
	"c" module "\n" name "\n(c" module "\n" name "\n" \
	"ctorch\nfloat32\n(t(tI0\nNNI00\nt" state "tR"
#define SHARD "cmy\nShard\n(tR(N(dS'tensor'\n" TENSOR "stb"
#define SHARDED "torch.distributed._shard.sharded_tensor.api\nShardedTensor\n"

START_TEST(a_sharded_tensor_is_the_shard_that_is_there)
{
	ck_assert_str_eq(names("(dS'w'\n" WRAPPER("torch.distributed.tensor", "DTensor",
	                                          "(N(dS'_local_tensor'\n" TENSOR "st") "s" STOP),
	                 "w");
	ck_assert_ptr_nonnull(
		strstr(notes, "only the local shards, those of the process that saved the file"));
	*notes = 0;
	ck_assert_str_eq(names("(dS'w'\nc" SHARDED "(tR((l" SHARD "aI1\ntbs" STOP), "w");
	ck_assert_ptr_nonnull(
		strstr(notes, "only the local shards, those of the process that saved the file"));
	ck_assert_str_eq(names("(dS'w'\nc" SHARDED "(tR((l" SHARD "a" SHARD "aI1\ntbs" STOP),
	                 "w.0 w.1");
	must_fail("c" SHARDED "(tR((lI5\natb" STOP, CK_CORRUPT,
	          "a shard must be an object with a tensor");
	must_fail("c" SHARDED "(tR(dS'a'\nI1\nsb" STOP, CK_CORRUPT, "the list of its shards");
}
END_TEST

START_TEST(other_wrappers_give_what_they_hold)
{
	ck_assert_str_eq(names("(dS'w'\n" WRAPPER("my", "Wrapper",
	                                          "(dS'a'\n" TENSOR "sS'b'\n" TENSOR
	                                          "sS'n'\nI1\ns") "s" STOP),
	                 "w.a w.b");
	ck_assert_ptr_nonnull(strstr(notes, "tensors that wrap others were found"));
}
END_TEST

START_TEST(wrappers_of_nothing_are_refused_by_name)
{
	static const char pickle[] =
		"(dS'a'\n" WRAPPER("torch._subclasses.fake_tensor", "FakeTensor",
		                   "(dS'a'\n" TENSOR "s")
		"sS'b'\n" WRAPPER("my", "Wrapper", "(dS'a'\nI1\ns")
		"sS'c'\nctorch._utils\n_rebuild_wrapper_subclass\n(cmy\nWrapper\ntRs" STOP;
	ck_assert_ptr_nonnull(strstr(
		refusal(pickle), "3 tensors cannot be written: 'a' (fake tensor), "
		                 "'b' (tensor subclass without tensors in it), "
		                 "'c' (tensor subclass without data)"));
}
END_TEST

#define DEVICE(type)                                                                      \
	"ctorch._utils\n_rebuild_device_tensor_from_cpu_tensor\n(" TENSOR "ctorch\n" type \
	"\nS'xla:0'\nI00\ntR"

START_TEST(tensors_of_devices_are_cast_where_it_is_plain_how)
{
	static const unsigned char halves[] = {0x00, 0x3C, 0x00, 0xC0, 0x01, 0x00, 0x00, 0x7C};
	float values[] = {1.0f, -2.0f, 6e-8f, 65520.0f};
	memcpy(data, values, sizeof values);
	computed c = run_first(load("(dS'w'\n" DEVICE("float16") "s" STOP));
	ck_assert_uint_eq(c.fill, sizeof halves);
	ck_assert_mem_eq(c.bytes, halves, sizeof halves);
	ck_assert_str_eq(names("(dS'w'\n" DEVICE("float32") "s" STOP), "w");
	must_fail(DEVICE("float5") STOP, CK_CORRUPT, "a tensor's dtype must be one");
	ck_assert_ptr_nonnull(
		strstr(refusal("(dS'w'\n" DEVICE("int32") "s" STOP), "kept in another dtype"));
}
END_TEST

/* The class where the arguments of torch's own function begin. */
#define FASTAI(function, storage, more)                                                \
	"cfastai.torch_core\n" function "\n(cfastai.torch_core\nTensorImage\n" storage \
	"I0\n(I4\nt(I1\nt" more "I00\n(dtR"
#define BARE(type) "(S'storage'\nctorch\n" type "Storage\nS'0'\nS'cpu'\nI4\ntQ"

START_TEST(fastai_names_the_class_first)
{
	ck_assert_str_eq(names("(dS'w'\n" FASTAI("_fa_rebuild_tensor", BARE("Float"), "") "s" STOP),
	                 "w");
	ck_assert_str_eq(
		names("(dS'w'\n" FASTAI("_fa_rebuild_qtensor", BARE("QUInt8"), ONE_SCALE) "s" STOP),
		"w w.scale w.zero_point w.qscheme=per_tensor_affine");
}
END_TEST

/* ---- what cannot be written ---- */

START_TEST(all_that_cannot_be_written_is_named_as_far_as_it_fits)
{
	static char pickle[100000] = "(d";
	for (int i = 0; i < 200; i++)
		sprintf(pickle + strlen(pickle), "S'layer.%d'\n%s", i, VECTOR("ComplexDouble") "s");
	strcat(pickle, STOP);
	memset(data, 0, sizeof data);
	const char *text = refusal(pickle);
	ck_assert_ptr_nonnull(
		strstr(text, "200 tensors cannot be written: 'layer.0' (complex128), "));
	ck_assert_ptr_nonnull(strstr(text, " more; --complex split"));
	ck_assert_ptr_nonnull(strstr(text, "--skip-unsupported leaves them out"));
	size_t named = 0, more = 0;
	for (const char *at = text; (at = strstr(at, "(complex128)")); at++)
		named++;
	ck_assert_int_eq(sscanf(strstr(text, " and "), " and %zu more", &more), 1);
	ck_assert_uint_eq(named + more, 200);
	ck_assert_uint_gt(named, 20);
}
END_TEST

START_TEST(what_cannot_be_written_is_left_out_when_that_is_asked_for)
{
	static const char pickle[] = "(dS'c'\n" VECTOR("ComplexDouble") "sS'w'\nctorch._utils\n"
	                             "_rebuild_tensor_v2\n" STORAGE("Float", "1", "4")
	                             "I0\n(I4\nt(I1\ntI00\n(dtRs" STOP;
	ck_model *model = load(pickle);
	ck_assert(model && ck_edit_set_aside(job, model, ".", lacks) &&
	          ck_edit_unsupported(job, model, ".", true, false) &&
	          ck_edit_root(job, model, ".", NULL, false, false));
	ck_assert_uint_eq(model->count, 1);
	ck_assert_ptr_nonnull(
		strstr(notes, "1 tensor that cannot be written was left out: 'c' (complex128)"));
	model = load(pickle);
	ck_assert(ck_edit_set_aside(job, model, ".", lacks));
	ck_assert(!ck_edit_unsupported(job, model, ".", true, true));
	ck_assert_failed(job, CK_UNSUPPORTED, "which --strict forbids");
}
END_TEST

START_TEST(a_name_that_cannot_be_written_is_left_out_like_a_dtype)
{
	static const char pickle[] = "(dS'secret'\n" TENSOR "sS'w'\n" TENSOR "s" STOP;
	ck_assert_ptr_nonnull(
		strstr(refusal(pickle), "1 tensor cannot be written: 'secret' (a secret)"));
	end();
	begin();
	ck_model *model = load(pickle);
	ck_assert(model && ck_edit_set_aside(job, model, ".", lacks) &&
	          ck_edit_unsupported(job, model, ".", true, false) &&
	          ck_edit_root(job, model, ".", NULL, false, false));
	ck_assert_uint_eq(model->count, 1);
	ck_assert_str_eq(model->entries[0].name, "w");
	ck_assert_ptr_nonnull(strstr(notes, "was left out: 'secret' (a secret)"));
}
END_TEST

/* What counts is the name that would be written, which begins below the root. */
START_TEST(a_name_is_looked_at_as_it_will_be_written)
{
	static const char pickle[] = "(dS'a'\n(dS'secret'\n" TENSOR "sS'w'\n" TENSOR "ssS'secret'\n"
	                             TENSOR "s" STOP;
	ck_model *model = load(pickle);
	ck_assert(model && ck_edit_set_aside(job, model, "a", lacks));
	ck_assert(!ck_edit_unsupported(job, model, "a", false, false));
	ck_assert_failed(job, CK_UNSUPPORTED, "1 tensor cannot be written: 'secret' (a secret)");
}
END_TEST

START_TEST(what_lies_elsewhere_may_be_anything)
{
	ck_assert_str_eq(names_below("(dS'a'\n(dS'w'\n" FLOATS("I4\n", "I1\n") "ssS'b'\n(dS'c'\n"
	                             VECTOR("ComplexDouble") "ss" STOP, "a"), "w");
	ck_assert_ptr_nonnull(strstr(notes, "1 tensor elsewhere was left out: b"));
}
END_TEST

START_TEST(nothing_but_what_cannot_be_written_is_an_error)
{
	ck_model *model = load("(dS'c'\n" VECTOR("ComplexDouble") "s" STOP);
	ck_assert(ck_edit_set_aside(job, model, ".", lacks));
	ck_assert(ck_edit_unsupported(job, model, ".", true, false));
	ck_assert(!ck_edit_root(job, model, ".", NULL, false, false));
	ck_assert_failed(job, CK_UNSUPPORTED, "there are no tensors");
}
END_TEST

/* ---- numbers ---- */

START_TEST(every_half_comes_back_from_a_float)
{
	for (unsigned h = 0; h < 65536; h++) {
		bool nan = (h & 0x7FFF) > 0x7C00;
		unsigned back = ck_float_to_half(ck_half_to_float((uint16_t)h));
		ck_assert_uint_eq(back, nan ? ((h & 0x8000) | 0x7E00) : h);
		nan = (h & 0x7FFF) > 0x7F80;
		back = ck_float_to_bfloat16(ck_bfloat16_to_float((uint16_t)h));
		ck_assert_uint_eq(back, nan ? 0x7FC0 : h);
	}
}
END_TEST

START_TEST(what_lies_between_two_halves_goes_to_the_nearer_or_the_even_one)
{
	for (unsigned h = 0; h < 0x7BFF; h++) { /* up to the largest finite one */
		float low = ck_half_to_float((uint16_t)h),
		      high = ck_half_to_float((uint16_t)(h + 1));
		float middle = low + (high - low) / 2;
		ck_assert_uint_eq(ck_float_to_half(middle), h + (h & 1));
		ck_assert_uint_eq(ck_float_to_half(middle + (high - low) / 1024), h + 1);
		ck_assert_uint_eq(ck_float_to_half(middle - (high - low) / 1024), h);
	}
	ck_assert_uint_eq(ck_float_to_half(65519.996f), 0x7BFF);
	ck_assert_uint_eq(ck_float_to_half(65520.0f), 0x7C00);
	ck_assert_uint_eq(ck_float_to_half(-1e30f), 0xFC00);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("composite");
	TCase *tcase = tcase_create("composite");
	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_test(tcase, a_quantized_tensor_is_written_as_integers_and_their_meaning);
	tcase_add_test(tcase, scales_may_be_lists);
	tcase_add_test(tcase, the_difference_to_a_zero_point_wraps_as_in_torch);
	tcase_add_test(tcase, a_scale_may_be_an_integer);
	tcase_add_test(tcase, views_of_several_elements_to_a_byte_are_refused_by_name);
	tcase_add_test(tcase, an_axis_beyond_the_dimensions_is_refused_by_name);
	tcase_add_test(tcase, a_complex_tensor_is_split_into_two_views);
	tcase_add_test(tcase, the_imaginary_half_of_a_conjugate_is_a_negative);
	tcase_add_test(tcase, a_split_tensor_is_the_same_under_each_of_its_names);
	tcase_add_test(tcase, a_sparse_tensor_is_its_indices_and_values);
	tcase_add_test(tcase, sizes_that_do_not_fit_each_other_are_refused);
	tcase_add_test(tcase, a_sparse_tensor_at_the_top_makes_everything_the_root);
	tcase_add_test(tcase, offsets_of_a_nested_tensor_may_be_a_list);
	tcase_add_test(tcase, a_sharded_tensor_is_the_shard_that_is_there);
	tcase_add_test(tcase, other_wrappers_give_what_they_hold);
	tcase_add_test(tcase, wrappers_of_nothing_are_refused_by_name);
	tcase_add_test(tcase, tensors_of_devices_are_cast_where_it_is_plain_how);
	tcase_add_test(tcase, fastai_names_the_class_first);
	tcase_add_test(tcase, all_that_cannot_be_written_is_named_as_far_as_it_fits);
	tcase_add_test(tcase, what_cannot_be_written_is_left_out_when_that_is_asked_for);
	tcase_add_test(tcase, a_name_that_cannot_be_written_is_left_out_like_a_dtype);
	tcase_add_test(tcase, a_name_is_looked_at_as_it_will_be_written);
	tcase_add_test(tcase, what_lies_elsewhere_may_be_anything);
	tcase_add_test(tcase, nothing_but_what_cannot_be_written_is_an_error);
	tcase_add_test(tcase, every_half_comes_back_from_a_float);
	tcase_add_test(tcase, what_lies_between_two_halves_goes_to_the_nearer_or_the_even_one);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
