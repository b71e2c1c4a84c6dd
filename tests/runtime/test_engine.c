/* The engine through the public header: names, bindings, parameters, options, outputs that refuse,
 * stopping, and that rows are not allocated. */
#include "base/alloc.h"
#include "tests/runtime/harness.h"

#include <sys/stat.h>

#define STREAM(name)      \
    "CREATE STREAM " name \
    " (id INT, at TIMESTAMP, WATERMARK FOR at AS at) WITH (timestamp_unit = 's');\n"

static weir_program *compile(const char *text)
{
    weir_program *program;
    weir_text *diagnostics;
    if (weir_compile("test.weir", text, strlen(text), NULL, &program, &diagnostics) != WEIR_OK)
        fail_msg("%s", weir_text_data(diagnostics));
    weir_text_free(diagnostics);
    return program;
}

static weir_engine *open_with(const weir_program *program, const weir_engine_options *options)
{
    weir_engine *engine;
    weir_error error;
    if (weir_engine_open(program, options, &engine, &error) != WEIR_OK)
        fail_msg("%s", error.message);
    return engine;
}

static void make_rows(char *path, size_t size, int rows)
{
    struct wr_buf lines = {0};
    for (int i = 0; i < rows; i++) wr_buf_printf(&lines, "{\"id\":%d,\"at\":%d}\n", i, i);
    write_file(path, size, wr_buf_cstr(&lines));
    wr_buf_release(&lines);
}

static char *read_back(const char *path)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *text = calloc(1, 1 << 20);
    assert_true(fread(text, 1, (1 << 20) - 1, file) < (1 << 20) - 1);
    fclose(file);
    return text;
}

static void names_of_inputs_and_outputs_are_listed(void **state)
{
    (void)state;
    weir_program *program = compile(STREAM("a") STREAM(
        "b") "CREATE STREAM o;\nINSERT INTO o SELECT id FROM a;\nSELECT id FROM b;");
    assert_string_equal(weir_program_input(program, 0), "a");
    assert_string_equal(weir_program_input(program, 1), "b");
    assert_null(weir_program_input(program, 2));
    const char *first = weir_program_output(program, 0), *second = weir_program_output(program, 1);
    assert_true((strcmp(first, "o") == 0) != (strcmp(second, "o") == 0));
    assert_true((strcmp(first, "select_1") == 0) != (strcmp(second, "select_1") == 0));
    assert_null(weir_program_output(program, 2));
    weir_program_free(program);
}

static void a_wrong_name_gets_a_suggestion(void **state)
{
    (void)state;
    weir_program *program = compile(STREAM("payments") "SELECT id FROM payments;");
    weir_engine *engine = open_with(program, NULL);
    weir_error error;
    assert_int_equal(weir_engine_bind_input(engine, "paymnets", "x", &error), WEIR_E_USAGE);
    assert_non_null(strstr(error.message, "did you mean 'payments'?"));
    assert_int_equal(weir_engine_bind_output(engine, "nowhere", "x", &error), WEIR_E_USAGE);
    assert_non_null(strstr(error.message, "(select_1)"));
    assert_int_equal(weir_engine_set_parameter(engine, "p", "1", &error), WEIR_E_USAGE);
    assert_int_equal(weir_engine_bind_input(engine, "PAYMENTS", "x", &error), WEIR_OK);
    weir_engine_close(engine);
    weir_program_free(program);
}

static void an_input_that_nothing_is_bound_to_is_named(void **state)
{
    (void)state;
    weir_program *program = compile(STREAM("a") STREAM("b") "SELECT id FROM a;\nSELECT id FROM b;");
    weir_engine *engine = open_with(program, NULL);
    weir_error error;
    char path[64];
    make_rows(path, sizeof path, 1);
    assert_int_equal(weir_engine_bind_input(engine, NULL, path, &error), WEIR_E_USAGE);
    assert_non_null(strstr(error.message, "2 input streams (a, b)"));
    assert_int_equal(weir_engine_bind_input(engine, "a", path, &error), WEIR_OK);
    assert_int_equal(weir_engine_run(engine, &error), WEIR_E_USAGE);
    assert_non_null(strstr(error.message, "--in b=PATH"));
    weir_engine_close(engine);
    weir_program_free(program);
    unlink(path);
}

