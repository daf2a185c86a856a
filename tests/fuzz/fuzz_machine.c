/* Any bytes as pickles one after the other: read and printed, by one machine and by a new each, and
 * read by one that keeps only what it needs. */
#include "fuzz.h"
#include "pickle.h"

static bool print_all(ck_job *job, const ck_source *source, bool one_machine, ck_text *text)
{
	ck_seen seen = {0};
	for (uint64_t at = 0; at < source->size;) {
		uint64_t start = at;
		ck_value *value = ck_pickle_read(job, source, &at, &seen);
		if (!value || !ck_print_tree(job, text, value) || !ck_text_add(job, text, "\n", 1))
			return false;
		demand(at > start && at <= source->size);
		if (!one_machine)
			seen = (ck_seen){0};
	}
	return true;
}

/* A lean machine gets as far as one that makes all values. */
static bool pass_all(ck_job *job, const ck_source *source)
{
	ck_seen seen = {.lean = true, .ahead = 1};
	for (uint64_t at = 0; at < source->size;)
		if (!ck_pickle_read(job, source, &at, &seen))
			return false;
	return true;
}

static void compare_lean(ck_job *full, bool ok, const uint8_t *data, size_t size)
{
	ck_job *job = fuzz_begin();
	bool lean = pass_all(job, ck_source_memory(job, "fuzz", data, size));
	if (full->error.status != CK_LIMIT && job->error.status != CK_LIMIT) {
		demand(lean == ok && job->error.offset == full->error.offset);
		demand(!strcmp(job->error.text, full->error.text));
	}
	fuzz_end(job, lean);
}

/* What a machine has read before must not show. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ck_text text[2] = {{0}};
	ck_job *job[2];
	bool ok[2];
	size_t ways = size % 4 ? 1 : 2;
	for (size_t i = 0; i < ways; i++) {
		job[i] = fuzz_begin();
		ok[i] = print_all(job[i], ck_source_memory(job[i], "fuzz", data, size), i == 0,
		                  &text[i]);
	}
	if (ways == 2 && job[0]->error.status != CK_LIMIT && job[1]->error.status != CK_LIMIT) {
		demand(ok[0] == ok[1] && text[0].len == text[1].len);
		demand(!text[0].len || !memcmp(text[0].data, text[1].data, text[0].len));
	}
	if (size % 4 == 1)
		compare_lean(job[0], ok[0], data, size);
	for (size_t i = 0; i < ways; i++)
		fuzz_end(job[i], ok[i]);
	return 0;
}
