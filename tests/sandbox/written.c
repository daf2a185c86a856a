/* What the process that was locked in has written is read again before it gets its name: whoever
 * took it over cannot leave anything there that is no safetensors file, or no JSON beside it.
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
	rmdir(folder);
	printf("%zu passed, %zu failed\n", count - failed, failed);
	return failed ? 1 : 0;
}
