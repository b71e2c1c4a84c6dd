/* Names of inputs and outputs, and the files behind them. */
#include "runtime/engine.h"

#include "base/text.h"
#include "runtime/source.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

const char *wr_node_binding_name(const struct wr_program *program, uint32_t node)
{
    WR_ASSERT(node < program->node_count);
    const struct wr_node *n = &program->node[node];
    if (n->kind == WR_NODE_SOURCE) return program->stream[n->u.source.stream].name;
    if (n->kind != WR_NODE_OUTPUT) return NULL;
    return n->u.output.stream != WR_NONE ? program->stream[n->u.output.stream].name
                                         : program->query[n->query];
}

static bool is_bindable(const struct wr_program *program, uint32_t node, enum wr_node_kind kind)
{
    return program->node[node].kind == kind;
}

/* The node of a name: as it is spelt, else without regard to case. */
static uint32_t find(const struct wr_program *program, enum wr_node_kind kind, const char *name)
{
    uint32_t found = WR_NONE;
    for (uint32_t i = 0; i < program->node_count; i++) {
        if (!is_bindable(program, i, kind)) continue;
        const char *own = wr_node_binding_name(program, i);
        if (strcmp(own, name) == 0) return i;
        if (found == WR_NONE && wr_slice_equal_nocase(wr_slice_cstr(own), wr_slice_cstr(name)))
            found = i;
    }
    return found;
}

static void list_names(const struct wr_program *program, enum wr_node_kind kind, struct wr_buf *out)
{
    const char *between = "";
    for (uint32_t i = 0; i < program->node_count; i++) {
        if (!is_bindable(program, i, kind)) continue;
        wr_buf_printf(out, "%s%s", between, wr_node_binding_name(program, i));
        between = ", ";
    }
    if (!*between) wr_buf_add_cstr(out, "none");
}

static enum wr_status unknown(const struct wr_program *program, enum wr_node_kind kind,
                              const char *name, struct wr_error *error)
{
    WR_ASSERT(kind == WR_NODE_SOURCE || kind == WR_NODE_OUTPUT);
    const char *what = kind == WR_NODE_SOURCE ? "input stream" : "output";
    struct wr_suggestion suggestion;
    wr_suggestion_init(&suggestion, wr_slice_cstr(name));
    for (uint32_t i = 0; i < program->node_count; i++)
        if (is_bindable(program, i, kind))
            wr_suggestion_offer(&suggestion, wr_slice_cstr(wr_node_binding_name(program, i)));
    struct wr_slice best = wr_suggestion_best(&suggestion);
    if (best.size)
        return wr_error_set(error, WR_ERR_USAGE, "the program has no %s '%s': did you mean '%.*s'?",
                            what, name, WR_SLICE_ARG(best));
    struct wr_buf names = {0};
    list_names(program, kind, &names);
    wr_error_set(error, WR_ERR_USAGE, "the program has no %s '%s' (%s)", what, name,
                 wr_buf_cstr(&names));
    wr_buf_release(&names);
    return WR_ERR_USAGE;
}

/* The only node of the kind, for a path without a name. */
static uint32_t only(const struct wr_program *program, enum wr_node_kind kind, const char *path,
                     struct wr_error *error)
{
    uint32_t found = WR_NONE, count = 0;
    for (uint32_t i = 0; i < program->node_count; i++) {
        if (!is_bindable(program, i, kind)) continue;
        found = i;
        count++;
    }
    if (count == 1) return found;
    bool input = kind == WR_NODE_SOURCE;
    if (count == 0) {
        wr_error_set(error, WR_ERR_USAGE, "the program has no %s to bind '%s' to",
                     input ? "input stream" : "output", path);
        return WR_NONE;
    }
    struct wr_buf names = {0};
    list_names(program, kind, &names);
    wr_error_set(error, WR_ERR_USAGE, "the program has %u %s (%s): say which with --%s NAME=%s",
                 (unsigned)count, input ? "input streams" : "outputs", wr_buf_cstr(&names),
                 input ? "in" : "out", path);
    wr_buf_release(&names);
    return WR_NONE;
}

