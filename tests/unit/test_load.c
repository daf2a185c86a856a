/* From values to named tensors: names, roots, what is left out and what is refused. The pickles are
 * protocol 0, which can be read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edit.h"
#include "load.h"
#include "view.h"
#include "unit.h"

/* A tensor of four float32 on storage KEY. */
#define STORAGE(type, key) "((S'storage'\nctorch\n" type "Storage\nS'" key "'\nS'cpu'\nI4\ntQ"
#define TENSOR_ON(type, key) \
	"ctorch._utils\n_rebuild_tensor_v2\n" STORAGE(type, key) "I0\n(I4\nt(I1\ntI00\n(dtR"
#define TENSOR TENSOR_ON("Float", "0")
#define STOP "."

static ck_job *job;
static ck_loaded loaded;
static ck_torch torch;
static ck_model model;
static char notes[2000];

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
	*notes = 0;
}

static void end(void)
{
	ck_base_job_free(job);
}

static bool find(ck_torch *t, ck_storage *storage)
{
	static const unsigned char data[16];
	if (storage->size > sizeof data)
		return ck_fail(t->job, CK_CORRUPT, "test", "too large");
	storage->source = ck_source_memory(t->job, "storage", data, sizeof data);
	storage->held = sizeof data;
	return true;
}

static bool load_bytes(const char *pickle, size_t len)
{
	uint64_t at = 0;
	const ck_source *source = ck_source_memory(job, "test", pickle, len);
	model = (ck_model){.source = source, .top = ck_path_new(job, NULL, "", 0, false)};
	loaded = (ck_loaded){.job = job, .model = &model};
	torch = (ck_torch){.job = job, .loaded = &loaded, .model = &model, .pickle = source,
	                   .find = find};
	torch.root = ck_pickle_read(job, source, &at, &torch.seen);
	return torch.root && ck_walk(&torch, model.top) && ck_aside_settle(&loaded);
}

static bool load(const char *pickle)
{
	return load_bytes(pickle, strlen(pickle));
}

/* The names that tensors get, with blanks between them. */
static const char *names(const char *pickle, const char *root)
{
	static char all[4000];
	*all = 0;
	ck_assert_msg(load(pickle) && ck_edit_root(job, &model, root, NULL, false, false), "%s",
	              job->error.text);
	for (size_t i = 0; i < model.count; i++) {
		strcat(all, i ? " " : "");
		strcat(all, model.entries[i].name);
	}
	return all;
}

START_TEST(a_single_tensor_is_called_tensor)
{
	ck_assert_str_eq(names(TENSOR STOP, "auto"), "tensor");
}
END_TEST

START_TEST(keys_are_spelled_as_python_prints_them)
{
	ck_assert_str_eq(names("(dS'a'\n" TENSOR "sI5\n" TENSOR "sI01\n" TENSOR "sN" TENSOR
	                       "sF1.5\n" TENSOR "sF1e16\n" TENSOR "sF-0.00001\n" TENSOR
	                       "s(I1\nS'x'\nt" TENSOR "s(I1\nt" TENSOR "s(t" TENSOR
	                       "sL123456789012345678901L\n" TENSOR "s" STOP,
	                       "."),
	                 "a 5 True None 1.5 1e+16 -1e-05 (1, 'x') (1,) () 123456789012345678901");
}
END_TEST

START_TEST(keys_that_calls_make_are_spelled_as_python_prints_them)
{
	ck_assert_str_eq(names("(dc__builtin__\ncomplex\n(F1\nF2\ntR" TENSOR
	                       "sc__builtin__\ncomplex\n(F0\nF-3.5\ntR" TENSOR
	                       "sctorch\nSize\n((I1\nI2\nttR" TENSOR "sctorch\nSize\n((ttR" TENSOR
	                       "sc__builtin__\nfrozenset\n((lI1\natR" TENSOR
	                       "sctorch\ndevice\n(S'cuda'\nI1\ntR" TENSOR
	                       "s(ctorch\nSize\n((I3\nttRt" TENSOR "s" STOP, "."),
	                 "(1+2j) -3.5j torch.Size([1, 2]) torch.Size([]) frozenset({1}) cuda:1 "
	                 "(torch.Size([3]),)");
}
END_TEST

