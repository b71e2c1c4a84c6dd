/* Fixed-size cells in blocks of 64 KB, with a free list through the cells themselves. */
#include "runtime/slab.h"

#include "base/alloc.h"

#ifdef WR_HOSTILE
enum { BLOCK_BYTES = 64 };
#else
enum { BLOCK_BYTES = 64 * 1024 };
#endif

void wr_slab_init(struct wr_slab *slab, size_t cell_size)
{
    size_t rounded = cell_size ? (cell_size + 7) & ~(size_t)7 : 8;
    WR_ASSERT(rounded <= 1u << 24);
    uint32_t shift = 0;
    while (((size_t)2 << shift) * rounded <= BLOCK_BYTES) shift++;
    *slab = (struct wr_slab){.cell_size = (uint32_t)rounded, .shift = shift, .mask = ((uint32_t)1 << shift) - 1,
                             .used_end = 1};
}

void wr_slab_release(struct wr_slab *slab)
{
    for (uint32_t i = 0; i < slab->block_count; i++) wr_free(slab->block[i]);
    wr_free(slab->block);
    *slab = (struct wr_slab){.cell_size = slab->cell_size, .shift = slab->shift, .mask = slab->mask, .used_end = 1};
}

void wr_slab_clear(struct wr_slab *slab)
{
    slab->free = 0;
    slab->used_end = 1;
    slab->live = 0;
}

static void add_block(struct wr_slab *slab)
{
    if (slab->block_count == slab->block_capacity) {
        uint32_t capacity = slab->block_capacity ? slab->block_capacity * 2 : 8;
        slab->block = wr_realloc(slab->block, capacity * sizeof *slab->block);
        slab->block_capacity = capacity;
    }
    slab->block[slab->block_count] = wr_alloc_aligned(64, (size_t)slab->cell_size << slab->shift);
    slab->block_count++;
}

uint32_t wr_slab_alloc(struct wr_slab *slab)
{
    uint32_t id = slab->free;
    if (id) {
        memcpy(&slab->free, wr_slab_at(slab, id), sizeof slab->free);
        WR_ASSERT(slab->free < slab->used_end);
    } else {
        id = slab->used_end;
        WR_ASSERT(id != UINT32_MAX);
        while (WR_UNLIKELY(id >> slab->shift >= slab->block_count)) add_block(slab);
        slab->used_end++;
    }
    slab->live++;
    return id;
}

void wr_slab_free(struct wr_slab *slab, uint32_t id)
{
    WR_ASSERT(id != 0 && id < slab->used_end && slab->live > 0);
#ifdef WR_DEBUG
    memset(wr_slab_at(slab, id), 0xdd, slab->cell_size);
#endif
    memcpy(wr_slab_at(slab, id), &slab->free, sizeof slab->free);
    slab->free = id;
    slab->live--;
}

uint64_t wr_slab_bytes(const struct wr_slab *slab)
{
    return ((uint64_t)slab->cell_size << slab->shift) * slab->block_count +
           (uint64_t)slab->block_capacity * sizeof *slab->block;
}
