/* A row pattern as a tree in which every repetition is written out, so that each leaf is one position:
 * x{2,4} has four copies of x, x{2,} has two, the last of which may be gone through again. */
#include "compiler/automaton_build.h"
#include "compiler/state.h"

static uint32_t expand(struct wr_automaton_builder *b, const struct wr_pattern *p, uint32_t depth);

uint32_t wr_automaton_past_limit(struct wr_automaton_builder *b, int limit, const char *what)
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

static uint32_t too_large(struct wr_automaton_builder *b)
{
    return wr_automaton_past_limit(b, WR_POSITIONS_MAX, "positions");
}

static uint32_t not_yet(struct wr_automaton_builder *b, struct wr_span span, const char *feature)
{
    wr_not_yet(b->c, span, feature);
    b->failed = true;
    return 0;
}

static uint32_t add_node(struct wr_automaton_builder *b, struct wr_tree_node node)
{
    if (b->node.count >= WR_TREE_MAX) return wr_automaton_past_limit(b, WR_TREE_MAX, "parts");
    wr_list_push(b->c->arena, &b->node, node);
    return b->node.count - 1;
}

static uint32_t add_taken(struct wr_automaton_builder *b, const struct wr_pattern *p,
                          struct wr_tree_node node)
{
    int variable = b->source->variable_of(b->source->context, &p->variable);
    if (variable < 0) b->failed = true;
    if (b->failed) return 0;
    node.variable = (uint16_t)variable;
    node.place = p;
    if (node.kind != WR_TREE_LEAF) return add_node(b, node);
    if (b->leaf.count >= WR_POSITIONS_MAX) return too_large(b);
    node.position = b->leaf.count;
    node.excluded = b->excluding != 0;
    uint32_t leaf = add_node(b, node);
    wr_list_push(b->c->arena, &b->leaf, leaf);
    wr_list_push(b->c->arena, &b->place, p);
    return leaf;
}

static uint32_t add_leaf(struct wr_automaton_builder *b, const struct wr_pattern *p, uint32_t depth)
{
    return add_taken(b, p, (struct wr_tree_node){.kind = WR_TREE_LEAF, .depth = depth});
}

static uint32_t add_not(struct wr_automaton_builder *b, const struct wr_pattern *p, uint32_t depth)
{
    struct wr_tree_node node = {.kind = WR_TREE_NOT, .depth = depth};
    if (!p->duration) return add_taken(b, p, node);
    node.kind = WR_TREE_LEAF;
    if (!wr_check_duration(b->c, p->duration, "NOT … FOR", &node.absence_us)) b->failed = true;
    return add_taken(b, p, node);
}

/* A node above the children. Children that take no row leave no trace in a sequence, and one at
 * most in an alternation; what takes no row at all is EMPTY. */
static uint32_t add_parent(struct wr_automaton_builder *b, struct wr_tree_node node, const uint32_t *child,
                           uint32_t count)
{
    if (b->failed) return 0;
    node.child = WR_NEW_ARRAY(b->c->arena, uint32_t, count);
    bool rows = false, empty = false;
    for (uint32_t i = 0; i < count; i++) {
        bool none = b->node.at[child[i]].kind == WR_TREE_EMPTY;
        if (none && (node.kind == WR_TREE_SEQUENCE || empty)) continue;
        rows |= !none;
        empty |= none;
        node.child[node.child_count++] = child[i];
    }
    if (!rows) return add_node(b, (struct wr_tree_node){.kind = WR_TREE_EMPTY, .depth = node.depth});
    if (node.child_count == 1 && node.kind != WR_TREE_REPEAT &&
        !b->node.at[node.child[0]].own_arrow)
        return node.child[0];
    uint32_t parent = add_node(b, node);
    for (uint32_t i = 0; i < node.child_count; i++) {
        b->node.at[node.child[i]].parent = parent;
        b->node.at[node.child[i]].index = i;
    }
    return parent;
}

