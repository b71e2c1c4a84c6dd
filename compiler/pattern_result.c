/* What a match gives: keys and MEASURES, or the SELECT list of the short form; with ALL ROWS PER MATCH the
 * columns of the row too. */
#include "compiler/ir.h"
#include "compiler/pattern.h"
#include "compiler/state.h"

static uint32_t find_key_name(const struct wr_match_lowering *m, const struct wr_expr *expr)
{
    if (expr->kind != WR_EXPR_NAME || expr->u.name.count != 1) return WR_NONE;
    for (uint32_t k = 0; k < m->key_name.count; k++)
        if (wr_ident_equal(m->key_name.at[k], expr->u.name.at[0])) return k;
    return WR_NONE;
}

static struct wr_ir *read_key(struct wr_match_lowering *m, struct wr_block *b, uint32_t key)
{
    uint32_t column = m->key.at[key];
    struct wr_type type = column < m->input->schema->count
                              ? m->input->schema->column[column].type
                              : wr_block_result_type(m->extra, column - m->input->schema->count);
    return wr_match_read(
        m, b, (struct wr_input){.kind = WR_INPUT_KEY, .column = (uint16_t)key, .type = type});
}

/* Nothing but the time of the match: MATCH_ROWTIME(), or the event time of its last row. */
static bool is_rowtime(const struct wr_match_lowering *m, const struct wr_expr *expr)
{
    if (expr->kind == WR_EXPR_CALL)
        return wr_match_function(expr->u.call.name.text) == WR_MATCH_ROWTIME;
    bool qualified = expr->kind == WR_EXPR_NAME && expr->u.name.count > 1 &&
                     wr_match_find_set(m, &expr->u.name.at[0]) != WR_NONE;
    return !m->may_be_empty && m->match->rows == WR_ONE_ROW && !qualified &&
           wr_relation_is_time(m->input, expr);
}

static bool is_all_rows(const struct wr_match_lowering *m)
{
    return m->match->rows != WR_ONE_ROW;
}

static uint32_t visible_columns(const struct wr_match_lowering *m)
{
    return m->input->stream_count ? m->input->stream_column : m->input->schema->count;
}

/* A column of the row that a result of ALL ROWS PER MATCH stands for. */
static bool add_row_column(struct wr_match_lowering *m, struct wr_block *b, uint32_t column,
                           struct wr_span span, struct wr_columns *columns)
{
    const struct wr_schema_column *from = &m->input->schema->column[column];
    struct wr_ir *ir = wr_match_read(
        m, b,
        (struct wr_input){.kind = WR_INPUT_COLUMN, .column = (uint16_t)column, .type = from->type});
    struct wr_expr *name = WR_NEW(m->c->arena, struct wr_expr);
    struct wr_ident ident = {.text = wr_slice_cstr(from->name), .span = span};
    if (m->input->column_ident) ident.quoted = m->input->column_ident[column].quoted;
    name->kind = WR_EXPR_NAME;
    name->span = span;
    struct wr_select_item item = {.expr = name, .alias = ident, .span = span};
    if (!wr_columns_add(m->c, columns, &item, from->type, true)) return false;
    wr_block_column(b, ir);
    return true;
}

/* A row that is in no match has no measures, whatever they are computed from. */
static struct wr_ir *null_of_unmatched(struct wr_match_lowering *m, struct wr_block *b, struct wr_ir *ir)
{
    struct wr_type type = wr_ir_type(ir);
    if (m->match->rows != WR_ALL_ROWS_UNMATCHED || type.kind == WR_KIND_NULL) return ir;
    struct wr_ir *status = wr_match_read(
        m, b, (struct wr_input){.kind = WR_INPUT_SPECIAL, .column = WR_SPECIAL_MATCH_STATUS,
                                .type = wr_type_of(WR_KIND_STRING)});
    struct wr_ir *unmatched = wr_ir_unary(b, WR_OP_IS_NULL, wr_type_of(WR_KIND_BOOLEAN), status);
    return wr_ir_select(b, unmatched, wr_ir_null(b, type), ir);
}

