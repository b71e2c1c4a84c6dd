/* What keys and values of a store look like. LMDB's keys begin with a byte that says what they are of:
 *
 *   'F'                     what this is: a magic text, the number of the form, 16 random bytes. Its layout never changes.
 *   'R'                     numbers of the first and last segment that count, epoch, the record
 *   'P'                     the program
 *   'S' number, big endian  a segment
 *   'C' length of op, op, key        a cold entry: a hash of this key, epoch, wake, order, value
 *   'D' 16 bytes of hash, ordinal    one whose key is too long for LMDB (511 bytes): the same, with sizes, op, key before
 *                                    the value
 *   'W' hash of op, wake, order, hash of key   (big endian, wake with its sign turned) which cold entry is due then: a hash
 *                                    of this key, size of op, op, key
 *
 * Every value ends with XXH3 of what is before it, seeded by its key, so that a value in the wrong place does not hold
 * either. Numbers are little endian, but for the segment's in its key (LMDB sorts by bytes). */
#include "base/hash.h"
#include "runtime/store_internal.h"

enum { OP_BYTES_MAX = 255, KEY_BYTES_MAX = 500 };

uint64_t wr_store_checksum(struct wr_slice key, const void *bytes, size_t size)
{
    WR_ASSERT(key.size);
    return wr_hash64(bytes, size, wr_hash64(key.data, key.size, 0));
}

bool wr_store_checked(struct wr_slice key, struct wr_slice value, struct wr_slice *payload)
{
    if (value.size < WR_CHECKSUM_BYTES) return false;
    *payload = wr_slice_of(value.data, value.size - WR_CHECKSUM_BYTES);
    return wr_store_get64(payload->data + payload->size) == wr_store_checksum(key, payload->data, payload->size);
}

struct wr_slice wr_store_segment_key(struct wr_segment_key *key, uint64_t number)
{
    WR_ASSERT(number);
    key->bytes[0] = 'S';
    for (int i = 0; i < 8; i++) key->bytes[1 + i] = (char)(number >> (56 - 8 * i));
    return wr_slice_of(key->bytes, sizeof key->bytes);
}

bool wr_store_is_segment(struct wr_slice key, uint64_t *number)
{
    if (key.size != sizeof(struct wr_segment_key) || key.data[0] != 'S') return false;
    *number = 0;
    for (size_t i = 1; i < key.size; i++) *number = *number << 8 | (unsigned char)key.data[i];
    return *number != 0;
}

bool wr_store_cold_key(uint64_t secret, struct wr_slice op, struct wr_slice key, struct wr_buf *out)
{
    WR_ASSERT(op.size <= UINT32_MAX && key.size <= UINT32_MAX);
    if (op.size <= OP_BYTES_MAX && 2 + op.size + key.size <= KEY_BYTES_MAX) {
        wr_buf_add_char(out, 'C');
        wr_buf_add_char(out, (char)op.size);
        wr_buf_add_slice(out, op);
        wr_buf_add_slice(out, key);
        return false;
    }
    struct wr_hash128 h = wr_hash128_of(key.data, key.size, wr_hash64(op.data, op.size, secret));
#ifdef WR_HOSTILE
    h.low &= 1; /* equal hashes are the rule here */
    h.high = 0;
#endif
    char *at = wr_buf_reserve(out, WR_HASHED_KEY_BYTES);
    at[0] = 'D';
    wr_store_put64(at + 1, h.low);
    wr_store_put64(at + 9, h.high);
    at[17] = at[18] = 0;
    out->size += WR_HASHED_KEY_BYTES;
    return true;
}

