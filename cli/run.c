/* What query and replay share: loading a program, binding its files, running it, progress and summary. */
#include "base/text.h"
#include "cli/cli.h"
#include "vm/text.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static weir_engine *running; /* for the signal handler */
static volatile sig_atomic_t stopped_by;

static void on_interrupt(int signal_number)
{
    stopped_by = signal_number;
    if (running) weir_engine_stop(running);
    signal(signal_number, SIG_DFL); /* a second one ends at once */
}

/* Without SA_RESTART: a read that waits for standard input ends, so that the engine sees the stop. */
static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_interrupt};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* What follows the run may be long, too, and hears of no engine: there the first one ends. */
static void release_signals(void)
{
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
}

weir_program *wr_load_program(struct wr_args *args, const char *path, int *code)
{
    struct wr_buf bytes = {0};
    weir_program *program = NULL;
    if (!wr_read_file(path, &bytes, code)) {
        wr_buf_release(&bytes);
        return NULL;
    }
    if (weir_is_program_file(bytes.data, bytes.size)) {
        weir_error error = {0};
        weir_status status = weir_program_load(bytes.data, bytes.size, &program, &error);
        if (status != WEIR_OK) {
            wr_fail(0, "%s: %s", path, error.message);
            *code = status == WEIR_E_MEMORY ? wr_exit_of(status, NULL) : (int)status;
        }
    } else {
        weir_compile_options options = WEIR_COMPILE_OPTIONS_INIT;
        options.color = args->color;
        options.warnings = !wr_args_has(args, WR_OPTION_QUIET);
        options.flink_dialect = wr_args_dialect(args);
        options.recorded = strcmp(args->command, "replay") == 0;
        weir_text *diagnostics = NULL;
        weir_status status = weir_compile(path, bytes.data, bytes.size, &options, &program, &diagnostics);
        if (diagnostics) fputs(weir_text_data(diagnostics), stderr);
        weir_text_free(diagnostics);
        *code = status == WEIR_E_MEMORY ? wr_exit_of(status, NULL) : (int)status;
    }
    wr_buf_release(&bytes);
    return program;
}

/* ---- Progress: on a terminal only, after one second ----------------------------------------- */

struct progress {
    struct timespec start, shown;
    bool terminal, drawn;
};

static double seconds_since(struct timespec start)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - start.tv_sec) + (double)(now.tv_nsec - start.tv_nsec) / 1e9;
}

static struct progress progress_state;

static int show_progress(void *context, const weir_progress *p)
{
    WR_UNUSED(context);
    struct progress *state = &progress_state;
    double elapsed = seconds_since(state->start);
    if (!state->terminal || elapsed < 1 || (state->drawn && seconds_since(state->shown) < 0.2)) return 0;
    clock_gettime(CLOCK_MONOTONIC, &state->shown);
    state->drawn = true;
    char at[32] = "-";
    if (p->event_time_us > INT64_MIN && p->event_time_us < INT64_MAX) {
        time_t t = (time_t)(p->event_time_us / 1000000);
        struct tm tm;
        if (gmtime_r(&t, &tm)) strftime(at, sizeof at, "%Y-%m-%dT%H:%M:%SZ", &tm);
    }
    double rate = (double)p->bytes_done / elapsed;
    fprintf(stderr, "\r\033[K%.1f M events, %.0f MB/s, at %s, %llu results", (double)p->events / 1e6, rate / 1e6, at,
            (unsigned long long)p->matches);
    if (p->bytes_total && rate > 0)
        fprintf(stderr, ", %.0f s left", (double)(p->bytes_total - p->bytes_done) / rate);
    fflush(stderr);
    return 0;
}

/* Samples of dropped rows; a progress line is cleared first. */
static void show_log(void *context, const char *line)
{
    WR_UNUSED(context);
    if (progress_state.drawn) fputs("\r\033[K", stderr);
    fprintf(stderr, "weir: %s\n", line);
}

/* ---- Outputs that are gathered: table and json ------------------------------------------------ */

