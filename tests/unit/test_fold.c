/* Folding: what lines stand for, against hand-written expectations, and against the names that come
 * of it when the lines are unfolded again by other code. */
#include <stdio.h>
#include <string.h>

#include "fold.h"
#include "unit.h"

enum { LEAVES = 4000, SIZES = 8 };

/* Names in a text of lines "name dtype size size...". */
typedef struct {
	ck_fold_leaf leaf[LEAVES];
	uint64_t size[LEAVES][SIZES];
	size_t count;
	char *text; /* what the names point into */
} model;

static void read_model(model *m, const char *text)
{
	m->text = strdup(text);
	m->count = 0;
	char *rest, *more, *line = strtok_r(m->text, "\n", &rest);
	for (; line; line = strtok_r(NULL, "\n", &rest)) {
		ck_fold_leaf *leaf = &m->leaf[m->count];
		*leaf = (ck_fold_leaf){.shape = m->size[m->count], .bytes = 1};
		leaf->name = strtok_r(line, " ", &more);
		leaf->len = strlen(leaf->name);
		leaf->dtype = strtok_r(NULL, " ", &more);
		for (char *size; (size = strtok_r(NULL, " ", &more));) {
			m->size[m->count][leaf->ndim++] = strtoull(size, NULL, 10);
			leaf->bytes *= strtoull(size, NULL, 10);
		}
		m->count++;
	}
}

static void print_line(char *to, size_t size, const ck_fold_line *line)
{
	size_t at = (size_t)snprintf(to, size, "%*s%s", (int)(2 * line->depth), "", line->label);
	if (line->like)
		at += (size_t)snprintf(to + at, size - at, " like %s", line->like);
	for (size_t d = 0; line->leaf && d <= line->leaf->ndim; d++)
		at += d ? (size_t)snprintf(to + at, size - at, " %llu",
		                           (unsigned long long)line->leaf->shape[d - 1])
		        : (size_t)snprintf(to + at, size - at, " %s", line->leaf->dtype);
	if (line->tensors > 1)
		at += (size_t)snprintf(to + at, size - at, " x%llu",
		                       (unsigned long long)line->tensors);
	snprintf(to + at, size - at, "\n");
}

/* ---- unfolding, by code of its own ---- */

typedef struct {
	char **name;
	size_t count;
} names;

static void add_name(names *to, const char *a, const char *b)
{
	to->name = realloc(to->name, (to->count + 1) * sizeof *to->name);
	ck_assert(asprintf(&to->name[to->count++], "%s%s", a, b) >= 0);
}

static void drop_names(names *of)
{
	for (size_t i = 0; i < of->count; i++)
		free(of->name[i]);
	free(of->name);
	*of = (names){0};
}

static size_t end_of(const char *text, const char *stops)
{
	size_t at = 0;
	for (int depth = 0; text[at]; at++) {
		if (text[at] == '\'') {
			at += 1 + strcspn(text + at + 1, "'");
			continue;
		}
		if (!depth && strchr(stops, text[at]))
			break;
		depth += text[at] == '{';
		depth -= text[at] == '}';
	}
	return at;
}

/* "3", "0-2", "09-11", or text; false: it is no number and no range. */
static bool unfold_range(const char *text, size_t len, names *to)
{
	size_t first = strspn(text, "0123456789"), second = 0;
	if (first && first < len && text[first] == '-')
		second = strspn(text + first + 1, "0123456789");
	if (!first || (first != len && (!second || first + 1 + second != len)))
		return false;
	unsigned long from = strtoul(text, NULL, 10);
	unsigned long until = second ? strtoul(text + first + 1, NULL, 10) : from;
	for (unsigned long n = from; n <= until; n++) {
		char digits[24];
		snprintf(digits, sizeof digits, "%0*lu", (int)first, n);
		add_name(to, digits, "");
	}
	return true;
}

static void unfold_word(const char *text, size_t len, names *to);

static void unfold_choice(const char *text, size_t len, names *to)
{
	for (size_t at = 0, end; at <= len; at = end + 1) {
		end = at + end_of(text + at, ",");
		end = end > len ? len : end;
		if (!unfold_range(text + at, end - at, to))
			unfold_word(text + at, end - at, to);
	}
}

