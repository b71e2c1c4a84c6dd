/* A changed program takes over only where everything that the old one published is part of a checkpoint. So the old
 * program, which lies in the store, first runs on from the checkpoint to its published positions, and takes one there. */
#include "runtime/checkpoint_internal.h"

static uint32_t node_named(const struct wr_program *program, enum wr_node_kind kind, const char *name)
{
    for (uint32_t i = 0; i < program->node_count; i++)
        if (program->node[i].kind == kind && strcmp(wr_node_binding_name(program, i), name) == 0) return i;
    return WR_NONE;
}

/* What the old program has too is bound to the same paths. */
static void bind_same(const struct wr_engine *engine, struct wr_engine *old)
{
    for (size_t i = 0; i < engine->input.count; i++) {
        const struct wr_binding *b = &engine->input.at[i];
        uint32_t node = node_named(old->program, WR_NODE_SOURCE, wr_node_binding_name(engine->program, b->node));
        if (node != WR_NONE && b->path) wr_vec_push(&old->input, (struct wr_binding){node, wr_strdup(b->path)});
    }
    for (size_t i = 0; i < engine->output.count; i++) {
        const struct wr_binding *b = &engine->output.at[i];
        uint32_t node = node_named(old->program, WR_NODE_OUTPUT, wr_node_binding_name(engine->program, b->node));
        if (node != WR_NONE) wr_vec_push(&old->output, (struct wr_binding){node, wr_strdup(b->path)});
    }
}

static bool is_behind(const struct wr_engine *engine)
{
    for (size_t i = 0; i < engine->sink.count; i++)
        if (wr_sink_is_behind(engine->sink.at[i])) return true;
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

enum wr_status wr_checkpoint_catch_up(struct wr_engine *engine, struct wr_store *store, struct wr_error *error)
{
    struct wr_buf bytes = {0};
    struct wr_engine old = {0};
    WR_ASSERT(engine->options.state);
    enum wr_status status = wr_store_program(store, &bytes, error);
    struct wr_program *program = status == WR_OK ? wr_program_decode(wr_buf_slice(&bytes), error) : NULL;
    wr_buf_release(&bytes);
    wr_store_close(store);
    if (!program) return error->status;
    struct wr_engine_options options = engine->options;
    options.on_progress = NULL;
    options.accept_loss = false;
    status = wr_engine_init(&old, program, engine->connectors, &options, error);
    if (status == WR_OK) {
        bind_same(engine, &old);
        status = wr_engine_set_up(&old, error);
    }
    if (status == WR_OK && !wr_checkpoint_was_finished(&old)) status = run_to_published(&old, error);
    wr_checkpoint_close_saver(&old);
    struct wr_error closing = {0};
    (void)wr_engine_close_outputs(&old, WR_OK, &closing);
    wr_engine_release(&old);
    wr_program_free(program);
    return status;
}
