/* Pickles of plain data, over which a lean machine passes without making values: it must take them
 * as a machine takes them that makes all values, and nothing else. */
#include <stddef.h>
#include <unistd.h>

#include "told.h"

/* What pickles that hold nothing else are made of, and what is wrong in them. */
static void put_piece(maker *m)
{
	typedef struct {
		const char *bytes;
		size_t len;
	} piece;
	static const piece good[] = {
#define PIECE(text) {text, sizeof(text) - 1}
		PIECE("N"), PIECE("\x88"), PIECE("\x89"), PIECE("K\1"), PIECE("M\1\2"),
		PIECE("J\1\2\3\xff"), PIECE("G@\x09\x21\xfb" "TD-\x18"), PIECE("I7\n"),
		PIECE("I-123\n"), PIECE("I01\n"), PIECE("L12345678901234567890L\n"),
		PIECE("L5\n"), PIECE("F1.5\n"), PIECE("F-1e-7\n"), PIECE("Fnan\n"),
		PIECE("Vab\n"), PIECE("V\\u00e9\n"), PIECE("X\2\0\0\0ab"),
		PIECE("X\3\0\0\0\xed\xa0\x80"), PIECE("\x8c\1a"), PIECE("\x8d\1\0\0\0\0\0\0\0a"),
		PIECE("\x8a\1\5"), PIECE("\x8a\0"), PIECE("\x8b\1\0\0\0\5"), PIECE(")"),
		PIECE("]"), PIECE("}"), PIECE("\x8f"), PIECE("]K\1a"), PIECE("](K\1Ne"),
		PIECE("}K\1Ns"), PIECE("}(K\1NK\2]u"), PIECE("\x8f(K\1)\x90"), PIECE("(K\1\x91"),
		PIECE("(K\1d"), PIECE("(K\1]d"), PIECE("(Nl"), PIECE("(N]t"), PIECE("]\x85"),
		PIECE("NN\x86"), PIECE("NNN\x87"), PIECE("N0"), PIECE("(0"), PIECE("(NN1"),
		PIECE("K\1" "2" "0"), PIECE("Nq\1"), PIECE("h\1"), PIECE("N\x94"),
		PIECE("Nr\2\1\0\0"), PIECE("j\2\1\0\0"), PIECE("Np3\n"), PIECE("g3\n"),
		PIECE("\x80\4"), PIECE("\x95\3\0\0\0\0\0\0\0NN0"),
	};
	static const piece bad[] = { /* not in every place */
		PIECE("a"), PIECE("s"), PIECE("e"), PIECE("u"), PIECE("\x90"), PIECE("t"),
		PIECE("("), PIECE("\x87"), PIECE("0"), PIECE("1"), PIECE("d"), PIECE("\x91"),
		PIECE("}]Ns"), PIECE("}(]Nu"), PIECE("\x8f(]\x90"), PIECE("(]\x91"),
		PIECE("(]Nd"), PIECE("}(]\x85Nu"), PIECE("](e"), PIECE("N(e"), PIECE("](u"),
		PIECE("h\xf0"), PIECE("I1x\n"), PIECE("F1x\n"), PIECE("V\\u00\n"),
		PIECE("X\1\0\0\0\xff"), PIECE("\x80\6"), PIECE("\x95\1\0\0\0\0\0\0\0K\1"),
		PIECE("]q\5h\5"), PIECE("]2"), PIECE("p-1\n"), PIECE("\xff"), PIECE("K"),
		PIECE("C\1a"), PIECE("U\1a"), PIECE("S'a'\n"), PIECE("\x96\1\0\0\0\0\0\0\0a"),
		PIECE("cm\nf\n"), PIECE("Pa\n"), PIECE("\x97"), PIECE("NQ"), PIECE("\x82\1"),
		PIECE("."), PIECE("](Na"), PIECE("}(NNs"), PIECE("N(N\x86"), PIECE("]((e"),
		PIECE("}((NNu"), PIECE("}(Nu"), PIECE("(NNNd"), PIECE("(."), PIECE("N(."),
		PIECE("Ng9\n"), PIECE("F1e999\n"), PIECE("I\n"), PIECE("I-\n"), PIECE("I5L\n"),
		PIECE("I08\n"), PIECE("I 7\n"), PIECE("L01\n"), PIECE("L010L\n"), PIECE("L-09L\n"),
		PIECE("LL\n"), PIECE("L\n"), PIECE("F 1\n"), PIECE("F01\n"), PIECE("g03\n"),
		PIECE("p 3\n"),
		PIECE("F\n"), PIECE("F.\n"),
		PIECE("\x8d\xf8\xff\xff\xff\xff\xff\xff\xff" "abcdefgh"),
#undef PIECE
	};
	const bool fine = any(m, 60);
	const piece *one = fine ? &good[any(m, CK_COUNT(good))] : &bad[any(m, CK_COUNT(bad))];
	put(m, one->bytes, one->len);
}

