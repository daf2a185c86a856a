/* What begins so: the formats that are told by their first bytes, those that may hold pickles,
 * those that cannot, and those that nobody here can open. */
#include <string.h>
#include <strings.h>

#include "look.h"
#include "stream.h"

typedef struct {
	size_t at;
	const char *magic;
	size_t len;
	ck_sniffed is;
} row;

#define MAGIC(bytes) bytes, sizeof(bytes) - 1
#define CLOSED(what) \
	"this is " what ", which cannot be opened here: unpack it and scan what comes out"
#define KERAS "it holds no pickle; code that Keras keeps in Lambda layers was not looked for"
#define KERAS_ALONE \
	"this is an HDF5 file, which holds no pickle; but Keras keeps code in Lambda layers of such " \
	"files, and that was not looked for"
#define R_CODE "this is a file of R, which may hold code that R runs; that was not looked for"
#define PROGRAM "this is a program; nothing runs it when a model is loaded"
#define PROGRAM_ALONE "this is a program and no model; what it does was not looked at"

static const row rows[] = {
	{0, MAGIC("GGUF"), {"GGUF", ck_gguf_walk, NULL, NULL, NULL}},
	{0, MAGIC("\x93NUMPY"), {"npy", ck_npy_walk, NULL, NULL, NULL}},
	{0, MAGIC("7z\xbc\xaf\x27\x1c"), {"7z", NULL, CLOSED("a 7z archive"), NULL, NULL}},
	{0, MAGIC("Rar!\x1a\x07"), {"rar", NULL, CLOSED("a RAR archive"), NULL, NULL}},
	{0, MAGIC("\x28\xb5\x2f\xfd"), {"zstd", NULL, CLOSED("a zstd file"), NULL, NULL}},
	{0, MAGIC("\x04\x22\x4d\x18"), {"lz4", NULL, CLOSED("an lz4 file"), NULL, NULL}},
	{0, MAGIC("\x02\x21\x4c\x18"), {"lz4", NULL, CLOSED("an lz4 file"), NULL, NULL}},
	{0, MAGIC("\xff\x06\0\0sNaPpY"), {"snappy", NULL, CLOSED("a snappy file"), NULL, NULL}},
	{0, MAGIC("LZIP"), {"lzip", NULL, CLOSED("an lzip file"), NULL, NULL}},
	{0, MAGIC("\x89LZO\0\r\n\x1a\n"), {"lzop", NULL, CLOSED("an lzop file"), NULL, NULL}},
	{0, MAGIC("MSCF\0\0\0\0"), {"cabinet", NULL, CLOSED("a cabinet file"), NULL, NULL}},
	{0, MAGIC("xar!"), {"xar", NULL, CLOSED("a xar archive"), NULL, NULL}},
	{0, MAGIC("!<arch>\n"), {"ar", NULL, CLOSED("an ar archive"), NULL, NULL}},
	{0, MAGIC("070701"), {"cpio", NULL, CLOSED("a cpio archive"), NULL, NULL}},
	{0, MAGIC("070707"), {"cpio", NULL, CLOSED("a cpio archive"), NULL, NULL}},
	{0, MAGIC("hsqs"), {"squashfs", NULL, CLOSED("a squashfs image"), NULL, NULL}},
	{0, MAGIC("ZF0x"), {"old joblib", NULL, CLOSED("a packed file of an old joblib"), NULL, NULL}},
	{0, MAGIC("Salted__"), {"encrypted", NULL, CLOSED("a file that openssl encrypted"), NULL, NULL}},
	{0, MAGIC("-----BEGIN PGP MESSAGE"), {"encrypted", NULL, CLOSED("encrypted text"), NULL, NULL}},
	{0, MAGIC("age-encryption.org/"), {"encrypted", NULL, CLOSED("an encrypted file"), NULL, NULL}},
	{0, MAGIC("PYTORCH1"), {"PyTorch 1.0 preview", NULL,
	                        CLOSED("a PyTorch 1.0 preview archive"), NULL, NULL}},
	{0, MAGIC("\x89HDF\r\n\x1a\n"), {"HDF5", NULL, NULL, KERAS, KERAS_ALONE}},
	{4, MAGIC("TFL3"), {"TensorFlow Lite", NULL, NULL, NULL, NULL}},
	{4, MAGIC("PTMF"), {"PyTorch mobile flatbuffer", NULL, NULL, NULL, NULL}},
	{0, MAGIC("RDX2\n"), {"R workspace", NULL, NULL, NULL, R_CODE}},
	{0, MAGIC("RDX3\n"), {"R workspace", NULL, NULL, NULL, R_CODE}},
	{0, MAGIC("X\n\0\0\0"), {"R value", NULL, NULL, NULL, R_CODE}},
	{0, MAGIC("MATLAB 5.0"), {"MATLAB", NULL, NULL, NULL, NULL}},
	{0, MAGIC("\x89PNG\r\n\x1a\n"), {"PNG image", NULL, NULL, NULL, NULL}},
	{0, MAGIC("\xff\xd8\xff"), {"JPEG image", NULL, NULL, NULL, NULL}},
	{0, MAGIC("GIF87a"), {"GIF image", NULL, NULL, NULL, NULL}},
	{0, MAGIC("GIF89a"), {"GIF image", NULL, NULL, NULL, NULL}},
	{8, MAGIC("WEBP"), {"WebP image", NULL, NULL, NULL, NULL}},
	{8, MAGIC("WAVEfmt "), {"WAV sound", NULL, NULL, NULL, NULL}},
	{4, MAGIC("ftyp"), {"MP4 video", NULL, NULL, NULL, NULL}},
	{0, MAGIC("OggS"), {"Ogg sound", NULL, NULL, NULL, NULL}},
	{0, MAGIC("fLaC"), {"FLAC sound", NULL, NULL, NULL, NULL}},
	{0, MAGIC("%PDF-"), {"PDF", NULL, NULL, NULL, NULL}},
	{0, MAGIC("SQLite format 3\0"), {"SQLite database", NULL, NULL, NULL, NULL}},
	{0, MAGIC("PAR1"), {"Parquet", NULL, NULL, NULL, NULL}},
	{0, MAGIC("ARROW1"), {"Arrow", NULL, NULL, NULL, NULL}},
	{0, MAGIC("\x7f" "ELF"), {"ELF program", NULL, NULL, PROGRAM, PROGRAM_ALONE}},
	{0, MAGIC("MZ\x90\0"), {"Windows program", NULL, NULL, PROGRAM, PROGRAM_ALONE}},
	{0, MAGIC("\xcf\xfa\xed\xfe"), {"macOS program", NULL, NULL, PROGRAM, PROGRAM_ALONE}},
	{0, MAGIC("\xce\xfa\xed\xfe"), {"macOS program", NULL, NULL, PROGRAM, PROGRAM_ALONE}},
	{0, MAGIC("#!/"), {"script", NULL, NULL, PROGRAM, PROGRAM_ALONE}},
	{0, MAGIC("version https://git-lfs.github.com/"), {"Git LFS pointer", NULL, NULL, NULL, NULL}},
};

