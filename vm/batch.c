/* Batches: reading a value, and storage that is filled row by row. */
#include "base/arena.h"
#include "vm/batch.h"

struct wr_value wr_vector_at(const struct wr_vector *vector, uint32_t row)
{
    struct wr_value value = {.cls = vector->cls};
    WR_DCHECK(row < WR_BATCH_ROWS);
    if (wr_vector_is_error(vector, row)) {
        value.flag = WR_FLAG_ERROR;
        if (vector->reasons) value.reason = vector->reasons[row];
        return value;
    }
    if (wr_vector_is_null(vector, row)) {
        value.flag = WR_FLAG_NULL;
        return value;
    }
    switch ((enum wr_class)vector->cls) {
    case WR_CLASS_BOOL: value.u.boolean = wr_bit(vector->u.bits, row); break;
    case WR_CLASS_I64: value.u.i64 = vector->u.i64[row]; break;
    case WR_CLASS_F64: value.u.f64 = vector->u.f64[row]; break;
    case WR_CLASS_DEC: value.u.dec = vector->u.dec[row]; break;
    case WR_CLASS_STR: value.u.str = vector->u.str[row]; break;
    case WR_CLASS_COUNT: WR_ASSERT(false); break;
    }
    return value;
}

/* ---- Builder ------------------------------------------------------------------------------------ */

static size_t data_size(enum wr_class cls)
{
    switch (cls) {
    case WR_CLASS_BOOL: return WR_BATCH_WORDS * sizeof(uint64_t);
    case WR_CLASS_I64: return WR_BATCH_ROWS * sizeof(int64_t);
    case WR_CLASS_F64: return WR_BATCH_ROWS * sizeof(double);
    case WR_CLASS_DEC: return WR_BATCH_ROWS * sizeof(wr_i128);
    case WR_CLASS_STR: return WR_BATCH_ROWS * sizeof(struct wr_slice);
    case WR_CLASS_COUNT: break;
    }
    WR_ASSERT(false);
    return 0;
}

void wr_batch_builder_init(struct wr_batch_builder *b, const struct wr_type *type, uint32_t columns,
                           bool with_first)
{
    *b = (struct wr_batch_builder){.type = type};
    b->column = wr_alloc_zero(sizeof *b->column * WR_MAX(columns, 1u));
    for (uint32_t c = 0; c < columns; c++) {
        struct wr_vector *v = &b->column[c];
        v->cls = (uint8_t)wr_type_class(type[c]);
        v->u.data = wr_alloc_zero(data_size((enum wr_class)v->cls));
        v->nulls = wr_alloc_zero(WR_BATCH_WORDS * sizeof(uint64_t));
        v->errors = wr_alloc_zero(WR_BATCH_WORDS * sizeof(uint64_t));
    }
    b->time = wr_alloc_zero(WR_BATCH_ROWS * sizeof *b->time);
    b->event_time = wr_alloc_zero(WR_BATCH_ROWS * sizeof *b->event_time);
    b->place_time = wr_alloc_zero(WR_BATCH_ROWS * sizeof *b->place_time);
    b->source = wr_alloc_zero(WR_BATCH_ROWS * sizeof *b->source);
    b->ordinal = wr_alloc_zero(WR_BATCH_ROWS * sizeof *b->ordinal);
    b->offset = wr_alloc_zero(WR_BATCH_ROWS * sizeof *b->offset);
    if (with_first) b->first = wr_alloc_zero(WR_BATCH_ROWS * sizeof *b->first);
    b->strings = wr_alloc(sizeof *b->strings);
    wr_arena_init(b->strings);
    b->batch = (struct wr_batch){.columns = columns, .column = b->column, .time = b->time,
                                 .event_time = b->event_time, .place_time = b->place_time, .source = b->source,
                                 .offset = b->offset, .ordinal = b->ordinal, .first = b->first};
}

void wr_batch_builder_release(struct wr_batch_builder *b)
{
    if (!b->column) return;
    for (uint32_t c = 0; c < b->batch.columns; c++) {
        wr_free(b->column[c].u.data);
        wr_free(b->column[c].nulls);
        wr_free(b->column[c].errors);
        wr_free(b->column[c].reasons);
    }
    wr_free(b->column);
    wr_free(b->time);
    wr_free(b->event_time);
    wr_free(b->place_time);
    wr_free(b->source);
    wr_free(b->ordinal);
    wr_free(b->offset);
    wr_free(b->first);
    wr_arena_release(b->strings);
    wr_free(b->strings);
    *b = (struct wr_batch_builder){0};
}

