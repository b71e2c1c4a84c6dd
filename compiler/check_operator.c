/* Operators on two values: comparisons and arithmetic, by type. */
#include "compiler/state.h"
#include "vm/builtin.h"

static const char *const symbols[] = {
    "OR", "AND", "=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM", "IS NOT DISTINCT FROM",
    "+",  "-",   "*", "/",  "%", "||"};

/* ---- Comparisons ----------------------------------------------------------------------------- */

static void warn_constant(struct wr_compile *c, struct wr_span span, bool value, const char *why)
{
    if (c->state->function_depth)
        return; /* an inlined body may be constant for these arguments only */
    struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W2006, span, "this comparison is always %s",
                                    value ? "true" : "false");
    if (why) wr_diag_label(c->diags, d, "%s", why);
}

/* The greatest value of a column's type against a constant: INT and DECIMAL columns have ends. */
static void warn_range(struct wr_compile *c, enum wr_binary_op op, struct wr_ir *left,
                       struct wr_ir *right, struct wr_span span)
{
    struct wr_value value;
    if (!wr_ir_is_constant(right, &value) || value.flag != WR_FLAG_VALUE ||
        left->kind == WR_IR_CONSTANT)
        return;
    struct wr_type t = left->type;
    wr_i128 end, x;
    if (t.kind == WR_KIND_INT && wr_type_is_integer(right->type)) {
        end = INT32_MAX;
        x = value.u.i64;
    } else if (t.kind == WR_KIND_DECIMAL &&
               (right->type.kind == WR_KIND_DECIMAL || wr_type_is_integer(right->type))) {
        unsigned scale = right->type.kind == WR_KIND_DECIMAL ? right->type.scale : 0;
        wr_i128 unscaled = right->type.kind == WR_KIND_DECIMAL ? value.u.dec : (wr_i128)value.u.i64;
        if (scale > t.scale || !wr_decimal_rescale(unscaled, scale, t.scale, 38, &x)) return;
        end = wr_pow10(t.precision) - 1;
    } else {
        return;
    }
    if (x <= end && x >= -end - 1) return;
    bool above = x > 0;
    if (op == WR_BINARY_EQ) warn_constant(c, span, false, "out of the column's range");
    if (op == WR_BINARY_NE) warn_constant(c, span, true, "out of the column's range");
    if (op == WR_BINARY_LT || op == WR_BINARY_LE)
        warn_constant(c, span, above, "out of the column's range");
    if (op == WR_BINARY_GT || op == WR_BINARY_GE)
        warn_constant(c, span, !above, "out of the column's range");
}

/* A number or a truth value beside a text: `amount > '5'`. */
static void help_compare(struct wr_compile *c, struct wr_diag *d, struct wr_ir *left, struct wr_ir *right)
{
    struct wr_ir *text = left->type.kind == WR_KIND_STRING ? left : right, *other = text == left ? right : left;
    struct wr_value value;
    double number;
    if (text->type.kind != WR_KIND_STRING) return;
    bool literal = wr_ir_is_constant(text, &value) && value.flag == WR_FLAG_VALUE;
    if (wr_type_is_number(other->type)) {
        if (literal && wr_parse_f64(value.u.str, &number))
            wr_diag_help(c->diags, d, "a number stands without quotes: %.*s", WR_SLICE_ARG(value.u.str));
        else if (text == left) wr_diag_help(c->diags, d, "write the value in quotes, or CAST the text to a number");
        else if (!literal) wr_diag_help(c->diags, d, "CAST the text to a number");
    } else if (other->type.kind == WR_KIND_BOOLEAN && literal) {
        wr_diag_help(c->diags, d, "TRUE and FALSE stand without quotes");
    }
}

