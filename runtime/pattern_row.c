/* Cells of bytes that hold some columns of a row: what partial matches keep. Strings lie in wr_strings by id, so a
 * cell has a fixed size and holds no pointer. */
#include "runtime/pattern.h"

static size_t stored_size(uint8_t cls)
{
    return cls == WR_CLASS_STR ? sizeof(uint32_t) : wr_class_size((enum wr_class)cls);
}

void wr_layout_init(struct wr_layout *layout, const uint32_t *column, uint32_t count, const struct wr_schema *input,
                    uint32_t spare)
{
    *layout = (struct wr_layout){.count = count, .column = column};
    layout->cls = wr_alloc(count + 1);
    layout->offset = wr_alloc((count + 1) * sizeof *layout->offset);
    layout->slot = wr_alloc((input->count + 1) * sizeof *layout->slot);
    for (uint32_t c = 0; c <= input->count; c++) layout->slot[c] = WR_LAYOUT_NONE;
    uint32_t at = 0;
    /* Wide values first, so that each lies at a multiple of its own size (16 excepted: 8 will do). */
    static const uint8_t order[] = {WR_CLASS_DEC, WR_CLASS_I64, WR_CLASS_F64, WR_CLASS_STR, WR_CLASS_BOOL};
    for (size_t o = 0; o < WR_COUNT(order); o++) {
        for (uint32_t i = 0; i < count; i++) {
            WR_ASSERT(column[i] < input->count);
            uint8_t cls = (uint8_t)wr_type_class(input->column[column[i]].type);
            if (cls != order[o]) continue;
            layout->cls[i] = cls;
            layout->offset[i] = at;
            layout->slot[column[i]] = (uint16_t)i;
            layout->has_strings |= cls == WR_CLASS_STR;
            at += (uint32_t)stored_size(cls);
        }
    }
    bool front = count <= spare;
    layout->flags = front ? -(int32_t)count : (int32_t)at;
    layout->size = (at + (front ? 0 : count) + 7) & ~7u;
}

void wr_layout_release(struct wr_layout *layout)
{
    wr_free(layout->cls);
    wr_free(layout->offset);
    wr_free(layout->slot);
    *layout = (struct wr_layout){0};
}

/* The flag byte: enum wr_flag, and above it the reason of an error. */
static uint8_t *flag_at(const struct wr_layout *layout, void *cell, uint32_t slot)
{
    return (uint8_t *)cell + layout->flags + slot;
}

void wr_layout_put(const struct wr_layout *layout, void *cell, uint32_t slot, const struct wr_value *value,
                   struct wr_strings *strings)
{
    WR_ASSERT(slot < layout->count);
    char *to = (char *)cell + layout->offset[slot];
    *flag_at(layout, cell, slot) = (uint8_t)(value->flag | value->reason << 2);
    if (value->flag != WR_FLAG_VALUE) {
        memset(to, 0, stored_size(layout->cls[slot]));
        return;
    }
    switch ((enum wr_class)layout->cls[slot]) {
    case WR_CLASS_BOOL: *to = value->u.boolean; break;
    case WR_CLASS_I64: memcpy(to, &value->u.i64, 8); break;
    case WR_CLASS_F64: memcpy(to, &value->u.f64, 8); break;
    case WR_CLASS_DEC: memcpy(to, &value->u.dec, 16); break;
    case WR_CLASS_STR: {
        uint32_t id = wr_strings_add(strings, value->u.str.data, value->u.str.size);
        memcpy(to, &id, sizeof id);
        break;
    }
    case WR_CLASS_COUNT: WR_ASSERT(layout->cls[slot] < WR_CLASS_COUNT);
    }
}

void wr_layout_store(const struct wr_layout *layout, void *cell, const struct wr_batch *batch, uint32_t row,
                     struct wr_strings *strings)
{
    for (uint32_t i = 0; i < layout->count; i++) {
        const struct wr_vector *v = &batch->column[layout->column[i]];
        WR_DCHECK(v->cls == layout->cls[i]);
        if (WR_LIKELY(!v->flags)) { /* plain numbers go straight over */
            char *to = (char *)cell + layout->offset[i];
            if (v->cls == WR_CLASS_I64 || v->cls == WR_CLASS_F64) {
                memcpy(to, (const char *)v->u.data + (size_t)row * 8, 8);
                *flag_at(layout, cell, i) = WR_FLAG_VALUE;
                continue;
            }
            if (v->cls == WR_CLASS_DEC) {
                memcpy(to, &v->u.dec[row], 16);
                *flag_at(layout, cell, i) = WR_FLAG_VALUE;
                continue;
            }
        }
        struct wr_value value = wr_vector_at(v, row);
        wr_layout_put(layout, cell, i, &value, strings);
    }
}

struct wr_value wr_layout_at(const struct wr_layout *layout, const void *cell, uint32_t slot,
                             const struct wr_strings *strings)
{
    WR_ASSERT(slot < layout->count);
    const char *from = (const char *)cell + layout->offset[slot];
    uint8_t flag = *((const uint8_t *)cell + layout->flags + slot);
    struct wr_value value = {.cls = layout->cls[slot], .flag = flag & 3, .reason = flag >> 2};
    if (value.flag != WR_FLAG_VALUE) return value;
    switch ((enum wr_class)value.cls) {
    case WR_CLASS_BOOL: value.u.boolean = *from != 0; break;
    case WR_CLASS_I64: memcpy(&value.u.i64, from, 8); break;
    case WR_CLASS_F64: memcpy(&value.u.f64, from, 8); break;
    case WR_CLASS_DEC: memcpy(&value.u.dec, from, 16); break;
    case WR_CLASS_STR: {
        uint32_t id;
        memcpy(&id, from, sizeof id);
        value.u.str = wr_slice_of("", 0);
        if (id) value.u.str.data = wr_strings_at(strings, id, &value.u.str.size);
        break;
    }
    case WR_CLASS_COUNT: WR_ASSERT(value.cls < WR_CLASS_COUNT);
    }
    return value;
}

void wr_layout_drop(const struct wr_layout *layout, const void *cell, struct wr_strings *strings)
{
    if (!layout->has_strings) return;
    for (uint32_t i = 0; i < layout->count; i++) {
        if (layout->cls[i] != WR_CLASS_STR) continue;
        uint32_t id;
        memcpy(&id, (const char *)cell + layout->offset[i], sizeof id);
        if (id) wr_strings_unref(strings, id);
    }
}
