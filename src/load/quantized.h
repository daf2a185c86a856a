/* Inside the load room: what quantized.c reads and dequantize.c computes with. */
#ifndef CK_LOAD_QUANTIZED_H
#define CK_LOAD_QUANTIZED_H

#include "rebuild.h"

/* What a quantized tensor says besides its integers. */
typedef struct ck_quantized {
	ck_made *made;
	ck_dtype dtype;            /* as stored */
	bool channels;             /* one scale for each, along `axis` */
	double scale;
	int64_t zero_point;
	size_t axis;
	ck_tensor *scales, *zero_points;
} ck_quantized;

/* True for zero points of floats, with which torch computes in float. */
bool ck_quantized_is_real(const ck_tensor *zero_points);
/* Puts the reals in the place of the integers in p->made, which were checked. */
bool ck_dequantize(ck_torch *torch, const ck_quantized *p);
/* The same where a tensor of bytes holds several elements in each. */
bool ck_dequantize_packed(ck_torch *torch, const ck_quantized *p, const ck_tensor *bytes,
                          unsigned per_byte);

#endif
