/* Preloaded into ckconv by run.sh: makes the n-th call of one function fail, as CK_FAULT=NAME:N says,
 * and leaves a mark in the file CK_FAULT_MARK when that happens: the file gets a byte. Calls of all
 * its processes are counted together; one of them can open nothing, so that count and mark lie in
 * memory that they share from the start. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

typedef struct {
	char mark;
	_Alignas(64) atomic_int calls;
} common;

static common alone, *shared = &alone;

static void __attribute__((constructor)) begin(void)
{
	const char *mark = getenv("CK_FAULT_MARK");
	long fd = mark ? syscall(SYS_openat, AT_FDCWD, mark, O_RDWR, 0) : -1;
	if (fd < 0)
		return;
	void *at = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, (int)fd, 0);
	syscall(SYS_close, fd);
	if (at != MAP_FAILED)
		shared = at;
}

/* True if this call of `name` is the one that must fail. No allocation, no stdio in here. */
static int strikes(const char *name)
{
	const char *fault = getenv("CK_FAULT");
	size_t len = strlen(name);
	if (!fault || strncmp(fault, name, len) != 0 || fault[len] != ':')
		return 0;
	if (atomic_fetch_add(&shared->calls, 1) + 1 != atoi(fault + len + 1))
		return 0;
	shared->mark = 'x';
	return 1;
}

/* The function of that name which would have been called without us. */
#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define FAIL(name, code, result) \
	if (strikes(#name)) {    \
		errno = code;    \
		return result;   \
	}

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
void *realloc(void *old, size_t size);
void *malloc(size_t size);
void *calloc(size_t count, size_t size);

void *malloc(size_t size)
{
	FAIL(malloc, ENOMEM, NULL)
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	FAIL(calloc, ENOMEM, NULL)
	return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	FAIL(realloc, ENOMEM, NULL)
	return __libc_realloc(old, size);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*run)(void *), void *arg)
{
	FAIL(pthread_create, EAGAIN, EAGAIN)
	return NEXT(pthread_create)(thread, how, run, arg);
}

#undef pread64
#undef pwrite64
ssize_t pread64(int fd, void *to, size_t len, off64_t at)
{
	FAIL(pread64, EIO, -1)
	return NEXT(pread64)(fd, to, len, at);
}

ssize_t pwrite64(int fd, const void *from, size_t len, off64_t at)
{
	FAIL(pwrite64, ENOSPC, -1)
	return NEXT(pwrite64)(fd, from, len, at);
}

int fallocate64(int fd, int mode, off64_t from, off64_t len)
{
	FAIL(fallocate64, ENOSPC, -1)
	return NEXT(fallocate64)(fd, mode, from, len);
}

int fsync(int fd)
{
	FAIL(fsync, EIO, -1)
	return NEXT(fsync)(fd);
}

pid_t fork(void)
{
	FAIL(fork, EAGAIN, -1)
	return NEXT(fork)();
}

int pipe2(int ends[2], int flags)
{
	FAIL(pipe2, EMFILE, -1)
	return NEXT(pipe2)(ends, flags);
}

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
	FAIL(linkat, EACCES, -1)
	return NEXT(linkat)(from_dir, from, to_dir, to, flags);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	FAIL(renameat2, EACCES, -1)
	return NEXT(renameat2)(from_dir, from, to_dir, to, flags);
}

int openat64(int dir, const char *path, int flags, ...)
{
	FAIL(openat64, EACCES, -1)
	return NEXT(openat64)(dir, path, flags, 0666);
}

int open64(const char *path, int flags, ...)
{
	FAIL(open64, EMFILE, -1)
	return NEXT(open64)(path, flags, 0666);
}
