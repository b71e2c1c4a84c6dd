/* PATTERN and MATCH_RECOGNIZE: the clauses, the nodes, the result. See pattern.h for the other
 * files.
 *
 *     input ── SELECT ── PATTERN ── SELECT ──► rows
 *              helper       └────── LATE ────► rows that came too late
 *              columns
 * The first SELECT is there only when keys or arguments are no plain columns. The columns of
 * PATTERN are the values that the MEASURES or the SELECT list read of a match; the SELECT behind it
 * computes with them. */
#include "compiler/pattern.h"
#include "compiler/ir.h"
#include "compiler/state.h"

#include "dsl/fmt.h"

#include <stdlib.h>

/* ---- Clauses --------------------------------------------------------------------------------- */

/* SKIP TO the first row of every match would find the same match for ever. */
static bool skips_nowhere(const struct wr_match_lowering *m, uint32_t set)
{
    const struct wr_automaton *a = &m->automaton;
    if (a->first_count == 0) return false; /* no match at all */
    for (uint32_t i = 0; i < a->first_count; i++) {
        uint32_t p = a->follow[a->first + i].position;
        if (p == WR_ACCEPT || !wr_match_set_has(m, set, a->variable[p])) return false;
    }
    if (m->match->skip == WR_SKIP_TO_FIRST) return true;
    for (uint32_t p = 0; p < a->position_count; p++) {
        bool begins = false;
        for (uint32_t i = 0; i < a->first_count; i++)
            begins |= a->follow[a->first + i].position == p;
        for (uint32_t i = 0; i < a->follow_size[p]; i++)
            begins &= a->follow[a->follow_start[p] + i].position != p;
        if (!begins && wr_match_set_has(m, set, a->variable[p])) return false;
    }
    return true;
}

static bool check_skip(struct wr_match_lowering *m)
{
    const struct wr_match *match = m->match;
    if (match->skip != WR_SKIP_TO_FIRST && match->skip != WR_SKIP_TO_LAST) return true;
    uint32_t set = wr_match_find_set(m, &match->skip_variable);
    const char *clause = match->skip == WR_SKIP_TO_FIRST ? "SKIP TO FIRST" : "SKIP TO LAST";
    if (set == WR_NONE) {
        wr_match_unknown_variable(m, &match->skip_variable, clause);
    } else if (skips_nowhere(m, set)) {
        struct wr_diag *d = wr_diag_add(
            m->c->diags, WR_DIAG_W0803, match->skip_span,
            "'%.*s' is the first row of every match, so the same match would be found "
            "again",
            WR_SLICE_ARG(match->skip_variable.text));
        wr_diag_help(m->c->diags, d, "SKIP TO NEXT ROW goes on from the second row");
    } else if (set < m->variable.count && !m->variable.at[set].has_rows) {
        wr_diag_add(m->c->diags, WR_DIAG_W0806, match->skip_variable.span,
                    "'%.*s' stands under NOT, so no match has a row of it to go on at",
                    WR_SLICE_ARG(match->skip_variable.text));
    } else {
        return true;
    }
    return false;
}

/* A row is in many of ALL MATCHES or in none: there is no one row that could be printed for it. */
static bool check_exclusive(struct wr_match_lowering *m)
{
    const struct wr_match *match = m->match;
    if (!match->all_matches || match->rows != WR_ALL_ROWS_UNMATCHED) return true;
    struct wr_diag *d = wr_diag_add(
        m->c->diags, WR_DIAG_W0816, match->all_matches_span,
        "with ALL MATCHES a row can be in many matches, so WITH UNMATCHED ROWS cannot "
        "print each row once");
    wr_diag_second(m->c->diags, d, match->rows_span, "each row is asked for here");
    return false;
}

/* Starts run out of time only where there is one. */
static bool check_timeouts(struct wr_match_lowering *m)
{
    const struct wr_match *match = m->match;
    if (!match->timeouts || match->within) return true;
    struct wr_diag *d = wr_diag_add(m->c->diags, WR_DIAG_W0819, match->timeouts_span,
                                    "without WITHIN no start ever runs out of time");
    wr_diag_help(m->c->diags, d, "say how long a match may take: WITHIN 10m");
    return false;
}

