/* From a decided start to a result: its number, the rows it takes away from others, what it waits for before it is
 * given. */
#include "runtime/match_general.h"

#include <stdlib.h>

static struct wr_key_more *more_of(const struct wr_pattern *p, const struct wr_general *g, uint32_t key)
{
    return p->plan.more ? &g->key_more.at[key] : NULL;
}

/* ---- Giving ------------------------------------------------------------------------------------ */

static struct wr_match_row match_row(const struct wr_pattern *p, const struct wr_general *g, uint32_t kept_id)
{
    const struct wr_kept *kept = wr_kept_at(g, kept_id);
    return (struct wr_match_row){.layout = &p->keep, .cell = kept->data, .place = kept->id.place, .kept = kept_id};
}

static void give(struct wr_pattern *p, struct wr_general *g, const struct wr_held *held)
{
    struct wr_link *link = wr_link_at(g, held->link);
    uint32_t count = 0;
    for (const struct wr_link *l = link; l->row; l = wr_link_at(g, l->previous)) count++;
    wr_vec_reserve(&p->match, count + 1);
    uint32_t at = count;
    for (const struct wr_link *l = link; l->row; l = wr_link_at(g, l->previous)) {
        struct wr_match_row *row = &p->match.at[--at];
        *row = match_row(p, g, l->row);
        row->variable = l->variable;
        row->excluded = (l->flags & WR_LINK_EXCLUDED) != 0;
        row->is_moment = wr_link_is_moment(l);
        if (row->is_moment) row->place = (struct wr_place){.time = wr_link_time(p, g, l)};
    }
    struct wr_match match = {.row = p->match.at, .count = count, .kind = held->kind, .number = held->number,
                             .key = held->key, .first = held->first.place,
                             .running = wr_link_accumulators(g, link)};
    struct wr_match_row start;
    if (held->at) {
        start = match_row(p, g, held->at);
        match.at = &start;
    }
    wr_pattern_report(p, &match);
}

/* Less than SUPPRESS after the last one? Then it is counted and not given. Asked when it would be given. */
static bool is_suppressed(struct wr_pattern *p, const struct wr_general *g, const struct wr_held *held)
{
    if (!p->spec->suppress_us || held->kind != WR_MATCHED) return false;
    struct wr_key_more *more = more_of(p, g, held->key);
    int64_t since;
    if (more->given != WR_TIME_MIN &&
        (__builtin_sub_overflow(p->place.time, more->given, &since) || since < p->spec->suppress_us)) {
        wr_operator_count(&p->op, "suppressed", "", held->first.place);
        if (p->trace) wr_trace_suppressed(p, held->first.sequence, more->given);
        return true;
    }
    more->given = p->place.time;
    return false;
}

/* Are there enough rows behind the last one that it shows? */
static bool looks_far_enough(const struct wr_pattern *p, const struct wr_general *g, const struct wr_held *held)
{
    uint32_t last = wr_link_at(g, held->link)->row;
    if (!last) last = held->at;
    return !last || wr_general_step(p, last, p->spec->out_next_max) != 0;
}

/* Takes a hold of what it names; gives it when nothing stands against that. */
static void give_or_hold(struct wr_pattern *p, struct wr_general *g, struct wr_held held)
{
    bool look = p->spec->out_next_max && held.kind != WR_UNMATCHED_ROW;
    if (!g->ending && !(look && !looks_far_enough(p, g, &held))) {
        if (!is_suppressed(p, g, &held)) give(p, g, &held);
        return;
    }
    wr_link_at(g, held.link)->ref++;
    if (held.at) wr_kept_at(g, held.at)->ref++;
    if (g->ending) {
        held.turn = g->waiting.count;
        wr_vec_push(&g->waiting, held);
        return;
    }
    uint32_t *tail = &more_of(p, g, held.key)->held;
    while (*tail) tail = &wr_held_at(g, *tail)->next;
    uint32_t id = wr_slab_alloc(&g->held);
    held.next = 0;
    *wr_held_at(g, id) = held;
    *tail = id;
}

static void let_go(struct wr_pattern *p, struct wr_general *g, const struct wr_held *held)
{
    wr_link_unref(p, g, held->link);
    if (held->at) wr_kept_unref(p, g, held->at);
}

void wr_give_held(struct wr_pattern *p, struct wr_general *g, uint32_t key)
{
    for (uint32_t *at = &more_of(p, g, key)->held; *at;) {
        uint32_t id = *at;
        struct wr_held held = *wr_held_at(g, id);
        if (!looks_far_enough(p, g, &held)) {
            at = &wr_held_at(g, id)->next;
            continue;
        }
        *at = held.next;
        wr_slab_free(&g->held, id);
        if (!is_suppressed(p, g, &held)) give(p, g, &held);
        let_go(p, g, &held);
    }
}

void wr_drop_held(struct wr_pattern *p, struct wr_general *g, uint32_t key)
{
    struct wr_key_more *more = more_of(p, g, key);
    for (uint32_t id = more->held; id; id = more->held) {
        struct wr_held held = *wr_held_at(g, id);
        more->held = held.next;
        wr_slab_free(&g->held, id);
        let_go(p, g, &held);
    }
}

