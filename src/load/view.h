/* Inside the load room: how view.c and parts.c share the making of views. */
#ifndef CK_LOAD_VIEW_H
#define CK_LOAD_VIEW_H

#include "load.h"

/* Counts n values as looked at; false once the limit `visits` is passed or a stop was asked for. */
bool ck_view_charge(ck_torch *torch, uint64_t n);
/* The same for looking through n values that are not visited for it. A few are free: honest calls
 * and objects have no more, and were charged as values. */
bool ck_view_scan(ck_torch *torch, uint64_t n);
/* The parts of a CALL that makes a mapping, a sequence, or an object of an unknown class. */
bool ck_parts_mapping(ck_torch *torch, const ck_value *value, ck_view *view);
bool ck_parts_sequence(ck_torch *torch, const ck_value *value, ck_view *view);
bool ck_parts_object(ck_torch *torch, const ck_value *value, ck_view *view);

/* What the makers of views share. Keys and values in turn of a dict, or of a call that makes a
 * mapping: *items is NULL for all else. */
bool ck_parts_pairs(ck_torch *torch, const ck_value *value, const ck_items **items);
bool ck_parts_add(ck_torch *torch, ck_view *view, ck_part part);
/* A dict of attributes, (dict, slots) with two of them, or the class's own affair. */
bool ck_parts_state(ck_torch *torch, ck_value *state, ck_view *view);

/* If these are the attributes of an nn.Module, names its tensors as its state_dict() would:
 * parameters, buffers, then modules. Sets *done then. */
bool ck_module_view(ck_torch *torch, const ck_items *state, ck_view *view, bool *done);
/* The parts of calls of the roles ATTRIBUTES, WRAP and SCRIPT. */
bool ck_module_attributes(ck_torch *torch, const ck_value *value, const ck_global_row *row,
                          ck_view *view);
bool ck_module_wrapped(ck_torch *torch, const ck_value *value, const ck_global_row *row,
                       ck_view *view);
bool ck_module_script(ck_torch *torch, const ck_value *value, ck_view *view);

/* `scale` and `zero_point` of a quantized module with these attributes, as tensors. */
bool ck_quantized_numbers(ck_torch *torch, const ck_items *state, ck_view *view);
/* A QFunctional has them although it packs no weights. */
bool ck_quantized_is_functional(const ck_value *callee);
/* The one tensor that the packed weights of an embedding are, or NULL: `object` is a call. */
ck_value *ck_quantized_embedding(const ck_value *object);
/* A quantized convolution is pickled as a tuple: its tensors, by the names of its state_dict(). */
bool ck_quantized_is_convolution(const ck_value *callee, const ck_value *state);
bool ck_quantized_convolution(ck_torch *torch, const ck_value *state, ck_view *view);

/* What makes two tensors one for somebody who asks whether anything is lost. */
typedef struct ck_identity {
	const ck_storage *storage;
	uint64_t start, count, dtype;
} ck_identity;
ck_identity ck_identify(const ck_tensor *tensor);
/* Looks for tensors among the attributes of a module or parameter, which no output holds. */
bool ck_aside_note(ck_torch *torch, const ck_items *attributes, const ck_path *path);
/* Once everything was walked: those that no name reaches go to the model's list of others. */
bool ck_aside_settle(ck_loaded *loaded);
/* Tells of bytes that are a checkpoint kept as a value, of the first ones in a file. */
bool ck_embedded_note(ck_torch *torch, const ck_value *value, const ck_path *path);
/* Tells a note the first time only. */
bool ck_note_once(ck_loaded *loaded, const char *note);

#endif
