/* Row pattern to position automaton with ordered follow lists (vm/program.h, 'Patterns').
 *
 * Two steps. automaton_expand.c copies the pattern into a tree in which every repetition is written out,
 * so that each leaf is one position. Then one walk for each position (and one for the beginning) finds, in
 * order of preferment, what may take the next row: an ordered epsilon closure, as of a backtracking matcher
 * that stops at each leaf.
 *
 * A walk goes through ENTER steps, which try the ways into a node in order, and LEAVE steps, which
 * go on behind a node that is complete; ways not yet tried lie on a stack. What came first stays: a
 * second way to the same position by the same arrow, with the same gathered, can never be preferred.
 *
 * Rounds that take no row (ISO/IEC 19075-5, 7.2.8): below the minimum they count; once it is met,
 * such a round is the loop's last. A round has no row so far exactly if this very walk has entered
 * it. The rounds that the walk has entered lie inside one another below the outermost of them, so
 * one number, the depth of that one (`fresh`), says of every enclosing repetition whether its round
 * is fresh. It is also why walks end: behind a fresh round no further one of an unbounded loop is
 * entered.
 *
 * Anchors and NOT take nothing and are gathered on the way (struct wr_gathered); what an entry is listed with
 * is what its way has gathered. */
#include "compiler/automaton_build.h"

enum { FOLLOW_MAX = 1 << 20, SEEN_MAX = 1 << 20, GATHERED_MAX = 1 << 14 };
#define NONE_FRESH UINT32_MAX
#define ENTRY_BIT (1u << 31) /* in wr_seen.node: an entry to a position, not a node */

typedef struct wr_automaton_builder builder;

/* ---- What a way gathers ---------------------------------------------------------------------- */

static bool same_gathered(const struct wr_gathered *a, const struct wr_gathered *b)
{
    if (a->flags != b->flags || a->kill.count != b->kill.count || a->lead.count != b->lead.count ||
        a->left.count != b->left.count)
        return false;
    for (uint32_t i = 0; i < a->kill.count; i++)
        if (a->kill.at[i].variable != b->kill.at[i].variable ||
            a->kill.at[i].next_only != b->kill.at[i].next_only)
            return false;
    for (uint32_t i = 0; i < a->lead.count; i++)
        if (a->lead.at[i].variable != b->lead.at[i].variable ||
            a->lead.at[i].for_us != b->lead.at[i].for_us)
            return false;
    return !a->left.count || !memcmp(a->left.at, b->left.at, a->left.count * sizeof *a->left.at);
}

/* A copy with arrays of its own, so that it may be added to. */
static struct wr_gathered copy_of(builder *b, uint32_t gathered)
{
    struct wr_gathered copy = {.flags = b->gathered.at[gathered].flags};
    const struct wr_gathered from = b->gathered.at[gathered];
    for (uint32_t i = 0; i < from.kill.count; i++)
        wr_list_push(b->c->arena, &copy.kill, from.kill.at[i]);
    for (uint32_t i = 0; i < from.lead.count; i++)
        wr_list_push(b->c->arena, &copy.lead, from.lead.at[i]);
    for (uint32_t i = 0; i < from.left.count; i++)
        wr_list_push(b->c->arena, &copy.left, from.left.at[i]);
    return copy;
}

static uint32_t number_of(builder *b, const struct wr_gathered *g)
{
    for (uint32_t i = 0; i < b->gathered.count; i++)
        if (same_gathered(&b->gathered.at[i], g)) return i;
    if (b->gathered.count >= GATHERED_MAX) {
        wr_automaton_past_limit(b, GATHERED_MAX, "ways past NOT, UNTIL and possessive loops");
        return 0;
    }
    wr_list_push(b->c->arena, &b->gathered, *g);
    return b->gathered.count - 1;
}

static uint32_t with_flag(builder *b, uint32_t gathered, uint8_t flag)
{
    if (b->gathered.at[gathered].flags & flag) return gathered;
    struct wr_gathered g = copy_of(b, gathered);
    g.flags |= flag;
    return number_of(b, &g);
}

