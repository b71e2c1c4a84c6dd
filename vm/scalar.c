/* Casts to text and back, for both executors. */
#include "vm/scalar.h"

#include "base/text.h"
#include "vm/json.h"
#include "vm/text.h"

struct wr_slice wr_print_kind_i64(struct wr_arena *arena, int64_t b, int kind)
{
    char text[WR_TEXT_MAX];
    size_t size = 0;
    switch (kind) {
    case WR_KIND_DATE: size = wr_print_date(text, b); break;
    case WR_KIND_TIME: size = wr_print_time(text, b); break;
    case WR_KIND_TIMESTAMP: size = wr_print_timestamp(text, b); break;
    case WR_KIND_INTERVAL: size = wr_print_interval(text, b); break;
    default: size = wr_print_i64(text, b); break;
    }
    WR_ASSERT(size <= sizeof text);
    return wr_arena_copy(arena, wr_slice_of(text, size));
}

struct wr_slice wr_print_kind_f64(struct wr_arena *arena, double b, int kind)
{
    char text[WR_TEXT_MAX];
    size_t size = kind == WR_KIND_FLOAT ? wr_print_f32(text, b) : wr_print_f64(text, b);
    return wr_arena_copy(arena, wr_slice_of(text, size));
}

struct wr_slice wr_print_kind_dec(struct wr_arena *arena, wr_i128 b, int scale)
{
    char text[WR_TEXT_MAX];
    WR_ASSERT(scale >= 0);
    return wr_arena_copy(arena, wr_slice_of(text, wr_print_decimal(text, b, (unsigned)scale)));
}

static struct wr_value parse(struct wr_type type, struct wr_slice b, enum wr_reason *e)
{
    struct wr_value value;
    if (!wr_value_parse(type, b, &value)) {
        *e = WR_REASON_CAST;
        memset(&value, 0, sizeof value);
    }
    return value;
}

bool wr_parse_kind_bool(struct wr_slice b, enum wr_reason *e)
{
    return parse(wr_type_of(WR_KIND_BOOLEAN), b, e).u.boolean;
}

int64_t wr_parse_kind_i64(struct wr_slice b, int kind, enum wr_reason *e)
{
    return parse(wr_type_of((enum wr_kind)kind), b, e).u.i64;
}

double wr_parse_kind_f64(struct wr_slice b, int kind, enum wr_reason *e)
{
    return parse(wr_type_of((enum wr_kind)kind), b, e).u.f64;
}

wr_i128 wr_parse_kind_dec(struct wr_slice b, unsigned precision, unsigned scale, enum wr_reason *e)
{
    return parse(wr_type_decimal(precision, scale), b, e).u.dec;
}

struct wr_slice wr_check_text(struct wr_slice b, enum wr_reason *e)
{
    if (wr_utf8_check(b) != b.size) *e = WR_REASON_CAST;
    return b;
}

struct wr_slice wr_check_json(struct wr_slice b, enum wr_reason *e)
{
    if (!wr_json_is_text(b)) *e = WR_REASON_CAST;
    return b;
}
