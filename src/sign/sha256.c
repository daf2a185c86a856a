/* SHA-256 by libcrypto. */
#include "sign.h"

#include <string.h>

/* The plain functions, and not EVP, which reads files and takes locks before the first digest: a
 * confined process cannot. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

_Static_assert(sizeof(SHA256_CTX) == sizeof(ck_sha256), "sign.h has room for it");

void ck_sha256_begin(ck_sha256 *sum)
{
	SHA256_CTX context;
	SHA256_Init(&context);
	memcpy(sum->state, &context, sizeof context);
}

void ck_sha256_add(ck_sha256 *sum, const void *data, size_t len)
{
	SHA256_CTX context;
	memcpy(&context, sum->state, sizeof context);
	SHA256_Update(&context, data, len);
	memcpy(sum->state, &context, sizeof context);
}

void ck_sha256_end(ck_sha256 *sum, unsigned char digest[CK_SHA256_SIZE])
{
	SHA256_CTX context;
	memcpy(&context, sum->state, sizeof context);
	SHA256_Final(digest, &context);
}
