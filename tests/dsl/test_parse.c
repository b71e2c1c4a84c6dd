/* Each form of the language parses; nesting, size and includes have their bounds. */
#include "tests/dsl/support.h"

#include "dsl/grammar.h"

static void assert_parses(const char *program)
{
    struct text t;
    text_parse(&t, program);
    assert_string_equal(wr_buf_cstr(&t.out), "");
    assert_true(t.tree.count > 0);
    text_end(&t);
}

static void every_form_of_a_row_pattern_parses(void **state)
{
    (void)state;
    static const char *const patterns[] = {"a b",
                                           "a -> b",
                                           "a ->> b",
                                           "a ->[1m..5m] b",
                                           "a ->[..5m] b",
                                           "a ->[1m..] b",
                                           "a ->[:lo..:hi] b",
                                           "a | b | c",
                                           "(a b) c",
                                           "()",
                                           "a (b | ()) c",
                                           "x?",
                                           "x*",
                                           "x+",
                                           "x{2}",
                                           "x{2,}",
                                           "x{,3}",
                                           "x{2,3}",
                                           "x??",
                                           "x*?",
                                           "x+?",
                                           "x{2,}?",
                                           "x?+",
                                           "x*+",
                                           "x++",
                                           "x{2,}+",
                                           "(x+)?",
                                           "x->+",
                                           "x->{2,5}",
                                           "x->>*",
                                           "x ->[..5s]{2,3}",
                                           "a -> NOT b -> c",
                                           "a NOT b c",
                                           "a -> NOT b FOR 10m",
                                           "a -> NOT b FOR 10m -> c",
                                           "NOT b FOR 10m -> c",
                                           "a -> (NOT a FOR 60s)->+",
                                           "a -> NOT b",
                                           "x->+ UNTIL (x.v > 5)",
                                           "x->+ UNTIL (x.v > 5) -> y",
                                           "EACH DISTINCT (k) EXPIRE 1h x -> y",
                                           "EACH DISTINCT (k) EXPIRE INTERVAL '1' HOUR (a b) c",
                                           "(a & b & c)",
                                           "(a & b{2}) -> d",
                                           "PERMUTE(a, b c, d+)",
                                           "{- x -} y",
                                           "^ a b $",
                                           "small{3,} -> large",
                                           "a -> (b | c)",
                                           "a b? -> c",
                                           "((a -> b) | (c ->> d)){2,} e"};
    for (size_t i = 0; i < WR_COUNT(patterns); i++) {
        struct wr_buf program = {0};
        wr_buf_printf(&program, "PATTERN p FROM s MATCH %s WITHIN 1h SELECT a.v AS v;", patterns[i]);
        assert_parses(wr_buf_cstr(&program));
        wr_buf_clear(&program);
        wr_buf_printf(
            &program,
            "SELECT v FROM s MATCH_RECOGNIZE (ORDER BY at MEASURES a.v AS v PATTERN (%s) WITHIN 1h);",
            patterns[i]);
        assert_parses(wr_buf_cstr(&program));
        wr_buf_release(&program);
    }
}

