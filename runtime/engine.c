/* Setting a task up, and the loop that runs it. */
#include "runtime/engine.h"

#include "runtime/checkpoint.h"
#include "runtime/clock.h"
#include "runtime/cold.h"
#include "runtime/source.h"
#include "vm/limits.h"
#include "vm/pattern_class.h"
#include "vm/text.h"

static char *copy(const char *text) { return text ? wr_strdup(text) : NULL; }

/* A matcher that is forced must be right for each pattern. */
static enum wr_status check_matchers(const struct wr_program *program, const char *list, struct wr_error *error)
{
    const char *why;
    for (uint32_t i = 0; list && i < program->node_count; i++) {
        const struct wr_node *node = &program->node[i];
        if (node->kind != WR_NODE_PATTERN) continue;
        (void)wr_pattern_class_forced(&node->u.pattern, list, &why);
        if (why)
            return wr_error_set(error, WR_ERR_USAGE,
                                "the matcher '%s' is not right for %s: %s; general is right for every pattern", list,
                                program->query[node->query], why);
    }
    return WR_OK;
}

enum wr_status wr_engine_init(struct wr_engine *engine, const struct wr_program *program,
                              const struct wr_connectors *connectors,
                              const struct wr_engine_options *options, struct wr_error *error)
{
    if (options->batch_rows > WR_BATCH_ROWS)
        return wr_error_set(error, WR_ERR_USAGE, "a batch has 1 to %d rows", WR_BATCH_ROWS);
    const char *format = options->format;
    if (format && strcmp(format, "jsonl") == 0) format = "json";
    if (format && strcmp(format, "json") != 0 && strcmp(format, "csv") != 0)
        return wr_error_set(error, WR_ERR_USAGE, "outputs are written as jsonl or csv, not as '%s'",
                            format);
    if (check_matchers(program, options->matcher, error) != WR_OK) return error->status;
    WR_ASSERT(!engine->program && connectors);
    engine->connectors = connectors;
    engine->options = *options;
    engine->options.format = engine->options.matcher = engine->options.state = NULL; /* not ours until they are copied */
    engine->options.format = copy(format);
    engine->options.matcher = copy(options->matcher);
    engine->options.state = copy(options->state);
    if (!engine->options.batch_rows) engine->options.batch_rows = WR_BATCH_ROWS_DEFAULT;
    if (program->parameter_count) { /* values are the engine's own, so they are set in a copy */
        struct wr_buf bytes = {0};
        wr_program_encode(program, &bytes);
        engine->own = wr_program_decode(wr_buf_slice(&bytes), error);
        wr_buf_release(&bytes);
        if (!engine->own) return error->status;
    }
    engine->program = engine->own ? engine->own : program;
    return WR_OK;
}

void wr_engine_release(struct wr_engine *engine)
{
    wr_checkpoint_close(engine);
    for (size_t i = 0; i < engine->sink.count; i++) wr_sink_free(engine->sink.at[i]);
    if (engine->running) wr_task_release(&engine->task);
    for (size_t i = 0; i < engine->input.count; i++) wr_free(engine->input.at[i].path);
    for (size_t i = 0; i < engine->output.count; i++) wr_free(engine->output.at[i].path);
    for (size_t i = 0; i < engine->place.count; i++) wr_free(engine->place.at[i]);
    wr_watch_free(engine->watch);
    wr_vec_release(&engine->place);
    wr_vec_release(&engine->sink);
    wr_vec_release(&engine->input);
    wr_vec_release(&engine->output);
    wr_free((void *)(uintptr_t)engine->options.format);
    wr_free((void *)(uintptr_t)engine->options.matcher);
    wr_free((void *)(uintptr_t)engine->options.state);
    if (engine->own) wr_program_free(engine->own);
    *engine = (struct wr_engine){0};
}

enum wr_status wr_engine_set_parameter(struct wr_engine *engine, const char *name,
                                       const char *value, struct wr_error *error)
{
    if (!engine->own)
        return wr_error_set(error, WR_ERR_USAGE, "the program has no parameter '%s'", name);
    return wr_program_set_parameter(engine->own, wr_slice_cstr(name), wr_slice_cstr(value), error);
}

