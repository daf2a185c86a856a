/* How the program works on a file in a process of its own: what locks that process down, what it
 * may tell its parent, and how the parent waits for it. */
#ifndef CK_CLI_CHILD_H
#define CK_CLI_CHILD_H

#include <signal.h>

#include "cli.h"

/* ---- confine.c: what keeps a process from everything but its descriptors ---- */

/* What a process got. */
typedef struct cli_confinement {
	bool seccomp;  /* any system call that is not on the list kills */
	int landlock;  /* the version the kernel has; 0: none */
	bool rlimits;  /* no new descriptors, no core files, no file and no time beyond bounds */
} cli_confinement;

/* What an honest process cannot need more of; 0: there is no saying. */
typedef struct cli_bounds {
	uint64_t file_bytes;  /* in any file that it writes */
	uint64_t cpu_seconds; /* of the processor, over all threads */
	uint64_t idle_ms;     /* with no work done and nothing told */
} cli_bounds;

/* Bounds for the work on an input of which files of so many bytes can come. */
cli_bounds cli_bounds_of(uint64_t file_max);

/* Locks this process down for good: closes all descriptors but `keep`, and takes away whatever else
 * it could reach the system with. Never fails as a whole: the answer says what there is. Threads
 * can still be made; memory can be mapped, but never be executed. */
cli_confinement cli_confine(const int *keep, size_t count, const cli_bounds *bounds);
/* False in builds that need more than any sandbox would let through: sanitizers, coverage. */
bool cli_confine_built(void);
/* "seccomp, Landlock 7, rlimits" */
typedef struct cli_walls {
	char s[64];
} cli_walls;
cli_walls cli_show_walls(const cli_confinement *got);

/* filter.c: loads the list of system calls. */
bool cli_filter_load(void);

/* ---- channel.c: what a child tells, bounded and typed; the parent reads it as hostile ---- */

enum {
	CHANNEL_TEXT = 4096,      /* bytes of one message, but for pieces of the blob */
	CHANNEL_PIECE = 64 << 10, /* the longest message */
	CHANNEL_NOTES = 1000,     /* notes of one run */
	CHANNEL_BLOB = 64 << 20,  /* bytes of the blob */
	CHANNEL_WORDS = 8,        /* kinds of work that progress can tell of */
	CHANNEL_WORD = 32
};

/* The child's side. Once something cannot be sent, nothing is any more. */
typedef struct cli_channel {
	int fd;
	unsigned notes;
	bool broken;
} cli_channel;

void cli_channel_confined(cli_channel *channel, const cli_confinement *got);
void cli_channel_note(cli_channel *channel, const char *text);
void cli_channel_progress(cli_channel *channel, const char *what, uint64_t done, uint64_t total);
void cli_channel_summary(cli_channel *channel, const ck_summary *summary);
/* Bytes that are handed on as they are; several calls make one blob. */
void cli_channel_blob(cli_channel *channel, const void *data, size_t len);
/* The last message: how it ended. */
void cli_channel_error(cli_channel *channel, const ck_error *error);
void cli_channel_done(cli_channel *channel);

/* The parent's side: what was told so far. All text is escaped once more. */
typedef struct cli_report {
	/* set by the caller; each may be NULL */
	void (*note)(void *arg, const char *text);
	void (*progress)(void *arg, const char *what, uint64_t done, uint64_t total);
	void (*confined)(void *arg, const cli_confinement *got);
	void *listener;
	/* what came of it */
	bool done;                 /* it ended well, and the rest is complete */
	ck_error error;            /* or else why not */
	ck_summary summary;
	char layout[64];           /* of the summary */
	unsigned char *blob;       /* to be freed with cli_report_free */
	size_t blob_len, blob_cap;
	bool no_memory;            /* here, for what the child sends: not its fault */
	/* below: channel.c's own */
	unsigned char message[8 + CHANNEL_PIECE];
	size_t have;
	char words[CHANNEL_WORDS][CHANNEL_WORD];
	unsigned notes, progresses;
	bool has_summary, has_confinement, ended;
	double begun;
} cli_report;

/* Takes the next bytes. NULL, or which rule they break; then no more may be fed. */
const char *cli_report_feed(cli_report *report, const void *data, size_t len);
void cli_report_free(cli_report *report);

/* ---- child.c: a process for one file ---- */

typedef struct cli_task {
	/* Does the work in the child and sends what came of it, but for its failure, which is the
	 * error of the job. */
	bool (*run)(void *arg, cli_channel *channel);
	void *arg;
	const ck_job *job;
	const char *subject;      /* the file, for messages */
	const int *keep;          /* the descriptors it needs */
	size_t keep_count;
	cli_bounds bounds;
	bool require;             /* fail rather than run without the whole sandbox */
	bool (*stopped)(void);    /* true: give up; a handler of SIGINT and its like knows */
} cli_task;

/* Runs the task in a confined child and waits for it. True if it ended well; if not, report->error
 * says why, whatever became of the child. */
bool cli_child_run(const cli_task *task, cli_report *report);

#endif
