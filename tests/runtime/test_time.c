/* Each rule of semantics 'Time' and 'Rows, partitions, order', as a program and its lines. Times
 * are seconds since 1970: `at` 10 is 1970-01-01T00:00:10Z. */
#include "tests/runtime/harness.h"

#define STREAM(name, delay)                                                                \
    "CREATE STREAM " name " (id INT, k STRING, at TIMESTAMP, WATERMARK FOR at AS at" delay \
    ") WITH (timestamp_unit = 's');\n"

static void rows_in_order_pass_as_they_come(void **state)
{
    (void)state;
    struct run run = {
        .program = STREAM("s", "") "SELECT id, event_time FROM s;",
        .input = {{"s", "{\"id\":1,\"at\":10}\n{\"id\":2,\"at\":10}\n{\"id\":3,\"at\":11}\n"}}};
    expect(&run, "{\"id\":1,\"event_time\":\"1970-01-01T00:00:10Z\"}\n"
                 "{\"id\":2,\"event_time\":\"1970-01-01T00:00:10Z\"}\n"
                 "{\"id\":3,\"event_time\":\"1970-01-01T00:00:11Z\"}\n");
    end_run(&run);
}

static void
disorder_within_the_delay_is_put_in_order_and_ties_keep_the_order_of_records(void **state)
{
    (void)state;
    struct run run = {
        .program = STREAM("s", " - 5s") "SELECT id FROM s;",
        .input = {
            {"s",
             "{\"id\":1,\"at\":10}\n{\"id\":2,\"at\":8}\n{\"id\":3,\"at\":13}\n{\"id\":4,\"at\":10}\n"
             "{\"id\":5,\"at\":8}\n{\"id\":6,\"at\":30}\n"}}};
    expect(&run, "{\"id\":2}\n{\"id\":5}\n{\"id\":1}\n{\"id\":4}\n{\"id\":3}\n{\"id\":6}\n");
    end_run(&run);
}

static void
a_late_row_stands_where_its_partition_s_time_stood_and_keeps_its_event_time(void **state)
{
    (void)state;
    /* After 20 the watermark is 15: 14 is late and stands at 15, behind the row of 15 that came
     * before it. */
    struct run run = {
        .program = STREAM("s", " - 5s") "SELECT id, event_time FROM s;",
        .input = {
            {"s",
             "{\"id\":1,\"at\":20}\n{\"id\":2,\"at\":15}\n{\"id\":3,\"at\":14}\n{\"id\":4,\"at\":16}\n"}}};
    expect(&run, "{\"id\":2,\"event_time\":\"1970-01-01T00:00:15Z\"}\n"
                 "{\"id\":3,\"event_time\":\"1970-01-01T00:00:14Z\"}\n"
                 "{\"id\":4,\"event_time\":\"1970-01-01T00:00:16Z\"}\n"
                 "{\"id\":1,\"event_time\":\"1970-01-01T00:00:20Z\"}\n");
    end_run(&run);
}

static void a_row_at_exactly_the_watermark_is_not_late(void **state)
{
    (void)state;
    /* The pattern never takes a late row: id 2 (at 15 = watermark) is taken, id 3 (at 14) goes to
     * `tardy`. */
    struct run run = {
        .program = STREAM(
            "s",
            " - 5s") "CREATE STREAM tardy;\n"
                     "PATTERN p FROM s MATCH a LATE INTO tardy DEFINE a AS id > 0 SELECT a.id AS id;",
        .input = {{"s", "{\"id\":1,\"at\":20}\n{\"id\":2,\"at\":15}\n{\"id\":3,\"at\":14}\n"}}};
    expect(&run, "{\"p\":{\"id\":2}}\n"
                 "{\"tardy\":{\"id\":3,\"k\":null,\"at\":\"1970-01-01T00:00:14Z\"}}\n"
                 "{\"p\":{\"id\":1}}\n");
    end_run(&run);
}

static void lateness_is_decided_by_each_file_alone(void **state)
{
    (void)state;
    struct run run = {
        .program = STREAM(
            "s",
            "") "CREATE STREAM tardy;\n"
                "PATTERN p FROM s MATCH a LATE INTO tardy DEFINE a AS id > 0 SELECT a.id AS id;",
        .input = {
            {"s", "{\"id\":1,\"at\":100}\n{\"id\":2,\"at\":200}\n"},
            {"s",
             "{\"id\":3,\"at\":10}\n{\"id\":4,\"at\":150}\n{\"id\":5,\"at\":149}\n{\"id\":6,\"at\":160}\n"}}};
    expect(&run, "{\"p\":{\"id\":3}}\n{\"p\":{\"id\":1}}\n{\"p\":{\"id\":4}}\n"
                 "{\"tardy\":{\"id\":5,\"k\":null,\"at\":\"1970-01-01T00:02:29Z\"}}\n"
                 "{\"p\":{\"id\":6}}\n{\"p\":{\"id\":2}}\n");
    end_run(&run);
}

