/* Names in DEFINE and MEASURES: v.x, x alone, event_time. What reads a kept row becomes an input of
 * kind LAST, FIRST, AGGREGATE or KEY; in DEFINE the inputs go straight into the condition's block,
 * in MEASURES they become the columns of the PATTERN node, which the SELECT behind it reads. Calls
 * are in pattern_call.c. */
#include "compiler/pattern.h"

#include "base/text.h"
#include "dsl/fmt.h"

/* ---- References ------------------------------------------------------------------------------ */

static void unknown_qualifier(struct wr_match_lowering *m, const struct wr_ident *name)
{
    if (m->unread) return;
    struct wr_diag *d = wr_diag_add(m->c->diags, WR_DIAG_W0305, name->span,
                                    "'%.*s' is no variable of this pattern, no SUBSET and no input",
                                    WR_SLICE_ARG(name->text));
    wr_diag_second(m->c->diags, d, m->match->pattern->span, "the pattern");
    struct wr_suggestion s;
    wr_suggestion_init(&s, name->text);
    for (uint32_t v = 0; v < m->variable.count; v++)
        if (!m->variable.at[v].until) wr_suggestion_offer(&s, m->variable.at[v].name.text);
    for (uint32_t v = 0; v < m->subset.count; v++)
        wr_suggestion_offer(&s, m->subset.at[v].name.text);
    if (m->input->alias.size) wr_suggestion_offer(&s, m->input->alias);
    struct wr_slice best = wr_suggestion_best(&s);
    if (best.size) wr_diag_help(m->c->diags, d, "did you mean '%.*s'?", WR_SLICE_ARG(best));
}

/* Which set the leading name stands for; how many names that takes is left in out->used. */
static bool find_qualifier(struct wr_match_lowering *m, const struct wr_expr *name,
                           struct wr_reference *out)
{
    const struct wr_ident *first = &name->u.name.at[0];
    out->set = WR_SET_ALL;
    out->used = 0;
    if (name->u.name.count < 2) return true;
    uint32_t set = wr_match_find_set(m, first);
    if (set != WR_NONE) {
        out->set = set;
        out->used = 1;
        if (set >= m->variable.count || m->variable.at[set].has_rows) return true;
        struct wr_diag *d = wr_diag_add(m->c->diags, WR_DIAG_W0806, first->span,
                                        "'%.*s' stands under NOT, so it has no row to read from",
                                        WR_SLICE_ARG(first->text));
        wr_diag_second(m->c->diags, d, m->variable.at[set].name.span, "it stands here");
        return false;
    }
    struct wr_ident alias = {.text = m->input->alias, .quoted = m->input->alias_quoted};
    if (alias.text.size && wr_ident_equal(alias, *first)) {
        out->used = 1;
        return true;
    }
    if (wr_relation_find(m->input, first) != WR_NONE) return true; /* column.field */
    unknown_qualifier(m, first);
    return false;
}

bool wr_match_reference(struct wr_match_lowering *m, const struct wr_expr *name,
                        struct wr_reference *out)
{
    if (!find_qualifier(m, name, out)) return false;
    const struct wr_ident *column = &name->u.name.at[out->used++];
    out->column = wr_relation_find(m->input, column);
    if (out->column == WR_NONE && !column->quoted &&
        wr_slice_equal_nocase(column->text, WR_SLICE("event_time"))) {
        out->type = wr_type_of(WR_KIND_TIMESTAMP);
        return true;
    }
    if (out->column == WR_NONE && name->u.name.count == 1 &&
        wr_match_find_set(m, column) != WR_NONE) {
        struct wr_diag *d = wr_diag_add(m->c->diags, WR_DIAG_W0302, name->span,
                                        "'%.*s' is a variable of the pattern and no column",
                                        WR_SLICE_ARG(column->text));
        if (m->input->schema->count)
            wr_diag_help(m->c->diags, d, "name one of the columns of its row, such as %.*s.%s",
                         WR_SLICE_ARG(column->text), m->input->schema->column[0].name);
        return false;
    }
    if (out->column == WR_NONE) out->column = wr_relation_column(m->c, m->input, column);
    if (out->column == WR_NONE) return false;
    out->type = m->input->schema->column[out->column].type;
    return out->type.kind != WR_KIND_ERROR;
}

/* a.x.f.g: the value a.x under .f.g, so that fields are checked in one place. */
static struct wr_expr *fields_of(struct wr_match_lowering *m, const struct wr_expr *name,
                                 uint32_t used)
{
    struct wr_expr *inner = WR_NEW(m->c->arena, struct wr_expr);
    *inner = *name;
    inner->u.name.count = used;
    inner->span = wr_span_join(name->u.name.at[0].span, name->u.name.at[used - 1].span);
    for (uint32_t i = used; i < name->u.name.count; i++) {
        struct wr_expr *field = WR_NEW(m->c->arena, struct wr_expr);
        field->kind = WR_EXPR_FIELD;
        field->span = wr_span_join(inner->span, name->u.name.at[i].span);
        field->u.field.operand = inner;
        field->u.field.name = name->u.name.at[i];
        inner = field;
    }
    return inner;
}

