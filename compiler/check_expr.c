/* Expressions: from tree to typed value graph. Names are the scope's business, calls
 * check_call.c's, operators on two values check_operator.c's. */
#include "compiler/state.h"

static struct wr_ir *check_name(struct wr_compile *c, struct wr_scope *scope, struct wr_block *b,
                                const struct wr_expr *expr)
{
    bool handled = true;
    struct wr_ir *ir = scope->resolve ? scope->resolve(c, scope, b, expr, &handled) : NULL;
    if (ir || (scope->resolve && handled)) return ir;
    wr_diag_add(c->diags, WR_DIAG_W0302, expr->span, "there is no column '%.*s' here",
                WR_SLICE_ARG(wr_span_text(c->diags->sources, expr->span)));
    return NULL;
}

static struct wr_ir *check_parameter(struct wr_compile *c, struct wr_block *b,
                                     const struct wr_expr *expr)
{
    struct wr_state *s = c->state;
    uint32_t n = wr_names_find(s->parameter_names, &expr->u.ident);
    if (n == WR_NONE && s->parse_failed) return NULL;
    if (n == WR_NONE) {
        struct wr_suggestion near;
        wr_suggestion_init(&near, expr->u.ident.text);
        wr_names_offer(s->parameter_names, &near);
        struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0308, expr->span,
                                        "there is no parameter ':%.*s'",
                                        WR_SLICE_ARG(expr->u.ident.text));
        struct wr_slice best = wr_suggestion_best(&near);
        if (best.size) wr_diag_help(c->diags, d, "did you mean ':%.*s'?", WR_SLICE_ARG(best));
        return NULL;
    }
    s->parameter_used.at[n] = true;
    if (s->parameter.at[n].type.kind == WR_KIND_ERROR) return NULL;
    return wr_ir_parameter(b, n, s->parameter.at[n].type);
}

/* ---- Literals -------------------------------------------------------------------------------- */

static struct wr_ir *number_out_of_range(struct wr_compile *c, const struct wr_expr *expr,
                                         const char *what)
{
    wr_diag_add(c->diags, WR_DIAG_W0501, expr->span, "%s", what);
    return NULL;
}

/* digits is the literal with its sign: so that -2147483648 is an INT. */
static struct wr_ir *check_number(struct wr_compile *c, struct wr_block *b,
                                  const struct wr_expr *expr, struct wr_slice digits)
{
    int64_t i64;
    bool exponent = memchr(digits.data, 'e', digits.size) || memchr(digits.data, 'E', digits.size);
    const char *point = memchr(digits.data, '.', digits.size);
    if (exponent) {
        double f64;
        if (!wr_parse_f64(digits, &f64))
            return number_out_of_range(c, expr, "this number does not fit a DOUBLE");
        return wr_ir_constant(b, wr_type_of(WR_KIND_DOUBLE), (struct wr_value){.u.f64 = f64});
    }
    if (!point && wr_parse_i64(digits, &i64))
        return wr_ir_i64(b, wr_type_of(i64 == (int32_t)i64 ? WR_KIND_INT : WR_KIND_BIGINT), i64);
    unsigned scale = point ? (unsigned)(digits.data + digits.size - point - 1) : 0;
    unsigned whole = 0;
    for (size_t i = 0; i < digits.size && digits.data[i] != '.'; i++)
        if (whole || (digits.data[i] >= '1' && digits.data[i] <= '9')) whole++;
    wr_i128 dec;
    unsigned precision = WR_MAX(whole + scale, 1u);
    if (precision > 38 || !wr_parse_decimal(digits, precision, scale, &dec)) {
        number_out_of_range(c, expr, "this number has more than 38 digits");
        return NULL;
    }
    return wr_ir_constant(b, wr_type_decimal(precision, scale), (struct wr_value){.u.dec = dec});
}