struct wr_ir *wr_compare_checked(struct wr_compile *c, struct wr_block *b, enum wr_binary_op op,
                                 struct wr_ir *left, struct wr_ir *right, struct wr_span span)
{
    bool distinct = op == WR_BINARY_DISTINCT || op == WR_BINARY_NOT_DISTINCT;
    struct wr_ir *l = left, *r = right;
    bool reported;
    if ((left->type.kind == WR_KIND_NULL || right->type.kind == WR_KIND_NULL) && !distinct) {
        struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W2010, span,
                                        "a comparison with NULL is never true");
        if (op == WR_BINARY_EQ || op == WR_BINARY_NE)
            wr_diag_help(c->diags, d, "write IS %sNULL", op == WR_BINARY_NE ? "NOT " : "");
    }
    if (left->type.kind == WR_KIND_NULL && right->type.kind == WR_KIND_NULL)
        return distinct ? wr_ir_bool(b, op == WR_BINARY_NOT_DISTINCT)
                        : wr_ir_null(b, wr_type_of(WR_KIND_BOOLEAN));
    if (l->type.kind == WR_KIND_ARRAY || r->type.kind == WR_KIND_ARRAY)
        return wr_compare_arrays(c, b, op, l, r, span);
    bool numbers = wr_type_is_number(l->type) && wr_type_is_number(r->type);
    if (numbers && (l->type.kind == WR_KIND_DECIMAL || r->type.kind == WR_KIND_DECIMAL) &&
        wr_type_class(l->type) != WR_CLASS_F64 && wr_type_class(r->type) != WR_CLASS_F64) {
        /* DECIMALs of any scales compare exactly: no common type is needed. */
        l = wr_ir_cast(b, l, wr_type_as_decimal(l->type), false, false);
        r = wr_ir_cast(b, r, wr_type_as_decimal(r->type), false, false);
    } else if (!wr_unify(c, b, &l, &r, &reported)) {
        if (reported) return NULL;
        struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0407, span,
                                        "%s and %s cannot be compared", wr_type_text(c, left->type),
                                        wr_type_text(c, right->type));
        wr_diag_label(c->diags, d, "%s %s %s", wr_type_text(c, left->type), symbols[op],
                      wr_type_text(c, right->type));
        help_compare(c, d, left, right);
        return NULL;
    }
    if (!wr_check_key_type(c, span, l->type)) return NULL;
    struct wr_ir *result = wr_ir_compare(b, op, l, r);
    struct wr_value value;
    if (wr_ir_is_constant(result, &value) && value.flag == WR_FLAG_VALUE)
        warn_constant(c, span, value.u.boolean, NULL);
    else if (l == r && l->kind != WR_IR_CONSTANT)
        warn_constant(c, span,
                      op == WR_BINARY_EQ || op == WR_BINARY_LE || op == WR_BINARY_GE ||
                          op == WR_BINARY_NOT_DISTINCT,
                      "both sides are the same");
    else warn_range(c, op, left, right, span);
    return result;
}

/* ---- Arithmetic ------------------------------------------------------------------------------ */

static struct wr_ir *binary(struct wr_block *b, enum wr_op op, int k, struct wr_type type,
                            struct wr_ir *left, struct wr_ir *right)
{
    struct wr_ir *arg[2] = {left, right};
    return wr_ir_op(b, op, k, 0, type, arg, 2);
}

static struct wr_ir *integer(struct wr_block *b, enum wr_binary_op op, struct wr_type type,
                             struct wr_ir *left, struct wr_ir *right)
{
    static const uint8_t ops[] = {WR_OP_ADD_I64, WR_OP_SUB_I64, WR_OP_MUL_I64, WR_OP_DIV_I64,
                                  WR_OP_MOD_I64};
    struct wr_ir *ir = binary(b, (enum wr_op)ops[op - WR_BINARY_ADD], 0, type, left, right);
    if (type.kind != WR_KIND_INT || op == WR_BINARY_MOD) return ir;
    return wr_ir_unary(b, WR_OP_CHECK_I32, type, ir);
}

static struct wr_ir *rescale(struct wr_block *b, struct wr_ir *ir, struct wr_type type)
{
    if (ir->type.scale == type.scale) return ir;
    struct wr_ir *arg[1] = {ir};
    return wr_ir_op(b, WR_OP_DEC_RESCALE, (int)type.scale - (int)ir->type.scale,
                    wr_dectype_word(type.precision, type.scale), type, arg, 1);
}

/* A result that left its scale for room: brought to the type, or only named so. */
static struct wr_ir *to_decimal(struct wr_block *b, struct wr_ir *ir, struct wr_type type)
{
    if (wr_type_equal(ir->type, type)) return ir;
    return wr_ir_cast(b, ir, type, true, false);
}

