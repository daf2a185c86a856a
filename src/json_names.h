/* Names and paths in the JSON of reports, told without loss where JSON can. */
#ifndef CK_JSON_NAMES_H
#define CK_JSON_NAMES_H

#include "base.h"

/* Appends a JSON string, quotes included. What a terminal must not see, NULs and surrogates become
 * \u escapes; what is no UTF-8 becomes U+FFFD. */
bool ck_json_name(ck_job *job, ck_text *to, const char *text, size_t len);
/* "path":..., and "path_hex":... with the bytes of a path that is no UTF-8, or null. */
bool ck_json_path(ck_job *job, ck_text *to, const char *path);

#endif
