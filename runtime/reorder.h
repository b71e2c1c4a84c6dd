/* Rows that wait until nothing can come before them: copied compactly into chunks of columns,
 * ordered by (time, rank, sequence). Sources rank by source partition and sequence by offset, MERGE
 * by input and arrival.
 *
 * Order is kept in runs (as in patience sorting): a row is appended to the first run whose last row
 * stands before it, so that rows which come in order cost one comparison and disorder costs the
 * logarithm of its depth. Releasing merges the runs' heads; stretches that lie in one chunk go out
 * without being copied again. */
#ifndef WR_RUNTIME_REORDER_H
#define WR_RUNTIME_REORDER_H

#include "base/arena.h"
#include "runtime/scratch.h"
#include "vm/program.h"

struct wr_reorder_key {
    int64_t time;
    uint32_t rank;
};
static inline bool wr_reorder_key_before(struct wr_reorder_key a, struct wr_reorder_key b)
{
    return a.time != b.time ? a.time < b.time : a.rank < b.rank;
}

struct wr_reorder_entry {
    int64_t time;
    uint64_t sequence;
    uint32_t rank;
    uint32_t at; /* chunk * WR_BATCH_ROWS + row */
};
struct wr_reorder_run {
    WR_VEC(struct wr_reorder_entry) entry;
    size_t head; /* entries before it have been released */
};

struct wr_chunk {
    struct wr_batch batch; /* arrays of WR_BATCH_ROWS elements, owned */
    struct wr_vector *column;
    int64_t *time, *event_time, *place_time; /* place_time == time until rows differ */
    uint32_t *source, *ordinal;
    uint64_t *offset;
    struct wr_place *first;
    struct wr_arena strings;
    uint32_t live; /* rows not yet released */
};

struct wr_reorder {
    struct wr_schema schema;
    WR_VEC(struct wr_chunk *) chunk;
    WR_VEC(uint32_t) free;             /* chunks with nothing in them */
    uint32_t filling;                  /* chunk that takes rows, or WR_NONE */
    WR_VEC(struct wr_reorder_run) run; /* last entries descending */
    size_t run_count;                  /* runs in use; those behind keep their memory */
    uint64_t waiting, waiting_max;
    WR_VEC(struct wr_reorder_entry) merged, spare; /* work space of release */
    WR_VEC(size_t) ends;
    /* What waited when a checkpoint was begun, and how far it has been saved. Rows never change, so that it is enough
     * to hold back the chunks that become empty meanwhile. */
    bool frozen;
    size_t saved;
    WR_VEC(struct wr_reorder_entry) freeze;
    WR_VEC(uint32_t) held;
};

typedef void wr_reorder_emit_fn(void *context, const struct wr_batch *batch);

void wr_reorder_init(struct wr_reorder *reorder, const struct wr_schema *schema);
void wr_reorder_release_all(struct wr_reorder *reorder); /* frees everything */
void wr_reorder_clear(struct wr_reorder *reorder);       /* forgets the rows */
/* Rows of one input. Sequence numbers: the rows' offsets, or first_sequence, +1 … when by_offset is
 * false. `sorted`: their times do not descend. */
struct wr_reorder_input {
    const struct wr_batch *batch;
    uint32_t rank;
    bool by_offset, sorted;
    uint64_t first_sequence;
};
/* Copies rows start … start+count-1. */
void wr_reorder_push(struct wr_reorder *reorder, const struct wr_reorder_input *in, uint32_t start,
                     uint32_t count);
/* true when every waiting row stands before or at the key. */
bool wr_reorder_is_before(const struct wr_reorder *reorder, struct wr_reorder_key key);
/* Gives out, in order, all rows at or before the bound, in batches of at most rows_max. */
void wr_reorder_release(struct wr_reorder *reorder, struct wr_reorder_key bound, uint32_t rows_max,
                        struct wr_scratch *scratch, wr_reorder_emit_fn *emit, void *context);
/* The whole path of a batch: what waits and what comes goes out as far as the bound allows, in
 * order and uncopied where the batch continues what has gone out; the rest is kept. */
void wr_reorder_pass(struct wr_reorder *reorder, const struct wr_reorder_input *in,
                     struct wr_reorder_key bound, uint32_t rows_max, struct wr_scratch *scratch,
                     wr_reorder_emit_fn *emit, void *context);
/* Calls visit for each waiting row in order (for saved state). */
void wr_reorder_visit(struct wr_reorder *reorder,
                      void (*visit)(void *context, const struct wr_reorder_entry *entry,
                                    const struct wr_batch *batch, uint32_t row),
                      void *context);
/* The same in pieces: what waits now is remembered, and visited `count` rows at a time, in any order, while rows come
 * and go. false: none is left. */
typedef void wr_reorder_visit_fn(void *context, const struct wr_reorder_entry *entry, const struct wr_batch *batch,
                                 uint32_t row);
void wr_reorder_freeze(struct wr_reorder *reorder);
bool wr_reorder_visit_frozen(struct wr_reorder *reorder, uint32_t count, wr_reorder_visit_fn *visit, void *context);
/* What a waiting row takes, without its texts. */
uint32_t wr_reorder_row_bytes(const struct wr_schema *schema);
uint64_t wr_reorder_bytes(const struct wr_reorder *reorder);
void wr_reorder_check(const struct wr_reorder *reorder); /* asserts every invariant; O(n) */

/* chunk.c: a chunk's life. */
void wr_chunk_init(
    struct wr_chunk *chunk,
    const struct wr_schema *schema); /* of zeroes; may be freed when it stops halfway */
void wr_chunk_free(struct wr_chunk *chunk);
void wr_chunk_clear(struct wr_chunk *chunk);
void wr_chunk_append(struct wr_chunk *chunk, const struct wr_batch *in, uint32_t start,
                     uint32_t count);
/* Rows of several chunks as one batch in scratch; strings are shared with the chunks. */
void wr_chunk_gather(struct wr_scratch *scratch, struct wr_chunk *const *chunk,
                     const struct wr_reorder_entry *entry, uint32_t count, struct wr_batch *out);

#endif
