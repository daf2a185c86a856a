/* The names of two models, side by side. */
#include "diff.h"

#include <stdlib.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static size_t digits(const char *text, size_t len)
{
	size_t count = 0;
	while (count < len && is_digit(text[count]))
		count++;
	return count;
}

static size_t zeros(const char *text, size_t len)
{
	size_t count = 0;
	while (count < len && text[count] == '0')
		count++;
	return count;
}

/* Numbers without a sign, of any length: without its zeros in front the longer one is greater. */
static int number_order(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t skip_a = zeros(a, a_len), skip_b = zeros(b, b_len);
	if (a_len - skip_a != b_len - skip_b)
		return a_len - skip_a < b_len - skip_b ? -1 : 1;
	return memcmp(a + skip_a, b + skip_b, a_len - skip_a);
}

static int bytes_order(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int order = memcmp(a, b, a_len < b_len ? a_len : b_len);
	return order ? order : (a_len > b_len) - (a_len < b_len);
}

int ck_name_order(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t i = 0, k = 0;
	while (i < a_len && k < b_len) {
		size_t of_a = digits(a + i, a_len - i), of_b = digits(b + k, b_len - k);
		if (of_a && of_b) {
			int order = number_order(a + i, of_a, b + k, of_b);
			if (order)
				return order;
			i += of_a;
			k += of_b;
			continue;
		}
		if (a[i] != b[k])
			return (unsigned char)a[i] < (unsigned char)b[k] ? -1 : 1;
		i++;
		k++;
	}
	if (i < a_len || k < b_len)
		return i < a_len ? 1 : -1;
	return bytes_order(a, a_len, b, b_len); /* 1 and 01 */
}

static int entry_order(const ck_entry *a, const ck_entry *b)
{
	return ck_name_order(a->name, a->name_len, b->name, b->name_len);
}

static int by_name(const void *a, const void *b)
{
	return entry_order(*(const ck_entry *const *)a, *(const ck_entry *const *)b);
}

static const ck_entry **sort(ck_job *job, const ck_model *model)
{
	const ck_entry **sorted = ck_alloc_array(job, model->count + 1, sizeof *sorted);
	if (!sorted)
		return NULL;
	for (size_t i = 0; i < model->count; i++)
		sorted[i] = &model->entries[i];
	qsort(sorted, model->count, sizeof *sorted, by_name);
	return sorted;
}

ck_named *ck_diff_join(ck_job *job, const ck_model *a, const ck_model *b, size_t *count)
{
	const ck_entry **of_a = sort(job, a), **of_b = of_a ? sort(job, b) : NULL;
	ck_named *named = of_b ? ck_alloc_array(job, a->count + b->count + 1, sizeof *named) : NULL;
	size_t i = 0, k = 0;
	*count = 0;
	while (named && (i < a->count || k < b->count)) {
		int order = i == a->count   ? 1
		            : k == b->count ? -1
		                            : entry_order(of_a[i], of_b[k]);
		ck_named *next = &named[(*count)++];
		*next = (ck_named){{order <= 0 ? of_a[i] : NULL, order >= 0 ? of_b[k] : NULL}};
		i += order <= 0;
		k += order >= 0;
	}
	return named;
}
