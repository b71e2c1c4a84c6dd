/* Dead nodes and columns that nothing reads.
 *
 * Backwards from the OUTPUT nodes each node learns which of its columns are read, then nodes are
 * made anew in their order without the rest, and every reference to a column (of code blocks, keys,
 * aggregates, match values) is renumbered. So only fields that a result depends on are decoded,
 * also through SELECT * and views. What always stays: the event time and what its watermark reads,
 * keys, bounds of windows, all columns of outputs. */
#include "compiler/state.h"

struct pruner {
    struct wr_compile *c;
    uint32_t count;
    uint8_t *live;
    uint8_t **need;       /* per node, one byte a column */
    uint8_t **aggregate;  /* PATTERN: one byte an aggregate */
    uint32_t **map;       /* per node: new number of a column, WR_NONE when dropped */
    uint32_t *number;     /* new number of a node */
    uint8_t *by_position; /* some reader takes the columns as they stand */
    WR_LIST(struct wr_node) out;
};

static struct wr_node *node_at(const struct pruner *p, uint32_t n)
{
    return &p->c->state->node.at[n];
}

static void need(struct pruner *p, uint32_t node, uint32_t column)
{
    WR_ASSERT(column < node_at(p, node)->schema.count);
    p->live[node] = 1;
    p->need[node][column] = 1;
}

/* ---- What is read ---------------------------------------------------------------------------- */

static void need_input(struct pruner *p, uint32_t owner, uint32_t from,
                       const struct wr_input *input)
{
    switch (input->kind) {
    case WR_INPUT_COLUMN:
    case WR_INPUT_LAST:
    case WR_INPUT_FIRST: need(p, from, input->column); break;
    case WR_INPUT_AGGREGATE: p->aggregate[owner][input->column] = 1; break;
    default: break;
    }
}

/* Inputs that the chosen results of a block read; chosen NULL: all results. */
static void need_block(struct pruner *p, uint32_t owner, uint32_t from, uint32_t code,
                       const uint8_t *chosen)
{
    if (code == WR_NONE) return;
    const struct wr_block *b = p->c->state->block.at[code];
    uint8_t *reached = WR_NEW_ARRAY(p->c->arena, uint8_t, b->node.count + 1);
    for (size_t i = 0; i < b->result.count; i++)
        if (!chosen || chosen[i]) reached[b->result.at[i]->id] = 1;
    wr_ir_reach(b, reached);
    for (size_t i = 0; i < b->node.count; i++)
        if (reached[i] && b->node.at[i]->kind == WR_IR_INPUT)
            need_input(p, owner, from, &b->node.at[i]->u.input);
}

static void need_aggregate(struct pruner *p, uint32_t from, const struct wr_aggregate *a)
{
    const uint32_t column[] = {a->column, a->column2, a->filter};
    for (unsigned i = 0; i < WR_COUNT(column); i++)
        if (column[i] != WR_NONE && column[i] != WR_COLUMN_CLASSIFIER) need(p, from, column[i]);
}

static void need_of_source(struct pruner *p, uint32_t n)
{
    const struct wr_source_node *s = &node_at(p, n)->u.source;
    if (s->time_column != WR_NONE) need(p, n, s->time_column);
    need_block(p, n, n, s->watermark, NULL);
    need_block(p, n, n, s->computed, p->need[n] + s->field_count);
}

static void need_of_pattern(struct pruner *p, uint32_t n, uint32_t from)
{
    const struct wr_pattern_node *m = &node_at(p, n)->u.pattern;
    for (uint32_t i = 0; i < m->key_count; i++) need(p, from, m->key[i]);
    need_block(p, n, from, m->row_code, NULL);
    for (uint32_t i = 0; i < m->variable_count; i++)
        need_block(p, n, from, m->variable[i].condition, NULL);
    for (uint32_t i = 0; i < m->history_count; i++) need_input(p, n, from, &m->history[i]);
    for (uint32_t i = 0; i < m->output_count; i++)
        if (p->need[n][i]) need_input(p, n, from, &m->output[i]);
    for (uint32_t i = 0; i < m->aggregate_count; i++) {
        p->aggregate[n][i] |= m->aggregate[i].running;
        if (p->aggregate[n][i]) need_aggregate(p, from, &m->aggregate[i]);
    }
}

static void need_of_window(struct pruner *p, uint32_t n, uint32_t from)
{
    const struct wr_window_node *w = &node_at(p, n)->u.window;
    for (uint32_t i = 0; i < w->key_count; i++) need(p, from, w->key[i]);
    for (uint32_t i = 0; i < w->key_count + 2; i++) p->need[n][i] = 1;
    for (uint32_t i = 0; i < w->aggregate_count; i++)
        if (p->need[n][w->key_count + 2 + i]) need_aggregate(p, from, &w->aggregate[i]);
}

