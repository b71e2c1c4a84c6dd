/* Conditions of one variable that exclude each other: x > 5 AND x < 3, status = 'a' AND status =
 * 'b', x IS NULL AND x = 1. Each comparison of a column with a literal is an interval; intervals on
 * a line have a common point exactly if each two of them have one, so it is enough to look at
 * pairs. */
#include "compiler/pattern.h"

#include "vm/text.h"

enum { SCALE = 18 };

struct literal {
    enum { LITERAL_NUMBER, LITERAL_STRING, LITERAL_BOOL } kind;
    wr_i128 number; /* scaled by 10^SCALE; 0 and 1 of a BOOL */
    struct wr_slice text;
};

struct limit {
    bool there, open;
    struct literal at;
};

struct claim {
    uint32_t column;
    bool is_null, is_not; /* IS NULL; <> .low */
    struct limit low, high;
    struct wr_span span;
};

struct claims {
    struct wr_match_lowering *m;
    WR_LIST(struct claim) list;
};

static bool read_literal(const struct wr_expr *e, struct literal *out)
{
    bool minus = false;
    while (e->kind == WR_EXPR_UNARY && e->u.unary.op != WR_UNARY_NOT) {
        minus ^= e->u.unary.op == WR_UNARY_MINUS;
        e = e->u.unary.operand;
    }
    *out = (struct literal){0};
    if (e->kind == WR_EXPR_NUMBER) {
        /* Digits past the scale would be rounded away, and with them the difference that matters.
         */
        const char *point = memchr(e->u.text.data, '.', e->u.text.size);
        if (memchr(e->u.text.data, 'e', e->u.text.size) ||
            memchr(e->u.text.data, 'E', e->u.text.size))
            return false;
        if (point && e->u.text.data + e->u.text.size - point > SCALE) return false;
        if (!wr_parse_decimal(e->u.text, 38, SCALE, &out->number)) return false;
        if (minus) out->number = -out->number;
        return true;
    }
    if (e->kind == WR_EXPR_STRING) {
        out->kind = LITERAL_STRING;
        out->text = e->u.text;
        return true;
    }
    out->kind = LITERAL_BOOL;
    out->number = e->kind == WR_EXPR_BOOL && e->u.boolean;
    return e->kind == WR_EXPR_BOOL;
}

/* A column of the current row, of a type whose literals compare as they are written. */
static bool read_column(struct wr_match_lowering *m, const struct wr_expr *e, uint32_t *column,
                        struct wr_type *type)
{
    struct wr_reference r;
    if (e->kind != WR_EXPR_NAME || !wr_match_reference(m, e, &r)) return false;
    if (r.column == WR_NONE || r.used < e->u.name.count || !wr_match_set_has(m, r.set, m->current))
        return false;
    *column = r.column;
    *type = r.type;
    return true;
}

static bool fits(const struct literal *l, struct wr_type type)
{
    bool number = type.kind >= WR_KIND_INT && type.kind <= WR_KIND_DECIMAL;
    return l->kind == LITERAL_NUMBER ? number
           : l->kind == LITERAL_STRING ? type.kind == WR_KIND_STRING : type.kind == WR_KIND_BOOLEAN;
}

static void claim_compare(struct claims *s, enum wr_binary_op op, const struct wr_expr *column,
                          const struct wr_expr *value, struct wr_span span)
{
    struct claim c = {.span = span};
    struct limit l = {.there = true};
    struct wr_type type;
    if (!read_column(s->m, column, &c.column, &type) || !read_literal(value, &l.at) ||
        !fits(&l.at, type))
        return;
    switch ((int)op) {
    case WR_BINARY_EQ: c.low = c.high = l; break;
    case WR_BINARY_NE: c.is_not = true; c.low = l; break;
    case WR_BINARY_GT: l.open = true; c.low = l; break;
    case WR_BINARY_GE: c.low = l; break;
    case WR_BINARY_LT: l.open = true; c.high = l; break;
    case WR_BINARY_LE: c.high = l; break;
    default: return;
    }
    wr_list_push(s->m->c->arena, &s->list, c);
}

