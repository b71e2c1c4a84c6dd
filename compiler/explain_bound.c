/* What is kept of a key, and what bounds it. Figures come from the runtime's own layouts; without them only the words
 * stand. */
#include "compiler/explain.h"

#include "vm/limits.h"
#include "vm/pattern_class.h"

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

/* "and their texts" where kept columns have no fixed size. */
static void texts(const struct wr_explain *e, const struct wr_node *node, struct wr_buf *out)
{
    const struct wr_pattern_node *p = &node->u.pattern;
    const struct wr_schema *in = &e->program->node[node->input[0]].schema;
    for (uint32_t i = 0; i < p->keep_count; i++) {
        if (wr_class_size(wr_type_class(in->column[p->keep[i]].type))) continue;
        wr_buf_add_cstr(out, " and its texts");
        return;
    }
}

static void pattern_bytes(const struct wr_explain *e, uint32_t number, struct wr_buf *out)
{
    const struct wr_state_bound *bound = &e->bound[number];
    wr_buf_printf(out, "%u bytes; %u for each open start", bound->key, bound->start);
    if (bound->way) wr_buf_printf(out, ", %u for each further way on which it may go on", bound->way);
    if (bound->row) wr_buf_printf(out, ", %u for each row taken %s", bound->row, bound->way ? "on a way" : "behind its first");
    texts(e, &e->program->node[number], out);
}

/* Can nothing but the very next row go on with a match? */
static bool is_adjacent(const struct wr_pattern_node *p)
{
    for (uint32_t i = 0; i < p->position_count; i++) {
        const struct wr_pattern_position *position = &p->position[i];
        if (position->absence_us != WR_ABSENCE_NONE) return false;
        for (uint32_t k = 0; k < position->follow_count; k++) {
            const struct wr_follow *f = &p->follow[position->follow + k];
            if (f->position != WR_ACCEPT && f->connector != 0) return false;
        }
    }
    return true;
}

/* How long a start may live whatever comes, as each step has its own bound or is an absence; -1: no bound, or too far to say. */
static int64_t longest_life(const struct wr_pattern_node *p)
{
    enum { MOST = 64 };
    int64_t life[MOST]; /* from a position on; positions are looked at from behind */
    if (p->position_count > MOST) return -1;
    for (uint32_t i = p->position_count; i-- > 0;) {
        const struct wr_pattern_position *at = &p->position[i];
        life[i] = 0;
        for (uint32_t k = 0; k < at->follow_count; k++) {
            const struct wr_follow *f = &p->follow[at->follow + k];
            if (f->position == WR_ACCEPT) continue;
            int64_t absence = p->position[f->position].absence_us;
            int64_t step = absence == WR_ABSENCE_NONE ? f->high_us : absence > 0 ? absence : -1, all;
            if (f->position <= i || step < 0 || __builtin_add_overflow(step, life[f->position], &all)) return -1;
            life[i] = WR_MAX(life[i], all);
        }
    }
    int64_t most = 0;
    for (uint32_t k = 0; k < p->first_count; k++) {
        uint16_t position = p->follow[p->first + k].position;
        if (position != WR_ACCEPT) most = WR_MAX(most, life[position]);
    }
    return most;
}

static void starts(const struct wr_explain *e, uint32_t number, uint32_t longest, struct wr_buf *out)
{
    const struct wr_pattern_node *p = &e->program->node[number].u.pattern;
    const struct wr_state_bound *bound = e->bound ? &e->bound[number] : NULL;
    wr_buf_add_cstr(out, "Open starts of a key: ");
    if (bound && bound->one_start) {
        wr_buf_add_cstr(out, "one, the earliest");
    } else if (p->limit_starts) {
        wr_buf_printf(out, "at most %u", p->limit_starts);
    } else if (longest && is_adjacent(p)) {
        wr_buf_printf(out, "at most %u, as each is decided within so many rows of its key", longest);
    } else if (p->within_us >= 0) {
        wr_buf_add_cstr(out, "the rows of the last ");
        wr_explain_duration(p->within_us, out);
        wr_buf_add_cstr(out, " that may begin a match");
    } else if (longest_life(p) >= 0) {
        wr_buf_add_cstr(out, "the rows of the last ");
        wr_explain_duration(longest_life(p), out);
        wr_buf_add_cstr(out, " that may begin a match, as each step has its time");
    } else {
        wr_buf_add_cstr(out, "no bound, as neither WITHIN nor LIMIT ends one");
        if (bound && bound->elders) wr_buf_add_cstr(out, "; those that have come no farther than an earlier one are not kept");
    }
}

static void rows_of_a_start(const struct wr_pattern_node *p, uint32_t longest, struct wr_buf *out)
{
    wr_buf_add_cstr(out, "Rows taken on one way: ");
    if (longest) {
        wr_buf_printf(out, "at most %u", longest);
    } else if (p->within_us >= 0) {
        wr_buf_add_cstr(out, "any number within ");
        wr_explain_duration(p->within_us, out);
    } else {
        wr_buf_add_cstr(out, "no bound, as no WITHIN ends it");
    }
}

