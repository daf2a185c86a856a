/* What the user said about names and findings: a policy of names to allow and to deny, and a
 * baseline of findings that are known. */
#include "judge.h"
#include "policy.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { FILE_MAX = 16 << 20, LINE_MAX_BYTES = 4096 };

/* A line that allows a name. */
typedef struct allowance {
	const char *name, *path;
	unsigned line;
	bool met;            /* a file that was scanned names it */
} allowance;

struct ck_policy {
	ck_job *job;
	ck_audit *lists;     /* of names that are known */
	allowance *allowed;
	size_t allowed_count, allowed_cap;
	ck_map names;        /* "module.name" or "module.*" -> verdict and number of the line */
	ck_map fingerprints;
	char today[11];      /* 2026-11-23 */
};

ck_policy *ck_policy_new(ck_job *job)
{
	ck_policy *policy = ck_alloc(job, sizeof *policy);
	struct tm tm;
	time_t now = time(NULL);
	if (!policy || !gmtime_r(&now, &tm))
		return NULL;
	policy->job = job;
	policy->lists = ck_audit_new(job, NULL);
	if (!policy->lists)
		return NULL;
	strftime(policy->today, sizeof policy->today, "%Y-%m-%d", &tm);
	return policy;
}

/* ---- lines ---- */

typedef struct {
	ck_policy *policy;
	const char *path;
	unsigned number; /* of the line */
	char *rest;      /* what is still to be read of it */
} reader;

static bool refuse(const reader *r, const char *what, const char *text)
{
	return ck_fail(r->policy->job, CK_USAGE, r->path, "line %u: %s%s%s%s", r->number, what,
	               *text ? " '" : "", *text ? ck_show(text, strlen(text)).s : "",
	               *text ? "'" : "");
}

static char *next_word(reader *r)
{
	char *word = r->rest + strspn(r->rest, " \t\r");
	size_t len = strcspn(word, " \t\r");
	r->rest = word + len + (word[len] != 0);
	word[len] = 0;
	return word;
}

static int two_digits(const char *text)
{
	return (text[0] - '0') * 10 + text[1] - '0';
}

static bool is_date(const char *text)
{
	static const char form[] = "dddd-dd-dd";
	for (size_t i = 0; i < sizeof form; i++) { /* the NUL, too */
		bool digit = text[i] >= '0' && text[i] <= '9';
		if (form[i] == 'd' ? !digit : text[i] != form[i])
			return false;
	}
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int year = two_digits(text) * 100 + two_digits(text + 2);
	int month = two_digits(text + 5), day = two_digits(text + 8);
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	return month >= 1 && month <= 12 && day >= 1 &&
	       day <= days[month - 1] + (month == 2 && leap);
}

/* Whatever a project says: with these modules, everything can be done. */
static bool is_too_much(const ck_global *g)
{
	static const char *const modules[] = {
		"sys", "os", "posix", "nt", "builtins", "io", "threading", "types", "inspect",
		"platform", "tempfile", "operator", "codecs", "_codecs", "pickle",
	};
	size_t root = strcspn(g->module, ".");
	for (size_t i = 0; i < CK_COUNT(modules); i++)
		if (strlen(modules[i]) == root && !memcmp(modules[i], g->module, root))
			return true;
	return false;
}

/* What a scan calls dangerous by its name alone, and what runs code of the file, whichever. */
static bool is_harmful(const ck_standing *s)
{
	return ck_fault_verdict(&s->import) == CK_DANGEROUS ||
	       (s->row && s->row->listing == CK_RUNS_CODE);
}

/* By its own name and by the one that Python 3 knows it by. */
static bool check_harm(const reader *r, const char *name, size_t module_len)
{
	static const char root[] =
		"what is in sys, os, posix, nt, builtins and other modules by which all can be "
		"reached, can never be allowed:";
	ck_audit *lists = r->policy->lists;
	const char *module = ck_copy(r->policy->job, name, module_len);
	ck_global written = {module, name + module_len + 1, module_len,
	                     strlen(name + module_len + 1)};
	const ck_value value = {.kind = CK_GLOBAL, .global = &written};
	ck_standing scratch;
	const ck_standing *s = module ? ck_standing_find(lists, &value, &scratch) : NULL;
	if (!s)
		return false;
	if (is_too_much(&written) || is_too_much(&s->meant))
		return refuse(r, root, name);
	return !is_harmful(s) ||
	       refuse(r, "this is known to do harm, and can never be allowed:", name);
}

