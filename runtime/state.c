/* Whole rows as bytes and back. */
#include "runtime/state.h"

#include "base/alloc.h"

void wr_place_encode(const struct wr_task *task, struct wr_place place, struct wr_buf *out)
{
    struct wr_slice stream;
    uint32_t partition;
    wr_task_source_identity(task, place.source, &stream, &partition);
    WR_ASSERT(place.source == 0 || place.source == WR_SOURCE_END || stream.size > 0);
    wr_put_i64(out, place.time);
    wr_put_bytes(out, stream);
    wr_put_uint(out, partition);
    wr_put_uint(out, place.ordinal);
    wr_put_u64(out, place.offset);
}

bool wr_place_decode(const struct wr_task *task, struct wr_slice *in, struct wr_place *place)
{
    struct wr_slice stream;
    uint64_t partition, ordinal;
    if (!wr_get_i64(in, &place->time) || !wr_get_bytes(in, &stream) ||
        !wr_get_uint(in, &partition) || !wr_get_uint(in, &ordinal) ||
        !wr_get_u64(in, &place->offset) || partition > UINT32_MAX || ordinal > UINT32_MAX)
        return false;
    place->ordinal = (uint32_t)ordinal;
    place->source = wr_task_source_find(task, stream, (uint32_t)partition);
    return place->source != WR_NONE;
}

enum { ROW_LATE = 1, ROW_FIRST = 2 };

void wr_row_encode(const struct wr_task *task, const struct wr_batch *batch, uint32_t row,
                   struct wr_buf *out)
{
    WR_ASSERT(row < batch->rows);
    bool late = batch->any_late && wr_bit(batch->late, row);
    wr_put_u8(out, (uint8_t)((late ? ROW_LATE : 0) | (batch->first ? ROW_FIRST : 0)));
    wr_put_i64(out, batch->time[row]);
    wr_put_i64(out, batch->event_time[row]);
    wr_place_encode(task, wr_batch_place(batch, row), out);
    if (batch->first) wr_place_encode(task, batch->first[row], out);
    for (uint32_t c = 0; c < batch->columns; c++) {
        struct wr_value value = wr_vector_at(&batch->column[c], row);
        wr_put_value(out, &value);
    }
}

bool wr_row_decode(const struct wr_task *task, const struct wr_schema *schema, struct wr_slice *in,
                   struct wr_batch_builder *b)
{
    WR_ASSERT(b->batch.columns == schema->count && b->batch.rows == 0);
    uint8_t flags;
    struct wr_place place, first;
    if (!wr_get_u8(in, &flags) || !wr_get_i64(in, &b->time[0]) ||
        !wr_get_i64(in, &b->event_time[0]) || !wr_place_decode(task, in, &place))
        return false;
    if ((flags & ROW_FIRST) && !wr_place_decode(task, in, &first)) return false;
    for (uint32_t c = 0; c < schema->count; c++) {
        struct wr_value value;
        if (!wr_get_value(in, wr_type_class(schema->column[c].type), &value)) return false;
        wr_batch_builder_put(b, c, 0, &value, true);
    }
    b->place_time[0] = place.time;
    b->source[0] = place.source;
    b->ordinal[0] = place.ordinal;
    b->offset[0] = place.offset;
    b->batch.first = flags & ROW_FIRST ? b->first : NULL;
    if (flags & ROW_FIRST) b->first[0] = first;
    b->batch.any_late = flags & ROW_LATE;
    b->batch.late[0] = flags & ROW_LATE ? 1 : 0;
    b->batch.rows = 1;
    return true;
}

void wr_batch_builder_init_schema(struct wr_batch_builder *builder, const struct wr_schema *schema)
{
    struct wr_type *type = wr_alloc(sizeof *type * (schema->count + 1));
    for (uint32_t c = 0; c < schema->count; c++) type[c] = schema->column[c].type;
    WR_ASSERT(schema->count == 0 || schema->column);
    wr_batch_builder_init(builder, type, schema->count, true);
}

void wr_batch_builder_release_schema(struct wr_batch_builder *builder)
{
    const struct wr_type *type = builder->type;
    WR_ASSERT(builder->batch.rows <= 1);
    wr_batch_builder_release(builder);
    wr_free((void *)(uintptr_t)type);
}
