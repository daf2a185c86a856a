/* Archives that hold checkpoints beside other files: with one checkpoint inside, it is converted;
 * of several, FILE!MEMBER names one. */
#include <string.h>

#include "load.h"

enum { LISTED = 8, LIST_MAX = 700, DEPTH_MAX = 3 };

/* What a member is, found out without a trace: whatever is wrong with it is nobody's business
 * yet. */
typedef struct {
	ck_member *member;
	bool is_data;
} candidate;

typedef struct {
	ck_job *job;
	const ck_input *in;
	candidate *found;
	size_t count, cap;
} search;

/* The bytes of a member, to be read at any offset. */
static const ck_source *member_source(ck_job *job, const ck_input *in, ck_member *member)
{
	if (member->method == CK_STORED)
		return ck_member_source(job, in->archive, member);
	return ck_member_spill(job, in->archive, member);
}

/* Takes the first bytes, then wants no more. */
typedef struct {
	unsigned char data[CK_HEAD];
	size_t len;
} beginning;

static bool take_beginning(ck_job *job, void *arg, const void *data, size_t len)
{
	(void)job;
	beginning *to = arg;
	size_t room = sizeof to->data - to->len;
	memcpy(to->data + to->len, data, len < room ? len : room);
	to->len += len < room ? len : room;
	return to->len < sizeof to->data;
}

/* Enough of a member to say what it is. Deflated ones are unpacked only if they hold something in
 * their turn. */
static const ck_source *glimpse(ck_job *job, const ck_input *in, ck_member *member)
{
	const char *label = ck_member_label(job, in->archive, member);
	if (member->method == CK_STORED)
		return ck_member_stored(job, in->archive, member)
		               ? ck_source_window(job, in->archive->source, label, member->offset,
		                                  member->size) : NULL;
	const ck_stream *stream = ck_member_stream(job, in->archive, member);
	beginning *head = ck_alloc(job, sizeof *head);
	if (!stream || !head)
		return NULL;
	stream->run(job, stream, &(ck_sink){take_beginning, head});
	if (ck_archiver_find(head->data, head->len) || ck_packing_find(head->data, head->len))
		return ck_member_spill(job, in->archive, member);
	return ck_source_memory(job, label, head->data, head->len);
}

static bool is_checkpoint(ck_job *job, const ck_source *source, int depth, bool *is_data);

/* Members whose bytes overlap would be looked into, and unpacked, as often as they lie in each
 * other. */
static bool check_members(ck_job *job, ck_archive *archive)
{
	for (size_t i = 0; i < archive->count; i++)
		if (!archive->by->locate(job, archive, &archive->members[i]))
			return false;
	return ck_archive_check_overlap(job, archive);
}

/* What went wrong has nothing to do with the member, or would with every other, too. */
static bool must_end(const ck_job *job)
{
	return job->error.status == CK_NOMEM || job->error.status == CK_IO ||
	       job->error.status == CK_LIMIT;
}

/* Whether one of the members of an archive that no layout knows is a checkpoint. */
static bool holds_checkpoint(ck_job *job, const ck_input *in, int depth, bool *is_data)
{
	if (!check_members(job, in->archive))
		return false;
	for (size_t i = 0; depth < DEPTH_MAX && i < in->archive->count; i++) {
		const ck_source *source = glimpse(job, in, &in->archive->members[i]);
		if (source && is_checkpoint(job, source, depth + 1, is_data))
			return true;
		if (must_end(job))
			return false;
		job->error = (ck_error){0}; /* one damaged member hides none of the others */
	}
	return false;
}

static bool is_checkpoint(ck_job *job, const ck_source *source, int depth, bool *is_data)
{
	unsigned char head[CK_HEAD];
	ck_input in;
	if (!ck_input_open(job, source, head, &in)) /* what is damaged is told when it is read */
		return ck_archiver_find(head, in.head_len);
	const ck_layout *layout = ck_layout_find(job, &in);
	if (layout == &ck_layout_packed) {
		source = ck_unpack(job, ck_packing_find(in.head, in.head_len), source);
		return source && depth < DEPTH_MAX &&
		       is_checkpoint(job, source, depth + 1, is_data);
	}
	if (layout == &ck_layout_bundle)
		return holds_checkpoint(job, &in, depth, is_data);
	*is_data = layout && layout->is_data;
	return layout;
}

