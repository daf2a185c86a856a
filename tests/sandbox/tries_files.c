/* What a confined process attempts with files, descriptors and the network. */
#include "attempts.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static long try_open(void)
{
	return open(scene.victim, O_RDONLY);
}

static long try_open_passwd(void)
{
	return open("/etc/passwd", O_RDONLY);
}

static long try_create(void)
{
	return open(scene.other, O_CREAT | O_WRONLY, 0600);
}

static long try_openat_dir(void)
{
	return openat(scene.dir_fd, "victim", O_RDONLY);
}

static long try_openat2(void)
{
	static const uint64_t how[3] = {O_RDONLY, 0, 0};
	return syscall(437, AT_FDCWD, scene.victim, how, sizeof how);
}

static long try_open_own_fd(void)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/self/fd/%d", scene.file_fd);
	return open(path, O_RDWR);
}

static long try_stat(void)
{
	struct stat st;
	return stat(scene.victim, &st);
}

static long try_statx(void)
{
	struct statx st;
	return statx(AT_FDCWD, scene.victim, 0, STATX_ALL, &st);
}

static long try_access(void)
{
	return access(scene.victim, F_OK);
}

static long try_readlink(void)
{
	char to[256];
	return readlink("/proc/self/exe", to, sizeof to);
}

static long try_unlink(void)
{
	return unlink(scene.victim);
}

static long try_unlinkat_dir(void)
{
	return unlinkat(scene.dir_fd, "victim", 0);
}

static long try_truncate(void)
{
	return truncate(scene.victim, 0);
}

static long try_chmod(void)
{
	return chmod(scene.victim, 0777);
}

static long try_fchmod(void)
{
	return fchmod(scene.file_fd, 04777);
}

static long try_chown(void)
{
	return chown(scene.victim, getuid(), getgid());
}

static long try_rename(void)
{
	return rename(scene.victim, scene.other);
}

static long try_link(void)
{
	return link(scene.victim, scene.other);
}

static long try_symlink(void)
{
	return symlink("victim", scene.other);
}

static long try_mkdir(void)
{
	return mkdir(scene.other, 0700);
}

static long try_mknod(void)
{
	return mknod(scene.other, S_IFIFO | 0600, 0);
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
	return dup(scene.file_fd);
}

static long try_dup2(void)
{
	return dup2(scene.file_fd, 0);
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
	struct sockaddr_in to = {.sin_family = AF_INET};
	to.sin_port = htons((uint16_t)scene.listener_port);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return to;
}

/* On a socket that was open before. */
static long try_tcp_connect(void)
{
	struct sockaddr_in to = local();
	return connect(scene.socket_fd, (struct sockaddr *)&to, sizeof to);
}

static long try_udp_sendto(void)
{
	struct sockaddr_in to = local();
	return sendto(scene.socket_fd, "x", 1, 0, (struct sockaddr *)&to, sizeof to);
}

static long try_mount(void)
{
	return syscall(SYS_mount, "none", scene.folder, "tmpfs", 0, NULL);
}

static long try_chroot(void)
{
	return chroot(scene.folder);
}

static long try_ioctl(void)
{
	int waiting;
	return syscall(SYS_ioctl, scene.file_fd, 0x541B, &waiting); /* FIONREAD */
}

static long try_fcntl(void)
{
	return syscall(SYS_fcntl, scene.file_fd, F_GETFD);
}

static long try_tmpfile(void)
{
	return open(scene.folder, O_TMPFILE | O_RDWR, 0600);
}

static long try_sendfile(void)
{
	return sendfile(scene.pipe_fd, scene.file_fd, &(off_t){0}, 1);
}

static long try_splice(void)
{
	return syscall(SYS_splice, scene.file_fd, &(loff_t){0}, scene.pipe_fd, NULL, 1, 0);
}

static long try_vmsplice(void)
{
	return syscall(SYS_vmsplice, scene.pipe_fd, &(struct iovec){scene.victim, 1}, 1, 0);
}

static long try_name_to_handle(void)
{
	int mount;
	scene.handle_of_victim.bytes = sizeof scene.handle_of_victim.f;
	return syscall(SYS_name_to_handle_at, scene.dir_fd, "victim", &scene.handle_of_victim,
	               &mount, 0);
}

