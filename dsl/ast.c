/* Constructors of lists, names, types and expressions. See build.h. */
#include "dsl/build.h"
#include "dsl/lexer.h"
#include <stdarg.h>
#include <stdio.h>

/* ---- Lists ------------------------------------------------------------------------------------- */

struct wr_list *wr_list_empty(struct wr_parse *parse)
{
    return WR_NEW(parse->arena, struct wr_list);
}

struct wr_list *wr_list_of(struct wr_parse *parse, const void *element, size_t size)
{
    return wr_list_add(parse, wr_list_empty(parse), element, size);
}

struct wr_list *wr_list_add(struct wr_parse *parse, struct wr_list *list, const void *element, size_t size)
{
    if (list->count == list->capacity) {
        uint32_t capacity = list->capacity ? 2 * list->capacity : 2;
        char *grown = wr_arena_alloc(parse->arena, capacity * size);
        if (list->count) memcpy(grown, list->at, list->count * size);
        list->at = grown;
        list->capacity = capacity;
    }
    memcpy(list->at + list->count++ * size, element, size);
    return list;
}

struct wr_list *wr_list_front(struct wr_parse *parse, struct wr_expr *first, struct wr_list *rest)
{
    struct wr_list *list = wr_list_of(parse, &first, sizeof first);
    for (uint32_t i = 0; i < rest->count; i++)
        wr_list_add(parse, list, rest->at + i * sizeof first, sizeof first);
    return list;
}

struct wr_list *wr_list_joined(struct wr_parse *parse, struct wr_list *a, struct wr_clause *middle, struct wr_list *b)
{
    wr_list_add(parse, a, &middle, sizeof middle);
    for (uint32_t i = 0; i < b->count; i++) wr_list_add(parse, a, b->at + i * sizeof middle, sizeof middle);
    return a;
}

struct wr_expr_list wr_list_exprs(const struct wr_list *list)
{
    return list ? (struct wr_expr_list){(struct wr_expr **)(void *)list->at, list->count}
                : (struct wr_expr_list){NULL, 0};
}

struct wr_ident_list wr_list_idents(const struct wr_list *list)
{
    return list ? (struct wr_ident_list){(struct wr_ident *)(void *)list->at, list->count}
                : (struct wr_ident_list){NULL, 0};
}

struct wr_order_list wr_list_orders(const struct wr_list *list)
{
    return list ? (struct wr_order_list){(struct wr_order_item *)(void *)list->at, list->count}
                : (struct wr_order_list){NULL, 0};
}

/* ---- Errors, names, texts ------------------------------------------------------------------------- */

struct wr_diag *wr_parse_error(struct wr_parse *parse, enum wr_diag_code code, struct wr_span span,
                               const char *format, ...)
{
    parse->failed = true;
    if (parse->silent) {
        if (!parse->diags->spare) parse->diags->spare = WR_NEW(parse->arena, struct wr_diag);
        return parse->diags->spare;
    }
    va_list arguments;
    va_start(arguments, format);
    char text[512];
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return wr_diag_add(parse->diags, code, span, "%s", text);
}

struct wr_slice wr_parse_text(struct wr_parse *parse, struct wr_span span)
{
    return wr_span_text(parse->diags->sources, span);
}

bool wr_ident_equal(struct wr_ident a, struct wr_ident b)
{
    return a.quoted || b.quoted ? wr_slice_equal(a.text, b.text) : wr_slice_equal_nocase(a.text, b.text);
}

/* The inside of a quoted text; doubled quotes become one. */
static struct wr_slice unquoted(struct wr_parse *parse, struct wr_slice text)
{
    WR_ASSERT(text.size >= 2);
    char quote = text.data[0];
    struct wr_slice inside = {text.data + 1, text.size - 2};
    if (!inside.size || !memchr(inside.data, quote, inside.size)) return inside;
    char *undone = wr_arena_alloc(parse->arena, inside.size);
    size_t n = 0;
    for (size_t i = 0; i < inside.size; i++) {
        undone[n++] = inside.data[i];
        if (inside.data[i] == quote) i++;
    }
    return wr_slice_of(undone, n);
}

