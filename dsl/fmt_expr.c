/* Expressions, names and types as documents. Parentheses are the user's own: the tree says where. */
#include "base/text.h"
#include "base/vec.h"
#include "dsl/fmt_build.h"
#include <stdarg.h>
#include <stdio.h>

void wr_fmt_slice(struct wr_fmt *f, struct wr_doc *to, struct wr_slice text)
{
    wr_doc_add(f->arena, to, wr_doc_text(f->arena, text));
}

void wr_fmt_text(struct wr_fmt *f, struct wr_doc *to, const char *text)
{
    wr_fmt_slice(f, to, wr_slice_cstr(text));
}

void wr_fmt_printf(struct wr_fmt *f, struct wr_doc *to, const char *format, ...)
{
    char text[128];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    WR_ASSERT(size >= 0 && (size_t)size < sizeof text);
    wr_fmt_slice(f, to, wr_arena_copy(f->arena, wr_slice_of(text, (size_t)size)));
}

void wr_fmt_line(struct wr_fmt *f, struct wr_doc *to, enum wr_doc_kind kind)
{
    wr_doc_add(f->arena, to, wr_doc_of(f->arena, kind));
}

struct wr_doc *wr_fmt_open(struct wr_fmt *f, struct wr_doc *to, enum wr_doc_kind kind)
{
    struct wr_doc *doc = wr_doc_of(f->arena, kind);
    wr_doc_add(f->arena, to, doc);
    return doc;
}

struct wr_doc *wr_fmt_nest(struct wr_fmt *f, struct wr_doc *to, uint32_t indent)
{
    struct wr_doc *doc = wr_doc_nest(f->arena, indent);
    wr_doc_add(f->arena, to, doc);
    return doc;
}

uint32_t wr_fmt_width(struct wr_fmt *f, const struct wr_doc *doc)
{
    WR_UNUSED(f);
    struct wr_buf out = {0};
    wr_doc_layout(doc, UINT32_MAX / 2, &out);
    uint32_t width = (uint32_t)wr_utf8_length(wr_buf_slice(&out));
    wr_buf_release(&out);
    return width;
}

/* ---- Names, texts, types ---------------------------------------------------------------------------- */

/* The text between quotes, those inside doubled. */
static struct wr_slice quoted(struct wr_fmt *f, struct wr_slice text, char quote)
{
    char *at = wr_arena_alloc(f->arena, 2 * text.size + 2), *next = at;
    *next++ = quote;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == quote) *next++ = quote;
        *next++ = text.data[i];
    }
    *next++ = quote;
    return wr_slice_of(at, (size_t)(next - at));
}

void wr_fmt_ident(struct wr_fmt *f, struct wr_doc *to, struct wr_ident ident)
{
    wr_fmt_slice(f, to, ident.quoted ? quoted(f, ident.text, '"') : ident.text);
}

void wr_fmt_string(struct wr_fmt *f, struct wr_doc *to, struct wr_slice text)
{
    wr_fmt_slice(f, to, quoted(f, text, '\''));
}

void wr_fmt_upper(struct wr_fmt *f, struct wr_doc *to, struct wr_slice text)
{
    char *at = wr_arena_cstr(f->arena, text);
    for (size_t i = 0; i < text.size; i++)
        if (at[i] >= 'a' && at[i] <= 'z') at[i] = (char)(at[i] - 32);
    wr_fmt_slice(f, to, wr_slice_of(at, text.size));
}

void wr_fmt_type(struct wr_fmt *f, struct wr_doc *to, const struct wr_type_name *type)
{
    if (type->name.quoted) wr_fmt_ident(f, to, type->name);
    else wr_fmt_upper(f, to, type->name.text);
    if (type->has_scale) wr_fmt_printf(f, to, "(%u,%u)", type->precision, type->scale);
    else if (type->has_precision) wr_fmt_printf(f, to, "(%u)", type->precision);
    if (!type->argument_count) return;
    wr_fmt_text(f, to, "<");
    for (uint32_t i = 0; i < type->argument_count; i++) {
        if (i) wr_fmt_text(f, to, ", ");
        if (type->field) {
            wr_fmt_ident(f, to, type->field[i]);
            wr_fmt_text(f, to, " ");
        }
        wr_fmt_type(f, to, type->argument[i]);
    }
    wr_fmt_text(f, to, ">");
}

/* ---- Expressions --------------------------------------------------------------------------------------- */

