/* The layout of torch.save since PyTorch 1.6: a zip archive of one folder with data.pkl, byteorder
 * and a member data/KEY for each storage. */
#include "folder.h"
#include "trace.h"

ck_torch *ck_torch_zip_read(ck_loaded *loaded, const ck_input *in)
{
	ck_folder folder = {.archive = in->archive, .storages = "data/"};
	ck_member *member = ck_folder_pickle(loaded->job, &folder);
	return member && ck_folder_version(loaded->job, &folder, true) &&
	       ck_trace_folder(loaded, &folder)
	       ? ck_folder_read(loaded, &folder, member) : NULL;
}

/* A zip without FOLDER/data.pkl may hold other things; one with two is ours to refuse. */
static bool probe(ck_job *job, const ck_input *in)
{
	(void)job;
	ck_folder folder = {0};
	return in->archive && in->archive->by == &ck_archiver_zip &&
	       ck_folder_of(in->archive, "data.pkl", &folder);
}

static bool load(ck_loaded *loaded, const ck_input *in, const ck_path *at)
{
	ck_torch *torch = ck_torch_zip_read(loaded, in);
	return torch && ck_walk(torch, at) && ck_archive_check_overlap(loaded->job, in->archive);
}

const ck_layout ck_layout_torch_zip = {
	"torch zip", "torch.save since PyTorch 1.6", false, probe, load,
};
