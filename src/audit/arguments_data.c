/* The same checks for what makes tensors, arrays and numbers. */
#include "arguments.h"

#include <string.h>

/* A checkpoint inside: its bytes must be there for the scan to look at. */
ck_fault ck_check_load_bytes(ck_audit *audit, const ck_call *call, ck_value *const *args,
                                 size_t count)
{
	(void)call;
	bool bytes = count == 1 && (args[0]->kind == CK_BYTES || args[0]->kind == CK_STR ||
	                            ck_is_call_of(args[0], "_codecs", "encode"));
	return bytes ? ck_check_copy(audit, args[0])
	             : odd("loads a pickle that is not written in this one as it is");
}

ck_fault ck_check_tensor_class(ck_audit *audit, const ck_call *call, ck_value *const *args,
                                   size_t count)
{
	(void)audit;
	(void)call;
	for (size_t i = 0; i < count; i++)
		if (args[i]->kind == CK_INT || args[i]->kind == CK_LONG)
			return (ck_fault){CK_RULE_EXPANDS,
			                  "makes a tensor of memory that was never written"};
	for (size_t i = 0; i < count; i++)
		if (args[i]->kind != CK_PERSID && args[i]->kind != CK_CALL &&
		    args[i]->kind != CK_BOOL && args[i]->kind != CK_NONE)
			return odd("is called with arguments that torch.save never writes");
	return fine;
}

ck_fault ck_check_no_call(ck_audit *audit, const ck_call *call, ck_value *const *args,
                              size_t count)
{
	(void)audit;
	(void)call;
	(void)args;
	return count ? odd("is called, which no file does that torch or NumPy wrote") : fine;
}

/* Elements of a shape that would be allocated. */
static bool is_cheap_shape(const ck_value *shape, uint64_t *count)
{
	uint64_t total = 1;
	*count = shape->kind == CK_INT ? (uint64_t)shape->i : 0;
	if (shape->kind == CK_INT)
		return shape->i >= 0 && shape->i <= CHEAP_COUNT;
	if ((shape->kind != CK_TUPLE && shape->kind != CK_LIST) || ck_value_left_out(shape))
		return false;
	for (size_t i = 0; i < shape->items->count; i++) {
		const ck_value *n = shape->items->item[i];
		if (n->kind != CK_INT || n->i < 0 || !ck_mul(total, (uint64_t)n->i, &total))
			return false;
	}
	*count = total;
	return total <= CHEAP_COUNT;
}

/* A type of one letter is that of numbers, or of nothing that is large. */
static bool is_cheap_type(const ck_value *type)
{
	const char *text;
	size_t len;
	return type->kind == CK_NONE || type->kind == CK_GLOBAL ||
	       (ck_value_text(type, &text, &len) && len == 1);
}

/* What a call returned may be a shape or an array; with a type of its own, elements of any size. */
static ck_fault check_shape(ck_audit *audit, const ck_value *shape, ck_value *const *rest,
                            size_t count)
{
	static const ck_fault large = {CK_RULE_EXPANDS,
	                               "makes an array of memory that was never written"};
	uint64_t elements = 0;
	bool call = shape->kind == CK_CALL && !ck_is_call_of(shape, "_codecs", "encode");
	bool sizes = shape->kind == CK_TUPLE || shape->kind == CK_LIST || shape->kind == CK_INT ||
	             shape->kind == CK_LONG;
	if (call)
		return large;
	if (!sizes)
		return fine;
	if (!is_cheap_shape(shape, &elements) || (elements && count && !is_cheap_type(rest[0])))
		return large;
	return ck_check_count(audit, elements, sizeof(double));
}

static bool is_array_class(const ck_value *value)
{
	static const char *const names[] = {"ndarray", "matrix", "memmap", "recarray", "chararray",
	                                    "MaskedArray"};
	if (value->kind != CK_GLOBAL || value->global->module_len < 5 ||
	    memcmp(value->global->module, "numpy", 5) != 0)
		return false;
	for (size_t i = 0; i < CK_COUNT(names); i++)
		if (value->global->name_len == strlen(names[i]) &&
		    !memcmp(value->global->name, names[i], value->global->name_len))
			return true;
	return false;
}

/* (class, shape, type): an array without elements, which its state then fills. */
ck_fault ck_check_reconstruct(ck_audit *audit, const ck_call *call, ck_value *const *args,
                                  size_t count)
{
	(void)call;
	if (count < 2)
		return bad("needs a class and a shape");
	bool plain = is_array_class(args[0]);
	ck_fault class = plain ? fine : ck_check_class(audit, args[0]);
	if (ck_fault_verdict(&class) == CK_DANGEROUS)
		return class;
	size_t at = count > 2 && args[1]->kind == CK_GLOBAL ? 2 : 1; /* of masked arrays */
	const ck_fault size = check_shape(audit, args[at], args + at + 1, count - at - 1);
	return size.why ? size : class;
}

ck_fault ck_check_array(ck_audit *audit, const ck_call *call, ck_value *const *args, size_t count)
{
	(void)call;
	return count ? check_shape(audit, args[0], args + 1, count - 1) : fine;
}

/* TorchScript's way to say of which type a list or dict is: what it is given is what it returns. */
ck_fault ck_check_dresser(ck_audit *audit, const ck_call *call, ck_value *const *args,
                          size_t count)
{
	(void)audit;
	(void)call;
	bool container = count && (args[0]->kind == CK_LIST || args[0]->kind == CK_TUPLE ||
	                           args[0]->kind == CK_DICT);
	return container ? fine : odd("is given something other than a list or dict of tensors or "
	                              "numbers");
}
