/* Row pattern to position automaton with ordered follow lists (vm/program.h, 'Patterns').
 *
 * Two steps. expand_* copies the pattern into a tree of nodes in which every repetition is written
 * out, so that each leaf is one position: x{2,4} has four copies of x, x{2,} has two, the last of
 * which may be gone through again. Then one walk for each position (and one for the beginning)
 * finds, in order of preferment, what may take the next row: an ordered epsilon closure, as of a
 * backtracking matcher that stops at each leaf.
 *
 * A walk goes through ENTER steps, which try the ways into a node in order, and LEAVE steps, which
 * go on behind a node that is complete; ways not yet tried lie on a stack. What came first stays: a
 * second way to the same position by the same connector can never be preferred.
 *
 * Rounds that take no row (ISO/IEC 19075-5, 7.2.8): below the minimum they count; once it is met,
 * such a round is the loop's last. A round has no row so far exactly if this very walk has entered
 * it. The rounds that the walk has entered lie inside one another below the outermost of them, so
 * one number, the depth of that one (`fresh`), says of every enclosing repetition whether its round
 * is fresh. It is also why walks end: behind a fresh round no further one of an unbounded loop is
 * entered. */
#include "compiler/internal.h"
#include "compiler/list.h"

enum { POSITIONS_MAX = 4096, NODES_MAX = 65536, FOLLOW_MAX = 1 << 20, SEEN_MAX = 1 << 20 };
#define NONE_FRESH UINT32_MAX

enum node_kind {
    NODE_EMPTY,
    NODE_LEAF,
    NODE_SEQUENCE,
    NODE_ALTERNATION,
    NODE_REPEAT,
    NODE_PERMUTE
};

struct node {
    uint8_t kind;
    /* An element of a sequence behind the first has a connector of its own in front of it; all others
     * stand under the connector of what they are the beginning of. */
    bool own_connector;
    uint8_t connector;
    uint8_t round_connector; /* REPEAT: in front of further rounds */
    bool looping;            /* REPEAT: the last copy may be gone through again */
    bool reluctant;          /* REPEAT: the end before a further round */
    uint16_t variable;       /* LEAF */
    uint32_t position;       /* LEAF */
    uint32_t parent;
    uint32_t index;          /* which child of the parent; below PERMUTE: see leaf_of_permute */
    uint32_t child_count;    /* PERMUTE: number of elements */
    uint32_t *child;         /* PERMUTE: see leaf_of_permute */
    uint32_t min;            /* REPEAT */
    uint32_t depth;          /* number of repetitions around it */
};

struct step {
    bool leave;
    uint8_t connector; /* ENTER: what stands in front of the node */
    uint32_t node, fresh;
};

struct seen {
    uint32_t node, fresh, walk;
};

struct builder {
    struct wr_compile *c;
    int (*variable_of)(void *context, const struct wr_ident *name);
    void *context;
    struct wr_span span;      /* of the whole pattern */
    bool failed;
    WR_LIST(struct node) node;
    WR_LIST(uint32_t) leaf;                   /* node of each position */
    WR_LIST(const struct wr_pattern *) place; /* element that each position is a copy of */
    WR_LIST(struct step) todo;
    WR_LIST(struct wr_follow) follow;
    struct seen *seen; /* LEAVE steps done by walk number .walk: open addressing */
    uint32_t seen_capacity, seen_count;
    uint32_t walk;            /* number of the current walk, from 1 */
    uint32_t *listed;         /* per position and connector: the walk that has listed it last */
};

/* ---- Writing repetitions out ----------------------------------------------------------------- */

static uint32_t expand(struct builder *b, const struct wr_pattern *p, uint32_t depth);

static uint32_t past_limit(struct builder *b, int limit, const char *what)
{
    struct wr_diag *d = wr_diag_add(
        b->c->diags, WR_DIAG_W0808, b->span,
        "this pattern has more than %d %s once its repetitions are written out", limit, what);
    wr_diag_help(b->c->diags, d,
                 "x{n,} writes x out n times only; an aggregate in a condition, such as "
                 "COUNT(x.*) <= 5000, bounds a loop without copies");
    b->failed = true;
    return 0;
}