/* ---- Inputs ---------------------------------------------------------------------------------- */

static bool same_input(const struct wr_input *a, const struct wr_input *b)
{
    return a->kind == b->kind && a->final_ == b->final_ && a->set == b->set &&
           a->column == b->column && a->offset == b->offset && a->step == b->step &&
           a->from_first == b->from_first;
}

uint32_t wr_match_list_input(struct wr_arena *arena, struct wr_input **at, uint32_t *count,
                             uint32_t *capacity, struct wr_input input)
{
    for (uint32_t i = 0; i < *count; i++)
        if (same_input(&(*at)[i], &input)) return i;
    if (*count == *capacity) *at = wr_list_grown(arena, *at, *count, capacity, sizeof **at);
    (*at)[*count] = input;
    return (*count)++;
}

/* The column of the input's row as a value in the block. */
static struct wr_ir *current_row(struct wr_block *b, const struct wr_reference *r)
{
    struct wr_input in = {.kind = WR_INPUT_COLUMN, .column = (uint16_t)r->column, .type = r->type};
    if (r->column == WR_NONE) {
        in.kind = WR_INPUT_SPECIAL;
        in.column = WR_SPECIAL_EVENT_TIME;
    }
    return wr_ir_input(b, in);
}

struct wr_ir *wr_match_read(struct wr_match_lowering *m, struct wr_block *b, struct wr_input input)
{
    if (m->in_define) return wr_ir_input(b, input);
    uint32_t column = wr_match_input(m, output, input);
    return wr_ir_input(
        b,
        (struct wr_input){.kind = WR_INPUT_COLUMN, .column = (uint16_t)column, .type = input.type});
}

bool wr_match_is_final(const struct wr_match_lowering *m, enum wr_measure_frame frame)
{
    if (m->in_define || m->match->rows == WR_ONE_ROW) return false;
    return frame == WR_FRAME_FINAL || (frame == WR_FRAME_DEFAULT && m->c->flink_dialect);
}

const char *wr_match_text(struct wr_match_lowering *m, const struct wr_expr *expr)
{
    struct wr_buf text = {0};
    wr_fmt_expr(expr, &text);
    const char *copy = wr_arena_cstr(m->c->arena, wr_buf_slice(&text));
    wr_buf_release(&text);
    return copy;
}

bool wr_match_helper(struct wr_match_lowering *m, struct wr_ir *ir, const struct wr_expr *expr,
                     uint32_t *column)
{
    if (wr_ir_type(ir).kind == WR_KIND_NULL) {
        struct wr_diag *d = wr_diag_add(m->c->diags, WR_DIAG_W0418, expr->span,
                                        "nothing says which type this NULL has");
        wr_diag_help(m->c->diags, d, "write CAST(NULL AS STRING), say");
        return false;
    }
    uint32_t result = wr_block_result(m->extra, ir);
    if (result == m->extra_text.count)
        wr_list_push(m->c->arena, &m->extra_text, wr_match_text(m, expr));
    *column = m->input->schema->count + result;
    if (*column < WR_COLUMN_CLASSIFIER) return true;
    wr_diag_add(m->c->diags, WR_DIAG_W0616, expr->span,
                "this pattern needs more than 65,533 columns");
    return false;
}

/* Columns that a row has by itself are read there; event_time of kept rows needs a column. */
static bool kept_column(struct wr_match_lowering *m, const struct wr_reference *r,
                        const struct wr_expr *name, uint32_t *column)
{
    *column = r->column != WR_NONE ? r->column : m->input->time_column;
    return *column != WR_NONE || wr_match_helper(m, current_row(m->extra, r), name, column);
}

/* ---- DEFINE and MEASURES --------------------------------------------------------------------- */

static uint32_t find_key(const struct wr_match_lowering *m, uint32_t column)
{
    for (uint32_t k = 0; k < m->key.count; k++)
        if (m->key.at[k] == column) return k;
    return WR_NONE;
}

static struct wr_ir *resolve(struct wr_compile *c, struct wr_scope *scope, struct wr_block *b,
                             const struct wr_expr *name, bool *handled)
{
    struct wr_match_lowering *m = scope->context;
    struct wr_reference r;
    *handled = true;
    if (!wr_match_reference(m, name, &r)) return NULL;
    if (r.used < name->u.name.count) return wr_check_expr(c, scope, b, fields_of(m, name, r.used));
    if (m->in_define && wr_match_set_has(m, r.set, m->current)) return current_row(b, &r);
    /* All rows of a match have the key's values; only a match without rows, or no match at all, has no
     * last row to read them from. */
    bool always = !m->may_be_empty && m->match->rows != WR_ALL_ROWS_UNMATCHED;
    uint32_t key = r.set == WR_SET_ALL && r.column != WR_NONE && always
                       ? find_key(m, r.column)
                       : WR_NONE;
    if (key != WR_NONE)
        return wr_match_read(
            m, b, (struct wr_input){.kind = WR_INPUT_KEY, .column = (uint16_t)key, .type = r.type});
    uint32_t column;
    if (!kept_column(m, &r, name, &column)) return NULL;
    return wr_match_read(m, b, (struct wr_input){.kind = WR_INPUT_LAST,
                                                 .final_ = wr_match_is_final(m, WR_FRAME_DEFAULT),
                                                 .set = (uint16_t)r.set,
                                                 .column = (uint16_t)column,
                                                 .type = r.type});
}

