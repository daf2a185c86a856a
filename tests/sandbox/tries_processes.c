/* What a confined process attempts with programs, processes, memory and the kernel itself. */
#include "attempts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static long try_execve(void)
{
	char *arguments[] = {scene.victim, NULL}, *none[] = {NULL};
	return execve("/bin/true", arguments, none);
}

static long try_execveat(void)
{
	char *arguments[] = {scene.victim, NULL}, *none[] = {NULL};
	return syscall(SYS_execveat, scene.file_fd, "", arguments, none, AT_EMPTY_PATH);
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

/* Flags of a thread, but not all of them: a process of its own. */
static long try_clone_without_thread(void)
{
	return syscall(SYS_clone, 0x200, 0, 0, 0, 0);
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
	return kill(scene.parent, 0);
}

static long try_kill_group(void)
{
	return kill(0, 0);
}

static long try_tgkill_parent(void)
{
	return syscall(SYS_tgkill, scene.parent, scene.parent, 0);
}

static long try_map_wx(void)
{
	void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
	                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return at == MAP_FAILED ? -1 : 0;
}

static long try_map_exec_file(void)
{
	void *at = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, scene.file_fd, 0);
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
	return ptrace(PTRACE_SEIZE, scene.parent, NULL, NULL); /* which does not stop it */
}

static long try_vm_read(void)
{
	char to[8];
	struct iovec here = {to, sizeof to}, there = {scene.victim, sizeof to};
	return process_vm_readv(scene.parent, &here, 1, &there, 1, 0);
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
	return syscall(SYS_prlimit64, 0, 7, NULL, scene.victim + 32);
}

static long try_pidfd(void)
{
	return syscall(434, scene.parent, 0);
}

static long try_setsid(void)
{
	return setsid();
}

static long try_shm(void)
{
	int id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
	return id < 0 ? id : shmctl(id, IPC_RMID, NULL);
}

static long try_shm_attach(void)
{
	return shmat(scene.segment, NULL, SHM_RDONLY) == (void *)-1 ? -1 : 0;
}

static long try_semaphore(void)
{
	int id = semget(IPC_PRIVATE, 1, IPC_CREAT | 0600);
	return id < 0 ? id : semctl(id, 0, IPC_RMID);
}

static long try_msgget(void)
{
	int id = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
	return id < 0 ? id : msgctl(id, IPC_RMID, NULL);
}

static long try_msgsnd(void)
{
	struct {
		long type;
		char text;
	} message = {1, 'x'};
	return msgsnd(scene.queue, &message, 1, IPC_NOWAIT);
}

static long try_mq_open(void)
{
	return syscall(SYS_mq_open, "ckconv-sandbox", O_CREAT | O_RDWR, 0600, NULL);
}

static long try_mq_unlink(void)
{
	return syscall(SYS_mq_unlink, "ckconv-sandbox");
}

static long try_vm_write(void)
{
	char from[8] = "victim";
	struct iovec here = {from, sizeof from}, there = {scene.parent_page, sizeof from};
	return process_vm_writev(scene.parent, &here, 1, &there, 1, 0);
}

static long try_process_madvise(void)
{
	struct iovec some = {scene.parent_page, 4096};
	return syscall(440, scene.pid_fd, &some, 1, 20 /* MADV_COLD */, 0);
}

static long try_pidfd_getfd(void)
{
	return syscall(438, scene.pid_fd, 1, 0);
}

static long try_pidfd_signal(void)
{
	return syscall(424, scene.pid_fd, 0, NULL, 0);
}

static long try_kcmp(void)
{
	return syscall(SYS_kcmp, scene.parent, getpid(), 1, 0, 0);
}

static long try_queue_signal(void)
{
	static char info[128]; /* of signal 0 */
	return syscall(SYS_rt_sigqueueinfo, scene.parent, 0, info) < 0 && errno != EPERM ? -1 : 0;
}

static long try_priority(void)
{
	int now = getpriority(PRIO_PROCESS, (id_t)scene.parent);
	return setpriority(PRIO_PROCESS, (id_t)scene.parent, now);
}

static long try_affinity(void)
{
	static unsigned long mine[128];
	long size = syscall(SYS_sched_getaffinity, 0, sizeof mine, mine);
	return syscall(SYS_sched_setaffinity, scene.parent, size, mine);
}