static void unfold_word(const char *text, size_t len, names *to)
{
	names made = {0};
	add_name(&made, "", "");
	for (size_t at = 0, end; at < len; at = end) {
		names piece = {0}, more = {0};
		end = at + 1;
		if (text[at] == '\'') {
			end = at + 2 + strcspn(text + at + 1, "'");
			char *quoted = strndup(text + at + 1, end - at - 2);
			add_name(&piece, quoted, "");
			free(quoted);
		} else if (text[at] == '{') {
			size_t inner = end_of(text + at + 1, "}");
			unfold_choice(text + at + 1, inner, &piece);
			end = at + inner + 2;
		} else {
			add_name(&piece, (char[]){text[at], 0}, "");
		}
		for (size_t i = 0; i < made.count; i++)
			for (size_t k = 0; k < piece.count; k++)
				add_name(&more, made.name[i], piece.name[k]);
		drop_names(&made);
		drop_names(&piece);
		made = more;
	}
	for (size_t i = 0; i < made.count; i++)
		add_name(to, made.name[i], "");
	drop_names(&made);
}

/* All names of a label: parts between dots, each a word, or numbers and ranges. */
static void unfold_label(const char *label, names *to)
{
	add_name(to, "", "");
	for (const char *at = label; at; ) {
		names part = {0}, more = {0};
		size_t len = end_of(at, ".");
		size_t numbers = strspn(at, "0123456789,-");
		if (len && numbers == len)
			unfold_choice(at, len, &part);
		else
			unfold_word(at, len, &part);
		for (size_t i = 0; i < to->count; i++)
			for (size_t k = 0; k < part.count; k++)
				add_name(&more, to->name[i], part.name[k]);
		drop_names(to);
		drop_names(&part);
		at = at[len] ? at + len + 1 : NULL;
		for (size_t i = 0; i < more.count; i++)
			add_name(to, more.name[i], at ? "." : "");
		drop_names(&more);
	}
}

enum { FULL = 512 };

static void paste(char to[FULL], const char *a, const char *b, const char *c)
{
	ck_assert_int_lt(snprintf(to, FULL, "%s%s%s", a, b, c), FULL);
}

static bool same_kind(const ck_fold_leaf *a, const ck_fold_leaf *b)
{
	return !strcmp(a->dtype, b->dtype) && a->ndim == b->ndim &&
	       !memcmp(a->shape, b->shape, a->ndim * sizeof *a->shape);
}

/* Checks off what a line says of tensors called before + label + below. */
static void check_names(const model *m, bool *told, const ck_fold_line *line, const char *before)
{
	names all = {0};
	unfold_label(line->label, &all);
	for (size_t i = 0; i < all.count; i++) {
		char full[FULL];
		size_t k = 0;
		paste(full, before, all.name[i], "");
		while (k < m->count && (told[k] || strcmp(m->leaf[k].name, full) ||
		                        !same_kind(&m->leaf[k], line->leaf)))
			k++;
		ck_assert_msg(k < m->count, "'%s' is told, and is not there", full);
		told[k] = true;
	}
	drop_names(&all);
}

/* What the parts below a heading are, for each name that it stands for. */
static size_t check_lines(const model *m, bool *told, const ck_folded *f, size_t from,
                          unsigned depth, const char *before)
{
	size_t i = from;
	while (i < f->count && f->lines[i].depth >= depth) {
		const ck_fold_line *line = &f->lines[i];
		names all = {0};
		size_t next = i + 1;
		ck_assert_uint_eq(line->depth, depth);
		if (line->leaf)
			check_names(m, told, line, before);
		bool deeper = next < f->count && f->lines[next].depth > depth;
		unfold_label(line->label, &all);
		for (size_t k = 0; k < all.count && (deeper || line->like); k++) {
			char full[FULL], like[FULL];
			paste(full, before, all.name[k], ".");
			if (deeper)
				next = check_lines(m, told, f, i + 1, depth + 1, full);
			paste(like, line->like ? line->like : "", ".", "");
			for (size_t a = 0; line->like && a < m->count; a++) {
				char same[FULL];
				size_t b = 0;
				if (strncmp(m->leaf[a].name, like, strlen(like)))
					continue;
				paste(same, full, m->leaf[a].name + strlen(like), "");
				while (b < m->count && (told[b] || strcmp(m->leaf[b].name, same) ||
				                        !same_kind(&m->leaf[a], &m->leaf[b])))
					b++;
				ck_assert_msg(b < m->count, "no '%s'", same);
				told[b] = true;
			}
		}
		drop_names(&all);
		i = next;
	}
	return i;
}

