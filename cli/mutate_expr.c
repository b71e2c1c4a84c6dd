/* Mutants of expressions: comparisons, conditions, bounds, arithmetic, aggregates. */
#include "cli/mutate.h"
#include "vm/text.h"

static struct wr_slice text_of(const struct wr_mutating *m, const struct wr_expr *e)
{
    return wr_mutating_text(m, e->span);
}

/* ---- Literals -------------------------------------------------------------------------------- */

static void print_duration(struct wr_buf *out, int64_t us)
{
    static const struct { const char *name; int64_t us; } units[] = {
        {"w", 604800000000}, {"d", 86400000000}, {"h", 3600000000}, {"m", 60000000},
        {"s", 1000000}, {"ms", 1000}, {"us", 1}};
    for (size_t i = 0; i < WR_COUNT(units); i++) {
        int64_t n = us / units[i].us;
        if (n) wr_buf_printf(out, "%lld%s", (long long)n, units[i].name);
        us -= n * units[i].us;
    }
}

static void keep_duration(struct wr_mutating *m, int64_t us)
{
    for (size_t i = 0; i < m->out->duration.count; i++)
        if (m->out->duration.at[i] == us) return;
    wr_vec_push(&m->out->duration, us);
}

static void replace_duration(struct wr_mutating *m, const struct wr_expr *e, int64_t us)
{
    struct wr_buf text = {0};
    print_duration(&text, us);
    if (text.size && us > 0) wr_mutate(m, m->window ? "window" : "bound", e->span, "%s", wr_buf_cstr(&text));
    wr_buf_release(&text);
}

/* A tenth less and more; windows half and double. */
static void mutate_duration(struct wr_mutating *m, const struct wr_expr *e)
{
    int64_t us = e->u.duration.micros, tenth = us / 10;
    if (us > INT64_MAX / 4 || us < 0) return;
    keep_duration(m, us);
    if (us >= 10000000) tenth -= tenth % 1000000; /* whole seconds read better */
    tenth = WR_MAX(tenth, INT64_C(1));
    replace_duration(m, e, m->window ? us / 2 : us - tenth);
    replace_duration(m, e, m->window ? us * 2 : us + tenth);
}

/* One more and one less, of the last digit that is written; large numbers by a tenth. */
static void mutate_number(struct wr_mutating *m, const struct wr_expr *e)
{
    struct wr_slice text = text_of(m, e);
    const char *dot = memchr(text.data, '.', text.size);
    double value, step = 1;
    bool known = false;
    if (!wr_parse_f64(text, &value) || text.size > 15) return;
    for (size_t i = 0; i < m->out->number.count; i++)
        known |= !(m->out->number.at[i] < value) && !(m->out->number.at[i] > value);
    if (!known) wr_vec_push(&m->out->number, value);
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] == 'e' || text.data[i] == 'E') return;
    int digits = dot ? (int)(text.data + text.size - dot) - 1 : 0;
    double units = value;
    for (int i = 0; i < digits; i++) {
        step /= 10;
        units *= 10;
    }
    if (units >= 20) step *= (double)(int64_t)(units / 10);
    wr_mutate(m, "number", e->span, "%.*f", digits, value + step);
    if (value - step > -step / 2) wr_mutate(m, "number", e->span, "%.*f", digits, value - step > 0 ? value - step : 0.0);
}

/* ---- Conditions ------------------------------------------------------------------------------ */

static void negate(struct wr_mutating *m, const struct wr_expr *e)
{
    wr_mutate(m, "condition", e->span, "NOT (%.*s)", WR_SLICE_ARG(text_of(m, e)));
}

static void mutate_comparison(struct wr_mutating *m, const struct wr_expr *e)
{
    static const char *const other[][2] = {
        [WR_BINARY_EQ] = {"<>", NULL}, [WR_BINARY_NE] = {"=", NULL}, [WR_BINARY_LT] = {"<=", ">"},
        [WR_BINARY_LE] = {"<", ">"}, [WR_BINARY_GT] = {">=", "<"}, [WR_BINARY_GE] = {">", "<"},
        [WR_BINARY_DISTINCT] = {"IS NOT DISTINCT FROM", NULL}, [WR_BINARY_NOT_DISTINCT] = {"IS DISTINCT FROM", NULL}};
    for (int i = 0; i < 2; i++)
        if (other[e->u.binary.op][i]) wr_mutate(m, "comparison", e->u.binary.op_span, "%s", other[e->u.binary.op][i]);
}

enum { TERMS_MAX = 64 };

