/* Numbers: the form that JSON prescribes, taken apart exactly. Doubles only arise at the very end, so that a
 * DECIMAL or a BIGINT never sees one. */
#include "connectors/decode_number.h"

#include "connectors/number.h"
#include "connectors/simdjson_shim.h"

const uint64_t wr_powers_of_10[20] = {
    1u, 10u, 100u, 1000u, 10000u, 100000u, 1000000u, 10000000u, 100000000u, 1000000000u, 10000000000u,
    100000000000u, 1000000000000u, 10000000000000u, 100000000000000u, 1000000000000000u, 10000000000000000u,
    100000000000000000u, 1000000000000000000u, 10000000000000000000u};

const double wr_double_powers_of_10[23] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                           1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                           1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

enum { MANTISSA_DIGITS = 19, EXPONENT_MAX = 1000000000 };

struct scan {
    const char *p, *end;
    uint64_t mantissa;
    unsigned digits; /* in the mantissa, leading zeros not counted */
    int64_t after;   /* digits since the last one that the mantissa took */
    bool cut;
};

/* Takes digits; returns how many there were. Zeros wait until a digit behind them makes them count. */
static int64_t scan_digits(struct scan *s)
{
    const char *start = s->p;
    for (; s->p < s->end && (unsigned)(*s->p - '0') < 10; s->p++) {
        unsigned digit = (unsigned)(*s->p - '0');
        s->after++;
        if (digit == 0 || s->cut) continue;
        uint64_t places = s->digits ? (uint64_t)s->after : 1;
        if (s->digits + places > MANTISSA_DIGITS) {
            s->cut = true;
            continue;
        }
        s->mantissa = s->mantissa * wr_powers_of_10[places] + digit;
        s->digits += (unsigned)places;
        s->after = 0;
    }
    return s->p - start;
}

static bool scan_exponent(struct scan *s, int64_t *out)
{
    bool negative = false;
    s->p++;
    if (s->p < s->end && (*s->p == '+' || *s->p == '-')) negative = *s->p++ == '-';
    const char *start = s->p;
    int64_t value = 0;
    for (; s->p < s->end && (unsigned)(*s->p - '0') < 10; s->p++)
        if (value < EXPONENT_MAX) value = value * 10 + (*s->p - '0');
    *out = negative ? -value : value;
    return s->p > start;
}

bool wr_number_scan(const char *p, const char *end, struct wr_number *out)
{
    struct scan s = {.p = p, .end = end};
    bool negative = p < end && *p == '-';
    s.p += negative;
    bool zero = s.p < end && *s.p == '0';
    int64_t whole = scan_digits(&s), fraction = 0, exponent = 0;
    if (whole == 0 || (zero && whole > 1)) return false;
    if (s.p < end && *s.p == '.') {
        s.p++;
        fraction = scan_digits(&s);
        if (fraction == 0) return false;
    }
    if (s.p < end && (*s.p == 'e' || *s.p == 'E') && !scan_exponent(&s, &exponent)) return false;
    if (s.p != end) return false;
    exponent += s.after - fraction;
    if (s.mantissa == 0) exponent = 0;
    exponent = WR_MAX(WR_MIN(exponent, (int64_t)EXPONENT_MAX), -(int64_t)EXPONENT_MAX);
    *out = (struct wr_number){s.mantissa, (int32_t)exponent, negative, s.cut};
    return true;
}

enum wr_decode wr_number_to_i64(struct wr_number n, int shift, bool whole, int64_t *out)
{
    int64_t e = (int64_t)n.exponent + shift;
    wr_u128 value = n.mantissa;
    bool rest = n.cut;
    if (e > 0 && n.mantissa) {
        if (e >= MANTISSA_DIGITS + 1) return WR_DECODE_RANGE;
        value *= wr_powers_of_10[e];
    } else if (e < 0) {
        uint64_t divisor = e < -MANTISSA_DIGITS ? 0 : wr_powers_of_10[-e];
        rest = rest || divisor == 0 ? n.mantissa != 0 : n.mantissa % divisor != 0;
        value = divisor ? n.mantissa / divisor : 0;
        if (rest && whole) return WR_DECODE_NOT_INTEGER;
    }
    if (e >= 0 && n.cut) return WR_DECODE_RANGE;
    if (n.negative && rest) value++; /* towards the past, not towards 1970 */
    wr_u128 limit = (wr_u128)INT64_MAX + n.negative;
    if (value > limit) return WR_DECODE_RANGE;
    *out = n.negative ? (int64_t)(0 - (uint64_t)value) : (int64_t)value;
    return WR_DECODE_OK;
}

/* The decimal digits of a number below 10^38. */
static wr_u128 power_of_10(unsigned n)
{
    WR_ASSERT(n <= 38);
    return n <= 19 ? (wr_u128)wr_powers_of_10[n] : (wr_u128)wr_powers_of_10[19] * wr_powers_of_10[n - 19];
}

enum wr_decode wr_number_to_decimal(struct wr_number n, struct wr_slice text, struct wr_type type, wr_i128 *out)
{
    if (n.cut)
        return wr_parse_decimal(text, type.precision, type.scale, out) ? WR_DECODE_OK : WR_DECODE_RANGE;
    int64_t e = (int64_t)n.exponent + type.scale;
    wr_u128 value = n.mantissa;
    if (e > 0 && n.mantissa) {
        if (e > 38 || value >= power_of_10(38) / power_of_10((unsigned)e) + 1) return WR_DECODE_RANGE;
        value *= power_of_10((unsigned)e);
    } else if (e < 0) {
        wr_u128 divisor = e < -MANTISSA_DIGITS - 1 ? 0 : power_of_10((unsigned)-e);
        value = divisor ? (value + divisor / 2) / divisor : 0;
    }
    if (value >= power_of_10(type.precision)) return WR_DECODE_RANGE;
    *out = n.negative ? -(wr_i128)value : (wr_i128)value;
    return WR_DECODE_OK;
}

enum wr_decode wr_number_to_f64(struct wr_number n, const char *p, const char *end, double *out)
{
    int32_t e = n.exponent;
    if (!n.cut && n.mantissa <= (uint64_t)1 << 53 && e >= -22 && e <= 22) {
        double value = (double)n.mantissa; /* exact, as is the power: one rounding is the right one */
        value = e < 0 ? value / wr_double_powers_of_10[-e] : value * wr_double_powers_of_10[e];
        *out = n.negative ? -value : value;
        return WR_DECODE_OK;
    }
    return wr_simdjson_f64(p, (size_t)(end - p), out) ? WR_DECODE_OK : WR_DECODE_RANGE;
}

enum wr_decode wr_number_to_f32(const char *p, const char *end, double *out)
{
    float value;
    if (!wr_simdjson_f32(p, (size_t)(end - p), &value)) return WR_DECODE_RANGE;
    *out = (double)value;
    return WR_DECODE_OK;
}