/* One end of a bound; none is -1. */
static bool check_bound(struct wr_automaton_builder *b, const struct wr_expr *expr, int64_t *micros)
{
    *micros = -1;
    if (!expr) return true;
    if (!wr_check_interval(b->c, expr, "the bound of an arrow", micros)) return false;
    if (*micros >= 0) return true;
    wr_diag_add(b->c->diags, WR_DIAG_W0504, expr->span, "the bound of an arrow cannot be negative");
    return false;
}

/* The number of the arrow; b->failed is set where it cannot be. */
static uint16_t arrow_of(struct wr_automaton_builder *b, const struct wr_arrow *arrow)
{
    struct wr_tree_arrow a = {.connector = (uint8_t)arrow->connector};
    bool ok = check_bound(b, arrow->low, &a.low_us);
    ok &= check_bound(b, arrow->high, &a.high_us);
    if (ok && a.low_us >= 0 && a.high_us >= 0 && a.low_us > a.high_us) {
        struct wr_diag *d = wr_diag_add(b->c->diags, WR_DIAG_W0507, arrow->low->span,
                                        "this bound is longer than the one behind it");
        wr_diag_second(b->c->diags, d, arrow->high->span, "which is shorter");
        wr_diag_help(b->c->diags, d, "write the shorter time first");
        ok = false;
    }
    if (arrow->connector == WR_CONNECT_ANY) not_yet(b, arrow->span, "->> (skip till any match)");
    b->failed |= !ok;
    for (uint32_t i = 0; i < b->arrow.count; i++) {
        const struct wr_tree_arrow *other = &b->arrow.at[i];
        if (other->connector == a.connector && other->low_us == a.low_us && other->high_us == a.high_us)
            return (uint16_t)i;
    }
    if (b->arrow.count > UINT16_MAX) wr_automaton_past_limit(b, UINT16_MAX, "different arrows");
    wr_list_push(b->c->arena, &b->arrow, a);
    return (uint16_t)(b->arrow.count - 1);
}

static bool is_bounded(const struct wr_arrow *arrow)
{
    return arrow->low || arrow->high;
}

/* A bound says when a row comes; a NOT takes none. */
static void check_not_bounded(struct wr_automaton_builder *b, const struct wr_pattern_item *item)
{
    if (item->pattern->kind != WR_PATTERN_NOT || !is_bounded(&item->arrow)) return;
    struct wr_diag *d = wr_diag_add(b->c->diags, WR_DIAG_W0804, item->arrow.span,
                                    "a bound says when a row comes, and behind this one stands a NOT");
    wr_diag_help(b->c->diags, d, "%s",
                 item->pattern->duration ? "FOR says how long nothing may come"
                                         : "put the bound in front of what comes behind the NOT");
    b->failed = true;
}

/* All elements are looked at even when one is refused, so that one go reports what cannot run. */
static uint32_t expand_items(struct wr_automaton_builder *b, const struct wr_pattern *p, enum wr_tree_kind kind,
                             uint32_t depth)
{
    uint32_t *child = WR_NEW_ARRAY(b->c->arena, uint32_t, p->item_count);
    bool failed = false;
    for (uint32_t i = 0; i < p->item_count; i++) {
        const struct wr_pattern_item *item = &p->item[i];
        uint16_t arrow = WR_ARROW_STRICT;
        if (kind == WR_TREE_SEQUENCE && i > 0) {
            arrow = arrow_of(b, &item->arrow);
            check_not_bounded(b, item);
        }
        failed |= b->failed;
        b->failed = false;
        child[i] = expand(b, item->pattern, depth);
        failed |= b->failed;
        if (kind == WR_TREE_SEQUENCE && i > 0 && !b->failed) {
            b->node.at[child[i]].own_arrow = true;
            b->node.at[child[i]].arrow = arrow;
        }
        b->failed = false;
    }
    b->failed = failed;
    return add_parent(b, (struct wr_tree_node){.kind = (uint8_t)kind, .depth = depth}, child,
                      p->item_count);
}

