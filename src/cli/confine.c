/* Locks the process that reads a file down to the descriptors it was given, wall behind wall:
 * limits, Landlock, and the list of system calls in filter.c, each of which holds where another has
 * a gap. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Linux has them from 5.9 and 5.13 on; libcs and headers may be older. The numbers are the same on
 * every processor. */
enum { CALL_CLOSE_RANGE = 436, CALL_CREATE_RULESET = 444, CALL_RESTRICT_SELF = 446 };

bool cli_confine_built(void)
{
#ifdef CK_NO_SANDBOX
	return false;
#else
	return true;
#endif
}

cli_walls cli_show_walls(const cli_confinement *got)
{
	cli_walls shown;
	char landlock[24] = "no Landlock";
	if (got->landlock)
		snprintf(landlock, sizeof landlock, "Landlock %d", got->landlock);
	snprintf(shown.s, sizeof shown.s, "%s, %s, %s", got->seccomp ? "seccomp" : "no seccomp",
	         landlock, got->rlimits ? "rlimits" : "no rlimits");
	return shown;
}

/* ---- descriptors ---- */

static void close_between(int first, int last)
{
	if (first > last ||
	    !syscall(CALL_CLOSE_RANGE, (unsigned)first, (unsigned)last, 0))
		return;
	struct rlimit most;
	if (last == INT_MAX && !getrlimit(RLIMIT_NOFILE, &most) && most.rlim_cur < INT_MAX)
		last = (int)most.rlim_cur;
	for (int fd = first; fd <= last; fd++)
		close(fd);
}

/* The lowest of the descriptors that is not below `from`, or -1. */
static int next_kept(const int *keep, size_t count, int from)
{
	int next = -1;
	for (size_t i = 0; i < count; i++)
		if (keep[i] >= from && (next < 0 || keep[i] < next))
			next = keep[i];
	return next;
}

static void close_all_but(const int *keep, size_t count)
{
	int from = 0, next;
	while ((next = next_kept(keep, count, from)) >= 0) {
		close_between(from, next - 1);
		from = next + 1;
	}
	close_between(from, INT_MAX);
}

/* ---- Landlock ---- */

/* What each version of Landlock lets a process renounce; an older kernel refuses bits and sizes
 * that it does not know. See https://docs.kernel.org/userspace-api/landlock.html. */
typedef struct {
	uint64_t files, net, scopes;
} ruleset;

typedef struct {
	int version;
	ruleset all;
	size_t size;
} landlock_row;

static const landlock_row landlock_table[] = {
	{9, {0x1FFFF, 3, 3}, 24}, /* resolve Unix sockets */
	{6, {0xFFFF, 3, 3}, 24},  /* abstract Unix sockets, signals */
	{5, {0xFFFF, 3, 0}, 16},  /* ioctl of devices */
	{4, {0x7FFF, 3, 0}, 16},  /* TCP bind, connect */
	{3, {0x7FFF, 0, 0}, 8},   /* truncate */
	{2, {0x3FFF, 0, 0}, 8},   /* link and rename across folders */
	{1, {0x1FFF, 0, 0}, 8},
};

static long create_ruleset(const landlock_row *row)
{
	ruleset rules = row->all;
	long fd = syscall(CALL_CREATE_RULESET, &rules, row->size, 0);
	if (fd >= 0 || errno != EINVAL || !rules.scopes)
		return fd;
	rules.scopes = 0; /* some kernels claim version 6 without its scopes */
	return syscall(CALL_CREATE_RULESET, &rules, row->size, 0);
}

/* Believes the kernel only when it sees that nothing can be opened any more. */
static bool is_shut(void)
{
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		close(fd);
	return fd < 0 && errno == EACCES;
}

/* Without a single rule, all of it is denied. Returns the version, or 0. */
static int use_landlock(void)
{
	enum { ASK_VERSION = 1 };
	long version = syscall(CALL_CREATE_RULESET, NULL, 0, ASK_VERSION);
	const landlock_row *row = landlock_table;
	if (version < 1)
		return 0;
	while (row->version > version)
		row++;
	long fd = create_ruleset(row);
	if (fd < 0)
		return 0;
	bool ok = !syscall(CALL_RESTRICT_SELF, fd, 0) && is_shut();
	close((int)fd);
	return ok ? (int)version : 0;
}

/* ---- limits ---- */

cli_bounds cli_bounds_of(uint64_t file_max)
{
	/* The slowest of the unpackers gives more than 50 MiB in a second, and copying is faster:
	 * whatever the size of a file, no honest one comes near. What hangs waits ten minutes: so
	 * long a slow disk may be silent. Whoever cannot wait sets a time (timeout(1)). */
	enum { SECONDS_FREE = 600, BYTES_PER_SECOND = 16 << 20, IDLE_MS = 600 * 1000 };
	return (cli_bounds){
		.file_bytes = file_max, .idle_ms = IDLE_MS,
		.cpu_seconds = SECONDS_FREE + file_max / BYTES_PER_SECOND,
	};
}

/* Never more than there was; 0 sets none. */
static bool limit(unsigned resource, uint64_t soft, uint64_t hard)
{
	struct rlimit now;
	if (!soft)
		return true;
	if (getrlimit(resource, &now))
		return false;
	now.rlim_max = now.rlim_max < hard ? now.rlim_max : (rlim_t)hard;
	now.rlim_cur = now.rlim_cur < soft ? now.rlim_cur : (rlim_t)soft;
	return !setrlimit(resource, &now);
}

/* Past the soft limit of time a signal tells what it was; to ignore that helps for a second. */
static bool use_limits(const cli_bounds *bounds)
{
	static const struct rlimit none = {0, 0};
	uint64_t seconds = bounds->cpu_seconds;
	return limit(RLIMIT_FSIZE, bounds->file_bytes, bounds->file_bytes) &&
	       limit(RLIMIT_CPU, seconds, seconds < UINT64_MAX ? seconds + 1 : seconds) &&
	       !setrlimit(RLIMIT_NOFILE, &none) && !setrlimit(RLIMIT_CORE, &none);
}

cli_confinement cli_confine(const int *keep, size_t count, const cli_bounds *bounds)
{
	cli_confinement got = {0};
	close_all_but(keep, count);
	if (!cli_confine_built())
		return got;
	bool no_new = !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	got.landlock = no_new ? use_landlock() : 0; /* needs a descriptor, so before the limits */
	got.rlimits = use_limits(bounds) && !prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	got.seccomp = no_new && cli_filter_load();
	return got;
}
