/* The general matcher's state as a picture, and back; and what must hold of it. */
#include "runtime/match_general.h"

/* Draws a chain's links that are not in the picture yet, predecessors first; returns 1 + the last one's index. */
static uint32_t draw_chain(struct wr_pattern *p, const struct wr_general *g, uint32_t id, struct wr_picture *picture)
{
    uint32_t missing = 0;
    for (uint32_t i = id; wr_link_at(g, i)->row && !wr_link_at(g, i)->number; i = wr_link_at(g, i)->previous)
        missing++;
    uint32_t base = (uint32_t)picture->link.count;
    wr_vec_reserve(&picture->link, base + missing);
    wr_vec_reserve(&picture->row, base + missing);
    picture->link.count = picture->row.count = base + missing;
    uint32_t at = base + missing;
    for (uint32_t i = id; at > base; i = wr_link_at(g, i)->previous) {
        struct wr_link *link = wr_link_at(g, i);
        const struct wr_kept *kept = wr_kept_at(g, link->row);
        link->number = at--;
        picture->row.at[at] = (struct wr_picture_row){
            .id = kept->id, .variable = link->variable, .layout = &p->keep, .cell = kept->data};
        picture->link.at[at] = (struct wr_picture_link){.running = wr_link_accumulators(g, link)};
        const struct wr_link *previous = wr_link_at(g, link->previous);
        if (previous->row) picture->link.at[at].previous = previous->number ? previous->number : at;
    }
    return wr_link_at(g, id)->row ? wr_link_at(g, id)->number : 0;
}

static void forget_numbers(const struct wr_general *g, uint32_t id)
{
    for (struct wr_link *link = wr_link_at(g, id); link->number; link = wr_link_at(g, link->previous))
        link->number = 0;
}

static void draw_thread(struct wr_pattern *p, const struct wr_general *g, const struct wr_thread *t,
                        struct wr_picture *picture)
{
    struct wr_picture_thread thread = {.position = t->position, .ended = t->ended != 0,
                                       .alive = (uint32_t)picture->alive.count};
    thread.link = draw_chain(p, g, t->link, picture);
    for (uint32_t w = 0; w < p->plan.alive_words; w++) wr_vec_push(&picture->alive, t->alive[w]);
    wr_vec_push(&picture->thread, thread);
}

void wr_general_save(struct wr_pattern *p, uint32_t key, struct wr_picture *picture)
{
    struct wr_general *g = p->state;
    if (key >= g->key.count) return;
    for (uint32_t id = g->key.at[key].head; id; id = wr_start_at(g, id)->next) {
        struct wr_start *s = wr_start_at(g, id);
        wr_vec_push(&picture->start,
                    (struct wr_picture_start){s->first, (uint32_t)picture->thread.count, s->count});
        draw_thread(p, g, wr_start_thread(s), picture);
        for (uint32_t more = s->more; more; more = wr_more_at(g, more)->next)
            draw_thread(p, g, wr_more_thread(wr_more_at(g, more)), picture);
    }
    for (uint32_t id = g->key.at[key].head; id; id = wr_start_at(g, id)->next) {
        struct wr_start *s = wr_start_at(g, id);
        forget_numbers(g, wr_start_thread(s)->link);
        for (uint32_t more = s->more; more; more = wr_more_at(g, more)->next)
            forget_numbers(g, wr_more_thread(wr_more_at(g, more))->link);
    }
}

/* Kept rows of the picture's rows: those with one sequence number are one row, taken as several variables. */
static void load_rows(struct wr_pattern *p, struct wr_general *g, const struct wr_picture *picture, uint32_t *row)
{
    for (size_t i = 0; i < picture->row.count; i++) {
        const struct wr_picture_row *from = &picture->row.at[i];
        bool again = i && picture->row.at[i - 1].id.sequence == from->id.sequence;
        row[i] = again ? row[i - 1] : wr_kept_add(g, &from->id);
        for (uint32_t k = 0; k < p->keep.count; k++) {
            bool needed = p->plan.needed[(size_t)from->variable * p->keep.count + k];
            bool filled = false; /* by the same row as an earlier variable */
            for (size_t j = i; needed && j && picture->row.at[j - 1].id.sequence == from->id.sequence; j--)
                filled |= p->plan.needed[(size_t)picture->row.at[j - 1].variable * p->keep.count + k];
            if ((needed && !filled) || (!needed && !again))
                wr_layout_put(&p->keep, wr_kept_at(g, row[i])->data, k, &picture->value.at[from->value + k],
                              p->strings);
        }
    }
}

