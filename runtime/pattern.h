/* The pattern operator from the inside: what its files share.
 *
 *   pattern.c         the operator: which rows count, their conditions and keys; late rows; moments; the end
 *   pattern_plan.c    what is derived from the program's node once: steps, histories, layouts
 *   pattern_row.c     kept rows and values: layouts, storing and reading cells
 *   match_link.c      chains of taken rows and moments, their running histories
 *   match_condition.c conditions over chains: what they read, and whether two chains agree on it
 *   match_rows.c      the rows of a key in order: PREV and NEXT, rows that wait for those behind them
 *   match_group.c     row conditions alone: starts that may do the same move together
 *   match_general.c   the general matcher: ordered candidates of every start
 *   match_sequence.c  fixed sequences with conditions on the row, NOT, absences: all starts of a step move together
 *   match_row.c       one row, no history: straight from the condition's bits
 *   match_output.c    from a match to a row of results
 *   pattern_trace.c   how far each start came and what refused to go on, for those who ask
 *   match_state.c     the one logical form of a key's state; all matchers convert to and from it
 *
 * A matcher decides which rows are matches, in order; the shell does everything else. All matchers give the
 * same rows in the same order with the same places, and save the same bytes. */
#ifndef WR_RUNTIME_PATTERN_H
#define WR_RUNTIME_PATTERN_H

#include "base/simd.h"
#include "base/vec.h"
#include "runtime/aggregate.h"
#include "runtime/codec.h"
#include "runtime/keytable.h"
#include "runtime/operator.h"
#include "runtime/watch.h"
#include "vm/limits.h"
#include "vm/pattern_class.h"

struct wr_pattern;

/* ---- Kept rows --------------------------------------------------------------------------------- */

/* Where some of the input's columns lie in a cell of bytes: the values, and one byte of flags each, which stand behind
 * them or, where there is room for so many, in front of the cell. */
struct wr_layout {
    uint32_t count;
    const uint32_t *column;  /* of the input */
    uint8_t *cls;            /* enum wr_class of each */
    uint32_t *offset;        /* of each value in the cell */
    int32_t flags;           /* offset of the flag bytes */
    uint32_t size;           /* multiple of 8 */
    uint16_t *slot;          /* column of the input -> position in .column, or WR_LAYOUT_NONE */
    bool has_strings;
};
enum { WR_LAYOUT_NONE = 0xffff, WR_KEPT_FLAGS = 4 /* bytes in front of the cell of a kept row */ };

/* spare: bytes in front of the cell that may have the flags. */
void wr_layout_init(struct wr_layout *layout, const uint32_t *column, uint32_t count, const struct wr_schema *input,
                    uint32_t spare);
void wr_layout_release(struct wr_layout *layout);
void wr_layout_store(const struct wr_layout *layout, void *cell, const struct wr_batch *batch, uint32_t row,
                     struct wr_strings *strings);
void wr_layout_put(const struct wr_layout *layout, void *cell, uint32_t slot, const struct wr_value *value,
                   struct wr_strings *strings);
struct wr_value wr_layout_at(const struct wr_layout *layout, const void *cell, uint32_t slot,
                             const struct wr_strings *strings);
void wr_layout_drop(const struct wr_layout *layout, const void *cell, struct wr_strings *strings);

/* Which row it was: for MATCH_ID, and for places. */
struct wr_row_id {
    uint64_t sequence; /* number of the row among all that the operator was given, from 1: order of rows */
    struct wr_place place;
};

/* One row of a match: kept in a cell, or (layout NULL) row `row` of the batch being handled. Or a moment, the end of
 * an absence of `variable`: it has a time, as that of its place, and nothing else. */
struct wr_match_row {
    const struct wr_layout *layout;
    const void *cell;
    struct wr_place place;
    uint32_t row;
    uint16_t variable;
    bool is_moment;
    bool excluded;           /* left out of ALL ROWS PER MATCH */
    uint32_t kept;           /* general matcher: the row's id, for steps from it */
};