struct wr_ident wr_ident_at(struct wr_parse *parse, struct wr_span span)
{
    struct wr_slice text = wr_parse_text(parse, span);
    if (text.size >= 2 && (text.data[0] == '"' || text.data[0] == '`'))
        return (struct wr_ident){unquoted(parse, text), true, span};
    return (struct wr_ident){text, false, span};
}

struct wr_ident wr_ident_none(struct wr_span span)
{
    span.end = span.start;
    return (struct wr_ident){{NULL, 0}, false, span};
}

struct wr_slice wr_string_at(struct wr_parse *parse, struct wr_span span)
{
    return unquoted(parse, wr_parse_text(parse, span));
}

uint32_t wr_number_at(struct wr_parse *parse, struct wr_span span, uint32_t max)
{
    struct wr_slice text = wr_parse_text(parse, span);
    uint64_t n = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || n > max) {
            n = (uint64_t)max + 1;
            break;
        }
        n = n * 10 + (uint64_t)(text.data[i] - '0');
    }
    if (n <= max) return (uint32_t)n;
    wr_parse_error(parse, WR_DIAG_W0209, span, "expected a whole number from 0 to %u, found '%.*s'", max,
                   WR_SLICE_ARG(text));
    return 1; /* a number that nothing else complains about */
}

/* ---- Expressions ---------------------------------------------------------------------------------- */

static struct wr_expr *make(struct wr_parse *parse, enum wr_expr_kind kind, struct wr_span span)
{
    struct wr_expr *expr = WR_NEW(parse->arena, struct wr_expr);
    expr->kind = kind;
    expr->span = span;
    expr->depth = 1;
    return expr;
}

/* Notes that `child` (may be NULL) is below `expr`. */
static void deepen(struct wr_expr *expr, const struct wr_expr *child)
{
    if (child && child->depth >= expr->depth) expr->depth = child->depth + 1;
}

static void deepen_list(struct wr_expr *expr, struct wr_expr_list list)
{
    for (uint32_t i = 0; i < list.count; i++) deepen(expr, list.at[i]);
}

/* The expression, or an ERROR in its place when the tree would become too deep to walk. */
static struct wr_expr *bounded(struct wr_parse *parse, struct wr_expr *expr)
{
    if (expr->depth <= WR_AST_DEPTH_MAX) return expr;
    struct wr_span place = {expr->span.file, expr->span.start, expr->span.start + 1}; /* one error for a chain */
    struct wr_diag *d = wr_parse_error(parse, WR_DIAG_W0202, place, "expression is nested more than %d deep",
                                       WR_AST_DEPTH_MAX);
    wr_diag_help(parse->diags, d, "a long list of choices is written x IN (…); long sums go through views");
    return wr_expr_error(parse, expr->span);
}

struct wr_expr *wr_expr_error(struct wr_parse *parse, struct wr_span span)
{
    return make(parse, WR_EXPR_ERROR, span);
}

struct wr_expr *wr_expr_literal(struct wr_parse *parse, enum wr_expr_kind kind, struct wr_span span)
{
    struct wr_expr *expr = make(parse, kind, span);
    if (kind == WR_EXPR_BOOL) expr->u.boolean = wr_slice_equal_nocase(wr_parse_text(parse, span), WR_SLICE("TRUE"));
    else if (kind == WR_EXPR_STRING) expr->u.text = wr_string_at(parse, span);
    else if (kind == WR_EXPR_NUMBER) expr->u.text = wr_parse_text(parse, span);
    return expr;
}

struct wr_expr *wr_expr_duration(struct wr_parse *parse, struct wr_span span)
{
    struct wr_expr *expr = make(parse, WR_EXPR_DURATION, span);
    expr->u.duration.spelling = wr_parse_text(parse, span);
    if (!wr_duration_decode(expr->u.duration.spelling, &expr->u.duration.micros)) {
        parse->failed = true; /* the lexer has said why */
        expr->kind = WR_EXPR_ERROR;
    }
    return expr;
}

