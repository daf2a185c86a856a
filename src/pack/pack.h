/* Archives: names for ranges of bytes. Knows what a member is and where its bytes lie, and nothing
 * of what they mean. */
#ifndef CK_PACK_H
#define CK_PACK_H

#include "io.h"

typedef enum ck_method { CK_STORED, CK_DEFLATED } ck_method;

typedef struct ck_member {
	const char *name;
	size_t name_len;
	uint64_t size, packed; /* bytes, as the central directory says */
	uint32_t crc;          /* CRC-32 of the unpacked bytes; torch writes 0 for "not computed" */
	ck_method method;
	bool located;
	uint64_t offset;       /* of the packed bytes in the archive, once located */
	uint64_t index;        /* in the directory */
} ck_member;

typedef struct ck_archive {
	const ck_source *source;
	ck_member *members;    /* in the order of the directory */
	size_t count;
	ck_map by_name;
	void *handle;          /* of the back end */
} ck_archive;

/* Reads the directory of a zip archive. Refused, with the name of the member: names that occur
 * twice, encryption, methods other than stored and deflated. */
ck_archive *ck_zip_open(ck_job *job, const ck_source *source);
/* Finds out where a member's bytes start, which only its local header tells, and that they are all
 * there. */
bool ck_zip_locate(ck_job *job, const ck_archive *archive, ck_member *member);

/* The member of that name, or NULL. */
ck_member *ck_archive_find(const ck_job *job, const ck_archive *archive, const char *name,
                           size_t len);
/* Refuses archives in which the bytes of two located members overlap. */
bool ck_archive_check_overlap(ck_job *job, const ck_archive *archive);
/* "ARCHIVE: MEMBER", for messages and labels. */
const char *ck_member_label(ck_job *job, const ck_archive *archive, const ck_member *member);
/* All bytes of a member as a source: a window if it is stored, memory if it is deflated. The CRC is
 * checked before this returns. For members that are read as a whole, such as data.pkl. */
const ck_source *ck_member_source(ck_job *job, const ck_archive *archive, ck_member *member);
/* Locates a stored member, whose bytes then lie at member->offset of the archive's source; the CRC
 * is left to whoever reads them. */
bool ck_member_stored(ck_job *job, const ck_archive *archive, ck_member *member);
/* A deflated member as a stream that checks size, CRC and the limits `inflated` and `ratio`. */
const ck_stream *ck_member_stream(ck_job *job, const ck_archive *archive, ck_member *member);

/* Inflates a raw deflate stream (RFC 1951) that fills `packed` and must give `size` bytes with that
 * CRC-32; a recorded CRC of 0 that does not fit is told in a note. */
bool ck_inflate(ck_job *job, const ck_source *packed, const char *label, uint64_t size,
                uint32_t crc, const ck_sink *sink);

#endif
