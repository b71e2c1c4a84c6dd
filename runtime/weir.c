/* include/weir.h: the one file that joins the rooms. Every function that may allocate sets a memory
 * guard, so that running out of memory is a status; statuses and structs are translated here and
 * nowhere else. */
#include "include/weir.h"

#include "compiler/compile.h"
#include "connectors/connectors.h"
#include "runtime/bound.h"
#include "runtime/checkpoint.h"
#include "runtime/engine.h"
#include "runtime/state_view.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

struct weir_text {
    struct wr_buf buf; /* NUL-terminated */
};
struct weir_program {
    struct wr_program *program;
};
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

/* Takes the buffer over. */
static weir_text *text_of(struct wr_buf *buf)
{
    (void)wr_buf_cstr(buf);
    weir_text *text = wr_alloc(sizeof *text);
    text->buf = *buf;
    *buf = (struct wr_buf){0};
    return text;
}

const char *weir_version(void) { return WEIR_VERSION; }
/* ---- Compiling ---- */

struct compiling {
    struct wr_arena arena;
    struct wr_sources sources;
    struct wr_diags diags;
    struct wr_buf rendered;
    weir_compile_options options;
    struct wr_program *program;
};

static struct wr_slice folder_of(struct wr_slice path)
{
    size_t size = path.size;
    while (size && path.data[size - 1] != '/') size--;
    return wr_slice_of(path.data, size);
}

static bool read_file(struct wr_arena *arena, const char *path, struct wr_slice *text,
                      struct wr_slice *why)
{
    struct stat info;
    FILE *file = fopen(path, "rb");
    if (!file || fstat(fileno(file), &info) != 0) {
        *why = errno == ENOENT ? WR_SLICE("no such file")
                               : wr_arena_printf(arena, "%s", strerror(errno));
        if (file) fclose(file);
        return false;
    }
    if (S_ISDIR(info.st_mode)) {
        *why = WR_SLICE("it is a folder");
        fclose(file);
        return false;
    }
    struct wr_buf buf = {0};
    size_t got;
    do {
        char *room = wr_buf_reserve(&buf, 1 << 16);
        got = fread(room, 1, 1 << 16, file);
        buf.size += got;
    } while (got);
    bool failed = ferror(file);
    if (failed) *why = wr_arena_printf(arena, "%s", strerror(errno));
    fclose(file);
    *text = wr_arena_copy(arena, wr_buf_slice(&buf));
    wr_buf_release(&buf);
    return !failed;
}

static bool include(void *context, struct wr_arena *arena, struct wr_slice from,
                    struct wr_slice name, struct wr_slice *full_name, struct wr_slice *text,
                    struct wr_slice *why)
{
    struct compiling *job = context;
    bool absolute = name.size && name.data[0] == '/';
    struct wr_slice folder = absolute ? wr_slice_of("", 0) : folder_of(from);
    *full_name = wr_arena_printf(arena, "%.*s%.*s", WR_SLICE_ARG(folder), WR_SLICE_ARG(name));
    if (!job->options.include) return read_file(arena, wr_arena_cstr(arena, *full_name), text, why);
    char *bytes = NULL;
    size_t size = 0;
    if (job->options.include(job->options.include_context, wr_arena_cstr(arena, from),
                             wr_arena_cstr(arena, name), &bytes, &size) != 0) {
        *why = WR_SLICE("no such file");
        return false;
    }
    *text = wr_arena_copy(arena, wr_slice_of(bytes, size));
    wr_free(bytes); /* malloc'ed by the host, as the header says */
    return true;
}

static void put_quoted(struct wr_buf *out, char quote, struct wr_slice text)
{
    wr_buf_add_char(out, quote);
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == quote) wr_buf_add_char(out, quote);
        wr_buf_add_char(out, text.data[i]);
    }
    wr_buf_add_char(out, quote);
}

static void put_name(struct wr_buf *out, const struct wr_inferred_column *column)
{
    if (column->quoted)
        put_quoted(out, '"', column->name);
    else
        wr_buf_add_slice(out, column->name);
}

