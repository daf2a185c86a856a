/* Inside the audit room: where something may begin. */
#ifndef CK_AUDIT_STARTS_H
#define CK_AUDIT_STARTS_H

#include <stdbool.h>
#include <stddef.h>

/* What reaches over the end of a piece must be found again in the next one. */
enum { CK_STARTS_OVERLAP = 600 };

/* Where in `data` something may begin, or `len`. `packed`: the bytes look random, so that short
 * magic numbers say nothing. */
size_t ck_starts_find(const unsigned char *data, size_t len, bool packed);

#endif
