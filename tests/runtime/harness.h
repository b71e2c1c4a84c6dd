/* Runs a program text over lines through include/weir.h, in every mode that must not make a
 * difference: batches of 1, 3 and 1,024 rows, with and without saving and loading all state after
 * each batch. */
#ifndef WR_TESTS_RUNTIME_HARNESS_H
#define WR_TESTS_RUNTIME_HARNESS_H

#include "base/buf.h"
#include "include/weir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

enum { INPUTS_MAX = 6 };

struct input {
    const char *stream, *lines; /* stream NULL: past the last */
};

struct run {
    const char *program;
    struct input input[INPUTS_MAX];
    int64_t errors_max; /* 0: none said */
    int tag;
    /* Results of the last run. */
    weir_status status;
    struct wr_buf output, log, summary;
    char message[1024];
};

static inline int take_output(void *context, const char *lines, size_t size)
{
    struct run *run = context;
    wr_buf_add(&run->output, lines, size);
    return 0;
}

static inline void take_log(void *context, const char *line)
{
    struct run *run = context;
    wr_buf_printf(&run->log, "%s\n", line);
}

static inline void write_file(char *path, size_t size, const char *lines)
{
    snprintf(path, size, "/tmp/weir-test-XXXXXX.jsonl");
    int fd = mkstemps(path, 6);
    assert_true(fd >= 0);
    size_t length = strlen(lines);
    assert_true(write(fd, lines, length) == (ssize_t)length);
    close(fd);
}

/* One run; fails the test when the program does not compile. */
static inline void run_once(struct run *run, uint32_t batch_rows, int roundtrip)
{
    char path[INPUTS_MAX][64];
    weir_program *program = NULL;
    weir_text *diagnostics = NULL, *summary = NULL;
    weir_compile_options compile = WEIR_COMPILE_OPTIONS_INIT;
    compile.warnings = 0;
    if (weir_compile("test.weir", run->program, strlen(run->program), &compile, &program,
                     &diagnostics) != WEIR_OK)
        fail_msg("%s", weir_text_data(diagnostics));
    weir_text_free(diagnostics);
    weir_engine_options options = WEIR_ENGINE_OPTIONS_INIT;
    options.batch_rows = batch_rows;
    options.state_roundtrip = roundtrip;
    options.on_output = take_output;
    options.on_log = take_log;
    options.context = run;
    options.tag_outputs = run->tag;
    if (run->errors_max) options.errors_max = run->errors_max;
    weir_engine *engine;
    weir_error error;
    wr_buf_clear(&run->output);
    wr_buf_clear(&run->log);
    wr_buf_clear(&run->summary);
    if (weir_engine_open(program, &options, &engine, &error) != WEIR_OK)
        fail_msg("%s", error.message);
    int inputs = 0;
    while (inputs < INPUTS_MAX && run->input[inputs].stream) {
        write_file(path[inputs], sizeof path[inputs], run->input[inputs].lines);
        if (weir_engine_bind_input(engine, run->input[inputs].stream, path[inputs], &error) !=
            WEIR_OK)
            fail_msg("%s", error.message);
        inputs++;
    }
    run->status = weir_engine_run(engine, &error);
    snprintf(run->message, sizeof run->message, "%s", error.message);
    assert_int_equal(weir_engine_summary(engine, 1, &summary), WEIR_OK);
    wr_buf_add(&run->summary, weir_text_data(summary), weir_text_size(summary));
    weir_text_free(summary);
    weir_engine_close(engine);
    weir_program_free(program);
    for (int i = 0; i < inputs; i++) unlink(path[i]);
    (void)wr_buf_cstr(&run->output);
    (void)wr_buf_cstr(&run->log);
    (void)wr_buf_cstr(&run->summary);
}

/* Runs in all modes; each must end well and give exactly these lines. */
static inline void expect(struct run *run, const char *output)
{
    static const uint32_t batch[] = {1024, 1, 3};
    for (int roundtrip = 0; roundtrip < 2; roundtrip++)
        for (size_t i = 0; i < WR_COUNT(batch); i++) {
            run_once(run, batch[i], roundtrip);
            if (run->status != WEIR_OK) fail_msg("status %d: %s", (int)run->status, run->message);
            if (strcmp(run->output.data, output) != 0)
                fail_msg("batches of %u rows%s:\n%s--- expected:\n%s", (unsigned)batch[i],
                         roundtrip ? ", round trip" : "", run->output.data, output);
        }
}

static inline void end_run(struct run *run)
{
    wr_buf_release(&run->output);
    wr_buf_release(&run->log);
    wr_buf_release(&run->summary);
}

#endif