/* on_error and max_errors of the program and of its streams. */
static enum wr_status check_settings(const struct wr_engine *engine,
                                     struct wr_task_options *options, struct wr_error *error)
{
    const struct wr_program *program = engine->program;
    const char *budget = wr_program_setting(program, "max_errors");
    options->errors_max = engine->options.errors_max;
    if (options->errors_max < 0 && budget &&
        (!wr_parse_i64(wr_slice_cstr(budget), &options->errors_max) || options->errors_max < 0))
        return wr_error_set(error, WR_ERR_USAGE, "max_errors is a number of rows, not '%s'",
                            budget);
    const char *policy = wr_program_setting(program, "on_error");
    options->stop_on_error = policy && strcmp(policy, "stop") == 0;
    for (uint32_t i = 0; i <= program->stream_count; i++) {
        const char *said =
            i < program->stream_count ? wr_stream_option(&program->stream[i], "on_error") : policy;
        if (!said || strcmp(said, "skip") == 0 || strcmp(said, "stop") == 0) continue;
        const char *where = i < program->stream_count ? program->stream[i].name : "SET";
        if (strncmp(said, "dlq:", 4) == 0)
            return wr_error_set(
                error, WR_ERR_USAGE,
                "%s: on_error = '%s': dead letters need Kafka, which does not run yet", where,
                said);
        return wr_error_set(error, WR_ERR_USAGE, "%s: on_error is 'skip' or 'stop', not '%s'",
                            where, said);
    }
    return WR_OK;
}

/* checkpoint_interval and checkpoint_rows of the program, where the options leave them open. */
static enum wr_status state_options(const struct wr_engine *engine, struct wr_checkpoint_options *out, struct wr_error *error)
{
    enum { INTERVAL_US = 10000000 };
    const struct wr_engine_options *o = &engine->options;
    const char *interval = wr_program_setting(engine->program, "checkpoint_interval");
    const char *rows = wr_program_setting(engine->program, "checkpoint_rows");
    int64_t count = (int64_t)o->checkpoint_rows;
    *out = (struct wr_checkpoint_options){.directory = o->state, .interval_us = o->checkpoint_us, .discard = o->discard_state,
                                          .accept_loss = o->accept_loss, .any_file_system = o->any_file_system,
                                          .each_batch = o->state_roundtrip >= 2};
    if (out->interval_us < 0) out->interval_us = INTERVAL_US;
    if (o->checkpoint_us < 0 && interval &&
        (!wr_parse_interval(wr_slice_cstr(interval), &out->interval_us) || out->interval_us < 0))
        return wr_error_set(error, WR_ERR_USAGE, "checkpoint_interval is a duration, not '%s'", interval);
    if (!count && rows && (!wr_parse_i64(wr_slice_cstr(rows), &count) || count < 0))
        return wr_error_set(error, WR_ERR_USAGE, "checkpoint_rows is a number of rows, not '%s'", rows);
    out->interval_rows = (uint64_t)count;
    const char *most = wr_program_setting(engine->program, "memory_max");
    if (most && (!wr_parse_bytes(wr_slice_cstr(most), &out->memory_max) || out->memory_max <= WR_COLD_ALL))
        return wr_error_set(error, WR_ERR_USAGE, "memory_max is a size like '512MB', not '%s'", most);
    if (o->state_roundtrip == 3) out->memory_max = WR_COLD_ALL;
    return WR_OK;
}

static void cycle(void *engine) { wr_checkpoint_cycle(engine); }

/* What is asked for and bounds nothing in this run is told. */
static void tell_idle_settings(const struct wr_engine *engine)
{
    const struct wr_engine_options *o = &engine->options;
    if (!o->on_log) return;
    if (!o->state && wr_program_setting(engine->program, "memory_max"))
        o->on_log(o->context, "memory_max bounds nothing without a state directory (--state DIR)");
    bool ahead = wr_program_setting(engine->program, "max_ahead") != NULL;
    for (uint32_t i = 0; i < engine->program->stream_count; i++)
        ahead |= wr_stream_option(&engine->program->stream[i], "max_ahead") != NULL;
    if (ahead) o->on_log(o->context, "max_ahead bounds nothing here: records of files have no time of their own");
}

static enum wr_status open_everything(struct wr_engine *engine, struct wr_error *error)
{
    struct wr_checkpoint_options state;
    if (engine->options.state &&
        (state_options(engine, &state, error) != WR_OK || wr_engine_check_outputs(engine, error) != WR_OK ||
         wr_checkpoint_open(engine, &state, &engine->going_on, error) != WR_OK ||
         wr_engine_check_outputs(engine, error) != WR_OK))
        return error->status;
    tell_idle_settings(engine);
    if (wr_engine_open_inputs(engine, error) != WR_OK) return error->status;
    wr_task_start(&engine->task);
    if (wr_engine_open_outputs(engine, error) != WR_OK) return error->status;
    int cycles = engine->options.state_roundtrip;
    if (cycles >= 2 && !engine->options.state) wr_checkpoint_cycle_open(engine, cycles == 3);
    return engine->options.state ? wr_checkpoint_resume(engine, error) : WR_OK;
}

