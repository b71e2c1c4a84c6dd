/* Chunks: rows copied column by column, with their strings, and batches gathered from several of
 * them. */
#include "runtime/reorder.h"

void wr_chunk_init(struct wr_chunk *chunk, const struct wr_schema *schema)
{
    wr_arena_init(&chunk->strings);
    chunk->column = wr_alloc_zero(sizeof *chunk->column * schema->count);
    chunk->batch.columns = schema->count;
    for (uint32_t c = 0; c < schema->count; c++) {
        struct wr_vector *v = &chunk->column[c];
        v->cls = (uint8_t)wr_type_class(schema->column[c].type);
        size_t size =
            v->cls == WR_CLASS_STR ? sizeof(struct wr_slice) : wr_class_size((enum wr_class)v->cls);
        v->u.data = v->cls == WR_CLASS_BOOL ? wr_alloc_zero(WR_BATCH_WORDS * sizeof(uint64_t))
                                            : wr_alloc_aligned(64, size * WR_BATCH_ROWS);
        v->nulls = wr_alloc_zero(WR_BATCH_WORDS * sizeof(uint64_t));
        v->errors = wr_alloc_zero(WR_BATCH_WORDS * sizeof(uint64_t));
    }
    chunk->place_time = chunk->time = wr_alloc(sizeof(int64_t) * WR_BATCH_ROWS);
    chunk->event_time = wr_alloc(sizeof(int64_t) * WR_BATCH_ROWS);
    chunk->source = wr_alloc(sizeof(uint32_t) * WR_BATCH_ROWS);
    chunk->offset = wr_alloc(sizeof(uint64_t) * WR_BATCH_ROWS);
    chunk->batch = (struct wr_batch){.columns = schema->count,
                                     .column = chunk->column,
                                     .time = chunk->time,
                                     .event_time = chunk->event_time,
                                     .place_time = chunk->time,
                                     .source = chunk->source,
                                     .offset = chunk->offset};
}

void wr_chunk_free(struct wr_chunk *chunk)
{
    if (!chunk) return;
    for (uint32_t c = 0; c < chunk->batch.columns; c++) {
        wr_free(chunk->column[c].u.data);
        wr_free(chunk->column[c].nulls);
        wr_free(chunk->column[c].errors);
        wr_free(chunk->column[c].reasons);
    }
    wr_free(chunk->column);
    if (chunk->place_time != chunk->time) wr_free(chunk->place_time);
    wr_free(chunk->time);
    wr_free(chunk->event_time);
    wr_free(chunk->source);
    wr_free(chunk->ordinal);
    wr_free(chunk->offset);
    wr_free(chunk->first);
    wr_arena_release(&chunk->strings);
    wr_free(chunk);
}

void wr_chunk_clear(struct wr_chunk *chunk)
{
    WR_ASSERT(chunk->live == 0 || chunk->live <= chunk->batch.rows);
    for (uint32_t c = 0; c < chunk->batch.columns; c++) {
        struct wr_vector *v = &chunk->column[c];
        if (v->flags & WR_VECTOR_NULLS) memset(v->nulls, 0, WR_BATCH_WORDS * sizeof(uint64_t));
        if (v->flags & WR_VECTOR_ERRORS) memset(v->errors, 0, WR_BATCH_WORDS * sizeof(uint64_t));
        v->flags = 0;
    }
    if (chunk->batch.any_late) memset(chunk->batch.late, 0, sizeof chunk->batch.late);
    chunk->batch.any_late = false;
    chunk->batch.rows = 0;
    chunk->live = 0;
    /* One block that holds what this filling needed, and some more, so that the next one allocates
     * nothing. */
    size_t wanted = chunk->strings.used + chunk->strings.used / 2;
    wr_arena_clear(&chunk->strings);
    if ((size_t)(chunk->strings.end - chunk->strings.next) >= wanted - wanted / 3) return;
    (void)wr_arena_alloc(&chunk->strings, wanted);
    wr_arena_clear(&chunk->strings);
}

