/* The general matcher: right for every pattern. Each start (a row from which a match may come) has its candidates
 * (match_thread.c), and its chains of taken rows (match_link.c). When the preferred candidate of a start has ended,
 * the start is decided.
 *
 * Starts stand in the order of their first rows. Where a match takes starts away (or is numbered) a decided start waits
 * while an earlier one is open; a match that is given out removes the starts in its rows. Without a time
 * limit a candidate of a later start that has the same future as one of an earlier start is dropped. */
#include "runtime/match_general.h"

/* After how many keys the wish to stop is looked at. */
enum { LOOK_EVERY = 1024 };
/* How many rows ahead the parts of a key's state are asked for. */
enum { AHEAD_KEY = 24, AHEAD_START = 18, AHEAD_LINK = 12, AHEAD_ROW = 6 };

/* One go over the starts of a key: at a row, at a moment, at the end of the input, or between (sweep). */
struct pass {
    bool has_row, ending;
    bool closing;      /* the key has had its last row, which $ asks for */
    uint32_t row;
    int64_t time;      /* starts whose time is up by then end, ... */
    uint64_t sequence; /* ... of those whose time is up at `time` the ones up to this row */
    uint32_t fired;    /* the start whose moment has come; 0: none has */
};

/* ---- Starts ------------------------------------------------------------------------------------- */

static bool is_over(const struct wr_pattern *p, const struct wr_general *g, const struct wr_start *start, const struct pass *pass)
{
    if (pass->ending) return true;
    if (p->spec->within_us < 0) return false;
    int64_t end = wr_pattern_deadline(p, start->time);
    return end < pass->time || (end == pass->time && wr_start_first(g, start)->sequence <= pass->sequence);
}

/* Up to which time moments have passed for a start. */
static int64_t passed(const struct wr_general *g, const struct wr_start *start, const struct pass *pass)
{
    if (pass->sequence == UINT64_MAX || wr_start_first(g, start)->sequence <= pass->sequence) return pass->time;
    return pass->time - 1;
}

/* Begins a start at the row, behind all others, if some beginning takes it. */
static void begin(struct wr_pattern *p, struct wr_general *g, struct wr_key_starts *starts, uint32_t row)
{
    if (!wr_threads_begin(p, g, row)) return;
    uint32_t id = wr_slab_alloc(&g->starts);
    struct wr_start *start = wr_start_at(g, id);
    *start = (struct wr_start){.armed = WR_TIME_MAX, .row = wr_kept_current(p, g, row)};
    start->time = wr_start_first(g, start)->place.time;
    wr_kept_at(g, start->row)->ref++;
    wr_threads_store(g, start);
    if (starts->tail) wr_start_at(g, starts->tail)->next = id;
    else starts->head = id;
    g->open_keys += !starts->tail;
    starts->tail = id;
    if (g->limiter) wr_limiter_began(g, (uint32_t)(starts - g->key.at), g->sequence);
}

/* A moment that has come while rows before it still wait: it is looked after when they have been looked at. */
static bool waits_for_rows(const struct wr_pattern *p, const struct wr_general *g, uint32_t key, int64_t moment)
{
    if (moment > p->now) return false;
    return moment < p->now || (p->plan.rows && g->key_more.at[key].pending);
}

/* Arms a moment where something waits: for the end of the earliest start that stands in its way. */
void wr_general_arm(struct wr_pattern *p, struct wr_general *g, uint32_t key)
{
    if (p->spec->within_us < 0) return;
    uint32_t head = g->key.at[key].head, id = head;
    while (id && !wr_threads_ended(g, wr_start_at(g, id))) id = wr_start_at(g, id)->next;
    if (!id) return;
    struct wr_start *start = wr_start_at(g, p->plan.in_order ? head : id);
    int64_t end = wr_pattern_deadline(p, start->time);
    if (start->armed <= end || waits_for_rows(p, g, key, end)) return;
    start->armed = end;
    wr_timer_arm(&p->op.timers, end, wr_start_first(g, start)->sequence, key);
}

