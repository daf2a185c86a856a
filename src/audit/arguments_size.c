/* What calls make of what they are given, where that is far more than lies in the file: copies of
 * one long value, numbers of any length, texts of what unfolds without end. */
#include "arguments.h"

#include <string.h>

enum { LIMIT_TIMES = 32, LIMIT_FREE = 64 << 20, /* bytes that may be made for those of the file */
       SMALL_TEXT = 128, SMALL_COUNT = 16,      /* cost nothing */
       ITEM_BYTES = 8, DEPTH_MAX = 8, ARGUMENTS_MAX = 2, NESTING_MAX = 128,
       NUMBER_MAX = 4300, TYPE_MAX = 4096 };

static const char too_much[] = "would, with the calls before, make more bytes than memory holds";
static const char any_length[] = "would make a number of any length";

static ck_fault expands(const char *why)
{
	return (ck_fault){CK_RULE_EXPANDS, why};
}

/* ---- all calls together ---- */

/* Bytes that calls may still make. */
static uint64_t left(const ck_audit *audit)
{
	uint64_t bytes, most;
	if (!ck_add(audit->file->size, audit->job->unpacked, &bytes) ||
	    !ck_mul(bytes, LIMIT_TIMES, &most) || !ck_add(most, LIMIT_FREE, &most))
		return UINT64_MAX;
	return most > audit->made ? most - audit->made : 0;
}

static ck_fault make(ck_audit *audit, uint64_t bytes)
{
	if (bytes > left(audit))
		return expands(too_much);
	audit->made += bytes;
	return fine;
}

ck_fault ck_check_count(ck_audit *audit, uint64_t count, uint64_t each)
{
	uint64_t bytes;
	if (count <= SMALL_COUNT)
		return fine;
	return ck_mul(count, each, &bytes) ? make(audit, bytes) : expands(too_much);
}

ck_fault ck_check_texts(ck_audit *audit, const ck_call *call)
{
	const ck_items *args = call->args->items;
	ck_fault fault = fine;
	for (size_t i = 0; !fault.why && i < args->count; i++) {
		const ck_value *arg = args->item[i];
		if ((arg->kind == CK_STR || arg->kind == CK_BYTES) && arg->text.len > SMALL_TEXT)
			fault = make(audit, arg->text.len);
	}
	return fault;
}

/* ---- containers ---- */

static uint64_t count_of(const ck_value *value, int depth);

/* Of range(start, stop, step), at most. */
static uint64_t count_of_range(const ck_items *args)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < args->count; i++) {
		int64_t n = args->item[i]->i;
		if (args->item[i]->kind != CK_INT ||
		    !ck_add(sum, n < 0 ? -(uint64_t)n : (uint64_t)n, &sum))
			return UINT64_MAX;
	}
	return sum;
}

static bool is_range(const ck_value *callee)
{
	return ck_value_is_global(callee, "builtins", "range") ||
	       ck_value_is_global(callee, "__builtin__", "range") ||
	       ck_value_is_global(callee, "__builtin__", "xrange");
}

/* The most that a call can have made of its arguments, and what was put in later. */
static uint64_t count_of_call(const ck_call *call, int depth)
{
	const ck_later *later = ck_call_later(call);
	if (is_range(call->callee))
		return count_of_range(call->args->items);
	uint64_t most = 0;
	for (size_t i = 0; i < call->args->items->count && i < ARGUMENTS_MAX; i++) {
		const ck_value *arg = call->args->items->item[i];
		uint64_t count = arg->kind == CK_INT && arg->i > 0 && arg->i <= CHEAP_COUNT
		                         ? (uint64_t)arg->i : count_of(arg, depth + 1);
		most = count > most ? count : most;
	}
	if (!ck_add(most, (uint64_t)later->items.count + later->pairs.count, &most))
		return UINT64_MAX;
	return most;
}

static uint64_t count_of(const ck_value *value, int depth)
{
	if (depth > DEPTH_MAX)
		return CHEAP_COUNT;
	switch ((ck_kind)value->kind) {
	case CK_STR:
	case CK_BYTES:
		return value->text.len;
	case CK_LIST:
	case CK_TUPLE:
	case CK_SET:
	case CK_DICT:
		return value->items->count + ck_value_left_out(value);
	case CK_CALL:
		return count_of_call(value->call, depth);
	default:
		return 0;
	}
}

ck_fault ck_check_copy(ck_audit *audit, const ck_value *value)
{
	return ck_check_count(audit, count_of(value, 0), ITEM_BYTES);
}

typedef struct {
	uint64_t budget;
	bool lists; /* they and dicts are followed, too */
} follower;

/* False if Python comes by more often than the budget allows when it follows every reference. */
static bool follow(follower *f, const ck_value *value, int depth)
{
	bool holds = value->kind == CK_TUPLE ||
	             (f->lists && (value->kind == CK_LIST || value->kind == CK_DICT));
	if (!f->budget || depth > NESTING_MAX)
		return false;
	f->budget--;
	for (size_t i = 0; holds && i < value->items->count; i++)
		if (!follow(f, value->items->item[i], depth + 1))
			return false;
	return true;
}

static ck_fault check_followed(ck_audit *audit, const ck_value *value, bool lists)
{
	uint64_t before = left(audit) / ITEM_BYTES;
	follower f = {before, lists};
	bool ok = follow(&f, value, 0);
	audit->made += (before - f.budget) * ITEM_BYTES;
	return ok ? fine : expands("would go through a value that unfolds to more than memory "
	                           "holds");
}

