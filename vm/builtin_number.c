/* Functions of numbers, of any comparable values, hashes, and distances on the earth. */
#include "vm/builtin_impl.h"

#include "base/hash.h"
#include "vm/scalar.h"
#include "vm/text.h"

/* A function whose body sees `argument` and sets `out`. */
#define FN(name, arity, ...)                                                                                     \
    WR_BUILTIN_FN(name)                                                                                   \
    {                                                                                                     \
        WR_UNUSED(call);                                                                                  \
        WR_ASSERT(count == (arity));                                                                      \
        __VA_ARGS__                                                                                       \
    }
#define I64(n) (argument[n].u.i64)
#define F64(n) (argument[n].u.f64)
#define DEC(n) (argument[n].u.dec)

static enum wr_reason checked(double value, struct wr_value *out)
{
    out->u.f64 = value;
    if (isnan(value)) return WR_REASON_DOMAIN;
    return isinf(value) ? WR_REASON_OVERFLOW : WR_REASON_NONE;
}

/* ---- Rounding ----------------------------------------------------------------------------------- */

FN(same, 1, out->u = argument[0].u; return WR_REASON_NONE;)

FN(abs_i64, 1, if (I64(0) == INT64_MIN) return WR_REASON_OVERFLOW; out->u.i64 = I64(0) < 0 ? -I64(0) : I64(0);
   return WR_REASON_NONE;)
FN(abs_dec, 1, out->u.dec = DEC(0) < 0 ? -DEC(0) : DEC(0); return WR_REASON_NONE;)
FN(abs_f64, 1, out->u.f64 = fabs(F64(0)); return WR_REASON_NONE;)

_Static_assert(sizeof(double) == 8, "doubles are IEEE 754's of 64 bits");

static int clamp_places(int64_t places)
{
    return (int)WR_MAX(WR_MIN(places, 400), -400);
}

WR_BUILTIN_FN(round_i64)
{
    enum wr_reason e = WR_REASON_NONE;
    int places = count > 1 ? clamp_places(I64(1)) : 0;
    WR_UNUSED(call);
    WR_ASSERT(count == 1 || count == 2);
    out->u.i64 = I64(0);
    if (places >= 0) return e;
    wr_i128 rounded = places < -20 ? 0 : wr_dec_shift(wr_dec_shift(I64(0), places, WR_DECIMAL_DIGITS, &e), -places,
                                                      WR_DECIMAL_DIGITS, &e);
    if (e || rounded < INT64_MIN || rounded > INT64_MAX) return WR_REASON_OVERFLOW;
    out->u.i64 = (int64_t)rounded;
    return e;
}

/* Arguments: the number, the places if they are said, its scale, the result's scale. */
WR_BUILTIN_FN(round_dec)
{
    enum wr_reason e = WR_REASON_NONE;
    WR_UNUSED(call);
    WR_ASSERT(count == 3 || count == 4);
    int64_t from = argument[count - 2].u.i64, to = argument[count - 1].u.i64;
    if (from < 0 || from > WR_DECIMAL_DIGITS || to < 0 || to > WR_DECIMAL_DIGITS) return WR_REASON_DOMAIN;
    int places = count == 4 ? clamp_places(I64(1)) : 0;
    if (places > from) places = (int)from;
    if (places < -WR_DECIMAL_DIGITS) places = -WR_DECIMAL_DIGITS - 1; /* leaves nothing */
    wr_i128 rounded = wr_dec_shift(DEC(0), places - (int)from, WR_DECIMAL_DIGITS, &e);
    out->u.dec = wr_dec_shift(rounded, (int)to - places, WR_DECIMAL_DIGITS, &e);
    return e;
}

/* By the digits that it prints with, so that 2.675 to two places is 2.68 as written. */
WR_BUILTIN_FN(round_f64)
{
    int places = count > 1 ? clamp_places(I64(1)) : 0;
    char text[WR_TEXT_MAX + 8];
    wr_i128 value;
    WR_UNUSED(call);
    WR_ASSERT(count == 1 || count == 2);
    out->u.f64 = F64(0);
    /* A double has 17 digits at most: what is past 2^53 or asks for more of them stays. */
    if (places == 0) return checked(round(F64(0)), out);
    if (places > 22 || (places >= 0 && fabs(F64(0)) >= 0x1p53)) return WR_REASON_NONE;
    if (places < -308) return checked(copysign(0, F64(0)), out);
    size_t size = wr_print_f64(text, F64(0));
    struct wr_slice digits = wr_slice_of(text, size);
    if (places > 0) {
        if (!wr_parse_decimal(digits, WR_DECIMAL_DIGITS, (unsigned)places, &value)) return WR_REASON_NONE;
        return checked(wr_dec_to_f64(value, places), out);
    }
    double unit = pow(10, -places);
    return checked(round(F64(0) / unit) * unit, out);
}