/* Does it show that a start's time is up, though nothing has matched: a timeout, rows that are in no match now? */
static bool ends_visibly(const struct wr_pattern *p)
{
    return p->spec->timeouts || (p->spec->all_rows == WR_OUTPUT_UNMATCHED && p->spec->within_us >= 0);
}

/* Arms a moment for what time alone brings about in a start. What is due already waits for rows before it. */
void wr_start_arm(struct wr_pattern *p, struct wr_general *g, struct wr_start *start, uint32_t key)
{
    int64_t due = p->plan.moments ? wr_threads_due(p, g, start) : WR_TIME_MAX;
    if (ends_visibly(p)) due = WR_MIN(due, wr_pattern_deadline(p, start->time));
    if (due >= start->armed || due == WR_TIME_MAX || waits_for_rows(p, g, key, due)) return;
    start->armed = due;
    wr_timer_arm(&p->op.timers, due, wr_start_first(g, start)->sequence, key);
}

static void trace_end(struct wr_pattern *p, const struct wr_general *g, const struct wr_start *start,
                      uint32_t key, enum wr_watch_end end, const struct pass *pass)
{
    int64_t time = pass->has_row ? g->time : pass->ending ? wr_task_time(p->op.task) : pass->time;
    if (end == WR_WATCH_EXPIRED) time = wr_pattern_deadline(p, start->time);
    wr_trace_end(p, wr_start_first(g, start)->sequence, key, end, time);
}

/* WITH TIMEOUTS: a start's time has run out and it has no match: its preferred candidate is shown, or all of them. */
static void time_out(struct wr_pattern *p, struct wr_general *g, struct wr_start *start, uint32_t key)
{
    if (wr_threads_ended(g, start)) return;
    wr_decide(p, g, wr_start_first(g, start), key, wr_start_thread(start)->link, WR_TIMED_OUT);
    for (uint32_t more = start->more; more && p->spec->timeouts == 2; more = wr_more_at(g, more)->next)
        wr_decide(p, g, wr_start_first(g, start), key, wr_more_thread(wr_more_at(g, more))->link, WR_TIMED_OUT);
}

/* What time alone brings about has been armed, except where rows still wait. */
static bool may_be_due(const struct wr_pattern *p, const struct wr_general *g, const struct wr_start *start,
                       const struct pass *pass)
{
    return p->plan.rows || start->armed <= pass->time || (pass->fired && start == wr_start_at(g, pass->fired));
}

/* Moves a start on by what has come to pass: moments, the end of its time, the row. */
static enum wr_watch_end move_start(struct wr_pattern *p, struct wr_general *g, struct wr_start *start, uint32_t key,
                                    const struct pass *pass)
{
    if (p->plan.moments && !pass->ending && may_be_due(p, g, start, pass))
        wr_threads_pass_time(p, g, start,
                             WR_MIN(passed(g, start, pass), wr_pattern_deadline(p, start->time)));
    if (!start->count) return WR_WATCH_DIED;
    if (!is_over(p, g, start, pass)) {
        if (pass->has_row) wr_threads_advance(p, g, start, pass->row);
        if (pass->closing) wr_threads_close(p, g, start);
        return WR_WATCH_DIED;
    }
    if (p->spec->timeouts && !pass->ending) time_out(p, g, start, key);
    wr_threads_expire(p, g, start);
    return pass->ending ? WR_WATCH_INPUT_ENDED : WR_WATCH_EXPIRED;
}

/* Takes a start that has no candidate left out of the list. */
static void remove_start(struct wr_pattern *p, struct wr_general *g, struct wr_key_starts *starts, uint32_t before,
                         uint32_t id)
{
    struct wr_start *start = wr_start_at(g, id);
    WR_ASSERT(!start->count);
    wr_kept_unref(p, g, start->row);
    if (before) wr_start_at(g, before)->next = start->next;
    else starts->head = start->next;
    if (!start->next) starts->tail = before;
    g->open_keys -= !starts->head;
    wr_slab_free(&g->starts, id);
}

