/* Conditions of variables. Each DEFINE is taken apart at its top-level ANDs: what reads the row
 * alone is evaluated over whole batches, equal conditions of several variables once; the rest has a
 * block of its own, evaluated where a partial match meets the row. A variable holds when both are
 * TRUE, which is what AND of the two says. */
#include "compiler/pattern.h"

#include "base/text.h"

/* ---- Taking apart ---------------------------------------------------------------------------- */

void wr_conjuncts_begin(struct wr_arena *arena, struct wr_conjuncts *s, const struct wr_expr *expr)
{
    s->todo.count = 0;
    wr_list_push(arena, &s->todo, expr);
}

const struct wr_expr *wr_conjuncts_next(struct wr_arena *arena, struct wr_conjuncts *s)
{
    while (s->todo.count) {
        const struct wr_expr *e = s->todo.at[--s->todo.count];
        if (e->kind != WR_EXPR_BINARY || e->u.binary.op != WR_BINARY_AND) return e;
        wr_list_push(arena, &s->todo, e->u.binary.right);
        wr_list_push(arena, &s->todo, e->u.binary.left);
    }
    return NULL;
}

static bool is_true(const struct wr_ir *ir)
{
    struct wr_value value;
    return wr_ir_is_constant(ir, &value) && value.flag == WR_FLAG_VALUE && value.u.boolean;
}

static bool lower_condition(struct wr_match_lowering *m, struct wr_match_variable *v)
{
    struct wr_compile *c = m->c;
    struct wr_conjuncts s = {0};
    bool ok = true;
    wr_conjuncts_begin(c->arena, &s, v->define->condition);
    for (const struct wr_expr *e; (e = wr_conjuncts_next(c->arena, &s)) != NULL;) {
        struct wr_ir *ir = wr_check_condition(c, &m->scope, m->row, e);
        if (!ir) {
            ok = false;
        } else if (!wr_ir_reads_history(ir)) {
            if (!is_true(ir)) v->row = v->row ? wr_ir_and(m->row, v->row, ir) : ir;
        } else {
            if (!v->block) v->block = wr_block_new(c);
            ir = wr_check_condition(c, &m->scope, v->block, e);
            WR_ASSERT(ir != NULL); /* it was fine a moment ago */
            v->rest = v->rest ? wr_ir_and(v->block, v->rest, ir) : ir;
        }
    }
    return ok;
}

struct wr_ir *wr_match_is_of_stream(struct wr_match_lowering *m, struct wr_block *b, uint32_t stream)
{
    struct wr_ir *number = wr_ir_input(b, (struct wr_input){.kind = WR_INPUT_COLUMN,
                                                            .column = (uint16_t)m->input->stream_column,
                                                            .type = wr_type_of(WR_KIND_BIGINT)});
    struct wr_value value = {.cls = WR_CLASS_I64, .u.i64 = stream};
    return wr_ir_compare(b, WR_BINARY_EQ, number, wr_ir_constant(b, wr_type_of(WR_KIND_BIGINT), value));
}

/* DEFINE v FROM s, or a variable without DEFINE that is called as a stream: WR_NONE where neither is. */
static uint32_t bound_stream(const struct wr_match_lowering *m, const struct wr_match_variable *v)
{
    if (!v->define) return wr_match_find_stream(m, &v->name);
    return v->define->stream.text.size ? wr_match_find_stream(m, &v->define->stream) : WR_NONE;
}

static bool check_stream(struct wr_match_lowering *m, const struct wr_define *define)
{
    if (define->stream.text.size && wr_match_find_stream(m, &define->stream) != WR_NONE) return true;
    struct wr_ident alias = {.text = m->input->alias, .quoted = m->input->alias_quoted};
    if (define->stream.text.size == 0 || (alias.text.size && wr_ident_equal(alias, define->stream)))
        return true;
    struct wr_diag *d = wr_diag_add(m->c->diags, WR_DIAG_W0811, define->stream.span,
                                    "the pattern does not read from '%.*s'",
                                    WR_SLICE_ARG(define->stream.text));
    struct wr_suggestion near;
    wr_suggestion_init(&near, define->stream.text);
    for (uint32_t s = 0; s < m->input->stream_count; s++)
        wr_suggestion_offer(&near, m->input->stream[s].text);
    struct wr_slice best = wr_suggestion_best(&near);
    if (best.size) wr_diag_help(m->c->diags, d, "did you mean '%.*s'?", WR_SLICE_ARG(best));
    else if (alias.text.size)
        wr_diag_help(m->c->diags, d, "it reads from '%.*s'", WR_SLICE_ARG(alias.text));
    return false;
}

bool wr_match_lower_define(struct wr_match_lowering *m)
{
    bool ok = true;
    m->row = wr_block_new(m->c);
    wr_match_scope(m, true);
    for (uint32_t i = 0; i < m->variable.count; i++) {
        struct wr_match_variable *v = &m->variable.at[i];
        uint32_t stream = bound_stream(m, v);
        if (stream != WR_NONE) {
            v->is_stream = true;
            v->row = wr_match_is_of_stream(m, m->row, stream);
        }
        if (!v->define) continue;
        ok &= check_stream(m, v->define);
        m->current = i;
        if (v->define->condition) ok &= lower_condition(m, v);
    }
    return ok;
}

/* ---- What the rest reads of the past --------------------------------------------------------- */

struct reading {
    struct wr_match_lowering *m;
    uint64_t *bits; /* NULL: the inputs are only collected */
};

