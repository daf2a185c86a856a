/* NumPy arrays, .npy headers and plain pickles: what is taken for what. The pickles are protocol 0,
 * which can be read, but for one that must be large. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"
#include "numpy.h"
#include "unit.h"

static ck_job *job;

static void begin(void)
{
	job = ck_base_job_new();
}

static void end(void)
{
	ck_base_job_free(job);
}

static ck_loaded *load_bytes(const void *data, size_t len)
{
	const ck_source *source = ck_source_memory(job, "test", data, len);
	return source ? ck_load(job, source, NULL) : NULL;
}

static ck_loaded *load(const char *text)
{
	ck_loaded *loaded = load_bytes(text, strlen(text));
	ck_assert_msg(loaded != NULL, "%s", job->error.text);
	return loaded;
}

/* Names, with blanks between them. */
static const char *names(const char *text)
{
	static char all[1000];
	const ck_model *model = load(text)->model;
	*all = 0;
	for (size_t i = 0; i < model->count; i++) {
		size_t len;
		strcat(all, i ? " " : "");
		strcat(all, ck_path_name(job, model->entries[i].path, model->top, &len));
	}
	return all;
}

/* ---- dtypes ---- */

START_TEST(dtypes_are_read_as_numpy_spells_them)
{
	static const struct {
		const char *text;
		ck_numpy_kind kind;
		ck_dtype dtype;
		bool big;
		uint64_t size;
	} rows[] = {
		{"<f4", CK_NUMPY_TENSOR, CK_DT_F32, false, 4},
		{">i8", CK_NUMPY_TENSOR, CK_DT_I64, true, 8},
		{"|b1", CK_NUMPY_TENSOR, CK_DT_BOOL, false, 1},
		{"?", CK_NUMPY_TENSOR, CK_DT_BOOL, false, 1},
		{"=u2", CK_NUMPY_TENSOR, CK_DT_U16, false, 2},
		{"c16", CK_NUMPY_TENSOR, CK_DT_C128, false, 16},
		{"float32", CK_NUMPY_TENSOR, CK_DT_F32, false, 4},
		{"O8", CK_NUMPY_OBJECTS, 0, false, 8},
		{"O", CK_NUMPY_OBJECTS, 0, false, 0},
		{"<U7", CK_NUMPY_OTHER, 0, false, 28},
		{"S3", CK_NUMPY_OTHER, 0, false, 3},
		{"<M8[ns]", CK_NUMPY_OTHER, 0, false, 8},
		{"f16", CK_NUMPY_OTHER, 0, false, 16},
	};
	for (size_t i = 0; i < CK_COUNT(rows); i++) {
		ck_numpy_dtype got;
		ck_assert_msg(ck_numpy_dtype_of_text(rows[i].text, strlen(rows[i].text), &got),
		              "%s", rows[i].text);
		ck_assert_msg(got.kind == rows[i].kind && got.dtype == rows[i].dtype &&
		              got.big_endian == rows[i].big && got.size == rows[i].size, "%s",
		              rows[i].text);
	}
}
END_TEST

START_TEST(what_is_no_dtype_is_refused)
{
	static const char *const texts[] = {
		"", "<", "f", "f3", "f5", "<<f4", "f4 ", "i16", "b2", "x4", "f4[ns]", "M8[", "4",
		"U99999999999", "f-4", "c4",
	};
	for (size_t i = 0; i < CK_COUNT(texts); i++) {
		ck_numpy_dtype got;
		ck_assert_msg(!ck_numpy_dtype_of_text(texts[i], strlen(texts[i]), &got), "%s",
		              texts[i]);
	}
}
END_TEST

/* ---- .npy headers ---- */

static bool parse(const char *text, ck_numpy_array *array)
{
	ck_loaded loaded = {.job = job};
	ck_torch *torch = ck_torch_new(&loaded, ck_source_memory(job, "test", "", 0));
	static uint64_t shape[CK_DIMS_MAX];
	*array = (ck_numpy_array){.shape = shape};
	return ck_npy_parse(torch, text, strlen(text), array);
}