static uint32_t resolve(const struct wr_engine *engine, enum wr_node_kind kind, const char *name,
                        const char *path, struct wr_error *error)
{
    if (!name) return only(engine->program, kind, path, error);
    uint32_t node = find(engine->program, kind, name);
    if (node == WR_NONE) unknown(engine->program, kind, name, error);
    return node;
}

uint32_t wr_engine_find_input(const struct wr_engine *engine, const char *name, struct wr_error *error)
{
    return resolve(engine, WR_NODE_SOURCE, name, "records", error);
}

enum wr_status wr_engine_bind_input(struct wr_engine *engine, const char *name, const char *path,
                                    struct wr_error *error)
{
    uint32_t node = resolve(engine, WR_NODE_SOURCE, name, path, error);
    if (node == WR_NONE) return WR_ERR_USAGE;
    for (size_t i = 0; i < engine->input.count && strcmp(path, "-") == 0; i++)
        if (engine->input.at[i].path && strcmp(engine->input.at[i].path, "-") == 0)
            return wr_error_set(error, WR_ERR_USAGE, "standard input can be read only once");
    struct wr_binding binding = {node, wr_strdup(path)};
    wr_vec_push(&engine->input, binding);
    return WR_OK;
}

enum wr_status wr_engine_bind_output(struct wr_engine *engine, const char *name, const char *path,
                                     struct wr_error *error)
{
    uint32_t node = resolve(engine, WR_NODE_OUTPUT, name, path, error);
    if (node == WR_NONE) return WR_ERR_USAGE;
    for (size_t i = 0; i < engine->output.count; i++)
        if (engine->output.at[i].node == node)
            return wr_error_set(
                error, WR_ERR_USAGE, "output '%s' is bound twice, to '%s' and to '%s'",
                wr_node_binding_name(engine->program, node), engine->output.at[i].path, path);
    struct wr_binding binding = {node, wr_strdup(path)};
    wr_vec_push(&engine->output, binding);
    return WR_OK;
}

/* ---- Opening
 * ------------------------------------------------------------------------------------- */

/* The path that the stream's own options name (connector = 'file'), or NULL. */
static const char *own_path(const struct wr_stream *stream)
{
    const char *connector = wr_stream_option(stream, "connector");
    if (connector && strcmp(connector, "file") != 0) return NULL;
    return wr_stream_option(stream, "path");
}

enum wr_status wr_engine_open_inputs(struct wr_engine *engine, struct wr_error *error)
{
    const struct wr_program *program = engine->program;
    for (size_t i = 0; i < engine->input.count; i++)
        if (wr_task_add_partition(&engine->task, engine->input.at[i].node, engine->input.at[i].path,
                                  engine->connectors, error) != WR_OK)
            return error->status;
    for (uint32_t node = 0; node < program->node_count; node++) {
        if (program->node[node].kind != WR_NODE_SOURCE) continue;
        bool bound = false;
        for (size_t i = 0; i < engine->input.count; i++) bound |= engine->input.at[i].node == node;
        if (bound) continue;
        const char *path = own_path(&program->stream[program->node[node].u.source.stream]);
        if (!path)
            return wr_error_set(
                error, WR_ERR_USAGE, "nothing is bound to the input stream '%s': say --in %s=PATH",
                wr_node_binding_name(program, node), wr_node_binding_name(program, node));
        if (wr_task_add_partition(&engine->task, node, path, engine->connectors, error) != WR_OK)
            return error->status;
    }
    return WR_OK;
}

static bool ends_with(const char *path, const char *end)
{
    size_t size = strlen(path), n = strlen(end);
    return size >= n && wr_slice_equal_nocase(wr_slice_of(path + size - n, n), wr_slice_of(end, n));
}

static const char *format_of(const struct wr_engine *engine, const struct wr_stream *stream,
                             const char *path)
{
    const char *said = stream ? wr_stream_option(stream, "format") : NULL;
    if (path && strcmp(path, "-") != 0) {
        if (ends_with(path, ".csv")) return "csv";
        if (ends_with(path, ".tsv")) return "tsv";
        if (ends_with(path, ".jsonl") || ends_with(path, ".ndjson") || ends_with(path, ".json"))
            return "json";
        if (said) return said;
    }
    if (engine->options.format) return engine->options.format;
    return said && (!strcmp(said, "csv") || !strcmp(said, "tsv")) ? said : "json";
}

