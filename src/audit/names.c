/* What is known of a name, before anything is done with it: on the table of known globals, denied,
 * or neither. */
#include "judge.h"
#include "policy.h"

#include <stdio.h>
#include <string.h>

enum { STANDINGS_MAX = 50000 };

ck_verdict ck_rule_verdict(ck_rule rule)
{
	return ck_rule_table()[rule].verdict;
}

ck_verdict ck_fault_verdict(const ck_fault *fault)
{
	return fault->why ? ck_rule_verdict(fault->rule) : CK_SAFE;
}

/* ---- names that are none ---- */

/* No module, class or function of honest files has a name that cannot be shown as it is. */
static const char *odd_text(const char *text, size_t len)
{
	uint32_t code;
	if (!len)
		return "has an empty name";
	for (size_t took; len; text += took, len -= took) {
		took = ck_utf8_next(text, len, &code);
		if (!took)
			return "has a name that is not UTF-8";
		if (code < ' ' || (code >= 0x7F && code <= 0x9F) || code == '/' || code == '\\')
			return "has a name with a character that names do not have";
	}
	return NULL;
}

static bool is_under(const ck_global *g, const char *root)
{
	size_t len = strlen(root);
	return g->module_len >= len && !memcmp(g->module, root, len) &&
	       (g->module_len == len || g->module[len] == '.');
}

/* Memory formats are written as "torch.channels_last" in whatever module of torch's Python finds
 * first. They are values, and cannot be called. */
static bool is_memory_format(const ck_global *g)
{
	static const char *const names[] = {"torch.contiguous_format", "torch.channels_last",
	                                    "torch.channels_last_3d", "torch.preserve_format"};
	for (size_t i = 0; i < CK_COUNT(names); i++)
		if (g->name_len == strlen(names[i]) && !memcmp(g->name, names[i], g->name_len))
			return is_under(g, "torch");
	return false;
}

static ck_fault odd_name(const ck_global *g)
{
	const char *why = odd_text(g->module, g->module_len);
	why = why ? why : odd_text(g->name, g->name_len);
	if (why)
		return (ck_fault){CK_RULE_ODD_NAME, why};
	if (memchr(g->name, '.', g->name_len) && !is_memory_format(g))
		return (ck_fault){CK_RULE_DOTTED_NAME,
		                  "reaches through an object to what hangs on it"};
	if (g->module[0] == '.' || g->module[g->module_len - 1] == '.')
		return (ck_fault){CK_RULE_ODD_NAME, "has a module whose name ends in a dot"};
	return (ck_fault){0};
}

/* ---- calls of what is on no list ---- */

/* Functions are written in lower case, classes are not. */
static bool is_function(const ck_global *g)
{
	size_t i = 0;
	while (i < g->name_len && g->name[i] == '_')
		i++;
	return i == g->name_len || g->name[i] < 'A' || g->name[i] > 'Z';
}

/* By these names projects put together again what they pickle. */
static bool rebuilds(const ck_global *g)
{
	static const char *const starts[] = {"_rebuild", "_reconstruct", "_unpickle",
	                                     "__pyx_unpickle"};
	static const char ending[] = "_ctor";
	size_t len = strlen(ending);
	for (size_t i = 0; i < CK_COUNT(starts); i++)
		if (g->name_len >= strlen(starts[i]) &&
		    !memcmp(g->name, starts[i], strlen(starts[i])))
			return true;
	return g->name_len >= len && !memcmp(g->name + g->name_len - len, ending, len);
}

static bool is_pair(const ck_global *g, const char *const pairs[][2], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (ck_equals(g->name, g->name_len, pairs[i][1]) &&
		    ck_equals(g->module, g->module_len, pairs[i][0]))
			return true;
	return false;
}

/* Functions that honest files call though they are written in lower case. */
static bool is_called_by_data(const ck_global *g)
{
	static const char *const pairs[][2] = {
		{"re", "_compile"}, {"array", "_array_reconstructor"}, {"array", "array"},
		{"time", "struct_time"}, {"logging", "getLogger"}, {"itertools", "count"},
		{"itertools", "repeat"}, {"itertools", "cycle"}, {"itertools", "chain"},
		{"datetime", "time"}, {"contextlib", "nullcontext"},
		{"numpy", "poly1d"}, {"numpy.lib.polynomial", "poly1d"},
		{"torch.nn.backends.thnn", "_get_thnn_function_backend"}, {"torch", "tensor"},
		{"torch", "as_tensor"}, {"torch", "from_numpy"}, {"torch", "finfo"},
		{"torch", "iinfo"}, {"torch", "dtype"}, {"numpy", "finfo"}, {"numpy", "iinfo"},
	};
	return is_pair(g, pairs, CK_COUNT(pairs));
}

