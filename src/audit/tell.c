/* Arguments as short text that is safe to print: what a call was given, for the report. */
#include "judge.h"

#include <stdio.h>
#include <string.h>

enum { TOLD_DEPTH = 3, TOLD_ITEMS = 8, TOLD_TEXT = 60 };

typedef struct {
	char *to;
	size_t len, room;
	bool full;
} told;

/* What does not fit ends in "...", which always does. */
static void add(told *t, const char *text)
{
	size_t len = strlen(text);
	if (t->full)
		return;
	if (t->len + len > t->room) {
		size_t fits = t->room - t->len;
		while (fits && ((unsigned char)text[fits] & 0xC0) == 0x80)
			fits--;
		memcpy(t->to + t->len, text, fits);
		memcpy(t->to + t->len + fits, "...", 4);
		t->full = true;
		return;
	}
	memcpy(t->to + t->len, text, len + 1);
	t->len += len;
}

/* In quotes as Python has it: double ones if there are single ones in it and no double ones. */
static void add_text(told *t, const char *prefix, const char *data, uint64_t len)
{
	char shown[TOLD_TEXT + 1], quoted[2 * TOLD_TEXT + 1], *to = quoted;
	ck_show_to(shown, sizeof shown, data, (size_t)len);
	const char *quote = strchr(shown, '\'') && !strchr(shown, '"') ? "\"" : "'";
	for (const char *at = shown; *at; at++) {
		if (*at == *quote)
			*to++ = '\\';
		*to++ = *at;
	}
	*to = 0;
	add(t, prefix);
	add(t, quote);
	add(t, quoted);
	add(t, quote);
}

static void add_number(told *t, const ck_value *value)
{
	char number[64];
	if (value->kind == CK_INT)
		snprintf(number, sizeof number, "%lld", (long long)value->i);
	else
		snprintf(number, sizeof number, "%g", value->f);
	add(t, number);
}

static void add_bytes(told *t, const ck_value *value)
{
	const char *prefix = value->flags & CK_PY2 ? "" : "b";
	if (value->text.data)
		add_text(t, prefix, value->text.data, value->text.len);
	else
		add(t, "b'...'");
}

static void add_items(told *t, const char *open, const char *close, ck_value *const *items,
                      size_t count, size_t step, int depth);

static void add_value(told *t, const ck_value *value, int depth)
{
	switch ((ck_kind)value->kind) {
	case CK_NONE:
		add(t, "None");
		return;
	case CK_BOOL:
		add(t, value->b ? "True" : "False");
		return;
	case CK_INT:
	case CK_FLOAT:
		add_number(t, value);
		return;
	case CK_STR:
		add_text(t, "", value->text.data, value->text.len);
		return;
	case CK_BYTES:
		add_bytes(t, value);
		return;
	case CK_LIST:
		add_items(t, "[", "]", value->items->item, value->items->count, 1, depth);
		return;
	case CK_TUPLE:
		add_items(t, "(", value->items->count == 1 ? ",)" : ")", value->items->item,
		          value->items->count, 1, depth);
		return;
	case CK_SET:
	case CK_DICT:
		add_items(t, "{", "}", value->items->item, value->items->count,
		          value->kind == CK_DICT ? 2 : 1, depth);
		return;
	case CK_CALL:
		add(t, ck_value_about(value->call->callee).s);
		add_items(t, "(", ")", value->call->args->items->item,
		          value->call->args->items->count, 1, depth);
		return;
	case CK_LONG:
	case CK_GLOBAL:
	case CK_PERSID:
	case CK_EXT:
	case CK_BUFFER:
		add(t, ck_value_about(value).s);
	}
}

static void add_items(told *t, const char *open, const char *close, ck_value *const *items,
                      size_t count, size_t step, int depth)
{
	add(t, open);
	if (depth >= TOLD_DEPTH && count)
		add(t, "...");
	for (size_t i = 0; depth < TOLD_DEPTH && i < count && !t->full; i++) {
		bool value = step == 2 && i % 2;
		add(t, !i ? "" : value ? ": " : ", ");
		if (i / step >= TOLD_ITEMS) {
			add(t, "...");
			break;
		}
		add_value(t, items[i], depth + 1);
	}
	add(t, close);
}

static told begin(char *to)
{
	*to = 0;
	return (told){to, 0, CK_ARGUMENTS_MAX - 3, false};
}

void ck_tell_arguments(char to[CK_ARGUMENTS_MAX + 1], ck_value *const *items, size_t count,
                       const ck_value *kwargs)
{
	told t = begin(to);
	add_items(&t, "", "", items, count, 1, 0);
	if (kwargs && kwargs->items->count) {
		add(&t, count ? ", **" : "**");
		add_value(&t, kwargs, 1);
	}
}

void ck_tell_pairs(char to[CK_ARGUMENTS_MAX + 1], ck_value *const *items, size_t count)
{
	told t = begin(to);
	add_items(&t, "", "", items, count, 2, 0);
}

void ck_tell_change(char to[CK_ARGUMENTS_MAX + 1], const ck_event *event)
{
	ck_value *state;
	if (event->deed == CK_DID_SET) {
		ck_tell_pairs(to, event->items->item, event->items->count);
	} else if (event->deed == CK_DID_APPEND) {
		ck_tell_arguments(to, event->items->item, event->items->count, NULL);
	} else {
		memcpy(&state, &event->given, sizeof state);
		ck_tell_arguments(to, &state, 1, NULL);
	}
}
