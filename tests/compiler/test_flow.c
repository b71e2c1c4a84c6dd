/* From statements to nodes: what reads what, what comes out, and that nothing is decoded or kept for nobody. */
#include "compiling.h"

#define STREAM                                                                                    \
    "CREATE STREAM s (k STRING, i INT, x DOUBLE, d DECIMAL(12,2), y INT AS i + 1, at TIMESTAMP, WATERMARK FOR at AS at - 5s);\n"

static const char *fields_of(const struct compiling *c, const char *stream, struct wr_buf *out)
{
    const struct wr_node *n = find_node(c, stream);
    wr_buf_clear(out);
    for (uint32_t i = 0; i < n->u.source.field_count; i++)
        wr_buf_printf(out, "%s%s", i ? " " : "", n->u.source.field[i].name);
    return wr_buf_cstr(out);
}

static void only_what_is_read_is_decoded(void **state)
{
    (void)state;
    static const struct {
        const char *query, *fields;
    } cases[] = {
        {"SELECT k FROM s;", "k at"},
        {"SELECT k FROM s WHERE x > 5;", "k x at"},
        {"SELECT y FROM s;", "i at"},
        {"CREATE VIEW v AS SELECT *, d * 2 AS dd FROM s WHERE i > 1; SELECT k FROM v;", "k i at"},
        {"CREATE VIEW v AS SELECT * FROM s; SELECT k FROM (SELECT * FROM v) AS q WHERE q.x > 1;", "k x at"},
        {"SELECT k, window_end FROM TUMBLE(s, at, 1m) GROUP BY k, window_end HAVING SUM(x) > 1;", "k x at"},
        {"CREATE VIEW w AS SELECT k, window_end, SUM(x) AS sx, SUM(i) AS si FROM TUMBLE(s, at, 1m) GROUP BY k, window_end; "
         "SELECT k, si FROM w;", "k i at"},
        {"PATTERN p FROM s PARTITION BY k MATCH a -> b WITHIN 5m DEFINE a AS x > 5, b AS x > a.x SELECT k;", "k x at"},
        {"CREATE VIEW v AS SELECT k, x FROM s UNION ALL SELECT k, d FROM s; SELECT k FROM v;", "k at"},
        {"SELECT COUNT(*) AS n, window_end FROM TUMBLE(s, at, 1m) GROUP BY window_end;", "at"},
        {"CREATE STREAM t; INSERT INTO t SELECT * FROM s; CREATE VIEW unused AS SELECT k FROM s;", "k i x d at"},
    };
    struct wr_buf text = {0}, out = {0};
    for (size_t i = 0; i < WR_COUNT(cases); i++) {
        struct compiling c;
        wr_buf_clear(&text);
        wr_buf_printf(&text, STREAM "%s", cases[i].query);
        compile_well(&c, wr_buf_cstr(&text));
        if (strcmp(fields_of(&c, "s", &out), cases[i].fields) != 0)
            fail_msg("%s decodes %s", cases[i].query, wr_buf_cstr(&out));
        release(&c);
    }
    wr_buf_release(&text);
    wr_buf_release(&out);
}

