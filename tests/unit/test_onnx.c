/* The reader of ONNX models, on messages that are spelled out here. */
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "unit.h"

/* A message in the making: fields are put one behind the other. */
typedef struct {
	unsigned char bytes[600];
	size_t len;
} message;

static void put_varint(message *m, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		m->bytes[m->len++] = (unsigned char)(value | 0x80);
	m->bytes[m->len++] = (unsigned char)value;
}

static void put_number(message *m, unsigned field, uint64_t value)
{
	put_varint(m, field << 3);
	put_varint(m, value);
}

static void put_bytes(message *m, unsigned field, const void *bytes, size_t len)
{
	put_varint(m, field << 3 | 2);
	put_varint(m, len);
	memcpy(m->bytes + m->len, bytes, len);
	m->len += len;
}

static void put_text(message *m, unsigned field, const char *text)
{
	put_bytes(m, field, text, strlen(text));
}

static void put_pair(message *m, unsigned field, const char *key, const char *value)
{
	message pair = {.len = 0};
	put_text(&pair, 1, key);
	put_text(&pair, 2, value);
	put_bytes(m, field, pair.bytes, pair.len);
}

enum { DIMS = 1, TYPE = 2, FLOATS = 4, INTS = 5, NAME = 8, RAW = 9, EXTERNAL = 13, LOCATION = 14 };

/* float32 [2] of eight bytes, as far as it is the same for all. */
static message two_floats(const char *name)
{
	message m = {.len = 0};
	put_number(&m, DIMS, 2);
	put_number(&m, TYPE, 1);
	put_text(&m, NAME, name);
	return m;
}

static message model_of(const message *tensors, size_t count)
{
	message graph = {.len = 0}, model = {.len = 0};
	for (size_t i = 0; i < count; i++)
		put_bytes(&graph, 5, tensors[i].bytes, tensors[i].len);
	put_number(&model, 1, 8);
	put_bytes(&model, 7, graph.bytes, graph.len);
	return model;
}

static const ck_onnx *read(ck_job *job, const message *model)
{
	return ck_onnx_read(job, ck_source_memory(job, "m.onnx", model->bytes, model->len));
}

static void refused(const message *model, const char *why)
{
	ck_job *job = ck_base_job_new();
	ck_assert(!read(job, model));
	ck_assert_int_eq(job->error.status, CK_CORRUPT);
	ck_assert_msg(strstr(job->error.text, why) != NULL, "%s", job->error.text);
	ck_base_job_free(job);
}

static void refused_tensor(const message *tensor, const char *why)
{
	const message model = model_of(tensor, 1);
	refused(&model, why);
}

START_TEST(bytes_are_found_where_they_lie)
{
	message t[3] = {two_floats("raw"), two_floats("floats"), {.len = 0}};
	put_bytes(&t[0], RAW, "abcdefgh", 8);
	put_bytes(&t[1], FLOATS, "ABCDEFGH", 8);
	put_bytes(&t[2], DIMS, "\2\3", 2); /* packed */
	put_number(&t[2], TYPE, 9);
	put_text(&t[2], NAME, "b");
	put_bytes(&t[2], INTS, "\1\0\1\0\1\1", 6);
	const message model = model_of(t, 3);
	ck_job *job = ck_base_job_new();
	const ck_onnx *onnx = read(job, &model);
	ck_assert(onnx && onnx->count == 3 && onnx->ir_version == 8);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(onnx->tensors[i].place, CK_ONNX_RAW);
		ck_assert_uint_eq(onnx->tensors[i].bytes, 8);
		ck_assert_int_eq(memcmp(model.bytes + onnx->tensors[i].at,
		                        i ? "ABCDEFGH" : "abcdefgh", 8), 0);
	}
	ck_assert_int_eq(onnx->tensors[2].place, CK_ONNX_NUMBERS);
	ck_assert_uint_eq(onnx->tensors[2].ndim, 2);
	ck_assert_uint_eq(onnx->tensors[2].shape[1], 3);
	ck_base_job_free(job);
}
END_TEST