struct wr_expr *wr_expr_typed(struct wr_parse *parse, struct wr_ident type, struct wr_span text, struct wr_span span)
{
    struct wr_expr *expr = make(parse, WR_EXPR_TYPED, span);
    expr->u.typed.type = type;
    expr->u.typed.text = wr_string_at(parse, text);
    return expr;
}

struct wr_expr *wr_expr_name(struct wr_parse *parse, struct wr_list *path, struct wr_span span)
{
    struct wr_expr *expr = make(parse, WR_EXPR_NAME, span);
    expr->u.name = wr_list_idents(path);
    return expr;
}

struct wr_expr *wr_expr_parameter(struct wr_parse *parse, struct wr_ident name, struct wr_span span)
{
    struct wr_expr *expr = make(parse, WR_EXPR_PARAMETER, span);
    expr->u.ident = name;
    return expr;
}

struct wr_expr *wr_expr_star(struct wr_parse *parse, struct wr_list *path, struct wr_span span)
{
    struct wr_expr *expr = make(parse, WR_EXPR_STAR, span);
    expr->u.name = wr_list_idents(path);
    if (expr->u.name.count > 1) {
        struct wr_diag *d = wr_parse_error(parse, WR_DIAG_W0201, span, "a star stands behind one name only");
        wr_diag_help(parse->diags, d, "write %.*s.*", WR_SLICE_ARG(expr->u.name.at[0].text));
        expr->kind = WR_EXPR_ERROR;
    }
    return expr;
}

struct wr_expr *wr_expr_unary(struct wr_parse *parse, enum wr_unary_op op, struct wr_expr *operand,
                              struct wr_span span) {
    struct wr_expr *expr = make(parse, WR_EXPR_UNARY, span);
    expr->u.unary.op = op;
    expr->u.unary.operand = operand;
    deepen(expr, operand);
    return bounded(parse, expr);
}

static bool is_comparison(enum wr_binary_op op)
{
    return op >= WR_BINARY_EQ && op <= WR_BINARY_NOT_DISTINCT;
}

/* a < b < c: what was meant is nearly always a < b AND b < c. */
static struct wr_expr *refuse_chain(struct wr_parse *parse, const struct wr_expr *left, const struct wr_expr *right,
                                    struct wr_span op_span, struct wr_span span)
{
    struct wr_diag *d = wr_parse_error(parse, WR_DIAG_W0203, op_span, "comparisons cannot be chained");
    struct wr_slice first = wr_parse_text(parse, left->span),
                    middle = wr_parse_text(parse, left->u.binary.right->span);
    struct wr_slice op = wr_parse_text(parse, op_span), last = wr_parse_text(parse, right->span);
    const struct wr_expr *between = left->u.binary.right;
    if (between->kind == WR_EXPR_BINARY && between->u.binary.op == WR_BINARY_CONCAT && !between->parenthesised)
        wr_diag_help(parse->diags, d, "|| joins texts; between two conditions write OR");
    else if (first.size + middle.size + last.size <= 120)
        wr_diag_help(parse->diags, d, "write %.*s AND %.*s %.*s %.*s", WR_SLICE_ARG(first), WR_SLICE_ARG(middle),
                     WR_SLICE_ARG(op), WR_SLICE_ARG(last));
    else
        wr_diag_help(parse->diags, d, "write two comparisons with AND between them");
    wr_diag_second(parse->diags, d, left->u.binary.op_span, "the first comparison");
    return wr_expr_error(parse, span);
}

struct wr_expr *wr_expr_binary(struct wr_parse *parse, enum wr_binary_op op, struct wr_expr *left,
                               struct wr_expr *right, struct wr_span op_span, struct wr_span span)
{
    if (is_comparison(op) && left->kind == WR_EXPR_BINARY && is_comparison(left->u.binary.op) && !left->parenthesised)
        return refuse_chain(parse, left, right, op_span, span);
    struct wr_expr *expr = make(parse, WR_EXPR_BINARY, span);
    expr->u.binary.op = op;
    expr->u.binary.left = left;
    expr->u.binary.right = right;
    expr->u.binary.op_span = op_span;
    deepen(expr, left);
    deepen(expr, right);
    return bounded(parse, expr);
}

