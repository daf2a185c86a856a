/* What a confined process can no longer do, attempted for real: each in a child of its own that was
 * locked down by the very code that ckconv uses, with a marker in reach that shows what got
 * through. And what the converter needs, which must still work.
 *
 * usage: attempts        exit status 0: all as it must be; 77: this kernel has no seccomp filter */
#include "attempts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "child.h"

enum { SKIPPED = 77, THROUGH = 0, STOPPED = 1, POSSIBLE_LEAST = 60 };

sandbox_scene scene;

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
	return pwrite(scene.file_fd, "whole", 6, 0) == 6 && pread(scene.file_fd, text, 6, 0) == 6 &&
	       !strcmp(text, "whole") && !ftruncate(scene.file_fd, 100) && !fsync(scene.file_fd) &&
	       copy_file_range(scene.file_fd, &(off_t){0}, scene.file_fd, &(off_t){50}, 6, 0) == 6;
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
	int keep[] = {scene.socket_fd, scene.pid_fd, scene.file_fd, scene.pipe_fd,
	              scene.dir_fd}; /* out of order on purpose */
	setenv("TZ", "UTC0", 1);
	tzset();
	cli_confinement got = cli_confine(keep, 5, &(cli_bounds){.file_bytes = FILE_MOST});
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
	int fd = open(scene.victim, O_CREAT | O_WRONLY | O_TRUNC, 0600);
	if (fd < 0 || write(fd, "victim", 6) != 6)
		exit(2);
	close(fd);
	chmod(scene.victim, 0600);
	unlink(scene.other);
	rmdir(scene.other);
	if (scene.file_fd && ftruncate(scene.file_fd, 0))
		exit(2);
}

/* What an attempt would have changed. */
static bool is_untouched(void)
{
	struct stat st;
	return !stat(scene.victim, &st) && st.st_size == 6 && (st.st_mode & 07777) == 0600 &&
	       lstat(scene.other, &st) < 0;
}

/* What is shared with other processes, or reaches into this one. */
static void set_up_shared(void)
{
	int ends[2], mount;
	if (pipe(ends) || write(ends[1], "x", 1) != 1)
		exit(2);
	scene.pipe_fd = ends[1];
	scene.pid_fd = (int)syscall(434, scene.parent, 0);
	scene.segment = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
	scene.queue = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
	scene.shared_pages = mmap(NULL, 8192, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	scene.parent_page =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (scene.shared_pages == MAP_FAILED || scene.parent_page == MAP_FAILED)
		exit(2);
	scene.handle_of_victim.bytes = sizeof scene.handle_of_victim.f;
	syscall(SYS_name_to_handle_at, scene.dir_fd, "victim", &scene.handle_of_victim, &mount,
	        0);
}

static void set_up(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t len = sizeof at;
	if (!mkdtemp(strcpy(scene.folder, "/tmp/ckconv-sandbox-XXXXXX")))
		exit(2);
	snprintf(scene.victim, sizeof scene.victim, "%s/victim", scene.folder);
	snprintf(scene.other, sizeof scene.other, "%s/other", scene.folder);
	reset_files();
	scene.dir_fd = open(scene.folder, O_RDONLY | O_DIRECTORY);
	scene.file_fd = open(scene.folder, O_TMPFILE | O_RDWR, 0600);
	if (scene.file_fd < 0) {
		scene.file_fd = open(scene.other, O_CREAT | O_RDWR, 0600);
		unlink(scene.other);
	}
	scene.forgotten_fd = open("/dev/null", O_WRONLY);
	scene.socket_fd = socket(AF_INET, SOCK_DGRAM, 0);
	int listener = socket(AF_INET, SOCK_DGRAM, 0);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (listener >= 0 && !bind(listener, (struct sockaddr *)&at, sizeof at) &&
	    !getsockname(listener, (struct sockaddr *)&at, &len))
		scene.listener_port = ntohs(at.sin_port);
	scene.parent = getpid();
	set_up_shared();
}

static void clean_up(void)
{
	shmctl(scene.segment, IPC_RMID, NULL);
	msgctl(scene.queue, IPC_RMID, NULL);
	unlink(scene.victim);
	unlink(scene.other);
	rmdir(scene.folder);
}

static bool has_seccomp(void)
{
	/* bad address: the kernel knows filters; anything else: it does not, or forbids them */
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL) < 0 && errno == EFAULT;
}

/* Attempts that succeed where nothing is confined show that the test can tell; some fail there,
 * too, for want of rights. */
static size_t count_possible(const attempt *list)
{
	size_t possible = 0;
	for (const attempt *a = list; a->name; a++) {
		int status;
		reset_files();
		possible += run_attempt(a, false, &status) == THROUGH;
	}
	reset_files();
	return possible;
}

typedef struct {
	size_t count, possible, killed, failed;
} sums;

static void run_attempts(const attempt *list, sums *to)
{
	to->possible += count_possible(list);
	for (const attempt *a = list; a->name; a++, to->count++) {
		int status, how = run_attempt(a, true, &status);
		bool gone = WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
		if (how != STOPPED || gone == a->refused || !is_untouched()) {
			printf("%s: got through, or was stopped by another wall than the filter "
			       "(status %#x)\n", a->name, (unsigned)status);
			to->failed++;
			reset_files();
		}
		to->killed += WIFSIGNALED(status);
	}
}

static void run_works(sums *to)
{
	for (size_t i = 0; i < sizeof works / sizeof *works; i++) {
		int status = run_work(i);
		if (!status)
			continue;
		printf("%s: does not work any more (status %#x)\n", works[i].name,
		       (unsigned)status);
		to->failed++;
	}
}

int main(void)
{
	sums all = {0};
	if (!has_seccomp()) {
		puts("skipped: this kernel lets nobody load a seccomp filter");
		return SKIPPED;
	}
	set_up();
	setvbuf(stdout, NULL, _IONBF, 0);
	run_attempts(file_attempts, &all);
	run_attempts(process_attempts, &all);
	if (all.possible < POSSIBLE_LEAST) {
		printf("only %zu attempts succeed unconfined: the test tells nothing\n",
		       all.possible);
		all.failed++;
	}
	run_works(&all);
	clean_up();
	printf("%zu attempts, %zu of them possible unconfined, %zu killed, the others refused; "
	       "%zu failed\n", all.count, all.possible, all.killed, all.failed);
	return all.failed ? 1 : 0;
}