static void visit_history(void *context, const struct wr_input *input)
{
    struct reading *r = context;
    if (input->kind == WR_INPUT_COLUMN && input->step) wr_match_input(r->m, stepped, *input);
    if (input->kind != WR_INPUT_LAST && input->kind != WR_INPUT_FIRST &&
        input->kind != WR_INPUT_AGGREGATE &&
        !(input->kind == WR_INPUT_SPECIAL && input->column == WR_SPECIAL_CLASSIFIER))
        return;
    uint32_t i = wr_match_input(r->m, history, *input);
    if (r->bits) r->bits[i / 64] |= (uint64_t)1 << (i % 64);
}

static bool add_bits(uint64_t *to, const uint64_t *from, uint32_t words)
{
    bool changed = false;
    for (uint32_t w = 0; w < words; w++) {
        changed |= (from[w] & ~to[w]) != 0;
        to[w] |= from[w];
    }
    return changed;
}

static bool add_kills(const struct wr_automaton *a, const struct wr_follow *f, const uint64_t *own, uint64_t *to,
                      uint32_t words)
{
    bool changed = false;
    for (uint32_t k = 0; k < f->kill_count; k++)
        changed |= add_bits(to, &own[(size_t)a->kill[f->kill + k].variable * words], words);
    return changed;
}

/* need[p] = what the conditions of p's followers, and of what kills or claims from them, read, and what is needed from
 * these on: the least solution. */
static void close_over_follow(struct wr_match_lowering *m, const uint64_t *own, uint64_t *need,
                              uint32_t words)
{
    const struct wr_automaton *a = &m->automaton;
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t p = a->position_count; p-- > 0;) {
            for (uint32_t i = 0; i < a->follow_size[p]; i++) {
                const struct wr_follow *f = &a->follow[a->follow_start[p] + i];
                uint64_t *to = &need[(size_t)p * words];
                if (f->position == WR_ACCEPT) continue;
                changed |= add_bits(to, &own[(size_t)a->variable[f->position] * words], words);
                changed |= add_bits(to, &need[(size_t)f->position * words], words);
                changed |= add_kills(a, f, own, to, words);
                for (uint32_t k = 0; k < f->claim_count; k++) { /* it may be in no list */
                    const struct wr_follow *claim = &a->follow[a->claim[f->claim + k]];
                    changed |= add_bits(to, &own[(size_t)a->variable[claim->position] * words], words);
                    changed |= add_kills(a, claim, own, to, words);
                }
            }
        }
    }
}

/* The number of the bit set among those of the node; WR_NONE for the empty one. */
static uint32_t add_reads(struct wr_pattern_node *node, uint64_t *reads, const uint64_t *bits)
{
    uint32_t words = node->reads_words;
    bool any = false;
    for (uint32_t w = 0; w < words; w++) any |= bits[w] != 0;
    if (!any) return WR_NONE;
    for (uint32_t i = node->reads_count; i-- > 0;)
        if (!memcmp(&reads[(size_t)i * words], bits, words * sizeof *bits)) return i;
    memcpy(&reads[(size_t)node->reads_count * words], bits, words * sizeof *bits);
    return node->reads_count++;
}

static void fill_reads(struct wr_match_lowering *m, struct wr_pattern_node *node,
                       struct wr_pattern_position *position)
{
    struct wr_arena *arena = m->c->arena;
    uint32_t positions = m->automaton.position_count, words = (m->history.count + 63) / 64;
    uint64_t *own = WR_NEW_ARRAY(arena, uint64_t, (size_t)m->variable.count * words);
    uint64_t *need = WR_NEW_ARRAY(arena, uint64_t, (size_t)positions * words);
    uint64_t *reads = WR_NEW_ARRAY(arena, uint64_t, (size_t)positions * words);
    for (uint32_t v = 0; v < m->variable.count; v++) {
        struct reading r = {m, &own[(size_t)v * words]};
        if (m->variable.at[v].rest) wr_ir_visit_inputs(m->variable.at[v].rest, visit_history, &r);
    }
    close_over_follow(m, own, need, words);
    node->reads_words = words;
    node->reads = reads;
    for (uint32_t p = 0; p < positions; p++)
        position[p].reads = words ? add_reads(node, reads, &need[(size_t)p * words]) : WR_NONE;
}

static const char *condition_text(struct wr_match_lowering *m, const struct wr_match_variable *v)
{
    const char *text = v->define && v->define->condition ? wr_match_text(m, v->define->condition) : "";
    uint32_t stream = bound_stream(m, v);
    if (stream == WR_NONE) return text;
    return wr_arena_printf(m->c->arena, "it is of %.*s%s%s", WR_SLICE_ARG(m->input->stream[stream].text),
                           text[0] ? " AND " : "", text)
        .data;
}

void wr_match_fill_conditions(struct wr_match_lowering *m, struct wr_pattern_node *node,
                              struct wr_pattern_position *position)
{
    struct wr_pattern_variable *variable = WR_NEW_ARRAY(m->c->arena, struct wr_pattern_variable,
                                                        m->variable.count);
    node->row_code = WR_NONE;
    for (uint32_t i = 0; i < m->variable.count; i++) {
        struct wr_match_variable *v = &m->variable.at[i];
        variable[i].name = wr_arena_cstr(m->c->arena, v->name.text);
        variable[i].text = condition_text(m, v);
        variable[i].row_condition = v->row ? wr_block_result(m->row, v->row) : WR_NONE;
        variable[i].condition = WR_NONE;
        if (!v->rest) continue;
        struct reading r = {m, NULL};
        wr_ir_visit_inputs(v->rest, visit_history, &r);
        wr_block_result(v->block, v->rest);
        variable[i].condition = wr_block_finish(v->block);
    }
    if (wr_block_result_count(m->row)) node->row_code = wr_block_finish(m->row);
    node->variable_count = m->variable.count;
    node->variable = variable;
    fill_reads(m, node, position);
    node->history_count = m->history.count;
    node->history = m->history.at;
}
