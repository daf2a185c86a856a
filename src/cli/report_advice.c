/* The end of a report: whether torch.load takes the file as it is, and what to do next. */
#include <stdlib.h>
#include <string.h>

#include <ckconv/scan.h>

#include "page.h"

enum { NAMES_MOST = 10, NAME_MOST = 36 };

static void put_advice(cli_page *p, const char *what, const char *text, bool whole)
{
	cli_page_text(p, INDENT, what, false);
	cli_page_text(p, TEXT_COLUMN, text, whole);
	cli_page_end(p);
}

/* ---- weights_only ---- */

/* "a.B, c.D" of the globals that torch.load does not know, to be freed. */
static char *list_needed(const ck_report *report, size_t *count)
{
	char *names = NULL;
	size_t len;
	FILE *to = open_memstream(&names, &len);
	*count = 0;
	if (!to)
		return NULL;
	for (size_t i = 0; i < report->global_count; i++) {
		const ck_global_use *g = &report->globals[i];
		if (!g->weights_only && ++*count <= NAMES_MOST)
			fprintf(to, "%s%s.%s", *count > 1 ? ", " : "", g->module, g->name);
	}
	if (*count > NAMES_MOST)
		fputs(", ...", to);
	fclose(to);
	return names;
}

static bool needs_names(const ck_report *report)
{
	for (size_t i = 0; i < report->global_count; i++)
		if (!report->globals[i].weights_only)
			return true;
	return false;
}

static bool has_rule(const ck_report *report, const char *rule)
{
	for (size_t i = 0; i < report->finding_count; i++)
		if (!strcmp(report->findings[i].rule, rule))
			return true;
	return false;
}

/* What torch.save writes. */
static bool is_torch(const char *format)
{
	static const char *const formats[] = {"torch zip", "legacy torch", "torch tar"};
	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
		if (!strcmp(format, formats[i]))
			return true;
	return false;
}

static bool is_torchscript(const ck_report *report)
{
	return strstr(report->format, "TorchScript") != NULL;
}

static const char *yes_of(const ck_report *report)
{
	if (!report->complete)
		return "not known: not all of the file was looked at";
	return report->verdict == CK_MALFORMED ? "yes, where torch reads the file at all" : "yes";
}

/* Of safe files only what is unexpected is told: that torch.load does not take what torch wrote. */
static bool is_as_expected(const ck_report *report)
{
	return report->verdict == CK_SAFE &&
	       ((report->weights_only && !needs_names(report)) || !is_torch(report->format));
}

/* Whether torch.load takes it with weights_only=True, which is its default since 2.6. Nobody shall
 * be told to add what is dangerous. */
static void put_loads(cli_page *p, const ck_report *report)
{
	size_t needed;
	char *names = list_needed(report, &needed), *text = NULL;
	bool dangerous = ck_report_has_danger(report);
	if (is_torchscript(report))
		put_advice(p, "weights_only", "no: a TorchScript archive, for torch.jit.load",
		           false);
	else if (needed && dangerous)
		put_advice(p, "weights_only", "no", false);
	else if (!report->weights_only)
		put_advice(p, "weights_only", has_rule(report, "broken-pickle")
		           ? "no: a pickle is broken"
		           : "no, whatever is given to add_safe_globals", false);
	else if (!needed)
		put_advice(p, "weights_only", yes_of(report), false);
	else if (names && asprintf(&text, "no, would need add_safe_globals([%s])", names) >= 0)
		put_advice(p, "weights_only", text, true);
	free(names);
	free(text);
}

/* ---- next ---- */

static bool is_printable(const char *path)
{
	char shown[8192]; /* longer ones are cut, and differ */
	ck_printable(path, shown, sizeof shown);
	return !strcmp(shown, path);
}

static bool is_verb(const char *word)
{
	int verb = VERB_CONVERT + 1;
	while (verb < VERB_COUNT && strcmp(word, cli_verbs[verb].word) != 0)
		verb++;
	return verb < VERB_COUNT;
}

