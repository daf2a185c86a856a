/* The strict reader of safetensors headers: what the format's text or its reference library refuses
 * is refused, and the reference library's own files are read. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "unit.h"

static ck_job *job;
static const char *folder; /* files of the reference library */

static void begin(void)
{
	job = ck_base_job_new();
}

static void end(void)
{
	ck_base_job_free(job);
}

/* A file of this header, with `data` bytes of data behind it. */
static const ck_safetensors *read_header(const char *json, size_t len, size_t data)
{
	unsigned char *file = calloc(1, 8 + len + data);
	for (size_t i = 0; i < 8; i++)
		file[i] = (unsigned char)((uint64_t)len >> (8 * i));
	memcpy(file + 8, json, len);
	ck_base_job_free(job);
	job = ck_base_job_new();
	ck_defer(job, free, file);
	return ck_safetensors_read(job, ck_source_memory(job, "f", file, 8 + len + data));
}

#define F32(name, begin, end) \
	"\"" name "\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[" #begin "," #end "]}"
#define U8(name, shape, begin, end) \
	"\"" name "\":{\"dtype\":\"U8\",\"shape\":" shape ",\"data_offsets\":[" #begin "," #end "]}"
#define FP4(count, end) \
	"{\"x\":{\"dtype\":\"F4\",\"shape\":[" #count "],\"data_offsets\":[0," #end "]}}"

typedef struct {
	const char *json;
	size_t data;
	const char *why; /* part of the sentence, or NULL: it is read */
} header;