static bool check_name(const reader *r, const char *name, bool allow)
{
	const char *dot = strrchr(name, '.');
	if (strpbrk(name, "\"'`"))
		return refuse(r, "names are written without quotes, unlike", name);
	if (!dot || dot == name || !dot[1])
		return refuse(r, "this is not module.name:", name);
	if (allow && !strcmp(dot, ".*"))
		return refuse(r, "only single names can be allowed, not all of a module:", name);
	if (strchr(name, '*') && (strcmp(dot, ".*") != 0 || strchr(name, '*') != dot + 1))
		return refuse(r, "a star may only stand for all names of a module:", name);
	return !allow || check_harm(r, name, (size_t)(dot - name));
}

/* [expires DATE]; *expired is set if that day is over. */
static bool read_expiry(reader *r, bool *expired)
{
	const char *word = next_word(r);
	*expired = false;
	if (!*word)
		return true;
	if (strcmp(word, "expires") != 0)
		return refuse(r, "only 'expires DATE' and '# reason' may follow the name, not",
		              word);
	word = next_word(r);
	if (!is_date(word))
		return refuse(r, "a date is written like 2027-01-31, not", word);
	*expired = strcmp(r->policy->today, word) > 0;
	word = next_word(r);
	return !*word || refuse(r, "nothing but '# reason' may follow the date, not", word);
}

static bool keep_allowance(const reader *r, const char *name)
{
	ck_policy *policy = r->policy;
	allowance *grown = ck_grow(policy->job, policy->allowed, &policy->allowed_cap,
	                           policy->allowed_count + 1, sizeof *grown);
	if (!grown)
		return false;
	policy->allowed = grown;
	grown[policy->allowed_count++] = (allowance){name, r->path, r->number, false};
	return true;
}

static bool keep(const reader *r, const char *name, bool allow)
{
	bool fresh;
	ck_policy *policy = r->policy;
	const char *key = ck_copy(policy->job, name, strlen(name));
	uint64_t *place = key ? ck_map_put(policy->job, &policy->names, key, strlen(key), &fresh)
	                      : NULL;
	if (!place)
		return false;
	if (fresh || !allow) /* what is denied anywhere is denied */
		*place = (uint64_t)r->number << 1 | allow;
	return !allow || keep_allowance(r, key);
}

static bool read_line(reader *r)
{
	bool expired;
	r->rest[strcspn(r->rest, "#")] = 0;
	const char *verb = next_word(r);
	if (!*verb)
		return true;
	bool allow = !strcmp(verb, "allow");
	if (!allow && strcmp(verb, "deny") != 0)
		return refuse(r, "a line begins with allow or deny, not with", verb);
	const char *name = next_word(r);
	if (!check_name(r, name, allow) || !read_expiry(r, &expired))
		return false;
	if (!expired)
		return keep(r, name, allow);
	ck_note(r->policy->job, "%s: line %u: '%s %s' has expired and does not count",
	        ck_show(r->path, strlen(r->path)).s, r->number, verb,
	        ck_show(name, strlen(name)).s);
	return true;
}

/* The whole of a small file, with a NUL behind it. */
static char *read_file(ck_policy *policy, const char *path, size_t *len)
{
	const ck_source *source = ck_source_open(policy->job, path);
	if (!source)
		return NULL;
	if (source->size > FILE_MAX) {
		ck_fail(policy->job, CK_USAGE, path,
		        "a policy or baseline of %llu bytes is too long",
		        (unsigned long long)source->size);
		return NULL;
	}
	*len = (size_t)source->size;
	char *text = ck_alloc(policy->job, *len + 1);
	return text && ck_read_at(policy->job, source, 0, text, *len) ? text : NULL;
}

static bool read_lines(reader *r, char *text, size_t len, bool (*line)(reader *r))
{
	for (char *next, *end = text + len; text < end; text = next) {
		char *newline = memchr(text, '\n', (size_t)(end - text));
		if (newline)
			*newline = 0;
		r->number++;
		r->rest = text;
		size_t have = (size_t)((newline ? newline : end) - text);
		next = text + have + 1; /* `line` puts NULs between words */
		if (strlen(text) != have)
			return refuse(r, "there is a NUL in it", "");
		if (!line(r))
			return false;
	}
	return true;
}

bool ck_policy_read(ck_policy *policy, const char *path)
{
	size_t len;
	reader r = {.policy = policy, .path = path};
	char *text = read_file(policy, path, &len);
	return text && read_lines(&r, text, len, read_line);
}

/* ---- baselines ---- */

enum { FINGERPRINT = 2 * CK_DIGEST_SIZE };

static bool is_fingerprint(const char *text)
{
	return strspn(text, "0123456789abcdef") >= FINGERPRINT;
}