static void load_accumulators(struct wr_pattern *p, char *cells, struct wr_slice encoded)
{
    for (uint32_t a = 0; a < p->spec->aggregate_count; a++) {
        uint32_t at = p->plan.accumulator[a];
        if (at == WR_NONE) continue;
        wr_aggregate_release(&p->spec->aggregate[a], cells + at, p->strings);
        bool whole = wr_aggregate_decode(&p->spec->aggregate[a], cells + at, p->strings, &encoded);
        WR_ASSERT(whole); /* it was read once when the picture was made */
    }
}

static void load_start(struct wr_pattern *p, struct wr_general *g, const struct wr_picture *picture,
                       const struct wr_picture_start *from, const uint32_t *link, struct wr_key_starts *starts)
{
    uint32_t id = wr_slab_alloc(&g->starts);
    struct wr_start *start = wr_start_at(g, id);
    *start = (struct wr_start){.first = from->first, .count = from->count};
    uint32_t *tail = &start->more;
    for (uint32_t t = 0; t < from->count; t++) {
        const struct wr_picture_thread *thread = &picture->thread.at[from->thread + t];
        struct wr_thread *to = wr_start_thread(start);
        if (t) {
            *tail = wr_slab_alloc(&g->more);
            struct wr_more *more = wr_more_at(g, *tail);
            more->next = 0;
            tail = &more->next;
            to = wr_more_thread(more);
        }
        to->link = thread->link ? link[thread->link - 1] : g->root;
        to->position = thread->position;
        to->ended = thread->ended;
        memcpy(to->alive, &picture->alive.at[thread->alive], p->plan.alive_words * sizeof *to->alive);
        wr_link_at(g, to->link)->ref++;
    }
    if (starts->tail) wr_start_at(g, starts->tail)->next = id;
    else starts->head = id;
    starts->tail = id;
}

bool wr_general_load(struct wr_pattern *p, uint32_t key, const struct wr_picture *picture)
{
    struct wr_general *g = p->state;
    wr_general_reserve(g, key + 1);
    if (g->key.at[key].head) return false; /* the same key twice */
    uint32_t *row = wr_alloc((picture->row.count + 1) * sizeof *row);
    uint32_t *link = wr_alloc((picture->link.count + 1) * sizeof *link);
    load_rows(p, g, picture, row);
    for (size_t i = 0; i < picture->link.count; i++) {
        const struct wr_picture_link *from = &picture->link.at[i];
        link[i] = wr_link_add(p, g, from->previous ? link[from->previous - 1] : g->root, row[from->row],
                              (uint16_t)picture->row.at[from->row].variable);
        load_accumulators(p, wr_link_accumulators(g, wr_link_at(g, link[i])), from->encoded);
    }
    for (size_t i = 0; i < picture->start.count; i++)
        load_start(p, g, picture, &picture->start.at[i], link, &g->key.at[key]);
    for (size_t i = 0; i < picture->link.count; i++) wr_link_unref(p, g, link[i]); /* candidates hold them now */
    wr_free(row);
    wr_free(link);
    wr_general_arm(p, g, key);
    return true;
}

/* ---- Invariants ------------------------------------------------------------------------------------ */

static void check_thread(const struct wr_pattern *p, const struct wr_general *g, const struct wr_thread *t, bool last)
{
    uint64_t any = 0;
    WR_ASSERT(wr_link_at(g, t->link)->ref > 0);
    WR_ASSERT(last || !t->ended); /* what stands behind an ended one has been cut off */
    for (uint32_t w = 0; w < p->plan.alive_words; w++) {
        any |= t->alive[w];
        WR_ASSERT(t->ended || !(t->alive[w] & ~p->plan.step[t->position].full[w]));
    }
    WR_ASSERT(t->ended ? !any : any && t->link != g->root);
}

void wr_general_check(const struct wr_pattern *p)
{
    const struct wr_general *g = p->state;
    uint32_t starts = 0, more_cells = 0;
    for (uint32_t key = 0; key < g->key.count; key++) {
        uint64_t before = 0;
        uint32_t last = 0;
        for (uint32_t id = g->key.at[key].head; id; id = wr_start_at(g, id)->next) {
            struct wr_start *start = wr_start_at(g, id);
            WR_ASSERT(start->first.sequence > before);
            before = start->first.sequence;
            check_thread(p, g, wr_start_thread(start), start->count == 1);
            uint32_t count = 1;
            for (uint32_t more = start->more; more; more = wr_more_at(g, more)->next)
                check_thread(p, g, wr_more_thread(wr_more_at(g, more)), ++count == start->count);
            WR_ASSERT(count == start->count);
            more_cells += count - 1;
            last = id;
            starts++;
        }
        WR_ASSERT(g->key.at[key].tail == last);
    }
    WR_ASSERT(starts == g->starts.live && more_cells == g->more.live && !g->current);
    WR_ASSERT(g->rows.live < g->links.live); /* each kept row is in a link; the root has none */
}
