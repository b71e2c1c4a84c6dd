/* The forest of the group matcher: starts join the group that has their configuration, and leave it when they are
 * decided. Nodes without a leaf below go at once, so a node's way up is always there. */
#include "runtime/match_group.h"

/* ---- Links of a node ----------------------------------------------------------------------------- */

/* Cells of 4, 8, … 1024 links. */
static uint32_t class_of(uint32_t count)
{
    uint32_t cls = 0;
    while ((4u << cls) < count) cls++;
    WR_ASSERT(cls < WR_GROUP_CLASSES);
    return cls;
}

uint32_t *wr_group_links(struct wr_group *s, struct wr_group_node *node)
{
    if (node->count <= WR_GROUP_INLINE) return node->link;
    return wr_slab_at(&s->cells[class_of(node->count)], node->link[0]);
}

/* Room for so many links; what was in it is lost. */
static uint32_t *resize(struct wr_group *s, struct wr_group_node *node, uint32_t count)
{
    bool was = node->count > WR_GROUP_INLINE, will = count > WR_GROUP_INLINE;
    if (was && (!will || class_of(node->count) != class_of(count))) {
        wr_slab_free(&s->cells[class_of(node->count)], node->link[0]);
        was = false;
    }
    node->count = (uint16_t)count;
    if (will && !was) node->link[0] = wr_slab_alloc(&s->cells[class_of(count)]);
    return wr_group_links(s, node);
}

static void let_links_go(struct wr_pattern *p, struct wr_group *s, struct wr_group_node *node)
{
    const uint32_t *link = wr_group_links(s, node);
    for (uint32_t i = 0; i < node->count; i++) wr_link_unref(p, &s->g, link[i]);
}

static uint32_t join_of(struct wr_group *s, uint32_t candidate)
{
    while (s->join.count <= candidate) {
        uint32_t id = wr_slab_alloc(&s->g.links);
        struct wr_link *link = wr_link_at(&s->g, id);
        memset(link, 0, s->g.links.cell_size);
        link->ref = 1;
        link->variable = UINT16_MAX;
        link->previous = (uint32_t)s->join.count; /* which candidate */
        wr_vec_push(&s->join, id);
    }
    return s->join.at[candidate];
}

/* ---- Groups --------------------------------------------------------------------------------------- */

static uint32_t node_new(struct wr_group *s, uint32_t config)
{
    uint32_t id = wr_slab_alloc(&s->nodes);
    *wr_group_node_at(s, id) = (struct wr_group_node){.config = config};
    wr_group_config_at(s, config)->users++;
    return id;
}

uint32_t wr_group_leaf(struct wr_group *s, uint32_t start, uint32_t config, const uint32_t *link)
{
    uint32_t id = node_new(s, config), count = wr_group_config_at(s, config)->count;
    struct wr_group_node *node = wr_group_node_at(s, id);
    node->start = start;
    uint32_t *to = resize(s, node, count);
    for (uint32_t i = 0; i < count; i++) {
        to[i] = link[i];
        wr_link_at(&s->g, link[i])->ref++;
    }
    wr_group_start_at(s, start)->node = id;
    return id;
}

void wr_group_set(struct wr_pattern *p, struct wr_group *s, uint32_t group, uint32_t config, const uint32_t *link)
{
    struct wr_group_node *node = wr_group_node_at(s, group);
    uint32_t count = wr_group_config_at(s, config)->count;
    WR_ASSERT(!node->parent);
    for (uint32_t i = 0; i < count; i++) wr_link_at(&s->g, link[i])->ref++;
    let_links_go(p, s, node);
    memcpy(resize(s, node, count), link, count * sizeof *link);
    wr_group_config_at(s, node->config)->users--;
    wr_group_config_at(s, config)->users++;
    node->config = config;
    node->fresh = 0;
}

static void list_push(struct wr_group *s, uint32_t *head, uint32_t id)
{
    struct wr_group_node *node = wr_group_node_at(s, id);
    node->before = 0;
    node->next = *head;
    if (*head) wr_group_node_at(s, *head)->before = id;
    *head = id;
}