static struct wr_ir *decimal(struct wr_block *b, enum wr_binary_op op, struct wr_ir *left,
                             struct wr_ir *right)
{
    struct wr_type l = wr_type_as_decimal(left->type), r = wr_type_as_decimal(right->type);
    left = wr_ir_cast(b, left, l, false, false);
    right = wr_ir_cast(b, right, r, false, false);
    unsigned p1 = l.precision, s1 = l.scale, p2 = r.precision, s2 = r.scale;
    unsigned scale = WR_MAX(s1, s2), whole = WR_MAX(p1 - s1, p2 - s2);
    if (op == WR_BINARY_MUL) {
        struct wr_type type = wr_type_decimal_fit(p1 + p2 + 1, s1 + s2);
        return binary(b, WR_OP_MUL_DEC, (int)type.scale - (int)(s1 + s2), type, left, right);
    }
    if (op == WR_BINARY_DIV) {
        unsigned s = WR_MAX(6u, s1 + p2 + 1);
        struct wr_type type = wr_type_decimal_fit(p1 - s1 + s2 + s, s);
        return binary(b, WR_OP_DIV_DEC, (int)type.scale - ((int)s1 - (int)s2), type, left, right);
    }
    left = rescale(b, left, wr_type_decimal(38, scale));
    right = rescale(b, right, wr_type_decimal(38, scale));
    if (op == WR_BINARY_MOD) {
        unsigned digits = WR_MIN(p1 - s1, p2 - s2) + scale;
        return binary(b, WR_OP_MOD_DEC, 0, wr_type_decimal_fit(WR_MAX(digits, 1u), scale), left,
                      right);
    }
    struct wr_type type = wr_type_decimal_fit(whole + scale + 1, scale);
    struct wr_type exact = type.scale == scale ? type : wr_type_decimal(38, scale);
    struct wr_ir *ir = binary(b, op == WR_BINARY_ADD ? WR_OP_ADD_DEC : WR_OP_SUB_DEC, 0, exact,
                              left, right);
    return to_decimal(b, ir, type);
}

static struct wr_ir *floating(struct wr_block *b, enum wr_binary_op op, struct wr_ir *left,
                              struct wr_ir *right)
{
    static const uint8_t ops[] = {WR_OP_ADD_F64, WR_OP_SUB_F64, WR_OP_MUL_F64, WR_OP_DIV_F64,
                                  WR_OP_MOD_F64};
    struct wr_type type = wr_type_of(WR_KIND_DOUBLE);
    left = wr_ir_cast(b, left, type, false, false);
    right = wr_ir_cast(b, right, type, false, false);
    return binary(b, (enum wr_op)ops[op - WR_BINARY_ADD], 0, type, left, right);
}

static struct wr_ir *numbers(struct wr_block *b, enum wr_binary_op op, struct wr_ir *left,
                             struct wr_ir *right)
{
    enum wr_class l = wr_type_class(left->type), r = wr_type_class(right->type);
    if (l == WR_CLASS_F64 || r == WR_CLASS_F64) return floating(b, op, left, right);
    if (l == WR_CLASS_DEC || r == WR_CLASS_DEC) return decimal(b, op, left, right);
    struct wr_type type;
    wr_type_common(left->type, right->type, &type);
    return integer(b, op, type, wr_ir_cast(b, left, type, false, false),
                   wr_ir_cast(b, right, type, false, false));
}

/* interval * number and interval / number: whole microseconds, rounded half up beside a DECIMAL,
 * cut off else. */
static struct wr_ir *scaled_interval(struct wr_block *b, bool divide, struct wr_ir *interval,
                                     struct wr_ir *number)
{
    struct wr_type type = wr_type_of(WR_KIND_INTERVAL);
    enum wr_class cls = wr_type_class(number->type);
    if (cls == WR_CLASS_I64)
        return binary(b, divide ? WR_OP_DIV_I64 : WR_OP_MUL_I64, 0, type, interval, number);
    struct wr_ir *micros = wr_ir_unary(b, WR_OP_MOVE_I64, wr_type_of(WR_KIND_BIGINT), interval);
    if (interval->kind == WR_IR_CONSTANT && interval->u.constant.parameter == WR_NONE)
        micros = wr_ir_i64(b, wr_type_of(WR_KIND_BIGINT), interval->u.constant.value.u.i64);
    if (cls == WR_CLASS_F64) {
        micros = floating(b, divide ? WR_BINARY_DIV : WR_BINARY_MUL, micros, number);
        return wr_ir_unary(b, WR_OP_F64_TO_I64, type, micros);
    }
    micros = wr_ir_cast(b, micros, wr_type_decimal(19, 0), false, false);
    int shift = divide ? (int)number->type.scale : -(int)number->type.scale;
    micros = binary(b, divide ? WR_OP_DIV_DEC : WR_OP_MUL_DEC, shift, wr_type_decimal(38, 0),
                    micros, number);
    return wr_ir_unary(b, WR_OP_DEC_TO_I64, type, micros);
}

