/* Finds the pickles that shall be shown: in a file, in what it is packed with, in its archives. */
#include "dis.h"

#include <stdio.h>
#include <string.h>

#include "look.h"
#include "stream.h"

enum { NAMES_MAX = 300, LEGACY_PICKLES = 5, ALL_PICKLES = 1 << 30 };

/* The member that the text begins with; *rest is what stands behind the mark after it, or NULL. */
static ck_member *named(ck_job *job, const ck_archive *archive, const char *text,
                        const char **rest)
{
	*rest = NULL;
	for (size_t len = strlen(text); len; len--) {
		ck_member *member = !text[len] || text[len] == '!'
		                            ? ck_archive_find(job, archive, text, len) : NULL;
		if (!member)
			continue;
		*rest = text[len] ? text + len + 1 : NULL;
		return member;
	}
	return NULL;
}

/* data.pkl of torch's zips, `pickle` of its tars; or else the first that is called so. */
static ck_member *usual(const ck_archive *archive)
{
	static const char *const ends[] = {"/data.pkl", "data.pkl", "pickle", ".pkl"};
	for (size_t k = 0; k < CK_COUNT(ends); k++)
		for (size_t i = 0; i < archive->count; i++)
			if (ck_member_ends(&archive->members[i], ends[k]))
				return &archive->members[i];
	return NULL;
}

/* A scan names what a file is packed by like a member: 'gzip!archive/data.pkl'. The rest of it. */
static const char *behind_packing(const char *member, const ck_packing *packing)
{
	size_t len = strlen(packing->name);
	if (!member || strncmp(member, packing->name, len) != 0)
		return member;
	return member[len] == '!' ? member + len + 1 : member[len] ? member : NULL;
}

static bool fail_no_member(ck_job *job, const ck_archive *archive, const char *text)
{
	char names[NAMES_MAX] = "";
	size_t used = 0;
	for (size_t i = 0; i < archive->count && used + 8 < sizeof names; i++) {
		const ck_member *m = &archive->members[i];
		if (i)
			used += ck_show_to(names + used, sizeof names - used, ", ", 2);
		used += ck_show_to(names + used, sizeof names - used, m->name, m->name_len);
	}
	if (!text)
		return ck_fail(job, CK_USAGE, archive->source->label, "the archive has no member "
		               "that is called as a pickle; name one as in FILE!MEMBER; it has: %s",
		               names);
	return ck_fail(job, CK_USAGE, archive->source->label,
	               "the archive has no member '%s'; it has: %s",
	               ck_show(text, strlen(text)).s, *names ? names : "none at all");
}

/* "outer.zip!archive/data.pkl", safe to print. */
static const char *join(ck_job *job, const char *outer, const ck_member *m)
{
	ck_text text = {0};
	const ck_shown name = ck_show(m->name, m->name_len);
	bool ok = ck_text_add(job, &text, outer, strlen(outer)) &&
	          (!*outer || ck_text_add(job, &text, "!", 1)) &&
	          ck_text_add(job, &text, name.s, strlen(name.s) + 1);
	return ok ? text.data : NULL;
}

/* What a scan takes it for, if not for pickles; or NULL. */
static const char *other_format(ck_job *job, const ck_source *source, const ck_input *in)
{
	ck_look look = {.job = job, .source = source, .place = {.member = "", .source = source},
	                .kind = CK_LOOK_FILE, .head_len = in->head_len};
	memcpy(look.head, in->head, in->head_len);
	if (ck_torch_legacy_probe(job, in))
		return NULL;
	const ck_sniffed *known = ck_sniff(&look);
	if (known)
		return known->format;
	return !ck_stream_may_begin(in->head, in->head_len) &&
	       ck_sniff_text(in->head, in->head_len)
	               ? ck_sniff_text_format(in->head, in->head_len) : NULL;
}

/* Its opcodes are shown all the same: a file may be two things at once. */
static bool tell_format(const ck_dis_listener *listener, const char *member, const char *format)
{
	char text[120];
	snprintf(text, sizeof text, "by its first bytes this is no pickle, but: %s", format);
	const ck_dis_line line = {.member = member, .offset = CK_NO_OFFSET, .made = text};
	return listener->line(listener->arg, &line);
}

/* One archive after the other until something is none. */
bool ck_dis_file(ck_job *job, const ck_source *file, const char *member,
                 const ck_dis_listener *listener, bool *whole)
{
	const ck_source *source = file;
	const char *place = "";
	unsigned char head[CK_HEAD];
	ck_input in;
	for (uint64_t depth = 0;; depth++) {
		if (!ck_within(job, file->label, depth, depth) ||
		    !ck_input_open(job, source, head, &in))
			return false;
		const ck_packing *packing = ck_packing_find(in.head, in.head_len);
		if (!in.archive && !packing)
			break;
		ck_member *m = NULL;
		const char *rest = NULL;
		if (in.archive) {
			m = member ? named(job, in.archive, member, &rest) : usual(in.archive);
			if (!m)
				return fail_no_member(job, in.archive, member);
			place = join(job, place, m);
			member = rest;
		} else {
			member = behind_packing(member, packing);
		}
		source = !m ? ck_unpack(job, packing, source)
		            : m->method == CK_STORED ? ck_member_source(job, in.archive, m)
		                                     : ck_member_spill(job, in.archive, m);
		if (!source || !place)
			return false;
	}
	if (member)
		return ck_fail(job, CK_USAGE, source->label, "this is no archive: it has no member "
		               "'%s'", ck_show(member, strlen(member)).s);
	if (!source->size)
		return ck_fail(job, CK_CORRUPT, source->label, "the file is empty");
	if (in.zips)
		return ck_dis_file(job, in.zips[0], NULL, listener, whole);
	const char *format = other_format(job, source, &in);
	if (format && !tell_format(listener, place, format))
		return true;
	return ck_dis_source(job, file, source, place,
	                     ck_torch_legacy_probe(job, &in) ? LEGACY_PICKLES : ALL_PICKLES,
	                     listener, whole);
}
