/* Runs tests/pickle.test: groups of three lines, the opcodes, the bytes and what must come out.
 *
 *     BININT1 STOP        the opcodes, as the step reader must find them
 *     K\xff.              the input; \xNN, \n, \\ and \t as in C
 *     255                 the tree that must come out, or "error: " and a part of the message
 *
 * Of an input that fails, the opcodes up to the one that fails are named, and none behind it. Lines
 * that begin with # are comments. At the end every opcode must have been seen in a group that
 * succeeds and as the failing one of a group that does not, except those that cannot fail. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pickle.h"
#include "unit.h"

enum { LINE = 1 << 16 };

static const char *groups_path;
static bool succeeded[256], failed_at[256];

/* Opcodes that have nothing to check: no argument, no look at the stack. */
static const char *const cannot_fail[] = {
	"MARK", "NONE", "NEWTRUE", "NEWFALSE", "EMPTY_LIST", "EMPTY_DICT", "EMPTY_SET",
	"EMPTY_TUPLE", "NEXT_BUFFER",
};

static size_t unescape(const char *line, unsigned char *to)
{
	size_t len = 0;
	while (*line) {
		if (*line != '\\') {
			to[len++] = (unsigned char)*line++;
			continue;
		}
		line++;
		if (*line == 'x') {
			char hex[3] = {line[1], line[2], 0};
			to[len++] = (unsigned char)strtoul(hex, NULL, 16);
			line += 3;
		} else {
			to[len++] = *line == 'n' ? '\n'
			          : *line == 't' ? '\t' : (unsigned char)*line;
			line++;
		}
	}
	return len;
}

typedef struct {
	char names[LINE]; /* with blanks between them */
	struct {
		uint8_t code;
		uint64_t from, to; /* its bytes */
		size_t named;      /* length of names, this one included */
	} op[LINE];
	size_t count;
} listing;

/* The opcodes up to STOP or to the first failure of the step reader. One whose argument fails
 * reaches to the end of all bytes: whatever is wrong there is wrong with it. */
static void list_opcodes(const unsigned char *data, size_t len, listing *list)
{
	ck_job *job = ck_base_job_new();
	ck_steps steps = {0};
	ck_step step;
	*list->names = 0;
	list->count = 0;
	ck_assert(ck_steps_begin(job, &steps, ck_source_memory(job, "test", data, len), 0));
	for (bool more = true; more;) {
		uint64_t at = steps.at;
		bool ok = ck_steps_next(&steps, &step);
		if (at >= len || !ck_op_table[data[at]].name)
			break;
		strcat(list->names, list->count ? " " : "");
		strcat(list->names, ck_op_table[data[at]].name);
		size_t i = list->count++;
		list->op[i].code = data[at];
		list->op[i].from = at;
		list->op[i].to = ok ? steps.at : UINT64_MAX;
		list->op[i].named = strlen(list->names);
		more = ok && data[at] != '.';
	}
	ck_base_job_free(job);
}

/* Notes the opcode at which the machine failed, and drops what is named behind it. */
static void note_failure(listing *list, const ck_error *error)
{
	for (size_t i = 0; i < list->count && error->has_offset; i++) {
		if (error->offset < list->op[i].from || error->offset >= list->op[i].to)
			continue;
		failed_at[list->op[i].code] = true;
		list->names[list->op[i].named] = 0;
		return;
	}
}

static void run_group(int line, const char *opcodes, const char *input, const char *expected)
{
	static unsigned char data[LINE];
	static listing list;
	size_t len = unescape(input, data);
	list_opcodes(data, len, &list);
	ck_job *job = ck_base_job_new();
	const ck_source *source = ck_source_memory(job, "test", data, len);
	uint64_t at = 0;
	ck_text text = {0};
	ck_value *value = ck_pickle_read(job, source, &at, NULL);
	if (strncmp(expected, "error: ", 7) == 0) {
		ck_assert_msg(!value, "line %d: must fail", line);
		ck_assert_msg(strstr(job->error.text, expected + 7), "line %d: fails with: %s",
		              line, job->error.text);
		note_failure(&list, &job->error);
	} else {
		ck_assert_msg(value, "line %d: fails with: %s", line, job->error.text);
		ck_assert(ck_print_tree(job, &text, value) && ck_text_add(job, &text, "", 1));
		ck_assert_msg(strcmp(text.data, expected) == 0, "line %d: gives %s", line,
		              text.data);
		for (size_t i = 0; i < list.count; i++)
			succeeded[list.op[i].code] = true;
	}
	ck_assert_msg(strcmp(list.names, opcodes) == 0, "line %d: the opcodes are %s", line,
	              list.names);
	ck_base_job_free(job);
}