static long try_remap_pages(void)
{
	return syscall(SYS_remap_file_pages, scene.shared_pages, 4096, 0, 1, 0);
}

static long try_lock_pages(void)
{
	return syscall(SYS_mlock, scene.shared_pages, 4096);
}

static long try_memfd_exec(void)
{
	char *none[] = {NULL}, program[] = "#!/bin/true\n";
	int fd = memfd_create("x", 0);
	if (fd < 0 || write(fd, program, sizeof program - 1) < 0)
		return -1;
	return syscall(SYS_execveat, fd, "", none, none, AT_EMPTY_PATH);
}

static long try_memfd_secret(void)
{
	return syscall(447, 0);
}

static long try_add_key(void)
{
	return syscall(SYS_add_key, "user", "ckconv-sandbox", "x", 1, -1 /* of the thread */);
}

static long try_setns(void)
{
	return syscall(SYS_setns, scene.pid_fd, 0x40000000 /* the network */);
}

static long try_personality(void)
{
	return syscall(SYS_personality, 0x0040000); /* no random addresses */
}

static long try_landlock(void)
{
	static const uint64_t all = 1;
	return syscall(444, &all, sizeof all, 0);
}

static long try_second_filter(void)
{
	struct sock_filter allow = {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
	struct sock_fprog program = {1, &allow};
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

static long try_uname(void)
{
	static char names[6 * 65];
	return syscall(SYS_uname, names);
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

const attempt process_attempts[] = {
	{"execve", try_execve, false}, {"execveat", try_execveat, false},
	{"fork", try_fork, false}, {"vfork", try_vfork, false},
	{"clone_fork", try_clone_fork, false},
	{"clone_without_thread", try_clone_without_thread, false}, {"clone_namespace", try_clone_namespace, false},
	{"clone_high_flags", try_clone_high_flags, false}, {"clone3", try_clone3, true},
	{"unshare", try_unshare, false}, {"kill_parent", try_kill_parent, false},
	{"kill_group", try_kill_group, false}, {"tgkill_parent", try_tgkill_parent, false},
	{"map_wx", try_map_wx, false}, {"map_exec_file", try_map_exec_file, false},
	{"protect_exec", try_protect_exec, false}, {"pkey_protect", try_pkey_protect, false},
	{"io_uring", try_io_uring, false}, {"ptrace", try_ptrace, false},
	{"vm_read", try_vm_read, false}, {"bpf", try_bpf, false},
	{"userfaultfd", try_userfaultfd, false}, {"perf", try_perf, false},
	{"keyctl", try_keyctl, false}, {"prctl", try_prctl, false},
	{"seccomp_off", try_seccomp_off, false}, {"setuid", try_setuid, false},
	{"limits", try_limits, false}, {"pidfd", try_pidfd, false},
	{"setsid", try_setsid, false}, {"shm", try_shm, false},
	{"shm_attach", try_shm_attach, false}, {"semaphore", try_semaphore, false},
	{"msgget", try_msgget, false}, {"msgsnd", try_msgsnd, false},
	{"mq_open", try_mq_open, false}, {"mq_unlink", try_mq_unlink, false},
	{"vm_write", try_vm_write, false}, {"process_madvise", try_process_madvise, false},
	{"pidfd_getfd", try_pidfd_getfd, false}, {"pidfd_signal", try_pidfd_signal, false},
	{"kcmp", try_kcmp, false}, {"queue_signal", try_queue_signal, false},
	{"priority", try_priority, false}, {"affinity", try_affinity, false},
	{"remap_pages", try_remap_pages, false}, {"lock_pages", try_lock_pages, false},
	{"memfd_exec", try_memfd_exec, false}, {"memfd_secret", try_memfd_secret, false},
	{"add_key", try_add_key, false}, {"setns", try_setns, false},
	{"personality", try_personality, false}, {"landlock", try_landlock, false},
	{"second_filter", try_second_filter, false}, {"uname", try_uname, false},
	{"unknown", try_unknown, false},
#if defined(__x86_64__)
	{"x32", try_x32, false}, {"int80", try_int80, false},
#endif
	{NULL, NULL, false},
};