void wr_general_drop_start(struct wr_pattern *p, struct wr_general *g, uint32_t key, uint64_t sequence, const char *setting)
{
    struct wr_key_starts *starts = &g->key.at[key];
    uint32_t before = 0, id = starts->head;
    for (; wr_start_first(g, wr_start_at(g, id))->sequence != sequence; id = wr_start_at(g, id)->next) before = id;
    struct wr_start *start = wr_start_at(g, id);
    wr_operator_count(&p->op, "limit", setting, wr_start_first(g, start)->place);
    if (p->trace) wr_trace_end(p, sequence, key, WR_WATCH_LIMIT, p->now);
    wr_threads_drop(p, g, start);
    remove_start(p, g, starts, before, id);
}

/* So many starts of a key at most: more are open. True: the oldest has gone, which others may have waited for. */
static bool limit_starts(struct wr_pattern *p, struct wr_general *g, uint32_t key)
{
    struct wr_key_starts *starts = &g->key.at[key];
    const char *setting = p->spec->limit_starts ? "" : "max_starts_per_key";
    uint64_t count = 0;
    for (uint32_t at = starts->head; at; at = wr_start_at(g, at)->next) count++;
    if (count <= p->plan.limit_starts) return false;
    if (p->plan.limit_policy == WR_STARTS_FAIL) {
        wr_pattern_fail_limit(p, key, p->plan.limit_starts, *setting ? setting : "LIMIT");
        return false;
    }
    bool oldest = p->plan.limit_policy == WR_STARTS_DROP_OLDEST;
    uint32_t id = oldest ? starts->head : starts->tail;
    wr_general_drop_start(p, g, key, wr_start_first(g, wr_start_at(g, id))->sequence, setting);
    return oldest;
}

/* Number of a chain's last row; 0 for the empty match, which covers no row. */
static uint64_t last_row(const struct wr_general *g, uint32_t link)
{
    uint32_t row = wr_link_at(g, link)->row;
    return row ? wr_kept_at(g, row)->id.sequence : 0;
}

/* SKIP PAST LAST ROW: a match that waits will take its rows, if nothing takes it away. What it waits for takes further
 * rows, and so all of these, unless a moment ends it. */
static uint64_t wait_for(struct wr_pattern *p, const struct wr_general *g, uint64_t taken, struct wr_start *start)
{
    uint64_t least = UINT64_MAX;
    struct wr_thread *t = wr_start_thread(start);
    for (uint32_t more = start->more;; more = wr_more_at(g, more)->next) {
        bool may_be_it = t->ended || (p->plan.time_slot != WR_NONE && wr_thread_ends_by_time(p, t));
        if (may_be_it) least = WR_MIN(least, last_row(g, t->link));
        if (t->ended || !more) break;
        t = wr_more_thread(wr_more_at(g, more));
    }
    WR_ASSERT(t->ended);
    if (p->trace) wr_trace_taker(p, g, t->link);
    return WR_MAX(taken, least);
}

