/* What a confined process can no longer do, attempted for real: each in a child of its own that was
 * locked down by the very code that ckconv uses, with a marker in reach that shows what got through.
 * And what the converter needs, which must still work.
 *
 * usage: attempts          exit status 0: all as it must be; 77: this kernel has no seccomp filter */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"

enum { SKIPPED = 77, THROUGH = 0, STOPPED = 1 };
enum { FILE_MOST = 1000 }; /* bytes that a confined process may write to a file */

/* Made before the lock-down, for attempts that need something open. */
static char folder[] = "/tmp/ckconv-sandbox-XXXXXX";
static char victim[64], other[64];
static int dir_fd, file_fd, socket_fd, forgotten_fd, listener_port;
static pid_t parent;

/* ---- attempts: each returns what the call returned; negative: it failed ---- */

static long try_open(void)
{
	return open(victim, O_RDONLY);
}

static long try_open_passwd(void)
{
	return open("/etc/passwd", O_RDONLY);
}

static long try_create(void)
{
	return open(other, O_CREAT | O_WRONLY, 0600);
}

static long try_openat_dir(void)
{
	return openat(dir_fd, "victim", O_RDONLY);
}

static long try_openat2(void)
{
	static const uint64_t how[3] = {O_RDONLY, 0, 0};
	return syscall(437, AT_FDCWD, victim, how, sizeof how);
}

static long try_open_own_fd(void)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/self/fd/%d", file_fd);
	return open(path, O_RDWR);
}

static long try_stat(void)
{
	struct stat st;
	return stat(victim, &st);
}

static long try_statx(void)
{
	struct statx st;
	return statx(AT_FDCWD, victim, 0, STATX_ALL, &st);
}

static long try_access(void)
{
	return access(victim, F_OK);
}

static long try_readlink(void)
{
	char to[256];
	return readlink("/proc/self/exe", to, sizeof to);
}

static long try_unlink(void)
{
	return unlink(victim);
}

static long try_unlinkat_dir(void)
{
	return unlinkat(dir_fd, "victim", 0);
}

static long try_truncate(void)
{
	return truncate(victim, 0);
}

static long try_chmod(void)
{
	return chmod(victim, 0777);
}

static long try_fchmod(void)
{
	return fchmod(file_fd, 04777);
}

static long try_chown(void)
{
	return chown(victim, getuid(), getgid());
}

static long try_rename(void)
{
	return rename(victim, other);
}

static long try_link(void)
{
	return link(victim, other);
}

static long try_symlink(void)
{
	return symlink("victim", other);
}

static long try_mkdir(void)
{
	return mkdir(other, 0700);
}

static long try_mknod(void)
{
	return mknod(other, S_IFIFO | 0600, 0);
}

static long try_chdir(void)
{
	return chdir("/tmp");
}

static long try_memfd(void)
{
	return memfd_create("x", 0);
}

static long try_dup(void)
{
	return dup(file_fd);
}

static long try_dup2(void)
{
	return dup2(file_fd, 0);
}

static long try_pipe(void)
{
	int ends[2];
	return pipe(ends);
}

static long try_socket_unix(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static long try_socket_tcp(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static long try_socketpair(void)
{
	int ends[2];
	return socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
}

static struct sockaddr_in local(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)listener_port)};
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return to;
}

/* On a socket that was open before. */
static long try_tcp_connect(void)
{
	struct sockaddr_in to = local();
	return connect(socket_fd, (struct sockaddr *)&to, sizeof to);
}

static long try_udp_sendto(void)
{
	struct sockaddr_in to = local();
	return sendto(socket_fd, "x", 1, 0, (struct sockaddr *)&to, sizeof to);
}

static long try_execve(void)
{
	char *arguments[] = {victim, NULL}, *none[] = {NULL};
	return execve("/bin/true", arguments, none);
}

static long try_execveat(void)
{
	char *arguments[] = {victim, NULL}, *none[] = {NULL};
	return syscall(SYS_execveat, file_fd, "", arguments, none, AT_EMPTY_PATH);
}

static long try_fork(void)
{
	pid_t child = fork();
	if (!child)
		_exit(0);
	return child;
}

static long try_vfork(void)
{
	return syscall(SYS_clone, 0x4000 | SIGCHLD, 0, 0, 0, 0);
}

