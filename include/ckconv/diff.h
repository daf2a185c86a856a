/* libckconv: comparing two checkpoints, tensor by tensor, whatever their formats are. Nothing is
 * run or loaded, and memory does not follow the bytes of tensors. */
#ifndef CKCONV_DIFF_H
#define CKCONV_DIFF_H

#include <ckconv/ckconv.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { CK_DIFF_SCHEMA = 1 };

typedef struct ck_diff_options {
	/* How A and B are read: all that they say of what is taken from the input, but for
	 * `ties`, which are kept. Of the rest, `metadata` and `extras` are looked at and change
	 * nothing in a comparison. NULL: as ck_options_default has it. */
	const ck_options *a, *b;
	/* Elements are the same if their bits are; of two dtypes, if they are the same number, or
	 * both NaN. With `close` they are as torch.isclose has it: if they are equal, or if
	 * |a - b| <= atol + rtol * |b|, in double precision. */
	bool close;
	double atol, rtol;
	bool equal_nan;    /* NaN is NaN, whatever its bits, and with `close`, too */
	bool ignore_dtype; /* another dtype alone is no difference */
	unsigned threads;  /* 0: as many as there are processors */
} ck_diff_options;

/* A tensor that is not the same in A and B. */
typedef struct ck_difference {
	const char *name;        /* ends with NUL, and may hold others: */
	size_t name_len;
	bool in_a, in_b;
	ck_tensor_info a, b;     /* where it is */
	bool dtype, shape, values; /* what differs, if it is in both */
	bool compared;           /* its values were: not if shapes differ, or a dtype has none */
	bool numbers;            /* they mean something: there are maxima */
	bool whole;              /* they are whole numbers: max_whole is the exact max_abs */
	uint64_t elements, differing;
	uint64_t first;          /* position in C order of the first that differs, if any does */
	uint64_t nan_a, nan_b, nan_both; /* of those: NaN in A alone, in B alone, in both */
	double max_abs, max_rel; /* the greatest |a - b| and |a - b| / |b| of all elements, but for
	                          * those that are NaN; infinity is possible */
	uint64_t max_whole;
} ck_difference;

typedef struct ck_diff_result {
	bool same;
	const char *path[2], *layout[2];
	size_t tensors[2];
	size_t both;             /* names in A and in B */
	size_t equal;            /* of those: the same */
	size_t only[2];          /* names in A alone, in B alone */
	size_t dtypes, shapes, values; /* tensors that differ in these */
	uint64_t bytes;          /* of the tensors of A whose values were compared */
	double max_abs, max_rel; /* over all tensors */
	const ck_difference *differences; /* by name; numbers in names by their value */
	size_t count;
} ck_diff_result;

typedef struct ck_diff ck_diff;

/* Opens two files by their names: the only part of a comparison that does. `options` must live as
 * long as the job. Notes begin with the path that they are about. NULL after a failure. */
CK_API ck_diff *ck_diff_open(ck_job *job, const char *a, const char *b,
                             const ck_diff_options *options);
/* As those of a conversion: names of files that an input names, which `answer` opens. */
CK_API bool ck_diff_is_open(const ck_diff *diff);
CK_API const void *ck_diff_ask(ck_diff *diff, size_t *len);
CK_API bool ck_diff_answer(ck_diff *diff, const void *names, size_t len);
/* As ck_scan_descriptors. */
CK_API size_t ck_diff_descriptors(const ck_diff *diff, int *to, size_t max);
/* As ck_convert_file_max. */
CK_API uint64_t ck_diff_file_max(const ck_diff *diff);
/* Compares them. The result lives as long as the job. NULL after a failure: a file that is damaged,
 * or would not be converted. */
CK_API const ck_diff_result *ck_diff_run(ck_diff *diff);

/* One JSON object with the result, without a newline, piece by piece: `put` is called until it
 * returns false. False after a failure of either. */
CK_API bool ck_diff_json(ck_job *job, const ck_diff_result *result,
                         bool (*put)(void *arg, const char *text, size_t len), void *arg);

#ifdef __cplusplus
}
#endif

#endif