enum wr_match_kind { WR_MATCHED, WR_TIMED_OUT, WR_UNMATCHED_ROW };
struct wr_match {
    const struct wr_match_row *row;
    uint32_t count;          /* 0: the empty match */
    uint8_t kind;            /* enum wr_match_kind */
    uint64_t number;         /* MATCH_NUMBER(), where it is asked for */
    const struct wr_match_row *at; /* ALL ROWS: the row that the empty match starts at, the unmatched row */
    uint32_t key;            /* id in the key table; WR_NONE: the key of row `key_row` of the batch */
    uint32_t key_row;
    struct wr_place first;   /* of the first row, also of an empty match */
    const char *running;     /* accumulators of the running aggregates (see plan), or NULL */
};

/* ---- Plan -------------------------------------------------------------------------------------- */

/* A position of the automaton, or (the last one) the beginning. */
struct wr_step {
    uint16_t variable;
    bool accepts;            /* an ACCEPT without an anchor ends the list of entries */
    bool any_strict;
    bool beginning;
    bool special;            /* some entry is more than a connector and a position */
    bool timed;              /* some entry counts from the time of the last row or moment taken */
    bool needs_aged;         /* some entry asks whether a row has passed since */
    bool moments;            /* some entry ends, or is taken, by time alone */
    bool ends_by_time;       /* of an absence: a match may end behind it with no further row */
    uint32_t entries;        /* of the follow list that count: those before that ACCEPT */
    const struct wr_follow *follow;
    uint64_t *full, *strict; /* masks over the entries, plan.alive_words words each */
    const uint64_t *reads;   /* bits over .history that candidates here must agree on; NULL: none */
};

/* Rows of a set that conditions read by LAST or FIRST. Up to WR_TRACK_MAX of them are remembered in each link. */
struct wr_track {
    uint16_t set;
    bool first, cached;
    uint32_t count;          /* rows from the end (LAST) or the front (FIRST) */
    uint32_t slot;           /* index of the first id in wr_link.id when cached */
};
enum { WR_TRACK_MAX = 8 };

/* Where a register of a condition comes from. */
struct wr_source_of {
    uint8_t kind;            /* enum wr_input_kind */
    uint16_t column, offset, set;
    int16_t step;
    uint8_t from_first;
    uint32_t track;          /* LAST, FIRST: index of the track */
};

struct wr_condition {
    struct wr_row_frame *frame; /* NULL: the row condition says all */
    struct wr_source_of *input; /* one per input of the block */
    bool own;                /* reads a set that holds its own variable: evaluated as if the row had been taken */
    bool failed;             /* an evaluation on this row ended in an error */
    uint64_t filled;         /* sequence number of the row whose columns stand in the frame */
};

struct wr_plan {
    struct wr_step *step;    /* position_count + 1: the last is the beginning */
    uint64_t *masks;         /* storage of the steps' masks */
    uint32_t alive_words;
    struct wr_condition *condition; /* per variable */
    struct wr_track *track;
    uint32_t track_count, slot_count;
    uint32_t *history_track; /* per history input: its track, or WR_NONE */
    uint32_t *accumulator;   /* per aggregate: offset in a link's accumulators, WR_NONE when not running */
    uint32_t accumulator_size;
    bool accumulators_owning;/* some accumulator holds strings */
    bool strict;             /* a strict entry exists behind the beginning */
    bool empty_match;        /* the pattern matches no row, if perhaps only at the partition's start */
    bool one_start;          /* of a key's starts only the earliest can matter */
    bool elders;             /* a later start that has come as far as an earlier one cannot matter */
    bool past_last;          /* AFTER MATCH SKIP PAST LAST ROW */
    bool in_order;           /* a match waits while an earlier start is open */
    bool moments;            /* time alone moves candidates */
    bool rows;               /* the rows of a key are kept in their order */
    bool shows_start;        /* a row may be shown that no candidate has taken */
    bool at_start;           /* it matters whether a row is its key's first */
    bool at_end;             /* or its last */
    bool numbers;            /* MATCH_NUMBER() is asked for */
    bool more;               /* a key has a struct wr_key_more */
    int64_t behind;          /* rows of a window stand so much after their event times: where its moment stands. As all
                                do, time is counted there, and kept places have it. 0: the input is no window's */
    uint32_t time_slot;      /* where links hold the time of what they took last; WR_NONE: that of their row */
    const uint32_t *keep;    /* columns that kept rows have: the program's, and what waiting rows are asked for */
    uint32_t keep_count;
    uint32_t *own_keep;      /* the memory of .keep */
    uint8_t *selects;        /* per variable: some position has it */
    uint8_t *begins;         /* per variable: a match may begin with it */
    uint8_t *needed;         /* variable_count rows of keep_count bytes: something reads the column of such rows */
    uint32_t number;         /* of this pattern among those of its query */
    struct wr_limits limits; /* of the program */
    uint64_t limit_starts;   /* open starts of a key, by the pattern or by a setting; 0: any number */
    uint8_t limit_policy;    /* enum wr_limit, for that */
};

