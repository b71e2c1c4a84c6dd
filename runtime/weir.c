/* include/weir.h: this file and weir_compile.c join the rooms. Every function that may allocate sets a memory
 * guard, so that running out of memory is a status; statuses and structs are translated here and
 * nowhere else. */
#include "runtime/weir_internal.h"

#include "connectors/connectors.h"
#include "runtime/bound.h"
#include "runtime/checkpoint.h"
#include "runtime/engine.h"
#include "runtime/state_view.h"

#include <stdio.h>

struct weir_engine {
    struct wr_engine engine;
    weir_engine_options options;
};

static weir_status status_of(enum wr_status status)
{
    switch (status) {
    case WR_OK:
    case WR_END: return WEIR_OK;
    case WR_ERR_USAGE: return WEIR_E_USAGE;
    case WR_ERR_PROGRAM: return WEIR_E_PROGRAM;
    case WR_ERR_INPUT: return WEIR_E_INPUT;
    case WR_ERR_STATE: return WEIR_E_STATE;
    case WR_ERR_IO: return WEIR_E_IO;
    case WR_ERR_LIMIT: return WEIR_E_LIMIT;
    case WR_ERR_MEMORY: return WEIR_E_MEMORY;
    case WR_ERR_STOPPED: return WEIR_E_STOPPED;
    case WR_ERR_CLOSED: return WEIR_E_CLOSED;
    case WR_ERR_DEFECT: return WEIR_E_DEFECT;
    }
    return WEIR_E_DEFECT;
}

static weir_status tell(const struct wr_error *from, weir_error *to)
{
    weir_status status = status_of(from->status);
    if (to) {
        to->status = status;
        snprintf(to->message, sizeof to->message, "%s", from->message);
    }
    return status;
}

static weir_status tell_memory(weir_error *to)
{
    struct wr_error error = {WR_ERR_MEMORY, "out of memory"};
    return tell(&error, to);
}

/* What the call was about is half done: the engine takes nothing more. */
static weir_status broke(weir_engine *engine, weir_error *to)
{
    engine->engine.broke = true;
    return tell_memory(to);
}

/* ---- Texts --------------------------------------------------------------------------------------- */

const char *weir_text_data(const weir_text *text) { return text ? text->buf.data : ""; }

size_t weir_text_size(const weir_text *text) { return text ? text->buf.size : 0; }

void weir_text_free(weir_text *text)
{
    if (!text) return;
    wr_buf_release(&text->buf);
    wr_free(text);
}

weir_text *wr_text_of(struct wr_buf *buf)
{
    (void)wr_buf_cstr(buf);
    weir_text *text = wr_alloc(sizeof *text);
    text->buf = *buf;
    *buf = (struct wr_buf){0};
    return text;
}

const char *weir_version(void) { return WEIR_VERSION; }

/* ---- Programs ------------------------------------------------------------------------------------- */

weir_status weir_program_load(const void *bytes, size_t size, weir_program **program, weir_error *error)
{
    struct wr_memory_guard guard;
    struct wr_error inner = {0};
    WR_ASSERT(program && (bytes || !size));
    *program = NULL;
    if (WR_MEMORY_GUARD(&guard)) return tell_memory(error);
    struct wr_program *decoded = wr_program_decode(wr_slice_of(bytes, size), &inner);
    if (decoded) {
        *program = wr_alloc(sizeof **program);
        (*program)->program = decoded;
    }
    wr_memory_guard_pop(&guard);
    return tell(&inner, error);
}

size_t weir_program_state_sizes(const weir_program *program, weir_state_size *size, size_t count)
{
    struct wr_memory_guard guard;
    uint32_t nodes = program->program->node_count;
    WR_ASSERT(size || !count);
    if (!count) return nodes;
    if (WR_MEMORY_GUARD(&guard)) return 0;
    struct wr_state_bound *bound = wr_alloc_zero((nodes + 1) * sizeof *bound);
    wr_program_bounds(program->program, bound);
    for (uint32_t i = 0; i < nodes && i < count; i++)
        size[i] = (weir_state_size){bound[i].key, bound[i].start, bound[i].way, bound[i].row, bound[i].one_start,
                                    bound[i].elders};
    wr_free(bound);
    wr_memory_guard_pop(&guard);
    return nodes;
}

