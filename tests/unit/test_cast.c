/* Casts, held against exact arithmetic: the number that a code stands for is a whole number times
 * a power of two, and what it is rounded to is found by going through the codes of the other type.
 * Nothing here adds, multiplies or shifts a float. */
#include <string.h>

#include "model.h"
#include "unit.h"

/* ---- what codes stand for ---- */

typedef enum { WITH_INFINITY, NAN_AT_THE_END, NAN_FOR_MINUS_ZERO, POWERS } kind;

typedef struct {
	ck_dtype dtype;
	kind kind;
	int exponent, fraction, bias;
} type;

static const type types[] = {
	{CK_DT_F64, WITH_INFINITY, 11, 52, 1023},
	{CK_DT_F32, WITH_INFINITY, 8, 23, 127},
	{CK_DT_F16, WITH_INFINITY, 5, 10, 15},
	{CK_DT_BF16, WITH_INFINITY, 8, 7, 127},
	{CK_DT_F8_E5M2, WITH_INFINITY, 5, 2, 15},
	{CK_DT_F8_E4M3, NAN_AT_THE_END, 4, 3, 7},
	{CK_DT_F8_E5M2FNUZ, NAN_FOR_MINUS_ZERO, 5, 2, 16},
	{CK_DT_F8_E4M3FNUZ, NAN_FOR_MINUS_ZERO, 4, 3, 8},
	{CK_DT_F8_E8M0, POWERS, 8, 0, 127},
};

enum { F64, F32, F16, BF16, E5M2, E4M3, TARGETS, TYPES = CK_COUNT(types) };

static uint64_t sign_of(const type *t)
{
	return t->kind == POWERS ? 0 : UINT64_C(1) << (t->exponent + t->fraction);
}

static uint64_t size_of(const type *t)
{
	return ck_dtype_table[t->dtype].size;
}

/* The first code, without its sign, that is no number. */
static uint64_t end_of(const type *t)
{
	switch (t->kind) {
	case WITH_INFINITY:
		return ((UINT64_C(1) << t->exponent) - 1) << t->fraction;
	case NAN_AT_THE_END:
		return sign_of(t) - 1;
	case POWERS:
		return 255;
	default:
		return sign_of(t);
	}
}

static bool is_nan(const type *t, uint64_t code)
{
	if (t->kind == NAN_FOR_MINUS_ZERO)
		return code == sign_of(t);
	code &= ~sign_of(t);
	return t->kind == WITH_INFINITY ? code > end_of(t) : code == end_of(t);
}

static bool is_finite(int number, uint64_t code)
{
	const type *t = &types[number];
	bool infinite = t->kind == WITH_INFINITY && (code & ~sign_of(t)) == end_of(t);
	return !infinite && !is_nan(t, code);
}

/* m times 2 to the e */
typedef struct {
	uint64_t m;
	int e;
} real;

/* Of a code without its sign; codes that are no numbers go on as if they were. */
static real real_of(const type *t, uint64_t code)
{
	if (t->kind == POWERS)
		return (real){1, (int)code - t->bias};
	uint64_t fraction = code & ((UINT64_C(1) << t->fraction) - 1);
	int exponent = (int)(code >> t->fraction);
	if (exponent)
		return (real){fraction | UINT64_C(1) << t->fraction,
		              exponent - t->bias - t->fraction};
	return (real){fraction, 1 - t->bias - t->fraction};
}

static int length(uint64_t m)
{
	return m ? 64 - __builtin_clzll(m) : 0;
}

static int compare(real a, real b)
{
	if (!a.m || !b.m)
		return (a.m > 0) - (b.m > 0);
	int tops = a.e + length(a.m) - b.e - length(b.m);
	if (tops)
		return tops < 0 ? -1 : 1;
	unsigned __int128 x = a.m, y = b.m;
	if (a.e > b.e)
		x <<= a.e - b.e;
	else
		y <<= b.e - a.e;
	return x < y ? -1 : x > y;
}

static real middle(real a, real b)
{
	int e = a.e < b.e ? a.e : b.e;
	return (real){(a.m << (a.e - e)) + (b.m << (b.e - e)), e - 1};
}

/* ---- what must come out ---- */

