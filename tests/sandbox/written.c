/* What the process that was locked in has written is read again before it gets its name: whoever
 * took it over cannot leave anything there that is no safetensors file, no model of weights alone,
 * or no JSON beside it.
 *
 * usage: written TESTDATA */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ckconv/ckconv.h>

static char folder[] = "/tmp/ckconv-written-XXXXXX";
static char out[64], extras[64];

/* What is written over which of the files; NULL: nothing is. */
typedef struct {
	const char *name, *text;
	int file;   /* 1: the tensors, 2: the values beside them */
	bool taken; /* it gets its name */
} row;

static const row rows[] = {
	{"as it is", NULL, 0, true},
	{"no header", "x", 1, false},
	{"another header", "\2\0\0\0\0\0\0\0{]", 1, false},
	{"a header of nothing", "\2\0\0\0\0\0\0\0{}", 1, true},
	{"no JSON", "{\"a\":1", 2, false},
	{"JSON and more", "{}\n<script>", 2, false},
	{"a control character", "{\"a\":\"\x1b[2J\"}", 2, false},
	{"other values", "{\"a\":1}", 2, true},
	{"nothing", "", 2, false},
};

/* A byte of a model of ONNX that becomes another one, `skip` bytes behind the last of such
 * texts. */
typedef struct {
	const char *name, *text;
	size_t skip;
	char byte;
	bool taken;
} patch;

#define NAME "norm.weight"

static const patch patches[] = {
	{"a model as it is", NAME, 0, 'n', true},
	{"no version", "\x08\x08\x12\x06" "ckconv", 1, 0, false},
	{"a node instead of a name", "\x12\x07" "weights", 0, 10, false},
	{"an output of another name", NAME, 5, 'W', false},
	{"an output of another type", NAME, sizeof NAME - 1 + 5, 6, false},
};

static size_t length(const row *r)
{
	return r->file == 1 && r->text[0] < ' ' ? 10 : strlen(r->text);
}

static bool overwrite(const ck_conversion *c, const row *r)
{
	int fds[3];
	if (ck_convert_descriptors(c, fds, 3) < 3)
		return false;
	size_t len = length(r);
	return !ftruncate(fds[r->file], (off_t)len) &&
	       pwrite(fds[r->file], r->text, len, 0) == (ssize_t)len;
}

static bool overwrite_byte(const ck_conversion *c, const patch *p)
{
	int fds[3];
	char bytes[1 << 16];
	const size_t len = strlen(p->text);
	if (ck_convert_descriptors(c, fds, 3) < 2)
		return false;
	ssize_t size = pread(fds[1], bytes, sizeof bytes, 0);
	for (ssize_t at = size - (ssize_t)len; at >= 0; at--)
		if (!memcmp(bytes + at, p->text, len))
			return pwrite(fds[1], &p->byte, 1, at + (ssize_t)p->skip) == 1;
	return false;
}

/* What is wrong with the outcome for a model of ONNX, or NULL. */
static const char *run_model(ck_job *job, const char *in, const patch *p)
{
	ck_options options;
	ck_options_default(&options);
	options.format = "onnx";
	options.no_fsync = true;
	ck_conversion *c = ck_convert_open(job, in, out, &options);
	if (!c && strstr(ck_job_error(job)->text, "without ONNX"))
		return NULL;
	if (!c || !ck_convert_run(c, NULL) || !overwrite_byte(c, p))
		return "it could not be tried";
	if (ck_convert_commit(c) != p->taken)
		return p->taken ? "it was refused" : "it got its name";
	if (!p->taken && ck_job_error(job)->status != CK_CORRUPT)
		return "another status";
	return (access(out, F_OK) == 0) == p->taken ? NULL : "files are left, or lack";
}

/* What is wrong with the outcome, or NULL. */
static const char *run(ck_job *job, const char *in, const row *r)
{
	ck_options options;
	ck_options_default(&options);
	options.extras = extras;
	options.no_fsync = true;
	ck_conversion *c = ck_convert_open(job, in, out, &options);
	if (!c || !ck_convert_run(c, NULL) || (r->text && !overwrite(c, r)))
		return "it could not be tried";
	if (ck_convert_commit(c) != r->taken)
		return r->taken ? "it was refused" : "it got its name";
	if (!r->taken && ck_job_error(job)->status != CK_CORRUPT)
		return "another status";
	bool both = !access(out, F_OK) && !access(extras, F_OK);
	bool none = access(out, F_OK) && access(extras, F_OK);
	return (r->taken ? both : none) ? NULL : "files are left, or lack";
}

int main(int argc, char **argv)
{
	char in[4096];
	size_t failed = 0, count = sizeof rows / sizeof *rows;
	if (argc != 2 || !mkdtemp(folder))
		return 2;
	snprintf(in, sizeof in, "%s/good/training.pt", argv[1]);
	snprintf(out, sizeof out, "%s/out.safetensors", folder);
	snprintf(extras, sizeof extras, "%s/extras.json", folder);
	for (size_t i = 0; i < count; i++) {
		ck_job *job = ck_job_new();
		const char *wrong = run(job, in, &rows[i]);
		if (wrong)
			printf("%s: %s: %s\n", rows[i].name, wrong, ck_job_error(job)->text);
		failed += wrong != NULL;
		ck_job_free(job);
		unlink(out);
		unlink(extras);
	}
	snprintf(in, sizeof in, "%s/good/state_dict.pt", argv[1]);
	for (size_t i = 0; i < sizeof patches / sizeof *patches; i++, count++) {
		ck_job *job = ck_job_new();
		const char *wrong = run_model(job, in, &patches[i]);
		if (wrong)
			printf("%s: %s: %s\n", patches[i].name, wrong, ck_job_error(job)->text);
		failed += wrong != NULL;
		ck_job_free(job);
		unlink(out);
	}
	rmdir(folder);
	printf("%zu passed, %zu failed\n", count - failed, failed);
	return failed ? 1 : 0;
}
