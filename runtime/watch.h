/* Watching a run: what a test or an explanation wants to know beside the results. Off (NULL) in
 * every other run, and then it costs nothing.
 *
 *   results   each row of an output with the source rows that took part in it
 *   drops     each dropped row, and each late one, with its place
 *   starts    (trace) each start of a pattern when it ends: how far it came, what refused to go on
 *
 * Rows of matches are remembered until the run ends, since a pattern over a pattern may need them
 * at any time. */
#ifndef WR_RUNTIME_WATCH_H
#define WR_RUNTIME_WATCH_H

#include "base/vec.h"
#include "runtime/connector.h"
#include "runtime/operator.h"

/* A row of a source partition. */
struct wr_watch_row {
    const char *stream;
    uint32_t partition;
    uint64_t record; /* number in its partition, from 0 */
    int64_t time;    /* effective time */
    const char
        *variable;    /* of the pattern that gave the result; NULL: of none, or of one below it */
    const char *text; /* trace: the row as JSON; else NULL */
    bool is_moment;   /* trace: no row, but the end of an absence of .variable, at .time */
};

struct wr_watch_result {
    const char *output;
    bool derived;        /* an output only because it is watched */
    int64_t time;        /* event time */
    struct wr_slice row; /* a JSON object */
    const char *pattern; /* that gave the row, through views too; NULL: none did, or several */
    bool timed_out;      /* by WITH TIMEOUTS */
    bool rows_known;     /* false behind windows */
    const struct wr_watch_row *rows;
    size_t row_count;
};

struct wr_watch_drop {
    const char *query, *kind, *reason, *code,
        *what; /* kind: "record", "row", "late", "other"; "" not NULL */
    bool has_row;
    struct wr_watch_row row;
    int64_t late_us; /* of late rows: how late */
};

/* How a start ended: as its best candidate did, the one that had taken most. */
enum wr_watch_end {
    WR_WATCH_MATCH,
    WR_WATCH_DIED, /* the very next row had to fit, and did not */
    WR_WATCH_EXPIRED,
    WR_WATCH_TAKEN, /* a match before it took its row away (AFTER MATCH …) */
    WR_WATCH_INPUT_ENDED,
    WR_WATCH_FORBIDDEN,  /* NOT b: a b came */
    WR_WATCH_CLOSED,     /* UNTIL (c): the loop was closed and nothing could follow */
    WR_WATCH_BOUND,      /* ->[lo..hi]: hi passed */
    WR_WATCH_CLAIMED,    /* a possessive loop keeps the row */
    WR_WATCH_LIMIT,      /* ON LIMIT dropped it */
    WR_WATCH_COVERED,    /* an earlier start is open, which is all that matters */
    WR_WATCH_SUPPRESSED, /* a match, and not given: SUPPRESS */
    WR_WATCH_LED         /* it could not begin: NOT b FOR d in front, and a b had come */
};

/* Why a row did not carry the best candidate on. */
enum wr_watch_refusal_kind {
    WR_REFUSAL_CONDITION, /* its condition is not true */
    WR_REFUSAL_EARLY,     /* true, but before lo of ->[lo..hi] */
    WR_REFUSAL_BOUND,     /* past hi */
    WR_REFUSAL_CLAIMED,
    WR_REFUSAL_CLOSED,
    WR_REFUSAL_FORBIDDEN, /* NOT b between two elements: it satisfies b */
    WR_REFUSAL_ABSENCE    /* NOT b FOR d, a trailing NOT b: it satisfies b */
};
struct wr_watch_refusal {
    enum wr_watch_refusal_kind kind;
    struct wr_watch_row row;
    const char *variable, *condition; /* condition: the variable's DEFINE in canonical form */
    const char *values;               /* "status = 'declined', AVG(small.amount) = 2", or "" */
    const char *awaited;              /* what could have come; "" for the end of the pattern */
    int64_t limit_us; /* EARLY: lo; BOUND: hi; ABSENCE: d, -1: until the time limit; else 0 */
};

enum { WR_WATCH_WAITED_PREFERRED = 1, WR_WATCH_WAITED_EARLIER = 2 };
struct wr_watch_start {
    const char *pattern;
    const char *key; /* "c1", "c1, 7"; "" without PARTITION BY */
    enum wr_watch_end end;
    int64_t end_time;                /* when it ended; of EXPIRED: the first row's time + WITHIN */
    int64_t limit_us;                /* WITHIN, hi, d of NOT b FOR d or SUPPRESS; -1: none */
    const struct wr_watch_row *rows; /* what the best candidate had taken */
    size_t row_count;
    const struct wr_watch_refusal *refusal; /* of the best candidate, oldest first */
    size_t refusal_count;
    uint64_t refused;  /* all, also those not kept */
    const char *waits; /* what the best candidate waited for: "`b`, or no `c` for 10m"; "" */
    const char *cause; /* TAKEN: "SKIP PAST LAST ROW"; LED: the variable that had come; else "" */
    uint8_t waited;    /* of a match: what it waited for, WR_WATCH_WAITED_… */
    bool has_by;
    struct wr_watch_row by_first, by_last; /* TAKEN: rows of that match; COVERED: the earlier start */
    int64_t by_time; /* LED: when the b was; SUPPRESSED: the match before it */
};

