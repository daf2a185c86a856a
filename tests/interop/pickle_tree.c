/* Reads pickles, one per line in hexadecimal digits, and answers each with a line of its own: "= AT
 * TREE", where AT is the number of bytes up to and with STOP, or "! STATUS MESSAGE". pickle_diff.py
 * talks to it through pipes. */
#include <stdio.h>
#include <stdlib.h>

#include "pickle.h"

static int digit(int c)
{
	return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

static size_t unhex(const char *line, unsigned char *to)
{
	size_t len = 0;
	for (; line[0] >= '0' && line[1] >= '0'; line += 2)
		to[len++] = (unsigned char)(digit(line[0]) << 4 | digit(line[1]));
	return len;
}

/* Only names can hold a newline; all other text is quoted and escaped by now. */
static void put_line(const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (data[i] == '\n')
			fputs("\\n", stdout);
		else
			putchar(data[i]);
	}
	putchar('\n');
}

static void answer(const unsigned char *data, size_t len)
{
	ck_job *job = ck_base_job_new();
	ck_text tree = {0};
	uint64_t at = 0;
	if (!job || !ck_limits_set(job, "heap=512M"))
		abort();
	const ck_source *source = ck_source_memory(job, "stream", data, len);
	ck_value *value = source ? ck_pickle_read(job, source, &at, NULL) : NULL;
	if (value && ck_print_tree(job, &tree, value)) {
		printf("= %llu ", (unsigned long long)at);
		put_line(tree.data, tree.len);
	} else {
		printf("! %d %s\n", job->error.status, job->error.text);
		if (job->error.status == CK_OK)
			abort(); /* a failure without a reason */
	}
	ck_base_job_free(job);
}

int main(void)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t len;
	while ((len = getline(&line, &cap, stdin)) > 0) {
		/* a block of the exact size, so that a sanitizer sees a read behind its end */
		unsigned char *data = malloc((size_t)len / 2 ? (size_t)len / 2 : 1);
		if (!data)
			return 1;
		answer(data, unhex(line, data));
		fflush(stdout);
		free(data);
	}
	free(line);
	return 0;
}
