/* The key table's layout, shared by keytable.c (keys and batches) and keytable_grow.c (the hash table itself).
 *
 * A key has an image of 128 bits: for an encoded key of up to 15 bytes its size and all its bytes, so that comparing
 * two keys is comparing two words; for a longer one a mark, and its hash as the second word. Entries lie in a slab,
 * 32 bytes a key and never across a cache line, an id being the cell's number less one; long keys' bytes lie in wr_strings.
 *
 * The hash table has buckets of one cache line: 12 tags (8 bits of the hash, never 0), 12 ids, and a control word:
 * which slots hold an entry whose home is another bucket, and how many entries that belong here or before lie
 * further on (so that a probe knows where to stop, with no tombstones). A hash's top bits choose the bucket, so
 * that bucket i of a table becomes 2i and 2i + 1 of one twice as large, and growth can go on bucket by bucket. */
#ifndef WR_RUNTIME_KEYTABLE_INTERNAL_H
#define WR_RUNTIME_KEYTABLE_INTERNAL_H

#include "base/hash.h"
#include "base/simd.h"
#include "runtime/keytable.h"
#include "runtime/slab.h"

enum { WR_KEY_SLOTS = 12, WR_KEY_SLOT_MASK = 0xfff, WR_KEY_INLINE = 15, WR_KEY_LONG = 0xff, WR_KEY_FREE = 0xfe };
enum { WR_KEY_LOAD = 9 /* mean entries a bucket at which the table grows */ };

struct wr_key_image {
    uint64_t low;  /* byte 0: size, WR_KEY_LONG or WR_KEY_FREE; then the bytes. LONG: bits 32-63 the string's id */
    uint64_t high; /* LONG: the hash */
};

struct wr_key_entry {
    uint64_t order;
    struct wr_key_image image;
    uint32_t owned; /* the owner's: wr_keytable_owned */
    uint32_t spare;
};
_Static_assert(sizeof(struct wr_key_entry) == 32, "two in a cache line");

struct wr_key_bucket {
    uint8_t tag[WR_KEY_SLOTS];
    uint16_t displaced; /* bit i: the entry of slot i has its home in another bucket */
    uint16_t passed;    /* entries that looked for room here and went on; stays at UINT16_MAX once there */
    uint32_t id[WR_KEY_SLOTS];
};
_Static_assert(sizeof(struct wr_key_bucket) == 64, "one cache line");

/* One hash table. Buckets from `ready` on are not initialised yet (only while it is being grown into). */
struct wr_key_map {
    struct wr_key_bucket *bucket;
    uint32_t mask;  /* buckets - 1 */
    uint32_t ready;
    uint8_t shift;  /* 64 - log2(buckets); a table has at least 2 */
};

struct wr_key_scratch {
    uint16_t row[WR_BATCH_ROWS];
    uint64_t hash[WR_BATCH_ROWS];
    struct wr_key_image image[WR_BATCH_ROWS];
    uint32_t offset[WR_BATCH_ROWS]; /* long keys: where the encoded bytes lie in wr_keytable.bytes */
    uint32_t size[WR_BATCH_ROWS];   /* and how many they are */
    uint32_t hint[WR_BATCH_ROWS];   /* id + 1 of an entry that may be the row's key; 0: none */
};

struct wr_keytable {
    struct wr_key_map map, old;      /* old.bucket is not NULL while entries move from it to map */
    uint32_t moved;                  /* buckets of old whose entries (by home) are in map */
    uint32_t count;
    uint64_t next_order;
    struct wr_slab entries;
    struct wr_strings *strings;
    uint64_t secret[4];
    struct wr_type *type;            /* of the columns */
    uint32_t columns;
    struct wr_buf bytes;             /* encoded keys of the batch, where they are needed */
    struct wr_key_scratch scratch;
};

static inline struct wr_key_entry *wr_key_entry_at(const struct wr_keytable *t, uint32_t id)
{
    return wr_slab_at(&t->entries, id + 1);
}

static inline uint64_t wr_key_fold(uint64_t a, uint64_t b)
{
    wr_u128 product = (wr_u128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t wr_key_hash_image(const struct wr_keytable *t, struct wr_key_image image)
{
    if (WR_UNLIKELY((image.low & 0xff) == WR_KEY_LONG)) return image.high;
    uint64_t h = wr_key_fold(image.low ^ t->secret[0], image.high ^ t->secret[1]);
    return wr_key_fold(h ^ t->secret[2], t->secret[3]);
}

static inline uint8_t wr_key_tag(uint64_t hash)
{
    uint8_t tag = (uint8_t)hash;
    return tag ? tag : 1;
}

static inline uint32_t wr_key_home(const struct wr_key_map *map, uint64_t hash)
{
    return (uint32_t)(hash >> map->shift);
}

/* The map in which a hash's entry is, if it is anywhere. */
static inline const struct wr_key_map *wr_key_map_of(const struct wr_keytable *t, uint64_t hash)
{
    return WR_LIKELY(!t->old.bucket) || wr_key_home(&t->old, hash) < t->moved ? &t->map : &t->old;
}

void wr_key_map_init(struct wr_key_map *map, uint32_t buckets, bool ready);
/* Puts an id that is not in it into the map of its hash, having grown the table by a step where it must. */
void wr_key_map_add(struct wr_keytable *t, uint64_t hash, uint32_t id);
void wr_key_map_drop(struct wr_keytable *t, uint64_t hash, uint32_t id);
/* Moves the entries of some buckets on, while the table grows. */
void wr_key_map_step(struct wr_keytable *t, uint32_t buckets);

#endif
