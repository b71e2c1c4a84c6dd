/* LIFO scratch memory; batches of chosen rows and slices of batches in it. */
#include "runtime/scratch.h"

enum { BLOCK_SIZE = 256 * 1024, ALIGNMENT = 64 };

void wr_scratch_release(struct wr_scratch *scratch)
{
    for (size_t i = 0; i < scratch->block.count; i++) wr_free(scratch->block.at[i].data);
    wr_vec_release(&scratch->block);
    scratch->current = scratch->used = 0;
}

void *wr_scratch_alloc(struct wr_scratch *scratch, size_t size)
{
    size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    while (scratch->current < scratch->block.count) {
        struct wr_scratch_block *block = &scratch->block.at[scratch->current];
        if (block->size - scratch->used >= size) {
            void *memory = block->data + scratch->used;
            scratch->used += size;
            return memory;
        }
        if (scratch->used == 0)
            break; /* an unused block that is too small: put a greater one in its place */
        scratch->current++;
        scratch->used = 0;
    }
    size_t wanted = WR_MAX(size, (size_t)BLOCK_SIZE);
    char *data = wr_alloc_aligned(ALIGNMENT, wanted);
    if (scratch->current < scratch->block.count) {
        wr_free(scratch->block.at[scratch->current].data);
        scratch->block.at[scratch->current] = (struct wr_scratch_block){data, wanted};
    } else {
        wr_vec_push(&scratch->block, (struct wr_scratch_block){data, wanted});
    }
    WR_ASSERT(scratch->current < scratch->block.count && scratch->used == 0);
    scratch->used = size;
    return data;
}

uint32_t wr_mask_rows(const uint64_t *mask, uint32_t rows, uint16_t *row)
{
    WR_ASSERT(rows <= WR_BATCH_ROWS);
    uint32_t count = 0;
    for (uint32_t base = 0; base < rows; base += 64) {
        uint64_t word = mask[base >> 6];
        if (rows - base < 64) word &= ((uint64_t)1 << (rows - base)) - 1;
        while (word) {
            row[count++] = (uint16_t)(base + (uint32_t)__builtin_ctzll(word));
            word &= word - 1;
        }
    }
    return count;
}

void wr_mask_gather(const uint64_t *from, const uint16_t *row, uint32_t count, uint64_t *to)
{
    WR_ASSERT(count <= WR_BATCH_ROWS);
    for (uint32_t base = 0; base < count; base += 64) {
        uint64_t word = 0;
        uint32_t end = WR_MIN(count - base, 64u);
        for (uint32_t i = 0; i < end; i++) word |= (uint64_t)wr_bit(from, row[base + i]) << i;
        to[base >> 6] = word;
    }
}

void wr_mask_shift(const uint64_t *from, uint32_t start, uint32_t count, uint64_t *to)
{
    WR_ASSERT(start + count <= WR_BATCH_ROWS);
    uint32_t word = start >> 6, shift = start & 63, words = (count + 63) / 64;
    for (uint32_t i = 0; i < words; i++) {
        uint64_t low = from[word + i] >> shift;
        uint64_t high =
            shift && word + i + 1 < WR_BATCH_WORDS ? from[word + i + 1] << (64 - shift) : 0;
        to[i] = low | high;
    }
}

/* Room for elements of a whole number of mask words, so that loops over words may read past the
 * last row. */
static void *array(struct wr_scratch *scratch, uint32_t rows, size_t size)
{
    return wr_scratch_alloc(scratch, ((size_t)rows + 63) / 64 * 64 * size);
}

static uint64_t *mask(struct wr_scratch *scratch)
{
    return wr_scratch_alloc(scratch, WR_BATCH_WORDS * sizeof(uint64_t));
}

#define GATHER(type, from, to)                                        \
    do {                                                              \
        const type *a_ = (from);                                      \
        type *b_ = (to);                                              \
        for (uint32_t i_ = 0; i_ < count; i_++) b_[i_] = a_[row[i_]]; \
    } while (0)

static void gather_vector(struct wr_scratch *scratch, const struct wr_vector *in,
                          const uint16_t *row, uint32_t count, struct wr_vector *out)
{
    switch ((enum wr_class)in->cls) {
    case WR_CLASS_BOOL:
        out->u.bits = mask(scratch);
        wr_mask_gather(in->u.bits, row, count, out->u.bits);
        break;
    case WR_CLASS_I64:
        out->u.i64 = array(scratch, count, sizeof(int64_t));
        GATHER(int64_t, in->u.i64, out->u.i64);
        break;
    case WR_CLASS_F64:
        out->u.f64 = array(scratch, count, sizeof(double));
        GATHER(double, in->u.f64, out->u.f64);
        break;
    case WR_CLASS_DEC:
        out->u.dec = array(scratch, count, sizeof(wr_i128));
        GATHER(wr_i128, in->u.dec, out->u.dec);
        break;
    case WR_CLASS_STR:
        out->u.str = array(scratch, count, sizeof(struct wr_slice));
        GATHER(struct wr_slice, in->u.str, out->u.str);
        break;
    case WR_CLASS_COUNT: WR_ASSERT(false);
    }
    if (in->flags & WR_VECTOR_NULLS)
        wr_mask_gather(in->nulls, row, count, out->nulls = mask(scratch));
    if (!(in->flags & WR_VECTOR_ERRORS)) return;
    wr_mask_gather(in->errors, row, count, out->errors = mask(scratch));
    if (in->reasons) GATHER(uint8_t, in->reasons, out->reasons = array(scratch, count, 1));
}

