/* Casts between the floating-point dtypes, bit for bit as torch's own code for any processor rounds
 * them: all go through float32, so that float64 to a half rounds twice. What torch makes of NaN
 * where it has code for special processors differs from that, and from one length of a tensor to
 * the next.
 *
 * A cast is two loops, to float32 and from there, over pieces that stay in the nearest cache. They
 * have no branches, so that compilers make vectors of them; on x86 a second copy of each is made
 * for AVX2, and halves have an instruction of their own. Values are little endian in memory, the
 * float32 between the loops too. */
#include "model.h"

#include <endian.h>

#if defined(__x86_64__) && defined(__GNUC__)
#define HAS_AVX2
#ifndef __clang__ /* which has no name for F16C when a processor is asked what it supports */
#define HAS_F16C
#include <immintrin.h>
#endif
#endif

#define INLINE static inline __attribute__((always_inline))

/* ---- one value ---- */

/* What is special among the numbers of a small float, but for zeros. */
typedef enum {
	IEEE,   /* the largest exponent is for infinity and NaN */
	FINITE, /* no infinity; NaN is the largest number of either sign */
	FNUZ    /* no infinity, no negative zero: NaN stands in its place */
} specials;

typedef struct {
	unsigned exponent, fraction; /* bits */
	unsigned bias;
	uint32_t nan;                /* what torch writes, but for the sign */
	specials specials;
} small_float;

static const small_float half = {5, 10, 15, 0x7E00, IEEE};
static const small_float e5m2 = {5, 2, 15, 0x7F, IEEE};
static const small_float e4m3 = {4, 3, 7, 0x7F, FINITE};
static const small_float e5m2fnuz = {5, 2, 16, 0x80, FNUZ};
static const small_float e4m3fnuz = {4, 3, 8, 0x80, FNUZ};

enum {
	FRACTION = 23, BIAS = 127, /* of float32 */
	INFINITE = 0x7F800000,
	QUIET = 0x400000,
	ODD_NAN = 0x7F800001,      /* what torch makes of NaNs without a sign */
	BF16_NAN = 0x7FC0,         /* the one that torch writes */
};

/* Here and below the builtin: a hardened memcpy is a call, of which clang makes no vectors. */
INLINE uint32_t bits_of(float value)
{
	uint32_t bits;
	__builtin_memcpy(&bits, &value, sizeof bits);
	return bits;
}

INLINE float float_of(uint32_t bits)
{
	float value;
	__builtin_memcpy(&value, &bits, sizeof value);
	return value;
}

/* Both have been worked out: a branch here would keep compilers from making vectors. */
INLINE uint32_t choose(bool first, uint32_t one, uint32_t other)
{
	uint32_t mask = 0 - (uint32_t)first;
	return (one & mask) | (other & ~mask);
}

INLINE float power_of_two(unsigned exponent)
{
	return float_of((uint32_t)exponent << FRACTION);
}

INLINE uint32_t widen(uint32_t code, small_float f)
{
	const int32_t all = (int32_t)(((1u << f.exponent) - 1) << f.fraction);
	const unsigned up = FRACTION - f.fraction;
	int32_t magnitude = (int32_t)(code & ((1u << (f.exponent + f.fraction)) - 1));
	uint32_t sign = code >> (f.exponent + f.fraction) << 31;
	uint32_t normal = ((uint32_t)magnitude << up) + ((BIAS - f.bias) << FRACTION);
	/* the others are a whole number of the smallest one */
	float least = power_of_two(BIAS + 1 - f.bias - f.fraction);
	uint32_t small = bits_of((float)magnitude * least);
	uint32_t bits = choose(magnitude < 1 << f.fraction, small, normal);
	if (f.specials == IEEE) {
		uint32_t special = (uint32_t)magnitude << up | INFINITE |
		                   (magnitude > all ? QUIET : 0);
		bits = choose(magnitude >= all, special, bits);
	} else if (f.specials == FINITE) {
		bits = choose((uint32_t)magnitude == f.nan, f.nan << up | INFINITE, bits);
	} else {
		return choose(code == f.nan, ODD_NAN, bits | sign);
	}
	return bits | sign;
}

INLINE uint32_t widen_scale(uint32_t exponent) /* float8_e8m0fnu: powers of two, and NaN */
{
	uint32_t bits = exponent ? exponent << FRACTION : 1u << (FRACTION - 1);
	return exponent == 255 ? ODD_NAN : bits;
}

/* Drops the `drop` lowest bits, to the nearest, ties to even. */
INLINE uint32_t round_off(uint32_t bits, unsigned drop)
{
	return (bits + (1u << (drop - 1)) - 1 + (bits >> drop & 1)) >> drop;
}

