/* Preloaded into ckconv by run.py: makes calls of one function fail, as CK_FAULT=NAME:N:HOW says,
 * and tells through the file CK_FAULT_MARK whether that happened, and what was not given back in
 * the end.
 *
 * HOW is once (the n-th call fails), on (it and all later ones do), short (it moves half of what it
 * should), again (it is interrupted, as by a signal, and must be made again) or wrong (it writes
 * another last byte, and says that all is well). */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

/* Shared with run.py, and by all processes of the program: it can be written to even where nothing
 * can be opened any more. */
static struct mark {
	atomic_int struck;
	atomic_int blocks; /* of memory, which nobody freed */
	atomic_int files;  /* descriptors that nobody closed */
	atomic_int calls;  /* of the function, by all processes together */
} *mark, nowhere;

static atomic_int blocks;

enum how { ONCE, ON, SHORT, AGAIN, WRONG };

static const char *name_of_fault;
static size_t name_len;
static int number;
static enum how how;

static void read_fault(void)
{
	static const char *const hows[] = {"once", "on", "short", "again", "wrong"};
	const char *fault = getenv("CK_FAULT"), *colon = fault ? strchr(fault, ':') : NULL;
	const char *last = colon ? strchr(colon + 1, ':') : NULL;
	if (!last)
		return;
	for (size_t i = 0; i < sizeof hows / sizeof *hows; i++)
		if (!strcmp(last + 1, hows[i]))
			how = (enum how)i;
	number = atoi(colon + 1);
	name_len = (size_t)(colon - fault);
	name_of_fault = fault;
}

/* libzip, in memory: it loses a block here and there when it runs out of memory, and such are not
 * counted. */
static const char *zip_begin, *zip_end;

static int find_zip(struct dl_phdr_info *object, size_t size, void *arg)
{
	(void)size;
	(void)arg;
	if (!strstr(object->dlpi_name, "/libzip."))
		return 0;
	for (int i = 0; i < object->dlpi_phnum; i++) {
		const char *from = (const char *)object->dlpi_addr + object->dlpi_phdr[i].p_vaddr;
		if (object->dlpi_phdr[i].p_type == PT_LOAD && object->dlpi_phdr[i].p_flags & PF_X) {
			zip_begin = from;
			zip_end = from + object->dlpi_phdr[i].p_memsz;
		}
	}
	return 1;
}

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("CK_FAULT_MARK");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *shared = fd < 0 ? MAP_FAILED
	                      : mmap(NULL, sizeof *mark, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd >= 0)
		close(fd);
	mark = shared == MAP_FAILED ? &nowhere : shared;
	dl_iterate_phdr(find_zip, NULL);
	read_fault();
}

__attribute__((destructor)) static void end(void)
{
	int files = 0;
	for (int fd = 0; fd < 256; fd++)
		files += fcntl(fd, F_GETFD) >= 0;
	name_of_fault = NULL;
	atomic_store(&mark->blocks, atomic_load(&blocks));
	atomic_store(&mark->files, files);
}

/* True if this call of `name` must go wrong in that way. No allocation, no stdio in here. */
static int strikes(const char *name, int kind)
{
	if (!name_of_fault || strlen(name) != name_len || memcmp(name, name_of_fault, name_len))
		return 0;
	if ((how >= SHORT) != kind)
		return 0;
	int call = atomic_fetch_add(&mark->calls, 1) + 1;
	if (how == ON ? call < number : call != number)
		return 0;
	atomic_store(&mark->struck, 1);
	return 1;
}

