/* What the unit tests share: a job that is freed, and ways to look at its error. */
#ifndef CK_UNIT_H
#define CK_UNIT_H

#include <check.h>
#include <stdlib.h>

#include "base.h"

/* Fails the test unless the job failed with this status and a text that contains `part`. */
#define ck_assert_failed(job, expected, part)                                              \
	do {                                                                               \
		ck_assert_int_eq((job)->error.status, (expected));                         \
		ck_assert_msg(strstr((job)->error.text, (part)), "error says: %s",         \
		              (job)->error.text);                                          \
	} while (0)

/* For what is looked at a million times: ck_assert tells the runner of each that passes. */
#define ck_assert_quick(condition)                                                         \
	do {                                                                               \
		if (!(condition))                                                          \
			ck_abort_msg("not so: %s", #condition);                            \
	} while (0)

/* How often a test with random numbers is run: a tenth of it where each takes fifty times as long,
 * as under valgrind, which is told by $UNIT_FEW_ROUNDS. */
static inline int unit_rounds(int many)
{
	return getenv("UNIT_FEW_ROUNDS") ? (many + 9) / 10 : many;
}

/* Runs a suite; returns the exit status of the program. */
static inline int unit_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}

#endif
