/* The general matcher: right for every pattern. Each start (a row from which a match may come) has its candidates
 * (match_thread.c), and its chains of taken rows (match_link.c). When the preferred candidate of a start has ended,
 * the start is decided.
 *
 * Starts stand in the order of their first rows. With SKIP PAST LAST ROW a decided start waits while an earlier one
 * is open, which may take its rows away; a match that is given out removes the starts in its rows. Without a time
 * limit a candidate of a later start that has the same future as one of an earlier start is dropped. */
#include "runtime/match_general.h"

#include <stdlib.h>

/* How many rows ahead the parts of a key's state are asked for. */
enum { AHEAD_KEY = 24, AHEAD_START = 18, AHEAD_LINK = 12, AHEAD_ROW = 6 };

/* One go over the starts of a key: at a row, at a moment, at the end of the input, or between (sweep). */
struct pass {
    bool has_row, ending;
    uint32_t row;
    int64_t time;      /* starts whose time is up by then end, ... */
    uint64_t sequence; /* ... of those whose time is up at `time` the ones up to this row */
};

/* ---- Starts ------------------------------------------------------------------------------------- */

/* Sequence number of a chain's last row; 0 for the empty match, which covers no row. */
static uint64_t last_row(const struct wr_general *g, uint32_t link)
{
    uint32_t row = wr_link_at(g, link)->row;
    return row ? wr_kept_at(g, row)->id.sequence : 0;
}

static void report(struct wr_pattern *p, struct wr_general *g, const struct wr_row_id *first, uint32_t key,
                   uint32_t link_id)
{
    struct wr_link *link = wr_link_at(g, link_id);
    uint32_t count = 0;
    for (const struct wr_link *l = link; l->row; l = wr_link_at(g, l->previous)) count++;
    wr_vec_reserve(&p->match, count + 1);
    uint32_t at = count;
    for (const struct wr_link *l = link; l->row; l = wr_link_at(g, l->previous)) {
        const struct wr_kept *kept = wr_kept_at(g, l->row);
        p->match.at[--at] = (struct wr_match_row){&p->keep, kept->data, kept->id.place, 0, l->variable};
    }
    struct wr_match match = {.row = p->match.at,
                             .count = count,
                             .key = key,
                             .first = first->place,
                             .running = wr_link_accumulators(g, link)};
    wr_pattern_report(p, &match);
}

/* What a decided start becomes: a result now, or one among those that the end of the input brings in order. */
static void decide(struct wr_pattern *p, struct wr_general *g, struct wr_start *start, uint32_t key,
                   const struct pass *pass)
{
    WR_ASSERT(wr_start_thread(start)->ended && start->count == 1);
    if (!pass->ending) {
        report(p, g, &start->first, key, wr_start_thread(start)->link);
        return;
    }
    wr_link_at(g, wr_start_thread(start)->link)->ref++;
    wr_vec_push(&g->waiting, (struct wr_waiting){start->first, key, wr_start_thread(start)->link});
}

static bool is_over(const struct wr_pattern *p, const struct wr_start *start, const struct pass *pass)
{
    if (pass->ending) return true;
    if (p->spec->within_us < 0) return false;
    int64_t end = wr_pattern_deadline(p, start->first.place.time);
    return end < pass->time || (end == pass->time && start->first.sequence <= pass->sequence);
}

/* Begins a start at the row, behind all others, if some beginning takes it. */
static void begin(struct wr_pattern *p, struct wr_general *g, struct wr_key_starts *starts, uint32_t row)
{
    if (!wr_threads_begin(p, g, row)) return;
    uint32_t id = wr_slab_alloc(&g->starts);
    struct wr_start *start = wr_start_at(g, id);
    *start = (struct wr_start){.first = wr_pattern_row_id(p, row)};
    wr_threads_store(g, start);
    if (starts->tail) wr_start_at(g, starts->tail)->next = id;
    else starts->head = id;
    starts->tail = id;
}

