/* Fixed-size cells in blocks of 64 KB, with a free list through the cells themselves. The first blocks are allocated one by one,
 * so that a small slab stays small; further ones many at a time, in large pages. */
#include "runtime/slab.h"

#include "base/alloc.h"

#ifdef WR_HOSTILE
enum { BLOCK_BYTES = 64, GROUP_BYTES = 320, SINGLE_BLOCKS = 3 };
#else
enum { BLOCK_BYTES = 64 * 1024, GROUP_BYTES = WR_LARGE_PAGE, SINGLE_BLOCKS = 32 };
#endif

/* Bytes from one block to the next: every block begins a cache line. */
static size_t block_stride(const struct wr_slab *slab)
{
    return (((size_t)slab->cell_size << slab->shift) + 63) & ~(size_t)63;
}

/* Blocks that are allocated together. */
static uint32_t group_size(const struct wr_slab *slab)
{
    size_t blocks = GROUP_BYTES / block_stride(slab);
    return blocks ? (uint32_t)blocks : 1;
}

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
    uint32_t group = group_size(slab);
    for (uint32_t i = 0; i < slab->block_count; i++)
        if (i < SINGLE_BLOCKS || (i - SINGLE_BLOCKS) % group == 0) wr_free(slab->block[i]);
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
    uint32_t group = group_size(slab);
    uint32_t in_group = slab->block_count < SINGLE_BLOCKS ? 0 : (slab->block_count - SINGLE_BLOCKS) % group;
    size_t stride = block_stride(slab);
    if (slab->block_count < SINGLE_BLOCKS) slab->block[slab->block_count] = wr_alloc_aligned(64, stride);
    else if (!in_group) slab->block[slab->block_count] = wr_alloc_aligned(64, WR_MAX(stride, (size_t)GROUP_BYTES));
    else slab->block[slab->block_count] = slab->block[slab->block_count - 1] + stride;
    slab->block_count++;
}

/* One more, or, where a thread makes pages ready while this one fills them, so many that it can be ahead. */
static void add_blocks(struct wr_slab *slab)
{
    enum { GROUPS_AHEAD = 8 };
    add_block(slab);
    if (WR_LIKELY(!wr_alloc_is_watched()) || slab->block_count <= SINGLE_BLOCKS) return;
    for (uint32_t more = GROUPS_AHEAD * group_size(slab) - 1; more; more--) add_block(slab);
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
        while (WR_UNLIKELY(id >> slab->shift >= slab->block_count)) add_blocks(slab);
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
