#include "vm/decimal.h"

#include "vm/text.h"

wr_i128 wr_pow10(unsigned n)
{
    static const uint64_t small[20] = {
        1u, 10u, 100u, 1000u, 10000u, 100000u, 1000000u, 10000000u, 100000000u, 1000000000u, 10000000000u,
        100000000000u, 1000000000000u, 10000000000000u, 100000000000000u, 1000000000000000u,
        10000000000000000u, 100000000000000000u, 1000000000000000000u, 10000000000000000000u};
    WR_ASSERT(n <= WR_DECIMAL_DIGITS);
    return n < 20 ? (wr_i128)small[n] : (wr_i128)small[19] * (wr_i128)small[n - 19];
}

static wr_u128 magnitude(wr_i128 x)
{
    return x < 0 ? 0 - (wr_u128)x : (wr_u128)x;
}

/* No value, for this reason. */
static wr_i128 fail(enum wr_reason reason, enum wr_reason *e)
{
    *e = reason;
    return 0;
}

/* The signed value of a magnitude, if it has at most `precision` digits. */
static wr_i128 finish(wr_u128 m, bool negative, unsigned precision, enum wr_reason *e)
{
    if (m >= (wr_u128)wr_pow10(precision)) return fail(WR_REASON_OVERFLOW, e);
    return negative ? -(wr_i128)m : (wr_i128)m;
}

/* ---- 256 bits, as two halves ------------------------------------------------------------------ */

struct wide {
    wr_u128 high, low;
};

static struct wide wide_mul(wr_u128 x, wr_u128 y)
{
    WR_DCHECK(sizeof(struct wide) == 32);
    wr_u128 x0 = (uint64_t)x, x1 = x >> 64, y0 = (uint64_t)y, y1 = y >> 64;
    wr_u128 p00 = x0 * y0, p01 = x0 * y1, p10 = x1 * y0, p11 = x1 * y1;
    wr_u128 middle = (p00 >> 64) + (uint64_t)p01 + (uint64_t)p10;
    return (struct wide){p11 + (p01 >> 64) + (p10 >> 64) + (middle >> 64), middle << 64 | (uint64_t)p00};
}

/* w * 10^n for n <= 76; false when it does not fit. */
static bool wide_scale(struct wide *w, unsigned n)
{
    while (n > 0) {
        unsigned step = WR_MIN(n, WR_DECIMAL_DIGITS);
        struct wide low = wide_mul(w->low, (wr_u128)wr_pow10(step));
        struct wide high = wide_mul(w->high, (wr_u128)wr_pow10(step));
        wr_u128 sum = low.high + high.low;
        if (high.high || sum < low.high) return false;
        *w = (struct wide){sum, low.low};
        n -= step;
    }
    return true;
}

static int wide_compare(struct wide x, struct wide y)
{
    if (x.high != y.high) return x.high < y.high ? -1 : 1;
    return (x.low > y.low) - (x.low < y.low);
}

static struct wide wide_sub(struct wide x, struct wide y)
{
    return (struct wide){x.high - y.high - (x.low < y.low), x.low - y.low};
}

/* n / d rounded half up; false when the quotient needs more than 128 bits. d is not 0.
 * Long division bit by bit: only dividends past 128 bits come here. */
static bool wide_div(struct wide n, struct wide d, wr_u128 *quotient)
{
    struct wide q = {0, 0}, r = {0, 0};
    for (unsigned i = 256; i-- > 0;) {
        bool carry = r.high >> 127;
        r = (struct wide){r.high << 1 | r.low >> 127, r.low << 1 | ((i >= 128 ? n.high >> (i - 128) : n.low >> i) & 1)};
        q = (struct wide){q.high << 1 | q.low >> 127, q.low << 1};
        if (carry || wide_compare(r, d) >= 0) {
            r = wide_sub(r, d);
            q.low |= 1;
        }
    }
    if (wide_compare(r, wide_sub(d, r)) >= 0 && ++q.low == 0) q.high++;
    *quotient = q.low;
    return q.high == 0;
}

/* n / d rounded half up, in 128 bits. */
static wr_u128 div_round(wr_u128 n, wr_u128 d)
{
    wr_u128 q, r;
    WR_ASSERT(d != 0);
    if (n >> 64 == 0 && d >> 64 == 0) {
        q = (uint64_t)n / (uint64_t)d;
        r = (uint64_t)n % (uint64_t)d;
    } else {
        q = n / d;
        r = n % d;
    }
    return q + (r >= d - r);
}

static wr_u128 wide_div_any(struct wide n, struct wide d, enum wr_reason *e)
{
    wr_u128 q = 0;
    WR_ASSERT(d.high || d.low);
    if (n.high == 0 && d.high == 0) return div_round(n.low, d.low);
    if (!wide_div(n, d, &q)) *e = WR_REASON_OVERFLOW;
    return q;
}

/* ---- Arithmetic -------------------------------------------------------------------------------- */

wr_i128 wr_dec_add(wr_i128 b, wr_i128 c, enum wr_reason *e)
{
    wr_i128 sum = (wr_i128)((wr_u128)b + (wr_u128)c); /* two values below 10^38 stay below 2^127.5: */
    if ((b < 0) == (c < 0) && (sum < 0) != (b < 0)) return fail(WR_REASON_OVERFLOW, e);
    return finish(magnitude(sum), sum < 0, WR_DECIMAL_DIGITS, e);
}

wr_i128 wr_dec_sub(wr_i128 b, wr_i128 c, enum wr_reason *e)
{
    return wr_dec_add(b, (wr_i128)(0 - (wr_u128)c), e);
}

