/* Archives: names for ranges of bytes; and packed files, whose bytes must be unpacked as a whole.
 * Knows what a member is and where its bytes lie, and nothing of what they mean. */
#ifndef CK_PACK_H
#define CK_PACK_H

#include "io.h"

typedef enum ck_method { CK_STORED, CK_DEFLATED } ck_method;

typedef struct ck_member {
	const char *name;
	size_t name_len;
	uint64_t size, packed; /* bytes, as the central directory says */
	bool has_crc;          /* tar records none */
	uint32_t crc;          /* CRC-32 of the unpacked bytes; torch writes 0 for "not computed" */
	ck_method method;
	bool located;
	uint64_t offset;       /* of the packed bytes in the archive, once located */
	uint64_t index;        /* in the directory */
} ck_member;

typedef struct ck_archive {
	const struct ck_archiver *by;
	const ck_source *source;
	ck_member *members;    /* in the order of the directory */
	size_t count;
	ck_map by_name;
	size_t passed_over;    /* links and devices, which are no members */
	void *handle;          /* of the back end */
} ck_archive;

/* A kind of archive. */
typedef struct ck_archiver {
	const char *name, *about;
	/* Whether a file that begins with these bytes is of this kind. */
	bool (*probe)(const unsigned char *head, size_t len);
	/* Reads the directory, or what stands for it; members with the same name are refused. */
	ck_archive *(*open)(ck_job *job, const ck_source *source);
	/* Finds out where a member's bytes start, and that they are all there. */
	bool (*locate)(ck_job *job, const ck_archive *archive, ck_member *member);
} ck_archiver;

/* Refuses encryption, and methods other than stored and deflated. */
extern const ck_archiver ck_archiver_zip;
/* Members are regular files. Refuses sparse ones, and what tar programs read in different ways. */
extern const ck_archiver ck_archiver_tar;

/* The kind of archive that begins with these bytes, or NULL. */
const ck_archiver *ck_archiver_find(const unsigned char *head, size_t len);
ck_archive *ck_zip_open(ck_job *job, const ck_source *source);
/* Several complete zip archives one after the other, each a source of its own, in their order.
 * Where the file is not just that (one archive, something before or between, a comment, no zip at
 * all), there is one part, the source itself, and whoever opens it finds out what is wrong. */
bool ck_zip_split(ck_job *job, const ck_source *source, const ck_source ***parts, size_t *count);

/* For back ends: enters the name of member `index`, or refuses it because it is there already. */
bool ck_archive_enter(ck_job *job, ck_archive *archive, size_t index);
/* The member of that name, or NULL. */
ck_member *ck_archive_find(const ck_job *job, const ck_archive *archive, const char *name,
                           size_t len);
/* Refuses archives in which the bytes of two located members overlap. */
bool ck_archive_check_overlap(ck_job *job, const ck_archive *archive);
/* True if the member's name ends so. */
bool ck_member_ends(const ck_member *member, const char *end);
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

/* Inflates what a careless reader would get: as far as the stream goes, whatever was recorded of
 * it. False, not always with an error, only where reading fails or the sink has enough. */
typedef struct ck_inflated {
	uint64_t used, made; /* packed bytes that were needed, bytes that came out */
	uint32_t crc;
	bool ended;          /* the stream has an end, and nothing in it is damaged */
	bool cut;            /* it goes on where the packed bytes end */
} ck_inflated;
bool ck_inflate_loosely(ck_job *job, const ck_source *packed, const ck_sink *sink,
                        ck_inflated *result);

/* ---- packed files ---- */

/* A way to pack one file. */
typedef struct ck_packing {
	const char *name, *about;
	/* Whether a file that begins with these bytes (a few hundred are enough) is packed so. */
	bool (*probe)(const unsigned char *head, size_t len);
	const struct ck_codec *codec; /* how to unpack it */
} ck_packing;

/* gzip and bzip2 pass over what follows the last stream, with a note unless it is zeros; the others
 * refuse it. */
extern const ck_packing ck_packing_gzip, ck_packing_zlib, ck_packing_bzip2, ck_packing_xz,
	ck_packing_lzma;

/* The packing of a file that begins with these bytes, or NULL. */
const ck_packing *ck_packing_find(const unsigned char *head, size_t len);
/* How much may come out of so many packed bytes, by the limit `ratio`. */
uint64_t ck_unpack_most(const ck_job *job, uint64_t packed);
/* Counts what a job unpacks in all, in whatever depth, and holds it against `ratio` and the size of
 * the input, with 256 MiB free: packings in packings multiply, and so do many of them. Both below
 * call it. */
bool ck_unpack_count(ck_job *job, const char *label, uint64_t len);
/* How many bytes that lets through. */
uint64_t ck_unpack_most_in_all(const ck_job *job);

/* Unpacks into a scratch file, within the limits `inflated` and `ratio`; of the latter, the first
 * 64 MiB are free. The label says what was done. */
const ck_source *ck_unpack(ck_job *job, const ck_packing *packing, const ck_source *packed);
/* The same with what came out before it failed, if it did: then *whole is false. */
const ck_source *ck_unpack_part(ck_job *job, const ck_packing *packing, const ck_source *packed,
                                bool *whole);
/* What programs get that overlook broken headers and checksums, and read on behind them. */
const ck_source *ck_unpack_loosely(ck_job *job, const ck_packing *packing, const ck_source *packed);
/* Unpacks a deflated member into a scratch file. */
const ck_source *ck_member_spill(ck_job *job, const ck_archive *archive, ck_member *member);

#endif