void wr_wait_held(struct wr_pattern *p, struct wr_general *g, uint32_t key)
{
    struct wr_key_more *more = more_of(p, g, key);
    for (uint32_t id = more->held; id; id = more->held) {
        struct wr_held held = *wr_held_at(g, id);
        more->held = held.next;
        held.turn = g->waiting.count;
        wr_vec_push(&g->waiting, held);
        wr_slab_free(&g->held, id);
    }
}

static int turn_order(const void *a, const void *b)
{
    const struct wr_held *x = a, *y = b;
    if (x->first.sequence != y->first.sequence) return x->first.sequence < y->first.sequence ? -1 : 1;
    return (x->turn > y->turn) - (x->turn < y->turn);
}

void wr_give_waiting(struct wr_pattern *p, struct wr_general *g)
{
    if (g->waiting.count) qsort(g->waiting.at, g->waiting.count, sizeof *g->waiting.at, turn_order);
    for (size_t i = 0; i < g->waiting.count; i++) {
        struct wr_held *held = &g->waiting.at[i];
        if (!is_suppressed(p, g, held)) give(p, g, held);
        let_go(p, g, held);
    }
    wr_vec_clear(&g->waiting);
}

/* ---- Deciding ---------------------------------------------------------------------------------- */

/* AFTER MATCH SKIP TO a variable of which the match has no row, or whose row is its first: counted; the search goes on
 * from the match's second row. */
static uint64_t skip_to_variable(struct wr_pattern *p, const struct wr_general *g, const struct wr_row_id *first,
                                 const struct wr_link *link)
{
    uint64_t target = 0;
    for (const struct wr_link *l = link; l->row; l = wr_link_at(g, l->previous)) {
        if (wr_link_is_moment(l) || !wr_pattern_set_has(p->spec, p->spec->after_set, l->variable)) continue;
        target = wr_kept_at(g, l->row)->id.sequence;
        if (p->spec->after_match == WR_AFTER_TO_LAST) break;
    }
    if (target > first->sequence) return target - 1;
    wr_operator_count(&p->op, target ? "skip to first row" : "skip to no row", target ? "W3010" : "W3011", first->place);
    return first->sequence;
}

/* Up to which row a match takes later starts away. An empty one covers no row. */
static uint64_t taken_by(struct wr_pattern *p, const struct wr_general *g, const struct wr_row_id *first,
                         const struct wr_link *link)
{
    if (!link->row) return 0;
    switch ((enum wr_after_match)p->spec->after_match) {
    case WR_AFTER_PAST_LAST: return wr_kept_at(g, link->row)->id.sequence;
    case WR_AFTER_TO_FIRST:
    case WR_AFTER_TO_LAST: return skip_to_variable(p, g, first, link);
    case WR_AFTER_NEXT_ROW:
    case WR_AFTER_NONE: break;
    }
    return 0;
}

uint64_t wr_decide(struct wr_pattern *p, struct wr_general *g, const struct wr_row_id *first, uint32_t key,
                   uint32_t link_id, enum wr_match_kind kind)
{
    struct wr_key_more *more = more_of(p, g, key);
    struct wr_held held = {.first = *first, .key = key, .link = link_id, .kind = (uint8_t)kind};
    struct wr_link *link = wr_link_at(g, link_id);
    if (p->trace && kind == WR_MATCHED) wr_trace_matched(p, g, link_id);
    if (kind == WR_MATCHED && p->plan.numbers) held.number = ++more->number;
    if (p->plan.shows_start && !link->row) held.at = wr_rows_find(g, more, first->sequence);
    if (kind == WR_MATCHED && p->spec->all_rows == WR_OUTPUT_UNMATCHED) {
        for (const struct wr_link *l = link; l->row; l = wr_link_at(g, l->previous)) wr_kept_at(g, l->row)->matched = 1;
        if (held.at) wr_kept_at(g, held.at)->matched = 1;
    }
    give_or_hold(p, g, held);
    return kind == WR_MATCHED ? taken_by(p, g, first, wr_link_at(g, link_id)) : 0;
}

void wr_decide_rows(struct wr_pattern *p, struct wr_general *g, uint32_t key, uint64_t limit)
{
    struct wr_key_more *more = more_of(p, g, key);
    while (more->undecided && more->undecided != more->pending) {
        uint32_t id = more->undecided;
        const struct wr_kept *kept = wr_kept_at(g, id);
        if (kept->id.sequence >= limit) return;
        more->undecided = wr_listed_at(g, id)->next;
        if (!kept->matched)
            give_or_hold(p, g, (struct wr_held){.first = kept->id, .key = key, .link = g->root, .at = id,
                                                .kind = WR_UNMATCHED_ROW});
    }
}

/* ---- Forgetting -------------------------------------------------------------------------------- */

bool wr_key_more_is_idle(const struct wr_pattern *p, const struct wr_general *g, uint32_t key)
{
    const struct wr_key_more *more = &g->key_more.at[key];
    int64_t end;
    if (more->head || more->held || (p->plan.at_start && more->seen) || more->number) return false;
    if (more->given != WR_TIME_MIN &&
        (__builtin_add_overflow(more->given, p->spec->suppress_us, &end) || end > p->now))
        return false;
    for (uint32_t i = 0; i < p->spec->lead_count; i++) {
        int64_t seen = g->lead.at[(size_t)key * p->spec->lead_count + i];
        if (seen == WR_TIME_MIN) continue;
        if (__builtin_add_overflow(seen, p->spec->lead[i].for_us, &end) || end > p->now) return false;
    }
    return true;
}
