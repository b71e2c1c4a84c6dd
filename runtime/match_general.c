/* The general matcher: right for every pattern. Each start (a row from which a match may come) has its candidates
 * in order of preferment. A row moves them on: a candidate is replaced by those that take the row, in the order of
 * the follow list, and then by itself where it may also leave the row out. A candidate that reaches the end of the
 * pattern cuts off all that stand behind it; when nothing stands before it, its start is decided. Two candidates
 * that have the same future are one: the preferred stands for both.
 *
 * Starts stand in the order of their first rows. With SKIP PAST LAST ROW a decided start waits while an earlier one
 * is open, which may take its rows away; a match that is given out removes the starts in its rows. Without a time
 * limit a candidate of a later start that has the same future as one of an earlier start is dropped (drop_younger). */
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

static struct wr_thread *thread_in(const struct wr_general *g, const struct wr_threads *list, uint32_t i)
{
    return (struct wr_thread *)(void *)(list->data + (size_t)i * g->thread_size);
}

static struct wr_thread *thread_push(const struct wr_general *g, struct wr_threads *list)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? list->capacity * 2 : 16;
        list->data = wr_realloc(list->data, (size_t)list->capacity * g->thread_size);
    }
    return thread_in(g, list, list->count++);
}

/* ---- Moving candidates on ----------------------------------------------------------------------- */

/* Is there a candidate before it, at the same position, that may do all that this one may, and would see the same? */
static bool is_stood_for(const struct wr_pattern *p, const struct wr_general *g, uint16_t position, uint32_t link,
                         const uint64_t *alive)
{
    if (g->stamp[position] != g->list_number) return false;
    for (uint32_t i = g->head[position]; i; i = g->same.at[i - 1]) {
        const struct wr_thread *before = thread_in(g, &g->to, i - 1);
        bool covers = true;
        for (uint32_t w = 0; w < p->plan.alive_words && covers; w++) covers = !(alive[w] & ~before->alive[w]);
        if (covers && wr_link_agrees(p, g, before->link, link, p->plan.step[position].reads)) return true;
    }
    return false;
}

/* Adds a candidate to the list in the making, unless one before it stands for it. Takes a hold on the link. */
static void add_open(struct wr_pattern *p, struct wr_general *g, uint16_t position, uint32_t link,
                     const uint64_t *alive)
{
    if (g->to.count && is_stood_for(p, g, position, link, alive)) return;
    struct wr_thread *t = thread_push(g, &g->to);
    t->link = link;
    t->position = position;
    t->ended = 0;
    memcpy(t->alive, alive, p->plan.alive_words * sizeof *alive);
    wr_link_at(g, link)->ref++;
    wr_vec_push(&g->same, g->stamp[position] == g->list_number ? g->head[position] : 0);
    g->head[position] = g->to.count;
    g->stamp[position] = g->list_number;
}

static void add_ended(struct wr_pattern *p, struct wr_general *g, uint32_t link)
{
    struct wr_thread *t = thread_push(g, &g->to);
    t->link = link;
    t->position = 0;
    t->ended = 1;
    memset(t->alive, 0, p->plan.alive_words * sizeof *t->alive);
    wr_link_at(g, link)->ref++;
    wr_vec_push(&g->same, 0);
}

static void begin_list(struct wr_general *g)
{
    g->to.count = 0;
    wr_vec_clear(&g->same);
    g->list_number++;
}

/* Adds what becomes of a candidate at the row. True when it has ended: what stands behind it is cut off. */
static bool move_on(struct wr_pattern *p, struct wr_general *g, const struct wr_thread *from, uint32_t row)
{
    const struct wr_step *step = &p->plan.step[from->position];
    uint32_t words = p->plan.alive_words;
    uint64_t stays = 0; /* whether anything stays; its mask is built in place behind the loop */
    uint32_t asked = UINT32_MAX, child = 0;
    bool cut = false;
    struct wr_thread *rest = thread_in(g, &g->from, g->from.capacity - 1); /* spare cell: see reserve_spare */
    memset(rest->alive, 0, words * sizeof *rest->alive);
    for (uint32_t w = 0; w < words && !cut; w++) {
        for (uint64_t bits = from->alive[w]; bits && !cut; bits &= bits - 1) {
            uint32_t e = w * 64 + (uint32_t)__builtin_ctzll(bits);
            uint16_t position = step->follow[e].position, variable = p->spec->position[position].variable;
            if (variable != asked) {
                if (child) wr_link_unref(p, g, child);
                asked = variable;
                child = wr_link_take(p, g, from->link, variable, row);
            }
            if (child) {
                const struct wr_step *next = &p->plan.step[position];
                if (next->entries) add_open(p, g, position, child, next->full);
                if (next->accepts) {
                    add_ended(p, g, child);
                    cut = true;
                }
            } else if (!wr_bit(step->strict, e)) {
                wr_bit_set(rest->alive, e);
                stays = 1;
            }
        }
    }
    if (child) wr_link_unref(p, g, child);
    if (cut) return true;
    if (stays) add_open(p, g, from->position, from->link, rest->alive);
    return false;
}