weir_status weir_program_save(const weir_program *program, weir_text **bytes, weir_error *error)
{
    struct wr_memory_guard guard;
    struct wr_error inner = {0};
    WR_ASSERT(program && bytes);
    *bytes = NULL;
    if (WR_MEMORY_GUARD(&guard)) return tell_memory(error);
    struct wr_buf buf = {0};
    wr_program_encode(program->program, &buf);
    *bytes = wr_text_of(&buf);
    wr_memory_guard_pop(&guard);
    return tell(&inner, error);
}

int weir_is_program_file(const void *bytes, size_t size)
{
    return wr_program_is_file(wr_slice_of(bytes, size));
}

static const char *bindable(const struct wr_program *program, enum wr_node_kind kind, size_t index)
{
    WR_ASSERT(program);
    for (uint32_t i = 0; i < program->node_count; i++)
        if (program->node[i].kind == kind && index-- == 0) return wr_node_binding_name(program, i);
    return NULL;
}

const char *weir_program_input(const weir_program *program, size_t index)
{
    return bindable(program->program, WR_NODE_SOURCE, index);
}

const char *weir_program_output(const weir_program *program, size_t index)
{
    return bindable(program->program, WR_NODE_OUTPUT, index);
}

void weir_program_free(weir_program *program)
{
    if (!program) return;
    wr_program_free(program->program);
    wr_free(program);
}

/* ---- Engines -------------------------------------------------------------------------------------- */

static int progress_bridge(void *context, const struct wr_progress *progress)
{
    weir_engine *engine = context;
    weir_progress out = {progress->events, progress->matches, progress->bytes_done,
                         progress->bytes_total, progress->event_time_us};
    return engine->options.on_progress(engine->options.context, &out);
}

static void log_bridge(void *context, const char *line)
{
    weir_engine *engine = context;
    engine->options.on_log(engine->options.context, line);
}

static int output_bridge(void *context, const char *lines, size_t size)
{
    weir_engine *engine = context;
    return engine->options.on_output(engine->options.context, lines, size);
}

static weir_row row_of(const struct wr_watch_row *row)
{
    return (weir_row){row->stream, row->partition, row->record, row->time, row->variable, row->text,
                      row->is_moment};
}

static void result_bridge(void *context, const struct wr_watch_result *result)
{
    weir_engine *engine = context;
    weir_row *rows = wr_alloc(sizeof *rows * (result->row_count + 1));
    for (size_t i = 0; i < result->row_count; i++) rows[i] = row_of(&result->rows[i]);
    weir_result out = {.output = result->output, .derived = result->derived, .event_time_us = result->time,
                       .row = result->row.data, .row_size = result->row.size, .pattern = result->pattern,
                       .timed_out = result->timed_out, .rows_known = result->rows_known,
                       .row_count = result->row_count, .rows = rows};
    engine->options.on_result(engine->options.context, &out);
    wr_free(rows);
}

static weir_drop drop_of(const struct wr_watch_drop *drop)
{
    return (weir_drop){drop->query, drop->kind,    drop->reason,       drop->code,
                       drop->what,  drop->has_row, row_of(&drop->row), drop->late_us};
}

static void drop_bridge(void *context, const struct wr_watch_drop *drop)
{
    weir_engine *engine = context;
    weir_drop out = drop_of(drop);
    engine->options.on_drop(engine->options.context, &out);
}

static void late_bridge(void *context, const struct wr_watch_drop *drop)
{
    weir_engine *engine = context;
    weir_drop out = drop_of(drop);
    engine->options.on_late(engine->options.context, &out);
}