static uint64_t check_unfolds(const model *m, const ck_folded *f)
{
	static bool told[LEAVES];
	uint64_t tensors = 0;
	memset(told, 0, sizeof told);
	check_lines(m, told, f, 0, 0, "");
	for (size_t i = 0; i < m->count; i++)
		ck_assert_msg(told[i], "'%s' is not told", m->leaf[i].name);
	for (size_t i = 0; i < f->count; i++)
		tensors += f->lines[i].leaf || f->lines[i].like ? f->lines[i].tensors : 0;
	return tensors;
}

/* ---- by hand ---- */

static const struct {
	const char *names, *lines;
} cases[] = {
	{"", ""},
	{"tensor F32", "tensor F32\n"},
	{"a F32 1\nb F32 2", "a F32 1\nb F32 2\n"},
	{"weight F32 3\nbias F32 3", "{weight,bias} F32 3 x2\n"},
	{"m.weight F32 3 3\nm.bias F32 3", "m.weight F32 3 3\nm.bias F32 3\n"},
	/* layers, of which some are different */
	{"l.0.w F16 2\nl.1.w F16 2\nl.2.w F16 2", "l.0-2.w F16 2 x3\n"},
	{"l.10.w F16 2\nl.2.w F16 2\nl.9.w F16 2", "l.2,9-10.w F16 2 x3\n"},
	{"l.0.w F16 2\nl.1.w F16 3\nl.2.w F16 2\nl.3.w F16 3",
	 "l.0,2.w F16 2 x2\nl.1,3.w F16 3 x2\n"},
	{"l.0.w F16 2\nl.1.w F32 2\nl.2.w F16 2 1\nl.3.w F16 2\nl.3.b F16 2",
	 "l x5\n  0.w F16 2\n  1.w F32 2\n  2.w F16 2 1\n  3.{w,b} F16 2 x2\n"},
	{"l.0 F16 2\nl.1 F16 2\nl.norm F16 2", "l.{0,1,norm} F16 2 x3\n"},
	/* attention */
	{"q_proj F16 4 4\nk_proj F16 2 4\nv_proj F16 2 4\no_proj F16 4 4",
	 "{q,o}_proj F16 4 4 x2\n{k,v}_proj F16 2 4 x2\n"},
	{"to_q F16 4\nto_k F16 4\nto_v F16 4", "to_{q,k,v} F16 4 x3\n"},
	{"input_layernorm F16 4\npost_attention_layernorm F16 4",
	 "{input,post_attention}_layernorm F16 4 x2\n"},
	{"weight F16 4\nweight_scale F16 4", "{weight,weight_scale} F16 4 x2\n"},
	{"weight U8 4\nbias U8 4\nrunning_mean U8 4\nrunning_var U8 4",
	 "{weight,bias,running_mean,running_var} U8 4 x4\n"},
	/* numbers in words; those of one pattern stand in order, all else where it was */
	{"w1 F16 4 2\nw2 F16 2 4\nw3 F16 4 2", "w{1,3} F16 4 2 x2\nw2 F16 2 4\n"},
	{"conv1 F16 1\nbn1 F16 2\nconv2 F16 1\nbn2 F16 2\nconv3 F16 3\nbn3 F16 4",
	 "conv{1,2} F16 1 x2\nbn{1,2} F16 2 x2\nconv3 F16 3\nbn3 F16 4\n"},
	{"c10 F16 10\nc1 F16 1\nc9 F16 9\nc2 F16 2", "c1 F16 1\nc2 F16 2\nc9 F16 9\nc10 F16 10\n"},
	{"x_0 F16 1\nx_1 F16 1\nx_2 F16 1\nx_9 F16 1\nx_10 F16 1", "x_{0-2,9,10} F16 1 x5\n"},
	{"x.08 F16 1\nx.09 F16 1\nx.10 F16 1", "x.{08-10} F16 1 x3\n"},
	{"x.8 F16 1\nx.08 F16 1\nx.9 F16 1", "x.{8,08,9} F16 1 x3\n"},
	/* products of numbers and words */
	{"d_0_a_0_q F16 1\nd_0_a_0_k F16 1\nd_0_a_1_q F16 1\nd_0_a_1_k F16 1\n"
	 "d_1_a_0_q F16 1\nd_1_a_0_k F16 1\nd_1_a_1_q F16 1\nd_1_a_1_k F16 1",
	 "d_{0,1}_a_{0,1}_{q,k} F16 1 x8\n"},
	/* experts of layers */
	{"l.0.gate F16 8\nl.0.e.0.w1 F16 2 3\nl.0.e.0.w2 F16 3 2\nl.0.e.0.w3 F16 2 3\n"
	 "l.0.e.1.w1 F16 2 3\nl.0.e.1.w2 F16 3 2\nl.0.e.1.w3 F16 2 3\n"
	 "l.1.gate F16 8\nl.1.e.0.w1 F16 2 3\nl.1.e.0.w2 F16 3 2\nl.1.e.0.w3 F16 2 3\n"
	 "l.1.e.1.w1 F16 2 3\nl.1.e.1.w2 F16 3 2\nl.1.e.1.w3 F16 2 3",
	 "l.0-1 x14\n  gate F16 8 x2\n  e.0-1.w{1,3} F16 2 3 x8\n  e.0-1.w2 F16 3 2 x4\n"},
	/* a tensor and what is called like a part of it */
	{"w F16 2\nw.scale F32\nw.zero F32\nv F16 2\nv.scale F32\nv.zero F32",
	 "{w,v} F16 2 x2\n  {scale,zero} F32 x4\n"},
	{"w F16 2\nw F16 2\nw F32 2", "w F16 2\nw F16 2\nw F32 2\n"},
	/* names that look like something else */
	{"0-3 F16 2\n5 F16 2", "{5,'0-3'} F16 2 x2\n"},
	{"{a,b} F16 2\na,b F16 2", "{'{a,b}','a,b'} F16 2 x2\n"},
	{"x_0-3 F16 2\nx_5 F16 2", "{x_5,x_0-3} F16 2 x2\n"},
	{"a..b F16 2\na.b F16 2\n.a F16 2", "a.''.b F16 2\na.b F16 2\n''.a F16 2\n"},
	{"x\x1b[31m F16 2", "x\\x1b[31m F16 2\n"},
	{"1234567890123456789012 F16 2\n1234567890123456789013 F16 2",
	 "{1234567890123456789012,1234567890123456789013} F16 2 x2\n"},
	/* what all have in common */
	{"0.s F32\n0.e F32 1\n1.s F32\n1.e F32 2\n2.s F32\n2.e F32 1\n3.s F32\n3.e F32 3\n"
	 "4.s F32\n4.e F32 4\n5.s F32",
	 "0-5.s F32 x6\n0,2.e F32 1 x2\n1.e F32 2\n3.e F32 3\n4.e F32 4\n"},
	{"0.s F32\n0.e F32 1\n1.s F32\n1.e F32 2\n2.s F32\n2.e F32 1\n3.s F32\n3.e F32 3",
	 "0,2.s F32 x2\n0,2.e F32 1 x2\n1.s F32\n1.e F32 2\n3.s F32\n3.e F32 3\n"},
	{"l.0.a.p F32 7\nl.0.a.q F32 8\nl.0.b F32 1\nl.1.a.p F32 7\nl.1.a.q F32 8\nl.1.b F32 2\n"
	 "l.2.a.p F32 7\nl.2.a.q F32 8\nl.2.b F32 3\nl.3.a.p F32 7\nl.3.a.q F32 8\nl.3.b F32 4",
	 "l x12\n  0-3.a.p F32 7 x4\n  0-3.a.q F32 8 x4\n  0.b F32 1\n  1.b F32 2\n"
	 "  2.b F32 3\n  3.b F32 4\n"},
	/* what was shown before */
	{"a.0.p F16 1\na.1.w F16 1\na.1.x F16 2\na.1.y F16 3\na.1.z F16 4\n"
	 "a.2.u F16 9\na.2.1.w F16 1\na.2.1.x F16 2\na.2.1.y F16 3\na.2.1.z F16 4",
	 "a x10\n  0.p F16 1\n  1 x4\n    w F16 1\n    x F16 2\n    y F16 3\n    z F16 4\n"
	 "  2.u F16 9\n  2.1 like a.1 x4\n"},
};

