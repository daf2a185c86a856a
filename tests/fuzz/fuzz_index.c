/* Any bytes as the index of a model in several files: what is told of it is sorted and complete,
 * and files that hold nothing keep no promise. */
#include "fuzz.h"
#include "load.h"

static void check(const ck_job *job, const ck_index *index)
{
	demand(index->count && index->where.count);
	for (size_t i = 0; i < index->count; i++)
		demand(!i || strcmp(index->files[i - 1], index->files[i]) < 0);
	const ck_json_node *item = ck_json_first(index->map);
	for (; item; item = ck_json_next(item)) {
		const char *name = ck_json_key(item);
		const uint64_t *file = ck_map_find(job, &index->where, name, strlen(name));
		demand(file && *file < index->count);
	}
}

/* Nothing is in the model, so that it ends with a failure in any case. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ck_job *job = fuzz_begin();
	ck_model model = {.source = ck_source_memory(job, "fuzz", data, size)};
	demand(model.source);
	ck_index *index = ck_index_read(job, model.source);
	if (index) {
		check(job, index);
		demand(!ck_index_settle(job, index, &model, false));
	}
	return fuzz_end(job, false);
}