/* NOT: of two of one variable the one that speaks of every row says it all. */
static uint32_t with_kill(builder *b, uint32_t gathered, const struct wr_tree_node *n, bool next_only)
{
    struct wr_gathered g = copy_of(b, gathered);
    for (uint32_t i = 0; i < g.kill.count; i++) {
        if (g.kill.at[i].variable != n->variable) continue;
        g.kill.at[i].next_only &= next_only;
        return number_of(b, &g);
    }
    wr_list_push(b->c->arena, &g.kill,
                 (struct wr_tree_kill){n->variable, next_only, n->place});
    return number_of(b, &g);
}

static uint32_t with_lead(builder *b, uint32_t gathered, const struct wr_tree_node *n)
{
    struct wr_gathered g = copy_of(b, gathered);
    for (uint32_t i = 0; i < g.lead.count; i++) {
        if (g.lead.at[i].variable != n->variable) continue;
        g.lead.at[i].for_us = WR_MAX(g.lead.at[i].for_us, n->absence_us);
        return number_of(b, &g);
    }
    wr_list_push(b->c->arena, &g.lead, (struct wr_lead){n->variable, n->absence_us});
    return number_of(b, &g);
}

static bool has_left(const struct wr_gathered *g, uint32_t repeat)
{
    for (uint32_t i = 0; i < g->left.count; i++)
        if (g->left.at[i] == repeat) return true;
    return false;
}

/* Only loops whose rounds say something of what follows are remembered. */
static uint32_t with_left(builder *b, uint32_t gathered, uint32_t repeat)
{
    const struct wr_tree_node *n = &b->node.at[repeat];
    if ((!n->possessive && n->until == WR_NO_VARIABLE) ||
        has_left(&b->gathered.at[gathered], repeat))
        return gathered;
    struct wr_gathered g = copy_of(b, gathered);
    wr_list_push(b->c->arena, &g.left, repeat);
    return number_of(b, &g);
}

/* ---- Steps ----------------------------------------------------------------------------------- */

static void push_enter(builder *b, uint32_t node, uint16_t arrow, uint32_t fresh, uint32_t gathered)
{
    const struct wr_tree_node *n = &b->node.at[node];
    wr_list_push(b->c->arena, &b->todo,
                 (struct wr_step){.arrow = n->own_arrow ? n->arrow : arrow,
                                  .node = node,
                                  .fresh = fresh,
                                  .gathered = gathered});
}

static void push_leave(builder *b, uint32_t node, uint32_t fresh, uint32_t gathered)
{
    wr_list_push(b->c->arena, &b->todo,
                 (struct wr_step){
                     .leave = true, .node = node, .fresh = fresh, .gathered = gathered});
}

/* The end of a repetition. */
static void push_end(builder *b, uint32_t repeat, uint32_t fresh, uint32_t gathered)
{
    push_leave(b, repeat, fresh, with_left(b, gathered, repeat));
}

/* A further way to the end of a node, with the same rounds fresh, has nothing new behind it, nor has
 * one to the same position by the same arrow. */
static bool seen_before(builder *b, uint32_t node, uint32_t fresh, uint32_t gathered)
{
    if (b->seen_count * 2 >= b->seen_capacity) {
        if (b->seen_count >= SEEN_MAX) { /* repetitions in one another, thousands deep */
            wr_automaton_past_limit(b, SEEN_MAX, "ways through loops inside one another");
            return true;
        }
        struct wr_seen *old = b->seen;
        uint32_t old_capacity = b->seen_capacity;
        b->seen_capacity = old_capacity ? old_capacity * 2 : 64;
        b->seen = WR_NEW_ARRAY(b->c->arena, struct wr_seen, b->seen_capacity);
        b->seen_count = 0;
        for (uint32_t i = 0; i < old_capacity; i++)
            if (old[i].walk == b->walk) seen_before(b, old[i].node, old[i].fresh, old[i].gathered);
    }
    uint64_t hash = (((uint64_t)node << 32 | fresh) + (uint64_t)gathered * 0xff51afd7ed558ccdu) *
                    0x9e3779b97f4a7c15u;
    uint32_t at = (uint32_t)(hash >> 32) & (b->seen_capacity - 1);
    for (; b->seen[at].walk == b->walk; at = (at + 1) & (b->seen_capacity - 1))
        if (b->seen[at].node == node && b->seen[at].fresh == fresh &&
            b->seen[at].gathered == gathered)
            return true;
    b->seen[at] = (struct wr_seen){node, fresh, gathered, b->walk};
    b->seen_count++;
    return false;
}

/* ---- Entries --------------------------------------------------------------------------------- */