static long try_clone_fork(void)
{
	return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

/* A thread's flags, and with them a name space of its own. */
static long try_clone_namespace(void)
{
	return syscall(SYS_clone, 0x10000 | 0x800 | 0x100 | 0x10000000, 0, 0, 0, 0);
}

static long try_clone_high_flags(void)
{
	return syscall(SYS_clone, 0x10000 | 0x800 | 0x100 | (1UL << 33), 0, 0, 0, 0);
}

static long try_clone3(void)
{
	static uint64_t how[8];
	how[4] = SIGCHLD;
	return syscall(435, how, sizeof how);
}

static long try_unshare(void)
{
	return syscall(SYS_unshare, 0x10000000);
}

static long try_kill_parent(void)
{
	return kill(parent, 0);
}

static long try_kill_group(void)
{
	return kill(0, 0);
}

static long try_tgkill_parent(void)
{
	return syscall(SYS_tgkill, parent, parent, 0);
}

static long try_map_wx(void)
{
	void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
	                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return at == MAP_FAILED ? -1 : 0;
}

static long try_map_exec_file(void)
{
	void *at = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, file_fd, 0);
	return at == MAP_FAILED ? -1 : 0;
}

static long try_protect_exec(void)
{
	static _Alignas(4096) char page[4096];
	return mprotect(page, sizeof page, PROT_READ | PROT_EXEC);
}

static long try_pkey_protect(void)
{
	static _Alignas(4096) char page[4096];
	return syscall(SYS_pkey_mprotect, page, sizeof page, PROT_READ | PROT_EXEC, -1);
}

static long try_io_uring(void)
{
	static char parameters[120];
	return syscall(425, 4, parameters);
}

static long try_ptrace(void)
{
	return ptrace(PTRACE_SEIZE, parent, NULL, NULL); /* which does not stop it */
}

static long try_vm_read(void)
{
	char to[8];
	struct iovec here = {to, sizeof to}, there = {victim, sizeof to};
	return process_vm_readv(parent, &here, 1, &there, 1, 0);
}

static long try_bpf(void)
{
	static char attributes[128];
	return syscall(SYS_bpf, 0, attributes, sizeof attributes);
}

static long try_userfaultfd(void)
{
	return syscall(SYS_userfaultfd, 0);
}

static long try_perf(void)
{
	static uint32_t attributes[32] = {1, 128}; /* a software event */
	return syscall(SYS_perf_event_open, attributes, 0, -1, -1, 0);
}

static long try_keyctl(void)
{
	return syscall(SYS_keyctl, 0, -3, 1);
}

static long try_prctl(void)
{
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static long try_seccomp_off(void)
{
	return prctl(PR_SET_SECCOMP, 0, 0, 0, 0);
}

static long try_setuid(void)
{
	return setuid(getuid());
}

static long try_limits(void)
{
	return syscall(SYS_prlimit64, 0, 7, NULL, victim + 32);
}

static long try_mount(void)
{
	return syscall(SYS_mount, "none", folder, "tmpfs", 0, NULL);
}

static long try_chroot(void)
{
	return chroot(folder);
}

static long try_ioctl(void)
{
	int waiting;
	return syscall(SYS_ioctl, file_fd, 0x541B, &waiting); /* FIONREAD */
}

static long try_fcntl(void)
{
	return syscall(SYS_fcntl, file_fd, F_GETFD);
}

static long try_tmpfile(void)
{
	return open(folder, O_TMPFILE | O_RDWR, 0600);
}

static long try_pidfd(void)
{
	return syscall(434, parent, 0);
}

static long try_setsid(void)
{
	return setsid();
}

static long try_unknown(void)
{
	errno = 0;
	return syscall(460) < 0 ? -1 : 0; /* listns, or whatever comes to have a high number */
}

#if defined(__x86_64__)
static long try_x32(void)
{
	return syscall(0x40000000 + SYS_getpid);
}

/* The calls of 32-bit programs: 5 is open there, and 20 is getpid. */
static long try_int80(void)
{
	long result;
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(20) : "memory", "r8", "r9", "r10", "r11");
	return result;
}
#endif

/* Longer than any file may get. */
static long try_write_far(void)
{
	return pwrite(file_fd, "x", 1, FILE_MOST);
}

static long try_grow_far(void)
{
	return ftruncate(file_fd, FILE_MOST + 1);
}

static long try_allocate_far(void)
{
	return fallocate(file_fd, 0, 0, FILE_MOST + 1);
}

/* Was open, but is not among those to keep. */
static long try_forgotten_descriptor(void)
{
	return write(forgotten_fd, "x", 1);
}

