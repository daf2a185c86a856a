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

static void free_job(void *job)
{
	ck_base_job_free(job);
}

/* A part of the work whose errors are not those of the whole. */
static ck_job *part_of(ck_job *job)
{
	ck_job *own = ck_base_job_within(job);
	return own && ck_defer(job, free_job, own) ? own : NULL;
}

static bool tell(const ck_dis_listener *listener, const char *member, const char *text)
{
	const ck_dis_line line = {.member = member, .offset = CK_NO_OFFSET, .made = text};
	return listener->line(listener->arg, &line);
}

/* What a scan looks at: the more of it where programs disagree. */
static const ck_source *unpack(ck_job *job, const ck_packing *packing, const ck_source *packed,
                               const ck_dis_listener *listener, const char *place, bool *damaged)
{
	ck_unpacked all;
	ck_job *own = part_of(job), *others = own ? part_of(job) : NULL;
	if (!others) {
		ck_fail_nomem(job);
		return NULL;
	}
	ck_packed_unpack(own, others, packing, packed, &all);
	job->unpacked = others->unpacked;
	const ck_error *error = all.loose ? &others->error : &own->error;
	const ck_source *source = all.loose ? all.loose : all.strict;
	bool some = source && source->size && error->status == CK_CORRUPT;
	if (error->status != CK_OK && !some) {
		job->error = *error;
		return NULL;
	}
	*damaged = *damaged || !all.whole;
	return all.whole || tell(listener, place, own->error.text) ? source : NULL;
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
	return tell(listener, member, text);
}

/* Where the search has come to. */
typedef struct {
	ck_job *job;
	const ck_dis_listener *listener;
	const ck_source *source;
	const char *place, *member; /* member: what is still to be found, or NULL */
	bool damaged;               /* something on the way there was */
	unsigned char head[CK_HEAD];
	ck_input in;                /* the source, opened */
} search;

/* Goes on to what lies in the archive, or in the packed file. */
static bool go_in(search *s, const ck_packing *packing)
{
	const char *rest = NULL;
	const ck_archive *archive = s->in.archive;
	if (!archive) {
		s->member = behind_packing(s->member, packing);
		s->source = unpack(s->job, packing, s->source, s->listener, s->place, &s->damaged);
		return s->source;
	}
	ck_member *m = s->member ? named(s->job, archive, s->member, &rest) : usual(archive);
	if (!m)
		return fail_no_member(s->job, archive, s->member);
	s->place = join(s->job, s->place, m);
	s->member = rest;
	s->source = m->method == CK_STORED ? ck_member_source(s->job, archive, m)
	                                   : ck_member_spill(s->job, archive, m);
	return s->source && s->place;
}

/* One archive after the other until something is none. */
static bool find(search *s)
{
	const char *label = s->source->label;
	for (uint64_t depth = 0;; depth++) {
		if (!ck_within(s->job, label, depth, depth) ||
		    !ck_input_open(s->job, s->source, s->head, &s->in))
			return false;
		const ck_packing *packing = ck_packing_find(s->in.head, s->in.head_len);
		if (!s->in.archive && !packing)
			break;
		if (!go_in(s, packing))
			return false;
	}
	label = s->source->label;
	if (s->member)
		return ck_fail(s->job, CK_USAGE, label, "this is no archive: it has no member '%s'",
		               ck_show(s->member, strlen(s->member)).s);
	return s->source->size || ck_fail(s->job, CK_CORRUPT, label, "the file is empty");
}

bool ck_dis_file(ck_job *job, const ck_source *file, const char *member,
                 const ck_dis_listener *listener, bool *whole)
{
	bool ok;
	search s = {.job = job, .listener = listener, .source = file, .place = "",
	            .member = member};
	if (!find(&s))
		return false;
	if (s.in.zips) {
		ok = ck_dis_file(job, s.in.zips[0], NULL, listener, whole);
	} else {
		const char *format = other_format(job, s.source, &s.in);
		if (format && !tell_format(listener, s.place, format))
			return true;
		ok = ck_dis_source(job, file, s.source, s.place,
		                   ck_torch_legacy_probe(job, &s.in) ? LEGACY_PICKLES : ALL_PICKLES,
		                   listener, whole);
	}
	*whole = *whole && !s.damaged;
	return ok;
}
