/* Brings the files of an output to their names, all or none, and the last one last. */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

void ck_file_forget(ck_file *file)
{
	if (file->temp)
		unlinkat(file->dir, file->temp, 0);
	file->temp = NULL;
}

void ck_file_take_back(ck_file *file)
{
	if (file->swapped)
		renameat2(file->dir, file->temp, file->dir, file->name, RENAME_EXCHANGE);
	else if (file->placed)
		unlinkat(file->dir, file->name, 0);
	if (file->aside && !renameat(file->dir, file->aside, file->dir, file->name))
		file->aside = NULL;
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
	ck_file_forget(file);
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

/* Whoever looks between the first rename and the last must not take old and new files for one
 * model: without the guide, it is incomplete for everybody. */
static bool put_aside(ck_job *job, ck_file *file)
{
	struct stat st;
	if (!file->guide || fstatat(file->dir, file->name, &st, AT_SYMLINK_NOFOLLOW))
		return true;
	ck_temp_keep(file->dir);
	char *name = ck_temp_name(job, file->name);
	if (name && renameat(file->dir, file->name, file->dir, name))
		return ck_fail_sys(job, file->path, "cannot move the old file aside");
	file->aside = name;
	return name;
}

static void forget_old(ck_file *file)
{
	ck_file_forget(file);
	if (file->aside)
		unlinkat(file->dir, file->aside, 0);
	file->aside = NULL;
}

/* The first that was added is the first again. */
static void put_in_order(ck_output *output)
{
	ck_file *done = NULL;
	for (ck_file *file = output->files, *next; file; file = next) {
		next = file->next;
		file->next = done;
		done = file;
	}
	output->files = done;
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
	put_in_order(output);
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
		if (replaces && !put_aside(job, file))
			return false;
	for (ck_file *file = output->files; file; file = file->next)
		if (!place(job, file))
			return false;
	output->committed = true;
	for (ck_file *file = output->files; file; file = file->next)
		forget_old(file);
	for (ck_file *file = output->files; file; file = file->next)
		if (sync && file->owns_dir && fsync(file->dir) && errno != EINVAL)
			return ck_fail_sys(job, file->path,
			                   "the file is complete and in its place, but its "
			                   "folder could not be brought to the disk");
	return true;
}