static void pattern_bound(const struct wr_explain *e, uint32_t number, const char *between, struct wr_buf *out)
{
    const struct wr_pattern_node *p = &e->program->node[number].u.pattern;
    uint32_t longest = wr_explain_longest(p);
    if (wr_pattern_class(p) == WR_MATCHER_ROW) {
        wr_buf_add_cstr(out, "nothing: each match is whole at once");
        return;
    }
    if (e->bound && e->bound[number].start) pattern_bytes(e, number, out);
    else wr_buf_add_cstr(out, "its open starts, and the rows that they have taken");
    wr_buf_add_cstr(out, between);
    starts(e, number, longest, out);
    wr_buf_add_cstr(out, between);
    rows_of_a_start(p, longest, out);
}

/* Aggregates that collect values keep as many as there are. */
static bool collects(const struct wr_window_node *w)
{
    for (uint32_t i = 0; i < w->aggregate_count; i++) {
        uint8_t fn = w->aggregate[i].fn;
        if (fn == WR_AGG_STRING_AGG || fn == WR_AGG_ARRAY_AGG || fn == WR_AGG_COUNT_DISTINCT) return true;
    }
    return false;
}

static void add_limit(uint64_t most, const char *what, const char *then, struct wr_buf *out)
{
    if (most == UINT64_MAX) return;
    wr_buf_printf(out, "%llu %s (%s), ", (unsigned long long)most, what, then);
}

/* What SET max_… and on_limit say of the query as a whole. */
static void limits_of(const struct wr_program *program, const struct wr_node *node, struct wr_buf *out)
{
    static const char *const policy[] = {[WR_ON_LIMIT_FAIL] = "then the run ends",
                                         [WR_ON_LIMIT_DROP_OLDEST] = "then the oldest is dropped",
                                         [WR_ON_LIMIT_DROP_NEW] = "then the new one is dropped"};
    struct wr_limits l;
    wr_limits_read(program, &l);
    const char *ends = policy[WR_ON_LIMIT_FAIL];
    bool pattern = node->kind == WR_NODE_PATTERN;
    wr_buf_add_cstr(out, "Over all keys: at most ");
    if (pattern) {
        if (!node->u.pattern.limit_starts) add_limit(l.starts_key, "open starts of a key", policy[l.policy], out);
        add_limit(l.starts_pattern, "open starts", policy[l.policy], out);
        add_limit(l.starts, "open starts in all patterns", ends, out);
        add_limit(l.rows, "kept rows", l.policy == WR_ON_LIMIT_DROP_OLDEST ? "then the oldest start is dropped" : ends, out);
    } else {
        add_limit(l.windows, "open windows", ends, out);
    }
    add_limit(l.keys, "keys", pattern ? policy[l.policy] : ends, out);
    wr_print_bytes(l.bytes, out);
    wr_buf_printf(out, " of state (%s)", ends);
}

/* What SET memory_max does for the query's keys. */
static void leaves_memory(const struct wr_program *program, const struct wr_node *node, const char *between, struct wr_buf *out)
{
    const char *text = wr_program_setting(program, "memory_max");
    uint64_t most;
    struct wr_limits l;
    if (!text || !wr_parse_bytes(wr_slice_cstr(text), &most)) return;
    wr_limits_read(program, &l);
    wr_buf_add_cstr(out, between);
    if (node->kind == WR_NODE_PATTERN && !node->u.pattern.key_count) {
        wr_buf_add_cstr(out, "memory_max moves nothing of it: without PARTITION BY it has one key");
    } else if (l.set) {
        wr_buf_add_cstr(out, "memory_max moves nothing of it: keys are counted against the limit that the program sets");
    } else {
        wr_buf_add_cstr(out, "With --state, keys that rest move to the disk once all queries' keys take ");
        wr_print_bytes(most, out);
        wr_buf_add_cstr(out, " (memory_max)");
    }
}

void wr_explain_bound(const struct wr_explain *e, uint32_t number, const char *between, struct wr_buf *out)
{
    const struct wr_node *node = &e->program->node[number];
    if (node->kind == WR_NODE_PATTERN) {
        pattern_bound(e, number, between, out);
        if (wr_pattern_class(&node->u.pattern) == WR_MATCHER_ROW) return;
        wr_buf_add_cstr(out, between);
        limits_of(e->program, node, out);
        leaves_memory(e->program, node, between, out);
        return;
    }
    WR_ASSERT(node->kind == WR_NODE_WINDOW);
    const struct wr_window_node *w = &node->u.window;
    uint64_t panes = (uint64_t)((w->size_us + w->late_us) / w->slide_us + 1);
    if (e->bound) {
        wr_buf_printf(out, "%u bytes, and %u for each open window", e->bound[number].key, e->bound[number].start);
        if (collects(w)) wr_buf_add_cstr(out, " and what its aggregates collect");
        wr_buf_add_cstr(out, between);
        wr_buf_add_cstr(out, "Open windows of a key: ");
    }
    wr_buf_printf(out,
                  "%llu window%s of %u aggregate%s that may be open at one time, and those that the watermark's "
                  "delay keeps open",
                  (unsigned long long)panes, plural(panes), w->aggregate_count, plural(w->aggregate_count));
    wr_buf_add_cstr(out, between);
    limits_of(e->program, node, out);
    leaves_memory(e->program, node, between, out);
}
