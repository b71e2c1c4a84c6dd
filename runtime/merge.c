/* MERGE: rows of several inputs in order of (time, input, the input's own order). A row goes on as
 * soon as no input can still bring one that stands before it: each brings its rows in order, so
 * that its last row bounds what is to come as well as its watermark does. */
#include "runtime/reorder.h"
#include "runtime/state.h"
#include "runtime/task.h"

struct wr_merge_input {
    int64_t watermark, last; /* last: time of its last row */
};
struct wr_merge {
    struct wr_operator op;
    struct wr_reorder reorder;
    struct wr_merge_input *input;
    uint32_t input_count;
    uint64_t sequence; /* rows taken so far */
};

static struct wr_operator *create(struct wr_task *task, const struct wr_node *node)
{
    WR_UNUSED(task);
    WR_ASSERT(node->input_count > 0);
    struct wr_merge *merge = wr_alloc_zero(sizeof *merge);
    wr_reorder_init(&merge->reorder, &node->schema);
    merge->input_count = node->input_count;
    merge->input = wr_alloc(sizeof *merge->input * node->input_count);
    for (uint32_t i = 0; i < node->input_count; i++)
        merge->input[i] = (struct wr_merge_input){WR_TIME_MIN, WR_TIME_MIN};
    return &merge->op;
}

static void free_merge(struct wr_operator *op)
{
    struct wr_merge *merge = (struct wr_merge *)op;
    wr_reorder_release_all(&merge->reorder);
    wr_free(merge->input);
    wr_free(merge);
}

static void emit(void *context, const struct wr_batch *batch) { wr_operator_emit(context, batch); }

static struct wr_reorder_key bound_of(const struct wr_merge *merge)
{
    struct wr_reorder_key bound = {WR_TIME_MAX, UINT32_MAX};
    for (uint32_t i = 0; i < merge->input_count; i++) {
        const struct wr_merge_input *input = &merge->input[i];
        struct wr_reorder_key key = {WR_MAX(input->watermark, input->last), i};
        if (input->watermark < WR_TIME_MAX && wr_reorder_key_before(key, bound)) bound = key;
    }
    return bound;
}

static void on_batch(struct wr_operator *op, uint32_t port, const struct wr_batch *batch)
{
    struct wr_merge *merge = (struct wr_merge *)op;
    struct wr_task *task = op->task;
    WR_ASSERT(port < merge->input_count && batch->time[0] >= merge->input[port].last);
    merge->input[port].last = batch->time[batch->rows - 1];
    struct wr_reorder_input in = {
        .batch = batch, .rank = port, .sorted = true, .first_sequence = merge->sequence};
    merge->sequence += batch->rows;
    wr_reorder_pass(&merge->reorder, &in, bound_of(merge), task->options.batch_rows, &task->scratch,
                    emit, op);
}

static void on_watermark(struct wr_operator *op, uint32_t port, int64_t watermark)
{
    struct wr_merge *merge = (struct wr_merge *)op;
    struct wr_task *task = op->task;
    WR_ASSERT(port < merge->input_count);
    merge->input[port].watermark = watermark;
    wr_reorder_release(&merge->reorder, bound_of(merge), task->options.batch_rows, &task->scratch,
                       emit, op);
    int64_t least = WR_TIME_MAX;
    for (uint32_t i = 0; i < merge->input_count; i++)
        least = WR_MIN(least, merge->input[i].watermark);
    WR_ASSERT(least < WR_TIME_MAX || merge->reorder.waiting == 0);
    wr_operator_emit_watermark(op, least);
}

/* ---- State
 * --------------------------------------------------------------------------------------- */

static void save_row(void *context, const struct wr_reorder_entry *entry,
                     const struct wr_batch *batch, uint32_t row)
{
    struct wr_state_writer *w = context;
    wr_buf_clear(&w->key);
    wr_buf_clear(&w->value);
    wr_put_u8(&w->key, 'r');
    wr_put_u64(&w->key, w->count++);
    wr_put_uint(&w->value, entry->rank);
    wr_put_u64(&w->value, entry->sequence);
    wr_row_encode(w->op->task, batch, row, &w->value);
    w->entry(w->context, wr_buf_slice(&w->key), wr_buf_slice(&w->value));
}