static void ties_between_files_stand_in_the_order_of_the_files(void **state)
{
    (void)state;
    struct run run = {
        .program = STREAM("s", "") "SELECT id FROM s;",
        .input = {
            {"s", "{\"id\":1,\"at\":10}\n{\"id\":2,\"at\":20}\n"},
            {"s",
             "{\"id\":3,\"at\":5}\n{\"id\":4,\"at\":10}\n{\"id\":5,\"at\":20}\n{\"id\":6,\"at\":20}\n"},
            {"s", "{\"id\":7,\"at\":10}\n"}}};
    expect(&run,
           "{\"id\":3}\n{\"id\":1}\n{\"id\":4}\n{\"id\":7}\n{\"id\":2}\n{\"id\":5}\n{\"id\":6}\n");
    end_run(&run);
}

static void ties_between_streams_stand_in_the_order_of_the_union(void **state)
{
    (void)state;
    struct run run = {
        .program = STREAM("a", "") STREAM(
            "b",
            "") "CREATE VIEW both AS SELECT id FROM b UNION ALL SELECT id FROM a;\nSELECT id FROM both;",
        .input = {{"a", "{\"id\":1,\"at\":10}\n{\"id\":2,\"at\":20}\n"},
                  {"b", "{\"id\":3,\"at\":10}\n{\"id\":4,\"at\":15}\n{\"id\":5,\"at\":20}\n"}}};
    expect(&run, "{\"id\":3}\n{\"id\":1}\n{\"id\":4}\n{\"id\":5}\n{\"id\":2}\n");
    end_run(&run);
}

static void late_rows_pass_filters_and_unions_marked_late(void **state)
{
    (void)state;
    struct run run = {
        .program = STREAM("a", "") STREAM(
            "b",
            "") "CREATE STREAM tardy;\n"
                "CREATE VIEW both AS SELECT id, at FROM a WHERE id < 100 UNION ALL SELECT id, at FROM b;\n"
                "PATTERN p FROM both MATCH x LATE INTO tardy DEFINE x AS id > 0 SELECT x.id AS id;",
        .input = {{"a", "{\"id\":1,\"at\":10}\n{\"id\":2,\"at\":9}\n{\"id\":3,\"at\":12}\n"},
                  {"b", "{\"id\":4,\"at\":10}\n{\"id\":5,\"at\":11}\n"}}};
    expect(&run, "{\"p\":{\"id\":1}}\n"
                 "{\"tardy\":{\"id\":2,\"at\":\"1970-01-01T00:00:09Z\"}}\n"
                 "{\"p\":{\"id\":4}}\n{\"p\":{\"id\":5}}\n{\"p\":{\"id\":3}}\n");
    end_run(&run);
}

static void the_watermark_is_the_greatest_value_of_its_expression(void **state)
{
    (void)state;
    /* Only rows of k = 'sync' move it; 3 comes before the first of them and 5 after. */
    struct run run = {
        .program = "CREATE STREAM s (id INT, k STRING, at TIMESTAMP, WATERMARK FOR at AS "
                   "CASE WHEN k = 'sync' THEN at ELSE at - 1h END) WITH (timestamp_unit = 's');\n"
                   "CREATE STREAM tardy;\n"
                   "PATTERN p FROM s MATCH a LATE INTO tardy DEFINE a AS id > 0 SELECT a.id AS id;",
        .input = {{"s", "{\"id\":1,\"at\":50,\"k\":\"x\"}\n{\"id\":2,\"at\":40,\"k\":\"sync\"}\n"
                        "{\"id\":3,\"at\":45,\"k\":\"x\"}\n{\"id\":4,\"at\":39,\"k\":\"x\"}\n"}}};
    expect(&run, "{\"p\":{\"id\":2}}\n"
                 "{\"tardy\":{\"id\":4,\"k\":\"x\",\"at\":\"1970-01-01T00:00:39Z\"}}\n"
                 "{\"p\":{\"id\":3}}\n{\"p\":{\"id\":1}}\n");
    end_run(&run);
}

