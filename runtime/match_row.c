/* Patterns of one row whose condition reads that row alone: every row that satisfies it is a match, whatever the skip
 * rule. There is no state, and keys are not looked up. */
#include "runtime/pattern.h"

static void row_rows(struct wr_pattern *p)
{
    WR_ASSERT(p->spec->position_count == 1);
    const struct wr_batch *batch = p->batch;
    uint16_t variable = p->spec->position[0].variable;
    for (uint32_t w = 0; w < (batch->rows + 63) / 64; w++) {
        for (uint64_t bits = p->select[w]; bits; bits &= bits - 1) {
            uint32_t row = w * 64 + (uint32_t)__builtin_ctzll(bits);
            p->place = wr_batch_place(batch, row);
            struct wr_match_row taken = {.place = p->place, .row = row, .variable = variable};
            wr_pattern_report(p, &(struct wr_match){.row = &taken,
                                                    .count = 1,
                                                    .key = WR_NONE,
                                                    .key_row = row,
                                                    .first = p->place});
        }
    }
}

static void row_nothing(struct wr_pattern *p)
{
    WR_ASSERT(!p->state);
}

static void row_measure(const struct wr_pattern *p, struct wr_operator_size *size)
{
    WR_UNUSED(p);
    WR_UNUSED(size);
}

static void row_check(const struct wr_pattern *p)
{
    WR_ASSERT(!p->state && !p->keys && !p->op.timers.count);
}

const struct wr_matcher wr_match_row = {
    .name = "row",
    .init = row_nothing,
    .release = row_nothing,
    .rows = row_rows,
    .end = row_nothing,
    .clear = row_nothing,
    .measure = row_measure,
    .check = row_check,
};
