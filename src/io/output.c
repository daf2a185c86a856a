/* Outputs that appear whole or not at all: temporary files, fsync, and a rename at the very end. */
#include "io.h"

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

struct ck_output {
	ck_file *files;
	unsigned flags;
	bool committed;
};

static void forget_temp(ck_file *file)
{
	if (file->temp)
		unlinkat(file->dir, file->temp, 0);
	file->temp = NULL;
}

/* Undoes what a commit that failed half-way has done to this file. */
static void take_back(ck_file *file)
{
	if (file->swapped)
		renameat2(file->dir, file->temp, file->dir, file->name, RENAME_EXCHANGE);
	else
		unlinkat(file->dir, file->name, 0);
}

static void file_close(void *arg)
{
	ck_file *file = arg;
	if (file->placed && !file->output->committed)
		take_back(file);
	forget_temp(file);
	if (file->fd >= 0)
		close(file->fd);
	if (file->dir >= 0)
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

bool ck_output_folder(ck_job *job, ck_output *output, const char *path)
{
	folder *made = ck_alloc(job, sizeof *made);
	char *copy = ck_copy(job, path, strlen(path));
	if (!made || !copy)
		return false;
	*made = (folder){output, copy};
	if (!mkdir(path, 0777))
		return ck_defer(job, folder_close, made);
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
	file->dir = open(file->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (file->dir < 0)
		return ck_fail_sys(job, file->path, "cannot open the folder of the output");
	return true;
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

/* Gives an unnamed file a temporary name: linkat cannot replace a file, rename can. */
static bool name_unnamed(ck_job *job, ck_file *file)
{
	if (file->temp)
		return true;
	char self[64];
	snprintf(self, sizeof self, "/proc/self/fd/%d", file->fd);
	for (int tries = 0; tries < 100; tries++) {
		file->temp = ck_temp_name(job, file->name);
		if (!file->temp)
			return false;
		if (!linkat(AT_FDCWD, self, file->dir, file->temp, AT_SYMLINK_FOLLOW))
			return true;
		file->temp = NULL;
		if (errno != EEXIST)
			break;
	}
	return ck_fail_sys(job, file->path, "cannot give the finished file its name");
}

/* Renames without replacing anything. */
static bool place_new(ck_file *file)
{
	if (!renameat2(file->dir, file->temp, file->dir, file->name, RENAME_NOREPLACE)) {
		file->temp = NULL;
		return true;
	}
	if (errno != EINVAL)
		return false;
	/* this file system cannot rename without replacing, but it may know links */
	bool ok = !linkat(file->dir, file->temp, file->dir, file->name, 0);
	int why = errno;
	forget_temp(file);
	errno = why;
	return ok;
}

/* Renames over what is there. Where several files belong together, the old one is kept under the
 * temporary name until all are in place, so that it can be put back. */
static bool place_over(ck_file *file)
{
	bool alone = file == file->output->files && !file->next;
	if (!alone)
		ck_temp_keep(file->dir);
	if (!alone && !renameat2(file->dir, file->temp, file->dir, file->name, RENAME_EXCHANGE)) {
		file->swapped = true;
		return true;
	}
	if (renameat(file->dir, file->temp, file->dir, file->name))
		return false;
	file->temp = NULL;
	return true;
}

/* Who could read and write the file that is replaced can do so with the new one, as after cp, and
 * nobody else. Of another group some were in the first one and some were not, and so it is with all
 * others: they get what both had. Where there is a list of rights, the bits of the group are no
 * rights of its own. */
static bool keep_mode(ck_job *job, const ck_file *file)
{
	struct stat old, new;
	if (fstatat(file->dir, file->name, &old, AT_SYMLINK_NOFOLLOW) || !S_ISREG(old.st_mode) ||
	    fstat(file->fd, &new))
		return true;
	mode_t mode = old.st_mode & 0777, both = mode >> 3 & mode & S_IRWXO;
	if (lgetxattr(file->real, "system.posix_acl_access", NULL, 0) > 0)
		mode &= ~(mode_t)S_IRWXG;
	else if (old.st_gid != new.st_gid)
		mode = (mode & S_IRWXU) | both << 3 | both;
	return (new.st_mode & 0777) == mode || !fchmod(file->fd, mode) ||
	       ck_fail_sys(job, file->path, "cannot give the finished file the mode of the one "
	                   "that it replaces");
}

static bool place(ck_job *job, ck_file *file)
{
	bool keep_old = file->output->flags & CK_OUTPUT_NO_CLOBBER;
	file->placed = keep_old ? place_new(file) : place_over(file);
	if (!file->placed && keep_old && errno == EEXIST)
		return ck_fail(job, CK_USAGE, file->path,
		               "somebody else made a file of this name meanwhile, which will not "
		               "be replaced (-n)");
	return file->placed || ck_fail_sys(job, file->path, "cannot rename the finished file");
}

/* Takes out of the list what was not needed. */
static bool leave_out_spare(ck_job *job, ck_output *output)
{
	struct stat st;
	for (ck_file **place = &output->files; *place;) {
		ck_file *file = *place;
		if (file->spare && fstat(file->fd, &st))
			return ck_fail_sys(job, file->path, "cannot look at the finished file");
		if (file->spare && !st.st_size)
			*place = file->next;
		else
			place = &file->next;
	}
	return true;
}

bool ck_output_commit(ck_job *job, ck_output *output)
{
	bool sync = !(output->flags & CK_OUTPUT_NO_FSYNC);
	if (!leave_out_spare(job, output))
		return false;
	const bool replaces = !(output->flags & CK_OUTPUT_NO_CLOBBER);
	for (ck_file *file = output->files; file; file = file->next)
		if (replaces && !keep_mode(job, file))
			return false;
	for (ck_file *file = output->files; file; file = file->next)
		if (sync && fsync(file->fd))
			return ck_fail_sys(job, file->path, "cannot bring the file to the disk");
	for (ck_file *file = output->files; file; file = file->next)
		if (!name_unnamed(job, file))
			return false;
	if (ck_stopped(job))
		return false;
	for (ck_file *file = output->files; file; file = file->next)
		if (!place(job, file))
			return false;
	output->committed = true;
	for (ck_file *file = output->files; file; file = file->next)
		forget_temp(file); /* the old files */
	for (ck_file *file = output->files; file; file = file->next)
		if (sync && fsync(file->dir) && errno != EINVAL)
			return ck_fail_sys(job, file->path,
			                   "the file is complete and in its place, but its "
			                   "folder could not be brought to the disk");
	return true;
}
