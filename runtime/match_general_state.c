/* The general matcher's state as a picture, and back; and what must hold of it. */
#include "runtime/match_general.h"

/* Draws a chain's links that are not in the picture yet, predecessors first; returns 1 + the last one's index. */
static uint32_t draw_chain(struct wr_pattern *p, const struct wr_general *g, uint32_t id, struct wr_picture *picture)
{
    uint32_t missing = 0;
    for (uint32_t i = id; wr_link_at(g, i)->row && !wr_link_drawn(wr_link_at(g, i)); i = wr_link_at(g, i)->previous)
        missing++;
    uint32_t base = (uint32_t)picture->link.count;
    wr_vec_reserve(&picture->link, base + missing);
    wr_vec_reserve(&picture->row, base + missing);
    picture->link.count = picture->row.count = base + missing;
    uint32_t at = base + missing;
    for (uint32_t i = id; at > base; i = wr_link_at(g, i)->previous) {
        struct wr_link *link = wr_link_at(g, i);
        const struct wr_kept *kept = wr_kept_at(g, link->row);
        at--;
        const struct wr_link *taken = link; /* a moment's row is the one before it */
        while (wr_link_is_moment(taken)) taken = wr_link_at(g, taken->previous);
        picture->row.at[at] = (struct wr_picture_row){
            .id = kept->id, .variable = taken->variable, .layout = &p->keep, .cell = kept->data};
        picture->link.at[at] = (struct wr_picture_link){.running = wr_link_accumulators(g, link), .flags = link->flags};
        if (wr_link_is_moment(link)) {
            picture->link.at[at].moment = link->variable;
            picture->link.at[at].time = wr_link_time(p, g, link);
        }
        const struct wr_link *previous = wr_link_at(g, link->previous);
        if (previous->row) picture->link.at[at].previous = wr_link_drawn(previous) ? wr_link_drawn(previous) : at;
        wr_link_draw(g, i, picture, at);
    }
    return wr_link_at(g, id)->row ? wr_link_drawn(wr_link_at(g, id)) : 0;
}

static void draw_thread(struct wr_pattern *p, const struct wr_general *g, const struct wr_thread *t,
                        struct wr_picture *picture)
{
    struct wr_picture_thread thread = {.position = t->position, .ended = t->ended != 0, .aged = t->aged != 0,
                                       .alive = (uint32_t)picture->alive.count};
    thread.link = draw_chain(p, g, t->link, picture);
    for (uint32_t w = 0; w < p->plan.alive_words; w++) wr_vec_push(&picture->alive, t->alive[w]);
    wr_vec_push(&picture->thread, thread);
}

static void draw_more(struct wr_pattern *p, const struct wr_general *g, uint32_t key, struct wr_picture *picture)
{
    const struct wr_key_more *more = &g->key_more.at[key];
    picture->more = (struct wr_picture_more){.seen = more->seen != 0, .number = more->number, .given = more->given};
    if (more->undecided) picture->more.undecided = wr_kept_at(g, more->undecided)->id.sequence;
    for (uint32_t i = 0; i < p->spec->lead_count; i++)
        wr_vec_push(&picture->lead, g->lead.at[(size_t)key * p->spec->lead_count + i]);
    bool waits = false;
    for (uint32_t id = more->head; id; id = wr_listed_at(g, id)->next) {
        const struct wr_kept *kept = wr_kept_at(g, id);
        waits |= id == more->pending;
        wr_vec_push(&picture->listed,
                    (struct wr_picture_listed){.id = kept->id, .number = wr_listed_at(g, id)->number,
                                               .matched = (uint8_t)kept->matched, .cell = kept->data,
                                               .bits = waits ? kept->data + p->keep.size / 8 : NULL});
    }
    for (uint32_t id = more->held; id; id = wr_held_at(g, id)->next) {
        const struct wr_held *held = wr_held_at(g, id);
        wr_vec_push(&picture->held, (struct wr_picture_held){.first = held->first, .kind = held->kind,
                                                             .link = draw_chain(p, g, held->link, picture),
                                                             .number = held->number});
    }
}