START_TEST(lines_say_what_a_person_would)
{
	static model m;
	char told[4096] = "", line[1024];
	ck_folded f;
	ck_job *job = ck_base_job_new();
	read_model(&m, cases[_i].names);
	ck_assert(ck_fold(job, m.leaf, m.count, &f));
	for (size_t i = 0; i < f.count; i++) {
		print_line(line, sizeof line, &f.lines[i]);
		strcat(told, line);
	}
	const char *from = cases[_i].lines;
	ck_assert_msg(!strcmp(told, from), "is:\n%sshould be:\n%s", told, from);
	free(m.text);
	ck_base_job_free(job);
}
END_TEST

START_TEST(what_is_unfolded_is_what_was_folded)
{
	static model m;
	static const char *const words[] = {
		"a", "b", "q_proj", "k_proj", "v_proj", "w1", "w2", "w10", "0", "1", "2", "3", "10",
		"11", "x_0", "x_1", "x_2", "x_1_y", "x_2_y", "bn1", "bn2", "{a,b}", "0-2", "x_0-2",
		"007", "008", "009", "weight", "bias", "a,b", "to_q", "to_k", "d_0_e_1", "d_1_e_1",
		"d_0_e_0", "d_1_e_0", "-", "_", "a_", "_a", "1-", "-1", "1,2", "a-1", "a-2",
	};
	static const char *const kinds[] = {"F16 2", "F32 2", "F16 2 2", "F16"};
	static char text[LEAVES * 64];
	ck_folded f;
	unsigned seed = (unsigned)_i + 1;
	size_t at = 0, parts = 1 + seed % 4, some = 3 + seed % (CK_COUNT(words) - 3);
	ck_job *job = ck_base_job_new();
	text[0] = 0;
	for (int i = 0; i < 60; i++) {
		char name[256] = "";
		for (size_t p = 0; p < parts; p++) {
			strcat(name, p ? "." : "");
			strcat(name, words[(size_t)rand_r(&seed) % some]);
		}
		size_t kind = rand_r(&seed) % 8 ? 0 : (size_t)rand_r(&seed) % CK_COUNT(kinds);
		at += (size_t)sprintf(text + at, "%s %s\n", name, kinds[kind]);
	}
	read_model(&m, text);
	ck_assert(ck_fold(job, m.leaf, m.count, &f));
	ck_assert_uint_eq(check_unfolds(&m, &f), m.count);
	free(m.text);
	ck_base_job_free(job);
}
END_TEST

