/* libckconv: looking through files for what could harm those who load them with Python. Nothing is
 * run or loaded, and tensor data is not read.
 *
 * Every text in a report is UTF-8, ends with NUL, and is safe to print on a terminal: what comes
 * from a file is escaped and shortened. Reports live as long as their job. */
#ifndef CKCONV_SCAN_H
#define CKCONV_SCAN_H

#include <ckconv/ckconv.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { CK_REPORT_SCHEMA = 1, CK_DIGEST_SIZE = 16 };

/* What a pickle does with a global, from the least to the worst. */
typedef enum ck_how {
	CK_HOW_NONE,    /* the finding is about no global */
	CK_IMPORTED,    /* named, which imports its module */
	CK_CHANGED_BY,  /* something is set in it or built into it */
	CK_CONSTRUCTED, /* made an instance of */
	CK_CALLED
} ck_how;

/* A finding's place that is not known, such as that of bytes that lie packed in the file. */
#define CK_NO_OFFSET UINT64_MAX

typedef struct ck_finding {
	const char *rule;       /* as in ck_rule_info */
	ck_verdict verdict;
	bool suppressed;        /* by the policy or the baseline: does not count for the file */
	const char *member;     /* "archive/data.pkl", "inner.zip!data.pkl"; "": the file itself */
	uint64_t offset;        /* in the file, or CK_NO_OFFSET */
	uint64_t length;        /* bytes that it is about, from the offset on; 0: a place */
	uint64_t stream_offset; /* in the member, or CK_NO_OFFSET */
	unsigned stream;        /* which pickle of the member, counted from 0 */
	const char *opcode;     /* "REDUCE", or NULL */
	const char *module, *name; /* of a global, or NULL */
	const char *mapped;     /* "builtins.eval": what Python 3 makes of the name; or NULL */
	ck_how how;
	const char *arguments;  /* of a call, or NULL */
	unsigned char digest[CK_DIGEST_SIZE]; /* of what dangerous calls and changes are given, or
	                                       * of code; part of the fingerprint */
	bool cut;               /* more than the digest holds: no baseline knows it */
	const char *why;        /* one sentence */
	uint64_t count;         /* how often, in this pickle; the place is that of the first */
	/* hex; the same for the same thing in the next version of the file */
	char fingerprint[2 * CK_DIGEST_SIZE + 1];
} ck_finding;

/* A global that the file names, once for each name. */
typedef struct ck_global_use {
	const char *module, *name, *mapped;
	ck_verdict verdict;
	ck_how how;             /* the worst that is done with it */
	uint64_t count;         /* how often it is named */
	bool weights_only;      /* torch.load takes it with weights_only=True */
} ck_global_use;

typedef struct ck_report {
	const char *path;
	const char *format;     /* "torch zip", "pickle"...: what it is, as far as that is known */
	uint64_t size;          /* of the file */
	const char *sha256;     /* of the file, 64 hexadecimal digits; NULL if nobody asked */
	uint64_t pickles;       /* that were looked through */
	ck_verdict verdict;
	bool complete;          /* all of the file was looked at */
	bool weights_only;      /* every pickle loads with weights_only=True, or would after
	                         * add_safe_globals of the globals that say otherwise */
	const ck_finding *findings; /* the worst first, then by place */
	size_t finding_count;
	uint64_t findings_left_out; /* beyond the number that is kept */
	const ck_global_use *globals; /* the worst first, then by name */
	size_t global_count;
} ck_report;

/* A rule that findings name. */
typedef struct ck_rule_info {
	const char *name;       /* "dangerous-call" */
	ck_verdict verdict;     /* of what breaks it */
	const char *severity;   /* "9.8": as SARIF's security-severity */
	const char *about;      /* one sentence */
} ck_rule_info;

/* The table of all rules; ends with a row whose name is NULL. */
CK_API const ck_rule_info *ck_rule_table(void);
/* "safe", "unknown", "malformed", "dangerous" */
CK_API const char *ck_verdict_name(ck_verdict verdict);
/* "imported", "called"... */
CK_API const char *ck_how_name(ck_how how);

/* Whether anything in it is dangerous, suppressed or not: then nobody shall be told to add what it
 * needs to torch's safe globals. */
CK_API bool ck_report_has_danger(const ck_report *report);

/* What the user allows and denies, for any number of scans. It lives as long as its job, which
 * tells its notes and has its errors. */
