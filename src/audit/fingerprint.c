/* Fingerprints: what names a finding in the next version of a file, so that a baseline can know it.
 * Whoever writes a file must not be able to give a new finding the fingerprint of a known one. */
#include "judge.h"
#include "look.h"

#include <stdio.h>
#include <string.h>

#include "sign.h"

/* ---- what was done, and with which values ---- */

/* Values are shared, and may hold themselves: so deep, and, over the whole file, so many bytes. */
enum { DIGEST_DEPTH = 32, VALUE_COST = 16 };

typedef struct {
	ck_sha256 sum;
	uint64_t *budget;
	bool cut;
} digest;

static void mix(digest *d, const void *data, size_t len)
{
	if (len > *d->budget) {
		*d->budget = 0;
		d->cut = true;
		return;
	}
	*d->budget -= len;
	ck_sha256_add(&d->sum, data, len);
}

static void mix_number(digest *d, uint64_t number)
{
	mix(d, &number, sizeof number);
}

/* The length goes first: no two lists of texts are the same bytes. */
static void mix_text(digest *d, const char *text, uint64_t len)
{
	mix_number(d, len);
	if (text)
		mix(d, text, (size_t)len);
	else
		d->cut = d->cut || len; /* it was left in the file */
}

static void mix_items(digest *d, const ck_items *items, int depth);
static void mix_call(digest *d, const ck_call *call, int depth);

static void mix_value(digest *d, const ck_value *value, int depth)
{
	d->cut = d->cut || depth > DIGEST_DEPTH || *d->budget < VALUE_COST;
	if (d->cut)
		return;
	*d->budget -= VALUE_COST;
	mix(d, &value->kind, sizeof value->kind);
	switch ((ck_kind)value->kind) {
	case CK_NONE:
		return;
	case CK_BOOL:
		mix_number(d, value->b);
		return;
	case CK_INT:
	case CK_FLOAT: /* its bits */
	case CK_EXT:
	case CK_BUFFER:
		mix_number(d, (uint64_t)value->i);
		return;
	case CK_LONG:
	case CK_STR:
	case CK_BYTES:
		mix_text(d, value->text.data, value->text.len);
		return;
	case CK_LIST:
	case CK_TUPLE:
	case CK_SET:
	case CK_DICT:
		d->cut = d->cut || ck_value_left_out(value);
		mix_items(d, value->items, depth + 1);
		return;
	case CK_GLOBAL:
		mix_text(d, value->global->module, value->global->module_len);
		mix_text(d, value->global->name, value->global->name_len);
		return;
	case CK_PERSID:
		mix_value(d, value->pid, depth + 1);
		return;
	case CK_CALL:
		mix_call(d, value->call, depth + 1);
	}
}

static void mix_items(digest *d, const ck_items *items, int depth)
{
	mix_number(d, items->count);
	for (size_t i = 0; i < items->count && !d->cut; i++)
		mix_value(d, items->item[i], depth);
}

static void mix_call(digest *d, const ck_call *call, int depth)
{
	const ck_later *later = ck_call_later(call);
	mix_number(d, call->how);
	mix_value(d, call->callee, depth);
	mix_value(d, call->args, depth);
	mix_number(d, call->kwargs != NULL);
	if (call->kwargs)
		mix_value(d, call->kwargs, depth);
	mix_items(d, &later->items, depth);
	mix_items(d, &later->pairs, depth);
	mix_items(d, &later->states, depth);
}

bool ck_event_digest(ck_audit *audit, const ck_event *event, unsigned char to[CK_DIGEST_SIZE])
{
	unsigned char whole[CK_SHA256_SIZE];
	digest d = {.budget = &audit->digest_budget};
	ck_sha256_begin(&d.sum);
	mix_number(&d, event->deed);
	mix_value(&d, event->target, 0);
	if (event->items)
		mix_items(&d, event->items, 0);
	if (event->given)
		mix_value(&d, event->given, 0);
	ck_sha256_end(&d.sum, whole);
	memset(to, 0, CK_DIGEST_SIZE);
	if (!d.cut)
		memcpy(to, whole, CK_DIGEST_SIZE);
	return !d.cut;
}

