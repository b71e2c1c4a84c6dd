/* The WINDOW operator's state, shared by window.c (rows into windows), window_emit.c (results) and window_state.c
 * (the logical form).
 *
 * An open window is a pane. A cell is what one key has in one pane: its accumulators. Cells lie in a slab; a pane
 * lists its cells in order of the keys' first appearance, a key chains its cells by the end of their windows, from
 * wr_keytable_owned. So a row finds its key once and walks the chain for all its windows, and a pane that closes
 * touches its own cells only: nothing is cleared, nothing searched.
 *
 * A key without a cell is idle and stands outside the state; it stays in the key table for a while, because most come
 * back at once, and is swept out a few at a time when idle keys outnumber what was busy lately. */
#ifndef WR_RUNTIME_WINDOW_INTERNAL_H
#define WR_RUNTIME_WINDOW_INTERNAL_H

#include "base/vec.h"
#include "runtime/aggregate.h"
#include "runtime/keytable_internal.h"
#include "runtime/operator.h"

enum { WR_WINDOWS_PER_ROW_MAX = 100000 };

struct wr_window_cell {
    uint32_t key;
    uint32_t next;     /* the key's cell of the next later window; 0: none */
    uint32_t pane;
    uint32_t position : 31; /* in the pane's list */
    uint32_t touched : 1;   /* of a key's first cell: the key is marked as changed, and was not saved since */
    /* the accumulators follow, in the order of the aggregates */
};

struct wr_pane {
    int64_t start, end;
    WR_VEC(uint32_t) cells; /* by first appearance; 0 only while a state is being loaded */
    uint32_t next_free;
    bool open;
};

struct wr_window {
    struct wr_operator op;
    const struct wr_window_node *spec;
    struct wr_keytable *keys;
    struct wr_type *type;              /* of the result's columns: keys, bounds, aggregates */
    struct wr_slab cells;
    WR_VEC(uint32_t) spare;            /* cells given back: a list of its own, so that the next ones can be asked for */
    struct wr_strings *strings;
    uint32_t *accumulator;             /* by aggregate: offset in a cell */
    bool has_strings;                  /* some accumulator must be released */
    bool forgot;                       /* a key went while a window closed: the batch's ids may not hold any more */
    bool careful;                      /* keys of rows must be touched before anything else: some may be frozen or leave */
    bool failed;                       /* too many windows a row: the task is told to end */
    uint32_t active;                   /* keys with a cell */
    uint32_t busy;                     /* about how many there were lately */
    uint32_t hand;                     /* of the sweep */
    uint64_t next_order;

    WR_VEC(struct wr_pane) panes;
    uint32_t free_pane;                /* list of closed ones, + 1 */
    WR_VEC(uint32_t) open;             /* numbers of the open panes, by end */

    /* The open windows of the event times in [low, high): those of most rows are those of the row before. */
    int64_t low, high;
    bool covered;                      /* some window, open or not, contains these times */
    WR_VEC(uint32_t) current;

    uint32_t pending;                  /* rows found their cells and wait to be added */
    uint16_t row[WR_BATCH_ROWS];
    void *cell[WR_BATCH_ROWS];
    int32_t id[WR_BATCH_ROWS];
    uint16_t filtered_row[WR_BATCH_ROWS];
    void *filtered_cell[WR_BATCH_ROWS];
    struct wr_batch_builder builder;
    struct wr_buf saving;
};

static inline struct wr_window_cell *wr_window_cell_at(const struct wr_window *w, uint32_t id)
{
    return wr_slab_at(&w->cells, id);
}

/* The head of a key's chain of cells; 0: none. */
static inline uint32_t *wr_window_first_cell(const struct wr_window *w, uint32_t key)
{
    return &wr_key_entry_at(w->keys, key)->owned;
}

static inline int64_t wr_window_moment(const struct wr_window *w, int64_t end)
{
    int64_t moment;
    if (__builtin_add_overflow(end, w->spec->late_us, &moment) || moment == WR_TIME_MAX) return WR_TIME_MAX - 1;
    return moment;
}

static inline uint32_t wr_window_cell_count(const struct wr_window *w)
{
    return w->cells.live - (uint32_t)w->spare.count;
}

/* The pane of the window with this end; made, with its moment, where there is none. */
uint32_t wr_window_pane(struct wr_window *w, int64_t start, int64_t end);
/* The key's cell in a pane, at *link or where the chain from *link goes on; made where there is none. Moves *link to
 * the link behind it. position: in the pane's list, or UINT32_MAX for the next one. */
struct wr_window_cell *wr_window_find_cell(struct wr_window *w, uint32_t key, uint32_t pane, uint32_t position,
                                           uint32_t **link);
/* A key without a cell stands for nothing any more. */
void wr_window_forget_key(struct wr_window *w, uint32_t id);
void wr_window_on_moment(struct wr_operator *op, int64_t time, uint32_t key);
void wr_window_save_all(struct wr_operator *op, wr_state_entry_fn *entry, void *context);
uint32_t wr_window_unit_limit(const struct wr_operator *op);
void wr_window_save_unit(struct wr_operator *op, uint32_t unit, wr_state_entry_fn *entry, void *context);
void wr_window_save_own(struct wr_operator *op, wr_state_entry_fn *entry, void *context);
struct wr_slice wr_window_unit_key(const struct wr_operator *op, uint32_t unit);
bool wr_window_load(struct wr_operator *op, struct wr_slice key, struct wr_slice value);
bool wr_window_unit_due(const struct wr_operator *op, uint32_t unit, int64_t *wake, uint64_t *order);
void wr_window_drop_unit(struct wr_operator *op, uint32_t unit);
uint32_t wr_window_find_unit(const struct wr_operator *op, struct wr_slice key);
void wr_window_clear(struct wr_operator *op);
void wr_window_measure(const struct wr_operator *op, struct wr_operator_size *size);

#endif