static void start_bridge(void *context, const struct wr_watch_start *start)
{
    static const int ends[] = {
        [WR_WATCH_MATCH] = WEIR_START_MATCH,         [WR_WATCH_DIED] = WEIR_START_DIED,
        [WR_WATCH_EXPIRED] = WEIR_START_EXPIRED,     [WR_WATCH_TAKEN] = WEIR_START_TAKEN,
        [WR_WATCH_INPUT_ENDED] = WEIR_START_INPUT_ENDED, [WR_WATCH_FORBIDDEN] = WEIR_START_FORBIDDEN,
        [WR_WATCH_CLOSED] = WEIR_START_CLOSED,       [WR_WATCH_BOUND] = WEIR_START_BOUND,
        [WR_WATCH_CLAIMED] = WEIR_START_CLAIMED,     [WR_WATCH_LIMIT] = WEIR_START_LIMIT,
        [WR_WATCH_COVERED] = WEIR_START_COVERED,     [WR_WATCH_SUPPRESSED] = WEIR_START_SUPPRESSED,
        [WR_WATCH_LED] = WEIR_START_LED};
    static const int kinds[] = {
        [WR_REFUSAL_CONDITION] = WEIR_REFUSED_CONDITION, [WR_REFUSAL_EARLY] = WEIR_REFUSED_EARLY,
        [WR_REFUSAL_BOUND] = WEIR_REFUSED_BOUND,         [WR_REFUSAL_CLAIMED] = WEIR_REFUSED_CLAIMED,
        [WR_REFUSAL_CLOSED] = WEIR_REFUSED_CLOSED,       [WR_REFUSAL_FORBIDDEN] = WEIR_REFUSED_FORBIDDEN,
        [WR_REFUSAL_ABSENCE] = WEIR_REFUSED_ABSENCE};
    weir_engine *engine = context;
    weir_row *rows = wr_alloc(sizeof *rows * (start->row_count + 1));
    weir_refusal *refusals = wr_alloc(sizeof *refusals * (start->refusal_count + 1));
    for (size_t i = 0; i < start->row_count; i++) rows[i] = row_of(&start->rows[i]);
    for (size_t i = 0; i < start->refusal_count; i++) {
        const struct wr_watch_refusal *r = &start->refusal[i];
        refusals[i] = (weir_refusal){row_of(&r->row), r->variable, r->condition, r->values, kinds[r->kind],
                                     r->awaited, r->limit_us};
    }
    weir_start out = {.pattern = start->pattern, .key = start->key, .end = ends[start->end],
                      .end_us = start->end_time, .row_count = start->row_count, .rows = rows,
                      .refusal_count = start->refusal_count, .refusals = refusals, .refused = start->refused,
                      .limit_us = start->limit_us, .waits = start->waits, .cause = start->cause,
                      .waited = start->waited, .has_by = start->has_by, .by_first = row_of(&start->by_first),
                      .by_last = row_of(&start->by_last), .by_us = start->by_time};
    engine->options.on_start(engine->options.context, &out);
    wr_free(rows);
    wr_free(refusals);
}

static void seen_bridge(void *context, const struct wr_watch_seen *seen)
{
    weir_engine *engine = context;
    weir_seen out = {.query = seen->query, .filtered = seen->filtered, .key = seen->key, .row = row_of(&seen->row),
                     .variable_count = seen->variable_count, .variables = seen->variable};
    engine->options.on_seen(engine->options.context, &out);
}

