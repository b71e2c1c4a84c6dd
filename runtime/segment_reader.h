/* Reads segments of a store, newest first, and splits them into entries, on a thread of its own: a few ahead of who takes. */
#ifndef WR_RUNTIME_SEGMENT_READER_H
#define WR_RUNTIME_SEGMENT_READER_H

#include "base/vec.h"
#include "runtime/checkpoint.h"
#include "runtime/store.h"

struct wr_segment_read {
    uint64_t number, epoch;
    struct wr_buf bytes;
    WR_VEC(struct wr_segment_entry) entry; /* slices of .bytes */
};
void wr_segment_read_release(struct wr_segment_read *segment);

/* Reads one, here and now. operators: entries of others are malformed. WR_ERR_STATE: damaged, missing. */
enum wr_status wr_segment_read_one(struct wr_store *store, uint64_t number, uint32_t operators, struct wr_segment_read *segment,
                                   struct wr_error *error);

struct wr_segment_reader;
/* Segments last, last - 1, … first; last < first: none. Until the reader is stopped nobody else uses the store. threaded false,
 * or no thread to be had: they are read in wr_segment_reader_next. */
struct wr_segment_reader *wr_segment_reader_start(struct wr_store *store, uint64_t first, uint64_t last, uint32_t operators,
                                                  bool threaded);
/* The next one, lent until the next call. WR_END: that was all. */
enum wr_status wr_segment_reader_next(struct wr_segment_reader *reader, const struct wr_segment_read **segment,
                                      struct wr_error *error);
void wr_segment_reader_stop(struct wr_segment_reader *reader); /* NULL is fine */

#endif
