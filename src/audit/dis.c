/* Pickles opcode by opcode. Two readers go through the same bytes: one that only knows opcodes,
 * keeps nothing, and goes on where the other gave up; and the machine, which says what is done. */
#include "dis.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "joblib.h"
#include "judge.h"

enum { TEXT_SHOWN = 48, MADE_MAX = CK_SHOWN_MAX + CK_ARGUMENTS_MAX + 32 };

/* What an opcode does to the stack: what it takes off and puts on; or takes off all that is above
 * the newest MARK. All others put one value on it. */
typedef struct {
	bool known, to_mark;
	uint8_t pops, pushes;
} effect;

static const effect effects[256] = {
	['('] = {true, false, 0, 0}, ['.'] = {true, false, 1, 0}, ['0'] = {true, false, 1, 0},
	['Q'] = {true, false, 1, 1}, ['R'] = {true, false, 2, 1}, ['a'] = {true, false, 1, 0},
	['b'] = {true, false, 1, 0}, ['s'] = {true, false, 2, 0}, ['p'] = {true, false, 0, 0},
	['q'] = {true, false, 0, 0}, ['r'] = {true, false, 0, 0}, [0x80] = {true, false, 0, 0},
	[0x81] = {true, false, 2, 1}, [0x85] = {true, false, 1, 1}, [0x86] = {true, false, 2, 1},
	[0x87] = {true, false, 3, 1}, [0x92] = {true, false, 3, 1}, [0x93] = {true, false, 2, 1},
	[0x94] = {true, false, 0, 0}, [0x95] = {true, false, 0, 0}, [0x98] = {true, false, 1, 1},
	['1'] = {true, true, 0, 0}, ['d'] = {true, true, 0, 1}, ['l'] = {true, true, 0, 1},
	['t'] = {true, true, 0, 1}, ['i'] = {true, true, 0, 1}, ['o'] = {true, true, 0, 1},
	['e'] = {true, true, 0, 0}, ['u'] = {true, true, 0, 0}, [0x90] = {true, true, 0, 0},
	[0x91] = {true, true, 0, 1},
};

typedef struct {
	ck_job *job;
	ck_audit *audit;
	const ck_dis_listener *listener;
	const ck_source *file, *source;
	const char *member;
	unsigned stream;
	/* the reader of opcodes */
	ck_job *own;
	ck_steps steps;
	bool ended;      /* it came to the end of the pickle, or can read no further */
	size_t depth, *marks, mark_count, mark_cap;
	char said[CK_TEXT_MAX]; /* what the machine found wrong: not to be said again */
	bool (*built)(void *arg, ck_value *call, uint64_t *at); /* joblib's */
	void *built_arg;
} dis;

static uint64_t offset_in_file(const dis *d, uint64_t at)
{
	if (d->source->fd < 0 || d->source->fd != d->file->fd)
		return CK_NO_OFFSET;
	return d->source->base - d->file->base + at;
}

static bool tell(dis *d, uint64_t at, const ck_step *step, const char *argument, const char *made,
                 ck_verdict verdict)
{
	ck_dis_line line = {
		.member = d->member, .stream = d->stream, .at = at,
		.offset = offset_in_file(d, at), .argument = argument, .depth = d->depth,
		.made = made, .verdict = verdict,
		.opcode = step ? ck_op_table[step->code].name : NULL,
	};
	return d->listener->line(d->listener->arg, &line) ||
	       ck_fail(d->job, CK_STOPPED, "", "stopped on request");
}

/* ---- the stack ---- */

static bool push_mark(dis *d)
{
	if (d->mark_count >= d->job->limits.stack)
		return true; /* the machine has given up long before */
	size_t *grown = ck_grow(d->job, d->marks, &d->mark_cap, d->mark_count + 1, sizeof *grown);
	if (!grown)
		return false;
	d->marks = grown;
	grown[d->mark_count++] = d->depth;
	return true;
}

static bool move_stack(dis *d, uint8_t code)
{
	static const effect other = {true, false, 0, 1};
	const effect *e = effects[code].known ? &effects[code] : &other;
	size_t top = d->mark_count ? d->marks[d->mark_count - 1] : 0;
	if (code == '(')
		return push_mark(d);
	if (code == '0' && d->mark_count && d->depth == top) {
		d->mark_count--; /* POP takes a MARK, too */
		return true;
	}
	if (e->to_mark) {
		d->depth = top;
		d->mark_count -= d->mark_count > 0;
	} else {
		d->depth -= e->pops < d->depth ? e->pops : d->depth;
	}
	d->depth += e->pushes;
	return true;
}

/* ---- arguments of opcodes ---- */

static void show_counted(const ck_step *step, char *to, size_t size)
{
	char text[TEXT_SHOWN];
	if (!step->text) {
		snprintf(to, size, "%s", ck_many(step->len, "byte").s);
		return;
	}
	ck_show_to(text, sizeof text, step->text, (size_t)step->len);
	snprintf(to, size, "'%s'", text);
}

