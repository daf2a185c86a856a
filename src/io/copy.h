/* Inside the copy engine: what a plan is cut into (copy_plan.c) and carried out from (copy.c).
 *
 * Three kinds of unit. A *part* is a piece of one input, read front to back; its CRC is taken on
 * the way and the moves that touch it are written. A *batch* is a stretch of the output that many
 * small inputs fill: they are gathered in memory and written at once. A *gather* is a tensor, or
 * some of its rows, whose elements change their order (gather.c). */
#ifndef CK_IO_COPY_H
#define CK_IO_COPY_H

#include "io.h"

enum {
	CK_COPY_CHUNK = 512 << 10, /* bytes read at once: small enough to stay in a core's cache */
	CK_COPY_PART = 8 << 20,    /* bytes of a part: what one thread takes at a time */
	CK_COPY_SMALL = 64 << 10,  /* inputs up to this size are batched */
};

typedef enum ck_unit_kind { CK_UNIT_PART, CK_UNIT_BATCH, CK_UNIT_GATHER } ck_unit_kind;

typedef struct ck_unit {
	ck_unit_kind kind;
	size_t index;        /* part: number of the part; batch: first move; gather: row */
	uint64_t from, size; /* part: bytes of the input; batch: count of moves; gather: rows */
} ck_unit;

typedef struct ck_copy_part {
	size_t input;
	uint64_t from, size;
	uint32_t crc;
} ck_copy_part;

/* A plan, cut. */
typedef struct ck_copy_units {
	ck_copy_part *parts;
	size_t part_count, part_cap;
	ck_unit *units;
	size_t unit_count, unit_cap;
	uint64_t *reach;     /* per move: the furthest end of the input's moves up to this one */
	ck_copy_move *batch; /* moves of small inputs, in the order of the output */
	size_t batch_count;
	uint64_t total;      /* bytes of work */
} ck_copy_units;

/* Sorts the moves of the plan by input and place, and cuts all into units. */
bool ck_copy_cut(ck_job *job, ck_copy_plan *plan, ck_copy_units *units);
/* True for inputs that are read whole, in a batch. */
bool ck_copy_is_small(const ck_copy_input *input);

#endif
