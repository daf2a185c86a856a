/* Any bytes as the members of a TorchScript archive of either age. */
#include "convert.h"
#include "members.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const ck_layout *const layouts[] = {&ck_layout_torchscript,
	                                           &ck_layout_torchscript_json};
	return fuzz_convert_members(data, size, layouts, CK_COUNT(layouts));
}
