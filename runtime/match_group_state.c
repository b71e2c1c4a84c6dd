/* The group matcher's state as a picture, and back; and what must hold of it. A picture knows no groups: each start has
 * its own chains in it, whatever it shares with others. */
#include "runtime/match_group.h"

/* ---- Saving ------------------------------------------------------------------------------------- */

/* Draws a chain's links that the start has not drawn yet, predecessors first; returns 1 + the last one's index. `link`
 * is of the start's group, whose nodes stand in .path. */
static uint32_t draw_chain(struct wr_group *s, const struct wr_pattern *p, uint32_t link, struct wr_picture *picture)
{
    size_t level = s->path.count - 1;
    wr_vec_clear(&s->chain);
    uint32_t previous = 0;
    for (;;) {
        link = wr_group_resolve(s, link, &level);
        if (link == s->g.root) break;
        if ((previous = wr_link_drawn(wr_link_at(&s->g, link)))) break;
        wr_vec_push(&s->chain, link);
        link = wr_link_at(&s->g, link)->previous;
    }
    for (size_t i = s->chain.count; i; i--) {
        struct wr_link *l = wr_link_at(&s->g, s->chain.at[i - 1]);
        const struct wr_kept *kept = wr_kept_at(&s->g, l->row);
        wr_vec_push(&picture->row, (struct wr_picture_row){
                                       .id = kept->id, .variable = l->variable, .layout = &p->keep, .cell = kept->data});
        wr_vec_push(&picture->link, (struct wr_picture_link){.previous = previous, .flags = l->flags});
        wr_link_draw(&s->g, s->chain.at[i - 1], picture, (uint32_t)picture->link.count - 1);
        previous = (uint32_t)picture->link.count;
    }
    return previous;
}

static void draw_start(struct wr_pattern *p, struct wr_group *s, const struct wr_group_start *start,
                       struct wr_picture *picture)
{
    wr_group_trace_path(s, start->node);
    struct wr_group_node *group = wr_group_node_at(s, s->path.at[s->path.count - 1]);
    const struct wr_group_config *config = wr_group_config_at(s, group->config);
    const uint32_t *link = wr_group_links(s, group);
    size_t drawn = picture->link.count;
    wr_vec_push(&picture->start,
                (struct wr_picture_start){start->first, (uint32_t)picture->thread.count, config->count});
    for (uint32_t i = 0; i < config->count; i++) {
        const struct wr_thread *t = wr_group_thread(s, config, i);
        struct wr_picture_thread thread = {.position = t->position, .ended = t->ended != 0, .aged = t->aged != 0,
                                           .alive = (uint32_t)picture->alive.count};
        thread.link = draw_chain(s, p, link[i], picture);
        for (uint32_t w = 0; w < p->plan.alive_words; w++) wr_vec_push(&picture->alive, t->alive[w]);
        wr_vec_push(&picture->thread, thread);
    }
    wr_links_forget(&s->g, picture, drawn);
}

/* Starts share their rows here and not in a picture: loops with many open starts may be too much for one. */
static bool is_too_large(struct wr_pattern *p, const struct wr_picture *picture)
{
    enum { PICTURE_LINKS_MAX = 1 << 27 };
    if (picture->link.count < PICTURE_LINKS_MAX) return false;
    struct wr_error error;
    wr_error_set(&error, WR_ERR_LIMIT,
                 "%s: the open starts of one key have more than %d rows, too many to save; a shorter WITHIN, "
                 "PARTITION BY, or LIMIT n STARTS PER KEY bounds them",
                 p->program->query[p->op.node->query], PICTURE_LINKS_MAX);
    wr_task_fail(p->op.task, &error);
    return true;
}

void wr_group_save(struct wr_pattern *p, uint32_t key, struct wr_picture *picture)
{
    struct wr_group *s = p->state;
    if (key >= s->key.count) return;
    for (uint32_t id = s->key.at[key].head; id && !is_too_large(p, picture); id = wr_group_start_at(s, id)->next)
        draw_start(p, s, wr_group_start_at(s, id), picture);
}

/* ---- Loading ------------------------------------------------------------------------------------ */

/* The configuration of a picture's start; 0: it is none of this pattern's. */
static uint32_t config_of(struct wr_pattern *p, struct wr_group *s, const struct wr_picture *picture,
                          const struct wr_picture_start *start)
{
    if (!start->count || start->count > WR_GROUP_CANDIDATES) return 0;
    uint32_t size = s->table.thread_size, config = 0;
    char *threads = wr_alloc_zero((size_t)start->count * size);
    bool whole = true;
    for (uint32_t i = 0; i < start->count && whole; i++) {
        const struct wr_picture_thread *from = &picture->thread.at[start->thread + i];
        struct wr_thread *t = (struct wr_thread *)(void *)(threads + (size_t)i * size);
        t->position = from->position;
        t->ended = from->ended;
        t->aged = from->aged;
        memcpy(t->alive, &picture->alive.at[from->alive], p->plan.alive_words * sizeof *t->alive);
        whole = (!from->ended || i + 1 == start->count) && from->position < p->spec->position_count;
        for (uint32_t w = 0; w < p->plan.alive_words && !from->ended && whole; w++)
            whole = !(t->alive[w] & ~p->plan.step[t->position].full[w]);
    }
    if (whole) config = wr_group_config(p, s, (struct wr_thread *)(void *)threads, start->count);
    wr_free(threads);
    return config;
}

