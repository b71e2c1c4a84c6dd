/* The test mode that saves the state of every operator into memory, makes it forget everything, and
 * loads it again: what an operator does not save does not exist. */
#include "base/fault.h"
#include "runtime/codec.h"
#include "runtime/task.h"

struct saved {
    struct wr_buf bytes; /* key and value of each entry, one after the other */
    uint32_t entries;
};

static void collect(void *context, struct wr_slice key, struct wr_slice value)
{
    struct saved *saved = context;
    wr_put_bytes(&saved->bytes, key);
    wr_put_bytes(&saved->bytes, value);
    saved->entries++;
}

void wr_task_roundtrip(struct wr_task *task)
{
    if (task->abandoned) return; /* a batch that was left in its middle has no state to go on with */
    for (uint32_t i = 0; i < task->op_count; i++) {
        struct wr_operator *op = task->op[i];
        if (!op->cls->save_all) continue;
        WR_ASSERT(op->cls->load && op->cls->clear);
        struct saved saved = {0};
        op->cls->save_all(op, collect, &saved);
        op->cls->clear(op);
        WR_ASSERT(op->timers.count == 0);
        struct wr_slice in = wr_buf_slice(&saved.bytes), key, value;
        for (uint32_t e = 0; e < saved.entries; e++) {
            bool whole = wr_get_bytes(&in, &key) && wr_get_bytes(&in, &value);
            WR_ASSERT(whole);
            if (WR_DEFECT("state") && e + 1 == saved.entries) continue;
            bool loaded = op->cls->load(op, key, value);
            WR_ASSERT(loaded);
        }
        WR_ASSERT(in.size == 0);
        wr_buf_release(&saved.bytes);
    }
}