#define ATTEMPTS(X)                                                                            \
	X(open) X(open_passwd) X(create) X(openat_dir) X(openat2) X(open_own_fd)       \
	X(statx) X(access) X(readlink) X(unlink) X(unlinkat_dir) X(truncate) X(chmod)          \
	X(fchmod) X(chown) X(rename) X(link) X(symlink) X(mkdir) X(mknod) X(chdir) X(memfd)    \
	X(dup) X(dup2) X(pipe) X(socket_unix) X(socket_tcp) X(socketpair) X(tcp_connect)       \
	X(udp_sendto) X(execve) X(execveat) X(fork) X(vfork) X(clone_fork) X(clone_namespace)  \
	X(clone_high_flags) X(unshare) X(kill_parent) X(kill_group)                  \
	X(tgkill_parent) X(map_wx) X(map_exec_file) X(protect_exec) X(pkey_protect)            \
	X(io_uring) X(ptrace) X(vm_read) X(bpf) X(userfaultfd) X(perf) X(keyctl) X(prctl)      \
	X(seccomp_off) X(setuid) X(limits) X(mount) X(chroot) X(ioctl) X(fcntl)                \
	X(tmpfile) X(pidfd) X(setsid) X(unknown)

/* What must fail, but need not kill. */
#define REFUSED(X) \
	X(stat) X(clone3) X(forgotten_descriptor) X(write_far) X(grow_far) X(allocate_far)

typedef struct {
	const char *name;
	long (*run)(void);
	bool refused;
} attempt;

static const attempt attempts[] = {
#define X(name) {#name, try_##name, false},
	ATTEMPTS(X)
#undef X
#define X(name) {#name, try_##name, true},
	REFUSED(X)
#undef X
#if defined(__x86_64__)
	{"x32", try_x32, false},
	{"int80", try_int80, false},
#endif
};

/* ---- the converter's own work ---- */

static void *thread_work(void *arg)
{
	void *memory = malloc(1 << 20);
	memset(memory, 1, 1 << 20);
	free(memory);
	return arg;
}

static bool work_threads(void)
{
	pthread_t threads[16];
	for (size_t i = 0; i < 16; i++)
		if (pthread_create(&threads[i], NULL, thread_work, threads))
			return false;
	for (size_t i = 0; i < 16; i++) {
		void *got;
		if (pthread_join(threads[i], &got) || got != threads)
			return false;
	}
	return true;
}

static bool work_files(void)
{
	char text[8] = "";
	return pwrite(file_fd, "whole", 6, 0) == 6 && pread(file_fd, text, 6, 0) == 6 &&
	       !strcmp(text, "whole") && !ftruncate(file_fd, 100) && !fsync(file_fd) &&
	       copy_file_range(file_fd, &(off_t){0}, file_fd, &(off_t){50}, 6, 0) == 6;
}

static bool work_memory(void)
{
	char *big = malloc(64 << 20);
	if (!big)
		return false;
	big[0] = big[(64 << 20) - 1] = 1;
	big = realloc(big, 96 << 20);
	free(big);
	return big;
}

static int by_value(const void *a, const void *b)
{
	return (*(const int *)a > *(const int *)b) - (*(const int *)a < *(const int *)b);
}

/* Large enough that the C library asks how much memory there is. */
static bool work_sorting(void)
{
	static int numbers[100000];
	for (int i = 0; i < 100000; i++)
		numbers[i] = (i * 7919) % 100000;
	qsort(numbers, 100000, sizeof *numbers, by_value);
	return numbers[0] == 0 && numbers[99999] == 99999;
}

static bool work_clock(void)
{
	struct timespec now;
	time_t zero = 0;
	struct tm when;
	return !clock_gettime(CLOCK_MONOTONIC, &now) && localtime_r(&zero, &when);
}

static const struct {
	const char *name;
	bool (*run)(void);
} works[] = {
	{"threads", work_threads}, {"files", work_files}, {"memory", work_memory},
	{"sorting", work_sorting}, {"clock", work_clock},
};

/* ---- running them ---- */

static void confine_here(void)
{
	int keep[] = {socket_fd, file_fd, dir_fd}; /* out of order on purpose */
	setenv("TZ", "UTC0", 1);
	tzset();
	cli_confinement got = cli_confine(keep, 3, &(cli_bounds){.file_bytes = FILE_MOST});
	if (!got.seccomp || !got.rlimits)
		_exit(2);
}