static uint32_t too_large(struct builder *b)
{
    return past_limit(b, POSITIONS_MAX, "positions");
}

static uint32_t not_yet(struct builder *b, struct wr_span span, const char *feature)
{
    wr_not_yet(b->c, span, feature);
    b->failed = true;
    return 0;
}

static uint32_t add_node(struct builder *b, struct node node)
{
    if (b->node.count >= NODES_MAX) return past_limit(b, NODES_MAX, "parts");
    wr_list_push(b->c->arena, &b->node, node);
    return b->node.count - 1;
}

static uint32_t add_leaf(struct builder *b, const struct wr_pattern *p, uint32_t depth)
{
    int variable = b->variable_of(b->context, &p->variable);
    if (variable < 0) b->failed = true;
    if (b->failed) return 0;
    if (b->leaf.count >= POSITIONS_MAX) return too_large(b);
    uint32_t leaf = add_node(b, (struct node){.kind = NODE_LEAF,
                                              .variable = (uint16_t)variable,
                                              .depth = depth,
                                              .position = b->leaf.count});
    wr_list_push(b->c->arena, &b->leaf, leaf);
    wr_list_push(b->c->arena, &b->place, p);
    return leaf;
}

/* A node above the children. Children that take no row leave no trace in a sequence, and one at
 * most in an alternation; what takes no row at all is EMPTY. */
static uint32_t add_parent(struct builder *b, struct node node, const uint32_t *child,
                           uint32_t count)
{
    if (b->failed) return 0;
    node.child = WR_NEW_ARRAY(b->c->arena, uint32_t, count);
    bool rows = false, empty = false;
    for (uint32_t i = 0; i < count; i++) {
        bool none = b->node.at[child[i]].kind == NODE_EMPTY;
        if (none && (node.kind == NODE_SEQUENCE || empty)) continue;
        rows |= !none;
        empty |= none;
        node.child[node.child_count++] = child[i];
    }
    if (!rows) return add_node(b, (struct node){.kind = NODE_EMPTY, .depth = node.depth});
    if (node.child_count == 1 && node.kind != NODE_REPEAT &&
        !b->node.at[node.child[0]].own_connector)
        return node.child[0];
    uint32_t parent = add_node(b, node);
    for (uint32_t i = 0; i < node.child_count; i++) {
        b->node.at[node.child[i]].parent = parent;
        b->node.at[node.child[i]].index = i;
    }
    return parent;
}

/* Refuses what an arrow can say and the matchers cannot do yet. */
static void check_arrow(struct builder *b, const struct wr_arrow *arrow)
{
    if (arrow->low || arrow->high) not_yet(b, arrow->span, "a bound on an arrow");
    else if (arrow->connector == WR_CONNECT_ANY)
        not_yet(b, arrow->span, "->> (skip till any match)");
}

/* All elements are looked at even when one is refused, so that one go reports what cannot run. */
static uint32_t expand_items(struct builder *b, const struct wr_pattern *p, enum node_kind kind,
                             uint32_t depth)
{
    uint32_t *child = WR_NEW_ARRAY(b->c->arena, uint32_t, p->item_count);
    bool failed = false;
    for (uint32_t i = 0; i < p->item_count; i++) {
        const struct wr_pattern_item *item = &p->item[i];
        if (kind == NODE_SEQUENCE && i > 0) check_arrow(b, &item->arrow);
        failed |= b->failed;
        b->failed = false;
        child[i] = expand(b, item->pattern, depth);
        failed |= b->failed;
        if (kind == NODE_SEQUENCE && i > 0 && !b->failed) {
            b->node.at[child[i]].own_connector = true;
            b->node.at[child[i]].connector = (uint8_t)item->arrow.connector;
        }
        b->failed = false;
    }
    b->failed = failed;
    return add_parent(b, (struct node){.kind = (uint8_t)kind, .depth = depth}, child,
                      p->item_count);
}

