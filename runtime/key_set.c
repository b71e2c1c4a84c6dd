/* A set of keys by their hashes: open addressing, at most half full. */
#include "runtime/key_set.h"

#include "base/alloc.h"

static void grow(struct wr_key_set *set)
{
    enum { SLOTS_FIRST = 1024 };
    struct wr_key_set bigger = {.mask = set->slot ? set->mask * 2 + 1 : SLOTS_FIRST - 1, .count = set->count, .seed = set->seed};
    bigger.slot = wr_alloc_zero((bigger.mask + 1) * sizeof *bigger.slot);
    for (uint64_t i = 0; set->slot && i <= set->mask; i++) {
        if (!set->slot[i].high) continue;
        uint64_t at = set->slot[i].low & bigger.mask;
        while (bigger.slot[at].high) at = (at + 1) & bigger.mask;
        bigger.slot[at] = set->slot[i];
    }
    wr_free(set->slot);
    *set = bigger;
}

static struct wr_hash128 hash_of(const struct wr_key_set *set, uint32_t op, struct wr_slice key)
{
    struct wr_hash128 hash = wr_hash128_of(key.data, key.size, set->seed + op);
    hash.high |= 1;
    return hash;
}

bool wr_key_set_has(const struct wr_key_set *set, uint32_t op, struct wr_slice key)
{
    if (!set->count) return false;
    struct wr_hash128 hash = hash_of(set, op, key);
    WR_ASSERT(set->slot);
    for (uint64_t at = hash.low & set->mask; set->slot[at].high; at = (at + 1) & set->mask)
        if (set->slot[at].low == hash.low && set->slot[at].high == hash.high) return true;
    return false;
}

void wr_key_set_clear(struct wr_key_set *set)
{
    if (set->count) memset(set->slot, 0, (set->mask + 1) * sizeof *set->slot);
    set->count = 0;
}

bool wr_key_set_add(struct wr_key_set *set, uint32_t op, struct wr_slice key)
{
    struct wr_hash128 hash = hash_of(set, op, key);
    if (!set->slot || set->count * 2 > set->mask) grow(set);
    WR_ASSERT((set->mask & (set->mask + 1)) == 0 && set->count <= set->mask);
    uint64_t at = hash.low & set->mask;
    for (; set->slot[at].high; at = (at + 1) & set->mask)
        if (set->slot[at].low == hash.low && set->slot[at].high == hash.high) return false;
    set->slot[at] = hash;
    set->count++;
    return true;
}

void wr_key_set_release(struct wr_key_set *set)
{
    wr_free(set->slot);
    *set = (struct wr_key_set){0};
}