/* Room for one cell behind the list that candidates are read from. */
static void reserve_spare(struct wr_general *g, uint32_t count)
{
    while (g->from.capacity < count + 1) {
        g->from.capacity = g->from.capacity ? g->from.capacity * 2 : 16;
        g->from.data = wr_realloc(g->from.data, (size_t)g->from.capacity * g->thread_size);
    }
}

/* May the row change anything about this candidate? */
static inline bool is_touched(const struct wr_pattern *p, const struct wr_thread *t, uint32_t row)
{
    if (t->ended) return false;
    const struct wr_step *step = &p->plan.step[t->position];
    for (uint32_t w = 0; w < p->plan.alive_words; w++) {
        if (t->alive[w] & step->strict[w]) return true;
        for (uint64_t bits = t->alive[w]; bits; bits &= bits - 1) {
            uint32_t e = w * 64 + (uint32_t)__builtin_ctzll(bits);
            if (wr_variable_bit(p, p->spec->position[step->follow[e].position].variable, row)) return true;
        }
    }
    return false;
}

static void more_free(struct wr_general *g, struct wr_start *start)
{
    for (uint32_t more = start->more; more;) {
        uint32_t next = wr_more_at(g, more)->next;
        wr_slab_free(&g->more, more);
        more = next;
    }
    start->more = 0;
}

/* Writes the list that has been made into the start. */
static void store_list(struct wr_general *g, struct wr_start *start)
{
    more_free(g, start);
    start->count = g->to.count;
    if (!g->to.count) return;
    memcpy(wr_start_thread(start), thread_in(g, &g->to, 0), g->thread_size);
    uint32_t *tail = &start->more;
    for (uint32_t i = 1; i < g->to.count; i++) {
        uint32_t id = wr_slab_alloc(&g->more);
        struct wr_more *cell = wr_more_at(g, id);
        cell->next = 0;
        memcpy(wr_more_thread(cell), thread_in(g, &g->to, i), g->thread_size);
        *tail = id;
        tail = &cell->next;
    }
}

static void drop_candidates(struct wr_pattern *p, struct wr_general *g, struct wr_start *start)
{
    wr_link_unref(p, g, wr_start_thread(start)->link);
    for (uint32_t more = start->more; more;) {
        struct wr_more *cell = wr_more_at(g, more);
        wr_link_unref(p, g, wr_more_thread(cell)->link);
        more = cell->next;
    }
    more_free(g, start);
    start->count = 0;
}

/* Moves a start's candidates on at a row; its count is 0 when none is left. */
static void advance(struct wr_pattern *p, struct wr_general *g, struct wr_start *start, uint32_t row)
{
    bool touched = is_touched(p, wr_start_thread(start), row);
    for (uint32_t more = start->more; more && !touched;) {
        struct wr_more *cell = wr_more_at(g, more);
        touched = is_touched(p, wr_more_thread(cell), row);
        more = cell->next;
    }
    if (!touched) return;
    reserve_spare(g, start->count);
    memcpy(thread_in(g, &g->from, 0), wr_start_thread(start), g->thread_size);
    uint32_t count = 1;
    for (uint32_t more = start->more; more; more = wr_more_at(g, more)->next)
        memcpy(thread_in(g, &g->from, count++), wr_more_thread(wr_more_at(g, more)), g->thread_size);
    WR_ASSERT(count == start->count);
    begin_list(g);
    for (uint32_t i = 0; i < count; i++) {
        const struct wr_thread *t = thread_in(g, &g->from, i);
        if (t->ended) {
            add_ended(p, g, t->link);
            break;
        }
        if (move_on(p, g, t, row)) break;
    }
    for (uint32_t i = 0; i < count; i++) wr_link_unref(p, g, thread_in(g, &g->from, i)->link);
    store_list(g, start);
}

/* ---- Starts ------------------------------------------------------------------------------------- */

/* The candidate that has ended, always the last; NULL: none has. */
static struct wr_thread *ended_of(const struct wr_general *g, struct wr_start *start)
{
    struct wr_thread *last = wr_start_thread(start);
    for (uint32_t more = start->more; more;) {
        struct wr_more *cell = wr_more_at(g, more);
        last = wr_more_thread(cell);
        more = cell->next;
    }
    return last->ended ? last : NULL;
}

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