static bool is_inside(const builder *b, uint32_t node, uint32_t repeat)
{
    while (node != WR_NONE && node != repeat) node = b->node.at[node].parent;
    return node == repeat;
}

/* UNTIL kills what stays in its loop: from a row that the loop has taken to a further one. */
static void add_until(builder *b, const struct wr_gathered *g, uint32_t to)
{
    for (uint32_t at = b->node.at[to].parent; at != WR_NONE; at = b->node.at[at].parent) {
        const struct wr_tree_node *n = &b->node.at[at];
        if (n->kind == WR_TREE_REPEAT && n->until != WR_NO_VARIABLE && !has_left(g, at) &&
            is_inside(b, b->from, at))
            wr_list_push(b->c->arena, &b->kill, (struct wr_kill){.variable = n->until});
    }
}

/* Before the first row no arrow and no NOT between elements counts; behind it nothing is a beginning. */
static void list(builder *b, uint16_t position, uint16_t arrow, uint32_t gathered, uint32_t skip_kill)
{
    const struct wr_gathered *g = &b->gathered.at[gathered];
    bool begins = b->from == WR_NONE, end = position == WR_ACCEPT;
    if (begins) arrow = WR_ARROW_STRICT;
    if (b->follow.count >= FOLLOW_MAX) {
        wr_automaton_past_limit(b, FOLLOW_MAX, "ways from row to row");
        return;
    }
    if (seen_before(b, position | ENTRY_BIT, arrow, gathered)) return;
    if (b->past_end && b->node.at[b->leaf.at[position]].absence_us != WR_ABSENCE_NONE) return;
    struct wr_follow f = {.position = position,
                          .connector = b->arrow.at[arrow].connector,
                          .flags = g->flags,
                          .kill = b->kill.count,
                          .claim = 0,
                          .lead = b->lead.count,
                          .low_us = b->arrow.at[arrow].low_us,
                          .high_us = b->arrow.at[arrow].high_us};
    for (uint32_t i = 0; i < g->kill.count && !begins && !end; i++)
        if (i != skip_kill)
            wr_list_push(b->c->arena, &b->kill,
                         (struct wr_kill){g->kill.at[i].variable, g->kill.at[i].next_only});
    if (b->has_until && !begins && !end && b->leaf.at[position] != WR_NONE)
        add_until(b, g, b->leaf.at[position]);
    for (uint32_t i = 0; i < g->lead.count && !end; i++)
        wr_list_push(b->c->arena, &b->lead, g->lead.at[i]);
    f.kill_count = (uint16_t)(b->kill.count - f.kill);
    f.lead_count = (uint16_t)(b->lead.count - f.lead);
    wr_list_push(b->c->arena, &b->follow, f);
    wr_list_push(b->c->arena, &b->follow_gathered, gathered);
}

/* The position that waits for the pattern's time to be over with no row of the variable. */
static uint16_t end_under_not(builder *b, const struct wr_tree_kill *kill)
{
    uint32_t first = b->leaf.count - b->ending.count;
    for (uint32_t i = 0; i < b->ending.count; i++)
        if (b->ending.at[i] == kill->variable) return (uint16_t)(first + i);
    wr_list_push(b->c->arena, &b->ending, kill->variable);
    wr_list_push(b->c->arena, &b->leaf, WR_NONE);
    wr_list_push(b->c->arena, &b->place, kill->place);
    return (uint16_t)(b->leaf.count - 1);
}

/* A NOT that the end has come behind speaks of what is left of the pattern's time. At the partition's end
 * no row can come. An empty match under a leading NOT is none. */
static void list_end(builder *b, uint32_t gathered)
{
    const struct wr_gathered *g = &b->gathered.at[gathered];
    bool begins = b->from == WR_NONE;
    if (begins && g->lead.count) return;
    if (begins || !g->kill.count || (g->flags & WR_FOLLOW_AT_END)) {
        /* Equal but for what only rows care about. */
        struct wr_gathered only = {.flags = g->flags};
        list(b, WR_ACCEPT, WR_ARROW_STRICT, number_of(b, &only), 0);
        return;
    }
    uint32_t last = g->kill.count - 1;
    if (!b->source->has_within) {
        const struct wr_pattern *place = g->kill.at[last].place;
        struct wr_diag *d = wr_diag_add(
            b->c->diags, WR_DIAG_W0805, place->span,
            "NOT %.*s waits for ever without WITHIN where what stands behind it is left out",
            WR_SLICE_ARG(place->variable.text));
        wr_diag_help(b->c->diags, d, "add WITHIN to the pattern, or FOR and a time here");
        b->failed = true;
        return;
    }
    list(b, end_under_not(b, &g->kill.at[last]), WR_ARROW_STRICT, gathered, last);
}