/* Elements with commas, each kept with the comments behind it. */
static void list(struct wr_fmt *f, struct wr_doc *to, struct wr_expr_list exprs, const struct wr_ident *names)
{
    for (uint32_t i = 0; i < exprs.count; i++) {
        if (i) wr_fmt_line(f, to, WR_DOC_LINE);
        wr_fmt_before(f, to, exprs.at[i]->span.start);
        if (names && names[i].text.size) {
            wr_fmt_ident(f, to, names[i]);
            wr_fmt_text(f, to, " => ");
        }
        wr_fmt_expression(f, to, exprs.at[i]);
        if (i + 1 < exprs.count) wr_fmt_text(f, to, ",");
        wr_fmt_behind(f, to, exprs.at[i]->span.end);
    }
}

void wr_fmt_exprs(struct wr_fmt *f, struct wr_doc *to, struct wr_expr_list exprs)
{
    struct wr_doc *group = wr_fmt_open(f, wr_fmt_open(f, to, WR_DOC_ALIGN), WR_DOC_GROUP);
    list(f, group, exprs, NULL);
}

void wr_fmt_orders(struct wr_fmt *f, struct wr_doc *to, struct wr_order_list orders)
{
    struct wr_doc *group = wr_fmt_open(f, wr_fmt_open(f, to, WR_DOC_ALIGN), WR_DOC_GROUP);
    for (uint32_t i = 0; i < orders.count; i++) {
        const struct wr_order_item *item = &orders.at[i];
        if (i) wr_fmt_line(f, group, WR_DOC_LINE);
        wr_fmt_expression(f, group, item->expr);
        if (item->descending) wr_fmt_text(f, group, " DESC");
        if (item->nulls) wr_fmt_text(f, group, item->nulls < 0 ? " NULLS FIRST" : " NULLS LAST");
        if (i + 1 < orders.count) wr_fmt_text(f, group, ",");
        wr_fmt_behind(f, group, item->expr->span.end);
    }
}

static const char *operator_text(enum wr_binary_op op)
{
    switch (op) {
    case WR_BINARY_OR: return "OR";
    case WR_BINARY_AND: return "AND";
    case WR_BINARY_EQ: return "=";
    case WR_BINARY_NE: return "<>";
    case WR_BINARY_LT: return "<";
    case WR_BINARY_LE: return "<=";
    case WR_BINARY_GT: return ">";
    case WR_BINARY_GE: return ">=";
    case WR_BINARY_DISTINCT: return "IS DISTINCT FROM";
    case WR_BINARY_NOT_DISTINCT: return "IS NOT DISTINCT FROM";
    case WR_BINARY_ADD: return "+";
    case WR_BINARY_SUB: return "-";
    case WR_BINARY_MUL: return "*";
    case WR_BINARY_DIV: return "/";
    case WR_BINARY_MOD: return "%";
    case WR_BINARY_CONCAT: return "||";
    }
    return "";
}

/* a AND b AND c: one group, so that all of a chain's lines break or none. */
static void binary(struct wr_fmt *f, struct wr_doc *to, const struct wr_expr *expr)
{
    struct wr_doc *group = wr_fmt_open(f, wr_fmt_open(f, to, WR_DOC_ALIGN), WR_DOC_GROUP);
    WR_VEC(const struct wr_expr *) chain = {0};
    const struct wr_expr *first = expr;
    do {
        wr_vec_push(&chain, first);
        first = first->u.binary.left;
    } while (first->kind == WR_EXPR_BINARY && first->u.binary.op == expr->u.binary.op && !first->parenthesised);
    wr_fmt_expression(f, group, first);
    while (chain.count) {
        const struct wr_expr *link = wr_vec_pop(&chain);
        wr_fmt_behind(f, group, link->u.binary.left->span.end);
        wr_fmt_line(f, group, WR_DOC_LINE);
        wr_fmt_text(f, group, operator_text(link->u.binary.op));
        wr_fmt_text(f, group, " ");
        wr_fmt_expression(f, group, link->u.binary.right);
    }
    wr_vec_release(&chain);
}

