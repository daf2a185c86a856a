/* What files say of their tensors besides their names, put together from all of them. */
#include <string.h>

#include "load.h"

enum { NAMED = 4 };

/* The value of a key, and whether it was told that there are others. */
typedef struct {
	const char *value;
	bool told;
} said;

bool ck_load_metadata(ck_loaded *loaded, const char *key, const char *value)
{
	bool fresh;
	ck_job *job = loaded->job;
	uint64_t *place = ck_map_put(job, &loaded->said, key, strlen(key), &fresh);
	if (!place)
		return false;
	if (fresh) {
		said *first = ck_alloc(job, sizeof *first);
		if (!first)
			return false;
		*first = (said){.value = value};
		*place = (uint64_t)(uintptr_t)first;
		return ck_model_add_metadata(job, loaded->model, key, value);
	}
	said *known = (said *)(uintptr_t)*place;
	if (known->told || !strcmp(known->value, value))
		return true;
	known->told = true;
	if (++loaded->unlike <= NAMED)
		ck_note(job, "the metadata '%s' has several values; the first is kept",
		        ck_show(key, strlen(key)).s);
	return true;
}

void ck_load_metadata_end(const ck_loaded *loaded)
{
	if (loaded->unlike > NAMED)
		ck_note(loaded->job, "so have %s more", ck_many(loaded->unlike - NAMED, "key").s);
}
