/* What was dropped, by whom and why: one counted entry for each (query or stream, kind, reason,
 * code), with the place of the first one. Also how many rows were read and written, so that one
 * table shows the whole run. */
#ifndef WR_RUNTIME_DROPS_H
#define WR_RUNTIME_DROPS_H

#include "base/arena.h"
#include "base/vec.h"
#include "vm/program.h"

enum wr_drop_kind {
    WR_DROP_RECORD, /* a bad record: it is no row of its stream */
    WR_DROP_ROW,    /* a bad row: an expression of the query failed on it */
    WR_DROP_LATE,   /* it came too late for the query */
    WR_DROP_OTHER,  /* a limit, a suppression */
    WR_DROP_KINDS
};

struct wr_drop {
    uint32_t query; /* index in program->query */
    uint8_t kind;   /* enum wr_drop_kind */
    const char *reason, *code;
    uint64_t rows;
    const char *first;    /* where the first one lay, "" until it is set */
    const char *what;     /* its column, condition; or "" */
    uint64_t logged_rows; /* rows when a line was last logged */
    int64_t logged_us;
    uint32_t next; /* of the same query, or WR_NONE */
};

struct wr_drops {
    struct wr_arena arena;
    uint32_t query_count;
    uint32_t *head; /* per query: its first entry, or WR_NONE */
    WR_VEC(struct wr_drop) drop;
    uint64_t total[WR_DROP_KINDS];
};

void wr_drops_init(struct wr_drops *drops, uint32_t query_count);
void wr_drops_release(struct wr_drops *drops);
/* Counts one row and returns its entry (good until the next call); the texts are copied when it is
 * new. */
struct wr_drop *wr_drops_count(struct wr_drops *drops, uint32_t query, enum wr_drop_kind kind,
                               const char *reason, const char *code);
/* An entry as a checkpoint kept it; texts are copied. */
void wr_drops_restore(struct wr_drops *drops, uint32_t query, enum wr_drop_kind kind, struct wr_slice reason,
                      struct wr_slice code, uint64_t rows, struct wr_slice first, struct wr_slice what);
uint64_t wr_drops_of(const struct wr_drops *drops, uint32_t query, enum wr_drop_kind kind);

/* One line of the table of a run. */
struct wr_flow {
    const char *name;
    uint32_t query; /* WR_NONE: an output whose name is no query's */
    bool is_input, is_output;
    uint64_t read, written;
};
/* The table of a run: for people, or as JSON {"version":1,…} whose last brace is left to the caller. Zeros are
 * shown. */
void wr_drops_print(const struct wr_drops *drops, const struct wr_flow *flow, size_t count,
                    struct wr_buf *out);
void wr_drops_print_json(const struct wr_drops *drops, const struct wr_program *program,
                         const struct wr_flow *flow, size_t count, struct wr_buf *out);

#endif