static void over(struct wr_fmt *f, struct wr_doc *to, const struct wr_over *o)
{
    static const char *const bounds[] = {"UNBOUNDED PRECEDING", " PRECEDING", "CURRENT ROW", " FOLLOWING",
                                         "UNBOUNDED FOLLOWING"};
    const struct wr_over_bound *bound[] = {&o->low, &o->high};
    bool any = false;
    wr_fmt_text(f, to, " OVER (");
    if (o->partition.count) {
        wr_fmt_text(f, to, "PARTITION BY ");
        wr_fmt_exprs(f, to, o->partition);
        any = true;
    }
    if (o->order.count) {
        wr_fmt_text(f, to, any ? " ORDER BY " : "ORDER BY ");
        wr_fmt_orders(f, to, o->order);
        any = true;
    }
    if (o->unit != WR_OVER_NONE) {
        wr_fmt_text(f, to, any ? " " : "");
        wr_fmt_text(f, to, o->unit == WR_OVER_ROWS ? "ROWS BETWEEN " : "RANGE BETWEEN ");
        for (int i = 0; i < 2; i++) {
            if (i) wr_fmt_text(f, to, " AND ");
            if (bound[i]->offset) wr_fmt_expression(f, to, bound[i]->offset);
            wr_fmt_text(f, to, bounds[bound[i]->kind]);
        }
    }
    wr_fmt_text(f, to, ")");
}

static void call(struct wr_fmt *f, struct wr_doc *to, const struct wr_expr *expr)
{
    if (expr->u.call.frame != WR_FRAME_DEFAULT)
        wr_fmt_text(f, to, expr->u.call.frame == WR_FRAME_RUNNING ? "RUNNING " : "FINAL ");
    wr_fmt_ident(f, to, expr->u.call.name);
    wr_fmt_text(f, to, "(");
    if (expr->u.call.distinct) wr_fmt_text(f, to, "DISTINCT ");
    if (!expr->u.call.name.quoted && wr_slice_equal_nocase(expr->u.call.name.text, WR_SLICE("EXTRACT")) &&
        expr->u.call.args.count == 2 && expr->u.call.args.at[0]->kind == WR_EXPR_STRING) {
        wr_fmt_upper(f, to, expr->u.call.args.at[0]->u.text);
        wr_fmt_text(f, to, " FROM ");
        wr_fmt_expression(f, to, expr->u.call.args.at[1]);
    } else {
        struct wr_doc *group = wr_fmt_open(f, wr_fmt_open(f, to, WR_DOC_ALIGN), WR_DOC_GROUP);
        list(f, group, expr->u.call.args, expr->u.call.arg_name);
    }
    if (expr->u.call.order.count) {
        wr_fmt_text(f, to, " ORDER BY ");
        wr_fmt_orders(f, to, expr->u.call.order);
    }
    wr_fmt_text(f, to, ")");
    if (expr->u.call.filter) {
        wr_fmt_text(f, to, " FILTER (WHERE ");
        wr_fmt_expression(f, to, expr->u.call.filter);
        wr_fmt_text(f, to, ")");
    }
    if (expr->u.call.over) over(f, to, expr->u.call.over);
}

static void case_when(struct wr_fmt *f, struct wr_doc *to, const struct wr_expr *expr)
{
    struct wr_doc *group = wr_fmt_open(f, wr_fmt_open(f, to, WR_DOC_ALIGN), WR_DOC_GROUP);
    struct wr_doc *body = wr_doc_nest(f->arena, 4);
    wr_fmt_text(f, group, "CASE");
    if (expr->u.kase.operand) {
        wr_fmt_text(f, group, " ");
        wr_fmt_expression(f, group, expr->u.kase.operand);
    }
    wr_doc_add(f->arena, group, body);
    for (uint32_t i = 0; i < expr->u.kase.when_count; i++) {
        wr_fmt_line(f, body, WR_DOC_LINE);
        wr_fmt_before(f, body, expr->u.kase.when[i].condition->span.start);
        wr_fmt_text(f, body, "WHEN ");
        wr_fmt_expression(f, body, expr->u.kase.when[i].condition);
        wr_fmt_text(f, body, " THEN ");
        wr_fmt_expression(f, body, expr->u.kase.when[i].result);
        wr_fmt_behind(f, body, expr->u.kase.when[i].result->span.end);
    }
    if (expr->u.kase.otherwise) {
        wr_fmt_line(f, body, WR_DOC_LINE);
        wr_fmt_text(f, body, "ELSE ");
        wr_fmt_expression(f, body, expr->u.kase.otherwise);
        wr_fmt_behind(f, body, expr->u.kase.otherwise->span.end);
    }
    wr_fmt_line(f, group, WR_DOC_LINE);
    wr_fmt_text(f, group, "END");
}

