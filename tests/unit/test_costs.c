/* What a small file may ask for: whoever names one thing again and again, or has it looked through
 * again and again, pays in visits. Each of these took hours before it was charged for. The pickles
 * are protocol 0, which can be read. */
#include <stdio.h>
#include <string.h>

#include "load.h"
#include "unit.h"

/* A NumPy array of two float32. */
#define ARRAY \
	"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR" \
	"(I1\n(I2\ntcnumpy\ndtype\n(S'f4'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntb" \
	"I00\nS'12345678'\ntb"

enum { MANY = 300 };

static ck_job *job;
static ck_text pickle;

static void begin(void)
{
	job = ck_base_job_new();
	pickle = (ck_text){0};
}

static void end(void)
{
	ck_base_job_free(job);
}

static void add(const char *text)
{
	ck_assert(ck_text_add(job, &pickle, text, strlen(text)));
}

static void add_many(const char *text)
{
	for (int i = 0; i < MANY; i++)
		add(text);
}

static ck_loaded *load(void)
{
	return ck_load(job, ck_source_memory(job, "test", pickle.data, pickle.len), NULL);
}

/* The pickle loads within so many visits, or else needs more. */
static void must_load_within(uint64_t visits)
{
	job->limits.visits = visits;
	ck_assert_msg(load() != NULL, "%s", job->error.text);
}

static void must_cost(uint64_t visits)
{
	job->limits.visits = visits;
	ck_assert(!load());
	ck_assert_failed(job, CK_LIMIT, "--limit visits=N");
}

START_TEST(arrays_named_many_times_are_cheap)
{
	add("(l" ARRAY "p9\na");
	add_many("g9\na");
	add(".");
	must_load_within(20000);
}
END_TEST

START_TEST(arguments_are_charged_for_wherever_the_call_is_named)
{
	add("(lcnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\n");
	add_many("N");
	add("tR(I1\n(I2\ntcnumpy\ndtype\n(S'f4'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntbI00\n"
	    "S'12345678'\ntbp9\na");
	add_many("g9\na");
	add(".");
	must_cost(20000);
}
END_TEST

START_TEST(states_are_charged_for_wherever_the_object_is_named)
{
	add("(l(imy\nThing\n(dS't'\n" ARRAY "sb");
	add_many("Nb");
	add("p9\na");
	add_many("g9\na");
	add(".");
	must_cost(20000);
}
END_TEST

START_TEST(mappings_of_mappings_do_not_multiply_for_nothing)
{
	enum { LEVELS = 5, EACH = 10 };
	char name[16];
	add("(dS'a'\n" ARRAY "sS'x'\nccollections\nOrderedDict\n(tRp0\n0");
	for (int level = 1; level <= LEVELS; level++) {
		add("ccollections\nOrderedDict\n(");
		snprintf(name, sizeof name, "g%d\n", level - 1);
		for (int i = 0; i < EACH; i++)
			add(name);
		snprintf(name, sizeof name, "tRp%d\n0", level);
		add(name);
	}
	snprintf(name, sizeof name, "g%d\ns.", LEVELS);
	add(name);
	must_cost(20000);
}
END_TEST

START_TEST(a_look_for_one_key_among_many_is_charged_for)
{
	char key[16];
	add("(lctorch_utils.persistence\n_reconstruct_persistent_obj\n((d");
	for (int i = 0; i < MANY; i++) {
		snprintf(key, sizeof key, "I%d\nNs", i);
		add(key);
	}
	add("S'state'\n(dS't'\n" ARRAY "sstRp9\na");
	add_many("g9\na");
	add(".");
	must_cost(60000);
}
END_TEST

START_TEST(a_list_of_offsets_is_charged_for_by_every_tensor_that_has_it)
{
	add("(l(l");
	add_many("I0\na");
	add("p8\na" ARRAY "p9\na");
	add_many("ctorch._utils\n_rebuild_nested_tensor\n(g9\ng9\ng9\ng8\ntRa");
	add(".");
	/* each call looks through the list once to see that it did not change, and once to read */
	must_cost(150000);
}
END_TEST

START_TEST(bytes_are_those_of_known_calls_only_however_often_they_are_named)
{
	add("(lctorch.storage\n_load_from_bytes\np1\n(C\4abcdp2\ntRa" ARRAY "a");
	add(".");
	must_load_within(1000);
	pickle.len--;
	add("g1\n(cmy\nfunction\n(g2\ntRtRa.");
	ck_assert(!load());
	ck_assert_failed(job, CK_CORRUPT, "needs bytes, not my.function object");
}
END_TEST

START_TEST(bytes_in_many_wrappers_are_none)
{
	add("(lctorch.storage\n_load_from_bytes\np1\n(C\4abcdp2\ntRa");
	for (int i = 0; i < 5; i++)
		add("c__builtin__\nbytearray\n(g2\ntRp2\n0g1\n(g2\ntRa");
	add(".");
	ck_assert(!load());
	ck_assert_failed(job, CK_CORRUPT, "needs bytes, not ");
}
END_TEST

START_TEST(long_ways_to_what_is_no_tensor_are_charged_for)
{
	enum { DEPTH = 100 };
	add("(dS'a'\n" ARRAY "sS'x'\n");
	for (int i = 0; i < DEPTH; i++)
		add("(l");
	add("ctorch._utils\n_rebuild_meta_tensor_no_storage\n(tRp9\na");
	add_many("g9\na");
	for (int i = 1; i < DEPTH; i++)
		add("a");
	add("s.");
	job->limits.text = 20000;
	ck_assert(!load());
	ck_assert_failed(job, CK_LIMIT, "--limit text=N");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("costs");
	TCase *tcase = tcase_create("costs");
	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_test(tcase, arrays_named_many_times_are_cheap);
	tcase_add_test(tcase, arguments_are_charged_for_wherever_the_call_is_named);
	tcase_add_test(tcase, states_are_charged_for_wherever_the_object_is_named);
	tcase_add_test(tcase, mappings_of_mappings_do_not_multiply_for_nothing);
	tcase_add_test(tcase, a_look_for_one_key_among_many_is_charged_for);
	tcase_add_test(tcase, a_list_of_offsets_is_charged_for_by_every_tensor_that_has_it);
	tcase_add_test(tcase, bytes_are_those_of_known_calls_only_however_often_they_are_named);
	tcase_add_test(tcase, bytes_in_many_wrappers_are_none);
	tcase_add_test(tcase, long_ways_to_what_is_no_tensor_are_charged_for);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