/* The terms of a AND b AND c, which hangs to the left. */
static uint32_t terms_of(const struct wr_expr *e, enum wr_binary_op op, struct wr_span *part, uint32_t count)
{
    bool same = e->kind == WR_EXPR_BINARY && e->u.binary.op == op;
    if (same && count + 1 < TERMS_MAX && (!count || !e->parenthesised)) {
        count = terms_of(e->u.binary.left, op, part, count);
        part[count++] = e->u.binary.right->span;
        return count;
    }
    part[count++] = e->span;
    return count;
}

/* Terms are dropped where the chain begins, operators changed at each of its links. */
static void mutate_chain(struct wr_mutating *m, const struct wr_expr *e, bool begins)
{
    struct wr_span part[TERMS_MAX];
    enum wr_binary_op op = e->u.binary.op;
    wr_mutate(m, "logic", e->u.binary.op_span, op == WR_BINARY_AND ? "OR" : "AND");
    if (!begins) return;
    uint32_t count = 1;
    const struct wr_expr *left = e->u.binary.left;
    struct wr_span whole = e->u.binary.right->span;
    count = terms_of(left, op, part, 0);
    part[count++] = whole;
    for (uint32_t i = 0; i < count; i++) wr_mutate_drop(m, "condition", part, count, i);
}

static void mutate_boolean(struct wr_mutating *m, const struct wr_expr *e, bool begins);

static void mutate_boolean_binary(struct wr_mutating *m, const struct wr_expr *e, bool begins)
{
    enum wr_binary_op op = e->u.binary.op;
    if (op == WR_BINARY_AND || op == WR_BINARY_OR) {
        const struct wr_expr *left = e->u.binary.left;
        bool goes_on = left->kind == WR_EXPR_BINARY && left->u.binary.op == op && !left->parenthesised;
        mutate_chain(m, e, begins);
        mutate_boolean(m, left, !goes_on);
        mutate_boolean(m, e->u.binary.right, true);
    } else {
        wr_mutate_value(m, e);
    }
}

static void mutate_boolean(struct wr_mutating *m, const struct wr_expr *e, bool begins)
{
    switch (e->kind) {
    case WR_EXPR_BINARY: mutate_boolean_binary(m, e, begins); break;
    case WR_EXPR_UNARY:
        if (e->u.unary.op == WR_UNARY_NOT) {
            wr_mutate(m, "condition", e->span, "%.*s", WR_SLICE_ARG(text_of(m, e->u.unary.operand)));
            mutate_boolean(m, e->u.unary.operand, true);
        }
        break;
    case WR_EXPR_BOOL: wr_mutate_value(m, e); break;
    default:
        negate(m, e);
        wr_mutate_value(m, e);
        break;
    }
}

void wr_mutate_condition(struct wr_mutating *m, const struct wr_expr *e)
{
    if (!e || e->kind == WR_EXPR_ERROR) return;
    bool literal = e->kind == WR_EXPR_BOOL;
    bool compares = e->kind == WR_EXPR_BINARY && e->u.binary.op >= WR_BINARY_EQ && e->u.binary.op <= WR_BINARY_NE;
    bool not = e->kind == WR_EXPR_UNARY && e->u.unary.op == WR_UNARY_NOT;
    if (!literal) wr_mutate(m, "condition", e->span, "TRUE");
    if (!literal && !compares && !not && e->kind == WR_EXPR_BINARY) negate(m, e);
    mutate_boolean(m, e, true);
}

/* ---- Values ---------------------------------------------------------------------------------- */

static void mutate_binary(struct wr_mutating *m, const struct wr_expr *e)
{
    enum wr_binary_op op = e->u.binary.op;
    if (op == WR_BINARY_AND || op == WR_BINARY_OR) {
        mutate_boolean_binary(m, e, true);
        return;
    }
    if (op >= WR_BINARY_EQ && op <= WR_BINARY_NOT_DISTINCT) mutate_comparison(m, e);
    else if (op == WR_BINARY_ADD) wr_mutate(m, "arithmetic", e->u.binary.op_span, "-");
    else if (op == WR_BINARY_SUB) wr_mutate(m, "arithmetic", e->u.binary.op_span, "+");
    else if (op == WR_BINARY_MUL) wr_mutate(m, "arithmetic", e->u.binary.op_span, "/");
    else if (op == WR_BINARY_DIV) wr_mutate(m, "arithmetic", e->u.binary.op_span, "*");
    wr_mutate_value(m, e->u.binary.left);
    wr_mutate_value(m, e->u.binary.right);
}

static void mutate_in(struct wr_mutating *m, const struct wr_expr *e)
{
    struct wr_span part[TERMS_MAX];
    const struct wr_expr_list *items = &e->u.in.items;
    wr_mutate_value(m, e->u.in.operand);
    if (items->count > 1 && items->count <= TERMS_MAX) {
        for (uint32_t i = 0; i < items->count; i++) part[i] = items->at[i]->span;
        for (uint32_t i = 0; i < items->count; i++) wr_mutate_drop(m, "condition", part, items->count, i);
    }
    for (uint32_t i = 0; i < items->count; i++) wr_mutate_value(m, items->at[i]);
}

