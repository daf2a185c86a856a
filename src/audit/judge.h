/* Inside the audit room: what is known of the names that pickles use, and the rules that hold what
 * they do against it. */
#ifndef CK_AUDIT_JUDGE_H
#define CK_AUDIT_JUDGE_H

#include "audit.h"

/* What Python 3 makes of a name of Python 2; false: the same. */
bool ck_python2_map(const ck_global *from, ck_global *to);

/* ---- deny.c: names that are known to be harmful ---- */

/* Why a name is denied, as the end of a sentence that begins with the name; NULL: it is not. */
const char *ck_deny_find(ck_audit *audit, const ck_global *global);
/* The module belongs to Python's own library. */
bool ck_deny_is_stdlib(ck_audit *audit, const char *module, size_t len);

/* ---- names.c: what is known of one name ---- */

/* Something that is wrong, or nothing if `why` is NULL. */
typedef struct ck_fault {
	ck_rule rule;
	const char *why; /* a sentence without its subject, which is the global: "can run code" */
} ck_fault;

struct ck_call_check;

/* A finding that was made of a global. */
typedef struct ck_told {
	ck_rule rule;
	unsigned stream;
	uint64_t pickle;    /* as the audit counts them */
	const char *member; /* NULL: there is none */
	size_t index;       /* in the findings, or SIZE_MAX if it was left out */
} ck_told;

/* Names are judged once for each file. */
typedef struct ck_standing {
	ck_global written;       /* as the pickle has it */
	ck_global meant;         /* as Python 3 reads it */
	bool mapped;             /* the two differ */
	const ck_global_row *row;
	const struct ck_call_check *check; /* of arguments, or NULL */
	ck_fault import;         /* what it means to import it */
	ck_fault call;           /* to call it */
	ck_fault make;           /* to make an instance of it */
	bool stdlib, own;        /* ck_deny_is_stdlib, ck_is_own */
	bool weights_only;
	bool allowed;            /* by the policy */
	size_t use;              /* index in audit->globals, or SIZE_MAX */
	ck_told told[2];         /* the newest ones */
} ck_standing;

/* What is known of a GLOBAL. `scratch` is used if there are too many to be remembered. NULL after
 * a failure. */
ck_standing *ck_standing_find(ck_audit *audit, const ck_value *global, ck_standing *scratch);
/* It belongs to Python's own library, torch or NumPy. */
bool ck_is_own(ck_audit *audit, const ck_global *global);
ck_verdict ck_rule_verdict(ck_rule rule);
/* The verdict of a fault; safe if there is none. */
ck_verdict ck_fault_verdict(const ck_fault *fault);

/* ---- arguments.c: calls of what is known to be harmless only with the right arguments ---- */

/* The items of a call's arguments are args[0] to args[count - 1]. */
typedef ck_fault ck_check_call(ck_audit *audit, const ck_call *call, ck_value *const *args,
                               size_t count);

typedef struct ck_call_check {
	const char *module, *name; /* of Python 3 */
	bool guarded; /* harmless only with arguments that are seen: not to be wrapped for later */
	ck_check_call *check;
} ck_call_check;

/* What is called later, with more arguments: a class, or a function that is not harmful. */
ck_fault ck_check_deferred(ck_audit *audit, const ck_value *function);
/* arguments_size.c: long texts may be given again and again. */
ck_fault ck_check_texts(ck_audit *audit, const ck_call *call);
const ck_call_check *ck_call_check_find(const ck_global *global, const ck_global_row *row);
/* What a value stands for that is called or built: the class of a persistent id that torch's old
 * files have for classes, else the value itself. */
const ck_value *ck_callee_of(const ck_value *value);

/* ---- persistent_id.c ---- */

/* ('storage', ...), which torch loads with weights_only=True. */
bool ck_is_storage_id(const ck_value *pid);
/* What is wrong with the id of a PERSID, or nothing. */
ck_fault ck_check_persistent_id(const ck_value *pid);

/* ---- given.c: what is given to calls of which nothing is known ---- */

/* `s` is that of the global that is called. */
ck_fault ck_check_given(ck_audit *audit, const ck_standing *s, const ck_call *call);
/* The fault of a call, which names what the call is given where that is what is wrong; `text` holds
 * the reason then. */
ck_fault ck_name_given(ck_audit *audit, const ck_standing *s, const ck_call *call, ck_fault fault,
                       char text[CK_TEXT_MAX]);

/* ---- state.c: what may be built into, set in or appended to what a call returned ---- */

/* `s` is that of the global that was called, or NULL if it was something else. */
ck_fault ck_check_build(ck_audit *audit, const ck_standing *s, const ck_value *target,
                        const ck_value *state);
/* dtype.c: the state of numpy.dtype */
ck_fault ck_check_dtype(const ck_value *target, const ck_value *state);
ck_fault ck_check_set(const ck_standing *s);
ck_fault ck_check_append(ck_audit *audit, const ck_standing *s, const ck_value *target);

/* ---- expand.c: bombs ---- */

/* A value that unfolds to far more than it holds is a finding. False after a failure of `job` or
 * the audit's. */
bool ck_check_size(ck_audit *audit, const ck_place *place, ck_job *job, const ck_value *root);

/* ---- tell.c: arguments as short text ---- */

enum { CK_ARGUMENTS_MAX = 80 };
/* Values, with commas between, in at most CK_ARGUMENTS_MAX bytes and a NUL. */
void ck_tell_arguments(char to[CK_ARGUMENTS_MAX + 1], ck_value *const *items, size_t count,
                       const ck_value *kwargs);
/* The same for keys and values in turn. */
void ck_tell_pairs(char to[CK_ARGUMENTS_MAX + 1], ck_value *const *items, size_t count);
/* What is appended, set or built. */
void ck_tell_change(char to[CK_ARGUMENTS_MAX + 1], const ck_event *event);

/* ---- fingerprint.c ---- */

/* What differs when the deed, what it is done to, or what that is given does. False if that is too
 * much to be held apart, or not all there: then it is zeros. */
bool ck_event_digest(ck_audit *audit, const ck_event *event, unsigned char to[CK_DIGEST_SIZE]);
/* What differs when the subject of a finding about no global does, or what is said of it. */
void ck_subject_digest(const char *subject, const char *why, unsigned char to[CK_DIGEST_SIZE]);

#endif