void wr_general_save(struct wr_pattern *p, uint32_t key, struct wr_picture *picture)
{
    struct wr_general *g = p->state;
    if (key >= g->key.count) return;
    for (uint32_t id = g->key.at[key].head; id; id = wr_start_at(g, id)->next) {
        struct wr_start *s = wr_start_at(g, id);
        wr_vec_push(&picture->start,
                    (struct wr_picture_start){*wr_start_first(g, s), (uint32_t)picture->thread.count, s->count});
        draw_thread(p, g, wr_start_thread(s), picture);
        for (uint32_t more = s->more; more; more = wr_more_at(g, more)->next)
            draw_thread(p, g, wr_more_thread(wr_more_at(g, more)), picture);
    }
    if (p->plan.more) draw_more(p, g, key, picture);
    wr_links_forget(g, picture, 0);
}

/* Kept rows of the picture's rows: those with one sequence number are one row, taken as several variables. */
void wr_general_load_rows(struct wr_pattern *p, struct wr_general *g, const struct wr_picture *picture,
                          const struct wr_key_more *more, uint32_t *row)
{
    for (size_t i = 0; i < picture->row.count; i++) {
        const struct wr_picture_row *from = &picture->row.at[i];
        bool again = i && picture->row.at[i - 1].id.sequence == from->id.sequence;
        if (more && (row[i] = wr_rows_find(g, more, from->id.sequence))) continue; /* it has all its columns */
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

static int64_t link_time(const struct wr_general *g, const struct wr_picture_link *link, uint32_t row)
{
    return link->flags & WR_LINK_MOMENT ? link->time : wr_kept_at(g, row)->id.place.time;
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

/* The row that a start began with: that of its chains, or (the empty match) one that stands in none. */
static uint32_t first_row(struct wr_pattern *p, struct wr_general *g, const struct wr_picture_start *from, uint32_t link,
                          uint32_t key)
{
    if (link != g->root) {
        while (wr_link_at(g, link)->previous != g->root) link = wr_link_at(g, link)->previous;
        return wr_link_at(g, link)->row;
    }
    uint32_t row = p->plan.rows ? wr_rows_find(g, &g->key_more.at[key], from->first.sequence) : 0;
    return row ? row : wr_kept_add(g, &from->first);
}

static void load_start(struct wr_pattern *p, struct wr_general *g, const struct wr_picture *picture,
                       const struct wr_picture_start *from, const uint32_t *link, uint32_t key)
{
    struct wr_key_starts *starts = &g->key.at[key];
    uint32_t id = wr_slab_alloc(&g->starts);
    struct wr_start *start = wr_start_at(g, id);
    *start = (struct wr_start){.time = from->first.place.time, .count = from->count, .armed = WR_TIME_MAX};
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
        to->aged = thread->aged;
        memcpy(to->alive, &picture->alive.at[thread->alive], p->plan.alive_words * sizeof *to->alive);
        wr_link_at(g, to->link)->ref++;
    }
    start->row = first_row(p, g, from, wr_start_thread(start)->link, key);
    wr_kept_at(g, start->row)->ref++;
    if (starts->tail) wr_start_at(g, starts->tail)->next = id;
    else starts->head = id;
    g->open_keys += !starts->tail;
    starts->tail = id;
    if (!g->limiter) return;
    wr_limiter_began(g, key, from->first.sequence);
    g->limiter->begun = 0; /* not by the row at hand */
}

static void load_listed(struct wr_pattern *p, struct wr_general *g, const struct wr_picture *picture,
                        struct wr_key_more *more)
{
    for (size_t i = 0; i < picture->listed.count; i++) {
        const struct wr_picture_listed *from = &picture->listed.at[i];
        uint32_t id = wr_kept_add(g, &from->id);
        struct wr_kept *kept = wr_kept_at(g, id);
        kept->matched = from->matched != 0;
        for (uint32_t k = 0; k < p->keep.count; k++)
            wr_layout_put(&p->keep, kept->data, k, &picture->value.at[from->value + k], p->strings);
        wr_rows_link(g, more, id);
        wr_listed_at(g, id)->number = from->number;
        if (from->id.sequence == picture->more.undecided) more->undecided = id;
        if (from->bit == WR_NONE) continue;
        memcpy(kept->data + p->keep.size / 8, &picture->alive.at[from->bit],
               (p->spec->variable_count + 63) / 64 * sizeof(uint64_t));
        if (!more->pending) more->pending = id;
        more->pending_count++;
    }
}

static void load_more(struct wr_pattern *p, struct wr_general *g, const struct wr_picture *picture, uint32_t key)
{
    struct wr_key_more *more = &g->key_more.at[key];
    more->seen = picture->more.seen;
    more->number = picture->more.number;
    more->given = picture->more.given;
    if (p->spec->lead_count)
        memcpy(&g->lead.at[(size_t)key * p->spec->lead_count], picture->lead.at, p->spec->lead_count * sizeof(int64_t));
    load_listed(p, g, picture, more);
}

static void load_held(struct wr_pattern *p, struct wr_general *g, const struct wr_picture *picture, uint32_t key,
                      const uint32_t *link)
{
    uint32_t *tail = &g->key_more.at[key].held;
    for (size_t i = 0; i < picture->held.count; i++) {
        const struct wr_picture_held *from = &picture->held.at[i];
        uint32_t id = wr_slab_alloc(&g->held), of = from->link ? link[from->link - 1] : g->root;
        struct wr_held *held = wr_held_at(g, id);
        *held = (struct wr_held){.first = from->first, .key = key, .link = of, .kind = from->kind,
                                 .number = from->number};
        if (!from->link && p->plan.shows_start) held->at = wr_rows_find(g, &g->key_more.at[key], from->first.sequence);
        if (held->at) wr_kept_at(g, held->at)->ref++;
        wr_link_at(g, of)->ref++;
        *tail = id;
        tail = &held->next;
    }
}

bool wr_general_load(struct wr_pattern *p, uint32_t key, const struct wr_picture *picture)
{
    struct wr_general *g = p->state;
    wr_general_reserve(p, g, key + 1);
    struct wr_key_more *more = p->plan.more ? &g->key_more.at[key] : NULL;
    if (g->key.at[key].head || (more && more->seen)) return false; /* the same key twice */
    if (more) load_more(p, g, picture, key);
    uint32_t *row = wr_alloc((picture->row.count + 1) * sizeof *row);
    uint32_t *link = wr_alloc((picture->link.count + 1) * sizeof *link);
    wr_general_load_rows(p, g, picture, more, row);
    for (size_t i = 0; i < picture->link.count; i++) {
        const struct wr_picture_link *from = &picture->link.at[i];
        link[i] = wr_link_add(p, g, from->previous ? link[from->previous - 1] : g->root, row[from->row],
                              from->flags & WR_LINK_MOMENT ? from->moment
                                                           : (uint16_t)picture->row.at[from->row].variable,
                              from->flags, link_time(g, from, row[from->row]));
        load_accumulators(p, wr_link_accumulators(g, wr_link_at(g, link[i])), from->encoded);
    }
    for (size_t i = 0; i < picture->start.count; i++)
        load_start(p, g, picture, &picture->start.at[i], link, key);
    if (more) load_held(p, g, picture, key, link);
    for (size_t i = 0; i < picture->link.count; i++) wr_link_unref(p, g, link[i]); /* candidates hold them now */
    wr_free(row);
    wr_free(link);
    for (uint32_t id = g->key.at[key].head; id; id = wr_start_at(g, id)->next)
        wr_start_arm(p, g, wr_start_at(g, id), key);
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
            WR_ASSERT(wr_start_first(g, start)->sequence > before && wr_start_first(g, start)->place.time == start->time);
            before = wr_start_first(g, start)->sequence;
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
    /* Each kept row is in a link (the root has none), or among its key's, or an empty match began there. */
    WR_ASSERT(p->plan.rows || p->plan.empty_match || g->rows.live < g->links.live);
}