/* The disorder seen, rounded up to a length that a person would choose: the rest of the file may
 * hold a little more. */
static int64_t delay_for(int64_t disorder_us)
{
    static const int64_t seconds[] = {0,    1,    5,    10,    30,    60,    300,    600,
                                      1800, 3600, 7200, 21600, 43200, 86400, 172800, 604800};
    for (size_t i = 0; i < WR_COUNT(seconds); i++)
        if (seconds[i] * 1000000 >= disorder_us) return seconds[i];
    return (disorder_us / 86400000000 + 1) * 86400;
}

/* CREATE STREAM "path" (…) as text: what was inferred reads like any other declaration. */
static void declare(const struct wr_inferred *seen, struct wr_slice path, struct wr_buf *out)
{
    wr_buf_add_cstr(out, "CREATE STREAM ");
    put_quoted(out, '"', path);
    wr_buf_add_cstr(out, " (\n");
    for (uint32_t c = 0; c < seen->count; c++) {
        const struct wr_inferred_column *column = &seen->column[c];
        wr_buf_add_cstr(out, c ? ",\n    " : "    ");
        put_name(out, column);
        wr_buf_add_char(out, ' ');
        wr_type_print(column->type, out);
        if (!column->path.size) continue;
        wr_buf_add_cstr(out, " FROM ");
        put_quoted(out, '\'', column->path);
    }
    if (seen->time_column != WR_NONE) {
        const struct wr_inferred_column *time = &seen->column[seen->time_column];
        wr_buf_add_cstr(out, ",\n    WATERMARK FOR ");
        put_name(out, time);
        wr_buf_add_cstr(out, " AS ");
        put_name(out, time);
        if (seen->disorder_us > 0)
            wr_buf_printf(out, " - %llds", (long long)delay_for(seen->disorder_us));
    }
    wr_buf_add_cstr(out, "\n) WITH (connector = 'file', path = ");
    put_quoted(out, '\'', path);
    wr_buf_printf(out, ", format = '%s'", seen->format);
    if (seen->time_unit) wr_buf_printf(out, ", timestamp_unit = '%s'", seen->time_unit);
    wr_buf_add_cstr(out, ");\n");
}

static bool file_stream(void *context, struct wr_arena *arena, struct wr_slice path,
                        struct wr_statement *declaration, struct wr_slice *why)
{
    enum { ROWS = 10000 };
    struct compiling *job = context;
    struct wr_inferred seen;
    struct wr_error error = {0};
    if (wr_infer(wr_arena_cstr(arena, path), ROWS, arena, &seen, &error) != WR_OK) {
        *why = wr_arena_printf(arena, "%s", error.message);
        return false;
    }
    if (seen.count == 0) {
        *why = WR_SLICE("it has no records to infer columns from");
        return false;
    }
    struct wr_buf text = {0};
    declare(&seen, path, &text);
    uint32_t file =
        wr_sources_add(&job->sources, WR_SLICE("inferred declaration"), wr_buf_slice(&text));
    wr_buf_release(&text);
    struct wr_tree tree = wr_parse_one(arena, &job->diags, file);
    if (tree.count != 1 || tree.statement[0].kind != WR_STATEMENT_CREATE_STREAM) {
        *why = WR_SLICE("its columns cannot be declared");
        return false;
    }
    *declaration = tree.statement[0];
    if (seen.note) *why = wr_slice_cstr(seen.note);
    return true;
}

/* Warnings that the caller does not want: those of one file, whose text he has not written, or (WR_NONE) all. */
static void drop_warnings(struct wr_diags *diags, uint32_t file)
{
    uint32_t kept = 0, warnings = 0;
    for (uint32_t i = 0; i < diags->count; i++) {
        bool warning = wr_diag_severity(diags->at[i].code) != WR_SEVERITY_ERROR;
        if (warning && (file == WR_NONE || diags->at[i].span.file == file)) continue;
        warnings += warning;
        diags->at[kept++] = diags->at[i];
    }
    diags->count = kept;
    diags->warning_count = warnings;
}

