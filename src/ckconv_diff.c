/* The public API of comparing: two readings, each in a job of its own, and what came of them. */
#include <ckconv/diff.h>

#include <string.h>

#include "diff.h"
#include "reading.h"

typedef struct {
	ck_job *job;             /* within `outer`: its notes tell the file */
	ck_job *outer;           /* of the comparison */
	const char *path;
	ck_options options;
	ck_reading *reading;
	ck_checkpoint *checkpoint;
} side;

struct ck_diff {
	ck_job *job;
	ck_diff_options options;
	side side[2];
};

/* ---- opening ---- */

static void pass_note(void *arg, const char *text)
{
	const side *s = arg;
	char path[CK_WHERE_MAX];
	ck_show_to(path, sizeof path, s->path, strlen(s->path));
	ck_note(s->outer, "%s: %s", path, text);
}

static void pass_progress(void *arg, const char *what, uint64_t done, uint64_t total)
{
	const side *s = arg;
	if (s->outer->progress)
		s->outer->progress(s->outer->listener, what, done, total);
}

static void free_job(void *arg)
{
	ck_base_job_free(arg);
}

/* What is wrong with one file is wrong with the comparison. */
static bool fail_side(ck_diff *diff, const side *s)
{
	return s->job->error.status != CK_OK && ck_fail_as(diff->job, &s->job->error);
}

static bool open_side(ck_diff *diff, side *s, const char *path, const ck_options *options)
{
	*s = (side){.outer = diff->job, .path = path, .job = ck_base_job_within(diff->job)};
	if (!s->job)
		return ck_fail_nomem(diff->job);
	if (!ck_defer(diff->job, free_job, s->job))
		return false;
	s->job->note = pass_note;
	s->job->progress = pass_progress;
	s->job->listener = s;
	if (options)
		s->options = *options;
	else
		ck_options_default(&s->options);
	s->options.ties = CK_TIES_KEEP; /* a name that is not written would seem to be missing */
	s->reading = ck_reading_open(s->job, path, &s->options);
	return s->reading || fail_side(diff, s);
}

ck_diff *ck_diff_open(ck_job *job, const char *a, const char *b, const ck_diff_options *options)
{
	static const ck_diff_options plain;
	ck_diff *diff = ck_alloc(job, sizeof *diff);
	if (!diff || !ck_scratch_prepare(job))
		return NULL;
	*diff = (ck_diff){.job = job, .options = options ? *options : plain};
	if (!open_side(diff, &diff->side[0], a, diff->options.a) ||
	    !open_side(diff, &diff->side[1], b, diff->options.b))
		return NULL;
	if (!diff->options.threads)
		diff->options.threads = ck_processors();
	return diff;
}

/* ---- what is to be opened becomes known bit by bit ---- */

bool ck_diff_is_open(const ck_diff *diff)
{
	return ck_reading_is_open(diff->side[0].reading) &&
	       ck_reading_is_open(diff->side[1].reading);
}

/* The first of the two that is not open. */
static side *unfinished(ck_diff *diff)
{
	return &diff->side[ck_reading_is_open(diff->side[0].reading)];
}

const void *ck_diff_ask(ck_diff *diff, size_t *len)
{
	side *s = unfinished(diff);
	ck_job *own = ck_base_job_within(s->job);
	if (!own) {
		ck_fail_nomem(diff->job);
		return NULL;
	}
	own->subject = s->path;
	const void *names = ck_reading_ask(own, s->reading, len);
	const void *copy = names ? ck_copy(diff->job, names, *len) : NULL;
	if (!names)
		ck_fail_as(diff->job, &own->error);
	ck_base_job_free(own);
	return copy;
}

bool ck_diff_answer(ck_diff *diff, const void *names, size_t len)
{
	side *s = unfinished(diff);
	return ck_reading_answer(s->reading, names, len) || fail_side(diff, s);
}

