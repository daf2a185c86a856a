/* Any bytes as opcodes with their arguments, from pickle to pickle. */
#include "fuzz.h"
#include "pickle.h"

enum { STOP = '.' };

static void check_text(const ck_steps *steps, const ck_step *step)
{
	const unsigned char *data = steps->source->data;
	demand(strnlen(step->text, (size_t)step->len) <= step->len && !step->text[step->len]);
	if (step->from) {
		demand(step->from > step->at && step->from + step->len == steps->at);
		demand(!memcmp(step->text, data + step->from, (size_t)step->len));
		return;
	}
	demand(!memchr(step->text, '\n', (size_t)step->len));
	demand(!memcmp(step->text, data + step->at + 1, (size_t)step->len));
	if (!step->more)
		return;
	demand(!step->more[step->more_len] && !memchr(step->more, '\n', (size_t)step->more_len));
	demand(step->at + step->len + step->more_len + 3 == steps->at);
}

static bool read_pickle(ck_steps *steps, uint64_t at)
{
	ck_step step = {0};
	while (step.code != STOP) {
		if (!ck_steps_next(steps, &step))
			return false;
		demand(step.at == at && steps->at > at && steps->at <= steps->source->size);
		demand(step.code == steps->source->data[at] && ck_op_table[step.code].name);
		if (step.text)
			check_text(steps, &step);
		at = steps->at;
	}
	return true;
}

static bool read_all(ck_job *job, const ck_source *source)
{
	ck_steps steps = {0};
	for (uint64_t at = 0; at < source->size; at = steps.at)
		if (!ck_steps_begin(job, &steps, source, at) || !read_pickle(&steps, at))
			return false;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ck_job *job = fuzz_begin();
	return fuzz_end(job, read_all(job, ck_source_memory(job, "fuzz", data, size)));
}
