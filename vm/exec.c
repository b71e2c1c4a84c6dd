/* Why an expression failed: names for the drop table, codes for `weir help`. */
#include "vm/code.h"

static const struct {
    const char *name, *code;
} reasons[WR_REASON_COUNT] = {
    [WR_REASON_NONE] = {"none", "W3000"},
    [WR_REASON_OVERFLOW] = {"overflow", "W3001"},
    [WR_REASON_DIVISION_BY_ZERO] = {"division by zero", "W3002"},
    [WR_REASON_CAST] = {"cast", "W3003"},
    [WR_REASON_DOMAIN] = {"domain", "W3004"},
    [WR_REASON_LENGTH] = {"length", "W3005"},
};

const char *wr_reason_name(enum wr_reason reason)
{
    WR_ASSERT(reason < WR_REASON_COUNT);
    return reasons[reason].name;
}

const char *wr_reason_code(enum wr_reason reason)
{
    WR_ASSERT(reason < WR_REASON_COUNT);
    return reasons[reason].code;
}