struct wr_expr *wr_expr_between(struct wr_parse *parse, struct wr_expr *operand, bool negated, struct wr_expr *low,
                                struct wr_expr *high, struct wr_span span)
{
    struct wr_expr *expr = make(parse, WR_EXPR_BETWEEN, span);
    expr->u.between.operand = operand;
    expr->u.between.low = low;
    expr->u.between.high = high;
    expr->u.between.negated = negated;
    deepen(expr, operand);
    deepen(expr, low);
    deepen(expr, high);
    return bounded(parse, expr);
}

struct wr_expr *wr_expr_in(struct wr_parse *parse, struct wr_expr *operand, bool negated, struct wr_list *items,
                           struct wr_query *query, struct wr_span span)
{
    if (!query && !items) {
        struct wr_span place = {span.file, span.end - 1, span.end};
        struct wr_diag *d = wr_parse_error(parse, WR_DIAG_W0224, place, "the list of IN is empty");
        wr_diag_help(parse->diags, d, "write at least one value, as in x IN ('a')");
        return wr_expr_error(parse, span);
    }
    struct wr_expr *expr = make(parse, WR_EXPR_IN, span);
    expr->u.in.operand = operand;
    expr->u.in.items = wr_list_exprs(items);
    expr->u.in.query = query;
    expr->u.in.negated = negated;
    deepen(expr, operand);
    deepen_list(expr, expr->u.in.items);
    return bounded(parse, expr);
}

struct wr_expr *wr_expr_like(struct wr_parse *parse, struct wr_expr *operand, bool negated, bool regexp,
                             struct wr_expr *pattern, struct wr_expr *escape, struct wr_span span)
{
    struct wr_expr *expr = make(parse, WR_EXPR_LIKE, span);
    expr->u.like.operand = operand;
    expr->u.like.pattern = pattern;
    expr->u.like.escape = escape;
    expr->u.like.negated = negated;
    expr->u.like.regexp = regexp;
    deepen(expr, operand);
    deepen(expr, pattern);
    deepen(expr, escape);
    return bounded(parse, expr);
}

struct wr_expr *wr_expr_is(struct wr_parse *parse, struct wr_expr *operand, bool negated, enum wr_is_test test,
                           struct wr_span span)
{
    struct wr_expr *expr = make(parse, WR_EXPR_IS, span);
    expr->u.is.operand = operand;
    expr->u.is.test = test;
    expr->u.is.negated = negated;
    deepen(expr, operand);
    return bounded(parse, expr);
}

struct wr_when *wr_when_new(struct wr_parse *parse, struct wr_expr *condition, struct wr_expr *result)
{
    struct wr_when *when = WR_NEW(parse->arena, struct wr_when);
    *when = (struct wr_when){condition, result};
    return when;
}

struct wr_expr *wr_expr_case(struct wr_parse *parse, struct wr_expr *operand, struct wr_list *whens,
                             struct wr_expr *otherwise, struct wr_span span)
{
    struct wr_expr *expr = make(parse, WR_EXPR_CASE, span);
    expr->u.kase.operand = operand;
    expr->u.kase.when = (struct wr_when *)(void *)whens->at;
    expr->u.kase.when_count = whens->count;
    expr->u.kase.otherwise = otherwise;
    deepen(expr, operand);
    deepen(expr, otherwise);
    for (uint32_t i = 0; i < whens->count; i++) {
        deepen(expr, expr->u.kase.when[i].condition);
        deepen(expr, expr->u.kase.when[i].result);
    }
    return bounded(parse, expr);
}