INLINE uint32_t narrow(uint32_t bits, small_float f)
{
	const unsigned down = FRACTION - f.fraction;
	const int32_t least = (int32_t)((BIAS + 1 - f.bias) << FRACTION);
	/* infinity, or the NaN that stands where there is none */
	const int32_t beyond = f.specials == IEEE
	        ? (int32_t)(((1u << f.exponent) - 1) << f.fraction) : (int32_t)f.nan;
	int32_t magnitude = (int32_t)(bits & INT32_MAX);
	uint32_t sign = bits >> 31 << (f.exponent + f.fraction);
	int32_t normal = (int32_t)round_off((uint32_t)magnitude -
	                                    ((BIAS - f.bias) << FRACTION), down);
	normal = normal < beyond ? normal : beyond;
	/* this sum has room for multiples of the smallest number only, and is rounded to one */
	const float ruler = power_of_two(BIAS + 1 - f.bias - f.fraction + FRACTION);
	uint32_t small = bits_of(float_of((uint32_t)magnitude) + ruler) - bits_of(ruler);
	uint32_t code = choose(magnitude < least, small, (uint32_t)normal);
	if (f.specials == IEEE)
		code = choose(magnitude > INFINITE, f.nan, code);
	return code | sign;
}

INLINE uint32_t narrow_bfloat16(uint32_t bits)
{
	return (int32_t)(bits & INT32_MAX) > INFINITE ? BF16_NAN : round_off(bits, 16);
}

float ck_half_to_float(uint16_t value)
{
	return float_of(widen(value, half));
}

uint16_t ck_float_to_half(float value)
{
	return (uint16_t)narrow(bits_of(value), half);
}

float ck_bfloat16_to_float(uint16_t value)
{
	return float_of((uint32_t)value << 16);
}

uint16_t ck_float_to_bfloat16(float value)
{
	return (uint16_t)narrow_bfloat16(bits_of(value));
}

/* ---- loops ---- */

INLINE uint32_t load16(const unsigned char *from, size_t i)
{
	uint16_t bits;
	__builtin_memcpy(&bits, from + i * sizeof bits, sizeof bits);
	return le16toh(bits);
}

INLINE uint32_t load32(const unsigned char *from, size_t i)
{
	uint32_t bits;
	__builtin_memcpy(&bits, from + i * sizeof bits, sizeof bits);
	return le32toh(bits);
}

INLINE void store16(unsigned char *to, size_t i, uint32_t value)
{
	uint16_t bits = htole16((uint16_t)value);
	__builtin_memcpy(to + i * sizeof bits, &bits, sizeof bits);
}

INLINE void store32(unsigned char *to, size_t i, uint32_t bits)
{
	bits = htole32(bits);
	__builtin_memcpy(to + i * sizeof bits, &bits, sizeof bits);
}

/* A double that is no float32 is rounded, and NaN loses what it has no room for and becomes quiet,
 * as every processor does it. */
INLINE uint32_t load64(const unsigned char *from, size_t i)
{
	uint64_t bits;
	double value;
	__builtin_memcpy(&bits, from + i * sizeof bits, sizeof bits);
	bits = le64toh(bits);
	__builtin_memcpy(&value, &bits, sizeof value);
	return bits_of((float)value);
}

INLINE void store64(unsigned char *to, size_t i, uint32_t single)
{
	uint64_t bits;
	double value = (double)float_of(single);
	__builtin_memcpy(&bits, &value, sizeof bits);
	bits = htole64(bits);
	__builtin_memcpy(to + i * sizeof bits, &bits, sizeof bits);
}

typedef void loop(unsigned char *restrict to, const unsigned char *restrict from, size_t count);

#ifdef HAS_AVX2
#define AVX2(name, each)                                                                         \
	__attribute__((target("avx2"))) static void name##_fast(                                 \
		unsigned char *restrict to, const unsigned char *restrict from, size_t count)    \
	{                                                                                        \
		for (size_t i = 0; i < count; i++)                                               \
			each;                                                                    \
	}
#define BOTH(name) {name, name##_fast}
#else
#define AVX2(name, each)
#define BOTH(name) {name}
#endif

#define PLAIN_LOOP(name, each)                                                                   \
	static void name(unsigned char *restrict to, const unsigned char *restrict from,         \
	                 size_t count)                                                           \
	{                                                                                        \
		for (size_t i = 0; i < count; i++)                                               \
			each;                                                                    \
	}

#define LOOP(name, each) PLAIN_LOOP(name, each) AVX2(name, each)

