/* Judges what pickles do at the moment they do it, by the table of known globals: what is on it may
 * be done with the right arguments, what is not is unknown, and some of that is dangerous. */
#include "arguments.h"

#include <stdio.h>
#include <string.h>

typedef struct {
	ck_audit *audit;
	const ck_place *place;
	const ck_event *event;
} judge;

/* ---- telling ---- */

static const char *text_of(ck_audit *audit, const char *text, size_t len)
{
	ck_shown shown = ck_show(text, len);
	return ck_copy(audit->job, shown.s, strlen(shown.s));
}

/* "os.system", as far as it fits. */
static const char *full_name(ck_audit *audit, const ck_global *g)
{
	char text[2 * CK_SHOWN_MAX + 2];
	int len = snprintf(text, sizeof text, "%s.%s", ck_show(g->module, g->module_len).s,
	                   ck_show(g->name, g->name_len).s);
	return ck_copy(audit->job, text, (size_t)len);
}

static bool fill_names(ck_audit *audit, const ck_standing *s, const char **module,
                       const char **name, const char **mapped)
{
	*module = text_of(audit, s->written.module, s->written.module_len);
	*name = text_of(audit, s->written.name, s->written.name_len);
	*mapped = s->mapped ? full_name(audit, &s->meant) : NULL;
	return *module && *name && (*mapped || !s->mapped);
}

/* What is allowed may be imported and called, with arguments that are in order: those of a call
 * that is checked may be what is harmful about it. */
static bool is_suppressed(const ck_standing *s, ck_rule rule)
{
	return s->allowed && (rule == CK_RULE_DANGEROUS_IMPORT || rule == CK_RULE_UNKNOWN_GLOBAL ||
	                      rule == CK_RULE_UNKNOWN_CALL ||
	                      (rule == CK_RULE_DANGEROUS_CALL && !s->check));
}

static void raise_use(judge *j, const ck_standing *s, ck_how how, const ck_fault *fault)
{
	if (s->use == SIZE_MAX)
		return;
	ck_global_use *use = &j->audit->globals[s->use];
	ck_verdict verdict = is_suppressed(s, fault->rule) ? CK_SAFE : ck_fault_verdict(fault);
	if (how > use->how)
		use->how = how;
	if (verdict > use->verdict)
		use->verdict = verdict;
}

/* The same rule, global and pickle as before: a file may do one thing a million times. */
static bool is_told(judge *j, const ck_standing *s, ck_rule rule)
{
	for (size_t i = 0; i < CK_COUNT(s->told); i++) {
		const ck_told *t = &s->told[i];
		if (!t->member || t->rule != rule || t->pickle != j->audit->pickles ||
		    t->stream != j->place->stream || t->member != j->place->member)
			continue;
		if (t->index == SIZE_MAX)
			j->audit->left_out++;
		else
			j->audit->findings[t->index].count++;
		return true;
	}
	return false;
}

static void remember(judge *j, ck_standing *s, ck_rule rule, size_t index)
{
	ck_told *t = &s->told[s->told[0].member && s->told[0].rule != rule];
	*t = (ck_told){rule, j->place->stream, j->audit->pickles, j->place->member, index};
}

/* Harm is told each time that it is done in another way: whoever knows one does not know
 * another. */
static bool is_harm(const judge *j, const ck_fault *fault)
{
	return ck_fault_verdict(fault) == CK_DANGEROUS && j->event->deed != CK_DID_IMPORT;
}