static void flows_are_as_short_as_they_can_be(void **state)
{
    (void)state;
    static const struct {
        const char *text, *flow;
    } cases[] = {
        {"SELECT k FROM s WHERE x > 5;", "0 SOURCE\n1 SELECT 0\n2 OUTPUT 1 select_1\n"},
        {"SELECT * FROM s; SELECT k FROM s;", "0 SOURCE\n1 OUTPUT 0 select_1\n2 SELECT 0\n3 OUTPUT 2 select_2\n"},
        {"CREATE VIEW v AS SELECT k, i FROM s; SELECT k FROM v; SELECT i FROM v;",
         "0 SOURCE\n1 SELECT 0\n2 OUTPUT 1 select_1\n3 SELECT 0\n4 OUTPUT 3 select_2\n"},
        {"SELECT k, window_end, SUM(x) AS n FROM TUMBLE(s, at, 1m) GROUP BY k, window_end;",
         "0 SOURCE\n1 WINDOW 0\n2 SELECT 1\n3 OUTPUT 2 select_1\n"},
        {"SELECT k, window_end, SUM(x + 1) AS n FROM TUMBLE(s, at, 1m) WHERE i > 1 GROUP BY k, window_end;",
         "0 SOURCE\n1 SELECT 0\n2 WINDOW 1\n3 SELECT 2\n4 OUTPUT 3 select_1\n"},
        {"CREATE STREAM tardy; SELECT k, window_end FROM TUMBLE(s, at, 1m) GROUP BY k, window_end LATE 5s INTO tardy;",
         "0 SOURCE\n1 WINDOW 0\n2 LATE 1\n3 SELECT 2\n4 SELECT 1\n5 OUTPUT 4 select_1\n6 OUTPUT 3 tardy\n"},
        {"CREATE STREAM t; INSERT INTO t SELECT k FROM s WHERE i > 1; INSERT INTO t SELECT k FROM s WHERE i < 1;",
         "0 SOURCE\n1 SELECT 0\n2 SELECT 0\n3 MERGE 1 2\n4 OUTPUT 3 t\n"},
        {"PATTERN p FROM s PARTITION BY k MATCH a -> b WITHIN 5m DEFINE a AS x > 5, b AS x > a.x SELECT k;",
         "0 SOURCE\n1 PATTERN 0\n2 SELECT 1\n3 OUTPUT 2 p\n"},
        {"CREATE STREAM c AS SELECT k, i FROM s WHERE i > 1; SELECT k FROM c WHERE i > 2;",
         "0 SOURCE\n1 SELECT 0\n2 SELECT 1\n3 OUTPUT 2 select_1\n4 OUTPUT 1 c\n"},
    };
    struct wr_buf text = {0}, out = {0};
    for (size_t i = 0; i < WR_COUNT(cases); i++) {
        struct compiling c;
        wr_buf_clear(&text);
        wr_buf_printf(&text,
                      "CREATE STREAM s (k STRING, i INT, x DOUBLE, at TIMESTAMP, WATERMARK FOR at AS at - 5s);\n%s",
                      cases[i].text);
        compile_well(&c, wr_buf_cstr(&text));
        if (strcmp(flow_of(&c, &out), cases[i].flow) != 0) fail_msg("%s\n%s", cases[i].text, wr_buf_cstr(&out));
        release(&c);
    }
    wr_buf_release(&text);
    wr_buf_release(&out);
}

static void statements_may_stand_in_any_order(void **state)
{
    (void)state;
    struct compiling c;
    struct wr_buf out = {0};
    compile_well(&c, "INSERT INTO t SELECT f(n) AS m FROM c;\nCREATE STREAM t;\nCREATE STREAM c AS SELECT i AS n FROM v;\n"
                     "CREATE VIEW v AS SELECT * FROM s WHERE i > :p;\nCREATE PARAMETER p INT DEFAULT 1;\n"
                     "CREATE FUNCTION f(a INT) RETURNS BIGINT AS a * 2;\n" STREAM);
    assert_string_equal(names_of(&find_node(&c, "t.output")->schema, &out), "m BIGINT");
    assert_int_equal(c.diags.warning_count, 0);
    wr_buf_release(&out);
    release(&c);
}

static void outputs_are_named_and_typed_by_their_targets(void **state)
{
    (void)state;
    struct compiling c;
    struct wr_buf out = {0};
    compile_well(&c, STREAM
                 "CREATE STREAM t (Name STRING, amount DECIMAL(20,4), at TIMESTAMP, n BIGINT, twice BIGINT AS n * 2);\n"
                 "INSERT INTO t SELECT k, i, '2026-01-01', NULL FROM s;\nINSERT INTO t SELECT k, 1.5, at, i FROM s;\n"
                 "SELECT NAME, twice FROM t;\nCREATE STREAM u;\nINSERT INTO u SELECT k, i AS n FROM s;\n"
                 "INSERT INTO u SELECT k, d FROM s;\n");
    assert_string_equal(names_of(&find_node(&c, "t.output")->schema, &out),
                        "Name STRING, amount DECIMAL(20,4), at TIMESTAMP, n BIGINT");
    assert_string_equal(names_of(&find_node(&c, "select_1.output")->schema, &out), "Name STRING, twice BIGINT");
    assert_string_equal(names_of(&find_node(&c, "u.output")->schema, &out), "k STRING, n DECIMAL(12,2)");
    wr_buf_release(&out);
    release(&c);
}