static const ck_sniffed compress = {"compress", NULL, CLOSED("a file of compress"), NULL, NULL};
static const ck_sniffed zip = {"zip", ck_zip_walk, NULL, NULL, NULL};
static const ck_sniffed tar = {"tar", ck_tar_walk, NULL, NULL, NULL};
static const ck_sniffed packed = {"packed", ck_packed_walk, NULL, NULL, NULL};
static const ck_sniffed legacy = {"legacy torch", ck_legacy_walk, NULL, NULL, NULL};
static const ck_sniffed safetensors = {"safetensors", ck_safetensors_walk, NULL, NULL, NULL};
static const ck_sniffed onnx = {"ONNX", ck_onnx_walk, NULL, NULL, NULL};
static const ck_sniffed empty = {"empty", NULL, NULL, NULL, NULL};

/* Numbers may begin with two or three bytes of any value: only whole files are known by so few. */
static const ck_sniffed *find_row(const unsigned char *head, size_t len, bool file)
{
	for (size_t i = 0; i < CK_COUNT(rows); i++)
		if (len >= rows[i].at + rows[i].len && (file || rows[i].len > 3) &&
		    !memcmp(head + rows[i].at, rows[i].magic, rows[i].len))
			return &rows[i].is;
	return NULL;
}

/* Two bytes, which numbers may begin with, and the number of bits of the longest code; some programs
 * take any, so that the name decides. */
