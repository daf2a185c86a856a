/* Finite values that a cast made infinite or NaN, being out of the range of what they became: told
 * by the bits of both. What was made is looked at while it is in the nearest cache, and only where
 * something in it is not finite, what it was made of. */
#include "model.h"

#include <endian.h>

#if defined(__x86_64__) && defined(__GNUC__)
#define HAS_AVX2
#endif

#define INLINE static inline __attribute__((always_inline))

/* A value is not finite if these bits of it are those of `special`. The largest one has so many
 * bits of fraction behind a 1, and is times 2 to the `top`. */
typedef struct {
	uint64_t mask, special;
	int top, fraction;
} bounds;

#define ONES(bits, at) (((UINT64_C(1) << (bits)) - 1) << (at))
#define EXPONENT(bits, at) {ONES(bits, at), ONES(bits, at), (1 << (bits - 1)) - 1, at}

static const bounds table[CK_DTYPE_COUNT] = {
	[CK_DT_F64] = EXPONENT(11, 52),
	[CK_DT_F32] = EXPONENT(8, 23),
	[CK_DT_F16] = EXPONENT(5, 10),
	[CK_DT_BF16] = EXPONENT(8, 7),
	[CK_DT_F8_E5M2] = EXPONENT(5, 2),
	[CK_DT_F8_E4M3] = {0x7F, 0x7F, 8, 3},
	[CK_DT_F8_E5M2FNUZ] = {0xFF, 0x80, 15, 2},
	[CK_DT_F8_E4M3FNUZ] = {0xFF, 0x80, 7, 3},
	[CK_DT_F8_E8M0] = {0xFF, 0xFF, 127, 0},
};

INLINE uint8_t load8(const unsigned char *from, size_t i)
{
	return from[i];
}

#define LOAD(bits)                                                                               \
	INLINE uint##bits##_t load##bits(const unsigned char *from, size_t i)                    \
	{                                                                                        \
		uint##bits##_t value;                                                            \
		__builtin_memcpy(&value, from + i * sizeof value, sizeof value);                 \
		return le##bits##toh(value);                                                     \
	}

LOAD(16)
LOAD(32)
LOAD(64)

/* Of what is cast to, `special` is all of the mask, and so the most that there can be. Without
 * branches, for compilers to make vectors of; in rows, to have several of them under way. */
#define ANY(bits)                                                                                \
	INLINE bool any##bits(const unsigned char *from, size_t count, uint64_t most)            \
	{                                                                                        \
		enum { ROW = 128 * 8 / bits };                                                   \
		const uint##bits##_t mask = (uint##bits##_t)most;                                \
		uint##bits##_t peak[ROW] = {0}, all = 0;                                         \
		size_t i = 0;                                                                    \
		for (; i + ROW <= count; i += ROW)                                               \
			for (size_t k = 0; k < ROW; k++) {                                       \
				uint##bits##_t value = load##bits(from, i + k) & mask;           \
				peak[k] = value > peak[k] ? value : peak[k];                     \
			}                                                                        \
		for (size_t k = 0; k < ROW; k++)                                                 \
			all = peak[k] > all ? peak[k] : all;                                     \
		for (; i < count; i++) {                                                         \
			uint##bits##_t value = load##bits(from, i) & mask;                       \
			all = value > all ? value : all;                                         \
		}                                                                                \
		return all == mask;                                                              \
	}

ANY(8)
ANY(16)
ANY(32)

INLINE bool any_of(size_t size, const unsigned char *made, size_t count, uint64_t most)
{
	return size == 1 ? any8(made, count, most) : size == 2 ? any16(made, count, most)
	                                                       : any32(made, count, most);
}

typedef bool look(size_t size, const unsigned char *made, size_t count, uint64_t most);

static bool look_plain(size_t size, const unsigned char *made, size_t count, uint64_t most)
{
	return any_of(size, made, count, most);
}

#ifdef HAS_AVX2
__attribute__((target("avx2"))) static bool look_fast(size_t size, const unsigned char *made,
                                                      size_t count, uint64_t most)
{
	return any_of(size, made, count, most);
}
#endif

static look *looker(void)
{
#ifdef HAS_AVX2
	if (__builtin_cpu_supports("avx2"))
		return look_fast;
#endif
	return look_plain;
}

static uint64_t load(size_t size, const unsigned char *from, size_t i)
{
	return size == 1 ? load8(from, i) : size == 2 ? load16(from, i)
	     : size == 4 ? load32(from, i) : load64(from, i);
}

static uint64_t count_lost(ck_dtype from, ck_dtype to, const unsigned char *items,
                           const unsigned char *made, size_t count)
{
	const bounds before = table[from], after = table[to];
	const size_t size = ck_dtype_table[from].size, made_size = ck_dtype_table[to].size;
	uint64_t lost = 0;
	for (size_t i = 0; i < count; i++)
		lost += (load(made_size, made, i) & after.mask) == after.special &&
		        (load(size, items, i) & before.mask) != before.special;
	return lost;
}

/* All that there is of one type is within the other. */
static bool always_fits(const bounds *from, const bounds *to)
{
	return from->top < to->top || (from->top == to->top && from->fraction <= to->fraction);
}

uint64_t ck_cast_count(ck_dtype from, ck_dtype to, const void *items, size_t count, void *out)
{
	enum { PIECE = 4096 };
	look *any = always_fits(&table[from], &table[to]) ? NULL : looker();
	const size_t size = ck_dtype_table[from].size, made_size = ck_dtype_table[to].size;
	const unsigned char *at = items;
	unsigned char *made = out;
	uint64_t lost = 0;
	while (count) {
		size_t some = any && count > PIECE ? PIECE : count;
		ck_cast_run(from, to, at, some, made);
		if (any && any(made_size, made, some, table[to].mask))
			lost += count_lost(from, to, at, made, some);
		at += some * size;
		made += some * made_size;
		count -= some;
	}
	return lost;
}
