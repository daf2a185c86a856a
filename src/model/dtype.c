/* The table of dtypes. */
#include "model.h"

#include <string.h>

const ck_dtype_row ck_dtype_table[CK_DTYPE_COUNT] = {
#define X(id, torch, st, onnx, size, part, stem) \
	[CK_DT_##id] = {torch, st, onnx, size, part, stem},
	CK_DTYPES(X)
#undef X
};

bool ck_dtype_is_complex(ck_dtype dtype)
{
	return dtype == CK_DT_C32 || dtype == CK_DT_C64 || dtype == CK_DT_C128;
}

bool ck_dtype_has_sign(ck_dtype dtype)
{
	if (dtype == CK_DT_C128 || dtype == CK_DT_C32)
		return true;
	return dtype < CK_DT_BOOL && dtype != CK_DT_F8_E5M2FNUZ && dtype != CK_DT_F8_E4M3FNUZ &&
	       dtype != CK_DT_F8_E8M0;
}

bool ck_dtype_of_torch(const char *name, size_t len, ck_dtype *dtype)
{
	/* torch keeps a second name for some of them; pickles hold either */
	static const struct {
		const char *name;
		ck_dtype dtype;
	} aliases[] = {
		{"double", CK_DT_F64},   {"float", CK_DT_F32},  {"half", CK_DT_F16},
		{"long", CK_DT_I64},     {"int", CK_DT_I32},    {"short", CK_DT_I16},
		{"cdouble", CK_DT_C128}, {"cfloat", CK_DT_C64}, {"chalf", CK_DT_C32},
	};
	for (size_t i = 0; i < CK_DTYPE_COUNT; i++) {
		const char *torch = ck_dtype_table[i].torch;
		if (strlen(torch) == len && !memcmp(torch, name, len)) {
			*dtype = (ck_dtype)i;
			return true;
		}
	}
	for (size_t i = 0; i < CK_COUNT(aliases); i++)
		if (strlen(aliases[i].name) == len && !memcmp(aliases[i].name, name, len)) {
			*dtype = aliases[i].dtype;
			return true;
		}
	return false;
}

bool ck_dtype_of_stem(const char *stem, size_t len, ck_dtype *dtype)
{
	for (size_t i = 0; i < CK_DTYPE_COUNT; i++) {
		const char *row = ck_dtype_table[i].stem;
		if (row && strlen(row) == len && !memcmp(row, stem, len)) {
			*dtype = (ck_dtype)i;
			return true;
		}
	}
	return false;
}

bool ck_dtype_of_safetensors(const char *name, ck_dtype *dtype)
{
	for (size_t i = 0; i < CK_DTYPE_COUNT; i++) {
		const char *row = ck_dtype_table[i].safetensors;
		if (row && !strcmp(row, name)) {
			*dtype = (ck_dtype)i;
			return true;
		}
	}
	return false;
}

bool ck_dtype_of_onnx(uint64_t number, ck_dtype *dtype)
{
	for (size_t i = 0; number && i < CK_DTYPE_COUNT; i++)
		if (ck_dtype_table[i].onnx == number) {
			*dtype = (ck_dtype)i;
			return true;
		}
	return false;
}
