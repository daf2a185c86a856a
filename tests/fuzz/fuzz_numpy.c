/* Any bytes as NumPy's: a dtype and the text of a header, an .npy file, and a pickle with arrays in
 * it or between its opcodes, as joblib has them. */
#include "convert.h"
#include "numpy.h"

static bool parse_header(ck_job *job, const ck_source *source)
{
	const char *text = (const char *)source->data;
	uint64_t shape[CK_DIMS_MAX];
	ck_numpy_dtype dtype;
	ck_numpy_array array = {.shape = shape};
	ck_loaded *loaded = fuzz_loaded(job, source);
	ck_torch *torch = ck_torch_new(loaded, source);
	demand(torch);
	if (ck_numpy_dtype_of_text(text, (size_t)source->size, &dtype))
		demand(dtype.kind == CK_NUMPY_TENSOR ? dtype.size > 0 : dtype.about != NULL);
	if (!ck_npy_parse(torch, text, (size_t)source->size, &array))
		return false;
	demand(array.ndim <= CK_DIMS_MAX);
	return ck_numpy_measure(torch, &array);
}

static bool convert(ck_job *job, const ck_source *source)
{
	const ck_input in = {.source = source, .head = source->data,
	                     .head_len = (size_t)source->size};
	return fuzz_layout(job, ck_layout_npy.probe(job, &in) ? &ck_layout_npy : &ck_layout_pickle,
	                   &in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ck_job *job = fuzz_begin();
	const ck_source *source = ck_source_memory(job, "fuzz", data, size);
	bool is_text = size && data[0] != 0x93 && size % 2;
	return fuzz_end(job, is_text ? parse_header(job, source) : convert(job, source));
}