weir_status weir_engine_open(const weir_program *program, const weir_engine_options *options, weir_engine **out,
                             weir_error *error)
{
    struct wr_memory_guard guard;
    struct wr_error inner = {0};
    WR_ASSERT(program && out);
    *out = NULL;
    if (WR_MEMORY_GUARD(&guard)) return tell_memory(error);
    weir_engine *engine = wr_alloc_zero(sizeof *engine); /* outlives a failure further down */
    wr_memory_guard_pop(&guard);
    engine->options = (weir_engine_options)WEIR_ENGINE_OPTIONS_INIT;
    if (options) memcpy(&engine->options, options, WR_MIN(options->struct_size, sizeof *options));
    const weir_engine_options *o = &engine->options;
    struct wr_engine_options set = {.errors_max = o->errors_max,
                                    .tag_outputs = o->tag_outputs != 0,
                                    .format = o->format,
                                    .batch_rows = o->batch_rows,
                                    .state_roundtrip = o->state_roundtrip,
                                    .matcher = o->matcher, .executor = (enum wr_executor)o->executor, /* one numbering */
                                    .state = o->state_dir,
                                    .checkpoint_us = o->checkpoint_interval_us,
                                    .checkpoint_rows = o->checkpoint_rows,
                                    .discard_state = o->discard_state != 0,
                                    .accept_loss = o->accept_loss != 0,
                                    .any_file_system = o->any_file_system != 0,
                                    .on_progress = o->on_progress ? progress_bridge : NULL,
                                    .on_log = o->on_log ? log_bridge : NULL,
                                    .on_output = o->on_output ? output_bridge : NULL,
                                    .context = engine,
                                    .watch = {.on_result = o->on_result ? result_bridge : NULL,
                                              .on_drop = o->on_drop ? drop_bridge : NULL,
                                              .on_late = o->on_late ? late_bridge : NULL,
                                              .on_start = o->on_start ? start_bridge : NULL,
                                              .on_seen = o->on_start && o->on_seen ? seen_bridge : NULL,
                                              .coverage = o->coverage != 0,
                                              .context = engine}};
    if (WR_MEMORY_GUARD(&guard)) {
        weir_engine_close(engine);
        return tell_memory(error);
    }
    enum wr_status status = wr_engine_init(&engine->engine, program->program, &wr_connectors_library, &set, &inner);
    wr_memory_guard_pop(&guard);
    if (status == WR_OK)
        *out = engine;
    else
        weir_engine_close(engine);
    return tell(&inner, error);
}

void weir_engine_close(weir_engine *engine)
{
    if (!engine) return;
    wr_engine_release(&engine->engine);
    wr_free(engine);
}

weir_status weir_engine_set_parameter(weir_engine *engine, const char *name, const char *value, weir_error *error)
{
    struct wr_memory_guard guard;
    struct wr_error inner = {0};
    WR_ASSERT(engine && name && value);
    if (WR_MEMORY_GUARD(&guard)) return broke(engine, error);
    (void)wr_engine_set_parameter(&engine->engine, name, value, &inner);
    wr_memory_guard_pop(&guard);
    return tell(&inner, error);
}

weir_status weir_engine_bind_input(weir_engine *engine, const char *stream, const char *path, weir_error *error)
{
    struct wr_memory_guard guard;
    struct wr_error inner = {0};
    WR_ASSERT(engine && path);
    if (WR_MEMORY_GUARD(&guard)) return broke(engine, error);
    (void)wr_engine_bind_input(&engine->engine, stream, path, &inner);
    wr_memory_guard_pop(&guard);
    return tell(&inner, error);
}

weir_status weir_engine_bind_output(weir_engine *engine, const char *output, const char *path, weir_error *error)
{
    struct wr_memory_guard guard;
    struct wr_error inner = {0};
    WR_ASSERT(engine && path);
    if (WR_MEMORY_GUARD(&guard)) return broke(engine, error);
    (void)wr_engine_bind_output(&engine->engine, output, path, &inner);
    wr_memory_guard_pop(&guard);
    return tell(&inner, error);
}

weir_status weir_engine_run(weir_engine *engine, weir_error *error)
{
    struct wr_memory_guard guard;
    struct wr_error inner = {0};
    WR_ASSERT(engine);
    if (WR_MEMORY_GUARD(&guard)) return broke(engine, error);
    (void)wr_engine_run(&engine->engine, &inner);
    wr_memory_guard_pop(&guard);
    return tell(&inner, error);
}

