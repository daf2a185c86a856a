/* What a thing is for, by its name: only what certainly nobody reads as a pickle is excused when
 * its text happens to spell opcodes. */
#include <string.h>
#include <strings.h>

#include "look.h"

/* Ends of names, in small letters. */
static const struct {
	const char *end;
	ck_purpose purpose;
} ends[] = {
	{".pkl", CK_FOR_PICKLE}, {".pickle", CK_FOR_PICKLE}, {".pck", CK_FOR_PICKLE},
	{".p", CK_FOR_PICKLE}, {".pk", CK_FOR_PICKLE}, {".pt", CK_FOR_PICKLE},
	{".pth", CK_FOR_PICKLE}, {".ckpt", CK_FOR_PICKLE}, {".joblib", CK_FOR_PICKLE},
	{".dill", CK_FOR_PICKLE}, {".debug_pkl", CK_FOR_PICKLE},
	{".txt", CK_FOR_TEXT}, {".md", CK_FOR_TEXT}, {".rst", CK_FOR_TEXT},
	{".py", CK_FOR_TEXT}, {".pyi", CK_FOR_TEXT}, {".json", CK_FOR_TEXT},
	{".jsonl", CK_FOR_TEXT}, {".yaml", CK_FOR_TEXT}, {".yml", CK_FOR_TEXT},
	{".toml", CK_FOR_TEXT}, {".ini", CK_FOR_TEXT}, {".cfg", CK_FOR_TEXT},
	{".csv", CK_FOR_TEXT}, {".tsv", CK_FOR_TEXT}, {".log", CK_FOR_TEXT},
	{".html", CK_FOR_TEXT}, {".xml", CK_FOR_TEXT}, {".c", CK_FOR_TEXT},
	{".h", CK_FOR_TEXT}, {".cpp", CK_FOR_TEXT}, {".cu", CK_FOR_TEXT},
	{".sh", CK_FOR_TEXT}, {".vocab", CK_FOR_TEXT}, {"/version", CK_FOR_TEXT},
	{"/byteorder", CK_FOR_TEXT}, {"/.format_version", CK_FOR_TEXT},
	{"/.storage_alignment", CK_FOR_TEXT}, {"/extern_modules", CK_FOR_TEXT},
	{"/python_version", CK_FOR_TEXT}, {"/serialization_id", CK_FOR_TEXT},
	{"/readme", CK_FOR_TEXT}, {"/license", CK_FOR_TEXT}, {"/copying", CK_FOR_TEXT},
	{"/notice", CK_FOR_TEXT}, {"/authors", CK_FOR_TEXT},
	{".storage", CK_FOR_STORAGE},
};

/* "archive/data/17": what torch keeps tensors in. */
static bool is_numbered(const char *path, size_t len)
{
	size_t at = len;
	while (at && path[at - 1] >= '0' && path[at - 1] <= '9')
		at--;
	return at < len && at >= 6 && !memcmp(path + at - 6, "/data/", 6);
}

ck_purpose ck_look_purpose(const ck_look *l)
{
	const char *path = *l->place.member ? l->place.member : l->source->label;
	const char *outer = strrchr(path, '!');
	if (l->tensors)
		return CK_FOR_TENSORS;
	if (l->kind == CK_LOOK_GAP)
		return CK_FOR_NOTHING;
	if (l->kind == CK_LOOK_BYTES)
		return ck_sniff_text(l->head, l->head_len) ? CK_FOR_TEXT : CK_FOR_OTHER;
	path = outer ? outer + 1 : path;
	size_t len = strlen(path);
	if (l->kind == CK_LOOK_MEMBER && is_numbered(path, len))
		return CK_FOR_STORAGE;
	for (size_t i = 0; i < CK_COUNT(ends); i++) {
		size_t n = strlen(ends[i].end), skip = ends[i].end[0] == '/' && len + 1 == n;
		if (len + skip >= n && !strcasecmp(path + len + skip - n, ends[i].end + skip) &&
		    !(l->kind == CK_LOOK_FILE && ends[i].purpose == CK_FOR_STORAGE))
			return ends[i].purpose;
	}
	return l->kind == CK_LOOK_FILE ? CK_FOR_PICKLE : CK_FOR_OTHER;
}
