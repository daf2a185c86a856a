/* Scratch files: bytes that must be unpacked before they can be read at any offset go to a file
 * without a name, never to memory. */
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void close_fd(void *arg)
{
	close((int)(intptr_t)arg);
}

static const char *folder_of(const ck_job *job)
{
	const char *folder = job->scratch_dir ? job->scratch_dir : getenv("TMPDIR");
	return folder && *folder ? folder : "/tmp";
}

/* Whoever runs out of room must know where, and what chooses the place. */
static bool fail_sys(ck_job *job, const char *what)
{
	const char *folder = folder_of(job);
	return ck_fail_sys(job, folder, "cannot %s what is unpacked on the way in the folder '%s'; "
	                   "%s", what, ck_show(folder, strlen(folder)).s, job->scratch_dir ?
	                   "that is the folder of the output: choose one with more room" :
	                   "choose another with the environment variable TMPDIR");
}

/* Where the file system knows no files without a name: one with a name that is removed at once. */
static int open_named(ck_job *job)
{
	char *path = NULL;
	const char *name = ck_temp_name(job, "scratch");
	if (!name || asprintf(&path, "%s/%s", folder_of(job), name) < 0)
		return -1;
	int fd = open(path, O_CREAT | O_EXCL | O_NOFOLLOW | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		unlink(path);
	free(path);
	return fd;
}

static int open_any(ck_job *job)
{
	int fd = open(folder_of(job), O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	return fd < 0 ? open_named(job) : fd;
}

/* ---- files opened beforehand ---- */

enum { PREPARED = 6 }; /* in use at the same time: packed files that lie in each other */

typedef struct {
	int fd;
	bool taken;
} prepared_file;

struct ck_scratch_pool {
	prepared_file files[PREPARED];
	size_t count;
	int sys; /* why there are no more of them */
};

static void close_pool(void *arg)
{
	struct ck_scratch_pool *pool = arg;
	for (size_t i = 0; i < pool->count; i++)
		close(pool->files[i].fd);
}

bool ck_scratch_prepare(ck_job *job)
{
	struct ck_scratch_pool *pool = ck_alloc(job, sizeof *pool);
	if (!pool || !ck_defer(job, close_pool, pool))
		return false;
	while (pool->count < PREPARED) {
		int fd = open_any(job);
		if (fd < 0) {
			pool->sys = errno;
			break;
		}
		pool->files[pool->count++].fd = fd;
	}
	job->prepared = pool;
	return true;
}

size_t ck_scratch_descriptors(const ck_job *job, int *to, size_t max)
{
	size_t count = job->prepared ? job->prepared->count : 0;
	for (size_t i = 0; i < count && i < max; i++)
		to[i] = job->prepared->files[i].fd;
	return count;
}

static void give_back(void *arg)
{
	prepared_file *file = arg;
	/* the room on the disk is given back now; without this it would be at the end */
	if (!ftruncate(file->fd, 0))
		file->taken = false;
}

static int take_prepared(ck_job *job)
{
	struct ck_scratch_pool *pool = job->prepared;
	for (size_t i = 0; i < pool->count; i++) {
		if (pool->files[i].taken)
			continue;
		pool->files[i].taken = true;
		return ck_defer(job, give_back, &pool->files[i]) ? pool->files[i].fd : -1;
	}
	errno = pool->sys;
	if (errno)
		fail_sys(job, "make a file for");
	else
		ck_fail(job, CK_LIMIT, "", "more than %d packed files lie in each other",
		        PREPARED - 1);
	return -1;
}

int ck_scratch_open(ck_job *job)
{
	if (job->prepared)
		return take_prepared(job);
	int fd = open_any(job);
	if (fd < 0) {
		fail_sys(job, "make a file for");
		return -1;
	}
	return ck_defer(job, close_fd, (void *)(intptr_t)fd) ? fd : -1;
}

/* One file takes all spills of a job, one behind the other: an archive may have as many packed
 * members as it likes, a process has few descriptors. */
struct ck_scratch {
	int fd;
	uint64_t used;
	bool busy;
};

static struct ck_scratch *scratch_of(ck_job *job)
{
	/* busy: the stream that is spilled needs another one, and their bytes must not mix */
	if (job->scratch && !job->scratch->busy)
		return job->scratch;
	struct ck_scratch *scratch = ck_alloc(job, sizeof *scratch);
	if (!scratch)
		return NULL;
	scratch->fd = ck_scratch_open(job);
	if (scratch->fd < 0)
		return NULL;
	job->scratch = scratch;
	return scratch;
}

static bool spill_take(ck_job *job, void *arg, const void *data, size_t len)
{
	struct ck_scratch *to = arg;
	const char *at = data;
	while (len) {
		if (ck_stopped(job))
			return false;
		ssize_t put = pwrite(to->fd, at, len, (off_t)to->used);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return fail_sys(job, "write");
		at += put;
		to->used += (uint64_t)put;
		len -= (size_t)put;
	}
	return true;
}

const ck_source *ck_stream_spill_part(ck_job *job, const ck_stream *stream, bool *whole)
{
	struct ck_scratch *to = scratch_of(job);
	ck_source *source = to ? ck_alloc(job, sizeof *source) : NULL;
	*whole = false;
	if (!source)
		return NULL;
	*source = (ck_source){.label = stream->label, .fd = to->fd, .base = to->used};
	to->busy = true;
	*whole = stream->run(job, stream, &(ck_sink){spill_take, to});
	to->busy = false;
	source->size = to->used - source->base;
	return source;
}

const ck_source *ck_stream_spill(ck_job *job, const ck_stream *stream)
{
	bool whole;
	const ck_source *source = ck_stream_spill_part(job, stream, &whole);
	return whole ? source : NULL;
}
