/* What a lean machine tells, with its look ahead at the memo, must be what a machine tells that
 * keeps everything: the same deeds with the same values, and the same failures at the same
 * places. */
#include "told.h"

#define CALL "cm\nf\n"

static const struct {
	const char *bytes;
	size_t len;
} cases[] = {
#define CASE(text) {text, sizeof(text) - 1}
	/* read again, never read, read after another was stored there */
	CASE("]q\0(K\1K\2e" CALL "h\0\x85R."),
	CASE("]q\0(K\1K\2e0" CALL "X\1\0\0\0aq\1\x85R."),
	CASE("X\1\0\0\0aq\0X\1\0\0\0bq\0" CALL "h\0h\0\x86R."),
	CASE("X\1\0\0\0aq\0" CALL "h\0\x85RX\1\0\0\0bq\0."),
	/* a number that was never stored under, or only in the pickle before */
	CASE("X\1\0\0\0aq\0h\1."),
	CASE("X\1\0\0\0aq\0h\0.X\1\0\0\0bh\0."),
	CASE("X\1\0\0\0aq\0.X\1\0\0\0bq\1h\1h\0."),
	/* MEMOIZE counts what was stored under numbers, and the same number only once */
	CASE("\x80\4\x8c\1a\x94\x8c\1bq\0\x8c\1c\x94\x8c\1d\x94" CALL "(h\0h\1h\2tR."),
	CASE("\x80\4\x8c\1aq\5\x8c\1b\x94\x8c\1c\x94" CALL "(h\5h\1h\2tR."),
	CASE("\x80\4\x8c\1aq\5q\5q\6\x8c\1b\x94" CALL "(h\2tR."),
	CASE("\x80\4\x8c\1aq\5q\5q\6\x8c\1b\x94" CALL "(h\3tR."),
	/* a second place by DUP, also of what nobody reads from the memo */
	CASE("X\1\0\0\0aq\0" "2]q\1(K\1e2" CALL "q\2\x86" "0" CALL "]X\1\0\0\0c\x86R."),
	CASE("]q\0(X\1\0\0\0aX\1\0\0\0be2" "0X\1\0\0\0c" CALL "X\1\0\0\0dN\x86R" "00\x85."),
	/* after POP and POP_MARK */
	CASE("X\1\0\0\0aq\0000X\1\0\0\0b" CALL "h\0X\1\0\0\0c\x86R."),
	CASE("(X\1\0\0\0aq\0X\1\0\0\0bq\1" "1X\1\0\0\0c" CALL "h\1X\1\0\0\0d\x86R."),
	/* in lines, as Python reads numbers, too */
	CASE("Va\np0\n0Vb\np10\n0" CALL "(g0\ng10\ntR."),
	CASE("Va\np+0\n0Vb\np007\n0" CALL "(g 0\ng7\ntR."),
	CASE("Va\np0_1\n0" CALL "(g1\ntR."),
	CASE("Va\nr\xff\xff\xff\xff" CALL "(j\xff\xff\xff\xfftR."),
	CASE("X\1\0\0\0aq\0000X\1\0\0\0bq\1" "0" CALL "(g0\ng1\ntR."),
	CASE("Va\np0\n0Vb\np1\n0" CALL "(h\0j\1\0\0\0tR."),
	/* what a look ahead cannot see */
	CASE("X\1\0\0\0aq\0" "0" "cm\nNumpyArrayWrapper\n)\x81}b..." CALL "h\0\x85R."),
	CASE("X\1\0\0\0aq\0" "0" "X\1\0\0\0mU\x11NumpyArrayWrapper\x93)\x81}b..." CALL "h\0\x85R."),
	CASE("X\1\0\0\0aq\0" "0Vm\nVNumpyArrayWr\\u0061pper\n\x93)\x81}b..." CALL "h\0\x85R."),
	CASE("X\1\0\0\0aq\0" "0S'm'\nS'NumpyArrayWrapper'\n\x93)\x81}b..." CALL "h\0\x85R."),
	CASE("X\1\0\0\0aq\0" "0(im\nNumpyArrayWrapper\n}b..." CALL "h\0\x85R."),
	/* cut short, or no opcode */
	CASE("X\1\0\0\0aq\0X\1"),
	CASE("X\1\0\0\0aq\0h\0\xff"),
	CASE("Va\np0\n0g0"),
#undef CASE
};

START_TEST(small_ones_are_told_alike)
{
	enum { MORE = 5000 }; /* what is far from the end is passed over quickly */
	static char bytes[200 + MORE];
	size_t len = cases[_i].len;
	compare(cases[_i].bytes, len);
	memcpy(bytes, cases[_i].bytes, len);
	memcpy(bytes + len, "X\x88\x13\0\0", 5); /* one more pickle: a text of MORE */
	memset(bytes + len + 5, 'a', MORE);
	bytes[len + 5 + MORE] = '.';
	compare(bytes, len + 5 + MORE + 1);
}
END_TEST

/* ---- large ones ---- */

enum { RECORDS = 20000, EVERY = 777 };

