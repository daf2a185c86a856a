/* Keeps the books on the bytes of a source: what is claimed, claimed twice, or left. */
#include "regions.h"

#include <stdlib.h>

bool ck_regions_claim(ck_job *job, ck_regions *regions, uint64_t from, uint64_t to)
{
	if (to <= from)
		return true;
	/* most files are read from front to back */
	if (regions->count && regions->region[regions->count - 1].to == from) {
		regions->region[regions->count - 1].to = to;
		regions->settled = false;
		return true;
	}
	ck_region *grown = ck_grow(job, regions->region, &regions->cap, regions->count + 1,
	                           sizeof *grown);
	if (!grown)
		return false;
	regions->region = grown;
	grown[regions->count++] = (ck_region){from, to};
	regions->settled = false;
	return true;
}

static int by_start(const void *left, const void *right)
{
	const ck_region *a = left, *b = right;
	return (a->from > b->from) - (a->from < b->from);
}

void ck_regions_settle(ck_regions *regions)
{
	size_t kept = 0;
	if (regions->settled || !regions->count)
		return;
	qsort(regions->region, regions->count, sizeof *regions->region, by_start);
	for (size_t i = 1; i < regions->count; i++) {
		ck_region *last = &regions->region[kept], *next = &regions->region[i];
		if (next->from < last->to && !regions->overlaps++)
			regions->overlap_at = next->from;
		if (next->from > last->to)
			regions->region[++kept] = *next;
		else if (next->to > last->to)
			last->to = next->to;
	}
	regions->count = kept + 1;
	regions->settled = true;
}

/* The first region that ends behind `at`. */
static size_t find(const ck_regions *regions, uint64_t at)
{
	size_t low = 0, high = regions->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (regions->region[middle].to > at)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

bool ck_regions_hold(ck_regions *regions, uint64_t at)
{
	ck_regions_settle(regions);
	size_t i = find(regions, at);
	return i < regions->count && regions->region[i].from <= at;
}

bool ck_regions_gap(ck_regions *regions, uint64_t size, uint64_t *at, ck_region *gap)
{
	ck_regions_settle(regions);
	for (size_t i = find(regions, *at); *at < size; i++) {
		uint64_t from = i < regions->count ? regions->region[i].from : size;
		if (from > *at) {
			*gap = (ck_region){*at, from < size ? from : size};
			*at = gap->to;
			return true;
		}
		*at = regions->region[i].to;
	}
	return false;
}