/* The nearest code; of two that are as near, the even one. */
static uint64_t nearest(const type *t, real value)
{
	uint64_t low = 0, high = end_of(t); /* low <= value < high, as if they went on */
	if (compare(value, real_of(t, high)) >= 0)
		return high;
	while (high - low > 1) {
		uint64_t half = low + (high - low) / 2;
		if (compare(real_of(t, half), value) <= 0)
			low = half;
		else
			high = half;
	}
	int side = compare(value, middle(real_of(t, low), real_of(t, high)));
	return side > 0 || (!side && low & 1) ? high : low;
}

/* A NaN as float32: torch keeps what it says where its own code or the processor does. */
static uint32_t single_nan(int from, uint64_t code)
{
	const type *t = &types[from];
	uint32_t sign = code & sign_of(t) ? 0x80000000 : 0;
	uint64_t fraction = code & ((UINT64_C(1) << t->fraction) - 1);
	if (t->kind == POWERS || t->kind == NAN_FOR_MINUS_ZERO)
		return 0x7F800001;
	if (from == E4M3)
		return sign | 0x7FF00000;
	if (from == F64)
		return sign | 0x7FC00000 | (uint32_t)(fraction >> 29);
	uint32_t single = (uint32_t)(fraction << (23 - t->fraction));
	return sign | 0x7F800000 | single | (from == F32 || from == BF16 ? 0 : 0x400000);
}

static uint64_t cast_nan(int from, int to, uint64_t code)
{
	uint32_t single = from == F32 ? (uint32_t)code : single_nan(from, code);
	uint64_t sign = single >> 31 ? sign_of(&types[to]) : 0;
	switch (to) {
	case F64:
		return sign | UINT64_C(0x7FF8) << 48 | (uint64_t)(single & 0x7FFFFF) << 29;
	case F32:
		return single;
	case F16:
		return sign | 0x7E00;
	case BF16:
		return 0x7FC0;
	default:
		return sign | 0x7F;
	}
}

static uint64_t expect(int from, int to, uint64_t code)
{
	const type *t = &types[from];
	if (is_nan(t, code))
		return cast_nan(from, to, code);
	if (from == F64 && to != F32)
		return expect(F32, to, expect(F64, F32, code));
	uint64_t sign = code & sign_of(t) ? sign_of(&types[to]) : 0;
	code &= ~sign_of(t);
	if (t->kind == WITH_INFINITY && code == end_of(t))
		return sign | end_of(&types[to]);
	return sign | nearest(&types[to], real_of(t, code));
}

/* ---- what comes out ---- */

static void put(unsigned char *at, uint64_t code, uint64_t size)
{
	for (; size--; code >>= 8)
		*at++ = (unsigned char)code;
}

static uint64_t get(const unsigned char *at, uint64_t size)
{
	uint64_t code = 0;
	while (size--)
		code = code << 8 | at[size];
	return code;
}

static void hold(int from, int to, const uint64_t *codes, const uint64_t *wanted,
                 const unsigned char *made, size_t count, const char *how)
{
	uint64_t out = size_of(&types[to]);
	for (size_t i = 0; i < count; i++) {
		uint64_t got = get(made + i * out, out);
		if (got != wanted[i])
			ck_abort_msg("%s %llx to %s: %llx, not %llx (%s)",
			             ck_dtype_table[types[from].dtype].torch,
			             (unsigned long long)codes[i],
			             ck_dtype_table[types[to].dtype].torch,
			             (unsigned long long)got, (unsigned long long)wanted[i], how);
	}
	ck_assert_int_eq(made[count * out], 0xA5);
}

/* Casts codes, with the code for any processor and for this one, and looks at each; the values that
 * are lost are counted. */
static void check(int from, int to, const uint64_t *codes, size_t count)
{
	uint64_t in = size_of(&types[from]), out = size_of(&types[to]), lost = 0;
	ck_dtype a = types[from].dtype, b = types[to].dtype;
	unsigned char *items = malloc(count * in), *made = malloc(count * out + 1);
	uint64_t *wanted = malloc(count * sizeof *wanted);
	for (size_t i = 0; i < count; i++) {
		put(items + i * in, codes[i], in);
		wanted[i] = expect(from, to, codes[i]);
		lost += is_finite(from, codes[i]) && !is_finite(to, wanted[i]);
	}
	made[count * out] = 0xA5;
	ck_cast_with(a, b, false, items, count, made);
	hold(from, to, codes, wanted, made, count, "fast");
	ck_cast_with(a, b, true, items, count, made);
	hold(from, to, codes, wanted, made, count, "plain");
	ck_assert_uint_eq(ck_cast_count(a, b, items, count, made), lost);
	hold(from, to, codes, wanted, made, count, "counted");
	free(items);
	free(made);
	free(wanted);
}