START_TEST(headers_of_any_order_and_quote_are_read)
{
	ck_numpy_array a;
	ck_assert(parse("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }   \n", &a));
	ck_assert(a.ndim == 2 && a.shape[0] == 3 && a.shape[1] == 4 && !a.fortran);
	ck_assert(parse("{\"shape\":(5L,),\"fortran_order\":True,\"descr\":\"|u1\"}", &a));
	ck_assert(a.ndim == 1 && a.shape[0] == 5 && a.fortran && a.dtype.dtype == CK_DT_U8);
	ck_assert(parse("{'descr': '<f4', 'fortran_order': False, 'shape': ()}\n", &a));
	ck_assert_uint_eq(a.ndim, 0);
	ck_assert(parse("{'descr': [('a]', '<f4'), ('b', '<i4', (2,))], 'fortran_order': False, "
	                "'shape': (1,)}", &a));
	ck_assert_int_eq(a.dtype.kind, CK_NUMPY_OTHER);
}
END_TEST

START_TEST(headers_that_are_no_such_dict_are_refused)
{
#define REST "'fortran_order': False, 'shape': (3,)}"
	static const char *const texts[] = {
		"", "{", "{}", "[]", "{'descr': '<f4', " REST " x", "{'descr': '<f4' " REST,
		"{'descr': <f4, " REST, "{'descr': '<f4, " REST, "{'descr': 'a\\'b', " REST,
		"{'descr': '<f4', 'fortran_order': 0, 'shape': (3,)}",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (3 4)}",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (,)}",
		"{'descr': '<f4', 'fortran_order': False, 'shape': 3}",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (0x3,)}",
		"{'descr': '<f4', 'fortran_order': False, 'shape': (3,",
		"{'descr': '<f4', 'fortran_order': False}", "{'descr': [[[[, " REST,
		"{'descr': [']", "{'descr': ['",
	};
	for (size_t i = 0; i < CK_COUNT(texts); i++) {
		ck_numpy_array a;
		ck_assert_msg(!parse(texts[i], &a), "%s", texts[i]);
		ck_assert_int_eq(job->error.status, CK_CORRUPT);
		end();
		begin();
	}
}
END_TEST

/* ---- arrays ---- */

#define DTYPE(code) "cnumpy\ndtype\n(S'" code "'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntb"
#define EMPTY(class) "cnumpy.core.multiarray\n_reconstruct\n(" class "(I0\ntS'b'\ntR"
#define STATE "(I1\n(I3\nt" DTYPE("u1") "I00\nS'abc'\nt"
#define ARRAY EMPTY("cnumpy\nndarray\n") STATE "b"

START_TEST(arrays_of_other_classes_are_found_in_their_states)
{
	ck_assert_str_eq(names("(dS'a'\n" ARRAY "s."), "a");
	/* the state of the array and that of the class, as many subclasses pickle them */
	ck_assert_str_eq(
		names("(dS'a'\n" EMPTY("cunits\nLength\n") "(" STATE "(dS'u'\nS'm'\nstbs."), "a");
	ck_assert_str_eq(names("(dS'a'\n" EMPTY("cunits\nLength\n")
	                       "((I7\ntS'x'\n" ARRAY "tbs."),
	                 "a.0.2");
}
END_TEST

START_TEST(the_state_of_an_object_may_be_another_object)
{
	ck_assert_str_eq(
		names("ccopy_reg\n_reconstructor\n(cpandas\nFrame\nc__builtin__\nobject\nNtR"
	              "cpandas\nBlocks\n(tR((lN(" ARRAY "ttbb."),
		"0.2.0");
}
END_TEST

START_TEST(one_text_may_be_the_data_of_many_arrays)
{
	enum { BYTES = 1 << 20, ARRAYS = 300 };
	static const char rest[] = "tb";
	char *pickle = malloc(4 * BYTES), *to = pickle;
	job->limits.heap = 16 << 20; /* not a megabyte for each */
	to += sprintf(to, "(lp0\n" DTYPE("u1") "p1\n0V");
	memset(to, 'a', BYTES);
	to += BYTES;
	to += sprintf(to, "\np2\n0");
	for (int i = 0; i < ARRAYS; i++)
		to += sprintf(to, EMPTY("cnumpy\nndarray\n") "(I1\n(I%d\ntg1\nI00\ng2\n%sa", BYTES,
		              rest);
	*to++ = '.';
	ck_loaded *loaded = load_bytes(pickle, (size_t)(to - pickle));
	ck_assert_msg(loaded != NULL, "%s", job->error.text);
	ck_assert_uint_eq(loaded->model->count, ARRAYS);
	free(pickle);
}
END_TEST

