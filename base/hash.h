/* Hashes: xxHash, keyed where the bytes come from outside (so that nobody can choose collisions). */
#ifndef WR_BASE_HASH_H
#define WR_BASE_HASH_H

#include "base/slice.h"

struct wr_hash128 {
    uint64_t low, high;
};

uint64_t wr_hash64(const void *bytes, size_t size, uint64_t seed);
/* XXH64, the published function: what XXHASH64() gives users, so it must never change. */
uint64_t wr_xxh64(const void *bytes, size_t size, uint64_t seed);
struct wr_hash128 wr_hash128_of(const void *bytes, size_t size, uint64_t seed);

/* XXH64 of bytes that come piece by piece. Its 88 bytes are a documented state without pointers (total length, four
 * accumulators, the pending 32 bytes and their number, in the machine's little-endian order): it may be saved and goes
 * on where it was. */
struct wr_digest {
    uint64_t word[11];
};
void wr_digest_init(struct wr_digest *digest);
void wr_digest_add(struct wr_digest *digest, struct wr_slice bytes);
uint64_t wr_digest_value(const struct wr_digest *digest);

/* splitmix64's finaliser: a bijection that mixes well. */
static inline uint64_t wr_mix64(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

#endif