START_TEST(bytes_may_be_in_another_file)
{
	message t = two_floats("far");
	put_pair(&t, EXTERNAL, "location", "w.bin");
	put_pair(&t, EXTERNAL, "offset", "4096");
	put_pair(&t, EXTERNAL, "length", "8");
	put_pair(&t, EXTERNAL, "checksum", "x");
	put_number(&t, LOCATION, 1);
	const message model = model_of(&t, 1);
	ck_job *job = ck_base_job_new();
	const ck_onnx *onnx = read(job, &model);
	ck_assert(onnx && onnx->tensors[0].place == CK_ONNX_EXTERNAL);
	ck_assert_str_eq(onnx->tensors[0].location, "w.bin");
	ck_assert_uint_eq(onnx->tensors[0].at, 4096);
	ck_assert_uint_eq(onnx->tensors[0].bytes, 8);
	ck_base_job_free(job);
}
END_TEST

START_TEST(what_is_no_model_is_refused)
{
	message t[2] = {two_floats("a"), two_floats("a")}, m;
	put_bytes(&t[0], RAW, "abcdefg", 7);
	refused_tensor(&t[0], "7 bytes of data");
	t[0] = two_floats("a");
	refused_tensor(&t[0], "0 bytes of data");
	put_bytes(&t[0], RAW, "abcdefgh", 8);
	t[1] = t[0];
	m = model_of(t, 2);
	refused(&m, "two of this name");
	t[1] = two_floats("");
	put_bytes(&t[1], RAW, "abcdefgh", 8);
	refused_tensor(&t[1], "no name");
	t[1] = two_floats("far");
	put_number(&t[1], LOCATION, 1);
	refused_tensor(&t[1], "not named");
	put_pair(&t[1], EXTERNAL, "location", "w.bin");
	put_pair(&t[1], EXTERNAL, "length", "9");
	refused_tensor(&t[1], "length of its data");
	t[1] = two_floats("far");
	put_pair(&t[1], EXTERNAL, "offset", "-1");
	refused_tensor(&t[1], "no number");
	t[1] = two_floats("large");
	put_number(&t[1], DIMS, UINT64_C(1) << 62);
	refused_tensor(&t[1], "too large");
	t[1] = two_floats("less");
	put_number(&t[1], DIMS, UINT64_MAX);
	refused_tensor(&t[1], "negative");
	m = (message){.len = 0};
	put_number(&m, 1, 8);
	refused(&m, "no graph");
}
END_TEST

/* Wherever a model is cut, it is refused: its graph is its last field. */
START_TEST(a_model_that_is_cut_short_is_refused)
{
	message t = two_floats("a");
	put_bytes(&t, RAW, "abcdefgh", 8);
	message model = model_of(&t, 1);
	while (model.len-- > 1) {
		ck_job *job = ck_base_job_new();
		ck_assert(!read(job, &model));
		ck_assert_int_eq(job->error.status, CK_CORRUPT);
		ck_base_job_free(job);
	}
}
END_TEST

START_TEST(numbers_have_ten_bytes_at_most)
{
	message m = {.len = 0};
	for (int i = 0; i < 12; i++)
		m.bytes[m.len++] = i ? 0x80 : 8;
	refused(&m, "cut short or too long");
	m.bytes[9] = 0x80;
	m.bytes[10] = 2; /* bit 64 */
	m.len = 11;
	refused(&m, "cut short or too long");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("onnx");
	TCase *tcase = tcase_create("onnx");
	tcase_add_test(tcase, bytes_are_found_where_they_lie);
	tcase_add_test(tcase, bytes_may_be_in_another_file);
	tcase_add_test(tcase, what_is_no_model_is_refused);
	tcase_add_test(tcase, a_model_that_is_cut_short_is_refused);
	tcase_add_test(tcase, numbers_have_ten_bytes_at_most);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