static void files_named_by_the_program_need_no_binding(void **state)
{
    (void)state;
    char in[64], out[64], text[512];
    make_rows(in, sizeof in, 2);
    write_file(out, sizeof out, "what was there before\n");
    snprintf(
        text, sizeof text,
        "CREATE STREAM s (id INT, at TIMESTAMP, WATERMARK FOR at AS at) WITH (connector = 'file', path = '%s');\n"
        "CREATE STREAM o WITH (connector = 'file', path = '%s');\nINSERT INTO o SELECT id FROM s;",
        in, out);
    weir_program *program = compile(text);
    weir_engine *engine = open_with(program, NULL);
    weir_error error;
    if (weir_engine_run(engine, &error) != WEIR_OK) fail_msg("%s", error.message);
    weir_engine_close(engine);
    weir_program_free(program);
    char *written = read_back(out);
    assert_string_equal(written, "{\"id\":0}\n{\"id\":1}\n");
    free(written);
    unlink(in);
    unlink(out);
}

static void a_file_without_a_declaration_is_inferred(void **state)
{
    (void)state;
    char in[64], out[64], text[512];
    make_rows(in, sizeof in, 3);
    write_file(out, sizeof out, "");
    snprintf(text, sizeof text, "SELECT id FROM '%s' WHERE id > 0;", in);
    weir_program *program;
    weir_text *diagnostics;
    weir_compile_options options = WEIR_COMPILE_OPTIONS_INIT;
    options.infer_files = 1;
    if (weir_compile("query", text, strlen(text), &options, &program, &diagnostics) != WEIR_OK)
        fail_msg("%s", weir_text_data(diagnostics));
    weir_text_free(diagnostics);
    weir_engine *engine = open_with(program, NULL);
    weir_error error;
    assert_int_equal(weir_engine_bind_output(engine, "select_1", out, &error), WEIR_OK);
    if (weir_engine_run(engine, &error) != WEIR_OK) fail_msg("%s", error.message);
    weir_engine_close(engine);
    weir_program_free(program);
    char *written = read_back(out);
    assert_string_equal(written, "{\"id\":1}\n{\"id\":2}\n");
    free(written);
    unlink(in);
    unlink(out);
}

static void parameters_belong_to_the_engine(void **state)
{
    (void)state;
    weir_program *program =
        compile("CREATE PARAMETER least INT;\nCREATE PARAMETER most INT DEFAULT 100;\n" STREAM(
            "s") "SELECT id FROM s WHERE id >= :least AND id <= :most;");
    char in[64], out[64];
    make_rows(in, sizeof in, 5);
    weir_error error;
    const char *const least[] = {"3", "4", NULL};
    const char *const expected[] = {"{\"id\":3}\n{\"id\":4}\n", "{\"id\":4}\n"};
    for (int i = 0; i < 3; i++) {
        write_file(out, sizeof out, "");
        weir_engine *engine = open_with(program, NULL);
        assert_int_equal(weir_engine_bind_input(engine, NULL, in, &error), WEIR_OK);
        assert_int_equal(weir_engine_bind_output(engine, NULL, out, &error), WEIR_OK);
        if (least[i]) {
            assert_int_equal(weir_engine_set_parameter(engine, "least", "many", &error),
                             WEIR_E_USAGE);
            assert_int_equal(weir_engine_set_parameter(engine, "least", least[i], &error), WEIR_OK);
            if (weir_engine_run(engine, &error) != WEIR_OK) fail_msg("%s", error.message);
            char *written = read_back(out);
            assert_string_equal(written, expected[i]);
            free(written);
        } else {
            assert_int_equal(weir_engine_run(engine, &error), WEIR_E_USAGE);
            assert_non_null(strstr(error.message, "least"));
        }
        weir_engine_close(engine);
        unlink(out);
    }
    unlink(in);
    weir_program_free(program);
}

