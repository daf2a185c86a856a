/* Comparing: which tensors of two models belong together, and in what their elements differ. */
#ifndef CK_DIFF_DIFF_H
#define CK_DIFF_DIFF_H

#include "model.h"

/* When two elements are the same. Not `close`: when their bits are, or, where the dtypes differ,
 * when they are the same number or both NaN. `close`: as torch.isclose has it, with the tolerances
 * |a - b| <= atol + rtol * |b|, in double precision. */
typedef struct ck_rules {
	bool close;
	double atol, rtol; /* finite, not negative */
	bool equal_nan;    /* NaN is NaN, whatever its bits */
} ck_rules;

/* What the elements of two tensors have in common. */
typedef enum ck_numbers {
	CK_NUMBERS_NONE,    /* bits without a meaning, of one dtype; of two: not to be compared */
	CK_NUMBERS_WHOLE,
	CK_NUMBERS_REAL,
	CK_NUMBERS_COMPLEX
} ck_numbers;

ck_numbers ck_numbers_of(ck_dtype a, ck_dtype b);
/* Elements as doubles; of complex dtypes two for each. */
void ck_numbers_load(ck_dtype dtype, const void *items, size_t count, double *to);

/* In what two tensors differ. Elements of which one is NaN count in no maximum. */
typedef struct ck_unlike {
	uint64_t differing;
	uint64_t first;      /* index in C order of the first that differs, if any does */
	uint64_t nan_a, nan_b, nan_both; /* of those: NaN only here, only there, in both */
	double max_abs;      /* of |a - b|, of all elements */
	double max_rel;      /* of |a - b| / |b| */
	uint64_t max_whole;  /* the exact max_abs of whole numbers, */
	bool beyond;         /* unless that does not fit 64 bits, as between two dtypes */
} ck_unlike;

/* Adds up `count` elements of two dtypes that can be compared. *first receives the first of them
 * that differs, or `count`. `each`, if not NULL, is told each that differs. */
typedef void ck_tell_index(void *arg, size_t index);
void ck_values_compare(const ck_rules *rules, ck_dtype a, const void *of_a, ck_dtype b,
                       const void *of_b, size_t count, ck_unlike *to, size_t *first,
                       ck_tell_index *each, void *arg);

/* ---- tensors, block by block ---- */

enum {
	CK_BLOCK_BYTES = 256 << 10, /* of each tensor in a block, at most */
	CK_BLOCK_WINDOW = 1 << 20,  /* bytes of a storage that are read at once, at most */
	CK_BLOCK_ROOM = CK_BLOCK_WINDOW + CK_BLOCK_BYTES /* what reading needs: what is cast lies
	                                                  * behind the window before */
};

/* Where the elements of one tensor are. */
typedef struct ck_block_side {
	const ck_tensor *tensor;
	const ck_source *source;
	uint64_t base;           /* of the storage in it */
	ck_job *job;             /* has the errors of reading it */
	/* below: set by ck_blocks_make */
	size_t item;             /* bytes of an element in the storage, */
	size_t made;             /* and as an output holds it */
	uint64_t from;           /* bytes from `base` to the first element */
	uint64_t step[CK_DIMS_MAX];
	size_t order[CK_DIMS_MAX]; /* of dimensions, the one with the least step first */
} ck_block_side;

/* Two tensors of one shape, cut into blocks that both can be read in. */
typedef struct ck_blocks {
	ck_block_side side[2];
	size_t ndim;             /* of the dimensions that are left: at least 1 */
	uint64_t shape[CK_DIMS_MAX], size[CK_DIMS_MAX];
	uint64_t count;          /* of blocks; 0: there are no elements */
	size_t most;             /* elements of the largest block */
	bool sorted;             /* the dimensions are not in the order of the tensor: */
	size_t all;              /* how many there were, */
	uint64_t all_shape[CK_DIMS_MAX], all_step[CK_DIMS_MAX]; /* and their steps in C order */
} ck_blocks;

/* A block: where it begins, and its sizes. */
typedef struct ck_block {
	uint64_t at[CK_DIMS_MAX], size[CK_DIMS_MAX];
	size_t count;            /* elements */
} ck_block;

/* side[0] and side[1] say what to cut. */
void ck_blocks_make(ck_blocks *blocks);
void ck_blocks_find(const ck_blocks *blocks, uint64_t number, ck_block *block);
/* The place in C order of the tensor of element `index` of a block. */
uint64_t ck_blocks_index(const ck_blocks *blocks, const ck_block *block, size_t index);
/* Reads the elements of a block as an output would hold them: little endian, signs carried out,
 * cast. `room` has CK_BLOCK_ROOM bytes. */
bool ck_blocks_read(const ck_blocks *blocks, int side, const ck_block *block, unsigned char *to,
                    unsigned char *room);
/* True if a block is one run of bytes of that tensor, and the next block the next run. */
bool ck_blocks_are_runs(const ck_blocks *blocks, int side);

/* ---- all of two models ---- */

/* Two tensors of one name and shape, and dtypes that can be compared. */
typedef struct ck_match {
	const ck_tensor *tensor[2];
	ck_unlike unlike;        /* what came of it */
} ck_match;

typedef struct ck_diff_side {
	ck_job *job;             /* has its memory and errors */
	const ck_model *model;
	size_t unchecked;        /* receives the number of storages that carried no checksum */
} ck_diff_side;

/* Compares all matches, with up to `threads` threads; checks the checksum of each storage that they
 * need, once. False after a failure, of which `job` or that of a side knows. */
bool ck_diff_values(ck_job *job, ck_diff_side sides[2], ck_match *matches, size_t count,
                    const ck_rules *rules, unsigned threads);

/* Names in the order in which people count: numbers in them by their value. */
int ck_name_order(const char *a, size_t a_len, const char *b, size_t b_len);

/* One name of two models; NULL: the other has it. */
typedef struct ck_named {
	const ck_entry *entry[2];
} ck_named;

/* All names of two models in order. NULL after a failure. */
ck_named *ck_diff_join(ck_job *job, const ck_model *a, const ck_model *b, size_t *count);

#endif