/* The go over the starts of a key. */
static void go_over(struct wr_pattern *p, struct wr_general *g, uint32_t key, const struct pass *pass)
{
    WR_ASSERT(key < g->key.count && !(pass->has_row && pass->ending));
    struct wr_key_starts *starts = &g->key.at[key];
    uint64_t taken = 0; /* rows up to this one belong to a match, or will */
    uint32_t first_open = 0;
    bool waits = false, may_begin = pass->has_row && (pass->row == WR_NONE || wr_bit(p->insert, pass->row));
    bool elders = g->elders && !pass->ending && (may_begin || starts->head != starts->tail);
    bool arms = (p->plan.moments || ends_visibly(p)) && !pass->ending;
    uint32_t before = 0;
    g->go++;
    g->at_key = key;
    for (uint32_t id = starts->head; id || may_begin;) {
        enum wr_watch_end end = WR_WATCH_DIED;
        if (!id) { /* behind the last: the row's own start */
            may_begin = false;
            if (g->sequence <= taken || (p->plan.one_start && starts->head)) {
                enum wr_watch_end why = g->sequence <= taken ? WR_WATCH_TAKEN : WR_WATCH_COVERED;
                if (p->trace) wr_trace_unbegun(p, g, key, pass->row, why);
                break;
            }
            begin(p, g, starts, pass->row);
            id = before ? wr_start_at(g, before)->next : starts->head;
            if (!id) break;
        } else if (taken && wr_start_first(g, wr_start_at(g, id))->sequence <= taken) {
            wr_threads_drop(p, g, wr_start_at(g, id));
            end = WR_WATCH_TAKEN;
        } else {
            end = move_start(p, g, wr_start_at(g, id), key, pass);
        }
        struct wr_start *start = wr_start_at(g, id);
        uint32_t next = start->next;
        if (start->count && elders) wr_threads_drop_younger(p, g, start);
        if (start->count) {
            struct wr_thread *ended = wr_threads_ended(g, start);
            elders = elders && !ended;
            if (ended && start->count == 1 && !(p->plan.in_order && first_open)) {
                end = WR_WATCH_MATCH;
                if (p->spec->all_rows == WR_OUTPUT_UNMATCHED)
                    wr_decide_rows(p, g, key, wr_start_first(g, first_open ? wr_start_at(g, first_open) : start)->sequence);
                uint64_t by = wr_decide(p, g, wr_start_first(g, start), key, ended->link, WR_MATCHED);
                taken = WR_MAX(taken, by);
                wr_threads_drop(p, g, start);
            } else {
                if (ended && p->trace) wr_trace_waits(p, wr_start_first(g, start)->sequence, start->count == 1);
                if (ended && p->plan.past_last && !first_open) taken = wait_for(p, g, taken, start);
                if (!first_open) first_open = id;
                waits |= ended != NULL;
                if (arms) wr_start_arm(p, g, start, key);
            }
        }
        if (start->count) {
            before = id;
        } else {
            if (p->trace) trace_end(p, g, start, key, end, pass);
            remove_start(p, g, starts, before, id);
        }
        id = next;
    }
    if (p->plan.limit_starts && pass->has_row && starts->head && limit_starts(p, g, key) && starts->head) {
        go_over(p, g, key, &(struct pass){.time = pass->time, .sequence = UINT64_MAX});
        return;
    }
    if (p->spec->all_rows == WR_OUTPUT_UNMATCHED)
        wr_decide_rows(p, g, key, starts->head ? wr_start_first(g, wr_start_at(g, starts->head))->sequence : UINT64_MAX);
    if (waits) wr_general_arm(p, g, key);
}

/* ---- The rows of a key ---------------------------------------------------------------------------- */

/* Remembers what NOT b FOR d in front of everything asks for. */
static void remember_leads(struct wr_pattern *p, struct wr_general *g, uint32_t key, uint32_t row)
{
    for (uint32_t i = 0; i < p->spec->lead_count; i++) {
        if (wr_link_holds(p, g, g->root, p->spec->lead[i].variable, row))
            g->lead.at[(size_t)key * p->spec->lead_count + i] = g->time;
    }
}

/* Looks at a row: one of the batch, or (WR_NONE) the first of its key that has waited. */
static void look_at(struct wr_pattern *p, struct wr_general *g, uint32_t key, uint32_t row)
{
    if (row == WR_NONE) {
        struct wr_key_more *more = &g->key_more.at[key];
        g->current = more->pending;
        const struct wr_kept *kept = wr_kept_at(g, g->current);
        more->pending = wr_listed_at(g, g->current)->next;
        more->pending_count--;
        g->sequence = kept->id.sequence;
        g->time = kept->id.place.time;
    } else {
        g->sequence = p->sequence + row + 1;
        g->time = p->time[row];
    }
    g->at_key = key;
    go_over(p, g, key, &(struct pass){.has_row = true, .row = row, .time = g->time, .sequence = UINT64_MAX});
    if (p->spec->lead_count) remember_leads(p, g, key, row);
    if (p->plan.more) g->key_more.at[key].seen = 1;
    wr_kept_settle(p, g);
}