/* Bits start … of `from` to bits at … of `to`, whose bits there are clear. */
static void copy_bits(uint64_t *to, uint32_t at, const uint64_t *from, uint32_t start,
                      uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (wr_bit(from, start + i)) wr_bit_set(to, at + i);
}

static void copy_strings(struct wr_chunk *chunk, const struct wr_vector *in, uint32_t start,
                         uint32_t count, struct wr_slice *to)
{
    size_t size = 0;
    bool nulls = in->flags & WR_VECTOR_NULLS, errors = in->flags & WR_VECTOR_ERRORS;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t r = start + i;
        bool none = (nulls && wr_bit(in->nulls, r)) || (errors && wr_bit(in->errors, r));
        to[i] = none ? wr_slice_of(NULL, 0) : in->u.str[r];
        size += to[i].size;
    }
    char *bytes = wr_arena_alloc(&chunk->strings, size);
    for (uint32_t i = 0; i < count; i++) {
        if (!to[i].size) continue;
        memcpy(bytes, to[i].data, to[i].size);
        to[i].data = bytes;
        bytes += to[i].size;
    }
}

static void copy_vector(struct wr_chunk *chunk, struct wr_vector *v, const struct wr_vector *in,
                        uint32_t start, uint32_t count)
{
    WR_ASSERT(v->cls == in->cls);
    uint32_t at = chunk->batch.rows;
    switch ((enum wr_class)v->cls) {
    case WR_CLASS_BOOL:
        for (uint32_t i = 0; i < count; i++) {
            if (wr_bit(in->u.bits, start + i))
                wr_bit_set(v->u.bits, at + i);
            else
                wr_bit_clear(v->u.bits, at + i);
        }
        break;
    case WR_CLASS_I64: memcpy(v->u.i64 + at, in->u.i64 + start, count * sizeof(int64_t)); break;
    case WR_CLASS_F64: memcpy(v->u.f64 + at, in->u.f64 + start, count * sizeof(double)); break;
    case WR_CLASS_DEC: memcpy(v->u.dec + at, in->u.dec + start, count * sizeof(wr_i128)); break;
    case WR_CLASS_STR: copy_strings(chunk, in, start, count, v->u.str + at); break;
    case WR_CLASS_COUNT: WR_ASSERT(false);
    }
    if (in->flags & WR_VECTOR_NULLS) copy_bits(v->nulls, at, in->nulls, start, count);
    if (in->flags & WR_VECTOR_ERRORS) {
        copy_bits(v->errors, at, in->errors, start, count);
        if (!v->reasons) v->reasons = wr_alloc_zero(WR_BATCH_ROWS);
        if (in->reasons)
            memcpy(v->reasons + at, in->reasons + start, count);
        else
            memset(v->reasons + at, WR_REASON_NONE, count);
    }
    v->flags |= in->flags;
}

/* Arrays that most rows do without come into being when the first row needs them. */
static void append_rare(struct wr_chunk *chunk, const struct wr_batch *in, uint32_t start,
                        uint32_t count)
{
    uint32_t at = chunk->batch.rows;
    if (in->place_time != in->time && chunk->place_time == chunk->time) {
        chunk->place_time = wr_alloc(sizeof(int64_t) * WR_BATCH_ROWS);
        memcpy(chunk->place_time, chunk->time, at * sizeof(int64_t));
        chunk->batch.place_time = chunk->place_time;
    }
    if (chunk->place_time != chunk->time)
        memcpy(chunk->place_time + at, in->place_time + start, count * sizeof(int64_t));
    if (in->ordinal && !chunk->ordinal)
        chunk->batch.ordinal = chunk->ordinal = wr_alloc_zero(sizeof(uint32_t) * WR_BATCH_ROWS);
    if (chunk->ordinal) {
        if (in->ordinal)
            memcpy(chunk->ordinal + at, in->ordinal + start, count * sizeof(uint32_t));
        else
            memset(chunk->ordinal + at, 0, count * sizeof(uint32_t));
    }
    if (in->first && !chunk->first) {
        struct wr_place *first = wr_alloc(sizeof *first * WR_BATCH_ROWS);
        for (uint32_t i = 0; i < at; i++) first[i] = wr_batch_place(&chunk->batch, i);
        chunk->batch.first = chunk->first = first;
    }
    if (chunk->first)
        for (uint32_t i = 0; i < count; i++)
            chunk->first[at + i] = in->first ? in->first[start + i] : wr_batch_place(in, start + i);
}