static void a_stream_without_a_watermark_keeps_the_order_of_its_files(void **state)
{
    (void)state;
    struct run run = {
        .program = "CREATE STREAM s (id INT);\nSELECT id FROM s;",
        .input = {{"s", "{\"id\":5}\n{\"id\":1}\n"}, {"s", "{\"id\":4}\n{\"id\":2}\n"}}};
    expect(&run, "{\"id\":5}\n{\"id\":1}\n{\"id\":4}\n{\"id\":2}\n");
    end_run(&run);
}

static void files_have_no_record_times_so_nothing_is_too_far_ahead(void **state)
{
    (void)state;
    struct run run = {.program = STREAM("s", "") "SELECT id FROM s;",
                      .input = {{"s", "{\"id\":1,\"at\":10}\n{\"id\":2,\"at\":99999999999}\n"}}};
    expect(&run, "{\"id\":1}\n{\"id\":2}\n");
    end_run(&run);
}

static void a_window_takes_late_rows_until_its_end_and_refuses_them_after(void **state)
{
    (void)state;
    /* Watermark = at. Row 3 (at 5) comes at 8: late, its window is open. Row 5 (at 6) comes at 10:
     * closed. */
    struct run run = {
        .program = STREAM(
            "s",
            "") "CREATE STREAM tardy;\nCREATE STREAM w;\n"
                "INSERT INTO w SELECT window_end, COUNT(*) AS n, event_time AS t FROM TUMBLE(s, at, 10s) "
                "GROUP BY window_start, window_end LATE 0s INTO tardy;",
        .input = {
            {"s",
             "{\"id\":1,\"at\":7}\n{\"id\":2,\"at\":8}\n{\"id\":3,\"at\":5}\n{\"id\":4,\"at\":10}\n"
             "{\"id\":5,\"at\":6}\n{\"id\":6,\"at\":12}\n"}}};
    expect(
        &run,
        "{\"w\":{\"window_end\":\"1970-01-01T00:00:10Z\",\"n\":3,\"t\":\"1970-01-01T00:00:09.999999Z\"}}\n"
        "{\"tardy\":{\"id\":5,\"k\":null,\"at\":\"1970-01-01T00:00:06Z\"}}\n"
        "{\"w\":{\"window_end\":\"1970-01-01T00:00:20Z\",\"n\":2,\"t\":\"1970-01-01T00:00:19.999999Z\"}}\n");
    end_run(&run);
}

static void with_late_d_a_window_stays_open_longer(void **state)
{
    (void)state;
    struct run run = {
        .program = STREAM(
            "s", "") "CREATE STREAM tardy;\nCREATE STREAM w;\n"
                     "INSERT INTO w SELECT window_end, COUNT(*) AS n FROM TUMBLE(s, at, 10s) "
                     "GROUP BY window_start, window_end LATE 5s INTO tardy;",
        .input = {
            {"s",
             "{\"id\":1,\"at\":7}\n{\"id\":2,\"at\":14}\n{\"id\":3,\"at\":6}\n{\"id\":4,\"at\":15}\n"
             "{\"id\":5,\"at\":6}\n"}}};
    expect(&run, "{\"w\":{\"window_end\":\"1970-01-01T00:00:10Z\",\"n\":2}}\n"
                 "{\"tardy\":{\"id\":5,\"k\":null,\"at\":\"1970-01-01T00:00:06Z\"}}\n"
                 "{\"w\":{\"window_end\":\"1970-01-01T00:00:20Z\",\"n\":2}}\n");
    end_run(&run);
}

static void a_minute_s_result_falls_into_its_own_hour(void **state)
{
    (void)state;
    struct run run = {
        .program = STREAM(
            "s",
            "") "CREATE VIEW minutes AS SELECT window_end, COUNT(*) AS n, window_time AS t FROM TUMBLE(s, at, 1m) "
                "GROUP BY window_start, window_end;\n"
                "SELECT window_end, SUM(n) AS n FROM TUMBLE(minutes, event_time, 1h) GROUP BY window_start, window_end;",
        .input = {
            {"s", "{\"id\":1,\"at\":3570}\n{\"id\":2,\"at\":3599}\n{\"id\":3,\"at\":3600}\n"}}};
    expect(
        &run,
        "{\"window_end\":\"1970-01-01T01:00:00Z\",\"n\":2}\n{\"window_end\":\"1970-01-01T02:00:00Z\",\"n\":1}\n");
    end_run(&run);
}

