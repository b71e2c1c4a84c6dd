/* The value graph: making nodes, each once, and the little algebra that needs no execution. */
#include "compiler/state.h"
#include "base/hash.h"

enum { BLOCK_SLOTS_FIRST = 64 };

struct wr_block *wr_block_new(struct wr_compile *c)
{
    struct wr_block *b = WR_NEW(c->arena, struct wr_block);
    b->c = c;
    b->number = (uint32_t)c->state->block.count;
    b->slot_count = BLOCK_SLOTS_FIRST;
    b->slot = WR_NEW_ARRAY(c->arena, uint32_t, b->slot_count);
    wr_list_push(c->arena, &c->state->block, b);
    return b;
}

/* ---- Hash-consing ------------------------------------------------------------------------------
 */

static uint64_t hash_value(const struct wr_value *v, enum wr_class cls)
{
    if (v->flag != WR_FLAG_VALUE) return 1;
    switch (cls) {
    case WR_CLASS_BOOL: return wr_mix64(v->u.boolean);
    case WR_CLASS_I64: return wr_mix64((uint64_t)v->u.i64);
    case WR_CLASS_F64: return wr_hash64(&v->u.f64, sizeof v->u.f64, 0);
    case WR_CLASS_DEC: return wr_hash64(&v->u.dec, sizeof v->u.dec, 0);
    default: return wr_hash64(v->u.str.data, v->u.str.size, 0);
    }
}

/* Bitwise: -0.0 and 0.0 are two constants. */
static bool same_value(const struct wr_value *a, const struct wr_value *b, enum wr_class cls)
{
    if (a->flag != b->flag) return false;
    if (a->flag != WR_FLAG_VALUE) return true;
    switch (cls) {
    case WR_CLASS_BOOL: return a->u.boolean == b->u.boolean;
    case WR_CLASS_I64: return a->u.i64 == b->u.i64;
    case WR_CLASS_F64: return memcmp(&a->u.f64, &b->u.f64, sizeof a->u.f64) == 0;
    case WR_CLASS_DEC: return a->u.dec == b->u.dec;
    default: return wr_slice_equal(a->u.str, b->u.str);
    }
}

static uint64_t hash_node(const struct wr_ir *n)
{
    uint64_t h = wr_mix64(n->kind | (uint64_t)n->type.kind << 8 |
                          (uint64_t)n->type.precision << 16 | (uint64_t)n->type.scale << 24);
    switch (n->kind) {
    case WR_IR_CONSTANT:
        return wr_mix64(h ^ hash_value(&n->u.constant.value, wr_type_class(n->type)) ^
                        n->u.constant.parameter);
    case WR_IR_INPUT:
        return wr_mix64(h ^ ((uint64_t)n->u.input.kind << 56 | (uint64_t)n->u.input.final_ << 48 |
                             (uint64_t)n->u.input.set << 32 | (uint64_t)n->u.input.column << 16 |
                             n->u.input.offset) ^
                        (uint64_t)(uint16_t)n->u.input.step << 24 ^
                        (uint64_t)n->u.input.from_first << 40);
    default:
        h ^= (uint64_t)n->u.op.op << 32 | (uint64_t)(uint8_t)n->u.op.k << 24 | n->u.op.c;
        h = wr_mix64(h ^ (uint64_t)n->u.op.builtin << 48);
        for (unsigned i = 0; i < n->u.op.arg_count; i++) h = wr_mix64(h ^ n->u.op.arg[i]->id);
        return h;
    }
}

static bool same_node(const struct wr_ir *a, const struct wr_ir *b)
{
    if (a->kind != b->kind || !wr_type_equal(a->type, b->type)) return false;
    if (a->kind == WR_IR_CONSTANT)
        return a->u.constant.parameter == b->u.constant.parameter &&
               same_value(&a->u.constant.value, &b->u.constant.value, wr_type_class(a->type));
    if (a->kind == WR_IR_INPUT)
        return a->u.input.kind == b->u.input.kind && a->u.input.final_ == b->u.input.final_ &&
               a->u.input.set == b->u.input.set && a->u.input.column == b->u.input.column &&
               a->u.input.offset == b->u.input.offset && a->u.input.step == b->u.input.step &&
               a->u.input.from_first == b->u.input.from_first;
    if (a->u.op.op != b->u.op.op || a->u.op.k != b->u.op.k || a->u.op.c != b->u.op.c ||
        a->u.op.builtin != b->u.op.builtin || a->u.op.arg_count != b->u.op.arg_count)
        return false;
    for (unsigned i = 0; i < a->u.op.arg_count; i++)
        if (a->u.op.arg[i] != b->u.op.arg[i]) return false;
    return true;
}