/* ---- Walks ----------------------------------------------------------------------------------- */

static void walk_leaf(builder *b, const struct wr_step *s)
{
    const struct wr_tree_node n = b->node.at[s->node];
    if (b->gathered.at[s->gathered].flags & WR_FOLLOW_AT_END) return; /* no row comes behind $ */
    if (n.absence_us != WR_ABSENCE_NONE && b->from == WR_NONE)
        push_leave(b, s->node, s->fresh, with_lead(b, s->gathered, &n));
    else
        list(b, (uint16_t)n.position, s->arrow, s->gathered, UINT32_MAX);
}

static void walk_not(builder *b, const struct wr_step *s)
{
    const struct wr_tree_node n = b->node.at[s->node];
    uint32_t gathered = s->gathered;
    if (b->from != WR_NONE)
        gathered = with_kill(b, gathered, &n, b->arrow.at[s->arrow].connector == WR_CONNECT_STRICT);
    push_leave(b, s->node, s->fresh, gathered);
}

/* What is pushed last is tried first. */
static void walk_enter(builder *b, const struct wr_step *s)
{
    const struct wr_tree_node *n = &b->node.at[s->node];
    uint32_t inner = WR_MIN(s->fresh, n->depth), g = s->gathered;
    switch ((enum wr_tree_kind)n->kind) {
    case WR_TREE_EMPTY: push_leave(b, s->node, s->fresh, g); break;
    case WR_TREE_LEAF: walk_leaf(b, s); break;
    case WR_TREE_NOT: walk_not(b, s); break;
    case WR_TREE_START:
        if (b->from == WR_NONE) push_leave(b, s->node, s->fresh, with_flag(b, g, WR_FOLLOW_AT_START));
        break;
    case WR_TREE_END: /* a match begins at a row, so its beginning is never the end */
        if (b->from != WR_NONE) push_leave(b, s->node, s->fresh, with_flag(b, g, WR_FOLLOW_AT_END));
        break;
    case WR_TREE_SEQUENCE: push_enter(b, n->child[0], s->arrow, s->fresh, g); break;
    case WR_TREE_ALTERNATION:
        for (uint32_t i = n->child_count; i-- > 0;)
            push_enter(b, n->child[i], s->arrow, s->fresh, g);
        break;
    case WR_TREE_REPEAT:
        if (n->min == 0 && !n->reluctant) push_end(b, s->node, s->fresh, g);
        push_enter(b, n->child[0], s->arrow, inner, g);
        if (n->min == 0 && n->reluctant) push_end(b, s->node, s->fresh, g);
        break;
    case WR_TREE_PERMUTE:
        for (uint32_t e = n->child_count; e-- > 0;)
            push_enter(b, *wr_permute_leaf(n, 0, e), s->arrow, s->fresh, g);
        break;
    }
}

/* Behind round `done` of a repetition. */
static void walk_round(builder *b, uint32_t repeat, uint32_t done, uint32_t fresh, uint32_t g)
{
    const struct wr_tree_node *n = &b->node.at[repeat];
    bool empty = fresh <= n->depth;
    uint32_t outer = fresh < n->depth ? fresh : NONE_FRESH;
    uint32_t next = WR_MIN(done, n->child_count - 1);
    bool last = done >= n->min && (empty || (done == n->child_count && !n->looping));
    if (last || (done >= n->min && !n->reluctant)) push_end(b, repeat, outer, g);
    if (!last) push_enter(b, n->child[next], n->round_arrow, WR_MIN(outer, n->depth), g);
    if (!last && done >= n->min && n->reluctant) push_end(b, repeat, outer, g);
}