/* Subject and reason as one sentence. `s` may be NULL: then `subject` is what it is about. */
static bool tell(judge *j, ck_standing *s, const char *subject, const ck_fault *fault, ck_how how,
                 const char *arguments)
{
	const ck_event *event = j->event;
	bool harm = is_harm(j, fault);
	if (s && !harm && is_told(j, s, fault->rule))
		return true;
	ck_mark mark = ck_arena_mark(j->audit->job);
	size_t found = j->audit->found.count, index;
	ck_finding draft = {.opcode = ck_op_table[event->step->code].name, .how = how};
	char why[CK_TEXT_MAX];
	if (s && !fill_names(j->audit, s, &draft.module, &draft.name, &draft.mapped))
		return false;
	if (s)
		snprintf(why, sizeof why, "%s.%s %s", draft.module, draft.name, fault->why);
	else
		snprintf(why, sizeof why, "%s %s", subject, fault->why);
	if (!s)
		ck_subject_digest(subject, fault->why, draft.digest);
	draft.cut = harm && !ck_event_digest(j->audit, event, draft.digest);
	draft.suppressed = s && is_suppressed(s, fault->rule);
	draft.why = ck_copy(j->audit->job, why, strlen(why));
	draft.arguments = arguments ? ck_copy(j->audit->job, arguments, strlen(arguments)) : NULL;
	if (!draft.why || (arguments && !draft.arguments) ||
	    !ck_audit_find_once(j->audit, fault->rule, j->place, event->step->at, &draft, &index))
		return false;
	if (j->audit->found.count == found) /* a double, of which nothing is kept */
		ck_arena_release(j->audit->job, mark);
	if (s && !harm)
		remember(j, s, fault->rule, index);
	return true;
}

/* ---- imports ---- */

static bool note_use(judge *j, ck_standing *s)
{
	if (s->use != SIZE_MAX) {
		j->audit->globals[s->use].count++;
		return true;
	}
	bool allowed = is_suppressed(s, s->import.rule);
	ck_global_use use = {.how = CK_IMPORTED,
	                     .verdict = allowed ? CK_SAFE : ck_fault_verdict(&s->import),
	                     .count = 1, .weights_only = s->weights_only};
	return fill_names(j->audit, s, &use.module, &use.name, &use.mapped) &&
	       ck_audit_use(j->audit, &use, &s->use);
}

/* torch.load refuses these with weights_only=True, whatever was added to its list. */
static bool is_blocked(const ck_global *g)
{
	static const char *const modules[] = {"sys", "os", "posix", "nt"};
	for (size_t i = 0; i < CK_COUNT(modules); i++)
		if (ck_equals(g->module, g->module_len, modules[i]))
			return true;
	return false;
}

static bool judge_import(judge *j)
{
	ck_standing scratch;
	ck_standing *s = ck_standing_find(j->audit, j->event->target, &scratch);
	if (!s || !note_use(j, s))
		return false;
	if (s->row)
		j->audit->meaningful = true;
	if (is_blocked(&s->written) || is_blocked(&s->meant))
		j->audit->only_weights = false;
	return !s->import.why || tell(j, s, NULL, &s->import, CK_IMPORTED, NULL);
}

/* ---- calls ---- */

static bool is_construction(const ck_call *call)
{
	return call->how == CK_NEWOBJ || call->how == CK_NEWOBJ_EX;
}

/* What is wrong with the call of a global, or nothing. */
static ck_fault fault_of_call(judge *j, const ck_standing *s, const ck_call *call)
{
	static const ck_fault named = {CK_RULE_ODD_ARGUMENTS,
	                               "is given arguments by name, which no pickle of it has"};
	ck_fault fault = is_construction(call) ? s->make : s->call;
	if (s->check && s->row && call->kwargs && call->kwargs->items->count)
		return named;
	if (s->check && !(s->import.why && ck_rule_verdict(s->import.rule) == CK_DANGEROUS)) {
		const ck_items *args = call->args->items;
		const ck_fault odd = s->check->check(j->audit, call, args->item, args->count);
		/* a check of what is on no list knows more than the general rules */
		if (odd.why && (!s->row || ck_fault_verdict(&odd) >= ck_fault_verdict(&fault)))
			fault = odd;
	}
	if (ck_fault_verdict(&fault) == CK_UNKNOWN && !(s->check && s->check->guarded)) {
		const ck_fault given = ck_check_given(j->audit, s, call);
		if (given.why)
			return given;
	}
	if (!fault.why && s->row)
		return ck_check_texts(j->audit, call);
	return fault;
}

/* A member of an enumeration inside a class: getattr(Outer, 'Inner') called with its value. */
static bool is_inner_member(judge *j, const ck_call *call)
{
	const ck_items *args = call->args->items;
	if (call->how != CK_REDUCE || args->count != 1 ||
	    !ck_inner_class(j->audit, call->callee, true))
		return false;
	ck_kind kind = (ck_kind)args->item[0]->kind;
	return kind == CK_STR || kind == CK_INT || kind == CK_BYTES;
}

