/* Digests. */
#include <stdio.h>
#include <string.h>

#include "sign.h"
#include "unit.h"

/* The examples of FIPS 180-2, whose texts are repeated and come in pieces. */
START_TEST(sha256_is_that_of_the_standard)
{
	static const struct {
		const char *text;
		int times;
		const char *digest;
	} rows[] = {
		{"abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
		 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
		{"aaaaaaaaaa", 100000,
		 "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
	};
	for (size_t i = 0; i < CK_COUNT(rows); i++) {
		unsigned char digest[CK_SHA256_SIZE];
		char hex[2 * CK_SHA256_SIZE + 1];
		ck_sha256 sum;
		ck_sha256_begin(&sum);
		for (int n = 0; n < rows[i].times; n++)
			ck_sha256_add(&sum, rows[i].text, strlen(rows[i].text));
		ck_sha256_end(&sum, digest);
		for (int n = 0; n < CK_SHA256_SIZE; n++)
			sprintf(hex + 2 * n, "%02x", digest[n]);
		ck_assert_str_eq(hex, rows[i].digest);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sign");
	TCase *tcase = tcase_create("sign");
	tcase_add_test(tcase, sha256_is_that_of_the_standard);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