/* How the child ended: STOPPED by a signal or an error, or THROUGH. */
static int run_attempt(const attempt *a, bool confined, int *status)
{
	pid_t child = fork();
	if (!child) {
		signal(SIGPIPE, SIG_IGN);
		signal(SIGXFSZ, SIG_IGN);
		alarm(10);
		if (confined)
			confine_here();
		_exit(a->run() < 0 ? STOPPED : THROUGH);
	}
	while (waitpid(child, status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(*status))
		return WTERMSIG(*status) == SIGSYS ? STOPPED : 2;
	return WEXITSTATUS(*status);
}

static int run_work(size_t i)
{
	int status;
	pid_t child = fork();
	if (!child) {
		confine_here();
		_exit(works[i].run() ? 0 : 1);
	}
	waitpid(child, &status, 0);
	return status;
}

static void reset_files(void)
{
	int fd = open(victim, O_CREAT | O_WRONLY | O_TRUNC, 0600);
	if (fd < 0 || write(fd, "victim", 6) != 6)
		exit(2);
	close(fd);
	chmod(victim, 0600);
	unlink(other);
	rmdir(other);
	if (file_fd && ftruncate(file_fd, 0))
		exit(2);
}

/* What an attempt would have changed. */
static bool is_untouched(void)
{
	struct stat st;
	return !stat(victim, &st) && st.st_size == 6 && (st.st_mode & 07777) == 0600 &&
	       lstat(other, &st) < 0;
}

static void set_up(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t len = sizeof at;
	if (!mkdtemp(folder))
		exit(2);
	snprintf(victim, sizeof victim, "%s/victim", folder);
	snprintf(other, sizeof other, "%s/other", folder);
	reset_files();
	dir_fd = open(folder, O_RDONLY | O_DIRECTORY);
	file_fd = open(folder, O_TMPFILE | O_RDWR, 0600);
	if (file_fd < 0)
		file_fd = open(victim, O_RDWR);
	forgotten_fd = open("/dev/null", O_WRONLY);
	socket_fd = socket(AF_INET, SOCK_DGRAM, 0);
	int listener = socket(AF_INET, SOCK_DGRAM, 0);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (listener >= 0 && !bind(listener, (struct sockaddr *)&at, sizeof at) &&
	    !getsockname(listener, (struct sockaddr *)&at, &len))
		listener_port = ntohs(at.sin_port);
	parent = getpid();
}

static void clean_up(void)
{
	unlink(victim);
	unlink(other);
	rmdir(folder);
}

static bool has_seccomp(void)
{
	/* bad address: the kernel knows filters; anything else: it does not, or forbids them */
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL) < 0 && errno == EFAULT;
}

/* Attempts that succeed where nothing is confined show that the test can tell; some fail there,
 * too, for want of rights. */
static size_t count_possible(void)
{
	size_t possible = 0;
	for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
		int status;
		reset_files();
		possible += run_attempt(&attempts[i], false, &status) == THROUGH;
	}
	reset_files();
	return possible;
}

int main(void)
{
	size_t failed = 0, killed = 0, count = sizeof attempts / sizeof *attempts;
	if (!has_seccomp()) {
		puts("skipped: this kernel lets nobody load a seccomp filter");
		return SKIPPED;
	}
	set_up();
	setvbuf(stdout, NULL, _IONBF, 0);
	size_t possible = count_possible();
	if (possible < 30) {
		printf("only %zu attempts succeed unconfined: the test tells nothing\n", possible);
		failed++;
	}
	for (size_t i = 0; i < count; i++) {
		int status, how = run_attempt(&attempts[i], true, &status);
		bool gone = WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
		if (how != STOPPED || gone == attempts[i].refused || !is_untouched()) {
			printf("%s: got through, or was stopped by another wall than the filter "
			       "(status %#x)\n", attempts[i].name, (unsigned)status);
			failed++;
			reset_files();
		}
		killed += WIFSIGNALED(status);
	}
	for (size_t i = 0; i < sizeof works / sizeof *works; i++) {
		int status = run_work(i);
		if (status) {
			printf("%s: does not work any more (status %#x)\n", works[i].name,
			       (unsigned)status);
			failed++;
		}
	}
	clean_up();
	printf("%zu attempts, %zu of them possible unconfined, %zu killed, the others refused; "
	       "%zu failed\n", count, possible, killed, failed);
	return failed ? 1 : 0;
}