static const header headers[] = {
	{"{}", 0, NULL},
	{"{\"__metadata__\":{}}   ", 0, NULL},
	{"{" F32("x", 0, 8) "}", 8, NULL},
	{"{ \"x\" : {\"shape\" :[ 2 ],\n\"data_offsets\":[0 , 8],\t\"dtype\":\"F32\"}}", 8, NULL},
	{"{" F32("b", 8, 16) "," F32("a", 0, 8) ",\"__metadata__\":{\"k\":\"v\"}}", 16, NULL},
	{"{" U8("a", "[0]", 0, 0) "," U8("b", "[8]", 0, 8) "," U8("c", "[3,0]", 8, 8) "}", 8, NULL},
	{"{" U8("", "[]", 0, 1) "," U8("\\u0000", "[]", 1, 2) "," U8("../x", "[]", 2, 3) "}",
	 3, NULL},
	{"{" U8("\\ud83d\\ude00\\n\xc3\xa9", "[]", 0, 1) "}", 1, NULL},
	{"{" U8("x", "[0,18446744073709551615]", 0, 0) "}", 0, NULL},
	{FP4(4, 2), 2, NULL},

	{"", 0, "begin with '{'"},
	{" {}", 0, "begin with '{'"},
	{"\xef\xbb\xbf{}", 0, "begin with '{'"},
	{"[]", 0, "begin with '{'"},
	{"{}\n", 0, "nothing but blanks"},
	{"{},", 0, "nothing but blanks"},
	{"{}{}", 0, "nothing but blanks"},
	{"{", 0, "a string is missing"},
	{"{" F32("x", 0, 8), 8, "a '}' is missing"},
	{"{" F32("x", 0, 8) ",}", 8, "a string is missing"},
	{"{x:1}", 0, "a string is missing"},
	{"{" F32("\xff", 0, 8) "}", 8, "not UTF-8"},
	{"{" F32("\xed\xa0\x80", 0, 8) "}", 8, "not UTF-8"},
	{"{" F32("\\ud800", 0, 8) "}", 8, "surrogate"},
	{"{" F32("\\udc00\\ud800", 0, 8) "}", 8, "surrogate"},
	{"{" F32("\\ud800\\ud800", 0, 8) "}", 8, "surrogate"},
	{"{" F32("\\u12g4", 0, 8) "}", 8, "four hexadecimal digits"},
	{"{" F32("\\x41", 0, 8) "}", 8, "no such escape"},
	{"{" F32("a\nb", 0, 8) "}", 8, "control character"},
	{"{\"x", 0, "does not end"},
	{"{\"x\\\"", 0, "does not end"},
	{"{" F32("x", 0, 8) "," F32("x", 8, 16) "}", 16, "the key 'x' twice"},
	{"{" F32("x", 0, 8) "," F32("\\u0078", 8, 16) "}", 16, "the key 'x' twice"},
	{"{\"__metadata__\":{},\"__metadata__\":{}}", 0, "'__metadata__' twice"},
	{"{\"__metadata__\":{\"a\":\"1\",\"a\":\"1\"}}", 0, "the key 'a' twice"},
	{"{\"__metadata__\":{\"a\":1}}", 0, "a string is missing"},
	{"{\"__metadata__\":{\"a\":null}}", 0, "a string is missing"},
	{"{\"__metadata__\":{\"a\":{}}}", 0, "a string is missing"},
	{"{\"__metadata__\":\"a\"}", 0, "a '{' is missing"},
	{"{\"__metadata__\":null}", 0, "a '{' is missing"},
	{"{\"x\":{}}", 0, "a string is missing"},
	{"{\"x\":{\"dtype\":\"U8\",\"shape\":[]}}", 1, "lacks"},
	{"{\"x\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]}}", 1,
	 "twice"},
	{"{\"x\":{\"dtype\":\"U8\",\"more\":1,\"shape\":[],\"data_offsets\":[0,1]}}", 1, "a field"},
	{"{\"x\":{\"dtype\":\"f32\",\"shape\":[],\"data_offsets\":[0,4]}}", 4, "its dtype"},
	{"{\"x\":{\"dtype\":\"F3\",\"shape\":[],\"data_offsets\":[0,4]}}", 4, "its dtype"},
	{"{\"x\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1,1]}}", 1, "a ']' is missing"},
	{"{\"x\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[1]}}", 1, "a ',' is missing"},
	{"{" U8("x", "[1.0]", 0, 1) "}", 1, "whole number"},
	{"{" U8("x", "[1e0]", 0, 1) "}", 1, "whole number"},
	{"{" U8("x", "[-1]", 0, 1) "}", 1, "whole number"},
	{"{" U8("x", "[01]", 0, 1) "}", 1, "whole number"},
	{"{" U8("x", "[\"1\"]", 0, 1) "}", 1, "whole number"},
	{"{" U8("x", "[18446744073709551616]", 0, 0) "}", 0, "64 bits"},
	{"{" U8("x", "[18446744073709551615,2,0]", 0, 0) "}", 0, "64 bits"},
	{"{" U8("x", "[2305843009213693952]", 0, 0) "}", 0, "64 bits"}, /* in bits */
	{"{" U8("x", "[2]", 0, 1) "}", 1, "as far apart"},
	{"{" U8("x", "[1]", 1, 0) "}", 1, "as far apart"},
	{FP4(3, 2), 2, "whole bytes"},
	{"{" F32("x", 8, 16) "}", 16, "a hole"},
	{"{" F32("x", 0, 8) "," F32("y", 9, 17) "}", 17, "a hole"},
	{"{" F32("x", 0, 8) "," F32("y", 4, 12) "}", 12, "overlap"},
	{"{" F32("x", 0, 8) "," F32("y", 0, 8) "}", 8, "overlap"},
	{"{" U8("a", "[0]", 4, 4) "," U8("b", "[8]", 0, 8) "}", 8, "overlap"},
	{"{" F32("x", 0, 8) "}", 9, "need 8 bytes of data, but the file has 9"},
	{"{" F32("x", 0, 8) "}", 7, "need 8 bytes of data, but the file has 7"},
};

START_TEST(what_the_format_or_its_library_refuses_is_refused)
{
	const header *h = &headers[_i];
	const ck_safetensors *got = read_header(h->json, strlen(h->json), h->data);
	ck_assert_msg(!got == !!h->why, "%s: %s", h->json, job->error.text);
	if (h->why) {
		ck_assert_failed(job, CK_CORRUPT, h->why);
		ck_assert_str_eq(job->error.where, "f");
	}
}
END_TEST

/* No cut of a header, and no length that is not its own, passes. */
START_TEST(a_header_that_is_cut_is_refused)
{
	static const char whole[] = "{" F32("x", 0, 8) "}";
	for (size_t len = 0; len < strlen(whole); len++)
		ck_assert_ptr_null(read_header(whole, len, 8));
	ck_assert_ptr_null(read_header("{}\0", 3, 0));
}
END_TEST

