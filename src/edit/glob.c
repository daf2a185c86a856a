/* Globs for names: *, ?, [abc], [!a-z], and \ before a character that means itself. A name has no
 * parts: * goes over dots, too. The work is bounded by the product of both lengths. */
#include "edit.h"

/* One character of the pattern at *p against c; *p is then behind it. False: they differ. */
static bool match_set(const char **p, char c)
{
	const char *at = *p + 1;
	bool inverted = *at == '!' || *at == '^', found = false;
	at += inverted;
	for (const char *first = at; *at && (*at != ']' || at == first); at++) {
		unsigned char low = (unsigned char)*at, high = low;
		if (at[1] == '-' && at[2] && at[2] != ']') {
			high = (unsigned char)at[2];
			at += 2;
		}
		found = found || ((unsigned char)c >= low && (unsigned char)c <= high);
	}
	if (*at != ']') { /* it never ends, and so it is only a bracket */
		++*p;
		return c == '[';
	}
	*p = at + 1;
	return found != inverted;
}

static bool match_one(const char **p, char c)
{
	if (**p == '[')
		return match_set(p, c);
	bool any = **p == '?';
	if (**p == '\\' && (*p)[1])
		++*p;
	return *(*p)++ == c || any;
}

/* What follows the newest * is tried from one place after the other: an older * need not be moved,
 * because the newest can stand for whatever it would leave out. */
bool ck_glob_matches(const char *glob, const char *name, size_t len)
{
	const char *star = NULL, *from = NULL, *end = name + len;
	while (name < end) {
		const char *next = glob;
		if (*glob == '*') {
			star = ++glob;
			from = name;
		} else if (*glob && match_one(&next, *name)) {
			glob = next;
			name++;
		} else if (star) {
			glob = star;
			name = ++from;
		} else {
			return false;
		}
	}
	while (*glob == '*')
		glob++;
	return !*glob;
}