START_TEST(plain_data_is_passed_over_where_nothing_is_wrong)
{
	enum { TIMES = 3000, PIECES = 60 };
	maker m = {.state = 88172645463325252u + (uint64_t)_i * 104729};
	int passed = 0, broken = 0;
	for (int i = 0; i < TIMES; i++) {
		m.len = 0;
		PUT(&m, "Nq\1p3\nr\2\1\0\0");
		put(&m, "](", any(&m, 3));
		for (uint32_t k = any(&m, PIECES); k; k--)
			put_piece(&m);
		put(&m, "N.", 2);
		compare(m.bytes, m.len);
		reader *lean = read_all(true, m.bytes, m.len);
		passed += lean->root && lean->root->kind == CK_NONE;
		broken += !lean->root;
		reader_free(lean);
	}
	ck_assert_int_gt(passed, TIMES / 4);
	ck_assert_int_gt(broken, TIMES / 4);
	free(m.bytes);
}
END_TEST

static const struct {
	const char *bytes;
	size_t len;
} plain_ones[] = {
#define CASE(text) {text, sizeof(text) - 1}
	CASE("(0K\1."), CASE("((N10K\1."), CASE("](e."), CASE("K\1(e."),
	CASE("}(u."), CASE("\x8f(\x90."),
	CASE("\x80\2]."), CASE("\x80\3\x80\4K\1."), CASE("NK\1."),
	/* the same number counts once */
	CASE("Nq\0Nq\0K\1\x94h\1."), CASE("Nq\1Nq\2Nq\1K\1\x94."),
	CASE("K\1r\0\1\0\0j\0\1\0\0."),
#undef CASE
};

START_TEST(these_are_plain)
{
	enum { MORE = 64 }; /* what is near the end is read slowly */
	char bytes[200] = {0};
	size_t len = plain_ones[_i].len;
	memcpy(bytes, plain_ones[_i].bytes, len);
	for (size_t more = 0; more <= MORE; more += MORE) {
		reader *r = reader_new(true);
		uint64_t at = 0;
		const ck_source *source = ck_source_memory(r->job, "test", bytes, len + more);
		r->root = ck_pickle_read(r->job, source, &at, &r->seen);
		ck_assert(r->root && r->root->kind == CK_NONE);
		ck_assert_uint_eq(at, len);
		reader_free(r);
		compare(bytes, len + more);
	}
}
END_TEST

/* Too large for a float, although each digit is one. */
START_TEST(numbers_have_an_end)
{
	char bytes[500] = "F";
	memset(bytes + 1, '9', 400);
	memcpy(bytes + 401, ".0\nN.", 5);
	compare(bytes, 406);
	memset(bytes + 407, 0, 90);
	compare(bytes, 490);
}
END_TEST

/* A file of these bytes without a name; its window ends at 64 KiB. */
static ck_source file_of(const maker *m)
{
	char path[] = "/tmp/plain-XXXXXX";
	int fd = mkstemp(path);
	ck_assert(fd >= 0 && !unlink(path));
	ck_assert(write(fd, m->bytes, m->len) == (ssize_t)m->len);
	return (ck_source){.label = "test", .size = m->len, .fd = fd};
}

/* Where the window ends, opcodes are read in another way. */
START_TEST(plain_data_may_be_large)
{
	enum { LONG = 70000 };
	maker m = {0};
	char *text = malloc(LONG);
	memset(text, '7', LONG);
	put(&m, "](", 2);
	for (int i = 0; i < 100; i++) {
		for (uint32_t k = 0; k < 3000; k++) {
			put_record(&m, k, k * RECORD_MEMO);
			PUT(&m, "F1.25\nVa\\u00e9\nI12\n");
		}
		put_code(&m, 'X', (uint32_t)(LONG - i), 4);
		put(&m, text, (size_t)(LONG - i));
		put(&m, "V", 1);
		put(&m, text, (size_t)(LONG - i));
		PUT(&m, "\ne(");
	}
	put(&m, "e.", 2);
	const ck_source source = file_of(&m);
	reader *r = reader_new(true);
	uint64_t at = 0;
	r->root = ck_pickle_read(r->job, &source, &at, &r->seen);
	ck_assert_msg(r->root && r->root->kind == CK_NONE, "%s",
	              r->root ? "not passed over" : r->job->error.text);
	ck_assert_uint_eq(at, m.len);
	ck_assert_uint_lt(r->job->arena.held, 1 << 20);
	reader_free(r);
	close(source.fd);
	free(text);
	free(m.bytes);
}
END_TEST