void ck_subject_digest(const char *subject, const char *why, unsigned char to[CK_DIGEST_SIZE])
{
	unsigned char whole[CK_SHA256_SIZE];
	ck_sha256 sum;
	ck_sha256_begin(&sum);
	ck_sha256_add(&sum, subject, strlen(subject) + 1);
	ck_sha256_add(&sum, why, strlen(why) + 1);
	ck_sha256_end(&sum, whole);
	memcpy(to, whole, CK_DIGEST_SIZE);
}

static bool sum_source(ck_job *job, const ck_source *source, unsigned char to[CK_SHA256_SIZE])
{
	unsigned char piece[16 << 10];
	ck_sha256 sum;
	ck_sha256_begin(&sum);
	for (uint64_t at = 0; at < source->size; at += sizeof piece) {
		uint64_t left = source->size - at;
		size_t len = left < sizeof piece ? (size_t)left : sizeof piece;
		if (ck_stopped(job) || !ck_read_at(job, source, at, piece, len))
			return false;
		ck_sha256_add(&sum, piece, len);
	}
	ck_sha256_end(&sum, to);
	return true;
}

bool ck_source_digest(ck_job *job, const ck_source *source, unsigned char to[CK_DIGEST_SIZE])
{
	unsigned char whole[CK_SHA256_SIZE];
	if (!sum_source(job, source, whole))
		return false;
	memcpy(to, whole, CK_DIGEST_SIZE);
	return true;
}

const char *ck_source_sha256(ck_job *job, const ck_source *source)
{
	unsigned char whole[CK_SHA256_SIZE];
	char *hex = ck_alloc(job, CK_SHA256_HEX + 1);
	if (!hex || !sum_source(job, source, whole))
		return NULL;
	for (size_t i = 0; i < CK_SHA256_SIZE; i++)
		snprintf(hex + 2 * i, 3, "%02x", whole[i]);
	return hex;
}

/* ---- the finding ---- */

/* A number that stands for itself, such as a size or an offset. */
static size_t number_at(const char *text, const char *at)
{
	size_t digits = strspn(at, "0123456789");
	bool begins = at == text || at[-1] == ' ' || at[-1] == '(';
	bool ends = !at[digits] || strchr(" ,;:.)%", at[digits]);
	return begins && ends ? digits : 0;
}

/* A sentence without its numbers, which change with each version of a file. From the first quote to
 * the last all stays: what is quoted is written in the file, quotes and numbers included. */
static size_t strip_numbers(char to[CK_TEXT_MAX], const char *text)
{
	static const char quotes[] = "'\"";
	const char *first = strpbrk(text, quotes), *last = first;
	for (const char *next = first; next; next = strpbrk(next + 1, quotes))
		last = next;
	size_t len = 0;
	for (const char *at = text; *at && len < CK_TEXT_MAX; len++) {
		size_t number = first && at >= first && at <= last ? 0 : number_at(text, at);
		to[len] = number ? '#' : *at;
		at += number ? number : 1;
	}
	return len;
}

void ck_fingerprint(ck_finding *f)
{
	const char *const parts[] = {f->rule, f->module, f->name, f->member};
	unsigned char whole[CK_SHA256_SIZE];
	char sentence[CK_TEXT_MAX];
	ck_sha256 sum;
	ck_sha256_begin(&sum);
	for (size_t i = 0; i < CK_COUNT(parts); i++) {
		const char *part = parts[i] ? parts[i] : "";
		ck_sha256_add(&sum, part, strlen(part) + 1);
	}
	ck_sha256_add(&sum, f->digest, sizeof f->digest);
	if (!f->module && f->why) /* else the name says what it is about */
		ck_sha256_add(&sum, sentence, strip_numbers(sentence, f->why));
	ck_sha256_end(&sum, whole);
	for (size_t i = 0; 2 * i + 1 < sizeof f->fingerprint; i++)
		snprintf(f->fingerprint + 2 * i, 3, "%02x", whole[i]);
}
