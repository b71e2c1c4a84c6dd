/* DECIMAL arithmetic: unscaled 128-bit integers of at most 38 digits, exact, rounded half up (away from
 * zero). Products and dividends are kept in 256 bits, so that only the result can overflow.
 *
 * Each function sets *e to a reason and returns 0 where the result is none; else it leaves *e alone.
 * Operands are values that were checked when they were made: below 10^38 in magnitude. */
#ifndef WR_VM_DECIMAL_H
#define WR_VM_DECIMAL_H

#include "vm/batch.h"

enum { WR_DECIMAL_DIGITS = 38 };

wr_i128 wr_dec_add(wr_i128 b, wr_i128 c, enum wr_reason *e);
wr_i128 wr_dec_sub(wr_i128 b, wr_i128 c, enum wr_reason *e);
wr_i128 wr_dec_mul(wr_i128 b, wr_i128 c, int shift, enum wr_reason *e); /* b * c * 10^shift */
wr_i128 wr_dec_div(wr_i128 b, wr_i128 c, int shift, enum wr_reason *e); /* b * 10^shift / c */
wr_i128 wr_dec_mod(wr_i128 b, wr_i128 c, enum wr_reason *e);
/* b * 10^shift, in `precision` digits (1..38). */
wr_i128 wr_dec_shift(wr_i128 b, int shift, unsigned precision, enum wr_reason *e);
/* b * 10^shift against c, exactly: <0, 0, >0. */
int wr_dec_compare_scaled(wr_i128 b, wr_i128 c, int shift);

int64_t wr_dec_to_i64(wr_i128 b, int scale, enum wr_reason *e); /* cut off */
double wr_dec_to_f64(wr_i128 b, int scale);                     /* the nearest double */
wr_i128 wr_dec_from_f64(double b, unsigned precision, unsigned scale, enum wr_reason *e);

static inline int wr_dec_compare(wr_i128 b, wr_i128 c, int shift)
{
    return shift == 0 ? (b > c) - (b < c) : wr_dec_compare_scaled(b, c, shift);
}

#endif
