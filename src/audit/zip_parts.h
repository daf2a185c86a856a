/* Inside the zip walker: the places in the bytes of a zip archive where readers look, read from the
 * bytes as they are, by APPNOTE.TXT 4.3; whatever one of them would read is looked at. */
#ifndef CK_AUDIT_ZIP_PARTS_H
#define CK_AUDIT_ZIP_PARTS_H

#include "look.h"

enum {
	CK_ZIP_LOCAL = 30,    /* local file header */
	CK_ZIP_CENTRAL = 46,  /* header in the directory */
	CK_ZIP_END = 22,      /* end of central directory record */
	CK_ZIP_LOCATOR = 20,  /* zip64 end of central directory locator */
	CK_ZIP_END64 = 56,    /* zip64 end of central directory record */
	CK_ZIP_PEEK = 4096,
	CK_ZIP_HEADER_MAX = 132 << 10 /* a header with its name and its extra fields */
};

/* A window on the source, so that what lies together is read at once. */
typedef struct ck_zip_peek {
	uint64_t at;
	size_t len, want;     /* bytes that it holds, and asks for */
	unsigned char *data;  /* CK_ZIP_HEADER_MAX */
} ck_zip_peek;

/* What one end record, as one kind of reader understands it, says of a directory. */
typedef struct ck_zip_view {
	uint64_t end;         /* where its end record is */
	uint64_t start, size; /* of the directory in the source */
	uint64_t base;        /* what offsets of members count from */
	uint64_t members;     /* that it announces */
	uint64_t record;      /* where the first of its end records is, zip64 included */
	bool many_disks;
} ck_zip_view;

typedef struct ck_zip_entry {
	const char *name;
	size_t name_len;
	uint64_t local;       /* of its local header in the source */
	uint64_t packed, size;
	uint32_t crc;
	unsigned method, flags;
	uint32_t attributes;
	unsigned made_by;
} ck_zip_entry;

typedef struct ck_zip {
	ck_look *look;
	ck_zip_peek directory, local;
	ck_map looked;        /* what was looked at: local header, size, method */
	const ck_zip_view *view; /* whose directory is walked just now, or NULL */
	uint64_t taken;       /* packed bytes of members that were looked at */
	uint64_t count;       /* members, whichever directory names them */
	bool torch, script, package, arrays; /* members that tell what it is */
	bool config, metadata; /* both: a model of Keras */
	bool many_views;      /* more directories than there is room for */
	ck_text path;         /* of the member that is looked at */
	uint64_t too_much;    /* members that were left out */
	unsigned told;        /* findings about members */
} ck_zip;

/* `len` bytes at `at`, or NULL if they are not all there; *ok is false after a failure. */
const unsigned char *ck_zip_peek_at(ck_zip *zip, ck_zip_peek *peek, uint64_t at, size_t len,
                                    bool *ok);
/* All directories that end records in the last 64 KiB of the source may mean; `views` has room for
 * CK_ZIP_VIEWS. */
enum { CK_ZIP_VIEWS = 64 };
bool ck_zip_find_views(ck_zip *zip, ck_zip_view *views, size_t *count);
/* Walks a directory, and what it names. */
bool ck_zip_directory(ck_zip *zip, const ck_zip_view *view);
/* Looks at one member, at the place where its directory says it is. */
bool ck_zip_member(ck_zip *zip, const ck_zip_entry *entry);
/* Its bytes, whose place is known. */
bool ck_zip_content(ck_zip *zip, const ck_zip_entry *entry, const char *path, uint64_t data);
/* Whether a member is code of TorchScript, and what is wrong with that. */
bool ck_script_is(const char *path);
bool ck_script_look(ck_audit *audit, const ck_source *source, const char *path);
/* Members with a local header that no directory names. */
bool ck_zip_hidden(ck_zip *zip);
/* Writes down what is wrong with the archive; only the first of many are told. */
bool ck_zip_say(ck_zip *zip, uint64_t at, const char *fmt, ...) CK_PRINTF(3, 4);
/* Reads sizes and offset from a zip64 extra field where the fields are all ones. */
void ck_zip_extra64(const unsigned char *extra, size_t len, uint64_t *size, uint64_t *packed,
                    uint64_t *local);

#endif