static void walk_leave(builder *b, const struct wr_step *s)
{
    if (seen_before(b, s->node, s->fresh, s->gathered)) return;
    const struct wr_tree_node *n = &b->node.at[s->node];
    if (n->parent == WR_NONE) {
        if (!b->past_end) list_end(b, s->gathered);
        return;
    }
    const struct wr_tree_node *parent = &b->node.at[n->parent];
    switch ((enum wr_tree_kind)parent->kind) {
    case WR_TREE_SEQUENCE:
        if (n->index + 1 < parent->child_count)
            push_enter(b, parent->child[n->index + 1], WR_ARROW_STRICT, s->fresh, s->gathered);
        else
            push_leave(b, n->parent, s->fresh, s->gathered);
        break;
    case WR_TREE_ALTERNATION: push_leave(b, n->parent, s->fresh, s->gathered); break;
    case WR_TREE_REPEAT: walk_round(b, n->parent, n->index + 1, s->fresh, s->gathered); break;
    default:
        WR_ASSERT(parent->kind == WR_TREE_PERMUTE);
        if (n->index + 1 == (uint32_t)1 << parent->child_count)
            push_leave(b, n->parent, s->fresh, s->gathered);
        for (uint32_t e = parent->child_count; e-- > 0;)
            if (!(n->index >> e & 1))
                push_enter(b, *wr_permute_leaf(parent, n->index, e), parent->round_arrow, s->fresh,
                           s->gathered);
    }
}

/* ---- What possessive loops claim --------------------------------------------------------------- */

static bool takes_row(const builder *b, uint16_t position)
{
    return position != WR_ACCEPT && b->leaf.at[position] != WR_NONE &&
           b->node.at[b->leaf.at[position]].absence_us == WR_ABSENCE_NONE;
}

/* Is `other` a way on inside a possessive loop that the way of `entry` has left? A way that has left the loop as well,
 * and come into it again by a further round of one around it, is none: what it takes is not for the rounds left. */
static bool claims(const builder *b, uint32_t other, uint32_t entry)
{
    const struct wr_gathered *g = &b->gathered.at[b->follow_gathered.at[entry]];
    const struct wr_gathered *own = &b->gathered.at[b->follow_gathered.at[other]];
    uint16_t to = b->follow.at[entry].position, position = b->follow.at[other].position;
    if (other == entry || !g->left.count || !takes_row(b, to) || !takes_row(b, position)) return false;
    for (uint32_t i = 0; i < g->left.count; i++) {
        uint32_t loop = g->left.at[i];
        if (b->node.at[loop].possessive && is_inside(b, b->leaf.at[position], loop) && !has_left(own, loop)) return true;
    }
    return false;
}

/* What a loop that this entry's way has left could still take, is not for it. */
static void add_claims(builder *b, uint32_t entry, uint32_t start)
{
    struct wr_follow *f = &b->follow.at[entry];
    f->claim = b->claim.count;
    for (uint32_t i = start; i < b->follow.count; i++)
        if (claims(b, i, entry)) wr_list_push(b->c->arena, &b->claim, i);
    f->claim_count = (uint16_t)(b->claim.count - f->claim);
}

/* Of the ways behind the end those stay that claim what a listed entry could take. */
static void keep_claiming(builder *b, uint32_t start, uint32_t listed)
{
    uint32_t kept = start + listed;
    for (uint32_t i = kept; i < b->follow.count; i++) {
        bool any = false;
        for (uint32_t entry = start; entry < start + listed && !any; entry++) any = claims(b, i, entry);
        if (!any) continue;
        b->follow.at[kept] = b->follow.at[i];
        b->follow_gathered.at[kept++] = b->follow_gathered.at[i];
    }
    b->follow.count = b->follow_gathered.count = kept;
}

static bool leaves_possessive(const builder *b, uint32_t start)
{
    for (uint32_t i = start; i < b->follow.count; i++) {
        const struct wr_gathered *g = &b->gathered.at[b->follow_gathered.at[i]];
        for (uint32_t k = 0; k < g->left.count; k++)
            if (b->node.at[g->left.at[k]].possessive && takes_row(b, b->follow.at[i].position)) return true;
    }
    return false;
}

/* Lists what is reached from the step and returns how much it is. Nothing is listed behind an end without
 * conditions: no row has to be waited for there, so a match that has ended stands for good before whatever
 * would come later. But a possessive loop's ways on claim rows wherever they stand: those behind the end follow the
 * list, uncounted. */