static void mutate_call(struct wr_mutating *m, const struct wr_expr *e)
{
    static const char *const other[][2] = {
        {"SUM", "AVG"}, {"AVG", "SUM"}, {"MIN", "MAX"}, {"MAX", "MIN"}, {"FIRST", "LAST"}, {"LAST", "FIRST"},
        {"PREV", "NEXT"}, {"NEXT", "PREV"}, {"FIRST_VALUE", "LAST_VALUE"}, {"LAST_VALUE", "FIRST_VALUE"},
        {"LEAST", "GREATEST"}, {"GREATEST", "LEAST"}, {"FLOOR", "CEIL"}, {"CEIL", "FLOOR"}};
    for (size_t i = 0; i < WR_COUNT(other); i++)
        if (wr_slice_equal_nocase(e->u.call.name.text, wr_slice_cstr(other[i][0])))
            wr_mutate(m, i < 6 || i == 8 || i == 9 ? "aggregate" : "function", e->u.call.name.span, "%s", other[i][1]);
    struct wr_span distinct = wr_mutating_inside(m, e->span, "DISTINCT");
    if (e->u.call.distinct && distinct.end) wr_mutate(m, "aggregate", distinct, "%s", "");
    if (e->u.call.frame != WR_FRAME_DEFAULT) {
        bool running = e->u.call.frame == WR_FRAME_RUNNING;
        struct wr_span word = wr_mutating_inside(m, e->span, running ? "RUNNING" : "FINAL");
        if (word.end) wr_mutate(m, "aggregate", word, running ? "FINAL" : "RUNNING");
    }
    for (uint32_t i = 0; i < e->u.call.args.count; i++) wr_mutate_value(m, e->u.call.args.at[i]);
    wr_mutate_condition(m, e->u.call.filter);
}

static void mutate_case(struct wr_mutating *m, const struct wr_expr *e)
{
    wr_mutate_value(m, e->u.kase.operand);
    for (uint32_t i = 0; i < e->u.kase.when_count; i++) {
        const struct wr_when *when = &e->u.kase.when[i];
        if (e->u.kase.operand) wr_mutate_value(m, when->condition);
        else wr_mutate_condition(m, when->condition);
        wr_mutate_value(m, when->result);
    }
    wr_mutate_value(m, e->u.kase.otherwise);
}

void wr_mutate_value(struct wr_mutating *m, const struct wr_expr *e)
{
    if (!e) return;
    switch (e->kind) {
    case WR_EXPR_NUMBER: mutate_number(m, e); break;
    case WR_EXPR_DURATION: mutate_duration(m, e); break;
    case WR_EXPR_STRING: wr_vec_push(&m->out->string, wr_arena_copy(m->out->arena, e->u.text)); break;
    case WR_EXPR_BOOL: wr_mutate(m, "condition", e->span, e->u.boolean ? "FALSE" : "TRUE"); break;
    case WR_EXPR_BINARY: mutate_binary(m, e); break;
    case WR_EXPR_UNARY:
        if (e->u.unary.op == WR_UNARY_NOT) mutate_boolean(m, e, true);
        else wr_mutate_value(m, e->u.unary.operand);
        break;
    case WR_EXPR_BETWEEN:
        wr_mutate_value(m, e->u.between.operand);
        wr_mutate_value(m, e->u.between.low);
        wr_mutate_value(m, e->u.between.high);
        break;
    case WR_EXPR_IN: mutate_in(m, e); break;
    case WR_EXPR_LIKE: wr_mutate_value(m, e->u.like.operand); break;
    case WR_EXPR_IS: wr_mutate_value(m, e->u.is.operand); break;
    case WR_EXPR_CASE: mutate_case(m, e); break;
    case WR_EXPR_CAST: wr_mutate_value(m, e->u.cast.operand); break;
    case WR_EXPR_CALL: mutate_call(m, e); break;
    case WR_EXPR_INDEX:
        wr_mutate_value(m, e->u.binary.left);
        wr_mutate_value(m, e->u.binary.right);
        break;
    case WR_EXPR_FIELD: wr_mutate_value(m, e->u.field.operand); break;
    case WR_EXPR_ARRAY:
    case WR_EXPR_MAP:
        for (uint32_t i = 0; i < e->u.list.count; i++) wr_mutate_value(m, e->u.list.at[i]);
        break;
    case WR_EXPR_ERROR: case WR_EXPR_NULL: case WR_EXPR_TYPED: case WR_EXPR_NAME: case WR_EXPR_PARAMETER:
    case WR_EXPR_STAR: case WR_EXPR_SUBQUERY: break;
    }
}