START_TEST(lists_and_tuples_count_from_zero)
{
	ck_assert_str_eq(names("(l" TENSOR "aI1\na(" TENSOR "(l" TENSOR "ata" STOP, "."),
	                 "0 2.0 2.1.0");
}
END_TEST

START_TEST(mappings_of_all_kinds_are_mappings)
{
	ck_assert_str_eq(
		names("(dS'o'\nccollections\nOrderedDict\n(tRS'a'\n" TENSOR "ss"
	              "S'p'\nccollections\nOrderedDict\n((l(S'b'\n" TENSOR "tatRs"
	              "S'd'\nccollections\ndefaultdict\n(c__builtin__\nlist\ntRS'c'\n" TENSOR
	              "ss" STOP,
	              "."),
		"o.a p.b d.c");
	ck_assert_str_eq(notes, "");
}
END_TEST

START_TEST(parameters_are_the_tensors_they_wrap)
{
	ck_assert_str_eq(
		names("(dS'w'\nctorch._utils\n_rebuild_parameter\n(" TENSOR "I01\n(dtRs" STOP, "."),
		"w");
}
END_TEST

/* A tensor with metadata as its seventh argument. */
#define REBUILT_WITH_ON(type, metadata) \
	"ctorch._utils\n_rebuild_tensor_v2\n" STORAGE(type, "0") \
	"I0\n(I4\nt(I1\ntI00\n(d" metadata "tR"
#define REBUILT_WITH(metadata) REBUILT_WITH_ON("Float", metadata)

#define MODULE(state) "ccopy_reg\n_reconstructor\n(cnet\nNet\nc__builtin__\nobject\nNtR(d" state "b"

START_TEST(a_module_names_its_tensors_as_state_dict_would)
{
	/* set up in another order than state_dict walks in, with what it leaves out */
	static const char inner[] = MODULE("S'_parameters'\n(dS'weight'\n" TENSOR "ss"
	                                   "S'_buffers'\n(ds" "S'_modules'\n(ds");
	char pickle[8000];
	snprintf(pickle, sizeof pickle, "%s",
	         MODULE("S'_modules'\n(dS'fc'\nNsS'conv'\nI0\nss"
	                "S'cache'\n" TENSOR "s"
	                "S'_buffers'\n(dS'mean'\n" TENSOR "sS'tmp'\n" TENSOR "ss"
	                "S'_non_persistent_buffers_set'\nc__builtin__\nset\n((lS'tmp'\natRs"
	                "S'_parameters'\n(dS'bias'\nNsS'scale'\n" TENSOR "ss") STOP);
	ck_assert_ptr_nonnull(strstr(pickle, "I0\n"));
	char *spot = strstr(pickle, "S'conv'\nI0\n") + strlen("S'conv'\n");
	memmove(spot + sizeof inner - 1, spot + 3, strlen(spot + 3) + 1);
	memcpy(spot, inner, sizeof inner - 1);
	ck_assert_str_eq(names(pickle, "."), "scale mean conv.weight");
}
END_TEST

START_TEST(attributes_items_and_pairs_of_unknown_objects_are_followed)
{
	ck_assert_str_eq(names("cmy\nThing\n(tR(dS'w'\n" TENSOR "sb" STOP, "."), "w");
	ck_assert_str_eq(names("cmy\nThing\n(" TENSOR "tR" STOP, "."), "0");
	ck_assert_str_eq(names("cmy\nThing\n(tRS'k'\n" TENSOR "s" STOP, "."), "k");
}
END_TEST