/* A word of a name, in lower case; names are cut at underscores and where capitals begin. */
static size_t next_word(const ck_global *g, size_t *at, char word[32])
{
	size_t len = 0;
	while (*at < g->name_len && g->name[*at] == '_')
		++*at;
	while (*at < g->name_len && g->name[*at] != '_' && len + 1 < 32) {
		char c = g->name[*at];
		bool capital = c >= 'A' && c <= 'Z';
		if (capital && len)
			break;
		word[len++] = (char)(capital ? c + 32 : c);
		++*at;
	}
	word[len] = 0;
	return len;
}

/* Words that say that a function runs, loads or fetches something. */
static bool sounds_harmful(const ck_global *g)
{
	static const char words[] =
		" exec execute executor eval evaluate system popen spawn run runs runner shell "
		"bash command cmd commands import importlib load loads loader loadtxt open opener "
		"call caller calls invoke invokes compile getattr getattribute setattr delattr "
		"request requests urlopen url download fetch unpickle unpickler subprocess process "
		"proc fork kill socket connect deserialize eval2 pickle marshal ctypes main init "
		"instantiate locate inline dynamic script install setup reduce apply env read "
		"write save remove delete unlink listen send render template parse show function "
		"code closure lambda dump dumps mkdir mkdirp rmtree chmod serialize lambdify "
		"resolve spawnv server session import_string ";
	char word[32], padded[40];
	size_t at = 0;
	while (next_word(g, &at, word)) {
		size_t len = strlen(word);
		padded[0] = ' ';
		memcpy(padded + 1, word, len);
		memcpy(padded + 1 + len, " ", 2);
		if (strstr(words, padded))
			return true;
	}
	return false;
}

bool ck_is_own(ck_audit *audit, const ck_global *g)
{
	return ck_deny_is_stdlib(audit, g->module, g->module_len) || is_under(g, "torch") ||
	       is_under(g, "numpy");
}

/* Libraries that come with torch, whose functions no data calls either. */
static bool is_tool(const ck_global *g)
{
	static const char *const roots[] = {
		"sympy", "mpmath", "networkx", "fsspec", "filelock", "jinja2", "packaging", "onnx",
		"functorch", "torchgen", "more_itertools", "typeguard", "typing_extensions",
		"hypothesis", "humanfriendly", "coloredlogs", "inflect", "safetensors",
		"markupsafe",
	};
	for (size_t i = 0; i < CK_COUNT(roots); i++)
		if (is_under(g, roots[i]))
			return true;
	return false;
}

static ck_fault judge_call(ck_audit *audit, const ck_global *g)
{
	if (!is_function(g) || is_called_by_data(g) || is_under(g, "torch.return_types"))
		return (ck_fault){CK_RULE_UNKNOWN_CALL,
		                  "is not known to be harmless, and is called"};
	bool own = ck_is_own(audit, g) || is_tool(g);
	if (own && !rebuilds(g))
		return (ck_fault){CK_RULE_DANGEROUS_CALL,
		                  "is a function that no data needs to call"};
	if (!own && sounds_harmful(g))
		return (ck_fault){
			CK_RULE_DANGEROUS_CALL,
			"is a function that by its name runs, loads or fetches something"};
	return (ck_fault){CK_RULE_UNKNOWN_CALL, "is not known to be harmless, and is called"};
}

/* ---- standings ---- */

static const char loaded[] = "is not known to be harmless, and its module is loaded";

static void judge_row(ck_standing *s)
{
	const ck_fault inert = {0};
	switch (s->row->listing) {
	case CK_LISTED_TORCH:
		s->weights_only = true;
		break;
	case CK_LISTED:
		break;
	case CK_RUNS_CODE:
		s->import = (ck_fault){CK_RULE_UNKNOWN_GLOBAL, "runs code that lies in the file"};
		s->call = s->make = (ck_fault){CK_RULE_DANGEROUS_CALL,
		                               "runs Python code that lies in the file"};
		return;
	case CK_FOREIGN:
		s->import = (ck_fault){CK_RULE_UNKNOWN_GLOBAL, loaded};
		s->call = s->make = (ck_fault){CK_RULE_UNKNOWN_CALL,
		                               "is not known to be harmless, and is called"};
		return;
	}
	s->import = s->call = s->make = inert;
}

