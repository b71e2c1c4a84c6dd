/* Conditions that are always false or always true: x > 5 AND x < 3, x > 5 OR x <= 5.
 *
 * Comparisons with constants stand in one form (ir.c), the constant on the right, so that each is a
 * half-line or a point. Half-lines have a common point exactly if each two have one: it is enough
 * to look at pairs. A disjunction leaves nothing out if the opposites of two of its parts have no
 * common point. */
#include "compiler/state.h"

enum { PARTS_MAX = 256 }; /* pairs are looked at: more parts are no slip of the pen */

struct part {
    struct wr_ir *value, *bound;
    enum wr_comparison cmp;
    struct wr_span span;
};

struct parts {
    struct wr_compile *c;
    struct wr_block *b;
    struct part at[PARTS_MAX];
    uint32_t count;
};

static bool as_comparison(struct wr_ir *ir, struct part *part)
{
    if (ir->kind != WR_IR_OP || ir->u.op.op < WR_OP_EQ_BOOL || ir->u.op.op > WR_OP_DISTINCT_STR)
        return false;
    unsigned cmp = (unsigned)(ir->u.op.op - WR_OP_EQ_BOOL) % 7;
    struct wr_value value;
    if (cmp == WR_CMP_DISTINCT || !wr_ir_is_constant(ir->u.op.arg[1], &value) ||
        value.flag != WR_FLAG_VALUE)
        return false;
    *part = (struct part){ir->u.op.arg[0], ir->u.op.arg[1], (enum wr_comparison)cmp, ir->span};
    return true;
}

/* The operands of a chain of one operator, from left to right. */
static void collect(struct parts *parts, struct wr_ir *ir, enum wr_op op, bool opposite)
{
    static const uint8_t opposites[] = {WR_CMP_NE, WR_CMP_EQ, WR_CMP_GE,
                                        WR_CMP_GT, WR_CMP_LE, WR_CMP_LT};
    struct wr_ir *stack[PARTS_MAX];
    uint32_t depth = 0;
    stack[depth++] = ir;
    while (depth && parts->count < PARTS_MAX) {
        ir = stack[--depth];
        if (ir->kind == WR_IR_OP && ir->u.op.op == op) {
            if (depth + 2 > PARTS_MAX) return;
            stack[depth++] = ir->u.op.arg[1];
            stack[depth++] = ir->u.op.arg[0];
        } else if (as_comparison(ir, &parts->at[parts->count])) {
            struct part *part = &parts->at[parts->count++];
            if (opposite) part->cmp = (enum wr_comparison)opposites[part->cmp];
        }
    }
}

/* <0, 0, >0; constants of one value's comparisons have one class, DECIMALs maybe two scales. */
static int order(struct parts *parts, const struct part *a, const struct part *b)
{
    static const enum wr_binary_op ops[] = {WR_BINARY_LT, WR_BINARY_GT};
    for (int i = 0; i < 2; i++) {
        struct wr_value value;
        struct wr_ir *ir = wr_ir_compare(parts->b, ops[i], a->bound, b->bound);
        if (wr_ir_is_constant(ir, &value) && value.flag == WR_FLAG_VALUE && value.u.boolean)
            return i ? 1 : -1;
    }
    return 0;
}

static bool is_below(enum wr_comparison cmp)
{
    return cmp == WR_CMP_LT || cmp == WR_CMP_LE || cmp == WR_CMP_EQ;
}

static bool is_above(enum wr_comparison cmp)
{
    return cmp == WR_CMP_GT || cmp == WR_CMP_GE || cmp == WR_CMP_EQ;
}

static bool includes_bound(enum wr_comparison cmp)
{
    return cmp == WR_CMP_EQ || cmp == WR_CMP_LE || cmp == WR_CMP_GE;
}

/* No value satisfies both. */
static bool exclude(struct parts *parts, const struct part *a, const struct part *b)
{
    if (a->value != b->value) return false;
    int o = order(parts, a, b);
    if (a->cmp == WR_CMP_NE || b->cmp == WR_CMP_NE)
        return o == 0 && (a->cmp == WR_CMP_EQ || b->cmp == WR_CMP_EQ);
    bool both = includes_bound(a->cmp) && includes_bound(b->cmp);
    if (is_below(a->cmp) && is_above(b->cmp) && (o < 0 || (o == 0 && !both))) return true;
    return is_above(a->cmp) && is_below(b->cmp) && (o > 0 || (o == 0 && !both));
}

static void warn_pairs(struct parts *parts, bool always)
{
    for (uint32_t j = 1; j < parts->count; j++) {
        for (uint32_t i = 0; i < j; i++) {
            if (!exclude(parts, &parts->at[i], &parts->at[j])) continue;
            struct wr_diag *d = wr_diag_add(
                parts->c->diags, WR_DIAG_W2006, parts->at[j].span,
                always ? "together with the other part this is true of every value"
                       : "together with the other part this is never true");
            wr_diag_second(parts->c->diags, d, parts->at[i].span, "the other part");
            return;
        }
    }
}

void wr_warn_condition(struct wr_compile *c, struct wr_block *b, struct wr_ir *ir)
{
    struct parts parts;
    parts.c = c;
    parts.b = b;
    parts.count = 0;
    collect(&parts, ir, WR_OP_AND, false);
    warn_pairs(&parts, false);
    parts.count = 0;
    if (ir->kind == WR_IR_OP && ir->u.op.op == WR_OP_OR) collect(&parts, ir, WR_OP_OR, true);
    warn_pairs(&parts, true);
}
