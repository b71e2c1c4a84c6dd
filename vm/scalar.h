/* The scalar C expressions behind opcodes.def, as far as they need a name. Both executors include it. */
#ifndef WR_VM_SCALAR_H
#define WR_VM_SCALAR_H

#include "base/arena.h"
#include "vm/calendar.h"
#include "vm/decimal.h"
#include <float.h>
#include <math.h>

/* The sign bit of x as WR_REASON_OVERFLOW or 0: loops of it become vector code. */
#define WR_OVERFLOW_BIT(x) ((uint64_t)(x) >> 63)
_Static_assert(WR_REASON_OVERFLOW == 1, "WR_OVERFLOW_BIT gives it as a bit");

static inline unsigned wr_i64_mul_reason(int64_t b, int64_t c)
{
    int64_t product;
    return __builtin_mul_overflow(b, c, &product) ? WR_REASON_OVERFLOW : WR_REASON_NONE;
}

/* Divisors that trap are replaced: the reason says that the row is an error. */
static inline int64_t wr_i64_div(int64_t b, int64_t c)
{
    return c == 0 ? 0 : c == -1 ? (int64_t)(0 - (uint64_t)b) : b / c;
}
static inline unsigned wr_i64_div_reason(int64_t b, int64_t c)
{
    return c == 0 ? WR_REASON_DIVISION_BY_ZERO : c == -1 && b == INT64_MIN ? WR_REASON_OVERFLOW : WR_REASON_NONE;
}
static inline int64_t wr_i64_mod(int64_t b, int64_t c)
{
    return c == 0 || c == -1 ? 0 : b % c;
}
static inline unsigned wr_i64_mod_reason(int64_t c)
{
    return c == 0 ? WR_REASON_DIVISION_BY_ZERO : WR_REASON_NONE;
}

/* DOUBLEs are finite: what is not is an overflow of the row. */
static inline unsigned wr_f64_reason(double a)
{
    return fabs(a) <= DBL_MAX ? WR_REASON_NONE : WR_REASON_OVERFLOW;
}
static inline double wr_f64_div(double b, double c)
{
    return c == 0 ? 0 : b / c;
}
static inline double wr_f64_mod(double b, double c)
{
    return c == 0 ? 0 : fmod(b, c);
}
static inline unsigned wr_f64_div_reason(double a, double c)
{
    return c == 0 ? WR_REASON_DIVISION_BY_ZERO : wr_f64_reason(a);
}
static inline int64_t wr_f64_to_i64(double b)
{
    return b >= -0x1p63 && b < 0x1p63 ? (int64_t)b : 0;
}
static inline double wr_f64_to_f32(double b)
{
    return fabs(b) <= (double)FLT_MAX ? (double)(float)b : fabs(b) < 0x1.ffffffp127 ? copysign((double)FLT_MAX, b)
                                                                                    : copysign(HUGE_VAL, b);
}

static inline uint64_t wr_load64(const char *p)
{
    uint64_t x;
    memcpy(&x, p, sizeof x);
    return x;
}
static inline uint32_t wr_load32(const char *p)
{
    uint32_t x;
    memcpy(&x, p, sizeof x);
    return x;
}

/* Equal bytes: the sizes first, then two overlapping loads for the short texts that most are. */
static inline bool wr_str_equal(struct wr_slice b, struct wr_slice c)
{
    size_t n = b.size;
    if (n != c.size) return false;
    if (n >= 8) {
        if (n > 16) return memcmp(b.data, c.data, n) == 0;
        return ((wr_load64(b.data) ^ wr_load64(c.data)) |
                (wr_load64(b.data + n - 8) ^ wr_load64(c.data + n - 8))) == 0;
    }
    if (n >= 4)
        return ((wr_load32(b.data) ^ wr_load32(c.data)) | (wr_load32(b.data + n - 4) ^ wr_load32(c.data + n - 4))) == 0;
    for (size_t i = 0; i < n; i++)
        if (b.data[i] != c.data[i]) return false;
    return true;
}

/* To text and back (scalar.c): the kinds are enum wr_kind. New text lies in the arena. */
struct wr_slice wr_print_kind_i64(struct wr_arena *arena, int64_t b, int kind);
struct wr_slice wr_print_kind_f64(struct wr_arena *arena, double b, int kind);
struct wr_slice wr_print_kind_dec(struct wr_arena *arena, wr_i128 b, int scale);
bool wr_parse_kind_bool(struct wr_slice b, enum wr_reason *e);
int64_t wr_parse_kind_i64(struct wr_slice b, int kind, enum wr_reason *e);
double wr_parse_kind_f64(struct wr_slice b, int kind, enum wr_reason *e);
wr_i128 wr_parse_kind_dec(struct wr_slice b, unsigned precision, unsigned scale, enum wr_reason *e);
struct wr_slice wr_check_text(struct wr_slice b, enum wr_reason *e);
struct wr_slice wr_check_json(struct wr_slice b, enum wr_reason *e);

#endif