START_TEST(the_root_is_the_one_home_of_weights)
{
	static const char run[] = "(dS'epoch'\nI3\nsS'model'\n(dS'w'\n" TENSOR
	                          "ssS'optimizer'\n(dS'm'\n" TENSOR "ss" STOP;
	ck_assert_str_eq(names(run, "auto"), "w");
	ck_assert_ptr_nonnull(strstr(notes, "1 tensor elsewhere was left out: optimizer"));
	ck_assert_ptr_nonnull(strstr(notes, "1 value that is no tensor was left out: epoch"));
	ck_assert_str_eq(names(run, "."), "model.w optimizer.m");
	ck_assert_str_eq(names(run, "optimizer"), "m");
	ck_assert_str_eq(names(run, "model.w"), "tensor");
}
END_TEST

START_TEST(with_two_homes_or_a_tensor_at_the_top_everything_is_the_root)
{
	ck_assert_str_eq(names("(dS'model'\n(dS'w'\n" TENSOR "ssS'net'\n(dS'w'\n" TENSOR "ss" STOP,
	                       "auto"), "model.w net.w");
	ck_assert_str_eq(names("(dS'model'\n(dS'w'\n" TENSOR "ssS'step'\n" TENSOR "s" STOP, "auto"),
	                 "model.w step");
	ck_assert_str_eq(names("(dS'ema'\n(dS'w'\n" TENSOR "ss" STOP, "auto"), "ema.w");
}
END_TEST

START_TEST(strict_refuses_what_would_be_left_out)
{
	ck_assert(load("(dS'model'\n(dS'w'\n" TENSOR "ssS'optimizer'\n(dS'm'\n" TENSOR "ss" STOP));
	ck_assert(!ck_edit_root(job, &model, "auto", NULL, true, false));
	ck_assert_failed(job, CK_UNSUPPORTED, "optimizer");
}
END_TEST

START_TEST(two_paths_to_one_name_are_both_shown)
{
	ck_assert(load("(dS'a.b'\n" TENSOR "sS'a'\n(dS'b'\n" TENSOR "ss" STOP));
	ck_assert(!ck_edit_root(job, &model, "auto", NULL, false, false));
	ck_assert_failed(job, CK_UNSUPPORTED, "'a.b': ['a.b'] and ['a']['b']");
}
END_TEST

START_TEST(a_container_inside_itself_is_walked_once)
{
	ck_assert_str_eq(names("(dp0\nS'w'\n" TENSOR "sS'self'\ng0\ns" STOP, "."), "w");
}
END_TEST

START_TEST(lists_that_double_at_each_level_cost_nothing)
{
	char pickle[2000] = "(l", level[64];
	for (int i = 0; i < 60; i++) {
		snprintf(level, sizeof level, "p%d\n0(lg%d\nag%d\na", i, i, i);
		strcat(pickle, level);
	}
	strcat(pickle, STOP);
	ck_assert(load(pickle));
	ck_assert_uint_eq(model.count, 0);
}
END_TEST

static void must_fail(const char *pickle, ck_status status, const char *part)
{
	ck_job *before = job;
	job = ck_base_job_new();
	ck_assert_msg(!load(pickle), "loads: %s", part);
	ck_assert_failed(job, status, part);
	ck_base_job_free(job);
	job = before;
}

#define REBUILD(args) "ctorch._utils\n_rebuild_tensor_v2\n(" args "tR" STOP
#define ON_0 "(S'storage'\nctorch\nFloatStorage\nS'0'\nS'cpu'\nI4\ntQ"

