/* Inside the audit room: what the checks of arguments share. */
#ifndef CK_AUDIT_ARGUMENTS_H
#define CK_AUDIT_ARGUMENTS_H

#include "judge.h"

enum { CHEAP_COUNT = 1 << 20 }; /* items that may be asked for without their bytes */

static const ck_fault fine = {0};

static inline ck_fault odd(const char *why)
{
	return (ck_fault){CK_RULE_ODD_ARGUMENTS, why};
}

static inline ck_fault bad(const char *why)
{
	return (ck_fault){CK_RULE_BAD_ARGUMENTS, why};
}

static inline ck_fault unknown(const char *why)
{
	return (ck_fault){CK_RULE_UNKNOWN_CALL, why};
}

/* ---- arguments.c ---- */

ck_check_call ck_check_bytes; /* how many bytes are asked for */
/* The result of a call of exactly this global. */
bool ck_is_call_of(const ck_value *value, const char *module, const char *name);
/* What it means to make an instance of something. */
ck_fault ck_check_class(ck_audit *audit, const ck_value *class);

/* ---- arguments_object.c ---- */

ck_check_call ck_check_reconstructor, ck_check_newobj, ck_check_state, ck_check_from_type;

/* ---- attributes.c ---- */

ck_check_call ck_check_getattr;
/* getattr(Outer, 'Inner'), as a class inside a class is written in old protocols. `foreign`: only
 * of a class that is not Python's, torch's or NumPy's. */
bool ck_inner_class(ck_audit *audit, const ck_value *value, bool foreign);

/* ---- arguments_data.c ---- */

ck_check_call ck_check_load_bytes, ck_check_tensor_class, ck_check_no_call, ck_check_reconstruct,
	ck_check_array, ck_check_dresser;

/* ---- arguments_size.c ---- */

ck_check_call ck_check_int, ck_check_fraction, ck_check_str, ck_check_path, ck_check_numpy_number,
	ck_check_numpy_type, ck_check_scalar;
/* So many items of so many bytes are made; few are free. */
ck_fault ck_check_count(ck_audit *audit, uint64_t count, uint64_t each);
/* All items of a value are copied. */
ck_fault ck_check_copy(ck_audit *audit, const ck_value *value);
/* They are hashed; `pairs`: the first of each is. */
ck_fault ck_check_hashed(ck_audit *audit, const ck_value *value, bool pairs);

#endif
