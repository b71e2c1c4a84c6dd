/* The trace of a pattern from the inside: what pattern_trace.c and pattern_trace_text.c share. */
#ifndef WR_RUNTIME_PATTERN_TRACE_H
#define WR_RUNTIME_PATTERN_TRACE_H

#include "runtime/match_general.h"

enum { WR_REFUSALS_KEPT = 4 };

struct wr_trace_seen { /* a row or a moment that some candidate of the start has taken */
    uint64_t sequence; /* of a moment: of the row before it */
    struct wr_place place;
    uint16_t variable, position;
    bool is_moment;
    char *text;
};
struct wr_trace_refusal {
    struct wr_blame blame;
    uint16_t awaited;
    struct wr_place place;
    char *values, *text;
};
struct wr_traced {
    uint64_t sequence; /* of its first row */
    WR_VEC(struct wr_trace_seen) seen;
    WR_VEC(uint32_t) best; /* indices in .seen */
    struct wr_trace_refusal refusal[WR_REFUSALS_KEPT]; /* the last ones, oldest first */
    uint32_t refusals;
    uint64_t refused;
    bool lost, matched, is_suppressed; /* lost: nothing became of the best candidate */
    enum wr_watch_end lost_by;
    int64_t lost_time, limit_us, given;
    uint8_t waited;
};

struct wr_pattern_trace {
    WR_VEC(struct wr_traced) start; /* by sequence */
    struct wr_encoder *encoder;
    struct wr_schema shown; /* of .encoder: the input's columns that users know */
    WR_VEC(struct wr_vector) column;
    struct wr_buf buf, waits, skip;
    WR_VEC(uint32_t) chain; /* links of the chain at hand, last first */
    enum wr_watch_end worst; /* what ended entries of the candidate at hand; MATCH: nothing did */
    int64_t worst_limit;
    struct wr_place taker_first, taker_last;
};

/* The row being handled: one of the batch, or (WR_NONE) a kept one that has waited. */
uint64_t wr_trace_sequence(const struct wr_pattern *p, uint32_t row);
struct wr_place wr_trace_place(const struct wr_pattern *p, uint32_t row);
/* The columns of the input that a user knows; own->column is to be freed. */
void wr_trace_columns(const struct wr_schema *input, struct wr_schema *own);
/* As JSON, and what the variable's condition read; to be freed. */
char *wr_trace_row(struct wr_pattern *p, uint32_t row);
char *wr_trace_values(struct wr_pattern *p, uint16_t variable, uint32_t row);
/* Its values, "c1, 7"; empty without PARTITION BY. */
void wr_trace_key(struct wr_pattern *p, uint32_t key, struct wr_buf *out);
/* "`b` or no `c` for 10m": what may follow a position. */
void wr_trace_waits_for(const struct wr_pattern *p, uint16_t position, struct wr_buf *out);
/* "SKIP PAST LAST ROW"; empty: no rule takes rows away. */
void wr_trace_skip(const struct wr_pattern *p, struct wr_buf *out);

#endif
