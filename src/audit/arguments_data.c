/* The same checks for what makes tensors, arrays and numbers. */
#include "arguments.h"

#include <string.h>

/* A checkpoint inside: its bytes must be there for the scan to look at. */
ck_fault ck_check_load_bytes(ck_audit *audit, const ck_call *call, ck_value *const *args,
                                 size_t count)
{
	(void)audit;
	(void)call;
	bool bytes = count == 1 && (args[0]->kind == CK_BYTES || args[0]->kind == CK_STR ||
	                            ck_is_call_of(args[0], "_codecs", "encode"));
	return bytes ? fine : odd("loads a pickle that is not written in this one as it is");
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
static bool is_cheap_shape(const ck_value *shape)
{
	uint64_t total = 1;
	if (shape->kind == CK_INT)
		return shape->i >= 0 && shape->i <= CHEAP_COUNT;
	if ((shape->kind != CK_TUPLE && shape->kind != CK_LIST) || ck_value_left_out(shape))
		return false;
	for (size_t i = 0; i < shape->items->count; i++) {
		const ck_value *n = shape->items->item[i];
		if (n->kind != CK_INT || n->i < 0 || !ck_mul(total, (uint64_t)n->i, &total))
			return false;
	}
	return total <= CHEAP_COUNT;
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
	for (size_t i = 1; i < count; i++)
		if ((args[i]->kind == CK_TUPLE || args[i]->kind == CK_INT ||
		     args[i]->kind == CK_LONG || args[i]->kind == CK_LIST) &&
		    !is_cheap_shape(args[i]))
			return (ck_fault){CK_RULE_EXPANDS,
			                  "makes an array of memory that was never written"};
	return class;
}

ck_fault ck_check_array(ck_audit *audit, const ck_call *call, ck_value *const *args, size_t count)
{
	(void)audit;
	(void)call;
	bool shape = count && (args[0]->kind == CK_TUPLE || args[0]->kind == CK_LIST ||
	                       args[0]->kind == CK_INT || args[0]->kind == CK_LONG);
	if (shape && !is_cheap_shape(args[0]))
		return (ck_fault){CK_RULE_EXPANDS,
		                  "makes an array of memory that was never written"};
	return fine;
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
				return (ck_fault){CK_RULE_EXPANDS,
				                  "would make a number of any length"};
	}
	return fine;
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
