/* Bad records and bad rows: what is dropped, by which query, how it is counted, and when it ends
 * the run. */
#include "tests/runtime/harness.h"

#define STREAM(more)                                    \
    "CREATE STREAM s (id INT, x INT, at TIMESTAMP" more \
    ", WATERMARK FOR at AS at) WITH (timestamp_unit = 's');\n"

static void has(const struct wr_buf *text, const char *part)
{
    if (!strstr(text->data, part)) fail_msg("'%s' is not in: %s", part, text->data);
}

static void a_bad_record_is_passed_over_and_counted_with_its_place(void **state)
{
    (void)state;
    struct run run = {
        .program = STREAM("") "SELECT id FROM s;",
        .input = {
            {"s",
             "{\"id\":1,\"at\":1}\nnonsense\n{\"id\":3,\"at\":3}\n{\"id\":\"x\",\"at\":4}\n"}}};
    expect(&run, "{\"id\":1}\n{\"id\":3}\n");
    has(&run.summary,
        "{\"name\":\"s\",\"read\":4,\"bad_record\":2,\"bad_row\":0,\"late\":0,\"other\":0}");
    has(&run.summary, "\"totals\":{\"bad_record\":2,\"bad_row\":0,\"late\":0,\"other\":0}");
    has(&run.summary, ".jsonl:2\"");
    has(&run.log, "dropped by s: ");
    has(&run.log, "nonsense");
    end_run(&run);
}

static void a_record_without_its_event_time_is_bad(void **state)
{
    (void)state;
    struct run run = {
        .program = STREAM("") "SELECT id FROM s;",
        .input = {
            {"s",
             "{\"id\":1,\"at\":1}\n{\"id\":2}\n{\"id\":3,\"at\":null}\n{\"id\":4,\"at\":4}\n"}}};
    expect(&run, "{\"id\":1}\n{\"id\":4}\n");
    has(&run.summary, "\"totals\":{\"bad_record\":2,");
    has(&run.summary, "\"code\":\"W3104\"");
    has(&run.summary, "\"what\":\"at\"");
    end_run(&run);
}

static void a_computed_column_may_be_the_event_time_and_its_errors_are_bad_records(void **state)
{
    (void)state;
    struct run run = {
        .program = "CREATE STREAM s (id INT, t STRING, at TIMESTAMP AS CAST(t AS TIMESTAMP), "
                   "WATERMARK FOR at AS at);\nSELECT id, event_time FROM s;",
        .input = {
            {"s",
             "{\"id\":1,\"t\":\"2026-01-01T00:00:00Z\"}\n{\"id\":2,\"t\":\"yesterday\"}\n{\"id\":3}\n"
             "{\"id\":4,\"t\":\"2026-01-01 00:00:01\"}\n"}}};
    expect(
        &run,
        "{\"id\":1,\"event_time\":\"2026-01-01T00:00:00Z\"}\n{\"id\":4,\"event_time\":\"2026-01-01T00:00:01Z\"}\n");
    has(&run.summary, "\"totals\":{\"bad_record\":2,");
    end_run(&run);
}

static void a_computed_column_that_is_not_null_makes_the_record_bad(void **state)
{
    (void)state;
    struct run run = {
        .program = STREAM(", y INT NOT NULL AS x + 1") "SELECT id, y FROM s;",
        .input = {
            {"s",
             "{\"id\":1,\"x\":1,\"at\":1}\n{\"id\":2,\"at\":2}\n{\"id\":3,\"x\":2147483647,\"at\":3}\n"}}};
    expect(&run, "{\"id\":1,\"y\":2}\n");
    has(&run.summary, "\"totals\":{\"bad_record\":2,\"bad_row\":0,");
    end_run(&run);
}