static struct wr_ir *check_typed(struct wr_compile *c, struct wr_block *b,
                                 const struct wr_expr *expr)
{
    static const struct {
        const char *name;
        uint8_t kind;
        const char *example;
    } known[] = {{"DATE", WR_KIND_DATE, "2026-02-28"},
                 {"TIME", WR_KIND_TIME, "13:45:00"},
                 {"TIMESTAMP", WR_KIND_TIMESTAMP, "2026-02-28 13:45:00"},
                 {"TIMESTAMP_LTZ", WR_KIND_TIMESTAMP, "2026-02-28 13:45:00"}};
    struct wr_suggestion near;
    wr_suggestion_init(&near, expr->u.typed.type.text);
    for (size_t i = 0; i < WR_COUNT(known); i++) {
        wr_suggestion_offer(&near, wr_slice_cstr(known[i].name));
        if (!wr_slice_equal_nocase(wr_slice_cstr(known[i].name), expr->u.typed.type.text)) continue;
        struct wr_type type = wr_type_of((enum wr_kind)known[i].kind);
        struct wr_value value;
        if (wr_value_parse(type, expr->u.typed.text, &value)) return wr_ir_constant(b, type, value);
        struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0503, expr->span, "'%.*s' is no %s",
                                        WR_SLICE_ARG(expr->u.typed.text), wr_type_text(c, type));
        wr_diag_help(c->diags, d, "write it as %s '%s'", known[i].name, known[i].example);
        return NULL;
    }
    struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0311, expr->u.typed.type.span,
                                    "no literals begin with '%.*s'",
                                    WR_SLICE_ARG(expr->u.typed.type.text));
    struct wr_slice best = wr_suggestion_best(&near);
    if (best.size) wr_diag_help(c->diags, d, "did you mean %.*s?", WR_SLICE_ARG(best));
    return NULL;
}

struct wr_ir *wr_check_constant(struct wr_compile *c, struct wr_block *b,
                                const struct wr_expr *expr)
{
    switch (expr->kind) {
    case WR_EXPR_NULL: return wr_ir_null(b, wr_type_of(WR_KIND_NULL));
    case WR_EXPR_BOOL: return wr_ir_bool(b, expr->u.boolean);
    case WR_EXPR_NUMBER: return check_number(c, b, expr, expr->u.text);
    case WR_EXPR_STRING:
        return wr_ir_constant(b, wr_type_of(WR_KIND_STRING),
                              (struct wr_value){.u.str = expr->u.text});
    case WR_EXPR_DURATION:
        return wr_ir_i64(b, wr_type_of(WR_KIND_INTERVAL), expr->u.duration.micros);
    default: return check_typed(c, b, expr);
    }
}

/* ---- Operators of one value ------------------------------------------------------------------ */

static struct wr_ir *check_unary(struct wr_compile *c, struct wr_scope *scope, struct wr_block *b,
                                 const struct wr_expr *expr)
{
    const struct wr_expr *operand = expr->u.unary.operand;
    if (expr->u.unary.op == WR_UNARY_NOT) {
        struct wr_ir *ir = wr_check_condition(c, scope, b, operand);
        return ir ? wr_ir_not(b, ir) : NULL;
    }
    bool minus = expr->u.unary.op == WR_UNARY_MINUS;
    if (minus && operand->kind == WR_EXPR_NUMBER && !operand->parenthesised)
        return check_number(c, b, expr,
                            wr_arena_printf(c->arena, "-%.*s", WR_SLICE_ARG(operand->u.text)));
    struct wr_ir *ir = wr_check_expr(c, scope, b, operand);
    if (!ir) return NULL;
    struct wr_type t = ir->type;
    if (!wr_type_is_number(t) && t.kind != WR_KIND_INTERVAL && t.kind != WR_KIND_NULL) {
        struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0401, expr->span,
                                        "a sign stands before a number or a "
                                        "duration, this is %s",
                                        wr_type_text(c, t));
        wr_diag_label(c->diags, d, "%s", wr_type_text(c, t));
        return NULL;
    }
    if (!minus || t.kind == WR_KIND_NULL) return ir;
    switch ((int)wr_type_class(t)) {
    case WR_CLASS_F64: return wr_ir_unary(b, WR_OP_NEG_F64, t, ir);
    case WR_CLASS_DEC: return wr_ir_unary(b, WR_OP_NEG_DEC, t, ir);
    default: ir = wr_ir_unary(b, WR_OP_NEG_I64, t, ir); break;
    }
    return t.kind == WR_KIND_INT ? wr_ir_unary(b, WR_OP_CHECK_I32, t, ir) : ir;
}

