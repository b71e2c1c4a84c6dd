/* WINDOW: TUMBLE and HOP. Each row goes to the cells of its key in the windows that contain its event time and are still
 * open; one moment a window, at its end (and d later with LATE d), gives the results. */
#include "base/simd.h"
#include "runtime/aggregate_internal.h"
#include "runtime/cold.h"
#include "runtime/window_internal.h"

enum { AHEAD = 24, AHEAD_SPARE = 8 };

/* ---- Windows of an event time ------------------------------------------------------------------------ */

static int64_t clamp_time(wr_i128 t)
{
    return t >= WR_TIME_MAX ? WR_TIME_MAX - 1 : t <= WR_TIME_MIN ? WR_TIME_MIN + 1 : (int64_t)t;
}

static uint32_t new_pane(struct wr_window *w)
{
    if (!w->free_pane) {
        wr_vec_push(&w->panes, (struct wr_pane){0});
        return (uint32_t)w->panes.count - 1;
    }
    uint32_t number = w->free_pane - 1;
    w->free_pane = w->panes.at[number].next_free;
    return number;
}

uint32_t wr_window_pane(struct wr_window *w, int64_t start, int64_t end)
{
    size_t at = w->open.count;
    while (at > 0 && w->panes.at[w->open.at[at - 1]].end > end) at--;
    if (at > 0 && w->panes.at[w->open.at[at - 1]].end == end) return w->open.at[at - 1];
    wr_vec_reserve(&w->open, w->open.count + 1);
    uint32_t number = new_pane(w);
    struct wr_pane *pane = &w->panes.at[number];
    WR_ASSERT(!pane->open);
    pane->start = start;
    pane->end = end;
    pane->open = true;
    wr_vec_clear(&pane->cells);
    memmove(&w->open.at[at + 1], &w->open.at[at], (w->open.count - at) * sizeof *w->open.at);
    w->open.at[at] = number;
    w->open.count++;
    wr_timer_arm(&w->op.timers, wr_window_moment(w, end), 0, number);
    return number;
}

/* Finds the windows that contain event time e and whose moment has not come at the place of time `now`, and for how
 * long in event time they stay the same. */
static void find_windows(struct wr_window *w, int64_t e, int64_t now)
{
    wr_i128 size = w->spec->size_us, slide = w->spec->slide_us, from = (wr_i128)e - w->spec->offset_us;
    wr_i128 steps = from / slide - (from % slide < 0); /* floor, also before 1970 */
    wr_i128 latest = steps * slide + w->spec->offset_us;
    wr_i128 count = latest + size > e ? (latest + size - e - 1) / slide + 1 : 0;
    wr_i128 earliest = latest - (count - 1) * slide;
    w->low = clamp_time(WR_MAX(latest, earliest - slide + size));
    w->high = clamp_time(count ? WR_MIN(latest + slide, earliest + size) : latest + slide);
    w->covered = count > 0;
    wr_vec_clear(&w->current);
    for (wr_i128 start = earliest; start <= latest && count; start += slide) {
        int64_t end = clamp_time(start + size);
        if (wr_window_moment(w, end) <= now) continue;
        uint32_t pane = wr_window_pane(w, clamp_time(start), end);
        if (w->current.count && wr_vec_last(&w->current) == pane) continue; /* at the end of all time */
        wr_vec_push(&w->current, pane);
    }
    WR_ASSERT(e >= w->low || w->low == WR_TIME_MAX - 1);
}

/* ---- Cells ------------------------------------------------------------------------------------------- */