/* Arms a moment where something waits: for the end of the earliest start that stands in its way. */
void wr_general_arm(struct wr_pattern *p, struct wr_general *g, uint32_t key)
{
    if (p->spec->within_us < 0) return;
    uint32_t head = g->key.at[key].head, id = head;
    while (id && !wr_threads_ended(g, wr_start_at(g, id))) id = wr_start_at(g, id)->next;
    if (!id) return;
    struct wr_start *start = wr_start_at(g, p->plan.past_last ? head : id);
    int64_t end = wr_pattern_deadline(p, start->first.place.time);
    if (start->armed || end == WR_TIME_MAX) return;
    start->armed = 1;
    wr_timer_arm(&p->op.timers, end, start->first.sequence, key);
}

static void trace_end(struct wr_pattern *p, const struct wr_start *start, uint32_t key, enum wr_watch_end end,
                      const struct pass *pass)
{
    int64_t time = pass->has_row ? p->batch->time[pass->row] : pass->ending ? wr_task_time(p->op.task) : pass->time;
    if (end == WR_WATCH_EXPIRED) time = wr_pattern_deadline(p, start->first.place.time);
    wr_trace_end(p, start->first.sequence, key, end, time);
}

/* The go over the starts of a key. */
static void go_over(struct wr_pattern *p, struct wr_general *g, uint32_t key, const struct pass *pass)
{
    WR_ASSERT(key < g->key.count && !(pass->has_row && pass->ending));
    struct wr_key_starts *starts = &g->key.at[key];
    uint64_t taken = 0; /* rows up to this one belong to a match, or will */
    bool open_before = false, waits = false, may_begin = pass->has_row && wr_bit(p->insert, pass->row);
    bool elders = g->elders && !pass->ending && (may_begin || starts->head != starts->tail);
    uint32_t before = 0;
    g->go++;
    for (uint32_t id = starts->head; id || may_begin;) {
        enum wr_watch_end end = WR_WATCH_DIED;
        if (!id) { /* behind the last: the row's own start */
            may_begin = false;
            if (p->sequence + pass->row + 1 <= taken || (p->plan.one_start && starts->head)) break;
            begin(p, g, starts, pass->row);
            id = before ? wr_start_at(g, before)->next : starts->head;
            if (!id) break;
        } else if (wr_start_at(g, id)->first.sequence <= taken) {
            wr_threads_drop(p, g, wr_start_at(g, id));
            end = WR_WATCH_TAKEN;
        } else if (is_over(p, wr_start_at(g, id), pass)) {
            wr_threads_expire(p, g, wr_start_at(g, id));
            end = pass->ending ? WR_WATCH_INPUT_ENDED : WR_WATCH_EXPIRED;
        } else if (pass->has_row) {
            wr_threads_advance(p, g, wr_start_at(g, id), pass->row);
        }
        struct wr_start *start = wr_start_at(g, id);
        uint32_t next = start->next;
        if (start->count && elders) wr_threads_drop_younger(p, g, start);
        if (start->count) {
            struct wr_thread *ended = wr_threads_ended(g, start);
            elders = elders && !ended;
            if (ended && start->count == 1 && !(p->plan.past_last && open_before)) {
                decide(p, g, start, key, pass);
                end = WR_WATCH_MATCH;
                if (p->plan.past_last) taken = WR_MAX(taken, last_row(g, ended->link));
                wr_threads_drop(p, g, start);
            } else {
                if (ended && p->plan.past_last && !open_before) taken = WR_MAX(taken, last_row(g, ended->link));
                open_before = true;
                waits |= ended != NULL;
            }
        }
        if (start->count) {
            before = id;
        } else {
            if (before) wr_start_at(g, before)->next = next;
            else starts->head = next;
            if (!next) starts->tail = before;
            if (p->trace) trace_end(p, start, key, end, pass);
            wr_slab_free(&g->starts, id);
        }
        id = next;
    }
    if (waits) wr_general_arm(p, g, key);
}

/* ---- The matcher -------------------------------------------------------------------------------- */

