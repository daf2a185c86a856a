/* Inside the audit room: what a policy says. */
#ifndef CK_AUDIT_POLICY_H
#define CK_AUDIT_POLICY_H

#include "audit.h"

typedef enum ck_ruling { CK_RULING_NONE, CK_RULING_ALLOW, CK_RULING_DENY } ck_ruling;

/* What the policy, which may be NULL, says of a name, and in which line. */
ck_ruling ck_policy_find(const ck_policy *policy, const ck_global *global, unsigned *line);
/* A finding of this fingerprint is in the baseline. */
bool ck_policy_knows(const ck_policy *policy, const char *fingerprint);

#endif
