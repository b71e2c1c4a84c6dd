/* Bits of units that have changed, are frozen, are stored. */
#include "base/simd.h"
#include "runtime/cold.h"

static void *grown(void *memory, size_t from, size_t to)
{
    char *bytes = wr_realloc(memory, to);
    memset(bytes + from, 0, to - from);
    return bytes;
}

void wr_changes_grow(struct wr_changes *c, uint32_t words)
{
    if (words <= c->words) return;
    uint32_t want = WR_MAX(words, c->words * 2);
    size_t from = c->words * sizeof *c->changed, to = want * sizeof *c->changed;
    WR_ASSERT(to > from && want >= words);
    c->changed = grown(c->changed, from, to);
    c->frozen = grown(c->frozen, from, to);
    c->stored = grown(c->stored, from, to);
    c->words = want;
}

void wr_unit_touch_slow(struct wr_operator *op, uint32_t unit)
{
    struct wr_changes *c = &op->changes;
    uint32_t word = unit / 64;
    uint64_t bit = (uint64_t)1 << unit % 64;
    if (word >= c->words) wr_changes_grow(c, word + 1);
    if (wr_cold_is_leaving(op, unit)) wr_cold_stay(op, unit);
    if (c->frozen[word] & bit) c->save_now(op, unit);
    c->changed[word] |= bit;
}

bool wr_units_leave(const struct wr_operator *op)
{
    return op->cold && op->cold->leaving_count;
}

/* So many that their lines of memory come side by side. */
enum { TOGETHER = 32, STAGES = 4, WORDS_NEAR = 1 << 14 /* of bits that lie in a near cache anyway */ };

static bool is_frozen(const struct wr_changes *c, uint32_t unit)
{
    return unit / 64 >= c->frozen_from && c->frozen[unit / 64] >> unit % 64 & 1;
}

static void ask_for_bits(const struct wr_changes *c, const int32_t *unit, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t word = (uint32_t)unit[i] / 64;
        if (unit[i] < 0 || word >= c->words) continue;
        if (word >= c->frozen_from) wr_prefetch(&c->frozen[word]);
        wr_prefetch(&c->changed[word]);
    }
}

/* Most units need nothing but their bit. */
static void touch_together(struct wr_operator *op, const int32_t *unit, uint32_t count)
{
    struct wr_changes *c = &op->changes;
    uint32_t careful[TOGETHER], cares = 0;
    bool leaving = wr_units_leave(op);
    WR_ASSERT(count <= TOGETHER);
    if (c->words > WORDS_NEAR) ask_for_bits(c, unit, count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t id = (uint32_t)unit[i], word = id / 64;
        if (unit[i] < 0) continue;
        if (WR_UNLIKELY(leaving || word >= c->words || is_frozen(c, id))) careful[cares++] = id;
        else c->changed[word] |= (uint64_t)1 << id % 64;
    }
    for (unsigned stage = 0; cares > 1 && stage < STAGES && op->cls->prefetch_unit; stage++)
        for (uint32_t i = 0; i < cares; i++) op->cls->prefetch_unit(op, careful[i], stage);
    for (uint32_t i = 0; i < cares; i++) wr_unit_touch_slow(op, careful[i]);
}

void wr_units_touch_slow(struct wr_operator *op, const int32_t *unit, uint32_t count)
{
    for (uint32_t from = 0; from < count; from += TOGETHER)
        touch_together(op, unit + from, WR_MIN((uint32_t)TOGETHER, count - from));
}

void wr_units_prefetch(const struct wr_operator *op, uint32_t first, uint64_t bits)
{
    for (unsigned stage = 0; stage < STAGES && op->cls->prefetch_unit; stage++)
        for (uint64_t left = bits; left; left &= left - 1)
            op->cls->prefetch_unit(op, first + (uint32_t)__builtin_ctzll(left), stage);
}

void wr_unit_forget_slow(struct wr_operator *op, uint32_t unit)
{
    struct wr_changes *c = &op->changes;
    uint32_t word = unit / 64;
    uint64_t bit = (uint64_t)1 << unit % 64;
    WR_ASSERT(op->cls->unit_key && c->checkpointer);
    if (word >= c->words) return; /* never touched: nothing of it is stored */
    if (wr_cold_is_leaving(op, unit)) wr_cold_stay(op, unit);
    if (c->frozen[word] & bit) c->save_now(op, unit);
    c->changed[word] &= ~bit;
    if (!(c->stored[word] & bit)) return;
    c->stored[word] &= ~bit;
    c->stored_count--;
    struct wr_slice key = op->cls->unit_key(op, unit);
    wr_put_bytes(&c->gone, key);
}

void wr_changes_release(struct wr_changes *c)
{
    wr_free(c->changed);
    wr_free(c->frozen);
    wr_free(c->stored);
    wr_buf_release(&c->gone);
    *c = (struct wr_changes){0};
}