static void statements_queries_and_expressions_parse(void **state)
{
    (void)state;
    static const char *const programs[] = {
        "CREATE STREAM s (a INT, b DECIMAL(12,2) FROM '$.x.y' NOT NULL DEFAULT -1.5, c STRING FROM KEY, d "
        "STRING FROM HEADER 'h', "
        "e BIGINT FROM OFFSET, f INT FROM PARTITION, at TIMESTAMP FROM TIMESTAMP, g ARRAY<MAP<STRING, ROW<a "
        "INT, b JSON>>>, "
        "h STRING AS UPPER(c), k STRING KEY, WATERMARK FOR at AS at - 5s) WITH (connector = 'kafka', 'a.b' = "
        "1, a.c = TRUE);",
        "CREATE STREAM s;",
        "CREATE STREAM s () WITH ();",
        "CREATE STREAM s WITH (a = 'b') AS SELECT x FROM t;",
        "CREATE TABLE t (k STRING, v INT, PRIMARY KEY (k, v));",
        "CREATE TABLE t AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;",
        "CREATE VIEW v AS SELECT * FROM s;",
        "CREATE STREAM s AS PATTERN p FROM t MATCH a SELECT a.x AS x;",
        "INSERT INTO s SELECT x FROM t;",
        "CREATE FUNCTION f(a INT, b STRING) RETURNS STRING AS b || 'x';",
        "CREATE FUNCTION f() RETURNS INT AS 5;",
        "CREATE PARAMETER p DECIMAL(12,2) DEFAULT 300;",
        "CREATE PARAMETER p STRING;",
        "SET key_ttl = '7d';",
        "SET a.b = 5;",
        "SELECT 1",
        "SELECT x FROM s;;;",
        "SELECT DISTINCT a, t.*, b c, d AS \"e f\" FROM s AS t WHERE a > 1 GROUP BY a, b HAVING COUNT(*) > 1 "
        "ORDER BY a DESC NULLS LAST LIMIT 5;",
        "SELECT a FROM TUMBLE(s, at, 1m) GROUP BY a EMIT FINAL LATE 30s INTO l;",
        "SELECT a FROM HOP(s, at, 1m, 5m) EMIT CHANGES LATE INTO l;",
        "SELECT a FROM TABLE(TUMBLE(TABLE s, DESCRIPTOR(at), INTERVAL '1' MINUTE)) EMIT EVERY 5s;",
        "SELECT a FROM TABLE(HOP(DATA => TABLE s, TIMECOL => DESCRIPTOR(at), SLIDE => INTERVAL '5' MINUTES, "
        "SIZE => INTERVAL '10' MINUTES));",
        "SELECT a FROM CUMULATE(s, at, 1m, 1h);",
        "SELECT a FROM ROWS(s, 10, 5) AS w;",
        "SELECT a FROM TUMBLE((SELECT * FROM s), at, 1d, zone => 'Europe/Berlin');",
        "SELECT a FROM (SELECT b FROM s) AS x;",
        "SELECT a FROM ((SELECT b FROM s) UNION ALL (SELECT c FROM t)) x;",
        "(SELECT a FROM s) UNION ALL (SELECT b FROM t);",
        "WITH x AS (SELECT a FROM s), y AS (SELECT b FROM x) SELECT b FROM y UNION ALL SELECT a FROM x;",
        "SELECT o.a FROM orders o JOIN rates FOR SYSTEM_TIME AS OF o.at r ON o.k = r.k LEFT OUTER JOIN c ON "
        "c.k = o.k CROSS JOIN d;",
        "SELECT a FROM 'payments.jsonl';",
        "SELECT a FROM (x, y) MATCH_RECOGNIZE (PATTERN (a)) t;",
        "SELECT * FROM s MATCH_RECOGNIZE (PARTITION BY a, b ORDER BY at MEASURES FINAL LAST(a.x) AS l, "
        "RUNNING COUNT(a.*) AS n "
        "ALL ROWS PER MATCH WITH UNMATCHED ROWS AFTER MATCH SKIP TO LAST u PATTERN (a b+) WITHIN INTERVAL "
        "'1' HOUR SUBSET u = (a, b), w = (b) "
        "DEFINE b AS x > PREV(x, 2) AND CLASSIFIER(u) = 'B') AS m;",
        "PATTERN p FROM (l, t) WHERE x > 1 PARTITION BY (l.u, t.v) AS k MATCH a -> b WITHIN 5m ALL MATCHES "
        "AFTER MATCH SKIP TO NEXT ROW "
        "WITH ALL TIMEOUTS SUPPRESS 10m LIMIT 100 STARTS PER KEY ON LIMIT DROP NEW LATE INTO z SUBSET u = "
        "(a, b) ALL ROWS PER MATCH "
        "OMIT EMPTY MATCHES DEFINE a FROM l AS x > 1, b FROM t SELECT a.x AS x INTO out;",
        "PATTERN p FROM s MATCH a ONE ROW PER MATCH ONE MATCH SKIP PAST LAST ROW WITH TIMEOUTS LIMIT 5 "
        "STARTS PER KEY DEFINE a AS TRUE SELECT a.x;"};
    for (size_t i = 0; i < WR_COUNT(programs); i++)
        assert_parses(programs[i]);
    static const char *const exprs[] = {"a + b * -c / d % e - f || g",
                                        "NOT a AND b OR c",
                                        "a NOT BETWEEN 1 AND 2 AND b BETWEEN c AND d",
                                        "a NOT IN (1, 2) OR b IN ('x')",
                                        "a LIKE 'x!%' ESCAPE '!'",
                                        "a NOT LIKE b",
                                        "a REGEXP '^x' AND b NOT REGEXP 'y'",
                                        "a IS NULL",
                                        "a IS NOT NULL IS TRUE",
                                        "a IS UNKNOWN",
                                        "a IS DISTINCT FROM b",
                                        "a IS NOT DISTINCT FROM b",
                                        "CASE WHEN a THEN b WHEN c THEN d ELSE e END",
                                        "CASE a WHEN 1 THEN 'x' END",
                                        "CAST(a AS DECIMAL(12,2))",
                                        "TRY_CAST(a AS INT)",
                                        "a::INT::STRING",
                                        "-a::INT",
                                        "EXTRACT(HOUR FROM at)",
                                        "SUBSTRING(a FROM 1 FOR 2)",
                                        "SUBSTRING(a FROM 2)",
                                        "SUBSTRING(a, 1, 2)",
                                        "TRIM(a)",
                                        "TRIM(LEADING 'x' FROM a)",
                                        "TRIM(TRAILING FROM a)",
                                        "TRIM(BOTH 'x' FROM a)",
                                        "TRIM('x' FROM a)",
                                        "POSITION('a' IN b)",
                                        "POSITION('a', b)",
                                        "DATE '2026-01-01'",
                                        "TIME '12:00:00'",
                                        "TIMESTAMP '2026-01-01 00:00:00'",
                                        "INTERVAL '10' MINUTE",
                                        "INTERVAL '1 02:30:00.5' DAY TO SECOND",
                                        "INTERVAL '-90' SECONDS",
                                        "INTERVAL '01:30' HOUR TO MINUTE",
                                        "10m",
                                        "[1, 2]",
                                        "[]",
                                        "{'a': 1, 'b': x}",
                                        "{}",
                                        "a[0].b[1]",
                                        "(a).b",
                                        "f(a).b",
                                        "limits[card].max",
                                        ":p",
                                        "COUNT(*)",
                                        "COUNT(v.*)",
                                        "COUNT(DISTINCT a)",
                                        "SUM(ALL a)",
                                        "SUM(a) FILTER (WHERE b > 1)",
                                        "STRING_AGG(a ORDER BY b DESC)",
                                        "ROW_NUMBER() OVER (PARTITION BY a ORDER BY b) <= 3",
                                        "SUM(a) OVER (ORDER BY b RANGE BETWEEN 5m PRECEDING AND CURRENT ROW)",
                                        "SUM(a) OVER (ROWS 5 PRECEDING)",
                                        "f(a, zone => 'x')",
                                        "EXISTS (SELECT 1 FROM s)",
                                        "a IN (SELECT b FROM s)",
                                        "(SELECT 1)",
                                        "date",
                                        "final",
                                        "final + running",
                                        "interval",
                                        "interval.x",
                                        "left + right"};
    for (size_t i = 0; i < WR_COUNT(exprs); i++) {
        struct text t;
        text_init(&t, exprs[i], strlen(exprs[i]));
        struct wr_expr *expr = wr_parse_expr(&t.arena, &t.diags, t.file);
        wr_diags_render(&t.diags, false, &t.out);
        assert_string_equal(wr_buf_cstr(&t.out), "");
        assert_non_null(expr);
        text_end(&t);
    }
}