LOOP(from_f64, store32(to, i, load64(from, i)))
LOOP(from_f16, store32(to, i, widen(load16(from, i), half)))
LOOP(from_bf16, store32(to, i, load16(from, i) << 16))
LOOP(from_e5m2, store32(to, i, widen(from[i], e5m2)))
LOOP(from_e4m3, store32(to, i, widen(from[i], e4m3)))
LOOP(from_e5m2fnuz, store32(to, i, widen(from[i], e5m2fnuz)))
LOOP(from_e4m3fnuz, store32(to, i, widen(from[i], e4m3fnuz)))
LOOP(from_e8m0, store32(to, i, widen_scale(from[i])))
LOOP(to_f64, store64(to, i, load32(from, i)))
PLAIN_LOOP(to_f16, store16(to, i, narrow(load32(from, i), half)))
LOOP(to_bf16, store16(to, i, narrow_bfloat16(load32(from, i))))
LOOP(to_e5m2, to[i] = (unsigned char)narrow(load32(from, i), e5m2))
LOOP(to_e4m3, to[i] = (unsigned char)narrow(load32(from, i), e4m3))

#ifdef HAS_F16C
/* The processor keeps what it can of a NaN, torch only its sign. */
__attribute__((target("avx2,f16c"))) static void to_f16_fast(
	unsigned char *restrict to, const unsigned char *restrict from, size_t count)
{
	enum { LANES = 8, NAN_SAYS = 0x1FF };
	const __m128i says = _mm_set1_epi16(NAN_SAYS);
	for (; count >= LANES; count -= LANES, from += LANES * 4, to += LANES * 2) {
		__m256 floats = _mm256_castsi256_ps(_mm256_loadu_si256((const void *)from));
		__m256i nans = _mm256_castps_si256(_mm256_cmp_ps(floats, floats, _CMP_UNORD_Q));
		__m128i halves = _mm256_cvtps_ph(floats, _MM_FROUND_TO_NEAREST_INT);
		__m128i nan = _mm_packs_epi32(_mm256_castsi256_si128(nans),
		                              _mm256_extracti128_si256(nans, 1));
		halves = _mm_andnot_si128(_mm_and_si128(nan, says), halves);
		_mm_storeu_si128((void *)to, halves);
	}
	to_f16(to, from, count);
}
#else
AVX2(to_f16, store16(to, i, narrow(load32(from, i), half)))
#endif

typedef struct {
	bool is_float;
	loop *from[2], *to[2]; /* float32; for every processor, and for those with AVX2, F16C */
} cast_row;

static const cast_row cast_table[CK_DTYPE_COUNT] = {
	[CK_DT_F64] = {true, BOTH(from_f64), BOTH(to_f64)},
	[CK_DT_F32] = {.is_float = true},
	[CK_DT_F16] = {true, BOTH(from_f16), BOTH(to_f16)},
	[CK_DT_BF16] = {true, BOTH(from_bf16), BOTH(to_bf16)},
	[CK_DT_F8_E5M2] = {true, BOTH(from_e5m2), BOTH(to_e5m2)},
	[CK_DT_F8_E4M3] = {true, BOTH(from_e4m3), BOTH(to_e4m3)},
	[CK_DT_F8_E5M2FNUZ] = {.is_float = true, .from = BOTH(from_e5m2fnuz)},
	[CK_DT_F8_E4M3FNUZ] = {.is_float = true, .from = BOTH(from_e4m3fnuz)},
	[CK_DT_F8_E8M0] = {.is_float = true, .from = BOTH(from_e8m0)},
};

static size_t processor(void)
{
#if defined(HAS_F16C)
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("f16c") ? 1 : 0;
#elif defined(HAS_AVX2)
	return __builtin_cpu_supports("avx2") ? 1 : 0;
#else
	return 0;
#endif
}

bool ck_cast_is_float(ck_dtype dtype)
{
	return cast_table[dtype].is_float;
}

bool ck_cast_is_known(ck_dtype from, ck_dtype to)
{
	return cast_table[from].is_float && (cast_table[to].to[0] || to == CK_DT_F32) && from != to;
}

void ck_cast_with(ck_dtype from, ck_dtype to, bool plain, const void *items, size_t count,
                  void *out)
{
	enum { PIECE = 2048 };
	unsigned char between[PIECE * sizeof(float)];
	size_t which = plain ? 0 : processor();
	loop *first = cast_table[from].from[which], *second = cast_table[to].to[which];
	const unsigned char *at = items;
	unsigned char *made = out;
	if (!first || !second) {
		(first ? first : second)(made, at, count);
		return;
	}
	while (count) {
		size_t some = count < PIECE ? count : PIECE;
		first(between, at, some);
		second(made, between, some);
		at += some * ck_dtype_table[from].size;
		made += some * ck_dtype_table[to].size;
		count -= some;
	}
}

void ck_cast_run(ck_dtype from, ck_dtype to, const void *items, size_t count, void *out)
{
	ck_cast_with(from, to, false, items, count, out);
}
