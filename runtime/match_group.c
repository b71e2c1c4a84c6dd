/* The group matcher: see match_group.h. A row moves each group of its key by one transition; then the key's starts are
 * looked at in the order of their first rows, as far as one is decided, and the row begins a start of its own.
 *
 * Which match is given when is as in the general matcher (match_general.c): where a match takes later starts away, a
 * decided start waits while an earlier one is open, so only the earliest is ever looked at; otherwise a group
 * that is decided gives the matches of all its starts at once. */
#include "runtime/match_group.h"

#include <stdlib.h>

enum { AHEAD_KEY = 24, AHEAD_GROUP = 18, AHEAD_LINK = 12, AHEAD_ROW = 6 };

/* What has come to pass: starts end whose time is up by `time`, of those of that very time the ones up to `sequence`. */
struct pass {
    bool ending;
    int64_t time;
    uint64_t sequence;
};

static bool is_over(const struct wr_pattern *p, const struct wr_group_start *start, const struct pass *pass)
{
    if (pass->ending) return true;
    if (p->spec->within_us < 0) return false;
    int64_t end = wr_pattern_deadline(p, start->first.place.time);
    return end < pass->time || (end == pass->time && start->first.sequence <= pass->sequence);
}

static uint64_t sequence_of(const struct wr_group *s, uint32_t link)
{
    return wr_kept_at(&s->g, wr_link_at(&s->g, link)->row)->id.sequence;
}

/* ---- Giving --------------------------------------------------------------------------------------- */

/* AFTER MATCH SKIP TO a variable: see skip_to_variable of match_decide.c. */
static uint64_t skip_to_variable(struct wr_pattern *p, const struct wr_group *s, const struct wr_row_id *first)
{
    uint64_t target = 0;
    for (size_t i = 0; i < s->chain.count; i++) {
        if (!wr_pattern_set_has(p->spec, p->spec->after_set, wr_link_at(&s->g, s->chain.at[i])->variable)) continue;
        target = sequence_of(s, s->chain.at[i]);
        if (p->spec->after_match == WR_AFTER_TO_LAST) break;
    }
    if (target > first->sequence) return target - 1;
    wr_operator_count(&p->op, target ? "skip to first row" : "skip to no row", target ? "W3010" : "W3011", first->place);
    return first->sequence;
}

/* Up to which row a match, whose chain stands in .chain, takes later starts away. */
static uint64_t taken_by(struct wr_pattern *p, const struct wr_group *s, const struct wr_row_id *first)
{
    if (!s->chain.count || p->spec->after_match == WR_AFTER_NEXT_ROW) return 0;
    return p->plan.past_last ? sequence_of(s, s->chain.at[0]) : skip_to_variable(p, s, first);
}

/* Gives out the match whose chain stands in .chain. */
static void give_chain(struct wr_pattern *p, struct wr_group *s, const struct wr_row_id *first, uint32_t key)
{
    uint32_t count = (uint32_t)s->chain.count;
    wr_vec_reserve(&p->match, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        const struct wr_link *link = wr_link_at(&s->g, s->chain.at[count - 1 - i]);
        const struct wr_kept *kept = wr_kept_at(&s->g, link->row);
        p->match.at[i] = (struct wr_match_row){.layout = &p->keep, .cell = kept->data, .place = kept->id.place,
                                               .kept = link->row, .variable = link->variable,
                                               .excluded = (link->flags & WR_LINK_EXCLUDED) != 0};
    }
    wr_pattern_report(p, &(struct wr_match){.row = p->match.at, .count = count, .key = key, .first = first->place});
}

/* The chain of the candidate of a start that has ended. */
static void trace_ended(struct wr_group *s, uint32_t leaf)
{
    const struct wr_group_config *config = wr_group_config_of(s, wr_group_find(s, leaf));
    WR_ASSERT(config->ended);
    wr_group_trace_chain(s, leaf, config->count - 1);
}

/* Number of that chain's last row; 0: it is the empty match's. Mostly without going down the tree. */
static uint64_t last_ended(struct wr_group *s, uint32_t leaf)
{
    struct wr_group_node *group = wr_group_node_at(s, wr_group_find(s, leaf));
    uint32_t link = wr_group_links(s, group)[group->count - 1];
    if (!wr_link_at(&s->g, link)->row && link != s->g.root) {
        wr_group_trace_path(s, leaf);
        size_t level = s->path.count - 1;
        link = wr_group_resolve(s, link, &level);
    }
    return link == s->g.root ? 0 : sequence_of(s, link);
}

