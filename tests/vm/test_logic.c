/* Logic of three values and errors, choices, and what fails: each table in both executors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "random_code.h"

/* T, F, N (NULL), E (an error); numbers are digits. */
static struct wr_value value_of(char c, enum wr_class cls)
{
    struct wr_value v = {.cls = (uint8_t)cls};
    if (c == 'N') v.flag = WR_FLAG_NULL;
    else if (c == 'E') v.flag = WR_FLAG_ERROR, v.reason = WR_REASON_CAST;
    else if (cls == WR_CLASS_BOOL) v.u.boolean = c == 'T';
    else if (cls == WR_CLASS_I64) v.u.i64 = c - '0';
    else if (cls == WR_CLASS_F64) v.u.f64 = c - '0';
    else if (cls == WR_CLASS_DEC) v.u.dec = c - '0';
    else v.u.str = wr_slice_of(&"0123456789"[c - '0'], 1);
    return v;
}

static char letter_of(const struct wr_value *v)
{
    if (v->flag == WR_FLAG_NULL) return 'N';
    if (v->flag == WR_FLAG_ERROR) return 'E';
    switch ((enum wr_class)v->cls) {
    case WR_CLASS_BOOL: return v->u.boolean ? 'T' : 'F';
    case WR_CLASS_I64: return (char)('0' + v->u.i64);
    case WR_CLASS_F64: return (char)('0' + (int)v->u.f64);
    case WR_CLASS_DEC: return (char)('0' + (int)v->u.dec);
    default: return v->u.str.data[0];
    }
}

/* Runs `A = op(B, C)` for one row of b, c and the earlier a, in both executors. */
static char run(enum wr_op op, char a, char b, char c)
{
    const struct wr_op_info *info = wr_op_info(op);
    enum wr_class cls[3] = {(enum wr_class)info->a, (enum wr_class)info->b,
                            (enum wr_class)(info->c <= WR_OPERAND_ANY ? info->c : WR_CLASS_BOOL)};
    if (info->b == WR_OPERAND_ANY) cls[1] = WR_CLASS_STR;
    struct wr_type type[3];
    struct wr_batch_builder rows;
    struct random r = {1};
    struct random_block block;
    struct wr_program *program = wr_program_new();
    for (int i = 0; i < 3; i++) type[i] = random_type_of(cls[i]);
    wr_batch_builder_init(&rows, type, 3, false);
    char text[3] = {a, b, c};
    for (uint32_t i = 0; i < 3; i++) {
        struct wr_value v = value_of(text[i], cls[i]);
        wr_batch_builder_put(&rows, i, 0, &v, false);
    }
    rows.batch.rows = 1;
    random_block_begin(&block, &r, program, type, 3, 0);
    block.cls[3] = (uint8_t)cls[0];
    block.code->register_count = 4;
    random_emit(&block, wr_op_of(WR_OP_MOVE_BOOL, cls[0]), 0, 3, 0, 0);
    random_emit(&block, op, 0, 3, 1, info->c <= WR_OPERAND_ANY ? 2 : 0);
    random_block_end(&block);
    struct wr_error error = {0};
    assert_int_equal(wr_program_verify(program, &error), WR_OK);
    struct wr_frame *frame = wr_frame_new(program, program->code);
    wr_frame_run(frame, &rows.batch);
    struct wr_value batch = wr_vector_at(wr_frame_result(frame, 3), 0);
    struct wr_row_frame *single = wr_row_frame_new(program, program->code);
    for (uint32_t i = 0; i < 3; i++) single->value[i] = wr_vector_at(&rows.batch.column[i], 0);
    wr_row_frame_run(single);
    char result = letter_of(wr_row_frame_result(single, 3));
    assert_int_equal(letter_of(&batch), result);
    wr_row_frame_free(single);
    wr_frame_free(frame);
    wr_program_free(program);
    wr_batch_builder_release(&rows);
    return result;
}

/* Rows are B, columns C, both in the order of `values`. */
static void check_table(enum wr_op op, const char *values, const char *table)
{
    size_t n = strlen(values);
    for (size_t b = 0; b < n; b++)
        for (size_t c = 0; c < n; c++) {
            char result = run(op, 'F', values[b], values[c]), wanted = table[b * (n + 1) + c];
            if (result != wanted)
                print_error("%s(%c, %c) = %c\n", wr_op_info(op)->name, values[b], values[c], result);
            assert_int_equal(result, wanted);
        }
}