bool wr_engine_refuses(const struct wr_engine *engine, struct wr_error *error)
{
    if (engine->broke) wr_error_set(error, WR_ERR_MEMORY, "the engine ran out of memory before: close it");
    return engine->broke;
}

enum wr_status wr_engine_set_up(struct wr_engine *engine, struct wr_error *error)
{
    if (wr_engine_refuses(engine, error)) return error->status;
    if (engine->running) return wr_error_set(error, WR_ERR_USAGE, "an engine runs once");
    if (wr_program_check_parameters(engine->program, error) != WR_OK) return error->status;
    struct wr_task_options options = {.batch_rows = engine->options.batch_rows,
                                      .state_roundtrip = engine->options.state_roundtrip == 1,
                                      .cycle = engine->options.state_roundtrip >= 2 && !engine->options.state ? cycle : NULL,
                                      .cycle_context = engine,
                                      .matcher = engine->options.matcher,
                                      .executor = engine->options.executor,
                                      .watch = engine->watch,
                                      .stop = &engine->stop,
                                      .durable = engine->options.state != NULL,
                                      .log = engine->options.on_log,
                                      .log_context = engine->options.context};
    if (check_settings(engine, &options, error) != WR_OK) return error->status;
    const struct wr_watch_options *watch = &engine->options.watch;
    if (watch->on_result || watch->on_drop || watch->on_late || watch->on_start)
        options.watch = engine->watch = wr_watch_new(watch, engine->connectors);
    WR_ASSERT(engine->sink.count == 0 && engine->task.op_count == 0);
    engine->running = true;
    wr_task_init(&engine->task, engine->program, &options);
    engine->built = true;
    return open_everything(engine, error);
}

void wr_engine_progress(const struct wr_engine *engine, struct wr_progress *progress)
{
    *progress = (struct wr_progress){.event_time_us = INT64_MIN};
    if (!engine->built) return;
    const struct wr_task *task = &engine->task;
    bool known = true;
    for (uint32_t i = 0; i < task->partition_count; i++) {
        const struct wr_partition *p = task->partition[i];
        uint64_t done = 0, total = 0;
        if (p->reader) p->reader->cls->progress(p->reader, &done, &total);
        progress->events += p->rows;
        progress->bytes_done += done;
        progress->bytes_total += total;
        known &= total != 0;
    }
    if (!known) progress->bytes_total = 0;
    progress->matches = task->rows_written;
    progress->event_time_us = task->watermark == WR_TIME_MAX ? task->time : task->watermark;
}

void wr_engine_flush(struct wr_engine *engine)
{
    for (size_t i = 0; i < engine->sink.count; i++) wr_sink_flush(engine->sink.at[i]);
}

/* Does some input come through a pipe? Then reading may wait for its writer, and results must not. */
static bool may_wait(const struct wr_engine *engine)
{
    for (uint32_t i = 0; i < engine->task.partition_count; i++) {
        uint64_t done = 0, total = 0;
        const struct wr_reader *reader = engine->task.partition[i]->reader;
        reader->cls->progress(reader, &done, &total);
        if (total == 0) return true;
    }
    return false;
}

/* Results are handed on; where state is kept the journal hears how far they have come. */
static enum wr_status publish(struct wr_engine *engine, struct wr_error *error)
{
    wr_engine_flush(engine);
    return engine->options.state ? wr_checkpoint_publish(engine, error) : WR_OK;
}

/* Steps until the end, an error or the host's wish; about every 100 ms results are handed on and
 * the host hears. */
static enum wr_status loop(struct wr_engine *engine, struct wr_error *error)
{
    enum { TICK_US = 100000 };
    WR_ASSERT(engine->running);
    int64_t tick = wr_clock_monotonic_us();
    bool waits = may_wait(engine), each = engine->options.state && engine->options.state_roundtrip >= 2;
    for (;;) {
        if (engine->stop) return wr_error_set(error, WR_ERR_STOPPED, "stopped");
        enum wr_status status = wr_task_step(&engine->task);
        if (status == WR_END) return WR_OK;
        if (status != WR_OK) {
            *error = engine->task.error;
            return status;
        }
        if (each && publish(engine, error) != WR_OK) return error->status;
        if (engine->options.state && !engine->task.abandoned && wr_checkpoint_tick(engine, error) != WR_OK)
            return error->status;
        if (waits) wr_engine_flush(engine);
        int64_t now = wr_clock_monotonic_us();
        if (now - tick < TICK_US) continue;
        tick = now;
        if (publish(engine, error) != WR_OK) return error->status;
        if (!engine->options.on_progress) continue;
        struct wr_progress progress;
        wr_engine_progress(engine, &progress);
        if (engine->options.on_progress(engine->options.context, &progress) != 0) engine->stop = 1;
    }
}

