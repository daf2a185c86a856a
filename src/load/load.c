/* Which layout a file has. */
#include "load.h"

static const ck_layout *const layouts[] = {
	&ck_layout_torch_zip,
	&ck_layout_torch_legacy,
};

enum { HEAD = 1024 };

ck_loaded *ck_load(ck_job *job, const ck_source *source)
{
	unsigned char head[HEAD];
	size_t len = source->size < HEAD ? (size_t)source->size : HEAD;
	ck_loaded *loaded = ck_alloc(job, sizeof *loaded);
	if (!loaded || !ck_read_at(job, source, 0, head, len))
		return NULL;
	loaded->model = ck_alloc(job, sizeof *loaded->model);
	if (!loaded->model)
		return NULL;
	loaded->model->source = source;
	for (size_t i = 0; i < CK_COUNT(layouts); i++) {
		if (!layouts[i]->probe(head, len))
			continue;
		loaded->model->layout = layouts[i]->name;
		return layouts[i]->load(job, source, loaded) ? loaded : NULL;
	}
	if (ck_foreign_refuse(job, source, head, len))
		ck_fail(job, CK_UNSUPPORTED, source->label,
		        "this is not a checkpoint that ckconv knows: it begins with \"%s\"",
		        ck_show((const char *)head, len < 16 ? len : 16).s);
	return NULL;
}