static int first_order(const void *a, const void *b)
{
    const struct wr_group_waiting *x = a, *y = b;
    return (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

/* Gives the matches of the starts in .waiting, in their order, and drops them. */
static void give_waiting(struct wr_pattern *p, struct wr_group *s, bool listed)
{
    bool sorted = true;
    for (size_t i = 1; i < s->waiting.count && sorted; i++)
        sorted = s->waiting.at[i - 1].sequence < s->waiting.at[i].sequence;
    if (!sorted) qsort(s->waiting.at, s->waiting.count, sizeof *s->waiting.at, first_order);
    for (size_t i = 0; i < s->waiting.count; i++) {
        const struct wr_group_waiting *w = &s->waiting.at[i];
        const struct wr_row_id first = wr_group_start_at(s, w->start)->first;
        uint32_t leaf = wr_group_start_at(s, w->start)->node;
        trace_ended(s, leaf);
        give_chain(p, s, &first, w->key);
        (void)wr_group_leave(p, s, &s->key.at[w->key], leaf, listed);
    }
    wr_vec_clear(&s->waiting);
}

/* Groups of which every start is decided, none waits: in no list of groups any more. */
static void give_over(struct wr_pattern *p, struct wr_group *s, uint32_t key)
{
    for (size_t i = 0; i < s->over.count; i++) {
        for (uint32_t leaf = wr_group_first_leaf(s, s->over.at[i]); leaf; leaf = wr_group_next_leaf(s, leaf)) {
            uint32_t start = wr_group_node_at(s, leaf)->start;
            wr_group_unlink(s, &s->key.at[key], start);
            wr_vec_push(&s->waiting, (struct wr_group_waiting){wr_group_start_at(s, start)->first.sequence, key, start});
        }
    }
    wr_vec_clear(&s->over);
    give_waiting(p, s, false);
}

/* ---- Settling ------------------------------------------------------------------------------------- */

static void drop_start(struct wr_pattern *p, struct wr_group *s, struct wr_group_key *k, uint32_t id)
{
    wr_group_unlink(s, k, id);
    (void)wr_group_leave(p, s, k, wr_group_start_at(s, id)->node, true);
}

/* A start is decided. At the end of the input it waits for its turn among all keys, its tree as it is. */
static uint64_t decide(struct wr_pattern *p, struct wr_group *s, uint32_t key, uint32_t id, const struct pass *pass)
{
    struct wr_group_key *k = &s->key.at[key];
    WR_ASSERT(k->head == id); /* starts are decided in their order */
    const struct wr_row_id first = wr_group_start_at(s, id)->first;
    uint32_t leaf = wr_group_start_at(s, id)->node;
    trace_ended(s, leaf);
    uint64_t taken = 0;
    if (pass->ending) {
        wr_vec_push(&s->waiting, (struct wr_group_waiting){first.sequence, key, id});
        taken = taken_by(p, s, &first);
        wr_group_unlink(s, k, id);
        return taken;
    }
    give_chain(p, s, &first, key);
    taken = taken_by(p, s, &first);
    drop_start(p, s, k, id);
    return taken;
}

/* Looks at the key's starts from the earliest on, while they are over, taken away (by a match up to row number
 * `taken`) or decided. Returns up to which row they are taken away now. */
static uint64_t settle(struct wr_pattern *p, struct wr_group *s, uint32_t key, const struct pass *pass, uint64_t taken)
{
    struct wr_group_key *k = &s->key.at[key];
    while (k->head) {
        const struct wr_group_start *start = wr_group_start_at(s, k->head);
        if (start->first.sequence <= taken) {
            drop_start(p, s, k, k->head);
            continue;
        }
        bool over = is_over(p, start, pass);
        if (!over && !p->plan.in_order) return taken;
        const struct wr_group_config *config = wr_group_config_of(s, wr_group_find(s, start->node));
        if (config->over || (over && config->ended)) {
            uint64_t by = decide(p, s, key, k->head, pass);
            taken = WR_MAX(taken, by);
        } else if (over) {
            drop_start(p, s, k, k->head);
        } else {
            break;
        }
    }
    if (!k->head || !p->plan.past_last) return taken;
    /* It will have a match, with no fewer rows than the one it has now. */
    const struct wr_group_start *start = wr_group_start_at(s, k->head);
    if (!wr_group_config_of(s, wr_group_find(s, start->node))->ended) return taken;
    uint64_t last = last_ended(s, start->node);
    taken = WR_MAX(taken, last);
    while (start->next && wr_group_start_at(s, start->next)->first.sequence <= taken) drop_start(p, s, k, start->next);
    return taken;
}

/* ---- Moments ------------------------------------------------------------------------------------ */

/* Arms a moment for the end of the earliest start where a candidate that has ended waits. */
void wr_group_arm(struct wr_pattern *p, struct wr_group *s, uint32_t key)
{
    struct wr_group_key *k = &s->key.at[key];
    if (p->spec->within_us < 0 || !k->head) return;
    bool waits = false;
    for (uint32_t id = k->group; id && !waits; id = wr_group_node_at(s, id)->next) waits = wr_group_config_of(s, id)->ended;
    if (!waits) return;
    const struct wr_group_start *start = wr_group_start_at(s, k->head);
    int64_t end = wr_pattern_deadline(p, start->first.place.time);
    if (k->armed <= end || end < p->now || end == WR_TIME_MAX) return;
    k->armed = end;
    wr_timer_arm(&p->op.timers, end, start->first.sequence, key);
}

static void group_moment(struct wr_pattern *p, int64_t time, uint32_t key)
{
    struct wr_group *s = p->state;
    if (key >= s->key.count) return;
    if (s->key.at[key].armed == time) s->key.at[key].armed = WR_TIME_MAX;
    (void)settle(p, s, key, &(struct pass){.time = time, .sequence = p->op.timers.order}, 0);
    wr_group_arm(p, s, key);
}

/* ---- Rows --------------------------------------------------------------------------------------- */

static uint64_t bits_of(const struct wr_pattern *p, uint64_t variables, uint32_t row)
{
    uint64_t bits = 0;
    for (; variables; variables &= variables - 1) {
        uint32_t v = (uint32_t)__builtin_ctzll(variables);
        bits |= (uint64_t)wr_variable_bit(p, v, row) << v;
    }
    return bits;
}

/* Sets .made to the new links of a move from these. Held once each. */
static void make_links(struct wr_pattern *p, struct wr_group *s, const struct wr_group_move *move, const uint32_t *link,
                       uint32_t row)
{
    wr_vec_clear(&s->made);
    for (uint32_t m = 0; m < move->made_count; m++) {
        const struct wr_group_made *made = &move->made[m];
        uint32_t kept = wr_kept_current(p, &s->g, row);
        wr_vec_push(&s->made, wr_link_add(p, &s->g, link[made->source], kept, made->variable, made->flags,
                                          p->time[row]));
    }
}

/* The links of a move's candidates. `to` has room for them. */
static void pick_links(const struct wr_group *s, const struct wr_group_move *move, uint32_t count, const uint32_t *link,
                       uint32_t *to)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t from = move->link[i];
        to[i] = from & WR_GROUP_MADE ? s->made.at[from - WR_GROUP_MADE] : link[from];
    }
}

