/* Any bytes as the members of an archive of any kind but TorchScript's: torch.save, torch.package,
 * torch.export, numpy.savez, and archives that hold checkpoints beside other files. */
#include "convert.h"
#include "members.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const ck_layout *const layouts[] = {
		&ck_layout_pt2, &ck_layout_package, &ck_layout_torch_zip, &ck_layout_npz,
		&ck_layout_bundle,
	};
	return fuzz_convert_members(data, size, layouts, CK_COUNT(layouts));
}