/* The words that language.md promises to leave free, and every other that the grammar has no need to reserve. */
static void words_that_are_not_reserved_are_names(void **state)
{
    (void)state;
    static const char *const promised[] = {"at",        "start",  "end",   "day",    "time",
                                           "key",       "status", "value", "offset", "partition",
                                           "timestamp", "type",   "name"};
    struct wr_buf program = {0};
    for (size_t i = 0; i < WR_COUNT(promised); i++) {
        const char *w = promised[i];
        wr_buf_clear(&program);
        wr_buf_printf(&program,
                      "CREATE STREAM %s (%s INT, x TIMESTAMP, WATERMARK FOR x AS x); CREATE VIEW v AS SELECT "
                      "%s, t.%s AS %s, %s + 1 AS y "
                      "FROM %s AS t WHERE %s > 1 GROUP BY %s; PATTERN %s FROM %s PARTITION BY %s MATCH %s -> "
                      "b DEFINE %s AS %s = 1 "
                      "SELECT %s.%s AS %s INTO %s;",
                      w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w);
        assert_parses(wr_buf_cstr(&program));
    }
    for (int kind = TOK_WITHIN + 1; kind <= TOK_WATERMARK; kind++) {
        const char *w = wr_token_name(kind);
        wr_buf_clear(&program);
        wr_buf_printf(&program,
                      "CREATE STREAM s (a INT, %s INT); SELECT %s, a.%s AS %s, -%s FROM s WHERE %s = 1 AND "
                      "%s IS NULL GROUP BY %s;",
                      w, w, w, w, w, w, w, w);
        assert_parses(wr_buf_cstr(&program));
    }
    wr_buf_release(&program);
}

