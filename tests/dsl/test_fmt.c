/* The canonical layout: exact for what the manual shows, stable for every form, no comment lost. */
#include "tests/dsl/support.h"

#define STREAMS                                                                                      \
    "CREATE STREAM payments (\n"                                                                     \
    "    card   STRING        KEY,\n"                                                                \
    "    amount DECIMAL(12,2) NOT NULL,\n"                                                           \
    "    at     TIMESTAMP,\n"                                                                        \
    "    WATERMARK FOR at AS at - 5s\n"                                                              \
    ") WITH (connector = 'kafka', topic = 'payments', format = 'json');\n"

static void a_pattern_is_laid_out_and_expanded_as_the_manual_shows(void **state)
{
    (void)state;
    const char *program = "create stream payments (card string key, amount decimal(12,2) not null, at "
                          "timestamp, watermark for at as at - 5s) "
                          "with (connector='kafka', topic='payments', format='json');\n\n\n"
                          "pattern card_testing from payments partition by card match small{3,}->large "
                          "within 10m define small as "
                          "status='declined', large as status='approved' and amount>5*AVG(small.amount) "
                          "select card, COUNT(small.*) as tries, "
                          "SUM(small.amount) as tried, large.amount as amount into alerts;";
    assert_layout(
        program,
        STREAMS "\n"
                "PATTERN card_testing FROM payments PARTITION BY card\n"
                "MATCH   small{3,} -> large WITHIN 10m\n"
                "DEFINE  small AS status = 'declined',\n"
                "        large AS status = 'approved' AND amount > 5 * AVG(small.amount)\n"
                "SELECT  card, COUNT(small.*) AS tries, SUM(small.amount) AS tried, large.amount AS amount\n"
                "INTO    alerts;\n",
        false);
    assert_layout(program,
                  STREAMS "\n"
                          "INSERT INTO alerts\n"
                          "SELECT card, tries, tried, amount FROM payments MATCH_RECOGNIZE (\n"
                          "    PARTITION BY card ORDER BY at\n"
                          "    MEASURES COUNT(small.*) AS tries, SUM(small.amount) AS tried, large.amount AS amount\n"
                          "    ONE ROW PER MATCH\n"
                          "    AFTER MATCH SKIP PAST LAST ROW\n"
                          "    PATTERN (small{3,} -> large) WITHIN INTERVAL '10' MINUTE\n"
                          "    DEFINE small AS status = 'declined',\n"
                          "           large AS status = 'approved' AND amount > 5 * AVG(small.amount)\n"
                          ") AS card_testing;\n", true);
}

static void comments_stay_where_they_were(void **state)
{
    (void)state;
    assert_layout(
        "-- head\n\n/* a block\n   of lines */\nset a = 1; -- behind\n\n-- own\nset b = /* inline */ "
        "2;\nselect a, -- first\n b -- second\n"
        "from s -- the stream\n-- before where\nwhere a > 1 -- one\n and b > 2; /* end */\n-- tail",
        "-- head\n\n/* a block\n   of lines */\nSET a = 1; -- behind\n\n-- own\nSET b = /* inline */ 2;\n"
        "SELECT a, -- first\n       b -- second\n"
        "FROM s -- the stream\n-- before where\nWHERE a > 1 -- one\n      AND b > 2; /* end */\n-- tail\n",
        false);
}

static void blank_lines_between_statements_are_kept_to_one(void **state)
{
    (void)state;
    assert_layout("\n\n\nset a = 1; set b = 2;\n\n\n\nset c = 3;\r\nset d = 4;",
                  "SET a = 1;\nSET b = 2;\n\nSET c = 3;\nSET d = 4;\n", false);
    assert_layout("", "", false);
    assert_layout("-- only a comment", "-- only a comment\n", false);
}

static void a_long_query_breaks_at_its_clauses(void **state)
{
    (void)state;
    assert_layout("select symbol, window_start, window_end, sum(price * volume) / sum(volume) as vwap from "
                  "tumble(trades, at, 1m) "
                  "group by symbol, window_start, window_end emit final late 30s into late_trades;",
                  "SELECT symbol, window_start, window_end, sum(price * volume) / sum(volume) AS vwap\n"
                  "FROM TUMBLE(trades, at, 1m)\n"
                  "GROUP BY symbol, window_start, window_end\n"
                  "EMIT FINAL\n"
                  "LATE 30s INTO late_trades;\n",
                  false);
    assert_layout("select a from s where x > 5;", "SELECT a FROM s WHERE x > 5;\n", false);
}

/* Formatted, formatted again, and expanded: the text is stable, no error, and no comment is lost. */
static void assert_stable(const char *program, bool expand)
{
    struct text t, again;
    text_init(&t, program, strlen(program));
    if (!wr_fmt(&t.arena, &t.diags, t.file, expand, &t.out)) wr_diags_render(&t.diags, false, &t.out);
    text_init(&again, t.out.data, t.out.size);
    if (!wr_fmt(&again.arena, &again.diags, again.file, false, &again.out))
        wr_diags_render(&again.diags, false, &again.out);
    assert_string_equal(wr_buf_cstr(&again.out), wr_buf_cstr(&t.out));
    text_end(&again);
    text_end(&t);
}