size_t ck_diff_descriptors(const ck_diff *diff, int *to, size_t max)
{
	size_t count = 0;
	for (int i = 0; i < 2; i++)
		count += ck_reading_descriptors(diff->side[i].reading,
		                                count < max ? to + count : NULL,
		                                count < max ? max - count : 0);
	return count + ck_scratch_descriptors(diff->job, count < max ? to + count : NULL,
	                                      count < max ? max - count : 0);
}

uint64_t ck_diff_file_max(const ck_diff *diff)
{
	uint64_t most = 0;
	for (int i = 0; i < 2; i++) {
		const ck_job *job = diff->side[i].job;
		uint64_t unpacked = ck_unpack_most_in_all(job);
		uint64_t one = ck_save_most(job, job->input > unpacked ? job->input : unpacked);
		if (!ck_add(most, one, &most))
			most = UINT64_MAX;
	}
	return most;
}

/* ---- comparing ---- */

static bool read_side(ck_diff *diff, side *s)
{
	s->checkpoint = ck_reading_complete(s->reading) ? ck_reading_run(s->reading) : NULL;
	return (s->checkpoint && ck_save_affordable(s->job, s->checkpoint->model, "compared")) ||
	       fail_side(diff, s);
}

static bool same_shape(const ck_tensor *a, const ck_tensor *b)
{
	return a->ndim == b->ndim && (!a->ndim || !memcmp(a->shape, b->shape,
	                                                  a->ndim * sizeof *a->shape));
}

static bool can_compare(const ck_named *named)
{
	const ck_entry *a = named->entry[0], *b = named->entry[1];
	return a && b && same_shape(a->tensor, b->tensor) &&
	       (a->tensor->dtype == b->tensor->dtype ||
	        ck_numbers_of(a->tensor->dtype, b->tensor->dtype) != CK_NUMBERS_NONE);
}

/* The matches, in the order of the names. */
static ck_match *find_matches(ck_diff *diff, const ck_named *named, size_t count, size_t *found)
{
	ck_match *matches = ck_alloc_array(diff->job, count + 1, sizeof *matches);
	*found = 0;
	for (size_t i = 0; matches && i < count; i++)
		if (can_compare(&named[i]))
			matches[(*found)++] = (ck_match){.tensor = {named[i].entry[0]->tensor,
			                                            named[i].entry[1]->tensor}};
	return matches;
}

static bool compare(ck_diff *diff, ck_match *matches, size_t count)
{
	ck_diff_side sides[2];
	const ck_rules rules = {.close = diff->options.close, .atol = diff->options.atol,
	                        .rtol = diff->options.rtol,
	                        .equal_nan = diff->options.equal_nan};
	for (int i = 0; i < 2; i++)
		sides[i] = (ck_diff_side){.job = diff->side[i].job,
		                          .model = diff->side[i].checkpoint->model};
	if (!ck_diff_values(diff->job, sides, matches, count, &rules, diff->options.threads))
		return fail_side(diff, &diff->side[0]) || fail_side(diff, &diff->side[1]);
	for (int i = 0; i < 2; i++)
		if (sides[i].unchecked)
			ck_note(sides[i].job, "%zu storage%s no checksum (the file was saved "
			        "without) and could not be verified", sides[i].unchecked,
			        sides[i].unchecked == 1 ? " carries" : "s carry");
	return true;
}

/* ---- what came of it ---- */

static void describe(ck_difference *d, const ck_named *named)
{
	ck_tensor_info *const infos[] = {&d->a, &d->b};
	for (int i = 0; i < 2; i++) {
		if (!named->entry[i])
			continue;
		ck_entry_describe(named->entry[i], infos[i]);
		d->name = infos[i]->name;
		d->name_len = infos[i]->name_len;
	}
	d->in_a = named->entry[0];
	d->in_b = named->entry[1];
}

