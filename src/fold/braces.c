/* One expression for several words: what they share stands outside of braces, and numbers that
 * follow each other are ranges. The expression unfolds to just these words. */
#include "words.h"

enum {
	PIECES_MAX = 24,  /* of one word; what is behind is one piece */
	SPELLED_OUT = 16  /* bytes that may be written again to list words, not take them apart */
};

static const char *join(ck_job *job, const char *a, const char *b)
{
	size_t before = strlen(a), behind = strlen(b);
	char *made = ck_alloc(job, before + behind + 1);
	if (made) {
		memcpy(made, a, before);
		memcpy(made + before, b, behind);
	}
	return made;
}

static bool is_joint(char c)
{
	return c == '_' || c == '/' || c == ':' || c == '-' || c == '|';
}

/* The digits of the number that a text begins with; 0: it begins with none. */
static size_t digits_at(const char *text)
{
	size_t len = ck_fold_digits(text);
	return len <= CK_FOLD_DIGITS ? len : 0;
}

/* ---- braces ---- */

static size_t common_start(const ck_fold_list *of)
{
	size_t same = strlen(of->text[0]);
	for (size_t i = 1; i < of->count; i++) {
		size_t at = 0;
		while (at < same && of->text[i][at] == of->text[0][at])
			at++;
		same = at;
	}
	same = strcspn(of->text[0], "{") < same ? strcspn(of->text[0], "{") : same;
	while (same && !is_joint(of->text[0][same - 1]))
		same--;
	for (size_t i = 0; i < of->count; i++)
		if (strlen(of->text[i]) == same)
			return 0;
	return same;
}

static size_t common_end(const ck_fold_list *of, size_t start)
{
	const char *first = of->text[0];
	size_t len = strlen(first), same = len - start;
	for (size_t i = 1; i < of->count; i++) {
		size_t other = strlen(of->text[i]), at = 0;
		while (at < same && at < other - start &&
		       first[len - 1 - at] == of->text[i][other - 1 - at])
			at++;
		same = at;
	}
	for (size_t at = 0; at < same; at++)
		if (strchr("{},", first[len - 1 - at]))
			same = at;
	while (same && !is_joint(first[len - same]))
		same--;
	for (size_t i = 0; i < of->count; i++)
		if (strlen(of->text[i]) <= start + same)
			return 0;
	return same;
}

/* The expression is one pair of braces; what is in it may stand in others as well. */
static bool is_braced(const char *text, size_t len)
{
	size_t depth = 0;
	for (size_t i = 0; i < len; i++) {
		depth += text[i] == '{';
		depth -= text[i] == '}';
		if (!depth && i + 1 < len)
			return false;
	}
	return len > 1 && text[0] == '{';
}

static bool put_braces(ck_job *job, const ck_fold_list *of, bool share, ck_text *to)
{
	if (of->count == 1)
		return ck_text_add(job, to, of->text[0], strlen(of->text[0]));
	size_t start = share ? common_start(of) : 0, end = share ? common_end(of, start) : 0;
	if (!ck_text_add(job, to, of->text[0], start) || !ck_text_add(job, to, "{", 1))
		return false;
	for (size_t i = 0; i < of->count; i++) {
		const char *text = of->text[i] + start;
		size_t len = strlen(text) - end;
		bool inner = is_braced(text, len);
		if ((i && !ck_text_add(job, to, ",", 1)) ||
		    !ck_text_add(job, to, text + inner, len - 2 * inner))
			return false;
	}
	return ck_text_add(job, to, "}", 1) &&
	       ck_text_add(job, to, of->text[0] + strlen(of->text[0]) - end, end);
}

static const char *braces(ck_job *job, const ck_fold_list *of)
{
	ck_text made = {0};
	bool ok = put_braces(job, of, true, &made) && ck_text_add(job, &made, "", 1);
	return ok ? made.data : NULL;
}

static const char *number_braces(ck_job *job, const ck_fold_list *numbers)
{
	enum { LEAST = 3 };
	ck_text made = {0};
	bool ok = ck_text_add(job, &made, "{", 1) && ck_fold_numbers(job, numbers, LEAST, &made) &&
	          ck_text_add(job, &made, "}", 2);
	return ok ? made.data : NULL;
}

/* ---- taking apart ---- */

/* A piece that several words begin with, and what follows it in them. */
typedef struct {
	ck_fold_list pieces; /* several where what follows is the same */
	ck_fold_list behind;
	const char *all; /* what follows, as one text */
	bool numbers, ends;
} branch;

static bool take_apart(ck_job *job, const ck_fold_list *words, unsigned pieces, ck_fold_list *to);

/* The length of the next piece: digits, or what is between two joints. */
static size_t piece_of(const char *text, unsigned pieces)
{
	size_t len = ck_fold_digits(text);
	if (pieces == PIECES_MAX)
		return strlen(text);
	if (len)
		return len;
	for (len = 1; text[len] && !ck_fold_is_digit(text[len]) && !is_joint(text[len]);)
		len++;
	return len;
}

