/* Bytes of the logical state form: little-endian integers, LEB128 counts, values with their flags. Readers take from
 * the front of a slice and return false when it is too short or malformed. */
#ifndef WR_RUNTIME_CODEC_H
#define WR_RUNTIME_CODEC_H

#include "base/buf.h"
#include "vm/batch.h"

void wr_put_u8(struct wr_buf *out, uint8_t v);
void wr_put_u32(struct wr_buf *out, uint32_t v);
void wr_put_u64(struct wr_buf *out, uint64_t v);
void wr_put_i64(struct wr_buf *out, int64_t v);
void wr_put_uint(struct wr_buf *out, uint64_t v); /* LEB128 */
void wr_put_bytes(struct wr_buf *out, struct wr_slice bytes); /* length and bytes */
void wr_put_value(struct wr_buf *out, const struct wr_value *value);
bool wr_get_u8(struct wr_slice *in, uint8_t *v);
bool wr_get_u32(struct wr_slice *in, uint32_t *v);
bool wr_get_u64(struct wr_slice *in, uint64_t *v);
bool wr_get_i64(struct wr_slice *in, int64_t *v);
bool wr_get_uint(struct wr_slice *in, uint64_t *v);
bool wr_get_bytes(struct wr_slice *in, struct wr_slice *bytes); /* lent */
bool wr_get_value(struct wr_slice *in, enum wr_class cls, struct wr_value *value); /* strings lent */

#endif
