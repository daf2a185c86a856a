/* Names of one file that are those of the other behind a prefix, as wrappers put one before all
 * names: what would bring them together. */
#include "page.h"

#include <stdlib.h>
#include <string.h>

enum { PREFIX_MOST = 200 };

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names that one file alone has. */
static const char **list_only(const ck_diff_result *result, bool b, size_t *count)
{
	const char **names = malloc((result->count + 1) * sizeof *names);
	*count = 0;
	for (size_t i = 0; names && i < result->count; i++) {
		const ck_difference *d = &result->differences[i];
		if (b ? !d->in_a : !d->in_b)
			names[(*count)++] = d->name;
	}
	if (names)
		qsort(names, *count, sizeof *names, by_bytes);
	return names;
}

static bool holds(const char *const *names, size_t count, const char *name)
{
	return bsearch(&name, names, count, sizeof *names, by_bytes);
}

/* Whether it can be typed as it is. */
static bool is_plain(const char *text, size_t len)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	                            "_.-";
	return len <= PREFIX_MOST && *text != '-' && strspn(text, plain) >= len;
}

/* How much of the first name must go for it to be one of the others; 0: that makes none of it. */
static size_t find_prefix(const char *name, const char *const *others, size_t count)
{
	for (const char *dot = strchr(name, '.'); dot; dot = strchr(dot + 1, '.'))
		if (is_plain(name, (size_t)(dot + 1 - name)) && holds(others, count, dot + 1))
			return (size_t)(dot + 1 - name);
	return 0;
}

static bool tell(cli_page *page, const char *const *names, size_t count,
                 const char *const *others, size_t other_count, char which)
{
	size_t len = 0, alike = 0;
	const char *name = NULL;
	for (size_t i = 0; i < count && !len; i++)
		len = find_prefix(name = names[i], others, other_count);
	for (size_t i = 0; len && i < count; i++)
		alike += !strncmp(names[i], name, len) &&
		         holds(others, other_count, names[i] + len);
	if (alike)
		cli_page_line(page, 0, "%zu of the %zu names only in %c are those of %c behind "
		              "'%.*s': --strip-prefix %.*s", alike, count, which,
		              which == 'A' ? 'B' : 'A', (int)len, name, (int)len, name);
	return alike;
}

void cli_diff_hint(cli_page *page, const ck_diff_result *result)
{
	size_t count[2];
	const char **a = list_only(result, false, &count[0]);
	const char **b = list_only(result, true, &count[1]);
	if (a && b && !tell(page, b, count[1], a, count[0], 'B'))
		tell(page, a, count[0], b, count[1], 'A');
	free(a);
	free(b);
}