static void need_of(struct pruner *p, uint32_t n)
{
    const struct wr_node *node = node_at(p, n);
    for (unsigned i = 0; i < node->input_count; i++) p->live[node->input[i]] = 1;
    uint32_t from = node->input_count ? node->input[0] : WR_NONE;
    switch ((enum wr_node_kind)node->kind) {
    case WR_NODE_SOURCE: need_of_source(p, n); break;
    case WR_NODE_SELECT:
        need_block(p, n, from, node->u.select.where, NULL);
        need_block(p, n, from, node->u.select.project, p->need[n]);
        break;
    case WR_NODE_MERGE:
    case WR_NODE_OUTPUT:
        for (unsigned i = 0; i < node->input_count; i++)
            for (uint32_t k = 0; k < node->schema.count; k++)
                if (p->need[n][k]) need(p, node->input[i], k);
        break;
    case WR_NODE_WINDOW: need_of_window(p, n, from); break;
    case WR_NODE_PATTERN: need_of_pattern(p, n, from); break;
    case WR_NODE_LATE: { /* its columns are those of what the window or pattern reads */
        uint32_t reads = node_at(p, from)->input[0];
        p->live[reads] = 1;
        for (uint32_t k = 0; k < node->schema.count; k++)
            if (p->need[n][k]) need(p, reads, k);
        break;
    }
    case WR_NODE_KIND_COUNT: break;
    }
}

static void mark_by_position(struct pruner *p, uint32_t n)
{
    const struct wr_node *node = node_at(p, n);
    bool late = (node->kind == WR_NODE_WINDOW && node->u.window.late_into) ||
                (node->kind == WR_NODE_PATTERN && node->u.pattern.late_into);
    if (!late && node->kind != WR_NODE_MERGE && node->kind != WR_NODE_OUTPUT) return;
    for (unsigned i = 0; i < node->input_count; i++) p->by_position[node->input[i]] = 1;
}

/* ---- Renumbering ----------------------------------------------------------------------------- */

static void remap_input(struct wr_input *input, const uint32_t *column, const uint32_t *aggregate)
{
    if (input->kind == WR_INPUT_COLUMN || input->kind == WR_INPUT_LAST ||
        input->kind == WR_INPUT_FIRST)
        input->column = (uint16_t)column[input->column];
    else if (input->kind == WR_INPUT_AGGREGATE && aggregate)
        input->column = (uint16_t)aggregate[input->column];
}

static void remap_block(struct pruner *p, uint32_t code, const uint8_t *chosen,
                        const uint32_t *column, const uint32_t *aggregate)
{
    if (code == WR_NONE) return;
    struct wr_block *b = p->c->state->block.at[code];
    if (chosen) {
        uint32_t kept = 0;
        for (uint32_t i = 0; i < b->result.count; i++)
            if (chosen[i]) b->result.at[kept++] = b->result.at[i];
        b->result.count = kept;
    }
    if (b->remapped) return; /* a block that several patterns share */
    b->remapped = true;
    for (size_t i = 0; i < b->node.count; i++)
        if (b->node.at[i]->kind == WR_IR_INPUT)
            remap_input(&b->node.at[i]->u.input, column, aggregate);
}

static struct wr_aggregate *remap_aggregates(struct pruner *p, const struct wr_aggregate *from,
                                             uint32_t *count, const uint8_t *chosen,
                                             const uint32_t *column)
{
    struct wr_aggregate *to = WR_NEW_ARRAY(p->c->arena, struct wr_aggregate, *count + 1);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < *count; i++) {
        if (!chosen[i]) continue;
        to[kept] = from[i];
        if (from[i].column != WR_NONE && from[i].column != WR_COLUMN_CLASSIFIER)
            to[kept].column = column[from[i].column];
        if (from[i].column2 != WR_NONE) to[kept].column2 = column[from[i].column2];
        if (from[i].filter != WR_NONE) to[kept].filter = column[from[i].filter];
        kept++;
    }
    *count = kept;
    return to;
}

static const uint32_t *remap_list(struct pruner *p, const uint32_t *from, uint32_t *count,
                                  const uint32_t *column)
{
    uint32_t *to = WR_NEW_ARRAY(p->c->arena, uint32_t, *count + 1);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < *count; i++)
        if (column[from[i]] != WR_NONE) to[kept++] = column[from[i]];
    *count = kept;
    return to;
}