/* A list of records. Of every 777th one part is read again afterwards, and given to a call. */
static void put_records(maker *m)
{
	put(m, "](", 2);
	for (uint32_t i = 0; i < RECORDS; i++)
		put_record(m, i, i * RECORD_MEMO);
	put(m, "e", 1);
	for (uint32_t i = 0; i < RECORDS; i += EVERY) {
		put(m, CALL, sizeof CALL - 1);
		put_code(m, 'j', i * RECORD_MEMO + i % RECORD_MEMO, 4);
		put(m, "\x85R0", 3);
	}
	put(m, ".", 1);
}

START_TEST(what_is_read_again_is_as_it_was)
{
	maker m = {0};
	put_records(&m);
	compare(m.bytes, m.len);
	free(m.bytes);
}
END_TEST

/* Numbers that were stored under before the look count once, whatever comes after it. */
START_TEST(a_look_in_the_middle_knows_what_was_before)
{
	maker m = {0};
	put_text(&m, "first");
	for (uint32_t i = 0; i < 2000; i++)
		put_code(&m, 'r', i, 4);
	put_code(&m, 'r', 10000, 4);
	for (int i = 0; i < 5000; i++)
		put(&m, "K\x01" "0", 3);
	put_text(&m, "second");
	for (uint32_t i = 0; i < 100; i++)
		put_code(&m, 'r', i, 4);
	put_code(&m, 'r', 10000, 4);
	put(&m, "\x94" CALL "(", 2 + sizeof CALL - 1);
	for (uint32_t i = 0; i < 2000; i += 50)
		put_code(&m, 'j', i, 4);
	put_code(&m, 'j', 2001, 4); /* where MEMOIZE stored */
	put(&m, "tR.", 3);
	look_from = 10000;
	compare(m.bytes, m.len);
	look_from = 1;
	free(m.bytes);
}
END_TEST

/* Number of references that lead to all that a value unfolds to, and the value itself. */
static uint64_t unfold(const ck_value *value)
{
	uint64_t count = 1 + ck_value_left_out(value);
	bool parts = value->kind >= CK_LIST && value->kind <= CK_DICT;
	for (size_t i = 0; parts && i < value->items->count; i++)
		count += unfold(value->items->item[i]);
	return count;
}

START_TEST(what_nobody_reads_again_needs_no_memory_and_is_counted)
{
	maker m = {0};
	put(&m, CALL "0", sizeof CALL); /* else nothing of it would be kept */
	put(&m, _i ? "}(" : "](", 2);
	for (uint32_t i = 0; i < RECORDS; i++) {
		if (_i)
			put_code(&m, 'J', i, 4);
		put_record(&m, i, i * RECORD_MEMO);
		put(&m, _i ? "u(" : "e(", i % 1000 == 999 ? 2 : 0);
	}
	put(&m, _i ? "u." : "e.", 2);
	reader *full = read_all(false, m.bytes, m.len), *lean = read_all(true, m.bytes, m.len);
	ck_assert_str_eq(lean->told.data, full->told.data);
	ck_assert_uint_eq(unfold(lean->root), unfold(full->root));
	ck_assert_uint_eq(unfold(full->root), 1 + RECORDS * (9 + (uint64_t)_i));
	ck_assert_uint_eq(lean->root->height, full->root->height);
	ck_assert_uint_lt(lean->root->items->count, 3000);
	ck_assert_uint_lt(lean->job->arena.held, full->job->arena.held / 4);
	reader_free(full);
	reader_free(lean);
	free(m.bytes);
}
END_TEST

/* Among many containers that are only counted, those with a name that means something stay. */
static const struct {
	const char *target, *bytes, *end;
	size_t len;
	bool stays;
} meanings[] = {
#define IN(target, bytes, end, stays) {target, bytes, end, sizeof(bytes) - 1, stays}
#define NAME "X\7\0\0\0__key__"
	IN("](", "](" NAME "Ne", "e", true),
	IN("](", NAME "N\x86", "e", true),
	IN("](", "(" NAME "Nt", "e", true),
	IN("](", "]](" NAME "Nea", "e", true),
	IN("](", "}" NAME "Ns", "e", true),
	IN("](", "}N}" NAME "Nss", "e", true),
	IN("](", "\x8f(N" NAME "\x90", "e", true),
	IN("](", "](X\6\0\0\0appendNe", "e", true),
	IN("](", "](X\6\0\0\0extendNe", "e", true),
	IN("](", "](X\3\0\0\0addNe", "e", true),
	IN("](", "](X\6\0\0\0updateNe", "e", true),
	IN("](", "](U\6updateNe", "e", true),
	IN("\x8f(", NAME "N\x86", "\x90", true),
	IN("](", "](X\6\0\0\0appearNe", "e", false),
	IN("](", "](N" NAME "e", "e", false),
	IN("](", "}N" NAME "s", "e", false),
	IN("](", "]", "e", false),
#undef NAME
#undef IN
};

