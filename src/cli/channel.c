/* What a confined child tells its parent, as typed messages of bounded size over a pipe. The parent
 * believes none of it: lengths and counts are checked, text is escaped once more. */
#include "child.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* X(identifier, bytes before its text, most bytes of the text): a message is its type, its length,
 * a few fixed fields, and text. Both sides are one program on one machine: native byte order. */
#define MESSAGES(X)                              \
	X(CONFINED, sizeof(confined_part), 0)    \
	X(NOTE, 0, CHANNEL_TEXT)                 \
	X(PROGRESS, sizeof(progress_part), CHANNEL_WORD - 1) \
	X(SUMMARY, sizeof(summary_part), 63)     \
	X(BLOB, 0, CHANNEL_PIECE)                \
	X(ERROR, sizeof(error_part), CHANNEL_TEXT) \
	X(DONE, 0, 0)

typedef struct {
	uint32_t type, len;
} message_head;

typedef struct {
	uint32_t seccomp, landlock, rlimits;
} confined_part;

typedef struct {
	uint64_t done, total;
} progress_part;

typedef struct {
	uint64_t tensors, bytes, files, file_bytes;
} summary_part;

typedef struct {
	uint64_t offset;
	int32_t status, sys;
	uint32_t has_offset, where_len; /* the text is `where`, and then the sentence */
} error_part;

enum {
#define X(id, fixed, text) MSG_##id,
	MESSAGES(X)
#undef X
	MSG_COUNT
};

static const struct {
	size_t fixed, text;
} shapes[MSG_COUNT] = {
#define X(id, fixed, text) [MSG_##id] = {fixed, text},
	MESSAGES(X)
#undef X
};

/* The longest of the parts of fixed length. */
enum { FIXED_MAX = 32 };
#define X(id, fixed, text) _Static_assert((fixed) <= FIXED_MAX, "a message of " #id " is longer");
MESSAGES(X)
#undef X

/* ---- the child's side ---- */

static void send_bytes(cli_channel *channel, const void *data, size_t len)
{
	const char *at = data;
	while (len && !channel->broken) {
		ssize_t put = write(channel->fd, at, len);
		if (put < 0 && errno == EINTR)
			continue;
		channel->broken = put < 0;
		at += put;
		len -= (size_t)put;
	}
}

static void send_message(cli_channel *channel, unsigned type, const void *fixed, const void *text,
                         size_t len)
{
	size_t most = shapes[type].text, before = shapes[type].fixed;
	unsigned char start[sizeof(message_head) + FIXED_MAX];
	if (len > most)
		len = most;
	message_head head = {type, (uint32_t)(before + len)};
	memcpy(start, &head, sizeof head);
	if (before)
		memcpy(start + sizeof head, fixed, before);
	send_bytes(channel, start, sizeof head + before);
	send_bytes(channel, text, len);
}

void cli_channel_confined(cli_channel *channel, const cli_confinement *got)
{
	confined_part part = {got->seccomp, (uint32_t)got->landlock, got->rlimits};
	send_message(channel, MSG_CONFINED, &part, NULL, 0);
}

void cli_channel_note(cli_channel *channel, const char *text)
{
	static const char enough[] = "there are more notes, which are left out";
	channel->notes++;
	if (channel->notes < CHANNEL_NOTES)
		send_message(channel, MSG_NOTE, NULL, text, strlen(text));
	else if (channel->notes == CHANNEL_NOTES)
		send_message(channel, MSG_NOTE, NULL, enough, strlen(enough));
}

void cli_channel_progress(cli_channel *channel, const char *what, uint64_t done, uint64_t total)
{
	progress_part part = {done, total};
	send_message(channel, MSG_PROGRESS, &part, what, strlen(what));
}

void cli_channel_summary(cli_channel *channel, const ck_summary *summary)
{
	summary_part part = {summary->tensors, summary->bytes, summary->files,
	                     summary->file_bytes};
	send_message(channel, MSG_SUMMARY, &part, summary->layout, strlen(summary->layout));
}

void cli_channel_blob(cli_channel *channel, const void *data, size_t len)
{
	const unsigned char *at = data;
	while (len && !channel->broken) {
		size_t piece = len < CHANNEL_PIECE ? len : CHANNEL_PIECE;
		send_message(channel, MSG_BLOB, NULL, at, piece);
		at += piece;
		len -= piece;
	}
}

void cli_channel_error(cli_channel *channel, const ck_error *error)
{
	char both[CK_WHERE_MAX + CK_TEXT_MAX];
	size_t where = strlen(error->where), text = strlen(error->text);
	error_part part = {
		.status = (int32_t)error->status, .sys = error->sys, .offset = error->offset,
		.has_offset = error->has_offset, .where_len = (uint32_t)where,
	};
	memcpy(both, error->where, where);
	memcpy(both + where, error->text, text);
	send_message(channel, MSG_ERROR, &part, both, where + text);
}

void cli_channel_done(cli_channel *channel)
{
	send_message(channel, MSG_DONE, NULL, NULL, 0);
}

/* ---- the parent's side ---- */

/* Text of a message: cut at a NUL, escaped, shortened. */
static void show(char *to, size_t size, const unsigned char *text, size_t len)
{
	char copy[CHANNEL_TEXT + 1];
	if (len > CHANNEL_TEXT)
		len = CHANNEL_TEXT;
	memcpy(copy, text, len);
	copy[len] = 0;
	ck_printable(copy, to, size);
}

