/* LATE: the rows that a window or pattern refused because they came too late. They go on as they
 * are, still marked late, at the places where they stood. */
#include "runtime/task.h"

static struct wr_operator *create(struct wr_task *task, const struct wr_node *node)
{
    WR_UNUSED(task);
    WR_ASSERT(node->input_count == 1);
    struct wr_operator *op = wr_alloc_zero(sizeof *op);
    return op;
}

static void free_late(struct wr_operator *op) { wr_free(op); }

static void on_batch(struct wr_operator *op, uint32_t port, const struct wr_batch *batch)
{
    WR_ASSERT(port == 0 && batch->any_late);
    wr_operator_emit(op, batch);
}

static void on_watermark(struct wr_operator *op, uint32_t port, int64_t watermark)
{
    WR_UNUSED(port);
    wr_operator_emit_watermark(op, watermark);
}

const struct wr_operator_class wr_late_operator = {
    .name = "late",
    .create = create,
    .free = free_late,
    .on_batch = on_batch,
    .on_watermark = on_watermark,
};