static void list_remove(struct wr_group *s, uint32_t *head, uint32_t id)
{
    const struct wr_group_node *node = wr_group_node_at(s, id);
    WR_ASSERT(*head && (node->before || *head == id));
    if (node->before) wr_group_node_at(s, node->before)->next = node->next;
    else *head = node->next;
    if (node->next) wr_group_node_at(s, node->next)->before = node->before;
}

/* Makes a group a child of another one. */
static void adopt(struct wr_group *s, uint32_t parent, uint32_t id)
{
    struct wr_group_node *node = wr_group_node_at(s, id);
    WR_ASSERT(!node->parent && wr_group_node_at(s, parent)->count == node->count);
    wr_group_config_at(s, node->config)->users--;
    node->parent = node->up = parent;
    list_push(s, &wr_group_node_at(s, parent)->child, id);
}

void wr_group_insert(struct wr_group *s, struct wr_group_key *k, uint32_t id)
{
    uint32_t config_id = wr_group_node_at(s, id)->config;
    struct wr_group_config *config = wr_group_config_at(s, config_id);
    s->waits |= config->ended;
    uint32_t have = config->go == s->go ? config->group : 0;
    config->go = s->go;
    if (have && wr_group_node_at(s, have)->fresh) {
        adopt(s, have, id);
        return;
    }
    if (have) list_remove(s, &k->group, have);
    if (have && !wr_group_node_at(s, id)->fresh) {
        uint32_t both = node_new(s, config_id);
        uint32_t *link = resize(s, wr_group_node_at(s, both), config->count);
        for (uint32_t i = 0; i < config->count; i++) {
            link[i] = join_of(s, i);
            wr_link_at(&s->g, link[i])->ref++;
        }
        wr_group_node_at(s, both)->fresh = 1;
        adopt(s, both, id);
        id = both;
    }
    if (have) adopt(s, id, have);
    config->group = id;
    list_push(s, &k->group, id);
}

/* Ways up are halved as they are gone, so that trees of any depth cost little. */
uint32_t wr_group_find(struct wr_group *s, uint32_t id)
{
    for (;;) {
        struct wr_group_node *node = wr_group_node_at(s, id);
        if (!node->parent) return id;
        const struct wr_group_node *up = wr_group_node_at(s, node->up);
        if (up->parent) node->up = up->up;
        id = node->up;
    }
}

/* ---- Leaving ------------------------------------------------------------------------------------ */

void wr_group_unlink(struct wr_group *s, struct wr_group_key *k, uint32_t id)
{
    struct wr_group_start *start = wr_group_start_at(s, id);
    WR_ASSERT(k->count > 0 && (start->before || k->head == id));
    if (start->before) wr_group_start_at(s, start->before)->next = start->next;
    else k->head = start->next;
    if (start->next) wr_group_start_at(s, start->next)->before = start->before;
    else k->tail = start->before;
    k->count--;
}

static bool is_link_of(struct wr_group *s, struct wr_group_node *node, uint32_t link)
{
    const uint32_t *of = wr_group_links(s, node);
    for (uint32_t i = 0; i < node->count; i++)
        if (of[i] == link) return true;
    return false;
}

/* The place in a node's chain where it goes on in the child: behind as many links as `budget` has left; NULL: farther. */
static uint32_t *end_of_chain(struct wr_group *s, uint32_t *at, struct wr_group_node *child, uint32_t *budget)
{
    for (; *budget; --*budget) {
        struct wr_link *link = wr_link_at(&s->g, *at);
        if (!link->row || is_link_of(s, child, *at)) return at;
        at = &link->previous;
    }
    return NULL;
}

/* A node that is left with one leaf becomes that leaf, its chains going on in the leaf's, so that ways down stay short.
 * Not where its chains are long or many: that costs more than the way. */
