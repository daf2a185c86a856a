/* What a process attempts that ought to be locked in, and what it finds there. */
#ifndef CK_ATTEMPTS_H
#define CK_ATTEMPTS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

enum { FILE_MOST = 1000 }; /* bytes that a confined process may write to a file */

/* Made before the lock-down, for attempts that need something open. */
typedef struct {
	char folder[32], victim[64], other[64];
	int dir_fd, file_fd, socket_fd, forgotten_fd, pipe_fd, pid_fd;
	int listener_port, segment, queue;
	void *shared_pages, *parent_page;
	struct {
		unsigned bytes;
		int type;
		unsigned char f[128];
	} handle_of_victim;
	pid_t parent;
} sandbox_scene;

extern sandbox_scene scene;

typedef struct {
	const char *name;
	long (*run)(void); /* what the call returned; negative: it failed */
	bool refused;      /* it must fail, but need not kill */
} attempt;

/* Each ends with a row without a name. */
extern const attempt file_attempts[], process_attempts[];

#endif
