/* Bits of units that have changed, are frozen, are stored. */
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
