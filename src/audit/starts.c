/* Where in bytes that belong to nothing a pickle or an archive may begin: a guess from a few bytes,
 * which whoever asks has to look at more closely. */
#include "starts.h"

#include <string.h>

#include "stream.h"

enum { TAR_MAGIC_AT = 257, LINE_MAX = 256 };

static const struct {
	const char *bytes;
	size_t len;
	bool rare; /* so few bytes that they are looked for only where nothing is packed */
} magics[] = {
	{"\x1f\x8b\x08", 3, true}, {"\x28\xb5\x2f\xfd", 4, true}, {"\x04\x22\x4d\x18", 4, true},
	{"BZh", 3, true}, {"\xfd" "7zXZ", 5, false}, {"7z\xbc\xaf\x27\x1c", 6, false},
	{"Rar!\x1a\x07", 6, false}, {"\x93NUMPY", 6, false}, {"!<arch>\n", 8, false},
	{"PK\1\2", 4, true}, {"Salted__", 8, false},
};

static bool is_magic(const unsigned char *data, size_t len, bool packed)
{
	if (!packed && *data >> 4 == 5 && len >= 4 && !memcmp(data + 1, "\x2a\x4d\x18", 3))
		return true; /* a frame that zstd and lz4 pass over */
	for (size_t i = 0; i < CK_COUNT(magics); i++)
		if (*data == (unsigned char)*magics[i].bytes && len >= magics[i].len &&
		    !memcmp(data, magics[i].bytes, magics[i].len))
			return !(packed && magics[i].rare);
	return false;
}

/* A local header whose fields may be right. */
static bool is_zip(const unsigned char *data, size_t len)
{
	return len >= 4 && !memcmp(data, "PK\3\4", 4) &&
	       (len < 30 || (data[5] == 0 && data[9] == 0 && data[8] <= 99 && data[27] <= 4));
}

/* The length of a line that may be a name in an import; 0: it is none. */
static size_t name_line(const unsigned char *data, size_t len)
{
	size_t at = 0;
	while (at < len && at < LINE_MAX && data[at] > ' ' && data[at] != 0x7f)
		at++;
	return at && at < len && data[at] == '\n' ? at + 1 : 0;
}

/* GLOBAL or INST: a module and a name. */
static bool is_import(const unsigned char *data, size_t len)
{
	size_t first = name_line(data + 1, len - 1);
	return first && name_line(data + 1 + first, len - 1 - first);
}

/* A mark that values and an import follow, as INST needs it. */
static bool is_marked(const unsigned char *data, size_t len)
{
	size_t some = len < LINE_MAX ? len : LINE_MAX;
	return memchr(data, 'i', some) && ck_stream_may_begin(data, some);
}

static bool may_start(const unsigned char *data, size_t len, bool packed)
{
	switch (*data) {
	case 0x80:
		return len > 1 && data[1] <= 5;
	case 'c':
	case 'i':
		return is_import(data, len);
	case '(':
		return is_marked(data, len);
	case 'P':
		return is_zip(data, len) || is_magic(data, len, packed);
	default:
		return is_magic(data, len, packed) ||
		       (len > TAR_MAGIC_AT + 5 && data[TAR_MAGIC_AT] == 'u' &&
		        !memcmp(data + TAR_MAGIC_AT, "ustar", 5));
	}
}

size_t ck_starts_find(const unsigned char *data, size_t len, bool packed)
{
	for (size_t at = 0; at < len; at++)
		if (may_start(data + at, len - at, packed))
			return at;
	return len;
}