static void let_made_go(struct wr_pattern *p, struct wr_group *s)
{
    for (size_t i = 0; i < s->made.count; i++) wr_link_unref(p, &s->g, s->made.at[i]);
}

/* Moves a group, which is in no list now, on at a row. */
static void advance(struct wr_pattern *p, struct wr_group *s, uint32_t key, uint32_t id, uint32_t row)
{
    struct wr_group_key *k = &s->key.at[key];
    WR_ASSERT(!wr_group_node_at(s, id)->parent);
    uint32_t from = wr_group_node_at(s, id)->config;
    const struct wr_group_config *config = wr_group_config_at(s, from);
    uint64_t bits = bits_of(p, config->relevant, row);
    if (bits || !config->quiet) {
        const struct wr_group_move *move = wr_group_move(p, s, from, bits);
        if (!move->to) {
            wr_group_drop(p, s, k, id);
            return;
        }
        if (!move->same) {
            uint32_t link[WR_GROUP_CANDIDATES], count = wr_group_config_at(s, move->to)->count;
            const uint32_t *old = wr_group_links(s, wr_group_node_at(s, id));
            make_links(p, s, move, old, row);
            pick_links(s, move, count, old, link);
            wr_group_set(p, s, id, move->to, link);
            let_made_go(p, s);
        }
    }
    if (!p->plan.in_order && wr_group_config_of(s, id)->over) wr_vec_push(&s->over, id);
    else wr_group_insert(s, k, id);
}