static void grow(struct wr_block *b)
{
    b->slot_count *= 2;
    b->slot = WR_NEW_ARRAY(b->c->arena, uint32_t, b->slot_count);
    for (size_t i = 0; i < b->node.count; i++) {
        uint32_t at = (uint32_t)hash_node(b->node.at[i]) & (b->slot_count - 1);
        while (b->slot[at]) at = (at + 1) & (b->slot_count - 1);
        b->slot[at] = (uint32_t)i + 1;
    }
}

/* The node equal to `wanted`, made now if there is none; arguments are copied from the caller's
 * array. */
static struct wr_ir *intern(struct wr_block *b, const struct wr_ir *wanted)
{
    uint32_t at = (uint32_t)hash_node(wanted) & (b->slot_count - 1);
    for (; b->slot[at]; at = (at + 1) & (b->slot_count - 1)) {
        struct wr_ir *old = b->node.at[b->slot[at] - 1];
        if (same_node(old, wanted)) return old;
    }
    struct wr_ir *n = WR_NEW(b->c->arena, struct wr_ir);
    *n = *wanted;
    n->id = (uint32_t)b->node.count;
    n->span = b->span;
    n->owner = b;
    if (n->kind == WR_IR_CONSTANT && wr_type_class(n->type) == WR_CLASS_STR)
        n->u.constant.value.u.str = wr_arena_copy(b->c->arena, n->u.constant.value.u.str);
    if (n->kind == WR_IR_OP) {
        n->u.op.arg = WR_NEW_ARRAY(b->c->arena, struct wr_ir *, n->u.op.arg_count + 1u);
        memcpy(n->u.op.arg, wanted->u.op.arg, n->u.op.arg_count * sizeof *n->u.op.arg);
        for (unsigned i = 0; i < n->u.op.arg_count; i++)
            n->reads_past |= n->u.op.arg[i]->reads_past;
    }
    wr_list_push(b->c->arena, &b->node, n);
    b->slot[at] = n->id + 1;
    if (b->node.count * 2 > b->slot_count) grow(b);
    return n;
}

/* ---- Leaves -------------------------------------------------------------------------------------
 */

struct wr_ir *wr_ir_constant(struct wr_block *b, struct wr_type type, struct wr_value value)
{
    struct wr_ir n = {.kind = WR_IR_CONSTANT, .type = type};
    n.u.constant.value = value;
    n.u.constant.value.cls = (uint8_t)wr_type_class(type);
    if (value.flag == WR_FLAG_NULL) memset(&n.u.constant.value.u, 0, sizeof n.u.constant.value.u);
    n.u.constant.parameter = WR_NONE;
    return intern(b, &n);
}

struct wr_ir *wr_ir_parameter(struct wr_block *b, uint32_t parameter, struct wr_type type)
{
    struct wr_ir n = {.kind = WR_IR_CONSTANT, .type = type};
    n.u.constant.value = b->c->state->parameter.at[parameter].value;
    n.u.constant.value.cls = (uint8_t)wr_type_class(type);
    n.u.constant.parameter = parameter;
    return intern(b, &n);
}

struct wr_ir *wr_ir_null(struct wr_block *b, struct wr_type type)
{
    return wr_ir_constant(b, type, (struct wr_value){.flag = WR_FLAG_NULL});
}

struct wr_ir *wr_ir_bool(struct wr_block *b, bool value)
{
    return wr_ir_constant(b, wr_type_of(WR_KIND_BOOLEAN), (struct wr_value){.u.boolean = value});
}