static void claim(struct claims *s, const struct wr_expr *e)
{
    static const uint8_t flipped[] = {[WR_BINARY_EQ] = WR_BINARY_EQ, [WR_BINARY_NE] = WR_BINARY_NE,
                                      [WR_BINARY_LT] = WR_BINARY_GT, [WR_BINARY_LE] = WR_BINARY_GE,
                                      [WR_BINARY_GT] = WR_BINARY_LT, [WR_BINARY_GE] = WR_BINARY_LE};
    if (e->kind == WR_EXPR_BINARY && e->u.binary.op >= WR_BINARY_EQ &&
        e->u.binary.op <= WR_BINARY_GE) {
        claim_compare(s, e->u.binary.op, e->u.binary.left, e->u.binary.right, e->span);
        claim_compare(s, (enum wr_binary_op)flipped[e->u.binary.op], e->u.binary.right,
                      e->u.binary.left, e->span);
    } else if (e->kind == WR_EXPR_BETWEEN && !e->u.between.negated) {
        claim_compare(s, WR_BINARY_GE, e->u.between.operand, e->u.between.low, e->span);
        claim_compare(s, WR_BINARY_LE, e->u.between.operand, e->u.between.high, e->span);
    } else if (e->kind == WR_EXPR_IS && e->u.is.test == WR_IS_NULL && !e->u.is.negated) {
        struct claim c = {.is_null = true, .span = e->span};
        struct wr_type type;
        if (read_column(s->m, e->u.is.operand, &c.column, &type))
            wr_list_push(s->m->c->arena, &s->list, c);
    }
}

static int compare(const struct literal *a, const struct literal *b)
{
    if (a->kind == LITERAL_STRING) return wr_slice_compare(a->text, b->text);
    return (a->number > b->number) - (a->number < b->number);
}

/* Does nothing lie above the low and below the high limit? */
static bool is_empty(const struct limit *low, const struct limit *high)
{
    if (!low->there || !high->there) return false;
    int order = compare(&low->at, &high->at);
    return order > 0 || (order == 0 && (low->open || high->open));
}

static bool is_only(const struct claim *c, const struct literal *value)
{
    return !c->is_not && c->low.there && c->high.there && compare(&c->low.at, value) == 0 &&
           compare(&c->high.at, value) == 0;
}

static bool exclude(const struct claim *a, const struct claim *b)
{
    if (a->column != b->column) return false;
    if (a->is_null || b->is_null)
        return a->is_null != b->is_null; /* a comparison is never TRUE of a NULL */
    if (a->is_not) return is_only(b, &a->low.at);
    if (b->is_not) return is_only(a, &b->low.at);
    return is_empty(&a->low, &b->high) || is_empty(&b->low, &a->high);
}

static void check_pairs(struct claims *s)
{
    for (uint32_t j = 1; j < s->list.count; j++) {
        for (uint32_t i = 0; i < j; i++) {
            const struct claim *a = &s->list.at[i], *b = &s->list.at[j];
            if (!exclude(a, b)) continue;
            struct wr_diags *diags = s->m->c->diags;
            struct wr_slice name = s->m->variable.at[s->m->current].name.text;
            struct wr_diag *d = wr_diag_add(
                diags, WR_DIAG_W2001, b->span,
                "no row can be '%.*s': its conditions contradict each other", WR_SLICE_ARG(name));
            if (a->span.start != b->span.start)
                wr_diag_second(diags, d, a->span, "contradicts this");
            return;
        }
    }
}

void wr_match_warn_contradictions(struct wr_match_lowering *m)
{
    enum { CLAIMS_MAX = 256 }; /* pairs are looked at: more than these are no slip of the pen */
    for (uint32_t v = 0; v < m->variable.count; v++) {
        const struct wr_define *define = m->variable.at[v].define;
        struct wr_conjuncts conjuncts = {0};
        struct claims s = {.m = m};
        if (!define || !define->condition) continue;
        m->current = v;
        wr_conjuncts_begin(m->c->arena, &conjuncts, define->condition);
        for (const struct wr_expr *e; (e = wr_conjuncts_next(m->c->arena, &conjuncts)) != NULL;)
            if (s.list.count < CLAIMS_MAX) claim(&s, e);
        check_pairs(&s);
    }
}
