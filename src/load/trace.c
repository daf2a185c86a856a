/* What a file says of the program that wrote it: a table of members, and what each lets one be sure
 * of. Other programs than PyTorch can write them as well. */
#include "trace.h"

#include <stdio.h>
#include <stdlib.h>

enum { VALUE_MAX = 64 };

static const struct {
	const char *member;
	const char *means;
	unsigned since;
} members[] = {
	{"version", NULL, 0}, /* see version_means */
	{".data/version", NULL, 0},
	{"byteorder", "as PyTorch 2.1 and later write it", 201},
	{".data/serialization_id", "as PyTorch 2.1 and later write it", 201},
	{".format_version", "as PyTorch 2.7 and later write it", 207},
	{".storage_alignment", "as PyTorch 2.7 and later write it", 207},
	{".data/python_version", "the Python that ran torch.package", 0},
	{"archive_format", NULL, 0},
	{"archive_version", NULL, 0},
};

/* The format of the archive, which has been 3 since PyTorch 1.6, or more with TorchScript code. */
static void version_means(ck_trace *trace)
{
	long version = strtol(trace->value, NULL, 10);
	if (version >= 3) {
		trace->means = "as PyTorch 1.6 and later write it";
		trace->since = 106;
	} else if (version >= 1) {
		trace->means = "as PyTorch before 1.6 wrote it";
	}
}

static bool add(ck_loaded *loaded, ck_trace trace, const char *value, size_t len)
{
	while (len && strchr("\r\n\t ", value[len - 1]))
		len--;
	ck_shown shown = ck_show(value, len);
	trace.value = ck_copy(loaded->job, shown.s, strlen(shown.s));
	if (!trace.value)
		return false;
	if (!strcmp(trace.what, "version") || !strcmp(trace.what, ".data/version"))
		version_means(&trace);
	return ck_model_add_trace(loaded->job, loaded->model, &trace);
}

static bool read_member(ck_loaded *loaded, const ck_folder *folder, size_t row)
{
	char text[VALUE_MAX];
	ck_job *job = loaded->job;
	ck_member *member = ck_folder_member(job, folder, members[row].member);
	if (!member || member->method == CK_DEFLATED)
		return job->error.status == CK_OK;
	const ck_source *source = ck_member_source(job, folder->archive, member);
	size_t len = source && source->size < sizeof text ? (size_t)source->size : sizeof text;
	ck_trace trace = {members[row].member, NULL, members[row].means, members[row].since};
	return source && ck_read_at(job, source, 0, text, len) && add(loaded, trace, text, len);
}

bool ck_trace_folder(ck_loaded *loaded, const ck_folder *folder)
{
	for (size_t i = 0; loaded->wishes.traces && i < CK_COUNT(members); i++)
		if (!read_member(loaded, folder, i))
			return false;
	return true;
}

bool ck_trace_pickle(ck_loaded *loaded, const ck_source *source, uint64_t at)
{
	enum { PROTO = 0x80 };
	unsigned char head[2];
	char text[32] = "0 or 1";
	if (!loaded->wishes.traces || source->size < sizeof head || at > source->size - sizeof head)
		return true;
	if (!ck_read_at(loaded->job, source, at, head, sizeof head))
		return false;
	if (head[0] == PROTO)
		snprintf(text, sizeof text, "%u", head[1]);
	return ck_trace_say(loaded, "pickle protocol", text, NULL);
}

bool ck_trace_say(ck_loaded *loaded, const char *what, const char *value, const char *means)
{
	return !loaded->wishes.traces ||
	       add(loaded, (ck_trace){what, NULL, means, 0}, value, strlen(value));
}
