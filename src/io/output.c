/* Outputs that appear whole or not at all: temporary files, fsync, and a rename at the very end. */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static void file_close(void *arg)
{
	ck_file *file = arg;
	if ((file->placed || file->aside) && !file->output->committed)
		ck_file_take_back(file);
	ck_file_forget(file);
	if (file->fd >= 0)
		close(file->fd);
	if (file->dir >= 0 && file->owns_dir)
		close(file->dir);
}

ck_output *ck_output_new(ck_job *job, unsigned flags)
{
	ck_output *output = ck_alloc(job, sizeof *output);
	if (output)
		output->flags = flags;
	return output;
}

/* A folder that was made, and its output. */
typedef struct {
	const ck_output *output;
	const char *path;
} folder;

static void folder_close(void *arg)
{
	const folder *made = arg;
	if (!made->output->committed)
		rmdir(made->path);
}

/* The name of a folder lies in the one above it. */
static bool sync_above(ck_job *job, const char *path)
{
	size_t len = strlen(path);
	while (len && path[len - 1] == '/')
		len--;
	while (len && path[len - 1] != '/')
		len--;
	const char *above = len ? ck_copy(job, path, len) : ".";
	int fd = above ? open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	bool ok = fd >= 0 && (!fsync(fd) || errno == EINVAL);
	if (!ok)
		ck_fail_sys(job, path, "cannot bring the folder to the disk");
	if (fd >= 0)
		close(fd);
	return ok;
}

bool ck_output_folder(ck_job *job, ck_output *output, const char *path)
{
	folder *made = ck_alloc(job, sizeof *made);
	char *copy = ck_copy(job, path, strlen(path));
	if (!made || !copy)
		return false;
	*made = (folder){output, copy};
	if (!mkdir(path, 0777))
		return ck_defer(job, folder_close, made) &&
		       (output->flags & CK_OUTPUT_NO_FSYNC || sync_above(job, path));
	return errno == EEXIST || ck_fail_sys(job, path, "cannot make the folder");
}

/* Finds out where the file goes, and refuses what a rename must never replace. */
static bool resolve(ck_job *job, ck_file *file)
{
	size_t len = strlen(file->path);
	struct stat st;
	if (!len || file->path[len - 1] == '/')
		return ck_fail(job, CK_USAGE, file->path, "the output needs the name of a file");
	file->real = file->path;
	if (!strncmp(file->path, "/dev/", 5) || !strncmp(file->path, "/proc/", 6))
		return ck_fail(
			job, CK_USAGE, file->path,
			"the output must be a file of its own: it is written in any order and "
			"renamed at the end, which no stream or device takes");
	if (!lstat(file->path, &st)) {
		if (S_ISLNK(st.st_mode)) {
			char real[PATH_MAX];
			if (!realpath(file->path, real))
				return ck_fail_sys(job, file->path,
				                   "cannot follow the symbolic link; name the "
				                   "file itself");
			file->real = ck_copy(job, real, strlen(real));
			if (!file->real || stat(real, &st))
				return ck_fail_sys(job, file->path, "cannot look at the file");
		}
		if (S_ISDIR(st.st_mode))
			return ck_fail(job, CK_USAGE, file->path,
			               "this is a folder; the output needs the name of a file");
		if (!S_ISREG(st.st_mode))
			return ck_fail(job, CK_USAGE, file->path,
			               "the output would replace something that is not a regular "
			               "file");
		if (file->output->flags & CK_OUTPUT_NO_CLOBBER && !file->spare)
			return ck_fail(job, CK_USAGE, file->path,
			               "the file exists and will not be replaced (-n)");
	}
	const char *slash = strrchr(file->real, '/');
	file->name = slash ? slash + 1 : file->real;
	return true;
}