struct wr_expr *wr_expr_cast(struct wr_parse *parse, struct wr_expr *operand, struct wr_type_name *type, bool try,
                             bool colons, struct wr_span span)
{
    struct wr_expr *expr = make(parse, WR_EXPR_CAST, span);
    expr->u.cast.operand = operand;
    expr->u.cast.type = type;
    expr->u.cast.try = try;
    expr->u.cast.colons = colons;
    deepen(expr, operand);
    return bounded(parse, expr);
}

struct wr_expr *wr_expr_index(struct wr_parse *parse, struct wr_expr *left, struct wr_expr *index,
                              struct wr_span span) {
    struct wr_expr *expr = make(parse, WR_EXPR_INDEX, span);
    expr->u.binary.left = left;
    expr->u.binary.right = index;
    expr->u.binary.op_span = (struct wr_span){span.file, left->span.end, span.end};
    deepen(expr, left);
    deepen(expr, index);
    return bounded(parse, expr);
}

struct wr_expr *wr_expr_field(struct wr_parse *parse, struct wr_expr *operand, struct wr_ident name,
                              struct wr_span span) {
    struct wr_expr *expr = make(parse, WR_EXPR_FIELD, span);
    expr->u.field.operand = operand;
    expr->u.field.name = name;
    deepen(expr, operand);
    return bounded(parse, expr);
}

struct wr_expr *wr_expr_list_of(struct wr_parse *parse, enum wr_expr_kind kind, struct wr_list *list,
                                struct wr_span span)
{
    struct wr_expr *expr = make(parse, kind, span);
    expr->u.list = wr_list_exprs(list);
    deepen_list(expr, expr->u.list);
    return bounded(parse, expr);
}

struct wr_expr *wr_expr_subquery(struct wr_parse *parse, struct wr_query *query, struct wr_span span)
{
    struct wr_expr *expr = make(parse, WR_EXPR_SUBQUERY, span);
    expr->u.query = query;
    expr->depth += query->depth;
    return bounded(parse, expr);
}

struct wr_expr *wr_expr_parens(struct wr_parse *parse, struct wr_expr *expr, struct wr_span span)
{
    WR_UNUSED(parse);
    expr->parenthesised = true;
    expr->span = span;
    return expr;
}

static bool is_literal(const struct wr_expr *expr)
{
    switch (expr->kind) {
    case WR_EXPR_ERROR: case WR_EXPR_NULL: case WR_EXPR_BOOL: case WR_EXPR_NUMBER: case WR_EXPR_STRING:
    case WR_EXPR_DURATION: case WR_EXPR_TYPED:
        return true;
    case WR_EXPR_UNARY:
        return expr->u.unary.op == WR_UNARY_MINUS && expr->u.unary.operand->kind != WR_EXPR_UNARY &&
               is_literal(expr->u.unary.operand);
    case WR_EXPR_ARRAY: case WR_EXPR_MAP:
        for (uint32_t i = 0; i < expr->u.list.count; i++)
            if (!is_literal(expr->u.list.at[i])) return false;
        return true;
    case WR_EXPR_NAME: case WR_EXPR_PARAMETER: case WR_EXPR_STAR: case WR_EXPR_BINARY: case WR_EXPR_BETWEEN:
    case WR_EXPR_IN: case WR_EXPR_LIKE: case WR_EXPR_IS: case WR_EXPR_CASE: case WR_EXPR_CAST: case WR_EXPR_CALL:
    case WR_EXPR_INDEX: case WR_EXPR_FIELD: case WR_EXPR_SUBQUERY:
        return false;
    }
    return false;
}

struct wr_expr *wr_expr_must_be_literal(struct wr_parse *parse, struct wr_expr *expr)
{
    if (is_literal(expr)) return expr;
    struct wr_diag *d = wr_parse_error(parse, WR_DIAG_W0220, expr->span, "expected a literal value");
    if (expr->kind == WR_EXPR_NAME && expr->u.name.count == 1)
        wr_diag_help(parse->diags, d, "a text stands in quotes: '%.*s'", WR_SLICE_ARG(expr->u.name.at[0].text));
    return wr_expr_error(parse, expr->span);
}