/* In dialect 'flink' a greedy quantifier with a choice is possessive. One for at most one row has none there
 * (Flink builds it as optional()), a fixed number neither. */
static bool is_possessive(const struct wr_automaton_builder *b, const struct wr_quantifier *q)
{
    return q->mode == WR_POSSESSIVE ||
           (b->c->flink_dialect && q->mode == WR_GREEDY && q->min != q->max && q->max > 1);
}

static uint16_t until_of(const struct wr_automaton_builder *b, const struct wr_pattern *p)
{
    return p->until ? (uint16_t)b->source->until_of(b->source->context, p) : (uint16_t)WR_NO_VARIABLE;
}

static uint32_t expand_repeat(struct wr_automaton_builder *b, const struct wr_pattern *p, uint32_t depth)
{
    const struct wr_quantifier *q = &p->quantifier;
    if (q->max == 0) b->failed = true; /* W0208 has been said where it was read */
    uint16_t round = arrow_of(b, &q->arrow);
    if (p->until) b->has_until = true;
    bool refused = b->failed;
    b->failed = false;
    uint32_t first = expand(b, p->child, depth + 1);
    if (refused || b->failed) {
        b->failed = true;
        return 0;
    }
    if (b->node.at[first].kind == WR_TREE_EMPTY) return first; /* however often: no row */
    bool looping = q->max == UINT32_MAX;
    uint32_t copies = looping ? WR_MAX(q->min, 1) : q->max;
    if (copies > WR_POSITIONS_MAX) return too_large(b);
    uint32_t *child = WR_NEW_ARRAY(b->c->arena, uint32_t, copies);
    child[0] = first;
    for (uint32_t i = 1; i < copies && !b->failed; i++) child[i] = expand(b, p->child, depth + 1);
    return add_parent(b,
                      (struct wr_tree_node){.kind = WR_TREE_REPEAT,
                                    .looping = looping,
                                    .min = q->min,
                                    .depth = depth,
                                    .reluctant = q->mode == WR_RELUCTANT,
                                    .possessive = is_possessive(b, q),
                                    .until = until_of(b, p),
                                    .round_arrow = round},
                      child, copies);
}

uint32_t *wr_permute_leaf(const struct wr_tree_node *permute, uint32_t mask, uint32_t element)
{
    return &permute->child[(size_t)mask * permute->child_count + element];
}

/* PERMUTE of plain variables: what may follow depends on what has been taken, not on its order, so
 * a position for each (set taken before, element) gives the same preferences as all n! orders
 * written out. */
static uint32_t expand_permute_variables(struct wr_automaton_builder *b, const struct wr_pattern *p,
                                         uint32_t depth, uint16_t arrow)
{
    uint32_t n = p->item_count;
    if (n > 9) return too_large(b);
    uint32_t permute = add_node(b, (struct wr_tree_node){.kind = WR_TREE_PERMUTE,
                                                         .child_count = n,
                                                         .depth = depth,
                                                         .round_arrow = arrow});
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
            *wr_permute_leaf(&b->node.at[permute], mask, e) = leaf;
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

/* PERMUTE of elements that can match in more than one way: the alternation of all orders, as SQL defines it. */
static uint32_t expand_permute(struct wr_automaton_builder *b, const struct wr_pattern *p, uint32_t depth)
{
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
                b->node.at[child[i]].own_arrow = true;
                b->node.at[child[i]].arrow = WR_ARROW_STRICT;
            }
        }
        alternative[a] = add_parent(b, (struct wr_tree_node){.kind = WR_TREE_SEQUENCE, .depth = depth}, child, n);
        if (a + 1 < orders) {
            bool more = next_order(order, n);
            WR_ASSERT(more);
        }
    }
    return add_parent(b, (struct wr_tree_node){.kind = WR_TREE_ALTERNATION, .depth = depth}, alternative, orders);
}

/* (a & b & c), of the elements that are not in `taken`, is (a -> (b & c) | b -> (a & c) | c -> (a & b)): what has been
 * taken is one place of the pattern whatever comes next, as it is for PERMUTE of plain variables. */