/* interval '1' day to second: in capitals outside of the quotes, one blank between words. */
static void duration(struct wr_fmt *f, struct wr_doc *to, struct wr_slice spelling)
{
    if (spelling.size && spelling.data[0] >= '0' && spelling.data[0] <= '9') {
        wr_fmt_slice(f, to, spelling);
        return;
    }
    char *at = wr_arena_alloc(f->arena, spelling.size + 1), *next = at;
    bool inside = false;
    for (size_t i = 0; i < spelling.size; i++) {
        char c = spelling.data[i];
        if (c == '\'') inside = !inside;
        if (!inside && (c == ' ' || c == '\t' || c == '\n' || c == '\r')) {
            if (next > at && next[-1] != ' ') *next++ = ' ';
        } else {
            *next++ = !inside && c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
        }
    }
    wr_fmt_slice(f, to, wr_slice_of(at, (size_t)(next - at)));
}

static void postfix(struct wr_fmt *f, struct wr_doc *to, const struct wr_expr *expr)
{
    static const char *const tests[] = {"NULL", "TRUE", "FALSE", "UNKNOWN"};
    if (expr->kind == WR_EXPR_BETWEEN) {
        wr_fmt_expression(f, to, expr->u.between.operand);
        wr_fmt_text(f, to, expr->u.between.negated ? " NOT BETWEEN " : " BETWEEN ");
        wr_fmt_expression(f, to, expr->u.between.low);
        wr_fmt_text(f, to, " AND ");
        wr_fmt_expression(f, to, expr->u.between.high);
    } else if (expr->kind == WR_EXPR_IN) {
        wr_fmt_expression(f, to, expr->u.in.operand);
        wr_fmt_text(f, to, expr->u.in.negated ? " NOT IN (" : " IN (");
        if (expr->u.in.query) wr_fmt_query(f, to, expr->u.in.query);
        else wr_fmt_exprs(f, to, expr->u.in.items);
        wr_fmt_text(f, to, ")");
    } else if (expr->kind == WR_EXPR_LIKE) {
        wr_fmt_expression(f, to, expr->u.like.operand);
        wr_fmt_text(f, to, expr->u.like.negated ? " NOT" : "");
        wr_fmt_text(f, to, expr->u.like.regexp ? " REGEXP " : " LIKE ");
        wr_fmt_expression(f, to, expr->u.like.pattern);
        if (expr->u.like.escape) {
            wr_fmt_text(f, to, " ESCAPE ");
            wr_fmt_expression(f, to, expr->u.like.escape);
        }
    } else {
        wr_fmt_expression(f, to, expr->u.is.operand);
        wr_fmt_text(f, to, expr->u.is.negated ? " IS NOT " : " IS ");
        wr_fmt_text(f, to, tests[expr->u.is.test]);
    }
}

static void cast(struct wr_fmt *f, struct wr_doc *to, const struct wr_expr *expr)
{
    if (expr->u.cast.colons) {
        wr_fmt_expression(f, to, expr->u.cast.operand);
        wr_fmt_text(f, to, "::");
        wr_fmt_type(f, to, expr->u.cast.type);
        return;
    }
    wr_fmt_text(f, to, expr->u.cast.try ? "TRY_CAST(" : "CAST(");
    wr_fmt_expression(f, to, expr->u.cast.operand);
    wr_fmt_text(f, to, " AS ");
    wr_fmt_type(f, to, expr->u.cast.type);
    wr_fmt_text(f, to, ")");
}

static void name(struct wr_fmt *f, struct wr_doc *to, struct wr_ident_list path)
{
    for (uint32_t i = 0; i < path.count; i++) {
        if (i) wr_fmt_text(f, to, ".");
        wr_fmt_ident(f, to, path.at[i]);
    }
}

static void map(struct wr_fmt *f, struct wr_doc *to, const struct wr_expr *expr)
{
    wr_fmt_text(f, to, "{");
    struct wr_doc *group = wr_fmt_open(f, wr_fmt_open(f, to, WR_DOC_ALIGN), WR_DOC_GROUP);
    for (uint32_t i = 0; i + 1 < expr->u.list.count; i += 2) {
        if (i) {
            wr_fmt_text(f, group, ",");
            wr_fmt_line(f, group, WR_DOC_LINE);
        }
        wr_fmt_expression(f, group, expr->u.list.at[i]);
        wr_fmt_text(f, group, ": ");
        wr_fmt_expression(f, group, expr->u.list.at[i + 1]);
    }
    wr_fmt_text(f, to, "}");
}

