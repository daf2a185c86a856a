/* TorchScript's code, which torch runs when it loads a module with a __setstate__: calls of the few
 * operators that reach files or other machines. */
#include <string.h>

#include "zip_parts.h"

enum { PIECE = 16 << 10, WORD_MAX = 24 };

typedef enum { OTHER, WORD, DOT } token;

/* The last tokens: "owner . word". */
typedef struct {
	char owner[WORD_MAX], word[WORD_MAX];
	token last;
	bool owned; /* the word stands behind the owner and a dot */
} tokens;

typedef struct {
	tokens now, before; /* a comment; what only looks like one, in a string, is read as well */
	bool comment, open; /* a word goes on */
	bool found;
} reader;

static bool is_one_of(const char *words, const char *word)
{
	size_t len = strlen(word);
	for (size_t n; *words; words += n + strspn(words + n, " ")) {
		n = strcspn(words, " ");
		if (n == len && !memcmp(words, word, n))
			return true;
	}
	return false;
}

static bool is_harmful(const tokens *t)
{
	return t->last == WORD && t->owned && is_one_of("torch aten rpc prim", t->owner) &&
	       is_one_of("save from_file rpc_sync rpc_async rpc_remote", t->word);
}

static bool is_word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

static void take_word_char(reader *r, char c)
{
	tokens *t = &r->now;
	if (!r->open) {
		t->owned = t->last == DOT;
		memset(t->word, 0, sizeof t->word);
	}
	size_t len = strlen(t->word);
	if (len + 1 < sizeof t->word) /* what is cut is longer than any name that matters */
		t->word[len] = c;
	t->last = WORD;
	r->open = true;
}

static void take(reader *r, char c)
{
	tokens *t = &r->now;
	if (is_word_char(c)) {
		take_word_char(r, c);
		return;
	}
	r->open = false;
	if (c == '#' && !r->comment) {
		r->before = *t;
		r->comment = true;
	} else if (c == '\n' && r->comment) {
		*t = r->before;
		r->comment = false;
	}
	if (c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\\')
		return;
	r->found = r->found || (c == '(' && is_harmful(t));
	if (c == '.' && t->last == WORD)
		memcpy(t->owner, t->word, sizeof t->owner);
	t->last = c == '.' && t->last == WORD ? DOT : OTHER;
}

bool ck_script_is(const char *path)
{
	const char *code = strstr(path, "code/");
	size_t len = strlen(path);
	return code && (code == path || code[-1] == '/' || code[-1] == '!') && len > 3 &&
	       !memcmp(path + len - 3, ".py", 3);
}

bool ck_script_look(ck_audit *audit, const ck_source *source, const char *path)
{
	char piece[PIECE];
	reader r = {0};
	ck_place place = {path, source, 0};
	for (uint64_t at = 0; at < source->size && !r.found; at += sizeof piece) {
		uint64_t left = source->size - at;
		size_t len = left < sizeof piece ? (size_t)left : sizeof piece;
		if (ck_stopped(audit->job) || !ck_read_at(audit->job, source, at, piece, len))
			return false;
		for (size_t i = 0; i < len && !r.found; i++)
			take(&r, piece[i]);
	}
	return !r.found || ck_audit_say(audit, CK_RULE_HARMFUL_SCRIPT, &place, CK_NO_OFFSET, 0,
	                                "the code calls %s.%s, which reaches files or other "
	                                "machines", r.now.owner, r.now.word);
}