static void a_match_has_the_time_of_its_last_row(void **state)
{
    (void)state;
    struct run run = {
        .program =
            STREAM("s", "") "CREATE STREAM m AS PATTERN p FROM s MATCH a -> b "
                            "DEFINE a AS k = 'a', b AS k = 'b' SELECT a.id AS x, b.id AS y;\n"
                            "SELECT x, y, event_time FROM m;",
        .input = {{"s", "{\"id\":1,\"k\":\"a\",\"at\":10}\n{\"id\":2,\"k\":\"b\",\"at\":25}\n"}}};
    expect(&run, "{\"x\":1,\"y\":2,\"event_time\":\"1970-01-01T00:00:25Z\"}\n");
    end_run(&run);
}

static void at_the_end_a_pattern_over_windows_sees_the_last_window(void **state)
{
    (void)state;
    struct run run = {
        .program = STREAM(
            "s",
            "") "CREATE VIEW w AS SELECT window_end, COUNT(*) AS n FROM TUMBLE(s, at, 10s) "
                "GROUP BY window_start, window_end;\n"
                "PATTERN rise FROM w MATCH a b DEFINE b AS n > a.n SELECT a.n AS earlier, b.n AS later;",
        .input = {{"s", "{\"id\":1,\"at\":1}\n{\"id\":2,\"at\":11}\n{\"id\":3,\"at\":12}\n"}}};
    expect(&run, "{\"earlier\":1,\"later\":2}\n");
    end_run(&run);
}

static void at_the_end_a_window_over_matches_counts_the_match_that_the_end_decided(void **state)
{
    (void)state;
    struct run run = {
        .program = STREAM(
            "s",
            "") "CREATE STREAM m AS PATTERN p FROM s MATCH a+ DEFINE a AS k = 'a' SELECT COUNT(a.*) AS n;\n"
                "SELECT window_end, COUNT(*) AS matches, SUM(n) AS n FROM TUMBLE(m, event_time, 10s) "
                "GROUP BY window_start, window_end;",
        .input = {{"s", "{\"id\":1,\"k\":\"a\",\"at\":1}\n{\"id\":2,\"k\":\"b\",\"at\":2}\n"
                        "{\"id\":3,\"k\":\"a\",\"at\":3}\n{\"id\":4,\"k\":\"a\",\"at\":4}\n"}}};
    expect(&run, "{\"window_end\":\"1970-01-01T00:00:10Z\",\"matches\":2,\"n\":3}\n");
    end_run(&run);
}

static void outputs_that_share_standard_output_are_merged_by_place(void **state)
{
    (void)state;
    /* One row decides both: the position in the program counts; the match whose first row is
     * earlier stands first. */
    struct run run = {
        .program = STREAM(
            "s",
            "") "PATTERN later FROM s MATCH b c DEFINE b AS k = 'b', c AS k = 'c' SELECT b.id AS id;\n"
                "PATTERN longer FROM s MATCH a b c DEFINE a AS k = 'a', b AS k = 'b', c AS k = 'c' SELECT a.id AS id;\n"
                "SELECT id FROM s WHERE k = 'c';\n"
                "CREATE STREAM w;\nINSERT INTO w SELECT COUNT(*) AS n FROM TUMBLE(s, at, 10s) "
                "GROUP BY window_start, window_end;",
        .input = {{"s", "{\"id\":1,\"k\":\"a\",\"at\":1}\n{\"id\":2,\"k\":\"b\",\"at\":2}\n"
                        "{\"id\":3,\"k\":\"c\",\"at\":10}\n{\"id\":4,\"k\":\"c\",\"at\":11}\n"}}};
    expect(
        &run,
        "{\"w\":{\"n\":2}}\n{\"longer\":{\"id\":1}}\n{\"later\":{\"id\":2}}\n{\"select_1\":{\"id\":3}}\n"
        "{\"select_1\":{\"id\":4}}\n{\"w\":{\"n\":2}}\n");
    end_run(&run);
}