/* Time has passed up to `time` or, where rows wait, up to the first of them. */
static void pass_time(struct wr_pattern *p, struct wr_general *g, uint32_t key, int64_t time)
{
    const struct wr_key_more *more = &g->key_more.at[key];
    if (!g->key.at[key].head || (p->spec->within_us < 0 && !p->plan.moments)) return;
    if (more->pending) time = WR_MIN(time, wr_kept_at(g, more->pending)->id.place.time);
    go_over(p, g, key, &(struct pass){.time = time, .sequence = UINT64_MAX});
}

static void trim(struct wr_pattern *p, struct wr_general *g, uint32_t key)
{
    uint32_t head = g->key.at[key].head;
    wr_rows_trim(p, g, &g->key_more.at[key], head ? wr_start_first(g, wr_start_at(g, head))->sequence : UINT64_MAX);
}

void wr_general_pass(struct wr_pattern *p, struct wr_general *g, uint32_t key, int64_t time)
{
    WR_ASSERT(key < g->key.count);
    uint32_t pending = p->plan.rows ? g->key_more.at[key].pending : 0;
    if (pending) time = WR_MIN(time, wr_kept_at(g, pending)->id.place.time);
    if (g->key.at[key].head) go_over(p, g, key, &(struct pass){.time = time, .sequence = UINT64_MAX});
    if (p->plan.rows) trim(p, g, key);
}

/* A row of a key of which more is kept than its starts. */
static void add_row(struct wr_pattern *p, struct wr_general *g, uint32_t key, uint32_t row)
{
    struct wr_key_more *more = &g->key_more.at[key];
    if (!p->plan.rows) {
        look_at(p, g, key, row);
        return;
    }
    wr_rows_append(p, g, more, row);
    wr_give_held(p, g, key);
    if (!p->spec->next_max) {
        look_at(p, g, key, row);
        wr_rows_thin(p, g, more);
    }
    bool looked = false;
    while (more->pending_count > p->spec->next_max) {
        look_at(p, g, key, WR_NONE);
        wr_rows_thin(p, g, more);
        looked = true;
    }
    if (looked) pass_time(p, g, key, p->now);
    trim(p, g, key);
}

/* ---- The matcher -------------------------------------------------------------------------------- */

static void reserve_keys(struct wr_general *g, uint32_t limit)
{
    if (limit <= g->key.count) return;
    wr_vec_reserve(&g->key, limit);
    memset(g->key.at + g->key.count, 0, (g->key.capacity - g->key.count) * sizeof *g->key.at);
    g->key.count = g->key.capacity;
}

/* The same for what keys have beside their starts. */
static void reserve_more(const struct wr_pattern *p, struct wr_general *g, size_t limit)
{
    size_t old = g->key_more.count, leads = p->spec->lead_count;
    if (!p->plan.more || limit <= old) return;
    wr_vec_reserve(&g->key_more, limit);
    wr_vec_reserve(&g->lead, limit * leads);
    for (size_t k = old; k < limit; k++) g->key_more.at[k] = (struct wr_key_more){.given = WR_TIME_MIN};
    for (size_t i = old * leads; i < limit * leads; i++) g->lead.at[i] = WR_TIME_MIN;
    g->key_more.count = limit;
    g->lead.count = limit * leads;
}

void wr_general_reserve(const struct wr_pattern *p, struct wr_general *g, uint32_t limit)
{
    reserve_keys(g, limit);
    reserve_more(p, g, g->key.count);
}

/* A cell may lie across two cache lines. */
static inline void prefetch_cell(const void *cell)
{
    wr_prefetch(cell);
    wr_prefetch((const char *)cell + 63);
}