static void a_thousand_parentheses_parse_and_a_bomb_ends_with_an_error(void **state)
{
    (void)state;
    for (int n = 1000; n <= 100000; n *= 100) {
        struct wr_buf program = {0};
        wr_buf_add_cstr(&program, "SELECT ");
        for (int i = 0; i < n; i++) wr_buf_add_char(&program, '(');
        wr_buf_add_char(&program, '1');
        for (int i = 0; i < n; i++) wr_buf_add_char(&program, ')');
        wr_buf_add_cstr(&program, " AS x FROM s; SELECT y FROM s;");
        struct text t;
        text_parse(&t, wr_buf_cstr(&program));
        assert_int_equal(t.tree.count, n == 1000 ? 2 : 1);
        assert_int_equal(t.diags.error_count, n == 1000 ? 0 : 1);
        if (n != 1000) assert_int_equal(t.diags.at[0].code, WR_DIAG_W0202);
        text_end(&t);
        wr_buf_release(&program);
    }
}

static void a_chain_too_long_to_walk_is_one_error(void **state)
{
    (void)state;
    struct wr_buf program = {0};
    wr_buf_add_cstr(&program, "SELECT a");
    for (int i = 0; i < 20000; i++) wr_buf_add_cstr(&program, " + 1");
    wr_buf_add_cstr(&program, " AS x FROM s;");
    struct text t;
    text_parse(&t, wr_buf_cstr(&program));
    assert_int_equal(t.diags.error_count, 1);
    assert_int_equal(t.diags.at[0].code, WR_DIAG_W0202);
    text_end(&t);
    wr_buf_release(&program);
}