static struct wr_ir *check_is(struct wr_compile *c, struct wr_scope *scope, struct wr_block *b,
                              const struct wr_expr *expr)
{
    struct wr_type boolean = wr_type_of(WR_KIND_BOOLEAN);
    enum wr_is_test test = expr->u.is.test;
    struct wr_ir *ir = test == WR_IS_NULL ? wr_check_expr(c, scope, b, expr->u.is.operand)
                                          : wr_check_condition(c, scope, b, expr->u.is.operand);
    if (!ir) return NULL;
    if (test == WR_IS_NULL || test == WR_IS_UNKNOWN)
        return wr_ir_unary(b, expr->u.is.negated ? WR_OP_IS_NOT_NULL : WR_OP_IS_NULL, boolean, ir);
    ir = wr_ir_unary(b, test == WR_IS_TRUE ? WR_OP_IS_TRUE : WR_OP_IS_FALSE, boolean, ir);
    return expr->u.is.negated ? wr_ir_not(b, ir) : ir;
}

static struct wr_ir *check_cast(struct wr_compile *c, struct wr_scope *scope, struct wr_block *b,
                                const struct wr_expr *expr)
{
    struct wr_type type;
    struct wr_ir *ir = wr_check_expr(c, scope, b, expr->u.cast.operand);
    bool ok = wr_check_type_name(c, expr->u.cast.type, &type);
    if (!ir || !ok) return NULL;
    struct wr_ir *result = wr_ir_cast(b, ir, type, true, expr->u.cast.try);
    if (!result) {
        struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0405, expr->span,
                                        "%s cannot be cast to %s", wr_type_text(c, ir->type),
                                        wr_type_text(c, type));
        wr_diag_label(c->diags, d, "from %s", wr_type_text(c, ir->type));
    }
    return result;
}

/* ---- BETWEEN, IN, CASE ----------------------------------------------------------------------- */

/* Two constants of types that compare with the same operand. */
static bool bounds_cross(struct wr_compile *c, struct wr_block *b, struct wr_ir *low,
                         struct wr_ir *high)
{
    bool reported;
    struct wr_value value;
    if (!wr_unify(c, b, &low, &high, &reported)) return false;
    struct wr_ir *order = wr_ir_compare(b, WR_BINARY_LE, low, high);
    return wr_ir_is_constant(order, &value) && value.flag == WR_FLAG_VALUE && !value.u.boolean;
}

static struct wr_ir *check_between(struct wr_compile *c, struct wr_scope *scope, struct wr_block *b,
                                   const struct wr_expr *expr)
{
    struct wr_ir *x = wr_check_expr(c, scope, b, expr->u.between.operand);
    struct wr_ir *low = wr_check_expr(c, scope, b, expr->u.between.low);
    struct wr_ir *high = wr_check_expr(c, scope, b, expr->u.between.high);
    if (!x || !low || !high) return NULL;
    struct wr_value from, to;
    struct wr_ir *at_least = wr_compare_checked(c, b, WR_BINARY_GE, x, low,
                                                expr->u.between.low->span);
    struct wr_ir *at_most = wr_compare_checked(c, b, WR_BINARY_LE, x, high,
                                               expr->u.between.high->span);
    if (!at_least || !at_most) return NULL;
    if (wr_ir_is_constant(low, &from) && wr_ir_is_constant(high, &to) &&
        from.flag == WR_FLAG_VALUE && to.flag == WR_FLAG_VALUE && bounds_cross(c, b, low, high))
        wr_diag_add(c->diags, WR_DIAG_W2006, expr->span,
                    "this is always %s: the lower bound is greater than the upper one",
                    expr->u.between.negated ? "true" : "false");
    struct wr_ir *both = wr_ir_and(b, at_least, at_most);
    return expr->u.between.negated ? wr_ir_not(b, both) : both;
}

