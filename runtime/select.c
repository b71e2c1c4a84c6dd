/* SELECT: WHERE and projection over whole batches. Columns that are inputs are shared, rows that
 * WHERE drops are left out before the projection runs, so that it neither costs nor fails for them.
 */
#include "runtime/task.h"

struct wr_select {
    struct wr_operator op;
    struct wr_frame *where, *project; /* where NULL: all rows */
    uint64_t *needed;                 /* input columns that the projection reads */
    const char *where_name;           /* what messages call the condition */
    struct wr_vector *column;         /* the projection's results */
};

static struct wr_operator *create(struct wr_task *task, const struct wr_node *node)
{
    const struct wr_program *program = task->program;
    const struct wr_select_node *n = &node->u.select;
    struct wr_select *select = wr_alloc_zero(sizeof *select);
    const struct wr_node *input = &program->node[node->input[0]];
    const struct wr_code *project = &program->code[n->project];
    WR_ASSERT(project->result_count == node->schema.count);
    select->project = wr_task_frame(task, n->project);
    if (n->where != WR_NONE) select->where = wr_task_frame(task, n->where);
    select->where_name = input->kind == WR_NODE_WINDOW ? "HAVING" : "WHERE";
    select->needed = wr_alloc_zero(sizeof(uint64_t) * (input->schema.count / 64 + 1));
    for (uint32_t i = 0; i < project->input_count; i++) {
        if (project->input[i].kind != WR_INPUT_COLUMN) continue;
        WR_ASSERT(project->input[i].column < input->schema.count);
        wr_bit_set(select->needed, project->input[i].column);
    }
    select->column = wr_alloc_zero(sizeof *select->column * (node->schema.count + 1));
    return &select->op;
}

static void free_select(struct wr_operator *op)
{
    struct wr_select *select = (struct wr_select *)op;
    wr_frame_free(select->where);
    wr_frame_free(select->project);
    wr_free(select->needed);
    wr_free(select->column);
    wr_free(select);
}

static bool any_bit(const uint64_t *mask, uint32_t rows)
{
    uint32_t whole = rows / 64;
    for (uint32_t i = 0; i < whole; i++)
        if (mask[i]) return true;
    return rows % 64 && (mask[whole] & (((uint64_t)1 << rows % 64) - 1));
}

/* Rows for which WHERE is TRUE; those on which it fails are counted. */
static uint32_t chosen(struct wr_select *select, const struct wr_batch *batch, uint16_t *row)
{
    wr_frame_run(select->where, batch);
    const struct wr_vector *v = wr_frame_result(select->where, 0);
    WR_ASSERT(v->cls == WR_CLASS_BOOL);
    if ((v->flags & WR_VECTOR_ERRORS) && any_bit(v->errors, batch->rows)) {
        uint32_t count = wr_mask_rows(v->errors, batch->rows, row);
        for (uint32_t i = 0; i < count; i++) {
            enum wr_reason reason = wr_frame_reason(select->where, batch, 0, row[i]);
            wr_operator_count_error(&select->op, batch, row[i], reason, select->where_name);
        }
    }
    return wr_mask_rows(v->u.bits, batch->rows, row);
}

/* Counts the rows on which a column fails that must not, and leaves the numbers of the good ones in
 * `row`. */
static uint32_t drop_bad(struct wr_select *select, const struct wr_batch *in, uint16_t *row)
{
    const struct wr_node *node = select->op.node;
    uint64_t good[WR_BATCH_WORDS];
    memset(good, 0xff, sizeof good);
    WR_ASSERT(in->rows <= WR_BATCH_ROWS);
    for (uint32_t c = 0; c < node->schema.count; c++) {
        const struct wr_vector *v = &select->column[c];
        if (!(v->flags & WR_VECTOR_ERRORS) || node->u.select.carry[c]) continue;
        for (uint32_t r = 0; r < in->rows; r++) {
            if (!wr_bit(v->errors, r) || !wr_bit(good, r)) continue;
            wr_bit_clear(good, r);
            wr_operator_count_error(&select->op, in, r, wr_frame_reason(select->project, in, c, r),
                                    node->schema.column[c].name);
        }
    }
    return wr_mask_rows(good, in->rows, row);
}

static void project(struct wr_select *select, const struct wr_batch *in, uint16_t *row)
{
    const struct wr_node *node = select->op.node;
    WR_ASSERT(in->rows > 0);
    wr_frame_run(select->project, in);
    bool bad = false;
    for (uint32_t c = 0; c < node->schema.count; c++) {
        select->column[c] = *wr_frame_result(select->project, c);
        struct wr_vector *v = &select->column[c];
        if (!(v->flags & WR_VECTOR_ERRORS)) continue;
        if (node->u.select.carry[c])
            wr_vector_explain(&select->op.task->scratch, select->project, in, c, v);
        else
            bad |= any_bit(v->errors, in->rows);
    }
    struct wr_batch out = *in;
    out.columns = node->schema.count;
    out.column = select->column;
    if (!bad) {
        wr_operator_emit(&select->op, &out);
        return;
    }
    uint32_t count = drop_bad(select, in, row);
    if (!count) return;
    struct wr_batch good;
    wr_batch_gather(&select->op.task->scratch, &out, row, count, NULL, &good);
    wr_operator_emit(&select->op, &good);
}

/* For those who watch: the rows that WHERE leaves out. `row`: the `count` others, in order. */
static void tell_left_out(struct wr_select *select, const struct wr_batch *batch, const uint16_t *row, uint32_t count)
{
    struct wr_task *task = select->op.task;
    for (uint32_t r = 0, next = 0; r < batch->rows; r++) {
        if (next < count && row[next] == r) {
            next++;
            continue;
        }
        struct wr_watch_seen seen = {.query = task->program->query[select->op.node->query], .filtered = true, .key = ""};
        if (wr_watch_row_of(task, wr_batch_place(batch, r), &seen.row)) wr_watch_seen(task->options.watch, &seen);
    }
}

static void on_batch(struct wr_operator *op, uint32_t port, const struct wr_batch *batch)
{
    WR_ASSERT(port == 0);
    struct wr_select *select = (struct wr_select *)op;
    struct wr_scratch *scratch = &op->task->scratch;
    struct wr_scratch_mark mark = wr_scratch_mark(scratch);
    uint16_t row[WR_BATCH_ROWS];
    uint32_t count = select->where ? chosen(select, batch, row) : batch->rows;
    if (select->where && op->task->options.watch) {
        wr_watch_count(op->task->options.watch, op->id, WR_COVER_TRUE, count);
        wr_watch_count(op->task->options.watch, op->id, WR_COVER_FALSE, batch->rows - count);
        if (wr_watch_sees(op->task->options.watch)) tell_left_out(select, batch, row, count);
    }
    if (count == batch->rows) {
        project(select, batch, row);
    } else if (count) {
        struct wr_batch left;
        wr_batch_gather(scratch, batch, row, count, select->needed, &left);
        project(select, &left, row);
    }
    wr_scratch_reset(scratch, mark);
}

static void on_watermark(struct wr_operator *op, uint32_t port, int64_t watermark)
{
    WR_UNUSED(port);
    wr_operator_emit_watermark(op, watermark);
}

const struct wr_operator_class wr_select_operator = {
    .name = "select",
    .create = create,
    .free = free_select,
    .on_batch = on_batch,
    .on_watermark = on_watermark,
};