/* The name of the file as a word of the shell, to be freed; FILE where it cannot be typed. */
static char *shell_word(const cli_page *p, const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	                            "_-+=:,./@%";
	const char *quote = !path[strspn(path, plain)] ? "" : strchr(path, '\'') ? "\"" : "'";
	bool dot = *path == '-' || is_verb(path);
	char *word = NULL, *shown = cli_page_path(p, path, true, NAME_MOST);
	if (!is_printable(path) || (*quote == '"' && strpbrk(path, "\"$`\\!")))
		word = strdup("FILE");
	else if (!shown || asprintf(&word, "%s%s%s%s", quote, dot ? "./" : "", shown, quote) < 0)
		word = NULL;
	free(shown);
	return word;
}

/* Whether what is in the file is known to make tensors that can be read. */
static bool has_tensors(const ck_report *report)
{
	static const char *const broken[] = {"broken-pickle", "broken-checkpoint", "broken-archive",
	                                     "over-limit", "expands", "bad-arguments",
	                                     "changed-tensor", "expanded-tensor"};
	bool torch = is_torch(report->format), made = false;
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
		torch = torch && !has_rule(report, broken[i]);
	for (size_t i = 0; i < report->global_count; i++)
		made = made || (!strcmp(report->globals[i].module, "torch._utils") &&
		                !strncmp(report->globals[i].name, "_rebuild_", 9));
	return torch && made && report->complete;
}

/* Why the file is malformed, last what must be dealt with first: beyond a limit nothing was looked
 * at, which may be all that is wrong. */
typedef enum { NOT_SCANNED, ENCRYPTED, NOT_KNOWN, POINTER, DAMAGED, OVER_LIMIT } cause;

static cause cause_of(const ck_finding *f)
{
	if (!strcmp(f->rule, "over-limit")) /* some limits are ours alone */
		return strstr(f->why, "limit") ? OVER_LIMIT : NOT_KNOWN;
	if (strcmp(f->rule, "not-scanned") != 0)
		return DAMAGED;
	if (strstr(f->why, "no kind that ckconv knows") || strstr(f->why, "was not looked"))
		return NOT_KNOWN;
	if (strstr(f->why, "Git LFS pointer"))
		return POINTER;
	return strstr(f->why, "encrypted") ? ENCRYPTED : NOT_SCANNED;
}

static const char *next_of_malformed(const ck_report *report)
{
	static const char *const next[] = {
		[NOT_SCANNED] = "do not load it; unpack it and scan what comes out",
		[ENCRYPTED] = "do not load it; decrypt it and scan what comes out",
		[NOT_KNOWN] = "do not load it before you know what it is: ckconv cannot tell",
		[POINTER] = "fetch the file that it stands for, and scan that",
		[OVER_LIMIT] = "if it can be trusted to need it, raise the limit and scan again",
		[DAMAGED] = "do not load it; get it again from where it was made",
	};
	cause first = report->finding_count ? NOT_SCANNED : DAMAGED;
	for (size_t i = 0; i < report->finding_count; i++) {
		const ck_finding *f = &report->findings[i];
		if (!f->suppressed && f->verdict == CK_MALFORMED && cause_of(f) > first)
			first = cause_of(f);
	}
	return next[first];
}

static void put_next(cli_page *p, const ck_report *report)
{
	char *text = NULL, *name = shell_word(p, report->path);
	const char *file = name ? name : "FILE";
	bool tensors = has_tensors(report);
	const char *where = tensors ? "" : "where it holds tensors, ";
	int made = -1;
	if (report->verdict == CK_DANGEROUS)
		made = asprintf(&text, "do not load it with Python; %sckconv --disarm %s "
		                "OUT.safetensors takes %s out and runs nothing", where, file,
		                tensors ? "its tensors" : "them");
	else if (report->verdict == CK_MALFORMED)
		made = asprintf(&text, "%s", next_of_malformed(report));
	else if (report->verdict == CK_UNKNOWN)
		made = asprintf(&text,
		                "%sckconv %s OUT.safetensors takes %s out, without the classes",
		                where, file, tensors ? "its tensors" : "them");
	if (made >= 0)
		put_advice(p, "next", text, false);
	if (made >= 0)
		free(text);
	free(name);
}

void cli_report_advise(cli_page *page, const ck_report *report)
{
	if (report->sha256)
		put_advice(page, "sha256", report->sha256, true);
	if (report->pickles && (page->look->verbose || !is_as_expected(report)))
		put_loads(page, report);
	put_next(page, report);
}