void weir_engine_stop(weir_engine *engine) { engine->engine.stop = 1; }

weir_status weir_engine_summary(const weir_engine *engine, int json, weir_text **summary)
{
    struct wr_memory_guard guard;
    WR_ASSERT(engine && summary);
    *summary = NULL;
    if (WR_MEMORY_GUARD(&guard)) return WEIR_E_MEMORY;
    struct wr_buf buf = {0};
    wr_engine_summary(&engine->engine, json != 0, &buf);
    *summary = wr_text_of(&buf);
    wr_memory_guard_pop(&guard);
    return WEIR_OK;
}

void weir_engine_progress(const weir_engine *engine, weir_progress *progress)
{
    struct wr_progress now;
    wr_engine_progress(&engine->engine, &now);
    *progress = (weir_progress){now.events, now.matches, now.bytes_done, now.bytes_total,
                                now.event_time_us};
}

static void answer_state(const weir_state_request *r, struct wr_buf *out, uint64_t *answer, struct wr_error *error)
{
    struct wr_state_image image = {.first = 1};
    uint32_t lost = 0;
    if (r->question == WEIR_STATE_IMPORT) (void)wr_state_import(r->directory, r->to, error);
    else if (r->question == WEIR_STATE_VERIFY) (void)wr_state_verify(r->directory, &wr_connectors_library, r->json, out, error);
    else if (wr_state_image_read(&image, r->directory, error) == WR_OK) {
        bool json = r->json != 0;
        if (r->question == WEIR_STATE_LIST) (void)wr_state_list(&image, json, out, error);
        if (r->question == WEIR_STATE_SIZE) (void)wr_state_size(&image, json, out, error);
        if (r->question == WEIR_STATE_SHOW)
            (void)wr_state_show(&image, &wr_connectors_library, r->operator_name, r->key, r->most, json, out, error);
        if (r->question == WEIR_STATE_CHECK)
            (void)wr_state_compare(&image, r->program->program, json, &lost, out, error);
        if (r->question == WEIR_STATE_EXPORT) (void)wr_state_export(&image, r->to, error);
        if (r->question == WEIR_STATE_COPY) (void)wr_state_copy(&image, r->to, error);
    }
    *answer = lost;
    wr_state_image_release(&image);
}

weir_status weir_state(const weir_state_request *request, weir_text **text, uint64_t *answer, weir_error *error)
{
    struct wr_memory_guard guard;
    struct wr_error inner = {0};
    struct wr_buf out = {0};
    WR_ASSERT(request && text && answer && request->struct_size == sizeof *request && request->directory);
    *text = NULL;
    if (WR_MEMORY_GUARD(&guard)) return tell_memory(error);
    answer_state(request, &out, answer, &inner);
    *text = wr_text_of(&out);
    wr_memory_guard_pop(&guard);
    return tell(&inner, error);
}

/* The least time that 99 of 100 pauses did not pass: the upper end of its bucket. */
static int64_t pause_p99(const struct wr_checkpoint_stats *stats)
{
    uint64_t seen = 0;
    for (uint32_t i = 0; i < WR_COUNT(stats->pause_bucket); i++) {
        seen += stats->pause_bucket[i];
        if (seen * 100 >= stats->pause_count * 99) return WR_MIN((int64_t)1 << i, stats->pause_max_us);
    }
    return stats->pause_max_us;
}

void weir_engine_checkpoints(const weir_engine *engine, weir_checkpoints *out)
{
    struct wr_checkpoint_stats s;
    WR_ASSERT(engine && out);
    wr_checkpoint_measure(&engine->engine, &s);
    *out = (weir_checkpoints){.epoch = s.epoch, .taken = s.taken, .keys = s.units, .bytes = s.bytes,
                              .pause_p99_us = pause_p99(&s), .pause_max_us = s.pause_max_us,
                              .pause_sum_us = s.pause_sum_us, .commit_max_us = s.commit_max_us, .resumed = s.resumed,
                              .was_finished = s.finished_before, .resumed_rows = s.resumed_rows};
}