void wr_match_scope(struct wr_match_lowering *m, bool in_define)
{
    m->in_define = in_define;
    m->scope = (struct wr_scope){.context = m, .resolve = resolve, .call = wr_match_call};
}

/* ---- Arguments: expressions over one row of one set ------------------------------------------ */

static void mixed(struct wr_argument_scope *a, const struct wr_expr *name)
{
    struct wr_diags *diags = a->m->c->diags;
    struct wr_diag *d = wr_diag_add(
        diags, WR_DIAG_W0810, name->span,
        "%s ranges over the rows of one variable, and all its columns name that one", a->inside);
    wr_diag_second(diags, d, a->first, "the first one");
}

static struct wr_ir *resolve_argument(struct wr_compile *c, struct wr_scope *scope,
                                      struct wr_block *b, const struct wr_expr *name, bool *handled)
{
    struct wr_argument_scope *a = scope->context;
    struct wr_reference r;
    *handled = true;
    if (!wr_match_reference(a->m, name, &r)) return NULL;
    if (!a->known) {
        a->known = true;
        a->set = r.set;
        a->first = name->span;
    } else if (a->set != r.set && !(a->in_filter && r.set == WR_SET_ALL)) {
        mixed(a, name);
        return NULL;
    }
    if (r.used < name->u.name.count)
        return wr_check_expr(c, scope, b, fields_of(a->m, name, r.used));
    return current_row(b, &r);
}

static struct wr_ir *refuse_call(struct wr_compile *c, struct wr_scope *scope, struct wr_block *b,
                                 const struct wr_expr *call, bool *handled)
{
    struct wr_argument_scope *a = scope->context;
    WR_UNUSED(b);
    enum wr_aggregate_fn fn;
    enum wr_match_function function = wr_match_function(call->u.call.name.text);
    *handled = true;
    if (function == WR_MATCH_NONE && wr_aggregate_find(call->u.call.name.text, &fn)) {
        wr_diag_add(c->diags, a->navigation ? WR_DIAG_W0814 : WR_DIAG_W0410, call->span,
                    "an aggregate cannot stand inside %s", a->inside);
        return NULL;
    }
    if (function == WR_MATCH_CLASSIFIER) {
        const char *what = wr_arena_printf(c->arena, "CLASSIFIER beside something else inside %s",
                                           a->inside).data;
        wr_not_yet(c, call->span, what);
        return NULL;
    }
    if (function != WR_MATCH_NONE) {
        wr_diag_add(c->diags, WR_DIAG_W0814, call->span, "%.*s cannot stand inside %s",
                    WR_SLICE_ARG(call->u.call.name.text), a->inside);
        return NULL;
    }
    *handled = false;
    return NULL;
}

void wr_argument_scope(struct wr_argument_scope *a, struct wr_match_lowering *m, const char *inside,
                       bool navigation)
{
    *a = (struct wr_argument_scope){
        .m = m, .inside = inside, .navigation = navigation, .set = WR_SET_ALL};
    a->scope = (struct wr_scope){.context = a, .resolve = resolve_argument, .call = refuse_call};
}

bool wr_argument_column(struct wr_argument_scope *a, const struct wr_expr *expr, uint32_t *column,
                        struct wr_type *type)
{
    struct wr_match_lowering *m = a->m;
    struct wr_ir *ir = wr_check_expr(m->c, &a->scope, m->extra, expr);
    if (!ir) return false;
    *type = wr_ir_type(ir);
    struct wr_reference r;
    if (expr->kind == WR_EXPR_NAME && wr_match_reference(m, expr, &r) &&
        r.used == expr->u.name.count)
        return kept_column(m, &r, expr, column);
    return wr_match_helper(m, ir, expr, column);
}

bool wr_match_key_column(struct wr_match_lowering *m, const struct wr_expr *expr, uint32_t *column)
{
    struct wr_ir *ir = wr_check_expr(m->c, &m->input_scope, m->extra, expr);
    if (!ir || !wr_check_key_type(m->c, expr->span, wr_ir_type(ir))) return false;
    if (expr->kind == WR_EXPR_NAME && expr->u.name.count <= 2) {
        uint32_t found = wr_relation_find(m->input, &expr->u.name.at[expr->u.name.count - 1]);
        struct wr_ident alias = {.text = m->input->alias, .quoted = m->input->alias_quoted};
        bool plain = expr->u.name.count == 1 ||
                     (alias.text.size && wr_ident_equal(alias, expr->u.name.at[0]));
        if (plain && found != WR_NONE) {
            *column = found;
            return true;
        }
    }
    return wr_match_helper(m, ir, expr, column);
}