typedef struct ck_policy ck_policy;
CK_API ck_policy *ck_policy_new(ck_job *job);
/* Reads a file of lines "allow MODULE.NAME", "deny MODULE.NAME" or "deny MODULE.*", each with an
 * "expires YYYY-MM-DD" behind it or not; "#" begins a remark. Findings about what is allowed are
 * suppressed; what is denied is dangerous. What expired does not count, and is noted. False if a
 * line cannot be understood, or allows what can never be. */
CK_API bool ck_policy_read(ck_policy *policy, const char *path);
/* Reads a file of fingerprints, a line each, or the output of ckconv scan --json: findings with
 * these are suppressed. */
CK_API bool ck_policy_baseline(ck_policy *policy, const char *path);

typedef struct ck_scan ck_scan;

/* Opens a file by its name: the only part of a scan that does. NULL after a failure. */
CK_API ck_scan *ck_scan_open(ck_job *job, const char *path);
/* The descriptors that it reads and writes from then on; returns how many there are. Descriptors
 * beyond `max` are only counted. */
CK_API size_t ck_scan_descriptors(const ck_scan *scan, int *to, size_t max);
/* As ck_convert_file_max: what is unpacked on the way goes to files. */
CK_API uint64_t ck_scan_file_max(const ck_scan *scan);
/* Looks through it. What is wrong with the file is in the report; NULL only if the file could not
 * be read, memory ended, or the job was stopped. */
CK_API const ck_report *ck_scan_run(ck_scan *scan);

/* To be called before ck_scan_run; `policy` may be NULL. */
CK_API void ck_scan_use_policy(ck_scan *scan, const ck_policy *policy);

/* To be called before ck_scan_run: the report has the SHA-256 of the file, which is read whole. */
CK_API void ck_scan_use_sha256(ck_scan *scan);

/* A report as bytes that ck_report_unpack reads, at most 64 MiB: how it gets out of a process that
 * is locked in. NULL after a failure. */
CK_API const void *ck_report_pack(ck_job *job, const ck_report *report, size_t *len);
/* Nothing in the bytes is trusted, and what is not in order is a failure. `path` is what the caller
 * calls the file. The verdict is at least what the findings say. */
CK_API const ck_report *ck_report_unpack(ck_job *job, const char *path, const void *bytes,
                                         size_t len);

/* One line of JSON with the report, without a newline; NULL after a failure. */
CK_API const char *ck_report_json(ck_job *job, const ck_report *report);
/* The same for a file that could not be looked through. */
CK_API const char *ck_report_json_error(ck_job *job, const char *path, const char *why);

/* One opcode of a pickle, or a remark between opcodes. */
typedef struct ck_dis_line {
	const char *member;     /* as in ck_finding */
	unsigned stream;        /* which pickle of the member, counted from 0 */
	uint64_t at;            /* byte offset in the member */
	uint64_t offset;        /* in the file, or CK_NO_OFFSET */
	const char *opcode;     /* NULL: a remark, which is `made` */
	const char *argument;   /* shortened, or NULL */
	size_t depth;           /* values on the stack when it is done */
	const char *made;       /* "calls os.system('id')", or NULL */
	ck_verdict verdict;     /* of that alone */
} ck_dis_line;

typedef struct ck_dis ck_dis;

/* Opens a file by its name, or FILE!MEMBER: the only part of it that does. NULL after a failure. */
CK_API ck_dis *ck_dis_open(ck_job *job, const char *path);
/* As ck_scan_descriptors. */
CK_API size_t ck_dis_descriptors(const ck_dis *dis, int *to, size_t max);
/* Tells the opcodes of its pickles, line by line; what a line points to is gone when `line`
 * returns; ends if that is false. *whole is false if a pickle is broken. False after a failure. */
CK_API bool ck_dis_run(ck_dis *dis, bool (*line)(void *arg, const ck_dis_line *line), void *arg,
                       bool *whole);

/* One SARIF 2.1.0 document in the making. It lives as long as its job, which may be another than
 * that of the reports, and holds at most 5000 results and 10 MiB: the worst ones. */
typedef struct ck_sarif ck_sarif;
CK_API ck_sarif *ck_sarif_new(ck_job *job);
CK_API bool ck_sarif_add(ck_sarif *sarif, const ck_report *report);
/* A file that could not be looked through. */
CK_API bool ck_sarif_add_error(ck_sarif *sarif, const char *path, const char *why);
/* Something that need not be looked through, such as a link. */
CK_API bool ck_sarif_add_note(ck_sarif *sarif, const char *path, const char *what);
/* The document, without a newline; NULL after a failure. */
CK_API const char *ck_sarif_finish(ck_sarif *sarif);

#ifdef __cplusplus
}
#endif

#endif