static void and_or_not(void **state)
{
    (void)state;
    check_table(WR_OP_AND, "TFNE", "TFNE FFFF NFNE EFEE");
    check_table(WR_OP_OR, "TFNE", "TTTT TFNE TNNE TEEE");
    const char *in = "TFNE", *negated = "FTNE", *is_true = "TFFE", *is_false = "FTFE";
    for (int i = 0; i < 4; i++) {
        assert_int_equal(run(WR_OP_NOT, 'F', in[i], 'F'), negated[i]);
        assert_int_equal(run(WR_OP_IS_TRUE, 'F', in[i], 'F'), is_true[i]);
        assert_int_equal(run(WR_OP_IS_FALSE, 'F', in[i], 'F'), is_false[i]);
    }
}

static void null_tests(void **state)
{
    (void)state;
    const char *in = "1NE", *is_null = "FTE", *is_not_null = "TFE";
    for (int i = 0; i < 3; i++) {
        assert_int_equal(run(WR_OP_IS_NULL, 'F', in[i], 'F'), is_null[i]);
        assert_int_equal(run(WR_OP_IS_NOT_NULL, 'F', in[i], 'F'), is_not_null[i]);
    }
}

static void comparisons(void **state)
{
    (void)state;
    for (unsigned cls = WR_CLASS_I64; cls < WR_CLASS_COUNT; cls++) {
        check_table(wr_op_comparison(WR_CMP_EQ, (enum wr_class)cls), "12NE", "TFNE FTNE NNNE EEEE");
        check_table(wr_op_comparison(WR_CMP_NE, (enum wr_class)cls), "12NE", "FTNE TFNE NNNE EEEE");
        check_table(wr_op_comparison(WR_CMP_LT, (enum wr_class)cls), "12NE", "FTNE FFNE NNNE EEEE");
        check_table(wr_op_comparison(WR_CMP_LE, (enum wr_class)cls), "12NE", "TTNE FTNE NNNE EEEE");
        check_table(wr_op_comparison(WR_CMP_GT, (enum wr_class)cls), "12NE", "FFNE TFNE NNNE EEEE");
        check_table(wr_op_comparison(WR_CMP_GE, (enum wr_class)cls), "12NE", "TFNE TTNE NNNE EEEE");
        check_table(wr_op_comparison(WR_CMP_DISTINCT, (enum wr_class)cls), "12NE", "FTTE TFTE TTFE EEEE");
    }
    check_table(WR_OP_EQ_BOOL, "TFNE", "TFNE FTNE NNNE EEEE");
    check_table(WR_OP_NE_BOOL, "TFNE", "FTNE TFNE NNNE EEEE");
    check_table(WR_OP_LT_BOOL, "TFNE", "FFNE TFNE NNNE EEEE");
    check_table(WR_OP_LE_BOOL, "TFNE", "TFNE TTNE NNNE EEEE");
    check_table(WR_OP_GT_BOOL, "TFNE", "FTNE FFNE NNNE EEEE");
    check_table(WR_OP_GE_BOOL, "TFNE", "TTNE FTNE NNNE EEEE");
    check_table(WR_OP_DISTINCT_BOOL, "TFNE", "FTTE TFTE TTFE EEEE");
}

/* CASE: the condition decides, what is not taken does not matter. */
static void choices(void **state)
{
    (void)state;
    for (unsigned cls = WR_CLASS_BOOL; cls < WR_CLASS_COUNT; cls++) {
        enum wr_op select = wr_op_of(WR_OP_SELECT_BOOL, (enum wr_class)cls);
        enum wr_op coalesce = wr_op_of(WR_OP_COALESCE_BOOL, (enum wr_class)cls);
        enum wr_op try = wr_op_of(WR_OP_TRY_BOOL, (enum wr_class)cls);
        const char *values = cls == WR_CLASS_BOOL ? "TFNE" : "12NE";
        for (int a = 0; a < 4; a++) {
            for (int c = 0; c < 4; c++) {
                assert_int_equal(run(select, values[a], 'T', values[c]), values[c]);
                assert_int_equal(run(select, values[a], 'F', values[c]), values[a]);
                assert_int_equal(run(select, values[a], 'N', values[c]), values[a]);
                assert_int_equal(run(select, values[a], 'E', values[c]), 'E');
                assert_int_equal(run(coalesce, values[0], values[a], values[c]),
                                 values[a] == 'N' ? values[c] : values[a]);
            }
            assert_int_equal(run(try, values[0], values[a], 'F'), values[a] == 'E' ? 'N' : values[a]);
        }
    }
}

