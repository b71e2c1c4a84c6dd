/* Walks over expression trees: equality and visits. Trees are no deeper than WR_AST_DEPTH_MAX. */
#include "compiler/state.h"

static bool equal_list(const struct wr_expr_list *a, const struct wr_expr_list *b)
{
    if (a->count != b->count) return false;
    for (uint32_t i = 0; i < a->count; i++)
        if (!wr_expr_equal(a->at[i], b->at[i])) return false;
    return true;
}

/* a and t.a are the same in a query with one input. */
static bool equal_names(const struct wr_ident_list *a, const struct wr_ident_list *b)
{
    return a->count && b->count && wr_ident_equal(a->at[a->count - 1], b->at[b->count - 1]);
}

static bool equal_type(const struct wr_type_name *a, const struct wr_type_name *b)
{
    return wr_slice_equal_nocase(a->name.text, b->name.text) &&
           a->has_precision == b->has_precision && a->has_scale == b->has_scale &&
           (!a->has_precision || a->precision == b->precision) &&
           (!a->has_scale || a->scale == b->scale) && !a->argument_count && !b->argument_count;
}

static bool equal_case(const struct wr_expr *a, const struct wr_expr *b)
{
    if (a->u.kase.when_count != b->u.kase.when_count ||
        !wr_expr_equal(a->u.kase.operand, b->u.kase.operand) ||
        !wr_expr_equal(a->u.kase.otherwise, b->u.kase.otherwise))
        return false;
    for (uint32_t i = 0; i < a->u.kase.when_count; i++)
        if (!wr_expr_equal(a->u.kase.when[i].condition, b->u.kase.when[i].condition) ||
            !wr_expr_equal(a->u.kase.when[i].result, b->u.kase.when[i].result))
            return false;
    return true;
}

static bool equal_call(const struct wr_expr *a, const struct wr_expr *b)
{
    return wr_slice_equal_nocase(a->u.call.name.text, b->u.call.name.text) &&
           equal_list(&a->u.call.args, &b->u.call.args) &&
           a->u.call.distinct == b->u.call.distinct &&
           wr_expr_equal(a->u.call.filter, b->u.call.filter) && !a->u.call.order.count &&
           !b->u.call.order.count && !a->u.call.over && !b->u.call.over;
}

bool wr_expr_equal(const struct wr_expr *a, const struct wr_expr *b)
{
    if (a == b) return true;
    if (!a || !b || a->kind != b->kind) return false;
    switch (a->kind) {
    case WR_EXPR_NULL: return true;
    case WR_EXPR_BOOL: return a->u.boolean == b->u.boolean;
    case WR_EXPR_NUMBER:
    case WR_EXPR_STRING: return wr_slice_equal(a->u.text, b->u.text);
    case WR_EXPR_DURATION: return a->u.duration.micros == b->u.duration.micros;
    case WR_EXPR_TYPED:
        return wr_slice_equal_nocase(a->u.typed.type.text, b->u.typed.type.text) &&
               wr_slice_equal(a->u.typed.text, b->u.typed.text);
    case WR_EXPR_NAME:
    case WR_EXPR_STAR: return equal_names(&a->u.name, &b->u.name);
    case WR_EXPR_PARAMETER: return wr_ident_equal(a->u.ident, b->u.ident);
    case WR_EXPR_UNARY:
        return a->u.unary.op == b->u.unary.op &&
               wr_expr_equal(a->u.unary.operand, b->u.unary.operand);
    case WR_EXPR_BINARY:
        if (a->u.binary.op != b->u.binary.op) return false;
        return wr_expr_equal(a->u.binary.left, b->u.binary.left) &&
               wr_expr_equal(a->u.binary.right, b->u.binary.right);
    case WR_EXPR_INDEX:
        return wr_expr_equal(a->u.binary.left, b->u.binary.left) &&
               wr_expr_equal(a->u.binary.right, b->u.binary.right);
    case WR_EXPR_BETWEEN:
        return a->u.between.negated == b->u.between.negated &&
               wr_expr_equal(a->u.between.operand, b->u.between.operand) &&
               wr_expr_equal(a->u.between.low, b->u.between.low) &&
               wr_expr_equal(a->u.between.high, b->u.between.high);
    case WR_EXPR_IN:
        return a->u.in.negated == b->u.in.negated && !a->u.in.query && !b->u.in.query &&
               wr_expr_equal(a->u.in.operand, b->u.in.operand) &&
               equal_list(&a->u.in.items, &b->u.in.items);
    case WR_EXPR_LIKE:
        return a->u.like.negated == b->u.like.negated && a->u.like.regexp == b->u.like.regexp &&
               wr_expr_equal(a->u.like.operand, b->u.like.operand) &&
               wr_expr_equal(a->u.like.pattern, b->u.like.pattern) &&
               wr_expr_equal(a->u.like.escape, b->u.like.escape);
    case WR_EXPR_IS:
        return a->u.is.test == b->u.is.test && a->u.is.negated == b->u.is.negated &&
               wr_expr_equal(a->u.is.operand, b->u.is.operand);
    case WR_EXPR_CASE: return equal_case(a, b);
    case WR_EXPR_CAST:
        return a->u.cast.try == b->u.cast.try && equal_type(a->u.cast.type, b->u.cast.type) &&
               wr_expr_equal(a->u.cast.operand, b->u.cast.operand);
    case WR_EXPR_CALL: return equal_call(a, b);
    case WR_EXPR_ERROR:
    case WR_EXPR_FIELD:
    case WR_EXPR_ARRAY:
    case WR_EXPR_MAP:
    case WR_EXPR_SUBQUERY: return false;
    }
    return false;
}

