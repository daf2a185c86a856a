/* Any bytes as a file whose opcodes are shown: every line is printable, and offsets only grow. */
#include "dis.h"
#include "fuzz.h"

typedef struct {
	uint64_t at, lines;
	unsigned stream;
	uint64_t size;
} reader;

static bool on_line(void *arg, const ck_dis_line *line)
{
	reader *r = arg;
	demand_printable(line->member);
	demand(line->opcode || line->made);
	if (line->argument)
		demand_printable(line->argument);
	if (line->made)
		demand_printable(line->made);
	demand(line->stream >= r->stream);
	demand(line->stream > r->stream || line->at >= r->at);
	r->at = line->at;
	r->stream = line->stream;
	return ++r->lines < 100000;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool whole;
	reader r = {0};
	ck_job *job = fuzz_begin();
	const ck_source *source = ck_source_memory(job, "fuzz", data, size);
	job->input = size;
	bool ok = ck_dis_file(job, source, NULL, &(ck_dis_listener){on_line, &r}, &whole);
	fuzz_end(job, ok);
	return 0;
}