wr_i128 wr_dec_mul(wr_i128 b, wr_i128 c, int shift, enum wr_reason *e)
{
    struct wide p = wide_mul(magnitude(b), magnitude(c));
    bool negative = (b < 0) != (c < 0);
    WR_ASSERT(shift >= -76 && shift <= 76);
    if (shift < 0) {
        struct wide d = {0, 1};
        bool fits = wide_scale(&d, (unsigned)-shift);
        WR_ASSERT(fits);
        p = (struct wide){0, wide_div_any(p, d, e)};
    } else if (!wide_scale(&p, (unsigned)shift)) {
        *e = WR_REASON_OVERFLOW;
    }
    if (p.high) *e = WR_REASON_OVERFLOW;
    return *e ? 0 : finish(p.low, negative, WR_DECIMAL_DIGITS, e);
}

wr_i128 wr_dec_div(wr_i128 b, wr_i128 c, int shift, enum wr_reason *e)
{
    struct wide n = {0, magnitude(b)}, d = {0, magnitude(c)};
    WR_ASSERT(shift >= -76 && shift <= 76);
    if (c == 0) return fail(WR_REASON_DIVISION_BY_ZERO, e);
    /* A dividend past 2^256 over less than 10^38 has a quotient past 10^38; a divisor past 2^256 leaves
     * less than a half of any dividend. */
    if (shift >= 0 && !wide_scale(&n, (unsigned)shift)) return fail(WR_REASON_OVERFLOW, e);
    if (shift < 0 && !wide_scale(&d, (unsigned)-shift)) return 0;
    wr_u128 q = wide_div_any(n, d, e);
    return *e ? 0 : finish(q, (b < 0) != (c < 0), WR_DECIMAL_DIGITS, e);
}

wr_i128 wr_dec_mod(wr_i128 b, wr_i128 c, enum wr_reason *e)
{
    if (c == 0) return fail(WR_REASON_DIVISION_BY_ZERO, e);
    return c == -1 ? 0 : b % c;
}

wr_i128 wr_dec_shift(wr_i128 b, int shift, unsigned precision, enum wr_reason *e)
{
    wr_u128 m = magnitude(b);
    if (precision < 1 || precision > WR_DECIMAL_DIGITS) return fail(WR_REASON_OVERFLOW, e);
    if (shift < -WR_DECIMAL_DIGITS) return 0; /* below 10^38 / 10^39: less than a half */
    if (shift < 0) m = div_round(m, (wr_u128)wr_pow10((unsigned)-shift));
    if (shift > 0 && m != 0) {
        if (shift > WR_DECIMAL_DIGITS || m >= (wr_u128)wr_pow10(WR_DECIMAL_DIGITS - (unsigned)shift))
            return fail(WR_REASON_OVERFLOW, e);
        m *= (wr_u128)wr_pow10((unsigned)shift);
    }
    return finish(m, b < 0, precision, e);
}

bool wr_decimal_rescale(wr_i128 value, unsigned from, unsigned to, unsigned precision, wr_i128 *out)
{
    enum wr_reason e = WR_REASON_NONE;
    WR_ASSERT(from <= WR_DECIMAL_DIGITS && to <= WR_DECIMAL_DIGITS);
    *out = wr_dec_shift(value, (int)to - (int)from, precision, &e);
    return e == WR_REASON_NONE;
}

int wr_dec_compare_scaled(wr_i128 b, wr_i128 c, int shift)
{
    WR_ASSERT(shift >= -76 && shift <= 76);
    if ((b < 0) != (c < 0) || b == 0 || c == 0) return (b > c) - (b < c);
    struct wide x = {0, magnitude(b)}, y = {0, magnitude(c)};
    int order;
    if (!wide_scale(shift > 0 ? &x : &y, (unsigned)(shift > 0 ? shift : -shift)))
        order = shift > 0 ? 1 : -1;
    else
        order = wide_compare(x, y);
    return b < 0 ? -order : order;
}

int64_t wr_dec_to_i64(wr_i128 b, int scale, enum wr_reason *e)
{
    WR_ASSERT(scale >= 0 && scale <= WR_DECIMAL_DIGITS);
    wr_i128 whole = b / wr_pow10((unsigned)scale);
    if (whole < INT64_MIN || whole > INT64_MAX) return (int64_t)fail(WR_REASON_OVERFLOW, e);
    return (int64_t)whole;
}

double wr_dec_to_f64(wr_i128 b, int scale)
{
    static const double power[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                   1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    WR_ASSERT(scale >= 0 && scale <= WR_DECIMAL_DIGITS);
    /* Both exact in a double: one rounding, the right one. */
    if (magnitude(b) <= (wr_u128)1 << 53 && scale <= 22) return (double)(int64_t)b / power[scale];
    if (scale == 0) return (double)b;
    char text[WR_TEXT_MAX + 1];
    text[wr_print_decimal(text, b, (unsigned)scale)] = 0;
    double value = 0;
    bool fine = wr_parse_f64(wr_slice_cstr(text), &value);
    WR_ASSERT(fine);
    return value;
}

wr_i128 wr_dec_from_f64(double b, unsigned precision, unsigned scale, enum wr_reason *e)
{
    char text[WR_TEXT_MAX];
    wr_i128 value = 0;
    if (!wr_parse_decimal(wr_slice_of(text, wr_print_f64(text, b)), precision, scale, &value))
        return fail(WR_REASON_OVERFLOW, e);
    return value;
}