static void a_program_file_runs_as_the_program(void **state)
{
    (void)state;
    weir_program *program = compile(STREAM("s") "SELECT id FROM s WHERE id < 1;"), *loaded;
    weir_text *bytes, *again;
    weir_error error;
    assert_int_equal(weir_program_save(program, &bytes, &error), WEIR_OK);
    assert_true(weir_is_program_file(weir_text_data(bytes), weir_text_size(bytes)));
    if (weir_program_load(weir_text_data(bytes), weir_text_size(bytes), &loaded, &error) != WEIR_OK)
        fail_msg("%s", error.message);
    assert_int_equal(weir_program_save(loaded, &again, &error), WEIR_OK);
    assert_int_equal(weir_text_size(bytes), weir_text_size(again));
    assert_memory_equal(weir_text_data(bytes), weir_text_data(again), weir_text_size(bytes));
    weir_program *none;
    assert_int_equal(
        weir_program_load(weir_text_data(bytes), weir_text_size(bytes) / 2, &none, &error),
        WEIR_E_STATE);
    assert_null(none);
    weir_text_free(bytes);
    weir_text_free(again);
    weir_program_free(program);
    weir_program_free(loaded);
}

static void inputs_and_outputs_that_cannot_be_opened_are_named(void **state)
{
    (void)state;
    weir_program *program = compile(STREAM("s") "SELECT id FROM s;");
    weir_error error;
    weir_engine *engine = open_with(program, NULL);
    assert_int_equal(weir_engine_bind_input(engine, "s", "/tmp/no-such-folder/x.jsonl", &error),
                     WEIR_OK);
    assert_int_equal(weir_engine_run(engine, &error), WEIR_E_USAGE);
    assert_non_null(strstr(error.message, "/tmp/no-such-folder/x.jsonl"));
    weir_engine_close(engine);
    engine = open_with(program, NULL);
    assert_int_equal(weir_engine_bind_input(engine, "s", "/tmp", &error), WEIR_OK);
    assert_int_equal(weir_engine_run(engine, &error), WEIR_E_USAGE);
    weir_engine_close(engine);
    weir_program_free(program);
}

static void a_full_disk_is_noticed_by_small_and_by_large_results(void **state)
{
    (void)state;
    weir_program *program = compile(STREAM("s") "SELECT id FROM s;");
    weir_error error;
    const int rows[] = {1, 20000};
    for (size_t i = 0; i < WR_COUNT(rows); i++) {
        char in[64];
        make_rows(in, sizeof in, rows[i]);
        weir_engine *engine = open_with(program, NULL);
        assert_int_equal(weir_engine_bind_input(engine, "s", in, &error), WEIR_OK);
        assert_int_equal(weir_engine_bind_output(engine, NULL, "/dev/full", &error), WEIR_OK);
        assert_int_equal(weir_engine_run(engine, &error), WEIR_E_IO);
        assert_non_null(strstr(error.message, "/dev/full"));
        assert_non_null(strstr(error.message, "o space left"));
        weir_engine_close(engine);
        unlink(in);
    }
    weir_program_free(program);
}

static int went_away(void *context, const char *lines, size_t size)
{
    (void)lines;
    *(size_t *)context += size;
    return 1;
}

static void a_reader_that_went_away_ends_the_run(void **state)
{
    (void)state;
    weir_program *program = compile(STREAM("s") "SELECT id FROM s;");
    char in[64];
    size_t taken = 0;
    make_rows(in, sizeof in, 50000);
    weir_engine_options options = WEIR_ENGINE_OPTIONS_INIT;
    options.on_output = went_away;
    options.context = &taken;
    weir_engine *engine = open_with(program, &options);
    weir_error error;
    weir_progress progress;
    assert_int_equal(weir_engine_bind_input(engine, "s", in, &error), WEIR_OK);
    assert_int_equal(weir_engine_run(engine, &error), WEIR_E_CLOSED);
    weir_engine_progress(engine, &progress);
    assert_in_range(progress.events, 1, 20000);
    assert_in_range(taken, 1, 200000);
    weir_engine_close(engine);
    weir_program_free(program);
    unlink(in);
}

