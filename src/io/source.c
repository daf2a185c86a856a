/* Sources: a file, a piece of memory, or a window on either, read at any offset by any thread. */
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void close_fd(void *arg)
{
	close((int)(intptr_t)arg);
}

static const ck_source *source_new(ck_job *job, const ck_source *from)
{
	ck_source *source = ck_alloc(job, sizeof *source);
	if (source)
		*source = *from;
	return source;
}

const ck_source *ck_source_of(ck_job *job, const char *label, int fd)
{
	struct stat st;
	if (!ck_defer(job, close_fd, (void *)(intptr_t)fd))
		return NULL;
	if (fstat(fd, &st)) {
		ck_fail_sys(job, label, "cannot look at the file");
		return NULL;
	}
	if (!S_ISREG(st.st_mode)) {
		ck_fail(job, CK_USAGE, label, "%s", S_ISDIR(st.st_mode)
		        ? "this is a folder; name one of the files in it"
		        : "this is a pipe or a device, no file; save what comes out of it to a "
		          "file first");
		return NULL;
	}
	char *copy = ck_copy(job, label, strlen(label));
	return copy ? source_new(job, &(ck_source){.label = copy, .size = (uint64_t)st.st_size,
	                                           .fd = fd}) : NULL;
}

const ck_source *ck_source_open(ck_job *job, const char *path)
{
	job->subject = path;
	/* O_NONBLOCK: a FIFO or a device must be refused below, not waited for */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0) {
		ck_fail_sys(job, path, "cannot open the file");
		return NULL;
	}
	const ck_source *source = ck_source_of(job, path, fd);
	if (source)
		job->subject = source->label;
	return source;
}

static bool is_file(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0;
}

const ck_source *ck_source_open_member(ck_job *job, const char *path, const char **member)
{
	const char *mark = is_file(path) ? NULL : strchr(path, '!');
	*member = NULL;
	for (; mark && !*member; mark = strchr(mark + 1, '!')) {
		char *file = ck_copy(job, path, (size_t)(mark - path));
		if (!file)
			return NULL;
		if (!is_file(file))
			continue;
		*member = mark + 1;
		path = file;
	}
	return ck_source_open(job, path);
}

const ck_source *ck_source_memory(ck_job *job, const char *label, const void *data, uint64_t size)
{
	return source_new(job, &(ck_source){.label = label, .size = size, .fd = -1, .data = data});
}

bool ck_source_holds(ck_job *job, const ck_source *source, const char *label, uint64_t offset,
                     uint64_t size)
{
	if (offset <= source->size && size <= source->size - offset)
		return true;
	return ck_fail_at(job, CK_CORRUPT, source->label, offset,
	                  "'%s' should have %s here, but the file ends at byte %llu; it may be cut "
	                  "short", ck_show(label, strlen(label)).s, ck_many(size, "byte").s,
	                  (unsigned long long)source->size);
}

const ck_source *ck_source_window(ck_job *job, const ck_source *of, const char *label,
                                  uint64_t offset, uint64_t size)
{
	if (!ck_source_holds(job, of, label, offset, size))
		return NULL;
	ck_source window = *of;
	window.label = label;
	window.size = size;
	window.base = of->base + offset;
	window.data = of->data ? of->data + offset : NULL;
	return source_new(job, &window);
}

bool ck_read_at(ck_job *job, const ck_source *source, uint64_t offset, void *to, size_t len)
{
	if (offset > source->size || len > source->size - offset)
		return ck_fail_at(job, CK_CORRUPT, source->label, offset,
		                  "%s should be here, but all ends at byte %llu",
		                  ck_many(len, "byte").s, (unsigned long long)source->size);
	if (source->fd < 0) {
		if (len)
			memcpy(to, source->data + offset, len);
		return true;
	}
	char *at = to;
	while (len) {
		ssize_t got = pread(source->fd, at, len, (off_t)(source->base + offset));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return ck_fail_sys(job, source->label, "cannot read at byte %llu",
			                   (unsigned long long)offset);
		if (!got)
			return ck_fail_at(job, CK_IO, source->label, offset,
			                  "the file became shorter while it was read");
		at += got;
		offset += (uint64_t)got;
		len -= (size_t)got;
	}
	return true;
}

bool ck_source_is_path(const ck_source *source, const char *path)
{
	struct stat a, b;
	return source->fd >= 0 && !fstat(source->fd, &a) && !stat(path, &b) &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}
