/* The hash table of ids: adding, dropping, growth by moving a few buckets at a time. */
#include "base/alloc.h"
#include "runtime/keytable_internal.h"

enum { STEP = 1 /* buckets moved for an insertion: done when a ninth of the new table's room is used */ };

static void make_ready(struct wr_key_map *map, uint32_t end)
{
    if (end > map->mask + 1) end = map->mask + 1;
    if (map->ready >= end) return;
    memset(&map->bucket[map->ready], 0, (size_t)(end - map->ready) * sizeof *map->bucket);
    map->ready = end;
}

/* Without `ready` the buckets are cleared as entries reach them, so that a large table is not touched all at once. */
void wr_key_map_init(struct wr_key_map *map, uint32_t buckets, bool ready)
{
    WR_ASSERT(buckets >= 2 && (buckets & (buckets - 1)) == 0);
    *map = (struct wr_key_map){.mask = buckets - 1, .shift = 64};
    for (uint32_t n = buckets; n > 1; n >>= 1) map->shift--;
    map->bucket = wr_alloc_aligned(64, (size_t)buckets * sizeof *map->bucket);
    if (ready) make_ready(map, buckets);
}

static void put(struct wr_key_map *map, uint64_t hash, uint32_t id)
{
    uint32_t home = wr_key_home(map, hash), at = home;
    for (;; at = (at + 1) & map->mask) {
        if (WR_UNLIKELY(at >= map->ready)) make_ready(map, at + 1);
        struct wr_key_bucket *b = &map->bucket[at];
        uint32_t room = wr_equal16(b, 0) & WR_KEY_SLOT_MASK;
        if (WR_LIKELY(room)) {
            unsigned slot = wr_lowest_bit(room);
            b->tag[slot] = wr_key_tag(hash);
            b->id[slot] = id;
            if (at != home) b->displaced = (uint16_t)(b->displaced | 1u << slot);
            return;
        }
        if (b->passed != UINT16_MAX) b->passed++;
        WR_ASSERT(((at + 1) & map->mask) != home);
    }
}

static void take(struct wr_key_bucket *b, unsigned slot)
{
    b->tag[slot] = 0;
    b->displaced = (uint16_t)(b->displaced & ~(1u << slot));
}

static void drop(struct wr_key_map *map, uint64_t hash, uint32_t id)
{
    uint8_t tag = wr_key_tag(hash);
    uint32_t home = wr_key_home(map, hash);
    for (uint32_t at = home;; at = (at + 1) & map->mask) {
        WR_ASSERT(at < map->ready);
        struct wr_key_bucket *b = &map->bucket[at];
        for (uint32_t m = wr_equal16(b, tag) & WR_KEY_SLOT_MASK; m; m &= m - 1) {
            unsigned slot = wr_lowest_bit(m);
            if (b->id[slot] != id) continue;
            take(b, slot);
            return;
        }
        WR_ASSERT(b->passed > 0);
        if (b->passed != UINT16_MAX) b->passed--;
        WR_ASSERT(((at + 1) & map->mask) != home);
    }
}

static uint64_t hash_of(const struct wr_keytable *t, uint32_t id)
{
    return wr_key_hash_image(t, wr_key_entry_at(t, id)->image);
}

/* Moves everything whose home is bucket `home` of the old map. */
static void move_home(struct wr_keytable *t, uint32_t home)
{
    struct wr_key_map *old = &t->old;
    struct wr_key_bucket *b = &old->bucket[home];
    make_ready(&t->map, 2 * home + 2);
    for (uint32_t m = ~wr_equal16(b, 0) & WR_KEY_SLOT_MASK & ~(uint32_t)b->displaced; m; m &= m - 1) {
        unsigned slot = wr_lowest_bit(m);
        put(&t->map, hash_of(t, b->id[slot]), b->id[slot]);
        take(b, slot);
    }
    /* Some that belong here may lie further on. */
    for (uint32_t at = home; old->bucket[at].passed;) {
        at = (at + 1) & old->mask;
        if (at == home) break;
        b = &old->bucket[at];
        for (uint32_t m = b->displaced; m; m &= m - 1) {
            unsigned slot = wr_lowest_bit(m);
            uint64_t hash = hash_of(t, b->id[slot]);
            if (wr_key_home(old, hash) != home) continue;
            uint32_t id = b->id[slot];
            take(b, slot);
            for (uint32_t by = home; by != at; by = (by + 1) & old->mask)
                if (old->bucket[by].passed != UINT16_MAX) old->bucket[by].passed--;
            put(&t->map, hash, id);
        }
    }
}

static void prefetch_entries(const struct wr_keytable *t, uint32_t bucket)
{
    const struct wr_key_bucket *b = &t->old.bucket[bucket & t->old.mask];
    for (uint32_t m = ~wr_equal16(b, 0) & WR_KEY_SLOT_MASK; m; m &= m - 1)
        wr_prefetch(&wr_key_entry_at(t, b->id[wr_lowest_bit(m)])->image);
}

void wr_key_map_step(struct wr_keytable *t, uint32_t buckets)
{
    if (WR_LIKELY(!t->old.bucket)) return;
    for (; buckets && t->moved <= t->old.mask; buckets--) {
        prefetch_entries(t, t->moved + 2);
        move_home(t, t->moved);
        t->moved++;
    }
    if (t->moved <= t->old.mask) return;
    make_ready(&t->map, t->map.mask + 1);
    wr_free(t->old.bucket);
    t->old = (struct wr_key_map){0};
    t->moved = 0;
}

static void grow(struct wr_keytable *t)
{
    wr_key_map_step(t, UINT32_MAX); /* what is left of the last growth: nothing, at this load */
    struct wr_key_map grown;
    WR_ASSERT(t->map.mask < UINT32_MAX / 4);
    wr_key_map_init(&grown, (t->map.mask + 1) * 2, false);
    t->old = t->map;
    t->map = grown;
    t->moved = 0;
}

void wr_key_map_add(struct wr_keytable *t, uint64_t hash, uint32_t id)
{
    if (WR_UNLIKELY(t->count > (uint64_t)(t->map.mask + 1) * WR_KEY_LOAD)) grow(t);
    if (WR_UNLIKELY(t->old.bucket != NULL)) wr_key_map_step(t, STEP);
    struct wr_key_map *map = wr_key_map_of(t, hash) == &t->map ? &t->map : &t->old;
    put(map, hash, id);
}

void wr_key_map_drop(struct wr_keytable *t, uint64_t hash, uint32_t id)
{
    drop(wr_key_map_of(t, hash) == &t->map ? &t->map : &t->old, hash, id);
}
