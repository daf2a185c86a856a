/* The list of system calls that a confined process may make, as a seccomp filter: any other kills
 * it. Written without libseccomp: the list is short, and costs half the time this way. */
#include "child.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The processor: system calls have other numbers on each, and on some of them two sets. */
#if defined(__x86_64__) && !defined(__ILP32__)
#define ARCH AUDIT_ARCH_X86_64
#define OTHER_SET 0x40000000u /* from here: x32 */
#elif defined(__aarch64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARCH AUDIT_ARCH_AARCH64
#define OTHER_SET 0u
#endif

#ifdef ARCH

/* Known since Linux 4.14 and 4.17, but not to every libc. */
#ifndef SECCOMP_RET_KILL_PROCESS
#define SECCOMP_RET_KILL_PROCESS 0x80000000u
#endif
#ifndef SECCOMP_FILTER_FLAG_SPEC_ALLOW
#define SECCOMP_FILTER_FLAG_SPEC_ALLOW (1UL << 2)
#endif
#ifndef SYS_rseq
#define SYS_rseq (ARCH == AUDIT_ARCH_X86_64 ? 334 : 293)
#endif
#ifndef SYS_clone3
#define SYS_clone3 435
#endif

/* What copying, unpacking, threads and the allocator of glibc 2.36 to 2.41 need; the busy ones
 * first. None takes the name of a file, makes a descriptor, or reaches another process. */
static const unsigned allowed[] = {
	SYS_futex, SYS_pread64, SYS_pwrite64, SYS_clock_gettime, SYS_madvise, SYS_munmap, SYS_brk,
	SYS_read, SYS_write, SYS_writev, SYS_lseek, SYS_copy_file_range, SYS_fstat, SYS_close,
	SYS_fallocate, SYS_ftruncate, SYS_fsync, SYS_fdatasync, SYS_sync_file_range, SYS_fadvise64,
	SYS_mremap, SYS_getrandom, SYS_sysinfo, SYS_getpid, SYS_gettid,
	SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_restart_syscall,
	SYS_set_robust_list, SYS_rseq, SYS_exit, SYS_exit_group,
};

/* What fails without killing. clone3: its flags lie in memory, where a filter cannot look; glibc
 * falls back to clone. newfstatat: fstat of older glibcs, which nothing here needs. getppid: never
 * fails by itself, so that a failure shows that the filter is on. */
static const struct {
	unsigned call;
	unsigned error;
} denied[] = {
	{SYS_clone3, ENOSYS},
	{SYS_newfstatat, EACCES},
	{SYS_getppid, EPERM},
};

/* Flags with which glibc makes a thread, and those without which it would be a process. */
enum {
	THREAD_NEEDS = 0x00010000 | 0x00000800 | 0x00000100, /* THREAD, SIGHAND, VM */
	THREAD_MAY = THREAD_NEEDS | 0x00000200 | 0x00000400  /* FS, FILES */
	             | 0x00040000 | 0x00080000               /* SYSVSEM, SETTLS */
	             | 0x00100000 | 0x00200000               /* PARENT_SETTID, CHILD_CLEARTID */
};

typedef struct {
	struct sock_filter code[160];
	unsigned short len;
	bool full; /* it does not fit: a filter that lacks its end must not be loaded */
} program;

static void emit(program *p, unsigned code, unsigned value, unsigned yes, unsigned no)
{
	p->full = p->full || p->len == sizeof p->code / sizeof *p->code;
	if (p->full)
		return;
	p->code[p->len++] = (struct sock_filter){(unsigned short)code, (unsigned char)yes,
	                                         (unsigned char)no, value};
}

static void emit_load(program *p, size_t offset)
{
	emit(p, BPF_LD | BPF_W | BPF_ABS, (unsigned)offset, 0, 0);
}

/* The low or high half of an argument. */
static void emit_argument(program *p, unsigned number, bool high)
{
	emit_load(p, offsetof(struct seccomp_data, args) + number * sizeof(uint64_t) + 4 * high);
}

static void emit_return(program *p, unsigned action)
{
	emit(p, BPF_RET | BPF_K, action, 0, 0);
}

static void emit_if(program *p, unsigned call, unsigned action)
{
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1);
	emit_return(p, action);
}

/* mmap and mprotect: their third argument must not ask for memory that can be executed. */
static void emit_memory(program *p, unsigned call)
{
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, call, 0, 4);
	emit_argument(p, 2, false);
	emit(p, BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1);
	emit_return(p, SECCOMP_RET_KILL_PROCESS);
	emit_return(p, SECCOMP_RET_ALLOW);
}

/* clone: a thread of this process and nothing else. */
static void emit_clone(program *p)
{
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 8);
	emit_argument(p, 0, true);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 5);
	emit_argument(p, 0, false);
	emit(p, BPF_JMP | BPF_JSET | BPF_K, ~(unsigned)THREAD_MAY, 3, 0);
	emit(p, BPF_ALU | BPF_AND | BPF_K, THREAD_NEEDS, 0, 0);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, THREAD_NEEDS, 0, 1);
	emit_return(p, SECCOMP_RET_ALLOW);
	emit_return(p, SECCOMP_RET_KILL_PROCESS);
}

/* tgkill: a thread of this process, which is how abort() ends it. */
static void emit_tgkill(program *p)
{
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, SYS_tgkill, 0, 4);
	emit_argument(p, 0, false);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, (unsigned)getpid(), 0, 1);
	emit_return(p, SECCOMP_RET_ALLOW);
	emit_return(p, SECCOMP_RET_KILL_PROCESS);
}

static void make_program(program *p)
{
	*p = (program){.len = 0};
	emit_load(p, offsetof(struct seccomp_data, arch));
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
	emit_return(p, SECCOMP_RET_KILL_PROCESS);
	emit_load(p, offsetof(struct seccomp_data, nr));
	if (OTHER_SET) {
		emit(p, BPF_JMP | BPF_JGE | BPF_K, OTHER_SET, 0, 1);
		emit_return(p, SECCOMP_RET_KILL_PROCESS);
	}
	for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
		emit_if(p, allowed[i], SECCOMP_RET_ALLOW);
	for (size_t i = 0; i < sizeof denied / sizeof *denied; i++)
		emit_if(p, denied[i].call, SECCOMP_RET_ERRNO | denied[i].error);
	emit_memory(p, SYS_mmap);
	emit_memory(p, SYS_mprotect);
	emit_clone(p);
	emit_tgkill(p);
	emit_return(p, SECCOMP_RET_KILL_PROCESS);
}

bool cli_filter_load(void)
{
	program p;
	make_program(&p);
	if (p.full)
		return false;
	struct sock_fprog filter = {p.len, p.code};
	/* there is no secret in this process that a slower processor would have to guard */
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
	            &filter) &&
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter))
		return false;
	errno = 0;
	return syscall(SYS_getppid) < 0 && errno == EPERM;
}

#else

bool cli_filter_load(void)
{
	return false;
}

#endif
