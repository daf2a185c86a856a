/* Files that hold one other file, packed; and files that are several zip archives one after the
 * other, as torch.distributed.checkpoint writes them. */
#include <stdio.h>
#include <string.h>

#include "load.h"

static bool probe_packed(ck_job *job, const ck_input *in)
{
	(void)job;
	return ck_packing_find(in->head, in->head_len);
}

static bool load_packed(ck_loaded *loaded, const ck_input *in, const ck_path *at)
{
	const ck_packing *packing = ck_packing_find(in->head, in->head_len);
	const ck_source *source = ck_unpack(loaded->job, packing, in->source);
	return source && ck_load_at(loaded, source, at);
}

const ck_layout ck_layout_packed = {
	NULL, "a file packed with gzip, zlib, bzip2 or xz", false, probe_packed, load_packed,
};

static bool probe_zips(ck_job *job, const ck_input *in)
{
	(void)job;
	return in->zips;
}

/* The names of the tensors stand in another file, .metadata: here each archive is called partN. */
static bool load_zips(ck_loaded *loaded, const ck_input *in, const ck_path *at)
{
	if (loaded->member)
		return ck_fail(loaded->job, CK_USAGE, in->source->label,
		               "the file is %zu zip archives one after the other, of which no "
		               "member can be named", in->zip_count);
	for (size_t i = 0; i < in->zip_count; i++) {
		char name[32];
		int len = snprintf(name, sizeof name, "part%zu", i);
		const char *key = ck_copy(loaded->job, name, (size_t)len);
		const ck_path *path =
			key ? ck_path_new(loaded->job, at, key, (size_t)len, true) : NULL;
		if (!path || !ck_load_at(loaded, in->zips[i], path))
			return false;
	}
	ck_note(loaded->job, "the file is %zu zip archives one after the other (a part of a "
	        "distributed checkpoint); their tensors are called part0 and so on, because the "
	        "names stand in another file, .metadata", in->zip_count);
	return true;
}

const ck_layout ck_layout_zips = {
	NULL, "zip archives one after the other", false, probe_zips, load_zips,
};
