/* Hash tables of byte strings, with a keyed hash that no file can foresee. */
#include "base.h"

#include <string.h>

struct ck_map_slot {
	const void *key; /* NULL: empty */
	uint32_t len;
	uint32_t hash;
	uint64_t value;
};

/* Polynomial hashing modulo the Mersenne prime 2^61-1 at a random point (Carter and Wegman, 1979):
 * two different keys of n bytes collide with a probability of about n/7 in 2^61. */
static const uint64_t PRIME = (UINT64_C(1) << 61) - 1;

static uint64_t mul_mod(uint64_t a, uint64_t b)
{
	__extension__ typedef unsigned __int128 wide;
	wide product = (wide)a * b;
	uint64_t sum = (uint64_t)(product & PRIME) + (uint64_t)(product >> 61);
	return sum >= PRIME ? sum - PRIME : sum;
}

uint64_t ck_hash(const ck_job *job, const void *data, size_t len)
{
	const unsigned char *key = data;
	uint64_t point = job->seed[0] % (PRIME - 2) + 2;
	uint64_t hash = len;
	while (len) {
		size_t take = len < 7 ? len : 7; /* 56 bits are always below the prime */
		uint64_t part = 0;
		if (take == 7)
			memcpy(&part, key, 7); /* a size that the compiler knows is faster */
		else
			memcpy(&part, key, take);
		hash = mul_mod(hash, point) + part;
		if (hash >= PRIME)
			hash -= PRIME;
		key += take;
		len -= take;
	}
	hash = mul_mod(hash, point) + job->seed[1] % PRIME;
	/* some of the bits choose the slot: let all bits have a say in the upper ones */
	return hash * UINT64_C(0x9E3779B97F4A7C15);
}

static uint32_t hash_of(const ck_job *job, const void *key, size_t len)
{
	return (uint32_t)(ck_hash(job, key, len) >> 32);
}

static struct ck_map_slot *slot_of(const ck_map *map, const void *key, size_t len, uint32_t hash)
{
	for (size_t i = hash & (map->cap - 1);; i = (i + 1) & (map->cap - 1)) {
		struct ck_map_slot *slot = &map->slots[i];
		if (!slot->key)
			return slot;
		if (slot->hash == hash && slot->len == len &&
		    (!len || memcmp(slot->key, key, len) == 0))
			return slot;
	}
}

uint64_t *ck_map_find(const ck_job *job, const ck_map *map, const void *key, size_t len)
{
	if (!map->count || len > UINT32_MAX)
		return NULL;
	struct ck_map_slot *slot = slot_of(map, key, len, hash_of(job, key, len));
	return slot->key ? &slot->value : NULL;
}

static bool rehash(ck_job *job, ck_map *map, size_t cap)
{
	ck_map bigger = {.cap = cap, .count = map->count};
	bigger.slots = ck_alloc_array(job, bigger.cap, sizeof *bigger.slots);
	if (!bigger.slots)
		return false;
	for (size_t i = 0; i < map->cap; i++) {
		const struct ck_map_slot *old = &map->slots[i];
		if (old->key)
			*slot_of(&bigger, old->key, old->len, old->hash) = *old;
	}
	ck_give_back(job, map->slots, map->cap * sizeof *map->slots);
	*map = bigger;
	return true;
}

/* At most three slots of four are in use. */
bool ck_map_reserve(ck_job *job, ck_map *map, size_t count)
{
	size_t cap = map->cap ? map->cap : 16;
	while (cap - cap / 4 < count) {
		if (cap > UINT32_MAX / 2)
			return ck_fail_nomem(job);
		cap *= 2;
	}
	return cap == map->cap || rehash(job, map, cap);
}

uint64_t *ck_map_put(ck_job *job, ck_map *map, const void *key, size_t len, bool *fresh)
{
	if (len > UINT32_MAX) {
		ck_fail_nomem(job);
		return NULL;
	}
	if (!ck_map_reserve(job, map, map->count + 1))
		return NULL;
	uint32_t hash = hash_of(job, key, len);
	struct ck_map_slot *slot = slot_of(map, key, len, hash);
	*fresh = !slot->key;
	if (*fresh) {
		*slot = (struct ck_map_slot){len ? key : "", (uint32_t)len, hash, 0};
		map->count++;
	}
	return &slot->value;
}

static void set_add(ck_hash_set *set, uint64_t hash, bool *fresh)
{
	size_t i = (size_t)(hash >> 32) & (set->cap - 1);
	while (set->slots[i] && set->slots[i] != hash)
		i = (i + 1) & (set->cap - 1);
	*fresh = !set->slots[i];
	set->slots[i] = hash;
	set->count += *fresh;
}

bool ck_hash_set_add(ck_job *job, ck_hash_set *set, const void *key, size_t len, bool *fresh)
{
	bool ignored;
	if (set->count >= set->cap - set->cap / 4) {
		ck_hash_set bigger = {.cap = set->cap ? 2 * set->cap : 16};
		if (bigger.cap > UINT32_MAX)
			return ck_fail_nomem(job);
		bigger.slots = ck_alloc_array(job, bigger.cap, sizeof *bigger.slots);
		if (!bigger.slots)
			return false;
		for (size_t i = 0; i < set->cap; i++)
			if (set->slots[i])
				set_add(&bigger, set->slots[i], &ignored);
		ck_give_back(job, set->slots, set->cap * sizeof *set->slots);
		*set = bigger;
	}
	set_add(set, ck_hash(job, key, len) | 1, fresh); /* 0 is an empty slot */
	return true;
}
