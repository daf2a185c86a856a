/* Files that are often taken for checkpoints: recognised by their first bytes and named. */
#include "load.h"

#include <string.h>

typedef struct {
	size_t at;
	const char *magic;
	size_t len;
	const char *sentence;
} foreign;

#define MAGIC(bytes) bytes, sizeof(bytes) - 1

static const foreign kinds[] = {
	{0, MAGIC("version https://git-lfs.github.com/"),
	 "this is a Git LFS pointer, not the file itself; fetch it with git lfs pull"},
	{0, MAGIC("7z\xbc\xaf\x27\x1c"), "this is a 7z archive; unpack it first (7z x)"},
	{0, MAGIC("Rar!\x1a\x07"), "this is a RAR archive; unpack it first"},
	{0, MAGIC("\x28\xb5\x2f\xfd"), "this is a zstd file; unpack it first (zstd -d)"},
	{0, MAGIC("\x04\x22\x4d\x18"), "this is an lz4 file; unpack it first (lz4 -d)"},
	{0, MAGIC("GGUF"), "this is a GGUF model; it holds no pickle and needs no conversion"},
	{0, MAGIC("\x89HDF\r\n\x1a\n"),
	 "this is an HDF5 file (Keras, h5py), not a torch checkpoint"},
	{0, MAGIC("PYTORCH1"),
	 "this is a PyTorch 1.0 preview archive, which nothing reads any more"},
	{4, MAGIC("PTMF"), "this is a PyTorch mobile flatbuffer, which ckconv does not read"},
};

static bool is_html(const unsigned char *head, size_t len)
{
	static const char *const starts[] = {"<!doctype html", "<html"};
	size_t at = len > 3 && !memcmp(head, "\xef\xbb\xbf", 3) ? 3 : 0;
	while (at < len && (head[at] == ' ' || (head[at] >= '\t' && head[at] <= '\r')))
		at++;
	for (size_t i = 0; i < CK_COUNT(starts); i++) {
		size_t n = strlen(starts[i]), same = 0;
		while (same < n && at + same < len &&
		       (head[at + same] == (unsigned char)starts[i][same] ||
		        (head[at + same] | 0x20) == (unsigned char)starts[i][same]))
			same++;
		if (same == n)
			return true;
	}
	return false;
}

/* u64 length of the header, then the header, which is a JSON object. */
static bool is_safetensors(const unsigned char *head, size_t len)
{
	uint64_t size = 0;
	if (len < 10 || head[8] != '{')
		return false;
	for (size_t i = 8; i-- > 0;)
		size = size << 8 | head[i];
	return size >= 2 && size <= 100000000 && (head[9] == '"' || head[9] == '}');
}

/* A ModelProto begins with ir_version (field 1, a small number), then names or a graph. */
static bool is_onnx(const unsigned char *head, size_t len)
{
	return len > 3 && head[0] == 0x08 && head[1] >= 1 && head[1] <= 32 &&
	       (head[2] == 0x12 || head[2] == 0x1a || head[2] == 0x22 || head[2] == 0x3a ||
	        head[2] == 0x42);
}

bool ck_foreign_refuse(ck_job *job, const ck_source *source, const unsigned char *head, size_t len)
{
	const char *sentence = NULL;
	if (!len)
		return ck_fail(job, CK_CORRUPT, source->label, "the file is empty");
	for (size_t i = 0; i < CK_COUNT(kinds) && !sentence; i++)
		if (len >= kinds[i].at + kinds[i].len &&
		    !memcmp(head + kinds[i].at, kinds[i].magic, kinds[i].len))
			sentence = kinds[i].sentence;
	if (!sentence && is_html(head, len))
		sentence = "this is an HTML page, probably an error page of the server that should "
		           "have sent the model";
	if (!sentence && is_safetensors(head, len))
		sentence = "this is a safetensors file already; it holds no pickle and needs no "
		           "conversion";
	if (!sentence && is_onnx(head, len))
		sentence = "this is an ONNX model, which holds no pickle";
	return !sentence || ck_fail(job, CK_UNSUPPORTED, source->label, "%s", sentence);
}
