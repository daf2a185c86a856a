/* Whether an output holds what it should. */
#ifndef CK_CHECK_H
#define CK_CHECK_H

#include "save.h"

/* Reads the files of `to`, which writer->write wrote for this model, and compares names, dtypes,
 * shapes, bits and metadata with it. Fails with CK_MISMATCH where they differ. */
bool ck_check_written(ck_job *job, const ck_writer *writer, const ck_model *model,
                      const ck_target *to);

#endif
