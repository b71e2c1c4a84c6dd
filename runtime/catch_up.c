/* A changed program takes over only where everything that the old one published is part of a checkpoint. So the old
 * program, which lies in the store, first runs on from the checkpoint to its published positions, and takes one there. */
#include "runtime/checkpoint_internal.h"
#include "runtime/sink.h"

static uint32_t node_named(const struct wr_program *program, enum wr_node_kind kind, const char *name)
{
    for (uint32_t i = 0; i < program->node_count; i++)
        if (program->node[i].kind == kind && strcmp(wr_node_binding_name(program, i), name) == 0) return i;
    return WR_NONE;
}

/* Among the first `count` bindings of a vector. */
static bool is_bound(const struct wr_binding *binding, size_t count, uint32_t node)
{
    for (size_t i = 0; i < count; i++)
        if (binding[i].node == node) return true;
    return false;
}

static char *text_of(struct wr_slice s)
{
    char *text = wr_alloc(s.size + 1);
    if (s.size) memcpy(text, s.data, s.size);
    text[s.size] = 0;
    return text;
}

/* An output whose name is one of `names` ("alerts, timeouts"). */
static bool is_named(const char *name, struct wr_slice names)
{
    size_t size = strlen(name);
    for (size_t at = 0; at + size <= names.size; at++) {
        bool begins = at == 0 || (at >= 2 && memcmp(names.data + at - 2, ", ", 2) == 0);
        bool ends = at + size == names.size || names.data[at + size] == ',';
        if (begins && ends && memcmp(names.data + at, name, size) == 0) return true;
    }
    return false;
}

/* What the new program has no use for lies where the checkpoint says. Inputs of one stream: all of them, in their order. */
static void bind_recorded(struct wr_engine *old, struct wr_slice record)
{
    struct wr_record_partition partition;
    struct wr_mark mark;
    size_t inputs = old->input.count;
    struct wr_slice list = wr_record_find(record, "partitions");
    while (wr_record_partition_next(&list, &partition)) {
        char *stream = text_of(partition.stream);
        uint32_t node = node_named(old->program, WR_NODE_SOURCE, stream);
        wr_free(stream);
        if (node == WR_NONE || is_bound(old->input.at, inputs, node)) continue;
        char *path = text_of(partition.path);
        wr_vec_push(&old->input, (struct wr_binding){node, path});
    }
    for (uint32_t i = 0; i < old->program->node_count; i++) {
        if (old->program->node[i].kind != WR_NODE_OUTPUT || is_bound(old->output.at, old->output.count, i)) continue;
        const char *name = wr_node_binding_name(old->program, i);
        WR_ASSERT(name);
        for (list = wr_record_find(record, "sinks"); list.size && wr_mark_next(&list, &mark);) {
            if (mark.kind == 's' || !is_named(name, mark.names)) continue;
            char *path = text_of(mark.path);
            wr_vec_push(&old->output, (struct wr_binding){i, path});
            break;
        }
    }
}

/* What the old program has too is bound to the same paths. */
static void bind_same(const struct wr_engine *engine, struct wr_engine *old)
{
    for (size_t i = 0; i < engine->input.count; i++) {
        const struct wr_binding *b = &engine->input.at[i];
        uint32_t node = node_named(old->program, WR_NODE_SOURCE, wr_node_binding_name(engine->program, b->node));
        if (node == WR_NONE || !b->path) continue;
        char *path = wr_strdup(b->path); /* before the vector grows: memory may run out */
        wr_vec_push(&old->input, (struct wr_binding){node, path});
    }
    for (size_t i = 0; i < engine->output.count; i++) {
        const struct wr_binding *b = &engine->output.at[i];
        uint32_t node = node_named(old->program, WR_NODE_OUTPUT, wr_node_binding_name(engine->program, b->node));
        if (node == WR_NONE) continue;
        char *path = wr_strdup(b->path);
        wr_vec_push(&old->output, (struct wr_binding){node, path});
    }
}

/* Some output had come farther, also where what lay there is damaged or could not stay, so that it is written again. */
static bool is_behind(const struct wr_engine *engine)
{
    for (size_t i = 0; i < engine->sink.count; i++)
        if (engine->sink.at[i]->bytes < engine->sink.at[i]->journal) return true;
    return false;
}

static enum wr_status run_to_published(struct wr_engine *old, struct wr_error *error)
{
    while (is_behind(old)) {
        enum wr_status status = wr_task_step(&old->task);
        wr_engine_flush(old);
        if (old->task.error.status != WR_OK) {
            *error = old->task.error;
            return error->status;
        }
        if (status == WR_END) break;
    }
    if (is_behind(old))
        return wr_error_set(error, WR_ERR_STATE, "%s: the program in the store came to its end before what it had published",
                            old->options.state);
    return wr_checkpoint_now(old, false, error);
}

static enum wr_status run_old(const struct wr_engine *engine, struct wr_engine *old, const struct wr_program *program,
                              struct wr_error *error)
{
    struct wr_engine_options options = engine->options;
    options.on_progress = NULL;
    options.accept_loss = false;
    enum wr_status status = wr_engine_init(old, program, engine->connectors, &options, error);
    if (status == WR_OK) {
        bind_same(engine, old);
        bind_recorded(old, wr_buf_slice(&engine->checkpointer->found));
        status = wr_engine_set_up(old, error);
    }
    if (status == WR_OK && !wr_checkpoint_was_finished(old)) status = run_to_published(old, error);
    wr_checkpoint_close_saver(old);
    struct wr_error closing = {0};
    (void)wr_engine_close_outputs(old, WR_OK, &closing);
    return status;
}

enum wr_status wr_checkpoint_catch_up(struct wr_engine *engine, struct wr_store *store, struct wr_error *error)
{
    struct wr_buf bytes = {0};
    WR_ASSERT(engine->options.state && engine->checkpointer);
    enum wr_status status = wr_store_program(store, &bytes, error);
    struct wr_program *program = status == WR_OK ? wr_program_decode(wr_buf_slice(&bytes), error) : NULL;
    wr_buf_release(&bytes);
    wr_store_close(store);
    if (!program) return error->status;
    struct wr_engine *old = wr_alloc_zero(sizeof *old);
    struct wr_memory_guard guard;
    if (WR_MEMORY_GUARD(&guard)) { /* its saver's thread must not outlive it, nor its lock */
        wr_engine_release(old);
        wr_free(old);
        wr_program_free(program);
        wr_memory_fail();
    }
    status = run_old(engine, old, program, error);
    wr_memory_guard_pop(&guard);
    wr_engine_release(old);
    wr_free(old);
    wr_program_free(program);
    return status;
}