bool wr_store_plausible(struct wr_slice key, struct wr_slice head, bool whole)
{
    struct wr_slice payload;
    uint64_t number;
    if (!key.size) return false;
    char kind = key.data[0];
    bool cold = (kind == 'C' && key.size >= 2) || (kind == 'D' && key.size == WR_HASHED_KEY_BYTES);
    bool single = key.size == 1 && (kind == 'F' || kind == 'R' || kind == 'P');
    cold |= kind == 'W' && key.size == WR_DUE_KEY_BYTES;
    if (!cold && !single && !wr_store_is_segment(key, &number)) return false;
    if (whole) return wr_store_checked(key, head, &payload);
    WR_ASSERT(head.size >= 8);
    return !cold || wr_store_get64(head.data) == wr_store_cold_mark(key);
}

uint64_t wr_store_cold_mark(struct wr_slice key)
{
    return wr_hash64(key.data, key.size, 'C');
}

static void put_big(char *at, uint64_t n)
{
    for (int i = 0; i < 8; i++) at[i] = (char)(n >> (56 - 8 * i));
}

static uint64_t get_big(const char *at)
{
    uint64_t n = 0;
    for (int i = 0; i < 8; i++) n = n << 8 | (unsigned char)at[i];
    return n;
}

static const uint64_t sign = (uint64_t)1 << 63;

void wr_store_due_key(uint64_t secret, struct wr_slice op, int64_t wake, uint64_t order, uint64_t hash,
                      char out[WR_DUE_KEY_BYTES])
{
    WR_ASSERT(out);
    out[0] = 'W';
    put_big(out + 1, wr_hash64(op.data, op.size, secret));
    put_big(out + 9, (uint64_t)wake ^ sign);
    put_big(out + 17, order);
    put_big(out + 25, hash);
}

struct wr_cold_place wr_store_due_place(struct wr_slice due_key)
{
    WR_ASSERT(due_key.size == WR_DUE_KEY_BYTES);
    return (struct wr_cold_place){(int64_t)(get_big(due_key.data + 9) ^ sign), get_big(due_key.data + 17),
                                  get_big(due_key.data + 25), true};
}

bool wr_store_due_of(struct wr_slice due_key, struct wr_slice payload, struct wr_slice *op, struct wr_slice *key)
{
    if (payload.size < 16 || wr_store_get64(payload.data) != wr_store_cold_mark(due_key)) return false;
    uint64_t op_size = wr_store_get64(payload.data + 8);
    if (op_size > payload.size - 16) return false;
    *op = wr_slice_of(payload.data + 16, (size_t)op_size);
    *key = wr_slice_of(op->data + op_size, payload.size - 16 - (size_t)op_size);
    return true;
}

bool wr_store_cold_of(struct wr_slice key, struct wr_slice payload, struct wr_stored *cold)
{
    enum { HEAD = 32, LONG_HEAD = 48 };
    WR_ASSERT(key.size && (key.data[0] == 'C' || key.data[0] == 'D'));
    if (key.data[0] == 'C') {
        if (key.size < 2 || payload.size < HEAD) return false;
        size_t op_size = (unsigned char)key.data[1];
        if (2 + op_size > key.size) return false;
        cold->op = wr_slice_of(key.data + 2, op_size);
        cold->key = wr_slice_of(key.data + 2 + op_size, key.size - 2 - op_size);
        cold->value = wr_slice_of(payload.data + HEAD, payload.size - HEAD);
    } else {
        if (payload.size < LONG_HEAD) return false;
        uint64_t op_size = wr_store_get64(payload.data + HEAD), key_size = wr_store_get64(payload.data + HEAD + 8);
        uint64_t rest = payload.size - LONG_HEAD;
        if (op_size > rest || key_size > rest - op_size) return false;
        cold->op = wr_slice_of(payload.data + LONG_HEAD, (size_t)op_size);
        cold->key = wr_slice_of(cold->op.data + op_size, (size_t)key_size);
        cold->value = wr_slice_of(cold->key.data + key_size, (size_t)(rest - op_size - key_size));
    }
    cold->epoch = wr_store_get64(payload.data + 8);
    cold->wake = (int64_t)wr_store_get64(payload.data + 16);
    cold->order = wr_store_get64(payload.data + 24);
    return wr_store_get64(payload.data) == wr_store_cold_mark(key);
}