static const int64_t *gather_times(struct wr_scratch *scratch, const int64_t *in,
                                   const uint16_t *row, uint32_t count)
{
    int64_t *out = array(scratch, count, sizeof *out);
    GATHER(int64_t, in, out);
    return out;
}

static void gather_places(struct wr_scratch *scratch, const struct wr_batch *in,
                          const uint16_t *row, uint32_t count, struct wr_batch *out)
{
    out->time = gather_times(scratch, in->time, row, count);
    out->event_time =
        in->event_time == in->time ? out->time : gather_times(scratch, in->event_time, row, count);
    out->place_time =
        in->place_time == in->time ? out->time : gather_times(scratch, in->place_time, row, count);
    uint32_t *source = array(scratch, count, sizeof *source);
    GATHER(uint32_t, in->source, source);
    out->source = source;
    uint64_t *offset = array(scratch, count, sizeof *offset);
    GATHER(uint64_t, in->offset, offset);
    out->offset = offset;
    if (in->ordinal) {
        uint32_t *ordinal = array(scratch, count, sizeof *ordinal);
        GATHER(uint32_t, in->ordinal, ordinal);
        out->ordinal = ordinal;
    }
    if (in->first) {
        struct wr_place *first = array(scratch, count, sizeof *first);
        GATHER(struct wr_place, in->first, first);
        out->first = first;
    }
    out->any_late = in->any_late;
    if (in->any_late) wr_mask_gather(in->late, row, count, out->late);
}

void wr_batch_gather(struct wr_scratch *scratch, const struct wr_batch *in, const uint16_t *row,
                     uint32_t count, const uint64_t *needed, struct wr_batch *out)
{
    WR_ASSERT(count <= WR_BATCH_ROWS);
    struct wr_vector *column = wr_scratch_alloc(scratch, in->columns * sizeof *column);
    out->rows = count;
    out->columns = in->columns;
    out->column = column;
    out->ordinal = NULL;
    out->first = NULL;
    gather_places(scratch, in, row, count, out);
    for (uint32_t c = 0; c < in->columns; c++) {
        column[c] = (struct wr_vector){.cls = in->column[c].cls, .flags = in->column[c].flags};
        if (!needed || (needed[c >> 6] >> (c & 63) & 1))
            gather_vector(scratch, &in->column[c], row, count, &column[c]);
        else
            column[c].flags = 0;
    }
}

static void slice_vector(struct wr_scratch *scratch, const struct wr_vector *in, uint32_t start,
                         uint32_t count, struct wr_vector *out)
{
    *out = *in;
    if (start == 0) return;
    switch ((enum wr_class)in->cls) {
    case WR_CLASS_BOOL: wr_mask_shift(in->u.bits, start, count, out->u.bits = mask(scratch)); break;
    case WR_CLASS_I64: out->u.i64 += start; break;
    case WR_CLASS_F64: out->u.f64 += start; break;
    case WR_CLASS_DEC: out->u.dec += start; break;
    case WR_CLASS_STR: out->u.str += start; break;
    case WR_CLASS_COUNT: WR_ASSERT(false);
    }
    if (in->flags & WR_VECTOR_NULLS)
        wr_mask_shift(in->nulls, start, count, out->nulls = mask(scratch));
    if (in->flags & WR_VECTOR_ERRORS)
        wr_mask_shift(in->errors, start, count, out->errors = mask(scratch));
    if (in->reasons) out->reasons = in->reasons + start;
}

void wr_batch_slice(struct wr_scratch *scratch, const struct wr_batch *in, uint32_t start,
                    uint32_t count, struct wr_batch *out)
{
    WR_ASSERT(start + count <= in->rows);
    WR_ASSERT(start == 0 || in->offset);
    struct wr_vector *column = wr_scratch_alloc(scratch, in->columns * sizeof *column);
    for (uint32_t c = 0; c < in->columns; c++)
        slice_vector(scratch, &in->column[c], start, count, &column[c]);
    out->rows = count;
    out->columns = in->columns;
    out->column = column;
    out->time = in->time ? in->time + start : NULL;
    out->event_time = in->event_time ? in->event_time + start : NULL;
    out->place_time = in->place_time ? in->place_time + start : NULL;
    out->source = in->source ? in->source + start : NULL;
    out->offset = in->offset + start;
    out->ordinal = in->ordinal ? in->ordinal + start : NULL;
    out->first = in->first ? in->first + start : NULL;
    out->any_late = in->any_late;
    if (in->any_late) wr_mask_shift(in->late, start, count, out->late);
}

void wr_vector_explain(struct wr_scratch *scratch, struct wr_frame *frame,
                       const struct wr_batch *batch, uint32_t result, struct wr_vector *vector)
{
    WR_ASSERT(vector->cls < WR_CLASS_COUNT);
    if (!(vector->flags & WR_VECTOR_ERRORS) || vector->reasons) return;
    uint16_t row[WR_BATCH_ROWS];
    uint32_t count = wr_mask_rows(vector->errors, batch->rows, row);
    if (!count) return;
    vector->reasons = wr_scratch_alloc(scratch, WR_BATCH_ROWS);
    for (uint32_t i = 0; i < count; i++)
        vector->reasons[row[i]] = (uint8_t)wr_frame_reason(frame, batch, result, row[i]);
}