struct wr_ir *wr_ir_i64(struct wr_block *b, struct wr_type type, int64_t value)
{
    return wr_ir_constant(b, type, (struct wr_value){.u.i64 = value});
}

struct wr_ir *wr_ir_input(struct wr_block *b, struct wr_input input)
{
    struct wr_ir n = {.kind = WR_IR_INPUT, .type = input.type};
    n.u.input = input;
    n.reads_past = input.step != 0 ||
                   !(input.kind == WR_INPUT_COLUMN ||
                     (input.kind == WR_INPUT_SPECIAL && input.column == WR_SPECIAL_EVENT_TIME));
    return intern(b, &n);
}

struct wr_type wr_ir_type(const struct wr_ir *ir)
{
    return ir->type;
}

static bool is_plain_constant(const struct wr_ir *ir)
{
    return ir->kind == WR_IR_CONSTANT && ir->u.constant.parameter == WR_NONE;
}

bool wr_ir_is_constant(const struct wr_ir *ir, struct wr_value *value)
{
    if (!is_plain_constant(ir)) return false;
    if (value) *value = ir->u.constant.value;
    return true;
}

bool wr_ir_reads_history(const struct wr_ir *ir)
{
    return ir->reads_past;
}

/* ---- Operations ---------------------------------------------------------------------------------
 */

static bool is_constant_bool(const struct wr_ir *ir, bool value)
{
    return is_plain_constant(ir) && ir->type.kind == WR_KIND_BOOLEAN &&
           ir->u.constant.value.flag == WR_FLAG_VALUE && ir->u.constant.value.u.boolean == value;
}

/* What an operation is without being carried out, or NULL. */
static struct wr_ir *simplify(struct wr_block *b, enum wr_op op, struct wr_type type,
                              struct wr_ir *const *arg)
{
    switch ((int)op) {
    case WR_OP_AND:
    case WR_OP_OR: {
        bool neutral = op == WR_OP_AND;
        if (is_constant_bool(arg[0], neutral) || arg[0] == arg[1]) return arg[1];
        if (is_constant_bool(arg[1], neutral)) return arg[0];
        if (is_constant_bool(arg[0], !neutral) || is_constant_bool(arg[1], !neutral))
            return wr_ir_bool(b, !neutral);
        return NULL;
    }
    case WR_OP_NOT:
        if (arg[0]->kind == WR_IR_OP && arg[0]->u.op.op == WR_OP_NOT) return arg[0]->u.op.arg[0];
        return NULL;
    case WR_OP_SELECT_BOOL:
    case WR_OP_SELECT_I64:
    case WR_OP_SELECT_F64:
    case WR_OP_SELECT_DEC:
    case WR_OP_SELECT_STR:
        if (is_plain_constant(arg[1])) return is_constant_bool(arg[1], true) ? arg[2] : arg[0];
        return NULL;
    case WR_OP_TRY_BOOL:
    case WR_OP_TRY_I64:
    case WR_OP_TRY_F64:
    case WR_OP_TRY_DEC:
    case WR_OP_TRY_STR:
        if (arg[0]->failed) return wr_ir_null(b, type);
        return arg[0]->kind == WR_IR_OP ? NULL : arg[0];
    default: return NULL;
    }
}

static struct wr_ir *make_op(struct wr_block *b, struct wr_ir *n)
{
    bool constant = n->u.op.arg_count > 0;
    for (unsigned i = 0; i < n->u.op.arg_count; i++) constant &= is_plain_constant(n->u.op.arg[i]);
    if (constant) {
        struct wr_value value;
        enum wr_reason reason;
        if (wr_fold(b->c, n, &value, &reason)) return wr_ir_constant(b, n->type, value);
        n->failed = (uint8_t)reason;
    }
    return intern(b, n);
}

