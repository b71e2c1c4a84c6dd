/* An engine that is handed its records instead of reading files: the host pushes bytes into source
 * partitions, says how far time has come, and ends the input. What follows is what follows from the
 * same records in a file. */
#include "runtime/engine.h"

#include "base/text.h"
#include "runtime/cold.h"
#include "runtime/pattern.h"
#include "runtime/source.h"

enum wr_status wr_engine_feed(struct wr_engine *engine, const char *name, uint32_t *partition,
                              struct wr_error *error)
{
    if (engine->running)
        return wr_error_set(error, WR_ERR_USAGE, "partitions are added before the first record");
    uint32_t node = wr_engine_find_input(engine, name, error);
    if (node == WR_NONE) return WR_ERR_USAGE;
    *partition = 0;
    for (size_t i = 0; i < engine->input.count; i++) *partition += engine->input.at[i].node == node;
    wr_vec_push(&engine->input, (struct wr_binding){node, NULL});
    return WR_OK;
}

/* Files that are bound beside what is pushed are read at once: their rows wait for the others. */
static enum wr_status read_files(struct wr_engine *engine, struct wr_error *error)
{
    struct wr_task *task = &engine->task;
    for (uint32_t i = 0; i < task->partition_count; i++) {
        struct wr_partition *p = task->partition[i];
        WR_ASSERT(!p->feed || !p->reader || !p->ended);
        while (!p->feed && !p->ended && task->error.status == WR_OK) wr_task_read(task, p);
    }
    if (task->error.status != WR_OK) *error = task->error;
    return task->error.status;
}

enum wr_status wr_engine_start(struct wr_engine *engine, struct wr_error *error)
{
    if (engine->options.state)
        return wr_error_set(error, WR_ERR_USAGE, "state on disk is for runs over files: records by hand cannot be read again");
    enum wr_status status = wr_engine_set_up(engine, error);
    return status == WR_OK ? read_files(engine, error) : status;
}

static struct wr_partition *partition_of(struct wr_engine *engine, const char *name,
                                         uint32_t number, struct wr_error *error)
{
    uint32_t node = wr_engine_find_input(engine, name, error);
    if (node == WR_NONE) return NULL;
    WR_ASSERT(node < engine->task.op_count && engine->program->node[node].kind == WR_NODE_SOURCE);
    struct wr_source *source = (struct wr_source *)engine->task.op[node];
    if (number < source->partition.count && source->partition.at[number]->feed)
        return source->partition.at[number];
    wr_error_set(error, WR_ERR_USAGE, "stream '%s' has no partition %u that takes records", name,
                 number);
    return NULL;
}

enum wr_status wr_engine_push(struct wr_engine *engine, const char *name, uint32_t number,
                              struct wr_slice records, const int64_t *time, struct wr_error *error)
{
    struct wr_task *task = &engine->task;
    if (wr_engine_refuses(engine, error)) return error->status;
    if (!engine->built || engine->finished)
        return wr_error_set(error, WR_ERR_USAGE, "the engine takes no records now");
    struct wr_partition *partition = partition_of(engine, name, number, error);
    if (!partition) return error->status;
    WR_ASSERT(!partition->ended && !partition->feed->ended);
    wr_buf_add_slice(&partition->feed->bytes, records);
    if (records.size && records.data[records.size - 1] != '\n')
        wr_buf_add_char(&partition->feed->bytes, '\n');
    partition->feed->time = time;
    partition->feed->first = partition->rows;
    uint64_t before;
    do { /* until a read finds nothing: the reader holds back no whole record */
        before = partition->rows;
        wr_task_read(task, partition);
    } while (task->error.status == WR_OK &&
             (partition->rows > before || wr_feed_waits(partition->feed)));
    WR_ASSERT(partition->rows >= partition->feed->first);
    partition->feed->time = NULL;
    wr_engine_flush(engine);
    if (task->error.status != WR_OK) *error = task->error;
    return task->error.status;
}

enum wr_status wr_engine_advance(struct wr_engine *engine, int64_t time, struct wr_error *error)
{
    struct wr_task *task = &engine->task;
    if (wr_engine_refuses(engine, error)) return error->status;
    if (!engine->built || engine->finished)
        return wr_error_set(error, WR_ERR_USAGE, "the engine takes no watermark now");
    for (uint32_t i = 0; i < task->partition_count; i++) {
        struct wr_partition *p = task->partition[i];
        if (!p->ended && p->watermark < time) p->watermark = time;
    }
    for (uint32_t s = 0; s < task->source_count; s++) wr_source_release(task->source[s]);
    wr_task_advance(task);
    if (task->watermark < WR_TIME_MAX) wr_task_rest(task);
    wr_engine_flush(engine);
    if (task->error.status != WR_OK) *error = task->error;
    return task->error.status;
}

enum wr_status wr_engine_finish(struct wr_engine *engine, struct wr_error *error)
{
    struct wr_task *task = &engine->task;
    if (wr_engine_refuses(engine, error)) return error->status;
    if (!engine->built || engine->finished)
        return wr_error_set(error, WR_ERR_USAGE, "the engine cannot be finished now");
    engine->finished = true;
    for (uint32_t i = 0; i < task->partition_count && task->error.status == WR_OK; i++) {
        struct wr_partition *p = task->partition[i];
        if (p->feed) p->feed->ended = true;
        while (!p->ended && task->error.status == WR_OK) wr_task_read(task, p);
    }
    if (task->error.status == WR_OK) wr_task_advance(task); /* a program without inputs ends too */
    return wr_engine_close_outputs(engine, task->error.status, error);
}

uint64_t wr_engine_open_starts(struct wr_engine *engine, const char *pattern, bool *found)
{
    const struct wr_program *program = engine->program;
    uint64_t starts = 0;
    *found = false;
    for (uint32_t i = 0; i < program->node_count; i++) {
        const struct wr_node *node = &program->node[i];
        if (node->kind != WR_NODE_PATTERN) continue;
        struct wr_slice name = wr_slice_cstr(program->query[node->query]);
        if (!wr_slice_equal_nocase(name, wr_slice_cstr(pattern))) continue;
        *found = true;
        if (!engine->built || engine->broke) continue;
        struct wr_operator_size size = {0};
        struct wr_operator *op = engine->task.op[i];
        WR_ASSERT(op && op->node == node && op->cls->measure);
        wr_cold_wake_all(op);
        wr_pattern_sweep_all(op);
        op->cls->measure(op, &size);
        starts += size.starts;
    }
    return starts;
}
