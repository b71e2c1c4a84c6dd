/* Programs and the code that they become, instruction by instruction. */
#include "compiling.h"

#define STREAM "CREATE STREAM s (k STRING, i INT, x DOUBLE, d DECIMAL(12,2), b BOOLEAN, at TIMESTAMP, WATERMARK FOR at AS at);\n"

static const struct {
    const char *query, *where, *project;
} cases[] = {
    {"SELECT k, d FROM s WHERE d > 300 AND k = 'a'",
     "  input    r0     DECIMAL(12,2) d\n"
     "  input    r1     STRING k\n"
     "  constant r2     DECIMAL(38,2) 300.00\n"
     "  constant r3     STRING 'a'\n"
     "    0  GT_DEC             r4 r0 r2 0            r4 = d > 300.00\n"
     "    1  EQ_STR             r5 r1 r3              r5 = k = 'a'\n"
     "    2  AND                r6 r4 r5              r6 = r4 AND r5\n"
     "  result   0      r6\n",
     "  input    r0     STRING k\n"
     "  input    r1     DECIMAL(12,2) d\n"
     "  result   0      k\n"
     "  result   1      d\n"},
    {"SELECT CASE WHEN b THEN i + 1 ELSE 0 END AS a, COALESCE(x, i) AS c FROM s", NULL,
     "  input    r0     BOOLEAN b\n"
     "  input    r1     INT i\n"
     "  input    r2     DOUBLE x\n"
     "  constant r3     INT 1\n"
     "  constant r4     INT 0\n"
     "    0  ADD_I64            r5 r1 r3              r5 = i + 1\n"
     "    1  CHECK_I32          r6 r5                 r6 = r5, if it is an INT\n"
     "    2  MOVE_I64           r5 r4                 r5 = 0\n"
     "    3  SELECT_I64         r5 r0 r6              r5 = b is an error ? error : b is TRUE ? r6 : r5\n"
     "    4  I64_TO_F64         r7 r1                 r7 = i as DOUBLE\n"
     "    5  COALESCE_F64       r8 r2 r7              r8 = x is NULL ? r7 : x\n"
     "  result   0      r5\n"
     "  result   1      r8\n"},
    {"SELECT k || '!' AS a FROM s WHERE i IN (1, 2) OR x IS NULL",
     "  input    r0     INT i\n"
     "  input    r1     DOUBLE x\n"
     "  constant r2     INT 1\n"
     "  constant r3     INT 2\n"
     "    0  EQ_I64             r4 r0 r2              r4 = i = 1\n"
     "    1  EQ_I64             r5 r0 r3              r5 = i = 2\n"
     "    2  OR                 r6 r4 r5              r6 = r4 OR r5\n"
     "    3  IS_NULL            r5 r1                 r5 = x IS NULL\n"
     "    4  OR                 r4 r6 r5              r4 = r6 OR r5\n"
     "  result   0      r4\n",
     "  input    r0     STRING k\n"
     "  constant r1     STRING '!'\n"
     "    0  CALL               r2 11 r0 2            r2 = ||(k, '!')\n"
     "  result   0      r2\n"},
};

static void check_code(const struct compiling *c, const char *query, uint32_t code, const char *expected)
{
    struct wr_buf out = {0};
    if (code == WR_NONE || !expected) {
        assert_true(code == WR_NONE && !expected);
        return;
    }
    wr_code_print(c->program, &c->program->code[code], false, &out);
    if (strcmp(wr_buf_cstr(&out), expected) != 0) {
        print_error("%s\ngives\n%snot\n%s", query, wr_buf_cstr(&out), expected);
        fail();
    }
    wr_buf_release(&out);
}

static void queries_become_these_instructions(void **state)
{
    (void)state;
    for (size_t i = 0; i < WR_COUNT(cases); i++) {
        struct compiling c;
        struct wr_buf text = {0};
        wr_buf_printf(&text, STREAM "%s;", cases[i].query);
        compile_well(&c, wr_buf_cstr(&text));
        const struct wr_select_node *n = &find_node(&c, "select_1.select")->u.select;
        check_code(&c, cases[i].query, n->where, cases[i].where);
        check_code(&c, cases[i].query, n->project, cases[i].project);
        wr_buf_release(&text);
        release(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(queries_become_these_instructions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
