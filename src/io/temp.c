/* Temporary names: how they are made, and how those that killed runs left behind are found and
 * removed. A file is in use as long as somebody holds a lock on it, which ends with its process. */
#include "io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* In a folder of very many files nobody waits for a search through all of them. */
enum { LOOKED_AT = 16384, DIGITS = 8 };

static const char MARK[] = ".ckconv-";

char *ck_temp_name(ck_job *job, const char *name)
{
	uint32_t number = 0;
	char temp[NAME_MAX + 1];
	if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number) {
		ck_fail_sys(job, name, "cannot get a random number");
		return NULL;
	}
	snprintf(temp, sizeof temp, ".%.200s%s%08x", name, MARK, number);
	return ck_copy(job, temp, strlen(temp));
}

static bool is_temp(const char *name)
{
	size_t len = strlen(name), tail = strlen(MARK) + DIGITS;
	return *name == '.' && len > tail && !strncmp(name + len - tail, MARK, strlen(MARK)) &&
	       strspn(name + len - DIGITS, "0123456789abcdef") == DIGITS;
}

bool ck_temp_lock(int fd)
{
	struct stat st;
	/* whoever clears up may have come between the making of a file and its lock; where there
	 * are no locks, nobody clears up either */
	if (flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
		return false;
	return fstat(fd, &st) || st.st_nlink;
}

/* Ours, and no living process holds it. */
static bool is_left(int dir, const char *name, int fd)
{
	struct stat st, now;
	return !fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
	       !flock(fd, LOCK_EX | LOCK_NB) &&
	       !fstatat(dir, name, &now, AT_SYMLINK_NOFOLLOW) && now.st_ino == st.st_ino &&
	       now.st_dev == st.st_dev;
}

static void clear_one(ck_job *job, int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (is_left(dir, name, fd) && !unlinkat(dir, name, 0))
		ck_note(job, "removed %s, which a run that was killed had left behind",
		        ck_show(name, strlen(name)).s);
	close(fd);
}

void ck_temp_clear(ck_job *job, int dir)
{
	int again = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = again < 0 ? NULL : fdopendir(again);
	if (!folder) {
		if (again >= 0)
			close(again);
		return;
	}
	/* not while a commit puts old files aside under such names */
	const struct dirent *entry = NULL;
	bool alone = !flock(again, LOCK_EX | LOCK_NB);
	for (int i = 0; alone && i < LOOKED_AT && (entry = readdir(folder)); i++)
		if (is_temp(entry->d_name))
			clear_one(job, dir, entry->d_name);
	closedir(folder);
}

void ck_temp_keep(int dir)
{
	flock(dir, LOCK_SH);
}
