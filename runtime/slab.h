/* Slabs: fixed-size cells with 32-bit ids, in blocks of 64 KB that begin a cache line. Ids are stable, cells are
 * reused, no pointer is kept in state. Id 0 is never given out: it means none. */
#ifndef WR_RUNTIME_SLAB_H
#define WR_RUNTIME_SLAB_H

#include "base/base.h"

struct wr_slab {
    char **block;
    uint32_t block_count, block_capacity;
    uint32_t cell_size;      /* multiple of 8 */
    uint32_t shift, mask;    /* cells per block is a power of two */
    uint32_t free;           /* list of free cells through their first word; 0: none */
    uint32_t used_end;       /* first id never given out */
    uint32_t live;
};

void wr_slab_init(struct wr_slab *slab, size_t cell_size);
void wr_slab_release(struct wr_slab *slab);
void wr_slab_clear(struct wr_slab *slab);      /* keeps the blocks */
uint32_t wr_slab_alloc(struct wr_slab *slab);  /* contents undefined */
void wr_slab_free(struct wr_slab *slab, uint32_t id);
uint64_t wr_slab_bytes(const struct wr_slab *slab);
static inline uint64_t wr_slab_live_bytes(const struct wr_slab *slab) /* of the cells in use */
{
    return (uint64_t)slab->live * slab->cell_size;
}
static inline void *wr_slab_at(const struct wr_slab *slab, uint32_t id)
{
    WR_DCHECK(id != 0 && id < slab->used_end);
    return slab->block[id >> slab->shift] + (size_t)(id & slab->mask) * slab->cell_size;
}

/* Variable-size byte strings with 32-bit ids and reference counts, over size-class slabs. */
struct wr_strings;
struct wr_strings *wr_strings_new(void);
void wr_strings_free(struct wr_strings *strings);
void wr_strings_clear(struct wr_strings *strings);
uint32_t wr_strings_add(struct wr_strings *strings, const char *data, size_t size); /* count 1; 0 for an empty string */
/* The same with the bytes still to be written, at *bytes. */
uint32_t wr_strings_alloc(struct wr_strings *strings, size_t size, char **bytes);
void wr_strings_ref(struct wr_strings *strings, uint32_t id);
bool wr_strings_unref(struct wr_strings *strings, uint32_t id); /* true: that was the last one, it is gone */
char *wr_strings_edit(struct wr_strings *strings, uint32_t id); /* for the owner of the only count */
const char *wr_strings_at(const struct wr_strings *strings, uint32_t id, size_t *size); /* lent until it is freed */
uint64_t wr_strings_bytes(const struct wr_strings *strings);
uint64_t wr_strings_live_bytes(const struct wr_strings *strings); /* of those in use */

#endif
