/* Judges what only a whole pickle shows: its opcodes, its memo, and how large its value unfolds. */
#include "judge.h"

#include <string.h>

/* What torch.load's reader for weights_only=True knows; torch.save writes nothing else. */
static bool is_usual(unsigned code)
{
	static const char usual[] = {
		'c', '\x81', 'R', 'b', 'a', 'e', 's', 'u', '(', 't', '\x85', '\x86', '\x87', 'N',
		'\x88', '\x89', '}', ']', ')', 'J', 'K', 'M', 'G', 'X', 'U', 'Q', 'h', 'j', 'q',
		'r', '\x8a', '\x80', '.', '\x8f',
	};
	return memchr(usual, (int)code, sizeof usual);
}

/* A note about opcodes that torch.save does not write, in a pickle of the protocol that it does. */
static bool judge_opcodes(ck_audit *audit, const ck_place *place, const ck_seen *seen)
{
	ck_text names = {0};
	for (unsigned code = 0; code < CK_COUNT(seen->opcodes); code++) {
		if (!seen->opcodes[code] || is_usual(code))
			continue;
		audit->only_weights = false;
		if (!ck_text_addf(audit->job, &names, "%s%s", names.len ? ", " : "",
		                  ck_op_table[code].name))
			return false;
	}
	if (!names.len || seen->protocol != 2)
		return true;
	return ck_audit_say(audit, CK_RULE_UNUSUAL_OPCODE, place, CK_NO_OFFSET, 0,
	                    "torch.save does not write %.*s", (int)names.len, names.data);
}

/* CPython makes an array of twice as many entries as the largest number, and clears it. */
static bool judge_memo(ck_audit *audit, const ck_place *place, const ck_seen *seen)
{
	enum { FAR = 1 << 26 };
	return seen->far_memo < FAR ||
	       ck_audit_say(audit, CK_RULE_EXPANDS, place, CK_NO_OFFSET, 0,
	                    "the memo number %llu makes Python take %llu bytes of memory",
	                    (unsigned long long)seen->far_memo,
	                    (unsigned long long)seen->far_memo * 2 * sizeof(void *));
}

/* n further places multiply what there is by e^(n/e) at most; but one is enough for a circle,
 * and to look for it in what is large costs too much. */
bool ck_judge_needs_root(const ck_source *source, const ck_seen *seen)
{
	enum { SHARED_FEW = 16, SMALL = 1 << 20 };
	return seen->shared > SHARED_FEW || (seen->shared && source->size <= SMALL);
}

bool ck_judge_whole(ck_audit *audit, const ck_place *place, ck_job *job, const ck_value *root,
                    const ck_seen *seen)
{
	return judge_opcodes(audit, place, seen) && judge_memo(audit, place, seen) &&
	       (!ck_judge_needs_root(place->source, seen) ||
	        ck_check_size(audit, place, job, root));
}