void wr_general_reserve(struct wr_general *g, uint32_t limit)
{
    if (limit <= g->key.count) return;
    wr_vec_reserve(&g->key, limit);
    memset(g->key.at + g->key.count, 0, (g->key.capacity - g->key.count) * sizeof *g->key.at);
    g->key.count = g->key.capacity;
}

/* A cell may lie across two cache lines. */
WR_PREFETCHER void prefetch_cell(const void *cell)
{
    __builtin_prefetch(cell);
    __builtin_prefetch((const char *)cell + 63);
}

/* Asks for what rows further on will read: the key's record, then its first start, that one's chain, its last row. */
WR_PREFETCHER void prefetch(const struct wr_pattern *p, const struct wr_general *g, const uint16_t *rows, uint32_t count,
                            uint32_t i)
{
    if (i + AHEAD_KEY < count) __builtin_prefetch(&g->key.at[(uint32_t)p->id[rows[i + AHEAD_KEY]]]);
    if (i + AHEAD_START < count) {
        uint32_t head = g->key.at[(uint32_t)p->id[rows[i + AHEAD_START]]].head;
        if (head) prefetch_cell(wr_start_at(g, head));
    }
    if (i + AHEAD_LINK < count) {
        uint32_t head = g->key.at[(uint32_t)p->id[rows[i + AHEAD_LINK]]].head;
        if (head) {
            struct wr_start *start = wr_start_at(g, head);
            prefetch_cell(wr_link_at(g, wr_start_thread(start)->link));
            if (start->next) prefetch_cell(wr_start_at(g, start->next));
        }
    }
    if (i + AHEAD_ROW < count) {
        uint32_t head = g->key.at[(uint32_t)p->id[rows[i + AHEAD_ROW]]].head;
        if (head) {
            struct wr_start *start = wr_start_at(g, head);
            uint32_t row = wr_link_at(g, wr_start_thread(start)->link)->row;
            if (row) prefetch_cell(wr_kept_at(g, row));
            if (start->next) prefetch_cell(wr_link_at(g, wr_start_thread(wr_start_at(g, start->next))->link));
        }
    }
}

static void general_rows(struct wr_pattern *p)
{
    struct wr_general *g = p->state;
    wr_general_reserve(g, p->keys ? wr_keytable_id_limit(p->keys) : 1);
    const struct wr_batch *batch = p->batch;
    uint16_t rows[WR_BATCH_ROWS];
    uint32_t count = 0;
    for (uint32_t w = 0; w < (batch->rows + 63) / 64; w++) {
        for (uint64_t bits = p->select[w]; bits; bits &= bits - 1) {
            uint32_t row = w * 64 + (uint32_t)__builtin_ctzll(bits);
            if (p->id[row] != WR_KEY_NONE) rows[count++] = (uint16_t)row;
        }
    }
    WR_ASSERT(!g->current);
    for (uint32_t i = 0; i < count; i++) {
        prefetch(p, g, rows, count, i);
        wr_moments_until(&p->op, batch->time[rows[i]]);
        p->now = batch->time[rows[i]];
        p->place = wr_batch_place(batch, rows[i]);
        go_over(p, g, (uint32_t)p->id[rows[i]],
                &(struct pass){.has_row = true, .row = rows[i], .time = p->now, .sequence = UINT64_MAX});
        wr_kept_settle(p, g);
    }
}

static void general_moment(struct wr_pattern *p, int64_t time, uint32_t key)
{
    struct wr_general *g = p->state;
    if (key >= g->key.count) return;
    uint64_t sequence = p->op.timers.order;
    uint32_t id = g->key.at[key].head;
    while (id && wr_start_at(g, id)->first.sequence < sequence) id = wr_start_at(g, id)->next;
    if (!id || wr_start_at(g, id)->first.sequence != sequence) return; /* it has gone meanwhile */
    WR_ASSERT(wr_start_at(g, id)->armed);
    wr_start_at(g, id)->armed = 0;
    go_over(p, g, key, &(struct pass){.time = time, .sequence = sequence});
}

