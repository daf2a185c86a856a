/* Inside the audit room: which bytes of a source belong to something that is known. */
#ifndef CK_AUDIT_REGIONS_H
#define CK_AUDIT_REGIONS_H

#include "base.h"

typedef struct ck_region {
	uint64_t from, to;
} ck_region;

/* Regions that were claimed, sorted and joined when somebody asks. */
typedef struct ck_regions {
	ck_region *region;
	size_t count, cap;
	bool settled;
	uint64_t overlaps;   /* claims that begin inside an earlier one, once settled */
	uint64_t overlap_at; /* where the first of them is */
} ck_regions;

/* Nothing is claimed if `to` is not behind `from`. */
bool ck_regions_claim(ck_job *job, ck_regions *regions, uint64_t from, uint64_t to);
void ck_regions_settle(ck_regions *regions);
/* Whether somebody claimed the byte at `at`. */
bool ck_regions_hold(ck_regions *regions, uint64_t at);
/* The next bytes from *at on, below `size`, that nobody claimed; *at is then behind them. */
bool ck_regions_gap(ck_regions *regions, uint64_t size, uint64_t *at, ck_region *gap);

#endif