/* One of many codes will do where each takes long. */
static void check_all(int from, uint64_t *codes, size_t count)
{
	size_t step = unit_rounds(10) < 10 ? 37 : 1;
	for (size_t i = 0; i * step < count; i++)
		codes[i] = codes[i * step];
	count = (count + step - 1) / step;
	for (int to = 0; to < TARGETS; to++)
		if (to != from)
			check(from, to, codes, count);
}

START_TEST(every_half_and_every_byte_is_cast_exactly)
{
	uint64_t *codes = malloc(65536 * sizeof *codes);
	for (int from = 0; from < TYPES; from++) {
		for (uint64_t i = 0; i < 65536; i++)
			codes[i] = i;
		if (size_of(&types[from]) <= 2)
			check_all(from, codes, size_of(&types[from]) == 1 ? 256 : 65536);
	}
	free(codes);
}
END_TEST

typedef struct {
	uint64_t *code;
	size_t count, cap;
} list;

static void add(list *to, uint64_t code)
{
	if (to->count == to->cap) {
		to->cap = to->cap ? 2 * to->cap : 4096;
		to->code = realloc(to->code, to->cap * sizeof *to->code);
	}
	to->code[to->count++] = code;
}

/* The code, its neighbours, and all with the other sign. */
static void add_around(list *to, const type *t, uint64_t code)
{
	for (uint64_t i = code ? code - 1 : 0; i <= code + 1; i++) {
		add(to, i);
		add(to, i | sign_of(t));
	}
}

/* Every number of a small type, and every middle between two, with its neighbours. */
static void add_boundaries(list *to, const type *t, const type *small)
{
	uint64_t end = end_of(small), step = end > 40000 ? 7 : 1;
	for (uint64_t code = 0; code <= end; code += step) {
		real here = real_of(small, code), next = real_of(small, code + 1);
		add_around(to, t, nearest(t, here));
		add_around(to, t, nearest(t, middle(here, next)));
	}
}

static uint64_t random_code(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state * UINT64_C(0x2545F4914F6CDD1D);
}

static list hard_codes(const type *t)
{
	list codes = {0};
	uint64_t state = 88172645463325252, all = sign_of(t) | (sign_of(t) - 1);
	for (int small = F16; small < TARGETS; small++)
		add_boundaries(&codes, t, &types[small]);
	for (uint64_t i = 0; i < 300; i++) { /* both ends of the numbers, and NaN */
		add_around(&codes, t, i);
		add_around(&codes, t, end_of(t) - 150 + i);
		add_around(&codes, t, (sign_of(t) - 1) - i);
		add_around(&codes, t, (UINT64_C(1) << t->fraction) - 150 + i);
	}
	for (int i = 0; i < unit_rounds(60000); i++)
		add(&codes, random_code(&state) & all);
	for (int i = 0; i < unit_rounds(60000); i++) { /* of the size that weights have */
		uint64_t exponent = (uint64_t)t->bias - 30 + random_code(&state) % 50;
		uint64_t fraction = random_code(&state) & ((UINT64_C(1) << t->fraction) - 1);
		add(&codes, exponent << t->fraction | fraction);
	}
	return codes;
}

START_TEST(singles_are_rounded_to_the_nearest_and_ties_to_even)
{
	list codes = hard_codes(&types[F32]);
	ck_assert_uint_gt(codes.count, 400000);
	check_all(F32, codes.code, codes.count);
	free(codes.code);
}
END_TEST

START_TEST(doubles_become_singles_before_they_become_anything_smaller)
{
	list codes = hard_codes(&types[F64]);
	for (uint64_t i = 0; i < 60000; i++) { /* middles between singles */
		real here = real_of(&types[F32], i * 35461), next = real_of(&types[F32],
		                                                             i * 35461 + 1);
		add_around(&codes, &types[F64], nearest(&types[F64], middle(here, next)));
	}
	check_all(F64, codes.code, codes.count);
	free(codes.code);
	/* 1 + 2^-11 + 2^-40 is above the middle of two halves, but not as a float32 */
	ck_assert_uint_eq(expect(F64, F16, UINT64_C(0x3FF0020000001000)), 0x3C00);
}
END_TEST

