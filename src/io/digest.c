/* CRC-32 by libdeflate, the fastest there is, and zlib's way to join two of them. */
#include "io.h"

#include <libdeflate.h>
#include <zlib.h>

uint32_t ck_crc32(uint32_t crc, const void *data, size_t len)
{
	return libdeflate_crc32(crc, data, len);
}

uint32_t ck_crc32_join(uint32_t a, uint32_t b, uint64_t len_b)
{
	return (uint32_t)crc32_combine(a, b, (z_off_t)len_b);
}