static void event_time_is_followed_through_queries(void **state)
{
    (void)state;
    struct compiling c;
    compile_well(&c, STREAM
                 "CREATE VIEW v AS SELECT at AS moment, k FROM s WHERE i > 1;\n"
                 "CREATE STREAM m AS SELECT k, window_time, COUNT(*) AS n FROM TUMBLE(v, moment, 1m) GROUP BY k, window_start;\n"
                 "SELECT k, window_start, SUM(n) AS n FROM HOP(m, window_time, 1h, 90m) GROUP BY k, window_start, window_end;\n"
                 "SELECT k, window_end FROM TUMBLE(m, event_time, 1h, -10m) GROUP BY k, window_end;\n");
    const struct wr_window_node *hop = &find_node(&c, "select_1.window")->u.window;
    assert_int_equal(hop->size_us, 5400000000);
    assert_int_equal(hop->slide_us, 3600000000);
    assert_int_equal(find_node(&c, "select_2.window")->u.window.offset_us, 3000000000);
    release(&c);
}

static void watermarks_are_recognised(void **state)
{
    (void)state;
    static const struct {
        const char *expr;
        int64_t delay_us;
    } cases[] = {{"at", 0}, {"at - 5s", 5000000}, {"at - INTERVAL '1' MINUTE", 60000000}, {"at - 2 * 5s", 10000000},
                 {"at - -(5s)", -1}, {"LEAST(at, other)", -1}, {"other", -1}};
    struct wr_buf text = {0};
    for (size_t i = 0; i < WR_COUNT(cases); i++) {
        struct compiling c;
        wr_buf_clear(&text);
        wr_buf_printf(&text, "CREATE STREAM s (k INT, at TIMESTAMP, other TIMESTAMP, WATERMARK FOR at AS %s); SELECT k FROM s;",
                      cases[i].expr);
        compile_well(&c, wr_buf_cstr(&text));
        const struct wr_source_node *s = &find_node(&c, "s")->u.source;
        assert_int_equal(s->delay_us, cases[i].delay_us);
        assert_int_equal(s->watermark == WR_NONE, cases[i].delay_us >= 0);
        release(&c);
    }
    wr_buf_release(&text);
}

static void the_same_text_gives_the_same_bytes(void **state)
{
    (void)state;
    static const char text[] = STREAM
        "CREATE STREAM t;\nPATTERN p FROM s PARTITION BY k MATCH a+ -> b WITHIN 5m DEFINE a AS x > 5, b AS x > AVG(a.x) "
        "SELECT k, COUNT(a.*) AS n INTO t;\nSELECT k, window_end, SUM(d) AS n FROM TUMBLE(s, at, 1m) GROUP BY k, window_end;\n";
    struct wr_buf bytes[2] = {0};
    for (int i = 0; i < 2; i++) {
        struct compiling c;
        compile_well(&c, text);
        wr_program_encode(c.program, &bytes[i]);
        release(&c);
    }
    assert_int_equal(bytes[0].size, bytes[1].size);
    assert_memory_equal(bytes[0].data, bytes[1].data, bytes[0].size);
    wr_buf_release(&bytes[0]);
    wr_buf_release(&bytes[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_is_read_is_decoded),
        cmocka_unit_test(flows_are_as_short_as_they_can_be),
        cmocka_unit_test(statements_may_stand_in_any_order),
        cmocka_unit_test(outputs_are_named_and_typed_by_their_targets),
        cmocka_unit_test(event_time_is_followed_through_queries),
        cmocka_unit_test(watermarks_are_recognised),
        cmocka_unit_test(the_same_text_gives_the_same_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