/* Numbers that anybody can look up, so that the reference is held against something, too. */
START_TEST(what_everybody_knows)
{
	static const struct {
		int from, to;
		uint64_t code, want;
	} known[] = {
		{F32, F16, 0x3F800000, 0x3C00},  /* 1 */
		{F32, F16, 0x477FE000, 0x7BFF},  /* 65504 */
		{F32, F16, 0x477FF000, 0x7C00},  /* 65520: infinity */
		{F32, F16, 0x477FEFFF, 0x7BFF},
		{F32, F16, 0x33000000, 0x0000},  /* 2^-25: half of the smallest */
		{F32, F16, 0x33000001, 0x0001},
		{F32, BF16, 0x3F808000, 0x3F80}, /* a tie */
		{F32, BF16, 0x3F818000, 0x3F82}, /* another */
		{F32, BF16, 0x7F7FFFFF, 0x7F80},
		{F32, E4M3, 0x43E00000, 0x7E},   /* 448, the largest */
		{F32, E4M3, 0x43E80000, 0x7E},   /* 464: a tie */
		{F32, E4M3, 0x43E80001, 0x7F},   /* NaN */
		{F32, E4M3, 0x7F800000, 0x7F},   /* infinity */
		{F32, E4M3, 0xFF800000, 0xFF},
		{F32, E5M2, 0x47600000, 0x7B},   /* 57344, the largest */
		{F32, E5M2, 0x476FFFFF, 0x7B},
		{F32, E5M2, 0x47700000, 0x7C},   /* 61440: infinity */
		{F32, E5M2, 0x80000000, 0x80},
		{E4M3, F32, 0x01, 0x3B000000},   /* 2^-9 */
		{E5M2, F16, 0x7B, 0x7B00},
		{F16, F32, 0x7C01, 0x7FC02000},
		{BF16, F32, 0x7F81, 0x7F810000},
		{E4M3, F64, 0x7F, UINT64_C(0x7FFE000000000000)},
	};
	for (size_t i = 0; i < CK_COUNT(known); i++) {
		ck_assert_uint_eq(expect(known[i].from, known[i].to, known[i].code),
		                  known[i].want);
		check(known[i].from, known[i].to, &known[i].code, 1);
	}
}
END_TEST

START_TEST(any_length_and_any_place_in_memory_will_do)
{
	unsigned char in[4 * 5000 + 8], out[2 * 5000 + 8], one[2];
	uint64_t state = 1;
	for (size_t i = 0; i < sizeof in; i++)
		in[i] = (unsigned char)random_code(&state);
	for (size_t count = 0; count < 5000; count += count < 80 ? 1 : 379) {
		size_t at = count % 5, to = count % 3;
		memset(out, 0x5A, sizeof out);
		ck_cast_run(CK_DT_F32, CK_DT_F16, in + at, count, out + to);
		for (size_t i = 0; i < count; i++) {
			ck_cast_run(CK_DT_F32, CK_DT_F16, in + at + 4 * i, 1, one);
			ck_assert_quick(!memcmp(one, out + to + 2 * i, 2));
		}
		ck_assert_int_eq(out[to + 2 * count], 0x5A);
	}
}
END_TEST

/* One among many, at any place. */
START_TEST(a_single_value_that_is_lost_is_counted)
{
	enum { MANY = 5000 };
	static float in[MANY];
	static unsigned char out[MANY * 4];
	for (size_t at = 0; at < MANY; at += 61) {
		in[at] = -1e6f;
		ck_assert_uint_eq(ck_cast_count(CK_DT_F32, CK_DT_F16, in, MANY, out), 1);
		ck_assert_uint_eq(ck_cast_count(CK_DT_F32, CK_DT_F8_E4M3, in, MANY, out), 1);
		ck_assert_uint_eq(ck_cast_count(CK_DT_F32, CK_DT_BF16, in, MANY, out), 0);
		in[at] = 3.4e38f;
		ck_assert_uint_eq(ck_cast_count(CK_DT_F32, CK_DT_BF16, in, MANY, out), 1);
		in[at] = 0;
	}
}
END_TEST