static int waiting_order(const void *a, const void *b)
{
    const struct wr_waiting *x = a, *y = b;
    return (x->first.sequence > y->first.sequence) - (x->first.sequence < y->first.sequence);
}

static void general_end(struct wr_pattern *p)
{
    struct wr_general *g = p->state;
    WR_ASSERT(!g->waiting.count && p->place.source == WR_SOURCE_END);
    for (uint32_t key = 0; key < g->key.count; key++) {
        if (g->key.at[key].head) go_over(p, g, key, &(struct pass){.ending = true});
    }
    if (g->waiting.count) qsort(g->waiting.at, g->waiting.count, sizeof *g->waiting.at, waiting_order);
    for (size_t i = 0; i < g->waiting.count; i++) {
        struct wr_waiting *w = &g->waiting.at[i];
        report(p, g, &w->first, w->key, w->link);
        wr_link_unref(p, g, w->link);
    }
    wr_vec_clear(&g->waiting);
    WR_ASSERT(!g->starts.live && !g->more.live && g->links.live == 1 && !g->rows.live);
}

static bool general_sweep(struct wr_pattern *p, uint32_t key)
{
    struct wr_general *g = p->state;
    if (key >= g->key.count) return true;
    if (key + AHEAD_LINK < g->key.count) { /* keys are swept in order */
        uint32_t head = g->key.at[key + AHEAD_LINK].head;
        if (head) __builtin_prefetch(wr_start_at(g, head));
    }
    if (p->spec->within_us >= 0) go_over(p, g, key, &(struct pass){.time = p->now, .sequence = UINT64_MAX});
    return !g->key.at[key].head;
}

static void general_init(struct wr_pattern *p)
{
    struct wr_general *g = wr_alloc_zero(sizeof *g);
    p->state = g;
    g->thread_size = (uint32_t)(sizeof(struct wr_thread) + p->plan.alive_words * sizeof(uint64_t));
    wr_slab_init(&g->starts, sizeof(struct wr_start) + g->thread_size);
    wr_slab_init(&g->more, sizeof(struct wr_more) + g->thread_size);
    wr_links_init(p, g);
    g->head = wr_alloc_zero((p->spec->position_count + 1) * sizeof *g->head);
    g->stamp = wr_alloc_zero((p->spec->position_count + 1) * sizeof *g->stamp);
    if (p->plan.elders && !p->trace) g->elders = wr_alloc_zero((p->spec->position_count + 1) * sizeof *g->elders);
}

static void general_release(struct wr_pattern *p)
{
    struct wr_general *g = p->state;
    wr_links_release(p, g);
    wr_slab_release(&g->starts);
    wr_slab_release(&g->more);
    wr_vec_release(&g->key);
    wr_vec_release(&g->same);
    wr_vec_release(&g->waiting);
    wr_free(g->from.data);
    wr_free(g->to.data);
    wr_free(g->head);
    wr_free(g->stamp);
    wr_free(g->elders);
    wr_free(g);
}

static void general_clear(struct wr_pattern *p)
{
    struct wr_general *g = p->state;
    if (g->key.count) memset(g->key.at, 0, g->key.count * sizeof *g->key.at);
    wr_slab_clear(&g->starts);
    wr_slab_clear(&g->more);
    wr_links_clear(p, g);
}

static void general_measure(const struct wr_pattern *p, struct wr_operator_size *size)
{
    const struct wr_general *g = p->state;
    size->starts += g->starts.live;
    size->rows += g->rows.live;
    size->bytes += wr_slab_bytes(&g->starts) + wr_slab_bytes(&g->more) + wr_slab_bytes(&g->links) +
                   wr_slab_bytes(&g->rows) + g->key.capacity * sizeof *g->key.at;
}

const struct wr_matcher wr_match_general = {
    .name = "general",
    .init = general_init,
    .release = general_release,
    .rows = general_rows,
    .moment = general_moment,
    .end = general_end,
    .sweep = general_sweep,
    .save = wr_general_save,
    .load = wr_general_load,
    .clear = general_clear,
    .measure = general_measure,
    .check = wr_general_check,
};
