/* Landlock as kernels of all ages have it: each refuses a ruleset that it does not know, so that
 * what is asked of it must be just what its version has. The kernel is played here, by the
 * documentation of Linux (userspace-api/landlock).
 *
 * usage: landlock */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What the code under test calls instead of the kernel. */
static long play_kernel(long number, ...);
static int play_open(const char *path, int flags);
#define syscall play_kernel
#define open play_open
#include "../../src/cli/confine.c"
#undef syscall
#undef open

typedef struct {
	int version;         /* 0: it has no Landlock */
	bool scopes;         /* version 6 may lack them */
	bool restricts;      /* or only says that it does */
	int files, net, scoped; /* how many bits must be renounced */
	int want;            /* the version that is believed in */
} kernel;

static const kernel *now;
static ruleset asked;
static bool shut;

/* How many rights a version knows: of files, of the net, of scopes; and the size of its struct. */
static size_t known(const kernel *k, int *files, int *net, int *scoped)
{
	static const int rights[] = {0, 13, 14, 15, 15, 16, 16, 16, 16, 17};
	int version = k->version < 9 ? k->version : 9;
	*files = rights[version];
	*net = version >= 4 ? 2 : 0;
	*scoped = version >= 6 && k->scopes ? 2 : 0;
	return version >= 6 ? 24 : version >= 4 ? 16 : 8;
}

static long create(const ruleset *rules, size_t size)
{
	int files, net, scoped;
	size_t most = known(now, &files, &net, &scoped);
	ruleset got = {0};
	memcpy(&got, rules, size < sizeof got ? size : sizeof got);
	if (size > most) {
		errno = E2BIG;
		return -1;
	}
	if (got.files >> files || got.net >> net || got.scopes >> scoped) {
		errno = EINVAL;
		return -1;
	}
	asked = got;
	return 1000; /* no descriptor of ours */
}

static long play_kernel(long number, ...)
{
	va_list args;
	va_start(args, number);
	if (number == CALL_RESTRICT_SELF) {
		va_end(args);
		shut = now->restricts;
		return 0;
	}
	const ruleset *rules = va_arg(args, const ruleset *);
	size_t size = va_arg(args, size_t);
	va_end(args);
	if (!now->version) {
		errno = ENOSYS;
		return -1;
	}
	return rules ? create(rules, size) : now->version;
}

static int play_open(const char *path, int flags)
{
	(void)path;
	(void)flags;
	errno = EACCES;
	return shut ? -1 : 1000;
}

bool cli_filter_load(void)
{
	return false;
}

int main(void)
{
	static const kernel kernels[] = {
		{0, false, true, 0, 0, 0, 0},   {1, false, true, 13, 0, 0, 1},
		{2, false, true, 14, 0, 0, 2},  {3, false, true, 15, 0, 0, 3},
		{4, false, true, 15, 2, 0, 4},  {5, false, true, 16, 2, 0, 5},
		{6, true, true, 16, 2, 2, 6},   {6, false, true, 16, 2, 0, 6},
		{7, true, true, 16, 2, 2, 7},   {8, true, true, 16, 2, 2, 8},
		{9, true, true, 17, 2, 2, 9},   {12, true, true, 17, 2, 2, 12},
		{6, true, false, 16, 2, 2, 0},
	};
	int failed = 0;
	for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
		now = &kernels[i];
		asked = (ruleset){0};
		shut = false;
		int got = use_landlock();
		if (got == now->want && asked.files == (1u << now->files) - 1 &&
		    asked.net == (1u << now->net) - 1 && asked.scopes == (1u << now->scoped) - 1)
			continue;
		printf("version %d%s: believed in %d, files %llx, net %llx, scopes %llx\n",
		       now->version, now->scopes ? "" : " without scopes", got,
		       (unsigned long long)asked.files, (unsigned long long)asked.net,
		       (unsigned long long)asked.scopes);
		failed++;
	}
	printf("%d failed\n", failed);
	return failed > 0;
}