static void show_double(uint64_t bits, char *to, size_t size)
{
	double value;
	memcpy(&value, &bits, sizeof value);
	snprintf(to, size, "%.17g", value);
}

static void show_argument(const ck_step *step, char *to, size_t size)
{
	char text[TEXT_SHOWN], more[TEXT_SHOWN];
	*to = 0;
	switch (ck_op_table[step->code].arg) {
	case CK_ARG_NONE:
		return;
	case CK_ARG_U1:
	case CK_ARG_U2:
	case CK_ARG_U4:
	case CK_ARG_U8:
		snprintf(to, size, "%" PRIu64, step->number);
		return;
	case CK_ARG_I4:
		snprintf(to, size, "%" PRId32, (int32_t)step->number);
		return;
	case CK_ARG_F8:
		show_double(step->number, to, size);
		return;
	case CK_ARG_LINE:
		ck_show_to(to, TEXT_SHOWN, step->text, (size_t)step->len);
		return;
	case CK_ARG_LINES:
		ck_show_to(text, sizeof text, step->text, (size_t)step->len);
		ck_show_to(more, sizeof more, step->more, (size_t)step->more_len);
		snprintf(to, size, "'%s' '%s'", text, more);
		return;
	case CK_ARG_LONG1:
	case CK_ARG_LONG4:
		snprintf(to, size, "%s", ck_many(step->len, "byte").s);
		return;
	default:
		show_counted(step, to, size);
	}
}

/* ---- the reader of opcodes ---- */

/* Tells the next opcode. False only if memory or reading failed, or nobody listens any more. */
static bool tell_next(dis *d, const char *made, ck_verdict verdict)
{
	ck_step step = {0};
	char argument[2 * TEXT_SHOWN + 8];
	ck_mark mark = ck_arena_mark(d->own);
	uint64_t at = d->steps.at;
	d->steps.text = d->steps.count = 0; /* nothing is kept */
	if (ck_stopped(d->job))
		return false;
	if (!ck_steps_next(&d->steps, &step)) {
		const ck_error *error = &d->own->error;
		d->ended = true;
		if (error->status == CK_NOMEM || error->status == CK_IO)
			return ck_fail(d->job, error->status, NULL, "%s", error->text);
		return !strcmp(d->said, error->text) ||
		       tell(d, at, NULL, NULL, error->text, CK_MALFORMED);
	}
	show_argument(&step, argument, sizeof argument);
	ck_arena_release(d->own, mark);
	d->ended = step.code == '.';
	return move_stack(d, step.code) &&
	       tell(d, at, &step, *argument ? argument : NULL, made, verdict);
}

/* Tells all opcodes that lie before `at`. */
static bool catch_up(dis *d, uint64_t at)
{
	bool ok = true;
	while (ok && d->steps.at < at && d->own->error.status == CK_OK)
		ok = tell_next(d, NULL, CK_SAFE);
	return ok;
}

/* ---- what the machine says ---- */

static void add(char *to, size_t size, const char *text)
{
	size_t len = strlen(to);
	snprintf(to + len, size - len, "%s", text);
}

static void add_arguments(char *to, size_t size, const ck_items *items, const ck_value *kwargs)
{
	char told[CK_ARGUMENTS_MAX + 1];
	ck_tell_arguments(told, items->item, items->count, kwargs);
	add(to, size, "(");
	add(to, size, told);
	add(to, size, ")");
}

/* "calls os.system('id')" */
static void describe(const ck_event *event, char *to, size_t size)
{
	static const char *const deeds[] = {
		[CK_DID_IMPORT] = "imports ", [CK_DID_CALL] = "calls ",
		[CK_DID_BUILD] = "sets the state of ", [CK_DID_SET] = "sets items in ",
		[CK_DID_APPEND] = "adds items to ", [CK_DID_NAME] = "names ",
	};
	const ck_value *target = event->target;
	snprintf(to, size, "%s", deeds[event->deed]);
	if (target->kind == CK_PERSID && target->pid->kind == CK_TUPLE) {
		add(to, size, "persistent id ");
		add_arguments(to, size, target->pid->items, NULL);
		return;
	}
	if (event->deed != CK_DID_CALL) {
		add(to, size, ck_value_about(event->target).s);
		return;
	}
	const ck_call *call = event->target->call;
	add(to, size, ck_value_about(call->callee).s);
	add_arguments(to, size, call->args->items, call->kwargs);
}

/* Each deed is judged for itself: what was found of an earlier one is forgotten. */
static bool judge(dis *d, const ck_event *event, ck_verdict *verdict)
{
	ck_audit *audit = d->audit;
	audit->finding_count = 0;
	audit->found = (ck_map){0};
	if (!ck_judge_event(audit, &(ck_place){d->member, d->source, d->stream}, event))
		return false;
	*verdict = CK_SAFE;
	for (size_t i = 0; i < audit->finding_count; i++)
		if (audit->findings[i].verdict > *verdict)
			*verdict = audit->findings[i].verdict;
	return true;
}

