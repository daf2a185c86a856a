/* What a rule of --rename may say: regcomp() takes for a letter whatever follows a backslash, and
 * a rule that means something else in Python would change names in silence. */
#include "edit.h"

#include <ctype.h>
#include <string.h>

static bool fail(ck_job *job, const char *rule, const char *what, char after)
{
	const char *instead = after == 'd' ? "; [0-9] is a digit"
	                    : after == 'D' ? "; [^0-9] is no digit" : "";
	return ck_fail(job, CK_USAGE, "", "--rename '%s': %s has no \\%s%s",
	               ck_show(rule, strlen(rule)).s, what, ck_show(&after, 1).s, instead);
}

/* Behind a set in brackets, where a backslash is one of its characters. */
static const char *skip_set(const char *at, char *letter)
{
	at += 1 + (at[1] == '^');
	at += *at == ']';
	for (; *at && *at != ']'; at++) {
		const char kind = *at == '[' ? at[1] : 0;
		if (*at == '\\' && isalnum((unsigned char)at[1]))
			*letter = at[1];
		if (!kind || !strchr(":.=", kind))
			continue;
		const char *end = strstr(at + 2, (char[]){kind, ']', 0});
		at = end ? end + 1 : at;
	}
	return at;
}

bool ck_rename_check_expression(ck_job *job, const char *rule, const char *expression)
{
	static const char known[] = "wWsSbB123456789"; /* the C libraries' own, and groups */
	char letter = 0;
	for (const char *at = expression; *at; at += *at != 0) {
		if (*at == '[')
			at = skip_set(at, &letter);
		else if (*at == '\\' && at[1])
			at++;
		else
			continue;
		if (letter)
			return fail(job, rule, "a set in brackets", letter);
		if (isalnum((unsigned char)*at) && !strchr(known, *at))
			return fail(job, rule, "a POSIX expression", *at);
	}
	return true;
}

bool ck_rename_check_text(ck_job *job, const char *rule, const char *text, size_t groups)
{
	for (const char *at = text; (at = strchr(at, '\\')); at += 2) {
		const unsigned char next = (unsigned char)at[1];
		if (!next)
			return ck_fail(job, CK_USAGE, "", "--rename '%s': \\ at the end stands "
			               "before nothing; \\\\ is a backslash",
			               ck_show(rule, strlen(rule)).s);
		if (isdigit(next) && (size_t)(next - '0') > groups)
			return ck_fail(job, CK_USAGE, "", "--rename '%s': \\%c stands for a group, "
			               "and the expression has %s",
			               ck_show(rule, strlen(rule)).s, next,
			               groups ? ck_many(groups, "group").s : "none");
		if (!isdigit(next) && isalpha(next))
			return fail(job, rule, "the replacement", (char)next);
	}
	return true;
}