/* Arguments: the number, its scale. */
static enum wr_reason whole(const struct wr_value *argument, int direction, struct wr_value *out)
{
    if (I64(1) < 0 || I64(1) > WR_DECIMAL_DIGITS) return WR_REASON_DOMAIN;
    wr_i128 unit = wr_pow10((unsigned)I64(1)), rest = DEC(0) % unit;
    out->u.dec = DEC(0) / unit;
    if (direction < 0 && rest < 0) out->u.dec--;
    if (direction > 0 && rest > 0) out->u.dec++;
    return WR_REASON_NONE;
}
FN(floor_dec, 2, return whole(argument, -1, out);)
FN(ceil_dec, 2, return whole(argument, 1, out);)
FN(floor_f64, 1, return checked(floor(F64(0)), out);)
FN(ceil_f64, 1, return checked(ceil(F64(0)), out);)

/* ---- Arithmetic and mathematics ------------------------------------------------------------------ */

FN(mod_i64, 2, out->u.i64 = wr_i64_mod(I64(0), I64(1)); return (enum wr_reason)wr_i64_mod_reason(I64(1));)
FN(mod_dec, 2, enum wr_reason e = WR_REASON_NONE; out->u.dec = wr_dec_mod(DEC(0), DEC(1), &e); return e;)
FN(mod_f64, 2, out->u.f64 = wr_f64_mod(F64(0), F64(1)); return (enum wr_reason)wr_f64_div_reason(out->u.f64, F64(1));)
FN(power, 2, if (F64(0) == 0 && F64(1) < 0) return WR_REASON_DIVISION_BY_ZERO;
   return checked(pow(F64(0), F64(1)), out);)
FN(sqrt, 1, return checked(sqrt(F64(0)), out);)
FN(ln, 1, return F64(0) > 0 ? checked(log(F64(0)), out) : WR_REASON_DOMAIN;)
FN(log10, 1, return F64(0) > 0 ? checked(log10(F64(0)), out) : WR_REASON_DOMAIN;)
FN(exp, 1, return checked(exp(F64(0)), out);)
FN(sign_i64, 1, out->u.i64 = (I64(0) > 0) - (I64(0) < 0); return WR_REASON_NONE;)
FN(sign_dec, 1, out->u.i64 = (DEC(0) > 0) - (DEC(0) < 0); return WR_REASON_NONE;)
FN(sign_f64, 1, out->u.i64 = (F64(0) > 0) - (F64(0) < 0); return WR_REASON_NONE;)

/* ---- Extremes ------------------------------------------------------------------------------------ */

#define EXTREME(name, field, precedes)                                                                    \
    WR_BUILTIN_FN(name)                                                                                   \
    {                                                                                                     \
        unsigned best = 0;                                                                                \
        WR_UNUSED(call);                                                                                  \
        WR_ASSERT(count >= 1);                                                                            \
        for (unsigned i = 1; i < count; i++)                                                              \
            if (precedes) best = i;                                                                       \
        out->u.field = argument[best].u.field;                                                            \
        return WR_REASON_NONE;                                                                            \
    }
EXTREME(greatest_i64, i64, I64(i) > I64(best))
EXTREME(greatest_dec, dec, DEC(i) > DEC(best))
EXTREME(greatest_f64, f64, F64(i) > F64(best))
EXTREME(greatest_str, str, wr_slice_compare(argument[i].u.str, argument[best].u.str) > 0)
EXTREME(least_i64, i64, I64(i) < I64(best))
EXTREME(least_dec, dec, DEC(i) < DEC(best))
EXTREME(least_f64, f64, F64(i) < F64(best))
EXTREME(least_str, str, wr_slice_compare(argument[i].u.str, argument[best].u.str) < 0)

/* ---- Hashing, the earth --------------------------------------------------------------------------- */

FN(xxhash64_str, 1, out->u.i64 = (int64_t)wr_xxh64(argument[0].u.str.data, argument[0].u.str.size, 0);
   return WR_REASON_NONE;)

WR_BUILTIN_FN(xxhash64_i64)
{
    uint8_t bytes[8];
    WR_UNUSED(call);
    WR_ASSERT(count == 1);
    for (int i = 0; i < 8; i++) bytes[i] = (uint8_t)((uint64_t)I64(0) >> (8 * i));
    out->u.i64 = (int64_t)wr_xxh64(bytes, sizeof bytes, 0);
    return WR_REASON_NONE;
}

/* The haversine formula, on a sphere of the earth's mean radius (IUGG: 6,371,008.8 m). */
WR_BUILTIN_FN(st_distance)
{
    static const double radian = 0.017453292519943295, radius = 6371008.8;
    double lat1 = F64(0), lat2 = F64(2);
    WR_UNUSED(call);
    WR_ASSERT(count == 4);
    if (fabs(lat1) > 90 || fabs(lat2) > 90 || fabs(F64(1)) > 360 || fabs(F64(3)) > 360) return WR_REASON_DOMAIN;
    double sin_lat = sin((lat2 - lat1) * radian / 2), sin_lon = sin((F64(3) - F64(1)) * radian / 2);
    double h = sin_lat * sin_lat + cos(lat1 * radian) * cos(lat2 * radian) * sin_lon * sin_lon;
    return checked(2 * radius * asin(sqrt(h > 1 ? 1 : h)), out);
}