/* A row on its way to a pattern: whose it is and which variables' conditions on the row alone it
 * satisfies; or left out by WHERE. */
struct wr_watch_seen {
    const char *query;
    bool filtered;
    const char *key;
    struct wr_watch_row row;
    size_t variable_count;
    const char *const *variable;
};

struct wr_watch_options {
    void (*on_result)(void *context, const struct wr_watch_result *result);
    void (*on_drop)(void *context, const struct wr_watch_drop *drop);
    void (*on_late)(void *context,
                    const struct wr_watch_drop *drop); /* judged late, whatever becomes of it */
    void (*on_start)(void *context, const struct wr_watch_start *start); /* NULL: no trace */
    void (*on_seen)(void *context, const struct wr_watch_seen *seen); /* wants on_start */
    bool coverage; /* counts what coverage.c lists; wants on_start */
    void *context;
};

struct wr_watch;
struct wr_watch *wr_watch_new(const struct wr_watch_options *options,
                              const struct wr_connectors *connectors);
void wr_watch_free(struct wr_watch *watch);
bool wr_watch_traces(const struct wr_watch *watch); /* false for NULL */

/* A pattern gives out its next result: the rows at these places, as these variables (of the node).
 */
struct wr_watch_taken {
    struct wr_place place;
    uint16_t variable;
};
void wr_watch_match(struct wr_watch *watch, const struct wr_operator *pattern,
                    struct wr_place result, const struct wr_watch_taken *taken, size_t count);

/* In front of each encoded line of an output: what wr_watch_lines needs to report it. */
void wr_watch_frame(struct wr_watch *watch, const struct wr_operator *output, uint32_t port,
                    const struct wr_batch *batch, uint32_t row, struct wr_buf *out);
/* Takes whole framed lines in their final order and reports them. */
void wr_watch_lines(struct wr_watch *watch, const struct wr_task *task, const char *lines,
                    size_t size);

void wr_watch_drop(struct wr_watch *watch, const struct wr_task *task, uint32_t query,
                   const char *kind, const char *reason, const char *code, const char *what,
                   struct wr_place place, int64_t late_us);
/* A row was judged late at its source. */
void wr_watch_late(struct wr_watch *watch, const struct wr_task *task, uint32_t query,
                   struct wr_place place, int64_t late_us);
/* Fills a row's identity from a place; false: it is no row of a source. */
bool wr_watch_row_of(const struct wr_task *task, struct wr_place place, struct wr_watch_row *row);
/* A pattern's last result was given because its start ran out of time (WITH TIMEOUTS). */
void wr_watch_timed_out(struct wr_watch *watch);
void wr_watch_start_ended(struct wr_watch *watch, const struct wr_watch_start *start);
bool wr_watch_sees(const struct wr_watch *watch); /* false for NULL */
void wr_watch_seen(struct wr_watch *watch, const struct wr_watch_seen *seen);
struct wr_encoder *wr_watch_encoder(struct wr_watch *watch, const struct wr_schema *schema);

/* ---- Coverage (coverage.c) -------------------------------------------------------------------- */

enum { WR_COVER_LATE, WR_COVER_EXPIRED, WR_COVER_TRUE, WR_COVER_FALSE, WR_COVER_FIRST };
uint32_t wr_cover_variable(uint32_t variable, bool holds);
uint32_t wr_cover_follow(const struct wr_pattern_node *pattern, uint32_t follow);
/* Counts an item of a node; nothing happens where no coverage is asked for, or `watch` is NULL. */
void wr_watch_count(struct wr_watch *watch, uint32_t node, uint32_t item, uint64_t times);
uint64_t wr_watch_counted(const struct wr_watch *watch, uint32_t node, uint32_t item);

struct wr_cover {
    const char *query, *what; /* "condition of large true" */
    uint32_t line;            /* in the program */
    uint64_t hits;
};
typedef void wr_cover_fn(void *context, const struct wr_cover *cover);
/* All items of a program, hit or not. */
void wr_watch_cover(const struct wr_watch *watch, const struct wr_program *program,
                    wr_cover_fn *visit, void *context);

#endif
