/* The rows of a key in order, as far as something may look at them: PREV and NEXT step along them, rows wait in them for
 * those that they look ahead to, rows in no match are found among them. The list holds its rows. */
#include "runtime/match_general.h"

uint32_t wr_general_step(const struct wr_pattern *p, uint32_t kept, int step)
{
    const struct wr_general *g = p->state;
    if (!kept || !step) return kept;
    uint64_t number = wr_listed_at(g, kept)->number + (uint64_t)(int64_t)step;
    if (step < 0 && number >= wr_listed_at(g, kept)->number) return 0; /* before the partition's first */
    while (kept && step < 0 && wr_listed_at(g, kept)->number > number) kept = wr_listed_at(g, kept)->before;
    while (kept && step > 0 && wr_listed_at(g, kept)->number < number) kept = wr_listed_at(g, kept)->next;
    return kept && wr_listed_at(g, kept)->number == number ? kept : 0;
}

struct wr_value wr_general_column(const struct wr_pattern *p, uint32_t kept, uint32_t column)
{
    const struct wr_general *g = p->state;
    uint16_t slot = p->keep.slot[column];
    WR_ASSERT(slot != WR_LAYOUT_NONE);
    return wr_layout_at(&p->keep, wr_kept_at(g, kept)->data, slot, p->strings);
}

void wr_rows_link(struct wr_general *g, struct wr_key_more *more, uint32_t id)
{
    wr_kept_at(g, id)->ref++;
    *wr_listed_at(g, id) = (struct wr_listed){.before = more->tail, .number = 1};
    if (more->tail) {
        wr_listed_at(g, id)->number = wr_listed_at(g, more->tail)->number + 1;
        wr_listed_at(g, more->tail)->next = id;
    } else {
        more->head = id;
    }
    more->tail = id;
}

void wr_rows_append(struct wr_pattern *p, struct wr_general *g, struct wr_key_more *more, uint32_t row)
{
    WR_ASSERT(!g->current);
    uint32_t id = wr_kept_current(p, g, row);
    struct wr_kept *kept = wr_kept_at(g, id);
    wr_rows_link(g, more, id);
    if (p->spec->all_rows == WR_OUTPUT_UNMATCHED && !more->undecided) more->undecided = id;
    if (!p->spec->next_max) return;
    uint64_t *bits = kept->data + p->keep.size / 8;
    memset(bits, 0, (p->spec->variable_count + 63) / 64 * sizeof *bits);
    for (uint32_t v = 0; v < p->spec->variable_count; v++)
        if (wr_variable_bit(p, v, row)) wr_bit_set(bits, v);
    if (!more->pending) more->pending = id;
    more->pending_count++;
    g->current = 0; /* it waits */
}

uint32_t wr_rows_last(const struct wr_general *g, const struct wr_key_more *more)
{
    return more->pending ? wr_listed_at(g, more->pending)->before : more->tail;
}

uint32_t wr_rows_find(const struct wr_general *g, const struct wr_key_more *more, uint64_t sequence)
{
    for (uint32_t id = more->tail; id; id = wr_listed_at(g, id)->before)
        if (wr_kept_at(g, id)->id.sequence == sequence) return id;
    return 0;
}

static bool is_held(const struct wr_general *g, uint32_t id)
{
    return wr_kept_at(g, id)->ref > 1;
}

/* A start that stays open keeps what it has taken, and the rows that may be stepped to from there; rows that lie between
 * need not pile up. (Rows that an empty match may show are found by number, so then they stay.) */
void wr_rows_thin(struct wr_pattern *p, struct wr_general *g, struct wr_key_more *more)
{
    if (g->ending || p->plan.shows_start) return;
    uint32_t behind = WR_MAX(p->spec->next_max, p->spec->out_next_max), before = p->spec->prev_max;
    uint32_t id = wr_rows_last(g, more);
    for (uint32_t i = 0; id && i < before; i++) {
        if (is_held(g, id)) return;
        id = wr_listed_at(g, id)->before;
    }
    if (!id || is_held(g, id)) return;
    uint32_t near = wr_listed_at(g, id)->before;
    for (uint32_t i = 0; near && i < behind; i++, near = wr_listed_at(g, near)->before)
        if (is_held(g, near)) return;
    const struct wr_listed *listed = wr_listed_at(g, id);
    if (!listed->before) return; /* the first: trimming sees to it */
    wr_listed_at(g, listed->before)->next = listed->next;
    if (listed->next) wr_listed_at(g, listed->next)->before = listed->before;
    else more->tail = listed->before;
    wr_kept_unref(p, g, id);
}

void wr_rows_trim(struct wr_pattern *p, struct wr_general *g, struct wr_key_more *more, uint64_t first)
{
    if (g->ending) return; /* results that wait for their turn may look at them */
    for (uint32_t id = more->held; id; id = wr_held_at(g, id)->next) first = WR_MIN(first, wr_held_at(g, id)->first.sequence);
    if (more->pending) first = WR_MIN(first, wr_kept_at(g, more->pending)->id.sequence);
    if (more->undecided) first = WR_MIN(first, wr_kept_at(g, more->undecided)->id.sequence);
    /* Counted from the front: rows before `first` are few when little has been passed since. */
    uint32_t before = 0;
    for (uint32_t id = more->head; id && wr_kept_at(g, id)->id.sequence < first; id = wr_listed_at(g, id)->next) before++;
    for (; before > p->spec->prev_max; before--) {
        uint32_t id = more->head;
        more->head = wr_listed_at(g, id)->next;
        if (more->head) wr_listed_at(g, more->head)->before = 0;
        else more->tail = 0;
        wr_listed_at(g, id)->next = 0;
        wr_kept_unref(p, g, id);
    }
}

void wr_rows_release(struct wr_pattern *p, struct wr_general *g, struct wr_key_more *more)
{
    for (uint32_t id = more->head; id;) {
        uint32_t next = wr_listed_at(g, id)->next;
        wr_kept_unref(p, g, id);
        id = next;
    }
    more->head = more->tail = more->pending = more->pending_count = more->undecided = 0;
}