static bool on_event(void *arg, const ck_source *source, const ck_event *event)
{
	dis *d = arg;
	char made[MADE_MAX];
	ck_verdict verdict;
	if (source != d->source)
		return true;
	describe(event, made, sizeof made);
	if (!judge(d, event, &verdict))
		return false;
	if (event->deed == CK_DID_IMPORT && verdict == CK_SAFE)
		add(made, sizeof made, ", safe");
	if (!catch_up(d, event->step->at))
		return false;
	if (d->steps.at == event->step->at)
		return tell_next(d, made, verdict);
	return tell(d, event->step->at, NULL, NULL, made, verdict); /* its second deed */
}

/* joblib puts the bytes of arrays between opcodes. */
static bool on_built(void *arg, ck_value *call, uint64_t *at)
{
	dis *d = arg;
	uint64_t before = *at;
	char made[64];
	if (!catch_up(d, before) || !d->built(d->built_arg, call, at))
		return false;
	if (*at <= before || d->steps.at != before)
		return true;
	snprintf(made, sizeof made, "%s of an array", ck_many(*at - before, "byte").s);
	return tell(d, before, NULL, NULL, made, CK_SAFE) && ck_steps_skip(&d->steps, *at);
}

/* ---- one pickle after the other ---- */

/* Lets the machine run; what is wrong with the pickle is told as a line. */
static bool run_machine(dis *d, uint64_t *at, bool *whole)
{
	ck_watch watch = {.event = on_event, .arg = d};
	ck_job *own = ck_base_job_within(d->job);
	if (!own)
		return ck_fail_nomem(d->job);
	ck_loaded loaded = {.job = own, .model = ck_alloc(own, sizeof(ck_model)), .watch = &watch};
	ck_torch *torch = loaded.model ? ck_torch_new(&loaded, d->source) : NULL;
	if (torch) {
		ck_joblib_watch(torch);
		d->built = torch->seen.built;
		d->built_arg = torch->seen.arg;
		torch->seen.built = on_built;
		torch->seen.arg = d;
	}
	*whole = torch && ck_torch_read(torch, at);
	const ck_error *error = &own->error;
	bool ok = d->job->error.status == CK_OK && error->status != CK_IO &&
	          error->status != CK_STOPPED;
	if (!ok)
		ck_fail(d->job, error->status, NULL, "%s", error->text);
	else if (*whole)
		ok = catch_up(d, *at);
	else if (error->has_offset)
		ok = catch_up(d, error->offset);
	/* the other reader says the same of what is no opcode */
	bool said = d->own->error.status != CK_OK;
	if (ok && !*whole && !said) {
		snprintf(d->said, sizeof d->said, "%s", error->text);
		ok = tell(d, d->steps.at, NULL, NULL, error->text, CK_MALFORMED);
	}
	ck_base_job_free(own);
	return ok;
}

static bool tell_pickle(dis *d, uint64_t *at, bool *whole)
{
	d->own = ck_base_job_within(d->job);
	d->steps = (ck_steps){0};
	d->depth = d->mark_count = 0;
	d->ended = false;
	d->said[0] = 0;
	bool ok = d->own ? ck_steps_begin(d->own, &d->steps, d->source, *at) &&
	                           run_machine(d, at, whole)
	                 : ck_fail_nomem(d->job);
	/* the machine gave up: what it has not seen is at least shown, to the end of the pickle */
	while (ok && !*whole && !d->ended && d->own->error.status == CK_OK)
		ok = tell_next(d, NULL, CK_SAFE);
	if (ok && !*whole)
		*at = d->own->error.status == CK_OK ? d->steps.at : d->source->size;
	ck_base_job_free(d->own);
	return ok;
}

/* Whether a pickle may begin here, and not just what fills a file up. */
static bool goes_on(dis *d, uint64_t at)
{
	unsigned char byte;
	return at < d->source->size && ck_read_at(d->job, d->source, at, &byte, 1) &&
	       byte && byte != '\n' && ck_op_table[byte].name;
}

bool ck_dis_source(ck_job *job, const ck_source *file, const ck_source *source, const char *member,
                   unsigned most, const ck_dis_listener *listener, bool *whole)
{
	uint64_t at = 0;
	dis d = {.job = job, .audit = ck_audit_new(job, file), .listener = listener, .file = file,
	         .source = source, .member = member};
	bool ok = d.audit, one = true;
	*whole = true;
	for (; ok && d.stream < most && (!d.stream || goes_on(&d, at)); d.stream++) {
		ok = tell_pickle(&d, &at, &one);
		*whole = *whole && one;
	}
	char rest[96];
	snprintf(rest, sizeof rest, "more follows the last pickle: %s",
	         ck_many(at < source->size ? source->size - at : 0, "byte").s);
	d.stream -= d.stream > 0;
	return ok && job->error.status == CK_OK &&
	       (at >= source->size || tell(&d, at, NULL, NULL, rest, CK_SAFE));
}