START_TEST(arguments_that_make_no_tensor_are_refused)
{
	must_fail(REBUILD(ON_0), CK_CORRUPT, "only 1 argument");
	must_fail(REBUILD("I5\nI0\n(t(t"), CK_CORRUPT, "needs a storage, not int");
	must_fail(REBUILD("S'0'\nQI0\n(t(t"), CK_CORRUPT, "tuple of 5 fields");
	must_fail(REBUILD(ON_0 "I-1\n(t(t"), CK_CORRUPT,
	          "offset must be a count of elements, not -1");
	must_fail(REBUILD(ON_0 "I0\n(I-4\nt(I1\nt"), CK_CORRUPT, "sizes must be counts, not -4");
	must_fail(REBUILD(ON_0 "I0\n(I4\nt(I-1\nt"), CK_CORRUPT, "strides must be counts, not -1");
	must_fail(REBUILD(ON_0 "I0\n(I4\nt(t"), CK_CORRUPT, "1 dimension has 0 strides");
	must_fail(REBUILD(ON_0 "I0\nI4\n(t"), CK_CORRUPT, "sizes must be counts, not int");
	must_fail(REBUILD(ON_0 "I0\n(L99999999999999999999L\nt(I1\nt"), CK_CORRUPT,
	          "sizes must be counts");
	must_fail(REBUILD(ON_0 "I0\n(I5\nt(I1\nt"), CK_CORRUPT, "reaches to byte 20");
	must_fail(REBUILD("(S'storage'\nctorch\nOddThing\nS'0'\nS'cpu'\nI4\ntQI0\n(t(t"),
	          CK_CORRUPT, "one of torch's, not torch.OddThing");
	must_fail(REBUILD("(S'storage'\nctorch\nDoubleStorage\nS'0'\nS'cpu'\n"
	                  "I2305843009213693952\ntQI0\n(t(t"),
	          CK_CORRUPT, "more bytes than fit 64 bits");
}
END_TEST

START_TEST(a_storage_of_two_types_is_refused)
{
	must_fail("(l" TENSOR_ON("Float", "0") "a" TENSOR_ON("Int", "0") "a" STOP, CK_CORRUPT,
	          "storage '0' is int32 here and float32 elsewhere");
}
END_TEST

START_TEST(items_set_in_a_tensor_are_refused)
{
	must_fail("(dS'w'\n" TENSOR "I0\nI1\nss" STOP, CK_CORRUPT, "at ['w']");
}
END_TEST

START_TEST(what_changes_after_a_call_took_it_is_refused)
{
	/* the list of sizes is [4] when the tensor is made, and [2] at the end */
	must_fail("(l" "ctorch._utils\n_rebuild_tensor_v2\n(" ON_0 "I0\n(lI4\nap9\n(I1\ntI00\n(dtRa"
	          "g9\nI0\nI2\nsa" STOP, CK_CORRUPT, "changed afterwards");
	must_fail("(dS'm'\nccollections\nOrderedDict\n((lp9\n(lS'w'\na" TENSOR "aatRs"
	          "S'l'\ng9\n(S'v'\n" TENSOR "tas" STOP, CK_CORRUPT, "changed afterwards");
}
END_TEST

#define PARAMETER "ctorch._utils\n_rebuild_parameter\n(" TENSOR "I01\n(dtR"

START_TEST(nothing_is_done_to_a_tensor_behind_its_back)
{
	must_fail("(dS'w'\n" TENSOR "(I1\nI2\ntbs" STOP, CK_CORRUPT, "_rebuild_tensor_v2 at ['w']");
	must_fail("(dS'w'\n" PARAMETER "I0\nI1\nss" STOP, CK_CORRUPT,
	          "_rebuild_parameter at ['w']");
	must_fail("(dS'w'\n" PARAMETER "(I1\ntbs" STOP, CK_CORRUPT, "_rebuild_parameter at ['w']");
	must_fail("(l" REBUILT_WITH("(dp9\n") "ag9\nS'neg'\nI01\nsa" STOP, CK_CORRUPT,
	          "changed afterwards");
	must_fail("(l" REBUILT_WITH_ON("Bool", "(dS'neg'\nI01\ns") "a" STOP, CK_CORRUPT,
	          "a tensor of bool cannot be a negative");
	must_fail("(dS'o'\nccollections\nOrderedDict\n(((lp9\nS'w'\na" TENSOR "attRsS'p'\ng9\nI1\n"
	          TENSOR "ss" STOP, CK_CORRUPT, "changed afterwards");
}
END_TEST