/* Ends the open candidates of a start; the one that has ended stays. */
static void expire(struct wr_pattern *p, struct wr_general *g, struct wr_start *start)
{
    struct wr_thread *ended = ended_of(g, start);
    if (ended && start->count == 1) return;
    begin_list(g);
    if (ended) add_ended(p, g, ended->link);
    drop_candidates(p, g, start);
    store_list(g, start);
}

static bool is_over(const struct wr_pattern *p, const struct wr_start *start, const struct pass *pass)
{
    if (pass->ending) return true;
    if (p->spec->within_us < 0) return false;
    int64_t end = wr_pattern_deadline(p, start->first.place.time);
    return end < pass->time || (end == pass->time && start->first.sequence <= pass->sequence);
}

/* ---- Candidates of later starts --------------------------------------------------------------------- */

static bool has_elder(const struct wr_pattern *p, const struct wr_general *g, const struct wr_thread *t)
{
    const struct wr_elders *elders = &g->elders[t->position];
    if (elders->go != g->go) return false;
    for (uint32_t i = 0; i < elders->count; i++) {
        const struct wr_thread *elder = elders->at[i];
        bool covers = true;
        for (uint32_t w = 0; w < p->plan.alive_words && covers; w++) covers = !(t->alive[w] & ~elder->alive[w]);
        if (covers && wr_link_agrees(p, g, elder->link, t->link, p->plan.step[t->position].reads)) return true;
    }
    return false;
}

static void add_elder(struct wr_general *g, const struct wr_thread *t)
{
    struct wr_elders *elders = &g->elders[t->position];
    if (elders->go != g->go) {
        elders->go = g->go;
        elders->count = 0;
    }
    if (elders->count < WR_ELDERS) elders->at[elders->count++] = t;
}

static void keep_unless_elder(struct wr_pattern *p, struct wr_general *g, const struct wr_thread *t)
{
    if (!t->ended && has_elder(p, g, t)) return;
    memcpy(thread_push(g, &g->to), t, g->thread_size);
    wr_link_at(g, t->link)->ref++;
    wr_vec_push(&g->same, 0);
}

/* SKIP PAST LAST ROW, no time limit, no earlier start has a candidate that has ended. Where a candidate of an earlier
 * start (an elder) may do all that a later start's may and would see the same, they end with the same rows: when the
 * elder brings a match, that one takes the later start away, and when it fails so does the other. (Had a start before
 * the elder's an ended candidate, its match could take the elder alone away.) So loops cost their rows, not their
 * square: of all starts in a run of rows the first is enough. */
static void drop_younger(struct wr_pattern *p, struct wr_general *g, struct wr_start *start)
{
    struct wr_thread *t = wr_start_thread(start);
    bool drops = !t->ended && has_elder(p, g, t);
    for (uint32_t more = start->more; more && !drops; more = wr_more_at(g, more)->next) {
        t = wr_more_thread(wr_more_at(g, more));
        drops = !t->ended && has_elder(p, g, t);
    }
    if (drops) {
        begin_list(g);
        keep_unless_elder(p, g, wr_start_thread(start));
        for (uint32_t more = start->more; more; more = wr_more_at(g, more)->next)
            keep_unless_elder(p, g, wr_more_thread(wr_more_at(g, more)));
        drop_candidates(p, g, start);
        store_list(g, start);
        if (!start->count) return;
    }
    if (!wr_start_thread(start)->ended) add_elder(g, wr_start_thread(start));
    for (uint32_t more = start->more; more; more = wr_more_at(g, more)->next) {
        t = wr_more_thread(wr_more_at(g, more));
        if (!t->ended) add_elder(g, t);
    }
}

/* Begins a start at the row, behind all others, if some beginning takes it. */
static void begin(struct wr_pattern *p, struct wr_general *g, struct wr_key_starts *starts, uint32_t row)
{
    uint16_t position = (uint16_t)p->spec->position_count;
    reserve_spare(g, 1);
    struct wr_thread *from = thread_in(g, &g->from, 0);
    from->link = g->root;
    from->position = position;
    from->ended = 0;
    memcpy(from->alive, p->plan.step[position].full, p->plan.alive_words * sizeof(uint64_t));
    begin_list(g);
    if (!move_on(p, g, from, row) && p->plan.empty_match) add_ended(p, g, g->root);
    if (!g->to.count) return;
    uint32_t id = wr_slab_alloc(&g->starts);
    struct wr_start *start = wr_start_at(g, id);
    *start = (struct wr_start){.first = wr_pattern_row_id(p, row)};
    store_list(g, start);
    if (starts->tail) wr_start_at(g, starts->tail)->next = id;
    else starts->head = id;
    starts->tail = id;
}