void wr_chunk_append(struct wr_chunk *chunk, const struct wr_batch *in, uint32_t start,
                     uint32_t count)
{
    uint32_t at = chunk->batch.rows;
    WR_ASSERT(at + count <= WR_BATCH_ROWS && start + count <= in->rows);
    WR_ASSERT(in->columns == chunk->batch.columns);
    for (uint32_t c = 0; c < in->columns; c++)
        copy_vector(chunk, &chunk->column[c], &in->column[c], start, count);
    memcpy(chunk->time + at, in->time + start, count * sizeof(int64_t));
    memcpy(chunk->event_time + at, in->event_time + start, count * sizeof(int64_t));
    memcpy(chunk->source + at, in->source + start, count * sizeof(uint32_t));
    memcpy(chunk->offset + at, in->offset + start, count * sizeof(uint64_t));
    append_rare(chunk, in, start, count);
    if (in->any_late) {
        copy_bits(chunk->batch.late, at, in->late, start, count);
        chunk->batch.any_late = true;
    }
    chunk->batch.rows += count;
    chunk->live += count;
}

/* ---- Gathering over chunks ---------------------------------------------------------------------
 */

static inline const struct wr_chunk *chunk_of(struct wr_chunk *const *chunk,
                                              struct wr_reorder_entry e)
{
    return chunk[e.at / WR_BATCH_ROWS];
}
static inline uint32_t row_of(struct wr_reorder_entry e) { return e.at % WR_BATCH_ROWS; }

#define GATHER(type, to, from)                                    \
    do {                                                          \
        type *to_ = (to);                                         \
        for (uint32_t i = 0; i < count; i++) {                    \
            const struct wr_chunk *k = chunk_of(chunk, entry[i]); \
            uint32_t r = row_of(entry[i]);                        \
            to_[i] = (from);                                      \
        }                                                         \
    } while (0)

static void gather_mask(struct wr_chunk *const *chunk, const struct wr_reorder_entry *entry,
                        uint32_t count, uint32_t c, bool errors, uint64_t *to)
{
    memset(to, 0, WR_BATCH_WORDS * sizeof *to);
    for (uint32_t i = 0; i < count; i++) {
        const struct wr_vector *v = &chunk_of(chunk, entry[i])->column[c];
        if (wr_bit(errors ? v->errors : v->nulls, row_of(entry[i]))) wr_bit_set(to, i);
    }
}

static void *array(struct wr_scratch *scratch, uint32_t rows, size_t size)
{
    return wr_scratch_alloc(scratch, ((size_t)rows + 63) / 64 * 64 * size);
}

static uint64_t *mask(struct wr_scratch *scratch)
{
    return wr_scratch_alloc(scratch, WR_BATCH_WORDS * sizeof(uint64_t));
}

