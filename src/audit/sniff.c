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

/* Kinds of formats: those that are walked through, those that nobody here can open, those with
 * nothing to look for, and those with something that was not looked for, which is told otherwise of
 * a part of a file than of a file. */
#define WALKED(format, walk) {format, walk, NULL, NULL, NULL}
#define CLOSED(format, what) \
	{format, NULL, "this is " what ", which cannot be opened here: unpack it and scan what " \
	 "comes out", NULL, NULL}
#define DATA(format) {format, NULL, NULL, NULL, NULL}
#define TOLD(format, part, alone) {format, NULL, NULL, part, alone}

#define KERAS "it holds no pickle; code that Keras keeps in Lambda layers was not looked for"
#define KERAS_ALONE \
	"this is an HDF5 file, which holds no pickle; but Keras keeps code in Lambda layers of " \
	"such files, and that was not looked for"
#define R_CODE "this is a file of R, which may hold code that R runs; that was not looked for"
#define FLATBUFFER \
	"this is a flatbuffer of PyTorch for mobile phones, whose code was not looked at"
#define PROGRAM "this is a program; nothing runs it when a model is loaded"
#define PROGRAM_ALONE "this is a program and no model; what it does was not looked at"

static const row rows[] = {
	{0, MAGIC("GGUF"), WALKED("GGUF", ck_gguf_walk)},
	{0, MAGIC("\x93NUMPY"), WALKED("npy", ck_npy_walk)},
	{0, MAGIC("7z\xbc\xaf\x27\x1c"), CLOSED("7z", "a 7z archive")},
	{0, MAGIC("Rar!\x1a\x07"), CLOSED("rar", "a RAR archive")},
	{0, MAGIC("\x28\xb5\x2f\xfd"), CLOSED("zstd", "a zstd file")},
	{0, MAGIC("\x04\x22\x4d\x18"), CLOSED("lz4", "an lz4 file")},
	{0, MAGIC("\x02\x21\x4c\x18"), CLOSED("lz4", "an lz4 file")},
	{0, MAGIC("\xff\x06\0\0sNaPpY"), CLOSED("snappy", "a snappy file")},
	{0, MAGIC("LZIP"), CLOSED("lzip", "an lzip file")},
	{0, MAGIC("\x89LZO\0\r\n\x1a\n"), CLOSED("lzop", "an lzop file")},
	{0, MAGIC("MSCF\0\0\0\0"), CLOSED("cabinet", "a cabinet file")},
	{0, MAGIC("xar!"), CLOSED("xar", "a xar archive")},
	{0, MAGIC("!<arch>\n"), CLOSED("ar", "an ar archive")},
	{0, MAGIC("070701"), CLOSED("cpio", "a cpio archive")},
	{0, MAGIC("070707"), CLOSED("cpio", "a cpio archive")},
	{0, MAGIC("hsqs"), CLOSED("squashfs", "a squashfs image")},
	{0, MAGIC("ZF0x"), CLOSED("old joblib", "a packed file of an old joblib")},
	{0, MAGIC("Salted__"), CLOSED("encrypted", "a file that openssl encrypted")},
	{0, MAGIC("-----BEGIN PGP MESSAGE"), CLOSED("encrypted", "encrypted text")},
	{0, MAGIC("age-encryption.org/"), CLOSED("encrypted", "an encrypted file")},
	{0, MAGIC("PYTORCH1"), CLOSED("PyTorch 1.0 preview", "a PyTorch 1.0 preview archive")},
	{0, MAGIC("\x89HDF\r\n\x1a\n"), TOLD("HDF5", KERAS, KERAS_ALONE)},
	{4, MAGIC("TFL3"), DATA("TensorFlow Lite")},
	{4, MAGIC("PTMF"), {"PyTorch mobile flatbuffer", NULL, FLATBUFFER, NULL, NULL}},
	{0, MAGIC("RDX2\n"), TOLD("R workspace", NULL, R_CODE)},
	{0, MAGIC("RDX3\n"), TOLD("R workspace", NULL, R_CODE)},
	{0, MAGIC("X\n\0\0\0"), TOLD("R value", NULL, R_CODE)},
	{0, MAGIC("MATLAB 5.0"), DATA("MATLAB")},
	{0, MAGIC("\x89PNG\r\n\x1a\n"), DATA("PNG image")},
	{0, MAGIC("\xff\xd8\xff"), DATA("JPEG image")},
	{0, MAGIC("GIF87a"), DATA("GIF image")},
	{0, MAGIC("GIF89a"), DATA("GIF image")},
	{8, MAGIC("WEBP"), DATA("WebP image")},
	{8, MAGIC("WAVEfmt "), DATA("WAV sound")},
	{4, MAGIC("ftyp"), DATA("MP4 video")},
	{0, MAGIC("OggS"), DATA("Ogg sound")},
	{0, MAGIC("fLaC"), DATA("FLAC sound")},
	{0, MAGIC("%PDF-"), DATA("PDF")},
	{0, MAGIC("SQLite format 3\0"), DATA("SQLite database")},
	{0, MAGIC("PAR1"), DATA("Parquet")},
	{0, MAGIC("ARROW1"), DATA("Arrow")},
	{0, MAGIC("\x7f" "ELF"), TOLD("ELF program", PROGRAM, PROGRAM_ALONE)},
	{0, MAGIC("MZ\x90\0"), TOLD("Windows program", PROGRAM, PROGRAM_ALONE)},
	{0, MAGIC("\xcf\xfa\xed\xfe"), TOLD("macOS program", PROGRAM, PROGRAM_ALONE)},
	{0, MAGIC("\xce\xfa\xed\xfe"), TOLD("macOS program", PROGRAM, PROGRAM_ALONE)},
	{0, MAGIC("#!/"), TOLD("script", PROGRAM, PROGRAM_ALONE)},
	{0, MAGIC("version https://git-lfs.github.com/"), DATA("Git LFS pointer")},
};

