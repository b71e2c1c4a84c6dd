/* Accumulators of the aggregate functions: fixed-size cells of bytes, for windows (one a key and window) and for
 * patterns (running, or over a match's rows). Sums of DOUBLE are compensated (Neumaier) and added in the order of rows;
 * sums of integers are kept in 128 bits and checked against the result type at the end; an error value among the arguments
 * makes the result that error. Variable-size state (strings of MIN/MAX/FIRST/STRING_AGG, DISTINCT sets) lies in
 * struct wr_strings by id. */
#ifndef WR_RUNTIME_AGGREGATE_H
#define WR_RUNTIME_AGGREGATE_H

#include "runtime/slab.h"
#include "vm/program.h"

size_t wr_aggregate_size(const struct wr_aggregate *aggregate); /* bytes of an accumulator, multiple of 8 */
void wr_aggregate_init(const struct wr_aggregate *aggregate, void *cell);
/* Adds one row's argument (NULLs are passed over as SQL says; FILTER was decided by the caller).
 * second: ARG_MIN/ARG_MAX's compared value, STRING_AGG's separator; else NULL. */
void wr_aggregate_add(const struct wr_aggregate *aggregate, void *cell, const struct wr_value *argument,
                      const struct wr_value *second, struct wr_strings *strings);
/* Adds many rows of a batch to one cell each: cell[i] for row[i], in order. The fast path of windows. */
void wr_aggregate_add_rows(const struct wr_aggregate *aggregate, void *const *cell, const uint16_t *row, uint32_t count,
                           const struct wr_batch *batch, struct wr_strings *strings);
/* Merges a later cell into an earlier one (slices of hopping windows, in order of time). */
void wr_aggregate_merge(const struct wr_aggregate *aggregate, void *into, const void *later, struct wr_strings *strings);
/* The result now (strings lent by `strings`, or by `scratch` where they are built). */
struct wr_value wr_aggregate_result(const struct wr_aggregate *aggregate, const void *cell, struct wr_strings *strings,
                                    struct wr_arena *scratch);
/* A copy that shares nothing; releases what a cell holds in strings. */
void wr_aggregate_copy(const struct wr_aggregate *aggregate, void *to, const void *from, struct wr_strings *strings);
void wr_aggregate_release(const struct wr_aggregate *aggregate, void *cell, struct wr_strings *strings);
/* Logical form without ids. decode returns false when the bytes are not whole. */
void wr_aggregate_encode(const struct wr_aggregate *aggregate, const void *cell, struct wr_strings *strings, struct wr_buf *out);
bool wr_aggregate_decode(const struct wr_aggregate *aggregate, void *cell, struct wr_strings *strings, struct wr_slice *in);

#endif
