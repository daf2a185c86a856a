/* Inside the fold room: words, and lists of what is left of them. */
#ifndef CK_FOLD_WORDS_H
#define CK_FOLD_WORDS_H

#include "fold.h"

/* All end with NUL. */
typedef struct ck_fold_list {
	const char **text;
	size_t count, cap;
} ck_fold_list;

bool ck_fold_add(ck_job *job, ck_fold_list *to, const char *text);

static inline bool ck_fold_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

enum { CK_FOLD_DIGITS = 18 }; /* of a number; strings of more are text */

/* The digits that a text begins with. */
static inline size_t ck_fold_digits(const char *text)
{
	size_t len = 0;
	while (ck_fold_is_digit(text[len]))
		len++;
	return len;
}

/* "0-2,5": sorts the numbers; ranges have at least `least` of them. */
bool ck_fold_numbers(ck_job *job, const ck_fold_list *numbers, size_t least, ck_text *to);

#endif
