/* Inside the load room: joblib's arrays, whose bytes lie in the middle of a pickle. */
#ifndef CK_LOAD_JOBLIB_H
#define CK_LOAD_JOBLIB_H

#include "load.h"

/* Lets torch->seen find the arrays behind their wrappers when the pickle is read. */
void ck_joblib_watch(ck_torch *torch);
/* NumpyArrayWrapper: an array that ck_joblib_watch has not found */
ck_rebuild ck_rebuild_joblib;
/* NDArrayWrapper, ZNDArrayWrapper (joblib before 0.10): an array in a file of its own */
ck_rebuild ck_rebuild_joblib_file;

#endif
