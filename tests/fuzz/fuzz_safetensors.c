/* Any bytes as a safetensors file; and the same bytes as a header, with the length before it and
 * the data behind it that it asks for. */
#include "fuzz.h"
#include "model.h"

/* The tensors lie one behind the other and fill the file. */
static void check(const ck_safetensors *read, uint64_t size)
{
	uint64_t at = 0;
	for (size_t i = 0; i < read->count; i++) {
		const ck_st_tensor *tensor = &read->tensors[i];
		uint64_t bits = tensor->dtype->bits;
		for (size_t d = 0; d < tensor->ndim; d++)
			bits = tensor->shape[d] ? bits : 0;
		for (size_t d = 0; d < tensor->ndim; d++)
			demand(!bits || ck_mul(bits, tensor->shape[d], &bits));
		demand(ck_utf8_valid(tensor->name, tensor->name_len));
		demand(tensor->begin == at && tensor->end >= at);
		demand(bits == (tensor->end - tensor->begin) * 8);
		at = tensor->end;
	}
	demand(read->data + at == size);
}

static bool read_file(ck_job *job, const void *data, size_t size)
{
	const ck_source *source = ck_source_memory(job, "fuzz", data, size);
	demand(source);
	const ck_safetensors *read = ck_safetensors_read(job, source);
	if (!read)
		return false;
	check(read, size);
	return true;
}

/* What a fuzzer does not find by itself: a header's length, and one that is a multiple of eight. */
static bool read_header(ck_job *job, const uint8_t *data, size_t size)
{
	enum { LENGTH = 8, DATA = 64 };
	size_t header = (size + 7) / 8 * 8, whole = LENGTH + header + size % 3 * (DATA / 2);
	unsigned char *copy = ck_alloc(job, whole + 1);
	demand(copy);
	for (size_t i = 0; i < LENGTH; i++)
		copy[i] = (unsigned char)(header >> (8 * i));
	memcpy(copy + LENGTH, data, size);
	memset(copy + LENGTH + size, ' ', header - size);
	return read_file(job, copy, whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ck_job *job = fuzz_begin();
	bool is_header = size && data[0] == '{';
	return fuzz_end(job, is_header ? read_header(job, data, size)
	                               : read_file(job, data, size));
}