static bool open_folder(ck_job *job, ck_file *file)
{
	size_t len = (size_t)(file->name - file->real);
	file->folder = len ? ck_copy(job, file->real, len) : ".";
	if (!file->folder)
		return false;
	const ck_file *other = file->output->files;
	for (; other && file->dir < 0; other = other->next)
		if (!strcmp(other->folder, file->folder))
			file->dir = other->dir;
	file->owns_dir = file->dir < 0;
	if (file->owns_dir)
		file->dir = open(file->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return file->dir >= 0 ||
	       ck_fail_sys(job, file->path, "cannot open the folder of the output");
}

/* Two outputs of one conversion must not be the same file, however they are spelled. */
static bool check_distinct(ck_job *job, const ck_file *file)
{
	struct stat here, there;
	for (const ck_file *other = file->output->files; other; other = other->next)
		if (!strcmp(file->name, other->name) && !fstat(file->dir, &here) &&
		    !fstat(other->dir, &there) && here.st_dev == there.st_dev &&
		    here.st_ino == there.st_ino)
			return ck_fail(job, CK_USAGE, file->path,
			               "OUT and --extras name the same file");
	return true;
}

static int open_unnamed(const ck_file *file)
{
	/* a file without a name gets one through /proc, so without /proc it is of no use */
	if (access("/proc/self/fd", X_OK))
		return -1;
	int fd = openat(file->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
	if (fd >= 0)
		flock(fd, LOCK_EX | LOCK_NB); /* it will have a temporary name for a moment */
	return fd;
}

/* Has a name that others can find, and may replace a file that they cannot read: that one's mode
 * it gets when it is complete. */
static int open_named(ck_job *job, ck_file *file)
{
	struct stat old;
	bool fresh = fstatat(file->dir, file->name, &old, AT_SYMLINK_NOFOLLOW);
	for (int tries = 0; tries < 100; tries++) {
		file->temp = ck_temp_name(job, file->name);
		if (!file->temp)
			return -1;
		int fd = openat(file->dir, file->temp,
		                O_CREAT | O_EXCL | O_NOFOLLOW | O_RDWR | O_CLOEXEC,
		                fresh ? 0666 : 0600);
		if (fd >= 0 && ck_temp_lock(fd))
			return fd;
		file->temp = NULL; /* not ours: nothing to remove */
		if (fd >= 0)
			close(fd);
		else if (errno != EEXIST)
			break;
	}
	ck_fail_sys(job, file->path, "cannot make a temporary file beside the output");
	return -1;
}

static ck_file *add_file(ck_job *job, ck_output *output, const char *path, bool spare)
{
	ck_file *file = ck_alloc(job, sizeof *file);
	if (!file)
		return NULL;
	*file = (ck_file){.output = output, .dir = -1, .fd = -1, .spare = spare};
	file->path = ck_copy(job, path, strlen(path));
	if (!file->path || !ck_defer(job, file_close, file))
		return NULL;
	if (!resolve(job, file) || !open_folder(job, file) || !check_distinct(job, file))
		return NULL;
	if (file->owns_dir)
		ck_temp_clear(job, file->dir);
	file->fd = open_unnamed(file);
	if (file->fd < 0)
		file->fd = open_named(job, file);
	if (file->fd < 0)
		return NULL;
	file->next = output->files;
	output->files = file;
	return file;
}

ck_file *ck_output_add(ck_job *job, ck_output *output, const char *path)
{
	return add_file(job, output, path, false);
}

ck_file *ck_output_add_spare(ck_job *job, ck_output *output, const char *path)
{
	return add_file(job, output, path, true);
}

bool ck_file_write(ck_job *job, ck_file *file, uint64_t offset, const void *data, size_t len)
{
	const char *at = data;
	while (len) {
		ssize_t put = pwrite(file->fd, at, len, (off_t)offset);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return ck_fail_sys(job, file->path, "cannot write at byte %llu",
			                   (unsigned long long)offset);
		at += put;
		offset += (uint64_t)put;
		len -= (size_t)put;
	}
	return true;
}

bool ck_file_resize(ck_job *job, ck_file *file, uint64_t size)
{
	bool ok = size <= INT64_MAX;
	/* blocks in hand: writing gets faster, and a full disk shows at once */
	while (ok && size) {
		if (!fallocate(file->fd, 0, 0, (off_t)size))
			return true;
		if (errno != EINTR) {
			ok = errno == EOPNOTSUPP || errno == ENOSYS;
			break;
		}
		if (ck_stopped(job))
			return false;
	}
	if (!ok || ftruncate(file->fd, (off_t)size))
		return ck_fail_sys(job, file->path, "cannot make the file %llu bytes long",
		                   (unsigned long long)size);
	return true;
}

const ck_source *ck_file_source(ck_job *job, const ck_file *file)
{
	ck_source *source = ck_alloc(job, sizeof *source);
	off_t size = lseek(file->fd, 0, SEEK_END); /* a confined process may not call fstat */
	if (!source)
		return NULL;
	if (size < 0) {
		ck_fail_sys(job, file->path, "cannot look at the finished file");
		return NULL;
	}
	*source = (ck_source){.label = file->path, .size = (uint64_t)size, .fd = file->fd};
	return source;
}