static void keep_columns(struct pruner *p, uint32_t n, struct wr_node *node)
{
    struct wr_schema_column *column = WR_NEW_ARRAY(p->c->arena, struct wr_schema_column,
                                                   node->schema.count + 1);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < node->schema.count; i++) {
        p->map[n][i] = p->need[n][i] ? kept : WR_NONE;
        if (p->need[n][i]) column[kept++] = node->schema.column[i];
    }
    node->schema = (struct wr_schema){kept, column};
}

static void rebuild_source(struct pruner *p, uint32_t n, struct wr_source_node *s)
{
    struct wr_field *field = WR_NEW_ARRAY(p->c->arena, struct wr_field, s->field_count + 1);
    uint32_t kept = 0, computed = node_at(p, n)->schema.count - s->field_count;
    for (uint32_t i = 0; i < s->field_count; i++)
        if (p->need[n][i]) field[kept++] = s->field[i];
    remap_block(p, s->computed, p->need[n] + s->field_count, p->map[n], NULL);
    remap_block(p, s->watermark, NULL, p->map[n], NULL);
    uint8_t *not_null = WR_NEW_ARRAY(p->c->arena, uint8_t, computed + 1);
    uint32_t results = 0;
    bool any_not_null = false;
    for (uint32_t i = 0; i < computed; i++) {
        if (!p->need[n][s->field_count + i]) continue;
        not_null[results] = s->computed_not_null && s->computed_not_null[i];
        any_not_null |= not_null[results++];
    }
    if (!results) s->computed = WR_NONE;
    s->computed_not_null = any_not_null ? not_null : NULL;
    s->field = field;
    s->field_count = kept;
    if (s->time_column != WR_NONE) s->time_column = p->map[n][s->time_column];
}

static void rebuild_select(struct pruner *p, uint32_t n, struct wr_select_node *s,
                           const uint32_t *column)
{
    uint32_t count = node_at(p, n)->schema.count, kept = 0;
    uint8_t *carry = WR_NEW_ARRAY(p->c->arena, uint8_t, count + 1);
    for (uint32_t i = 0; i < count; i++)
        if (p->need[n][i]) carry[kept++] = s->carry[i];
    s->carry = carry;
    remap_block(p, s->where, NULL, column, NULL);
    remap_block(p, s->project, p->need[n], column, NULL);
}

static void rebuild_window(struct pruner *p, uint32_t n, struct wr_window_node *w,
                           const uint32_t *column)
{
    w->key = remap_list(p, w->key, &w->key_count, column);
    w->aggregate = remap_aggregates(p, w->aggregate, &w->aggregate_count,
                                    p->need[n] + w->key_count + 2, column);
}

static void read_of_rows(const struct wr_input *input, bool output, uint8_t *read)
{
    bool column = input->kind == WR_INPUT_COLUMN && (output || input->step);
    if (column || input->kind == WR_INPUT_LAST || input->kind == WR_INPUT_FIRST) read[input->column] = 1;
}

/* What a condition reads of rows beside the current one. */
static void read_by_steps(struct pruner *p, uint32_t code, uint8_t *read)
{
    if (code == WR_NONE) return;
    const struct wr_block *b = p->c->state->block.at[code];
    for (size_t i = 0; i < b->node.count; i++)
        if (b->node.at[i]->kind == WR_IR_INPUT) read_of_rows(&b->node.at[i]->u.input, false, read);
}

