/* Inside the tar reader: the parts of a header and of pax records (tar_header.c), which the walk
 * over the entries (tar.c) asks for. */
#ifndef CK_PACK_TAR_H
#define CK_PACK_TAR_H

#include "io.h"

enum {
	CK_TAR_BLOCK = 512,
	CK_TAR_SIZE_AT = 124,
	CK_TAR_SIZE_LEN = 12,
	CK_TAR_TYPE_AT = 156,
	CK_TAR_MAGIC_AT = 257,
};

/* Bytes in the arena; text is NULL where there are none. */
typedef struct ck_tar_text {
	const char *text;
	size_t len;
} ck_tar_text;

/* What pax records say of the things that matter here. */
typedef struct ck_tar_pax {
	bool present;  /* there was a header with records, whatever they said */
	bool sparse;   /* the bytes are those of a sparse file, with a map in front or elsewhere */
	bool has_size;
	bool odd_size; /* what is there is no number */
	uint64_t size;
	ck_tar_text path;
} ck_tar_pax;

/* What was read of a source behind a block, in case the next header follows soon: archives of many
 * small files are headers for the most part. Begins as zeros. */
typedef struct ck_tar_ahead {
	uint64_t from;
	size_t len;
	unsigned char bytes[16 * CK_TAR_BLOCK];
} ck_tar_ahead;

/* Reads the CK_TAR_BLOCK bytes at `at`; where there are fewer, fails as ck_read_at() does. */
bool ck_tar_read_block(ck_job *job, const ck_source *source, uint64_t at, ck_tar_ahead *ahead,
                       unsigned char *to);
/* True if the header carries the sum of its bytes. */
bool ck_tar_sum_right(const unsigned char *header);
/* The same for those who take numbers as ck_tar_number_loosely() does. */
bool ck_tar_sum_right_loosely(const unsigned char *header);
/* A number field: octal digits, or GNU's base 256. False if it is neither, or does not fit. */
bool ck_tar_number(const unsigned char *field, size_t len, uint64_t *value);
/* The same as Python takes numbers: up to a NUL, with blanks around, a sign, "0o" in front or "_"
 * between the digits. */
bool ck_tar_number_loosely(const unsigned char *field, size_t len, uint64_t *value);
/* The name in the header itself, the prefix of ustar included. */
bool ck_tar_name(ck_job *job, const unsigned char *header, ck_tar_text *name);
/* Adds what the records of one pax header say; `at` is their place in the file `label`. */
bool ck_tar_pax_read(ck_job *job, const char *label, uint64_t at, const ck_tar_text *records,
                     ck_tar_pax *pax);

#endif