/* Numbers that are read up to a NUL have one behind them, wherever the window ends. */
START_TEST(text_ends_where_it_ends)
{
	enum { WINDOW = 64 << 10, NEAR = 60 };
	static const char *const texts[] = {
		"I                             7\n", "L                   123456789012345678901L\n",
		"F1.2500000000000000000000000e-7\n", "V                \\u00e9\n",
		"g                007\n",
	};
	for (size_t before = WINDOW - NEAR; before < WINDOW + 4; before++) {
		maker m = {0};
		PUT(&m, "Np7\n0](");
		while (m.len < before)
			PUT(&m, "N");
		put(&m, texts[_i], strlen(texts[_i]));
		PUT(&m, "e.");
		const ck_source source = file_of(&m);
		reader *r = reader_new(true);
		uint64_t at = 0;
		r->root = ck_pickle_read(r->job, &source, &at, &r->seen);
		ck_assert_msg(r->root && r->root->kind == CK_NONE, "%s", r->job->error.text);
		ck_assert_uint_eq(at, m.len);
		reader_free(r);
		close(source.fd);
		free(m.bytes);
	}
}
END_TEST

/* Limits hold, and are named, as if nothing had been passed over. */
START_TEST(limits_hold_for_plain_data)
{
	static const struct {
		const char *name;
		size_t offset;
		uint64_t value;
		const char *piece, *end; /* many of both */
	} limits[] = {
#define LIMIT(name, value, piece, end) {#name, offsetof(ck_limits, name), value, piece, end}
		LIMIT(ops, 100, "N0", ""), LIMIT(stack, 20, "N", ""), LIMIT(stack, 20, "(", ""),
		LIMIT(memo, 20, "N\x94" "0", ""), LIMIT(text, 100, "Vab\n0", ""),
		LIMIT(text, 100, "I12\n0", "N0"), LIMIT(depth, 20, "(", ""),
		LIMIT(text, 100, "}K\1Ns0", "N0"), LIMIT(text, 100, "Nq\1}h\1Ns00", "N0"),
		LIMIT(text, 100, "(K\1\x85K\1d0", "N0"), LIMIT(text, 100, "(K\1\x91" "0", "N0"),
		LIMIT(depth, 20, "]", "a"), LIMIT(depth, 20, "(", "t"), LIMIT(depth, 20, "}N", "s"),
#undef LIMIT
	};
	enum { MANY = 90 };
	maker m = {0};
	const char *piece = limits[_i].piece, *end = limits[_i].end;
	for (int i = 0; i < MANY; i++)
		put(&m, piece, strlen(piece));
	PUT(&m, "N");
	for (int i = 0; i < MANY; i++)
		put(&m, end, strlen(end));
	PUT(&m, "N.");
	reader *r = reader_new(true);
	const ck_source *source = ck_source_memory(r->job, "test", m.bytes, m.len);
	uint64_t at = 0;
	memcpy((char *)&r->job->limits + limits[_i].offset, &limits[_i].value, 8);
	ck_assert_msg(!ck_pickle_read(r->job, source, &at, &r->seen), "%s: %s", limits[_i].name,
	              piece);
	ck_assert_int_eq(r->job->error.status, CK_LIMIT);
	ck_assert_msg(strstr(r->job->error.text, limits[_i].name) != NULL, "%s: %s",
	              limits[_i].name, r->job->error.text);
	reader_free(r);
	free(m.bytes);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("plain");
	TCase *tcase = tcase_create("plain");
	tcase_add_loop_test(tcase, plain_data_is_passed_over_where_nothing_is_wrong, 0,
	                    unit_rounds(10));
	tcase_add_loop_test(tcase, these_are_plain, 0, CK_COUNT(plain_ones));
	tcase_add_test(tcase, numbers_have_an_end);
	tcase_add_test(tcase, plain_data_may_be_large);
	tcase_add_loop_test(tcase, text_ends_where_it_ends, 0, 5);
	tcase_add_loop_test(tcase, limits_hold_for_plain_data, 0, 14);
	tcase_set_timeout(tcase, 120);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