/* A tuple is hashed each time anew, with all that is in it. */
ck_fault ck_check_hashed(ck_audit *audit, const ck_value *value, bool pairs)
{
	ck_fault fault = fine;
	bool holds = value->kind == CK_TUPLE || value->kind == CK_LIST || value->kind == CK_SET;
	for (size_t i = 0; holds && !fault.why && i < value->items->count; i++) {
		const ck_value *key = value->items->item[i];
		if (pairs)
			key = key->kind == CK_TUPLE && key->items->count ? key->items->item[0]
			                                                 : value;
		if (key->kind == CK_TUPLE && key != value)
			fault = check_followed(audit, key, false);
	}
	return fault;
}

/* ---- numbers and texts ---- */

/* Decimals know numbers of any length by a few letters; fractions made of fractions double. */
static ck_fault check_number(ck_value *const *args, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (args[i]->kind == CK_CALL)
			return expands(any_length);
		if ((args[i]->kind == CK_STR || args[i]->kind == CK_BYTES) &&
		    args[i]->text.len > NUMBER_MAX)
			return expands("would read a number of more digits than Python takes");
	}
	return fine;
}

ck_fault ck_check_int(ck_audit *audit, const ck_call *call, ck_value *const *args, size_t count)
{
	(void)audit;
	(void)call;
	return check_number(args, count);
}

/* "1/3", but not "1e1000000000", which Python would write out. */
ck_fault ck_check_fraction(ck_audit *audit, const ck_call *call, ck_value *const *args,
                           size_t count)
{
	const char *text;
	size_t len;
	(void)audit;
	(void)call;
	for (size_t i = 0; i < count; i++) {
		if (!ck_value_text(args[i], &text, &len))
			continue;
		for (size_t k = 0; k < len; k++)
			if (!strchr("0123456789/-+. ", text[k]) || !text[k])
				return expands(any_length);
	}
	return check_number(args, count);
}

static bool is_plain_coding(const ck_value *name)
{
	static const char *const plain[] = {"latin1", "latin-1", "iso-8859-1", "ascii", "utf-8",
	                                    "utf8"};
	const char *text;
	size_t len;
	for (size_t i = 0; ck_value_text(name, &text, &len) && i < CK_COUNT(plain); i++)
		if (len == strlen(plain[i]) && !memcmp(text, plain[i], len))
			return true;
	return false;
}

/* str() of a number or text, or of bytes in a plain coding. */
ck_fault ck_check_str(ck_audit *audit, const ck_call *call, ck_value *const *args, size_t count)
{
	(void)audit;
	(void)call;
	if (!count)
		return fine;
	switch ((ck_kind)args[0]->kind) {
	case CK_LIST:
	case CK_TUPLE:
	case CK_SET:
	case CK_DICT:
		return expands("would write out a value, which may unfold to any length");
	case CK_CALL:
		if (count < 2)
			return expands("would write out what a call returned, of any length");
		break;
	default:
		break;
	}
	return count < 2 || is_plain_coding(args[1]) ? fine
	                                             : odd("is given a coding that no pickle has");
}

/* Paths made of paths double. */
ck_fault ck_check_path(ck_audit *audit, const ck_call *call, ck_value *const *args, size_t count)
{
	(void)audit;
	(void)call;
	for (size_t i = 0; i < count; i++)
		if (args[i]->kind == CK_CALL)
			return expands("would join paths to one of any length");
	return fine;
}

/* ---- NumPy ---- */

static bool is_named_after_bytes(const ck_value *class)
{
	return ck_value_is_global(class, "numpy", "bytes_") ||
	       ck_value_is_global(class, "numpy", "string_");
}

/* Of a sequence numpy.float64 and its like make arrays, numpy.bytes_ makes bytes of a number. */
ck_fault ck_check_numpy_number(ck_audit *audit, const ck_call *call, ck_value *const *args,
                               size_t count)
{
	ck_fault fault = fine;
	for (size_t i = 0; !fault.why && i < count; i++) {
		const ck_value *arg = args[i];
		if (arg->kind == CK_INT && is_named_after_bytes(call->callee))
			fault = arg->i > CHEAP_COUNT
			                ? expands(too_much)
			                : ck_check_count(audit, (uint64_t)arg->i, 1);
		else if (arg->kind == CK_CALL)
			fault = ck_check_copy(audit, arg);
		else if (arg->kind == CK_LIST || arg->kind == CK_TUPLE || arg->kind == CK_DICT)
			fault = check_followed(audit, arg, true);
	}
	return fault;
}

/* numpy.core.multiarray.scalar(type, bytes): without bytes it takes the size that the type says. */
ck_fault ck_check_scalar(ck_audit *audit, const ck_call *call, ck_value *const *args,
                         size_t count)
{
	(void)audit;
	(void)call;
	(void)args;
	return count == 2 ? fine : bad("needs a type and bytes");
}

ck_fault ck_check_numpy_type(ck_audit *audit, const ck_call *call, ck_value *const *args,
                             size_t count)
{
	(void)call;
	if (!count)
		return fine;
	if (args[0]->kind == CK_LIST || args[0]->kind == CK_TUPLE || args[0]->kind == CK_DICT)
		return check_followed(audit, args[0], true);
	bool text = args[0]->kind == CK_STR || args[0]->kind == CK_BYTES;
	return text && args[0]->text.len > TYPE_MAX ? expands("has a type that is too long") : fine;
}