static const char *extras(const char *text)
{
	static char all[1000];
	ck_text to = {0};
	ck_loaded *loaded = load(text);
	ck_assert_msg(ck_extras_print(loaded, &to), "%s", job->error.text);
	snprintf(all, sizeof all, "%.*s", (int)to.len, to.data);
	return all;
}

#define SCALAR(code, order, data)                                            \
	"cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(S'" code "'\nI0\nI1\ntR(I3\nS'" \
	order "'\nNNNI-1\nI-1\nI0\ntbS'" data "'\ntR"

START_TEST(scalars_of_either_byte_order_are_numbers_and_texts)
{
	ck_assert_str_eq(extras("(l" SCALAR("i4", ">", "\\x00\\x00\\x01\\x02") "a."), "[258]\n");
	ck_assert_str_eq(extras("(l" SCALAR("i2", "<", "\\xff\\xff") "a."), "[-1]\n");
	ck_assert_str_eq(
		extras("(l" SCALAR("u8", ">", "\\xff\\x00\\x00\\x00\\x00\\x00\\x00\\x01") "a."),
		"[18374686479671623681]\n");
	ck_assert_str_eq(
		extras("(l" SCALAR("c8", ">", "\\x3f\\x80\\x00\\x00\\xc0\\x00\\x00\\x00") "a."),
		"[{\"$complex\":[1.0,-2.0]}]\n");
	ck_assert_str_eq(extras("(l" SCALAR("f2", "<", "\\x00\\xfc") "a."),
	                 "[{\"$float\":\"-inf\"}]\n");
	ck_assert_str_eq(
		extras("(l" SCALAR("U2", ">", "\\x00\\x00\\x00\\xe4\\x00\\x00\\x00\\x00") "a."),
		"[\"\xc3\xa4\"]\n");
	ck_assert_str_eq(extras("(l" SCALAR("S3", "|", "a\\x00\\x00") "a."),
	                 "[{\"$bytes\":\"YQ==\"}]\n");
}
END_TEST

/* ---- what is a pickle ---- */

START_TEST(pickles_of_protocol_0_are_recognised_by_reading)
{
	ck_assert_str_eq(names("(dp0\nS'a'\np1\n" ARRAY "s."), "a");
	ck_assert_str_eq(names("ccollections\nOrderedDict\n((l(S'a'\n" ARRAY "tatR."), "a");
	ck_assert_str_eq(names("(l" ARRAY "a."), "0");
	ck_assert_str_eq(names("](" ARRAY "e."), "0");
	ck_assert_str_eq(load("(l" ARRAY "a.")->model->layout, "pickle");
}
END_TEST

START_TEST(texts_are_no_pickles)
{
	static const char *const texts[] = {
		"(c) 2020 Somebody\n", "class A:\n    pass\n", "cats\ndogs\nRoses.\n",
		"(define x 1)\n",
		"(0.5, 0.25)\n", "]\n", "((((((((\n", "][\n", ")\n", "}\n", "c\n\nc\n\n", "(I1",
		"compress\nImages\n.", "[1, 2]\n", "{\"a\": 1}\n", "import os\n", "#!/bin/sh\n",
		"N.\n", "I1\n.", "S'a'\n.",
	};
	for (size_t i = 0; i < CK_COUNT(texts); i++) {
		ck_assert_msg(!load_bytes(texts[i], strlen(texts[i])), "%s", texts[i]);
		ck_assert_msg(strstr(job->error.text, "not a checkpoint"), "%s: %s", texts[i],
		              job->error.text);
		end();
		begin();
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("numpy");
	TCase *all = tcase_create("all");
	tcase_add_checked_fixture(all, begin, end);
	tcase_add_test(all, dtypes_are_read_as_numpy_spells_them);
	tcase_add_test(all, what_is_no_dtype_is_refused);
	tcase_add_test(all, headers_of_any_order_and_quote_are_read);
	tcase_add_test(all, headers_that_are_no_such_dict_are_refused);
	tcase_add_test(all, arrays_of_other_classes_are_found_in_their_states);
	tcase_add_test(all, the_state_of_an_object_may_be_another_object);
	tcase_add_test(all, one_text_may_be_the_data_of_many_arrays);
	tcase_add_test(all, scalars_of_either_byte_order_are_numbers_and_texts);
	tcase_add_test(all, pickles_of_protocol_0_are_recognised_by_reading);
	tcase_add_test(all, texts_are_no_pickles);
	suite_add_tcase(suite, all);
	return unit_run(suite);
}