static uint32_t add_cell(struct wr_window *w, uint32_t key, uint32_t number, uint32_t position)
{
    struct wr_pane *pane = &w->panes.at[number];
    if (position == UINT32_MAX) position = (uint32_t)pane->cells.count;
    WR_ASSERT(position < INT32_MAX);
    wr_vec_reserve(&pane->cells, (size_t)position + 1);
    uint32_t id;
    if (WR_LIKELY(w->spare.count)) {
        id = wr_vec_pop(&w->spare);
        if (w->spare.count >= AHEAD_SPARE) wr_prefetch(wr_window_cell_at(w, w->spare.at[w->spare.count - AHEAD_SPARE]));
    } else {
        id = wr_slab_alloc(&w->cells);
    }
    struct wr_window_cell *cell = wr_window_cell_at(w, id);
    memset(cell, 0, w->cells.cell_size); /* the beginning of every accumulator */
    *cell = (struct wr_window_cell){.key = key, .pane = number, .position = position & INT32_MAX};
    while (pane->cells.count <= position) pane->cells.at[pane->cells.count++] = 0;
    WR_ASSERT(pane->cells.at[position] == 0);
    pane->cells.at[position] = id;
    return id;
}

struct wr_window_cell *wr_window_find_cell(struct wr_window *w, uint32_t key, uint32_t pane, uint32_t position,
                                           uint32_t **link)
{
    struct wr_window_cell *cell = **link ? wr_window_cell_at(w, **link) : NULL;
    while (cell && cell->pane != pane && w->panes.at[cell->pane].end < w->panes.at[pane].end) {
        *link = &cell->next;
        cell = cell->next ? wr_window_cell_at(w, cell->next) : NULL;
    }
    if (!cell || cell->pane != pane) {
        if (*wr_window_first_cell(w, key) == 0) {
            wr_keytable_set_order(w->keys, key, w->next_order++); /* an idle key begins anew */
            w->active++;
        }
        uint32_t id = add_cell(w, key, pane, position);
        cell = wr_window_cell_at(w, id);
        cell->next = **link;
        **link = id;
    }
    *link = &cell->next;
    return cell;
}

/* ---- Rows -------------------------------------------------------------------------------------------- */

/* Keeps the rows that the aggregate's FILTER takes. */
static uint32_t filter_rows(struct wr_window *w, const struct wr_aggregate *a, const struct wr_batch *batch)
{
    const struct wr_vector *filter = &batch->column[a->filter];
    uint32_t n = 0;
    for (uint32_t i = 0; i < w->pending; i++) {
        if (!wr_bit(filter->u.bits, w->row[i])) continue;
        w->filtered_row[n] = w->row[i];
        w->filtered_cell[n++] = w->cell[i];
    }
    return n;
}

/* Adds the pending rows to their cells, one aggregate after the other. */
static void add_pending(struct wr_window *w, const struct wr_batch *batch)
{
    if (w->pending == 0) return;
    uint32_t at = 0;
    for (uint32_t k = 0; k < w->spec->aggregate_count; k++) {
        const struct wr_aggregate *a = &w->spec->aggregate[k];
        uint32_t step = w->accumulator[k] - at;
        at += step;
        for (uint32_t i = 0; i < w->pending; i++) w->cell[i] = (char *)w->cell[i] + step;
        if (a->filter == WR_NONE) {
            wr_aggregate_add_rows(a, w->cell, w->row, w->pending, batch, w->strings);
            continue;
        }
        uint32_t n = filter_rows(w, a, batch);
        wr_aggregate_add_rows(a, w->filtered_cell, w->filtered_row, n, batch, w->strings);
    }
    w->pending = 0;
}

/* The row's key is about to change. Most are marked as changed already, which their first cell says. */
static inline void touch_key(struct wr_window *w, uint32_t key)
{
    uint32_t first = *wr_window_first_cell(w, key);
    struct wr_window_cell *cell = first ? wr_window_cell_at(w, first) : NULL;
    if (WR_LIKELY(cell && cell->touched)) return;
    wr_unit_mark(&w->op, key);
    if (cell) cell->touched = 1;
}

static void take_row(struct wr_window *w, const struct wr_batch *batch, uint32_t row)
{
    uint32_t key = (uint32_t)w->id[row], *link = wr_window_first_cell(w, key);
    if (w->op.changes.checkpointer && !w->careful) touch_key(w, key);
    for (size_t i = 0; i < w->current.count; i++) {
        struct wr_window_cell *cell = wr_window_find_cell(w, key, w->current.at[i], UINT32_MAX, &link);
        w->row[w->pending] = (uint16_t)row;
        w->cell[w->pending] = cell;
        if (WR_UNLIKELY(++w->pending == WR_BATCH_ROWS)) add_pending(w, batch);
    }
}