static void save_own(struct wr_operator *op, wr_state_entry_fn *entry, void *context)
{
    struct wr_merge *merge = (struct wr_merge *)op;
    struct wr_state_writer w = {.op = op, .entry = entry, .context = context};
    wr_put_u64(&w.value, merge->sequence);
    for (uint32_t i = 0; i < merge->input_count; i++) {
        wr_put_i64(&w.value, merge->input[i].watermark);
        wr_put_i64(&w.value, merge->input[i].last);
    }
    entry(context, wr_buf_slice(&w.key), wr_buf_slice(&w.value));
    wr_buf_release(&w.key);
    wr_buf_release(&w.value);
}

static void save_all(struct wr_operator *op, wr_state_entry_fn *entry, void *context)
{
    struct wr_merge *merge = (struct wr_merge *)op;
    struct wr_state_writer w = {.op = op, .entry = entry, .context = context};
    save_own(op, entry, context);
    wr_reorder_visit(&merge->reorder, save_row, &w);
    wr_buf_release(&w.key);
    wr_buf_release(&w.value);
}

static void freeze(struct wr_operator *op) { wr_reorder_freeze(&((struct wr_merge *)op)->reorder); }

static bool save_frozen(struct wr_operator *op, uint32_t count, wr_state_entry_fn *entry, void *context)
{
    struct wr_merge *merge = (struct wr_merge *)op;
    struct wr_state_writer w = {.op = op, .entry = entry, .context = context, .count = merge->reorder.saved};
    bool more = wr_reorder_visit_frozen(&merge->reorder, count, save_row, &w);
    wr_buf_release(&w.key);
    wr_buf_release(&w.value);
    return more;
}

static bool load(struct wr_operator *op, struct wr_slice key, struct wr_slice value)
{
    struct wr_merge *merge = (struct wr_merge *)op;
    if (key.size == 0) {
        bool whole = wr_get_u64(&value, &merge->sequence);
        for (uint32_t i = 0; i < merge->input_count; i++)
            whole = whole && wr_get_i64(&value, &merge->input[i].watermark) &&
                    wr_get_i64(&value, &merge->input[i].last);
        return whole && value.size == 0;
    }
    uint64_t rank;
    struct wr_batch_builder builder;
    struct wr_reorder_input in = {.batch = &builder.batch};
    if (!wr_get_uint(&value, &rank) || rank >= merge->input_count ||
        !wr_get_u64(&value, &in.first_sequence))
        return false;
    in.rank = (uint32_t)rank;
    wr_batch_builder_init_schema(&builder, &op->node->schema);
    bool whole = wr_row_decode(op->task, &op->node->schema, &value, &builder);
    if (whole) wr_reorder_push(&merge->reorder, &in, 0, 1);
    wr_batch_builder_release_schema(&builder);
    return whole && value.size == 0;
}

static void clear(struct wr_operator *op)
{
    struct wr_merge *merge = (struct wr_merge *)op;
    wr_reorder_check(&merge->reorder);
    wr_reorder_clear(&merge->reorder);
    merge->sequence = 0;
    for (uint32_t i = 0; i < merge->input_count; i++)
        merge->input[i] = (struct wr_merge_input){WR_TIME_MIN, WR_TIME_MIN};
}

static void measure(const struct wr_operator *op, struct wr_operator_size *size)
{
    const struct wr_merge *merge = (const struct wr_merge *)op;
    size->rows = merge->reorder.waiting;
    size->bytes = wr_reorder_bytes(&merge->reorder);
}

static void bound(const struct wr_operator *op, struct wr_state_bound *out)
{
    WR_ASSERT(op->node);
    out->row = wr_reorder_row_bytes(&op->node->schema);
}

const struct wr_operator_class wr_merge_operator = {
    .name = "merge",
    .create = create,
    .free = free_merge,
    .on_batch = on_batch,
    .on_watermark = on_watermark,
    .save_all = save_all,
    .save_own = save_own,
    .freeze = freeze,
    .save_frozen = save_frozen,
    .load = load,
    .clear = clear,
    .measure = measure,
    .bound = bound,
};
