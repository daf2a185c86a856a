/* What names a thing for good: digests that nobody can forge. The only room that knows OpenSSL. */
#ifndef CK_SIGN_H
#define CK_SIGN_H

#include "base.h"

/* SHA-256, which asks neither the system nor the heap for anything. A digest begins, takes any
 * number of pieces, and ends; it cannot fail. */
enum { CK_SHA256_SIZE = 32 }; /* bytes */
typedef struct ck_sha256 {
	uint32_t state[28];
} ck_sha256;
void ck_sha256_begin(ck_sha256 *sum);
void ck_sha256_add(ck_sha256 *sum, const void *data, size_t len);
void ck_sha256_end(ck_sha256 *sum, unsigned char digest[CK_SHA256_SIZE]);

#endif