/* Looks into a member with a job of its own, so that neither errors nor memory remain; but what was
 * unpacked counts, and for want of memory or room nobody knows what the member is. */
static bool examine(ck_job *job, const ck_input *in, candidate *found, bool *is)
{
	ck_job *own = ck_base_job_within(job);
	if (!own)
		return ck_fail_nomem(job);
	const ck_source *source = glimpse(own, in, found->member);
	*is = source && is_checkpoint(own, source, 0, &found->is_data);
	uint64_t more = own->unpacked - job->unpacked;
	if (own->error.status == CK_NOMEM || own->error.status == CK_IO)
		ck_fail(job, own->error.status, own->error.where, "%s", own->error.text);
	ck_base_job_free(own);
	return job->error.status == CK_OK && !ck_stopped(job) &&
	       ck_unpack_count(job, in->source->label, more);
}

static bool consider(search *s, ck_member *member)
{
	candidate found = {.member = member};
	bool is = false;
	if (member->size && !examine(s->job, s->in, &found, &is))
		return false;
	if (!is)
		return true;
	candidate *grown = ck_grow(s->job, s->found, &s->cap, s->count + 1, sizeof *grown);
	if (!grown)
		return false;
	s->found = grown;
	grown[s->count++] = found;
	return true;
}

static bool load_member(ck_loaded *loaded, const ck_input *in, ck_member *member, const ck_path *at)
{
	const ck_source *source = member_source(loaded->job, in, member);
	return source && ck_load_at(loaded, source, at);
}

static void list(const search *s, char *to, size_t size)
{
	size_t used = 0;
	*to = 0;
	for (size_t i = 0; i < s->count && i < LISTED && used + 4 < size; i++) {
		const ck_member *member = s->found[i].member;
		if (i) {
			memcpy(to + used, ", ", 3);
			used += 2;
		}
		size_t left = size - used;
		used += ck_show_to(to + used, left < 80 ? left : 80, member->name,
		                   member->name_len);
	}
	if (s->count > LISTED && used + 6 < size)
		memcpy(to + used, ", ...", 6);
}

/* The first members of an archive, whatever they are. */
static void list_members(ck_job *job, const ck_input *in, char *to, size_t size)
{
	candidate some[LISTED];
	search all = {.job = job, .in = in, .found = some, .count = in->archive->count};
	for (size_t i = 0; i < all.count && i < LISTED; i++)
		some[i].member = &in->archive->members[i];
	list(&all, to, size);
}

/* ---- FILE!MEMBER ---- */

/* The member that the text begins with; *rest is what stands behind the next '!', or NULL. Members
 * may have a '!' in their names. */
static ck_member *named_member(ck_job *job, const ck_archive *archive, const char *text,
                               const char **rest)
{
	*rest = NULL;
	for (size_t len = strlen(text); len; len--) {
		if (text[len] && text[len] != '!')
			continue;
		ck_member *member = ck_archive_find(job, archive, text, len);
		if (!member)
			continue;
		*rest = text[len] ? text + len + 1 : NULL;
		return member;
	}
	return NULL;
}

static bool fail_no_member(ck_job *job, const ck_input *in, const char *text)
{
	char names[LIST_MAX];
	list_members(job, in, names, sizeof names);
	return ck_fail(job, CK_USAGE, in->source->label,
	               "the archive has no member '%s'; it has: %s",
	               ck_show(text, strlen(text)).s, *names ? names : "none at all");
}

static bool load_named(ck_loaded *loaded, const ck_input *in, const ck_path *at)
{
	const char *text = loaded->member;
	ck_member *member = named_member(loaded->job, in->archive, text, &loaded->member);
	if (!member && !strncmp(text, "./", 2)) /* as tar lists them */
		member = named_member(loaded->job, in->archive, text + 2, &loaded->member);
	return member ? load_member(loaded, in, member, at)
	              : fail_no_member(loaded->job, in, text);
}

/* ---- all that is inside ---- */