/* ---- What fails, and why --------------------------------------------------------------------------- */

static enum wr_reason reason_of(enum wr_op op, int k, uint32_t imm, struct wr_value b, struct wr_value c)
{
    const struct wr_op_info *info = wr_op_info(op);
    struct wr_type type[2] = {random_type_of((enum wr_class)b.cls), random_type_of((enum wr_class)c.cls)};
    struct wr_batch_builder rows;
    struct random r = {1};
    struct random_block block;
    struct wr_program *program = wr_program_new();
    wr_batch_builder_init(&rows, type, 2, false);
    wr_batch_builder_put(&rows, 0, 0, &b, false);
    wr_batch_builder_put(&rows, 1, 0, &c, false);
    rows.batch.rows = 1;
    random_block_begin(&block, &r, program, type, 2, 0);
    block.cls[2] = info->a;
    block.code->register_count = 3;
    random_emit(&block, op, k, 2, 0, info->c <= WR_OPERAND_ANY ? 1 : imm);
    random_block_end(&block);
    struct wr_frame *frame = wr_frame_new(program, program->code);
    wr_frame_run(frame, &rows.batch);
    bool failed = wr_vector_is_error(wr_frame_result(frame, 2), 0);
    enum wr_reason reason = wr_frame_reason(frame, &rows.batch, 2, 0);
    assert_int_equal(failed, reason != WR_REASON_NONE);
    wr_frame_free(frame);
    wr_program_free(program);
    wr_batch_builder_release(&rows);
    return reason;
}

static struct wr_value i64(int64_t x)
{
    return (struct wr_value){.cls = WR_CLASS_I64, .u.i64 = x};
}
static struct wr_value f64(double x)
{
    return (struct wr_value){.cls = WR_CLASS_F64, .u.f64 = x};
}
static struct wr_value decimal(wr_i128 x)
{
    return (struct wr_value){.cls = WR_CLASS_DEC, .u.dec = x};
}
static struct wr_value str(const char *x)
{
    return (struct wr_value){.cls = WR_CLASS_STR, .u.str = wr_slice_cstr(x)};
}