/* 100,000 words that have nothing in common, or as much as can be, and one of 130,000 dots. */
START_TEST(many_names_and_long_ones_need_little_time)
{
	enum { MANY = 100000, DOTS = 130000 };
	static ck_fold_leaf leaf[MANY];
	static char text[MANY][24], dots[DOTS];
	ck_folded f;
	ck_job *job = ck_base_job_new();
	for (unsigned i = 0; i < MANY; i++) {
		char *to = text[i];
		if (_i == 0)
			snprintf(to, sizeof text[i], "%x.w", i * 2654435761u);
		else if (_i == 1)
			snprintf(to, sizeof text[i], "l.%u.w", i);
		else if (_i == 2)
			snprintf(to, sizeof text[i], "l_%u_w", i);
		else if (_i == 3)
			snprintf(to, sizeof text[i], "%u-%u", i, i % 300);
		else
			snprintf(to, sizeof text[i], "a_%u_b_%u", i, i % 300);
		leaf[i] = (ck_fold_leaf){text[i], strlen(text[i]), "F32", 0, NULL, 4};
	}
	memset(dots, '.', DOTS);
	leaf[0].name = dots;
	leaf[0].len = DOTS;
	ck_assert(ck_fold(job, leaf, MANY, &f));
	ck_assert_uint_lt(f.count, 20);
	ck_base_job_free(job);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fold");
	TCase *tests = tcase_create("fold");
	tcase_add_loop_test(tests, lines_say_what_a_person_would, 0, (int)CK_COUNT(cases));
	tcase_add_loop_test(tests, what_is_unfolded_is_what_was_folded, 0, unit_rounds(500));
	tcase_add_loop_test(tests, many_names_and_long_ones_need_little_time, 0, 5);
	suite_add_tcase(suite, tests);
	return unit_run(suite);
}