START_TEST(what_has_a_meaning_is_kept)
{
	enum { MORE = 3 * CK_LEAN_CONTAINERS };
	maker m = {0};
	put(&m, CALL "0", sizeof CALL);
	for (int i = 0; i < 4096; i++) /* the look ahead comes now and then */
		put(&m, "N0", 2);
	put(&m, meanings[_i].target, strlen(meanings[_i].target));
	for (int i = 0; i < MORE; i++)
		put(&m, "N\x85", 2);
	const size_t from = m.len;
	put(&m, meanings[_i].bytes, meanings[_i].len);
	put(&m, meanings[_i].end, strlen(meanings[_i].end));
	put(&m, ".", 1);
	reader *lean = read_all(true, m.bytes, m.len);
	ck_assert_ptr_nonnull(lean->root);
	const ck_items *items = lean->root->items;
	ck_assert_uint_lt(items->count, MORE / 2);
	ck_assert_int_eq(items->item[items->count - 1]->at >= from, meanings[_i].stays);
	reader_free(lean);
	free(m.bytes);
}
END_TEST

/* What is left out never makes a value look less deep than it is. */
START_TEST(heights_stay)
{
	maker m = {0};
	put(&m, CALL "0](", sizeof CALL + 2);
	for (int i = 0; i < 2 * CK_LEAN_CONTAINERS; i++)
		put(&m, "]", 1);
	put(&m, "e]]]aaa.", 8);
	reader *full = read_all(false, m.bytes, m.len), *lean = read_all(true, m.bytes, m.len);
	ck_assert_str_eq(lean->told.data, full->told.data);
	ck_assert_uint_eq(full->root->height, 3);
	ck_assert_uint_eq(lean->root->height, 3);
	reader_free(full);
	reader_free(lean);
	free(m.bytes);
}
END_TEST

/* ---- random ones ---- */

static void put_value(maker *m, int depth)
{
	char text[40];
	uint32_t number = any(m, 100000), parts = any(m, 4);
	switch (any(m, depth ? 9 : 5)) {
	case 0:
		put_code(m, 'J', number, 4);
		break;
	case 1:
		put_code(m, 'K', number, 1);
		break;
	case 2:
	case 3:
		snprintf(text, sizeof text, "%.*s%u", (int)any(m, 24),
		         "a text that has some length", number);
		put_text(m, text);
		break;
	case 4:
		put_code(m, 'h', any(m, 40), 1);
		return;
	case 5:
		put_value(m, depth - 1);
		put_value(m, depth - 1);
		put(m, "\x86", 1);
		break;
	case 6:
		put(m, "](", 2);
		for (uint32_t i = 0; i < parts; i++)
			put_value(m, depth - 1);
		put(m, "e", 1);
		break;
	case 7:
		put(m, "}", 1);
		for (uint32_t i = 0; i < parts; i++) {
			put_text(m, i ? "key" : "_key");
			put_value(m, depth - 1);
			put(m, "s", 1);
		}
		break;
	case 8:
		put_value(m, depth - 1);
		put(m, "2\x86", 2);
		break;
	}
	if (any(m, 2))
		put_code(m, 'q', any(m, 40), 1);
	if (!any(m, 6))
		put(m, "\x94", 1);
}

/* All numbers are stored under, and the list is long enough for what is put into it to be left out.
 * Every call shows values that were stored before, whatever happened since. */
static void put_random(maker *m)
{
	for (unsigned char i = 0; i < 40; i++) {
		put_text(m, "first");
		put_code(m, 'q', i, 1);
		put(m, "0", 1);
	}
	put(m, "](", 2);
	for (int i = 0; i < CK_LEAN_CONTAINERS + 10; i++)
		put(m, i % 2 ? ")" : "]", 1);
	put(m, "](](](]eee", 10);
	put(m, "e", 1);
	for (int i = 0; i < 300; i++) {
		put_value(m, 3);
		if (any(m, 8)) {
			put(m, "a", 1);
			continue;
		}
		put(m, "0" CALL, 1 + sizeof CALL - 1);
		put_value(m, 3);
		put(m, "\x85R0", 3);
	}
	put(m, ".", 1);
}

START_TEST(random_ones_are_told_alike)
{
	maker m = {.state = 88172645463325252u + (uint64_t)_i * 7919};
	for (int i = 0; i < 40; i++) {
		m.len = 0;
		put_random(&m);
		compare(m.bytes, m.len);
	}
	free(m.bytes);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lean");
	TCase *tcase = tcase_create("lean");
	tcase_add_loop_test(tcase, small_ones_are_told_alike, 0, CK_COUNT(cases));
	tcase_add_test(tcase, what_is_read_again_is_as_it_was);
	tcase_add_test(tcase, a_look_in_the_middle_knows_what_was_before);
	tcase_add_loop_test(tcase, what_nobody_reads_again_needs_no_memory_and_is_counted, 0, 2);
	tcase_add_loop_test(tcase, what_has_a_meaning_is_kept, 0, CK_COUNT(meanings));
	tcase_add_test(tcase, heights_stay);
	tcase_add_loop_test(tcase, random_ones_are_told_alike, 0, unit_rounds(10));
	tcase_set_timeout(tcase, 120);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