static uint32_t expand_repeat(struct builder *b, const struct wr_pattern *p, uint32_t depth)
{
    const struct wr_quantifier *q = &p->quantifier;
    if (q->max == 0) {
        wr_diag_add(b->c->diags, WR_DIAG_W0208, q->span, "an upper bound of 0 would match nothing");
        b->failed = true;
    }
    if (q->mode == WR_POSSESSIVE) not_yet(b, q->span, "a possessive quantifier");
    if (p->until) not_yet(b, p->until->span, "UNTIL");
    check_arrow(b, &q->arrow);
    bool refused = b->failed;
    b->failed = false;
    uint32_t first = expand(b, p->child, depth + 1);
    if (refused || b->failed) {
        b->failed = true;
        return 0;
    }
    if (b->node.at[first].kind == NODE_EMPTY) return first; /* however often: no row */
    bool looping = q->max == UINT32_MAX;
    uint32_t copies = looping ? WR_MAX(q->min, 1) : q->max;
    if (copies > POSITIONS_MAX) return too_large(b);
    uint32_t *child = WR_NEW_ARRAY(b->c->arena, uint32_t, copies);
    child[0] = first;
    for (uint32_t i = 1; i < copies && !b->failed; i++) child[i] = expand(b, p->child, depth + 1);
    return add_parent(b,
                      (struct node){.kind = NODE_REPEAT,
                                    .looping = looping,
                                    .min = q->min,
                                    .depth = depth,
                                    .reluctant = q->mode == WR_RELUCTANT,
                                    .round_connector = (uint8_t)q->arrow.connector},
                      child, copies);
}

/* The leaf of `element` when those in `mask` have been taken already. Its .index is the mask with
 * it. */
static uint32_t *leaf_of_permute(const struct node *permute, uint32_t mask, uint32_t element)
{
    return &permute->child[(size_t)mask * permute->child_count + element];
}

/* PERMUTE of plain variables: what may follow depends on what has been taken, not on its order, so
 * a position for each (set taken before, element) gives the same preferences as all n! orders
 * written out. */
static uint32_t expand_permute_variables(struct builder *b, const struct wr_pattern *p,
                                         uint32_t depth)
{
    uint32_t n = p->item_count;
    if (n > 9) return too_large(b);
    uint32_t permute = add_node(
        b, (struct node){.kind = NODE_PERMUTE, .child_count = n, .depth = depth});
    if (b->failed) return 0;
    uint32_t *child = WR_NEW_ARRAY(b->c->arena, uint32_t, (size_t)n << n);
    b->node.at[permute].child = child;
    for (uint32_t mask = 0; mask < (uint32_t)1 << n; mask++) {
        for (uint32_t e = 0; e < n; e++) {
            if (mask >> e & 1) continue;
            uint32_t leaf = add_leaf(b, p->item[e].pattern, depth);
            if (b->failed) return 0;
            b->node.at[leaf].parent = permute;
            b->node.at[leaf].index = mask | (uint32_t)1 << e;
            *leaf_of_permute(&b->node.at[permute], mask, e) = leaf;
        }
    }
    return permute;
}

/* The next order of the numbers in lexicographic order; false behind the last. */
static bool next_order(uint32_t *order, uint32_t n)
{
    uint32_t i = n - 1, j = n - 1;
    while (i > 0 && order[i - 1] > order[i]) i--;
    if (i == 0) return false;
    while (order[j] < order[i - 1]) j--;
    uint32_t moved = order[i - 1];
    order[i - 1] = order[j];
    order[j] = moved;
    for (uint32_t low = i, high = n - 1; low < high; low++, high--) {
        moved = order[low];
        order[low] = order[high];
        order[high] = moved;
    }
    return true;
}

/* Elements that can match in more than one way: the alternation of all orders, as SQL defines it.
 * The rows of all elements are adjacent. */
