/* Which tensors are taken by their names, and what they are called then: --include, --exclude,
 * --strip-prefix, --rename and --add-prefix, in this order. */
#include "edit.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

enum { GROUPS = 10, NAME_GROWTH = 1 << 20 /* bytes that a name may become */ };

typedef struct {
	const char *rule; /* as it was given */
	regex_t regex;
	bool compiled;
	const char *to;   /* \1 to \9 and & stand for what was found */
	size_t touched;   /* names */
} rename_rule;

struct ck_names {
	const ck_shaping *shaping;
	rename_rule *renames;
	size_t *included, *excluded; /* names that each glob matched */
	size_t stripped, left_out;
	bool counts;      /* the name is that of a tensor */
};

static void close_rule(void *arg)
{
	rename_rule *rule = arg;
	if (rule->compiled)
		regfree(&rule->regex);
}

/* The = that ends the expression: the first one without a backslash before it. */
static const char *find_split(const char *rule)
{
	const char *at = rule;
	for (; *at && *at != '='; at++)
		at += *at == '\\' && at[1];
	return *at ? at : NULL;
}

static bool compile(ck_job *job, const char *text, rename_rule *rule)
{
	const char *split = find_split(text);
	char why[128];
	if (!split || split == text)
		return ck_fail(job, CK_USAGE, "", "--rename takes REGEX=REPLACEMENT, not '%s'",
		               ck_show(text, strlen(text)).s);
	const char *expression = ck_copy(job, text, (size_t)(split - text));
	if (!expression || !ck_rename_check_expression(job, text, expression) ||
	    !ck_defer(job, close_rule, rule))
		return false;
	*rule = (rename_rule){.rule = text, .to = split + 1};
	int code = regcomp(&rule->regex, expression, REG_EXTENDED);
	rule->compiled = !code;
	if (!code)
		return ck_rename_check_text(job, text, rule->to, rule->regex.re_nsub);
	regerror(code, &rule->regex, why, sizeof why);
	return ck_fail(job, CK_USAGE, "", "--rename '%s': %s", ck_show(text, strlen(text)).s, why);
}

ck_names *ck_names_new(ck_job *job, const ck_shaping *shaping)
{
	ck_names *names = ck_alloc(job, sizeof *names);
	if (!names)
		return NULL;
	names->shaping = shaping;
	names->renames = ck_alloc_array(job, shaping->rename.count + 1, sizeof *names->renames);
	names->included = ck_alloc_array(job, shaping->include.count + 1, sizeof(size_t));
	names->excluded = ck_alloc_array(job, shaping->exclude.count + 1, sizeof(size_t));
	if (!names->renames || !names->included || !names->excluded)
		return NULL;
	for (size_t i = 0; i < shaping->rename.count; i++)
		if (!compile(job, shaping->rename.text[i], &names->renames[i]))
			return NULL;
	return names;
}

/* All globs are asked, so that each knows whether it was of use. */
static bool any_matches(const ck_words *globs, size_t *matched, const char *name, size_t len)
{
	bool any = false;
	for (size_t i = 0; i < globs->count; i++) {
		bool matches = ck_glob_matches(globs->text[i], name, len);
		matched[i] += matches;
		any = any || matches;
	}
	return any;
}

static bool is_taken(ck_names *names, const char *name, size_t len)
{
	const ck_shaping *s = names->shaping;
	bool in = any_matches(&s->include, names->included, name, len) || !s->include.count;
	bool out = any_matches(&s->exclude, names->excluded, name, len);
	names->left_out += !in || out;
	return in && !out;
}

/* What the replacement makes of one match. */
static bool add_replacement(ck_job *job, ck_text *made, const char *to, const char *name,
                            const regmatch_t *group)
{
	for (; *to; to++) {
		size_t number = GROUPS;
		if (*to == '&')
			number = 0;
		else if (*to == '\\' && to[1] >= '0' && to[1] <= '9')
			number = (size_t)(*++to - '0');
		else if (*to == '\\' && to[1])
			to++;
		bool ok = number == GROUPS ? ck_text_add(job, made, to, 1)
		        : group[number].rm_so < 0
		                ? true
		                : ck_text_add(job, made, name + group[number].rm_so,
		                              (size_t)(group[number].rm_eo - group[number].rm_so));
		if (!ok || made->len > NAME_GROWTH)
			return ok && ck_fail(job, CK_LIMIT, "", "--rename makes a name longer than "
			                     "%d bytes", NAME_GROWTH);
	}
	return true;
}

