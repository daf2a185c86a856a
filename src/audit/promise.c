/* What the name of a file promises: an empty file, a page of a server, an archive without a model.
 * In none of them anything can be run, but who asks whether the checkpoint is safe must hear that
 * there is none. */
#include <string.h>
#include <strings.h>

#include "look.h"

/* Any archive may lie beside a model; what is called one must at least not be a text. */
typedef enum { ANYTHING, ARCHIVE, MODEL, CHECKPOINT } promise;

static const struct {
	const char *end;
	promise of;
} ends[] = {
	{".pt", CHECKPOINT}, {".pth", CHECKPOINT}, {".pt2", CHECKPOINT}, {".ptl", CHECKPOINT},
	{".bin", CHECKPOINT}, {".ckpt", CHECKPOINT}, {".pkl", CHECKPOINT},
	{".pickle", CHECKPOINT}, {".p", CHECKPOINT}, {".th", CHECKPOINT}, {".t7", CHECKPOINT},
	{".npy", CHECKPOINT}, {".npz", CHECKPOINT}, {".joblib", CHECKPOINT},
	{".dill", CHECKPOINT}, {".pk", CHECKPOINT}, {".pck", CHECKPOINT},
	{".distcp", CHECKPOINT}, {".nemo", CHECKPOINT}, {".mar", CHECKPOINT},
	{".safetensors", CHECKPOINT},
	{".onnx", MODEL}, {".gguf", MODEL}, {".h5", MODEL}, {".hdf5", MODEL}, {".keras", MODEL},
	{".tflite", MODEL}, {".msgpack", MODEL},
	{".tar", ARCHIVE}, {".tgz", ARCHIVE}, {".zip", ARCHIVE}, {".7z", ARCHIVE},
	{".rar", ARCHIVE}, {".gz", ARCHIVE}, {".xz", ARCHIVE}, {".bz2", ARCHIVE},
	{".lzma", ARCHIVE}, {".zlib", ARCHIVE}, {".zst", ARCHIVE}, {".lz4", ARCHIVE},
	{".z", ARCHIVE},
};

static promise find(const char *path, size_t len)
{
	for (size_t i = 0; i < CK_COUNT(ends); i++) {
		size_t n = strlen(ends[i].end);
		if (len > n && !strncasecmp(path + len - n, ends[i].end, n))
			return ends[i].of;
	}
	return ANYTHING;
}

/* "model.pt.gz" promises what "model.pt" does. */
static promise promise_of(const char *path)
{
	static const char *const packed[] = {".gz", ".xz", ".bz2", ".lzma", ".zlib", ".z"};
	size_t len = strlen(path);
	for (size_t i = 0; i < CK_COUNT(packed); i++) {
		size_t n = strlen(packed[i]);
		if (len > n && !strcasecmp(path + len - n, packed[i]) &&
		    find(path, len - n) == CHECKPOINT)
			return CHECKPOINT;
	}
	return find(path, len);
}

/* Of members of archives: there, many a name ends in .bin, .th or .p that promises nothing. */
static bool is_certain(const char *name, size_t len)
{
	static const char *const sure[] = {".pt", ".pth", ".pt2", ".ckpt", ".pkl", ".pickle",
	                                   ".joblib", ".npy", ".npz", ".safetensors", ".distcp"};
	static const char *const models[] = {"pytorch_model", "diffusion_pytorch_model",
	                                     "adapter_model", "training_args"};
	for (size_t i = 0; i < CK_COUNT(sure); i++) {
		size_t n = strlen(sure[i]);
		if (len > n && !strncasecmp(name + len - n, sure[i], n))
			return true;
	}
	for (size_t i = 0; len > 4 && i < CK_COUNT(models); i++)
		if (!strncasecmp(name + len - 4, ".bin", 4) &&
		    !strncasecmp(name, models[i], strlen(models[i])))
			return true;
	return false;
}

bool ck_promise_made(const char *member)
{
	static const char *const packed[][2] = {{"!gzip", ".gz"}, {"!xz", ".xz"},
	                                        {"!bzip2", ".bz2"}, {"!lzma", ".lzma"},
	                                        {"!zlib", ".zlib"}};
	size_t len = strlen(member);
	for (size_t i = 0; i < CK_COUNT(packed); i++) { /* "model.pt.gz!gzip" */
		size_t n = strlen(packed[i][0]), m = strlen(packed[i][1]);
		if (len > n + m && !strcmp(member + len - n, packed[i][0]))
			len -= strncasecmp(member + len - n - m, packed[i][1], m) ? n : n + m;
	}
	const char *name = member + len;
	while (name > member && name[-1] != '/' && name[-1] != '!')
		name--;
	return is_certain(name, (size_t)(member + len - name));
}

bool ck_promise_nothing(const char *path)
{
	return promise_of(path) == ANYTHING;
}

static bool is_text(const ck_audit *audit)
{
	unsigned char head[CK_HEAD];
	size_t len = audit->file->size < sizeof head ? (size_t)audit->file->size : sizeof head;
	return ck_read_at(audit->job, audit->file, 0, head, len) && ck_sniff_text(head, len);
}

bool ck_promise_check(ck_audit *audit, const ck_place *place, const ck_error *error)
{
	static const char pointer[] = "this is a Git LFS pointer";
	static const char *const called[] = {
		[ARCHIVE] = "an archive", [MODEL] = "a model", [CHECKPOINT] = "a checkpoint",
	};
	if (audit->finding_count || audit->pickles || *place->member ||
	    (error->status != CK_UNSUPPORTED && error->status != CK_CORRUPT))
		return true;
	if (!strncmp(error->text, pointer, sizeof pointer - 1))
		return ck_look_closed(audit, place, 0, place->source->size, "%s", error->text);
	promise of = promise_of(audit->file->label);
	if (of == ANYTHING || (of != CHECKPOINT && !is_text(audit)))
		return true;
	return ck_audit_say(audit, CK_RULE_BROKEN_CHECKPOINT, place, CK_NO_OFFSET, 0,
	                    "it is called %s and is none: %s", called[of], error->text);
}