static void rebuild_pattern(struct pruner *p, uint32_t n, struct wr_pattern_node *m,
                            const uint32_t *column)
{
    struct wr_arena *arena = p->c->arena;
    uint32_t *aggregate = WR_NEW_ARRAY(arena, uint32_t, m->aggregate_count + 1);
    for (uint32_t i = 0, kept = 0; i < m->aggregate_count; i++)
        aggregate[i] = p->aggregate[n][i] ? kept++ : WR_NONE;
    m->key = remap_list(p, m->key, &m->key_count, column);
    remap_block(p, m->row_code, NULL, column, aggregate);
    for (uint32_t i = 0; i < m->variable_count; i++)
        remap_block(p, m->variable[i].condition, NULL, column, aggregate);
    struct wr_input *history = WR_NEW_ARRAY(arena, struct wr_input, m->history_count + 1);
    for (uint32_t i = 0; i < m->history_count; i++) {
        history[i] = m->history[i];
        remap_input(&history[i], column, aggregate);
    }
    struct wr_input *output = WR_NEW_ARRAY(arena, struct wr_input, m->output_count + 1);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < m->output_count; i++) {
        if (!p->need[n][i]) continue;
        output[kept] = m->output[i];
        remap_input(&output[kept++], column, aggregate);
    }
    m->aggregate = remap_aggregates(p, m->aggregate, &m->aggregate_count, p->aggregate[n], column);
    /* Kept are the columns that are still read of a match's rows and of those around them. */
    uint8_t *read = WR_NEW_ARRAY(arena, uint8_t, node_at(p, node_at(p, n)->input[0])->schema.count + 1);
    for (uint32_t i = 0; i < m->history_count; i++) read_of_rows(&history[i], false, read);
    m->out_next_max = 0;
    for (uint32_t i = 0; i < kept; i++) {
        read_of_rows(&output[i], true, read);
        if (output[i].step > m->out_next_max) m->out_next_max = (uint16_t)output[i].step;
    }
    for (uint32_t i = 0; i < m->variable_count; i++) read_by_steps(p, m->variable[i].condition, read);
    for (uint32_t i = 0; i < m->aggregate_count; i++) {
        const uint32_t of[] = {m->aggregate[i].column, m->aggregate[i].column2, m->aggregate[i].filter};
        for (unsigned k = 0; k < WR_COUNT(of); k++)
            if (of[k] != WR_NONE && of[k] != WR_COLUMN_CLASSIFIER) read[of[k]] = 1;
    }
    uint32_t *keep = WR_NEW_ARRAY(arena, uint32_t, m->keep_count + 1), keeps = 0;
    for (uint32_t i = 0; i < m->keep_count; i++) {
        uint32_t to = column[m->keep[i]];
        if (to != WR_NONE && read[to]) keep[keeps++] = to;
    }
    m->keep = keep;
    m->keep_count = keeps;
    m->history = history;
    m->output = output;
    m->output_count = kept;
}

/* A SELECT that passes exactly the columns that a MERGE reads: its input has others read by
 * somebody else. */
static uint32_t adapt(struct pruner *p, uint32_t merge, uint32_t input)
{
    const struct wr_schema *schema = &node_at(p, input)->schema;
    struct wr_schema_column *column = WR_NEW_ARRAY(p->c->arena, struct wr_schema_column,
                                                   schema->count + 1);
    struct wr_block *b = wr_block_new(p->c);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < schema->count; i++) {
        if (!p->need[merge][i]) continue;
        column[kept++] = schema->column[i];
        wr_block_column(b, wr_ir_input(b, (struct wr_input){.kind = WR_INPUT_COLUMN,
                                                            .type = schema->column[i].type,
                                                            .column = (uint16_t)p->map[input][i]}));
    }
    uint8_t *carry = WR_NEW_ARRAY(p->c->arena, uint8_t, kept + 1);
    memset(carry, 1, kept);
    struct wr_node node = {.kind = WR_NODE_SELECT,
                           .input_count = 1,
                           .query = node_at(p, merge)->query,
                           .input = wr_inputs(p->c, p->number[input]),
                           .schema = {kept, column},
                           .place = node_at(p, merge)->place};
    node.name = wr_cstr(p->c,
                        wr_arena_printf(p->c->arena, "%s.%u", node_at(p, merge)->name, input));
    node.u.select = (struct wr_select_node){WR_NONE, wr_block_finish(b), carry};
    wr_list_push(p->c->arena, &p->out, node);
    return (uint32_t)p->out.count - 1;
}

static bool reads_all(const struct pruner *p, uint32_t merge, uint32_t input)
{
    return memcmp(p->need[merge], p->need[input], node_at(p, merge)->schema.count) == 0;
}

/* Is a column (new number) of the node that stands for old node n free of error values? */
static bool never_fails(const struct pruner *p, uint32_t n, uint32_t column)
{
    const struct wr_node *node = &p->out.at[p->number[n]];
    if (node->kind == WR_NODE_SOURCE) return column < node->u.source.field_count;
    return node->kind == WR_NODE_SELECT && !node->u.select.carry[column];
}

/* A SELECT without WHERE whose columns are plain ones of its input does nothing that its readers
 * could not do: they read through it. Where a reader takes columns by position (MERGE, OUTPUT, rows
 * that were too late), it must moreover be the input, column for column. */
