/* Fuzz targets have one function, LLVMFuzzerTestOneInput. Built by clang with -fsanitize=fuzzer they
 * fuzz (tests/fuzz/run.sh); built plainly, with replay.c, they run once over given files, which is
 * how they take part in the test suite. */
#ifndef CK_FUZZ_H
#define CK_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