/* By what the table of known globals and the list of harmful names say. */
static void judge_by_lists(ck_audit *audit, ck_standing *s, const ck_value *global)
{
	ck_fault odd = odd_name(&s->written);
	if (odd.why) {
		s->import = s->call = s->make = odd;
		return;
	}
	s->mapped = ck_python2_map(&s->written, &s->meant);
	const ck_value meant = {.kind = CK_GLOBAL, .global = &s->meant};
	s->row = ck_global_find(global);
	if (!s->row && s->mapped)
		s->row = ck_global_find(&meant);
	s->check = ck_call_check_find(&s->meant, s->row);
	/* among all the classes of torch's modules there are some that run code */
	const bool any = s->row && s->row->listing == CK_FOREIGN && !strcmp(s->row->name, "*");
	if (s->row && !any) {
		judge_row(s);
		return;
	}
	if (audit->script && is_under(&s->meant, "__torch__")) /* no module of Python's */
		return;
	const char *why = ck_deny_find(audit, &s->meant);
	if (s->mapped && !why)
		why = ck_deny_find(audit, &s->written);
	if (why) {
		s->import = (ck_fault){CK_RULE_DANGEROUS_IMPORT, why};
		s->call = s->make = (ck_fault){CK_RULE_DANGEROUS_CALL, why};
		return;
	}
	if (any) {
		judge_row(s);
		return;
	}
	s->import = (ck_fault){CK_RULE_UNKNOWN_GLOBAL, loaded};
	s->call = judge_call(audit, &s->meant);
	/* TorchScript's own classes may be written in lower case, Python's are known */
	bool stdlib = ck_deny_is_stdlib(audit, s->meant.module, s->meant.module_len);
	s->make = stdlib && is_function(&s->meant) ? s->call : (ck_fault){
		CK_RULE_UNKNOWN_CALL, "is a class that is not known to be harmless"};
}

static bool judge_by_policy(ck_audit *audit, ck_standing *s)
{
	unsigned line = 0;
	char why[64];
	ck_ruling ruling = ck_policy_find(audit->policy, &s->meant, &line);
	if (ruling != CK_RULING_DENY && s->mapped) {
		ck_ruling other = ck_policy_find(audit->policy, &s->written, &line);
		ruling = other == CK_RULING_NONE ? ruling : other;
	}
	s->allowed = ruling == CK_RULING_ALLOW;
	if (ruling != CK_RULING_DENY)
		return true;
	int len = snprintf(why, sizeof why, "is denied by line %u of the policy", line);
	const char *kept = ck_copy(audit->job, why, (size_t)len);
	s->import = (ck_fault){CK_RULE_DANGEROUS_IMPORT, kept};
	s->call = s->make = (ck_fault){CK_RULE_DANGEROUS_CALL, kept};
	return kept;
}

/* The key is made of both names; the standing owns it. */
static ck_standing *remember(ck_audit *audit, const char *key, size_t len, const ck_global *g)
{
	bool fresh;
	ck_standing *s = ck_alloc(audit->job, sizeof *s);
	const char *kept = s ? ck_copy(audit->job, key, len) : NULL;
	uint64_t *place =
		kept ? ck_map_put(audit->job, &audit->standings, kept, len, &fresh) : NULL;
	if (!place)
		return NULL;
	*place = (uint64_t)(uintptr_t)s;
	s->written = (ck_global){kept, kept + g->module_len + 1, g->module_len, g->name_len};
	s->use = SIZE_MAX;
	return s;
}

ck_standing *ck_standing_find(ck_audit *audit, const ck_value *global, ck_standing *scratch)
{
	char key[1024];
	const ck_global *g = global->global;
	size_t len = g->module_len + 1 + g->name_len;
	bool fits = g->module_len < sizeof key && g->name_len < sizeof key &&
	            len + 2 <= sizeof key;
	/* what these mean depends on the archive that the pickle lies in */
	bool lasts = audit->script || !is_under(g, "__torch__");
	ck_standing *s = scratch;
	*scratch = (ck_standing){.written = *g, .use = SIZE_MAX};
	if (global->flags & CK_COMPUTED) {
		s->import = s->call = s->make = (ck_fault){
			CK_RULE_COMPUTED_NAME, "is computed, so that only running it would tell"};
		s->meant = s->written;
		return s;
	}
	if (fits && lasts) {
		memcpy(key, g->module, g->module_len);
		key[g->module_len] = 0;
		memcpy(key + g->module_len + 1, g->name, g->name_len);
		/* there may be a NUL in either */
		key[len++] = (char)(g->module_len & 0xff);
		key[len++] = (char)(g->module_len >> 8);
		const uint64_t *known = ck_map_find(audit->job, &audit->standings, key, len);
		if (known)
			return (ck_standing *)(uintptr_t)*known;
		if (audit->standings.count < STANDINGS_MAX)
			s = remember(audit, key, len, g);
		else
			audit->unremembered++;
	}
	if (!s)
		return NULL;
	s->meant = s->written;
	judge_by_lists(audit, s, global);
	s->stdlib = ck_deny_is_stdlib(audit, s->meant.module, s->meant.module_len);
	s->own = ck_is_own(audit, &s->meant);
	if (!judge_by_policy(audit, s))
		return NULL;
	return audit->job->error.status == CK_OK ? s : NULL;
}