typedef bool visit_fn(void *context, const struct wr_expr *expr);

static void visit_list(const struct wr_expr_list *list, visit_fn *visit, void *context)
{
    for (uint32_t i = 0; i < list->count; i++) wr_expr_visit(list->at[i], visit, context);
}

static void visit_three(const struct wr_expr *a, const struct wr_expr *b, const struct wr_expr *c,
                        visit_fn *visit, void *context)
{
    wr_expr_visit(a, visit, context);
    wr_expr_visit(b, visit, context);
    wr_expr_visit(c, visit, context);
}

void wr_expr_visit(const struct wr_expr *e, visit_fn *visit, void *context)
{
    if (!e || !visit(context, e)) return;
    switch (e->kind) {
    case WR_EXPR_UNARY: wr_expr_visit(e->u.unary.operand, visit, context); break;
    case WR_EXPR_BINARY:
    case WR_EXPR_INDEX:
        visit_three(e->u.binary.left, e->u.binary.right, NULL, visit, context);
        break;
    case WR_EXPR_BETWEEN:
        visit_three(e->u.between.operand, e->u.between.low, e->u.between.high, visit, context);
        break;
    case WR_EXPR_IN:
        wr_expr_visit(e->u.in.operand, visit, context);
        visit_list(&e->u.in.items, visit, context);
        break;
    case WR_EXPR_LIKE:
        visit_three(e->u.like.operand, e->u.like.pattern, e->u.like.escape, visit, context);
        break;
    case WR_EXPR_IS: wr_expr_visit(e->u.is.operand, visit, context); break;
    case WR_EXPR_CASE:
        wr_expr_visit(e->u.kase.operand, visit, context);
        for (uint32_t i = 0; i < e->u.kase.when_count; i++)
            visit_three(e->u.kase.when[i].condition, e->u.kase.when[i].result, NULL, visit,
                        context);
        wr_expr_visit(e->u.kase.otherwise, visit, context);
        break;
    case WR_EXPR_CAST: wr_expr_visit(e->u.cast.operand, visit, context); break;
    case WR_EXPR_CALL:
        visit_list(&e->u.call.args, visit, context);
        wr_expr_visit(e->u.call.filter, visit, context);
        break;
    case WR_EXPR_FIELD: wr_expr_visit(e->u.field.operand, visit, context); break;
    case WR_EXPR_ARRAY:
    case WR_EXPR_MAP: visit_list(&e->u.list, visit, context); break;
    default: break;
    }
}
