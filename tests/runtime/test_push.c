/* Records by hand: partitions, pushes, watermarks, the end; which rows took part; what is dropped,
 * late, open. */
#include "base/buf.h"
#include "tests/runtime/harness.h"

#define PAYMENTS                                                                                   \
    "CREATE STREAM payments (card STRING, amount INT, at TIMESTAMP, WATERMARK FOR at AS at - 5s)"  \
    " WITH (timestamp_unit = 's');\n"

struct seen {
    struct wr_buf results, drops, late, starts;
};

static void on_result(void *context, const weir_result *r)
{
    struct seen *seen = context;
    wr_buf_printf(&seen->results, "%s %lld %.*s", r->output,
                  (long long)(r->event_time_us / 1000000), (int)r->row_size, r->row);
    if (!r->rows_known) wr_buf_add_cstr(&seen->results, " ?");
    for (size_t i = 0; i < r->row_count; i++)
        wr_buf_printf(&seen->results, " %s/%u/%llu%s%s", r->rows[i].stream, r->rows[i].partition,
                      (unsigned long long)r->rows[i].record, r->rows[i].variable ? "=" : "",
                      r->rows[i].variable ? r->rows[i].variable : "");
    wr_buf_add_char(&seen->results, '\n');
}

static void on_drop(void *context, const weir_drop *d)
{
    struct seen *seen = context;
    wr_buf_printf(&seen->drops, "%s %s %s %llu\n", d->query, d->kind, d->reason,
                  (unsigned long long)d->row.record);
}

static void on_late(void *context, const weir_drop *d)
{
    struct seen *seen = context;
    wr_buf_printf(&seen->late, "%llu by %lld\n", (unsigned long long)d->row.record,
                  (long long)(d->late_us / 1000000));
}

static void on_start(void *context, const weir_start *s)
{
    struct seen *seen = context;
    wr_buf_printf(&seen->starts, "%s %s %d rows=%zu", s->pattern, s->key, s->end, s->row_count);
    for (size_t i = 0; i < s->refusal_count; i++)
        wr_buf_printf(&seen->starts, " %s refused %llu (%s)", s->refusals[i].variable,
                      (unsigned long long)s->refusals[i].row.record, s->refusals[i].values);
    wr_buf_add_char(&seen->starts, '\n');
}

static weir_engine *open_program(const char *text, struct seen *seen, int trace,
                                 weir_program **program)
{
    weir_text *diagnostics;
    weir_error error;
    weir_engine *engine;
    weir_engine_options options = WEIR_ENGINE_OPTIONS_INIT;
    if (weir_compile("push.weir", text, strlen(text), NULL, program, &diagnostics) != WEIR_OK)
        fail_msg("%s", weir_text_data(diagnostics));
    weir_text_free(diagnostics);
    options.context = seen;
    options.on_result = on_result;
    options.on_drop = on_drop;
    options.on_late = on_late;
    if (trace) options.on_start = on_start;
    assert_int_equal(weir_engine_open(*program, &options, &engine, &error), WEIR_OK);
    return engine;
}

static void push(weir_engine *engine, uint32_t partition, const char *lines)
{
    weir_error error;
    if (weir_engine_push(engine, "payments", partition, lines, strlen(lines), NULL, &error) !=
        WEIR_OK)
        fail_msg("%s", error.message);
}

static void close_all(weir_engine *engine, weir_program *program, struct seen *seen)
{
    weir_engine_close(engine);
    weir_program_free(program);
    wr_buf_release(&seen->results);
    wr_buf_release(&seen->drops);
    wr_buf_release(&seen->late);
    wr_buf_release(&seen->starts);
}

static weir_engine *started(const char *text, struct seen *seen, int partitions, int trace,
                            weir_program **program)
{
    weir_error error;
    uint32_t number;
    weir_engine *engine = open_program(text, seen, trace, program);
    for (int i = 0; i < partitions; i++) {
        assert_int_equal(weir_engine_add_partition(engine, "payments", &number, &error), WEIR_OK);
        assert_int_equal(number, i);
    }
    assert_int_equal(weir_engine_start(engine, &error), WEIR_OK);
    return engine;
}

