/* Pickles without any frame of torch's, one or several after the other: what pickle.dump and joblib
 * write. */
#include "joblib.h"
#include "load.h"
#include "rebuild.h"

#include <string.h>

/* ---- recognising ---- */

enum { PROTO = 0x80, PROTO_MIN = 2, PROTO_MAX = 5, OPCODES_MIN = 3 };

static bool has_proto(const unsigned char *head, size_t len)
{
	return len > 2 && head[0] == PROTO && head[1] >= PROTO_MIN && head[1] <= PROTO_MAX;
}

/* What a pickle of protocol 0 or 1 begins with, if it can hold a tensor: a container or a class. */
static bool may_begin(unsigned char first)
{
	return first && strchr("(c]})", first);
}

/* Behind such a wrapper lie bytes that are no opcodes. */
static bool is_joblib(const ck_step *step)
{
	static const char name[] = "NumpyArrayWrapper";
	return step->code == 'c' && step->more_len == sizeof name - 1 &&
	       !memcmp(step->more, name, sizeof name - 1);
}

static bool is_identifier(const char *text, uint64_t len)
{
	static const char signs[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.";
	for (uint64_t i = 0; i < len; i++)
		if (!text[i] || !strchr(signs, text[i]))
			return false;
	return len;
}

/* Reads opcodes up to a STOP or the end of the head; *end is then the offset of the one that the
 * head cuts. False: something in it is no opcode, or there are hardly any. */
static bool read_opcodes(ck_job *own, const ck_source *head, uint64_t *end)
{
	ck_steps steps = {0};
	ck_step step;
	bool joblib = false;
	if (!ck_steps_begin(own, &steps, head, 0))
		return false;
	while (steps.at < head->size) {
		bool whole = ck_steps_next(&steps, &step);
		*end = step.at;
		if (!whole)
			return ck_op_table[step.code].name && steps.count > OPCODES_MIN;
		*end = steps.at;
		if (step.code == '.')
			return steps.count >= OPCODES_MIN;
		bool names = step.code == 'c' || step.code == 'i';
		if (names && !(is_identifier(step.text, step.len) &&
		               is_identifier(step.more, step.more_len)))
			return false;
		joblib = joblib || is_joblib(&step);
		if (joblib && step.code == 'b')
			return true;
	}
	return steps.count >= OPCODES_MIN;
}

/* Protocols 0 and 1 have no magic number: their opcodes are letters. A file is taken for one only
 * if the machine has nothing against its beginning. */
static bool reads_as_pickle(ck_job *job, const unsigned char *head, size_t len)
{
	uint64_t at = 0, end = 0;
	ck_job *own = ck_base_job_new(); /* errors of this reading are nobody's business */
	const ck_source *source = own ? ck_source_memory(own, "", head, len) : NULL;
	bool good = source && read_opcodes(own, source, &end);
	if (good) {
		own->error = (ck_error){0}; /* of the opcode that the head cuts */
		good = ck_pickle_read(own, source, &at, NULL) ||
		       (own->error.has_offset && own->error.offset >= end);
	}
	if (!own || own->error.status == CK_NOMEM)
		ck_fail_nomem(job);
	ck_base_job_free(own);
	return good;
}

static bool probe(ck_job *job, const ck_input *in)
{
	if (in->archive || has_proto(in->head, in->head_len))
		return !in->archive;
	return in->head_len && may_begin(in->head[0]) &&
	       reads_as_pickle(job, in->head, in->head_len);
}

/* ---- reading ---- */

typedef struct {
	ck_items roots;  /* what each pickle made */
	size_t named;    /* how many of them name something: others cannot hold a tensor */
	size_t last;     /* the last of these */
} pickles;

static bool read_next(ck_torch *torch, uint64_t *at, pickles *p)
{
	size_t before = torch->seen.globals.count + torch->seen.persids.count;
	ck_value *root = ck_torch_read(torch, at);
	if (!root || !ck_items_push(torch->job, &p->roots, root))
		return false;
	if (torch->seen.globals.count + torch->seen.persids.count > before) {
		p->named++;
		p->last = p->roots.count - 1;
	}
	return true;
}

/* True if another pickle begins at `at`. */
static bool goes_on(ck_job *job, const ck_source *source, uint64_t at, bool old, bool *more)
{
	unsigned char head[4];
	uint64_t left = source->size - at;
	size_t len = left < sizeof head ? (size_t)left : sizeof head;
	*more = false;
	if (!ck_read_at(job, source, at, head, len))
		return false;
	*more = has_proto(head, len) || (old && len && may_begin(head[0]));
	return true;
}

static bool read_all(ck_torch *torch, bool old, pickles *p)
{
	uint64_t at = 0;
	bool more = true;
	ck_job *job = torch->job;
	while (more)
		if (!read_next(torch, &at, p) || !goes_on(job, torch->pickle, at, old, &more))
			return false;
	uint64_t left = torch->pickle->size - at;
	if (left)
		ck_note(job, "%llu byte%s behind the pickle %s not looked at: that is no pickle",
		        (unsigned long long)left, left == 1 ? "" : "s", left == 1 ? "was" : "were");
	return true;
}

/* ---- several ---- */

/* All pickles but one, as a dict whose keys count from 0. */
static ck_value *make_rest(ck_job *job, const pickles *p, size_t main)
{
	ck_value *rest = ck_alloc(job, sizeof *rest);
	ck_value *numbers = ck_alloc_array(job, p->roots.count, sizeof *numbers);
	if (!rest || !numbers)
		return NULL;
	*rest = (ck_value){.kind = CK_DICT};
	for (size_t i = 0; i < p->roots.count; i++) {
		numbers[i] = (ck_value){.kind = CK_INT, .i = (int64_t)i};
		if (i != main && (!ck_items_push(job, rest->items, &numbers[i]) ||
		                  !ck_items_push(job, rest->items, p->roots.item[i])))
			return NULL;
	}
	return rest;
}

/* One pickle keeps its own names: the only one that can hold tensors, else the first. */
static bool walk_rest(ck_torch *torch, const pickles *p, size_t main, const ck_path *at)
{
	ck_torch *rest = ck_torch_new(torch->loaded, torch->pickle);
	if (!rest)
		return false;
	rest->root = make_rest(torch->job, p, main);
	rest->title = "pickles";
	if (!rest->root || !ck_walk(rest, at))
		return false;
	ck_note(torch->job, "the file holds %u pickles one after the other; what lies in number "
	        "%zu, counted from 0, keeps its names, those of the others begin with their number",
	        p->roots.count, main);
	return true;
}

static bool load(ck_loaded *loaded, const ck_input *in, const ck_path *at)
{
	pickles p = {0};
	ck_torch *torch = ck_torch_new(loaded, in->source);
	if (!torch)
		return false;
	ck_joblib_watch(torch);
	if (!read_all(torch, !has_proto(in->head, in->head_len), &p))
		return false;
	size_t main = p.named == 1 ? p.last : 0;
	if (p.roots.count > 1 && !walk_rest(torch, &p, main, at))
		return false;
	torch->root = p.roots.item[main];
	return ck_walk(torch, at);
}

const ck_layout ck_layout_pickle = {
	"pickle", "pickle.dump or joblib.dump", true, probe, load,
};