static void an_error_in_a_watermark_makes_the_record_bad(void **state)
{
    (void)state;
    struct run run = {
        .program =
            "CREATE STREAM s (id INT, x INT, at TIMESTAMP, WATERMARK FOR at AS at - x / x * 1s) "
            "WITH (timestamp_unit = 's');\nSELECT id FROM s;",
        .input = {
            {"s",
             "{\"id\":1,\"x\":1,\"at\":1}\n{\"id\":2,\"x\":0,\"at\":2}\n{\"id\":3,\"x\":2,\"at\":3}\n"}}};
    expect(&run, "{\"id\":1}\n{\"id\":3}\n");
    has(&run.summary, "\"totals\":{\"bad_record\":1,\"bad_row\":0,");
    has(&run.summary, "\"what\":\"WATERMARK\"");
    end_run(&run);
}

static void an_error_value_drops_the_row_only_for_the_query_that_reads_it(void **state)
{
    (void)state;
    struct run run = {
        .program = STREAM(", y INT AS 10 / x") "SELECT id FROM s;\nSELECT id, y FROM s;",
        .input = {
            {"s",
             "{\"id\":1,\"x\":5,\"at\":1}\n{\"id\":2,\"x\":0,\"at\":2}\n{\"id\":3,\"x\":2,\"at\":3}\n"}}};
    expect(
        &run,
        "{\"select_1\":{\"id\":1}}\n{\"select_2\":{\"id\":1,\"y\":2}}\n{\"select_1\":{\"id\":2}}\n"
        "{\"select_1\":{\"id\":3}}\n{\"select_2\":{\"id\":3,\"y\":5}}\n");
    has(&run.summary, "\"totals\":{\"bad_record\":0,\"bad_row\":1,");
    has(&run.summary,
        "{\"query\":\"select_2\",\"kind\":\"bad_row\",\"reason\":\"division by zero\"");
    has(&run.summary, ", record 2\"");
    end_run(&run);
}

static void a_condition_that_is_decided_without_the_error_discards_it(void **state)
{
    (void)state;
    struct run run = {
        .program = STREAM("") "SELECT id FROM s WHERE 10 / x > 1 AND id < 10;",
        .input = {
            {"s",
             "{\"id\":1,\"x\":5,\"at\":1}\n{\"id\":20,\"x\":0,\"at\":2}\n{\"id\":3,\"x\":0,\"at\":3}\n"
             "{\"id\":4,\"x\":20,\"at\":3}\n"}}};
    expect(&run, "{\"id\":1}\n");
    has(&run.summary, "\"totals\":{\"bad_record\":0,\"bad_row\":1,");
    has(&run.summary, "\"what\":\"WHERE\"");
    end_run(&run);
}

static void rows_that_where_drops_cannot_fail_in_the_select_list(void **state)
{
    (void)state;
    struct run run = {
        .program = STREAM("") "SELECT 10 / x AS y FROM s WHERE x <> 0;",
        .input = {{"s", "{\"id\":1,\"x\":5,\"at\":1}\n{\"id\":2,\"x\":0,\"at\":2}\n"}}};
    expect(&run, "{\"y\":2}\n");
    has(&run.summary, "\"totals\":{\"bad_record\":0,\"bad_row\":0,");
    end_run(&run);
}

static void one_row_counts_once_for_a_query_however_many_columns_fail(void **state)
{
    (void)state;
    struct run run = {
        .program = STREAM("") "SELECT 10 / x AS y, 20 / x AS z FROM s;",
        .input = {{"s", "{\"id\":1,\"x\":0,\"at\":1}\n{\"id\":2,\"x\":2,\"at\":2}\n"}}};
    expect(&run, "{\"y\":5,\"z\":10}\n");
    has(&run.summary, "\"totals\":{\"bad_record\":0,\"bad_row\":1,");
    has(&run.summary, "\"what\":\"y\"");
    end_run(&run);
}