static struct wr_ir *check_in(struct wr_compile *c, struct wr_scope *scope, struct wr_block *b,
                              const struct wr_expr *expr)
{
    if (expr->u.in.query) {
        struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0416, expr->u.in.query->span,
                                        "a query is no list of values here");
        wr_diag_help(c->diags, d, "write the values out: IN ('a', 'b')");
        return NULL;
    }
    struct wr_ir *x = wr_check_expr(c, scope, b, expr->u.in.operand);
    struct wr_ir *any = NULL;
    bool ok = x != NULL;
    for (uint32_t i = 0; i < expr->u.in.items.count; i++) {
        const struct wr_expr *item = expr->u.in.items.at[i];
        struct wr_ir *value = wr_check_expr(c, scope, b, item);
        struct wr_ir *equal = x && value
                                  ? wr_compare_checked(c, b, WR_BINARY_EQ, x, value, item->span)
                                  : NULL;
        ok &= equal != NULL;
        if (equal) any = any ? wr_ir_or(b, any, equal) : equal;
    }
    if (!ok || !any) return NULL;
    return expr->u.in.negated ? wr_ir_not(b, any) : any;
}

bool wr_common_type(struct wr_compile *c, struct wr_ir *const *value, struct wr_span const *span,
                    uint32_t count, const char *what, struct wr_type *type)
{
    *type = wr_type_of(WR_KIND_NULL);
    uint32_t deciding = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct wr_type t = value[i]->type, common;
        if (t.kind == WR_KIND_STRING && wr_type_is_time(*type))
            continue; /* read as a time, or refused, later */
        if (type->kind == WR_KIND_STRING && wr_type_is_time(t)) {
            *type = t;
            deciding = i;
            continue;
        }
        if (!wr_type_common(*type, t, &common)) {
            struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0406, span[i],
                                            "%s have different types: %s and %s", what,
                                            wr_type_text(c, *type), wr_type_text(c, t));
            wr_diag_label(c->diags, d, "%s", wr_type_text(c, t));
            wr_diag_second(c->diags, d, span[deciding], "%s", wr_type_text(c, *type));
            return false;
        }
        if (!wr_type_equal(common, *type)) deciding = i;
        *type = common;
    }
    return true;
}

bool wr_all_to_type(struct wr_compile *c, struct wr_block *b, struct wr_ir **value,
                    struct wr_span const *span, uint32_t count, const char *what,
                    struct wr_type type)
{
    bool ok = true;
    for (uint32_t i = 0; i < count; i++) {
        bool reported = false;
        struct wr_ir *ir = wr_coerce(c, b, value[i], type, &reported);
        if (!ir && !reported)
            wr_diag_add(c->diags, WR_DIAG_W0406, span[i], "%s have different types: %s and %s",
                        what, wr_type_text(c, type), wr_type_text(c, value[i]->type));
        ok &= ir != NULL;
        value[i] = ir;
    }
    return ok;
}

static struct wr_ir *check_case(struct wr_compile *c, struct wr_scope *scope, struct wr_block *b,
                                const struct wr_expr *expr)
{
    uint32_t n = expr->u.kase.when_count;
    struct wr_ir **condition = WR_NEW_ARRAY(c->arena, struct wr_ir *, n + 1);
    struct wr_ir **value = WR_NEW_ARRAY(c->arena, struct wr_ir *, n + 1);
    struct wr_span *span = WR_NEW_ARRAY(c->arena, struct wr_span, n + 1);
    const struct wr_expr *subject = expr->u.kase.operand;
    struct wr_ir *x = subject ? wr_check_expr(c, scope, b, subject) : NULL;
    bool ok = !subject || x;
    for (uint32_t i = 0; i < n; i++) {
        const struct wr_when *when = &expr->u.kase.when[i];
        if (subject) {
            struct wr_ir *y = wr_check_expr(c, scope, b, when->condition);
            condition[i] = x && y
                               ? wr_compare_checked(c, b, WR_BINARY_EQ, x, y, when->condition->span)
                               : NULL;
        } else {
            condition[i] = wr_check_condition(c, scope, b, when->condition);
        }
        value[i] = wr_check_expr(c, scope, b, when->result);
        span[i] = when->result->span;
        ok &= condition[i] && value[i];
    }
    const struct wr_expr *otherwise = expr->u.kase.otherwise;
    value[n] = otherwise ? wr_check_expr(c, scope, b, otherwise)
                         : wr_ir_null(b, wr_type_of(WR_KIND_NULL));
    span[n] = otherwise ? otherwise->span : expr->span;
    struct wr_type type;
    if (!ok || !value[n] ||
        !wr_common_type(c, value, span, n + 1, "the results of this CASE", &type) ||
        !wr_all_to_type(c, b, value, span, n + 1, "the results of this CASE", type))
        return NULL;
    struct wr_ir *result = value[n];
    for (uint32_t i = n; i-- > 0;) result = wr_ir_select(b, condition[i], value[i], result);
    return result;
}