static void every_form_is_stable(void **state)
{
    (void)state;
    static const char *const programs[] = {
        "pattern p from (l, t) where x > 1 partition by (l.u, t.v) as k match ^ a->[1m..5m] b ->+ until (x > "
        "5) (c|d){2,3}? -> not e for 10m -> "
        "each distinct (k) expire 1h f {- g -} permute(h, i j) (m & n+) x?? y*+ z{,3} -> () $ within 1h30m "
        "all matches with all timeouts suppress 10m "
        "limit 5 starts per key on limit fail late into z subset u = (a, b) all rows per match with "
        "unmatched rows skip to first b define a from l as "
        "x > 1, b from t select k, a.x, count(*) filter (where y > 1) as n into out;",
        "select * from s match_recognize (partition by a order by at measures final last(a.x) as l all rows "
        "per match omit empty matches after match "
        "skip to next row pattern (a b*? | c) within interval '1' hour subset u = (a, b) define b as x > "
        "prev(x, 2)) m where l > 1;",
        "create table t (k string primary key, v int default -1, x double from '$.a.b', h string from header "
        "'h', o bigint from offset) with "
        "('a.b' = 'c', d.e = 5);",
        "with a as (select 1 from s), b as (select 2 from t) select * from a join b on a.x = b.y left join c "
        "for system_time as of a.at on c.k = a.k "
        "union all (select x from table(hop(table s, descriptor(at), interval '1' minute, interval '5' "
        "minute)) w);",
        "select case x when 1 then 'one' else 'more' end, a between 1 and 2, b not like 'x!%' escape '!', c "
        "not in (1, 2), d is not true, "
        "extract(hour from at), trim(leading 'x' from y), - -x, e::int, try_cast(f as decimal(5,2)), [1, 2], "
        "{'a': 1}, g[0].h, (i).j, :p, "
        "timestamp '2026-01-01 00:00:00', interval '1 02:00' day to minute, exists (select 1 from s), "
        "count(distinct k), sum(x) over (partition by a "
        "order by b desc nulls last range between 5m preceding and current row), f(a, zone => 'UTC'), "
        "\"select\" from s as \"from\";",
        "create function f(a int, b array<string>) returns string as case when a > 1 then b[0] end; create "
        "parameter p int default 5; include 'x.weir';"
        "insert into s select a from t emit every 5s; create view v as pattern p from s match a select a.x "
        "as x; create stream z with (a = 1) as select "
        "* from (select a from t where aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa > bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb "
        "and cccccccccccccccccccc < "
        "ddddddddddddddddddddddddd) x;"};
    for (size_t i = 0; i < WR_COUNT(programs); i++) {
        assert_stable(programs[i], false);
        assert_stable(programs[i], true);
    }
}

/* A comment between any two tokens of a program survives, once, and the layout with it is stable. */
static void a_comment_between_any_two_tokens_survives(void **state)
{
    (void)state;
    static const char *const program =
        "create stream s ( a int key , b string from '$.x' , watermark for a as a ) with ( c = 'd' , e = 5 ) "
        "; "
        "pattern p from s where x > 1 partition by k match a -> b + within 5m define a as x > 1 and y < 2 , "
        "b as f ( x ) select a . x as x , b . y as y into o ; "
        "select a , case when b then c end as d from s join t on s . k = t . k where a = 1 group by a having "
        "b > 1 ;";
    for (const char *at = program; (at = strchr(at, ' ')) != NULL; at++) {
        static const char *const comments[] = {" /* note */ ", " -- note\n", "\n-- note\n"};
        for (size_t i = 0; i < WR_COUNT(comments); i++) {
            struct wr_buf text = {0};
            wr_buf_add(&text, program, (size_t)(at - program));
            wr_buf_add_cstr(&text, comments[i]);
            wr_buf_add_cstr(&text, at + 1);
            struct text t;
            text_init(&t, text.data, text.size);
            assert_true(wr_fmt(&t.arena, &t.diags, t.file, false, &t.out));
            const char *found = strstr(wr_buf_cstr(&t.out), "note");
            assert_non_null(found);
            assert_null(strstr(found + 1, "note"));
            assert_stable(wr_buf_cstr(&t.out), false);
            text_end(&t);
            wr_buf_release(&text);
        }
    }
}

static void expressions_and_patterns_have_a_text_of_one_line(void **state)
{
    (void)state;
    struct text t;
    text_parse(&t, "pattern p from s match (a|b){2,}->c select (x+1)*2 as y;");
    const struct wr_match *match = t.tree.statement[0].query->pattern.match;
    wr_fmt_pattern(match->pattern, &t.out);
    assert_string_equal(wr_buf_cstr(&t.out), "(a | b){2,} -> c");
    wr_buf_clear(&t.out);
    wr_fmt_expr(match->measure[0].expr, &t.out);
    assert_string_equal(wr_buf_cstr(&t.out), "(x + 1) * 2");
    text_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pattern_is_laid_out_and_expanded_as_the_manual_shows),
        cmocka_unit_test(comments_stay_where_they_were),
        cmocka_unit_test(blank_lines_between_statements_are_kept_to_one),
        cmocka_unit_test(a_long_query_breaks_at_its_clauses),
        cmocka_unit_test(every_form_is_stable),
        cmocka_unit_test(a_comment_between_any_two_tokens_survives),
        cmocka_unit_test(expressions_and_patterns_have_a_text_of_one_line),
    };
    return cmocka_run_group_tests_name("fmt", tests, NULL, NULL);
}
