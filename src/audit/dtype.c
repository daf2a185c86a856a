/* The state of NumPy's dtypes: by forged flags, plain bytes are taken for references to objects,
 * and whoever touches the array follows them. NumPy believes what it is given
 * (arraydescr_setstate in numpy/core/src/multiarray/descriptor.c). */
#include "arguments.h"

enum {
	STATE_MIN = 8, /* version, order, subdtype, names, fields, size, alignment, flags */
	SUBDTYPE = 2, FIELDS = 4, SIZE = 5, FLAGS = 7,
	HAS_REFERENCES = 1, IS_PICKLED_AS_LIST = 2,
	OF_OBJECTS = 27, /* flags that a dtype with objects in it always has */
	DEPTH_MAX = 16, FIELDS_MAX = 4096,
};

static const char FORGED[] = "gets a state by which bytes become references to objects: whoever "
                             "touches such an array is led astray in memory";

/* 'O8', b'<f4': the kind, behind the byte order. */
static char letter_of(const ck_call *call)
{
	const char *text;
	size_t len, at = 0;
	if (!call->args->items->count || !ck_value_text(call->args->items->item[0], &text, &len))
		return 0;
	while (at < len && text[at] && strchr("<>|=", text[at]))
		at++;
	return at < len ? text[at] : 0;
}

static const ck_value *item(const ck_value *tuple, size_t index)
{
	return tuple->kind == CK_TUPLE && index < tuple->items->count ? tuple->items->item[index]
	                                                              : NULL;
}

static bool holds_objects(const ck_value *dtype, int depth);

/* A field is (dtype, offset) or (dtype, offset, title); a subdtype is (dtype, shape). */
static bool state_holds_objects(const ck_value *state, int depth)
{
	const ck_value *base = item(state, SUBDTYPE), *fields = item(state, FIELDS);
	if (base && item(base, 0) && holds_objects(item(base, 0), depth + 1))
		return true;
	if (!fields || fields->kind != CK_DICT)
		return false;
	for (size_t i = 1; i < fields->items->count && i < FIELDS_MAX; i += 2) {
		const ck_value *field = item(fields->items->item[i], 0);
		if (field && holds_objects(field, depth + 1))
			return true;
	}
	return false;
}

/* What cannot be looked into may. */
static bool holds_objects(const ck_value *dtype, int depth)
{
	if (dtype->kind != CK_CALL || depth > DEPTH_MAX)
		return true;
	const ck_items *states = &ck_call_later(dtype->call)->states;
	char letter = letter_of(dtype->call);
	if (!letter || letter == 'O')
		return true;
	for (size_t i = 0; i < states->count; i++)
		if (state_holds_objects(states->item[i], depth))
			return true;
	return false;
}

ck_fault ck_check_dtype(const ck_value *target, const ck_value *state)
{
	const ck_value *flags = item(state, FLAGS), *size = item(state, SIZE);
	if (ck_call_later(target->call)->states.count)
		return odd("gets its state twice, which changes arrays that were made with it");
	if (state->kind != CK_TUPLE || state->items->count < STATE_MIN || !flags ||
	    flags->kind != CK_INT || size->kind != CK_INT)
		return odd("gets a state that it never has");
	bool objects = letter_of(target->call) == 'O' || state_holds_objects(state, 0);
	bool right = objects ? (flags->i & OF_OBJECTS) == OF_OBJECTS
	                     : !(flags->i & (HAS_REFERENCES | IS_PICKLED_AS_LIST));
	return right ? fine : odd(FORGED);
}