/* The last checkpoint of a run: of its end, or of where it was asked to stop. */
static enum wr_status last_checkpoint(struct wr_engine *engine, enum wr_status status, struct wr_error *error)
{
    struct wr_error own = {0};
    if (!engine->options.state || (status != WR_OK && status != WR_ERR_STOPPED)) return status;
    if (status == WR_ERR_STOPPED && engine->task.abandoned) return status; /* the one before it stands */
    if (engine->task.error.status != WR_OK) return status;
    for (size_t i = 0; status == WR_OK && i < engine->sink.count; i++) {
        wr_sink_flush(engine->sink.at[i]);
        if (wr_sink_is_behind(engine->sink.at[i])) return status; /* closing it says what is wrong */
    }
    if (wr_checkpoint_now(engine, status == WR_OK, &own) == WR_OK) return status;
    *error = own;
    return own.status;
}

enum wr_status wr_engine_run(struct wr_engine *engine, struct wr_error *error)
{
    enum wr_status status = wr_engine_set_up(engine, error);
    if (status != WR_OK) return status;
    engine->finished = true;
    if (!wr_checkpoint_was_finished(engine)) status = last_checkpoint(engine, loop(engine, error), error);
    wr_checkpoint_close_saver(engine);
    return wr_engine_close_outputs(engine, status, error);
}

enum wr_status wr_engine_close_outputs(struct wr_engine *engine, enum wr_status status,
                                       struct wr_error *error)
{
    for (size_t i = 0; i < engine->sink.count; i++) wr_sink_close(engine->sink.at[i]);
    if (status == WR_OK && engine->task.error.status != WR_OK) *error = engine->task.error;
    if (status == WR_OK && error->status == WR_OK && engine->task.broken.status != WR_OK)
        *error = engine->task.broken;
    return status == WR_OK ? error->status : status;
}

/* ---- The table of a run
 * --------------------------------------------------------------------------- */

static uint64_t rows_read(const struct wr_engine *engine, uint32_t node)
{
    uint64_t rows = 0;
    const struct wr_source *source = (const struct wr_source *)engine->task.op[node];
    WR_ASSERT(source->op.cls == &wr_source_operator);
    for (size_t i = 0; i < source->partition.count; i++) rows += source->partition.at[i]->rows;
    return rows;
}

/* Behind the table: columns that no record had a value for. JSON's object is closed here. */
static void print_unseen(const struct wr_engine *engine, bool json, struct wr_buf *out)
{
    bool more = false;
    if (json) wr_buf_add_cstr(out, ",\"no_value\":[");
    for (uint32_t node = 0; node < engine->task.op_count; node++) {
        const struct wr_source *source = (const struct wr_source *)engine->task.op[node];
        if (engine->program->node[node].kind != WR_NODE_SOURCE) continue;
        if (json) more = wr_unseen_print_json(source, more, out);
        else wr_unseen_print(source, out);
    }
    if (json) wr_buf_add_cstr(out, "]}\n");
}

void wr_engine_summary(const struct wr_engine *engine, bool json, struct wr_buf *out)
{
    const struct wr_program *program = engine->program;
    if (!engine->built) return;
    size_t count = program->query_count;
    struct wr_flow *flow =
        wr_alloc_zero(sizeof *flow * (program->query_count + (size_t)program->node_count));
    for (uint32_t q = 0; q < program->query_count; q++)
        flow[q] = (struct wr_flow){.name = program->query[q], .query = q};
    for (uint32_t node = 0; node < engine->task.op_count; node++) {
        const char *name = wr_node_binding_name(program, node);
        if (!name) continue;
        size_t at = 0;
        while (at < count && strcmp(flow[at].name, name) != 0) at++;
        if (at == count) flow[count++] = (struct wr_flow){.name = name, .query = WR_NONE};
        if (program->node[node].kind == WR_NODE_SOURCE) {
            flow[at].is_input = true;
            flow[at].read += rows_read(engine, node);
        } else {
            flow[at].is_output = true;
            flow[at].written += wr_output_rows(engine->task.op[node]);
        }
    }
    if (json)
        wr_drops_print_json(&engine->task.drops, program, flow, count, out);
    else
        wr_drops_print(&engine->task.drops, flow, count, out);
    print_unseen(engine, json, out);
    wr_free(flow);
}