static const char pattern_text[] =
    PAYMENTS "PATTERN p FROM payments PARTITION BY card MATCH a -> b WITHIN 1m\n"
             "DEFINE a AS amount = 1, b AS amount > 10 AND amount > 5 * a.amount SELECT card, "
             "b.amount AS amount;\n";

static void results_name_the_rows_that_took_part(void **state)
{
    (void)state;
    struct seen seen = {0};
    weir_program *program;
    weir_error error;
    weir_engine *engine = started(pattern_text, &seen, 2, 0, &program);
    push(engine, 0,
         "{\"card\":\"x\",\"amount\":1,\"at\":0}\n{\"card\":\"x\",\"amount\":2,\"at\":1}\n");
    push(engine, 1, "{\"card\":\"x\",\"amount\":50,\"at\":3}");
    assert_int_equal(weir_engine_finish(engine, &error), WEIR_OK);
    assert_string_equal(wr_buf_cstr(&seen.results),
                        "p 3 {\"card\":\"x\",\"amount\":50} payments/0/0=a payments/1/0=b\n");
    close_all(engine, program, &seen);
}

static void a_filter_has_its_one_row_through_views(void **state)
{
    (void)state;
    struct seen seen = {0};
    weir_program *program;
    weir_error error;
    weir_engine *engine =
        started(PAYMENTS "CREATE VIEW v AS SELECT card, amount + 1 AS more FROM payments;\n"
                         "SELECT card FROM v WHERE more > 5;\n",
                &seen, 1, 0, &program);
    push(engine, 0,
         "{\"card\":\"x\",\"amount\":1,\"at\":0}\n{\"card\":\"y\",\"amount\":9,\"at\":1}\n");
    assert_int_equal(weir_engine_finish(engine, &error), WEIR_OK);
    assert_string_equal(wr_buf_cstr(&seen.results), "select_1 1 {\"card\":\"y\"} payments/0/1\n");
    close_all(engine, program, &seen);
}

static void rows_behind_windows_are_not_known(void **state)
{
    (void)state;
    struct seen seen = {0};
    weir_program *program;
    weir_error error;
    weir_engine *engine = started(
        PAYMENTS
        "SELECT COUNT(*) AS n FROM TUMBLE(payments, at, 1m) GROUP BY window_start, window_end;\n",
        &seen, 1, 0, &program);
    push(engine, 0, "{\"card\":\"x\",\"amount\":1,\"at\":0}");
    assert_int_equal(weir_engine_advance(engine, 60000000, &error), WEIR_OK);
    assert_string_equal(wr_buf_cstr(&seen.results),
                        "select_1 59 {\"n\":1} ?\n"); /* before the end */
    assert_int_equal(weir_engine_finish(engine, &error), WEIR_OK);
    close_all(engine, program, &seen);
}

static void late_and_bad_rows_are_told(void **state)
{
    (void)state;
    struct seen seen = {0};
    weir_program *program;
    weir_error error;
    weir_engine *engine = started(pattern_text, &seen, 1, 0, &program);
    push(engine, 0,
         "{\"card\":\"x\",\"amount\":1,\"at\":100}\n{]\n{\"card\":\"x\",\"amount\":1,\"at\":10}");
    assert_int_equal(weir_engine_finish(engine, &error), WEIR_OK);
    assert_non_null(strstr(wr_buf_cstr(&seen.drops), "payments record "));
    assert_non_null(strstr(wr_buf_cstr(&seen.drops), "p late late 2\n"));
    assert_string_equal(wr_buf_cstr(&seen.late), "2 by 85\n");
    close_all(engine, program, &seen);
}

static void open_starts_are_counted_without_those_whose_time_is_up(void **state)
{
    (void)state;
    struct seen seen = {0};
    weir_program *program;
    weir_error error;
    uint64_t open;
    weir_engine *engine = started(pattern_text, &seen, 1, 0, &program);
    push(engine, 0,
         "{\"card\":\"x\",\"amount\":1,\"at\":0}\n{\"card\":\"y\",\"amount\":1,\"at\":30}");
    assert_int_equal(weir_engine_advance(engine, 31000000, &error), WEIR_OK);
    assert_int_equal(weir_engine_open_starts(engine, "p", &open), WEIR_OK);
    assert_int_equal(open, 2);
    assert_int_equal(weir_engine_advance(engine, 60000000, &error), WEIR_OK);
    assert_int_equal(weir_engine_open_starts(engine, "p", &open), WEIR_OK);
    assert_int_equal(open, 1);
    assert_int_equal(weir_engine_open_starts(engine, "q", &open), WEIR_E_USAGE);
    close_all(engine, program, &seen);
}