/* ---- All of them ----------------------------------------------------------------------------- */

static struct wr_ir *check_binary(struct wr_compile *c, struct wr_scope *scope, struct wr_block *b,
                                  const struct wr_expr *expr)
{
    enum wr_binary_op op = expr->u.binary.op;
    if (op == WR_BINARY_AND || op == WR_BINARY_OR) {
        struct wr_ir *left = wr_check_condition(c, scope, b, expr->u.binary.left);
        struct wr_ir *right = wr_check_condition(c, scope, b, expr->u.binary.right);
        if (!left || !right) return NULL;
        return op == WR_BINARY_AND ? wr_ir_and(b, left, right) : wr_ir_or(b, left, right);
    }
    struct wr_ir *left = wr_check_expr(c, scope, b, expr->u.binary.left);
    c->state->beside_text = left && left->type.kind == WR_KIND_STRING && expr->u.binary.right->kind == WR_EXPR_NAME;
    struct wr_ir *right = wr_check_expr(c, scope, b, expr->u.binary.right);
    c->state->beside_text = false;
    return left && right ? wr_check_binary(c, b, expr, left, right) : NULL;
}

static struct wr_ir *check(struct wr_compile *c, struct wr_scope *scope, struct wr_block *b,
                           const struct wr_expr *expr)
{
    if (scope->whole) {
        bool failed = false;
        struct wr_ir *ir = scope->whole(c, scope, b, expr, &failed);
        if (ir || failed) return ir;
    }
    switch (expr->kind) {
    case WR_EXPR_ERROR: return NULL; /* the parser has said it */
    case WR_EXPR_NULL:
    case WR_EXPR_BOOL:
    case WR_EXPR_NUMBER:
    case WR_EXPR_STRING:
    case WR_EXPR_DURATION:
    case WR_EXPR_TYPED: return wr_check_constant(c, b, expr);
    case WR_EXPR_NAME: return check_name(c, scope, b, expr);
    case WR_EXPR_PARAMETER: return check_parameter(c, b, expr);
    case WR_EXPR_STAR:
        wr_diag_add(c->diags, WR_DIAG_W0415, expr->span,
                    "* stands in a SELECT list and in COUNT(*), it is no value");
        return NULL;
    case WR_EXPR_UNARY: return check_unary(c, scope, b, expr);
    case WR_EXPR_BINARY: return check_binary(c, scope, b, expr);
    case WR_EXPR_BETWEEN: return check_between(c, scope, b, expr);
    case WR_EXPR_IN: return check_in(c, scope, b, expr);
    case WR_EXPR_LIKE: return wr_check_like(c, scope, b, expr);
    case WR_EXPR_IS: return check_is(c, scope, b, expr);
    case WR_EXPR_CASE: return check_case(c, scope, b, expr);
    case WR_EXPR_CAST: return check_cast(c, scope, b, expr);
    case WR_EXPR_CALL: return wr_check_call(c, scope, b, expr);
    case WR_EXPR_INDEX:
    case WR_EXPR_FIELD: return wr_check_access(c, scope, b, expr);
    case WR_EXPR_ARRAY: return wr_check_array(c, scope, b, expr);
    case WR_EXPR_MAP: wr_not_yet(c, expr->span, "a map that is not asked for a key at once, as in {'a': 1}[k],"); return NULL;
    case WR_EXPR_SUBQUERY:
        wr_diag_help(c->diags, wr_diag_add(c->diags, WR_DIAG_W0416, expr->span, "a query is no value here"),
                     "rows of two streams meet in a pattern: PATTERN p FROM (a, b) MATCH a -> b WITHIN 5m SELECT …");
        return NULL;
    }
    return NULL;
}