void wr_batch_builder_clear(struct wr_batch_builder *b)
{
    WR_ASSERT(b->batch.rows <= WR_BATCH_ROWS);
    for (uint32_t c = 0; c < b->batch.columns; c++) {
        struct wr_vector *v = &b->column[c];
        if (v->cls == WR_CLASS_BOOL) memset(v->u.bits, 0, WR_BATCH_WORDS * sizeof(uint64_t));
        if (v->flags & WR_VECTOR_NULLS) memset(v->nulls, 0, WR_BATCH_WORDS * sizeof(uint64_t));
        if (v->flags & WR_VECTOR_ERRORS) memset(v->errors, 0, WR_BATCH_WORDS * sizeof(uint64_t));
        v->flags = 0;
    }
    if (b->batch.any_late) memset(b->batch.late, 0, sizeof b->batch.late);
    b->batch.any_late = false;
    b->batch.rows = 0;
    wr_arena_clear(b->strings);
}

static void put_data(struct wr_batch_builder *b, struct wr_vector *v, uint32_t row, const struct wr_value *value,
                     bool copy)
{
    switch ((enum wr_class)v->cls) {
    case WR_CLASS_BOOL:
        if (value->u.boolean) wr_bit_set(v->u.bits, row);
        else wr_bit_clear(v->u.bits, row);
        break;
    case WR_CLASS_I64: v->u.i64[row] = value->u.i64; break;
    case WR_CLASS_F64: v->u.f64[row] = value->u.f64; break;
    case WR_CLASS_DEC: v->u.dec[row] = value->u.dec; break;
    case WR_CLASS_STR: v->u.str[row] = copy ? wr_arena_copy(b->strings, value->u.str) : value->u.str; break;
    case WR_CLASS_COUNT: WR_ASSERT(false); break;
    }
}

void wr_batch_builder_put(struct wr_batch_builder *b, uint32_t column, uint32_t row, const struct wr_value *value,
                          bool copy)
{
    static const struct wr_value nothing;
    WR_ASSERT(column < b->batch.columns && row < WR_BATCH_ROWS);
    struct wr_vector *v = &b->column[column];
    if (v->flags & WR_VECTOR_NULLS) wr_bit_clear(v->nulls, row);
    if (v->flags & WR_VECTOR_ERRORS) wr_bit_clear(v->errors, row);
    if (value->flag == WR_FLAG_VALUE) {
        put_data(b, v, row, value, copy);
        return;
    }
    put_data(b, v, row, &nothing, false);
    if (value->flag == WR_FLAG_NULL) {
        v->flags |= WR_VECTOR_NULLS;
        wr_bit_set(v->nulls, row);
    } else {
        v->flags |= WR_VECTOR_ERRORS;
        wr_bit_set(v->errors, row);
        if (!v->reasons) v->reasons = wr_alloc_zero(WR_BATCH_ROWS);
        v->reasons[row] = value->reason;
    }
}

void wr_batch_builder_copy_row(struct wr_batch_builder *b, const struct wr_batch *in, uint32_t row, bool copy)
{
    uint32_t to = b->batch.rows++;
    WR_ASSERT(to < WR_BATCH_ROWS && row < in->rows && in->columns == b->batch.columns);
    for (uint32_t c = 0; c < in->columns; c++) {
        struct wr_value value = wr_vector_at(&in->column[c], row);
        wr_batch_builder_put(b, c, to, &value, copy);
    }
    b->time[to] = in->time[row];
    b->event_time[to] = in->event_time[row];
    b->place_time[to] = in->place_time[row];
    b->source[to] = in->source[row];
    b->ordinal[to] = in->ordinal ? in->ordinal[row] : 0;
    b->offset[to] = in->offset[row];
    if (b->first) b->first[to] = in->first ? in->first[row] : wr_batch_place(in, row);
    if (in->any_late && wr_bit(in->late, row)) {
        b->batch.any_late = true;
        wr_bit_set(b->batch.late, to);
    }
}