/* ---- Pushing ------------------------------------------------------------------------------------- */

weir_status weir_engine_add_partition(weir_engine *engine, const char *stream, uint32_t *partition, weir_error *error)
{
    struct wr_memory_guard guard;
    struct wr_error inner = {0};
    WR_ASSERT(engine && stream && partition);
    if (WR_MEMORY_GUARD(&guard)) return broke(engine, error);
    (void)wr_engine_feed(&engine->engine, stream, partition, &inner);
    wr_memory_guard_pop(&guard);
    return tell(&inner, error);
}

weir_status weir_engine_start(weir_engine *engine, weir_error *error)
{
    struct wr_memory_guard guard;
    struct wr_error inner = {0};
    WR_ASSERT(engine);
    if (WR_MEMORY_GUARD(&guard)) return broke(engine, error);
    (void)wr_engine_start(&engine->engine, &inner);
    wr_memory_guard_pop(&guard);
    return tell(&inner, error);
}

weir_status weir_engine_push(weir_engine *engine, const char *stream, uint32_t partition, const void *records,
                             size_t size, const int64_t *times_us, weir_error *error)
{
    struct wr_memory_guard guard;
    struct wr_error inner = {0};
    WR_ASSERT(engine && stream && (records || !size));
    if (WR_MEMORY_GUARD(&guard)) return broke(engine, error);
    (void)wr_engine_push(&engine->engine, stream, partition, wr_slice_of(records, size), times_us, &inner);
    wr_memory_guard_pop(&guard);
    return tell(&inner, error);
}

weir_status weir_engine_advance(weir_engine *engine, int64_t time_us, weir_error *error)
{
    struct wr_memory_guard guard;
    struct wr_error inner = {0};
    WR_ASSERT(engine);
    if (WR_MEMORY_GUARD(&guard)) return broke(engine, error);
    (void)wr_engine_advance(&engine->engine, WR_MIN(time_us, INT64_MAX - 1), &inner);
    wr_memory_guard_pop(&guard);
    return tell(&inner, error);
}

weir_status weir_engine_finish(weir_engine *engine, weir_error *error)
{
    struct wr_memory_guard guard;
    struct wr_error inner = {0};
    WR_ASSERT(engine);
    if (WR_MEMORY_GUARD(&guard)) return broke(engine, error);
    (void)wr_engine_finish(&engine->engine, &inner);
    wr_memory_guard_pop(&guard);
    return tell(&inner, error);
}

weir_status weir_engine_open_starts(weir_engine *engine, const char *pattern, uint64_t *starts)
{
    struct wr_memory_guard guard;
    WR_ASSERT(engine && pattern && starts);
    bool found = false;
    if (WR_MEMORY_GUARD(&guard)) return broke(engine, NULL);
    *starts = wr_engine_open_starts(&engine->engine, pattern, &found);
    wr_memory_guard_pop(&guard);
    return found ? WEIR_OK : WEIR_E_USAGE;
}

struct covering {
    void (*fn)(void *context, const weir_cover *cover);
    void *context;
};

static void cover_bridge(void *context, const struct wr_cover *cover)
{
    struct covering *to = context;
    weir_cover out = {cover->query, cover->what, cover->line, cover->hits};
    to->fn(to->context, &out);
}

weir_status weir_engine_coverage(const weir_engine *engine, void (*fn)(void *context, const weir_cover *cover), void *context)
{
    struct wr_memory_guard guard;
    struct covering to = {fn, context};
    WR_ASSERT(engine && fn);
    if (!engine->engine.watch) return WEIR_E_USAGE;
    if (WR_MEMORY_GUARD(&guard)) return WEIR_E_MEMORY;
    wr_watch_cover(engine->engine.watch, engine->engine.program, cover_bridge, &to);
    wr_memory_guard_pop(&guard);
    return WEIR_OK;
}