static uint32_t expand_permute(struct builder *b, const struct wr_pattern *p, uint32_t depth)
{
    bool variables = true;
    for (uint32_t i = 0; i < p->item_count; i++)
        variables &= p->item[i].pattern->kind == WR_PATTERN_VARIABLE;
    if (variables && p->item_count > 1) return expand_permute_variables(b, p, depth);
    uint32_t n = p->item_count, order[6], orders = 1;
    if (n > WR_COUNT(order)) return too_large(b); /* 7! orders of 7 are more than 4,096 positions */
    for (uint32_t i = 0; i < n; i++) {
        order[i] = i;
        orders *= i + 1;
    }
    uint32_t *alternative = WR_NEW_ARRAY(b->c->arena, uint32_t, orders);
    uint32_t *child = WR_NEW_ARRAY(b->c->arena, uint32_t, n);
    for (uint32_t a = 0; a < orders && !b->failed; a++) {
        for (uint32_t i = 0; i < n && !b->failed; i++) {
            child[i] = expand(b, p->item[order[i]].pattern, depth);
            if (i > 0 && !b->failed) {
                b->node.at[child[i]].own_connector = true;
                b->node.at[child[i]].connector = WR_CONNECT_STRICT;
            }
        }
        alternative[a] = add_parent(b, (struct node){.kind = NODE_SEQUENCE, .depth = depth}, child,
                                    n);
        if (a + 1 < orders) {
            bool more = next_order(order, n);
            WR_ASSERT(more);
        }
    }
    return add_parent(b, (struct node){.kind = NODE_ALTERNATION, .depth = depth}, alternative,
                      orders);
}

static uint32_t expand(struct builder *b, const struct wr_pattern *p, uint32_t depth)
{
    switch (p->kind) {
    case WR_PATTERN_EMPTY: return add_node(b, (struct node){.kind = NODE_EMPTY, .depth = depth});
    case WR_PATTERN_VARIABLE: return add_leaf(b, p, depth);
    case WR_PATTERN_SEQUENCE: return expand_items(b, p, NODE_SEQUENCE, depth);
    case WR_PATTERN_ALTERNATION: return expand_items(b, p, NODE_ALTERNATION, depth);
    case WR_PATTERN_REPEAT: return expand_repeat(b, p, depth);
    case WR_PATTERN_PERMUTE: return expand_permute(b, p, depth);
    case WR_PATTERN_EXCLUDE:
        return expand(b, p->child, depth); /* leaves rows out of ALL ROWS PER MATCH only */
    case WR_PATTERN_AND: return not_yet(b, p->span, "(a & b)");
    case WR_PATTERN_START: return not_yet(b, p->span, "the anchor ^");
    case WR_PATTERN_END: return not_yet(b, p->span, "the anchor $");
    case WR_PATTERN_NOT:
        return not_yet(b, p->span, p->duration ? "NOT … FOR" : "NOT in a pattern");
    case WR_PATTERN_EACH: return not_yet(b, p->span, "EACH DISTINCT");
    case WR_PATTERN_ERROR: break; /* reported when it was parsed */
    }
    b->failed = true;
    return 0;
}

/* ---- Walks ----------------------------------------------------------------------------------- */

static void push_enter(struct builder *b, uint32_t node, uint8_t connector, uint32_t fresh)
{
    const struct node *n = &b->node.at[node];
    wr_list_push(b->c->arena, &b->todo,
                 (struct step){.connector = n->own_connector ? n->connector : connector,
                               .node = node,
                               .fresh = fresh});
}

static void push_leave(struct builder *b, uint32_t node, uint32_t fresh)
{
    wr_list_push(b->c->arena, &b->todo, (struct step){.leave = true, .node = node, .fresh = fresh});
}