/* Words by their first piece; *ends: one of them is empty. */
static bool split(ck_job *job, const ck_fold_list *words, unsigned pieces, branch **branches,
                  size_t *count, bool *ends)
{
	ck_map seen = {0};
	size_t cap = 0;
	bool fresh;
	*branches = NULL;
	*count = 0;
	*ends = false;
	for (size_t i = 0; i < words->count; i++) {
		const char *word = words->text[i];
		if (!*word) {
			*ends = true;
			continue;
		}
		size_t len = piece_of(word, pieces);
		uint64_t *place = ck_map_put(job, &seen, word, len, &fresh);
		branch *grown = place && fresh ? ck_grow(job, *branches, &cap, *count + 1,
		                                         sizeof *grown) : *branches;
		if (!place || !grown)
			return false;
		*branches = grown;
		if (fresh) {
			const char *piece = ck_copy(job, word, len);
			*place = (*count)++;
			grown[*place] = (branch){.numbers = digits_at(word) == len};
			if (!piece || !ck_fold_add(job, &grown[*place].pieces, piece))
				return false;
		}
		if (!ck_fold_add(job, &grown[*place].behind, word + len))
			return false;
	}
	return true;
}

/* Takes apart what is behind each branch, and brings those together where it is the same. */
static bool merge(ck_job *job, branch *branches, size_t *count, unsigned pieces)
{
	ck_map seen = {0};
	size_t kept = 0;
	bool fresh;
	for (size_t i = 0; i < *count; i++) {
		branch b = branches[i];
		ck_fold_list behind = {0};
		ck_text all = {0};
		if (!take_apart(job, &b.behind, pieces + 1, &behind))
			return false;
		b.behind = behind;
		if (!ck_text_add(job, &all, b.numbers ? "0" : "a", 1))
			return false;
		for (size_t k = 0; k < behind.count; k++) {
			b.ends = b.ends || !*behind.text[k];
			if (!ck_text_add(job, &all, behind.text[k], strlen(behind.text[k]) + 1))
				return false;
		}
		uint64_t *place = ck_map_put(job, &seen, all.data, all.len, &fresh);
		if (!place)
			return false;
		if (!fresh) {
			if (!ck_fold_add(job, &branches[*place].pieces, b.pieces.text[0]))
				return false;
			continue;
		}
		*place = kept;
		branches[kept++] = b;
	}
	*count = kept;
	return true;
}

static bool add_joined(ck_job *job, ck_fold_list *to, const ck_fold_list *before,
                       const ck_fold_list *behind)
{
	for (size_t i = 0; i < before->count; i++)
		for (size_t k = 0; k < behind->count; k++) {
			const char *made = join(job, before->text[i], behind->text[k]);
			if (!made || !ck_fold_add(job, to, made))
				return false;
		}
	return true;
}

/* Whether words are better listed, though they begin alike: running_mean, running_var. */
static bool is_better_listed(const branch *b)
{
	size_t same = strlen(b->pieces.text[0]) + common_start(&b->behind);
	return (b->behind.count - 1) * same <= (b->numbers ? 1 : SPELLED_OUT);
}

/* What stands for the words of one branch, which may be listed if it is `alone`. */
static bool add_branch(ck_job *job, const branch *b, bool alone, ck_fold_list *to)
{
	ck_fold_list before = b->pieces, behind = b->behind;
	const char *one[2];
	if (before.count > 1 && (b->numbers || behind.count > 1)) {
		one[0] = b->numbers ? number_braces(job, &before) : braces(job, &before);
		before = (ck_fold_list){.text = &one[0], .count = 1};
		if (!one[0])
			return false;
	}
	bool listed = b->pieces.count == 1 && (alone || is_better_listed(b));
	if (behind.count > 1 && !b->ends && !listed) {
		one[1] = braces(job, &behind);
		behind = (ck_fold_list){.text = &one[1], .count = 1};
		if (!one[1])
			return false;
	}
	return add_joined(job, to, &before, &behind);
}

/* Expressions that together stand for just these words. */
static bool take_apart(ck_job *job, const ck_fold_list *words, unsigned pieces, ck_fold_list *to)
{
	branch *branches;
	size_t count;
	bool ends;
	if (words->count == 1)
		return ck_fold_add(job, to, words->text[0]);
	if (!split(job, words, pieces, &branches, &count, &ends) ||
	    (ends && !ck_fold_add(job, to, "")) ||
	    !merge(job, branches, &count, pieces))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!add_branch(job, &branches[i], count == 1 && !ends, to))
			return false;
	return true;
}

/* ---- all words ---- */

bool ck_fold_words(ck_job *job, const ck_fold_word *words, size_t count, ck_text *to)
{
	ck_fold_list all = {0}, apart = {0}, wholes = {0};
	size_t numbers = 0;
	for (size_t i = 0; i < count; i++) {
		numbers += ck_fold_is_number(&words[i]);
		if (!ck_fold_add(job, words[i].whole ? &wholes : &all, words[i].text))
			return false;
	}
	if (count == 1)
		return ck_text_add(job, to, words[0].text, words[0].len);
	if (numbers == count)
		return ck_fold_numbers(job, &all, 2, to);
	if (all.count && !take_apart(job, &all, 0, &apart))
		return false;
	for (size_t i = 0; i < wholes.count; i++)
		if (!ck_fold_add(job, &apart, wholes.text[i]))
			return false;
	/* x_0-3 and x_5 are not x_{0-3,5} */
	return put_braces(job, &apart, !wholes.count, to);
}