static uint32_t expand_and(struct wr_automaton_builder *b, const struct wr_pattern *p, uint32_t depth, uint32_t taken)
{
    uint32_t n = p->item_count, count = 0, alternative[6];
    if (n > WR_COUNT(alternative)) return too_large(b);
    for (uint32_t e = 0; e < n && !b->failed; e++) {
        if (taken >> e & 1) continue;
        uint32_t with = taken | (uint32_t)1 << e, child[2];
        child[0] = expand(b, p->item[e].pattern, depth);
        if (b->failed) return 0;
        alternative[count++] = child[0];
        if (with == ((uint32_t)1 << n) - 1) break; /* the last one */
        child[1] = expand_and(b, p, depth, with);
        if (b->failed) return 0;
        b->node.at[child[1]].own_arrow = true;
        b->node.at[child[1]].arrow = WR_ARROW_NEXT;
        alternative[count - 1] = add_parent(b, (struct wr_tree_node){.kind = WR_TREE_SEQUENCE, .depth = depth}, child, 2);
    }
    if (b->failed || count == 1) return b->failed ? 0 : alternative[0];
    return add_parent(b, (struct wr_tree_node){.kind = WR_TREE_ALTERNATION, .depth = depth}, alternative, count);
}

/* PERMUTE, whose elements are adjacent, and (a & b), between whose parts other rows may lie. */
static uint32_t expand_orders(struct wr_automaton_builder *b, const struct wr_pattern *p, uint32_t depth, uint16_t arrow)
{
    bool variables = true;
    for (uint32_t i = 0; i < p->item_count; i++)
        variables &= p->item[i].pattern->kind == WR_PATTERN_VARIABLE;
    if (variables && p->item_count > 1) return expand_permute_variables(b, p, depth, arrow);
    return arrow == WR_ARROW_NEXT ? expand_and(b, p, depth, 0) : expand_permute(b, p, depth);
}

static uint32_t expand(struct wr_automaton_builder *b, const struct wr_pattern *p, uint32_t depth)
{
    uint32_t node;
    switch (p->kind) {
    case WR_PATTERN_EMPTY: return add_node(b, (struct wr_tree_node){.kind = WR_TREE_EMPTY, .depth = depth});
    case WR_PATTERN_VARIABLE: return add_leaf(b, p, depth);
    case WR_PATTERN_SEQUENCE: return expand_items(b, p, WR_TREE_SEQUENCE, depth);
    case WR_PATTERN_ALTERNATION: return expand_items(b, p, WR_TREE_ALTERNATION, depth);
    case WR_PATTERN_REPEAT: return expand_repeat(b, p, depth);
    case WR_PATTERN_PERMUTE: return expand_orders(b, p, depth, WR_ARROW_STRICT);
    case WR_PATTERN_AND: return expand_orders(b, p, depth, WR_ARROW_NEXT);
    case WR_PATTERN_EXCLUDE:
        b->excluding++;
        node = expand(b, p->child, depth);
        b->excluding--;
        return node;
    case WR_PATTERN_START: return add_node(b, (struct wr_tree_node){.kind = WR_TREE_START, .depth = depth});
    case WR_PATTERN_END: return add_node(b, (struct wr_tree_node){.kind = WR_TREE_END, .depth = depth});
    case WR_PATTERN_NOT: return add_not(b, p, depth);
    case WR_PATTERN_EACH: return not_yet(b, p->span, "EACH DISTINCT");
    case WR_PATTERN_ERROR: break; /* reported when it was parsed */
    }
    b->failed = true;
    return 0;
}

uint32_t wr_automaton_expand(struct wr_automaton_builder *b, const struct wr_pattern *p, uint32_t depth)
{
    /* The arrows without bounds have fixed numbers. */
    for (uint8_t c = 0; c <= WR_CONNECT_ANY; c++)
        wr_list_push(b->c->arena, &b->arrow, (struct wr_tree_arrow){c, -1, -1});
    return expand(b, p, depth);
}