/* The row's own start, behind all others, if some beginning takes it. */
static void begin(struct wr_pattern *p, struct wr_group *s, uint32_t key, uint32_t row)
{
    struct wr_group_key *k = &s->key.at[key];
    const struct wr_group_config *beginning = wr_group_config_at(s, WR_GROUP_BEGINNING);
    const struct wr_group_move *move = wr_group_move(p, s, WR_GROUP_BEGINNING, bits_of(p, beginning->relevant, row));
    if (!move->to) return;
    uint32_t link[WR_GROUP_CANDIDATES], count = wr_group_config_at(s, move->to)->count;
    make_links(p, s, move, &s->g.root, row);
    pick_links(s, move, count, &s->g.root, link);
    uint32_t id = wr_slab_alloc(&s->starts);
    struct wr_group_start *start = wr_group_start_at(s, id);
    *start = (struct wr_group_start){.first = wr_pattern_row_id(p, row), .before = k->tail};
    if (k->tail) wr_group_start_at(s, k->tail)->next = id;
    else k->head = id;
    k->tail = id;
    k->count++;
    uint32_t leaf = wr_group_leaf(s, id, move->to, link);
    let_made_go(p, s);
    if (!p->plan.in_order && wr_group_config_of(s, leaf)->over) {
        wr_vec_push(&s->over, leaf);
        give_over(p, s, key);
    } else {
        wr_group_insert(s, k, leaf);
    }
}

/* LIMIT n STARTS PER KEY: more than n are open. True: the oldest has gone, which others may have waited for. */
static bool limit_starts(struct wr_pattern *p, struct wr_group *s, uint32_t key)
{
    struct wr_group_key *k = &s->key.at[key];
    if (!p->spec->limit_starts || k->count <= p->spec->limit_starts) return false;
    if (p->spec->limit_policy == WR_STARTS_FAIL) {
        wr_pattern_fail_limit(p, key, p->spec->limit_starts, "LIMIT");
    }
    bool oldest = p->spec->limit_policy == WR_STARTS_DROP_OLDEST;
    uint32_t id = oldest ? k->head : k->tail;
    wr_operator_count(&p->op, "limit", "", wr_group_start_at(s, id)->first.place);
    drop_start(p, s, k, id);
    return oldest;
}

static void handle_row(struct wr_pattern *p, struct wr_group *s, uint32_t key, uint32_t row)
{
    struct wr_group_key *k = &s->key.at[key];
    struct pass pass = {.time = p->time[row], .sequence = UINT64_MAX};
    uint64_t taken = 0;
    if (k->head && is_over(p, wr_group_start_at(s, k->head), &pass)) taken = settle(p, s, key, &pass, 0);
    s->go++;
    s->waits = false;
    uint32_t id = k->group;
    k->group = 0;
    while (id) {
        uint32_t next = wr_group_node_at(s, id)->next;
        advance(p, s, key, id, row);
        id = next;
    }
    if (s->over.count) give_over(p, s, key);
    if (p->plan.in_order && s->waits) taken = settle(p, s, key, &pass, taken);
    if (wr_bit(p->insert, row) && p->sequence + row + 1 > taken) {
        begin(p, s, key, row);
        if (p->plan.in_order && s->waits) (void)settle(p, s, key, &pass, 0);
    }
    if (limit_starts(p, s, key)) (void)settle(p, s, key, &pass, 0);
    if (s->waits) wr_group_arm(p, s, key);
    wr_kept_settle(p, &s->g);
}

/* ---- The matcher -------------------------------------------------------------------------------- */

void wr_group_reserve(struct wr_group *s, uint32_t limit)
{
    if (limit <= s->key.count) return;
    wr_vec_reserve(&s->key, limit);
    for (size_t k = s->key.count; k < s->key.capacity; k++) s->key.at[k] = (struct wr_group_key){.armed = WR_TIME_MAX};
    s->key.count = s->key.capacity;
}