static long try_open_by_handle(void)
{
	return syscall(SYS_open_by_handle_at, scene.dir_fd, &scene.handle_of_victim, O_RDONLY);
}

static long try_open_tree(void)
{
	return syscall(428, scene.dir_fd, "victim", 0);
}

static long try_inotify(void)
{
	return syscall(SYS_inotify_init1, 0);
}

static long try_fanotify(void)
{
	return syscall(SYS_fanotify_init, 0, O_RDONLY);
}

static long try_eventfd(void)
{
	return syscall(SYS_eventfd2, 0, 0);
}

static long try_epoll(void)
{
	return syscall(SYS_epoll_create1, 0);
}

static long try_timerfd(void)
{
	return syscall(SYS_timerfd_create, CLOCK_MONOTONIC, 0);
}

static long try_signalfd(void)
{
	static uint64_t none;
	return syscall(SYS_signalfd4, -1, &none, sizeof none, 0);
}

static long try_setxattr(void)
{
	return syscall(SYS_fsetxattr, scene.file_fd, "user.ckconv", "x", 1, 0);
}

static long try_getdents(void)
{
	static char entries[4096];
	return syscall(SYS_getdents64, scene.dir_fd, entries, sizeof entries);
}

/* Longer than any file may get. */
static long try_write_far(void)
{
	return pwrite(scene.file_fd, "x", 1, FILE_MOST);
}

static long try_grow_far(void)
{
	return ftruncate(scene.file_fd, FILE_MOST + 1);
}

static long try_allocate_far(void)
{
	return fallocate(scene.file_fd, 0, 0, FILE_MOST + 1);
}

/* Was open, but is not among those to keep. */
static long try_forgotten_descriptor(void)
{
	return write(scene.forgotten_fd, "x", 1);
}

const attempt file_attempts[] = {
	{"open", try_open, false}, {"open_passwd", try_open_passwd, false},
	{"create", try_create, false}, {"openat_dir", try_openat_dir, false},
	{"openat2", try_openat2, false}, {"open_own_fd", try_open_own_fd, false},
	{"stat", try_stat, true}, {"statx", try_statx, false}, {"access", try_access, false},
	{"readlink", try_readlink, false}, {"unlink", try_unlink, false},
	{"unlinkat_dir", try_unlinkat_dir, false}, {"truncate", try_truncate, false},
	{"chmod", try_chmod, false}, {"fchmod", try_fchmod, false}, {"chown", try_chown, false},
	{"rename", try_rename, false}, {"link", try_link, false},
	{"symlink", try_symlink, false}, {"mkdir", try_mkdir, false},
	{"mknod", try_mknod, false}, {"chdir", try_chdir, false}, {"memfd", try_memfd, false},
	{"dup", try_dup, false}, {"dup2", try_dup2, false}, {"pipe", try_pipe, false},
	{"socket_unix", try_socket_unix, false}, {"socket_tcp", try_socket_tcp, false},
	{"socketpair", try_socketpair, false}, {"tcp_connect", try_tcp_connect, false},
	{"udp_sendto", try_udp_sendto, false}, {"mount", try_mount, false},
	{"chroot", try_chroot, false}, {"ioctl", try_ioctl, false}, {"fcntl", try_fcntl, false},
	{"tmpfile", try_tmpfile, false}, {"sendfile", try_sendfile, false},
	{"splice", try_splice, false}, {"vmsplice", try_vmsplice, false},
	{"name_to_handle", try_name_to_handle, false},
	{"open_by_handle", try_open_by_handle, false}, {"open_tree", try_open_tree, false},
	{"inotify", try_inotify, false}, {"fanotify", try_fanotify, false},
	{"eventfd", try_eventfd, false}, {"epoll", try_epoll, false},
	{"timerfd", try_timerfd, false}, {"signalfd", try_signalfd, false},
	{"setxattr", try_setxattr, false}, {"getdents", try_getdents, false},
	{"write_far", try_write_far, true}, {"grow_far", try_grow_far, true},
	{"allocate_far", try_allocate_far, true},
	{"forgotten_descriptor", try_forgotten_descriptor, true},
	{NULL, NULL, false},
};
