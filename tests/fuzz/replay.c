/* Runs a fuzz target over files and folders, and over damaged copies of each: every file once as it
 * is, then with single bytes changed and cut at several places, the same ones each time. */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

enum { SIZE_MAX_REPLAYED = 1 << 20, DAMAGES = 12 };

static unsigned long runs;

static void damage(const uint8_t *data, size_t size, uint8_t *copy)
{
	uint32_t state = (uint32_t)size;
	for (int i = 0; i < DAMAGES && size; i++) {
		memcpy(copy, data, size);
		for (int k = 0; k <= i % 3; k++) {
			state = state * 1664525u + 1013904223u;
			copy[state % size] ^= (uint8_t)(1 << (state >> 24) % 8);
		}
		LLVMFuzzerTestOneInput(copy, i % 4 ? size : state % size);
		runs++;
	}
}

static int replay(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = malloc(SIZE_MAX_REPLAYED), *copy = malloc(SIZE_MAX_REPLAYED);
	if (!file || !data || !copy) {
		fprintf(stderr, "cannot read %s\n", path);
		exit(2);
	}
	size_t size = fread(data, 1, SIZE_MAX_REPLAYED, file);
	fclose(file);
	LLVMFuzzerTestOneInput(data, size);
	runs++;
	damage(data, size, copy);
	free(copy);
	free(data);
	return 0;
}

static int visit(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st;
	(void)where;
	return kind == FTW_F ? replay(path) : 0;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (nftw(argv[i], visit, 16, FTW_PHYS))
			return 2;
	printf("%lu inputs\n", runs);
	return runs ? 0 : 1;
}