static void compile_text(struct compiling *job, struct wr_slice name, struct wr_slice text)
{
    wr_sources_init(&job->sources, &job->arena);
    wr_diags_init(&job->diags, &job->arena, &job->sources);
    struct wr_tree before = {0};
    uint32_t before_file = WR_NONE;
    if (job->options.preamble) {
        before_file = wr_sources_add(&job->sources, WR_SLICE("declarations"),
                                     wr_slice_cstr(job->options.preamble));
        before = wr_parse(&job->arena, &job->diags, before_file, include, job);
    }
    uint32_t main_file = wr_sources_add(&job->sources, name, text);
    struct wr_tree tree = wr_parse(&job->arena, &job->diags, main_file, include, job);
    if (before.count) {
        struct wr_statement *all =
            WR_NEW_ARRAY(&job->arena, struct wr_statement, before.count + (size_t)tree.count);
        memcpy(all, before.statement, before.count * sizeof *all);
        if (tree.count) memcpy(all + before.count, tree.statement, tree.count * sizeof *all);
        tree.statement = all;
        tree.count += before.count;
    }
    struct wr_compile_options options = {.flink_dialect = job->options.flink_dialect,
                                         .recorded = job->options.recorded != 0,
                                         .name_columns = job->options.name_columns != 0,
                                         .whole_input = job->options.whole_input != 0,
                                         .file_stream =
                                             job->options.infer_files ? file_stream : NULL,
                                         .file_stream_context = job};
    job->program = wr_compile(&tree, &job->diags, main_file, &options);
    if (wr_diags_failed(&job->diags) && job->program) {
        wr_program_free(job->program);
        job->program = NULL;
    }
    if (!job->options.warnings) drop_warnings(&job->diags, WR_NONE);
    else if (job->options.preamble) drop_warnings(&job->diags, before_file);
    if (job->diags.count == 0) return;
    if (job->options.json)
        wr_diags_render_json(&job->diags, &job->rendered);
    else
        wr_diags_render(&job->diags, job->options.color != 0, &job->rendered);
}

weir_status weir_compile(const char *name, const char *text, size_t size,
                         const weir_compile_options *options, weir_program **program,
                         weir_text **diagnostics)
{
    struct wr_memory_guard guard;
    struct compiling *job = NULL;
    WR_ASSERT(program && (text || !size));
    *program = NULL;
    if (diagnostics) *diagnostics = NULL;
    if (WR_MEMORY_GUARD(&guard)) return WEIR_E_MEMORY;
    job = wr_alloc_zero(sizeof *job); /* outlives a failure further down */
    wr_memory_guard_pop(&guard);
    job->options = (weir_compile_options)WEIR_COMPILE_OPTIONS_INIT;
    if (options) memcpy(&job->options, options, WR_MIN(options->struct_size, sizeof *options));
    wr_arena_init(&job->arena);
    volatile weir_status status = WEIR_E_MEMORY;
    if (!WR_MEMORY_GUARD(&guard)) {
        compile_text(job, wr_slice_cstr(name), wr_slice_of(text, size));
        if (job->program) {
            *program = wr_alloc(sizeof **program);
            (*program)->program = job->program;
        }
        if (diagnostics && job->rendered.size) *diagnostics = text_of(&job->rendered);
        wr_memory_guard_pop(&guard);
        status = job->program ? WEIR_OK : WEIR_E_PROGRAM;
    }
    wr_buf_release(&job->rendered);
    wr_arena_release(&job->arena);
    wr_free(job);
    return status;
}

/* ---- Programs
 * ------------------------------------------------------------------------------------ */

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
    *bytes = text_of(&buf);
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

/* ---- Engines
 * ------------------------------------------------------------------------------------- */

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
    *summary = text_of(&buf);
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
    else if (r->question == WEIR_STATE_VERIFY) (void)wr_state_verify(r->directory, &wr_connectors_library, out, error);
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
    *text = text_of(&out);
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
