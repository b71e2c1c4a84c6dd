/* The one file that includes xxHash (inlined: no function call for short keys). */
#include "base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t wr_hash64(const void *bytes, size_t size, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes, size, seed);
}

uint64_t wr_xxh64(const void *bytes, size_t size, uint64_t seed)
{
    return XXH64(bytes, size, seed);
}

struct wr_hash128 wr_hash128_of(const void *bytes, size_t size, uint64_t seed)
{
    XXH128_hash_t h = XXH3_128bits_withSeed(bytes, size, seed);
    return (struct wr_hash128){h.low64, h.high64};
}

/* ---- Digests ----------------------------------------------------------------------------------------- */

_Static_assert(sizeof(struct wr_digest) == sizeof(XXH64_state_t), "a digest is the state of XXH64");

void wr_digest_init(struct wr_digest *digest)
{
    XXH64_state_t state;
    memset(&state, 0, sizeof state);
    (void)XXH64_reset(&state, 0);
    memcpy(digest, &state, sizeof state);
}

void wr_digest_add(struct wr_digest *digest, struct wr_slice bytes)
{
    XXH64_state_t state;
    if (!bytes.size) return;
    memcpy(&state, digest, sizeof state);
    (void)XXH64_update(&state, bytes.data, bytes.size);
    memcpy(digest, &state, sizeof state);
}

uint64_t wr_digest_value(const struct wr_digest *digest)
{
    XXH64_state_t state;
    memcpy(&state, digest, sizeof state);
    return XXH64_digest(&state);
}
