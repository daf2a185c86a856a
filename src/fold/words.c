/* Words, as they are shown, in their order, and numbers as ranges. */
#include "words.h"

#include <stdlib.h>

bool ck_fold_add(ck_job *job, ck_fold_list *to, const char *text)
{
	const char **grown = ck_grow(job, to->text, &to->cap, to->count + 1, sizeof *grown);
	if (!grown)
		return false;
	to->text = grown;
	grown[to->count++] = text;
	return true;
}

/* ---- words ---- */

/* What would be read as a range, or as the end of an expression. */
static bool misleads(const char *text, size_t len)
{
	size_t digits = 0, dashes = 0;
	for (size_t i = 0; i < len; i++) {
		if (strchr("{},' \"", text[i])) /* NUL, too */
			return true;
		digits += ck_fold_is_digit(text[i]);
		dashes += text[i] == '-';
	}
	return !len || (dashes && digits + dashes == len);
}

static bool has_range(const char *text, size_t len)
{
	for (size_t i = 1; i + 1 < len; i++)
		if (text[i] == '-' && ck_fold_is_digit(text[i - 1]) &&
		    ck_fold_is_digit(text[i + 1]))
			return true;
	return false;
}

ck_fold_word ck_fold_word_of(ck_job *job, const char *text, size_t len)
{
	size_t room = 8 * len + 3; /* whatever is escaped */
	char *shown = ck_alloc(job, room);
	if (!shown)
		return (ck_fold_word){0};
	size_t got = ck_show_to(shown + 1, room - 1, text, len);
	bool changed = got != len || memcmp(shown + 1, text, len) != 0;
	bool quoted = misleads(text, len);
	char *start = shown + !quoted;
	if (quoted) {
		shown[0] = shown[got + 1] = '\'';
		shown[got + 2] = 0;
		got += 2;
	}
	char *kept = ck_copy(job, start, got);
	return (ck_fold_word){kept, got, changed || quoted || has_range(text, len)};
}

bool ck_fold_is_number(const ck_fold_word *word)
{
	for (size_t i = 0; i < word->len; i++)
		if (!ck_fold_is_digit(word->text[i]))
			return false;
	return word->len && word->len <= CK_FOLD_DIGITS && (word->len == 1 || word->text[0] != '0');
}

static int compare_digits(const char *a, size_t a_len, const char *b, size_t b_len)
{
	for (; a_len > 1 && *a == '0'; a_len--)
		a++;
	for (; b_len > 1 && *b == '0'; b_len--)
		b++;
	if (a_len != b_len)
		return a_len < b_len ? -1 : 1;
	return memcmp(a, b, a_len);
}

int ck_fold_compare(const ck_fold_word *a, const ck_fold_word *b)
{
	const char *s = a->text, *t = b->text;
	int order = 0;
	while (*s && *t) {
		size_t m = ck_fold_digits(s), n = ck_fold_digits(t);
		if (!m != !n || (!m && *s != *t))
			return 0;
		if (m && !order)
			order = compare_digits(s, m, t, n);
		s += m ? m : 1;
		t += n ? n : 1;
	}
	return *s || *t ? 0 : order;
}

/* ---- numbers ---- */

static int by_number(const void *a, const void *b)
{
	const char *s = *(const char *const *)a, *t = *(const char *const *)b;
	int order = compare_digits(s, strlen(s), t, strlen(t));
	return order ? order : (strlen(s) > strlen(t)) - (strlen(s) < strlen(t));
}

/* 7 and 8, 09 and 10. */
static bool follows(const char *a, const char *b)
{
	bool padded = a[0] == '0' || b[0] == '0';
	return strtoull(a, NULL, 10) + 1 == strtoull(b, NULL, 10) &&
	       (strlen(a) == strlen(b) || !padded || !strcmp(a, "0"));
}

bool ck_fold_numbers(ck_job *job, const ck_fold_list *numbers, size_t least, ck_text *to)
{
	const char **sorted = numbers->text;
	qsort(sorted, numbers->count, sizeof *sorted, by_number);
	for (size_t i = 0, end; i < numbers->count; i = end) {
		for (end = i + 1; end < numbers->count && follows(sorted[end - 1], sorted[end]);)
			end++;
		bool range = end - i >= least;
		const char *last = sorted[end - 1];
		if (!range)
			end = i + 1;
		if ((i && !ck_text_add(job, to, ",", 1)) ||
		    !ck_text_add(job, to, sorted[i], strlen(sorted[i])) ||
		    (range && (!ck_text_add(job, to, "-", 1) ||
		               !ck_text_add(job, to, last, strlen(last)))))
			return false;
	}
	return true;
}