void wr_plan_init(struct wr_plan *plan, const struct wr_task *task, const struct wr_node *node);
void wr_plan_release(struct wr_plan *plan, const struct wr_node *node);

/* ---- A key's state in its logical form ---------------------------------------------------------- */

/* A row as one variable: with those of the kept columns that something reads of such rows (plan.needed). */
struct wr_picture_row {
    struct wr_row_id id;
    uint32_t variable;
    const struct wr_layout *layout; /* save: where its values are */
    const void *cell;
    uint32_t value;          /* load: index in .value of its first kept column (those not needed are NULL) */
};
struct wr_picture_link {
    uint32_t previous;       /* 1 + index of an earlier link; 0: begins the chain */
    uint32_t row;            /* save: any number while it is made (see wr_picture_sort) */
    uint16_t flags, moment;  /* enum wr_link_flag; the variable of a moment */
    int64_t time;            /* of a moment */
    const char *running;     /* save: accumulators */
    uint32_t drawn, ref;     /* save: the matcher's link, and its count while its place in the picture stands there */
    struct wr_slice encoded; /* load: accumulators */
};
struct wr_picture_thread {
    uint32_t link;           /* 1 + index; 0: no row (the empty match) */
    uint16_t position;
    bool ended, aged;
    uint32_t alive;          /* index in .alive of plan.alive_words words */
};
/* A row of the key's list, with all kept columns. */
struct wr_picture_listed {
    struct wr_row_id id;
    uint64_t number;
    uint8_t matched;
    const uint64_t *bits;    /* save: row conditions of a row that waits; NULL: it does not wait */
    const void *cell;        /* save */
    uint32_t value, bit;     /* load: indices in .value and .alive; bit WR_NONE: it does not wait */
};
/* A result that waits for rows. */
struct wr_picture_held {
    struct wr_row_id first;
    uint32_t link;           /* 1 + index; 0: the empty match */
    uint8_t kind;
    uint64_t number;
};
/* What a key has beside its starts. */
struct wr_picture_more {
    bool seen;
    uint64_t number, undecided; /* undecided: sequence number of the first such row, 0: none */
    int64_t given;
};
struct wr_picture_start {
    struct wr_row_id first;
    uint32_t thread, count;
};
/* Everything of one key. Rows by (sequence, variable), links parents first, starts in order, threads by preference. */
struct wr_picture {
    WR_VEC(struct wr_picture_row) row;
    WR_VEC(struct wr_picture_link) link;
    WR_VEC(struct wr_picture_start) start;
    WR_VEC(struct wr_picture_thread) thread;
    WR_VEC(uint64_t) alive;
    WR_VEC(struct wr_value) value;
    WR_VEC(struct wr_picture_listed) listed;
    WR_VEC(struct wr_picture_held) held;
    WR_VEC(int64_t) lead;    /* per entry of the program's .lead */
    struct wr_picture_more more;
};

void wr_picture_clear(struct wr_picture *picture);
void wr_picture_release(struct wr_picture *picture);
/* Of a key's entry; false: malformed. Values point into `value`. */
bool wr_pattern_picture_of(struct wr_pattern *p, struct wr_slice value, struct wr_picture *picture, uint64_t *order);
void wr_pattern_save(struct wr_operator *op, wr_state_entry_fn *entry, void *context);
uint32_t wr_pattern_unit_limit(const struct wr_operator *op);
void wr_pattern_save_unit(struct wr_operator *op, uint32_t unit, wr_state_entry_fn *entry, void *context);
void wr_pattern_save_own(struct wr_operator *op, wr_state_entry_fn *entry, void *context);
struct wr_slice wr_pattern_unit_key(const struct wr_operator *op, uint32_t unit);
bool wr_pattern_load(struct wr_operator *op, struct wr_slice key, struct wr_slice value);
bool wr_pattern_unit_due(const struct wr_operator *op, uint32_t unit, int64_t *wake, uint64_t *order);
void wr_pattern_drop_unit(struct wr_operator *op, uint32_t unit);
uint32_t wr_pattern_find_unit(const struct wr_operator *op, struct wr_slice key);

