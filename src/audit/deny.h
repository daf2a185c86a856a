/* Names that are denied, as deny_names.c lists them for deny.c. */
#ifndef CK_AUDIT_DENY_H
#define CK_AUDIT_DENY_H

/* Space-separated: "a.b" is the module and all below it, "a.b:name" one name of it, "a/name" that
 * name in a and in every module below it, and "/name" that name anywhere. */
typedef struct ck_denied {
	const char *why; /* as the end of "os.system ..." */
	const char *names;
} ck_denied;

/* Both end with NULL. Exact pairs of the first that honest files hold are spared: unknown, not
 * dangerous. */
extern const ck_denied ck_deny_names[];
extern const char *const ck_deny_spared[];

#endif