/* A further way to the end of a node, with the same rounds fresh, has nothing new behind it. */
static bool left_before(struct builder *b, uint32_t node, uint32_t fresh)
{
    if (b->seen_count * 2 >= b->seen_capacity) {
        if (b->seen_count >= SEEN_MAX) { /* repetitions in one another, thousands deep */
            past_limit(b, SEEN_MAX, "ways through loops inside one another");
            return true;
        }
        struct seen *old = b->seen;
        uint32_t old_capacity = b->seen_capacity;
        b->seen_capacity = old_capacity ? old_capacity * 2 : 64;
        b->seen = WR_NEW_ARRAY(b->c->arena, struct seen, b->seen_capacity);
        b->seen_count = 0;
        for (uint32_t i = 0; i < old_capacity; i++)
            if (old[i].walk == b->walk) left_before(b, old[i].node, old[i].fresh);
    }
    uint64_t hash = ((uint64_t)node << 32 | fresh) * 0x9e3779b97f4a7c15u;
    uint32_t at = (uint32_t)(hash >> 32) & (b->seen_capacity - 1);
    for (; b->seen[at].walk == b->walk; at = (at + 1) & (b->seen_capacity - 1))
        if (b->seen[at].node == node && b->seen[at].fresh == fresh) return true;
    b->seen[at] = (struct seen){node, fresh, b->walk};
    b->seen_count++;
    return false;
}

static void list(struct builder *b, uint16_t position, uint8_t connector)
{
    if (b->follow.count >= FOLLOW_MAX) {
        past_limit(b, FOLLOW_MAX, "ways from row to row");
        return;
    }
    if (position != WR_ACCEPT) {
        uint32_t *listed = &b->listed[position * 3 + connector];
        if (*listed == b->walk) return;
        *listed = b->walk;
    }
    wr_list_push(b->c->arena, &b->follow,
                 (struct wr_follow){
                     .position = position, .connector = connector, .low_us = -1, .high_us = -1});
}

/* What is pushed last is tried first. */
static void walk_enter(struct builder *b, const struct step *s)
{
    const struct node *n = &b->node.at[s->node];
    uint32_t inner = WR_MIN(s->fresh, n->depth);
    switch (n->kind) {
    case NODE_EMPTY: push_leave(b, s->node, s->fresh); break;
    case NODE_LEAF: list(b, (uint16_t)n->position, s->connector); break;
    case NODE_SEQUENCE: push_enter(b, n->child[0], s->connector, s->fresh); break;
    case NODE_ALTERNATION:
        for (uint32_t i = n->child_count; i-- > 0;)
            push_enter(b, n->child[i], s->connector, s->fresh);
        break;
    case NODE_REPEAT:
        if (n->min == 0 && !n->reluctant) push_leave(b, s->node, s->fresh);
        push_enter(b, n->child[0], s->connector, inner);
        if (n->min == 0 && n->reluctant) push_leave(b, s->node, s->fresh);
        break;
    default:
        WR_ASSERT(n->kind == NODE_PERMUTE);
        for (uint32_t e = n->child_count; e-- > 0;)
            push_enter(b, *leaf_of_permute(n, 0, e), s->connector, s->fresh);
    }
}

/* Behind round `done` of a repetition. */
static void walk_round(struct builder *b, uint32_t repeat, uint32_t done, uint32_t fresh)
{
    const struct node *n = &b->node.at[repeat];
    bool empty = fresh <= n->depth;
    uint32_t outer = fresh < n->depth ? fresh : NONE_FRESH;
    uint32_t next = WR_MIN(done, n->child_count - 1);
    bool last = done >= n->min && (empty || (done == n->child_count && !n->looping));
    if (last || (done >= n->min && !n->reluctant)) push_leave(b, repeat, outer);
    if (!last) push_enter(b, n->child[next], n->round_connector, WR_MIN(outer, n->depth));
    if (!last && done >= n->min && n->reluctant) push_leave(b, repeat, outer);
}