/* The first of the rows' errors counts: a row is bad once. */
static void drop_bad(struct wr_window *w, const struct wr_batch *batch, const struct wr_vector *in, uint32_t filter,
                     const char *name, uint64_t *usable)
{
    if (!(in->flags & WR_VECTOR_ERRORS)) return;
    for (uint32_t row = 0; row < batch->rows; row++) {
        if (!wr_bit(in->errors, row) || !wr_bit(usable, row)) continue;
        if (filter != WR_NONE && !wr_bit(batch->column[filter].u.bits, row)) continue; /* nobody reads it */
        wr_operator_count_error(&w->op, batch, row, (enum wr_reason)wr_vector_at(in, row).reason, name);
        wr_bit_clear(usable, row);
    }
}

/* The rows of which the key, and all that the aggregates take, are values; the others are bad for this query: one value
 * that cannot be read costs its row, not the result of all rows. */
static void usable_rows(struct wr_window *w, const struct wr_batch *batch, uint64_t *usable)
{
    const struct wr_schema_column *column = w->op.node->schema.column;
    memset(usable, 0, WR_BATCH_WORDS * sizeof *usable);
    for (uint32_t i = 0; i < batch->rows / 64; i++) usable[i] = ~(uint64_t)0;
    if (batch->rows % 64) usable[batch->rows / 64] = ((uint64_t)1 << batch->rows % 64) - 1;
    for (uint32_t k = 0; k < w->spec->key_count; k++)
        drop_bad(w, batch, &batch->column[w->spec->key[k]], WR_NONE, column[k].name, usable);
    for (uint32_t k = 0; k < w->spec->aggregate_count; k++) {
        const struct wr_aggregate *a = &w->spec->aggregate[k];
        const char *name = column[w->spec->key_count + 2 + k].name;
        if (a->filter != WR_NONE) drop_bad(w, batch, &batch->column[a->filter], WR_NONE, name, usable);
        if (a->column != WR_NONE) drop_bad(w, batch, &batch->column[a->column], a->filter, name, usable);
        if (a->column2 != WR_NONE) drop_bad(w, batch, &batch->column[a->column2], a->filter, name, usable);
    }
}

void wr_window_forget_key(struct wr_window *w, uint32_t id)
{
    WR_ASSERT(!*wr_window_first_cell(w, id));
    wr_unit_forget(&w->op, id);
    wr_keytable_remove(w->keys, id);
}

/* Lets go of idle keys, `budget` looks at most. */
static void sweep(struct wr_window *w, uint32_t budget)
{
    if (w->active > w->busy) w->busy = w->active;
    uint64_t limit = 4 * (uint64_t)w->busy + 1024;
    for (; budget && wr_keytable_count(w->keys) > limit; budget--) {
        if (++w->hand >= wr_keytable_id_limit(w->keys)) w->hand = 0;
        if (wr_keytable_is_live(w->keys, w->hand) && !*wr_window_first_cell(w, w->hand))
            wr_window_forget_key(w, w->hand);
    }
}

/* A cell may lie in two lines. */
static inline void prefetch_cell(const struct wr_window *w, uint32_t id)
{
    const char *cell = (const char *)wr_window_cell_at(w, id);
    wr_prefetch(cell);
    wr_prefetch(cell + w->cells.cell_size - 1);
}

/* Asks for what rows further on will read. */
static inline void prefetch_rows(const struct wr_window *w, const struct wr_batch *batch, const uint64_t *usable, uint32_t row)
{
    uint32_t far = row + AHEAD, near = row + AHEAD / 2;
    if (far < batch->rows && wr_bit(usable, far)) wr_prefetch(wr_window_first_cell(w, (uint32_t)w->id[far]));
    if (near >= batch->rows || !wr_bit(usable, near)) return;
    uint32_t first = *wr_window_first_cell(w, (uint32_t)w->id[near]);
    if (first) prefetch_cell(w, first);
}