/* Frames of any bytes, which zstd and lz4 pass over: what they unpack may follow. */
static const ck_sniffed skippable = CLOSED("zstd", "a file of zstd or lz4");
static const ck_sniffed compress = CLOSED("compress", "a file of compress");
static const ck_sniffed zip = WALKED("zip", ck_zip_walk);
static const ck_sniffed tar = WALKED("tar", ck_tar_walk);
static const ck_sniffed packed = WALKED("packed", ck_packed_walk);
static const ck_sniffed legacy = WALKED("legacy torch", ck_legacy_walk);
static const ck_sniffed safetensors = WALKED("safetensors", ck_safetensors_walk);
static const ck_sniffed onnx = WALKED("ONNX", ck_onnx_walk);
static const ck_sniffed old_joblib = WALKED("old joblib", ck_old_joblib_walk);
static const ck_sniffed empty = DATA("empty");

/* Numbers may begin with two or three bytes of any value: only whole files are known by so few. */
static const ck_sniffed *find_row(const unsigned char *head, size_t len, bool file)
{
	for (size_t i = 0; i < CK_COUNT(rows); i++)
		if (len >= rows[i].at + rows[i].len && (file || rows[i].len > 3) &&
		    !memcmp(head + rows[i].at, rows[i].magic, rows[i].len))
			return &rows[i].is;
	if (len >= 4 && head[0] >> 4 == 5 && !memcmp(head + 1, "\x2a\x4d\x18", 3))
		return &skippable;
	return NULL;
}

/* Two bytes, which numbers may begin with, and the number of bits of the longest code; some
 * programs take any, so that the name decides. */
static bool is_compress(const char *name, const unsigned char *head, size_t len)
{
	size_t end = strlen(name);
	bool named = end > 2 && !strcasecmp(name + end - 2, ".z");
	unsigned bits = len > 2 ? head[2] & 0x1f : 0;
	return len > 1 && head[0] == 0x1f && head[1] == 0x9d &&
	       (named || (bits >= 9 && bits <= 16 && !(head[2] & 0x60)));
}

/* joblib reads the size as Python reads any number of base 16: not only as "0x" and digits. */
static bool is_old_joblib(const unsigned char *head, size_t len)
{
	enum { PREFIX = 2, SIZE = 19, HEADER = PREFIX + SIZE };
	if (len <= HEADER + 1 || memcmp(head, "ZF", PREFIX) != 0)
		return false;
	for (size_t i = PREFIX; i < HEADER; i++)
		if (!head[i] || !strchr("0123456789abcdefABCDEFxX_+- \t\n\v\f\r", head[i]))
			return false;
	size_t from = HEADER + (head[HEADER] == ' ');
	return ck_packing_find(head + from, len - from) == &ck_packing_zlib;
}

/* The length of the header, then the header, an object of JSON. */
bool ck_sniff_safetensors(const unsigned char *head, size_t len)
{
	return len >= 10 && head[8] == '{' && ck_little(head, 8) <= 100000000;
}

const ck_sniffed *ck_sniff(ck_look *l)
{
	if (!l->head_len)
		return &empty;
	if (ck_archiver_tar.probe(l->head, l->head_len))
		return &tar;
	if (l->tensors) /* whatever else the length of the header may look like */
		return &safetensors;
	if (l->head_len >= 4 && l->head[0] == 'P' && l->head[1] == 'K' &&
	    (!memcmp(l->head + 2, "\3\4", 2) || !memcmp(l->head + 2, "\5\6", 2)))
		return &zip;
	if (is_old_joblib(l->head, l->head_len))
		return &old_joblib;
	const ck_sniffed *known = find_row(l->head, l->head_len, l->kind == CK_LOOK_FILE);
	if (known)
		return known;
	if (is_compress(*l->place.member ? l->place.member : l->source->label, l->head,
	                l->head_len))
		return &compress;
	if (ck_sniff_safetensors(l->head, l->head_len))
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
	       !ck_sniff_safetensors(head, len) && !is_compress(name, head, len) &&
	       !is_old_joblib(head, len) && !ck_archiver_tar.probe(head, len);
}