/* The first group of a key further on, whose links are in it; NULL: it has none. */
static inline const struct wr_group_node *ahead(const struct wr_group *s, uint32_t key)
{
    uint32_t group = s->key.at[key].group;
    const struct wr_group_node *node = group ? wr_group_node_at(s, group) : NULL;
    return node && node->count <= WR_GROUP_INLINE ? node : NULL;
}

/* A cell may lie across two cache lines. */
static inline void prefetch_cell(const void *cell, size_t size)
{
    wr_prefetch(cell);
    wr_prefetch((const char *)cell + size - 1);
}

/* Asks for what rows further on will read: the key's record, its first group and start, that one's chain, its last row. */
static inline void prefetch(const struct wr_pattern *p, const struct wr_group *s, const uint16_t *rows, uint32_t count,
                            uint32_t i)
{
    if (i + AHEAD_KEY < count) wr_prefetch(&s->key.at[(uint32_t)p->id[rows[i + AHEAD_KEY]]]);
    if (i + AHEAD_GROUP < count) {
        const struct wr_group_key *k = &s->key.at[(uint32_t)p->id[rows[i + AHEAD_GROUP]]];
        if (k->group) prefetch_cell(wr_group_node_at(s, k->group), sizeof(struct wr_group_node));
        if (k->head) prefetch_cell(wr_group_start_at(s, k->head), sizeof(struct wr_group_start));
    }
    if (i + AHEAD_LINK < count) {
        const struct wr_group_node *node = ahead(s, (uint32_t)p->id[rows[i + AHEAD_LINK]]);
        if (node) prefetch_cell(wr_link_at(&s->g, node->link[0]), sizeof(struct wr_link));
    }
    if (i + AHEAD_ROW < count) {
        const struct wr_group_node *node = ahead(s, (uint32_t)p->id[rows[i + AHEAD_ROW]]);
        uint32_t row = node ? wr_link_at(&s->g, node->link[0])->row : 0;
        if (row) prefetch_cell(wr_kept_at(&s->g, row), sizeof(struct wr_kept));
    }
}

/* What the pattern keeps has outgrown its bound (see match_general.c). */
static inline bool is_too_much(const struct wr_pattern *p, const struct wr_group *s)
{
    uint64_t blocks = (uint64_t)s->g.links.block_count + s->g.rows.block_count + s->starts.block_count + s->nodes.block_count;
    return blocks > p->plan.limits.bytes / WR_STATE_BYTES_BLOCK + 4; /* an empty slab has one, or none */
}

static void group_rows(struct wr_pattern *p)
{
    struct wr_group *s = p->state;
    wr_group_reserve(s, p->keys ? wr_keytable_id_limit(p->keys) : 1);
    const struct wr_batch *batch = p->batch;
    uint16_t rows[WR_BATCH_ROWS];
    uint32_t count = wr_pattern_rows(p, rows);
    WR_ASSERT(!s->g.current);
    for (uint32_t i = 0; i < count; i++) {
        if (WR_UNLIKELY(is_too_much(p, s))) wr_limits_check_operator(&p->op);
        if (WR_UNLIKELY(s->g.links.block_count >= WR_CROWD) && wr_task_halted(p->op.task)) return;
        prefetch(p, s, rows, count, i);
        wr_moments_until(&p->op, p->time[rows[i]]);
        if (WR_UNLIKELY(p->op.timers.next <= p->time[rows[i]])) return; /* halted */
        p->now = p->time[rows[i]];
        p->place = wr_batch_place(batch, rows[i]);
        handle_row(p, s, (uint32_t)p->id[rows[i]], rows[i]);
    }
}

static void group_end(struct wr_pattern *p)
{
    struct wr_group *s = p->state;
    WR_ASSERT(!s->waiting.count && p->place.source == WR_SOURCE_END);
    for (uint32_t key = 0; key < s->key.count; key++)
        if (s->key.at[key].head) (void)settle(p, s, key, &(struct pass){.ending = true}, 0);
    give_waiting(p, s, true);
    WR_ASSERT(!s->starts.live && !s->nodes.live && !s->g.rows.live && s->g.links.live == 1 + s->join.count);
}