struct wr_ir *wr_ir_op(struct wr_block *b, enum wr_op op, int k, unsigned c, struct wr_type type,
                       struct wr_ir *const *arg, unsigned arg_count)
{
    struct wr_ir *copy[3] = {NULL, NULL, NULL};
    WR_ASSERT(arg_count <= WR_COUNT(copy));
    memcpy(copy, arg, arg_count * sizeof *copy);
    struct wr_ir *simple = simplify(b, op, type, copy);
    if (simple) return simple;
    if (wr_op_commutes(op) && copy[0]->id > copy[1]->id) {
        struct wr_ir *first = copy[0];
        copy[0] = copy[1];
        copy[1] = first;
    }
    struct wr_ir n = {.kind = WR_IR_OP, .type = type};
    n.u.op.op = (uint8_t)op;
    n.u.op.k = (int8_t)k;
    n.u.op.c = (uint16_t)c;
    n.u.op.arg_count = (uint16_t)arg_count;
    n.u.op.arg = copy;
    return make_op(b, &n);
}

void wr_block_import(struct wr_block *b, const struct wr_block *from, struct wr_ir **map)
{
    struct wr_span span = b->span;
    for (size_t i = 0; i < from->node.count; i++) {
        struct wr_ir n = *from->node.at[i];
        n.result = 0;
        b->span = n.span;
        if (n.kind == WR_IR_OP) {
            struct wr_ir **arg = WR_NEW_ARRAY(b->c->arena, struct wr_ir *, n.u.op.arg_count);
            for (unsigned k = 0; k < n.u.op.arg_count; k++) arg[k] = map[n.u.op.arg[k]->id];
            if (wr_op_commutes((enum wr_op)n.u.op.op) && arg[0]->id > arg[1]->id) {
                struct wr_ir *first = arg[0];
                arg[0] = arg[1];
                arg[1] = first;
            }
            n.u.op.arg = arg;
        }
        map[i] = intern(b, &n);
    }
    b->span = span;
}

struct wr_ir *wr_ir_call(struct wr_block *b, unsigned builtin, struct wr_type type,
                         struct wr_ir *const *arg, unsigned arg_count)
{
    struct wr_ir n = {.kind = WR_IR_OP, .type = type};
    n.u.op.op = WR_OP_CALL;
    n.u.op.builtin = (uint16_t)builtin;
    n.u.op.arg_count = (uint16_t)arg_count;
    n.u.op.arg = (struct wr_ir **)(uintptr_t)arg;
    n.u.op.k = (int8_t)arg_count;
    return make_op(b, &n);
}

struct wr_ir *wr_ir_unary(struct wr_block *b, enum wr_op op, struct wr_type type,
                          struct wr_ir *operand)
{
    return wr_ir_op(b, op, 0, 0, type, &operand, 1);
}

struct wr_ir *wr_ir_and(struct wr_block *b, struct wr_ir *left, struct wr_ir *right)
{
    struct wr_ir *arg[2] = {left, right};
    return wr_ir_op(b, WR_OP_AND, 0, 0, wr_type_of(WR_KIND_BOOLEAN), arg, 2);
}

struct wr_ir *wr_ir_or(struct wr_block *b, struct wr_ir *left, struct wr_ir *right)
{
    struct wr_ir *arg[2] = {left, right};
    return wr_ir_op(b, WR_OP_OR, 0, 0, wr_type_of(WR_KIND_BOOLEAN), arg, 2);
}

struct wr_ir *wr_ir_not(struct wr_block *b, struct wr_ir *operand)
{
    return wr_ir_unary(b, WR_OP_NOT, wr_type_of(WR_KIND_BOOLEAN), operand);
}

struct wr_ir *wr_ir_select(struct wr_block *b, struct wr_ir *condition, struct wr_ir *value,
                           struct wr_ir *otherwise)
{
    WR_ASSERT(wr_type_equal(value->type, otherwise->type));
    struct wr_ir *arg[3] = {otherwise, condition, value};
    return wr_ir_op(b, wr_op_of(WR_OP_SELECT_BOOL, wr_type_class(value->type)), 0, 0, value->type,
                    arg, 3);
}

/* A DECIMAL constant with the other side's scale, where it has one exactly: then nothing is shifted
 * per row. */