/* A time of day stays within its day. */
static struct wr_ir *time_of_day(struct wr_block *b, enum wr_op op, struct wr_ir *time,
                                 struct wr_ir *interval)
{
    struct wr_type type = wr_type_of(WR_KIND_TIME);
    struct wr_ir *day = wr_ir_i64(b, wr_type_of(WR_KIND_BIGINT), INT64_C(86400000000));
    struct wr_ir *ir = binary(b, WR_OP_MOD_I64, 0, type, binary(b, op, 0, type, time, interval),
                              day);
    ir = binary(b, WR_OP_ADD_I64, 0, type, ir, day);
    return binary(b, WR_OP_MOD_I64, 0, type, ir, day);
}

/* A DATE and a whole number of days, known now, give a DATE; else the TIMESTAMP. */
static struct wr_ir *date_interval(struct wr_block *b, enum wr_op op, struct wr_ir *date,
                                   struct wr_ir *interval)
{
    const int64_t day = INT64_C(86400000000);
    struct wr_value value;
    if (wr_ir_is_constant(interval, &value) && value.flag == WR_FLAG_VALUE &&
        value.u.i64 % day == 0) {
        struct wr_ir *days = wr_ir_i64(b, wr_type_of(WR_KIND_BIGINT), value.u.i64 / day);
        return binary(b, op, 0, wr_type_of(WR_KIND_DATE), date, days);
    }
    struct wr_ir *at = wr_ir_cast(b, date, wr_type_of(WR_KIND_TIMESTAMP), true, false);
    return binary(b, op, 0, wr_type_of(WR_KIND_TIMESTAMP), at, interval);
}

/* NULL when the operator does not exist for these types. */
static struct wr_ir *times(struct wr_block *b, enum wr_binary_op op, struct wr_ir *left,
                           struct wr_ir *right)
{
    enum wr_kind l = (enum wr_kind)left->type.kind, r = (enum wr_kind)right->type.kind;
    struct wr_type interval = wr_type_of(WR_KIND_INTERVAL);
    enum wr_op add = op == WR_BINARY_SUB ? WR_OP_SUB_I64 : WR_OP_ADD_I64;
    bool sum = op == WR_BINARY_ADD || op == WR_BINARY_SUB;
    if (l == WR_KIND_INTERVAL && r == WR_KIND_INTERVAL) {
        if (sum) return binary(b, add, 0, interval, left, right);
        if (op == WR_BINARY_MOD) return binary(b, WR_OP_MOD_I64, 0, interval, left, right);
        if (op != WR_BINARY_DIV) return NULL;
        struct wr_type f64 = wr_type_of(WR_KIND_DOUBLE);
        return binary(b, WR_OP_DIV_F64, 0, f64, wr_ir_unary(b, WR_OP_I64_TO_F64, f64, left),
                      wr_ir_unary(b, WR_OP_I64_TO_F64, f64, right));
    }
    if (l == WR_KIND_INTERVAL && wr_type_is_number(right->type) &&
        (op == WR_BINARY_MUL || op == WR_BINARY_DIV))
        return scaled_interval(b, op == WR_BINARY_DIV, left, right);
    if (r == WR_KIND_INTERVAL && wr_type_is_number(left->type) && op == WR_BINARY_MUL)
        return scaled_interval(b, false, right, left);
    if (op == WR_BINARY_ADD && l == WR_KIND_INTERVAL) {
        struct wr_ir *t = left;
        left = right;
        right = t;
        l = r;
        r = WR_KIND_INTERVAL;
    }
    if (sum && r == WR_KIND_INTERVAL) {
        if (l == WR_KIND_TIMESTAMP) return binary(b, add, 0, left->type, left, right);
        if (l == WR_KIND_DATE) return date_interval(b, add, left, right);
        if (l == WR_KIND_TIME) return time_of_day(b, add, left, right);
        return NULL;
    }
    if (op != WR_BINARY_SUB || l != r) return NULL;
    if (l == WR_KIND_TIMESTAMP || l == WR_KIND_TIME)
        return binary(b, WR_OP_SUB_I64, 0, interval, left, right);
    if (l != WR_KIND_DATE) return NULL;
    struct wr_ir *days = binary(b, WR_OP_SUB_I64, 0, wr_type_of(WR_KIND_BIGINT), left, right);
    return binary(b, WR_OP_MUL_I64, 0, interval, days,
                  wr_ir_i64(b, wr_type_of(WR_KIND_BIGINT), INT64_C(86400000000)));
}