START_TEST(only_floats_are_cast_and_only_to_what_models_are_kept_in)
{
	int known = 0;
	for (int from = 0; from < CK_DTYPE_COUNT; from++)
		for (int to = 0; to < CK_DTYPE_COUNT; to++)
			known += ck_cast_is_known((ck_dtype)from, (ck_dtype)to);
	ck_assert_int_eq(known, 9 * 6 - 6);
	ck_assert(!ck_cast_is_known(CK_DT_I32, CK_DT_F32));
	ck_assert(!ck_cast_is_known(CK_DT_C64, CK_DT_F32));
	ck_assert(!ck_cast_is_known(CK_DT_F32, CK_DT_F8_E8M0));
	ck_assert(!ck_cast_is_known(CK_DT_F16, CK_DT_F16));
}
END_TEST

/* ---- tensors ---- */

/* Turned, negative, of the other byte order, and cast: the values are those of its elements. */
START_TEST(values_are_cast_after_all_that_is_done_to_them)
{
	ck_job *job = ck_base_job_new();
	unsigned char data[4 * 3 * 700];
	uint64_t state = 5, shape[] = {700, 3}, stride[] = {1, 700};
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (unsigned char)random_code(&state);
	ck_storage storage = {.label = "s", .key = "s", .key_len = 1, .size = sizeof data,
	                      .held = sizeof data, .big_endian = true,
	                      .source = ck_source_memory(job, "s", data, sizeof data)};
	ck_tensor plain = {.storage = &storage, .dtype = CK_DT_F32, .ndim = 2, .shape = shape,
	                   .stride = stride, .neg = true};
	ck_assert(ck_tensor_check(job, &plain, "s", "t"));
	ck_tensor *late = ck_tensor_cast_late(job, &plain, CK_DT_F16);
	ck_assert(late && late->bytes == 4200 && late->dtype == CK_DT_F16 && plain.same == late);
	ck_assert(ck_tensor_held(late) == CK_DT_F32 && !ck_tensor_same_view(late, &plain));
	const unsigned char *values = ck_tensor_values(job, late);
	ck_assert(values);
	for (size_t i = 0; i < 2100; i++) {
		const unsigned char *at = data + 4 * (i % 3 * 700 + i / 3);
		uint32_t bits = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
		                (uint32_t)at[2] << 8 | at[3];
		ck_assert_uint_eq(get(values + 2 * i, 2), expect(F32, F16, bits ^ 0x80000000));
	}
	ck_base_job_free(job);
}
END_TEST

START_TEST(what_is_cast_must_fit_63_bits)
{
	ck_job *job = ck_base_job_new();
	uint64_t shape[] = {UINT64_C(1) << 62}, stride[] = {0};
	ck_storage storage = {.label = "s", .key = "s", .key_len = 1, .size = 1, .held = 1,
	                      .source = ck_source_memory(job, "s", "", 1)};
	ck_tensor plain = {.storage = &storage, .dtype = CK_DT_F8_E5M2, .ndim = 1, .shape = shape,
	                   .stride = stride};
	ck_assert(ck_tensor_check(job, &plain, "s", "t"));
	ck_assert(!ck_tensor_cast_late(job, &plain, CK_DT_F16));
	ck_assert_failed(job, CK_CORRUPT, "63 bits");
	ck_base_job_free(job);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cast");
	TCase *tcase = tcase_create("cast");
	tcase_add_test(tcase, every_half_and_every_byte_is_cast_exactly);
	tcase_add_test(tcase, singles_are_rounded_to_the_nearest_and_ties_to_even);
	tcase_add_test(tcase, doubles_become_singles_before_they_become_anything_smaller);
	tcase_add_test(tcase, what_everybody_knows);
	tcase_add_test(tcase, any_length_and_any_place_in_memory_will_do);
	tcase_add_test(tcase, a_single_value_that_is_lost_is_counted);
	tcase_add_test(tcase, only_floats_are_cast_and_only_to_what_models_are_kept_in);
	tcase_add_test(tcase, values_are_cast_after_all_that_is_done_to_them);
	tcase_add_test(tcase, what_is_cast_must_fit_63_bits);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
