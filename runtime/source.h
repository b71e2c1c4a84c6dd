/* SOURCE: a stream's partitions become rows in order of place. Here lateness is decided, effective
 * times are given, bad records are dropped, and rows wait until nothing can come before them. */
#ifndef WR_RUNTIME_SOURCE_H
#define WR_RUNTIME_SOURCE_H

#include "runtime/reorder.h"
#include "runtime/task.h"

struct wr_source {
    struct wr_operator op;
    const struct wr_source_node *node;
    const struct wr_stream *stream;
    WR_VEC(struct wr_partition *) partition;
    struct wr_reorder reorder;
    struct wr_frame *computed, *watermark; /* NULL: none */
    struct wr_vector *column;              /* fields, then computed ones */
    const int64_t *zeros;                  /* event times of records that have none */
    int64_t max_ahead_us;                  /* -1: off */
    int64_t errors_max;                    /* the stream's own budget; -1: none */
    uint64_t errors;
    uint32_t *unseen;                      /* fields that no row had a value for so far */
    uint32_t unseen_count;
    bool any_taken;
    bool stop_on_error;
    bool late_at;             /* dialect 'flink': a row exactly at the watermark is late */
    uint32_t partition_field; /* column FROM PARTITION, or WR_NONE */
};

/* Rows of a partition's reader (at most batch_rows of them): released or kept. Lent. */
void wr_source_take(struct wr_source *source, struct wr_partition *partition,
                    const struct wr_batch *batch);
/* Columns that no row had a value for: noted batch by batch, a line for each of them. One field of JSON's list for
 * each of them, a comma before it when `more`; true when something is in the list then. */
void wr_unseen_init(struct wr_source *source);
void wr_unseen_note(struct wr_source *source, const struct wr_batch *batch);
void wr_unseen_print(const struct wr_source *source, struct wr_buf *out);
bool wr_unseen_print_json(const struct wr_source *source, bool more, struct wr_buf *out);
/* Gives to the operators what nothing can come before any more. */
void wr_source_release(struct wr_source *source);
/* The reader's report of a record that is none; context: struct wr_partition. */
void wr_source_bad_record(void *context, const struct wr_bad_record *record);

#endif