static struct wr_ir *refuse(struct wr_compile *c, const struct wr_expr *expr,
                            const struct wr_ir *left, const struct wr_ir *right)
{
    enum wr_binary_op op = expr->u.binary.op;
    bool time_left = left->type.kind >= WR_KIND_DATE && left->type.kind <= WR_KIND_TIMESTAMP;
    if (time_left && wr_type_is_number(right->type) &&
        (op == WR_BINARY_ADD || op == WR_BINARY_SUB)) {
        struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0419, expr->u.binary.right->span,
                                        "a duration is added to a time, this is %s",
                                        wr_type_text(c, right->type));
        if (expr->u.binary.right->kind == WR_EXPR_NUMBER)
            wr_diag_help(c->diags, d, "write its unit: %.*ss for seconds",
                         WR_SLICE_ARG(expr->u.binary.right->u.text));
        return NULL;
    }
    struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0401, expr->span, "%s %s %s does not exist",
                                    wr_type_text(c, left->type), symbols[op],
                                    wr_type_text(c, right->type));
    wr_diag_label(c->diags, d, "%s %s %s", wr_type_text(c, left->type), symbols[op],
                  wr_type_text(c, right->type));
    bool text = left->type.kind == WR_KIND_STRING || right->type.kind == WR_KIND_STRING;
    if (op == WR_BINARY_ADD && left->type.kind == WR_KIND_STRING &&
        right->type.kind == WR_KIND_STRING)
        wr_diag_help(c->diags, d, "texts are joined by ||");
    else if (op == WR_BINARY_CONCAT && text)
        wr_diag_help(c->diags, d, "CAST the other one AS STRING");
    else if (text && op != WR_BINARY_CONCAT) wr_diag_help(c->diags, d, "CAST the text to a number");
    return NULL;
}

/* 'text' beside a time: read as the time or duration that fits the operator. */
static bool read_texts(struct wr_compile *c, struct wr_block *b, enum wr_binary_op op,
                       struct wr_ir **left, struct wr_ir **right, bool *reported)
{
    struct wr_ir **text = (*left)->type.kind == WR_KIND_STRING ? left : right;
    struct wr_ir *other = text == left ? *right : *left;
    struct wr_value value, parsed;
    struct wr_type wanted = wr_type_of(WR_KIND_INTERVAL);
    if (op == WR_BINARY_SUB && wr_ir_is_constant(*text, &value) && value.flag == WR_FLAG_VALUE &&
        wr_value_parse(other->type, value.u.str, &parsed))
        wanted = other->type;
    struct wr_ir *ir = wr_coerce(c, b, *text, wanted, reported);
    if (ir) *text = ir;
    return ir != NULL;
}

struct wr_ir *wr_check_binary(struct wr_compile *c, struct wr_block *b, const struct wr_expr *expr,
                              struct wr_ir *left, struct wr_ir *right)
{
    enum wr_binary_op op = expr->u.binary.op;
    if (op < WR_BINARY_ADD) return wr_compare_checked(c, b, op, left, right, expr->span);
    bool left_null = left->type.kind == WR_KIND_NULL, right_null = right->type.kind == WR_KIND_NULL;
    if (left_null && right_null) return left;
    if (left_null) left = wr_ir_null(b, right->type);
    if (right_null) right = wr_ir_null(b, left->type);
    if (op == WR_BINARY_CONCAT) {
        if (left->type.kind != WR_KIND_STRING || right->type.kind != WR_KIND_STRING)
            return refuse(c, expr, left, right);
        struct wr_ir *arg[2] = {left, right};
        return wr_ir_call(b, WR_BUILTIN_CONCAT_OPERATOR, wr_type_of(WR_KIND_STRING), arg, 2);
    }
    if (wr_type_is_number(left->type) && wr_type_is_number(right->type))
        return numbers(b, op, left, right);
    bool reported = false;
    bool text = left->type.kind == WR_KIND_STRING || right->type.kind == WR_KIND_STRING;
    bool time = wr_type_is_time(left->type) || wr_type_is_time(right->type);
    if (text && time && (op == WR_BINARY_ADD || op == WR_BINARY_SUB) &&
        !read_texts(c, b, op, &left, &right, &reported) && reported)
        return NULL;
    struct wr_ir *ir = time ? times(b, op, left, right) : NULL;
    return ir ? ir : refuse(c, expr, left, right);
}