/* ZoneInfo._unpickle(key, from_cache), which is how a time zone is written. */
static bool is_time_zone(const ck_call *call)
{
	const char *name;
	size_t len;
	const ck_value *method = call->callee;
	if (call->how != CK_REDUCE || (!ck_is_call_of(method, "builtins", "getattr") &&
	                               !ck_is_call_of(method, "__builtin__", "getattr")))
		return false;
	const ck_items *args = method->call->args->items;
	return args->count == 2 && ck_value_is_global(args->item[0], "zoneinfo", "ZoneInfo") &&
	       ck_value_text(args->item[1], &name, &len) &&
	       ck_equals(name, len, "_unpickle");
}

/* A call of something that is no global is dangerous, with three exceptions, all of which pickle
 * writes by itself: instances of a class inside a class, members of an enumeration inside a class,
 * and time zones. They are told in ckconv-scan.1, at call-of-value. */
static bool judge_value_call(judge *j, const ck_call *call, const char *arguments)
{
	static const ck_fault inner = {CK_RULE_UNKNOWN_CALL,
	                               "is made an instance of, and is a class inside a class"};
	static const ck_fault zone = {CK_RULE_UNKNOWN_CALL, "is called, and makes a time zone"};
	static const ck_fault fault = {
		CK_RULE_CALL_OF_VALUE, "is called, and nobody can tell what that is"};
	char subject[CK_TEXT_MAX];
	const ck_value *callee = call->callee;
	if (callee->kind == CK_CALL)
		snprintf(subject, sizeof subject, "what %s returns",
		         ck_value_about(callee->call->callee).s);
	else
		snprintf(subject, sizeof subject, "%s %s", ck_article(ck_value_about(callee).s),
		         ck_value_about(callee).s);
	j->audit->only_weights = false;
	if (is_time_zone(call))
		return tell(j, NULL, subject, &zone, CK_CALLED, arguments);
	bool made = is_construction(call) && ck_inner_class(j->audit, callee, false);
	if (made || is_inner_member(j, call)) {
		const ck_standing nobody = {.meant = {"", "", 0, 0}};
		const ck_fault given = ck_check_given(j->audit, &nobody, call);
		return tell(j, NULL, subject, given.why ? &given : &inner,
		            made ? CK_CONSTRUCTED : CK_CALLED, arguments);
	}
	return tell(j, NULL, subject, &fault, CK_CALLED, arguments);
}

static bool judge_call(judge *j)
{
	const ck_call *call = j->event->target->call;
	const ck_value *callee = ck_callee_of(call->callee);
	char arguments[CK_ARGUMENTS_MAX + 1];
	ck_standing scratch;
	if (callee->kind != CK_GLOBAL) {
		ck_tell_arguments(arguments, call->args->items->item, call->args->items->count,
		                  call->kwargs);
		return judge_value_call(j, call, arguments);
	}
	ck_standing *s = ck_standing_find(j->audit, callee, &scratch);
	if (!s)
		return false;
	const ck_fault fault = fault_of_call(j, s, call);
	ck_how how = is_construction(call) ? CK_CONSTRUCTED : CK_CALLED;
	raise_use(j, s, how, &fault);
	if (j->audit->job->error.status != CK_OK)
		return false;
	if (!fault.why || (!is_harm(j, &fault) && is_told(j, s, fault.rule)))
		return true;
	char text[CK_TEXT_MAX];
	const ck_fault named = ck_name_given(j->audit, s, call, fault, text);
	ck_tell_arguments(arguments, call->args->items->item, call->args->items->count,
	                  call->kwargs);
	return tell(j, s, NULL, &named, how, arguments);
}

/* ---- what is done to values ---- */

/* The standing of the global that a CALL calls, or NULL. */
static ck_standing *standing_of_call(judge *j, const ck_value *value, ck_standing *scratch)
{
	const ck_value *callee = ck_callee_of(value->call->callee);
	return callee->kind == CK_GLOBAL ? ck_standing_find(j->audit, callee, scratch) : NULL;
}

