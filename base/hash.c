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
