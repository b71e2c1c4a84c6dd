/* Blocks made ready to run; and code that several operators want of the same rows: the row conditions of many patterns
 * over one stream. */
#include "runtime/task.h"

struct wr_frame *wr_task_frame(const struct wr_task *task, uint32_t code)
{
    WR_ASSERT(code < task->program->code_count);
    struct wr_frame *frame = wr_frame_new(task->program, &task->program->code[code]);
    wr_frame_force(frame, task->options.executor);
    return frame;
}

struct wr_row_frame *wr_task_row_frame(const struct wr_task *task, uint32_t code)
{
    WR_ASSERT(code < task->program->code_count);
    struct wr_row_frame *frame = wr_row_frame_new(task->program, &task->program->code[code]);
    wr_row_frame_force(frame, task->options.executor);
    return frame;
}

struct wr_row_code {
    struct wr_frame *frame;
    const struct wr_operator *from;
    uint64_t batch; /* number of the batch that the frame's results belong to; 0: none yet */
};

struct wr_row_code *wr_task_row_code(struct wr_task *task, uint32_t code, uint32_t from)
{
    WR_ASSERT(code < task->program->code_count && from < task->op_count && task->op[from]);
    if (!task->row_code) task->row_code = wr_alloc_zero(task->program->code_count * sizeof *task->row_code);
    struct wr_row_code *shared = task->row_code[code];
    if (!shared) {
        task->row_code[code] = shared = wr_alloc_zero(sizeof *shared);
        shared->frame = wr_task_frame(task, code);
        shared->from = task->op[from];
    }
    WR_ASSERT(shared->from == task->op[from]);
    return shared;
}

struct wr_frame *wr_row_code_run(struct wr_row_code *shared, const struct wr_batch *batch)
{
    if (shared->batch != shared->from->emitted) wr_frame_run(shared->frame, batch);
    shared->batch = shared->from->emitted;
    return shared->frame;
}

void wr_row_codes_release(struct wr_task *task)
{
    for (uint32_t i = 0; task->row_code && i < task->program->code_count; i++) {
        if (!task->row_code[i]) continue;
        if (task->row_code[i]->frame) wr_frame_free(task->row_code[i]->frame);
        wr_free(task->row_code[i]);
    }
    wr_free(task->row_code);
    task->row_code = NULL;
}
