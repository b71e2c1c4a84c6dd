/* Candidates of the general matcher: how they move at a row, which of them stand for others, how a start keeps them.
 *
 * They stand in order of preferment. A candidate is replaced by those that take the row, in the order of the follow
 * list, and then by itself where it may also leave the row out. One that reaches the end of the pattern cuts off all
 * that stand behind it. Two that have the same future are one: the preferred stands for both. */
#include "runtime/match_general.h"

struct wr_thread *wr_thread_in(const struct wr_general *g, const struct wr_threads *list, uint32_t i)
{
    return (struct wr_thread *)(void *)(list->data + (size_t)i * g->thread_size);
}

static struct wr_thread *thread_push(const struct wr_general *g, struct wr_threads *list)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? list->capacity * 2 : 16;
        list->data = wr_realloc(list->data, (size_t)list->capacity * g->thread_size);
    }
    return wr_thread_in(g, list, list->count++);
}

/* ---- Moving candidates on ----------------------------------------------------------------------- */

/* Has what one candidate may do no end and no beginning that the other's does not have? */
static bool same_clock(const struct wr_pattern *p, const struct wr_general *g, const struct wr_step *step,
                       uint32_t a, bool a_aged, uint32_t b, bool b_aged)
{
    if (step->needs_aged && a_aged != b_aged) return false;
    return !step->timed || a == b ||
           wr_link_time(p, g, wr_link_at(g, a)) == wr_link_time(p, g, wr_link_at(g, b));
}

/* Is there a candidate before it, at the same position, that may do all that this one may, and would see the same?
 * Every branch that has timed out is shown by itself. */
static bool is_stood_for(const struct wr_pattern *p, const struct wr_general *g, uint16_t position, uint32_t link,
                         const uint64_t *alive, bool aged)
{
    if (g->stamp[position] != g->list_number || p->spec->timeouts == 2) return false;
    const struct wr_step *step = &p->plan.step[position];
    uint32_t looks = WR_COMPARED_MAX;
    for (uint32_t i = g->head[position]; i && looks; i = g->same.at[i - 1], looks--) {
        const struct wr_thread *before = wr_thread_in(g, &g->to, i - 1);
        bool covers = true;
        for (uint32_t w = 0; w < p->plan.alive_words && covers; w++) covers = !(alive[w] & ~before->alive[w]);
        if (covers && (!step->special || same_clock(p, g, step, before->link, before->aged, link, aged)) &&
            wr_link_agrees(p, g, before->link, link, step->reads))
            return true;
    }
    return false;
}

static void too_many(struct wr_pattern *p)
{
    struct wr_error error;
    wr_error_set(&error, WR_ERR_LIMIT,
                 "%s: more than %d ways to go on from one row; conditions inside nested loops read rows that were taken "
                 "before, so no two ways can be one. A shorter WITHIN, reluctant or simpler loops help",
                 p->program->query[p->op.node->query], WR_CANDIDATES_MAX);
    wr_task_fail(p->op.task, &error);
}

/* Adds a candidate to the list in the making, unless one before it stands for it. Takes a hold on the link. */
void wr_thread_add_open(struct wr_pattern *p, struct wr_general *g, uint16_t position, uint32_t link, const uint64_t *alive,
                        bool aged)
{
    if (g->to.count && is_stood_for(p, g, position, link, alive, aged)) return;
    if (WR_UNLIKELY(g->to.count >= WR_CANDIDATES_MAX)) {
        too_many(p);
        return;
    }
    struct wr_thread *t = thread_push(g, &g->to);
    t->link = link;
    t->position = position;
    t->ended = 0;
    t->aged = aged;
    memcpy(t->alive, alive, p->plan.alive_words * sizeof *alive);
    wr_link_at(g, link)->ref++;
    wr_vec_push(&g->same, g->stamp[position] == g->list_number ? g->head[position] : 0);
    g->head[position] = g->to.count;
    g->stamp[position] = g->list_number;
}