static bool read_line(FILE *file, char *line, int *number)
{
	while (fgets(line, LINE, file)) {
		++*number;
		line[strcspn(line, "\n")] = 0;
		if (*line && *line != '#')
			return true;
	}
	return false;
}

START_TEST(every_group_gives_what_it_says)
{
	static char opcodes[LINE], input[LINE], expected[LINE];
	FILE *file = fopen(groups_path, "r");
	int number = 0, groups = 0;
	ck_assert_msg(file, "cannot open %s", groups_path);
	while (read_line(file, opcodes, &number)) {
		ck_assert(read_line(file, input, &number) && read_line(file, expected, &number));
		run_group(number, opcodes, input, expected);
		groups++;
	}
	fclose(file);
	printf("%d groups\n", groups);
	ck_assert_int_gt(groups, 100);
	for (int code = 0; code < 256; code++) {
		const char *name = ck_op_table[code].name;
		bool can_fail = true;
		for (size_t i = 0; i < CK_COUNT(cannot_fail); i++)
			can_fail = can_fail && !(name && strcmp(name, cannot_fail[i]) == 0);
		ck_assert_msg(!name || succeeded[code], "no group with %s succeeds", name);
		ck_assert_msg(!name || !can_fail || failed_at[code], "no group fails at %s", name);
	}
}
END_TEST

/* What the way for short decimals makes must be what the C library makes. */
static void compare_float(const char *text)
{
	double value = 0, want = strtod(text, NULL);
	ck_assert_msg(ck_literal_float(text, strlen(text), &value), "%s", text);
	ck_assert_msg(memcmp(&value, &want, sizeof value) == 0, "%s: %a, not %a", text, value,
	              want);
}

START_TEST(floats_are_those_of_the_c_library)
{
	static const char *const corners[] = {
		"0", "-0", "-0.0", ".5", "5.", "00.5", "9007199254740993", "9007199254740993.0",
		"9007199254740992.5", "9007199254740993.5", "18014398509481986",
		"1152921504606847040.5",
		"9999999999999999999", "0.9999999999999999999", "0.0000000000000000001",
		"99999999999999999999", "0.00000000000000000001", "4.35", "1e22", "1e-7", "0.1e1",
		"0.500000000000000166", "0.50000000000000016653",
	};
	char text[64];
	uint64_t state = 88172645463325252u;
	for (size_t i = 0; i < CK_COUNT(corners); i++)
		compare_float(corners[i]);
	for (int i = 0; i < 300000; i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		int digits = (int)(state % 20), before = (int)(state >> 8 & 31) % (digits + 1);
		const char *sign = state >> 20 & 1 ? "-" : "";
		int len = snprintf(text, sizeof text, "%s%0*llu", sign, digits,
		                   (unsigned long long)(state >> 4));
		len = len < digits + 1 ? len : digits + 1;
		int behind = digits - before;
		snprintf(text + len - behind, sizeof text - 40, ".%0*llu", behind,
		         (unsigned long long)(state >> 30) % 1000000007);
		compare_float(text);
	}
}
END_TEST

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	groups_path = argv[1];
	Suite *suite = suite_create("pickle.test");
	TCase *tcase = tcase_create("groups");
	tcase_add_test(tcase, every_group_gives_what_it_says);
	tcase_add_test(tcase, floats_are_those_of_the_c_library);
	tcase_set_timeout(tcase, 120);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