static void a_trace_says_how_starts_ended_and_what_refused(void **state)
{
    (void)state;
    struct seen seen = {0};
    weir_program *program;
    weir_error error;
    weir_engine *engine = started(pattern_text, &seen, 1, 1, &program);
    push(engine, 0,
         "{\"card\":\"x\",\"amount\":1,\"at\":0}\n{\"card\":\"x\",\"amount\":3,\"at\":1}\n"
         "{\"card\":\"y\",\"amount\":1,\"at\":2}\n{\"card\":\"y\",\"amount\":20,\"at\":3}\n"
         "{\"card\":\"x\",\"amount\":9,\"at\":70}");
    assert_int_equal(weir_engine_finish(engine, &error), WEIR_OK);
    assert_string_equal(wr_buf_cstr(&seen.starts),
                        "p y 0 rows=2\np x 2 rows=1 b refused 1 (amount = 3)\n");
    close_all(engine, program, &seen);
}

static void records_own_times_serve_streams_without_a_watermark(void **state)
{
    (void)state;
    struct seen seen = {0};
    weir_program *program;
    weir_error error;
    uint32_t number;
    int64_t times[] = {7000000, 9000000};
    weir_engine *engine =
        open_program("CREATE STREAM s (v INT);\nSELECT v FROM s;\n", &seen, 0, &program);
    assert_int_equal(weir_engine_add_partition(engine, "s", &number, &error), WEIR_OK);
    assert_int_equal(weir_engine_start(engine, &error), WEIR_OK);
    assert_int_equal(weir_engine_push(engine, "s", 0, "{\"v\":1}\n{\"v\":2}", 15, times, &error),
                     WEIR_OK);
    assert_int_equal(weir_engine_finish(engine, &error), WEIR_OK);
    assert_string_equal(wr_buf_cstr(&seen.results),
                        "select_1 7 {\"v\":1} s/0/0\nselect_1 9 {\"v\":2} s/0/1\n");
    close_all(engine, program, &seen);
}

static void what_comes_out_of_turn_is_refused(void **state)
{
    (void)state;
    struct seen seen = {0};
    weir_program *program;
    weir_error error;
    uint32_t number;
    weir_engine *engine = open_program(pattern_text, &seen, 0, &program);
    assert_int_equal(weir_engine_push(engine, "payments", 0, "{}", 2, NULL, &error), WEIR_E_USAGE);
    assert_int_equal(weir_engine_add_partition(engine, "paymnts", &number, &error), WEIR_E_USAGE);
    assert_non_null(strstr(error.message, "did you mean 'payments'?"));
    assert_int_equal(weir_engine_add_partition(engine, "payments", &number, &error), WEIR_OK);
    assert_int_equal(weir_engine_start(engine, &error), WEIR_OK);
    assert_int_equal(weir_engine_add_partition(engine, "payments", &number, &error), WEIR_E_USAGE);
    assert_int_equal(weir_engine_push(engine, "payments", 1, "{}", 2, NULL, &error), WEIR_E_USAGE);
    assert_int_equal(weir_engine_finish(engine, &error), WEIR_OK);
    assert_int_equal(weir_engine_finish(engine, &error), WEIR_E_USAGE);
    assert_int_equal(weir_engine_push(engine, "payments", 0, "{}", 2, NULL, &error), WEIR_E_USAGE);
    close_all(engine, program, &seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_name_the_rows_that_took_part),
        cmocka_unit_test(a_filter_has_its_one_row_through_views),
        cmocka_unit_test(rows_behind_windows_are_not_known),
        cmocka_unit_test(late_and_bad_rows_are_told),
        cmocka_unit_test(open_starts_are_counted_without_those_whose_time_is_up),
        cmocka_unit_test(a_trace_says_how_starts_ended_and_what_refused),
        cmocka_unit_test(records_own_times_serve_streams_without_a_watermark),
        cmocka_unit_test(what_comes_out_of_turn_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
