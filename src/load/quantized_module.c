/* Quantized modules: what their state_dict() makes of a C++ object with packed weights, of numbers
 * that are attributes, and of the tuples that quantized convolutions are pickled as. */
#include <string.h>

#include "rebuild.h"
#include "view.h"

/* What a quantized convolution keeps, by position in its tuple. */
static const struct {
	const char *name;
	size_t at;
} convolution[] = {{"weight", 10}, {"bias", 11}, {"scale", 12}, {"zero_point", 13}};

enum { CONVOLUTION_MIN = 14 };

static ck_value *new_value(ck_torch *torch, ck_kind kind, uint64_t at)
{
	ck_value *value = ck_alloc(torch->job, sizeof *value);
	if (value)
		*value = (ck_value){.kind = (uint8_t)kind, .at = at & CK_AT_MAX};
	return value;
}

/* A tensor without dimensions: F32 from a float, I64 from an int, as torch.tensor() makes them. */
static bool make_scalar(ck_torch *torch, const ck_value *number, ck_made *made)
{
	bool real = number->kind == CK_FLOAT;
	float single = real ? (float)number->f : 0;
	uint64_t bits = (uint64_t)number->i;
	size_t size = real ? sizeof single : sizeof bits;
	if (real) {
		uint32_t narrow;
		memcpy(&narrow, &single, sizeof narrow);
		bits = narrow;
	}
	unsigned char *bytes = ck_alloc(torch->job, sizeof bits);
	uint64_t *shape = ck_alloc(torch->job, sizeof *shape);
	ck_tensor *tensor = bytes && shape ? ck_made_tensor(torch, made) : NULL;
	if (!tensor)
		return false;
	for (size_t i = 0; i < size; i++)
		bytes[i] = (unsigned char)(bits >> (8 * i));
	const ck_source *source = ck_source_memory(torch->job, torch->pickle->label, bytes, size);
	tensor->storage = source ? ck_storage_new(torch, "number", source, 0, size) : NULL;
	tensor->dtype = real ? CK_DT_F32 : CK_DT_I64;
	return tensor->storage && ck_tensor_shape(torch, tensor, shape, 0) &&
	       ck_tensor_check(torch->job, tensor, torch->pickle->label, "of a number");
}

/* A number as a value that stands for a tensor: a call that was rebuilt already. */
static ck_value *as_tensor(ck_torch *torch, const ck_value *number)
{
	static const ck_global rebuild = {"torch._utils", "_rebuild_tensor_v2",
	                                  sizeof "torch._utils" - 1,
	                                  sizeof "_rebuild_tensor_v2" - 1};
	ck_value *value = new_value(torch, CK_CALL, number->at);
	ck_value *callee = new_value(torch, CK_GLOBAL, number->at);
	ck_value *args = new_value(torch, CK_TUPLE, number->at);
	ck_call *call = ck_alloc(torch->job, sizeof *call);
	ck_made *made = ck_alloc(torch->job, sizeof *made);
	if (!value || !callee || !args || !call || !made ||
	    !make_scalar(torch, number, made))
		return NULL;
	callee->global = &rebuild;
	*call = (ck_call){.callee = callee, .args = args, .meaning = made};
	value->call = call;
	return value;
}

static bool push(ck_torch *torch, ck_items *pairs, const char *name, ck_value *value)
{
	ck_value *key = new_value(torch, CK_STR, value->at);
	if (!key)
		return false;
	key->text.data = name;
	key->text.len = strlen(name);
	if (value->kind == CK_FLOAT || value->kind == CK_INT)
		value = as_tensor(torch, value);
	return value && ck_items_push(torch->job, pairs, key) &&
	       ck_items_push(torch->job, pairs, value);
}

static bool is_number(const ck_value *value)
{
	return value && (value->kind == CK_FLOAT || value->kind == CK_INT);
}

bool ck_quantized_numbers(ck_torch *torch, const ck_items *state, ck_view *view)
{
	static const char *const names[] = {"scale", "zero_point"};
	ck_items *pairs = ck_alloc(torch->job, sizeof *pairs);
	ck_value *number[CK_COUNT(names)] = {0};
	if (!pairs)
		return false;
	for (size_t i = 0; i < state->count; i += 2)
		for (size_t n = 0; n < CK_COUNT(names); n++)
			if (ck_is_word(state->item[i], names[n]))
				number[n] = state->item[i + 1];
	if (!is_number(number[0]) || !is_number(number[1]))
		return true;
	for (size_t n = 0; n < CK_COUNT(names); n++)
		if (!push(torch, pairs, names[n], number[n]))
			return false;
	return ck_parts_add(torch, view, (ck_part){.items = pairs, .pairs = true});
}

/* Layouts that keep the sources of classes name a class by a persistent id: ('module', class, ...)
 * or (class, file, source). */
static const ck_value *class_of(const ck_value *callee)
{
	if (callee->kind != CK_PERSID || callee->pid->kind != CK_TUPLE)
		return callee;
	const ck_items *id = callee->pid->items;
	for (size_t i = 0; i < id->count && i < 2; i++)
		if (id->item[i]->kind == CK_GLOBAL)
			return id->item[i];
	return callee;
}

ck_value *ck_quantized_embedding(const ck_value *object)
{
	static const char base[] = "EmbeddingPackedParamsBase";
	const char *name;
	size_t len, n = sizeof base - 1;
	const ck_items *states = &ck_call_later(object->call)->states;
	const ck_value *state = states->count ? states->item[0] : NULL;
	if (!state || state->kind != CK_TUPLE || state->items->count != 2 ||
	    !ck_value_text(state->items->item[1], &name, &len) || len < n ||
	    memcmp(name + len - n, base, n) != 0)
		return NULL;
	const ck_value *packed = state->items->item[0];
	if (packed->kind != CK_TUPLE || packed->items->count < 2)
		return NULL;
	const ck_value *tensors = packed->items->item[1];
	return tensors->kind == CK_LIST && tensors->items->count == 1 ? tensors->items->item[0]
	                                                              : NULL;
}

bool ck_quantized_is_functional(const ck_value *callee)
{
	static const char name[] = "QFunctional";
	callee = class_of(callee);
	return callee->kind == CK_GLOBAL && callee->global->name_len == sizeof name - 1 &&
	       !memcmp(callee->global->name, name, sizeof name - 1);
}

bool ck_quantized_is_convolution(const ck_value *callee, const ck_value *state)
{
	static const char part[] = ".quantized.";
	callee = class_of(callee);
	if (callee->kind != CK_GLOBAL || state->kind != CK_TUPLE ||
	    state->items->count < CONVOLUTION_MIN)
		return false;
	const ck_global *g = callee->global;
	return g->name_len > 4 && !memcmp(g->name, "Conv", 4) && g->module_len > 6 &&
	       !memcmp(g->module, "torch.", 6) &&
	       memmem(g->module, g->module_len, part, sizeof part - 1);
}

bool ck_quantized_convolution(ck_torch *torch, const ck_value *state, ck_view *view)
{
	ck_items *pairs = ck_alloc(torch->job, sizeof *pairs);
	for (size_t i = 0; pairs && i < CK_COUNT(convolution); i++) {
		ck_value *value = state->items->item[convolution[i].at];
		if (!push(torch, pairs, convolution[i].name, value))
			return false;
	}
	return pairs && ck_parts_add(torch, view, (ck_part){.items = pairs, .pairs = true,
	                                                    .skip_none = true});
}