static void become_leaf(struct wr_pattern *p, struct wr_group *s, uint32_t id)
{
    enum { LOOKS = 32, MOST = 8 };
    struct wr_group_node *node = wr_group_node_at(s, id), *leaf = wr_group_node_at(s, node->child);
    uint32_t budget = LOOKS, *link = wr_group_links(s, node);
    if (leaf->child || leaf->next || node->count > MOST || leaf->count > MOST) return;
    for (uint32_t i = 0; i < node->count; i++)
        if (!end_of_chain(s, &link[i], leaf, &budget)) return;
    budget = UINT32_MAX;
    for (uint32_t i = 0; i < node->count; i++) {
        uint32_t *at = end_of_chain(s, &link[i], leaf, &budget), join = *at;
        if (wr_link_at(&s->g, join)->row || join == s->g.root) continue; /* another candidate's chain was this one */
        *at = wr_group_links(s, leaf)[wr_link_at(&s->g, join)->previous];
        wr_link_at(&s->g, *at)->ref++;
        wr_link_unref(p, &s->g, join);
    }
    uint32_t child = node->child;
    node->start = leaf->start;
    node->child = node->fresh = 0;
    wr_group_start_at(s, node->start)->node = id;
    let_links_go(p, s, leaf);
    resize(s, leaf, 0);
    wr_slab_free(&s->nodes, child);
}

uint32_t wr_group_leave(struct wr_pattern *p, struct wr_group *s, struct wr_group_key *k, uint32_t leaf, bool listed)
{
    uint32_t id = leaf;
    WR_ASSERT(wr_group_node_at(s, leaf)->start && !wr_group_node_at(s, leaf)->child);
    wr_slab_free(&s->starts, wr_group_node_at(s, leaf)->start);
    for (;;) {
        struct wr_group_node *node = wr_group_node_at(s, id);
        uint32_t parent = node->parent;
        if (parent) list_remove(s, &wr_group_node_at(s, parent)->child, id);
        else if (listed) list_remove(s, &k->group, id);
        if (!parent) {
            struct wr_group_config *config = wr_group_config_at(s, node->config);
            config->users--;
            if (config->group == id) config->go = 0; /* it may have gone in the go that found it */
        }
        let_links_go(p, s, node);
        resize(s, node, 0);
        wr_slab_free(&s->nodes, id);
        if (parent && wr_group_node_at(s, parent)->child) {
            if (listed) become_leaf(p, s, parent);
            return parent;
        }
        if (!parent) return 0;
        id = parent;
    }
}

void wr_group_drop(struct wr_pattern *p, struct wr_group *s, struct wr_group_key *k, uint32_t group)
{
    for (uint32_t id = group; id;) {
        uint32_t leaf = wr_group_first_leaf(s, id);
        wr_group_unlink(s, k, wr_group_node_at(s, leaf)->start);
        id = wr_group_leave(p, s, k, leaf, false);
    }
}

/* ---- Going over a tree ----------------------------------------------------------------------------- */

uint32_t wr_group_first_leaf(const struct wr_group *s, uint32_t id)
{
    while (wr_group_node_at(s, id)->child) id = wr_group_node_at(s, id)->child;
    return id;
}

uint32_t wr_group_next_leaf(const struct wr_group *s, uint32_t id)
{
    for (;;) {
        const struct wr_group_node *node = wr_group_node_at(s, id);
        if (!node->parent) return 0;
        if (node->next) return wr_group_first_leaf(s, node->next);
        id = node->parent;
    }
}

void wr_group_trace_path(struct wr_group *s, uint32_t leaf)
{
    wr_vec_clear(&s->path);
    for (uint32_t id = leaf; id; id = wr_group_node_at(s, id)->parent) wr_vec_push(&s->path, id);
    WR_ASSERT(s->path.count > 0);
}

uint32_t wr_group_resolve(struct wr_group *s, uint32_t link, size_t *level)
{
    for (;;) {
        const struct wr_link *l = wr_link_at(&s->g, link);
        if (l->row || link == s->g.root) return link;
        WR_ASSERT(*level > 0);
        struct wr_group_node *child = wr_group_node_at(s, s->path.at[--*level]);
        link = wr_group_links(s, child)[l->previous];
    }
}

void wr_group_trace_chain(struct wr_group *s, uint32_t leaf, uint32_t candidate)
{
    wr_group_trace_path(s, leaf);
    wr_vec_clear(&s->chain);
    size_t level = s->path.count - 1;
    uint32_t link = wr_group_links(s, wr_group_node_at(s, s->path.at[level]))[candidate];
    for (;;) {
        link = wr_group_resolve(s, link, &level);
        if (link == s->g.root) return;
        wr_vec_push(&s->chain, link);
        link = wr_link_at(&s->g, link)->previous;
    }
}