static const char *take_confined(cli_report *report, const unsigned char *body)
{
	confined_part part;
	memcpy(&part, body, sizeof part);
	if (report->has_confinement)
		return "it tells of its sandbox twice";
	if (part.landlock > 1000)
		return "it tells of a sandbox that there is not";
	report->has_confinement = true;
	cli_confinement got = {part.seccomp, (int)part.landlock, part.rlimits};
	if (report->confined)
		report->confined(report->listener, &got);
	return NULL;
}

static const char *take_note(cli_report *report, const unsigned char *text, size_t len)
{
	char shown[CHANNEL_TEXT];
	if (++report->notes > CHANNEL_NOTES)
		return "it sends too many notes";
	show(shown, sizeof shown, text, len);
	if (report->note)
		report->note(report->listener, shown);
	return NULL;
}

/* The same text again is the same pointer, as whoever shows it may rely on. */
static const char *word(cli_report *report, const unsigned char *text, size_t len)
{
	char shown[CHANNEL_WORD];
	show(shown, sizeof shown, text, len);
	for (size_t i = 0; i < CHANNEL_WORDS; i++) {
		if (!report->words[i][0])
			memcpy(report->words[i], shown, sizeof shown);
		if (!strcmp(report->words[i], shown))
			return report->words[i];
	}
	return NULL;
}

static const char *take_progress(cli_report *report, const unsigned char *body, size_t len)
{
	enum { FREE = 1000, PER_SECOND = 100 };
	progress_part part;
	memcpy(&part, body, sizeof part);
	report->progresses++;
	if (report->progresses > FREE + PER_SECOND * (cli_now() - report->begun))
		return "it tells of its progress too often";
	const char *what = word(report, body + sizeof part, len - sizeof part);
	if (!what)
		return "it tells of too many kinds of work";
	if (report->progress)
		report->progress(report->listener, what, part.done, part.total);
	return NULL;
}

static const char *take_summary(cli_report *report, const unsigned char *body, size_t len)
{
	summary_part part;
	memcpy(&part, body, sizeof part);
	if (report->has_summary)
		return "it sums up twice";
	report->has_summary = true;
	show(report->layout, sizeof report->layout, body + sizeof part, len - sizeof part);
	report->summary = (ck_summary){report->layout, (size_t)part.tensors, part.bytes,
	                               (size_t)part.files, part.file_bytes};
	return NULL;
}

static const char *take_blob(cli_report *report, const unsigned char *data, size_t len)
{
	size_t need = report->blob_len + len;
	if (need > CHANNEL_BLOB)
		return "its report is too long";
	if (need > report->blob_cap) {
		size_t cap = need > CHANNEL_BLOB / 2 ? CHANNEL_BLOB : 2 * need;
		unsigned char *grown = realloc(report->blob, cap);
		if (!grown) {
			report->no_memory = true;
			return "there is no memory for its report";
		}
		report->blob = grown;
		report->blob_cap = cap;
	}
	memcpy(report->blob + report->blob_len, data, len);
	report->blob_len = need;
	return NULL;
}

static const char *take_error(cli_report *report, const unsigned char *body, size_t len)
{
	error_part part;
	ck_error *error = &report->error;
	memcpy(&part, body, sizeof part);
	body += sizeof part;
	len -= sizeof part;
	if (part.status <= CK_OK || part.status >= CK_STOPPED || part.where_len > len)
		return "it fails in a way that there is not";
	*error = (ck_error){.status = (ck_status)part.status, .sys = part.sys,
	                    .has_offset = part.has_offset, .offset = part.offset};
	show(error->where, sizeof error->where, body, part.where_len);
	show(error->text, sizeof error->text, body + part.where_len, len - part.where_len);
	report->ended = true;
	return NULL;
}

static const char *take_message(cli_report *report, unsigned type, const unsigned char *body,
                                size_t len)
{
	if (report->ended)
		return "it goes on after its end";
	switch (type) {
	case MSG_CONFINED:
		return take_confined(report, body);
	case MSG_NOTE:
		return take_note(report, body, len);
	case MSG_PROGRESS:
		return take_progress(report, body, len);
	case MSG_SUMMARY:
		return take_summary(report, body, len);
	case MSG_BLOB:
		return take_blob(report, body, len);
	case MSG_ERROR:
		return take_error(report, body, len);
	default: /* MSG_DONE: cli_report_feed has seen to the rest */
		report->ended = report->done = true;
		return NULL;
	}
}

/* Takes whole messages off the front of what there is. */
static const char *take_messages(cli_report *report)
{
	size_t at = 0;
	const char *wrong = NULL;
	message_head head;
	while (!wrong && report->have - at >= sizeof head) {
		memcpy(&head, report->message + at, sizeof head);
		if (head.type >= MSG_COUNT)
			return "it sends a message of no known kind";
		if (head.len < shapes[head.type].fixed ||
		    head.len - shapes[head.type].fixed > shapes[head.type].text)
			return "it sends a message of a wrong length";
		if (report->have - at - sizeof head < head.len)
			break;
		wrong = take_message(report, head.type, report->message + at + sizeof head,
		                     head.len);
		at += sizeof head + head.len;
	}
	memmove(report->message, report->message + at, report->have - at);
	report->have -= at;
	return wrong;
}

const char *cli_report_feed(cli_report *report, const void *data, size_t len)
{
	const unsigned char *from = data;
	const char *wrong = NULL;
	while (len && !wrong) {
		size_t room = sizeof report->message - report->have;
		size_t piece = len < room ? len : room;
		memcpy(report->message + report->have, from, piece);
		report->have += piece;
		from += piece;
		len -= piece;
		wrong = take_messages(report);
	}
	return wrong;
}

void cli_report_free(cli_report *report)
{
	free(report->blob);
	report->blob = NULL;
}