void wr_thread_add_ended(struct wr_pattern *p, struct wr_general *g, uint32_t link)
{
    struct wr_thread *t = thread_push(g, &g->to);
    t->link = link;
    t->position = 0;
    t->ended = 1;
    t->aged = 0;
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

/* Adds what a candidate becomes when an entry has taken a row or a moment. True when it has ended. */
static bool add_child(struct wr_pattern *p, struct wr_general *g, uint16_t position, uint32_t child)
{
    const struct wr_step *next = &p->plan.step[position];
    if (next->entries) wr_thread_add_open(p, g, position, child, next->full, false);
    if (next->accepts) wr_thread_add_ended(p, g, child);
    return next->accepts;
}

/* Adds what becomes of a candidate at the row. True when it has ended: what stands behind it is cut off. */
static bool move_on(struct wr_pattern *p, struct wr_general *g, const struct wr_thread *from, uint32_t row)
{
    const struct wr_step *step = &p->plan.step[from->position];
    uint32_t words = p->plan.alive_words;
    uint64_t stays = 0; /* whether anything stays; its mask is built in place behind the loop */
    uint32_t asked = UINT32_MAX, child = 0;
    bool moved = false;
    bool cut = false;
    struct wr_thread *rest = wr_thread_in(g, &g->from, g->from.capacity - 1); /* spare cell: see reserve_spare */
    memset(rest->alive, 0, words * sizeof *rest->alive);
    if (p->trace) wr_trace_turn(p, from);
    for (uint32_t w = 0; w < words && !cut; w++) {
        for (uint64_t bits = from->alive[w]; bits && !cut; bits &= bits - 1) {
            uint32_t e = w * 64 + (uint32_t)__builtin_ctzll(bits);
            uint16_t position = step->follow[e].position;
            enum wr_verdict verdict = WR_UNLIKELY(step->special) ? wr_entry_judge(p, g, from, e, row) : WR_ENTRY_TAKES;
            if (verdict == WR_ENTRY_DIES) {
                if (p->trace) wr_trace_step(p, g, from, e, row, verdict, 0);
                continue;
            }
            if (position == WR_ACCEPT) { /* a beginning: the empty match */
                wr_thread_add_ended(p, g, from->link);
                cut = true;
                break;
            }
            uint32_t taken = 0;
            if (verdict == WR_ENTRY_TAKES) {
                const struct wr_pattern_position *to = &p->spec->position[position];
                uint16_t flags = to->excluded ? WR_LINK_EXCLUDED : 0;
                uint32_t ask = (uint32_t)flags << 16 | to->variable;
                if (ask != asked) {
                    if (child) wr_link_unref(p, g, child);
                    asked = ask;
                    child = wr_link_take(p, g, from->link, to->variable, flags, row);
                }
                taken = child;
            }
            if (p->trace) wr_trace_step(p, g, from, e, row, verdict, taken);
            if (taken) {
                moved = true;
                cut = add_child(p, g, position, taken);
            } else if (!wr_bit(step->strict, e)) {
                wr_bit_set(rest->alive, e);
                stays = 1;
            }
        }
    }
    if (child) wr_link_unref(p, g, child);
    if (cut) return true;
    if (stays) wr_thread_add_open(p, g, from->position, from->link, rest->alive, step->needs_aged);
    else if (p->trace && !moved) wr_trace_lost(p, g, from, g->time);
    return false;
}

/* What becomes of a candidate whose key has no further row: behind a $ it is whole, before what its list has behind that. */
static bool add_closed(struct wr_pattern *p, struct wr_general *g, uint16_t position, uint32_t link, uint64_t *alive, bool aged)
{
    const struct wr_step *step = &p->plan.step[position];
    uint32_t end = 0;
    while (end < step->entries && !(step->follow[end].position == WR_ACCEPT && wr_bit(alive, end))) end++;
    bool whole = end < step->entries, rest = false;
    for (uint32_t e = 0; e < step->entries; e++) {
        if (whole && e >= end) alive[e / 64] &= ~((uint64_t)1 << (e % 64));
        rest |= wr_bit(alive, e);
    }
    if (rest) wr_thread_add_open(p, g, position, link, alive, aged);
    if (whole) wr_thread_add_ended(p, g, link);
    return whole;
}

/* The same of a moment. Behind the last row there is none to come, which $ asks for. */
static bool add_moment(struct wr_pattern *p, struct wr_general *g, uint16_t position, uint32_t child, int64_t moment)
{
    const struct wr_step *next = &p->plan.step[position];
    bool last = p->plan.at_end && moment > p->closing && !(p->plan.rows && g->key_more.at[g->at_key].pending);
    if (!last || !next->entries) return add_child(p, g, position, child);
    uint64_t *alive = wr_alloc(p->plan.alive_words * sizeof *alive);
    memcpy(alive, next->full, p->plan.alive_words * sizeof *alive);
    bool whole = add_closed(p, g, position, child, alive, false);
    wr_free(alive);
    if (!whole && next->accepts) wr_thread_add_ended(p, g, child);
    return whole || next->accepts;
}

/* Adds what becomes of a candidate when nothing but time passes, up to a moment. */
static bool move_to(struct wr_pattern *p, struct wr_general *g, const struct wr_thread *from, int64_t moment, int64_t first)
{
    const struct wr_step *step = &p->plan.step[from->position];
    bool stays = false, cut = false, moved = false;
    if (p->trace) wr_trace_turn(p, from);
    struct wr_thread *rest = wr_thread_in(g, &g->from, g->from.capacity - 1);
    memset(rest->alive, 0, p->plan.alive_words * sizeof *rest->alive);
    for (uint32_t e = 0; e < step->entries && !cut; e++) {
        if (!wr_bit(from->alive, e)) continue;
        uint16_t position = step->follow[e].position;
        if (!step->moments || wr_entry_due(p, g, from, e, first) > moment) {
            wr_bit_set(rest->alive, e);
            stays = true;
        } else if (p->spec->position[position].absence_us != WR_ABSENCE_NONE) {
            uint32_t child = wr_link_moment(p, g, from->link, p->spec->position[position].variable, moment);
            if (p->trace) wr_trace_moment(p, g, from, e, moment, child);
            moved = true;
            cut = add_moment(p, g, position, child, moment);
            wr_link_unref(p, g, child);
        } else if (p->trace) {
            wr_trace_moment(p, g, from, e, moment, 0);
        }
    }
    if (p->trace && !stays && !moved) wr_trace_lost(p, g, from, moment);
    if (stays && !cut) wr_thread_add_open(p, g, from->position, from->link, rest->alive, from->aged);
    return cut;
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
static inline bool is_touched(const struct wr_pattern *p, const struct wr_general *g, const struct wr_thread *t,
                              uint32_t row)
{
    if (t->ended) return false;
    const struct wr_step *step = &p->plan.step[t->position];
    if (step->needs_aged && !t->aged) return true;
    for (uint32_t w = 0; w < p->plan.alive_words; w++) {
        if (t->alive[w] & step->strict[w]) return true;
        for (uint64_t bits = t->alive[w]; bits; bits &= bits - 1) {
            uint32_t e = w * 64 + (uint32_t)__builtin_ctzll(bits);
            if (wr_row_bit(p, g, p->spec->position[step->follow[e].position].variable, row)) return true;
            if (WR_UNLIKELY(step->special) && wr_entry_is_touched(p, g, t, e, row)) return true;
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
void wr_threads_store(struct wr_general *g, struct wr_start *start)
{
    more_free(g, start);
    start->count = g->to.count;
    if (!g->to.count) return;
    memcpy(wr_start_thread(start), wr_thread_in(g, &g->to, 0), g->thread_size);
    uint32_t *tail = &start->more;
    for (uint32_t i = 1; i < g->to.count; i++) {
        uint32_t id = wr_slab_alloc(&g->more);
        struct wr_more *cell = wr_more_at(g, id);
        cell->next = 0;
        memcpy(wr_more_thread(cell), wr_thread_in(g, &g->to, i), g->thread_size);
        *tail = id;
        tail = &cell->next;
    }
}

void wr_threads_drop(struct wr_pattern *p, struct wr_general *g, struct wr_start *start)
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

/* A start's candidates become the list that others are made from. Returns how many there are. */
static uint32_t take_out(struct wr_general *g, struct wr_start *start)
{
    reserve_spare(g, start->count);
    memcpy(wr_thread_in(g, &g->from, 0), wr_start_thread(start), g->thread_size);
    uint32_t count = 1;
    for (uint32_t more = start->more; more; more = wr_more_at(g, more)->next)
        memcpy(wr_thread_in(g, &g->from, count++), wr_more_thread(wr_more_at(g, more)), g->thread_size);
    WR_ASSERT(count == start->count);
    begin_list(g);
    return count;
}

static void put_back(struct wr_pattern *p, struct wr_general *g, struct wr_start *start, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) wr_link_unref(p, g, wr_thread_in(g, &g->from, i)->link);
    wr_threads_store(g, start);
}

/* Moves a start's candidates on at a row; its count is 0 when none is left. */
void wr_threads_advance(struct wr_pattern *p, struct wr_general *g, struct wr_start *start, uint32_t row)
{
    bool touched = p->trace || is_touched(p, g, wr_start_thread(start), row);
    for (uint32_t more = start->more; more && !touched;) {
        struct wr_more *cell = wr_more_at(g, more);
        touched = is_touched(p, g, wr_more_thread(cell), row);
        more = cell->next;
    }
    if (!touched) return;
    uint32_t count = take_out(g, start);
    for (uint32_t i = 0; i < count; i++) {
        const struct wr_thread *t = wr_thread_in(g, &g->from, i);
        if (t->ended) {
            wr_thread_add_ended(p, g, t->link);
            break;
        }
        if (move_on(p, g, t, row)) break;
    }
    put_back(p, g, start, count);
}

int64_t wr_threads_due(const struct wr_pattern *p, const struct wr_general *g, struct wr_start *start)
{
    int64_t due = WR_TIME_MAX;
    struct wr_thread *t = wr_start_thread(start);
    for (uint32_t more = start->more;;) {
        const struct wr_step *step = &p->plan.step[t->position];
        for (uint32_t e = 0; !t->ended && step->moments && e < step->entries; e++)
            if (wr_bit(t->alive, e)) due = WR_MIN(due, wr_entry_due(p, g, t, e, start->time));
        if (!more) return due;
        t = wr_more_thread(wr_more_at(g, more));
        more = wr_more_at(g, more)->next;
    }
}

void wr_threads_pass_time(struct wr_pattern *p, struct wr_general *g, struct wr_start *start, int64_t limit)
{
    WR_ASSERT(p->plan.moments);
    while (start->count) {
        int64_t due = wr_threads_due(p, g, start);
        if (due > limit || due == WR_TIME_MAX) return;
        uint32_t count = take_out(g, start);
        for (uint32_t i = 0; i < count; i++) {
            const struct wr_thread *t = wr_thread_in(g, &g->from, i);
            if (t->ended) {
                wr_thread_add_ended(p, g, t->link);
                break;
            }
            if (move_to(p, g, t, due, start->time)) break;
        }
        put_back(p, g, start, count);
    }
}

void wr_threads_close(struct wr_pattern *p, struct wr_general *g, struct wr_start *start)
{
    uint32_t count = take_out(g, start);
    WR_ASSERT(p->plan.at_end && p->closing != WR_TIME_MAX);
    for (uint32_t i = 0; i < count; i++) {
        struct wr_thread *t = wr_thread_in(g, &g->from, i);
        if (t->ended) wr_thread_add_ended(p, g, t->link);
        if (t->ended || add_closed(p, g, t->position, t->link, t->alive, t->aged)) break;
    }
    put_back(p, g, start, count);
}

bool wr_thread_ends_by_time(const struct wr_pattern *p, const struct wr_thread *t)
{
    const struct wr_step *step = &p->plan.step[t->position];
    WR_ASSERT(!t->ended);
    for (uint32_t e = 0; e < step->entries; e++)
        if (step->follow[e].position != WR_ACCEPT && wr_bit(t->alive, e) && p->plan.step[step->follow[e].position].ends_by_time)
            return true;
    return false;
}

/* Ends the open candidates of a start; the one that has ended stays. */
void wr_threads_expire(struct wr_pattern *p, struct wr_general *g, struct wr_start *start)
{
    if (wr_start_thread(start)->ended) return;
    uint32_t count = take_out(g, start);
    for (uint32_t i = 0; i < count; i++) {
        const struct wr_thread *t = wr_thread_in(g, &g->from, i);
        if (!t->ended) continue;
        wr_thread_add_ended(p, g, t->link);
        break;
    }
    put_back(p, g, start, count);
}

/* The candidates of a start at the row itself; false when no beginning takes it. wr_threads_store puts them down. */
bool wr_threads_begin(struct wr_pattern *p, struct wr_general *g, uint32_t row)
{
    uint16_t position = (uint16_t)p->spec->position_count;
    reserve_spare(g, 1);
    struct wr_thread *from = wr_thread_in(g, &g->from, 0);
    from->link = g->root;
    from->position = position;
    from->ended = from->aged = 0;
    memcpy(from->alive, p->plan.step[position].full, p->plan.alive_words * sizeof(uint64_t));
    begin_list(g);
    if (!move_on(p, g, from, row) && p->plan.step[position].accepts) wr_thread_add_ended(p, g, g->root);
    return g->to.count > 0;
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
        const struct wr_step *step = &p->plan.step[t->position];
        if (covers && (!step->special || same_clock(p, g, step, elder->link, elder->aged, t->link, t->aged)) &&
            wr_link_agrees(p, g, elder->link, t->link, step->reads))
            return true;
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
void wr_threads_drop_younger(struct wr_pattern *p, struct wr_general *g, struct wr_start *start)
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
        wr_threads_drop(p, g, start);
        wr_threads_store(g, start);
        if (!start->count) return;
    }
    if (!wr_start_thread(start)->ended) add_elder(g, wr_start_thread(start));
    for (uint32_t more = start->more; more; more = wr_more_at(g, more)->next) {
        t = wr_more_thread(wr_more_at(g, more));
        if (!t->ended) add_elder(g, t);
    }
}