static void walk_leave(struct builder *b, const struct step *s)
{
    if (left_before(b, s->node, s->fresh)) return;
    const struct node *n = &b->node.at[s->node];
    if (n->parent == WR_NONE) {
        list(b, WR_ACCEPT, WR_CONNECT_STRICT);
        return;
    }
    const struct node *parent = &b->node.at[n->parent];
    switch (parent->kind) {
    case NODE_SEQUENCE:
        if (n->index + 1 < parent->child_count)
            push_enter(b, parent->child[n->index + 1], WR_CONNECT_STRICT, s->fresh);
        else
            push_leave(b, n->parent, s->fresh);
        break;
    case NODE_ALTERNATION: push_leave(b, n->parent, s->fresh); break;
    case NODE_REPEAT: walk_round(b, n->parent, n->index + 1, s->fresh); break;
    default:
        WR_ASSERT(parent->kind == NODE_PERMUTE);
        if (n->index + 1 == (uint32_t)1 << parent->child_count) push_leave(b, n->parent, s->fresh);
        for (uint32_t e = parent->child_count; e-- > 0;)
            if (!(n->index >> e & 1))
                push_enter(b, *leaf_of_permute(parent, n->index, e), WR_CONNECT_STRICT, s->fresh);
    }
}

/* Lists what is reached from the step and returns how much it is. Nothing is listed behind ACCEPT:
 * no row has to be waited for there, so a match that has ended stands for good before whatever
 * would come later. */
static uint32_t walk(struct builder *b, struct step from)
{
    uint32_t start = b->follow.count;
    b->walk++;
    b->seen_count = 0;
    b->todo.count = 0;
    wr_list_push(b->c->arena, &b->todo, from);
    while (b->todo.count && !b->failed) {
        struct step s = b->todo.at[--b->todo.count];
        if (s.leave) walk_leave(b, &s);
        else walk_enter(b, &s);
        if (b->follow.count > start && b->follow.at[b->follow.count - 1].position == WR_ACCEPT)
            break;
    }
    return b->follow.count - start;
}

/* ---- The whole ------------------------------------------------------------------------------- */

static void walk_all(struct builder *b, uint32_t root, struct wr_automaton *out)
{
    struct wr_arena *arena = b->c->arena;
    uint32_t positions = b->leaf.count;
    b->listed = WR_NEW_ARRAY(arena, uint32_t, positions * 3);
    *out = (struct wr_automaton){.position_count = positions};
    out->variable = WR_NEW_ARRAY(arena, uint16_t, positions);
    out->follow_start = WR_NEW_ARRAY(arena, uint32_t, positions);
    out->follow_size = WR_NEW_ARRAY(arena, uint16_t, positions);
    for (uint32_t p = 0; p < positions && !b->failed; p++) {
        out->variable[p] = b->node.at[b->leaf.at[p]].variable;
        out->follow_start[p] = b->follow.count;
        out->follow_size[p] = (uint16_t)walk(b, (struct step){.leave = true, .node = b->leaf.at[p],
                                                              .fresh = NONE_FRESH});
    }
    /* Before the first row no connector counts; equal entries are dropped when the connectors are
     * gone. */
    out->first = b->follow.count;
    walk(b, (struct step){.node = root, .fresh = NONE_FRESH});
    b->walk++;
    uint32_t kept = out->first;
    for (uint32_t i = out->first; i < b->follow.count; i++) {
        struct wr_follow *f = &b->follow.at[i];
        f->connector = WR_CONNECT_STRICT;
        uint32_t *listed = f->position == WR_ACCEPT ? NULL : &b->listed[f->position * 3];
        if (listed && *listed == b->walk) continue;
        if (listed) *listed = b->walk;
        b->follow.at[kept++] = *f;
    }
    b->follow.count = kept;
    out->first_count = kept - out->first;
    out->follow_count = kept;
    out->follow = b->follow.at;
    out->place = b->place.at;
}

bool wr_automaton_build(struct wr_compile *c, const struct wr_pattern *pattern,
                        int (*variable_of)(void *context, const struct wr_ident *name),
                        void *context, struct wr_automaton *out)
{
    struct builder b = {
        .c = c, .variable_of = variable_of, .context = context, .span = pattern->span};
    uint32_t root = expand(&b, pattern, 0);
    if (!b.failed && b.leaf.count == 0) {
        wr_diag_add(c->diags, WR_DIAG_W0807, pattern->span,
                    "this pattern has no variable and can only match nothing");
        b.failed = true;
    }
    if (!b.failed) {
        b.node.at[root].parent = WR_NONE;
        walk_all(&b, root, out);
    }
    return !b.failed;
}