static void failures(void **state)
{
    const uint32_t dec52 = wr_dectype_word(5, 2);
    (void)state;
    assert_int_equal(reason_of(WR_OP_ADD_I64, 0, 0, i64(INT64_MAX), i64(1)), WR_REASON_OVERFLOW);
    assert_int_equal(reason_of(WR_OP_ADD_I64, 0, 0, i64(INT64_MIN), i64(-1)), WR_REASON_OVERFLOW);
    assert_int_equal(reason_of(WR_OP_ADD_I64, 0, 0, i64(INT64_MAX), i64(INT64_MIN)), WR_REASON_NONE);
    assert_int_equal(reason_of(WR_OP_SUB_I64, 0, 0, i64(INT64_MIN), i64(1)), WR_REASON_OVERFLOW);
    assert_int_equal(reason_of(WR_OP_SUB_I64, 0, 0, i64(0), i64(INT64_MIN)), WR_REASON_OVERFLOW);
    assert_int_equal(reason_of(WR_OP_SUB_I64, 0, 0, i64(-1), i64(INT64_MIN)), WR_REASON_NONE);
    assert_int_equal(reason_of(WR_OP_MUL_I64, 0, 0, i64(INT64_MAX), i64(2)), WR_REASON_OVERFLOW);
    assert_int_equal(reason_of(WR_OP_MUL_I64, 0, 0, i64(INT64_MIN), i64(-1)), WR_REASON_OVERFLOW);
    assert_int_equal(reason_of(WR_OP_DIV_I64, 0, 0, i64(1), i64(0)), WR_REASON_DIVISION_BY_ZERO);
    assert_int_equal(reason_of(WR_OP_DIV_I64, 0, 0, i64(INT64_MIN), i64(-1)), WR_REASON_OVERFLOW);
    assert_int_equal(reason_of(WR_OP_MOD_I64, 0, 0, i64(INT64_MIN), i64(-1)), WR_REASON_NONE);
    assert_int_equal(reason_of(WR_OP_MOD_I64, 0, 0, i64(1), i64(0)), WR_REASON_DIVISION_BY_ZERO);
    assert_int_equal(reason_of(WR_OP_NEG_I64, 0, 0, i64(INT64_MIN), i64(0)), WR_REASON_OVERFLOW);
    assert_int_equal(reason_of(WR_OP_MUL_F64, 0, 0, f64(1e300), f64(1e300)), WR_REASON_OVERFLOW);
    assert_int_equal(reason_of(WR_OP_DIV_F64, 0, 0, f64(1), f64(0)), WR_REASON_DIVISION_BY_ZERO);
    assert_int_equal(reason_of(WR_OP_DIV_F64, 0, 0, f64(0), f64(-0.0)), WR_REASON_DIVISION_BY_ZERO);
    assert_int_equal(reason_of(WR_OP_MOD_F64, 0, 0, f64(1), f64(0)), WR_REASON_DIVISION_BY_ZERO);
    assert_int_equal(reason_of(WR_OP_ADD_DEC, 0, 0, decimal(wr_pow10(38) - 1), decimal(1)), WR_REASON_OVERFLOW);
    assert_int_equal(reason_of(WR_OP_DIV_DEC, 6, 0, decimal(1), decimal(0)), WR_REASON_DIVISION_BY_ZERO);
    assert_int_equal(reason_of(WR_OP_DEC_RESCALE, 2, dec52, decimal(1000), decimal(0)), WR_REASON_OVERFLOW);
    assert_int_equal(reason_of(WR_OP_DEC_RESCALE, 2, dec52, decimal(999), decimal(0)), WR_REASON_NONE);
    assert_int_equal(reason_of(WR_OP_I64_TO_DEC, 0, dec52, i64(1000), i64(0)), WR_REASON_OVERFLOW);
    assert_int_equal(reason_of(WR_OP_CHECK_I32, 0, 0, i64(INT32_MAX), i64(0)), WR_REASON_NONE);
    assert_int_equal(reason_of(WR_OP_CHECK_I32, 0, 0, i64(INT32_MIN), i64(0)), WR_REASON_NONE);
    assert_int_equal(reason_of(WR_OP_CHECK_I32, 0, 0, i64((int64_t)INT32_MAX + 1), i64(0)), WR_REASON_OVERFLOW);
    assert_int_equal(reason_of(WR_OP_CHECK_I32, 0, 0, i64((int64_t)INT32_MIN - 1), i64(0)), WR_REASON_OVERFLOW);
    assert_int_equal(reason_of(WR_OP_F64_TO_I64, 0, 0, f64(9.3e18), f64(0)), WR_REASON_OVERFLOW);
    assert_int_equal(reason_of(WR_OP_F64_TO_I64, 0, 0, f64(-0x1p63), f64(0)), WR_REASON_NONE);
    assert_int_equal(reason_of(WR_OP_F64_TO_F32, 0, 0, f64(1e39), f64(0)), WR_REASON_OVERFLOW);
    assert_int_equal(reason_of(WR_OP_PARSE_I64, WR_KIND_INT, 0, str("2147483648"), str("")), WR_REASON_CAST);
    assert_int_equal(reason_of(WR_OP_PARSE_I64, WR_KIND_TIMESTAMP, 0, str("2026-02-30"), str("")),
                     WR_REASON_CAST);
    assert_int_equal(reason_of(WR_OP_PARSE_DEC, 0, dec52, str("1000"), str("")), WR_REASON_CAST);
    assert_int_equal(reason_of(WR_OP_PARSE_BOOL, 0, 0, str("maybe"), str("")), WR_REASON_CAST);
    assert_int_equal(reason_of(WR_OP_CHECK_TEXT, 0, 0, str("\xff"), str("")), WR_REASON_CAST);
    assert_int_equal(reason_of(WR_OP_CHECK_JSON, 0, 0, str("{"), str("")), WR_REASON_CAST);
    assert_int_equal(reason_of(WR_OP_DATE_TO_TIMESTAMP, 0, 0, i64(INT64_MAX / 2), i64(0)), WR_REASON_OVERFLOW);
}

/* ---- Casts ------------------------------------------------------------------------------------------ */