static bool refuse_fingerprint(const reader *r, const char *text)
{
	char shown[FINGERPRINT + 1];
	size_t len = strcspn(text, "\"");
	snprintf(shown, sizeof shown, "%.*s", (int)len, text);
	return refuse(r, "a fingerprint has 32 hexadecimal digits, unlike", shown);
}

static bool keep_fingerprint(reader *r, const char *text)
{
	bool fresh;
	const char *key = ck_copy(r->policy->job, text, FINGERPRINT);
	return key &&
	       ck_map_put(r->policy->job, &r->policy->fingerprints, key, FINGERPRINT, &fresh);
}

/* A line of `scan --json` holds any number of them; in strings of JSON quotes are escaped, so that
 * nothing else looks like one. */
static bool read_known(reader *r)
{
	static const char key[] = "\"fingerprint\":\"", report[] = "{\"schema\":";
	if (r->rest[0] == '{' || r->rest[0] == '[') {
		if (strncmp(r->rest, report, sizeof report - 1) != 0)
			return refuse(r, "this is JSON, but no line of ckconv scan --json", "");
		for (char *at = r->rest; (at = strstr(at, key));) {
			at += sizeof key - 1;
			if (!is_fingerprint(at) || at[FINGERPRINT] != '"')
				return refuse_fingerprint(r, at);
			if (!keep_fingerprint(r, at))
				return false;
		}
		return true;
	}
	r->rest[strcspn(r->rest, "#")] = 0;
	const char *word = next_word(r);
	if (!*word)
		return true;
	if (strlen(word) != FINGERPRINT || !is_fingerprint(word))
		return refuse_fingerprint(r, word);
	return keep_fingerprint(r, word);
}

bool ck_policy_baseline(ck_policy *policy, const char *path)
{
	size_t len;
	reader r = {.policy = policy, .path = path};
	char *text = read_file(policy, path, &len);
	return text && read_lines(&r, text, len, read_known);
}

/* ---- asking ---- */

bool ck_policy_knows(const ck_policy *policy, const char *fingerprint)
{
	return policy && ck_map_find(policy->job, &policy->fingerprints, fingerprint, FINGERPRINT);
}

static const uint64_t *find(const ck_policy *policy, const char *module, size_t module_len,
                            const char *name, size_t name_len)
{
	char key[1024];
	size_t len = module_len + 1 + name_len;
	if (module_len > sizeof key || name_len > sizeof key || len > sizeof key)
		return NULL;
	memcpy(key, module, module_len);
	key[module_len] = '.';
	memcpy(key + module_len + 1, name, name_len);
	return ck_map_find(policy->job, &policy->names, key, len);
}

/* "deny a.*" stands for a and for all modules below it. */
static const uint64_t *find_star(const ck_policy *policy, const ck_global *g)
{
	for (size_t len = g->module_len; len;) {
		const uint64_t *found = find(policy, g->module, len, "*", 1);
		if (found)
			return found;
		while (len && g->module[len - 1] != '.')
			len--;
		len -= len > 0;
	}
	return NULL;
}

ck_ruling ck_policy_find(const ck_policy *policy, const ck_global *global, unsigned *line)
{
	if (!policy || !policy->names.count)
		return CK_RULING_NONE;
	const uint64_t *found = find_star(policy, global);
	if (!found)
		found = find(policy, global->module, global->module_len, global->name,
		             global->name_len);
	if (!found)
		return CK_RULING_NONE;
	*line = (unsigned)(*found >> 1);
	return *found & 1 ? CK_RULING_ALLOW : CK_RULING_DENY;
}

/* ---- what it was good for ---- */

void ck_policy_meet(ck_policy *policy, const ck_report *report)
{
	for (size_t i = 0; i < report->global_count; i++) {
		const ck_global_use *g = &report->globals[i];
		for (size_t k = 0; k < policy->allowed_count; k++) {
			allowance *a = &policy->allowed[k];
			size_t len = strlen(g->module);
			bool same = !strncmp(a->name, g->module, len) && a->name[len] == '.' &&
			            !strcmp(a->name + len + 1, g->name);
			a->met |= same || (g->mapped && !strcmp(a->name, g->mapped));
		}
	}
}

void ck_policy_tell_idle(const ck_policy *policy)
{
	for (size_t k = 0; k < policy->allowed_count; k++) {
		const allowance *a = &policy->allowed[k];
		if (!a->met)
			ck_note(policy->job, "%s: line %u: nothing that was scanned names '%s'",
			        ck_show(a->path, strlen(a->path)).s, a->line,
			        ck_show(a->name, strlen(a->name)).s);
	}
}
