/* Limits that drop single starts of a pattern, over all its keys (SET max_starts_per_pattern, max_keys, max_rows_kept with
 * on_limit = 'drop_oldest' or 'drop_new'). What counts is what is open at the place of a row: starts whose time is up are
 * ended first, so that neither the size of batches nor when idle keys are looked at shows. */
#ifndef WR_RUNTIME_MATCH_LIMIT_H
#define WR_RUNTIME_MATCH_LIMIT_H

#include "base/vec.h"
#include "vm/limits.h"

struct wr_pattern;
struct wr_general;

struct wr_limiter {
    struct wr_limits limits;
    uint64_t begun;    /* of the row at hand: the first start that began, its number; 0: none has */
    struct wr_limit_entry {
        uint64_t sequence; /* of a start's first row */
        uint32_t key;
    } *heap;           /* the oldest first; starts that have gone stay until they come up */
    size_t count, capacity;
};

/* NULL where no such limit is set. */
struct wr_limiter *wr_limiter_new(const struct wr_limits *limits, const struct wr_pattern_node *spec);
void wr_limiter_free(struct wr_limiter *limiter);
void wr_limiter_clear(struct wr_limiter *limiter);
/* A start has been put behind the others of its key. */
void wr_limiter_began(struct wr_general *g, uint32_t key, uint64_t sequence);
/* After a row: drops until the limits hold. */
void wr_limiter_enforce(struct wr_pattern *p, struct wr_general *g, uint32_t key);

#endif