/* Every match from left to right, none over another. */
static bool apply_rule(ck_job *job, rename_rule *rule, const char **name, size_t *len,
                       bool *touched)
{
	regmatch_t group[GROUPS];
	ck_text made = {0};
	const char *at = *name, *end = *name + *len;
	*touched = false;
	while (!regexec(&rule->regex, at, GROUPS, group, at == *name ? 0 : REG_NOTBOL)) {
		*touched = true;
		if (!ck_text_add(job, &made, at, (size_t)group[0].rm_so) ||
		    !add_replacement(job, &made, rule->to, at, group))
			return false;
		bool empty = group[0].rm_eo == group[0].rm_so;
		const char *next = at + group[0].rm_eo;
		if (empty && next < end && !ck_text_add(job, &made, next, 1))
			return false;
		at = next + empty;
		if (at > end || (at == end && !empty))
			break;
	}
	if (!*touched)
		return true;
	if ((at < end && !ck_text_add(job, &made, at, (size_t)(end - at))) ||
	    !ck_text_add(job, &made, "", 1))
		return false;
	*name = made.data;
	*len = made.len - 1;
	return true;
}

static bool add_prefix(ck_job *job, const char *prefix, const char **name, size_t *len)
{
	ck_text made = {0};
	if (!ck_text_add(job, &made, prefix, strlen(prefix)) ||
	    !ck_text_add(job, &made, *name, *len) || !ck_text_add(job, &made, "", 1))
		return false;
	*name = made.data;
	*len = made.len - 1;
	return true;
}

bool ck_names_change(ck_job *job, ck_names *names, const char **name, size_t *len)
{
	const ck_shaping *s = names->shaping;
	size_t prefix = s->strip_prefix ? strlen(s->strip_prefix) : 0;
	if (prefix && *len >= prefix && !memcmp(*name, s->strip_prefix, prefix)) {
		*name += prefix;
		*len -= prefix;
		names->stripped += names->counts;
	}
	for (size_t i = 0; i < s->rename.count; i++) {
		bool touched;
		if (!apply_rule(job, &names->renames[i], name, len, &touched))
			return false;
		names->renames[i].touched += touched && names->counts;
	}
	return !s->add_prefix || add_prefix(job, s->add_prefix, name, len);
}

bool ck_names_take(ck_job *job, ck_names *names, const char **name, size_t *len, bool *taken)
{
	*taken = is_taken(names, *name, *len);
	names->counts = true;
	bool ok = !*taken || ck_names_change(job, names, name, len);
	names->counts = false;
	return ok;
}

/* ---- what became of it ---- */

static void tell_idle(ck_job *job, const char *option, const ck_words *globs, const size_t *matched)
{
	for (size_t i = 0; i < globs->count; i++)
		if (!matched[i])
			ck_note(job, "--%s '%s' matches no name", option,
			        ck_show(globs->text[i], strlen(globs->text[i])).s);
}

bool ck_names_tell(ck_job *job, const ck_names *names, const ck_model *model)
{
	const ck_shaping *s = names->shaping;
	tell_idle(job, "include", &s->include, names->included);
	tell_idle(job, "exclude", &s->exclude, names->excluded);
	if (!model->count)
		return ck_fail(job, CK_USAGE, model->source->label,
		               "no tensor is left: --include and --exclude leave out all %zu",
		               names->left_out);
	if (names->left_out)
		ck_note(job, "%zu tensor%s left out by name (--include, --exclude)",
		        names->left_out, names->left_out == 1 ? " was" : "s were");
	if (s->strip_prefix)
		ck_note(job, "--strip-prefix '%s' touched %s",
		        ck_show(s->strip_prefix, strlen(s->strip_prefix)).s,
		        names->stripped ? ck_many(names->stripped, "name").s : "no name");
	for (size_t i = 0; i < s->rename.count; i++) {
		const rename_rule *rule = &names->renames[i];
		ck_note(job, "--rename '%s' touched %s", ck_show(rule->rule, strlen(rule->rule)).s,
		        rule->touched ? ck_many(rule->touched, "name").s : "no name");
	}
	if (s->add_prefix)
		ck_note(job, "--add-prefix '%s' touched %s",
		        ck_show(s->add_prefix, strlen(s->add_prefix)).s,
		        ck_many(model->count, "name").s);
	return true;
}