/* The keys of the usable rows; those that are out of memory come back. Where some may be frozen all are touched here, many at a
 * time; else each with its row. */
static void look_up(struct wr_window *w, const struct wr_batch *batch, const uint64_t *usable)
{
    uint64_t before = wr_keytable_next_order(w->keys);
    w->forgot = false;
    wr_keytable_lookup(w->keys, batch, w->spec->key, usable, usable, w->id);
    if (WR_UNLIKELY(w->op.cold && w->op.cold->count))
        wr_cold_rows(&w->op, w->keys, batch, w->spec->key, w->spec->key_count, usable, before, w->id);
    w->careful = wr_units_need_care(&w->op);
    if (!w->careful) return;
    for (uint32_t from = 0; from < batch->rows; from += 64) { /* those that are late are saved for nothing */
        int32_t unit[64];
        uint32_t count = 0;
        for (uint64_t bits = usable[from / 64]; bits; bits &= bits - 1)
            unit[count++] = w->id[from + (uint32_t)__builtin_ctzll(bits)];
        wr_units_touch(&w->op, unit, count);
    }
}

static void on_batch(struct wr_operator *op, uint32_t port, const struct wr_batch *batch)
{
    struct wr_window *w = (struct wr_window *)op;
    uint64_t usable[WR_BATCH_WORDS];
    WR_ASSERT(port == 0 && batch->rows <= WR_BATCH_ROWS);
    if (w->failed) return;
    usable_rows(w, batch, usable);
    look_up(w, batch, usable);
    for (uint32_t row = 0; row < batch->rows; row++) {
        if (WR_UNLIKELY(!wr_bit(usable, row))) continue;
        prefetch_rows(w, batch, usable, row);
        int64_t now = batch->time[row], e = batch->event_time[row];
        if (WR_UNLIKELY(w->op.timers.next <= now)) {
            add_pending(w, batch);
            wr_moments_until(op, now);
            if (w->op.timers.next <= now) return; /* halted */
            if (w->forgot) {
                for (uint32_t r = 0; r < row; r++) wr_bit_clear(usable, r);
                look_up(w, batch, usable);
            }
        }
        if (WR_UNLIKELY(e < w->low || e >= w->high)) find_windows(w, e, now);
        if (WR_LIKELY(w->current.count)) take_row(w, batch, row);
        else if (w->covered) wr_operator_refuse_late(op, batch, row);
    }
    add_pending(w, batch);
    sweep(w, 2 * batch->rows);
}

static void on_watermark(struct wr_operator *op, uint32_t port, int64_t watermark)
{
    struct wr_window *w = (struct wr_window *)op;
    WR_ASSERT(port == 0 && w->pending == 0);
    wr_moments_until(op, watermark);
    int64_t behind;
    if (__builtin_sub_overflow(watermark, w->spec->late_us, &behind)) behind = WR_TIME_MIN;
    wr_operator_emit_watermark(op, watermark == WR_TIME_MAX ? watermark : behind);
}

/* ---- Life -------------------------------------------------------------------------------------------- */

static void lay_out_cell(struct wr_window *w)
{
    size_t size = sizeof(struct wr_window_cell);
    w->accumulator = wr_alloc_zero((w->spec->aggregate_count + 1) * sizeof *w->accumulator);
    for (uint32_t k = 0; k < w->spec->aggregate_count; k++) {
        const struct wr_aggregate *a = &w->spec->aggregate[k];
        w->accumulator[k] = (uint32_t)size;
        size += wr_aggregate_size(a);
        enum wr_cell_kind kind = wr_cell_kind(a);
        w->has_strings = w->has_strings || kind == WR_CELL_ARG || kind == WR_CELL_LIST || kind == WR_CELL_SET ||
                         (kind == WR_CELL_VALUE && wr_type_class(a->argument) == WR_CLASS_STR);
    }
    wr_slab_init(&w->cells, size);
}

