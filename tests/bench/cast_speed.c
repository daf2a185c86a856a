/* Times the casts alone, on one core: prints GB/s, of what is read and what is written together,
 * for each pair of types, with the code for every processor, with that for this one, and with that
 * while values that are lost are looked for; beside it what memcpy does. Buffers are far larger
 * than any cache, and all values are small enough for every type. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model.h"

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

enum { COUNT = 16 << 20, ROUNDS = 5 };

static double best_of_casts(ck_dtype from, ck_dtype to, bool plain, const void *in, void *out)
{
	double best = 1e9;
	for (int i = 0; i < ROUNDS; i++) {
		double start = now();
		ck_cast_with(from, to, plain, in, COUNT, out);
		double took = now() - start;
		best = took < best ? took : best;
	}
	return best;
}

static double best_of_counts(ck_dtype from, ck_dtype to, const void *in, void *out)
{
	double best = 1e9;
	for (int i = 0; i < ROUNDS; i++) {
		double start = now();
		if (ck_cast_count(from, to, in, COUNT, out))
			puts("values were lost, and this is slow");
		double took = now() - start;
		best = took < best ? took : best;
	}
	return best;
}

static double best_of_copies(size_t bytes, const void *in, void *out)
{
	double best = 1e9;
	for (int i = 0; i < ROUNDS; i++) {
		double start = now();
		memcpy(out, in, bytes);
		__asm__ volatile("" : : "r"(out) : "memory"); /* or nobody would need the copy */
		double took = now() - start;
		best = took < best ? took : best;
	}
	return best;
}

int main(void)
{
	size_t bytes = (size_t)COUNT * 8;
	unsigned char *in = malloc(bytes), *out = malloc(bytes);
	uint32_t state = 1;
	if (!in || !out)
		return 1;
	for (size_t i = 0; i < bytes; i++) {
		state = state * 1664525 + 1013904223;
		in[i] = (unsigned char)(0x30 | (state >> 28));
	}
	memset(out, 1, bytes);
	printf("memcpy %.1f GB/s read and written\n",
	       2 * (double)bytes / best_of_copies(bytes, in, out) / 1e9);
	for (int from = 0; from < CK_DTYPE_COUNT; from++)
		for (int to = 0; to < CK_DTYPE_COUNT; to++) {
			ck_dtype a = (ck_dtype)from, b = (ck_dtype)to;
			if (!ck_cast_is_known(a, b))
				continue;
			double moved = (double)COUNT *
			               (ck_dtype_table[a].size + ck_dtype_table[b].size) / 1e9;
			printf("%-16s %-14s %5.1f %5.1f %5.1f\n", ck_dtype_table[a].torch,
			       ck_dtype_table[b].torch,
			       moved / best_of_casts(a, b, true, in, out),
			       moved / best_of_casts(a, b, false, in, out),
			       moved / best_of_counts(a, b, in, out));
		}
	free(in);
	free(out);
	return 0;
}
