/* What a machine tells while it reads pickles, written down so that two of them can be compared,
 * and pickles made for them. */
#ifndef TOLD_H
#define TOLD_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pickle.h"
#include "unit.h"

static uint64_t look_from = 1; /* bytes of memory, or a little more */

typedef struct {
	ck_job *job;
	ck_seen seen;
	ck_watch watch;
	ck_text told;     /* deeds, then the failure */
	const ck_value *root;
} reader;

static inline bool on_event(void *arg, const ck_source *source, const ck_event *event)
{
	reader *r = arg;
	(void)source;
	bool ok = ck_text_addf(r->job, &r->told, "%d at %d: ", (int)event->deed,
	                       (int)event->step->at);
	if (event->deed == CK_DID_CALL)
		ok = ok && ck_print_tree(r->job, &r->told, event->target->call->args);
	for (size_t i = 0; event->items && i < event->items->count; i++)
		ok = ok && ck_print_tree(r->job, &r->told, event->items->item[i]) &&
		     ck_text_addf(r->job, &r->told, ",");
	if (event->given)
		ok = ok && ck_print_tree(r->job, &r->told, (ck_value *)(uintptr_t)event->given);
	return ok && ck_text_addf(r->job, &r->told, "\n");
}

/* As joblib does: three bytes behind such an object are no opcodes. */
static inline bool on_built(void *arg, ck_value *call, uint64_t *at)
{
	(void)arg;
	*at += ck_value_is_global(call->call->callee, "m", "NumpyArrayWrapper") ? 3 : 0;
	return true;
}

static inline reader *reader_new(bool lean)
{
	reader *r = calloc(1, sizeof *r);
	r->job = ck_base_job_new();
	r->watch = (ck_watch){on_event, NULL, r};
	r->seen = (ck_seen){.watch = &r->watch, .built = on_built, .lean = lean,
	                     .ahead = lean ? look_from : 0};
	return r;
}

static inline void reader_free(reader *r)
{
	ck_base_job_free(r->job);
	free(r);
}

/* All pickles of the bytes, one after the other. */
static inline reader *read_all(bool lean, const void *bytes, size_t len)
{
	reader *r = reader_new(lean);
	const ck_source *source = ck_source_memory(r->job, "test", bytes, len);
	for (uint64_t at = 0; at < len;) {
		r->root = ck_pickle_read(r->job, source, &at, &r->seen);
		if (!r->root)
			break;
		char opcodes[257] = "";
		for (int i = 0; i < 256; i++)
			opcodes[i] = r->seen.opcodes[i] ? '1' : '0';
		ck_assert(ck_text_addf(r->job, &r->told,
		                       "read to %d by %d; %d shared, up to %d; opcodes "
		                       "%s\n", (int)at, r->seen.protocol,
		                       (int)r->seen.shared, (int)r->seen.far_memo,
		                       opcodes));
	}
	if (!r->root)
		ck_assert(ck_text_addf(r->job, &r->told, "fails at %d: %s\n",
		                       (int)r->job->error.offset, r->job->error.text));
	ck_assert(ck_text_add(r->job, &r->told, "", 1));
	return r;
}

static inline void compare(const void *bytes, size_t len)
{
	reader *full = read_all(false, bytes, len), *lean = read_all(true, bytes, len);
	ck_assert_str_eq(lean->told.data, full->told.data);
	reader_free(full);
	reader_free(lean);
}

typedef struct {
	unsigned char *bytes;
	size_t len, cap;
	uint64_t state;
} maker;

static inline void put(maker *m, const void *bytes, size_t len)
{
	if (m->cap - m->len < len) {
		m->cap = 2 * m->cap + len;
		m->bytes = realloc(m->bytes, m->cap);
	}
	memcpy(m->bytes + m->len, bytes, len);
	m->len += len;
}

#define PUT(m, text) put(m, text, sizeof(text) - 1)

static inline void put_code(maker *m, unsigned char code, uint32_t number, size_t width)
{
	unsigned char op[5] = {code, (unsigned char)number, (unsigned char)(number >> 8),
	                       (unsigned char)(number >> 16), (unsigned char)(number >> 24)};
	put(m, op, 1 + width);
}

static inline void put_text(maker *m, const char *text)
{
	put_code(m, 'X', (uint32_t)strlen(text), 4);
	put(m, text, strlen(text));
}

/* {'name': 'NUMBER', 'list': [NUMBER, (NUMBER, 'NUMBER')]}, all of it memoized from `memo` on */
enum { RECORD_MEMO = 5 };
static inline void put_record(maker *m, uint32_t number, uint32_t memo)
{
	char text[16];
	snprintf(text, sizeof text, "number %u", number);
	put(m, "}", 1);
	put_code(m, 'r', memo, 4);
	put(m, "(", 1);
	put_text(m, "name");
	put_text(m, text);
	put_code(m, 'r', memo + 1, 4);
	put_text(m, "list");
	put(m, "]", 1);
	put_code(m, 'r', memo + 2, 4);
	put(m, "(", 1);
	put_code(m, 'J', number, 4);
	put_code(m, 'J', number, 4);
	put_text(m, text);
	put_code(m, 'r', memo + 3, 4);
	put(m, "\x86", 1);
	put_code(m, 'r', memo + 4, 4);
	put(m, "eu", 2);
}

static inline uint32_t any(maker *m, uint32_t below)
{
	m->state ^= m->state << 13;
	m->state ^= m->state >> 7;
	m->state ^= m->state << 17;
	return (uint32_t)(m->state >> 20) % below;
}

#endif