/* Arms a moment where something waits: for the end of the earliest start that stands in its way. */
void wr_general_arm(struct wr_pattern *p, struct wr_general *g, uint32_t key)
{
    if (p->spec->within_us < 0) return;
    uint32_t head = g->key.at[key].head, id = head;
    while (id && !ended_of(g, wr_start_at(g, id))) id = wr_start_at(g, id)->next;
    if (!id) return;
    struct wr_start *start = wr_start_at(g, p->plan.past_last ? head : id);
    int64_t end = wr_pattern_deadline(p, start->first.place.time);
    if (start->armed || end == WR_TIME_MAX) return;
    start->armed = 1;
    wr_timer_arm(&p->op.timers, end, start->first.sequence, key);
}

/* The go over the starts of a key. */
static void go_over(struct wr_pattern *p, struct wr_general *g, uint32_t key, const struct pass *pass)
{
    struct wr_key_starts *starts = &g->key.at[key];
    uint64_t taken = 0; /* rows up to this one belong to a match, or will */
    bool open_before = false, waits = false, may_begin = pass->has_row && wr_bit(p->insert, pass->row);
    bool elders = g->elders && !pass->ending && (may_begin || starts->head != starts->tail);
    uint32_t before = 0;
    g->go++;
    for (uint32_t id = starts->head; id || may_begin;) {
        if (!id) { /* behind the last: the row's own start */
            may_begin = false;
            if (p->sequence + pass->row + 1 <= taken || (p->plan.one_start && starts->head)) break;
            begin(p, g, starts, pass->row);
            id = before ? wr_start_at(g, before)->next : starts->head;
            if (!id) break;
        } else if (wr_start_at(g, id)->first.sequence <= taken) {
            drop_candidates(p, g, wr_start_at(g, id));
        } else if (is_over(p, wr_start_at(g, id), pass)) {
            expire(p, g, wr_start_at(g, id));
        } else if (pass->has_row) {
            advance(p, g, wr_start_at(g, id), pass->row);
        }
        struct wr_start *start = wr_start_at(g, id);
        uint32_t next = start->next;
        if (start->count && elders) drop_younger(p, g, start);
        if (start->count) {
            struct wr_thread *ended = ended_of(g, start);
            elders = elders && !ended;
            if (ended && start->count == 1 && !(p->plan.past_last && open_before)) {
                decide(p, g, start, key, pass);
                if (p->plan.past_last) taken = WR_MAX(taken, last_row(g, ended->link));
                drop_candidates(p, g, start);
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

/* Asks for what rows further on will read: the key's record, then its first start, that one's chain, its last row. */
WR_PREFETCHER void prefetch(const struct wr_pattern *p, const struct wr_general *g, const uint16_t *rows, uint32_t count,
                            uint32_t i)
{
    if (i + AHEAD_KEY < count) __builtin_prefetch(&g->key.at[(uint32_t)p->id[rows[i + AHEAD_KEY]]]);
    if (i + AHEAD_START < count) {
        uint32_t head = g->key.at[(uint32_t)p->id[rows[i + AHEAD_START]]].head;
        if (head) __builtin_prefetch(wr_start_at(g, head));
    }
    if (i + AHEAD_LINK < count) {
        uint32_t head = g->key.at[(uint32_t)p->id[rows[i + AHEAD_LINK]]].head;
        if (head) {
            struct wr_start *start = wr_start_at(g, head);
            __builtin_prefetch(wr_link_at(g, wr_start_thread(start)->link));
            if (start->next) __builtin_prefetch(wr_start_at(g, start->next));
        }
    }
    if (i + AHEAD_ROW < count) {
        uint32_t head = g->key.at[(uint32_t)p->id[rows[i + AHEAD_ROW]]].head;
        if (head) {
            struct wr_start *start = wr_start_at(g, head);
            uint32_t row = wr_link_at(g, wr_start_thread(start)->link)->row;
            if (row) __builtin_prefetch(wr_kept_at(g, row)->data);
            if (start->next) __builtin_prefetch(wr_link_at(g, wr_start_thread(wr_start_at(g, start->next))->link));
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
}

static bool general_sweep(struct wr_pattern *p, uint32_t key)
{
    struct wr_general *g = p->state;
    if (key >= g->key.count) return true;
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
    if (p->plan.elders) g->elders = wr_alloc_zero((p->spec->position_count + 1) * sizeof *g->elders);
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
};
