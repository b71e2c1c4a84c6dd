/* Every allocation of a compilation and a run fails once: each failure is a status, nothing is
 * freed twice, and what can be closed is closed. (What an interrupted step alone owned is lost, so
 * leaks are not looked for here.) */
#include "base/alloc.h"
#include "tests/runtime/harness.h"

const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "detect_leaks=0"; }

static const char program_text[] =
    "CREATE PARAMETER least INT DEFAULT 3;\n"
    "CREATE STREAM s (id INT, k STRING, at TIMESTAMP, y INT AS id + 1, WATERMARK FOR at AS at - 2s) "
    "WITH (timestamp_unit = 's');\n"
    "CREATE STREAM tardy;\n"
    "CREATE STREAM m AS PATTERN p FROM s PARTITION BY k MATCH a+ -> b WITHIN 10s LATE INTO tardy "
    "DEFINE a AS id % 2 = 0, b AS id > a.id + :least SELECT k, a.id AS x, b.id AS z;\n"
    "SELECT k, window_start, COUNT(*) AS n, MAX(x) AS x FROM TUMBLE(m, event_time, 10s) GROUP BY k, window_start, window_end;\n"
    "SELECT id FROM (SELECT id FROM s UNION ALL SELECT y AS id FROM s) WHERE 10 / id >= 0;";

static int swallow(void *context, const char *lines, size_t size)
{
    (void)context;
    (void)lines;
    (void)size;
    return 0;
}

static weir_status run_all(const char *in, weir_error *error)
{
    weir_program *program = NULL;
    weir_text *diagnostics = NULL, *summary = NULL;
    weir_compile_options compile = WEIR_COMPILE_OPTIONS_INIT;
    compile.warnings = 0;
    weir_status status =
        weir_compile("test", program_text, strlen(program_text), &compile, &program, &diagnostics);
    weir_text_free(diagnostics);
    if (status != WEIR_OK) return status;
    weir_engine_options options = WEIR_ENGINE_OPTIONS_INIT;
    options.on_output = swallow;
    weir_engine *engine = NULL;
    status = weir_engine_open(program, &options, &engine, error);
    if (status == WEIR_OK) status = weir_engine_bind_input(engine, "s", in, error);
    if (status == WEIR_OK) {
        status = weir_engine_run(engine, error);
        weir_status told = weir_engine_summary(engine, 1, &summary); /* also of a run that failed, as the command line asks */
        if (status == WEIR_OK) status = told;
        else assert_int_equal(told, WEIR_OK);
    }
    weir_text_free(summary);
    weir_engine_close(engine);
    weir_program_free(program);
    return status;
}

static void running_out_of_memory_at_any_point_is_a_status(void **state)
{
    (void)state;
    struct wr_buf lines = {0};
    for (int i = 0; i < 2000; i++)
        wr_buf_printf(&lines, "{\"id\":%d,\"k\":\"k%d\",\"at\":%d}\n%s", i, i % 7, i / 3 - i % 5, i % 500 ? "" : "no record\n");
    char in[64];
    write_file(in, sizeof in, wr_buf_cstr(&lines));
    wr_buf_release(&lines);
    unsigned failures = 0;
    for (uint64_t n = 1;; n++) {
        weir_error error = {0};
        uint64_t before = wr_alloc_count();
        wr_alloc_fail_at(n);
        weir_status status = run_all(in, &error);
        wr_alloc_fail_at(0);
        if (status == WEIR_OK && wr_alloc_count() - before < n) break;
        assert_int_equal(status, WEIR_E_MEMORY);
        failures++;
    }
    assert_in_range(failures, 100, 100000);
    unlink(in);
}

/* The host goes on pushing after a call that failed: it is refused, whatever the call left half done. */
static weir_status push_all(weir_program *program, weir_error *error)
{
    weir_engine *engine = NULL;
    weir_engine_options options = WEIR_ENGINE_OPTIONS_INIT;
    weir_text *summary = NULL;
    uint32_t partition = 0;
    uint64_t starts = 0;
    options.on_output = swallow;
    weir_status status = weir_engine_open(program, &options, &engine, error);
    if (status == WEIR_OK) status = weir_engine_add_partition(engine, "s", &partition, error);
    if (status == WEIR_OK) status = weir_engine_start(engine, error);
    for (int i = 0; engine && i < 400; i++) {
        char row[96];
        weir_error again = {0};
        int size = snprintf(row, sizeof row, "{\"id\":%d,\"k\":\"k%d\",\"at\":%d}\n%s", i, i % 7, i / 3, i % 50 ? "" : "no\n");
        weir_status now = weir_engine_push(engine, "s", partition, row, (size_t)size, NULL, status == WEIR_OK ? error : &again);
        if (status == WEIR_OK) status = now;
        else assert_int_not_equal(now, WEIR_OK);
    }
    if (engine && status != WEIR_OK) {
        weir_error again = {0};
        assert_int_not_equal(weir_engine_advance(engine, 1000000000, &again), WEIR_OK);
        assert_int_not_equal(weir_engine_finish(engine, &again), WEIR_OK);
        (void)weir_engine_open_starts(engine, "m", &starts);
    } else if (engine) {
        status = weir_engine_finish(engine, error);
    }
    weir_status told = engine ? weir_engine_summary(engine, 1, &summary) : WEIR_OK;
    if (status == WEIR_OK) status = told;
    weir_text_free(summary);
    weir_engine_close(engine);
    return status;
}

static void what_is_pushed_after_memory_ran_out_is_refused(void **state)
{
    (void)state;
    weir_program *program = NULL;
    weir_text *diagnostics = NULL;
    assert_int_equal(weir_compile("test", program_text, strlen(program_text), NULL, &program, &diagnostics), WEIR_OK);
    weir_text_free(diagnostics);
    unsigned failures = 0;
    for (uint64_t n = 1;; n++) {
        weir_error error = {0};
        uint64_t before = wr_alloc_count();
        wr_alloc_fail_at(n);
        weir_status status = push_all(program, &error);
        wr_alloc_fail_at(0);
        if (status == WEIR_OK && wr_alloc_count() - before < n) break;
        assert_int_equal(status, WEIR_E_MEMORY);
        failures++;
    }
    assert_in_range(failures, 50, 100000);
    weir_program_free(program);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(running_out_of_memory_at_any_point_is_a_status),
        cmocka_unit_test(what_is_pushed_after_memory_ran_out_is_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