START_TEST(a_length_beyond_the_file_or_the_format_is_refused)
{
	static const unsigned char files[][10] = {
		{2, 0, 0, 0, 0, 0, 0, 0, '{', '}'},
		{3, 0, 0, 0, 0, 0, 0, 0, '{', '}'},
		{0, 0, 0, 0, 0, 0, 0, 0x80, '{', '}'},
		{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, '{', '}'},
		{0, 0, 0, 0, 0, 0, 0, 0, '{', '}'},
	};
	for (size_t i = 0; i < CK_COUNT(files); i++) {
		end();
		begin();
		const ck_source *source = ck_source_memory(job, "f", files[i], sizeof files[i]);
		ck_assert_msg(!ck_safetensors_read(job, source) == (i > 0), "file %zu", i);
	}
	for (uint64_t size = 0; size < 8; size++) {
		end();
		begin();
		ck_assert_ptr_null(ck_safetensors_read(
			job, ck_source_memory(job, "f", files[0], size)));
		ck_assert_failed(job, CK_CORRUPT, "ends before");
	}
}
END_TEST

START_TEST(tensors_come_in_the_order_of_their_data_with_all_their_fields)
{
	static const char json[] =
		"{" U8("\\u00e9\\\"", "[3,2]", 8, 14) "," F32("a", 0, 8)
		",\"__metadata__\":{\"k\\t\":\"v\"}}";
	const ck_safetensors *got = read_header(json, strlen(json), 14);
	ck_assert_ptr_nonnull(got);
	ck_assert_uint_eq(got->data, 8 + strlen(json));
	ck_assert_uint_eq(got->count, 2);
	const ck_st_tensor *a = &got->tensors[0], *b = &got->tensors[1];
	ck_assert(a->name_len == 1 && *a->name == 'a' && !strcmp(a->dtype->name, "F32"));
	ck_assert(a->ndim == 1 && a->shape[0] == 2 && a->begin == 0 && a->end == 8);
	ck_assert(b->name_len == 3 && !memcmp(b->name, "\xc3\xa9\"", 3));
	ck_assert(b->ndim == 2 && b->shape[0] == 3 && b->shape[1] == 2 && b->end == 14);
	ck_assert_uint_eq(got->metadata_count, 1);
	ck_assert(got->metadata->key_len == 2 && !memcmp(got->metadata->key, "k\t", 2));
	ck_assert(got->metadata->value_len == 1 && *got->metadata->value == 'v');
}
END_TEST

START_TEST(more_tensors_than_the_limit_are_refused)
{
	static const char json[] = "{" F32("x", 0, 8) "," F32("y", 8, 16) "}";
	unsigned char file[8 + sizeof json - 1 + 16] = {sizeof json - 1};
	memcpy(file + 8, json, sizeof json - 1);
	job->limits.tensors = 1;
	ck_assert_ptr_null(
		ck_safetensors_read(job, ck_source_memory(job, "f", file, sizeof file)));
	ck_assert_failed(job, CK_LIMIT, "tensors");
}
END_TEST

START_TEST(the_files_of_the_reference_library_are_read)
{
	DIR *dir = opendir(folder);
	size_t count = 0;
	ck_assert_ptr_nonnull(dir);
	for (const struct dirent *entry; (entry = readdir(dir));) {
		char path[4096];
		if (!strstr(entry->d_name, ".safetensors"))
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		end();
		begin();
		const ck_source *source = ck_source_open(job, path);
		ck_assert_msg(source && ck_safetensors_read(job, source), "%s: %s", path,
		              job->error.text);
		count++;
	}
	closedir(dir);
	ck_assert_uint_gt(count, 100);
}
END_TEST

int main(int argc, char **argv)
{
	folder = argc > 1 ? argv[1] : ".";
	Suite *suite = suite_create("safetensors");
	TCase *tcase = tcase_create("safetensors");
	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_loop_test(tcase, what_the_format_or_its_library_refuses_is_refused, 0,
	                    (int)CK_COUNT(headers));
	tcase_add_test(tcase, a_header_that_is_cut_is_refused);
	tcase_add_test(tcase, a_length_beyond_the_file_or_the_format_is_refused);
	tcase_add_test(tcase, tensors_come_in_the_order_of_their_data_with_all_their_fields);
	tcase_add_test(tcase, more_tensors_than_the_limit_are_refused);
	tcase_add_test(tcase, the_files_of_the_reference_library_are_read);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