static int gather(void *context, const char *lines, size_t size)
{
    struct wr_run *run = context;
    wr_buf_add(&run->lines, lines, size);
    return 0;
}

static bool choose_format(struct wr_run *run)
{
    static const char *const known[] = {"table", "json", "jsonl", "csv"};
    const char *wanted = wr_args_value(run->args, WR_OPTION_OUTPUT);
    if (!wanted) {
        bool query = strcmp(run->args->command, "query") == 0;
        run->format = query && isatty(STDOUT_FILENO) ? "table" : "jsonl";
        return true;
    }
    size_t chosen = wr_args_choice("-o", "table, json, jsonl or csv", wanted, known, WR_COUNT(known));
    if (chosen < WR_COUNT(known)) run->format = known[chosen];
    return chosen < WR_COUNT(known);
}

/* ---- Binding -------------------------------------------------------------------------------------- */

/* Splits NAME=PATH; path is NULL when there is no '='. The name is the caller's to free. */
static char *split(const char *text, const char **path)
{
    const char *equals = strchr(text, '=');
    size_t size = equals ? (size_t)(equals - text) : 0;
    char *name = wr_alloc(size + 1);
    memcpy(name, text, size);
    name[size] = 0;
    *path = equals ? equals + 1 : NULL;
    return name;
}

/* A name that promises what no writer keeps. */
static const char *refused_format(const char *path)
{
    static const struct { const char *end, *format; } refused[] = {
        {".parquet", "Parquet"}, {".avro", "Avro"}, {".orc", "ORC"}, {".arrow", "Arrow"}, {".xlsx", "a workbook"}};
    for (size_t i = 0; i < WR_COUNT(refused); i++)
        if (wr_path_ends(path, refused[i].end)) return refused[i].format;
    return NULL;
}

static weir_status bind_one(weir_engine *engine, const struct wr_given_option *option, weir_error *error)
{
    const char *path;
    char *name = split(option->value, &path);
    weir_status status = WEIR_OK;
    const char *shape = option->id == WR_OPTION_PARAM ? "NAME=VALUE" : "NAME=PATH";
    if (option->id == WR_OPTION_IN && !path) {
        status = weir_engine_bind_input(engine, NULL, option->value, error);
    } else if (!path || !name[0]) {
        status = WEIR_E_USAGE;
        snprintf(error->message, sizeof error->message, "--%s wants %s, not '%s'", wr_option_table[option->id].name,
                 shape, option->value);
    } else if (option->id == WR_OPTION_IN) {
        status = weir_engine_bind_input(engine, name, path, error);
    } else if (option->id == WR_OPTION_OUT && refused_format(path)) {
        status = WEIR_E_USAGE;
        snprintf(error->message, sizeof error->message,
                 "--out %s: results are written as JSON lines, CSV or TSV, not as %s", option->value, refused_format(path));
    } else if (option->id == WR_OPTION_OUT) {
        status = weir_engine_bind_output(engine, name, path, error);
    } else {
        status = weir_engine_set_parameter(engine, name, path, error);
    }
    wr_free(name);
    return status;
}

/* WEIR_PARAM_P of the environment, weaker than --param. */
static weir_status bind_environment(weir_engine *engine, weir_error *error)
{
    static const char prefix[] = "WEIR_PARAM_";
    for (char **entry = environ; *entry; entry++) {
        if (strncmp(*entry, prefix, sizeof prefix - 1) != 0) continue;
        const char *value;
        char *name = split(*entry + sizeof prefix - 1, &value);
        weir_status status = weir_engine_set_parameter(engine, name, value ? value : "", error);
        wr_free(name);
        /* A variable for another program is no error. */
        if (status != WEIR_OK && status != WEIR_E_USAGE) return status;
    }
    *error = (weir_error){0};
    return WEIR_OK;
}

