/* The logical form of the WINDOW operator's state: an entry a key that has open windows, in order of first appearance.
 *   own, where keys may be out of memory: byte 2; LEB128 number of open windows; for each, by end: end (8 bytes), LEB128
 *   number of keys that it has or had.
 *   key: byte 1; LEB128 number of windows; for each, by end: end (8 bytes), LEB128 position of the key among those of the
 *   window, the accumulators as aggregate_state.c writes them. */
#include "runtime/codec.h"
#include "runtime/cold.h"
#include "runtime/task.h"
#include "runtime/window_internal.h"

enum { FORM = 1, OWN_FORM = 2 };

static void put_key(const struct wr_window *w, uint32_t key, struct wr_buf *out)
{
    uint32_t count = 0;
    for (uint32_t id = *wr_window_first_cell(w, key); id; id = wr_window_cell_at(w, id)->next) count++;
    wr_put_u8(out, FORM);
    wr_put_uint(out, count);
    for (uint32_t id = *wr_window_first_cell(w, key); id;) {
        struct wr_window_cell *cell = wr_window_cell_at(w, id);
        WR_ASSERT(cell->key == key && w->panes.at[cell->pane].open);
        cell->touched = 0;
        wr_put_i64(out, w->panes.at[cell->pane].end);
        wr_put_uint(out, cell->position);
        for (uint32_t k = 0; k < w->spec->aggregate_count; k++)
            wr_aggregate_encode(&w->spec->aggregate[k], (const char *)cell + w->accumulator[k], w->strings, out);
        id = cell->next;
    }
}

void wr_window_save_all(struct wr_operator *op, wr_state_entry_fn *entry, void *context)
{
    struct wr_window *w = (struct wr_window *)op;
    WR_ASSERT(w->pending == 0);
    uint32_t count = wr_keytable_count(w->keys), *id = wr_alloc(count * sizeof *id);
    struct wr_buf value = {0};
    wr_keytable_ordered(w->keys, id);
    for (uint32_t i = 0; i < count; i++) {
        if (*wr_window_first_cell(w, id[i]) == 0) continue;
        wr_buf_clear(&value);
        put_key(w, id[i], &value);
        entry(context, wr_keytable_key(w->keys, id[i]), wr_buf_slice(&value));
    }
    wr_buf_release(&value);
    wr_free(id);
}

uint32_t wr_window_unit_limit(const struct wr_operator *op)
{
    return wr_keytable_id_limit(((const struct wr_window *)op)->keys);
}

void wr_window_save_unit(struct wr_operator *op, uint32_t unit, wr_state_entry_fn *entry, void *context)
{
    struct wr_window *w = (struct wr_window *)op;
    if (!wr_keytable_is_live(w->keys, unit) || *wr_window_first_cell(w, unit) == 0) return;
    wr_buf_clear(&w->saving);
    put_key(w, unit, &w->saving);
    entry(context, wr_keytable_key(w->keys, unit), wr_buf_slice(&w->saving));
}

/* Everything of a window is in its keys' entries; but keys that are out of memory do not say which windows are open. */
void wr_window_save_own(struct wr_operator *op, wr_state_entry_fn *entry, void *context)
{
    struct wr_window *w = (struct wr_window *)op;
    WR_ASSERT(w->pending == 0);
    if (!op->cold || !wr_cold_may_be_out(op)) return;
    wr_buf_clear(&w->saving);
    wr_put_u8(&w->saving, OWN_FORM);
    wr_put_uint(&w->saving, w->open.count);
    for (size_t i = 0; i < w->open.count; i++) {
        const struct wr_pane *pane = &w->panes.at[w->open.at[i]];
        wr_put_i64(&w->saving, pane->end);
        wr_put_uint(&w->saving, pane->cells.count);
    }
    entry(context, WR_SLICE(""), wr_buf_slice(&w->saving));
}

/* ---- Keys that leave memory and come back --------------------------------------------------------- */

/* A key is due with the first of its windows. */
bool wr_window_unit_due(const struct wr_operator *op, uint32_t unit, int64_t *wake, uint64_t *order)
{
    const struct wr_window *w = (const struct wr_window *)op;
    if (op->task->limits.set || !wr_keytable_is_live(w->keys, unit) || !*wr_window_first_cell(w, unit)) return false;
    const struct wr_window_cell *cell = wr_window_cell_at(w, *wr_window_first_cell(w, unit));
    WR_ASSERT(cell->key == unit && w->panes.at[cell->pane].open);
    *wake = wr_window_moment(w, w->panes.at[cell->pane].end);
    *order = cell->position;
    return true;
}

void wr_window_drop_unit(struct wr_operator *op, uint32_t unit)
{
    struct wr_window *w = (struct wr_window *)op;
    uint32_t *first = wr_window_first_cell(w, unit);
    WR_ASSERT(*first && w->pending == 0 && w->active > 0);
    for (uint32_t id = *first; id;) {
        struct wr_window_cell *cell = wr_window_cell_at(w, id);
        uint32_t next = cell->next;
        w->panes.at[cell->pane].cells.at[cell->position] = 0;
        for (uint32_t k = 0; w->has_strings && k < w->spec->aggregate_count; k++)
            wr_aggregate_release(&w->spec->aggregate[k], (char *)cell + w->accumulator[k], w->strings);
        wr_vec_push(&w->spare, id);
        id = next;
    }
    *first = 0;
    w->active--;
    wr_keytable_remove(w->keys, unit);
}