static void gather_column(struct wr_scratch *scratch, struct wr_chunk *const *chunk,
                          const struct wr_reorder_entry *entry, uint32_t count, uint32_t c,
                          struct wr_vector *out)
{
    uint8_t flags = 0;
    WR_DCHECK(c < chunk_of(chunk, entry[0])->batch.columns);
    for (uint32_t i = 0; i < count; i++) flags |= chunk_of(chunk, entry[i])->column[c].flags;
    *out = (struct wr_vector){.cls = chunk_of(chunk, entry[0])->column[c].cls, .flags = flags};
    switch ((enum wr_class)out->cls) {
    case WR_CLASS_BOOL:
        out->u.bits = mask(scratch);
        memset(out->u.bits, 0, WR_BATCH_WORDS * sizeof(uint64_t));
        for (uint32_t i = 0; i < count; i++)
            if (wr_bit(chunk_of(chunk, entry[i])->column[c].u.bits, row_of(entry[i])))
                wr_bit_set(out->u.bits, i);
        break;
    case WR_CLASS_I64:
        GATHER(int64_t, out->u.i64 = array(scratch, count, 8), k->column[c].u.i64[r]);
        break;
    case WR_CLASS_F64:
        GATHER(double, out->u.f64 = array(scratch, count, 8), k->column[c].u.f64[r]);
        break;
    case WR_CLASS_DEC:
        GATHER(wr_i128, out->u.dec = array(scratch, count, 16), k->column[c].u.dec[r]);
        break;
    case WR_CLASS_STR:
        GATHER(struct wr_slice, out->u.str = array(scratch, count, sizeof(struct wr_slice)),
               k->column[c].u.str[r]);
        break;
    case WR_CLASS_COUNT: WR_ASSERT(false);
    }
    if (flags & WR_VECTOR_NULLS)
        gather_mask(chunk, entry, count, c, false, out->nulls = mask(scratch));
    if (!(flags & WR_VECTOR_ERRORS)) return;
    gather_mask(chunk, entry, count, c, true, out->errors = mask(scratch));
    GATHER(uint8_t, out->reasons = array(scratch, count, 1),
           k->column[c].reasons ? k->column[c].reasons[r] : 0);
}

static void gather_places(struct wr_scratch *scratch, struct wr_chunk *const *chunk,
                          const struct wr_reorder_entry *entry, uint32_t count,
                          struct wr_batch *out)
{
    bool places = false, ordinals = false, firsts = false, late = false;
    for (uint32_t i = 0; i < count; i++) {
        const struct wr_chunk *k = chunk_of(chunk, entry[i]);
        places |= k->place_time != k->time;
        ordinals |= k->ordinal != NULL;
        firsts |= k->first != NULL;
        late |= k->batch.any_late;
    }
    int64_t *time = array(scratch, count, 8), *event_time = array(scratch, count, 8),
            *place_time = time;
    GATHER(int64_t, time, k->time[r]);
    GATHER(int64_t, event_time, k->event_time[r]);
    if (places) GATHER(int64_t, place_time = array(scratch, count, 8), k->place_time[r]);
    uint32_t *source = array(scratch, count, 4), *ordinal = NULL;
    GATHER(uint32_t, source, k->source[r]);
    if (ordinals)
        GATHER(uint32_t, ordinal = array(scratch, count, 4), k->ordinal ? k->ordinal[r] : 0);
    uint64_t *offset = array(scratch, count, 8);
    GATHER(uint64_t, offset, k->offset[r]);
    struct wr_place *first = NULL;
    if (firsts)
        GATHER(struct wr_place, first = array(scratch, count, sizeof *first),
               k->first ? k->first[r] : wr_batch_place(&k->batch, r));
    out->time = time;
    out->event_time = event_time;
    out->place_time = place_time;
    out->source = source;
    out->offset = offset;
    out->ordinal = ordinal;
    out->first = first;
    out->any_late = late;
    if (!late) return;
    memset(out->late, 0, sizeof out->late);
    for (uint32_t i = 0; i < count; i++)
        if (wr_bit(chunk_of(chunk, entry[i])->batch.late, row_of(entry[i])))
            wr_bit_set(out->late, i);
}

void wr_chunk_gather(struct wr_scratch *scratch, struct wr_chunk *const *chunk,
                     const struct wr_reorder_entry *entry, uint32_t count, struct wr_batch *out)
{
    WR_ASSERT(count > 0 && count <= WR_BATCH_ROWS);
    uint32_t columns = chunk_of(chunk, entry[0])->batch.columns;
    struct wr_vector *column = wr_scratch_alloc(scratch, columns * sizeof *column);
    for (uint32_t c = 0; c < columns; c++)
        gather_column(scratch, chunk, entry, count, c, &column[c]);
    out->rows = count;
    out->columns = columns;
    out->column = column;
    gather_places(scratch, chunk, entry, count, out);
}