/* replay reads its program from a file. */
static weir_status check_program(const struct wr_args *args, weir_error *error)
{
    struct stat program, out;
    if (strcmp(args->command, "replay") != 0 || !args->positional.count || stat(args->positional.at[0], &program) != 0)
        return WEIR_OK;
    for (size_t i = 0; i < args->option.count; i++) {
        const struct wr_given_option *o = &args->option.at[i];
        const char *equals = o->id == WR_OPTION_OUT ? strchr(o->value, '=') : NULL;
        if (!equals || stat(equals + 1, &out) != 0 || !S_ISREG(out.st_mode)) continue;
        if (out.st_dev != program.st_dev || out.st_ino != program.st_ino) continue;
        snprintf(error->message, sizeof error->message, "--out %s: results cannot be written over the program", o->value);
        return WEIR_E_USAGE;
    }
    return WEIR_OK;
}

weir_status wr_run_bind(struct wr_args *args, weir_engine *engine, const char *const *input, size_t input_count,
                        weir_error *error)
{
    weir_status status = check_program(args, error);
    if (status == WEIR_OK) status = bind_environment(engine, error);
    for (size_t i = 0; i < args->option.count && status == WEIR_OK; i++) {
        const struct wr_given_option *o = &args->option.at[i];
        if (o->id == WR_OPTION_IN || o->id == WR_OPTION_OUT || o->id == WR_OPTION_PARAM)
            status = bind_one(engine, o, error);
    }
    for (size_t i = 0; i < input_count && status == WEIR_OK; i++) {
        struct wr_given_option o = {WR_OPTION_IN, input[i]};
        status = bind_one(engine, &o, error);
    }
    return status;
}

/* ---- The run --------------------------------------------------------------------------------------- */

/* What the environment says where the command line says nothing: WEIR_MAX_ERRORS and the like. */
static const char *setting(const struct wr_args *args, enum wr_option_id id, const char *variable)
{
    const char *given = wr_args_value(args, id), *environment = getenv(variable);
    return given ? given : environment && *environment ? environment : NULL;
}

static bool number_setting(const struct wr_args *args, enum wr_option_id id, const char *variable, int64_t low,
                           int64_t high, int64_t fallback, int64_t *value)
{
    struct wr_args one = {0};
    const char *text = setting(args, id, variable);
    if (text) wr_vec_push(&one.option, (struct wr_given_option){id, text});
    bool ok = wr_args_number(&one, id, low, high, fallback, value);
    wr_args_release(&one);
    return ok;
}

/* --state and what belongs to it. */
static bool fill_state_options(struct wr_args *args, weir_engine_options *options)
{
    int64_t rows;
    const char *interval = setting(args, WR_OPTION_CHECKPOINT_INTERVAL, "WEIR_CHECKPOINT_INTERVAL");
    if (!number_setting(args, WR_OPTION_CHECKPOINT_ROWS, "WEIR_CHECKPOINT_ROWS", 0, INT64_MAX, 0, &rows)) return false;
    options->state_dir = setting(args, WR_OPTION_STATE, "WEIR_STATE");
    options->checkpoint_rows = (uint64_t)rows;
    static const enum wr_option_id wants_state[] = {WR_OPTION_CHECKPOINT_INTERVAL, WR_OPTION_CHECKPOINT_ROWS,
                                                    WR_OPTION_DISCARD_STATE, WR_OPTION_ACCEPT_LOSS, WR_OPTION_ANY_FILE_SYSTEM};
    for (size_t i = 0; !options->state_dir && i < WR_COUNT(wants_state); i++)
        if (wr_args_has(args, wants_state[i])) {
            wr_fail(WR_EXIT_USAGE, "--%s means something with --state DIR only: no state is kept without it",
                    wr_option_table[wants_state[i]].name);
            return false;
        }
    options->discard_state = wr_args_has(args, WR_OPTION_DISCARD_STATE);
    options->accept_loss = wr_args_has(args, WR_OPTION_ACCEPT_LOSS);
    options->any_file_system = wr_args_has(args, WR_OPTION_ANY_FILE_SYSTEM);
    if (interval && (!wr_parse_interval(wr_slice_cstr(interval), &options->checkpoint_interval_us) ||
                     options->checkpoint_interval_us < 0)) {
        wr_fail(WR_EXIT_USAGE, "--checkpoint-interval wants a duration such as 500ms or 10s, not '%s'", interval);
        return false;
    }
    return true;
}