/* ---- The operator ------------------------------------------------------------------------------- */

struct wr_matcher {
    const char *name;
    void (*init)(struct wr_pattern *p);
    void (*release)(struct wr_pattern *p);
    /* Handles the selected rows of p->batch in order. */
    void (*rows)(struct wr_pattern *p);
    /* Ends what its time ends at this moment. NULL: the matcher arms no moments. */
    void (*moment)(struct wr_pattern *p, int64_t time, uint32_t key);
    /* Asks for what the moment of a key will read (operator.h). NULL: nothing. */
    void (*prefetch)(const struct wr_pattern *p, uint32_t key, unsigned stage);
    /* There is no row to come, but moments behind the last one (p->closing). NULL: that changes nothing. */
    void (*close)(struct wr_pattern *p);
    /* The input has ended: decides everything that waits. */
    void (*end)(struct wr_pattern *p);
    /* Drops what is past its time; true when the key has no state left. NULL: no state per key. */
    bool (*sweep)(struct wr_pattern *p, uint32_t key);
    /* Either a picture of a key, or its bytes in a form of the matcher's own, which wr_pattern_picture_of reads as well. */
    void (*save)(struct wr_pattern *p, uint32_t key, struct wr_picture *picture);
    void (*encode)(struct wr_pattern *p, uint32_t key, struct wr_buf *out);
    bool (*decode)(struct wr_pattern *p, uint32_t key, struct wr_slice in);
    /* False when the picture is none of this pattern's. Its indices have been checked. Arms what waits. */
    bool (*load)(struct wr_pattern *p, uint32_t key, const struct wr_picture *picture);
    void (*clear)(struct wr_pattern *p);
    void (*measure)(const struct wr_pattern *p, struct wr_operator_size *size);
    /* How many keys have an open start. NULL: all that are known, once those past their time have been swept. */
    uint64_t (*open_keys)(const struct wr_pattern *p);
    /* The earliest moment that is armed for the key; NULL: the matcher arms none. */
    int64_t (*armed)(const struct wr_pattern *p, uint32_t key);
    /* Forgets all that a key has, which lies in the store: nothing is decided. NULL: no state per key. */
    void (*drop)(struct wr_pattern *p, uint32_t key);
    /* Adds what its state takes, beside the key table. NULL: nothing. */
    void (*bound)(const struct wr_pattern *p, struct wr_state_bound *bound);
    void (*check)(const struct wr_pattern *p); /* asserts every invariant of the state; O(n) */
};
extern const struct wr_matcher wr_match_general, wr_match_group, wr_match_sequence, wr_match_row;

struct wr_pattern {
    struct wr_operator op;
    const struct wr_pattern_node *spec;
    const struct wr_program *program;
    const struct wr_schema *input;  /* schema of the input's rows */
    const struct wr_matcher *matcher;
    void *state;                    /* the matcher's */
    struct wr_watch *watch;         /* hears of every match; NULL: nobody does */
    struct wr_pattern_trace *trace; /* of every start; NULL: nobody asks */
    struct wr_plan plan;
    struct wr_layout keep;          /* all kept columns */
    struct wr_keytable *keys;       /* NULL: one key, id 0 */
    struct wr_type *key_type;
    struct wr_strings *strings;     /* of kept rows and accumulators */
    struct wr_row_code *row_code;   /* the row conditions, shared with other patterns; NULL: there are none */
    struct wr_frame *row_frame;     /* their results for the batch at hand */

    /* The batch being handled. */
    const struct wr_batch *batch;
    const int64_t *time;            /* of its rows, for all that counts time: see plan.behind */
    const uint64_t **bits;          /* per variable: its row condition; NULL: true */
    uint64_t select[WR_BATCH_WORDS], insert[WR_BATCH_WORDS];
    int32_t id[WR_BATCH_ROWS];

