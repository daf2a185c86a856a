/* The layout of torch.save since PyTorch 1.6: a zip archive of one folder with data.pkl, byteorder
 * and a member data/KEY for each storage. */
#include "folder.h"

ck_torch *ck_torch_zip_read(ck_loaded *loaded, const ck_input *in)
{
	ck_folder folder = {.archive = in->archive, .storages = "data/"};
	ck_member *member = ck_folder_pickle(loaded->job, &folder);
	return member ? ck_folder_read(loaded, &folder, member) : NULL;
}

static bool probe(ck_job *job, const ck_input *in)
{
	(void)job;
	return in->archive;
}

static bool load(ck_loaded *loaded, const ck_input *in, const ck_path *at)
{
	ck_torch *torch = ck_torch_zip_read(loaded, in);
	return torch && ck_walk(torch, at) && ck_archive_check_overlap(loaded->job, in->archive);
}

const ck_layout ck_layout_torch_zip = {
	"torch zip", "torch.save since PyTorch 1.6", probe, load,
};
