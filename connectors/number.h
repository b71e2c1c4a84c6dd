/* Eight digits at a time: numbers in the registers of the machine. Private to this folder's decoders.
 * Every function may read up to 8 bytes behind what it is given. */
#ifndef WR_CONNECTORS_NUMBER_H
#define WR_CONNECTORS_NUMBER_H

#include "base/simd.h"

static inline uint64_t wr_load8(const char *p)
{
    uint64_t x;
    memcpy(&x, p, 8);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap64(x);
#endif
    return x;
}

#define WR_ONES 0x0101010101010101u

/* Bit 7 of each byte of x that is 0; bytes above the lowest such one may be marked wrongly. */
static inline uint64_t wr_zero_bytes(uint64_t x)
{
    return (x - WR_ONES) & ~x & (WR_ONES * 0x80);
}

static inline bool wr_all_digits8(uint64_t x)
{
    return ((x & (WR_ONES * 0xf0)) | (((x + WR_ONES * 6) & (WR_ONES * 0xf0)) >> 4)) == WR_ONES * 0x33;
}

/* The number that eight digits are, the first one in the lowest byte. */
static inline uint64_t wr_value8(uint64_t x)
{
    x = (x & (WR_ONES * 0x0f)) * 2561 >> 8;
    x = (x & 0x00ff00ff00ff00ffu) * 6553601 >> 16;
    return (x & 0x0000ffff0000ffffu) * 42949672960001u >> 32;
}

/* The n (1 to 8) lowest bytes of x as digits, with leading zeros in place of the rest. */
static inline uint64_t wr_align8(uint64_t x, unsigned n)
{
    unsigned shift = 64 - n * 8;
    return n == 8 ? x : x << shift | (WR_ONES * 0x30) >> (n * 8);
}

extern const uint64_t wr_powers_of_10[20];
extern const double wr_double_powers_of_10[23]; /* each exact */

/* n digits, 1 to 18. */
static inline bool wr_digits(const char *p, size_t n, uint64_t *out)
{
    uint64_t value = 0;
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t x = wr_load8(p);
        if (!wr_all_digits8(x)) return false;
        value = value * 100000000 + wr_value8(x);
    }
    if (n) {
        uint64_t x = wr_align8(wr_load8(p), (unsigned)n);
        if (!wr_all_digits8(x)) return false;
        value = value * wr_powers_of_10[n] + wr_value8(x);
    }
    *out = value;
    return true;
}

/* Up to 8 bytes without a sign or an exponent, which is what most numbers are; false: take the long way. */
static inline bool wr_number_short_f64(const char *p, size_t n, double *out)
{
    if (n - 1 > 7) return false;
    uint64_t x = wr_load8(p);
    if (n < 8) x &= ((uint64_t)1 << n * 8) - 1;
    uint64_t dots = wr_zero_bytes(x ^ (WR_ONES * '.'));
    unsigned dot = dots ? wr_lowest_bit(dots) / 8 : (unsigned)n;
    if (dot == 0 || (*p == '0' && dot > 1)) return false;
    if (dots == 0) {
        x = wr_align8(x, (unsigned)n);
        if (!wr_all_digits8(x)) return false;
        *out = (double)wr_value8(x);
        return true;
    }
    unsigned places = (unsigned)n - 1 - dot;
    if (places == 0) return false;
    uint64_t low = ((uint64_t)1 << dot * 8) - 1;
    x = wr_align8((x & low) | (x >> 8 & ~low), (unsigned)n - 1);
    if (!wr_all_digits8(x)) return false;
    *out = (double)wr_value8(x) / wr_double_powers_of_10[places]; /* both exact, so one rounding, the right one */
    return true;
}

/* As above with a sign and up to 17 characters: coordinates, prices with many decimals. */
static inline bool wr_number_medium_f64(const char *p, size_t n, double *out)
{
    bool negative = n && *p == '-';
    p += negative;
    n -= negative;
    if (wr_number_short_f64(p, n, out)) {
        if (negative) *out = -*out;
        return true;
    }
    if (n < 9 || n > 17) return false;
    uint64_t dots = wr_zero_bytes(wr_load8(p) ^ (WR_ONES * '.')), whole, fraction;
    unsigned dot = dots ? wr_lowest_bit(dots) / 8 : 0, places = (unsigned)n - 1 - dot;
    if (dot == 0 || (*p == '0' && dot > 1) || places == 0) return false;
    if (!wr_digits(p, dot, &whole) || !wr_digits(p + dot + 1, places, &fraction)) return false;
    whole = whole * wr_powers_of_10[places] + fraction; /* at most 16 digits */
    if (whole > (uint64_t)1 << 53) return false;
    double value = (double)whole / wr_double_powers_of_10[places];
    *out = negative ? -value : value;
    return true;
}

#endif