static bool fail_none(const search *s)
{
	const ck_archive *archive = s->in->archive;
	char names[LIST_MAX];
	list_members(s->job, s->in, names, sizeof names);
	return ck_fail(s->job, CK_UNSUPPORTED, s->in->source->label,
	               "there is no checkpoint among the %s of this %s archive%s%s%s",
	               archive->count == 1 ? "one member" : ck_many(archive->count, "member").s,
	               archive->by->name, *names ? ": " : "", names,
	               archive->passed_over ? "; links and devices hold nothing" : "");
}

static bool fail_several(const search *s, bool all_data)
{
	char names[LIST_MAX];
	list(s, names, sizeof names);
	return ck_fail(s->job, CK_UNSUPPORTED, s->in->source->label,
	               "the archive holds %zu checkpoints: %s; name one as 'FILE!MEMBER'%s",
	               s->count, names, all_data ? ", or take all with --root ." : "");
}

static bool load_all(ck_loaded *loaded, const search *s, const ck_path *at)
{
	for (size_t i = 0; i < s->count; i++) {
		ck_member *member = s->found[i].member;
		const ck_path *path = ck_path_new(loaded->job, at, member->name, member->name_len,
		                                  true);
		if (!path || !load_member(loaded, s->in, member, path))
			return false;
	}
	return true;
}

/* Settings, scripts and the like beside the checkpoints that are taken. */
static bool tell_others(ck_loaded *loaded, const search *s)
{
	const ck_archive *archive = s->in->archive;
	char names[LIST_MAX];
	candidate some[LISTED];
	search others = {.found = some};
	size_t next = 0; /* of what was found, in the order of the archive */
	for (size_t i = 0; i < archive->count; i++) {
		ck_member *member = &archive->members[i];
		bool folder = member->name_len && member->name[member->name_len - 1] == '/';
		bool found = next < s->count && s->found[next].member == member;
		next += found;
		if (folder || found)
			continue;
		if (others.count < LISTED)
			some[others.count].member = member;
		others.count++;
	}
	if (!others.count)
		return true;
	list(&others, names, sizeof names);
	const char *what = others.count == 1 ? "file" : "files";
	if (loaded->wishes.strict)
		return ck_fail(s->job, CK_UNSUPPORTED, s->in->source->label,
		               "%zu other %s of the archive would be left out: %s (--strict); "
		               "name the checkpoint as 'FILE!MEMBER'",
		               others.count, what, names);
	ck_note(s->job, "%zu other %s of the archive %s left out: %s", others.count, what,
	        others.count == 1 ? "was" : "were", names);
	return true;
}

/* Nothing that counts but arrays: numpy.savez's archive, to which somebody added a file. */
static bool load_arrays(ck_loaded *loaded, const ck_input *in, const ck_path *at)
{
	if (!loaded->model->layout)
		loaded->model->layout = ck_layout_npz.name;
	return ck_layout_npz.load(loaded, in, at);
}

static bool probe(ck_job *job, const ck_input *in)
{
	(void)job;
	return in->archive;
}

static bool load(ck_loaded *loaded, const ck_input *in, const ck_path *at)
{
	search s = {.job = loaded->job, .in = in};
	bool all_data = true, all_arrays = true;
	if (loaded->member)
		return load_named(loaded, in, at);
	if (!check_members(s.job, in->archive))
		return false;
	for (size_t i = 0; i < in->archive->count; i++)
		if (!consider(&s, &in->archive->members[i]))
			return false;
	for (size_t i = 0; i < s.count; i++) {
		all_data = all_data && s.found[i].is_data;
		all_arrays = all_arrays && ck_npz_is_array(s.found[i].member);
	}
	if (!s.count)
		return fail_none(&s);
	if (all_arrays)
		return tell_others(loaded, &s) && load_arrays(loaded, in, at);
	if (s.count == 1)
		return tell_others(loaded, &s) && load_member(loaded, in, s.found[0].member, at);
	/* several models are several; arrays and values beside each other are one collection */
	if (loaded->wishes.everything && all_data)
		return tell_others(loaded, &s) && load_all(loaded, &s, at);
	return fail_several(&s, all_data);
}

const ck_layout ck_layout_bundle = {
	NULL, "an archive that holds a checkpoint beside other files", false, probe, load,
};