struct wr_ir *wr_check_expr(struct wr_compile *c, struct wr_scope *scope, struct wr_block *b,
                            const struct wr_expr *expr)
{
    struct wr_span outer = b->span;
    b->span = expr->span;
    struct wr_ir *ir = check(c, scope, b, expr);
    b->span = outer;
    return ir;
}

struct wr_ir *wr_check_condition(struct wr_compile *c, struct wr_scope *scope, struct wr_block *b,
                                 const struct wr_expr *expr)
{
    struct wr_ir *ir = wr_check_expr(c, scope, b, expr);
    if (!ir || ir->type.kind == WR_KIND_BOOLEAN) return ir;
    if (ir->type.kind == WR_KIND_NULL) return wr_ir_null(b, wr_type_of(WR_KIND_BOOLEAN));
    struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0402, expr->span, "%s is no condition",
                                    wr_type_is_number(ir->type) ? "a number"
                                                                : wr_type_text(c, ir->type));
    wr_diag_label(c->diags, d, "%s", wr_type_text(c, ir->type));
    if (wr_type_is_number(ir->type)) wr_diag_help(c->diags, d, "compare it: … <> 0");
    return NULL;
}

static struct wr_ir *refuse_name(struct wr_compile *c, struct wr_scope *scope, struct wr_block *b,
                                 const struct wr_expr *name, bool *handled)
{
    WR_UNUSED(b);
    *handled = true;
    struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0512, name->span,
                                    "%s is known before the first row: a constant, no column",
                                    (const char *)scope->context);
    wr_diag_label(c->diags, d, "a column");
    return NULL;
}

bool wr_check_interval(struct wr_compile *c, const struct wr_expr *expr, const char *what,
                       int64_t *micros)
{
    struct wr_scope scope = {.context = (void *)(uintptr_t)what,
                             .resolve = refuse_name,
                             .aggregates_refused = "in a duration"};
    struct wr_block *b = wr_block_new(c);
    struct wr_ir *ir = wr_check_expr(c, &scope, b, expr);
    bool reported = false;
    if (!ir) return false;
    if (ir->type.kind == WR_KIND_STRING)
        ir = wr_coerce(c, b, ir, wr_type_of(WR_KIND_INTERVAL), &reported);
    if (!ir) {
        if (!reported)
            wr_diag_add(c->diags, WR_DIAG_W0419, expr->span,
                        "%s is a duration, such as 10m or 1h30m", what);
        return false;
    }
    if (ir->type.kind != WR_KIND_INTERVAL) {
        struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0419, expr->span,
                                        "%s is a duration, this is %s", what,
                                        wr_type_text(c, ir->type));
        if (expr->kind == WR_EXPR_NUMBER)
            wr_diag_help(c->diags, d, "write its unit: %.*ss for seconds, %.*sm for minutes",
                         WR_SLICE_ARG(expr->u.text), WR_SLICE_ARG(expr->u.text));
        return false;
    }
    if (ir->kind == WR_IR_CONSTANT && ir->u.constant.parameter != WR_NONE) {
        wr_not_yet(c, expr->span, "a parameter as a duration of a window or a pattern");
        return false;
    }
    struct wr_value value;
    wr_block_result(b, ir);
    wr_block_finish(b); /* says it when the constant fails */
    if (ir->failed) return false;
    if (!wr_ir_is_constant(ir, &value) || value.flag != WR_FLAG_VALUE) {
        wr_diag_add(c->diags, WR_DIAG_W0512, expr->span, "%s is a constant duration", what);
        return false;
    }
    *micros = value.u.i64;
    return true;
}

bool wr_check_duration(struct wr_compile *c, const struct wr_expr *expr, const char *what,
                       int64_t *micros)
{
    if (!wr_check_interval(c, expr, what, micros)) return false;
    if (*micros > 0) return true;
    wr_diag_add(c->diags, WR_DIAG_W0504, expr->span, "%s must be longer than nothing", what);
    return false;
}