static uint32_t walk(builder *b, struct wr_step from, uint32_t source)
{
    uint32_t start = b->follow.count, listed = WR_NONE;
    b->walk++;
    b->from = source;
    b->past_end = false;
    b->seen_count = 0;
    b->todo.count = 0;
    wr_list_push(b->c->arena, &b->todo, from);
    while (b->todo.count && !b->failed) {
        struct wr_step s = b->todo.at[--b->todo.count];
        if (s.leave) walk_leave(b, &s);
        else walk_enter(b, &s);
        if (b->follow.count == start || b->past_end) continue;
        const struct wr_follow *last = &b->follow.at[b->follow.count - 1];
        if (last->position != WR_ACCEPT || last->flags != 0) continue;
        listed = b->follow.count - start;
        if (!leaves_possessive(b, start)) break;
        b->past_end = true;
    }
    if (listed == WR_NONE) listed = b->follow.count - start;
    keep_claiming(b, start, listed);
    for (uint32_t i = start; i < start + listed; i++) add_claims(b, i, start);
    return listed;
}

/* ---- The whole ------------------------------------------------------------------------------- */

/* Positions of their own, each with the end behind it. */
static void list_ends_under_not(builder *b, struct wr_automaton *out)
{
    uint32_t first = b->leaf.count - b->ending.count;
    for (uint32_t i = 0; i < b->ending.count; i++) {
        out->variable[first + i] = b->ending.at[i];
        out->absence_us[first + i] = WR_ABSENCE_WITHIN;
        out->follow_start[first + i] = b->follow.count;
        out->follow_size[first + i] = 1;
        wr_list_push(b->c->arena, &b->follow,
                     (struct wr_follow){.position = WR_ACCEPT, .low_us = -1, .high_us = -1});
    }
}

static void walk_all(builder *b, uint32_t root, struct wr_automaton *out)
{
    struct wr_arena *arena = b->c->arena;
    uint32_t positions = b->leaf.count, most = positions + b->source->variable_count;
    *out = (struct wr_automaton){0};
    out->variable = WR_NEW_ARRAY(arena, uint16_t, most);
    out->excluded = WR_NEW_ARRAY(arena, uint8_t, most);
    out->absence_us = WR_NEW_ARRAY(arena, int64_t, most);
    out->follow_start = WR_NEW_ARRAY(arena, uint32_t, most);
    out->follow_size = WR_NEW_ARRAY(arena, uint16_t, most);
    for (uint32_t p = 0; p < positions && !b->failed; p++) {
        const struct wr_tree_node *n = &b->node.at[b->leaf.at[p]];
        out->variable[p] = n->variable;
        out->excluded[p] = n->excluded;
        out->absence_us[p] = n->absence_us;
        out->follow_start[p] = b->follow.count;
        uint32_t size = walk(b,
                             (struct wr_step){.leave = true, .node = b->leaf.at[p], .fresh = NONE_FRESH},
                             b->leaf.at[p]);
        if (size > UINT16_MAX) wr_automaton_past_limit(b, UINT16_MAX, "ways from one row to the next");
        out->follow_size[p] = (uint16_t)size;
    }
    out->first = b->follow.count;
    out->first_count = walk(b, (struct wr_step){.node = root, .fresh = NONE_FRESH}, WR_NONE);
    list_ends_under_not(b, out);
    out->position_count = b->leaf.count;
    out->follow_count = b->follow.count;
    out->follow = b->follow.at;
    out->place = b->place.at;
    out->kill = b->kill.at;
    out->kill_count = b->kill.count;
    out->claim = b->claim.at;
    out->claim_count = b->claim.count;
    out->lead = b->lead.at;
    out->lead_count = b->lead.count;
}

bool wr_automaton_build(struct wr_compile *c, const struct wr_pattern *pattern,
                        const struct wr_automaton_source *source, struct wr_automaton *out)
{
    builder b = {.c = c, .source = source, .span = pattern->span};
    struct wr_gathered nothing = {0};
    uint32_t root = wr_automaton_expand(&b, pattern, 0), rows = 0;
    for (uint32_t i = 0; i < b.leaf.count; i++)
        rows += b.node.at[b.leaf.at[i]].absence_us == WR_ABSENCE_NONE;
    if (!b.failed && rows == 0) {
        wr_diag_add(c->diags, WR_DIAG_W0807, pattern->span,
                    "this pattern has no variable and can only match nothing");
        b.failed = true;
    }
    wr_list_push(c->arena, &b.gathered, nothing);
    if (!b.failed) {
        b.node.at[root].parent = WR_NONE;
        walk_all(&b, root, out);
    }
    return !b.failed;
}