/* The function of that name which would have been called without us. */
#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define FAIL(name, code, result)    \
	if (strikes(#name, 0)) {    \
		errno = code;       \
		return result;      \
	}

/* ---- memory ---- */

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void __libc_free(void *old);
void *realloc(void *old, size_t size);
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void free(void *old);

/* Blocks of libzip's that are in use. One thread at a time calls it. */
enum { ZIP_BLOCKS_MAX = 65536 };
static const void *zip_blocks[ZIP_BLOCKS_MAX];
static size_t zip_count;

/* What a block counts, which `from` asked for. */
static void *counted(void *block, const char *from)
{
	if (block && from >= zip_begin && from < zip_end && zip_count < ZIP_BLOCKS_MAX)
		zip_blocks[zip_count++] = block;
	else if (block)
		atomic_fetch_add(&blocks, 1);
	return block;
}

static void uncounted(const void *block)
{
	size_t i = zip_count;
	while (i-- > 0)
		if (zip_blocks[i] == block) {
			zip_blocks[i] = zip_blocks[--zip_count];
			return;
		}
	atomic_fetch_sub(&blocks, 1);
}

void *malloc(size_t size)
{
	FAIL(malloc, ENOMEM, NULL)
	return counted(__libc_malloc(size), __builtin_return_address(0));
}

void *calloc(size_t count, size_t size)
{
	FAIL(calloc, ENOMEM, NULL)
	return counted(__libc_calloc(count, size), __builtin_return_address(0));
}

void *realloc(void *old, size_t size)
{
	FAIL(realloc, ENOMEM, NULL)
	void *block = __libc_realloc(old, size);
	if (old && block)
		uncounted(old);
	return counted(block, __builtin_return_address(0));
}

void free(void *old)
{
	if (old)
		uncounted(old);
	__libc_free(old);
}

/* ---- reading and writing ---- */

#undef pread64
#undef pwrite64
ssize_t pread64(int fd, void *to, size_t len, off64_t at)
{
	FAIL(pread64, EIO, -1)
	if (strikes("pread64", 1)) {
		errno = EINTR;
		if (how == AGAIN)
			return -1;
		len = len > 1 ? len / 2 : len;
	}
	return NEXT(pread64)(fd, to, len, at);
}

/* Writes another last byte. */
static ssize_t write_wrong(int fd, const void *from, size_t len, off64_t at)
{
	ssize_t put = NEXT(pwrite64)(fd, from, len, at);
	unsigned char last = put > 0 ? ((const unsigned char *)from)[put - 1] ^ 1 : 0;
	return put > 0 && NEXT(pwrite64)(fd, &last, 1, at + put - 1) != 1 ? -1 : put;
}

ssize_t pwrite64(int fd, const void *from, size_t len, off64_t at)
{
	FAIL(pwrite64, ENOSPC, -1)
	if (strikes("pwrite64", 1)) {
		if (how == WRONG)
			return write_wrong(fd, from, len, at);
		errno = EINTR;
		if (how == AGAIN)
			return -1;
		len = len > 1 ? len / 2 : len;
	}
	return NEXT(pwrite64)(fd, from, len, at);
}

int fallocate64(int fd, int mode, off64_t from, off64_t len)
{
	FAIL(fallocate64, ENOSPC, -1)
	if (strikes("fallocate64", 1)) {
		errno = EINTR;
		return -1;
	}
	return NEXT(fallocate64)(fd, mode, from, len);
}

/* File systems without fallocate are told by it; then ftruncate is called. */
#undef ftruncate64
int ftruncate64(int fd, off64_t size)
{
	FAIL(ftruncate64, ENOSPC, -1)
	return NEXT(ftruncate64)(fd, size);
}

int fsync(int fd)
{
	FAIL(fsync, EIO, -1)
	return NEXT(fsync)(fd);
}

/* ---- names ---- */

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
	FAIL(linkat, EACCES, -1)
	return NEXT(linkat)(from_dir, from, to_dir, to, flags);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	FAIL(renameat, EACCES, -1)
	return NEXT(renameat)(from_dir, from, to_dir, to);
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

int access(const char *path, int mode)
{
	FAIL(access, EACCES, -1)
	return NEXT(access)(path, mode);
}

#undef fstat64
#undef stat64
#undef lstat64
int fstat64(int fd, struct stat64 *st)
{
	FAIL(fstat64, EIO, -1)
	return NEXT(fstat64)(fd, st);
}

int stat64(const char *path, struct stat64 *st)
{
	FAIL(stat64, EACCES, -1)
	return NEXT(stat64)(path, st);
}

int lstat64(const char *path, struct stat64 *st)
{
	FAIL(lstat64, EACCES, -1)
	return NEXT(lstat64)(path, st);
}

/* ---- the system ---- */

int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
	FAIL(pthread_create, EAGAIN, EAGAIN)
	return NEXT(pthread_create)(thread, attr, run, arg);
}

int pthread_mutex_init(pthread_mutex_t *lock, const pthread_mutexattr_t *attr)
{
	FAIL(pthread_mutex_init, ENOMEM, ENOMEM)
	return NEXT(pthread_mutex_init)(lock, attr);
}

ssize_t getrandom(void *to, size_t len, unsigned flags)
{
	FAIL(getrandom, EAGAIN, -1)
	return NEXT(getrandom)(to, len, flags);
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