/* --matcher NAME[,NAME…] */
static bool check_matchers(const struct wr_run *run, const char *list)
{
    static const char *const matchers[] = {"auto", "row", "sequence", "group", "general"};
    const char *said = wr_args_has(run->args, WR_OPTION_MATCHER) ? "--matcher" : "WEIR_MATCHER";
    for (const char *at = list;;) {
        char name[16];
        size_t size = strcspn(at, ",");
        snprintf(name, sizeof name, "%.*s", (int)size, at);
        if (wr_args_choice(said, "row, sequence, group or general", name, matchers, WR_COUNT(matchers)) == WR_COUNT(matchers))
            return false;
        if (!at[size]) return true;
        at += size + 1;
    }
}

static bool fill_executor(struct wr_args *args, weir_engine_options *options)
{
    const char *name = setting(args, WR_OPTION_EXECUTOR, "WEIR_EXECUTOR");
    if (!name) return true;
    static const char *const executors[] = {"batch", "row"};
    const char *said = wr_args_has(args, WR_OPTION_EXECUTOR) ? "--executor" : "WEIR_EXECUTOR";
    size_t which = wr_args_choice(said, "batch or row", name, executors, WR_COUNT(executors));
    options->executor = which ? WEIR_EXECUTOR_ROW : WEIR_EXECUTOR_BATCH;
    return which < WR_COUNT(executors);
}

static bool fill_options(struct wr_run *run, weir_engine_options *options)
{
    int64_t errors_max, batch_rows;
    if (!choose_format(run)) return false;
    if (!number_setting(run->args, WR_OPTION_MAX_ERRORS, "WEIR_MAX_ERRORS", 0, INT64_MAX, -1, &errors_max)) return false;
    if (!number_setting(run->args, WR_OPTION_BATCH_ROWS, "WEIR_BATCH_ROWS", 1, 1024, 0, &batch_rows)) return false;
    options->errors_max = errors_max;
    options->batch_rows = (uint32_t)batch_rows;
    options->tag_outputs = wr_args_has(run->args, WR_OPTION_TAG);
    const char *state_test = getenv("WEIR_STATE_TEST");
    options->state_roundtrip = wr_args_has(run->args, WR_OPTION_STATE_TEST) || (state_test && *state_test);
    if (state_test && strcmp(state_test, "store") == 0) options->state_roundtrip = 2;
    if (state_test && strcmp(state_test, "cold") == 0) options->state_roundtrip = 3;
    if (!fill_state_options(run->args, options)) return false;
    options->matcher = setting(run->args, WR_OPTION_MATCHER, "WEIR_MATCHER");
    if (options->matcher && !check_matchers(run, options->matcher)) return false;
    if (!fill_executor(run->args, options)) return false;
    options->format = strcmp(run->format, "csv") == 0 ? "csv" : "jsonl";
    options->context = run;
    if (strcmp(run->format, "table") == 0 || strcmp(run->format, "json") == 0) options->on_output = gather;
    if (!wr_args_has(run->args, WR_OPTION_QUIET)) {
        options->on_progress = show_progress;
        options->on_log = show_log;
    }
    return true;
}

static void print_gathered(struct wr_run *run)
{
    struct wr_buf out = {0};
    if (strcmp(run->format, "table") == 0) wr_table_print(wr_buf_slice(&run->lines), &out);
    if (strcmp(run->format, "json") == 0) wr_json_array_print(wr_buf_slice(&run->lines), &out);
    if (out.size) wr_put_out(wr_buf_slice(&out));
    wr_buf_release(&out);
}