static bool load_start(struct wr_pattern *p, struct wr_group *s, uint32_t key, const struct wr_picture *picture,
                       const struct wr_picture_start *from, const uint32_t *link)
{
    struct wr_group_key *k = &s->key.at[key];
    uint32_t config = config_of(p, s, picture, from), of[WR_GROUP_CANDIDATES];
    if (!config || (wr_group_config_at(s, config)->over && !p->plan.in_order)) return false;
    for (uint32_t i = 0; i < from->count; i++) {
        uint32_t at = picture->thread.at[from->thread + i].link;
        of[i] = at ? link[at - 1] : s->g.root;
    }
    uint32_t id = wr_slab_alloc(&s->starts);
    *wr_group_start_at(s, id) = (struct wr_group_start){.first = from->first, .before = k->tail};
    if (k->tail) wr_group_start_at(s, k->tail)->next = id;
    else k->head = id;
    k->tail = id;
    k->count++;
    wr_group_insert(s, k, wr_group_leaf(s, id, config, of));
    return true;
}

bool wr_group_load(struct wr_pattern *p, uint32_t key, const struct wr_picture *picture)
{
    struct wr_group *s = p->state;
    struct wr_general *g = &s->g;
    wr_group_reserve(s, key + 1);
    if (s->key.at[key].head) return false; /* the same key twice */
    uint32_t *row = wr_alloc((picture->row.count + 1) * sizeof *row);
    uint32_t *link = wr_alloc((picture->link.count + 1) * sizeof *link);
    wr_general_load_rows(p, g, picture, NULL, row);
    for (size_t i = 0; i < picture->link.count; i++) {
        const struct wr_picture_link *from = &picture->link.at[i];
        link[i] = wr_link_add(p, g, from->previous ? link[from->previous - 1] : g->root, row[from->row],
                              (uint16_t)picture->row.at[from->row].variable, from->flags,
                              wr_kept_at(g, row[from->row])->id.place.time);
    }
    s->go++;
    bool whole = true;
    for (size_t i = 0; i < picture->start.count && whole; i++)
        whole = load_start(p, s, key, picture, &picture->start.at[i], link);
    for (size_t i = 0; i < picture->link.count; i++) wr_link_unref(p, g, link[i]); /* starts hold them now */
    wr_free(row);
    wr_free(link);
    if (whole) wr_group_arm(p, s, key);
    return whole;
}

/* ---- Invariants ------------------------------------------------------------------------------------ */

static uint32_t check_node(struct wr_group *s, uint32_t id)
{
    struct wr_group_node *node = wr_group_node_at(s, id);
    const uint32_t *link = wr_group_links(s, node);
    WR_ASSERT((node->start == 0) == (node->child != 0));
    for (uint32_t i = 0; i < node->count; i++) {
        const struct wr_link *l = wr_link_at(&s->g, link[i]);
        WR_ASSERT(l->ref > 0);
        if (node->fresh) WR_ASSERT(link[i] == s->join.at[i]);
    }
    for (uint32_t child = node->child; child; child = wr_group_node_at(s, child)->next)
        WR_ASSERT(wr_group_node_at(s, child)->parent == id);
    return 1;
}

/* Nodes above a leaf of which it is the first leaf below: so that each is counted once. */
static uint32_t check_way_up(struct wr_group *s, uint32_t leaf, uint32_t group)
{
    uint32_t count = check_node(s, leaf), id = leaf;
    WR_ASSERT(wr_group_find(s, leaf) == group);
    while (wr_group_node_at(s, id)->parent && !wr_group_node_at(s, id)->before) {
        id = wr_group_node_at(s, id)->parent;
        count += check_node(s, id);
    }
    return count;
}

void wr_group_check(const struct wr_pattern *p)
{
    struct wr_group *s = p->state;
    uint32_t starts = 0, leaves = 0, nodes = 0;
    for (uint32_t key = 0; key < s->key.count; key++) {
        const struct wr_group_key *k = &s->key.at[key];
        uint64_t before = 0;
        uint32_t last = 0, mine = 0;
        for (uint32_t id = k->head; id; last = id, id = wr_group_start_at(s, id)->next, mine++) {
            const struct wr_group_start *start = wr_group_start_at(s, id);
            WR_ASSERT(start->first.sequence > before && start->before == last);
            WR_ASSERT(wr_group_node_at(s, start->node)->start == id);
            before = start->first.sequence;
        }
        WR_ASSERT(k->tail == last && k->count == mine);
        starts += mine;
        s->go++;
        for (uint32_t id = k->group; id; id = wr_group_node_at(s, id)->next) {
            struct wr_group_config *config = wr_group_config_of(s, id);
            WR_ASSERT(!wr_group_node_at(s, id)->parent && config->go != s->go && config->users > 0);
            WR_ASSERT(wr_group_node_at(s, id)->count == config->count);
            config->go = s->go; /* one group for each configuration */
            for (uint32_t leaf = wr_group_first_leaf(s, id); leaf; leaf = wr_group_next_leaf(s, leaf), leaves++)
                nodes += check_way_up(s, leaf, id);
        }
    }
    WR_ASSERT(starts == s->starts.live && leaves == starts && nodes == s->nodes.live && !s->g.current);
    WR_ASSERT(s->g.rows.live < s->g.links.live);
}