static int whole_lines(void *context, const char *lines, size_t size)
{
    size_t *taken = context;
    *taken += size;
    return lines[size - 1] == '\n' ? 0 : 1;
}

static void stopping_leaves_whole_lines(void **state)
{
    (void)state;
    weir_program *program = compile(STREAM("s") "SELECT id FROM s;");
    char in[64];
    size_t taken = 0;
    make_rows(in, sizeof in, 1000);
    weir_engine_options options = WEIR_ENGINE_OPTIONS_INIT;
    options.on_output = whole_lines;
    options.context = &taken;
    weir_engine *engine = open_with(program, &options);
    weir_error error;
    assert_int_equal(weir_engine_bind_input(engine, "s", in, &error), WEIR_OK);
    weir_engine_stop(engine);
    assert_int_equal(weir_engine_run(engine, &error), WEIR_E_STOPPED);
    weir_engine_close(engine);
    weir_program_free(program);
    unlink(in);
}

static int swallow(void *context, const char *lines, size_t size)
{
    (void)context;
    (void)lines;
    (void)size;
    return 0;
}

static uint64_t allocations_of(const weir_program *program, int rows)
{
    char in[64];
    make_rows(in, sizeof in, rows);
    weir_engine_options options = WEIR_ENGINE_OPTIONS_INIT;
    options.on_output = swallow;
    weir_engine *engine = open_with(program, &options);
    weir_error error;
    assert_int_equal(weir_engine_bind_input(engine, NULL, in, &error), WEIR_OK);
    uint64_t before = wr_alloc_count();
    if (weir_engine_run(engine, &error) != WEIR_OK) fail_msg("%s", error.message);
    uint64_t after = wr_alloc_count();
    weir_engine_close(engine);
    unlink(in);
    return after - before;
}

/* Ten times the rows take no more allocations than a few buffers that doubled once more. */
static void nothing_is_allocated_per_row(void **state)
{
    (void)state;
    static const char *const text[] = {
        STREAM("s") "SELECT id, at FROM s WHERE id % 3 = 0;",
        "CREATE STREAM s (id INT, at TIMESTAMP, WATERMARK FOR at AS at - 30s) WITH (timestamp_unit = 's');\n"
        "SELECT id, at FROM s WHERE id % 3 = 0;",
        STREAM(
            "s") "CREATE VIEW v AS SELECT id FROM s UNION ALL SELECT id + 1 AS id FROM s;\nSELECT id FROM v;\nSELECT id FROM v;",
        STREAM(
            "s") "SELECT id % 10 AS k, COUNT(*) AS n FROM TUMBLE(s, at, 1m) GROUP BY id % 10, window_start, window_end;",
        STREAM(
            "s") "PATTERN p FROM s MATCH a b -> c WITHIN 1m DEFINE a AS id % 5 = 0, b AS id % 5 = 1, c AS id > a.id + 3 "
                 "SELECT a.id AS id, c.id AS c;",
    };
    for (size_t i = 0; i < WR_COUNT(text); i++) {
        weir_program *program = compile(text[i]);
        uint64_t few = allocations_of(program, 20000), many = allocations_of(program, 200000);
        if (many > few + 100)
            fail_msg("program %zu: %llu, then %llu allocations", i, (unsigned long long)few,
                     (unsigned long long)many);
        weir_program_free(program);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_inputs_and_outputs_are_listed),
        cmocka_unit_test(a_wrong_name_gets_a_suggestion),
        cmocka_unit_test(an_input_that_nothing_is_bound_to_is_named),
        cmocka_unit_test(files_named_by_the_program_need_no_binding),
        cmocka_unit_test(a_file_without_a_declaration_is_inferred),
        cmocka_unit_test(parameters_belong_to_the_engine),
        cmocka_unit_test(a_program_file_runs_as_the_program),
        cmocka_unit_test(inputs_and_outputs_that_cannot_be_opened_are_named),
        cmocka_unit_test(a_full_disk_is_noticed_by_small_and_by_large_results),
        cmocka_unit_test(a_reader_that_went_away_ends_the_run),
        cmocka_unit_test(stopping_leaves_whole_lines),
        cmocka_unit_test(nothing_is_allocated_per_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
