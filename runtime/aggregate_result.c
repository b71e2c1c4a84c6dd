/* What an accumulator comes to. Sums are exact until here; only the result can be out of range. */
#include "runtime/aggregate_internal.h"
#include "vm/decimal.h"
#include "vm/text.h"

#include <math.h>

static struct wr_value failed(enum wr_class cls, unsigned reason)
{
    return (struct wr_value){.cls = (uint8_t)cls, .flag = WR_FLAG_ERROR, .reason = (uint8_t)reason};
}

static struct wr_value null_of(enum wr_class cls)
{
    return (struct wr_value){.cls = (uint8_t)cls, .flag = WR_FLAG_NULL};
}

static struct wr_value of_f64(double v)
{
    return (struct wr_value){.cls = WR_CLASS_F64, .u.f64 = v};
}

static struct wr_value of_i128(wr_i128 v)
{
    if (v < INT64_MIN || v > INT64_MAX) return failed(WR_CLASS_I64, WR_REASON_OVERFLOW);
    return (struct wr_value){.cls = WR_CLASS_I64, .u.i64 = (int64_t)v};
}

static struct wr_value result_i64(const struct wr_aggregate *a, const struct wr_cell_sum_i64 *c)
{
    wr_i128 sum = (wr_i128)((wr_u128)(uint64_t)c->high << 64 | c->low);
    if (a->fn == WR_AGG_SUM) return of_i128(sum);
    wr_i128 n = (wr_i128)wr_cell_count(c);
    if (wr_type_class(a->type) == WR_CLASS_F64) return of_f64((double)sum / (double)n);
    wr_i128 cut = sum / n, rest = sum % n; /* an INTERVAL: to the nearest microsecond, half away from zero */
    if (2 * (rest < 0 ? -rest : rest) >= n) cut += sum < 0 ? -1 : 1;
    return of_i128(cut);
}

static double result_f64(const struct wr_cell_sum_f64 *c)
{
    return isfinite(c->sum) ? c->sum + c->rest : c->sum; /* past infinity what was lost is no number */
}

enum { LIMBS = 6 };

static void multiply(uint64_t limb[LIMBS], uint64_t by)
{
    uint64_t carry = 0;
    for (unsigned i = 0; i < LIMBS; i++) {
        wr_u128 t = (wr_u128)limb[i] * by + carry;
        limb[i] = (uint64_t)t;
        carry = (uint64_t)(t >> 64);
    }
    WR_ASSERT(carry == 0); /* 192 bits and 38 digits are 319 */
}

/* Divides, half of the divisor rounding up. */
static void divide(uint64_t limb[LIMBS], uint64_t by)
{
    uint64_t rest = 0;
    for (unsigned i = LIMBS; i-- > 0;) {
        wr_u128 t = (wr_u128)rest << 64 | limb[i];
        limb[i] = (uint64_t)(t / by);
        rest = (uint64_t)(t % by);
    }
    bool up = rest >= by - rest;
    for (unsigned i = 0; up && i < LIMBS; i++) up = ++limb[i] == 0;
}

/* The sum, or with `by` the mean to the scale of the result, rounded half away from zero. */
static struct wr_value result_dec(const struct wr_aggregate *a, const struct wr_cell_sum_dec *c)
{
    uint64_t limb[LIMBS] = {c->word[0], c->word[1], c->word[2]};
    bool negative = c->word[2] >> 63;
    if (negative) {
        bool carry = true;
        for (unsigned i = 0; i < 3; i++) {
            limb[i] = ~limb[i] + carry;
            carry = carry && limb[i] == 0;
        }
    }
    unsigned from = a->argument.scale, to = a->type.scale, shift = to > from ? to - from : 0;
    if (a->fn == WR_AGG_AVG) {
        for (; shift > 0; shift -= WR_MIN(shift, 19u)) multiply(limb, (uint64_t)wr_pow10(WR_MIN(shift, 19u)));
        divide(limb, wr_cell_count(c));
        from = WR_MAX(from, to);
    }
    wr_u128 size = (wr_u128)limb[1] << 64 | limb[0];
    wr_u128 limit = (wr_u128)wr_pow10(38);
    if ((limb[2] | limb[3] | limb[4] | limb[5]) || size >= limit) return failed(WR_CLASS_DEC, WR_REASON_OVERFLOW);
    struct wr_value value = {.cls = WR_CLASS_DEC};
    if (!wr_decimal_rescale(negative ? -(wr_i128)size : (wr_i128)size, from, to, a->type.precision, &value.u.dec))
        return failed(WR_CLASS_DEC, WR_REASON_OVERFLOW);
    return value;
}

static struct wr_value result_slot(const struct wr_cell_slot *slot, const struct wr_strings *strings)
{
    if (slot->flag == WR_FLAG_NULL) return null_of((enum wr_class)slot->cls);
    return wr_words_load(slot->word, (enum wr_class)slot->cls, strings);
}

struct wr_value wr_aggregate_result(const struct wr_aggregate *a, const void *cell, struct wr_strings *strings,
                                    struct wr_arena *scratch)
{
    enum wr_class cls = wr_type_class(a->type);
    enum wr_cell_kind kind = wr_cell_kind(a);
    uint64_t mark, count = wr_cell_count(cell);
    memcpy(&mark, cell, sizeof mark);
    if (WR_UNLIKELY(mark >> WR_MARK_BITS)) return failed(cls, (unsigned)(mark >> WR_MARK_BITS) - 1);
    if (kind == WR_CELL_COUNT || kind == WR_CELL_SET) return of_i128((wr_i128)count);
    if (count == 0) return null_of(cls);
    switch (kind) {
    case WR_CELL_SUM_I64: return result_i64(a, cell);
    case WR_CELL_SUM_F64: {
        double sum = result_f64(cell);
        return of_f64(a->fn == WR_AGG_AVG ? sum / (double)count : sum);
    }
    case WR_CELL_SUM_DEC: return result_dec(a, cell);
    case WR_CELL_VALUE: return wr_words_load(((const struct wr_cell_value *)cell)->word, wr_type_class(a->argument), strings);
    case WR_CELL_VARIANCE: {
        if (count < 2) return null_of(cls);
        double variance = ((const struct wr_cell_variance *)cell)->m2 / (double)(count - 1);
        return of_f64(a->fn == WR_AGG_STDDEV_SAMP ? sqrt(variance) : variance);
    }
    case WR_CELL_ARG: return result_slot(&((const struct wr_cell_arg *)cell)->value, strings);
    case WR_CELL_LIST: return (struct wr_value){.cls = WR_CLASS_STR, .u.str = wr_list_text(cell, strings, scratch)};
    case WR_CELL_COUNT:
    case WR_CELL_SET: break;
    }
    WR_ASSERT(false);
    return null_of(cls);
}
