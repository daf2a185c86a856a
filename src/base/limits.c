/* The limits as a table: their defaults, and how one is set from "name=value". */
#include "base.h"

#include <string.h>

const ck_limit_row ck_limit_table[] = {
#define X(name, value, about) {#name, value, about, offsetof(ck_limits, name)},
	CK_LIMITS(X)
#undef X
	{NULL, 0, NULL, 0},
};

static uint64_t *field(ck_limits *limits, const ck_limit_row *row)
{
	return (uint64_t *)(void *)((char *)limits + row->at);
}

void ck_limits_default(ck_limits *limits)
{
	for (const ck_limit_row *row = ck_limit_table; row->name; row++)
		*field(limits, row) = row->value;
}

void ck_limits_follow(ck_job *job, uint64_t input)
{
	uint64_t heap;
	job->input = input;
	if (!job->heap_given && ck_mul(input, CK_HEAP_PER_BYTE, &heap) &&
	    ck_add(heap, CK_HEAP_BASE, &heap) && heap < job->limits.heap)
		job->limits.heap = heap;
}

/* Decimal digits with at most one unit letter behind them. */
static bool parse_amount(const char *text, uint64_t *value)
{
	static const char units[] = "KMGT";
	uint64_t sum = 0;
	if (*text < '0' || *text > '9')
		return false;
	for (; *text >= '0' && *text <= '9'; text++)
		if (!ck_mul(sum, 10, &sum) || !ck_add(sum, (uint64_t)(*text - '0'), &sum))
			return false;
	if (*text) {
		const char *unit = strchr(units, *text);
		if (!unit || text[1])
			return false;
		if (!ck_mul(sum, UINT64_C(1) << (10 * (unit - units + 1)), &sum))
			return false;
	}
	*value = sum;
	return true;
}

bool ck_limits_set(ck_job *job, const char *text)
{
	size_t len = strcspn(text, "=");
	for (const ck_limit_row *row = ck_limit_table; row->name; row++) {
		if (strlen(row->name) != len || memcmp(row->name, text, len) != 0)
			continue;
		if (text[len] != '=' || !parse_amount(text + len + 1, field(&job->limits, row)))
			return ck_fail(job, CK_USAGE, "",
			               "limit '%s' needs a whole number, such as %s=1000 or %s=64M",
			               row->name, row->name, row->name);
		job->heap_given |= row->at == offsetof(ck_limits, heap);
		return true;
	}
	return ck_fail(job, CK_USAGE, "", "there is no limit '%s'; ckconv --help lists them",
	               ck_show(text, len).s);
}

bool ck_fail_limit(ck_job *job, const char *where, const char *name)
{
	for (const ck_limit_row *row = ck_limit_table; row->name; row++) {
		if (strcmp(row->name, name) != 0)
			continue;
		/* "(unless set: ...)" is no news to whoever has set it */
		bool given = job->heap_given && row->at == offsetof(ck_limits, heap);
		size_t len = given ? strcspn(row->about, "(") - 1 : strlen(row->about);
		return ck_fail(job, CK_LIMIT, where,
		               "more than %llu %.*s; if the file can be trusted to need it, "
		               "raise the limit with --limit %s=N",
		               (unsigned long long)*field(&job->limits, row), (int)len, row->about,
		               name);
	}
	return ck_fail(job, CK_LIMIT, where, "limit %s", name);
}
