/* Globs and rules for names. */
#include <string.h>

#include "edit.h"
#include "unit.h"

static const struct {
	const char *glob, *name;
	bool matches;
} globs[] = {
	{"", "", true},          {"", "a", false},         {"a", "a", true},
	{"a", "ab", false},      {"*", "", true},          {"*", "a.b.c", true},
	{"*.weight", "a.b.weight", true},                  {"*.weight", "a.weights", false},
	{"layers.*.bias", "layers.0.attn.bias", true},     {"a*b*c", "aXbYbZc", true},
	{"a*b*c", "aXcYb", false},                         {"?", "a", true},
	{"?", "", false},        {"a?c", "abc", true},     {"a?c", "ac", false},
	{"layers.[0-3].*", "layers.2.w", true},            {"layers.[0-3].*", "layers.4.w", false},
	{"[!a]", "b", true},     {"[!a]", "a", false},     {"[^a]", "b", true},
	{"[]]", "]", true},      {"[a-]", "-", true},      {"[", "[", true},
	{"[a", "[a", true},      {"\\*", "*", true},       {"\\*", "a", false},
	{"**", "ab", true},      {"*?", "", false},        {"*a", "aaa", true},
	{"a.b", "aXb", false},   {"[[]", "[", true},       {"\\", "\\", true},
};

START_TEST(globs_match_as_in_shells)
{
	const char *name = globs[_i].name;
	ck_assert_msg(ck_glob_matches(globs[_i].glob, name, strlen(name)) == globs[_i].matches,
	              "'%s' and '%s'", globs[_i].glob, name);
}
END_TEST

START_TEST(a_glob_of_many_stars_is_no_work)
{
	enum { LONG = 100000 };
	static char name[LONG];
	memset(name, 'a', LONG);
	ck_assert(!ck_glob_matches("*a*a*a*a*a*a*a*a*a*a*a*a*b", name, LONG));
	ck_assert(ck_glob_matches("*a*a*a*a*a*a*a*a*a*a*a*a", name, LONG));
	ck_assert(ck_glob_matches("a*", "a\0b", 3));
}
END_TEST

static const struct {
	const char *rule, *name, *becomes;
} rules[] = {
	{"^model\\.=", "model.a.b", "a.b"},
	{"\\.gamma$=.weight", "norm.gamma", "norm.weight"},
	{"^(.*)\\.w([0-9])$=\\2.\\1", "a.b.w7", "7.a.b"},
	{"a=b", "a.a.a", "b.b.b"},
	{"a=[&]", "banana", "b[a]n[a]n[a]"},
	{"a=\\&", "a", "&"},
	{"a=\\\\", "a", "\\"},
	{"(x)?a=<\\1>", "a", "<>"},
	{"^a=b", "aaa", "baa"},
	{"a\\=b=c", "xa=bx", "xcx"},
	{"a=b=c", "a", "b=c"},
	{"x*=-", "ab", "-a-b-"},
	{"b*=-", "abb", "-a-"},
	{"zz=y", "a", "a"},
	{"[.\\]x=-", "a.x\\x", "a--"},
	{"[[:digit:]]\\.=\\\\\\&", "a1.", "a\\&"},
	{"(a)a=<\\0\\1>", "aab", "<aaa>b"},
	{"[]\\.]d=-", "]d.d", "--"},
};

START_TEST(rules_change_all_that_they_match)
{
	ck_job *job = ck_base_job_new();
	const ck_shaping shaping = {.rename = {&rules[_i].rule, 1}};
	ck_names *names = ck_names_new(job, &shaping);
	const char *name = rules[_i].name;
	size_t len = strlen(name);
	bool taken;
	ck_assert(names && ck_names_take(job, names, &name, &len, &taken) && taken);
	ck_assert_str_eq(name, rules[_i].becomes);
	ck_assert_uint_eq(len, strlen(rules[_i].becomes));
	ck_base_job_free(job);
}
END_TEST

START_TEST(the_order_is_choose_strip_rename_add)
{
	static const char *const include[] = {"m.*"}, *const exclude[] = {"*.bias", "*.none"},
	                  *const rename[] = {"^a=b", "^b=c"};
	ck_job *job = ck_base_job_new();
	const ck_shaping shaping = {.include = {include, 1}, .exclude = {exclude, 2},
	                            .rename = {rename, 2}, .strip_prefix = "m.",
	                            .add_prefix = "x."};
	ck_names *names = ck_names_new(job, &shaping);
	const char *name = "m.a.w";
	size_t len = strlen(name);
	bool taken;
	ck_assert(names && ck_names_take(job, names, &name, &len, &taken) && taken);
	ck_assert_str_eq(name, "x.c.w");
	name = "m.a.bias";
	len = strlen(name);
	ck_assert(ck_names_take(job, names, &name, &len, &taken) && !taken);
	name = "a.w";
	len = strlen(name);
	ck_assert(ck_names_take(job, names, &name, &len, &taken) && !taken);
	ck_base_job_free(job);
}
END_TEST

START_TEST(what_is_no_rule_is_refused)
{
	static const char *const bad[] = {"", "a", "=a", "(=a", "[=a", "a\\=b",
	                                  "\\d+=x", "[\\d]=x", "a\\n=x", "(a)=\\2", "a=\\1",
	                                  "a=x\\n", "a=x\\", "[[:alpha:]\\w]=x"};
	ck_job *job = ck_base_job_new();
	const ck_shaping shaping = {.rename = {&bad[_i], 1}};
	ck_assert(!ck_names_new(job, &shaping));
	ck_assert_int_eq(job->error.status, CK_USAGE);
	ck_base_job_free(job);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("names");
	TCase *tcase = tcase_create("names");
	tcase_add_loop_test(tcase, globs_match_as_in_shells, 0, CK_COUNT(globs));
	tcase_add_test(tcase, a_glob_of_many_stars_is_no_work);
	tcase_add_loop_test(tcase, rules_change_all_that_they_match, 0, CK_COUNT(rules));
	tcase_add_test(tcase, the_order_is_choose_strip_rename_add);
	tcase_add_loop_test(tcase, what_is_no_rule_is_refused, 0, 14);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
