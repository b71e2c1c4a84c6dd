/* Scratch memory of a task, taken and given back in LIFO order: batches that live only as long as
 * the call that lends them (rows that a filter left, slices of a batch). Nothing is allocated once
 * the blocks are warm, and all operators share the same few hot pages. */
#ifndef WR_RUNTIME_SCRATCH_H
#define WR_RUNTIME_SCRATCH_H

#include "base/vec.h"
#include "vm/code.h"

struct wr_scratch_block {
    char *data;
    size_t size;
};
struct wr_scratch {
    WR_VEC(struct wr_scratch_block) block;
    size_t current, used; /* block in use, bytes of it handed out */
};
struct wr_scratch_mark {
    size_t current, used;
};

void wr_scratch_release(struct wr_scratch *scratch); /* a zeroed struct is valid */
static inline struct wr_scratch_mark wr_scratch_mark(const struct wr_scratch *scratch)
{
    return (struct wr_scratch_mark){scratch->current, scratch->used};
}
static inline void wr_scratch_reset(struct wr_scratch *scratch, struct wr_scratch_mark mark)
{
    WR_ASSERT(mark.current < scratch->current ||
              (mark.current == scratch->current && mark.used <= scratch->used));
    scratch->current = mark.current;
    scratch->used = mark.used;
}
void *wr_scratch_alloc(struct wr_scratch *scratch,
                       size_t size); /* 64-byte aligned, uninitialised */

/* Rows row[0 … count-1] of `in` (ascending or not) as a batch of their own. Columns whose bit in
 * `needed` is clear stay undefined (no data pointer); needed NULL: all. Strings are shared with
 * `in`. */
void wr_batch_gather(struct wr_scratch *scratch, const struct wr_batch *in, const uint16_t *row,
                     uint32_t count, const uint64_t *needed, struct wr_batch *out);
/* Rows start … start+count-1 without copying values (masks are shifted into scratch). */
void wr_batch_slice(struct wr_scratch *scratch, const struct wr_batch *in, uint32_t start,
                    uint32_t count, struct wr_batch *out);
/* The rows whose bit is set among the first `rows`; returns how many. */
uint32_t wr_mask_rows(const uint64_t *mask, uint32_t rows, uint16_t *row);

/* Fills in .reasons of result number `result` of the frame that has just run over `batch`, where
 * some row is an error and the reasons are not known yet. */
void wr_vector_explain(struct wr_scratch *scratch, struct wr_frame *frame,
                       const struct wr_batch *batch, uint32_t result, struct wr_vector *vector);

/* Pieces shared with the reorder buffer: bit r of `to` becomes bit from_row[r] of `from`. */
void wr_mask_gather(const uint64_t *from, const uint16_t *row, uint32_t count, uint64_t *to);
/* count bits of `from` from bit start on, to the front of `to`. */
void wr_mask_shift(const uint64_t *from, uint32_t start, uint32_t count, uint64_t *to);

#endif