/* What CAST(from AS to) gives, as text, through the steps that wr_cast_steps spells. */
static void check_cast(struct wr_type from, const char *text, struct wr_type to, const char *wanted)
{
    struct wr_cast_step step[WR_CAST_STEPS_MAX];
    unsigned count;
    struct wr_value value;
    assert_true(wr_value_parse(from, wr_slice_cstr(text), &value));
    assert_true(wr_cast_steps(from, to, step, &count));
    struct wr_program *program = wr_program_new();
    struct random r = {1};
    struct random_block block;
    random_block_begin(&block, &r, program, &from, 1, 0);
    for (unsigned i = 0; i < count; i++) {
        block.cls[1 + i] = step[i].cls;
        block.code->register_count++;
        random_emit(&block, (enum wr_op)step[i].op, step[i].k, 1 + i, i, step[i].c);
    }
    random_block_end(&block);
    struct wr_error error = {0};
    if (wr_program_verify(program, &error)) print_error("%s\n", error.message);
    assert_int_equal(error.status, WR_OK);
    struct wr_row_frame *single = wr_row_frame_new(program, program->code);
    single->value[0] = value;
    wr_row_frame_run(single);
    const struct wr_value *result = wr_row_frame_result(single, count);
    assert_int_equal(result->cls, wr_type_class(to));
    struct wr_buf out = {0};
    wr_value_print(to, result, &out);
    assert_string_equal(wr_buf_cstr(&out), wanted);
    wr_buf_release(&out);
    wr_row_frame_free(single);
    wr_program_free(program);
}

static void casts(void **state)
{
    const struct wr_type boolean = wr_type_of(WR_KIND_BOOLEAN), integer = wr_type_of(WR_KIND_INT),
                         big = wr_type_of(WR_KIND_BIGINT), single = wr_type_of(WR_KIND_FLOAT),
                         number = wr_type_of(WR_KIND_DOUBLE), text = wr_type_of(WR_KIND_STRING),
                         date = wr_type_of(WR_KIND_DATE), time = wr_type_of(WR_KIND_TIME),
                         timestamp = wr_type_of(WR_KIND_TIMESTAMP), interval = wr_type_of(WR_KIND_INTERVAL),
                         dec52 = wr_type_decimal(5, 2), dec306 = wr_type_decimal(30, 6);
    struct wr_cast_step step[WR_CAST_STEPS_MAX];
    unsigned count;
    (void)state;
    check_cast(integer, "7", big, "7");
    check_cast(big, "2147483648", integer, "error");
    check_cast(big, "7", number, "7");
    check_cast(big, "16777217", single, "16777216");
    check_cast(big, "123", dec52, "123.00");
    check_cast(number, "2.9", integer, "2");
    check_cast(number, "-2.9", big, "-2");
    check_cast(number, "3e9", integer, "error");
    check_cast(number, "0.1", dec52, "0.10");
    check_cast(number, "0.1", single, "0.1");
    check_cast(single, "0.1", number, "0.10000000149011612");
    check_cast(dec52, "2.99", big, "2");
    check_cast(dec52, "2.99", number, "2.99");
    check_cast(dec52, "2.99", dec306, "2.990000");
    check_cast(dec306, "2.995", dec52, "3.00");
    check_cast(dec306, "1000", dec52, "error");
    check_cast(dec52, "-2.50", text, "-2.50");
    check_cast(text, "1.005", dec52, "1.01");
    check_cast(text, "12", integer, "12");
    check_cast(text, "12x", integer, "error");
    check_cast(text, "true", boolean, "true");
    check_cast(boolean, "true", text, "true");
    check_cast(boolean, "true", big, "1");
    check_cast(big, "0", boolean, "false");
    check_cast(date, "2026-03-01", timestamp, "2026-03-01T00:00:00Z");
    check_cast(timestamp, "2026-03-01T12:34:56.5Z", date, "2026-03-01");
    check_cast(timestamp, "1969-12-31T23:59:59Z", date, "1969-12-31");
    check_cast(timestamp, "1969-12-31T23:59:59Z", time, "23:59:59");
    check_cast(timestamp, "2026-03-01T12:34:56.5Z", text, "2026-03-01T12:34:56.5Z");
    check_cast(interval, "90s", text, "PT1M30S");
    check_cast(text, "1h30m", interval, "PT1H30M");
    check_cast(text, "{\"a\":1}", wr_type_of(WR_KIND_JSON), "{\"a\":1}");
    check_cast(wr_type_of(WR_KIND_BYTES), "abc", text, "abc");
    assert_false(wr_cast_steps(big, timestamp, step, &count));
    assert_false(wr_cast_steps(time, timestamp, step, &count));
    assert_false(wr_cast_steps(boolean, number, step, &count));
    assert_false(wr_cast_steps(date, interval, step, &count));
    assert_true(wr_cast_steps(wr_type_decimal(4, 2), dec52, step, &count) && count == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(and_or_not), cmocka_unit_test(null_tests), cmocka_unit_test(comparisons),
        cmocka_unit_test(choices),    cmocka_unit_test(failures),   cmocka_unit_test(casts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
