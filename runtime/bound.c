/* The operators are made as for a run, without inputs, and asked. */
#include "runtime/bound.h"

#include "runtime/task.h"

void wr_program_bounds(const struct wr_program *program, struct wr_state_bound *bound)
{
    struct wr_task task = {0};
    struct wr_task_options options = {.batch_rows = WR_BATCH_ROWS_DEFAULT, .errors_max = -1};
    WR_ASSERT(program->node_count == 0 || bound);
    struct wr_memory_guard guard;
    if (WR_MEMORY_GUARD(&guard)) {
        wr_task_release(&task);
        wr_memory_fail();
    }
    wr_task_init(&task, program, &options);
    for (uint32_t n = 0; n < program->node_count; n++) {
        bound[n] = (struct wr_state_bound){.key = 0};
        if (task.op[n]->cls->bound) task.op[n]->cls->bound(task.op[n], &bound[n]);
    }
    wr_memory_guard_pop(&guard);
    wr_task_release(&task);
}
