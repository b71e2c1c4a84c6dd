/* Bytes of the logical state form: little-endian integers, LEB128 counts, values with their flags. Readers take from
 * the front of a slice and return false when it is too short or malformed. */
#ifndef WR_RUNTIME_CODEC_H
#define WR_RUNTIME_CODEC_H

#include "base/buf.h"
#include "vm/batch.h"

void wr_put_long_uint(struct wr_buf *out, uint64_t v); /* of any length: for wr_put_uint */
void wr_put_bytes(struct wr_buf *out, struct wr_slice bytes); /* length and bytes */
void wr_put_value(struct wr_buf *out, const struct wr_value *value);
bool wr_get_value(struct wr_slice *in, enum wr_class cls, struct wr_value *value); /* strings lent */
/* The same in fewer bytes: whole numbers as LEB128, one that is `near` (the time of its row, say) in none. */
void wr_put_near_value(struct wr_buf *out, const struct wr_value *value, int64_t near);
bool wr_get_near_value(struct wr_slice *in, enum wr_class cls, int64_t near, struct wr_value *value); /* strings lent */
bool wr_get_long_uint(struct wr_slice *in, uint64_t *v); /* of any length: for wr_get_uint */

/* The rest is inline: a checkpoint writes, and a restart reads, some twenty of them for each key. */

/* `bytes`: a constant, so that this is one store. */
static inline void wr_put_le(struct wr_buf *out, uint64_t v, unsigned bytes)
{
    char *to = wr_buf_reserve(out, bytes);
    for (unsigned i = 0; i < bytes; i++) to[i] = (char)(unsigned char)(v >> (8 * i));
    out->size += bytes;
}

static inline void wr_put_u8(struct wr_buf *out, uint8_t v) { wr_put_le(out, v, 1); }
static inline void wr_put_u32(struct wr_buf *out, uint32_t v) { wr_put_le(out, v, 4); }
static inline void wr_put_u64(struct wr_buf *out, uint64_t v) { wr_put_le(out, v, 8); }
static inline void wr_put_i64(struct wr_buf *out, int64_t v) { wr_put_le(out, (uint64_t)v, 8); }

static inline void wr_put_uint(struct wr_buf *out, uint64_t v) /* LEB128 */
{
    if (WR_LIKELY(v < 0x80)) wr_put_u8(out, (uint8_t)v);
    else wr_put_long_uint(out, v);
}

static inline void wr_put_int(struct wr_buf *out, int64_t v) /* LEB128 of 0, -1, 1, -2, … */
{
    wr_put_uint(out, (uint64_t)v << 1 ^ (uint64_t)(v >> 63));
}

static inline bool wr_get_u8(struct wr_slice *in, uint8_t *v)
{
    if (WR_UNLIKELY(!in->size)) return false;
    *v = (uint8_t)*in->data;
    in->data++;
    in->size--;
    return true;
}

/* `bytes`: a constant, so that this is one load. */
static inline bool wr_get_le(struct wr_slice *in, uint64_t *v, unsigned bytes)
{
    if (WR_UNLIKELY(in->size < bytes)) return false;
    *v = 0;
    for (unsigned i = 0; i < bytes; i++) *v |= (uint64_t)(unsigned char)in->data[i] << (8 * i);
    in->data += bytes;
    in->size -= bytes;
    return true;
}

static inline bool wr_get_u32(struct wr_slice *in, uint32_t *v)
{
    uint64_t wide;
    if (!wr_get_le(in, &wide, 4)) return false;
    *v = (uint32_t)wide;
    return true;
}

static inline bool wr_get_u64(struct wr_slice *in, uint64_t *v) { return wr_get_le(in, v, 8); }

static inline bool wr_get_i64(struct wr_slice *in, int64_t *v)
{
    uint64_t wide;
    if (!wr_get_le(in, &wide, 8)) return false;
    *v = (int64_t)wide;
    return true;
}

/* Eight bytes at once, where so many are there and one of them is the last. */
static inline bool wr_get_word_uint(struct wr_slice *in, uint64_t *v)
{
    struct wr_slice rest = *in;
    uint64_t w, ends;
    if (WR_UNLIKELY(!wr_get_le(&rest, &w, 8))) return false;
    ends = ~w & 0x8080808080808080;
    if (WR_UNLIKELY(!ends)) return false;
    unsigned bits = (unsigned)__builtin_ctzll(ends) + 1; /* 8 a byte of the number */
    w &= UINT64_MAX >> (64 - bits) & 0x7f7f7f7f7f7f7f7f;
    w = (w & 0x007f007f007f007f) | (w & 0x7f007f007f007f00) >> 1;
    w = (w & 0x00003fff00003fff) | (w & 0x3fff00003fff0000) >> 2;
    *v = (w & 0x0fffffff) | (w & 0x0fffffff00000000) >> 4;
    in->data += bits / 8;
    in->size -= bits / 8;
    return true;
}

static inline bool wr_get_uint(struct wr_slice *in, uint64_t *v) /* LEB128 */
{
    if (WR_UNLIKELY(!in->size)) return false;
    if ((unsigned char)*in->data >= 0x80) return wr_get_word_uint(in, v) || wr_get_long_uint(in, v);
    *v = (unsigned char)*in->data;
    in->data++;
    in->size--;
    return true;
}

static inline bool wr_get_int(struct wr_slice *in, int64_t *v) /* as wr_put_int writes it */
{
    uint64_t folded;
    if (!wr_get_uint(in, &folded)) return false;
    *v = (int64_t)(folded >> 1 ^ (0 - (folded & 1)));
    return true;
}

static inline bool wr_get_bytes(struct wr_slice *in, struct wr_slice *bytes) /* lent */
{
    uint64_t size;
    if (!wr_get_uint(in, &size) || size > in->size) return false;
    *bytes = wr_slice_of(in->data, (size_t)size);
    in->data += size;
    in->size -= (size_t)size;
    return true;
}

#endif
