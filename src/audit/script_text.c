/* TorchScript's code, which torch runs when it loads a module with a __setstate__: calls of the few
 * operators that reach files or other machines. For mobile phones it is a pickle of names. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "zip_parts.h"

enum { PIECE = 16 << 10, WORD_MAX = 40 };

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

/* Of torch's schemas, and of the libraries that programs load beside it. */
static const struct {
	const char *owners, *words; /* "" stands for all */
} harmful[] = {
	{"torch aten rpc prim", "save from_file rpc_sync rpc_async rpc_remote"},
	{"c10d _c10d_functional _c10d_functional_autograd symm_mem", ""},
	{"debugprims", "load_tensor"},
	{"image", "read_file write_file"},
	{"video_reader", "read_video_from_file probe_video_from_file"},
	{"torchaudio", "sox_io_load_audio_file sox_io_save_audio_file sox_io_get_info "
	               "sox_effects_apply_effects_file"},
};

static bool is_harmful_name(const char *owner, const char *word)
{
	for (size_t i = 0; i < CK_COUNT(harmful); i++)
		if (is_one_of(harmful[i].owners, owner) &&
		    (!*harmful[i].words || is_one_of(harmful[i].words, word)))
			return true;
	return false;
}

static bool is_harmful(const tokens *t)
{
	return t->last == WORD && t->owned && is_harmful_name(t->owner, t->word);
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

/* ---- bytecode.pkl: names of operators as texts, "aten::save" ---- */

enum { BINUNICODE = 'X', COUNTED = 5, NAME_MAX_BYTES = 2 * WORD_MAX };

static bool is_bytecode(const char *path)
{
	static const char name[] = "bytecode.pkl";
	size_t len = strlen(path), n = sizeof name - 1;
	return len >= n && !strcasecmp(path + len - n, name) &&
	       (len == n || strchr("/!", path[len - n - 1]));
}

/* The text that begins at `at`, if it is the name of such an operator. */
static bool take_name(reader *r, const char *at, size_t len)
{
	tokens *t = &r->now;
	const char *colons = memmem(at, len, "::", 2);
	size_t owner = colons ? (size_t)(colons - at) : 0, word = len - owner - 2;
	if (!colons || owner >= WORD_MAX || word >= WORD_MAX)
		return false;
	memcpy(t->owner, at, owner);
	t->owner[owner] = 0;
	memcpy(t->word, at + owner + 2, word);
	t->word[word] = 0;
	return is_harmful_name(t->owner, t->word);
}

static bool read_bytecode(ck_job *job, const ck_source *source, reader *r)
{
	char piece[PIECE];
	uint64_t step = sizeof piece - COUNTED - NAME_MAX_BYTES;
	for (uint64_t at = 0; at < source->size && !r->found; at += step) {
		uint64_t left = source->size - at;
		size_t len = left < sizeof piece ? (size_t)left : sizeof piece;
		if (ck_stopped(job) || !ck_read_at(job, source, at, piece, len))
			return false;
		for (size_t i = 0; i + COUNTED < len && i < step && !r->found; i++) {
			uint64_t size = ck_little((const unsigned char *)piece + i + 1, 4);
			r->found = piece[i] == BINUNICODE && size <= NAME_MAX_BYTES &&
			           size <= len - i - COUNTED &&
			           take_name(r, piece + i + COUNTED, (size_t)size);
		}
	}
	return true;
}

/* ---- members ---- */

/* torch finds members whatever their case. */
bool ck_script_is(const char *path)
{
	size_t len = strlen(path);
	if (is_bytecode(path))
		return true;
	if (len <= 3 || strcasecmp(path + len - 3, ".py") != 0)
		return false;
	for (const char *at = path; *at; at++)
		if ((at == path || at[-1] == '/' || at[-1] == '!') && !strncasecmp(at, "code/", 5))
			return true;
	return false;
}

static bool read_code(ck_job *job, const ck_source *source, reader *r)
{
	char piece[PIECE];
	for (uint64_t at = 0; at < source->size && !r->found; at += sizeof piece) {
		uint64_t left = source->size - at;
		size_t len = left < sizeof piece ? (size_t)left : sizeof piece;
		if (ck_stopped(job) || !ck_read_at(job, source, at, piece, len))
			return false;
		for (size_t i = 0; i < len && !r->found; i++)
			take(r, piece[i]);
	}
	return true;
}

bool ck_script_look(ck_audit *audit, const ck_source *source, const char *path)
{
	reader r = {0};
	ck_place place = {path, source, 0};
	ck_finding draft = {0};
	char why[2 * WORD_MAX + 80];
	if (!(is_bytecode(path) ? read_bytecode : read_code)(audit->job, source, &r))
		return false;
	if (!r.found)
		return true;
	snprintf(why, sizeof why, "the code calls %s.%s, which reaches files or other machines",
	         r.now.owner, r.now.word);
	draft.why = ck_copy(audit->job, why, strlen(why));
	/* only the first of its calls is told, and none with what it is given */
	return draft.why && ck_source_digest(audit->job, source, draft.digest) &&
	       ck_audit_find(audit, CK_RULE_HARMFUL_SCRIPT, &place, CK_NO_OFFSET, &draft);
}
