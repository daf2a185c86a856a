/* A hash table from byte strings to numbers whose hash is keyed, so that no file can make it slow. */
#include "base.h"

#include <string.h>

struct ck_map_slot {
	const void *key; /* NULL: empty */
	size_t len;
	uint64_t hash;
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

static uint64_t hash_of(const ck_job *job, const unsigned char *key, size_t len)
{
	uint64_t point = job->seed[0] % (PRIME - 2) + 2;
	uint64_t hash = len;
	while (len) {
		size_t take = len < 7 ? len : 7; /* 56 bits are always below the prime */
		uint64_t part = 0;
		memcpy(&part, key, take);
		hash = mul_mod(hash, point) + part;
		if (hash >= PRIME)
			hash -= PRIME;
		key += take;
		len -= take;
	}
	hash = mul_mod(hash, point) + job->seed[1] % PRIME;
	/* the low bits choose the slot: spread the high ones over them */
	return hash * UINT64_C(0x9E3779B97F4A7C15) ^ hash >> 29;
}

static struct ck_map_slot *slot_of(const ck_map *map, const void *key, size_t len, uint64_t hash)
{
	for (size_t i = (size_t)(hash >> 7) & (map->cap - 1);; i = (i + 1) & (map->cap - 1)) {
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
	if (!map->count)
		return NULL;
	struct ck_map_slot *slot = slot_of(map, key, len, hash_of(job, key, len));
	return slot->key ? &slot->value : NULL;
}

static bool rehash(ck_job *job, ck_map *map)
{
	ck_map bigger = {.cap = map->cap ? map->cap * 2 : 16};
	bigger.slots = ck_alloc_array(job, bigger.cap, sizeof *bigger.slots);
	if (!bigger.slots)
		return false;
	for (size_t i = 0; i < map->cap; i++) {
		const struct ck_map_slot *old = &map->slots[i];
		if (old->key)
			*slot_of(&bigger, old->key, old->len, old->hash) = *old;
	}
	bigger.count = map->count;
	*map = bigger;
	return true;
}

uint64_t *ck_map_put(ck_job *job, ck_map *map, const void *key, size_t len, bool *fresh)
{
	if (map->count >= map->cap / 2 && !rehash(job, map))
		return NULL;
	uint64_t hash = hash_of(job, key, len);
	struct ck_map_slot *slot = slot_of(map, key, len, hash);
	*fresh = !slot->key;
	if (*fresh) {
		*slot = (struct ck_map_slot){len ? key : "", len, hash, 0};
		map->count++;
	}
	return &slot->value;
}

void ck_map_clear(ck_map *map)
{
	if (map->count)
		memset(map->slots, 0, map->cap * sizeof *map->slots);
	map->count = 0;
}