static void judge_values(ck_difference *d, const ck_named *named, const ck_unlike *unlike)
{
	const ck_tensor *a = named->entry[0]->tensor, *b = named->entry[1]->tensor;
	ck_numbers numbers = ck_numbers_of(a->dtype, b->dtype);
	d->compared = true;
	d->numbers = numbers != CK_NUMBERS_NONE;
	d->whole = numbers == CK_NUMBERS_WHOLE && !unlike->beyond;
	d->elements = a->count;
	d->differing = unlike->differing;
	d->values = unlike->differing;
	d->first = unlike->first;
	d->nan_a = unlike->nan_a;
	d->nan_b = unlike->nan_b;
	d->nan_both = unlike->nan_both;
	d->max_abs = unlike->max_abs;
	d->max_rel = unlike->max_rel;
	d->max_whole = unlike->max_whole;
}

/* match: NULL if the values were not compared. */
static ck_difference judge(const ck_diff *diff, const ck_named *named, const ck_match *match)
{
	ck_difference d = {0};
	describe(&d, named);
	if (!d.in_a || !d.in_b)
		return d;
	const ck_tensor *a = named->entry[0]->tensor, *b = named->entry[1]->tensor;
	d.shape = !same_shape(a, b);
	/* where one of them has no numbers, nothing but the dtype can be said */
	d.dtype = a->dtype != b->dtype &&
	          (!diff->options.ignore_dtype || (!d.shape && !match));
	if (match)
		judge_values(&d, named, &match->unlike);
	return d;
}

static void count_one(ck_diff_result *r, const ck_difference *d)
{
	r->only[0] += d->in_a && !d->in_b;
	r->only[1] += d->in_b && !d->in_a;
	r->both += d->in_a && d->in_b;
	r->dtypes += d->dtype;
	r->shapes += d->shape;
	r->values += d->values;
	r->bytes += d->compared ? d->a.bytes : 0;
	r->max_abs = d->max_abs > r->max_abs ? d->max_abs : r->max_abs;
	r->max_rel = d->max_rel > r->max_rel ? d->max_rel : r->max_rel;
}

static bool is_difference(const ck_difference *d)
{
	return !d->in_a || !d->in_b || d->dtype || d->shape || d->values;
}

static bool add_difference(ck_job *job, ck_diff_result *r, ck_difference **list, size_t *cap,
                           const ck_difference *d)
{
	count_one(r, d);
	if (!is_difference(d)) {
		r->equal++;
		return true;
	}
	ck_difference *grown = ck_grow(job, *list, cap, r->count + 1, sizeof *grown);
	if (!grown)
		return false;
	*list = grown;
	grown[r->count++] = *d;
	return true;
}

const ck_diff_result *ck_diff_run(ck_diff *diff)
{
	size_t names, found, cap = 0;
	ck_job *job = diff->job;
	ck_diff_result *r = ck_alloc(job, sizeof *r);
	if (!r || !read_side(diff, &diff->side[0]) || !read_side(diff, &diff->side[1]))
		return NULL;
	const ck_model *models[] = {diff->side[0].checkpoint->model,
	                            diff->side[1].checkpoint->model};
	const ck_named *named = ck_diff_join(job, models[0], models[1], &names);
	ck_match *matches = named ? find_matches(diff, named, names, &found) : NULL;
	if (!matches || !compare(diff, matches, found))
		return NULL;
	ck_difference *list = NULL;
	for (size_t i = 0, next = 0; i < names; i++) {
		const ck_match *match = can_compare(&named[i]) ? &matches[next++] : NULL;
		const ck_difference d = judge(diff, &named[i], match);
		if (!add_difference(job, r, &list, &cap, &d))
			return NULL;
	}
	for (int i = 0; i < 2; i++) {
		r->path[i] = diff->side[i].path;
		r->layout[i] = models[i]->layout;
		r->tensors[i] = models[i]->count;
	}
	r->differences = list;
	r->same = !r->count;
	return r;
}