/* EXISTS leaves no trace in the tree but its place. */
static void subquery(struct wr_fmt *f, struct wr_doc *to, const struct wr_expr *expr)
{
    uint32_t start = expr->span.start;
    if (f->source) {
        while (f->source->text.data[start] == '(' && expr->parenthesised && f->source->text.data[start + 1] != 's' &&
               f->source->text.data[start + 1] != 'S')
            start++;
        if (f->source->text.data[start] == 'e' || f->source->text.data[start] == 'E') wr_fmt_text(f, to, "EXISTS ");
    }
    wr_fmt_text(f, to, "(");
    wr_fmt_query(f, to, expr->u.query);
    wr_fmt_text(f, to, ")");
}

static void unary(struct wr_fmt *f, struct wr_doc *to, const struct wr_expr *expr)
{
    const struct wr_expr *operand = expr->u.unary.operand;
    static const char *const signs[] = {"NOT ", "-", "+"};
    wr_fmt_text(f, to, signs[expr->u.unary.op]);
    /* - -x, lest two dashes become a comment */
    if (expr->u.unary.op == WR_UNARY_MINUS && operand->kind == WR_EXPR_UNARY && !operand->parenthesised)
        wr_fmt_text(f, to, " ");
    wr_fmt_expression(f, to, operand);
}

static void bare(struct wr_fmt *f, struct wr_doc *to, const struct wr_expr *expr)
{
    switch (expr->kind) {
    case WR_EXPR_ERROR: wr_fmt_text(f, to, "?"); break;
    case WR_EXPR_NULL: wr_fmt_text(f, to, "NULL"); break;
    case WR_EXPR_BOOL: wr_fmt_text(f, to, expr->u.boolean ? "TRUE" : "FALSE"); break;
    case WR_EXPR_NUMBER: wr_fmt_slice(f, to, expr->u.text); break;
    case WR_EXPR_STRING: wr_fmt_string(f, to, expr->u.text); break;
    case WR_EXPR_DURATION: duration(f, to, expr->u.duration.spelling); break;
    case WR_EXPR_TYPED:
        wr_fmt_upper(f, to, expr->u.typed.type.text);
        wr_fmt_text(f, to, " ");
        wr_fmt_string(f, to, expr->u.typed.text);
        break;
    case WR_EXPR_NAME: name(f, to, expr->u.name); break;
    case WR_EXPR_PARAMETER:
        wr_fmt_text(f, to, ":");
        wr_fmt_ident(f, to, expr->u.ident);
        break;
    case WR_EXPR_STAR:
        name(f, to, expr->u.name);
        wr_fmt_text(f, to, expr->u.name.count ? ".*" : "*");
        break;
    case WR_EXPR_UNARY: unary(f, to, expr); break;
    case WR_EXPR_BINARY: binary(f, to, expr); break;
    case WR_EXPR_BETWEEN: case WR_EXPR_IN: case WR_EXPR_LIKE: case WR_EXPR_IS: postfix(f, to, expr); break;
    case WR_EXPR_CASE: case_when(f, to, expr); break;
    case WR_EXPR_CAST: cast(f, to, expr); break;
    case WR_EXPR_CALL: call(f, to, expr); break;
    case WR_EXPR_INDEX:
        wr_fmt_expression(f, to, expr->u.binary.left);
        wr_fmt_text(f, to, "[");
        wr_fmt_expression(f, to, expr->u.binary.right);
        wr_fmt_text(f, to, "]");
        break;
    case WR_EXPR_FIELD:
        wr_fmt_expression(f, to, expr->u.field.operand);
        wr_fmt_text(f, to, ".");
        wr_fmt_ident(f, to, expr->u.field.name);
        break;
    case WR_EXPR_ARRAY:
        wr_fmt_text(f, to, "[");
        wr_fmt_exprs(f, to, expr->u.list);
        wr_fmt_text(f, to, "]");
        break;
    case WR_EXPR_MAP: map(f, to, expr); break;
    case WR_EXPR_SUBQUERY: subquery(f, to, expr); break;
    }
}

void wr_fmt_expression(struct wr_fmt *f, struct wr_doc *to, const struct wr_expr *expr)
{
    wr_fmt_before(f, to, expr->span.start);
    if (expr->parenthesised) wr_fmt_text(f, to, "(");
    bare(f, to, expr);
    if (expr->parenthesised) {
        wr_fmt_before(f, to, expr->span.end);
        wr_fmt_text(f, to, ")");
    }
}
