/* Inside the audit room: what the ways to write a report share. */
#ifndef CK_AUDIT_REPORT_H
#define CK_AUDIT_REPORT_H

#include "audit.h"

/* Appends a JSON string, quotes included; NULL becomes null. Whatever is no UTF-8 becomes U+FFFD,
 * and what could play tricks on a terminal becomes \u escapes. */
bool ck_quote(ck_job *job, ck_text *to, const char *text);
/* "key":"text", with a comma before it unless it is the first of its object. */
bool ck_quote_key(ck_job *job, ck_text *to, const char *key, const char *text);

/* "module.name" into the job's memory. */
const char *ck_full_name(ck_job *job, const char *module, const char *name);

/* Whether torch.load takes the file with weights_only=True. */
typedef enum ck_loads { CK_LOADS_NOT, CK_LOADS_AFTER, CK_LOADS } ck_loads;
ck_loads ck_report_loads(const ck_report *report);

/* As ck_sarif_new; rooms below the public API do not know the version. */
ck_sarif *ck_sarif_begin(ck_job *job, const char *version);

#endif