static bool group_sweep(struct wr_pattern *p, uint32_t key)
{
    struct wr_group *s = p->state;
    if (key >= s->key.count) return true;
    struct wr_group_key *k = &s->key.at[key];
    if (p->spec->within_us >= 0 && k->head) {
        (void)settle(p, s, key, &(struct pass){.time = p->now, .sequence = UINT64_MAX}, 0);
        wr_group_arm(p, s, key);
    }
    if (k->head) return false;
    k->armed = WR_TIME_MAX;
    return true;
}

static int64_t group_armed(const struct wr_pattern *p, uint32_t key)
{
    const struct wr_group *s = p->state;
    return key < s->key.count ? s->key.at[key].armed : WR_TIME_MAX;
}

static void group_drop(struct wr_pattern *p, uint32_t key)
{
    struct wr_group *s = p->state;
    if (key >= s->key.count) return;
    struct wr_group_key *k = &s->key.at[key];
    while (k->head) drop_start(p, s, k, k->head);
    WR_ASSERT(!k->group && !k->count);
    k->armed = WR_TIME_MAX;
}

static void group_init(struct wr_pattern *p)
{
    struct wr_group *s = wr_alloc_zero(sizeof *s);
    p->state = s;
    WR_ASSERT(!p->plan.more && !p->plan.moments && !p->plan.accumulator_size);
    wr_links_init(p, &s->g);
    wr_slab_init(&s->nodes, (sizeof(struct wr_group_node) + 7) & ~(size_t)7);
    wr_slab_init(&s->starts, sizeof(struct wr_group_start));
    for (uint32_t c = 0; c < WR_GROUP_CLASSES; c++) wr_slab_init(&s->cells[c], (size_t)(4u << c) * sizeof(uint32_t));
    wr_group_table_init(p, s);
}

static void group_release(struct wr_pattern *p)
{
    struct wr_group *s = p->state;
    wr_links_release(p, &s->g);
    wr_slab_release(&s->nodes);
    wr_slab_release(&s->starts);
    for (uint32_t c = 0; c < WR_GROUP_CLASSES; c++) wr_slab_release(&s->cells[c]);
    wr_group_table_release(s);
    wr_vec_release(&s->key);
    wr_vec_release(&s->join);
    wr_vec_release(&s->path);
    wr_vec_release(&s->chain);
    wr_vec_release(&s->made);
    wr_vec_release(&s->over);
    wr_vec_release(&s->waiting);
    wr_free(s);
}

static void group_clear(struct wr_pattern *p)
{
    struct wr_group *s = p->state;
    for (size_t k = 0; k < s->key.count; k++) s->key.at[k] = (struct wr_group_key){.armed = WR_TIME_MAX};
    for (size_t i = WR_GROUP_BEGINNING + 1; i < s->table.config.count; i++) s->table.config.at[i].users = 0;
    wr_slab_clear(&s->nodes);
    wr_slab_clear(&s->starts);
    for (uint32_t c = 0; c < WR_GROUP_CLASSES; c++) wr_slab_clear(&s->cells[c]);
    wr_vec_clear(&s->join);
    wr_links_clear(p, &s->g);
}

static void group_measure(const struct wr_pattern *p, struct wr_operator_size *size)
{
    const struct wr_group *s = p->state;
    size->starts += s->starts.live;
    size->rows += s->g.rows.live;
    size->bytes += wr_slab_bytes(&s->starts) + wr_slab_bytes(&s->nodes) + wr_slab_bytes(&s->g.links) +
                   wr_slab_bytes(&s->g.rows) + s->key.capacity * sizeof *s->key.at;
    size->live += wr_slab_live_bytes(&s->starts) + wr_slab_live_bytes(&s->nodes) + wr_slab_live_bytes(&s->g.links) +
                  wr_slab_live_bytes(&s->g.rows) + size->keys * sizeof *s->key.at;
    for (uint32_t c = 0; c < WR_GROUP_CLASSES; c++) {
        size->bytes += wr_slab_bytes(&s->cells[c]);
        size->live += wr_slab_live_bytes(&s->cells[c]);
    }
}

const struct wr_matcher wr_match_group = {
    .name = "group",
    .init = group_init,
    .release = group_release,
    .rows = group_rows,
    .moment = group_moment,
    .end = group_end,
    .sweep = group_sweep,
    .save = wr_group_save,
    .load = wr_group_load,
    .clear = group_clear,
    .armed = group_armed,
    .drop = group_drop,
    .measure = group_measure,
    .check = wr_group_check,
};