static bool check_order(struct wr_match_lowering *m)
{
    const struct wr_order_list *order = &m->match->order;
    if (order->count == 0) return true;
    const struct wr_order_item *first = &order->at[0];
    if (!wr_relation_is_time(m->input, first->expr) || first->descending) {
        struct wr_diag *d = wr_diag_add(m->c->diags, WR_DIAG_W0802, first->expr->span,
                                        "a pattern's rows stand in the order of their event time%s",
                                        first->descending ? ", the earliest first" : "");
        if (m->input->time_column != WR_NONE)
            wr_diag_help(m->c->diags, d, "ORDER BY %s",
                         m->input->schema->column[m->input->time_column].name);
        else
            wr_diag_help(m->c->diags, d, "ORDER BY event_time");
        return false;
    }
    if (order->count == 1) return true;
    wr_not_yet(m->c, order->at[1].expr->span, "a second key in ORDER BY");
    return false;
}

/* ---- Nodes ----------------------------------------------------------------------------------- */

static int compare_columns(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void keep_inputs(uint32_t *keep, uint32_t *count, const struct wr_input *input,
                        uint32_t inputs)
{
    for (uint32_t i = 0; i < inputs; i++)
        if (input[i].kind == WR_INPUT_LAST || input[i].kind == WR_INPUT_FIRST ||
            input[i].kind == WR_INPUT_COLUMN)
            keep[(*count)++] = input[i].column;
}

/* The columns that LAST, FIRST, steps and aggregates read, in order. */
static void fill_keep(struct wr_match_lowering *m, struct wr_pattern_node *p)
{
    uint32_t most = m->history.count + m->stepped.count + m->output.count + 3 * m->aggregate.count,
             count = 0;
    uint32_t *keep = WR_NEW_ARRAY(m->c->arena, uint32_t, most + 1);
    keep_inputs(keep, &count, m->history.at, m->history.count);
    keep_inputs(keep, &count, m->stepped.at, m->stepped.count);
    keep_inputs(keep, &count, m->output.at, m->output.count);
    for (uint32_t i = 0; i < m->aggregate.count; i++) {
        const struct wr_aggregate *a = &m->aggregate.at[i];
        uint32_t column[] = {a->column, a->column2, a->filter};
        for (size_t k = 0; k < WR_COUNT(column); k++)
            if (column[k] != WR_NONE && column[k] != WR_COLUMN_CLASSIFIER) keep[count++] = column[k];
    }
    qsort(keep, count, sizeof *keep, compare_columns);
    uint32_t distinct = 0;
    for (uint32_t i = 0; i < count; i++)
        if (distinct == 0 || keep[distinct - 1] != keep[i]) keep[distinct++] = keep[i];
    p->keep = keep;
    p->keep_count = distinct;
}

static void fill_steps(struct wr_match_lowering *m, struct wr_pattern_node *p)
{
    const struct wr_input *lists[] = {m->history.at, m->stepped.at, m->output.at};
    const uint32_t counts[] = {m->history.count, m->stepped.count, m->output.count};
    for (size_t l = 0; l < WR_COUNT(lists); l++)
        for (uint32_t i = 0; i < counts[l]; i++) {
            int step = lists[l][i].step;
            uint16_t *next = l < 2 ? &p->next_max : &p->out_next_max;
            if (-step > p->prev_max) p->prev_max = (uint16_t)-step;
            if (step > *next) *next = (uint16_t)step;
        }
}

static void fill_sets(struct wr_match_lowering *m, struct wr_pattern_node *p)
{
    p->set_count = m->variable.count + m->subset.count;
    p->set_words = m->set_words;
    uint64_t *set = WR_NEW_ARRAY(m->c->arena, uint64_t, (size_t)p->set_count * p->set_words);
    for (uint32_t v = 0; v < m->variable.count; v++)
        set[(size_t)v * p->set_words + v / 64] |= (uint64_t)1 << (v % 64);
    for (uint32_t s = 0; s < m->subset.count; s++)
        memcpy(&set[(size_t)(m->variable.count + s) * p->set_words], m->subset.at[s].mask,
               p->set_words * sizeof *set);
    p->set = set;
}

static void fill_automaton(struct wr_match_lowering *m, struct wr_pattern_node *p)
{
    const struct wr_automaton *a = &m->automaton;
    struct wr_pattern_position *position = WR_NEW_ARRAY(m->c->arena, struct wr_pattern_position,
                                                        a->position_count);
    for (uint32_t i = 0; i < a->position_count; i++)
        position[i] = (struct wr_pattern_position){.variable = a->variable[i],
                                                   .follow = a->follow_start[i],
                                                   .follow_count = a->follow_size[i],
                                                   .excluded = a->excluded[i],
                                                   .absence_us = a->absence_us[i],
                                                   .reads = WR_NONE};
    p->position_count = a->position_count;
    p->position = position;
    p->follow_count = a->follow_count;
    p->follow = a->follow;
    p->kill_count = a->kill_count;
    p->kill = a->kill;
    p->claim_count = a->claim_count;
    p->claim = a->claim;
    p->lead_count = a->lead_count;
    p->lead = a->lead;
    p->first = a->first;
    p->first_count = a->first_count;
    wr_match_fill_conditions(m, p, position);
}

static bool fill_clauses(struct wr_match_lowering *m, struct wr_pattern_node *p)
{
    const struct wr_match *match = m->match;
    enum wr_skip_kind skip = match->skip;
    if (skip == WR_SKIP_UNSAID) skip = m->c->flink_dialect ? WR_SKIP_NEXT_ROW : WR_SKIP_PAST_LAST;
    p->after_match = skip == WR_SKIP_NEXT_ROW   ? WR_AFTER_NEXT_ROW
                     : skip == WR_SKIP_TO_FIRST ? WR_AFTER_TO_FIRST
                     : skip == WR_SKIP_TO_LAST  ? WR_AFTER_TO_LAST
                                                : WR_AFTER_PAST_LAST;
    p->after_set = WR_SET_ALL;
    if (p->after_match == WR_AFTER_TO_FIRST || p->after_match == WR_AFTER_TO_LAST)
        p->after_set = (uint16_t)wr_match_find_set(m, &match->skip_variable);
    p->all_rows = match->rows == WR_ALL_ROWS_SHOW        ? WR_OUTPUT_SHOW_EMPTY
                  : match->rows == WR_ALL_ROWS_OMIT      ? WR_OUTPUT_OMIT_EMPTY
                  : match->rows == WR_ALL_ROWS_UNMATCHED ? WR_OUTPUT_UNMATCHED
                                                         : WR_OUTPUT_ONE_ROW;
    p->timeouts = match->timeouts;
    p->limit_starts = match->limit_starts;
    p->limit_policy = match->limit_policy == WR_LIMIT_DROP_NEW ? WR_STARTS_DROP_NEW
                      : match->limit_policy == WR_LIMIT_FAIL   ? WR_STARTS_FAIL
                                                               : WR_STARTS_DROP_OLDEST;
    p->within_us = -1;
    p->late_into = match->late_into.text.size != 0;
    p->needs_ids = m->needs_ids;
    struct wr_buf text = {0};
    wr_fmt_pattern(match->pattern, &text);
    p->text = wr_arena_cstr(m->c->arena, wr_buf_slice(&text));
    wr_buf_release(&text);
    bool ok = !match->within || wr_check_duration(m->c, match->within, "WITHIN", &p->within_us);
    return (!match->suppress || wr_check_duration(m->c, match->suppress, "SUPPRESS", &p->suppress_us)) && ok;
}

static struct wr_slice set_name(const struct wr_match_lowering *m, uint32_t set)
{
    return set == WR_SET_ALL          ? WR_SLICE("*")
           : set < m->variable.count ? m->variable.at[set].name.text
                                     : m->subset.at[set - m->variable.count].name.text;
}

/* "PREV(FINAL LAST(small.amount, 1), 2)": what explain and the run-time tables call a column of the node. */
static const char *output_name(struct wr_match_lowering *m, const struct wr_schema *input,
                               const struct wr_input *in)
{
    struct wr_arena *arena = m->c->arena;
    static const char *const special[WR_SPECIAL_COUNT] = {
        "event_time",     "window_start",    "window_end",     "window_time", "MATCH_ID()",
        "MATCH_NUMBER()", "MATCH_ROWTIME()", "MATCH_STATUS()", "CLASSIFIER()"};
    bool classifier = in->kind == WR_INPUT_SPECIAL && in->column == WR_SPECIAL_CLASSIFIER;
    if (in->kind == WR_INPUT_SPECIAL && !classifier) return special[in->column];
    if (in->kind == WR_INPUT_KEY) return wr_arena_cstr(arena, m->key_name.at[in->column].text);
    const char *final_ = in->final_ ? "FINAL " : "";
    if (in->kind == WR_INPUT_AGGREGATE)
        return wr_arena_printf(arena, "%s%s", final_, m->aggregate_text.at[in->column]).data;
    struct wr_slice set = set_name(m, in->set);
    const char *kind = in->kind == WR_INPUT_FIRST || in->from_first ? "FIRST" : "LAST";
    struct wr_slice text =
        classifier                      ? wr_arena_printf(arena, "CLASSIFIER(%.*s)", WR_SLICE_ARG(set))
        : in->kind == WR_INPUT_COLUMN ? wr_slice_cstr(input->column[in->column].name)
                                        : wr_arena_printf(arena, "%.*s.%s", WR_SLICE_ARG(set),
                                                          input->column[in->column].name);
    if (in->kind != WR_INPUT_COLUMN && in->offset)
        text = wr_arena_printf(arena, "%s%s(%.*s, %u)", final_, kind, WR_SLICE_ARG(text), in->offset);
    else if (in->kind != WR_INPUT_COLUMN)
        text = wr_arena_printf(arena, "%s%s(%.*s)", final_, kind, WR_SLICE_ARG(text));
    if (in->step)
        text = wr_arena_printf(arena, "%s(%.*s, %d)", in->step < 0 ? "PREV" : "NEXT", WR_SLICE_ARG(text),
                               in->step < 0 ? -in->step : in->step);
    return wr_arena_cstr(arena, text);
}

static struct wr_schema output_schema(struct wr_match_lowering *m, const struct wr_schema *input)
{
    struct wr_schema_column *column = WR_NEW_ARRAY(m->c->arena, struct wr_schema_column,
                                                   m->output.count + 1);
    for (uint32_t i = 0; i < m->output.count; i++)
        column[i] = (struct wr_schema_column){output_name(m, input, &m->output.at[i]),
                                              m->output.at[i].type};
    return (struct wr_schema){m->output.count, column};
}

/* Places are offsets in the main file; what was included has none. */
static uint32_t place_of(const struct wr_match_lowering *m)
{
    return m->match->span.file == m->c->state->main_file ? m->match->span.start : 0;
}

/* The rows that came too late, as the pattern reads them: the input's own columns first. */
static uint32_t add_late(struct wr_match_lowering *m, uint32_t pattern,
                         const struct wr_schema *input)
{
    struct wr_node node = {.kind = WR_NODE_LATE,
                           .input_count = 1,
                           .query = m->query,
                           .input = wr_inputs(m->c, pattern),
                           .schema = *input,
                           .place = place_of(m)};
    return wr_node_add(m->c, &node);
}

/* Helper columns are called after what they hold, for explain. */
static uint32_t add_helpers(struct wr_match_lowering *m)
{
    struct wr_compile *c = m->c;
    uint32_t extra = wr_block_result_count(m->extra), first;
    struct wr_type *type = WR_NEW_ARRAY(c->arena, struct wr_type, extra + 1);
    for (uint32_t i = 0; i < extra; i++) type[i] = wr_block_result_type(m->extra, i);
    uint32_t node = wr_node_append(c, m->input, m->extra, extra, type, m->query, &first);
    WR_ASSERT(first == m->input->schema->count && extra == m->extra_text.count);
    struct wr_schema_column *column =
        (struct wr_schema_column *)(uintptr_t)wr_node_at(c, node)->schema.column;
    for (uint32_t i = 0; i < extra; i++) column[first + i].name = m->extra_text.at[i];
    return node;
}

/* Everything is checked: the nodes. */
static void add_nodes(struct wr_match_lowering *m, struct wr_node *node, struct wr_block *project,
                      struct wr_relation *result, uint32_t *late_node)
{
    struct wr_compile *c = m->c;
    uint32_t from = add_helpers(m);
    const struct wr_schema input = wr_node_at(c, from)->schema;
    struct wr_pattern_node *p = &node->u.pattern;
    p->key_count = m->key.count;
    p->key = m->key.at;
    p->aggregate_count = m->aggregate.count;
    p->aggregate = m->aggregate.at;
    p->output_count = m->output.count;
    p->output = m->output.at;
    fill_keep(m, p);
    fill_steps(m, p);
    node->name = wr_arena_cstr(c->arena, m->name);
    node->input_count = 1;
    node->input = wr_inputs(c, from);
    node->query = m->query;
    node->place = place_of(m);
    node->schema = output_schema(m, &input);
    uint32_t pattern = wr_node_add(c, node);
    *late_node = p->late_into ? add_late(m, pattern, &input) : WR_NONE;
    result->node = wr_select_add(c, pattern, WR_NONE, project, false, result->schema, m->query,
                                 m->match->span);
}

static int variable_of(void *context, const struct wr_ident *name)
{
    uint32_t v = wr_match_find_variable(context, name);
    return v == WR_NONE ? -1 : (int)v; /* none: there were too many, as was reported */
}

static int until_of(void *context, const struct wr_pattern *repeat)
{
    uint32_t v = wr_match_find_until(context, repeat);
    return v == WR_NONE ? -1 : (int)v;
}

static bool build(struct wr_match_lowering *m)
{
    const struct wr_automaton_source source = {.variable_of = variable_of,
                                               .until_of = until_of,
                                               .context = m,
                                               .variable_count = m->variable.count,
                                               .has_within = m->match->within != NULL};
    if (m->tree_is_wrong || !wr_automaton_build(m->c, m->match->pattern, &source, &m->automaton))
        return false;
    for (uint32_t i = 0; i < m->automaton.first_count; i++)
        m->may_be_empty |= m->automaton.follow[m->automaton.first + i].position == WR_ACCEPT;
    return true;
}

/* Everything is looked at, whatever is wrong with the rest, so that one go reports all. */
static bool check(struct wr_match_lowering *m, struct wr_pattern_node *p, struct wr_block *project,
                  struct wr_columns *columns)
{
    bool ok = check_exclusive(m);
    if (ok && m->match->all_matches) {
        wr_not_yet(m->c, m->match->all_matches_span, "ALL MATCHES");
        ok = false;
    }
    ok &= check_timeouts(m);
    ok &= check_order(m);
    ok &= wr_match_lower_keys(m);
    ok &= wr_match_collect(m);
    bool built = build(m);
    if (built) ok &= check_skip(m);
    ok &= wr_match_lower_define(m);
    ok &= wr_match_lower_items(m, project, columns);
    ok &= fill_clauses(m, p);
    return ok && built;
}

bool wr_lower_match(struct wr_compile *c, const struct wr_match *match, struct wr_slice name,
                    const struct wr_relation *input, uint32_t query, struct wr_relation *result,
                    uint32_t *late_node)
{
    struct wr_match_lowering *m = WR_NEW(c->arena, struct wr_match_lowering);
    m->c = c;
    m->match = match;
    m->input = input;
    m->query = query;
    m->name = name;
    m->extra = wr_block_new(c);
    wr_scope_of_relation(&m->input_scope, input);
    m->input_scope.aggregates_refused = "in PARTITION BY";
    wr_warn_watermark(c, input, match->pattern->span);

    struct wr_node node = {.kind = WR_NODE_PATTERN};
    struct wr_block *project = wr_block_new(c);
    struct wr_columns columns = {.time_column = WR_NONE};
    *late_node = WR_NONE;
    *result = (struct wr_relation){.node = WR_NONE,
                                   .alias = name,
                                   .declared_at = match->pattern->span,
                                   .time_column = WR_NONE,
                                   .has_watermark = true};
    bool ok = check(m, &node.u.pattern, project, &columns);
    ok &= wr_columns_finish(c, &columns, true, result);
    result->time_column = columns.time_column;
    if (!ok) return false;
    fill_automaton(m, &node.u.pattern);
    fill_sets(m, &node.u.pattern);
    add_nodes(m, &node, project, result, late_node);
    wr_match_warn(m, &node.u.pattern);
    return true;
}