static struct wr_ir *at_scale(struct wr_block *b, struct wr_ir *ir, struct wr_type other)
{
    wr_i128 value;
    if (!is_plain_constant(ir) || ir->u.constant.value.flag != WR_FLAG_VALUE ||
        ir->type.scale >= other.scale ||
        !wr_decimal_rescale(ir->u.constant.value.u.dec, ir->type.scale, other.scale, 38, &value))
        return ir;
    return wr_ir_constant(b, wr_type_decimal(38, other.scale), (struct wr_value){.u.dec = value});
}

struct wr_ir *wr_ir_compare(struct wr_block *b, enum wr_binary_op op, struct wr_ir *left,
                            struct wr_ir *right)
{
    enum wr_class cls = wr_type_class(left->type);
    bool negate = op == WR_BINARY_NOT_DISTINCT;
    enum wr_comparison cmp = WR_CMP_DISTINCT;
    switch ((int)op) {
    case WR_BINARY_EQ: cmp = WR_CMP_EQ; break;
    case WR_BINARY_NE: cmp = WR_CMP_NE; break;
    case WR_BINARY_LT: cmp = WR_CMP_LT; break;
    case WR_BINARY_LE: cmp = WR_CMP_LE; break;
    case WR_BINARY_GT: cmp = WR_CMP_GT; break;
    case WR_BINARY_GE: cmp = WR_CMP_GE; break;
    default: break;
    }
    WR_ASSERT(cls == wr_type_class(right->type));
    if (cls == WR_CLASS_DEC) {
        left = at_scale(b, left, right->type);
        right = at_scale(b, right, left->type);
    }
    /* One spelling of each condition: the constant on the right, else the older operand on the
     * left. */
    bool swap = left->kind == WR_IR_CONSTANT
                    ? right->kind != WR_IR_CONSTANT
                    : right->kind != WR_IR_CONSTANT && left->id > right->id;
    if (swap) {
        static const uint8_t mirrored[] = {WR_CMP_EQ, WR_CMP_NE, WR_CMP_GT,      WR_CMP_GE,
                                           WR_CMP_LT, WR_CMP_LE, WR_CMP_DISTINCT};
        struct wr_ir *t = left;
        left = right;
        right = t;
        cmp = (enum wr_comparison)mirrored[cmp];
    }
    int k = cls == WR_CLASS_DEC ? (int)right->type.scale - (int)left->type.scale : 0;
    struct wr_ir n = {.kind = WR_IR_OP, .type = wr_type_of(WR_KIND_BOOLEAN)};
    struct wr_ir *arg[2] = {left, right};
    n.u.op.op = (uint8_t)wr_op_comparison(cmp, cls);
    n.u.op.k = (int8_t)k;
    n.u.op.arg_count = 2;
    n.u.op.arg = arg;
    struct wr_ir *result = make_op(b, &n);
    return negate ? wr_ir_not(b, result) : result;
}

struct wr_ir *wr_ir_cast(struct wr_block *b, struct wr_ir *ir, struct wr_type type,
                         bool explicit_cast, bool try_cast)
{
    if (wr_type_equal(ir->type, type)) return ir;
    if (ir->type.kind == WR_KIND_NULL) return wr_ir_null(b, type);
    if (!explicit_cast && !wr_type_converts(ir->type, type)) return NULL;
    struct wr_cast_step step[WR_CAST_STEPS_MAX];
    unsigned count = 0; /* an array of other elements has the same bytes, where it converts at all */
    bool array = ir->type.kind == WR_KIND_ARRAY || type.kind == WR_KIND_ARRAY;
    if (array ? !wr_type_converts(ir->type, type) : !wr_cast_steps(ir->type, type, step, &count)) return NULL;
    bool constant = is_plain_constant(ir);
    if (count == 0 && constant) return wr_ir_constant(b, type, ir->u.constant.value);
    if (count == 0) { /* the same bits under another type */
        enum wr_op move = wr_op_of(WR_OP_MOVE_BOOL, wr_type_class(type));
        return wr_ir_op(b, move, 0, 0, type, &ir, 1);
    }
    bool failed = ir->failed != 0;
    for (unsigned i = 0; i < count; i++) {
        struct wr_type t =
            type; /* only the class of the steps between matters, and that no two are mixed up */
        if (i + 1 < count) {
            static const uint8_t kind_of[] = {WR_KIND_BOOLEAN, WR_KIND_BIGINT, WR_KIND_DOUBLE,
                                              WR_KIND_DECIMAL, WR_KIND_STRING};
            t = step[i].cls == WR_CLASS_DEC ? wr_type_decimal(38, type.scale)
                                            : wr_type_of((enum wr_kind)kind_of[step[i].cls]);
        }
        ir = wr_ir_op(b, (enum wr_op)step[i].op, step[i].k, step[i].c, t, &ir, 1);
        failed |= ir->failed != 0;
    }
    if (!try_cast) return ir;
    if (failed) return wr_ir_null(b, type);
    return wr_ir_op(b, wr_op_of(WR_OP_TRY_BOOL, wr_type_class(type)), 0, 0, type, &ir, 1);
}

