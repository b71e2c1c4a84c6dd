/* Which columns of rows a pattern keeps, and of the rows of which variables: one answer for the runtime, whose state
 * holds them, and for the identity of the operator, which says whether that state can be read. */
#ifndef WR_VM_PATTERN_KEPT_H
#define WR_VM_PATTERN_KEPT_H

#include "vm/program.h"

/* The columns, in the order of the state. Room in `keep` for wr_pattern_kept_most. Returns their number. */
uint32_t wr_pattern_kept_most(const struct wr_program *program, const struct wr_pattern_node *pattern);
uint32_t wr_pattern_kept(const struct wr_program *program, const struct wr_pattern_node *pattern, uint32_t *keep);
/* For each kept column the variables whose rows' value is read by anything; of the others it need not be saved. Bits:
 * variable v is bit v % 64 of word v / 64; `needed` has wr_pattern_words words a column, zeroed by the caller. */
static inline uint32_t wr_pattern_words(const struct wr_pattern_node *pattern)
{
    return (pattern->variable_count + 63) / 64;
}
void wr_pattern_needed(const struct wr_pattern_node *pattern, const uint32_t *keep, uint32_t keep_count, uint64_t *needed);

#endif