START_TEST(contents_count_however_they_were_given)
{
	ck_assert_str_eq(
		names("ccollections\nOrderedDict\n(ccollections\nOrderedDict\n(tRS'v'\n" TENSOR
	              "stR" STOP,
	              "."),
		"v");
	ck_assert_str_eq(
		names("c__builtin__\nlist\n(c__builtin__\ntuple\n((l" TENSOR "atRtR" STOP, "."),
		"0");
	ck_assert_str_eq(names("cmy\nThing\n(t(dS'k'\n" TENSOR "s\x92" STOP, "."), "k");
	ck_assert_str_eq(
		names("ccopy_reg\n_reconstructor\n(cmy\nDict\nc__builtin__\ndict\n(dS'k'\n" TENSOR
	              "stR" STOP,
	              "."),
		"k");
	ck_assert_str_eq(
		names(MODULE("S'_parameters'\nccollections\nOrderedDict\n((l(lS'w'\na" TENSOR
	                     "aatRsS'_modules'\n(ds") STOP,
	              "."),
		"w");
}
END_TEST

START_TEST(tensors_that_state_dict_leaves_out_are_counted)
{
	names(MODULE("S'_parameters'\n(dS'w'\n" TENSOR "ssS'_modules'\n(dsS'anchors'\n"
	             "(l" TENSOR_ON("Float", "7") "a" TENSOR_ON("Float", "8") "a" TENSOR "as") STOP,
	      ".");
	/* the third is the parameter */
	ck_assert_ptr_nonnull(strstr(notes,
	                             "2 tensors that state_dict() does not hold were left out: "
	                             "'anchors' (attribute)"));
}
END_TEST

#define ARRAY_STATE \
	"(I1\n(I2\ntcnumpy\ndtype\n(S'f4'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntb" \
	"I00\nS'12345678'\nt"

START_TEST(an_array_of_jax_is_the_array_that_it_keeps)
{
	ck_assert_str_eq(names("(dS'w'\ncjax._src.array\n_reconstruct_array\n("
	                       "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n"
	                       "(I0\ntS'b'\nt" ARRAY_STATE "(dtRs" STOP,
	                       "."),
	                 "w");
	ck_assert_uint_eq(model.entries[0].tensor->bytes, 8);
	ck_assert_str_eq(notes, "");
}
END_TEST

START_TEST(positions_in_the_parts_of_an_object_do_not_repeat)
{
	ck_assert_str_eq(names("cmy\nThing\n(" TENSOR "I1\ntR(I2\n" TENSOR "I3\nI4\ntb" STOP, "."),
	                 "1 4");
}
END_TEST

START_TEST(a_checkpoint_that_is_kept_as_bytes_is_told_of)
{
	static const char pickle[] = "(dS'in'\n(dS'b'\nC\x14PK\3\4................ss.";
	ck_assert(load_bytes(pickle, sizeof pickle - 1));
	ck_assert_ptr_nonnull(
		strstr(notes, "a value of 20 bytes at ['in'] looks like a checkpoint"));
	*notes = 0;
	static const char other[] = "(dS'b'\nC\x14PKzz................s.";
	ck_assert(load_bytes(other, sizeof other - 1));
	ck_assert_str_eq(notes, "");
}
END_TEST

START_TEST(an_object_of_too_many_states_is_refused_and_not_cut)
{
	char pickle[8000] = "cmy\nThing\n(tR";
	for (int i = 0; i < 14; i++)
		snprintf(pickle + strlen(pickle), sizeof pickle - strlen(pickle),
		         "(dS'k%d'\n" TENSOR "sb", i);
	strcat(pickle, STOP);
	must_fail(pickle, CK_UNSUPPORTED, "more than 12 steps");
}
END_TEST