static void ten_megabytes_parse(void **state)
{
    (void)state;
    struct wr_buf program = {0};
    uint32_t statements = 0;
    for (; program.size < 10000000; statements++)
        wr_buf_printf(
            &program,
            "SELECT a%u, SUM(b) AS n FROM TUMBLE(s, at, 1m) WHERE x > %u AND k IN ('a', 'b') GROUP BY a%u;\n",
            statements, statements, statements);
    struct text t;
    text_parse(&t, wr_buf_cstr(&program));
    assert_int_equal(t.diags.error_count, 0);
    assert_int_equal(t.tree.count, statements);
    text_end(&t);
    wr_buf_release(&program);
}

/* Files "0" to "40", each including the next; "a" and "b" include each other; "twice" includes "leaf" twice. */
static bool include(void *context, struct wr_arena *arena, struct wr_slice from, struct wr_slice name,
                    struct wr_slice *full_name, struct wr_slice *text, struct wr_slice *why) {
    (void)context;
    (void)from;
    *full_name = name;
    if (wr_slice_equal(name, WR_SLICE("a"))) *text = WR_SLICE("INCLUDE 'b';");
    else if (wr_slice_equal(name, WR_SLICE("b"))) *text = WR_SLICE("INCLUDE 'a';");
    else if (wr_slice_equal(name, WR_SLICE("leaf"))) *text = WR_SLICE("SET x = 1;");
    else if (wr_slice_equal(name, WR_SLICE("twice"))) *text = WR_SLICE("INCLUDE 'leaf'; SET y = 2; INCLUDE 'leaf';");
    else if (name.data[0] >= '0' && name.data[0] <= '9')
        *text = wr_arena_printf(
            arena, "INCLUDE '%d';",
            (name.size == 1 ? name.data[0] - '0' : (name.data[0] - '0') * 10 + name.data[1] - '0') + 1);
    else {
        *why = WR_SLICE("no such file");
        return false;
    }
    return true;
}

static void assert_include(const char *program, uint32_t statements, int code)
{
    struct text t;
    text_init(&t, program, strlen(program));
    t.tree = wr_parse(&t.arena, &t.diags, t.file, include, NULL);
    assert_int_equal(t.tree.count, statements);
    assert_int_equal(t.diags.error_count, code >= 0);
    if (code >= 0) assert_int_equal(t.diags.at[0].code, code);
    text_end(&t);
}

static void included_files_stand_in_place_of_their_statement(void **state)
{
    (void)state;
    assert_include("SET a = 1; INCLUDE 'twice'; SET b = 2;", 4, -1);
    assert_include("INCLUDE 'a';", 0, WR_DIAG_W0211);
    assert_include("INCLUDE 't.weir';", 0, WR_DIAG_W0210);
    assert_include("INCLUDE '0';", 0, WR_DIAG_W0212);
    struct text t;
    text_parse(&t, "INCLUDE 'x';");
    assert_int_equal(t.diags.at[0].code, WR_DIAG_W0212);
    text_end(&t);
}

static void an_empty_text_is_an_empty_program(void **state)
{
    (void)state;
    static const char *const empty[] = {"", " \n", "-- nothing", "/* */", ";", "\xef\xbb\xbf"};
    for (size_t i = 0; i < WR_COUNT(empty); i++) {
        struct text t;
        text_parse(&t, empty[i]);
        assert_int_equal(t.tree.count, 0);
        assert_int_equal(t.diags.error_count, 0);
        text_end(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_a_row_pattern_parses),
        cmocka_unit_test(statements_queries_and_expressions_parse),
        cmocka_unit_test(words_that_are_not_reserved_are_names),
        cmocka_unit_test(a_thousand_parentheses_parse_and_a_bomb_ends_with_an_error),
        cmocka_unit_test(a_chain_too_long_to_walk_is_one_error),
        cmocka_unit_test(ten_megabytes_parse),
        cmocka_unit_test(included_files_stand_in_place_of_their_statement),
        cmocka_unit_test(an_empty_text_is_an_empty_program),
    };
    return cmocka_run_group_tests_name("parse", tests, NULL, NULL);
}