static bool judge_change_of_name(judge *j, const char *arguments)
{
	static const ck_fault fault = {CK_RULE_CHANGED_GLOBAL,
	                               "is changed for the whole program that loads this"};
	const ck_value *target = j->event->target;
	ck_standing scratch;
	j->audit->only_weights = false;
	if (target->kind == CK_GLOBAL) {
		ck_standing *s = ck_standing_find(j->audit, target, &scratch);
		if (s)
			raise_use(j, s, CK_CHANGED_BY, &fault);
		return s && tell(j, s, NULL, &fault, CK_CHANGED_BY, arguments);
	}
	char subject[CK_TEXT_MAX];
	snprintf(subject, sizeof subject, "%s %s", ck_article(ck_value_about(target).s),
	         ck_value_about(target).s);
	return tell(j, NULL, subject, &fault, CK_CHANGED_BY, arguments);
}

/* Of what no pickle changes, but a crafted one may: NULL if it is something else. */
static const char *plain_about(const ck_value *value)
{
	if (value->kind == CK_LIST)
		return "a list";
	if (value->kind == CK_BUFFER)
		return "a buffer of the loader's";
	return value->kind == CK_BYTES && value->flags & CK_MUTABLE ? "a bytearray" : NULL;
}

static bool judge_change(judge *j)
{
	const ck_event *event = j->event;
	const ck_value *target = event->target;
	char arguments[CK_ARGUMENTS_MAX + 1];
	ck_standing scratch;
	ck_fault fault = {0};
	if (target->kind == CK_GLOBAL || target->kind == CK_PERSID || target->kind == CK_EXT) {
		ck_tell_change(arguments, event);
		return judge_change_of_name(j, arguments);
	}
	const char *what = plain_about(target);
	if (what) {
		fault = (ck_fault){CK_RULE_CHANGED_TENSOR, "is given items as no pickle does it"};
		ck_tell_change(arguments, event);
		return tell(j, NULL, what, &fault, CK_CHANGED_BY, arguments);
	}
	if (target->kind != CK_CALL)
		return true; /* the machine refuses it */
	ck_standing *s = standing_of_call(j, target, &scratch);
	if (event->deed == CK_DID_BUILD)
		fault = ck_check_build(j->audit, s, target, event->given);
	else if (event->deed == CK_DID_SET)
		fault = ck_check_set(s);
	else
		fault = ck_check_append(j->audit, s, target);
	if (j->audit->job->error.status != CK_OK)
		return false;
	if (!fault.why)
		return true;
	if (s)
		raise_use(j, s, CK_CHANGED_BY, &fault);
	ck_tell_change(arguments, event);
	return tell(j, s, "an object", &fault, CK_CHANGED_BY, arguments);
}

/* ---- persistent ids and extensions ---- */

static bool judge_name(judge *j)
{
	static const ck_fault code = {CK_RULE_EXTENSION_CODE,
	                              "stands for a global that only the loading program knows"};
	const ck_value *target = j->event->target;
	char arguments[CK_ARGUMENTS_MAX + 1], subject[64];
	j->audit->meaningful = true;
	if (target->kind == CK_EXT) {
		j->audit->only_weights = false;
		snprintf(subject, sizeof subject, "the extension code %lld", (long long)target->i);
		return tell(j, NULL, subject, &code, CK_HOW_NONE, NULL);
	}
	if (target->kind != CK_PERSID || !ck_is_storage_id(target->pid))
		j->audit->only_weights = false;
	if (target->kind != CK_PERSID)
		return true;
	const ck_fault fault = ck_check_persistent_id(target->pid);
	if (!fault.why)
		return true;
	ck_tell_arguments(arguments, &target->pid, 1, NULL);
	return tell(j, NULL, "a persistent id", &fault, CK_HOW_NONE, arguments);
}

bool ck_judge_event(ck_audit *audit, const ck_place *place, const ck_event *event)
{
	judge j = {audit, place, event};
	switch (event->deed) {
	case CK_DID_IMPORT:
		return judge_import(&j);
	case CK_DID_CALL:
		return judge_call(&j);
	case CK_DID_BUILD:
	case CK_DID_SET:
	case CK_DID_APPEND:
		return judge_change(&j);
	case CK_DID_NAME:
		return judge_name(&j);
	}
	return true;
}