/* Lines of all outputs on their way to who watches the results. */
static int to_watch(void *context, const char *lines, size_t size)
{
    struct wr_engine *engine = context;
    wr_watch_lines(engine->watch, &engine->task, lines, size);
    return 0;
}

static bool same_inode(const struct stat *a, const struct stat *b) { return a->st_dev == b->st_dev && a->st_ino == b->st_ino; }

/* The folder that a file lies in, or would. */
static bool folder_of(const char *path, struct stat *folder)
{
    char real[PATH_MAX];
    struct wr_buf text = {0};
    if (realpath(path, real)) path = real;
    const char *slash = strrchr(path, '/');
    wr_buf_add_slice(&text, slash ? wr_slice_of(path, (size_t)(slash - path) + 1) : WR_SLICE("."));
    bool known = stat(wr_buf_cstr(&text), folder) == 0;
    wr_buf_release(&text);
    return known;
}

/* One text for all spellings of a file, also of one that is not there yet. Pipes and devices are what they are called. */
static void put_place(const char *path, struct wr_buf *out)
{
    struct stat st;
    WR_ASSERT(path);
    if (strcmp(path, "-") == 0) return;
    const char *slash = strrchr(path, '/');
    bool there = stat(path, &st) == 0;
    if (there && S_ISREG(st.st_mode))
        wr_buf_printf(out, "file %llu:%llu", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
    else if (!there && folder_of(path, &st))
        wr_buf_printf(out, "new %llu:%llu/%s", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino,
                      slash ? slash + 1 : path);
    else wr_buf_printf(out, "path %s", path);
}

/* What is read cannot be written over: the input whose file this is, or NULL. */
static const char *input_of(const struct wr_engine *engine, const char *path)
{
    struct stat out, in;
    if (!path || strcmp(path, "-") == 0 || stat(path, &out) != 0 || !S_ISREG(out.st_mode)) return NULL;
    for (uint32_t i = 0; i < engine->task.partition_count; i++) {
        const struct wr_partition *p = engine->task.partition[i];
        if (!p->feed && stat(p->path, &in) == 0 && same_inode(&in, &out))
            return p->source->stream->name;
    }
    return NULL;
}

/* The sink of a path: outputs of one file share it. path NULL: standard output, or the host's
 * function. */
static struct wr_sink *sink_for(struct wr_engine *engine, const struct wr_stream *stream,
                                const char *path, const char *place, struct wr_error *error)
{
    const char *name = path && strcmp(path, "-") != 0 ? path : "standard output";
    for (size_t i = 0; i < engine->sink.count; i++)
        if (strcmp(engine->sink.at[i]->place, place) == 0) return engine->sink.at[i];
    WR_ASSERT(engine->running); /* sinks stop the task when they fail */
    const char *input = engine->options.watch.on_result ? NULL : input_of(engine, path);
    if (input) {
        wr_error_set(error, WR_ERR_USAGE, "%s is read as the input '%s': results cannot be written over it", path, input);
        return NULL;
    }
    bool watched = engine->options.watch.on_result != NULL;
    bool hosted = watched || (engine->options.on_output && (!path || strcmp(path, "-") == 0));
    wr_vec_reserve(&engine->sink, engine->sink.count + 1);
    struct wr_sink *sink = wr_sink_new(
        &engine->task, name, watched ? to_watch : hosted ? engine->options.on_output : NULL,
        watched ? (void *)engine : engine->options.context);
    sink->framed = watched;
    sink->place = place;
    wr_vec_push(&engine->sink, sink);
    if (!hosted)
        sink->writer = engine->going_on ? engine->connectors->reopen_writer(stream, path ? path : "-", error)
                                        : engine->connectors->open_writer(stream, path ? path : "-", error);
    return hosted || sink->writer ? sink : NULL;
}

static const char *bound_path(const struct wr_engine *engine, uint32_t node)
{
    if (engine->options.watch.on_result) return NULL;
    for (size_t i = 0; i < engine->output.count; i++)
        if (engine->output.at[i].node == node) return engine->output.at[i].path;
    WR_ASSERT(engine->program->node[node].kind == WR_NODE_OUTPUT);
    const struct wr_output_node *output = &engine->program->node[node].u.output;
    return output->stream == WR_NONE || output->only_if_bound
               ? NULL
               : own_path(&engine->program->stream[output->stream]);
}

enum wr_status wr_engine_check_outputs(const struct wr_engine *engine, struct wr_error *error)
{
    struct stat state, folder;
    WR_ASSERT(engine->options.state);
    if (stat(engine->options.state, &state) != 0) return WR_OK; /* nothing that could be hurt */
    for (uint32_t node = 0; node < engine->program->node_count; node++) {
        if (engine->program->node[node].kind != WR_NODE_OUTPUT) continue;
        const char *path = bound_path(engine, node);
        if (path && strcmp(path, "-") != 0 && folder_of(path, &folder) && same_inode(&folder, &state))
            return wr_error_set(error, WR_ERR_USAGE,
                                "%s: lies in the state directory '%s', which is weir's own: write it elsewhere", path,
                                engine->options.state);
    }
    return WR_OK;
}

/* Where each output's rows go, before any file is made. */
static void find_places(struct wr_engine *engine)
{
    struct wr_buf place = {0};
    WR_ASSERT(engine->place.count == 0);
    for (uint32_t node = 0; node < engine->program->node_count; node++) {
        bool output = engine->program->node[node].kind == WR_NODE_OUTPUT;
        const char *path = output ? bound_path(engine, node) : NULL;
        bool idle = output && !path && engine->program->node[node].u.output.only_if_bound;
        wr_buf_clear(&place);
        if (path) put_place(path, &place);
        wr_vec_reserve(&engine->place, engine->place.count + 1);
        char *text = output && !idle ? wr_strdup(wr_buf_cstr(&place)) : NULL;
        wr_vec_push(&engine->place, text);
    }
    wr_buf_release(&place);
}

/* Is the place of this node's rows no other output's? */
static bool is_alone(const struct wr_engine *engine, uint32_t node)
{
    for (uint32_t other = 0; other < engine->program->node_count; other++)
        if (other != node && engine->place.at[other] && strcmp(engine->place.at[other], engine->place.at[node]) == 0)
            return false;
    return true;
}

enum wr_status wr_engine_open_outputs(struct wr_engine *engine, struct wr_error *error)
{
    const struct wr_program *program = engine->program;
    find_places(engine);
    for (uint32_t node = 0; node < program->node_count; node++) {
        if (program->node[node].kind != WR_NODE_OUTPUT) continue;
        const struct wr_output_node *output = &program->node[node].u.output;
        const char *path = bound_path(engine, node), *name = wr_node_binding_name(program, node);
        if (!path && output->only_if_bound && !engine->options.watch.on_result) continue;
        const struct wr_stream *stream =
            output->stream == WR_NONE ? NULL : &program->stream[output->stream];
        const char *format = engine->options.watch.on_result ? "json" : format_of(engine, stream, path);
        bool json = strcmp(format, "json") == 0;
        bool alone = engine->options.watch.on_result || is_alone(engine, node);
        if (!json && !alone)
            return wr_error_set(
                error, WR_ERR_USAGE,
                "several outputs cannot share one %s text: bind '%s' to a file of its own with --out %s=PATH",
                format, name, name);
        struct wr_sink *sink = sink_for(engine, stream, path, engine->place.at[node] ? engine->place.at[node] : "", error);
        if (!sink) return error->status;
        struct wr_encoder *encoder =
            engine->connectors->open_encoder(&program->node[node].schema, stream, format, error);
        if (!encoder) return error->status;
        bool tagged = !alone || (engine->options.tag_outputs && (!path || strcmp(path, "-") == 0));
        wr_output_bind(engine->task.op[node], sink, encoder, tagged && !sink->framed ? name : NULL);
    }
    return WR_OK;
}