static void print_checkpoints(struct wr_run *run, bool json)
{
    weir_checkpoints c;
    weir_engine_checkpoints(run->engine, &c);
    if (json && (c.taken || c.was_finished || c.resumed))
        fprintf(stderr,
                "{\"version\":1,\"checkpoints\":{\"epoch\":%" PRIu64 ",\"taken\":%" PRIu64 ",\"keys\":%" PRIu64
                ",\"bytes\":%" PRIu64 ",\"pause_p99_us\":%" PRId64 ",\"pause_max_us\":%" PRId64
                ",\"pause_sum_us\":%" PRId64 ",\"commit_max_us\":%" PRId64
                ",\"resumed\":%s,\"was_finished\":%s,\"resumed_rows\":%" PRIu64 "}}\n",
                c.epoch, c.taken, c.keys, c.bytes, c.pause_p99_us, c.pause_max_us, c.pause_sum_us, c.commit_max_us,
                c.resumed ? "true" : "false", c.was_finished ? "true" : "false", c.resumed_rows);
    if (json) return;
    if (c.was_finished) {
        fputs("  this run had come to its end before: nothing was left to do (--discard-state begins anew)\n", stderr);
        return;
    }
    if (c.resumed)
        fprintf(stderr, "  went on behind row %" PRIu64 ", from checkpoint %" PRIu64 "\n", c.resumed_rows,
                c.epoch - c.taken);
    if (c.taken)
        fprintf(stderr, "  %" PRIu64 " checkpoints: %" PRIu64 " entries, %.1f MB, pauses of at most %.1f ms\n", c.taken, c.keys,
                (double)c.bytes / 1e6, (double)c.pause_max_us / 1e3);
}

/* The summary is always shown after a replay, after a query only when something was dropped. */
static weir_status print_summary(struct wr_run *run)
{
    bool json = wr_args_has(run->args, WR_OPTION_STATS);
    if (wr_args_has(run->args, WR_OPTION_QUIET) && !json) return WEIR_OK;
    weir_text *summary = NULL;
    if (json) print_checkpoints(run, true); /* the summary is the last line */
    weir_status status = weir_engine_summary(run->engine, json, &summary);
    if (status == WEIR_OK) fputs(weir_text_data(summary), stderr);
    weir_text_free(summary);
    if (!json) print_checkpoints(run, false);
    return status;
}

int wr_run_program(struct wr_args *args, weir_program *program, const char *const *input, size_t input_count)
{
    struct wr_run run = {.args = args};
    weir_engine_options options = WEIR_ENGINE_OPTIONS_INIT;
    weir_error error = {0};
    if (!fill_options(&run, &options)) return WR_EXIT_USAGE;
    weir_status status = weir_engine_open(program, &options, &run.engine, &error);
    if (status != WEIR_OK) return wr_exit_of(status, &error);
    status = wr_run_bind(args, run.engine, input, input_count, &error);
    bool ran = false;
    if (status == WEIR_OK) {
        progress_state = (struct progress){.terminal = isatty(STDERR_FILENO) != 0};
        clock_gettime(CLOCK_MONOTONIC, &progress_state.start);
        running = run.engine;
        catch_signals();
        status = weir_engine_run(run.engine, &error);
        running = NULL;
        release_signals();
        ran = true;
        if (progress_state.drawn) fputs("\r\033[K", stderr);
        print_gathered(&run);
    }
    int code = wr_exit_of(status, &error);
    /* A refusal is to be read: no table stands behind it. */
    bool refused = status == WEIR_E_USAGE || status == WEIR_E_CLOSED || status == WEIR_E_STATE;
    if (ran && !refused && print_summary(&run) != WEIR_OK && code == 0)
        code = wr_exit_of(WEIR_E_MEMORY, NULL);
    if (ran && status == WEIR_E_STOPPED && !wr_args_has(args, WR_OPTION_QUIET))
        wr_fail(0, options.state_dir ? "interrupted; the same command goes on from here" : "interrupted");
    if (status == WEIR_E_STOPPED && stopped_by) code = 128 + stopped_by;
    weir_engine_close(run.engine);
    wr_buf_release(&run.lines);
    return code;
}