static bool is_compress(const char *name, const unsigned char *head, size_t len)
{
	size_t end = strlen(name);
	bool named = end > 2 && !strcasecmp(name + end - 2, ".z");
	unsigned bits = len > 2 ? head[2] & 0x1f : 0;
	return len > 1 && head[0] == 0x1f && head[1] == 0x9d &&
	       (named || (bits >= 9 && bits <= 16 && !(head[2] & 0x60)));
}

/* The length of the header, then the header, an object of JSON. */
static bool is_safetensors(const unsigned char *head, size_t len)
{
	return len >= 10 && head[8] == '{' && ck_little(head, 8) <= 100000000;
}

const ck_sniffed *ck_sniff(ck_look *l)
{
	if (!l->head_len)
		return &empty;
	if (l->head_len >= 4 && l->head[0] == 'P' && l->head[1] == 'K' &&
	    (!memcmp(l->head + 2, "\3\4", 2) || !memcmp(l->head + 2, "\5\6", 2)))
		return &zip;
	if (ck_archiver_tar.probe(l->head, l->head_len))
		return &tar;
	const ck_sniffed *known = find_row(l->head, l->head_len, l->kind == CK_LOOK_FILE);
	if (known)
		return known;
	if (is_compress(*l->place.member ? l->place.member : l->source->label, l->head,
	                l->head_len))
		return &compress;
	if (is_safetensors(l->head, l->head_len))
		return &safetensors;
	if (ck_packing_find(l->head, l->head_len))
		return &packed;
	ck_input in = {.source = l->source, .head = l->head, .head_len = l->head_len};
	if (ck_torch_legacy_probe(l->job, &in))
		return &legacy;
	return ck_onnx_begins(l->head, l->head_len) ? &onnx : NULL;
}

const char *ck_sniff_text_format(const unsigned char *head, size_t len)
{
	static const struct {
		const char *start, *format;
	} starts[] = {
		{"<!doctype html", "HTML page"}, {"<html", "HTML page"}, {"<?xml", "XML text"},
		{"{", "JSON text"},
	};
	size_t at = 0;
	while (at < len && head[at] && strchr(" \t\r\n", head[at]))
		at++;
	for (size_t i = 0; i < CK_COUNT(starts); i++)
		if (len - at >= strlen(starts[i].start) &&
		    !strncasecmp((const char *)head + at, starts[i].start,
		                 strlen(starts[i].start)))
			return starts[i].format;
	return "text";
}

bool ck_sniff_text(const unsigned char *head, size_t len)
{
	uint32_t code;
	const char *text = (const char *)head;
	for (size_t took, left = len; left; text += took, left -= took) {
		took = ck_utf8_next(text, left, &code);
		if (!took && left < 4 && len >= 64) /* cut in the middle of a character */
			return true;
		if (!took || (code < ' ' && !strchr("\t\n\r\f", (int)code)) || code == 0 ||
		    code == 0x7f)
			return false;
	}
	return true;
}

bool ck_look_is_data(const char *name, const unsigned char *head, size_t len)
{
	return !find_row(head, len, false) && !ck_stream_may_begin(head, len) &&
	       memcmp(head, "PK", len < 2 ? len : 2) != 0 && !ck_packing_find(head, len) &&
	       !is_safetensors(head, len) && !is_compress(name, head, len) &&
	       !ck_archiver_tar.probe(head, len);
}