uint32_t wr_window_find_unit(const struct wr_operator *op, struct wr_slice key)
{
    int32_t id = wr_keytable_find(((const struct wr_window *)op)->keys, key, false);
    return id == WR_KEY_NONE ? WR_NONE : (uint32_t)id;
}

struct wr_slice wr_window_unit_key(const struct wr_operator *op, uint32_t unit)
{
    const struct wr_window *w = (const struct wr_window *)op;
    return wr_keytable_is_live(w->keys, unit) ? wr_keytable_key(w->keys, unit) : (struct wr_slice){0};
}

static bool load_window(struct wr_window *w, uint32_t key, struct wr_slice *in, uint32_t **link, int64_t *before)
{
    int64_t end, start;
    uint64_t position;
    if (!wr_get_i64(in, &end) || !wr_get_uint(in, &position) || position >= INT32_MAX) return false;
    if (end <= *before || end == WR_TIME_MAX) return false;
    *before = end;
    if (__builtin_sub_overflow(end, w->spec->size_us, &start) || start == WR_TIME_MIN) start = WR_TIME_MIN + 1;
    uint32_t pane = wr_window_pane(w, start, end);
    if (position < w->panes.at[pane].cells.count && w->panes.at[pane].cells.at[position]) return false;
    struct wr_window_cell *cell = wr_window_find_cell(w, key, pane, (uint32_t)position, link);
    for (uint32_t k = 0; k < w->spec->aggregate_count; k++)
        if (!wr_aggregate_decode(&w->spec->aggregate[k], (char *)cell + w->accumulator[k], w->strings, in)) return false;
    return true;
}

static bool load_own(struct wr_window *w, struct wr_slice in)
{
    uint64_t count, cells;
    int64_t end, start;
    if (!wr_get_uint(&in, &count)) return false;
    for (uint64_t i = 0; i < count; i++) {
        if (!wr_get_i64(&in, &end) || !wr_get_uint(&in, &cells) || end == WR_TIME_MAX || cells >= INT32_MAX) return false;
        if (__builtin_sub_overflow(end, w->spec->size_us, &start) || start == WR_TIME_MIN) start = WR_TIME_MIN + 1;
        uint32_t number = wr_window_pane(w, start, end); /* which may move them */
        struct wr_pane *pane = &w->panes.at[number];
        wr_vec_reserve(&pane->cells, (size_t)cells);
        while (pane->cells.count < cells) pane->cells.at[pane->cells.count++] = 0;
    }
    return in.size == 0;
}

bool wr_window_load(struct wr_operator *op, struct wr_slice key, struct wr_slice value)
{
    struct wr_window *w = (struct wr_window *)op;
    uint8_t form;
    uint64_t count;
    if (!key.size && value.size && value.data[0] == OWN_FORM)
        return load_own(w, wr_slice_of(value.data + 1, value.size - 1));
    if (!wr_key_is_valid(w->type, w->spec->key_count, key)) return false;
    if (!wr_get_u8(&value, &form) || form != FORM || !wr_get_uint(&value, &count) || count == 0) return false;
    uint32_t id = (uint32_t)wr_keytable_find(w->keys, key, true);
    if (*wr_window_first_cell(w, id)) return false; /* the key twice */
    w->low = 1;
    w->high = 0;
    uint32_t *link = wr_window_first_cell(w, id);
    int64_t before = WR_TIME_MIN;
    for (uint64_t i = 0; i < count; i++)
        if (!load_window(w, id, &value, &link, &before)) return false;
    return value.size == 0;
}

void wr_window_clear(struct wr_operator *op)
{
    struct wr_window *w = (struct wr_window *)op;
    wr_timers_clear(&op->timers);
    wr_keytable_clear(w->keys);
    wr_slab_clear(&w->cells);
    wr_vec_clear(&w->spare);
    wr_strings_clear(w->strings);
    wr_vec_clear(&w->open);
    w->free_pane = 0;
    for (uint32_t i = 0; i < w->panes.count; i++) {
        wr_vec_clear(&w->panes.at[i].cells);
        w->panes.at[i].open = false;
        w->panes.at[i].next_free = w->free_pane;
        w->free_pane = i + 1;
    }
    w->active = w->busy = w->hand = w->pending = 0;
    w->next_order = 0;
    w->low = 1;
    w->high = 0;
}

void wr_window_measure(const struct wr_operator *op, struct wr_operator_size *size)
{
    const struct wr_window *w = (const struct wr_window *)op;
    *size = (struct wr_operator_size){.keys = w->active, .starts = wr_window_cell_count(w)};
    size->live = wr_keytable_live_bytes(w->keys) + wr_strings_live_bytes(w->strings) +
                 size->starts * (w->cells.cell_size + sizeof(uint32_t));
    size->bytes = sizeof *w + wr_keytable_bytes(w->keys) + wr_slab_bytes(&w->cells) + wr_strings_bytes(w->strings) +
                  w->spare.capacity * sizeof(uint32_t);
    for (size_t i = 0; i < w->panes.count; i++) size->bytes += w->panes.at[i].cells.capacity * sizeof(uint32_t);
}
