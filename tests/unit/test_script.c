/* What archives say beside their pickles: JSON as it is read, the code of TorchScript classes. */
#include <string.h>

#include "script.h"
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

/* ---- JSON ---- */

static const ck_json_node *read_bytes(const void *text, size_t len)
{
	return ck_json_read(job, ck_source_memory(job, "json", text, len));
}

static const ck_json_node *read_text(const char *text)
{
	return read_bytes(text, strlen(text));
}

START_TEST(a_tree_can_be_walked)
{
	const ck_json_node *root = read_text("{\"a\": [1, \"two\", {}], \"b\": true, \"a\": 9}");
	const ck_json_node *list = ck_json_get(root, "a");
	int64_t number;
	ck_assert(ck_json_is_object(root) && ck_json_is_array(list));
	ck_assert_str_eq(ck_json_key(list), "a");
	const ck_json_node *item = ck_json_first(list);
	ck_assert(ck_json_integer(item, &number) && number == 1);
	item = ck_json_next(item);
	ck_assert_str_eq(ck_json_string_of(item), "two");
	ck_assert_ptr_null(ck_json_next(ck_json_next(item)));
	ck_assert(ck_json_is_true(ck_json_get(root, "b")));
}
END_TEST

START_TEST(what_is_not_there_is_nothing)
{
	int64_t number;
	const ck_json_node *root = read_text("{\"s\": \"x\", \"n\": null, \"r\": 1.5}");
	ck_assert_ptr_null(ck_json_get(root, "none"));
	ck_assert_ptr_null(ck_json_get(ck_json_get(root, "none"), "deeper"));
	ck_assert_ptr_null(ck_json_first(ck_json_get(root, "s")));
	ck_assert_ptr_null(ck_json_string_of(ck_json_get(root, "n")));
	ck_assert(!ck_json_integer(ck_json_get(root, "s"), &number));
	ck_assert(!ck_json_integer(ck_json_get(root, "r"), &number));
	ck_assert(!ck_json_integer(NULL, &number) && !ck_json_is_true(NULL));
	ck_assert(!ck_json_is_object(NULL) && !ck_json_is_array(NULL));
}
END_TEST

/* Numbers keep all digits, or are refused. */
START_TEST(integers_are_exact)
{
	static const struct {
		const char *text;
		bool good;
		int64_t value;
	} cases[] = {
		{"0", true, 0}, {"-7", true, -7}, {"2.0", true, 2},
		{"9007199254740991", true, 9007199254740991}, {"9007199254740993", false, 0},
		{"1e300", false, 0}, {"\"12\"", true, 12}, {"\"-12\"", true, -12},
		{"\"9223372036854775807\"", true, INT64_MAX},
		{"\"9223372036854775808\"", false, 0}, {"\"\"", false, 0}, {"\"-\"", false, 0},
		{"\"1 \"", false, 0}, {"\"0x1\"", false, 0}, {"\"1.0\"", false, 0},
		{"[1]", false, 0},
	};
	for (size_t i = 0; i < CK_COUNT(cases); i++) {
		int64_t value = 0;
		bool good = ck_json_integer(read_text(cases[i].text), &value);
		ck_assert_msg(good == cases[i].good && value == cases[i].value, "%s gives %lld",
		              cases[i].text, (long long)value);
	}
}
END_TEST

START_TEST(damaged_json_is_refused)
{
	ck_assert_ptr_null(read_text("{\"a\": 1} x"));
	ck_assert_failed(job, CK_CORRUPT, "the JSON text is damaged");
}
END_TEST

START_TEST(a_nul_in_the_text_ends_nothing)
{
	static const char text[] = "{}\0{}";
	ck_assert_ptr_null(read_bytes(text, sizeof text - 1));
	ck_assert_failed(job, CK_CORRUPT, "damaged");
}
END_TEST

START_TEST(a_nul_in_a_name_is_refused)
{
	ck_assert_ptr_null(read_text("{\"a\\u0000b\": 1}"));
	ck_assert_failed(job, CK_CORRUPT, "NUL");
}
END_TEST

START_TEST(what_is_no_utf8_is_refused)
{
	ck_assert_ptr_null(read_text("[\"\xff\"]"));
	ck_assert_failed(job, CK_CORRUPT, "not UTF-8");
}
END_TEST

START_TEST(deep_json_is_refused)
{
	char text[4001];
	memset(text, '[', 2000);
	memset(text + 2000, ']', 2000);
	text[4000] = 0;
	ck_assert_ptr_null(read_text(text));
	ck_assert_failed(job, CK_CORRUPT, "nested too deeply");
}
END_TEST

/* ---- code ---- */

/* An archive of one member, code/__torch__/a/b.py. */
static unsigned look(const char *code, ck_script *script, const char *module, const char *class)
{
	static ck_member member;
	static ck_archive archive;
	static ck_folder folder;
	static const char path[] = "top/code/__torch__/a/b.py";
	bool fresh;
	unsigned bits;
	member = (ck_member){.name = path, .name_len = sizeof path - 1, .size = strlen(code),
	                     .packed = strlen(code), .located = true};
	archive = (ck_archive){.by = &ck_archiver_zip, .members = &member, .count = 1,
	                       .source = ck_source_memory(job, "zip", code, strlen(code))};
	*ck_map_put(job, &archive.by_name, path, sizeof path - 1, &fresh) = 0;
	folder = (ck_folder){.archive = &archive, .top = "top/", .top_len = 4};
	*script = (ck_script){.job = job, .folder = &folder};
	ck_global global = {module, class, strlen(module), strlen(class)};
	ck_assert_msg(ck_script_class(script, &global, &bits), "%s", job->error.text);
	return bits;
}