/* ---- Results and walks --------------------------------------------------------------------------
 */

uint32_t wr_block_result(struct wr_block *b, struct wr_ir *ir)
{
    if (ir->result) return ir->result - 1;
    return wr_block_column(b, ir);
}

uint32_t wr_block_column(struct wr_block *b, struct wr_ir *ir)
{
    WR_ASSERT(!b->finished && ir->id < b->node.count && b->node.at[ir->id] == ir);
    wr_list_push(b->c->arena, &b->result, ir);
    if (!ir->result) ir->result = (uint32_t)b->result.count;
    return (uint32_t)b->result.count - 1;
}

uint32_t wr_block_result_count(const struct wr_block *b)
{
    return (uint32_t)b->result.count;
}

struct wr_type wr_block_result_type(const struct wr_block *b, uint32_t result)
{
    return b->result.at[result]->type;
}

void wr_ir_reach(const struct wr_block *b, uint8_t *reached)
{
    for (size_t i = b->node.count; i-- > 0;) {
        const struct wr_ir *n = b->node.at[i];
        if (!reached[i] || n->kind != WR_IR_OP) continue;
        for (unsigned k = 0; k < n->u.op.arg_count; k++) reached[n->u.op.arg[k]->id] = 1;
    }
}

/* Arguments have smaller numbers: one loop down from the value. */
void wr_ir_visit_inputs(const struct wr_ir *ir,
                        void (*visit)(void *context, const struct wr_input *input), void *context)
{
    const struct wr_block *b = ir->owner;
    uint8_t *reached = WR_NEW_ARRAY(b->c->arena, uint8_t, ir->id + 1u);
    reached[ir->id] = 1;
    for (uint32_t i = ir->id + 1; i-- > 0;) {
        const struct wr_ir *n = b->node.at[i];
        if (!reached[i]) continue;
        if (n->kind == WR_IR_INPUT) visit(context, &n->u.input);
        for (unsigned k = 0; n->kind == WR_IR_OP && k < n->u.op.arg_count; k++)
            reached[n->u.op.arg[k]->id] = 1;
    }
}

static const char *failure(enum wr_reason reason)
{
    switch (reason) {
    case WR_REASON_OVERFLOW: return "its value is out of range";
    case WR_REASON_DIVISION_BY_ZERO: return "it divides by zero";
    case WR_REASON_CAST: return "the text is no value of the type";
    case WR_REASON_LENGTH: return "its text is too long";
    default: return "the function has no value there";
    }
}

/* Constant parts that always fail are said here, when what is used of them is known. */
uint32_t wr_block_finish(struct wr_block *b)
{
    if (b->finished) return b->number;
    b->finished = true;
    uint8_t *reached = WR_NEW_ARRAY(b->c->arena, uint8_t, b->node.count + 1);
    for (size_t i = 0; i < b->result.count; i++) reached[b->result.at[i]->id] = 1;
    wr_ir_reach(b, reached);
    for (size_t i = 0; i < b->node.count; i++)
        if (reached[i] && b->node.at[i]->failed)
            wr_diag_add(b->c->diags, WR_DIAG_W0502, b->node.at[i]->span,
                        "this constant expression always fails: %s",
                        failure((enum wr_reason)b->node.at[i]->failed));
    return b->number;
}