static struct wr_operator *create(struct wr_task *task, const struct wr_node *node)
{
    struct wr_window *w = wr_alloc_zero(sizeof *w);
    const struct wr_window_node *spec = &node->u.window;
    w->op = (struct wr_operator){.cls = &wr_window_operator, .task = task, .node = node, .watermark = WR_TIME_MIN};
    w->spec = spec;
    WR_ASSERT(spec->size_us > 0 && spec->slide_us > 0 && spec->late_us >= 0);
    WR_ASSERT(node->schema.count == spec->key_count + 2 + spec->aggregate_count);
    w->type = wr_alloc(node->schema.count * sizeof *w->type);
    for (uint32_t i = 0; i < node->schema.count; i++) w->type[i] = node->schema.column[i].type;
    w->keys = wr_keytable_new(w->type, spec->key_count, wr_task_hash_seed(task));
    w->strings = wr_strings_new();
    lay_out_cell(w);
    wr_batch_builder_init(&w->builder, w->type, node->schema.count, false);
    w->low = 1; /* no event time lies in [1, 0) */
    w->failed = spec->size_us / spec->slide_us >= WR_WINDOWS_PER_ROW_MAX;
    if (w->failed) {
        struct wr_error error;
        wr_error_set(&error, WR_ERR_LIMIT, "%s: every row lies in more than %d windows; a longer slide or a shorter size",
                     node->name ? node->name : "window", WR_WINDOWS_PER_ROW_MAX);
        wr_task_fail(task, &error);
    }
    return &w->op;
}

static void free_window(struct wr_operator *op)
{
    struct wr_window *w = (struct wr_window *)op;
    for (size_t i = 0; i < w->panes.count; i++) wr_vec_release(&w->panes.at[i].cells);
    wr_vec_release(&w->panes);
    wr_vec_release(&w->open);
    wr_vec_release(&w->current);
    wr_vec_release(&w->spare);
    wr_slab_release(&w->cells);
    wr_strings_free(w->strings);
    wr_keytable_free(w->keys);
    wr_batch_builder_release(&w->builder);
    wr_buf_release(&w->saving);
    wr_free(w->accumulator);
    wr_free(w->type);
    wr_free(w);
}

static void window_bound(const struct wr_operator *op, struct wr_state_bound *bound)
{
    const struct wr_window *w = (const struct wr_window *)op;
    WR_ASSERT(w->keys);
    bound->key = wr_keytable_key_bytes();
    bound->start = w->cells.cell_size + (uint32_t)sizeof(uint32_t); /* and its place in the window's list */
}

static void reserve(struct wr_operator *op, uint64_t units)
{
    wr_keytable_reserve(((struct wr_window *)op)->keys, units);
}

static void prefetch_unit(const struct wr_operator *op, uint32_t unit, unsigned stage)
{
    const struct wr_window *w = (const struct wr_window *)op;
    if (stage == 0) wr_keytable_prefetch_entry(w->keys, unit);
    uint32_t first = stage == 1 ? *wr_window_first_cell(w, unit) : 0;
    if (first) prefetch_cell(w, first);
}

static void prefetch(struct wr_operator *op, struct wr_slice key)
{
    wr_keytable_prefetch(((struct wr_window *)op)->keys, key);
}

const struct wr_operator_class wr_window_operator = {
    .name = "window",
    .create = create,
    .free = free_window,
    .on_batch = on_batch,
    .on_moment = wr_window_on_moment,
    .on_watermark = on_watermark,
    .save_all = wr_window_save_all,
    .load = wr_window_load,
    .unit_limit = wr_window_unit_limit,
    .save_unit = wr_window_save_unit,
    .save_own = wr_window_save_own,
    .unit_key = wr_window_unit_key,
    .unit_due = wr_window_unit_due,
    .drop_unit = wr_window_drop_unit,
    .find_unit = wr_window_find_unit,
    .reserve = reserve,
    .prefetch = prefetch,
    .prefetch_unit = prefetch_unit,
    .clear = wr_window_clear,
    .measure = wr_window_measure,
    .bound = window_bound,
};
