/* What the operators that keep whole rows share when they save and load them: one row as bytes,
 * with its place by the names of streams and not by dense numbers. */
#ifndef WR_RUNTIME_STATE_H
#define WR_RUNTIME_STATE_H

#include "runtime/codec.h"
#include "runtime/operator.h"

/* For save_all: numbers the rows and lends two buffers. */
struct wr_state_writer {
    struct wr_operator *op;
    wr_state_entry_fn *entry;
    void *context;
    uint64_t count;
    struct wr_buf key, value;
};

void wr_place_encode(const struct wr_task *task, struct wr_place place, struct wr_buf *out);
bool wr_place_decode(const struct wr_task *task, struct wr_slice *in, struct wr_place *place);

/* A row with times, place, lateness and all columns. Decoding appends it as the only row of a
 * builder, whose strings are copies. false: the bytes are not whole. */
void wr_row_encode(const struct wr_task *task, const struct wr_batch *batch, uint32_t row,
                   struct wr_buf *out);
bool wr_row_decode(const struct wr_task *task, const struct wr_schema *schema, struct wr_slice *in,
                   struct wr_batch_builder *builder);

/* A builder for a schema's columns, with room for first places. */
void wr_batch_builder_init_schema(struct wr_batch_builder *builder, const struct wr_schema *schema);
void wr_batch_builder_release_schema(struct wr_batch_builder *builder);

#endif