/* A partition column alone is the key's value; anything else is computed from the match's rows. */
static bool lower_item(struct wr_match_lowering *m, struct wr_block *b,
                       const struct wr_select_item *item, struct wr_columns *columns)
{
    struct wr_select_item named = *item;
    uint32_t key = m->match->short_form ? find_key_name(m, item->expr) : WR_NONE;
    struct wr_reference r;
    if (item->expr->kind == WR_EXPR_STAR && is_all_rows(m) && m->match->short_form &&
        item->expr->u.name.count == 0) {
        bool ok = true;
        for (uint32_t i = 0; i < visible_columns(m); i++)
            ok &= add_row_column(m, b, i, item->span, columns);
        return ok;
    }
    if (item->expr->kind == WR_EXPR_STAR) {
        struct wr_diag *d = wr_diag_add(m->c->diags, WR_DIAG_W0415, item->span,
                                        "a match has many rows, so * names no columns of it");
        wr_diag_help(m->c->diags, d, "name them with their variables, such as a.x AS ax");
        return false;
    }
    struct wr_ir *ir = key != WR_NONE ? read_key(m, b, key)
                                      : wr_check_expr(m->c, &m->scope, b, item->expr);
    if (!ir) return false;
    if (key == WR_NONE) ir = null_of_unmatched(m, b, ir);
    if (key != WR_NONE && !item->alias.text.size) {
        named.alias = item->expr->u.name.at[0];
        named.alias.text = m->key_name.at[key].text;
    } else if (item->expr->kind == WR_EXPR_NAME && !item->alias.text.size &&
               wr_match_reference(m, item->expr, &r) && r.used == item->expr->u.name.count &&
               r.column != WR_NONE) {
        named.alias = item->expr->u.name.at[r.used - 1]; /* with the spelling of its declaration */
        named.alias.text = wr_slice_cstr(m->input->schema->column[r.column].name);
    }
    if (!wr_columns_add(m->c, columns, &named, wr_ir_type(ir), true)) return false;
    uint32_t column = wr_block_column(b, ir);
    if (is_rowtime(m, item->expr) && columns->time_column == WR_NONE) columns->time_column = column;
    return true;
}

static bool is_partition_column(const struct wr_match_lowering *m, uint32_t column)
{
    for (uint32_t k = 0; k < m->key.count; k++)
        if (m->key.at[k] == column) return true;
    return false;
}

/* The input's column that ORDER BY names; WR_NONE: the pseudo-column, or there is no ORDER BY. */
static uint32_t order_column(const struct wr_match_lowering *m)
{
    const struct wr_order_list *order = &m->match->order;
    if (order->count == 0) return WR_NONE;
    const struct wr_expr *name = order->at[0].expr;
    if (name->kind != WR_EXPR_NAME) return WR_NONE;
    return wr_relation_find(m->input, &name->u.name.at[name->u.name.count - 1]);
}

/* Long form: the partition columns and then the measures; with ALL ROWS PER MATCH the columns of the order
 * between them and all others behind. Short form: the SELECT list. */
bool wr_match_lower_items(struct wr_match_lowering *m, struct wr_block *b, struct wr_columns *columns)
{
    const struct wr_match *match = m->match;
    bool ok = true;
    wr_match_scope(m, false);
    for (uint32_t k = 0; k < m->key.count && !match->short_form; k++) {
        struct wr_ir *ir = read_key(m, b, k);
        struct wr_select_item item = {.alias = m->key_name.at[k], .expr = match->partition.at[k],
                                      .span = match->partition.at[k]->span};
        ok &= wr_columns_add(m->c, columns, &item, wr_ir_type(ir), true);
        wr_block_column(b, ir);
    }
    uint32_t order = order_column(m);
    bool rows = is_all_rows(m) && !match->short_form;
    if (rows && order != WR_NONE && !is_partition_column(m, order))
        ok &= add_row_column(m, b, order, match->order.at[0].expr->span, columns);
    for (uint32_t i = 0; i < match->measure_count; i++)
        ok &= lower_item(m, b, &match->measure[i], columns);
    for (uint32_t i = 0; rows && i < visible_columns(m); i++)
        if (i != order && !is_partition_column(m, i))
            ok &= add_row_column(m, b, i, match->rows_span, columns);
    if (ok && columns->column.count == 0) {
        wr_diag_add(m->c->diags, WR_DIAG_W0217, match->span,
                    "without PARTITION BY and MEASURES a match has no columns");
        ok = false;
    }
    return ok;
}
