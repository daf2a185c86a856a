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
	{0, MAGIC("\x08\x01\x12"),
	 "this is a TensorFlow SavedModel, not a torch checkpoint"}, /* and an ONNX of version 1 */
	{0, MAGIC("model_checkpoint_path:"),
	 "this names the newest checkpoint of TensorFlow, and is no torch checkpoint"},
	{4, MAGIC("TFL3"), "this is a TensorFlow Lite model, not a torch checkpoint"},
	{0, MAGIC("RDX2\n"), "this is a workspace of R, not a torch checkpoint"},
	{0, MAGIC("RDX3\n"), "this is a workspace of R, not a torch checkpoint"},
	{0, MAGIC("X\n\0\0\0"), "this is a value that R saved (.rds), not a torch checkpoint"},
	{0, MAGIC("MATLAB 5.0"), "this is a MATLAB file, not a torch checkpoint"},
	{0, MAGIC("<?xml"),
	 "this is an XML text, probably an error message of the server that should have sent the "
	 "model"},
	{4, MAGIC("PTMF"), "this is a PyTorch mobile flatbuffer, which ckconv does not read"},
};

static size_t skip_blanks(const unsigned char *head, size_t len, size_t at)
{
	while (at < len && (head[at] == ' ' || (head[at] >= '\t' && head[at] <= '\r')))
		at++;
	return at;
}

static bool is_html(const unsigned char *head, size_t len)
{
	static const char *const starts[] = {"<!doctype html", "<html"};
	size_t at = skip_blanks(head, len, len > 3 && !memcmp(head, "\xef\xbb\xbf", 3) ? 3 : 0);
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

/* An object of JSON. */
static bool is_json(const unsigned char *head, size_t len)
{
	size_t at = skip_blanks(head, len, 0);
	if (at == len || head[at] != '{')
		return false;
	at = skip_blanks(head, len, at + 1);
	return at < len && (head[at] == '"' || head[at] == '}');
}

/* A map of MessagePack whose first key is a short text of letters. */
static bool is_msgpack(const unsigned char *head, size_t len)
{
	size_t key = len && head[0] == 0xde ? 3 : len && head[0] == 0xdf ? 5 : 1;
	if (len < key + 2 || (key == 1 && (head[0] < 0x81 || head[0] > 0x8f)) ||
	    head[key] < 0xa1 || head[key] > 0xbf)
		return false;
	size_t letters = head[key] - 0xa0u;
	for (size_t i = 1; i <= letters && key + i < len; i++)
		if (head[key + i] < ' ' || head[key + i] > '~')
			return false;
	return true;
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
	if (!sentence && is_json(head, len))
		sentence = memmem(head, len, "\"weight_map\"", 12)
			? "this is the list of the files that a checkpoint is spread over; name it "
			  "as it was (NAME.index.json), or their folder, and they are read"
			: "this is a JSON text, not a checkpoint";
	if (!sentence && is_msgpack(head, len))
		sentence = "this looks like MessagePack (Flax, JAX), not like a torch checkpoint";
	return !sentence || ck_fail(job, CK_UNSUPPORTED, source->label, "%s", sentence);
}
