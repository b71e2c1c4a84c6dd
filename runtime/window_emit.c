/* The results of a window whose moment has come: a row a key in order of first appearance, column by column in batches;
 * then its cells are given back. */
#include "base/simd.h"
#include "runtime/aggregate_internal.h"
#include "runtime/cold.h"
#include "runtime/window_internal.h"

enum { AHEAD = 8 };

static void fill_keys(struct wr_window *w, struct wr_window_cell *const *cell, uint32_t n)
{
    uint32_t id[WR_BATCH_ROWS];
    for (uint32_t r = 0; r < n; r++) id[r] = cell[r]->key;
    for (uint32_t k = 0; k < w->spec->key_count; k++) wr_keytable_values(w->keys, id, n, k, &w->builder.column[k]);
}

/* Column of an aggregate, with a loop of its own for counts and sums of integers that are in range. */
static void fill_aggregate(struct wr_window *w, uint32_t k, struct wr_window_cell *const *cell, uint32_t n)
{
    const struct wr_aggregate *a = &w->spec->aggregate[k];
    uint32_t column = w->spec->key_count + 2 + k, at = w->accumulator[k];
    struct wr_vector *v = &w->builder.column[column];
    bool is_count = wr_cell_kind(a) == WR_CELL_COUNT && v->cls == WR_CLASS_I64;
    for (uint32_t r = 0; r < n; r++) {
        const void *accumulator = (const char *)cell[r] + at;
        if (WR_LIKELY(is_count && !wr_cell_is_error(accumulator))) {
            v->u.i64[r] = (int64_t)wr_cell_count(accumulator);
            continue;
        }
        struct wr_value value = wr_aggregate_result(a, accumulator, w->strings, w->builder.strings);
        WR_ASSERT(value.flag != WR_FLAG_VALUE || value.cls == v->cls);
        wr_batch_builder_put(&w->builder, column, r, &value, false);
    }
}

/* Fills the builder with the results of n cells and gives it to the consumers. */
static void emit_rows(struct wr_window *w, const struct wr_pane *pane, struct wr_window_cell *const *cell, uint32_t n,
                      uint32_t ordinal)
{
    struct wr_batch_builder *b = &w->builder;
    struct wr_place place = wr_moment_place(&w->op);
    uint32_t bounds = w->spec->key_count;
    wr_batch_builder_clear(b);
    fill_keys(w, cell, n);
    for (uint32_t r = 0; r < n; r++) {
        b->column[bounds].u.i64[r] = pane->start;
        b->column[bounds + 1].u.i64[r] = pane->end;
        b->time[r] = b->event_time[r] = pane->end - 1;
        b->place_time[r] = place.time;
        b->source[r] = place.source;
        b->offset[r] = place.offset;
        b->ordinal[r] = ordinal + r;
    }
    for (uint32_t k = 0; k < w->spec->aggregate_count; k++) fill_aggregate(w, k, cell, n);
    b->batch.rows = n;
    wr_operator_emit(&w->op, &b->batch);
}

/* Takes a cell out of its key's chain and frees it. forgets: and a key that it was the last of. */
static void drop_cell(struct wr_window *w, uint32_t id, bool forgets)
{
    struct wr_window_cell *cell = wr_window_cell_at(w, id);
    wr_unit_touch(&w->op, cell->key);
    uint32_t *link = wr_window_first_cell(w, cell->key);
    while (*link != id) {
        WR_ASSERT(*link != 0);
        link = &wr_window_cell_at(w, *link)->next;
    }
    *link = cell->next;
    bool idle = *wr_window_first_cell(w, cell->key) == 0;
    w->active -= idle;
    if (idle && forgets) {
        wr_window_forget_key(w, cell->key);
        w->forgot = true;
    }
    for (uint32_t k = 0; w->has_strings && k < w->spec->aggregate_count; k++)
        wr_aggregate_release(&w->spec->aggregate[k], (char *)cell + w->accumulator[k], w->strings);
    wr_vec_push(&w->spare, id);
}

static void close_pane(struct wr_window *w, uint32_t number)
{
    struct wr_pane *pane = &w->panes.at[number];
    size_t at = 0;
    while (w->open.at[at] != number) at++;
    w->open.count--;
    memmove(&w->open.at[at], &w->open.at[at + 1], (w->open.count - at) * sizeof *w->open.at);
    wr_vec_clear(&pane->cells);
    pane->open = false;
    pane->next_free = w->free_pane;
    w->free_pane = number + 1;
    w->low = 1; /* what was found for [low, high) may hold this pane */
    w->high = 0;
}

/* The key at this place of the window is out of memory: it comes back, and others behind it. */
static void wake_at(struct wr_window *w, uint32_t pane, size_t position, int64_t time)
{
    bool more = w->op.cold != NULL;
    while (more && !w->panes.at[pane].cells.at[position]) more = wr_cold_wake_some(&w->op, time, WR_BATCH_ROWS_DEFAULT);
}

void wr_window_on_moment(struct wr_operator *op, int64_t time, uint32_t key)
{
    struct wr_window *w = (struct wr_window *)op;
    WR_ASSERT(key < w->panes.count && w->panes.at[key].open && w->pending == 0);
    const struct wr_pane *pane = &w->panes.at[key];
    WR_ASSERT(time == wr_window_moment(w, pane->end));
    struct wr_window_cell *cell[WR_BATCH_ROWS];
    uint32_t ordinal = 0, n = 0;
    bool cold = op->cold && op->cold->count;
    w->busy = WR_MAX(w->active, w->busy - w->busy / 8);
    for (size_t i = 0, freed = 0; i < pane->cells.count; i++) {
        if (WR_UNLIKELY(!pane->cells.at[i] && cold)) {
            wake_at(w, key, i, time);
            pane = &w->panes.at[key];
        }
        if (i + AHEAD < pane->cells.count && pane->cells.at[i + AHEAD])
            wr_prefetch(wr_window_cell_at(w, pane->cells.at[i + AHEAD]));
        if (pane->cells.at[i]) cell[n++] = wr_window_cell_at(w, pane->cells.at[i]);
        if (n < WR_BATCH_ROWS_DEFAULT && i + 1 < pane->cells.count) continue;
        if (n) emit_rows(w, pane, cell, n, ordinal);
        ordinal += n;
        n = 0;
        for (; freed <= i; freed++)
            if (pane->cells.at[freed]) drop_cell(w, pane->cells.at[freed], cold);
    }
    if (cold) { /* windows at the end of all time have one moment: keys of others */
        while (wr_cold_wake_some(op, time, WR_BATCH_ROWS_DEFAULT)) continue;
    }
    if (op->cold) op->cold->woken = WR_MAX(op->cold->woken, time);
    close_pane(w, key);
}