static bool is_transparent(const struct pruner *p, uint32_t n, const struct wr_node *node)
{
    if (node->kind != WR_NODE_SELECT || node->u.select.where != WR_NONE) return false;
    uint32_t from = node_at(p, n)->input[0];
    const struct wr_block *b = p->c->state->block.at[node->u.select.project];
    if (p->by_position[n] && p->out.at[node->input[0]].schema.count != node->schema.count)
        return false;
    for (uint32_t k = 0; k < node->schema.count; k++) {
        const struct wr_ir *ir = b->result.at[k];
        if (ir->kind != WR_IR_INPUT || ir->u.input.kind != WR_INPUT_COLUMN) return false;
        if (p->by_position[n] && ir->u.input.column != k) return false;
        if (!node->u.select.carry[k] && !never_fails(p, from, ir->u.input.column)) return false;
    }
    return true;
}

/* Readers of node n are given the columns of its input. */
static void read_through(struct pruner *p, uint32_t n, const struct wr_node *node)
{
    const struct wr_block *b = p->c->state->block.at[node->u.select.project];
    uint32_t count = node_at(p, n)->schema.count;
    for (uint32_t i = 0; i < count; i++)
        if (p->map[n][i] != WR_NONE) p->map[n][i] = b->result.at[p->map[n][i]]->u.input.column;
    p->number[n] = node->input[0];
}

static void rebuild(struct pruner *p, uint32_t n)
{
    struct wr_node node = *node_at(p, n);
    uint32_t from = node.input_count ? node.input[0] : WR_NONE;
    uint32_t *input = WR_NEW_ARRAY(p->c->arena, uint32_t, node.input_count + 1u);
    if (node.kind == WR_NODE_LATE) { /* exactly what its window or pattern reads */
        uint32_t reads = node_at(p, from)->input[0];
        memcpy(p->need[n], p->need[reads], node.schema.count);
    }
    keep_columns(p, n, &node);
    const uint32_t *column = from != WR_NONE ? p->map[from] : NULL;
    for (unsigned i = 0; i < node.input_count; i++) input[i] = p->number[node.input[i]];
    switch ((enum wr_node_kind)node.kind) {
    case WR_NODE_SOURCE: rebuild_source(p, n, &node.u.source); break;
    case WR_NODE_SELECT: rebuild_select(p, n, &node.u.select, column); break;
    case WR_NODE_MERGE:
        for (unsigned i = 0; i < node.input_count; i++)
            if (!reads_all(p, n, node.input[i])) input[i] = adapt(p, n, node.input[i]);
        break;
    case WR_NODE_WINDOW: rebuild_window(p, n, &node.u.window, column); break;
    case WR_NODE_PATTERN: rebuild_pattern(p, n, &node.u.pattern, column); break;
    default: break;
    }
    node.input = input;
    p->number[n] = (uint32_t)p->out.count;
    if (is_transparent(p, n, &node)) read_through(p, n, &node);
    else wr_list_push(p->c->arena, &p->out, node);
}

void wr_prune(struct wr_compile *c)
{
    struct pruner p = {.c = c, .count = (uint32_t)c->state->node.count};
    p.live = WR_NEW_ARRAY(c->arena, uint8_t, p.count + 1);
    p.need = WR_NEW_ARRAY(c->arena, uint8_t *, p.count + 1);
    p.aggregate = WR_NEW_ARRAY(c->arena, uint8_t *, p.count + 1);
    p.map = WR_NEW_ARRAY(c->arena, uint32_t *, p.count + 1);
    p.number = WR_NEW_ARRAY(c->arena, uint32_t, p.count + 1);
    p.by_position = WR_NEW_ARRAY(c->arena, uint8_t, p.count + 1);
    for (uint32_t i = 0; i < p.count; i++) {
        const struct wr_node *node = node_at(&p, i);
        p.need[i] = WR_NEW_ARRAY(c->arena, uint8_t, node->schema.count + 1);
        p.map[i] = WR_NEW_ARRAY(c->arena, uint32_t, node->schema.count + 1);
        if (node->kind == WR_NODE_PATTERN)
            p.aggregate[i] = WR_NEW_ARRAY(c->arena, uint8_t, node->u.pattern.aggregate_count + 1);
        if (node->kind != WR_NODE_OUTPUT) continue;
        p.live[i] = 1;
        memset(p.need[i], 1, node->schema.count);
    }
    for (uint32_t i = p.count; i-- > 0;) {
        if (!p.live[i]) continue;
        need_of(&p, i);
        mark_by_position(&p, i);
    }
    for (uint32_t i = 0; i < p.count; i++)
        if (p.live[i]) rebuild(&p, i);
    c->state->node.count = 0;
    for (uint32_t i = 0; i < p.out.count; i++)
        wr_list_push(c->arena, &c->state->node, p.out.at[i]);
}
