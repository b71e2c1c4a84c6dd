/* Constant folding and sharing: what is known now is not computed per row, and nothing is computed twice. */
#include "compiling.h"
#include "vm/opcode.h"
#include "vm/text.h"

#define STREAM "CREATE STREAM s (i INT, x DOUBLE, d DECIMAL(12,2), t STRING, b BOOLEAN, at TIMESTAMP, WATERMARK FOR at AS at);\n"

static const struct {
    const char *expr, *value;
} folded[] = {
    {"1 + 2 * 3", "7"}, {"7 / 2", "3"}, {"-7 / 2", "-3"}, {"7.0 / 2", "3.500000000000"}, {"1.5 * 1.5", "2.25"},
    {"0.1 + 0.2", "0.3"},
    {"'a' || 'b'", "ab"}, {"UPPER('straße')", "STRAßE"}, {"1h + 30m", "PT1H30M"}, {"2 * 90s", "PT3M"},
    {"TIMESTAMP '2026-01-01 00:00:00' + 1d", "2026-01-02T00:00:00Z"}, {"DATE '2026-03-01' - 1d", "2026-02-28"},
    {"CAST('12.345' AS DECIMAL(6,2))", "12.35"}, {"TRY_CAST('x' AS INT)", "NULL"}, {"TRY_CAST('12' AS DECIMAL(3,1))", "12.0"},
    {"CASE WHEN 1 > 2 THEN 'a' ELSE 'b' END", "b"}, {"COALESCE(NULL, 3)", "3"}, {"NULLIF(3, 3)", "NULL"}, {"NULL + 1", "NULL"},
    {"b AND FALSE", "false"}, {"b OR TRUE", "true"}, {"FALSE AND i = 1", "false"}, {"'2026' LIKE '20__'", "true"},
    {"'abc' REGEXP 'b+'", "true"}, {"1e3 + 1", "1001"}, {"5 IS NULL", "false"}, {"NOT (1 = 1)", "false"},
    {"3 IN (1, 2, 3)", "true"},
};

static void constants_are_folded(void **state)
{
    (void)state;
    for (size_t i = 0; i < WR_COUNT(folded); i++) {
        struct compiling c;
        struct wr_buf text = {0};
        wr_buf_printf(&text, STREAM "SELECT %s AS v FROM s;", folded[i].expr);
        compile_well(&c, wr_buf_cstr(&text));
        const struct wr_node *n = find_node(&c, "select_1.select");
        const struct wr_code *code = &c.program->code[n->u.select.project];
        if (code->word_count != 0 || code->result[0] < code->input_count) fail_msg("%s is not folded", folded[i].expr);
        const struct wr_constant *k = &c.program->constant[code->constant[code->result[0] - code->input_count]];
        wr_buf_clear(&text);
        wr_value_print(k->type, &k->value, &text);
        if (strcmp(wr_buf_cstr(&text), folded[i].value) != 0)
            fail_msg("%s is %s, not %s", folded[i].expr, wr_buf_cstr(&text), folded[i].value);
        wr_buf_release(&text);
        release(&c);
    }
}

static uint32_t instructions(const char *select)
{
    struct compiling c;
    struct wr_buf text = {0};
    wr_buf_printf(&text, STREAM "%s;", select);
    compile_well(&c, wr_buf_cstr(&text));
    const struct wr_select_node *n = &find_node(&c, "select_1.select")->u.select;
    uint32_t count = c.program->code[n->project].word_count / 2;
    if (n->where != WR_NONE) count += c.program->code[n->where].word_count / 2;
    wr_buf_release(&text);
    release(&c);
    return count;
}

static void equal_expressions_are_computed_once(void **state)
{
    (void)state;
    assert_int_equal(instructions("SELECT x * 2 AS a, x * 2 AS b, 2 * x AS c FROM s"), 1);
    assert_int_equal(instructions("SELECT i FROM s WHERE x > 5 OR 5 < x"), 1);
    assert_int_equal(instructions("SELECT i FROM s WHERE x > 5 AND TRUE"), 1);
    assert_int_equal(instructions("SELECT i FROM s WHERE NOT NOT b"), 0);
    assert_int_equal(instructions("SELECT i AS a, i AS b, t FROM s"), 0);
    assert_int_equal(instructions("SELECT d + 1 > 5 AS a, CASE WHEN d + 1 > 5 THEN 1 ELSE 0 END AS b FROM s"), 4);
}

static void parameters_are_not_folded(void **state)
{
    (void)state;
    struct compiling c;
    struct wr_error error = {0};
    compile_well(&c, STREAM "CREATE PARAMETER p INT DEFAULT 2; SELECT i FROM s WHERE i > 10 * :p;");
    assert_int_equal(c.program->parameter_count, 1);
    uint32_t found = 0;
    for (uint32_t i = 0; i < c.program->constant_count; i++) found += c.program->constant[i].parameter == 0;
    assert_int_equal(found, 1);
    assert_int_equal(wr_program_set_parameter(c.program, WR_SLICE("P"), WR_SLICE("7"), &error), WR_OK);
    for (uint32_t i = 0; i < c.program->constant_count; i++)
        if (c.program->constant[i].parameter == 0) assert_int_equal(c.program->constant[i].value.u.i64, 7);
    release(&c);
}

/* A hundred thousand temporaries one after the other need a handful of registers. */
static void registers_are_used_again(void **state)
{
    (void)state;
    struct compiling c;
    struct wr_buf text = {0};
    wr_buf_printf(&text, STREAM "SELECT x FROM s WHERE x > 0");
    for (int i = 1; i < 2000; i++) wr_buf_printf(&text, " OR x + %d.5 > x * %d", i, i);
    wr_buf_add_cstr(&text, ";");
    compile_well(&c, wr_buf_cstr(&text));
    const struct wr_code *code = &c.program->code[find_node(&c, "select_1.select")->u.select.where];
    assert_true(code->register_count - code->input_count - code->constant_count < 12);
    wr_buf_release(&text);
    release(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constants_are_folded),
        cmocka_unit_test(equal_expressions_are_computed_once),
        cmocka_unit_test(parameters_are_not_folded),
        cmocka_unit_test(registers_are_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
