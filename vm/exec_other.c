/* A block run by the other executor in the place of its own: so tests run whole programs by either alone and compare. */
#include "vm/frame.h"

#include "base/fault.h"

/* ---- Batches, row by row -------------------------------------------------------------------------- */

static struct wr_vector new_vector(struct wr_arena *arena, uint8_t cls)
{
    struct wr_vector v = {.cls = cls};
    size_t size = cls == WR_CLASS_BOOL ? WR_BATCH_WORDS * sizeof(uint64_t) : WR_BATCH_ROWS * sizeof(wr_i128);
    WR_ASSERT(cls < WR_CLASS_COUNT && sizeof(struct wr_slice) <= sizeof(wr_i128));
    v.u.data = wr_arena_alloc_zero(arena, size);
    v.nulls = wr_arena_alloc_zero(arena, WR_BATCH_WORDS * sizeof(uint64_t));
    v.errors = wr_arena_alloc_zero(arena, WR_BATCH_WORDS * sizeof(uint64_t));
    return v;
}

/* Writes a value into a vector whose masks are clear and whose data may be anything. */
static void put(struct wr_vector *v, uint32_t row, const struct wr_value *value)
{
    WR_ASSERT(value->cls == v->cls && row < WR_BATCH_ROWS);
    bool is_value = value->flag == WR_FLAG_VALUE;
    if (value->flag == WR_FLAG_NULL) v->flags |= WR_VECTOR_NULLS, wr_bit_set(v->nulls, row);
    if (value->flag == WR_FLAG_ERROR) v->flags |= WR_VECTOR_ERRORS, wr_bit_set(v->errors, row);
    switch ((enum wr_class)v->cls) {
    case WR_CLASS_BOOL:
        if (is_value && value->u.boolean) wr_bit_set(v->u.bits, row);
        else wr_bit_clear(v->u.bits, row);
        break;
    case WR_CLASS_I64: v->u.i64[row] = is_value ? value->u.i64 : 0; break;
    case WR_CLASS_F64: v->u.f64[row] = is_value ? value->u.f64 : 0; break;
    case WR_CLASS_DEC: v->u.dec[row] = is_value ? value->u.dec : 0; break;
    case WR_CLASS_STR: v->u.str[row] = is_value ? value->u.str : (struct wr_slice){0}; break;
    case WR_CLASS_COUNT: break;
    }
}

static void clear(struct wr_vector *v)
{
    memset(v->nulls, 0, WR_BATCH_WORDS * sizeof(uint64_t));
    memset(v->errors, 0, WR_BATCH_WORDS * sizeof(uint64_t));
    v->flags = 0;
}

void wr_frame_force(struct wr_frame *frame, enum wr_executor executor)
{
    const struct wr_code *code = frame->code;
    if (executor != WR_EXECUTOR_ROW || frame->by_row) return;
    frame->by_row = WR_NEW_ARRAY(&frame->storage, struct wr_vector, code->result_count + 1);
    for (uint32_t r = 0; r < code->result_count; r++)
        frame->by_row[r] = new_vector(&frame->storage, code->register_class[code->result[r]]);
    if (!frame->row) frame->row = wr_row_frame_new(frame->program, code);
}

void wr_frame_run_rows(struct wr_frame *frame, uint32_t rows)
{
    const struct wr_code *code = frame->code;
    struct wr_row_frame *single = frame->row;
    uint32_t fixed = code->input_count + code->constant_count;
    WR_ASSERT(single && frame->by_row && rows <= WR_BATCH_ROWS);
    for (uint32_t r = 0; r < code->result_count; r++) clear(&frame->by_row[r]);
    for (uint32_t row = 0; row < rows; row++) {
        for (uint32_t i = 0; i < code->input_count; i++) single->value[i] = wr_vector_at(&frame->vector[i], row);
        wr_row_frame_run(single);
        for (uint32_t r = 0; r < code->result_count; r++) {
            if (code->result[r] < fixed) continue;
            struct wr_value value = *wr_row_frame_result(single, r);
            if (WR_DEFECT("executor.row") && row == 0) value.flag = WR_FLAG_NULL;
            if (value.cls == WR_CLASS_STR && value.flag == WR_FLAG_VALUE) /* the row executor's own go with the next row */
                value.u.str = wr_arena_copy(frame->strings, value.u.str);
            put(&frame->by_row[r], row, &value);
        }
    }
    for (uint32_t r = 0; r < code->result_count; r++)
        frame->result[r] = code->result[r] < fixed ? frame->vector[frame->result_vector[r]] : frame->by_row[r];
}

/* ---- Rows, as batches of one ---------------------------------------------------------------------- */

void wr_row_frame_force(struct wr_row_frame *frame, enum wr_executor executor)
{
    const struct wr_code *code = frame->code;
    if (executor != WR_EXECUTOR_BATCH || frame->batch) return;
    frame->batch = wr_frame_new(frame->program, code);
    for (uint32_t i = 0; i < code->input_count; i++)
        frame->batch->vector[i] = new_vector(&frame->batch->storage, code->register_class[i]);
}

bool wr_row_frame_execute_batch(struct wr_row_frame *frame)
{
    struct wr_frame *batch = frame->batch;
    const struct wr_code *code = frame->code;
    bool failed = false;
    WR_ASSERT(batch && batch->code == code);
    wr_arena_clear(&batch->memory);
    for (uint32_t i = 0; i < code->input_count; i++) {
        clear(&batch->vector[i]);
        put(&batch->vector[i], 0, &frame->value[i]);
    }
    wr_frame_execute(batch, 1);
    for (uint32_t r = 0; r < code->result_count; r++)
        failed |= wr_vector_is_error(&batch->vector[batch->result_vector[r]], 0);
    return failed;
}

void wr_row_frame_take_batch(struct wr_row_frame *frame)
{
    struct wr_frame *batch = frame->batch;
    const struct wr_code *code = frame->code;
    uint32_t fixed = code->input_count + code->constant_count;
    for (uint32_t r = 0; r < code->result_count; r++) {
        if (code->result[r] < fixed) continue;
        struct wr_value *own = &frame->value[code->result[r]];
        struct wr_value value = wr_vector_at(&batch->vector[batch->result_vector[r]], 0);
        if (value.flag == WR_FLAG_ERROR && own->flag == WR_FLAG_ERROR) value.reason = own->reason;
        if (WR_DEFECT("executor.batch")) value.flag = WR_FLAG_NULL;
        *own = value; /* its text is the batch's until the next run */
    }
}
