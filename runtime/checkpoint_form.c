/* The forms of segments and records, for writers and for those who read a store without an engine. */
#include "runtime/checkpoint_internal.h"

enum { FORM = 1 };

bool wr_segment_begin(struct wr_slice *in, uint64_t *epoch)
{
    uint8_t form;
    return wr_get_u8(in, &form) && form == FORM && wr_get_uint(in, epoch);
}

bool wr_segment_next(struct wr_slice *in, struct wr_segment_entry *entry)
{
    uint64_t op;
    uint8_t kind;
    if (!wr_get_uint(in, &op) || op > UINT32_MAX || !wr_get_u8(in, &kind)) return false;
    if (kind != 'o' && kind != 'u' && kind != 'g') return false;
    entry->op = (uint32_t)op;
    entry->kind = (char)kind;
    entry->value = (struct wr_slice){0};
    return wr_get_bytes(in, &entry->key) && (kind == 'g' || wr_get_bytes(in, &entry->value));
}

bool wr_record_begin(struct wr_slice *in)
{
    uint8_t form;
    return wr_get_u8(in, &form) && form == FORM;
}

bool wr_record_next(struct wr_slice *in, struct wr_record_field *field)
{
    return in->size && wr_get_bytes(in, &field->name) && wr_get_bytes(in, &field->value);
}

struct wr_slice wr_record_find(struct wr_slice record, const char *name)
{
    struct wr_record_field field;
    if (!wr_record_begin(&record)) return (struct wr_slice){0};
    while (wr_record_next(&record, &field))
        if (wr_slice_equal(field.name, wr_slice_cstr(name))) return field.value;
    return (struct wr_slice){0};
}

bool wr_record_operator_next(struct wr_slice *in, struct wr_record_operator *op)
{
    struct wr_slice one;
    return in->size && wr_get_bytes(in, &one) && wr_get_bytes(&one, &op->identity) && op->identity.size == 16 &&
           wr_get_bytes(&one, &op->kind) && wr_get_bytes(&one, &op->name) && wr_get_uint(&one, &op->units) &&
           wr_get_uint(&one, &op->bytes) && wr_get_bytes(&one, &op->clock);
}

bool wr_record_partition_next(struct wr_slice *in, struct wr_record_partition *p)
{
    struct wr_slice one;
    uint8_t ended;
    if (!in->size || !wr_get_bytes(in, &one)) return false;
    if (!wr_get_bytes(&one, &p->stream) || !wr_get_bytes(&one, &p->path) || !wr_get_uint(&one, &p->number) ||
        !wr_get_uint(&one, &p->rows) || !wr_get_u8(&one, &ended) || ended > 1 || !wr_get_i64(&one, &p->watermark))
        return false;
    p->ended = ended;
    return wr_get_u64(&one, &p->position.offset) && wr_get_u64(&one, &p->position.line) &&
           wr_get_u64(&one, &p->position.byte) && wr_get_u64(&one, &p->position.head) &&
           wr_get_u64(&one, &p->position.before) && wr_get_uint(&one, &p->total);
}