static bool lists(ck_script *script, const char *class, const char *attribute)
{
	static const char module[] = "__torch__.a.b";
	ck_global global = {module, class, sizeof module - 1, strlen(class)};
	return ck_script_lists(script, &global, attribute, strlen(attribute));
}

START_TEST(each_class_has_its_own_lists)
{
	ck_script script;
	unsigned bits = look("class One(Module):\n"
	                     "  __parameters__ = [\"weight\", \"bias\", ]\n"
	                     "  __buffers__ = [\"mean\", ]\n"
	                     "  weight : Tensor\n"
	                     "class Two(Module):\n"
	                     "  __parameters__ = []\n"
	                     "  __buffers__ = [\"a.b\", ]\n", &script, "__torch__.a.b", "Two");
	ck_assert_uint_eq(bits, CK_SCRIPT_KNOWN | CK_SCRIPT_BUFFERS);
	ck_assert(lists(&script, "One", "weight") && lists(&script, "One", "bias"));
	ck_assert(lists(&script, "One", "mean") && !lists(&script, "One", "Tensor"));
	ck_assert(lists(&script, "Two", "a.b") && !lists(&script, "Two", "weight"));
}
END_TEST

START_TEST(a_module_without_a_list_of_buffers_is_an_old_one)
{
	ck_script script;
	static const char code[] = "class Net(Module):\n  __parameters__ = [\"w\", ]\n";
	ck_assert_uint_eq(look(code, &script, "__torch__.a.b", "Net"), CK_SCRIPT_KNOWN);
	ck_assert(lists(&script, "Net", "w"));
}
END_TEST

START_TEST(a_class_that_is_no_module_has_neither)
{
	ck_script script;
	unsigned bits = look("class Pair(NamedTuple):\n  x : Tensor\n", &script, "__torch__.a.b",
	                     "Pair");
	ck_assert_uint_eq(bits, CK_SCRIPT_KNOWN | CK_SCRIPT_BUFFERS);
}
END_TEST

START_TEST(lists_outside_of_a_class_count_for_nothing)
{
	ck_script script;
	unsigned bits = look("  __parameters__ = [\"w\", ]\n"
	                     "class Net(Module):\n"
	                     "def function():\n"
	                     "  __parameters__ = [\"v\", ]\n"
	                     "  __buffers__ = [\"v\", ]\n", &script, "__torch__.a.b", "Net");
	ck_assert_uint_eq(bits, CK_SCRIPT_KNOWN);
	ck_assert(!lists(&script, "Net", "w") && !lists(&script, "Net", "v"));
}
END_TEST

START_TEST(code_that_is_not_there_is_unknown)
{
	ck_script script;
	static const char code[] = "class Net(Module):\n";
	ck_assert_uint_eq(look(code, &script, "__torch__.a", "Net"), 0);
	ck_assert_uint_eq(look(code, &script, "__torch__.a.b", "Other"), 0);
	ck_assert_uint_eq(look("", &script, "__torch__.a.b", "Net"), 0);
}
END_TEST

START_TEST(only_names_below_torch_with_underscores_are_own)
{
	static const struct {
		const char *module;
		bool own;
	} cases[] = {{"__torch__", true}, {"__torch__.a", true}, {"__torch__a", false},
	             {"torch", false}, {"__torch", false}, {"a.__torch__", false}, {"", false}};
	for (size_t i = 0; i < CK_COUNT(cases); i++) {
		ck_global global = {cases[i].module, "Net", strlen(cases[i].module), 3};
		ck_assert_msg(ck_script_is_own(&global) == cases[i].own, "%s", cases[i].module);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("script");
	TCase *tcase = tcase_create("script");
	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_test(tcase, a_tree_can_be_walked);
	tcase_add_test(tcase, what_is_not_there_is_nothing);
	tcase_add_test(tcase, integers_are_exact);
	tcase_add_test(tcase, damaged_json_is_refused);
	tcase_add_test(tcase, a_nul_in_the_text_ends_nothing);
	tcase_add_test(tcase, a_nul_in_a_name_is_refused);
	tcase_add_test(tcase, what_is_no_utf8_is_refused);
	tcase_add_test(tcase, deep_json_is_refused);
	tcase_add_test(tcase, each_class_has_its_own_lists);
	tcase_add_test(tcase, a_module_without_a_list_of_buffers_is_an_old_one);
	tcase_add_test(tcase, a_class_that_is_no_module_has_neither);
	tcase_add_test(tcase, lists_outside_of_a_class_count_for_nothing);
	tcase_add_test(tcase, code_that_is_not_there_is_unknown);
	tcase_add_test(tcase, only_names_below_torch_with_underscores_are_own);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
