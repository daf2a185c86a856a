/* Preloaded by kill.py: stands for a file system that knows no files without a name. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/types.h>

static int refuses(int flags)
{
	errno = EOPNOTSUPP;
	return (flags & O_TMPFILE) == O_TMPFILE;
}

/* The mode, which is only given where a file may be made. */
#define MODE_OF(flags, mode) \
	do { \
		va_list more; \
		va_start(more, flags); \
		mode = flags & O_CREAT ? va_arg(more, mode_t) : 0; \
		va_end(more); \
	} while (0)

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int openat64(int dir, const char *path, int flags, ...)
{
	mode_t mode;
	MODE_OF(flags, mode);
	return refuses(flags) ? -1 : NEXT(openat64)(dir, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	mode_t mode;
	MODE_OF(flags, mode);
	return refuses(flags) ? -1 : NEXT(open64)(path, flags, mode);
}