START_TEST(looking_again_and_again_is_charged_for)
{
	/* one parameter in many layers of dress, named many times */
	static char pickle[400000];
	char *end = pickle + sprintf(pickle, "(l");
	for (int i = 0; i < 1000; i++)
		end += sprintf(end, "ctorch._utils\n_rebuild_parameter\n(");
	end += sprintf(end, "%s", TENSOR);
	for (int i = 0; i < 1000; i++)
		end += sprintf(end, "I01\n(dtR");
	end += sprintf(end, "p9\na");
	for (int i = 0; i < 1000; i++)
		end += sprintf(end, "g9\na");
	sprintf(end, STOP);
	job->limits.visits = 100000;
	ck_assert(!load(pickle));
	ck_assert_failed(job, CK_LIMIT, "--limit visits=N");
}
END_TEST

START_TEST(extras_keep_every_value)
{
	ck_text text = {0};
	names("(dS'n'\n(lI1\naL12345678901234567890L\naF1.5\naFnan\naI01\naNaS'\\x00\\t'\nas"
	      "S'w'\n" TENSOR "sI7\nccollections\nOrderedDict\n(tRs"
	      "S'o'\ncmy\nThing\n(I1\ntR(dS'a'\nI2\nsbs" STOP, ".");
	ck_assert(ck_extras_print(&loaded, &text) && ck_text_add(job, &text, "", 1));
	ck_assert_str_eq(
		text.data,
		"{\"$dict\":[[\"n\",[1,12345678901234567890,1.5,{\"$float\":\"nan\"},true,null,"
		"\"\\u0000\\t\"]],[\"w\",{\"$tensor\":\"w\"}],[7,{}],[\"o\",{\"$object\":"
		"\"my.Thing\",\"args\":[1],\"state\":[{\"a\":2}]}]]}\n");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("load");
	TCase *tcase = tcase_create("load");
	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_test(tcase, a_single_tensor_is_called_tensor);
	tcase_add_test(tcase, keys_are_spelled_as_python_prints_them);
	tcase_add_test(tcase, keys_that_calls_make_are_spelled_as_python_prints_them);
	tcase_add_test(tcase, keys_that_calls_make_are_spelled_as_python_prints_them);
	tcase_add_test(tcase, lists_and_tuples_count_from_zero);
	tcase_add_test(tcase, mappings_of_all_kinds_are_mappings);
	tcase_add_test(tcase, parameters_are_the_tensors_they_wrap);
	tcase_add_test(tcase, a_module_names_its_tensors_as_state_dict_would);
	tcase_add_test(tcase, attributes_items_and_pairs_of_unknown_objects_are_followed);
	tcase_add_test(tcase, the_root_is_the_one_home_of_weights);
	tcase_add_test(tcase, with_two_homes_or_a_tensor_at_the_top_everything_is_the_root);
	tcase_add_test(tcase, strict_refuses_what_would_be_left_out);
	tcase_add_test(tcase, two_paths_to_one_name_are_both_shown);
	tcase_add_test(tcase, a_container_inside_itself_is_walked_once);
	tcase_add_test(tcase, lists_that_double_at_each_level_cost_nothing);
	tcase_add_test(tcase, arguments_that_make_no_tensor_are_refused);
	tcase_add_test(tcase, a_storage_of_two_types_is_refused);
	tcase_add_test(tcase, items_set_in_a_tensor_are_refused);
	tcase_add_test(tcase, what_changes_after_a_call_took_it_is_refused);
	tcase_add_test(tcase, nothing_is_done_to_a_tensor_behind_its_back);
	tcase_add_test(tcase, contents_count_however_they_were_given);
	tcase_add_test(tcase, tensors_that_state_dict_leaves_out_are_counted);
	tcase_add_test(tcase, an_array_of_jax_is_the_array_that_it_keeps);
	tcase_add_test(tcase, positions_in_the_parts_of_an_object_do_not_repeat);
	tcase_add_test(tcase, a_checkpoint_that_is_kept_as_bytes_is_told_of);
	tcase_add_test(tcase, an_object_of_too_many_states_is_refused_and_not_cut);
	tcase_add_test(tcase, looking_again_and_again_is_charged_for);
	tcase_add_test(tcase, extras_keep_every_value);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
