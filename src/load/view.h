/* Inside the load room: how view.c and parts.c share the making of views. */
#ifndef CK_LOAD_VIEW_H
#define CK_LOAD_VIEW_H

#include "load.h"

/* Counts n values as looked at; false once the limit `visits` is passed or a stop was asked for. */
bool ck_view_charge(ck_torch *torch, uint64_t n);
/* The same with two real tensors in place of each complex one, made once; or itself. */
const ck_made *ck_made_split(ck_torch *torch, ck_made *made);
/* The parts of a CALL that makes a mapping, a sequence, or an object of an unknown class. */
bool ck_parts_mapping(ck_torch *torch, const ck_value *value, ck_view *view);
bool ck_parts_sequence(ck_torch *torch, const ck_value *value, ck_view *view);
bool ck_parts_object(ck_torch *torch, const ck_value *value, ck_view *view);

/* Remembers the globals of a pickle that are not in the table; once for each pickle. */
bool ck_unknown_find(ck_torch *torch);
/* Tells a note the first time only. */
bool ck_note_once(ck_loaded *loaded, const char *note);

#endif