static void several_queries_may_feed_one_stream_in_order_of_place(void **state)
{
    (void)state;
    struct run run = {
        .program = STREAM("s", "") "CREATE STREAM o;\n"
                                   "INSERT INTO o SELECT id, 'second' AS q FROM s WHERE id > 1;\n"
                                   "INSERT INTO o SELECT id, 'first' AS q FROM s WHERE id < 3;",
        .input = {{"s", "{\"id\":1,\"at\":1}\n{\"id\":2,\"at\":2}\n{\"id\":3,\"at\":3}\n"}}};
    expect(
        &run,
        "{\"id\":1,\"q\":\"first\"}\n{\"id\":2,\"q\":\"second\"}\n{\"id\":2,\"q\":\"first\"}\n{\"id\":3,\"q\":\"second\"}\n");
    end_run(&run);
}

static void in_dialect_flink_a_row_exactly_at_the_watermark_is_late(void **state)
{
    (void)state;
    struct run run = {
        .program = "SET dialect = 'flink';\n" STREAM(
            "s",
            " - 5s") "CREATE STREAM tardy;\n"
                     "PATTERN p FROM s MATCH a LATE INTO tardy DEFINE a AS id > 0 SELECT a.id AS id;",
        .input = {{"s", "{\"id\":1,\"at\":20}\n{\"id\":2,\"at\":15}\n{\"id\":3,\"at\":16}\n"}}};
    expect(&run, "{\"tardy\":{\"id\":2,\"k\":null,\"at\":\"1970-01-01T00:00:15Z\"}}\n"
                 "{\"p\":{\"id\":3}}\n{\"p\":{\"id\":1}}\n");
    end_run(&run);
}

static void columns_from_the_record_s_position_name_file_and_record(void **state)
{
    (void)state;
    struct run run = {
        .program =
            "CREATE STREAM s (at TIMESTAMP, o BIGINT FROM OFFSET, p INT FROM PARTITION, WATERMARK FOR at AS at) "
            "WITH (timestamp_unit = 's');\nSELECT p, o FROM s;",
        .input = {{"s", "{\"at\":1}\n{\"at\":3}\n"}, {"s", "{\"at\":2}\n"}}};
    expect(&run, "{\"p\":0,\"o\":0}\n{\"p\":1,\"o\":0}\n{\"p\":0,\"o\":1}\n");
    end_run(&run);
}

static void an_empty_input_gives_nothing(void **state)
{
    (void)state;
    struct run run = {
        .program = STREAM("a", "") STREAM(
            "b",
            "") "CREATE VIEW both AS SELECT id FROM a UNION ALL SELECT id FROM b;\nSELECT id FROM both;",
        .input = {{"a", ""}, {"b", ""}}};
    expect(&run, "");
    run.input[1].lines = "{\"id\":1,\"at\":1}\n";
    expect(&run, "{\"id\":1}\n");
    end_run(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_in_order_pass_as_they_come),
        cmocka_unit_test(
            disorder_within_the_delay_is_put_in_order_and_ties_keep_the_order_of_records),
        cmocka_unit_test(
            a_late_row_stands_where_its_partition_s_time_stood_and_keeps_its_event_time),
        cmocka_unit_test(a_row_at_exactly_the_watermark_is_not_late),
        cmocka_unit_test(lateness_is_decided_by_each_file_alone),
        cmocka_unit_test(ties_between_files_stand_in_the_order_of_the_files),
        cmocka_unit_test(ties_between_streams_stand_in_the_order_of_the_union),
        cmocka_unit_test(late_rows_pass_filters_and_unions_marked_late),
        cmocka_unit_test(the_watermark_is_the_greatest_value_of_its_expression),
        cmocka_unit_test(a_stream_without_a_watermark_keeps_the_order_of_its_files),
        cmocka_unit_test(files_have_no_record_times_so_nothing_is_too_far_ahead),
        cmocka_unit_test(a_window_takes_late_rows_until_its_end_and_refuses_them_after),
        cmocka_unit_test(with_late_d_a_window_stays_open_longer),
        cmocka_unit_test(a_minute_s_result_falls_into_its_own_hour),
        cmocka_unit_test(a_match_has_the_time_of_its_last_row),
        cmocka_unit_test(at_the_end_a_pattern_over_windows_sees_the_last_window),
        cmocka_unit_test(at_the_end_a_window_over_matches_counts_the_match_that_the_end_decided),
        cmocka_unit_test(outputs_that_share_standard_output_are_merged_by_place),
        cmocka_unit_test(several_queries_may_feed_one_stream_in_order_of_place),
        cmocka_unit_test(in_dialect_flink_a_row_exactly_at_the_watermark_is_late),
        cmocka_unit_test(columns_from_the_record_s_position_name_file_and_record),
        cmocka_unit_test(an_empty_input_gives_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
