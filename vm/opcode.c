/* The table of the instructions, and casts spelled in them. */
#include "vm/opcode.h"

static const struct wr_op_info info[WR_OP_COUNT] = {
#define OP(NAME, A, B, C, K, RULE, FORMULA, VALUE, MORE)                                                  \
    {#NAME, FORMULA, WR_OPERAND_##A, WR_OPERAND_##B, WR_OPERAND_##C, WR_OPERAND_##K, WR_RULE_##RULE},
#include "vm/opcodes.def"
#undef OP
};

_Static_assert(WR_OP_COUNT <= 256, "an instruction's number is eight bits");
_Static_assert(WR_OP_EQ_STR == WR_OP_EQ_BOOL + 7 * WR_CLASS_STR, "comparisons stand by class");
_Static_assert(WR_OP_MOVE_STR == WR_OP_MOVE_BOOL + WR_CLASS_STR, "families stand by class");

const struct wr_op_info *wr_op_info(enum wr_op op)
{
    WR_ASSERT(op < WR_OP_COUNT);
    return &info[op];
}

bool wr_op_commutes(enum wr_op op)
{
    switch ((int)op) {
    case WR_OP_AND:
    case WR_OP_OR:
    case WR_OP_EQ_BOOL:
    case WR_OP_NE_BOOL:
    case WR_OP_EQ_I64:
    case WR_OP_NE_I64:
    case WR_OP_EQ_F64:
    case WR_OP_NE_F64:
    case WR_OP_EQ_STR:
    case WR_OP_NE_STR:
    case WR_OP_ADD_I64:
    case WR_OP_MUL_I64:
    case WR_OP_ADD_F64: /* DOUBLEs are finite, so that no NaN could tell the operands apart */
    case WR_OP_MUL_F64:
    case WR_OP_ADD_DEC:
    case WR_OP_MUL_DEC: return true;
    default: return false;
    }
}

/* ---- Casts -------------------------------------------------------------------------------------- */

struct casts {
    struct wr_cast_step *step;
    unsigned count;
};

static void add(struct casts *casts, enum wr_op op, int k, uint32_t c)
{
    WR_ASSERT(casts->count < WR_CAST_STEPS_MAX);
    casts->step[casts->count++] =
        (struct wr_cast_step){(uint8_t)op, (int8_t)k, (uint16_t)c, info[op].a};
}

static bool is_integer(struct wr_type type)
{
    return type.kind == WR_KIND_INT || type.kind == WR_KIND_BIGINT;
}

static bool is_float(struct wr_type type)
{
    return type.kind == WR_KIND_FLOAT || type.kind == WR_KIND_DOUBLE;
}

static bool to_text(struct casts *casts, struct wr_type from)
{
    switch ((enum wr_class)wr_type_class(from)) {
    case WR_CLASS_BOOL: add(casts, WR_OP_PRINT_BOOL, 0, 0); return from.kind == WR_KIND_BOOLEAN;
    case WR_CLASS_I64: add(casts, WR_OP_PRINT_I64, from.kind, 0); return true;
    case WR_CLASS_F64: add(casts, WR_OP_PRINT_F64, from.kind, 0); return true;
    case WR_CLASS_DEC: add(casts, WR_OP_PRINT_DEC, from.scale, 0); return true;
    case WR_CLASS_STR:
        if (from.kind == WR_KIND_BYTES) add(casts, WR_OP_CHECK_TEXT, 0, 0);
        return from.kind == WR_KIND_BYTES || from.kind == WR_KIND_JSON || from.kind == WR_KIND_STRING;
    case WR_CLASS_COUNT: break;
    }
    return false;
}

static bool from_text(struct casts *casts, struct wr_type to)
{
    switch ((enum wr_class)wr_type_class(to)) {
    case WR_CLASS_BOOL: add(casts, WR_OP_PARSE_BOOL, 0, 0); return to.kind == WR_KIND_BOOLEAN;
    case WR_CLASS_I64: add(casts, WR_OP_PARSE_I64, to.kind, 0); return true;
    case WR_CLASS_F64: add(casts, WR_OP_PARSE_F64, to.kind, 0); return true;
    case WR_CLASS_DEC: add(casts, WR_OP_PARSE_DEC, 0, wr_dectype_word(to.precision, to.scale)); return true;
    case WR_CLASS_STR:
        if (to.kind == WR_KIND_JSON) add(casts, WR_OP_CHECK_JSON, 0, 0);
        return to.kind == WR_KIND_BYTES || to.kind == WR_KIND_JSON;
    case WR_CLASS_COUNT: break;
    }
    return false;
}

static bool between_times(struct casts *casts, enum wr_kind from, enum wr_kind to)
{
    enum wr_op op = from == WR_KIND_DATE && to == WR_KIND_TIMESTAMP   ? WR_OP_DATE_TO_TIMESTAMP
                    : from == WR_KIND_TIMESTAMP && to == WR_KIND_DATE ? WR_OP_TIMESTAMP_TO_DATE
                    : from == WR_KIND_TIMESTAMP && to == WR_KIND_TIME ? WR_OP_TIMESTAMP_TO_TIME
                                                                      : WR_OP_COUNT;
    if (op == WR_OP_COUNT) return false;
    add(casts, op, 0, 0);
    return true;
}

static bool from_integer(struct casts *casts, struct wr_type from, struct wr_type to)
{
    if (is_integer(to)) {
        if (to.kind == WR_KIND_INT && from.kind == WR_KIND_BIGINT) add(casts, WR_OP_CHECK_I32, 0, 0);
    } else if (is_float(to)) {
        add(casts, WR_OP_I64_TO_F64, 0, 0);
        if (to.kind == WR_KIND_FLOAT) add(casts, WR_OP_F64_TO_F32, 0, 0);
    } else if (to.kind == WR_KIND_DECIMAL) {
        add(casts, WR_OP_I64_TO_DEC, 0, wr_dectype_word(to.precision, to.scale));
    } else if (to.kind == WR_KIND_BOOLEAN) {
        add(casts, WR_OP_I64_TO_BOOL, 0, 0);
    } else {
        return false;
    }
    return true;
}

static bool from_float(struct casts *casts, struct wr_type from, struct wr_type to)
{
    if (is_integer(to)) {
        add(casts, WR_OP_F64_TO_I64, 0, 0);
        if (to.kind == WR_KIND_INT) add(casts, WR_OP_CHECK_I32, 0, 0);
    } else if (is_float(to)) {
        if (to.kind == WR_KIND_FLOAT && from.kind == WR_KIND_DOUBLE) add(casts, WR_OP_F64_TO_F32, 0, 0);
    } else if (to.kind == WR_KIND_DECIMAL) {
        add(casts, WR_OP_F64_TO_DEC, 0, wr_dectype_word(to.precision, to.scale));
    } else {
        return false;
    }
    return true;
}

static bool from_decimal(struct casts *casts, struct wr_type from, struct wr_type to)
{
    if (is_integer(to)) {
        add(casts, WR_OP_DEC_TO_I64, from.scale, 0);
        if (to.kind == WR_KIND_INT) add(casts, WR_OP_CHECK_I32, 0, 0);
    } else if (is_float(to)) {
        add(casts, WR_OP_DEC_TO_F64, from.scale, 0);
        if (to.kind == WR_KIND_FLOAT) add(casts, WR_OP_F64_TO_F32, 0, 0);
    } else if (to.kind == WR_KIND_DECIMAL) {
        bool widens = to.scale == from.scale && to.precision >= from.precision;
        if (!widens)
            add(casts, WR_OP_DEC_RESCALE, (int)to.scale - (int)from.scale, wr_dectype_word(to.precision, to.scale));
    } else {
        return false;
    }
    return true;
}

bool wr_cast_steps(struct wr_type from, struct wr_type to, struct wr_cast_step step[WR_CAST_STEPS_MAX],
                   unsigned *count)
{
    struct casts casts = {step, 0};
    WR_ASSERT(step && count);
    bool fine;
    if (from.kind == WR_KIND_ERROR || to.kind == WR_KIND_ERROR || wr_type_equal(from, to)) fine = true;
    else if (to.kind == WR_KIND_STRING) fine = to_text(&casts, from);
    else if (from.kind == WR_KIND_STRING) fine = from_text(&casts, to);
    else if (is_integer(from)) fine = from_integer(&casts, from, to);
    else if (is_float(from)) fine = from_float(&casts, from, to);
    else if (from.kind == WR_KIND_DECIMAL) fine = from_decimal(&casts, from, to);
    else if (from.kind == WR_KIND_BOOLEAN && is_integer(to)) add(&casts, WR_OP_BOOL_TO_I64, 0, 0), fine = true;
    else fine = between_times(&casts, (enum wr_kind)from.kind, (enum wr_kind)to.kind);
    *count = fine ? casts.count : 0;
    return fine;
}