/* Asks for what rows further on will read: the key's record, then its first start, that one's chain, its last row. */
static inline void prefetch(const struct wr_pattern *p, const struct wr_general *g, const uint16_t *rows, uint32_t count,
                            uint32_t i)
{
    if (i + AHEAD_KEY < count) wr_prefetch(&g->key.at[(uint32_t)p->id[rows[i + AHEAD_KEY]]]);
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

/* What the pattern keeps has outgrown its bound: better an end with a sentence than a machine without memory. Asked for
 * every row, for one alone can multiply it. */
static inline bool is_too_much(const struct wr_pattern *p, const struct wr_general *g)
{
    uint64_t blocks = (uint64_t)g->links.block_count + g->rows.block_count + g->starts.block_count + g->more.block_count;
    return blocks > p->plan.limits.bytes / WR_STATE_BYTES_BLOCK + 4; /* an empty slab has one, or none */
}

static void general_rows(struct wr_pattern *p)
{
    struct wr_general *g = p->state;
    wr_general_reserve(p, g, p->keys ? wr_keytable_id_limit(p->keys) : 1);
    const struct wr_batch *batch = p->batch;
    uint16_t rows[WR_BATCH_ROWS];
    if (WR_UNLIKELY(p->trace != NULL) && wr_watch_sees(p->watch))
        for (uint32_t row = 0; row < batch->rows; row++)
            if (wr_bit(p->select, row)) wr_trace_seen_row(p, row);
    uint32_t count = wr_pattern_rows(p, rows);
    WR_ASSERT(!g->current);
    for (uint32_t i = 0; i < count; i++) {
        if (WR_UNLIKELY(is_too_much(p, g))) wr_limits_check_operator(&p->op);
        if (WR_UNLIKELY(g->to.capacity >= WR_CROWD || g->links.block_count >= WR_CROWD) && wr_task_halted(p->op.task))
            return;
        prefetch(p, g, rows, count, i);
        wr_moments_until(&p->op, p->time[rows[i]]);
        if (WR_UNLIKELY(p->op.timers.next <= p->time[rows[i]])) return; /* halted */
        p->now = p->time[rows[i]];
        p->place = wr_batch_place(batch, rows[i]);
        if (p->plan.more) add_row(p, g, (uint32_t)p->id[rows[i]], rows[i]);
        else look_at(p, g, (uint32_t)p->id[rows[i]], rows[i]);
        if (g->limiter) wr_limiter_enforce(p, g, (uint32_t)p->id[rows[i]]);
    }
}

/* Stages: the key's record, its first start, that one's chain, its last row. */
static void general_prefetch(const struct wr_pattern *p, uint32_t key, unsigned stage)
{
    const struct wr_general *g = p->state;
    if (key >= g->key.count) return;
    if (stage == 0) {
        wr_prefetch(&g->key.at[key]);
        return;
    }
    uint32_t head = g->key.at[key].head;
    if (!head) return;
    struct wr_start *start = wr_start_at(g, head);
    if (stage == 1) {
        prefetch_cell(start);
        return;
    }
    const struct wr_link *link = wr_link_at(g, wr_start_thread(start)->link);
    if (stage == 2) prefetch_cell(link);
    else if (link->row) prefetch_cell(wr_kept_at(g, link->row));
}

static void general_moment(struct wr_pattern *p, int64_t time, uint32_t key)
{
    struct wr_general *g = p->state;
    if (key >= g->key.count) return;
    uint64_t sequence = p->op.timers.order;
    uint32_t id = g->key.at[key].head;
    while (id && wr_start_first(g, wr_start_at(g, id))->sequence < sequence) id = wr_start_at(g, id)->next;
    if (!id || wr_start_first(g, wr_start_at(g, id))->sequence != sequence) return; /* it has gone meanwhile */
    if (wr_start_at(g, id)->armed == time) wr_start_at(g, id)->armed = WR_TIME_MAX;
    uint32_t pending = p->plan.rows ? g->key_more.at[key].pending : 0;
    if (pending && wr_kept_at(g, pending)->id.place.time < time) {
        pass_time(p, g, key, time); /* the rest when that row is looked at */
    } else {
        go_over(p, g, key, &(struct pass){.time = time, .sequence = sequence, .fired = id});
    }
    if (p->plan.rows) trim(p, g, key);
}

/* No row of the key is to come: what waited for that is whole. Moments up to the last row of the input come before. */
static void close_key(struct wr_pattern *p, struct wr_general *g, uint32_t key)
{
    WR_ASSERT(p->closing != WR_TIME_MAX);
    if (!p->plan.at_end || !g->key.at[key].head || (p->plan.more && g->key_more.at[key].pending)) return;
    go_over(p, g, key, &(struct pass){.closing = true, .time = p->closing, .sequence = UINT64_MAX});
}

static void general_close(struct wr_pattern *p)
{
    struct wr_general *g = p->state;
    g->ending = true; /* one place for all keys: their results stand in the order of first rows */
    for (uint32_t key = 0; key < g->key.count; key++) {
        if (key % LOOK_EVERY == 0 && wr_task_halted(p->op.task)) return;
        close_key(p, g, key);
    }
    wr_give_waiting(p, g);
    g->ending = false;
}

static void end_key(struct wr_pattern *p, struct wr_general *g, uint32_t key)
{
    struct wr_key_more *more = p->plan.more ? &g->key_more.at[key] : NULL;
    if (more) {
        wr_wait_held(p, g, key);
        while (more->pending) {
            look_at(p, g, key, WR_NONE);
            close_key(p, g, key);
            pass_time(p, g, key, WR_TIME_MAX - 1);
        }
    }
    if (g->key.at[key].head) go_over(p, g, key, &(struct pass){.ending = true});
    if (more) wr_decide_rows(p, g, key, UINT64_MAX);
}

static void general_end(struct wr_pattern *p)
{
    struct wr_general *g = p->state;
    WR_ASSERT(!g->waiting.count && p->place.source == WR_SOURCE_END);
    g->ending = true;
    for (uint32_t key = 0; key < g->key.count; key++) {
        if (key % LOOK_EVERY == 0 && wr_task_halted(p->op.task)) return;
        end_key(p, g, key);
    }
    wr_give_waiting(p, g);
    for (size_t key = 0; key < g->key_more.count; key++) wr_rows_release(p, g, &g->key_more.at[key]);
    g->ending = false;
    WR_ASSERT(!g->starts.live && !g->more.live && g->links.live == 1 && !g->rows.live && !g->held.live);
}

/* A key that is forgotten leaves a clean record. */
static void forget_key(const struct wr_pattern *p, struct wr_general *g, uint32_t key)
{
    g->key_more.at[key] = (struct wr_key_more){.given = WR_TIME_MIN};
    for (uint32_t i = 0; i < p->spec->lead_count; i++) g->lead.at[(size_t)key * p->spec->lead_count + i] = WR_TIME_MIN;
}

static bool general_sweep(struct wr_pattern *p, uint32_t key)
{
    struct wr_general *g = p->state;
    if (key >= g->key.count) return true;
    if (key + AHEAD_LINK < g->key.count) { /* keys are swept in order */
        uint32_t head = g->key.at[key + AHEAD_LINK].head;
        if (head) wr_prefetch(wr_start_at(g, head));
    }
    if (p->plan.more) pass_time(p, g, key, p->now);
    else if (p->spec->within_us >= 0) go_over(p, g, key, &(struct pass){.time = p->now, .sequence = UINT64_MAX});
    if (g->key.at[key].head) return false;
    if (p->plan.rows) trim(p, g, key);
    if (p->plan.more && !wr_key_more_is_idle(p, g, key)) return false;
    if (p->plan.more) forget_key(p, g, key);
    return true;
}

static int64_t general_armed(const struct wr_pattern *p, uint32_t key)
{
    const struct wr_general *g = p->state;
    int64_t armed = WR_TIME_MAX;
    uint32_t id = key < g->key.count ? g->key.at[key].head : 0;
    for (; id; id = wr_start_at(g, id)->next) armed = WR_MIN(armed, wr_start_at(g, id)->armed);
    return armed;
}

static void general_drop(struct wr_pattern *p, uint32_t key)
{
    struct wr_general *g = p->state;
    WR_ASSERT(!g->limiter && !g->current);
    if (key >= g->key.count) return;
    struct wr_key_starts *starts = &g->key.at[key];
    while (starts->head) {
        wr_threads_drop(p, g, wr_start_at(g, starts->head));
        remove_start(p, g, starts, 0, starts->head);
    }
    if (!p->plan.more) return;
    wr_drop_held(p, g, key);
    wr_rows_release(p, g, &g->key_more.at[key]);
    forget_key(p, g, key);
}

static void general_init(struct wr_pattern *p)
{
    struct wr_general *g = wr_alloc_zero(sizeof *g);
    p->state = g;
    g->thread_size = (uint32_t)(sizeof(struct wr_thread) + p->plan.alive_words * sizeof(uint64_t));
    wr_slab_init(&g->starts, sizeof(struct wr_start) + g->thread_size);
    wr_slab_init(&g->more, sizeof(struct wr_more) + g->thread_size);
    wr_slab_init(&g->held, sizeof(struct wr_held));
    wr_links_init(p, g);
    g->limiter = wr_limiter_new(&p->plan.limits, p->spec);
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
    wr_slab_release(&g->held);
    wr_vec_release(&g->key);
    wr_vec_release(&g->key_more);
    wr_vec_release(&g->lead);
    wr_vec_release(&g->same);
    wr_vec_release(&g->waiting);
    wr_free(g->from.data);
    wr_free(g->to.data);
    wr_free(g->head);
    wr_free(g->stamp);
    wr_free(g->elders);
    wr_limiter_free(g->limiter);
    wr_free(g);
}

static void general_clear(struct wr_pattern *p)
{
    struct wr_general *g = p->state;
    if (g->key.count) memset(g->key.at, 0, g->key.count * sizeof *g->key.at);
    g->open_keys = 0;
    wr_slab_clear(&g->starts);
    wr_slab_clear(&g->more);
    wr_slab_clear(&g->held);
    for (uint32_t key = 0; key < g->key_more.count; key++) forget_key(p, g, key);
    wr_links_clear(p, g);
    wr_limiter_clear(g->limiter);
}

static void general_measure(const struct wr_pattern *p, struct wr_operator_size *size)
{
    const struct wr_general *g = p->state;
    size->starts += g->starts.live;
    size->rows += g->rows.live;
    size->bytes += wr_slab_bytes(&g->starts) + wr_slab_bytes(&g->more) + wr_slab_bytes(&g->links) +
                   wr_slab_bytes(&g->rows) + wr_slab_bytes(&g->held) + g->key.capacity * sizeof *g->key.at +
                   g->key_more.capacity * sizeof *g->key_more.at + g->lead.capacity * sizeof *g->lead.at;
    size->live += wr_slab_live_bytes(&g->starts) + wr_slab_live_bytes(&g->more) + wr_slab_live_bytes(&g->links) +
                  wr_slab_live_bytes(&g->rows) + wr_slab_live_bytes(&g->held) +
                  size->keys * (sizeof *g->key.at + (p->plan.more ? sizeof *g->key_more.at : 0) +
                                p->spec->lead_count * sizeof *g->lead.at);
}

static uint64_t general_open_keys(const struct wr_pattern *p)
{
    const struct wr_general *g = p->state;
    WR_ASSERT(g->open_keys <= g->starts.live);
    return g->open_keys;
}

static void general_bound(const struct wr_pattern *p, struct wr_state_bound *bound)
{
    const struct wr_general *g = p->state;
    WR_ASSERT(g && bound);
    bound->key += (uint32_t)(sizeof *g->key.at + (p->plan.more ? sizeof *g->key_more.at : 0) +
                             p->spec->lead_count * sizeof *g->lead.at);
    bound->start = g->starts.cell_size;
    bound->way = g->more.cell_size;
    bound->row = g->links.cell_size + g->rows.cell_size;
}

const struct wr_matcher wr_match_general = {
    .name = "general",
    .init = general_init,
    .release = general_release,
    .rows = general_rows,
    .moment = general_moment,
    .close = general_close,
    .prefetch = general_prefetch,
    .end = general_end,
    .sweep = general_sweep,
    .save = wr_general_save,
    .load = wr_general_load,
    .clear = general_clear,
    .armed = general_armed,
    .drop = general_drop,
    .measure = general_measure,
    .open_keys = general_open_keys,
    .bound = general_bound,
    .check = wr_general_check,
};
