/* Bytes of the logical state form. */
#include "runtime/codec.h"

void wr_put_long_uint(struct wr_buf *out, uint64_t v)
{
    enum { LONGEST = 10 };
    char *to = wr_buf_reserve(out, LONGEST);
    for (; v >= 0x80; v >>= 7) *to++ = (char)(unsigned char)(v | 0x80);
    *to++ = (char)(unsigned char)v;
    WR_DCHECK(to <= out->data + out->size + LONGEST);
    out->size = (size_t)(to - out->data);
}

void wr_put_bytes(struct wr_buf *out, struct wr_slice bytes)
{
    WR_ASSERT(bytes.data || bytes.size == 0);
    wr_put_uint(out, bytes.size);
    wr_buf_add_slice(out, bytes);
}

void wr_put_value(struct wr_buf *out, const struct wr_value *value)
{
    WR_ASSERT(value->flag <= WR_FLAG_ERROR && value->cls < WR_CLASS_COUNT);
    wr_put_u8(out, value->flag);
    if (value->flag == WR_FLAG_ERROR) wr_put_u8(out, value->reason);
    if (value->flag != WR_FLAG_VALUE) return;
    uint64_t bits;
    switch ((enum wr_class)value->cls) {
    case WR_CLASS_BOOL: wr_put_u8(out, value->u.boolean); break;
    case WR_CLASS_I64: wr_put_i64(out, value->u.i64); break;
    case WR_CLASS_F64:
        memcpy(&bits, &value->u.f64, sizeof bits);
        wr_put_u64(out, bits);
        break;
    case WR_CLASS_DEC:
        wr_put_u64(out, (uint64_t)(wr_u128)value->u.dec);
        wr_put_u64(out, (uint64_t)((wr_u128)value->u.dec >> 64));
        break;
    case WR_CLASS_STR: wr_put_bytes(out, value->u.str); break;
    case WR_CLASS_COUNT: WR_ASSERT(false);
    }
}

/* Flags of a value beside enum wr_flag: that it is `near`. */
enum { IS_NEAR = 3 };

void wr_put_near_value(struct wr_buf *out, const struct wr_value *value, int64_t near)
{
    WR_ASSERT(value->cls < WR_CLASS_COUNT);
    if (value->cls != WR_CLASS_I64 || value->flag != WR_FLAG_VALUE) {
        wr_put_value(out, value);
    } else if (value->u.i64 == near) {
        wr_put_u8(out, IS_NEAR);
    } else {
        wr_put_u8(out, WR_FLAG_VALUE);
        wr_put_int(out, value->u.i64);
    }
}

bool wr_get_near_value(struct wr_slice *in, enum wr_class cls, int64_t near, struct wr_value *value)
{
    WR_ASSERT(cls < WR_CLASS_COUNT);
    if (cls != WR_CLASS_I64 || !in->size) return wr_get_value(in, cls, value);
    *value = (struct wr_value){.cls = (uint8_t)cls};
    if (*in->data != WR_FLAG_VALUE && *in->data != IS_NEAR) return wr_get_value(in, cls, value);
    uint8_t how;
    value->u.i64 = near;
    return wr_get_u8(in, &how) && (how == IS_NEAR || wr_get_int(in, &value->u.i64));
}

/* The tenth byte has the last bit alone. */
bool wr_get_long_uint(struct wr_slice *in, uint64_t *v)
{
    const unsigned char *at = (const unsigned char *)in->data, *end = at + in->size;
    *v = 0;
    for (unsigned shift = 0; shift < 64 && at < end; shift += 7) {
        unsigned char byte = *at++;
        if (shift == 63 && byte > 1) return false;
        *v |= (uint64_t)(byte & 0x7f) << shift;
        if (byte & 0x80) continue;
        *in = wr_slice_of((const char *)at, (size_t)(end - at));
        return true;
    }
    return false;
}

bool wr_get_value(struct wr_slice *in, enum wr_class cls, struct wr_value *value)
{
    *value = (struct wr_value){.cls = (uint8_t)cls};
    uint8_t byte;
    uint64_t low, high;
    if (!wr_get_u8(in, &value->flag) || value->flag > WR_FLAG_ERROR) return false;
    if (value->flag == WR_FLAG_ERROR)
        return wr_get_u8(in, &value->reason) && value->reason < WR_REASON_COUNT;
    if (value->flag == WR_FLAG_NULL) return true;
    switch (cls) {
    case WR_CLASS_BOOL:
        if (!wr_get_u8(in, &byte) || byte > 1) return false;
        value->u.boolean = byte;
        return true;
    case WR_CLASS_I64: return wr_get_i64(in, &value->u.i64);
    case WR_CLASS_F64:
        if (!wr_get_u64(in, &low)) return false;
        memcpy(&value->u.f64, &low, sizeof low);
        return true;
    case WR_CLASS_DEC:
        if (!wr_get_u64(in, &low) || !wr_get_u64(in, &high)) return false;
        value->u.dec = (wr_i128)((wr_u128)high << 64 | low);
        return true;
    case WR_CLASS_STR: return wr_get_bytes(in, &value->u.str);
    case WR_CLASS_COUNT: break;
    }
    WR_ASSERT(false);
    return false;
}