    uint64_t sequence;              /* rows given before this batch */
    uint64_t results;               /* rows of results written so far */
    int64_t now;                    /* all moments up to here have fired */
    int64_t closing;                /* time at which the input ended; WR_TIME_MAX: it has not */
    uint32_t hand;                  /* next id that the sweep looks at */
    uint32_t counted;               /* keys after the last batch */

    /* Results. */
    struct wr_batch_builder out;
    struct wr_type *out_type;
    struct wr_place place;          /* what decides the results now */
    struct wr_place last_place;     /* of the last result: ordinals count up at one place */
    uint32_t last_ordinal;
    WR_VEC(struct wr_match_row) match;
    char *scratch;                  /* accumulators of the aggregates that outputs read */
    uint32_t *scratch_at, *final_at; /* their offsets there: over the rows so far (ALL ROWS), over all; WR_NONE: unread */
    struct wr_value *aggregate, *final_aggregate; /* results of the match at hand */
    struct wr_arena strings_built, final_built; /* what aggregates build; cleared at each row, at each match */
    struct wr_buf buf;
    char id_text[32];
    struct wr_picture picture;
};

static inline bool wr_variable_bit(const struct wr_pattern *p, uint32_t variable, uint32_t row)
{
    return !p->bits[variable] || wr_bit(p->bits[variable], row);
}
/* The selected rows of the batch whose key is known, in order; how many. */
static inline uint32_t wr_pattern_rows(const struct wr_pattern *p, uint16_t rows[static WR_BATCH_ROWS])
{
    uint32_t count = 0;
    for (uint32_t w = 0; w < (p->batch->rows + 63) / 64; w++)
        for (uint64_t bits = p->select[w]; bits; bits &= bits - 1) {
            uint32_t row = w * 64 + (uint32_t)__builtin_ctzll(bits);
            if (p->id[row] != WR_KEY_NONE) rows[count++] = (uint16_t)row;
        }
    return count;
}
static inline struct wr_row_id wr_pattern_row_id(const struct wr_pattern *p, uint32_t row)
{
    return (struct wr_row_id){p->sequence + row + 1, wr_batch_place(p->batch, row)};
}
/* time + by, WR_TIME_MAX when there is no such time. */
static inline int64_t wr_time_later(int64_t time, int64_t by)
{
    int64_t end;
    return __builtin_add_overflow(time, by, &end) ? WR_TIME_MAX : end;
}
/* first + within, WR_TIME_MAX when there is no limit or no such time. */
static inline int64_t wr_pattern_deadline(const struct wr_pattern *p, int64_t first)
{
    return p->spec->within_us < 0 ? WR_TIME_MAX : wr_time_later(first, p->spec->within_us);
}

/* A key, or the whole pattern (WR_NONE), has more starts than a limit allows, and the policy is to fail. `limit`: the
 * setting's name, or LIMIT. */
void wr_pattern_fail_limit(struct wr_pattern *p, uint32_t key, uint64_t most, const char *limit);
/* Appends a key as people read it: "c1, 7". */
void wr_pattern_put_key(const struct wr_pattern *p, uint32_t key, struct wr_buf *out);
/* Asserts every invariant of the operator's state; O(n), for tests. */
void wr_pattern_check(const struct wr_operator *op);
/* The row so many rows behind (or before) a kept row among its key's rows: its id, 0 when there is none. */
uint32_t wr_general_step(const struct wr_pattern *p, uint32_t kept, int step);
struct wr_value wr_general_column(const struct wr_pattern *p, uint32_t kept, uint32_t column);
/* Gives a match decided at p->place out. */
void wr_pattern_report(struct wr_pattern *p, const struct wr_match *match);
/* Emits what has been reported so far. */
void wr_pattern_flush(struct wr_pattern *p);
/* Drops every start whose time is up, so that what is left is open. */
void wr_pattern_sweep_all(struct wr_operator *op);
/* pattern_trace.c */
void wr_trace_init(struct wr_pattern *p);
void wr_trace_release(struct wr_pattern *p);
void wr_output_init(struct wr_pattern *p);
void wr_output_release(struct wr_pattern *p);

#endif