static void past_the_budget_the_run_ends_with_bad_input(void **state)
{
    (void)state;
    struct run run = {
        .program = STREAM("") "SELECT 10 / x AS y FROM s;",
        .input = {
            {"s",
             "{\"id\":1,\"x\":1,\"at\":1}\nnonsense\n{\"id\":2,\"x\":0,\"at\":2}\n{\"id\":3,\"x\":1,\"at\":3}\n"}}};
    run.errors_max = 2;
    expect(&run, "{\"y\":10}\n{\"y\":10}\n");
    run.errors_max = 1;
    run_once(&run, 1024, 0);
    assert_int_equal(run.status, WEIR_E_INPUT);
    assert_non_null(strstr(run.message, "more than 1 bad"));
    end_run(&run);
    struct run set = {.program = "SET max_errors = 0;\n" STREAM("") "SELECT id FROM s;",
                      .input = {{"s", "{\"id\":1,\"at\":1}\nnonsense\n{\"id\":3,\"at\":3}\n"}}};
    run_once(&set, 1024, 0);
    assert_int_equal(set.status, WEIR_E_INPUT);
    assert_string_equal(set.output.data, "{\"id\":1}\n");
    end_run(&set);
}

static void with_on_error_stop_the_first_one_ends_the_run_after_what_came_before(void **state)
{
    (void)state;
    struct run run = {
        .program = "CREATE STREAM s (id INT, at TIMESTAMP, WATERMARK FOR at AS at) "
                   "WITH (timestamp_unit = 's', on_error = 'stop');\nSELECT id FROM s;",
        .input = {
            {"s", "{\"id\":1,\"at\":1}\n{\"id\":2,\"at\":2}\nnonsense\n{\"id\":3,\"at\":3}\n"}}};
    run_once(&run, 1024, 0);
    assert_int_equal(run.status, WEIR_E_INPUT);
    assert_string_equal(run.output.data, "{\"id\":1}\n{\"id\":2}\n");
    assert_non_null(strstr(run.message, "on_error = 'stop'"));
    assert_non_null(strstr(run.message, ":3"));
    end_run(&run);
}

static void late_rows_do_not_count_against_the_budget(void **state)
{
    (void)state;
    struct run run = {
        .program = "SET max_errors = 0;\n" STREAM(
            "") "PATTERN p FROM s MATCH a DEFINE a AS id > 0 SELECT a.id AS id;",
        .input = {{"s", "{\"id\":1,\"at\":10}\n{\"id\":2,\"at\":5}\n{\"id\":3,\"at\":11}\n"}}};
    expect(&run, "{\"id\":1}\n{\"id\":3}\n");
    has(&run.summary, "\"totals\":{\"bad_record\":0,\"bad_row\":0,\"late\":1,");
    has(&run.summary, "{\"query\":\"p\",\"kind\":\"late\"");
    end_run(&run);
}

static void the_table_is_shown_when_nothing_was_dropped(void **state)
{
    (void)state;
    struct run run = {.program = STREAM("") "SELECT id FROM s;", .input = {{"s", ""}}};
    expect(&run, "");
    has(&run.summary,
        "{\"version\":1,\"queries\":[{\"name\":\"s\",\"read\":0,\"bad_record\":0,\"bad_row\":0,\"late\":0,\"other\":0}");
    has(&run.summary, "\"dropped\":[]");
    end_run(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bad_record_is_passed_over_and_counted_with_its_place),
        cmocka_unit_test(a_record_without_its_event_time_is_bad),
        cmocka_unit_test(a_computed_column_may_be_the_event_time_and_its_errors_are_bad_records),
        cmocka_unit_test(a_computed_column_that_is_not_null_makes_the_record_bad),
        cmocka_unit_test(an_error_in_a_watermark_makes_the_record_bad),
        cmocka_unit_test(an_error_value_drops_the_row_only_for_the_query_that_reads_it),
        cmocka_unit_test(a_condition_that_is_decided_without_the_error_discards_it),
        cmocka_unit_test(rows_that_where_drops_cannot_fail_in_the_select_list),
        cmocka_unit_test(one_row_counts_once_for_a_query_however_many_columns_fail),
        cmocka_unit_test(past_the_budget_the_run_ends_with_bad_input),
        cmocka_unit_test(with_on_error_stop_the_first_one_ends_the_run_after_what_came_before),
        cmocka_unit_test(late_rows_do_not_count_against_the_budget),
        cmocka_unit_test(the_table_is_shown_when_nothing_was_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
