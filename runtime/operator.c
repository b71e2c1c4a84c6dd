/* What operators call: rows and watermarks to their consumers, refused and bad rows to the task's
 * table. */
#include "runtime/task.h"

void wr_operator_emit(struct wr_operator *op, const struct wr_batch *batch)
{
    if (batch->rows == 0 || op->task->abandoned) return;
    WR_ASSERT(batch->rows <= WR_BATCH_ROWS && batch->columns == op->node->schema.count);
    int64_t last = batch->time[batch->rows - 1];
    op->emitted++;
    for (uint32_t i = 0; i < op->consumer_count; i++) {
        struct wr_operator *to = op->consumer[i].op;
        if (last > to->time) to->time = last;
        to->cls->on_batch(to, op->consumer[i].port, batch);
    }
}

void wr_operator_emit_watermark(struct wr_operator *op, int64_t watermark)
{
    WR_ASSERT(op->watermark < WR_TIME_MAX || op->ended);
    if (watermark <= op->watermark || op->task->abandoned) return;
    op->watermark = watermark;
    if (watermark == WR_TIME_MAX && !op->ended) {
        struct wr_task *task = op->task;
        op->ended = true;
        WR_ASSERT(!task->ending);
        task->ending = op;
        if (op->cls->on_end) op->cls->on_end(op);
        task->ending = NULL;
    }
    for (uint32_t i = 0; i < op->consumer_count; i++) {
        struct wr_operator *to = op->consumer[i].op;
        to->cls->on_watermark(to, op->consumer[i].port, watermark);
    }
    if (op->late) op->late->cls->on_watermark(op->late, 0, watermark);
}

void wr_operator_refuse_late(struct wr_operator *op, const struct wr_batch *batch, uint32_t row)
{
    WR_ASSERT(row < batch->rows);
    struct wr_task *task = op->task;
    wr_watch_count(task->options.watch, op->id, WR_COVER_LATE, 1);
    if (op->late) {
        struct wr_scratch_mark mark = wr_scratch_mark(&task->scratch);
        struct wr_batch one;
        wr_batch_slice(&task->scratch, batch, row, 1, &one);
        op->late->cls->on_batch(op->late, 0, &one);
        wr_scratch_reset(&task->scratch, mark);
        return;
    }
    struct wr_drop_sample sample = {.place = wr_batch_place(batch, row),
                                    .late_us = batch->time[row] - batch->event_time[row]};
    wr_task_drop(task, op->node->query, WR_DROP_LATE, "late", "", &sample);
}

void wr_operator_count_error(struct wr_operator *op, const struct wr_batch *batch, uint32_t row,
                             enum wr_reason reason, const char *what)
{
    WR_ASSERT(row < batch->rows && reason < WR_REASON_COUNT);
    struct wr_drop_sample sample = {.place = wr_batch_place(batch, row), .what = what};
    wr_task_drop(op->task, op->node->query, WR_DROP_ROW, wr_reason_name(reason),
                 wr_reason_code(reason), &sample);
}

void wr_operator_count(struct wr_operator *op, const char *reason, const char *code,
                       struct wr_place place)
{
    struct wr_drop_sample sample = {.place = place};
    wr_task_drop(op->task, op->node->query, WR_DROP_OTHER, reason, code ? code : "", &sample);
}
